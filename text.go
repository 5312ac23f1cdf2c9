package iap

import (
	"slices"
	"strings"
)

// Texts returns what a person reads of err: one text for each of the errors
// that errors.Join joined in it, each with the field that is wrong but without
// the operations, which are for the log. A text that is there twice is told
// once.
func Texts(err error) []string {
	var out []string
	for _, text := range texts(err) {
		if text != "" && !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}

func texts(err error) []string {
	if err == nil {
		return nil
	}
	if e, ok := err.(*Error); ok {
		return prefixed(e)
	}
	inner := causes(err)
	if whole(err, inner) {
		var out []string
		for _, e := range inner {
			out = append(out, texts(e)...)
		}
		return out
	}
	if len(inner) == 1 { // "file: %w" belongs to each of several
		if before, after, found := strings.Cut(err.Error(), inner[0].Error()); found {
			out := texts(inner[0])
			for i := range out {
				out[i] = before + out[i] + after
			}
			return out
		}
	}
	text := err.Error()
	for _, e := range inner {
		text = strings.Replace(text, e.Error(), strings.Join(texts(e), "\n"), 1)
	}
	return []string{text}
}

// prefixed returns the texts of an Error's cause with its field.
func prefixed(e *Error) []string {
	out := texts(e.Err)
	if len(out) == 0 {
		out = []string{e.Kind.String()}
	}
	if e.Field != "" {
		for i := range out {
			out[i] = e.Field + ": " + out[i]
		}
	}
	return out
}

// causes returns what err wraps.
func causes(err error) []error {
	switch u := err.(type) {
	case interface{ Unwrap() []error }:
		return u.Unwrap()
	case interface{ Unwrap() error }:
		if inner := u.Unwrap(); inner != nil {
			return []error{inner}
		}
	}
	return nil
}

// whole reports whether err says nothing of its own.
func whole(err error, inner []error) bool {
	var lines []string
	for _, e := range inner {
		lines = append(lines, e.Error())
	}
	return len(inner) > 0 && err.Error() == strings.Join(lines, "\n")
}
