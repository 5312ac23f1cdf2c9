package send

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/event/delivery"
)

// The bounds of a message to people.
const (
	maxTitle = 150  // runes; as Slack allows in a header
	maxText  = 2800 // runes; Slack allows 3000 with what is put around it
	maxFact  = 300  // runes
	maxFacts = 12
)

// note is what people are told of an event.
type note struct {
	Title string
	Text  string      // empty: the facts tell it
	Facts [][2]string // names and values
	Link  string      // to a page of the portal
	About string      // "event 4711, iap.leak.found, 28 Nov 2026 17:54 UTC"
}

// lines are the text or the facts.
func (n note) lines() string {
	if n.Text != "" {
		return n.Text
	}
	var out []string
	for _, f := range n.Facts {
		out = append(out, f[0]+": "+f[1])
	}
	return strings.Join(out, "\n")
}

// newNote puts an event into words, or takes those of the target. An error is
// that of an expression of the target.
func newNote(portal string, t delivery.Target, e event.Event) (note, error) {
	var data map[string]any
	_ = json.Unmarshal(e.Data, &data) // what is no object has no facts
	n := note{Title: titleOf(e, data), Link: linkOf(portal, e, data)}
	if e.Type == event.InstanceEnding {
		delete(data, "keep") // it is the link
	}
	n.Facts = factsOf(data)
	n.About = strings.TrimSpace(e.Type + ", " + e.Time.UTC().Format("2 Jan 2006 15:04 MST"))
	if e.Number > 0 {
		n.About = fmt.Sprintf("event %d, %s", e.Number, n.About)
	}
	if err := n.reword(t, e); err != nil && e.Type != event.Test {
		return n, err
	}
	n.Title, n.Text = clip(oneLine(n.Title), maxTitle), clip(n.Text, maxText)
	return n, nil
}

// reword puts a target's own words in place. They are made for the events that
// its rules choose, so that a test of the target, which has other data, may go
// without them.
func (n *note) reword(t delivery.Target, e event.Event) error {
	title, err := textOf("title", t.Settings.Title, e)
	if err != nil {
		return err
	}
	text, err := textOf("text", t.Settings.Text, e)
	if err != nil {
		return err
	}
	n.Text = text
	if title != "" {
		n.Title = title
	}
	return nil
}

// titleOf says what happened.
func titleOf(e event.Event, data map[string]any) string {
	of := func(name string) string { return valueText(data[name]) }
	switch e.Type {
	case event.InstanceChanged:
		return fmt.Sprintf("%s of %s: %s", of("app"), of("owner"), strings.ReplaceAll(of("status"), "_", " "))
	case event.InstanceEnding:
		return fmt.Sprintf("%s of %s ends in %s minutes", of("app"), of("owner"), of("minutes"))
	case event.JobChanged:
		return fmt.Sprintf("%s of %s for %s: %s", of("kind"), of("app"), of("owner"), of("status"))
	case event.AppChanged:
		return fmt.Sprintf("App %s has changed", of("slug"))
	case event.LeakFound:
		return fmt.Sprintf("Something is left of %s", of("host_name"))
	case event.DeliveryDead:
		return fmt.Sprintf("A delivery to %s was given up", of("target"))
	case event.RedriveChanged:
		return fmt.Sprintf("Redrive: %s of %s done", of("done"), of("total"))
	case event.SweepFinished:
		return fmt.Sprintf("Sweep: %s destroyed, %s kept, %s failed", of("destroyed"), of("kept"), of("failed"))
	case event.ScheduleFired:
		return fmt.Sprintf("Schedule %s: %s", of("name"), of("outcome"))
	case event.Test:
		return "A test of the target " + e.Subject
	}
	if title := of("title"); title != "" {
		return title
	}
	return strings.TrimSpace(e.Type + " " + e.Subject)
}

// factsOf are the simple values of an event's data by their names.
func factsOf(data map[string]any) (out [][2]string) {
	names := make([]string, 0, len(data))
	for name := range data {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if v := valueText(data[name]); v != "" && len(out) < maxFacts {
			out = append(out, [2]string{strings.ReplaceAll(name, "_", " "), clip(v, maxFact)})
		}
	}
	return out
}

// valueText is a simple value as people read it; empty for any other.
func valueText(v any) string {
	switch v := v.(type) {
	case string:
		if at, err := time.Parse(time.RFC3339Nano, v); err == nil {
			return at.UTC().Format("2 Jan 2006 15:04 MST")
		}
		return v
	case bool:
		return map[bool]string{true: "yes", false: "no"}[v]
	case float64:
		return fmt.Sprint(v)
	case []any:
		return fmt.Sprintf("%d", len(v))
	}
	return ""
}

// linkOf is the page that shows more; empty: there is none.
func linkOf(portal string, e event.Event, data map[string]any) string {
	for _, name := range []string{"url", "keep"} {
		if path, _ := data[name].(string); strings.HasPrefix(path, "/") {
			return portal + path
		}
	}
	if id, _ := data["instance"].(string); iap.ValidID(id) {
		return portal + "/instances/" + id
	}
	if e.Source == "/instances" {
		return portal + "/instances/" + e.Subject
	}
	return ""
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// clip cuts a text to n runes.
func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
