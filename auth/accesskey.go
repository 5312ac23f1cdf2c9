package auth

import (
	"crypto/rand"
	"encoding/base64"
	"strings"

	"github.com/internal-app-portal/iap"
)

// AccessKey signs requests (AWS Signature Version 4). Unlike of a token, the
// portal must know the secret itself: keep the configuration to yourself.
type AccessKey struct {
	ID     string `yaml:"id"`     // told with each request: 4 to 128 letters, digits, "-" and "_"
	Secret string `yaml:"secret"` // 20 characters or more
}

// DevAccessKey is the access key of LocalAdmin in development mode. It is no
// secret: such a portal answers to this machine alone.
var DevAccessKey = AccessKey{ID: "iap-dev", Secret: "iap-dev-secret-access-key"}

// minSecret and maxSecret bound the length of a secret in bytes.
const minSecret, maxSecret = 20, 256

// check returns an error that names the field which is wrong.
func (k AccessKey) check(taken map[string]bool) *iap.Error {
	const op = "auth.New"
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
	switch {
	case len(k.ID) < 4 || len(k.ID) > 128 || strings.Trim(k.ID, allowed) != "":
		return iap.FieldErrorf(op, "id", "%q is not the ID of an access key: give 4 to 128 letters, digits, \"-\" and \"_\"", k.ID)
	case taken[k.ID]:
		return iap.FieldErrorf(op, "id", "%q is there twice or the portal's own: give each access key an ID of its own", k.ID)
	case len(k.Secret) < minSecret || len(k.Secret) > maxSecret:
		return iap.FieldErrorf(op, "secret", "has %d characters: give %d to %d random ones", len(k.Secret), minSecret, maxSecret)
	}
	return nil
}

// AccessKey returns the secret of an access key and whose it is; false when
// there is no such key. A person's token is an access key too: both its ID and
// its secret, since the portal knows a token only when it is told. It is told
// with each request, as it is to the REST API; of a key in the configuration the
// secret is not.
func (a *Auth) AccessKey(id string) (secret string, who iap.Actor, ok bool) {
	if a.cfg.Dev && id == DevAccessKey.ID {
		return DevAccessKey.Secret, LocalAdmin, true
	}
	for _, p := range a.people.list {
		for _, k := range p.AccessKeys {
			if k.ID == id {
				return k.Secret, p.Actor(), true
			}
		}
	}
	if p, ok := a.people.byToken(id); ok {
		return id, p.Actor(), true
	}
	return "", iap.Actor{}, false
}

// NewAccessKey returns a new random access key with a secret of 256 bits.
func NewAccessKey() AccessKey {
	id, secret := make([]byte, 10), make([]byte, 32)
	_, _ = rand.Read(id) // never fails, see crypto/rand
	_, _ = rand.Read(secret)
	return AccessKey{ID: "IAP" + base64.RawURLEncoding.EncodeToString(id), Secret: base64.RawURLEncoding.EncodeToString(secret)}
}
