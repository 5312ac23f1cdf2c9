package asl

import (
	"fmt"
	"slices"

	"github.com/internal-app-portal/iap/asl/value"
)

// TestError is the exception with which a TestState request is refused.
type TestError struct {
	// Code is AWS's name of the exception, such as ValidationException.
	Code, Message string
}

func (e *TestError) Error() string { return e.Code + ": " + e.Message }

// Exceptions of TestState.
const (
	codeValidation        = "ValidationException"
	codeInvalidDefinition = "InvalidDefinition"
	codeInvalidInput      = "InvalidExecutionInput"
)

func refuse(code, format string, args ...any) error {
	return &TestError{Code: code, Message: fmt.Sprintf(format, args...)}
}

// TestTask does the task of a state that is tested without a mock. A non-empty
// name is the error that the task failed with.
type TestTask func(t ScheduleTask) (result value.JSON, name, cause string)

// TestState tests one state, as AWS's action TestState does
// (https://docs.aws.amazon.com/step-functions/latest/apireference/API_TestState.html).
// Request and response have the fields of that action. env gives the time, the
// random numbers and the names of the execution and state machine that the
// Context Object shows. Without do, the tasks of states that have no mock fail.
// The error is a *TestError.
func TestState(request *value.Object, env Env, do TestTask) (*value.Object, error) {
	r, err := readTestRequest(request)
	if err != nil {
		return nil, err
	}
	t, err := newStateTest(r, env)
	if err != nil {
		return nil, err
	}
	if err := t.check(); err != nil {
		return nil, err
	}
	if t.context, err = r.contextObject(); err != nil {
		return nil, err
	}
	t.run(do)
	return t.response(), nil
}

// tracer is what a test of a state wants to know of its evaluation, and what it
// changes in it. A nil tracer is none.
type tracer struct {
	// context takes the place of the Context Object, unless it is nil.
	context *value.Object
	// retries is what $$.State.RetryCount is.
	retries int64
	// stages are the values on the way through the state.
	stages map[string]value.Value
	// failure is the last error that came up.
	failure *failure
}

// The stages of the evaluation of a state, named as in inspectionData.
const (
	stageInput      = "afterInputPath"
	stageParameters = "afterParameters"
	stageArguments  = "afterArguments"
	stageItems      = "afterItemsPath"
	stageSelected   = "afterResultSelector"
	stageMerged     = "afterResultPath"
	stageLimit      = "maxConcurrency"
)

// see notes the value of a stage.
func (x *exec) see(stage string, v value.Value) {
	if x.trace != nil {
		x.trace.stages[stage] = v
	}
}

// stateTest is one test.
type stateTest struct {
	*testRequest
	tracer
	x     *exec
	s     *State
	f     *Frame
	def   *StateDef
	order *MapRunOrder // of a distributed Map state
}

func newStateTest(r *testRequest, env Env) (*stateTest, error) {
	m, g, def, err := r.machine()
	if err != nil {
		return nil, err
	}
	env.Execution.Input, env.Execution.StartTime = r.input, env.Now
	env.Execution.RoleARN = r.role
	for _, name := range []struct {
		to        *string
		otherwise string
	}{{&env.Execution.ID, "arn:iap:states:::express:TestState:test:test"}, {&env.Execution.Name, "test"},
		{&env.StateMachine.ID, "arn:iap:states:::stateMachine:TestState"}, {&env.StateMachine.Name, "TestState"}} {
		*name.to = or(*name.to, name.otherwise)
	}
	f := &Frame{Graph: g.Number, State: def.Name, Phase: PhaseReady, Data: r.input, Vars: r.variables}
	for range def.spec.retry {
		f.Retried = append(f.Retried, r.retries)
	}
	t := &stateTest{testRequest: r, def: def, f: f, s: &State{Status: Running, Frames: map[FrameID]*Frame{RootFrame: f}}}
	t.tracer = tracer{retries: int64(r.retries), stages: map[string]value.Value{}}
	t.x = &exec{m: m, s: t.s, env: &env, trace: &t.tracer}
	return t, nil
}

// run runs the state until it is left, fails or is to be tried again.
func (t *stateTest) run(do TestTask) {
	x := t.x
	if err := x.load(RootFrame); err != nil {
		return // the frame was just made
	}
	x.enter()
	switch t.f.Phase {
	case PhaseWait:
		x.forget()
		x.waited()
	case PhaseTask:
		t.task(do)
	case PhaseChildren, PhaseMapRun:
		t.children()
	}
}

