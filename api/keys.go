package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"
)

// What an answer repeats at most of a body with unknown keys.
const (
	maxUnknown  = 20 // keys
	maxKeyShown = 80 // bytes of a key
)

// exact is a T in a body whose keys are taken as they are spelled:
// encoding/json and huma take "App" for "app", so that two readers of one body
// could understand it differently.
type exact[T any] struct {
	Value   T
	unknown []error
}

// Schema implements huma.SchemaProvider.
func (*exact[T]) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[T](), true, "")
}

// UnmarshalJSON implements json.Unmarshaler; what it finds is told by Resolve.
func (b *exact[T]) UnmarshalJSON(data []byte) error {
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	k := &keyCheck{}
	k.value("body", v, reflect.TypeFor[T]())
	b.unknown = k.errs
	return json.Unmarshal(data, &b.Value)
}

// Resolve implements huma.Resolver.
func (b *exact[T]) Resolve(huma.Context) []error { return b.unknown }

// isUnknownKey reports whether huma found an unknown key, which Resolve tells
// of with more words.
func isUnknownKey(e *huma.ErrorDetail) bool {
	return e.Message == validation.MsgUnexpectedProperty && strings.HasPrefix(e.Location, "body.")
}

// keyCheck collects the keys of a JSON value that its Go type does not have.
type keyCheck struct{ errs []error }

func (k *keyCheck) value(path string, v any, t reflect.Type) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch v := v.(type) {
	case []any:
		if t.Kind() == reflect.Slice {
			for n, item := range v {
				k.value(fmt.Sprintf("%s[%d]", path, n), item, t.Elem())
			}
		}
	case map[string]any:
		switch t.Kind() {
		case reflect.Map:
			for key, item := range v {
				k.value(path+"."+key, item, t.Elem())
			}
		case reflect.Struct:
			k.object(path, v, jsonFields(t))
		}
	}
}

func (k *keyCheck) object(path string, v map[string]any, fields map[string]reflect.Type) {
	for _, key := range slices.Sorted(maps.Keys(v)) {
		if t, known := fields[key]; known {
			k.value(path+"."+key, v[key], t)
			continue
		}
		if len(k.errs) == maxUnknown {
			return
		}
		k.errs = append(k.errs, &huma.ErrorDetail{Location: path + "." + shortKey(key), Message: "unknown key; " + knownKeys(key, fields)})
	}
}

// knownKeys says what the person may have meant by an unknown key.
func knownKeys(key string, fields map[string]reflect.Type) string {
	names := slices.Sorted(maps.Keys(fields))
	for _, name := range names {
		if strings.EqualFold(name, key) {
			return fmt.Sprintf("did you mean %q?", name)
		}
	}
	return "there are: " + strings.Join(names, ", ")
}

func shortKey(key string) string {
	if len(key) <= maxKeyShown {
		return key
	}
	return strings.ToValidUTF8(key[:maxKeyShown], "") + "…"
}

// jsonFields returns the fields of a struct by their names in JSON.
func jsonFields(t reflect.Type) map[string]reflect.Type {
	out := map[string]reflect.Type{}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "-" || f.Anonymous && name == "" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		out[name] = f.Type
	}
	return out
}
