// Package broker opens topics and subscriptions of message brokers by the URLs of
// gocloud.dev/pubsub. Who the servers are and how one logs in is the operator's
// affair and comes from the environment, so that it is neither in the database nor
// on a page: NATS_SERVER_URL, RABBIT_SERVER_URL, and what AWS's SDK reads.
package broker

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/nats-io/nats.go"
	amqp "github.com/rabbitmq/amqp091-go"
	"gocloud.dev/pubsub"
	"gocloud.dev/pubsub/mempubsub"
	"gocloud.dev/pubsub/natspubsub"
	"gocloud.dev/pubsub/rabbitpubsub"

	iap "github.com/internal-app-portal/iap"
)

// Brokers opens topics and subscriptions. Those of NATS and of RabbitMQ share a
// connection each, which is made anew when it was lost.
type Brokers struct {
	mux *pubsub.URLMux

	natsGate, rabbitGate gate
	nats                 *nats.Conn       // inside natsGate
	rabbit               *amqp.Connection // inside rabbitGate
}

// gate lets one in at a time.
type gate chan struct{}

// do runs fn inside the gate. It returns when ctx ends, though fn may go on: a broker
// that does not answer holds up none longer than it wants to wait.
func (g gate) do(ctx context.Context, fn func() error) error {
	select {
	case g <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	done := make(chan error, 1)
	go func() {
		defer func() { <-g }()
		done <- fn()
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// New returns Brokers without a connection.
func New() *Brokers {
	b := &Brokers{mux: new(pubsub.URLMux), natsGate: make(gate, 1), rabbitGate: make(gate, 1)}
	mem := new(mempubsub.URLOpener)
	b.mux.RegisterTopic("mem", mem)
	b.mux.RegisterSubscription("mem", mem)
	withAWS(b.mux)
	b.mux.RegisterTopic("nats", natsOpener{b})
	b.mux.RegisterSubscription("nats", natsOpener{b})
	b.mux.RegisterTopic("rabbit", rabbitOpener{b})
	b.mux.RegisterSubscription("rabbit", rabbitOpener{b})
	return b
}

// CheckTopic says what is wrong with the URL of a topic. The error is Invalid, for
// field.
func (b *Brokers) CheckTopic(field, text string) error {
	return check(field, text, b.mux.TopicSchemes())
}

// CheckSubscription is CheckTopic for a subscription.
func (b *Brokers) CheckSubscription(field, text string) error {
	return check(field, text, b.mux.SubscriptionSchemes())
}

func check(field, text string, schemes []string) error {
	const op = "broker.check"
	u, err := url.Parse(text)
	switch {
	case err == nil && strings.HasPrefix(u.Scheme, "aws") && !slices.Contains(schemes, u.Scheme):
		return iap.FieldErrorf(op, field, "this program was built without AWS; build it with make build TAGS=aws")
	case err != nil || !slices.Contains(schemes, u.Scheme):
		return iap.FieldErrorf(op, field, "%.200q is not a URL that begins with %s://", text, strings.Join(schemes, "://, "))
	case u.User != nil:
		return iap.FieldErrorf(op, field, "it must not hold a user and a password; they belong into the portal's environment")
	case u.Host == "" && u.Path == "":
		return iap.FieldErrorf(op, field, "%.200q names no topic", text)
	}
	return nil
}

// OpenTopic opens a topic.
func (b *Brokers) OpenTopic(ctx context.Context, text string) (*pubsub.Topic, error) {
	return b.mux.OpenTopic(ctx, text)
}

// OpenSubscription opens a subscription.
func (b *Brokers) OpenSubscription(ctx context.Context, text string) (*pubsub.Subscription, error) {
	return b.mux.OpenSubscription(ctx, text)
}

// Close ends the connections.
func (b *Brokers) Close() error {
	ctx := context.Background()
	return errors.Join(b.natsGate.do(ctx, func() error {
		if b.nats != nil {
			b.nats.Close()
		}
		return nil
	}), b.rabbitGate.do(ctx, func() error {
		if b.rabbit == nil {
			return nil
		}
		if err := b.rabbit.Close(); !errors.Is(err, amqp.ErrClosed) {
			return err
		}
		return nil
	}))
}

// server is the address in a variable of the environment.
func server(variable string) (string, error) {
	s := os.Getenv(variable)
	if s == "" {
		return "", fmt.Errorf("the portal's environment has no %s", variable)
	}
	return s, nil
}

type natsOpener struct{ b *Brokers }

// conn connects to NATS. What is published while the connection is lost fails, and
// is tried again by who publishes it: the client's own memory of it would be lost
// with the process.
func (o natsOpener) conn(ctx context.Context) (conn *nats.Conn, err error) {
	return conn, o.b.natsGate.do(ctx, func() error {
		if o.b.nats == nil || o.b.nats.IsClosed() {
			address, err := server("NATS_SERVER_URL")
			if err != nil {
				return err
			}
			if o.b.nats, err = nats.Connect(address, nats.Name("iap"), nats.MaxReconnects(-1), nats.ReconnectBufSize(-1)); err != nil {
				o.b.nats = nil
				return fmt.Errorf("NATS at NATS_SERVER_URL cannot be reached: %w", err)
			}
		}
		conn = o.b.nats
		return nil
	})
}

// OpenTopicURL implements pubsub.TopicURLOpener.
func (o natsOpener) OpenTopicURL(ctx context.Context, u *url.URL) (*pubsub.Topic, error) {
	c, err := o.conn(ctx)
	if err != nil {
		return nil, err
	}
	return (&natspubsub.URLOpener{Connection: c, UseV2: true}).OpenTopicURL(ctx, u)
}

// OpenSubscriptionURL implements pubsub.SubscriptionURLOpener.
func (o natsOpener) OpenSubscriptionURL(ctx context.Context, u *url.URL) (*pubsub.Subscription, error) {
	c, err := o.conn(ctx)
	if err != nil {
		return nil, err
	}
	return (&natspubsub.URLOpener{Connection: c, UseV2: true}).OpenSubscriptionURL(ctx, u)
}

type rabbitOpener struct{ b *Brokers }

func (o rabbitOpener) opener(ctx context.Context) (*rabbitpubsub.URLOpener, error) {
	var conn *amqp.Connection
	err := o.b.rabbitGate.do(ctx, func() error {
		if o.b.rabbit == nil || o.b.rabbit.IsClosed() {
			address, err := server("RABBIT_SERVER_URL")
			if err != nil {
				return err
			}
			if o.b.rabbit, err = amqp.Dial(address); err != nil {
				o.b.rabbit = nil
				return fmt.Errorf("RabbitMQ at RABBIT_SERVER_URL cannot be reached: %w", err)
			}
		}
		conn = o.b.rabbit
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &rabbitpubsub.URLOpener{Connection: conn}, nil
}

// OpenTopicURL implements pubsub.TopicURLOpener.
func (o rabbitOpener) OpenTopicURL(ctx context.Context, u *url.URL) (*pubsub.Topic, error) {
	open, err := o.opener(ctx)
	if err != nil {
		return nil, err
	}
	return open.OpenTopicURL(ctx, u)
}

// OpenSubscriptionURL implements pubsub.SubscriptionURLOpener.
func (o rabbitOpener) OpenSubscriptionURL(ctx context.Context, u *url.URL) (*pubsub.Subscription, error) {
	open, err := o.opener(ctx)
	if err != nil {
		return nil, err
	}
	return open.OpenSubscriptionURL(ctx, u)
}
