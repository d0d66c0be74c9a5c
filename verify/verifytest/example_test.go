package verifytest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
	"github.com/hooknotary/hooknotary/verify/verifytest"
)

// In a program the secret comes from its environment; a test has one of its own.
const exampleSecret = "whsec_e1d5a0b97c3f4286"

// printer stands for the *testing.T of your test. It prints what a failure says.
type printer struct{ testing.TB }

func (printer) Helper()                           {}
func (printer) Context() context.Context          { return context.Background() }
func (printer) Errorf(format string, args ...any) { fmt.Printf(format+"\n", args...) }
func (printer) Fatalf(format string, args ...any) { fmt.Printf(format+"\n", args...) }

// A delivery that production received, in a unit test.
func ExampleAccepts() {
	var t printer // in a test: t *testing.T

	v := stripe.Must(exampleSecret)
	d := verifytest.Accepts(t, v, "testdata/stripe/invoice-paid.http")
	fmt.Println(d.ID, d.SignedAt.UTC())

	// Output:
	// evt_1TBQ8xLkdIwHu7ixY3mPzv4c 2026-03-14 09:26:53 +0000 UTC
}

// The forgery differs from the genuine delivery in one digit.
func ExampleRejects() {
	var t printer // in a test: t *testing.T

	v := stripe.Must(exampleSecret)
	verifytest.Rejects(t, v, "testdata/stripe/amount-changed.http", verify.ErrMismatch)
	verifytest.Rejects(t, v, "testdata/stripe/invoice-paid.http", verify.ErrTooOld)

	// Output:
	// testdata/stripe/invoice-paid.http: accepted when it arrived, at 2026-03-14T09:26:54.25Z, want it refused as "too_old": is it still the genuine delivery, is its receive time the one that is meant, and does the verifier list a secret that it should not?
}

// A handler behind its guard gets the captured request, at the time of the capture.
func ExampleNewRequest() {
	var t printer // in a test: t *testing.T

	const file = "testdata/stripe/invoice-paid.http"
	clock := verifytest.Clock(t, file)
	store := replay.NewMemory(&replay.MemoryOptions{Now: clock, Since: clock().Add(-time.Hour)})
	guard, err := middleware.New("billing", stripe.Must(exampleSecret), store, &middleware.Options{Now: clock})
	if err != nil {
		fmt.Println(err)
		return
	}
	handler := guard.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d, _ := verify.FromContext(r.Context())
		fmt.Println("handling", d.ID)
	}))

	w := httptest.NewRecorder()
	handler.ServeHTTP(w, verifytest.NewRequest(t, file))
	fmt.Println(w.Code)

	// Output:
	// handling evt_1TBQ8xLkdIwHu7ixY3mPzv4c
	// 200
}

// The routes of a server, as its main function makes them.
func routes(v verify.Verifier, billing http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /hooks/stripe", middleware.Protect(v)(billing))
	mux.Handle("GET /hooks/stripe", billing) // somebody wanted to look at it in a browser
	return mux
}

// The wiring of a server. Somebody has opened a way around the guard.
func ExampleProtected() {
	var t printer // in a test: t *testing.T

	var runs atomic.Int64
	billing := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		runs.Add(1)
		// Act on the event.
	})
	verifytest.Protected(t, routes(stripe.Must(exampleSecret), billing), verifytest.Signer{
		Sign: func(at time.Time, body []byte) *http.Request {
			return stripetest.NewRequest("https://shop.example/hooks/stripe", at, body, exampleSecret)
		},
		Headers: []string{"Stripe-Signature"},
		Bodies:  [2][]byte{[]byte(`{"id":"evt_1"}`), []byte(`{"id":"evt_2"}`)},
		Runs:    runs.Load,
	})

	// Output:
	// POST /hooks/stripe is not wired as it should be (in process; what comes after this was not tried):
	// 	an unproved request, GET /hooks/stripe, reached a handler, which answered 200
	// 		likely cause: the handler can be reached without the guard by another route or method, or the guard there only reports
}

// A folder of captures, each with a line that says what to expect, is one test.
func ExampleDir() {
	_ = func(t *testing.T) { // func TestDeliveries(t *testing.T)
		verifytest.Dir(t, stripe.Must(exampleSecret), "testdata/stripe")
	}
}
