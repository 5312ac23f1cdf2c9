package local

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/internal-app-portal/iap/job"
)

const (
	// sparesFolder is where in the data folder spare supervisors wait.
	sparesFolder = "spares"
	// sparePause is how long no job was at work before a new spare is started: it
	// would take from the engine, which begins a container, and from the first page
	// what these need of the processor.
	sparePause = 300 * time.Millisecond
	// spareLatest is how long after the start of the last job a new spare is
	// started even though jobs are at work: one that takes minutes is no reason
	// for the next to go without.
	spareLatest = 5 * time.Second
	// spareIdle is how long a spare waits for a job before it ends, because its
	// tool holds some 70 MB.
	spareIdle = 15 * time.Minute
)

// sparable reports whether a spare supervisor may do a job: an apply of a
// built-in bundle with the provider that is kept running.
func (p plan) sparable() bool {
	return p.Spec.BuiltIn && p.Spec.Kind == job.Apply && p.Reattach != "" && len(p.Spec.Environment) == 0
}

// withoutJob returns what two jobs must have in common to use the same spare.
func (p plan) withoutJob() plan {
	p.Spec = job.Spec{Kind: p.Spec.Kind, BuiltIn: p.Spec.BuiltIn}
	return p
}

// spares keeps at most one supervisor that waits for a job. It holds nothing
// that would have to be found again: a spare whose portal dies ends by itself.
type spares struct {
	dir    string
	logger *slog.Logger

	renewing sync.Mutex // held by the one who starts a spare

	mu       sync.Mutex
	current  *spare
	want     plan
	working  int // supervisors at work that this process started
	timer    *time.Timer
	idle     *time.Timer
	stopping bool
	work     sync.WaitGroup
}

// spare is a supervisor that waits.
type spare struct {
	folder folder
	key    string
	orders *os.File
	ready  chan struct{} // closed when it waits for a job
	taken  chan struct{} // closed when the job counts as started
	gone   chan struct{} // closed when it has ended and was reaped
}

// newSpares removes what spares that were killed left in dir.
func newSpares(dir string, logger *slog.Logger) *spares {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if f := folder(filepath.Join(dir, e.Name())); !f.held() {
			_ = os.RemoveAll(string(f))
		}
	}
	return &spares{dir: dir, logger: logger}
}

func spareKey(p plan) string {
	b, _ := json.Marshal(p.withoutJob())
	return string(b)
}

// give hands a job to the spare, when there is one that fits: its folder
// becomes the job's.
func (s *spares) give(f folder, p plan) bool {
	s.mu.Lock()
	sp := s.current
	s.current = nil
	s.mu.Unlock()
	if sp == nil {
		return false
	}
	if sp.key != spareKey(p) || !isClosed(sp.ready) || isClosed(sp.gone) {
		sp.end()
		return false
	}
	// The plan is in the folder before that is the job's: a job that has a
	// folder can always be started.
	if writeJSON(sp.folder.path(specFile), p, false) != nil || os.Rename(string(sp.folder), string(f)) != nil {
		sp.end()
		return false
	}
	_ = json.NewEncoder(sp.orders).Encode(spareOrder{Folder: string(f)})
	sp.orders.Close()
	select {
	case <-sp.taken:
		s.begun()
		go func() {
			<-sp.gone
			s.ended()
		}()
		return true
	case <-sp.gone:
	}
	if f.has(pidFile) { // who waits for the job finds out how it went
		return true
	}
	_ = os.RemoveAll(string(f)) // it ended before it began
	return false
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// end has the spare end and waits for that.
func (sp *spare) end() {
	sp.orders.Close()
	<-sp.gone
}

// later has a spare for such jobs started when none is at work for a moment.
func (s *spares) later(p plan) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return
	}
	s.want = p.withoutJob()
	if s.timer == nil {
		s.timer = time.AfterFunc(s.pause(), s.renew)
		s.idle = time.AfterFunc(spareIdle, s.drop)
		return
	}
	s.timer.Reset(s.pause())
	s.idle.Reset(spareIdle)
}

// pause is how long it is until a new spare is started.
func (s *spares) pause() time.Duration {
	if s.working > 0 {
		return spareLatest
	}
	return sparePause
}

