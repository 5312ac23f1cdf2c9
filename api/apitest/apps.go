package apitest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/catalog"
)

// apps stands in for catalog.Service.
type apps struct{ p *Portal }

// addApp is called with p.mu held, or before the portal serves.
func (p *Portal) addApp(slug, name string) catalog.Version {
	v := catalog.Version{App: slug, Number: 1, CreatedAt: p.now(), CreatedBy: "paul@example.com", Manifest: catalog.Manifest{
		Slug: slug, Name: name, Image: slug + ":1", Port: 8080, Description: "does what its name says",
		Parameters: []catalog.Parameter{{Name: "title", Type: "string", Default: "Our list"}, {Name: "key", Type: "string", Secret: true}}}}
	for n := range p.apps {
		if a := &p.apps[n]; a.Slug == slug {
			if a.Version.Manifest.Name == name {
				return a.Version
			}
			v.Number = a.Latest + 1
			a.Latest, a.Newest, a.Version, a.UpdatedAt = v.Number, v.Number, v, p.now()
			p.versions = append(p.versions, v)
			return v
		}
	}
	p.apps = append(p.apps, catalog.App{Slug: slug, Latest: 1, Newest: 1, CreatedAt: p.now(), UpdatedAt: p.now(), Version: v})
	p.versions = append(p.versions, v)
	return v
}

// app is called with p.mu held.
func (p *Portal) app(slug string) (catalog.App, error) {
	for _, a := range p.apps {
		if a.Slug == slug {
			return a, nil
		}
	}
	hint := ""
	if slug == "tood" {
		hint = `; did you mean "todo"?`
	}
	err := iap.Errorf("catalog.Get", iap.NotFound, "unknown app %q%s", slug, hint)
	err.Field = "app"
	return catalog.App{}, err
}

// Add takes the manifest's slug and name, by line.
func (s apps) Add(_ context.Context, _ iap.Actor, up catalog.Upload) (catalog.Version, error) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	if s.p.fail != nil {
		return catalog.Version{}, s.p.fail
	}
	var slug, name string
	for line := range strings.Lines(string(up.Manifest)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch key {
		case "slug":
			slug = value
		case "name":
			name = value
		}
	}
	if slug == "" {
		return catalog.Version{}, iap.FieldErrorf("catalog.Add", "slug", "is missing")
	}
	return s.p.addApp(slug, name), nil
}

func (s apps) List(_ context.Context, a iap.Actor) (out []catalog.App, err error) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	for _, app := range s.p.apps {
		if !app.Retired || a.Role.Includes(iap.Publisher) {
			out = append(out, app)
		}
	}
	return out, s.p.fail
}

func (s apps) Get(_ context.Context, slug string) (catalog.App, error) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	return s.p.app(slug)
}

func (s apps) Version(_ context.Context, slug string, number int) (catalog.Version, error) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	for _, v := range s.p.versions {
		if v.App == slug && v.Number == number {
			return v, nil
		}
	}
	return catalog.Version{}, iap.Errorf("catalog.Version", iap.NotFound, "%s", fmt.Sprintf("app %q has no version %d", slug, number))
}

func (s apps) Versions(_ context.Context, slug string) (out []catalog.Version, err error) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	if _, err := s.p.app(slug); err != nil {
		return nil, err
	}
	for _, v := range slices.Backward(s.p.versions) {
		if v.App == slug {
			out = append(out, v)
		}
	}
	return out, nil
}

func (s apps) Certify(ctx context.Context, _ iap.Actor, slug string, n int) (catalog.Version, error) {
	return s.Version(ctx, slug, n)
}
func (s apps) SkipCertification(ctx context.Context, _ iap.Actor, slug string, n int) (catalog.Version, error) {
	return s.Version(ctx, slug, n)
}

func (s apps) Retire(_ context.Context, a iap.Actor, slug string) error {
	return s.setRetired(a, slug, true)
}
func (s apps) Unretire(_ context.Context, a iap.Actor, slug string) error {
	return s.setRetired(a, slug, false)
}

func (s apps) setRetired(a iap.Actor, slug string, retired bool) error {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	if !a.Role.Includes(iap.Publisher) {
		return iap.Errorf("catalog.Retire", iap.Forbidden, "retiring apps needs the role publisher")
	}
	if _, err := s.p.app(slug); err != nil {
		return err
	}
	for n := range s.p.apps {
		if s.p.apps[n].Slug == slug {
			s.p.apps[n].Retired = retired
		}
	}
	return nil
}
