package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
)

// configurationSetting is where the configuration of the last start is.
const configurationSetting = "configuration"

// secretMark is what the value of a setting begins with that may hold secrets; what
// follows is its hash.
const secretMark = "sha256:"

// settings are the parts of the configuration that tell how the portal behaves, by
// their names in it. Of what may hold secrets only the hash is known.
func (s *Server) settings() (map[string]string, error) {
	c := s.cfg
	out := map[string]string{"dev": fmt.Sprint(c.Dev), "apps-domain": c.AppsDomain, "portal-url": c.PortalURL,
		"parallel-jobs": fmt.Sprint(c.ParallelJobs), "keep-most": c.KeepMost.String(), "certify": fmt.Sprint(!c.NoCertify),
		"booking-most": c.BookingMost.String(), "booking-lead": c.BookingLead.String(), "limit-person": fmt.Sprint(c.Limits.Person),
		"limit-portal": fmt.Sprint(c.Limits.Portal), "zone": c.Zone, "payload-limit": fmt.Sprint(c.PayloadLimit),
		"history-limit": fmt.Sprint(c.HistoryLimit), "job-timeout": c.JobTimeout.String()}
	for name, v := range map[string]any{"login.people": c.People, "tasks": c.Tasks, "events": c.Events} {
		b, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(append(s.settingsKey(), b...))
		out[name] = secretMark + hex.EncodeToString(sum[:])
	}
	return out, nil
}

// settingsKey keeps secrets from being guessed by their hashes.
func (s *Server) settingsKey() []byte { return derive(s.key, "settings") }

// tellSettings adds an event for each setting that is another than at the last
// start, in the commit that notes them.
func (s *Server) tellSettings(ctx context.Context) error {
	now, err := s.settings()
	if err != nil {
		return err
	}
	return s.db.Update(ctx, func(ctx context.Context) error {
		b, err := s.db.Setting(ctx, configurationSetting)
		if err != nil && !iap.IsKind(err, iap.NotFound) {
			return err
		}
		var before map[string]string
		if b != nil {
			if err := json.Unmarshal(b, &before); err != nil {
				return err
			}
		}
		if maps.Equal(before, now) {
			return nil
		}
		if before != nil {
			if err := s.appendSettings(ctx, before, now); err != nil {
				return err
			}
		}
		if b, err = json.Marshal(now); err != nil {
			return err
		}
		return s.db.PutSetting(ctx, configurationSetting, b)
	})
}

func (s *Server) appendSettings(ctx context.Context, before, now map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(now)) {
		was, had := before[name]
		if was == now[name] || !had { // a newer program has settings that the last one had not
			continue
		}
		data := map[string]string{"name": name}
		if len(now[name]) < len(secretMark) || now[name][:len(secretMark)] != secretMark {
			data["before"], data["after"] = was, now[name]
		}
		b, err := json.Marshal(data)
		if err != nil {
			return err
		}
		if err := s.log.Append(ctx, &event.Event{Source: "/settings", Type: event.SettingChanged, Subject: name, Time: s.now(),
			Owner: event.AdminsOnly, Data: b}); err != nil {
			return err
		}
	}
	return nil
}
