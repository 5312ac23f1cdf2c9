package cli

import (
	"strings"

	"github.com/internal-app-portal/iap/client"
)

type ruleCmd struct {
	Add    ruleAddCmd    `cmd:"" help:"Add a rule, or change one."`
	List   ruleListCmd   `cmd:"" help:"List rules." aliases:"ls"`
	Try    ruleTryCmd    `cmd:"" help:"Show which of the last 100 events an expression chooses."`
	Pause  rulePauseCmd  `cmd:"" help:"Have a rule choose nothing."`
	Resume ruleResumeCmd `cmd:"" help:"Have a rule choose again, from now on."`
	Rm     ruleRmCmd     `cmd:"" help:"Remove a rule."`
}

type ruleAddCmd struct {
	Name   string   `arg:"" help:"Name of the rule."`
	When   string   `help:"CEL over the event: event.type == 'iap.leak.found'." required:"" placeholder:"CEL"`
	Target []string `help:"Name of a target; give it again for more." required:"" placeholder:"NAME"`
}

func (c *ruleAddCmd) Run(r *run) error {
	cl, err := r.client()
	if err != nil {
		return err
	}
	rule, created, err := cl.PutRule(r.ctx, c.Name, client.PutRule{When: c.When, Targets: c.Target})
	if err != nil {
		return err
	}
	what := "changed"
	if created {
		what = "added"
	}
	return r.done(rule, rule.Name, what)
}

// done writes the result of a change: a name and what happened to it.
func (r *run) done(v any, name, what string) error {
	if r.json() {
		return r.writeJSON(v)
	}
	r.print("%s%s%s", printable(name), gap, what)
	return nil
}

type ruleListCmd struct{}

func (c *ruleListCmd) Run(r *run) error {
	cl, err := r.client()
	if err != nil {
		return err
	}
	rules, err := cl.Rules(r.ctx)
	if err != nil {
		return err
	}
	if r.json() {
		return r.writeJSON(rules.Items)
	}
	t := &table{head: []string{"RULE", "TARGETS", "STATUS", "WHEN"}}
	for _, x := range rules.Items {
		t.add(x.Name, strings.Join(x.Targets, ","), pausedWord(x.Paused), x.When)
	}
	t.write(r.out, r.width, nil)
	if len(rules.Items) == 0 {
		r.hint("there is no rule; add one with: iap rule add NAME --when CEL --target NAME")
	}
	return nil
}

func pausedWord(paused bool) string {
	if paused {
		return "paused"
	}
	return "active"
}

type ruleTryCmd struct {
	When string `arg:"" name:"cel" help:"CEL over the event."`
}

func (c *ruleTryCmd) Run(r *run) error {
	cl, err := r.client()
	if err != nil {
		return err
	}
	tried, err := cl.TryRule(r.ctx, c.When)
	if err != nil {
		return err
	}
	chosen := []client.Event{}
	for _, x := range tried.Items {
		if x.Matches {
			chosen = append(chosen, x.Event)
		}
	}
	if r.json() {
		return r.writeJSON(chosen)
	}
	r.writeEvents(chosen)
	r.hint("%d of the last %d events", len(chosen), len(tried.Items))
	return nil
}

func (r *run) writeEvents(events []client.Event) {
	t := &table{head: []string{"NUMBER", "TIME", "TYPE", "SUBJECT", "SOURCE"}}
	for _, e := range events {
		t.add(eventNumber(e), clock(e.Time, r.now()), e.Type, e.Subject, e.Source)
	}
	t.write(r.out, r.width, nil)
}

type rulePauseCmd struct {
	Name string `arg:"" help:"Name of the rule."`
}

func (c *rulePauseCmd) Run(r *run) error { return r.pauseRule(c.Name, true) }

type ruleResumeCmd struct {
	Name string `arg:"" help:"Name of the rule."`
}

func (c *ruleResumeCmd) Run(r *run) error { return r.pauseRule(c.Name, false) }

func (r *run) pauseRule(name string, paused bool) error {
	cl, err := r.client()
	if err != nil {
		return err
	}
	rule, err := cl.PauseRule(r.ctx, name, paused)
	if err != nil {
		return err
	}
	return r.done(rule, rule.Name, pausedWord(rule.Paused))
}

type ruleRmCmd struct {
	Name string `arg:"" help:"Name of the rule."`
}

func (c *ruleRmCmd) Run(r *run) error {
	cl, err := r.client()
	if err != nil {
		return err
	}
	if err := cl.DeleteRule(r.ctx, c.Name); err != nil {
		return err
	}
	return r.done(map[string]string{"name": c.Name}, c.Name, "removed")
}
