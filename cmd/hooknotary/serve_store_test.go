package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/verify/replay/redisreplay/redistest"
	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay/sqltest/postgrestest"
)

// TestServeStores: two gateways on one store are one to a sender, and without their store
// they take nothing.
func TestServeStores(t *testing.T) {
	type server struct {
		url           string
		kill, restart func() error
	}
	for name, open := range map[string]func(t *testing.T) server{
		"Redis": func(t *testing.T) server {
			s := redistest.NewServer(t, "requirepass "+storePassword, "appendonly yes", "appendfsync always")
			return server{"redis://:" + storePassword + "@" + s.Addr(), func() error { s.Kill(); return nil }, s.Restart}
		},
		"PostgreSQL": func(t *testing.T) server {
			s := postgrestest.Run(t, nil)
			return server{s.Database(t), s.Kill, s.Restart}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, in := open(t), newInbox(t, nil)
			env := map[string]string{"STRIPE_WEBHOOK_SECRET": stripeSecret, "STORE_URL": store.url}
			var fleet [2]*served
			for i := range fleet {
				fleet[i] = start(t, env, one(in.URL, "--store-env", "STORE_URL", "--admin", "127.0.0.1:0")...)
			}
			for _, s := range fleet {
				if got := s.deliver(t, "evt_1", stripeSecret); got != 200 && got != 409 {
					t.Errorf("status %d: %s", got, s.Log())
				}
			}
			if got := in.count(); got != 1 {
				t.Errorf("the upstream got %d requests, want 1", got)
			}
			ready := func(s *served) int {
				status, _ := fetch(t, s.admin+"/readyz")
				return status
			}
			if err := store.kill(); err != nil {
				t.Fatal(err)
			}
			for _, s := range fleet {
				if got := s.deliver(t, "evt_2", stripeSecret); got != http.StatusServiceUnavailable {
					t.Errorf("without the store: status %d", got)
				}
				if got := ready(s); got != http.StatusServiceUnavailable {
					t.Errorf("without the store: /readyz %d", got)
				}
				if status, _ := fetch(t, s.admin+"/livez"); status != 200 {
					t.Errorf("without the store: /livez %d", status)
				}
			}
			if err := store.restart(); err != nil {
				t.Fatal(err)
			}
			for _, s := range fleet {
				until(t, "it is ready again", func() bool { return ready(s) == 200 })
			}
			until(t, "a delivery is taken", func() bool { return fleet[0].deliver(t, "evt_3", stripeSecret) == 200 })
			if got := fleet[1].deliver(t, "evt_1", stripeSecret); got != 200 && got != 409 {
				t.Errorf("status %d: %s", got, fleet[1].Log())
			}
			if got := in.count(); got != 2 {
				t.Errorf("the upstream got %d requests, want 2", got)
			}
			for _, s := range fleet {
				if strings.Contains(s.Log(), storePassword) {
					t.Errorf("the log holds the password: %s", s.Log())
				}
			}
		})
	}
}
