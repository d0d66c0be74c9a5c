package middleware

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"time"
	"unicode/utf8"

	"github.com/hooknotary/hooknotary/verify"
)

// Options holds what an endpoint may choose. The zero value of each field, and a
// nil *Options, mean the default. New copies it.
type Options struct {
	// MaxBody is the largest body in bytes. Default: the provider's largest.
	MaxBody int64

	// BodyTimeout is how long a body may take to arrive. Default: 10 seconds.
	BodyTimeout time.Duration

	// BodyBudget is how many bytes of memory the bodies of all requests in flight
	// may take together; half of it is reserved for bodies up to 1 MiB. Default:
	// 128 MiB, or twice MaxBody if that is more; at least twice MaxBody. See Budget.
	BodyBudget int64

	// Budget, if not nil, is a budget that this guard shares with others. Then
	// BodyBudget must be zero. A guard with InsecureReportOnly interrupts no body,
	// so it should share its budget with no other.
	Budget *Budget

	// Lease is how long a claim outlives its process. It is renewed while the
	// handler runs. Where that fails until it has run out, or the claim was taken
	// over, the handler's context ends: a handler that takes long looks at it right
	// before its effects. Default: 30 seconds; at least 1 second.
	Lease time.Duration

	// MaxRun is when the handler's context ends. The claim is kept until the
	// handler returns. Default: 15 minutes.
	MaxRun time.Duration

	// Detach: once its event is claimed, a handler goes on although the sender hangs up.
	// Its context still ends with the lease, with MaxRun and with Shutdown. It is for
	// handlers that take longer than senders wait: a retry in the meantime gets 409, and
	// one after the commit is a duplicate. Handlers for a provider that never retries
	// are detached in any case.
	Detach bool

	// Shutdown, if not nil, ends the contexts of all handlers when it ends: a server that
	// shuts down ends it when its patience is over. Without it, a detached handler ends
	// with the process. A guard with InsecureReportOnly ends no context.
	Shutdown context.Context

	// Retention is how long a finished event is remembered. Default: what the
	// verifier's profile says, else 7 days. It must cover the window in which a
	// copy still verifies, or 3 days where the provider signs no time.
	Retention time.Duration

	// Duplicates says how a repeat of a finished event is answered.
	Duplicates Duplicates

	// PublicURL is the scheme and host under which the provider knows the
	// endpoint, "https://hooks.example.com", for schemes that sign the URL. Path
	// and query are the request's. Default: Head.URL is the request's URL.
	PublicURL string

	// OnReject, if not nil, may change the response to a refused request, which it
	// owns: for providers that want another status than ours. The status must
	// stay between 400 and 599, or it is not changed. A response that differs by
	// reason tells a forger how far a forgery got.
	OnReject func(ctx context.Context, reason verify.Reason, a *Response)

	// Observe, if not nil, is called once for each request, when its fate is
	// known, on the request's goroutine. LogObserver makes one that logs.
	Observe func(ctx context.Context, e Report)

	// Now is the clock, for tests. Default: time.Now.
	Now func() time.Time

	// InsecureReportOnly lets every request through to the handler, whatever
	// the verdict, for a roll-out on live traffic. The verdict goes to Observe
	// alone, and verify.FromContext is false for what would have been refused.
	InsecureReportOnly bool

	// InsecureFailOpen runs the handler although the store failed. A replay
	// runs, too, and one event may run twice at once.
	InsecureFailOpen bool
}

// Duplicates says how a repeat of an event that was handled is answered. One
// that is being handled is never acknowledged.
type Duplicates uint8

const (
	// DuplicatesByProvider: as the provider's way of retrying asks for; see the
	// package comment.
	DuplicatesByProvider Duplicates = iota
	// AcknowledgeDuplicates: always 200, for scripts that redeliver.
	AcknowledgeDuplicates
	// RefuseDuplicates: always 409. A provider whose response was lost keeps
	// retrying, and may disable the endpoint.
	RefuseDuplicates
)

const (
	defaultBodyTimeout = 10 * time.Second
	defaultBodyBudget  = 128 << 20
	defaultLease       = 30 * time.Second
	defaultMaxRun      = 15 * time.Minute
	defaultRetention   = 7 * 24 * time.Hour

	maxBytes = 1 << 50 // so that no sum of sizes overflows

	untimedNeed = 3 * 24 * time.Hour // how long a record is needed without a signed time
	clockSlack  = time.Minute        // between the clocks of the node and of the store

	claimTimeout   = 500 * time.Millisecond
	commitTimeout  = 600 * time.Millisecond // for each of three tries, within 2 seconds
	commitPause    = 100 * time.Millisecond // between them
	releaseTimeout = 2 * time.Second
)

