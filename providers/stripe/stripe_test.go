package stripe_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/providertest"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
)

var (
	secrets = []string{
		"whsec_Hx2v9QmT4kLr8ZpWc3NdYb6sJf7gKe1A", "whsec_q7RwB5nXs0LtGj2VyPd8MfKc4EhZa9Ui",
		"whsec_Tz6eFoW1rQx4uMk9NbGy3CvJd5LsHp8S", "whsec_bA8mXj3tYw5ZdRf0Kc7Pu2NvLh6Gq9Oi",
		"whsec_d7SgEk1Vn4QyTz9Bx6Lw3FmCr0Jp8Hua",
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

func TestVerifierPassesTheBattery(t *testing.T) {
	edit := func(f func(value string) string) func(http.Header) {
		return func(h http.Header) { h.Set("Stripe-Signature", f(h.Get("Stripe-Signature"))) }
	}
	providertest.Exercise(t, providertest.Subject{
		New: func(keys verify.KeySource) (verify.Verifier, error) { return stripe.New(keys, nil) },
		Sign: func(at time.Time, _ *url.URL, body []byte, secrets ...string) http.Header {
			return stripetest.Header(at, body, secrets...)
		},
		Profile: verify.Profile{
			Provider: "stripe", MediaType: "application/json", MaxBody: 1 << 20,
			Window:  verify.Window{Past: 5 * time.Minute, Future: 5 * time.Minute},
			Binding: verify.BindingFull, Retry: verify.RetryResigned, Retention: 7 * 24 * time.Hour,
		},
		Events: []providertest.Event{
			{Name: "an event", Body: event, ID: "evt_1TBQ8xLkdIwHu7ix"},
			{Name: "a thin event", Body: []byte(`{"id":"evt_65UqN3b7","object":"v2.core.event","created":"2029-11-03T17:20:40.330Z"}`), ID: "evt_65UqN3b7"},
			{Name: "a body that is no event", Body: []byte("ping")},
			{Name: "an object that is no event", Body: []byte(`{"id":"in_1","object":"invoice"}`)},
		},
		Secrets: secrets,
		Headers: []string{"Stripe-Signature"},
		Several: true,
		Variants: []providertest.Variant{
			{Name: "v0 behind", Edit: edit(func(s string) string { return s + ",v0=" + strings.Repeat("0", 64) })},
			{Name: "v0 that is nothing", Edit: edit(func(s string) string { return s + ",v0=?" })},
			{Name: "an unknown scheme in front", Edit: edit(func(s string) string { return "v2=a=b==," + s })},
			{Name: "the signature in front of the time", Edit: edit(func(s string) string {
				timestamp, rest, _ := strings.Cut(s, ",")
				return rest + "," + timestamp
			})},
			{Name: "a forged v1 in front", Edit: edit(func(s string) string { return "v1=" + strings.Repeat("0", 64) + "," + s })},
			{Name: "the signature twice", Edit: edit(func(s string) string {
				_, rest, _ := strings.Cut(s, ",")
				return s + "," + rest
			})},
		},
	})
}

// bad holds secrets that cannot be right, each with a twin that differs in one
// thing, and a word of the error that tells what to do.
var bad = []struct {
	name, secret, twin, tells string
}{
	{"an empty secret", "", secrets[0], "is its environment variable set"},
	{"a blank secret", " \t\n", secrets[0], "is its environment variable set"},
	{"a secret with a space in front", " " + secrets[0], secrets[0], "trim"},
	{"a secret with a space behind", secrets[0] + " ", secrets[0], "trim"},
	{"a secret with a line break behind", secrets[0] + "\n", secrets[0], "trim"},
	{"a secret with a line break of Windows behind", secrets[0] + "\r\n", secrets[0], "trim"},
	{"a secret with a byte order mark", "\ufeff" + secrets[0], secrets[0], "trim"},
	{"a secret with a no-break space behind", secrets[0] + "\u00a0", secrets[0], "trim"},
	{"a secret with a zero-width space behind", secrets[0] + "\u200b", secrets[0], "trim"},
	{"a secret with a zero byte behind", secrets[0] + "\x00", secrets[0], "trim"},
	{"a secret in double quotes", `"` + secrets[0] + `"`, secrets[0], "quotes"},
	{"a secret in single quotes", `'` + secrets[0] + `'`, secrets[0], "quotes"},
	{"a secret in backquotes", "`" + secrets[0] + "`", secrets[0], "quotes"},
	{"a secret of 15 bytes", "whsec_Hx2v9QmT4", "whsec_Hx2v9QmT4k", "at least 16"},
	{"a secret of 1025 bytes", "whsec_" + strings.Repeat("k7", 510)[1:], "whsec_" + strings.Repeat("k7", 509), "longer than 1024"},
	{"the example of the documentation", "whsec_...", secrets[0], "placeholder"},
	{"crossed out", "whsec_xxxxxxxxxxxxxxxxxxxxxxxx", secrets[0], "placeholder"},
	{"crossed out in upper case", "whsec_XXXXXXXXXXXXXXXXXXXXXXXX", secrets[0], "placeholder"},
	{"starred out", "whsec_************************", secrets[0], "placeholder"},
	{"something to be replaced", "whsec_replace_me_please_now", secrets[0], "placeholder"},
	{"something to be changed", "change-me-change-me-change-me", secrets[0], "placeholder"},
	{"something that is yours", "your_webhook_signing_secret", secrets[0], "placeholder"},
	{"a name in angle brackets", "<STRIPE_WEBHOOK_SECRET>", secrets[0], "placeholder"},
	{"a variable that was not expanded", "${STRIPE_WEBHOOK_SECRET}", secrets[0], "placeholder"},
	{"the name of a variable", "STRIPE_WEBHOOK_SECRET", secrets[0], "not the secret itself"},
	{"a line of a settings file", "STRIPE_WEBHOOK_SECRET=" + secrets[0], secrets[0], "not the secret itself"},
	{"two secrets in two lines", secrets[0] + "\n" + secrets[1], secrets[0], "line break"},
	{"a command that was not run", "$(cat /run/secrets/stripe)", "cat /run/secrets/stripe", "placeholder"},
	{"a template that was not filled in", "{{ .Values.stripe.secret }}", ".Values.stripe.secret", "placeholder"},
	{"a secret key", "sk_live_51Hx2v9QmT4kLr8ZpWc3NdYb6s", secrets[0], "not the webhook's signing secret"},
	{"a restricted key", "rk_live_51Hx2v9QmT4kLr8ZpWc3NdYb6s", secrets[0], "not the webhook's signing secret"},
	{"a publishable key", "pk_live_51Hx2v9QmT4kLr8ZpWc3NdYb6s", secrets[0], "not the webhook's signing secret"},
	{"the id of the endpoint", "we_1TBQ8xLkdIwHu7ixY3mPzv4c", secrets[0], "not the webhook's signing secret"},
	{"the id of the account", "acct_1TBQ8xLkdIwHu7ixY3mPzv", secrets[0], "not the webhook's signing secret"},
}

func TestABadSecretIsRefusedAtTheStart(t *testing.T) {
	for _, tt := range bad {
		t.Run(tt.name, func(t *testing.T) {
			try := func(secret string) error {
				_, err := stripe.New(verify.Secrets(secret), nil)
				return err
			}
			err := try(tt.secret)
			if err == nil {
				t.Fatal("accepted")
			}
			if !strings.Contains(err.Error(), tt.tells) {
				t.Errorf("the error does not tell what to do: %v", err)
			}
			if hidden := strings.Trim(tt.secret, around); hidden != "" && strings.Contains(err.Error(), hidden) {
				t.Errorf("the error holds the secret: %v", err)
			}
			if err := try(tt.twin); err != nil {
				t.Errorf("the twin is refused: %v", err)
			}
		})
	}
}

// around is what may stand around a secret by mistake.
const around = " \t\r\n\"'`\x00\u00a0\u200b\ufeff"

// panics returns what f panics with, as text.
func panics(t *testing.T, f func()) (text string) {
	t.Helper()
	defer func() {
		switch p := recover().(type) {
		case nil:
			t.Error("does not panic")
		case string:
			text = p
		default:
			t.Errorf("panics with a %T: %v", p, p)
		}
	}()
	f()
	return ""
}

func TestMustPanicsWithWhatToDo(t *testing.T) {
	for _, tt := range bad {
		t.Run(tt.name, func(t *testing.T) {
			for _, list := range [][]string{{tt.secret}, {secrets[4], tt.secret}} {
				text := panics(t, func() { stripe.Must(list...) })
				if !strings.HasPrefix(text, "stripe.Must: ") || !strings.Contains(text, tt.tells) {
					t.Errorf("panics with %q, want it to say %q", text, tt.tells)
				}
				if hidden := strings.Trim(tt.secret, around); hidden != "" && strings.Contains(text, hidden) {
					t.Errorf("the panic holds the secret: %q", text)
				}
			}
			stripe.Must(tt.twin)
			stripe.Must(secrets[4], tt.twin)
		})
	}
	for name, tt := range map[string]struct {
		wrong, right []string
		tells        string
	}{
		"no secret":              {nil, secrets[:1], "is the variable set"},
		"five secrets":           {secrets, secrets[:4], "at most 4"},
		"the same secret twice":  {[]string{secrets[0], secrets[0]}, secrets[:2], "same secret"},
		"the same secret around": {[]string{secrets[0], secrets[1], secrets[0]}, secrets[:3], "same secret"},
	} {
		t.Run(name, func(t *testing.T) {
			text := panics(t, func() { stripe.Must(tt.wrong...) })
			if !strings.HasPrefix(text, "stripe.Must: ") || !strings.Contains(text, tt.tells) {
				t.Errorf("panics with %q, want it to say %q", text, tt.tells)
			}
			for _, secret := range tt.wrong {
				if strings.Contains(text, secret) {
					t.Errorf("the panic holds a secret: %q", text)
				}
			}
			stripe.Must(tt.right...)
		})
	}
}

func TestAShortSecretIsAllowedOnlyByName(t *testing.T) {
	v := newVerifier(t, &stripe.Options{InsecureAllowShortSecret: true}, "whsec_short")
	if _, err := check(v, stripetest.Header(receivedAt, event, "whsec_short"), event); err != nil {
		t.Error(err)
	}
}

func TestTheToleranceIsOnlyNarrowed(t *testing.T) {
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

func TestASecretThatIsRolledIsAcceptedAllTheTime(t *testing.T) {
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

func TestOnlyASchemeThatMustBeIgnoredIsNoSignature(t *testing.T) {
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

// TestVerificationDoesNotParseTheEvent: whatever the API version and the form of
// an event, its signature is good.
func TestVerificationDoesNotParseTheEvent(t *testing.T) {
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
}

// TestARetryIsTheSameEventInAnotherMessage: the store tells an honest retry
// from a replay by this.
func TestARetryIsTheSameEventInAnotherMessage(t *testing.T) {
	v := stripe.Must(secrets[0])
	first, err := check(v, stripetest.Header(receivedAt.Add(-time.Minute), event, secrets[0]), event)
	if err != nil {
		t.Fatal(err)
	}
	retry, err := check(v, stripetest.Header(receivedAt, event, secrets[0]), event)
	if err != nil {
		t.Fatal(err)
	}
	if first.ID != retry.ID || first.ID == "" || first.Fingerprint.Equal(retry.Fingerprint) {
		t.Errorf("ids are %q and %q, fingerprints equal: %v", first.ID, retry.ID, first.Fingerprint.Equal(retry.Fingerprint))
	}
}

func TestTheSignerMakesARequest(t *testing.T) {
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
