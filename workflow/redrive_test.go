package workflow_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/workflow"
)

const tryState = `{"StartAt":"A","States":{
 "A":{"Type":"Pass","Result":{"a":1},"Next":"Try"},
 "Try":{"Type":"Task","Resource":"arn:iap:states:::test:try","Parameters":{"n.$":"$$.Execution.RedriveCount"},"Next":"B"},
 "B":{"Type":"Pass","End":true}}}`

func TestRedrive(t *testing.T) {
	h := newHouse(t)
	h.create(t, "m", "STANDARD", tryState)
	id := h.begin(t, "m", `{}`)
	<-h.tried
	_, err := h.Redrive(t.Context(), id)
	isNotRedrivable(t, err, "Execution is RUNNING and cannot be redriven")
	h.works <- ""
	x := h.wait(t, id)
	if x.Status != workflow.Failed || x.Error != "Test.Broken" {
		t.Fatalf("%s %s: %s", x.Status, x.Error, x.Cause)
	}
	if r, err := h.Redrivable(t.Context(), x); err != nil || r.Status != "REDRIVABLE" {
		t.Errorf("%+v, %v", r, err)
	}
	x, err = h.Redrive(t.Context(), id)
	if err != nil || x.Status != workflow.Running || x.RedriveCount != 1 || x.RedrivenAt.IsZero() || x.Error != "" || !x.EndedAt.IsZero() {
		t.Fatalf("%+v, %v", x, err)
	}
	if c := <-h.tried; string(c.Arguments) != `{"n":1}` || c.Owner != "ann" || c.Attempt != 2 {
		t.Errorf("the task is called with %+v", c)
	}
	h.works <- ""
	h.wait(t, id)
	if _, err = h.Redrive(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	h.works <- `{"b":2}`
	x = h.wait(t, id)
	if x.Status != workflow.Succeeded || string(x.Output) != `{"b":2}` || x.RedriveCount != 2 {
		t.Errorf("%s %s: %s", x.Status, x.Output, x.Cause)
	}
	_, err = h.Redrive(t.Context(), id)
	isNotRedrivable(t, err, "Execution is SUCCEEDED and cannot be redriven")
	wholeHistory(t, h, id, "ExecutionRedriven", 2)
}

// wholeHistory checks that numbers have no gap, and counts a type.
func wholeHistory(t *testing.T, h *house, id, typ string, want int) {
	t.Helper()
	events, err := h.db.History(t.Context(), id, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for i, e := range events {
		if e.Number != int64(i+1) || e.Previous >= e.Number {
			t.Errorf("event %d has number %d and follows %d", i+1, e.Number, e.Previous)
		}
		if e.Type == typ {
			n++
		}
	}
	if n != want {
		t.Errorf("there are %d events %s, not %d", n, typ, want)
	}
}

func TestRedriveOfAStoppedExecution(t *testing.T) {
	h := newHouse(t)
	h.create(t, "m", "STANDARD", holdState)
	id := h.begin(t, "m", `{}`)
	first := <-h.held
	if err := h.StopExecution(t.Context(), id, "E", "C"); err != nil {
		t.Fatal(err)
	}
	h.wait(t, id)
	if _, err := h.Redrive(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	second := <-h.held
	if err := h.Succeed(t.Context(), first.Token, nil); !iap.IsKind(err, iap.Conflict) {
		t.Errorf("the token of before the stop: %v", err)
	}
	if err := h.Succeed(t.Context(), second.Token, 1); err != nil {
		t.Fatal(err)
	}
	if x := h.wait(t, id); x.Status != workflow.Succeeded {
		t.Errorf("%s: %s", x.Status, x.Cause)
	}
}

// TestRedriveOfALargeMap keeps what succeeded also where the State is large.
func TestRedriveOfALargeMap(t *testing.T) {
	h := newHouse(t)
	h.create(t, "m", "STANDARD", `{"StartAt":"M","States":{"M":{"Type":"Map","End":true,"MaxConcurrency":1,"ItemProcessor":{"StartAt":"Try","States":{
		"Try":{"Type":"Task","Resource":"arn:iap:states:::test:try","Parameters":{"i.$":"$$.Map.Item.Index"},"End":true}}}}}}`)
	item := `"` + strings.Repeat("x", 2000) + `"`
	id := h.begin(t, "m", "["+strings.Repeat(item+",", 49)+item+"]")
	for range 30 {
		h.works <- item
	}
	h.works <- ""
	if x := h.wait(t, id); x.Status != workflow.Failed {
		t.Fatal(x.Status)
	}
	for range 31 {
		<-h.tried
	}
	if _, err := h.Redrive(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if c := <-h.tried; string(c.Arguments) != `{"i":30}` {
		t.Errorf("it goes on at %s", c.Arguments)
	}
	for range 20 {
		h.works <- item
	}
	x := h.wait(t, id)
	var out []string
	if err := json.Unmarshal(x.Output, &out); err != nil || len(out) != 50 || x.Status != workflow.Succeeded {
		t.Errorf("%s with %d, %v", x.Status, len(out), err)
	}
}

func TestRedriveComesToAnEnd(t *testing.T) {
	h := newHouse(t)
	h.create(t, "m", "STANDARD", tryState)
	id := h.begin(t, "m", `{}`)
	h.works <- ""
	x := h.wait(t, id)
	x.EndedAt = x.EndedAt.Add(-15 * 24 * time.Hour)
	if r, err := h.Redrivable(t.Context(), x); err != nil || r.Reason != "Execution redrivable period exceeded" {
		t.Errorf("after 15 days: %+v, %v", r, err)
	}
	err := h.db.KeepState(t.Context(), workflow.KeptState{Execution: "other", State: []byte("{}"), EndedAt: time.Now()}, time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.Redrive(t.Context(), id)
	isNotRedrivable(t, err, "Execution redrivable period exceeded")
	_, err = h.Redrive(t.Context(), iap.NewID(time.Now()))
	if !iap.IsKind(err, iap.NotFound) {
		t.Errorf("an execution that is not there: %v", err)
	}
}
