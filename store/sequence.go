package store

import "sync"

// sequencer runs what follows commits in the order of the commits, each part
// by the goroutine of its caller and under no lock.
type sequencer struct {
	mu     sync.Mutex
	cond   sync.Cond
	issued uint64
	passed uint64
}

func (s *sequencer) init() { s.cond.L = &s.mu }

// ticket returns the next place in the order. Each must be used by one pass.
func (s *sequencer) ticket() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.issued++
	return s.issued
}

// pass waits for all earlier tickets and calls fn, which may be nil.
func (s *sequencer) pass(ticket uint64, fn func()) {
	s.mu.Lock()
	for s.passed != ticket-1 {
		s.cond.Wait()
	}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.passed = ticket
		s.mu.Unlock()
		s.cond.Broadcast()
	}()
	if fn != nil {
		fn()
	}
}
