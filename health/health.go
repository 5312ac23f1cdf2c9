// Package health finds out when an app answers.
package health

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/internal-app-portal/iap"
)

// The times by which a Prober works.
const (
	FirstPause = 10 * time.Millisecond // after the first failed probe; each next one is 1.5 times as long
	MaxPause   = time.Second
	MaxProbe   = 5 * time.Second // for one probe
)

// maxBody is how much of an answer is read.
const maxBody = 4 << 10

// Target is what is probed.
type Target struct {
	URL      string          // http://127.0.0.1:port
	Path     string          // "/healthz"; empty: "/"
	Deadline time.Duration   // how long to try at most; 0: until the context ends
	Exited   <-chan struct{} // closed when the app has ended; may be nil
}

// Prober checks targets. The zero value is ready to use and safe for
// concurrent use.
type Prober struct {
	// Dial opens connections; nil: a net.Dialer's DialContext.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// ErrExited is the cause of the Unavailable error when Exited has closed.
var ErrExited = errors.New("the app has exited")

// Check probes until the app answers 2xx or 3xx and then returns nil.
// Redirects are not followed, no proxy is used and nothing but the target's
// own address is connected. Errors: Timeout after the deadline, with the last
// answer; Unavailable at once when Exited closes; Invalid for a URL that is
// none; the cause of ctx when it ends.
func (p *Prober) Check(ctx context.Context, t Target) error {
	address, probeURL, err := resolve(t)
	if err != nil {
		return err
	}
	c := &check{target: t, url: probeURL, client: p.client(address)}
	defer c.client.CloseIdleConnections()
	return c.run(ctx)
}

// resolve returns host:port of a target and the URL to get.
func resolve(t Target) (address, probeURL string, err error) {
	u, err := url.Parse(t.URL)
	if err != nil || u.Scheme != "http" || u.Hostname() == "" || u.User != nil || u.Path != "" && u.Path != "/" ||
		u.RawQuery != "" || u.Fragment != "" {
		return "", "", iap.FieldErrorf("health.Check", "upstream", "%q is not an address; want http://host:port", t.URL)
	}
	path := t.Path
	if path == "" {
		path = "/"
	}
	ref, err := url.Parse(path)
	if err != nil || path[0] != '/' || ref.Host != "" {
		return "", "", iap.FieldErrorf("health.Check", "health.path", "%q is not a path; want one that begins with a single /", path)
	}
	port := u.Port()
	if port == "" {
		port = "80"
	}
	return net.JoinHostPort(u.Hostname(), port), "http://" + u.Host + ref.RequestURI(), nil
}

// client makes a client whose every connection goes to address, whatever a
// server says.
func (p *Prober) client(address string) *http.Client {
	dial := p.Dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	return &http.Client{
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return dial(ctx, network, address)
			},
			MaxResponseHeaderBytes: 64 << 10,
			DisableCompression:     true,
			MaxIdleConns:           1,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// check is one call of Check.
type check struct {
	target Target
	url    string
	client *http.Client
	last   string // what the last probe met, for a person
}

// run probes until there is a result.
func (c *check) run(parent context.Context) error {
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	var expired <-chan time.Time
	if c.target.Deadline > 0 {
		timer := time.NewTimer(c.target.Deadline)
		defer timer.Stop()
		expired = timer.C
	}
	healthy := make(chan struct{})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		c.probeUntilHealthy(ctx, healthy)
	}()
	defer func() { cancel(nil); <-stopped }()
	select {
	case <-healthy:
		return nil
	case <-c.target.Exited: // nil never fires
		cancel(ErrExited)
		<-stopped
		return c.failed(iap.Unavailable, ErrExited)
	case <-expired:
		cancel(context.DeadlineExceeded)
		<-stopped
		return c.failed(iap.Timeout, fmt.Errorf("not healthy within %s", c.target.Deadline))
	case <-parent.Done():
		return context.Cause(parent)
	}
}

// failed is the error with the last answer in it.
func (c *check) failed(kind iap.Kind, reason error) error {
	if c.last == "" {
		return iap.E("health.Check", kind, reason)
	}
	return iap.Errorf("health.Check", kind, "%w: %s", reason, c.last)
}

// probeUntilHealthy closes healthy and returns, or returns when ctx ends.
func (c *check) probeUntilHealthy(ctx context.Context, healthy chan<- struct{}) {
	pause := FirstPause
	for {
		if c.probe(ctx) {
			close(healthy)
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		pause = min(pause*3/2, MaxPause)
	}
}

// probe asks once and notes what it met.
func (c *check) probe(parent context.Context) bool {
	ctx, cancel := context.WithTimeout(parent, MaxProbe)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		c.last = err.Error()
		return false
	}
	req.Header.Set("User-Agent", "iap-health-check")
	resp, err := c.client.Do(req)
	if err != nil {
		if parent.Err() == nil || c.last == "" { // an answer cut off by our own end says nothing
			c.last = describe(req, err, parent)
		}
		return false
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 200 && resp.StatusCode < 400 {
		return true
	}
	c.last = fmt.Sprintf("GET %s answered %s%s", req.URL.RequestURI(), status(resp), firstLine(resp.Body))
	return false
}

// describe tells of a probe that got no answer.
func describe(req *http.Request, err error, parent context.Context) string {
	var dns *net.DNSError
	text := err.Error()
	var ue *url.Error
	if errors.As(err, &ue) {
		text = ue.Err.Error()
	}
	switch {
	case strings.Contains(text, "connection refused"):
		text = "connection refused"
	case errors.As(err, &dns):
		text = "unknown host " + dns.Name
	case errors.Is(err, context.DeadlineExceeded) || parent.Err() != nil:
		text = "no answer"
	case strings.HasSuffix(text, "EOF"):
		text = "the connection was closed without an answer"
	case strings.Contains(text, "connection reset"):
		text = "the connection was reset"
	}
	return fmt.Sprintf("GET %s: %s", req.URL.RequestURI(), text)
}
