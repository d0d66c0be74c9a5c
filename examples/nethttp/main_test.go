package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
)

const (
	secret = "whsec_for_the_tests_only"
	url    = "https://shop.example/hooks/stripe"
	paid   = `{"id":"evt_1","object":"event","type":"invoice.paid","data":{"object":{"id":"in_1"}}}`
)

func TestPromises(t *testing.T) {
	var out strings.Builder
	if err := promises(&out); err != nil {
		t.Errorf("%v\n%s", err, out.String())
	}
}

func TestHandledOnce(t *testing.T) {
	var invoices []string
	h := routes(stripe.Must(secret), &billing{pay: func(_ context.Context, invoice string) error {
		invoices = append(invoices, invoice)
		return nil
	}})
	now := time.Now()
	forged := stripetest.NewRequest(url, now, []byte(paid), "whsec_of_somebody_else")
	genuine := stripetest.NewRequest(url, now, []byte(paid), secret)
	replayed := stripetest.NewRequest(url, now, []byte(paid), secret)
	retried := stripetest.NewRequest(url, now.Add(time.Minute), []byte(paid), secret)

	if got := serve(h, forged); got != http.StatusUnauthorized || len(invoices) != 0 {
		t.Errorf("forged: %d, paid %v", got, invoices)
	}
	if got := serve(h, genuine); got != http.StatusNoContent || len(invoices) != 1 || invoices[0] != "in_1" {
		t.Errorf("genuine: %d, paid %v", got, invoices)
	}
	if got := serve(h, replayed); got != http.StatusConflict || len(invoices) != 1 {
		t.Errorf("replayed: %d, paid %v", got, invoices)
	}
	if got := serve(h, retried); got != http.StatusOK || len(invoices) != 1 {
		t.Errorf("retried although it was handled: %d, paid %v", got, invoices)
	}
}

func TestRetryAfterFailure(t *testing.T) {
	calls := 0
	h := routes(stripe.Must(secret), &billing{pay: func(context.Context, string) error {
		if calls++; calls == 1 {
			return errors.New("the database is down")
		}
		return nil
	}})
	now := time.Now()
	for i, want := range []int{http.StatusInternalServerError, http.StatusNoContent, http.StatusOK} {
		attempt := stripetest.NewRequest(url, now.Add(time.Duration(i)*time.Minute), []byte(paid), secret)
		if got := serve(h, attempt); got != want {
			t.Errorf("attempt %d: %d, want %d", i+1, got, want)
		}
	}
	if calls != 2 {
		t.Errorf("%d calls, want 2", calls)
	}
}

func TestAnswers(t *testing.T) {
	h := routes(stripe.Must(secret), &billing{pay: logPayment})
	for body, want := range map[string]int{
		`{"id":"evt_2","object":"event","type":"customer.created"}`: http.StatusNoContent,
		`{"id":"evt_3","object":"event","type":"invoice.paid"}`:     http.StatusInternalServerError,
		`[]`: http.StatusBadRequest,
	} {
		if got := serve(h, stripetest.NewRequest(url, time.Now(), []byte(body), secret)); got != want {
			t.Errorf("%s: %d, want %d", body, got, want)
		}
	}
}

func TestNotVerified(t *testing.T) {
	unguarded := &billing{pay: func(context.Context, string) error {
		t.Error("the handler ran without a guard")
		return nil
	}}
	if got := serve(unguarded, stripetest.NewRequest(url, time.Now(), []byte(paid), secret)); got != http.StatusInternalServerError {
		t.Errorf("%d, want 500", got)
	}
}

func TestRun(t *testing.T) {
	for _, bad := range []string{"", "sk_test_0123456789abcdef", "whsec_xxxxxxxxxxxx"} {
		err := run(t.Context(), "localhost:0", bad)
		if err == nil || !strings.Contains(err.Error(), "STRIPE_WEBHOOK_SECRET") {
			t.Errorf("with %q: %v", bad, err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := run(ctx, "localhost:0", secret); err != nil {
		t.Errorf("shutdown: %v", err)
	}
}

// serve returns the status of the response.
func serve(h http.Handler, r *http.Request) int {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}
