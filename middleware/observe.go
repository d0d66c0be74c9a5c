package middleware

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/hooknotary/hooknotary/middleware/internal/contextkey"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// Report is the fate of one request. It holds nothing of the body and of the
// headers, and no secret.
type Report struct {
	Endpoint string
	Provider string

	// CorrelationID is random, the same in the handler's context.
	CorrelationID string

	// ReceivedAt is when the request arrived, as the verifier was told, and
	// PublicURL is Options.PublicURL.
	ReceivedAt time.Time
	PublicURL  string

	Outcome Outcome

	// Verified: the signature holds, whatever became of the request.
	Verified bool

	// Handshake: the request was a handshake, answered (Challenged) or refused.
	Handshake bool

	// NoHandshakes is set on one event of a guard: its verifier answers handshakes that
	// are no POST, and the pattern of its route in an http.ServeMux lets only a POST
	// through. Take the method out of the pattern, "/hooks/acme".
	NoHandshakes bool

	// Reason is why the request was refused or acknowledged; else zero.
	Reason verify.Reason

	// Message names the signed message, by a hash of its fingerprint and of the
	// endpoint: two events have the same Message if they are about copies of one
	// message, whatever bodies came with it. It is zero where the signature is not
	// known to be good.
	Message replay.Key

	// FirstForged: the request was refused as forged, and it is the first one of
	// its Message. A guard remembers the last 4096 forged messages, in 512 KiB at
	// most, and forgets them when its process ends. A message that it has forgotten
	// counts as new.
	FirstForged bool

	// Err is the refusal with its cause, or what went wrong with the store
	// while it claimed, committed or released. It is for the operator.
	Err error

	// Scope and KeyLabel are scope and label of the key that matched; empty for a
	// request that was not verified.
	Scope, KeyLabel string

	// Status is the status of the guard's own response, or 0 if the handler's was
	// let out.
	Status int

	// ReportOnly: the handler ran whatever the outcome says.
	ReportOnly bool

	// FailedOpen: the store failed and InsecureFailOpen let the request
	// pass.
	FailedOpen bool

	// ClaimKept: the handler failed, and the claim was not released, because its effects
	// may still come about (see KeepClaim). The event is in flight until its lease ends.
	ClaimKept bool

	// NoReadDeadline is set on one event of a guard: something in front of it
	// hides read deadlines, so only the server's own ReadTimeout bounds a body
	// that stalls.
	NoReadDeadline bool

	// BodyBytes is how much of the body was read, as it was sent.
	BodyBytes int

	// How long the parts took; zero for parts that were not reached. Settle is
	// the commit or the release.
	Read, Verify, Claim, Handle, Settle, Total time.Duration
}

// Signed reports whether the signature is known to be good, also where the request
// was refused all the same. Such an event is caused by the provider, or by somebody
// who holds a genuine delivery; anyone can cause the others.
func (e Report) Signed() bool { return e.Verified || e.Message != (replay.Key{}) }

// Outcome is what became of a request. The zero value is invalid.
type Outcome uint8

const (
	// Handled: the handler succeeded, and the event is done.
	Handled Outcome = iota + 1
	// Failed: the handler failed, and the event may come again.
	Failed
	// Refused: the handler did not run.
	Refused
	// Acknowledged: the handler did not run, because the event was done before;
	// the sender got 200.
	Acknowledged
	// CommitFailed: the handler succeeded, but the store could not be told.
	// The response was sent. A later copy may run again.
	CommitFailed
	// Lost: the handler succeeded, but its claim had been taken over, so another
	// one ran or runs, too. The sender got 409.
	Lost
	// Challenged: the request was a handshake of the provider, which the guard answered.
	// No handler ran and the store was not asked. Anyone can cause it, unless the
	// signature is good.
	Challenged
)

// String returns the outcome in lower case, "invalid" for the zero value.
func (o Outcome) String() string {
	switch o {
	case Handled:
		return "handled"
	case Failed:
		return "failed"
	case Refused:
		return "refused"
	case Acknowledged:
		return "acknowledged"
	case CommitFailed:
		return "commit_failed"
	case Lost:
		return "lost"
	case Challenged:
		return "challenged"
	}
	return "invalid"
}

