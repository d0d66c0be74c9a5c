package echomw_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	echomiddleware "github.com/labstack/echo/v4/middleware"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/echomw"
	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
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

// server is an echo server of Stripe's webhooks that is yet to be wired.
type server struct {
	*echo.Echo
	t      *testing.T
	runs   atomic.Int64
	signer verifytest.Signer
}

func newServer(t *testing.T) *server {
	s := &server{Echo: echo.New(), t: t}
	s.Logger.SetOutput(io.Discard)
	sign := func(secret string) func(time.Time, []byte) *http.Request {
		return func(at time.Time, body []byte) *http.Request { return stripetest.NewRequest(hookURL, at, body, secret) }
	}
	s.signer = verifytest.Signer{
		Sign: sign(stripeSecret), Forge: sign(otherSecret), Headers: []string{"Stripe-Signature"},
		Bodies: [2][]byte{eventBody("evt_1"), eventBody("evt_2")}, Runs: s.runs.Load,
	}
	return s
}

// handle is the handler: it takes any event.
func (s *server) handle(c echo.Context) error {
	s.runs.Add(1)
	var event struct{ ID string }
	if err := c.Bind(&event); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

func (s *server) guard(change ...func(*middleware.Options)) echo.MiddlewareFunc {
	s.t.Helper()
	o := &middleware.Options{}
	for _, f := range change {
		f(o)
	}
	g, err := middleware.New("test", stripe.Must(stripeSecret), replay.NewMemory(nil), o)
	if err != nil {
		s.t.Fatal(err)
	}
	return echomw.New(g)
}

// paths returns the paths of all routes.
func (s *server) paths() (paths []string) {
	for _, r := range s.Routes() {
		paths = append(paths, r.Path)
	}
	return paths
}

func dump(next echo.HandlerFunc) echo.HandlerFunc {
	return echomiddleware.BodyDump(func(echo.Context, []byte, []byte) {})(next)
}

// reading reads bodies and does not put them back, but only of what is signed.
func reading(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if c.Request().Header.Get("Stripe-Signature") != "" {
			io.Copy(io.Discard, c.Request().Body)
		}
		return next(c)
	}
}

// peeking reads bodies and puts them back.
func peeking(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		body, err := io.ReadAll(c.Request().Body)
		if err != nil {
			return err
		}
		c.Request().Body = io.NopCloser(bytes.NewReader(body))
		return next(c)
	}
}

// soothing makes 200 of every status of 400 and more.
func soothing(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Response().Before(func() {
			if c.Response().Status >= 400 {
				c.Response().Status = http.StatusOK
			}
		})
		return next(c)
	}
}

