package cli

import (
	"fmt"
	"time"

	"github.com/internal-app-portal/iap/client"
)

type targetCmd struct {
	Add    targetAddCmd    `cmd:"" help:"Add a target."`
	Set    targetSetCmd    `cmd:"" help:"Change a target; what is not given stays as it is."`
	List   targetListCmd   `cmd:"" help:"List targets with their health." aliases:"ls"`
	Show   targetShowCmd   `cmd:"" help:"Show one target."`
	Test   targetTestCmd   `cmd:"" help:"Send a target an event of type iap.test, and show its answer."`
	Rotate targetRotateCmd `cmd:"" help:"Give a webhook a new secret; the old one is good for a while."`
	Pause  targetPauseCmd  `cmd:"" help:"Have deliveries to a target wait."`
	Resume targetResumeCmd `cmd:"" help:"Have deliveries to a target go on."`
	Rm     targetRmCmd     `cmd:"" help:"Remove a target that no rule uses."`
}

type targetAddCmd struct {
	Name string `arg:"" help:"Name of the target."`
	targetFlags
	Secret   string        `help:"Of the signature; default: a new one, which is printed." placeholder:"whsec_…"`
	Attempts int           `help:"How often a delivery is tried; default: for three days." placeholder:"N"`
	Backoff  time.Duration `help:"Before the second attempt; twice as long before each further one." default:"5s"`
	Timeout  time.Duration `help:"Of one attempt." default:"15s"`
	Rate     float64       `help:"Deliveries a second at most." placeholder:"N"`
	Ordered  bool          `help:"Deliver events of one subject one after the other."`
}

func (c *targetAddCmd) Run(r *run) error {
	in := client.AddTarget{Name: c.Name, Secret: c.Secret, Attempts: c.Attempts, Backoff: c.Backoff.String(), Timeout: c.Timeout.String(),
		Rate: c.Rate, Ordered: c.Ordered}
	var err error
	if in.Kind, in.Settings, err = c.kind(); err != nil {
		return err
	}
	cl, err := r.client()
	if err != nil {
		return err
	}
	t, err := cl.AddTarget(r.ctx, in)
	if err != nil {
		return err
	}
	if r.json() {
		return r.writeJSON(t)
	}
	r.print("%s%sadded", printable(t.Name), gap)
	if t.Secret != "" && c.Secret == "" {
		r.print("secret%s%s", gap, t.Secret)
		r.hint("the secret of its signature is not shown again")
	}
	return nil
}

type targetSetCmd struct {
	Name string `arg:"" help:"Name of the target."`
	targetFlags
	Unset    []string `help:"Flags of its kind to take away: allow-private, text." placeholder:"FLAG"`
	Attempts *int     `help:"How often a delivery is tried; 0: for three days." placeholder:"N"`
	Backoff  *string  `help:"Before the second attempt; twice as long before each further one." placeholder:"DURATION"`
	Timeout  *string  `help:"Of one attempt." placeholder:"DURATION"`
	Rate     *float64 `help:"Deliveries a second at most; 0: no limit." placeholder:"N"`
	Ordered  *bool    `help:"Deliver events of one subject one after the other." negatable:""`
}

func (c *targetSetCmd) Run(r *run) error {
	cl, err := r.client()
	if err != nil {
		return err
	}
	t, err := cl.Target(r.ctx, c.Name)
	if err != nil {
		return err
	}
	in := client.ChangeTarget{Attempts: c.Attempts, Backoff: c.Backoff, Timeout: c.Timeout, Rate: c.Rate, Ordered: c.Ordered}
	if in.Settings, err = c.changed(t, c.Unset); err != nil {
		return err
	}
	if in == (client.ChangeTarget{}) {
		return exitf(codeUsage, "say what changes; iap target set --help lists the flags")
	}
	if t, err = cl.ChangeTarget(r.ctx, c.Name, in); err != nil {
		return err
	}
	return r.done(t, t.Name, "changed")
}

type targetListCmd struct{}

func (c *targetListCmd) Run(r *run) error {
	cl, err := r.client()
	if err != nil {
		return err
	}
	targets, err := cl.Targets(r.ctx)
	if err != nil {
		return err
	}
	if r.json() {
		return r.writeJSON(targets.Items)
	}
	t := &table{head: []string{"TARGET", "KIND", "STATUS", "WAITING", "DEAD", "LAST OK", "WHERE"}}
	for _, x := range targets.Items {
		t.add(x.Name, x.Kind, targetState(x), fmt.Sprint(x.Health.Waiting), fmt.Sprint(x.Health.Dead), clock(x.Health.LastOK, r.now()), targetWhere(x))
	}
	t.write(r.out, r.width, nil)
	if len(targets.Items) == 0 {
		r.hint("there is no target; add one with: iap target add NAME --webhook URL")
	}
	return nil
}

