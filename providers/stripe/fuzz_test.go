package stripe_test

import (
	"bytes"
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
)

// A header that is accepted has one time, in one spelling, and holds the signature that
// the signer makes, byte for byte; what else it holds is counted and matches nothing.
func FuzzHeader(f *testing.F) {
	vectors := vector.Load(f, "testdata")
	for i, s := range vectors {
		for _, value := range s.Head.Header["Stripe-Signature"] {
			f.Add(uint8(i), value)
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, value string) {
		s := vectors[int(which)%len(vectors)]
		head := *s.Head
		head.Header = http.Header{"Stripe-Signature": {value}}
		d, err := verify.Verify(context.Background(), newVerifier(t, options(t, s), s.Secrets...), &head, s.Body)
		if err != nil {
			return
		}
		var again []string
		times, signatures, genuine := 0, 0, false
		for _, item := range strings.Split(value, ",") {
			name, text, _ := strings.Cut(item, "=")
			switch name {
			case "t":
				times++
				n, err := strconv.ParseInt(text, 10, 64)
				if err != nil || n != d.SignedAt.Unix() {
					t.Errorf("time %q was taken for %v", text, d.SignedAt)
				}
				text = strconv.FormatInt(n, 10)
			case "v1":
				signatures++
				for _, secret := range s.Secrets {
					made := stripetest.Header(d.SignedAt, s.Body, secret).Get("Stripe-Signature")
					genuine = genuine || strings.HasSuffix(made, ",v1="+text)
				}
			}
			again = append(again, name+"="+text)
		}
		if got := strings.Join(again, ","); got != value {
			t.Errorf("%q is a second spelling of %q", value, got)
		}
		if times != 1 || signatures < 1 || len(again) > 17 || !genuine {
			t.Errorf("accepted with %d times, %d signatures, %d items, a genuine one: %v", times, signatures, len(again), genuine)
		}
	})
}

// Another body than the one that was signed never verifies, under any header of
// the vectors.
func FuzzBody(f *testing.F) {
	vectors := vector.Load(f, "testdata")
	for i, s := range vectors {
		f.Add(uint8(i), s.Body)
	}
	f.Fuzz(func(t *testing.T, which uint8, body []byte) {
		s := vectors[int(which)%len(vectors)]
		d, err := verify.Verify(context.Background(), newVerifier(t, options(t, s), s.Secrets...), s.Head, body)
		signed := s.Expect == "accept" && bytes.Equal(body, s.Body)
		if s.Expect == "accept" && signed != (err == nil) {
			t.Fatalf("%s: the signed body: %v, error: %v", s.Name, signed, err)
		}
		if err != nil {
			return
		}
		made := stripetest.Header(d.SignedAt, body, s.Secrets...).Get("Stripe-Signature")
		_, signatures, _ := strings.Cut(made, ",")
		for _, signature := range strings.Split(signatures, ",") {
			if strings.Contains(s.Head.Header.Get("Stripe-Signature"), signature) {
				return
			}
		}
		t.Fatalf("%s: accepted without a signature of this body", s.Name)
	})
}
