package httpcall_test

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/internal-app-portal/iap/task/httpcall"
	"github.com/internal-app-portal/iap/workflow"
)

// caller is a Caller that may reach the hosts given, and the pauses it made.
func caller(t *testing.T, allow ...string) (*httpcall.Caller, *[]time.Duration) {
	t.Helper()
	g, err := httpcall.NewGuard(allow)
	if err != nil {
		t.Fatal(err)
	}
	var pauses []time.Duration
	return httpcall.New(httpcall.Config{Guard: g,
		Sleep: func(_ context.Context, d time.Duration) error { pauses = append(pauses, d); return nil },
		Connections: map[string]httpcall.Connection{
			"ci": {Hosts: []string{strings.Join(allow, "")}, Headers: map[string]string{"X-Api-Key": "secret"}}}}), &pauses
}

func invoke(t *testing.T, c *httpcall.Caller, arguments any) (map[string]any, error) {
	t.Helper()
	b, err := json.Marshal(arguments)
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.Handlers()["http:invoke"].Run(t.Context(), workflow.Call{Execution: "x", Frame: 1, Attempt: 2, Arguments: b})
	if err != nil {
		return nil, err
	}
	var v map[string]any
	if err := json.Unmarshal(out, &v); err != nil {
		t.Fatal(err)
	}
	return v, nil
}

type object = map[string]any

// failed checks the name of an error and a part of its cause.
func failed(t *testing.T, err error, name, part string) {
	t.Helper()
	var f *workflow.TaskError
	if !errors.As(err, &f) || f.Name != name || !strings.Contains(f.Cause, part) {
		t.Errorf("got %v; want %s with %q", err, name, part)
	}
}

func host(t *testing.T, s *httptest.Server) string {
	t.Helper()
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func TestInvoke(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_ = json.NewEncoder(w).Encode(object{"method": r.Method, "uri": r.RequestURI, "body": string(b), "type": r.Header.Get("Content-Type"),
			"key": r.Header.Get("Idempotency-Key"), "x": r.Header.Get("X-Test"), "secret": r.Header.Get("X-Api-Key")})
	})
	c, _ := caller(t, host(t, s))
	for name, test := range map[string]struct{ in, want object }{
		"json": {object{"ApiEndpoint": s.URL + "/a?b=c", "Method": "POST", "Headers": object{"X-Test": "1"},
			"QueryParameters": object{"d": []any{1, "e f"}}, "RequestBody": object{"a": 1}},
			object{"method": "POST", "uri": "/a?b=c&d=1&d=e+f", "body": `{"a":1}`, "type": "application/json", "key": "x.1.2", "x": "1", "secret": ""}},
		"text": {object{"ApiEndpoint": s.URL, "Method": "PUT", "Headers": object{"content-type": "text/plain"}, "RequestBody": "hi"},
			object{"method": "PUT", "uri": "/", "body": "hi", "type": "text/plain", "key": "x.1.2", "x": "", "secret": ""}},
		"form": {object{"ApiEndpoint": s.URL, "Method": "POST", "RequestBody": object{"a": []any{1, 2}, "b": object{"c": "d"}},
			"Transform": object{"RequestBodyEncoding": "URL_ENCODED", "RequestEncodingOptions": object{"ArrayFormat": "COMMAS"}}},
			object{"method": "POST", "uri": "/", "body": "a=1%2C2&b%5Bc%5D=d", "type": "application/x-www-form-urlencoded", "key": "x.1.2", "x": "", "secret": ""}},
		"connection": {object{"ApiEndpoint": s.URL, "Method": "GET", "Authentication": object{"ConnectionArn": "arn:iap:events:::connection/ci"}},
			object{"method": "GET", "uri": "/", "body": "", "type": "", "key": "x.1.2", "x": "", "secret": "secret"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := invoke(t, c, test.in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got["ResponseBody"]); diff != "" {
				t.Error(diff)
			}
			if got["StatusCode"] != 200.0 || got["StatusText"] != "OK" {
				t.Errorf("%v", got)
			}
		})
	}
}

