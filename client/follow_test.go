package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// streams is a portal that answers each call of /stream with the next of its
// handlers.
func streams(t *testing.T, handlers ...http.HandlerFunc) *Client {
	t.Helper()
	var n int
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n++ // calls come one after the other
		handlers[n-1](w, r)
	}))
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	c, err := New(s.URL, "token")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func say(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
}

func refuse(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
}

func event(number int) string {
	return fmt.Sprintf("id: %d\nevent: iap.job.changed\ndata: {\"number\":%d}\n\n", number, number)
}

const opened = "id: 1\nevent: open\ndata: {\"last\":1}\n\n"

var errEnough = errors.New("enough")

func TestFollowGoesOnWhereItBroke(t *testing.T) {
	var lastIDs []string
	remember := func(h http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			lastIDs = append(lastIDs, r.Header.Get("Last-Event-ID"))
			h(w, r)
		}
	}
	c := streams(t, remember(say(opened+event(5))), remember(refuse(503)), remember(say(opened+event(6)+": alive\n\n"+event(7))))
	var got []int64
	opens, losses := 0, 0
	err := c.Follow(t.Context(), Follow{
		Opened: func() error { opens++; return nil },
		Lost:   func(error) { losses++ },
		Event: func(e Event) error {
			if got = append(got, e.Number); e.Number == 7 {
				return errEnough
			}
			return nil
		},
	})
	if err != errEnough || !slices.Equal(got, []int64{5, 6, 7}) || !slices.Equal(lastIDs, []string{"", "5", "5"}) {
		t.Errorf("%v, events %v, resumed from %q", err, got, lastIDs)
	}
	if opens != 2 || losses != 2 {
		t.Errorf("opened %d times, lost %d times", opens, losses)
	}
}

func TestFollowGivesUp(t *testing.T) {
	for name, c := range map[string]*Client{
		"refused at first":     streams(t, refuse(404)),
		"refused later":        streams(t, say(opened), refuse(401)),
		"unavailable at first": streams(t, refuse(503)),
	} {
		var answer *Error
		if err := c.Follow(t.Context(), Follow{}); !errors.As(err, &answer) {
			t.Errorf("%s: %v", name, err)
		}
	}
	none, err := New("http://127.0.0.1:1", "")
	if err != nil {
		t.Fatal(err)
	}
	var gone *NoPortalError
	if err := none.Follow(t.Context(), Follow{}); !errors.As(err, &gone) || !strings.Contains(err.Error(), "iap serve --dev") {
		t.Errorf("no portal: %v", err)
	}
}

func TestFollowNoticesSilence(t *testing.T) {
	silent := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, opened)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
	c := streams(t, silent, refuse(404))
	c.quiet = 10 * time.Millisecond
	var answer *Error
	if err := c.Follow(t.Context(), Follow{}); !errors.As(err, &answer) {
		t.Errorf("got %v", err)
	}
}

func TestFollowEndsWithItsContext(t *testing.T) {
	why := errors.New("no more time")
	ctx, cancel := context.WithCancelCause(t.Context())
	c := streams(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, opened)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	err := c.Follow(ctx, Follow{Opened: func() error { cancel(why); return nil }})
	if !errors.Is(err, why) {
		t.Errorf("got %v", err)
	}
}

func TestReadStream(t *testing.T) {
	var got []message
	err := readStream(strings.NewReader("\n: comment\nid: 1\nevent: a\ndata: x\ndata:y\nretry: 5\n\nevent: b\ndata\n\nevent: cut"), func(m message) error {
		got = append(got, m)
		return nil
	})
	want := []message{{}, {"1", "a", "x\ny"}, {"1", "b", ""}}
	if !errors.Is(err, io.ErrUnexpectedEOF) || !reflect.DeepEqual(got, want) {
		t.Errorf("%v: got %q, want %q", err, got, want)
	}
	if err := readStream(strings.NewReader("data: "+strings.Repeat("x", 5<<20)), func(message) error { return nil }); err == nil || err == io.ErrUnexpectedEOF {
		t.Errorf("a line of 5 MB: %v", err)
	}
}

func TestErrors(t *testing.T) {
	for body, want := range map[string]string{
		`{"title":"Unprocessable Entity","status":422,"detail":"parameters.title: is empty","errors":[{"field":"parameters.title","message":"is empty"}]}`: "parameters.title: is empty",
		`{"status":404,"detail":"unknown app \"x\"","errors":[{"field":"app","message":"unknown app \"x\""}]}`:                                             "unknown app \"x\"",
		`{"status":422,"detail":"2 fields are wrong","errors":[{"field":"a","message":"x"},{"field":"b","message":"y"}]}`:                                  "2 fields are wrong\n  a: x\n  b: y",
		`{"status":500,"detail":"something went wrong","reference":"01x"}`:                                                                                 "something went wrong (reference 01x in the portal's log)",
		`{"status":404}`: "not found",
		`<html>`:         "the answer is not a portal's: 404 Not Found",
	} {
		c := streams(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/problem+json; charset=utf-8")
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(404)
			_, _ = io.WriteString(w, body)
		})
		_, err := c.Me(t.Context())
		var answer *Error
		if !errors.As(err, &answer) || err.Error() != want || answer.Status != 404 || answer.RetryAfter != 7*time.Second {
			t.Errorf("%s: got %q (%+v), want %q", body, err, answer, want)
		}
	}
}

func TestNew(t *testing.T) {
	for server, ok := range map[string]bool{"": true, "http://localhost:8080/": true, "https://portal.example.com": true,
		"localhost:8080": false, "ftp://x": false, "http://": false, "http://a b": false} {
		if _, err := New(server, ""); (err == nil) != ok {
			t.Errorf("%q: %v", server, err)
		}
	}
	for _, token := range []string{"a b", "a\n"} {
		if _, err := New("", token); err == nil {
			t.Errorf("token %q passes", token)
		}
	}
}

func TestPathsAreEscaped(t *testing.T) {
	var paths []string
	c := streams(t, slices.Repeat([]http.HandlerFunc{func(w http.ResponseWriter, r *http.Request) {
		paths = append(paths, r.URL.EscapedPath())
		w.WriteHeader(404)
	}}, 4)...)
	for _, ref := range []string{"a/b", "..", "a?b#c", "%2e"} {
		_, _ = c.Instance(t.Context(), ref)
	}
	want := []string{"a%2Fb", "%2E%2E", "a%3Fb%23c", "%252e"}
	for i := range want {
		want[i] = "/api/v1/instances/" + want[i]
	}
	if !slices.Equal(paths, want) {
		t.Errorf("got %q, want %q", paths, want)
	}
}
