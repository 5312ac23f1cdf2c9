package web

import (
	"encoding/json"
	"net/url"
	"strings"

	"github.com/internal-app-portal/iap/event"
)

// eventRef is something that an event is about, with its page.
type eventRef struct {
	What, Text, URL string
	Subject         bool // it is what the event is about in the first place
}

// thing is a kind of thing that has a page for each.
type thing struct{ what, path string }

// subjects are what the subjects of the portal's own events name, by source.
var subjects = map[string]thing{
	"/instances": {"Instance", "/instances/"}, "/jobs": {"Job", "/jobs/"}, "/apps": {"App", "/apps/"},
	"/executions": {"Execution", "/executions/"}, "/map-runs": {"Map run", "/map-runs/"}, "/schedules": {"Schedule", "/schedules/"},
	"/sweeps": {"Sweep", "/sweeps/"}, "/rules": {"Rule", "/rules/"}, "/targets": {"Target", "/targets/"},
	"/deliveries": {"Delivery", "/deliveries/"},
}

// members are what members of the data of the portal's own events name, in the
// order in which they are shown.
var members = []struct {
	name string
	thing
}{{"instance", thing{"Instance", "/instances/"}}, {"job", thing{"Job", "/jobs/"}}, {"execution", thing{"Execution", "/executions/"}},
	{"app", thing{"App", "/apps/"}}, {"state_machine", thing{"State machine", "/machines/"}}, {"delivery", thing{"Delivery", "/deliveries/"}},
	{"target", thing{"Target", "/targets/"}}, {"rule", thing{"Rule", "/rules/"}}}

// eventRefs returns what an event is about and what it belongs to, each once.
// What comes from elsewhere names nothing of the portal's, except by a group.
func eventRefs(e event.Event) []eventRef {
	var refs []eventRef
	add := func(p thing, id, text string, subject bool) {
		address := p.path + url.PathEscape(id)
		for _, r := range refs {
			if r.URL == address {
				return
			}
		}
		refs = append(refs, eventRef{What: p.what, Text: text, URL: address, Subject: subject})
	}
	data := map[string]json.RawMessage{}
	own := strings.HasPrefix(e.Type, "iap.")
	if own {
		_ = json.Unmarshal(e.Data, &data) // what is no object has no members
	}
	if p, ok := subjects[e.Source]; ok && own && e.Subject != "" {
		text := e.Subject
		if name := textOf(data["host_name"]); e.Source == "/instances" && name != "" {
			text = name
		}
		add(p, e.Subject, text, true)
	}
	if e.Group != "" {
		add(subjects["/instances"], e.Group, e.Group, false)
	}
	for _, m := range members {
		if id := textOf(data[m.name]); id != "" {
			add(m.thing, id, id, false)
		}
	}
	return refs
}

// textOf returns a JSON text; empty when it is none.
func textOf(v json.RawMessage) (s string) {
	if json.Unmarshal(v, &s) != nil {
		return ""
	}
	return s
}
