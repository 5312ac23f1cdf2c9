package cli

import (
	"bytes"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/client"
)

// TestDisplay has steps told as they end, once each, and not those that were
// over before.
func TestDisplay(t *testing.T) {
	at := time.UnixMilli(1_700_000_000_000)
	step := func(name, state, note string, end time.Duration) client.ProgressStep {
		return client.ProgressStep{Name: name, Title: name, State: state, Note: note, StartedAt: at, EndedAt: at.Add(end)}
	}
	var out bytes.Buffer
	r := &run{err: &out, now: func() time.Time { return at }}
	d := newDisplay(r, client.Progress{Steps: []client.ProgressStep{step("queue", "done", "", time.Second), step("verify", "failed", "", time.Second)}})
	defer d.close()
	for _, steps := range [][]client.ProgressStep{
		{step("queue", "done", "", time.Second), step("create", "active", "waiting for Docker", 0)},
		{step("queue", "done", "", time.Second), step("create", "active", "waiting for Docker", 0)},
		{step("create", "done", "stopped", 2*time.Second), step("check", "failed", "", 3*time.Second)},
		{step("create", "done", "stopped", 2*time.Second), step("check", "failed", "", 4*time.Second), step("verify", "failed", "", 5*time.Second)},
	} {
		d.update(client.Progress{Steps: steps})
	}
	want := "create: waiting for Docker\ncreate stopped 2.0 s\ncheck failed 3.0 s\nverify failed 5.0 s\n"
	if got := out.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