// stopwatch measures the parts of a request, if anybody wants to know.
type stopwatch struct {
	on                                  bool
	start, last                         time.Time
	read, verify, claim, handle, settle time.Duration
}

func (g *Guard) startWatch(ctx context.Context) (w stopwatch) {
	if g.opts.Observe != nil || observerOf(ctx) != nil {
		w.on, w.start = true, time.Now()
		w.last = w.start
	}
	return w
}

// lap adds the time since the last lap to part.
func (w *stopwatch) lap(part *time.Duration) {
	if !w.on {
		return
	}
	now := time.Now()
	if part != nil {
		*part += now.Sub(w.last)
	}
	w.last = now
}

// observerOf returns the observer that package observe put into ctx, or nil.
func observerOf(ctx context.Context) func(context.Context, Report) {
	observe, _ := ctx.Value(contextkey.Observer{}).(func(context.Context, Report))
	return observe
}

// identify notes what a request with a good signature carried. It does nothing for
// the zero fingerprint, or where nobody observes.
func (a *Admission) identify(f verify.Fingerprint, body []byte) {
	g, e := a.g, &a.report
	if !a.watch.on {
		return
	}
	if sum := f.Sum(); sum != [32]byte{} {
		e.Message = replay.Event{Endpoint: g.endpoint, Provider: g.profile.Provider}.MessageKey(string(sum[:]))
		a.signed = body
	}
	if e.Reason == verify.ErrForged {
		e.FirstForged = g.forged.first(e.Message)
	}
}

// messageOf returns the fingerprint of the message that a verifier refused although
// its signature is good, or the zero Fingerprint.
func messageOf(err error) verify.Fingerprint {
	var e *verify.Error
	if errors.As(err, &e) && e != nil {
		return e.Message
	}
	return verify.Fingerprint{}
}

const mostForged = 4096

// memory remembers the last mostForged messages.
type memory struct {
	mu    sync.Mutex
	known map[replay.Key]struct{}
	order []replay.Key // a ring once it is full
	next  int          // the oldest in the ring
}

// first remembers m, and reports whether it was not known before.
func (f *memory) first(m replay.Key) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.known[m]; ok {
		return false
	}
	if f.known == nil {
		f.known = make(map[replay.Key]struct{})
	}
	if len(f.order) < mostForged {
		f.order = append(f.order, m)
	} else {
		delete(f.known, f.order[f.next])
		f.order[f.next] = m
		f.next = (f.next + 1) % mostForged
	}
	f.known[m] = struct{}{}
	return true
}

const (
	refusalsPerSecond = 5
	refusalBurst      = 20
)

