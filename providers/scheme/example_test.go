package scheme_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"net/http"
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// A provider that is not in this module: it signs "<time>.<body>" and writes
//
//	Acme-Signature: t=1773480413,v1=<64 hex digits>
func Example() {
	definition := scheme.Definition{
		Provider: "acme",
		Signatures: []scheme.Signature{{
			Header: "Acme-Signature", Field: "v1", Separator: ",", Assign: "=",
		}},
		Timestamp: scheme.Timestamp{Field: "t"},
		Message:   []scheme.Part{scheme.SignedTime(), scheme.Literal("."), scheme.Body()},
		ID:        scheme.ID{Member: "event_id"},
		MaxBody:   1 << 20,
		Retry:     verify.RetryResigned, // each attempt is signed anew
	}
	const secret = "9f2b7c41d8e05a63b1f47290ce8d3a56"
	v, err := scheme.New(definition, verify.Secrets(secret), nil)
	if err != nil {
		fmt.Println(err)
		return
	}

	// What Acme does.
	receivedAt := time.Unix(1773480413, 0)
	body := []byte(`{"event_id":"ord-17","total":4900}`)
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%d.%s", receivedAt.Unix(), body)
	header := http.Header{"Acme-Signature": {fmt.Sprintf("t=%d,v1=%x", receivedAt.Unix(), mac.Sum(nil))}}

	d, err := verify.Verify(context.Background(), v, &verify.Head{Header: header, ReceivedAt: receivedAt}, body)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(d.Provider, d.ID, d.SignedAt.Equal(receivedAt))
	// Output: acme ord-17 true
}

// A time that is not part of what is signed proves nothing, so there is no
// verifier that looks at it.
func ExampleNew_incorrect() {
	_, err := scheme.New(scheme.Definition{
		Provider:   "acme",
		Retry:      verify.RetryNever,
		Signatures: []scheme.Signature{{Header: "Acme-Signature"}},
		Timestamp:  scheme.Timestamp{Header: "Acme-Time"},
		Message:    []scheme.Part{scheme.Body()},
		MaxBody:    1 << 20,
	}, verify.Secrets("9f2b7c41d8e05a63b1f47290ce8d3a56"), nil)
	fmt.Println(err)
	// Output: scheme: definition of "acme": the Message must contain SignedTime once: a time that is not signed proves nothing
}
