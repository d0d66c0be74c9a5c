package middleware_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/adapter"
	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/providers/github/githubtest"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// In a program the secret comes from its environment.
const exampleSecret = "whsec_e1d5a0b97c3f4286"

// One process, one line.
func ExampleProtect() {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d, _ := verify.FromContext(r.Context())
		fmt.Println("handling", d.ID)
	})
	mux := http.NewServeMux()
	mux.Handle("POST /hooks/stripe", middleware.Protect(stripe.Must(exampleSecret))(handler))

	delivery := func(at time.Time, secret string) {
		body := []byte(`{"id":"evt_1","object":"event"}`)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, stripetest.NewRequest("https://shop.example/hooks/stripe", at, body, secret))
		fmt.Printf("%d %q\n", w.Code, w.Header().Get("Webhook-Duplicate"))
	}
	now := time.Now()
	delivery(now, exampleSecret)                  // the first
	delivery(now, exampleSecret)                  // a copy
	delivery(now.Add(time.Second), exampleSecret) // a retry, signed anew
	delivery(now, "whsec_ffffffffffffffff")       // a forgery

	// Output:
	// handling evt_1
	// 200 ""
	// 409 ""
	// 200 "1"
	// 401 ""
}

// A store of one's own choice, and options.
func ExampleNew() {
	guard, err := middleware.New("ci", github.Must(exampleSecret), replay.NewMemory(nil), &middleware.Options{
		MaxBody:    5 << 20,
		Duplicates: middleware.AcknowledgeDuplicates, // a script redelivers
		Observe:    middleware.LogObserver(slog.New(slog.NewTextHandler(io.Discard, nil))),
	})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	http.NewServeMux().Handle("POST /hooks/github", guard.Handler(http.NotFoundHandler()))

	_, err = middleware.New("ci", github.Must(exampleSecret), nil, nil)
	fmt.Println(err)

	// Output:
	// middleware: endpoint "ci": store is nil; use replay.NewMemory(nil) for one process
}

// A queue hands over deliveries that something else has received. No HTTP is
// involved.
func ExampleGuard_Admit() {
	guard, err := middleware.New("queue", github.Must(exampleSecret), replay.NewMemory(nil), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	work := func(ctx context.Context, body []byte) bool { return ctx.Err() == nil && len(body) > 0 }
	consume := func(header http.Header, body []byte) string {
		admission, response := guard.Admit(context.Background(), &adapter.Inbound{
			Head: verify.Head{Method: http.MethodPost, Header: header},
			Body: bytes.NewReader(body), ContentLength: int64(len(body)),
		})
		if response != nil {
			return response.Reason.String()
		}
		defer admission.Close()
		ok := work(admission.Context(), admission.Delivery().Body)
		if response := admission.Settle(ok); response != nil {
			return response.Reason.String()
		}
		return "handled"
	}

	body := []byte(`{"ref":"refs/heads/main"}`)
	header := githubtest.Header("push", body, exampleSecret)
	fmt.Println(consume(header, body))
	fmt.Println(consume(header, body))
	fmt.Println(consume(header, []byte(`{"ref":"refs/heads/evil"}`)))

	// Output:
	// handled
	// replayed
	// mismatch
}

// An operator lets an event run again.
func ExampleGuard_Key() {
	store := replay.NewMemory(nil)
	verifier := stripe.Must(exampleSecret)
	guard, err := middleware.New("billing", verifier, store, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	hook := guard.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println("handling")
	}))

	now := time.Now()
	body := []byte(`{"id":"evt_1","object":"event"}`)
	deliver := func() {
		w := httptest.NewRecorder()
		hook.ServeHTTP(w, stripetest.NewRequest("https://shop.example/hooks/stripe", now, body, exampleSecret))
		fmt.Println(w.Code)
	}
	deliver()
	deliver()

	// The delivery, from a capture, tells the key.
	d, err := verify.Verify(context.Background(), verifier, &verify.Head{
		Header: stripetest.Header(now, body, exampleSecret), ReceivedAt: now,
	}, body)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := store.Forget(context.Background(), guard.Key(d)); err != nil {
		fmt.Println(err)
		return
	}
	deliver()

	// Output:
	// handling
	// 200
	// 409
	// handling
	// 200
}
