package cli

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/internal-app-portal/iap/client"
)

type destroyCmd struct {
	Instance []string      `arg:"" help:"Host name, ID, or a unique part of the host name." complete:"instance"`
	Wait     bool          `short:"w" help:"Wait until nothing is left."`
	Yes      bool          `short:"y" help:"Do not ask."`
	Timeout  time.Duration `help:"How long to wait for each at most." default:"10m"`
}

func (c *destroyCmd) Run(r *run) error {
	cl, err := r.client()
	if err != nil {
		return err
	}
	found, err := c.find(r, cl)
	if err != nil {
		return err
	}
	if ok, err := c.confirm(r, found); err != nil || !ok {
		return err
	}
	results, failed := c.destroyAll(r, cl, found)
	if r.json() {
		if err := r.writeJSON(results); err != nil {
			return err
		}
	}
	return joined(failed)
}

// destroyAll begins every destroy before it waits for the first.
func (c *destroyCmd) destroyAll(r *run, cl *client.Client, found []client.Instance) (results []client.Instance, failed []error) {
	results = []client.Instance{}
	begun := []client.Instance{}
	waits := map[string]wait{}
	for _, i := range found {
		w := wait{timeout: c.Timeout, done: client.Instance.Ended}
		var err error
		if c.Wait { // its deploy is no news
			w.seen, err = cl.Progress(r.ctx, i.ID)
		}
		if err == nil {
			i, err = cl.Destroy(r.ctx, i.ID)
		}
		if err != nil {
			failed = append(failed, err)
			continue
		}
		begun, waits[i.ID] = append(begun, i), w
	}
	for _, i := range begun {
		i, err := c.wait(r, cl, i, waits[i.ID])
		results = append(results, i)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		if !r.json() {
			r.print("%s", destroyedLine(i))
		}
	}
	return results, failed
}

// find looks all up before any is destroyed, so that a slip in one name
// destroys nothing.
func (c *destroyCmd) find(r *run, cl *client.Client) (found []client.Instance, err error) {
	seen := map[string]bool{}
	for _, ref := range c.Instance {
		i, err := cl.Instance(r.ctx, ref)
		if err != nil {
			return nil, err
		}
		if !seen[i.ID] {
			seen[i.ID] = true
			found = append(found, i)
		}
	}
	return found, nil
}

func (c *destroyCmd) confirm(r *run, found []client.Instance) (bool, error) {
	if c.Yes {
		return true, nil
	}
	if !r.inTerm {
		return false, exitf(codeUsage, "nobody can be asked here: say --yes to destroy without a question")
	}
	var names []string
	for _, i := range found {
		names = append(names, fmt.Sprintf("%s (%s)", printable(i.HostName), statusWords(i.Status)))
	}
	ok, err := r.ask("Destroy %s and all that is in it?", strings.Join(names, ", "))
	if err == nil && !ok {
		err = exitf(codeFailed, "nothing was destroyed")
	}
	return ok, err
}

// wait waits for the end of a destroy where that was asked for.
func (c *destroyCmd) wait(r *run, cl *client.Client, i client.Instance, w wait) (_ client.Instance, err error) {
	if !c.Wait {
		return i, nil
	}
	name := printable(i.HostName)
	if !i.Ended() {
		r.note("%s", paint(r.errColor, styleBold, name))
		i, err = r.follow(cl, i, w)
	}
	switch {
	case errors.Is(err, errTimedOut):
		return i, exitf(codeTimeout, "%s is still being destroyed after %s, which goes on", name, c.Timeout)
	case err != nil:
		return i, err
	case i.Status == client.StatusDestroyFailed:
		return i, exitf(codeFailed, "%s: destroy failed: %s%s", name, printableLines(i.Reason), leftText(i.Receipt))
	}
	return i, nil
}

func leftText(r *client.Receipt) string {
	if r == nil {
		return ""
	}
	var b strings.Builder
	for _, x := range r.Left {
		fmt.Fprintf(&b, "\n  left: %s %s", printable(x.Kind), printable(x.Name))
	}
	return b.String()
}

func destroyedLine(i client.Instance) string {
	line := printable(i.HostName) + gap + statusWords(i.Status)
	if i.Receipt != nil {
		line += fmt.Sprintf("%s%d left", gap, len(i.Receipt.Left))
	}
	return line
}

// joined returns one error of several, with the exit code of the first.
func joined(errs []error) error {
	switch len(errs) {
	case 0:
		return nil
	case 1:
		return errs[0]
	}
	return &exitError{code: codeOf(errs[0]), err: errors.Join(errs...)}
}