func (t *stateTest) task(do TestTask) {
	x := t.x
	if t.mock == nil {
		cmd := t.scheduled()
		if do == nil {
			x.taskFailed(&failure{err: optional(errRuntime), service: true,
				cause: optional("There is nobody here to do the task " + cmd.Resource.ARN + "; give a mock.")})
			return
		}
		result, name, cause := do(cmd)
		if name != "" || result.IsZero() {
			x.taskFailed(&failure{err: optional(name), cause: optional(cause), service: true})
			return
		}
		t.result = result
	}
	if e := t.mockedError(); e != nil {
		x.taskFailed(e)
		return
	}
	x.taskSucceeded(t.result)
}

func (t *stateTest) scheduled() ScheduleTask {
	for _, c := range t.x.out.Commands {
		if cmd, ok := c.(ScheduleTask); ok {
			return cmd
		}
	}
	return ScheduleTask{}
}

// children gives a Parallel or Map state the mocked result of its branches,
// iterations or map run.
func (t *stateTest) children() {
	x := t.x
	for _, c := range x.out.Commands {
		if cmd, ok := c.(StartMapRun); ok {
			t.order = &cmd.Order
		}
	}
	items := t.items()
	x.removeChildren(RootFrame, false)
	t.f.Children, t.f.Phase, t.f.MapRun = nil, phaseSettled, ""
	x.forget()
	switch e := t.mockedError(); {
	case e != nil:
		x.failed(e)
	case t.def.Type == TypeMap && t.intolerable(items):
		x.failed(fail("States.ExceedToleratedFailureThreshold", "The specified tolerated failure threshold was exceeded"))
	default:
		if f := x.leave(t.result.Value()); f != nil {
			x.failed(f)
		}
	}
}

// items is the number of items of a Map state.
func (t *stateTest) items() int {
	if c := t.f.Children; c != nil {
		return c.Total
	}
	if a, ok := t.readerData.Value().(value.Array); ok {
		return len(a)
	}
	if t.order != nil {
		switch items := t.order.Items.Value().(type) {
		case value.Array:
			return len(items)
		case *value.Object:
			return items.Len()
		}
	}
	return 0
}

// intolerable tells whether more iterations failed than may.
func (t *stateTest) intolerable(items int) bool {
	failed := float64(t.iterationFailures)
	if failed == 0 {
		return false
	}
	if t.order == nil || t.order.ToleratedCount == nil && t.order.ToleratedPercentage == nil {
		return true
	}
	if n := t.order.ToleratedCount; n != nil && failed > float64(*n) {
		return true
	}
	p := t.order.ToleratedPercentage
	return p != nil && items > 0 && failed*100/float64(items) > *p
}

// mockedError is the error of the mock, or nil.
func (t *stateTest) mockedError() *failure {
	if t.mock == nil || t.mock.failure == nil {
		return nil
	}
	f := *t.mock.failure
	f.service = t.def.Type == TypeTask
	return &f
}

// check refuses what cannot be tested.
func (t *stateTest) check() error {
	composite := t.def.Type == TypeMap || t.def.Type == TypeParallel
	switch {
	case t.mock == nil && composite:
		return refuse(codeInvalidDefinition,
			"TestState API does not support Map or Parallel states. Supported state types include: [Task, Wait, Pass, Succeed, Fail, Choice]")
	case t.mock == nil:
		return nil
	case !composite && t.def.Type != TypeTask:
		return refuse(codeValidation, "State type '%s' is not supported when a mock is specified", t.def.Type)
	case t.mock.failure != nil:
		return nil
	}
	list, isList := t.result.Value().(value.Array)
	_, isObject := t.result.Value().(*value.Object)
	writes := t.def.Type == TypeMap && t.def.spec.iterate.run != nil && t.def.spec.iterate.run.writer != nil
	switch {
	case writes && !isObject:
		return refuse(codeValidation, "Mocked result must be a JSON object.")
	case composite && !writes && !isList:
		return refuse(codeValidation, "Mocked result must be an array.")
	case t.def.Type == TypeParallel && len(list) != len(t.def.Graphs):
		return refuse(codeValidation, "Mocked result must contain the same number of items as number of Parallel branches.")
	case t.def.Type == TypeTask && t.mock.mode != "NONE":
		if wrong := checkShape(t.def.Resource, t.result.Value(), t.mock.mode != "PRESENT"); wrong != "" {
			return refuse(codeValidation, "Mock result schema validation error: %s", wrong)
		}
	}
	return nil
}

// caughtBy is the index of the first rule that matches an error, or -1.
func caughtBy[T any](rules []T, errors func(*T) []string, f *failure) int {
	return slices.IndexFunc(rules, func(r T) bool { return f.matches(errors(&r)) })
}
