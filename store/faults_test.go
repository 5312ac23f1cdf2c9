package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/job"
	"github.com/internal-app-portal/iap/store"
)

// foreign opens the file as another program would, in the rudest way.
func foreign(t *testing.T, path string) *sql.Conn {
	t.Helper()
	pool, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pool.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(); _ = pool.Close() })
	return conn
}

func run(t *testing.T, c *sql.Conn, query string) {
	t.Helper()
	if _, err := c.ExecContext(context.Background(), query); err != nil {
		t.Fatal(err)
	}
}

func wantRetry(t *testing.T, err error, kind iap.Kind) {
	t.Helper()
	var e *iap.Error
	if !errors.As(err, &e) || e.Kind != kind || e.RetryAfter <= 0 {
		t.Fatalf("got %v, want one of kind %q with a time to retry after", err, kind)
	}
}

func TestLockedDatabase(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "iap.db")
	db := openFile(t, path, store.Options{BusyTimeout: 250 * time.Millisecond})
	if err := db.PutSetting(ctx, "a", []byte("1")); err != nil {
		t.Fatal(err)
	}
	other := foreign(t, path)
	run(t, other, "BEGIN IMMEDIATE")
	errs := make(chan error)
	for i := range 8 {
		go func() { errs <- db.PutSetting(ctx, fmt.Sprint(i), nil) }()
	}
	for range 8 {
		wantRetry(t, <-errs, iap.Unavailable)
	}
	if v, err := db.Setting(ctx, "a"); err != nil || string(v) != "1" {
		t.Errorf("reading while locked: %q, %v", v, err)
	}
	run(t, other, "COMMIT")
	if err := db.PutSetting(ctx, "b", nil); err != nil {
		t.Errorf("after the lock: %v", err)
	}
}

func TestLockedForAWhile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "iap.db")
	db := openFile(t, path, store.Options{BusyTimeout: time.Minute})
	other := foreign(t, path)
	run(t, other, "BEGIN IMMEDIATE")
	q, done := queue(context.Background()), make(chan error)
	go func() { done <- db.PutSetting(q, "a", nil) }()
	<-q.waiting
	run(t, other, "COMMIT")
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestLockedAtStart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "iap.db")
	other := foreign(t, path)
	run(t, other, "PRAGMA locking_mode = EXCLUSIVE")
	run(t, other, "CREATE TABLE x (y)")
	_, err := store.Open(context.Background(), path, store.Options{BusyTimeout: 250 * time.Millisecond})
	wantRetry(t, err, iap.Unavailable)
}

// fill writes states until there is no room, and checks what must be true then.
func fill(t *testing.T, db *store.DB) {
	t.Helper()
	ctx := context.Background()
	if err := db.PutSetting(ctx, "a", []byte("1")); err != nil {
		t.Fatal(err)
	}
	state := job.StateVersion{Instance: "i", Data: bytes.Repeat([]byte("x"), 100_000)}
	written := int64(0)
	var err error
	for ; err == nil && written < 1000; written++ {
		err = db.InsertState(ctx, state, 1000)
	}
	written--
	wantRetry(t, err, iap.Full)
	if v, err := db.Setting(ctx, "a"); err != nil || string(v) != "1" {
		t.Errorf("reading: %q, %v", v, err)
	}
	if v, err := db.State(ctx, "i"); err != nil || v.Number != written {
		t.Errorf("the last state is number %d, %v; %d were written", v.Number, err, written)
	}
}

func TestFullDatabase(t *testing.T) {
	db := openFile(t, filepath.Join(t.TempDir(), "iap.db"), store.Options{MaxPages: 400})
	fill(t, db)
	if err := db.InsertState(context.Background(), job.StateVersion{Instance: "i", Data: []byte("small")}, 1); err != nil {
		t.Errorf("a small change that makes room: %v", err)
	}
	if err := db.InsertState(context.Background(), job.StateVersion{Instance: "i", Data: make([]byte, 100_000)}, 1); err != nil {
		t.Errorf("when there is room again: %v", err)
	}
}

func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=4m"); err != nil {
		t.Skip("a small disk cannot be mounted here: ", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	db := openFile(t, filepath.Join(dir, "iap.db"), store.Options{})
	fill(t, db)
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := db.InsertState(context.Background(), job.StateVersion{Instance: "i", Data: make([]byte, 100_000)}, 1); err != nil {
		t.Errorf("when there is room again: %v", err)
	}
}

func TestReopen(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "iap.db")
	db := openFile(t, path, store.Options{})
	if err := db.PutSetting(ctx, "a", []byte("1")); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file's mode: %v, %v", info.Mode(), err)
	}
	db = openFile(t, path, store.Options{})
	if v, err := db.Setting(ctx, "a"); err != nil || string(v) != "1" {
		t.Errorf("got %q, %v", v, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	newer := filepath.Join(dir, "newer.db")
	if err := openFile(t, newer, store.Options{}).Close(); err != nil {
		t.Fatal(err)
	}
	run(t, foreign(t, newer), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)")
	text := filepath.Join(dir, "text.db")
	if err := os.WriteFile(text, []byte(strings.Repeat("this is no database. ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for url, says := range map[string]string{
		"":                        "empty",
		"mysql://host/db":         `"mysql"`,
		"postgres://[::1":         "URL",
		dir:                       "cannot be opened",
		dir + "/missing/iap.db":   "cannot be opened",
		newer:                     "version 9999",
		text:                      "not a database",
		"postgres://127.0.0.1:1/": "refused",
	} {
		t.Run(filepath.Base(url), func(t *testing.T) {
			_, err := store.Open(context.Background(), url, store.Options{})
			if err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("got %v, want an error that says %s", err, says)
			}
		})
	}
}

func TestLockFolder(t *testing.T) {
	dir := t.TempDir()
	release, err := store.LockFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = store.LockFolder(dir)
	if !iap.IsKind(err, iap.Conflict) || !strings.Contains(err.Error(), fmt.Sprint("process ", os.Getpid())) {
		t.Errorf("the second: %v", err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	again, err := store.LockFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	_ = again()
}
