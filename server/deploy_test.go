package server_test

import (
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	moby "github.com/moby/moby/client"

	"github.com/internal-app-portal/iap/client"
	"github.com/internal-app-portal/iap/instance"
)

func TestDeployUseDestroy(t *testing.T) {
	needDocker(t)
	p := startPortal(t, testConfig(t))
	for _, app := range []string{"todo", "whiteboard", "inspector"} {
		t.Run(app, func(t *testing.T) {
			i := p.deploy(app, nil)
			if status, _ := get(t, i.URL); status != 200 {
				t.Errorf("%s answers %d", i.URL, status)
			}
			if len(resources(t, i.ID)) < 1 {
				t.Error("a container should be there")
			}
			i = p.destroy(i.ID)
			if i.Status != client.StatusDestroyed || i.Receipt == nil || len(i.Receipt.Left) != 0 {
				t.Errorf("got %s", toJSON(i))
			}
			if left := resources(t, i.ID); len(left) != 0 {
				t.Errorf("left behind: %v", left)
			}
			if status, body := get(t, p.appURL(i)); status != 410 || !strings.Contains(body, "destroyed") {
				t.Errorf("after its end the host answers %d", status)
			}
		})
	}
}

// appURL is the address of an instance whatever its status.
func (p *portal) appURL(i client.Instance) string {
	return strings.Replace(p.URL(), "localhost", i.HostName+".localhost", 1)
}

// TestHowAnAppIsKept: what Docker says of the container of an app that is only an
// image, and of its network.
func TestHowAnAppIsKept(t *testing.T) {
	needDocker(t)
	p := startPortal(t, testConfig(t))
	i, _, err := p.Deploy(t.Context(), client.DeployRequest{App: "inspector"})
	if err != nil {
		t.Fatal(err)
	}
	i = p.waitFor(t.Context(), i.ID, is(client.StatusRunning))
	c, err := moby.New(moby.FromEnv)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	found, err := c.ContainerInspect(t.Context(), i.HostName, moby.ContainerInspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	box, host := found.Container, found.Container.HostConfig
	for name, right := range map[string]bool{
		"labels": box.Config.Labels[instance.LabelInstance] == i.ID && box.Config.Labels[instance.LabelHostName] == i.HostName &&
			box.Config.Labels[instance.LabelApp] == "inspector" && box.Config.Labels[instance.LabelOwner] == i.Owner,
		"memory":         host.Memory > 0 && host.MemorySwap == host.Memory,
		"processors":     host.NanoCPUs > 0,
		"processes":      host.PidsLimit != nil && *host.PidsLimit > 0,
		"privileges":     !host.Privileged && slices.Contains(host.SecurityOpt, "no-new-privileges:true") && slices.Contains(host.CapDrop, "ALL"),
		"read-only root": host.ReadonlyRootfs,
		"mounts":         len(host.Binds) == 0,
	} {
		if !right {
			t.Errorf("%s: %s", name, toJSON(host))
		}
	}
	for port, bindings := range host.PortBindings {
		for _, b := range bindings {
			if b.HostIP.String() != "127.0.0.1" {
				t.Errorf("port %v is published at %s", port, b.HostIP)
			}
		}
	}
	networks := slices.Collect(maps.Keys(box.NetworkSettings.Networks))
	if len(networks) != 1 {
		t.Fatalf("the container is in %q", networks)
	}
	net, err := c.NetworkInspect(t.Context(), networks[0], moby.NetworkInspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if n := net.Network; len(n.Containers) != 1 || n.Labels[instance.LabelMadeBy] != instance.MadeByPortal ||
		n.Labels[instance.LabelPortal] != box.Config.Labels[instance.LabelPortal] {
		t.Errorf("its network is %s", toJSON(n))
	}
	if i = p.destroy(i.ID); len(i.Receipt.Left)+len(i.Receipt.Removed)+len(resources(t, i.ID)) != 0 {
		t.Errorf("the receipt is %s", toJSON(i.Receipt))
	}
}

func TestFiftyClicksGiveOneInstance(t *testing.T) {
	needDocker(t)
	p := startPortal(t, testConfig(t))
	var mu sync.Mutex
	ids, created := map[string]int{}, 0
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			i, first, err := p.Deploy(t.Context(), client.DeployRequest{App: "inspector"})
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
				return
			}
			ids[i.ID]++
			if first {
				created++
			}
		})
	}
	all.Wait()
	if len(ids) != 1 || created != 1 {
		t.Fatalf("%d instances, %d of them created: %v", len(ids), created, ids)
	}
	for id := range ids {
		p.waitFor(t.Context(), id, is(client.StatusRunning))
		if n := containers(t, id); n != 1 {
			t.Errorf("%d containers", n)
		}
	}
}

