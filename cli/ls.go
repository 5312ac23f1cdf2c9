package cli

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/internal-app-portal/iap/client"
)

type lsCmd struct {
	All    bool     `short:"a" help:"Everybody's, for admins."`
	Ended  bool     `help:"Those too that have ended."`
	App    string   `help:"Of this app alone." placeholder:"APP" complete:"app"`
	Status []string `help:"With one of these statuses alone." placeholder:"STATUS" complete:"status"`
	Watch  bool     `short:"w" help:"Go on and show each change as it happens."`
}

// liveStatuses are those that ls shows by itself: what lives, and what failed
// to go away.
var liveStatuses = []string{client.StatusQueued, client.StatusDeploying, client.StatusChecking,
	client.StatusRunning, client.StatusDestroying, client.StatusDestroyFailed}

// allStatuses are those that an instance can have.
var allStatuses = append(slices.Clone(liveStatuses), client.StatusDestroyed, client.StatusDeployFailed)

func (c *lsCmd) statuses() []string {
	if len(c.Status) > 0 || c.Ended {
		return c.Status
	}
	return liveStatuses
}

func (c *lsCmd) Run(r *run) error {
	cl, err := r.client()
	if err != nil {
		return err
	}
	if c.Watch {
		if err := c.checkApp(r, cl); err != nil {
			return err
		}
		return c.watch(r, cl)
	}
	list, err := c.list(r, cl)
	if err == nil && len(list) == 0 {
		err = c.checkApp(r, cl)
	}
	if err != nil {
		return err
	}
	if r.json() {
		return r.writeJSON(list)
	}
	if len(list) == 0 {
		r.hint("nothing is there; deploy an app with: iap deploy APP (iap app list names them)")
	}
	c.write(r, list)
	return nil
}

// checkApp returns an error when the app that was asked for is unknown. One
// that is retired is known.
func (c *lsCmd) checkApp(r *run, cl *client.Client) error {
	if c.App == "" {
		return nil
	}
	_, err := cl.App(r.ctx, c.App)
	var answer *client.Error
	if errors.As(err, &answer) && answer.Status == http.StatusNotFound && len(answer.Errors) == 0 {
		return nil
	}
	return err
}

// list reads all pages.
func (c *lsCmd) list(r *run, cl *client.Client) ([]client.Instance, error) {
	f := client.InstanceFilter{App: c.App, All: c.All, Status: c.statuses(), Limit: 500}
	out := []client.Instance{}
	for {
		page, err := cl.Instances(r.ctx, f)
		if err != nil {
			return nil, err
		}
		out = append(out, page.Items...)
		if f.Before = page.Next; f.Before == "" {
			return out, nil
		}
	}
}

// write writes a table and returns the number of its lines.
func (c *lsCmd) write(r *run, list []client.Instance) int {
	t := &table{head: []string{"NAME", "APP", "STATUS", "ENDS", "ADDRESS"}}
	if c.All {
		t.head = slices.Insert(t.head, 2, "OWNER")
	}
	for _, i := range list {
		row := []string{i.HostName, i.App, statusWords(i.Status), clock(i.EndsAt, r.now()), addressOrReason(i)}
		if i.Ended() {
			row[3] = ""
		}
		if c.All {
			row = slices.Insert(row, 2, i.Owner)
		}
		t.add(row...)
	}
	status := slices.Index(t.head, "STATUS")
	t.write(r.out, r.width, func(col int, cell, padded string) string {
		if col != status {
			return padded
		}
		return paint(r.color, styleOf(strings.ReplaceAll(cell, " ", "_")), padded)
	})
	if len(t.rows) == 0 {
		return 0
	}
	return len(t.rows) + 1
}

// addressOrReason is what a person wants to know of an instance next.
func addressOrReason(i client.Instance) string {
	switch {
	case i.URL != "":
		return i.URL
	case i.Reason != "":
		return i.Reason
	case i.Waiting != "":
		return "waits for " + i.Waiting
	}
	return i.EndReason
}

// watch shows the instances and each change of them until it is interrupted.
func (c *lsCmd) watch(r *run, cl *client.Client) error {
	w := &watcher{c: c, r: r, known: map[string]client.Instance{}}
	err := cl.Follow(r.ctx, client.Follow{
		All: c.All,
		Opened: func() error {
			list, err := c.list(r, cl)
			if err != nil {
				return err
			}
			return w.reset(list)
		},
		Event: func(e client.Event) error {
			var i client.Instance
			if e.Type != client.InstanceChanged || !decode(e, &i) || (c.App != "" && i.App != c.App) {
				return nil
			}
			return w.changed(i)
		},
		Lost: func(error) { r.hint("the portal does not answer; trying again") },
	})
	if r.ctx.Err() != nil {
		return nil // interrupted, which is how a watch ends
	}
	return err
}

// watcher holds what ls --watch shows.
type watcher struct {
	c     *lsCmd
	r     *run
	known map[string]client.Instance
	drawn int
}

// reset takes a whole list, at the start and after the stream broke.
func (w *watcher) reset(list []client.Instance) error {
	before := w.known
	w.known = map[string]client.Instance{}
	for _, i := range list {
		w.known[i.ID] = i
	}
	if w.r.outTerm && !w.r.json() {
		w.draw()
		return nil
	}
	for _, i := range slices.Backward(list) { // oldest first, as changes come
		if old, was := before[i.ID]; was && old.Status == i.Status {
			continue
		}
		if err := w.line(i); err != nil {
			return err
		}
	}
	return nil
}

// changed takes one instance as an event tells of it.
func (w *watcher) changed(i client.Instance) error {
	old, was := w.known[i.ID]
	if i.CreatedAt.IsZero() {
		i.CreatedAt = old.CreatedAt
	}
	shown := len(w.c.statuses()) == 0 || slices.Contains(w.c.statuses(), i.Status)
	if w.known[i.ID] = i; !shown {
		delete(w.known, i.ID)
	}
	if w.r.outTerm && !w.r.json() {
		w.draw()
		return nil
	}
	if !shown && !was {
		return nil
	}
	return w.line(i)
}

func (w *watcher) line(i client.Instance) error {
	if w.r.json() {
		return w.r.writeJSONLine(i)
	}
	row := []string{i.HostName, i.Status}
	if more := addressOrReason(i); more != "" {
		row = append(row, more)
	}
	w.r.print("%s", printable(strings.Join(row, gap)))
	return nil
}

// draw writes the table over the one that was drawn before.
func (w *watcher) draw() {
	if w.drawn > 0 {
		w.r.print("\x1b[%dA\x1b[J\x1b[1A", w.drawn)
	}
	list := slices.SortedFunc(maps.Values(w.known), func(a, b client.Instance) int { return strings.Compare(b.ID, a.ID) })
	w.drawn = w.c.write(w.r, list)
	if w.drawn == 0 {
		w.r.print("nothing is there")
		w.drawn = 1
	}
}