func TestBadArguments(t *testing.T) {
	c, _ := caller(t)
	good := func(change object) object {
		out := object{"ApiEndpoint": "https://example.com", "Method": "GET"}
		for k, v := range change {
			out[k] = v
		}
		return out
	}
	for field, in := range map[string]object{
		"Method: it is missing":      {"ApiEndpoint": "https://example.com"},
		"Url: there is no such":      good(object{"Url": "x"}),
		"Method: \"get\"":            good(object{"Method": "get"}),
		"ApiEndpoint: the scheme":    good(object{"ApiEndpoint": "file://a/etc/passwd"}),
		"ApiEndpoint: \"not":         good(object{"ApiEndpoint": "not a url"}),
		"must not hold a user":       good(object{"ApiEndpoint": "https://a:b@example.com"}),
		"Headers.Host:":              good(object{"Headers": object{"Host": "x"}}),
		"Headers.X-Forwarded-For:":   good(object{"Headers": object{"X-Forwarded-For": "x"}}),
		"Headers.A: it must":         good(object{"Headers": object{"A": "b\r\nC: d"}}),
		"cannot be the name":         good(object{"Headers": object{"A\r\n": "b"}}),
		"TimeoutSeconds: 0":          good(object{"TimeoutSeconds": 0}),
		"TimeoutSeconds: 301":        good(object{"TimeoutSeconds": 301}),
		"Retry.MaxAttempts: 11":      good(object{"Retry": object{"StatusCodes": []int{503}, "MaxAttempts": 11}}),
		"Retry.StatusCodes: 200":     good(object{"Retry": object{"StatusCodes": []int{200}}}),
		"no certificate in PEM":      good(object{"Tls": object{"CertificateAuthorities": "x"}}),
		"no connection \"nope\"":     good(object{"Authentication": object{"ConnectionArn": "arn:iap:events:::connection/nope"}}),
		"not for the host \"example": good(object{"Authentication": object{"ConnectionArn": "arn:iap:events:::connection/ci"}}),
		"QueryParameters.a: it must": good(object{"QueryParameters": object{"a": object{}}}),
		"RequestBody: a form":        good(object{"RequestBody": 1, "Transform": object{"RequestBodyEncoding": "URL_ENCODED"}}),
	} {
		_, err := invoke(t, c, in)
		failed(t, err, "States.ParameterPathFailure", field)
	}
}

// TestAddressesInside: no spelling of an address inside is connected to.
func TestAddressesInside(t *testing.T) {
	var reached atomic.Bool
	s := serve(t, func(http.ResponseWriter, *http.Request) { reached.Store(true) })
	u, _ := url.Parse(s.URL)
	c, _ := caller(t)
	for _, name := range []string{"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "2130706433", "127.1", "0x7f.1",
		"①②⑦.0.0.1", "[64:ff9b::7f00:1]", "169.254.169.254", "10.0.0.1", "[fd00::1]", "[fe80::1]"} {
		_, err := invoke(t, c, object{"ApiEndpoint": "http://" + name + ":" + u.Port(), "Method": "GET", "TimeoutSeconds": 2})
		var f *workflow.TaskError
		if !errors.As(err, &f) || f.Name != "Http.AddressNotAllowed" && f.Name != "States.Http.Socket" && f.Name != "States.ParameterPathFailure" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if reached.Load() {
		t.Error("the server was reached")
	}
	_, err := invoke(t, c, object{"ApiEndpoint": s.URL, "Method": "GET"})
	failed(t, err, "Http.AddressNotAllowed", "tasks.http.allow")
	open, _ := caller(t, "127.0.0.0/8")
	if _, err := invoke(t, open, object{"ApiEndpoint": s.URL, "Method": "GET"}); err != nil || !reached.Load() {
		t.Errorf("an allowed network is not reached: %v", err)
	}
}

func TestRedirects(t *testing.T) {
	var key atomic.Value
	other := serve(t, func(w http.ResponseWriter, r *http.Request) {
		key.Store(r.Header.Get("X-Api-Key"))
		w.WriteHeader(http.StatusNoContent)
	})
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		to := map[string]string{"/in": "http://127.0.0.2:1/", "/loop": "/loop", "/other": other.URL}[r.URL.Path]
		http.Redirect(w, r, to, http.StatusFound)
	})
	c, _ := caller(t, host(t, s))
	_, err := invoke(t, c, object{"ApiEndpoint": s.URL + "/in", "Method": "GET"})
	failed(t, err, "Http.AddressNotAllowed", "")
	_, err = invoke(t, c, object{"ApiEndpoint": s.URL + "/loop", "Method": "GET"})
	failed(t, err, "States.Http.Socket", "too often")

	g, err := httpcall.NewGuard([]string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	c.Guard = g
	both := httpcall.New(c.Config)
	got, err := invoke(t, both, object{"ApiEndpoint": s.URL + "/other", "Method": "GET",
		"Authentication": object{"ConnectionArn": "arn:iap:events:::connection/ci"}})
	if err != nil || got["StatusCode"] != 204.0 || key.Load() != "" {
		t.Errorf("%v, %v; the other host got the secret %q", got, err, key.Load())
	}
}

