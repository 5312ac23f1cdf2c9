package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/store"
	"github.com/internal-app-portal/iap/store/pgtest"
)

// BenchmarkSync is the reference: one block written and synced.
func BenchmarkSync(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "file"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	block := make([]byte, 4096)
	for b.Loop() {
		if _, err := f.Write(block); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkUpdate commits what one step of an execution writes: an instance
// and an event.
func BenchmarkUpdate(b *testing.B) {
	for name, open := range map[string]func(b *testing.B) *store.DB{
		"sqlite": func(b *testing.B) *store.DB {
			return openFile(b, filepath.Join(b.TempDir(), "iap.db"), store.Options{})
		},
		"postgres": func(b *testing.B) *store.DB { return openURL(b, pgtest.URL(b), store.Options{}) },
	} {
		for _, writers := range []int{1, 64} {
			b.Run(fmt.Sprintf("%s/writers=%d", name, writers), func(b *testing.B) { benchmarkUpdate(b, open(b), writers) })
		}
	}
}

func benchmarkUpdate(b *testing.B, db *store.DB, writers int) {
	ctx := context.Background()
	var next atomic.Int64
	errs := make([]error, writers)
	var wg sync.WaitGroup
	b.ResetTimer()
	for w := range writers {
		wg.Go(func() {
			for errs[w] == nil {
				n := next.Add(1)
				if n > int64(b.N) {
					return
				}
				errs[w] = step(ctx, db, n)
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
}

func step(ctx context.Context, db *store.DB, n int64) error {
	return db.Update(ctx, func(ctx context.Context) error {
		id := fmt.Sprintf("%08d", n)
		err := db.InsertInstance(ctx, instance.Instance{ID: id, App: "todo", Owner: id, HostName: id, CreatedAt: time.Now()})
		if err != nil {
			return err
		}
		return db.AppendEvents(ctx, &event.Event{ID: id, Source: "/instances", Type: event.InstanceChanged, Subject: id, Group: id})
	})
}

// BenchmarkOpen opens a database with ten thousand past instances and reads
// what a portal reads when it starts.
func BenchmarkOpen(b *testing.B) {
	ctx, path := context.Background(), filepath.Join(b.TempDir(), "iap.db")
	db := openFile(b, path, store.Options{})
	err := db.Update(ctx, func(ctx context.Context) error {
		for n := range 10_000 {
			id := fmt.Sprintf("%08d", n)
			err := db.InsertInstance(ctx, instance.Instance{ID: id, App: fmt.Sprint("app", n%12), Owner: id, HostName: id,
				Status: instance.Destroyed, CreatedAt: time.Now(), ReadyAt: time.Now()})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(err, db.Close()); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		db, err := store.Open(ctx, path, store.Options{})
		if err != nil {
			b.Fatal(err)
		}
		_, err1 := db.LiveInstances(ctx)
		_, err2 := db.ReadySeconds(ctx)
		_, err3 := db.Instances(ctx, instance.Filter{})
		if err := errors.Join(err1, err2, err3, db.Close()); err != nil {
			b.Fatal(err)
		}
	}
}
