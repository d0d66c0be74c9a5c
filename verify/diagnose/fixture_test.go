package diagnose_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/providers/github/githubtest"
	"github.com/hooknotary/hooknotary/providers/paypal"
	"github.com/hooknotary/hooknotary/providers/paypal/paypaltest"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/capture"
	"github.com/hooknotary/hooknotary/verify/diagnose"
)

var (
	_ diagnose.Scheme = (*scheme.Verifier)(nil)
	_ diagnose.Scheme = (*paypal.Verifier)(nil)
)

var receivedAt = time.Date(2026, 3, 14, 9, 26, 53, 400e6, time.UTC)

const (
	stripeSecret   = "whsec_Hx2v9QmT4kLr8ZpWc3NdYb6sJf7gKe1A"
	githubSecret   = "4vN8tQz1Lw6Xr3Ky9Pb2Jc5H"
	standardSecret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
	webhookID      = "8PT597110X687430L"
)

// stripeBody is as Stripe writes: indented by two spaces, id and object first, the other
// members by name.
//
//go:embed internal/jsonform/testdata/indented.json
var stripeBody string

// githubBody is as GitHub writes: compact, in no order that could be told.
//
//go:embed internal/jsonform/testdata/compact.json
var githubBody string

// paypalBody is as PayPal writes.
//
//go:embed internal/jsonform/testdata/links.json
var paypalBody string

// standardBody is of a provider that writes as Python does.
//
//go:embed internal/jsonform/testdata/python.json
var standardBody string

// subject is a provider with a genuine delivery.
type subject struct {
	name    string
	secret  string
	wrong   string // another secret that could be one
	body    string
	headers []string // that are signed or hold the signature; its own first
	new     func(secret string) (verify.Verifier, error)
	sign    func(at time.Time, body []byte, secret string) http.Header
}

// standard is a definition of Standard Webhooks.
func standard() scheme.Definition {
	return scheme.Definition{
		Provider:   "standardwebhooks",
		Signatures: []scheme.Signature{{Header: "webhook-signature", Field: "v1", Separator: " ", Assign: ",", Encoding: scheme.Base64}},
		Timestamp:  scheme.Timestamp{Header: "webhook-timestamp"},
		Message: []scheme.Part{scheme.Field("webhook-id"), scheme.Literal("."), scheme.SignedTime(), scheme.Literal("."),
			scheme.Body()},
		ID:      scheme.ID{Header: "webhook-id"},
		Secret:  scheme.Secret{Encoding: scheme.Base64Secret, Prefix: "whsec_", Refuse: []string{"sk_"}},
		MaxBody: 1 << 20,
		Retry:   verify.RetryResigned,
	}
}

func signStandard(prefix string, at time.Time, body []byte, secret string) http.Header {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		panic(err)
	}
	id, timestamp := "msg_2Lh9KRb0pzN4LePd3XiA4v12Axj", fmt.Sprint(at.Unix())
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", id, timestamp, body)
	h := http.Header{"Content-Type": {"application/json"}}
	h.Set(prefix+"-id", id)
	h.Set(prefix+"-timestamp", timestamp)
	h.Set(prefix+"-signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return h
}

var (
	live    = sync.OnceValue(func() *paypaltest.PayPal { return paypaltest.New(webhookID) })
	sandbox = sync.OnceValue(func() *paypaltest.PayPal { return paypaltest.NewSandbox(webhookID) })
)

func newPayPal(id string) (verify.Verifier, error) {
	v, err := paypal.New(id, &paypal.Options{Transport: live(), Roots: live().Roots()})
	if err != nil {
		return nil, err
	}
	return v, nil
}

// as makes a constructor of one that returns another type of verifier.
func as[V verify.Verifier](new func(verify.KeySource) (V, error)) func(string) (verify.Verifier, error) {
	return func(secret string) (verify.Verifier, error) {
		v, err := new(verify.Secrets(secret))
		if err != nil {
			return nil, err
		}
		return v, nil
	}
}

var (
	newStripe = as(func(k verify.KeySource) (*stripe.Verifier, error) { return stripe.New(k, nil) })
	newGitHub = as(func(k verify.KeySource) (*github.Verifier, error) { return github.New(k, nil) })
	newForm   = as(func(k verify.KeySource) (*github.Verifier, error) { return github.New(k, &github.Options{Form: true}) })
	newScheme = as(func(k verify.KeySource) (*scheme.Verifier, error) { return scheme.New(standard(), k, nil) })
)

