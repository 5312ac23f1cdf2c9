package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/web"
	"github.com/internal-app-portal/iap/workflow"
)

const importMachine = `{"StartAt":"Each guest","States":{"Each guest":{"Type":"Map","Label":"guests","MaxConcurrency":5,"End":true,
	"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"Invite","States":{
		"Invite":{"Type":"Pass","End":true}}}}}}`

const inviteMachine = `{"StartAt":"Invite","States":{"Invite":{"Type":"Pass","End":true}}}`

// mapRun gives f an execution with a map run of n items that goes on, of which
// some have failed, and returns its IDs.
func (f *flows) mapRun(n int) (execution, run string) {
	ctx, actor := context.Background(), iap.Actor{ID: me, Role: iap.Admin}
	must := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	_, err := f.Save(ctx, actor, web.SaveMachine{Name: "import", Text: []byte(importMachine), New: true})
	must(err)
	execution, err = f.Start(ctx, actor, "import", "import-2026", json.RawMessage("["+strings.TrimSuffix(strings.Repeat("1,", n), ",")+"]"))
	must(err)
	must(f.rewind(execution, 4))
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range f.executions[execution].events {
		if e.Type == "MapRunStarted" {
			var d struct {
				Details struct {
					ARN string `json:"mapRunArn"`
				} `json:"mapRunStartedEventDetails"`
			}
			must(json.Unmarshal(e.Details, &d))
			run = d.Details.ARN[strings.LastIndexByte(d.Details.ARN, ':')+1:]
		}
	}
	failed, done := int64(2), int64(n/2)
	counts := asl.MapCounts{Running: int64(n) - failed - done, Succeeded: done, Failed: failed}
	two := int64(5)
	f.mapRuns = append(f.mapRuns, workflow.MapRun{ID: run, Execution: execution, Machine: "import", Label: "guests", State: "Each guest",
		Status: workflow.Running, MaxConcurrency: 5, ToleratedCount: &two, Items: counts, Children: counts, Total: int64(n), StartedAt: f.now().Add(-time.Minute)})
	for i := range n {
		id := iap.NewID(time.Now())
		x := &flow{Execution: web.Execution{Execution: workflow.Execution{ID: id, Name: fmt.Sprintf("guest-%03d", i), Input: json.RawMessage("1"), MapRun: run,
			StartedAt: f.now()}, Machine: "import", Text: []byte(inviteMachine)}}
		f.run(x)
		if int64(i) < failed {
			x.Status, x.Output, x.Error, x.Why = workflow.Failed, nil, "Guest.Unknown", "Execution is a child of a Map Run"
		}
		f.executions[id] = x
	}
	return execution, run
}

func (f *flows) MapRun(_ context.Context, _ iap.Actor, id string) (workflow.MapRun, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.mapRuns {
		if r.ID == id {
			return r, nil
		}
	}
	return workflow.MapRun{}, iap.Errorf("test", iap.NotFound, "there is no map run %q", id)
}

func (f *flows) MapRuns(_ context.Context, _ iap.Actor, execution string, _ int) (out []workflow.MapRun, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.mapRuns {
		if r.Execution == execution {
			out = append(out, r)
		}
	}
	return out, nil
}

func (f *flows) UpdateMapRun(ctx context.Context, a iap.Actor, id string, c workflow.MapRunChange) error {
	return f.changeMapRun(id, func(r *workflow.MapRun) {
		if c.MaxConcurrency != nil {
			r.MaxConcurrency = *c.MaxConcurrency
		}
		r.ToleratedPercentage = c.ToleratedPercentage
	})
}

// changeMapRun changes a map run and tells of it.
func (f *flows) changeMapRun(id string, change func(*workflow.MapRun)) error {
	var data []byte
	f.mu.Lock()
	for i := range f.mapRuns {
		if f.mapRuns[i].ID == id {
			change(&f.mapRuns[i])
			data, _ = json.Marshal(map[string]string{"id": id, "execution": f.mapRuns[i].Execution})
		}
	}
	f.mu.Unlock()
	return f.log.Append(context.Background(), &event.Event{Source: "/map-runs", Type: event.MapRunChanged, Subject: id, Group: id,
		Owner: event.AdminsOnly, Time: f.now(), Data: data})
}

func TestMapRunPage(t *testing.T) {
	p := startFlows(t)
	execution, run := p.flows.mapRun(60)
	page := p.get("/executions/" + execution)
	for _, want := range []string{`href="/map-runs/` + run + `">Map run of Each guest`, "30 of 60 items succeeded", "2 did not", `<td class="why"><a href="/map-runs/` + run} {
		if !strings.Contains(page, want) {
			t.Errorf("the execution's page has no %q", want)
		}
	}
	if panel := p.get("/executions/" + execution + "/state?state=Each+guest"); !strings.Contains(panel, "/map-runs/"+run) {
		t.Error("the state's panel does not lead to the map run")
	}
	if strings.Contains(page, "&#34;total&#34;") {
		t.Error("the graph counts the items of a map run, which its history does not tell")
	}
	page = p.get("/map-runs/" + run)
	for _, want := range []string{"Map run of Each guest", `sse-swap="maprun-` + run, `value="53"`, `name="max_concurrency" min="0" step="1" value="5"`,
		`name="tolerated_failure_count" min="0" step="1" value="5"`, "guest-059", "Older", "import-2026"} {
		if !strings.Contains(page, want) {
			t.Errorf("the map run's page has no %q", want)
		}
	}
	page = p.get("/map-runs/" + run + "?status=FAILED")
	if strings.Count(page, "guest-0") != 2 || strings.Contains(page, "Older") {
		t.Error("the list of those that failed is another")
	}
	_, child, _ := strings.Cut(page, `class="row-link" href="`)
	child, _, _ = strings.Cut(child, `"`)
	page = p.get(child)
	for _, want := range []string{`child of <a href="/map-runs/` + run, `Invite`, "Execution is a child of a Map Run"} {
		if !strings.Contains(page, want) {
			t.Errorf("the child's page has no %q", want)
		}
	}
	if strings.Contains(page, "Each guest") {
		t.Error("the child's page shows the whole machine")
	}
	if res, _ := p.do("GET", "/map-runs/none", "", nil); res.StatusCode != 404 {
		t.Error(res.Status)
	}
	res, body := p.do("POST", "/map-runs/"+run, "", url.Values{"max_concurrency": {"x"}})
	if res.StatusCode != 422 && res.StatusCode != 400 || !strings.Contains(body, "whole number") || !strings.Contains(strings.ToLower(body), "executions at once") {
		t.Errorf("%s: %.200s", res.Status, body)
	}
	p.do("POST", "/map-runs/"+run, "", url.Values{"max_concurrency": {"9"}, "tolerated_failure_percentage": {"12.5"}, "tolerated_failure_count": {""}})
	if page = p.get("/map-runs/" + run); !strings.Contains(page, `step="1" value="9"`) || !strings.Contains(page, `value="12.5"`) {
		t.Error("the limits were not changed")
	}
}
