package forward

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/hooknotary/hooknotary/middleware/assertion"
	"github.com/hooknotary/hooknotary/verify"
)

const (
	defaultTimeout = 30 * time.Second
	defaultIdle    = time.Second
	maxBody        = 1 << 20 // bytes of a response that is passed on
	maxRetryAfter  = time.Hour
	minResign      = 24 // bytes, as Standard Webhooks say
	maxResign      = 64
)

// Options holds what a route may choose. The zero value of each field, and a nil *Options,
// mean the default. New copies it.
type Options struct {
	// Timeout is how long the upstream may take until the head of its final response is
	// there, and with AnswerBody its body, too. Default: 30 seconds. A connection is made
	// within 10 seconds of it.
	Timeout time.Duration

	// IdleTimeout is how long a connection to the upstream is kept for the next request:
	// less than the upstream keeps it, because a request that meets the end of its
	// connection is lost. Default: 1 second. Where the provider never retries, each request
	// gets a connection of its own.
	IdleTimeout time.Duration

	// TLS configures the connections to an upstream whose URL is https: RootCAs, and
	// Certificates for mutual TLS. New clones it, and refuses one that skips verification or
	// allows less than TLS 1.2. Default: the roots of the system.
	TLS *tls.Config

	// Header is added to every request: the token that the receiver wants to see. It is the
	// only way to send an Authorization header, beside Assertion.
	Header http.Header

	// SenderHeaders names headers of the sender that go on, beside Content-Type and those
	// of the signature. They are not signed, unless the scheme says so. One that holds the
	// sender's credential, one that receivers believe, such as Cookie, Authorization or
	// X-Forwarded-For, and one that frames the message are errors of New.
	SenderHeaders []string

	// Query: the query of the sender's request goes on. A parameter that the scheme marks
	// as a credential is left out, and so is one with a byte that parsers disagree about.
	Query bool

	// ClientAddress, if not nil, says which IP address X-Forwarded-For names. Where it
	// returns none, there is no such header.
	ClientAddress func(*http.Request) string

	// Success lists statuses, 300 to 599, by which the receiver says that it is done, beside
	// 2xx. The sender gets 200 for them.
	Success []int

	// AnswerBody: the sender gets the Content-Type and up to 1 MiB of the body of a success.
	// A longer body, an encoded one, or one that does not come to its end in time is left
	// out; the success stays one.
	AnswerBody bool

	// Assertion, if not nil, signs who verified what when, for each request anew. It stands
	// in AssertionHeader, by default assertion.Header, behind AssertionPrefix, by default
	// "Bearer " in Authorization and nothing elsewhere.
	Assertion                        *assertion.Signer
	AssertionHeader, AssertionPrefix string

	// Resign, if not nil, is a secret of 24 to 64 bytes. Requests are signed with it as
	// Standard Webhooks say, in webhook-id, webhook-timestamp and webhook-signature. The id
	// is the event's key, the same in every attempt. A secret is written as "whsec_" and its
	// base64; this is what that stands for.
	Resign []byte

	// Observe, if not nil, is called on the request's goroutine before a request is sent. To
	// the header, which is empty, it may add what the receiver is to know besides, such as a
	// trace context. What it returns is called with the outcome, if it is not nil. A panic of
	// that one goes on when the claim is settled.
	Observe func(ctx context.Context, h http.Header) func(Report)
}

// Report is what became of a request to the upstream. It holds nothing of the message and
// no secret.
type Report struct {
	// Status is that of the upstream's final response, or 0 if there was none.
	Status int

	// Sent is the status that the sender gets, unless the claim is lost meanwhile.
	Sent int

	// Duration is the time until the response was there, or the failure.
	Duration time.Duration

	// Err says why there is no response. It names the upstream's address, and nothing that
	// it said.
	Err error

	// ClaimKept: the upstream may be at work on the event, so that its claim is kept until
	// the lease ends. See middleware.KeepClaim.
	ClaimKept bool
}

func setDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// configure checks the options, sets the defaults and returns all mistakes at once. No error
// holds a value of a header.
func (h *Handler) configure() error {
	var mistakes []error
	wrong := func(format string, args ...any) { mistakes = append(mistakes, fmt.Errorf(format, args...)) }
	o := &h.opts

	setDefault(&o.Timeout, defaultTimeout)
	if o.Timeout < 0 {
		wrong("Timeout is %v, want more than 0, or 0 for the default", o.Timeout)
	}
	setDefault(&o.IdleTimeout, defaultIdle)
	if o.IdleTimeout < 0 {
		wrong("IdleTimeout is %v, want more than 0, or 0 for the default", o.IdleTimeout)
	}
	for _, status := range o.Success {
		if status < 300 || status > 599 {
			wrong("Success has %d, want statuses from 300 to 599: 2xx is a success in any case", status)
		}
	}
	o.Success = slices.Clone(o.Success)

	switch {
	case o.TLS == nil:
		o.TLS = new(tls.Config)
	case !h.up.tls:
		wrong("TLS is set, and the upstream is not https")
	}
	o.TLS = o.TLS.Clone()
	if o.TLS.InsecureSkipVerify {
		wrong("TLS has InsecureSkipVerify: then anybody can be the upstream; trust its certificate with RootCAs")
	}
	if o.TLS.MinVersion != 0 && o.TLS.MinVersion < tls.VersionTLS12 || o.TLS.MaxVersion != 0 && o.TLS.MaxVersion < tls.VersionTLS12 {
		wrong("TLS allows versions below 1.2; leave MinVersion and MaxVersion alone")
	}
	setDefault(&o.TLS.MinVersion, tls.VersionTLS12)
	setDefault(&o.TLS.ServerName, h.up.hostname)
	o.TLS.NextProtos = []string{"http/1.1"}

	h.configureHeaders(wrong)
	if o.Resign != nil {
		if len(o.Resign) < minResign || len(o.Resign) > maxResign {
			wrong("Resign has %d bytes, want %d to %d", len(o.Resign), minResign, maxResign)
		}
		h.resign = signer(o.Resign)
		o.Resign = nil
	}
	return errors.Join(mistakes...)
}