func TestProtected(t *testing.T) {
	const (
		unguarded = "no guard stands in front of the handler on this route and method, or it only reports"
		early     = "something in front of the guard reads the body of every request"
		bypass    = "the handler can be reached without the guard by another route or method"
	)
	for _, tt := range []struct {
		name string
		wire func(s *server)
		want []string // what the failure says; none: it passes
	}{
		{"a guard on the route", func(s *server) { s.POST(hookPath, s.handle, s.guard()) }, nil},
		{"no guard", func(s *server) { s.POST(hookPath, s.handle) }, []string{"an unsigned request reached the handler, which answered 204", unguarded}},

		{"a dump of bodies behind the guard", func(s *server) { s.POST(hookPath, s.handle, s.guard(), dump) }, nil},
		{"a dump of bodies before the guard", func(s *server) { s.POST(hookPath, s.handle, dump, s.guard()) }, []string{"524288 bytes of the body of an unsigned request were read", early}},
		{"a middleware that puts the body back before the guard", func(s *server) {
			s.Use(peeking)
			s.POST(hookPath, s.handle, s.guard())
		}, []string{"524288 bytes of the body of an unsigned request were read", early}},
		{"one that does not, for what is signed", func(s *server) { s.POST(hookPath, s.handle, reading, s.guard()) },
			[]string{"the genuine request was refused with 400", "reads or changes the body"}},
		{"a limit for bodies before the guard", func(s *server) {
			s.Use(echomiddleware.BodyLimit("1M"))
			s.POST(hookPath, s.handle, s.guard())
		}, nil},
		{"one that is too low", func(s *server) {
			s.Use(echomiddleware.BodyLimit("8B"))
			s.POST(hookPath, s.handle, s.guard())
		}, []string{"the genuine request was refused with 413", "limit for bodies"}},

		{"a guard on another route", func(s *server) {
			s.POST("/hook", s.handle, s.guard())
			s.POST(hookPath, s.handle)
		}, []string{"an unsigned request reached the handler", unguarded}},
		{"a guard on another route, and nothing here", func(s *server) { s.POST("/hook", s.handle, s.guard()) },
			[]string{"the genuine request was refused with 404", "mounted on another path"}},
		{"a guard on the group of the route", func(s *server) { s.Group("/hooks", s.guard()).POST("", s.handle) }, nil},
		{"a guard on another group", func(s *server) {
			s.Group("/api", s.guard())
			s.Group("/hooks").POST("", s.handle)
		}, []string{"an unsigned request reached the handler", unguarded}},

		{"a guard on GET alone", func(s *server) {
			s.GET(hookPath, s.handle, s.guard())
			s.POST(hookPath, s.handle)
		}, []string{"an unsigned request reached the handler", unguarded}},
		{"a guard on POST alone", func(s *server) {
			s.GET(hookPath, s.handle)
			s.POST(hookPath, s.handle, s.guard())
		}, []string{"GET /hooks, reached a handler", bypass}},
		{"a guard on all methods", func(s *server) { s.Any(hookPath, s.handle, s.guard()) }, nil},

		{"a guard that only reports", func(s *server) {
			s.POST(hookPath, s.handle, s.guard(func(o *middleware.Options) { o.InsecureReportOnly = true }))
		}, []string{"an unsigned request reached the handler", unguarded + " (InsecureReportOnly)"}},

		{"a second route with the guard", func(s *server) {
			guard := s.guard()
			s.POST(hookPath, s.handle, guard)
			s.POST("/internal/:name", s.handle, guard)
			s.GET("/", func(c echo.Context) error { return c.String(http.StatusOK, "welcome") })
			s.signer.Routes = s.paths()
		}, nil},
		{"a second route without a guard", func(s *server) {
			s.POST(hookPath, s.handle, s.guard())
			s.POST("/internal/:name", s.handle)
			s.GET("/", func(c echo.Context) error { return c.String(http.StatusOK, "welcome") })
			s.signer.Routes = s.paths()
		}, []string{"POST /internal/:name, reached a handler", bypass}},

		{"a guard that is made once", func(s *server) { s.POST(hookPath, s.handle, echomw.Protect(stripe.Must(stripeSecret))) }, nil},
		{"a guard for each request", func(s *server) {
			s.POST(hookPath, s.handle, func(next echo.HandlerFunc) echo.HandlerFunc {
				return func(c echo.Context) error { return echomw.Protect(stripe.Must(stripeSecret))(next)(c) }
			})
		}, []string{"a copy of the genuine request ran the handler again", "the store forgets"}},

		{"a middleware behind the guard that makes 200 of failures", func(s *server) { s.POST(hookPath, s.handle, s.guard(), soothing) }, nil},
		{"one before the guard", func(s *server) { s.POST(hookPath, s.handle, soothing, s.guard()) },
			[]string{"an unsigned request did not reach the handler, but was answered 200", "makes a success of its refusals"}},
		{"a recoverer before the guard", func(s *server) {
			s.Use(echomiddleware.Recover())
			s.POST(hookPath, s.handle, s.guard())
		}, nil},
		{"an error handler that makes 200 of errors", func(s *server) {
			s.HTTPErrorHandler = func(_ error, c echo.Context) { c.NoContent(http.StatusOK) }
			s.POST(hookPath, s.handle, s.guard())
		}, nil}, // the guard answers by itself

		{"a guard with another secret", func(s *server) { s.POST(hookPath, s.handle, echomw.Protect(stripe.Must("whsec_11112222333344445555"))) },
			[]string{"the genuine request was refused with 401", "the guard has another secret"}},
		{"a guard of another provider", func(s *server) { s.POST(hookPath, s.handle, echomw.Protect(github.Must(stripeSecret))) },
			[]string{"the genuine request was refused with 401", "is of another provider"}},

		{"a guard of net/http around the server", func(s *server) {
			s.Use(echo.WrapMiddleware(middleware.Protect(stripe.Must(stripeSecret))))
			s.POST(hookPath, s.handle)
		}, nil},
		{"a handler that refuses", func(s *server) {
			s.POST(hookPath, func(c echo.Context) error {
				s.runs.Add(1)
				d, ok := verify.FromContext(c.Request().Context())
				return echo.NewHTTPError(http.StatusTeapot, d.ID, ok)
			}, s.guard())
		}, []string{"the genuine request reached the handler, but was answered 418", "are the Bodies of events that it takes?"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			tt.wire(s)
			text := (&complaints{TB: t}).of(func(tb testing.TB) { verifytest.Protected(tb, s, s.signer) })
			if len(tt.want) == 0 && text != "" {
				t.Errorf("failed, want it to pass:\n%s", text)
			}
			for _, want := range tt.want {
				if !strings.Contains(text, want) {
					t.Errorf("the failure does not say %q:\n%s", want, text)
				}
			}
		})
	}
}
