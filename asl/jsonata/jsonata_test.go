package jsonata

import (
	"errors"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/asl/value"
)

// world is the Env of tests.
type world struct {
	vars   map[string]value.Value
	states map[string]value.Value
}

func (w world) Variable(name string) (value.Value, bool) { v, ok := w.vars[name]; return v, ok }
func (w world) States(f string) (value.Value, bool)      { v, ok := w.states[f]; return v, ok }
func (world) Now() time.Time                             { return time.UnixMilli(1795427940123) }
func (world) Random() float64                            { return 0.25 }
func (world) NewUUID() string                            { return "00000000-0000-4000-8000-000000000001" }

func parsed(t testing.TB, text string) value.Value {
	t.Helper()
	v, err := value.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// input is a world whose $states.input is a JSON text.
func input(t testing.TB, text string) world {
	return world{states: map[string]value.Value{"input": parsed(t, text)}}
}

// show writes a result for comparing.
func show(v value.Value, err error) string {
	var e *Error
	switch {
	case errors.As(err, &e):
		return "error " + e.Code
	case err != nil:
		return err.Error()
	}
	return value.Text(v)
}

func compile(t testing.TB, src string) *Expr {
	t.Helper()
	e, err := Compile(src)
	if err != nil {
		t.Fatalf("%s: %v", src, err)
	}
	return e
}

func TestEval(t *testing.T) {
	pool := NewPool(Config{Machines: 1, Timeout: time.Minute})
	defer pool.Close()
	in := input(t, `{"a":1,"list":[{"n":1},{"n":2}],"big":9007199254740993,"keys":{"b":1,"10":2,"9":3},"s":"x"}`)
	in.vars = map[string]value.Value{"v": parsed(t, `{"x":[1,2,3]}`)}
	for _, c := range [][2]string{
		{"$states.input.a", "1"},
		{"$states.input.list.n", "[1,2]"},
		{"$states.input.none", ErrNothing.Error()},
		{"$sum($v.x)", "6"},
		{"$map($v.x, function($i) { $i * 2 })", "[2,4,6]"},
		{"function($x) { $x }", ErrUnsupported.Error()},
		{"[$sum]", ErrUnsupported.Error()},
		{"{'a': $states.input.big, 'b': $uppercase('é')}", `{"a":9007199254740993,"b":"É"}`},
		{"$merge([$states.input.keys, {}]).b", "1"},
		{"($x := $states.input.keys; $x)", `{"b":1,"10":2,"9":3}`},
		{"$partition([1,2,3,4,5], 2)", "[[1,2],[3,4],[5]]"},
		{"$range(0, 10, 5)", "[0,5,10]"},
		{"$range(3, 1, -1)", "[3,2,1]"},
		{"$hash('a', 'MD5')", `"0cc175b9c0f1b6a831c399e269772661"`},
		{"$hash('a')", `"ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"`},
		{"$hash('a', 'CRC')", "error D3200"},
		{"$random()", "0.25"},
		{"$base64encode('hello:world')", `"aGVsbG86d29ybGQ="`},
		{"$base64encode('ab') & $base64encode('a') & $base64encode('')", `"YWI=YQ=="`},
		{"$base64decode('aGVsbG86d29ybGQ=') & $base64decode('YWI') & $base64decode('')", `"hello:worldab"`},
		{"$random(7) = $random(7)", "true"},
		{"$uuid()", `"00000000-0000-4000-8000-000000000001"`},
		{`$parse('{"a":[1]}')`, `{"a":[1]}`},
		{`$parse('{')`, "error D3200"},
		{"$eval('1')", "error T1006"},
		{"$millis()", "1795427940123"},
		{"$now()", `"2026-11-23T09:59:00.123Z"`},
		{"1 + 'a'", "error T2002"},
		{"1/0", "error D1001"},
		{"$states.input.(a & s)", `"1x"`},
	} {
		if got := show(pool.Eval(compile(t, c[0]), in)); got != c[1] {
			t.Errorf("%s: got %s, want %s", c[0], got, c[1])
		}
	}
}

// TestLimits gives the engine what would never end, or take all memory; each
// ends with an error that says so, and the pool goes on working.
func TestLimits(t *testing.T) {
	pool := NewPool(Config{Machines: 1, Timeout: 200 * time.Millisecond, MemoryBytes: 32 << 20})
	defer pool.Close()
	for name, c := range map[string]struct {
		src  string
		want []string
	}{
		"endless":     {"($f := function($n) { $f($n + 1) }; $f(0))", []string{CodeTimeout}},
		"exponential": {"($f := function($n) { $n < 2 ? 1 : $f($n - 1) + $f($n - 2) }; $f(60))", []string{CodeTimeout}},
		"deep":        {"($f := function($n) { 1 + $f($n + 1) }; $f(0))", []string{CodeStack, CodeMemory, CodeTimeout}},
		"memory":      {"($f := function($s) { $f($s & $s) }; $f('aaaaaaaaaaaaaaaa'))", []string{CodeMemory, CodeTimeout, CodeEngine}},
		"range":       {"$count([1..9999999])", []string{CodeMemory, CodeTimeout}},
		"regex":       {"$match('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!', /^(a+)+$/)", []string{CodeTimeout, CodeStack}},
		"pad":         {"$pad('x', 1000000000)", []string{"D2015"}},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			_, err := pool.Eval(compile(t, c.src), world{})
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v, want a limit", err)
			}
			ok := false
			for _, code := range c.want {
				ok = ok || e.Code == code
			}
			if !ok {
				t.Errorf("got %s (%s), want %v", e.Code, e.Msg, c.want)
			}
			if d := time.Since(start); d > 20*time.Second {
				t.Errorf("it took %v", d)
			}
			if got := show(pool.Eval(compile(t, "$sum([1,2])"), world{})); got != "3" {
				t.Errorf("afterwards: %s", got)
			}
		})
	}
}

func TestPoolDropsIdleMachines(t *testing.T) {
	pool := NewPool(Config{Machines: 2, Idle: time.Nanosecond, Timeout: time.Minute})
	if _, err := pool.Eval(compile(t, "$sum([1])"), world{}); err != nil {
		t.Fatal(err)
	}
	pool.sweep()
	if n := pool.Idle(); n != 0 {
		t.Errorf("%d machines are kept", n)
	}
	pool.Close()
	if _, err := pool.Eval(compile(t, "$sum([1])"), world{}); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v, want %v", err, ErrClosed)
	}
}
