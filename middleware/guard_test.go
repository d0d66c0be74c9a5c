package middleware_test

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/adapter"
	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

func profiled(change func(*verify.Profile)) verify.Verifier {
	return &altered{Verifier: stripe.Must(stripeSecret), profile: change}
}

func TestNew(t *testing.T) {
	t.Run("a guard is not made of what cannot be right", func(t *testing.T) {
		type arguments struct {
			endpoint string
			verifier verify.Verifier
			store    replay.Store
			opts     *middleware.Options
		}
		options := func(o middleware.Options) func(*arguments) { return func(a *arguments) { a.opts = &o } }
		for _, c := range []struct {
			name string
			bad  func(*arguments)
			says string
			good func(*arguments) // differs in one thing
		}{
			{"no endpoint", func(a *arguments) { a.endpoint = "" }, "endpoint", func(a *arguments) { a.endpoint = "e" }},
			{"an endpoint too long", func(a *arguments) { a.endpoint = strings.Repeat("e", 129) }, "endpoint",
				func(a *arguments) { a.endpoint = strings.Repeat("e", 128) }},
			{"an endpoint that is no text", func(a *arguments) { a.endpoint = "\xff" }, "endpoint", func(a *arguments) { a.endpoint = "ÿ" }},
			{"no verifier", func(a *arguments) { a.verifier = nil }, "verifier", func(a *arguments) { a.verifier = github.Must(githubSecret) }},
			{"the verifier of an error that was not looked at", func(a *arguments) {
				v, err := stripe.New(nil, nil)
				if err == nil {
					t.Error("there is no error")
				}
				a.verifier = v
			}, "verifier", func(a *arguments) { a.verifier = stripe.Must(stripeSecret) }},
			{"no store", func(a *arguments) { a.store = nil }, "store", func(a *arguments) { a.store = replay.NewMemory(nil) }},
			{"a store that is a nil pointer", func(a *arguments) { a.store = (*replay.Memory)(nil) }, "store",
				func(a *arguments) { a.store = replay.NewMemory(&replay.MemoryOptions{}) }},
			{"a profile without a provider", func(a *arguments) { a.verifier = profiled(func(p *verify.Profile) { p.Provider = "" }) }, "provider",
				func(a *arguments) { a.verifier = profiled(func(p *verify.Profile) { p.Provider = "p" }) }},
			{"a profile without a largest body", func(a *arguments) { a.verifier = profiled(func(p *verify.Profile) { p.MaxBody = 0 }) }, "largest body",
				func(a *arguments) { a.verifier = profiled(func(p *verify.Profile) { p.MaxBody = 1 }) }},
			{"a profile without a binding", func(a *arguments) { a.verifier = profiled(func(p *verify.Profile) { p.Binding = 0 }) }, "Binding",
				func(a *arguments) { a.verifier = profiled(func(p *verify.Profile) { p.Binding = verify.BindingNone }) }},
			{"a profile with an unknown binding", func(a *arguments) { a.verifier = profiled(func(p *verify.Profile) { p.Binding = 5 }) }, "Binding",
				func(a *arguments) {
					a.verifier = profiled(func(p *verify.Profile) { p.Binding = verify.BindingChecksum })
				}},
			{"a profile without a Retry", func(a *arguments) { a.verifier = profiled(func(p *verify.Profile) { p.Retry = 0 }) }, "Retry",
				func(a *arguments) { a.verifier = profiled(func(p *verify.Profile) { p.Retry = verify.RetryNever }) }},
			{"a profile with an unknown Retry", func(a *arguments) { a.verifier = profiled(func(p *verify.Profile) { p.Retry = 4 }) }, "Retry",
				func(a *arguments) { a.verifier = profiled(func(p *verify.Profile) { p.Retry = verify.RetryIdentical }) }},
			{"a negative MaxBody", options(middleware.Options{MaxBody: -1}), "MaxBody", options(middleware.Options{MaxBody: 1})},
			{"a MaxBody beyond all reason", options(middleware.Options{MaxBody: 1<<50 + 1, BodyBudget: math.MaxInt64}), "at most",
				options(middleware.Options{MaxBody: 1 << 49, BodyBudget: 1 << 50})},
			{"a MaxBody without end", options(middleware.Options{MaxBody: math.MaxInt64}), "MaxBody", options(middleware.Options{MaxBody: 1 << 30})},
			{"a negative BodyTimeout", options(middleware.Options{BodyTimeout: -1}), "BodyTimeout", options(middleware.Options{BodyTimeout: 1})},
			{"a negative BodyBudget", options(middleware.Options{BodyBudget: -1}), "BodyBudget", options(middleware.Options{BodyBudget: 2 << 20})},
			{"a BodyBudget for less than two bodies", options(middleware.Options{BodyBudget: 2<<20 - 1}), "BodyBudget", options(middleware.Options{BodyBudget: 2 << 20})},
			{"a Lease under a second", options(middleware.Options{Lease: time.Second - 1}), "Lease", options(middleware.Options{Lease: time.Second})},
			{"a negative Lease", options(middleware.Options{Lease: -time.Hour}), "Lease", options(middleware.Options{Lease: time.Hour})},
			{"a negative MaxRun", options(middleware.Options{MaxRun: -1}), "MaxRun", options(middleware.Options{MaxRun: 1})},
			{"a Retention under the window", options(middleware.Options{Retention: 11*time.Minute - 1}), "Retention", options(middleware.Options{Retention: 11 * time.Minute})},
			{"a Retention under three days where no time is signed", func(a *arguments) {
				a.verifier, a.opts = github.Must(githubSecret), &middleware.Options{Retention: 72*time.Hour - 1}
			}, "Retention", func(a *arguments) {
				a.verifier, a.opts = github.Must(githubSecret), &middleware.Options{Retention: 72 * time.Hour}
			}},
			{"a negative Retention", options(middleware.Options{Retention: -1}), "Retention", options(middleware.Options{Retention: 8760 * time.Hour})},
			{"a Lease that outlives the Retention", options(middleware.Options{Lease: 11*time.Minute + 1, Retention: 11 * time.Minute}), "Lease",
				options(middleware.Options{Lease: 11 * time.Minute, Retention: 11 * time.Minute})},
			{"an unknown value of Duplicates", options(middleware.Options{Duplicates: 3}), "Duplicates", options(middleware.Options{Duplicates: 2})},
			{"a PublicURL with a path", options(middleware.Options{PublicURL: "https://hooks.example/a"}), "PublicURL", options(middleware.Options{PublicURL: "https://hooks.example"})},
			{"a PublicURL with only a slash", options(middleware.Options{PublicURL: "https://hooks.example/"}), "PublicURL", options(middleware.Options{PublicURL: "https://hooks.example:8443"})},
			{"a PublicURL without a scheme", options(middleware.Options{PublicURL: "hooks.example"}), "PublicURL", options(middleware.Options{PublicURL: "http://hooks.example"})},
			{"a PublicURL with a user", options(middleware.Options{PublicURL: "https://a@hooks.example"}), "PublicURL", nil},
			{"a PublicURL with a query", options(middleware.Options{PublicURL: "https://hooks.example?a=b"}), "PublicURL", nil},
			{"a PublicURL with a fragment", options(middleware.Options{PublicURL: "https://hooks.example#a"}), "PublicURL", nil},
			{"a PublicURL that is none", options(middleware.Options{PublicURL: "https://hooks.example\x7f"}), "PublicURL", nil},
		} {
			t.Run(c.name, func(t *testing.T) {
				make := func(change func(*arguments)) (*middleware.Guard, error) {
					a := arguments{"billing", stripe.Must(stripeSecret), replay.NewMemory(nil), nil}
					if change != nil {
						change(&a)
					}
					return middleware.New(a.endpoint, a.verifier, a.store, a.opts)
				}
				g, err := make(c.bad)
				if err == nil || g != nil || !strings.Contains(err.Error(), c.says) {
					t.Errorf("guard %v, error %v, want none and one about %s", g, err, c.says)
				}
				if err != nil && strings.Contains(err.Error(), stripeSecret) {
					t.Error("the error holds the secret")
				}
				if g, err := make(c.good); err != nil || g == nil {
					t.Errorf("the twin is refused: %v", err)
				}
			})
		}
	})

	t.Run("all mistakes are reported at once", func(t *testing.T) {
		budget := middleware.NewBudget(1 << 20)
		for _, c := range []struct {
			name     string
			endpoint string
			verifier verify.Verifier
			store    replay.Store
			opts     *middleware.Options
			want     []string // one a mistake; none: the guard is made
		}{
			{"nothing is given", "", nil, nil, nil, []string{
				"the endpoint's name must be 1 to 128 bytes of UTF-8",
				"store is nil; use replay.NewMemory(nil) for one process",
				"verifier is nil; check the error its constructor returned",
			}},
			{"a profile says nothing", "e", profiled(func(p *verify.Profile) { *p = verify.Profile{} }), replay.NewMemory(nil), nil, []string{
				"has no Provider", "has the MaxBody 0", "has no valid Binding", "has no valid Retry",
			}},
			{"options contradict each other and the verifier", "e", stripe.Must(stripeSecret), replay.NewMemory(nil), &middleware.Options{
				Retention: time.Second, Lease: time.Millisecond, MaxRun: -1, BodyTimeout: -1, MaxBody: -1,
				Budget: budget, BodyBudget: 1, Duplicates: 9, PublicURL: "hooks.example",
			}, []string{
				"Retention is 1s, want at least 11m0s: a copy verifies for that long",
				"Duplicates has the unknown value 9; use one of its constants",
				"Lease is 1ms, want at least 1s",
				"BodyTimeout is -1ns, want more than 0",
				"MaxRun is -1ns, want more than 0",
				"MaxBody is -1, want more than 0",
				"both Budget and BodyBudget are set; set one",
				"PublicURL must be a scheme and a host",
			}},
			{"options are checked without a verifier, too", "e", nil, replay.NewMemory(nil), &middleware.Options{Lease: 1, Retention: 1}, []string{
				"verifier is nil", "Lease is 1ns",
			}},
			{"everything is right", "e", stripe.Must(stripeSecret), replay.NewMemory(nil), &middleware.Options{Retention: time.Hour}, nil},
		} {
			t.Run(c.name, func(t *testing.T) {
				g, err := middleware.New(c.endpoint, c.verifier, c.store, c.opts)
				if c.want == nil {
					if err != nil || g == nil {
						t.Fatalf("guard %v, error %v", g, err)
					}
					return
				}
				if err == nil || g != nil {
					t.Fatalf("guard %v, error %v, want none and an error", g, err)
				}
				text := strings.TrimPrefix(err.Error(), fmt.Sprintf("middleware: endpoint %q: ", c.endpoint))
				got := strings.Split(text, "\n")
				if len(got) != len(c.want) {
					t.Fatalf("%d mistakes, want %d:\n%v", len(got), len(c.want), err)
				}
				for i := range got {
					if !strings.Contains(got[i], c.want[i]) {
						t.Errorf("mistake %d is %q, want %q", i+1, got[i], c.want[i])
					}
				}
			})
		}
	})

	t.Run("options are copied", func(t *testing.T) {
		o := &middleware.Options{Now: func() time.Time { return start }}
		v, store := stripe.Must(stripeSecret), replay.NewMemory(&replay.MemoryOptions{Now: func() time.Time { return start }})
		g, err := middleware.New("test", v, store, o)
		if err != nil {
			t.Fatal(err)
		}
		*o = middleware.Options{InsecureReportOnly: true, InsecureFailOpen: true, MaxBody: 1}
		w := httptest.NewRecorder()
		g.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the handler ran") })).
			ServeHTTP(w, stripetest.NewRequest(hookURL, start, eventBody("evt_1"), otherSecret))
		want(t, w, 401)
	})

	t.Run("a profile without a media type takes JSON", func(t *testing.T) {
		for _, c := range []struct {
			has, sent string
			status    int
		}{
			{"", "application/json", 200}, {"", "text/plain", 415},
			{"text/plain", "text/plain", 200}, {"text/plain", "application/json", 415},
		} {
			s := newSite(t, header("Content-Type", c.sent), func(s *site) {
				s.verifier = profiled(func(p *verify.Profile) { p.MediaType = c.has })
			})
			want(t, s.serve(s.request), c.status)
		}
	})
}

