package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/jsonata"
	"github.com/internal-app-portal/iap/asl/value"
	"github.com/internal-app-portal/iap/bucket"
	"github.com/internal-app-portal/iap/workflow/cases"
	"github.com/internal-app-portal/iap/workflow/memory"
)

type workflowRunCmd struct {
	File     string `arg:"" help:"The definition, in Amazon States Language; - for stdin." complete:"file"`
	Input    string `help:"The input: JSON, or @FILE." default:"{}" placeholder:"JSON|@FILE"`
	Mock     string `help:"File with the answers to the tasks." placeholder:"FILE" complete:"file"`
	Buckets  string `help:"Folder whose folders are the buckets of ItemReader and ResultWriter." placeholder:"DIR" complete:"file"`
	RealTime bool   `help:"Waits, time-outs and retries take their time."`
}

// Help is shown below the flags.
func (c *workflowRunCmd) Help() string {
	return `Prints the history and the result. Waits take no time unless --real-time is given.

The file of --mock answers the n-th call of each state's task:

  {"Charge card": [{"throw": {"error": "Busy", "cause": "try again"}},
                   {"return": {"receipt": 42}}],
   "Ask a person": [{"timeout": {"error": "States.Timeout"}}]}

"submitted" beside it answers the call that hands the work over, for .sync and
.waitForTaskToken; "after" is the seconds that the task takes.

See "iap help workflow" for more.`
}

func (c *workflowRunCmd) Run(r *run) error {
	m, states, err := r.machine(c.File)
	if err != nil {
		return err
	}
	input, err := r.inputText(c.Input)
	if err != nil {
		return err
	}
	mocks, err := r.mocks(c.Mock)
	if err != nil {
		return err
	}
	if err := mocksOfStates(c.Mock, mocks, states); err != nil {
		return err
	}
	now := r.now()
	o := memory.Options{Env: localEnv(), Start: now, Clock: memory.Virtual, Task: mocks.Handler(nil), History: true}
	o.Env.Execution = asl.ExecutionInfo{ID: "arn:iap:states:::execution:local:run", Name: "run"}
	o.Env.StateMachine = asl.StateMachineInfo{ID: "arn:iap:states:::stateMachine:local", Name: "local"}
	if c.Buckets != "" {
		folder, err := openBuckets(c.Buckets)
		if err != nil {
			return err
		}
		defer folder.Close()
		o.Buckets = folder
	}
	if c.RealTime {
		o.Clock = memory.Real
		o.OnEvent = func(e asl.HistoryEvent) { r.hint("%s", printable(eventWords(e))) }
	}
	result, err := memory.Run(r.ctx, m, input, o)
	if errors.Is(err, asl.ErrInput) {
		return exitf(codeUsage, "--input: %s", asl.InputProblem(err))
	}
	if err != nil {
		return err
	}
	if r.json() {
		err = r.writeJSON(resultJSON(result))
	} else {
		err = r.writeResult(result)
	}
	if err == nil && result.Status != asl.Succeeded {
		return &exitError{code: codeFailed}
	}
	return err
}

// openBuckets opens a folder that must be there.
func openBuckets(dir string) (*bucket.Folder, error) {
	if info, err := os.Stat(dir); err != nil {
		return nil, fileError(dir, err)
	} else if !info.IsDir() {
		return nil, exitf(codeUsage, "%s is not a folder", dir)
	}
	folder, err := bucket.OpenFolder(dir)
	if err != nil {
		return nil, fileError(dir, err)
	}
	return folder, nil
}

// inputText reads an input: JSON, or the file after "@".
func (r *run) inputText(s string) (value.JSON, error) {
	what := "--input"
	if path, ok := strings.CutPrefix(s, "@"); ok {
		b, err := r.readText(path)
		if err != nil {
			return value.JSON{}, err
		}
		what, s = path, string(b)
	}
	input, err := value.FromText(strings.TrimSpace(s))
	if err != nil {
		return input, exitf(codeUsage, "%s is not JSON: %s", what, jsonFault([]byte(strings.TrimSpace(s)), err))
	}
	return input, nil
}

// jsonFault tells where and how a text is not JSON.
func jsonFault(src []byte, err error) string {
	var broken *value.SyntaxError
	if errors.As(err, &broken) {
		return place(src, broken.Offset) + ": " + broken.Msg
	}
	return err.Error()
}

