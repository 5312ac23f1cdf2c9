package web_test

import (
	"strings"
	"testing"

	"github.com/internal-app-portal/iap/event"
)

func TestALongHistorySaysThatItIsCut(t *testing.T) {
	p := start(t)
	const says = "the first 100 and the last 400 events are shown"
	path := "/instances/" + p.ids["running"] + "?tab=events"
	if _, body := p.do("GET", path, "", nil); strings.Contains(body, says) {
		t.Error("a short history says that it is cut")
	}
	for range event.FirstOf + event.LastOf {
		p.tell(&event.Event{Source: "/x", Type: event.LockReleased, Subject: p.ids["running"], Group: p.ids["running"]})
	}
	_, body := p.do("GET", path, "", nil)
	contains(t, body, says)
}
