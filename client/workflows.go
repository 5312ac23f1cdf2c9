package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// StateMachine is a state machine that executions are started of.
type StateMachine struct {
	Name        string    `json:"name"`
	Type        string    `json:"type" enum:"STANDARD,EXPRESS"`
	Status      string    `json:"status" enum:"ACTIVE,DELETING"`
	Revision    string    `json:"revision,omitempty" doc:"Changes with every change"`
	LastVersion int64     `json:"last_version,omitempty" doc:"Number of the version published last"`
	ReadOnly    bool      `json:"read_only,omitempty" doc:"It is the portal's own"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
	Definition  string    `json:"definition,omitempty" doc:"In Amazon States Language; not in lists"`
}

// PutStateMachine creates or changes a state machine.
type PutStateMachine struct {
	Definition string `json:"definition" doc:"In Amazon States Language"`
	Type       string `json:"type,omitempty" enum:"STANDARD,EXPRESS" doc:"Of a new one; absent: STANDARD"`
	Revision   string `json:"revision,omitempty" doc:"Change it only while it has this revision"`
}

// StartExecution says what to start an execution with.
type StartExecution struct {
	Name  string          `json:"name,omitempty" maxLength:"80" doc:"Absent: a random one"`
	Input json.RawMessage `json:"input,omitempty" doc:"Any JSON; absent: {}"`
	Wait  bool            `json:"wait,omitempty" doc:"Answer when an execution of an EXPRESS state machine has ended; else its output is only kept where logging is on"`
}

// StopExecution says why an execution is stopped.
type StopExecution struct {
	Error string `json:"error,omitempty" maxLength:"256"`
	Cause string `json:"cause,omitempty" maxLength:"32768"`
}

// Execution is one run of a state machine.
type Execution struct {
	ID           string          `json:"id"`
	Name         string          `json:"name"`
	StateMachine string          `json:"state_machine" doc:"Its name"`
	Status       string          `json:"status" enum:"RUNNING,SUCCEEDED,FAILED,TIMED_OUT,ABORTED"`
	Input        json.RawMessage `json:"input,omitempty" doc:"Not in lists"`
	Output       json.RawMessage `json:"output,omitempty" doc:"Only when it succeeded; not in lists"`
	Error        string          `json:"error,omitempty"`
	Cause        string          `json:"cause,omitempty"`
	StartedAt    time.Time       `json:"started_at"`
	EndedAt      time.Time       `json:"ended_at,omitzero"`
}

// Ended reports whether the execution has ended.
func (x Execution) Ended() bool { return x.Status != "RUNNING" }

// History is a page of an execution's events, oldest first.
type History struct {
	Items []json.RawMessage `json:"items" nullable:"false" doc:"Events as AWS's GetExecutionHistory gives them"`
	Next  int64             `json:"next,omitempty" doc:"Give it as \"after\" for the next page; absent: there is none"`
}

// StateMachines returns a page of state machines in the order of their names.
func (c *Client) StateMachines(ctx context.Context, after string, limit int) (List[StateMachine], error) {
	return get[List[StateMachine]](ctx, c, "/state-machines", query(map[string]any{"after": after, "limit": limit}))
}

// StateMachine returns one state machine with its definition.
func (c *Client) StateMachine(ctx context.Context, name string) (StateMachine, error) {
	return get[StateMachine](ctx, c, "/state-machines/"+seg(name), nil)
}

// PutStateMachine creates a state machine or changes its definition.
func (c *Client) PutStateMachine(ctx context.Context, name string, in PutStateMachine) (m StateMachine, created bool, err error) {
	r := request{method: http.MethodPut, path: "/state-machines/" + seg(name)}
	status, err := c.sendJSON(ctx, r, in, &m)
	return m, status == http.StatusCreated, err
}

// DeleteStateMachine deletes a state machine; it goes when its executions have
// ended.
func (c *Client) DeleteStateMachine(ctx context.Context, name string) error {
	return c.remove(ctx, "/state-machines/"+seg(name))
}

// StartExecution starts an execution of a state machine.
func (c *Client) StartExecution(ctx context.Context, machine string, in StartExecution) (Execution, error) {
	return send[Execution](ctx, c, http.MethodPost, "/state-machines/"+seg(machine)+"/executions", in)
}

// ExecutionFilter chooses executions; empty fields choose all.
type ExecutionFilter struct {
	StateMachine, Status string
	MapRun               string // ID: its children
	Before               string // Next of the page before
	Limit                int    // 1 to 500; 0: 100
}

// Executions returns a page of executions, newest first.
func (c *Client) Executions(ctx context.Context, f ExecutionFilter) (List[Execution], error) {
	return get[List[Execution]](ctx, c, "/executions", query(map[string]any{"state_machine": f.StateMachine, "status": f.Status,
		"map_run": f.MapRun, "before": f.Before, "limit": f.Limit}))
}

// Execution returns one execution.
func (c *Client) Execution(ctx context.Context, id string) (Execution, error) {
	return get[Execution](ctx, c, "/executions/"+seg(id), nil)
}

// History returns a page of the events with numbers above after.
func (c *Client) History(ctx context.Context, id string, after int64) (History, error) {
	return get[History](ctx, c, "/executions/"+seg(id)+"/history", url.Values{"after": {strconv.FormatInt(after, 10)}})
}

// StopExecution ends an execution as ABORTED.
func (c *Client) StopExecution(ctx context.Context, id string, in StopExecution) (Execution, error) {
	return send[Execution](ctx, c, http.MethodPost, "/executions/"+seg(id)+"/stop", in)
}

// RedriveExecution lets an execution that did not succeed go on where it ended.
func (c *Client) RedriveExecution(ctx context.Context, id string) (Execution, error) {
	return send[Execution](ctx, c, http.MethodPost, "/executions/"+seg(id)+"/redrive", nil)
}
