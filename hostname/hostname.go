// Package hostname makes and checks the names of instances: three words and
// the app's slug, one DNS label.
package hostname

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base32"
	"strings"

	"github.com/internal-app-portal/iap"
)

// The word lists were written for this project and are under its licence.
// Words have three to seven letters, each is in one list only, and no two of
// them differ by a single letter, so that a name survives being read out.
var (
	//go:embed adjectives.txt
	adjectiveText string
	//go:embed nouns.txt
	nounText string

	adjectives = strings.Fields(adjectiveText)
	nouns      = strings.Fields(nounText)
)

// MaxLength is the number of bytes of a DNS label at most (RFC 1035, 2.3.4).
const MaxLength = 63

// Generate returns a new host name, "brave-otter-lamp-todo", of at most
// MaxLength bytes. intn returns a random number from 0 to n-1, as rand.IntN
// does; a cryptographic one makes names hard to guess. A slug that is longer
// than the catalogue allows is cut.
func Generate(intn func(n int) int, slug string) string {
	first := intn(len(nouns))
	second := intn(len(nouns) - 1)
	if second >= first { // the two nouns are never the same
		second++
	}
	name := adjectives[intn(len(adjectives))] + "-" + nouns[first] + "-" + nouns[second] + "-" + slug
	if len(name) > MaxLength {
		name = strings.TrimRight(name[:MaxLength], "-")
	}
	return name
}

// Combinations is how many different names Generate can make for an app.
func Combinations() int { return len(adjectives) * len(nouns) * (len(nouns) - 1) }

// Valid returns nil when label can be the name of an instance's host, else an
// Invalid error with Field "host_name" that says why not. The rules are those
// of RFC 1123 for a label, in lower case, without the double dash in the third
// place that marks internationalised and other reserved labels (RFC 5891, 4.2.3.1).
func Valid(label string) error {
	if reason := Reason(label); reason != "" {
		return iap.FieldErrorf("hostname.Valid", "host_name", "%q %s", label, reason)
	}
	if Reserved(label) {
		return iap.FieldErrorf("hostname.Valid", "host_name", "%q is a name that the portal keeps for itself", label)
	}
	return nil
}

// Reason says what keeps label from being a DNS label in lower case, with what
// would be right; empty when it is one.
func Reason(label string) string {
	switch {
	case label == "":
		return "is empty; want 1 to 63 characters"
	case len(label) > MaxLength:
		return "is too long; want at most 63 characters"
	}
	for _, r := range label {
		switch {
		case r >= 'A' && r <= 'Z':
			return "has capital letters; want lower case"
		case r > 0x7e || r < 0x21:
			return "has characters other than a-z, 0-9 and dashes"
		case !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789-", r):
			return "has the character " + string(r) + "; want a-z, 0-9 and dashes"
		}
	}
	switch {
	case label[0] == '-' || label[len(label)-1] == '-':
		return "begins or ends with a dash; want a letter or digit"
	case strings.HasPrefix(label, "xn--"):
		return "is a coded international name (xn--); want plain letters"
	case len(label) > 3 && label[2:4] == "--":
		return "has two dashes in the third place, which is reserved"
	}
	return ""
}

// ResourceName returns the form of a host name that fits limit bytes: itself,
// or its beginning with 40 bits of a SHA-256 of the whole, so that cut names
// stay unique. A limit below 10 counts as 10.
func ResourceName(hostName string, limit int) string {
	const hashed = 8 // characters of base 32
	limit = max(limit, hashed+2)
	if len(hostName) <= limit {
		return hostName
	}
	sum := sha256.Sum256([]byte(hostName))
	hash := strings.ToLower(base32.StdEncoding.EncodeToString(sum[:5]))
	return strings.TrimRight(hostName[:limit-hashed-1], "-") + "-" + hash
}
