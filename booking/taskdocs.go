package booking

import "github.com/internal-app-portal/iap/task"

// TaskDocs are the documentation of the tasks of bookings.
func TaskDocs() []task.Doc {
	return []task.Doc{
		doc("plan", "Say what is next of a booking", "Notes what has become of a booking, and says what to do or to wait for.", `"$.plan"`,
			[]task.Field{
				{Name: "next", Type: task.Text, Text: "`early`, `deploy`, `deploying`, `failed`, `ready`, `open`, `over` or `closed`."},
				{Name: "seconds", Type: task.Number, Text: "How long to wait for it, at least 1."},
				{Name: "changed", Type: task.Number, Text: "For `booking:wait`."},
			}),
		waitDoc,
		doc("deploy", "Deploy what is booked", "Deploys the instance of a booking. Where its owner has one of the app, that is used or destroyed as was chosen, or waited for.", "null", nil),
		doc("failed", "Note that a booked deploy failed", "Keeps the reason, sets the time of the next try, and tells `iap.booking.deploy_failed`.", "null", nil),
		doc("end", "End a booking", "Begins the end of its instance.", "null", nil),
	}
}

const ownAlone = "The booking's own execution alone."

var (
	bookingID  = task.Field{Name: "booking", Type: task.Text, Required: true, Text: "The booking's ID."}
	notAllowed = task.Error{Name: errorNotAllowed, Text: "It is not the booking's own execution that asks."}
)

func doc(name, title, text, path string, result []task.Field) task.Doc {
	return task.Doc{Resource: "arn:iap:states:::booking:" + name, Title: title, Text: text, Who: ownAlone, Arguments: []task.Field{bookingID},
		Result: result, Errors: []task.Error{notAllowed, task.BadArguments()},
		Example: "{\n  \"Type\": \"Task\",\n  \"Resource\": \"arn:iap:states:::booking:" + name +
			"\",\n  \"Parameters\": {\"booking.$\": \"$.booking\"},\n  \"ResultPath\": " + path + ",\n  \"End\": true\n}"}
}

var waitDoc = task.Doc{
	Resource: "arn:iap:states:::booking:wait",
	Suffixes: []string{".waitForTaskToken"},
	Title:    "Wait for a booking",
	Text:     "Waits until the booking or its instance changes, or the time of the state is over. The portal keeps the token.",
	Who:      ownAlone,
	Arguments: []task.Field{bookingID,
		{Name: "changed", Type: task.Number, Required: true, Text: "As `booking:plan` gave it."}},
	Result: []task.Field{{Name: "changed", Type: task.Flag, Text: "True."}},
	Errors: []task.Error{
		{Name: "States.Timeout", Text: "The time of the state is over."},
		{Name: errorChanged, Text: "It was changed since `booking:plan`; plan again."},
		notAllowed, task.BadArguments()},
	Example: `{
  "Type": "Task",
  "Resource": "arn:iap:states:::booking:wait.waitForTaskToken",
  "Parameters": {"booking.$": "$.booking", "changed.$": "$.plan.changed"},
  "TimeoutSecondsPath": "$.plan.seconds",
  "ResultPath": null,
  "End": true
}`,
}

func docOf(key string) task.Doc {
	for _, d := range TaskDocs() {
		if d.Key() == key {
			return d
		}
	}
	return task.Doc{}
}
