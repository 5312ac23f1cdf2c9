package store_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/store"
)

// commits opens a database that counts its commits.
func commits(t *testing.T) (*store.DB, *atomic.Int64) {
	var n atomic.Int64
	return openFile(t, filepath.Join(t.TempDir(), "iap.db"), store.Options{Failpoint: func(name string) {
		if name == "store.commit.after" {
			n.Add(1)
		}
	}}), &n
}

// blocked starts an Update whose function waits for release; it returns when
// that function has begun.
func blocked(t *testing.T, db *store.DB) (release func()) {
	begun, free := make(chan struct{}), make(chan struct{})
	var once sync.Once // the function may run more than once
	done := make(chan error, 1)
	go func() {
		done <- db.Update(context.Background(), func(context.Context) error {
			once.Do(func() { close(begun) })
			<-free
			return nil
		})
	}()
	<-begun
	return func() {
		close(free)
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// queueing is a context that tells when Update waits on it.
type queueing struct {
	context.Context
	once    sync.Once
	waiting chan struct{}
}

func queue(ctx context.Context) *queueing {
	return &queueing{Context: ctx, waiting: make(chan struct{})}
}

func (q *queueing) Done() <-chan struct{} {
	q.once.Do(func() { close(q.waiting) })
	return q.Context.Done()
}

func TestWaitingUpdatesShareACommit(t *testing.T) {
	db, n := commits(t)
	release := blocked(t, db)
	refused := errors.New("refused")
	const callers = 64
	errs := make([]error, callers)
	var wg sync.WaitGroup
	for i := range callers {
		ctx := queue(context.Background())
		wg.Go(func() {
			errs[i] = db.Update(ctx, func(tx context.Context) error {
				if err := db.PutSetting(tx, fmt.Sprint(i), nil); err != nil {
					return err
				}
				if i == 7 {
					return refused
				}
				return nil
			})
		})
		<-ctx.waiting
	}
	release()
	wg.Wait()
	for i, err := range errs {
		_, got := db.Setting(context.Background(), fmt.Sprint(i))
		if i == 7 {
			if err != refused || !iap.IsKind(got, iap.NotFound) {
				t.Errorf("the one that was refused: %v; reading it: %v", err, got)
			}
		} else if err != nil || got != nil {
			t.Errorf("caller %d: %v; reading it: %v", i, err, got)
		}
	}
	// One who is late for the first transaction is in the second; slow
	// machines may end a transaction for its time.
	if n.Load() > callers/4 {
		t.Errorf("%d commits for %d callers", n.Load(), callers)
	}
}

func TestCancelledWhileWaiting(t *testing.T) {
	db, _ := commits(t)
	release := blocked(t, db)
	ctx, cancel := context.WithCancelCause(context.Background())
	q, done := queue(ctx), make(chan error, 1)
	go func() {
		done <- db.Update(q, func(context.Context) error {
			t.Error("the function of a cancelled Update was called")
			return nil
		})
	}()
	<-q.waiting
	reason := errors.New("the client is gone")
	cancel(reason)
	if err := <-done; !errors.Is(err, context.Canceled) || !errors.Is(err, reason) {
		t.Errorf("got %v", err)
	}
	release()
	if err := db.PutSetting(context.Background(), "a", nil); err != nil {
		t.Error(err)
	}
}

func TestCloseRefusesThoseWhoWait(t *testing.T) {
	db, _ := commits(t)
	release := blocked(t, db)
	q, done := queue(context.Background()), make(chan error, 1)
	go func() { done <- db.PutSetting(q, "a", nil) }()
	<-q.waiting
	closed := make(chan error, 1)
	go func() { closed <- db.Close() }()
	if err := <-done; !iap.IsKind(err, iap.Unavailable) {
		t.Errorf("got %v", err)
	}
	release()
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

func TestPanicInABatch(t *testing.T) {
	db, _ := commits(t)
	release := blocked(t, db)
	var wg sync.WaitGroup
	errs := make([]error, 9)
	for i := range errs {
		q := queue(context.Background())
		wg.Go(func() {
			defer func() {
				if v := recover(); (v != nil) != (i == 4) {
					t.Errorf("caller %d: panic %v", i, v)
				}
			}()
			errs[i] = db.Update(q, func(tx context.Context) error {
				if i == 4 {
					panic("boom")
				}
				return db.PutSetting(tx, fmt.Sprint(i), nil)
			})
		})
		<-q.waiting
	}
	release()
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
}

// A function that calls Update with a context of its own making waits for
// itself; that must end.
func TestUpdateWithinUpdateByAnotherContext(t *testing.T) {
	db := openFile(t, filepath.Join(t.TempDir(), "iap.db"), store.Options{BusyTimeout: time.Millisecond})
	err := db.Update(context.Background(), func(context.Context) error {
		return db.PutSetting(context.Background(), "a", nil)
	})
	if !iap.IsKind(err, iap.Unavailable) {
		t.Errorf("got %v", err)
	}
}

// One member that does not fit must not take the others with it.
func TestFullInABatch(t *testing.T) {
	db := openFile(t, filepath.Join(t.TempDir(), "iap.db"), store.Options{MaxPages: 200})
	release := blocked(t, db)
	var wg sync.WaitGroup
	errs := make([]error, 9)
	for i := range errs {
		q := queue(context.Background())
		wg.Go(func() {
			value := []byte("small")
			if i == 4 {
				value = make([]byte, 1<<20)
			}
			errs[i] = db.PutSetting(q, fmt.Sprint(i), value)
		})
		<-q.waiting
	}
	release()
	wg.Wait()
	for i, err := range errs {
		_, read := db.Setting(context.Background(), fmt.Sprint(i))
		if i == 4 {
			if !iap.IsKind(err, iap.Full) || !iap.IsKind(read, iap.NotFound) {
				t.Errorf("the big one: %v; reading it: %v", err, read)
			}
		} else if err != nil || read != nil {
			t.Errorf("caller %d: %v; reading it: %v", i, err, read)
		}
	}
}
