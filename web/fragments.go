package web

import (
	"bytes"
	"context"
	"encoding/json"
	"sync"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/instance"
)

// messages returns what an event brings to a viewer; nothing when it does not
// concern the viewer. It is made once for each audience, and each fragment of it
// is rendered when the first stream wants it.
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
		if err := f.make(); err != nil && !iap.IsKind(err, iap.NotFound) {
			f.failed(err)
			f.add("stale")
		}
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
		var html []byte
		if f.render != nil {
			var err error
			if html, err = f.render(); iap.IsKind(err, iap.NotFound) {
				return
			} else if err != nil { // it was reported
				f.name, html = "stale", nil
			}
		}
		f.text = encodeMessage(f.name, html)
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

func (f *fragments) make() error {
	switch f.e.Type {
	case event.InstanceChanged:
		return f.instance(f.e.Subject, true)
	case event.JobChanged:
		if err := f.job(); err != nil {
			return err
		}
		return f.instance(f.e.Group, false)
	case event.MapRunChanged:
		return f.mapRun(f.e.Subject)
	case event.AppChanged:
		f.add("catalogue")
	case event.ExecutionChanged, event.LeakFound, event.LockReleased:
		if f.e.Group != "" {
			f.add("changed-" + f.e.Group)
		}
		if f.e.Type == event.ExecutionChanged {
			f.add("executions-new")
		}
	}
	return nil
}

// add adds a message that has a name alone.
func (f *fragments) add(name string) { f.out = append(f.out, &fragment{name: name}) }

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

// instance shows an instance where it is: its own page first. whole means that
// its row and card have changed too, not its progress alone.
func (f *fragments) instance(id string, whole bool) error {
	s := f.s
	i, err := s.cfg.Instances.Get(f.ctx, f.actor, id)
	if err != nil {
		return err
	}
	view := sync.OnceValue(func() instanceView { return s.viewInstance(f.ctx, i, f.actor.ID) })
	f.part("instance-"+id, "instance-board", func() (any, error) { return s.withProgress(f.ctx, view()) })
	f.add("changed-" + id)
	if !whole {
		return nil
	}
	f.part("row-"+id, "instance-row", func() (any, error) { return view(), nil })
	if i.Status == instance.Queued {
		f.add("instances-new")
	}
	if f.owner {
		f.mine(i.App)
	}
	return nil
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

func (f *fragments) job() error {
	s := f.s
	j, err := s.cfg.Jobs.Get(f.ctx, f.e.Subject)
	if err != nil {
		return err
	}
	f.part("job-"+j.ID, "job-board", func() (any, error) { return s.viewJob(j), nil })
	f.part("jobrow-"+j.ID, "job-row", func() (any, error) {
		v := s.viewJob(j)
		v.Words = s.wordsOf(f.ctx, f.actor, j)
		return v, nil
	})
	f.part("logs-"+j.Instance, "log-section", func() (any, error) {
		v := s.viewJob(j)
		v.Words = s.wordsOf(f.ctx, f.actor, j)
		return logSection{Job: v, Follow: !j.Status.Ended()}, nil
	})
	return nil
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
