package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestTheProvidersVersion has doctor name what the mirror holds.
func TestTheProvidersVersion(t *testing.T) {
	dir := t.TempDir()
	platform := runtime.GOOS + "_" + runtime.GOARCH
	at := filepath.Join(dir, "registry.example", "kreuzwerker", "docker")
	for _, p := range []string{filepath.Join(at, "4.6.0", platform), filepath.Join(at, "9.9.9", "plan9_mips")} {
		if err := os.MkdirAll(p, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(at, "terraform-provider-docker_3.6.2_"+platform+".zip"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	rc := filepath.Join(dir, "terraform.rc")
	t.Setenv("TF_CLI_CONFIG_FILE", rc)
	for text, want := range map[string]string{
		fmt.Sprintf("provider_installation {\n filesystem_mirror {\n  path = %q\n }\n direct {}\n}\n", dir): "version 3.6.2, 4.6.0, taken as " + rc,
		"provider_installation {\n filesystem_mirror {\n  path = \"/nosuch\"\n }\n}\n":                      "taken as " + rc,
		"garbage {": "taken as " + rc,
	} {
		if err := os.WriteFile(rc, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if f := checkProvider(t.Context(), nil); f.State != stateOK || !strings.HasPrefix(f.Found, want) {
			t.Errorf("%s: got %+v, want %q", text, f, want)
		}
	}
}
