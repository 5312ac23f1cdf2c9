package workflow

import (
	"strconv"
	"strings"
)

// The ARNs of the portal have no region and no account:
// arn:iap:states:::TYPE:NAME….
const arnPrefix = "arn:iap:states:::"

// The types of resource in an ARN.
const (
	ARNMachine   = "stateMachine"
	ARNExecution = "execution"
	ARNExpress   = "express"
	ARNActivity  = "activity"
	ARNMapRun    = "mapRun"
)

// MachineARN returns the ARN of a state machine.
func MachineARN(name string) string { return arnPrefix + ARNMachine + ":" + name }

// VersionARN returns the ARN of a version of a state machine.
func VersionARN(machine string, number int64) string {
	return MachineARN(machine) + ":" + strconv.FormatInt(number, 10)
}

// AliasARN returns the ARN of an alias of a state machine.
func AliasARN(machine, alias string) string { return MachineARN(machine) + ":" + alias }

// ExecutionARN returns the ARN of a Standard execution.
func ExecutionARN(machine, name string) string {
	return arnPrefix + ARNExecution + ":" + machine + ":" + name
}

// ActivityARN returns the ARN of an activity.
func ActivityARN(name string) string { return arnPrefix + ARNActivity + ":" + name }

// ARN is one of the portal's, taken apart.
type ARN struct {
	Type string // ARNMachine, …
	// Name is that of the state machine or activity; of a map run it is
	// MACHINE/LABEL.
	Name string
	// Rest is the version or alias of a state machine, the name of an execution,
	// NAME:ID of an Express one, the ID of a map run.
	Rest string
}

// arnParts are the numbers of parts behind the type, at least and at most.
var arnParts = map[string][2]int{ARNMachine: {1, 2}, ARNExecution: {2, 2}, ARNExpress: {3, 3}, ARNActivity: {1, 1}, ARNMapRun: {2, 2}}

// ParseARN takes an ARN apart; ok is false when it is none of this portal's
// state machines, executions, activities and map runs.
func ParseARN(s string) (a ARN, ok bool) {
	rest, ok := strings.CutPrefix(s, arnPrefix)
	if !ok {
		return ARN{}, false
	}
	p := strings.Split(rest, ":")
	n, ok := arnParts[p[0]]
	if !ok || len(p)-1 < n[0] || len(p)-1 > n[1] {
		return ARN{}, false
	}
	for _, part := range p[1:] {
		if part == "" {
			return ARN{}, false
		}
	}
	return ARN{Type: p[0], Name: p[1], Rest: strings.Join(p[2:], ":")}, true
}

// Version returns the number when Rest is one of a version.
func (a ARN) Version() (int64, bool) {
	if a.Rest == "" || a.Rest[0] == '0' || strings.Trim(a.Rest, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(a.Rest, 10, 64)
	return n, err == nil
}

// maxName is the length of a name in characters at most, as on AWS.
const maxName = 80

// ValidName reports whether a state machine, execution or activity may have a
// name: 1 to 80 characters without white space, brackets, wildcards, special
// and control characters (AWS, CreateStateMachine, "name").
func ValidName(name string) bool {
	n := 0
	for _, r := range name {
		n++
		switch {
		case r <= ' ', r >= 0x7f && r <= 0x9f, r >= 0xd800 && r <= 0xdfff, r >= 0xfffd && r <= 0xffff, r == '\u2028', r == '\u2029',
			strings.ContainsRune("<>{}[]?*\"#%\\^|~`$&,;:/\u00a0\u3000", r):
			return false
		}
	}
	return n > 0 && n <= maxName
}
