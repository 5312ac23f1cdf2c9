package tfstate

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/job"
)

// Prefix is the path under which the backend answers; the instance's ID follows.
const Prefix = "/tfstate/"

// Events is the log that the backend appends to; *event.Log is one.
type Events interface {
	Append(ctx context.Context, events ...*event.Event) error
}

// Jobs tells of jobs; every job.Store does.
type Jobs interface {
	// Job returns one job, or NotFound.
	Job(ctx context.Context, id string) (job.Job, error)
}

// Config is what a Backend is made of. Store, Tx, Jobs, Events and Key are
// required.
type Config struct {
	Store  job.StateStore
	Tx     iap.Transactor
	Jobs   Jobs
	Events Events
	// Key is the secret, at least 32 bytes, from which the passwords and the
	// keys of the stored states are derived. With another key the stored states
	// cannot be read any more.
	Key []byte

	// BeforeGet is called before a living job is given its state; its error is
	// the answer. Nil: nothing is called.
	BeforeGet func(ctx context.Context, j job.Job) error

	Keep    int              // versions kept of each state; 0: 10
	MaxSize int64            // of a state, in bytes; 0: 64 MiB
	Now     func() time.Time // nil: time.Now
	Logger  *slog.Logger     // nil: slog.Default()
	// Failpoint is called with the name of the place before and after each
	// commit. Nil: nothing is called.
	Failpoint func(name string)
}

// Backend is the HTTP handler of Prefix.
type Backend struct{ cfg Config }

// New returns a Backend; Invalid when the key is too short.
func New(cfg Config) (*Backend, error) {
	if len(cfg.Key) < 32 {
		return nil, iap.FieldErrorf("tfstate.New", "key", "it has %d bytes; at least 32 are needed", len(cfg.Key))
	}
	if cfg.Keep <= 0 {
		cfg.Keep = 10
	}
	if cfg.MaxSize <= 0 {
		cfg.MaxSize = 64 << 20
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Failpoint == nil {
		cfg.Failpoint = func(string) {}
	}
	return &Backend{cfg: cfg}, nil
}

// Sweep releases the locks of jobs that have ended; it is called when the
// portal starts.
func (b *Backend) Sweep(ctx context.Context) error {
	return b.update(ctx, "sweep", func(ctx context.Context) error {
		locks, err := b.cfg.Store.Locks(ctx)
		if err != nil {
			return err
		}
		for _, l := range locks {
			if err := b.releaseDead(ctx, l); err != nil && !errors.Is(err, errAlive) {
				return err
			}
		}
		return nil
	})
}

func (b *Backend) update(ctx context.Context, what string, fn func(context.Context) error) error {
	b.cfg.Failpoint("tfstate." + what + ".before")
	err := b.cfg.Tx.Update(ctx, fn)
	b.cfg.Failpoint("tfstate." + what + ".after")
	return err
}

// request is an authenticated request.
type request struct {
	instance string
	job      job.Job
	body     []byte
	lockID   string // ?ID=
}

var nameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)

// ServeHTTP answers GET, POST, DELETE, LOCK and UNLOCK.
func (b *Backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	do := map[string]func(context.Context, request) (answer, error){
		http.MethodGet: b.get, http.MethodPost: b.post, http.MethodDelete: b.delete,
		"LOCK": b.lock, "UNLOCK": b.unlock,
	}[r.Method]
	if do == nil {
		w.Header().Set("Allow", "GET, POST, DELETE, LOCK, UNLOCK")
		http.Error(w, "the method must be GET, POST, DELETE, LOCK or UNLOCK", http.StatusMethodNotAllowed)
		return
	}
	req, err := b.authenticate(r)
	if err == nil {
		req.body, err = b.read(w, r)
	}
	var a answer
	if err == nil {
		a, err = do(r.Context(), req)
	}
	if err != nil {
		b.refuse(w, r, err)
		return
	}
	a.write(w)
}

// authenticate finds out whose request it is; the job must live.
func (b *Backend) authenticate(r *http.Request) (request, error) {
	const op = "tfstate.authenticate"
	refused := iap.Errorf(op, iap.Unauthenticated, "the user name must be a job's ID and the password that job's")
	instance, ok := strings.CutPrefix(r.URL.Path, Prefix)
	id, password, basic := r.BasicAuth()
	if !ok || !basic || !nameForm.MatchString(instance) || !nameForm.MatchString(id) ||
		!checkPassword(b.cfg.Key, instance, id, password) {
		return request{}, refused
	}
	j, err := b.cfg.Jobs.Job(r.Context(), id)
	switch {
	case iap.IsKind(err, iap.NotFound):
		return request{}, refused
	case err != nil:
		return request{}, err
	case j.Instance != instance:
		return request{}, refused
	case j.Status.Ended():
		return request{}, iap.Errorf(op, iap.Forbidden, "the job has ended; its password is no longer valid")
	}
	return request{instance: instance, job: j, lockID: r.URL.Query().Get("ID")}, nil
}
