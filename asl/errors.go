package asl

// The reserved error names.
const (
	errAll           = "States.ALL"
	errHeartbeat     = "States.HeartbeatTimeout"
	errTimeout       = "States.Timeout"
	errTaskFailed    = "States.TaskFailed"
	errRuntime       = "States.Runtime"
	errDataLimit     = "States.DataLimitExceeded"
	errIntrinsic     = "States.IntrinsicFailure"
	errNoChoice      = "States.NoChoiceMatched"
	errParameterPath = "States.ParameterPathFailure"
	errResultPath    = "States.ResultPathMatchFailure"
	errQuery         = "States.QueryEvaluationError"
)

// errorNames are all names that ErrorEquals may hold among the reserved ones.
var errorNames = []string{errAll, errHeartbeat, errTimeout, errTaskFailed, errRuntime, errDataLimit, errIntrinsic,
	errNoChoice, errParameterPath, errResultPath, "States.Permissions", "States.BranchFailed",
	"States.ExceedToleratedFailureThreshold", "States.ItemReaderFailed", "States.ResultWriterFailed",
	errQuery, "States.Http.Socket"}

// failure is an error on its way through retriers, catchers and parents.
type failure struct {
	err, cause *string
	// heartbeat tells that a timeout was a missing heartbeat.
	heartbeat bool
	// service tells that a task failed, as opposed to the engine.
	service bool
}

func fail(name, cause string) *failure { return &failure{err: &name, cause: &cause} }

func (f *failure) name() string {
	if f.err == nil {
		return ""
	}
	return *f.err
}

// matches tells whether an error is one of the names. Nothing matches
// States.Runtime; States.ALL matches all else, States.DataLimitExceeded too:
// AWS's documentation says otherwise, but AWS does so.
func (f *failure) matches(names []string) bool {
	name := f.name()
	if name == errRuntime {
		return false
	}
	for _, n := range names {
		switch {
		case n == name && f.err != nil, n == errHeartbeat && f.heartbeat:
			return true
		case n == errAll:
			return true
		case n == errTaskFailed && f.service && name != errTimeout:
			return true
		}
	}
	return false
}
