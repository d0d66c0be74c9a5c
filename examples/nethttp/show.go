package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
)

// show serves what build makes on a loopback address, sends deliveries to it as
// Stripe and others would, and prints what came of each. It returns an error if
// that is not what is promised.
func show(out io.Writer, build func(verify.Verifier, *billing) http.Handler) error {
	secret := "whsec_" + rand.Text() // yours comes from Stripe
	runs, down := 0, true            // one request at a time
	srv := httptest.NewServer(build(stripe.Must(secret), &billing{pay: func(_ context.Context, invoice string) error {
		runs++
		if invoice == "in_2" && down {
			down = false
			return errors.New("the database is down")
		}
		return nil
	}}))
	defer srv.Close()

	now := time.Now()
	broken := 0
	for _, d := range []struct {
		what     string
		invoice  string
		signed   time.Time
		secret   string
		promised outcome
	}{
		{"a genuine delivery", "in_1", now, secret, outcome{http.StatusNoContent, 1}},
		{"a forged one", "in_9", now, "whsec_of_somebody_else", outcome{http.StatusUnauthorized, 0}},
		{"the genuine one, replayed", "in_1", now, secret, outcome{http.StatusConflict, 0}},
		{"one that the handler fails", "in_2", now, secret, outcome{http.StatusInternalServerError, 1}},
		{"its retry, signed anew", "in_2", now.Add(time.Minute), secret, outcome{http.StatusNoContent, 1}},
		{"another retry of it", "in_2", now.Add(2 * time.Minute), secret, outcome{http.StatusOK, 0}},
	} {
		body := fmt.Appendf(nil, `{"id":"evt_%s","object":"event","type":"invoice.paid","data":{"object":{"id":"%[1]s"}}}`, d.invoice)
		before := runs
		resp, err := srv.Client().Do(stripetest.NewRequest(srv.URL+"/hooks/stripe", d.signed, body, d.secret))
		if err != nil {
			return err
		}
		resp.Body.Close()
		seen := outcome{resp.StatusCode, runs - before}
		fmt.Fprintf(out, "%-28s%v", d.what, seen)
		if seen != d.promised {
			broken++
			fmt.Fprintf(out, "  BROKEN: promised is %v", d.promised)
		}
		fmt.Fprintln(out)
	}
	if broken > 0 {
		return fmt.Errorf("%d promises are broken", broken)
	}
	return nil
}

// outcome is what can be seen of a delivery.
type outcome struct {
	status int
	runs   int // of the handler's effect
}

func (o outcome) String() string {
	if o.runs == 0 {
		return fmt.Sprintf("%d, the handler did not run", o.status)
	}
	return fmt.Sprintf("%d, the handler ran", o.status)
}
