package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/internal-app-portal/iap/client"
	"github.com/internal-app-portal/iap/instance"
)

func (s *service) registerCost() {
	register(s, huma.Operation{Method: http.MethodGet, Path: "/cost", OperationID: "cost", Tags: []string{"Instances"},
		Summary:     "What ran in a month, what it cost, and what was saved",
		Description: "Of everybody for admins, else of one's own instances.", Errors: []int{422}}, s.cost)
}

type costInput struct {
	Month string `query:"month" maxLength:"20" doc:"Such as 2026-11; absent: the present one"`
}

func (s *service) cost(ctx context.Context, in *costInput) (*bodyOf[client.Cost], error) {
	l, err := s.cfg.Instances.Ledger(ctx, actor(ctx), in.Month)
	if err != nil {
		return nil, err
	}
	out := client.Cost{Month: l.Month, Currency: l.Currency, Rows: []client.CostRow{}, Total: costRow(l.Total), Days: []client.CostDay{}}
	for _, r := range l.Rows {
		out.Rows = append(out.Rows, costRow(r))
	}
	for _, d := range l.Days {
		out.Days = append(out.Days, client.CostDay{Day: d.Day, Ran: client.Sum(d.Ran), Saved: client.Sum(d.Saved)})
	}
	return &bodyOf[client.Cost]{out}, nil
}

func costRow(r instance.LedgerRow) client.CostRow {
	return client.CostRow{Owner: r.Owner, App: r.App, Instances: r.Instances, Ran: client.Sum(r.Ran), Sweep: client.Sum(r.Sweep),
		Idle: client.Sum(r.Idle), Limit: client.Sum(r.Limit)}
}
