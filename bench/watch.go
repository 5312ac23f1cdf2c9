package main

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/internal-app-portal/iap/client"
)

// change is a status of an instance as the portal's stream told it.
type change struct {
	instance client.Instance
	at       time.Time // of the event: taken just before its commit
	heard    time.Time // when it arrived here
}

// watcher follows a portal's stream and keeps the changes of every instance.
type watcher struct {
	stop context.CancelFunc
	done chan error

	mu      sync.Mutex
	changes map[string][]change // by instance
	news    chan struct{}       // closed by each change
}

// watch follows p until stop is called; it returns when the stream is open.
func (p *portal) watch(ctx context.Context) (*watcher, error) {
	ctx, stop := context.WithCancel(ctx)
	w := &watcher{stop: stop, done: make(chan error, 1), changes: map[string][]change{}, news: make(chan struct{})}
	opened := make(chan struct{})
	var once sync.Once
	go func() {
		w.done <- p.Follow(ctx, client.Follow{All: true, Event: w.take,
			Opened: func() error { once.Do(func() { close(opened) }); return nil }})
	}()
	select {
	case <-opened:
		return w, nil
	case err := <-w.done:
		stop()
		return nil, fmt.Errorf("the portal's stream: %w", err)
	}
}

func (w *watcher) close() {
	w.stop()
	<-w.done
}

func (w *watcher) take(e client.Event) error {
	if e.Type != client.InstanceChanged {
		return nil
	}
	c := change{at: e.Time, heard: time.Now()}
	if err := json.Unmarshal(e.Data, &c.instance); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.changes[c.instance.ID] = append(w.changes[c.instance.ID], c)
	close(w.news)
	w.news = make(chan struct{})
	return nil
}

// of returns the changes of an instance so far.
func (w *watcher) of(id string) []change {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.changes[id]
}

// until waits for an instance to have the status; its life ending otherwise is
// an error with the portal's reason.
func (w *watcher) until(ctx context.Context, id, status string) (client.Instance, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	seen := 0
	for {
		w.mu.Lock()
		all, news := w.changes[id], w.news
		w.mu.Unlock()
		for ; seen < len(all); seen++ {
			i := all[seen].instance
			switch {
			case i.Status == status:
				return i, nil
			case i.Ended():
				return i, fmt.Errorf("%s is %s instead of %s: %s", i.HostName, i.Status, status, i.Reason)
			}
		}
		select {
		case <-news:
		case <-ctx.Done():
			return client.Instance{}, fmt.Errorf("instance %s is not %s in time: %w", id, status, context.Cause(ctx))
		}
	}
}
