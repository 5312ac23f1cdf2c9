package server

import (
	"context"
	"fmt"
	"io/fs"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/catalog"
	"github.com/internal-app-portal/iap/examples"
)

// seed puts the example apps into the catalogue of a development portal that
// has none of that name; what people changed stays as they left it.
func (s *Server) seed(ctx context.Context) error {
	if !s.cfg.Dev {
		return nil
	}
	for _, name := range examples.Names() {
		_, err := s.catalog.Get(ctx, name)
		if err == nil {
			continue
		}
		if !iap.IsKind(err, iap.NotFound) {
			return err
		}
		folder, err := fs.Sub(examples.Files, name)
		if err != nil {
			return err
		}
		up, err := upload(folder)
		if err != nil {
			return fmt.Errorf("reading the example %s: %w", name, err)
		}
		up.SkipCertification = true // so that the first click is answered at once
		if _, err := s.catalog.Add(ctx, iap.System, up); err != nil {
			return fmt.Errorf("adding the example %s: %w", name, err)
		}
	}
	return nil
}

// upload reads an app's folder as its publisher would hand it in.
func upload(folder fs.FS) (up catalog.Upload, err error) {
	if up.Manifest, err = fs.ReadFile(folder, catalog.ManifestFile); err != nil {
		return up, err
	}
	m, err := catalog.ParseManifest(up.Manifest)
	if err != nil {
		return up, err
	}
	if catalog.IconFile(m.Icon) {
		if up.Icon, err = fs.ReadFile(folder, m.Icon); err != nil {
			return up, err
		}
	}
	if m.Bundle == "" {
		return up, nil
	}
	bundle, err := fs.Sub(folder, m.Bundle)
	if err != nil {
		return up, err
	}
	up.Bundle, err = catalog.Pack(bundle)
	return up, err
}
