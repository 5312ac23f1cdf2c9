package cli_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/internal-app-portal/iap/cli"
	"github.com/internal-app-portal/iap/event"
)

// serveWith runs the command with a configuration, and returns the section events that
// the portal gets.
func serveWith(t *testing.T, configuration string) (got event.Settings, out string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "iap.yaml")
	if err := os.WriteFile(file, []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	cli.Main(t.Context(), []string{"serve", "--dev", "--config", file}, strings.NewReader(""), &b, &b,
		cli.Hooks{Serve: func(_ context.Context, flags cli.ServeFlags) error { got = flags.Events; return nil }})
	return got, b.String()
}

func TestEventsInTheConfiguration(t *testing.T) {
	got, out := serveWith(t, `
events:
  sources:
    - {name: ci, secret: whsec_x}
  subscriptions:
    - {name: builds, url: "rabbit://builds"}
  mail: {server: "smtp.example.com:587", tls: starttls, ca: /ca.pem, user: portal, password: secret, from: "Portal <p@example.com>"}
  keep: {age: 720h, count: 1000}
`)
	want := event.Settings{Sources: []event.SignedSource{{Name: "ci", Secret: "whsec_x"}}, Subscriptions: []event.Subscribed{{Name: "builds", URL: "rabbit://builds"}},
		Mail: event.MailServer{Server: "smtp.example.com:587", TLS: "starttls", CA: "/ca.pem", User: "portal", Password: "secret", From: "Portal <p@example.com>"},
		Keep: &event.Keep{Age: 720 * time.Hour, Count: 1000}}
	if d := cmp.Diff(want, got); d != "" || out != "" {
		t.Errorf("%s%s", out, d)
	}
}

func TestWrongEventsInTheConfiguration(t *testing.T) {
	for says, configuration := range map[string]string{
		`line 2: unknown key "post"`:                "events:\n  post: {}\n",
		`line 3: unknown key "host"`:                "events:\n  mail:\n    host: smtp.example.com\n",
		`line 3: unknown key "uri"`:                 "events:\n  subscriptions:\n    - uri: nats://a\n",
		`line 2: a mapping with age, count belongs`: "events:\n  keep: 90 days\n",
		`line 2: events:`:                           "events:\n  keep: {age: 90 days}\n",
	} {
		if _, out := serveWith(t, configuration); !strings.Contains(out, says) {
			t.Errorf("%q: %s", configuration, out)
		}
	}
}
