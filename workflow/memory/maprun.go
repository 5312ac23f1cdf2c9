package memory

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/workflow/maprun"
)

// expressTimeout is how long an Express execution may take, as on AWS.
const expressTimeout = 5 * time.Minute

// carryOutMapRun takes the commands of distributed Map states.
func (x *execution) carryOutMapRun(c asl.Command) error {
	switch c := c.(type) {
	case asl.StartMapRun:
		x.tasks.add(c)
		return nil
	case asl.StopMapRun:
		x.cancelRunning(taskKey{c.Frame, c.Attempt})
		return nil
	}
	return fmt.Errorf("memory: unknown command %T", c)
}

// beginMapRun does a map run: with the virtual clock at once, its end being a
// signal to come, else in a goroutine.
func (x *execution) beginMapRun(command asl.Command) error {
	c, ok := command.(asl.StartMapRun)
	if !ok {
		return fmt.Errorf("memory: unknown command %T", command)
	}
	f := x.state.Frames[c.Frame]
	if f == nil || f.Phase != asl.PhaseMapRun || f.Attempt != c.Attempt {
		return nil
	}
	o := maprun.Options{Buckets: x.Buckets, Env: x.env, Virtual: x.Clock == Virtual, Now: x.now(), Child: x.child(c.Order.Express)}
	if x.Clock == Virtual {
		ended, at, err := maprun.Run(x.ctx, x.m, c, o)
		if err != nil {
			return err
		}
		x.timers.push(due{at: at, order: x.number(), signal: ended})
		return nil
	}
	x.beside(taskKey{c.Frame, c.Attempt}, func(ctx context.Context) []asl.Signal {
		ended, _, err := maprun.Run(ctx, x.m, c, o)
		if err != nil && ctx.Err() == nil {
			ended = asl.MapRunEnded{Frame: c.Frame, Attempt: c.Attempt, Status: asl.Failed, Error: "States.Runtime", Cause: err.Error()}
		}
		return []asl.Signal{ended}
	})
	return nil
}

// child gives what runs the children of a map run: executions as this one is,
// of which only the result is kept.
func (x *execution) child(express bool) func(context.Context, maprun.Child) (maprun.Ended, error) {
	base := x.Options
	base.Env = x.env
	base.OnEvent, base.OnStep, base.StopWhenWaiting, base.History, base.Timeout = nil, nil, nil, false, 0
	if x.ChildTask != nil {
		base.Task = x.ChildTask
	}
	if express {
		base.Timeout = expressTimeout
	}
	return func(ctx context.Context, c maprun.Child) (maprun.Ended, error) {
		o := base
		o.Start = c.Start
		o.Env.Execution = asl.ExecutionInfo{ID: c.ARN, Name: c.Name, RoleARN: base.Env.Execution.RoleARN}
		o.Env.StateMachine = asl.StateMachineInfo{ID: c.StateMachineARN,
			Name: c.StateMachineARN[strings.LastIndexByte(c.StateMachineARN, ':')+1:]}
		r, err := Run(ctx, c.Machine, c.Input, o)
		if errors.Is(err, asl.ErrInput) {
			cause := err.Error()
			name := "States.Runtime"
			return maprun.Ended{Status: asl.Failed, Error: &name, Cause: &cause, At: c.Start}, nil
		}
		return maprun.Ended{Status: r.Status, Output: r.Output, Error: r.Error, Cause: r.Cause, At: r.EndedAt}, err
	}
}
