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
		same(t, "app", app, catalog.App{Slug: "todo", Latest: 1, Newest: 1, Retired: true, CreatedAt: epoch, UpdatedAt: later(5), Version: one})
	})
	second := newVersion("todo")
	second.CreatedAt, second.BundleSHA = later(9), ""
	second, err = db.InsertVersion(ctx, second)
	must(t, err)
	t.Run("a new version", func(t *testing.T) {
		app, err := db.App(ctx, "todo")
		must(t, err)
		same(t, "app", app, catalog.App{Slug: "todo", Latest: 2, Newest: 2, CreatedAt: epoch, UpdatedAt: later(9), Version: second})
	})
	t.Run("certification", func(t *testing.T) {
		third := newVersion("draft")
		third.Certification = catalog.Certification{State: catalog.CertWaiting, At: epoch, Execution: "x"}
		third, err := db.InsertVersion(ctx, third)
		must(t, err)
		next := newVersion("draft")
		next.Certification = catalog.Certification{State: catalog.CertWaiting}
		_, err = db.InsertVersion(ctx, next)
		must(t, err)
		app, err := db.App(ctx, "draft")
		must(t, err)
		same(t, "app", app, catalog.App{Slug: "draft", Latest: 1, Newest: 2, CreatedAt: epoch, UpdatedAt: epoch, Version: third})
		third.Certification = catalog.Certification{State: catalog.CertFailed, At: later(1), By: "ann", Step: "the deploy", Reason: "no", Instance: "i", Job: "j"}
		must(t, db.SetCertification(ctx, "draft", 1, third.Certification))
		must(t, db.SetLatest(ctx, "draft", 2, later(2)))
		got, err := db.Version(ctx, "draft", 1)
		must(t, err)
		same(t, "certification", got.Certification, third.Certification)
		app, err = db.App(ctx, "draft")
		must(t, err)
		same(t, "latest", app.Latest, 2)
		wantKind(t, db.SetCertification(ctx, "draft", 9, third.Certification), iap.NotFound)
		wantKind(t, db.SetLatest(ctx, "nothing", 1, epoch), iap.NotFound)
	})
	t.Run("lists", func(t *testing.T) {
		apps, err := db.Apps(ctx)
		must(t, err)
		same(t, "apps", ids(apps, func(a catalog.App) string { return a.Slug }), []string{"Board", "draft", "todo"})
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
