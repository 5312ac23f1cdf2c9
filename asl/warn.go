package asl

import (
	"strings"

	"github.com/internal-app-portal/iap/asl/intrinsic"
)

// staticResult warns of a Result that looks like a path: it is given as it is.
func (c *checker) staticResult(n *node) {
	if s, ok := n.v.(string); ok && looksLikePath(s) {
		c.warn(n, CodeStaticResult, "Attempt to use a path in the result of a pass state").
			hint("the text %q itself will be the result; Parameters can hold a path", s).near("Parameters")
	}
}

// noDollar warns of a text in a payload template that looks like a path or a
// call, under a name that makes it neither.
func (c *checker) noDollar(n *node) {
	s, ok := n.v.(string)
	if !ok || n.element || !looksLikePath(s) && !intrinsic.IsCall(s) {
		return
	}
	c.warn(n, CodeNoDollar, "No '.$' on a field that appears to be a JSONPath or Intrinsic Function").near(n.key + pathSuffix)
}

// noPath warns of a text that looks like a path in a field that takes none.
func (c *checker) noPath(n *node, s string) {
	if looksLikePath(s) {
		c.warn(n, CodeNoPath, "Field value looks like a path, but field name does not end with 'Path'").near(n.key + "Path")
	}
}

// looksLikePath tells whether somebody probably meant a path by a text.
func looksLikePath(s string) bool {
	return strings.HasPrefix(s, "$.") || strings.HasPrefix(s, "$[") || strings.HasPrefix(s, "$$.")
}
