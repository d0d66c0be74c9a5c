package echomw_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v4"
)

// What echo's Timeout outside does, without its timing: when the handler comes
// back, its context belongs to another request.
func TestContextOfAnotherRequest(t *testing.T) {
	other := httptest.NewRequest(http.MethodGet, "/other", nil)
	var taken *echo.Response
	s := newSite(t, handling(func(c echo.Context) error {
		taken = echo.NewResponse(httptest.NewRecorder(), c.Echo())
		c.SetRequest(other)
		c.SetResponse(taken)
		return c.String(http.StatusInternalServerError, "failed, but nobody hears it")
	}), around(func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			err := next(c)
			if c.Request() != other || c.Response() != taken {
				t.Error("the guard changed what belongs to another request")
			}
			return err
		}
	}))
	s.serve(s.request)
	s.wantSettled(0, 1)
}

// An outer middleware may hold on to the Response that it saw.
func TestResponseIsPutBack(t *testing.T) {
	exchange := echo.WrapMiddleware(func(h http.Handler) http.Handler { return h })
	var before *echo.Response
	var status int
	s := newSite(t, within(exchange), handling(func(c echo.Context) error {
		return echo.NewHTTPError(http.StatusTeapot)
	}), around(func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			before = c.Response()
			err := next(c)
			status = before.Status
			if c.Response() != before {
				t.Error("another Response is left behind")
			}
			return err
		}
	}))
	want(t, s.serve(s.request), http.StatusTeapot)
	if status != http.StatusTeapot {
		t.Errorf("a middleware outside sees the status %d", status)
	}
	s.wantSettled(0, 1)
}
