package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/event/delivery"
)

// deliveryStates say the status of a delivery.
var deliveryStates = map[delivery.Status]statusView{
	delivery.Waiting:   {Name: "queued", Word: "Waiting", Hue: "working"},
	delivery.Delivered: {Name: "done", Word: "Delivered", Hue: "running"},
	delivery.Dead:      {Name: "failed", Word: "Dead letter", Hue: "failed"},
	delivery.Dropped:   {Name: "cancelled", Word: "Dropped", Hue: "waiting"},
}

// deliveryView is a delivery in a list or on its page.
type deliveryView struct {
	delivery.Delivery
	State    statusView
	Attempts []attemptView // where they were read
}

// attemptView is an attempt with what it is part of.
type attemptView struct {
	delivery.Attempt
	Seconds float64
	Again   bool // it is the first after a redrive
	Cut     bool // the answer is longer than what is kept
}

func viewDelivery(d delivery.Delivery, attempts []delivery.Attempt) deliveryView {
	v := deliveryView{Delivery: d, State: deliveryStates[d.Status]}
	switch {
	case d.Parked():
		v.State.Note = "for the one before it"
	case d.Status == delivery.Waiting && d.Attempt > 0:
		v.State.Hue, v.State.Word = "ending", "Trying again"
	}
	redrive := ""
	for _, a := range attempts {
		v.Attempts = append(v.Attempts, attemptView{Attempt: a, Seconds: a.Took.Seconds(), Again: a.Redrive != redrive,
			Cut: len(a.Answer) >= delivery.MaxAnswer})
		redrive = a.Redrive
	}
	return v
}

// NextTry is when the next attempt is made; the zero time when nobody can say.
func (v deliveryView) NextTry() time.Time {
	if v.Status != delivery.Waiting || v.Parked() {
		return time.Time{}
	}
	return v.NextAt
}

// ruleNote is a rule that chooses an event, with what that comes to.
type ruleNote struct {
	delivery.Rule
	Led  bool // a delivery came of it
	Late bool // it was added or resumed after the event
}

type eventPage struct {
	layout
	E          event.Event
	About      event.Described // of its type; empty where it is none of the portal's own
	Refs       []eventRef
	Data       dataView
	Deliveries []deliveryView
	Rules      []ruleNote
	Newest     bool
}

// Before and After are the numbers of the events beside it.
func (p eventPage) Before() int64 { return p.E.Number - 1 }
func (p eventPage) After() int64  { return p.E.Number + 1 }

// Like is a condition that chooses events of this one's type.
func (p eventPage) Like() string {
	return "event.type == '" + strings.ReplaceAll(p.E.Type, "'", "\\'") + "'"
}

// mostDeliveries is how many deliveries of an event its page shows.
const mostDeliveries = 100

func (s *Server) eventPage(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	text := r.PathValue("number")
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil || number < 1 {
		return iap.Errorf("web.event", iap.NotFound, "%.40q is not the number of an event", text)
	}
	p := eventPage{layout: s.layout(r, actor, "Event "+text)}
	p.Newest = number >= p.Last
	if p.E, err = s.cfg.Reader.EventAt(r.Context(), number); err != nil {
		if iap.IsKind(err, iap.NotFound) {
			err = iap.Errorf("web.event", iap.NotFound, "there is no event %d", number)
			if number <= p.Last {
				err = iap.Errorf("web.event", iap.NotFound, "event %d is not kept any more", number)
			}
		}
		return err
	}
	p.About, _ = event.Describe(p.E.Type)
	p.Refs, p.Data = eventRefs(p.E), viewData("Data", string(p.E.Data))
	if p.Deliveries, err = s.deliveriesOf(r.Context(), actor, number); err != nil {
		return err
	}
	if p.Rules, err = s.rulesFor(r.Context(), actor, p.E, p.Deliveries); err != nil {
		return err
	}
	return s.render(w, http.StatusOK, "event", p)
}

// deliveriesOf returns the deliveries of an event with their attempts.
func (s *Server) deliveriesOf(ctx context.Context, actor iap.Actor, number int64) (out []deliveryView, err error) {
	all, err := s.cfg.Deliveries.Deliveries(ctx, actor, delivery.Filter{Number: number, Limit: mostDeliveries})
	if err != nil {
		return nil, err
	}
	for _, d := range all {
		d, attempts, err := s.cfg.Deliveries.Delivery(ctx, actor, d.ID())
		if err != nil {
			return nil, err
		}
		out = append(out, viewDelivery(d, attempts))
	}
	return out, nil
}

// rulesFor returns the rules that choose an event, and those that no longer do
// but from which a delivery of it came.
func (s *Server) rulesFor(ctx context.Context, actor iap.Actor, e event.Event, ds []deliveryView) ([]ruleNote, error) {
	rules, err := s.cfg.Deliveries.Choosing(ctx, actor, e)
	if err != nil {
		return nil, err
	}
	var out []ruleNote
	for _, r := range rules {
		out = append(out, ruleNote{Rule: r, Late: r.After >= e.Number})
	}
	for _, d := range ds {
		found := false
		for i := range out {
			if out[i].Name == d.Rule {
				out[i].Led, found = true, true
			}
		}
		if !found {
			out = append(out, ruleNote{Rule: delivery.Rule{Name: d.Rule}, Led: true})
		}
	}
	return out, nil
}
