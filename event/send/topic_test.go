package send_test

import (
	"context"
	"encoding/json"
	"net"
	"testing"
	"time"

	"gocloud.dev/pubsub"

	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/event/broker"
	"github.com/internal-app-portal/iap/event/broker/brokertest"
	"github.com/internal-app-portal/iap/event/delivery"
	"github.com/internal-app-portal/iap/event/send"
)

func message() delivery.Message {
	e := event.Event{Number: 7, ID: "1", Source: "/instances", Type: event.InstanceChanged, Subject: "i", Time: time.Unix(1790000000, 0),
		Data: json.RawMessage(`{"app":"todo","owner":"ann","status":"deploy_failed","reason":"<b>*no* image & more","ends_at":"2026-11-28T19:00:00Z"}`)}
	return delivery.Message{ID: delivery.MessageID(e), Event: e, Attempt: 1}
}

func target(k delivery.Kind, s delivery.Settings) delivery.Target {
	return delivery.Target{Name: "t", Kind: k, Settings: s, Timeout: 30 * time.Second}
}

// publishes sends the message to a topic and reads it at a subscription.
func publishes(t *testing.T, topic, subscription string) {
	t.Helper()
	b := broker.New()
	t.Cleanup(func() { _ = b.Close() })
	s := &send.Topic{Brokers: b}
	to := target(delivery.Topic, delivery.Settings{URL: topic})
	if err := s.Check(to); err != nil {
		t.Fatal(err)
	}
	if subscription == "mem://events" { // it begins with its topic
		if _, err := b.OpenTopic(t.Context(), topic); err != nil {
			t.Fatal(err)
		}
	}
	sub, err := b.OpenSubscription(t.Context(), subscription)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sub.Shutdown(context.Background()) })
	m := message()
	ctx, cancel := context.WithTimeout(t.Context(), to.Timeout)
	defer cancel()
	if r := s.Send(ctx, to, m); r.Err != "" {
		t.Fatal(r.Err)
	}
	got, err := sub.Receive(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got.Ack()
	isEvent(t, got, m)
}

func isEvent(t *testing.T, got *pubsub.Message, m delivery.Message) {
	t.Helper()
	want, err := event.Structured(m.Event)
	if err != nil || string(got.Body) != string(want) {
		t.Errorf("it is %s", got.Body)
	}
	if got.Metadata["content-type"] != event.ContentType || got.Metadata["webhook-id"] != m.ID {
		t.Errorf("it came with %v", got.Metadata)
	}
}

func TestPublishesToMemory(t *testing.T) { publishes(t, "mem://events", "mem://events") }

func TestPublishesToNATS(t *testing.T) {
	brokertest.NATS(t)
	publishes(t, "nats://iap.events", "nats://iap.events")
}

func TestPublishesToRabbitMQ(t *testing.T) {
	ch, err := brokertest.Rabbit(t).Channel()
	if err != nil {
		t.Fatal(err)
	}
	if err := ch.ExchangeDeclare("events", "fanout", true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := ch.QueueDeclare("inbox", true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	if err := ch.QueueBind("inbox", "", "events", false, nil); err != nil {
		t.Fatal(err)
	}
	publishes(t, "rabbit://events", "rabbit://inbox")
}

func TestBrokerThatIsNotThere(t *testing.T) {
	t.Setenv("NATS_SERVER_URL", "nats://127.0.0.1:1")
	b := broker.New()
	t.Cleanup(func() { _ = b.Close() })
	r := (&send.Topic{Brokers: b}).Send(t.Context(), target(delivery.Topic, delivery.Settings{URL: "nats://events"}), message())
	if r.Err == "" || r.Final {
		t.Errorf("it ended as %+v; it should be tried again", r)
	}
	for _, url := range []string{"", "kafka://x", "nats://user:secret@host", "nats://", "awssqs://x"} {
		if (&send.Topic{Brokers: b}).Check(target(delivery.Topic, delivery.Settings{URL: url})) == nil {
			t.Errorf("%q was taken", url)
		}
	}
}

// TestSilentBrokerHoldsUpNoOther: one that takes connections and says nothing keeps an
// attempt for as long as the target allows, and other topics not at all.
func TestSilentBrokerHoldsUpNoOther(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	t.Setenv("RABBIT_SERVER_URL", "amqp://"+l.Addr().String())
	s := &send.Topic{Brokers: broker.New()}
	silent := target(delivery.Topic, delivery.Settings{URL: "rabbit://events"})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan delivery.Result, 2)
	for range 2 {
		go func() { ended <- s.Send(ctx, silent, message()) }()
	}
	if _, err := l.Accept(); err != nil { // it is being opened now
		t.Fatal(err)
	}
	if r := s.Send(t.Context(), target(delivery.Topic, delivery.Settings{URL: "mem://other"}), message()); r.Err != "" {
		t.Error(r.Err)
	}
	cancel()
	for range 2 {
		if r := <-ended; r.Err == "" || r.Final {
			t.Errorf("%+v", r)
		}
	}
}
