package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/verify"
)

func TestPromisesAreKept(t *testing.T) {
	var out strings.Builder
	if err := show(&out, routes); err != nil {
		t.Errorf("%v\n%s", err, out.String())
	}
	if n := strings.Count(out.String(), "\n"); n != 6 {
		t.Errorf("%d deliveries are shown:\n%s", n, out.String())
	}
}

func TestBrokenPromisesAreNoticed(t *testing.T) {
	for name, c := range map[string]struct {
		build func(verify.Verifier, *billing) http.Handler
		first string // what is broken first
	}{
		"the verifier believes everything": {func(v verify.Verifier, b *billing) http.Handler {
			return routes(gullible{v}, b)
		}, "a forged one"},
		"no process knows the store of another": {func(v verify.Verifier, b *billing) http.Handler {
			processes := make(chan http.Handler, 6)
			for range cap(processes) {
				processes <- routes(v, b)
			}
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (<-processes).ServeHTTP(w, r) })
		}, "the genuine one, replayed"},
		"the handler hides its failure": {func(v verify.Verifier, b *billing) http.Handler {
			return routes(v, &billing{pay: func(ctx context.Context, invoice string) error {
				b.pay(ctx, invoice)
				return nil
			}})
		}, "one that the handler fails"},
		"a proxy hides the responses": {func(v verify.Verifier, b *billing) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				routes(v, b).ServeHTTP(httptest.NewRecorder(), r)
			})
		}, "a genuine delivery"},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			if err := show(&out, c.build); err == nil {
				t.Error("no error")
			}
			before, _, found := strings.Cut(out.String(), "BROKEN")
			if _, line, _ := strings.Cut("\n"+before, "\n"+c.first); !found || strings.Contains(line, "\n") || line == "" {
				t.Errorf("want the first broken promise to be %q:\n%s", c.first, out.String())
			}
		})
	}
}

// gullible is a verifier that accepts whatever comes.
type gullible struct{ verify.Verifier }

func (g gullible) Begin(context.Context, *verify.Head) (verify.Pending, error) { return g, nil }

func (gullible) Finish(_ context.Context, body []byte) (*verify.Delivery, error) {
	return &verify.Delivery{Provider: "stripe", ID: string(body), SignedAt: time.Now(), Binding: verify.BindingFull, Body: body}, nil
}
