package web_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/value"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/web"
	"github.com/internal-app-portal/iap/workflow"
	engine "github.com/internal-app-portal/iap/workflow/memory"
)

// flows are state machines and executions, run in memory at once.
type flows struct {
	mu         sync.Mutex
	now        func() time.Time
	log        *event.Log
	machines   map[string]web.Machine
	executions map[string]*flow
	broken     bool // tasks fail
	mapRuns    []workflow.MapRun
}

type flow struct {
	web.Execution
	events []workflow.HistoryEvent
	shown  int // events that have happened so far
}

func newFlows(now func() time.Time, log *event.Log) *flows {
	return &flows{now: now, log: log, machines: map[string]web.Machine{}, executions: map[string]*flow{}}
}

func (f *flows) Machines(_ context.Context, _ iap.Actor, after string, limit int) ([]web.MachineItem, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []web.MachineItem
	for _, name := range slices.Sorted(maps.Keys(f.machines)) {
		if name <= after || len(out) == limit {
			continue
		}
		item := web.MachineItem{Machine: f.machines[name].Machine}
		for _, x := range f.executions {
			if x.Machine == name && x.now().Status == workflow.Running {
				item.Running++
			} else if x.Machine == name && x.Status == workflow.Failed {
				item.Failed++
			}
		}
		out = append(out, item)
	}
	return out, nil
}

func (f *flows) Machine(_ context.Context, _ iap.Actor, name string) (web.Machine, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if m, ok := f.machines[name]; ok {
		return m, nil
	}
	return web.Machine{}, iap.Errorf("test", iap.NotFound, "there is no state machine %q", name)
}

func (f *flows) Save(_ context.Context, _ iap.Actor, s web.SaveMachine) (web.Machine, error) {
	if _, problems := asl.Parse(s.Text); len(problems) > 0 {
		return web.Machine{}, iap.FieldErrorf("test", "definition", "%v", problems[0])
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	old, there := f.machines[s.Name]
	if s.New == there || !s.New && old.Revision != s.Revision {
		return web.Machine{}, iap.Errorf("test", iap.Conflict, "the state machine was changed in the meantime")
	}
	m := web.Machine{Machine: workflow.Machine{Name: s.Name, Type: cmp.Or(s.Type, workflow.Standard), Status: workflow.MachineActive, Revision: iap.NewID(time.Now()),
		CreatedAt: f.now(), UpdatedAt: f.now()}, Text: s.Text}
	f.machines[s.Name] = m
	return m, nil
}

func (f *flows) Delete(_ context.Context, _ iap.Actor, name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.machines, name)
	return nil
}

func (f *flows) Start(ctx context.Context, _ iap.Actor, machine, name string, input json.RawMessage) (string, error) {
	m, err := f.Machine(ctx, iap.Actor{}, machine)
	if err != nil {
		return "", err
	}
	id := iap.NewID(time.Now())
	x := &flow{Execution: web.Execution{Execution: workflow.Execution{ID: id, Name: cmp.Or(name, id), Input: input, StartedAt: f.now()}, Machine: machine, Text: m.Text}}
	f.run(x)
	f.mu.Lock()
	f.executions[id] = x
	f.mu.Unlock()
	return id, f.changed(id)
}

// run runs a whole execution; a task named in its input's "fail" fails.
func (f *flows) run(x *flow) {
	m, _ := asl.Parse(x.Text)
	result, err := engine.Run(context.Background(), m, value.MustText(string(x.Input)), engine.Options{Clock: engine.Virtual, Start: x.StartedAt, History: true,
		Task: func(_ context.Context, t asl.ScheduleTask) engine.Answer {
			var in struct {
				Fail string `json:"fail"`
			}
			_ = json.Unmarshal(x.Input, &in) // no object: nothing fails
			if in.Fail == t.State && f.broken {
				return engine.Fail("Shop.Closed", "It opens at nine.")
			}
			return engine.Answer{Output: value.MustText(`{"ok": true, "seconds_left": 900, "left": 0, "upstream": "http://127.0.0.1:1"}`), After: 700 * time.Millisecond}
		}})
	if err != nil {
		panic(err)
	}
	x.events = nil
	for _, e := range result.Events {
		b, _ := json.Marshal(e)
		x.events = append(x.events, workflow.HistoryEvent{Execution: x.ID, Number: e.ID, Previous: e.PreviousEventID, Type: e.Type, Time: e.Timestamp, Details: b})
	}
	x.Status, x.EndedAt, x.Output = workflow.Status(result.Status), result.EndedAt, json.RawMessage(result.Output.String())
	if result.Error != nil {
		x.Error, x.Cause = *result.Error, *result.Cause
	}
	x.Redrivable = x.Status == workflow.Failed
	x.shown = len(x.events)
}

// rewind shows an execution as it was after some of its events; forward as it is.
func (f *flows) rewind(id string, shown int) error {
	f.mu.Lock()
	f.executions[id].shown = shown
	f.mu.Unlock()
	return f.changed(id)
}

