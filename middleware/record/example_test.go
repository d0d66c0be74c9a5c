package record_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/record"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/capture"
)

// In a program the secret comes from its environment.
const exampleSecret = "whsec_e1d5a0b97c3f4286"

// What is refused becomes a file, which a test reads and verifies again.
func Example() {
	dir, err := os.MkdirTemp("", "webhooks")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)

	recorder, err := record.New(dir, &record.Options{
		Drop: []string{"X-Forwarded-For"}, // addresses of people
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	verifier := stripe.Must(exampleSecret)
	handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	hook := recorder.Handler(middleware.Protect(verifier)(handler))

	// A delivery that was signed with the secret of another endpoint.
	w := httptest.NewRecorder()
	hook.ServeHTTP(w, stripetest.NewRequest("https://shop.example/hooks/stripe", time.Now(),
		[]byte(`{"id":"evt_1","object":"event"}`), "whsec_ffffffffffffffff"))
	fmt.Println("answered", w.Code)
	if err := recorder.Close(); err != nil {
		fmt.Println(err)
	}

	names, _ := filepath.Glob(filepath.Join(dir, "*.http"))
	for _, name := range names {
		captures, err := capture.ReadFile(name)
		if err != nil {
			fmt.Println(err)
			return
		}
		c := captures[0]
		fmt.Printf("%s %s\n%s\nexpected: %s\n", c.Method, c.URL, c.Body, c.Expect)
		_, err = verify.Verify(context.Background(), verifier, c.Head(), c.Body)
		fmt.Println(err)
	}

	// Output:
	// answered 401
	// POST https://shop.example/hooks/stripe
	// {"id":"evt_1","object":"event"}
	// expected: mismatch
	// verify: signature matches no key
}
