package event

import (
	"context"
	"log/slog"
	"time"
)

// Keep says how long events are kept: those that are older, or have more than so
// many after them, are deleted, from the oldest on. 0: no bound.
type Keep struct {
	Age   time.Duration `yaml:"age"`
	Count int64         `yaml:"count"`
}

// The bounds where the configuration sets none.
const (
	DefaultKeepAge   = 90 * 24 * time.Hour
	DefaultKeepCount = 2_000_000
)

// Kept returns how long events are kept.
func (s Settings) Kept() Keep {
	if s.Keep == nil {
		return Keep{Age: DefaultKeepAge, Count: DefaultKeepCount}
	}
	return *s.Keep
}

// KeepStore deletes events.
type KeepStore interface {
	// PruneEvents deletes the oldest events, at most limit at once, with their
	// deliveries: those told before a time, and those that have more than count after
	// them; 0 and the zero time: no bound. Up to the first event that was not matched
	// with the rules, or of which a delivery waits or is a dead letter, and no
	// further. It returns how many it deleted.
	PruneEvents(ctx context.Context, before time.Time, count int64, limit int) (int, error)
	// OldestEventNumber returns the number of the oldest event that is kept; of the
	// next one when none is.
	OldestEventNumber(ctx context.Context) (int64, error)
}

// Keeper deletes events that need not be kept any more.
type Keeper struct {
	Store  KeepStore
	Keep   Keep
	Now    func() time.Time
	Logger *slog.Logger

	cancel context.CancelFunc
	done   chan struct{}
}

const (
	pruneEvery   = time.Hour
	pruneAtATime = 500 // so that nobody waits long for the database
)

// Start begins to delete, now and every hour.
func (k *Keeper) Start(ctx context.Context) error {
	ctx, k.cancel = context.WithCancel(context.WithoutCancel(ctx))
	k.done = make(chan struct{})
	go k.run(ctx)
	return nil
}

// Stop ends it and waits.
func (k *Keeper) Stop(context.Context) error {
	if k.cancel != nil {
		k.cancel()
		<-k.done
	}
	return nil
}

func (k *Keeper) run(ctx context.Context) {
	defer close(k.done)
	tick := time.NewTicker(pruneEvery)
	defer tick.Stop()
	for {
		if n, err := k.Prune(ctx); err != nil && ctx.Err() == nil {
			k.Logger.Warn("old events could not be deleted; trying again in an hour", "err", err)
		} else if n > 0 {
			k.Logger.Info("old events were deleted", "events", n)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Prune deletes all that need not be kept now, and returns how many events it were.
func (k *Keeper) Prune(ctx context.Context) (total int, err error) {
	var before time.Time
	if k.Keep.Age > 0 {
		before = k.Now().Add(-k.Keep.Age)
	}
	for {
		n, err := k.Store.PruneEvents(ctx, before, k.Keep.Count, pruneAtATime)
		total += n
		if err != nil || n < pruneAtATime {
			return total, err
		}
	}
}
