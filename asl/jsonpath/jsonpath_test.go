package jsonpath_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/asl/jsonpath"
	"github.com/internal-app-portal/iap/asl/value"
)

const doc = `{"store":{"book":[
	{"category":"reference","author":"Nigel Rees","title":"Sayings","price":8.95},
	{"category":"fiction","author":"Evelyn Waugh","title":"Sword","price":12.99},
	{"category":"fiction","author":"Herman Melville","title":"Moby","isbn":"0-553","price":8.99},
	{"category":"fiction","author":"Tolkien","title":"Lord","isbn":"0-395","price":22.99}],
	"bicycle":{"color":"red","price":19.95}},
	"expensive":10,"key-dash":1,"two words":2,"n":null,"nums":[1,2,3,4.5],"t":[{"v":"42"},{"v":42},{"w":1}],
	"nest":[[1,2],[3]],"ü":"ä","it's":5}`

// evalCases are paths into doc and what they give.
var evalCases = map[string]string{
	`$.expensive`:                         `10`,
	`$['expensive']`:                      `10`,
	`$["expensive"]`:                      `10`,
	`$.key-dash`:                          `1`,
	`$['two words']`:                      `2`,
	`$['it\'s']`:                          `5`,
	`$.ü`:                                 `"ä"`,
	`$.n`:                                 `null`,
	`$['key-dash','expensive']`:           `{"key-dash":1,"expensive":10}`,
	`$['key-dash','nothing']`:             `{"key-dash":1}`,
	`$.store.book[0].price`:               `8.95`,
	`$.store.book[-1].title`:              `"Lord"`,
	`$.store.book[0,2].title`:             `["Sayings","Moby"]`,
	`$.store.book[*].price`:               `[8.95,12.99,8.99,22.99]`,
	`$..price`:                            `[8.95,12.99,8.99,22.99,19.95]`,
	`$.store..author`:                     `["Nigel Rees","Evelyn Waugh","Herman Melville","Tolkien"]`,
	`$.store.*`:                           `[[{"category":"reference","author":"Nigel Rees","title":"Sayings","price":8.95},{"category":"fiction","author":"Evelyn Waugh","title":"Sword","price":12.99},{"category":"fiction","author":"Herman Melville","title":"Moby","isbn":"0-553","price":8.99},{"category":"fiction","author":"Tolkien","title":"Lord","isbn":"0-395","price":22.99}],{"color":"red","price":19.95}]`,
	`$.nums[1:3]`:                         `[2,3]`,
	`$.nums[:2]`:                          `[1,2]`,
	`$.nums[-2:]`:                         `[3,4.5]`,
	`$.nums[-3:-1]`:                       `[2,3]`,
	`$.nums[0:4:2]`:                       `[1,2,3,4.5]`,
	`$.nums[(@.length-1)]`:                `4.5`,
	`$.nums.length()`:                     `4`,
	`$.nums.sum()`:                        `10.5`,
	`$.nums.max()`:                        `4.5`,
	`$.nums.min()`:                        `1.0`,
	`$.nums.avg()`:                        `2.625`,
	`$.nums.last()`:                       `4.5`,
	`$.store.bicycle.keys()`:              `["color","price"]`,
	`$..price.sum()`:                      `73.87`,
	`$.nest[*].length()`:                  `[2,1]`,
	`$.nest[*][0]`:                        `[1,3]`,
	`$.store.book[?(@.price < 10)].title`: `["Sayings","Moby"]`,
	`$.store.book[?(@.isbn)].title`:       `["Moby","Lord"]`,
	`$.store.book[?(!@.isbn)].title`:      `["Sayings","Sword"]`,
	`$.store.book[?(@.price > $.expensive)].title`:                      `["Sword","Lord"]`,
	`$.store.book[?(@.author =~ /.*REES/i)].title`:                      `["Sayings"]`,
	`$.store.book[?(@.author =~ /Rees/)].title`:                         `[]`,
	`$.store.book[?(@.category in ['reference','other'])].title`:        `["Sayings"]`,
	`$.store.book[?(@.category nin ['reference'] && @.price<10)].title`: `["Moby"]`,
	`$.store.book[?(@.price<9 || @.price>20)].title`:                    `["Sayings","Moby","Lord"]`,
	`$.store.book[?((@.price<9 || @.price>20) && @.isbn)].title`:        `["Moby","Lord"]`,
	`$.store.bicycle[?(@.color=='red')]`:                                `[{"color":"red","price":19.95}]`,
	`$.t[?(@.v == 42)]`:                                                 `[{"v":"42"},{"v":42}]`,
	`$.t[?(@.v === 42)]`:                                                `[{"v":42}]`,
	`$.t[?(@.v != 42)]`:                                                 `[{"w":1}]`,
	`$.nums[?(@ > 2)]`:                                                  `[3,4.5]`,
	`$.nest[?(@ size 2)]`:                                               `[[1,2]]`,
	`$.nest[?(@ contains 3)]`:                                           `[[3]]`,
	`$..[?(@.color)]`:                                                   `[{"color":"red","price":19.95}]`,
	`$.nothing[*]`:                                                      `[]`,
	`$.nothing.at.all[1:]`:                                              `[]`,
	`$..nothing`:                                                        `[]`,
}

