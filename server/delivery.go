package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/event/broker"
	"github.com/internal-app-portal/iap/event/delivery"
	"github.com/internal-app-portal/iap/event/intake"
	"github.com/internal-app-portal/iap/event/send"
)

// wireDelivery makes what brings events to those outside.
func (s *Server) wireDelivery(seal sealer) error {
	clients := send.NewClients()
	mail, err := send.NewMail(s.cfg.Events.Mail, s.cfg.PortalURL, s.now)
	if err != nil {
		return err
	}
	s.brokers = broker.New()
	s.onClose(s.brokers.Close)
	s.delivery = delivery.New(delivery.Config{Store: s.db, Tx: s.db, Log: s.log, Events: s.db, Sealer: seal, Now: s.db.Now, Portal: s.cfg.PortalURL,
		Logger: s.cfg.Logger, Failpoint: s.cfg.Failpoint, Senders: map[delivery.Kind]delivery.Sender{
			delivery.Webhook:   &send.Webhook{Clients: clients, Now: s.now},
			delivery.Chat:      &send.Chat{Clients: clients, Portal: s.cfg.PortalURL, Now: s.now},
			delivery.Mail:      mail,
			delivery.Topic:     &send.Topic{Brokers: s.brokers},
			delivery.Task:      &send.Task{Engine: s.engine, Parts: parts{s}},
			delivery.Execution: &send.Execution{Start: s.startByEvent},
		}})
	s.intake = &intake.Service{Config: intake.Config{Subscriptions: s.cfg.Events.Subscriptions, Brokers: s.brokers,
		Inbox: &event.Inbox{Log: s.log, Store: s.db, Tx: s.db}, Log: s.log, Now: s.now, Logger: s.cfg.Logger}}
	return nil
}

// parts ends by their IDs what events tell the end of.
type parts struct{ s *Server }

// EndPart implements send.Parts.
func (p parts) EndPart(ctx context.Context, id, state string, output json.RawMessage, errorName, cause string) error {
	if _, err := p.s.jobs.Get(ctx, id); !iap.IsKind(err, iap.NotFound) {
		if err != nil {
			return err
		}
		var outputs map[string]json.RawMessage
		if errorName == "" && json.Unmarshal(output, &outputs) != nil {
			return iap.FieldErrorf("server.EndPart", "output", "the result of a job must be an object of its outputs")
		}
		return p.s.jobs.Complete(ctx, id, outputs, errorName, cause)
	}
	if _, err := p.s.db.Instance(ctx, id); !iap.IsKind(err, iap.NotFound) {
		if err == nil {
			_, err = p.s.instances.Destroy(ctx, iap.Actor{ID: iap.System.ID, Name: "an event", Role: iap.Admin}, id)
		}
		return err
	}
	token, err := p.s.engine.TokenOf(ctx, id, state)
	switch {
	case err != nil:
		return err
	case errorName != "":
		return p.s.engine.Fail(ctx, token, errorName, cause)
	}
	return p.s.engine.Succeed(ctx, token, output)
}

// startByEvent starts an execution for an event, as the portal itself.
func (s *Server) startByEvent(ctx context.Context, machine, name string, input json.RawMessage) (string, error) {
	w := workflowAPI{s.workflows.machines, s.engine, s.workflows.express}
	x, err := w.Start(ctx, iap.System, machine, name, input, false)
	return x.ID, err
}

// checkEvents checks the section "events" of the configuration.
func (c *Config) checkEvents() error {
	var errs []error
	if k := c.Events.Kept(); k.Age < 0 || k.Count < 0 {
		errs = append(errs, iap.FieldErrorf("server.New", "events.keep", "age and count must not be below 0; 0 sets no bound"))
	}
	for i, x := range c.Events.Sources {
		field := fmt.Sprintf("events.sources[%d]", i)
		if x.Name == "" {
			errs = append(errs, iap.FieldErrorf("server.New", field+".name", "it is missing"))
		}
		if delivery.CheckSecret(x.Secret) != nil {
			errs = append(errs, iap.FieldErrorf("server.New", field+".secret", "it is not \"whsec_\" followed by 24 to 64 bytes in base 64"))
		}
	}
	return errors.Join(append(errs, intake.CheckSubscriptions(c.Events.Subscriptions))...)
}
