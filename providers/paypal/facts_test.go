package paypal_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/paypal"
	"github.com/hooknotary/hooknotary/providers/paypal/paypaltest"
	"github.com/hooknotary/hooknotary/verify"
)

const factsID = "8PT597110X687430L"

func key(t *testing.T, scope, secret string) verify.KeyList {
	t.Helper()
	k, err := verify.NewKey(scope, "1", []byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return verify.KeyList{k}
}

func TestFacts(t *testing.T) {
	t.Run("the key is the webhook id", func(t *testing.T) {
		keys, err := paypal.Must(factsID).Keys(t.Context(), nil)
		if err != nil || len(keys) != 1 || keys[0].Scope() != factsID || string(keys[0].Secret()) != factsID {
			t.Errorf("the keys are %v (%v)", keys, err)
		}
		v, err := paypal.New("WEBHOOK_ID", &paypal.Options{InsecureAcceptSimulator: true})
		if err != nil {
			t.Fatal(err)
		}
		keys, err = v.Keys(t.Context(), nil)
		if err != nil || len(keys) != 1 || keys[0].Scope() != "WEBHOOK_ID" {
			t.Fatalf("the simulator's keys are %v (%v)", keys, err)
		}
		if _, err := v.Rekey(verify.KeyList(keys)); err != nil {
			t.Errorf("the simulator's verifier does not take its own key: %v", err)
		}
	})

	t.Run("the pieces of the message are what PayPal signs", func(t *testing.T) {
		// The example that PayPal's SDK for Ruby prints.
		h := &verify.Head{Header: paypaltest.New(factsID).Header(time.Date(2015, 5, 18, 15, 45, 13, 0, time.UTC), nil)}
		h.Header.Set("PAYPAL-TRANSMISSION-ID", "dfb3be50-fd74-11e4-8bf3-77339302725b")
		v := paypal.Must("4JH86294D6297924G")
		text := func() (labels []string, all string) {
			for label, piece := range v.Message(h, []byte("123456789")) {
				labels = append(labels, label)
				if piece == nil {
					piece = []byte("-")
				}
				all += string(piece)
			}
			return labels, all
		}
		labels, all := text()
		// 3421780262 is the check value of CRC-32.
		if want := "dfb3be50-fd74-11e4-8bf3-77339302725b|2015-05-18T15:45:13Z|4JH86294D6297924G|3421780262"; all != want {
			t.Errorf("the message is %s, want %s", all, want)
		}
		if want := []string{
			"transmission id, from Paypal-Transmission-Id", "constant", "time, from Paypal-Transmission-Time", "constant",
			"webhook id, from configuration", "constant", "CRC-32 of the body",
		}; !slices.Equal(labels, want) {
			t.Errorf("the labels are %q, want %q", labels, want)
		}
		h.Header.Del("PAYPAL-TRANSMISSION-TIME")
		h.Header.Add("PAYPAL-TRANSMISSION-ID", "another")
		if _, all := text(); !strings.HasPrefix(all, "-|-|4JH86294D6297924G|") {
			t.Errorf("the message of a head that lacks both is %s", all)
		}
		for label := range v.Message(nil, nil) {
			if label != labels[0] {
				t.Errorf("the first piece is %q", label)
			}
			break
		}
	})

	t.Run("security headers are those of the transmission", func(t *testing.T) {
		v := paypal.Must(factsID)
		got := v.SecurityHeaders()
		want := []string{"Paypal-Transmission-Sig", "Paypal-Auth-Algo", "Paypal-Transmission-Id", "Paypal-Transmission-Time", "Paypal-Cert-Url"}
		if !slices.Equal(got, want) {
			t.Errorf("the headers are %q, want %q", got, want)
		}
		got[0] = "changed"
		if v.SecurityHeaders()[0] != want[0] {
			t.Error("the list is not the caller's")
		}
	})
}

func TestRekey(t *testing.T) {
	t.Run("a rekeyed verifier shares the certificates", func(t *testing.T) {
		pp := paypaltest.New(factsID)
		at := time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
		body := []byte(`{"id":"WH-1"}`)
		head := &verify.Head{Header: pp.Header(at, body), ReceivedAt: at}
		v, err := paypal.New("4JH86294D6297924G", &paypal.Options{Transport: pp, Roots: pp.Roots(), MaxAge: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := verify.Verify(t.Context(), v, head, body); !errors.Is(err, verify.ErrMismatch) {
			t.Fatalf("a delivery for another webhook: %v", err)
		}
		fetched := len(pp.Fetched())
		rekeyed, err := v.Rekey(key(t, "any", factsID))
		if err != nil {
			t.Fatal(err)
		}
		if rekeyed.Profile() != v.Profile() {
			t.Errorf("the profile is %+v, want %+v", rekeyed.Profile(), v.Profile())
		}
		d, err := verify.Verify(t.Context(), rekeyed, head, body)
		if err != nil || d.Scope != factsID {
			t.Errorf("a delivery for its webhook: %v, %v", d, err)
		}
		if n := len(pp.Fetched()); n != fetched {
			t.Errorf("%d files were fetched again", n-fetched)
		}
	})

	t.Run("a rekeyed verifier wants one webhook id", func(t *testing.T) {
		v := paypal.Must(factsID)
		failure := errors.New("down")
		for name, source := range map[string]verify.KeySource{
			"no source":                              nil,
			"no key":                                 verify.KeyList{},
			"two keys":                               append(key(t, "a", factsID), key(t, "b", "4JH86294D6297924G")...),
			"no id":                                  key(t, "a", "not an id"),
			"the simulator's id, from configuration": key(t, "default", "WEBHOOK_ID"),
			"the simulator's id, from an environment": verify.Secrets("WEBHOOK_ID"),
		} {
			if rekeyed, err := v.Rekey(source); err == nil || rekeyed != nil {
				t.Errorf("%s: %v, %v", name, rekeyed, err)
			}
		}
		source := verify.KeyFunc(func(_ context.Context, h *verify.Head) ([]verify.Key, error) {
			if h == nil {
				t.Error("the source is asked without a head")
			}
			return nil, failure
		})
		if _, err := v.Rekey(source); !errors.Is(err, failure) {
			t.Errorf("a source that fails: %v", err)
		}
		if _, err := v.Rekey(key(t, "WEBHOOK_ID", "WEBHOOK_ID")); err != nil {
			t.Errorf("the simulator's key: %v", err)
		}
		if _, err := v.Rekey(key(t, "WEBHOOK_ID", "4JH86294D6297924G")); err != nil {
			t.Errorf("another id: %v", err)
		}
	})
}
