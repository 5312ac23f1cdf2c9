package jsonata

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/internal-app-portal/iap/asl/value"
)

// inEngine evaluates an expression without the fast path.
func inEngine(p *Pool, e *Expr, env Env) (value.Value, error) {
	e = &Expr{src: e.src, root: e.root, names: e.names}
	return p.Eval(e, env)
}

// agree compares what Go makes of an expression with what the engine does; it
// gives the difference, or "".
func agree(p *Pool, e *Expr, env Env) string {
	if !e.quick {
		return ""
	}
	v, ok := (fast{env}).eval(e.root)
	if !ok {
		return ""
	}
	got := show(nil, ErrNothing)
	if v = plain(v); v != (nothing{}) {
		got = show(value.Sorted(v), nil)
	}
	w, err := inEngine(p, e, env)
	if err == nil {
		w = value.Sorted(w)
	}
	if want := show(w, err); got != want {
		return fmt.Sprintf("%s: Go has %s, the engine %s", e.src, got, want)
	}
	return ""
}

// TestFastPathIsTheEngine evaluates what Go can both ways.
func TestFastPathIsTheEngine(t *testing.T) {
	pool := NewPool(Config{Machines: 1, Timeout: time.Minute})
	defer pool.Close()
	env := input(t, `{"a":1,"b":{"c":[1,2,{"d":3}],"e":[]},"l":[{"x":1,"y":[1,2]},{"x":2,"y":[3]},{"z":null},5,[{"x":9}]],
		"one":[{"x":[1]}],"n":null,"t":true,"s":"text","nested":[[1,2],[3]],"f":1.50,"neg":-0.0,"big":1e21,"deep":[[[{"x":1}]]]}`)
	env.vars = map[string]value.Value{"v": parsed(t, `[{"k":"p"},{"k":"q"}]`), "s": "x", "empty": value.Array{}}
	for _, src := range []string{
		"$states", "$states.input", "$states.input.a", "$states.input.b.c", "$states.input.b.c.d", "$states.input.b.e",
		"$states.input.b.e.x", "$states.input.l.x", "$states.input.l.y", "$states.input.one.x", "$states.input.l[0].x",
		"$states.input.l[0]", "$states.input.l[-1].x", "$states.input.l[9]", "$states.input.l.y[0]", "$states.input.nested[0]",
		"$states.input.nested[0][1]", "$states.input.nested[1]", "$states.input.deep.x", "$states.result", "$states.nothing.x",
		"$v.k", "$v[0].k", "$v[1]", "$v[5].k", "$empty", "$empty.x", "$empty[0]", "$none", "$none.x", "$s.x", "$v.k[0]",
		"$states.input.a[0]", "$states.input.a[1]", "$states.input.s[0]", "$states.input[0].a", "$states.input[0]", "$states[0].input.a",
		"1", "1.50", "-1", "- 0", "'x'", "\"\\u00e9\"", "true", "null", "()", "(1; 2)", "[]", "{}", "[1,[2],$v.k,$none]",
		"{'a':1,'b':$none,'c':$v.k}", "[$states.input.b.e]", "[$states.input.nested]", "[[$states.input.nested]]",
		"$states.input.a = 1", "$states.input.n = null", "$states.input.none = null", "$states.input.none != 1", "$v = $v",
		"$states.input.a < 2", "$states.input.s >= 'a'", "$none < 1", "1 < 'a'", "true < 1", "1 < null", "$states.input.l = 1",
		"$states.input.t and $states.input.a", "$none or $v", "$empty or 0", "$states.input.n and 1", "'' or ''", "[0] or [[]]",
		"'a' & 1 & true & null & $none", "'a' & 1.5", "'a' & $v", "1 & 2", "1 + 2 * 3 - 4 / 8 % 3", "0.1 + 0.2", "1e300 * 10",
		"5 % -3", "-5 % 3", "1 / 0", "$none + 1", "'1' + 1", "1e21 + 1", "1e-7 * 1", "123456789 * 1000000", "-$states.input.a",
		"-$none", "-'x'", "$states.input.t ? 1 : 2", "$none ? 1", "$none ? 1 : $v.k", "$v ?: 1", "$none ?: 2", "$none ?? 3",
		"$states.input.n ?? 4", "$exists($none)", "$exists($states.input.n)", "$not($none)", "$not(0)", "$boolean('')",
		"$boolean([[],[0]])", "$count($v)", "$count($none)", "$count(1)", "$count($v.k)", "$count([])", "$string(1)", "$string($none)",
		"$string(null)", "$string('x')", "$uppercase('abc')", "$lowercase('ABC')", "$uppercase($none)", "$uppercase(1)",
		"$states.input.big + 0", "$states.input.f * 2", "$states.input.neg", "$states.input.l.(x)", "$states.input.'a'",
		"$states.input.`a`", "$states.input.l.x[1]", "$states.input.l[1].y[0]", "{'1':1,'x':2}", "{'a':1,'a':2}",
	} {
		if diff := agree(pool, compile(t, src), env); diff != "" {
			t.Error(diff)
		}
	}
}

