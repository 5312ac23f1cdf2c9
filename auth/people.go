package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/internal-app-portal/iap"
)

// Login is the section "login" of the configuration file.
type Login struct {
	People []Person `yaml:"people"`
}

// Person is somebody who may sign in.
type Person struct {
	ID          string   `yaml:"id"`           // stable name: an e-mail address
	Name        string   `yaml:"name"`         // as shown to others; default: ID
	Role        iap.Role `yaml:"role"`         // default: member
	TokenSHA256 string   `yaml:"token_sha256"` // SHA-256 of the token, hex
	// AccessKeys are for clients that sign their requests, as AWS's do.
	AccessKeys []AccessKey `yaml:"access_keys"`
}

// Actor returns the person as who asks.
func (p Person) Actor() iap.Actor { return iap.Actor{ID: p.ID, Name: p.Name, Role: p.Role} }

// nobody stands for "admins only" as the owner of an event (event.AdminsOnly):
// whoever had it as an ID would be told what is meant for admins.
const nobody = "-"

// maxID is the length of a person's ID in bytes at most.
const maxID = 254

// people finds persons by token and by ID.
type people struct {
	list []Person
	sums [][sha256.Size]byte // of list's tokens
}

// newPeople fills in defaults and checks every field; the error joins one
// Invalid error for each that is wrong.
func newPeople(list []Person) (*people, error) {
	p := &people{}
	var errs []error
	ids, sums, keys := map[string]bool{}, map[string]bool{}, map[string]bool{DevAccessKey.ID: true}
	for i, person := range list {
		bad := func(field, format string, args ...any) {
			errs = append(errs, iap.FieldErrorf("auth.New", fmt.Sprintf("login.people[%d].%s", i, field), format, args...))
		}
		if person.Name == "" {
			person.Name = person.ID
		}
		if person.Role == "" {
			person.Role = iap.Member
		}
		switch key := strings.ToLower(person.ID); {
		case person.ID == "" || len(person.ID) > maxID || strings.ContainsFunc(person.ID, isOdd):
			bad("id", "%q is not an ID: give an e-mail address such as jane@example.com", person.ID)
		case key == iap.System.ID || key == LocalAdmin.ID || key == nobody:
			bad("id", "%q is a name that the portal uses itself", person.ID)
		case ids[key]:
			bad("id", "%q is there twice", person.ID)
		default:
			ids[key] = true
		}
		if strings.ContainsFunc(person.Name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			bad("name", "holds control characters")
		}
		if !person.Role.Valid() {
			bad("role", "%q is not a role: member, publisher or admin", person.Role)
		}
		sum, err := hex.DecodeString(person.TokenSHA256)
		switch {
		case err != nil || len(sum) != sha256.Size:
			bad("token_sha256", "is not a SHA-256 in hex (64 characters); \"iap token new\" prints one")
		case sums[string(sum)]:
			bad("token_sha256", "is another person's too: give each person a token of their own")
		default:
			sums[string(sum)] = true
		}
		for k, key := range person.AccessKeys {
			if err := key.check(keys); err != nil {
				bad(fmt.Sprintf("access_keys[%d].%s", k, err.Field), "%v", err.Err)
			}
			keys[key.ID] = true
		}
		p.list = append(p.list, person)
		p.sums = append(p.sums, [sha256.Size]byte(append(sum, make([]byte, sha256.Size)...)))
	}
	return p, errors.Join(errs...)
}

// isOdd reports whether r makes an ID hard to read or to pass on.
func isOdd(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`"'<>\`, r) }

// byToken returns the person whose token it is. It takes the same time
// wherever in the list the person is and whatever the token.
func (p *people) byToken(token string) (Person, bool) {
	sum := sha256.Sum256([]byte(token))
	found := -1
	for i := range p.sums {
		if subtle.ConstantTimeCompare(sum[:], p.sums[i][:]) == 1 {
			found = i
		}
	}
	if found < 0 || token == "" {
		return Person{}, false
	}
	return p.list[found], true
}

func (p *people) byID(id string) (Person, bool) {
	for _, person := range p.list {
		if person.ID == id {
			return person, true
		}
	}
	return Person{}, false
}

// Person returns the person with an ID, for what is done in that person's name
// without a request; in development mode also LocalAdmin.
func (a *Auth) Person(id string) (iap.Actor, bool) {
	if a.cfg.Dev && id == LocalAdmin.ID {
		return LocalAdmin, true
	}
	p, ok := a.people.byID(id)
	return p.Actor(), ok
}

// NewToken returns a new random token of 256 bits and its SHA-256 in hex.
func NewToken() (token, sum string) {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails, see crypto/rand
	token = "iap_" + base64.RawURLEncoding.EncodeToString(b)
	return token, HashToken(token)
}

// HashToken returns the SHA-256 of a token in hex, as the configuration has it.
func HashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// LoginExample is the part of a configuration file that lets one person in;
// %s are the ID, the name, the role and the token's hash.
const LoginExample = `login:
  people:
    - id: %s
      name: %s
      role: %s
      token_sha256: %s
`

// CheckServe returns an error that says how to configure a login unless there
// is one or the portal is in development mode.
func CheckServe(dev bool, list []Person) error {
	if dev || len(list) > 0 {
		return nil
	}
	return iap.FieldErrorf("serve", "login.people", "nobody could sign in. "+
		"Run \"iap token new --id you@example.com --role admin\", put the lines that it prints into the file of --config:\n\n"+
		LoginExample+"\nor start a portal for this machine alone: iap serve --dev",
		"you@example.com", "You", "admin", "<64 hex digits>")
}

// CheckPeople returns an error for each field of a person that is wrong.
func CheckPeople(list []Person) error {
	_, err := newPeople(list)
	return err
}
