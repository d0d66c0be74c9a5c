// Package paypal verifies webhooks of PayPal, offline.
//
// PayPal signs four things with the key of a certificate: the id and the time of
// the transmission, the id of the webhook, and the CRC-32 of the body. The
// signature is RSA PKCS #1 v1.5 with SHA-256 over
//
//	<transmission id>|<transmission time>|<webhook id>|<CRC-32 of the body>
//
// and the request names the certificate by its URL.
//
//	guard := middleware.Protect(paypal.Must(os.Getenv("PAYPAL_WEBHOOK_ID")))
//
// The webhook id is what the Dashboard shows for the webhook. It is no secret: it
// binds a delivery to this endpoint. Live and sandbox have different ids, hosts
// and certificates; a verifier takes one of them, live unless Options.Sandbox is
// set.
//
// # What a CRC-32 means
//
// A CRC-32 is easy to collide: whoever holds one genuine transmission can make
// any number of other bodies that verify under its signature. So the Binding of a
// Delivery is verify.BindingChecksum, and a guard does more than for other
// providers: the first body that arrives under a signed transmission is bound to
// it in the store, and another one is refused as verify.ErrForged. What remains
// is whoever holds a transmission that the store does not know and sends a
// forged body under it: an interceptor who keeps the genuine delivery from
// arriving, or, with a store in memory, an observer of the last days right
// after a restart. Where money moves, do not act on amounts in the body: ask
// PayPal for the resource by its id, or set Options.Confirm with FetchEvent, which
// compares each delivery with PayPal's record before the handler runs.
//
// # Certificates
//
// A certificate is fetched from PayPal's own API host and from nowhere else, once,
// and kept. It must be in the name of PayPal's message verification, chain up to
// a root that the system or this package trusts, and be valid at the receive
// time. Nothing is fetched for a request whose head could not verify. If PayPal's
// host cannot be reached and the certificate is not known yet, the response is 503,
// never an acceptance. A delivery waits 3 seconds at most.
//
// Anyone can name certificates that do not exist, so what a flood of requests can
// cause is bounded: a burst of 10 fetches and then one a second, for a request that
// is chosen at random among those that wait. As long as PayPal's certificate is not
// known, a flood of n such requests a second so leaves an attempt of a genuine
// delivery a chance of about 1 in n. What was trusted once is known, and known URLs
// have fetches of their own: set Options.CertFile, which outlives a restart, and
// call [Verifier.Prefetch] at start.
//
// The roots that this package brings end on 2031-11-10 and 2038-01-15. When PayPal's
// host serves a certificate that leads to no root, the cause is an
// [UnknownRootError], whose Alarm method makes an observer show it.
//
// # Time
//
// PayPal retries up to 25 times in 3 days. Whether a retry is signed anew is not
// documented; if it is not, a narrow window would refuse every retry but the
// first. So the window reaches 3 days and 6 hours into the past, and the store
// remembers at least as long.
//
// Source: https://developer.paypal.com/api/rest/webhooks/rest/ and
// https://developer.paypal.com/docs/api/webhooks/v1/.
package paypal

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/providers/internal/certstore"
	"github.com/hooknotary/hooknotary/providers/internal/jsonscan"
	"github.com/hooknotary/hooknotary/verify"
)

const (
	past   = 3*24*time.Hour + 6*time.Hour
	future = 5 * time.Minute

	simulatorID = "WEBHOOK_ID"
)

