package cli

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/client"
	"github.com/internal-app-portal/iap/schedule"
)

type scheduleCmd struct {
	List   scheduleListCmd   `cmd:"" help:"List the schedules." aliases:"ls"`
	Add    scheduleAddCmd    `cmd:"" help:"Add a schedule."`
	Set    scheduleSetCmd    `cmd:"" help:"Change a schedule."`
	Show   scheduleShowCmd   `cmd:"" help:"Show a schedule, its next times and its last."`
	Pause  schedulePauseCmd  `cmd:"" help:"Pause a schedule."`
	Resume scheduleResumeCmd `cmd:"" help:"Resume a schedule: it is due from now on."`
	Run    scheduleRunCmd    `cmd:"" help:"Run a schedule now."`
	Rm     scheduleRmCmd     `cmd:"" help:"Remove a schedule."`
}

type scheduleListCmd struct{}

func (scheduleListCmd) Run(r *run) error {
	cl, err := r.client()
	if err != nil {
		return err
	}
	all, err := cl.Schedules(r.ctx)
	if err != nil {
		return err
	}
	if r.json() {
		if all == nil {
			all = []client.Schedule{}
		}
		return r.writeJSON(all)
	}
	t := &table{head: []string{"SCHEDULE", "WHEN", "ZONE", "NEXT", "LAST", "STATE MACHINE"}}
	for _, s := range all {
		last := ""
		if s.Last != nil {
			last = clock(s.Last.FiredAt, r.now()) + " " + s.Last.Outcome
		}
		t.add(s.Name, schedule.Words(s.Cron), s.Zone, scheduleNext(r, s), last, s.StateMachine)
	}
	t.write(r.out, r.width, nil)
	return nil
}

func scheduleNext(r *run, s client.Schedule) string {
	if s.Paused {
		return "paused"
	}
	return clock(s.NextAt, r.now())
}

type scheduleAddCmd struct {
	Name         string  `arg:"" help:"Name: lower-case letters, digits and dashes."`
	Cron         string  `help:"When: minute, hour, day of month, month and weekday, such as \"0 19 * * mon-fri\"." placeholder:"CRON"`
	At           string  `help:"When: a clock time, such as 19:00." placeholder:"HH:MM"`
	Weekdays     string  `help:"With --at: such as mon-fri or mon,thu; every day when not said." placeholder:"DAYS"`
	Zone         string  `help:"IANA time zone, such as Europe/London; default: the portal's." placeholder:"ZONE"`
	StateMachine string  `short:"m" required:"" help:"Name of the state machine to start." placeholder:"NAME"`
	Input        *string `help:"The input: JSON, or @FILE." placeholder:"JSON|@FILE"`
	Grace        string  `help:"How late it may still be fired, 1m to 7d." default:"1h" placeholder:"DURATION"`
	Paused       bool    `help:"Add it paused."`
}

func (c *scheduleAddCmd) Run(r *run) error {
	in := client.AddSchedule{Name: c.Name, Cron: c.Cron, At: c.At, Weekdays: c.Weekdays, Zone: c.Zone, StateMachine: c.StateMachine,
		Grace: c.Grace, Paused: c.Paused}
	var err error
	if in.Input, err = r.scheduleInput(c.Input); err != nil {
		return err
	}
	cl, err := r.client()
	if err != nil {
		return err
	}
	s, err := cl.AddSchedule(r.ctx, in)
	if err != nil {
		return err
	}
	return r.writeSchedule(s)
}

// scheduleInput reads an input that may be absent.
func (r *run) scheduleInput(text *string) (json.RawMessage, error) {
	if text == nil {
		return nil, nil
	}
	v, err := r.inputText(*text)
	if err != nil {
		return nil, err
	}
	return json.RawMessage(v.String()), nil
}

