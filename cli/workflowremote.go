package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/client"
)

type workflowLsCmd struct {
	Name   string `arg:"" optional:"" name:"state-machine" help:"List the executions of this state machine."`
	Status string `help:"Of executions: running, succeeded, failed, timed_out or aborted." enum:"running,succeeded,failed,timed_out,aborted,all" default:"all" placeholder:"STATUS"`
	MapRun string `help:"List the executions that are the children of this map run." placeholder:"ID"`
	Limit  int    `short:"n" help:"How many at most." default:"50"`
}

func (c *workflowLsCmd) Run(r *run) error {
	if c.Limit < 1 || c.Limit > 10000 {
		return exitf(codeUsage, "--limit %d is not between 1 and 10000", c.Limit)
	}
	cl, err := r.client()
	if err != nil {
		return err
	}
	if c.Name != "" || c.Status != "all" || c.MapRun != "" {
		return c.executions(r, cl)
	}
	machines, err := pages(c.Limit, func(after string, limit int) (client.List[client.StateMachine], error) {
		return cl.StateMachines(r.ctx, after, limit)
	})
	if err != nil {
		return err
	}
	if r.json() {
		return r.writeJSON(machines)
	}
	t := &table{head: []string{"STATE MACHINE", "TYPE", "CHANGED", "NOTE"}}
	for _, m := range machines {
		note := ""
		switch {
		case m.ReadOnly:
			note = "the portal's own"
		case m.Status != "ACTIVE":
			note = statusLower(m.Status)
		}
		t.add(m.Name, statusLower(m.Type), clock(m.UpdatedAt, r.now()), note)
	}
	t.write(r.out, r.width, nil)
	if len(machines) == 0 {
		r.hint("there is no state machine; make one with: iap workflow put NAME FILE")
	}
	return nil
}

func (c *workflowLsCmd) executions(r *run, cl *client.Client) error {
	status := statusUpper(c.Status)
	if c.Status == "all" {
		status = ""
	}
	if c.Name != "" { // so that a wrong name is told as such
		if _, err := cl.StateMachine(r.ctx, c.Name); err != nil {
			return r.unknownMachine(cl, c.Name, err)
		}
	}
	all, err := pages(c.Limit, func(before string, limit int) (client.List[client.Execution], error) {
		return cl.Executions(r.ctx, client.ExecutionFilter{StateMachine: c.Name, Status: status, MapRun: c.MapRun, Before: before, Limit: limit})
	})
	if err != nil {
		return err
	}
	if r.json() {
		return r.writeJSON(all)
	}
	t := &table{head: []string{"EXECUTION", "STATE MACHINE", "NAME", "STATUS", "STARTED", "TOOK"}}
	for _, x := range all {
		t.add(x.ID, x.StateMachine, x.Name, statusLower(x.Status), clock(x.StartedAt, r.now()), executionTook(x, r.now()))
	}
	t.write(r.out, r.width, nil)
	return nil
}

// pages reads pages until there are limit items or no more.
func pages[T any](limit int, page func(from string, limit int) (client.List[T], error)) ([]T, error) {
	all, from := []T{}, ""
	for len(all) < limit {
		p, err := page(from, min(500, limit-len(all)))
		if err != nil {
			return nil, err
		}
		all = append(all, p.Items...)
		if from = p.Next; from == "" {
			break
		}
	}
	return all, nil
}

func executionTook(x client.Execution, now time.Time) string {
	if x.EndedAt.IsZero() {
		return secondsText(now.Sub(x.StartedAt))
	}
	return secondsText(x.EndedAt.Sub(x.StartedAt))
}

type workflowPutCmd struct {
	Name string `arg:"" name:"state-machine" help:"Name of the state machine."`
	File string `arg:"" help:"The definition, in Amazon States Language; - for stdin." complete:"file"`
	Type string `help:"Of a new one: standard or express." enum:"standard,express,as-it-is" default:"as-it-is" placeholder:"TYPE"`
}

