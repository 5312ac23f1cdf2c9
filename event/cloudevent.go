package event

import (
	"encoding/json"
	"strconv"
	"time"
)

// ContentType is the media type of an event as JSON (CloudEvents 1.0, JSON
// event format, structured mode).
const ContentType = "application/cloudevents+json"

// cloudEvent is the JSON event format. Extension attributes are small letters
// and digits alone, and a CloudEvents integer has 32 bits, so that the number
// is a text.
type cloudEvent struct {
	SpecVersion     string          `json:"specversion"`
	ID              string          `json:"id"`
	Source          string          `json:"source"`
	Type            string          `json:"type"`
	Subject         string          `json:"subject,omitempty"`
	Time            string          `json:"time"`
	DataContentType string          `json:"datacontenttype,omitempty"`
	Number          string          `json:"iapnumber,omitempty"`
	Owner           string          `json:"iapowner,omitempty"`
	Group           string          `json:"iapgroup,omitempty"`
	Data            json.RawMessage `json:"data,omitempty"`
}

// Structured returns an event as CloudEvents 1.0 JSON.
func Structured(e Event) ([]byte, error) {
	c := cloudEvent{SpecVersion: "1.0", ID: e.ID, Source: e.Source, Type: e.Type, Subject: e.Subject,
		Time: e.Time.UTC().Format(time.RFC3339Nano), Owner: e.Owner, Group: e.Group, Data: e.Data}
	if len(e.Data) > 0 {
		c.DataContentType = "application/json"
	}
	if e.Number > 0 {
		c.Number = strconv.FormatInt(e.Number, 10)
	}
	b, err := json.Marshal(c)
	if err != nil || len(e.Extensions) < len(`{"a":0}`) {
		return b, err
	}
	// Parse takes no extension that has the name of another attribute.
	return append(append(b[:len(b)-1], ','), e.Extensions[1:]...), nil
}

// WithSchema returns an event with the address of its schema at a portal, where its
// type is one of the portal's own.
func WithSchema(e Event, portal string) Event {
	if _, own := Describe(e.Type); own && len(e.Extensions) == 0 {
		e.Extensions, _ = json.Marshal(map[string]string{"dataschema": portal + SchemaPath(e.Type)}) // cannot fail
	}
	return e
}
