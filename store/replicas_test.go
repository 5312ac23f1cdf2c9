package store_test

import (
	"context"
	"errors"
	"slices"
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
	case <-time.After(2 * time.Minute):
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

// A replica whose session was lost is dead under its name: others take its tasks
// at once, and whatever it still does in that name is refused.
func TestTasksOfAReplicaThatLostItsSession(t *testing.T) {
	a, b, url := replicas(t)
	ctx, now := context.Background(), time.Now()
	if err := a.PutTask(ctx, workflow.Task{Execution: "1", Kind: workflow.Advance, RunAt: now}); err != nil {
		t.Fatal(err)
	}
	held, err := a.ClaimTasks(ctx, "a", now, time.Hour, 9)
	if err != nil || len(held) != 1 {
		t.Fatal(held, err)
	}
	lost, err := a.Hold(ctx, "a")
	if err != nil {
		t.Fatal(err)
	}
	admin(t, url, cutOff)
	receive(t, lost, "the session was lost")
	if _, err := a.ClaimTasks(ctx, "a", now, time.Hour, 9); !errors.Is(err, workflow.ErrOwnerLost) || !iap.IsKind(err, iap.Conflict) {
		t.Errorf("claiming in the name that was lost: %v", err)
	}
	if err := a.ReleaseTasks(ctx, "a"); !errors.Is(err, workflow.ErrOwnerLost) {
		t.Errorf("releasing in the name that was lost: %v", err)
	}
	tasks, err := b.ClaimTasks(ctx, "b", now, time.Hour, 9)
	if err != nil { // its connection was cut off as well
		tasks, err = b.ClaimTasks(ctx, "b", now, time.Hour, 9)
	}
	if err != nil || len(tasks) != 1 || tasks[0].Attempt != 2 {
		t.Fatalf("the other got %v, %v", tasks, err)
	}
	if err := a.FinishTask(ctx, held[0]); !iap.IsKind(err, iap.Conflict) {
		t.Errorf("the late answer: %v", err)
	}
	if err := a.RenewTask(ctx, held[0], now.Add(time.Hour)); !iap.IsKind(err, iap.Conflict) {
		t.Errorf("the late renewal: %v", err)
	}
	if tasks, err := a.ClaimTasks(ctx, "a again", now, time.Hour, 9); err != nil || len(tasks) != 0 {
		t.Errorf("under a new name it got %v, %v", tasks, err)
	}
}

// A replica whose own clock is an hour wrong takes nothing too early and holds
// what it takes as long as any other.
func TestReplicaWithAWrongClock(t *testing.T) {
	for name, wrong := range map[string]time.Duration{"fast": time.Hour, "slow": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			url := pgtest.URL(t)
			right := openURL(t, url, store.Options{})
			odd := openURL(t, url, store.Options{Now: func() time.Time { return time.Now().Add(wrong) }})
			ctx, lease := context.Background(), time.Minute
			claim := func(db *store.DB, owner string) []string {
				t.Helper()
				tasks, err := db.ClaimTasks(ctx, owner, db.Now(), lease, 9)
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, task := range tasks {
					got = append(got, task.Execution)
				}
				return got
			}
			put := func(db *store.DB, name string, after time.Duration) {
				t.Helper()
				task := workflow.Task{Execution: name, Kind: workflow.Timer, RunAt: db.Now().Add(after)}
				if err := db.PutTask(ctx, task); err != nil {
					t.Fatal(err)
				}
			}
			put(right, "now", 0)
			put(right, "in a while", 30*time.Minute)
			put(odd, "in a while too", 30*time.Minute)
			if got := claim(right, "right"); !slices.Equal(got, []string{"now"}) {
				t.Errorf("the one whose clock is right got %v", got)
			}
			put(odd, "odd's", 0)
			if got := claim(odd, "odd"); !slices.Equal(got, []string{"odd's"}) {
				t.Errorf("the one whose clock is wrong got %v", got)
			}
			if got := claim(right, "right"); len(got) > 0 {
				t.Errorf("%v was taken from the one whose clock is wrong", got)
			}
			if next, ok, err := odd.NextTaskAt(ctx); err != nil || !ok || next.Before(right.Now()) || next.After(right.Now().Add(time.Minute)) {
				t.Errorf("it looks again at %s, %t, %v", next, ok, err)
			}
		})
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
