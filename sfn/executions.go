package sfn

import (
	"encoding/json"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/asl/value"
	"github.com/internal-app-portal/iap/workflow"
)

type startExecution struct {
	ARN   string  `json:"stateMachineArn" check:"required,min=1,max=256"`
	Name  *string `json:"name" check:"min=1,max=80"`
	Input *string `json:"input" check:"payload,secret"`
	Trace string  `json:"traceHeader" check:"max=256,pattern=ascii"`
}

// input checks what an execution is to begin with.
func (in startExecution) input() (json.RawMessage, error) {
	if in.Input == nil {
		return json.RawMessage("{}"), nil
	}
	if _, err := value.Parse([]byte(*in.Input)); err != nil {
		return nil, refuse("InvalidExecutionInput", "Invalid State Machine Execution Input: '%v'", err)
	}
	return json.RawMessage(*in.Input), nil
}

// check checks what can be said without knowing what there is.
func (in startExecution) check() error {
	if _, err := machineARN(in.ARN); err != nil {
		return err
	}
	if in.Name != nil && !workflow.ValidName(*in.Name) {
		return refuse("InvalidName", "Invalid Name: '%s'", *in.Name)
	}
	return nil
}

type started struct {
	ARN     string `json:"executionArn"`
	Started stamp  `json:"startDate"`
}

func (r *request) startExecution(in startExecution) (any, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	input, err := in.input()
	if err != nil {
		return nil, err
	}
	t, err := r.Machines.Resolve(r.ctx, in.ARN)
	if err != nil {
		return nil, explain(err, in.ARN)
	}
	if t.Express {
		x, err := r.Express.Start(r.ctx, workflow.ExpressRequest{Target: t, Name: deref(in.Name), Input: input, Owner: r.who.ID})
		if err != nil {
			return nil, expressError(err, in.ARN)
		}
		return started{x.ARN, stamp(x.StartedAt)}, nil
	}
	x, t, err := r.Machines.Start(r.ctx, workflow.StartMachine{ARN: in.ARN, Name: deref(in.Name), Input: input, Owner: r.who.ID})
	arn := in.ARN
	if iap.IsKind(err, iap.Conflict) && in.Name != nil {
		arn = workflow.ExecutionARN(t.Name, *in.Name)
	}
	if err != nil {
		return nil, explain(err, arn)
	}
	return started{workflow.ExecutionARN(t.Name, x.Name), stamp(x.StartedAt)}, nil
}

// execution finds the execution of an ARN that the caller may see.
func (r *request) execution(arn string) (x workflow.Execution, machine string, err error) {
	a, ok := workflow.ParseARN(arn)
	if !ok || a.Type != workflow.ARNExecution {
		return x, "", invalidARN(arn)
	}
	if err := r.visible(a.Name, arn); err != nil {
		return x, "", err
	}
	x, err = r.Machines.ExecutionNamed(r.ctx, a.Name, a.Rest)
	return x, a.Name, explain(err, arn)
}

type stopExecution struct {
	ARN   string `json:"executionArn" check:"required,min=1,max=256"`
	Error string `json:"error" check:"max=256,secret"`
	Cause string `json:"cause" check:"max=32768,secret"`
}

func (r *request) stopExecution(in stopExecution) (any, error) {
	x, machine, err := r.execution(in.ARN)
	if err != nil {
		return nil, err
	}
	if err := r.own(machine, in.ARN); err != nil {
		return nil, err
	}
	if x.Status == workflow.Running {
		err := r.Engine.StopExecution(r.ctx, x.ID, in.Error, in.Cause)
		if err != nil && !iap.IsKind(err, iap.Conflict) { // Conflict: it has just ended
			return nil, explain(err, in.ARN)
		}
		if x, _, err = r.execution(in.ARN); err != nil {
			return nil, err
		}
	}
	return struct {
		Stopped stamp `json:"stopDate"`
	}{stamp(x.EndedAt)}, nil
}

// own refuses to change executions of the portal's own state machines: those of
// instances end by destroying the instance.
func (r *request) own(machine, arn string) error {
	m, err := r.Machines.Machine(r.ctx, machine)
	if err == nil && m.ReadOnly {
		return explain(workflow.ErrReadOnly, arn)
	}
	return nil
}

type redriveExecution struct {
	ARN   string `json:"executionArn" check:"required,min=1,max=256"`
	Token string `json:"clientToken" check:"min=1,max=64,pattern=visible"`
}

