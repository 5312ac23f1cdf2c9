package api_test

import (
	"regexp"
	"testing"

	"github.com/internal-app-portal/iap/api/apitest"
)

// TestTimesAreMilliseconds looks at every time that the API tells.
func TestTimesAreMilliseconds(t *testing.T) {
	p := apitest.New(t, nil)
	i := deploy(t, p, apitest.JaneToken, "todo")
	form := regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$`)
	times := regexp.MustCompile(`"(?:at|time|[a-z]+_at)":"([^"]*)"`)
	for _, path := range []string{"/instances", "/instances/" + i.ID, "/instances/" + i.ID + "/events", "/instances/" + i.ID + "/progress",
		"/instances/" + i.ID + "/jobs", "/jobs", "/apps", "/apps/todo", "/apps/todo/versions"} {
		_, body := call(t, p, apitest.JaneToken, "GET", "/api/v1"+path, "")
		found := times.FindAllStringSubmatch(body, -1)
		if len(found) == 0 {
			t.Errorf("%s tells no time: %s", path, body)
		}
		for _, f := range found {
			if !form.MatchString(f[1]) {
				t.Errorf("%s: %s", path, f[0])
			}
		}
	}
}
