package workflow

import (
	"context"

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
		n, err := s.Store.HistoryLength(ctx, execution)
		if err != nil {
			return nil, err
		}
		before = n + 1
	}
	after := max(0, before-1-int64(limit))
	events, err := s.Engine.Store.History(ctx, execution, after, int(before-1-after))
	for i, j := 0, len(events)-1; i < j; i, j = i+1, j-1 {
		events[i], events[j] = events[j], events[i]
	}
	return events, err
}
