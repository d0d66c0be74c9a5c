package otelmw

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/verify"
)

// span makes the span of a request that is over.
func (t *Telemetry) span(ctx context.Context, r *middleware.Report, scope string) {
	outer := trace.SpanFromContext(ctx)
	tracer, parent := t.tracer, outer.SpanContext()
	if tracer == nil {
		if !outer.IsRecording() {
			return
		}
		tracer = outer.TracerProvider().Tracer(scopeName)
	}
	begun := time.Now().Add(-r.Total)
	options := []trace.SpanStartOption{trace.WithTimestamp(begun)}
	if parent.IsRemote() { // it is the sender's, because nothing in front of the guard made a link of it
		options = append(options, trace.WithNewRoot(), trace.WithLinks(trace.Link{SpanContext: parent}))
	}
	_, span := tracer.Start(ctx, "hooknotary.admit", options...)
	defer span.End()
	if !span.IsRecording() {
		return
	}
	span.SetAttributes(attributes(source{r.Endpoint, r.Provider})...)
	span.SetAttributes(
		outcomeKey.String(r.Outcome.String()),
		attribute.String("hooknotary.correlation_id", r.CorrelationID),
	)
	if r.Reason != 0 {
		span.SetAttributes(errorKey.String(r.Reason.String()))
	}
	if scope != "" {
		span.SetAttributes(str(scopeKey, scope))
	}
	if r.KeyLabel != "" && scope != other {
		span.SetAttributes(str(labelKey, r.KeyLabel))
	}
	switch r.Outcome {
	case middleware.Handled, middleware.Failed, middleware.CommitFailed, middleware.Lost:
		// Only here ctx is the handler's.
		if d, ok := verify.FromContext(ctx); ok && t.recordIDs && d.ID != "" {
			span.SetAttributes(str("hooknotary.event_id", d.ID))
		}
	}
	switch {
	case r.Outcome == middleware.Failed, r.Outcome == middleware.CommitFailed, r.Outcome == middleware.Lost, r.Reason == verify.ErrUnavailable:
		span.SetStatus(codes.Error, r.Outcome.String())
	}
	at := begun
	for s, d := range stages(r) {
		if d > 0 {
			at = at.Add(d)
			span.AddEvent(stageNames[s], trace.WithTimestamp(at))
		}
	}
}
