package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

// A scene is about one event, which is new to the endpoint. It is played at every
// endpoint.
type scene struct {
	trouble func(*stage) error // in the handler, the first time that it runs
	steps   []step
}

// A step is one delivery of the event, and what is promised about it.
type step struct {
	sent      string
	only      string                      // a provider or a framework; "" for all
	not       string                      // a provider to leave out
	change    func(*stage, *http.Request) // of the genuine delivery; nil for none
	meanwhile *step                       // sent while the handler is at work
	hangUp    bool                        // the sender leaves when the response comes
	promised  outcome
}

// An outcome is what can be seen of a delivery.
type outcome struct {
	status int    // 0 if there was no response
	note   string // a header that tells the sender more, or what went wrong
	runs   int64  // of the handler
}

// script returns everything that is promised.
func script() []scene {
	return []scene{
		// Once, and not again. GitHub signs no delivery id, so a fresh one makes
		// no new event.
		{steps: []step{
			{sent: "genuine", promised: outcome{status: 200, runs: 1}},
			{sent: "replayed, byte for byte", not: "paypal", promised: outcome{status: 409}},
			// PayPal may repeat its bytes, so a copy can be an honest retry: it is
			// acknowledged, and does not run.
			{sent: "replayed, byte for byte", only: "paypal", promised: outcome{status: 200, note: "Webhook-Duplicate: 1"}},
			{sent: "replayed, fresh delivery id", only: "github", change: freshID, promised: outcome{status: 409}},
		}},

		// What is not proved genuine does not reach the handler, and leaves no
		// trace: the genuine delivery that follows is handled.
		{steps: []step{
			{sent: "unsigned", change: unsigned, promised: outcome{status: 401}},
			{sent: "forged, one byte more", change: forged, promised: outcome{status: 401}},
			{sent: "signed with another secret", not: "paypal", change: anotherSecret, promised: outcome{status: 401}},
			{sent: "for another webhook", only: "paypal", change: anotherSecret, promised: outcome{status: 401}},
			{sent: "stale, 6 minutes old", only: "stripe", change: signedAt(-6 * time.Minute), promised: outcome{status: 401}},
			{sent: "from the future, 6 minutes", only: "stripe", change: signedAt(6 * time.Minute), promised: outcome{status: 401}},
			{sent: "stale, 4 days old", only: "paypal", change: signedAt(-4 * 24 * time.Hour), promised: outcome{status: 401}},
			{sent: "from the future, 6 minutes", only: "paypal", change: signedAt(6 * time.Minute), promised: outcome{status: 401}},
			{sent: "its certificate elsewhere", only: "paypal", change: certificateElsewhere, promised: outcome{status: 401}},
			{sent: "signed with SHA-1 only", only: "github", change: onlySHA1, promised: outcome{status: 401}},
			{sent: "relabelled as a form", change: asForm, promised: outcome{status: 415}},
			{sent: "sent with GET", change: asGET, promised: outcome{status: 405}},
			{sent: "too large, and says so", change: announcedTooLarge, promised: outcome{status: 413}},
			{sent: "too large, in chunks", change: chunkedTooLarge, promised: outcome{status: 413}},
			{sent: "genuine, after all of these", promised: outcome{status: 200, runs: 1}},
		}},

		// An event that a handler failed is not done: its retry runs.
		{trouble: fail, steps: []step{
			{sent: "genuine, the handler fails", promised: outcome{status: 500, runs: 1}},
			{sent: "its retry", change: retried, promised: outcome{status: 200, runs: 1}},
			{sent: "the retry replayed", not: "paypal", change: retried, promised: outcome{status: 409}},
			{sent: "once more", only: "paypal", change: retried, promised: outcome{status: 200, note: "Webhook-Duplicate: 1"}},
		}},
		{trouble: panics, steps: []step{
			{sent: "genuine, the handler panics", promised: outcome{status: 0, runs: 1}},
			{sent: "its retry", change: retried, promised: outcome{status: 200, runs: 1}},
		}},
		{trouble: failAfterResponse, steps: []step{
			{sent: "genuine, an error after the 200", only: "echo", promised: outcome{status: 500, runs: 1}},
			{sent: "its retry", only: "echo", change: retried, promised: outcome{status: 200, runs: 1}},
		}},

		// An event that is done stays done, although its sender never heard so.
		// Stripe would retry for days if it were refused. GitHub retries nothing;
		// what comes is a copy.
		{steps: []step{
			{sent: "genuine, the response is lost", hangUp: true, promised: outcome{status: 0, runs: 1}},
			{sent: "its retry", not: "github", change: retried, promised: outcome{status: 200, note: "Webhook-Duplicate: 1"}},
			{sent: "redelivered by hand", only: "github", promised: outcome{status: 409}},
		}},

		// No event runs twice at once, and none is acknowledged before it is done.
		{trouble: wait, steps: []step{{
			sent: "two at once: the first", promised: outcome{status: 200, runs: 1},
			meanwhile: &step{sent: "two at once: the second", promised: outcome{status: 409, note: "Retry-After"}},
		}}},
	}
}