func TestProtect(t *testing.T) {
	t.Run("it panics without a verifier", func(t *testing.T) {
		var none *stripe.Verifier
		for _, v := range []verify.Verifier{nil, none, profiled(func(p *verify.Profile) { p.MaxBody = 0 })} {
			func() {
				defer func() {
					if err, ok := recover().(error); !ok || !strings.Contains(err.Error(), "verifier") {
						t.Errorf("panicked with %v", err)
					}
				}()
				middleware.Protect(v)
			}()
		}
	})

	t.Run("it makes one store for its handlers", func(t *testing.T) {
		var runs int
		protect := middleware.Protect(stripe.Must(stripeSecret))
		h := func() http.Handler {
			return protect(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { runs++ }))
		}
		first, second := h(), h()
		r := stripetest.NewRequest(hookURL, time.Now(), eventBody("evt_1"), stripeSecret)
		other := middleware.Protect(stripe.Must(stripeSecret))
		for _, c := range []struct {
			h      http.Handler
			status int
		}{{first, 200}, {first, 409}, {second, 409}, {other(first), 409}, {other(http.NotFoundHandler()), 404}} {
			w := httptest.NewRecorder()
			c.h.ServeHTTP(w, again(t, r))
			want(t, w, c.status)
		}
		if runs != 1 {
			t.Errorf("%d runs, want 1", runs)
		}
	})
}

