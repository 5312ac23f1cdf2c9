package instance

import (
	"context"
	_ "embed"
	"encoding/json"
	"strings"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/workflow"
)

// SweepDefinition is the state machine of the nightly sweep, in Amazon States
// Language; admins may change the portal's copy.
//
//go:embed sweep.asl.json
var SweepDefinition []byte

// SweepName is the name of the sweep's state machine.
const SweepName = "sweep"

const errorDestroyFailed = "Instance.DestroyFailed"

// SweepOutcome is what a sweep has made of an instance.
type SweepOutcome string

// The outcomes of an instance in a sweep.
const (
	SweptDestroyed SweepOutcome = "destroyed" // and verified: nothing is left
	SweptKept      SweepOutcome = "kept"
	SweptFailed    SweepOutcome = "failed"
)

// SweepResult is what a sweep has made of one instance.
type SweepResult struct {
	Instance      string       `json:"instance"`
	HostName      string       `json:"host_name"`
	App           string       `json:"app"`
	Owner         string       `json:"owner"`
	Outcome       SweepOutcome `json:"outcome"`
	KeptUntil     string       `json:"kept_until,omitempty"`  // RFC 3339
	KeptBy        string       `json:"kept_by,omitempty"`     // a person's ID
	KeepReason    string       `json:"keep_reason,omitempty"` //
	Reason        string       `json:"reason,omitempty"`      // why it failed
	HoursSaved    float64      `json:"hours_saved"`           // up to its own end
	MoneySaved    float64      `json:"money_saved"`           // in the portal's currency
	WaitedFor     string       `json:"waited_for,omitempty"`  // what did not answer meanwhile: "Docker"
	WaitedSeconds float64      `json:"waited_seconds,omitempty"`
}

// Sweep is one sweep with its report.
type Sweep struct {
	Execution     string        `json:"execution"`
	StartedAt     time.Time     `json:"started_at"`
	FinishedAt    time.Time     `json:"finished_at,omitzero"` // zero: it goes on
	Destroyed     int           `json:"destroyed"`            // and verified
	Kept          int           `json:"kept"`
	Failed        int           `json:"failed"`
	HoursSaved    float64       `json:"hours_saved"`
	MoneySaved    float64       `json:"money_saved"`
	Currency      string        `json:"currency,omitempty"`
	WaitedFor     string        `json:"waited_for,omitempty"`
	WaitedSeconds float64       `json:"waited_seconds,omitempty"` // the longest that an instance had to wait
	Results       []SweepResult `json:"results"`
	Truncated     bool          `json:"truncated,omitempty"` // there are more results
}

// SweepStore keeps sweeps.
type SweepStore interface {
	// PutSweep inserts a sweep or replaces the one of its execution, without its
	// results.
	PutSweep(ctx context.Context, s Sweep) error
	// PutSweepResults inserts results of a sweep or replaces those of the same
	// instances.
	PutSweepResults(ctx context.Context, execution string, results []SweepResult) error
	// Sweep returns a sweep without its results, or NotFound.
	Sweep(ctx context.Context, execution string) (Sweep, error)
	// SweepResults returns at most limit results: failed ones first, then those
	// kept, then those destroyed.
	SweepResults(ctx context.Context, execution string, limit int) ([]SweepResult, error)
	// SweepTotals counts the results of a sweep.
	SweepTotals(ctx context.Context, execution string) (Sweep, error)
	// Sweeps returns at most limit sweeps without results, newest first.
	Sweeps(ctx context.Context, limit int) ([]Sweep, error)
}

// maxReported bounds the results in a report: they are the output of an
// execution.
const maxReported = 200

