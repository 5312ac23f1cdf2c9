package sfn

import (
	"context"
	"encoding/json"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/asl/value"
	"github.com/internal-app-portal/iap/workflow"
)

type createActivity struct {
	Name       string                   `json:"name" check:"required,min=1,max=80"`
	Tags       []tag                    `json:"tags"`
	Encryption *encryptionConfiguration `json:"encryptionConfiguration"`
}

func (r *request) createActivity(in createActivity) (any, error) {
	if err := in.Encryption.check(); err != nil {
		return nil, err
	}
	a, created, err := r.Activities.Create(r.ctx, in.Name)
	if err != nil {
		return nil, explain(err, in.Name)
	}
	arn := workflow.ActivityARN(a.Name)
	if created && len(in.Tags) > 0 { // of one that is there tags are left as they are, as on AWS
		if err := r.Machines.Tag(r.ctx, arn, workflowTags(in.Tags)); err != nil {
			return nil, explain(err, arn)
		}
	}
	return struct {
		ARN     string `json:"activityArn"`
		Created stamp  `json:"creationDate"`
	}{arn, stamp(a.CreatedAt)}, nil
}

func activityARN(arn string) (string, error) {
	a, ok := workflow.ParseARN(arn)
	if !ok || a.Type != workflow.ARNActivity {
		return "", invalidARN(arn)
	}
	return a.Name, nil
}

type byActivity struct {
	ARN string `json:"activityArn" check:"required,min=1,max=256"`
}

func (r *request) deleteActivity(in byActivity) (any, error) {
	name, err := activityARN(in.ARN)
	if err != nil {
		return nil, err
	}
	return none{}, explain(r.Activities.Delete(r.ctx, name), in.ARN)
}

type activityItem struct {
	ARN     string `json:"activityArn"`
	Name    string `json:"name"`
	Created stamp  `json:"creationDate"`
}

func (r *request) describeActivity(in byActivity) (any, error) {
	name, err := activityARN(in.ARN)
	if err != nil {
		return nil, err
	}
	a, err := r.Activities.Activity(r.ctx, name)
	if err != nil {
		return nil, explain(err, in.ARN)
	}
	return activityItem{in.ARN, a.Name, stamp(a.CreatedAt)}, nil
}

func (r *request) listActivities(in listing) (any, error) {
	p := paging{max: in.Max, token: in.Token}
	limit, after, err := r.page(p)
	if err != nil {
		return nil, err
	}
	list, err := r.Activities.List(r.ctx, after, limit+1)
	if err != nil {
		return nil, explain(err, "")
	}
	list, next := cut(r, p, list, limit, func(a workflow.Activity) string { return a.Name })
	out := struct {
		List []activityItem `json:"activities"`
		Next *string        `json:"nextToken,omitempty"`
	}{[]activityItem{}, next}
	for _, a := range list {
		out.List = append(out.List, activityItem{workflow.ActivityARN(a.Name), a.Name, stamp(a.CreatedAt)})
	}
	return out, nil
}

type getActivityTask struct {
	ARN    string `json:"activityArn" check:"required,min=1,max=256"`
	Worker string `json:"workerName" check:"min=1,max=80"`
}

func (r *request) getActivityTask(in getActivityTask) (any, error) {
	name, err := activityARN(in.ARN)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(r.ctx, r.PollTime)
	defer cancel()
	if r.Done != nil {
		go func() {
			select {
			case <-r.Done:
				cancel()
			case <-ctx.Done():
			}
		}()
	}
	token, input, err := r.Activities.Take(ctx, name, in.Worker)
	if iap.IsKind(err, iap.Limit) {
		return nil, refuse("ActivityWorkerLimitExceeded", "Activity Worker Limit Exceeded: '%s'", in.ARN)
	}
	if err != nil {
		return nil, explain(err, in.ARN)
	}
	var out struct {
		Token string `json:"taskToken,omitempty"`
		Input string `json:"input,omitempty"`
	}
	out.Token, out.Input = token, string(input)
	return out, nil
}

type sendTaskSuccess struct {
	Token  string `json:"taskToken" check:"required,min=1,max=2048"`
	Output string `json:"output" check:"required,payload,secret"`
}

func (r *request) sendTaskSuccess(in sendTaskSuccess) (any, error) {
	if _, err := value.Parse([]byte(in.Output)); err != nil {
		return nil, refuse("InvalidOutput", "Invalid Output: '%v'", err)
	}
	return none{}, taskError(r.Engine.Succeed(r.ctx, in.Token, json.RawMessage(in.Output)))
}

type sendTaskFailure struct {
	Token string `json:"taskToken" check:"required,min=1,max=2048"`
	Error string `json:"error" check:"max=256,secret"`
	Cause string `json:"cause" check:"max=32768,secret"`
}

func (r *request) sendTaskFailure(in sendTaskFailure) (any, error) {
	return none{}, taskError(r.Engine.Fail(r.ctx, in.Token, in.Error, in.Cause))
}

type sendTaskHeartbeat struct {
	Token string `json:"taskToken" check:"required,min=1,max=2048"`
}

func (r *request) sendTaskHeartbeat(in sendTaskHeartbeat) (any, error) {
	return none{}, taskError(r.Engine.Heartbeat(r.ctx, in.Token))
}

// taskError is the exception for an answer that could not be taken. The
// execution of a token that was signed here has been there once.
func taskError(err error) error {
	if iap.IsKind(err, iap.NotFound) {
		return refuse("TaskDoesNotExist", "Task Does Not Exist: 'Provided task does not exist anymore'")
	}
	return explain(err, "")
}
