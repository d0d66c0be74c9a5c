package providertest

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/verify"
)

// Subject describes a verifier to Exercise, and a signer that makes genuine
// deliveries for it.
type Subject struct {
	// New makes the verifier, as the provider's constructor does. A scheme
	// without secrets ignores the keys, which are then nil. Required.
	New func(keys verify.KeySource) (verify.Verifier, error)

	// Sign returns the header fields of a genuine delivery, with canonical names.
	// The signer shares no code with the verifier. It signs with each secret, in
	// this order; there is exactly one unless Several is set, and none if the
	// scheme has no secrets. The URL is nil unless SignsURL is set. Times lie in
	// the years 2002 to 2106. Required.
	Sign func(at time.Time, u *url.URL, body []byte, secrets ...string) http.Header

	// Profile is what the verifier must say of itself.
	Profile verify.Profile

	// Events are at least two events with different bodies that the provider
	// could send.
	Events []Event

	// Secrets are at least verify.MaxKeys+1 different secrets that New accepts,
	// or none if the scheme has no secrets.
	Secrets []string

	// Held returns what the endpoint holds of a secret that Sign signs with: the text of
	// its public key, for a scheme with private ones. Default: the secret itself.
	Held func(secret string) string

	// Headers names every header that takes part in verification: the
	// signature's first. Sign returns each of them.
	Headers []string

	// Unsigned names headers of the provider that the signature does not cover.
	Unsigned []string

	// Several: the header can hold one signature for each of several secrets.
	Several bool

	// Repeated: the signature's header may stand in the request several times.
	Repeated bool

	// Blanks: one blank may stand behind a comma, or another separator, of the
	// signature's header, and Sign writes it.
	Blanks bool

	// Signature returns the signature that stands in a value of the first header, for a
	// scheme that puts more there which is no secret, such as the claims of a token.
	// Nil: all of the value.
	Signature func(value string) string

	// Neutral reports whether another value of the first header differs from the genuine one
	// only in what is not signed and names no message, such as the id of a key that the
	// verifier was handed anyway. Such a request is refused, or the same message. Nil: no
	// value does.
	Neutral func(genuine, value string) bool

	// SignsURL: the signature covers the URL.
	SignsURL bool

	// BodyPrefix is what every body starts with, if the verifier refuses a signed body
	// that does not.
	BodyPrefix string

	// Form makes a body of any bytes where the verifier reads the body to verify it, as one
	// that signs the fields of a form does. Each text has a body of its own, and that of
	// two texts is never one message. Default: the bytes behind BodyPrefix.
	Form func(text []byte) []byte

	// Query returns the query of the URL at which a body arrives, where the verifier
	// compares it with its configuration or with the body, but takes the rest of the URL
	// from its configuration. It is not for SignsURL.
	Query func(body []byte) string

	// Scope is the scope that the message itself tells, and Sign writes. Empty: it tells none,
	// and a Delivery has that of the key.
	Scope string

	// Carry returns a body of the provider that holds a signed time, and for each body
	// another one, for a scheme whose time stands in the body. Such a verifier judges the
	// time when the signature holds. The bodies of Events carry the time 2031-05-17
	// 09:30:00 UTC. Nil: the time stands elsewhere, or none is signed.
	Carry func(at time.Time, body []byte) []byte

	// Unit is the unit of the signed time. Default: one second.
	Unit time.Duration

	// Variants are other ways to write the headers of one message, such as an
	// item of a kind that the scheme ignores. The verifier must take each of them
	// for the same message.
	Variants []Variant
}

// Event is an event of a provider, and what a Delivery must say of it.
type Event struct {
	Name          string
	Body          []byte
	ID, MessageID string
}

// Variant is another way to write the headers of a message.
type Variant struct {
	Name string
	Edit func(h http.Header)
}

// Exercise runs the battery, as subtests of t.
func Exercise(t *testing.T, s Subject) {
	t.Helper()
	b := newBattery(t, s)
	b.testGenuine(t)
	b.testHeaders(t)
	b.testBody(t)
	b.testURL(t)
	b.testTime(t)
	b.testUnsigned(t)
	b.testFingerprint(t)
	b.testTwoSteps(t)
	b.testConcurrency(t)
	if len(s.Secrets) > 0 {
		b.testRotation(t)
		b.testSources(t)
		b.testLists(t)
		b.testSecrecy(t)
	}
}

// The signed time of most deliveries here. It is far from the time at which
// tests run, because no verifier may look at a clock.
var signedAt = time.Date(2031, 5, 17, 9, 30, 0, 0, time.UTC)

const scope = "acct-4711"