// Options holds what an endpoint may choose. The zero value and nil are the
// defaults. New copies it.
type Options struct {
	// Sandbox verifies deliveries of PayPal's sandbox, and of it alone.
	Sandbox bool

	// MaxAge narrows the window into the past. Zero means 3 days and 6 hours; more
	// is an error. Lower it only if you know that PayPal signs its retries anew:
	// else every retry that comes later than MaxAge is refused, and the event is
	// lost after 3 days.
	MaxAge time.Duration

	// Roots and Intermediates are trusted, and known, besides the system's roots
	// and the two families of DigiCert that PayPal has used. Intermediates prove
	// nothing by themselves.
	Roots, Intermediates []*x509.Certificate

	// CertFile is a file in which the verifier remembers the certificates that it
	// trusted, with their URLs, at most 32, so that after a restart no delivery
	// under one of them depends on PayPal's host or on a flood of requests that
	// name others. "" means none. It holds no secret, and proves nothing by itself:
	// what it says is checked as what PayPal's host says. Its folder must exist and
	// be writable by this process. A file that is missing is made by New; one that
	// cannot be read or written, that this package did not write, or that belongs
	// to the other environment is an error of New. A later failure to write is
	// tried again with the next fetch, and Prefetch returns it. Several verifiers
	// may share a file; what two of them write at the same moment may be one's.
	CertFile string

	// Transport carries the requests for certificates and confirmations. Default:
	// like http.DefaultTransport. Redirects are never followed.
	Transport http.RoundTripper

	// Confirm, if not nil, asks PayPal about each delivery whose signature holds.
	Confirm *Confirm

	// InsecureAcceptSimulator allows "WEBHOOK_ID" as the webhook id, under which
	// PayPal's simulator signs. Anyone with a PayPal login can have it sign an
	// event and send it to any URL. The events of the simulator have the same ids
	// time and again, so each transmission counts as an event of its own.
	InsecureAcceptSimulator bool
}

// Verifier verifies deliveries of PayPal. It is safe for concurrent use. Make one
// with New.
type Verifier struct {
	webhookID string
	simulator bool
	certs     *certstore.Store
	env       *environment
	confirm   *confirmer
	profile   verify.Profile
}

// Format prints the name of the type, whatever the verb. The default would read what
// another goroutine may be writing, such as the certificates that are being fetched.
func (Verifier) Format(s fmt.State, _ rune) { io.WriteString(s, "paypal.Verifier") }

// New makes a verifier for one webhook. The webhook id is required. A nil o is
// the zero Options.
func New(webhookID string, o *Options) (*Verifier, error) {
	if o == nil {
		o = &Options{}
	}
	v := &Verifier{webhookID: webhookID, simulator: webhookID == simulatorID}
	if err := v.configure(o); err != nil {
		return nil, fmt.Errorf("paypal: %w", err)
	}
	return v, nil
}

func (v *Verifier) configure(o *Options) error {
	if err := checkID(v.webhookID, o.InsecureAcceptSimulator); err != nil {
		return err
	}
	switch {
	case !v.simulator && o.InsecureAcceptSimulator:
		return errors.New("InsecureAcceptSimulator needs the webhook id WEBHOOK_ID")
	case v.simulator && o.Confirm != nil:
		return errors.New("Confirm does not work with the simulator: PayPal's API does not know its events")
	case o.MaxAge < 0 || o.MaxAge > past:
		return fmt.Errorf("MaxAge is %v, want up to %v", o.MaxAge, past)
	}
	window := verify.Window{Past: past, Future: future}
	if o.MaxAge > 0 {
		window.Past = o.MaxAge
	}
	v.profile = verify.Profile{
		Provider:  "paypal",
		MediaType: "application/json",
		MaxBody:   1 << 20, // PayPal states no limit; events are far smaller
		Window:    window,
		Binding:   verify.BindingChecksum,
		Retry:     verify.RetryIdentical,
		Retention: 30 * 24 * time.Hour, // as long as PayPal resends by hand
	}
	env := live
	if o.Sandbox {
		env = sandbox
	}
	v.env = env
	client := newClient(o.Transport)
	var err error
	if v.certs, err = newCerts(env, client, o); err != nil {
		return err
	}
	if o.Confirm != nil {
		v.confirm, err = newConfirmer(env, client, *o.Confirm)
	}
	return err
}

func checkID(id string, simulator bool) error {
	switch {
	case strings.TrimSpace(id) == "":
		return errors.New("the webhook id is empty; is its environment variable set?")
	case strings.TrimSpace(id) != id:
		return errors.New("the webhook id has white space around it: trim it")
	case id == simulatorID && !simulator:
		return simulatorError{}
	case id != simulatorID && (len(id) > 50 || !alphanumeric(id)):
		return errors.New("the webhook id is not 1 to 50 letters and digits, as PayPal's are: see the webhook in the Dashboard")
	}
	return nil
}

// Must makes a verifier for one live webhook. It panics where [New] returns an
// error, most often because an environment variable is not set: a program that
// cannot verify must not start.
func Must(webhookID string) *Verifier {
	v, err := New(webhookID, nil)
	if err != nil {
		panic("paypal.Must: " + strings.TrimPrefix(err.Error(), "paypal: "))
	}
	return v
}

