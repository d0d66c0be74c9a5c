package ginmw_test

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/hooknotary/hooknotary/middleware/ginmw"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify/verifytest"
)

// complaints is a testing.TB that notes what a test says in place of failing.
type complaints struct {
	testing.TB
	text []string
}

func (c *complaints) Helper()                   {}
func (c *complaints) Logf(string, ...any)       {}
func (c *complaints) Errorf(f string, a ...any) { c.text = append(c.text, fmt.Sprintf(f, a...)) }
func (c *complaints) Fatal(a ...any)            { c.Errorf("%s", fmt.Sprint(a...)); runtime.Goexit() }
func (c *complaints) Fatalf(f string, a ...any) { c.Errorf(f, a...); runtime.Goexit() }
func (c *complaints) of(test func(testing.TB)) string {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		test(c)
	}()
	<-ended
	return strings.Join(c.text, "\n")
}

func TestProtected(t *testing.T) {
	for _, tt := range []struct {
		name string
		wire func(e *gin.Engine, guard, handle gin.HandlerFunc)
		want string // what the failure says; empty: it passes
	}{
		{"a guard on the route", func(e *gin.Engine, guard, handle gin.HandlerFunc) { e.POST(hookPath, guard, handle) }, ""},
		{"a guard on the group of the route", func(e *gin.Engine, guard, handle gin.HandlerFunc) { e.Group("/hooks", guard).POST("", handle) }, ""},
		{"a recovery before the guard", func(e *gin.Engine, guard, handle gin.HandlerFunc) { e.Use(recoverer); e.POST(hookPath, guard, handle) }, ""},
		{"no guard", func(e *gin.Engine, _, handle gin.HandlerFunc) { e.POST(hookPath, handle) }, "an unsigned request reached the handler"},
		{"a guard behind the handler", func(e *gin.Engine, guard, handle gin.HandlerFunc) { e.POST(hookPath, handle, guard) }, "an unsigned request reached the handler"},
		{"a guard that Use adds too late", func(e *gin.Engine, guard, handle gin.HandlerFunc) { e.POST(hookPath, handle); e.Use(guard) }, "an unsigned request reached the handler"},
		{"a guard on POST alone", func(e *gin.Engine, guard, handle gin.HandlerFunc) {
			e.POST(hookPath, guard, handle)
			e.GET(hookPath, handle)
		}, "GET /hooks, reached a handler"},
		{"a binding before the guard", func(e *gin.Engine, guard, handle gin.HandlerFunc) {
			e.POST(hookPath, func(c *gin.Context) { c.ShouldBindJSON(&struct{}{}) }, guard, handle)
		}, "reads"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var runs atomic.Int64
			engine := gin.New()
			tt.wire(engine, ginmw.Protect(stripe.Must(stripeSecret)), func(c *gin.Context) {
				runs.Add(1)
				c.Status(http.StatusNoContent)
			})
			signer := verifytest.Signer{
				Sign: func(at time.Time, body []byte) *http.Request {
					return stripetest.NewRequest(hookURL, at, body, stripeSecret)
				},
				Headers: []string{"Stripe-Signature"},
				Bodies:  [2][]byte{eventBody("evt_1"), eventBody("evt_2")},
				Runs:    runs.Load,
			}
			text := (&complaints{TB: t}).of(func(tb testing.TB) { verifytest.Protected(tb, engine, signer) })
			if tt.want == "" && text != "" || !strings.Contains(text, tt.want) {
				t.Errorf("the failure says %q, want %q", text, tt.want)
			}
		})
	}
}
