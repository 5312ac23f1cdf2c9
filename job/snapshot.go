package job

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
)

// Snapshot is the data of a JobChanged event: a job's public fields, after the
// change.
type Snapshot struct {
	ID          string    `json:"id"`
	Instance    string    `json:"instance"`
	App         string    `json:"app"`
	Version     int       `json:"version"`
	Owner       string    `json:"owner"`
	Kind        Kind      `json:"kind"`
	Status      Status    `json:"status"`
	Position    int       `json:"position,omitempty"`
	Waiting     string    `json:"waiting,omitempty"`
	Steps       []Step    `json:"steps,omitempty"`
	Error       string    `json:"error,omitempty"`
	Reason      string    `json:"reason,omitempty"`
	CancelledBy string    `json:"cancelled_by,omitempty"`
	CreatedAt   time.Time `json:"created_at"`
	StartedAt   time.Time `json:"started_at,omitzero"`
	EndedAt     time.Time `json:"ended_at,omitzero"`
}

// Snapshot returns the public fields of j.
func (j Job) Snapshot() Snapshot {
	return Snapshot{ID: j.ID, Instance: j.Instance, App: j.App, Version: j.Version, Owner: j.Owner,
		Kind: j.Kind, Status: j.Status, Position: j.Position, Waiting: j.Waiting, Steps: j.Steps,
		Error: j.Error, Reason: j.Reason, CancelledBy: j.CancelledBy,
		CreatedAt: j.CreatedAt, StartedAt: j.StartedAt, EndedAt: j.EndedAt}
}

// changed returns the event that tells of a job's change.
func changed(j Job, now time.Time) (*event.Event, error) {
	data, err := json.Marshal(j.Snapshot())
	if err != nil {
		return nil, fmt.Errorf("snapshot of job %s: %w", j.ID, err)
	}
	return &event.Event{ID: iap.NewID(now), Source: "/jobs", Type: event.JobChanged, Subject: j.ID,
		Time: now, Owner: j.Owner, Group: j.Instance, Data: data}, nil
}
