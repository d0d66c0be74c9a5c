// Package apple verifies App Store Server Notifications, version 2.
//
// The App Store sends one JSON member, signedPayload. Its text is a JSON Web Signature in
// the compact form: a header, a payload and a signature in base64url, with points between
// them. The signature is ECDSA on P-256 with SHA-256 (ES256) over header and payload as
// they stand there. The header brings three certificates (x5c): that of the key, the one
// of its issuer, and Apple's root.
//
//	guard := middleware.Protect(apple.Must("com.example.app"))
//
// Version 1, which the App Store still sends where it is configured, is not signed at all,
// and is refused.
//
// # What a signature says
//
// Apple signs for every app of everybody, so a good signature alone says "some app". A
// verifier is made for a bundle id, and for the production environment or the sandbox: it
// refuses a payload that names another one. Give each environment a route of its own in
// App Store Connect. App Review and TestFlight buy in the sandbox.
//
// # What is signed, and what is not
//
// The Binding of a Delivery is verify.BindingPart: the payload is signed, and the body that
// carries it is not. The body may hold nothing else, and no escapes, so all that can
// change is white space, and the signature to its twin: each signature of ECDSA has
// another one that verifies, too. Neither makes another event. Read what was signed with
// [Payload]:
//
//	payload, err := apple.Payload(d)
//	…
//	err = json.Unmarshal(payload, &notification)
//
// Its members signedTransactionInfo and signedRenewalInfo are signatures of the same form.
// They stand inside of what was verified, so they need no check of their own.
//
// A notification says how things were at its signedDate. Notifications may arrive in
// another order than that: of several about one transaction, the one with the latest
// signedDate counts.
//
// # Certificates
//
// The third certificate must be Apple Root CA - G3: the one whose SHA-256 this package
// holds. Nothing is fetched, and nothing has to be configured. The root ends on 2039-04-30.
// The other two must chain to it at the receive time and hold the extensions that Apple
// marks them with: 1.2.840.113635.100.6.11.1 for one that signs for the App Store,
// 1.2.840.113635.100.6.2.1 for its issuer. Whether Apple has revoked one is not asked.
//
// # Time and repeats
//
// The App Store retries five times, 1, 12, 24, 48 and 72 hours after the attempt before,
// which is more than 6 days. A retry has the signedDate of the first attempt, so the
// window reaches 7 days into the past. The id of a Delivery is notificationUUID, which
// stays the same, too. In the sandbox there is one attempt.
//
// Source: https://developer.apple.com/documentation/appstoreservernotifications/responsebodyv2,
// https://developer.apple.com/documentation/appstoreservernotifications/jwsdecodedheader and
// https://developer.apple.com/documentation/appstoreservernotifications/signeddate; the
// extensions and what names the app are in Apple's libraries, such as
// https://github.com/apple/app-store-server-library-node.
package apple

import (
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/verify"
)

const (
	past   = 7 * 24 * time.Hour // retries end after 157 hours
	future = 5 * time.Minute

	maxBundleID = 155
)

// rootPrint is the SHA-256 of Apple Root CA - G3, which
// https://www.apple.com/certificateauthority/ offers.
var rootPrint = [32]byte{
	0x63, 0x34, 0x3a, 0xbf, 0xb8, 0x9a, 0x6a, 0x03, 0xeb, 0xb5, 0x7e, 0x9b, 0x3f, 0x5f, 0xa7, 0xbe,
	0x7c, 0x4f, 0x5c, 0x75, 0x6f, 0x30, 0x17, 0xb3, 0xa8, 0xc4, 0x88, 0xc3, 0x65, 0x3e, 0x91, 0x79,
}

// Options holds what an endpoint may choose. The zero value and nil are the defaults. New
// copies it.
type Options struct {
	// Sandbox verifies notifications of the sandbox, and of it alone. Default: those of
	// production alone.
	Sandbox bool

	// AppAppleID is the app's number in the App Store. Where it is set, a notification
	// must name it, too. Zero: the bundle id alone says which app it is. The sandbox does
	// not send the number, so it is an error together with Sandbox.
	AppAppleID int64

	// InsecureRoot is trusted in the place of Apple's root: whoever has its key can send
	// any notification. It is for tests that sign notifications themselves.
	InsecureRoot *x509.Certificate
}

// Verifier verifies notifications of one app in one environment. It is safe for
// concurrent use. Make one with New.
type Verifier struct {
	bundleID    string
	environment string
	appAppleID  int64
	root        [32]byte // its SHA-256
	profile     verify.Profile
}

// Format prints the name of the type, whatever the verb.
func (Verifier) Format(s fmt.State, _ rune) { io.WriteString(s, "apple.Verifier") }

