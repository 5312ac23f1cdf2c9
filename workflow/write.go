package workflow

import (
	"context"
	"strings"

	"github.com/internal-app-portal/iap/event"
)

// commit writes what the step has come to, in the transaction of ctx or in one
// that it shares with other steps.
func (s *stepper) commit(ctx context.Context) error {
	s.x.State = nil
	if s.x.Status == Running {
		s.writeState()
	} else {
		s.ended()
	}
	s.writeAdvance()
	if ev := s.tellNow(); ev != nil {
		s.w.Events = append(s.w.Events, ev)
		s.after = append(s.after, s.Log.Wake)
	}
	s.w.Execution, s.w.New = s.x, s.isNew
	return s.Store.WriteCommit(ctx, &s.w)
}

// ended adds to the commit what the end of the execution entails.
func (s *stepper) ended() {
	s.w.Put, s.w.Delete = nil, nil // all rows go
	if s.x.MapRun != "" {
		x := s.x
		s.after = append(s.after, func() { s.hurryMapRun(x.MapRun) })
		machine, _, _ := strings.Cut(s.def.name, "/")
		final := x.Status != Succeeded && !s.goesOn(machine, s.state)
		s.w.then(func(ctx context.Context) error { return s.Store.EndMapChild(ctx, x.ID, x.Status, final) })
	}
	s.keepState()
	x := s.x
	s.w.then(func(ctx context.Context) error { return s.OnEnd(ctx, x) })
}

func (s *stepper) writeState() {
	head, put, drop := s.splitter.Write(s.state)
	s.x.State = head
	for name, text := range put {
		s.w.Parts = append(s.w.Parts, Part{Name: name, Text: text})
	}
	s.w.DropParts = drop
	s.partBytes = s.splitter.Bytes()
}

// writeAdvance leaves a row for the frames that still have a transition to
// take, or removes it when there is none. This process holds the row and goes
// on by itself; the row is for who comes after it.
func (s *stepper) writeAdvance() {
	key := TaskKey{Execution: s.x.ID, Kind: Advance}
	switch {
	case s.x.Status != Running:
		s.advance = nil
	case len(s.ready) == 0 && s.advance != nil:
		s.w.drop(key)
		s.advance = nil
	case len(s.ready) > 0 && (s.advance == nil || !s.owns(s.advance) || s.advance.LeaseUntil.Sub(s.Now()) < s.Lease/2):
		now := s.Now()
		s.advance = &Task{Execution: s.x.ID, Kind: Advance, RunAt: now, Owner: s.me.Load().owner, LeaseUntil: now.Add(s.Lease),
			Attempt: int(s.x.Version) + 1}
		s.w.put(*s.advance)
	}
}

// tellNow returns the event by which pages that show an execution learn of it.
// The start and the end are told in their commits; what comes between is told
// at intervals, so that a fast execution does not fill the log.
func (s *stepper) tellNow() *event.Event {
	if s.x.Status != Running {
		s.progress.end(s.x.ID)
	} else if !s.isNew && !s.progress.now(s.x.ID) {
		states := s.states()
		s.after = append(s.after, func() { s.progress.later(s.x.ID, states) })
		return nil
	}
	return s.told(s.x.ID, s.x.Status, s.states())
}

// maxStates bounds how many states an event names.
const maxStates = 40

// states are the names of the states that the execution is in.
func (k *kept) states() []string {
	if len(k.state.Frames) == 1 {
		for _, f := range k.state.Frames {
			return []string{f.State}
		}
	}
	var out []string
	seen := map[string]bool{}
	for _, id := range framesInOrder(k.state) {
		if name := k.state.Frames[id].State; !seen[name] && len(out) < maxStates {
			seen[name] = true
			out = append(out, name)
		}
	}
	return out
}
