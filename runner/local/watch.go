package local

import (
	"path/filepath"
	"sync"

	"github.com/fsnotify/fsnotify"
)

// watcher tells of changes in folders. One for the whole Runner, because the
// kernel allows a user few of them.
type watcher struct {
	fs   *fsnotify.Watcher
	done sync.WaitGroup

	mu      sync.Mutex
	members map[string]map[chan struct{}]bool // folder → those who are told
}

func newWatcher() (*watcher, error) {
	fs, err := fsnotify.NewBufferedWatcher(256)
	if err != nil {
		return nil, err
	}
	w := &watcher{fs: fs, members: map[string]map[chan struct{}]bool{}}
	w.done.Go(w.run)
	return w, nil
}

func (w *watcher) run() {
	for {
		select {
		case e, ok := <-w.fs.Events:
			if !ok {
				return
			}
			w.tell(filepath.Dir(e.Name))
			w.tell(e.Name) // the folder itself was removed
		case _, ok := <-w.fs.Errors:
			if !ok {
				return
			}
			w.tellAll() // events were lost
		}
	}
}

// join returns a channel that gets a value after one or more changes in dir,
// and a function that ends this. A change after join returned is never missed.
func (w *watcher) join(dir string) (changes <-chan struct{}, leave func(), err error) {
	c := make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.members[dir] == nil {
		if err := w.fs.Add(dir); err != nil {
			return nil, nil, err
		}
		w.members[dir] = map[chan struct{}]bool{}
	}
	w.members[dir][c] = true
	return c, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.members[dir], c)
		if len(w.members[dir]) == 0 {
			delete(w.members, dir)
			_ = w.fs.Remove(dir) // it may be gone
		}
	}, nil
}

func (w *watcher) tell(dir string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.members[dir] {
		poke(c)
	}
}

func (w *watcher) tellAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range w.members {
		for c := range m {
			poke(c)
		}
	}
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (w *watcher) close() error {
	err := w.fs.Close()
	w.done.Wait()
	return err
}
