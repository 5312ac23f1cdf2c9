package delivery

import (
	"context"
	"strconv"
	"strings"
	"time"

	iap "github.com/internal-app-portal/iap"
)

// How long the old secret of a signature is valid beside the new one.
const (
	DefaultOverlap = 24 * time.Hour
	maxOverlap     = 30 * 24 * time.Hour
)

// RotateSecret gives a target a new secret, secret or where that is empty one that
// is made, and returns the target with it; it is not told again. Deliveries are
// signed by the old one as well for a while: overlap, at most 30 days; 0: not at all.
// Errors: Invalid, NotFound, Forbidden.
func (s *Service) RotateSecret(ctx context.Context, a iap.Actor, name, secret string, overlap time.Duration) (t Target, err error) {
	const op = "delivery.RotateSecret"
	if err := admin(a, op); err != nil {
		return t, err
	}
	if overlap < 0 || overlap > maxOverlap {
		return t, iap.FieldErrorf(op, "overlap", "%s is not between 0 and %s", overlap, maxOverlap)
	}
	if secret == "" {
		secret = NewSecret()
	}
	if err := CheckSecret(secret); err != nil {
		return t, err
	}
	err = s.Tx.Update(ctx, func(ctx context.Context) error {
		if t, err = s.open(ctx, name); err != nil {
			return err
		}
		if !t.signed() {
			return iap.FieldErrorf(op, "name", "a target of kind %s has no secret", t.Kind)
		}
		t.OldSecret, t.OldUntil = "", time.Time{}
		if overlap > 0 {
			t.OldSecret, t.OldUntil = t.Secret, s.Now().Add(overlap).Truncate(time.Second)
		}
		t.Secret, t.UpdatedAt, t.UpdatedBy = secret, s.Now(), a.ID
		return s.putTarget(ctx, t, "rotated", a.ID)
	})
	t.OldSecret = ""
	return t, err
}

// Secrets are those by which a delivery is signed at a time, the newest first.
func (t Target) Secrets(now time.Time) []string {
	if t.OldSecret != "" && now.Before(t.OldUntil) {
		return []string{t.Secret, t.OldSecret}
	}
	return []string{t.Secret}
}

// sealSecret returns the secrets of a target as the store has them: sealed, the old
// one after the new one with the second until which it is valid.
func (s *Service) sealSecret(t Target) string {
	switch {
	case t.Secret == "":
		return ""
	case t.OldSecret == "":
		return s.Sealer.Seal(t.Secret)
	}
	return s.Sealer.Seal(t.Secret + " " + t.OldSecret + " " + strconv.FormatInt(t.OldUntil.Unix(), 10))
}

// openSecret is the reverse of sealSecret.
func (s *Service) openSecret(t *Target) error {
	if t.Secret == "" {
		return nil
	}
	text, err := s.Sealer.Open(t.Secret)
	if err != nil {
		return err
	}
	parts := strings.Fields(text)
	if len(parts) == 3 {
		until, err := strconv.ParseInt(parts[2], 10, 64)
		if err != nil {
			return err
		}
		t.OldSecret, t.OldUntil = parts[1], time.Unix(until, 0)
		text = parts[0]
	}
	t.Secret = text
	return nil
}
