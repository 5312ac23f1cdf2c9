package server_test

import (
	"bytes"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/internal-app-portal/iap/client"
	"github.com/internal-app-portal/iap/server"
)

// awaitsBuild starts a portal of which anybody is the admin, and an execution that
// waits for a build; a target of kind task, as a rule for its owner leads to it.
func awaitsBuild(t *testing.T, when string, target client.TargetSettings) (s *server.Server, c *client.Client, x client.Execution, token string) {
	t.Helper()
	s = startServer(t, testConfig(t))
	c, err := client.New(s.URL(), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.AddTarget(t.Context(), client.AddTarget{Name: "build", Kind: "task", Settings: target}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.PutRule(t.Context(), "build", client.PutRule{When: when, Targets: []string{"build"}}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.PutStateMachine(t.Context(), "build", client.PutStateMachine{Definition: waitsForBuild}); err != nil {
		t.Fatal(err)
	}
	x, err = c.StartExecution(t.Context(), "build", client.StartExecution{})
	if err != nil {
		t.Fatal(err)
	}
	return s, c, x, eventually(t, c, func() (string, bool) {
		wanted, err := c.EventLog(t.Context(), client.EventFilter{Type: "workflow.build.wanted"})
		if err != nil || len(wanted.Items) == 0 {
			return "", false
		}
		_, after, _ := strings.Cut(string(wanted.Items[0].Data), `"token":"`)
		token, _, _ := strings.Cut(after, `"`)
		return token, token != ""
	})
}

// curl runs curl, as a build does.
func curl(t *testing.T, args ...string) {
	t.Helper()
	program, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("curl is not installed")
	}
	out, err := exec.CommandContext(t.Context(), program, append([]string{"--silent", "--show-error", "--fail-with-body"}, args...)...).CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte(`"number"`)) {
		t.Fatalf("%s, %v", out, err)
	}
}

func hasEnded(t *testing.T, c *client.Client, x client.Execution, status, with string) {
	t.Helper()
	x = eventually(t, c, func() (client.Execution, bool) {
		x, err := c.Execution(t.Context(), x.ID)
		return x, err == nil && x.Status != "RUNNING"
	})
	if x.Status != status || !strings.Contains(string(x.Output)+x.Error, with) {
		t.Errorf("it is %s with %s %s", x.Status, x.Output, x.Error)
	}
}

// TestGitHubActionsReports: the last step of a workflow, as docs/events.md has it.
func TestGitHubActionsReports(t *testing.T) {
	for ok, want := range map[string][2]string{"true": {"SUCCEEDED", `{"run":"42"}`}, "false": {"FAILED", "Build.Failed"}} {
		s, c, x, token := awaitsBuild(t, "event.type == 'ci.build.ended' && owner == 'local-admin'",
			client.TargetSettings{Token: "data.token", Output: "{'run': data.run}", Error: "data.ok ? '' : 'Build.Failed'"})
		curl(t, "--retry", "20", "--retry-all-errors", s.URL()+"/api/v1/events", "-H", "Content-Type: application/cloudevents+json",
			"-d", fmt.Sprintf(`{"specversion": "1.0", "id": "42", "source": "https://github.com/example/todo", "type": "ci.build.ended",
				"data": {"token": %q, "ok": %s, "run": "42"}}`, token, ok))
		hasEnded(t, c, x, want[0], want[1])
	}
}

// codeBuild is what EventBridge posts of a build to an API destination.
const codeBuild = `{"version":"0","id":"c030038d-8c4d-6141-9545-00ff7b7153EX","detail-type":"CodeBuild Build State Change","source":"aws.codebuild",
	"account":"123456789012","time":"2026-11-28T16:14:28Z","region":"us-west-2",
	"resources":["arn:aws:codebuild:us-west-2:123456789012:build/todo:8745a7a9-c340-456a-9166-edf953571bEX"],
	"detail":{"build-status":"%s","project-name":"todo","build-id":"arn:aws:codebuild:us-west-2:123456789012:build/todo:8745a7a9","additional-information":{
		"initiator":"iap","environment":{"image":"aws/codebuild/standard:5.0","type":"LINUX_CONTAINER","environment-variables":[
			{"name":"STAGE","type":"PLAINTEXT","value":"test"},{"name":"IAP_TASK","type":"PLAINTEXT","value":"%s"}]}},"current-phase":"COMPLETED"}}`

// TestCodeBuildReports by an API destination of EventBridge, as docs/events.md has it.
func TestCodeBuildReports(t *testing.T) {
	for status, want := range map[string][2]string{"SUCCEEDED": {"SUCCEEDED", "build/todo:8745a7a9"}, "STOPPED": {"FAILED", "Build.STOPPED"}} {
		s, c, x, token := awaitsBuild(t, "source == 'aws.codebuild' && data.detail['build-status'] in ['SUCCEEDED', 'FAILED', 'STOPPED']",
			client.TargetSettings{Output: "{'build': data.detail['build-id']}",
				Token: "data.detail['additional-information'].environment['environment-variables'].filter(v, v.name == 'IAP_TASK')[0].value",
				Error: "data.detail['build-status'] == 'SUCCEEDED' ? '' : 'Build.' + data.detail['build-status']"})
		curl(t, s.URL()+"/api/v1/events", "-H", "Content-Type: application/json; charset=utf-8", "-H", "User-Agent: Amazon/EventBridge/ApiDestinations",
			"-d", fmt.Sprintf(codeBuild, status, token))
		hasEnded(t, c, x, want[0], want[1])
	}
}