// Profile returns the facts of the scheme.
func (v *Verifier) Profile() verify.Profile { return v.profile }

// Prefetch fetches and checks certificates, so that the first deliveries after a
// start do not depend on PayPal's host. The URLs, at most 10, are those that
// PAYPAL-CERT-URL had in former deliveries. It returns the errors of all that
// failed, also one of writing Options.CertFile. Whether it fails or not, budget is
// kept for these URLs when a flood of requests names others.
func (v *Verifier) Prefetch(ctx context.Context, urls ...string) error {
	return v.certs.Prefetch(ctx, urls)
}

// Begin refuses a head that no body could make right. It may fetch the
// certificate that the head names, when everything else about the head is good.
func (v *Verifier) Begin(ctx context.Context, h *verify.Head) (verify.Pending, error) {
	if h == nil || h.ReceivedAt.IsZero() {
		return nil, refuse(verify.ErrMalformed, errNoHead)
	}
	t, err := parse(h, v.env)
	if err != nil {
		return nil, err
	}
	if t.at.Before(h.ReceivedAt.Add(-v.profile.Window.Past)) {
		return nil, refuse(verify.ErrTooOld, nil)
	}
	if t.at.After(h.ReceivedAt.Add(v.profile.Window.Future)) {
		return nil, refuse(verify.ErrTooNew, nil)
	}
	key, err := v.certs.Key(ctx, t.certURL, h.ReceivedAt)
	if err != nil {
		return nil, err
	}
	if key.Size() != len(t.signature) {
		return nil, refuse(verify.ErrMalformed, errSignature)
	}
	return &pending{v: v, transmission: t, key: key, receivedAt: h.ReceivedAt}, nil
}

// pending is a request whose head is good and whose certificate is trusted.
type pending struct {
	v *Verifier
	*transmission
	key        *rsa.PublicKey
	receivedAt time.Time
}

// Finish checks the signature and, where that is configured, asks PayPal.
func (p *pending) Finish(ctx context.Context, body []byte) (*verify.Delivery, error) {
	var buf [160]byte
	message := append(buf[:0], p.id...)
	message = append(message, '|')
	message = append(message, p.time...)
	message = append(message, '|')
	message = append(message, p.v.webhookID...)
	message = append(message, '|')
	message = strconv.AppendUint(message, uint64(crc32.ChecksumIEEE(body)), 10)
	digest := sha256.Sum256(message)
	if rsa.VerifyPKCS1v15(p.key, crypto.SHA256, digest[:], p.signature) != nil {
		p.v.certs.Doubt(p.certURL, p.receivedAt)
		return nil, refuse(verify.ErrMismatch, nil)
	}
	d := &verify.Delivery{
		Provider:    "paypal",
		Scope:       p.v.webhookID,
		KeyLabel:    p.certURL[strings.LastIndexByte(p.certURL, '/')+1:],
		ID:          eventID(body),
		MessageID:   p.id,
		Fingerprint: verify.NewFingerprint(digest),
		SignedAt:    p.at,
		ReceivedAt:  p.receivedAt,
		Binding:     verify.BindingChecksum,
		Body:        body,
	}
	if p.v.simulator {
		d.ID = p.id
	}
	if p.v.confirm != nil {
		if err := p.v.confirm.ask(ctx, p, d); err != nil {
			return nil, &verify.Error{Reason: verify.ReasonOf(err), Cause: causeOf(err), Message: verify.NewFingerprint(digest)}
		}
	}
	return d, nil
}

// eventID returns the id of an event, or "" if the body holds none.
func eventID(body []byte) string {
	id := string(jsonscan.Member(body, "id"))
	if rest, ok := strings.CutPrefix(id, "WH-"); !ok || rest == "" || len(id) > 128 || strings.Trim(rest, "-") == "" {
		return ""
	}
	for i := range len(id) {
		if id[i] != '-' && !alphanumeric(id[i:i+1]) {
			return ""
		}
	}
	return id
}

func alphanumeric(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		if (s[i] < '0' || s[i] > '9') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return s != ""
}

func refuse(r verify.Reason, cause error) error { return &verify.Error{Reason: r, Cause: cause} }

// causeOf returns what a refusal says beside its reason.
func causeOf(err error) error {
	if e, ok := err.(*verify.Error); ok {
		return e.Cause
	}
	return err
}
