package middleware

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

var (
	errFloor      = errors.New("signed before the store's floor, and not known to it: the provider will sign it anew")
	errNoDelivery = errors.New("the verifier returned no valid delivery")
	errOutcome    = errors.New("the store returned no valid outcome")
	errClaimLost  = errors.New("the claim was taken over while the handler ran")
	errOtherBody  = errors.New("the event was handled before with another body: compare the two; if this one is not the provider's, somebody holds a signed delivery")
	errSettled    = errors.New("the handler settled the claim itself")
	errLeaseOver  = errors.New("the lease ran out while the handler ran, and could not be renewed")
	errRenewPanic = errors.New("the store panicked while it renewed the claim")
	errMaxRun     = errors.New("the handler ran longer than MaxRun")
)

// admissionContext carries an Admission.
type admissionContext struct {
	context.Context
	a *Admission
}

type admissionKey struct{}

func (c *admissionContext) Value(key any) any {
	if key == (admissionKey{}) {
		return c.a
	}
	return c.Context.Value(key)
}

// Err looks at the lease, too: where a whole process stood still, no timer has
// ended the context yet.
func (c *admissionContext) Err() error {
	if l := c.a.lease; l != nil {
		l.check()
	}
	return c.Context.Err()
}

// Admitted reports whether ctx belongs to a request that carries a live claim of
// this guard.
func (g *Guard) Admitted(ctx context.Context) bool {
	a, _ := ctx.Value(admissionKey{}).(*Admission)
	for ; a != nil; a = a.outer {
		if a.g == g {
			return !a.closed.Load()
		}
	}
	return false
}

// CorrelationID returns the id under which Observe reports the request that ctx
// belongs to, or "" outside of a guard.
func CorrelationID(ctx context.Context) string {
	if a, ok := ctx.Value(admissionKey{}).(*Admission); ok {
		return a.correlationID()
	}
	return ""
}

// Admission is a request whose handler may run. It ends with Settle, and with
// Close in any case:
//
//	admission, answer := guard.Admit(ctx, inbound)
//	if answer != nil {
//		// send answer; the handler does not run
//	}
//	defer admission.Close()
//	ok := run(admission.Context(), admission.Delivery()) // nil if ReportOnly
//	if answer := admission.Settle(ok); answer != nil {
//		// send answer in place of the handler's
//	}
//	// let the handler's answer out
//
// An Admission belongs to one goroutine. One that is never closed renews its claim
// for ever, and its event stays in flight.
type Admission struct {
	g        *Guard
	outer    *Admission       // of another guard around this one
	delivery *verify.Delivery // nil if the guard only reports and would refuse
	ctx      context.Context
	abort    func(cause error)
	detached context.Context // outlives the client
	lease    *lease          // nil where nothing was claimed
	memory   reservation

	// The contexts of one request, in one allocation.
	claiming, running, settling timeout
	carrier                     admissionContext

	// Where a guard only reports, what a request that it would have refused goes
	// on with.
	untouched bool      // nothing of the body was read
	prefix    []byte    // what was read of it
	rest      io.Reader // what was not, or nil
	readErr   error     // with which reading ended, or nil

	header  http.Header // of the request outside
	closed  atomic.Bool
	settled bool
	id      uint64 // for correlation
	watch   stopwatch
	event   Report
	signed  []byte // the body, for observers, if its signature is good
}

func (a *Admission) correlationID() string { return fmt.Sprintf("%016x", a.id) }

// Admit decides about one request: it verifies and claims, and returns either an
// Admission, under which a handler may run, or the Answer to send in its place.
// It reads the body only if the head is good. ctx is the request's.
func (g *Guard) Admit(ctx context.Context, in *Inbound) (*Admission, *Response) {
	if in.Head.ReceivedAt.IsZero() {
		in.Head.ReceivedAt = g.opts.Now()
	}
	if g.publicURL != nil && in.Head.URL != nil {
		u := *in.Head.URL
		u.Scheme, u.Host, u.User = g.publicURL.Scheme, g.publicURL.Host, nil
		in.Head.URL = &u
	}
	watch := g.startWatch(ctx)
	if err := g.checkHead(in); err != nil {
		return g.refuse(ctx, in, err, watch)
	}
	pending, err := g.verifier.Begin(ctx, &in.Head)
	if err == nil && pending == nil {
		err = &verify.Error{Reason: verify.ErrUnavailable, Cause: errNoDelivery}
	}
	watch.lap(&watch.verify)
	if err != nil {
		return g.refuse(ctx, in, err, watch)
	}

	a := g.newAdmission(ctx, in, watch)
	finished := false
	defer func() {
		if !finished { // something panicked
			a.memory.free()
		}
	}()
	r := a.prove(ctx, in, pending)
	finished = true
	if r.err != nil {
		return a.refuse(ctx, in, r)
	}
	a.begin(ctx)
	return a, nil
}

