// Gin receives webhooks of Stripe with gin.
//
//	cd examples/gin && go run .
//
// sends genuine, forged and replayed deliveries to itself, and one whose handler
// fails, and prints what came of them. It exits with 1 if that is not what is
// promised.
//
//	STRIPE_WEBHOOK_SECRET=whsec_… go run . -serve
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

	"github.com/gin-gonic/gin"

	"github.com/hooknotary/hooknotary/examples/show"
	"github.com/hooknotary/hooknotary/middleware/ginmw"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/verify"
)

func main() {
	gin.SetMode(gin.ReleaseMode)
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
		Handler: routes(v, logPayment),
		// The guard bounds the time that a body takes if these are set, and the
		// server bounds everything before it.
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		// Longer than the handler ever takes, or the response is lost.
		WriteTimeout: 30 * time.Second,
		IdleTimeout:  time.Minute,
	}, "/hooks/stripe")
}

// payFunc is the effect of an invoice that was paid.
type payFunc func(ctx context.Context, invoice string) error

// promises shows what is promised of the endpoint.
func promises(out io.Writer) error {
	return show.Stripe(out, func(v verify.Verifier, pay func(context.Context, string) error) http.Handler {
		return routes(v, pay)
	})
}

func routes(v verify.Verifier, pay payFunc) http.Handler {
	r := gin.New()
	r.Use(gin.Recovery(), respondToErrors) // a panic is a 500, and the event is released
	// At the route, and not in Use: one guard is for one handler.
	r.POST("/hooks/stripe", ginmw.Protect(v), receive(pay))
	return r
}

// respondToErrors responds to what handlers attach to the context. It stands around the
// guard, which has released the event by then.
func respondToErrors(c *gin.Context) {
	c.Next()
	if err := c.Errors.Last(); err != nil {
		log.Print(err)
		if !c.Writer.Written() {
			c.String(http.StatusInternalServerError, "try again later")
		}
	}
}

// receive returns the handler. It runs only for deliveries that Stripe signed, and
// for each event until it succeeds once.
func receive(pay payFunc) gin.HandlerFunc {
	return func(c *gin.Context) {
		// The verified delivery. Without a guard in front there is nothing, and the
		// handler must not go on.
		ctx := c.Request.Context()
		d, ok := verify.FromContext(ctx)
		if !ok {
			c.AbortWithError(http.StatusInternalServerError, errors.New("not verified"))
			return
		}

		// Decode the bytes that were verified. c.ShouldBindJSON works as well.
		var event struct {
			Type string `json:"type"`
			Data struct {
				Object struct {
					ID string `json:"id"`
				} `json:"object"`
			} `json:"data"`
		}
		if err := json.Unmarshal(d.Body, &event); err != nil {
			c.AbortWithError(http.StatusBadRequest, errors.New("not an event"))
			return
		}

		// Take effect, quickly: Stripe waits for seconds only. What takes longer
		// goes into a queue of your own, in here.
		if event.Type == "invoice.paid" {
			if err := pay(ctx, event.Data.Object.ID); err != nil {
				// An error of the context: the event is not done, and the retry runs.
				c.Error(fmt.Errorf("event %s: %w", d.ID, err))
				return
			}
		}

		// Then respond with 2xx, also for types that are of no interest. The event is
		// committed before the response leaves.
		c.Status(http.StatusNoContent)
	}
}

// logPayment stands for the effect.
func logPayment(_ context.Context, invoice string) error {
	if invoice == "" {
		return errors.New("the invoice has no id")
	}
	log.Printf("invoice %s is paid", invoice)
	return nil
}
