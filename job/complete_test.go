package job_test

import (
	"encoding/json"
	"testing"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/job"
)

// TestCompletedFromOutside: what somebody outside says of a job ends it, once, and
// the process that is at it is cancelled.
func TestCompletedFromOutside(t *testing.T) {
	g := newRig(t, nil)
	id := g.enqueue(job.Apply)
	g.next(g.runner.started, "started")
	err := g.s.Complete(t.Context(), id, map[string]json.RawMessage{"upstream": []byte(`"ftp://x"`)}, "", "")
	if !iap.IsKind(err, iap.Invalid) {
		t.Errorf("an output that is no address: %v", err)
	}
	if err := g.s.Complete(t.Context(), id, applied(good).Outputs, "", ""); err != nil {
		t.Fatal(err)
	}
	if j := g.untilStatus(id, job.Succeeded); j.Upstream != good {
		t.Errorf("it answers at %q", j.Upstream)
	}
	if got := g.next(g.runner.cancelled, "cancelled"); got != id {
		t.Errorf("%s was cancelled", got)
	}
	g.runner.end(id, job.Result{Status: job.Cancelled, Error: job.ErrCancelled})
	err = g.s.Complete(t.Context(), id, nil, "Build.Failed", "too late")
	if !iap.IsKind(err, iap.Conflict) {
		t.Errorf("ended twice: %v", err)
	}
	other := g.enqueue(job.Destroy)
	g.next(g.runner.started, "started")
	if err := g.s.Complete(t.Context(), other, nil, "Build.Failed", "no space"); err != nil {
		t.Fatal(err)
	}
	if j := g.untilStatus(other, job.Failed); j.Error != "Build.Failed" || j.Reason != "no space" {
		t.Errorf("it is %+v", j)
	}
	g.runner.end(other, job.Result{Status: job.Succeeded})
	if j := g.untilStatus(id, job.Succeeded); j.Status != job.Succeeded {
		t.Errorf("the end of the process changed it: %+v", j)
	}
}
