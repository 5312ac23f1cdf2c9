package server

import (
	"cmp"
	"context"
	"encoding/json"
	"strings"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/web"
	"github.com/internal-app-portal/iap/workflow"
)

// lifecycle tells the pages where an instance is in its state machine: what
// its history says of each state of the definition.
type lifecycle struct {
	engine *workflow.Engine
	store  interface {
		workflow.Store
		instance.Store
	}
}

// holdResource is the task at which an instance waits for its end.
const holdResource = "hold.waitForTaskToken"

// maxHistory bounds the history that is read for a page.
const maxHistory = 25_000

// Lifecycle implements web.Lifecycle.
func (l lifecycle) Lifecycle(ctx context.Context, id string) ([]web.State, json.RawMessage, error) {
	i, err := l.store.Instance(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	def, err := l.engine.Definition(ctx, i.Execution)
	if err != nil {
		return nil, nil, err
	}
	m, problems := asl.Parse(def.Definition)
	if m == nil {
		return nil, nil, iap.Errorf("server.Lifecycle", iap.Internal, "the stored definition has %d problems", len(problems))
	}
	history, err := l.store.History(ctx, i.Execution, 0, maxHistory)
	if err != nil {
		return nil, nil, err
	}
	var out []web.State
	at := map[string]int{}
	for _, s := range m.Root().States {
		at[s.Name] = len(out)
		out = append(out, web.State{Name: s.Name, Type: string(s.Type), Status: "pending"})
	}
	w := walk{states: out, at: at}
	for _, e := range history {
		w.take(e)
	}
	return out, def.Definition, nil
}

// walk follows a history through the states of a definition.
type walk struct {
	states []web.State
	at     map[string]int // places in states by name
	in     string         // the state entered last, of the definition or of a branch in it
}

// details are what is read of an event's.
type details struct{ Name, Error, Resource string }

// read returns the details of an event, which are under a key of its type.
func read(e workflow.HistoryEvent) details {
	var all map[string]json.RawMessage
	var d details
	if json.Unmarshal(e.Details, &all) == nil {
		_ = json.Unmarshal(all[asl.DetailsKey(e.Type)], &d) // none: some types have no details
	}
	return d
}

// take notes what one event says. A state that is entered again begins anew.
func (w *walk) take(e workflow.HistoryEvent) {
	d := read(e)
	switch {
	case strings.HasSuffix(e.Type, "StateEntered"):
		w.in = d.Name
		if s := w.state(d.Name); s != nil {
			s.Status, s.EnteredAt, s.ExitedAt, s.Note = "active", e.Time, time.Time{}, ""
		}
	case strings.HasSuffix(e.Type, "StateExited"):
		if s := w.state(d.Name); s != nil {
			s.ExitedAt = e.Time
			if s.Status = "done"; s.Note != "" {
				s.Status = "failed"
			}
		}
	case strings.HasPrefix(e.Type, "Execution"):
		w.broken(e, d)
	case strings.HasSuffix(e.Type, "Failed"), strings.HasSuffix(e.Type, "TimedOut"):
		// The end of the time of an instance is no failure.
		if s := w.state(w.in); s != nil && d.Resource != holdResource {
			s.Note = cmp.Or(d.Error, e.Type)
		}
	case strings.HasSuffix(e.Type, "Scheduled"), strings.HasSuffix(e.Type, "Succeeded"): // tried again
		if s := w.state(w.in); s != nil {
			s.Note = ""
		}
	}
}

// broken notes the end of the execution: a state that it stopped in failed.
func (w *walk) broken(e workflow.HistoryEvent, d details) {
	if e.Type == "ExecutionStarted" || e.Type == "ExecutionSucceeded" {
		return
	}
	for i := range w.states {
		if s := &w.states[i]; s.Status == "active" {
			s.Status, s.ExitedAt, s.Note = "failed", e.Time, cmp.Or(s.Note, d.Error, e.Type)
		}
	}
}

// state returns a state of the definition; nil for those of branches.
func (w *walk) state(name string) *web.State {
	if i, ok := w.at[name]; ok {
		return &w.states[i]
	}
	return nil
}
