package verifytest_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/providers/github/githubtest"
	"github.com/hooknotary/hooknotary/providers/paypal"
	"github.com/hooknotary/hooknotary/providers/paypal/paypaltest"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
	"github.com/hooknotary/hooknotary/verify/verifytest"
)

const (
	stripeSecret = "whsec_7d1f0c5ab2e94863"
	otherSecret  = "whsec_0a8b6c4d2e1f3957"
	githubSecret = "9f2c4e81d7ab3056"
	webhookID    = "8PT597110X687430L"
	path         = "/hooks/stripe"
	hook         = "POST " + path
)

// shop is a server with one Stripe endpoint, wired in one way or another.
type shop struct {
	t      *testing.T
	v      verify.Verifier
	opts   middleware.Options
	store  replay.Store
	handle http.HandlerFunc // what the handler does, without its counting
	signer verifytest.Signer
	runs   atomic.Int64
}

func newShop(t *testing.T) *shop {
	s := &shop{t: t, v: stripe.Must(stripeSecret), store: replay.NewMemory(nil)}
	s.opts.Observe = func(context.Context, middleware.Report) {}
	s.handle = func(w http.ResponseWriter, r *http.Request) {
		// As careless handlers do: without asking whether anything was verified.
		if _, err := io.ReadAll(r.Body); err != nil {
			http.Error(w, "broken", http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
	sign := func(secret string) func(time.Time, []byte) *http.Request {
		return func(at time.Time, body []byte) *http.Request {
			return stripetest.NewRequest("https://shop.example"+path+"?token=k7Zq", at, body, secret)
		}
	}
	s.signer = verifytest.Signer{
		Sign:    sign(stripeSecret),
		Forge:   sign(otherSecret),
		Headers: []string{"Stripe-Signature"},
		Bodies:  [2][]byte{[]byte(`{"id":"evt_1","amount":1200}`), []byte(`{"id":"evt_2","amount":7}`)},
		Runs:    s.runs.Load,
	}
	return s
}

// handler is what the guard protects.
func (s *shop) handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.runs.Add(1)
		s.handle(w, r)
	})
}

func (s *shop) guard() *middleware.Guard {
	s.t.Helper()
	g, err := middleware.New("billing", s.v, s.store, &s.opts)
	if err != nil {
		s.t.Fatal(err)
	}
	return g
}

func (s *shop) guarded() http.Handler { return s.guard().Handler(s.handler()) }

// on mounts handlers, given as pattern and handler.
func on(patternAndHandler ...any) http.Handler {
	mux := http.NewServeMux()
	for i := 0; i < len(patternAndHandler); i += 2 {
		mux.Handle(patternAndHandler[i].(string), patternAndHandler[i+1].(http.Handler))
	}
	return mux
}

// readsBody reads bodies and puts them back, or does not.
func readsBody(next http.Handler, putBack bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if putBack {
			r.Body = io.NopCloser(bytes.NewReader(body))
		}
		next.ServeHTTP(w, r)
	})
}

// real reports whether a request came through a server.
func real(r *http.Request) bool { return r.Context().Value(http.ServerContextKey) != nil }

// masks makes 200 of every status of 400 and more.
func masks(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(&masking{w}, r)
	})
}

type masking struct{ http.ResponseWriter }

func (m *masking) WriteHeader(status int) {
	if status >= 400 {
		status = http.StatusOK
	}
	m.ResponseWriter.WriteHeader(status)
}

// opaque hides what the server's ResponseWriter can do.
func opaque(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(struct{ http.ResponseWriter }{w}, r)
	})
}

func status(code int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
}

// page answers every request, as the pages of a site do, and reads no body.
var page = status(http.StatusOK)

type wiring struct {
	name  string
	serve func(s *shop) http.Handler
	want  []string // what the failure says when the Signer counts runs; none: it passes
	blind []string // what it says when it does not, if that is something else
	slow  bool     // it takes as long as the patience of Protected
}

const (
	noGuard   = "likely cause: no guard stands in front of the handler on this route and method, or it only reports"
	noRoute   = "likely cause: the guard is mounted on another path"
	reads     = "likely cause: something in front of the guard reads the body of every request"
	byAnother = "likely cause: the handler can be reached without the guard by another route or method"
	forgets   = "likely cause: the store forgets"
	isKnown   = "likely cause: the event was handled before"
	otherKey  = "likely cause: the guard has another secret, is of another provider or has another clock"
	isMasked  = "likely cause: something in front of the guard makes a success of its refusals"
	failing   = "likely cause: the handler fails"
)

