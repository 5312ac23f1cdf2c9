package workflow_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/bucket"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/store"
	"github.com/internal-app-portal/iap/store/pgtest"
	"github.com/internal-app-portal/iap/workflow"
)

// mapEngine is an engine on the wall clock.
type mapEngine struct {
	*workflow.Engine
	ended chan workflow.Execution
	stop  func()
}

func newMapEngine(t testing.TB, db *store.DB, owner string, buckets bucket.Buckets, handlers map[string]workflow.Handler) *mapEngine {
	t.Helper()
	log := event.NewLog(db)
	if err := log.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	m := &mapEngine{ended: make(chan workflow.Execution, 100)}
	m.Engine = workflow.New(workflow.Config{Store: db, Tx: db, Log: log, Owner: owner, Handlers: handlers, Buckets: buckets,
		Now: func() time.Time { return time.Now().UTC() },
		OnEnd: func(ctx context.Context, x workflow.Execution) error {
			if x.MapRun == "" {
				iap.AfterCommit(ctx, func() { m.ended <- x })
			}
			return nil
		}})
	if err := m.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.stop = sync.OnceFunc(func() {
		_ = m.Engine.Stop(context.Background())
		_ = log.Stop(context.Background())
	})
	t.Cleanup(m.stop)
	return m
}

// begin starts an execution of a definition.
func (m *mapEngine) begin(t testing.TB, definition, input string) workflow.Execution {
	t.Helper()
	id, err := m.PutStateMachine(t.Context(), "batch", []byte(definition), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	x, err := m.StartExecution(t.Context(), workflow.StartRequest{StateMachine: id, Input: json.RawMessage(input)})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func (m *mapEngine) wait(t testing.TB) workflow.Execution {
	t.Helper()
	select {
	case x := <-m.ended:
		return x
	case <-time.After(2 * time.Minute):
		t.Fatal("the execution did not end")
		return workflow.Execution{}
	}
}

// distributed is a machine that is one distributed Map.
func distributed(mode, fields, states string) string {
	return `{"StartAt":"All","States":{"All":{"Type":"Map","End":true,` + fields + `"Label":"Items","ItemProcessor":{
		"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"` + mode + `"},"StartAt":"One","States":` + states + `}}}}`
}

const (
	passOne = `{"One":{"Type":"Pass","End":true}}`
	taskOne = `{"One":{"Type":"Task","Resource":"arn:iap:states:::test:one","End":true}}`
)

func numbers(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprint(i)
	}
	return "[" + strings.Join(list, ",") + "]"
}

var modes = []string{"STANDARD", "EXPRESS"}

func TestMapRunGivesTheResultsInOrder(t *testing.T) {
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			m := newMapEngine(t, newDB(t), "one", nil, nil)
			m.begin(t, distributed(mode, `"MaxConcurrency":7,"ItemSelector":{"n.$":"$$.Map.Item.Value","i.$":"$$.Map.Item.Index","of.$":"$[0]"},`, passOne), "[5,6,7]")
			x := m.wait(t)
			if got, want := string(x.Output), `[{"of":5,"i":0,"n":5},{"of":5,"i":1,"n":6},{"of":5,"i":2,"n":7}]`; got != want {
				t.Fatalf("%s %s: got %s, want %s", x.Status, x.Cause, got, want)
			}
			if got, want := historyTypes(t, m, x.ID), "ExecutionStarted MapStateEntered MapStateStarted MapRunStarted MapRunSucceeded MapStateSucceeded MapStateExited ExecutionSucceeded"; got != want {
				t.Errorf("history %s", got)
			}
			runs, err := m.MapRuns(t.Context(), x.ID, "", 10)
			if err != nil || len(runs) != 1 {
				t.Fatal(runs, err)
			}
			r := runs[0]
			if r.Status != workflow.Succeeded || r.Items.Succeeded != 3 || r.Children.Succeeded != 3 || r.Items.Total() != 3 || r.Items.Running != 0 {
				t.Errorf("%+v", r)
			}
			if want := "arn:iap:states:::mapRun:batch/Items:" + r.ID; r.ARN() != want {
				t.Errorf("ARN %s, want %s", r.ARN(), want)
			}
		})
	}
}

