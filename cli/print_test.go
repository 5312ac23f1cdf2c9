package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

const evil = "a\x1b[31mb\u202ec\u2066d\u200be\u009bf\ufeffg\u007fh\u2028i\U000e0041j\u200dk"

// TestNothingRaw has every way to the terminal carry no control.
func TestNothingRaw(t *testing.T) {
	var out, errs bytes.Buffer
	r := &run{out: &out, err: &errs}
	r.facts([][2]string{{"parameter " + evil, evil}})
	tb := &table{head: []string{"A", "B"}}
	tb.add(evil, evil)
	tb.write(&out, 0, nil)
	r.complain(errors.New(evil + "\n" + evil))
	if err := r.logLine("x", evil); err != nil {
		t.Fatal(err)
	}
	r.flags.Output = "json"
	if err := r.writeJSON(map[string]string{"k": evil}); err != nil {
		t.Fatal(err)
	}
	if err := r.logLine("x", evil); err != nil {
		t.Fatal(err)
	}
	for i, c := range out.String() + errs.String() {
		if isControl(c) && c != '\n' {
			t.Errorf("%U at %d of %q", c, i, out.String()+errs.String())
		}
	}
	last := out.String()[strings.LastIndex(out.String(), "{"):]
	var back jobLine
	if err := json.Unmarshal([]byte(last), &back); err != nil || back.Text != evil {
		t.Errorf("JSON loses something: %q, %v", back.Text, err)
	}
	if got := printable("👩‍👧 Zürich"); got != "👩👧 Zürich" {
		t.Errorf("got %q", got)
	}
}
