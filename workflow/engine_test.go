package workflow_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/store"
	"github.com/internal-app-portal/iap/workflow"
)

// fixture is an engine on a real database with a clock that the test moves.
type fixture struct {
	*workflow.Engine
	db     *store.DB
	clock  *atomic.Int64 // Unix milliseconds
	ended  chan string   // IDs of executions that ended
	cancel context.CancelFunc
}

func newDB(t *testing.T) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func newFixture(t *testing.T, db *store.DB, owner string, handlers map[string]workflow.Handler) *fixture {
	t.Helper()
	f := &fixture{db: db, clock: &atomic.Int64{}, ended: make(chan string, 100)}
	f.clock.Store(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixMilli())
	log := event.NewLog(db)
	if err := log.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	sub := log.Subscribe(log.Last())
	go f.follow(ctx, sub)
	f.Engine = workflow.New(workflow.Config{Store: db, Tx: db, Log: log, Owner: owner, Handlers: handlers,
		Now: func() time.Time { return time.UnixMilli(f.clock.Load()).UTC() }})
	if err := f.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.cancel = func() { _ = f.Stop(context.Background()); cancel(); _ = log.Stop(context.Background()) }
	t.Cleanup(f.cancel)
	return f
}

// follow reports executions that ended.
func (f *fixture) follow(ctx context.Context, sub *event.Subscription) {
	for {
		events, err := sub.Next(ctx)
		if err != nil {
			return
		}
		for _, e := range events {
			var d struct{ Status workflow.Status }
			if json.Unmarshal(e.Data, &d) == nil && d.Status != workflow.Running {
				f.ended <- e.Subject
			}
		}
	}
}

