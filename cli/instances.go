package cli

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/internal-app-portal/iap/client"
)

type deployCmd struct {
	App     string        `arg:"" help:"Slug of the app." complete:"app"`
	Param   []string      `short:"p" sep:"none" help:"Value of a parameter; may be repeated." placeholder:"NAME=VALUE" complete:"param"`
	For     string        `help:"Its time limit, such as 2h or 90m; default: the app's." placeholder:"LENGTH"`
	Version int           `help:"Number of the version; default: the newest." placeholder:"N"`
	Wait    bool          `short:"w" help:"Wait until it runs; the last line of the output is its URL."`
	Timeout time.Duration `help:"How long to wait at most." default:"10m"`
}

func (c *deployCmd) Run(r *run) error {
	params, err := parseParams(c.Param)
	if err != nil {
		return err
	}
	cl, err := r.client()
	if err != nil {
		return err
	}
	want := client.DeployRequest{App: c.App, Version: c.Version, Parameters: params, For: c.For}
	i, created, err := cl.Deploy(r.ctx, want)
	if err != nil {
		i, created, err = c.afterDestroy(r, cl, want, err)
	}
	if err != nil {
		i, created, err = c.makeRoom(r, cl, want, err)
	}
	if err != nil {
		return err
	}
	if !created {
		c.noteExisting(r, i, params)
	}
	if !c.Wait {
		if !r.json() {
			r.print("%s", printable(i.HostName))
			r.hint("watch it: iap show %s; wait for it: iap deploy %s --wait", printable(i.HostName), printable(i.App))
			return nil
		}
		return r.writeJSON(i)
	}
	if i.Status == client.StatusRunning {
		return r.writeReady(i)
	}
	w := wait{timeout: c.Timeout}
	if !created {
		if w.seen, err = cl.Progress(r.ctx, i.ID); err != nil {
			return err
		}
	}
	return r.waitReady(cl, i, w)
}

// afterDestroy is what follows when a deploy was refused because the person's
// last instance of the app is on its way out: with --wait it is waited for, and
// deployed then. Other refusals stay as they are.
func (c *deployCmd) afterDestroy(r *run, cl *client.Client, want client.DeployRequest, refused error) (client.Instance, bool, error) {
	var e *client.Error
	if !errors.As(refused, &e) || e.Status != http.StatusConflict {
		return client.Instance{}, false, refused
	}
	own, err := cl.Instances(r.ctx, client.InstanceFilter{App: c.App, Status: liveStatuses})
	if err != nil {
		return client.Instance{}, false, err
	}
	ending := slices.IndexFunc(own.Items, func(i client.Instance) bool {
		return !i.Ended() && (i.Status == client.StatusDestroying || i.EndedBy != "")
	})
	switch {
	case ending < 0: // it is gone by now, or another refusal comes again
	case !c.Wait:
		return client.Instance{}, false, exitf(codeOf(refused), "%w, or let this wait for it: iap deploy %s --wait", refused, printable(c.App))
	default:
		if err := c.awaitEnd(r, cl, own.Items[ending]); err != nil {
			return client.Instance{}, false, err
		}
	}
	return cl.Deploy(r.ctx, want)
}

// awaitEnd waits until an instance is gone, which counts towards the timeout.
// What it left is told, and is no reason not to have another.
func (c *deployCmd) awaitEnd(r *run, cl *client.Client, i client.Instance) error {
	r.note("your instance of %s is being destroyed; another is deployed when it is gone", printable(c.App))
	seen, err := cl.Progress(r.ctx, i.ID)
	if err != nil {
		return err
	}
	begun := r.now()
	d := destroyCmd{Wait: true, Timeout: c.Timeout}
	i, err = d.wait(r, cl, i, wait{timeout: c.Timeout, done: client.Instance.Ended, seen: seen})
	if err != nil && i.Ended() {
		r.complain(err)
		err = nil
	}
	c.Timeout -= r.now().Sub(begun)
	return err
}

