package leak

import (
	"context"
	"log/slog"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/instance"
)

// Config is what a Service needs.
type Config struct {
	Store    Store
	Tx       iap.Transactor
	Platform Platform
	Log      *event.Log
	Portal   string        // the portal's ID, the value of its label
	Grace    time.Duration // between finding what the portal made and removing it
	Actor    func(id string) iap.Actor
	Now      func() time.Time
	Logger   *slog.Logger
}

// Service finds and removes leaks.
type Service struct{ Config }

// NewService returns a Service.
func NewService(cfg Config) *Service { return &Service{cfg} }

// Report is what a check has come to.
type Report struct {
	Looked  int `json:"looked"`  // resources with the portal's label
	Leaks   int `json:"leaks"`   // of which so many are left behind now
	Found   int `json:"found"`   // for the first time
	Removed int `json:"removed"` // by the portal, their grace being over
	Gone    int `json:"gone"`    // removed by others since the last check
}

// Check lists the platform and compares it with the database. Unavailable when
// the platform does not answer.
func (s *Service) Check(ctx context.Context) (Report, error) {
	found, looked, err := s.look(ctx)
	if err != nil {
		return Report{}, err
	}
	r := Report{Looked: looked}
	var due []Leak
	err = s.Tx.Update(ctx, func(ctx context.Context) error {
		r = Report{Looked: looked}
		if err := s.Store.LockLeaks(ctx); err != nil {
			return err
		}
		open, err := s.open(ctx)
		if err == nil {
			due, err = s.note(ctx, &r, found, open)
		}
		return err
	})
	if err != nil || len(due) == 0 {
		return r, err
	}
	r.Removed, err = s.remove(ctx, due, iap.System)
	r.Leaks -= r.Removed
	return r, err
}

// open returns the leaks that are there, by what they are.
func (s *Service) open(ctx context.Context) (map[string]Leak, error) {
	all, err := s.Store.Leaks(ctx, Filter{Limit: mostOpen})
	out := map[string]Leak{}
	for _, l := range all {
		out[key(l.Resource)] = l
	}
	return out, err
}

// mostOpen bounds the leaks that are looked after at the same time.
const mostOpen = 10_000

func key(r instance.Resource) string { return r.Platform + " " + r.Kind + " " + r.ID }

// note writes what a look has found in the transaction of ctx, and returns what
// the portal is to remove by itself now: never what this check was the first to
// see.
func (s *Service) note(ctx context.Context, r *Report, found []Leak, open map[string]Leak) (due []Leak, err error) {
	now := s.Now()
	fresh := map[string][]Leak{} // by instance
	for _, l := range found {
		r.Leaks++
		was, known := open[key(l.Resource)]
		delete(open, key(l.Resource))
		if known {
			l.ID, l.FoundAt, l.RemoveAt, l.Tries, l.Problem = was.ID, was.FoundAt, was.RemoveAt, was.Tries, was.Problem
		} else {
			l.ID, l.FoundAt = iap.NewID(now), now
			r.Found++
			fresh[l.Instance] = append(fresh[l.Instance], l)
		}
		if l.Since.IsZero() {
			l.Since = l.FoundAt
		}
		switch {
		case !l.Made || l.Retried:
			l.RemoveAt = time.Time{}
		case l.RemoveAt.IsZero():
			l.RemoveAt = now.Add(s.Grace)
		}
		l.SeenAt = now
		if err := s.Store.PutLeak(ctx, l); err != nil {
			return nil, err
		}
		if !l.RemoveAt.IsZero() && !l.RemoveAt.After(now) && l.FoundAt.Before(l.SeenAt) {
			due = append(due, l)
		}
	}
	for _, l := range open {
		r.Gone++
		if err := s.gone(ctx, l, ""); err != nil {
			return nil, err
		}
	}
	return due, s.tellFound(ctx, fresh)
}

// gone notes that a resource is not there any more.
func (s *Service) gone(ctx context.Context, l Leak, by string) error {
	l.GoneAt, l.GoneBy, l.RemoveAt, l.Problem = s.Now(), by, time.Time{}, ""
	if err := s.Store.PutLeak(ctx, l); err != nil {
		return err
	}
	return s.tellGone(ctx, l)
}