func TestSignedURL(t *testing.T) {
	t.Run("the URL of a scheme that signs it is the configured one", func(t *testing.T) {
		var seen []string
		v := profiled(nil).(*altered)
		v.begin = func(_ context.Context, h *verify.Head) (verify.Pending, error) {
			seen = append(seen, fmt.Sprint(h.URL))
			return nil, verify.ErrUnsigned
		}
		for _, c := range []struct{ public, request, want string }{
			{"", "/hooks?a=b", "/hooks?a=b"},
			{"https://hooks.example:8443", "/hooks?a=b", "https://hooks.example:8443/hooks?a=b"},
			{"https://hooks.example", "http://evil.example/hooks%2Fx?a=b", "https://hooks.example/hooks%2Fx?a=b"},
			{"https://hooks.example", "http://user:pass@evil.example/", "https://hooks.example/"},
		} {
			s := newSite(t, func(s *site) { s.verifier, s.opts.PublicURL = v, c.public })
			u, err := url.Parse(c.request)
			if err != nil {
				t.Fatal(err)
			}
			r := s.request
			r.URL = u
			r.Header.Set("X-Forwarded-Host", "evil.example")
			s.serve(r)
			if got := seen[len(seen)-1]; got != c.want {
				t.Errorf("%s at %q: the head has %s, want %s", c.request, c.public, got, c.want)
			}
			if r.URL.String() != c.request {
				t.Errorf("the request's URL was changed to %v", r.URL)
			}
		}
	})

	// A scheme that signs the URL judges by the registered one, whatever the request
	// says.
	t.Run("a signed URL is the registered one", func(t *testing.T) {
		// HMAC-SHA256 over "https://hooks.example/hook{}".
		const signature = "82d40a55aea52dbc108aefe5ea2e08dfed060adc983e4c348973051ecfe7608e"
		for _, c := range []struct {
			registered string
			status     int
		}{{"https://hooks.example/hook", 200}, {"https://other.example/hook", 401}, {"https://hooks.example/hook/", 401}} {
			v, err := scheme.New(scheme.Definition{
				Provider:   "urlsigner",
				Retry:      verify.RetryNever,
				Signatures: []scheme.Signature{{Header: "X-Signature"}},
				Message:    []scheme.Part{scheme.URL(), scheme.Body()},
				MaxBody:    1000,
			}, verify.Secrets(githubSecret), &scheme.Options{URL: c.registered})
			if err != nil {
				t.Fatal(err)
			}
			for _, requested := range []string{"/hook", "/else", "http://evil.example/hook"} {
				s := newSite(t, func(s *site) { s.verifier = v })
				r := httptest.NewRequest("POST", requested, strings.NewReader("{}"))
				r.Header.Set("X-Signature", signature)
				want(t, s.serve(r), c.status)
			}
		}
	})
}

