package catalog_test

import (
	"strings"
	"testing"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/catalog"
)

const lockOfDocker = `# This file is maintained automatically by "tofu init".
provider "registry.opentofu.org/kreuzwerker/docker" {
  version     = "3.6.2"
  constraints = ">= 3.0.0"
  hashes = [
    "h1:1K3j0xUY2D0+E4DBDQc6k1u6AhKrHHN4XyIJVHFLTGk=",
    "zh:22b51a8fb63481d290bdad9a221bc8c9e45d66d1a0cd45beed3f3627bb0debf0",
  ]
}
`

func TestLockFile(t *testing.T) {
	for name, c := range map[string]struct{ text, field, want string }{
		"right":             {lockOfDocker, "", ""},
		"empty":             {"", "", ""},
		"garbage":           {"\n\x00\x01 not a lock {{{", "bundle/.terraform.lock.hcl", "(line 2)"},
		"not closed":        {strings.TrimSuffix(lockOfDocker, "}\n"), "bundle/.terraform.lock.hcl", "(line"},
		"JSON":              {`{"provider": {}}`, "bundle/.terraform.lock.hcl", "(line 1)"},
		"another block":     {lockOfDocker + "resource \"x\" \"y\" {}\n", "bundle/.terraform.lock.hcl", "(line 10)"},
		"without a source":  {"provider {\n version = \"1\"\n}\n", "bundle/.terraform.lock.hcl", "(line 1)"},
		"without a version": {"provider \"a/b/c\" {\n}\n", "bundle/.terraform.lock.hcl", "version"},
		"version computed":  {"provider \"a/b/c\" {\n  version = file(\"x\")\n}\n", "bundle/.terraform.lock.hcl", "version must be a plain text (line 2)"},
		"hashes no list":    {"provider \"a/b/c\" {\n  version = \"1\"\n  hashes = 7\n}\n", "bundle/.terraform.lock.hcl", "(line 3)"},
		"a hash no text":    {"provider \"a/b/c\" {\n  version = \"1\"\n  hashes = [7]\n}\n", "bundle/.terraform.lock.hcl", "a hash must be a plain text (line 3)"},
	} {
		t.Run(name, func(t *testing.T) {
			err := catalog.CheckBundle(bundleOf(t, map[string]string{".terraform.lock.hcl": c.text}), catalog.Manifest{}, nil)
			if c.field == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			f := iap.Fields(err)
			if len(f) == 0 || f[0].Field != c.field || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s: …%s", err, c.field, c.want)
			}
		})
	}
}
