package workflow

import (
	"fmt"
	"strconv"
	"strings"

	iap "github.com/internal-app-portal/iap"
)

// taskRef names one attempt of a task: what a token says.
type taskRef struct {
	execution string
	frame     int64
	attempt   int64
}

// token returns the text form of r: "execution.frame.attempt". Tokens stay
// inside the portal; callers from outside name an instance.
func (r taskRef) token() string { return fmt.Sprintf("%s.%d.%d", r.execution, r.frame, r.attempt) }

func parseToken(token string) (taskRef, error) {
	p := strings.Split(token, ".")
	if len(p) == 3 && iap.ValidID(p[0]) {
		frame, err1 := strconv.ParseInt(p[1], 10, 32)
		attempt, err2 := strconv.ParseInt(p[2], 10, 32)
		if err1 == nil && err2 == nil {
			return taskRef{execution: p[0], frame: frame, attempt: attempt}, nil
		}
	}
	return taskRef{}, iap.FieldErrorf("workflow", "token", "it is not a task token")
}

// taskKey identifies a row of the task table.
type taskKey struct {
	execution string
	kind      TaskKind
	frame     int64
	number    int64
}

func keyOf(t Task) taskKey { return taskKey{t.Execution, t.Kind, t.Frame, t.Number} }
