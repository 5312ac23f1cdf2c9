package local

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
)

// soleFile says of a ready folder, when it is there, that its scripts use the
// Docker provider alone and configure it once: in a process that serves several
// configurations the last one would hold for all. It has the stamp of the
// provider that was checked against the lock file, because the tool does not
// check one that it finds running.
const soleFile = "sole-provider"

// noteSoleProvider writes soleFile where it is due.
func noteSoleProvider(dir string) error {
	file := filepath.Join(dir, dotFolder, soleFile)
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	binary := providerBinary(dir)
	if binary == "" || !locksDockerAlone(dir) || !configuresOnce(dir) {
		return nil
	}
	return os.WriteFile(file, []byte(stamp(binary)), 0o600)
}

// soleProvider returns the Docker provider of a ready folder; empty when it must
// not be shared by the configurations of its scripts, or is another by now.
func soleProvider(ready string) string {
	want, err := os.ReadFile(filepath.Join(ready, dotFolder, soleFile))
	if err != nil {
		return ""
	}
	if binary := providerBinary(ready); binary != "" && stamp(binary) == string(want) {
		return binary
	}
	return ""
}

// labelled is the schema of blocks with one label.
func labelled(block string) *hcl.BodySchema {
	return &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: block, LabelNames: []string{"name"}}}}
}

// locksDockerAlone reports whether the lock file names no other provider. Those
// that are built into the tool are not in it.
func locksDockerAlone(dir string) bool {
	file, problems := hclparse.NewParser().ParseHCLFile(filepath.Join(dir, lockHCL))
	if problems.HasErrors() {
		return false
	}
	content, _, problems := file.Body.PartialContent(labelled("provider"))
	if problems.HasErrors() || len(content.Blocks) != 1 {
		return false
	}
	switch content.Blocks[0].Labels[0] {
	case "registry.opentofu.org/kreuzwerker/docker", "registry.terraform.io/kreuzwerker/docker":
		return true
	}
	return false
}

// configuresOnce reports whether at most one provider block is in the scripts,
// in the root and without an alias. Doubt is a no.
func configuresOnce(dir string) bool {
	modules, ok := moduleFolders(dir)
	if !ok {
		return false
	}
	blocks := 0
	for _, module := range modules {
		n, ok := providerBlocks(filepath.Join(dir, module))
		if blocks += n; !ok || n > 0 && module != "." {
			return false
		}
	}
	return blocks <= 1
}

// moduleFolders returns the folders of the modules that are called, the root
// among them, as init wrote them down; false when one is not in the bundle.
func moduleFolders(dir string) ([]string, bool) {
	var list struct{ Modules []struct{ Dir string } }
	there, err := readJSON(filepath.Join(dir, dotFolder, "modules", "modules.json"), &list)
	if err != nil {
		return nil, false
	}
	folders := []string{"."}
	if !there {
		return folders, true
	}
	root, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, false
	}
	for _, m := range list.Modules {
		module := filepath.Clean(m.Dir)
		real, err := filepath.EvalSymlinks(filepath.Join(dir, module))
		if !filepath.IsLocal(module) || err != nil || real != filepath.Join(root, module) {
			return nil, false
		}
		if module != "." {
			folders = append(folders, module)
		}
	}
	return folders, true
}

// providerBlocks counts the provider blocks of a module; false when one has an
// alias or a script cannot be read.
func providerBlocks(dir string) (n int, ok bool) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, false
	}
	parser := hclparse.NewParser()
	for _, e := range entries {
		name, path := e.Name(), filepath.Join(dir, e.Name())
		var file *hcl.File
		var problems hcl.Diagnostics
		switch plain := strings.TrimSuffix(name, ".json"); {
		case filepath.Ext(plain) != ".tf" && filepath.Ext(plain) != ".tofu":
			continue
		case plain != name:
			file, problems = parser.ParseJSONFile(path)
		default:
			file, problems = parser.ParseHCLFile(path)
		}
		if problems.HasErrors() {
			return n, false
		}
		content, _, problems := file.Body.PartialContent(labelled("provider"))
		if problems.HasErrors() {
			return n, false
		}
		for _, block := range content.Blocks {
			aliased, _, problems := block.Body.PartialContent(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "alias"}}})
			if problems.HasErrors() || len(aliased.Attributes) > 0 {
				return n, false
			}
			n++
		}
	}
	return n, true
}
