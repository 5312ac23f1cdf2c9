package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/client"
	"github.com/internal-app-portal/iap/job"
)

type jobInput struct {
	ID string `path:"id" maxLength:"26" doc:"ID of the job"`
}

func (s *service) registerJobs() {
	tags := []string{"Jobs"}
	register(s, huma.Operation{Method: http.MethodGet, Path: "/jobs", OperationID: "list-jobs", Tags: tags,
		Summary: "List jobs, newest first: one's own, for admins all"}, s.listJobs)
	register(s, huma.Operation{Method: http.MethodGet, Path: "/jobs/{id}", OperationID: "get-job", Tags: tags,
		Summary: "One job", Errors: []int{404}}, s.getJob)
	register(s, huma.Operation{Method: http.MethodPost, Path: "/jobs/{id}/cancel", OperationID: "cancel-job", Tags: tags,
		Summary: "Cancel a job", DefaultStatus: http.StatusAccepted, Errors: []int{404, 409, 503, 507}}, s.cancelJob)
	register(s, huma.Operation{Method: http.MethodGet, Path: "/jobs/{id}/log", OperationID: "job-log", Tags: tags,
		Summary:     "A job's log",
		Description: "Text in UTF-8, a line for each message. With follow=true it goes on until the job has ended.",
		Responses: map[string]*huma.Response{"200": {Description: "The log from the offset on",
			Content: map[string]*huma.MediaType{"text/plain": {Schema: &huma.Schema{Type: "string"}}}}},
		Errors: []int{404, 503}}, s.jobLog)
}

// job returns a job that the actor may see: one's own, for admins every one.
func (s *service) job(ctx context.Context, id string) (job.Job, error) {
	a := actor(ctx)
	none := iap.Errorf("api.job", iap.NotFound, "there is no job %.64q", id)
	if !iap.ValidID(id) {
		return job.Job{}, none
	}
	j, err := s.cfg.Jobs.Get(ctx, id)
	if iap.IsKind(err, iap.NotFound) || (err == nil && !maySee(a, j)) {
		return job.Job{}, none
	}
	return j, err
}

func maySee(a iap.Actor, j job.Job) bool { return j.Owner == a.ID || a.Role.Includes(iap.Admin) }

func wireJobs(jobs []job.Job) []client.Job {
	out := []client.Job{}
	for _, j := range jobs {
		out = append(out, wireJob(j))
	}
	return out
}

type jobsInput struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
	Before string `query:"before" maxLength:"26" doc:"\"next\" of the page before"`
	App    string `query:"app" maxLength:"63"`
	Owner  string `query:"owner" maxLength:"200" doc:"A person's ID; others' jobs are for admins"`
	Kind   string `query:"kind" maxLength:"40" doc:"apply or destroy"`
	Status string `query:"status" maxLength:"200" doc:"Statuses, separated by commas"`
}

// listJobs reads one page: of one's own jobs, for admins of all.
func (s *service) listJobs(ctx context.Context, in *jobsInput) (*bodyOf[client.List[client.Job]], error) {
	if in.Before != "" && !iap.ValidID(in.Before) {
		return nil, iap.FieldErrorf("api.Jobs", "query.before", "%q is not the \"next\" of a page", in.Before)
	}
	f := job.Filter{App: in.App, Owner: in.Owner, Before: in.Before, Limit: in.Limit}
	if err := f.Parse(in.Kind, in.Status); err != nil {
		for _, e := range iap.Fields(err) {
			e.Field = "query." + e.Field
		}
		return nil, err
	}
	if a := actor(ctx); !a.Role.Includes(iap.Admin) {
		if in.Owner != "" && in.Owner != a.ID {
			return nil, iap.Errorf("api.Jobs", iap.Forbidden, "others' jobs are for admins to see")
		}
		f.Owner = a.ID
	}
	jobs, err := s.cfg.Jobs.List(ctx, f)
	if err != nil {
		return nil, err
	}
	out := client.List[client.Job]{Items: wireJobs(jobs)}
	if len(jobs) == in.Limit {
		out.Next = jobs[len(jobs)-1].ID
	}
	return &bodyOf[client.List[client.Job]]{out}, nil
}

func (s *service) getJob(ctx context.Context, in *jobInput) (*bodyOf[client.Job], error) {
	j, err := s.job(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &bodyOf[client.Job]{wireJob(j)}, nil
}

func (s *service) cancelJob(ctx context.Context, in *jobInput) (*bodyOf[client.Job], error) {
	j, err := s.job(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if err := s.cfg.Jobs.Cancel(ctx, actor(ctx).ID, j.ID); err != nil {
		return nil, err
	}
	if j, err = s.cfg.Jobs.Get(ctx, j.ID); err != nil {
		return nil, err
	}
	return &bodyOf[client.Job]{wireJob(j)}, nil
}

type logInput struct {
	ID     string `path:"id" maxLength:"26" doc:"ID of the job"`
	Offset int64  `query:"offset" minimum:"0" doc:"Byte to begin with"`
	Follow bool   `query:"follow" doc:"Go on until the job has ended"`
}

func (s *service) jobLog(ctx context.Context, in *logInput) (*huma.StreamResponse, error) {
	j, err := s.job(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	ctx, cancel := s.untilDone(ctx)
	log, err := s.cfg.Jobs.Log(ctx, j.ID, in.Offset, in.Follow)
	if iap.IsKind(err, iap.NotFound) { // the job is there, it has only said nothing yet
		log, err = io.NopCloser(eof{}), nil
	}
	if err != nil {
		cancel()
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer cancel()
		defer log.Close()
		_, w := humago.Unwrap(hc)
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("X-Accel-Buffering", "no") // a buffering proxy would hold lines back
		w.WriteHeader(http.StatusOK)
		copyFlushing(w, log)
	}}, nil
}

// eof is a reader of nothing.
type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }

// copyFlushing sends what r has as soon as it has it.
func copyFlushing(w http.ResponseWriter, r io.Reader) {
	rc := http.NewResponseController(w)
	buf := make([]byte, 32<<10)
	_ = rc.Flush()
	for {
		n, err := r.Read(buf)
		if n > 0 {
			_ = rc.SetWriteDeadline(time.Now().Add(writeTime))
			if _, werr := w.Write(buf[:n]); werr != nil || rc.Flush() != nil {
				return
			}
			_ = rc.SetWriteDeadline(time.Time{}) // in HTTP/2 it ends a stream that is quiet
		}
		if err != nil {
			return
		}
	}
}

var errStopping = errors.New("the portal is about to stop")

// untilDone returns a context that ends with ctx or when the server is about
// to stop.
func (s *service) untilDone(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	if s.cfg.Done == nil {
		return ctx, func() { cancel(nil) }
	}
	go func() {
		select {
		case <-s.cfg.Done:
			cancel(errStopping)
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}
