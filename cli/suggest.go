package cli

import (
	"fmt"
	"strings"
)

// suggest returns `; did you mean "x"?` with the nearest of words, or nothing
// when none is near.
func suggest(word string, words []string) string {
	best, distance := "", max(2, len(word)/3)+1
	for _, w := range words {
		d := editDistance(word, w)
		if len(word) > 2 && strings.HasPrefix(w, word) {
			d = 1 // a beginning is near, however much is missing
		}
		if d < distance {
			best, distance = w, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// editDistance is the number of letters to insert, delete or replace that
// make b of a.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j]+1, row[j+1]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
