package delivery

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
)

// Standard Webhooks, https://github.com/standard-webhooks/standard-webhooks,
// specification 1.0.0: the headers, and the signature with a shared secret.
const (
	HeaderID        = "Webhook-Id"
	HeaderTimestamp = "Webhook-Timestamp"
	HeaderSignature = "Webhook-Signature"

	secretPrefix = "whsec_"
	minSecret    = 24 // bytes, as the specification recommends
	maxSecret    = 64
	// tolerance is how far a timestamp may be from now.
	tolerance = 5 * time.Minute
)

// NewSecret returns a new secret: "whsec_" and 32 random bytes in base 64.
func NewSecret() string {
	b := make([]byte, 32)
	if _, err := rand.Read(b); err != nil {
		panic(err) // crypto/rand never fails on the platforms that Go supports
	}
	return secretPrefix + base64.StdEncoding.EncodeToString(b)
}

// key returns the bytes of a secret. The error is Invalid.
func key(secret string) ([]byte, error) {
	b, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, secretPrefix))
	if err != nil || len(b) < minSecret || len(b) > maxSecret {
		return nil, iap.FieldErrorf("delivery.key", "secret", "it is not %q followed by %d to %d bytes in base 64", secretPrefix, minSecret, maxSecret)
	}
	return b, nil
}

// CheckSecret says whether a text is a secret. The error is Invalid, for the
// field "secret".
func CheckSecret(secret string) error {
	_, err := key(secret)
	return err
}

// Sign returns the header webhook-signature of a message.
func Sign(secret, id string, at time.Time, body []byte) (string, error) {
	k, err := key(secret)
	if err != nil {
		return "", err
	}
	return "v1," + base64.StdEncoding.EncodeToString(mac(k, id, strconv.FormatInt(at.Unix(), 10), body)), nil
}

func mac(key []byte, id, timestamp string, body []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(id + "." + timestamp + "."))
	h.Write(body)
	return h.Sum(nil)
}

// ErrSignature is the error of a message that nobody signed whose secret is
// known, or too long ago.
var ErrSignature = errors.New("the signature is not right")

// Verify checks the signature of a message by a secret.
func Verify(secret, id, timestamp, signatures string, body []byte, now time.Time) error {
	k, err := key(secret)
	if err != nil {
		return err
	}
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || id == "" || now.Sub(time.Unix(seconds, 0)).Abs() > tolerance {
		return ErrSignature
	}
	want := mac(k, id, timestamp, body)
	for _, s := range strings.Fields(signatures) {
		version, text, _ := strings.Cut(s, ",")
		got, err := base64.StdEncoding.DecodeString(text)
		if version == "v1" && err == nil && hmac.Equal(got, want) {
			return nil
		}
	}
	return ErrSignature
}

// MessageID is the id under which receivers know an event: the same for every
// attempt and after a redrive. It is made of the event's source and id, which
// may hold what the header may not.
func MessageID(e event.Event) string {
	sum := sha256.Sum256([]byte(e.Source + "\x00" + e.ID))
	return "msg_" + base64.RawURLEncoding.EncodeToString(sum[:18])
}
