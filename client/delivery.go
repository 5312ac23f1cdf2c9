package client

import (
	"context"
	"net/http"
	"time"
)

// Rule chooses events and says where they go.
type Rule struct {
	Name      string    `json:"name"`
	When      string    `json:"when" doc:"CEL over the event: event.type == 'iap.leak.found'"`
	Targets   []string  `json:"targets" nullable:"false" doc:"Names of targets"`
	Paused    bool      `json:"paused"`
	CreatedAt time.Time `json:"created_at,omitzero"`
	UpdatedAt time.Time `json:"updated_at,omitzero"`
	UpdatedBy string    `json:"updated_by,omitempty"`
}

// PutRule adds or changes a rule.
type PutRule struct {
	When    string   `json:"when" doc:"CEL over the event: event.type == 'iap.leak.found'"`
	Targets []string `json:"targets" nullable:"false" doc:"Names of targets"`
}

// TryRule asks which events an expression chooses.
type TryRule struct {
	When string `json:"when" doc:"CEL over the event"`
}

// TriedEvent is how an expression fares with one event.
type TriedEvent struct {
	Event   Event  `json:"event"`
	Matches bool   `json:"matches"`
	Error   string `json:"error,omitempty" doc:"Why the expression is neither true nor false of the event"`
}

// Target is somewhere events go.
type Target struct {
	Name     string         `json:"name"`
	Kind     string         `json:"kind" enum:"webhook,chat,mail,topic,execution,task"`
	Settings TargetSettings `json:"settings"`
	Secret   string         `json:"secret,omitempty" doc:"Of the signature; only when the target was added"`
	OldUntil time.Time      `json:"old_secret_until,omitzero" doc:"Until when deliveries are signed by the secret before as well"`
	Attempts int            `json:"attempts,omitempty" doc:"At most; absent: for three days"`
	Backoff  string         `json:"backoff" doc:"Before the second attempt; twice as long before each further one"`
	Timeout  string         `json:"timeout" doc:"Of one attempt"`
	Rate     float64        `json:"rate,omitempty" doc:"Deliveries a second at most; absent: no limit"`
	Ordered  bool           `json:"ordered,omitempty" doc:"Events of one subject go one after the other"`
	Status   string         `json:"status" enum:"active,paused,disabled"`
	Disabled string         `json:"disabled,omitempty" doc:"Why the portal makes no deliveries"`
	Health   TargetHealth   `json:"health"`

	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	UpdatedBy string    `json:"updated_by"`
}

// TargetSettings are what only some kinds of target have.
type TargetSettings struct {
	URL     string   `json:"url,omitempty" doc:"Of a webhook, chat or topic"`
	Format  string   `json:"format,omitempty" doc:"Of a chat: slack or teams; absent: by its URL"`
	To      []string `json:"to,omitempty" doc:"Of mail: addresses"`
	Machine string   `json:"machine,omitempty" doc:"Of an execution: the state machine's name"`
	State   string   `json:"state,omitempty" doc:"Of a task by of: the state of the execution that waits; needed where several do"`
	Allow   []string `json:"allow,omitempty" doc:"Of a webhook or chat: networks and hosts inside that may be reached"`
	Private bool     `json:"private,omitempty" doc:"Of a webhook or chat: all addresses inside may be reached"`
	Title   string   `json:"title,omitempty" doc:"Of a chat or mail: CEL for the message's title; absent: what happened"`
	Text    string   `json:"text,omitempty" doc:"Of a chat or mail: CEL for the message's text; absent: the event's details"`
	Input   string   `json:"input,omitempty" doc:"Of an execution: CEL for its input; absent: the event"`
	Token   string   `json:"token,omitempty" doc:"Of a task: CEL for the task token"`
	Of      string   `json:"of,omitempty" doc:"Of a task: CEL for the ID of the execution whose task waits, of a job, which is ended, or of an instance, which is destroyed"`
	Output  string   `json:"output,omitempty" doc:"Of a task: CEL for its result; absent: the event's data"`
	Error   string   `json:"error,omitempty" doc:"Of a task: CEL for the name of its error; absent or empty: it succeeds"`
	Cause   string   `json:"cause,omitempty" doc:"Of a task: CEL for the cause of its error"`
}

// TargetHealth is what is known of a target's deliveries.
type TargetHealth struct {
	Waiting    int       `json:"waiting"`
	Dead       int       `json:"dead" doc:"Dead letters"`
	LastOK     time.Time `json:"last_ok_at,omitzero"`
	LastFailed time.Time `json:"last_failed_at,omitzero"`
	LastError  string    `json:"last_error,omitempty"`
	Failures   int       `json:"failures,omitempty" doc:"Attempts in a row that have failed, as last noted"`
	Down       bool      `json:"down,omitempty" doc:"So many have failed that it gets few at once, until one succeeds"`
}

