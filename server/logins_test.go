package server_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/internal-app-portal/iap/client"
	"github.com/internal-app-portal/iap/event"
)

// TestLoginsAreTold: who signs in, cannot, or signs out is in the log, for whom it
// concerns; tokens that are tried do not fill it.
func TestLoginsAreTold(t *testing.T) {
	p, tokens := company(t)
	jar, _ := cookiejar.New(nil)
	browser := &http.Client{Jar: jar, Transport: loopbackTransport()}
	post := func(path string, form url.Values) {
		t.Helper()
		res, err := browser.PostForm(p.URL()+path, form)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
	}
	post("/login", url.Values{"token": {tokens["jane"]}})
	post("/logout", nil)
	for range 40 {
		post("/login", url.Values{"token": {"guess"}})
	}
	told := func(c *client.Client) map[string]int {
		t.Helper()
		list, err := c.EventLog(t.Context(), client.EventFilter{Type: "iap.login.*"})
		if err != nil {
			t.Fatal(err)
		}
		n := map[string]int{}
		for _, e := range list.Items {
			n[e.Type]++
			if strings.Contains(string(e.Data), "guess") || !strings.Contains(string(e.Data), `"address":"127.0.0.1"`) {
				t.Errorf("%s says %s", e.Type, e.Data)
			}
		}
		return n
	}
	n := told(p.Client)
	if n["iap.login.succeeded"] != 1 || n["iap.login.ended"] != 1 || n["iap.login.failed"] < 10 || n["iap.login.failed"] >= 40 {
		t.Errorf("an admin sees %v", n)
	}
	if n := told(p.as(tokens["jane"])); n["iap.login.succeeded"] != 1 || n["iap.login.failed"] != 0 {
		t.Errorf("jane sees %v", n)
	}
	if n := told(p.as(tokens["joe"])); len(n) != 0 {
		t.Errorf("joe sees %v", n)
	}
}

// TestChangedSettingsAreTold once, without secrets.
func TestChangedSettingsAreTold(t *testing.T) {
	cfg := testConfig(t)
	told := func() (out []string) {
		t.Helper()
		s, c := boot(t, cfg)
		defer func() { _ = s.Stop(context.Background()) }()
		list, err := c.EventLog(t.Context(), client.EventFilter{Type: "iap.setting.changed"})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range list.Items {
			if e.Subject != "portal-url" { // its port is a new one each time
				out = append(out, string(e.Data))
			}
		}
		return out
	}
	if got := told(); len(got) != 0 {
		t.Errorf("the first start tells %v", got)
	}
	cfg.ParallelJobs, cfg.Events.Mail.Server, cfg.Events.Mail.From = 7, "smtp.example.com", "portal@example.com"
	const want = `{"after":"7","before":"0","name":"parallel-jobs"} {"name":"events"}`
	for range 2 {
		got := told()
		slices.Sort(got)
		if text := strings.Join(got, " "); text != want {
			t.Errorf("it tells %s, want %s", text, want)
		}
	}
}

// TestEventThatIsGone: what is not kept any more is answered with what is.
func TestEventThatIsGone(t *testing.T) {
	cfg := testConfig(t)
	first, c := boot(t, cfg)
	for batch := range 3 { // so many that they are noted as matched
		var all []string
		for i := range 400 {
			all = append(all, fmt.Sprintf(`{"specversion":"1.0","id":"%d.%d","source":"/test","type":"some.thing"}`, batch, i))
		}
		if _, err := c.SendEvents(t.Context(), []byte("["+strings.Join(all, ",")+"]")); err != nil {
			t.Fatal(err)
		}
	}
	if err := first.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	cfg.Events.Keep = &event.Keep{Count: 1}
	c = bootFor(t, cfg)
	for {
		_, err := c.EventAt(t.Context(), 1)
		if err != nil {
			wantStatus(t, "an event that is gone", err, http.StatusGone)
			break
		}
	}
	err := c.Follow(t.Context(), client.Follow{After: 1, All: true})
	wantStatus(t, "a stream from there", err, http.StatusGone)
	if err == nil || !strings.Contains(err.Error(), "the oldest has the number") {
		t.Errorf("it says %v", err)
	}
}
