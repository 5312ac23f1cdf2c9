package workflow

import (
	"bytes"
	"context"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/asl"
)

// MachinesConfig is what Machines need.
type MachinesConfig struct {
	Store  MachineStore
	Tx     iap.Transactor
	Engine *Engine
	Now    func() time.Time
	// Rand returns a random number from 0 to n-1, for the weights of aliases.
	Rand func(n int) int
}

// Machines keeps the named state machines with their versions, aliases and
// tags, and starts executions of them.
type Machines struct{ MachinesConfig }

// NewMachines returns the service.
func NewMachines(cfg MachinesConfig) *Machines { return &Machines{cfg} }

// NewMachine says what to create.
type NewMachine struct {
	Name       string
	Type       string // empty: Standard
	Definition []byte
	MachineSettings
	Tags        []Tag
	Publish     bool
	Description string // of the version
}

// MachineChange says what to change; nil leaves it as it is.
type MachineChange struct {
	Definition                   []byte
	Role                         *string
	Logging, Tracing, Encryption []byte
	Publish                      bool
	Description                  string  // of the version
	Expect                       *string // revision that the change is based on; else ErrRevision
}

// CheckDefinition reports what is wrong with a definition, as an Invalid error
// whose cause is a *DefinitionError.
func CheckDefinition(definition []byte, typ string) error {
	problems := asl.Validate(definition, asl.MachineType(typ))
	if asl.Valid(problems) {
		return nil
	}
	return refuse("workflow.CheckDefinition", iap.Invalid, "definition", &DefinitionError{definition, problems})
}

// Create creates a state machine, and publishes its version 1 when that is
// asked for. The same once more gives the one that is there: a request may be
// repeated. Errors: Invalid (ErrName, *DefinitionError, ErrTooManyTags),
// Conflict (ErrMachineExists, ErrDeleting).
func (s *Machines) Create(ctx context.Context, n NewMachine) (m Machine, version int64, err error) {
	const op = "workflow.CreateMachine"
	if n.Type == "" {
		n.Type = Standard
	}
	if !ValidName(n.Name) {
		return m, 0, refuse(op, iap.Invalid, "name", ErrName)
	}
	if err := CheckDefinition(n.Definition, n.Type); err != nil {
		return m, 0, err
	}
	if len(n.Tags) > maxTags {
		return m, 0, refuse(op, iap.Invalid, "tags", ErrTooManyTags)
	}
	err = s.Tx.Update(ctx, func(ctx context.Context) error {
		m, version, err = s.create(ctx, n)
		return err
	})
	return m, version, err
}

func (s *Machines) create(ctx context.Context, n NewMachine) (Machine, int64, error) {
	const op = "workflow.CreateMachine"
	definition, err := s.Engine.PutStateMachine(ctx, n.Name, n.Definition, s.Now())
	if err != nil {
		return Machine{}, 0, err
	}
	n.MachineSettings.Definition = definition
	there, err := s.settled(ctx, n.Name)
	switch {
	case err == nil && there.Status == MachineDeleting:
		return there, 0, refuse(op, iap.Conflict, "name", ErrDeleting)
	case err == nil && (there.Type != n.Type || !there.sameAs(n.MachineSettings)):
		return there, 0, refuse(op, iap.Conflict, "name", ErrMachineExists)
	case err == nil:
		return there, there.LastVersion, nil
	case !iap.IsKind(err, iap.NotFound):
		return there, 0, err
	}
	m := Machine{Name: n.Name, Type: n.Type, Status: MachineActive, MachineSettings: n.MachineSettings,
		CreatedAt: s.Now(), UpdatedAt: s.Now()}
	if err := s.Store.InsertMachine(ctx, m); iap.IsKind(err, iap.Conflict) {
		return s.create(ctx, n) // another was quicker: it is there now
	} else if err != nil {
		return m, 0, err
	}
	if err := s.Store.PutTags(ctx, MachineARN(m.Name), n.Tags); err != nil {
		return m, 0, err
	}
	if !n.Publish {
		return m, 0, nil
	}
	v, err := s.publish(ctx, &m, n.Description)
	return m, v.Number, err
}

// sameAs compares what makes two requests to create the same; the role is left
// out, as on AWS.
func (m MachineSettings) sameAs(o MachineSettings) bool {
	return m.Definition == o.Definition && bytes.Equal(m.Logging, o.Logging) && bytes.Equal(m.Tracing, o.Tracing) &&
		bytes.Equal(m.Encryption, o.Encryption)
}

// Machine returns a state machine, or NotFound (ErrNoMachine).
func (s *Machines) Machine(ctx context.Context, name string) (Machine, error) {
	return s.settled(ctx, name)
}

// settled returns a machine. One that was being deleted is gone when the last
// of its executions has ended: whoever asks next removes it.
func (s *Machines) settled(ctx context.Context, name string) (Machine, error) {
	const op = "workflow.Machine"
	m, err := s.Store.Machine(ctx, name)
	if iap.IsKind(err, iap.NotFound) {
		return m, refuse(op, iap.NotFound, "", ErrNoMachine)
	}
	if err != nil || m.Status != MachineDeleting {
		return m, err
	}
	running, err := s.running(ctx, name)
	if err != nil || running {
		return m, err
	}
	if err := s.Store.DeleteMachine(ctx, name); err != nil {
		return m, err
	}
	return Machine{}, refuse(op, iap.NotFound, "", ErrNoMachine)
}

