package verify

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// Challenger is a Verifier whose provider checks with a handshake whether an endpoint is
// there and whose it is: when it is registered, and some providers time and again. A guard
// answers a handshake itself: no handler runs, and the store is not asked.
//
// There are two kinds. One is a request of its own, most often a GET, that no signature
// covers: Challenge recognizes it by its head. The other one is a delivery that is signed
// like any other: it is verified first, and Respond recognizes it by its body.
//
// A provider's implementation answers no more than the handshake needs: what is echoed
// has a bounded length and no character that HTML or JSON knows, what is compared with a
// secret takes the same time for all values, and what is computed with a secret cannot be
// the signature of a delivery.
//
// Both methods are safe for concurrent use, and pure as those of a Verifier are.
type Challenger interface {
	Verifier

	// Challenge returns what answers a request whose head says that it is a handshake,
	// or nil where it says nothing of the kind: then the request goes the way of a
	// delivery, and another method than POST is refused. It is asked before anything
	// else looks at the request, so the method may be any. An error refuses the request;
	// its reasons are those of Begin.
	Challenge(ctx context.Context, h *Head) (Challenge, error)

	// Respond returns the response to a delivery that is verified and is a handshake, or
	// nil where it is an event. h is the head that the delivery came with. An error
	// refuses the request, although its signature is good.
	Respond(ctx context.Context, h *Head, d *Delivery) (*Response, error)
}

// Challenge is a request that is a handshake by its head, and whose body is yet to come.
// It is for one body and must not be kept after the request.
type Challenge interface {
	// Finish returns the response. The Response is nil if and only if there is an error.
	// body is empty where the request has none.
	Finish(ctx context.Context, body []byte) (*Response, error)
}

// MaxResponse is how many bytes the body of a Response may have.
const MaxResponse = 4 << 10

// Response is what a handshake is answered with.
type Response struct {
	// Status is 200 to 299. Zero means 200.
	Status int

	// ContentType is TextPlain or ApplicationJSON, or empty where there is no Body: a
	// browser must not take what was echoed for HTML.
	ContentType string

	// Body has up to MaxResponse bytes. It must not be changed.
	Body []byte

	// Computed: the body was computed with a secret of the endpoint, from what anyone
	// may have sent. A guard limits how many of these it gives.
	Computed bool
}

// The media types of a Response.
const (
	TextPlain       = "text/plain; charset=utf-8"
	ApplicationJSON = "application/json"
)

var (
	errNoResponse   = errors.New("the verifier returned neither a response to the handshake nor an error")
	errStatus       = errors.New("the response to the handshake has a status outside of 200 to 299")
	errContentType  = errors.New("the response to the handshake is neither plain text nor JSON")
	errResponseSize = fmt.Errorf("the response to the handshake has more than %d bytes", MaxResponse)
)

// Check says what is wrong with a Response. Guards call it: a mistake of a verifier must
// not become a page that a browser shows. The error is a *Error with ErrUnavailable.
func (r *Response) Check() error {
	var wrong error
	switch {
	case r == nil:
		wrong = errNoResponse
	case r.Status != 0 && (r.Status < 200 || r.Status > 299):
		wrong = errStatus
	case r.ContentType != TextPlain && r.ContentType != ApplicationJSON && (r.ContentType != "" || len(r.Body) > 0):
		wrong = errContentType
	case len(r.Body) > MaxResponse:
		wrong = errResponseSize
	default:
		return nil
	}
	return &Error{Reason: ErrUnavailable, Cause: wrong}
}

// Respond answers a handshake whose head and body are already at hand: it is to a
// Challenger what the function Verify is to a Verifier, for Lambda functions and tests. It
// returns nil and no error for what is no handshake, and wherever v is no Challenger: go
// on with Verify, for a POST. A handshake that is signed is verified first; so an error may
// also be one of Verify.
//
// It limits no rate. Whoever answers requests with it that anyone can send must do so, where
// Response.Computed says it.
func Respond(ctx context.Context, v Verifier, h *Head, body []byte) (*Response, error) {
	c, ok := v.(Challenger)
	if !ok {
		return nil, nil
	}
	if h == nil || h.ReceivedAt.IsZero() {
		return nil, zeroHead()
	}
	challenge, err := c.Challenge(ctx, h)
	if err != nil {
		return nil, err
	}
	var r *Response
	if challenge != nil {
		if r, err = challenge.Finish(ctx, body); err == nil {
			err = r.Check()
		}
		return one(r, err)
	}
	if h.Method != http.MethodPost {
		return nil, nil
	}
	d, err := Verify(ctx, v, h, body)
	if err != nil {
		return nil, err
	}
	if r, err = c.Respond(ctx, h, d); r != nil && err == nil {
		err = r.Check()
	}
	return one(r, err)
}

// one returns r, or nil beside an error.
func one(r *Response, err error) (*Response, error) {
	if err != nil {
		return nil, err
	}
	return r, nil
}
