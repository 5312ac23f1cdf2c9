package server

import (
	"github.com/internal-app-portal/iap/event/delivery"
	"github.com/internal-app-portal/iap/event/send"
)

// wireDelivery makes what brings events to those outside.
func (s *Server) wireDelivery(seal sealer) {
	clients := send.NewClients()
	s.delivery = delivery.New(delivery.Config{Store: s.db, Tx: s.db, Log: s.log, Events: s.db, Sealer: seal, Now: s.db.Now,
		Logger: s.cfg.Logger, Failpoint: s.cfg.Failpoint, Senders: map[delivery.Kind]delivery.Sender{
			delivery.Webhook: &send.Webhook{Clients: clients, Now: s.now},
		}})
}
