// Nethttp receives webhooks of Stripe with net/http.
//
//	go run ./examples/nethttp
//
// sends genuine, forged and replayed deliveries to itself, and one whose handler
// fails, and prints what came of them. It exits with 1 if that is not what is
// promised.
//
//	STRIPE_WEBHOOK_SECRET=whsec_… go run ./examples/nethttp -serve
//
// receives webhooks. In another shell, the Stripe CLI prints the secret and delivers
// to it:
//
//	stripe listen --forward-to localhost:8080/hooks/stripe
//	stripe trigger invoice.paid
//
// What to copy is in this file; package show sends the deliveries and runs the server.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"time"

	"github.com/hooknotary/hooknotary/examples/show"
	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/verify"
)

func main() {
	show.Main("STRIPE_WEBHOOK_SECRET", promises, run)
}

func run(ctx context.Context, addr, secret string) error {
	// A program that cannot verify must not start.
	v, err := stripe.New(verify.Secrets(secret), nil)
	if err != nil {
		return fmt.Errorf("STRIPE_WEBHOOK_SECRET must be the signing secret of the endpoint, whsec_…: %w", err)
	}

	return show.Serve(ctx, &http.Server{
		Addr:    addr,
		Handler: routes(v, &billing{pay: logPayment}),
		// The guard bounds the time that a body takes if these are set, and the
		// server bounds everything before it.
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		// Longer than the handler ever takes, or the response is lost.
		WriteTimeout: 30 * time.Second,
		IdleTimeout:  time.Minute,
	}, "/hooks/stripe")
}

// promises shows what is promised of the endpoint.
func promises(out io.Writer) error {
	return show.Stripe(out, func(v verify.Verifier, pay func(context.Context, string) error) http.Handler {
		return routes(v, &billing{pay: pay})
	})
}

func routes(v verify.Verifier, b *billing) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /hooks/stripe", middleware.Protect(v)(b))
	return mux
}

// billing handles events about invoices.
type billing struct {
	pay func(ctx context.Context, invoice string) error
}

// ServeHTTP runs only for deliveries that Stripe signed, and for each event until
// it succeeds once.
func (b *billing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// The verified delivery. Without a guard in front there is nothing, and the handler
	// must not go on.
	d, ok := verify.FromContext(r.Context())
	if !ok {
		http.Error(w, "not verified", http.StatusInternalServerError)
		return
	}

	// Decode the bytes that were verified. r.Body reads the same.
	var event struct {
		Type string `json:"type"`
		Data struct {
			Object struct {
				ID string `json:"id"`
			} `json:"object"`
		} `json:"data"`
	}
	if err := json.Unmarshal(d.Body, &event); err != nil {
		http.Error(w, "not an event", http.StatusBadRequest)
		return
	}

	// Take effect, quickly: Stripe waits for seconds only. What takes longer goes
	// into a queue of your own, in here.
	if event.Type == "invoice.paid" {
		if err := b.pay(r.Context(), event.Data.Object.ID); err != nil {
			// Not a 2xx: the event is not done, and the retry runs.
			log.Printf("event %s: %v", d.ID, err)
			http.Error(w, "try again later", http.StatusInternalServerError)
			return
		}
	}

	// Then respond with 2xx, also for types that are of no interest. The event is
	// committed before the response leaves.
	w.WriteHeader(http.StatusNoContent)
}

// logPayment stands for the effect.
func logPayment(_ context.Context, invoice string) error {
	if invoice == "" {
		return errors.New("the invoice has no id")
	}
	log.Printf("invoice %s is paid", invoice)
	return nil
}
