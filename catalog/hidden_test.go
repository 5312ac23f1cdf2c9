package catalog_test

import (
	"strings"
	"testing"

	"github.com/internal-app-portal/iap"
)

// TestHiddenCharacters has values refused that are not what they look like.
func TestHiddenCharacters(t *testing.T) {
	m := manifest(t, minimal+"parameters: [{name: title}, {name: key, secret: true}]")
	for _, r := range "\x00\x01\x1b\x7f\u0085\u00ad\u061c\u200b\u200c\u200d\u200e\u200f\u2028\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff\U000e0041" {
		for _, name := range []string{"title", "key"} {
			_, _, err := m.Resolve(map[string]any{name: "gpj" + string(r) + "exe"})
			f := iap.Fields(err)
			if len(f) != 1 || f[0].Field != "parameters."+name || strings.ContainsRune(err.Error(), r) {
				t.Errorf("%U in %s: %v", r, name, err)
			}
		}
	}
	_, _, err := m.Resolve(map[string]any{"title": "gpj\u202eexe"})
	if want := "has the invisible character U+202E, which"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v does not say %q", err, want)
	}
	for _, text := range []string{"plain", "two\nlines\tand\r\nmore", "👩‍👩‍👧 ❤️‍🔥 👍🏽", "می‌خواهم", "Zürich", "日本語", "عربي", "क्‍ष"} {
		if params, _, err := m.Resolve(map[string]any{"title": text}); err != nil || params["title"] != text {
			t.Errorf("%q: %v", text, err)
		}
	}
}
