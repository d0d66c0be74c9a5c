package main

import (
	"context"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	chimw "github.com/go-chi/chi/v5/middleware"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// overBoth runs a test over HTTP/1.1 and over HTTP/2. deliver posts a delivery to the
// handler, and returns the status of the response.
func overBoth(t *testing.T, test func(t *testing.T, deliver func(h http.Handler, path, signedWith string, header ...string) int)) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	for _, name := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(name, func(t *testing.T) {
			test(t, func(h http.Handler, path, signedWith string, header ...string) int {
				t.Helper()
				server := httptest.NewUnstartedServer(h)
				server.Config.ErrorLog = log.New(io.Discard, "", 0)
				server.EnableHTTP2 = name == "HTTP/2.0"
				server.StartTLS()
				defer server.Close()
				r := stripetest.NewRequest(server.URL+path, time.Now(), []byte(paid), signedWith)
				r.RequestURI = ""
				if len(header) > 0 {
					if server.EnableHTTP2 {
						t.Skip("HTTP/2 has no such header")
					}
					r.Header.Set(header[0], header[1])
				}
				response, err := server.Client().Do(r)
				if err != nil {
					t.Fatal(err)
				}
				response.Body.Close()
				if response.Proto != name {
					t.Errorf("over %s", response.Proto)
				}
				return response.StatusCode
			})
		})
	}
}

const forged = "whsec_of_somebody_else"

func TestRefusal(t *testing.T) {
	// A forged delivery reaches no handler behind the guard by means of chi, and nothing
	// can read what it carried.
	t.Run("nothing of chi runs what the guard refused", func(t *testing.T) {
		// anew routes the request to another path, as chi's own middlewares do.
		anew := func(mux http.Handler, w http.ResponseWriter, r *http.Request) {
			rctx := chi.RouteContext(r.Context())
			rctx.Reset()
			rctx.Routes = mux.(chi.Routes)
			rctx.RoutePath = "/hooks/stripe"
			r.URL.Path = "/hooks/stripe"
			mux.ServeHTTP(w, r)
		}
		once := func(f func(w http.ResponseWriter, r *http.Request)) func(http.Handler) http.Handler {
			return func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.Header.Get("X-Again") != "" {
						next.ServeHTTP(w, r)
						return
					}
					r.Header.Set("X-Again", "1")
					next.ServeHTTP(w, r)
					f(w, r)
				})
			}
		}
		for _, c := range []struct {
			name, path string
			wire       func(m *chi.Mux, protect func(http.Handler) http.Handler, handle http.HandlerFunc)
		}{
			{"the mux from another route", "/old", func(m *chi.Mux, protect func(http.Handler) http.Handler, handle http.HandlerFunc) {
				m.Post("/old", func(w http.ResponseWriter, r *http.Request) { anew(m, w, r) })
				m.With(protect).Post("/hooks/stripe", handle)
			}},
			{"the mux where no route is found", "/old", func(m *chi.Mux, protect func(http.Handler) http.Handler, handle http.HandlerFunc) {
				m.NotFound(func(w http.ResponseWriter, r *http.Request) { anew(m, w, r) })
				m.With(protect).Post("/hooks/stripe", handle)
			}},
			{"the mux after the refusal", "/hooks/stripe", func(m *chi.Mux, protect func(http.Handler) http.Handler, handle http.HandlerFunc) {
				m.Use(once(func(w http.ResponseWriter, r *http.Request) { anew(m, w, r) }))
				m.With(protect).Post("/hooks/stripe", handle)
			}},
			{"next once more", "/hooks/stripe", func(m *chi.Mux, protect func(http.Handler) http.Handler, handle http.HandlerFunc) {
				m.With(func(next http.Handler) http.Handler {
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(w, r); next.ServeHTTP(w, r) })
				}, protect).Post("/hooks/stripe", handle)
			}},
			{"a group that is mounted", "/old", func(m *chi.Mux, protect func(http.Handler) http.Handler, handle http.HandlerFunc) {
				sub := chi.NewRouter()
				sub.With(protect).Post("/stripe", handle)
				m.Mount("/hooks", sub)
				m.Post("/old", func(w http.ResponseWriter, r *http.Request) { anew(m, w, r) })
			}},
		} {
			t.Run(c.name, func(t *testing.T) {
				overBoth(t, func(t *testing.T, deliver func(http.Handler, string, string, ...string) int) {
					for _, signedWith := range []string{forged, secret} {
						runs := 0
						m := chi.NewRouter()
						c.wire(m, middleware.Protect(stripe.Must(secret)), func(w http.ResponseWriter, r *http.Request) {
							runs++
							if _, ok := verify.FromContext(r.Context()); !ok {
								t.Error("the handler ran for what was not verified")
							}
							w.WriteHeader(200)
						})
						var left []byte
						status := deliver(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
							m.ServeHTTP(w, r)
							left, _ = io.ReadAll(r.Body)
						}), c.path, signedWith)
						if signedWith == forged && (status != 401 || runs != 0 || len(left) != 0) {
							t.Errorf("forged: %d, %d runs, left %q", status, runs, left)
						}
						if signedWith == secret && (status != 200 || runs != 1) {
							t.Errorf("genuine: %d, %d runs", status, runs)
						}
					}
				})
			})
		}
	})
}

func TestPanic(t *testing.T) {
	// chi's Recoverer responds with nothing where the sender asks for an upgrade; then net/http
	// would say 200.
	t.Run("a panic is a failure wherever the recoverer stands", func(t *testing.T) {
		slog.SetDefault(slog.New(slog.DiscardHandler))
		for _, header := range [][]string{nil, {"Connection", "Upgrade"}, {"Connection", "keep-alive"}} {
			for _, inside := range []bool{false, true} {
				for _, responds := range []bool{false, true} {
					overBoth(t, func(t *testing.T, deliver func(http.Handler, string, string, ...string) int) {
						var outcomes []middleware.Outcome
						guard, err := middleware.New("billing", stripe.Must(secret), replay.NewMemory(nil), &middleware.Options{
							Observe: func(_ context.Context, e middleware.Report) { outcomes = append(outcomes, e.Outcome) },
						})
						if err != nil {
							t.Fatal(err)
						}
						chain := chi.Middlewares{chimw.Recoverer, guard.Handler}
						if inside {
							chain = chi.Middlewares{guard.Handler, chimw.Recoverer}
						}
						panics := true
						h := chain.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
							if responds {
								io.WriteString(w, "done")
							}
							if panics {
								panic("boom")
							}
						})
						if status := deliver(h, "/", secret, header...); status != 500 {
							t.Errorf("with %q, recovered inside: %v, after a response: %v: status %d", header, inside, responds, status)
						}
						panics = false
						if status := deliver(h, "/", secret, header...); status != 200 {
							t.Errorf("the retry gets %d", status)
						}
						if len(outcomes) != 2 || outcomes[0] != middleware.Failed || outcomes[1] != middleware.Handled {
							t.Errorf("with %q, recovered inside: %v, after a response: %v: outcomes %v", header, inside, responds, outcomes)
						}
					})
				}
			}
		}
	})
}
