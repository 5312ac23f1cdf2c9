package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/instance"
)

// fault is what a person sees of an error.
type fault struct {
	Status    int
	Title     string
	Text      string
	Hint      string
	Reference string // of an internal error, to be found in the log
}

var faults = map[iap.Kind]fault{
	iap.Internal:        {Status: 500, Title: "Something went wrong in the portal", Hint: "Try again. When it stays, give the reference below to whoever runs the portal."},
	iap.Invalid:         {Status: 422, Title: "That cannot be used as it is", Hint: "Go back, change it, and send it again."},
	iap.Unauthenticated: {Status: 401, Title: "You are not signed in", Hint: "Sign in and try again."},
	iap.Forbidden:       {Status: 403, Title: "That is not yours to do", Hint: "Ask an admin of the portal when you need it."},
	iap.NotFound:        {Status: 404, Title: "There is nothing here", Hint: "It may have ended, or the address has a slip in it. All that you can see starts at the catalogue."},
	iap.Conflict:        {Status: 409, Title: "That does not fit right now", Hint: "Look at its present state, then decide again."},
	iap.Limit:           {Status: 429, Title: "A limit is reached", Hint: "Wait a moment, or end something that you no longer need."},
	iap.Unavailable:     {Status: 503, Title: "The portal cannot do that at the moment", Hint: "Nothing was lost. Try again shortly."},
	iap.Full:            {Status: 507, Title: "The portal's disk is full", Hint: "Nothing was changed. Reading still works; whoever runs the portal has to make room."},
	iap.Timeout:         {Status: 504, Title: "That took too long", Hint: "Try again shortly."},
}

// describe turns an error into what a person may see of it.
func (s *Server) describe(r *http.Request, err error) fault {
	kind := iap.KindOf(err)
	f, ok := faults[kind]
	if !ok {
		f, kind = faults[iap.Internal], iap.Internal
	}
	if kind == iap.Internal {
		f.Reference = iap.NewID(s.cfg.Now())
		s.cfg.Logger.Error("request failed", "reference", f.Reference, "method", r.Method, "path", r.URL.Path, "err", err)
		return f
	}
	f.Text = capital(message(err))
	return f
}

// message returns the text of an error that is no internal one.
func message(err error) string {
	var e *iap.Error
	if !errors.As(err, &e) {
		return ""
	}
	text := e.Message()
	if e.Field != "" {
		text = e.Field + ": " + text
	}
	return text
}

// fail answers with the page of an error.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, actor iap.Actor, err error) {
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		return // nobody is there to read it
	}
	f := s.describe(r, err)
	var e *iap.Error
	if errors.As(err, &e) && e.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((e.RetryAfter+time.Second-1)/time.Second)))
	} else if f.Status == 503 {
		w.Header().Set("Retry-After", "2")
	}
	v := struct {
		layout
		Fault fault
		Own   []instance.Instance // that could be destroyed to get below a limit
	}{s.layout(r, actor, f.Title), f, nil}
	var limit *instance.LimitError
	if errors.As(err, &limit) {
		v.Own = limit.Own
		v.Fault.Hint = limitHint(limit)
	}
	v.Live = false
	if err := s.render(w, f.Status, "error", v); err != nil {
		s.cfg.Logger.Error("the error page failed", "err", err)
		http.Error(w, fmt.Sprintf("%d %s", f.Status, http.StatusText(f.Status)), f.Status)
	}
}

// limitHint says what helps against a limit of instances.
func limitHint(e *instance.LimitError) string {
	if len(e.Own) == 0 {
		return "Try again when one of them has ended."
	}
	return "Destroy one that you no longer need, then deploy again."
}

func (s *Server) notFound(_ http.ResponseWriter, r *http.Request, _ iap.Actor) error {
	return iap.Errorf("web", iap.NotFound, "no page at %s", r.URL.Path)
}

// Error answers with the page of an error, for what shares the portal's host
// with the pages.
func (s *Server) Error(w http.ResponseWriter, r *http.Request, err error) {
	actor, _ := s.cfg.Auth.Actor(r)
	s.fail(w, r, actor, err)
}
