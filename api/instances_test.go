package api_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/internal-app-portal/iap/api/apitest"
	"github.com/internal-app-portal/iap/client"
)

// deploy has the person deploy an app and returns the instance.
func deploy(t *testing.T, p *apitest.Portal, token, app string) client.Instance {
	t.Helper()
	resp, body := call(t, p, token, "POST", "/api/v1/instances", `{"app":"`+app+`","parameters":{"title":"Hi","key":"s3cret"}}`)
	if resp.StatusCode/100 != 2 {
		t.Fatalf("deploy: %d %s", resp.StatusCode, body)
	}
	var i client.Instance
	if err := json.Unmarshal([]byte(body), &i); err != nil {
		t.Fatal(err)
	}
	return i
}

func TestDeploy(t *testing.T) {
	p := apitest.New(t, nil)
	resp, body := call(t, p, apitest.JaneToken, "POST", "/api/v1/instances", `{"app":"slow","parameters":{"title":"Hi","key":"s3cret"}}`)
	if resp.StatusCode != http.StatusCreated {
		t.Fatalf("%d %s", resp.StatusCode, body)
	}
	location := resp.Header.Get("Location")
	var got map[string]any
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"id", "app", "version", "owner", "host_name", "status", "url", "created_at", "ends_at", "reason"} {
		if _, ok := got[key]; !ok {
			t.Errorf("no %q in %s", key, body)
		}
	}
	if got["owner"] != "jane@example.com" || got["url"] != "" || strings.Contains(body, "s3cret") || strings.Contains(body, "127.0.0.1") {
		t.Errorf("got %s", body)
	}
	if again, _ := call(t, p, apitest.JaneToken, "GET", location, ""); again.StatusCode != 200 {
		t.Errorf("GET %s: %d", location, again.StatusCode)
	}
	again, _ := call(t, p, apitest.JaneToken, "POST", "/api/v1/instances", `{"app":"slow"}`)
	if again.StatusCode != http.StatusOK || again.Header.Get("Location") != location {
		t.Errorf("again: %d %s", again.StatusCode, again.Header.Get("Location"))
	}
	resp, body = call(t, p, apitest.JaneToken, "POST", "/api/v1/instances", `{"app":"todo","parameters":{"title":""}}`)
	if bad := wantProblem(t, resp, body, 422); len(bad.Errors) != 1 || bad.Errors[0].Field != "parameters.title" {
		t.Errorf("got %+v", bad)
	}
}

