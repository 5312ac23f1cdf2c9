package workflow_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/workflow"
)

const onePass = `{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}`
const otherPass = `{"StartAt":"B","States":{"B":{"Type":"Pass","End":true}}}`
const waitLong = `{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":3600,"End":true}}}`

// newMachines is the service on a fixture; aliases get what random gives.
func newMachines(t *testing.T, random func(int) int) (*workflow.Machines, *fixture) {
	t.Helper()
	f := newFixture(t, newDB(t), "a", nil)
	return workflow.NewMachines(workflow.MachinesConfig{Store: f.db, Tx: f.db, Engine: f.Engine, Now: f.Now, Rand: random}), f
}

// TestRefusedDefinitionIsNotTakenAsStored: a definition of a creation that was
// rolled back can be used later.
func TestRefusedDefinitionIsNotTakenAsStored(t *testing.T) {
	s, f := newMachines(t, nil)
	ctx := t.Context()
	if _, _, err := s.Create(ctx, workflow.NewMachine{Name: "m", Definition: []byte(onePass)}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Create(ctx, workflow.NewMachine{Name: "m", Definition: []byte(otherPass)}); !errors.Is(err, workflow.ErrMachineExists) {
		t.Fatalf("another of the name: %v", err)
	}
	if _, _, err := s.Update(ctx, "m", workflow.MachineChange{Definition: []byte(otherPass)}); err != nil {
		t.Fatal(err)
	}
	x, _, err := s.Start(ctx, workflow.StartMachine{ARN: workflow.MachineARN("m"), Input: json.RawMessage(`{}`)})
	if err != nil {
		t.Fatal(err)
	}
	if x = f.wait(t, x.ID); x.Status != workflow.Succeeded {
		t.Errorf("ended %s", x.Status)
	}
}

// TestStartAtOnce: many starts of a name begin one execution.
func TestStartAtOnce(t *testing.T) {
	s, _ := newMachines(t, nil)
	if _, _, err := s.Create(t.Context(), workflow.NewMachine{Name: "m", Definition: []byte(waitLong)}); err != nil {
		t.Fatal(err)
	}
	ids := make(chan string, 20)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			x, _, err := s.Start(context.Background(), workflow.StartMachine{ARN: workflow.MachineARN("m"), Name: "one", Input: json.RawMessage(`{}`)})
			if err != nil {
				t.Error(err)
			}
			ids <- x.ID
		})
	}
	all.Wait()
	close(ids)
	seen := map[string]bool{}
	for id := range ids {
		seen[id] = true
	}
	if len(seen) != 1 {
		t.Errorf("%d executions", len(seen))
	}
}

// TestAliasWeights: an alias leads to its versions as often as their weights say.
func TestAliasWeights(t *testing.T) {
	next := 0
	s, _ := newMachines(t, func(n int) int { next = (next + 1) % n; return next })
	ctx := t.Context()
	if _, _, err := s.Create(ctx, workflow.NewMachine{Name: "m", Definition: []byte(onePass), Publish: true}); err != nil {
		t.Fatal(err)
	}
	if _, v, err := s.Update(ctx, "m", workflow.MachineChange{Definition: []byte(otherPass), Publish: true}); err != nil || v != 2 {
		t.Fatal(v, err)
	}
	_, err := s.CreateAlias(ctx, workflow.Alias{Machine: "m", Name: "live", Routes: []workflow.Route{{Version: 1, Weight: 30}, {Version: 2, Weight: 70}}})
	if err != nil {
		t.Fatal(err)
	}
	counts := map[int64]int{}
	for range 100 {
		target, err := s.Resolve(ctx, workflow.AliasARN("m", "live"))
		if err != nil {
			t.Fatal(err)
		}
		counts[target.Version]++
	}
	if counts[1] != 30 || counts[2] != 70 {
		t.Errorf("of 100: %v", counts)
	}
}

