package jsonata

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/internal-app-portal/iap/asl/value"
)

// Config bounds what evaluations may use. Zero values mean the defaults.
type Config struct {
	// Machines is how many evaluations run in the engine at once: as many as
	// there are processors. More wait.
	Machines int
	// MemoryBytes is how much memory a machine may have: 64 MiB.
	MemoryBytes int64
	// Timeout is how long one evaluation may take: two seconds.
	Timeout time.Duration
	// Idle is how long a machine is kept that nobody uses: one minute.
	Idle time.Duration
}

// maxUses is after how many evaluations a machine gives way to a new one, so that
// what a machine gathers does not stay for ever.
const maxUses = 100_000

// Pool evaluates expressions. Machines are made when they are needed and
// dropped when nobody has used them for a while. All methods may be called by
// several goroutines at once.
type Pool struct {
	cfg   Config
	slots chan struct{}
	// code gives the compiled evaluator; it is made once.
	code func() ([][]byte, error)

	mu     sync.Mutex
	idle   []parked // the one used last comes last
	timer  *time.Timer
	closed bool
}

type parked struct {
	m     *machine
	uses  int
	since time.Time
}

// NewPool makes a pool without machines.
func NewPool(cfg Config) *Pool {
	if cfg.Machines <= 0 {
		cfg.Machines = runtime.GOMAXPROCS(0)
	}
	if cfg.MemoryBytes <= 0 {
		cfg.MemoryBytes = 64 << 20
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = 2 * time.Second
	}
	if cfg.Idle <= 0 {
		cfg.Idle = time.Minute
	}
	return &Pool{cfg: cfg, slots: make(chan struct{}, cfg.Machines), code: sync.OnceValues(compileSources)}
}

// Close drops the machines; evaluations under way end first, later ones get
// ErrClosed.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	idle := p.idle
	p.idle = nil
	if p.timer != nil {
		p.timer.Stop()
	}
	p.mu.Unlock()
	for _, k := range idle {
		k.m.close()
	}
	for range cap(p.slots) { // who has a slot drops his machine himself
		p.slots <- struct{}{}
	}
	for range cap(p.slots) {
		<-p.slots
	}
}

// Eval evaluates an expression. The error is ErrNothing, ErrUnsupported,
// ErrClosed or an *Error.
func (p *Pool) Eval(e *Expr, env Env) (value.Value, error) {
	if e.quick {
		if v, ok := (fast{env}).eval(e.root); ok {
			if v = plain(v); v == (nothing{}) {
				return nil, ErrNothing
			}
			return v, nil
		}
	}
	return p.engine(e, env)
}

// engine evaluates in a machine.
func (p *Pool) engine(e *Expr, env Env) (value.Value, error) {
	p.slots <- struct{}{}
	defer func() { <-p.slots }()
	k, err := p.take()
	if err != nil {
		return nil, err
	}
	v, err := k.m.eval(e, env)
	k.uses++
	var failed *Error
	if errors.As(err, &failed) && (failed.IsLimit() || failed.Code == CodeEngine) || k.uses >= maxUses {
		// What an interruption left behind in a machine nobody knows.
		k.m.close()
		return v, err
	}
	p.park(k)
	return v, err
}

// take gives the machine used last, or a new one.
func (p *Pool) take() (parked, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return parked{}, ErrClosed
	}
	if n := len(p.idle); n > 0 {
		k := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return k, nil
	}
	p.mu.Unlock()
	code, err := p.code()
	if err != nil {
		return parked{}, fmt.Errorf("jsonata: compiling the evaluator: %w", err)
	}
	m, err := newMachine(p.cfg, code)
	return parked{m: m}, err
}

// park keeps a machine for the next evaluation.
func (p *Pool) park(k parked) {
	k.since = time.Now()
	p.mu.Lock()
	closed := p.closed
	if !closed {
		p.idle = append(p.idle, k)
		if len(p.idle) == 1 {
			p.watch()
		}
	}
	p.mu.Unlock()
	if closed {
		k.m.close()
	}
}

// watch has the idle machines looked through when the first may be dropped.
// The caller holds the lock.
func (p *Pool) watch() {
	if p.timer == nil {
		p.timer = time.AfterFunc(p.cfg.Idle, p.sweep)
	} else {
		p.timer.Reset(p.cfg.Idle)
	}
}

// sweep drops machines that nobody has used for a while.
func (p *Pool) sweep() {
	p.mu.Lock()
	before := time.Now().Add(-p.cfg.Idle)
	n := 0
	for n < len(p.idle) && !p.idle[n].since.After(before) {
		n++
	}
	old := append([]parked(nil), p.idle[:n]...)
	p.idle = append(p.idle[:0:0], p.idle[n:]...)
	if len(p.idle) > 0 && !p.closed {
		p.watch()
	}
	p.mu.Unlock()
	for _, k := range old {
		k.m.close()
	}
}

// Idle is how many machines wait for work.
func (p *Pool) Idle() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.idle)
}