func (g *Guard) newAdmission(ctx context.Context, in *Inbound, watch stopwatch) *Admission {
	return &Admission{
		g:        g,
		detached: context.WithoutCancel(ctx),
		memory:   reservation{of: g.opts.Budget},
		id:       rand.Uint64(),
		watch:    watch,
		event:    Report{ReceivedAt: in.Head.ReceivedAt},
	}
}

// prove reads the body, checks it and claims its event. The refusal is empty if
// the handler may run.
func (a *Admission) prove(ctx context.Context, in *Inbound, pending verify.Pending) refusal {
	body, unread, err := readBody(ctx, in, &a.g.opts, &a.memory)
	a.watch.lap(&a.watch.read)
	a.event.NoReadDeadline = a.g.noReadDeadline(in)
	if err != nil {
		return refusal{err: err, body: body, read: true, unread: unread}
	}
	d, err := pending.Finish(ctx, body)
	if err == nil && (d == nil || d.Binding < verify.BindingFull || d.Binding > verify.BindingNone || !same(d.Body, body)) {
		err = &verify.Error{Reason: verify.ErrUnavailable, Cause: errNoDelivery}
	}
	a.watch.lap(&a.watch.verify)
	if err != nil {
		return refusal{err: err, body: body, read: true}
	}
	r := a.claim(d, body)
	a.watch.lap(&a.watch.claim)
	r.body, r.read = body, true
	a.delivery = d
	return r
}

// same reports whether two slices are one: the bytes that were verified must be
// those that the handler reads.
func same(a, b []byte) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// refusal is what Admit ends with when the handler must not run.
type refusal struct {
	err    error
	body   []byte // what was read of the body
	read   bool   // whether reading began
	unread bool   // whether there is more
	ack    bool   // an honest repeat
	retry  time.Duration
}

func (g *Guard) refuse(ctx context.Context, in *Inbound, err error, watch stopwatch) (*Admission, *Response) {
	r := refusal{err: err, unread: in.Body != nil}
	if !g.opts.InsecureReportOnly && !watch.on {
		return nil, g.answer(ctx, r)
	}
	return g.newAdmission(ctx, in, watch).refuse(ctx, in, r)
}

func (a *Admission) refuse(ctx context.Context, in *Inbound, r refusal) (*Admission, *Response) {
	g, e := a.g, &a.event
	e.Outcome, e.Reason, e.Err, e.BodyBytes = Refused, reasonOf(r.err), r.err, len(r.body)
	if r.ack {
		e.Outcome = Acknowledged
	}
	message := messageOf(r.err)
	if d := a.delivery; d != nil { // proved, but not to be handled
		e.Verified, e.Scope, e.KeyLabel, message = true, d.Scope, d.KeyLabel, d.Fingerprint
		a.delivery = nil
	}
	a.identify(message, r.body)
	if g.opts.InsecureReportOnly {
		a.untouched, a.prefix = !r.read, r.body
		switch {
		case r.unread && e.Reason == verify.ErrBody:
			a.readErr = in.readErr
		case r.unread:
			a.rest = in.Body
		}
		a.begin(ctx)
		return a, nil
	}
	a.memory.free()
	var answer *Response
	if r.ack {
		answer = acknowledge()
	} else {
		answer = g.answer(ctx, r)
	}
	e.Status = answer.Status
	a.observe(ctx)
	return nil, answer
}

// noReadDeadline reports, once for a guard, that read deadlines are hidden.
func (g *Guard) noReadDeadline(in *Inbound) bool {
	return in.noDeadline && g.deadlineReported.CompareAndSwap(false, true)
}

