package task

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	iap "github.com/internal-app-portal/iap"
)

// Read puts the arguments of a call into a struct after it has checked them
// against the documentation: names, types and what is required. The error is
// Invalid and names the argument.
func (d Doc) Read(arguments []byte, into any) error {
	if len(bytes.TrimSpace(arguments)) == 0 {
		arguments = []byte("{}")
	}
	if err := check(arguments, "", d.Arguments); err != nil {
		return err
	}
	if err := json.Unmarshal(arguments, into); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			return bad(wrong.Field, "it must not be a %s", wrong.Value)
		}
		return bad("", "they cannot be read: %v", err)
	}
	return nil
}

// check compares an object with the fields that it may have.
func check(object []byte, at string, fields []Field) error {
	var given map[string]json.RawMessage
	if err := json.Unmarshal(object, &given); err != nil || given == nil {
		return bad(at, "it must be a JSON object, not %s", short(object))
	}
	for name := range given {
		if !has(fields, name) {
			return bad(join(at, name), "there is no such argument; there are %s", names(fields))
		}
	}
	for _, f := range fields {
		v, ok := given[f.Name]
		if !ok || string(v) == "null" && f.Type != Any {
			if f.Required {
				return bad(join(at, f.Name), "it is missing: %s", f.Text)
			}
			continue
		}
		if err := f.check(v, join(at, f.Name)); err != nil {
			return err
		}
	}
	return nil
}

func (f Field) check(v json.RawMessage, at string) error {
	if f.Type != Any && kind(v) != f.Type {
		return bad(at, "it must be of type %s, not %s", f.Type, short(v))
	}
	if f.Type == Object && len(f.Fields) > 0 {
		return check(v, at, f.Fields)
	}
	return nil
}

// kind is the type of a value of valid JSON.
func kind(v json.RawMessage) Type {
	switch v := bytes.TrimSpace(v); v[0] {
	case '"':
		return Text
	case '{':
		return Object
	case '[':
		return List
	case 't', 'f':
		return Flag
	case 'n':
		return "null"
	}
	return Number
}

func has(fields []Field, name string) bool {
	for _, f := range fields {
		if f.Name == name {
			return true
		}
	}
	return false
}

func names(fields []Field) string {
	if len(fields) == 0 {
		return "none"
	}
	var out []string
	for _, f := range fields {
		out = append(out, f.Name)
	}
	return strings.Join(out, ", ")
}

func join(at, name string) string {
	if at == "" {
		return name
	}
	return at + "." + name
}

// maxShown is how much of a wrong value an error shows, in bytes.
const maxShown = 60

func short(v []byte) string {
	if len(v) > maxShown {
		return strings.ToValidUTF8(string(v[:maxShown]), "") + "…"
	}
	return string(v)
}

func bad(field, format string, args ...any) error {
	if field == "" {
		field = "arguments"
	}
	return iap.FieldErrorf("", field, "%s", fmt.Sprintf(format, args...))
}
