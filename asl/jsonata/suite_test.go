package jsonata

import (
	"errors"
	"fmt"
	"go/ast"
	goparser "go/parser"
	gotoken "go/token"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/asl/value"
)

// suiteModule has the cases of the official test suite, written down as values of
// Go. tools/jsonata-suite names its version.
const suiteModule = "github.com/blues/jsonata-go"

// suiteFolder is where the module's source is, as make setup has it fetched.
func suiteFolder(t *testing.T) string {
	t.Helper()
	cmd := exec.Command("go", "list", "-m", "-mod=mod", "-f", "{{.Dir}}", suiteModule)
	cmd.Dir = filepath.Join("..", "..", "tools", "jsonata-suite")
	cmd.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=")
	out, err := cmd.Output()
	dir := strings.TrimSpace(string(out))
	if _, missing := os.Stat(filepath.Join(dir, "jsonata_test.go")); err != nil || dir == "" || missing != nil {
		t.Skipf("the suite's module is not here (%v): make setup PARTS=jsonata-suite fetches it", err)
	}
	return dir
}

// suiteCase is one expression and what is to come of it.
type suiteCase struct {
	name, src string
	input     any
	vars      map[string]any
	want      string // JSON, ErrNothing's text, or "error"
	unordered bool   // the order of a list does not matter
}

// suiteDiffers are the cases that do not give what the module says, and why.
var suiteDiffers = map[string]string{
	"TestSingletonArrays 1":      suiteContext,
	"TestComparisonOperators2 3": "a comparison with nothing gives nothing in JSONata 2",
	"TestFuncSum2 2":             suiteDigits,
	"TestFuncAverage2 2":         suiteDigits,
	"TestFuncString 1":           suiteDigits,
	"TestFuncString2 0":          suiteDigits,
	"TestFuncSqrt2 0":            "the module's own rounding; JavaScript gives 10.000000000000002",
	"TestFuncMapZip 1":           "the module keeps a list of one that JSONata gives as its item",
	"TestFuncString 15":          "members keep their order; the module sorts them",
	"TestFormatNumber 12":        "digits outside of the first plane of Unicode are the module's own",
	"TestFuncRandom 1":           "the test's random numbers are all the same",
	"TestRegex 0":                suiteFunction, "TestRegex 2": suiteFunction, "TestRegex 3": suiteFunction, "TestRegex 4": suiteFunction,
	"TestRegex 5":            suiteFunction,
	"TestRegex 7":            suiteFunction + "; (?i) is Go's",
	"TestRegexMatch 2":       "the module keeps a list of one that JSONata gives as its item",
	"TestRegexMatch 3":       "no match is nothing; the module gives an empty list",
	"TestRegexContains2 1":   "(?i) is Go's",
	"TestLambdaSignatures 1": suiteContext,
}

const (
	suiteContext  = "a state's expression has no document: the test asks in a step of a path, which makes another list"
	suiteDigits   = "the text of a number has 15 digits in JSONata 2"
	suiteFunction = "what a regular expression gives holds a function, which no state can take"
)

// TestOfficialSuite runs each case through the pool, which takes what is plain
// the short way, and through the engine.
func TestOfficialSuite(t *testing.T) {
	cases, left := readSuite(t, suiteFolder(t))
	pool := NewPool(Config{Machines: 1, Timeout: time.Minute})
	defer pool.Close()
	ran, short := 0, 0
	differed := map[string]bool{}
	for _, c := range cases {
		got, quick := c.run(pool)
		_, known := suiteDiffers[c.name]
		ran++
		if quick {
			short++
		}
		if got != "" {
			differed[c.name] = true
		}
		if got != "" && !known {
			t.Errorf("%s: %s\n\tgot  %s\n\twant %s", c.name, c.src, got, c.want)
		}
	}
	for name := range suiteDiffers {
		if !differed[name] {
			t.Errorf("%s is listed and gives what it should", name)
		}
	}
	t.Logf("%d cases, %d of them without the engine as well; %d differ as listed; not to be read: %v", ran, short, len(suiteDiffers), left)
	if ran < 1000 {
		t.Errorf("only %d cases were found", ran)
	}
}

