package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/client"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/instance"
)

// refInput names an instance.
type refInput struct {
	Ref string `path:"ref" maxLength:"128" doc:"ID, host name, or a part of the host name that is unique among one's own live instances"`
}

// instanceOut is an answer with a status of its own.
type instanceOut struct {
	Status   int
	Location string `header:"Location"`
	Body     client.Instance
}

func (s *service) registerInstances() {
	tags := []string{"Instances"}
	register(s, huma.Operation{Method: http.MethodPost, Path: "/instances", OperationID: "deploy", Tags: tags,
		Summary:     "Deploy an app",
		Description: "Gives the person an instance of the app. When there is a live one already it is returned with 200, so that a retry does no harm.",
		Responses: map[string]*huma.Response{
			"200": {Description: "It was there already"}, "201": {Description: "It is being deployed"}},
		DefaultStatus: http.StatusCreated,
		Errors:        []int{400, 404, 409, 413, 415, 503, 507}}, s.deploy)
	register(s, huma.Operation{Method: http.MethodGet, Path: "/instances", OperationID: "list-instances", Tags: tags,
		Summary: "List instances, newest first"}, s.listInstances)
	register(s, huma.Operation{Method: http.MethodGet, Path: "/instances/{ref}", OperationID: "get-instance", Tags: tags,
		Summary: "One instance", Errors: []int{404}}, s.getInstance)
	register(s, huma.Operation{Method: http.MethodDelete, Path: "/instances/{ref}", OperationID: "destroy", Tags: tags,
		Summary: "Destroy an instance", DefaultStatus: http.StatusAccepted,
		Description: "Begins the destroy, or tries it again where it failed. Doing it twice is harmless.",
		Errors:      []int{404, 503, 507}}, s.destroy)
	register(s, huma.Operation{Method: http.MethodGet, Path: "/instances/{ref}/events", OperationID: "instance-events", Tags: tags,
		Summary: "What happened to an instance, oldest first",
		Description: fmt.Sprintf("Of a long history the first %d and the last %d events; \"cut\" is true when some between them may be missing.",
			event.FirstOf, event.LastOf),
		Errors: []int{404}}, s.instanceEvents)
	register(s, huma.Operation{Method: http.MethodGet, Path: "/instances/{ref}/progress", OperationID: "instance-progress", Tags: tags,
		Summary: "The steps of an instance's way", Errors: []int{404}}, s.instanceProgress)
	register(s, huma.Operation{Method: http.MethodGet, Path: "/instances/{ref}/jobs", OperationID: "instance-jobs", Tags: tags,
		Summary: "The jobs of an instance, oldest first", Errors: []int{404}}, s.instanceJobs)
}

func (s *service) deploy(ctx context.Context, in *bodyOf[exact[client.DeployRequest]]) (*instanceOut, error) {
	want := in.Body.Value
	length, err := instance.ParseFor(want.For)
	if err != nil {
		return nil, err
	}
	i, created, err := s.cfg.Instances.Deploy(ctx, actor(ctx),
		instance.DeployRequest{App: want.App, Version: want.Version, Parameters: want.Parameters, For: length})
	if err != nil {
		return nil, err
	}
	out := &instanceOut{Status: http.StatusOK, Location: prefix + "/instances/" + i.ID, Body: s.withValues(ctx, i)}
	if created {
		out.Status = http.StatusCreated
	}
	return out, nil
}

// withValues returns an instance with its parameters' values.
func (s *service) withValues(ctx context.Context, i instance.Instance) client.Instance {
	out := s.instance(i)
	if len(i.Parameters) == 0 {
		return out
	}
	// What cannot be read is masked: the instance is worth more than its values.
	v, _ := s.cfg.Catalog.Version(ctx, i.App, i.Version)
	out.Values = mask(i.Parameters, v.Manifest.Parameters)
	return out
}

type listInput struct {
	Status string `query:"status" maxLength:"200" doc:"Statuses, separated by commas"`
	App    string `query:"app" maxLength:"63"`
	Owner  string `query:"owner" maxLength:"254" doc:"For admins"`
	Q      string `query:"q" maxLength:"100" doc:"Part of the host name, app or owner"`
	All    bool   `query:"all" doc:"Everybody's, for admins"`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
	Before string `query:"before" maxLength:"26" doc:"\"next\" of the page before"`
}

