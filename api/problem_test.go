package api_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/api"
	"github.com/internal-app-portal/iap/api/apitest"
	"github.com/internal-app-portal/iap/client"
)

// call sends a request as the person with the token and returns the answer
// and its body. header holds pairs.
func call(t *testing.T, p *apitest.Portal, token, method, path, body string, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, p.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(got)
}

// wantProblem checks that an answer is a problem and returns it.
func wantProblem(t *testing.T, resp *http.Response, body string, status int) client.Problem {
	t.Helper()
	var p client.Problem
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		t.Fatalf("status %d, body is no JSON: %v\n%s", resp.StatusCode, err, body)
	}
	if got := resp.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("Content-Type %q", got)
	}
	if resp.StatusCode != status || p.Status != status || p.Title != http.StatusText(status) || p.Detail == "" {
		t.Errorf("status %d, problem %+v, want %d", resp.StatusCode, p, status)
	}
	return p
}

func TestBadJSON(t *testing.T) {
	p := apitest.New(t, nil)
	for name, c := range map[string]struct {
		body, contentType string
		status            int
		want              string // in detail or field
	}{
		"empty":                {"", "application/json", 400, "required"},
		"not JSON":             {"{app: todo}", "", 400, "not JSON"},
		"cut off":              {`{"app":"todo"`, "", 400, "closed"},
		"unknown key":          {`{"app":"todo","versoin":1}`, "", 422, `versoin: unknown key; there are: app, for, parameters, version`},
		"key in capitals":      {`{"App":"todo"}`, "", 422, `App: unknown key; did you mean "app"?`},
		"two spellings":        {`{"app":"todo","APP":"slow"}`, "", 422, `APP: unknown key; did you mean "app"?`},
		"another letter s":     {`{"app":"todo","parameterſ":{}}`, "", 422, `did you mean "parameters"?`},
		"a long key":           {`{"app":"todo","` + strings.Repeat("ä", 100000) + `":1}`, "", 422, "unknown key"},
		"many unknown keys":    {`{"app":"todo"` + manyKeys(10000) + `}`, "", 422, "20 fields"},
		"duplicate key":        {`{"app":"todo","app":"slow"}`, "", 400, "twice"},
		"duplicate below":      {`{"app":"todo","parameters":{"a":1,"a":2}}`, "", 400, `"a"`},
		"trailing data":        {`{"app":"todo"}{"app":"slow"}`, "", 400, "more follows"},
		"trailing text":        {`{"app":"todo"} x`, "", 400, "more follows"},
		"too deep":             {`{"app":"todo","parameters":{"a":` + strings.Repeat("[", 10000) + strings.Repeat("]", 10000) + `}}`, "", 400, "nested"},
		"1e400":                {`{"app":"todo","parameters":{"a":1e400}}`, "", 400, "too large"},
		"NaN":                  {`{"app":"todo","parameters":{"a":NaN}}`, "", 400, "not JSON"},
		"not UTF-8":            {"{\"app\":\"\xff\"}", "", 400, "UTF-8"},
		"wrong type":           {`{"app":7}`, "", 422, "app"},
		"an array":             {`[]`, "", 422, "object"},
		"null":                 {`null`, "", 422, "object"},
		"app missing":          {`{}`, "", 422, "app: it is missing  [{app it is missing}]"},
		"app empty":            {`{"app":""}`, "", 422, "app"},
		"version negative":     {`{"app":"todo","version":-1}`, "", 422, "version"},
		"version not whole":    {`{"app":"todo","version":1.5}`, "", 422, "version"},
		"version past an int":  {`{"app":"todo","version":1e99}`, "", 422, "version"},
		"parameters a list":    {`{"app":"todo","parameters":[]}`, "", 422, "parameters"},
		"a form":               {`app=todo`, "application/x-www-form-urlencoded", 415, "application/json"},
		"text":                 {`{"app":"todo"}`, "text/plain", 415, "application/json"},
		"more than a mebibyte": {`{"app":"` + strings.Repeat("x", 1<<20) + `"}`, "", 413, "the body is larger than 1 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			ct := c.contentType
			if ct == "" {
				ct = "application/json"
			}
			resp, body := call(t, p, apitest.JaneToken, "POST", "/api/v1/instances", c.body, "Content-Type", ct)
			got := wantProblem(t, resp, body, c.status)
			if all := fmt.Sprint(got); !strings.Contains(all, c.want) {
				t.Errorf("%q is not in %s", c.want, all)
			}
			if len(body) > 4096 {
				t.Errorf("the answer repeats the input: %d bytes", len(body))
			}
		})
	}
	if _, body := call(t, p, apitest.AnnToken, "GET", "/api/v1/instances?all=true", ""); !strings.Contains(body, `"items":[]`) {
		t.Errorf("something was stored: %s", body)
	}
}

