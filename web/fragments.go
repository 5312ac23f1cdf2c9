package web

import (
	"bytes"
	"context"
	"encoding/json"
	"sync"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/job"
)

// messages returns what an event brings to a viewer; nothing when it does not
// concern the viewer. It is made once for each audience, and each fragment of it
// is read and rendered when the first stream wants it.
func (s *Server) messages(ctx context.Context, e event.Event, actor iap.Actor) []*fragment {
	audience := ""
	switch {
	case e.Type == event.AppChanged:
		audience = "all"
	case e.Owner == actor.ID:
		audience = "owner"
	case actor.Role.Includes(iap.Admin):
		audience = "admin"
	default:
		return nil
	}
	return s.cache.get(renderKey{e.Number, audience}, func() []*fragment {
		f := fragments{s: s, ctx: context.WithoutCancel(ctx), e: e, actor: actor, owner: e.Owner == actor.ID}
		f.make()
		return f.out
	})
}

// fragment is one message of an event.
type fragment struct {
	name   string
	render func() ([]byte, error) // HTML; nil: a message without data
	once   sync.Once
	text   []byte // as sent; empty: what it shows is there no more
}

// encoded returns the message as sent, rendering it at the first call.
func (f *fragment) encoded() []byte {
	f.once.Do(func() {
		name, html := f.name, []byte(nil)
		if f.render != nil {
			var err error
			if html, err = f.render(); iap.IsKind(err, iap.NotFound) {
				return
			} else if err != nil { // it was reported
				name, html = "stale", nil
			}
		}
		f.text = encodeMessage(name, html)
	})
	return f.text
}

// fragments collects what one event brings to one audience.
type fragments struct {
	s     *Server
	ctx   context.Context
	e     event.Event
	actor iap.Actor
	owner bool
	out   []*fragment
}

// make names the fragments. It reads nothing but the event: most streams want
// none of what most events bring.
func (f *fragments) make() {
	f.part(tailName, "event-row", func() (any, error) { return viewEventRow(f.e), nil })
	switch f.e.Type {
	case event.InstanceChanged:
		f.changed()
	case event.JobChanged:
		f.job()
		f.board(f.e.Group)
	case event.MapRunChanged:
		f.mapRun(f.e.Subject)
	case event.DeliveryDead, event.TargetChanged:
		f.part("dead-letters", "dead-badge", func() (any, error) { return f.s.deadLetters(f.ctx, f.actor), nil })
	case event.SweepFinished:
		f.add("sweep-" + f.e.Subject)
	case event.RedriveChanged:
		f.part("redrive-"+f.e.Subject, "redrive-board", func() (any, error) { return f.s.viewRedrive(f.ctx, f.actor, f.e.Subject) })
		f.part("dead-letters", "dead-badge", func() (any, error) { return f.s.deadLetters(f.ctx, f.actor), nil })
	case event.AppChanged:
		f.add("catalogue")
	case event.BookingChanged:
		f.booked()
	case event.ExecutionChanged, event.LeakFound, event.LeakGone, event.LockReleased:
		if f.e.Type == event.LeakFound || f.e.Type == event.LeakGone {
			f.add("leaks-new")
		}
		if f.e.Group != "" {
			f.add("changed-" + f.e.Group)
		}
		if f.e.Type == event.ExecutionChanged {
			f.executed()
		}
	}
}

// add adds a message that has a name alone.
func (f *fragments) add(name string) { f.out = append(f.out, &fragment{name: name}) }

// hint adds a message that a list has changed: one that shows the row, which is
// an element's ID, shows the change itself.
func (f *fragments) hint(name, row string) {
	f.out = append(f.out, &fragment{name: name, render: func() ([]byte, error) { return []byte(row), nil }})
}

// part adds a part of a page as a message; data is asked for when it is
// rendered.
func (f *fragments) part(name, part string, data func() (any, error)) {
	f.out = append(f.out, &fragment{name: name, render: func() ([]byte, error) {
		d, err := data()
		if err == nil {
			var html []byte
			if html, err = f.s.part(part, d); err == nil {
				return html, nil
			}
		}
		f.failed(err)
		return nil, err
	}})
}

