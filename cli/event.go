package cli

import (
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/client"
	"github.com/internal-app-portal/iap/event"
)

type eventCmd struct {
	Tail eventTailCmd `cmd:"" help:"Print events as they happen, until it is stopped."`
	List eventListCmd `cmd:"" help:"List events, newest first." aliases:"ls"`
	Show eventShowCmd `cmd:"" help:"Show one event, and to admins its deliveries."`
	Send eventSendCmd `cmd:"" help:"Send an event to the portal."`

	Types eventTypesCmd `cmd:"" help:"List the types of the portal's own events, or show the JSON Schema of one."`
}

type eventTailCmd struct {
	Type  string `help:"Of this type; with * at its end all that begin so." placeholder:"TYPE"`
	After int64  `help:"Begin after the event with this number; default: from now on." placeholder:"NUMBER"`
	Limit int    `short:"n" help:"End after so many events." placeholder:"N"`
}

// errEnough ends a tail.
var errEnough = errors.New("that is enough")

func (c *eventTailCmd) Run(r *run) error {
	cl, err := r.client()
	if err != nil {
		return err
	}
	me, err := cl.Me(r.ctx)
	if err != nil {
		return err
	}
	seen := 0
	err = cl.Follow(r.ctx, client.Follow{After: c.After, All: me.Role == string(iap.Admin), Event: func(e client.Event) error {
		if !event.OfType(e.Type, c.Type) {
			return nil
		}
		if err := r.tailed(e); err != nil {
			return err
		}
		if seen++; c.Limit > 0 && seen >= c.Limit {
			return errEnough
		}
		return nil
	}})
	if errors.Is(err, errEnough) || r.ctx.Err() != nil {
		return nil
	}
	return err
}

func (r *run) tailed(e client.Event) error {
	if r.json() {
		return r.writeJSONLine(e)
	}
	r.print("%d%s%s%s%s%s%s", e.Number, gap, e.Time.Local().Format("15:04:05"), gap, printable(e.Type), gap, printable(e.Subject))
	return nil
}

type eventListCmd struct {
	Type    string `help:"Of this type; with * at its end all that begin so." placeholder:"TYPE"`
	Source  string `help:"Of this source." placeholder:"SOURCE"`
	Subject string `help:"About this." placeholder:"SUBJECT"`
	Text    string `help:"With these words in it, in whatever case." placeholder:"TEXT"`

	Since time.Duration `help:"No older than this: 90m, 48h." placeholder:"DURATION"`
	Limit int           `short:"n" help:"How many at most." default:"50"`
}

func (c *eventListCmd) Run(r *run) error {
	if c.Limit < 1 || c.Limit > 100000 {
		return exitf(codeUsage, "--limit %d is not between 1 and 100000", c.Limit)
	}
	since, err := r.since(c.Since)
	if err != nil {
		return err
	}
	cl, err := r.client()
	if err != nil {
		return err
	}
	f := client.EventFilter{Type: c.Type, Source: c.Source, Subject: c.Subject, Text: c.Text, Since: since}
	events, err := pages(c.Limit, func(before string, limit int) (client.List[client.Event], error) {
		f.Before, f.Limit = before, limit
		return cl.EventLog(r.ctx, f)
	})
	if err != nil {
		return err
	}
	if r.json() {
		return r.writeJSON(events)
	}
	r.writeEvents(events)
	return nil
}

type eventShowCmd struct {
	Number int64 `arg:"" help:"Number of the event."`
}

// shownEvent is what event show writes as JSON.
type shownEvent struct {
	client.Event
	Deliveries []client.Delivery `json:"deliveries"`
}

func (c *eventShowCmd) Run(r *run) error {
	cl, err := r.client()
	if err != nil {
		return err
	}
	e, err := cl.EventAt(r.ctx, c.Number)
	if err != nil {
		return err
	}
	me, err := cl.Me(r.ctx)
	if err != nil {
		return err
	}
	out := shownEvent{e, []client.Delivery{}}
	if me.Role == string(iap.Admin) {
		ds, err := cl.Deliveries(r.ctx, client.DeliveryFilter{Number: c.Number, Limit: 500})
		if err != nil {
			return err
		}
		out.Deliveries = ds.Items
	}
	if r.json() {
		return r.writeJSON(out)
	}
	r.facts([][2]string{{"number", strconv.FormatInt(e.Number, 10)}, {"time", clock(e.Time, r.now())}, {"type", e.Type}, {"subject", e.Subject},
		{"source", e.Source}, {"id", e.ID}, {"owner", e.Owner}, {"group", e.Group}, {"attributes", string(e.Extensions)}, {"data", string(e.Data)}})
	if len(out.Deliveries) > 0 {
		r.print("")
		r.writeDeliveries(out.Deliveries)
	}
	return nil
}

type eventSendCmd struct {
	Type    string `help:"Type of the event." required:"" placeholder:"TYPE"`
	Source  string `help:"Who tells of it, as a URI." default:"/cli" placeholder:"SOURCE"`
	ID      string `help:"Each source and id is taken once; default: a new one." placeholder:"ID"`
	Subject string `help:"What it is about." placeholder:"SUBJECT"`
	Data    string `help:"Its data: JSON, or @FILE." default:"{}" placeholder:"JSON|@FILE"`
}

func (c *eventSendCmd) Run(r *run) error {
	data, err := r.inputText(c.Data)
	if err != nil {
		return err
	}
	if c.ID == "" {
		c.ID = iap.NewID(time.Now())
	}
	body, err := json.Marshal(map[string]any{"specversion": "1.0", "id": c.ID, "source": c.Source, "type": c.Type, "subject": c.Subject,
		"data": json.RawMessage(data.String())})
	if err != nil {
		return err
	}
	cl, err := r.client()
	if err != nil {
		return err
	}
	sent, err := cl.SendEvents(r.ctx, body)
	if err != nil {
		return err
	}
	if r.json() {
		return r.writeJSON(sent.Events)
	}
	for _, e := range sent.Events {
		r.print("%d", e.Number)
	}
	return nil
}
