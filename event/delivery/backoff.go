package delivery

import (
	"net/http"
	"time"
)

// The defaults of a target, and the bounds of what may be set.
const (
	DefaultBackoff = 5 * time.Second
	DefaultTimeout = 15 * time.Second
	// GiveUpAfter is how long a delivery is tried where a target says no number
	// of attempts.
	GiveUpAfter = 72 * time.Hour

	maxAttempts = 1000
	maxTimeout  = 5 * time.Minute
	maxPause    = 12 * time.Hour // between two attempts
	maxAsked    = 24 * time.Hour // as a target asks for by Retry-After
)

// next returns when a delivery is tried again after its attempt at now failed;
// false when it is given up. jitter is from 0 to 1.
func (t Target) next(d Delivery, r Result, now time.Time, jitter float64) (time.Time, bool) {
	if r.Final || t.Attempts > 0 && d.Attempt >= t.Attempts {
		return time.Time{}, false
	}
	pause := t.Backoff
	for n := 1; n < d.Attempt && pause < maxPause; n++ {
		pause *= 2
	}
	pause = min(pause, maxPause)
	pause = time.Duration(float64(pause) * (0.75 + jitter/2))
	asked := now.Add(min(r.RetryAfter, maxAsked))
	at := now.Add(pause)
	if asked.After(at) {
		at = asked
	}
	if t.Attempts > 0 {
		return at, true
	}
	end := d.Since.Add(GiveUpAfter)
	if !now.Before(end) {
		return time.Time{}, false
	}
	if at.After(end) && !end.Before(asked) {
		at = end // the last
	}
	return at, true
}

// rest is how long a target wants to be left alone with everything: with 429 and
// 503 it speaks of itself, and not of the one event.
func (r Result) rest() time.Duration {
	if r.Code != http.StatusTooManyRequests && r.Code != http.StatusServiceUnavailable {
		return 0
	}
	return min(r.RetryAfter, maxAsked)
}
