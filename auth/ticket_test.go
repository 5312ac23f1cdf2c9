package auth_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/auth"
)

func TestTicket(t *testing.T) {
	key := []byte(strings.Repeat("k", 32))
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	good := auth.Ticket{Purpose: "open", Host: "brave-otter-lamp-todo", Actor: "jane@example.com", Expires: now.Add(time.Minute)}
	text := good.Seal(key)
	got, err := auth.OpenTicket(key, text, "open", good.Host, now)
	if err != nil || got.Actor != good.Actor {
		t.Fatalf("got %+v, %v", got, err)
	}
	for name, open := range map[string]func() error{
		"another key":     func() error { _, err := auth.OpenTicket([]byte("x"), text, "open", good.Host, now); return err },
		"another purpose": func() error { _, err := auth.OpenTicket(key, text, "visit", good.Host, now); return err },
		"another host":    func() error { _, err := auth.OpenTicket(key, text, "open", "calm-fox-sun-todo", now); return err },
		"too late": func() error {
			_, err := auth.OpenTicket(key, text, "open", good.Host, now.Add(time.Minute))
			return err
		},
		"tampered": func() error { _, err := auth.OpenTicket(key, "A"+text, "open", good.Host, now); return err },
		"cut":      func() error { _, err := auth.OpenTicket(key, text[:len(text)-3], "open", good.Host, now); return err },
		"empty":    func() error { _, err := auth.OpenTicket(key, "", "open", good.Host, now); return err },
	} {
		t.Run(name, func(t *testing.T) {
			if err := open(); !errors.Is(err, auth.ErrTicket) {
				t.Errorf("got %v", err)
			}
		})
	}
}
