package main

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Variable is one of the environment. A value that looks like a secret is masked.
type Variable struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Masked bool   `json:"masked,omitempty"`
}

const mask = "••••••••"

// environment sorts and masks variables of the form NAME=value.
func environment(environ []string) []Variable {
	out := []Variable{}
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		v := Variable{Name: name, Value: value}
		if secretName(name) && value != "" || secretValue(value) {
			v.Value, v.Masked = mask, true
		}
		out = append(out, v)
	}
	slices.SortFunc(out, func(a, b Variable) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// secretWords are the words of a name whose value is not shown. They are whole words, so that
// KEYBOARD and AUTHOR stay readable.
var secretWords = []string{
	"SECRET", "SECRETS", "TOKEN", "TOKENS", "PASSWORD", "PASSWD", "PASSPHRASE", "PASS", "PWD", "PW", "KEY", "KEYS",
	"APIKEY", "CREDENTIAL", "CREDENTIALS", "AUTH", "AUTHORIZATION", "COOKIE", "PRIVATE", "DSN", "SALT", "SIGNATURE",
}

func secretName(name string) bool {
	if name == "PWD" || name == "OLDPWD" {
		return false // the shell's folders
	}
	words := strings.FieldsFunc(strings.ToUpper(name), func(r rune) bool {
		return !unicode.IsLetter(r)
	})
	return slices.ContainsFunc(words, func(w string) bool {
		return slices.Contains(secretWords, w) || strings.HasSuffix(w, "PASSWORD") || strings.HasSuffix(w, "SECRET")
	})
}

var (
	jwt      = regexp.MustCompile(`^[\w-]{8,}\.[\w-]{8,}\.[\w-]*$`)
	prefixed = regexp.MustCompile(`^(gh[pousr]_|github_pat_|glpat-|sk-|sk_|xox[abprs]-|AKIA|ASIA|Bearer |Basic )`)
	blob     = regexp.MustCompile(`^[A-Za-z0-9+/_=-]{32,}$`)
)

// secretValue says whether a value looks like a secret whatever its name is.
func secretValue(value string) bool {
	if jwt.MatchString(value) || prefixed.MatchString(value) || strings.Contains(value, "-----BEGIN ") {
		return true
	}
	if u, err := url.Parse(value); err == nil && u.User != nil {
		if _, has := u.User.Password(); has {
			return true
		}
	}
	return blob.MatchString(value) && mixed(value)
}

// mixed says whether a long word has letters of both cases and digits, or is all hexadecimal, as
// random ones are and paths and names are not.
func mixed(word string) bool {
	var lower, upper, digit, other bool
	hex := true
	for _, r := range word {
		switch {
		case unicode.IsDigit(r):
			digit = true
		case unicode.IsLower(r):
			lower = true
			hex = hex && r <= 'f'
		case unicode.IsUpper(r):
			upper = true
			hex = hex && r <= 'F'
		default:
			other = true
		}
	}
	return lower && upper && digit || hex && digit && (lower || upper) && !other
}