// Each wrong wiring stands behind the right one that it was made of.
var wirings = []wiring{
	{name: "a guard on the route", serve: func(s *shop) http.Handler { return on(hook, s.guarded()) }},
	{
		name:  "no guard",
		serve: func(s *shop) http.Handler { return on(hook, s.handler()) },
		want: []string{
			"POST /hooks/stripe is not wired as it should be (in process; what comes after this was not tried)",
			"an unsigned request reached the handler, which answered 204",
			"a request with an empty signature header reached the handler",
			"a forged request (its body has a line feed more) reached the handler",
			"a forged request (its body has another digit) reached the handler",
			"a forged request (its signature has another digit) reached the handler",
			"a forged request (its signature is of another body) reached the handler",
			"a forged request (another key signed it) reached the handler", noGuard,
		},
		blind: []string{"an unsigned request was answered 204", noGuard, "something in front of the guard makes a success", "Signer.Runs tells which"},
	},
	{
		name: "no guard, and a handler that panics without a delivery",
		serve: func(s *shop) http.Handler {
			s.handle = func(_ http.ResponseWriter, r *http.Request) {
				d, _ := verify.FromContext(r.Context())
				_ = d.ID
			}
			return on(hook, s.handler())
		},
		want: []string{"an unsigned request reached the handler, which panicked: runtime error: invalid memory address", noGuard},
	},
	{
		name: "the same handler behind a guard",
		serve: func(s *shop) http.Handler {
			s.handle = func(_ http.ResponseWriter, r *http.Request) {
				d, _ := verify.FromContext(r.Context())
				_ = d.ID
			}
			return on(hook, s.guarded())
		},
	},
	{
		name: "no guard, and a handler that refuses what was not verified",
		serve: func(s *shop) http.Handler {
			s.handle = func(w http.ResponseWriter, r *http.Request) {
				if _, ok := verify.FromContext(r.Context()); !ok {
					w.WriteHeader(http.StatusInternalServerError)
				}
			}
			return on(hook, s.handler())
		},
		want:  []string{"an unsigned request reached the handler, which answered 500", noGuard},
		blind: []string{"the genuine request was refused with 500", "Or there is no guard in front of it, and it refuses a request without a Delivery itself"},
	},
	{
		name:  "a middleware that reads the body in front of the guard",
		serve: func(s *shop) http.Handler { return on(hook, readsBody(s.guarded(), false)) },
		want:  []string{"524288 bytes of the body of an unsigned request were read before it was refused", reads},
	},
	{
		name:  "one that puts it back",
		serve: func(s *shop) http.Handler { return on(hook, readsBody(s.guarded(), true)) },
		want:  []string{"524288 bytes of the body of an unsigned request were read before it was refused", reads},
	},
	{
		name: "one that reads it behind the guard",
		serve: func(s *shop) http.Handler {
			return on(hook, s.guard().Handler(readsBody(s.handler(), true)))
		},
	},
	{
		name: "one that reads it only if there is a signature",
		serve: func(s *shop) http.Handler {
			guarded := s.guarded()
			return on(hook, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Stripe-Signature") == "" {
					guarded.ServeHTTP(w, r)
					return
				}
				readsBody(guarded, false).ServeHTTP(w, r)
			}))
		},
		want: []string{"the genuine request was refused with 400", "likely cause: something in front of the guard reads or changes the body"},
	},
	{
		name: "one that reads it only on a real connection",
		serve: func(s *shop) http.Handler {
			guarded := s.guarded()
			return on(hook, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if !real(r) {
					guarded.ServeHTTP(w, r)
					return
				}
				readsBody(guarded, true).ServeHTTP(w, r)
			}))
		},
		want: []string{"(over a real connection;", "an unsigned request was not answered before its body of 512 KiB", reads},
		slow: true,
	},
	{
		name: "one that reads it only if there is a signature, and on a real connection",
		serve: func(s *shop) http.Handler {
			guarded := s.guarded()
			return on(hook, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if !real(r) || r.Header.Get("Stripe-Signature") == "" {
					guarded.ServeHTTP(w, r)
					return
				}
				readsBody(guarded, false).ServeHTTP(w, r)
			}))
		},
		want: []string{"(over a real connection;", "the genuine request was refused with 400", "likely cause: something in front of the guard reads or changes the body"},
	},
	{
		name: "a limit for bodies in front of the guard",
		serve: func(s *shop) http.Handler {
			return on(hook, http.MaxBytesHandler(s.guarded(), 1<<20))
		},
	},
	{
		name:  "one that is too low",
		serve: func(s *shop) http.Handler { return on(hook, http.MaxBytesHandler(s.guarded(), 4)) },
		want:  []string{"the genuine request was refused with 413", "likely cause: a limit for bodies in front of the guard is too low"},
	},
	{
		name: "a handler that verifies by itself, in place of a guard",
		serve: func(s *shop) http.Handler {
			h := s.handler()
			return on(hook, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err == nil {
					_, err = verify.Verify(r.Context(), s.v, &verify.Head{Header: r.Header, ReceivedAt: time.Now()}, body)
				}
				if err != nil {
					w.WriteHeader(http.StatusBadRequest)
					return
				}
				h.ServeHTTP(w, r)
			}))
		},
		want: []string{
			"a signed request with the Content-Type text/plain reached the handler, which answered 204\n\t\t" + noGuard,
			"524288 bytes of the body of an unsigned request were read before it was refused\n\t\t" + reads,
		},
		blind: []string{"a signed request with the Content-Type text/plain was answered 204\n\t\t" + noGuard, reads},
	},
	{
		name:  "a guard on another route, and the handler on this one",
		serve: func(s *shop) http.Handler { return on("POST /hooks/strip", s.guarded(), hook, s.handler()) },
		want:  []string{"an unsigned request reached the handler", noGuard},
		blind: []string{"an unsigned request was answered 204", noGuard},
	},
	{
		name:  "a guard on another route, and nothing on this one",
		serve: func(s *shop) http.Handler { return on("POST /hooks/strip", s.guarded()) },
		want:  []string{"the genuine request was refused with 404", noRoute},
	},
	{
		name:  "a guard on another route, and a page on this one",
		serve: func(s *shop) http.Handler { return on("POST /hooks/strip", s.guarded(), "/", page) },
		want:  []string{"an unsigned request did not reach the handler, but was answered 200"},
		blind: []string{"an unsigned request was answered 200", noGuard},
	},
	{
		name: "a guard in front of another handler",
		serve: func(s *shop) http.Handler {
			return on(hook, s.guard().Handler(page), "POST /hooks/strip", s.guarded())
		},
		want:  []string{"the genuine request was answered 200, but the handler did not run", "another handler takes this URL"},
		blind: []string{},
	},
	{
		name:  "a guard on the route with a slash at its end",
		serve: func(s *shop) http.Handler { return on(hook+"/", s.guarded()) },
		want:  []string{"an unsigned request was answered 307", "likely cause: no provider follows a redirect"},
	},
	{
		name: "a redirect of everything to another host",
		serve: func(s *shop) http.Handler {
			return http.RedirectHandler("https://www.shop.example"+path, http.StatusPermanentRedirect)
		},
		want: []string{"an unsigned request was answered 308", "likely cause: no provider follows a redirect"},
	},
	{
		name: "a redirect on a real connection, to a guard",
		serve: func(s *shop) http.Handler {
			guarded := s.guarded()
			return on(hook+"/", guarded, hook, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if real(r) {
					http.Redirect(w, r, path+"/", http.StatusPermanentRedirect)
					return
				}
				guarded.ServeHTTP(w, r)
			}))
		},
		want: []string{"(over a real connection;", "an unsigned request was answered 308", "likely cause: no provider follows a redirect"},
	},
	{
		name:  "a guard on GET, and the handler on POST",
		serve: func(s *shop) http.Handler { return on("GET "+path, s.guarded(), hook, s.handler()) },
		want:  []string{"an unsigned request reached the handler", noGuard},
		blind: []string{"an unsigned request was answered 204", noGuard},
	},
	{
		name:  "a guard on PUT alone",
		serve: func(s *shop) http.Handler { return on("PUT "+path, s.guarded()) },
		want:  []string{"the genuine request was refused with 405", "likely cause: the route takes another method"},
	},
	{
		name:  "a guard on POST, and the handler on all other methods",
		serve: func(s *shop) http.Handler { return on(hook, s.guarded(), path, s.handler()) },
		want: []string{
			"an unproved request, GET /hooks/stripe, reached a handler, which answered 204", "PUT /hooks/stripe",
			"PATCH /hooks/stripe", "DELETE /hooks/stripe", byAnother,
		},
	},
	{name: "a guard on all methods", serve: func(s *shop) http.Handler { return on(path, s.guarded()) }},
	{
		name:  "a guard on POST, and a page on all other methods",
		serve: func(s *shop) http.Handler { return on(hook, s.guarded(), path, page) },
	},
	{
		name: "a guard that only reports",
		serve: func(s *shop) http.Handler {
			s.opts.InsecureReportOnly = true
			return on(hook, s.guarded())
		},
		want:  []string{"an unsigned request reached the handler, which answered 204", noGuard + " (InsecureReportOnly)"},
		blind: []string{"an unsigned request was answered 204", noGuard},
	},
	{
		name: "a second route without a guard",
		serve: func(s *shop) http.Handler {
			s.signer.Routes = []string{"/internal/stripe"}
			return on(hook, s.guarded(), "POST /internal/stripe", s.handler())
		},
		want: []string{"an unproved request, POST /internal/stripe, reached a handler, which answered 204", byAnother},
	},
	{
		name: "a second route with the guard",
		serve: func(s *shop) http.Handler {
			s.signer.Routes = []string{"/internal/stripe", "/nowhere"}
			guarded := s.guarded()
			return on(hook, guarded, "POST /internal/stripe", guarded)
		},
	},
	{
		name:  "the handler on all paths below",
		serve: func(s *shop) http.Handler { return on(hook, s.guarded(), path+"/", s.handler()) },
		want:  []string{"an unproved request, POST /hooks/stripe/, reached a handler", byAnother},
		blind: []string{},
	},
	{
		name:  "a page on all other paths",
		serve: func(s *shop) http.Handler { return on(hook, s.guarded(), "/", page) },
	},
	{
		name: "a middleware that compares the path without regard to what the router does",
		serve: func(s *shop) http.Handler {
			guarded, handler := s.guarded(), s.handler()
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.URL.Path == path:
					guarded.ServeHTTP(w, r)
				case strings.EqualFold(r.URL.Path, path), r.URL.Path == "/"+path:
					handler.ServeHTTP(w, r)
				}
			})
		},
		want:  []string{"POST /HOOKS/STRIPE, reached a handler", "POST //hooks/stripe, reached a handler", byAnother},
		blind: []string{},
	},
	{
		name: "a guard for each request",
		serve: func(s *shop) http.Handler {
			return on(hook, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				middleware.Protect(s.v)(s.handler()).ServeHTTP(w, r)
			}))
		},
		want:  []string{"a copy of the genuine request ran the handler again", forgets},
		blind: []string{"a copy of the genuine request was answered 204, and not as a repeat", forgets},
	},
	{
		name:  "one guard for all requests",
		serve: func(s *shop) http.Handler { return on(hook, middleware.Protect(s.v)(s.handler())) },
	},
	{
		name:  "a middleware that makes 200 of every failure",
		serve: func(s *shop) http.Handler { return masks(on(hook, s.guarded())) },
		want:  []string{"an unsigned request did not reach the handler, but was answered 200", isMasked},
		blind: []string{"an unsigned request was answered 200", "something in front of the guard makes a success of its refusals"},
	},
	{
		name:  "one behind the guard",
		serve: func(s *shop) http.Handler { return on(hook, s.guard().Handler(masks(s.handler()))) },
	},
	{
		name: "a guard with another secret",
		serve: func(s *shop) http.Handler {
			s.v = stripe.Must("whsec_11112222333344445555")
			return on(hook, s.guarded())
		},
		want: []string{"the genuine request was refused with 401", otherKey},
	},
	{
		name: "a guard that takes the secret of somebody else, too",
		serve: func(s *shop) http.Handler {
			s.v = stripe.Must(stripeSecret, otherSecret)
			return on(hook, s.guarded())
		},
		want:  []string{"a forged request (another key signed it) reached the handler", "likely cause: the guard has that key, too"},
		blind: []string{"a forged request (another key signed it) was answered 204", "likely cause: the guard has that key, too"},
	},
	{
		name: "a guard of another provider",
		serve: func(s *shop) http.Handler {
			s.v = github.Must(stripeSecret)
			return on(hook, s.guarded())
		},
		want: []string{"the genuine request was refused with 401", otherKey},
	},
	{
		name: "a guard with another clock",
		serve: func(s *shop) http.Handler {
			s.opts.Now = func() time.Time { return time.Now().Add(time.Hour) }
			return on(hook, s.guarded())
		},
		want: []string{"the genuine request was refused with 401", otherKey + " (Signer.Now)"},
	},
	{
		name: "a guard and a signer with another clock",
		serve: func(s *shop) http.Handler {
			clock := func() time.Time { return time.Date(2031, 5, 17, 9, 30, 0, 0, time.UTC) }
			s.opts.Now, s.signer.Now = clock, clock
			s.store = replay.NewMemory(&replay.MemoryOptions{Now: clock})
			return on(hook, s.guarded())
		},
	},
	{
		name: "a guard for forms",
		serve: func(s *shop) http.Handler {
			v, err := github.New(verify.Secrets(githubSecret), &github.Options{Form: true})
			if err != nil {
				s.t.Fatal(err)
			}
			s.onGitHub()
			s.v = v
			return on(hook, s.guarded())
		},
		want: []string{"the genuine request was refused with 415", "likely cause: the endpoint takes another Content-Type than Sign sends"},
	},
	{
		name: "forms to a guard for forms",
		serve: func(s *shop) http.Handler {
			v, err := github.New(verify.Secrets(githubSecret), &github.Options{Form: true})
			if err != nil {
				s.t.Fatal(err)
			}
			s.onGitHub()
			s.v = v
			s.signer.Sign = func(_ time.Time, body []byte) *http.Request {
				r := githubtest.NewRequest("https://shop.example"+path, "push", []byte("payload="+url.QueryEscape(string(body))), githubSecret)
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				return r
			}
			return on(hook, s.guarded())
		},
	},
	{
		name: "GitHub",
		serve: func(s *shop) http.Handler {
			s.onGitHub()
			return on(hook, s.guarded())
		},
	},
	{
		name: "GitHub, by a Signer that does not know that it signs no time",
		serve: func(s *shop) http.Handler {
			s.onGitHub()
			s.signer.Untimed = false
			return on(hook, s.guarded())
		},
		want:  []string{"a stale request (signed a year ago) reached the handler", "Signer.Untimed should say so"},
		blind: []string{"a stale request (signed a year ago) was answered 204", "Signer.Untimed should say so"},
	},
	{
		name: "GitHub with SHA-1",
		serve: func(s *shop) http.Handler {
			s.onGitHub()
			v, err := github.New(verify.Secrets(githubSecret), &github.Options{InsecureAllowSHA1: true})
			if err != nil {
				s.t.Fatal(err)
			}
			s.v = v
			return on(hook, s.guarded())
		},
	},
	{
		name: "PayPal",
		serve: func(s *shop) http.Handler {
			s.onPayPal()
			return on(hook, s.guarded())
		},
	},
	{
		name: "PayPal without a guard",
		serve: func(s *shop) http.Handler {
			s.onPayPal()
			return on(hook, s.handler())
		},
		want:  []string{"an unsigned request reached the handler", noGuard},
		blind: []string{"an unsigned request was answered 204"},
	},
	{
		name: "PayPal with a guard for each request",
		serve: func(s *shop) http.Handler {
			s.onPayPal()
			return on(hook, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				middleware.Protect(s.v)(s.handler()).ServeHTTP(w, r)
			}))
		},
		want:  []string{"a copy of the genuine request ran the handler again", forgets},
		blind: []string{"and not as a repeat", forgets},
	},
	{
		name: "a store that fails",
		serve: func(s *shop) http.Handler {
			s.store = away{s.store}
			return on(hook, s.guarded())
		},
		want: []string{"the genuine request was refused with 503", "likely cause: the store, the source of keys"},
	},
	{
		name: "a handler that fails",
		serve: func(s *shop) http.Handler {
			s.handle = status(http.StatusUnprocessableEntity).ServeHTTP
			return on(hook, s.guarded())
		},
		want:  []string{"the genuine request reached the handler, but was answered 422", failing},
		blind: []string{"the genuine request was refused with 422", "likely cause: the handler, or something in front of it, fails"},
	},
	{
		name: "a handler that panics",
		serve: func(s *shop) http.Handler {
			s.handle = func(_ http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				panic(string(body))
			}
			return on(hook, s.guarded())
		},
		want: []string{"the genuine request reached a handler, which panicked: a string", failing},
	},
	{
		name: "a handler that ends the connection on a real one",
		serve: func(s *shop) http.Handler {
			s.handle = func(w http.ResponseWriter, r *http.Request) {
				if real(r) {
					panic(http.ErrAbortHandler)
				}
			}
			return on(hook, s.guarded())
		},
		want: []string{"(over a real connection;", "the genuine request reached a handler, which panicked", failing},
	},
	{
		name: "a handler that is called twice",
		serve: func(s *shop) http.Handler {
			h := s.handler()
			return on(hook, s.guard().Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				h.ServeHTTP(w, r)
				h.ServeHTTP(w, r)
			})))
		},
		want:  []string{"the genuine request ran the handler 2 times", "calls it more than once"},
		blind: []string{},
	},
	{
		name: "two bodies of one event",
		serve: func(s *shop) http.Handler {
			s.signer.Bodies[1] = []byte(`{"id":"evt_1","amount":1201}`)
			return on(hook, s.guarded())
		},
		want: []string{"(over a real connection;", "the genuine request was answered 200 as a repeat", isKnown},
	},
	{
		name: "a response of 201",
		serve: func(s *shop) http.Handler {
			s.handle = status(http.StatusCreated).ServeHTTP
			return on(hook, s.guarded())
		},
	},
	{
		name: "repeats that are acknowledged",
		serve: func(s *shop) http.Handler {
			s.opts.Duplicates = middleware.AcknowledgeDuplicates
			return on(hook, s.guarded())
		},
	},
	{
		name: "repeats that are refused",
		serve: func(s *shop) http.Handler {
			s.onPayPal()
			s.opts.Duplicates = middleware.RefuseDuplicates
			return on(hook, s.guarded())
		},
	},
	{
		name: "refusals with another status",
		serve: func(s *shop) http.Handler {
			s.opts.OnReject = func(_ context.Context, reason verify.Reason, a *middleware.Response) {
				if reason != verify.ErrReplayed {
					a.Status = http.StatusTeapot
				}
			}
			return on(hook, s.guarded())
		},
	},
	{
		name: "repeats with another status",
		serve: func(s *shop) http.Handler {
			s.opts.OnReject = func(_ context.Context, reason verify.Reason, a *middleware.Response) {
				a.Status = http.StatusGone
			}
			return on(hook, s.guarded())
		},
		want:  []string{},
		blind: []string{"a copy of the genuine request was answered 410", "Signer.Runs tells which"},
	},
	{
		name: "a prefix that is cut off",
		serve: func(s *shop) http.Handler {
			return on("/hooks/", http.StripPrefix("/hooks", on("POST /stripe", s.guarded())))
		},
	},
	{
		name:  "a route of one host",
		serve: func(s *shop) http.Handler { return on("POST shop.example"+path, s.guarded()) },
	},
	{
		name: "a timeout around the guard",
		serve: func(s *shop) http.Handler {
			return http.TimeoutHandler(on(hook, s.guarded()), time.Minute, "")
		},
	},
	{
		name:  "a middleware that hides what the server can do",
		serve: func(s *shop) http.Handler { return opaque(on(hook, s.guarded())) },
	},
	{
		name: "the guard twice",
		serve: func(s *shop) http.Handler {
			g := s.guard()
			return g.Handler(on(hook, g.Handler(s.handler())))
		},
	},
	{
		name: "a handler that does not answer on a real connection",
		serve: func(s *shop) http.Handler {
			s.handle = func(w http.ResponseWriter, r *http.Request) {
				if real(r) {
					<-r.Context().Done()
				}
			}
			return on(hook, s.guarded())
		},
		want: []string{"(over a real connection;", "the genuine request got no response"},
		slow: true,
	},
}

