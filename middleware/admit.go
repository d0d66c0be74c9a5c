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

	"github.com/hooknotary/hooknotary/middleware/adapter"
	"github.com/hooknotary/hooknotary/middleware/internal/contextkey"
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
	errShutdown   = errors.New("the server shuts down")
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
	if c.a.grant == leased {
		c.a.lease.check()
	}
	return c.Context.Err()
}

// Admitted reports whether ctx belongs to a request that carries a live claim of
// this guard.
func (g *Guard) Admitted(ctx context.Context) bool {
	a, _ := ctx.Value(admissionKey{}).(*Admission)
	for ; a != nil; a = a.outer {
		if a.g == g {
			return a.phase.Load() != closed
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

// KeepClaim says that the effects of the handler that ctx belongs to may come about although
// it fails: it has handed the event to somebody who did not answer. Then its claim is
// not released, and the event is free only when the lease has run out. Until then a
// retry gets 409. A handler that succeeds is committed as ever. KeepClaim does nothing
// outside of a guard; it is safe for concurrent use.
func KeepClaim(ctx context.Context) {
	a, _ := ctx.Value(admissionKey{}).(*Admission)
	for ; a != nil; a = a.outer {
		a.kept.Store(true)
	}
}

// Admission is a request whose handler may run. It ends with Settle, and with
// Close in any case:
//
//	if guard.Admitted(ctx) {
//		// the same guard is outside: run the handler, and do nothing else
//	}
//	admission, response := guard.Admit(ctx, inbound)
//	if response != nil {
//		// send response; the handler does not run
//	}
//	defer admission.Close()
//	// hold the handler's response back, unless admission.ReportOnly()
//	ok := run(admission.Context(), admission.Delivery()) // nil if ReportOnly
//	if response := admission.Settle(ok); response != nil {
//		// send response in place of the handler's
//	}
//	// let the handler's response out
//
// An Admission belongs to one goroutine. One that is never closed renews its claim
// for ever, and its event stays in flight.
type Admission struct {
	g        *Guard
	outer    *Admission // of another guard around this one
	grant    grant
	phase    atomic.Uint32    // running, settled or closed
	delivery *verify.Delivery // what was verified; nil if reported
	ctx      context.Context
	abort    func(cause error)
	detached context.Context // outlives the client
	lease    *lease          // if leased
	kept     atomic.Bool     // the lease is not released: see KeepClaim
	unwatch  func() bool     // of Options.Shutdown, or nil
	memory   reservation

	// The contexts of one request, in one allocation.
	claiming, running, settling timeout
	carrier                     admissionContext

	original original    // if reported
	unpacked bool        // whether the body was, so that the handler must not unpack it
	sent     int         // bytes of the body, as it was sent
	header   http.Header // of the request outside
	id       uint64      // for correlation
	watch    stopwatch
	report   Report
	signed   []byte // the body, for observers, if its signature is good
}

// A grant is what Admit allows. It is set before the handler runs, and does not
// change afterwards, so that any goroutine of the handler may look at it.
//
//	grant       set by      when                                    Settle(true)   Settle(false)
//	leased      claim       the store gave the event                commit         release, unless KeepClaim
//	failedOpen  claim       the store failed, InsecureFailOpen      nothing        nothing
//	reported    refuse      it is refused, but InsecureReportOnly   nothing        nothing
//
// A request that is refused has no grant and no Admission.
type grant uint8

const (
	leased grant = iota + 1
	failedOpen
	reported
)

// A phase is how far an Admission has come. There are three transitions:
//
//	running → settled   Settle
//	settled → closed    Close
//	running → closed    Close, which settles it as failed: the handler panicked, ended
//	                    its goroutine, or was never run
//
// Settle panics in any phase but running, and Close does nothing when closed. The phase
// changes before the store or a hook is called, so that one that panics is not called
// again.
const (
	running uint32 = iota
	settled
	closed
)

func (a *Admission) correlationID() string { return fmt.Sprintf("%016x", a.id) }

// Admit decides about one request: it verifies and claims, and returns either an
// Admission, under which a handler may run, or the Response to send in its place.
// It reads the body only if the head is good. ctx is the request's.
func (g *Guard) Admit(ctx context.Context, in *adapter.Inbound) (*Admission, *Response) {
	if in.Head.ReceivedAt.IsZero() {
		in.Head.ReceivedAt = g.opts.Now()
	}
	if g.publicURL != nil && in.Head.URL != nil {
		u := *in.Head.URL
		u.Scheme, u.Host, u.User = g.publicURL.Scheme, g.publicURL.Host, nil
		in.Head.URL = &u
	}
	watch := g.startWatch(ctx)
	begun, err := g.begin(ctx, in, &watch)
	if err != nil {
		r := refusal{verdict: verdict{err: err}, body: received{unread: in.Body != nil}}
		if !g.opts.InsecureReportOnly && !watch.on {
			return nil, g.response(ctx, r) // nobody asks for more
		}
		a := g.newAdmission(ctx, in, watch)
		a.report.Handshake = begun.handshake
		return a.refuse(ctx, in, r)
	}

	a := g.newAdmission(ctx, in, watch)
	a.report.Handshake = begun.handshake
	finished := false
	defer func() {
		if !finished { // something panicked
			a.memory.free()
		}
	}()
	r := a.decide(ctx, in, begun)
	finished = true
	switch {
	case r.answer != nil && r.err == nil:
		return a.challenged(ctx, in, r)
	case a.grant == 0 || r.err != nil:
		return a.refuse(ctx, in, r)
	}
	a.delivery, a.sent = r.delivery, r.body.size()
	a.start(ctx)
	return a, nil
}

// begun is a request whose head is good: a delivery or a handshake.
type begun struct {
	pending   verify.Pending
	challenge verify.Challenge
	handshake bool // by its head, also where that is refused
}

// begin judges the head.
func (g *Guard) begin(ctx context.Context, in *adapter.Inbound, watch *stopwatch) (b begun, err error) {
	if b.challenge, err = g.challenge(ctx, in, watch); b.challenge != nil || err != nil {
		b.handshake = true
		return b, err
	}
	if err := g.profile.Check(&in.Head, in.ContentLength); err != nil {
		return b, err
	}
	defer watch.lap(&watch.verify)
	b.pending, err = g.verifier.Begin(ctx, &in.Head)
	if err == nil && b.pending == nil {
		err = &verify.Error{Reason: verify.ErrUnavailable, Cause: errNoDelivery}
	}
	return b, err
}

func (g *Guard) newAdmission(ctx context.Context, in *adapter.Inbound, watch stopwatch) *Admission {
	return &Admission{
		g:        g,
		detached: context.WithoutCancel(ctx),
		memory:   reservation{of: g.opts.Budget},
		id:       rand.Uint64(),
		watch:    watch,
		report:   Report{ReceivedAt: in.Head.ReceivedAt},
	}
}

// decide reads the body, verifies it and claims its event, or answers a handshake. There
// is neither an error nor an answer if the handler may run.
func (a *Admission) decide(ctx context.Context, in *adapter.Inbound, b begun) (r refusal) {
	packed := b.challenge == nil && a.g.profile.Packed(&in.Head)
	if packed {
		a.memory.extra = a.g.unpackCharge
	}
	r.body, r.err = readBody(ctx, in, &a.g.opts, &a.memory, packed)
	a.watch.lap(&a.watch.read)
	a.report.NoReadDeadline = r.body.hidden && a.g.deadlineReported.CompareAndSwap(false, true)
	if r.err != nil {
		return r
	}
	if b.challenge != nil {
		r.answer, r.err = a.answer(func() (*verify.Response, error) { return b.challenge.Finish(ctx, r.body.bytes) }, false)
		return r
	}
	if r.delivery, r.err = a.verify(ctx, b.pending, r.body.bytes); r.err != nil {
		return r
	}
	if a.g.answers != nil {
		r.answer, r.err = a.answer(func() (*verify.Response, error) { return a.g.answers.Respond(ctx, &in.Head, r.delivery) }, true)
		if r.answer != nil || r.err != nil {
			a.report.Handshake = true
			return r
		}
		a.report.NoHandshakes = in.OnlyPost() && a.g.hasOther() && a.g.hiddenReported.CompareAndSwap(false, true)
	}
	a.unpacked = packed
	r.verdict = a.claim(r.delivery)
	a.watch.lap(&a.watch.claim)
	return r
}

// verify checks the signature. The Delivery is nil if there is an error.
func (a *Admission) verify(ctx context.Context, pending verify.Pending, body []byte) (*verify.Delivery, error) {
	defer a.watch.lap(&a.watch.verify)
	d, err := pending.Finish(ctx, body)
	if err != nil {
		return nil, err
	}
	if d == nil || d.Binding < verify.BindingFull || d.Binding > verify.BindingPart || !same(d.Body, body) {
		return nil, &verify.Error{Reason: verify.ErrUnavailable, Cause: errNoDelivery}
	}
	return d, nil
}

// same reports whether two slices are one: the bytes that were verified must be
// those that the handler reads.
func same(a, b []byte) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// verdict is why the handler must not run; err is nil if it may.
type verdict struct {
	err   error
	ack   bool          // an honest repeat
	retry time.Duration // when to try again, if the event is being handled
}

// refusal is what Admit ends with when the handler must not run.
type refusal struct {
	verdict
	body     received
	delivery *verify.Delivery // if it was verified all the same
	answer   *verify.Response // to a handshake
}

// refuse ends Admit with a response or, if the guard only reports, with an Admission.
func (a *Admission) refuse(ctx context.Context, in *adapter.Inbound, r refusal) (*Admission, *Response) {
	g, e := a.g, &a.report
	e.Outcome, e.Reason, e.Err = Refused, reasonOf(r.err), r.err
	if r.ack {
		e.Outcome = Acknowledged
	}
	return a.end(ctx, in, r, func() *Response {
		if r.ack {
			return acknowledge()
		}
		return g.response(ctx, r)
	})
}

// end ends Admit without a claim: with a response, or with an Admission if the guard only
// reports.
func (a *Admission) end(ctx context.Context, in *adapter.Inbound, r refusal, respond func() *Response) (*Admission, *Response) {
	e := &a.report
	e.BodyBytes = r.body.size()
	message := messageOf(r.err)
	if d := r.delivery; d != nil { // verified, but not to be handled
		e.Verified, e.Scope, e.KeyLabel, message = true, d.Scope, d.KeyLabel, d.Fingerprint
	}
	a.identify(message, r.body.bytes)
	if a.g.opts.InsecureReportOnly {
		a.grant, a.original = reported, originalOf(in, r.body, e.Reason)
		a.start(ctx)
		return a, nil
	}
	a.memory.free()
	response := respond()
	e.Status = response.Status
	a.observe(ctx)
	return nil, response
}

// claim asks the store for the event, and grants it if the verdict has no error.
func (a *Admission) claim(d *verify.Delivery) verdict {
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
			Message: replay.Event{Endpoint: g.endpoint, Provider: d.Provider, Scope: d.Scope}.MessageKey(d.MessageID),
			Body:    sha256.Sum256(d.Body),
		}
		c.Needed = g.bound
		if g.profile.Retry == verify.RetryIdentical {
			// A repeat is acknowledged whatever its signature is, so the
			// fingerprint may tell another body from the one that was handled.
			c.Fingerprint = c.Binding.Body
		}
	}
	// Not under the request's context: a client that hangs up in between would
	// leave the guard without knowledge of whether it has the claim.
	asked := time.Now()
	ctx := a.claiming.begin(a.detached, claimTimeout, nil)
	outcome, err := g.store.Claim(ctx, c)
	ctx.end(nil)
	if err != nil {
		if g.opts.InsecureFailOpen {
			a.grant = failedOpen
			a.report.FailedOpen, a.report.Err = true, err
			return verdict{}
		}
		return verdict{err: &verify.Error{Reason: verify.ErrUnavailable, Cause: err}}
	}
	switch outcome.Status {
	case replay.Acquired:
		a.lease = &lease{store: g.store, handle: replay.Handle{Key: c.Key, Token: c.Token}, length: c.Lease, end: asked.Add(c.Lease)}
		a.grant = leased
		return verdict{}
	case replay.InFlight:
		return verdict{err: &verify.Error{Reason: verify.ErrInFlight}, retry: outcome.Lease}
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
		return verdict{err: repeated, ack: ack}
	case replay.Forged:
		return verdict{err: &verify.Error{Reason: verify.ErrForged}}
	case replay.BeforeFloor:
		return verdict{err: &verify.Error{Reason: verify.ErrTooOld, Cause: errFloor}}
	}
	return verdict{err: &verify.Error{Reason: verify.ErrUnavailable, Cause: errOutcome}}
}

// start makes the handler's context and starts what runs beside the handler.
func (a *Admission) start(ctx context.Context) {
	g := a.g
	a.outer, _ = ctx.Value(admissionKey{}).(*Admission)
	abort := func(error) {} // ends the handler's context
	if !g.opts.InsecureReportOnly {
		if g.opts.Detach || g.profile.Retry == verify.RetryNever {
			// A provider that never retries: the event would be lost if it hung up
			// early and the handler gave up.
			ctx = a.detached
		}
		run := a.running.begin(ctx, g.opts.MaxRun, errMaxRun)
		ctx, abort = run, run.end
		if g.opts.Shutdown != nil {
			a.unwatch = context.AfterFunc(g.opts.Shutdown, func() { run.end(errShutdown) })
		}
	}
	ctx = verify.NewContext(ctx, a.delivery) // also nil, in place of an outer guard's
	if a.grant == leased {
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

// Delivery returns the verified delivery, or nil if the guard only reports and would
// have refused the request.
func (a *Admission) Delivery() *verify.Delivery { return a.delivery }

// ReportOnly reports whether the guard only reports: then the handler's response is
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
// header, because there is no upgrade behind a guard, and some recoverers write
// nothing after a panic where the sender asks for one. It has no Content-Encoding header
// if the guard has unpacked the body.
func (a *Admission) Request(r *http.Request) *http.Request {
	r = r.WithContext(a.ctx)
	if a.grant == reported {
		a.original.restore(r)
		return r
	}
	r.Form, r.PostForm, r.MultipartForm = nil, nil, nil
	b := a.delivery.Body
	r.ContentLength = int64(len(b))
	r.TransferEncoding, r.Trailer = nil, nil
	a.header = r.Header
	r.Header = without(r.Header, "Expect", "Connection", "Upgrade")
	if a.unpacked {
		r.Header = without(r.Header, "Content-Encoding")
	}
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

// original is what a guard that only reports has taken from a request that it would
// have refused. The handler gets the request as if there were no guard.
type original struct {
	untouched bool      // nothing of the body was read
	prefix    []byte    // what was read of it
	rest      io.Reader // what was not, or nil
	err       error     // with which reading ended, or nil
}

func originalOf(in *adapter.Inbound, got received, reason verify.Reason) original {
	o := original{untouched: !got.begun, prefix: got.bytes}
	if got.packed {
		o.prefix = got.raw
	}
	switch {
	case got.unread && reason == verify.ErrBody && got.err != nil:
		o.err = got.err
	case got.unread:
		o.rest = in.Body
	}
	return o
}

// restore gives r its body back.
func (o *original) restore(r *http.Request) {
	if o.untouched {
		return
	}
	r.Form, r.PostForm, r.MultipartForm = nil, nil, nil
	if r.Body == nil {
		return
	}
	var body io.Reader = bytes.NewReader(o.prefix)
	switch {
	case o.err != nil:
		body = io.MultiReader(body, failing{o.err})
	case o.rest != nil:
		body = io.MultiReader(body, o.rest)
	}
	r.Body = struct {
		io.Reader
		io.Closer
	}{body, r.Body}
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
// committed, else released. Settle returns nil if the handler's response may go out, or
// the Response to send in its place, because the claim was lost.
//
// Settle is called once at most; it panics otherwise.
func (a *Admission) Settle(ok bool) *Response {
	if !a.phase.CompareAndSwap(running, settled) {
		panic("middleware: Admission settled twice")
	}
	return a.settle(ok)
}

func (a *Admission) settle(ok bool) *Response {
	a.watch.lap(&a.watch.handle)
	defer a.watch.lap(&a.watch.settle)
	e := &a.report
	switch {
	case a.grant == reported: // the outcome is the refusal
	case a.grant == failedOpen && ok:
		e.Outcome = Handled
	case a.grant == failedOpen:
		e.Outcome = Failed
	case ok:
		return a.commit()
	default:
		e.Outcome = Failed
		a.lease.stop()
		if e.ClaimKept = a.kept.Load(); !e.ClaimKept {
			e.Err = a.lease.release(a.detached, &a.settling)
		}
	}
	return nil
}

// commit marks a leased event as done.
func (a *Admission) commit() *Response {
	e := &a.report
	e.Outcome = CommitFailed // in case the store panics
	err := func() error {
		// Renewed until the commit is through, and no longer if it panics: then
		// nobody knows whether the event is done, and the lease runs out.
		defer a.lease.stop()
		return a.lease.commit(a.detached, &a.settling)
	}()
	if err == nil {
		e.Outcome = Handled
		return nil
	}
	e.Err = err
	if !errors.Is(err, replay.ErrLost) {
		return nil
	}
	e.Outcome = Lost
	if a.ReportOnly() {
		return nil
	}
	response := a.g.response(a.ctx, refusal{verdict: verdict{
		err:   &verify.Error{Reason: verify.ErrInFlight, Cause: err},
		retry: a.g.opts.Lease,
	}})
	e.Reason, e.Status = verify.ErrInFlight, response.Status
	return response
}

// Close releases the claim unless it was settled, ends the handler's context and
// reports the request to Observe. Call it in a defer; closing again does nothing.
func (a *Admission) Close() {
	was := a.phase.Swap(closed)
	if was == closed {
		return
	}
	// All of it, also if the store or the hook panics.
	defer a.abort(nil)
	if a.unwatch != nil {
		a.unwatch()
	}
	defer func() {
		if a.grant != reported {
			d, e := a.delivery, &a.report
			e.Verified, e.Scope, e.KeyLabel, e.BodyBytes = true, d.Scope, d.KeyLabel, a.sent
			a.identify(d.Fingerprint, d.Body)
		}
		a.observe(a.ctx)
	}()
	defer a.memory.free()
	if was == running {
		// The handler panicked. Outside the request must not ask for an upgrade,
		// either: chi's Recoverer would write nothing, and net/http would send 200.
		delete(a.header, "Connection")
		a.settle(false)
	}
}

func (a *Admission) observe(ctx context.Context) {
	g := a.g
	e, w := a.report, &a.watch
	if !w.on {
		return
	}
	w.lap(nil)
	e.Endpoint, e.Provider, e.ReportOnly = g.endpoint, g.profile.Provider, g.opts.InsecureReportOnly
	e.PublicURL, e.CorrelationID = g.opts.PublicURL, a.correlationID()
	e.Read, e.Verify, e.Claim, e.Handle, e.Settle = w.read, w.verify, w.claim, w.handle, w.settle
	e.Total = w.last.Sub(w.start)
	if a.signed != nil {
		ctx = context.WithValue(ctx, contextkey.SignedBody{}, a.signed)
	}
	if observe := observerOf(ctx); observe != nil {
		observe(ctx, e)
	}
	if g.opts.Observe != nil {
		g.opts.Observe(ctx, e)
	}
}
