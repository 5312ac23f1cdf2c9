package bucket

import (
	"context"
	"io"

	iap "github.com/internal-app-portal/iap"
)

// Access is what people may do with buckets: admins all of it, as with the
// state machines that use them; others nothing (Forbidden).
type Access struct{ *Folder }

func adminsOnly(a iap.Actor, op string) error {
	if a.Role.Includes(iap.Admin) {
		return nil
	}
	return iap.Errorf(op, iap.Forbidden, "only admins may use buckets")
}

// Buckets gives the names of all buckets, in their order.
func (b Access) Buckets(ctx context.Context, a iap.Actor) ([]string, error) {
	if err := adminsOnly(a, "bucket.Buckets"); err != nil {
		return nil, err
	}
	return b.Names(ctx)
}

// Objects gives at most limit objects whose keys have a prefix and come after after,
// in the order of the keys.
func (b Access) Objects(ctx context.Context, a iap.Actor, bucket, prefix, after string, limit int) ([]Object, error) {
	if err := adminsOnly(a, "bucket.Objects"); err != nil {
		return nil, err
	}
	var out []Object
	for o, err := range b.List(ctx, bucket, prefix) {
		if err != nil {
			return nil, err
		}
		if o.Key <= after {
			continue
		}
		if out = append(out, o); len(out) == limit {
			break
		}
	}
	return out, nil
}

// Object tells of an object and opens it. Errors: Invalid, NotFound.
func (b Access) Object(ctx context.Context, a iap.Actor, bucket, key string) (Object, io.ReadCloser, error) {
	if err := adminsOnly(a, "bucket.Object"); err != nil {
		return Object{}, nil, err
	}
	r, err := b.Open(ctx, bucket, key)
	if err != nil {
		return Object{}, nil, err
	}
	o, err := b.Stat(ctx, bucket, key)
	if err != nil {
		_ = r.Close() // it was only read
		return Object{}, nil, err
	}
	return o, r, nil
}

// PutObject writes an object, or replaces it; after an error nothing has changed.
// Errors: Invalid, Conflict, Full, and those of r.
func (b Access) PutObject(ctx context.Context, a iap.Actor, bucket, key string, r io.Reader) (Object, error) {
	if err := adminsOnly(a, "bucket.PutObject"); err != nil {
		return Object{}, err
	}
	w, err := b.Create(ctx, bucket, key)
	if err != nil {
		return Object{}, err
	}
	defer w.Close() // without Commit it gives the object up
	if _, err := io.Copy(w, r); err != nil {
		return Object{}, err
	}
	if err := w.Commit(); err != nil {
		return Object{}, err
	}
	return b.Stat(ctx, bucket, key)
}

// DeleteObject removes an object, or is NotFound.
func (b Access) DeleteObject(ctx context.Context, a iap.Actor, bucket, key string) error {
	if err := adminsOnly(a, "bucket.DeleteObject"); err != nil {
		return err
	}
	if _, err := b.Stat(ctx, bucket, key); err != nil {
		return err
	}
	return b.Delete(ctx, bucket, key)
}
