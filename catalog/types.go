// Package catalog holds the apps that people can deploy and their immutable,
// numbered versions.
package catalog

import (
	"context"
	"time"
)

// App is an entry of the catalogue.
type App struct {
	Slug      string
	Latest    int // number of the newest version that people can have; of the newest where they can have none
	Newest    int // number of the newest version, from 1
	Retired   bool
	CreatedAt time.Time
	UpdatedAt time.Time
	Version   Version // Latest
}

// Version is one immutable version of an app.
type Version struct {
	App       string
	Number    int // 1, 2, 3, …
	Manifest  Manifest
	BundleSHA string // SHA-256, hex, of the bundle's zip; empty: the platform's built-in bundle
	IconType  string // media type of the icon's file; empty when the icon is text
	IconSHA   string // SHA-256, hex, of the icon's file; empty when the icon is text
	CreatedAt time.Time
	CreatedBy string

	Certification Certification
}

// Manifest is the content of an iap.yaml.
type Manifest struct {
	Slug          string            `yaml:"slug" json:"slug"`
	Name          string            `yaml:"name" json:"name"`
	Description   string            `yaml:"description,omitempty" json:"description,omitempty"`
	Icon          string            `yaml:"icon,omitempty" json:"icon,omitempty"`
	Image         string            `yaml:"image" json:"image"`
	Port          int               `yaml:"port,omitempty" json:"port"`
	Health        Health            `yaml:"health,omitempty" json:"health"`
	Environment   map[string]string `yaml:"environment,omitempty" json:"environment,omitempty"`
	Parameters    []Parameter       `yaml:"parameters,omitempty" json:"parameters,omitempty"`
	Limits        Limits            `yaml:"limits,omitempty" json:"limits"`
	TimeLimit     Duration          `yaml:"time_limit,omitempty" json:"time_limit"`
	TimeLimitMost Duration          `yaml:"time_limit_most,omitempty" json:"time_limit_most"`         // that may be asked for
	IdleLimit     Duration          `yaml:"idle_limit,omitempty" json:"idle_limit,omitempty"`         // 0: none
	WarningBar    bool              `yaml:"warning_bar,omitempty" json:"warning_bar,omitempty"`       // in its pages, before an end
	PricePerHour  *float64          `yaml:"price_per_hour,omitempty" json:"price_per_hour,omitempty"` // in the portal's currency; nil: by the limits
	Watts         *float64          `yaml:"watts,omitempty" json:"watts,omitempty"`                   // nil: by the limits
	Instances     int               `yaml:"instances,omitempty" json:"instances,omitempty"`           // that may live at once; 0: any number
	ReadOnlyRoot  *bool             `yaml:"read_only_root,omitempty" json:"read_only_root,omitempty"` // default true
	Tags          []string          `yaml:"tags,omitempty" json:"tags,omitempty"`
	Bundle        string            `yaml:"bundle,omitempty" json:"bundle,omitempty"`   // folder beside iap.yaml
	Network       string            `yaml:"network,omitempty" json:"network,omitempty"` // NetworkBundle (default), NetworkPortal; without a bundle empty
}

// Who makes the network of an instance.
const (
	NetworkPortal = "portal" // the portal, which has one ready and tells the bundle its name
	NetworkBundle = "bundle" // the bundle, if it wants one
)

// NetworkOfPortal reports whether the portal makes the network of an instance.
func (v Version) NetworkOfPortal() bool {
	return v.BundleSHA == "" || v.Manifest.Network == NetworkPortal
}

// Health says how the portal finds out that the app answers.
type Health struct {
	Path     string   `yaml:"path,omitempty" json:"path"`         // default "/"
	Deadline Duration `yaml:"deadline,omitempty" json:"deadline"` // default 60s
}

// Limits are what an instance may use at most.
type Limits struct {
	Memory Memory  `yaml:"memory,omitempty" json:"memory"` // default 256MiB
	CPUs   float64 `yaml:"cpus,omitempty" json:"cpus"`     // default 1
	PIDs   int     `yaml:"pids,omitempty" json:"pids"`     // default 128
}

// Memory is a number of bytes, written "64MiB" or "1GiB".
type Memory int64

// Duration is a length of time, written "90s", "30m" or "8h".
type Duration time.Duration

// Parameter is a value that a person chooses when deploying.
type Parameter struct {
	Name        string   `yaml:"name" json:"name"`
	Label       string   `yaml:"label,omitempty" json:"label,omitempty"`
	Description string   `yaml:"description,omitempty" json:"description,omitempty"`
	Type        string   `yaml:"type,omitempty" json:"type"` // string (default), number, boolean, choice
	Default     any      `yaml:"default,omitempty" json:"default,omitempty"`
	Choices     []string `yaml:"choices,omitempty" json:"choices,omitempty"`
	Pattern     string   `yaml:"pattern,omitempty" json:"pattern,omitempty"` // RE2
	Min         *float64 `yaml:"min,omitempty" json:"min,omitempty"`
	Max         *float64 `yaml:"max,omitempty" json:"max,omitempty"`
	Required    bool     `yaml:"required,omitempty" json:"required,omitempty"`
	Secret      bool     `yaml:"secret,omitempty" json:"secret,omitempty"`
}

// Store keeps apps and versions.
type Store interface {
	// InsertVersion adds a version with the next number of its app, making the
	// app when it is new and un-retiring it when it was retired, and returns
	// the version with its number.
	InsertVersion(ctx context.Context, v Version) (Version, error)
	// SetCertification writes what is known of a version's certification, SetLatest
	// the number of the version that people have; NotFound.
	SetCertification(ctx context.Context, slug string, number int, c Certification) error
	SetLatest(ctx context.Context, slug string, latest int, now time.Time) error
	// App returns an app with the version that people have, or NotFound.
	App(ctx context.Context, slug string) (App, error)
	// Apps returns all apps in the order of their slugs, with the versions that
	// people have.
	Apps(ctx context.Context) ([]App, error)
	// Version returns one version, or NotFound.
	Version(ctx context.Context, slug string, number int) (Version, error)
	// Versions returns the versions of an app, newest first.
	Versions(ctx context.Context, slug string) ([]Version, error)
	// SetRetired retires an app or takes that back; NotFound.
	SetRetired(ctx context.Context, slug string, retired bool, now time.Time) error
}

// Blobs keeps files by their SHA-256.
type Blobs interface {
	// Put stores data and returns its SHA-256 in hex; storing twice is harmless.
	Put(ctx context.Context, data []byte) (sha string, err error)
	// Get returns what was stored, or NotFound. It checks the sum.
	Get(ctx context.Context, sha string) ([]byte, error)
}
