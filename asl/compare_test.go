package asl_test

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"

	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/value"
)

// comparer compares what was recorded with what came out.
type comparer struct{ wild map[string]bool }

// compare gives the first difference with its pointer, or "".
func (c *comparer) compare(at string, want, got value.Value) string {
	if c.wild[at] || redacted(want, got) {
		return ""
	}
	if s, ok := got.(string); ok && value.Kind(want) != "string" {
		// The recorder parsed texts that hold JSON.
		if v, err := value.Parse([]byte(s)); err == nil {
			got = v
		}
	}
	switch want := want.(type) {
	case *value.Object:
		o, ok := got.(*value.Object)
		if !ok {
			return differ(at, want, got)
		}
		for _, m := range want.Members() {
			v, ok := o.Get(m.Key)
			if !ok && !c.wild[at+"/"+m.Key] {
				return fmt.Sprintf("%s/%s: want %s, got nothing", at, m.Key, value.Text(m.Value))
			}
			if diff := c.compare(at+"/"+escape(m.Key), m.Value, v); diff != "" {
				return diff
			}
		}
		for _, m := range o.Members() {
			if _, ok := want.Get(m.Key); !ok {
				return fmt.Sprintf("%s/%s: want nothing, got %s", at, m.Key, value.Text(m.Value))
			}
		}
		return ""
	case value.Array:
		a, ok := got.(value.Array)
		if !ok || len(a) != len(want) {
			return differ(at, want, got)
		}
		for i := range want {
			if diff := c.compare(fmt.Sprintf("%s/%d", at, i), want[i], a[i]); diff != "" {
				return diff
			}
		}
		return ""
	}
	if !value.Equal(want, got) {
		return differ(at, want, got)
	}
	return ""
}

// redacted tells whether the recording has a placeholder that its list of
// wildcards leaves out.
func redacted(want, got value.Value) bool {
	switch want {
	case "RandomNumberGenerated":
		return value.Kind(got) == "number"
	case "a_task_token":
		return value.Kind(got) == "string"
	case "activity_arn":
		return got == activityARN
	}
	return false
}

func escape(key string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(key) }

func differ(at string, want, got value.Value) string {
	return fmt.Sprintf("%s: want %s\n      got %s", at, value.Text(want), value.Text(got))
}

func (c *comparer) compareEvents(want value.Array, got []asl.HistoryEvent) string {
	for i, e := range got {
		if i >= len(want) {
			return fmt.Sprintf("/events/%d: want nothing, got %s", i, e.Type)
		}
		if diff := c.compare(fmt.Sprintf("/events/%d", i), want[i], eventValue(e)); diff != "" {
			return diff
		}
	}
	if len(want) > len(got) {
		return fmt.Sprintf("/events/%d: want %s, got nothing", len(got), value.Text(want[len(got)]))
	}
	return ""
}

// eventValue is an event in AWS's form without what the recording dropped.
func eventValue(e asl.HistoryEvent) value.Value {
	b, err := json.Marshal(e)
	if err != nil {
		return err.Error()
	}
	v, err := value.Parse(b)
	if err != nil {
		return err.Error()
	}
	return without(v, "timestamp", "roleArn")
}

// without drops keys from an object and from the objects right in it, except
// from task credentials, which the recording kept.
func without(v value.Value, keys ...string) value.Value {
	o, ok := v.(*value.Object)
	if !ok {
		return v
	}
	out := &value.Object{}
	for _, m := range o.Members() {
		drop := false
		for _, k := range keys {
			drop = drop || m.Key == k
		}
		if !drop {
			if m.Key != "taskCredentials" {
				m.Value = without(m.Value, keys...)
			}
			out.Set(m.Key, m.Value)
		}
	}
	return out
}

// compareTypes compares the types of events where the order is by chance. The
// recording left the success of a Parallel state out; its number is missing.
func compareTypes(want value.Array, got []asl.HistoryEvent) string {
	var a, b []string
	for _, e := range want {
		typ, _ := field(e.(*value.Object), "type").(string)
		a = append(a, typ)
	}
	for _, e := range got {
		if e.Type != "ParallelStateSucceeded" {
			b = append(b, e.Type)
		}
	}
	sort.Strings(a)
	sort.Strings(b)
	if x, y := strings.Join(a, " "), strings.Join(b, " "); x != y {
		return fmt.Sprintf("/events: want %s\n      got %s", x, y)
	}
	return ""
}
