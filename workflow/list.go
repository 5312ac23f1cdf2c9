package workflow

import (
	"context"
	"math"

	iap "github.com/internal-app-portal/iap"
)

// Executions lists what a filter lets through, newest first.
func (s *Machines) Executions(ctx context.Context, f ExecutionFilter) ([]ExecutionItem, error) {
	if f.Limit < 1 || f.Limit > 1000 {
		f.Limit = 1000
	}
	return s.Store.ExecutionsOf(ctx, f)
}

// ExecutionNamed returns the execution of a name, or NotFound (ErrNoExecution).
func (s *Machines) ExecutionNamed(ctx context.Context, machine, name string) (Execution, error) {
	x, err := s.Store.ExecutionNamed(ctx, machine, name)
	if iap.IsKind(err, iap.NotFound) {
		return x, refuse("workflow.ExecutionNamed", iap.NotFound, "", ErrNoExecution)
	}
	return x, err
}

// Origin returns by which version and alias an execution was started.
func (s *Machines) Origin(ctx context.Context, execution string) (Origin, error) {
	return s.Store.Origin(ctx, execution)
}

// History returns at most limit events of an execution: those with numbers
// above after, or, in reverse, newest first those with numbers below before (0:
// from the newest).
func (s *Machines) History(ctx context.Context, execution string, after int64, limit int) ([]HistoryEvent, error) {
	return s.Engine.Store.History(ctx, execution, after, limit)
}

// HistoryBefore returns at most limit events of an execution with numbers below
// before (0: from the newest), newest first.
func (s *Machines) HistoryBefore(ctx context.Context, execution string, before int64, limit int) ([]HistoryEvent, error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	return s.Engine.Store.HistoryBefore(ctx, execution, before, limit)
}
