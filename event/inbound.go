package event

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"mime"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	iap "github.com/internal-app-portal/iap"
)

// The bounds of what is taken in.
const (
	MaxBody   = 1 << 20   // bytes of a request
	maxBatch  = 500       // events of a request
	maxData   = 256 << 10 // bytes of an event's data
	maxAttr   = 1000      // bytes of an attribute
	opInbound = "event.Parse"
)

// Attributes are those of an event whose data alone is the body (CloudEvents
// 1.0, HTTP binding, binary mode).
type Attributes struct {
	SpecVersion, ID, Source, Type, Subject, Time string
	Extensions                                   json.RawMessage // as in Event
}

// AttributesOf returns the attributes of an event in binary mode by their names in
// small letters.
func AttributesOf(found map[string]string) Attributes {
	more := map[string]json.RawMessage{}
	for name, v := range found {
		more[name], _ = json.Marshal(v) // a text
	}
	return Attributes{SpecVersion: found["specversion"], ID: found["id"], Source: found["source"], Type: found["type"],
		Subject: found["subject"], Time: found["time"], Extensions: further(more)}
}

// inbound is an event as others write it: CloudEvents 1.0 in JSON, or with
// detail-type the envelope of AWS EventBridge.
type inbound struct {
	SpecVersion     string          `json:"specversion"`
	ID              string          `json:"id"`
	Source          string          `json:"source"`
	Type            string          `json:"type"`
	Subject         string          `json:"subject"`
	Time            string          `json:"time"`
	DataContentType string          `json:"datacontenttype"`
	Data            json.RawMessage `json:"data"`
	DataBase64      *string         `json:"data_base64"`

	DetailType *string         `json:"detail-type"`
	Detail     json.RawMessage `json:"detail"`
	Resources  []string        `json:"resources"`
}

// Parse reads the events of a request: CloudEvents 1.0 in structured, batched or
// binary mode, or AWS EventBridge's own envelope. An event without a time has
// happened now. The error is Invalid and names the event and the attribute.
func Parse(contentType string, a Attributes, body []byte, now time.Time) ([]*Event, error) {
	if len(body) > MaxBody {
		return nil, iap.FieldErrorf(opInbound, "body", "it has %d bytes; at most %d are allowed", len(body), MaxBody)
	}
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil && contentType != "" {
		return nil, iap.FieldErrorf(opInbound, "Content-Type", "%.100q is no media type", contentType)
	}
	if a.SpecVersion != "" {
		e, err := binary(media, a, body, now)
		return []*Event{e}, err
	}
	switch media {
	case ContentType, "application/json":
	case "application/cloudevents-batch+json":
		return batch(body, now)
	default:
		return nil, iap.FieldErrorf(opInbound, "Content-Type",
			"%.100q is none of application/cloudevents+json, application/cloudevents-batch+json and application/json, and there is no header ce-specversion", media)
	}
	if b := bytes.TrimSpace(body); len(b) > 0 && b[0] == '[' {
		return batch(body, now)
	}
	e, err := structured("", body, now)
	return []*Event{e}, err
}

