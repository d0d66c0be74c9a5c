package stripe_test

import (
	"context"
	"fmt"
	"time"

	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
)

// While a secret is rolled, both are listed.
func ExampleMust() {
	const current, previous = "whsec_Hx2v9QmT4kLr8ZpWc3NdYb6sJf7gKe1A", "whsec_q7RwB5nXs0LtGj2VyPd8MfKc4EhZa9Ui"
	v := stripe.Must(current, previous)

	now := time.Now()
	body := []byte(`{"id":"evt_1TBQ8x","object":"event","type":"invoice.paid"}`)
	d, err := verify.Verify(context.Background(), v, &verify.Head{
		Header: stripetest.Header(now, body, previous), ReceivedAt: now,
	}, body)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(d.ID, "verified with secret", d.KeyLabel)
	// Output: evt_1TBQ8x verified with secret 2
}

// An API key is not the secret of an endpoint. A program with the wrong one must
// not start.
func ExampleMust_incorrect() {
	defer func() { fmt.Println(recover()) }()
	stripe.Must("sk_test_4eC39HqLyjWDarjtT1zdp7dc")
	// Output: stripe.Must: verify.Key(default/1) starts with "sk_": that is another credential of the account, not the webhook's signing secret
}

// Two endpoints of one account behind one URL: each has a scope of its own, so
// that an event that reaches both is handled for both.
func ExampleNew() {
	platform, err := verify.NewKey("platform", "2026-03", []byte("whsec_Hx2v9QmT4kLr8ZpWc3NdYb6sJf7gKe1A"))
	if err != nil {
		fmt.Println(err)
		return
	}
	connect, err := verify.NewKey("connect", "2026-03", []byte("whsec_q7RwB5nXs0LtGj2VyPd8MfKc4EhZa9Ui"))
	if err != nil {
		fmt.Println(err)
		return
	}
	v, err := stripe.New(verify.KeyList{platform, connect}, &stripe.Options{Tolerance: time.Minute})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(v, v.Profile().Window.Past)
	// Output: scheme.Verifier(stripe) 1m0s
}
