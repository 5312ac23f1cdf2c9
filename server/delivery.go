package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event/delivery"
	"github.com/internal-app-portal/iap/event/send"
)

// wireDelivery makes what brings events to those outside.
func (s *Server) wireDelivery(seal sealer) {
	clients := send.NewClients()
	s.delivery = delivery.New(delivery.Config{Store: s.db, Tx: s.db, Log: s.log, Events: s.db, Sealer: seal, Now: s.db.Now,
		Logger: s.cfg.Logger, Failpoint: s.cfg.Failpoint, Senders: map[delivery.Kind]delivery.Sender{
			delivery.Webhook:   &send.Webhook{Clients: clients, Now: s.now},
			delivery.Task:      &send.Task{Engine: s.engine},
			delivery.Execution: &send.Execution{Start: s.startByEvent},
		}})
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
	for i, x := range c.Events.Sources {
		field := fmt.Sprintf("events.sources[%d]", i)
		if x.Name == "" {
			errs = append(errs, iap.FieldErrorf("server.New", field+".name", "it is missing"))
		}
		if delivery.CheckSecret(x.Secret) != nil {
			errs = append(errs, iap.FieldErrorf("server.New", field+".secret", "it is not \"whsec_\" followed by 24 to 64 bytes in base 64"))
		}
	}
	return errors.Join(errs...)
}
