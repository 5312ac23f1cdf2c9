package cli

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/internal-app-portal/iap/client"
)

// leakSchedule is the schedule that compares the platform with the database.
const leakSchedule = "leaks"

type leakCmd struct {
	List  leakListCmd  `cmd:"" help:"List what outlived its instance, newest first." aliases:"ls"`
	Show  leakShowCmd  `cmd:"" help:"Show a leak with what to do about it."`
	Check leakCheckCmd `cmd:"" help:"Look for leaks now; it is done every hour by itself."`
	Rm    leakRmCmd    `cmd:"" help:"Remove what leaked at once." aliases:"remove"`
}

type leakListCmd struct {
	All   bool `short:"a" help:"Those that are gone as well."`
	Limit int  `short:"n" help:"How many at most; 0: all." default:"0"`
}

func (c *leakListCmd) Run(r *run) error {
	limit := c.Limit
	if limit <= 0 {
		limit = int(^uint(0) >> 1)
	}
	cl, err := r.client()
	if err != nil {
		return err
	}
	leaks, err := pages(limit, func(before string, limit int) (client.List[client.Leak], error) {
		return cl.Leaks(r.ctx, c.All, before, limit)
	})
	if err != nil {
		return err
	}
	if r.json() {
		return r.writeJSON(leaks)
	}
	t := &table{head: []string{"LEAK", "WHAT", "NAME", "APP", "OWNER", "SINCE", "WHAT HAPPENS"}}
	for _, l := range leaks {
		t.add(l.ID, l.Kind, l.Name, l.App, l.Owner, clock(l.Since, r.now()), r.fateOf(l))
	}
	t.write(r.out, r.width, nil)
	if len(leaks) == 0 {
		r.hint("nothing is left behind")
	}
	return nil
}

// fateOf is what becomes of a leak, in a few words.
func (r *run) fateOf(l client.Leak) string {
	switch {
	case !l.GoneAt.IsZero():
		return "gone " + clock(l.GoneAt, r.now())
	case !l.RemoveAt.IsZero():
		return "removed " + clock(l.RemoveAt, r.now())
	case l.Made:
		return "destroyed again"
	}
	return "reported only"
}

type leakShowCmd struct {
	ID string `arg:"" help:"ID of the leak."`
}

func (c *leakShowCmd) Run(r *run) error {
	cl, err := r.client()
	if err != nil {
		return err
	}
	l, err := cl.Leak(r.ctx, c.ID)
	if err != nil {
		return err
	}
	return r.writeLeak(l)
}

func (r *run) writeLeak(l client.Leak) error {
	if r.json() {
		return r.writeJSON(l)
	}
	facts := [][2]string{{"leak", l.ID}, {"what", l.Platform + " " + l.Kind}, {"name", l.Name}, {"id", l.Resource},
		{"host name", l.HostName}, {"instance", l.Instance}, {"app", l.App}, {"owner", l.Owner},
		{"since", clock(l.Since, r.now())}, {"cost", fmt.Sprintf("%.2f", l.Cost)}, {"found", clock(l.FoundAt, r.now())}, {"what happens", r.fateOf(l)}}
	if l.Tries > 0 {
		facts = append(facts, [2]string{"tries", strconv.Itoa(l.Tries)}, [2]string{"problem", l.Problem})
	}
	if l.GoneBy != "" {
		facts = append(facts, [2]string{"removed by", l.GoneBy})
	}
	if l.Advice != "" {
		facts = append(facts, [2]string{"advice", l.Advice})
	}
	r.facts(facts)
	return nil
}

type leakCheckCmd struct {
	Limit time.Duration `name:"timeout" help:"How long to wait." default:"10m"`
}

func (c *leakCheckCmd) Run(r *run) error {
	return (&scheduleRunCmd{Name: leakSchedule, Wait: true, Limit: c.Limit}).Run(r)
}

// checkText says what a look for leaks has come to; false when the output is not
// that of one.
func checkText(output json.RawMessage) (string, bool) {
	var c struct{ Looked, Leaks, Found, Removed, Gone *int }
	if json.Unmarshal(output, &c) != nil || c.Looked == nil || c.Leaks == nil || c.Found == nil || c.Removed == nil || c.Gone == nil {
		return "", false
	}
	return fmt.Sprintf("looked at %d; left behind %d, of which new %d; removed %d, gone by themselves %d",
		*c.Looked, *c.Leaks, *c.Found, *c.Removed, *c.Gone), true
}

type leakRmCmd struct {
	IDs []string `arg:"" name:"id" help:"IDs of leaks."`
	Yes bool     `short:"y" help:"Do not ask."`
}

func (c *leakRmCmd) Run(r *run) error {
	cl, err := r.client()
	if err != nil {
		return err
	}
	for _, id := range c.IDs {
		l, err := cl.Leak(r.ctx, id)
		if err != nil {
			return err
		}
		if err := c.confirm(r, l); err != nil {
			return err
		}
		if l, err = cl.RemoveLeak(r.ctx, id); err != nil {
			return err
		}
		if r.json() {
			err = r.writeJSON(l)
		} else {
			r.print("%s %s%sremoved", l.Kind, printable(l.Name), gap)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// confirm asks where somebody can be asked.
func (c *leakRmCmd) confirm(r *run, l client.Leak) error {
	switch {
	case c.Yes:
		return nil
	case !r.inTerm:
		return exitf(codeUsage, "say --yes to remove the %s %s without being asked", l.Kind, printable(l.Name))
	}
	ok, err := r.ask("Remove the %s %s of %s?", l.Kind, printable(l.Name), printable(l.HostName))
	if err == nil && !ok {
		err = exitf(codeFailed, "nothing was removed")
	}
	return err
}
