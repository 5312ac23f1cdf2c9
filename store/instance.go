package store

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/instance"
)

const (
	instanceColumns = `id, app, version, owner, host_name, status, waiting, upstream, parameters, created_at, ready_at,
		ends_at, ended_at, ended_by, end_reason, reason, receipt, execution, keep_until, keep_reason, kept_by,
		warned_of, warned_before, idle_limit, warning_bar, purpose, purpose_id, opens_at, price, watts, saved_by, saved_until,
		network, active_at, active_kind, changed`
	instanceQuery = "SELECT " + instanceColumns + " FROM instance "
	// live is the condition of two partial indexes, in their words.
	live = "status NOT IN ('destroyed', 'deploy_failed', 'destroy_failed')"
)

// The numbers of instances that Instances returns.
const (
	defaultLimit = 100
	maxLimit     = 500
)

func scanInstance(scan scanner) (i instance.Instance, err error) {
	var parameters, receipt string
	var created, ready, ends, ended, keep, warned, before, idle, bar, active, opens, price, watts, saved int64
	err = scan(&i.ID, &i.App, &i.Version, &i.Owner, &i.HostName, &i.Status, &i.Waiting, &i.Upstream, &parameters,
		&created, &ready, &ends, &ended, &i.EndedBy, &i.EndReason, &i.Reason, &receipt, &i.Execution, &keep, &i.KeepReason, &i.KeptBy,
		&warned, &before, &idle, &bar, &i.Purpose, &i.PurposeID, &opens,
		&price, &watts, &i.SavedBy, &saved, &i.Network, &active, &i.Active.Kind, &i.Changed)
	if err != nil {
		return i, err
	}
	i.CreatedAt, i.ReadyAt, i.TimeLimitAt, i.EndedAt, i.KeepUntil = at(created), at(ready), at(ends), at(ended), at(keep)
	i.WarnedOf, i.WarnedBefore = at(warned), time.Duration(before)*time.Millisecond
	i.IdleLimit, i.WarningBar, i.Active.At, i.OpensAt = time.Duration(idle)*time.Millisecond, bar != 0, at(active), at(opens)
	i.Price, i.SavedUntil = priceOf(price, watts), at(saved)
	if err := read(parameters, &i.Parameters); err != nil {
		return i, err
	}
	return i, read(receipt, &i.Receipt)
}

// instanceValues returns the values of instanceColumns.
func instanceValues(i instance.Instance) ([]any, error) {
	var parameters, receipt string
	var err error
	if i.Parameters != nil {
		if parameters, err = text(i.Parameters); err != nil {
			return nil, iap.E("store.Instance", iap.Internal, err)
		}
	}
	if i.Receipt != nil {
		if receipt, err = text(i.Receipt); err != nil {
			return nil, iap.E("store.Instance", iap.Internal, err)
		}
	}
	return []any{i.ID, i.App, i.Version, i.Owner, i.HostName, string(i.Status), i.Waiting, i.Upstream, parameters,
		ms(i.CreatedAt), ms(i.ReadyAt), ms(i.TimeLimitAt), ms(i.EndedAt), i.EndedBy, i.EndReason, i.Reason, receipt,
		i.Execution, ms(i.KeepUntil), i.KeepReason, i.KeptBy, ms(i.WarnedOf), i.WarnedBefore.Milliseconds(),
		i.IdleLimit.Milliseconds(), flag(i.WarningBar), string(i.Purpose), i.PurposeID, ms(i.OpensAt),
		int64(math.Round(i.Price.Hour * 1e6)), int64(math.Round(i.Price.Watts * 1e3)), string(i.SavedBy), ms(i.SavedUntil), i.Network,
		ms(i.Active.At), string(i.Active.Kind), i.Changed}, nil
}

