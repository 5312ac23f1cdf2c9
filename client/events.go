package client

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// Sent says where events are in the log that were sent.
type Sent struct {
	Events []SentEvent `json:"events" nullable:"false"`
}

// SentEvent is an event that was sent, now or before.
type SentEvent struct {
	Number int64  `json:"number"`
	ID     string `json:"id"`
	Source string `json:"source"`
}

// EventType is a type of the portal's own events.
type EventType struct {
	Type        string          `json:"type"`
	Title       string          `json:"title"`
	Description string          `json:"description"`
	Source      string          `json:"source" doc:"Of its events"`
	Subject     string          `json:"subject" doc:"What their subject is"`
	Owner       string          `json:"owner" doc:"Whom they concern"`
	Schema      string          `json:"schema" doc:"Where the JSON Schema of their data is"`
	Example     json.RawMessage `json:"example" doc:"Of their data"`
}

// EventTypes returns the types of the portal's own events by name.
func (c *Client) EventTypes(ctx context.Context) (List[EventType], error) {
	return get[List[EventType]](ctx, c, "/event-types", nil)
}

// EventSchema returns the JSON Schema of the data of a type of events.
func (c *Client) EventSchema(ctx context.Context, typ string) (json.RawMessage, error) {
	return get[json.RawMessage](ctx, c, "/event-types/"+seg(typ), nil)
}

// EventFilter chooses events; empty fields choose all.
type EventFilter struct {
	Type, Source, Subject, Instance string
	Text                            string    // words that must all be in it
	Since                           time.Time // not before
	Before                          string    // Next of the page before
	Limit                           int       // 1 to 500; 0: 100
}

// EventLog returns a page of the events that one may see, newest first.
func (c *Client) EventLog(ctx context.Context, f EventFilter) (List[Event], error) {
	return get[List[Event]](ctx, c, "/events", query(map[string]any{"type": f.Type, "source": f.Source, "subject": f.Subject,
		"instance": f.Instance, "text": f.Text, "since": f.Since, "before": f.Before, "limit": f.Limit}))
}

// EventAt returns the event with a number.
func (c *Client) EventAt(ctx context.Context, number int64) (Event, error) {
	return get[Event](ctx, c, "/events/"+strconv.FormatInt(number, 10), nil)
}

// SendEvents sends events as JSON: one, or an array, of CloudEvents 1.0.
func (c *Client) SendEvents(ctx context.Context, body []byte) (out Sent, err error) {
	_, err = c.call(ctx, request{method: http.MethodPost, path: "/events", body: bytes.NewReader(body), contentType: "application/json"}, &out)
	return out, err
}
