package server_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	moby "github.com/moby/moby/client"

	"github.com/internal-app-portal/iap/catalog"
	"github.com/internal-app-portal/iap/client"
	"github.com/internal-app-portal/iap/instance"
)

// contract are the variables of a bundle and a network, so that there is
// something to destroy.
const contract = `
terraform {
  required_providers {
    docker = { source = "kreuzwerker/docker" }
  }
}
variable "host_name" { type = string }
variable "resource_name" { type = string }
variable "instance_id" { type = string }
variable "image" { type = string }
variable "port" { type = number }
variable "environment" { type = map(string) }
variable "labels" { type = map(string) }
variable "limits" { type = any }
variable "read_only_root" { type = bool }
resource "docker_network" "app" {
  name = var.resource_name
  dynamic "labels" {
    for_each = var.labels
    content {
      label = labels.key
      value = labels.value
    }
  }
}
`

// stuck is a container that starts and for which the provider waits for ever.
const stuck = `
resource "docker_container" "app" {
  name         = var.resource_name
  image        = var.image
  network_mode = docker_network.app.name
  wait         = true
  wait_timeout = 600
  healthcheck {
    test     = ["CMD", "/none"]
    interval = "10m"
  }
  dynamic "labels" {
    for_each = var.labels
    content {
      label = labels.key
      value = labels.value
    }
  }
}
output "upstream" { value = "http://127.0.0.1:80" }
`

// deployBundle adds an app with a bundle of its own and clicks.
func (p *portal) deployBundle(slug, text string) client.Instance {
	p.t.Helper()
	zip, err := catalog.Pack(fstest.MapFS{"main.tf": {Data: []byte(contract + text)}})
	if err != nil {
		p.t.Fatal(err)
	}
	upload := client.Upload{Manifest: []byte(inspectorApp(slug, "bundle: bundle")), Bundle: zip, SkipCertification: true}
	if _, _, err := p.AddApp(p.t.Context(), upload); err != nil {
		p.t.Fatal(err)
	}
	i, _, err := p.Deploy(p.t.Context(), deployOf(slug))
	if err != nil {
		p.t.Fatal(err)
	}
	return i
}

// wantFailed waits for the end of a deploy that must fail, be cleaned up, and
// say why.
func (p *portal) wantFailed(i client.Instance, why ...string) {
	p.t.Helper()
	i = p.waitFor(p.t.Context(), i.ID, func(i client.Instance) bool { return i.Status == client.StatusRunning || i.Ended() })
	for _, part := range why {
		if i.Status != client.StatusDeployFailed || !strings.Contains(i.Reason, part) {
			p.t.Errorf("%s: got %s: %q, want %q", i.App, i.Status, i.Reason, part)
		}
	}
	if left := resources(p.t, i.ID); len(left) != 0 {
		p.t.Errorf("%s: left behind: %v", i.App, left)
	}
}

// published returns the port of an instance on this machine.
func published(t *testing.T, id string) int {
	t.Helper()
	c, err := moby.New(moby.FromEnv)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	f := make(moby.Filters).Add("label", instance.LabelInstance+"="+id)
	list, err := c.ContainerList(t.Context(), moby.ContainerListOptions{Filters: f})
	if err != nil || len(list.Items) != 1 || len(list.Items[0].Ports) != 1 {
		t.Fatalf("%+v, %v", list, err)
	}
	return int(list.Items[0].Ports[0].PublicPort)
}

// TestOutputsThatCannotBe: a bundle whose output is not the instance's address
// is destroyed again, and the person is told why.
func TestOutputsThatCannotBe(t *testing.T) {
	needDocker(t)
	p := startPortal(t, testConfig(t))
	other := published(t, p.deploy("inspector", nil).ID)
	_, own := address(t, p)
	cases := map[string]struct{ output, why string }{
		"missing":   {`value = null`, `no output "upstream"`},
		"number":    {`value = [1]`, "must be a string"},
		"file":      {`value = "file:///etc/passwd"`, "http address"},
		"metadata":  {`value = "http://169.254.169.254/latest"`, "not on this machine's own address"},
		"neighbour": {fmt.Sprintf(`value = "http://127.0.0.1:%d"`, other), "not published by a running container of this instance"},
		"own":       {fmt.Sprintf(`value = "http://127.0.0.1:%s"`, own), "not published by a running container of this instance"},
		"secret":    {"value = \"http://127.0.0.1:80\"\n  sensitive = true", "is sensitive"},
		"large":     {`value = join("", [for i in range(1024) : join("", [for j in range(512) : "0123456789"])])`, "above the limit"},
	}
	deployed := map[string]client.Instance{}
	for name, c := range cases {
		deployed[name] = p.deployBundle("bad-"+name, "output \"upstream\" {\n  "+c.output+"\n}\n")
	}
	for name, i := range deployed {
		p.wantFailed(i, cases[name].why, "upstream")
	}
}

// TestApplyByHalf: what was made before the fault is destroyed.
func TestApplyByHalf(t *testing.T) {
	needDocker(t)
	p := startPortal(t, testConfig(t))
	p.wantFailed(p.deployBundle("half", `
resource "docker_container" "app" {
  name       = var.resource_name
  image      = "iap-example-there-is-none:1"
  depends_on = [docker_network.app]
}
output "upstream" { value = "http://127.0.0.1:80" }
`), "docker_container.app", "iap-example-there-is-none")
}

// untilStarted waits until a container of an app starts.
func untilStarted(t *testing.T, app string, click func()) {
	t.Helper()
	c, err := moby.New(moby.FromEnv)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	f := make(moby.Filters).Add("label", instance.LabelApp+"="+app).Add("event", "start")
	events := c.Events(ctx, moby.EventsListOptions{Filters: f, Since: strconv.FormatInt(time.Now().Unix(), 10)})
	click()
	select {
	case <-events.Messages:
	case err := <-events.Err:
		t.Fatal(err)
	}
}

// TestProviderThatCrashes: the provider dies after it made a container of which
// no state tells.
func TestProviderThatCrashes(t *testing.T) {
	needDocker(t)
	cfg := testConfig(t)
	p := startPortal(t, cfg)
	slug := fmt.Sprintf("crash-%d", os.Getpid())
	var i client.Instance
	untilStarted(t, slug, func() { i = p.deployBundle(slug, stuck) })
	killed := 0
	folders, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		cwd, _ := os.Readlink(folder)
		name, _ := os.ReadFile(filepath.Join(filepath.Dir(folder), "comm"))
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(folder))); err == nil && strings.HasPrefix(cwd, cfg.Data+"/jobs/") && strings.HasPrefix(string(name), "terraform-provi") {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			killed++
		}
	}
	if killed == 0 {
		t.Fatal("no provider was found")
	}
	p.wantFailed(i, "lugin")
}

// TestProviderThatHangs: the time for a job is limited.
func TestProviderThatHangs(t *testing.T) {
	needDocker(t)
	cfg := testConfig(t)
	cfg.JobTimeout = 4 * time.Second
	p := startPortal(t, cfg)
	p.wantFailed(p.deployBundle("hangs", stuck), "4s")
}