// GetSweep returns a sweep with its results; NotFound; Forbidden but to admins.
func (s *Service) GetSweep(ctx context.Context, actor iap.Actor, execution string) (Sweep, error) {
	const op = "instance.Sweep"
	if !actor.Role.Includes(iap.Admin) {
		return Sweep{}, iap.Errorf(op, iap.Forbidden, "sweeps are for admins to see")
	}
	x, err := s.Store.Sweep(ctx, execution)
	if iap.IsKind(err, iap.NotFound) {
		return x, iap.Errorf(op, iap.NotFound, "there is no sweep %q", clip(execution))
	}
	if err == nil && x.FinishedAt.IsZero() { // so far
		totals, totalsErr := s.Store.SweepTotals(ctx, execution)
		totals.StartedAt, x, err = x.StartedAt, totals, totalsErr
	}
	if err == nil {
		x.Results, err = s.Store.SweepResults(ctx, execution, 10_000)
	}
	return x, err
}

// Sweeps returns the newest sweeps without their results; Forbidden but to
// admins.
func (s *Service) Sweeps(ctx context.Context, actor iap.Actor, limit int) ([]Sweep, error) {
	if !actor.Role.Includes(iap.Admin) {
		return nil, iap.Errorf("instance.Sweeps", iap.Forbidden, "sweeps are for admins to see")
	}
	return s.Store.Sweeps(ctx, limit)
}

// taskNote keeps results of a sweep; doing it again changes nothing.
func (s *Service) taskNote(ctx context.Context, c workflow.Call) (json.RawMessage, error) {
	if err := s.sweeper(c); err != nil {
		return nil, err
	}
	var a struct{ Results []SweepResult }
	if err := noteDoc.Read(c.Arguments, &a); err != nil {
		return nil, badArguments(c, err)
	}
	if err := s.beginSweep(ctx, c.Execution); err != nil {
		return nil, err
	}
	return result(map[string]int{"noted": len(a.Results)}, s.Store.PutSweepResults(ctx, c.Execution, a.Results))
}

// beginSweep makes the row of a sweep where there is none.
func (s *Service) beginSweep(ctx context.Context, execution string) error {
	_, err := s.Store.Sweep(ctx, execution)
	if !iap.IsKind(err, iap.NotFound) {
		return err
	}
	return s.Store.PutSweep(ctx, Sweep{Execution: execution, StartedAt: s.Now()})
}

// sweeper lets admins' state machines and the portal's own sweep.
func (s *Service) sweeper(c workflow.Call) error {
	if !s.actor(c).Role.Includes(iap.Admin) {
		return workflow.FailTask(errorNotAllowed, "%s is for state machines that an admin or the portal has started.", c.Resource.ARN)
	}
	return nil
}

// taskReport closes a sweep: its report is the result, and an event.
func (s *Service) taskReport(ctx context.Context, c workflow.Call) (json.RawMessage, error) {
	if err := s.sweeper(c); err != nil {
		return nil, err
	}
	var a struct{ Started string }
	if err := reportDoc.Read(c.Arguments, &a); err != nil {
		return nil, badArguments(c, err)
	}
	x, err := s.Store.SweepTotals(ctx, c.Execution)
	if err != nil {
		return nil, err
	}
	x.Execution, x.StartedAt, x.FinishedAt, x.Currency = c.Execution, s.Now(), s.Now(), s.Rates.Currency
	if begun, err := time.Parse(time.RFC3339, strings.TrimSpace(a.Started)); err == nil {
		x.StartedAt = begun.UTC().Truncate(time.Millisecond)
	}
	if err := s.Store.PutSweep(ctx, x); err != nil {
		return nil, err
	}
	if x.Results, err = s.Store.SweepResults(ctx, c.Execution, maxReported); err != nil {
		return nil, err
	}
	x.Truncated = x.Destroyed+x.Kept+x.Failed > len(x.Results)
	out, err := json.Marshal(x)
	if err != nil {
		return nil, err
	}
	return out, s.Log.Append(ctx, &event.Event{Source: "/sweeps", Type: event.SweepFinished, Subject: c.Execution, Time: s.Now(),
		Owner: event.AdminsOnly, Data: out})
}
