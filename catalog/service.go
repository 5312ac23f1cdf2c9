package catalog

import (
	"context"
	"io/fs"
	"time"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
)

// Events is where the catalogue tells of its changes, in the transaction of
// ctx.
type Events interface {
	Append(ctx context.Context, events ...*event.Event) error
}

// Config is what a Service needs. Store, Blobs, Tx and Events must be set.
type Config struct {
	Store  Store
	Blobs  Blobs
	Tx     iap.Transactor
	Events Events
	Now    func() time.Time // nil: time.Now
	// Certify begins certifications; nil: versions are added without.
	Certify Certifier
	// Certified is called in the transaction in which a certification comes to
	// something; nil: nobody is told.
	Certified func(ctx context.Context, v Version) error
	// Providers are the Terraform providers that bundles may use, as
	// "namespace/type" or "host/namespace/type"; nil: DefaultProviders.
	Providers []string
	// Check looks at a bundle that passed all other checks; nil: nothing more
	// is asked. Its error is shown to the publisher.
	Check func(ctx context.Context, files fs.FS) error
}

// Service is the catalogue: it takes in versions of apps and hands them out.
type Service struct {
	cfg Config
}

// New returns a Service. It does nothing by itself and needs no stop.
func New(cfg Config) *Service {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Providers == nil {
		cfg.Providers = DefaultProviders()
	}
	return &Service{cfg: cfg}
}

// Upload is a new version of an app as its publisher hands it in.
type Upload struct {
	Manifest []byte // iap.yaml
	Bundle   []byte // zip of the bundle's folder; empty: the platform's built-in bundle
	Icon     []byte // the file that the manifest's icon names; empty: the icon is text
	// SkipCertification lets people have it at once; for admins.
	SkipCertification bool
}

// Changed is the data of an event.AppChanged.
type Changed struct {
	Slug    string `json:"slug"`
	Version int    `json:"version"`
	Retired bool   `json:"retired"`
}
