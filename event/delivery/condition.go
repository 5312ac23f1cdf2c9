package delivery

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/ext"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
)

// The bounds of an expression.
const (
	maxExpression = 4096    // bytes
	maxCost       = 100_000 // of one evaluation, in CEL's own units
)

// Expression is a checked CEL expression over an event.
type Expression struct{ program cel.Program }

// environment is the language: the event as a whole and its attributes by
// themselves, with the functions on texts. It is made once, since that takes
// longer than to compile an expression.
var environment = sync.OnceValues(func() (*cel.Env, error) {
	return cel.NewEnv(
		cel.Variable("event", cel.MapType(cel.StringType, cel.DynType)),
		cel.Variable("data", cel.DynType),
		cel.Variable("source", cel.StringType),
		cel.Variable("subject", cel.StringType),
		cel.Variable("owner", cel.StringType),
		ext.Strings(),
	)
})

// PlaceError says what is wrong with an expression, and where.
type PlaceError struct {
	Line, Column int // from 1; a column is a character
	Text         string
}

func (e *PlaceError) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Text)
}

// Compile checks an expression. result is what it must be: cel.BoolType, or
// cel.DynType for anything. The error is Invalid, with the place.
func compile(field, text string, result *cel.Type) (*Expression, error) {
	const op = "delivery.compile"
	switch {
	case strings.TrimSpace(text) == "":
		return nil, iap.FieldErrorf(op, field, "it is empty; give a CEL expression such as event.type == 'iap.leak.found'")
	case len(text) > maxExpression:
		return nil, iap.FieldErrorf(op, field, "it has %d bytes; at most %d are allowed", len(text), maxExpression)
	}
	env, err := environment()
	if err != nil {
		return nil, err
	}
	ast, issues := env.Compile(text)
	if issues.Err() != nil {
		e := issues.Errors()[0]
		return nil, iap.FieldErrorf(op, field, "%w", &PlaceError{e.Location.Line(), e.Location.Column() + 1, e.Message})
	}
	if out := ast.OutputType(); result == cel.BoolType && !out.IsExactType(cel.BoolType) && !out.IsExactType(cel.DynType) {
		return nil, iap.FieldErrorf(op, field, "it is a %s, not true or false", out)
	}
	program, err := env.Program(ast, cel.CostLimit(maxCost), cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return nil, iap.FieldErrorf(op, field, "%v", err)
	}
	return &Expression{program}, nil
}

// CompileCondition checks an expression that chooses events. The error is
// Invalid, names field and says where it is wrong.
func CompileCondition(field, text string) (*Expression, error) {
	return compile(field, text, cel.BoolType)
}

// Chooses reports whether the expression is true of an event. An error says
// why it is neither true nor false, which counts as false.
func (x *Expression) Chooses(v Vars) (bool, error) {
	out, err := x.eval(v)
	if err != nil {
		return false, err
	}
	b, ok := out.Value().(bool)
	if !ok {
		return false, fmt.Errorf("it is a %s, not true or false", out.Type().TypeName())
	}
	return b, nil
}

func (x *Expression) eval(v Vars) (ref.Val, error) {
	out, _, err := x.program.Eval(map[string]any(v))
	return out, err
}

// Vars is an event as expressions see it.
type Vars map[string]any

// NewVars returns an event as expressions see it.
func NewVars(e event.Event) Vars {
	var data any
	if json.Unmarshal(e.Data, &data) != nil {
		data = nil
	}
	extensions := map[string]any{}
	_ = json.Unmarshal(e.Extensions, &extensions) // empty: there are none
	attributes := map[string]any{"extensions": extensions, "number": e.Number, "id": e.ID, "source": e.Source, "type": e.Type, "subject": e.Subject,
		"time": e.Time.UTC().Format(time.RFC3339Nano), "owner": e.Owner, "group": e.Group, "data": data}
	return Vars{"event": attributes, "data": data, "source": e.Source, "subject": e.Subject, "owner": e.Owner}
}