// onGitHub makes it an endpoint of GitHub.
func (s *shop) onGitHub() {
	s.v = github.Must(githubSecret)
	sign := func(secret string) func(time.Time, []byte) *http.Request {
		return func(_ time.Time, body []byte) *http.Request {
			return githubtest.NewRequest("https://shop.example"+path, "push", body, secret)
		}
	}
	s.signer.Sign, s.signer.Forge, s.signer.Untimed = sign(githubSecret), sign(otherSecret), true
	s.signer.Headers = []string{"X-Hub-Signature-256", "X-Hub-Signature"}
}

// payPals are PayPal and somebody else, whose keys take a while to make.
var payPals = sync.OnceValues(func() (us, others *paypaltest.PayPal) {
	return paypaltest.New(webhookID), paypaltest.New(webhookID)
})

// onPayPal makes it an endpoint of PayPal.
func (s *shop) onPayPal() {
	us, others := payPals()
	v, err := paypal.New(webhookID, &paypal.Options{Transport: us, Roots: us.Roots()})
	if err != nil {
		s.t.Fatal(err)
	}
	s.v = v
	sign := func(by *paypaltest.PayPal) func(time.Time, []byte) *http.Request {
		return func(at time.Time, body []byte) *http.Request {
			return by.NewRequest("https://shop.example"+path, at, body)
		}
	}
	s.signer.Sign, s.signer.Forge = sign(us), sign(others)
	s.signer.Headers = []string{"PAYPAL-TRANSMISSION-SIG"}
}

