package workflow

import (
	"context"
	"errors"
	"strconv"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/value"
	"github.com/internal-app-portal/iap/workflow/maprun"
)

// mapPage is how many results are read at once.
const mapPage = 500

func aslStatus(s Status) asl.Status { return asl.Status(s) }

// succeed writes the results and lets the execution go on with them.
func (w *mapWorker) succeed() error {
	out, err := w.results()
	if err != nil {
		return err
	}
	return w.end(asl.MapRunEnded{Status: asl.Succeeded, Output: out})
}

// results hands what became of the children to the state or to files.
func (w *mapWorker) results() (value.JSON, error) {
	to, err := maprun.NewResults(w.ctx, &w.order, w.Buckets, w.Limits)
	if err != nil {
		return value.JSON{}, err
	}
	defer to.Close()
	machine := MachineARN(w.run.Machine)
	for after := int64(-1); ; {
		children, err := w.Store.MapChildren(w.ctx, w.run.ID, after, mapPage)
		if err != nil {
			return value.JSON{}, err
		}
		for _, c := range children {
			after = c.Number
			if err := to.Add(c.result(machine, w.run)); err != nil {
				return value.JSON{}, err
			}
		}
		if len(children) < mapPage {
			return to.Finish()
		}
	}
}

func (c *MapChild) result(machine string, r MapRun) asl.MapResult {
	name := c.Execution
	if name == "" {
		name = r.ID + "-" + strconv.FormatInt(c.Number, 10)
	}
	out := asl.MapResult{Number: c.Number, Name: name, ARN: maprun.ChildARN(machine, r.Label, name),
		StateMachineARN: maprun.ChildMachine(machine, r.Label), Status: aslStatus(c.Status),
		Input: value.Trusted(string(c.Input)), Started: c.StartedAt, Stopped: c.EndedAt, RedriveCount: c.RedriveCount}
	if c.Status == Succeeded {
		out.Output = value.Trusted(string(c.Output))
		return out
	}
	if c.Error != "" {
		out.Error = &c.Error
	}
	if c.Cause != "" {
		out.Cause = &c.Cause
	}
	return out
}

// end ends the run and tells the execution that waits for it, in one commit.
// What is left to tidy up is done by clean.
func (w *mapWorker) end(sig asl.MapRunEnded) error {
	sig.Frame, sig.Attempt = asl.FrameID(w.run.Frame), int(w.run.Attempt)
	return w.persist("the end of a map run", func() error {
		return w.Tx.Update(w.ctx, func(ctx context.Context) error {
			if err := w.holds(ctx); err != nil {
				return err
			}
			r, err := w.Store.MapRun(ctx, w.run.ID)
			if err != nil || r.halted() || r.Attempt != w.run.Attempt {
				return err
			}
			r.Status, r.StoppedAt = Status(sig.Status), w.Now()
			if sig.Status == asl.Succeeded && w.order.Writes() {
				r.Items.ResultsWritten, r.Children.ResultsWritten = endedOf(r.Items), endedOf(r.Children)
			}
			if err := w.saveMapRun(ctx, r); err != nil {
				return err
			}
			err = w.step(ctx, r.Execution, &request{signal: sig})
			if errors.Is(err, ErrStale) || iap.IsKind(err, iap.NotFound) {
				return nil
			}
			return err
		})
	})
}

// clean stops the children of a run that has ended, removes what is not needed
// any more, and lets the row go; what a redrive needs is looked at again when
// there can be none any more.
func (w *mapWorker) clean() (moved, done bool, err error) {
	if some, err := w.stopChildren(); some || err != nil {
		return true, false, err
	}
	until, err := w.keepUntil()
	if err != nil {
		return false, false, err
	}
	if until.IsZero() {
		n, err := w.Store.ClearMapChildren(w.ctx, w.run.ID, mapRound)
		if err != nil || n > 0 {
			return true, false, err
		}
	}
	err = w.persist("the last of a map run", func() error {
		return w.Tx.Update(w.ctx, func(ctx context.Context) error {
			r, err := w.counted(ctx)
			if err != nil {
				return err
			}
			if done = r.Status != Running; done && w.run.Express {
				r.Children.Running, r.Items.Running = 0, 0
			}
			if err := w.saveMapRun(ctx, r); err != nil || !done {
				return err // it is being redriven
			}
			if err := w.finishTask(ctx); err != nil || until.IsZero() {
				return err
			}
			return w.Store.PutTask(ctx, Task{Execution: r.ID, Kind: MapTask, RunAt: until})
		})
	})
	return true, done && err == nil, err
}

// stopChildren stops some of the executions that run, and reports whether there
// were any.
func (w *mapWorker) stopChildren() (some bool, err error) {
	ids, err := w.Store.RunningMapChildren(w.ctx, w.run.ID, mapPage)
	if err != nil {
		return false, err
	}
	for _, id := range ids {
		if err := w.stopChild(id); err != nil {
			return false, err
		}
	}
	return len(ids) > 0, nil
}

// stopChild aborts a child; one that was not begun yet is aborted as well.
func (w *mapWorker) stopChild(id string) error {
	err := w.StopExecution(w.ctx, id, "", "")
	if iap.IsKind(err, iap.NotFound) || errors.Is(err, ErrStale) {
		return w.Store.EndMapChild(w.ctx, id, Aborted, false)
	}
	return err
}
