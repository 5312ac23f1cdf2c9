package store

import (
	"context"
	"slices"
)

// readySample is how many instances of an app the median is taken of.
const readySample = 20

// ReadySeconds implements instance.Store.
func (db *DB) ReadySeconds(ctx context.Context) (map[string]float64, error) {
	const op = "store.ReadySeconds"
	// Goes from one app to the next in the index, whatever the number of
	// instances.
	apps, err := list(ctx, db, op, scalar[string], `WITH RECURSIVE next (app) AS (
			SELECT min(app) FROM instance WHERE ready_at > 0
			UNION ALL
			SELECT (SELECT min(i.app) FROM instance i WHERE i.ready_at > 0 AND i.app > next.app)
			FROM next WHERE next.app IS NOT NULL)
		SELECT app FROM next WHERE app IS NOT NULL`)
	if err != nil {
		return nil, err
	}
	out := make(map[string]float64, len(apps))
	for _, app := range apps {
		times, err := list(ctx, db, op, scalar[int64], `SELECT ready_at - created_at FROM instance
			WHERE app = $1 AND ready_at > 0 ORDER BY ready_at DESC LIMIT $2`, app, readySample)
		if err != nil {
			return nil, err
		}
		if len(times) > 0 {
			out[app] = median(times) / 1000
		}
	}
	return out, nil
}

func median(vs []int64) float64 {
	slices.Sort(vs)
	n := len(vs)
	return float64(vs[(n-1)/2]+vs[n/2]) / 2
}