// LogObserver returns an Observe hook that logs to l, or to slog.Default as it is
// at the time if l is nil: failures of handlers and of the replay store as
// errors, refusals and acknowledgements as warnings, the rest at debug level. Refusals
// as unavailable and as forged are errors, and so are those for a [verify.Alarm], which
// have the attribute "alarm".
//
// Refusals and acknowledgements can be caused at will, so they are limited: at most
// 5 lines a second, in bursts of up to 20. Each endpoint and each reason has a limit
// of its own, one for what anyone can cause and another one for what takes a good
// signature (see [Report.Signed]), and alarms and finished events that come with another
// body have one for themselves. So nothing
// hides or counts anything but its own kind. The next line of that kind says how many
// were left out before it, in "refusals_not_logged".
//
// An event with FirstForged is logged whatever its limit says. Whoever holds more
// genuine deliveries than a guard remembers as forged can make each forgery a line.
//
// It is safe for concurrent use.
func LogObserver(l *slog.Logger) func(context.Context, Report) {
	limits := limits{of: make(map[kind]*limiter)}
	return func(ctx context.Context, e Report) {
		l := l
		if l == nil {
			l = slog.Default()
		}
		level := slog.LevelDebug
		var left int64
		alarm := false
		switch e.Outcome {
		case Refused, Acknowledged:
			level = slog.LevelWarn
			alarm = isAlarm(e.Err)
			if alarm || e.Reason == verify.ErrUnavailable || e.Reason == verify.ErrForged {
				level = slog.LevelError
			}
			if e.NoReadDeadline || e.NoHandshakes {
				break // there is only one
			}
			var ok bool
			if left, ok = limits.allow(kind{e.Endpoint, e.Reason, e.Signed(), alarm, errors.Is(e.Err, errOtherBody)}, e.FirstForged, time.Now()); !ok {
				return
			}
		case Failed, CommitFailed, Lost:
			level = slog.LevelError
		case Handled:
			if e.NoReadDeadline || e.NoHandshakes {
				level = slog.LevelWarn
			}
			if e.FailedOpen {
				level = slog.LevelError
			}
		case Challenged:
		default:
			level = slog.LevelError
		}
		if !l.Enabled(ctx, level) {
			return
		}
		attrs := make([]slog.Attr, 0, 16)
		attrs = append(attrs,
			slog.String("endpoint", e.Endpoint),
			slog.String("provider", e.Provider),
			slog.String("correlation_id", e.CorrelationID),
			slog.Duration("total", e.Total),
		)
		if e.Reason != 0 {
			attrs = append(attrs, slog.String("reason", e.Reason.String()))
		}
		if alarm {
			attrs = append(attrs, slog.Bool("alarm", true))
		}
		if e.Reason != 0 && e.Message != (replay.Key{}) {
			attrs = append(attrs, slog.String("signed_message", e.Message.String()))
		}
		if e.Err != nil {
			attrs = append(attrs, slog.String("error", truncate(e.Err.Error())))
		}
		if e.KeyLabel != "" {
			attrs = append(attrs, slog.String("scope", e.Scope), slog.String("key", e.KeyLabel))
		}
		if e.Status != 0 {
			attrs = append(attrs, slog.Int("status", e.Status))
		}
		if e.ReportOnly {
			attrs = append(attrs, slog.Bool("report_only", true))
		}
		if e.FailedOpen {
			attrs = append(attrs, slog.Bool("failed_open", true))
		}
		if e.ClaimKept {
			attrs = append(attrs, slog.Bool("claim_kept", true))
		}
		if e.NoReadDeadline {
			attrs = append(attrs, slog.Bool("no_read_deadline", true))
		}
		if e.Handshake {
			attrs = append(attrs, slog.Bool("handshake", true))
		}
		if e.NoHandshakes {
			attrs = append(attrs, slog.String("no_handshakes", "the route's pattern lets only a POST through"))
		}
		if left > 0 {
			attrs = append(attrs, slog.Int64("refusals_not_logged", left))
		}
		l.LogAttrs(ctx, level, "webhook "+e.Outcome.String(), attrs...)
	}
}

// truncate bounds what one line of the log can hold.
func truncate(s string) string {
	if len(s) > 512 {
		return s[:512]
	}
	return s
}

func isAlarm(err error) bool {
	var a verify.Alarm
	return errors.As(err, &a) && a.Alarm()
}

// kind is what shares a limit. All of it comes from configuration or from a closed
// set, so a sender cannot make more kinds.
type kind struct {
	endpoint string
	reason   verify.Reason
	signed   bool // the signature is good: not everybody can cause this
	alarm    bool
	other    bool // a finished event with another body: a copy is none
}

// limits has a limiter for each kind.
type limits struct {
	mu sync.Mutex
	of map[kind]*limiter
}

// allow reports whether one more of a kind may be logged, and how many of that kind
// were left out before it. It may if it must.
func (l *limits) allow(k kind, must bool, now time.Time) (left int64, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	limit := l.of[k]
	if limit == nil {
		limit = &limiter{tokens: refusalBurst, last: now}
		l.of[k] = limit
	}
	return limit.allow(must, now)
}

// limiter is a token bucket that counts what it turns away.
type limiter struct {
	tokens float64
	last   time.Time
	left   int64
}

func (l *limiter) allow(must bool, now time.Time) (left int64, ok bool) {
	l.tokens = min(refusalBurst, l.tokens+now.Sub(l.last).Seconds()*refusalsPerSecond)
	l.last = now
	switch {
	case must:
	case l.tokens < 1:
		l.left++
		return 0, false
	default:
		l.tokens--
	}
	left, l.left = l.left, 0
	return left, true
}