func TestURLWhileRunningAlone(t *testing.T) {
	p := apitest.New(t, nil)
	i := deploy(t, p, apitest.JaneToken, "todo")
	_, body := call(t, p, apitest.JaneToken, "GET", "/api/v1/instances/"+i.ID, "")
	if !strings.Contains(body, `"url":"http://`+i.HostName+`.localhost:8080"`) {
		t.Errorf("no address: %s", body)
	}
	resp, body := call(t, p, apitest.JaneToken, "DELETE", "/api/v1/instances/"+i.HostName, "")
	if resp.StatusCode != http.StatusAccepted || !strings.Contains(body, `"status":"destroying"`) {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	_, body = call(t, p, apitest.JaneToken, "GET", "/api/v1/instances/"+i.ID, "")
	if !strings.Contains(body, `"url":""`) || !strings.Contains(body, `"left":[]`) || !strings.Contains(body, `"ended_by":"jane@example.com"`) {
		t.Errorf("got %s", body)
	}
}

func TestForeignInstanceIsNotThere(t *testing.T) {
	p := apitest.New(t, nil)
	i := deploy(t, p, apitest.JaneToken, "todo")
	var jobs client.List[client.Job]
	_, body := call(t, p, apitest.JaneToken, "GET", "/api/v1/instances/"+i.ID+"/jobs", "")
	if err := json.Unmarshal([]byte(body), &jobs); err != nil || len(jobs.Items) != 1 {
		t.Fatalf("%v %s", err, body)
	}
	id := jobs.Items[0].ID
	for _, path := range []string{"GET /instances/" + i.ID, "DELETE /instances/" + i.ID, "GET /instances/" + i.ID + "/events",
		"GET /instances/" + i.ID + "/progress", "GET /instances/" + i.ID + "/jobs", "GET /stream?instance=" + i.ID,
		"GET /jobs/" + id, "GET /jobs/" + id + "/log", "POST /jobs/" + id + "/cancel", "GET /stream?log=" + id + ":0"} {
		method, path, _ := strings.Cut(path, " ")
		resp, body := call(t, p, apitest.PaulToken, method, "/api/v1"+path, "")
		wantProblem(t, resp, body, 404)
		if strings.Contains(body, "jane") {
			t.Errorf("%s tells whose it is: %s", path, body)
		}
	}
	if resp, _ := call(t, p, apitest.AnnToken, "GET", "/api/v1/instances/"+i.ID, ""); resp.StatusCode != 200 {
		t.Errorf("an admin gets %d", resp.StatusCode)
	}
}

func TestListInstances(t *testing.T) {
	p := apitest.New(t, nil)
	jane := deploy(t, p, apitest.JaneToken, "todo")
	slow := deploy(t, p, apitest.JaneToken, "slow")
	ann := deploy(t, p, apitest.AnnToken, "todo")
	for _, c := range []struct {
		token, query string
		want         []string
	}{
		{apitest.JaneToken, "", []string{slow.ID, jane.ID}},
		{apitest.AnnToken, "", []string{ann.ID}},
		{apitest.AnnToken, "?all=true", []string{ann.ID, slow.ID, jane.ID}},
		{apitest.AnnToken, "?owner=jane@example.com", []string{slow.ID, jane.ID}},
		{apitest.JaneToken, "?owner=jane@example.com", []string{slow.ID, jane.ID}},
		{apitest.JaneToken, "?status=running,checking", []string{jane.ID}},
		{apitest.JaneToken, "?app=slow", []string{slow.ID}},
		{apitest.JaneToken, "?q=" + jane.HostName[:8], []string{jane.ID}},
		{apitest.JaneToken, "?limit=1", []string{slow.ID}},
		{apitest.JaneToken, "?limit=1&before=" + slow.ID, []string{jane.ID}},
	} {
		resp, body := call(t, p, c.token, "GET", "/api/v1/instances"+c.query, "")
		var got client.List[client.Instance]
		if err := json.Unmarshal([]byte(body), &got); err != nil || resp.StatusCode != 200 {
			t.Fatalf("%s: %d %v %s", c.query, resp.StatusCode, err, body)
		}
		var ids []string
		for _, i := range got.Items {
			ids = append(ids, i.ID)
		}
		if !slices.Equal(ids, c.want) {
			t.Errorf("%s: got %v, want %v", c.query, ids, c.want)
		}
		if strings.HasPrefix(c.query, "?limit=1") && got.Next != c.want[0] {
			t.Errorf("%s: next %q", c.query, got.Next)
		}
	}
	for _, query := range []string{"?all=true", "?owner=ann@example.com"} {
		resp, body := call(t, p, apitest.JaneToken, "GET", "/api/v1/instances"+query, "")
		wantProblem(t, resp, body, 403)
	}
}

func TestEventsAndProgress(t *testing.T) {
	p := apitest.New(t, nil)
	i := deploy(t, p, apitest.JaneToken, "todo")
	_, body := call(t, p, apitest.JaneToken, "GET", "/api/v1/instances/"+i.ID+"/events", "")
	var events client.List[client.Event]
	if err := json.Unmarshal([]byte(body), &events); err != nil {
		t.Fatal(err)
	}
	last := events.Items[len(events.Items)-1]
	var data client.Instance
	if err := json.Unmarshal(last.Data, &data); err != nil || data.Status != "running" || data.URL == "" {
		t.Errorf("%v: %s", err, last.Data)
	}
	if strings.Contains(body, "upstream") {
		t.Errorf("shows the address behind: %s", body)
	}
	_, body = call(t, p, apitest.JaneToken, "GET", "/api/v1/instances/"+i.ID+"/progress", "")
	if !strings.Contains(body, `"status":"running"`) || !strings.Contains(body, `"state":"done"`) {
		t.Errorf("got %s", body)
	}
}
