package workflow

import (
	"context"
	"slices"

	iap "github.com/internal-app-portal/iap"
)

// Publish makes a version of what a state machine is now. When that has been
// published already the version which is there is given. expect is the revision
// that is meant, nil for any. Errors: NotFound (ErrNoMachine), Conflict
// (ErrDeleting, ErrRevision), Forbidden (ErrReadOnly).
func (s *Machines) Publish(ctx context.Context, name string, expect *string, description string) (v Version, err error) {
	const op = "workflow.PublishVersion"
	err = s.Tx.Update(ctx, func(ctx context.Context) error {
		m, err := s.changeable(ctx, op, name)
		if err != nil {
			return err
		}
		if expect != nil && *expect != m.Revision {
			return refuse(op, iap.Conflict, "revision", ErrRevision)
		}
		v, err = s.publish(ctx, &m, description)
		return err
	})
	return v, err
}

func (s *Machines) publish(ctx context.Context, m *Machine, description string) (Version, error) {
	newest, err := s.Store.MachineVersions(ctx, m.Name, 0, 1)
	if err != nil {
		return Version{}, err
	}
	if len(newest) > 0 && newest[0].Revision == m.Revision {
		return newest[0], nil
	}
	m.LastVersion++ // numbers are never used again
	if err := s.Store.UpdateMachine(ctx, *m); err != nil {
		return Version{}, err
	}
	v := Version{Machine: m.Name, Number: m.LastVersion, MachineSettings: m.MachineSettings, Revision: m.Revision,
		Description: description, CreatedAt: s.Now()}
	return v, s.Store.InsertMachineVersion(ctx, v)
}

// Version returns a version of a state machine, or NotFound (ErrNoVersion).
func (s *Machines) Version(ctx context.Context, machine string, number int64) (Version, error) {
	v, err := s.Store.MachineVersion(ctx, machine, number)
	if iap.IsKind(err, iap.NotFound) {
		return v, refuse("workflow.Version", iap.NotFound, "", ErrNoVersion)
	}
	return v, err
}

// Versions returns at most limit versions, newest first, with numbers below
// before (0: from the newest).
func (s *Machines) Versions(ctx context.Context, machine string, before int64, limit int) ([]Version, error) {
	return s.Store.MachineVersions(ctx, machine, before, limit)
}

// ReferencedError says which aliases lead to a version that was to be deleted.
type ReferencedError struct{ Aliases []string }

// Error names the aliases.
func (e *ReferencedError) Error() string { return ErrReferenced.Error() }

// Unwrap returns ErrReferenced.
func (e *ReferencedError) Unwrap() error { return ErrReferenced }

// DeleteVersion removes a version; one that is not there is removed already.
// Errors: Conflict (a *ReferencedError).
func (s *Machines) DeleteVersion(ctx context.Context, machine string, number int64) error {
	const op = "workflow.DeleteVersion"
	return s.Tx.Update(ctx, func(ctx context.Context) error {
		aliases, err := s.Store.Aliases(ctx, machine, "", maxAliases)
		if err != nil {
			return err
		}
		var names []string
		for _, a := range aliases {
			if slices.ContainsFunc(a.Routes, func(r Route) bool { return r.Version == number }) {
				names = append(names, a.Name)
			}
		}
		if len(names) > 0 {
			return refuse(op, iap.Conflict, "", &ReferencedError{names})
		}
		return s.Store.DeleteMachineVersion(ctx, machine, number)
	})
}
