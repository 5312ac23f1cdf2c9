package client

import "context"

// Sum is time that instances ran, or did not run, with what that comes to.
type Sum struct {
	Hours float64 `json:"hours"`
	Cost  float64 `json:"cost" doc:"In the portal's currency"`
	KWh   float64 `json:"kwh"`
}

// CostRow is what one person's instances of one app come to.
type CostRow struct {
	Owner     string `json:"owner,omitempty" doc:"Absent in the total, like app"`
	App       string `json:"app,omitempty"`
	Instances int    `json:"instances" doc:"That ran in the month"`
	Ran       Sum    `json:"ran"`
	Sweep     Sum    `json:"saved_by_sweep" doc:"Up to the time limits that swept instances had"`
	Idle      Sum    `json:"saved_by_idle" doc:"Up to the ends that idle instances would have had"`
	Limit     Sum    `json:"saved_by_limit" doc:"Up to the sweep after the time limit"`
}

// CostDay is one day of a month.
type CostDay struct {
	Day   string `json:"day" doc:"Such as 2026-11-28, on the portal's clock"`
	Ran   Sum    `json:"ran"`
	Saved Sum    `json:"saved"`
}

// Cost says what ran in a month, what it cost, and what was saved.
type Cost struct {
	Month    string    `json:"month" doc:"Such as 2026-11, on the portal's clock"`
	Currency string    `json:"currency"`
	Rows     []CostRow `json:"rows" nullable:"false" doc:"By person and app, the costliest first"`
	Total    CostRow   `json:"total"`
	Days     []CostDay `json:"days" nullable:"false"`
}

// Cost returns the ledger of a month; empty: the present one.
func (c *Client) Cost(ctx context.Context, month string) (Cost, error) {
	return get[Cost](ctx, c, "/cost", query(map[string]any{"month": month}))
}
