package store_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/job"
	"github.com/internal-app-portal/iap/store"
	"github.com/internal-app-portal/iap/store/pgtest"
	"github.com/internal-app-portal/iap/workflow"
)

// admin runs a query as an operator of the database would.
func admin(t *testing.T, url, query string) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, query); err != nil {
		t.Fatal(err)
	}
}

// cutOff ends every connection of the portal.
const cutOff = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'iap' AND datname = current_database()"

// replicas opens one database twice, as two portals do.
func replicas(t *testing.T) (a, b *store.DB, url string) {
	url = pgtest.URL(t)
	return openURL(t, url, store.Options{}), openURL(t, url, store.Options{}), url
}

// signal returns a function that fills the channel without blocking.
func signal() (chan struct{}, func()) {
	c := make(chan struct{}, 1)
	return c, func() {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

func receive(t *testing.T, c <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(20 * time.Second):
		t.Fatal("nothing came: ", what)
	}
}

func TestConnectionLostInATransaction(t *testing.T) {
	db, _, url := replicas(t)
	ctx, calls := context.Background(), 0
	err := db.Update(ctx, func(tx context.Context) error {
		if calls++; calls == 1 {
			if err := db.PutSetting(tx, "a", []byte("lost")); err != nil {
				return err
			}
			admin(t, url, cutOff)
		}
		return db.PutSetting(tx, "b", []byte("kept"))
	})
	if err != nil || calls != 2 {
		t.Fatalf("%v after %d calls", err, calls)
	}
	if _, err := db.Setting(ctx, "a"); !iap.IsKind(err, iap.NotFound) {
		t.Errorf("what was lost: %v", err)
	}
	if _, err := db.Setting(ctx, "b"); err != nil {
		t.Error(err)
	}
}

func TestDeadlockIsTriedAgain(t *testing.T) {
	a, b, _ := replicas(t)
	ctx := context.Background()
	if err := errors.Join(a.PutSetting(ctx, "x", nil), a.PutSetting(ctx, "y", nil)); err != nil {
		t.Fatal(err)
	}
	var both sync.WaitGroup // has each hold one row before it asks for the other
	both.Add(2)
	done := make(chan error)
	for i, db := range []*store.DB{a, b} {
		names := []string{"x", "y"}
		go func() {
			first := true
			done <- db.Update(ctx, func(tx context.Context) error {
				if err := db.PutSetting(tx, names[i], []byte{byte(i)}); err != nil {
					return err
				}
				if first {
					first = false
					both.Done()
					both.Wait()
				}
				return db.PutSetting(tx, names[1-i], []byte{byte(i)})
			})
		}()
	}
	if err := errors.Join(<-done, <-done); err != nil {
		t.Error(err)
	}
}

// The end of a job locks the job before its instance, the end of an instance
// the instance before its job.
func TestJobAndInstanceEndAtOnce(t *testing.T) {
	a, b, _ := replicas(t)
	ctx := context.Background()
	i := instance.Instance{ID: "i", App: "todo", Owner: "ann", HostName: "h", Status: instance.Deploying}
	j := job.Job{ID: "j", Instance: "i", Kind: job.Apply, Status: job.Running}
	if err := errors.Join(a.InsertInstance(ctx, i), a.InsertJob(ctx, j)); err != nil {
		t.Fatal(err)
	}
	endJob := func(tx context.Context, db *store.DB) error {
		j, err := db.Job(tx, "j")
		j.Reason += "."
		return errors.Join(err, db.UpdateJob(tx, j))
	}
	endInstance := func(tx context.Context, db *store.DB) error {
		i, err := db.Instance(tx, "i")
		i.Reason += "."
		return errors.Join(err, db.UpdateInstance(tx, i))
	}
	var both sync.WaitGroup // has each hold one row before it asks for the other
	both.Add(2)
	done := make(chan error)
	end := func(db *store.DB, first, second func(context.Context, *store.DB) error) {
		wait := sync.OnceFunc(func() { both.Done(); both.Wait() })
		done <- db.Update(ctx, func(tx context.Context) error {
			if err := first(tx, db); err != nil {
				return err
			}
			wait()
			return second(tx, db)
		})
	}
	go end(a, endJob, endInstance)
	go end(b, endInstance, endJob)
	if err := errors.Join(<-done, <-done); err != nil {
		t.Fatal(err)
	}
	i, err := a.Instance(ctx, "i")
	if err != nil || i.Reason != ".." {
		t.Errorf("the instance has %q, %v", i.Reason, err)
	}
	if j, err = a.Job(ctx, "j"); err != nil || j.Reason != ".." {
		t.Errorf("the job has %q, %v", j.Reason, err)
	}
}

func TestOtherReplicaIsTold(t *testing.T) {
	a, b, url := replicas(t)
	ctx := context.Background()
	told, tell := signal()
	b.OnRemoteCommit(tell)
	n := 0
	heard := func(what string, fn func(ctx context.Context) error) {
		t.Helper()
		if err := a.Update(ctx, fn); err != nil {
			t.Fatal(err)
		}
		receive(t, told, what)
	}
	appendEvent := func(ctx context.Context) error {
		n++
		return a.AppendEvents(ctx, &event.Event{ID: strings.Repeat("x", n), Source: "/s"})
	}
	// The first may come before the replica listens; it is told then.
	heard("an event", appendEvent)
	for range 20 {
		if err := a.Update(ctx, appendEvent); err != nil {
			t.Fatal(err)
		}
	}
	receive(t, told, "twenty events")
	heard("a task", func(ctx context.Context) error {
		return a.PutTask(ctx, workflow.Task{Execution: "1", Kind: workflow.Advance})
	})
	admin(t, url, cutOff)
	receive(t, told, "the connection was made again")
	heard("an event after that", appendEvent)
}

func TestTasksOfALivingReplica(t *testing.T) {
	a, b, _ := replicas(t)
	ctx, now := context.Background(), time.Now()
	if err := a.PutTask(ctx, workflow.Task{Execution: "1", Kind: workflow.Advance, RunAt: now}); err != nil {
		t.Fatal(err)
	}
	held, err := a.ClaimTasks(ctx, "a", now, time.Hour, 9)
	if err != nil || len(held) != 1 {
		t.Fatal(held, err)
	}
	claim := func() []workflow.Task {
		t.Helper()
		tasks, err := b.ClaimTasks(ctx, "b", now, time.Hour, 9)
		if err != nil {
			t.Fatal(err)
		}
		return tasks
	}
	if err := b.ReleaseTasks(ctx, "b"); err != nil {
		t.Fatal(err)
	}
	if tasks := claim(); len(tasks) != 0 {
		t.Fatal("took the tasks of a living replica")
	}
	if _, err := b.ClaimTasks(ctx, "a", now, time.Hour, 9); !iap.IsKind(err, iap.Unavailable) {
		t.Errorf("claiming in the name of another: %v", err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if tasks := claim(); len(tasks) != 1 || tasks[0].Attempt != 2 {
		t.Errorf("got %v of a dead replica", tasks)
	}
	if err := b.FinishTask(ctx, held[0]); !iap.IsKind(err, iap.Conflict) {
		t.Errorf("the dead one's late answer: %v", err)
	}
}

// A connection that was lost and made again has the locks again, also when the
// replica claims nothing in the meantime.
func TestTasksOfAReplicaThatIsBack(t *testing.T) {
	a, b, url := replicas(t)
	ctx, now := context.Background(), time.Now()
	if err := a.PutTask(ctx, workflow.Task{Execution: "1", Kind: workflow.Advance, RunAt: now}); err != nil {
		t.Fatal(err)
	}
	if held, err := a.ClaimTasks(ctx, "a", now, time.Hour, 9); err != nil || len(held) != 1 {
		t.Fatal(held, err)
	}
	told, tell := signal()
	a.OnRemoteCommit(tell)
	admin(t, url, cutOff)
	receive(t, told, "the connection was made again")
	if tasks, err := b.ClaimTasks(ctx, "b", now, time.Hour, 9); err != nil || len(tasks) != 0 {
		t.Errorf("got %v, %v of a replica that is back", tasks, err)
	}
}

func TestReplicasStartTogether(t *testing.T) {
	url := pgtest.URL(t)
	errs := make(chan error)
	for range 3 {
		go func() {
			db, err := store.Open(context.Background(), url, store.Options{})
			if err == nil {
				err = db.Close()
			}
			errs <- err
		}()
	}
	if err := errors.Join(<-errs, <-errs, <-errs); err != nil {
		t.Error(err)
	}
}

func TestNumbersOfTwoReplicas(t *testing.T) {
	a, b, _ := replicas(t)
	ctx := context.Background()
	errs := make(chan error)
	for i, db := range []*store.DB{a, b, a, b} {
		go func() {
			var err error
			for n := 0; n < 25 && err == nil; n++ {
				err = db.AppendEvents(ctx, &event.Event{ID: strings.Repeat("x", n), Source: string(rune('a' + i))})
			}
			errs <- err
		}()
	}
	// A reader that follows the numbers must never see one before a lower one.
	last := int64(0)
	for ended := 0; ended < 4; {
		select {
		case err := <-errs:
			if err != nil {
				t.Fatal(err)
			}
			ended++
		default:
		}
		events, err := a.EventsAfter(ctx, last, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			if last++; e.Number != last {
				t.Fatalf("saw number %d after %d", e.Number, last-1)
			}
		}
	}
	if n, err := b.LastEventNumber(ctx); err != nil || n != 100 {
		t.Errorf("the last number is %d, %v", n, err)
	}
}
