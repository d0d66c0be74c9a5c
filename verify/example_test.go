package verify_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"time"

	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
)

// Secrets of endpoints, as a test or an example may have them.
const (
	secret      = "whsec_Hx2v9QmT4kLr8ZpWc3NdYb6sJf7gKe1A"
	northSecret = "whsec_q7RwB5nXs0LtGj2VyPd8MfKc4EhZa9Ui"
	southSecret = "whsec_Tz6eFoW1rQx4uMk9NbGy3CvJd5LsHp8S"
)

// A queue hands over what an HTTP front end put into it: the head, the time at
// which the request arrived there, and the body.
func ExampleVerify() {
	v := stripe.Must(secret)
	receivedAt := time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
	body := []byte(`{"id":"evt_1TBQ8x","object":"event","type":"invoice.paid"}`)
	header := stripetest.Header(receivedAt, body, secret)

	d, err := verify.Verify(context.Background(), v, &verify.Head{Header: header, ReceivedAt: receivedAt}, body)
	if err != nil {
		fmt.Println("drop it:", err)
		return
	}
	fmt.Println(d.Provider, d.ID, d.SignedAt.Format(time.RFC3339))

	// The same message with another body, and the same message an hour later.
	_, err = verify.Verify(context.Background(), v, &verify.Head{Header: header, ReceivedAt: receivedAt}, []byte("{}"))
	fmt.Println(errors.Is(err, verify.ErrMismatch), verify.ReasonOf(err).String())
	_, err = verify.Verify(context.Background(), v, &verify.Head{Header: header, ReceivedAt: receivedAt.Add(time.Hour)}, body)
	fmt.Println(errors.Is(err, verify.ErrTooOld), verify.ReasonOf(err).String())
	// Output:
	// stripe evt_1TBQ8x 2026-03-14T09:26:53Z
	// true mismatch
	// true too_old
}

// One endpoint serves many tenants; the path names the tenant, and each has keys
// of its own. The scope of the key that matched is the only trustworthy source of
// the tenant.
func ExampleKeyFunc() {
	tenants := make(map[string][]verify.Key)
	for name, secret := range map[string]string{"north": northSecret, "south": southSecret} {
		key, err := verify.NewKey(name, "2026-03", []byte(secret))
		if err != nil {
			fmt.Println(err)
			return
		}
		tenants[name] = []verify.Key{key}
	}
	source := verify.KeyFunc(func(_ context.Context, h *verify.Head) ([]verify.Key, error) {
		keys, ok := tenants[path.Base(h.URL.Path)]
		if !ok {
			return nil, verify.ErrNoKey // answered with 401, like a wrong signature
		}
		return keys, nil
	})
	v, err := stripe.New(source, nil)
	if err != nil {
		fmt.Println(err)
		return
	}

	now := time.Now()
	body := []byte(`{"id":"evt_1TBQ8x","object":"event"}`)
	for _, tenant := range []string{"north", "south", "east"} {
		d, err := verify.Verify(context.Background(), v, &verify.Head{
			URL:        &url.URL{Path: "/hooks/stripe/" + tenant},
			Header:     stripetest.Header(now, body, northSecret),
			ReceivedAt: now,
		}, body)
		if err != nil {
			fmt.Println(tenant, "refused:", verify.ReasonOf(err).String())
			continue
		}
		fmt.Println(tenant, "accepted, scope", d.Scope)
	}
	// Output:
	// north accepted, scope north
	// south refused: mismatch
	// east refused: no_key
}

// API gateways and queues hand over header fields in a plain map, in any
// spelling.
func ExampleHeaderOf() {
	header, err := verify.HeaderOf(map[string]string{
		"stripe-signature": "t=1773480413,v1=…",
		"CONTENT-TYPE":     "application/json",
	})
	fmt.Println(header.Get("Stripe-Signature"), header.Get("Content-Type"), err)

	// Which of the two was signed for?
	_, err = verify.HeaderOf(map[string]string{
		"stripe-signature": "t=1773480413,v1=…",
		"Stripe-Signature": "t=1773480999,v1=…",
	})
	fmt.Println(verify.ReasonOf(err).String())
	// Output:
	// t=1773480413,v1=… application/json <nil>
	// malformed
}

// A key has a scope, which stays the same while secrets come and go, and a label
// for the secret itself. It never prints the secret.
func ExampleNewKey() {
	current, err := verify.NewKey("billing", "2026-03", []byte(secret))
	if err != nil {
		fmt.Println(err)
		return
	}
	previous, err := verify.NewKey("billing", "2025-11", []byte(northSecret))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(current)

	v, err := stripe.New(verify.KeyList{current, previous}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Now()
	body := []byte(`{"id":"evt_1TBQ8x","object":"event"}`)
	d, err := verify.Verify(context.Background(), v, &verify.Head{
		Header: stripetest.Header(now, body, northSecret), ReceivedAt: now,
	}, body)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("still signed with", d.KeyLabel)

	_, err = verify.NewKey("billing", "2026-03", []byte("whsec_…\n"))
	fmt.Println(err)
	// Output:
	// verify.Key(billing/2026-03)
	// still signed with 2025-11
	// verify: key billing/2026-03: the secret has white space around it, often a line break at its end: trim it
}

// What a guard verified is in the context of the request.
func ExampleFromContext() {
	handler := func(w http.ResponseWriter, r *http.Request) {
		d, ok := verify.FromContext(r.Context())
		if !ok {
			http.Error(w, "not verified", http.StatusInternalServerError)
			return
		}
		fmt.Printf("%s %s of %s\n", d.Provider, d.ID, d.Scope)
	}

	// In a test of the handler.
	ctx := verify.NewContext(context.Background(), &verify.Delivery{Provider: "stripe", Scope: "billing", ID: "evt_1TBQ8x"})
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "/hooks/stripe", http.NoBody)
	if err != nil {
		fmt.Println(err)
		return
	}
	handler(nil, r)
	// Output: stripe evt_1TBQ8x of billing
}
