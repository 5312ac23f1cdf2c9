package store

import (
	"context"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/workflow"
)

const (
	machineQuery = `SELECT name, type, status, definition, settings, revision, last_version, read_only, created_at, updated_at
		FROM machine `
	versionQuery = "SELECT machine, number, definition, settings, revision, description, created_at FROM machine_version "
	aliasQuery   = "SELECT machine, name, description, routes, created_at, updated_at FROM machine_alias "
)

func scanNamedMachine(scan scanner) (m workflow.Machine, err error) {
	var settings string
	var readOnly, created, updated int64
	err = scan(&m.Name, &m.Type, &m.Status, &m.Definition, &settings, &m.Revision, &m.LastVersion, &readOnly, &created, &updated)
	if err == nil {
		err = read(settings, &m.MachineSettings)
	}
	m.ReadOnly, m.CreatedAt, m.UpdatedAt = readOnly != 0, at(created), at(updated)
	return m, err
}

// InsertMachine implements workflow.MachineStore. After a Conflict the
// transaction can go on.
func (db *DB) InsertMachine(ctx context.Context, m workflow.Machine) error {
	const op = "store.InsertMachine"
	settings, err := text(m.MachineSettings)
	if err != nil {
		return err
	}
	n, err := db.exec(ctx, op, `INSERT INTO machine (name, type, status, definition, settings, revision, last_version,
		read_only, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`,
		m.Name, m.Type, m.Status, m.Definition, settings, m.Revision, m.LastVersion, flag(m.ReadOnly), ms(m.CreatedAt),
		ms(m.UpdatedAt))
	if err == nil && n == 0 {
		err = iap.Errorf(op, iap.Conflict, "there is a state machine %s already", m.Name)
	}
	return err
}

// UpdateMachine implements workflow.MachineStore.
func (db *DB) UpdateMachine(ctx context.Context, m workflow.Machine) error {
	const op = "store.UpdateMachine"
	settings, err := text(m.MachineSettings)
	if err != nil {
		return err
	}
	n, err := db.exec(ctx, op, `UPDATE machine SET status = $2, definition = $3, settings = $4, revision = $5,
		last_version = $6, read_only = $7, updated_at = $8 WHERE name = $1`, m.Name, m.Status, m.Definition, settings,
		m.Revision, m.LastVersion, flag(m.ReadOnly), ms(m.UpdatedAt))
	if err == nil && n == 0 {
		err = iap.E(op, iap.NotFound, nil)
	}
	return err
}

// Machine implements workflow.MachineStore.
func (db *DB) Machine(ctx context.Context, name string) (workflow.Machine, error) {
	return one(ctx, db, "store.Machine", scanNamedMachine, db.locked(ctx, machineQuery+"WHERE name = $1"), name)
}

// Machines implements workflow.MachineStore.
func (db *DB) Machines(ctx context.Context, after string, limit int) ([]workflow.Machine, error) {
	return list(ctx, db, "store.Machines", scanNamedMachine, machineQuery+"WHERE name > $1 ORDER BY name LIMIT $2", after, limit)
}

// DeleteMachine implements workflow.MachineStore.
func (db *DB) DeleteMachine(ctx context.Context, name string) error {
	const op = "store.DeleteMachine"
	return db.Update(ctx, func(ctx context.Context) error {
		for _, q := range []string{"DELETE FROM machine WHERE name = $1", "DELETE FROM machine_version WHERE machine = $1",
			"DELETE FROM machine_alias WHERE machine = $1"} {
			if _, err := db.exec(ctx, op, q, name); err != nil {
				return err
			}
		}
		arn := workflow.MachineARN(name)
		// The tags of its aliases, too: names hold no ":", so nothing else begins so.
		_, err := db.exec(ctx, op, "DELETE FROM tag WHERE resource = $1 OR (resource > $2 AND resource < $3)", arn, arn+":", arn+";")
		return err
	})
}

func scanMachineVersion(scan scanner) (v workflow.Version, err error) {
	var settings string
	var created int64
	err = scan(&v.Machine, &v.Number, &v.Definition, &settings, &v.Revision, &v.Description, &created)
	if err == nil {
		err = read(settings, &v.MachineSettings)
	}
	v.CreatedAt = at(created)
	return v, err
}

// InsertMachineVersion implements workflow.MachineStore.
func (db *DB) InsertMachineVersion(ctx context.Context, v workflow.Version) error {
	settings, err := text(v.MachineSettings)
	if err != nil {
		return err
	}
	_, err = db.exec(ctx, "store.InsertMachineVersion", `INSERT INTO machine_version (machine, number, definition, settings, revision,
		description, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`, v.Machine, v.Number, v.Definition, settings,
		v.Revision, v.Description, ms(v.CreatedAt))
	return err
}

