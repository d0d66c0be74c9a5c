package show_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/examples/show"
	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/verify"
)

// endpoint returns a guarded endpoint of which effect gets the name in the body.
func endpoint(v verify.Verifier, effect func(name string) error) http.Handler {
	return middleware.Protect(v)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var event struct {
			After string
			Data  struct{ Object struct{ ID string } }
		}
		if err := json.NewDecoder(r.Body).Decode(&event); err != nil {
			http.Error(w, "not an event", http.StatusBadRequest)
		} else if effect(event.After+event.Data.Object.ID) != nil {
			http.Error(w, "try again later", http.StatusInternalServerError)
		} else {
			w.WriteHeader(http.StatusNoContent)
		}
	}))
}

// builder makes an endpoint of a verifier.
type builder func(v verify.Verifier, effect func(name string) error) http.Handler

var shows = map[string]func(out io.Writer, build builder) error{
	"Stripe": func(out io.Writer, build builder) error {
		return show.Stripe(out, func(v verify.Verifier, pay func(context.Context, string) error) http.Handler {
			return build(v, func(name string) error { return pay(context.Background(), name) })
		})
	},
	"GitHub": func(out io.Writer, build builder) error {
		return show.GitHub(out, func(v verify.Verifier, start func(context.Context, string, string) error) http.Handler {
			return build(v, func(name string) error { return start(context.Background(), "", name) })
		})
	},
}

func TestPromises(t *testing.T) {
	for provider, run := range shows {
		t.Run(provider, func(t *testing.T) {
			var out strings.Builder
			if err := run(&out, endpoint); err != nil {
				t.Errorf("%v\n%s", err, out.String())
			}
			if n := strings.Count(out.String(), "\n"); n != 6 {
				t.Errorf("%d deliveries are shown:\n%s", n, out.String())
			}
		})
	}
}

func TestBrokenPromise(t *testing.T) {
	for provider, run := range shows {
		for _, c := range []struct {
			name  string
			build builder
			first string // what is broken first
		}{
			{"the verifier believes everything", func(v verify.Verifier, effect func(string) error) http.Handler {
				return endpoint(gullible{v}, effect)
			}, "a forged one"},
			{"no process knows the store of another", processes, "the genuine one, replayed"},
			{"the handler hides its failure", func(v verify.Verifier, effect func(string) error) http.Handler {
				return endpoint(v, func(name string) error { effect(name); return nil })
			}, "one that the handler fails"},
			{"a proxy hides the responses", func(v verify.Verifier, effect func(string) error) http.Handler {
				h := endpoint(v, effect)
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(httptest.NewRecorder(), r) })
			}, "a genuine delivery"},
		} {
			t.Run(provider+", "+c.name, func(t *testing.T) {
				var out strings.Builder
				if err := run(&out, c.build); err == nil {
					t.Error("no error")
				}
				before, _, found := strings.Cut(out.String(), "BROKEN")
				if _, line, _ := strings.Cut("\n"+before, "\n"+c.first); !found || strings.Contains(line, "\n") || line == "" {
					t.Errorf("want the first broken promise to be %q:\n%s", c.first, out.String())
				}
			})
		}
	}
}

// processes makes an endpoint of as many processes as there are deliveries.
func processes(v verify.Verifier, effect func(string) error) http.Handler {
	all := make(chan http.Handler, 6)
	for range cap(all) {
		all <- endpoint(v, effect)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (<-all).ServeHTTP(w, r) })
}

// gullible is a verifier that accepts whatever comes.
type gullible struct{ verify.Verifier }

func (g gullible) Begin(context.Context, *verify.Head) (verify.Pending, error) { return g, nil }

func (g gullible) Finish(_ context.Context, body []byte) (*verify.Delivery, error) {
	return &verify.Delivery{Provider: g.Profile().Provider, ID: string(body), SignedAt: time.Now(), Binding: verify.BindingFull, Body: body}, nil
}

func TestServe(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := show.Serve(ctx, &http.Server{Addr: "localhost:0", WriteTimeout: time.Minute}, "/"); err != nil {
		t.Errorf("shutdown: %v", err)
	}
	if err := show.Serve(t.Context(), &http.Server{Addr: "localhost:none"}, "/"); err == nil {
		t.Error("no error for an address that is none")
	}
}
