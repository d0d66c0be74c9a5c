// Package verifytest tests webhooks: deliveries that were captured, and the wiring of
// your own server.
//
// # Captured deliveries
//
// What production received is a file, see package
// [github.com/hooknotary/hooknotary/verify/capture], and a unit test asks whether
// your configuration takes it:
//
//	func TestInvoicePaid(t *testing.T) {
//		v := stripe.Must(secret)
//		d := verifytest.Accepts(t, v, "testdata/invoice-paid.http")
//		verifytest.Rejects(t, v, "testdata/amount-changed.http", verify.ErrMismatch)
//		…
//	}
//
// [Dir] does that for a folder, by the expectation in each file. A capture is judged
// at the time of its arrival, so it verifies today as it did then. When a test
// fails, it says why, with the diagnosis of package
// [github.com/hooknotary/hooknotary/verify/diagnose]: what is probably wrong, and
// what to do about it. It prints neither a secret nor anything of a body.
//
// [NewRequest] makes the request for the test of a handler, and [Clock] the time for
// the guard in front of it.
//
// # The wiring of a server
//
// A verifier that is right protects nothing if the guard is not where the requests
// come in. [Protected] sends forged, stale, repeated and genuine requests to your
// server, as your main function makes it, and fails when somebody removes the guard,
// mounts it on another route, or puts a middleware in front of it that reads bodies:
//
//	func TestWiring(t *testing.T) {
//		var runs atomic.Int64
//		billing := func(ctx context.Context, invoice string) error { runs.Add(1); return nil }
//		verifytest.Protected(t, routes(stripe.Must(secret), billing), verifytest.Signer{
//			Sign: func(at time.Time, body []byte) *http.Request {
//				return stripetest.NewRequest("https://shop.example/hooks/stripe", at, body, secret)
//			},
//			Headers: []string{"Stripe-Signature"},
//			Bodies:  [2][]byte{paid, refunded},
//			Runs:    runs.Load,
//		})
//	}
//
// For GitHub, Sign calls githubtest.NewRequest, Headers are X-Hub-Signature-256 and
// X-Hub-Signature, and Untimed is set, because GitHub signs no time. For PayPal,
// Sign calls the method NewRequest of a paypaltest.PayPal, which is also the
// verifier's Transport, and the header is PAYPAL-TRANSMISSION-SIG. For every other
// provider, and for a definition of your own, signer.NewRequest of package
// [github.com/hooknotary/hooknotary/providers/providertest/signer] signs.
//
// The battery for authors of verifiers is package
// [github.com/hooknotary/hooknotary/providers/providertest].
//
// The package knows no provider.
package verifytest
