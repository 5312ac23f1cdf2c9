package instance

import "github.com/internal-app-portal/iap/task"

const adminsAlone = "State machines that an admin or the portal itself has started."

var sweepDoc = task.Doc{
	Resource:  "arn:iap:states:::instance:sweep",
	Title:     "Sweep an instance",
	Text:      "Destroys an instance and waits until nothing of it is left, for as long as it takes. One that is kept is spared, and ends when it need not be kept any more.",
	Who:       adminsAlone,
	Arguments: []task.Field{instanceID},
	Result: []task.Field{
		{Name: "instance", Type: task.Text, Text: "Its ID; also host_name, app and owner."},
		{Name: "outcome", Type: task.Text, Text: "`destroyed`, which is verified, or `kept`."},
		{Name: "kept_until", Type: task.Text, Text: "Where it is kept; also kept_by and keep_reason."},
		{Name: "hours_saved", Type: task.Number, Text: "Up to the end that it had; also money_saved."},
		{Name: "waited_for", Type: task.Text, Text: "The platform, where it did not answer; also waited_seconds."},
	},
	Errors: []task.Error{
		{Name: errorNotFound, Text: "There is no such instance."},
		{Name: errorDestroyFailed, Text: "Something of it is left; trying again is safe."},
		{Name: errorNotAllowed, Text: "It was not started by an admin."},
		task.BadArguments(),
	},
	Example: exampleWith("instance:sweep", `"instance.$": "$.id"`, `"$.result"`),
}

var noteDoc = task.Doc{
	Resource: "arn:iap:states:::sweep:note",
	Title:    "Note results of a sweep",
	Text:     "Keeps results for the report of the sweep that the execution is. The same instance once more replaces its result.",
	Who:      adminsAlone,
	Arguments: []task.Field{{Name: "results", Type: task.List, Required: true,
		Text: "Results of `instance:sweep`, or objects with instance, host_name, app, owner, outcome (`failed`) and reason."}},
	Result:  []task.Field{{Name: "noted", Type: task.Number, Text: "How many."}},
	Errors:  []task.Error{{Name: errorNotAllowed, Text: "It was not started by an admin."}, task.BadArguments()},
	Example: exampleWith("sweep:note", `"results.$": "$.results"`, "null"),
}

var reportDoc = task.Doc{
	Resource:  "arn:iap:states:::sweep:report",
	Title:     "Report a sweep",
	Text:      "Closes the sweep that the execution is: the report is the result, a page, and the event `iap.sweep.finished`.",
	Who:       adminsAlone,
	Arguments: []task.Field{{Name: "started", Type: task.Text, Text: "When it began: `$$.Execution.StartTime`."}},
	Result: []task.Field{
		{Name: "destroyed", Type: task.Number, Text: "How many are destroyed and verified; also kept and failed."},
		{Name: "hours_saved", Type: task.Number, Text: "Of all that are destroyed; also money_saved and currency."},
		{Name: "waited_for", Type: task.Text, Text: "The platform, where it did not answer; also waited_seconds."},
		{Name: "results", Type: task.List, Text: "At most 200, those that failed first."},
	},
	Errors:  []task.Error{{Name: errorNotAllowed, Text: "It was not started by an admin."}, task.BadArguments()},
	Example: exampleWith("sweep:report", `"started.$": "$$.Execution.StartTime"`, `"$.report"`),
}
