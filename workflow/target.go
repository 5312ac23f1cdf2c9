package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/asl/value"
)

// Target is what an ARN of a state machine, version or alias leads to.
type Target struct {
	StateMachine string // ID of the definition
	Name         string // of the state machine
	Express      bool
	Log          bool   // the history of Express executions is to be kept
	ARN          string // as it was given
	Version      int64  // 0: by the name
	Alias        string
}

// Resolve finds what is to be started for an ARN; an alias is decided by its
// weights. The same ARN under arn:aws is taken, so that definitions may be
// brought along. Errors: Invalid (ErrARN), NotFound (ErrNoMachine,
// ErrNoVersion, ErrNoAlias), Conflict (ErrDeleting), Forbidden (ErrReadOnly).
func (s *Machines) Resolve(ctx context.Context, arn string) (Target, error) {
	const op = "workflow.Resolve"
	a, ok := ParseARN(portalARN(arn))
	if !ok || a.Type != ARNMachine {
		return Target{}, refuse(op, iap.Invalid, "stateMachineArn", ErrARN)
	}
	m, err := s.changeable(ctx, op, a.Name)
	if err != nil {
		return Target{}, err
	}
	t := Target{StateMachine: m.Definition, Name: m.Name, Express: m.Type == Express, Log: logs(m.Logging), ARN: arn}
	if a.Rest == "" {
		return t, nil
	}
	n, ok := a.Version()
	if !ok {
		alias, err := s.Alias(ctx, a.Name, a.Rest)
		if err != nil {
			return Target{}, err
		}
		n, t.Alias = s.choose(alias), alias.Name
	}
	v, err := s.Version(ctx, a.Name, n)
	if err != nil {
		return Target{}, err
	}
	t.Version, t.StateMachine, t.Log = v.Number, v.Definition, logs(v.Logging)
	return t, nil
}

// portalARN takes arn:aws:states:REGION:ACCOUNT:stateMachine:… for the portal's.
func portalARN(arn string) string {
	p := strings.SplitN(arn, ":", 6)
	if len(p) == 6 && p[0] == "arn" && p[1] == "aws" && p[2] == "states" {
		return arnPrefix + p[5]
	}
	return arn
}

// logs reports whether a logging configuration asks for anything.
func logs(configuration json.RawMessage) bool {
	var c struct {
		Level string `json:"level"`
	}
	return json.Unmarshal(configuration, &c) == nil && c.Level != "" && c.Level != "OFF"
}

// StartMachine says what to start, and how.
type StartMachine struct {
	ARN   string // of a state machine, version or alias
	Name  string // of the execution; empty: a random one
	Input json.RawMessage
	Owner string // ID of who starts it
	Later bool   // see StartRequest
}

// Start starts a Standard execution. The same name and input once more, while
// that execution runs, gives it again, so that a request may be repeated.
// Errors: those of Resolve, Invalid (ErrName, input), Conflict (ErrExecutionName,
// ErrNotStandard).
func (s *Machines) Start(ctx context.Context, r StartMachine) (x Execution, t Target, err error) {
	const op = "workflow.Start"
	if r.Name == "" {
		r.Name = newUUID()
	}
	if !ValidName(r.Name) {
		return x, t, refuse(op, iap.Invalid, "name", ErrName)
	}
	err = s.Tx.Update(ctx, func(ctx context.Context) error {
		if t, err = s.Resolve(ctx, r.ARN); err != nil {
			return err
		}
		if t.Express {
			return refuse(op, iap.Conflict, "", ErrNotStandard)
		}
		x, err = s.start(ctx, r, t)
		return err
	})
	return x, t, err
}

func (s *Machines) start(ctx context.Context, r StartMachine, t Target) (Execution, error) {
	there, err := s.again(ctx, r, t)
	if !iap.IsKind(err, iap.NotFound) {
		return there, err
	}
	x, err := s.Engine.StartExecution(ctx, StartRequest{Name: r.Name, StateMachine: t.StateMachine, Input: r.Input,
		Owner: r.Owner, Later: r.Later})
	if iap.IsKind(err, iap.Conflict) { // another was quicker
		return s.again(ctx, r, t)
	}
	if err != nil || t.Version == 0 {
		return x, err
	}
	return x, s.Store.PutOrigin(ctx, x.ID, Origin{Machine: t.Name, Version: t.Version, Alias: t.Alias})
}

// again answers a start whose name is taken: the execution that runs with the
// same input is given again. NotFound when the name is free.
func (s *Machines) again(ctx context.Context, r StartMachine, t Target) (Execution, error) {
	there, err := s.Store.ExecutionNamed(ctx, t.Name, r.Name)
	if err == nil && (there.Status != Running || !sameInput(there.Input, r.Input)) {
		err = refuse("workflow.Start", iap.Conflict, "name", ErrExecutionName)
	}
	return there, err
}

func sameInput(a, b json.RawMessage) bool {
	x, err1 := value.Parse(a)
	y, err2 := value.Parse(b)
	return errors.Join(err1, err2) == nil && value.Equal(x, y)
}
