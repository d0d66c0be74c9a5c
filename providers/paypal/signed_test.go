package paypal_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/hooknotary/hooknotary/providers/paypal"
	"github.com/hooknotary/hooknotary/verify"
)

func TestSignedRefusal(t *testing.T) {
	// What only PayPal, or somebody who holds a
	// delivery of it, can cause must be told from what anyone can.
	t.Run("a refusal says whether the signature is good", func(t *testing.T) {
		forged := collide(t, bytes.Replace(event, []byte(`"20.00"`), []byte(`"20000.00"`), 1), event)
		h := sent(event)
		confirming := func(fetchEvent bool, status int, text string) func(*world) *paypal.Verifier {
			return func(w *world) *paypal.Verifier {
				a := newAPI()
				a.response = func(apiCall) (int, string) { return status, text }
				return w.confirming(t, a, fetchEvent)
			}
		}
		offline := func(w *world) *paypal.Verifier { return w.verifier(t) }
		genuine := accept(t, "genuine", newWorld().verifier(t), h, event)
		for _, tt := range []struct {
			name     string
			verifier func(*world) *paypal.Verifier
			head     *verify.Head
			body     []byte
			reason   verify.Reason
			signed   bool
		}{
			{"the record is another one", confirming(true, 200, string(event)), h, forged, verify.ErrForged, true},
			{"there is no record", confirming(true, 404, "{}"), h, event, verify.ErrForged, true},
			{"the record cannot be had", confirming(true, 500, ""), h, event, verify.ErrUnavailable, true},
			{"the postback fails", confirming(false, 200, failure), h, event, verify.ErrForged, true},
			{"the postback cannot be had", confirming(false, 500, ""), h, event, verify.ErrUnavailable, true},
			{"another body", offline, h, append(bytes.Clone(event), ' '), verify.ErrMismatch, false},
			{"another body, which PayPal is not asked about", confirming(false, 500, ""), h, append(bytes.Clone(event), ' '), verify.ErrMismatch, false},
			{"a certificate that cannot be had", func(w *world) *paypal.Verifier {
				w.hosts.file(certURL, nil)
				return w.verifier(t)
			}, h, event, verify.ErrUntrusted, false},
		} {
			t.Run(tt.name, func(t *testing.T) {
				_, err := verify.Verify(context.Background(), tt.verifier(newWorld()), tt.head, tt.body)
				var e *verify.Error
				if !errors.As(err, &e) || e.Reason != tt.reason {
					t.Fatalf("refused with %v, want %v", err, tt.reason)
				}
				want := verify.Fingerprint{}
				if tt.signed {
					want = genuine.Fingerprint
				}
				if !e.Message.Equal(want) {
					t.Errorf("the refusal names a signed message: %v, want %v", !e.Message.Equal(verify.Fingerprint{}), tt.signed)
				}
			})
		}
	})
}
