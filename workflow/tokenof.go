package workflow

import (
	"context"
	"strings"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/asl"
)

// TokenOf returns the token of the task at which an execution waits for somebody
// outside; state names the one of several. So who reports need know the execution
// alone. Conflict when no such task waits, NotFound, Invalid when several do.
func (e *Engine) TokenOf(ctx context.Context, id, state string) (string, error) {
	const op = "workflow.TokenOf"
	if _, err := e.Store.Execution(ctx, id); err != nil {
		return "", err
	}
	awaits, err := e.Awaits(ctx, id)
	if err != nil {
		return "", err
	}
	var tokens, states []string
	for _, w := range awaits {
		if w.Resource.Integration == asl.WaitForTaskToken && (state == "" || w.State == state) {
			tokens, states = append(tokens, w.Token), append(states, w.State)
		}
	}
	switch len(tokens) {
	case 0:
		return "", iap.Errorf(op, iap.Conflict, "the execution waits at no such task")
	case 1:
		return tokens[0], nil
	}
	return "", iap.FieldErrorf(op, "state", "the execution waits at %s; name one", strings.Join(states, ", "))
}