func TestDestroyWhileDeploying(t *testing.T) {
	needDocker(t)
	p := startPortal(t, testConfig(t))
	for _, when := range []string{client.StatusQueued, client.StatusDeploying, client.StatusChecking} {
		t.Run(when, func(t *testing.T) {
			p.addApp(inspectorApp("slow-"+when, `environment: {START_DELAY: 5s}`))
			i, _, err := p.Deploy(t.Context(), client.DeployRequest{App: "slow-" + when})
			if err != nil {
				t.Fatal(err)
			}
			if when != client.StatusQueued {
				p.waitFor(t.Context(), i.ID, is(when))
			}
			i = p.destroy(i.ID)
			if i.Status != client.StatusDestroyed || i.EndedBy == "" {
				t.Errorf("got %s", toJSON(i))
			}
			if left := resources(t, i.ID); len(left) != 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestADeployThatFailsIsCleanedUpAndSaysWhy(t *testing.T) {
	needDocker(t)
	p := startPortal(t, testConfig(t))
	for _, c := range []struct{ slug, manifest, want, at string }{
		{"exits", inspectorApp("exits", `environment: {FAIL_AT_START: "1"}`), "exited with code 3", "Apply or Check health"},
		{"ill", inspectorApp("ill", `environment: {UNHEALTHY: "1"}`), "503", "Check health"},
		{"no-image", "slug: no-image\nname: No image\nimage: iap-example-there-is-none:1\nport: 8080\n", "iap-example-there-is-none", "Apply"},
	} {
		t.Run(c.slug, func(t *testing.T) {
			p.addApp(strings.Replace(c.manifest, "deadline: 10s", "deadline: 1s", 1))
			i, _, err := p.Deploy(t.Context(), client.DeployRequest{App: c.slug})
			if err != nil {
				t.Fatal(err)
			}
			i = p.waitFor(t.Context(), i.ID, client.Instance.Ended)
			if i.Status != client.StatusDeployFailed || !strings.Contains(i.Reason, c.want) {
				t.Errorf("got %s: %s", i.Status, i.Reason)
			}
			if got := failedStates(t, p.URL(), i.ID); len(got) != 1 || !strings.Contains(c.at, got[0]) {
				t.Errorf("the lifecycle shows %q as failed; want %q", got, c.at)
			}
			if left := resources(t, i.ID); len(left) != 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// failedStates reads the names of the failed states off an instance's page.
func failedStates(t *testing.T, portal, id string) (names []string) {
	t.Helper()
	resp, err := http.Get(portal + "/instances/" + id + "/panel/lifecycle")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`<li class="(?:failed|caught) [^>]*>.*?class="state-name"[^>]*>([^<]*)<.*?class="state-note failed">[^<]+<`).FindAllStringSubmatch(string(page), -1) {
		names = append(names, m[1])
	}
	return names
}

func TestAContainerThatExitsLaterIsTold(t *testing.T) {
	needDocker(t)
	p := startPortal(t, testConfig(t))
	i := p.deploy("inspector", nil)
	if resp, err := (&http.Client{Transport: loopbackTransport()}).Get(i.URL + "/exit?code=7"); err == nil {
		resp.Body.Close() // it may as well die before it has answered
	}
	i = p.waitFor(t.Context(), i.ID, func(i client.Instance) bool { return i.Reason != "" })
	if i.Status != client.StatusRunning || !strings.Contains(i.Reason, "code 7") {
		t.Errorf("got %s: %s", i.Status, i.Reason)
	}
	if status, _ := get(t, i.URL); status != 502 {
		t.Errorf("its host answers %d", status)
	}
	if i = p.destroy(i.ID); i.Status != client.StatusDestroyed {
		t.Errorf("it ended as %s", i.Status)
	}
}
