package value_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/internal-app-portal/iap/asl/value"
)

func TestTextIsKept(t *testing.T) {
	for _, text := range []string{
		`{"b":1,"a":2}`, `[1,1.0,1e3,-0.5,12345678901234567890,0.10]`, `"<&>ü\u0001\n\"\\"`, `{}`, `[]`, `null`, `true`,
		`{"a":{"z":[{}],"y":null}}`,
	} {
		v, err := value.Parse([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got := value.Text(v); got != text {
			t.Errorf("%s became %s", text, got)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for text, at := range map[string]int{
		``: 0, `{`: 1, `{"a":1,}`: 7, `[1,]`: 3, `{"a":1,"a":2}`: 7, `01`: 0, `1.`: 0, `.5`: 0, `+1`: 0, `1e400`: 0, `-1e400`: 0, `1e`: 0,
		`NaN`: 0, `"a`: 0, `"\x"`: 1, "\"\x01\"": 1, "\"\xff\"": 1, `1 2`: 2, `nul`: 0, `"\u12"`: 1, `{a:1}`: 1, `'a'`: 0,
		strings.Repeat("[", 1001): 1000,
	} {
		_, err := value.Parse([]byte(text))
		var syntax *value.SyntaxError
		if !errors.As(err, &syntax) || syntax.Offset != at {
			t.Errorf("%.20q: %v, want an error at %d", text, err, at)
		}
	}
}

func TestNumbers(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{
		{"1", "1.0", 0}, {"10", "9", 1}, {"-1", "1", -1}, {"9007199254740993", "9007199254740992", 1}, {"0.1", "0.10", 0},
		{"1e2", "100", 0}, {"12345678901234567891", "12345678901234567890", 1}, {"1e-9999", "0", 0},
	} {
		if got := value.Number(test.a).Cmp(value.Number(test.b)); got != test.want {
			t.Errorf("%s and %s: %d", test.a, test.b, got)
		}
	}
	for f, want := range map[float64]string{1: "1.0", 0.1: "0.1", 1e10: "1.0E10", 1.5e-7: "1.5E-7", -2.5: "-2.5", 0: "0.0"} {
		if got := value.Float(f); string(got) != want {
			t.Errorf("%v is written %s, want %s", f, got, want)
		}
	}
}

func TestJSONComesBackByteForByte(t *testing.T) {
	in := struct {
		A value.JSON `json:"a,omitzero"`
		B value.JSON `json:"b,omitzero"`
	}{A: value.MustText(`{ "x" : [1, 2.50], "<": "ü" }`)}
	b, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	out := in
	out.A = value.JSON{}
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	if out.A.String() != in.A.String() || !out.B.IsZero() {
		t.Errorf("%s became %s", in.A, out.A)
	}
}

func TestObjects(t *testing.T) {
	o := &value.Object{}
	for i := range 30 {
		o.Set(string(rune('z'-i%26))+strings.Repeat("x", i/26), value.Int(int64(i)))
	}
	o.Set("z", "again")
	if v, _ := o.Get("z"); v != "again" || o.Len() != 30 || o.Members()[0].Key != "z" {
		t.Errorf("%s", value.Text(o))
	}
	if c := o.Clone(); !value.Equal(c, o) || value.Text(c) != value.Text(o) {
		t.Error("the copy differs")
	}
	a, _ := value.Parse([]byte(`{"a":[1,{"b":2}],"c":null}`))
	b, _ := value.Parse([]byte(`{"c":null,"a":[1.0,{"b":2}]}`))
	if !value.Equal(a, b) || value.Equal(a, o) {
		t.Error("Equal is wrong")
	}
}

// FuzzParse compares with the standard library, which is laxer in three ways.
func FuzzParse(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5e-3,"\ud83d\ude00\n"],"b":{}}`, `[[[]]]`, `"\ud800"`, `1e5`, ` null `} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := value.Parse(b)
		if err != nil {
			return
		}
		if !json.Valid(b) {
			t.Fatalf("%q was taken", b)
		}
		text := value.Text(v)
		again, err := value.Parse([]byte(text))
		if err != nil || value.Text(again) != text || !value.Equal(v, again) {
			t.Fatalf("%q became %q (%v)", b, text, err)
		}
	})
}
