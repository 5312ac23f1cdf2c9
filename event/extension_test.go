package event_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
)

const base = `"specversion":"1.0","id":"1","source":"/ci","type":"ci.ended","data":{"ok":true}`

// TestAttributesAreKept, whatever form they came in, and go out again.
func TestAttributesAreKept(t *testing.T) {
	const want = `{"count":7,"dataschema":"https://ci.example.com/ended.json","sampled":true,"traceparent":"00-abc"}`
	structured := `{` + base + `,"traceparent":"00-abc","dataschema":"https://ci.example.com/ended.json","count":7,"sampled":true,"iapnumber":"4","nothing":null}`
	events, err := event.Parse(event.ContentType, event.Attributes{}, []byte(structured), time.Now())
	if err != nil || string(events[0].Extensions) != want {
		t.Fatalf("%s, %v", events[0].Extensions, err)
	}
	out, err := event.Structured(event.WithSchema(*events[0], "https://portal.example.com"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := event.Parse(event.ContentType, event.Attributes{}, out, time.Now())
	if err != nil || string(again[0].Extensions) != want || string(again[0].Data) != `{"ok":true}` {
		t.Errorf("%s became %+v, %v", out, again[0], err)
	}
	binary := event.AttributesOf(map[string]string{"specversion": "1.0", "id": "1", "source": "/ci", "type": "ci.ended", "traceparent": "00-abc"})
	events, err = event.Parse("application/json", binary, []byte(`{}`), time.Now())
	if err != nil || string(events[0].Extensions) != `{"traceparent":"00-abc"}` {
		t.Errorf("%s, %v", events[0].Extensions, err)
	}
}

func TestWrongAttributes(t *testing.T) {
	for field, more := range map[string]string{
		"TraceParent": `"TraceParent":"x"`, "a_b": `"a_b":"x"`, "list": `"list":[1]`, "number": `"number":1.5`, "big": `"big":99999999999`,
		"long": `"long":"` + strings.Repeat("x", 1001) + `"`,
	} {
		_, err := event.Parse(event.ContentType, event.Attributes{}, []byte(`{`+base+`,`+more+`}`), time.Now())
		if f := iap.Fields(err); len(f) != 1 || f[0].Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// TestOwnEventsNameTheirSchema, and those of others do not.
func TestOwnEventsNameTheirSchema(t *testing.T) {
	for typ, want := range map[string]string{"iap.app.changed": `"dataschema":"https://p.example/api/v1/event-types/iap.app.changed"`, "ci.ended": ""} {
		e := event.WithSchema(event.Event{ID: "1", Source: "/x", Type: typ, Data: json.RawMessage(`{}`)}, "https://p.example")
		b, err := event.Structured(e)
		if err != nil || !json.Valid(b) || strings.Contains(string(b), "dataschema") != (want != "") || !strings.Contains(string(b), want) {
			t.Errorf("%s, %v", b, err)
		}
	}
}
