package workflow_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/store"
	"github.com/internal-app-portal/iap/store/pgtest"
	"github.com/internal-app-portal/iap/workflow"
)

// whoDidIt tells who has done its one task, and then comes to its end by another.
const whoDidIt = `{"StartAt":"Work","States":{
 "Work":{"Type":"Task","Resource":"arn:iap:states:::test:work","ResultPath":"$.by","Next":"After"},
 "After":{"Type":"Task","Resource":"arn:iap:states:::test:noop","ResultPath":null,"End":true}}}`

// replica is an engine on a database that others share.
type replica struct {
	*workflow.Engine
	db  *store.DB
	log *event.Log
}

func newReplica(t testing.TB, url, name string, lease time.Duration, work func(ctx context.Context) (json.RawMessage, error)) *replica {
	t.Helper()
	r := makeReplica(t, url, name, lease, work)
	if err := r.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r
}

// makeReplica is newReplica without the start of the engine.
func makeReplica(t testing.TB, url, name string, lease time.Duration, work func(ctx context.Context) (json.RawMessage, error)) *replica {
	t.Helper()
	if strings.HasPrefix(url, "postgres") {
		url += "&application_name=" + name
	}
	r := &replica{db: openURL(t, url)}
	r.log = event.NewLog(r.db)
	if err := r.log.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.Engine = workflow.New(workflow.Config{Store: r.db, Tx: r.db, Log: r.log, Owner: name, Lease: lease, Now: r.db.Now,
		Handlers: map[string]workflow.Handler{"test:noop": {Run: noop},
			"test:work": {Run: func(ctx context.Context, _ workflow.Call) (json.RawMessage, error) { return work(ctx) }}}})
	r.db.OnRemoteCommit(func() { r.log.Wake(); r.Wake() })
	t.Cleanup(func() { _ = r.Stop(context.Background()); _ = r.log.Stop(context.Background()) })
	return r
}

func (r *replica) begin(t testing.TB) string {
	t.Helper()
	m, err := r.PutStateMachine(t.Context(), "who", []byte(whoDidIt), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	x, err := r.StartExecution(t.Context(), workflow.StartRequest{StateMachine: m, Input: json.RawMessage(`{}`)})
	if err != nil {
		t.Fatal(err)
	}
	return x.ID
}

// wholeEnd waits for the end and checks that each task counts once.
func (r *replica) wholeEnd(t *testing.T, id, output string) {
	t.Helper()
	sub := r.log.Subscribe(0)
	awaitAll(t, r.db, sub)
	x, err := r.db.Execution(t.Context(), id)
	if err != nil || x.Status != workflow.Succeeded || string(x.Output) != output {
		t.Errorf("it is %s with %s, %v; want %s", x.Status, x.Output, err, output)
	}
	history, err := r.db.History(t.Context(), id, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for i, h := range history {
		if count[h.Type]++; h.Number != int64(i+1) {
			t.Errorf("event %d has the number %d", i+1, h.Number)
		}
	}
	if count["TaskStarted"] != 2 || count["TaskSucceeded"] != 2 || count["ExecutionSucceeded"] != 1 {
		t.Errorf("the history has %v", count)
	}
}

// A replica whose session is ended cuts off what it does, and works on under a
// new name; what it did is done again, and counts once.
func TestReplicaLosesItsSession(t *testing.T) {
	url := pgtest.URL(t)
	calls, cut := make(chan bool, 9), make(chan error, 9)
	first := true
	r := newReplica(t, url, "one", 0, func(ctx context.Context) (json.RawMessage, error) {
		again := !first
		first = false
		calls <- again
		if again {
			return json.RawMessage(`"again"`), nil
		}
		<-ctx.Done()
		cut <- context.Cause(ctx)
		return json.RawMessage(`"too late"`), nil
	})
	id := r.begin(t)
	<-calls
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	_, err = conn.Exec(t.Context(), `SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
		WHERE l.locktype = 'advisory' AND a.application_name = 'one'`)
	if err != nil {
		t.Fatal(err)
	}
	if err := <-cut; err == nil {
		t.Error("the call was cut off without a cause")
	}
	r.wholeEnd(t, id, `{"by":"again"}`)
	if !r.Joined() {
		t.Error("the replica has not joined again")
	}
}

// The environment of the process that TestReplicaStopped stops.
const stoppedDB = "IAP_TEST_STOPPED_DB"

// shortLease is over long before anybody waits for it in vain.
const shortLease = 300 * time.Millisecond

// TestStoppedReplica is the process that TestReplicaStopped stops. It begins a
// task and says so, and says when it is cut off.
func TestStoppedReplica(t *testing.T) {
	url := os.Getenv(stoppedDB)
	if url == "" {
		t.Skip("is run by TestReplicaStopped")
	}
	r := newReplica(t, url, "stopped", shortLease, func(ctx context.Context) (json.RawMessage, error) {
		fmt.Println("calls")
		<-ctx.Done()
		fmt.Println("cut off")
		return json.RawMessage(`"stopped"`), nil
	})
	r.begin(t)
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
}

// A replica that was stopped for longer than its lease finds its work taken over
// when it goes on, and cuts off what it still did.
func TestReplicaStopped(t *testing.T) {
	url := pgtest.URL(t)
	cmd := exec.Command(os.Args[0], "-test.run=^TestStoppedReplica$")
	cmd.Env = append(os.Environ(), stoppedDB+"="+url)
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close(); _, _ = io.Copy(io.Discard, out); _ = cmd.Wait() }()
	w := &worker{cmd: cmd, out: bufio.NewScanner(out)}
	w.await(t, "calls")
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	r := newReplica(t, url, "other", shortLease, func(context.Context) (json.RawMessage, error) {
		return json.RawMessage(`"other"`), nil
	})
	all, err := r.db.Executions(t.Context(), "", "", 9)
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	r.wholeEnd(t, all[0].ID, `{"by":"other"}`)
	if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	w.await(t, "cut off")
	r.wholeEnd(t, all[0].ID, `{"by":"other"}`)
}
