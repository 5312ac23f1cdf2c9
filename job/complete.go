package job

import (
	"context"
	"encoding/json"

	"github.com/internal-app-portal/iap"
)

// Complete ends a job as somebody outside says who has done its work or knows that
// it cannot be done: with an error it fails, without one it succeeds with outputs,
// which are checked as those of a bundle. A process that is still at it is
// cancelled. Conflict when the job has ended; NotFound; Invalid.
func (s *Service) Complete(ctx context.Context, jobID string, outputs map[string]json.RawMessage, errorName, cause string) error {
	j, err := s.cfg.Store.Job(ctx, jobID)
	if err != nil {
		return err
	}
	res := Result{Status: Succeeded, Outputs: outputs}
	if errorName != "" {
		res = Result{Status: Failed, Error: errorName, Reason: cause}
	} else if j.Kind == Apply && !j.Status.Ended() {
		if j.Upstream, err = upstream(res); err != nil {
			return err
		}
		if err := s.cfg.CheckOutputs(ctx, j); err != nil {
			return err
		}
	}
	return s.cfg.Tx.Update(ctx, func(ctx context.Context) error {
		j, err := s.cfg.Store.Job(ctx, jobID)
		if err != nil {
			return err
		}
		if j.Status.Ended() {
			return iap.Errorf("job.Complete", iap.Conflict, "the job has ended already: %s", j.Status)
		}
		iap.AfterCommit(ctx, func() { s.cancelWorker(jobID) })
		return s.end(ctx, j, res)
	})
}
