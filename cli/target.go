package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/internal-app-portal/iap/client"
)

type targetCmd struct {
	Add    targetAddCmd    `cmd:"" help:"Add a target."`
	List   targetListCmd   `cmd:"" help:"List targets with their health." aliases:"ls"`
	Show   targetShowCmd   `cmd:"" help:"Show one target."`
	Test   targetTestCmd   `cmd:"" help:"Send a target an event of type iap.test, and show its answer."`
	Pause  targetPauseCmd  `cmd:"" help:"Have deliveries to a target wait."`
	Resume targetResumeCmd `cmd:"" help:"Have deliveries to a target go on."`
	Rm     targetRmCmd     `cmd:"" help:"Remove a target that no rule uses."`
}

type targetAddCmd struct {
	Name         string        `arg:"" help:"Name of the target."`
	Webhook      string        `help:"POST events, signed as Standard Webhooks, to this URL." placeholder:"URL"`
	Task         string        `help:"Give the waiting task its result whose token this CEL makes of the event: data.token." placeholder:"CEL"`
	Result       string        `help:"With --task: CEL for the task's result; default: the event's data." placeholder:"CEL"`
	Error        string        `help:"With --task: CEL for the name of the task's error; empty text: it succeeds." placeholder:"CEL"`
	Cause        string        `help:"With --task: CEL for the cause of its error." placeholder:"CEL"`
	Execution    string        `help:"Start an execution of this state machine." placeholder:"NAME"`
	Input        string        `help:"With --execution: CEL for its input; default: the event." placeholder:"CEL"`
	Secret       string        `help:"Of the signature; default: a new one, which is printed." placeholder:"whsec_…"`
	Attempts     int           `help:"How often a delivery is tried; default: for three days." placeholder:"N"`
	Backoff      time.Duration `help:"Before the second attempt; twice as long before each further one." default:"5s"`
	Timeout      time.Duration `help:"Of one attempt." default:"15s"`
	Rate         float64       `help:"Deliveries a second at most." placeholder:"N"`
	Ordered      bool          `help:"Deliver events of one subject one after the other."`
	AllowPrivate bool          `help:"The target may be inside: at a private or loopback address."`
	Allow        []string      `help:"A network or host inside where the target may be." placeholder:"NETWORK"`
}

func (c *targetAddCmd) Run(r *run) error {
	in := client.AddTarget{Name: c.Name, Secret: c.Secret, Attempts: c.Attempts, Backoff: c.Backoff.String(), Timeout: c.Timeout.String(),
		Rate: c.Rate, Ordered: c.Ordered}
	if err := c.kind(&in); err != nil {
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

// kind sets what the flags say the target is.
func (c *targetAddCmd) kind(in *client.AddTarget) error {
	var kinds []string
	set := func(flag, value, kind string, settings client.TargetSettings) {
		if value != "" {
			kinds = append(kinds, flag)
			in.Kind, in.Settings = kind, settings
		}
	}
	set("--webhook", c.Webhook, "webhook", client.TargetSettings{URL: c.Webhook, Private: c.AllowPrivate, Allow: c.Allow})
	set("--task", c.Task, "task", client.TargetSettings{Token: c.Task, Output: c.Result, Error: c.Error, Cause: c.Cause})
	set("--execution", c.Execution, "execution", client.TargetSettings{Machine: c.Execution, Input: c.Input})
	if len(kinds) != 1 {
		return exitf(codeUsage, "say what the target is by one of: --webhook URL, --task CEL, --execution NAME")
	}
	return nil
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
		t.add(x.Name, x.Kind, x.Status, fmt.Sprint(x.Health.Waiting), fmt.Sprint(x.Health.Dead), clock(x.Health.LastOK, r.now()), targetWhere(x))
	}
	t.write(r.out, r.width, nil)
	if len(targets.Items) == 0 {
		r.hint("there is no target; add one with: iap target add NAME --webhook URL")
	}
	return nil
}

func targetWhere(t client.Target) string {
	for _, s := range []string{t.Settings.URL, strings.Join(t.Settings.To, ","), t.Settings.Machine, t.Settings.Token} {
		if s != "" {
			return s
		}
	}
	return ""
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
	r.facts([][2]string{{"target", t.Name}, {"kind", t.Kind}, {"where", targetWhere(t)}, {"status", t.Status}, {"disabled", t.Disabled},
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