// claim asks the store for the event. The refusal is empty if the handler may
// run.
func (a *Admission) claim(d *verify.Delivery, body []byte) refusal {
	g := a.g
	print := d.Fingerprint.Sum()
	c := replay.Claim{
		Key:         g.Key(d),
		Endpoint:    g.endpoint,
		Scope:       d.Scope,
		Token:       replay.NewToken(),
		Lease:       g.opts.Lease,
		Needed:      untimedNeed,
		Retention:   g.opts.Retention,
		Fingerprint: sha256.Sum256(print[:]), // for a store that others can read
		SignedAt:    d.SignedAt,
		Resigned:    g.profile.Retry == verify.RetryResigned,
	}
	if g.profile.Window != (verify.Window{}) {
		c.Needed = max(0, d.SignedAt.Add(g.profile.Window.Past).Sub(d.ReceivedAt)) + clockSlack
	}
	if d.Binding != verify.BindingFull && d.MessageID != "" {
		c.Binding = &replay.BodyBinding{
			Message: replay.Message{Endpoint: g.endpoint, Provider: d.Provider, Scope: d.Scope, ID: d.MessageID}.Key(),
			Body:    sha256.Sum256(body),
		}
		c.Needed = g.bound
		if g.profile.Retry == verify.RetryIdentical {
			// A repeat is acknowledged whatever its signature is, so the
			// fingerprint may tell another body from the one that was handled.
			c.Fingerprint = c.Binding.Body
		}
	}
	// Not under the request's context: a client that hangs up in between would
	// leave a claim of which nobody knows whether it was made.
	asked := time.Now()
	ctx := a.claiming.begin(a.detached, claimTimeout, nil)
	outcome, err := g.store.Claim(ctx, c)
	ctx.end(nil)
	if err != nil {
		if g.opts.InsecureFailOpen {
			a.event.FailedOpen, a.event.Err = true, err
			return refusal{}
		}
		return refusal{err: &verify.Error{Reason: verify.ErrUnavailable, Cause: err}}
	}
	switch outcome.Status {
	case replay.Acquired:
		a.lease = &lease{store: g.store, handle: replay.Handle{Key: c.Key, Token: c.Token}, length: c.Lease, end: asked.Add(c.Lease)}
		return refusal{}
	case replay.InFlight:
		return refusal{err: &verify.Error{Reason: verify.ErrInFlight}, retry: outcome.Lease}
	case replay.Done:
		ack := g.profile.Retry == verify.RetryIdentical || !outcome.Same
		switch g.opts.Duplicates {
		case AcknowledgeDuplicates:
			ack = true
		case RefuseDuplicates:
			ack = false
		}
		repeated := &verify.Error{Reason: verify.ErrReplayed}
		if c.Binding != nil && g.profile.Retry == verify.RetryIdentical && !outcome.Same {
			repeated.Cause = errOtherBody
		}
		return refusal{err: repeated, ack: ack}
	case replay.Forged:
		return refusal{err: &verify.Error{Reason: verify.ErrForged}}
	case replay.BeforeFloor:
		return refusal{err: &verify.Error{Reason: verify.ErrTooOld, Cause: errFloor}}
	}
	return refusal{err: &verify.Error{Reason: verify.ErrUnavailable, Cause: errOutcome}}
}

// begin makes the handler's context and starts what runs beside the handler.
func (a *Admission) begin(ctx context.Context) {
	g := a.g
	a.outer, _ = ctx.Value(admissionKey{}).(*Admission)
	abort := func(error) {} // ends the handler's context
	if a.delivery != nil && !g.opts.InsecureReportOnly {
		if g.profile.Retry == verify.RetryNever {
			// This provider never retries: the event would be lost if it hung
			// up early and the handler gave up.
			ctx = a.detached
		}
		run := a.running.begin(ctx, g.opts.MaxRun, errMaxRun)
		ctx, abort = run, run.end
	}
	ctx = verify.NewContext(ctx, a.delivery) // also nil, in place of an outer guard's
	if a.lease != nil {
		ctx = replay.NewContext(ctx, a.lease.handle)
		a.lease.start(abort)
	}
	a.carrier = admissionContext{ctx, a}
	a.ctx, a.abort = &a.carrier, abort
}

// Carries reports whether ctx belongs to this Admission and to no other guard's
// inside. An adapter for a framework that recycles its contexts asks this before
// it touches one after the handler.
func (a *Admission) Carries(ctx context.Context) bool {
	return ctx.Value(admissionKey{}) == a
}

// Delivery returns what was proved, or nil if the guard only reports and would
// have refused the request.
func (a *Admission) Delivery() *verify.Delivery { return a.delivery }

// ReportOnly reports whether the guard only reports: then the handler's answer is
// not held back, and Settle returns nil.
func (a *Admission) ReportOnly() bool { return a.g.opts.InsecureReportOnly }

// Context returns the context for the handler. It carries the Delivery and the
// handle of the claim, and ends with the Admission at the latest, unless the guard
// only reports.
func (a *Admission) Context() context.Context { return a.ctx }

// Request returns r as the handler should see it: with the Admission's context
// and the verified body, to be read again, and nothing that was parsed of it
// before. It has no Expect header, because the body is at hand, and a proxy behind the
// guard must not ask its upstream for a go-ahead. It has no Connection and no Upgrade
// header, because there is no upgrade behind a guard, and some recoverers answer
// nothing to a panic where the sender asks for one.
func (a *Admission) Request(r *http.Request) *http.Request {
	body := r.Body
	r = r.WithContext(a.ctx)
	if a.untouched {
		return r
	}
	r.Form, r.PostForm, r.MultipartForm = nil, nil, nil
	if a.delivery == nil {
		r.Body = body
		if body != nil {
			r.Body = struct {
				io.Reader
				io.Closer
			}{a.replayBody(), body}
		}
		return r
	}
	b := a.delivery.Body
	r.ContentLength = int64(len(b))
	r.TransferEncoding, r.Trailer = nil, nil
	a.header = r.Header
	r.Header = without(r.Header, "Expect", "Connection", "Upgrade")
	r.Body = newBodyReader(b)
	r.GetBody = func() (io.ReadCloser, error) { return newBodyReader(b), nil }
	return r
}

