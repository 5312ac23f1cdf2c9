package catalog

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
)

// builtinProvider is the provider that is a part of Terraform.
const builtinProvider = "terraform.io/builtin/terraform"

// isTerraform reports whether Terraform or OpenTofu reads the file as
// configuration.
func isTerraform(name string) bool {
	for _, ext := range []string{".tf", ".tf.json", ".tofu", ".tofu.json"} {
		if strings.HasSuffix(name, ext) {
			return true
		}
	}
	return false
}

// checker judges the Terraform files of a bundle. It reads them itself and
// knows all blocks that are allowed, so what a later Terraform adds is refused
// until somebody has looked at it. A bundle runs with the rights of the
// portal's jobs: what could run programs, read the machine's files or touch
// what belongs to others has no place in it.
type checker struct {
	*problems
	files   files
	allowed []string
	modules map[string]*module // by folder
}

// module is one folder with Terraform files.
type module struct {
	dir       string
	sources   map[string]string    // provider's local name → source
	uses      map[string]hcl.Range // provider's local name → first use
	required  map[string]hcl.Range // variables without a default
	declared  map[string]bool      // variables
	outputs   map[string]bool
	declaring map[string]hcl.Range // provider's local name → where its source is said
}

// checkTerraform adds what is wrong with the Terraform files.
func checkTerraform(p *problems, all files, manifest Manifest, providers []string) {
	c := &checker{problems: p, files: all, allowed: providers, modules: map[string]*module{}}
	parser := hclparse.NewParser()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if isTerraform(name) {
			c.file(parser, name)
		}
	}
	c.lockFiles(parser)
	for _, dir := range slices.Sorted(maps.Keys(c.modules)) {
		c.providers(c.modules[dir])
	}
	root := c.modules["."]
	if root == nil {
		c.add("bundle", "has no .tf file in its first folder")
		return
	}
	variables := manifest.variables()
	for _, name := range slices.Sorted(maps.Keys(root.required)) {
		if !slices.Contains(variables, name) {
			c.report(root.required[name], "nothing sets the variable %q; give it a default or make it a parameter%s", name, didYouMean(name, variables))
		}
	}
	if manifest.Network == NetworkPortal && !root.declared[networkVariable] && len(c.errs) == 0 {
		c.add("bundle", `declares no variable %q, which "network: %s" sets; declare it and put the containers into that network`, networkVariable, NetworkPortal)
	}
	if !root.outputs["upstream"] && len(c.errs) == 0 {
		c.add("bundle", `has no output "upstream"; want one with the app's address, http://127.0.0.1:port`)
	}
}

// report adds a problem at a place of a file.
func (c *checker) report(r hcl.Range, format string, args ...any) {
	field := "bundle/" + r.Filename
	c.lines[field] = r.Start.Line
	c.add(field, format, args...)
}

// diagnostics adds what the parser found; it reports whether there was any.
func (c *checker) diagnostics(diags hcl.Diagnostics, name string) bool {
	for _, d := range diags {
		if d.Severity != hcl.DiagError {
			continue
		}
		r := hcl.Range{Filename: name}
		if d.Subject != nil {
			r = *d.Subject
		}
		text := d.Summary
		if d.Detail != "" {
			text = strings.TrimSuffix(text, ".") + ": " + d.Detail
		}
		c.report(r, "%s", strings.Join(strings.Fields(text), " "))
	}
	return diags.HasErrors()
}

func (c *checker) file(parser *hclparse.Parser, name string) {
	data := c.files[name].data
	var file *hcl.File
	var diags hcl.Diagnostics
	if strings.HasSuffix(name, ".json") {
		file, diags = parser.ParseJSON(data, name)
	} else {
		file, diags = parser.ParseHCL(data, name)
	}
	if c.diagnostics(diags, name) || file == nil {
		return
	}
	content, diags := file.Body.Content(&hcl.BodySchema{Blocks: rootBlocks})
	c.diagnostics(diags, name)
	dir := path.Dir(name)
	m := c.modules[dir]
	if m == nil {
		m = &module{dir: dir, sources: map[string]string{}, uses: map[string]hcl.Range{}, required: map[string]hcl.Range{}, declared: map[string]bool{},
			outputs: map[string]bool{}, declaring: map[string]hcl.Range{}}
		c.modules[dir] = m
	}
	for _, block := range content.Blocks {
		c.block(m, block)
	}
	c.functions(file, name)
}

