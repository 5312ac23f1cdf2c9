package cli

import (
	"fmt"
	"time"

	"github.com/internal-app-portal/iap/client"
)

// The colours of a terminal by what they mean.
const (
	styleReset   = "\x1b[0m"
	styleDim     = "\x1b[2m"
	styleBold    = "\x1b[1m"
	styleWorking = "\x1b[34m"
	styleRunning = "\x1b[32m"
	styleEnding  = "\x1b[33m"
	styleFailed  = "\x1b[31m"
)

func paint(on bool, style, s string) string {
	if !on || style == "" {
		return s
	}
	return style + s + styleReset
}

// styleOf returns the colour of an instance's or a job's status.
func styleOf(status string) string {
	switch status {
	case client.StatusDeploying, client.StatusChecking:
		return styleWorking
	case client.StatusRunning, "succeeded":
		return styleRunning
	case client.StatusDestroying, "cancelled":
		return styleEnding
	case client.StatusDeployFailed, client.StatusDestroyFailed, "failed", "timed_out":
		return styleFailed
	}
	return styleDim
}

// statusWords is a status for a person.
func statusWords(status string) string {
	switch status {
	case client.StatusDeployFailed:
		return "deploy failed"
	case client.StatusDestroyFailed:
		return "destroy failed"
	case "timed_out":
		return "timed out"
	}
	return printable(status)
}

// clock writes a time as the reader's clock shows it: "today 19:00",
// "tomorrow 07:00", "Fri 27 Nov 19:00".
func clock(t, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	t, now = t.Local(), now.Local()
	day := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 12, 0, 0, 0, time.UTC) }
	switch day(t).Sub(day(now)) {
	case 0:
		return "today " + t.Format("15:04")
	case 24 * time.Hour:
		return "tomorrow " + t.Format("15:04")
	case -24 * time.Hour:
		return "yesterday " + t.Format("15:04")
	}
	if t.Year() == now.Year() {
		return t.Format("Mon 2 Jan 15:04")
	}
	return t.Format("2 Jan 2006 15:04")
}

// secondsText writes a length of time as the progress shows it.
func secondsText(d time.Duration) string {
	if d < 0 {
		d = 0
	}
	if d < time.Minute {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}