func batch(body []byte, now time.Time) ([]*Event, error) {
	var all []json.RawMessage
	if err := json.Unmarshal(body, &all); err != nil {
		return nil, iap.FieldErrorf(opInbound, "body", "it is not a JSON array of events: %v", err)
	}
	if len(all) > maxBatch {
		return nil, iap.FieldErrorf(opInbound, "body", "it has %d events; at most %d are allowed at once", len(all), maxBatch)
	}
	out := make([]*Event, 0, len(all))
	for i, one := range all {
		e, err := structured(fmt.Sprintf("[%d].", i), one, now)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

// structured reads one event in JSON; at is put before the names of fields.
func structured(at string, body []byte, now time.Time) (*Event, error) {
	var in inbound
	if !utf8.Valid(body) {
		return nil, iap.FieldErrorf(opInbound, at+"body", "it is not UTF-8")
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, iap.FieldErrorf(opInbound, at+"body", "it is not an event in JSON: %v", err)
	}
	if in.DetailType != nil && in.SpecVersion == "" {
		return bridged(at, in, body, now)
	}
	data := in.Data
	switch {
	case in.DataBase64 == nil:
	case len(in.Data) > 0:
		return nil, iap.FieldErrorf(opInbound, at+"data_base64", "there is data as well; give one of them")
	default:
		raw, err := base64.StdEncoding.DecodeString(*in.DataBase64)
		if err != nil {
			return nil, iap.FieldErrorf(opInbound, at+"data_base64", "it is not base 64")
		}
		data = dataOf(in.DataContentType, raw)
	}
	var all map[string]json.RawMessage
	_ = json.Unmarshal(body, &all) // it is an object: in was read from it
	return finish(at, Attributes{in.SpecVersion, in.ID, in.Source, in.Type, in.Subject, in.Time, further(all)}, data, now)
}

// bridged takes the envelope of EventBridge as the data, whole.
func bridged(at string, in inbound, body []byte, now time.Time) (*Event, error) {
	a := Attributes{"1.0", in.ID, in.Source, *in.DetailType, "", in.Time, nil}
	if len(in.Resources) > 0 {
		a.Subject = in.Resources[0]
	}
	if len(in.Detail) == 0 {
		return nil, iap.FieldErrorf(opInbound, at+"detail", "it is missing, which every event of EventBridge has")
	}
	return finish(at, a, body, now)
}

func binary(media string, a Attributes, body []byte, now time.Time) (*Event, error) {
	if (media == "application/json" || strings.HasSuffix(media, "+json")) && len(body) > 0 && !json.Valid(body) {
		return nil, iap.FieldErrorf(opInbound, "body", "it is not JSON, as Content-Type says it is")
	}
	return finish("", a, dataOf(media, body), now)
}

// dataOf is data of a media type as JSON: JSON as it is, text as a string, and
// anything else in base 64.
func dataOf(media string, raw []byte) json.RawMessage {
	if m, _, err := mime.ParseMediaType(media); err == nil {
		media = m
	}
	isJSON := media == "" || media == "application/json" || strings.HasSuffix(media, "+json")
	var v any
	switch {
	case len(raw) == 0:
		return nil
	case isJSON && json.Valid(raw) && utf8.Valid(raw):
		return raw
	case utf8.Valid(raw):
		v = string(raw)
	default:
		v = map[string]string{"base64": base64.StdEncoding.EncodeToString(raw)}
	}
	out, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return out
}

// reserved are the first parts of the sources that are the portal's own.
var reserved = []string{"instances", "jobs", "apps", "executions", "rules", "targets", "deliveries", "schedules", "leaks", "logins",
	"settings", "states", "portal", "subscriptions", "bookings", "sweeps", "map-runs", "tfstate"}

// finish checks what all forms have in common.
func finish(at string, a Attributes, data json.RawMessage, now time.Time) (*Event, error) {
	bad := func(field, format string, args ...any) (*Event, error) {
		return nil, iap.FieldErrorf(opInbound, at+field, format, args...)
	}
	if a.SpecVersion != "1.0" {
		return bad("specversion", "%.20q is not \"1.0\"", a.SpecVersion)
	}
	for _, x := range []struct{ name, value string }{{"id", a.ID}, {"source", a.Source}, {"type", a.Type}, {"subject", a.Subject}} {
		switch {
		case x.value == "" && x.name != "subject":
			return bad(x.name, "it is missing")
		case len(x.value) > maxAttr:
			return bad(x.name, "it has %d bytes; at most %d are allowed", len(x.value), maxAttr)
		case strings.ContainsFunc(x.value, func(r rune) bool { return r < ' ' || r == 0x7f || r == utf8.RuneError }):
			return bad(x.name, "it holds control characters")
		}
	}
	if strings.HasPrefix(a.Type, "iap.") || strings.HasPrefix(a.Type, "workflow.") {
		return bad("type", "%.100q begins as the portal's own types do", a.Type)
	}
	if first, _, _ := strings.Cut(strings.TrimPrefix(a.Source, "/"), "/"); strings.HasPrefix(a.Source, "/") && slices.Contains(reserved, first) {
		return bad("source", "%.100q is one of the portal's own", a.Source)
	}
	if len(data) > maxData {
		return bad("data", "it has %d bytes; at most %d are allowed", len(data), maxData)
	}
	if err := checkExtensions(at, a.Extensions); err != nil {
		return nil, err
	}
	e := &Event{ID: a.ID, Source: a.Source, Type: a.Type, Subject: a.Subject, Time: now, Data: data, Extensions: a.Extensions}
	if len(data) == 0 {
		e.Data = json.RawMessage("null")
	}
	if a.Time != "" {
		t, err := time.Parse(time.RFC3339Nano, a.Time)
		if err != nil {
			return bad("time", "%.50q is not a time such as 2026-01-31T12:00:00Z", a.Time)
		}
		e.Time = t
	}
	return e, nil
}
