package local

import (
	"os"
	"path/filepath"
	"slices"
)

// keepJobs is how many of the newest jobs keep their folders, each with a log of
// at most a few MiB; what the portal itself knows of a job is in its database.
const keepJobs = 1000

// pruneEvery is after how many starts of jobs old folders are removed again.
const pruneEvery = 100

// tidy prunes now and then; that it fails harms nobody.
func (r *Runner) tidy() {
	if r.starts.Add(1)%pruneEvery != 1 {
		return
	}
	if err := r.prune(keepJobs); err != nil {
		r.cfg.Logger.Warn("the folders of old jobs could not be removed", "err", err)
	}
}

// prune removes the folders of ended jobs beyond the newest keep. IDs sort by
// the time they were made.
func (r *Runner) prune(keep int) error {
	entries, err := os.ReadDir(filepath.Join(r.cfg.Data, "jobs"))
	if err != nil {
		return err
	}
	var ended []string
	for _, e := range entries {
		f := folder(filepath.Join(r.cfg.Data, "jobs", e.Name()))
		if validID(e.Name()) && f.has(resultFile) && !f.held() {
			ended = append(ended, string(f))
		}
	}
	slices.Sort(ended)
	for len(ended) > keep {
		if err := os.RemoveAll(ended[0]); err != nil {
			return err
		}
		ended = ended[1:]
	}
	return nil
}
