package catalog_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/catalog"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/store"
)

var (
	publisher = iap.Actor{ID: "pat@example.com", Role: iap.Publisher}
	member    = iap.Actor{ID: "max@example.com", Role: iap.Member}
)

// portal is a catalogue over a real store.
type portal struct {
	*catalog.Service
	db    *store.DB
	blobs string // folder of the files
	fail  error  // what telling of a change fails with
}

func (p *portal) Append(ctx context.Context, events ...*event.Event) error {
	if p.fail != nil {
		return p.fail
	}
	return p.db.AppendEvents(ctx, events...)
}

func newPortal(t *testing.T) *portal {
	t.Helper()
	dir := t.TempDir()
	db, err := store.Open(t.Context(), filepath.Join(dir, "iap.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	p := &portal{db: db, blobs: filepath.Join(dir, "blobs")}
	blobs, err := catalog.OpenBlobs(p.blobs)
	if err != nil {
		t.Fatal(err)
	}
	p.Service = catalog.New(catalog.Config{Store: db, Blobs: blobs, Tx: db, Events: p, Now: func() time.Time { return time.UnixMilli(1e12) },
		Check: func(ctx context.Context, files fs.FS) error {
			if _, err := fs.Stat(files, "refuse.me"); err == nil {
				return errors.New("holds refuse.me")
			}
			return nil
		}})
	return p
}

// events returns the data of what was told, as "slug version retired".
func (p *portal) events(t *testing.T) string {
	t.Helper()
	all, err := p.db.EventsAfter(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range all {
		var c catalog.Changed
		if err := json.Unmarshal(e.Data, &c); err != nil || e.Type != event.AppChanged || e.Source != "/apps" || e.Subject != c.Slug {
			t.Errorf("event %+v, %v", e, err)
		}
		text, _ := json.Marshal(c)
		out = append(out, string(text))
	}
	return strings.Join(out, " ")
}

// files counts what is stored.
func (p *portal) files(t *testing.T) (n int) {
	t.Helper()
	err := filepath.WalkDir(p.blobs, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func upload(text string) catalog.Upload { return catalog.Upload{Manifest: []byte(text)} }

func (p *portal) add(t *testing.T, up catalog.Upload) catalog.Version {
	t.Helper()
	v, err := p.Add(t.Context(), publisher, up)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestAddMakesVersions(t *testing.T) {
	p := newPortal(t)
	one := p.add(t, upload(minimal))
	again := p.add(t, upload("# a remark\n"+minimal+"port: 8080\n"))
	two := p.add(t, upload(minimal+"port: 81\n"))
	if one.Number != 1 || again.Number != 1 || two.Number != 2 {
		t.Errorf("versions %d, %d, %d; want 1, 1, 2", one.Number, again.Number, two.Number)
	}
	if one.App != "todo" || one.CreatedBy != publisher.ID || !one.CreatedAt.Equal(time.UnixMilli(1e12)) || one.Manifest.Name != "Todo" {
		t.Errorf("got %+v", one)
	}
	got, err := p.Version(t.Context(), "todo", 1)
	if err != nil || got.Manifest.Port != 8080 {
		t.Errorf("got %+v, %v", got, err)
	}
	all, err := p.Versions(t.Context(), "todo")
	if err != nil || len(all) != 2 || all[0].Number != 2 {
		t.Errorf("got %d versions, %v", len(all), err)
	}
	want := `{"slug":"todo","version":1,"retired":false} {"slug":"todo","version":2,"retired":false}`
	if got := p.events(t); got != want {
		t.Errorf("told %s", got)
	}
}

func TestAddNeedsAPublisher(t *testing.T) {
	p := newPortal(t)
	if _, err := p.Add(t.Context(), member, upload(minimal)); !iap.IsKind(err, iap.Forbidden) {
		t.Errorf("got %v", err)
	}
	if err := p.Retire(t.Context(), member, "todo"); !iap.IsKind(err, iap.Forbidden) {
		t.Errorf("got %v", err)
	}
	if _, err := p.Add(t.Context(), iap.Actor{}, upload(minimal)); !iap.IsKind(err, iap.Forbidden) {
		t.Errorf("got %v", err)
	}
}

func TestBundleAndIcon(t *testing.T) {
	p := newPortal(t)
	icon := []byte(`<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0"/></svg>`)
	text := minimal + "bundle: bundle\nicon: icon.svg\n"
	v := p.add(t, catalog.Upload{Manifest: []byte(text), Bundle: zipped(t, entry{name: "b", data: "1"}), Icon: icon})
	data, kind, err := p.Icon(t.Context(), v)
	if err != nil || kind != "image/svg+xml" || string(data) != string(icon) {
		t.Errorf("got %s %q, %v", kind, data, err)
	}
	bundle, err := p.Bundle(t.Context(), v.BundleSHA)
	if err != nil || catalog.CheckBundle(bundle, catalog.Manifest{}, nil) != nil {
		t.Errorf("got %d bytes, %v", len(bundle), err)
	}
	same := p.add(t, catalog.Upload{Manifest: []byte(text), Bundle: append([]byte("#!/bin/sh\n"), zipped(t, entry{name: "b", data: "1", mode: 0o600})...), Icon: icon})
	if same.Number != 1 {
		t.Errorf("the same files in another zip are version %d", same.Number)
	}
	other := p.add(t, catalog.Upload{Manifest: []byte(text), Bundle: zipped(t, entry{name: "b", data: "2"}), Icon: icon})
	if other.Number != 2 || other.BundleSHA == v.BundleSHA {
		t.Errorf("another bundle is version %d", other.Number)
	}
}

func TestNothingIsStoredOfABadUpload(t *testing.T) {
	p := newPortal(t)
	svg := func(inner string) []byte {
		return []byte(`<svg xmlns="http://www.w3.org/2000/svg">` + inner + `</svg>`)
	}
	icon, bundle := minimal+"icon: icon.svg\n", minimal+"bundle: bundle\n"
	for name, c := range map[string]struct {
		up           catalog.Upload
		field, words string
	}{
		"manifest":       {upload("slug: x"), "name", "is missing"},
		"no bundle":      {upload(bundle), "bundle", "was not sent"},
		"extra bundle":   {catalog.Upload{Manifest: []byte(minimal), Bundle: zipped(t)}, "bundle", "names none"},
		"bad bundle":     {catalog.Upload{Manifest: []byte(bundle), Bundle: zipped(t, entry{name: "../x"})}, "bundle/../x", "without"},
		"own check":      {catalog.Upload{Manifest: []byte(bundle), Bundle: zipped(t, entry{name: "refuse.me"})}, "bundle", "holds refuse.me"},
		"no icon":        {upload(icon), "icon", "was not sent"},
		"extra icon":     {catalog.Upload{Manifest: []byte(minimal), Icon: svg("")}, "icon", "names none"},
		"large icon":     {catalog.Upload{Manifest: []byte(icon), Icon: svg(strings.Repeat(" ", 65<<10))}, "icon", "at most 65536"},
		"script":         {catalog.Upload{Manifest: []byte(icon), Icon: svg("<script>1</script>")}, "icon", "script"},
		"handler":        {catalog.Upload{Manifest: []byte(icon), Icon: svg("<path onload='x'/>")}, "icon", "onload"},
		"link":           {catalog.Upload{Manifest: []byte(icon), Icon: svg("<use href='http://evil/'/>")}, "icon", "href"},
		"entity":         {catalog.Upload{Manifest: []byte(icon), Icon: []byte("<!DOCTYPE svg [<!ENTITY x 'y'>]><svg/>")}, "icon", "document type"},
		"not SVG":        {catalog.Upload{Manifest: []byte(icon), Icon: []byte("<html/>")}, "icon", "no SVG"},
		"not PNG":        {catalog.Upload{Manifest: []byte(minimal + "icon: a.png\n"), Icon: []byte("GIF89a")}, "icon", "image/gif"},
		"icon and files": {catalog.Upload{Manifest: []byte(bundle + "icon: icon.svg\n"), Bundle: zipped(t), Icon: []byte("x")}, "icon", "no SVG"},
	} {
		_, err := p.Add(t.Context(), publisher, c.up)
		refused(t, name, err, c.field, c.words)
	}
	apps, err := p.List(t.Context(), publisher)
	if err != nil || len(apps) != 0 || p.files(t) != 0 || p.events(t) != "" {
		t.Errorf("there are %d apps, %d files, %v", len(apps), p.files(t), err)
	}
}

func TestEventAndVersionAreOne(t *testing.T) {
	p := newPortal(t)
	p.fail = iap.Errorf("test", iap.Full, "no space")
	if _, err := p.Add(t.Context(), publisher, upload(minimal)); !iap.IsKind(err, iap.Full) {
		t.Errorf("got %v", err)
	}
	if _, err := p.Get(t.Context(), "todo"); !iap.IsKind(err, iap.NotFound) {
		t.Errorf("the app is there without its event: %v", err)
	}
	p.fail = nil
	p.add(t, upload(minimal))
	p.fail = iap.Errorf("test", iap.Full, "no space")
	if err := p.Retire(t.Context(), publisher, "todo"); !iap.IsKind(err, iap.Full) {
		t.Errorf("got %v", err)
	}
	if app, err := p.Get(t.Context(), "todo"); err != nil || app.Retired {
		t.Errorf("retired without its event: %v", err)
	}
}

func TestUnknownAppSuggests(t *testing.T) {
	p := newPortal(t)
	p.add(t, upload(minimal))
	p.add(t, upload("slug: whiteboard\nname: W\nimage: w\n"))
	for slug, want := range map[string]string{
		"tood": `unknown app "tood"; did you mean "todo"?`, "Whitebord": `unknown app "Whitebord"; did you mean "whiteboard"?`,
		"zzzzzz": `unknown app "zzzzzz"`, "": `unknown app ""`,
	} {
		_, err := p.Get(t.Context(), slug)
		var e *iap.Error
		if !errors.As(err, &e) || e.Kind != iap.NotFound || e.Message() != want {
			t.Errorf("%q: %v", slug, err)
		}
	}
	if _, err := p.Versions(t.Context(), "tood"); !iap.IsKind(err, iap.NotFound) {
		t.Errorf("got %v", err)
	}
	_, err := p.Version(t.Context(), "todo", 7)
	if !iap.IsKind(err, iap.NotFound) || !strings.Contains(err.Error(), "no version 7; the newest is 1") {
		t.Errorf("got %v", err)
	}
}

func TestRetire(t *testing.T) {
	p := newPortal(t)
	p.add(t, upload(minimal))
	ctx := t.Context()
	for range 2 {
		if err := p.Retire(ctx, publisher, "todo"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.Deployable(ctx, "todo"); !iap.IsKind(err, iap.Conflict) {
		t.Errorf("a retired app can be deployed: %v", err)
	}
	forMember, errMember := p.List(ctx, member)
	forPublisher, errPublisher := p.List(ctx, publisher)
	if errMember != nil || errPublisher != nil || len(forMember) != 0 || len(forPublisher) != 1 {
		t.Errorf("members see %d, publishers %d", len(forMember), len(forPublisher))
	}
	if err := p.Unretire(ctx, publisher, "todo"); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Deployable(ctx, "todo"); err != nil {
		t.Error(err)
	}
	if err := p.Retire(ctx, publisher, "todo"); err != nil {
		t.Fatal(err)
	}
	if v := p.add(t, upload(minimal)); v.Number != 1 {
		t.Errorf("version %d", v.Number)
	}
	if _, err := p.Deployable(ctx, "todo"); err != nil {
		t.Errorf("adding the same again does not take the retirement back: %v", err)
	}
	if n := strings.Count(p.events(t), `"retired":true`); n != 2 {
		t.Errorf("%d events of a retirement, want 2: %s", n, p.events(t))
	}
	if err := p.Retire(ctx, publisher, "none"); !iap.IsKind(err, iap.NotFound) {
		t.Errorf("got %v", err)
	}
}

func TestFiftyAtOnceMakeOneVersion(t *testing.T) {
	p := newPortal(t)
	numbers := make(chan int)
	for range 50 {
		go func() {
			v, err := p.Add(t.Context(), publisher, upload(minimal))
			if err != nil {
				t.Error(err)
			}
			numbers <- v.Number
		}()
	}
	for range 50 {
		if n := <-numbers; n != 1 {
			t.Errorf("version %d", n)
		}
	}
}

func TestLoadDirReadsAFileToo(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("iap.yaml", minimal+"bundle: tf\nicon: i.svg\n")
	write("other.yaml", minimal)
	write("tf/main.tf", goodTF)
	write("i.svg", "<svg/>")
	up, err := catalog.LoadDir(dir)
	if err != nil || string(up.Icon) != "<svg/>" || catalog.CheckBundle(up.Bundle, catalog.Manifest{}, nil) != nil {
		t.Errorf("got %+v, %v", up, err)
	}
	if up, err := catalog.LoadDir(filepath.Join(dir, "other.yaml")); err != nil || string(up.Manifest) != minimal {
		t.Errorf("got %+v, %v", up, err)
	}
	write("outside.yaml", minimal+"icon: evil.svg\n")
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "evil.svg")); err != nil {
		t.Fatal(err)
	}
	_, err = catalog.LoadDir(filepath.Join(dir, "outside.yaml"))
	refused(t, "link", err, "icon", "cannot be read")
	write("missing.yaml", minimal+"bundle: none\n")
	_, err = catalog.LoadDir(filepath.Join(dir, "missing.yaml"))
	refused(t, "no folder", err, "bundle", `the folder "none" cannot be read`)
	for _, path := range []string{filepath.Join(dir, "none"), filepath.Join(dir, "tf")} {
		if _, err := catalog.LoadDir(path); !iap.IsKind(err, iap.NotFound) {
			t.Errorf("%s: %v", path, err)
		}
	}
}
