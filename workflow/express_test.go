package workflow_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/workflow"
)

func (h *house) target(t *testing.T, name string, log bool) workflow.Target {
	t.Helper()
	target, err := h.machines.Resolve(t.Context(), workflow.MachineARN(name))
	if err != nil {
		t.Fatal(err)
	}
	target.Log = log
	return target
}

func TestExpressExecutions(t *testing.T) {
	h := newHouse(t)
	h.create(t, "m", "EXPRESS", tryState)
	h.works <- `{"b":2}`
	x, err := h.express.StartSync(t.Context(), workflow.ExpressRequest{Target: h.target(t, "m", false), Name: "n", Input: json.RawMessage(`{"in":1}`), Owner: "ann"})
	if err != nil || x.Status != workflow.Succeeded || string(x.Output) != `{"b":2}` || len(x.History) == 0 || x.Billed() <= 0 {
		t.Fatalf("%+v, %v", x, err)
	}
	if !strings.HasPrefix(x.ARN, "arn:iap:states:::express:m:n:") {
		t.Errorf("its ARN is %s", x.ARN)
	}
	if c := <-h.tried; c.Owner != "ann" || string(c.Input) != `{"in":1}` {
		t.Errorf("the task was called with %+v", c)
	}
	kept, err := h.express.Get(x.ARN)
	if err != nil || kept.Status != workflow.Succeeded || kept.Input != nil || kept.History != nil {
		t.Errorf("without logging this is remembered: %+v, %v", kept, err)
	}
	h.works <- ""
	failed, err := h.express.StartSync(t.Context(), workflow.ExpressRequest{Target: h.target(t, "m", true), Input: json.RawMessage(`{}`)})
	if err != nil || failed.Status != workflow.Failed || failed.Error != "Test.Broken" {
		t.Errorf("%+v, %v", failed, err)
	}
	if kept, err := h.express.Get(failed.ID); err != nil || len(kept.History) == 0 || string(kept.Input) != `{}` {
		t.Errorf("with logging this is remembered: %+v, %v", kept, err)
	}
	list := h.express.List("m", 10)
	if len(list) != 2 || list[0].ID != failed.ID || list[1].ID != x.ID {
		t.Errorf("the list is %+v", list)
	}
	if c := h.express.Counts(); c.Running != 0 || c.Ended[workflow.Succeeded] != 1 || c.Ended[workflow.Failed] != 1 {
		t.Errorf("the counts are %+v", c)
	}
}

func TestExpressHandlersOfTheCommit(t *testing.T) {
	h := newHouse(t)
	h.create(t, "child", "STANDARD", holdState)
	h.create(t, "m", "EXPRESS", nested("", "child", ""))
	x, err := h.express.StartSync(t.Context(), workflow.ExpressRequest{Target: h.target(t, "m", false), Input: json.RawMessage(`{}`), Owner: "ann"})
	if err != nil || x.Status != workflow.Succeeded {
		t.Fatalf("%+v, %v", x, err)
	}
	if c := <-h.held; c.Owner != "ann" {
		t.Errorf("the child acts for %q", c.Owner)
	}
}

func TestExpressLimitAndStop(t *testing.T) {
	h := newHouse(t)
	h.create(t, "m", "EXPRESS", tryState)
	req := workflow.ExpressRequest{Target: h.target(t, "m", false), Input: json.RawMessage(`{}`)}
	for range 2 {
		if x, err := h.express.Start(t.Context(), req); err != nil || x.Status != workflow.Running {
			t.Fatalf("%+v, %v", x, err)
		}
		<-h.tried
	}
	_, err := h.express.Start(t.Context(), req)
	if !iap.IsKind(err, iap.Limit) || !errors.Is(err, workflow.ErrExpressLimit) {
		t.Errorf("a third: %v", err)
	}
	if c := h.express.Counts(); c.Running != 2 {
		t.Errorf("%d run", c.Running)
	}
	waits := make(chan error, 1)
	go func() { // who no longer waits does not end the execution
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_, err := h.express.StartSync(ctx, req)
		waits <- err
	}()
	if err := <-waits; err == nil {
		t.Error("a fourth was started")
	}
	if err := h.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	if c := h.express.Counts(); c.Running != 0 || len(c.Ended) != 0 {
		t.Errorf("after the stop: %+v", c)
	}
	if _, err := h.express.Start(t.Context(), req); !iap.IsKind(err, iap.Unavailable) {
		t.Errorf("after the stop: %v", err)
	}
}

func TestExpressBadInput(t *testing.T) {
	h := newHouse(t)
	h.create(t, "m", "EXPRESS", passState)
	target := h.target(t, "m", false)
	_, err := h.express.Start(t.Context(), workflow.ExpressRequest{Target: target, Input: json.RawMessage(`{`)})
	if !iap.IsKind(err, iap.Invalid) {
		t.Errorf("%v", err)
	}
	big := `"` + strings.Repeat("x", 300_000) + `"`
	x, err := h.express.StartSync(t.Context(), workflow.ExpressRequest{Target: target, Input: json.RawMessage(big)})
	if err != nil || x.Status != workflow.Failed || x.Error != "States.Runtime" {
		t.Errorf("%s %s, %v", x.Status, x.Error, err)
	}
}

// TestExpressKeepsLittle: what is remembered is bounded by number and bytes.
func TestExpressKeepsLittle(t *testing.T) {
	h := newHouse(t)
	h.create(t, "m", "EXPRESS", passState)
	runs := workflow.NewExpressRuns(workflow.ExpressConfig{Engine: h.Engine, Keep: 3, KeepBytes: 500_000})
	start := func(input string) {
		t.Helper()
		if _, err := runs.StartSync(t.Context(), workflow.ExpressRequest{Target: h.target(t, "m", true), Input: json.RawMessage(input)}); err != nil {
			t.Fatal(err)
		}
	}
	start(`{}`)
	first := runs.List("", 1)[0]
	for range 4 {
		start(`{}`)
	}
	if n := len(runs.List("", 100)); n != 3 {
		t.Errorf("%d are remembered", n)
	}
	for _, ref := range []string{first.ID, first.ARN} {
		if _, err := runs.Get(ref); !iap.IsKind(err, iap.NotFound) || !strings.Contains(err.Error(), "so long ago that nothing is remembered of it") {
			t.Errorf("of one that is forgotten: %v", err)
		}
	}
	start(`"` + strings.Repeat("x", 200_000) + `"`)
	if n := len(runs.List("", 100)); n != 1 {
		t.Errorf("%d are remembered beside a large one", n)
	}
}