// without returns h without the fields of these names. It does not change h, which
// others hold.
func without(h http.Header, names ...string) http.Header {
	for _, name := range names {
		if _, ok := h[name]; ok {
			h = maps.Clone(h)
			for _, name := range names {
				delete(h, name)
			}
			break
		}
	}
	return h
}

// replayBody returns the body of a request that was not proved, as it would have
// been read without the guard.
func (a *Admission) replayBody() io.Reader {
	read := bytes.NewReader(a.prefix)
	switch {
	case a.readErr != nil:
		return io.MultiReader(read, failing{a.readErr})
	case a.rest != nil:
		return io.MultiReader(read, a.rest)
	}
	return read
}

// bodyReader reads a body that is at hand.
type bodyReader struct{ bytes.Reader }

func newBodyReader(b []byte) *bodyReader {
	r := new(bodyReader)
	r.Reset(b)
	return r
}

func (*bodyReader) Close() error { return nil }

// failing is a reader that only fails.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// Settle ends the claim. ok says whether the handler succeeded; then the event is
// committed, else released. Settle returns nil if the handler's answer may go
// out, or the Answer to send in its place, because the claim was lost.
//
// Settle is called once at most; it panics otherwise.
func (a *Admission) Settle(ok bool) *Response {
	if a.settled {
		panic("middleware: Admission settled twice")
	}
	a.settled = true
	a.watch.lap(&a.watch.handle)
	defer a.watch.lap(&a.watch.settle)
	e := &a.event
	if a.delivery == nil {
		return nil // only reported
	}
	if a.lease == nil { // failed open
		e.Outcome = Failed
		if ok {
			e.Outcome = Handled
		}
		return nil
	}
	if !ok {
		e.Outcome = Failed
		a.lease.stop()
		e.Err = a.lease.release(a.detached, &a.settling)
		return nil
	}
	e.Outcome = CommitFailed // in case the store panics
	err := func() error {
		// Renewed until the commit is through, and no longer if it panics: then
		// nobody knows whether the event is done, and the lease runs out.
		defer a.lease.stop()
		return a.lease.commit(a.detached, &a.settling)
	}()
	switch {
	case err == nil:
		e.Outcome = Handled
	case errors.Is(err, replay.ErrLost):
		e.Outcome, e.Err = Lost, err
		if a.ReportOnly() {
			return nil
		}
		answer := a.g.answer(a.ctx, refusal{err: &verify.Error{Reason: verify.ErrInFlight, Cause: err}, retry: a.g.opts.Lease})
		e.Reason, e.Status = verify.ErrInFlight, answer.Status
		return answer
	default:
		e.Outcome, e.Err = CommitFailed, err
	}
	return nil
}

// Close releases the claim unless it was settled, ends the handler's context and
// reports the request to Observe. Call it in a defer; closing again does nothing.
func (a *Admission) Close() {
	if a.closed.Swap(true) {
		return
	}
	// All of it, also if the store or the hook panics.
	defer a.abort(nil)
	defer func() {
		if d := a.delivery; d != nil {
			a.event.Verified, a.event.Scope, a.event.KeyLabel, a.event.BodyBytes = true, d.Scope, d.KeyLabel, len(d.Body)
			a.identify(d.Fingerprint, d.Body)
		}
		a.observe(a.ctx)
	}()
	defer a.memory.free()
	if !a.settled {
		// The handler panicked. Outside the request must not ask for an upgrade,
		// either: chi's Recoverer would answer nothing, and net/http would say 200.
		delete(a.header, "Connection")
		a.Settle(false)
	}
}

func (a *Admission) observe(ctx context.Context) {
	g := a.g
	e, w := a.event, &a.watch
	if !w.on {
		return
	}
	w.lap(nil)
	e.Endpoint, e.Provider, e.ReportOnly = g.endpoint, g.profile.Provider, g.opts.InsecureReportOnly
	e.PublicURL, e.CorrelationID = g.opts.PublicURL, a.correlationID()
	e.Read, e.Verify, e.Claim, e.Handle, e.Settle = w.read, w.verify, w.claim, w.handle, w.settle
	e.Total = w.last.Sub(w.start)
	if a.signed != nil {
		ctx = context.WithValue(ctx, signedBodyKey{}, a.signed)
	}
	if observe := observerOf(ctx); observe != nil {
		observe(ctx, e)
	}
	if g.opts.Observe != nil {
		g.opts.Observe(ctx, e)
	}
}
