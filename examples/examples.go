// Package examples holds the manifests and bundles of the example apps, which
// a development portal has in its catalogue from the start.
package examples

import "embed"

// Files has one folder for each app, as `iap app add` takes it.
//
//go:embed */iap.yaml */icon.svg all:todo/bundle
var Files embed.FS

// Names are the folders in Files.
func Names() []string { return []string{"todo", "whiteboard", "inspector"} }