func (c *workflowPutCmd) Run(r *run) error {
	src, err := r.readText(c.File)
	if err != nil {
		return err
	}
	typ := ""
	if c.Type != "as-it-is" {
		typ = statusUpper(c.Type)
	}
	if problems := asl.Validate(src, asl.MachineType(typ)); !asl.Valid(problems) {
		return notValid(c.File, problems)
	}
	cl, err := r.client()
	if err != nil {
		return err
	}
	m, created, err := cl.PutStateMachine(r.ctx, c.Name, client.PutStateMachine{Definition: string(src), Type: typ})
	if err != nil {
		return err
	}
	if r.json() {
		return r.writeJSON(m)
	}
	what := "changed"
	if created {
		what = "created"
	}
	r.print("%s%s%s", printable(m.Name), gap, what)
	r.hint("start it: iap workflow start %s --wait", printable(m.Name))
	return nil
}

type workflowDeleteCmd struct {
	Name string `arg:"" name:"state-machine" help:"Name of the state machine."`
	Yes  bool   `short:"y" help:"Do not ask."`
}

func (c *workflowDeleteCmd) Run(r *run) error {
	cl, err := r.client()
	if err != nil {
		return err
	}
	if !c.Yes {
		if !r.inTerm {
			return exitf(codeUsage, "say --yes to delete the state machine %s without being asked", printable(c.Name))
		}
		if ok, err := r.ask("Delete the state machine %s?", printable(c.Name)); err != nil || !ok {
			return err
		}
	}
	if err := cl.DeleteStateMachine(r.ctx, c.Name); err != nil {
		return r.unknownMachine(cl, c.Name, err)
	}
	if r.json() {
		return r.writeJSON(map[string]string{"name": c.Name})
	}
	r.print("%s%sdeleted", printable(c.Name), gap)
	return nil
}

type workflowStartCmd struct {
	Name  string        `arg:"" name:"state-machine" help:"Name of the state machine."`
	Input string        `help:"The input: JSON, or @FILE." default:"{}" placeholder:"JSON|@FILE"`
	As    string        `name:"name" help:"Name of the execution; the same name and input start it once." placeholder:"NAME"`
	Wait  bool          `help:"Wait until it has ended, and print its output."`
	Limit time.Duration `name:"timeout" help:"How long to wait." default:"1h"`
}

func (c *workflowStartCmd) Run(r *run) error {
	input, err := r.inputText(c.Input)
	if err != nil {
		return err
	}
	cl, err := r.client()
	if err != nil {
		return err
	}
	x, err := cl.StartExecution(r.ctx, c.Name, client.StartExecution{Name: c.As, Input: json.RawMessage(input.String()), Wait: c.Wait})
	if err != nil {
		return r.unknownMachine(cl, c.Name, err)
	}
	if c.Wait {
		if x, err = r.waitEnded(cl, x, c.Limit); err != nil {
			return err
		}
	}
	switch {
	case r.json():
		err = r.writeJSON(x)
	case !c.Wait:
		r.print("%s", x.ID)
		r.hint("its history: iap workflow history %s", x.ID)
	case x.Status == string(asl.Succeeded):
		r.print("%s", printable(string(x.Output)))
	default:
		return exitf(codeFailed, "%s: %s%s", x.ID, statusLower(x.Status), failureWords(x))
	}
	if err == nil && c.Wait && x.Status != string(asl.Succeeded) {
		return &exitError{code: codeFailed}
	}
	return err
}

func failureWords(x client.Execution) string {
	s := ""
	for _, part := range []string{x.Error, x.Cause} {
		if part != "" {
			s += ": " + printableLines(part)
		}
	}
	return s
}

// waitEnded asks for an execution until it has ended.
func (r *run) waitEnded(cl *client.Client, x client.Execution, limit time.Duration) (client.Execution, error) {
	ctx, cancel := context.WithTimeout(r.ctx, limit)
	defer cancel()
	for delay := 50 * time.Millisecond; !x.Ended(); delay = min(2*delay, 2*time.Second) {
		select {
		case <-ctx.Done():
			if r.ctx.Err() != nil {
				return x, context.Cause(r.ctx)
			}
			return x, exitf(codeTimeout, "%s has not ended after %s; it goes on", x.ID, limit)
		case <-time.After(delay):
		}
		var err error
		if x, err = cl.Execution(ctx, x.ID); err != nil {
			return x, err
		}
	}
	return x, nil
}