// TestFastPathProperty holds random expressions over random values against the
// engine.
func TestFastPathProperty(t *testing.T) {
	pool := NewPool(Config{Machines: 1, Timeout: time.Minute})
	defer pool.Close()
	rapid.Check(t, func(t *rapid.T) {
		in := anyValue(3).Draw(t, "input")
		env := world{states: map[string]value.Value{"input": in},
			vars: map[string]value.Value{"v": anyValue(2).Draw(t, "v")}}
		src := anyExpr(3).Draw(t, "expression")
		e, err := Compile(src)
		if err != nil {
			t.Fatalf("%s: %v", src, err)
		}
		if diff := agree(pool, e, env); diff != "" {
			t.Fatalf("%s; the input is %s, $v %s", diff, value.Text(in), value.Text(env.vars["v"]))
		}
	})
}

// FuzzFast holds what Go evaluates against the engine, with expressions and
// inputs that a generator of ours would not think of.
func FuzzFast(f *testing.F) {
	for _, src := range []string{"$states.input.a[0]", "$v.k & 'x'", "{'a':$states.input.l.x,'b':[1,-2.50]}", "$count($v[-1]) > 1e2 ?: null", "$string($states.input.n) ?? $none", "-(1; 2) % 3"} {
		f.Add(src, `{"a":[1,[2]],"l":[{"x":1},{"x":[]}],"n":1.50}`)
	}
	pool := NewPool(Config{Machines: 1, Timeout: time.Minute})
	f.Cleanup(pool.Close)
	f.Fuzz(func(t *testing.T, src, in string) {
		e, err := Compile(src)
		v, bad := value.Parse([]byte(in))
		if err != nil || bad != nil || !e.quick {
			return
		}
		env := world{states: map[string]value.Value{"input": v}, vars: map[string]value.Value{"v": v, "s": "x"}}
		if diff := agree(pool, e, env); diff != "" {
			t.Error(diff)
		}
	})
}

var someNames = []string{"a", "b", "c"}

func anyValue(depth int) *rapid.Generator[value.Value] {
	return rapid.Custom(func(t *rapid.T) value.Value {
		kind := rapid.IntRange(0, 8).Draw(t, "kind")
		if depth == 0 {
			kind %= 5
		}
		switch kind {
		case 0:
			return nil
		case 1:
			return rapid.Bool().Draw(t, "bool")
		case 2:
			return value.Int(int64(rapid.IntRange(-3, 3).Draw(t, "int")))
		case 3:
			return number(float64(rapid.IntRange(-30, 30).Draw(t, "tenths")) / 10)
		case 4:
			return rapid.SampledFrom([]string{"", "a", "b", "é", "10"}).Draw(t, "text")
		case 5, 6:
			a := value.Array{}
			for range rapid.IntRange(0, 3).Draw(t, "length") {
				a = append(a, anyValue(depth-1).Draw(t, "item"))
			}
			return a
		}
		o := &value.Object{}
		for _, name := range someNames[:rapid.IntRange(0, 3).Draw(t, "size")] {
			o.Set(name, anyValue(depth-1).Draw(t, "member"))
		}
		return o
	})
}

func anyExpr(depth int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		if depth == 0 || rapid.IntRange(0, 2).Draw(t, "leaf") == 0 {
			if rapid.Bool().Draw(t, "literal") {
				return rapid.SampledFrom([]string{"0", "1", "-1", "2.5", "''", "'a'", "true", "false", "null", "$none"}).Draw(t, "value")
			}
			return anyPath(t)
		}
		sub := func(what string) string { return anyExpr(depth-1).Draw(t, what) }
		switch rapid.IntRange(0, 5).Draw(t, "form") {
		case 0:
			op := rapid.SampledFrom([]string{"=", "!=", "<", "<=", ">", ">=", "and", "or", "&", "+", "-", "*", "/", "%", "??", "?:"}).Draw(t, "op")
			return "(" + sub("left") + ") " + op + " (" + sub("right") + ")"
		case 1:
			return "(" + sub("if") + ") ? (" + sub("then") + ") : (" + sub("else") + ")"
		case 2:
			return "[" + sub("first") + ", " + sub("second") + "]"
		case 3:
			return "{'x': " + sub("first") + ", 'y': " + sub("second") + "}"
		case 4:
			return "$" + rapid.SampledFrom(quickCalls).Draw(t, "function") + "(" + sub("argument") + ")"
		}
		return "(" + sub("in brackets") + ")"
	})
}

func anyPath(t *rapid.T) string {
	var b strings.Builder
	b.WriteString(rapid.SampledFrom([]string{"$states.input", "$v", "$v[0]"}).Draw(t, "root"))
	for range rapid.IntRange(0, 3).Draw(t, "steps") {
		b.WriteString("." + rapid.SampledFrom(someNames).Draw(t, "name"))
		if rapid.IntRange(0, 2).Draw(t, "predicate") == 0 {
			fmt.Fprintf(&b, "[%d]", rapid.IntRange(-2, 2).Draw(t, "index"))
		}
	}
	return b.String()
}