// battery is a subject with what most tests of it need.
type battery struct {
	Subject
	url  *url.URL
	keys []verify.Key // one for each secret, labelled "key-0" and so on
	v    verify.Verifier
}

func newBattery(t *testing.T, s Subject) *battery {
	t.Helper()
	switch {
	case s.New == nil || s.Sign == nil:
		t.Fatal("Subject needs New and Sign")
	case len(s.Events) < 2 || len(s.Events[0].Body) == 0 || string(s.Events[0].Body) == string(s.Events[1].Body):
		t.Fatal("Subject needs at least two Events with different bodies, of which the first is not empty")
	case len(s.Secrets) != 0 && len(s.Secrets) <= verify.MaxKeys:
		t.Fatalf("Subject has %d Secrets, want none or at least %d", len(s.Secrets), verify.MaxKeys+1)
	case len(s.Headers) == 0:
		t.Fatal("Subject names no Headers")
	}
	if s.Unit == 0 {
		s.Unit = time.Second
	}
	if s.Form == nil {
		s.Form = func(text []byte) []byte { return slices.Concat([]byte(s.BodyPrefix), text) }
	}
	b := &battery{Subject: s}
	if s.SignsURL {
		b.url = parseURL(t, "https://hooks.example.com/in/7?tenant=4711")
	}
	for i, secret := range s.Secrets {
		b.keys = append(b.keys, b.key(t, scope, label(i), secret))
	}
	if len(b.keys) > 0 {
		b.v = b.verifier(t, b.keys[0])
	} else {
		b.v = b.verifierFrom(t, nil)
	}
	h := b.genuine(b.Events[0]).Header
	for _, name := range s.Headers {
		if len(h[name]) != 1 || h[name][0] == "" { // one secret makes one signature
			t.Fatalf("Sign returns %d values under the canonical name %q, want one", len(h[name]), name)
		}
	}
	return b
}

// scopeOf returns the scope of a Delivery that a key of the given scope verified.
func (b *battery) scopeOf(scope string) string { return cmp.Or(b.Scope, scope) }

func label(i int) string { return "key-" + string(rune('0'+i)) }

