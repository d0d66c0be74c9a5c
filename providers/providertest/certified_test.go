package providertest_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash/crc32"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/providertest"
	"github.com/hooknotary/hooknotary/verify"
)

// certified is a verifier without secrets, whose signature covers an id, a time
// and a checksum of the body, as PayPal's does.
type certified struct{ public ed25519.PublicKey }

type certifiedHead struct {
	c               certified
	id, timestamp   string
	signature       []byte
	signed, arrived time.Time
}

var certifiedProfile = verify.Profile{
	Provider: "certified", MediaType: "application/json", MaxBody: 1 << 20,
	Window: verify.Window{Past: 72 * time.Hour, Future: 5 * time.Minute}, Binding: verify.BindingChecksum, Retry: verify.RetryIdentical,
}

func (c certified) Profile() verify.Profile { return certifiedProfile }

func (c certified) Begin(_ context.Context, h *verify.Head) (verify.Pending, error) {
	if h == nil || h.ReceivedAt.IsZero() {
		return nil, refuse(verify.ErrMalformed, nil)
	}
	value := make(map[string]string)
	for _, name := range []string{"Certified-Signature", "Certified-Id", "Certified-Time"} {
		switch values := h.Header[name]; {
		case len(values) > 1:
			return nil, refuse(verify.ErrMalformed, nil)
		case len(values) == 0 && name == "Certified-Signature":
			return nil, refuse(verify.ErrUnsigned, nil)
		case len(values) == 0 || values[0] == "" || len(values[0]) > 256:
			return nil, refuse(verify.ErrMalformed, nil)
		default:
			value[name] = values[0]
		}
	}
	signature, err := base64.StdEncoding.Strict().DecodeString(value["Certified-Signature"])
	if err != nil || base64.StdEncoding.EncodeToString(signature) != value["Certified-Signature"] {
		return nil, refuse(verify.ErrMalformed, nil)
	}
	timestamp := value["Certified-Time"]
	signed, err := time.Parse(time.RFC3339, timestamp)
	if err != nil || signed.UTC().Format(time.RFC3339) != timestamp {
		return nil, refuse(verify.ErrMalformed, nil)
	}
	if signed.Before(h.ReceivedAt.Add(-certifiedProfile.Window.Past)) {
		return nil, refuse(verify.ErrTooOld, nil)
	}
	if signed.After(h.ReceivedAt.Add(certifiedProfile.Window.Future)) {
		return nil, refuse(verify.ErrTooNew, nil)
	}
	return certifiedHead{c, value["Certified-Id"], timestamp, signature, signed, h.ReceivedAt}, nil
}

func (p certifiedHead) Finish(_ context.Context, body []byte) (*verify.Delivery, error) {
	message := fmt.Appendf(nil, "%s|%s|%d", p.id, p.timestamp, crc32.ChecksumIEEE(body))
	if !ed25519.Verify(p.c.public, message, p.signature) {
		return nil, refuse(verify.ErrMismatch, nil)
	}
	return &verify.Delivery{
		Provider: "certified", Scope: "default", KeyLabel: "certificate", MessageID: p.id, Fingerprint: verify.NewFingerprint(sha256.Sum256(message)),
		SignedAt: p.signed, ReceivedAt: p.arrived, Binding: verify.BindingChecksum, Body: body,
	}, nil
}

func TestPublicKeyScheme(t *testing.T) {
	t.Run("Exercise passes a scheme without secrets", func(t *testing.T) {
		private := ed25519.NewKeyFromSeed([]byte("a seed for a test, of 32 bytes  "))
		const id = "69cd13f0-d67a-11e5-baa3-778b53f4ae55"
		providertest.Exercise(t, providertest.Subject{
			New: func(verify.KeySource) (verify.Verifier, error) {
				return certified{private.Public().(ed25519.PublicKey)}, nil
			},
			Sign: func(at time.Time, _ *url.URL, body []byte, _ ...string) http.Header {
				timestamp := at.UTC().Format(time.RFC3339)
				message := fmt.Appendf(nil, "%s|%s|%d", id, timestamp, crc32.ChecksumIEEE(body))
				return http.Header{
					"Certified-Signature": {base64.StdEncoding.EncodeToString(ed25519.Sign(private, message))},
					"Certified-Id":        {id},
					"Certified-Time":      {timestamp},
				}
			},
			Profile: certifiedProfile,
			Events: []providertest.Event{
				{Name: "a sale", Body: []byte(`{"id":"WH-1","amount":"10.00"}`), MessageID: id},
				{Name: "another sale", Body: []byte(`{"id":"WH-2","amount":"11.00"}`), MessageID: id},
			},
			Headers: []string{"Certified-Signature", "Certified-Id", "Certified-Time"},
		})
	})
}
