package migration

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	stripego "github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/webhook"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/observe"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripeevent"
	"github.com/hooknotary/hooknotary/verify"
)

const (
	fromStripe   = "From stripe-go: `webhook.ConstructEvent`"
	stripeSecret = "whsec_for_the_tests_only"
	stripeThin   = `{"id":"evt_2","object":"v2.core.event","type":"v1.billing.meter.no_meter_found"}`
	stripeEvent  = `{"id":"evt_1","object":"event","api_version":"` + stripego.APIVersion + `","type":"invoice.paid","data":{"object":{"id":"in_1"}}}`
)

// signStripe signs with stripe-go.
func signStripe(secret, body string) func(time.Time) *http.Request {
	return func(at time.Time) *http.Request {
		signed := webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{
			Payload: []byte(body), Secret: secret, Timestamp: at,
		})
		return post("/hooks/stripe", http.Header{
			"Content-Type":     {"application/json; charset=utf-8"},
			"Stripe-Signature": {signed.Header},
		}, signed.Payload)
	}
}

func stripeLibrary() library {
	sign := signStripe(stripeSecret, stripeEvent)
	later := func(d time.Duration) func(time.Time) *http.Request {
		return func(at time.Time) *http.Request { return sign(at.Add(d)) }
	}
	retried := func(at time.Time) []*http.Request { return []*http.Request{sign(at), sign(at.Add(time.Minute))} }
	large := strings.Replace(stripeEvent, "in_1", "in_"+strings.Repeat("1", 100_000), 1)
	return library{
		name:     "stripe-go",
		heading:  fromStripe,
		variable: "STRIPE_WEBHOOK_SECRET",
		secret:   stripeSecret,
		before: func(mux *http.ServeMux, handle func() error) error {
			stripeBefore(mux, func(context.Context, stripego.Event) error { return handle() })
			return nil
		},
		after: func(mux *http.ServeMux, handle func() error) error {
			stripeAfter(mux, func(context.Context, stripeevent.Event) error { return handle() })
			return nil
		},
		rows: []row{
			{name: "genuine", requests: one(sign)},
			{name: "forged", requests: one(signStripe("whsec_of_somebody_else", stripeEvent))},
			{name: "forged, where the variable for the secret is not set", secret: new(""), requests: one(signStripe("", stripeEvent))},
			{name: "signed for ten years from now", requests: one(later(87600 * time.Hour))},
			{name: "with a second `Stripe-Signature`", requests: one(edited(sign, func(h http.Header) { h.Add("Stripe-Signature", "t=1,v1=00") }))},
			{name: "with `t=+…`", requests: one(replaced(sign, "Stripe-Signature", "t=", "t=+"))},
			{name: "with a second `t`", requests: one(replaced(sign, "Stripe-Signature", "t=", "t=1,t="))},
			{name: "with the signature in upper case", requests: one(edited(sign, func(h http.Header) {
				timestamp, mac, _ := strings.Cut(h.Get("Stripe-Signature"), ",v1=")
				h.Set("Stripe-Signature", timestamp+",v1="+strings.ToUpper(mac))
			}))},
			{name: "as `text/plain`", requests: one(edited(sign, func(h http.Header) { h.Set("Content-Type", "text/plain") }))},
			{name: "replayed: the same bytes again", requests: twice(sign)},
			{name: "retried although it was handled: the same event, newly signed", requests: retried},
			{name: "retried because the handler failed", fails: 1, requests: retried},
			{name: "with an event of another API version", requests: one(signStripe(stripeSecret, strings.Replace(stripeEvent, stripego.APIVersion, "2022-11-15", 1)))},
			{name: "with a thin event", requests: one(signStripe(stripeSecret, stripeThin))},
			{name: "with an event of 100 KB", requests: one(signStripe(stripeSecret, large))},
		},
	}
}

func TestRollOut(t *testing.T) {
	// Sends what only stripe-go accepts to its
	// endpoint behind a guard that reports.
	t.Run("it changes nothing and tells", func(t *testing.T) {
		quiet(t)
		t.Setenv("STRIPE_WEBHOOK_SECRET", stripeSecret)
		runs := 0
		old, mux := http.NewServeMux(), http.NewServeMux()
		stripeBefore(old, func(context.Context, stripego.Event) error { runs++; return nil })
		if err := rollOut(mux, stripe.Must(stripeSecret), old); err != nil {
			t.Fatal(err)
		}
		sign := signStripe(stripeSecret, stripeEvent)
		now := time.Now()
		for _, tt := range []struct {
			name    string
			request *http.Request
			reason  verify.Reason
			status  int
		}{
			{"genuine", sign(now), 0, http.StatusOK},
			{"signed for ten years from now", sign(now.AddDate(10, 0, 0)), verify.ErrTooNew, http.StatusOK},
			{"replayed", sign(now), verify.ErrReplayed, http.StatusOK},
			{"forged", signStripe("whsec_of_somebody_else", stripeEvent)(now), verify.ErrMismatch, http.StatusBadRequest},
		} {
			runs = 0
			var event middleware.Report
			ctx := observe.With(tt.request.Context(), func(_ context.Context, e middleware.Report) { event = e })
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, tt.request.WithContext(ctx))
			if ran := runs == 1; w.Code != tt.status || ran != (tt.status == http.StatusOK) {
				t.Errorf("%s: %d, the handler ran %d times", tt.name, w.Code, runs)
			}
			if !event.ReportOnly || event.Reason != tt.reason {
				t.Errorf("%s: the guard says %v, want %v", tt.name, event.Reason, tt.reason)
			}
		}
	})
}
