package asl

import (
	"cmp"
	"fmt"
)

// Problem is one thing that is wrong with a definition.
type Problem struct {
	// Line and Column are where it is, both from 1; Column counts characters.
	Line   int `json:"line"`
	Column int `json:"column"`
	// Pointer is the same as a JSON Pointer (RFC 6901), "" for the whole.
	Pointer string `json:"pointer"`
	// Location is the place as AWS tells it, or "" where AWS tells none. It is
	// the object around the place where AWS complains of the object.
	Location string `json:"location,omitempty"`
	// Severity is ERROR, or WARNING for what AWS takes all the same.
	Severity Severity `json:"severity"`
	// Code is AWS's, such as SCHEMA_VALIDATION_FAILED or MISSING_TRANSITION_TARGET.
	Code string `json:"code"`
	// Message says what is wrong, in AWS's words where AWS has some.
	Message string `json:"message"`
	// Hint says more in the portal's words: what would be right, or "".
	Hint string `json:"hint,omitempty"`
	// Suggestion is a nearly right word for a wrong one, or "".
	Suggestion string `json:"suggestion,omitempty"`

	// wire is AWS's message where Message is a clearer one.
	wire string
}

// Wire is the message as AWS words it.
func (p Problem) Wire() string { return cmp.Or(p.wire, p.Message) }

// Severity tells whether a definition with a problem can be used.
type Severity string

// The severities, as AWS spells them.
const (
	SeverityError   Severity = "ERROR"
	SeverityWarning Severity = "WARNING"
)

func (p Problem) String() string {
	s := fmt.Sprintf("%d:%d: %s: %s", p.Line, p.Column, p.Code, p.Message)
	if p.Severity == SeverityWarning {
		s = fmt.Sprintf("%d:%d: warning: %s: %s", p.Line, p.Column, p.Code, p.Message)
	}
	if p.Hint != "" {
		s += ": " + p.Hint
	}
	if p.Suggestion != "" {
		s += fmt.Sprintf("; did you mean %q?", p.Suggestion)
	}
	return s
}

// QueryLanguage is the language of the expressions of a state.
type QueryLanguage string

// The query languages.
const (
	JSONPath QueryLanguage = "JSONPath"
	JSONata  QueryLanguage = "JSONata"
)

// StateType is the Type of a state.
type StateType string

// The eight types of states.
const (
	TypeTask     StateType = "Task"
	TypePass     StateType = "Pass"
	TypeChoice   StateType = "Choice"
	TypeWait     StateType = "Wait"
	TypeSucceed  StateType = "Succeed"
	TypeFail     StateType = "Fail"
	TypeParallel StateType = "Parallel"
	TypeMap      StateType = "Map"
)

// Machine is a valid definition. It does not change and may be used by several
// goroutines at once.
type Machine struct {
	Comment       string
	QueryLanguage QueryLanguage
	// TimeoutSeconds bounds an execution; 0 when not set.
	TimeoutSeconds int64
	// Graphs holds the machine's own states first, then those of every branch
	// and item processor, in the order of the definition.
	Graphs []*Graph

	root int // number of the machine's own graph
}

// Root is the machine's own graph.
func (m *Machine) Root() *Graph { return m.Graphs[m.root] }

// Sub is the machine of the children of a distributed Map state: one graph of m
// with all under it. It has no time limit of its own.
func (m *Machine) Sub(graph int) *Machine {
	return &Machine{QueryLanguage: m.QueryLanguage, Graphs: m.Graphs, root: graph}
}

// Graph is a set of states with an entry: a machine, a branch of a Parallel
// state or the item processor of a Map state.
type Graph struct {
	// Number is the graph's index in Machine.Graphs.
	Number  int
	StartAt string
	Comment string
	// States are in the order of the definition.
	States []*StateDef

	byName map[string]*StateDef
}

// State finds a state by its name, or gives nil.
func (g *Graph) State(name string) *StateDef { return g.byName[name] }

// StateDef is the definition of one state.
type StateDef struct {
	Name    string
	Type    StateType
	Comment string
	// Next is "" when the state ends its graph or is a Choice.
	Next          string
	End           bool
	QueryLanguage QueryLanguage
	// Resource is what a Task state calls.
	Resource Resource
	// Graphs are the branches of a Parallel state, or the one processor of a Map.
	Graphs []*Graph
	// Edges are all ways out: Next, choices in order, Default, then catchers.
	Edges []Edge
	// Line and Column are where the state's definition begins, from 1.
	Line, Column int

	pointer string // JSON Pointer to the definition
	spec    spec
}

// EdgeKind says why an edge is taken.
type EdgeKind string

// The kinds of edges.
const (
	EdgeNext    EdgeKind = "next"
	EdgeChoice  EdgeKind = "choice"
	EdgeDefault EdgeKind = "default"
	EdgeCatch   EdgeKind = "catch"
)

// Edge is one way from a state to another of the same graph.
type Edge struct {
	Kind EdgeKind
	To   string
	// Label is the condition of a choice in short, or the errors of a catcher.
	Label string
}
