package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/echomw"
	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/providers/paypal"
	"github.com/hooknotary/hooknotary/providers/paypal/paypaltest"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/verify"
)

// site is the program that receives webhooks: three providers, each through two
// frameworks. An endpoint of your own is one of its lines.
type site struct {
	http.Handler

	// Throw-away secrets. Yours come from the provider, through the environment.
	stripeSecret, githubSecret string

	// What stands for PayPal here: it has a certificate authority of its own, which
	// yours has not.
	payPal *paypaltest.PayPal

	netStripe, netGitHub, netPayPal, echoStripe, echoGitHub, echoPayPal app
}

const webhookID = "8PT597110X687430L"

// newPayPalVerifier is paypal.Must(webhookID) for a PayPal that is a test's. It
// fetches the certificate at the start, so that no delivery depends on a fetch, as
// yours does with the URL that PAYPAL-CERT-URL had in the last delivery.
func newPayPalVerifier(p *paypaltest.PayPal) *paypal.Verifier {
	v, err := paypal.New(webhookID, &paypal.Options{Transport: p, Roots: p.Roots()})
	if err != nil {
		panic(err)
	}
	if err := v.Prefetch(context.Background(), p.CertURL()); err != nil {
		log.Print(err) // no reason not to start: it is fetched again when a delivery comes
	}
	return v
}

func newSite() *site {
	s := &site{
		stripeSecret: "whsec_" + rand.Text(),
		githubSecret: rand.Text(),
		payPal:       paypaltest.New(webhookID),
	}

	mux := http.NewServeMux()
	mux.Handle("POST /nethttp/stripe", middleware.Protect(stripe.Must(s.stripeSecret))(&s.netStripe))
	mux.Handle("POST /nethttp/github", middleware.Protect(github.Must(s.githubSecret))(&s.netGitHub))

	mux.Handle("POST /nethttp/paypal", middleware.Protect(newPayPalVerifier(s.payPal))(&s.netPayPal))

	e := echo.New()
	e.POST("/echo/stripe", s.echoStripe.serveEcho, echomw.Protect(stripe.Must(s.stripeSecret)))
	e.POST("/echo/github", s.echoGitHub.serveEcho, echomw.Protect(github.Must(s.githubSecret)))
	e.POST("/echo/paypal", s.echoPayPal.serveEcho, echomw.Protect(newPayPalVerifier(s.payPal)))

	mux.Handle("/echo/", e)
	s.Handler = mux
	return s
}

// newServer returns the server for h. The guard bounds how long a body may take,
// but nothing that comes before it; a server without timeouts of its own can be
// held up by anyone.
func newServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      45 * time.Second, // longer than a handler takes, or its response is lost
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    32 << 10,
	}
}

// app is what stands behind one guard.
type app struct {
	// runs counts how often the handler ran, whatever came of it.
	runs atomic.Int64

	// trouble, if not nil, goes wrong on the next run, once. The script sets it.
	trouble atomic.Pointer[func() error]

	// handled, if not nil, is told what was done.
	handled func(provider, event string)
}

var (
	errNoGuard       = errors.New("there is no guard in front of this handler")
	errAfterResponse = errors.New("failed after the response was written")
)

// ServeHTTP is the handler for net/http.
func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.runs.Add(1)
	d, ok := verify.FromContext(r.Context())
	if !ok {
		http.Error(w, errNoGuard.Error(), http.StatusInternalServerError)
		return
	}
	if err := a.handle(d); err != nil {
		// Any response but a 2xx releases the event: its next delivery runs.
		http.Error(w, "try again later", http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusOK)
}

// serveEcho is the handler for echo.
func (a *app) serveEcho(c echo.Context) error {
	a.runs.Add(1)
	d, ok := verify.FromContext(c.Request().Context())
	if !ok {
		return errNoGuard
	}
	err := a.handle(d)
	if err != nil && !errors.Is(err, errAfterResponse) {
		return err // echo responds with 500, and the event is released
	}
	// What is written before an error does not leave.
	return errors.Join(c.NoContent(http.StatusOK), err)
}

// handle does what an event asks for. Who sent it was verified before, so it
// decodes first, then acts; the caller responds with 2xx last.
func (a *app) handle(d *verify.Delivery) error {
	var event struct {
		After string `json:"after"` // of a push to GitHub: the commit
	}
	if err := json.Unmarshal(d.Body, &event); err != nil {
		return err
	}
	if trouble := a.trouble.Swap(nil); trouble != nil {
		if err := (*trouble)(); err != nil {
			return err
		}
	}
	if a.handled != nil {
		a.handled(d.Provider, cmp.Or(d.ID, event.After)) // Stripe signs an id
	}
	return nil
}
