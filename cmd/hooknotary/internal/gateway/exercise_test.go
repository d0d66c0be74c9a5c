package gateway_test

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/config"
	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/gateway"
	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/telemetry"
	"github.com/hooknotary/hooknotary/middleware/middlewaretest"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// TestExercise: a gateway gives the verdicts of any guard. The handler of the battery is the
// receiver of a route, so what a handler shares with its guard, it does not have: that is in
// Cannot, as for package forward.
func TestExercise(t *testing.T) {
	const (
		process  = "the receiver has no context, delivery, claim or writer of the guard: it is another process"
		status   = "whatever is no success leaves as 502 or 503, with a body of ours; what is released and committed then is in this package's own tests"
		silent   = "a receiver that panics does not answer, and may have acted: it gets 502 and keeps the claim"
		header   = "no header of the receiver's response leaves but Content-Type"
		held     = "the response is made by the package, so it leaves as a whole, also under a guard that only reports"
		no       = "there is nothing of the kind: the receiver is reached by HTTP alone"
		outside  = "outside of a gateway stands its own server, which runs nothing more on a request"
		onlyPost = "nothing but a POST is forwarded, also under a guard that only reports"
	)
	measured, err := telemetry.New(t.Context(), telemetry.Options{Metrics: true, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer measured.Shutdown(context.Background())
	middlewaretest.Exercise(t, middlewaretest.Adapter{
		Mount: func(links []middlewaretest.Link, handle func(middlewaretest.Exchange) error) http.Handler {
			var h http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				handle(&exchange{w: w, r: r})
			})
			for _, link := range slices.Backward(links) {
				next := h
				if link.Guard == nil {
					h = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { link.Run(&exchange{w, r, next}) })
					continue
				}
				upstream := httptest.NewUnstartedServer(next)
				upstream.Config.ErrorLog = log.New(io.Discard, "", 0)
				upstream.Start()
				t.Cleanup(upstream.Close)
				c := newConfig(config.Route{
					Name: link.Guard.Endpoint(), Path: middlewaretest.Path, InFlight: 512,
					Upstream: config.Upstream{URL: upstream.URL + middlewaretest.Path},
					Forward:  config.Forward{AnswerBody: true},
				})
				g, err := gateway.Around(link.Guard, c, gateway.Options{Store: replay.NewMemory(nil), Telemetry: measured})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { g.Close() })
				h = g
			}
			return h
		},
		Cannot: map[string]string{
			"an error":                          no,
			"a recycled context":                no,
			"another dispatch":                  no,
			"the same guard twice":              no,
			"two guards":                        no,
			"what a handler may replace":        no,
			"a panic that is recovered outside": silent,
			"a panic that is recovered outside with a success": silent,
			"a panic":               silent,
			"a panic over a socket": silent,
			"a panic that is recovered inside/with 503":                                         status,
			"a recorder around the server/of a panic":                                           silent,
			"an upgrade that the sender asks for/of a handler that panics":                      silent,
			"an upgrade that the sender asks for/X-Some":                                        "the sender's headers are dropped",
			"the request of the handler":                                                        process,
			"the context of the handler":                                                        process,
			"a client that hangs up/ends the context where the provider retries":                process,
			"a client that hangs up/ends the context where the provider retries, over a socket": process,
			"a shutdown of the server/ends a handler":                                           process,
			"a shutdown of the server/ends a handler that is detached":                          process,
			"a shutdown of the server/ends a handler for a provider that never retries":         process,
			"what a handler may ask of its writer":                                              process,
			"a guard that fails open/for what is genuine":                                       process,
			"a body that the signature does not cover/repeated":                                 process,
			"a body that the signature does not cover/and another one":                          process,
			"a body that the signature does not cover/whichever comes first":                    process,
			"a claim that is kept/by a failure":                                                 process,
			"a claim that is kept/from another goroutine":                                       process,
			"a body after a refusal":                                                            outside,
			"a failure":                                                                         status,
			"a late failure":                                                                    status,
			"early hints of the handler":                                                        header,
			"trailers":                                                                          header,
			"a claim that is lost/and its twin is not":                                          header,
			"a long response":                                                                   header,
			"a proxy behind the guard/to an upstream that fails":                                status,
			"a proxy behind the guard/to an upstream that fails after a go-ahead":               status,
			"a proxy behind the guard/to an upstream that fails after early hints":              status,
			"a guard that only reports":                                                         held,
			"a response under a guard that only reports":                                        held,
			"a handshake/under a guard that only reports":                                       onlyPost,
		},
	})
}

// exchange is an exchange of net/http.
type exchange struct {
	w    http.ResponseWriter
	r    *http.Request
	next http.Handler
}

func (e *exchange) Request() *http.Request                               { return e.r }
func (e *exchange) SetRequest(r *http.Request)                           { e.r = r }
func (e *exchange) Writer() http.ResponseWriter                          { return e.w }
func (e *exchange) Wrap(f func(http.ResponseWriter) http.ResponseWriter) { e.w = f(e.w) }
func (e *exchange) Next() error                                          { e.next.ServeHTTP(e.w, e.r); return nil }
