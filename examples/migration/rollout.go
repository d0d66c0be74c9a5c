package migration

import (
	"net/http"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// rollOut puts a guard that only reports in front of an endpoint as it is.
func rollOut(mux *http.ServeMux, v verify.Verifier, receive http.Handler) error {
	guard, err := middleware.New("billing", v, replay.NewMemory(nil), &middleware.Options{
		InsecureReportOnly: true, // while receive still verifies by itself
		Observe:            middleware.LogObserver(nil),
	})
	if err != nil {
		return err
	}
	mux.Handle("POST /hooks/stripe", guard.Handler(receive))
	return nil
}
