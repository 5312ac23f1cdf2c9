package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/internal-app-portal/iap/client"
	"github.com/internal-app-portal/iap/instance"
)

func (s *service) registerSweeps() {
	tags := []string{"Schedules"}
	register(s, huma.Operation{Method: http.MethodGet, Path: "/sweeps", OperationID: "list-sweeps", Tags: tags,
		Summary: "Sweeps, newest first, without their results", Errors: []int{403}}, s.listSweeps)
	register(s, huma.Operation{Method: http.MethodGet, Path: "/sweeps/{execution}", OperationID: "get-sweep", Tags: tags,
		Summary: "The report of a sweep", Errors: []int{403, 404}}, s.getSweep)
}

type sweepsInput struct {
	Limit int `query:"limit" minimum:"1" maximum:"500" default:"50"`
}

func (s *service) listSweeps(ctx context.Context, in *sweepsInput) (*bodyOf[client.List[client.Sweep]], error) {
	found, err := s.cfg.Instances.Sweeps(ctx, actor(ctx), in.Limit)
	if err != nil {
		return nil, err
	}
	out := client.List[client.Sweep]{Items: []client.Sweep{}}
	for _, x := range found {
		out.Items = append(out.Items, wireSweep(x))
	}
	return &bodyOf[client.List[client.Sweep]]{out}, nil
}

type sweepInput struct {
	Execution string `path:"execution" maxLength:"26" doc:"ID of the sweep's execution"`
}

func (s *service) getSweep(ctx context.Context, in *sweepInput) (*bodyOf[client.Sweep], error) {
	x, err := s.cfg.Instances.GetSweep(ctx, actor(ctx), in.Execution)
	if err != nil {
		return nil, err
	}
	return &bodyOf[client.Sweep]{wireSweep(x)}, nil
}

func wireSweep(x instance.Sweep) client.Sweep {
	out := client.Sweep{Execution: x.Execution, StartedAt: ms(x.StartedAt), FinishedAt: ms(x.FinishedAt), Destroyed: x.Destroyed,
		Kept: x.Kept, Failed: x.Failed, HoursSaved: x.HoursSaved, MoneySaved: x.MoneySaved, Currency: x.Currency, WaitedFor: x.WaitedFor, WaitedSeconds: x.WaitedSeconds,
		Results: []client.SweepResult{}}
	for _, r := range x.Results {
		out.Results = append(out.Results, client.SweepResult{Instance: r.Instance, HostName: r.HostName, App: r.App, Owner: r.Owner,
			Outcome: string(r.Outcome), KeptUntil: r.KeptUntil, KeptBy: r.KeptBy, KeepReason: r.KeepReason, Reason: r.Reason,
			HoursSaved: r.HoursSaved, MoneySaved: r.MoneySaved, WaitedFor: r.WaitedFor, WaitedSeconds: r.WaitedSeconds})
	}
	return out
}
