package cli

import (
	"fmt"
	"time"

	"github.com/internal-app-portal/iap/client"
	"github.com/internal-app-portal/iap/instance"
)

type keepCmd struct {
	Instance string `arg:"" help:"Host name, ID, or a unique part of the host name." complete:"instance"`
	Until    string `help:"Up to when: a clock time here, such as 21:00, or a moment, such as 2026-11-28T21:00:00Z." placeholder:"HH:MM"`
	Reason   string `help:"What it is kept for, in a few words." placeholder:"TEXT"`
	Off      bool   `help:"Keep it no longer."`
}

func (c *keepCmd) Run(r *run) error {
	switch {
	case c.Off && (c.Until != "" || c.Reason != ""):
		return exitf(codeUsage, "--off goes with neither --until nor --reason")
	case !c.Off && c.Until == "":
		return exitf(codeUsage, "say up to when, such as --until 21:00")
	case !c.Off && c.Reason == "":
		return exitf(codeUsage, "say what it is kept for: --reason TEXT")
	}
	cl, err := r.client()
	if err != nil {
		return err
	}
	if c.Off {
		i, err := cl.Release(r.ctx, c.Instance)
		return r.writeKept(i, err)
	}
	until, err := instance.ParseUntil(c.Until, time.Local, r.now()) // a clock time is that of who types it
	if err != nil {
		return exitf(codeUsage, "%w", err)
	}
	i, err := cl.Keep(r.ctx, c.Instance, client.Keep{Until: until.Format(time.RFC3339), Reason: c.Reason})
	return r.writeKept(i, err)
}

// endText says when an instance ends and, where that is not its own time, by
// what.
func endText(i client.Instance, now time.Time) string {
	at := clock(i.EndsAt, now)
	switch {
	case i.End == nil:
	case i.End.By == "nightly_sweep":
		return at + " by the nightly sweep"
	case i.End.By == "idle":
		return at + " unless it is used before"
	}
	return at
}

// keptText says up to when the sweep spares an instance, and what for.
func keptText(i client.Instance, now time.Time) string {
	if i.KeepUntil.IsZero() {
		return ""
	}
	return clock(i.KeepUntil, now) + ": " + i.KeepReason
}

// useText says when an app was used last.
func useText(i client.Instance, now time.Time) string {
	kinds := map[string]string{"request": "a request", "stream": "a stream", "websocket": "a WebSocket"}
	switch a := i.Activity; {
	case a == nil:
		return ""
	case a.Open == 1:
		return "now: " + kinds[a.Kind] + " is open"
	case a.Open > 1:
		return fmt.Sprintf("now: %d connections are open", a.Open)
	default:
		return clock(a.At, now) + " by " + kinds[a.Kind]
	}
}

func (r *run) writeKept(i client.Instance, err error) error {
	switch {
	case err != nil:
		return err
	case r.json():
		return r.writeJSON(i)
	case i.KeepUntil.IsZero():
		r.print("%s%snot kept; ends %s", printable(i.HostName), gap, endText(i, r.now()))
	default:
		r.print("%s%skept until %s; ends %s", printable(i.HostName), gap, clock(i.KeepUntil, r.now()), endText(i, r.now()))
	}
	return nil
}
