// Package intake takes events from subscriptions at message brokers into the log.
//
// What must stay true:
//
//   - A message is acknowledged after the commit of its events, never before. Who
//     dies between the two gets it again, and takes it once, by source and id.
//   - One that is no event is acknowledged after the commit of an event that tells
//     of it: it would else come again for ever, or be gone without a trace.
//   - Messages of a subscription are taken one after the other, as they come.
package intake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"gocloud.dev/pubsub"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/event/broker"
)

// Inbox takes events from outside; *event.Inbox is one.
type Inbox interface {
	Take(ctx context.Context, owner string, events []*event.Event) ([]event.Event, error)
}

// Log appends the events that tell of refused messages; *event.Log is one.
type Log interface {
	Append(ctx context.Context, events ...*event.Event) error
}

// Config is what a Service needs.
type Config struct {
	Subscriptions []event.Subscribed
	Brokers       *broker.Brokers
	Inbox         Inbox
	Log           Log
	Now           func() time.Time
	Logger        *slog.Logger
}

// Service receives from subscriptions.
type Service struct {
	Config
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// The pauses after a broker or the database could not be used.
const (
	minPause = 200 * time.Millisecond
	maxPause = 15 * time.Second
	// stopWithin is how long the broker has to take the last acknowledgements.
	stopWithin = 5 * time.Second
	// maxShown is how much of a refused message is kept, in bytes.
	maxShown = 4 << 10
)

// Start begins to receive. Brokers that are not there are tried again.
func (s *Service) Start(ctx context.Context) error {
	ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	for _, sub := range s.Subscriptions {
		s.done.Go(func() { s.run(ctx, sub) })
	}
	return nil
}

// Stop ends receiving; what is not committed by then is left to the broker.
func (s *Service) Stop(context.Context) error {
	if s.cancel != nil {
		s.cancel()
		s.done.Wait()
	}
	return nil
}

// run receives from one subscription, opening it anew whenever it breaks off.
func (s *Service) run(ctx context.Context, sub event.Subscribed) {
	for pause := minPause; ctx.Err() == nil; pause = min(2*pause, maxPause) {
		from, err := s.Brokers.OpenSubscription(ctx, sub.URL)
		if err == nil {
			var some bool
			if some, err = s.receive(ctx, sub, from); some {
				pause = minPause
			}
			end, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
			_ = from.Shutdown(end) // what was not acknowledged comes again
			cancel()
		}
		if ctx.Err() == nil {
			s.Logger.Warn("a subscription cannot be received from; trying again", "subscription", sub.Name, "err", err)
			wait(ctx, pause)
		}
	}
}

// receive takes messages until there is an error; some says whether any came.
func (s *Service) receive(ctx context.Context, sub event.Subscribed, from *pubsub.Subscription) (some bool, err error) {
	for {
		m, err := from.Receive(ctx)
		if err != nil {
			return some, err
		}
		some = true
		if !s.commit(ctx, sub, m) {
			if m.Nackable() {
				m.Nack()
			}
			return some, ctx.Err()
		}
		m.Ack()
	}
}

// commit takes the events of a message, for as long as it takes; false when ctx
// has ended before.
func (s *Service) commit(ctx context.Context, sub event.Subscribed, m *pubsub.Message) bool {
	for pause := minPause; ; pause = min(2*pause, maxPause) {
		err := s.take(ctx, sub, m)
		if err == nil {
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		s.Logger.Warn("a message could not be taken; trying again", "subscription", sub.Name, "err", err)
		wait(ctx, pause)
	}
}

func (s *Service) take(ctx context.Context, sub event.Subscribed, m *pubsub.Message) error {
	contentType, attributes := describe(m)
	events, err := event.Parse(contentType, attributes, m.Body, s.Now())
	if err == nil {
		_, err = s.Inbox.Take(ctx, event.AdminsOnly, events)
		return err
	}
	reason := strings.Join(iap.Texts(err), "; ")
	s.Logger.Warn("a message is no event and was refused", "subscription", sub.Name, "reason", reason)
	data, err := json.Marshal(Refused{Subscription: sub.Name, Reason: reason, Body: shown(m.Body)})
	if err != nil {
		return err
	}
	return s.Log.Append(ctx, &event.Event{Source: "/subscriptions", Type: event.MessageRefused, Subject: sub.Name, Time: s.Now(),
		Owner: event.AdminsOnly, Data: data})
}

// Refused is the data of event.MessageRefused.
type Refused struct {
	Subscription string `json:"subscription"`
	Reason       string `json:"reason"`
	Body         string `json:"body"` // its beginning
}

func shown(body []byte) string {
	if len(body) > maxShown {
		body = body[:maxShown]
	}
	return strings.ToValidUTF8(string(body), "\ufffd")
}

// prefixes are those of attributes in the CloudEvents bindings for HTTP and NATS,
// Kafka, and AMQP.
var prefixes = []string{"ce-", "ce_", "cloudevents:", "cloudevents_"}

// describe returns the media type of a message and, in binary mode, the event's
// attributes. A message without a media type is taken as JSON.
func describe(m *pubsub.Message) (string, event.Attributes) {
	contentType := "application/json"
	found := map[string]string{}
	for key, v := range m.Metadata {
		key = strings.ToLower(key)
		if key == "content-type" && v != "" {
			contentType = v
		}
		for _, p := range prefixes {
			if name, ok := strings.CutPrefix(key, p); ok {
				found[name] = v
			}
		}
	}
	var d amqp.Delivery
	if m.As(&d) && d.ContentType != "" {
		contentType = d.ContentType
	}
	return contentType, event.AttributesOf(found)
}

// wait lets time pass, unless ctx ends.
func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// CheckSubscriptions says what is wrong with the subscriptions of a configuration.
// Errors are Invalid and name the setting.
func CheckSubscriptions(all []event.Subscribed) error {
	var errs []error
	b := broker.New()
	names := map[string]bool{}
	for i, x := range all {
		field := fmt.Sprintf("events.subscriptions[%d]", i)
		if x.Name == "" || names[x.Name] {
			errs = append(errs, iap.FieldErrorf("intake.Check", field+".name", "it is missing, or another has it as well"))
		}
		names[x.Name] = true
		errs = append(errs, b.CheckSubscription(field+".url", x.URL))
	}
	return errors.Join(errs...)
}