// away is a store that cannot be reached.
type away struct{ replay.Store }

func (away) Claim(context.Context, replay.Claim) (replay.Outcome, error) {
	return replay.Outcome{}, errors.New("away")
}

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	// A server takes half a second to end the connections of senders that it has
	// refused, so most of the time the tests of Protected wait.
	flag.Set("test.parallel", "24")
	m.Run()
}

func TestProtected(t *testing.T) {
	for _, tt := range wirings {
		for _, blind := range []bool{false, true} {
			name, want := tt.name, tt.want
			if blind {
				name += ", without counting"
				if tt.blind != nil {
					want = tt.blind
				}
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s := newShop(t)
				h := tt.serve(s)
				if blind {
					s.signer.Runs = nil
				}
				if tt.slow {
					verifytest.SetPatience(&s.signer, 3*time.Second)
				}
				r := record(t, func(tb testing.TB) { verifytest.Protected(tb, h, s.signer) })
				r.wantText(t, want...)
				for _, secret := range []string{stripeSecret, otherSecret, githubSecret, "k7Zq", "evt_1"} {
					if strings.Contains(r.text(), secret) {
						t.Errorf("the failure shows %q:\n%s", secret, r.text())
					}
				}
			})
		}
	}
}

func TestProtectedWiring(t *testing.T) {
	// Two handlers share a guard, so each event reaches only one of them. The test of
	// the second one fails.
	t.Run("a guard that is shared is noticed", func(t *testing.T) {
		for _, tt := range []struct {
			name   string
			shared bool
			want   []string
		}{
			{"shared", true, []string{"POST /hooks/second", "the genuine request was answered 409 as a repeat", isKnown}},
			{"each has its own", false, nil},
		} {
			t.Run(tt.name, func(t *testing.T) {
				s, second := newShop(t), newShop(t)
				first := s.guard()
				other := first
				if !tt.shared {
					other = second.guard()
				}
				h := on(hook, first.Handler(s.handler()), "POST /hooks/second", other.Handler(second.handler()))
				now := time.Now()
				s.signer.Now = func() time.Time { return now }
				second.signer.Now = s.signer.Now
				second.signer.Sign = func(at time.Time, body []byte) *http.Request {
					r := s.signer.Sign(at, body)
					r.URL.Path = "/hooks/second"
					return r
				}
				second.signer.Forge = nil
				verifytest.Protected(t, h, s.signer)
				record(t, func(tb testing.TB) { verifytest.Protected(tb, h, second.signer) }).wantText(t, tt.want...)
			})
		}
	})

	// Each request that must be refused differs from the genuine one in one thing.
	t.Run("one thing is changed at a time", func(t *testing.T) {
		s := newShop(t)
		now := time.Now()
		s.signer.Now = func() time.Time { return now }
		guarded := on(hook, s.guarded())
		seen := make(map[string]int)
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !real(r) {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					t.Error(err)
				}
				seen[difference(r, body, s.signer, now)]++
				r.Body = io.NopCloser(bytes.NewReader(body))
			}
			guarded.ServeHTTP(w, r)
		})
		record(t, func(tb testing.TB) { verifytest.Protected(tb, h, s.signer) })
		for _, what := range []string{
			"no signature", "an empty signature", "a line feed", "a digit of the body", "a digit of the signature",
			"the signature of the other body", "the signature of another key", "a year less", "a year more",
			"the Content-Type", "no signature, a large body",
		} {
			if seen[what] != 1 {
				t.Errorf("%d requests differ in %s, want one", seen[what], what)
			}
			delete(seen, what)
		}
		if len(seen) != 0 {
			t.Errorf("other differences: %v", seen)
		}
	})

	t.Run("a complete Signer is needed", func(t *testing.T) {
		for _, tt := range []struct {
			name   string
			change func(s *verifytest.Signer)
			want   []string
		}{
			{"complete", func(*verifytest.Signer) {}, nil},
			{"without Sign", func(s *verifytest.Signer) { s.Sign = nil }, []string{"Signer needs Sign and Headers"}},
			{"without Headers", func(s *verifytest.Signer) { s.Headers = nil }, []string{"Signer needs Sign and Headers"}},
			{"with a header that is not there", func(s *verifytest.Signer) { s.Headers = []string{"Stripe-Signatur"} }, []string{"has no header Stripe-Signatur,", "take it out of Headers, or let Sign set it"}},
			{"with a header in another spelling", func(s *verifytest.Signer) { s.Headers = []string{"stripe-signature"} }, nil},
			{"without Bodies", func(s *verifytest.Signer) { s.Bodies = [2][]byte{} }, []string{"two different Bodies"}},
			{"with equal Bodies", func(s *verifytest.Signer) { s.Bodies[1] = s.Bodies[0] }, []string{"two different Bodies"}},
			{"with a route that is no path", func(s *verifytest.Signer) { s.Routes = []string{"POST /x"} }, []string{`the route "POST /x" does not begin with a slash`}},
			{"that signs a GET", func(s *verifytest.Signer) {
				s.Sign = func(time.Time, []byte) *http.Request {
					r, _ := http.NewRequest(http.MethodGet, "/", nil)
					return r
				}
			}, []string{"must return a POST request"}},
			{"that signs nothing", func(s *verifytest.Signer) { s.Sign = func(time.Time, []byte) *http.Request { return nil } }, []string{"must return a POST request"}},
			{"without Forge", func(s *verifytest.Signer) { s.Forge = nil }, nil},
		} {
			t.Run(tt.name, func(t *testing.T) {
				s := newShop(t)
				h := on(hook, s.guarded())
				tt.change(&s.signer)
				record(t, func(tb testing.TB) { verifytest.Protected(tb, h, s.signer) }).wantText(t, tt.want...)
			})
		}
		t.Run("and a handler", func(t *testing.T) {
			s := newShop(t)
			record(t, func(tb testing.TB) { verifytest.Protected(tb, nil, s.signer) }).wantText(t, "there is no handler")
		})
	})

	// A panic of the genuine request is found by its stack.
	t.Run("the stack of a panic is logged", func(t *testing.T) {
		s := newShop(t)
		s.handle = func(http.ResponseWriter, *http.Request) { panic(errors.New("no database")) }
		h := on(hook, s.guarded())
		r := record(t, func(tb testing.TB) { verifytest.Protected(tb, h, s.signer) })
		r.wantText(t, "panicked: a *errors.errorString", failing)
		if len(r.logged) != 1 || !strings.Contains(r.logged[0], "wiring_test.go") {
			t.Errorf("logged %q, want the stack", r.logged)
		}
	})

	t.Run("nothing is left behind", func(t *testing.T) {
		wrong := func(s *shop) http.Handler { return on(hook, s.handler()) }
		right := func(s *shop) http.Handler { return on(hook, s.guarded()) }
		before := runtime.NumGoroutine()
		for _, serve := range []func(*shop) http.Handler{right, wrong, right} {
			s := newShop(t)
			h := serve(s)
			record(t, func(tb testing.TB) { verifytest.Protected(tb, h, s.signer) })
		}
		for range 500 {
			if runtime.NumGoroutine() <= before {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		stacks := make([]byte, 1<<20)
		t.Errorf("%d goroutines, and %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
	})
}

// difference says in what a request differs from the genuine one.
func difference(r *http.Request, body []byte, s verifytest.Signer, now time.Time) string {
	signature := func(r *http.Request) string { return strings.Join(r.Header["Stripe-Signature"], "|") }
	genuine := s.Sign(now, s.Bodies[0])
	var all []string
	switch got := signature(r); got {
	case signature(genuine):
	case signature(s.Sign(now, s.Bodies[1])):
		all = append(all, "the signature of the other body")
	case signature(s.Forge(now, s.Bodies[0])):
		all = append(all, "the signature of another key")
	case signature(s.Sign(now.AddDate(-1, 0, 0), s.Bodies[0])):
		all = append(all, "a year less")
	case signature(s.Sign(now.AddDate(1, 0, 0), s.Bodies[0])):
		all = append(all, "a year more")
	case "":
		all = append(all, "an empty signature")
		if r.Header["Stripe-Signature"] == nil {
			all[0] = "no signature"
		}
	default:
		timestamp, digits, _ := strings.Cut(got, ",v1=")
		wantTimestamp, wantDigits, _ := strings.Cut(signature(genuine), ",v1=")
		all = append(all, "the signature's form")
		if timestamp == wantTimestamp && digitsThatDiffer(digits, wantDigits) == 1 {
			all[0] = "a digit of the signature"
		}
	}
	switch want := s.Bodies[0]; {
	case bytes.Equal(body, want):
	case string(body) == string(want)+"\n":
		all = append(all, "a line feed")
	case digitsThatDiffer(string(body), string(want)) == 1:
		all = append(all, "a digit of the body")
	case len(body) == 512<<10:
		all = append(all, "a large body")
	default:
		all = append(all, "the body")
	}
	if r.Header.Get("Content-Type") != genuine.Header.Get("Content-Type") {
		all = append(all, "the Content-Type")
	}
	return strings.Join(all, ", ")
}

// digitsThatDiffer counts the bytes in which two texts differ, or returns -1 if they
// are not equally long, or differ in more than hexadecimal digits.
func digitsThatDiffer(a, b string) int {
	if len(a) != len(b) {
		return -1
	}
	n := 0
	for i := range len(a) {
		if a[i] == b[i] {
			continue
		}
		if !strings.Contains("0123456789abcdef", a[i:i+1]) {
			return -1
		}
		n++
	}
	return n
}
