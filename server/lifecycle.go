package server

import (
	"context"
	"encoding/json"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/web"
	"github.com/internal-app-portal/iap/workflow"
)

// lifecycle tells the pages where an instance is in its state machine: what
// its history says of each state of the definition.
type lifecycle struct {
	engine *workflow.Engine
	store  workflow.Store
}

// maxHistory bounds the history that is read for a page.
const maxHistory = 25_000

// Lifecycle implements web.Lifecycle. An instance's execution has its ID.
func (l lifecycle) Lifecycle(ctx context.Context, id string) ([]web.State, json.RawMessage, error) {
	def, err := l.engine.Definition(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	m, problems := asl.Parse(def.Definition)
	if m == nil {
		return nil, nil, iap.Errorf("server.Lifecycle", iap.Internal, "the stored definition has %d problems", len(problems))
	}
	history, err := l.store.History(ctx, id, 0, maxHistory)
	if err != nil {
		return nil, nil, err
	}
	var out []web.State
	at := map[string]int{}
	for _, s := range m.Root().States {
		at[s.Name] = len(out)
		out = append(out, web.State{Name: s.Name, Type: string(s.Type), Status: "pending"})
	}
	for _, e := range history {
		mark(out, at, e)
	}
	return out, def.Definition, nil
}

// mark notes what one event says of the state that it names. A state that is
// entered again begins anew.
func mark(states []web.State, at map[string]int, e workflow.HistoryEvent) {
	var d struct {
		Entered struct{ Name string } `json:"stateEnteredEventDetails"`
		Exited  struct{ Name string } `json:"stateExitedEventDetails"`
	}
	if json.Unmarshal(e.Details, &d) != nil {
		return
	}
	if i, ok := at[d.Entered.Name]; ok && d.Entered.Name != "" {
		states[i].Status, states[i].EnteredAt, states[i].ExitedAt = "active", e.Time, time.Time{}
	}
	if i, ok := at[d.Exited.Name]; ok && d.Exited.Name != "" {
		states[i].Status, states[i].ExitedAt = "done", e.Time
	}
}
