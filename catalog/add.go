package catalog

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
)

// Add checks an upload and stores it as the next version of its app. An
// upload with the content of the newest version returns that version, and
// un-retires the app, without making a new one. It needs the role publisher.
//
// Errors: Forbidden; Invalid, for each field that is wrong (iap.Fields);
// Full; Unavailable. The catalogue is unchanged when it fails.
func (s *Service) Add(ctx context.Context, actor iap.Actor, up Upload) (Version, error) {
	if err := mayPublish("catalog.Add", actor, "add apps"); err != nil {
		return Version{}, err
	}
	if up.SkipCertification {
		if err := maySkip("catalog.Add", actor); err != nil {
			return Version{}, err
		}
	}
	v, files, err := s.examine(ctx, up)
	if err != nil {
		return Version{}, err
	}
	v.CreatedBy, v.CreatedAt = actor.ID, s.cfg.Now()
	s.begin(&v, actor, up.SkipCertification)
	for _, data := range files { // before the row that names them; an unused file harms nobody
		if _, err := s.cfg.Blobs.Put(ctx, data); err != nil {
			return Version{}, err
		}
	}
	var added Version
	err = s.cfg.Tx.Update(ctx, func(ctx context.Context) (err error) {
		added, err = s.insert(ctx, actor, v)
		return err
	})
	return added, err
}

func mayPublish(op string, actor iap.Actor, what string) error {
	if actor.Role.Includes(iap.Publisher) {
		return nil
	}
	return iap.Errorf(op, iap.Forbidden, "only publishers and admins %s", what)
}

// examine checks everything about an upload and returns the version that it
// makes and the files to keep.
func (s *Service) examine(ctx context.Context, up Upload) (v Version, files [][]byte, err error) {
	v.Manifest, err = ParseManifest(up.Manifest)
	if err != nil {
		return Version{}, nil, err
	}
	v.App = v.Manifest.Slug
	p := newProblems("catalog.Add")
	if v.IconType = checkIconFile(p, v.Manifest.Icon, up.Icon); v.IconType != "" {
		v.IconSHA = sum(up.Icon)
		files = append(files, up.Icon)
	}
	zip := s.checkBundle(ctx, p, v.Manifest, up.Bundle)
	if zip != nil {
		v.BundleSHA = sum(zip)
		files = append(files, zip)
	}
	return v, files, p.err()
}

// checkBundle returns the bundle as it is stored: packed anew, so that nothing
// of the zip's own form remains and the same files have the same sum.
func (s *Service) checkBundle(ctx context.Context, p *problems, m Manifest, data []byte) []byte {
	switch {
	case m.Bundle == "" && len(data) == 0:
		return nil
	case m.Bundle == "":
		p.add("bundle", "a bundle was sent, but the manifest names none; want bundle: bundle")
		return nil
	case len(data) == 0:
		p.add("bundle", "the folder %q was not sent", shorten(m.Bundle))
		return nil
	}
	files, err := examineBundle(data, m, s.cfg.Providers)
	if err != nil {
		p.errs = append(p.errs, err)
		return nil
	}
	if s.cfg.Check != nil {
		if err := s.cfg.Check(ctx, files.fs()); err != nil {
			p.add("bundle", "%v", err)
			return nil
		}
	}
	zip, err := files.pack()
	if err != nil {
		p.add("bundle", "%v", err)
	}
	return zip
}

// insert stores v unless it is what the newest version is already.
func (s *Service) insert(ctx context.Context, actor iap.Actor, v Version) (Version, error) {
	app, err := s.cfg.Store.App(ctx, v.App)
	switch {
	case iap.IsKind(err, iap.NotFound):
	case err != nil:
		return Version{}, err
	default:
		newest, err := s.cfg.Store.Version(ctx, v.App, app.Newest)
		if err != nil {
			return Version{}, err
		}
		if same(newest, v) && app.Retired {
			return newest, s.setRetired(ctx, app, false)
		}
		if same(newest, v) && v.Certification.State == CertSkipped && !newest.Deployable() {
			return s.SkipCertification(ctx, actor, v.App, newest.Number)
		}
		if same(newest, v) {
			return newest, nil
		}
	}
	added, err := s.cfg.Store.InsertVersion(ctx, v)
	if err != nil {
		return Version{}, err
	}
	if err := s.certify(ctx, &added); err != nil {
		return Version{}, err
	}
	if err := s.tellCertification(ctx, added); err != nil {
		return Version{}, err
	}
	return added, s.promote(ctx, added.App)
}

// same reports whether two versions have the same content.
func same(a, b Version) bool {
	ja, errA := json.Marshal(a.Manifest)
	jb, errB := json.Marshal(b.Manifest)
	return errA == nil && errB == nil && bytes.Equal(ja, jb) &&
		a.BundleSHA == b.BundleSHA && a.IconSHA == b.IconSHA && a.IconType == b.IconType
}

// tell appends the event of a change.
func (s *Service) tell(ctx context.Context, c Changed) error {
	data, err := json.Marshal(c)
	if err != nil {
		return iap.E("catalog.tell", iap.Internal, err)
	}
	now := s.cfg.Now()
	return s.cfg.Events.Append(ctx, &event.Event{
		ID: iap.NewID(now), Source: "/apps", Type: event.AppChanged, Subject: c.Slug, Time: now, Data: data,
	})
}
