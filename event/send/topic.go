package send

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	amqp "github.com/rabbitmq/amqp091-go"
	"gocloud.dev/pubsub"

	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/event/broker"
	"github.com/internal-app-portal/iap/event/delivery"
)

// Topic publishes events as CloudEvents 1.0 JSON to topics of message brokers.
type Topic struct {
	Brokers *broker.Brokers

	mu   sync.Mutex
	open map[string]*pubsub.Topic // by URL
}

// Check implements delivery.Sender.
func (s *Topic) Check(t delivery.Target) error {
	return s.Brokers.CheckTopic("url", t.Settings.URL)
}

// Send implements delivery.Sender. It returns when the broker has the message.
func (s *Topic) Send(ctx context.Context, t delivery.Target, m delivery.Message) delivery.Result {
	body, err := event.Structured(m.Event)
	if err != nil {
		return final(err)
	}
	topic, err := s.topic(ctx, t.Settings.URL)
	if err != nil {
		return topicFailure(ctx, t, err)
	}
	msg := &pubsub.Message{Body: body, Metadata: map[string]string{"content-type": event.ContentType, "webhook-id": m.ID},
		BeforeSend: func(as func(any) bool) error {
			var p *amqp.Publishing
			if as(&p) { // what AMQP has properties for; kept when the broker restarts
				p.ContentType, p.MessageId, p.DeliveryMode = event.ContentType, m.ID, amqp.Persistent
			}
			return nil
		}}
	if err = topic.Send(ctx, msg); err == nil {
		err = confirmed(ctx, topic)
	}
	if err != nil {
		s.drop(t.Settings.URL, topic)
		return topicFailure(ctx, t, err)
	}
	return delivery.Result{Answer: "the broker has it"}
}

// confirmed waits until NATS has answered what came after the message; the other
// brokers confirm each message themselves.
func confirmed(ctx context.Context, topic *pubsub.Topic) error {
	var c *nats.Conn
	if !topic.As(&c) {
		return nil
	}
	return c.FlushWithContext(ctx)
}

// topic returns an open topic. Opening one holds up no other.
func (s *Topic) topic(ctx context.Context, url string) (*pubsub.Topic, error) {
	s.mu.Lock()
	known := s.open[url]
	s.mu.Unlock()
	if known != nil {
		return known, nil
	}
	t, err := s.Brokers.OpenTopic(ctx, url)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if known = s.open[url]; known != nil { // another was faster
		go shutdown(t)
		return known, nil
	}
	if s.open == nil {
		s.open = map[string]*pubsub.Topic{}
	}
	s.open[url] = t
	return t, nil
}

// drop has a topic be opened anew: its connection may be gone.
func (s *Topic) drop(url string, t *pubsub.Topic) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[url] != t {
		return
	}
	delete(s.open, url)
	go shutdown(t)
}

// shutdown closes a topic, after what others are sending to it.
func shutdown(t *pubsub.Topic) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_ = t.Shutdown(ctx)
}

func topicFailure(ctx context.Context, t delivery.Target, err error) delivery.Result {
	if ctx.Err() != nil {
		return delivery.Result{Err: fmt.Sprintf("the broker did not answer within %s", t.Timeout)}
	}
	return delivery.Result{Err: "the broker did not take it: " + err.Error()}
}
