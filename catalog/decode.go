package catalog

import (
	"encoding"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// decoder reads YAML nodes into Go values by their yaml tags. Unlike the
// library's own decoding it goes on after a mistake, knows the path of each
// field, and takes nothing that could be read in two ways.
type decoder struct {
	*problems
}

// parse reads the one document of src.
func (d *decoder) parse(src []byte) *yaml.Node {
	var doc yaml.Node
	if err := yaml.Load(src, &doc); err != nil {
		var at *yaml.LoadError
		text := err.Error()
		if errors.As(err, &at) && at.Message != "" {
			text = at.Message
			d.lines[""] = at.Mark.Line
		}
		d.add("", "not readable as YAML: %s", shorten(text))
		return nil
	}
	if doc.Kind == yaml.DocumentNode && len(doc.Content) == 1 {
		return doc.Content[0]
	}
	return &doc
}

// value reads n into v.
func (d *decoder) value(n *yaml.Node, v reflect.Value, path string) {
	d.lines[path] = n.Line
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		d.add(path, "anchors and aliases (& and *) are not allowed; write the value out")
		return
	}
	if tag := n.ShortTag(); n.Kind == yaml.ScalarNode && !slices.Contains([]string{"!!str", "!!int", "!!float", "!!bool", "!!null"}, tag) {
		if tag != "!!timestamp" && tag != "!!merge" || n.Style&yaml.TaggedStyle != 0 {
			d.add(path, "the tag %s is not allowed", shorten(tag))
			return
		}
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		d.text(n, u, path)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.object(n, v, path)
	case reflect.Map:
		d.mapping(n, v, path)
	case reflect.Slice:
		d.sequence(n, v, path)
	default:
		d.scalar(n, v, path)
	}
}

// text reads a Duration or Memory.
func (d *decoder) text(n *yaml.Node, u encoding.TextUnmarshaler, path string) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null" {
		d.add(path, "want a number and a unit, not %s", what(n))
		return
	}
	if err := u.UnmarshalText([]byte(n.Value)); err != nil {
		d.add(path, "%v", err)
	}
}

// keys returns the pairs of a mapping, without duplicates and keys that are no
// texts.
func (d *decoder) keys(n *yaml.Node, path string, each func(key string, k, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		d.add(path, "want fields with values, not %s", what(n))
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if k.Kind != yaml.ScalarNode || k.Anchor != "" {
			d.lines[path] = k.Line
			d.add(path, "a field's name must be a text, not %s", what(k))
			continue
		}
		if first, twice := seen[k.Value]; twice {
			d.lines[join(path, k.Value)] = k.Line
			d.add(join(path, k.Value), "is there twice, first in line %d", first)
			continue
		}
		seen[k.Value] = k.Line
		each(k.Value, k, n.Content[i+1])
	}
}

func (d *decoder) object(n *yaml.Node, v reflect.Value, path string) {
	fields := fieldsOf(v.Type())
	d.keys(n, path, func(key string, k, value *yaml.Node) {
		index, ok := fields[key]
		at := join(path, key)
		if !ok {
			d.lines[at] = k.Line
			d.add(at, "unknown field%s", didYouMean(key, names(fields)))
			return
		}
		if value.Kind == yaml.ScalarNode && value.ShortTag() == "!!null" {
			d.lines[at] = k.Line
			d.add(at, "has no value; leave the field out or give one")
			return
		}
		d.value(value, v.Field(index), at)
	})
}

// fieldsOf maps the yaml names of a struct to its fields.
func fieldsOf(t reflect.Type) map[string]int {
	fields := map[string]int{}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		fields[name] = i
	}
	return fields
}

func names(fields map[string]int) []string {
	var out []string
	for name := range fields {
		out = append(out, name)
	}
	return out
}

func (d *decoder) mapping(n *yaml.Node, v reflect.Value, path string) {
	out := reflect.MakeMap(v.Type())
	d.keys(n, path, func(key string, k, value *yaml.Node) {
		element := reflect.New(v.Type().Elem()).Elem()
		if d.literal(value, element, join(path, key)) {
			out.SetMapIndex(reflect.ValueOf(key), element)
		}
	})
	v.Set(out)
}

