package jsonata

import "slices"

// Expr is an expression that is well formed. It does not change and may be used
// by several goroutines at once.
type Expr struct {
	src   string
	root  *node
	names names
	// quick tells that Go may be able to evaluate the expression alone.
	quick bool
	// functions are those of AWS's that it may call.
	functions bool
}

// Compile reads an expression, without its {% and %}. The error is a
// *SyntaxError with the position of the first mistake.
func Compile(src string) (*Expr, error) {
	root, err := parse(src)
	if err != nil {
		return nil, err
	}
	e := &Expr{src: src, root: root, quick: quick(root)}
	e.names.walk(root, &scope{}, true)
	e.functions = slices.ContainsFunc(awsFunctions, func(f string) bool { return slices.Contains(e.names.all, f) })
	return e, nil
}

// Check tells what is wrong with an expression: nil or a *SyntaxError.
func Check(src string) error {
	_, err := Compile(src)
	return err
}

// String is the expression's text.
func (e *Expr) String() string { return e.src }

// Free lists the variables that the expression names and neither binds itself
// nor finds among the functions; "states" is one of them. "" and "$" stand for
// $ and $$.
func (e *Expr) Free() []string {
	return slices.DeleteFunc(slices.Clone(e.names.free), func(name string) bool {
		return slices.Contains(builtins, name) || slices.Contains(awsFunctions, name)
	})
}

// States lists the fields of $states that the expression names; "" stands for
// all of them, when it names $states as such.
func (e *Expr) States() []string { return slices.Clone(e.names.states) }

// Fields lists the names that the expression looks up in its input document,
// which in Step Functions does not exist; "$" stands for the document itself.
func (e *Expr) Fields() []string { return slices.Clone(e.names.fields) }

// awsFunctions are the functions that AWS adds.
var awsFunctions = []string{"partition", "range", "hash", "random", "uuid", "parse"}

// builtins are the functions of the language, without $eval.
var builtins = []string{"sum", "count", "max", "min", "average", "string", "substring", "substringBefore",
	"substringAfter", "lowercase", "uppercase", "length", "trim", "pad", "match", "contains", "replace", "split",
	"join", "formatNumber", "formatBase", "formatInteger", "parseInteger", "number", "floor", "ceil", "round", "abs",
	"sqrt", "power", "boolean", "not", "map", "zip", "filter", "single", "reduce", "sift", "keys", "lookup", "append",
	"exists", "spread", "merge", "reverse", "each", "error", "assert", "type", "sort", "shuffle", "distinct",
	"base64encode", "base64decode", "encodeUrlComponent", "encodeUrl", "decodeUrlComponent", "decodeUrl", "toMillis",
	"fromMillis", "clone", "now", "millis"}