// targetState is the word of a target's page: its status, and of one that is active
// how it fares.
func targetState(t client.Target) string {
	switch {
	case t.Status != "active":
		return t.Status
	case t.Health.Down:
		return "down"
	case t.Health.Failures > 0:
		return "failing"
	case t.Health.LastOK.IsZero():
		return "not used yet"
	}
	return "working"
}

type targetShowCmd struct {
	Name string `arg:"" help:"Name of the target."`
}

func (c *targetShowCmd) Run(r *run) error {
	cl, err := r.client()
	if err != nil {
		return err
	}
	t, err := cl.Target(r.ctx, c.Name)
	if err != nil {
		return err
	}
	if r.json() {
		return r.writeJSON(t)
	}
	attempts := "for three days"
	if t.Attempts > 0 {
		attempts = fmt.Sprint(t.Attempts)
	}
	r.facts([][2]string{{"target", t.Name}, {"kind", t.Kind}, {"where", targetWhere(t)}, {"status", targetState(t)}, {"disabled", t.Disabled},
		{"attempts", attempts}, {"backoff", t.Backoff}, {"timeout", t.Timeout}, {"waiting", fmt.Sprint(t.Health.Waiting)},
		{"dead letters", fmt.Sprint(t.Health.Dead)}, {"last ok", clock(t.Health.LastOK, r.now())},
		{"last failed", clock(t.Health.LastFailed, r.now())}, {"last error", t.Health.LastError}})
	return nil
}

type targetTestCmd struct {
	Name string `arg:"" help:"Name of the target."`
}

func (c *targetTestCmd) Run(r *run) error {
	cl, err := r.client()
	if err != nil {
		return err
	}
	a, err := cl.TestTarget(r.ctx, c.Name)
	if err != nil {
		return err
	}
	switch {
	case r.json():
		err = r.writeJSON(a)
	case a.Error == "":
		r.print("%s%sdelivered in %s", printable(c.Name), gap, secondsText(time.Duration(a.TookSeconds*float64(time.Second))))
	default:
		return exitf(codeFailed, "%s: %s", printable(c.Name), printable(a.Error))
	}
	if err == nil && a.Error != "" {
		return &exitError{code: codeFailed}
	}
	return err
}

type targetPauseCmd struct {
	Name string `arg:"" help:"Name of the target."`
}

func (c *targetPauseCmd) Run(r *run) error { return r.pauseTarget(c.Name, true) }

type targetResumeCmd struct {
	Name string `arg:"" help:"Name of the target."`
}

func (c *targetResumeCmd) Run(r *run) error { return r.pauseTarget(c.Name, false) }

func (r *run) pauseTarget(name string, paused bool) error {
	cl, err := r.client()
	if err != nil {
		return err
	}
	t, err := cl.PauseTarget(r.ctx, name, paused)
	if err != nil {
		return err
	}
	return r.done(t, t.Name, t.Status)
}

type targetRmCmd struct {
	Name string `arg:"" help:"Name of the target."`
}

func (c *targetRmCmd) Run(r *run) error {
	cl, err := r.client()
	if err != nil {
		return err
	}
	if err := cl.DeleteTarget(r.ctx, c.Name); err != nil {
		return err
	}
	return r.done(map[string]string{"name": c.Name}, c.Name, "removed")
}

type targetRotateCmd struct {
	Name    string `arg:"" help:"Name of the target."`
	Secret  string `help:"The new secret; default: one that is made and printed." placeholder:"whsec_…"`
	Overlap string `help:"How long deliveries are signed by the old secret as well; 0: not at all." default:"24h" placeholder:"DURATION"`
}

func (c *targetRotateCmd) Run(r *run) error {
	cl, err := r.client()
	if err != nil {
		return err
	}
	t, err := cl.RotateSecret(r.ctx, c.Name, client.RotateSecret{Secret: c.Secret, Overlap: c.Overlap})
	if err != nil {
		return err
	}
	if r.json() {
		return r.writeJSON(t)
	}
	r.print("%s%srotated", printable(t.Name), gap)
	if c.Secret == "" {
		r.print("secret%s%s", gap, t.Secret)
		r.hint("it is not shown again")
	}
	if !t.OldUntil.IsZero() {
		r.hint("deliveries are signed by the old one as well until %s", clock(t.OldUntil, r.now()))
	}
	return nil
}
