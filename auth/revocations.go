package auth

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Revocations remembers the sessions that were ended before their time.
type Revocations interface {
	// Revoke ends a session; it may be forgotten after until. It holds for this
	// process even when it returns an error.
	Revoke(ctx context.Context, session string, until time.Time) error
	// Revoked reports whether a session was ended. After an error the session
	// is taken as ended.
	Revoked(ctx context.Context, session string) (bool, error)
}

// Memory keeps revocations in memory, and in a file where it has one.
type Memory struct {
	mu    sync.Mutex
	now   func() time.Time
	until map[string]time.Time
	path  string // empty: no file
}

// NewMemory returns revocations that are forgotten when the portal ends.
func NewMemory(now func() time.Time) *Memory {
	return &Memory{now: now, until: map[string]time.Time{}}
}

// OpenFile returns revocations that are kept in a file, one a line. What is
// over by now is dropped from it.
func OpenFile(path string, now func() time.Time) (*Memory, error) {
	m := NewMemory(now)
	m.path = path
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		stamp, session, ok := strings.Cut(lines.Text(), " ")
		if until, err := time.Parse(time.RFC3339, stamp); ok && err == nil && until.After(now()) {
			m.until[session] = until
		}
	}
	return m, lines.Err()
}

// Revoke implements Revocations.
func (m *Memory) Revoke(_ context.Context, session string, until time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for s, t := range m.until {
		if !t.After(m.now()) {
			delete(m.until, s)
		}
	}
	m.until[session] = until
	return m.write()
}

// Revoked implements Revocations.
func (m *Memory) Revoked(_ context.Context, session string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, ok := m.until[session]
	return ok, nil
}

// write replaces the file as a whole, so that it is never half written.
func (m *Memory) write() error {
	if m.path == "" {
		return nil
	}
	tmp, err := os.CreateTemp(filepath.Dir(m.path), ".sessions-*")
	if err != nil {
		return fmt.Errorf("keeping the end of a session: %w", err)
	}
	defer os.Remove(tmp.Name())
	w := bufio.NewWriter(tmp)
	for s, t := range m.until {
		fmt.Fprintf(w, "%s %s\n", t.UTC().Format(time.RFC3339), s)
	}
	err = errors.Join(w.Flush(), tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), m.path)
	}
	if err != nil {
		return fmt.Errorf("keeping the end of a session: %w", err)
	}
	return nil
}
