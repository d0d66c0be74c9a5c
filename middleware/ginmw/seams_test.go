package ginmw_test

import (
	"io"
	"testing"

	"github.com/gin-gonic/gin"
)

// What calls the handler itself goes around every middleware; even then there is
// nothing to read.
func TestNothingToReadAfterARefusal(t *testing.T) {
	s := newSite(t, func(s *site) { s.request.Header.Del("Stripe-Signature") },
		around(func(c *gin.Context) {
			c.Next()
			c.Handler()(c)
		}), handling(func(c *gin.Context) {
			if err := c.ShouldBindJSON(new(any)); err != io.EOF {
				t.Errorf("binding says %v", err)
			}
		}))
	want(t, s.serve(s.request), 401)
	if s.runs.Load() != 1 {
		t.Errorf("%d runs", s.runs.Load())
	}
}
