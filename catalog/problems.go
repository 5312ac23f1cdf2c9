package catalog

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/internal-app-portal/iap"
)

// problems collects what is wrong with an input, each with its field and,
// where that is known, its line.
type problems struct {
	op    string
	lines map[string]int // line of each field
	errs  []error
	seen  map[string]bool // fields that have a problem
}

func newProblems(op string) *problems {
	return &problems{op: op, lines: map[string]int{}, seen: map[string]bool{}}
}

// add notes a problem of a field.
func (p *problems) add(field, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if line := p.line(field); line > 0 {
		text += fmt.Sprintf(" (line %d)", line)
	}
	p.seen[field] = true
	p.errs = append(p.errs, iap.FieldErrorf(p.op, field, "%s", text))
}

// line returns the line of a field or of the nearest field around it.
func (p *problems) line(field string) int {
	for {
		if n := p.lines[field]; n > 0 || field == "" {
			return n
		}
		field = field[:max(strings.LastIndexAny(field, ".["), 0)]
	}
}

// has reports whether the field has a problem already, so that its default or
// zero value need not be judged.
func (p *problems) has(field string) bool { return p.seen[field] }

// err joins what was found; nil when nothing was.
func (p *problems) err() error { return errors.Join(p.errs...) }

// didYouMean returns `; did you mean "x"?` with the word that is nearest to
// the given one, or nothing when none is near.
func didYouMean(word string, words []string) string {
	if n := nearest(word, words); n != "" {
		return fmt.Sprintf("; did you mean %q?", n)
	}
	return ""
}

// nearest returns the word with the fewest changes from word, empty when more
// than a third of its letters (but two are always allowed) would change.
func nearest(word string, words []string) string {
	if len(word) > 100 {
		return ""
	}
	limit := max(len(word)/3, 2)
	if len(word) < 4 {
		limit = 1
	}
	best, least := "", limit+1
	for _, w := range slices.Sorted(slices.Values(words)) {
		if d := distance(strings.ToLower(word), strings.ToLower(w)); d < least {
			best, least = w, d
		}
	}
	return best
}

// distance is the number of letters to put in, leave out, replace or swap with
// their neighbour to make b of a (optimal string alignment).
func distance(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}

// list writes words as people do: "a, b or c".
func list(words []string) string {
	switch n := len(words); n {
	case 0:
		return ""
	case 1:
		return words[0]
	default:
		return strings.Join(words[:n-1], ", ") + " or " + words[n-1]
	}
}