// New makes a verifier for the app with that bundle id, as App Store Connect shows it. A
// nil o is the zero Options. An error says what is wrong with the bundle id or with o.
func New(bundleID string, o *Options) (*Verifier, error) {
	if o == nil {
		o = &Options{}
	}
	switch {
	case bundleID == "":
		return nil, errors.New("apple: there is no bundle id; is its environment variable set?")
	case !isBundleID(bundleID):
		return nil, errors.New("apple: the bundle id is not letters, digits, hyphens and points, 155 at most, such as com.example.app")
	case o.AppAppleID < 0:
		return nil, errors.New("apple: AppAppleID is negative")
	case o.AppAppleID != 0 && o.Sandbox:
		return nil, errors.New("apple: AppAppleID is set together with Sandbox, which does not send it")
	}
	v := &Verifier{bundleID: bundleID, environment: production, appAppleID: o.AppAppleID, root: rootPrint}
	if o.Sandbox {
		v.environment = sandbox
	}
	if o.InsecureRoot != nil {
		v.root = sha256.Sum256(o.InsecureRoot.Raw)
	}
	v.profile = verify.Profile{
		Provider:  "apple",
		MediaType: "application/json",
		MaxBody:   256 << 10, // it holds up to nine certificates, in base64 twice
		Window:    verify.Window{Past: past, Future: future},
		Binding:   verify.BindingPart,
		Retry:     verify.RetryIdentical, // with the signedDate of the first attempt
		Retention: 8 * 24 * time.Hour,
	}
	return v, nil
}

// Must makes a verifier for the app with that bundle id, in production. It panics where
// [New] returns an error, most often because an environment variable is not set: a program
// that cannot verify must not start.
func Must(bundleID string) *Verifier {
	v, err := New(bundleID, nil)
	if err != nil {
		panic("apple.Must: " + strings.TrimPrefix(err.Error(), "apple: "))
	}
	return v
}

// isBundleID reports whether s is of the form that Apple gives bundle ids.
func isBundleID(s string) bool {
	return isText(s, maxBundleID, func(c byte) bool {
		l := c | 0x20
		return '0' <= c && c <= '9' || 'a' <= l && l <= 'z' || c == '-' || c == '.'
	})
}

// isText reports whether s is 1 to most characters, each of them allowed.
func isText(s string, most int, allowed func(c byte) bool) bool {
	if s == "" || len(s) > most {
		return false
	}
	for i := range len(s) {
		if !allowed(s[i]) {
			return false
		}
	}
	return true
}

// Profile returns the facts of the scheme.
func (v *Verifier) Profile() verify.Profile { return v.profile }

var errNoHead = errors.New("no head, or a head without a receive time")

// Begin takes the receive time. All that is signed stands in the body.
func (v *Verifier) Begin(_ context.Context, h *verify.Head) (verify.Pending, error) {
	if h == nil || h.ReceivedAt.IsZero() {
		return nil, refuse(verify.ErrMalformed, errNoHead)
	}
	return &pending{v, h.ReceivedAt}, nil
}

// pending is a request whose body is yet to come.
type pending struct {
	v          *Verifier
	receivedAt time.Time
}

// Finish judges the body: its form, its app and its time, then the certificates, and then
// the signature.
func (p *pending) Finish(_ context.Context, body []byte) (*verify.Delivery, error) {
	s, err := parse(body)
	if err != nil {
		return nil, err
	}
	n := &s.notification
	switch {
	case n.bundleID != p.v.bundleID:
		return nil, refuse(verify.ErrNoKey, errBundleID)
	case n.environment != p.v.environment:
		return nil, refuse(verify.ErrNoKey, errEnvironment)
	case p.v.appAppleID != 0 && n.appAppleID != p.v.appAppleID:
		return nil, refuse(verify.ErrNoKey, errAppAppleID)
	case n.signedAt.Before(p.receivedAt.Add(-p.v.profile.Window.Past)):
		return nil, refuse(verify.ErrTooOld, nil)
	case n.signedAt.After(p.receivedAt.Add(p.v.profile.Window.Future)):
		return nil, refuse(verify.ErrTooNew, nil)
	}
	leaf, key, err := chain(s.certs, p.v.root, p.receivedAt)
	if err != nil {
		return nil, refuse(verify.ErrUntrusted, err)
	}
	digest := sha256.Sum256(s.signed)
	half := len(s.signature) / 2
	if !ecdsa.Verify(key, digest[:], new(big.Int).SetBytes(s.signature[:half]), new(big.Int).SetBytes(s.signature[half:])) {
		return nil, refuse(verify.ErrMismatch, nil)
	}
	return &verify.Delivery{
		Provider:    "apple",
		Scope:       n.bundleID,
		KeyLabel:    leaf.SerialNumber.Text(16),
		ID:          n.id,
		Fingerprint: verify.NewFingerprint(digest), // not of the signature, which has a twin
		SignedAt:    n.signedAt,
		ReceivedAt:  p.receivedAt,
		Binding:     verify.BindingPart,
		Body:        body,
	}, nil
}

// Payload returns the JSON text that is signed in a delivery that a verifier of this
// package returned: what Apple calls responseBodyV2DecodedPayload. It is the caller's. It
// is an error if d is of another verifier, or nil.
func Payload(d *verify.Delivery) ([]byte, error) {
	if d == nil || d.Provider != "apple" {
		return nil, errors.New("apple: this is no delivery of the App Store")
	}
	s, err := parse(d.Body)
	if err != nil {
		return nil, errors.New("apple: the body of the delivery is not the one that was verified")
	}
	return s.payload, nil
}

func refuse(r verify.Reason, cause error) error { return &verify.Error{Reason: r, Cause: cause} }
