package store

import (
	"context"
	"math"

	"github.com/internal-app-portal/iap/instance"
)

const sweepQuery = "SELECT execution, started_at, finished_at, report FROM sweep "

func scanSweep(scan scanner) (s instance.Sweep, err error) {
	var execution, report string
	var started, finished int64
	if err := scan(&execution, &started, &finished, &report); err != nil {
		return s, err
	}
	err = read(report, &s)
	s.Execution, s.StartedAt, s.FinishedAt = execution, at(started), at(finished)
	return s, err
}

// PutSweep implements instance.SweepStore.
func (db *DB) PutSweep(ctx context.Context, s instance.Sweep) error {
	s.Results = nil
	report, err := text(s)
	if err != nil {
		return err
	}
	_, err = db.exec(ctx, "store.PutSweep", `INSERT INTO sweep (execution, started_at, finished_at, report) VALUES ($1, $2, $3, $4)
		ON CONFLICT (execution) DO UPDATE SET started_at = excluded.started_at, finished_at = excluded.finished_at, report = excluded.report`,
		s.Execution, ms(s.StartedAt), ms(s.FinishedAt), report)
	return err
}

// PutSweepResults implements instance.SweepStore.
func (db *DB) PutSweepResults(ctx context.Context, execution string, results []instance.SweepResult) error {
	return db.Update(ctx, func(ctx context.Context) error {
		for _, r := range results {
			t, err := text(r)
			if err != nil {
				return err
			}
			_, err = db.exec(ctx, "store.PutSweepResults", `INSERT INTO sweep_result (execution, instance, outcome, result)
				VALUES ($1, $2, $3, $4) ON CONFLICT (execution, instance) DO UPDATE SET outcome = excluded.outcome, result = excluded.result`,
				execution, r.Instance, string(r.Outcome), t)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Sweep implements instance.SweepStore.
func (db *DB) Sweep(ctx context.Context, execution string) (instance.Sweep, error) {
	return one(ctx, db, "store.Sweep", scanSweep, sweepQuery+"WHERE execution = $1", execution)
}

// Sweeps implements instance.SweepStore.
func (db *DB) Sweeps(ctx context.Context, limit int) ([]instance.Sweep, error) {
	return list(ctx, db, "store.Sweeps", scanSweep, sweepQuery+"ORDER BY started_at DESC, execution DESC LIMIT $1", limit)
}

func scanSweepResult(scan scanner) (r instance.SweepResult, err error) {
	var t string
	if err := scan(&t); err != nil {
		return r, err
	}
	return r, read(t, &r)
}

// SweepResults implements instance.SweepStore.
func (db *DB) SweepResults(ctx context.Context, execution string, limit int) ([]instance.SweepResult, error) {
	return list(ctx, db, "store.SweepResults", scanSweepResult, `SELECT result FROM sweep_result WHERE execution = $1
		ORDER BY CASE outcome WHEN 'failed' THEN 0 WHEN 'kept' THEN 1 ELSE 2 END, instance LIMIT $2`, execution, limit)
}

// SweepTotals implements instance.SweepStore.
func (db *DB) SweepTotals(ctx context.Context, execution string) (instance.Sweep, error) {
	s := instance.Sweep{Execution: execution}
	all, err := db.SweepResults(ctx, execution, math.MaxInt32)
	for _, r := range all {
		switch r.Outcome {
		case instance.SweptDestroyed:
			s.Destroyed++
		case instance.SweptKept:
			s.Kept++
		default:
			s.Failed++
		}
		s.HoursSaved += r.HoursSaved
		s.MoneySaved += r.MoneySaved
		if r.WaitedSeconds > s.WaitedSeconds {
			s.WaitedFor, s.WaitedSeconds = r.WaitedFor, r.WaitedSeconds
		}
	}
	s.HoursSaved, s.MoneySaved = math.Round(s.HoursSaved*100)/100, math.Round(s.MoneySaved*100)/100
	return s, err
}
