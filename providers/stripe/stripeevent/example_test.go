package stripeevent_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/echomw"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripeevent"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
)

// ship is what a program does with an event.
func ship(ctx context.Context, e stripeevent.Event) error {
	if !e.Livemode || e.Account != "" {
		return nil // a test, or an event of a connected account
	}
	switch e.Type {
	case "invoice.paid":
		var invoice struct {
			ID         string `json:"id"`
			AmountPaid int64  `json:"amount_paid"`
		}
		if err := json.Unmarshal(e.Data.Raw, &invoice); err != nil {
			return err
		}
		fmt.Println("ship", invoice.ID, invoice.AmountPaid)
	}
	return nil
}

var exampleEvent = []byte(`{"id":"evt_1","object":"event","api_version":"2023-10-16","livemode":true,` +
	`"type":"invoice.paid","data":{"object":{"id":"in_1","object":"invoice","amount_paid":4200}}}`)

func post(h http.Handler) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, stripetest.NewRequest("https://shop.example/hooks/stripe", time.Now(), exampleEvent, secret))
	fmt.Println(w.Code)
}

func ExampleHandler() {
	guard := middleware.Protect(stripe.Must(secret))
	mux := http.NewServeMux()
	mux.Handle("POST /hooks/stripe", guard(stripeevent.Handler(ship)))
	post(mux)
	// Output:
	// ship in_1 4200
	// 204
}

func ExampleEchoHandler() {
	e := echo.New()
	e.POST("/hooks/stripe", stripeevent.EchoHandler[echo.Context](ship), echomw.Protect(stripe.Must(secret)))
	post(e)
	// Output:
	// ship in_1 4200
	// 204
}

// A handler that depends on every field refuses what its SDK was not made for. The
// event is tried again, so there is time to deploy another version.
func ExampleCheckVersion() {
	handler := func(ctx context.Context, e stripeevent.Event) error {
		if err := stripeevent.CheckVersion(e); err != nil {
			return err
		}
		return ship(ctx, e)
	}
	fmt.Println(handler(context.Background(), stripeevent.Event{APIVersion: "2020-03-02"}))
	// Output: stripeevent: the event has API version "2020-03-02", stripe-go is made for "2023-10-16"
}

// An endpoint for both kinds of events.
func ExampleParseThin() {
	handler := func(d *verify.Delivery) error {
		e, err := stripeevent.ParseThin(d)
		if errors.Is(err, stripeevent.ErrNotThin) {
			e, err := stripeevent.Parse(d)
			if err != nil {
				return err
			}
			return ship(context.Background(), e)
		}
		if err != nil {
			return err
		}
		fmt.Println("fetch", e.RelatedObject.URL)
		return nil
	}
	body := []byte(`{"id":"evt_2","object":"v2.core.event","type":"v1.billing.meter.no_meter_found",` +
		`"related_object":{"id":"mtr_1","type":"billing.meter","url":"/v1/billing/meters/mtr_1"}}`)
	now := time.Now()
	d, err := verify.Verify(context.Background(), stripe.Must(secret), &verify.Head{
		Header: stripetest.Header(now, body, secret), ReceivedAt: now,
	}, body)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := handler(d); err != nil {
		fmt.Println(err)
	}
	// Output: fetch /v1/billing/meters/mtr_1
}
