package server_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/config"
	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/server"
)

func TestAdmin(t *testing.T) {
	t.Run("it serves its paths, and leaves the others to its handler", func(t *testing.T) {
		o := options()
		mux := http.NewServeMux()
		mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "numbers\n") })
		o.AdminHandler = mux
		s := start(t, o)
		for _, c := range []struct {
			method, path string
			status       int
			text         string
		}{
			{"GET", "/livez", 200, "alive\n"},
			{"HEAD", "/livez", 200, ""},
			{"POST", "/livez", 405, "method not allowed\n"},
			{"GET", "/readyz", 200, "ready\n"},
			{"DELETE", "/readyz", 405, "method not allowed\n"},
			{"GET", "/metrics", 200, "numbers\n"},
			{"GET", "/livez/", 404, "404 page not found\n"},
			{"GET", "//metrics", 404, "404 page not found\n"},
			{"GET", "/x/../metrics", 404, "404 page not found\n"},
			{"GET", "/", 404, "404 page not found\n"},
		} {
			if status, text := admin(t, s, c.method, c.path); status != c.status || text != c.text {
				t.Errorf("%s %s: got %d %q, want %d %q", c.method, c.path, status, text, c.status, c.text)
			}
		}
	})
	t.Run("without a handler the others are not found", func(t *testing.T) {
		if status, _ := admin(t, start(t, options()), "GET", "/metrics"); status != 404 {
			t.Errorf("got %d", status)
		}
	})
	t.Run("its paths are not public", func(t *testing.T) {
		got := say(t, dial(t, start(t, options())), "GET /livez HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
		if !strings.Contains(got, "\r\n\r\nGET /livez") { // the answer of Options.Public
			t.Errorf("got %q", got)
		}
	})
	t.Run("readiness is what Ready says, within its time", func(t *testing.T) {
		var ready atomic.Pointer[func(context.Context) error]
		o := options()
		o.Ready = func(ctx context.Context) error { return (*ready.Load())(ctx) }
		s := start(t, o)
		forever := make(chan bool)
		defer close(forever)
		for _, c := range []struct {
			name   string
			ready  func(context.Context) error
			status int
		}{
			{"it is", func(context.Context) error { return nil }, 200},
			{"the store fails", func(context.Context) error { return errors.New("no store") }, 503},
			{"it is again", func(context.Context) error { return nil }, 200},
			{"the store hangs", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, 503},
			{"the store hangs and heeds nothing", func(context.Context) error { <-forever; return nil }, 503},
		} {
			ready.Store(&c.ready)
			if status, text := admin(t, s, "GET", "/readyz"); status != c.status || strings.Contains(text, "store") {
				t.Errorf("%s: got %d %q, want %d", c.name, status, text, c.status)
			}
		}
		if got := s.log.String(); strings.Count(got, "not ready") != 2 || strings.Count(got, "ready again") != 1 {
			t.Errorf("the log is %s", got)
		}
	})
	t.Run("there may be none", func(t *testing.T) {
		o := options()
		o.Admin = config.Admin{}
		if s := start(t, o); s.AdminAddr() != nil {
			t.Errorf("it listens on %v", s.AdminAddr())
		}
	})
	t.Run("an address that others reach must be asked for, and is warned of", func(t *testing.T) {
		o := options()
		o.Admin.Address = "0.0.0.0:0"
		s, err := server.New(o)
		if err == nil {
			s.Close()
			t.Fatal("it was opened")
		}
		if !strings.Contains(err.Error(), "admin.remote") {
			t.Error(err)
		}
		o.Admin.Remote = true
		if s := start(t, o); !strings.Contains(s.log.String(), "level=WARN msg=\"the admin listener is reached") {
			t.Errorf("the log is %s", s.log)
		}
	})
}
