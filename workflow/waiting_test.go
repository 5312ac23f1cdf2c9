package workflow_test

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/workflow"
)

// waits waits for a token, for at most a year.
const waits = `{"StartAt":"Hold","States":{
 "Hold":{"Type":"Task","Resource":"arn:iap:states:::test:hold.waitForTaskToken","TimeoutSeconds":31536000,"Next":"After"},
 "After":{"Type":"Succeed"}}}`

var holding = map[string]workflow.Handler{"test:hold": {Commit: noop}}

// TestTimerOfAYear: the time comes for whoever runs by then, and not before.
func TestTimerOfAYear(t *testing.T) {
	const day = 24 * time.Hour
	path := filepath.Join(t.TempDir(), "iap.db")
	first := newFixture(t, openURL(t, path), "one", holding)
	id := first.start(t, waits, `{}`)
	first.cancel()
	if err := first.db.Close(); err != nil {
		t.Fatal(err)
	}
	db := openURL(t, path)
	second := newFixture(t, db, "two", holding)
	second.clock.Add((365*day - time.Second).Milliseconds())
	second.Wake()
	// Something else that is due comes first, so that the timer was looked at.
	second.wait(t, second.start(t, `{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":0,"End":true}}}`, `{}`))
	if x, err := db.Execution(t.Context(), id); err != nil || x.Status != workflow.Running {
		t.Fatalf("a second before its time: %s, %v", x.Status, err)
	}
	second.clock.Add(time.Second.Milliseconds())
	second.Wake()
	if x := second.wait(t, id); x.Status != workflow.Failed || x.Error != "States.Timeout" {
		t.Errorf("when the time was up: %s %s", x.Status, x.Error)
	}
}

// TestWaitingCostsNoGoroutine: however many executions wait, nobody waits with
// them.
func TestWaitingCostsNoGoroutine(t *testing.T) {
	f := newFixture(t, newDB(t), "one", holding)
	f.start(t, waits, `{}`)
	settled := runtime.NumGoroutine()
	m, err := f.PutStateMachine(t.Context(), "test", []byte(waits), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	const many = 500
	err = f.Tx.Update(t.Context(), func(ctx context.Context) error {
		for n := range many {
			r := workflow.StartRequest{StateMachine: m, Name: fmt.Sprint("w", n), Input: json.RawMessage(`{}`)}
			if _, err := f.StartExecution(ctx, r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// Those that ended a moment ago may still be counted.
	for runtime.NumGoroutine() > settled+many/10 {
		if t.Context().Err() != nil {
			t.Fatalf("%d goroutines for %d executions that wait", runtime.NumGoroutine()-settled, many)
		}
		runtime.Gosched()
	}
}