// configure sets the defaults and returns all mistakes at once, each with what to do.
func (g *Guard) configure() error {
	var mistakes []error
	wrong := func(format string, args ...any) { mistakes = append(mistakes, fmt.Errorf(format, args...)) }
	o := &g.opts

	if n := len(g.endpoint); n == 0 || n > 128 || !utf8.ValidString(g.endpoint) {
		wrong("the endpoint's name must be 1 to 128 bytes of UTF-8")
	}
	if isNil(g.store) {
		wrong("store is nil; use replay.NewMemory(nil) for one process")
	}
	need := untimedNeed
	if isNil(g.verifier) {
		wrong("verifier is nil; check the error its constructor returned")
	} else {
		g.profile = g.verifier.Profile()
		checkProfile(&g.profile, wrong)
		if w := g.profile.Window; w != (verify.Window{}) {
			need = w.Past + w.Future + clockSlack
		}
		setDefault(&o.Retention, g.profile.Retention)
		setDefault(&o.Retention, max(defaultRetention, need))
		if o.Retention < need {
			wrong("Retention is %v, want at least %v: a copy verifies for that long", o.Retention, need)
		}
	}

	setDefault(&o.MaxBody, g.profile.MaxBody)
	setDefault(&o.BodyTimeout, defaultBodyTimeout)
	setDefault(&o.Lease, defaultLease)
	setDefault(&o.MaxRun, defaultMaxRun)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Duplicates > RefuseDuplicates {
		wrong("Duplicates has the unknown value %d; use one of its constants", o.Duplicates)
	}
	switch {
	case o.Lease < time.Second:
		wrong("Lease is %v, want at least 1s", o.Lease)
	case o.Retention >= need && o.Lease > o.Retention:
		wrong("Lease is %v, want at most the Retention, %v: the replay store forgets the event after that", o.Lease, o.Retention)
	}
	if o.BodyTimeout < 0 {
		wrong("BodyTimeout is %v, want more than 0, or 0 for the default", o.BodyTimeout)
	}
	if o.MaxRun < 0 {
		wrong("MaxRun is %v, want more than 0, or 0 for the default", o.MaxRun)
	}
	o.configureBudget(wrong)
	if o.PublicURL != "" {
		u, err := url.Parse(o.PublicURL)
		if err != nil || u.Scheme == "" || u.Host == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
			wrong("PublicURL must be a scheme and a host, such as https://hooks.example.com")
		}
		g.publicURL = u
	}
	if mistakes != nil {
		return errors.Join(mistakes...)
	}

	g.profile.MaxBody = o.MaxBody // for Check
	// However old a message is: the nodes of a fleet need not agree on its age.
	// Where no time is signed, it verifies for ever.
	g.bound = need
	if g.profile.Window == (verify.Window{}) {
		g.bound = o.Retention
	}
	if g.profile.Compression == verify.GzipUnpacked {
		g.unpackCharge = unpackCharge
		if o.InsecureReportOnly {
			g.unpackCharge += o.MaxBody
		}
	}
	o.Budget.fit(o.MaxBody, g.unpackCharge)
	g.responses = newResponses(g.profile.Rejection)
	return nil
}

// checkProfile finds what a verifier's author left out.
func checkProfile(p *verify.Profile, wrong func(string, ...any)) {
	if p.Provider == "" {
		wrong("the verifier's Profile has no Provider, the name of the provider")
	}
	if p.MaxBody <= 0 {
		wrong("the verifier's Profile has the MaxBody %d, want the largest body that the provider sends", p.MaxBody)
	}
	if p.Binding < verify.BindingFull || p.Binding > verify.BindingPart {
		wrong("the verifier's Profile has no valid Binding; say how strongly the signature covers the body")
	}
	if p.Retry < verify.RetryResigned || p.Retry > verify.RetryNever {
		wrong("the verifier's Profile has no valid Retry; say how the provider retries, RetryIdentical if that is not known")
	}
	if p.Compression > verify.GzipUnpacked {
		wrong("the verifier's Profile has no valid Compression; say which bytes of a compressed body are signed")
	}
	if s := p.Rejection.Status; s != 0 && (s < 400 || s > 499) {
		wrong("the verifier's Profile has the Rejection.Status %d, want 400 to 499, or 0 for 401", s)
	}
}

// configureBudget checks MaxBody and makes the budget, unless there is one.
func (o *Options) configureBudget(wrong func(string, ...any)) {
	known := false // what the budget must hold
	switch {
	case o.MaxBody < 0:
		wrong("MaxBody is %d, want more than 0, or 0 for the provider's largest body", o.MaxBody)
	case o.MaxBody > maxBytes:
		wrong("MaxBody is %d, want at most %d", o.MaxBody, int64(maxBytes))
	default:
		known = o.MaxBody > 0
	}
	switch {
	case o.Budget != nil && o.BodyBudget != 0:
		wrong("both Budget and BodyBudget are set; set one")
	case o.BodyBudget < 0:
		wrong("BodyBudget is %d, want at least twice MaxBody, or 0 for the default", o.BodyBudget)
	case o.BodyBudget > maxBytes:
		wrong("BodyBudget is %d, want at most %d", o.BodyBudget, int64(maxBytes))
	case known:
		if o.Budget == nil {
			setDefault(&o.BodyBudget, max(defaultBodyBudget, 2*o.MaxBody))
			o.Budget = NewBudget(o.BodyBudget)
		}
		if o.Budget.bytes/2 < o.MaxBody {
			wrong("the body budget is %d, want at least %d, twice MaxBody; raise BodyBudget, or the size of Budget", o.Budget.bytes, 2*o.MaxBody)
		}
	}
}

// isNil also finds the nil pointer that comes with an error nobody looked at.
func isNil(v any) bool {
	r := reflect.ValueOf(v)
	return !r.IsValid() || r.Kind() == reflect.Pointer && r.IsNil()
}

func setDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}
