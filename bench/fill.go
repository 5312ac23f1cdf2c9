package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/hostname"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/job"
	"github.com/internal-app-portal/iap/store"
	"github.com/internal-app-portal/iap/workflow"
)

// What one life leaves behind, about.
const (
	historyOfLife = 45
	batch         = 250 // lives in a commit
	people        = 200
)

// filler puts past lives into a database.
type filler struct {
	db      *store.DB
	machine string
	rand    *rand.Rand
	apps    []string
}

// fill puts n ended instances into the database of a portal that does not run,
// each with its jobs, events, execution and history.
func fill(ctx context.Context, data string, n int) error {
	db, err := openStore(ctx, data)
	if err != nil {
		return err
	}
	defer db.Close()
	f := filler{db: db, rand: rand.New(rand.NewPCG(1, 2)), apps: []string{"todo", "whiteboard", "inspector"}}
	m := workflow.StateMachine{ID: "bench", Name: "bench", Definition: []byte(`{"StartAt":"End","States":{"End":{"Type":"Succeed"}}}`)}
	if err := db.PutStateMachine(ctx, m); err != nil {
		return err
	}
	f.machine = m.ID
	begin := time.Now().UTC().Truncate(time.Millisecond).Add(-time.Duration(n) * time.Minute)
	for from := 0; from < n; from += batch {
		err := db.Update(ctx, func(ctx context.Context) error {
			for k := from; k < min(from+batch, n); k++ {
				if err := f.life(ctx, k, begin.Add(time.Duration(k)*time.Minute)); err != nil {
					return fmt.Errorf("instance %d: %w", k, err)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// life puts one instance in.
func (f filler) life(ctx context.Context, n int, at time.Time) error {
	app := f.apps[n%len(f.apps)]
	i := instance.Instance{ID: iap.NewID(at), App: app, Version: 1, Owner: fmt.Sprintf("person-%d", n%people),
		HostName: hostname.Generate(f.rand.IntN, app), Status: instance.Destroyed, Execution: iap.NewID(at),
		CreatedAt: at, ReadyAt: at.Add(2 * time.Second), TimeLimitAt: at.Add(8 * time.Hour), EndedAt: at.Add(time.Minute),
		EndedBy: "local", EndReason: "destroyed by its owner", Receipt: &instance.Receipt{At: at.Add(time.Minute), Left: []instance.Resource{}}}
	if err := f.db.InsertInstance(ctx, i); err != nil {
		return err
	}
	for _, kind := range []job.Kind{job.Apply, job.Destroy} {
		j := job.Job{ID: iap.NewID(at), Instance: i.ID, App: app, Version: 1, Owner: i.Owner, Kind: kind, Status: job.Succeeded,
			Steps:     []job.Step{{Name: string(kind), StartedAt: at, EndedAt: at.Add(time.Second)}, {Name: "outputs", StartedAt: at, EndedAt: at}},
			CreatedAt: at, StartedAt: at, EndedAt: at.Add(time.Second)}
		if err := f.db.InsertJob(ctx, j); err != nil {
			return err
		}
		if err := f.events(ctx, event.JobChanged, j.ID, i, 4, j); err != nil {
			return err
		}
	}
	if err := f.events(ctx, event.InstanceChanged, i.ID, i, 6, i.Snapshot()); err != nil {
		return err
	}
	return f.execution(ctx, i)
}

func (f filler) events(ctx context.Context, kind, subject string, i instance.Instance, n int, data any) error {
	text, err := json.Marshal(data)
	if err != nil {
		return err
	}
	all := make([]*event.Event, n)
	for k := range all {
		all[k] = &event.Event{ID: iap.NewID(i.CreatedAt), Source: "/instances", Type: kind, Subject: subject, Time: i.CreatedAt,
			Owner: i.Owner, Group: i.ID, Data: text}
	}
	return f.db.AppendEvents(ctx, all...)
}

func (f filler) execution(ctx context.Context, i instance.Instance) error {
	input, err := json.Marshal(i.Snapshot())
	if err != nil {
		return err
	}
	x := workflow.Execution{ID: i.Execution, Name: i.Execution, StateMachine: f.machine, Status: workflow.Succeeded,
		Input: input, Output: input, Version: 20, StartedAt: i.CreatedAt, EndedAt: i.EndedAt}
	if err := f.db.InsertExecution(ctx, x); err != nil {
		return err
	}
	history := make([]workflow.HistoryEvent, historyOfLife)
	for k := range history {
		history[k] = workflow.HistoryEvent{Execution: x.ID, Number: int64(k + 1), Previous: int64(k), Type: "TaskStateEntered",
			Time: i.CreatedAt, Details: input}
	}
	return f.db.AppendHistory(ctx, history...)
}
