package workflow_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/store"
	"github.com/internal-app-portal/iap/store/pgtest"
	"github.com/internal-app-portal/iap/workflow"
)

// The environment of the processes that TestKilled kills. IAP_TEST_KILLS sets
// how many it kills on each database (20).
const (
	crashDB      = "IAP_TEST_CRASH_DB"      // the database
	crashEffects = "IAP_TEST_CRASH_EFFECTS" // the file that Run handlers write to
	crashBatch   = "IAP_TEST_CRASH_BATCH"   // names the executions to start; empty: none
	crashMaps    = "IAP_TEST_CRASH_MAPS"    // set: the executions are distributed Maps
	crashKills   = "IAP_TEST_KILLS"
)

// perBatch is how many executions each process starts beside those it finds.
const perBatch = 4

// everything is a machine with each kind of state that leaves something behind.
const everything = `{"StartAt":"Begin","States":{
 "Begin":{"Type":"Pass","Parameters":{"n":3,"items":[1,2,3,4,5],"big.$":"$.big"},"Next":"Side"},
 "Side":{"Type":"Parallel","ResultPath":"$.side","Next":"Each","Branches":[
  {"StartAt":"Try","States":{"Try":{"Type":"Task","Resource":"arn:iap:states:::test:flaky","Parameters":{"retry.$":"$$.State.RetryCount"},
    "Retry":[{"ErrorEquals":["Again"],"IntervalSeconds":1,"MaxAttempts":2}],"End":true}}},
  {"StartAt":"Rest","States":{"Rest":{"Type":"Wait","Seconds":1,"Next":"Note"},
    "Note":{"Type":"Task","Resource":"arn:iap:states:::test:commit","End":true}}}]},
 "Each":{"Type":"Map","ItemsPath":"$.items","MaxConcurrency":3,"ResultPath":"$.each","Next":"Work",
  "ItemSelector":{"i.$":"$$.Map.Item.Value","big.$":"$.big"},
  "ItemProcessor":{"StartAt":"One","States":{
   "One":{"Type":"Task","Resource":"arn:iap:states:::test:run","Parameters":{"n.$":"$.i"},"ResultPath":"$.r","Next":"Two"},
   "Two":{"Type":"Pass","Parameters":{"i.$":"$.i","r.$":"$.r"},"End":true}}}},
 "Work":{"Type":"Task","Resource":"arn:iap:states:::test:run","Parameters":{"n.$":"$.n"},"ResultPath":"$.r","Next":"Down"},
 "Down":{"Type":"Pass","Parameters":{"n.$":"States.MathAdd($.n, -1)","each.$":"$.each","side.$":"$.side","r.$":"$.r"},"Next":"More"},
 "More":{"Type":"Choice","Choices":[{"Variable":"$.n","NumericGreaterThan":0,"Next":"Work"}],"Default":"Done"},
 "Done":{"Type":"Succeed"}}}`

func everythingInput() json.RawMessage {
	return json.RawMessage(`{"big":"` + strings.Repeat("x", 12_000) + `"}`) // so that the State is kept in parts
}

// crashHandlers write what they do: Run handlers a line of a file, Commit
// handlers a count in the database.
func crashHandlers(t *testing.T, db *store.DB, effects string) map[string]workflow.Handler {
	t.Helper()
	f, err := os.OpenFile(effects, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	done := func(c workflow.Call) error {
		_, err := fmt.Fprintf(f, "%s.%d.%d\n", c.Execution, c.Frame, c.Attempt)
		return err
	}
	return map[string]workflow.Handler{
		"test:run": {Run: func(_ context.Context, c workflow.Call) (json.RawMessage, error) {
			var a struct{ N int }
			if err := json.Unmarshal(c.Arguments, &a); err != nil {
				return nil, err
			}
			return json.RawMessage(strconv.Itoa(a.N * 10)), done(c)
		}},
		"test:flaky": {Run: func(_ context.Context, c workflow.Call) (json.RawMessage, error) {
			var a struct{ Retry int }
			if err := errors.Join(json.Unmarshal(c.Arguments, &a), done(c)); err != nil {
				return nil, err
			}
			if a.Retry == 0 {
				return nil, workflow.FailTask("Again", "not yet")
			}
			return json.RawMessage(`"at last"`), nil
		}},
		"test:item": {Run: func(_ context.Context, c workflow.Call) (json.RawMessage, error) {
			var a mapItem
			if err := json.Unmarshal(c.Arguments, &a); err != nil {
				return nil, err
			}
			_, err := fmt.Fprintf(f, "%s.%d\n", a.Parent, a.N)
			return json.RawMessage(strconv.Itoa(a.N)), err
		}},
		"test:commit": {Commit: func(ctx context.Context, c workflow.Call) (json.RawMessage, error) {
			name := "effect " + c.Execution
			was, err := db.Setting(ctx, name)
			if err != nil && !iap.IsKind(err, iap.NotFound) {
				return nil, err
			}
			return json.RawMessage(`"noted"`), db.PutSetting(ctx, name, append(was, '1'))
		}},
	}
}

// TestCrashWorker is the process that TestKilled kills. It starts a batch of
// executions, goes on with those that others have left, and says so.
func TestCrashWorker(t *testing.T) {
	url := os.Getenv(crashDB)
	if url == "" {
		t.Skip("is run by TestKilled")
	}
	db := openURL(t, url)
	e, _ := newWorker(t, db, os.Getenv(crashEffects))
	fmt.Println("ready")
	start := startBatch
	if os.Getenv(crashMaps) != "" {
		start = startMaps
	}
	if err := start(t.Context(), e, os.Getenv(crashBatch)); err != nil {
		t.Fatal(err)
	}
	fmt.Println("begun")
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n') // lives until it is killed or let go
}

func newWorker(t *testing.T, db *store.DB, effects string) (*workflow.Engine, *event.Log) {
	t.Helper()
	log := event.NewLog(db)
	if err := log.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	e := workflow.New(workflow.Config{Store: db, Tx: db, Log: log, Owner: fmt.Sprintf("process %d %d", os.Getpid(), time.Now().UnixNano()),
		Now: time.Now, Handlers: crashHandlers(t, db, effects)})
	db.OnRemoteCommit(func() { log.Wake(); e.Wake() })
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Stop(context.Background()); _ = log.Stop(context.Background()) })
	return e, log
}

