package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"github.com/internal-app-portal/iap/client"
)

// globals are the flags of every command.
type globals struct {
	Output string `short:"o" help:"How the result is written: text or json; of cost also csv." enum:"text,json,csv" default:"text" placeholder:"FORMAT"`
	Server string `help:"Address of the portal." env:"IAP_SERVER" default:"${server}" placeholder:"URL"`
}

// run is what a command works with.
type run struct {
	ctx      context.Context
	in       io.Reader
	out, err io.Writer
	inTerm   bool // a person answers
	outTerm  bool // a person reads the result
	errTerm  bool // a person sees the progress
	width    int  // of the terminal behind out; 0: none, nothing is cut
	color    bool // on out
	errColor bool // on err
	hooks    Hooks
	flags    globals
	parser   *kong.Kong
	now      func() time.Time
}

func newRun(ctx context.Context, in io.Reader, out, errw io.Writer, hooks Hooks) *run {
	r := &run{ctx: ctx, in: in, out: out, err: errw, hooks: hooks, now: time.Now}
	r.inTerm, r.outTerm, r.errTerm = isTerminal(in), isTerminal(out), isTerminal(errw)
	plain := getenv("NO_COLOR") != "" || getenv("TERM") == "dumb"
	r.color, r.errColor = r.outTerm && !plain, r.errTerm && !plain
	if f, ok := out.(*os.File); ok && r.outTerm {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil {
			r.width = w
		}
	}
	return r
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// outputCSV is for iap cost alone.
const outputCSV = "csv"

func (r *run) json() bool { return r.flags.Output == "json" }

// client returns a client of the portal that the flags and the environment
// name.
func (r *run) client() (*client.Client, error) {
	c, err := client.New(r.flags.Server, getenv("IAP_TOKEN"))
	if err != nil {
		return nil, exitf(codeUsage, "%w", err)
	}
	return c, nil
}

// print writes a line of the result.
func (r *run) print(format string, args ...any) { fmt.Fprintf(r.out, format+"\n", args...) }

// note writes a line to stderr, terminal or not.
func (r *run) note(format string, args ...any) { fmt.Fprintf(r.err, format+"\n", args...) }

// hint writes a line to stderr when a person sees it.
func (r *run) hint(format string, args ...any) {
	if r.errTerm {
		r.note(format, args...)
	}
}

// writeJSON writes the result as JSON. A list that is empty is written as [].
func (r *run) writeJSON(v any) error { return r.encode(v, "  ") }

// writeJSONLine writes one of several JSON documents.
func (r *run) writeJSONLine(v any) error { return r.encode(v, "") }

func (r *run) encode(v any, indent string) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := io.WriteString(r.out, escapeControls(b.String()))
	return err
}

// escapeControls writes what a terminal would act on as JSON's own escapes.
// Beyond ASCII it can be within texts alone.
func escapeControls(text string) string {
	special := func(r rune) bool { return isControl(r) && r >= 0x7f }
	if !strings.ContainsFunc(text, special) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if !special(r) {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String()
}

// ask asks a person yes or no; only a clear yes is one.
func (r *run) ask(format string, args ...any) (bool, error) {
	fmt.Fprintf(r.err, format+" [y/N] ", args...)
	line, err := bufio.NewReader(r.in).ReadString('\n')
	if err != nil && err != io.EOF {
		return false, err
	}
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "y", "yes":
		return true, nil
	}
	return false, nil
}
