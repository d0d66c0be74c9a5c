package scheme_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/providers/github/githubtest"
	"github.com/hooknotary/hooknotary/verify"
)

func TestSignedRefusal(t *testing.T) {
	// Only who has the secret, or
	// a delivery, can cause this refusal.
	t.Run("a body that is refused behind its signature names its message", func(t *testing.T) {
		const secret = "9f2c4e81d7ab3056"
		v, err := github.New(verify.Secrets(secret), &github.Options{Form: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			name, body, secret string
			reason             verify.Reason
			signed             bool
		}{
			{"signed, and no form", `{"zen":"x"}`, secret, verify.ErrMediaType, true},
			{"no form, and signed by another", `{"zen":"x"}`, "another-0123456789", verify.ErrMismatch, false},
			{"a form that is signed by another", "payload=%7B%7D", "another-0123456789", verify.ErrMismatch, false},
			{"a form", "payload=%7B%7D", secret, 0, true},
		} {
			t.Run(c.name, func(t *testing.T) {
				r := githubtest.NewRequest("http://hooks.example/", "ping", []byte(c.body), c.secret)
				h := &verify.Head{Header: r.Header, ReceivedAt: time.Unix(1_770_000_000, 0)}
				_, err := verify.Verify(context.Background(), v, h, []byte(c.body))
				if verify.ReasonOf(err) != c.reason {
					t.Fatalf("refused with %v, want %v", err, c.reason)
				}
				var e *verify.Error
				if errors.As(err, &e) && !e.Message.Equal(verify.Fingerprint{}) != c.signed {
					t.Errorf("it names a signed message: %v, want %v", !c.signed, c.signed)
				}
			})
		}
	})
}