var knownStatuses = []instance.Status{instance.Queued, instance.Deploying, instance.Checking, instance.Running,
	instance.Destroying, instance.Destroyed, instance.DeployFailed, instance.DestroyFailed}

// filter returns the input as the service has it. One's own instances are what
// everybody gets who does not ask for others'.
func (in *listInput) filter(a iap.Actor) (instance.Filter, error) {
	const op = "api.List"
	f := instance.Filter{App: in.App, Text: in.Q, Limit: in.Limit, Before: in.Before, Owner: in.Owner}
	others := in.All || (in.Owner != "" && in.Owner != a.ID)
	if others && !a.Role.Includes(iap.Admin) {
		return f, iap.Errorf(op, iap.Forbidden, "others' instances are for admins to see")
	}
	if !others {
		f.Owner = a.ID
	}
	if in.Before != "" && !iap.ValidID(in.Before) {
		return f, iap.FieldErrorf(op, "query.before", "%q is not the \"next\" of a page", in.Before)
	}
	if in.Status == "" {
		return f, nil
	}
	for word := range strings.SplitSeq(in.Status, ",") {
		st := instance.Status(strings.TrimSpace(word))
		if !slices.Contains(knownStatuses, st) {
			return f, iap.FieldErrorf(op, "query.status", "%q is not a status; want %s", word, statusList())
		}
		f.Statuses = append(f.Statuses, st)
	}
	return f, nil
}

func (s *service) listInstances(ctx context.Context, in *listInput) (*bodyOf[client.List[client.Instance]], error) {
	f, err := in.filter(actor(ctx))
	if err != nil {
		return nil, err
	}
	found, err := s.cfg.Instances.List(ctx, actor(ctx), f)
	if err != nil {
		return nil, err
	}
	out := client.List[client.Instance]{Items: []client.Instance{}}
	for _, i := range found {
		out.Items = append(out.Items, s.instance(i))
	}
	if n := len(found); n > 0 && n >= f.Limit {
		out.Next = found[n-1].ID
	}
	return &bodyOf[client.List[client.Instance]]{out}, nil
}

func (s *service) getInstance(ctx context.Context, in *refInput) (*bodyOf[client.Instance], error) {
	i, err := s.cfg.Instances.Get(ctx, actor(ctx), in.Ref)
	if err != nil {
		return nil, err
	}
	return &bodyOf[client.Instance]{s.withValues(ctx, i)}, nil
}

func (s *service) destroy(ctx context.Context, in *refInput) (*bodyOf[client.Instance], error) {
	i, err := s.cfg.Instances.Destroy(ctx, actor(ctx), in.Ref)
	if err != nil {
		return nil, err
	}
	return &bodyOf[client.Instance]{s.instance(i)}, nil
}

func (s *service) instanceEvents(ctx context.Context, in *refInput) (*bodyOf[client.List[client.Event]], error) {
	events, err := s.cfg.Instances.Events(ctx, actor(ctx), in.Ref)
	if err != nil {
		return nil, err
	}
	out := client.List[client.Event]{Items: []client.Event{}, Cut: event.Cut(events)}
	for _, e := range events {
		out.Items = append(out.Items, s.event(e))
	}
	return &bodyOf[client.List[client.Event]]{out}, nil
}

func (s *service) instanceProgress(ctx context.Context, in *refInput) (*bodyOf[client.Progress], error) {
	i, err := s.cfg.Instances.Get(ctx, actor(ctx), in.Ref)
	if err != nil {
		return nil, err
	}
	p, err := s.cfg.Instances.Progress(ctx, i)
	if err != nil {
		return nil, err
	}
	return &bodyOf[client.Progress]{wireProgress(i, p)}, nil
}

func (s *service) instanceJobs(ctx context.Context, in *refInput) (*bodyOf[client.List[client.Job]], error) {
	i, err := s.cfg.Instances.Get(ctx, actor(ctx), in.Ref)
	if err != nil {
		return nil, err
	}
	jobs, err := s.cfg.Jobs.Of(ctx, i.ID)
	if err != nil {
		return nil, err
	}
	return &bodyOf[client.List[client.Job]]{client.List[client.Job]{Items: wireJobs(jobs)}}, nil
}