type scheduleSetCmd struct {
	Name         string  `arg:"" help:"Name of the schedule." complete:"schedule"`
	Cron         *string `help:"When: minute, hour, day of month, month and weekday." placeholder:"CRON"`
	At           *string `help:"When: a clock time, such as 19:00." placeholder:"HH:MM"`
	Weekdays     *string `help:"With --at: such as mon-fri or mon,thu; every day when not said." placeholder:"DAYS"`
	Zone         *string `help:"IANA time zone." placeholder:"ZONE"`
	StateMachine *string `short:"m" help:"Name of the state machine to start." placeholder:"NAME"`
	Input        *string `help:"The input: JSON, or @FILE." placeholder:"JSON|@FILE"`
	Grace        *string `help:"How late it may still be fired, 1m to 7d." placeholder:"DURATION"`
}

func (c *scheduleSetCmd) Run(r *run) error {
	in := client.ChangeSchedule{Cron: c.Cron, At: c.At, Weekdays: c.Weekdays, Zone: c.Zone, StateMachine: c.StateMachine, Grace: c.Grace}
	var err error
	if in.Input, err = r.scheduleInput(c.Input); err != nil {
		return err
	}
	cl, err := r.client()
	if err != nil {
		return err
	}
	s, err := cl.ChangeSchedule(r.ctx, c.Name, in)
	if err != nil {
		return err
	}
	return r.writeSchedule(s)
}

type scheduleShowCmd struct {
	Name  string `arg:"" help:"Name of the schedule." complete:"schedule"`
	Limit int    `short:"n" help:"How many of its last times." default:"10"`
}

func (c *scheduleShowCmd) Run(r *run) error {
	if c.Limit < 1 || c.Limit > 500 {
		return exitf(codeUsage, "--limit %d is not between 1 and 500", c.Limit)
	}
	cl, err := r.client()
	if err != nil {
		return err
	}
	s, err := cl.Schedule(r.ctx, c.Name)
	if err != nil {
		return err
	}
	firings, err := cl.Firings(r.ctx, c.Name, c.Limit)
	if err != nil {
		return err
	}
	if r.json() {
		return r.writeJSON(struct {
			client.Schedule
			Firings []client.Firing `json:"firings"`
		}{s, firings})
	}
	if err := r.writeSchedule(s); err != nil || len(firings) == 0 {
		return err
	}
	r.print("")
	t := &table{head: []string{"TIME", "OUTCOME", "FIRED", "EXECUTION", "BY", "REASON"}}
	for _, f := range firings {
		local := f.Local
		if f.By != "" {
			local = "by hand"
		}
		t.add(local, f.Outcome, clock(f.FiredAt, r.now()), f.Execution, f.By, f.Reason)
	}
	t.write(r.out, r.width, nil)
	return nil
}

func (r *run) writeSchedule(s client.Schedule) error {
	if r.json() {
		return r.writeJSON(s)
	}
	facts := [][2]string{{"schedule", s.Name}, {"when", schedule.Words(s.Cron)}, {"cron", s.Cron}, {"zone", s.Zone}, {"state machine", s.StateMachine},
		{"input", string(s.Input)}, {"grace", s.Grace}}
	if s.Paused {
		facts = append(facts, [2]string{"paused", "by " + s.UpdatedBy})
	}
	for n, d := range s.Next {
		label := ""
		if n == 0 {
			label = "next"
		}
		facts = append(facts, [2]string{label, d.Local})
	}
	r.facts(facts)
	return nil
}

type schedulePauseCmd struct {
	Name string `arg:"" help:"Name of the schedule." complete:"schedule"`
}

func (c *schedulePauseCmd) Run(r *run) error {
	cl, err := r.client()
	if err != nil {
		return err
	}
	s, err := cl.PauseSchedule(r.ctx, c.Name)
	return r.scheduleState(s, err)
}

type scheduleResumeCmd struct {
	Name string `arg:"" help:"Name of the schedule." complete:"schedule"`
}

func (c *scheduleResumeCmd) Run(r *run) error {
	cl, err := r.client()
	if err != nil {
		return err
	}
	s, err := cl.ResumeSchedule(r.ctx, c.Name)
	return r.scheduleState(s, err)
}

