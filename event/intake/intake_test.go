package intake_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/event/broker"
	"github.com/internal-app-portal/iap/event/broker/brokertest"
	"github.com/internal-app-portal/iap/event/intake"
	"github.com/internal-app-portal/iap/store"
)

// rig is a log on a real database and an intake into it, which can be ended and
// started again.
type rig struct {
	t    *testing.T
	db   *store.DB
	log  *event.Log
	sub  event.Subscribed
	b    *broker.Brokers
	s    *intake.Service
	seen *event.Subscription
}

func newRig(t *testing.T, url string) *rig {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "iap.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, db: db, log: event.NewLog(db), sub: event.Subscribed{Name: "ci", URL: url}}
	if err := r.log.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.log.Stop(context.Background()); _ = db.Close() })
	r.seen = r.log.Subscribe(0)
	return r
}

// start begins to receive into an inbox; nil: the log's.
func (r *rig) start(in intake.Inbox) {
	r.t.Helper()
	if in == nil {
		in = &event.Inbox{Log: r.log, Store: r.db, Tx: r.db}
	}
	r.b = broker.New()
	r.s = &intake.Service{Config: intake.Config{Subscriptions: []event.Subscribed{r.sub}, Brokers: r.b, Inbox: in, Log: r.log,
		Now: time.Now, Logger: slog.New(slog.NewTextHandler(r.t.Output(), nil))}}
	if err := r.s.Start(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(r.stop)
}

func (r *rig) stop() {
	_ = r.s.Stop(context.Background())
	_ = r.b.Close()
}

// next returns the next event of the log.
func (r *rig) next() event.Event {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
	defer cancel()
	events, err := r.seen.Next(ctx)
	if err != nil {
		r.t.Fatal("no event came: ", err)
	}
	if len(events) > 1 {
		r.seen = r.log.Subscribe(events[0].Number)
	}
	return events[0]
}

func ended(id string) string {
	return fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"https://ci.example.com","type":"ci.build.ended","data":{"ok":true}}`, id)
}

// failing is an inbox whose database is away.
type failing struct {
	once  sync.Once
	asked chan struct{}
}

func (f *failing) Take(context.Context, string, []*event.Event) ([]event.Event, error) {
	f.once.Do(func() { close(f.asked) })
	return nil, errors.New("the database is away")
}

// TestRabbitMQ: what comes while the portal is down is taken when it is back; what
// was not committed comes again; a repeat is taken once; what is no event is told.
func TestRabbitMQ(t *testing.T) {
	ch, err := brokertest.Rabbit(t).Channel()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ch.QueueDeclare("builds", true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	publish := func(p amqp.Publishing) {
		t.Helper()
		if err := ch.PublishWithContext(t.Context(), "", "builds", false, false, p); err != nil {
			t.Fatal(err)
		}
	}
	r := newRig(t, "rabbit://builds")
	publish(amqp.Publishing{ContentType: event.ContentType, Body: []byte(ended("1"))})
	away := &failing{asked: make(chan struct{})}
	r.start(away)
	<-away.asked
	r.stop()
	if n := r.log.Last(); n != 0 {
		t.Fatalf("%d events are in the log", n)
	}

	r.start(nil)
	if e := r.next(); e.ID != "1" || e.Type != "ci.build.ended" || e.Owner != event.AdminsOnly || string(e.Data) != `{"ok":true}` {
		t.Errorf("%+v", e)
	}
	publish(amqp.Publishing{Body: []byte(ended("1"))})
	publish(amqp.Publishing{Body: []byte("not an event")})
	if e := r.next(); e.Type != event.MessageRefused || e.Subject != "ci" {
		t.Errorf("%+v", e)
	}
	publish(amqp.Publishing{ContentType: "text/plain", Body: []byte("done"), Headers: amqp.Table{"cloudEvents:specversion": "1.0",
		"cloudEvents:id": "2", "cloudEvents:source": "/ci", "cloudEvents:type": "ci.note"}})
	if e := r.next(); e.ID != "2" || e.Type != "ci.note" || string(e.Data) != `"done"` || e.Number != 3 {
		t.Errorf("%+v", e)
	}
	r.stop()
	q, err := ch.QueueDeclarePassive("builds", true, false, false, false, nil)
	if err != nil || q.Messages != 0 {
		t.Errorf("%d messages are left, %v", q.Messages, err)
	}
}

// TestNATS takes events in structured and binary mode.
func TestNATS(t *testing.T) {
	address := brokertest.NATS(t)
	c, err := nats.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	r := newRig(t, "nats://builds")
	r.start(nil)
	publish := func(m *nats.Msg) {
		t.Helper()
		m.Subject = "builds"
		if err := c.PublishMsg(m); err != nil {
			t.Fatal(err)
		}
	}
	for heard := false; !heard; { // NATS forgets what comes before somebody is subscribed
		publish(&nats.Msg{Data: []byte(ended("0"))})
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		_, err := r.seen.Next(ctx)
		cancel()
		if heard = err == nil; t.Context().Err() != nil {
			t.Fatal("nobody is subscribed")
		}
	}
	for range 2 {
		publish(&nats.Msg{Data: []byte(ended("1"))})
	}
	publish(&nats.Msg{Data: []byte(`{"n":1}`), Header: nats.Header{"ce-specversion": {"1.0"}, "ce-id": {"2"}, "ce-source": {"/ci"},
		"ce-type": {"ci.note"}, "content-type": {"application/json"}}})
	if e := r.next(); e.ID != "1" || string(e.Data) != `{"ok":true}` || e.Number != 2 {
		t.Errorf("%+v", e)
	}
	if e := r.next(); e.ID != "2" || e.Type != "ci.note" || string(e.Data) != `{"n":1}` || e.Number != 3 {
		t.Errorf("%+v", e)
	}
}
