package cli

import (
	"bufio"
	"io"
	"strings"

	"github.com/internal-app-portal/iap/client"
)

type logsCmd struct {
	Instance string `arg:"" help:"Host name, ID, or a unique part of the host name." complete:"instance"`
	Follow   bool   `short:"f" help:"Go on until the instance has ended."`
}

func (c *logsCmd) Run(r *run) error {
	cl, err := r.client()
	if err != nil {
		return err
	}
	i, err := cl.Instance(r.ctx, c.Instance)
	if err != nil {
		return err
	}
	if c.Follow {
		return r.followLogs(cl, i.ID, func() ([]client.Job, bool, error) {
			i, err := cl.Instance(r.ctx, i.ID) // read first: no job begins after the end
			if err != nil {
				return nil, false, err
			}
			jobs, err := cl.JobsOf(r.ctx, i.ID)
			return jobs, i.Ended(), err
		})
	}
	jobs, err := cl.JobsOf(r.ctx, i.ID)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		if err := r.copyLog(cl, j.ID); err != nil {
			return err
		}
	}
	return nil
}

// copyLog writes what there is of a job's log.
func (r *run) copyLog(cl *client.Client, job string) error {
	log, err := cl.Log(r.ctx, job, 0, false)
	if err != nil {
		return err
	}
	defer log.Close()
	lines := bufio.NewReader(log)
	for {
		line, err := lines.ReadString('\n')
		if err != nil && err != io.EOF {
			return err
		}
		if line != "" {
			if err := r.logLine(job, strings.TrimSuffix(line, "\n")); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
	}
}

// jobLine is a line of a log as JSON has it.
type jobLine struct {
	Job  string `json:"job"`
	Text string `json:"text"`
}

func (r *run) logLine(job, text string) error {
	if r.json() {
		return r.writeJSONLine(jobLine{Job: job, Text: text})
	}
	_, err := io.WriteString(r.out, printable(text)+"\n")
	return err
}
