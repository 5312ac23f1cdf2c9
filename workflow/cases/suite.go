package cases

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"sync"

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
	// Refuse answers a request to create or update a state machine, or to test a
	// state, with the exception that AWS has for it; "" when it is accepted. Nil:
	// only the definition is looked at.
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

// line is a line of a file that holds a case.
type line struct {
	number int // from 1
	text   []byte
}

// lines sends the lines of a file, empty ones left out, until the file or ctx
// ends.
func lines(ctx context.Context, r io.Reader, to chan<- line) error {
	defer close(to)
	in := bufio.NewScanner(r)
	in.Buffer(nil, maxLine)
	n := 0
	for in.Scan() {
		n++
		text := in.Bytes()
		if n == 1 {
			text = bytes.TrimPrefix(text, []byte("\ufeff"))
		}
		if text = bytes.TrimSpace(text); len(text) == 0 {
			continue
		}
		select {
		case to <- line{n, bytes.Clone(text)}:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if err := in.Err(); err != nil {
		return fmt.Errorf("line %d: %w", n+1, err)
	}
	return nil
}

// RunFile runs the cases of a file. A line that is no case has failed, and its
// Failure says why. An error means that the file cannot be read or has no case
// at all, or that ctx has ended.
func RunFile(ctx context.Context, name string, o Options) (File, error) {
	f, err := os.Open(name)
	if err != nil {
		return File{}, err
	}
	defer f.Close()
	out, err := runAll(ctx, f, o)
	out.Name = name
	if err != nil {
		return out, fmt.Errorf("%s: %w", name, err)
	}
	return out, nil
}

// result is what became of a line.
type result struct {
	line    int
	id      string
	skipped bool
	bad     error // the line is no case that can be run
	diff    *Difference
}

// runAll runs cases beside each other, as many as there are processors, while
// the file is read; the failures are in its order.
func runAll(ctx context.Context, r io.Reader, o Options) (File, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	todo, done := make(chan line), make(chan result)
	var workers sync.WaitGroup
	workers.Go(func() {
		if err := lines(ctx, r, todo); err != nil {
			cancel(err)
		}
	})
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for l := range todo {
				done <- runLine(ctx, l, o)
			}
		})
	}
	go func() {
		workers.Wait()
		close(done)
	}()
	out, bad := gather(done)
	if ctx.Err() != nil {
		return out, context.Cause(ctx)
	}
	return out, bad
}

// gather counts results; the error is that of the first line when no line is a
// case.
func gather(done <-chan result) (File, error) {
	out, cases := File{}, 0
	var first *result
	for r := range done {
		switch {
		case r.skipped:
			out.Skipped++
		case r.bad != nil:
			out.Failed++
			out.Failures = append(out.Failures, Failure{ID: r.id, Line: r.line, Difference: Difference{Got: value.Of(r.bad.Error())}})
			if first == nil || r.line < first.line {
				first = &r
			}
			continue
		case r.diff == nil:
			out.Passed++
		default:
			out.Failed++
			out.Failures = append(out.Failures, Failure{ID: r.id, Line: r.line, Difference: *r.diff})
		}
		cases++
	}
	slices.SortFunc(out.Failures, func(a, b Failure) int { return a.Line - b.Line })
	switch {
	case cases > 0:
		return out, nil
	case first == nil:
		return out, errors.New("there is no case in it")
	}
	return out, fmt.Errorf("line %d: %w", first.line, first.bad)
}

func runLine(ctx context.Context, l line, o Options) result {
	r := result{line: l.number, id: fmt.Sprintf("line %d", l.number)}
	c, err := Parse(l.text)
	if c != nil && c.ID != "" {
		r.id = c.ID
	}
	if err != nil {
		r.bad = err
		return r
	}
	c.Line, c.ID = l.number, r.id
	if r.skipped = c.Skip != "" || o.Skip != nil && o.Skip(c) != ""; !r.skipped {
		r.diff, r.bad = c.Run(ctx, o)
	}
	return r
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