// run gives what differs, "" when nothing does, and whether Go could do it alone.
func (c suiteCase) run(pool *Pool) (got string, quick bool) {
	e, err := Compile(c.expression())
	if err != nil {
		if c.want == "error" {
			return "", false
		}
		return err.Error(), false
	}
	env := world{states: map[string]value.Value{"input": asValue(c.input)}, vars: map[string]value.Value{}}
	for name, v := range c.vars {
		env.vars[name] = asValue(v)
	}
	for _, eval := range []func(*Expr, Env) (value.Value, error){pool.Eval, func(e *Expr, env Env) (value.Value, error) { return inEngine(pool, e, env) }} {
		v, err := eval(e, env)
		if got := c.shown(v, err); got != c.want {
			return got, e.quick
		}
	}
	return "", e.quick
}

// expression asks of the input what the case asks of its document, which a
// state's expression does not have.
func (c suiteCase) expression() string {
	src := c.src
	if !strings.Contains(src, "$$$") { // that is a text for $replace
		src = strings.ReplaceAll(src, "$$", "$states.input")
	}
	if c.input == nil {
		return src
	}
	return "$states.input.(" + src + "\n)"
}

func (c suiteCase) shown(v value.Value, err error) string {
	var e *Error
	switch {
	case errors.As(err, &e):
		return "error"
	case errors.Is(err, ErrNothing), errors.Is(err, ErrUnsupported):
		return err.Error()
	}
	return canonical(v, c.unordered)
}

// canonical writes a value with sorted keys and numbers as a float has them.
func canonical(v value.Value, unordered bool) string {
	switch v := v.(type) {
	case value.Array:
		var all []string
		for _, item := range v {
			all = append(all, canonical(item, false))
		}
		if unordered {
			slices.Sort(all)
		}
		return "[" + strings.Join(all, ",") + "]"
	case *value.Object:
		var all []string
		for _, m := range v.Members() {
			all = append(all, strconv.Quote(m.Key)+":"+canonical(m.Value, false))
		}
		slices.Sort(all)
		return "{" + strings.Join(all, ",") + "}"
	case value.Number:
		f, _ := strconv.ParseFloat(value.Text(v), 64)
		return strconv.FormatFloat(f, 'g', -1, 64)
	}
	return value.Text(v)
}

// asValue makes a value of what the module's tests are written in.
func asValue(v any) value.Value {
	switch v := v.(type) {
	case []any:
		a := value.Array{}
		for _, item := range v {
			a = append(a, asValue(item))
		}
		return a
	case map[string]any:
		o := &value.Object{}
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			o.Set(k, asValue(v[k]))
		}
		return o
	case float64:
		return number(v)
	}
	return v
}

// suiteReader reads the module's test file without running it.
type suiteReader struct {
	t     *testing.T
	dir   string
	local map[string]any // what the function under way has named
	cases []suiteCase
	left  map[string]int // what is not to be read, by the reason
}

