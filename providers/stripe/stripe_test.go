package stripe_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
)

var (
	secrets = []string{
		"whsec_Hx2v9QmT4kLr8ZpWc3NdYb6sJf7gKe1A", "whsec_q7RwB5nXs0LtGj2VyPd8MfKc4EhZa9Ui",
	}
	receivedAt = time.Date(2029, 11, 3, 17, 20, 41, 0, time.UTC)
	event      = []byte(`{"id":"evt_1TBQ8xLkdIwHu7ix","object":"event","data":{"object":{"id":"in_1"}},"type":"invoice.paid"}`)
)

func newVerifier(t testing.TB, o *stripe.Options, secrets ...string) *stripe.Verifier {
	t.Helper()
	v, err := stripe.New(verify.Secrets(secrets...), o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func check(v verify.Verifier, header http.Header, body []byte) (*verify.Delivery, error) {
	return verify.Verify(context.Background(), v, &verify.Head{Header: header, ReceivedAt: receivedAt}, body)
}

// TestProfile: the facts by which a guard configures itself. Everything that holds for
// every sender is tested by package providertest.
func TestProfile(t *testing.T) {
	want := verify.Profile{
		Provider: "stripe", MediaType: "application/json", MaxBody: 1 << 20,
		Window:  verify.Window{Past: 5 * time.Minute, Future: 5 * time.Minute},
		Binding: verify.BindingFull, Retry: verify.RetryResigned, Retention: 7 * 24 * time.Hour,
	}
	for name, v := range map[string]*stripe.Verifier{"New": newVerifier(t, nil, secrets[0]), "Must": stripe.Must(secrets[0])} {
		if got := v.Profile(); got != want {
			t.Errorf("%s: profile is %+v, want %+v", name, got, want)
		}
	}
}

func TestShortSecretIsAllowedOnlyByName(t *testing.T) {
	v := newVerifier(t, &stripe.Options{InsecureAllowShortSecret: true}, "whsec_short")
	if _, err := check(v, stripetest.Header(receivedAt, event, "whsec_short"), event); err != nil {
		t.Error(err)
	}
}

func TestToleranceIsOnlyNarrowed(t *testing.T) {
	keys := verify.Secrets(secrets[0])
	for _, tt := range []struct {
		tolerance time.Duration
		want      time.Duration // zero: an error
	}{
		{0, 5 * time.Minute}, {5 * time.Minute, 5 * time.Minute}, {time.Minute, time.Minute}, {1, 1}, {5*time.Minute + 1, 0}, {-1, 0},
	} {
		t.Run(fmt.Sprint(tt.tolerance), func(t *testing.T) {
			v, err := stripe.New(keys, &stripe.Options{Tolerance: tt.tolerance})
			if (err != nil) != (tt.want == 0) {
				t.Fatalf("error is %v", err)
			}
			if err == nil && v.Profile().Window != (verify.Window{Past: tt.want, Future: tt.want}) {
				t.Errorf("window is %+v, want %v on both sides", v.Profile().Window, tt.want)
			}
		})
	}
}

func TestRolledSecretIsAcceptedAllTheTime(t *testing.T) {
	before, after := secrets[0], secrets[1]
	old, both, now := stripe.Must(before), stripe.Must(after, before), stripe.Must(after)
	for _, tt := range []struct {
		name string
		by   []string
		v    *stripe.Verifier
		key  string // "": refused
	}{
		{"before the roll", []string{before}, old, "1"},
		{"during the roll, configured before it", []string{after, before}, old, "1"},
		{"during the roll, configured with both", []string{after, before}, both, "1"},
		{"during the roll, configured with both, the other order", []string{before, after}, both, "1"},
		{"during the roll, configured after it", []string{after, before}, now, "1"},
		{"after the roll, configured with both", []string{after}, both, "1"},
		{"after the roll, configured before it", []string{after}, old, ""},
		{"signed with the old secret, configured with both", []string{before}, both, "2"},
		{"signed with the old secret, configured after the roll", []string{before}, now, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := check(tt.v, stripetest.Header(receivedAt, event, tt.by...), event)
			switch {
			case tt.key == "" && !errors.Is(err, verify.ErrMismatch):
				t.Errorf("error is %v, want a mismatch", err)
			case tt.key != "" && err != nil:
				t.Error(err)
			case tt.key != "" && d.KeyLabel != tt.key:
				t.Errorf("key is %q, want %q", d.KeyLabel, tt.key)
			}
		})
	}
}

func TestIgnoredSchemeIsNoSignature(t *testing.T) {
	v := stripe.Must(secrets[0])
	genuine := stripetest.Header(receivedAt, event, secrets[0]).Get("Stripe-Signature")
	for _, scheme := range []string{"v0", "v2", "V1", "v11", "v"} {
		t.Run(scheme, func(t *testing.T) {
			h := http.Header{"Stripe-Signature": {strings.Replace(genuine, ",v1=", ","+scheme+"=", 1)}}
			_, err := v.Begin(context.Background(), &verify.Head{Header: h, ReceivedAt: receivedAt})
			if !errors.Is(err, verify.ErrUnsigned) {
				t.Errorf("error is %v, want ErrUnsigned", err)
			}
			h.Set("Stripe-Signature", h.Get("Stripe-Signature")+genuine[strings.Index(genuine, ",v1="):])
			if _, err := check(v, h, event); err != nil {
				t.Errorf("beside v1: %v", err)
			}
		})
	}
}

func TestBody(t *testing.T) {
	// Whatever the API version and the form of
	// an event, its signature is good.
	t.Run("verification does not parse the event", func(t *testing.T) {
		v := stripe.Must(secrets[0])
		for _, tt := range []struct{ name, body, id string }{
			{"the API version of long ago", `{"id":"evt_1","object":"event","api_version":"2011-01-01"}`, "evt_1"},
			{"an API version of the future", `{"id":"evt_1","object":"event","api_version":"2077-01-01.orchid"}`, "evt_1"},
			{"an API version that is none", `{"id":"evt_1","object":"event","api_version":17}`, "evt_1"},
			{"no API version", `{"id":"evt_1","object":"event","api_version":null}`, "evt_1"},
			{"a thin event", `{"id":"evt_1","object":"v2.core.event","created":"2029-11-03T17:20:40.330Z"}`, "evt_1"},
			{"an event of a connected account", `{"id":"evt_1","object":"event","account":"acct_1"}`, "evt_1"},
			{"an id behind the data", `{"object":"event","data":{"object":{"id":"ch_1"}},"id":"evt_1"}`, "evt_1"},
			{"an id that is not an event's", `{"id":"ch_1","object":"charge"}`, ""},
			{"the prefix of an id alone", `{"id":"evt_","object":"event"}`, ""},
			{"an id in the data only", `{"object":"event","data":{"id":"evt_1"}}`, ""},
			{"JSON that is broken", `{"object":"event"`, ""},
		} {
			t.Run(tt.name, func(t *testing.T) {
				if !json.Valid([]byte(tt.body)) && tt.id != "" {
					t.Fatal("the case is not JSON")
				}
				d, err := check(v, stripetest.Header(receivedAt, []byte(tt.body), secrets[0]), []byte(tt.body))
				if err != nil {
					t.Fatal(err)
				}
				if d.ID != tt.id {
					t.Errorf("ID is %q, want %q", d.ID, tt.id)
				}
			})
		}
	})
}

func TestSignerMakesARequest(t *testing.T) {
	r := stripetest.NewRequest("https://shop.example/hooks/stripe", receivedAt, event, secrets[0])
	if r.Method != http.MethodPost || r.ContentLength != int64(len(event)) || r.URL.Path != "/hooks/stripe" {
		t.Errorf("request is %s %s of %d bytes", r.Method, r.URL, r.ContentLength)
	}
	if _, err := check(stripe.Must(secrets[0]), r.Header, event); err != nil {
		t.Error(err)
	}
	none := stripetest.Header(receivedAt, event)
	if _, err := check(stripe.Must(secrets[0]), none, event); !errors.Is(err, verify.ErrUnsigned) {
		t.Errorf("without a secret: %v", err)
	}
}
