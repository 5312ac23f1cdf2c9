package tell

import "github.com/internal-app-portal/iap/task"

// Docs are the documentation of event:put and notify:send.
var Docs = []task.Doc{putDoc, sendDoc}

var putDoc = task.Doc{
	Resource: "arn:iap:states:::event:put",
	Suffixes: []string{".waitForTaskToken"},
	Title:    "Tell an event",
	Text: "Adds an event to the portal's log, as CloudEvents 1.0, in the same commit as the step itself: it is told once, or not at all. Its type gets the prefix " +
		"`" + EventPrefix + "`, so that none can pass for one of the portal's own. With .waitForTaskToken the state waits until somebody answers the token, which Data passes on (`$$.Task.Token`).",
	Who: "Any state machine. The event is told to the person who started the execution, and to admins.",
	Arguments: []task.Field{
		{Name: "Type", Type: task.Text, Required: true, Text: "Small letters, digits, `.`, `-` and `_`, at most 100: `build.finished`."},
		{Name: "Subject", Type: task.Text, Text: "What the event is about; the execution when not set. At most 200 characters."},
		{Name: "Data", Type: task.Object, Text: "The event's data, at most 64 KiB."},
	},
	Result: []task.Field{
		{Name: "EventId", Type: task.Text, Text: "The id of the event."},
		{Name: "Type", Type: task.Text, Text: "Its type, with the prefix."},
	},
	Errors: []task.Error{task.BadArguments()},
	Example: `{
  "Type": "Task",
  "Resource": "arn:iap:states:::event:put",
  "Parameters": {"Type": "build.finished", "Data": {"branch.$": "$.branch"}},
  "ResultPath": null,
  "End": true
}`,
}

var sendDoc = task.Doc{
	Resource: "arn:iap:states:::notify:send",
	Title:    "Notify a person",
	Text: "Leaves a message for a person: an event of type `" + Notification + "` that the portal shows to that person, and, where the operator has set `tasks.notify.webhook`, " +
		"a POST of the same to that URL (for a chat or mail gateway), with the event's id as `webhook-id`. The message is in the portal even " +
		"when the webhook cannot be reached; the result tells.",
	Who: "Any state machine. Members may send to themselves, admins to everybody.",
	Arguments: []task.Field{
		{Name: "To", Type: task.Text, Text: "The person's ID, such as the e-mail address; who started the execution when not set."},
		{Name: "Title", Type: task.Text, Required: true, Text: "One line, at most 200 characters."},
		{Name: "Text", Type: task.Text, Text: "More, at most 4,000 characters."},
		{Name: "Url", Type: task.Text, Text: "Where to read on: https, http, or a path of the portal."},
		{Name: "Level", Type: task.Text, Text: "info, warning or error; info when not set."},
	},
	Result: []task.Field{
		{Name: "EventId", Type: task.Text, Text: "The id of the event in the portal."},
		{Name: "Webhook", Type: task.Text, Text: "delivered, failed or none."},
	},
	Errors: []task.Error{
		{Name: errNotAllowed, Text: "A member sends to somebody else."},
		task.BadArguments(),
	},
	Example: `{
  "Type": "Task",
  "Resource": "arn:iap:states:::notify:send",
  "Parameters": {"Title": "Your build is ready", "Url.$": "$.url", "Level": "info"},
  "ResultPath": null,
  "End": true
}`,
}
