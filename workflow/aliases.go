package workflow

import (
	"context"
	"errors"
	"slices"

	iap "github.com/internal-app-portal/iap"
)

// maxAliases is the number of aliases of a state machine at most, as on AWS.
const maxAliases = 100

// ErrRoutes is the cause of an Invalid error: an alias leads to one or two
// versions of one state machine, with weights that add up to 100.
var ErrRoutes = errors.New("give one or two different versions with weights that add up to 100")

// CreateAlias creates an alias; the same once more changes nothing. Errors:
// Invalid (ErrName, ErrRoutes), NotFound (ErrNoMachine, ErrNoVersion), Conflict
// (ErrAliasExists, ErrDeleting), Limit.
func (s *Machines) CreateAlias(ctx context.Context, a Alias) (out Alias, err error) {
	const op = "workflow.CreateAlias"
	if !ValidName(a.Name) {
		return a, refuse(op, iap.Invalid, "name", ErrName)
	}
	err = s.Tx.Update(ctx, func(ctx context.Context) error {
		if _, err := s.changeable(ctx, op, a.Machine); err != nil {
			return err
		}
		there, err := s.Store.Alias(ctx, a.Machine, a.Name)
		switch {
		case err == nil && slices.Equal(there.Routes, a.Routes) && there.Description == a.Description:
			out = there
			return nil
		case err == nil:
			return refuse(op, iap.Conflict, "name", ErrAliasExists)
		case !iap.IsKind(err, iap.NotFound):
			return err
		}
		if err := s.checkRoutes(ctx, op, a); err != nil {
			return err
		}
		all, err := s.Store.Aliases(ctx, a.Machine, "", maxAliases)
		if err != nil {
			return err
		}
		if len(all) >= maxAliases {
			return iap.Errorf(op, iap.Limit, "a state machine has at most %d aliases", maxAliases)
		}
		out = a
		out.CreatedAt, out.UpdatedAt = s.Now(), s.Now()
		return s.Store.PutAlias(ctx, out)
	})
	return out, err
}

func (s *Machines) checkRoutes(ctx context.Context, op string, a Alias) error {
	sum := 0
	for i, r := range a.Routes {
		sum += r.Weight
		if r.Weight < 0 || r.Weight > 100 || i > 0 && a.Routes[0].Version == r.Version {
			return refuse(op, iap.Invalid, "routes", ErrRoutes)
		}
		if _, err := s.Version(ctx, a.Machine, r.Version); err != nil {
			return err
		}
	}
	if sum != 100 || len(a.Routes) > 2 {
		return refuse(op, iap.Invalid, "routes", ErrRoutes)
	}
	return nil
}

// UpdateAlias changes description and routes; nil leaves them as they are.
// Errors: as CreateAlias, and NotFound (ErrNoAlias).
func (s *Machines) UpdateAlias(ctx context.Context, machine, name string, description *string, routes []Route) (a Alias, err error) {
	const op = "workflow.UpdateAlias"
	err = s.Tx.Update(ctx, func(ctx context.Context) error {
		if a, err = s.Alias(ctx, machine, name); err != nil {
			return err
		}
		if _, err := s.changeable(ctx, op, machine); err != nil {
			return err
		}
		if description != nil {
			a.Description = *description
		}
		if routes != nil {
			a.Routes = routes
			if err := s.checkRoutes(ctx, op, a); err != nil {
				return err
			}
		}
		a.UpdatedAt = s.Now()
		return s.Store.PutAlias(ctx, a)
	})
	return a, err
}

// Alias returns an alias of a state machine, or NotFound (ErrNoAlias).
func (s *Machines) Alias(ctx context.Context, machine, name string) (Alias, error) {
	a, err := s.Store.Alias(ctx, machine, name)
	if iap.IsKind(err, iap.NotFound) {
		return a, refuse("workflow.Alias", iap.NotFound, "", ErrNoAlias)
	}
	return a, err
}

// Aliases returns at most limit aliases in the order of their names, from
// behind after; with a version, those that lead to it.
func (s *Machines) Aliases(ctx context.Context, machine string, version int64, after string, limit int) ([]Alias, error) {
	if version == 0 {
		return s.Store.Aliases(ctx, machine, after, limit)
	}
	all, err := s.Store.Aliases(ctx, machine, after, maxAliases)
	all = slices.DeleteFunc(all, func(a Alias) bool {
		return !slices.ContainsFunc(a.Routes, func(r Route) bool { return r.Version == version })
	})
	return all[:min(limit, len(all))], err
}

// DeleteAlias removes an alias. Errors: NotFound (ErrNoAlias).
func (s *Machines) DeleteAlias(ctx context.Context, machine, name string) error {
	return s.Tx.Update(ctx, func(ctx context.Context) error {
		if _, err := s.Alias(ctx, machine, name); err != nil {
			return err
		}
		return s.Store.DeleteAlias(ctx, machine, name)
	})
}

// choose picks the version that an alias leads a new execution to.
func (s *Machines) choose(a Alias) int64 {
	n := s.Rand(100)
	for _, r := range a.Routes {
		if n -= r.Weight; n < 0 {
			return r.Version
		}
	}
	return a.Routes[len(a.Routes)-1].Version
}