// mocks reads a file of mocks; "" is none.
func (r *run) mocks(path string) (cases.Mocks, error) {
	if path == "" {
		return nil, nil
	}
	b, err := r.readText(path)
	if err != nil {
		return nil, err
	}
	v, err := value.Parse(b)
	if err != nil {
		return nil, exitf(codeUsage, "%s is not JSON: %s", path, jsonFault(b, err))
	}
	mocks, err := cases.MocksOf(v)
	if err != nil {
		return nil, exitf(codeUsage, "%s: %w", path, err)
	}
	return mocks, nil
}

// mocksOfStates checks that mocks are for states that there are: a slip in a
// name would let the task fail as if nothing had been said.
func mocksOfStates(path string, mocks cases.Mocks, states []string) error {
	for _, name := range slices.Sorted(maps.Keys(mocks)) {
		if !slices.Contains(states, name) {
			return exitf(codeUsage, "%s: there is no state %q%s", path, name, suggest(name, states))
		}
	}
	return nil
}

// executionResult is what run writes as JSON.
type executionResult struct {
	Status    asl.Status         `json:"status"`
	Output    json.RawMessage    `json:"output,omitempty"`
	Error     *string            `json:"error,omitempty"`
	Cause     *string            `json:"cause,omitempty"`
	StartedAt time.Time          `json:"started_at"`
	EndedAt   time.Time          `json:"ended_at"`
	Events    []asl.HistoryEvent `json:"events"`
}

func resultJSON(x memory.Result) executionResult {
	out := executionResult{Status: x.Status, Error: x.Error, Cause: x.Cause, StartedAt: x.StartedAt.UTC().Truncate(time.Millisecond),
		EndedAt: x.EndedAt.UTC().Truncate(time.Millisecond), Events: x.Events}
	if !x.Output.IsZero() {
		out.Output = json.RawMessage(x.Output.String())
	}
	return out
}

func (r *run) writeResult(x memory.Result) error {
	r.writeHistory(x.Events, x.StartedAt)
	r.print("")
	r.facts([][2]string{{"status", string(x.Status)}, {"error", orNothing(x.Error)}, {"cause", orNothing(x.Cause)},
		{"output", x.Output.String()}, {"took", x.EndedAt.Sub(x.StartedAt).Round(time.Millisecond).String()}})
	return nil
}

// writeHistory writes the events of an execution that began at a time.
func (r *run) writeHistory(events []asl.HistoryEvent, start time.Time) {
	t := &table{head: []string{"ID", "AFTER", "EVENT", "STATE", "DATA"}}
	states := map[int64]string{}
	for _, e := range events {
		name := e.Details.Name
		if name == "" {
			name = states[e.PreviousEventID]
		}
		states[e.ID] = name
		t.add(fmt.Sprint(e.ID), e.Timestamp.Sub(start.Truncate(time.Millisecond)).String(), e.Type, name, eventData(e))
	}
	t.write(r.out, r.width, nil)
}

func orNothing(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// eventWords is an event in one line.
func eventWords(e asl.HistoryEvent) string {
	return strings.TrimSpace(e.Type + " " + e.Details.Name + " " + eventData(e))
}

// eventData is what an event tells beside its state.
func eventData(e asl.HistoryEvent) string {
	d := e.Details
	var parts []string
	for _, j := range []value.JSON{d.Input, d.Parameters, d.Output} {
		if !j.IsZero() {
			parts = append(parts, j.String())
		}
	}
	for _, v := range d.AssignedVariables {
		parts = append(parts, "$"+v.Name+"="+v.Value.String())
	}
	if d.Error != nil {
		parts = append(parts, *d.Error)
	}
	if d.Cause != nil {
		parts = append(parts, *d.Cause)
	}
	if d.Index != nil {
		parts = append(parts, fmt.Sprintf("index %d", *d.Index))
	}
	if d.Length != nil {
		parts = append(parts, fmt.Sprintf("%d items", *d.Length))
	}
	return strings.Join(parts, " ")
}

// localEnv is the environment of what runs here, without a portal.
func localEnv() asl.Env {
	// The machines of the pool end with the process.
	return asl.Env{JSONata: jsonata.NewPool(jsonata.Config{})}
}
