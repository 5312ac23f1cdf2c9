package client

import (
	"context"
	"net/http"
	"time"
)

// Keep says up to when an instance is kept, and what for.
type Keep struct {
	Until  string `json:"until" maxLength:"40" doc:"A clock time of the portal, such as 21:00, or a moment, such as 2026-11-28T21:00:00Z"`
	Reason string `json:"reason" maxLength:"1000" doc:"What it is kept for, in a few words"`
}

// End is when an instance ends if nobody destroys it before.
type End struct {
	At time.Time `json:"at"`
	By string    `json:"by" enum:"time_limit,nightly_sweep,keep_until,idle,booking"`
}

// Activity is the last use of an app: by its address, never by the portal's pages.
type Activity struct {
	At   time.Time `json:"at" doc:"Now, while anything is open"`
	Kind string    `json:"kind" enum:"request,stream,websocket"`
	Open int       `json:"open,omitempty" doc:"Requests, streams and WebSockets that are open"`
}

// Sweep is a sweep with its report.
type Sweep struct {
	Execution     string        `json:"execution" doc:"ID of its execution"`
	StartedAt     time.Time     `json:"started_at"`
	FinishedAt    time.Time     `json:"finished_at,omitzero" doc:"Absent while it goes on"`
	Destroyed     int           `json:"destroyed" doc:"Instances that are destroyed, of which nothing is left"`
	Kept          int           `json:"kept"`
	Failed        int           `json:"failed"`
	HoursSaved    float64       `json:"hours_saved" doc:"Up to the ends that the destroyed ones had"`
	MoneySaved    float64       `json:"money_saved" doc:"What those hours would have cost"`
	Currency      string        `json:"currency,omitempty"`
	WaitedFor     string        `json:"waited_for,omitempty" doc:"The platform, where it did not answer meanwhile"`
	WaitedSeconds float64       `json:"waited_seconds,omitempty"`
	Results       []SweepResult `json:"results" nullable:"false" doc:"Failed ones first; not in lists"`
}

// SweepResult is what a sweep has made of an instance.
type SweepResult struct {
	Instance      string  `json:"instance"`
	HostName      string  `json:"host_name"`
	App           string  `json:"app"`
	Owner         string  `json:"owner"`
	Outcome       string  `json:"outcome" enum:"destroyed,kept,failed"`
	KeptUntil     string  `json:"kept_until,omitempty"`
	KeptBy        string  `json:"kept_by,omitempty"`
	KeepReason    string  `json:"keep_reason,omitempty"`
	Reason        string  `json:"reason,omitempty" doc:"Why it failed"`
	HoursSaved    float64 `json:"hours_saved"`
	MoneySaved    float64 `json:"money_saved"`
	WaitedFor     string  `json:"waited_for,omitempty"`
	WaitedSeconds float64 `json:"waited_seconds,omitempty"`
}

// Keep has the sweep spare an instance.
func (c *Client) Keep(ctx context.Context, ref string, in Keep) (Instance, error) {
	return send[Instance](ctx, c, http.MethodPut, "/instances/"+seg(ref)+"/keep", in)
}

// Release takes Keep back.
func (c *Client) Release(ctx context.Context, ref string) (Instance, error) {
	return send[Instance](ctx, c, http.MethodDelete, "/instances/"+seg(ref)+"/keep", nil)
}

// Sweep returns the report of a sweep.
func (c *Client) Sweep(ctx context.Context, execution string) (Sweep, error) {
	return get[Sweep](ctx, c, "/sweeps/"+seg(execution), nil)
}

// Sweeps returns the newest sweeps without their results.
func (c *Client) Sweeps(ctx context.Context) ([]Sweep, error) {
	return items[Sweep](ctx, c, "/sweeps", nil)
}
