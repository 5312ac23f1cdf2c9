package instance

import (
	"context"
	"maps"
	"strings"

	"github.com/internal-app-portal/iap/catalog"
)

// Sealer keeps secrets from who reads the database.
type Sealer interface {
	Seal(text string) string
	// Open returns what was sealed; an error when it was not sealed here.
	Open(sealed string) (string, error)
}

// seal returns parameters as they are stored: secret ones are sealed.
func (s *Service) seal(m catalog.Manifest, params map[string]any) map[string]any {
	out := maps.Clone(params)
	for _, p := range m.Parameters {
		if text, ok := out[p.Name].(string); ok && p.Secret {
			out[p.Name] = s.Sealer.Seal(text)
		}
	}
	return out
}

// open takes back what seal did.
func (s *Service) open(m catalog.Manifest, stored map[string]any) (map[string]any, error) {
	out := maps.Clone(stored)
	for _, p := range m.Parameters {
		text, ok := out[p.Name].(string)
		if !ok || !p.Secret {
			continue
		}
		plain, err := s.Sealer.Open(text)
		if err != nil {
			return nil, err
		}
		out[p.Name] = plain
	}
	return out, nil
}

// redacted stands where a secret was.
const redacted = "«redacted»"

// redact takes an instance's secrets out of what its app printed. Where they
// cannot be known, nothing is shown.
func (s *Service) redact(ctx context.Context, i Instance, text string) string {
	v, err := s.Catalog.Version(ctx, i.App, i.Version)
	if err != nil {
		return redacted
	}
	params, err := s.open(v.Manifest, i.Parameters)
	if err != nil {
		return redacted
	}
	for _, secret := range v.Manifest.Secrets(params) {
		if len(secret) >= 4 { // shorter ones would take the text apart and hide nothing
			text = strings.ReplaceAll(text, secret, redacted)
		}
	}
	return text
}
