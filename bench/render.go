package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// The table stands between these lines; the rest of the document is people's.
const (
	tableBegin = "<!-- figures: written by bench -->"
	tableEnd   = "<!-- end of figures -->"
)

// renderDoc writes the figures as tables into the document.
func renderDoc(file string, r *Report) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(text), tableBegin)
	_, after, found := strings.Cut(rest, tableEnd)
	if !ok || !found {
		return fmt.Errorf("%s: the lines %q and %q are missing", file, tableBegin, tableEnd)
	}
	return os.WriteFile(file, []byte(before+tableBegin+"\n"+tables(r)+tableEnd+after), 0o644)
}

func tables(r *Report) string {
	var b strings.Builder
	if failed, all := r.failed(); all > 0 {
		fmt.Fprintf(&b, "\n%d of %d bounds are kept.\n", all-failed, all)
	}
	for _, p := range r.Parts {
		m := p.Machine
		fmt.Fprintf(&b, "\n### %s\n\n%s; %d cores, %s, Docker %s, %s, %s; load %.1f at the start.\n", p.Title,
			p.At.Format("2 January 2006, 15:04 UTC"), m.Cores, m.OS, m.Docker, m.Tool, m.Go, m.Load)
		if p.Quick {
			b.WriteString("\nA quick run with few rounds: not to be believed.\n")
		}
		b.WriteString("\n| | unit | portal: min / median / p95 / p99 | against | min / median / p95 / p99 | wanted |\n| --- | --- | --- | --- | --- | --- |\n")
		for _, f := range p.Figures {
			against, reference := f.Against, ""
			if f.Reference != nil {
				reference = four(*f.Reference)
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", f.Name, f.Unit, four(f.Portal), against, reference, checks(f.Checks))
		}
		for _, f := range p.Figures {
			if f.Note != "" {
				fmt.Fprintf(&b, "\n%s: %s\n", f.Name, f.Note)
			}
		}
	}
	b.WriteString("\n")
	return b.String()
}

// four writes the numbers of a set; of a single one that one alone.
func four(s Stats) string {
	if s.N <= 1 {
		return number(s.Median)
	}
	return strings.Join([]string{number(s.Min), "**" + number(s.Median) + "**", number(s.P95), number(s.P99)}, " / ")
}

func number(x float64) string {
	switch {
	case x >= 1000:
		return strconv.FormatFloat(x, 'f', 0, 64)
	case x >= 10:
		return strconv.FormatFloat(x, 'f', 1, 64)
	}
	return strconv.FormatFloat(x, 'f', 2, 64)
}

func checks(all []Check) string {
	var out []string
	for _, c := range all {
		sign := "≤"
		if c.Op == ">=" {
			sign = "≥"
		}
		out = append(out, fmt.Sprintf("%s %s %s: %s, %s", c.What, sign, number(c.Want), number(c.Got), verdict(c.Pass)))
	}
	return strings.Join(out, "<br>")
}
