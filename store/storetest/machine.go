package storetest

import (
	"context"
	"encoding/json"
	"testing"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/store"
	"github.com/internal-app-portal/iap/workflow"
)

func newNamed(name string) workflow.Machine {
	return workflow.Machine{Name: name, Type: workflow.Standard, Status: workflow.MachineActive, Revision: "r", LastVersion: 2,
		MachineSettings: workflow.MachineSettings{Definition: "m", Role: "arn:x", Logging: json.RawMessage(`{"level":"OFF"}`)},
		CreatedAt:       epoch, UpdatedAt: later(1)}
}

func newMachineVersion(machine string, n int64) workflow.Version {
	return workflow.Version{Machine: machine, Number: n, Revision: "r", Description: "d", CreatedAt: later(int(n)),
		MachineSettings: workflow.MachineSettings{Definition: "m"}}
}

func newAlias(machine, name string) workflow.Alias {
	return workflow.Alias{Machine: machine, Name: name, Routes: []workflow.Route{{Version: 1, Weight: 90}, {Version: 2, Weight: 10}},
		CreatedAt: epoch, UpdatedAt: epoch}
}

func testMachines(t *testing.T, open Open) {
	for name, test := range map[string]func(*testing.T, *store.DB){
		"named": namedMachines, "versions": machineVersions, "aliases": aliases, "tags": tags, "delete": deleteMachine,
		"executions of": executionsOf,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func namedMachines(t *testing.T, db *store.DB) {
	ctx := context.Background()
	_, err := db.Machine(ctx, "a")
	wantKind(t, err, iap.NotFound)
	wantKind(t, db.UpdateMachine(ctx, newNamed("a")), iap.NotFound)
	for _, name := range []string{"b", "a", "C"} {
		must(t, db.InsertMachine(ctx, newNamed(name)))
	}
	wantKind(t, db.InsertMachine(ctx, newNamed("a")), iap.Conflict)
	m := newNamed("a")
	m.Status, m.ReadOnly, m.Definition, m.UpdatedAt = workflow.MachineDeleting, true, "m2", later(9)
	must(t, db.UpdateMachine(ctx, m))
	got, err := db.Machine(ctx, "a")
	must(t, err)
	same(t, "machine", got, m)
	name := func(m workflow.Machine) string { return m.Name }
	list, err := db.Machines(ctx, "", 2)
	must(t, err)
	same(t, "the first", ids(list, name), []string{"C", "a"})
	list, err = db.Machines(ctx, "a", 9)
	must(t, err)
	same(t, "the rest", ids(list, name), []string{"b"})
}

func machineVersions(t *testing.T, db *store.DB) {
	ctx := context.Background()
	for n := range int64(3) {
		must(t, db.InsertMachineVersion(ctx, newMachineVersion("a", n+1)))
	}
	wantKind(t, db.InsertMachineVersion(ctx, newMachineVersion("a", 1)), iap.Conflict)
	must(t, db.DeleteMachineVersion(ctx, "a", 2))
	_, err := db.MachineVersion(ctx, "a", 2)
	wantKind(t, err, iap.NotFound)
	got, err := db.MachineVersion(ctx, "a", 3)
	must(t, err)
	same(t, "version", got, newMachineVersion("a", 3))
	list, err := db.MachineVersions(ctx, "a", 3, 9)
	must(t, err)
	same(t, "below 3", list, []workflow.Version{newMachineVersion("a", 1)})
	list, err = db.MachineVersions(ctx, "a", 0, 1)
	must(t, err)
	same(t, "the newest", list, []workflow.Version{newMachineVersion("a", 3)})
}

func aliases(t *testing.T, db *store.DB) {
	ctx := context.Background()
	must(t, db.PutAlias(ctx, newAlias("a", "live")))
	changed := newAlias("a", "live")
	changed.Description, changed.Routes, changed.UpdatedAt = "d", changed.Routes[:1], later(1)
	must(t, db.PutAlias(ctx, changed))
	got, err := db.Alias(ctx, "a", "live")
	must(t, err)
	same(t, "alias", got, changed)
	_, err = db.Alias(ctx, "b", "live")
	wantKind(t, err, iap.NotFound)
	must(t, db.PutAlias(ctx, newAlias("a", "beta")))
	list, err := db.Aliases(ctx, "a", "beta", 9)
	must(t, err)
	same(t, "behind beta", list, []workflow.Alias{changed})
	must(t, db.DeleteAlias(ctx, "a", "live"))
	_, err = db.Alias(ctx, "a", "live")
	wantKind(t, err, iap.NotFound)
}

func tags(t *testing.T, db *store.DB) {
	ctx := context.Background()
	must(t, db.PutTags(ctx, "x", []workflow.Tag{{Key: "b", Value: "1"}, {Key: "a", Value: ""}}))
	must(t, db.PutTags(ctx, "x", []workflow.Tag{{Key: "b", Value: "2"}, {Key: "c", Value: "3"}}))
	must(t, db.DeleteTags(ctx, "x", []string{"c", "d"}))
	got, err := db.Tags(ctx, "x")
	must(t, err)
	same(t, "tags", got, []workflow.Tag{{Key: "a", Value: ""}, {Key: "b", Value: "2"}})
}

func deleteMachine(t *testing.T, db *store.DB) {
	ctx := context.Background()
	for _, name := range []string{"a", "ab"} {
		must(t, db.InsertMachine(ctx, newNamed(name)))
		must(t, db.InsertMachineVersion(ctx, newMachineVersion(name, 1)))
		must(t, db.PutAlias(ctx, newAlias(name, "live")))
		must(t, db.PutTags(ctx, workflow.MachineARN(name), []workflow.Tag{{Key: "k"}}))
		must(t, db.PutTags(ctx, workflow.AliasARN(name, "live"), []workflow.Tag{{Key: "k"}}))
	}
	must(t, db.DeleteMachine(ctx, "a"))
	_, err := db.Machine(ctx, "a")
	wantKind(t, err, iap.NotFound)
	_, err = db.MachineVersion(ctx, "a", 1)
	wantKind(t, err, iap.NotFound)
	_, err = db.Alias(ctx, "a", "live")
	wantKind(t, err, iap.NotFound)
	for arn, want := range map[string]int{workflow.MachineARN("a"): 0, workflow.AliasARN("a", "live"): 0,
		workflow.MachineARN("ab"): 1, workflow.AliasARN("ab", "live"): 1} {
		list, err := db.Tags(ctx, arn)
		must(t, err)
		same(t, arn, len(list), want)
	}
}

func executionsOf(t *testing.T, db *store.DB) {
	ctx := context.Background()
	must(t, db.PutStateMachine(ctx, newMachine("m", "life")))
	must(t, db.PutStateMachine(ctx, newMachine("n", "other")))
	for _, x := range []workflow.Execution{newExecution("1", "m", "one"), newExecution("2", "m", "two"), newExecution("3", "n", "one"),
		newExecution("4", "m", "three")} {
		must(t, db.InsertExecution(ctx, x))
	}
	ended := newExecution("2", "m", "two")
	ended.Status, ended.EndedAt, ended.RedriveCount = workflow.Failed, later(5), 1
	must(t, db.UpdateExecution(ctx, ended))
	must(t, db.PutOrigin(ctx, "4", workflow.Origin{Machine: "life", Version: 2, Alias: "live"}))
	x, err := db.ExecutionNamed(ctx, "other", "one")
	must(t, err)
	same(t, "named", x.ID, "3")
	_, err = db.ExecutionNamed(ctx, "other", "two")
	wantKind(t, err, iap.NotFound)
	yes := true
	for name, c := range map[string]struct {
		filter workflow.ExecutionFilter
		want   []string
	}{
		"all":       {workflow.ExecutionFilter{}, []string{"4", "3", "2", "1"}},
		"a machine": {workflow.ExecutionFilter{Machine: "life"}, []string{"4", "2", "1"}},
		"a status":  {workflow.ExecutionFilter{Machine: "life", Status: workflow.Running}, []string{"4", "1"}},
		"a version": {workflow.ExecutionFilter{Machine: "life", Version: 2}, []string{"4"}},
		"an alias":  {workflow.ExecutionFilter{Machine: "life", Alias: "other"}, []string{}},
		"a prefix":  {workflow.ExecutionFilter{Prefix: "t"}, []string{"4", "2"}},
		"redriven":  {workflow.ExecutionFilter{Redriven: &yes}, []string{"2"}},
		"before":    {workflow.ExecutionFilter{Before: "3"}, []string{"2", "1"}},
		"not yet":   {workflow.ExecutionFilter{To: epoch}, []string{}},
		"from":      {workflow.ExecutionFilter{From: epoch, To: later(1), Machine: "other"}, []string{"3"}},
	} {
		c.filter.Limit = 9
		list, err := db.ExecutionsOf(ctx, c.filter)
		must(t, err)
		same(t, name, ids(list, func(e workflow.ExecutionItem) string { return e.ID }), c.want)
	}
	o, err := db.Origin(ctx, "4")
	must(t, err)
	same(t, "origin", o, workflow.Origin{Machine: "life", Version: 2, Alias: "live"})
	o, err = db.Origin(ctx, "1")
	must(t, err)
	same(t, "no origin", o, workflow.Origin{})
}