func (f *fragments) failed(err error) {
	if !iap.IsKind(err, iap.NotFound) {
		f.s.cfg.Logger.Warn("rendering an event failed", "event", f.e.Number, "type", f.e.Type, "err", err)
	}
}

// board shows how far an instance is on its own page. The returned function
// reads the instance as all fragments show it.
func (f *fragments) board(id string) (view func() (instanceView, error)) {
	s := f.s
	view = sync.OnceValues(func() (instanceView, error) {
		i, err := s.cfg.Instances.Get(f.ctx, f.actor, id)
		if err != nil {
			return instanceView{}, err
		}
		return s.viewInstance(f.ctx, i, f.actor.ID), nil
	})
	f.part("instance-"+id, "instance-board", func() (any, error) {
		v, err := view()
		if err != nil {
			return nil, err
		}
		return s.withProgress(f.ctx, v)
	})
	f.add("changed-" + id)
	return view
}

// changed shows an instance where it is: its own page first, then its row and
// its card.
func (f *fragments) changed() {
	var is instance.Snapshot
	if err := json.Unmarshal(f.e.Data, &is); err != nil {
		f.failed(err)
		f.add("stale")
		return
	}
	view := f.board(f.e.Subject)
	f.part("row-"+f.e.Subject, "instance-row", func() (any, error) { return view() })
	if is.Status == instance.Queued {
		f.add("instances-new")
	}
	if f.owner {
		f.mine(is.App)
	}
}

// mine shows the owner's own instances and the card of the app.
func (f *fragments) mine(app string) {
	s := f.s
	current := sync.OnceValues(func() (map[string]instance.Instance, error) { return s.cfg.Instances.Current(f.ctx, f.actor) })
	card := sync.OnceValues(func() (any, error) {
		own, err := current()
		if err != nil {
			return nil, err
		}
		a, err := s.cfg.Apps.Get(f.ctx, app)
		if err != nil {
			return nil, err
		}
		return s.viewCard(f.ctx, a, own, nil, f.actor), nil
	})
	f.part("mine", "mine", func() (any, error) {
		own, err := current()
		if err != nil {
			return nil, err
		}
		return s.viewMine(f.ctx, own, f.actor), nil
	})
	f.part("appstate-"+app, "app-state", card)
	f.part("card-"+app, "card-state", card)
}

// job shows a job where it is: its own page, its row, its log.
func (f *fragments) job() {
	s := f.s
	read := sync.OnceValues(func() (job.Job, error) { return s.cfg.Jobs.Get(f.ctx, f.e.Subject) })
	row := func() (v jobView, err error) {
		j, err := read()
		if err == nil {
			v = s.viewJob(j)
			v.Words = s.wordsOf(f.ctx, f.actor, j)
		}
		return v, err
	}
	f.part("job-"+f.e.Subject, "job-board", func() (any, error) {
		j, err := read()
		return s.viewJob(j), err
	})
	f.part("jobrow-"+f.e.Subject, "job-row", func() (any, error) { return row() })
	f.part("logs-"+f.e.Group, "log-section", func() (any, error) {
		v, err := row()
		return logSection{Job: v, Follow: !v.Job.Status.Ended()}, err
	})
}

// encodeMessage writes a message's name and data as the data of a server-sent
// event. White space at the ends of HTML's lines is left out.
func encodeMessage(name string, data []byte) []byte {
	b := make([]byte, 0, len(data)+len(name)+32)
	b = append(append(append(b, "data: "...), name...), '\n')
	for line := range bytes.Lines(data) {
		line = bytes.Trim(line, " \t\r\n")
		if len(line) == 0 {
			continue
		}
		b = append(b, "data: "...)
		for _, c := range line {
			if c == '\r' { // would end the line for a browser
				c = ' '
			}
			b = append(b, c)
		}
		b = append(b, '\n')
	}
	return append(b, '\n')
}

// marshalText writes a JSON string.
func marshalText(s string) ([]byte, error) { return json.Marshal(s) }
