package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/client"
)

// Hooks are the parts that the command line starts but does not contain.
type Hooks struct {
	Version string // of the program
	// Serve runs the portal until ctx is done.
	Serve func(ctx context.Context, flags ServeFlags) error
	// Docker returns the version of the Docker Engine that answers, for doctor.
	Docker func(ctx context.Context) (version string, err error)
	// Terraform finds OpenTofu or Terraform, for doctor.
	Terraform func(ctx context.Context) (path, version string, err error)
	// Browse shows a page in the person's browser; nil: the desktop's own way.
	Browse func(url string) error
}

// Main runs one command and returns the exit code: 0 done, 1 failed, 2 wrong
// use, 3 not allowed, 4 not found, 5 timed out.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, hooks Hooks) (code int) {
	r := newRun(ctx, stdin, stdout, stderr, hooks)
	defer func() {
		if v := recover(); v != nil {
			exit, ok := v.(exitPanic)
			if !ok {
				panic(v)
			}
			code = int(exit)
		}
	}()
	if len(args) > 0 && args[0] == "__complete" {
		return complete(r, args[1:])
	}
	parser, commands, err := newParser(r)
	if err != nil {
		panic(err) // a fault in the commands' declarations
	}
	if len(args) == 0 {
		return r.usage(parser)
	}
	if len(args) == 1 && args[0] == "--version" { // what one types to a program that one does not know
		args = []string{"version"}
	}
	parsed, err := parser.Parse(args)
	if err == nil {
		err = emptyArgument(parsed)
	}
	if err != nil {
		return r.wrongUse(err)
	}
	r.flags = commands.globals
	if r.flags.Output == outputCSV && parsed.Selected().Name != "cost" {
		return r.fail(exitf(codeUsage, "--output: csv is for iap cost alone; here it is text or json"))
	}
	if err := parsed.Run(r); err != nil {
		return r.fail(err)
	}
	return 0
}

// exitPanic leaves kong, which exits by itself after --help.
type exitPanic int

func newParser(r *run) (*kong.Kong, *commands, error) {
	c := &commands{}
	c.Target.Add.targetFlags, c.Target.Set.targetFlags = newTargetFlags(), newTargetFlags()
	parser, err := kong.New(c,
		kong.Name("iap"),
		kong.Description("Deploys a company's apps: one click to a private address, and back to nothing.\n\n"+
			"\"iap help TOPIC\" has examples; topics: "+strings.Join(topicNames(), ", ")+"."),
		kong.Writers(r.out, r.err),
		kong.Exit(func(code int) { panic(exitPanic(code)) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.Bind(r),
		kong.ValueFormatter(flagHelp),
		kong.Vars{"server": client.DefaultServer},
	)
	if err == nil {
		r.parser = parser
	}
	return parser, c, err
}

// flagHelp is the help of a flag: what it is, its default and its environment
// variable.
func flagHelp(value *kong.Value) string {
	help := value.Help
	switch value.Default {
	case "", "0", "0s", "false": // go without saying
		return kong.DefaultHelpValueFormatter(value)
	}
	if value.Enum == "" && !strings.Contains(help, "default") && !strings.HasPrefix(value.Default, "$") {
		value.Help = strings.TrimSuffix(help, ".") + "; default: " + value.Default + "."
	}
	out := kong.DefaultHelpValueFormatter(value)
	value.Help = help
	return out
}

// usage answers to a call without arguments.
func (r *run) usage(parser *kong.Kong) int {
	parser.Stdout = r.err
	if ctx, err := kong.Trace(parser, nil); err == nil {
		_ = ctx.PrintUsage(false)
	}
	return codeUsage
}

// complain writes an error for a person, each of several on a line of its own.
func (r *run) complain(err error) {
	for _, text := range iap.Texts(err) {
		r.note("iap: %s", printableLines(asFlags(text)))
	}
}

// asFlags names what the portal got in an address as what a person gave: a flag
// of the same name.
func asFlags(text string) string {
	const query, within = "query.", "\n  query."
	if rest, found := strings.CutPrefix(text, query); found {
		text = "--" + rest
	}
	return strings.ReplaceAll(text, within, "\n  --")
}

// fail writes an error and returns the exit code that it has.
func (r *run) fail(err error) int {
	var exit *exitError
	if errors.As(err, &exit) && exit.err == nil {
		return exit.code
	}
	r.complain(err)
	return codeOf(err)
}

// getenv is the environment of the command; the parser reads it by itself.
func getenv(name string) string { return os.Getenv(name) }
