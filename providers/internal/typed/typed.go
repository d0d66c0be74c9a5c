// Package typed makes HTTP handlers of functions over a provider's typed events. It
// is what packages such as stripeevent have in common.
package typed

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/hooknotary/hooknotary/verify"
)

// run parses the delivery that a guard verified and hands the event to handle. Where
// there is none, parse gets nil and must refuse it.
func run[E any](ctx context.Context, parse func(*verify.Delivery) (E, error), handle func(context.Context, E) error) error {
	d, _ := verify.FromContext(ctx)
	e, err := parse(d)
	if err != nil {
		return err
	}
	return handle(ctx, e)
}

// HTTP responds with 204 if parse and handle succeed. Otherwise it responds with 500, whatever
// the error, and logs the error to slog.Default: nothing of it goes to the sender.
// It panics if handle is nil.
func HTTP[E any](parse func(*verify.Delivery) (E, error), handle func(context.Context, E) error) http.Handler {
	required(handle == nil)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := run(r.Context(), parse, handle); err != nil {
			slog.ErrorContext(r.Context(), "webhook handler failed", "error", err)
			http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
}

// Context is what Echo needs of echo's context. The one of echo v4 and the one of
// echo v5 have it.
type Context interface {
	Request() *http.Request
	NoContent(status int) error
}

// Echo is HTTP for echo. It logs nothing: the error goes to echo, whose
// HTTPErrorHandler answers it behind echomw.
func Echo[C Context, E any](parse func(*verify.Delivery) (E, error), handle func(context.Context, E) error) func(C) error {
	required(handle == nil)
	return func(c C) error {
		if err := run(c.Request().Context(), parse, handle); err != nil {
			// For a guard that sees the response alone, such as one of net/http in
			// echo.WrapMiddleware. One that sees the error throws this away.
			c.NoContent(http.StatusInternalServerError)
			return err
		}
		return c.NoContent(http.StatusNoContent)
	}
}

func required(missing bool) {
	if missing {
		panic("there is no function to handle events")
	}
}
