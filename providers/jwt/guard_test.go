package jwt_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/jwt"
	"github.com/hooknotary/hooknotary/verify"
)

// TestGuard: what a guard makes of a token, and of its repeats.
func TestGuard(t *testing.T) {
	covered := acme()
	uncovered, o := open()
	for _, tt := range []struct {
		name     string
		verifier *jwt.Verifier
		otherRan int // how often the handler ran after another body came under the token
		status   int // of the response to that
	}{
		{"that covers the body", verifier(t, covered, acmeOptions()), 1, http.StatusUnauthorized},
		{"that does not", verifier(t, uncovered, o), 2, http.StatusOK},
	} {
		t.Run("a token "+tt.name, func(t *testing.T) {
			ran := 0
			guarded := middleware.Protect(tt.verifier)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				d, ok := verify.FromContext(r.Context())
				if !ok || d.Provider != "acme" || d.Binding != tt.verifier.Profile().Binding {
					t.Errorf("the delivery is %+v", d)
				}
				if _, err := io.ReadAll(r.Body); err != nil {
					t.Error(err)
				}
				ran++
			}))
			at := time.Now()
			token := join("HS256", header, text(with(with(genuine(), "iat", at.Unix()), "exp", at.Add(time.Minute).Unix())), secret)
			send := func(method, token, body string) *httptest.ResponseRecorder {
				r := httptest.NewRequest(method, "/hooks/acme", strings.NewReader(body))
				r.Header.Set("Content-Type", "application/json")
				r.Header.Set("Acme-Signature", token)
				w := httptest.NewRecorder()
				guarded.ServeHTTP(w, r)
				return w
			}
			if w := send(http.MethodGet, token, ""); w.Code != http.StatusMethodNotAllowed || ran != 0 {
				t.Errorf("a GET got %d", w.Code)
			}
			if w := send(http.MethodPost, token[:len(token)-1], event); w.Code != http.StatusUnauthorized || ran != 0 {
				t.Errorf("a token that is cut got %d", w.Code)
			}
			if w := send(http.MethodPost, token, event); w.Code != http.StatusOK || ran != 1 {
				t.Errorf("the delivery got %d, and ran %d times", w.Code, ran)
			}
			if w := send(http.MethodPost, token, event); w.Code != http.StatusOK || ran != 1 || w.Header().Get("Webhook-Duplicate") != "1" {
				t.Errorf("the repeat got %d, and ran %d times", w.Code, ran)
			}
			if w := send(http.MethodPost, token, `{"type":"invoice.voided"}`); w.Code != tt.status || ran != tt.otherRan {
				t.Errorf("another body got %d, and ran %d times, want %d and %d", w.Code, ran, tt.status, tt.otherRan)
			}
		})
	}
}
