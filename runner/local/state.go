package local

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// stateRescue is how long a supervisor tries to hand over a state that tofu
// could not, because the portal was down.
const stateRescue = 10 * time.Minute

// noState reports whether the instance certainly has no state, so that there is
// nothing to destroy. Any doubt is a no.
func (s *supervisor) noState(ctx context.Context) bool {
	if s.spec.State.Address == "" {
		return false
	}
	code, err := s.askState(ctx, http.MethodGet, nil)
	return err == nil && (code == http.StatusNotFound || code == http.StatusNoContent)
}

func (s *supervisor) askState(ctx context.Context, method string, body []byte) (code int, err error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, s.spec.State.Address, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.SetBasicAuth(s.spec.State.Username, s.spec.State.Password)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<20))
	return res.StatusCode, nil
}

// rescueState hands over the state that tofu wrote to a file when it could not
// store it. Without it the portal would not know what was made. done is false
// when there is no such state.
func (s *supervisor) rescueState(ctx context.Context) (done bool, err error) {
	file := filepath.Join(s.f.path(workFolder), "errored.tfstate")
	state, err := os.ReadFile(file)
	if err != nil {
		return false, nil
	}
	s.log.say("The state could not be stored; trying until the portal takes it.")
	// A job that was told to stop must hand it over, too.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stateRescue)
	defer cancel()
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		code, err := s.askState(ctx, http.MethodPost, state)
		switch {
		case err == nil && code < 300:
			s.log.say("The state is stored.")
			return true, os.Remove(file)
		case err == nil && code < 500 && code != http.StatusTooManyRequests:
			return false, fmt.Errorf("the portal refused the state with %d %s", code, http.StatusText(code))
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return false, fmt.Errorf("the portal did not take the state within %s", stateRescue)
		}
	}
}