// InsertInstance implements instance.Store. After a Conflict the transaction
// can go on.
func (db *DB) InsertInstance(ctx context.Context, i instance.Instance) error {
	const op = "store.InsertInstance"
	values, err := instanceValues(i)
	if err != nil {
		return err
	}
	return db.Update(ctx, func(ctx context.Context) error {
		for {
			n, err := db.exec(ctx, op, "INSERT INTO instance ("+instanceColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8,
				$9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30,
				$31, $32, $33, $34, $35, $36) ON CONFLICT DO NOTHING`, values...)
			if err != nil || n == 1 {
				return err
			}
			if err := db.instanceConflict(ctx, op, i); err != nil {
				return err
			}
		}
	})
}

// instanceConflict says which of the instance's keys is taken; none when on
// PostgreSQL the other instance ended in the meantime.
func (db *DB) instanceConflict(ctx context.Context, op string, i instance.Instance) error {
	e := iap.E(op, iap.Conflict, nil)
	_, err := db.LiveInstance(ctx, i.Owner, i.App)
	if err == nil && !i.Status.Ended() {
		e.Field, e.Err = "owner", fmt.Errorf("%s has an instance of %s already", i.Owner, i.App)
		return e
	}
	if err != nil && !iap.IsKind(err, iap.NotFound) {
		return err
	}
	_, err = db.InstanceByHostName(ctx, i.HostName)
	switch {
	case err == nil:
		e.Field, e.Err = "host_name", fmt.Errorf("the host name %s was given out before", i.HostName)
		return e
	case !iap.IsKind(err, iap.NotFound):
		return err
	}
	_, err = db.Instance(ctx, i.ID)
	switch {
	case err == nil:
		e.Field, e.Err = "id", fmt.Errorf("there is an instance %s already", i.ID)
		return e
	case !iap.IsKind(err, iap.NotFound):
		return err
	}
	users, err := list(ctx, db, op, scalar[string], "SELECT id FROM instance WHERE network = $1 AND network <> ''", i.Network)
	if len(users) > 0 {
		e.Field, e.Err = "network", fmt.Errorf("the network %s is that of another instance", i.Network)
		return e
	}
	return err
}

// UpdateInstance implements instance.Store. The ID, the host name and the time
// of creation never change.
func (db *DB) UpdateInstance(ctx context.Context, i instance.Instance) error {
	const op = "store.UpdateInstance"
	values, err := instanceValues(i)
	if err != nil {
		return err
	}
	fixed := append(values[:4:4], values[5:9]...)
	values = append(append(fixed, values[10:len(values)-3]...), i.Changed) // without the last use
	n, err := db.exec(ctx, op, `UPDATE instance SET app = $2, version = $3, owner = $4, status = $5, waiting = $6,
		upstream = $7, parameters = $8, ready_at = $9, ends_at = $10, ended_at = $11, ended_by = $12, end_reason = $13,
		reason = $14, receipt = $15, execution = $16, keep_until = $17, keep_reason = $18, kept_by = $19,
		warned_of = $20, warned_before = $21, idle_limit = $22, warning_bar = $23, purpose = $24, purpose_id = $25, opens_at = $26,
		price = $27, watts = $28, saved_by = $29, saved_until = $30, network = $31, changed = changed + 1
		WHERE id = $1 AND changed = $32`, values...)
	if err == nil && n == 0 {
		err = iap.Errorf(op, iap.Conflict, "the instance %s was changed in the meantime", i.ID)
	}
	return err
}

// NoteActivity implements instance.Store.
func (db *DB) NoteActivity(ctx context.Context, of map[string]instance.Activity) error {
	return db.Update(ctx, func(ctx context.Context) error {
		for _, id := range slices.Sorted(maps.Keys(of)) { // in one order, or replicas could lock each other out
			a := of[id]
			_, err := db.exec(ctx, "store.NoteActivity", "UPDATE instance SET active_at = $2, active_kind = $3 WHERE id = $1 AND active_at < $2",
				id, ms(a.At), string(a.Kind))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Networks implements instance.Store.
func (db *DB) Networks(ctx context.Context) ([]string, error) {
	return list(ctx, db, "store.Networks", scalar[string], "SELECT network FROM instance WHERE network <> '' ORDER BY network")
}

// LockDeploys implements instance.Store: on SQLite writers wait for each other
// anyway.
func (db *DB) LockDeploys(ctx context.Context) error {
	_, err := list(ctx, db, "store.LockDeploys", scalar[string], db.locked(ctx, "SELECT name FROM setting WHERE name = 'deploys'"))
	return err
}

// Instance implements instance.Store. In a transaction the row is locked until
// its end.
func (db *DB) Instance(ctx context.Context, id string) (instance.Instance, error) {
	return one(ctx, db, "store.Instance", scanInstance, db.locked(ctx, instanceQuery+"WHERE id = $1"), id)
}

// InstanceByHostName implements instance.Store.
func (db *DB) InstanceByHostName(ctx context.Context, hostName string) (instance.Instance, error) {
	return one(ctx, db, "store.InstanceByHostName", scanInstance, instanceQuery+"WHERE host_name = $1", hostName)
}

// LiveInstance implements instance.Store.
func (db *DB) LiveInstance(ctx context.Context, owner, app string) (instance.Instance, error) {
	return one(ctx, db, "store.LiveInstance", scanInstance,
		instanceQuery+"WHERE owner = $1 AND app = $2 AND "+live, owner, app)
}

// LatestInstance implements instance.Store.
func (db *DB) LatestInstance(ctx context.Context, owner, app string) (instance.Instance, error) {
	return one(ctx, db, "store.LatestInstance", scanInstance,
		instanceQuery+"WHERE owner = $1 AND app = $2 ORDER BY id DESC LIMIT 1", owner, app)
}

// InstancesAt implements instance.Store.
func (db *DB) InstancesAt(ctx context.Context, upstream string) ([]instance.Instance, error) {
	return list(ctx, db, "store.InstancesAt", scanInstance, instanceQuery+"WHERE upstream = $1 AND upstream <> '' ORDER BY id", upstream)
}

// LiveInstances implements instance.Store.
func (db *DB) LiveInstances(ctx context.Context) ([]instance.Instance, error) {
	return list(ctx, db, "store.LiveInstances", scanInstance, instanceQuery+"WHERE "+live+" ORDER BY id")
}

// Instances implements instance.Store.
func (db *DB) Instances(ctx context.Context, f instance.Filter) ([]instance.Instance, error) {
	var c conditions
	c.text("owner = ?", f.Owner)
	c.text("app = ?", f.App)
	c.text("id < ?", f.Before)
	if f.Text != "" {
		pattern := "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.ToLower(f.Text)) + "%"
		c.add(`(host_name LIKE ? ESCAPE '\' OR lower(app) LIKE ? ESCAPE '\' OR lower(owner) LIKE ? ESCAPE '\')`, pattern)
	}
	among(&c, "status", f.Statuses)
	if f.Limit <= 0 {
		f.Limit = defaultLimit
	}
	query, args := c.newest(instanceQuery, min(f.Limit, maxLimit))
	return list(ctx, db, "store.Instances", scanInstance, query, args...)
}