// rootBlocks are the blocks that a file may hold.
var rootBlocks = []hcl.BlockHeaderSchema{
	{Type: "terraform"}, {Type: "locals"}, {Type: "moved"},
	{Type: "variable", LabelNames: []string{"name"}}, {Type: "output", LabelNames: []string{"name"}},
	{Type: "provider", LabelNames: []string{"name"}}, {Type: "module", LabelNames: []string{"name"}},
	{Type: "resource", LabelNames: []string{"type", "name"}}, {Type: "data", LabelNames: []string{"type", "name"}},
	{Type: "check", LabelNames: []string{"name"}},
}

func (c *checker) block(m *module, b *hcl.Block) {
	switch b.Type {
	case "terraform":
		c.settings(m, b)
	case "variable":
		m.declared[b.Labels[0]] = true
		if content := c.partial(b, []string{"default"}); content.Attributes["default"] == nil {
			m.required[b.Labels[0]] = b.DefRange
		}
	case "output":
		m.outputs[b.Labels[0]] = true
	case "provider":
		m.use(b.Labels[0], b.DefRange)
		c.providerBlock(b)
	case "resource", "data":
		c.resource(m, b)
	case "module":
		c.call(m, b)
	case "check":
		for _, inner := range c.partial(b, nil, hcl.BlockHeaderSchema{Type: "data", LabelNames: []string{"type", "name"}}).Blocks {
			c.resource(m, inner)
		}
	}
}

// partial returns the attributes and blocks of b that are named.
func (c *checker) partial(b *hcl.Block, attributes []string, blocks ...hcl.BlockHeaderSchema) *hcl.BodyContent {
	schema := &hcl.BodySchema{Blocks: blocks}
	for _, a := range attributes {
		schema.Attributes = append(schema.Attributes, hcl.AttributeSchema{Name: a})
	}
	content, _, diags := b.Body.PartialContent(schema)
	c.diagnostics(diags, b.DefRange.Filename)
	return content
}

func (m *module) use(provider string, r hcl.Range) {
	if _, there := m.uses[provider]; !there {
		m.uses[provider] = r
	}
}

// settings judges a terraform block.
func (c *checker) settings(m *module, b *hcl.Block) {
	content, diags := b.Body.Content(&hcl.BodySchema{
		Attributes: []hcl.AttributeSchema{{Name: "required_version"}, {Name: "experiments"}},
		Blocks: []hcl.BlockHeaderSchema{
			{Type: "required_providers"}, {Type: "backend", LabelNames: []string{"type"}}, {Type: "cloud"}, {Type: "encryption"},
			{Type: "provider_meta", LabelNames: []string{"provider"}},
		},
	})
	c.diagnostics(diags, b.DefRange.Filename)
	for _, inner := range content.Blocks {
		switch inner.Type {
		case "backend", "cloud":
			c.report(inner.DefRange, "a bundle must not say where its state is kept: remove the %s block, the portal keeps the state", inner.Type)
		case "encryption":
			c.report(inner.DefRange, "a bundle must not encrypt its state: remove the encryption block, the portal does it")
		case "required_providers":
			c.required(m, inner)
		}
	}
}

// required notes the sources in a required_providers block.
func (c *checker) required(m *module, b *hcl.Block) {
	attributes, diags := b.Body.JustAttributes()
	c.diagnostics(diags, b.DefRange.Filename)
	for name, a := range attributes {
		m.use(name, a.NameRange)
		pairs, diags := hcl.ExprMap(a.Expr)
		if diags.HasErrors() {
			continue // the old form, a version alone: the source is the default one
		}
		for _, pair := range pairs {
			key := hcl.ExprAsKeyword(pair.Key)
			if v, diags := pair.Key.Value(nil); key == "" && !diags.HasErrors() {
				key = v.AsString()
			}
			if key != "source" {
				continue
			}
			source, ok := literalString(pair.Value)
			if !ok {
				c.report(pair.Value.Range(), "the source of a provider must be a plain text")
				continue
			}
			if before, twice := m.sources[name]; twice && before != source {
				c.report(pair.Value.Range(), "the provider %q has two sources", name)
			}
			m.sources[name] = source
			m.declaring[name] = pair.Value.Range()
		}
	}
}

