package store

import (
	"context"
	"fmt"
	"strings"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/job"
)

const (
	jobColumns = `id, instance, app, version, owner, kind, status, waiting, token, steps, upstream, error, reason,
		cancelled_by, created_at, started_at, ended_at`
	// jobQuery also counts the queued jobs that come first.
	jobQuery = "SELECT " + jobColumns + `, CASE WHEN status = 'queued' THEN (SELECT count(*) FROM job q
		WHERE q.status = 'queued' AND q.id <= job.id) ELSE 0 END FROM job `
)

func scanJob(scan scanner) (j job.Job, err error) {
	var steps string
	var created, begun, ended int64
	err = scan(&j.ID, &j.Instance, &j.App, &j.Version, &j.Owner, &j.Kind, &j.Status, &j.Waiting, &j.Token, &steps,
		&j.Upstream, &j.Error, &j.Reason, &j.CancelledBy, &created, &begun, &ended, &j.Position)
	if err != nil {
		return j, err
	}
	j.CreatedAt, j.StartedAt, j.EndedAt = at(created), at(begun), at(ended)
	return j, read(steps, &j.Steps)
}

// jobValues returns the values of jobColumns.
func jobValues(j job.Job) ([]any, error) {
	steps := ""
	if j.Steps != nil {
		var err error
		if steps, err = text(j.Steps); err != nil {
			return nil, iap.E("store.Job", iap.Internal, err)
		}
	}
	return []any{j.ID, j.Instance, j.App, j.Version, j.Owner, string(j.Kind), string(j.Status), j.Waiting, j.Token, steps,
		j.Upstream, j.Error, j.Reason, j.CancelledBy, ms(j.CreatedAt), ms(j.StartedAt), ms(j.EndedAt)}, nil
}

// InsertJob implements job.Store; Conflict when the ID is taken.
func (db *DB) InsertJob(ctx context.Context, j job.Job) error {
	const op = "store.InsertJob"
	values, err := jobValues(j)
	if err != nil {
		return err
	}
	n, err := db.exec(ctx, op, "INSERT INTO job ("+jobColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,
		$12, $13, $14, $15, $16, $17) ON CONFLICT DO NOTHING`, values...)
	if err == nil && n == 0 {
		err = iap.Errorf(op, iap.Conflict, "there is a job %s already", j.ID)
	}
	return err
}

// UpdateJob implements job.Store.
func (db *DB) UpdateJob(ctx context.Context, j job.Job) error {
	const op = "store.UpdateJob"
	values, err := jobValues(j)
	if err != nil {
		return err
	}
	n, err := db.exec(ctx, op, `UPDATE job SET instance = $2, app = $3, version = $4, owner = $5, kind = $6, status = $7,
		waiting = $8, token = $9, steps = $10, upstream = $11, error = $12, reason = $13, cancelled_by = $14,
		created_at = $15, started_at = $16, ended_at = $17 WHERE id = $1`, values...)
	if err == nil && n == 0 {
		err = iap.Errorf(op, iap.NotFound, "there is no job %s", j.ID)
	}
	return err
}

// Job implements job.Store. In a transaction the row is locked until its end,
// so that what is changed of it is never written over by another.
func (db *DB) Job(ctx context.Context, id string) (job.Job, error) {
	return one(ctx, db, "store.Job", scanJob, db.locked(ctx, jobQuery+"WHERE id = $1"), id)
}

// JobsByStatus implements job.Store.
func (db *DB) JobsByStatus(ctx context.Context, statuses ...job.Status) ([]job.Job, error) {
	if len(statuses) == 0 {
		return nil, nil
	}
	in, args := oneOf(nil, statuses)
	// All queued jobs are among the result, in their order: counting them here
	// is cheaper than counting for each of them.
	jobs, err := list(ctx, db, "store.JobsByStatus", scanJob,
		"SELECT "+jobColumns+", 0 FROM job WHERE status IN ("+in+") ORDER BY id", args...)
	position := 0
	for i := range jobs {
		if jobs[i].Status == job.Queued {
			position++
			jobs[i].Position = position
		}
	}
	return jobs, err
}

// FirstQueued implements job.Store.
func (db *DB) FirstQueued(ctx context.Context, limit int) ([]job.Job, error) {
	jobs, err := list(ctx, db, "store.FirstQueued", scanJob,
		"SELECT "+jobColumns+", 0 FROM job WHERE status = 'queued' ORDER BY id LIMIT $1", limit)
	for i := range jobs {
		jobs[i].Position = i + 1
	}
	return jobs, err
}

// oneOf adds values to args and returns their placeholders.
func oneOf[T ~string](args []any, values []T) (string, []any) {
	marks := make([]string, len(values))
	for i, v := range values {
		args = append(args, string(v))
		marks[i] = fmt.Sprintf("$%d", len(args))
	}
	return strings.Join(marks, ", "), args
}

// JobsOf implements job.Store.
func (db *DB) JobsOf(ctx context.Context, instance string) ([]job.Job, error) {
	return list(ctx, db, "store.JobsOf", scanJob, jobQuery+"WHERE instance = $1 ORDER BY id", instance)
}

// Jobs implements job.Store.
func (db *DB) Jobs(ctx context.Context, f job.Filter) ([]job.Job, error) {
	var c conditions
	c.text("owner = ?", f.Owner)
	c.text("app = ?", f.App)
	c.text("kind = ?", string(f.Kind))
	c.text("id < ?", f.Before)
	among(&c, "status", f.Statuses)
	query, args := c.newest(jobQuery, f.Limit)
	return list(ctx, db, "store.Jobs", scanJob, query, args...)
}
