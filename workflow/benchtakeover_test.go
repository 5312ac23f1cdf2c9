package workflow_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/store/pgtest"
	"github.com/internal-app-portal/iap/workflow"
)

// busy goes round for ever, a task, a Pass and a Choice each time, so that its
// process can be killed at any instant.
const busy = `{"StartAt":"Work","States":{
 "Work":{"Type":"Task","Resource":"arn:iap:states:::test:work","ResultPath":null,"Next":"Count"},
 "Count":{"Type":"Pass","Parameters":{"n.$":"States.MathAdd($.n, 1)"},"Next":"More"},
 "More":{"Type":"Choice","Choices":[{"Variable":"$.n","NumericLessThan":0,"Next":"Done"}],"Default":"Work"},
 "Done":{"Type":"Succeed"}}}`

// The environment of the process that BenchmarkTakeOver kills: the database, and
// its name there.
const (
	victimDB   = "IAP_BENCH_VICTIM_DB"
	victimName = "IAP_BENCH_VICTIM_NAME"
)

// TestVictim is the process that BenchmarkTakeOver kills. It starts an execution
// that never ends, and says so.
func TestVictim(t *testing.T) {
	url := os.Getenv(victimDB)
	if url == "" {
		t.Skip("is run by BenchmarkTakeOver")
	}
	e := newTaker(t, url, os.Getenv(victimName), func() {})
	startBusy(t, e)
	fmt.Println("begun")
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
}

// newTaker is an engine that calls worked with each task.
func newTaker(t testing.TB, url, name string, worked func()) *replica {
	t.Helper()
	return newReplica(t, url, name, 0, func(context.Context) (json.RawMessage, error) {
		worked()
		return json.RawMessage("{}"), nil
	})
}

func startBusy(t testing.TB, r *replica) {
	t.Helper()
	id, err := r.PutStateMachine(t.Context(), "busy", []byte(busy), time.Now())
	if err == nil {
		_, err = r.StartExecution(t.Context(), workflow.StartRequest{StateMachine: id, Input: json.RawMessage(`{"n":1}`)})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// BenchmarkTakeOver kills a process at a random instant of its execution. On
// SQLite it measures from the start of the engine of the next process, on
// PostgreSQL from the kill, until a task of that execution is called again.
func BenchmarkTakeOver(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) {
		measureTakeOvers(b, func() string { return "sqlite:" + filepath.Join(b.TempDir(), "iap.db") }, restarted)
	})
	b.Run("postgres", func(b *testing.B) {
		measureTakeOvers(b, func() string { return pgtest.URL(b) }, outlive)
	})
}

func measureTakeOvers(b *testing.B, fresh func() string, measure func(b *testing.B, url string) time.Duration) {
	var took []time.Duration
	for b.Loop() {
		took = append(took, measure(b, fresh()))
	}
	reportTimes(b, took)
}

// startVictim starts a process with a busy execution.
func startVictim(b *testing.B, url string) *worker {
	b.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestVictim$")
	cmd.Env = append(os.Environ(), victimDB+"="+url, victimName+"=victim")
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err1 != nil || err2 != nil {
		b.Fatal(err1, err2)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	w := &worker{cmd: cmd, out: bufio.NewScanner(out), free: func() { _ = in.Close() }}
	w.await(b, "begun")
	<-time.After(rand.N(50 * time.Millisecond)) // at any instant
	return w
}

// restarted is the time from the start of an engine until it goes on with what
// another process has left.
func restarted(b *testing.B, url string) time.Duration {
	startVictim(b, url).kill()
	called := make(chan time.Time, 1)
	begun, r := newTimed(b, url, called)
	took := (<-called).Sub(begun)
	_ = r.Stop(context.Background())
	return took
}

// outlive is the time from the death of a replica until another goes on.
func outlive(b *testing.B, url string) time.Duration {
	victim := startVictim(b, url)
	called := make(chan time.Time, 1)
	_, r := newTimed(b, url, called)
	select {
	case <-called:
		b.Fatal("a living replica's work was taken")
	case <-time.After(rand.N(400 * time.Millisecond)): // at any instant of the other's looks
	}
	begun := time.Now()
	victim.kill()
	took := (<-called).Sub(begun)
	_ = r.Stop(context.Background())
	return took
}

// newTimed starts an engine that tells of its first call.
func newTimed(b *testing.B, url string, called chan<- time.Time) (begun time.Time, r *replica) {
	r = makeReplica(b, url, "taker", 0, func(context.Context) (json.RawMessage, error) {
		select {
		case called <- time.Now():
		default:
		}
		return json.RawMessage("{}"), nil
	})
	begun = time.Now()
	if err := r.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	return begun, r
}