// configureHeaders decides which headers a request has, so that no two are one to any
// receiver.
func (h *Handler) configureHeaders(wrong func(string, ...any)) {
	o := &h.opts
	var about verify.About
	if v, ok := h.guard.Verifier().(interface{ About() verify.About }); ok {
		about = v.About()
	}
	h.secretQuery = about.SecretQuery

	h.taken = make(map[string]bool)
	take := func(name string) bool {
		folded := fold(name)
		was := h.taken[folded]
		h.taken[folded] = true
		return !was
	}
	if o.Assertion == nil && (o.AssertionHeader != "" || o.AssertionPrefix != "") {
		wrong("AssertionHeader and AssertionPrefix say where an Assertion stands, and there is none")
	}
	if o.Assertion != nil {
		setDefault(&o.AssertionHeader, assertion.Header)
		name := http.CanonicalHeaderKey(o.AssertionHeader)
		folded := fold(name)
		switch {
		case !isToken(name) || among(folded, ownFields) || ours(folded) && name != assertion.Header:
			wrong("AssertionHeader must be the name of a header, and of none that this package sets itself")
		case !isValue(o.AssertionPrefix):
			wrong("AssertionPrefix has control characters")
		}
		if o.AssertionPrefix == "" && name == "Authorization" {
			o.AssertionPrefix = "Bearer "
		}
		o.AssertionHeader = name
		take(name)
	}
	if o.Resign != nil {
		for _, name := range []string{"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"} {
			if !take(name) {
				wrong("the assertion stands in %s, which Resign needs", name)
			}
		}
	}
	if o.ClientAddress != nil && !take("X-Forwarded-For") {
		wrong("the assertion stands in X-Forwarded-For, which ClientAddress needs")
	}
	own := new(message)
	for _, name := range slices.Sorted(maps.Keys(o.Header)) {
		folded := fold(name)
		switch {
		case !isToken(name):
			wrong("Header has a name that is none")
			continue
		case among(folded, ownFields) || ours(folded):
			wrong("Header has %s, which this package sets itself", name)
		case !take(name):
			wrong("Header has %s, which another option sets, or which Header has in another spelling", name)
		}
		for _, value := range o.Header[name] {
			if !isValue(value) {
				wrong("Header has a value of %s with control characters; is there a line end behind the token?", name)
			}
			own.field(http.CanonicalHeaderKey(name), value)
		}
	}
	h.own = func() []byte { return own.b }
	o.Header = nil

	secret := func(name string) bool {
		return slices.ContainsFunc(about.Headers, func(u verify.HeaderUse) bool { return u.Secret && fold(u.Name) == fold(name) })
	}
	h.fromSender = append(h.fromSender, "Content-Type")
	for _, use := range about.Headers {
		folded := fold(use.Name)
		if secret(use.Name) || among(folded, ownFields) || among(folded, trustedFields) || slices.Contains(h.fromSender, use.Name) {
			continue
		}
		if o.Resign != nil && h.taken[folded] && among(folded, []string{"webhook-id", "webhook-timestamp", "webhook-signature"}) {
			continue // ours take their place
		}
		if !take(use.Name) {
			wrong("the sender signs in %s, which another option sets; choose another header there", use.Name)
		}
		h.fromSender = append(h.fromSender, use.Name)
	}
	for _, name := range o.SenderHeaders {
		name = http.CanonicalHeaderKey(name)
		folded := fold(name)
		switch {
		case !isToken(name):
			wrong("SenderHeaders has a name that is none")
		case secret(name):
			wrong("SenderHeaders has %s: it holds a credential of the sender, with which the receiver could make deliveries", name)
		case slices.Contains(h.fromSender, name):
		case among(folded, ownFields) || among(folded, trustedFields):
			wrong("SenderHeaders has %s: a receiver may believe it, and anyone can write it", name)
		case !take(name):
			wrong("SenderHeaders has %s, which another option sets, or in two spellings", name)
		default:
			h.fromSender = append(h.fromSender, name)
		}
	}
	o.SenderHeaders = nil
}