func (r *run) scheduleState(s client.Schedule, err error) error {
	switch {
	case err != nil:
		return err
	case r.json():
		return r.writeJSON(s)
	case s.Paused:
		r.print("%s%spaused", printable(s.Name), gap)
	default:
		r.print("%s%snext %s", printable(s.Name), gap, clock(s.NextAt, r.now()))
	}
	return nil
}

type scheduleRunCmd struct {
	Name  string        `arg:"" help:"Name of the schedule." complete:"schedule"`
	Wait  bool          `short:"w" help:"Wait until its execution has ended, and print its output."`
	Limit time.Duration `name:"timeout" help:"How long to wait." default:"1h"`
}

func (c *scheduleRunCmd) Run(r *run) error {
	cl, err := r.client()
	if err != nil {
		return err
	}
	f, err := cl.RunSchedule(r.ctx, c.Name)
	if err != nil {
		return err
	}
	if !c.Wait {
		if r.json() {
			return r.writeJSON(f)
		}
		r.print("%s", f.Execution)
		r.hint("what it does: iap workflow show %s", f.Execution)
		return nil
	}
	x, err := cl.Execution(r.ctx, f.Execution)
	if err == nil {
		x, err = r.waitEnded(cl, x, c.Limit)
	}
	if err != nil {
		return err
	}
	return r.writeEnded(x)
}

// writeEnded writes the output of an execution that has ended; one that did not
// succeed is an error.
func (r *run) writeEnded(x client.Execution) error {
	ok := x.Status == string(asl.Succeeded)
	switch {
	case r.json():
		if err := r.writeJSON(x); err != nil || ok {
			return err
		}
		return &exitError{code: codeFailed}
	case !ok:
		return exitf(codeFailed, "%s: %s%s", x.ID, statusLower(x.Status), failureWords(x))
	}
	return r.writeOutput(x)
}

// writeOutput writes the output of an execution: a sweep's and a look for leaks as people read it.
func (r *run) writeOutput(x client.Execution) error {
	var s client.Sweep
	if json.Unmarshal(x.Output, &s) != nil || s.Execution != x.ID || s.FinishedAt.IsZero() {
		text, found := checkText(x.Output)
		if !found {
			text = printable(string(x.Output))
		}
		r.print("%s", text)
		return nil
	}
	r.print("destroyed and verified %d, kept %d, failed %d; %.1f hours and %.2f %s saved", s.Destroyed, s.Kept, s.Failed, s.HoursSaved, s.MoneySaved, s.Currency)
	if s.WaitedFor != "" {
		r.print("%s did not answer for %s", printable(s.WaitedFor), time.Duration(s.WaitedSeconds*float64(time.Second)).Round(time.Second))
	}
	if len(s.Results) == 0 {
		return nil
	}
	t := &table{head: []string{"INSTANCE", "OWNER", "OUTCOME", "NOTE"}}
	for _, i := range s.Results {
		note := i.Reason
		if i.Outcome == "kept" {
			until, _ := time.Parse(time.RFC3339, i.KeptUntil)
			note = "until " + clock(until, r.now()) + ": " + i.KeepReason
		}
		t.add(i.HostName, i.Owner, i.Outcome, note)
	}
	t.write(r.out, r.width, nil)
	return nil
}

type scheduleRmCmd struct {
	Name string `arg:"" help:"Name of the schedule." complete:"schedule"`
	Yes  bool   `short:"y" help:"Do not ask."`
}

func (c *scheduleRmCmd) Run(r *run) error {
	cl, err := r.client()
	if err != nil {
		return err
	}
	if !c.Yes {
		if !r.inTerm {
			return exitf(codeUsage, "say --yes to remove the schedule %s without being asked", printable(c.Name))
		}
		ok, err := r.ask("Remove the schedule %s?", printable(c.Name))
		if err == nil && !ok {
			err = exitf(codeFailed, "nothing was removed")
		}
		if err != nil {
			return err
		}
	}
	if err := cl.RemoveSchedule(r.ctx, c.Name); err != nil {
		return err
	}
	if r.json() {
		return r.writeJSON(map[string]string{"name": c.Name})
	}
	fmt.Fprintf(r.out, "%s%sremoved\n", printable(c.Name), gap)
	return nil
}
