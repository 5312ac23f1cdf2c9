package workflow

import (
	"context"

	iap "github.com/internal-app-portal/iap"
)

// Text is the definition that an execution runs: its state machine's or, of a
// child of a map run, that of the item processor.
func (e *Engine) Text(ctx context.Context, x Execution) ([]byte, error) {
	m, err := e.Store.StateMachine(ctx, x.StateMachine)
	if err != nil || x.MapRun == "" {
		return m.Definition, err
	}
	p, err := e.machine(ctx, x.StateMachine)
	if err != nil {
		return nil, err
	}
	text, err := p.machine.Part(m.Definition, x.Graph)
	if err != nil {
		return nil, iap.E("workflow.Text", iap.Internal, err)
	}
	return text, nil
}
