package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Schedule starts executions of a state machine at certain times.
type Schedule struct {
	Name         string          `json:"name"`
	Cron         string          `json:"cron" doc:"Minute, hour, day of month, month and weekday"`
	Zone         string          `json:"zone" doc:"IANA time zone"`
	StateMachine string          `json:"state_machine" doc:"Its name"`
	Input        json.RawMessage `json:"input"`
	Grace        string          `json:"grace" doc:"How late it may still be fired"`
	Paused       bool            `json:"paused"`
	Owner        string          `json:"owner" doc:"For whom its executions act"`
	BuiltIn      bool            `json:"built_in,omitempty" doc:"It is the portal's own"`
	NextAt       time.Time       `json:"next_at,omitzero" doc:"Absent while it is paused"`
	Next         []Due           `json:"next" nullable:"false" doc:"The next five times"`
	CreatedAt    time.Time       `json:"created_at"`
	UpdatedAt    time.Time       `json:"updated_at"`
	UpdatedBy    string          `json:"updated_by"`
	Last         *Firing         `json:"last,omitempty" doc:"The newest firing"`
}

// Due is a time of a schedule.
type Due struct {
	At    time.Time `json:"at"`
	Local string    `json:"local" doc:"Date and time on the clock of the zone"`
}

// Firing is a time of a schedule that came, or a time that somebody ran it.
type Firing struct {
	Local     string    `json:"local" doc:"Date and time on the clock of the zone; of a run by hand the execution's ID"`
	DueAt     time.Time `json:"due_at"`
	FiredAt   time.Time `json:"fired_at"`
	Outcome   string    `json:"outcome" enum:"started,missed,failed"`
	Execution string    `json:"execution,omitempty" doc:"ID"`
	Reason    string    `json:"reason,omitempty"`
	By        string    `json:"by,omitempty" doc:"Who ran it by hand"`
	Skipped   int       `json:"skipped,omitempty" doc:"Older times that were missed with it"`
}

// AddSchedule says what schedule to make: a cron expression, or a clock time.
type AddSchedule struct {
	Name         string          `json:"name" doc:"Lower-case letters, digits and dashes"`
	Cron         string          `json:"cron,omitempty" doc:"Minute, hour, day of month, month and weekday"`
	At           string          `json:"at,omitempty" doc:"Instead of cron: a clock time, such as 19:00"`
	Weekdays     string          `json:"weekdays,omitempty" doc:"With at: such as mon-fri or mon,thu; absent: every day"`
	Zone         string          `json:"zone,omitempty" doc:"IANA time zone; absent: the portal's"`
	StateMachine string          `json:"state_machine" doc:"Name of the state machine to start"`
	Input        json.RawMessage `json:"input,omitempty" doc:"Any JSON; absent: {}"`
	Grace        string          `json:"grace,omitempty" doc:"How late it may still be fired, 1m to 7d; absent: 1h"`
	Paused       bool            `json:"paused,omitempty"`
}

// ChangeSchedule says what to change of a schedule; what is absent stays.
type ChangeSchedule struct {
	Cron         *string         `json:"cron,omitempty"`
	At           *string         `json:"at,omitempty"`
	Weekdays     *string         `json:"weekdays,omitempty"`
	Zone         *string         `json:"zone,omitempty"`
	StateMachine *string         `json:"state_machine,omitempty"`
	Input        json.RawMessage `json:"input,omitempty"`
	Grace        *string         `json:"grace,omitempty"`
}

// Schedules returns all schedules in the order of their names.
func (c *Client) Schedules(ctx context.Context) ([]Schedule, error) {
	return items[Schedule](ctx, c, "/schedules", nil)
}

// Schedule returns one schedule.
func (c *Client) Schedule(ctx context.Context, name string) (Schedule, error) {
	return get[Schedule](ctx, c, "/schedules/"+seg(name), nil)
}

// Firings returns the newest firings of a schedule, at most limit.
func (c *Client) Firings(ctx context.Context, name string, limit int) ([]Firing, error) {
	return items[Firing](ctx, c, "/schedules/"+seg(name)+"/firings", url.Values{"limit": {strconv.Itoa(limit)}})
}

// AddSchedule makes a schedule.
func (c *Client) AddSchedule(ctx context.Context, in AddSchedule) (Schedule, error) {
	return send[Schedule](ctx, c, http.MethodPost, "/schedules", in)
}

// ChangeSchedule changes a schedule.
func (c *Client) ChangeSchedule(ctx context.Context, name string, in ChangeSchedule) (Schedule, error) {
	return send[Schedule](ctx, c, http.MethodPatch, "/schedules/"+seg(name), in)
}

// PauseSchedule keeps a schedule from being due.
func (c *Client) PauseSchedule(ctx context.Context, name string) (Schedule, error) {
	return send[Schedule](ctx, c, http.MethodPost, "/schedules/"+seg(name)+"/pause", nil)
}

// ResumeSchedule takes PauseSchedule back.
func (c *Client) ResumeSchedule(ctx context.Context, name string) (Schedule, error) {
	return send[Schedule](ctx, c, http.MethodPost, "/schedules/"+seg(name)+"/resume", nil)
}

// RunSchedule starts an execution of a schedule now.
func (c *Client) RunSchedule(ctx context.Context, name string) (Firing, error) {
	return send[Firing](ctx, c, http.MethodPost, "/schedules/"+seg(name)+"/run", nil)
}

// RemoveSchedule deletes a schedule.
func (c *Client) RemoveSchedule(ctx context.Context, name string) error {
	return c.remove(ctx, "/schedules/"+seg(name))
}
