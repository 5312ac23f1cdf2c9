package tfstate

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/job"
)

func (b *Backend) get(ctx context.Context, req request) (answer, error) {
	if b.cfg.BeforeGet != nil {
		if err := b.cfg.BeforeGet(ctx, req.job); err != nil {
			return answer{}, err
		}
	}
	_, state, err := b.newest(ctx, req.instance)
	if err != nil {
		return answer{}, err
	}
	if state == nil {
		return answer{status: http.StatusNotFound}, nil
	}
	return answer{status: http.StatusOK, body: state}, nil
}

// newest returns the newest version and its content, nil when there is none or
// it was deleted.
func (b *Backend) newest(ctx context.Context, instance string) (job.StateVersion, []byte, error) {
	v, err := b.cfg.Store.State(ctx, instance)
	if iap.IsKind(err, iap.NotFound) || err == nil && len(v.Data) == 0 {
		return v, nil, nil
	}
	if err != nil {
		return v, nil, err
	}
	state, err := open(b.cfg.Key, instance, v.Data)
	if err != nil {
		return v, nil, iap.E("tfstate.get", iap.Internal, err)
	}
	return v, state, nil
}

func (b *Backend) post(ctx context.Context, req request) (answer, error) {
	if len(req.body) == 0 {
		return answer{}, iap.Errorf("tfstate.post", iap.Invalid, "the body is empty; it must be a Terraform state")
	}
	data, err := seal(b.cfg.Key, req.instance, req.body)
	if err != nil {
		return answer{}, iap.E("tfstate.post", iap.Internal, err)
	}
	v := job.StateVersion{Instance: req.instance, Data: data, Job: req.job.ID}
	v.Serial, v.Lineage = identity(req.body)
	return b.put(ctx, req, v)
}

func (b *Backend) delete(ctx context.Context, req request) (answer, error) {
	return b.put(ctx, req, job.StateVersion{Instance: req.instance, Serial: -1, Job: req.job.ID})
}

// put stores a version unless another holds the lock or has stored a newer one.
func (b *Backend) put(ctx context.Context, req request, v job.StateVersion) (a answer, err error) {
	err = b.update(ctx, "put", func(ctx context.Context) error {
		a = answer{status: http.StatusOK}
		refused, err := b.lockedOut(ctx, req)
		if err != nil {
			return err
		}
		if refused != nil {
			a = *refused
			return nil
		}
		old, state, err := b.newest(ctx, req.instance)
		if err != nil {
			return err
		}
		if refused = older(v, old, state); refused != nil {
			a = *refused
			return nil
		}
		if v.Data != nil && state != nil && bytes.Equal(state, req.body) {
			return nil // its answer was lost, so it comes again
		}
		v.CreatedAt = b.cfg.Now()
		return b.cfg.Store.InsertState(ctx, v, b.cfg.Keep)
	})
	return a, err
}

// older returns a refusal when a version has a lower serial than the stored one
// of the same lineage.
func older(v, old job.StateVersion, state []byte) *answer {
	if v.Data == nil || state == nil || v.Serial < 0 || v.Lineage == "" || v.Lineage != old.Lineage || v.Serial >= old.Serial {
		return nil
	}
	return &answer{status: http.StatusConflict, text: "a newer state is stored: its serial is higher"}
}

// lockedOut returns a refusal when another holds the lock. Without a lock's ID
// in the request it is enough that the job holds it: a state that tofu could not
// store is handed over so.
func (b *Backend) lockedOut(ctx context.Context, req request) (*answer, error) {
	l, err := b.cfg.Store.Lock(ctx, req.instance)
	if iap.IsKind(err, iap.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	switch {
	case req.lockID == l.ID && l.Job == req.job.ID, req.lockID == "" && l.Job == req.job.ID:
		return nil, nil
	case req.lockID == "":
		return &answer{status: http.StatusLocked, body: l.Info}, nil
	}
	return &answer{status: http.StatusConflict, body: l.Info}, nil
}

// identity reads what orders states; -1 and "" where there is nothing to read.
func identity(state []byte) (serial int64, lineage string) {
	var s struct {
		Serial  *int64 `json:"serial"`
		Lineage string `json:"lineage"`
	}
	if json.Unmarshal(state, &s) != nil || s.Serial == nil || *s.Serial < 0 {
		return -1, ""
	}
	return *s.Serial, s.Lineage
}
