package send

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/event/delivery"
	"github.com/internal-app-portal/iap/task/httpcall"
)

// Webhook posts events as CloudEvents 1.0 JSON, signed as Standard Webhooks
// prescribes.
type Webhook struct {
	Clients *Clients
	Now     func() time.Time
}

// Check implements delivery.Sender.
func (w *Webhook) Check(t delivery.Target) error {
	if _, err := checkURL(t.Settings.URL, "http", "https"); err != nil {
		return err
	}
	_, err := guard(t)
	return err
}

// checkURL returns a URL with one of some schemes. The error is Invalid.
func checkURL(text string, schemes ...string) (*url.URL, error) {
	u, err := url.Parse(text)
	ok := false
	for _, s := range schemes {
		ok = ok || err == nil && u.Scheme == s
	}
	switch {
	case !ok || u.Host == "":
		return nil, iap.FieldErrorf("send.Check", "url", "%.200q is not a URL that begins with %s://", text, strings.Join(schemes, ":// or "))
	case u.User != nil:
		return nil, iap.FieldErrorf("send.Check", "url", "it must not hold a user and a password; webhooks are signed instead")
	case len(text) > 2000:
		return nil, iap.FieldErrorf("send.Check", "url", "it has more than 2000 bytes")
	}
	return u, nil
}

// Send implements delivery.Sender.
func (w *Webhook) Send(ctx context.Context, t delivery.Target, m delivery.Message) delivery.Result {
	body, err := event.Structured(m.Event)
	if err != nil {
		return delivery.Result{Err: "the event has no JSON form", Final: true}
	}
	now := w.Now()
	var signatures []string
	for _, secret := range t.Secrets(now) {
		s, err := delivery.Sign(secret, m.ID, now, body)
		if err != nil {
			return delivery.Result{Err: err.Error(), Final: true}
		}
		signatures = append(signatures, s)
	}
	header := http.Header{"Content-Type": {event.ContentType}, "User-Agent": {"iap"}, delivery.HeaderID: {m.ID},
		delivery.HeaderTimestamp: {strconv.FormatInt(now.Unix(), 10)}, delivery.HeaderSignature: {strings.Join(signatures, " ")}}
	return w.Clients.post(ctx, t, header, body, now)
}

// Clients keeps an HTTP client for each target.
type Clients struct {
	mu  sync.Mutex
	all map[string]kept
}

type kept struct {
	reach  string // of which target settings the client is made
	client *http.Client
}

// NewClients returns no clients yet.
func NewClients() *Clients { return &Clients{all: map[string]kept{}} }

// inside are all addresses, for targets that may be inside.
var inside = []string{"0.0.0.0/0", "::/0"}

func guard(t delivery.Target) (*httpcall.Guard, error) {
	allow := t.Settings.Allow
	if t.Settings.Private {
		allow = inside
	}
	g, err := httpcall.NewGuard(allow)
	var e *iap.Error
	if errors.As(err, &e) {
		e.Field = "allow"
	}
	return g, err
}

func (c *Clients) of(t delivery.Target) (*http.Client, error) {
	reach := fmt.Sprint(t.Settings.Private, t.Settings.Allow)
	c.mu.Lock()
	defer c.mu.Unlock()
	if k, ok := c.all[t.Name]; ok && k.reach == reach {
		return k.client, nil
	}
	g, err := guard(t)
	if err != nil {
		return nil, err
	}
	client, err := g.NewClient("")
	if err != nil {
		return nil, err
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if tr, ok := client.Transport.(*http.Transport); ok {
		tr.MaxIdleConnsPerHost = delivery.Parallel
	}
	c.all[t.Name] = kept{reach, client}
	return client, nil
}

// post sends a body and reads at most MaxAnswer bytes of the answer.
func (c *Clients) post(ctx context.Context, t delivery.Target, header http.Header, body []byte, now time.Time) delivery.Result {
	client, err := c.of(t)
	if err != nil {
		return delivery.Result{Err: err.Error(), Final: true}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.Settings.URL, bytes.NewReader(body))
	if err != nil {
		return delivery.Result{Err: "the URL is not one", Final: true}
	}
	req.Header = header
	res, err := client.Do(req)
	if err != nil {
		return delivery.Result{Err: failure(ctx, t, err)}
	}
	defer res.Body.Close()
	answer, readErr := io.ReadAll(io.LimitReader(res.Body, delivery.MaxAnswer))
	out := delivery.Result{Code: res.StatusCode, Answer: strings.ToValidUTF8(string(answer), "\ufffd")}
	switch {
	case res.StatusCode >= 200 && res.StatusCode < 300:
		if readErr != nil {
			out.Err = "it answered " + res.Status + " and broke off: " + failure(ctx, t, readErr)
		}
	case res.StatusCode >= 300 && res.StatusCode < 400:
		out.Err = fmt.Sprintf("it answered %s; redirects are not followed: give the target the right URL", res.Status)
	case res.StatusCode == http.StatusGone:
		out.Err, out.Gone = "it answered 410 Gone and wants no more events", true
	default:
		out.Err = "it answered " + res.Status
		out.RetryAfter = retryAfter(res.Header.Get("Retry-After"), now)
	}
	return out
}

// retryAfter reads the header of RFC 9110, 10.2.3; 0: there is none.
func retryAfter(text string, now time.Time) time.Duration {
	const most = 1 << 20 // seconds: it is cut to a day in any case
	if n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(n, most)) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}

// failure says why there is no answer, without the URL, which may hold a secret.
func failure(ctx context.Context, t delivery.Target, err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	switch {
	case httpcall.Refused(err):
		return "its address is inside, where deliveries may not go; add the target with --allow-private, or --allow NETWORK"
	case errors.Is(ctx.Err(), context.DeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("it did not answer within %s", t.Timeout)
	}
	return "it could not be reached: " + err.Error()
}