func subjects() []*subject {
	signGitHub := func(_ time.Time, body []byte, secret string) http.Header {
		return githubtest.Header("push", body, secret)
	}
	return []*subject{
		{
			name: "stripe", secret: stripeSecret, wrong: "whsec_Zq8n3VbT6mXr1LpWk5NcYd9sHf2gJe7R", body: stripeBody, headers: []string{"Stripe-Signature"}, new: newStripe,
			sign: func(at time.Time, body []byte, secret string) http.Header { return stripetest.Header(at, body, secret) },
		},
		{name: "github", secret: githubSecret, wrong: "9Qb2Xn7Lw4Kr8Tz3Vp6Jc1Hd", body: githubBody, headers: []string{"X-Hub-Signature-256"}, new: newGitHub, sign: signGitHub},
		{
			name: "github form", secret: githubSecret, wrong: "9Qb2Xn7Lw4Kr8Tz3Vp6Jc1Hd", body: "payload=" + url.QueryEscape(githubBody), headers: []string{"X-Hub-Signature-256"}, new: newForm,
			sign: func(at time.Time, body []byte, secret string) http.Header {
				h := signGitHub(at, body, secret)
				h.Set("Content-Type", "application/x-www-form-urlencoded")
				return h
			},
		},
		{
			name: "paypal", secret: webhookID, wrong: "4JH86294D6297924G", body: paypalBody, new: newPayPal,
			headers: []string{"Paypal-Transmission-Sig", "Paypal-Transmission-Id", "Paypal-Transmission-Time", "Paypal-Auth-Algo", "Paypal-Cert-Url"},
			sign:    func(at time.Time, body []byte, _ string) http.Header { return live().Header(at, body) },
		},
		{
			name: "standard webhooks", secret: standardSecret, wrong: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", body: standardBody, headers: []string{"Webhook-Signature", "Webhook-Id", "Webhook-Timestamp"}, new: newScheme,
			sign: func(at time.Time, body []byte, secret string) http.Header {
				return signStandard("webhook", at, body, secret)
			},
		},
	}
}

func (s *subject) json() bool  { return s.name != "github form" }
func (s *subject) timed() bool { return !strings.HasPrefix(s.name, "github") }
func (s *subject) hmac() bool  { return s.name != "paypal" }

// delivery is what is diagnosed: a capture, and either a verifier or a secret.
type delivery struct {
	c      *capture.Capture
	v      verify.Verifier
	secret string // instead of v
	o      diagnose.Options
}

// genuine returns a delivery that verifies.
func (s *subject) genuine(t testing.TB) *delivery {
	t.Helper()
	return s.genuineOf(t, []byte(s.body))
}

func (s *subject) genuineOf(t testing.TB, body []byte) *delivery {
	t.Helper()
	return &delivery{
		c: &capture.Capture{
			URL:        &url.URL{Path: "/hooks"},
			Header:     s.sign(receivedAt.Add(-400*time.Millisecond), body, s.secret),
			Body:       body,
			ReceivedAt: receivedAt,
		},
		v: s.verifier(t, s.secret),
	}
}

func (s *subject) verifier(t testing.TB, secret string) verify.Verifier {
	t.Helper()
	v, err := s.new(secret)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (d *delivery) findings(s *subject) []diagnose.Finding {
	if d.secret != "" {
		return diagnose.Secret(context.Background(), s.new, d.secret, d.c, &d.o)
	}
	return diagnose.Verifier(context.Background(), d.v, d.c, &d.o)
}

// refused reports whether the delivery is refused as it is.
func (d *delivery) refused(s *subject) bool {
	v := d.v
	if d.secret != "" {
		var err error
		if v, err = s.new(d.secret); err != nil {
			return true
		}
	}
	_, err := verify.Verify(context.Background(), v, d.c.Head(), d.c.Body)
	return err != nil
}

// marshal serialises a body as Go does with a map: compact, sorted, escaped, with every
// number a float64.
func marshal(t testing.TB, body []byte) []byte {
	t.Helper()
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
