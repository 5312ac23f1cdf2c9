package store

import (
	"context"
	"fmt"
	"strings"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/workflow"
)

// ExecutionNamed implements workflow.ExecutionIndex.
func (db *DB) ExecutionNamed(ctx context.Context, machine, name string) (workflow.Execution, error) {
	id, err := one(ctx, db, "store.ExecutionNamed", scalar[string],
		"SELECT id FROM execution WHERE machine_name = $1 AND name = $2", machine, name)
	if err != nil {
		return workflow.Execution{}, err
	}
	return db.Execution(ctx, id)
}

func scanItem(scan scanner) (e workflow.ExecutionItem, err error) {
	var begun, ended, redriven int64
	err = scan(&e.ID, &e.Name, &e.Machine, &e.StateMachine, &e.Status, &begun, &ended, &e.Origin.Version, &e.Origin.Alias, &e.Owner,
		&e.RedriveCount, &redriven)
	e.StartedAt, e.EndedAt, e.RedrivenAt = at(begun), at(ended), at(redriven)
	if e.Origin.Version > 0 {
		e.Origin.Machine = e.Machine
	}
	return e, err
}

// ExecutionsOf implements workflow.ExecutionIndex.
func (db *DB) ExecutionsOf(ctx context.Context, f workflow.ExecutionFilter) ([]workflow.ExecutionItem, error) {
	c := &conditions{}
	c.add("e.id > ?", "")
	c.text("e.machine_name = ?", f.Machine)
	c.text("e.status = ?", string(f.Status))
	if f.MapRun != "" {
		c.add("e.map_run = ? AND e.map_run > ''", f.MapRun)
	} else {
		c.parts = append(c.parts, "e.map_run = ''")
	}
	if f.Version > 0 {
		c.add("o.version = ?", f.Version)
	}
	c.text("o.alias = ?", f.Alias)
	if f.Prefix != "" {
		c.add("e.name >= ?", f.Prefix)
		c.add("e.name < ?", f.Prefix+"\U0010FFFF")
	}
	if !f.From.IsZero() {
		c.add("e.started_at >= ?", ms(f.From))
	}
	if !f.To.IsZero() {
		c.add("e.started_at < ?", ms(f.To))
	}
	c.text("e.id < ?", f.Before)
	if f.Redriven != nil {
		c.add("(e.redrive_count > 0) = (? > 0)", flag(*f.Redriven))
	}
	join := "LEFT JOIN"
	if f.Version > 0 || f.Alias != "" {
		join = "JOIN"
	}
	c.args = append(c.args, f.Limit)
	return list(ctx, db, "store.ExecutionsOf", scanItem, fmt.Sprintf(`SELECT e.id, e.name, e.machine_name, e.machine, e.status,
		e.started_at, e.ended_at, coalesce(o.version, 0), coalesce(o.alias, ''), e.owner, e.redrive_count, e.redriven_at FROM execution e
		%s execution_origin o ON o.execution = e.id WHERE %s ORDER BY e.id DESC LIMIT $%d`,
		join, strings.Join(c.parts, " AND "), len(c.args)), c.args...)
}

// PutOrigin implements workflow.ExecutionIndex.
func (db *DB) PutOrigin(ctx context.Context, execution string, o workflow.Origin) error {
	_, err := db.exec(ctx, "store.PutOrigin", "INSERT INTO execution_origin (execution, machine, version, alias) VALUES ($1, $2, $3, $4)",
		execution, o.Machine, o.Version, o.Alias)
	return err
}

func scanOrigin(scan scanner) (o workflow.Origin, err error) {
	err = scan(&o.Machine, &o.Version, &o.Alias)
	return o, err
}

// Origin implements workflow.ExecutionIndex.
func (db *DB) Origin(ctx context.Context, execution string) (workflow.Origin, error) {
	o, err := one(ctx, db, "store.Origin", scanOrigin, "SELECT machine, version, alias FROM execution_origin WHERE execution = $1", execution)
	if iap.IsKind(err, iap.NotFound) {
		return workflow.Origin{}, nil
	}
	return o, err
}
