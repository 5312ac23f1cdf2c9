package server

import (
	"context"
	"errors"

	"github.com/internal-app-portal/iap/catalog"
	"github.com/internal-app-portal/iap/instance"
)

// catalogConfig makes the catalogue, which is there before what certifies its
// versions.
func (s *Server) catalogConfig() catalog.Config {
	c := catalog.Config{Store: s.db, Blobs: s.blobs, Tx: s.db, Events: s.log}
	if s.cfg.NoCertify {
		return c
	}
	c.Certify = func(ctx context.Context, v catalog.Version) (string, error) { return s.certifier.Begin(ctx, v) }
	c.Certified = func(ctx context.Context, v catalog.Version) error { return s.instances.CertificationEnded(ctx, v) }
	return c
}

// instanceChanged is called in the transaction that changes an instance which
// the portal itself has made.
func (s *Server) instanceChanged(ctx context.Context, i instance.Instance) error {
	return errors.Join(s.bookings.InstanceChanged(ctx, i), s.certifier.InstanceChanged(ctx, i))
}
