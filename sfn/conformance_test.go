package sfn_test

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	iap "github.com/internal-app-portal/iap"
)

// casesDir holds requests that were recorded from AWS.
var casesDir = filepath.Join("..", "..", "shared", "conformance")

// refusedCase is a request that AWS refused.
type refusedCase struct {
	ID      string
	Op      string
	Request json.RawMessage
	Expect  json.RawMessage
}

// want returns the code and the message of the exception; some are recorded as
// the text that a client printed.
func (c refusedCase) want(t *testing.T) (code, message string) {
	var e struct {
		Error struct{ Code, Message string }
	}
	if json.Unmarshal(c.Expect, &e) == nil && e.Error.Code != "" {
		return e.Error.Code, e.Error.Message
	}
	var text string
	if err := json.Unmarshal(c.Expect, &text); err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?s)^An error occurred \((\w+)\) when calling the \w+ operation: (.*)$`).FindStringSubmatch(text)
	if m == nil {
		return "", text
	}
	return m[1], m[2]
}

// waived are the cases that cannot be met, with the reason.
var waived = map[string]string{
	"null_required_parameter": "the client refused it, the request never reached AWS",
}

func readCases(t *testing.T, name string) (out []refusedCase) {
	f, err := os.Open(filepath.Join(casesDir, name))
	if err != nil {
		t.Skipf("skipped: the recorded cases are not beside the project: %v", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var c refusedCase
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		out = append(out, c)
	}
	return out
}

// TestRefusedAsByAWS sends what AWS refused and compares code and message.
func TestRefusedAsByAWS(t *testing.T) {
	cases := readCases(t, "create-error.jsonl")
	h := newHarness(t)
	passed, total := 0, 0
	for _, c := range cases {
		_, name, _ := strings.Cut(c.ID, "#")
		if waived[name] != "" {
			t.Logf("left out: %s: %s", c.ID, waived[name])
			continue
		}
		total++
		code, message := c.want(t)
		gotCode, gotMessage := h.refused(t, c, name)
		if gotCode == code && sameBut(gotMessage, message) {
			passed++
			continue
		}
		t.Logf("%s\n got %s: %.300s\nwant %s: %.300s", c.ID, gotCode, gotMessage, code, message)
	}
	t.Logf("create-error: %d of %d", passed, total)
	if passed*100 < total*95 {
		t.Error("fewer than 95%")
	}
}

// sameBut compares messages; ARNs of AWS stand for the portal's.
func sameBut(got, want string) bool {
	arn := regexp.MustCompile(`arn:[^']*`)
	return arn.ReplaceAllString(got, "ARN") == arn.ReplaceAllString(want, "ARN")
}

// refused sends the request of a case, to a portal in which there is what the
// case was recorded with.
func (h *harness) refused(t *testing.T, c refusedCase, name string) (code, message string) {
	t.Helper()
	var request map[string]any
	if err := json.Unmarshal(c.Request, &request); err != nil {
		t.Fatal(err)
	}
	action := "CreateStateMachine"
	if c.Op == "update_state_machine" {
		action = "UpdateStateMachine"
		request["stateMachineArn"] = h.create("recorded-"+iap.NewID(h.now()), passes)
	}
	if strings.HasPrefix(name, "already_exists") {
		h.create(request["name"].(string), passes)
	}
	body, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	status, answer := h.post(action, string(body))
	if status == 200 {
		return "", "accepted"
	}
	var e struct {
		Type    string `json:"__type"`
		Message string
	}
	if err := json.Unmarshal([]byte(answer), &e); err != nil {
		t.Fatal(err)
	}
	_, code, _ = strings.Cut(e.Type, "#")
	return code, e.Message
}

// TestValidatedAsByAWS compares the diagnostics of definitions.
func TestValidatedAsByAWS(t *testing.T) {
	h := newHarness(t)
	for _, c := range readCases(t, "validate.jsonl") {
		status, answer := h.post("ValidateStateMachineDefinition", string(c.Request))
		var got, want any
		if err := json.Unmarshal([]byte(answer), &got); err != nil || status != 200 {
			t.Fatalf("%d %s", status, answer)
		}
		if err := json.Unmarshal(c.Expect, &want); err != nil {
			t.Fatal(err)
		}
		a, _ := json.Marshal(got)
		b, _ := json.Marshal(want)
		if string(a) != string(b) {
			t.Errorf("%s\n got %s\nwant %s", c.ID, a, b)
		}
	}
}
