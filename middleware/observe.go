package middleware

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/hooknotary/hooknotary/verify"
)

// Event is the fate of one request. It holds nothing of the body and of the
// headers, and no secret.
type Event struct {
	Endpoint string
	Provider string

	// CorrelationID is random, the same in the handler's context.
	CorrelationID string

	// ReceivedAt is when the request arrived, as the verifier was told, and
	// PublicURL is Options.PublicURL.
	ReceivedAt time.Time
	PublicURL  string

	Outcome Outcome

	// Proved: the signature holds, whatever became of the request.
	Proved bool

	// Reason is why the request was refused or acknowledged; else zero.
	Reason verify.Reason

	// Err is the refusal with its cause, or what went wrong with the register
	// while it claimed, committed or released. It is for the operator.
	Err error

	// Scope and Key are scope and label of the key that matched; empty for a
	// request that was not proved.
	Scope, Key string

	// Status is the status of the guard's own answer, or 0 if the handler's was
	// let out.
	Status int

	// ReportOnly: the handler ran whatever the outcome says.
	ReportOnly bool

	// Unregistered: the register failed and InsecureFailOpen let the request
	// pass.
	Unregistered bool

	// NoReadDeadline is set on one event of a guard: something in front of it
	// hides read deadlines, so only the server's own ReadTimeout bounds a body
	// that stalls.
	NoReadDeadline bool

	// BodyBytes is how much of the body was read.
	BodyBytes int

	// How long the parts took; zero for parts that were not reached. Settle is
	// the commit or the release.
	Read, Verify, Claim, Handle, Settle, Total time.Duration
}

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
	// the sender was answered 200.
	Acknowledged
	// CommitFailed: the handler succeeded, but the register could not be told.
	// The answer was let out. A later copy may run again.
	CommitFailed
	// Lost: the handler succeeded, but its claim had been taken over, so another
	// one ran or runs, too. The sender was answered 409.
	Lost
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
	}
	return "invalid"
}

type observerKey struct{}

// WithObserver returns a context under which every guard calls observe, just as it
// calls Options.Observe and before that: for what stands in front of a guard and
// has to know what it says, such as a recorder or a test. Where several guards
// judge a request, the innermost speaks first. An observer that ctx has already is
// called afterwards.
//
// It panics if observe is nil.
func WithObserver(ctx context.Context, observe func(ctx context.Context, e Event)) context.Context {
	if observe == nil {
		panic("middleware: there is no observer")
	}
	if outer := observerOf(ctx); outer != nil {
		inner := observe
		observe = func(ctx context.Context, e Event) {
			inner(ctx, e)
			outer(ctx, e)
		}
	}
	return context.WithValue(ctx, observerKey{}, observe)
}

func observerOf(ctx context.Context) func(context.Context, Event) {
	observe, _ := ctx.Value(observerKey{}).(func(context.Context, Event))
	return observe
}

const (
	refusalsPerSecond = 5
	refusalBurst      = 20
)

// LogObserver returns an Observe hook that logs to l, or to slog.Default as it is
// at the time if l is nil: refusals and acknowledgements as warnings, failures of
// handlers and of the register as errors, the rest at debug level. Anyone can
// cause a refusal, so at most 5 of them a second are logged, in bursts of up to
// 20; the next line says how many were left out. Refusals that take a genuine
// delivery to cause, or a failure of the register, are counted apart from those
// that anyone can cause, so that a flood cannot hide them. It is safe for
// concurrent use.
func LogObserver(l *slog.Logger) func(context.Context, Event) {
	anyones, genuine := &limiter{tokens: refusalBurst}, &limiter{tokens: refusalBurst}
	return func(ctx context.Context, e Event) {
		l := l
		if l == nil {
			l = slog.Default()
		}
		level := slog.LevelDebug
		var left int64
		switch e.Outcome {
		case Refused, Acknowledged:
			level = slog.LevelWarn
			if e.Reason == verify.ErrUnavailable {
				level = slog.LevelError
			}
			if e.NoReadDeadline {
				break // there is only one
			}
			limit := anyones
			switch e.Reason {
			case verify.ErrUnavailable, verify.ErrForged, verify.ErrReplayed, verify.ErrInFlight:
				limit = genuine
			}
			var ok bool
			if left, ok = limit.allow(time.Now()); !ok {
				return
			}
		case Failed, CommitFailed, Lost:
			level = slog.LevelError
		case Handled:
			if e.NoReadDeadline {
				level = slog.LevelWarn
			}
			if e.Unregistered {
				level = slog.LevelError
			}
		default:
			level = slog.LevelError
		}
		if !l.Enabled(ctx, level) {
			return
		}
		attrs := make([]slog.Attr, 0, 12)
		attrs = append(attrs,
			slog.String("endpoint", e.Endpoint),
			slog.String("provider", e.Provider),
			slog.String("correlation_id", e.CorrelationID),
			slog.Duration("total", e.Total),
		)
		if e.Reason != 0 {
			attrs = append(attrs, slog.String("reason", e.Reason.String()))
		}
		if e.Err != nil {
			attrs = append(attrs, slog.String("error", truncate(e.Err.Error())))
		}
		if e.Key != "" {
			attrs = append(attrs, slog.String("scope", e.Scope), slog.String("key", e.Key))
		}
		if e.Status != 0 {
			attrs = append(attrs, slog.Int("status", e.Status))
		}
		if e.ReportOnly {
			attrs = append(attrs, slog.Bool("report_only", true))
		}
		if e.Unregistered {
			attrs = append(attrs, slog.Bool("unregistered", true))
		}
		if e.NoReadDeadline {
			attrs = append(attrs, slog.Bool("no_read_deadline", true))
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

// limiter is a token bucket that counts what it turns away.
type limiter struct {
	mu     sync.Mutex
	tokens float64
	last   time.Time
	left   int64
}

func (l *limiter) allow(now time.Time) (left int64, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.last.IsZero() {
		l.tokens = min(refusalBurst, l.tokens+now.Sub(l.last).Seconds()*refusalsPerSecond)
	}
	l.last = now
	if l.tokens < 1 {
		l.left++
		return 0, false
	}
	l.tokens--
	left, l.left = l.left, 0
	return left, true
}