func historyTypes(t *testing.T, m *mapEngine, id string) string {
	events, err := m.Store.History(t.Context(), id, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range events {
		all = append(all, e.Type)
	}
	return strings.Join(all, " ")
}

func TestMapRunOfNothing(t *testing.T) {
	for _, mode := range modes {
		m := newMapEngine(t, newDB(t), "one", nil, nil)
		m.begin(t, distributed(mode, "", passOne), "[]")
		if x := m.wait(t); string(x.Output) != "[]" {
			t.Errorf("%s: %+v", mode, x)
		}
	}
}

// odd is a task that fails for odd items.
var odd = map[string]workflow.Handler{"test:one": {Run: func(_ context.Context, c workflow.Call) (json.RawMessage, error) {
	var n int
	if err := json.Unmarshal(c.Arguments, &n); err != nil || n%2 == 1 {
		return nil, workflow.FailTask("Odd", "%d is odd", n)
	}
	return c.Arguments, nil
}}}

func TestMapRunFails(t *testing.T) {
	for _, mode := range modes {
		for tolerance, ok := range map[string]bool{"": false, `"ToleratedFailureCount":1,`: false, `"ToleratedFailureCount":2,`: true,
			`"ToleratedFailurePercentage":49,`: false, `"ToleratedFailurePercentage":50,`: true} {
			m := newMapEngine(t, newDB(t), "one", nil, odd)
			m.begin(t, distributed(mode, tolerance, taskOne), "[1,2,3,4]")
			x := m.wait(t)
			switch {
			case ok && x.Status != workflow.Succeeded:
				t.Errorf("%s %s: %s %s", mode, tolerance, x.Status, x.Cause)
			case !ok && (x.Error != "States.ExceedToleratedFailureThreshold" || x.Cause != "The specified tolerated failure threshold was exceeded"):
				t.Errorf("%s %s: %+v", mode, tolerance, x)
			}
			m.stop()
		}
	}
}

func TestMapRunIsStoppedWithItsExecution(t *testing.T) {
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			began, gone := make(chan string, 10), make(chan string, 10)
			m := newMapEngine(t, newDB(t), "one", nil, map[string]workflow.Handler{"test:one": {Run: func(ctx context.Context, c workflow.Call) (json.RawMessage, error) {
				began <- c.Execution
				<-ctx.Done()
				gone <- c.Execution
				return nil, ctx.Err()
			}}})
			x := m.begin(t, distributed(mode, `"MaxConcurrency":3,`, taskOne), numbers(50))
			for range 3 {
				<-began
			}
			if err := m.StopExecution(t.Context(), x.ID, "Enough", "said Jane"); err != nil {
				t.Fatal(err)
			}
			if x := m.wait(t); x.Status != workflow.Aborted {
				t.Fatal(x)
			}
			for range 3 {
				<-gone
			}
			if len(began) > 0 {
				t.Error("more were begun after the stop")
			}
		})
	}
}

// TestMapRunGoesOnInAnotherProcess cuts runs off and lets others take over.
func TestMapRunGoesOnInAnotherProcess(t *testing.T) {
	for _, mode := range modes {
		t.Run("sqlite/"+mode, func(t *testing.T) {
			db := newDB(t)
			takeOver(t, mode, func() *store.DB { return db })
		})
		t.Run("postgres/"+mode, func(t *testing.T) {
			// Each process has a session of its own, by which its death is seen.
			url := pgtest.URL(t)
			var old *store.DB
			takeOver(t, mode, func() *store.DB {
				if old != nil {
					_ = old.Close()
				}
				db, err := store.Open(t.Context(), url, store.Options{})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = db.Close() })
				old = db
				return db
			})
		})
	}
}

func takeOver(t *testing.T, mode string, open func() *store.DB) {
	const items = 600
	var mu sync.Mutex
	effects := map[string]int{}
	var stopAt, calls atomic.Int64
	stop := make(chan struct{}, 1)
	handlers := map[string]workflow.Handler{"test:one": {Run: func(ctx context.Context, c workflow.Call) (json.RawMessage, error) {
		mu.Lock()
		effects[string(c.Arguments)]++
		mu.Unlock()
		if calls.Add(1) == stopAt.Load() {
			stop <- struct{}{}
			<-ctx.Done()
		}
		return c.Arguments, nil
	}}}
	stopAt.Store(50)
	m := newMapEngine(t, open(), "process-0", nil, handlers)
	x := m.begin(t, distributed(mode, `"MaxConcurrency":40,`, taskOne), numbers(items))
	for n := 1; n <= 5; n++ {
		<-stop
		m.stop()
		if stopAt.Store(calls.Load() + 60); n == 5 {
			stopAt.Store(-1)
		}
		m = newMapEngine(t, open(), fmt.Sprintf("process-%d", n), nil, handlers)
	}
	got := m.wait(t)
	if string(got.Output) != numbers(items) {
		t.Fatalf("%s %s %s: %s", got.Status, got.Error, got.Cause, got.Output)
	}
	if len(effects) != items {
		t.Errorf("%d items were worked at, want %d", len(effects), items)
	}
	runs, err := m.MapRuns(t.Context(), x.ID, "", 10)
	if err != nil || runs[0].Items.Succeeded != items || runs[0].Children.Succeeded != items {
		t.Errorf("%+v %v", runs, err)
	}
}

