// Package task says what the portal's own tasks are: for each the resource, its
// arguments, result and errors, kept beside the code that does it. The pages,
// the command line and docs/tasks.md list them from here, and what a definition
// passes is checked against it.
package task

import "strings"

// Prefix begins the resource of every task of the portal.
const Prefix = "arn:iap:states:::"

// Doc tells of one task.
type Doc struct {
	// Resource is what a Task state names, without a suffix:
	// "arn:iap:states:::http:invoke".
	Resource string `json:"resource"`
	// Also are other names for it, such as AWS's own.
	Also []string `json:"also,omitempty"`
	// Suffixes are how its result may be waited for, beside not at all: ".sync".
	Suffixes []string `json:"suffixes,omitempty"`
	// Title is a verb in a few words: "Call a URL".
	Title string `json:"title"`
	// Text says what it does, and what one must know of it.
	Text string `json:"text"`
	// Who says whose state machines may use it, and on what.
	Who       string  `json:"who"`
	Arguments []Field `json:"arguments"`
	Result    []Field `json:"result"`
	Errors    []Error `json:"errors"`
	// Example is the definition of a state, as JSON.
	Example string `json:"example"`
}

// Type is the JSON type of a field.
type Type string

// The types of fields. Any is all of them.
const (
	Text   Type = "string"
	Number Type = "number"
	Flag   Type = "boolean"
	Object Type = "object"
	List   Type = "array"
	Any    Type = "any"
)

// Field is an argument of a task or a member of its result.
type Field struct {
	Name     string `json:"name"`
	Type     Type   `json:"type"`
	Required bool   `json:"required,omitempty"`
	Text     string `json:"text"`
	// Fields are those of an Object, where they are known.
	Fields []Field `json:"fields,omitempty"`
}

// Error is a name by which Retry and Catch know how the task failed.
type Error struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// ErrArguments is the error of a task whose arguments do not fit.
const ErrArguments = "States.ParameterPathFailure"

// BadArguments is documented with every task that has arguments.
func BadArguments() Error {
	return Error{ErrArguments, "An argument is missing, unknown or of the wrong type; the cause names it."}
}

// Key is how the engine knows the task: "http:invoke".
func (d Doc) Key() string { return strings.TrimPrefix(d.Resource, Prefix) }

// Names are all resources by which a state may name the task.
func (d Doc) Names() []string {
	var out []string
	for _, r := range append([]string{d.Resource}, d.Also...) {
		out = append(out, r)
		for _, s := range d.Suffixes {
			out = append(out, r+s)
		}
	}
	return out
}
