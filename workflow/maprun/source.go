package maprun

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/items"
	"github.com/internal-app-portal/iap/asl/value"
	"github.com/internal-app-portal/iap/bucket"
)

// Source is the open items of a map run.
type Source struct {
	asl.MapItems
	close []func() error
}

// Close lets go of the files.
func (s *Source) Close() error {
	var all error
	for _, c := range s.close {
		all = errors.Join(all, c())
	}
	s.close = nil
	return all
}

// Open opens the items of an order, from the first on. Errors are *asl.MapError.
func Open(ctx context.Context, o *asl.MapRunOrder, buckets bucket.Buckets) (*Source, error) {
	s := &Source{}
	if o.Reader == nil {
		s.MapItems = items.Of(o.Items.Value())
		return s, nil
	}
	if err := s.open(ctx, o.Reader, buckets); err != nil {
		return nil, Fail(asl.ErrItemReaderFailed, errors.Join(err, s.Close()))
	}
	s.MapItems = items.Limit(s.MapItems, o.Reader.MaxItems)
	return s, nil
}

func readerFailed(format string, args ...any) error {
	return &asl.MapError{Name: asl.ErrItemReaderFailed, Cause: fmt.Sprintf(format, args...)}
}

func (s *Source) open(ctx context.Context, r *asl.ItemReader, buckets bucket.Buckets) error {
	if buckets == nil {
		return readerFailed("There are no buckets here to read items from.")
	}
	name := argument(r.Arguments, "Bucket")
	if name == "" {
		return readerFailed("The ItemReader must have a text for the argument Bucket.")
	}
	switch r.Resource.Service + ":" + r.Resource.API {
	case "s3:getObject":
		key := argument(r.Arguments, "Key")
		if r.InputType == "MANIFEST" {
			return s.manifest(ctx, r, buckets, name, key)
		}
		var err error
		s.MapItems, err = s.object(ctx, r, buckets, name, key)
		return err
	case "s3:listObjectsV2":
		return s.list(ctx, r, buckets, name)
	}
	return readerFailed("The ItemReader's Resource must be arn:aws:states:::s3:getObject or arn:aws:states:::s3:listObjectsV2, not %s.", r.Resource.ARN)
}

// object opens the items of one file.
func (s *Source) object(ctx context.Context, r *asl.ItemReader, buckets bucket.Buckets, name, key string) (asl.MapItems, error) {
	file, err := buckets.Open(ctx, name, key)
	if err != nil {
		return nil, err
	}
	s.close = append(s.close, file.Close)
	source := "S3://" + name + "/" + key
	switch r.InputType {
	case "", "JSON":
		return items.JSON(file, r.ItemsPointer, source), nil
	case "JSONL":
		return items.Lines(file, source), nil
	case "CSV", "MANIFEST":
		var headers []string
		if r.CSVHeaderLocation == "GIVEN" {
			headers = r.CSVHeaders
		}
		return items.CSV(file, headers, r.CSVDelimiter, source), nil
	}
	return nil, readerFailed("Files of the type %s cannot be read here; use CSV, JSON or JSONL.", r.InputType)
}

// each opens files one after the other, one at a time.
func (s *Source) each(ctx context.Context, r *asl.ItemReader, buckets bucket.Buckets, name string, next func() (string, error)) asl.MapItems {
	return items.Joined(func() (asl.MapItems, error) {
		key, err := next()
		if err != nil {
			return nil, err
		}
		kept := s.close
		for _, c := range kept[min(1, len(kept)):] { // the first is the listing's
			_ = c() // it was only read
		}
		s.close = kept[:min(1, len(kept))]
		all, err := s.object(ctx, r, buckets, name, key)
		if err != nil {
			return nil, Fail(asl.ErrItemReaderFailed, err)
		}
		return all, nil
	})
}

// list goes through the objects of a bucket or, with LOAD_AND_FLATTEN, through
// what is in them.
func (s *Source) list(ctx context.Context, r *asl.ItemReader, buckets bucket.Buckets, name string) error {
	if err := bucket.CheckBucket(name); err != nil {
		return err
	}
	next, stop := iter.Pull2(buckets.List(ctx, name, argument(r.Arguments, "Prefix")))
	s.close = append(s.close, func() error { stop(); return nil })
	if r.Transformation == "LOAD_AND_FLATTEN" {
		s.MapItems = s.each(ctx, r, buckets, name, func() (string, error) {
			o, err, ok := next()
			if !ok {
				return "", io.EOF
			}
			if err != nil {
				return "", Fail(asl.ErrItemReaderFailed, err)
			}
			return o.Key, nil
		})
		return nil
	}
	s.MapItems = &listing{next: next, source: "S3://" + name}
	return nil
}

type listing struct {
	next   func() (bucket.Object, error, bool)
	source string
	number int64
}

func (l *listing) Next() (asl.MapItem, error) {
	o, err, ok := l.next()
	if !ok {
		return asl.MapItem{}, io.EOF
	}
	if err != nil {
		return asl.MapItem{}, Fail(asl.ErrItemReaderFailed, err)
	}
	l.number++
	return asl.MapItem{Index: l.number - 1, Source: l.source, Value: value.NewObject(
		value.Member{Key: "Etag", Value: fmt.Sprintf("%q", fmt.Sprintf("%x-%x", o.ModifiedAt.UnixNano(), o.Size))},
		value.Member{Key: "Key", Value: o.Key},
		value.Member{Key: "LastModified", Value: value.Int(o.ModifiedAt.Unix())},
		value.Member{Key: "Size", Value: value.Int(o.Size)},
		value.Member{Key: "StorageClass", Value: "STANDARD"})}, nil
}

// manifest goes through the files that a manifest names: one s3://BUCKET/KEY a
// line, as Athena's UNLOAD writes it, with JSON Lines in the files. All must be
// in the manifest's own bucket.
func (s *Source) manifest(ctx context.Context, r *asl.ItemReader, buckets bucket.Buckets, name, key string) error {
	if r.ManifestType != "ATHENA_DATA" {
		return readerFailed("Only manifests of the type ATHENA_DATA can be read here.")
	}
	rows, err := s.object(ctx, &asl.ItemReader{InputType: "CSV", CSVHeaderLocation: "GIVEN", CSVHeaders: []string{"uri"}}, buckets, name, key)
	if err != nil {
		return err
	}
	inner := *r
	inner.InputType = "JSONL"
	prefix := "s3://" + name + "/"
	s.MapItems = s.each(ctx, &inner, buckets, name, func() (string, error) {
		row, err := rows.Next()
		if err != nil {
			return "", err
		}
		uri := argument(value.Of(row.Value), "uri")
		if len(uri) <= len(prefix) || uri[:len(prefix)] != prefix {
			return "", readerFailed("The manifest names %q, which is not in the bucket %s.", uri, name)
		}
		return uri[len(prefix):], nil
	})
	return nil
}
