package asl

import (
	"fmt"

	"github.com/internal-app-portal/iap/asl/value"
)

// effectiveInput applies InputPath to the raw input and makes the outcome $.
func (x *exec) effectiveInput() *failure {
	p := x.def.spec.inputPath
	if p != nil && p.null {
		x.at = &value.Object{}
		x.see(stageInput, x.at)
		return nil
	}
	x.at = x.f.Data.Value()
	if p != nil {
		v, f := x.plain(&p.expr)
		if f != nil {
			return f
		}
		x.at = v
	}
	x.see(stageInput, x.at)
	return nil
}

// parameters applies InputPath and Parameters.
func (x *exec) parameters() (value.Value, *failure) {
	if f := x.effectiveInput(); f != nil {
		return nil, f
	}
	v := x.at
	if t := x.def.spec.parameters; t != nil {
		var f *failure
		if v, f = x.fill(t); f != nil {
			return nil, f
		}
	}
	x.see(stageParameters, v)
	return v, nil
}

// merge puts a result into the raw input as ResultPath says.
func (x *exec) merge(p *resultField, result value.Value) (value.Value, *failure) {
	switch {
	case p == nil:
		return result, nil
	case p.null:
		return x.f.Data.Value(), nil
	}
	v, err := p.path.Set(x.f.Data.Value(), result)
	if err != nil {
		return nil, x.broken(errResultPath, err.Error())
	}
	return v, nil
}

// outputPath applies OutputPath.
func (x *exec) outputPath(v value.Value) (value.Value, *failure) {
	p := x.def.spec.outputPath
	switch {
	case p == nil:
		return v, nil
	case p.null:
		return &value.Object{}, nil
	}
	x.at = v
	return x.plain(&p.expr)
}

// finish leaves a state that has a result: ResultSelector has been applied.
func (x *exec) finish(result value.Value) *failure {
	x.see(stageSelected, result)
	assigned, f := x.assigned(x.def.spec.assign, result)
	if f != nil {
		return f
	}
	v, f := x.merge(x.def.spec.resultPath, result)
	if f != nil {
		return f
	}
	x.see(stageMerged, v)
	if v, f = x.outputPath(v); f != nil {
		return f
	}
	return x.exit(v, assigned, x.def.Next)
}

// pass leaves a state that hands its effective input on, such as Choice.
func (x *exec) passOn(assign *template, next string) *failure {
	input := x.at
	assigned, f := x.assigned(assign, input)
	if f != nil {
		return f
	}
	v, f := x.outputPath(input)
	if f != nil {
		return f
	}
	return x.exit(v, assigned, next)
}

// assigned evaluates Assign; at is what $ stands for in it.
func (x *exec) assigned(t *template, at value.Value) (*value.Object, *failure) {
	if t == nil {
		return nil, nil
	}
	x.at = at
	v, f := x.fill(t)
	if f != nil {
		return nil, f
	}
	o, _ := v.(*value.Object)
	return o, nil
}

// maxVariables is how large all variables of a scope may be, as on AWS.
const maxVariables = 10 << 20

// exit leaves the state: it stores the variables and goes on to next, or ends
// the frame when there is no next.
func (x *exec) exit(v value.Value, assigned *value.Object, next string) *failure {
	output, f := x.store(v)
	if f != nil {
		return f
	}
	d := Details{Name: x.f.State, Output: output}
	if assigned.Len() > 0 {
		old, _ := x.f.Vars.Value().(*value.Object)
		vars := old.Clone()
		for _, m := range assigned.Members() {
			j, f := x.store(m.Value)
			if f != nil {
				return f
			}
			vars.Set(m.Key, m.Value)
			d.AssignedVariables = append(d.AssignedVariables, Variable{m.Key, j})
		}
		if _, large := value.Measure(vars, value.MaxDepth+1, maxVariables); large {
			return x.runtime("The variables of an execution must not exceed %d bytes.", maxVariables)
		}
		x.f.Vars = value.Of(vars)
	}
	x.tell(string(x.def.Type)+"StateExited", d)
	x.rest()
	if next == "" {
		x.end(output)
		return nil
	}
	x.f.State, x.f.Data, x.f.Phase = next, output, PhaseReady
	x.out.Ready = append(x.out.Ready, x.id)
	return nil
}

// text writes a value; a value that is the state's input keeps the input's text.
func (x *exec) text(v value.Value) value.JSON {
	if same(v, x.f.Data.Value()) {
		return x.f.Data
	}
	return value.Of(v)
}

// same tells whether two values are one and the same array or object.
func same(a, b value.Value) bool {
	switch a := a.(type) {
	case *value.Object:
		o, ok := b.(*value.Object)
		return ok && a == o
	case value.Array:
		c, ok := b.(value.Array)
		return ok && len(a) == len(c) && len(a) > 0 && &a[0] == &c[0]
	case value.Number:
		return a == b
	}
	return false
}

// rest clears what belongs to one stay in a state.
func (x *exec) rest() {
	f := x.f
	f.Retried, f.Entered, f.EnteredEvent, f.Children = nil, 0, 0, nil
	f.Started, f.Submitted, f.HeartbeatSeconds = false, false, 0
}

// store writes a value that becomes part of the State: it must be small enough,
// and not so deep that it could not be read again.
func (x *exec) store(v value.Value) (value.JSON, *failure) {
	deep, large := value.Measure(v, value.MaxDepth, x.env.Limits.payload())
	switch {
	case deep:
		return value.JSON{}, x.runtime("The data is nested more than %d levels deep.", value.MaxDepth)
	case large:
		return value.JSON{}, tooLarge(x.f.State)
	}
	j := x.text(v)
	return j, x.tooLarge(j, x.f.State)
}

func (x *exec) tooLarge(j value.JSON, who string) *failure {
	if j.Len() <= x.env.Limits.payload() {
		return nil
	}
	return tooLarge(who)
}

func tooLarge(who string) *failure {
	return fail(errDataLimit, fmt.Sprintf("The state/task '%s' returned a result with a size exceeding the maximum number of bytes service limit.", who))
}