// What makes another delivery of a genuine one.

func unsigned(_ *stage, r *http.Request) {
	for _, name := range []string{"Stripe-Signature", "X-Hub-Signature", "X-Hub-Signature-256", "Paypal-Transmission-Sig"} {
		r.Header.Del(name)
	}
}

// forged is still JSON, and still has the id of the event.
func forged(s *stage, r *http.Request) { setBody(r, append(bytes.Clone(s.body), ' ')) }

func anotherSecret(s *stage, r *http.Request) {
	r.Header = s.sender.sign(s.signed, s.body, "a-secret-of-somebody-else")
}

func signedAt(d time.Duration) func(*stage, *http.Request) {
	return func(s *stage, r *http.Request) {
		r.Header = s.sender.sign(s.signed.Add(d), s.body, s.sender.secret)
	}
}

// retried is what the provider sends when it tries again. Stripe and PayPal sign
// anew, here as if a minute had passed; GitHub sends the same bytes.
func retried(s *stage, r *http.Request) {
	if s.sender.name != "github" {
		signedAt(time.Minute)(s, r)
	}
}

// certificateElsewhere names a host that is none of PayPal's, for a certificate
// that anyone can make.
func certificateElsewhere(_ *stage, r *http.Request) {
	r.Header.Set("Paypal-Cert-Url", strings.Replace(r.Header.Get("Paypal-Cert-Url"), "paypal.com", "paypal.com.evil.example", 1))
}

func freshID(_ *stage, r *http.Request) {
	r.Header.Set("X-GitHub-Delivery", "b2c0ffee-0000-4000-8000-000000000000")
}

func onlySHA1(_ *stage, r *http.Request) { r.Header.Del("X-Hub-Signature-256") }

func asForm(_ *stage, r *http.Request) {
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
}

func asGET(_ *stage, r *http.Request) { r.Method = http.MethodGet }

// announcedTooLarge never sends the body that it announces, so only a server that
// does not wait for it answers in time.
func announcedTooLarge(s *stage, r *http.Request) {
	r.Body, r.ContentLength = io.NopCloser(silence{r.Context()}), s.sender.maxBody+1
}

type silence struct{ context.Context }

func (s silence) Read([]byte) (int, error) {
	<-s.Done()
	return 0, s.Err()
}

func chunkedTooLarge(s *stage, r *http.Request) {
	setBody(r, make([]byte, s.sender.maxBody+1))
	r.ContentLength = -1
}

func setBody(r *http.Request, body []byte) {
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
}

// What goes wrong in a handler.

func fail(*stage) error { return errors.New("the database is down") }

func panics(*stage) error { panic("a bug in the handler") }

func failAfterResponse(*stage) error { return errAfterResponse }

func wait(s *stage) error {
	close(s.atWork)
	<-s.goOn
	return nil
}