func (r *request) redriveExecution(in redriveExecution) (any, error) {
	x, machine, err := r.execution(in.ARN)
	if err != nil {
		return nil, err
	}
	if err := r.own(machine, in.ARN); err != nil {
		return nil, err
	}
	if x, err = r.Engine.Redrive(r.ctx, x.ID); err != nil {
		return nil, explain(err, in.ARN)
	}
	return struct {
		Redriven stamp `json:"redriveDate"`
	}{stamp(x.RedrivenAt)}, nil
}

type byExecution struct {
	ARN      string `json:"executionArn" check:"required,min=1,max=256"`
	Included string `json:"includedData" check:"enum=ALL_DATA|METADATA_ONLY"`
}

// included tells whether data is there that could be left out.
type included struct {
	Included bool `json:"included"`
}

// executionDescription is what is told of an execution.
type executionDescription struct {
	ARN           string    `json:"executionArn"`
	Machine       string    `json:"stateMachineArn"`
	Name          string    `json:"name"`
	Status        string    `json:"status"`
	Started       stamp     `json:"startDate"`
	Stopped       *stamp    `json:"stopDate,omitempty"`
	Input         string    `json:"input,omitempty"`
	InputDetails  *included `json:"inputDetails,omitempty"`
	Output        string    `json:"output,omitempty"`
	OutputDetails *included `json:"outputDetails,omitempty"`
	MapRun        string    `json:"mapRunArn,omitempty"`
	Error         string    `json:"error,omitempty"`
	Cause         string    `json:"cause,omitempty"`
	Version       string    `json:"stateMachineVersionArn,omitempty"`
	Alias         string    `json:"stateMachineAliasArn,omitempty"`
	Redrives      int       `json:"redriveCount"`
	Redriven      *stamp    `json:"redriveDate,omitempty"`
	Redrivable    string    `json:"redriveStatus"`
	Reason        string    `json:"redriveStatusReason,omitempty"`
}

func (r *request) describeExecution(in byExecution) (any, error) {
	x, machine, err := r.execution(in.ARN)
	if err != nil {
		return nil, err
	}
	origin, err := r.Machines.Origin(r.ctx, x.ID)
	if err != nil {
		return nil, explain(err, in.ARN)
	}
	redrive, err := r.Engine.Redrivable(r.ctx, x)
	if err != nil {
		return nil, explain(err, in.ARN)
	}
	d := executionDescription{ARN: in.ARN, Machine: workflow.MachineARN(machine), Name: x.Name, Status: string(x.Status),
		Started: stamp(x.StartedAt), Stopped: maybe(x.EndedAt), Redrives: x.RedriveCount, Redriven: maybe(x.RedrivenAt),
		Redrivable: redrive.Status, Reason: redrive.Reason}
	d.Version, d.Alias = originARNs(origin)
	if d.MapRun, err = r.mapRunOf(x); err != nil {
		return nil, err
	}
	whole := in.Included != "METADATA_ONLY"
	d.InputDetails = &included{whole}
	if whole {
		d.Input, d.Output, d.Error, d.Cause = string(x.Input), string(x.Output), x.Error, x.Cause
	}
	if x.Status == workflow.Succeeded {
		d.OutputDetails = &included{whole}
	}
	return d, nil
}

func originARNs(o workflow.Origin) (version, alias string) {
	if o.Version > 0 {
		version = workflow.VersionARN(o.Machine, o.Version)
	}
	if o.Alias != "" {
		alias = workflow.AliasARN(o.Machine, o.Alias)
	}
	return version, alias
}

func (r *request) describeForExecution(in byExecution) (any, error) {
	x, name, err := r.execution(in.ARN)
	if err != nil {
		return nil, err
	}
	stored, err := r.Engine.Store.StateMachine(r.ctx, x.StateMachine)
	if err != nil {
		return nil, explain(err, in.ARN)
	}
	d := description{ARN: workflow.MachineARN(name), Name: name, Updated: maybe(stored.CreatedAt)}
	var settings workflow.MachineSettings
	origin, err := r.Machines.Origin(r.ctx, x.ID)
	if err != nil {
		return nil, explain(err, in.ARN)
	}
	m, err := r.Machines.Machine(r.ctx, name)
	if err == nil { // it may have been deleted since
		settings = m.MachineSettings
		if m.Definition == x.StateMachine {
			d.Revision, d.Updated = m.Revision, maybe(m.UpdatedAt)
		}
	}
	if origin.Version > 0 {
		if v, err := r.Machines.Version(r.ctx, name, origin.Version); err == nil {
			settings, d.Revision, d.Updated = v.MachineSettings, v.Revision, maybe(v.CreatedAt)
		}
		d.ARN = workflow.VersionARN(name, origin.Version)
	}
	d.set(settings)
	if d.MapRun, err = r.mapRunOf(x); err != nil {
		return nil, err
	}
	return r.withDefinition(d, x.StateMachine, in.Included)
}