func parseURL(t testing.TB, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func (b *battery) key(t testing.TB, scope, label, secret string) verify.Key {
	t.Helper()
	k, err := verify.NewKey(scope, label, []byte(b.held(secret)[0]))
	if err != nil {
		t.Fatalf("NewKey refuses a secret of the Subject: %v", err)
	}
	return k
}

// held returns what the endpoint holds of the secrets.
func (b *battery) held(secrets ...string) []string {
	secrets = slices.Clone(secrets)
	for i := range secrets {
		if b.Held != nil {
			secrets[i] = b.Held(secrets[i])
		}
	}
	return secrets
}

func (b *battery) verifier(t testing.TB, keys ...verify.Key) verify.Verifier {
	t.Helper()
	return b.verifierFrom(t, verify.KeyList(keys))
}

func (b *battery) verifierFrom(t testing.TB, source verify.KeySource) verify.Verifier {
	t.Helper()
	v, err := b.New(source)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	return v
}

// genuine returns the head of a delivery of e, signed with the secrets, or with
// the first one if none is given.
func (b *battery) genuine(e Event, secrets ...string) *verify.Head {
	return b.genuineAt(signedAt, e.Body, secrets...)
}

// carry returns a body with the signed time in it, if that is where it stands.
func (b *battery) carry(at time.Time, body []byte) []byte {
	if b.Carry == nil {
		return body
	}
	return b.Carry(at, body)
}

// refuseTime wants a delivery to be refused for its time: on the head, or with the body
// where the time stands in it.
func (b *battery) refuseTime(t testing.TB, what string, h *verify.Head, body []byte, reason verify.Reason) {
	t.Helper()
	if b.Carry == nil {
		b.refuseHead(t, what, b.v, h, reason)
	} else {
		b.takesHead(t, what, b.v, h)
		b.reject(t, what, b.v, h, body, reason)
	}
}

func (b *battery) genuineAt(at time.Time, body []byte, secrets ...string) *verify.Head {
	if len(secrets) == 0 && len(b.Secrets) > 0 {
		secrets = b.Secrets[:1]
	}
	u := b.url
	if b.Query != nil {
		u = &url.URL{Scheme: "https", Host: "hooks.example.com", Path: "/in/7", RawQuery: b.Query(body)}
	}
	return &verify.Head{
		URL:        u,
		Method:     http.MethodPost,
		Header:     b.Sign(at, b.url, slices.Clone(body), secrets...),
		ReceivedAt: at.Add(700 * time.Millisecond),
	}
}

// with returns a copy of h whose header has these values, or no field of that
// name if there are none.
func with(h *verify.Head, name string, values ...string) *verify.Head {
	c := *h
	c.Header = h.Header.Clone()
	if c.Header == nil {
		c.Header = http.Header{}
	}
	if len(values) == 0 {
		delete(c.Header, name)
	} else {
		c.Header[name] = values
	}
	return &c
}

// verdict verifies and checks what holds for every verdict.
func verdict(t testing.TB, v verify.Verifier, h *verify.Head, body []byte) (*verify.Delivery, error) {
	t.Helper()
	d, err := verify.Verify(context.Background(), v, h, body)
	if (d == nil) != (err != nil) {
		t.Fatalf("Delivery is %v and the error is %v, want one of them", d, err)
	}
	if err != nil {
		wellFormed(t, err)
	}
	return d, err
}

// wellFormed checks that err is a refusal as verify.Verify promises it.
func wellFormed(t testing.TB, err error) {
	t.Helper()
	refusal, ok := err.(*verify.Error)
	if !ok {
		t.Fatalf("error is a %T, want a *verify.Error: %v", err, err)
	}
	known := []verify.Reason{
		verify.ErrUnsigned, verify.ErrMalformed, verify.ErrTooOld, verify.ErrTooNew, verify.ErrNoKey, verify.ErrMismatch,
		verify.ErrMediaType, verify.ErrUntrusted, verify.ErrForged, verify.ErrUnavailable,
	}
	if !slices.Contains(known, refusal.Reason) {
		t.Fatalf("reason is %q, want one of those that a verifier may give", refusal.Reason)
	}
	if !errors.Is(err, refusal.Reason) || verify.ReasonOf(err) != refusal.Reason {
		t.Fatalf("errors.Is and ReasonOf do not find the reason %q", refusal.Reason)
	}
}

func accept(t testing.TB, what string, v verify.Verifier, h *verify.Head, body []byte) *verify.Delivery {
	t.Helper()
	d, err := verdict(t, v, h, body)
	if err != nil {
		t.Fatalf("%s: refused: %v", what, err)
	}
	return d
}

// reject wants a refusal for one of the reasons, or, without any, for one that a
// forgery has.
func (b *battery) reject(t testing.TB, what string, v verify.Verifier, h *verify.Head, body []byte, reasons ...verify.Reason) error {
	t.Helper()
	_, err := verdict(t, v, h, body)
	if err == nil {
		t.Fatalf("%s: accepted", what)
	}
	b.reason(t, what, err, reasons)
	return err
}

// refuseHead wants Begin to refuse, without a body.
func (b *battery) refuseHead(t testing.TB, what string, v verify.Verifier, h *verify.Head, reasons ...verify.Reason) error {
	t.Helper()
	p, err := v.Begin(context.Background(), h)
	if err == nil {
		t.Fatalf("%s: Begin accepted", what)
	}
	if p != nil {
		t.Fatalf("%s: Begin returned a Pending with an error", what)
	}
	wellFormed(t, err)
	b.reason(t, what, err, reasons)
	return err
}

// takesHead wants Begin to go on, so that nobody who withholds the body learns more.
func (b *battery) takesHead(t testing.TB, what string, v verify.Verifier, h *verify.Head) {
	t.Helper()
	if p, err := v.Begin(context.Background(), h); err != nil || p == nil {
		t.Fatalf("%s: Begin returned %v and the error %v, want a Pending that Finish refuses: without a body nobody may learn who has a key", what, p, err)
	}
}

func (b *battery) reason(t testing.TB, what string, err error, want []verify.Reason) {
	t.Helper()
	if len(want) == 0 {
		want = []verify.Reason{verify.ErrUnsigned, verify.ErrMalformed, verify.ErrTooOld, verify.ErrTooNew, verify.ErrMismatch}
		if len(b.Secrets) == 0 {
			// A scheme with certificates may have to fetch one from a forged place.
			want = append(want, verify.ErrUntrusted, verify.ErrUnavailable)
		}
	}
	if got := verify.ReasonOf(err); !slices.Contains(want, got) {
		t.Fatalf("%s: refused as %q, want one of %q: %v", what, got, want, err)
	}
}

// same wants two deliveries to be one message.
func same(t testing.TB, what string, got, want *verify.Delivery) {
	t.Helper()
	if got.ID != want.ID || got.MessageID != want.MessageID || !got.Fingerprint.Equal(want.Fingerprint) {
		t.Fatalf("%s: taken for another message (same id %v, same message id %v, same fingerprint %v)", what,
			got.ID == want.ID, got.MessageID == want.MessageID, got.Fingerprint.Equal(want.Fingerprint))
	}
}