func startBatch(ctx context.Context, e *workflow.Engine, batch string) error {
	id, err := e.PutStateMachine(ctx, "everything", []byte(everything), time.Now())
	if err != nil || batch == "" {
		return err
	}
	for i := range perBatch {
		_, err := e.StartExecution(ctx, workflow.StartRequest{StateMachine: id, Input: everythingInput(), Name: fmt.Sprintf("%s-%d", batch, i)})
		if err != nil && !iap.IsKind(err, iap.Conflict) {
			return err
		}
	}
	return nil
}

// worker is a process that can be killed.
type worker struct {
	cmd  *exec.Cmd
	out  *bufio.Scanner
	free func()
}

func startWorker(t *testing.T, url, effects, batch string, env ...string) *worker {
	t.Helper()
	w := &worker{cmd: exec.Command(os.Args[0], "-test.run=^TestCrashWorker$")}
	w.cmd.Env = append(os.Environ(), crashDB+"="+url, crashEffects+"="+effects, crashBatch+"="+batch)
	w.cmd.Env = append(w.cmd.Env, env...)
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := w.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.out, w.free = bufio.NewScanner(out), func() { _ = in.Close() }
	return w
}

// await reads up to a line of the process.
func (w *worker) await(t testing.TB, line string) {
	t.Helper()
	var said []string
	for w.out.Scan() {
		if said = append(said, w.out.Text()); w.out.Text() == line {
			return
		}
	}
	t.Fatalf("the process ended before it was %s:\n%s", line, strings.Join(said, "\n"))
}

func (w *worker) kill() {
	_ = w.cmd.Process.Kill()
	_ = w.cmd.Wait()
}

func kills() int {
	if n, err := strconv.Atoi(os.Getenv(crashKills)); err == nil {
		return n
	}
	return 20
}

// TestKilled kills processes at random while they run executions and then finds
// each execution whole: its history without gaps, what its tasks did, and the
// output as if nothing had happened.
func TestKilled(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		killAll(t, "sqlite:"+filepath.Join(t.TempDir(), "iap.db"), 1)
	})
	t.Run("postgres", func(t *testing.T) { killAll(t, pgtest.URL(t), 2) })
}

// killAll keeps some processes on a database and kills one after the other.
func killAll(t *testing.T, url string, atOnce int) {
	effects := filepath.Join(t.TempDir(), "effects")
	n := kills()
	killWorkers(t, url, effects, n, atOnce)
	db := openURL(t, url)
	e, log := newWorker(t, db, effects)
	sub := log.Subscribe(0)
	if err := startBatch(t.Context(), e, "undisturbed"); err != nil {
		t.Fatal(err)
	}
	awaitAll(t, db, sub)
	checkAll(t, db, effects, n)
}

// killWorkers keeps processes at work, atOnce of them, and kills n, each while
// it starts its batch or soon after. Some batches have begun when it returns.
func killWorkers(t *testing.T, url, effects string, n, atOnce int, env ...string) {
	t.Helper()
	workers := make([]*worker, atOnce)
	for i := range n {
		at := i % atOnce
		if w := workers[at]; w != nil {
			w.await(t, "ready")
			// Killed while it starts its batch, or a moment later. On a slow
			// machine no batch would begin in that time, so every second process
			// lives until its batch has.
			if i/atOnce%2 == 1 {
				w.await(t, "begun")
			}
			<-time.After(rand.N(80 * time.Millisecond))
			w.kill()
		}
		workers[at] = startWorker(t, url, effects, fmt.Sprintf("batch%d", i), env...)
	}
	for _, w := range workers {
		if w != nil {
			w.await(t, "ready")
			w.kill()
		}
	}
}

// awaitAll waits until no execution runs.
func awaitAll(t *testing.T, db *store.DB, sub *event.Subscription) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		left, err := db.Executions(ctx, workflow.Running, "", 3)
		if err != nil {
			t.Fatal(err)
		}
		if len(left) == 0 {
			return
		}
		if _, err := sub.Next(ctx); err != nil {
			t.Fatalf("still running: %s: %s", left[0].Name, left[0].State)
		}
	}
}
