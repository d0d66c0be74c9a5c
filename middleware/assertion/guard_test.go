package assertion_test

import (
	"bytes"
	"crypto/sha256"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/assertion"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
	"github.com/hooknotary/hooknotary/verify/verifytest"
)

// TestGuard: what the guard of a receiver makes of the attempts of a gateway.
func TestGuard(t *testing.T) {
	v := verifier(t, "ES256")
	signer := must(assertion.NewSigner(algorithms["ES256"](t, "2026-11"), issuer, audience, nil))(t)
	ran, status := 0, http.StatusNoContent
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ran++
		d, _ := verify.FromContext(r.Context())
		c, ok := v.Claims(d, r.Header)
		if !ok || c.Provider != "stripe" || d.Provider != "hooknotary" || d.Scope != c.Scope || d.ID != c.EventKey.String() {
			t.Errorf("the delivery is %+v, and the claims are %+v", d, c)
		}
		if got, err := io.ReadAll(r.Body); err != nil || c.BodySHA256 != sha256.Sum256(got) {
			t.Errorf("the body is %q, and the error is %v", got, err)
		}
		w.WriteHeader(status)
	})
	guarded := middleware.Protect(v)(handler)
	send := func(token, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, "/billing", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		if token != "" {
			r.Header.Set(assertion.Header, token)
		}
		w := httptest.NewRecorder()
		guarded.ServeHTTP(w, r)
		return w
	}
	event := func(n byte) assertion.Claims {
		c := claims()
		c.EventKey = replay.Key{n}
		return c
	}
	attempt := func(n byte) string { return must(signer.Sign(event(n)))(t) }

	first := attempt(1)
	for _, step := range []struct {
		name        string
		token, body string
		answers     int // of the handler, if it runs
		status, ran int
		duplicate   string
	}{
		{"no assertion", "", body, 204, 401, 0, ""},
		{"a genuine one over another body", attempt(1), body + " ", 204, 401, 0, ""},
		{"an attempt that fails", attempt(1), body, 500, 500, 1, ""},
		{"the next attempt", first, body, 204, 204, 2, ""},
		{"a copy of it", first, body, 204, 409, 2, ""},
		{"one attempt more, because the answer was lost", attempt(1), body, 204, 200, 2, "1"},
		{"another event with the same body", attempt(2), body, 204, 204, 3, ""},
	} {
		status = step.answers
		w := send(step.token, step.body)
		if w.Code != step.status || ran != step.ran || w.Header().Get("Webhook-Duplicate") != step.duplicate {
			t.Errorf("%s: the response is %d, and the handler ran %d times, want %d and %d", step.name, w.Code, ran, step.status, step.ran)
		}
	}
}

// TestProtected: the author of a receiver tests its wiring as that of any endpoint.
func TestProtected(t *testing.T) {
	ran := 0
	mux := http.NewServeMux()
	mux.Handle("POST /billing", middleware.Protect(verifier(t, "HS256"))(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { ran++ })))
	sign := func(secret string) func(at time.Time, body []byte) *http.Request {
		k := must(assertion.NewSecretKey("2026-11", []byte(secret)))(t)
		return func(at time.Time, body []byte) *http.Request {
			signer := must(assertion.NewSigner(k, issuer, audience, &assertion.SignerOptions{Now: func() time.Time { return at }}))(t)
			c := claims()
			c.BodySHA256 = sha256.Sum256(body)
			c.EventKey = replay.Key(c.BodySHA256)
			r := httptest.NewRequest(http.MethodPost, "http://receiver.example/billing", bytes.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set(assertion.Header, must(signer.Sign(c))(t))
			return r
		}
	}
	verifytest.Protected(t, mux, verifytest.Signer{
		Sign:    sign(secret),
		Forge:   sign(strings.Repeat("another-secret-", 3)),
		Headers: []string{assertion.Header},
		Bodies:  [2][]byte{[]byte(body), []byte(`{"id":"evt_2"}`)},
		Runs:    func() int64 { return int64(ran) },
	})
}
