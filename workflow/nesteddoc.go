package workflow

import "github.com/internal-app-portal/iap/task"

// StartDoc is the documentation of states:startExecution. Arguments, result and
// errors are named as AWS does ("Start a new AWS Step Functions state machine"
// in the developer guide).
var StartDoc = task.Doc{
	Resource: "arn:iap:states:::states:startExecution",
	Also:     []string{"arn:aws:states:::states:startExecution"},
	Suffixes: []string{".sync", ".sync:2", ".waitForTaskToken"},
	Title:    "Start an execution",
	Text: "Starts an execution of another state machine. With .sync or .sync:2 the state waits for its end, and stops it when the state itself is " +
		"stopped or times out; with .waitForTaskToken it waits until somebody answers the token, which Input passes on (`$$.Task.Token`). " +
		"The same Name and Input once more, while that execution runs, is that execution. Executions start one another at most 50 deep.",
	Who: "Any state machine. The new execution acts for the same person.",
	Arguments: []task.Field{
		{Name: "StateMachineArn", Type: task.Text, Required: true, Text: "`arn:iap:states:::stateMachine:NAME`, with `:VERSION` or `:ALIAS` behind it where one is meant."},
		{Name: "Name", Type: task.Text, Text: "The execution's name, unique among those of the state machine; a random one when not set."},
		{Name: "Input", Type: task.Any, Text: "The execution's input; {} when not set."},
	},
	Result: []task.Field{
		{Name: "ExecutionArn", Type: task.Text, Text: "The execution."},
		{Name: "StartDate", Type: task.Number, Text: "When it was started, in milliseconds since 1970."},
		{Name: "Output", Type: task.Any, Text: "With .sync its output as a text, with .sync:2 as a value."},
		{Name: "Status", Type: task.Text, Text: "With .sync and .sync:2: SUCCEEDED."},
		{Name: "StopDate, Name, StateMachineArn, Input, …", Type: task.Any, Text: "With .sync and .sync:2, as DescribeExecution has them."},
	},
	Errors: []task.Error{
		{Name: "States.TaskFailed", Text: "With .sync and .sync:2: it did not succeed. The cause is JSON with Status, Error and Cause of it."},
		{Name: errNoMachine, Text: "There is no such state machine, version or alias, or it may not be started."},
		{Name: errSameName, Text: "There is an execution of that name with another input, or it has ended."},
		{Name: errMachineType, Text: "With .sync and .sync:2: it is an Express state machine."},
		{Name: errExecutionLimit, Text: "Executions have started one another too often in a row."},
		{Name: errBadARN, Text: "StateMachineArn is not the ARN of a state machine."},
		task.BadArguments(),
	},
	Example: `{
  "Type": "Task",
  "Resource": "arn:iap:states:::states:startExecution.sync:2",
  "Parameters": {
    "StateMachineArn": "arn:iap:states:::stateMachine:report",
    "Input": {"day.$": "$.day"}
  },
  "ResultSelector": {"report.$": "$.Output"},
  "End": true
}`,
}
