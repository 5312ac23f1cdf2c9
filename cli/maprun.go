package cli

import (
	"fmt"
	"strconv"

	"github.com/internal-app-portal/iap/client"
)

type mapRunCmd struct {
	Ls   mapRunLsCmd   `cmd:"" help:"List the map runs of an execution." aliases:"list"`
	Show mapRunShowCmd `cmd:"" help:"Show a map run with its counts."`
	Set  mapRunSetCmd  `cmd:"" help:"Change the limits of a map run that goes on."`
}

type mapRunLsCmd struct {
	Execution string `arg:"" help:"ID of the execution."`
	Limit     int    `short:"n" help:"How many at most." default:"50"`
}

func (c *mapRunLsCmd) Run(r *run) error {
	if c.Limit < 1 || c.Limit > 10000 {
		return exitf(codeUsage, "--limit %d is not between 1 and 10000", c.Limit)
	}
	cl, err := r.client()
	if err != nil {
		return err
	}
	all, err := pages(c.Limit, func(before string, limit int) (client.List[client.MapRun], error) {
		return cl.MapRuns(r.ctx, c.Execution, before, limit)
	})
	if err != nil {
		return err
	}
	if r.json() {
		return r.writeJSON(all)
	}
	t := &table{head: []string{"MAP RUN", "STATE", "STATUS", "ITEMS", "SUCCEEDED", "FAILED", "STARTED"}}
	for _, m := range all {
		t.add(m.ID, m.State, statusLower(m.Status), fmt.Sprint(m.Items.Total), fmt.Sprint(m.Items.Succeeded),
			fmt.Sprint(m.Items.Failed+m.Items.TimedOut+m.Items.Aborted), clock(m.StartedAt, r.now()))
	}
	t.write(r.out, r.width, nil)
	return nil
}

type mapRunShowCmd struct {
	MapRun string `arg:"" name:"map-run" help:"ID of the map run."`
}

func (c *mapRunShowCmd) Run(r *run) error {
	cl, err := r.client()
	if err != nil {
		return err
	}
	m, err := cl.MapRun(r.ctx, c.MapRun)
	if err != nil {
		return err
	}
	return r.writeMapRun(m)
}

type mapRunSetCmd struct {
	MapRun      string   `arg:"" name:"map-run" help:"ID of the map run."`
	Concurrency *int64   `name:"max-concurrency" help:"Children at once; 0 for no limit." placeholder:"N"`
	Count       *int64   `name:"tolerated-failure-count" help:"Items that may fail." placeholder:"N"`
	Percentage  *float64 `name:"tolerated-failure-percentage" help:"Percent of the items that may fail." placeholder:"PERCENT"`
}

func (c *mapRunSetCmd) Run(r *run) error {
	limits := client.MapRunLimits{MaxConcurrency: c.Concurrency, ToleratedFailureCount: c.Count, ToleratedFailurePercentage: c.Percentage}
	if limits == (client.MapRunLimits{}) {
		return exitf(codeUsage, "say what to change: --max-concurrency, --tolerated-failure-count or --tolerated-failure-percentage")
	}
	cl, err := r.client()
	if err != nil {
		return err
	}
	m, err := cl.UpdateMapRun(r.ctx, c.MapRun, limits)
	if err != nil {
		return err
	}
	return r.writeMapRun(m)
}

func (r *run) writeMapRun(m client.MapRun) error {
	if r.json() {
		return r.writeJSON(m)
	}
	fields := [][2]string{{"map run", m.ID}, {"execution", m.Execution}, {"state machine", m.StateMachine}, {"state", m.State},
		{"children", statusLower(m.Type)}, {"status", statusLower(m.Status)}, {"started", clock(m.StartedAt, r.now())}}
	if !m.StoppedAt.IsZero() {
		fields = append(fields, [2]string{"stopped", clock(m.StoppedAt, r.now())})
	}
	if m.RedriveCount > 0 {
		often := "once"
		if m.RedriveCount > 1 {
			often = fmt.Sprintf("%d times, last", m.RedriveCount)
		}
		fields = append(fields, [2]string{"redriven", often + " " + clock(m.RedrivenAt, r.now())})
	}
	fields = append(fields, limitFields(m.MapRunLimits)...)
	for _, f := range fields {
		r.print("%-21s %s", f[0], printable(f[1]))
	}
	r.print("")
	t := &table{head: []string{"", "TOTAL", "PENDING", "RUNNING", "SUCCEEDED", "FAILED", "TIMED OUT", "ABORTED", "TO REDRIVE", "WRITTEN"}}
	t.add(counted("items", m.Items)...)
	t.add(counted("children", m.Children)...)
	t.write(r.out, r.width, nil)
	return nil
}

func limitFields(l client.MapRunLimits) [][2]string {
	out := [][2]string{{"max concurrency", "no limit"}}
	if l.MaxConcurrency != nil && *l.MaxConcurrency > 0 {
		out[0][1] = fmt.Sprint(*l.MaxConcurrency)
	}
	if l.ToleratedFailureCount != nil {
		out = append(out, [2]string{"tolerated failures", fmt.Sprintf("%d items", *l.ToleratedFailureCount)})
	}
	if l.ToleratedFailurePercentage != nil {
		out = append(out, [2]string{"tolerated failures", strconv.FormatFloat(*l.ToleratedFailurePercentage, 'f', -1, 64) + " %"})
	}
	return out
}

func counted(name string, c client.MapCounts) []string {
	out := []string{name}
	for _, n := range []int64{c.Total, c.Pending, c.Running, c.Succeeded, c.Failed, c.TimedOut, c.Aborted, c.PendingRedrive, c.ResultsWritten} {
		out = append(out, strconv.FormatInt(n, 10))
	}
	return out
}
