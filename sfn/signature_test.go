package sfn_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/internal-app-portal/iap/sfn"
)

// signed makes a request as AWS's signer signs it, for an admin.
func (h *harness) signed(action, body string, at time.Time) *http.Request {
	h.t.Helper()
	r := httptest.NewRequest(http.MethodPost, "http://portal.example.com"+sfn.Prefix, strings.NewReader(body))
	r.Header.Set("X-Amz-Target", "AWSStepFunctions."+action)
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	sum := sha256.Sum256([]byte(body))
	err := v4.NewSigner().SignHTTP(context.Background(), aws.Credentials{AccessKeyID: "admin", SecretAccessKey: "admin" + secretSuffix},
		r, hex.EncodeToString(sum[:]), "states", "eu-west-2", at)
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

func (h *harness) send(r *http.Request) (int, string) {
	h.t.Helper()
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	b, err := io.ReadAll(w.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return w.Code, string(b)
}

// post sends an action, well signed.
func (h *harness) post(action, body string) (int, string) {
	h.t.Helper()
	return h.send(h.signed(action, body, h.now()))
}

// TestSignature: whatever is changed in a signed request, and whatever its age,
// it is refused.
func TestSignature(t *testing.T) {
	h := newHarness(t)
	now := h.now()
	fresh := func() *http.Request { return h.signed("ListStateMachines", "{}", now) }
	if status, body := h.send(fresh()); status != 200 {
		t.Fatalf("a good one: %d %s", status, body)
	}
	if status, _ := h.send(fresh()); status != 200 {
		t.Error("a retry within its time is refused")
	}
	for name, c := range map[string]struct {
		request func() *http.Request
		code    string
	}{
		"none": {func() *http.Request { r := fresh(); r.Header.Del("Authorization"); return r }, "MissingAuthenticationTokenException"},
		"other body": {func() *http.Request {
			r := fresh()
			r.Body = io.NopCloser(strings.NewReader("[]"))
			return r
		}, "InvalidSignatureException"},
		"other target": {func() *http.Request {
			r := fresh()
			r.Header.Set("X-Amz-Target", "AWSStepFunctions.ListActivities")
			return r
		}, "InvalidSignatureException"},
		"other host": {func() *http.Request { r := fresh(); r.Host = "evil.example.com"; return r }, "InvalidSignatureException"},
		"unsigned header": {func() *http.Request {
			r := fresh()
			r.Header.Set("X-Amz-Security-Token", "x")
			return r
		}, "IncompleteSignatureException"},
		"a query":  {func() *http.Request { r := fresh(); r.URL.RawQuery = "a=b"; return r }, "MissingAuthenticationTokenException"},
		"old":      {func() *http.Request { return h.signed("ListStateMachines", "{}", now.Add(-5*time.Minute-time.Second)) }, "InvalidSignatureException"},
		"early":    {func() *http.Request { return h.signed("ListStateMachines", "{}", now.Add(6*time.Minute)) }, "InvalidSignatureException"},
		"two":      {func() *http.Request { r := fresh(); r.Header.Add("Authorization", "x"); return r }, "IncompleteSignatureException"},
		"bearer":   {func() *http.Request { r := fresh(); r.Header.Set("Authorization", "Bearer x"); return r }, "IncompleteSignatureException"},
		"half":     {func() *http.Request { return cutAuthorization(fresh(), ", SignedHeaders") }, "IncompleteSignatureException"},
		"no scope": {func() *http.Request { return cutAuthorization(fresh(), "/eu-west-2") }, "IncompleteSignatureException"},
		"other service": {func() *http.Request {
			r := fresh()
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "/states/", "/s3/", 1))
			return r
		}, "InvalidSignatureException"},
		"other region": {func() *http.Request {
			r := fresh()
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "eu-west-2", "eu-west-1", 1))
			return r
		}, "InvalidSignatureException"},
		"other key": {func() *http.Request {
			r := fresh()
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "admin/", "member/", 1))
			return r
		}, "InvalidSignatureException"},
		"a date of another day": {func() *http.Request { r := fresh(); r.Header.Set("X-Amz-Date", "20200101T000000Z"); return r }, "InvalidSignatureException"},
	} {
		status, body := h.send(c.request())
		if status != http.StatusForbidden || !strings.Contains(body, "#"+c.code) {
			t.Errorf("%s: %d %s, want %s", name, status, body, c.code)
		}
	}
}

