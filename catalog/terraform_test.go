package catalog_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/catalog"
	"github.com/internal-app-portal/iap/platform/docker"
)

// bundleOf packs Terraform files; main.tf gets the output that must be there.
func bundleOf(t *testing.T, files map[string]string) []byte {
	t.Helper()
	m := fstest.MapFS{"outputs.tf": {Data: []byte(goodTF)}}
	for name, text := range files {
		m[name] = &fstest.MapFile{Data: []byte(text)}
	}
	data, err := catalog.Pack(m)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestBuiltInBundlePasses(t *testing.T) {
	data, err := catalog.Pack(docker.BuiltIn())
	if err != nil {
		t.Fatal(err)
	}
	if err := catalog.CheckBundle(data, catalog.Manifest{}, nil); err != nil {
		t.Error(err)
	}
}

func TestTerraformThatIsRight(t *testing.T) {
	files := map[string]string{
		"main.tf": `
terraform {
  required_version = ">= 1.6"
  required_providers {
    docker = { source = "kreuzwerker/docker", version = ">= 3.0" }
    rnd    = { source = "registry.terraform.io/hashicorp/random" }
  }
}
provider "docker" {}
variable "host_name" { type = string }
variable "title" { type = string }
variable "own" { default = 5 }
locals { page = templatefile("${path.module}/page.tmpl", { title = var.title }) }
resource "docker_container" "app" {
  name  = var.host_name
  image = file("${path.module}/image.txt")
}
resource "terraform_data" "x" {}
resource "random_pet" "x" { provider = rnd }
module "net" { source = "./modules/net" }
check "up" {
  data "docker_network" "x" { name = "x" }
  assert {
    condition     = true
    error_message = "no"
  }
}
moved {
  from = docker_container.old
  to   = docker_container.app
}`,
		"page.tmpl":           "<h1>${title}</h1>%{ if true }${upper(title)}%{ endif }",
		"image.txt":           "todo:1",
		"modules/net/main.tf": `resource "docker_network" "x" { name = "x" }` + "\nterraform {\n" + `required_providers { docker = { source = "kreuzwerker/docker" } }` + "\n}",
		"more.tf.json":        `{"locals": {"y": "${var.title}"}, "variable": {"z": {"default": 1}}}`,
	}
	if err := catalog.CheckBundle(bundleOf(t, files), catalog.Manifest{Parameters: []catalog.Parameter{{Name: "title"}}}, nil); err != nil {
		t.Error(err)
	}
}

func TestTerraformThatIsRefused(t *testing.T) {
	for _, c := range []struct{ name, text, words string }{
		{"main.tf", "\nterraform {\n  backend \"local\" {}\n}", "remove the backend block"},
		{"main.tf", "\nterraform {\n  cloud {\n  organization = \"x\" \n} \n}", "remove the cloud block"},
		{"main.tf", "\nterraform {\n  encryption {\n key_provider \"external\" \"x\" { command = [\"sh\"] }\n} \n}", "remove the encryption block"},
		{"main.tofu", "\nterraform {\n  backend \"local\" {}\n}", "remove the backend block"},
		{"main.tf.json", "\n{\"terraform\":\n {\"backend\": {\"local\": {}}}}", "remove the backend block"},
		{"mod/main.tf", "\nterraform {\n  backend \"local\" {}\n}", "remove the backend block"},
		{"main.tf", "\nresource \"terraform_data\" \"x\" {\n  provisioner \"local-exec\" {\n command = \"id\" \n}\n}", "remove the provisioner block"},
		{"main.tf.json", "\n{\"resource\": {\"terraform_data\": {\"x\":\n {\"provisioner\": {\"local-exec\": {\"command\": \"id\"}}}}}}", "remove the provisioner block"},
		{"main_override.tf", "\nresource \"null_resource\" \"x\" {\n  connection {}\n}", "remove the connection block"},
		{"main.tf", "\n\ndata \"external\" \"x\" { program = [\"sh\"] }", "provider hashicorp/external is not allowed"},
		{"main.tf", "\n\ndata \"http\" \"x\" { url = \"x\" }", "hashicorp/http is not allowed; want kreuzwerker/docker"},
		{"main.tf", "\n\nresource \"local_file\" \"x\" {}", "hashicorp/local is not allowed"},
		{"main.tf", "\nterraform {\n required_providers { docker = { source = \"evil/docker\" } }\n}", "evil/docker is not allowed"},
		{"main.tf", "\nterraform {\n required_providers { random = { source = \"evil.example.com/hashicorp/random\" } }\n}", "evil.example.com/hashicorp/random"},
		{"main.tf", "\nterraform {\n required_providers { terraform = { source = \"evil/terraform\" } }\n}", "evil/terraform"},
		{"main.tf", "\nresource \"docker_container\" \"x\" {\n provider = evil.x\n}", "hashicorp/evil"},
		{"main.tf", "\n\nprovider \"aws\" {}", "hashicorp/aws"},
		{"main.tf", "\nprovider \"docker\" {\n host = \"ssh://x\"\n}", "remove host"},
		{"main.tf", "\nmodule \"x\" {\n source = \"registry.example.com/x/y/z\"\n}", "not in the bundle"},
		{"main.tf", "\nmodule \"x\" {\n source = \"git::https://evil\"\n}", "not in the bundle"},
		{"main.tf", "\nmodule \"x\" {\n source = \"./../..\"\n}", "not in the bundle"},
		{"main.tf", "\nmodule \"x\" {\n source = \"/etc\"\n}", "not in the bundle"},
		{"main.tf", "\nmodule \"x\" {\n source = \"./none\"\n}", "no module in the folder"},
		{"main.tf", "\nmodule \"x\" {\n source = var.title\n}", "plain text"},
		{"main.tf", "\n\nimport {\n to = docker_container.x\n id = \"x\"\n}", "\"import\""},
		{"main.tf", "\n\nremoved {\n from = docker_container.x\n}", "\"removed\""},
		{"main.tf", "\n\nephemeral \"x\" \"y\" {}", "\"ephemeral\""},
		{"main.tf", "\n\naction \"x\" \"y\" {}", "\"action\""},
		{"main.tf", "\n\ndata \"terraform_remote_state\" \"x\" { backend = \"local\" }", "terraform_remote_state"},
		{"main.tf", "check \"x\" {\n\n data \"external\" \"x\" {}\n}", "hashicorp/external"},
		{"main.tf", "\n\nlocals { x = file(\"/etc/passwd\") }", "files of the bundle only"},
		{"main.tf", "\n\nlocals { x = core::file(\"/etc/passwd\") }", "files of the bundle only"},
		{"main.tf", "\n\nlocals { x = filebase64(\"../x\") }", "files of the bundle only"},
		{"main.tf", "\n\nlocals { x = file(\"${path.module}/../x\") }", "files of the bundle only"},
		{"main.tf", "\n\nlocals { x = file(\"${path.cwd}/x\") }", "files of the bundle only"},
		{"main.tf", "\n\nlocals { x = [for f in [1] : upper(file(var.title))] }", "files of the bundle only"},
		{"main.tf", "\n\nlocals { x = fileset(\"/\", \"*\") }", "files of the bundle only"},
		{"main.tf", "\n\nlocals { x = templatefile(\"${path.module}/none\", {}) }", "has no file"},
		{"main.tf", "\n\nlocals { x = templatestring(local.y, {}) }", "templatestring"},
		{"main.tf", "\n\nvariable \"secret\" {}", "nothing sets the variable \"secret\""},
		{"main.tf", "\n\nvariable \"titel\" {}", "did you mean \"title\"?"},
		{"main.tf", "\n\nthis is not HCL", "bundle/main.tf"},
		{"main.tf", "\n\nx = 1", "bundle/main.tf"},
	} {
		err := catalog.CheckBundle(bundleOf(t, map[string]string{c.name: c.text}), catalog.Manifest{Parameters: []catalog.Parameter{{Name: "title"}}}, nil)
		refused(t, c.text, err, "bundle/"+c.name, c.words)
		if err != nil && !strings.Contains(err.Error(), "(line 3)") {
			t.Errorf("%q: the line is not 3: %v", c.text, err)
		}
	}
}

func TestTemplatesAreReadToo(t *testing.T) {
	err := catalog.CheckBundle(bundleOf(t, map[string]string{
		"main.tf": `locals { x = templatefile("${path.module}/x.tmpl", {}) }`, "x.tmpl": "a\nb ${file(\"/etc/passwd\")}",
	}), catalog.Manifest{}, nil)
	refused(t, "template", err, "bundle/x.tmpl", "(line 2)")
	err = catalog.CheckBundle(bundleOf(t, map[string]string{"x.tf.json": `{"locals": {"x": "${\u0066ile(\"/etc/passwd\")}"}}`}), catalog.Manifest{}, nil)
	refused(t, "JSON", err, "bundle/x.tf.json", "cannot be checked")
}

func TestOutputMustBeThere(t *testing.T) {
	for _, files := range []fstest.MapFS{
		{"main.tf": {Data: []byte("locals {}")}},
		{"mod/main.tf": {Data: []byte(goodTF)}, "main.tf": {Data: []byte("locals {}")}},
	} {
		data, err := catalog.Pack(files)
		if err != nil {
			t.Fatal(err)
		}
		refused(t, "output", catalog.CheckBundle(data, catalog.Manifest{}, nil), "bundle", `output "upstream"`)
	}
	data, err := catalog.Pack(fstest.MapFS{"mod/main.tf": {Data: []byte(goodTF)}})
	if err != nil {
		t.Fatal(err)
	}
	refused(t, "folder", catalog.CheckBundle(data, catalog.Manifest{}, nil), "bundle", "no .tf file")
}

func TestAllFaultsOfABundleAtOnce(t *testing.T) {
	err := catalog.CheckBundle(bundleOf(t, map[string]string{
		"a.tf": "terraform {\n backend \"x\" {}\n}\n", "b.tf": "variable \"x\" {}\ndata \"external\" \"x\" {}\n",
	}), catalog.Manifest{}, nil)
	if got := len(iap.Fields(err)); got != 3 {
		t.Errorf("%d faults, want 3: %v", got, err)
	}
}

func TestProvidersCanBeChosen(t *testing.T) {
	data := bundleOf(t, map[string]string{"main.tf": `resource "aws_instance" "x" {}`})
	if err := catalog.CheckBundle(data, catalog.Manifest{}, []string{"registry.opentofu.org/hashicorp/aws"}); err != nil {
		t.Error(err)
	}
}

// TestTheVariableOfTheNetwork: a bundle is told of a network when its app asks for
// that, and then it declares where it takes that in.
func TestTheVariableOfTheNetwork(t *testing.T) {
	declares := bundleOf(t, map[string]string{"main.tf": "variable \"network\" {}"})
	silent := bundleOf(t, nil)
	elsewhere := bundleOf(t, map[string]string{"sub/main.tf": "variable \"network\" {}"})
	portal := catalog.Manifest{Network: catalog.NetworkPortal}
	if err := catalog.CheckBundle(declares, portal, nil); err != nil {
		t.Error(err)
	}
	for _, bundle := range [][]byte{silent, elsewhere} {
		refused(t, "it says nothing", catalog.CheckBundle(bundle, portal, nil), "bundle", `declares no variable "network"`)
	}
	for _, m := range []catalog.Manifest{{}, {Network: catalog.NetworkBundle}} {
		refused(t, "nobody sets it", catalog.CheckBundle(declares, m, nil), "bundle/main.tf", `nothing sets the variable "network"`)
	}
	own := catalog.Manifest{Parameters: []catalog.Parameter{{Name: "network", Type: catalog.TypeString}}}
	if err := catalog.CheckBundle(declares, own, nil); err != nil {
		t.Errorf("a parameter of the name: %v", err)
	}
}