type workflowShowCmd struct {
	Ref string `arg:"" name:"execution|state-machine" help:"ID of an execution, or name of a state machine."`
}

func (c *workflowShowCmd) Run(r *run) error {
	cl, err := r.client()
	if err != nil {
		return err
	}
	if !iap.ValidID(c.Ref) {
		return r.showMachine(cl, c.Ref)
	}
	x, err := cl.Execution(r.ctx, c.Ref)
	if err != nil {
		return err
	}
	return r.writeExecution(x)
}

func (r *run) showMachine(cl *client.Client, name string) error {
	m, err := cl.StateMachine(r.ctx, name)
	if err != nil {
		return r.unknownMachine(cl, name, err)
	}
	if r.json() {
		return r.writeJSON(m)
	}
	version := ""
	if m.LastVersion > 0 {
		version = fmt.Sprint(m.LastVersion)
	}
	r.facts([][2]string{{"name", m.Name}, {"type", statusLower(m.Type)}, {"status", statusLower(m.Status)},
		{"last version", version}, {"created", clock(m.CreatedAt, r.now())}, {"changed", clock(m.UpdatedAt, r.now())}})
	r.print("")
	r.print("%s", printableLines(m.Definition))
	return nil
}

func (r *run) writeExecution(x client.Execution) error {
	if r.json() {
		return r.writeJSON(x)
	}
	r.facts([][2]string{{"execution", x.ID}, {"state machine", x.StateMachine}, {"name", x.Name}, {"status", statusLower(x.Status)},
		{"error", x.Error}, {"cause", x.Cause}, {"input", string(x.Input)}, {"output", string(x.Output)},
		{"started", clock(x.StartedAt, r.now())}, {"ended", clock(x.EndedAt, r.now())}, {"took", executionTook(x, r.now())}})
	return nil
}

type workflowHistoryCmd struct {
	Execution string `arg:"" help:"ID of the execution."`
}

func (c *workflowHistoryCmd) Run(r *run) error {
	cl, err := r.client()
	if err != nil {
		return err
	}
	x, err := cl.Execution(r.ctx, c.Execution)
	if err != nil {
		return unknownExecution(c.Execution, err)
	}
	raw, after := []json.RawMessage{}, int64(0)
	for {
		page, err := cl.History(r.ctx, x.ID, after)
		if err != nil {
			return err
		}
		raw = append(raw, page.Items...)
		if after = page.Next; after == 0 {
			break
		}
	}
	if r.json() {
		return r.writeJSON(raw)
	}
	events := make([]asl.HistoryEvent, len(raw))
	for i, e := range raw {
		if err := json.Unmarshal(e, &events[i]); err != nil {
			return err
		}
	}
	r.writeHistory(events, x.StartedAt)
	return nil
}

type workflowStopCmd struct {
	Execution string `arg:"" help:"ID of the execution."`
	Error     string `help:"Error to end it with." placeholder:"NAME"`
	Cause     string `help:"Why." placeholder:"TEXT"`
}

func (c *workflowStopCmd) Run(r *run) error {
	cl, err := r.client()
	if err != nil {
		return err
	}
	x, err := cl.StopExecution(r.ctx, c.Execution, client.StopExecution{Error: c.Error, Cause: c.Cause})
	if err != nil {
		return unknownExecution(c.Execution, err)
	}
	return r.writeStatus(x)
}

type workflowRedriveCmd struct {
	Execution string `arg:"" help:"ID of the execution."`
}

func (c *workflowRedriveCmd) Run(r *run) error {
	cl, err := r.client()
	if err != nil {
		return err
	}
	x, err := cl.RedriveExecution(r.ctx, c.Execution)
	if err != nil {
		return unknownExecution(c.Execution, err)
	}
	return r.writeStatus(x)
}

func (r *run) writeStatus(x client.Execution) error {
	if r.json() {
		return r.writeJSON(x)
	}
	r.print("%s%s%s", x.ID, gap, statusLower(x.Status))
	return nil
}
