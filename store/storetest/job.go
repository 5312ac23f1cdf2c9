package storetest

import (
	"context"
	"testing"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/job"
	"github.com/internal-app-portal/iap/store"
)

func newJob(id, instance string, status job.Status) job.Job {
	return job.Job{ID: id, Instance: instance, App: "todo", Version: 2, Owner: "ann", Kind: job.Apply, Status: status, CreatedAt: epoch}
}

func testJobs(t *testing.T, open Open) {
	db, ctx := open(t), context.Background()
	for _, j := range []job.Job{newJob("2", "i", job.Queued), newJob("1", "i", job.Running), newJob("3", "k", job.Queued), newJob("4", "k", job.Failed)} {
		must(t, db.InsertJob(ctx, j))
	}
	id := func(j job.Job) string { return j.ID }
	place := func(j job.Job) int { return j.Position }

	t.Run("one", func(t *testing.T) {
		want := newJob("5", "l", job.TimedOut)
		want.Waiting, want.Token, want.Upstream, want.CancelledBy = "Docker", "t", "http://127.0.0.1:1", "bob"
		want.Error, want.Reason = job.ErrTimedOut, "it took too long"
		want.Steps = []job.Step{{Name: "init", StartedAt: epoch, EndedAt: later(1)}, {Name: "apply", StartedAt: later(1), Error: "no"}}
		want.StartedAt, want.EndedAt = later(1), later(2)
		must(t, db.InsertJob(ctx, want))
		wantKind(t, db.InsertJob(ctx, want), iap.Conflict)
		got, err := db.Job(ctx, "5")
		must(t, err)
		same(t, "job", got, want)
		_, err = db.Job(ctx, "6")
		wantKind(t, err, iap.NotFound)
	})
	t.Run("positions", func(t *testing.T) {
		got, err := db.Job(ctx, "3")
		must(t, err)
		same(t, "of one", got.Position, 2)
		jobs, err := db.JobsByStatus(ctx, job.Running, job.Queued)
		must(t, err)
		same(t, "by status", ids(jobs, id), []string{"1", "2", "3"})
		same(t, "positions", ids(jobs, place), []int{0, 1, 2})
		jobs, err = db.FirstQueued(ctx, 1)
		must(t, err)
		same(t, "first", ids(jobs, id), []string{"2"})
		same(t, "its position", ids(jobs, place), []int{1})
		jobs, err = db.FirstQueued(ctx, 9)
		must(t, err)
		same(t, "positions of the queue", ids(jobs, place), []int{1, 2})
		jobs, err = db.JobsByStatus(ctx)
		must(t, err)
		same(t, "of no status", len(jobs), 0)
	})
	t.Run("of an instance", func(t *testing.T) {
		jobs, err := db.JobsOf(ctx, "k")
		must(t, err)
		same(t, "jobs", ids(jobs, id), []string{"3", "4"})
		same(t, "positions", ids(jobs, place), []int{2, 0})
	})
	t.Run("recent", func(t *testing.T) {
		jobs, err := db.Jobs(ctx, job.Filter{Limit: 2})
		must(t, err)
		same(t, "newest", ids(jobs, id), []string{"5", "4"})
		jobs, err = db.Jobs(ctx, job.Filter{Before: "4", Limit: 9})
		must(t, err)
		same(t, "older", ids(jobs, id), []string{"3", "2", "1"})
		bobs := newJob("0", "b", job.Failed)
		bobs.Owner = "bob"
		must(t, db.InsertJob(ctx, bobs))
		jobs, err = db.Jobs(ctx, job.Filter{Owner: "ann", Limit: 2})
		must(t, err)
		same(t, "ann's newest", ids(jobs, id), []string{"5", "4"})
		jobs, err = db.Jobs(ctx, job.Filter{Owner: "ann", Before: "3", Limit: 9})
		must(t, err)
		same(t, "ann's older", ids(jobs, id), []string{"2", "1"})
		jobs, err = db.Jobs(ctx, job.Filter{Owner: "bob", Limit: 9})
		must(t, err)
		same(t, "bob's", ids(jobs, id), []string{"0"})
		jobs, err = db.Jobs(ctx, job.Filter{App: bobs.App, Kind: bobs.Kind, Statuses: []job.Status{job.Failed, job.Cancelled}, Before: "1", Limit: 9})
		must(t, err)
		same(t, "what failed", ids(jobs, id), []string{"0"})
		for _, none := range []job.Filter{{App: "none", Limit: 9}, {Kind: "none", Limit: 9}, {Owner: "bob", Statuses: []job.Status{job.Running}, Limit: 9}} {
			jobs, err = db.Jobs(ctx, none)
			must(t, err)
			same(t, "what none is like", len(jobs), 0)
		}
	})
	t.Run("update", func(t *testing.T) { jobUpdate(t, db) })
}

func jobUpdate(t *testing.T, db *store.DB) {
	ctx := context.Background()
	j := newJob("2", "i", job.Running)
	j.Reason = "bad \xff text\x00" // neither database may fail on it
	must(t, db.UpdateJob(ctx, j))
	got, err := db.Job(ctx, "2")
	must(t, err)
	j.Reason = "bad \uFFFD text\uFFFD"
	same(t, "job", got, j)
	next, err := db.Job(ctx, "3")
	must(t, err)
	same(t, "the next one's position", next.Position, 1)
	wantKind(t, db.UpdateJob(ctx, newJob("9", "i", job.Running)), iap.NotFound)
}
