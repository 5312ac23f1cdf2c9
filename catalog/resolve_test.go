package catalog_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/catalog"
)

func manifest(t *testing.T, src string) catalog.Manifest {
	t.Helper()
	m, err := catalog.ParseManifest([]byte(src))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestResolve(t *testing.T) {
	m := manifest(t, full)
	defaults := map[string]any{"title": "Board", "seats": 4.0, "open": true, "colour": "red", "password": "p"}
	with := func(changes map[string]any) map[string]any {
		out := map[string]any{}
		for k, v := range defaults {
			out[k] = v
		}
		for k, v := range changes {
			out[k] = v
		}
		return out
	}
	for _, c := range []struct{ input, want map[string]any }{
		{map[string]any{}, nil},
		{map[string]any{"title": "Mine"}, map[string]any{"title": "Mine"}},
		{map[string]any{"seats": "7"}, map[string]any{"seats": 7.0}},
		{map[string]any{"seats": json.Number("7.5")}, map[string]any{"seats": 7.5}},
		{map[string]any{"seats": ""}, nil},
		{map[string]any{"open": "off"}, map[string]any{"open": false}},
		{map[string]any{"open": false}, map[string]any{"open": false}},
		{map[string]any{"colour": "3"}, map[string]any{"colour": "3"}},
		{map[string]any{"colour": 3.0}, map[string]any{"colour": "3"}},
	} {
		c.input["password"] = "p"
		params, env, err := m.Resolve(c.input)
		if err != nil {
			t.Errorf("%v: %v", c.input, err)
			continue
		}
		if diff := cmp.Diff(with(c.want), params); diff != "" {
			t.Errorf("%v: %s", c.input, diff)
		}
		if want := params["title"].(string) + " for $5"; env["TITLE"] != want || env["PORT_NUMBER"] != "8080" {
			t.Errorf("%v: the environment is %v", c.input, env)
		}
	}
}

func TestResolveNamesEachMistake(t *testing.T) {
	m := manifest(t, full)
	for _, c := range []struct {
		name  string
		value any
		words string
	}{
		{"titel", "x", `unknown parameter; did you mean "title"?`},
		{"something", "x", "want title, seats, open, colour or password"},
		{"title", "", "does not match"},
		{"title", strings.Repeat("x", 21), "does not match"},
		{"title", 5.0, "want a text"},
		{"title", []any{"x"}, "want a text"},
		{"title", "a\x00b", "not possible"},
		{"title", "a\xffb", "not possible"},
		{"title", strings.Repeat("x", 5000), "at most 4096"},
		{"seats", "many", "no number"},
		{"seats", "0", "at least 1"},
		{"seats", 11, "at most 10"},
		{"seats", "NaN", "no number"},
		{"seats", "0x5", "no number"},
		{"seats", true, "no number"},
		{"open", "perhaps", "neither true nor false"},
		{"open", 1.0, "neither true nor false"},
		{"colour", "gren", `did you mean "green"?`},
		{"colour", nil, ""},
		{"password", "", "is required"},
	} {
		_, _, err := m.Resolve(map[string]any{"password": "p", c.name: c.value})
		if c.words == "" {
			if err != nil {
				t.Errorf("%s = %v: %v", c.name, c.value, err)
			}
			continue
		}
		f := iap.Fields(err)
		if len(f) != 1 || f[0].Field != "parameters."+c.name || !strings.Contains(f[0].Message(), c.words) {
			t.Errorf("%s = %v: got %v, want %q", c.name, c.value, err, c.words)
		}
	}
	_, _, err := m.Resolve(map[string]any{"seats": "x", "open": "x", "no": "x"})
	if got := len(iap.Fields(err)); got != 4 {
		t.Errorf("%d mistakes are named, want 4: %v", got, err)
	}
}

func TestSecretsAreNotQuoted(t *testing.T) {
	m := manifest(t, minimal+"parameters: [{name: key, secret: true, pattern: '^k'}, {name: other}]")
	_, _, err := m.Resolve(map[string]any{"key": "hunter2"})
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
	params, _, err := m.Resolve(map[string]any{"key": "k1", "other": "o"})
	if got := m.Secrets(params); err != nil || !slices.Equal(got, []string{"k1"}) {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestAValueIsNotExpandedAgain(t *testing.T) {
	m := manifest(t, minimal+"environment: {A: '${x}-$y-$$z-${n}'}\nparameters: [{name: x}, {name: n, type: number}]")
	_, env, err := m.Resolve(map[string]any{"x": "${n}$$", "n": 1000000})
	if err != nil || env["A"] != "${n}$$-$y-$z-1000000" {
		t.Errorf("got %v, %v", env, err)
	}
}

func TestUnitsReadWhatTheyWrite(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := catalog.Duration(rapid.Int64Range(0, int64(400*24*time.Hour)).Draw(t, "d"))
		if back, err := catalog.ParseDuration(d.String()); err != nil || back != d {
			t.Fatalf("%d → %s → %d, %v", d, d, back, err)
		}
		m := catalog.Memory(rapid.Int64Range(0, 1<<45).Draw(t, "m"))
		if back, err := catalog.ParseMemory(m.String()); err != nil || back != m {
			t.Fatalf("%d → %s → %d, %v", m, m, back, err)
		}
	})
	for text, want := range map[string]string{"8h": "8h", "90m": "1h30m", "7d": "168h", "1d12h": "36h", "0.5h": "30m"} {
		if d, err := catalog.ParseDuration(text); err != nil || d.String() != want {
			t.Errorf("%s: %s, %v", text, d, err)
		}
	}
	for _, text := range []string{"", "h", "-1h", "1", "1x", "d", "1dd", "1e3s", "99999d", "9999999999h", "1 h"} {
		if d, err := catalog.ParseDuration(text); err == nil {
			t.Errorf("%q is read as %s", text, d)
		}
	}
	for text, want := range map[string]catalog.Memory{"1KB": 1000, "1kib": 1024, "1.5 GiB": 3 << 29, "64MiB": 64 << 20} {
		if m, err := catalog.ParseMemory(text); err != nil || m != want {
			t.Errorf("%s: %d, %v", text, m, err)
		}
	}
	for _, text := range []string{"", "1", "MiB", "-1MiB", "infB", "0x10B", "1e3MiB", "9999999999TiB", "1MiBB"} {
		if m, err := catalog.ParseMemory(text); err == nil {
			t.Errorf("%q is read as %d", text, m)
		}
	}
}
