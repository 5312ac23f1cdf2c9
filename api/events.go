package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/auth"
	"github.com/internal-app-portal/iap/client"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/event/delivery"
)

// Inbox takes events from outside; *event.Inbox is one.
type Inbox interface {
	Take(ctx context.Context, owner string, events []*event.Event) ([]event.Event, error)
}

func (s *service) registerEvents() {
	if s.cfg.Events == nil || s.cfg.Inbox == nil {
		return
	}
	tags := []string{"Events"}
	register(s, huma.Operation{Method: http.MethodGet, Path: "/events", OperationID: "list-events", Tags: tags,
		Summary:     "Events that you may see, newest first",
		Description: "A search by text or time looks at some thousand events at once: a page may have few or none and yet a \"next\".",
		Errors:      []int{422}}, s.listEvents)
	register(s, huma.Operation{Method: http.MethodGet, Path: "/events/{number}", OperationID: "get-event", Tags: tags,
		Summary: "One event; 410 where it is not kept any more", Errors: []int{404, 410}}, s.getEvent)
	register(s, huma.Operation{Method: http.MethodPost, Path: "/events", OperationID: "send-events", Tags: tags, DefaultStatus: http.StatusOK,
		Summary: "Send events",
		Description: "Takes CloudEvents 1.0 in structured, batched and binary mode, and AWS EventBridge's own envelope. Each source and id is taken " +
			"once; a repeat is answered as the first was. The answer follows the commit. Who asks is known by a token, or by a Standard Webhooks " +
			"signature of a source that the operator has configured.",
		MaxBodyBytes: event.MaxBody, Security: []map[string][]string{{"token": {}}, {}}, Errors: []int{401, 413, 422, 503, 507},
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			event.ContentType: {}, "application/cloudevents-batch+json": {}, "application/json": {}, "*/*": {}}}}, s.sendEvents)
}

type eventsInput struct {
	Type    string `query:"type" maxLength:"300" doc:"Exactly, or with * at its end all that begin so"`
	Source  string `query:"source" maxLength:"1000"`
	Subject string `query:"subject" maxLength:"1000"`
	Group   string `query:"instance" maxLength:"26" doc:"ID of an instance"`
	Text    string `query:"text" maxLength:"300" doc:"Words that must all be in its attributes or its data, in whatever case"`

	Since  time.Time `query:"since" doc:"Not before"`
	Limit  int       `query:"limit" minimum:"1" maximum:"500" default:"100"`
	Before string    `query:"before" maxLength:"20" doc:"\"next\" of the page before"`
}

func (s *service) listEvents(ctx context.Context, in *eventsInput) (*bodyOf[client.List[client.Event]], error) {
	f := event.Filter{Type: in.Type, Source: in.Source, Subject: in.Subject, Group: in.Group, Limit: in.Limit}
	if a := actor(ctx); !a.Role.Includes(iap.Admin) {
		f.Viewer = a.ID
	}
	if in.Before != "" {
		n, err := strconv.ParseInt(in.Before, 10, 64)
		if err != nil || n < 1 {
			return nil, iap.FieldErrorf("api.Events", "query.before", "%q is not the \"next\" of a page", in.Before)
		}
		f.Before = n
	}
	found, err := event.Search(ctx, s.cfg.Events, event.Query{Filter: f, Since: in.Since, Text: in.Text})
	if err != nil {
		return nil, err
	}
	out := client.List[client.Event]{Items: []client.Event{}}
	for _, e := range found.Events {
		out.Items = append(out.Items, s.event(e))
	}
	if found.Next > 0 {
		out.Next = strconv.FormatInt(found.Next, 10)
	}
	return &bodyOf[client.List[client.Event]]{out}, nil
}

type eventInput struct {
	Number int64 `path:"number" minimum:"1"`
}

func (s *service) getEvent(ctx context.Context, in *eventInput) (*bodyOf[client.Event], error) {
	if err := s.kept(ctx, in.Number); err != nil {
		return nil, err
	}
	e, err := s.cfg.Events.EventAt(ctx, in.Number)
	a := actor(ctx)
	if err == nil && e.Owner != "" && e.Owner != a.ID && !a.Role.Includes(iap.Admin) || iap.IsKind(err, iap.NotFound) {
		return nil, iap.Errorf("api.Event", iap.NotFound, "there is no event %d", in.Number)
	}
	if err != nil {
		return nil, err
	}
	return &bodyOf[client.Event]{s.event(e)}, nil
}

// kept says that an event with a number is not kept any more: 410, with the oldest
// that is.
func (s *service) kept(ctx context.Context, number int64) error {
	if s.cfg.Oldest == nil {
		return nil
	}
	oldest, err := s.cfg.Oldest(ctx)
	if err != nil || number >= oldest {
		return err
	}
	return newProblem(http.StatusGone, "event %d is not kept any more; the oldest has the number %d: read what there is now, and follow from there", number, oldest)
}

type sendEventsInput struct {
	ContentType string `header:"Content-Type"`
	SpecVersion string `header:"Ce-Specversion" doc:"In binary mode, as the other attributes: 1.0"`
	ID          string `header:"Ce-Id"`
	Source      string `header:"Ce-Source"`
	Type        string `header:"Ce-Type"`
	Subject     string `header:"Ce-Subject"`
	Time        string `header:"Ce-Time"`
	WebhookID   string `header:"Webhook-Id"`
	Timestamp   string `header:"Webhook-Timestamp"`
	Signature   string `header:"Webhook-Signature"`
	RawBody     []byte
	attributes  map[string]string // all of binary mode, by their names in small letters
}

// Resolve implements huma.Resolver: an event may have attributes that are not known
// beforehand.
func (in *sendEventsInput) Resolve(ctx huma.Context) []error {
	in.attributes = map[string]string{}
	ctx.EachHeader(func(name, value string) {
		if attribute, ok := strings.CutPrefix(strings.ToLower(name), "ce-"); ok {
			in.attributes[attribute] = value
		}
	})
	return nil
}

func (s *service) sendEvents(ctx context.Context, in *sendEventsInput) (*bodyOf[client.Sent], error) {
	now := time.Now()
	owner, err := s.sender(ctx, in, now)
	if err != nil {
		return nil, err
	}
	events, err := event.Parse(in.ContentType, event.AttributesOf(in.attributes), in.RawBody, now)
	if err != nil {
		return nil, err
	}
	taken, err := s.cfg.Inbox.Take(ctx, owner, events)
	if err != nil {
		return nil, err
	}
	out := client.Sent{Events: []client.SentEvent{}}
	for _, e := range taken {
		out.Events = append(out.Events, client.SentEvent{Number: e.Number, ID: e.ID, Source: e.Source})
	}
	return &bodyOf[client.Sent]{out}, nil
}

// sender returns whom events concern: admins, where a configured source has
// signed them; else the person whose token came with them.
func (s *service) sender(ctx context.Context, in *sendEventsInput, now time.Time) (string, error) {
	if in.Signature == "" {
		if a, ok := iap.ActorFrom(ctx); ok {
			return a.ID, nil
		}
		return "", newProblem(http.StatusUnauthorized, "%s", auth.Refusal)
	}
	for _, secret := range s.cfg.Sources {
		if delivery.Verify(secret, in.WebhookID, in.Timestamp, in.Signature, in.RawBody, now) == nil {
			return event.AdminsOnly, nil
		}
	}
	return "", newProblem(http.StatusUnauthorized, "no configured source has made this webhook-signature in the last five minutes")
}
