package asl

import (
	"fmt"
	"strings"

	"github.com/internal-app-portal/iap/asl/value"
)

func (x *exec) runTask() *failure {
	t := x.def.spec.task
	attempt := x.f.Attempt + 1
	if r := x.def.Resource; r.Integration == WaitForTaskToken || r.IsActivity() {
		x.token = x.newToken(attempt)
	}
	if f := x.effectiveInput(); f != nil {
		return f
	}
	args, f := x.taskArguments()
	if f != nil {
		return f
	}
	timeout, f := x.taskSeconds(t.timeout)
	if f != nil {
		return f
	}
	heartbeat, f := x.taskSeconds(t.heartbeat)
	if f != nil {
		return f
	}
	cmd := ScheduleTask{Frame: x.id, Attempt: attempt, State: x.f.State, Resource: x.def.Resource,
		TimeoutSeconds: timeout, HeartbeatSeconds: heartbeat, TaskToken: x.token}
	if cmd.Credentials, f = x.credentials(t); f != nil {
		return f
	}
	if cmd.Arguments, f = x.store(args); f != nil {
		return f
	}
	x.schedule(cmd)
	return nil
}

// taskArguments evaluates what a task is called with.
func (x *exec) taskArguments() (value.Value, *failure) {
	if x.isQuery() {
		return x.arguments()
	}
	args := x.at
	if p := x.def.spec.parameters; p != nil {
		var f *failure
		if args, f = x.fill(p); f != nil {
			return nil, f
		}
	}
	x.see(stageParameters, args)
	return args, nil
}

func (x *exec) credentials(t *taskSpec) (value.JSON, *failure) {
	var v value.Value
	var f *failure
	switch {
	case t.credentialsQuery != nil:
		v, f = x.fillQuery(t.credentialsQuery)
	case t.credentials != nil:
		v, f = x.fill(t.credentials)
	default:
		return value.JSON{}, nil
	}
	if f != nil {
		return value.JSON{}, f
	}
	return x.store(v)
}

func (x *exec) newToken(attempt int) string {
	if x.env.NewTaskToken != nil {
		return x.env.NewTaskToken(x.id, attempt)
	}
	return fmt.Sprintf("%d-%d", x.id, attempt)
}

func (x *exec) taskSeconds(s secondsField) (int64, *failure) {
	if s.query != nil {
		return x.queryInt(s.query, 1, maxSeconds)
	}
	if s.path == nil {
		return s.seconds, nil
	}
	n, f := x.natural(s.path, s.name)
	if f == nil && (n == 0 || n > maxSeconds) {
		f = x.runtime("The %sPath field must refer to an integer from 1 to %d: %s", s.name, maxSeconds, s.path.text)
	}
	return n, f
}

// schedule hands an attempt over to the caller and starts its clocks.
func (x *exec) schedule(cmd ScheduleTask) {
	f := x.f
	f.Attempt, f.Phase, f.Started, f.Submitted = cmd.Attempt, PhaseTask, false, false
	d := Details{TimeoutSeconds: set(cmd.TimeoutSeconds), HeartbeatSeconds: set(cmd.HeartbeatSeconds), Credentials: cmd.Credentials}
	r := cmd.Resource
	if r.IsLambda() || r.IsActivity() {
		d.Resource, d.Input = r.ARN, cmd.Arguments
	} else {
		d.ResourceType, d.Resource = r.Service, r.API+r.Suffix
		d.Region, d.Parameters = x.region(), cmd.Arguments
	}
	x.tell(taskEvent(r, "Scheduled"), d)
	x.do(cmd)
	if cmd.TimeoutSeconds > 0 {
		f.Timer = x.setTimer(x.id, TimerTask, x.after(float64(cmd.TimeoutSeconds)))
	}
	f.HeartbeatSeconds = cmd.HeartbeatSeconds
	if cmd.HeartbeatSeconds > 0 {
		f.Heartbeat = x.setTimer(x.id, TimerHeartbeat, x.after(float64(cmd.HeartbeatSeconds)))
	}
}

func set(n int64) *int64 {
	if n == 0 {
		return nil
	}
	return &n
}

