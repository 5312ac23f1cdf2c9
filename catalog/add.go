package catalog

import (
	"context"

	"github.com/internal-app-portal/iap"
)

// Add checks an upload and stores it as the next version of its app. An
// upload with the content of the newest version returns that version, and
// un-retires the app, without making a new one. It needs the role publisher.
//
// Errors: Forbidden; Invalid, for each field that is wrong (iap.Fields);
// Full; Unavailable. Nothing is stored when it fails.
func (s *Service) Add(ctx context.Context, actor iap.Actor, up Upload) (Version, error) {
	return Version{}, iap.Errorf("catalog.Add", iap.Internal, "not there")
}
