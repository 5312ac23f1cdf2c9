// Package bucket keeps objects under keys in named buckets, as far as state
// machines need it: what distributed Map states read and write.
package bucket

import (
	"context"
	"io"
	"iter"
	"strings"
	"time"
	"unicode/utf8"

	iap "github.com/internal-app-portal/iap"
)

// Object is what a listing tells of an object.
type Object struct {
	Key        string    `json:"key"`
	Size       int64     `json:"size"` // bytes
	ModifiedAt time.Time `json:"modified_at"`
}

// Buckets keeps objects. An object is there whole or not at all.
type Buckets interface {
	// Open reads an object; NotFound when there is none.
	Open(ctx context.Context, bucket, key string) (io.ReadCloser, error)
	// Create writes an object, or replaces it. It is there once Commit gives
	// no error; buckets come into being with their first object.
	Create(ctx context.Context, bucket, key string) (Writer, error)
	// List gives the objects whose keys have a prefix, in the order of the keys'
	// bytes. It ends with an error, if there is one.
	List(ctx context.Context, bucket, prefix string) iter.Seq2[Object, error]
	// Delete removes an object; removing what is not there is harmless.
	Delete(ctx context.Context, bucket, key string) error
}

// Writer writes one object. Close gives it up unless Commit came before.
type Writer interface {
	io.WriteCloser
	Commit() error
}

// maxKey is how long a key may be in bytes, as in S3.
const maxKey = 1024

// CheckBucket tells whether a name may be a bucket's: 3 to 63 lower-case
// letters, digits, dots and dashes, with a letter or digit at both ends, as S3
// has it. Errors: Invalid.
func CheckBucket(name string) error {
	ok := len(name) >= 3 && len(name) <= 63 && !strings.Contains(name, "..")
	for i, r := range name {
		plain := r >= 'a' && r <= 'z' || r >= '0' && r <= '9'
		inner := (r == '-' || r == '.') && i > 0 && i < len(name)-1
		ok = ok && (plain || inner)
	}
	if !ok {
		return iap.FieldErrorf("bucket", "bucket", "%q is not the name of a bucket: 3 to 63 lower-case letters, digits, dots and dashes", clip(name))
	}
	return nil
}

// CheckKey tells whether a text may be an object's key: 1 to 1024 bytes, parts
// with "/" between them of which none is empty, "." or "..". Errors: Invalid.
func CheckKey(key string) error {
	ok := key != "" && len(key) <= maxKey && utf8.ValidString(key)
	for part := range strings.SplitSeq(key, "/") {
		ok = ok && part != "" && part != "." && part != ".." && len(part) <= 255
	}
	for _, r := range key {
		ok = ok && r >= 0x20 && r != 0x7f && r != '\\'
	}
	if !ok {
		return iap.FieldErrorf("bucket", "key", "%q is not a key: 1 to %d bytes, names with \"/\" between them, none of them \".\" or \"..\"", clip(key), maxKey)
	}
	return nil
}

func clip(s string) string {
	if len(s) > 100 {
		return strings.ToValidUTF8(s[:100], "") + "…"
	}
	return s
}