// MachineVersion implements workflow.MachineStore.
func (db *DB) MachineVersion(ctx context.Context, machine string, number int64) (workflow.Version, error) {
	return one(ctx, db, "store.MachineVersion", scanMachineVersion, versionQuery+"WHERE machine = $1 AND number = $2", machine, number)
}

// MachineVersions implements workflow.MachineStore.
func (db *DB) MachineVersions(ctx context.Context, machine string, before int64, limit int) ([]workflow.Version, error) {
	if before == 0 {
		before = 1 << 62
	}
	return list(ctx, db, "store.MachineVersions", scanMachineVersion,
		versionQuery+"WHERE machine = $1 AND number < $2 ORDER BY number DESC LIMIT $3", machine, before, limit)
}

// DeleteMachineVersion implements workflow.MachineStore.
func (db *DB) DeleteMachineVersion(ctx context.Context, machine string, number int64) error {
	_, err := db.exec(ctx, "store.DeleteMachineVersion", "DELETE FROM machine_version WHERE machine = $1 AND number = $2", machine, number)
	return err
}

func scanAlias(scan scanner) (a workflow.Alias, err error) {
	var routes string
	var created, updated int64
	err = scan(&a.Machine, &a.Name, &a.Description, &routes, &created, &updated)
	if err == nil {
		err = read(routes, &a.Routes)
	}
	a.CreatedAt, a.UpdatedAt = at(created), at(updated)
	return a, err
}

// PutAlias implements workflow.MachineStore.
func (db *DB) PutAlias(ctx context.Context, a workflow.Alias) error {
	routes, err := text(a.Routes)
	if err != nil {
		return err
	}
	_, err = db.exec(ctx, "store.PutAlias", `INSERT INTO machine_alias (machine, name, description, routes, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (machine, name) DO UPDATE SET description = excluded.description,
		routes = excluded.routes, updated_at = excluded.updated_at`, a.Machine, a.Name, a.Description, routes,
		ms(a.CreatedAt), ms(a.UpdatedAt))
	return err
}

// Alias implements workflow.MachineStore.
func (db *DB) Alias(ctx context.Context, machine, name string) (workflow.Alias, error) {
	return one(ctx, db, "store.Alias", scanAlias, aliasQuery+"WHERE machine = $1 AND name = $2", machine, name)
}

// Aliases implements workflow.MachineStore.
func (db *DB) Aliases(ctx context.Context, machine, after string, limit int) ([]workflow.Alias, error) {
	return list(ctx, db, "store.Aliases", scanAlias,
		aliasQuery+"WHERE machine = $1 AND name > $2 ORDER BY name LIMIT $3", machine, after, limit)
}

// DeleteAlias implements workflow.MachineStore.
func (db *DB) DeleteAlias(ctx context.Context, machine, name string) error {
	_, err := db.exec(ctx, "store.DeleteAlias", "DELETE FROM machine_alias WHERE machine = $1 AND name = $2", machine, name)
	return err
}

func scanTag(scan scanner) (t workflow.Tag, err error) {
	err = scan(&t.Key, &t.Value)
	return t, err
}

// Tags implements workflow.MachineStore.
func (db *DB) Tags(ctx context.Context, resource string) ([]workflow.Tag, error) {
	return list(ctx, db, "store.Tags", scanTag, "SELECT key, value FROM tag WHERE resource = $1 ORDER BY key", resource)
}

// PutTags implements workflow.MachineStore.
func (db *DB) PutTags(ctx context.Context, resource string, tags []workflow.Tag) error {
	return db.Update(ctx, func(ctx context.Context) error {
		for _, t := range tags {
			_, err := db.exec(ctx, "store.PutTags", `INSERT INTO tag (resource, key, value) VALUES ($1, $2, $3)
				ON CONFLICT (resource, key) DO UPDATE SET value = excluded.value`, resource, t.Key, t.Value)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// DeleteTags implements workflow.MachineStore.
func (db *DB) DeleteTags(ctx context.Context, resource string, keys []string) error {
	return db.Update(ctx, func(ctx context.Context) error {
		for _, key := range keys {
			if _, err := db.exec(ctx, "store.DeleteTags", "DELETE FROM tag WHERE resource = $1 AND key = $2", resource, key); err != nil {
				return err
			}
		}
		return nil
	})
}