// AddTarget adds a target.
type AddTarget struct {
	Name     string         `json:"name" doc:"Small letters, digits and '-'"`
	Kind     string         `json:"kind" enum:"webhook,chat,mail,topic,execution,task"`
	Settings TargetSettings `json:"settings"`
	Secret   string         `json:"secret,omitempty" doc:"\"whsec_\" and 24 to 64 bytes in base 64; absent: a new one"`
	Attempts int            `json:"attempts,omitempty" doc:"At most; absent: for three days"`
	Backoff  string         `json:"backoff,omitempty" doc:"A duration such as 5s"`
	Timeout  string         `json:"timeout,omitempty" doc:"A duration such as 15s"`
	Rate     float64        `json:"rate,omitempty"`
	Ordered  bool           `json:"ordered,omitempty"`
}

// ChangeTarget changes a target; what is absent stays as it is.
type ChangeTarget struct {
	Settings *TargetSettings `json:"settings,omitempty" doc:"All of them"`
	Attempts *int            `json:"attempts,omitempty" doc:"At most; 0: for three days"`
	Backoff  *string         `json:"backoff,omitempty" doc:"A duration such as 5s"`
	Timeout  *string         `json:"timeout,omitempty" doc:"A duration such as 15s"`
	Rate     *float64        `json:"rate,omitempty" doc:"Deliveries a second at most; 0: no limit"`
	Ordered  *bool           `json:"ordered,omitempty"`
}

// RotateSecret gives a target a new secret.
type RotateSecret struct {
	Secret  string `json:"secret,omitempty" doc:"\"whsec_\" and 24 to 64 bytes in base 64; absent: a new one"`
	Overlap string `json:"overlap,omitempty" doc:"How long deliveries are signed by the old one as well: a duration such as 24h, the default; 0: not at all"`
}

// Pause pauses something or has it go on.
type Pause struct {
	Paused bool `json:"paused"`
}

// Delivery is the way of one event to one target.
type Delivery struct {
	ID        string    `json:"id"`
	Number    int64     `json:"number" doc:"Of the event"`
	Target    string    `json:"target"`
	Rule      string    `json:"rule"`
	Subject   string    `json:"subject,omitempty"`
	EventType string    `json:"event_type"`
	Status    string    `json:"status" enum:"waiting,delivered,dead,dropped"`
	Attempts  int       `json:"attempts" doc:"Made so far"`
	Since     time.Time `json:"since"`
	NextAt    time.Time `json:"next_at,omitzero" doc:"Of the next attempt; absent while it waits for another event of its subject"`
	EndedAt   time.Time `json:"ended_at,omitzero"`
	Reason    string    `json:"reason,omitempty" doc:"Why the last attempt failed, or why it was dropped"`
	Redrive   string    `json:"redrive,omitempty"`
	Tries     []Attempt `json:"tries,omitempty" doc:"Not in lists"`
	Event     *Event    `json:"event,omitempty" doc:"Not in lists"`
}

// Attempt is one try at a delivery and how it was answered.
type Attempt struct {
	Number      int       `json:"number"`
	At          time.Time `json:"at"`
	TookSeconds float64   `json:"took_seconds"`
	Code        int       `json:"code,omitempty" doc:"Status of the answer; absent: there was none"`
	Answer      string    `json:"answer,omitempty" doc:"The first 64 KiB of it"`
	Error       string    `json:"error,omitempty" doc:"Why it failed; absent: it did not"`
}

// RedriveRequest says which dead letters are delivered again.
type RedriveRequest struct {
	IDs    []string  `json:"ids,omitempty" maxItems:"1000"`
	All    bool      `json:"all,omitempty" doc:"All that match target, type and since"`
	Target string    `json:"target,omitempty"`
	Type   string    `json:"type,omitempty" doc:"Type of the event; with * at its end all that begin so"`
	Since  time.Time `json:"since,omitzero" doc:"Given up not before"`
}

// Redrive is how far a redrive is.
type Redrive struct {
	ID        string `json:"id"`
	Total     int    `json:"total"`
	Waiting   int    `json:"waiting"`
	Delivered int    `json:"delivered"`
	Dead      int    `json:"dead" doc:"Dead letters again"`
	Dropped   int    `json:"dropped"`
}

// DeleteLetters deletes dead letters.
type DeleteLetters struct {
	IDs    []string `json:"ids" nullable:"false" maxItems:"1000"`
	Reason string   `json:"reason" doc:"Why the events need not be delivered"`
}

