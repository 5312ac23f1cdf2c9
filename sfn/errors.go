package sfn

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/workflow"
)

// exception is an error as a client of AWS gets it.
type exception struct {
	Status  int // of HTTP; 0: 400
	Code    string
	Message string
	Reason  string // of a ValidationException
	Name    string // of the resource, for ResourceNotFound and TooManyTags
}

// Error returns the code and the message.
func (e *exception) Error() string { return e.Code + ": " + e.Message }

func refuse(code, format string, args ...any) *exception {
	return &exception{Code: code, Message: fmt.Sprintf(format, args...)}
}

// namespace of an exception in "__type"; clients cut it off.
func (e *exception) namespace() string {
	switch e.Code {
	case "ValidationException", "SerializationException", "UnknownOperationException", "AccessDeniedException",
		"UnrecognizedClientException", "InvalidSignatureException", "IncompleteSignatureException",
		"MissingAuthenticationTokenException", "InternalFailure", "ServiceUnavailable", "RequestEntityTooLargeException":
		return "com.amazon.coral.service#"
	}
	return "com.amazonaws.swf.service.v2.model#"
}

func invalid(format string, args ...any) *exception {
	return refuse("ValidationException", format, args...)
}

func invalidARN(arn string) *exception {
	if !strings.HasPrefix(arn, "arn:") {
		return refuse("InvalidArn", "Invalid Arn: 'Invalid ARN prefix: %s'", arn)
	}
	return refuse("InvalidArn", "Invalid Arn: 'Resource type not valid in this context: %s'", arn)
}

func noResource(arn string) *exception {
	return &exception{Code: "ResourceNotFound", Message: fmt.Sprintf("Resource not found: '%s'", arn), Name: arn}
}

// explain turns an error of the domain about a resource into an exception.
func explain(err error, arn string) error {
	var known *exception
	if err == nil || errors.As(err, &known) {
		return err
	}
	var definition *workflow.DefinitionError
	if errors.As(err, &definition) {
		return refuse("InvalidDefinition", "%s", asl.DefinitionError(definition.Definition, definition.Problems))
	}
	var referenced *workflow.ReferencedError
	if errors.As(err, &referenced) {
		return refuse("ConflictException", "Version to be deleted must not be referenced by an alias. "+
			"Current list of aliases referencing this version: [%s]", strings.Join(referenced.Aliases, ", "))
	}
	for _, c := range causes {
		if errors.Is(err, c.cause) {
			if strings.Contains(c.message, "%s") {
				return &exception{Code: c.code, Message: fmt.Sprintf(c.message, arn), Reason: c.reason}
			}
			return &exception{Code: c.code, Message: c.message, Reason: c.reason}
		}
	}
	return byKind(err)
}

// causes are the errors of the domain with what AWS calls them; %s is the ARN or
// the name at hand.
var causes = []struct {
	cause                 error
	code, message, reason string
}{
	{workflow.ErrNoMachine, "StateMachineDoesNotExist", "State Machine Does Not Exist: '%s'", ""},
	{workflow.ErrNoVersion, "StateMachineDoesNotExist", "State Machine Does Not Exist: '%s'", ""},
	{workflow.ErrNoAlias, "ResourceNotFound", "Request references a resource that does not exist.", ""},
	{workflow.ErrNoActivity, "ActivityDoesNotExist", "Activity Does Not Exist: '%s'", ""},
	{workflow.ErrNoExecution, "ExecutionDoesNotExist", "Execution Does Not Exist: '%s'", ""},
	{workflow.ErrName, "InvalidName", "Invalid Name: '%s'", ""},
	{workflow.ErrARN, "InvalidArn", "Invalid Arn: 'Resource type not valid in this context: %s'", ""},
	{workflow.ErrMachineExists, "StateMachineAlreadyExists", "State Machine Already Exists: '%s'", ""},
	{workflow.ErrDeleting, "StateMachineDeleting", "State machine is being deleted: '%s'", ""},
	{workflow.ErrReadOnly, "AccessDeniedException", "The state machine of '%s' is the portal's own: it can be looked at, but not changed or started", ""},
	{workflow.ErrRevision, "ConflictException", "Failed to publish the State Machine version for revision. The current State Machine revision does not match the specified one.", ""},
	{workflow.ErrExecutionName, "ExecutionAlreadyExists", "Execution Already Exists: '%s'", ""},
	{workflow.ErrAliasExists, "ConflictException", "Failed to create alias because an alias with the same name and a different routing configuration already exists.", ""},
	{workflow.ErrRoutes, "ValidationException", "Sum of routing configuration weights must equal 100, and the versions must be different: '%s'", "INVALID_ROUTING_CONFIGURATION"},
	{workflow.ErrNotStandard, "StateMachineTypeNotSupported", "This operation is not supported by this type of state machine", ""},
	{workflow.ErrNotRedrivable, "ExecutionNotRedrivable", "The execution '%s' cannot be redriven", ""},
	{workflow.ErrTooManyTags, "TooManyTags", "Too many tags: '%s' would have more than 50", ""},
	{workflow.ErrToken, "InvalidToken", "Invalid Token: 'Invalid token'", ""},
	{workflow.ErrStale, "TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'", ""},
}

// byKind is the exception for an error that AWS has no name for.
func byKind(err error) error {
	var e *iap.Error
	if !errors.As(err, &e) {
		return err
	}
	text := strings.Join(iap.Texts(err), "; ")
	switch e.Kind {
	case iap.Invalid:
		return invalid("%s", text)
	case iap.Forbidden, iap.Unauthenticated:
		return refuse("AccessDeniedException", "%s", text)
	case iap.NotFound:
		return refuse("ResourceNotFound", "%s", text)
	case iap.Conflict:
		return refuse("ConflictException", "%s", text)
	case iap.Limit:
		return refuse("ServiceQuotaExceededException", "%s", text)
	case iap.Unavailable, iap.Full, iap.Timeout:
		return &exception{Status: http.StatusServiceUnavailable, Code: "ServiceUnavailable", Message: "The portal is busy; try again."}
	}
	return err
}