// TestReadOnlyMachine: the portal's own can be looked at alone.
func TestReadOnlyMachine(t *testing.T) {
	s, _ := newMachines(t, nil)
	ctx := t.Context()
	for range 2 {
		if err := s.PutReadOnly(ctx, "own", []byte(onePass)); err != nil {
			t.Fatal(err)
		}
	}
	if m, err := s.Machine(ctx, "own"); err != nil || m.Revision != "" {
		t.Errorf("put twice: %+v, %v", m, err)
	}
	if err := s.PutReadOnly(ctx, "own", []byte(otherPass)); err != nil {
		t.Fatal(err)
	}
	_, _, create := s.Create(ctx, workflow.NewMachine{Name: "own", Definition: []byte(waitLong)})
	_, _, update := s.Update(ctx, "own", workflow.MachineChange{Definition: []byte(waitLong)})
	_, _, start := s.Start(ctx, workflow.StartMachine{ARN: workflow.MachineARN("own"), Input: json.RawMessage(`{}`)})
	for what, err := range map[string]error{"update": update, "start": start, "delete": s.Delete(ctx, "own")} {
		if !errors.Is(err, workflow.ErrReadOnly) || !iap.IsKind(err, iap.Forbidden) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if !errors.Is(create, workflow.ErrMachineExists) {
		t.Errorf("create: %v", create)
	}
}

func TestNames(t *testing.T) {
	for _, name := range []string{"", "a b", "a:b", "a/b", "a<b", "a\x00", "a\u0085", "a\u3000", "a\u2028", fmt.Sprintf("%081d", 1)} {
		if workflow.ValidName(name) {
			t.Errorf("%q is taken", name)
		}
	}
	for _, name := range []string{"a", "a-b_c.d", "größe", "日本", fmt.Sprintf("%080d", 1), "a+b=c@d!e'(f)"} {
		if !workflow.ValidName(name) {
			t.Errorf("%q is refused", name)
		}
	}
}

func TestARNs(t *testing.T) {
	for arn, want := range map[string]workflow.ARN{
		workflow.MachineARN("m"):          {Type: workflow.ARNMachine, Name: "m"},
		workflow.VersionARN("m", 3):       {Type: workflow.ARNMachine, Name: "m", Rest: "3"},
		workflow.ExecutionARN("m", "one"): {Type: workflow.ARNExecution, Name: "m", Rest: "one"},
		"arn:iap:states:::mapRun:m/l:id":  {Type: workflow.ARNMapRun, Name: "m/l", Rest: "id"},
		"arn:iap:states:::express:m:n:id": {Type: workflow.ARNExpress, Name: "m", Rest: "n:id"},
	} {
		if got, ok := workflow.ParseARN(arn); !ok || got != want {
			t.Errorf("%s: %+v %v", arn, got, ok)
		}
	}
	for _, arn := range []string{"", "m", "arn:aws:states:::stateMachine:m", "arn:iap:states:::stateMachine:", "arn:iap:states:::stateMachine:a:b:c",
		"arn:iap:states:::execution:m", "arn:iap:states:eu:1:stateMachine:m", "arn:iap:states:::other:m"} {
		if _, ok := workflow.ParseARN(arn); ok {
			t.Errorf("%q is taken", arn)
		}
	}
}

// TestTakeGivesUp: a worker that waits in vain is told nothing, and makes room
// for another when it leaves.
func TestTakeGivesUp(t *testing.T) {
	f := newFixture(t, newDB(t), "a", nil)
	s := workflow.NewActivities(workflow.ActivitiesConfig{Store: f.db, Tx: f.db, Engine: f.Engine, Now: f.Now, MaxWorkers: 1})
	if _, _, err := s.Create(t.Context(), "work"); err != nil {
		t.Fatal(err)
	}
	ctx, giveUp := context.WithTimeout(t.Context(), time.Millisecond)
	defer giveUp()
	if token, _, err := s.Take(ctx, "work", "w"); token != "" || err != nil {
		t.Errorf("nothing is there: %q, %v", token, err)
	}
	done := make(chan error, 1)
	ctx, leave := context.WithCancel(t.Context())
	go func() {
		for {
			_, _, err := s.Take(ctx, "work", "w")
			if !iap.IsKind(err, iap.Limit) { // else one of those below was quicker
				done <- err
				return
			}
		}
	}()
	for { // until that one waits, a second is let in
		short, end := context.WithTimeout(t.Context(), time.Millisecond)
		_, _, err := s.Take(short, "work", "x")
		end()
		if iap.IsKind(err, iap.Limit) {
			break
		}
	}
	leave()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, _, err := s.Take(t.Context(), "none", "w"); !errors.Is(err, workflow.ErrNoActivity) {
		t.Errorf("no such activity: %v", err)
	}
}
