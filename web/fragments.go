package web

import (
	"bytes"
	"context"
	"encoding/json"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/instance"
)

// messages returns what an event brings to a viewer, encoded; nothing when it
// does not concern the viewer. It is made once for each audience.
func (s *Server) messages(ctx context.Context, e event.Event, actor iap.Actor) [][]byte {
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
	return s.cache.get(renderKey{e.Number, audience}, func() [][]byte {
		f := fragments{s: s, ctx: context.WithoutCancel(ctx), e: e, actor: actor, owner: e.Owner == actor.ID}
		if err := f.make(); err != nil && !iap.IsKind(err, iap.NotFound) {
			s.cfg.Logger.Warn("rendering an event failed", "event", e.Number, "type", e.Type, "err", err)
			f.add("stale", nil)
		}
		return f.out
	})
}

// fragments collects what one event brings to one audience.
type fragments struct {
	s     *Server
	ctx   context.Context
	e     event.Event
	actor iap.Actor
	owner bool
	out   [][]byte
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
	case event.AppChanged:
		f.add("catalogue", nil)
	case event.ExecutionChanged, event.LeakFound, event.LockReleased:
		if f.e.Group != "" {
			f.add("changed-"+f.e.Group, nil)
		}
	}
	return nil
}

// add encodes a message of which the data is HTML.
func (f *fragments) add(name string, html []byte) { f.out = append(f.out, encodeMessage(name, html)) }

// part renders a part of a page as a message.
func (f *fragments) part(name, part string, data any) error {
	html, err := f.s.part(part, data)
	if err == nil {
		f.add(name, html)
	}
	return err
}

// instance renders an instance where it is shown: its own page first. whole
// means that its row and card have changed too, not its progress alone.
func (f *fragments) instance(id string, whole bool) error {
	s := f.s
	i, err := s.cfg.Instances.Get(f.ctx, f.actor, id)
	if err != nil {
		return err
	}
	v, err := s.withProgress(f.ctx, s.viewInstance(f.ctx, i, f.actor.ID))
	if err != nil {
		return err
	}
	if err := f.part("instance-"+id, "instance-board", v); err != nil {
		return err
	}
	f.add("changed-"+id, nil)
	if !whole {
		return nil
	}
	if err := f.part("row-"+id, "instance-row", v); err != nil {
		return err
	}
	if i.Status == instance.Queued {
		f.add("instances-new", nil)
	}
	if !f.owner {
		return nil
	}
	return f.mine(i.App)
}

// mine renders the owner's own instances and the card of the app.
func (f *fragments) mine(app string) error {
	s := f.s
	current, err := s.cfg.Instances.Current(f.ctx, f.actor)
	if err != nil {
		return err
	}
	if err := f.part("mine", "mine", s.viewMine(f.ctx, current, f.actor)); err != nil {
		return err
	}
	a, err := s.cfg.Apps.Get(f.ctx, app)
	if err != nil {
		return err
	}
	card := s.viewCard(f.ctx, a, current, nil, f.actor)
	if err := f.part("appstate-"+app, "app-state", card); err != nil {
		return err
	}
	return f.part("card-"+app, "card-state", card)
}

func (f *fragments) job() error {
	s := f.s
	j, err := s.cfg.Jobs.Get(f.ctx, f.e.Subject)
	if err != nil {
		return err
	}
	v := s.viewJob(j)
	if err := f.part("job-"+j.ID, "job-board", v); err != nil {
		return err
	}
	v.Words = s.wordsOf(f.ctx, f.actor, j)
	if err := f.part("jobrow-"+j.ID, "job-row", v); err != nil {
		return err
	}
	section := logSection{Job: v, Follow: !j.Status.Ended()}
	return f.part("logs-"+j.Instance, "log-section", section)
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
