package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/internal-app-portal/iap/client"
	"github.com/internal-app-portal/iap/event"
)

type deadLetterCmd struct {
	List    deadLetterListCmd    `cmd:"" help:"List dead letters, newest events first." aliases:"ls"`
	Show    deadLetterShowCmd    `cmd:"" help:"Show a dead letter with its attempts and their answers."`
	Redrive deadLetterRedriveCmd `cmd:"" help:"Deliver dead letters again, in the order of their events."`
	Delete  deadLetterDeleteCmd  `cmd:"" help:"Give dead letters up for good."`
}

type deadLetterListCmd struct {
	Target string        `help:"Of this target." placeholder:"NAME"`
	Type   string        `help:"Of events of this type; with * at its end all that begin so." placeholder:"TYPE"`
	Since  time.Duration `help:"Given up no longer ago than this: 90m, 48h." placeholder:"DURATION"`
	Limit  int           `short:"n" help:"How many at most; 0: all." default:"0"`
}

// since is the time a duration ago; no duration is no time.
func (r *run) since(d time.Duration) (at time.Time, err error) {
	switch {
	case d < 0:
		return at, exitf(codeUsage, "--since %s is not a length of time above 0", d)
	case d > 0:
		at = r.now().Add(-d)
	}
	return at, nil
}

func (c *deadLetterListCmd) Run(r *run) error {
	limit := c.Limit
	if limit <= 0 {
		limit = int(^uint(0) >> 1)
	}
	since, err := r.since(c.Since)
	if err != nil {
		return err
	}
	cl, err := r.client()
	if err != nil {
		return err
	}
	letters, err := pages(limit, func(before string, limit int) (client.List[client.Delivery], error) {
		return cl.Deliveries(r.ctx, client.DeliveryFilter{Target: c.Target, Type: c.Type, Status: "dead", Since: since, Before: before, Limit: limit})
	})
	if err != nil {
		return err
	}
	if r.json() {
		return r.writeJSON(letters)
	}
	r.writeDeliveries(letters)
	if len(letters) == 0 {
		r.hint("there is no dead letter")
	}
	return nil
}

func (r *run) writeDeliveries(ds []client.Delivery) {
	t := &table{head: []string{"DELIVERY", "TYPE", "SUBJECT", "STATUS", "ATTEMPTS", "ENDED", "REASON"}}
	for _, d := range ds {
		t.add(d.ID, d.EventType, d.Subject, d.Status, strconv.Itoa(d.Attempts), clock(d.EndedAt, r.now()), d.Reason)
	}
	t.write(r.out, r.width, nil)
}

type deadLetterShowCmd struct {
	ID string `arg:"" help:"ID of the dead letter."`
}

func (c *deadLetterShowCmd) Run(r *run) error {
	cl, err := r.client()
	if err != nil {
		return err
	}
	d, err := cl.Delivery(r.ctx, c.ID)
	if err != nil {
		return err
	}
	if r.json() {
		return r.writeJSON(d)
	}
	r.facts([][2]string{{"delivery", d.ID}, {"event", fmt.Sprintf("%d, %s", d.Number, d.EventType)}, {"subject", d.Subject}, {"target", d.Target},
		{"rule", d.Rule}, {"status", d.Status}, {"since", clock(d.Since, r.now())}, {"ended", clock(d.EndedAt, r.now())}, {"reason", d.Reason}})
	r.print("")
	t := &table{head: []string{"ATTEMPT", "AT", "TOOK", "CODE", "ERROR", "ANSWER"}}
	for _, a := range d.Tries {
		t.add(strconv.Itoa(a.Number), clock(a.At, r.now()), secondsText(time.Duration(a.TookSeconds*float64(time.Second))), codeText(a.Code), a.Error, a.Answer)
	}
	t.write(r.out, r.width, nil)
	return nil
}

func codeText(code int) string {
	if code == 0 {
		return ""
	}
	return strconv.Itoa(code)
}

type deadLetterRedriveCmd struct {
	IDs    []string      `arg:"" optional:"" name:"id" help:"IDs of dead letters."`
	All    bool          `help:"All of them, or all that --target, --type and --since choose."`
	Target string        `help:"With --all: of this target." placeholder:"NAME"`
	Type   string        `help:"With --all: of events of this type." placeholder:"TYPE"`
	Since  time.Duration `help:"With --all: of those given up no longer ago than this." placeholder:"DURATION"`
	Wait   bool          `help:"Wait until each was delivered or is dead again."`
	Limit  time.Duration `name:"timeout" help:"How long to wait." default:"1h"`
}

func (c *deadLetterRedriveCmd) Run(r *run) error {
	if c.All == (len(c.IDs) > 0) {
		return exitf(codeUsage, "give the IDs of dead letters, or --all")
	}
	since, err := r.since(c.Since)
	if err != nil {
		return err
	}
	cl, err := r.client()
	if err != nil {
		return err
	}
	p, err := cl.Redrive(r.ctx, client.RedriveRequest{IDs: c.IDs, All: c.All, Target: c.Target, Type: c.Type, Since: since})
	if err != nil {
		return err
	}
	if c.Wait && p.Total > 0 {
		if p, err = r.waitRedriven(cl, p, c.Limit); err != nil {
			return err
		}
	}
	if r.json() {
		err = r.writeJSON(p)
	} else {
		r.print("%s", redriveWords(p))
	}
	if err == nil && p.Dead > 0 {
		return &exitError{code: codeFailed}
	}
	return err
}

func redriveWords(p client.Redrive) string {
	if p.Total == 0 {
		return "there is nothing to redrive"
	}
	return fmt.Sprintf("%d redriven: %d delivered, %d waiting, %d dead again", p.Total, p.Delivered, p.Waiting, p.Dead)
}

// waitRedriven follows a redrive until nothing of it waits.
func (r *run) waitRedriven(cl *client.Client, p client.Redrive, limit time.Duration) (client.Redrive, error) {
	ctx, cancel := context.WithTimeout(r.ctx, limit)
	defer cancel()
	refresh := func() (err error) {
		if p, err = cl.RedriveProgress(ctx, p.ID); err != nil {
			return err
		}
		if p.Waiting == 0 {
			return errEnough
		}
		r.hint("%s", redriveWords(p))
		return nil
	}
	err := cl.Follow(ctx, client.Follow{All: true, Opened: refresh, Event: func(e client.Event) error {
		if e.Type != event.RedriveChanged || e.Subject != p.ID {
			return nil
		}
		return refresh()
	}, Lost: func(error) { r.hint("the portal does not answer; trying again") }})
	switch {
	case errors.Is(err, errEnough):
		return p, nil
	case r.ctx.Err() != nil:
		return p, context.Cause(r.ctx)
	case ctx.Err() != nil:
		return p, exitf(codeTimeout, "%s; the rest goes on", redriveWords(p))
	}
	return p, err
}

type deadLetterDeleteCmd struct {
	IDs    []string `arg:"" name:"id" help:"IDs of dead letters."`
	Reason string   `help:"Why the events need not be delivered." required:"" placeholder:"TEXT"`
}

func (c *deadLetterDeleteCmd) Run(r *run) error {
	cl, err := r.client()
	if err != nil {
		return err
	}
	if err := cl.DeleteLetters(r.ctx, client.DeleteLetters{IDs: c.IDs, Reason: c.Reason}); err != nil {
		return err
	}
	if r.json() {
		return r.writeJSON(c.IDs)
	}
	for _, id := range c.IDs {
		r.print("%s%sdeleted", printable(id), gap)
	}
	return nil
}

func eventNumber(e client.Event) string { return strconv.FormatInt(e.Number, 10) }
