package local

import (
	"regexp"
	"strings"

	"github.com/internal-app-portal/iap/job"
)

// maxReason is the length in bytes at which a reason is cut.
const maxReason = 800

// reason returns two or three lines that say what went wrong, for a person:
// what, why, where. Where a condition of the portal's own bundle stands is
// nothing that a person could look up.
func (r *report) reason(builtIn bool) string {
	if d := r.first; d != nil {
		lines := []string{strings.TrimSpace(sanitise(d.Summary))}
		condition := isCondition(lines[0])
		switch detail := paragraph(sanitise(d.Detail)); {
		case detail == "" || detail == lines[0]:
		case condition:
			lines[0] = detail
		default:
			lines = append(lines, detail)
		}
		if at := sanitise(d.where()); at != "" && !(condition && builtIn) {
			lines = append(lines, "At "+at)
		}
		return strings.Join(lines, "\n")
	}
	return strings.Join(lastError(r.tail), "\n")
}

// isCondition reports whether a summary says only that a condition of the
// bundle does not hold; what that means is what the bundle's author wrote.
func isCondition(summary string) bool {
	switch summary {
	case "Resource precondition failed", "Resource postcondition failed", "Module output value precondition failed", "Check block assertion failed":
		return true
	}
	return false
}

// paragraph returns the first paragraph of a text on one line, cut to size.
func paragraph(text string) string {
	text, _, _ = strings.Cut(strings.TrimSpace(text), "\n\n")
	return cut(strings.Join(strings.Fields(text), " "), maxReason)
}

// cut shortens a text at a character.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && s[limit]&0xc0 == 0x80 {
		limit--
	}
	return s[:limit] + "…"
}

// lastError returns at most three of the lines that a tool printed as text:
// those from the first that says what is wrong, else the last ones.
func lastError(lines []string) []string {
	var out []string
	for _, line := range lines {
		line = strings.TrimSpace(strings.Trim(line, "╷│╵ "))
		general := len(out) > 0 && strings.Contains(out[0], "encountered problems during init")
		if strings.HasPrefix(line, "Error: ") && (out == nil || general) {
			out = []string{strings.TrimPrefix(line, "Error: ")}
		} else if out != nil && line != "" && len(out) < 3 {
			out = append(out, cut(line, maxReason))
		}
	}
	if out == nil {
		out = lines[max(0, len(lines)-2):]
	}
	return out
}

// What the tools say of causes that they have no name for. The expressions are
// compiled when they are needed, because each job starts this program.
const (
	// dockerGone: the engine does not answer.
	dockerGone = `(?i)cannot connect to the docker daemon|is the docker daemon running|` +
		`failed to connect to the docker api|error during connect:|error pinging docker server|` +
		`docker[^\n]*(connection refused|connection reset by peer|no such file or directory|context deadline exceeded|i/o timeout)`
	// aboutState and unanswered together: the portal's store of states does
	// not answer.
	aboutState = `(?i)the state lock|(loading|saving) state|failed to (get|upload) state|persist state`
	unanswered = `(?i)giving up after|connection (refused|reset)|HTTP error: 5|response code:? 5|i/o timeout`
	// pluginGone: a provider process cannot be talked to.
	pluginGone = `(?i)reattachment process not found|failed to instantiate provider|` +
		`plugin did not respond|plugin (process )?(crashed|exited)|transport is closing|connection is shutting down|` +
		`could not load the schema|failed to (load|obtain)[^\n]*schema|rpc error: code = unavailable|` +
		`incompatible api version with plugin|unrecognized remote plugin`
	// notReady: a bundle must be initialised again.
	notReady = `(?i)required plugins are not installed|inconsistent dependency lock file|` +
		`backend initialization required|module not installed|there is no package for[^\n]*cached`
)

// says reports whether the errors are of a kind.
func (r *report) says(expression string) bool {
	return regexp.MustCompile(expression).Match(r.text)
}

// classify returns the name of the error, and better words than the tool's
// where there are some.
func (r *report) classify(spec job.Spec) (name, reason string) {
	name = job.ErrApplyFailed
	if spec.Kind == job.Destroy {
		name = job.ErrDestroyFailed
	}
	reason = r.reason(spec.BuiltIn)
	switch {
	case r.says(dockerGone):
		return job.ErrUnavailable, "Docker does not answer.\n" + reason
	case r.says(aboutState) && r.says(unanswered):
		return job.ErrUnavailable, "The portal's store of Terraform states did not answer.\n" + reason
	}
	return name, reason
}
