package cli

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/zclconf/go-cty/cty"
)

// checkProvider looks for the configuration that names a mirror of providers:
// without one each new version of an app needs the registry.
func checkProvider(context.Context, *run) finding {
	f := finding{Check: "Docker provider", State: stateOK}
	var tried []string
	for _, path := range []string{os.Getenv("TF_CLI_CONFIG_FILE"), filepath.Join(".cache", "terraform.rc"), homeFile(".tofurc"), homeFile(".terraformrc")} {
		if path == "" {
			continue
		}
		if _, err := os.Stat(path); err == nil {
			f.Found = "taken as " + path + " says"
			if versions := mirrored(path); len(versions) > 0 {
				f.Found = "version " + strings.Join(versions, ", ") + ", " + f.Found
			}
			return f
		}
		tried = append(tried, path)
	}
	f.State, f.Found = stateWarn, "no mirror is configured: it will be downloaded from the registry"
	if env := os.Getenv("TF_CLI_CONFIG_FILE"); env != "" {
		f.Found = "TF_CLI_CONFIG_FILE names " + env + ", which does not exist; it will be downloaded from the registry"
	}
	f.Do = "run make setup, or put a provider_installation block into " + tried[len(tried)-1]
	return f
}

func homeFile(name string) string {
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, name)
}

// mirrored returns the versions of the Docker provider in the file-system
// mirrors that a configuration of Terraform names, oldest first.
func mirrored(path string) (versions []string) {
	file, diags := hclparse.NewParser().ParseHCLFile(path)
	if diags.HasErrors() {
		return nil
	}
	installation := &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "provider_installation"}}}
	mirror := &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "filesystem_mirror"}}}
	folder := &hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "path"}}}
	for _, b := range blocksOf(file.Body, installation) {
		for _, m := range blocksOf(b.Body, mirror) {
			content, _, _ := m.Body.PartialContent(folder)
			if a := content.Attributes["path"]; a != nil {
				if v, diags := a.Expr.Value(nil); !diags.HasErrors() && v.Type() == cty.String && !v.IsNull() {
					versions = append(versions, versionsIn(v.AsString())...)
				}
			}
		}
	}
	slices.Sort(versions)
	return slices.Compact(versions)
}

func blocksOf(body hcl.Body, schema *hcl.BodySchema) hcl.Blocks {
	content, _, _ := body.PartialContent(schema)
	return content.Blocks
}

// versionsIn looks for unpacked and packed providers, as "terraform providers
// mirror" lays them out.
func versionsIn(dir string) (versions []string) {
	unpacked, _ := filepath.Glob(filepath.Join(dir, "*", "kreuzwerker", "docker", "*", runtime.GOOS+"_"+runtime.GOARCH))
	for _, p := range unpacked {
		versions = append(versions, filepath.Base(filepath.Dir(p)))
	}
	const before = "terraform-provider-docker_"
	after := "_" + runtime.GOOS + "_" + runtime.GOARCH + ".zip"
	packed, _ := filepath.Glob(filepath.Join(dir, "*", "kreuzwerker", "docker", before+"*"+after))
	for _, p := range packed {
		versions = append(versions, strings.TrimSuffix(strings.TrimPrefix(filepath.Base(p), before), after))
	}
	return versions
}
