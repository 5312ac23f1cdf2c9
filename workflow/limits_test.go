package workflow_test

import (
	"strings"
	"testing"

	"github.com/internal-app-portal/iap/workflow"
)

// TestLimits: what is too large or too long fails with AWS's errors, the first
// of which can be caught.
func TestLimits(t *testing.T) {
	h := newHouse(t)
	h.Limits.PayloadBytes, h.Limits.HistoryEvents = 1000, 200
	h.Boundless = []string{"free"}
	const twice = `"Parameters":{"a.$":"$","b.$":"$"}`
	h.create(t, "large", "STANDARD", `{"StartAt":"P","States":{"P":{"Type":"Pass",`+twice+`,"End":true}}}`)
	h.create(t, "caught", "STANDARD", `{"StartAt":"M","States":{"M":{"Type":"Parallel","End":true,"Branches":[{"StartAt":"P","States":{"P":{"Type":"Pass",`+twice+
		`,"End":true}}}],"Catch":[{"ErrorEquals":["States.DataLimitExceeded"],"ResultPath":null,"Next":"Small"}]},"Small":{"Type":"Pass","Result":1,"End":true}}}`)
	h.create(t, "result", "STANDARD", tryState)
	h.create(t, "endless", "STANDARD", `{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"},"B":{"Type":"Choice","Choices":[{"Variable":"$","IsNull":true,"Next":"C"}],"Default":"A"},"C":{"Type":"Succeed"}}}`)
	const counts = `{"StartAt":"A","States":{"A":{"Type":"Pass","Parameters":{"n.$":"States.MathAdd($.n, 1)"},"Next":"B"},
		"B":{"Type":"Choice","Choices":[{"Variable":"$.n","NumericLessThan":300,"Next":"A"}],"Default":"C"},"C":{"Type":"Succeed"}}}`
	h.create(t, "free", "STANDARD", counts)
	h.create(t, "bound", "STANDARD", counts)
	long := `"` + strings.Repeat("x", 700) + `"`
	h.works <- `"` + strings.Repeat("x", 2000) + `"`
	for _, c := range []struct{ machine, input, status, err, cause string }{
		{"large", long, "FAILED", "States.DataLimitExceeded", "exceeding the maximum number of bytes service limit"},
		{"caught", long, "SUCCEEDED", "", ""},
		{"result", `{}`, "FAILED", "States.DataLimitExceeded", "exceeding the maximum number of bytes service limit"},
		{"endless", `{}`, "FAILED", "States.Runtime", "the maximum number of history events (200)"},
		{"bound", `{"n":0}`, "FAILED", "States.Runtime", "the maximum number of history events (200)"},
		{"free", `{"n":0}`, "SUCCEEDED", "", ""},
	} {
		id := h.begin(t, c.machine, c.input)
		x := h.wait(t, id)
		if string(x.Status) != c.status || x.Error != c.err || !strings.Contains(x.Cause, c.cause) {
			t.Errorf("%s: %s %s: %s", c.machine, x.Status, x.Error, x.Cause)
		}
		if c.err != "States.Runtime" {
			continue
		}
		if events, err := h.db.History(t.Context(), id, 0, 1000); err != nil || len(events) != 200 {
			t.Errorf("%s: the history has %d events, %v", c.machine, len(events), err)
		}
		_, err := h.Redrive(t.Context(), id)
		isNotRedrivable(t, err, "Execution history event limit exceeded")
	}
	if _, _, err := h.machines.Start(t.Context(), workflow.StartMachine{ARN: workflow.MachineARN("free"), Input: []byte(`"` + strings.Repeat("x", 2000) + `"`)}); err == nil {
		t.Error("an input that is too large was taken")
	}
}
