package store

import (
	"context"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/catalog"
)

const (
	versionColumns = "v.app, v.number, v.manifest, v.bundle_sha, v.icon_type, v.icon_sha, v.created_at, v.created_by, v.certification"
	appQuery       = "SELECT " + versionColumns + `, a.newest, a.retired, a.created_at, a.updated_at
		FROM app a JOIN app_version v ON v.app = a.slug AND v.number = a.latest`
)

func scanVersionAnd(scan scanner, more ...any) (v catalog.Version, err error) {
	var manifest, certification string
	var created int64
	err = scan(append([]any{&v.App, &v.Number, &manifest, &v.BundleSHA, &v.IconType, &v.IconSHA, &created,
		&v.CreatedBy, &certification}, more...)...)
	if err != nil {
		return v, err
	}
	v.CreatedAt = at(created)
	if certification == "" {
		v.Certification = catalog.Certification{State: catalog.CertSkipped, Reason: "it was added before there were certifications"}
	}
	if err := read(certification, &v.Certification); err != nil {
		return v, err
	}
	return v, read(manifest, &v.Manifest)
}

func scanVersion(scan scanner) (catalog.Version, error) { return scanVersionAnd(scan) }

func scanApp(scan scanner) (catalog.App, error) {
	var newest int
	var retired, created, updated int64
	v, err := scanVersionAnd(scan, &newest, &retired, &created, &updated)
	return catalog.App{Slug: v.App, Latest: v.Number, Newest: newest, Retired: retired != 0, CreatedAt: at(created),
		UpdatedAt: at(updated), Version: v}, err
}

// InsertVersion implements catalog.Store.
func (db *DB) InsertVersion(ctx context.Context, v catalog.Version) (catalog.Version, error) {
	const op = "store.InsertVersion"
	manifest, err := text(v.Manifest)
	if err != nil {
		return v, iap.E(op, iap.Internal, err)
	}
	certification, err := text(v.Certification)
	if err != nil {
		return v, iap.E(op, iap.Internal, err)
	}
	err = db.Update(ctx, func(ctx context.Context) error {
		// The app's row comes first: on PostgreSQL it is what keeps two from
		// taking the same number.
		v.Number, err = one(ctx, db, op, scalar[int], `INSERT INTO app (slug, latest, newest, retired, created_at, updated_at)
			VALUES ($1, 1, 1, 0, $2, $2) ON CONFLICT (slug) DO UPDATE
			SET newest = app.newest + 1, retired = 0, updated_at = excluded.updated_at RETURNING newest`,
			v.App, ms(v.CreatedAt))
		if err != nil {
			return err
		}
		_, err = db.exec(ctx, op, `INSERT INTO app_version (app, number, manifest, bundle_sha, icon_type, icon_sha,
			created_at, created_by, certification) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			v.App, v.Number, manifest, v.BundleSHA, v.IconType, v.IconSHA, ms(v.CreatedAt), v.CreatedBy, certification)
		if err != nil || !v.Deployable() {
			return err
		}
		_, err = db.exec(ctx, op, "UPDATE app SET latest = newest WHERE slug = $1", v.App)
		return err
	})
	return v, err
}

// App implements catalog.Store.
func (db *DB) App(ctx context.Context, slug string) (catalog.App, error) {
	return one(ctx, db, "store.App", scanApp, appQuery+" WHERE a.slug = $1", slug)
}

// Apps implements catalog.Store.
func (db *DB) Apps(ctx context.Context) ([]catalog.App, error) {
	return list(ctx, db, "store.Apps", scanApp, appQuery+" ORDER BY a.slug")
}

// Version implements catalog.Store.
func (db *DB) Version(ctx context.Context, slug string, number int) (catalog.Version, error) {
	return one(ctx, db, "store.Version", scanVersion,
		"SELECT "+versionColumns+" FROM app_version v WHERE v.app = $1 AND v.number = $2", slug, number)
}

// Versions implements catalog.Store.
func (db *DB) Versions(ctx context.Context, slug string) ([]catalog.Version, error) {
	return list(ctx, db, "store.Versions", scanVersion,
		"SELECT "+versionColumns+" FROM app_version v WHERE v.app = $1 ORDER BY v.number DESC", slug)
}

// SetRetired implements catalog.Store.
func (db *DB) SetRetired(ctx context.Context, slug string, retired bool, now time.Time) error {
	const op = "store.SetRetired"
	n, err := db.exec(ctx, op, "UPDATE app SET retired = $1, updated_at = $2 WHERE slug = $3", flag(retired), ms(now), slug)
	if err == nil && n == 0 {
		err = iap.Errorf(op, iap.NotFound, "there is no app %q", slug)
	}
	return err
}

// SetCertification implements catalog.Store.
func (db *DB) SetCertification(ctx context.Context, slug string, number int, c catalog.Certification) error {
	const op = "store.SetCertification"
	certification, err := text(c)
	if err != nil {
		return iap.E(op, iap.Internal, err)
	}
	n, err := db.exec(ctx, op, "UPDATE app_version SET certification = $3 WHERE app = $1 AND number = $2", slug, number, certification)
	if err == nil && n == 0 {
		err = iap.Errorf(op, iap.NotFound, "the app %q has no version %d", slug, number)
	}
	return err
}

// SetLatest implements catalog.Store.
func (db *DB) SetLatest(ctx context.Context, slug string, latest int, now time.Time) error {
	const op = "store.SetLatest"
	n, err := db.exec(ctx, op, "UPDATE app SET latest = $2, updated_at = $3 WHERE slug = $1", slug, latest, ms(now))
	if err == nil && n == 0 {
		err = iap.Errorf(op, iap.NotFound, "there is no app %q", slug)
	}
	return err
}