func (f *flows) changed(id string) error {
	return f.log.Append(context.Background(), &event.Event{Source: "/executions", Type: event.ExecutionChanged, Subject: id, Group: id,
		Owner: event.AdminsOnly, Time: f.now(), Data: json.RawMessage(`{}`)})
}

func (f *flows) Executions(_ context.Context, _ iap.Actor, w workflow.ExecutionFilter) ([]workflow.ExecutionItem, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []workflow.ExecutionItem
	for _, id := range slices.Backward(slices.Sorted(maps.Keys(f.executions))) {
		x := f.executions[id].now()
		if w.MapRun != x.MapRun || w.Machine != "" && w.Machine != x.Machine || w.Status != "" && w.Status != x.Status || !strings.HasPrefix(x.Name, w.Prefix) ||
			!w.From.IsZero() && x.StartedAt.Before(w.From) || !w.To.IsZero() && !x.StartedAt.Before(w.To) || w.Before != "" && x.ID >= w.Before || len(out) == w.Limit {
			continue
		}
		out = append(out, workflow.ExecutionItem{ID: x.ID, Name: x.Name, Machine: x.Machine, Status: x.Status, StartedAt: x.StartedAt, EndedAt: x.EndedAt})
	}
	return out, nil
}

func (x *flow) now() web.Execution {
	e := x.Execution
	e.Events = int64(x.shown)
	if x.shown < len(x.events) {
		e.Status, e.EndedAt, e.Output, e.Error, e.Cause, e.Redrivable = workflow.Running, time.Time{}, nil, "", "", false
	}
	return e
}

func (f *flows) Execution(_ context.Context, _ iap.Actor, id string) (web.Execution, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if x, ok := f.executions[id]; ok {
		return x.now(), nil
	}
	return web.Execution{}, iap.Errorf("test", iap.NotFound, "there is no execution %q", id)
}

func (f *flows) History(_ context.Context, _ iap.Actor, id string, after int64, limit int) ([]workflow.HistoryEvent, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	x := f.executions[id]
	from := min(int(after), x.shown)
	return x.events[from:min(from+limit, x.shown)], nil
}

func (f *flows) Stop(_ context.Context, _ iap.Actor, id, cause string) error {
	f.mu.Lock()
	x := f.executions[id]
	n := int64(x.shown)
	b, _ := json.Marshal(map[string]any{"executionAbortedEventDetails": map[string]string{"cause": cause}})
	x.events = append(x.events[:n:n], workflow.HistoryEvent{Execution: id, Number: n + 1, Previous: n, Type: "ExecutionAborted", Time: f.now(), Details: b})
	x.shown, x.Status, x.EndedAt, x.Cause, x.Redrivable = len(x.events), workflow.Aborted, f.now(), cause, true
	f.mu.Unlock()
	return f.changed(id)
}

// Redrive runs all of it again, with tasks that no longer fail: what a history
// of it looks like is the engine's affair.
func (f *flows) Redrive(_ context.Context, _ iap.Actor, id string) error {
	f.mu.Lock()
	x := f.executions[id]
	f.broken = false
	before := x.events
	f.run(x)
	for i := range x.events {
		x.events[i].Number += int64(len(before))
		if x.events[i].Previous > 0 {
			x.events[i].Previous += int64(len(before))
		}
	}
	x.events = append(before, x.events...)
	x.shown = len(x.events)
	x.Error, x.Cause = "", ""
	f.mu.Unlock()
	return f.changed(id)
}

func (f *flows) Tasks() []web.TaskDoc {
	return []web.TaskDoc{{Resource: "arn:iap:states:::http:invoke", Title: "Call a URL", Summary: "Sends a request and gives its answer.", Integrations: []string{""},
		Arguments: []web.TaskField{{Name: "ApiEndpoint", Type: "string", Required: true, Text: "The URL."}}, Result: []web.TaskField{{Name: "StatusCode", Type: "number", Text: "Of the answer."}},
		Errors: []web.TaskField{{Name: "States.Http.Socket", Text: "The host does not answer."}}, Example: `{"Type":"Task","Resource":"arn:iap:states:::http:invoke","Arguments":{"ApiEndpoint":"https://example.com"}}`}}
}