func TestEval(t *testing.T) {
	root, err := value.Parse([]byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range evalCases {
		p, err := jsonpath.Compile(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		v, err := p.Eval(root)
		if err != nil {
			t.Errorf("%s: %v", path, err)
		} else if got := value.Text(v); got != want {
			t.Errorf("%s\n got %s\nwant %s", path, got, want)
		}
	}
}

func TestMissing(t *testing.T) {
	root, _ := value.Parse([]byte(doc))
	for path, want := range map[string]string{
		`$.nothing`:            `No results for path: $['nothing']`,
		`$.nothing.more`:       `Missing property in path $['nothing']`,
		`$.store.nothing.more`: `Missing property in path $['store']['nothing']`,
		`$.nums[9]`:            `No results for path: $['nums'][9]`,
		`$.n[0]`:               `The path $['n'] is null`,
	} {
		_, err := jsonpath.MustCompile(path).Eval(root)
		var missing *jsonpath.NotFoundError
		if !errors.As(err, &missing) || err.Error() != want {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, path := range []string{``, `x`, `$.`, `$..`, `$.a.`, `$...a`, `$[`, `$['a`, `$['a'`, `$[]`, `$[a]`, `$.a b`, `$x y`, `$[?(@.a`,
		`$[?(@.a ==)]`, `$[?(@.a ~ 1)]`, `$.a.nofunction()`, `$.length().a`, `$[1:x]`, `$[?(@.a =~ /(/)]`, `$-`,
		`$` + strings.Repeat(`[?(@`, 200) + strings.Repeat(`)]`, 200)} {
		if _, err := jsonpath.Compile(path); err == nil {
			t.Errorf("%.60q was taken", path)
		}
	}
}

func TestRoots(t *testing.T) {
	for path, want := range map[string]jsonpath.RootKind{`$`: 0, `$.a`: 0, `$$`: 1, `$$.a`: 1, `$x`: 2, `$x.y[0]`: 2} {
		if kind, name := jsonpath.MustCompile(path).Root(); kind != want || (name == "x") != (want == 2) {
			t.Errorf("%s starts at %d %q", path, kind, name)
		}
	}
}

func TestSet(t *testing.T) {
	for _, test := range [][3]string{
		{`$`, `{"a":1}`, `9`},
		{`$.b`, `{"a":1}`, `{"a":1,"b":9}`},
		{`$.a`, `{"a":1,"b":2}`, `{"a":9,"b":2}`},
		{`$.x.y.z`, `{"a":1}`, `{"a":1,"x":{"y":{"z":9}}}`},
		{`$.a[1]`, `{"a":[1,2]}`, `{"a":[1,9]}`},
		{`$.a[2]`, `{"a":[1,2]}`, ``},
		{`$.a.b`, `{"a":1}`, ``},
		{`$['a b']`, `{}`, `{"a b":9}`},
	} {
		root, _ := value.Parse([]byte(test[1]))
		got, err := jsonpath.MustCompile(test[0]).Set(root, value.Int(9))
		if (err != nil) != (test[2] == "") || err == nil && value.Text(got) != test[2] {
			t.Errorf("%s in %s: %s, %v", test[0], test[1], value.Text(got), err)
		}
		if value.Text(root) != test[1] {
			t.Errorf("%s changed its root to %s", test[0], value.Text(root))
		}
	}
}

func TestWorkIsBounded(t *testing.T) {
	text := strings.Repeat(`{"a":[`, 200) + `1,2,3` + strings.Repeat(`]}`, 200)
	root, err := value.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	_, err = jsonpath.MustCompile(`$..*..*..*..*..*`).Eval(root)
	if !errors.Is(err, jsonpath.ErrTooMuchWork) {
		t.Errorf("%v, want ErrTooMuchWork", err)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
}

// FuzzPath: every path ends, an indefinite one gives an array, and what was set
// at a reference path is found there.
func FuzzPath(f *testing.F) {
	for _, s := range []string{`$.store.book[?(@.price < 10 && @.x =~ /a/i)].title`, `$..*`, `$['a','b'][0,1][1:2:3]`, `$x.sum()`, `$$.a[(@.length-1)]`} {
		f.Add(s)
	}
	root, _ := value.Parse([]byte(doc))
	f.Fuzz(func(t *testing.T, s string) {
		p, err := jsonpath.Compile(s)
		if err != nil {
			return
		}
		v, err := p.Eval(root)
		if err == nil && !p.Definite() && value.Kind(v) != "array" && !strings.Contains(s, "(") {
			t.Errorf("%q is indefinite, but gave %s", s, value.Text(v))
		}
		if !p.IsReference() {
			return
		}
		if set, err := p.Set(root, value.Int(1)); err == nil {
			if back, err := p.Eval(set); err != nil || value.Text(back) != "1" {
				t.Errorf("%q was set to 1 and is %v, %v", s, back, err)
			}
		}
	})
}