// providers judges the providers of a module when all its files were read.
func (c *checker) providers(m *module) {
	for _, name := range slices.Sorted(maps.Keys(m.uses)) {
		source := providerSource(name, m.sources[name])
		if slices.ContainsFunc(c.allowed, func(a string) bool { return providerSource("", a) == source }) {
			continue
		}
		at := m.uses[name]
		if r, said := m.declaring[name]; said {
			at = r
		}
		c.report(at, "the provider %s is not allowed; want %s", shorten(source), list(c.allowed))
	}
}

// providerSource is a provider's address in one form: host and "hashicorp" are
// left out or put in as Terraform does.
func providerSource(name, source string) string {
	if source == "" {
		source = name
	}
	parts := strings.Split(strings.ToLower(source), "/")
	if len(parts) == 1 && parts[0] == "terraform" {
		return builtinProvider
	}
	if len(parts) == 1 {
		return "hashicorp/" + parts[0]
	}
	if len(parts) == 3 && (parts[0] == "registry.terraform.io" || parts[0] == "registry.opentofu.org") {
		parts = parts[1:]
	}
	return strings.Join(parts, "/")
}

// literalString returns the text of an expression that depends on nothing.
func literalString(e hcl.Expression) (string, bool) {
	v, diags := e.Value(nil)
	if diags.HasErrors() || v.IsNull() || !v.IsKnown() || v.Type().FriendlyName() != "string" {
		return "", false
	}
	return v.AsString(), true
}

// providerBlock refuses what would lead a provider to another engine.
func (c *checker) providerBlock(b *hcl.Block) {
	names := []string{"host", "context", "ssh_opts", "cert_path", "ca_material", "cert_material", "key_material"}
	for name, a := range c.partial(b, names).Attributes {
		c.report(a.NameRange, "the portal says which engine is used: remove %s", name)
	}
}

// resource judges a resource or data block.
func (c *checker) resource(m *module, b *hcl.Block) {
	kind := b.Labels[0]
	if b.Type == "data" && kind == "terraform_remote_state" {
		c.report(b.DefRange, "a bundle must not read other states: remove the data source terraform_remote_state")
	}
	content := c.partial(b, []string{"provider"}, hcl.BlockHeaderSchema{Type: "provisioner", LabelNames: []string{"type"}},
		hcl.BlockHeaderSchema{Type: "connection"})
	for _, inner := range content.Blocks {
		c.report(inner.DefRange, "a bundle must not run programs: remove the %s block", inner.Type)
	}
	provider, _, _ := strings.Cut(kind, "_")
	at := b.DefRange
	if a := content.Attributes["provider"]; a != nil {
		t, diags := hcl.AbsTraversalForExpr(a.Expr)
		if diags.HasErrors() {
			c.report(a.Range, "provider must name a provider, like docker or docker.second")
			return
		}
		provider, at = t.RootName(), a.Range
	}
	m.use(provider, at)
}

// call judges a module block.
func (c *checker) call(m *module, b *hcl.Block) {
	a := c.partial(b, []string{"source"}).Attributes["source"]
	if a == nil {
		c.report(b.DefRange, "the module has no source")
		return
	}
	const want = "want a folder of the bundle, like ./network"
	source, ok := literalString(a.Expr)
	if !ok {
		c.report(a.Range, "the source of a module must be a plain text; %s", want)
		return
	}
	local := strings.HasPrefix(source, "./") || strings.HasPrefix(source, "../")
	dir := path.Join(m.dir, source)
	if !local || dir == ".." || strings.HasPrefix(dir, "../") {
		c.report(a.Range, "the module %q is not in the bundle; %s", shorten(source), want)
		return
	}
	for name := range c.files {
		if path.Dir(name) == dir && isTerraform(name) {
			return
		}
	}
	c.report(a.Range, "%s", fmt.Sprintf("the bundle has no module in the folder %q", shorten(dir)))
}
