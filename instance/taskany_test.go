package instance_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/job"
	"github.com/internal-app-portal/iap/workflow"
)

// call runs a task as a state machine of owner does that is no lifecycle.
func (l *life) call(task, owner, arguments string) (map[string]any, error) {
	l.t.Helper()
	h := l.Handlers()[task]
	service, api, _ := strings.Cut(task, ":")
	c := workflow.Call{Execution: "another", Owner: owner, Arguments: json.RawMessage(arguments),
		Resource: asl.Resource{ARN: "arn:iap:states:::" + task, Service: service, API: api}}
	do := h.Run
	if h.Commit != nil {
		do = h.Commit
	}
	var out json.RawMessage
	err := l.db.Update(l.t.Context(), func(ctx context.Context) (err error) {
		out, err = do(ctx, c)
		return err
	})
	if err != nil {
		return nil, err
	}
	var v map[string]any
	if err := json.Unmarshal(out, &v); err != nil {
		l.t.Fatal(err)
	}
	return v, nil
}

func wantFailure(t *testing.T, err error, name string) {
	t.Helper()
	var failed *workflow.TaskError
	if !errors.As(err, &failed) || failed.Name != name {
		t.Errorf("got %v; want %s", err, name)
	}
}

func TestTasksActForWhoStartedTheExecution(t *testing.T) {
	l := newLife(t)
	i := l.deploy("todo")
	l.Actor = func(id string) iap.Actor {
		if id == "boss" {
			return iap.Actor{ID: id, Name: "Boss", Role: iap.Admin}
		}
		return iap.Actor{ID: id, Role: iap.Member}
	}
	for owner, want := range map[string]int{jane.ID: 1, "bob": 0, "boss": 1, iap.System.ID: 1, "": 0} {
		got, err := l.call("instance:list", owner, `{}`)
		if list, _ := got["instances"].([]any); err != nil || len(list) != want {
			t.Errorf("%q gets %v, %v; want %d", owner, got, err, want)
		}
	}
	_, err := l.call("instance:destroy", "bob", `{"instance":"`+i.ID+`"}`)
	wantFailure(t, err, "Instance.NotFound")
	if got := l.until(i.ID, is(instance.Queued)); got.EndedBy != "" {
		t.Error("another person has ended it")
	}
	got, err := l.call("instance:destroy", "boss", `{"instance":"`+i.HostName+`"}`)
	if err != nil || got["id"] != i.ID {
		t.Fatalf("%v, %v", got, err)
	}
	l.job(job.Apply, job.Cancelled, "")
	l.job(job.Destroy, job.Succeeded, "")
	if got := l.until(i.ID, is(instance.Destroyed)); got.EndedBy != "boss" {
		t.Errorf("it was ended by %q", got.EndedBy)
	}
}

// TestTasksOfALifecycleAreItsOwn: another state machine cannot do to an instance
// what its lifecycle does, not even its owner's.
func TestTasksOfALifecycleAreItsOwn(t *testing.T) {
	l := newLife(t)
	i := l.deploy("todo")
	tasks := map[string]string{"job:apply": "", "job:destroy": "", "health:check": `,"upstream":"http://127.0.0.1:1"`,
		"instance:publish": `,"upstream":"http://127.0.0.1:1"`, "instance:hold": "", "instance:expire": "", "instance:fail": "",
		"instance:end": `,"receipt":{}`, "leak:verify": ""}
	for task, more := range tasks {
		_, err := l.call(task, jane.ID, `{"instance":"`+i.ID+`"`+more+`}`)
		wantFailure(t, err, "Instance.NotAllowed")
		_, err = l.call(task, jane.ID, `{"instance":"`+iap.NewID(l.now())+`"`+more+`}`)
		wantFailure(t, err, "Instance.NotFound")
		_, err = l.call(task, jane.ID, `{}`)
		wantFailure(t, err, "States.ParameterPathFailure")
	}
	if got := l.until(i.ID, is(instance.Queued)); got.Status != instance.Queued || got.Changed != i.Changed {
		t.Errorf("it was changed: %+v", got)
	}
}

func TestBadArgumentsOfInstanceTasks(t *testing.T) {
	l := newLife(t)
	for _, c := range []struct{ task, in string }{
		{"instance:list", `{"statuses":["sleeping"]}`}, {"instance:list", `{"limit":0}`}, {"instance:list", `{"limit":201}`},
		{"instance:list", `{"Limit":1}`}, {"instance:list", `[]`},
		{"instance:destroy", `{}`}, {"instance:destroy", `{"instance":1}`},
	} {
		_, err := l.call(c.task, jane.ID, c.in)
		wantFailure(t, err, "States.ParameterPathFailure")
	}
}
