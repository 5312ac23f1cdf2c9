package apitest

import (
	"context"
	"sync"

	"github.com/internal-app-portal/iap/event"
)

// memory is an event.Store in memory.
type memory struct {
	mu     sync.Mutex
	events []event.Event
}

func (m *memory) AppendEvents(_ context.Context, events ...*event.Event) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range events {
		e.Number = int64(len(m.events) + 1)
		m.events = append(m.events, *e)
	}
	return nil
}

func (m *memory) EventsAfter(_ context.Context, after int64, limit int) ([]event.Event, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	rest := m.events[min(int(after), len(m.events)):]
	return append([]event.Event(nil), rest[:min(limit, len(rest))]...), nil
}

func (m *memory) EventsOf(_ context.Context, group string) (out []event.Event, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.events {
		if e.Group == group {
			out = append(out, e)
		}
	}
	return out, nil
}

func (m *memory) LastEventNumber(context.Context) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return int64(len(m.events)), nil
}
