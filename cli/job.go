package cli

import (
	"fmt"
	"time"

	"github.com/internal-app-portal/iap/client"
)

type jobCmd struct {
	List   jobListCmd   `cmd:"" help:"List jobs, newest first." aliases:"ls"`
	Show   jobShowCmd   `cmd:"" help:"Show one job and its steps."`
	Cancel jobCancelCmd `cmd:"" help:"Cancel a job."`
	Log    jobLogCmd    `cmd:"" help:"Print a job's log."`
}

type jobListCmd struct {
	App    string   `help:"Of this app alone." placeholder:"APP" complete:"app"`
	Owner  string   `help:"Of this person alone, for admins." placeholder:"ID"`
	Kind   string   `help:"Of this kind alone: apply or destroy." placeholder:"KIND"`
	Status []string `help:"With one of these statuses alone." placeholder:"STATUS"`
	Limit  int      `short:"n" help:"How many at most." default:"50"`
}

func (c *jobListCmd) Run(r *run) error {
	if c.Limit < 1 || c.Limit > 10000 {
		return exitf(codeUsage, "--limit %d is not between 1 and 10000", c.Limit)
	}
	cl, err := r.client()
	if err != nil {
		return err
	}
	jobs, before := []client.Job{}, ""
	for len(jobs) < c.Limit {
		page, err := cl.Jobs(r.ctx, client.JobFilter{App: c.App, Owner: c.Owner, Kind: c.Kind, Status: c.Status, Before: before, Limit: min(500, c.Limit-len(jobs))})
		if err != nil {
			return err
		}
		jobs = append(jobs, page.Items...)
		if before = page.Next; before == "" {
			break
		}
	}
	if r.json() {
		return r.writeJSON(jobs)
	}
	t := &table{head: []string{"JOB", "KIND", "APP", "STATUS", "CREATED", "TOOK", "REASON"}}
	for _, j := range jobs {
		t.add(j.ID, j.Kind, j.App, jobStatus(j), clock(j.CreatedAt, r.now()), jobTook(j, r.now()), j.Reason)
	}
	t.write(r.out, r.width, nil)
	return nil
}

func jobStatus(j client.Job) string {
	switch {
	case j.Waiting != "":
		return "waits for " + j.Waiting
	case j.Position > 0:
		return fmt.Sprintf("queued (%d.)", j.Position)
	}
	return statusWords(j.Status)
}

func jobTook(j client.Job, now time.Time) string {
	switch {
	case j.StartedAt.IsZero():
		return ""
	case j.EndedAt.IsZero():
		return secondsText(now.Sub(j.StartedAt))
	}
	return secondsText(j.EndedAt.Sub(j.StartedAt))
}

type jobShowCmd struct {
	Job string `arg:"" help:"ID of the job." complete:"job"`
}

func (c *jobShowCmd) Run(r *run) error {
	cl, err := r.client()
	if err != nil {
		return err
	}
	j, err := cl.Job(r.ctx, c.Job)
	if err != nil {
		return err
	}
	return r.writeJob(j)
}

func (r *run) writeJob(j client.Job) error {
	if r.json() {
		return r.writeJSON(j)
	}
	r.facts([][2]string{{"job", j.ID}, {"kind", j.Kind}, {"app", fmt.Sprintf("%s, version %d", j.App, j.Version)},
		{"instance", j.Instance}, {"owner", j.Owner}, {"status", jobStatus(j)}, {"error", j.Error}, {"reason", j.Reason},
		{"cancelled by", j.CancelledBy}, {"created", clock(j.CreatedAt, r.now())}, {"took", jobTook(j, r.now())}})
	if len(j.Steps) == 0 {
		return nil
	}
	r.print("")
	t := &table{head: []string{"STEP", "TOOK", "ERROR"}}
	for _, s := range j.Steps {
		end := s.EndedAt
		if end.IsZero() {
			end = r.now()
		}
		t.add(s.Name, secondsText(end.Sub(s.StartedAt)), s.Error)
	}
	t.write(r.out, r.width, nil)
	return nil
}

type jobCancelCmd struct {
	Job string `arg:"" help:"ID of the job." complete:"job"`
}

func (c *jobCancelCmd) Run(r *run) error {
	cl, err := r.client()
	if err != nil {
		return err
	}
	j, err := cl.CancelJob(r.ctx, c.Job)
	if err != nil {
		return err
	}
	if r.json() {
		return r.writeJSON(j)
	}
	words := statusWords(j.Status)
	if !j.Ended() {
		words = "stopping"
	}
	r.print("%s%s%s", printable(j.ID), gap, words)
	return nil
}

type jobLogCmd struct {
	Job    string `arg:"" help:"ID of the job." complete:"job"`
	Follow bool   `short:"f" help:"Go on until the job has ended."`
}

func (c *jobLogCmd) Run(r *run) error {
	cl, err := r.client()
	if err != nil {
		return err
	}
	if !c.Follow {
		return r.copyLog(cl, c.Job)
	}
	j, err := cl.Job(r.ctx, c.Job)
	if err != nil {
		return err
	}
	return r.followLogs(cl, j.Instance, func() ([]client.Job, bool, error) {
		j, err := cl.Job(r.ctx, j.ID)
		return []client.Job{j}, err == nil && j.Ended(), err
	})
}
