package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"
)

// Ticket lets one person reach one host for a while. It is made by the portal
// and carried by the browser to the host of an instance, which is on another
// site and so never sees the portal's own cookies.
type Ticket struct {
	Purpose string    `json:"p"` // what it may be used for
	Host    string    `json:"h"` // the host name that it opens
	Actor   string    `json:"a"` // ID of the person
	Grant   string    `json:"g"` // by what the person was signed in; see Auth.Grant
	Expires time.Time `json:"e"`
}

// ErrTicket says that a ticket is not valid: forged, for something else, or
// expired.
var ErrTicket = errors.New("the ticket is not valid")

// Seal returns t as text, signed with key (HMAC-SHA256, RFC 2104).
func (t Ticket) Seal(key []byte) string {
	body, err := json.Marshal(t)
	if err != nil {
		panic(err) // strings and a time always marshal
	}
	text := base64.RawURLEncoding.EncodeToString(body)
	return text + "." + signature(key, text)
}

// OpenTicket reads what Seal made; ErrTicket unless it was signed with key for
// the purpose and the host, and has not expired.
func OpenTicket(key []byte, text, purpose, host string, now time.Time) (Ticket, error) {
	body, sum, ok := strings.Cut(text, ".")
	if !ok || len(text) > 2048 || !hmac.Equal([]byte(sum), []byte(signature(key, body))) {
		return Ticket{}, ErrTicket
	}
	raw, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil {
		return Ticket{}, ErrTicket
	}
	var t Ticket
	if err := json.Unmarshal(raw, &t); err != nil {
		return Ticket{}, ErrTicket
	}
	if t.Purpose != purpose || t.Host != host || !now.Before(t.Expires) {
		return Ticket{}, ErrTicket
	}
	return t, nil
}

func signature(key []byte, text string) string {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}
