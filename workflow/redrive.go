package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/asl"
)

// RedrivePeriod is how long after its end an execution can be redriven, as on
// AWS.
const RedrivePeriod = 14 * 24 * time.Hour

// maxOpen is how long an execution may be open in all, as on AWS.
const maxOpen = 365 * 24 * time.Hour

// KeptState is the position at which an execution ended, for a redrive.
type KeptState struct {
	Execution string
	State     []byte // asl.State as JSON
	EndedAt   time.Time
}

// RedriveStore keeps the states of executions that ended without success.
type RedriveStore interface {
	// KeepState keeps one, in the place of an earlier one of that execution, and
	// removes some that ended before a time.
	KeepState(ctx context.Context, k KeptState, before time.Time) error
	// KeptState returns one, or NotFound.
	KeptState(ctx context.Context, execution string) (KeptState, error)
	DropState(ctx context.Context, execution string) error
}

// RedriveState is whether an execution can be redriven; Reason says why not, in
// AWS's words.
type RedriveState struct {
	Status string // REDRIVABLE, NOT_REDRIVABLE or REDRIVABLE_BY_MAP_RUN
	Reason string
}

// byMapRun is why a child of a map run is not redriven by itself.
const byMapRun = "Execution is a child of a Map Run and is redriven with the execution that started the Map Run"

// ErrNotRedrivable is the cause of a Conflict: the execution cannot be redriven.
var ErrNotRedrivable = errors.New("the execution cannot be redriven")

// notRedrivable says why in AWS's words.
type notRedrivable struct{ reason string }

func (e *notRedrivable) Error() string        { return e.reason }
func (e *notRedrivable) Is(target error) bool { return target == ErrNotRedrivable }

// redrivable tells what can be said of an execution by its row alone.
func (e *Engine) redrivable(x Execution) RedriveState {
	now := e.Now()
	reason := ""
	switch {
	case x.Status == Running || x.Status == Succeeded:
		reason = "Execution is " + string(x.Status) + " and cannot be redriven"
	case now.Sub(x.EndedAt) > RedrivePeriod:
		reason = "Execution redrivable period exceeded"
	case now.Sub(x.StartedAt) > maxOpen:
		reason = "Execution has exceeded the max execution time"
	}
	if reason != "" {
		return RedriveState{"NOT_REDRIVABLE", reason}
	}
	return RedriveState{"REDRIVABLE", ""}
}

// Redrivable tells whether an execution can be redriven (DescribeExecution,
// redriveStatus).
func (e *Engine) Redrivable(ctx context.Context, x Execution) (RedriveState, error) {
	r := e.redrivable(x)
	if r.Reason != "" {
		return r, nil
	}
	if x.MapRun != "" {
		return RedriveState{"REDRIVABLE_BY_MAP_RUN", byMapRun}, nil
	}
	_, err := e.keptState(ctx, x)
	var no *notRedrivable
	if errors.As(err, &no) {
		return RedriveState{"NOT_REDRIVABLE", no.reason}, nil
	}
	return r, err
}

// keptState reads the state to go on from.
func (e *Engine) keptState(ctx context.Context, x Execution) (*asl.State, error) {
	k, err := e.Store.KeptState(ctx, x.ID)
	if iap.IsKind(err, iap.NotFound) {
		return nil, &notRedrivable{"Execution redrivable period exceeded"}
	}
	if err != nil {
		return nil, err
	}
	p, err := e.machine(ctx, x.StateMachine)
	if err != nil {
		return nil, err
	}
	s := &asl.State{}
	if err := json.Unmarshal(k.State, s); err != nil {
		return nil, err
	}
	if !e.goesOn(p.name, s) {
		return nil, &notRedrivable{"Execution history event limit exceeded"}
	}
	return s, nil
}

// goesOn reports whether a redrive can go on from where an execution ended.
func (e *Engine) goesOn(machine string, s *asl.State) bool {
	return s.Redrivable() && s.LastEventID < int64(e.maxRedriveEvents(machine))
}

// limitsOf are the limits of executions of a state machine.
func (e *Engine) limitsOf(machine string) asl.Limits {
	l := e.Limits
	if slices.Contains(e.Boundless, machine) {
		l.HistoryEvents = -1
	}
	return l
}

// maxRedriveEvents is how long a history may be for a redrive: there must be
// room for two events more.
func (e *Engine) maxRedriveEvents(machine string) int {
	switch n := e.limitsOf(machine).HistoryEvents; {
	case n < 0:
		return int(^uint(0) >> 1)
	case n > 0:
		return n - 2
	}
	return asl.MaxRedriveEvents
}

// Redrive lets an execution that FAILED, TIMED_OUT or was ABORTED go on at the
// states that did not succeed; see asl.Redrive. Errors: NotFound; Conflict
// (ErrNotRedrivable) with AWS's reason.
func (e *Engine) Redrive(ctx context.Context, id string) (Execution, error) {
	err := e.Tx.Update(ctx, func(ctx context.Context) error {
		x, err := e.Store.Execution(ctx, id)
		if err == nil && x.MapRun != "" && x.Status != Running && x.Status != Succeeded {
			return iap.E("workflow.Redrive", iap.Conflict, &notRedrivable{byMapRun})
		}
		if err != nil {
			return err
		}
		return e.redrive(ctx, id)
	})
	if err != nil {
		return Execution{}, err
	}
	return e.Store.Execution(ctx, id)
}

// redrive is Redrive for children of map runs as well; of an execution that
// runs it is a Conflict (ErrStale).
func (e *Engine) redrive(ctx context.Context, id string) error {
	const op = "workflow.redrive"
	return e.Tx.Update(ctx, func(ctx context.Context) error {
		x, err := e.Store.Execution(ctx, id)
		if err != nil {
			return err
		}
		if x.MapRun != "" && x.Status == Running {
			return errStale()
		}
		if r := e.redrivable(x); r.Reason != "" {
			return iap.E(op, iap.Conflict, &notRedrivable{r.Reason})
		}
		state, err := e.keptState(ctx, x)
		var no *notRedrivable
		if errors.As(err, &no) {
			return iap.E(op, iap.Conflict, no)
		}
		if err != nil {
			return err
		}
		return e.reopen(ctx, &x, state)
	})
}

// reopen makes a row that has ended one that runs, and takes its first step.
func (e *Engine) reopen(ctx context.Context, x *Execution, state *asl.State) error {
	x.Status, x.EndedAt, x.Error, x.Cause = Running, time.Time{}, "", ""
	x.RedriveCount++
	x.RedrivenAt = e.Now()
	b, err := json.Marshal(state)
	if err != nil {
		return err
	}
	x.State = b
	if err := e.Store.UpdateExecution(ctx, *x); err != nil {
		return err
	}
	if err := e.Store.DropState(ctx, x.ID); err != nil {
		return err
	}
	return e.step(ctx, x.ID, &request{signal: asl.Redrive{}})
}

// keepState keeps where an execution ended, with the commit that ends it; of
// what succeeded nothing.
func (s *stepper) keepState() {
	if s.x.Status == Succeeded {
		return
	}
	b, err := json.Marshal(s.state)
	k := KeptState{Execution: s.x.ID, State: b, EndedAt: s.x.EndedAt}
	s.w.then(func(ctx context.Context) error {
		if err != nil {
			return err
		}
		return s.Store.KeepState(ctx, k, k.EndedAt.Add(-RedrivePeriod))
	})
}
