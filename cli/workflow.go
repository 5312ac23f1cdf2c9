package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/value"
)

type workflowCmd struct {
	Validate workflowValidateCmd `cmd:"" help:"Check a state machine's definition."`
	Run      workflowRunCmd      `cmd:"" help:"Run a state machine here, without a portal."`
	Test     workflowTestCmd     `cmd:"" help:"Run files of test cases for state machines."`
	Tasks    workflowTasksCmd    `cmd:"" help:"List the tasks that state machines can use."`

	Ls      workflowLsCmd      `cmd:"" help:"List the portal's state machines, or the executions of one." aliases:"list"`
	Put     workflowPutCmd     `cmd:"" help:"Create a state machine in the portal, or change it."`
	Delete  workflowDeleteCmd  `cmd:"" help:"Delete a state machine."`
	Start   workflowStartCmd   `cmd:"" help:"Start an execution."`
	Show    workflowShowCmd    `cmd:"" help:"Show an execution or a state machine."`
	History workflowHistoryCmd `cmd:"" help:"Show what happened in an execution."`
	MapRun  mapRunCmd          `cmd:"" name:"map-run" help:"List and show the map runs of executions, change their limits."`
	Stop    workflowStopCmd    `cmd:"" help:"Stop an execution."`
	Redrive workflowRedriveCmd `cmd:"" help:"Let an execution that did not succeed go on where it ended."`
}

// maxDefinition is how much of a file or of stdin is read: more than any
// definition, input or file of mocks may have.
const maxDefinition = 16 << 20

// readText reads a file, or stdin for "-".
func (r *run) readText(path string) ([]byte, error) {
	in := r.in
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, fileError(path, err)
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, maxDefinition+1))
	if err != nil {
		return nil, fileError(path, err)
	}
	if len(b) > maxDefinition {
		return nil, exitf(codeUsage, "%s is too large: it has more than %d MiB", path, maxDefinition>>20)
	}
	return bytes.TrimPrefix(b, []byte("\ufeff")), nil
}

// fileError says in a person's words why a file cannot be read.
func fileError(path string, err error) error {
	var broken *fs.PathError
	if errors.As(err, &broken) {
		err = broken.Err
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return exitf(codeUsage, "there is no file %s", path)
	case errors.Is(err, fs.ErrPermission):
		return exitf(codeUsage, "%s may not be read", path)
	}
	return exitf(codeUsage, "%s cannot be read: %w", path, err)
}

type workflowValidateCmd struct {
	File string `arg:"" help:"The definition, in Amazon States Language; - for stdin." complete:"file"`
	Type string `help:"Type of the state machine: standard or express." enum:"standard,express" default:"standard" placeholder:"TYPE"`
}

// validation is what validate writes as JSON.
type validation struct {
	File     string        `json:"file"`
	Valid    bool          `json:"valid"`
	Problems []asl.Problem `json:"problems"`
}

func (c *workflowValidateCmd) Run(r *run) error {
	src, err := r.readText(c.File)
	if err != nil {
		return err
	}
	problems := asl.Validate(src, asl.MachineType(strings.ToUpper(c.Type)))
	v := validation{File: c.File, Valid: asl.Valid(problems), Problems: append([]asl.Problem{}, problems...)}
	if r.json() {
		err = r.writeJSON(v)
	} else {
		for _, p := range problems {
			r.print("%s", printable(problemLine(c.File, p)))
		}
	}
	switch {
	case err == nil && !v.Valid:
		return &exitError{code: codeFailed}
	case err == nil && !r.json() && len(problems) == 0:
		r.print("%s is valid", printable(c.File))
	}
	return err
}

// problemLine writes a problem as compilers do, so that editors find the place.
func problemLine(file string, p asl.Problem) string {
	return file + ":" + p.String()
}

// machine reads a definition that is to be run, and the names of its states.
func (r *run) machine(path string) (*asl.Machine, []string, error) {
	src, err := r.readText(path)
	if err != nil {
		return nil, nil, err
	}
	m, problems := asl.Parse(src)
	if m == nil {
		return nil, nil, notValid(path, problems)
	}
	v, err := value.Parse(src)
	return m, stateNames(v, nil), err
}

// stateNames gathers the names of the states in a definition, and in those
// within it.
func stateNames(v value.Value, names []string) []string {
	switch v := v.(type) {
	case value.Array:
		for _, item := range v {
			names = stateNames(item, names)
		}
	case *value.Object:
		if states, ok := v.Get("States"); ok {
			if o, ok := states.(*value.Object); ok {
				for _, f := range o.Members() {
					names = stateNames(f.Value, append(names, f.Key))
				}
			}
		}
		for _, within := range []string{"Branches", "ItemProcessor", "Iterator"} {
			if inner, ok := v.Get(within); ok {
				names = stateNames(inner, names)
			}
		}
	}
	return names
}

// notValid tells all problems of a definition that is to be used.
func notValid(path string, problems []asl.Problem) error {
	var all []string
	for _, p := range problems {
		all = append(all, problemLine(path, p))
	}
	return exitf(codeUsage, "the definition is not valid:\n%s", strings.Join(all, "\n"))
}

// statusLower and statusUpper are how a person writes AWS's words, and back.
func statusLower(s string) string { return strings.ReplaceAll(strings.ToLower(s), "_", " ") }

func statusUpper(s string) string { return strings.ToUpper(s) }

// place is the line and column of an offset in bytes.
func place(src []byte, offset int) string {
	before := src[:min(offset, len(src))]
	line := 1 + bytes.Count(before, []byte("\n"))
	return fmt.Sprintf("line %d, column %d", line, 1+len([]rune(string(before[bytes.LastIndexByte(before, '\n')+1:]))))
}
