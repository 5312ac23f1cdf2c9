package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/client"
	"github.com/internal-app-portal/iap/event/delivery"
	"github.com/internal-app-portal/iap/server"
)

// bootFor starts a portal that ends with the test.
func bootFor(t *testing.T, cfg server.Config) *client.Client {
	t.Helper()
	s, c := boot(t, cfg)
	t.Cleanup(func() { _ = s.Stop(context.Background()) })
	return c
}

// lead adds a target, and a rule for one type of event that leads there.
func lead(t *testing.T, c *client.Client, typ, kind string, settings client.TargetSettings) {
	t.Helper()
	name := strings.ReplaceAll(typ, ".", "-")
	if _, err := c.AddTarget(t.Context(), client.AddTarget{Name: name, Kind: kind, Settings: settings}); err != nil {
		t.Fatal(err)
	}
	when := fmt.Sprintf("event.type == '%s'", typ)
	if _, _, err := c.PutRule(t.Context(), name, client.PutRule{When: when, Targets: []string{name}}); err != nil {
		t.Fatal(err)
	}
}

// tellOf sends an event with data.
func tellOf(t *testing.T, c *client.Client, typ string, data map[string]any) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"specversion": "1.0", "id": iap.NewID(time.Now()), "source": "/test", "type": typ, "data": data})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.SendEvents(t.Context(), body); err != nil {
		t.Fatal(err)
	}
}

// eventually looks whenever something has happened, until what it finds is right.
func eventually[T any](t *testing.T, c *client.Client, look func() (T, bool)) (found T) {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), testTimeout, errors.New("it took too long"))
	defer cancel()
	once := func() (err error) {
		var ok bool
		if found, ok = look(); ok {
			err = errSeen
		}
		return err
	}
	err := c.Follow(ctx, client.Follow{All: true, Opened: once, Event: func(client.Event) error { return once() }})
	if !errors.Is(err, errSeen) {
		t.Fatalf("it is %+v: %v", found, err)
	}
	return found
}

// TestEventStartsAndEndsAnExecution: one event starts an execution, which waits;
// another ends its task, which it names by the execution's ID.
func TestEventStartsAndEndsAnExecution(t *testing.T) {
	c := bootFor(t, testConfig(t))
	if _, _, err := c.PutStateMachine(t.Context(), "build", client.PutStateMachine{Definition: waitsForBuild}); err != nil {
		t.Fatal(err)
	}
	lead(t, c, "code.pushed", "execution", client.TargetSettings{Machine: "build", Input: "{'commit': data.commit}"})
	lead(t, c, "build.ended", "task", client.TargetSettings{Of: "data.execution", State: "Build", Output: "{'artifact': data.artifact}"})
	tellOf(t, c, "code.pushed", map[string]any{"commit": "4711"})
	x := eventually(t, c, func() (client.Execution, bool) {
		list, err := c.Executions(t.Context(), client.ExecutionFilter{StateMachine: "build"})
		if err != nil || len(list.Items) == 0 {
			return client.Execution{}, false
		}
		return list.Items[0], true
	})
	tellOf(t, c, "build.ended", map[string]any{"execution": x.ID, "artifact": "todo.zip"})
	x = eventually(t, c, func() (client.Execution, bool) {
		x, err := c.Execution(t.Context(), x.ID)
		return x, err == nil && x.Status != "RUNNING"
	})
	if x.Status != "SUCCEEDED" || string(x.Input) != `{"commit":"4711"}` || string(x.Output) != `{"artifact":"todo.zip"}` {
		t.Errorf("it is %s from %s to %s", x.Status, x.Input, x.Output)
	}
}

// deployed deploys a new app, and returns the instance with its first job.
func deployed(t *testing.T, c *client.Client, app string) (client.Instance, client.Job) {
	t.Helper()
	if _, _, err := c.AddApp(t.Context(), client.Upload{Manifest: []byte(inspectorApp(app)), SkipCertification: true}); err != nil {
		t.Fatal(err)
	}
	i, _, err := c.Deploy(t.Context(), deployOf(app))
	if err != nil {
		t.Fatal(err)
	}
	return i, eventually(t, c, func() (client.Job, bool) {
		jobs, err := c.JobsOf(t.Context(), i.ID)
		return append(jobs, client.Job{})[0], err == nil && len(jobs) > 0
	})
}

// TestEventEndsAJobAndAnInstance, whose engine is not there, so that its job waits.
func TestEventEndsAJobAndAnInstance(t *testing.T) {
	cfg := testConfig(t)
	cfg.DockerHost = "unix:///nonexistent/docker.sock"
	c := bootFor(t, cfg)
	lead(t, c, "job.failed", "task", client.TargetSettings{Of: "data.job", Error: "'Build.Failed'", Cause: "data.why"})
	lead(t, c, "interview.ended", "task", client.TargetSettings{Of: "data.instance"})
	i, j := deployed(t, c, "inspect")
	tellOf(t, c, "job.failed", map[string]any{"job": j.ID, "why": "the cluster is gone"})
	j = eventually(t, c, func() (client.Job, bool) {
		j, err := c.Job(t.Context(), j.ID)
		return j, err == nil && j.Status == "failed"
	})
	if j.Reason != "the cluster is gone" {
		t.Errorf("the job failed because %q", j.Reason)
	}
	i, _ = deployed(t, c, "interview")
	tellOf(t, c, "interview.ended", map[string]any{"instance": i.ID})
	i = eventually(t, c, func() (client.Instance, bool) {
		i, err := c.Instance(t.Context(), i.ID)
		return i, err == nil && i.EndReason != ""
	})
	if i.EndReason != "destroyed by an event" {
		t.Errorf("it ends because %q", i.EndReason)
	}
}

// TestEveryKindCanBeAdded: each kind of the table has a sender, and refuses what
// belongs to another.
func TestEveryKindCanBeAdded(t *testing.T) {
	cfg := testConfig(t)
	cfg.Events.Mail.Server, cfg.Events.Mail.From = "smtp.example.com", "portal@example.com"
	c := bootFor(t, cfg)
	settings := map[delivery.Kind]client.TargetSettings{
		delivery.Webhook: {URL: "https://example.com"}, delivery.Chat: {URL: "https://hooks.slack.com/services/x", Text: "data.text"},
		delivery.Mail: {To: []string{"ann@example.com"}}, delivery.Topic: {URL: "nats://events"},
		delivery.Execution: {Machine: "build"}, delivery.Task: {Token: "data.token"},
	}
	for _, k := range delivery.Kinds() {
		add := client.AddTarget{Name: string(k.Kind), Kind: string(k.Kind), Settings: settings[k.Kind]}
		x, err := c.AddTarget(t.Context(), add)
		if err != nil || (x.Secret != "") != k.Signed {
			t.Errorf("%s: %v, secret %q", k.Kind, err, x.Secret)
		}
		add.Name, add.Settings = "other", client.TargetSettings{}
		if _, err := c.AddTarget(t.Context(), add); err == nil || !strings.Contains(err.Error(), "missing") {
			t.Errorf("%s without settings: %v", k.Kind, err)
		}
		add.Settings = settings[k.Kind]
		add.Settings.State = "Build"
		if _, err := c.AddTarget(t.Context(), add); err == nil || !strings.Contains(err.Error(), "state") {
			t.Errorf("%s with a state: %v", k.Kind, err)
		}
	}
}
