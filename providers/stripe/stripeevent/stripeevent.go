// Package stripeevent turns verified deliveries of Stripe into the event types of
// stripe-go v76.
//
//	guard := middleware.Protect(stripe.Must(os.Getenv("STRIPE_WEBHOOK_SECRET")))
//	mux.Handle("POST /hooks/stripe", guard(stripeevent.Handler(func(ctx context.Context, e stripeevent.Event) error {
//		switch e.Type {
//		case "invoice.paid":
//			return ship(ctx, e)
//		}
//		return nil
//	})))
//
// [Event] is an alias of stripe-go's, so a program need not import two packages
// called stripe. [Parse] is for a handler of its own and for queues.
//
// # What an error does
//
// The handlers respond with 204 when the function returns nil, and 500 when it returns an
// error, when the body is no event, and when there is no delivery, because no guard
// verified one. A guard then releases the event, and Stripe tries again. The error is
// logged and never sent.
//
// # What to look at in an event
//
// The signature says that Stripe sent the event to this endpoint, and no more. A
// handler must look at these itself:
//
//   - Account: the connected account, for an endpoint of a platform (Connect). It
//     is empty for events of the platform's own account.
//   - Livemode: false for test events, which an endpoint of a platform can get
//     beside the live ones.
//   - APIVersion: the version that Data was rendered with. Types of stripe-go are
//     made for one version, and a field of another one may be missing or wrong, in
//     silence. Parse does not refuse such an event, since its signature is as good
//     and the endpoint may have been made years ago; [CheckVersion] reports it, and
//     the handlers log it, when they first see it and whenever it changes.
//
// Events of versions before 2017-05-25, in which "request" is a text, are not what
// stripe-go v76 reads: they are [ErrPayload].
//
// # Thin events
//
// An event destination can send thin events (API v2), which name what happened and
// hold no data. They are of type [Thin], and neither [Parse] nor [ParseThin] takes
// the one for the other: in stripe-go's Event a thin event would be an empty one.
//
// Source: https://docs.stripe.com/webhooks, https://docs.stripe.com/event-destinations.
package stripeevent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/stripe/stripe-go/v76"

	"github.com/hooknotary/hooknotary/providers/internal/jsonscan"
	"github.com/hooknotary/hooknotary/providers/internal/typed"
	"github.com/hooknotary/hooknotary/verify"
)

// Event is an event of API v1, with its data.
type Event = stripe.Event

// Thin is an event of API v2: it says what happened, and the data must be fetched.
type Thin struct {
	ID       string    `json:"id"`
	Type     string    `json:"type"`
	Created  time.Time `json:"created"`
	Livemode bool      `json:"livemode"`

	// Context is the account that the event belongs to, for an endpoint of a
	// platform. It is empty for events of the platform's own account.
	Context string `json:"context"`

	// RelatedObject is what the event is about, or nil.
	RelatedObject *RelatedObject `json:"related_object"`
}

// RelatedObject names an object of Stripe's API.
type RelatedObject struct {
	ID   string `json:"id"`
	Type string `json:"type"`
	URL  string `json:"url"` // a path of the API, without a host
}

// The errors of Parse and ParseThin. None holds anything of the body.
var (
	// ErrNoDelivery: there is no delivery of Stripe, so nothing is verified.
	ErrNoDelivery = errors.New("stripeevent: no verified delivery of Stripe: does a guard stand in front?")
	// ErrPayload: the body is not an event, or not with the id that the store
	// knows.
	ErrPayload = errors.New("stripeevent: the body is not an event")
	// ErrThin: the body is a thin event, which ParseThin reads.
	ErrThin = errors.New("stripeevent: the body is a thin event")
	// ErrNotThin: the body is an event with its data, which Parse reads.
	ErrNotThin = errors.New("stripeevent: the body is not a thin event")
)

// testID is the id of all events that the Dashboard sends for a test, for which a
// Delivery has none.
const testID = "evt_00000000000000"

// Values of the member "object".
const (
	full = "event"
	thin = "v2.core.event"
)

// Parse returns the event in d. Data is nil where the body has none; the
// event shares no memory with the body.
//
// The error wraps ErrNoDelivery, ErrThin or ErrPayload. The API version makes none:
// see [CheckVersion].
func Parse(d *verify.Delivery) (Event, error) {
	var e Event
	err := parse(d, &e, full, ErrThin)
	if err == nil {
		err = plain(d, e.ID, e.Object, full)
	}
	if err != nil {
		return Event{}, err
	}
	return e, nil
}

