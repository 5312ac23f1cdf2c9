package jsonata

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestSyntax compares what Go says of an expression with the engine: the same
// are refused, with the same code.
func TestSyntax(t *testing.T) {
	pool := NewPool(Config{Machines: 1, Timeout: time.Minute})
	defer pool.Close()
	for _, src := range []string{
		"", " ", "a", "a.b", "a.", ".a", "a b", "1 2", "'x", `"x\q"`, `"\u12"`, "`a", "`a b`.c", "/* x", "/* x */ 1", "1e400",
		"a[", "a[]", "a[0", "a]", "(", "()", "(1;)", "(1;;2)", "[1,]", "[1..2]", "[1..]", "{}", "{'a'}", "{'a':}", "{'a':1,}",
		"a{'x':1}", "a{'x':1}{'y':2}", "$x{'x':1}[0]", "a{'x':1}[0]", "$f(", "$f(1,", "$f(1,)", "$f(?, 1)", "function($x){$x}",
		"function(x){1}", "λ($x){$x}", "function($x)<n:n>{$x}", "function($x){", "a^(b)", "a^(>b, <c)", "a^b", "a^()", "1 := 2",
		"$x := 2", "a@$x", "a@x", "a#$i", "a#i", "a[0]@$x", "a^(b)@$x", "a ? b", "a ? b : c", "a ? : c", "a ?: b", "a ?? b",
		"a ~> $f", "| a | {} |", "| a | {}, 'x' |", "| a | {}", "!a", "a ! b", "~a", "a.1", "1.a", "true.a", "a.true", "and", "or",
		"in", "and and or", "* . a", "**.a", "%.a", "a.%.b", "/ab/", "$match('a', /a/)", "//", "$f(/)", "a /b/ c", "-a", "--1", "+1",
		"$", "$$", "$.a", "$$.a", "@", "#", "a := 1", "?", "a and", "a in [1]", "'a' & ", "a.'b'", "a.\"b\"[0]", "1[0].a", "λ", "é.ü",
	} {
		err := Check(src)
		_, got := pool.Eval(&Expr{src: src}, world{})
		var syntax *SyntaxError
		var thrown *Error
		errors.As(err, &syntax)
		errors.As(got, &thrown)
		refused := thrown != nil && strings.HasPrefix(thrown.Code, "S0") && thrown.Code != "S0217"
		switch {
		case refused != (syntax != nil):
			t.Errorf("%q: Go says %v, the engine %v", src, err, got)
		case refused && syntax.Code != thrown.Code:
			t.Errorf("%q: Go has code %s (%s), the engine %s (%s)", src, syntax.Code, syntax.Msg, thrown.Code, thrown.Msg)
		case refused && (syntax.Offset < 0 || syntax.Offset > len(src)):
			t.Errorf("%q: offset %d", src, syntax.Offset)
		}
	}
}

func TestNames(t *testing.T) {
	for _, c := range []struct{ src, free, states, fields string }{
		{"$states.input.a", "states", "input", ""},
		{"$states", "states", "", ""},
		{"$x + $sum($y)", "x y", "", ""},
		{"($x := 1; $x + $y)", "y", "", ""},
		{"function($a) { $a + $b }", "b", "", ""},
		{"$map($states.input[$k], function($v) { $v })", "k states", "input", ""},
		{"a.b", "", "", "a"},
		{"$", "", "", "$"},
		{"$sum($.x)", "", "", "$"},
		{"$x[$ > 1].($ + 1)", " x", "", ""},
		{"$states.result.Payload & $states.context.Task.Token", "states", "context result", ""},
		{"$x[price > 1].name", "x", "", ""},
		{"$uuid() & $hash('a')", "", "", ""},
		{"$eval('1')", "eval", "", ""},
	} {
		e := compile(t, c.src)
		for _, part := range []struct {
			what, want string
			got        []string
		}{{"free", c.free, e.Free()}, {"states", c.states, e.States()}, {"fields", c.fields, e.Fields()}} {
			slices.Sort(part.got)
			if got := strings.Join(part.got, " "); got != part.want {
				t.Errorf("%s: %s: got %q, want %q", c.src, part.what, got, part.want)
			}
		}
	}
}

func FuzzCompile(f *testing.F) {
	for _, src := range []string{"$states.input.a[0]", "a.b{'x':$sum(c)}", "function($x)<n:n>{$x}", "/a(b)/i", "| a | {} |", "'\\ud83d\\ude00'", "[1..3].($*2)", "`é`^(>a)@$x#$i"} {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src string) {
		e, err := Compile(src)
		var syntax *SyntaxError
		switch {
		case err == nil && e.quick:
			(fast{world{}}).eval(e.root)
		case err == nil:
		case !errors.As(err, &syntax):
			t.Fatalf("%q: %v", src, err)
		case syntax.Offset < 0 || syntax.Offset > len(src) || syntax.Msg == "":
			t.Fatalf("%q: %+v", src, syntax)
		}
	})
}

// TestHostile gives the parser what would exhaust a careless one.
func TestHostile(t *testing.T) {
	for name, src := range map[string]string{
		"brackets":   strings.Repeat("(", 100_000),
		"arrays":     strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000),
		"signs":      strings.Repeat("-", 100_000) + "1",
		"comments":   strings.Repeat("/**/", 100_000),
		"conditions": strings.Repeat("a?", 100_000),
		"too long":   strings.Repeat("a", 2<<20),
		"not UTF-8":  "'\xff\xfe' & \xff",
	} {
		start := time.Now()
		_ = Check(src)
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("%s: %v", name, d)
		}
	}
	// A long path leans to the left and needs no depth.
	if err := Check("$a" + strings.Repeat(".b", 400)); err != nil {
		t.Error(err)
	}
}

func BenchmarkEval(b *testing.B) {
	pool := NewPool(Config{})
	defer pool.Close()
	env := input(b, `{"order":{"id":"o-1","lines":[{"sku":"a","price":2},{"sku":"b","price":3}]}}`)
	for name, src := range map[string]string{
		"fast/field": "$states.input.order.id", "fast/compare": "$states.input.order.lines[0].price > 1",
		"engine/field": "$states.input.order.(id)", "engine/sum": "$sum($states.input.order.lines.price)",
	} {
		b.Run(name, func(b *testing.B) {
			e := compile(b, src)
			if _, err := pool.Eval(e, env); err != nil { // which makes the machine
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := pool.Eval(e, env); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkNewMachine(b *testing.B) {
	pool := NewPool(Config{})
	code, err := pool.code()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		m, err := newMachine(pool.cfg, code)
		if err != nil {
			b.Fatal(err)
		}
		m.close()
	}
}
