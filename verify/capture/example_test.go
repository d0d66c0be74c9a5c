package capture_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/capture"
)

// A delivery is verified again, with the time of its arrival.
func ExampleParse() {
	c, err := capture.Parse([]byte(`# note: the first invoice of March
# received: 2026-03-14T09:26:55Z
# expect: too_old

POST /hooks/stripe HTTP/1.1
Host: shop.example
Content-Type: application/json; charset=utf-8
Stripe-Signature: t=1773480013,v1=ff9827750fea47fb9e8bfdd014e554d51abc74b9e3248398cf5b2152b75497cb
Content-Length: 28

{"id":"evt_1","object":"ev"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	v := stripe.Must("whsec_Hx2v9QmT4kLr8ZpWc3NdYb6sJf7gKe1A")
	_, err = verify.Verify(context.Background(), v, c.Head(), c.Body)
	fmt.Println(c.Note)
	fmt.Println(c.Expect, verify.ReasonOf(err).String())
	// Output:
	// the first invoice of March
	// too_old too_old
}

// A file that an editor has changed is noticed.
func ExampleSyntaxError() {
	_, err := capture.Parse([]byte("POST /hooks HTTP/1.1\nContent-Length: 2\n\n{}\n"))
	fmt.Println(err)
	// Output:
	// capture: 4: the body is longer than Content-Length says, 3 bytes instead of 2: has an editor added a line end?
}

// A handler writes what it has received to a file. Credentials stay out of it.
func ExampleCapture_WriteFile() {
	dir, err := os.MkdirTemp("", "captures")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "ping.http")

	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			http.Error(w, "body", http.StatusBadRequest)
			return
		}
		c := capture.New(r, body, time.Date(2026, 3, 14, 9, 26, 55, 0, time.UTC))
		if err := c.WriteFile(file); err != nil {
			slog.Error("capture", "error", err)
		}
	})
	r := httptest.NewRequest("POST", "/hooks/github", strings.NewReader(`{"zen":"Keep it logically awesome."}`))
	r.Header.Set("X-GitHub-Event", "ping")
	r.Header.Set("Cookie", "session=1")
	handler.ServeHTTP(httptest.NewRecorder(), r)

	text, err := os.ReadFile(file)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(strings.ReplaceAll(string(text), "\r\n", "\n"))
	// Output:
	// # received: 2026-03-14T09:26:55Z
	// # dropped: Cookie
	//
	// POST /hooks/github HTTP/1.1
	// Host: example.com
	// X-Github-Event: ping
	// Content-Length: 36
	//
	// {"zen":"Keep it logically awesome."}
}

// A capture is the request of a handler's test.
func ExampleCapture_Request() {
	at := time.Date(2026, 3, 14, 9, 26, 55, 0, time.UTC)
	body := []byte(`{"id":"evt_1","object":"event"}`)
	c := &capture.Capture{Header: stripetest.Header(at, body, "whsec_Hx2v9QmT4kLr8ZpWc3NdYb6sJf7gKe1A"), Body: body, ReceivedAt: at}

	handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Println(r.Method, r.Header.Get("Content-Type"), n, err)
	})
	handler.ServeHTTP(httptest.NewRecorder(), c.Request(context.Background()))
	// Output: POST application/json; charset=utf-8 31 <nil>
}

// A HAR holds text, which need not be the bytes that were sent.
func ExampleRead() {
	const har = `{"log": {"version": "1.2", "entries": [{
		"startedDateTime": "2026-03-14T09:26:55.000Z",
		"request": {
			"method": "POST",
			"url": "https://shop.example/hooks/stripe",
			"headers": [{"name": "Content-Length", "value": "4"}],
			"bodySize": 4,
			"postData": {"mimeType": "text/plain", "text": "caf\ufffd"}
		}
	}]}}`
	captures, err := capture.Read(bytes.NewReader([]byte(har)))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range captures {
		fmt.Println(c.Method, c.URL, len(c.Body))
		fmt.Println(c.Inexact)
	}
	// Output:
	// POST https://shop.example/hooks/stripe 6
	// the HAR's text has U+FFFD, which stands for bytes that are no UTF-8: export the body in base64
}