// noteExisting tells that there is an instance already, and of the parameters
// and the version that were asked for in vain.
func (c *deployCmd) noteExisting(r *run, i client.Instance, params map[string]any) {
	name := printable(i.HostName)
	r.note("there is one already: %s (%s)", name, statusWords(i.Status))
	var unused []string
	for _, p := range slices.Sorted(maps.Keys(params)) {
		if !sameValue(params[p], i.Values[p]) {
			unused = append(unused, printable(p))
		}
	}
	if c.Version > 0 && c.Version != i.Version {
		unused = append(unused, fmt.Sprintf("version %d", c.Version))
	}
	if len(unused) > 0 {
		r.note("warning: what you gave was not used: %s; to have it, destroy that one first: iap destroy %s",
			strings.Join(unused, ", "), name)
	}
}

// sameValue reports whether a text that was given is surely the value that an
// instance has; the value of a secret is not known here.
func sameValue(given, has any) bool {
	text := fmt.Sprint(given)
	switch v := has.(type) {
	case float64:
		f, err := strconv.ParseFloat(text, 64)
		return err == nil && f == v
	case nil:
		return false
	}
	return text == fmt.Sprint(has)
}

// waitReady waits until i runs and writes its URL.
func (r *run) waitReady(cl *client.Client, i client.Instance, w wait) error {
	name := printable(i.HostName)
	r.note("%s", paint(r.errColor, styleBold, name))
	w.done = func(i client.Instance) bool {
		return i.Status == client.StatusRunning || i.Ended() || i.Status == client.StatusDestroying && i.Reason == ""
	}
	i, err := r.follow(cl, i, w)
	if errors.Is(err, errTimedOut) {
		return exitf(codeTimeout, "%s is still %s after %s and goes on; look at it with: iap show %s", name, statusWords(i.Status), w.timeout.Round(time.Millisecond), name)
	}
	if err != nil {
		return err
	}
	return r.writeReady(i)
}

// writeReady writes the URL of an instance that runs, or why it does not.
func (r *run) writeReady(i client.Instance) error {
	name := printable(i.HostName)
	if r.json() {
		if err := r.writeJSON(i); err != nil {
			return err
		}
	}
	switch {
	case i.Status == client.StatusRunning && r.json():
		return nil
	case i.Status == client.StatusRunning:
		r.print("%s", printable(i.URL))
		return nil
	case i.Reason != "":
		return exitf(codeFailed, "%s: %s: %s", name, statusWords(i.Status), printableLines(i.Reason))
	case i.EndReason != "":
		return exitf(codeFailed, "%s: %s: %s", name, statusWords(i.Status), printableLines(i.EndReason))
	}
	return exitf(codeFailed, "%s: %s before it ran", name, statusWords(i.Status))
}

// parseParams reads NAME=VALUE pairs.
func parseParams(pairs []string) (map[string]any, error) {
	out := map[string]any{}
	for _, pair := range pairs {
		name, value, ok := strings.Cut(pair, "=")
		if !ok || name == "" {
			return nil, exitf(codeUsage, "--param %q is not NAME=VALUE", pair)
		}
		if _, twice := out[name]; twice {
			return nil, exitf(codeUsage, "--param %s is there twice", name)
		}
		out[name] = value
	}
	if len(out) == 0 {
		return nil, nil
	}
	return out, nil
}

type openCmd struct {
	Instance string `arg:"" help:"Host name, ID, or a unique part of the host name." complete:"instance"`
}

func (c *openCmd) Run(r *run) error {
	cl, err := r.client()
	if err != nil {
		return err
	}
	i, err := cl.Instance(r.ctx, c.Instance)
	if err != nil {
		return err
	}
	if i.URL == "" {
		return exitf(codeFailed, "%s is %s: only a running instance can be opened", printable(i.HostName), statusWords(i.Status))
	}
	if r.json() {
		if err := r.writeJSON(i); err != nil {
			return err
		}
	} else {
		r.print("%s", printable(i.URL))
	}
	browse := r.hooks.Browse
	if browse == nil {
		browse = openBrowser
	}
	if err := browse(i.URL); err != nil {
		r.hint("no browser could be started: %v", err)
	}
	return nil
}