// Rules returns all rules by name.
func (c *Client) Rules(ctx context.Context) (List[Rule], error) {
	return get[List[Rule]](ctx, c, "/rules", nil)
}

// PutRule adds or changes a rule.
func (c *Client) PutRule(ctx context.Context, name string, in PutRule) (r Rule, created bool, err error) {
	status, err := c.sendJSON(ctx, request{method: http.MethodPut, path: "/rules/" + seg(name)}, in, &r)
	return r, status == http.StatusCreated, err
}

// PauseRule pauses a rule or has it go on.
func (c *Client) PauseRule(ctx context.Context, name string, paused bool) (Rule, error) {
	return send[Rule](ctx, c, http.MethodPost, "/rules/"+seg(name)+"/pause", Pause{paused})
}

// DeleteRule removes a rule.
func (c *Client) DeleteRule(ctx context.Context, name string) error {
	return c.remove(ctx, "/rules/"+seg(name))
}

// TryRule says which of the newest events an expression chooses.
func (c *Client) TryRule(ctx context.Context, when string) (List[TriedEvent], error) {
	return send[List[TriedEvent]](ctx, c, http.MethodPost, "/rules/try", TryRule{when})
}

// Targets returns all targets by name.
func (c *Client) Targets(ctx context.Context) (List[Target], error) {
	return get[List[Target]](ctx, c, "/targets", nil)
}

// Target returns one target.
func (c *Client) Target(ctx context.Context, name string) (Target, error) {
	return get[Target](ctx, c, "/targets/"+seg(name), nil)
}

// AddTarget adds a target.
func (c *Client) AddTarget(ctx context.Context, in AddTarget) (Target, error) {
	return send[Target](ctx, c, http.MethodPost, "/targets", in)
}

// ChangeTarget changes a target, which keeps its secret.
func (c *Client) ChangeTarget(ctx context.Context, name string, in ChangeTarget) (Target, error) {
	return send[Target](ctx, c, http.MethodPatch, "/targets/"+seg(name), in)
}

// PauseTarget has deliveries to a target wait, or go on.
func (c *Client) PauseTarget(ctx context.Context, name string, paused bool) (Target, error) {
	return send[Target](ctx, c, http.MethodPost, "/targets/"+seg(name)+"/pause", Pause{paused})
}

// RotateSecret gives a target a new secret, which the answer holds.
func (c *Client) RotateSecret(ctx context.Context, name string, in RotateSecret) (Target, error) {
	return send[Target](ctx, c, http.MethodPost, "/targets/"+seg(name)+"/rotate", in)
}

// TestTarget makes one attempt with an event that is not in the log.
func (c *Client) TestTarget(ctx context.Context, name string) (Attempt, error) {
	return send[Attempt](ctx, c, http.MethodPost, "/targets/"+seg(name)+"/test", nil)
}

// DeleteTarget removes a target.
func (c *Client) DeleteTarget(ctx context.Context, name string) error {
	return c.remove(ctx, "/targets/"+seg(name))
}

// DeliveryFilter chooses deliveries; empty fields choose all.
type DeliveryFilter struct {
	Target, Type, Status string
	Number               int64
	Since                time.Time // ended not before
	Before               string    // Next of the page before
	Limit                int       // 1 to 500; 0: 100
}

// Deliveries returns a page of deliveries, newest events first.
func (c *Client) Deliveries(ctx context.Context, f DeliveryFilter) (List[Delivery], error) {
	return get[List[Delivery]](ctx, c, "/deliveries", query(map[string]any{"target": f.Target, "type": f.Type, "status": f.Status,
		"since": f.Since, "number": f.Number, "before": f.Before, "limit": f.Limit}))
}

// Delivery returns one delivery with its attempts and its event.
func (c *Client) Delivery(ctx context.Context, id string) (Delivery, error) {
	return get[Delivery](ctx, c, "/deliveries/"+seg(id), nil)
}

// Redrive has dead letters be delivered again.
func (c *Client) Redrive(ctx context.Context, in RedriveRequest) (Redrive, error) {
	return send[Redrive](ctx, c, http.MethodPost, "/dead-letters/redrive", in)
}

// RedriveProgress says how far a redrive is.
func (c *Client) RedriveProgress(ctx context.Context, id string) (Redrive, error) {
	return get[Redrive](ctx, c, "/redrives/"+seg(id), nil)
}

// DeleteLetters deletes dead letters.
func (c *Client) DeleteLetters(ctx context.Context, in DeleteLetters) error {
	_, err := c.post(ctx, "/dead-letters/delete", in, nil)
	return err
}