// ParseThin returns the thin event in d. The error wraps ErrNoDelivery,
// ErrNotThin or ErrPayload.
func ParseThin(d *verify.Delivery) (Thin, error) {
	var e struct {
		Thin
		Object string `json:"object"`
	}
	err := parse(d, &e, thin, ErrNotThin)
	if err == nil {
		err = plain(d, e.ID, e.Object, thin)
	}
	if err != nil {
		return Thin{}, err
	}
	return e.Thin, nil
}

// parse reads the body into e if it is an event of that kind. A body of the other
// kind is the error other.
func parse(d *verify.Delivery, e any, kind string, other error) error {
	if d == nil || d.Provider != "stripe" {
		return ErrNoDelivery
	}
	switch string(jsonscan.Member(d.Body, "object")) {
	case kind:
	case full, thin:
		return other
	default:
		return fmt.Errorf("%w: its object is another one", ErrPayload)
	}
	if json.Unmarshal(d.Body, e) != nil { // the error would quote the body
		return fmt.Errorf("%w: it does not have an event's form", ErrPayload)
	}
	return nil
}

// plain refuses an event whose id or object is one to the verifier, who takes the
// first member of exactly that name, and another to encoding/json, which takes the
// last in any case. The store must know the event that is handled. A delivery
// without an id, such as a test event of the Dashboard, is known by its message: then
// there is no other event for it to be.
func plain(d *verify.Delivery, id, object, kind string) error {
	known := d.ID
	if known == "" && id == testID {
		known = string(jsonscan.Member(d.Body, "id"))
	}
	if id == "" || id != known || object != kind {
		return fmt.Errorf("%w: its id or object is missing, repeated or not written plainly", ErrPayload)
	}
	return nil
}

// VersionError says that an event was rendered with another version of the API than
// the one that the types of stripe-go are made for.
type VersionError struct {
	Event string // the event's version; "" where it has none
	SDK   string // stripe-go's
}

// Error names both versions.
func (e *VersionError) Error() string {
	return fmt.Sprintf("stripeevent: the event has API version %.32q, stripe-go is made for %q", e.Event, e.SDK)
}

// CheckVersion returns a *VersionError if e has another API version than stripe-go,
// and nil if it has the same. For a handler that depends on every field.
func CheckVersion(e Event) error {
	if e.APIVersion == stripe.APIVersion {
		return nil
	}
	return &VersionError{Event: e.APIVersion, SDK: stripe.APIVersion}
}

// Handler returns a handler that parses what a guard in front of it verified, and
// calls f. The context is the request's, so verify.FromContext works in f. See the
// package comment for its responses. It panics if f is nil.
func Handler(f func(ctx context.Context, e Event) error) http.Handler {
	return typed.HTTP(reporting(), f)
}

// EchoHandler is Handler for echo v4 and v5, behind echomw. C is echo.Context, or
// *echo.Context in v5; this package does not import echo.
//
//	e.POST("/hooks/stripe", stripeevent.EchoHandler[echo.Context](f), echomw.Protect(v))
//
// An error of f is returned, and echo's HTTPErrorHandler answers it.
func EchoHandler[C interface {
	Request() *http.Request
	NoContent(status int) error
}](f func(ctx context.Context, e Event) error) func(C) error {
	return typed.Echo[C](reporting(), f)
}

// ThinHandler is Handler for thin events.
func ThinHandler(f func(ctx context.Context, e Thin) error) http.Handler {
	return typed.HTTP(ParseThin, f)
}

// EchoThinHandler is EchoHandler for thin events.
func EchoThinHandler[C interface {
	Request() *http.Request
	NoContent(status int) error
}](f func(ctx context.Context, e Thin) error) func(C) error {
	return typed.Echo[C](ParseThin, f)
}

// reporting returns a Parse that logs another API version than stripe-go's when it
// first sees it and whenever it changes.
func reporting() func(*verify.Delivery) (Event, error) {
	var reported atomic.Pointer[string]
	return func(d *verify.Delivery) (Event, error) {
		e, err := Parse(d)
		if err != nil {
			return e, err
		}
		if mismatch := CheckVersion(e); mismatch != nil {
			version := e.APIVersion // and not the whole event
			if last := reported.Swap(&version); last == nil || *last != version {
				slog.Warn("webhook of another API version", "error", mismatch)
			}
		}
		return e, nil
	}
}
