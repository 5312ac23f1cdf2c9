package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"
)

// Report is the file of figures.
type Report struct {
	Parts []Part `json:"parts"`
}

// Part is one part as it was last measured.
type Part struct {
	Name    string    `json:"name"`
	Title   string    `json:"title"`
	At      time.Time `json:"at"`
	Seconds float64   `json:"seconds"`         // that the measurement took
	Quick   bool      `json:"quick,omitempty"` // too few rounds to be believed
	Machine Machine   `json:"machine"`
	Figures []Figure  `json:"figures"`
}

// Figure is one thing measured, with what it is held against.
type Figure struct {
	Name      string  `json:"name"`
	Unit      string  `json:"unit"`
	Portal    Stats   `json:"portal"`
	Against   string  `json:"against,omitempty"`
	Reference *Stats  `json:"reference,omitempty"`
	Checks    []Check `json:"checks,omitempty"` // none: for information
	Note      string  `json:"note,omitempty"`
}

// Check holds a number against its bound.
type Check struct {
	What string  `json:"what"`
	Got  float64 `json:"got"`
	Op   string  `json:"op"` // "<=" or ">="
	Want float64 `json:"want"`
	Pass bool    `json:"pass"`
}

func atMost(what string, got, want float64) Check {
	return Check{What: what, Got: round(got), Op: "<=", Want: want, Pass: got <= want}
}

func atLeast(what string, got, want float64) Check {
	return Check{What: what, Got: round(got), Op: ">=", Want: want, Pass: got >= want}
}

// ratio divides; without a reference it is 0.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// compare makes a figure of the portal's values against a reference's. A want
// above 0 bounds the ratios of the medians and of the 95th percentiles.
func compare(name, unit string, portal []float64, against string, reference []float64, want float64) Figure {
	f := Figure{Name: name, Unit: unit, Portal: stats(portal)}
	if len(reference) == 0 {
		return f
	}
	r := stats(reference)
	f.Against, f.Reference = against, &r
	if want > 0 {
		f.Checks = []Check{atMost("median / median", ratio(f.Portal.Median, r.Median), want)}
		if r.N >= 10 {
			f.Checks = append(f.Checks, atMost("p95 / p95", ratio(f.Portal.P95, r.P95), want))
		}
	}
	return f
}

// print says the figures of a part.
func (p Part) print(say func(string, ...any)) {
	for _, f := range p.Figures {
		line := fmt.Sprintf("  %s: median %g %s, min %g, p95 %g, p99 %g (n=%d)", f.Name, f.Portal.Median, f.Unit, f.Portal.Min,
			f.Portal.P95, f.Portal.P99, f.Portal.N)
		if r := f.Reference; r != nil {
			line += fmt.Sprintf("; %s: median %g, min %g, p95 %g, p99 %g", f.Against, r.Median, r.Min, r.P95, r.P99)
		}
		say("%s", line)
		for _, c := range f.Checks {
			say("    %s %g, wanted %s %g: %s", c.What, c.Got, c.Op, c.Want, verdict(c.Pass))
		}
	}
}

func verdict(pass bool) string {
	if pass {
		return "pass"
	}
	return "FAIL"
}

func readReport(file string) (*Report, error) {
	var r Report
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return &r, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil {
		return nil, fmt.Errorf("the earlier figures in %s: %w", file, err)
	}
	return &r, nil
}

// put replaces what an earlier run said of the part; the order stays that of
// the parts.
func (r *Report) put(p Part) {
	byName := map[string]Part{p.Name: p}
	for _, old := range r.Parts {
		if old.Name != p.Name {
			byName[old.Name] = old
		}
	}
	r.Parts = nil
	for _, known := range parts() {
		if one, ok := byName[known.name]; ok {
			r.Parts = append(r.Parts, one)
		}
	}
}

func (r *Report) write(file string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}

// failed counts the checks that did not pass.
func (r *Report) failed() (failed, all int) {
	for _, p := range r.Parts {
		for _, f := range p.Figures {
			all += len(f.Checks)
			failed += len(slices.DeleteFunc(slices.Clone(f.Checks), func(c Check) bool { return c.Pass }))
		}
	}
	return failed, all
}
