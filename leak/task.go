package leak

import (
	"context"
	_ "embed"
	"encoding/json"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/job"
	"github.com/internal-app-portal/iap/task"
	"github.com/internal-app-portal/iap/workflow"
)

// CheckDefinition is the state machine that looks for leaks, in Amazon States
// Language; admins may change the portal's copy.
//
//go:embed check.asl.json
var CheckDefinition []byte

// CheckName is the name of its state machine.
const CheckName = "leaks"

const errorNotAllowed = "Leak.NotAllowed"

var checkDoc = task.Doc{
	Resource: "arn:iap:states:::leak:check",
	Title:    "Look for what is left behind",
	Text:     "Lists the platform by the portal's label and compares it with the instances. What is left of ended ones is told by `iap.leak.found` and, where the portal made it, removed when its grace is over.",
	Who:      "State machines that an admin or the portal itself has started.",
	Result: []task.Field{
		{Name: "looked", Type: task.Number, Text: "How many resources carry the portal's label."},
		{Name: "leaks", Type: task.Number, Text: "How many of these are left behind."},
		{Name: "found", Type: task.Number, Text: "How many of the leaks are new."},
		{Name: "removed", Type: task.Number, Text: "How many the portal removed."},
		{Name: "gone", Type: task.Number, Text: "How many others removed since the last check."},
	},
	Errors: []task.Error{
		{Name: job.ErrUnavailable, Text: "The platform does not answer; try again later."},
		{Name: errorNotAllowed, Text: "It was not started by an admin."},
		task.BadArguments(),
	},
	Example: `{
  "Type": "Task",
  "Resource": "arn:iap:states:::leak:check",
  "End": true
}`,
}

// TaskDocs are the documentation of the tasks that have to do with leaks.
func TaskDocs() []task.Doc { return []task.Doc{checkDoc} }

// Handlers returns what does the tasks, for the engine.
func (s *Service) Handlers() map[string]workflow.Handler {
	return map[string]workflow.Handler{"leak:check": {Run: s.taskCheck}}
}

func (s *Service) taskCheck(ctx context.Context, c workflow.Call) (json.RawMessage, error) {
	if c.Owner != iap.System.ID && !s.Actor(c.Owner).Role.Includes(iap.Admin) {
		return nil, workflow.FailTask(errorNotAllowed, "Only an admin's state machine may look for leaks.")
	}
	if err := checkDoc.Read(c.Arguments, &struct{}{}); err != nil {
		if fields := iap.Fields(err); len(fields) > 0 {
			return nil, workflow.FailTask(task.ErrArguments, "The argument %q of %s: %s.", fields[0].Field, c.Resource.ARN, fields[0].Message())
		}
		return nil, err
	}
	r, err := s.Check(ctx)
	if iap.IsKind(err, iap.Unavailable) && ctx.Err() == nil {
		return nil, workflow.FailTask(job.ErrUnavailable, "The platform does not answer: %v", err)
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(r)
}
