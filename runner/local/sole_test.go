package local

import (
	"os"
	"path/filepath"
	"testing"
)

func TestLockFileOfTheDockerProviderAlone(t *testing.T) {
	const docker, other = "provider \"registry.opentofu.org/kreuzwerker/docker\" {\n  version = \"4.6.0\"\n}\n",
		"provider \"registry.opentofu.org/hashicorp/random\" {\n  version = \"3.6.0\"\n}\n"
	for name, c := range map[string]struct {
		text string
		want bool
	}{
		"alone":              {docker, true},
		"with another":       {docker + other, false},
		"another":            {other, false},
		"none":               {"", false},
		"of another address": {"provider \"example.com/kreuzwerker/docker\" {}\n", false},
		"no HCL":             {"}{", false},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, lockHCL), []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := locksDockerAlone(dir); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestProviderIsConfiguredOnce(t *testing.T) {
	const one = "provider \"docker\" {}\n"
	const sub = `{"Modules":[{"Key":"","Dir":"."},{"Key":"m","Dir":"m"}]}`
	for name, c := range map[string]struct {
		files map[string]string
		want  bool
	}{
		"no block":                   {map[string]string{"main.tf": ""}, true},
		"one block":                  {map[string]string{"main.tf": one}, true},
		"two files":                  {map[string]string{"main.tf": one, "more.tofu": one}, false},
		"one in JSON":                {map[string]string{"main.tf": one, "more.tf.json": `{"provider":{"docker":{}}}`}, false},
		"an override":                {map[string]string{"main.tf": one, "override.tf": one}, false},
		"only an alias":              {map[string]string{"main.tf": "provider \"docker\" {\n alias = \"x\"\n}\n"}, false},
		"a module without":           {map[string]string{"main.tf": one, "m/main.tf": "", ".terraform/modules/modules.json": sub}, true},
		"a module with":              {map[string]string{"main.tf": "", "m/main.tf": one, ".terraform/modules/modules.json": sub}, false},
		"a folder not called":        {map[string]string{"main.tf": one, "m/main.tf": one}, true},
		"a module that is not there": {map[string]string{"main.tf": one, ".terraform/modules/modules.json": sub}, false},
		"a module outside": {map[string]string{"main.tf": one,
			".terraform/modules/modules.json": `{"Modules":[{"Key":"m","Dir":"../m"}]}`}, false},
		"no HCL": {map[string]string{"main.tf": "}{"}, false},
	} {
		dir := t.TempDir()
		for path, text := range c.files {
			path = filepath.Join(dir, path)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got := configuresOnce(dir); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
