package intrinsic_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/internal-app-portal/iap/asl/intrinsic"
	"github.com/internal-app-portal/iap/asl/jsonpath"
	"github.com/internal-app-portal/iap/asl/value"
)

func env() *intrinsic.Env {
	root, err := value.Parse([]byte(`{"a":[1,2,3,4,5],"o":{"x":1,"y":[true,null]},"s":"Hello","f":2.5,"json":"{\"k\": [1, 2.0]}",
		"t":"a {} b","big":9007199254740993}`))
	if err != nil {
		panic(err)
	}
	return &intrinsic.Env{
		Path:    func(p *jsonpath.Path) (value.Value, error) { return p.Eval(root) },
		Rand:    func() float64 { return 0.5 },
		NewUUID: func() string { return "u" },
	}
}

// calls are what they give, or "" for an error.
var calls = map[string]string{
	`States.Format('Hi {}, {}!', $.s, 3)`:                          `"Hi Hello, 3!"`,
	`States.Format($.t, 1)`:                                        `"a 1 b"`,
	`States.Format('\{\} \'{}\' \\', 1.0)`:                         `"{} '1.0' \\"`,
	`States.Format('{}', $.o)`:                                     `"{x=1, y=[true, null]}"`,
	`States.Format('none')`:                                        `"none"`,
	`States.StringToJson($.json)`:                                  `{"k":[1,2.0]}`,
	`States.StringToJson('{"k":1}')`:                               `{"k":1}`,
	`States.JsonToString($.o)`:                                     `"{\"x\":1,\"y\":[true,null]}"`,
	`States.Array('a', 1, $.s, null, true)`:                        `["a",1,"Hello",null,true]`,
	`States.Array()`:                                               `[]`,
	`States.ArrayPartition($.a, 2)`:                                `[[1,2],[3,4],[5]]`,
	`States.ArrayPartition($.a, 0)`:                                ``,
	`States.ArrayContains($.a, 3.0)`:                               `true`,
	`States.ArrayContains($.a, '3')`:                               `false`,
	`States.ArrayRange(1, 9, 2)`:                                   `[1,3,5,7,9]`,
	`States.ArrayRange(3, 1, -1)`:                                  `[3,2,1]`,
	`States.ArrayRange(1, 5, 0)`:                                   ``,
	`States.ArrayRange(0, 9999, 1)`:                                ``,
	`States.ArrayGetItem($.a, 4)`:                                  `5`,
	`States.ArrayGetItem($.a, 5)`:                                  ``,
	`States.ArrayLength($.a)`:                                      `5`,
	`States.ArrayLength($.s)`:                                      ``,
	`States.ArrayUnique(States.Array(1, 1.0, 2, 1))`:               `[1,2]`,
	`States.Base64Encode('Data to encode')`:                        `"RGF0YSB0byBlbmNvZGU="`,
	`States.Base64Decode('RGF0YSB0byBlbmNvZGU=')`:                  `"Data to encode"`,
	`States.Base64Decode('%')`:                                     ``,
	`States.Hash('input data', 'SHA-1')`:                           `"aaff4a450a104cd177d28d18d74485e8cae074b7"`,
	`States.Hash('x', 'SHA-3')`:                                    ``,
	`States.JsonMerge($.o, States.StringToJson('{"x":2}'), false)`: `{"x":2,"y":[true,null]}`,
	`States.JsonMerge($.o, $.o, true)`:                             ``,
	`States.MathRandom(1, 11)`:                                     `6`,
	`States.MathRandom(2, 1)`:                                      ``,
	`States.MathAdd($.f, -0.5)`:                                    `3`,
	`States.MathAdd(9223372036854775807, 1)`:                       ``,
	`States.StringSplit('1,2;3', ',;')`:                            `["1","2","3"]`,
	`States.UUID()`:                                                `"u"`,
	`States.Array( $.a[?(@ > 3)] , 'a,b)' )`:                       `[[4,5],"a,b)"]`,
	`States.MathAdd($.nothing, 1)`:                                 ``,
	`States.JsonToString($.big)`:                                   `"9007199254740993"`,
}

func TestFunctions(t *testing.T) {
	for call, want := range calls {
		c, err := intrinsic.Compile(call)
		if err != nil {
			t.Errorf("%s: %v", call, err)
			continue
		}
		v, err := c.Eval(env())
		switch {
		case err != nil && want != "":
			t.Errorf("%s: %v", call, err)
		case err == nil && value.Text(v) != want:
			t.Errorf("%s: got %s, want %s", call, value.Text(v), want)
		}
	}
}

// TestWrongEscapes: a backslash stands before ', {, } and itself only.
func TestWrongEscapes(t *testing.T) {
	for _, call := range []string{`States.StringToJson('{\"k\":1}')`, `States.Format('\n')`, `States.Array('\')`} {
		if _, err := intrinsic.Compile(call); err == nil {
			t.Errorf("%s was taken", call)
		}
	}
}

func TestSeededRandomIsAlwaysTheSame(t *testing.T) {
	c, err := intrinsic.Compile(`States.MathRandom(0, 1000000, 7)`)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := c.Eval(env())
	b, _ := c.Eval(&intrinsic.Env{})
	if !value.Equal(a, b) {
		t.Errorf("%v and %v", a, b)
	}
}

func TestRefusedCalls(t *testing.T) {
	for call, near := range map[string]string{
		`States.Formt('{}')`:      "States.Format",
		`States.MathAdd(1)`:       "",
		`States.MathAdd(1,'-1')`:  "",
		`States.Array(1`:          "",
		`States.Array(1,)`:        "",
		`States.Array('x)`:        "",
		`States.Array(bare)`:      "",
		`States.Array(1) x`:       "",
		`States.Array`:            "",
		`States.`:                 "",
		`Other.Array()`:           "",
		`States.ArrayLength($.[)`: "",
		strings.Repeat(`States.Array(`, 11) + `1` + strings.Repeat(`)`, 11): "",
	} {
		_, err := intrinsic.Compile(call)
		var syntax *intrinsic.SyntaxError
		if !errors.As(err, &syntax) {
			t.Errorf("%.50s: %v, want a SyntaxError", call, err)
		} else if syntax.Near != near {
			t.Errorf("%s: suggests %q, want %q", call, syntax.Near, near)
		}
	}
}

func FuzzCall(f *testing.F) {
	for _, s := range []string{`States.Format('Hi {}', $.s)`, `States.ArrayRange(1, $.f, States.MathAdd(1, 2))`, `States.StringSplit('\'a', $['s'])`, `States.Hash($.o, 'MD5')`} {
		f.Add(s)
	}
	e := env()
	f.Fuzz(func(t *testing.T, s string) {
		c, err := intrinsic.Compile(s)
		if err != nil {
			return
		}
		if v, err := c.Eval(e); err == nil {
			if _, err := value.Parse([]byte(value.Text(v))); err != nil {
				t.Errorf("%q gave %s: %v", s, value.Text(v), err)
			}
		}
	})
}
