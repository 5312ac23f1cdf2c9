// Package hostname makes and checks the names of instances: three words and
// the app's slug, one DNS label.
package hostname

// MaxLength is the number of bytes of a DNS label at most (RFC 1035, 2.3.4).
const MaxLength = 63

// Generate returns a new host name, "brave-otter-lamp-todo", of at most
// MaxLength bytes. intn returns a random number from 0 to n-1, as rand.IntN
// does; a cryptographic one makes names hard to guess.
func Generate(intn func(n int) int, slug string) string { return "" }

// Valid returns nil when label can be the name of an instance's host, else an
// Invalid error with Field "host_name" that says why not.
func Valid(label string) error { return nil }

// Reserved reports whether label is kept for the portal itself and can be
// neither an app's slug nor a host name.
func Reserved(label string) bool { return false }

// ResourceName returns the form of a host name that fits max bytes: itself, or
// its beginning with a hash of the whole, so that cut names stay unique.
func ResourceName(hostName string, max int) string { return "" }
