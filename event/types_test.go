package event_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/internal-app-portal/iap/event"
)

// TestExamplesFitTheirSchemas, of which each has one at least.
func TestExamplesFitTheirSchemas(t *testing.T) {
	for _, d := range event.Types() {
		if d.Title == "" || d.Description == "" || d.Source == "" || d.Subject == "" || d.Owner == "" || len(d.Examples) == 0 {
			t.Errorf("%s is not described: %+v", d.Type, d)
		}
		schema := compiled(t, d)
		for _, example := range d.Examples {
			v, err := jsonschema.UnmarshalJSON(bytes.NewReader(example))
			if err == nil {
				err = schema.Validate(v)
			}
			if err != nil {
				t.Errorf("%s: %s: %v", d.Type, example, err)
			}
		}
	}
}

func compiled(t *testing.T, d event.Described) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(d.Schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(d.Type, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(d.Type)
	if err != nil {
		t.Fatalf("%s: %v", d.Type, err)
	}
	return s
}

// ownType is how the portal's own types look.
var ownType = regexp.MustCompile(`^iap(\.[a-z_]+)+$`)

// TestEveryTypeHasASchema: the constants of the source that are given to the field
// Type, or declared in this package, are described, and nothing else is.
func TestEveryTypeHasASchema(t *testing.T) {
	declared := map[string]bool{}
	for _, dir := range []string{".", "../task/tell", "../auth"} {
		constants(t, dir, declared)
	}
	docs, err := os.ReadFile("../docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range event.Types() {
		if !declared[d.Type] {
			t.Errorf("%s is described, but no event has this type", d.Type)
		}
		if !strings.Contains(string(docs), "`"+d.Type+"`") {
			t.Errorf("docs/events.md does not name %s", d.Type)
		}
	}
	for typ := range declared {
		if _, ok := event.Describe(typ); !ok {
			t.Errorf("%s has no schema: add event/schema/%s.json", typ, typ)
		}
	}
}

// constants adds the values of a package's constants that are types of events.
func constants(t *testing.T, dir string, to map[string]bool) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			for _, v := range spec.Values {
				if lit, ok := v.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					if s, _ := strconv.Unquote(lit.Value); ownType.MatchString(s) {
						to[s] = true
					}
				}
			}
			return true
		})
	}
}
