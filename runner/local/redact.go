package local

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"sort"
	"strings"
)

// mask stands where a secret was.
const mask = "«redacted»"

// minSecret is the length in bytes below which a text is no secret: replacing
// each "1" would hide nothing and make a log unreadable.
const minSecret = 4

// redactor replaces secrets in a stream, in whatever pieces it comes. What may
// be the beginning of a secret is kept back until more has come.
type redactor struct {
	next    func([]byte)
	byFirst [256][]string // patterns by their first byte, longest first
	kept    []byte
	out     []byte
}

func newRedactor(secrets []string, next func([]byte)) *redactor {
	r := &redactor{next: next}
	seen := map[string]bool{}
	for _, s := range secrets {
		for _, form := range forms(s) {
			if len(form) >= minSecret && !seen[form] {
				seen[form] = true
				r.byFirst[form[0]] = append(r.byFirst[form[0]], form)
			}
		}
	}
	for _, patterns := range r.byFirst {
		sort.Slice(patterns, func(i, j int) bool { return len(patterns[i]) > len(patterns[j]) })
	}
	return r
}

// forms returns the ways in which a secret may appear in a log.
func forms(secret string) []string {
	if len(secret) < minSecret {
		return nil
	}
	out := plainForms(secret)
	for _, line := range strings.Split(secret, "\n") { // each line is prefixed in a log
		if line = strings.TrimSpace(line); len(line) >= minSecret && line != secret {
			out = append(out, plainForms(line)...)
		}
	}
	out = append(out, hex.EncodeToString([]byte(secret)), strings.ToUpper(hex.EncodeToString([]byte(secret))))
	return append(out, base64Forms(secret)...)
}

func plainForms(s string) []string {
	out := []string{s, sanitise(s), url.QueryEscape(s), url.PathEscape(s),
		strings.ReplaceAll(url.QueryEscape(s), "+", "%20")}
	for _, html := range []bool{true, false} {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(html)
		if e.Encode(s) == nil {
			quoted := strings.TrimSuffix(b.String(), "\n")
			quoted = quoted[1 : len(quoted)-1]
			// Terraform quotes as JSON does, and its templates' openings too.
			out = append(out, quoted, strings.NewReplacer("${", "$${", "%{", "%%{").Replace(quoted))
		}
	}
	return out
}

// base64Forms returns what of a secret's base64 is the same whatever stands
// before and behind it: once for each offset in a group of three bytes.
func base64Forms(s string) []string {
	var out []string
	for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for offset := range 3 {
			text := enc.EncodeToString([]byte(strings.Repeat("\x00", offset) + s))
			// The first characters hold bits of what stands before, the last
			// one holds bits of what stands behind.
			text = text[(offset*8+5)/6:]
			if (offset+len(s))%3 != 0 {
				text = text[:len(text)-1]
			}
			if len(text) >= minSecret+2 {
				out = append(out, text)
			}
		}
	}
	return out
}

// Write never fails.
func (r *redactor) Write(p []byte) (int, error) {
	r.kept = append(r.kept, p...)
	r.scan(false)
	return len(p), nil
}

// flush passes on what was kept back.
func (r *redactor) flush() { r.scan(true) }

func (r *redactor) scan(last bool) {
	b, i := r.kept, 0
	for i < len(b) {
		match, more := r.at(b[i:])
		if more && !last {
			break
		}
		if match > 0 {
			r.out = append(r.out, mask...)
			i += match
			continue
		}
		r.out = append(r.out, b[i])
		i++
	}
	r.kept = append(r.kept[:0], b[i:]...)
	if len(r.out) > 0 {
		r.next(r.out)
		r.out = r.out[:0]
	}
}

// at returns the length of the longest secret with which b begins, and whether
// b may be the beginning of a longer one.
func (r *redactor) at(b []byte) (match int, more bool) {
	for _, p := range r.byFirst[b[0]] {
		if len(p) > len(b) {
			more = more || strings.HasPrefix(p, string(b))
			continue
		}
		if string(b[:len(p)]) == p {
			return len(p), more
		}
	}
	return 0, more
}

// redact replaces secrets in one text.
func redact(secrets []string, text string) string {
	var out []byte
	r := newRedactor(secrets, func(p []byte) { out = append(out, p...) })
	_, _ = r.Write([]byte(text))
	r.flush()
	return string(out)
}
