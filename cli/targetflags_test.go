package cli_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/internal-app-portal/iap/cli"
)

// TestTargetFlags: the flags of the table of kinds become the settings of a target,
// and those of another kind are refused before anything is asked of the portal.
func TestTargetFlags(t *testing.T) {
	bodies := make(chan string, 1)
	portal := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		bodies <- string(b)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"name":"t"}`)
	}))
	t.Cleanup(portal.Close)
	t.Setenv("IAP_SERVER", portal.URL)
	run := func(flags ...string) (int, string) {
		var out bytes.Buffer
		code := cli.Main(t.Context(), append([]string{"target", "add", "t"}, flags...), strings.NewReader(""), &out, &out, cli.Hooks{})
		return code, out.String()
	}
	for want, flags := range map[string][]string{
		`"kind":"webhook","settings":{"url":"https://a.example","allow":["10.0.0.0/8"],"private":true}`: {"--webhook", "https://a.example", "--allow", "10.0.0.0/8", "--allow-private"},
		`"kind":"chat","settings":{"url":"https://a.example","format":"teams","text":"data.text"}`:      {"--chat", "https://a.example", "--format", "teams", "--text", "data.text"},
		`"kind":"mail","settings":{"to":["a@example.com","b@example.com"]}`:                             {"--mail", "a@example.com", "--mail", "b@example.com"},
		`"kind":"topic","settings":{"url":"nats://events"}`:                                             {"--topic", "nats://events"},
		`"kind":"task","settings":{"state":"Build","of":"data.id","output":"data"}`:                     {"--task-of", "data.id", "--state", "Build", "--result", "data"},
	} {
		code, out := run(flags...)
		if body := <-bodies; code != 0 || !strings.Contains(body, want) {
			t.Errorf("%v: exit %d, %s\nsent %s\nwant %s", flags, code, out, body, want)
		}
	}
	for says, flags := range map[string][]string{
		"--text is not for a target of kind webhook": {"--webhook", "https://a.example", "--text", "x"},
		"--chat URL, --mail ADDRESS":                 {"--topic", "nats://a", "--mail", "a@example.com"},
		"say what the target is":                     {},
	} {
		if code, out := run(flags...); code != 2 || !strings.Contains(out, says) {
			t.Errorf("%v: exit %d, %s", flags, code, out)
		}
	}
}
