package paypal_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/providers/paypal"
	"github.com/hooknotary/hooknotary/verify"
)

func TestExplain(t *testing.T) {
	const (
		liveURL    = "https://api.paypal.com/v1/notifications/certs/CERT-1"
		sandboxURL = "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-1"
		ipn        = "verify_sign=A&txn_id=1&ipn_track_id=2"
	)
	head := func(change func(h http.Header)) *verify.Head {
		h := http.Header{
			"Paypal-Transmission-Sig": {"c2ln"}, "Paypal-Auth-Algo": {"SHA256withRSA"}, "Paypal-Transmission-Id": {"id"},
			"Paypal-Transmission-Time": {"2026-03-14T09:26:52Z"}, "Paypal-Cert-Url": {liveURL},
		}
		if change != nil {
			change(h)
		}
		return &verify.Head{Header: h}
	}
	without := func(name string) *verify.Head { return head(func(h http.Header) { delete(h, name) }) }
	at := func(url string) *verify.Head { return head(func(h http.Header) { h.Set("Paypal-Cert-Url", url) }) }
	v, err := paypal.New("1JE92016J1467142X", nil)
	if err != nil {
		t.Fatal(err)
	}
	other, err := paypal.New("4JH86294D6297924G", nil)
	if err != nil {
		t.Fatal(err)
	}
	untrusted := &verify.Error{Reason: verify.ErrUntrusted, Cause: errors.New("no chain")}
	for _, c := range []struct {
		name string
		r    verify.Refusal
		want []string
	}{
		{"another webhook's id makes the signature", verify.Refusal{Err: verify.ErrMismatch, Candidate: `"shop"`}, []string{paypal.FindingWebhookID}},
		{"another webhook's verifier accepts", verify.Refusal{Err: verify.ErrMismatch, Other: other}, []string{paypal.FindingWebhookID}},
		{"a verifier of the other environment accepts", verify.Refusal{Err: untrusted, Other: other}, []string{paypal.FindingEnvironment}},
		{"no id matches", verify.Refusal{Err: verify.ErrMismatch}, []string{paypal.FindingSimulator, paypal.FindingWebhookID}},
		{"PayPal does not confirm", verify.Refusal{Err: verify.ErrForged, Holds: true}, []string{paypal.FindingUnconfirmed}},
		{"PayPal cannot be asked", verify.Refusal{Err: verify.ErrUnavailable, Holds: true}, nil},
		{"the certificate is on the other environment's host", verify.Refusal{Head: at(sandboxURL), Err: untrusted}, []string{paypal.FindingEnvironment}},
		{"the certificate is on this environment's host", verify.Refusal{Head: at(liveURL), Err: untrusted}, []string{paypal.FindingCertificate}},
		{"the certificate is anywhere", verify.Refusal{Head: at("https://certs.example/CERT-1"), Err: untrusted}, []string{paypal.FindingCertificate}},
		{"an IPN", verify.Refusal{Head: &verify.Head{}, Body: []byte(ipn), Err: verify.ErrUnsigned}, []string{paypal.FindingIPN}},
		{"an IPN that is signed as a webhook", verify.Refusal{Head: head(nil), Body: []byte(ipn), Err: verify.ErrMalformed}, nil},
		{"a form that is no IPN", verify.Refusal{Head: &verify.Head{}, Body: []byte("a=b"), Err: verify.ErrUnsigned}, nil},
		{"nothing but the certificate's URL is missing", verify.Refusal{Head: without("Paypal-Cert-Url"), Err: verify.ErrMalformed}, []string{"header.missing"}},
		{"SHA-1", verify.Refusal{Head: head(func(h http.Header) { h.Set("Paypal-Auth-Algo", "SHA1withRSA") }), Err: verify.ErrUnsigned}, []string{"header.sha1"}},
		{"the time is out of the window", verify.Refusal{Head: head(nil), Err: verify.ErrTooOld}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			all := v.Explain(&c.r)
			var ids []string
			for _, h := range all {
				ids = append(ids, h.ID)
				if h.Text == "" || h.Cause == nil && !strings.HasSuffix(h.Text, ".") {
					t.Errorf("%s is no sentence: %q", h.ID, h.Text)
				}
				if _, ours := strings.CutPrefix(h.ID, "paypal."); ours && h.Fix == "" {
					t.Errorf("%s does not say what to do", h.ID)
				}
			}
			if strings.Join(ids, " ") != strings.Join(c.want, " ") {
				t.Errorf("found %q, want %q", ids, c.want)
			}
		})
	}
}

// TestExplainSimulator: only the simulator's hypothesis has a verifier to try, and it is
// for the simulator's id.
func TestExplainSimulator(t *testing.T) {
	v, err := paypal.New("1JE92016J1467142X", nil)
	if err != nil {
		t.Fatal(err)
	}
	var _ verify.Explainer = v
	for _, h := range v.Explain(&verify.Refusal{Err: verify.ErrMismatch}) {
		if (h.Verifier != nil) != (h.ID == paypal.FindingSimulator) {
			t.Fatalf("%s: a verifier that can tell: %v", h.ID, h.Verifier != nil)
		}
		if h.Verifier == nil {
			continue
		}
		keys, err := h.Verifier.(*paypal.Verifier).Keys(t.Context(), nil)
		if err != nil || len(keys) != 1 || string(keys[0].Secret()) != "WEBHOOK_ID" {
			t.Errorf("the simulator's verifier is for %v (%v)", keys, err)
		}
	}
	_, err = paypal.New("WEBHOOK_ID", nil)
	var e interface{ Hypothesis() verify.Hypothesis }
	if !errors.As(err, &e) || e.Hypothesis().ID != "secret.unusable" {
		t.Errorf("the refusal of the simulator's id does not explain itself: %v", err)
	}
	_, err = paypal.New("not an id", nil)
	if err == nil || errors.As(err, &e) {
		t.Errorf("the refusal of another id explains itself as the simulator's: %v", err)
	}
}