func put(t testing.TB, b bucket.Buckets, key, text string) {
	t.Helper()
	w, err := b.Create(t.Context(), "data", key)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
}

func TestMapRunReadsAndWritesBuckets(t *testing.T) {
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			b, err := bucket.OpenFolder(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = b.Close() })
			put(t, b, "people.csv", "name,age\nAda,36\nAlan,41\nGrace,85\n")
			m := newMapEngine(t, newDB(t), "one", b, nil)
			m.begin(t, distributed(mode, `"ItemReader":{"Resource":"arn:aws:states:::s3:getObject","ReaderConfig":{"InputType":"CSV","CSVHeaderLocation":"FIRST_ROW"},
				"Parameters":{"Bucket":"data","Key.$":"$.key"}},"ItemBatcher":{"MaxItemsPerBatch":2,"BatchInput":{"of.$":"$.key"}},
				"ResultWriter":{"Resource":"arn:aws:states:::s3:putObject","Parameters":{"Bucket":"data","Prefix":"out"},"WriterConfig":{"Transformation":"COMPACT","OutputType":"JSONL"}},`, passOne), `{"key":"people.csv"}`)
			x := m.wait(t)
			if x.Status != workflow.Succeeded {
				t.Fatalf("%+v", x)
			}
			var keys []string
			for o, err := range b.List(t.Context(), "data", "out/") {
				if err != nil {
					t.Fatal(err)
				}
				keys = append(keys, o.Key[strings.LastIndexByte(o.Key, '/')+1:])
				if !strings.HasSuffix(o.Key, "SUCCEEDED_0.jsonl") {
					continue
				}
				want := `{"BatchInput":{"of":"people.csv"},"Items":[{"name":"Ada","age":"36"},{"name":"Alan","age":"41"}]}` + "\n" +
					`{"BatchInput":{"of":"people.csv"},"Items":[{"name":"Grace","age":"85"}]}` + "\n"
				if got := read(t, b, o.Key); got != want {
					t.Errorf("got %s, want %s", got, want)
				}
			}
			sort.Strings(keys)
			if fmt.Sprint(keys) != "[SUCCEEDED_0.jsonl manifest.json]" {
				t.Errorf("files %v", keys)
			}
		})
	}
}

func TestMapRunWithoutItsFile(t *testing.T) {
	b, err := bucket.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	m := newMapEngine(t, newDB(t), "one", b, nil)
	m.begin(t, distributed("STANDARD", `"ItemReader":{"Resource":"arn:aws:states:::s3:getObject","ReaderConfig":{"InputType":"JSON"},
		"Parameters":{"Bucket":"data","Key":"none.json"}},`, passOne), "{}")
	x := m.wait(t)
	if x.Error != "States.ItemReaderFailed" || !strings.Contains(x.Cause, "none.json") {
		t.Fatalf("%+v", x)
	}
}

func read(t testing.TB, b bucket.Buckets, key string) string {
	t.Helper()
	f, err := b.Open(t.Context(), "data", key)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestPendingItems: those of a list that is there are all known from the start.
func TestPendingItems(t *testing.T) {
	onEach(t, func(t *testing.T, url, mode string) {
		const items, atOnce = 50, 2
		began, free := make(chan bool, items), make(chan bool)
		m := newMapEngine(t, openURL(t, url), "one", nil, map[string]workflow.Handler{"test:one": {Run: func(ctx context.Context, c workflow.Call) (json.RawMessage, error) {
			began <- true
			<-free
			return c.Arguments, nil
		}}})
		x := m.begin(t, distributed(mode, fmt.Sprintf(`"MaxConcurrency":%d,`, atOnce), taskOne), numbers(items))
		<-began
		runs, err := m.MapRuns(t.Context(), x.ID, "", 1)
		if err != nil || len(runs) != 1 {
			t.Fatal(runs, err)
		}
		r := runs[0]
		if r.Total != items || r.Items.Pending+r.Items.Running != items || r.Items.Pending < items-atOnce || r.Children.Pending != r.Items.Pending {
			t.Errorf("%+v", r)
		}
		close(free)
		if got := m.wait(t); string(got.Output) != numbers(items) {
			t.Fatalf("%s %s: %s", got.Status, got.Cause, got.Output)
		}
		if r, err = m.MapRun(t.Context(), r.ID); err != nil || r.Items.Pending != 0 || r.Children.Pending != 0 || r.Items.Succeeded != items {
			t.Errorf("%+v %v", r, err)
		}
	})
}
