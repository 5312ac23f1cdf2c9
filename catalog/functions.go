package catalog

import (
	"encoding/json"
	"path"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// readsFiles are the functions that read the machine's files.
var readsFiles = regexp.MustCompile(`^(core::)?(file\w*|templatefile)$`)

// readsFilesInText finds calls of them, and of templatestring, in a text.
var readsFilesInText = regexp.MustCompile(`\b(file\w*|templatefile|templatestring)\s*\(`)

const wantPath = `want "${path.module}/name"`

// functions refuses calls that read files outside of the bundle.
func (c *checker) functions(f *hcl.File, name string) {
	body, native := f.Body.(*hclsyntax.Body)
	if !native {
		c.jsonFunctions(f.Bytes, name)
		return
	}
	c.calls(body, path.Dir(name))
}

func (c *checker) calls(n hclsyntax.Node, dir string) {
	// VisitAll's diagnostics are those that the visitor returns: none.
	_ = hclsyntax.VisitAll(n, func(n hclsyntax.Node) hcl.Diagnostics {
		if call, ok := n.(*hclsyntax.FunctionCallExpr); ok {
			c.oneCall(call, dir)
		}
		return nil
	})
}

func (c *checker) oneCall(call *hclsyntax.FunctionCallExpr, dir string) {
	short := strings.TrimPrefix(call.Name, "core::")
	switch {
	case short == "templatestring":
		c.report(call.NameRange, "templatestring is not allowed; write the template out")
		return
	case !readsFiles.MatchString(call.Name) || len(call.Args) == 0:
		return
	}
	file, ok := bundlePath(call.Args[0])
	if !ok {
		c.report(call.Args[0].Range(), "%s must read files of the bundle only; %s", call.Name, wantPath)
		return
	}
	if short != "templatefile" {
		return
	}
	// A template can call functions too.
	template, there := c.files[path.Join(dir, file)]
	if !there {
		c.report(call.Args[0].Range(), "the bundle has no file %q", shorten(file))
		return
	}
	expr, diags := hclsyntax.ParseTemplate(template.data, path.Join(dir, file), hcl.InitialPos)
	if !c.diagnostics(diags, path.Join(dir, file)) {
		c.calls(expr, dir)
	}
}

// bundlePath returns the path, in the module's folder, that an expression of
// the form "${path.module}/name" or "name" names.
func bundlePath(e hclsyntax.Expression) (string, bool) {
	t, ok := e.(*hclsyntax.TemplateExpr)
	if !ok {
		return "", false
	}
	parts := t.Parts
	if len(parts) == 2 {
		base, ok := parts[0].(*hclsyntax.ScopeTraversalExpr)
		if !ok || len(base.Traversal) != 2 || base.Traversal.RootName() != "path" {
			return "", false
		}
		if step, ok := base.Traversal[1].(hcl.TraverseAttr); !ok || step.Name != "module" {
			return "", false
		}
		parts = parts[1:]
		name, ok := literalPart(parts[0])
		if !ok || !strings.HasPrefix(name, "/") {
			return "", false
		}
		return strings.TrimPrefix(name, "/"), inside(strings.TrimPrefix(name, "/"))
	}
	if len(parts) != 1 {
		return "", false
	}
	name, ok := literalPart(parts[0])
	return name, ok && inside(name) && !strings.HasPrefix(name, "~")
}

func literalPart(e hclsyntax.Expression) (string, bool) {
	l, ok := e.(*hclsyntax.LiteralValueExpr)
	if !ok || l.Val.Type() != cty.String || l.Val.IsNull() {
		return "", false
	}
	return l.Val.AsString(), true
}

// jsonFunctions refuses all calls in a JSON file that might read files: they
// stand in texts there.
func (c *checker) jsonFunctions(data []byte, name string) {
	var value any
	if json.Unmarshal(data, &value) != nil {
		return // the parser has said so already
	}
	var walk func(v any) bool
	walk = func(v any) bool {
		switch v := v.(type) {
		case string:
			return readsFilesInText.MatchString(v)
		case []any:
			for _, e := range v {
				if walk(e) {
					return true
				}
			}
		case map[string]any:
			for k, e := range v {
				if readsFilesInText.MatchString(k) || walk(e) {
					return true
				}
			}
		}
		return false
	}
	if walk(value) {
		c.report(hcl.Range{Filename: name}, "reads files, which cannot be checked in the JSON form; write it in a .tf file")
	}
}
