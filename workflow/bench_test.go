package workflow_test

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/store"
	"github.com/internal-app-portal/iap/store/pgtest"
	"github.com/internal-app-portal/iap/workflow"
)

// rounds is how often a benchmark's execution goes round its loop, so that the
// start of an execution is a small part of what is measured.
const rounds = 100

// loop counts down from rounds. One round is Work (a task), Count (a Pass) and
// More (a Choice): three transitions.
var loop = fmt.Sprintf(`{"StartAt":"First","States":{
 "First":{"Type":"Pass","Result":{"n":%d,"app":"todo","host":"brave-otter-lamp-todo"},"Next":"Work"},
 "Work":{"Type":"Task","Resource":"arn:iap:states:::test:noop","Parameters":{"n.$":"$.n"},"ResultPath":null,"Next":"Count"},
 "Count":{"Type":"Pass","Parameters":{"n.$":"States.MathAdd($.n, -1)","app.$":"$.app","host.$":"$.host"},"Next":"More"},
 "More":{"Type":"Choice","Choices":[{"Variable":"$.n","NumericGreaterThan":0,"Next":"Work"}],"Default":"Done"},
 "Done":{"Type":"Succeed"}}}`, rounds)

// tasks is a chain of tasks and nothing else, gone round as often.
var tasks = fmt.Sprintf(`{"StartAt":"Work","States":{
 "Work":{"Type":"Task","Resource":"arn:iap:states:::test:noop","ResultPath":"$.r","Retry":[{"ErrorEquals":["More"],"IntervalSeconds":1,"MaxAttempts":3}],"Next":"Work2"},
 %s
 "Done":{"Type":"Succeed"}}}`, chain())

func chain() string {
	s := ""
	for i := 2; i <= rounds; i++ {
		next := fmt.Sprintf("Work%d", i+1)
		if i == rounds {
			next = "Done"
		}
		s += fmt.Sprintf(`"Work%d":{"Type":"Task","Resource":"arn:iap:states:::test:noop","ResultPath":"$.r","Next":%q},`, i, next)
	}
	return s
}

type opener func(b *testing.B) *store.DB

var databases = map[string]opener{
	"sqlite":   func(b *testing.B) *store.DB { return openURL(b, "sqlite:"+filepath.Join(b.TempDir(), "iap.db")) },
	"postgres": func(b *testing.B) *store.DB { return openURL(b, pgtest.DurableURL(b)) },
}

func openURL(t testing.TB, url string) *store.DB {
	t.Helper()
	db, err := store.Open(context.Background(), url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

var noop = func(context.Context, workflow.Call) (json.RawMessage, error) { return json.RawMessage("{}"), nil }

// BenchmarkTransitions measures durable transitions a second: states entered by
// executions that run at once, each commit synced to the disk.
func BenchmarkTransitions(b *testing.B) {
	for _, database := range []string{"sqlite", "postgres"} {
		for _, kind := range []struct {
			name, definition string
			perRun           int
			handler          workflow.Handler
		}{
			{"mixed/run", loop, 3*rounds + 2, workflow.Handler{Run: noop}},
			{"mixed/commit", loop, 3*rounds + 2, workflow.Handler{Commit: noop}},
			{"tasks/run", tasks, rounds + 1, workflow.Handler{Run: noop}},
		} {
			for _, atOnce := range []int{1, 8, 64} {
				b.Run(fmt.Sprintf("%s/%s/executions=%d", database, kind.name, atOnce), func(b *testing.B) {
					benchmarkTransitions(b, databases[database](b), kind.definition, kind.handler, kind.perRun, atOnce)
				})
			}
		}
	}
}

func benchmarkTransitions(b *testing.B, db *store.DB, definition string, h workflow.Handler, perRun, atOnce int) {
	e := newBench(b, db, map[string]workflow.Handler{"test:noop": h})
	id, err := e.PutStateMachine(b.Context(), "bench", []byte(definition), time.Now())
	if err != nil {
		b.Fatal(err)
	}
	var left atomic.Int64
	left.Store(int64(max(b.N/perRun, atOnce)))
	total := left.Load() * int64(perRun)
	b.ResetTimer()
	var wg sync.WaitGroup
	for range atOnce {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				if err := e.runOne(b.Context(), id); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(total)/b.Elapsed().Seconds(), "transitions/s")
}

// bench is an engine on the real clock that tells of each end.
type bench struct {
	*workflow.Engine
	ends sync.Map // of ID to chan workflow.Execution
}

func newBench(b *testing.B, db *store.DB, handlers map[string]workflow.Handler) *bench {
	b.Helper()
	log := event.NewLog(db)
	if err := log.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	e := &bench{}
	e.Engine = workflow.New(workflow.Config{Store: db, Tx: db, Log: log, Owner: "bench", Handlers: handlers, Now: time.Now})
	if err := e.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	sub := log.Subscribe(-1)
	go e.follow(ctx, sub)
	b.Cleanup(func() { _ = e.Stop(context.Background()); cancel(); _ = log.Stop(context.Background()) })
	return e
}

// follow tells those who wait of executions that ended.
func (e *bench) follow(ctx context.Context, sub *event.Subscription) {
	for {
		events, err := sub.Next(ctx)
		if err != nil {
			return
		}
		for _, ev := range events {
			var d struct{ Status workflow.Status }
			if json.Unmarshal(ev.Data, &d) == nil && d.Status != workflow.Running {
				c, _ := e.ends.LoadOrStore(ev.Subject, make(chan workflow.Status, 1))
				c.(chan workflow.Status) <- d.Status
			}
		}
	}
}

func (e *bench) runOne(ctx context.Context, machine string) error {
	x, err := e.StartExecution(ctx, workflow.StartRequest{StateMachine: machine, Input: json.RawMessage(`{}`)})
	if err != nil {
		return err
	}
	c, _ := e.ends.LoadOrStore(x.ID, make(chan workflow.Status, 1))
	defer e.ends.Delete(x.ID)
	if status := <-c.(chan workflow.Status); status != workflow.Succeeded {
		return fmt.Errorf("the execution is %s", status)
	}
	return nil
}
