package sfn

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/internal-app-portal/iap/asl/value"
)

// decoder fills a structure from a request and notes which constraints it
// violates, in AWS's words. The tag "check" of a field says what AWS's model of
// the service says of it:
//
//	required, min=N, max=N (characters, elements or a number), enum=A|B,
//	pattern=NAME, payload (at most the limit of payloads), secret (the value is
//	not repeated)
type decoder struct {
	payload    int
	violations []string
}

// decode fills into, a pointer to a structure. Unknown members are passed over,
// as on AWS.
func decode(o *value.Object, into any, payload int) error {
	d := &decoder{payload: payload}
	if err := d.object("", o, reflect.ValueOf(into).Elem()); err != nil {
		return err
	}
	if n := len(d.violations); n > 0 {
		s := "s"
		if n == 1 {
			s = ""
		}
		return invalid("%d validation error%s detected: %s", n, s, strings.Join(d.violations, "; "))
	}
	return nil
}

func (d *decoder) object(path string, o *value.Object, to reflect.Value) error {
	t := to.Type()
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		at := name
		if path != "" {
			at = path + "." + name
		}
		rules := parseRules(f.Tag.Get("check"))
		v, ok := o.Get(name)
		if !ok || v == nil {
			if rules.required {
				d.violations = append(d.violations, fmt.Sprintf("Value null at '%s' failed to satisfy constraint: Member must not be null", at))
			}
			continue
		}
		if err := d.value(at, v, to.Field(i), rules); err != nil {
			return err
		}
	}
	return nil
}

func mismatch(at, want string) error {
	return refuse("SerializationException", "The value at '%s' must be %s", at, want)
}

func (d *decoder) value(at string, v value.Value, to reflect.Value, r rules) error {
	if to.Kind() == reflect.Pointer {
		to.Set(reflect.New(to.Type().Elem()))
		return d.value(at, v, to.Elem(), r)
	}
	switch to.Kind() {
	case reflect.String:
		s, ok := v.(string)
		if !ok {
			return mismatch(at, "a string")
		}
		to.SetString(s)
		d.text(at, s, r)
	case reflect.Bool:
		b, ok := v.(bool)
		if !ok {
			return mismatch(at, "a boolean")
		}
		to.SetBool(b)
	case reflect.Int64:
		n, ok := v.(value.Number)
		if !ok {
			return mismatch(at, "a number")
		}
		i, ok := n.Int64()
		if !ok {
			return mismatch(at, "an integer of 64 bits")
		}
		to.SetInt(i)
		d.number(at, n, float64(i), r)
	case reflect.Float64:
		n, ok := v.(value.Number)
		if !ok {
			return mismatch(at, "a number")
		}
		to.SetFloat(n.Float64())
		d.number(at, n, n.Float64(), r)
	case reflect.Struct:
		o, ok := v.(*value.Object)
		if !ok {
			return mismatch(at, "an object")
		}
		return d.object(at, o, to)
	case reflect.Slice:
		return d.list(at, v, to, r)
	default:
		return fmt.Errorf("sfn: a field of type %s is not decoded", to.Type())
	}
	return nil
}

func (d *decoder) list(at string, v value.Value, to reflect.Value, r rules) error {
	list, ok := v.(value.Array)
	if !ok {
		return mismatch(at, "a list")
	}
	d.length(at, len(list), func() string { return "[" + strconv.Itoa(len(list)) + " elements]" }, r)
	if len(list) > maxElements {
		return mismatch(at, "a list of at most "+strconv.Itoa(maxElements)+" elements")
	}
	out := reflect.MakeSlice(to.Type(), len(list), len(list))
	for i, e := range list {
		if e == nil {
			return mismatch(fmt.Sprintf("%s.%d.member", at, i+1), "something other than null")
		}
		if err := d.value(fmt.Sprintf("%s.%d.member", at, i+1), e, out.Index(i), r.element()); err != nil {
			return err
		}
	}
	to.Set(out)
	return nil
}

// maxElements bounds lists; AWS's own limits are lower.
const maxElements = 1000

func (d *decoder) violated(at string, shown func() string, r rules, constraint string, args ...any) {
	what := "Value"
	if !r.secret {
		what = "Value '" + shown() + "'"
	}
	d.violations = append(d.violations, fmt.Sprintf("%s at '%s' failed to satisfy constraint: %s", what, at, fmt.Sprintf(constraint, args...)))
}

func (d *decoder) text(at, s string, r rules) {
	shown := func() string { return s }
	if r.payload {
		// The limit is one of bytes, as for what states give each other.
		if len(s) > d.payload {
			d.violated(at, shown, r, "Member must have length less than or equal to %d", d.payload)
		}
		return
	}
	d.length(at, utf8.RuneCountInString(s), shown, r)
	if len(r.enum) > 0 && !contains(r.enum, s) {
		d.violated(at, shown, r, "Member must satisfy enum value set: [%s]", strings.Join(r.enum, ", "))
	}
	if p, ok := patterns[r.pattern]; ok && !p.match(s) {
		d.violated(at, shown, r, "Member must satisfy regular expression pattern: %s", p.text)
	}
}

func (d *decoder) length(at string, n int, shown func() string, r rules) {
	if r.min != nil && n < int(*r.min) {
		d.violated(at, shown, r, "Member must have length greater than or equal to %d", int(*r.min))
	}
	if r.max != nil && n > int(*r.max) {
		d.violated(at, shown, r, "Member must have length less than or equal to %d", int(*r.max))
	}
}

func (d *decoder) number(at string, n value.Number, f float64, r rules) {
	shown := func() string { return string(n) }
	if r.min != nil && f < *r.min {
		d.violated(at, shown, r, "Member must have value greater than or equal to %v", *r.min)
	}
	if r.max != nil && f > *r.max {
		d.violated(at, shown, r, "Member must have value less than or equal to %v", *r.max)
	}
}

// raw keeps what a client gave as a configuration, in the form in which it is
// described again.
func raw(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil || string(b) == "null" {
		return nil
	}
	return b
}