// begun notes that a supervisor is at work until ended is called.
func (s *spares) begun() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.working++
	s.delay()
}

// ended notes that a supervisor is not at work any more.
func (s *spares) ended() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.working--
	s.delay()
}

// delay puts off a new spare that has not been started yet.
func (s *spares) delay() {
	if s.timer != nil && !s.stopping && s.timer.Stop() {
		s.timer.Reset(s.pause())
	}
}

// now starts a spare for such jobs and waits until it is ready, or has ended.
func (s *spares) now(ctx context.Context, p plan) {
	s.later(p)
	s.renew()
	s.mu.Lock()
	sp := s.current
	s.mu.Unlock()
	if sp == nil {
		return
	}
	select {
	case <-sp.ready:
	case <-sp.gone:
	case <-ctx.Done():
	}
}

// renew starts a spare unless there is one.
func (s *spares) renew() {
	s.renewing.Lock()
	defer s.renewing.Unlock()
	s.mu.Lock()
	if s.stopping || s.current != nil && !isClosed(s.current.gone) && s.current.key == spareKey(s.want) {
		s.mu.Unlock()
		return
	}
	old, want := s.current, s.want
	s.current = nil
	s.work.Add(1)
	s.mu.Unlock()
	defer s.work.Done()
	if old != nil {
		old.end()
	}
	sp, err := s.start(want)
	if err != nil {
		s.logger.Warn("no job can be prepared beforehand; jobs take a little longer", "error", err)
		return
	}
	s.mu.Lock()
	if !s.stopping {
		s.current, sp = sp, nil
	}
	s.mu.Unlock()
	if sp != nil {
		sp.end()
	}
}

// drop ends the spare.
func (s *spares) drop() {
	s.mu.Lock()
	sp := s.current
	s.current = nil
	s.mu.Unlock()
	if sp != nil {
		sp.end()
	}
}

// stop ends the spare for good.
func (s *spares) stop() {
	s.mu.Lock()
	s.stopping = true
	if s.timer != nil {
		s.timer.Stop()
		s.idle.Stop()
	}
	s.mu.Unlock()
	s.work.Wait()
	s.drop()
}

// start starts a supervisor in a folder of its own.
func (s *spares) start(p plan) (*spare, error) {
	dir, err := os.MkdirTemp(s.dir, "")
	if err != nil {
		return nil, err
	}
	f := folder(dir)
	sp, err := startSpare(f, p)
	if err != nil {
		_ = os.RemoveAll(dir)
	}
	return sp, err
}

func startSpare(f folder, p plan) (*spare, error) {
	if err := writeJSON(f.path(spareFile), p, false); err != nil {
		return nil, err
	}
	lock, _, err := f.lock()
	if err != nil {
		return nil, err
	}
	defer lock.Close() // the supervisor has it, too
	cmd, out, err := supervisorOf(f, lock)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	in, orders, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	ready, readyEnd, err := os.Pipe()
	if err != nil {
		orders.Close()
		return nil, err
	}
	defer readyEnd.Close()
	cmd.Stdin = in
	cmd.ExtraFiles = append(cmd.ExtraFiles, readyEnd) // file 4
	if err := cmd.Start(); err != nil {
		orders.Close()
		ready.Close()
		return nil, err
	}
	sp := &spare{folder: f, key: spareKey(p), orders: orders, ready: make(chan struct{}),
		taken: make(chan struct{}), gone: make(chan struct{})}
	go sp.listen(ready)
	go func() {
		defer close(sp.gone)
		_ = cmd.Wait() // the job's result says how it went
	}()
	return sp, nil
}

// listen reads what the supervisor says: a byte when it waits for a job, another
// when it has one.
func (sp *spare) listen(in *os.File) {
	defer in.Close()
	for _, said := range []chan struct{}{sp.ready, sp.taken} {
		if n, _ := in.Read(make([]byte, 1)); n != 1 {
			return
		}
		close(said)
	}
}

// spareOrder is what a spare supervisor reads: one of them, or the end of the
// file when its portal has no job for it any more.
type spareOrder struct {
	Folder string `json:"folder"` // of the job, once the spare's own
}

func readOrder(in io.Reader) (spareOrder, error) {
	var o spareOrder
	err := json.NewDecoder(in).Decode(&o)
	return o, err
}
