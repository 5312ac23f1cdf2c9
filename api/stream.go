package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// streamInput says what of the log is streamed.
type streamInput struct {
	LastEventID string   `header:"Last-Event-ID" maxLength:"2000" doc:"The id that was seen last; the stream goes on after it"`
	Last        string   `query:"last" maxLength:"2000" doc:"The same, for those who cannot send headers"`
	Instance    string   `query:"instance" maxLength:"128" doc:"One instance alone: ID, host name or a unique part of it"`
	All         bool     `query:"all" doc:"Everybody's, for admins"`
	Log         []string `query:"log,explode" maxItems:"8" doc:"JOB:OFFSET: the lines of this job's log too, from this byte on"`
}

func (s *service) registerStream() {
	register(s, huma.Operation{Method: http.MethodGet, Path: "/stream", OperationID: "stream", Tags: []string{"Portal"},
		Summary: "What happens, as it happens",
		Description: "Server-sent events. The first message is \"open\", with the number of the newest event. " +
			"Each event of the portal's log is a message named by its type, its data a JSON Event; " +
			"a line of a log is a message \"log\" with the data {job, offset, text}, where offset is the byte after it, " +
			"and the end of a log is a message \"log-end\". The id is the event's number and, for each log, its offset: 123;JOB=4567.",
		Responses: map[string]*huma.Response{"200": {Description: "A stream that does not end",
			Content: map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: "string"}}}}},
		Errors: []int{403, 404, 410, 422}}, s.stream)
}

func (s *service) stream(ctx context.Context, in *streamInput) (*huma.StreamResponse, error) {
	f, err := s.newFollower(ctx, in)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: f.run}, nil
}