// region is the one in the execution's ARN.
func (x *exec) region() string {
	if p := strings.SplitN(x.env.Execution.ID, ":", 5); len(p) == 5 {
		return p[3]
	}
	return ""
}

// taskEvent names an event of a task: Task…, LambdaFunction… or Activity….
func taskEvent(r Resource, what string) string {
	switch {
	case r.IsLambda():
		return "LambdaFunction" + what
	case r.IsActivity():
		return "Activity" + what
	}
	return "Task" + what
}

// about gives the details that name the resource; functions and activities
// have none.
func (x *exec) about() Details {
	r := x.def.Resource
	if r.IsLambda() || r.IsActivity() {
		return Details{}
	}
	return Details{ResourceType: r.Service, Resource: r.API + r.Suffix}
}

func (x *exec) taskStarted(worker string) error {
	if x.f.Started {
		return ErrStale
	}
	x.takeUp(worker)
	return nil
}

// takeUp tells once that the attempt has been taken up.
func (x *exec) takeUp(worker string) {
	if x.f.Started {
		return
	}
	x.f.Started = true
	d := x.about()
	if x.def.Resource.IsActivity() {
		d.WorkerName = worker
	}
	x.tell(taskEvent(x.def.Resource, "Started"), d)
}

func (x *exec) taskSubmitted(output value.JSON) error {
	if x.f.Submitted || x.def.Resource.Integration == RequestResponse {
		return ErrStale
	}
	x.takeUp("")
	x.f.Submitted = true
	d := x.about()
	d.Output = output
	x.tell("TaskSubmitted", d)
	return nil
}

// beat starts the heartbeat's clock anew.
func (x *exec) beat() {
	if x.f.HeartbeatSeconds == 0 {
		return
	}
	if x.f.Heartbeat != 0 {
		x.do(CancelTimer{x.id, x.f.Heartbeat})
	}
	x.f.Heartbeat = x.setTimer(x.id, TimerHeartbeat, x.after(float64(x.f.HeartbeatSeconds)))
}

func (x *exec) taskSucceeded(output value.JSON) {
	if err := output.Check(); err != nil {
		x.taskFailed(fail(errTaskFailed, fmt.Sprintf("The task's output is not valid JSON: %v", err)))
		return
	}
	who := x.def.Resource.Service
	if x.def.Resource.IsLambda() {
		who = x.def.Resource.ARN
	}
	if f := x.tooLarge(output, who); f != nil {
		x.taskFailed(f)
		return
	}
	x.takeUp("")
	x.settle()
	d := x.about()
	d.Output = output
	x.tell(taskEvent(x.def.Resource, "Succeeded"), d)
	if f := x.leave(output.Value()); f != nil {
		x.failed(f)
	}
}

// leave applies ResultSelector to a result and leaves the state.
func (x *exec) leave(result value.Value) *failure {
	if x.isQuery() {
		return x.succeedQuery(result)
	}
	if t := x.def.spec.resultSelector; t != nil {
		x.at = result
		v, f := x.fill(t)
		if f != nil {
			return f
		}
		result = v
	}
	return x.finish(result)
}

func (x *exec) taskFailed(f *failure) {
	x.takeUp("")
	x.settle()
	d := x.about()
	d.Error, d.Cause = f.err, f.cause
	x.tell(taskEvent(x.def.Resource, "Failed"), d)
	x.failed(f)
}

func (x *exec) taskTimedOut(f *failure) {
	x.cancelTask(x.id, x.f)
	x.settle()
	d := x.about()
	d.Error, d.Cause = f.err, f.cause
	x.tell(taskEvent(x.def.Resource, "TimedOut"), d)
	x.failed(f)
}

// settle marks the attempt as over, so that nothing cancels it any more.
func (x *exec) settle() {
	x.stopClocks()
	x.f.Phase = phaseSettled
}

// stopClocks cancels the timers of the frame at hand.
func (x *exec) stopClocks() {
	for _, t := range []*TimerID{&x.f.Timer, &x.f.Heartbeat} {
		if *t != 0 {
			x.do(CancelTimer{x.id, *t})
			*t = 0
		}
	}
}
