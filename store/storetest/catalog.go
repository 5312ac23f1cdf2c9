package storetest

import (
	"context"
	"testing"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/catalog"
)

func newVersion(slug string) catalog.Version {
	lowest := 1.5
	return catalog.Version{App: slug, BundleSHA: "b", IconType: "image/png", IconSHA: "i", CreatedAt: epoch, CreatedBy: "ann",
		Manifest: catalog.Manifest{Slug: slug, Name: "Name <&>", Image: "image:1", Port: 8080,
			Health:      catalog.Health{Path: "/", Deadline: catalog.Duration(time.Minute)},
			Environment: map[string]string{"A": "b"},
			Parameters:  []catalog.Parameter{{Name: "p", Type: "choice", Default: "x", Choices: []string{"x", "y"}, Min: &lowest}},
			Limits:      catalog.Limits{Memory: 256 << 20, CPUs: 0.5, PIDs: 64},
			TimeLimit:   catalog.Duration(8 * time.Hour), Tags: []string{"t"}}}
}

func testCatalog(t *testing.T, open Open) {
	db, ctx := open(t), context.Background()
	_, err := db.App(ctx, "todo")
	wantKind(t, err, iap.NotFound)
	wantKind(t, db.SetRetired(ctx, "todo", true, epoch), iap.NotFound)

	one, err := db.InsertVersion(ctx, newVersion("todo"))
	must(t, err)
	same(t, "first number", one.Number, 1)
	_, err = db.InsertVersion(ctx, newVersion("Board"))
	must(t, err)
	must(t, db.SetRetired(ctx, "todo", true, later(5)))

	t.Run("retired", func(t *testing.T) {
		app, err := db.App(ctx, "todo")
		must(t, err)
		same(t, "app", app, catalog.App{Slug: "todo", Latest: 1, Retired: true, CreatedAt: epoch, UpdatedAt: later(5), Version: one})
	})
	second := newVersion("todo")
	second.CreatedAt, second.BundleSHA = later(9), ""
	second, err = db.InsertVersion(ctx, second)
	must(t, err)
	t.Run("a new version", func(t *testing.T) {
		app, err := db.App(ctx, "todo")
		must(t, err)
		same(t, "app", app, catalog.App{Slug: "todo", Latest: 2, CreatedAt: epoch, UpdatedAt: later(9), Version: second})
	})
	t.Run("lists", func(t *testing.T) {
		apps, err := db.Apps(ctx)
		must(t, err)
		same(t, "apps", ids(apps, func(a catalog.App) string { return a.Slug }), []string{"Board", "todo"})
		versions, err := db.Versions(ctx, "todo")
		must(t, err)
		same(t, "versions", versions, []catalog.Version{second, one})
	})
	t.Run("one version", func(t *testing.T) {
		got, err := db.Version(ctx, "todo", 1)
		must(t, err)
		same(t, "version", got, one)
		_, err = db.Version(ctx, "todo", 3)
		wantKind(t, err, iap.NotFound)
	})
}