func (f *fixture) start(t *testing.T, definition, input string) string {
	t.Helper()
	m, err := f.PutStateMachine(t.Context(), "test", []byte(definition), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	x, err := f.StartExecution(t.Context(), workflow.StartRequest{StateMachine: m, Input: json.RawMessage(input)})
	if err != nil {
		t.Fatal(err)
	}
	return x.ID
}

func (f *fixture) wait(t *testing.T, id string) workflow.Execution {
	t.Helper()
	for {
		select {
		case got := <-f.ended:
			if got != id {
				continue
			}
		case <-t.Context().Done():
			t.Fatal("the execution did not end")
		}
		x, err := f.db.Execution(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
}

const twoTasks = `{"StartAt":"A","States":{
 "A":{"Type":"Task","Resource":"arn:iap:states:::test:now","Parameters":{"n.$":"$.n"},"ResultPath":"$.a","Next":"B"},
 "B":{"Type":"Task","Resource":"arn:iap:states:::test:later","Parameters":{"n.$":"$.a.n"},"End":true}}}`

func TestTasksInAndAfterTheCommit(t *testing.T) {
	add := func(_ context.Context, c workflow.Call) (json.RawMessage, error) {
		var a struct{ N int }
		if err := json.Unmarshal(c.Arguments, &a); err != nil {
			return nil, err
		}
		return json.Marshal(map[string]int{"n": a.N + 1})
	}
	f := newFixture(t, newDB(t), "one", map[string]workflow.Handler{"test:now": {Commit: add}, "test:later": {Run: add}})
	x := f.wait(t, f.start(t, twoTasks, `{"n":1}`))
	if x.Status != workflow.Succeeded || string(x.Output) != `{"n":3}` {
		t.Errorf("got %s %s %s: %s", x.Status, x.Output, x.Error, x.Cause)
	}
	history, err := f.db.History(t.Context(), x.ID, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range history {
		if e.Number != int64(i+1) {
			t.Errorf("event %d has number %d", i+1, e.Number)
		}
	}
	if last := history[len(history)-1].Type; last != "ExecutionSucceeded" {
		t.Errorf("the last event is %s", last)
	}
}

func TestARolledBackStartLeavesNothing(t *testing.T) {
	called := make(chan struct{}, 1)
	f := newFixture(t, newDB(t), "one", map[string]workflow.Handler{
		"test:now":   {Commit: func(context.Context, workflow.Call) (json.RawMessage, error) { return json.RawMessage(`{"n":1}`), nil }},
		"test:later": {Run: func(context.Context, workflow.Call) (json.RawMessage, error) { called <- struct{}{}; return nil, nil }},
	})
	m, err := f.PutStateMachine(t.Context(), "test", []byte(twoTasks), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	no := errors.New("no")
	err = f.db.Update(t.Context(), func(ctx context.Context) error {
		if _, err := f.StartExecution(ctx, workflow.StartRequest{StateMachine: m, Input: json.RawMessage(`{"n":1}`)}); err != nil {
			return err
		}
		return no
	})
	if !errors.Is(err, no) {
		t.Fatalf("got %v", err)
	}
	f.cancel()
	if len(called) != 0 {
		t.Error("the task of a rolled back execution was called")
	}
	left, err := f.db.Executions(t.Context(), "", "", 10)
	if err != nil || len(left) != 0 {
		t.Errorf("%d executions are there, %v", len(left), err)
	}
}

const hold = `{"StartAt":"Hold","States":{
 "Hold":{"Type":"Task","Resource":"arn:iap:states:::test:hold.waitForTaskToken","TimeoutSeconds":3600,"End":true,
   "Catch":[{"ErrorEquals":["States.Timeout"],"ResultPath":null,"Next":"Late"}]},
 "Late":{"Type":"Pass","Result":"late","End":true}}}`

func submit(context.Context, workflow.Call) (json.RawMessage, error) { return nil, nil }

func TestATokenIsTakenOnce(t *testing.T) {
	f := newFixture(t, newDB(t), "one", map[string]workflow.Handler{"test:hold": {Commit: submit}})
	id := f.start(t, hold, `{}`)
	waiting, err := f.Awaits(t.Context(), id)
	if err != nil || len(waiting) != 1 || waiting[0].State != "Hold" {
		t.Fatalf("got %+v, %v", waiting, err)
	}
	if err := f.Succeed(t.Context(), waiting[0].Token, "done"); err != nil {
		t.Fatal(err)
	}
	if x := f.wait(t, id); string(x.Output) != `"done"` {
		t.Errorf("got output %s", x.Output)
	}
	if err := f.Succeed(t.Context(), waiting[0].Token, "again"); !errors.Is(err, workflow.ErrStale) {
		t.Errorf("a second answer gave %v", err)
	}
}

func TestATimeoutFiresAfterARestart(t *testing.T) {
	db := newDB(t)
	handlers := map[string]workflow.Handler{"test:hold": {Commit: submit}}
	f := newFixture(t, db, "one", handlers)
	id := f.start(t, hold, `{}`)
	f.cancel()
	g := newFixture(t, db, "two", handlers)
	g.clock.Add((time.Hour + time.Second).Milliseconds())
	g.Wake()
	if x := g.wait(t, id); string(x.Output) != `"late"` {
		t.Errorf("got output %s, error %s", x.Output, x.Error)
	}
}

const later = `{"StartAt":"B","States":{"B":{"Type":"Task","Resource":"arn:iap:states:::test:later","End":true}}}`

func TestACallCutOffIsMadeAgain(t *testing.T) {
	db := newDB(t)
	begun := make(chan struct{})
	f := newFixture(t, db, "one", map[string]workflow.Handler{"test:later": {
		Run: func(ctx context.Context, _ workflow.Call) (json.RawMessage, error) {
			close(begun)
			<-ctx.Done()
			return nil, context.Cause(ctx)
		}}})
	id := f.start(t, later, `{}`)
	<-begun
	f.cancel()
	g := newFixture(t, db, "two", map[string]workflow.Handler{"test:later": {
		Run: func(context.Context, workflow.Call) (json.RawMessage, error) { return json.RawMessage(`"again"`), nil }}})
	if x := g.wait(t, id); string(x.Output) != `"again"` {
		t.Errorf("got %s %s", x.Status, x.Output)
	}
}

func TestFailingACallFromOutsideCutsItOff(t *testing.T) {
	begun, cut := make(chan struct{}), make(chan struct{})
	f := newFixture(t, newDB(t), "one", map[string]workflow.Handler{"test:later": {
		Run: func(ctx context.Context, _ workflow.Call) (json.RawMessage, error) {
			close(begun)
			<-ctx.Done()
			close(cut)
			return nil, context.Cause(ctx)
		}}})
	id := f.start(t, later, `{}`)
	<-begun
	waiting, err := f.Awaits(t.Context(), id)
	if err != nil || len(waiting) != 1 {
		t.Fatalf("got %+v, %v", waiting, err)
	}
	if err := f.Fail(t.Context(), waiting[0].Token, "Test.Ended", "enough"); err != nil {
		t.Fatal(err)
	}
	<-cut
	if x := f.wait(t, id); x.Status != workflow.Failed || x.Error != "Test.Ended" {
		t.Errorf("got %s %s", x.Status, x.Error)
	}
}

func TestAPanicFailsTheTaskAlone(t *testing.T) {
	f := newFixture(t, newDB(t), "one", map[string]workflow.Handler{"test:later": {
		Run: func(context.Context, workflow.Call) (json.RawMessage, error) { panic("oh") }}})
	if x := f.wait(t, f.start(t, later, `{}`)); x.Status != workflow.Failed || x.Error != "Portal.Fault" {
		t.Errorf("got %s %s", x.Status, x.Error)
	}
}

func TestManyBranchesAtOnce(t *testing.T) {
	const branches = 40 // more than one commit takes
	var all []string
	for n := range branches {
		all = append(all, fmt.Sprintf(`{"StartAt":"T%[1]d","States":{"T%[1]d":{"Type":"Task","Resource":"arn:iap:states:::test:now","End":true}}}`, n))
	}
	f := newFixture(t, newDB(t), "one", map[string]workflow.Handler{"test:now": {
		Commit: func(context.Context, workflow.Call) (json.RawMessage, error) { return json.RawMessage(`1`), nil }}})
	x := f.wait(t, f.start(t, `{"StartAt":"P","States":{"P":{"Type":"Parallel","End":true,"Branches":[`+strings.Join(all, ",")+`]}}}`, `{}`))
	if want := "[" + strings.TrimSuffix(strings.Repeat("1,", branches), ",") + "]"; string(x.Output) != want {
		t.Errorf("got %s %s", x.Status, x.Output)
	}
}

func TestALoopSharesTheDatabase(t *testing.T) {
	f := newFixture(t, newDB(t), "one", map[string]workflow.Handler{"test:hold": {Commit: submit}})
	loop := f.start(t, `{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"},
		"B":{"Type":"Choice","Choices":[{"Variable":"$.end","IsPresent":true,"Next":"C"}],"Default":"A"},"C":{"Type":"Succeed"}}}`, `{}`)
	if x := f.wait(t, f.start(t, `{"StartAt":"A","States":{"A":{"Type":"Pass","Result":1,"End":true}}}`, `{}`)); x.Status != workflow.Succeeded {
		t.Errorf("the other one is %s", x.Status)
	}
	if err := f.StopExecution(t.Context(), loop, "Test.Stop", "enough"); err != nil {
		t.Fatal(err)
	}
	if x := f.wait(t, loop); x.Status != workflow.Aborted {
		t.Errorf("the loop is %s", x.Status)
	}
}

// TestAHandlerMayAnswerItsOwnStep: what a cancelled task has answered in the
// step that cancels it is no news to that step.
func TestAHandlerMayAnswerItsOwnStep(t *testing.T) {
	var f *fixture
	f = newFixture(t, newDB(t), "one", map[string]workflow.Handler{"test:hold": {Commit: submit,
		Cancel: func(ctx context.Context, c workflow.Call) error {
			if err := f.Fail(ctx, c.Token, "Test.Cancelled", ""); !errors.Is(err, workflow.ErrStale) {
				t.Errorf("got %v", err)
			}
			return nil
		}}})
	id := f.start(t, hold, `{}`)
	if err := f.StopExecution(t.Context(), id, "Test.Stop", ""); err != nil {
		t.Fatal(err)
	}
	if x := f.wait(t, id); x.Status != workflow.Aborted {
		t.Errorf("got %s", x.Status)
	}
}