const orderMachine = `{
  "Comment": "An order, from the click to the parcel.",
  "StartAt": "Reserve",
  "States": {
    "Reserve": {
      "Type": "Task",
      "Resource": "arn:iap:states:::http:invoke",
      "Parameters": { "ApiEndpoint": "https://stock.example.com/reserve", "Method": "POST" },
      "Retry": [{ "ErrorEquals": ["States.ALL"], "MaxAttempts": 2 }],
      "Catch": [{ "ErrorEquals": ["Shop.Gone"], "Next": "Sorry" }],
      "ResultPath": "$.reserved",
      "Next": "Paid?"
    },
    "Paid?": {
      "Type": "Choice",
      "Choices": [{ "Variable": "$.paid", "IsPresent": true, "Next": "Prepare" }],
      "Default": "Wait for money"
    },
    "Wait for money": { "Type": "Wait", "Seconds": 3600, "Next": "Prepare" },
    "Prepare": {
      "Type": "Parallel",
      "Branches": [
        { "StartAt": "Print invoice", "States": { "Print invoice": { "Type": "Task", "Resource": "arn:iap:states:::http:invoke", "End": true } } },
        { "StartAt": "Pack each", "States": {
          "Pack each": {
            "Type": "Map", "ItemsPath": "$.items",
            "ItemProcessor": { "StartAt": "Pick", "States": {
              "Pick": { "Type": "Task", "Resource": "arn:iap:states:::http:invoke", "Catch": [{ "ErrorEquals": ["States.ALL"], "Next": "Order more" }], "Next": "Put in" },
              "Order more": { "Type": "Pass", "End": true },
              "Put in": { "Type": "Pass", "End": true }
            } },
            "End": true
          }
        } }
      ],
      "ResultPath": "$.parcel",
      "Next": "Send"
    },
    "Send": { "Type": "Task", "Resource": "arn:iap:states:::http:invoke", "Parameters": { "ApiEndpoint": "https://parcels.example.com" }, "End": true },
    "Sorry": { "Type": "Fail", "Error": "Shop.Gone", "Cause": "There is none left." }
  }
}
`

// exampleFlows puts a day's state machines and executions into f.
func exampleFlows(f *flows) map[string]string {
	ctx, actor := context.Background(), iap.Actor{ID: me, Role: iap.Admin}
	must := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	save := func(name, text string) {
		_, err := f.Save(ctx, actor, web.SaveMachine{Name: name, Text: []byte(text), New: true})
		must(err)
	}
	save("order", orderMachine)
	save("nightly-sweep", `{"StartAt":"List","States":{"List":{"Type":"Task","Resource":"arn:iap:states:::instance:list","Next":"Each"},"Each":{"Type":"Map","ItemProcessor":{"StartAt":"Destroy","States":{"Destroy":{"Type":"Task","Resource":"arn:iap:states:::instance:destroy","End":true}}},"End":true}}}`)
	m := f.machines["order"]
	m.Versions = []workflow.Version{{Machine: "order", Number: 2, Description: "With parcels", CreatedAt: f.now()}, {Machine: "order", Number: 1, CreatedAt: f.now()}}
	m.Aliases = []workflow.Alias{{Machine: "order", Name: "live", Routes: []workflow.Route{{Version: 2, Weight: 10}, {Version: 1, Weight: 90}}, UpdatedAt: f.now()}}
	f.machines["order"] = m
	ids := map[string]string{}
	start := func(name, input string, broken bool) {
		f.broken = broken
		id, err := f.Start(ctx, actor, "order", name, json.RawMessage(input))
		must(err)
		ids[name] = id
	}
	items := strings.TrimSuffix(strings.Repeat(`{"article": 7},`, 6), ",")
	start("order-done", `{"paid": true, "items": [`+items+`]}`, false)
	start("order-failed", `{"paid": true, "fail": "Send", "items": [`+items+`]}`, true)
	start("order-caught", `{"paid": true, "fail": "Pick", "items": [`+items+`]}`, true)
	start("order-running", `{"paid": true, "items": [`+items+`]}`, false)
	must(f.rewind(ids["order-running"], 26))
	return ids
}

// lifecycle gives an instance an execution of the real lifecycle, which holds.
func (f *flows) lifecycle(i *instance.Instance) {
	text := string(instance.LifecycleDefinition)
	if _, ok := f.machines[instance.LifecycleName]; !ok {
		f.machines[instance.LifecycleName] = web.Machine{Machine: workflow.Machine{Name: instance.LifecycleName, Type: workflow.Standard, ReadOnly: true, UpdatedAt: f.now()}, Text: []byte(text)}
	}
	x := &flow{Execution: web.Execution{Execution: workflow.Execution{ID: i.Execution, Name: i.ID, Input: json.RawMessage(`{"instance":"` + i.ID + `"}`), StartedAt: i.CreatedAt},
		Machine: instance.LifecycleName, Text: []byte(text)}}
	f.run(x)
	for n, e := range x.events {
		if strings.Contains(string(e.Details), `"name":"Hold"`) {
			x.shown = n + 2
			break
		}
	}
	f.executions[i.Execution] = x
}

// long starts an execution with many iterations.
func (f *flows) long(t testing.TB, n int) string {
	t.Helper()
	items := make([]string, n)
	for i := range items {
		items[i] = fmt.Sprintf(`{"article": %d}`, i)
	}
	id, err := f.Start(t.Context(), iap.Actor{ID: me}, "order", fmt.Sprintf("long-%d", n), json.RawMessage(`{"paid": true, "items": [`+strings.Join(items, ",")+`]}`))
	if err != nil {
		t.Fatal(err)
	}
	return id
}