func TestAdmission(t *testing.T) {
	// The steps by hand, as an adapter takes them.
	t.Run("it can be used by hand", func(t *testing.T) {
		admit := func(t *testing.T, s *site) *middleware.Admission {
			t.Helper()
			admission, response := s.guard.Admit(t.Context(), adapter.NewInbound(httptest.NewRecorder(), again(t, s.request)))
			if response != nil {
				t.Fatalf("response %+v", response)
			}
			return admission
		}
		t.Run("settled as done", func(t *testing.T) {
			s := newSite(t, observed)
			a := admit(t, s)
			if a.Delivery().ID != "evt_1" || a.ReportOnly() {
				t.Errorf("delivery %+v", a.Delivery())
			}
			if d, ok := verify.FromContext(a.Context()); !ok || d != a.Delivery() {
				t.Errorf("the context holds %+v", d)
			}
			if !a.Carries(a.Context()) || a.Carries(t.Context()) {
				t.Error("it does not know its own context")
			}
			if response := a.Settle(true); response != nil {
				t.Errorf("response %+v", response)
			}
			a.Close()
			a.Close()
			if s.event().Outcome != middleware.Handled || s.store.commits.Load() != 1 || s.store.releases.Load() != 0 {
				t.Errorf("event %+v", s.event())
			}
		})
		t.Run("closed without being settled", func(t *testing.T) {
			s := newSite(t, observed)
			a := admit(t, s)
			a.Close()
			if s.event().Outcome != middleware.Failed || s.store.releases.Load() != 1 {
				t.Errorf("event %+v", s.event())
			}
			admit(t, s).Close()
		})
		t.Run("settled twice", func(t *testing.T) {
			s := newSite(t)
			a := admit(t, s)
			a.Settle(true)
			defer a.Close()
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
				if s.store.calls() != 2 {
					t.Errorf("%d calls", s.store.calls())
				}
			}()
			a.Settle(false)
		})
		t.Run("settled after its end", func(t *testing.T) {
			s := newSite(t)
			a := admit(t, s)
			a.Close()
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
				if s.store.commits.Load() != 0 {
					t.Error("committed what was released")
				}
			}()
			a.Settle(true)
		})
	})
}
