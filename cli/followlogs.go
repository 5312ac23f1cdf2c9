package cli

import (
	"errors"

	"github.com/internal-app-portal/iap/client"
)

// jobSource returns the jobs whose logs are wanted, oldest first, and whether
// no other job can follow.
type jobSource func() (jobs []client.Job, over bool, err error)

// followLogs writes the logs of an instance's jobs, one after the other, from
// the portal's stream, until all of them were read and no job can follow.
func (r *run) followLogs(cl *client.Client, instance string, source jobSource) error {
	l := &logFollower{cl: cl, r: r, source: source, logs: map[string]int64{}, at: map[string]int64{},
		over: map[string]bool{}, read: map[string]bool{}}
	if err := l.next(); err != nil && !errors.Is(err, client.ErrReopen) {
		return l.result(err)
	}
	return l.result(cl.Follow(r.ctx, client.Follow{
		Instance: instance,
		Logs:     l.logs,
		Opened:   l.next,
		Event: func(e client.Event) error {
			if e.Type == client.InstanceChanged || e.Type == client.JobChanged {
				return l.next()
			}
			return nil
		},
		Line:   l.line,
		LogEnd: l.logEnd,
		Lost:   func(error) { r.hint("the portal does not answer; trying again") },
	}))
}

// logFollower holds how far the logs were read.
type logFollower struct {
	cl     *client.Client
	r      *run
	source jobSource
	logs   map[string]int64 // what the stream follows: one log, or none
	at     map[string]int64 // by job: the byte after the last line that was written
	over   map[string]bool  // jobs that had ended before the stream was asked for their logs
	read   map[string]bool  // jobs whose logs were written to their end
}

// next begins with the next log that is not read; while one is, it waits for
// its end.
func (l *logFollower) next() error {
	if len(l.logs) > 0 {
		return nil
	}
	jobs, over, err := l.source()
	if err != nil {
		return err
	}
	for _, j := range jobs {
		if !l.read[j.ID] {
			l.logs[j.ID], l.over[j.ID] = l.at[j.ID], j.Ended()
			return client.ErrReopen
		}
	}
	if over {
		return errReached
	}
	return nil
}

func (l *logFollower) line(line client.LogLine) error {
	l.at[line.Job] = line.Offset
	return l.r.logLine(line.Job, line.Text)
}

// logEnd goes on with the next log. The log of a job that the runner does not
// have yet ends before it began: it is read again with the job's next event,
// or now when the job ended in the meantime.
func (l *logFollower) logEnd(job string, offset int64) error {
	if offset > 0 || l.over[job] {
		l.read[job] = true
		return l.next()
	}
	j, err := l.cl.Job(l.r.ctx, job)
	if err != nil || !j.Ended() {
		return err
	}
	return l.next()
}

// result is what the command returns: an interrupt is how one leaves a log.
func (l *logFollower) result(err error) error {
	if errors.Is(err, errReached) || l.r.ctx.Err() != nil {
		return nil
	}
	return err
}
