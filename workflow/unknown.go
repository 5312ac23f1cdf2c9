package workflow

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/value"
)

// noSuchTask is the cause of the failure of a task that nobody does here, with
// the nearest that somebody does.
func (e *Engine) noSuchTask(r asl.Resource) string {
	if best := e.nearestTask(r); best != "" {
		return fmt.Sprintf("There is no task %q here; did you mean %q?", r.ARN, best)
	}
	what := "There is no task %q here."
	switch {
	case strings.HasPrefix(r.Service, "aws-sdk:"):
		what = "There is no task %q here: the portal calls no AWS service."
	case r.IsLambda():
		what = "There is no task %q here: the portal runs no Lambda functions."
	}
	return fmt.Sprintf(what+" It has %s.", r.ARN, strings.Join(e.taskNames(), ", "))
}

func (e *Engine) taskNames() []string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(e.Handlers)) {
		if !strings.HasPrefix(key, internalService) && !strings.HasSuffix(key, ":") {
			out = append(out, key)
		}
	}
	return out
}

// nearestTask is a task whose name differs by little, or that does in the portal
// what the SDK's call of that name does on AWS.
func (e *Engine) nearestTask(r asl.Resource) string {
	service, sdk := strings.CutPrefix(r.Service, "aws-sdk:")
	if sdk && service == "sfn" {
		service = "states"
	}
	want := service + ":" + r.API
	best, at := "", 1+len(want)/4
	for _, name := range e.taskNames() {
		if d := value.Distance(strings.ToLower(name), strings.ToLower(want)); d < at {
			best, at = name, d
		}
	}
	if best == "" {
		return ""
	}
	return "arn:iap:states:::" + best + r.Suffix
}
