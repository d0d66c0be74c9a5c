package adapter_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/middleware/adapter"
)

// server is a server's own ResponseWriter.
type server struct {
	http.ResponseWriter
	read, write time.Time
}

func (s *server) SetReadDeadline(t time.Time) error  { s.read = t; return nil }
func (s *server) SetWriteDeadline(t time.Time) error { s.write = t; return nil }

type wrapper struct{ http.ResponseWriter }

func (w wrapper) Unwrap() http.ResponseWriter { return w.ResponseWriter }

type opaque struct{ http.ResponseWriter }

func TestInterrupter(t *testing.T) {
	for _, tt := range []struct {
		name   string
		wrap   func(http.ResponseWriter) http.ResponseWriter
		finds  bool
		hidden bool
	}{
		{"the server's own writer is interrupted", func(w http.ResponseWriter) http.ResponseWriter { return w }, true, false},
		{"a wrapper with Unwrap is looked through", func(w http.ResponseWriter) http.ResponseWriter { return wrapper{wrapper{w}} }, true, false},
		{"a wrapper without Unwrap hides it", func(w http.ResponseWriter) http.ResponseWriter { return opaque{w} }, false, true},
		{"so does one behind another", func(w http.ResponseWriter) http.ResponseWriter { return wrapper{opaque{w}} }, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &server{ResponseWriter: httptest.NewRecorder()}
			r := httptest.NewRequest("POST", "/", bytes.NewReader([]byte("{}")))
			interrupt, hidden := adapter.NewInbound(tt.wrap(w), r).Interrupter()
			if (interrupt != nil) != tt.finds || hidden != tt.hidden {
				t.Fatalf("found %v, hidden %v", interrupt != nil, hidden)
			}
			if !tt.finds {
				return
			}
			if err := interrupt(); err != nil || !w.read.Before(time.Now()) || w.read.IsZero() {
				t.Errorf("the read deadline is %v, %v, want one in the past", w.read, err)
			}
			if !w.write.IsZero() {
				t.Error("a write deadline was set outside of a server")
			}
		})
	}
	t.Run("what has no ResponseWriter hides nothing", func(t *testing.T) {
		if interrupt, hidden := new(adapter.Inbound).Interrupter(); interrupt != nil || hidden {
			t.Errorf("found %v, hidden %v", interrupt != nil, hidden)
		}
	})
	t.Run("a SetReadDeadline that is given is taken", func(t *testing.T) {
		var set time.Time
		in := &adapter.Inbound{SetReadDeadline: func(t time.Time) error { set = t; return nil }}
		interrupt, hidden := in.Interrupter()
		if interrupt == nil || hidden {
			t.Fatalf("found %v, hidden %v", interrupt != nil, hidden)
		}
		if interrupt(); set.IsZero() {
			t.Error("it was not called")
		}
	})
	t.Run("a write ends within the server's own time", func(t *testing.T) {
		for _, timeout := range []time.Duration{0, time.Millisecond, time.Hour} {
			w := &server{ResponseWriter: httptest.NewRecorder()}
			r := httptest.NewRequest("POST", "/", bytes.NewReader([]byte("{}")))
			r = r.WithContext(context.WithValue(r.Context(), http.ServerContextKey, &http.Server{WriteTimeout: timeout}))
			interrupt, _ := adapter.NewInbound(w, r).Interrupter()
			if err := interrupt(); err != nil {
				t.Fatal(err)
			}
			if set := !w.write.IsZero(); set != (timeout != time.Millisecond) || time.Until(w.write) > time.Second {
				t.Errorf("with a WriteTimeout of %v the write deadline is %v", timeout, w.write)
			}
		}
	})
}