func (d *decoder) sequence(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind != yaml.SequenceNode {
		d.add(path, "want a list, not %s", what(n))
		return
	}
	const most = 1000
	if len(n.Content) > most {
		d.add(path, "has %d entries; want at most %d", len(n.Content), most)
		return
	}
	out := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	for i, item := range n.Content {
		at := fmt.Sprintf("%s[%d]", path, i)
		if v.Type().Elem().Kind() == reflect.String {
			d.literal(item, out.Index(i), at)
			continue
		}
		d.value(item, out.Index(i), at)
	}
	v.Set(out)
}

// literal reads a text of a map or a list, where numbers and truth values are
// taken as they are written: PORT: 8080, choices: [1, 2].
func (d *decoder) literal(n *yaml.Node, v reflect.Value, path string) bool {
	plain := n.Kind == yaml.ScalarNode && n.Anchor == "" && n.Style&yaml.TaggedStyle == 0
	if !plain || n.ShortTag() == "!!null" {
		d.lines[path] = n.Line
		d.add(path, "want a text, not %s", what(n))
		return false
	}
	d.lines[path] = n.Line
	v.SetString(n.Value)
	return true
}

func (d *decoder) scalar(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind != yaml.ScalarNode {
		d.add(path, "want %s, not %s", wanted(v), what(n))
		return
	}
	tag := n.ShortTag()
	switch {
	case v.Kind() == reflect.String && (tag == "!!str" || tag == "!!timestamp" || tag == "!!merge"):
		v.SetString(n.Value)
	case v.Kind() == reflect.String && tag != "!!null":
		d.add(path, "%s is read as %s; put it in quotes", shorten(n.Value), what(n))
	case v.Kind() == reflect.Bool && tag == "!!bool":
		v.SetBool(strings.EqualFold(n.Value, "true"))
	case v.Kind() == reflect.Int && tag == "!!int":
		if i, err := strconv.ParseInt(n.Value, 10, 32); err == nil {
			v.SetInt(i)
			return
		}
		d.add(path, "%s is no number that is possible here", shorten(n.Value))
	case v.Kind() == reflect.Float64 && (tag == "!!int" || tag == "!!float"):
		if f, ok := number(n.Value); ok {
			v.SetFloat(f)
			return
		}
		d.add(path, "%s is no number that is possible here", shorten(n.Value))
	case v.Kind() == reflect.Interface && tag != "!!null":
		d.any(n, v, path)
	default:
		d.add(path, "want %s, not %s", wanted(v), what(n))
	}
}

// any reads a parameter's default: a text, number or truth value.
func (d *decoder) any(n *yaml.Node, v reflect.Value, path string) {
	switch n.ShortTag() {
	case "!!bool":
		v.Set(reflect.ValueOf(strings.EqualFold(n.Value, "true")))
	case "!!int", "!!float":
		f, ok := number(n.Value)
		if !ok {
			d.add(path, "%s is no number that is possible here", shorten(n.Value))
			return
		}
		v.Set(reflect.ValueOf(f))
	default:
		v.Set(reflect.ValueOf(n.Value))
	}
}

// number reads a finite decimal number that a float64 holds and writes exactly
// enough to be read back.
func number(text string) (float64, bool) {
	text = strings.TrimSpace(text)
	if len(text) > 40 || strings.Trim(text, "0123456789.+-eE") != "" {
		return 0, false
	}
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil && math.Abs(f) <= 1e15
}

// what names the kind of a node for a person.
func what(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "fields"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	case yaml.ScalarNode:
		switch n.ShortTag() {
		case "!!null":
			return "nothing"
		case "!!bool":
			return "true or false"
		case "!!int", "!!float":
			return "a number"
		}
		return "a text"
	}
	return "nothing"
}

// wanted names the kind of value that v takes.
func wanted(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Interface:
		return "a text, a number, true or false"
	}
	return "a text"
}

func join(path, key string) string {
	key = shorten(key)
	if path == "" {
		return key
	}
	return path + "." + key
}