func (s *Machines) running(ctx context.Context, name string) (bool, error) {
	list, err := s.Store.ExecutionsOf(ctx, ExecutionFilter{Machine: name, Status: Running, Limit: 1})
	return len(list) > 0, err
}

// Definition returns the text of a stored definition.
func (s *Machines) Definition(ctx context.Context, id string) ([]byte, error) {
	d, err := s.Engine.Store.StateMachine(ctx, id)
	return d.Definition, err
}

// List returns at most limit state machines in the order of their names, from
// behind after.
func (s *Machines) List(ctx context.Context, after string, limit int) ([]Machine, error) {
	list, err := s.Store.Machines(ctx, after, limit)
	if err != nil {
		return nil, err
	}
	for i, m := range list {
		if m.Status != MachineDeleting {
			continue
		}
		if _, err := s.settled(ctx, m.Name); iap.IsKind(err, iap.NotFound) {
			return s.List(ctx, after, limit) // one fewer than before
		} else if err != nil {
			return list[:i], err
		}
	}
	return list, nil
}

// changeable returns a machine that may be changed.
func (s *Machines) changeable(ctx context.Context, op, name string) (Machine, error) {
	m, err := s.settled(ctx, name)
	switch {
	case err != nil:
		return m, err
	case m.ReadOnly:
		return m, refuse(op, iap.Forbidden, "", ErrReadOnly)
	case m.Status == MachineDeleting:
		return m, refuse(op, iap.Conflict, "", ErrDeleting)
	}
	return m, nil
}

// Update changes a state machine and gives it a new revision; executions that
// run keep the definition they were started with. Errors: Invalid
// (*DefinitionError), NotFound (ErrNoMachine), Conflict (ErrDeleting,
// ErrRevision), Forbidden (ErrReadOnly).
func (s *Machines) Update(ctx context.Context, name string, c MachineChange) (m Machine, version int64, err error) {
	const op = "workflow.UpdateMachine"
	err = s.Tx.Update(ctx, func(ctx context.Context) error {
		if m, err = s.changeable(ctx, op, name); err != nil {
			return err
		}
		if c.Expect != nil && *c.Expect != m.Revision {
			return refuse(op, iap.Conflict, "revision", ErrRevision)
		}
		if err := s.apply(ctx, &m, c); err != nil {
			return err
		}
		m.Revision, m.UpdatedAt = newUUID(), s.Now()
		if err := s.Store.UpdateMachine(ctx, m); err != nil || !c.Publish {
			return err
		}
		v, err := s.publish(ctx, &m, c.Description)
		version = v.Number
		return err
	})
	return m, version, err
}

func (s *Machines) apply(ctx context.Context, m *Machine, c MachineChange) (err error) {
	if c.Definition != nil {
		if err := CheckDefinition(c.Definition, m.Type); err != nil {
			return err
		}
		if m.Definition, err = s.Engine.PutStateMachine(ctx, m.Name, c.Definition, s.Now()); err != nil {
			return err
		}
	}
	if c.Role != nil {
		m.Role = *c.Role
	}
	if c.Logging != nil {
		m.Logging = c.Logging
	}
	if c.Tracing != nil {
		m.Tracing = c.Tracing
	}
	if c.Encryption != nil {
		m.Encryption = c.Encryption
	}
	return nil
}

// Delete removes a state machine with its versions and aliases, at once or, while
// executions of it run, when the last of them has ended. One that is not there
// is removed already. Errors: Forbidden (ErrReadOnly).
func (s *Machines) Delete(ctx context.Context, name string) error {
	const op = "workflow.DeleteMachine"
	return s.Tx.Update(ctx, func(ctx context.Context) error {
		m, err := s.settled(ctx, name)
		switch {
		case iap.IsKind(err, iap.NotFound):
			return nil
		case err != nil:
			return err
		case m.ReadOnly:
			return refuse(op, iap.Forbidden, "", ErrReadOnly)
		}
		m.Status = MachineDeleting
		if err := s.Store.UpdateMachine(ctx, m); err != nil {
			return err
		}
		if _, err = s.settled(ctx, name); iap.IsKind(err, iap.NotFound) {
			return nil
		}
		return err
	})
}

// PutReadOnly makes a state machine of the portal's own appear among the
// others, with its present definition.
func (s *Machines) PutReadOnly(ctx context.Context, name string, definition []byte) error {
	return s.Tx.Update(ctx, func(ctx context.Context) error {
		id, err := s.Engine.PutStateMachine(ctx, name, definition, s.Now())
		if err != nil {
			return err
		}
		m, err := s.Store.Machine(ctx, name)
		switch {
		case iap.IsKind(err, iap.NotFound):
			return s.Store.InsertMachine(ctx, Machine{Name: name, Type: Standard, Status: MachineActive, ReadOnly: true,
				MachineSettings: MachineSettings{Definition: id}, CreatedAt: s.Now(), UpdatedAt: s.Now()})
		case err != nil || m.ReadOnly && m.Definition == id:
			return err
		}
		m.ReadOnly, m.Definition, m.Revision, m.UpdatedAt = true, id, newUUID(), s.Now()
		return s.Store.UpdateMachine(ctx, m)
	})
}