func cutAuthorization(r *http.Request, at string) *http.Request {
	before, _, _ := strings.Cut(r.Header.Get("Authorization"), at)
	r.Header.Set("Authorization", before)
	return r
}

// TestHostile: what is no request gets an answer with a name and nothing
// internal, and changes nothing.
func TestHostile(t *testing.T) {
	h := newHarness(t)
	deep := strings.Repeat("[", 20_000)
	long := strings.Repeat("x", 81)
	for name, c := range map[string]struct {
		action, body, want string
		status             int
	}{
		"no JSON":         {"CreateStateMachine", "{", "SerializationException", 400},
		"no object":       {"CreateStateMachine", "[1]", "SerializationException", 400},
		"behind the end":  {"CreateStateMachine", "{} {}", "SerializationException", 400},
		"twice":           {"CreateActivity", `{"name":"a","name":"b"}`, "SerializationException", 400},
		"deep":            {"CreateActivity", deep, "SerializationException", 400},
		"not UTF-8":       {"CreateActivity", "{\"name\":\"\xff\"}", "SerializationException", 400},
		"wrong type":      {"CreateActivity", `{"name":1}`, "SerializationException", 400},
		"huge number":     {"ListActivities", `{"maxResults":1e400}`, "", 400},
		"a fraction":      {"ListActivities", `{"maxResults":1.5}`, "SerializationException", 400},
		"large number":    {"ListActivities", `{"maxResults":1001}`, "1 validation error detected: Value '1001' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 1000", 400},
		"nothing":         {"CreateActivity", ``, "1 validation error detected: Value null at 'name' failed to satisfy constraint: Member must not be null", 400},
		"too long":        {"CreateActivity", `{"name":"` + long + `"}`, "Value '" + long + "' at 'name' failed to satisfy constraint: Member must have length less than or equal to 80", 400},
		"two":             {"CreateStateMachine", `{"name":"","definition":"x"}`, "2 validation errors detected: Value '' at 'name' failed to satisfy constraint: Member must have length greater than or equal to 1; Value null at 'roleArn'", 400},
		"a name":          {"CreateActivity", `{"name":"a b"}`, "Invalid Name: 'a b'", 400},
		"an enum":         {"ListExecutions", `{"statusFilter":"X"}`, "Member must satisfy enum value set: [RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED, PENDING_REDRIVE]", 400},
		"other case":      {"CreateActivity", `{"NAME":"x"}`, "Value null at 'name'", 400},
		"unknown action":  {"DropDatabase", `{}`, "UnknownOperationException", 404},
		"a large payload": {"StartExecution", `{"stateMachineArn":"arn:iap:states:::stateMachine:x","input":"` + strings.Repeat("1", 262_145) + `"}`, "Value at 'input' failed to satisfy constraint: Member must have length less than or equal to 262144", 400},
		"a large body":    {"CreateActivity", `{"name":"` + strings.Repeat("x", 9<<20) + `"}`, "RequestEntityTooLargeException", 413},
	} {
		status, body := h.post(c.action, c.body)
		if status != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%s: %d %.300s", name, status, body)
		}
		if !json.Valid([]byte(body)) {
			t.Errorf("%s: the answer is not JSON: %.300s", name, body)
		}
	}
	if status, body := h.post("ListActivities", "{}"); status != 200 || body != `{"activities":[]}` {
		t.Errorf("afterwards: %d %s", status, body)
	}
	r := h.signed("ListActivities", "{}", h.now())
	r.Header.Set("Content-Type", "text/plain")
	if status, body := h.send(r); status != http.StatusUnsupportedMediaType {
		t.Errorf("another content type: %d %s", status, body)
	}
	if status, _ := h.send(httptest.NewRequest(http.MethodGet, sfn.Prefix, nil)); status != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", status)
	}
}
