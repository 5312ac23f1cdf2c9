package catalog_test

import (
	"path/filepath"
	"testing"

	"github.com/internal-app-portal/iap/catalog"
)

// exampleApps are the folders of the example apps.
func exampleApps(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob("../examples/*/" + catalog.ManifestFile)
	if err != nil || len(found) < 3 {
		t.Fatalf("%d example apps, %v", len(found), err)
	}
	return found
}

func TestExamplesAreRight(t *testing.T) {
	for _, path := range exampleApps(t) {
		up, err := catalog.LoadDir(filepath.Dir(path))
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		m, err := catalog.ParseManifest(up.Manifest)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if m.Bundle != "" {
			if err := catalog.CheckBundle(up.Bundle, m, nil); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
		if _, _, err := m.Resolve(nil); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}
