package local

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// ownStart is how long a job's own provider may take to answer before the job
// goes on without it.
const ownStart = 2 * time.Second

// ownProvider is a provider that serves one job alone. The tool would start a
// provider four times in each run; it finds this one running.
type ownProvider struct {
	*child
	ready chan error // gets one value
	ended bool
}

// startProvider starts the job's own provider beside what else is to be done,
// once, when the bundle allows it. The job does not depend on it.
func (s *supervisor) startProvider(ready string) {
	if s.plan.Reattach != "" || s.spec.BuiltIn || s.own != nil {
		return
	}
	binary := soleProvider(ready)
	if binary == "" {
		return
	}
	w := &warm{Binary: binary, Docker: s.plan.Docker, Folder: filepath.Join(os.TempDir(), providerFolder+filepath.Base(string(s.f)))}
	// The provider finds a bundle's files where the tool does.
	work := s.f.path(workFolder)
	if os.MkdirAll(work, 0o700) != nil {
		return
	}
	// Stored first: the folder is found also when this process ends right here.
	if writeJSON(s.f.path(providerFile), w, false) != nil || os.Mkdir(w.Folder, 0o700) != nil {
		return
	}
	c, err := w.spawn(s.f.path(providerFile), work, s.environment(false))
	if err != nil {
		w.removeFolder()
		return
	}
	s.own = &ownProvider{child: c, ready: make(chan error, 1)}
	go func() { s.own.ready <- c.answer(ownStart) }()
}

// useProvider waits until the job's own provider answers and has the tool use
// it.
func (s *supervisor) useProvider(ctx context.Context) {
	if s.own == nil || s.own.ended {
		return
	}
	select {
	case err := <-s.own.ready:
		if err == nil {
			s.plan.Reattach = s.own.value()
			return
		}
		s.log.say("The Docker provider could not be started beforehand; " + s.toolName() + " starts it.")
	case <-ctx.Done():
	}
	s.endProvider()
}

// endProvider ends the job's own provider, when there is one, as the tool would
// end its own: nothing is asked of it any more.
func (s *supervisor) endProvider() {
	if s.own == nil || s.own.ended {
		return
	}
	s.own.ended, s.plan.Reattach = true, ""
	s.own.kill()
	s.own.removeFolder()
	_ = os.Remove(s.f.path(providerFile))
}

// endProvider ends the provider of a job that has lost its supervisor. It is
// killed, because the tool has ended by now.
func (f folder) endProvider() error {
	var w warm
	if ok, err := readJSON(f.path(providerFile), &w); err != nil || !ok {
		return wrap("local.Wait", err)
	}
	if w.Process.alive() {
		// Without a limit: it takes no time, and a new job must not meet it.
		gone, err := exited(context.Background(), w.Process)
		if err != nil {
			return wrap("local.Wait", err)
		}
		_ = unix.Kill(-w.Process.PID, unix.SIGKILL)
		<-gone
	}
	w.removeFolder()
	return wrap("local.Wait", os.Remove(f.path(providerFile)))
}
