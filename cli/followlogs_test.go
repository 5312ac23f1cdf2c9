package cli_test

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/api"
	"github.com/internal-app-portal/iap/api/apitest"
	"github.com/internal-app-portal/iap/client"
)

// firstJob returns the ID of an instance's first job.
func firstJob(t *testing.T, c *client.Client, instance string) string {
	t.Helper()
	jobs, err := c.JobsOf(t.Context(), instance)
	if err != nil {
		t.Fatal(err)
	}
	return jobs[0].ID
}

// wantLines checks all the lines that a command has still to write.
func (s *started) wantLines(want []string) {
	s.t.Helper()
	s.wantExit(0)
	var got []string
	for line := range s.lines {
		got = append(got, line)
	}
	if !slices.Equal(got, want) {
		s.t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestFollowLogsLosesNothing(t *testing.T) {
	p := apitest.New(t, nil)
	c := jane(t, p)
	i := deploy(t, c, "slow")
	s := start(t, p, "logs", "-f", "otter")
	s.want("creating the container")
	job := firstJob(t, c, i.ID)
	var want []string
	write := func(n int) {
		for range n {
			line := fmt.Sprintf("line %d", len(want))
			want = append(want, line)
			p.WriteLog(job, line+"\n")
		}
	}
	write(100)
	p.WriteLog(job, "half a line, ")
	breakConnections(p) // in the middle of all that
	p.WriteLog(job, "and its end\n")
	want = append(want, "half a line, and its end")
	write(100)
	p.Halt()
	write(100)
	p.EndJob(job)
	p.Resume(t)
	if _, err := c.Destroy(t.Context(), i.ID); err != nil {
		t.Fatal(err)
	}
	s.wantLines(append(want, "destroying"))
}

func TestFollowLogsBeforeTheyBegin(t *testing.T) {
	asked := make(chan struct{}, 1)
	p := apitest.New(t, func(c *api.Config) { c.Jobs = &lateLogs{Jobs: c.Jobs, asked: asked} })
	c := jane(t, p)
	i := deploy(t, c, "slow")
	s := start(t, p, "logs", "-f", "otter")
	<-asked
	p.EndJob(firstJob(t, c, i.ID))
	s.want("creating the container")
	if _, err := c.Destroy(t.Context(), i.ID); err != nil {
		t.Fatal(err)
	}
	s.wantLines([]string{"destroying"})
}

// lateLogs has no log yet when it is asked for the first time.
type lateLogs struct {
	api.Jobs
	once  atomic.Bool
	asked chan<- struct{}
}

func (l *lateLogs) Log(ctx context.Context, id string, offset int64, follow bool) (io.ReadCloser, error) {
	if l.once.CompareAndSwap(false, true) {
		l.asked <- struct{}{}
		return nil, iap.Errorf("job.Log", iap.NotFound, "there is no log")
	}
	return l.Jobs.Log(ctx, id, offset, follow)
}

func TestFollowLogsOfAnInstanceThatEnded(t *testing.T) {
	p := apitest.New(t, nil)
	c := jane(t, p)
	i := deploy(t, c, "todo")
	if _, err := c.Destroy(t.Context(), i.ID); err != nil {
		t.Fatal(err)
	}
	start(t, p, "logs", "-f", i.HostName).wantLines([]string{"creating the container", "created", "destroying"})
}

func TestFollowJobLog(t *testing.T) {
	p := apitest.New(t, nil)
	c := jane(t, p)
	job := firstJob(t, c, deploy(t, c, "slow").ID)
	s := start(t, p, "job", "log", "-f", job)
	s.want("creating the container")
	breakConnections(p)
	p.WriteLog(job, "created\nwithout an end of line")
	p.EndJob(job)
	s.wantLines([]string{"created", "without an end of line"})
}
