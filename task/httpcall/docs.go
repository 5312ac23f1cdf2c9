package httpcall

import "github.com/internal-app-portal/iap/task"

// Doc is the documentation of http:invoke. Where AWS has the argument, the
// result or the error as well, it is named as there ("Call HTTPS APIs in Step
// Functions workflows" in the developer guide).
var Doc = task.Doc{
	Resource: "arn:iap:states:::http:invoke",
	Also:     []string{"arn:aws:states:::http:invoke"},
	Title:    "Call a URL",
	Text: "Sends an HTTP request and waits for the answer. Only public addresses are connected, whatever a name, a redirect or a second " +
		"look-up leads to; hosts inside are those that the portal's configuration allows (`tasks.http.allow`). Redirects are followed five " +
		"times, never from https to http. The request is sent at least once: after a crash of the portal it is sent again, with the same " +
		"`Idempotency-Key`.",
	Who: "Any state machine.",
	Arguments: []task.Field{
		{Name: "ApiEndpoint", Type: task.Text, Required: true, Text: "The URL, with https or http. No user or password in it."},
		{Name: "Method", Type: task.Text, Required: true, Text: "GET, POST, PUT, PATCH, DELETE, HEAD or OPTIONS."},
		{Name: "Headers", Type: task.Object, Text: "Names with a text each. Those of the connection itself (Host, Content-Length, …) are refused."},
		{Name: "QueryParameters", Type: task.Object, Text: "Names with a text, number or flag each, or a list of them; added to those of the URL."},
		{Name: "RequestBody", Type: task.Any, Text: "What is sent: JSON, unless it is a text and Headers has another Content-Type."},
		{Name: "Transform", Type: task.Object, Text: "How the body is written.", Fields: []task.Field{
			{Name: "RequestBodyEncoding", Type: task.Text, Text: "NONE, or URL_ENCODED for a form."},
			{Name: "RequestEncodingOptions", Type: task.Object, Text: "How a form is written.", Fields: []task.Field{
				{Name: "ArrayFormat", Type: task.Text, Text: "INDICES (a[0]=x), REPEAT (a=x&a=y), COMMAS (a=x,y) or BRACKETS (a[]=x)."}}}}},
		{Name: "Authentication", Type: task.Object, Text: "Which secret goes with the request.", Fields: []task.Field{
			{Name: "ConnectionArn", Type: task.Text, Required: true, Text: "`arn:iap:events:::connection/NAME`: a connection of the " +
				"portal's configuration (`tasks.http.connections`), whose headers are added for its own hosts alone."}}},
		{Name: "Tls", Type: task.Object, Text: "How the server proves who it is.", Fields: []task.Field{
			{Name: "CertificateAuthorities", Type: task.Text, Text: "Certificates in PEM that are trusted instead of the system's."}}},
		{Name: "TimeoutSeconds", Type: task.Number, Text: "For all tries together, 1 to 300; 60 when not set."},
		{Name: "Retry", Type: task.Object, Text: "Which answers are tried again at once, without a transition.", Fields: []task.Field{
			{Name: "StatusCodes", Type: task.List, Required: true, Text: "Such as [429, 503]."},
			{Name: "MaxAttempts", Type: task.Number, Text: "Tries after the first, 0 to 10; 3 when not set."},
			{Name: "IntervalSeconds", Type: task.Number, Text: "Before the second try, doubled for each next; 1 when not set. A Retry-After of the answer is used instead."}}},
	},
	Result: []task.Field{
		{Name: "StatusCode", Type: task.Number, Text: "Such as 200."},
		{Name: "StatusText", Type: task.Text, Text: "Such as OK."},
		{Name: "Headers", Type: task.Object, Text: "Names with a list of texts each."},
		{Name: "ResponseBody", Type: task.Any, Text: "The value where the answer is JSON, else its text."},
	},
	Errors: []task.Error{
		{Name: "States.Http.StatusCode.NNN", Text: "The answer has a status from 300 on, such as States.Http.StatusCode.404; the cause begins with its text."},
		{Name: errSocket, Text: "No connection, no trust in the server's certificate, or no answer in time."},
		{Name: errAddress, Text: "The address is not one that tasks may connect to."},
		{Name: "States.DataLimitExceeded", Text: "The answer is larger than 256 KiB."},
		task.BadArguments(),
	},
	Example: `{
  "Type": "Task",
  "Resource": "arn:iap:states:::http:invoke",
  "Parameters": {
    "ApiEndpoint": "https://ci.example.com/api/builds",
    "Method": "POST",
    "Headers": {"Accept": "application/json"},
    "RequestBody": {"branch.$": "$.branch"},
    "Retry": {"StatusCodes": [429, 503]}
  },
  "ResultSelector": {"build.$": "$.ResponseBody.id"},
  "Retry": [{"ErrorEquals": ["States.Http.Socket"], "MaxAttempts": 2}],
  "End": true
}`,
}