func readSuite(t *testing.T, dir string) ([]suiteCase, map[string]int) {
	t.Helper()
	file, err := goparser.ParseFile(gotoken.NewFileSet(), filepath.Join(dir, "jsonata_test.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	r := &suiteReader{t: t, dir: dir, left: map[string]int{}}
	for _, d := range file.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && strings.HasPrefix(fn.Name.Name, "Test") {
			r.function(fn)
		}
	}
	return r.cases, r.left
}

// function reads the cases that a test function hands on.
func (r *suiteReader) function(fn *ast.FuncDecl) {
	r.local = map[string]any{}
	for _, s := range fn.Body.List {
		switch s := s.(type) {
		case *ast.AssignStmt:
			if id, ok := s.Lhs[0].(*ast.Ident); ok && len(s.Rhs) == 1 {
				if v, err := r.eval(s.Rhs[0]); err == nil {
					r.local[id.Name] = v
				}
			}
		case *ast.ExprStmt:
			call, ok := s.X.(*ast.CallExpr)
			if !ok {
				continue
			}
			name, _ := call.Fun.(*ast.Ident)
			switch {
			case name != nil && name.Name == "runTestCases":
				r.list(fn.Name.Name, call.Args[1], call.Args[2], false)
			case name != nil && name.Name == "runTestCasesFunc":
				r.list(fn.Name.Name, call.Args[2], call.Args[3], true)
			}
		}
	}
}

func (r *suiteReader) list(name string, in, list ast.Expr, unordered bool) {
	all, ok := list.(*ast.CompositeLit)
	if !ok {
		r.left["a list that is made by a program"]++
		return
	}
	input, err := r.eval(in)
	for i, e := range all.Elts {
		lit, ok := e.(*ast.CompositeLit)
		if !ok || err != nil {
			r.left["an input that is made by a program"]++
			continue
		}
		if _, isList := input.([]any); isList {
			r.left["a list as the document itself"]++
			continue
		}
		r.one(fmt.Sprintf("%s %d", name, i), input, lit, unordered)
	}
}

func (r *suiteReader) one(name string, input any, lit *ast.CompositeLit, unordered bool) {
	c := suiteCase{name: name, input: input, want: "null", unordered: unordered}
	var sources any
	var output any
	undefined, fails := false, false
	for _, e := range lit.Elts {
		kv := e.(*ast.KeyValueExpr)
		key := kv.Key.(*ast.Ident).Name
		switch key {
		case "Exts":
			r.left["functions of the program's own"]++
			return
		case "Skip":
			r.left["skipped by the module"]++
			return
		case "Error":
			id, ok := kv.Value.(*ast.Ident)
			undefined = ok && id.Name == "ErrUndefined"
			fails = !undefined
			continue
		}
		v, err := r.eval(kv.Value)
		if err != nil {
			r.left[err.Error()]++
			return
		}
		switch key {
		case "Expression":
			sources = v
		case "Output":
			output = v
		case "Vars":
			c.vars = v.(map[string]any)
		}
	}
	switch {
	case undefined:
		c.want = ErrNothing.Error()
	case fails:
		c.want = "error"
	default:
		c.want = canonical(asValue(output), unordered)
	}
	if s, ok := sources.(string); ok {
		sources = []any{s}
	}
	for _, s := range sources.([]any) {
		c.src = s.(string)
		r.cases = append(r.cases, c)
	}
}

// eval reads a value that is written down.
func (r *suiteReader) eval(e ast.Expr) (any, error) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind == gotoken.STRING || e.Kind == gotoken.CHAR {
			return strconv.Unquote(e.Value)
		}
		f, err := strconv.ParseFloat(e.Value, 64)
		return f, err
	case *ast.UnaryExpr:
		v, err := r.eval(e.X)
		if f, ok := v.(float64); ok && e.Op == gotoken.SUB {
			return -f, err
		}
	case *ast.CompositeLit:
		return r.composite(e)
	case *ast.Ident:
		switch e.Name {
		case "nil":
			return nil, nil
		case "true", "false":
			return e.Name == "true", nil
		}
		if v, ok := r.local[e.Name]; ok {
			return v, nil
		}
	case *ast.SelectorExpr:
		if id, ok := e.X.(*ast.Ident); ok && id.Name == "testdata" {
			return r.file(e.Sel.Name + ".json")
		}
	case *ast.CallExpr:
		return r.call(e)
	}
	return nil, fmt.Errorf("a value that is a %T", e)
}

func (r *suiteReader) composite(e *ast.CompositeLit) (any, error) {
	if _, ok := e.Type.(*ast.MapType); !ok {
		list := []any{}
		for _, item := range e.Elts {
			if lit, ok := item.(*ast.CompositeLit); ok && lit.Type == nil {
				if a, ok := e.Type.(*ast.ArrayType); ok {
					lit.Type = a.Elt
				}
			}
			v, err := r.eval(item)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	}
	o := map[string]any{}
	for _, item := range e.Elts {
		kv := item.(*ast.KeyValueExpr)
		k, err := r.eval(kv.Key)
		if err != nil {
			return nil, err
		}
		v, err := r.eval(kv.Value)
		if err != nil {
			return nil, err
		}
		o[fmt.Sprint(k)] = v
	}
	return o, nil
}

func (r *suiteReader) call(e *ast.CallExpr) (any, error) {
	if len(e.Args) == 1 {
		switch fn := e.Fun.(type) {
		case *ast.Ident:
			if fn.Name == "readJSON" {
				name, err := r.eval(e.Args[0])
				if err != nil {
					return nil, err
				}
				return r.file(name.(string))
			}
			if slices.Contains([]string{"float64", "int", "int64"}, fn.Name) {
				return r.eval(e.Args[0])
			}
		case *ast.SelectorExpr:
			if v, err := r.eval(e.Args[0]); err == nil && fn.Sel.Name == "Sqrt" {
				return math.Sqrt(v.(float64)), nil
			}
		}
	}
	return nil, errors.New("a value that a program makes")
}

func (r *suiteReader) file(name string) (any, error) {
	b, err := os.ReadFile(filepath.Join(r.dir, "testdata", name))
	if err != nil {
		return nil, err
	}
	v, err := value.Parse(b)
	if err != nil {
		return nil, err
	}
	if a, ok := v.(value.Array); ok {
		return []any{a}, nil
	}
	return v, nil
}
