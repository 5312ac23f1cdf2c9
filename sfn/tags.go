package sfn

import (
	"errors"

	"github.com/internal-app-portal/iap/workflow"
)

// taggable checks that an ARN is of a state machine, alias or activity that is
// there.
func (r *request) taggable(arn string, change bool) error {
	a, ok := workflow.ParseARN(arn)
	if !ok {
		return invalidARN(arn)
	}
	var err error
	switch {
	case a.Type == workflow.ARNActivity:
		_, err = r.Activities.Activity(r.ctx, a.Name)
	case a.Type == workflow.ARNMachine:
		var m workflow.Machine
		m, err = r.Machines.Machine(r.ctx, a.Name)
		if err == nil && m.ReadOnly && change {
			return explain(workflow.ErrReadOnly, arn)
		}
		if _, version := a.Version(); version {
			return invalidARN(arn)
		}
		if err == nil && a.Rest != "" {
			_, err = r.Machines.Alias(r.ctx, a.Name, a.Rest)
		}
	default:
		return invalidARN(arn)
	}
	if errors.Is(err, workflow.ErrNoMachine) || errors.Is(err, workflow.ErrNoAlias) || errors.Is(err, workflow.ErrNoActivity) {
		return noResource(arn)
	}
	return explain(err, arn)
}

type tagResource struct {
	ARN  string `json:"resourceArn" check:"required,min=1,max=256"`
	Tags []tag  `json:"tags" check:"required"`
}

func (r *request) tagResource(in tagResource) (any, error) {
	if err := r.taggable(in.ARN, true); err != nil {
		return nil, err
	}
	err := explain(r.Machines.Tag(r.ctx, in.ARN, workflowTags(in.Tags)), in.ARN)
	var e *exception
	if errors.As(err, &e) && e.Code == "TooManyTags" {
		e.Name = in.ARN
	}
	return none{}, err
}

type untagResource struct {
	ARN  string   `json:"resourceArn" check:"required,min=1,max=256"`
	Keys []string `json:"tagKeys" check:"required,pattern=key"`
}

func (r *request) untagResource(in untagResource) (any, error) {
	if err := r.taggable(in.ARN, true); err != nil {
		return nil, err
	}
	return none{}, explain(r.Machines.Untag(r.ctx, in.ARN, in.Keys), in.ARN)
}

type listTags struct {
	ARN string `json:"resourceArn" check:"required,min=1,max=256"`
}

func (r *request) listTags(in listTags) (any, error) {
	if err := r.taggable(in.ARN, false); err != nil {
		return nil, err
	}
	list, err := r.Machines.Tags(r.ctx, in.ARN)
	out := struct {
		Tags []tag `json:"tags"`
	}{[]tag{}}
	for _, t := range list {
		out.Tags = append(out.Tags, tag(t))
	}
	return out, explain(err, in.ARN)
}
