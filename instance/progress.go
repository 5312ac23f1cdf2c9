package instance

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/job"
)

// StepState says where a step of the progress line is.
type StepState string

// The states of a step.
const (
	StepPending StepState = "pending"
	StepActive  StepState = "active"
	StepDone    StepState = "done"
	StepFailed  StepState = "failed"
)

// ProgressStep is one segment of the progress line.
type ProgressStep struct {
	Name      string    `json:"name"`  // "queue", "create", "check", "ready"; then "destroy", "verify"
	Title     string    `json:"title"` // for people: "In the queue", "Create", "Check health", "Ready"
	State     StepState `json:"state"`
	StartedAt time.Time `json:"started_at,omitzero"`
	EndedAt   time.Time `json:"ended_at,omitzero"`
	Note      string    `json:"note,omitempty"` // "2nd in the queue", "waiting for Docker"
}

// Seconds returns how long the step took, or has taken by now.
func (p ProgressStep) Seconds(now time.Time) float64 {
	switch {
	case p.StartedAt.IsZero():
		return 0
	case p.EndedAt.IsZero():
		return now.Sub(p.StartedAt).Seconds()
	}
	return p.EndedAt.Sub(p.StartedAt).Seconds()
}

// Progress is the way of an instance so far.
type Progress struct {
	Steps           []ProgressStep `json:"steps"`
	ExpectedSeconds float64        `json:"expected_seconds,omitempty"` // usual time to ready of the app; 0 unknown
}

// timeline collects what the events of an instance tell of its steps.
type timeline struct {
	created        time.Time
	apply, destroy *job.Snapshot        // the newest of each kind
	marks          map[Status]time.Time // when each status was first reached
	last           Snapshot
}

// progress makes the progress line from the events.
func (s *Service) progress(ctx context.Context, i Instance) (Progress, error) {
	events, err := s.EventStore.EventsOf(ctx, i.ID)
	if err != nil {
		return Progress{}, err
	}
	usual, err := s.Store.ReadySeconds(ctx)
	if err != nil {
		return Progress{}, err
	}
	t := timeline{created: i.CreatedAt, marks: map[Status]time.Time{}, last: i.Snapshot()}
	for _, e := range events {
		t.add(e)
	}
	p := Progress{ExpectedSeconds: usual[i.App]}
	if t.marks[Destroying].IsZero() {
		p.Steps = t.up()
	} else {
		p.Steps = t.down()
	}
	return p, nil
}

func (t *timeline) add(e event.Event) {
	switch e.Type {
	case event.JobChanged:
		var j job.Snapshot
		if json.Unmarshal(e.Data, &j) != nil {
			return
		}
		if j.Kind == job.Apply {
			t.apply = &j
		} else {
			t.destroy = &j
		}
	case event.InstanceChanged:
		var i Snapshot
		if json.Unmarshal(e.Data, &i) != nil {
			return
		}
		if t.marks[i.Status].IsZero() {
			t.marks[i.Status] = e.Time
		}
	}
}

// up is the way to ready.
func (t *timeline) up() []ProgressStep {
	queue := ProgressStep{Name: "queue", Title: "In the queue", State: StepActive, StartedAt: t.created}
	create := ProgressStep{Name: "create", Title: "Create", State: StepPending}
	check := ProgressStep{Name: "check", Title: "Check health", State: StepPending}
	ready := ProgressStep{Name: "ready", Title: "Ready", State: StepPending}
	if j := t.apply; j != nil {
		queue.Note = queueNote(*j)
		if !j.StartedAt.IsZero() {
			queue.done(j.StartedAt)
			create.from(*j)
		}
	}
	if at := t.marks[Checking]; !at.IsZero() {
		check.State, check.StartedAt = StepActive, at
	}
	if at := t.marks[Running]; !at.IsZero() {
		check.done(at)
		ready.State, ready.StartedAt, ready.EndedAt = StepDone, at, at
	}
	return []ProgressStep{queue, create, check, ready}
}

// brokenOff is the state of a step that was not brought to its end: it failed,
// unless somebody wanted it so.
func (t *timeline) brokenOff() StepState {
	if t.last.Reason == "" {
		return StepDone
	}
	return StepFailed
}

// down is the way to gone, behind the steps that were taken before.
func (t *timeline) down() []ProgressStep {
	begun := t.marks[Destroying]
	var steps []ProgressStep
	for _, s := range t.up() {
		if s.State == StepActive {
			s.State, s.EndedAt, s.Note = t.brokenOff(), begun, ""
		}
		if s.State != StepPending {
			steps = append(steps, s)
		}
	}
	destroy := ProgressStep{Name: "destroy", Title: "Destroy", State: StepActive, StartedAt: begun}
	verify := ProgressStep{Name: "verify", Title: "Verify", State: StepPending}
	if j := t.destroy; j != nil {
		destroy.Note = queueNote(*j)
		if !j.EndedAt.IsZero() {
			destroy.done(j.EndedAt)
			verify.State, verify.StartedAt = StepActive, j.EndedAt
		}
	}
	if t.last.Status.Ended() {
		destroy.doneBy(t.last.EndedAt)
		verify.done(t.last.EndedAt)
		if t.last.Status == DestroyFailed {
			verify.State = StepFailed
		}
	}
	return append(steps, destroy, verify)
}

// from fills in a step that a job does.
func (p *ProgressStep) from(j job.Snapshot) {
	p.StartedAt, p.EndedAt = j.StartedAt, j.EndedAt
	switch {
	case j.EndedAt.IsZero():
		p.State = StepActive
		if n := len(j.Steps); n > 0 && j.Steps[n-1].Name == "init" {
			p.Note = "preparing this version for the first time"
		}
	case j.Status == job.Succeeded:
		p.State = StepDone
	case j.Status == job.Cancelled:
		p.State, p.Note = StepDone, "stopped"
	default:
		p.State = StepFailed
	}
}

func (p *ProgressStep) done(at time.Time) { p.State, p.EndedAt, p.Note = StepDone, at, "" }

func (p *ProgressStep) doneBy(at time.Time) {
	if p.State == StepActive {
		p.done(at)
	}
}

func queueNote(j job.Snapshot) string {
	switch {
	case j.Waiting != "":
		return "waiting for " + j.Waiting
	case j.Position > 1:
		return ordinal(j.Position) + " in the queue"
	}
	return ""
}

func ordinal(n int) string {
	suffix := "th"
	if n/10%10 != 1 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return strconv.Itoa(n) + suffix
}
