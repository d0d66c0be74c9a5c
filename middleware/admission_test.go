package middleware_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"testing"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/adapter"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// TestAdmissionStates is the table of what Admit allows, in which way it ends, and what
// the store and the observer are told then.
func TestAdmissionStates(t *testing.T) {
	type end struct {
		outcome           middleware.Outcome
		commits, releases int64
	}
	down := func(context.Context, replay.Claim) (replay.Outcome, error) {
		return replay.Outcome{}, errors.New("down")
	}
	forge := func(s *site) { s.request.Header.Set("Stripe-Signature", "t=1700000000,v1=00") }
	reportOnly := func(s *site) { s.opts.InsecureReportOnly = true }
	failOpen := func(s *site) { s.opts.InsecureFailOpen = true; s.store.claim = down }
	for _, c := range []struct {
		name     string
		changes  []func(*site)
		verified bool // the handler sees a Delivery
		handle   bool // and the handle of a claim
		failedOp bool
		done     end // of Settle(true)
		failed   end // of Settle(false)
		closed   end // of Close alone
	}{
		{"leased", nil, true, true, false,
			end{middleware.Handled, 1, 0}, end{middleware.Failed, 0, 1}, end{middleware.Failed, 0, 1}},
		{"leased by a guard that only reports", []func(*site){reportOnly}, true, true, false,
			end{middleware.Handled, 1, 0}, end{middleware.Failed, 0, 1}, end{middleware.Failed, 0, 1}},
		{"failed open", []func(*site){failOpen}, true, false, true,
			end{middleware.Handled, 0, 0}, end{middleware.Failed, 0, 0}, end{middleware.Failed, 0, 0}},
		{"failed open by a guard that only reports", []func(*site){failOpen, reportOnly}, true, false, true,
			end{middleware.Handled, 0, 0}, end{middleware.Failed, 0, 0}, end{middleware.Failed, 0, 0}},
		{"reported for its head", []func(*site){reportOnly, forge}, false, false, false,
			end{middleware.Refused, 0, 0}, end{middleware.Refused, 0, 0}, end{middleware.Refused, 0, 0}},
		{"reported because the store failed", []func(*site){reportOnly, func(s *site) { s.store.claim = down }}, false, false, false,
			end{middleware.Refused, 0, 0}, end{middleware.Refused, 0, 0}, end{middleware.Refused, 0, 0}},
	} {
		for _, ending := range []struct {
			name string
			end  func(*middleware.Admission) *middleware.Response
			want end
		}{
			{"settled as done", func(a *middleware.Admission) *middleware.Response { return a.Settle(true) }, c.done},
			{"settled as failed", func(a *middleware.Admission) *middleware.Response { return a.Settle(false) }, c.failed},
			{"closed", func(*middleware.Admission) *middleware.Response { return nil }, c.closed},
		} {
			t.Run(c.name+" and "+ending.name, func(t *testing.T) {
				s := newSite(t, append([]func(*site){observed}, c.changes...)...)
				r := again(t, s.request)
				a, response := s.guard.Admit(t.Context(), adapter.NewInbound(httptest.NewRecorder(), r))
				if a == nil || response != nil {
					t.Fatalf("response %+v", response)
				}
				if d, ok := verify.FromContext(a.Context()); ok != c.verified || (d != nil) != c.verified || (a.Delivery() != nil) != c.verified {
					t.Errorf("the delivery is %v, %v", d, a.Delivery())
				}
				if _, ok := replay.FromContext(a.Context()); ok != c.handle {
					t.Errorf("a handle: %v", ok)
				}
				if !s.guard.Admitted(a.Context()) {
					t.Error("it is not admitted while the handler runs")
				}
				if response := ending.end(a); response != nil {
					t.Errorf("response %+v", response)
				}
				if !s.guard.Admitted(a.Context()) {
					t.Error("it is not admitted until it is closed")
				}
				a.Close()
				a.Close()
				if s.guard.Admitted(a.Context()) {
					t.Error("it is admitted after its end")
				}
				func() {
					defer func() {
						if recover() == nil {
							t.Error("it could be settled after its end")
						}
					}()
					a.Settle(true)
				}()
				e := s.event()
				got := end{e.Outcome, s.store.commits.Load(), s.store.releases.Load()}
				if got != ending.want || e.FailedOpen != c.failedOp {
					t.Errorf("ended with %+v, failed open: %v; want %+v", got, e.FailedOpen, ending.want)
				}
				if s.store.claims.Load() > 1 {
					t.Errorf("%d claims", s.store.claims.Load())
				}
			})
		}
	}
}
