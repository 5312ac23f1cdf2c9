package catalog

import (
	"maps"
	"path"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
)

// lockFile is the name of Terraform's dependency lock file.
const lockFile = ".terraform.lock.hcl"

// lockFiles judges the lock files: each must be one that Terraform could have
// written. What they pin is for its init to judge.
func (c *checker) lockFiles(parser *hclparse.Parser) {
	for _, name := range slices.Sorted(maps.Keys(c.files)) {
		if path.Base(name) != lockFile {
			continue
		}
		file, diags := parser.ParseHCL(c.files[name].data, name)
		if c.diagnostics(diags, name) || file == nil {
			continue
		}
		content, diags := file.Body.Content(&hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "provider", LabelNames: []string{"source"}}}})
		c.diagnostics(diags, name)
		for _, b := range content.Blocks {
			c.lockedProvider(b)
		}
	}
}

func (c *checker) lockedProvider(b *hcl.Block) {
	content, diags := b.Body.Content(&hcl.BodySchema{
		Attributes: []hcl.AttributeSchema{{Name: "version", Required: true}, {Name: "constraints"}, {Name: "hashes"}}})
	c.diagnostics(diags, b.DefRange.Filename)
	for _, name := range []string{"version", "constraints"} {
		if a := content.Attributes[name]; a != nil {
			if _, ok := literalString(a.Expr); !ok {
				c.report(a.Expr.Range(), "%s must be a plain text", name)
			}
		}
	}
	a := content.Attributes["hashes"]
	if a == nil {
		return
	}
	hashes, diags := hcl.ExprList(a.Expr)
	c.diagnostics(diags, b.DefRange.Filename)
	for _, h := range hashes {
		if _, ok := literalString(h); !ok {
			c.report(h.Range(), "a hash must be a plain text")
		}
	}
}