func TestStatusAndRetry(t *testing.T) {
	var n atomic.Int32
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/404" || n.Add(1) <= 3 {
			if n.Load() == 2 {
				w.Header().Set("Retry-After", "7")
			}
			http.Error(w, "busy", map[bool]int{true: 404, false: 503}[r.URL.Path == "/404"])
			return
		}
		fmt.Fprint(w, "\xffdone")
	})
	c, pauses := caller(t, host(t, s))
	got, err := invoke(t, c, object{"ApiEndpoint": s.URL, "Method": "GET", "Retry": object{"StatusCodes": []int{503}, "IntervalSeconds": 2}})
	if err != nil || got["ResponseBody"] != "\ufffddone" {
		t.Errorf("%v, %v", got, err)
	}
	if diff := cmp.Diff([]time.Duration{2 * time.Second, 7 * time.Second, 8 * time.Second}, *pauses); diff != "" {
		t.Error(diff)
	}
	_, err = invoke(t, c, object{"ApiEndpoint": s.URL + "/404", "Method": "GET"})
	failed(t, err, "States.Http.StatusCode.404", "Not Found: \"busy")
	n.Store(0)
	*pauses = nil
	_, err = invoke(t, c, object{"ApiEndpoint": s.URL, "Method": "GET", "TimeoutSeconds": 3,
		"Retry": object{"StatusCodes": []int{503}}})
	failed(t, err, "States.Http.StatusCode.503", "busy")
	if len(*pauses) != 1 {
		t.Errorf("it waited for %v with no time left for another try", *pauses)
	}
}

func TestLargeAndSlowAnswers(t *testing.T) {
	release := make(chan struct{})
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			<-release
		}
		_, _ = w.Write(make([]byte, 300_000))
	})
	t.Cleanup(func() { close(release) })
	c, _ := caller(t, host(t, s))
	_, err := invoke(t, c, object{"ApiEndpoint": s.URL, "Method": "GET"})
	failed(t, err, "States.DataLimitExceeded", "262144")
	_, err = invoke(t, c, object{"ApiEndpoint": s.URL + "/slow", "Method": "GET", "TimeoutSeconds": 1})
	failed(t, err, "States.Http.Socket", "in time")
}

func TestOwnAuthority(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") }))
	t.Cleanup(s.Close)
	c, _ := caller(t, host(t, s))
	_, err := invoke(t, c, object{"ApiEndpoint": s.URL, "Method": "GET"})
	failed(t, err, "States.Http.Socket", "certificate")
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	got, err := invoke(t, c, object{"ApiEndpoint": s.URL, "Method": "GET", "Tls": object{"CertificateAuthorities": string(ca)}})
	if err != nil || got["ResponseBody"] != "hello" {
		t.Errorf("%v, %v", got, err)
	}
}

func TestGuardRefusesWhatItDoesNotUnderstand(t *testing.T) {
	for _, bad := range []string{"", "http://a/", "*.internal", "10.0.0.0/99"} {
		if _, err := httpcall.NewGuard([]string{bad}); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
