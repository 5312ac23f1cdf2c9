// Package httpcall is the task http:invoke: an HTTP request of a state machine,
// kept from reaching what is inside.
package httpcall

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/task"
	"github.com/internal-app-portal/iap/workflow"
)

// The names of the errors.
const (
	errSocket  = "States.Http.Socket"
	errAddress = "Http.AddressNotAllowed"
	errStatus  = "States.Http.StatusCode."
)

// The bounds of a call.
const (
	defaultTimeout = 60 * time.Second
	maxTimeout     = 300 * time.Second
	maxBody        = asl.DefaultPayloadBytes
)

// Connection is a secret that the operator gives to requests for some hosts.
type Connection struct {
	Hosts   []string          // "api.example.com" or "api.example.com:8443"
	Headers map[string]string // "Authorization": "Bearer …"
}

// Config is what a Caller needs.
type Config struct {
	Guard *Guard
	// Connections are by the name that definitions use.
	Connections map[string]Connection
	// Sleep waits between tries; nil: real time. It returns early with an error
	// when ctx ends.
	Sleep func(ctx context.Context, d time.Duration) error
	Now   func() time.Time // for dates in Retry-After; nil: time.Now
}

// Caller does http:invoke.
type Caller struct {
	Config
	mu      sync.Mutex
	clients map[string]*http.Client // by the authorities they trust
}

// New returns a Caller.
func New(cfg Config) *Caller {
	if cfg.Sleep == nil {
		cfg.Sleep = sleep
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Caller{Config: cfg, clients: map[string]*http.Client{}}
}

// Handlers returns what does the task, for the engine.
func (c *Caller) Handlers() map[string]workflow.Handler {
	return map[string]workflow.Handler{Doc.Key(): {Run: c.run}}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

func (c *Caller) run(ctx context.Context, call workflow.Call) (json.RawMessage, error) {
	var a arguments
	if err := Doc.Read(call.Arguments, &a); err != nil {
		return nil, badArguments(err)
	}
	timeout, err := a.timeout()
	if err != nil {
		return nil, badArguments(err)
	}
	r, err := a.build()
	if err != nil {
		return nil, badArguments(err)
	}
	if err := c.authenticate(r, a.Authentication.ConnectionArn); err != nil {
		return nil, badArguments(err)
	}
	if err := a.Retry.check(); err != nil {
		return nil, badArguments(err)
	}
	if r.header.Get("Idempotency-Key") == "" {
		r.header.Set("Idempotency-Key", fmt.Sprintf("%s.%d.%d", call.Execution, call.Frame, call.Attempt))
	}
	client, err := c.client(a.Tls.CertificateAuthorities)
	if err != nil {
		return nil, badArguments(err)
	}
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	out, err := c.tries(limited, client, r, a.Retry)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return out, err
}

func badArguments(err error) error {
	var e *iap.Error
	if errors.As(err, &e) {
		return workflow.FailTask(task.ErrArguments, "%s: %s.", e.Field, e.Message())
	}
	return err
}

func (a *arguments) timeout() (time.Duration, error) {
	if a.TimeoutSeconds == nil {
		return defaultTimeout, nil
	}
	d := time.Duration(*a.TimeoutSeconds) * time.Second
	if *a.TimeoutSeconds < 1 || d > maxTimeout {
		return 0, iap.FieldErrorf("", "TimeoutSeconds", "%d is not between 1 and %d", *a.TimeoutSeconds, int(maxTimeout.Seconds()))
	}
	return d, nil
}

// maxClients bounds the connections that are kept for own authorities.
const maxClients = 16

func (c *Caller) client(authorities string) (*http.Client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if client, ok := c.clients[authorities]; ok {
		return client, nil
	}
	client, err := c.Guard.NewClient(authorities)
	if err != nil {
		return nil, err
	}
	if len(c.clients) >= maxClients {
		for _, old := range c.clients {
			old.CloseIdleConnections()
		}
		clear(c.clients)
	}
	c.clients[authorities] = client
	return client, nil
}

// authenticate adds the headers of a connection, for its own hosts alone: who
// writes a definition must not be able to have them sent elsewhere.
func (c *Caller) authenticate(r *request, arn string) error {
	if arn == "" {
		return nil
	}
	const field = "Authentication.ConnectionArn"
	_, name, ok := strings.Cut(arn, ":connection/")
	name, _, _ = strings.Cut(name, "/") // AWS's end in an ID
	con, known := c.Connections[name]
	if !ok || !known {
		return iap.FieldErrorf("", field, "there is no connection %q in the portal's configuration (tasks.http.connections)", short(name))
	}
	for _, h := range con.Hosts {
		if !strings.EqualFold(h, r.url.Host) {
			continue
		}
		for name, v := range con.Headers {
			r.header.Set(name, v)
		}
		return nil
	}
	return iap.FieldErrorf("", field, "the connection %q is not for the host %q", name, short(r.url.Host))
}

// answer is the task's result.
type answer struct {
	Headers      http.Header
	ResponseBody json.RawMessage
	StatusCode   int
	StatusText   string
	retryAfter   string
}

// once sends the request one time.
func (c *Caller) once(ctx context.Context, client *http.Client, r *request) (answer, error) {
	req, err := r.make(ctx)
	if err != nil {
		return answer{}, err
	}
	res, err := client.Do(req)
	if err != nil {
		return answer{}, unreachable(r, err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, maxBody+1))
	if err != nil {
		return answer{}, unreachable(r, err)
	}
	if len(b) > maxBody {
		return answer{}, workflow.FailTask("States.DataLimitExceeded", "The answer of %s has more than %d bytes.", r.url.Host, maxBody)
	}
	return answer{Headers: res.Header, ResponseBody: body(b, res.Header.Get("Content-Type")), StatusCode: res.StatusCode,
		StatusText: http.StatusText(res.StatusCode), retryAfter: res.Header.Get("Retry-After")}, nil
}

// body is the value of a JSON answer, or the text of any other.
func body(b []byte, contentType string) json.RawMessage {
	if isJSON(contentType) && json.Valid(b) && utf8.Valid(b) {
		return b
	}
	text, _ := json.Marshal(strings.ToValidUTF8(string(b), "\ufffd"))
	return text
}

func unreachable(r *request, err error) error {
	switch {
	case Refused(err):
		return workflow.FailTask(errAddress, "Tasks may not connect to %s. The operator allows hosts inside by tasks.http.allow.", r.url.Host)
	case errors.Is(err, context.DeadlineExceeded):
		return workflow.FailTask(errSocket, "%s did not answer in time.", r.url.Host)
	}
	return workflow.FailTask(errSocket, "%s could not be reached: %v", r.url.Host, reason(err))
}
