package cases

import (
	"slices"
	"strconv"
	"strings"

	"github.com/internal-app-portal/iap/asl/value"
)

// Difference is the first place where what came out is not what is expected.
type Difference struct {
	// At is a JSON Pointer (RFC 6901) into what is expected.
	At string
	// Want and Got are the values there; absent when there is none.
	Want, Got value.JSON
}

// String shows the difference in one line.
func (d *Difference) String() string {
	return d.At + ": want " + shown(d.Want) + ", got " + shown(d.Got)
}

// maxShown is how much of a value a line shows, in bytes.
const maxShown = 300

func shown(j value.JSON) string {
	s := j.String()
	switch {
	case j.IsZero():
		return "nothing"
	case len(s) > maxShown:
		return strings.ToValidUTF8(s[:maxShown], "") + "…"
	}
	return s
}

func differ(at string, want, got value.Value) *Difference {
	return &Difference{At: at, Want: value.Of(want), Got: value.Of(got)}
}

// comparer compares what is expected with what came out.
type comparer struct{ wild map[string]bool }

// compare gives the first difference, or nil.
func (c comparer) compare(at string, want, got value.Value) *Difference {
	if c.wild[at] || redacted(want, got) {
		return nil
	}
	if s, ok := got.(string); ok && value.Kind(want) != "string" {
		// A text that holds JSON may be expected as the JSON in it.
		if v, err := value.Parse([]byte(s)); err == nil {
			got = v
		}
	}
	switch want := want.(type) {
	case *value.Object:
		return c.object(at, want, got)
	case value.Array:
		return c.array(at, want, got)
	}
	if !value.Equal(want, got) {
		return differ(at, want, got)
	}
	return nil
}

func (c comparer) object(at string, want *value.Object, got value.Value) *Difference {
	o, ok := got.(*value.Object)
	if !ok {
		return differ(at, want, got)
	}
	for _, m := range want.Members() {
		here := at + "/" + escape(m.Key)
		v, ok := o.Get(m.Key)
		if !ok && !c.wild[here] {
			return &Difference{At: here, Want: value.Of(m.Value)}
		}
		if d := c.compare(here, m.Value, v); d != nil {
			return d
		}
	}
	for _, m := range o.Members() {
		if _, ok := want.Get(m.Key); !ok {
			return &Difference{At: at + "/" + escape(m.Key), Got: value.Of(m.Value)}
		}
	}
	return nil
}

func (c comparer) array(at string, want value.Array, got value.Value) *Difference {
	a, ok := got.(value.Array)
	if !ok {
		return differ(at, want, got)
	}
	for i := range max(len(want), len(a)) {
		here := at + "/" + strconv.Itoa(i)
		switch {
		case i >= len(a):
			return &Difference{At: here, Want: value.Of(want[i])}
		case i >= len(want):
			return &Difference{At: here, Got: value.Of(a[i])}
		}
		if d := c.compare(here, want[i], a[i]); d != nil {
			return d
		}
	}
	return nil
}

// types compares the types of events where their order is by chance. The end
// of a Parallel state may have been left out of a recording.
func (c comparer) types(at string, want, got value.Array) *Difference {
	a, b := sortedTypes(want), sortedTypes(got)
	for _, end := range []value.Value{"ParallelStateSucceeded", "ParallelStateFailed"} {
		if !slices.Contains(a, end) {
			b = slices.DeleteFunc(b, func(v value.Value) bool { return v == end })
		}
	}
	if value.Equal(a, b) {
		return nil
	}
	return differ(at, a, b)
}

func sortedTypes(events value.Array) value.Array {
	types := make(value.Array, 0, len(events))
	for _, e := range events {
		types = append(types, field(e, "type"))
	}
	slices.SortFunc(types, func(a, b value.Value) int {
		x, _ := a.(string)
		y, _ := b.(string)
		return strings.Compare(x, y)
	})
	return types
}

// redacted tells whether a recording has a placeholder where its list of
// wildcards has nothing.
func redacted(want, got value.Value) bool {
	switch want {
	case "RandomNumberGenerated":
		return value.Kind(got) == "number"
	case "a_task_token":
		return value.Kind(got) == "string"
	case "map_run_arn":
		s, _ := got.(string)
		return strings.Contains(s, ":mapRun:")
	case "activity_arn":
		s, _ := got.(string)
		return strings.Contains(s, ":activity:")
	}
	return false
}

func escape(key string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(key) }

// without drops keys from an object and from the objects right in it, except
// from task credentials.
func without(v value.Value, keys ...string) value.Value {
	o, ok := v.(*value.Object)
	if !ok {
		return v
	}
	out := &value.Object{}
	for _, m := range o.Members() {
		if slices.Contains(keys, m.Key) {
			continue
		}
		if m.Key != "taskCredentials" {
			m.Value = without(m.Value, keys...)
		}
		out.Set(m.Key, m.Value)
	}
	return out
}
