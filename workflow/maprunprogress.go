package workflow

import (
	"context"
	"encoding/json"
	"strings"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
)

// progressKey is a map run among the executions whose progress is told.
func progressKey(r MapRun) string { return "map run/" + r.ID + "/" + r.Execution }

func mapRunOf(key string) (id, execution string, ok bool) {
	rest, ok := strings.CutPrefix(key, "map run/")
	id, execution, _ = strings.Cut(rest, "/")
	return id, execution, ok
}

// saveMapRun writes a run in the transaction of ctx and tells of it: of its
// beginning and end with the commit, of what comes between now and then.
func (e *Engine) saveMapRun(ctx context.Context, r MapRun) error {
	if err := e.Store.UpdateMapRun(ctx, r); err != nil {
		return err
	}
	key := progressKey(r)
	if r.Status != Running {
		e.progress.end(key)
	} else if !r.Redriving && !e.progress.now(key) {
		iap.AfterCommit(ctx, func() { e.progress.later(key, nil) })
		return nil
	}
	return e.Log.Append(ctx, e.mapRunTold(r))
}

// mapRunTold is the event by which pages that show a map run learn of it.
func (e *Engine) mapRunTold(r MapRun) *event.Event {
	data, _ := json.Marshal(struct { // cannot fail
		ID        string `json:"id"`
		Execution string `json:"execution"`
		Status    Status `json:"status"`
	}{r.ID, r.Execution, r.Status})
	now := e.Now()
	return &event.Event{ID: iap.NewID(now), Source: "/map-runs", Type: event.MapRunChanged, Subject: r.ID,
		Time: now, Owner: event.AdminsOnly, Group: r.ID, Data: data}
}
