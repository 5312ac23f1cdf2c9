package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/client"
	"github.com/internal-app-portal/iap/event"
)

// schemaType is the media type of a JSON Schema.
const schemaType = "application/schema+json"

func (s *service) registerEventTypes() {
	tags := []string{"Events"}
	register(s, huma.Operation{Method: http.MethodGet, Path: "/event-types", OperationID: "list-event-types", Tags: tags,
		Summary: "The types of the portal's own events, with an example of the data of each", Security: public}, s.listEventTypes)
	register(s, huma.Operation{Method: http.MethodGet, Path: "/event-types/{type}", OperationID: "get-event-type", Tags: tags,
		Summary: "The JSON Schema of the data of a type of the portal's own events, as dataschema names it", Security: public, Errors: []int{404},
		Responses: map[string]*huma.Response{"200": {Description: "A JSON Schema (2020-12)", Content: map[string]*huma.MediaType{schemaType: {}}}}},
		s.getEventType)
}

func (s *service) listEventTypes(context.Context, *struct{}) (*bodyOf[client.List[client.EventType]], error) {
	out := client.List[client.EventType]{Items: []client.EventType{}}
	for _, d := range event.Types() {
		out.Items = append(out.Items, client.EventType{Type: d.Type, Title: d.Title, Description: d.Description, Source: d.Source,
			Subject: d.Subject, Owner: d.Owner, Schema: s.cfg.Portal + event.SchemaPath(d.Type), Example: d.Examples[0]})
	}
	return &bodyOf[client.List[client.EventType]]{out}, nil
}

type eventTypeInput struct {
	Type string `path:"type" maxLength:"100"`
}

type schemaOutput struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

func (s *service) getEventType(_ context.Context, in *eventTypeInput) (*schemaOutput, error) {
	d, ok := event.Describe(in.Type)
	if !ok {
		return nil, iap.Errorf("api.EventType", iap.NotFound, "%.100q is no type of the portal's own events", in.Type)
	}
	var doc map[string]any
	if err := json.Unmarshal(d.Schema, &doc); err != nil {
		return nil, err
	}
	doc["$id"] = s.cfg.Portal + event.SchemaPath(d.Type)
	b, err := json.MarshalIndent(doc, "", "  ")
	return &schemaOutput{schemaType, b}, err
}
