package cases

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/value"
	"github.com/internal-app-portal/iap/workflow/memory"
)

// Options say how cases are run.
type Options struct {
	// Clock is Virtual unless waits and time-outs are to take their time.
	Clock memory.Clock
	// Env is the base of the environment of each execution, with its limits and
	// the evaluator of its expressions.
	Env asl.Env
	// Execution may change how an execution is run. Nil: nothing.
	Execution func(*Case, *memory.Options)
	// Refuse answers a request to create or update a state machine with the
	// exception that AWS has for it; "" when it is accepted. Nil: only the
	// definition is looked at.
	Refuse func(op string, request *value.Object) (code, message string)
	// Skip tells why a case is not run; nil or "": it is.
	Skip func(*Case) string
}

// File is the result of a file of cases.
type File struct {
	Name                    string
	Passed, Failed, Skipped int
	Failures                []Failure
}

// Failure is a case that came out differently.
type Failure struct {
	ID   string
	Line int
	Difference
}

// maxLine is how long a line may be, in bytes.
const maxLine = 64 << 20

// Read reads cases, one a line; empty lines are passed over. The error names
// the line.
func Read(r io.Reader) ([]*Case, error) {
	var all []*Case
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	n := 0
	for lines.Scan() {
		n++
		text := bytes.TrimSpace(lines.Bytes())
		if n == 1 {
			text = bytes.TrimPrefix(text, []byte("\ufeff"))
		}
		if len(text) == 0 {
			continue
		}
		c, err := Parse(text)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		c.Line = n
		if c.ID == "" {
			c.ID = fmt.Sprintf("line %d", n)
		}
		all = append(all, c)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("line %d: %w", n+1, err)
	}
	return all, nil
}

// RunFile runs the cases of a file. An error means that the file cannot be
// read or is none of cases, or that ctx has ended.
func RunFile(ctx context.Context, name string, o Options) (File, error) {
	f, err := os.Open(name)
	if err != nil {
		return File{}, err
	}
	defer f.Close()
	all, err := Read(f)
	if err != nil {
		return File{}, fmt.Errorf("%s: %w", name, err)
	}
	if len(all) == 0 {
		return File{}, fmt.Errorf("%s: there is no case in it", name)
	}
	return runAll(ctx, name, all, o)
}

// runAll runs cases beside each other, as many as there are processors; the
// result is in their order.
func runAll(ctx context.Context, name string, all []*Case, o Options) (File, error) {
	type result struct {
		skipped bool
		diff    *Difference
		err     error
	}
	results := make([]result, len(all))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(all)) {
		workers.Go(func() {
			for i := next.Add(1) - 1; int(i) < len(all); i = next.Add(1) - 1 {
				r := &results[i]
				if r.skipped = all[i].Skip != "" || o.Skip != nil && o.Skip(all[i]) != ""; !r.skipped {
					r.diff, r.err = all[i].Run(ctx, o)
				}
			}
		})
	}
	workers.Wait()
	out := File{Name: name}
	for i, c := range all {
		switch r := results[i]; {
		case r.err != nil:
			return out, fmt.Errorf("%s: line %d: %w", name, c.Line, r.err)
		case r.skipped:
			out.Skipped++
		case r.diff == nil:
			out.Passed++
		default:
			out.Failed++
			out.Failures = append(out.Failures, Failure{ID: c.ID, Line: c.Line, Difference: *r.diff})
		}
	}
	return out, nil
}

// Run runs a case and gives the first difference, or nil when all is as
// expected. An error is the case's own, or that of ctx.
func (c *Case) Run(ctx context.Context, o Options) (*Difference, error) {
	switch c.Kind {
	case Execution:
		return c.runExecution(ctx, o)
	case Lint:
		return c.runLint(), nil
	case Refusal:
		return c.runRefusal(o), nil
	case Validate:
		return c.runValidate(), nil
	}
	return c.runTestState(o), nil
}
