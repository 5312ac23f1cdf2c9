package tfstate

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/job"
)

// errAlive says that a lock's job lives.
var errAlive = errors.New("the job of the lock lives")

// lock takes the lock. It answers 200 to who has it already, because that one
// did not get its answer, and 423 with the holder's JSON to others.
func (b *Backend) lock(ctx context.Context, req request) (a answer, err error) {
	id, err := lockID(req.body)
	if err != nil {
		return answer{}, err
	}
	err = b.update(ctx, "lock", func(ctx context.Context) error {
		a = answer{status: http.StatusOK}
		held, err := b.cfg.Store.Lock(ctx, req.instance)
		switch {
		case iap.IsKind(err, iap.NotFound):
		case err != nil:
			return err
		case held.ID == id && held.Job == req.job.ID:
			return nil
		default:
			if err := b.releaseDead(ctx, held); errors.Is(err, errAlive) {
				a = answer{status: http.StatusLocked, body: held.Info}
				return nil
			} else if err != nil {
				return err
			}
		}
		return b.cfg.Store.InsertLock(ctx, job.StateLock{Instance: req.instance, ID: id, Job: req.job.ID,
			Info: req.body, CreatedAt: b.cfg.Now()})
	})
	if iap.IsKind(err, iap.Conflict) { // another was quicker
		held, e := b.cfg.Store.Lock(ctx, req.instance)
		if e != nil {
			return answer{}, iap.E("tfstate.lock", iap.Unavailable, errors.New("the lock changes hands; try again"))
		}
		return answer{status: http.StatusLocked, body: held.Info}, nil
	}
	return a, err
}

// unlock gives the lock back. An empty body is what force-unlock sends: it takes
// the instance's lock from whoever has it.
func (b *Backend) unlock(ctx context.Context, req request) (a answer, err error) {
	id := ""
	if len(req.body) > 0 {
		if id, err = lockID(req.body); err != nil {
			return answer{}, err
		}
	}
	err = b.update(ctx, "unlock", func(ctx context.Context) error {
		a = answer{status: http.StatusOK}
		held, err := b.cfg.Store.Lock(ctx, req.instance)
		switch {
		case iap.IsKind(err, iap.NotFound):
			return nil // given back before, and the answer was lost
		case err != nil:
			return err
		case id == "":
			return b.release(ctx, held, req.job.Owner, "force-unlock by job "+req.job.ID)
		case held.ID != id || held.Job != req.job.ID:
			a = answer{status: http.StatusConflict, body: held.Info}
			return nil
		}
		return b.cfg.Store.DeleteLock(ctx, req.instance, id)
	})
	return a, err
}

// lockID reads the ID from tofu's lock JSON.
func lockID(info []byte) (string, error) {
	var l struct{ ID string }
	if err := json.Unmarshal(info, &l); err != nil || l.ID == "" || len(l.ID) > 200 || len(info) > maxLockInfo {
		return "", iap.FieldErrorf("tfstate.lock", "ID", "the body must be a lock as OpenTofu and Terraform send it: a JSON object with an \"ID\"")
	}
	return l.ID, nil
}

// releaseDead releases a lock whose job has ended; errAlive when it has not.
func (b *Backend) releaseDead(ctx context.Context, l job.StateLock) error {
	j, err := b.cfg.Jobs.Job(ctx, l.Job)
	if err != nil && !iap.IsKind(err, iap.NotFound) {
		return err
	}
	if err == nil && !j.Status.Ended() {
		return errAlive
	}
	owner := iap.System.ID
	if j.Owner != "" {
		owner = j.Owner
	}
	return b.release(ctx, l, owner, "its job has ended")
}

// release takes a lock away and tells so.
func (b *Backend) release(ctx context.Context, l job.StateLock, owner, reason string) error {
	if err := b.cfg.Store.DeleteLock(ctx, l.Instance, l.ID); err != nil && !iap.IsKind(err, iap.NotFound) {
		return err
	}
	data, err := json.Marshal(map[string]string{"job": l.Job, "lock_id": l.ID, "reason": reason})
	if err != nil {
		return err
	}
	now := b.cfg.Now()
	return b.cfg.Events.Append(ctx, &event.Event{ID: iap.NewID(now), Source: "/tfstate", Type: event.LockReleased,
		Subject: l.Instance, Time: now, Owner: owner, Group: l.Instance, Data: data})
}