// manyKeys returns n more keys of an object.
func manyKeys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"key%d":1`, i)
	}
	return b.String()
}

func TestKindsOfError(t *testing.T) {
	var log bytes.Buffer
	p := apitest.New(t, func(c *api.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	secret := errors.New("pq: password of the database")
	busy := iap.E("store", iap.Unavailable, errors.New("the database is busy"))
	busy.RetryAfter = 1500 * time.Millisecond
	for _, c := range []struct {
		err    error
		status int
		header string
	}{
		{iap.Errorf("x", iap.Invalid, "no"), 422, ""},
		{iap.Errorf("x", iap.Unauthenticated, "no"), 401, "Www-Authenticate: Bearer realm=\"iap\""},
		{iap.Errorf("x", iap.Forbidden, "no"), 403, ""},
		{iap.Errorf("x", iap.NotFound, "no"), 404, ""},
		{iap.Errorf("x", iap.Conflict, "no"), 409, ""},
		{iap.Errorf("x", iap.Limit, "no"), 429, ""},
		{iap.Errorf("x", iap.Unavailable, "no"), 503, "Retry-After: 2"},
		{busy, 503, "Retry-After: 2"},
		{iap.Errorf("x", iap.Full, "no"), 507, ""},
		{iap.Errorf("x", iap.Timeout, "no"), 504, ""},
		{fmt.Errorf("wrapped: %w", iap.Errorf("x", iap.Conflict, "no")), 409, ""},
		{iap.E("x", iap.Internal, secret), 500, ""},
		{secret, 500, ""},
	} {
		t.Run(c.err.Error(), func(t *testing.T) {
			p.FailWith(c.err)
			resp, body := call(t, p, apitest.JaneToken, "GET", "/api/v1/instances/x", "")
			got := wantProblem(t, resp, body, c.status)
			if name, value, ok := strings.Cut(c.header, ": "); ok && resp.Header.Get(name) != value {
				t.Errorf("%s is %q, want %q", name, resp.Header.Get(name), value)
			}
			if strings.Contains(body, "password") || strings.Contains(body, "wrapped") {
				t.Errorf("shows what is internal: %s", body)
			}
			if c.status == 500 && (got.Reference == "" || !strings.Contains(log.String(), got.Reference) || !strings.Contains(log.String(), "password")) {
				t.Errorf("reference %q is not in the log with its cause:\n%s", got.Reference, log.String())
			}
		})
	}
}

func TestSeveralFields(t *testing.T) {
	p := apitest.New(t, nil)
	p.FailWith(errors.Join(iap.FieldErrorf("x", "parameters.title", "is too long"), iap.FieldErrorf("x", "parameters.size", "is not a choice")))
	resp, body := call(t, p, apitest.JaneToken, "POST", "/api/v1/instances", `{"app":"todo"}`)
	got := wantProblem(t, resp, body, 422)
	if len(got.Errors) != 2 || got.Errors[0].Field != "parameters.title" || got.Errors[1].Message != "is not a choice" {
		t.Errorf("got %+v", got)
	}
}

func TestElsewhere(t *testing.T) {
	p := apitest.New(t, nil)
	for _, c := range []struct {
		method, path string
		status       int
		want         string
	}{
		{"GET", "/api/v1/nothing", 404, "/api/docs"},
		{"GET", "/api/v2/instances", 404, "nothing"},
		{"PUT", "/api/v1/instances", 405, "PUT"},
		{"GET", "/api/v1/instances?limit=0", 422, "query.limit"},
		{"GET", "/api/v1/instances?limit=501", 422, "query.limit"},
		{"GET", "/api/v1/instances?limit=x", 422, "query.limit"},
		{"GET", "/api/v1/instances?nonsense=1", 422, "query.nonsense"},
		{"GET", "/api/v1/instances?status=dead", 422, `query.status: "dead" is not a status; want queued, deploying, checking, running, destroying, destroyed, deploy_failed or destroy_failed`},
		{"GET", "/api/v1/instances?before=../../x", 422, "query.before"},
		{"GET", "/api/v1/instances/" + strings.Repeat("x", 200), 422, "path.ref"},
		{"GET", "/api/v1/instances/%2e%2e%2fjobs", 404, "no instance"},
		{"GET", "/api/v1/jobs/..%2f..%2fetc", 404, "no job"},
		{"GET", "/api/v1/jobs/x/log", 404, "no job"},
		{"GET", "/api/v1/stream?log=x:-1", 422, "query.log"},
		{"GET", "/api/v1/stream?log=x:1", 404, "no job"},
		{"GET", "/api/v1/stream?last=abc", 422, "Last-Event-ID"},
		{"GET", "/api/v1/apps/tood", 404, `did you mean`},
	} {
		t.Run(c.method+" "+c.path[:min(len(c.path), 40)], func(t *testing.T) {
			resp, body := call(t, p, apitest.JaneToken, c.method, c.path, "")
			got := wantProblem(t, resp, body, c.status)
			if !strings.Contains(fmt.Sprint(got), c.want) {
				t.Errorf("%q is not in %+v", c.want, got)
			}
			if c.status == 405 && resp.Header.Get("Allow") == "" {
				t.Error("no Allow")
			}
		})
	}
}

// TestDetailNamesTheField has the one text that simple clients show say all.
func TestDetailNamesTheField(t *testing.T) {
	p := apitest.New(t, nil)
	for _, c := range []struct{ method, path, body, field, detail string }{
		{"POST", "/instances", `{"app":"todo","parameters":{"title":""}}`, "parameters.title", "parameters.title: is empty; give 1 to 60 characters"},
		{"GET", "/instances?before=x", "", "query.before", `query.before: "x" is not the "next" of a page`},
		{"GET", "/apps/tood", "", "app", `unknown app "tood"; did you mean "todo"?`},
		{"POST", "/instances", `{"app":"tood"}`, "app", `unknown app "tood"; did you mean "todo"?`},
	} {
		_, body := call(t, p, apitest.JaneToken, c.method, "/api/v1"+c.path, c.body)
		var got client.Problem
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Fatal(err)
		}
		if got.Detail != c.detail || len(got.Errors) != 1 || got.Errors[0].Field != c.field {
			t.Errorf("%s %s: got %+v", c.method, c.path, got)
		}
	}
}

// TestWithoutAPath leads who only knows that there is an API to its page.
func TestWithoutAPath(t *testing.T) {
	p := apitest.New(t, nil)
	for _, path := range []string{"/api", "/api/", "/api/v1", "/api/v1/"} {
		resp, body := call(t, p, "", "GET", path, "")
		if resp.StatusCode != http.StatusOK || resp.Request.URL.Path != "/api/docs" {
			t.Errorf("%s: %d at %s: %.100s", path, resp.StatusCode, resp.Request.URL, body)
		}
	}
	resp, body := call(t, p, "", "POST", "/api/v1", "{}")
	wantProblem(t, resp, body, http.StatusMethodNotAllowed)
}

func TestNobodySignedIn(t *testing.T) {
	p := apitest.New(t, nil)
	for path, status := range map[string]int{
		"/api/v1/instances": 401, "/api/v1/me": 401, "/api/v1/apps": 401, "/api/v1/jobs": 401, "/api/v1/stream": 401,
		"/api/v1/version": 200, "/api/v1/iap.schema.json": 200, "/api/openapi.json": 200, "/api/docs": 200,
	} {
		for _, token := range []string{"", "wrong"} {
			resp, body := call(t, p, token, "GET", path, "")
			if resp.StatusCode != status {
				t.Errorf("%s with token %q: %d, want %d", path, token, resp.StatusCode, status)
			}
			if status == 401 {
				wantProblem(t, resp, body, 401)
				if resp.Header.Get("WWW-Authenticate") == "" {
					t.Errorf("%s: no WWW-Authenticate", path)
				}
			}
		}
	}
}

func TestOtherSites(t *testing.T) {
	p := apitest.New(t, nil)
	resp, body := call(t, p, apitest.JaneToken, "POST", "/api/v1/instances", `{"app":"todo"}`, "Sec-Fetch-Site", "cross-site")
	wantProblem(t, resp, body, 403)
	resp, body = call(t, p, apitest.JaneToken, "GET", "/api/v1/stream", "", "Origin", "http://evil.example")
	wantProblem(t, resp, body, 403)
	resp, body = call(t, p, apitest.JaneToken, "GET", "/api/v1/stream", "", "Sec-Fetch-Site", "same-site")
	wantProblem(t, resp, body, 403)
}
