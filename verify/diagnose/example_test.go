package diagnose_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/capture"
	"github.com/hooknotary/hooknotary/verify/diagnose"
)

// event is what Stripe sends: JSON that is indented by two spaces.
const event = `{
  "id": "evt_1TBQ8xLkdIwHu7ixY3mPzv4c",
  "object": "event",
  "type": "invoice.paid"
}`

// A framework parsed the body, and what was verified is the body that it serialised
// again.
func ExampleVerifier() {
	const secret = "whsec_Hx2v9QmT4kLr8ZpWc3NdYb6sJf7gKe1A"
	arrived := time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
	var body bytes.Buffer
	if err := json.Compact(&body, []byte(event)); err != nil {
		fmt.Println(err)
		return
	}
	c := &capture.Capture{
		Header:     stripetest.Header(arrived, []byte(event), secret),
		Body:       body.Bytes(),
		ReceivedAt: arrived,
	}

	for _, f := range diagnose.Verifier(context.Background(), stripe.Must(secret), c, nil) {
		fmt.Printf("%s (%s)\n%s\n%s\n", f.ID, f.Confidence, f.Text, f.Fix)
	}
	// Output:
	// body.compacted (proved)
	// The signature verifies after the white space between the parts of the JSON is put back: the body was parsed and serialised again without it.
	// Verify the bytes that arrived and not a parsed body that was serialised again: put the verification before body parsers, and switch off what rewrites JSON on the way.
}

// The other secrets of the account tell which endpoint a delivery is for.
func ExampleVerifier_candidates() {
	const shop, billing = "whsec_Hx2v9QmT4kLr8ZpWc3NdYb6sJf7gKe1A", "whsec_Zq8n3VbT6mXr1LpWk5NcYd9sHf2gJe7R"
	arrived := time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
	c := &capture.Capture{
		Header:     stripetest.Header(arrived, []byte(event), billing),
		Body:       []byte(event),
		ReceivedAt: arrived,
	}

	found := diagnose.Verifier(context.Background(), stripe.Must(shop), c, &diagnose.Options{
		Candidates: []diagnose.Candidate{{Label: "billing", Secret: billing}},
	})
	for _, f := range found {
		fmt.Printf("%s (%s)\n%s\n", f.ID, f.Confidence, f.Text)
	}
	// Output:
	// secret.other (proved)
	// The signature verifies with the secret of "billing": the delivery is for another endpoint than the configured secret.
}

// A secret that came with the quotes of an environment file is refused by every
// constructor. Secret says so, and goes on without them.
func ExampleSecret() {
	const secret = "whsec_Hx2v9QmT4kLr8ZpWc3NdYb6sJf7gKe1A"
	arrived := time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
	c := &capture.Capture{
		Header:     stripetest.Header(arrived, []byte(event), secret),
		Body:       []byte(event),
		ReceivedAt: arrived.Add(2 * time.Hour),
	}

	new := func(secret string) (verify.Verifier, error) {
		return stripe.New(verify.Secrets(secret), nil)
	}
	for _, f := range diagnose.Secret(context.Background(), new, `"`+secret+`"`, c, nil) {
		fmt.Printf("%s (%s)\n%s\n", f.ID, f.Confidence, f.Text)
	}
	// Output:
	// secret.quotes (proved)
	// The signature verifies after the quotes around the secret are removed.
	// clock.zone (proved)
	// The signed time lies 2 hours before the receive time, which is the difference of two time zones; the signature holds.
}
