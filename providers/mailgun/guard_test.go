package mailgun_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/mailgun"
)

// TestGuard: a guard binds a token to the first body that it comes in.
func TestGuard(t *testing.T) {
	runs := 0
	guarded := middleware.Protect(mailgun.InsecureMust(secret))(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { runs++ }))
	now := time.Now()
	first := string(triple(at(now), token, sign(now, token, secret), ""))
	for _, tt := range []struct {
		name, body   string
		status, runs int
	}{
		{"the first body", first, 200, 1},
		{"the same body", first, 200, 1},
		{"another body under the token", strings.Replace(first, "opened", "failed", 1), 401, 1},
		{"another token", string(triple(at(now), other, sign(now, other, secret), "")), 200, 2},
	} {
		r := httptest.NewRequest("POST", "/hooks", strings.NewReader(tt.body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		guarded.ServeHTTP(w, r)
		if got := fmt.Sprint(w.Code, runs); got != fmt.Sprint(tt.status, tt.runs) {
			t.Errorf("%s: status and runs are %s, want %d %d", tt.name, got, tt.status, tt.runs)
		}
	}
}
