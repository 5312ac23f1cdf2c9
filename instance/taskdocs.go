package instance

import "github.com/internal-app-portal/iap/task"

// TaskDocs are the documentation of the tasks that have to do with instances:
// those that any state machine may use, then those of the lifecycle.
func TaskDocs() []task.Doc {
	return append([]task.Doc{listDoc, destroyDoc, sweepDoc, noteDoc, reportDoc}, lifecycleDocs()...)
}

var (
	instanceID     = task.Field{Name: "instance", Type: task.Text, Required: true, Text: "The instance's ID."}
	unavailable    = task.Error{Name: errorUnavailable, Text: "The platform does not answer; try again later."}
	endRequested   = task.Error{Name: errorEndRequested, Text: "Somebody wants the instance gone; go on to destroy it."}
	notAllowed     = task.Error{Name: errorNotAllowed, Text: "It is not the instance's own lifecycle that asks."}
	lifecycleAlone = "The instance's own lifecycle alone."
)

var listDoc = task.Doc{
	Resource: "arn:iap:states:::instance:list",
	Title:    "List instances",
	Text:     "Lists instances, newest first: those of the person who started the execution or, when that is an admin or the portal itself, all.",
	Who:      "Any state machine.",
	Arguments: []task.Field{
		{Name: "app", Type: task.Text, Text: "Of this app alone."},
		{Name: "owner", Type: task.Text, Text: "Of this person alone; for admins."},
		{Name: "statuses", Type: task.List, Text: "Such as [\"running\"]; all that have not ended when not set."},
		{Name: "limit", Type: task.Number, Text: "At most so many, 1 to 200; 200 when not set."},
		{Name: "before", Type: task.Text, Text: "`next` of the page before; empty: from the newest."},
	},
	Result: []task.Field{
		{Name: "instances", Type: task.List, Text: "With id, app, version, owner, host_name, status, created_at, ends_at and time_limit_at each, and with keep_until and keep_reason where it is kept."},
		{Name: "truncated", Type: task.Flag, Text: "Whether there are more."},
		{Name: "next", Type: task.Text, Text: "Give it as `before` for the next page; empty: there is none."},
	},
	Errors: []task.Error{task.BadArguments()},
	Example: `{
  "Type": "Task",
  "Resource": "arn:iap:states:::instance:list",
  "Parameters": {"statuses": ["running"]},
  "ResultPath": "$.found",
  "End": true
}`,
}

var destroyDoc = task.Doc{
	Resource: "arn:iap:states:::instance:destroy",
	Title:    "Destroy an instance",
	Text:     "Begins the end of an instance, as the button Destroy does. It does not wait for it. What is being destroyed already, or is gone, is left as it is.",
	Who:      "Any state machine. Members destroy their own instances alone.",
	Arguments: []task.Field{
		{Name: "instance", Type: task.Text, Required: true, Text: "Its ID, or its host name."},
	},
	Result: []task.Field{
		{Name: "id", Type: task.Text, Text: "The instance's ID."},
		{Name: "host_name", Type: task.Text, Text: "Its host name."},
		{Name: "status", Type: task.Text, Text: "Its status after that."},
	},
	Errors: []task.Error{
		{Name: errorNotFound, Text: "There is no such instance, or it is another person's."},
		task.BadArguments(),
	},
	Example: `{
  "Type": "Map",
  "ItemsPath": "$.found.instances",
  "ItemProcessor": {
    "StartAt": "Destroy it",
    "States": {
      "Destroy it": {
        "Type": "Task",
        "Resource": "arn:iap:states:::instance:destroy",
        "Parameters": {"instance.$": "$.id"},
        "End": true
      }
    }
  },
  "End": true
}`,
}

// lifecycleDoc finds the documentation of a task of the lifecycle.
func lifecycleDoc(key string) task.Doc {
	for _, d := range lifecycleDocs() {
		if d.Key() == key {
			return d
		}
	}
	return task.Doc{}
}
