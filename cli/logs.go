package cli

import (
	"bufio"
	"errors"
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
	l := &logReader{r: r, cl: cl, done: map[string]bool{}}
	if !c.Follow {
		return l.all(i.ID, false)
	}
	// Each job's log is followed to its end; a change of the instance or of a
	// job says that there may be another one.
	err = cl.Follow(r.ctx, client.Follow{
		Instance: i.ID,
		Opened:   func() error { return l.next(i.ID) },
		Event: func(e client.Event) error {
			if e.Type == client.InstanceChanged || e.Type == client.JobChanged {
				return l.next(i.ID)
			}
			return nil
		},
		Lost: func(error) { r.hint("the portal does not answer; trying again") },
	})
	if errors.Is(err, errReached) || r.ctx.Err() != nil {
		return nil
	}
	return err
}

// logReader writes the logs of an instance's jobs, each once.
type logReader struct {
	r    *run
	cl   *client.Client
	done map[string]bool // jobs whose logs were written to their end
}

// next writes what is new and returns errReached when no more can come.
func (l *logReader) next(instance string) error {
	i, err := l.cl.Instance(l.r.ctx, instance) // read first: no job begins after the end
	if err != nil {
		return err
	}
	if err := l.all(instance, true); err != nil {
		return err
	}
	if i.Ended() {
		return errReached
	}
	return nil
}

func (l *logReader) all(instance string, follow bool) error {
	jobs, err := l.cl.JobsOf(l.r.ctx, instance)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		if l.done[j.ID] || (follow && j.Status == "queued") {
			continue
		}
		if err := l.r.writeLog(l.cl, j.ID, follow); err != nil {
			return err
		}
		l.done[j.ID] = true
	}
	return nil
}

// jobLine is a line of a log as JSON has it.
type jobLine struct {
	Job  string `json:"job"`
	Text string `json:"text"`
}

// writeLog writes a job's log. While it is followed it goes on where it broke,
// until the job has ended.
func (r *run) writeLog(cl *client.Client, job string, follow bool) error {
	offset, attempts := int64(0), 0
	for {
		n, rest, err := r.copyLog(cl, job, offset, follow)
		offset += n
		if n > 0 {
			attempts = 0
		}
		if err == nil && r.logEnded(cl, job, follow) {
			return r.logRest(job, rest)
		}
		var refused *client.Error
		if err != nil && (!follow || attempts >= 5 || r.ctx.Err() != nil || errors.As(err, &refused) && refused.Status < 500) {
			return err
		}
		attempts++
		if err := r.pause(attempts); err != nil {
			return err
		}
	}
}

// logEnded reports whether nothing can follow what was read: a portal that
// stops ends the log as well.
func (r *run) logEnded(cl *client.Client, job string, follow bool) bool {
	if !follow {
		return true
	}
	j, err := cl.Job(r.ctx, job)
	return err == nil && j.Ended()
}

// copyLog writes whole lines from the byte offset on and returns how many
// bytes of the log they were, and what followed the last of them.
func (r *run) copyLog(cl *client.Client, job string, offset int64, follow bool) (written int64, rest string, err error) {
	log, err := cl.Log(r.ctx, job, offset, follow)
	if err != nil {
		return 0, "", err
	}
	defer log.Close()
	lines := bufio.NewReader(log)
	for {
		line, err := lines.ReadString('\n')
		if err == io.EOF {
			return written, line, nil
		}
		if err != nil {
			return written, "", err
		}
		written += int64(len(line))
		if err := r.logLine(job, strings.TrimSuffix(line, "\n")); err != nil {
			return written, "", err
		}
	}
}

func (r *run) logRest(job, rest string) error {
	if rest == "" {
		return nil
	}
	return r.logLine(job, rest)
}

func (r *run) logLine(job, text string) error {
	if r.json() {
		return r.writeJSONLine(jobLine{Job: job, Text: text})
	}
	_, err := io.WriteString(r.out, printable(text)+"\n")
	return err
}
