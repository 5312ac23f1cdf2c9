package catalog_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/catalog"
	"github.com/internal-app-portal/iap/store"
)

// TestPeopleHaveWhatIsCertified: the newest version that has passed or was
// skipped is what people have, whichever way the others go.
func TestPeopleHaveWhatIsCertified(t *testing.T) {
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "iap.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	blobs, err := catalog.OpenBlobs(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var begun []int
	var broken error
	p := catalog.New(catalog.Config{Store: db, Blobs: blobs, Tx: db, Events: &portal{db: db}, Now: func() time.Time { return time.UnixMilli(1e12) },
		Certify: func(_ context.Context, v catalog.Version) (string, error) {
			begun = append(begun, v.Number)
			return "x", broken
		}})
	admin := iap.Actor{ID: "ann@example.com", Role: iap.Admin}
	add := func(image string) catalog.Version {
		t.Helper()
		v, err := p.Add(t.Context(), publisher, catalog.Upload{Manifest: []byte("slug: todo\nname: Todo\nport: 80\nimage: " + image)})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	set := func(number int, state catalog.CertificationState) {
		t.Helper()
		if err := p.SetCertification(t.Context(), "todo", number, func(c *catalog.Certification) bool { c.State = state; return true }); err != nil {
			t.Fatal(err)
		}
	}
	want := func(what string, latest, newest int) {
		t.Helper()
		a, err := p.Get(t.Context(), "todo")
		if err != nil || a.Latest != latest || a.Version.Number != latest || a.Newest != newest {
			t.Errorf("%s: people have %d of %d, %v; want %d of %d", what, a.Latest, a.Newest, err, latest, newest)
		}
	}
	if v := add("a:1"); v.Certification.State != catalog.CertWaiting || v.Certification.Execution != "x" {
		t.Errorf("added it is %+v", v.Certification)
	}
	want("the only one waits", 1, 1)
	add("a:2")
	want("neither has come to something", 2, 2)
	set(1, catalog.CertPassed)
	want("the first has passed", 1, 2)
	set(2, catalog.CertFailed)
	want("the second has failed", 1, 2)
	if v := add("a:2"); v.Number != 2 {
		t.Errorf("the same again is version %d", v.Number)
	}
	add("a:3")
	set(3, catalog.CertPassed)
	want("the third has passed", 3, 3)
	if _, err := p.SkipCertification(t.Context(), publisher, "todo", 2); !iap.IsKind(err, iap.Forbidden) {
		t.Errorf("a publisher skips: %v", err)
	}
	if v, err := p.SkipCertification(t.Context(), admin, "todo", 2); err != nil || v.Certification.By != admin.ID || v.Certification.State != catalog.CertSkipped {
		t.Errorf("skipped: %+v, %v", v.Certification, err)
	}
	want("the second was skipped", 3, 3)
	if _, err := p.Certify(t.Context(), publisher, "todo", 3); !iap.IsKind(err, iap.Conflict) {
		t.Errorf("what has passed is certified again: %v", err)
	}
	if _, err := p.Certify(t.Context(), publisher, "todo", 2); err != nil {
		t.Errorf("what was skipped is certified: %v", err)
	}
	if _, err := p.Certify(t.Context(), member, "todo", 2); !iap.IsKind(err, iap.Forbidden) {
		t.Errorf("a member has it certified: %v", err)
	}
	if len(begun) != 4 {
		t.Errorf("begun: %v", begun)
	}
	broken = errors.New("no engine")
	if _, err := p.Add(t.Context(), publisher, catalog.Upload{Manifest: []byte("slug: todo\nname: Todo\nport: 80\nimage: a:4")}); err == nil {
		t.Error("a version was added whose certification could not begin")
	}
	want("nothing was added", 3, 3)
}
