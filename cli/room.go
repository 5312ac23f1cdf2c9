package cli

import (
	"errors"
	"time"

	"github.com/internal-app-portal/iap/client"
)

// makeRoom is what follows when a limit of instances refused a deploy: a person
// is asked whether one of the person's own is to be destroyed for it; elsewhere the
// command that does it is named. Other refusals stay as they are.
func (c *deployCmd) makeRoom(r *run, cl *client.Client, want client.DeployRequest, refused error) (client.Instance, bool, error) {
	var e *client.Error
	if !errors.As(refused, &e) || e.Limit == nil || len(e.Limit.Own) == 0 {
		return client.Instance{}, false, refused
	}
	own := e.Limit.Own
	if !r.inTerm || r.json() {
		return client.Instance{}, false, exitf(codeOf(refused), "%w\nto destroy one: iap destroy %s --yes --wait", refused, printable(own[0].HostName))
	}
	r.note("%s", printableLines(e.Error()))
	for _, o := range own {
		yes, err := r.ask("Destroy %s and all that is in it, and deploy %s?", printable(o.HostName), printable(c.App))
		if err != nil {
			return client.Instance{}, false, err
		}
		if !yes {
			continue
		}
		d := destroyCmd{Wait: true, Timeout: max(c.Timeout, time.Minute)}
		i, err := cl.Destroy(r.ctx, o.ID)
		if err == nil {
			_, err = d.wait(r, cl, i, wait{timeout: d.Timeout, done: client.Instance.Ended})
		}
		if err != nil {
			return client.Instance{}, false, err
		}
		return cl.Deploy(r.ctx, want)
	}
	return client.Instance{}, false, exitf(codeFailed, "nothing was destroyed, and nothing deployed")
}
