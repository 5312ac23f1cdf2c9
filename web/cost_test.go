package web_test

import (
	"net/http"
	"strings"
	"testing"
)

// TestCostPage: the chart has its numbers in a table, and a file has them too.
func TestCostPage(t *testing.T) {
	p := start(t)
	resp, page := p.do(http.MethodGet, "/cost?month=2026-11", me, nil)
	for _, want := range []string{`<svg viewBox="0 0 720 216" role="img" aria-label=`, `<rect class="ran"`, `<title>2026-11-01: EUR 0.20 saved</title>`,
		"<td>2026-11-01</td>", "November 2026", `href="/cost.csv?month=2026-11"`, "ran 10.0 hours: EUR 0.50, 0.03 kWh"} {
		if !strings.Contains(page, want) {
			t.Errorf("%d: the page lacks %s", resp.StatusCode, want)
		}
	}
	resp, file := p.do(http.MethodGet, "/cost.csv?month=2026-11", me, nil)
	if !strings.HasPrefix(file, "month,person,app") || !strings.Contains(resp.Header.Get("Content-Disposition"), "cost-2026-11.csv") {
		t.Errorf("the file: %q, %v", file, resp.Header)
	}
	if resp, wrong := p.do(http.MethodGet, "/cost?month=never", me, nil); resp.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(wrong, "is no month") {
		t.Errorf("a wrong month: %d", resp.StatusCode)
	}
}
