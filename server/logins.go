package server

import (
	"encoding/json"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/internal-app-portal/iap/auth"
	"github.com/internal-app-portal/iap/event"
)

// failuresAtOnce is how many failed logins are told of before they are told of once
// a second: who tries tokens must not fill the log.
const failuresAtOnce = 10

// tellLogin returns what adds an event for each login, failed login and logout.
func (s *Server) tellLogin() func(*http.Request, auth.LoginEvent, string) error {
	failures, untold := rate.NewLimiter(rate.Every(time.Second), failuresAtOnce), new(atomic.Int64)
	return func(r *http.Request, what auth.LoginEvent, person string) error {
		address, _, err := net.SplitHostPort(r.RemoteAddr)
		if err != nil {
			address = r.RemoteAddr
		}
		e := &event.Event{Source: "/logins", Type: "iap.login." + string(what), Subject: person, Owner: person, Time: s.now()}
		data := map[string]any{"person": person, "address": address}
		if what == auth.LoginFailed {
			if !failures.Allow() {
				untold.Add(1)
				return nil
			}
			e.Subject, e.Owner = address, event.AdminsOnly
			data = map[string]any{"address": address}
			if n := untold.Swap(0); n > 0 {
				data["untold"] = n
			}
		}
		if e.Data, err = json.Marshal(data); err != nil {
			return err
		}
		return s.log.Append(r.Context(), e)
	}
}
