package main

import (
	"errors"
	"fmt"
	"sync"
)

// errNotSaved says that a change was refused because the journal could not take it.
var errNotSaved = errors.New("the list could not be saved, so nothing was changed; try again")

// Store is the list that everybody sees. It tells every watcher when the list has changed, and a
// watcher then reads the list as it is: a slow one skips what came between and costs no memory.
type Store struct {
	mu       sync.Mutex
	list     List
	version  int64
	journal  *Journal // nil: the list lives in memory only
	watchers map[chan struct{}]struct{}
}

// NewStore starts from list; journal may be nil.
func NewStore(list List, journal *Journal) *Store {
	list.Next = max(list.Next, 1)
	return &Store{list: list, journal: journal, version: 1, watchers: map[chan struct{}]struct{}{}}
}

// Persistent says whether the list outlives the process.
func (s *Store) Persistent() bool { return s.journal != nil }

// Now returns the list and its version, which grows with every change.
func (s *Store) Now() ([]Item, int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.list.Items, s.version
}

// Add puts a new item at the end.
func (s *Store) Add(text string) (Item, error) {
	text, err := cleanText(text)
	if err != nil {
		return Item{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	item := Item{ID: s.list.Next, Text: text}
	return item, s.change(Change{Op: "add", ID: item.ID, Text: text})
}

// Do makes all of the changes, or none when one is impossible.
func (s *Store) Do(changes ...Change) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.change(changes...)
}

// change writes the changes down, makes them, and tells the watchers. The caller holds the lock.
func (s *Store) change(changes ...Change) (err error) {
	next := s.list
	for _, c := range changes {
		if next, err = next.With(c); err != nil {
			return err
		}
	}
	if s.journal != nil {
		if err := s.journal.Append(next, changes...); err != nil {
			return fmt.Errorf("%w: %w", errNotSaved, err)
		}
	}
	s.list = next
	s.version++
	for w := range s.watchers {
		select {
		case w <- struct{}{}:
		default: // it has not yet looked since the last change, so it will see this one too
		}
	}
	return nil
}

// Watch returns a channel that receives after changes, and the function that ends the watch.
func (s *Store) Watch() (<-chan struct{}, func()) {
	w := make(chan struct{}, 1)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watchers[w] = struct{}{}
	return w, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.watchers, w)
	}
}
