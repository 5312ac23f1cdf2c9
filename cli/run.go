package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"github.com/internal-app-portal/iap/client"
)

// globals are the flags of every command.
type globals struct {
	Output string `short:"o" help:"How the result is written: text or json." enum:"text,json" default:"text" placeholder:"FORMAT"`
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
func (r *run) writeJSON(v any) error {
	e := json.NewEncoder(r.out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// writeJSONLine writes one of several JSON documents.
func (r *run) writeJSONLine(v any) error {
	e := json.NewEncoder(r.out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
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
