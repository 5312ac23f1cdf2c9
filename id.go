package iap

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"strings"
	"time"
)

// idEncoding is Crockford's base 32 in lower case, so that an ID is a valid
// DNS label, file name and Docker label, and sorts as its bytes do.
var idEncoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// IDLength is the number of characters of every ID.
const IDLength = 26

// NewID returns a new identifier: 48 bits of Unix milliseconds followed by 80
// random bits, as 26 characters in the manner of a ULID. IDs made in different
// milliseconds sort by the time they were made.
func NewID(now time.Time) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(now.UnixMilli())<<16)
	if _, err := rand.Read(b[6:]); err != nil {
		panic(err) // crypto/rand never fails on the platforms that Go supports
	}
	return idEncoding.EncodeToString(b[:])
}

// ValidID reports whether s has the form of an ID that NewID makes.
func ValidID(s string) bool {
	if len(s) != IDLength {
		return false
	}
	return strings.Trim(s, "0123456789abcdefghjkmnpqrstvwxyz") == ""
}
