package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/workflow"
)

const (
	// waitingOnes is how many executions wait in the portal's database.
	waitingOnes = 100_000
	// waitsFor is what they wait for: a token, for a year at most.
	waitsFor = `{"StartAt":"Hold","States":{"Hold":{"Type":"Task","Resource":"arn:iap:states:::http:invoke.waitForTaskToken",
		"Arguments":{"url":"http://localhost"},"TimeoutSeconds":31536000,"End":true}},"QueryLanguage":"JSONata"}`

	wantWaitingMemory = 100  // MB
	wantWaitingStart  = 1000 // ms
)

// measureWaiting starts the portal with executions that wait: how long it takes,
// and what memory it has then.
func (b *bench) measureWaiting(ctx context.Context, out *Part) error {
	data, err := b.seededFolder(ctx, "waiting")
	if err != nil {
		return err
	}
	defer os.RemoveAll(data)
	n := b.times(waitingOnes, waitingOnes/10)
	b.say("  starting %d executions that wait", n)
	if err := startWaiting(ctx, data, n); err != nil {
		return err
	}
	var took []float64
	for range b.times(10, 2) {
		p, err := b.startPortal(ctx, data)
		if err != nil {
			return err
		}
		took = append(took, millis(p.took))
		if err := p.stop(); err != nil {
			return err
		}
	}
	start := compare("100,000 waiting executions: start of the portal → /readyz answers 200", "ms", took, "", nil, 0)
	start.Checks = []Check{atMost("p95", start.Portal.P95, wantWaitingStart)}
	if n < waitingOnes {
		start.Note = fmt.Sprintf("a quick run, with %d executions.", n)
	}
	p, err := b.startPortal(ctx, data)
	if err != nil {
		return err
	}
	defer p.remove()
	m, err := p.settled(ctx)
	if err != nil {
		return err
	}
	out.Figures = append(out.Figures, start, m.figure("100,000 waiting executions: memory (RSS) of the portal", wantWaitingMemory))
	return nil
}

// startWaiting starts executions in the database of a portal that does not run,
// with an engine that does not call what they wait for.
func startWaiting(ctx context.Context, data string, n int) error {
	db, err := openStore(ctx, data)
	if err != nil {
		return err
	}
	defer db.Close()
	log := event.NewLog(db)
	if err := log.Start(ctx); err != nil {
		return err
	}
	defer func() { _ = log.Stop(ctx) }()
	e := workflow.New(workflow.Config{Store: db, Tx: db, Log: log, Now: db.Now, Owner: "bench", Handlers: map[string]workflow.Handler{
		"http:invoke": {Commit: func(context.Context, workflow.Call) (json.RawMessage, error) { return json.RawMessage("{}"), nil }}}})
	if err := e.Start(ctx); err != nil {
		return err
	}
	defer func() { _ = e.Stop(ctx) }()
	id, err := e.PutStateMachine(ctx, "waits", []byte(waitsFor), time.Now())
	if err != nil {
		return err
	}
	const atOnce = 1000
	for from := 0; from < n; from += atOnce {
		err := db.Update(ctx, func(ctx context.Context) error {
			for i := from; i < min(from+atOnce, n); i++ {
				r := workflow.StartRequest{StateMachine: id, Name: fmt.Sprint(i), Input: json.RawMessage(`{"app":"todo"}`)}
				if _, err := e.StartExecution(ctx, r); err != nil {
					return err
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
