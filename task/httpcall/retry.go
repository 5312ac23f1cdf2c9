package httpcall

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/workflow"
)

// retry says which answers are tried again.
type retry struct {
	StatusCodes     []int
	MaxAttempts     *int
	IntervalSeconds *float64
}

func (r *retry) check() error {
	if r == nil {
		return nil
	}
	for _, code := range r.StatusCodes {
		if code < 300 || code > 599 {
			return iap.FieldErrorf("", "Retry.StatusCodes", "%d is not a status from 300 to 599", code)
		}
	}
	if n := r.MaxAttempts; n != nil && (*n < 0 || *n > 10) {
		return iap.FieldErrorf("", "Retry.MaxAttempts", "%d is not between 0 and 10", *n)
	}
	if s := r.IntervalSeconds; s != nil && (*s < 0 || *s > maxTimeout.Seconds()) {
		return iap.FieldErrorf("", "Retry.IntervalSeconds", "%v is not between 0 and %d", *s, int(maxTimeout.Seconds()))
	}
	return nil
}

// attempts is how often is tried after the first.
func (r *retry) attempts(status int) int {
	switch {
	case r == nil || !slices.Contains(r.StatusCodes, status):
		return 0
	case r.MaxAttempts == nil:
		return 3
	}
	return *r.MaxAttempts
}

func (r *retry) interval() time.Duration {
	if r.IntervalSeconds == nil {
		return time.Second
	}
	return time.Duration(*r.IntervalSeconds * float64(time.Second))
}

// tries sends the request until the answer is none that is tried again.
func (c *Caller) tries(ctx context.Context, client *http.Client, r *request, again *retry) (json.RawMessage, error) {
	for n := 0; ; n++ {
		a, err := c.once(ctx, client, r)
		if err != nil {
			return nil, err
		}
		if a.StatusCode < 300 {
			return json.Marshal(a)
		}
		if n >= again.attempts(a.StatusCode) {
			return nil, a.failure()
		}
		pause := c.pause(a.retryAfter, again.interval()<<n)
		if end, ok := ctx.Deadline(); ok && time.Now().Add(pause).After(end) {
			return nil, a.failure() // there is no time left for another
		}
		if err := c.Sleep(ctx, pause); err != nil {
			return nil, a.failure()
		}
	}
}

// pause is what an answer asks for (RFC 9110, 10.2.3), or otherwise.
func (c *Caller) pause(retryAfter string, otherwise time.Duration) time.Duration {
	if n, err := strconv.Atoi(strings.TrimSpace(retryAfter)); err == nil && n >= 0 {
		return time.Duration(min(n, 1<<20)) * time.Second
	}
	if at, err := http.ParseTime(retryAfter); err == nil {
		return max(at.Sub(c.Now()), 0)
	}
	return otherwise
}

// maxCause is how much of an answer's body a cause holds, in bytes.
const maxCause = 2000

func (a answer) failure() error {
	text := string(a.ResponseBody)
	if len(text) > maxCause {
		text = strings.ToValidUTF8(text[:maxCause], "") + "…"
	}
	return workflow.FailTask(errStatus+strconv.Itoa(a.StatusCode), "%s: %s", a.StatusText, text)
}

// reason is an error of the client without the URL, which may hold a secret.
func reason(err error) error {
	var name *net.DNSError
	if errors.As(err, &name) { // without the address of who was asked
		return errors.New(name.Err)
	}
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
