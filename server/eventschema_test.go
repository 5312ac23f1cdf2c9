package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/internal-app-portal/iap/client"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/store"
)

// schemaChecker is a webhook that checks the data of each event against the schema
// which the event names, and that says each member which it has.
type schemaChecker struct {
	*httptest.Server
	t *testing.T

	mu      sync.Mutex
	schemas map[string]*jsonschema.Schema
	seen    map[string]int // how many of each type
	came    chan struct{}  // has something when an event has come
}

func checkSchemas(t *testing.T) *schemaChecker {
	t.Helper()
	s := &schemaChecker{t: t, schemas: map[string]*jsonschema.Schema{}, seen: map[string]int{}, came: make(chan struct{}, 1)}
	s.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		s.check(b)
		select {
		case s.came <- struct{}{}:
		default:
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *schemaChecker) check(body []byte) {
	var e struct {
		Type, DataSchema string
		Data             json.RawMessage
	}
	if err := json.Unmarshal(body, &e); err != nil {
		s.t.Errorf("%s: %v", body, err)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen[e.Type]++
	if !strings.HasPrefix(e.Type, "iap.") {
		return // somebody else's
	}
	schema, err := s.schema(e.DataSchema)
	if err != nil {
		s.t.Errorf("%s has the schema %q: %v", e.Type, e.DataSchema, err)
		return
	}
	fit(s.t, schema, e.Type, e.Data)
}

// fit checks the data of an event, of which its schema must tell each member.
func fit(t *testing.T, schema *jsonschema.Schema, typ string, data []byte) {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err == nil {
		err = schema.Validate(v)
	}
	if err != nil {
		t.Errorf("%s: %s: %v", typ, data, err)
	}
	members, _ := v.(map[string]any)
	for name := range members {
		if schema.Properties[name] == nil {
			t.Errorf("the schema of %s does not tell of %q", typ, name)
		}
	}
}

// compiled are the schemas of the portal's own events, by type.
var compiled = sync.OnceValues(func() (map[string]*jsonschema.Schema, error) {
	out := map[string]*jsonschema.Schema{}
	for _, d := range event.Types() {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(d.Schema))
		if err == nil {
			out[d.Type], err = compile(event.SchemaPath(d.Type), doc)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.Type, err)
		}
	}
	return out, nil
})

func compile(address string, doc any) (*jsonschema.Schema, error) {
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(address, doc); err != nil {
		return nil, err
	}
	return c.Compile(address)
}

// fitSchemas checks each event in a portal's log.
func fitSchemas(t *testing.T, database string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
	defer cancel()
	schemas, err := compiled()
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(ctx, database, store.Options{})
	if err != nil {
		t.Errorf("the log cannot be read: %v", err)
		return
	}
	defer db.Close()
	for after := int64(0); ; {
		events, err := db.EventsAfter(ctx, after, 1000)
		if err != nil || len(events) == 0 {
			if err != nil {
				t.Error(err)
			}
			return
		}
		for _, e := range events {
			after = e.Number
			if schema := schemas[e.Type]; schema != nil {
				fit(t, schema, e.Type, e.Data)
			} else if strings.HasPrefix(e.Type, "iap.") {
				t.Errorf("there is no schema of %s", e.Type)
			}
		}
	}
}

// until waits until an event of each type has come.
func (s *schemaChecker) until(types []string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), testTimeout)
	defer cancel()
	for {
		s.mu.Lock()
		missing := slices.DeleteFunc(slices.Clone(types), func(typ string) bool { return s.seen[typ] > 0 })
		s.mu.Unlock()
		if len(missing) == 0 {
			return
		}
		select {
		case <-s.came:
		case <-ctx.Done():
			s.t.Fatalf("no event came of the types %v", missing)
		}
	}
}

// schema reads the schema at an address, once.
func (s *schemaChecker) schema(address string) (*jsonschema.Schema, error) {
	if known := s.schemas[address]; known != nil {
		return known, nil
	}
	res, err := http.Get(address)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	doc, err := jsonschema.UnmarshalJSON(res.Body)
	if err != nil {
		return nil, err
	}
	s.schemas[address], err = compile(address, doc)
	return s.schemas[address], err
}

// TestEveryEventFitsItsSchema: whatever is told while an instance is deployed and
// destroyed, rules and targets are changed, a delivery dies, a state machine runs and
// a schedule fires.
func TestEveryEventFitsItsSchema(t *testing.T) {
	needDocker(t)
	p := startPortal(t, testConfig(t))
	checker, ctx := checkSchemas(t), t.Context()
	add := func(name, when string, target client.AddTarget) {
		t.Helper()
		target.Name, target.Backoff = name, "1ms"
		if _, err := p.AddTarget(ctx, target); err != nil {
			t.Fatal(err)
		}
		if _, _, err := p.PutRule(ctx, name, client.PutRule{When: when, Targets: []string{name}}); err != nil {
			t.Fatal(err)
		}
	}
	add("all", "true", client.AddTarget{Kind: "webhook", Settings: client.TargetSettings{URL: checker.URL, Private: true}})
	add("broken", "event.type == 'to.nobody'", client.AddTarget{Kind: "webhook", Attempts: 1, Settings: client.TargetSettings{URL: "http://127.0.0.1:1", Private: true}})
	tellOf(t, p.Client, "to.nobody", nil)
	checker.until([]string{"iap.delivery.dead"}) // what is paused is not given up
	if _, err := p.PauseTarget(ctx, "broken", true); err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.PutStateMachine(ctx, "tell", client.PutStateMachine{Definition: `{"StartAt":"Tell","States":{"Tell":{"Type":"Task",
		"Resource":"arn:iap:states:::notify:send","Parameters":{"To":"local-admin","Title":"Done"},"End":true}}}`}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.StartExecution(ctx, "tell", client.StartExecution{}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.PauseSchedule(ctx, "nightly"); err != nil {
		t.Fatal(err)
	}
	p.addApp(inspectorApp("fits"))
	p.destroy(p.deploy("fits", nil).ID)
	if _, err := p.RunSchedule(ctx, "nightly"); err != nil {
		t.Fatal(err)
	}
	want := []string{"iap.instance.changed", "iap.job.changed", "iap.execution.changed", "iap.app.changed", "iap.rule.changed", "iap.target.changed",
		"iap.delivery.dead", "iap.notification", "iap.schedule.changed", "iap.schedule.fired", "iap.sweep.finished"}
	checker.until(want)
}
