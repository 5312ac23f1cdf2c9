package instance

import (
	"github.com/internal-app-portal/iap/job"
	"github.com/internal-app-portal/iap/task"
)

var upstreamField = task.Field{Name: "upstream", Type: task.Text, Required: true, Text: "`http://address:port` of the container."}

var jobErrors = []task.Error{
	unavailable,
	{Name: job.ErrInitFailed, Text: "`tofu init` failed."},
	{Name: job.ErrTimedOut, Text: "The job took too long."},
	{Name: job.ErrCancelled, Text: "The job was cancelled."},
	{Name: job.ErrKilled, Text: "The job's process ended without a result; trying once more is safe."},
	notAllowed,
}

// lifecycleDocs are the tasks of which a lifecycle is made, in the order of a
// life.
func lifecycleDocs() []task.Doc {
	return []task.Doc{
		{
			Resource: "arn:iap:states:::job:apply", Suffixes: []string{".sync"}, Title: "Apply the bundle",
			Text: "Runs the app's Terraform scripts in a job; with .sync its end is awaited.", Who: lifecycleAlone,
			Arguments: []task.Field{instanceID},
			Result: []task.Field{{Name: "job", Type: task.Text, Text: "The job's ID."},
				{Name: "upstream", Type: task.Text, Text: "The output `upstream`, checked; with .sync."}},
			Errors: append([]task.Error{endRequested, {Name: job.ErrApplyFailed, Text: "`tofu apply` failed."},
				{Name: job.ErrOutputs, Text: "The output `upstream` is missing or not an address of this instance."}}, jobErrors...),
			Example: lifecycleExample("job:apply.sync", "$.apply"),
		},
		{
			Resource: "arn:iap:states:::health:check", Title: "Check an app's health",
			Text: "Asks the app at its health path until it answers with a status from 200 to 399. A container that exits ends this at once, with its last words.",
			Who:  lifecycleAlone, Arguments: []task.Field{instanceID, upstreamField}, Result: nil,
			Errors: []task.Error{endRequested, {Name: errorExited, Text: "The container has exited; the cause holds its last lines."},
				{Name: errorUnhealthy, Text: "It did not answer well in the app's time."}, unavailable, notAllowed},
			Example: exampleWith("health:check", `"instance.$": "$.instance", "upstream.$": "$.apply.upstream"`, "null"),
		},
		{
			Resource: "arn:iap:states:::instance:publish", Title: "Publish an instance",
			Text: "Makes the instance running: its URL leads to the container from this commit on.",
			Who:  lifecycleAlone, Arguments: []task.Field{instanceID, upstreamField},
			Result:  []task.Field{{Name: "seconds_left", Type: task.Number, Text: "To the end of the instance's time, at least 1."}},
			Errors:  []task.Error{endRequested, notAllowed},
			Example: exampleWith("instance:publish", `"instance.$": "$.instance", "upstream.$": "$.apply.upstream"`, `"$.publish"`),
		},
		{
			Resource: "arn:iap:states:::instance:hold", Suffixes: []string{".waitForTaskToken"}, Title: "Hold an instance",
			Text: "Waits until somebody ends the instance. The portal keeps the token.", Who: lifecycleAlone,
			Arguments: []task.Field{instanceID},
			Result: []task.Field{{Name: "by", Type: task.Text, Text: "Who ended it."},
				{Name: "moved", Type: task.Flag, Text: "True when nobody ended it, but its end was moved; see instance:remaining."}},
			Errors: []task.Error{{Name: "States.Timeout", Text: "The time of the state is over."}, notAllowed},
			Example: `{
  "Type": "Task",
  "Resource": "arn:iap:states:::instance:hold.waitForTaskToken",
  "Parameters": {"instance.$": "$.instance"},
  "TimeoutSecondsPath": "$.publish.seconds_left",
  "ResultPath": "$.end",
  "End": true
}`,
		},
		{
			Resource: "arn:iap:states:::instance:certified", Suffixes: []string{".waitForTaskToken"}, Title: "Wait for a certification",
			Text: "Waits until the certification of the instance's version has come to something. The portal keeps the token.", Who: lifecycleAlone,
			Arguments: []task.Field{instanceID},
			Errors: []task.Error{{Name: errorCertified, Text: "It has passed already; go on to apply."},
				{Name: errorNotCertified, Text: "It has failed."}, endRequested, notAllowed},
			Example: `{
  "Type": "Task",
  "Resource": "arn:iap:states:::instance:certified.waitForTaskToken",
  "Parameters": {"instance.$": "$.instance"},
  "ResultPath": null,
  "End": true
}`,
		},
		{
			Resource: "arn:iap:states:::instance:remaining", Title: "Tell the time that is left",
			Text: "Tells the time that is left of an instance whose end was moved, for another hold.", Who: lifecycleAlone, Arguments: []task.Field{instanceID},
			Result: []task.Field{{Name: "seconds_left", Type: task.Number, Text: "To the end of the instance's time, at least 1."}},
			Errors: []task.Error{notAllowed}, Example: lifecycleExample("instance:remaining", "$.publish"),
		},
		{
			Resource: "arn:iap:states:::instance:expire", Title: "Note that an instance's time is up",
			Text: "Notes that the instance ends because its time is up, unless its end was moved.", Who: lifecycleAlone, Arguments: []task.Field{instanceID},
			Result: []task.Field{{Name: "expired", Type: task.Flag, Text: "False when the end was moved: hold it again."}},
			Errors: []task.Error{notAllowed}, Example: lifecycleExample("instance:expire", "$.end"),
		},
		{
			Resource: "arn:iap:states:::instance:fail", Title: "Note why a deploy failed",
			Text: "Keeps the reason for the instance's owner, with the container's last words. That somebody wanted it gone is no failure.", Who: lifecycleAlone,
			Arguments: []task.Field{instanceID, {Name: "error", Type: task.Text, Text: "The error's name."}, {Name: "cause", Type: task.Text, Text: "Its cause."}},
			Errors:    []task.Error{notAllowed},
			Example:   exampleWith("instance:fail", `"instance.$": "$.instance", "error.$": "$.failure.Error", "cause.$": "$.failure.Cause"`, "null"),
		},
		{
			Resource: "arn:iap:states:::job:destroy", Suffixes: []string{".sync"}, Title: "Destroy what the bundle made",
			Text: "Runs `tofu destroy` in a job; with .sync its end is awaited.", Who: lifecycleAlone,
			Arguments: []task.Field{instanceID},
			Result:    []task.Field{{Name: "job", Type: task.Text, Text: "The job's ID."}},
			Errors:    append([]task.Error{{Name: job.ErrDestroyFailed, Text: "`tofu destroy` failed; leak:verify removes what is left."}}, jobErrors...),
			Example:   lifecycleExample("job:destroy.sync", ""),
		},
		{
			Resource: "arn:iap:states:::leak:verify", Title: "Verify that nothing is left",
			Text: "Removes what carries the instance's label, and asks the platform again.", Who: lifecycleAlone,
			Arguments: []task.Field{instanceID},
			Result: []task.Field{{Name: "at", Type: task.Text, Text: "When it was asked."},
				{Name: "left", Type: task.List, Text: "What is left; empty when nothing is."},
				{Name: "removed", Type: task.List, Text: "What was found and removed."}},
			Errors: []task.Error{unavailable, notAllowed}, Example: lifecycleExample("leak:verify", "$.receipt"),
		},
		{
			Resource: "arn:iap:states:::instance:end", Title: "End an instance",
			Text: "Closes the life of the instance with the receipt: destroyed, or deploy_failed, or destroy_failed when something is left.", Who: lifecycleAlone,
			Arguments: []task.Field{instanceID, {Name: "receipt", Type: task.Object, Required: true, Text: "The result of leak:verify."}},
			Result: []task.Field{
				{Name: "left", Type: task.Number, Text: "How many things are left."},
				{Name: "retry_seconds", Type: task.Number, Text: "The time until it is to be tried again: for a day it doubles from a minute to two hours, then it is a day; 0 when nothing is left."},
			},
			Errors:  []task.Error{notAllowed},
			Example: exampleWith("instance:end", `"instance.$": "$.instance", "receipt.$": "$.receipt"`, `"$.ended"`),
		},
	}
}

// lifecycleExample is a state that passes the instance alone.
func lifecycleExample(resource, resultPath string) string {
	if resultPath == "" {
		return exampleWith(resource, `"instance.$": "$.instance"`, "null")
	}
	return exampleWith(resource, `"instance.$": "$.instance"`, `"`+resultPath+`"`)
}

func exampleWith(resource, parameters, resultPath string) string {
	return `{
  "Type": "Task",
  "Resource": "arn:iap:states:::` + resource + `",
  "Parameters": {` + parameters + `},
  "ResultPath": ` + resultPath + `,
  "End": true
}`
}
