package cli

import (
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// table writes aligned columns. The first column holds names and is never
// cut; the last one is cut where the terminal is too narrow.
type table struct {
	head []string
	rows [][]string
}

func (t *table) add(cells ...string) {
	for i, c := range cells {
		cells[i] = printable(c)
	}
	t.rows = append(t.rows, cells)
}

// gap stands between columns.
const gap = "  "

// write writes the table; width 0 cuts nothing. style, where it is not nil,
// colours a cell after it was aligned.
func (t *table) write(w io.Writer, width int, style func(col int, cell, padded string) string) {
	widths := make([]int, len(t.head))
	lines := t.rows
	if len(t.rows) > 0 {
		lines = append([][]string{t.head}, t.rows...)
	}
	for _, row := range lines {
		for i, cell := range row {
			widths[i] = max(widths[i], cellWidth(cell))
		}
	}
	t.fit(widths, width)
	for n, row := range lines {
		var b strings.Builder
		for i, cell := range row {
			cell = cut(cell, widths[i])
			padded := cell
			if i < len(row)-1 {
				padded += strings.Repeat(" ", widths[i]-cellWidth(cell)) + gap
			}
			if style != nil && n > 0 {
				padded = style(i, cell, padded)
			}
			b.WriteString(padded)
		}
		_, _ = io.WriteString(w, strings.TrimRight(b.String(), " ")+"\n")
	}
}

// fit makes columns narrower from the last on until the row has room, each to
// not less than its head; never the first.
func (t *table) fit(widths []int, width int) {
	if width <= 0 {
		return
	}
	over := len(gap)*(len(widths)-1) - width
	for _, w := range widths {
		over += w
	}
	for i := len(widths) - 1; i > 0 && over > 0; i-- {
		less := min(over, widths[i]-max(cellWidth(t.head[i]), 4))
		if less > 0 {
			widths[i] -= less
			over -= less
		}
	}
}

// cut shortens s to width columns.
func cut(s string, width int) string {
	if cellWidth(s) <= width {
		return s
	}
	n := 0
	for i, r := range s {
		n += runeWidth(r)
		if n > width-1 {
			return s[:i] + "…"
		}
	}
	return s
}

// cellWidth is the number of columns that a terminal needs for s.
func cellWidth(s string) int {
	n := 0
	for _, r := range s {
		n += runeWidth(r)
	}
	return n
}

// runeWidth tells wide runes (East Asian, emoji) from others, roughly.
func runeWidth(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case r >= 0x1100 && (r <= 0x115f || (r >= 0x2e80 && r <= 0xa4cf) || (r >= 0xac00 && r <= 0xd7a3) ||
		(r >= 0xf900 && r <= 0xfaff) || (r >= 0xfe30 && r <= 0xfe6f) || (r >= 0xff00 && r <= 0xff60) ||
		(r >= 0x1f300 && r <= 0x1faff)):
		return 2
	}
	return 1
}

// printable makes text from the portal harmless in a terminal and keeps it on
// one line: controls and joiners are left out, marks that change how a text
// reads are shown as what cannot be shown.
func printable(s string) string {
	if utf8.ValidString(s) && !strings.ContainsFunc(s, isControl) {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp) || isJoiner(r):
			return -1
		case isControl(r):
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// isControl reports whether r does something else than being seen.
func isControl(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}

func isJoiner(r rune) bool { return r == '\u200c' || r == '\u200d' || r == '\u00ad' }

// printableLines is printable for text of several lines.
func printableLines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = printable(lines[i])
	}
	return strings.Join(lines, "\n")
}
