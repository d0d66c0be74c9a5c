package server

import (
	"context"
	"io"
	"net/http"
	"path"
	"time"
)

// readyTimeout is how long the check behind /readyz may take.
const readyTimeout = 500 * time.Millisecond

// admin serves /livez and /readyz, and leaves the rest to another handler.
func (s *Server) admin(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/livez":
		probe(w, r, http.StatusOK, "alive\n")
	case "/readyz":
		switch {
		case s.draining.Load():
			probe(w, r, http.StatusServiceUnavailable, "draining\n")
		case !s.ready(r.Context()):
			probe(w, r, http.StatusServiceUnavailable, "not ready\n")
		default:
			probe(w, r, http.StatusOK, "ready\n")
		}
	default:
		// A ServeMux would lead other spellings of its paths to them.
		if s.o.AdminHandler == nil || r.URL.Path != path.Clean(r.URL.Path) {
			http.NotFound(w, r)
			return
		}
		s.o.AdminHandler.ServeHTTP(w, r)
	}
}

func probe(w http.ResponseWriter, r *http.Request, status int, text string) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	io.WriteString(w, text)
}

// ready asks Options.Ready within readyTimeout, and logs a change.
func (s *Server) ready(ctx context.Context) bool {
	if s.o.Ready == nil {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	result := make(chan error, 1)
	go func() { result <- s.o.Ready(ctx) }()
	var err error
	select {
	case err = <-result:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if was := s.notReady.Swap(err != nil); was != (err != nil) {
		if err != nil {
			s.o.Log.Warn("not ready", "error", truncate(err.Error()))
		} else {
			s.o.Log.Info("ready again")
		}
	}
	return err == nil
}
