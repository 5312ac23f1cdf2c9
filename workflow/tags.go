package workflow

import (
	"context"
	"slices"

	iap "github.com/internal-app-portal/iap"
)

// maxTags is the number of tags of a resource at most, as on AWS.
const maxTags = 50

// Tags returns the tags of a state machine or activity, by its ARN.
func (s *Machines) Tags(ctx context.Context, arn string) ([]Tag, error) {
	return s.Store.Tags(ctx, arn)
}

// Tag puts tags on a state machine or activity, replacing those of the same
// keys. Errors: Invalid (ErrTooManyTags).
func (s *Machines) Tag(ctx context.Context, arn string, tags []Tag) error {
	return s.Tx.Update(ctx, func(ctx context.Context) error {
		there, err := s.Store.Tags(ctx, arn)
		if err != nil {
			return err
		}
		keys := map[string]bool{}
		for _, t := range slices.Concat(there, tags) {
			keys[t.Key] = true
		}
		if len(keys) > maxTags {
			return refuse("workflow.Tag", iap.Invalid, "tags", ErrTooManyTags)
		}
		return s.Store.PutTags(ctx, arn, tags)
	})
}

// Untag takes tags off; those that are not there are off already.
func (s *Machines) Untag(ctx context.Context, arn string, keys []string) error {
	return s.Store.DeleteTags(ctx, arn, keys)
}
