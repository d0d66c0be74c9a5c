// Package ebay verifies notifications of eBay, such as those of closed accounts.
//
// eBay signs the body with a private key, ECDSA on P-256 with SHA-1. The header
//
//	X-EBAY-SIGNATURE: <base64>
//
// is a JSON object: the signature in base64 and the id of the key, and the algorithm and the
// hash, which must be "ecdsa" and "SHA1" here: the sender of a request chooses neither.
//
//	{"alg":"ecdsa","kid":"<id of the key>","signature":"<base64>","digest":"SHA1"}
//
// The public key is behind eBay's Notification API, which wants a token of the application.
// Package [github.com/hooknotary/hooknotary/providers/keyfetch] fetches keys within bounds:
//
//	keys, err := keyfetch.New(ebay.KeyEndpoint(false, token), nil)
//	…
//	v, err := ebay.New(ebay.ByKeyID(keys), &ebay.Options{InsecureSHA1: true})
//
// Or take the key as configuration, as the member "key" of that API shows it:
//
//	guard := middleware.Protect(ebay.InsecureMust(os.Getenv("EBAY_PUBLIC_KEY")))
//
// # SHA-1
//
// Two bodies with one SHA-1 can be made, by whoever chooses enough of both. Then a signature
// of the one is a signature of the other. Nobody knows how to find a second body for one that
// eBay wrote, and eBay has no other algorithm. New refuses to make a verifier unless
// Options.InsecureSHA1 says that you know. The store knows a message by its SHA-256.
//
// # What the signature does not say
//
// No time is signed beside the body: a copy verifies as long as its key is in use, and only
// the store keeps it from running again. The id of the key is not signed. eBay signs for all
// applications: a signature does not say that a notification is for this one.
//
// # Repeats
//
// eBay sends a notification until it is acknowledged, and marks the endpoint as down after 24
// hours, which its owner has 30 days to repair. The id of a Delivery is the notificationId; the
// body also counts the attempts. eBay does not say more of them.
//
// # The check of the URL
//
// When the URL is entered, eBay sends a GET with challenge_code, and wants the SHA-256 of the
// code, of a verification token that you chose, and of the URL. A verifier with
// Options.Endpoint and Options.VerificationToken answers. Anyone may ask for it: so the token
// must be random, and it signs no delivery. The route must let GET through.
//
// Source: https://developer.ebay.com/marketplace-account-deletion,
// https://developer.ebay.com/api-docs/commerce/notification/resources/public_key/methods/getPublicKey
// and https://github.com/eBay/event-notification-nodejs-sdk (lib/validator.js: the form of the
// header, and what is signed).
package ebay

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/providers/internal/jsonscan"
	"github.com/hooknotary/hooknotary/providers/internal/strictjson"
	"github.com/hooknotary/hooknotary/providers/keyfetch"
	"github.com/hooknotary/hooknotary/providers/keyring"
	"github.com/hooknotary/hooknotary/verify"
)

const (
	header    = "X-Ebay-Signature"
	parameter = "challenge_code"

	maxHeader    = 1 << 10 // bytes; a genuine one has about 300
	maxValues    = 16      // in the JSON of the header
	maxID        = 128     // bytes of the id of a key or of an event
	maxCode      = 256     // bytes of a challenge
	maxQuery     = 4 << 10
	maxEndpoint  = 2 << 10
	minToken     = 32
	maxToken     = 80
	maxAuth      = 8 << 10 // bytes of a token of the application
	minSignature = 8
	maxSignature = 72
)

// Options holds what an endpoint may choose. New copies it.
type Options struct {
	// InsecureSHA1 says that you know that eBay signs with SHA-1, and with nothing else.
	// Required.
	InsecureSHA1 bool

	// Endpoint is the URL of the endpoint as it is registered at eBay, byte for byte, and
	// VerificationToken the token that stands beside it there: 32 to 80 letters, digits, "-"
	// and "_", which nobody can guess. With both, the check of the URL is answered; without
	// both it is refused, as every GET.
	Endpoint, VerificationToken string
}

// Verifier verifies notifications of eBay. It is immutable and safe for concurrent use. Make
// one with New or InsecureMust.
type Verifier struct {
	o    Options
	ring *keyring.Ring[*key]
	// answer is the response to a challenge; nil: there is none. A closure: nothing that
	// prints can look inside one.
	answer func(code string) string
}

// key is a verify.Key made ready.
type key struct {
	scope, label string
	public       *ecdsa.PublicKey
}

// New makes a verifier from keys, for example those of ByKeyID or PublicKeys. Of a fixed list,
// any key may have signed, whatever the request says. It returns an error for a key or options
// that cannot be right, and where Options.InsecureSHA1 is not set.
func New(keys verify.KeySource, o *Options) (*Verifier, error) {
	if o == nil {
		o = &Options{}
	}
	v := &Verifier{o: *o}
	if err := v.configure(keys); err != nil {
		return nil, fmt.Errorf("ebay: %w", err)
	}
	return v, nil
}

// InsecureMust makes a verifier from eBay's public keys, as PublicKeys reads them, with
// Options.InsecureSHA1. It panics where [New] returns an error, most often because an
// environment variable is not set: a program that cannot verify must not start.
func InsecureMust(keys ...string) *Verifier {
	v, err := New(PublicKeys(keys...), &Options{InsecureSHA1: true})
	if err != nil {
		panic("ebay.InsecureMust: " + strings.TrimPrefix(err.Error(), "ebay: "))
	}
	return v
}

// PublicKeys makes a list of keys as [verify.PublicKeys] does. It also takes the form that
// eBay shows: PEM without line breaks.
func PublicKeys(texts ...string) *verify.SecretList {
	plain := make([]string, len(texts))
	for i, text := range texts {
		plain[i] = text
		if der, ok := strings.CutPrefix(text, "-----BEGIN PUBLIC KEY-----"); ok && !strings.Contains(text, "\n") {
			plain[i] = strings.TrimSuffix(der, "-----END PUBLIC KEY-----")
		}
	}
	return verify.PublicKeys(plain...)
}

// KeyEndpoint says where eBay's keys are: in production, or in the sandbox. The function
// returns a token of the application, of the scope https://api.ebay.com/oauth/api_scope; it is
// asked before each fetch, by several goroutines at a time, and its errors are logged, so keep
// credentials out of them. eBay counts the fetches: share one Fetcher.
func KeyEndpoint(sandbox bool, token func(context.Context) (string, error)) keyfetch.Endpoint {
	host := "api.ebay.com"
	if sandbox {
		host = "api.sandbox.ebay.com"
	}
	return keyfetch.Endpoint{
		URL:    "https://" + host + "/commerce/notification/v1/public_key/{id}",
		Kind:   keyfetch.P256,
		Form:   keyfetch.PEM,
		Member: "key",
		Prepare: func(r *http.Request, _ string) error {
			if token == nil {
				return errors.New("there is no function that returns a token of the application")
			}
			text, err := token(r.Context())
			switch {
			case err != nil:
				return err
			case text == "" || len(text) > maxAuth || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }):
				return errors.New("the token of the application is empty, too long, or has a character that no token has")
			}
			r.Header.Set("Authorization", "Bearer "+text)
			return nil
		},
	}
}

// ByKeyID returns a source of the key whose id stands in the header of a request. The id is a
// stranger's text: keys bounds what it can cause. A request with no such id has no key.
func ByKeyID(keys *keyfetch.Fetcher) verify.KeySource {
	return verify.KeyFunc(func(ctx context.Context, h *verify.Head) ([]verify.Key, error) {
		s, err := parse(h)
		if err != nil {
			return nil, refuse(verify.ErrNoKey, err)
		}
		k, err := keys.Key(ctx, s.keyID)
		if err != nil {
			return nil, err
		}
		return []verify.Key{k}, nil
	})
}

// profile holds the facts of the scheme.
func profile() verify.Profile {
	return verify.Profile{
		Provider:  "ebay",
		MediaType: "application/json",
		MaxBody:   1 << 20, // eBay states no limit; a notification has a few KiB
		Binding:   verify.BindingFull,
		Retry:     verify.RetryIdentical,
		Retention: 31 * 24 * time.Hour, // an endpoint that is down has 30 days to be repaired
		Rejection: verify.Rejection{Status: http.StatusPreconditionFailed},
	}
}

// Causes of refusals. They hold nothing of the request.
var (
	errNoHead    = errors.New("no head, or a head without a receive time")
	errRepeated  = errors.New("X-EBAY-SIGNATURE stands there more than once")
	errHeader    = errors.New("X-EBAY-SIGNATURE is not base64 of a JSON object with alg, kid, signature and digest")
	errAlgorithm = errors.New("X-EBAY-SIGNATURE names another algorithm than ECDSA with SHA-1")
	errKeyID     = errors.New("the kid of X-EBAY-SIGNATURE is not 1 to 128 letters, digits, - and _")
	errSignature = errors.New("the signature of X-EBAY-SIGNATURE is not base64 of the DER of two numbers")
	errChallenge = errors.New("challenge_code is not there once, with 1 to 256 letters, digits, - and _")
	errQuery     = errors.New("the query of the check of the URL is too long or malformed")
	errBody      = errors.New("the check of the URL has a body, and should have none")
)

func (v *Verifier) configure(keys verify.KeySource) error {
	o := &v.o
	u, err := url.Parse(o.Endpoint)
	switch {
	case !o.InsecureSHA1:
		return errors.New("eBay signs with SHA-1, and with nothing else: set Options.InsecureSHA1 if you know what that means")
	case (o.Endpoint == "") != (o.VerificationToken == ""):
		return errors.New("the check of the URL takes both Options.Endpoint and Options.VerificationToken")
	case o.Endpoint != "" && (err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || len(o.Endpoint) > maxEndpoint):
		return errors.New("the Endpoint is no https URL: want the one that is registered at eBay")
	case o.VerificationToken != "" && (len(o.VerificationToken) < minToken || !isName(o.VerificationToken, maxToken)):
		return errors.New("the VerificationToken is not 32 to 80 letters, digits, - and _")
	}
	if token, endpoint := o.VerificationToken, o.Endpoint; token != "" {
		v.answer = func(code string) string {
			sum := sha256.Sum256([]byte(code + token + endpoint))
			return hex.EncodeToString(sum[:])
		}
	}
	o.VerificationToken = "" // which is in the closure
	private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), append(make([]byte, 31), 1))
	if err != nil {
		return err
	}
	v.ring, err = keyring.New(keys, prepare, &key{public: &private.PublicKey})
	return err
}

// prepare checks a key.
func prepare(k verify.Key) (*key, []byte, error) {
	public, ok := k.Public().(*ecdsa.PublicKey)
	if !ok {
		return nil, nil, fmt.Errorf("%v is no public key on P-256, with which eBay's signatures verify", k)
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, nil, fmt.Errorf("%v is no public key on P-256", k)
	}
	return &key{k.Scope(), k.Label(), public}, der, nil
}

// Profile returns the facts of the scheme.
func (v *Verifier) Profile() verify.Profile { return profile() }

// Format prints the name of the type, whatever the verb.
func (Verifier) Format(s fmt.State, _ rune) { io.WriteString(s, "ebay.Verifier") }

// signature is what the header holds.
type signature struct {
	keyID string
	der   []byte
}

// parse reads the header. Its errors are refusals.
func parse(h *verify.Head) (*signature, error) {
	if h == nil {
		return nil, refuse(verify.ErrMalformed, errNoHead)
	}
	values := h.Header[header]
	switch {
	case len(values) > 1:
		return nil, refuse(verify.ErrMalformed, errRepeated)
	case len(values) == 0 || values[0] == "":
		return nil, refuse(verify.ErrUnsigned, nil)
	case len(values[0]) > maxHeader:
		return nil, refuse(verify.ErrMalformed, errHeader)
	}
	text, ok := decode(values[0])
	if !ok {
		return nil, refuse(verify.ErrMalformed, errHeader)
	}
	object, err := strictjson.Parse(text, maxValues)
	if err != nil || object.Kind != strictjson.Object {
		return nil, refuse(verify.ErrMalformed, errHeader)
	}
	members := make(map[string]string)
	for _, name := range [...]string{"alg", "kid", "signature", "digest"} {
		value, err := object.Get(name)
		if err != nil || value.Kind != strictjson.String {
			return nil, refuse(verify.ErrMalformed, errHeader)
		}
		members[name] = value.Text
	}
	s := &signature{keyID: members["kid"]}
	switch {
	case members["alg"] != "ecdsa" || members["digest"] != "SHA1":
		return nil, refuse(verify.ErrMalformed, errAlgorithm)
	case !isName(s.keyID, maxID):
		return nil, refuse(verify.ErrMalformed, errKeyID)
	}
	if s.der, ok = decode(members["signature"]); !ok || !canonical(s.der) {
		return nil, refuse(verify.ErrMalformed, errSignature)
	}
	return s, nil
}

// decode decodes standard base64 that has no other spelling.
func decode(text string) ([]byte, bool) {
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	return raw, err == nil && base64.StdEncoding.EncodeToString(raw) == text
}

// canonical reports whether a signature is the DER of two positive numbers, as DER writes
// them, and nothing else.
func canonical(der []byte) bool {
	if len(der) < minSignature || len(der) > maxSignature {
		return false
	}
	var pair struct{ R, S *big.Int }
	rest, err := asn1.Unmarshal(der, &pair)
	if err != nil || len(rest) > 0 || pair.R.Sign() <= 0 || pair.S.Sign() <= 0 {
		return false
	}
	again, err := asn1.Marshal(pair)
	return err == nil && bytes.Equal(again, der)
}

// isName reports whether s is 1 to most ASCII letters, digits, "-" and "_".
func isName(s string, most int) bool {
	if s == "" || len(s) > most {
		return false
	}
	for i := range len(s) {
		c := s[i] | 0x20
		if (s[i] < '0' || s[i] > '9') && (c < 'a' || c > 'z') && s[i] != '-' && s[i] != '_' {
			return false
		}
	}
	return true
}

// Begin refuses a header that no body could make right.
func (v *Verifier) Begin(ctx context.Context, h *verify.Head) (verify.Pending, error) {
	if h == nil || h.ReceivedAt.IsZero() {
		return nil, refuse(verify.ErrMalformed, errNoHead)
	}
	s, err := parse(h)
	if err != nil {
		return nil, err
	}
	p := &pending{signature: s.der, received: h.ReceivedAt}
	if p.keys, p.noKey, err = v.ring.Find(ctx, h); err != nil {
		return nil, refuse(verify.ErrUnavailable, err)
	}
	return p, nil
}

// pending is a request whose header has the right form.
type pending struct {
	signature []byte
	keys      []*key
	noKey     error
	received  time.Time
}

// Format prints the name of the type, whatever the verb: a signature is a credential.
func (pending) Format(s fmt.State, _ rune) { io.WriteString(s, "ebay.pending") }

// Finish checks the signature.
func (p *pending) Finish(_ context.Context, body []byte) (*verify.Delivery, error) {
	digest := sha1.Sum(body)
	var by *key
	for _, k := range p.keys {
		if by == nil && ecdsa.VerifyASN1(k.public, digest[:], p.signature) {
			by = k
		}
	}
	switch {
	case p.noKey != nil:
		return nil, refuse(verify.ErrNoKey, p.noKey)
	case by == nil:
		return nil, refuse(verify.ErrMismatch, nil)
	}
	return &verify.Delivery{
		Provider: "ebay",
		Scope:    by.scope,
		KeyLabel: by.label,
		ID:       eventID(body),
		// Of a signature anyone can make a second one, so it identifies nothing.
		Fingerprint: verify.NewFingerprint(sha256.Sum256(body)),
		ReceivedAt:  p.received,
		Binding:     verify.BindingFull,
		Body:        body,
	}, nil
}

// eventID returns the notificationId of a body, or "".
func eventID(body []byte) string {
	id := string(jsonscan.Member(jsonscan.Raw(body, "notification"), "notificationId"))
	if !isName(id, maxID) {
		return ""
	}
	return id
}

// HandshakeMethods returns the method by which a handshake comes, where the options have
// one.
func (v *Verifier) HandshakeMethods() []string {
	if v.answer == nil {
		return nil
	}
	return []string{http.MethodGet}
}

// Challenge answers a GET with challenge_code.
func (v *Verifier) Challenge(_ context.Context, h *verify.Head) (verify.Challenge, error) {
	if v.answer == nil || h == nil || h.Method != http.MethodGet || h.URL == nil {
		return nil, nil
	}
	if len(h.URL.RawQuery) > maxQuery {
		return nil, refuse(verify.ErrMalformed, errQuery)
	}
	values, err := url.ParseQuery(h.URL.RawQuery)
	codes := values[parameter]
	switch {
	case len(codes) == 0:
		return nil, nil
	case err != nil:
		return nil, refuse(verify.ErrMalformed, errQuery)
	case len(codes) > 1 || !isName(codes[0], maxCode):
		return nil, refuse(verify.ErrMalformed, errChallenge)
	}
	return &challenge{v, codes[0]}, nil
}

// challenge is a request whose head is that of the check of the URL.
type challenge struct {
	v    *Verifier
	code string
}

// Format prints the name of the type, whatever the verb.
func (challenge) Format(s fmt.State, _ rune) { io.WriteString(s, "ebay.challenge") }

// Finish returns the response.
func (c *challenge) Finish(_ context.Context, body []byte) (*verify.Response, error) {
	if len(body) > 0 {
		return nil, refuse(verify.ErrMalformed, errBody)
	}
	return &verify.Response{
		ContentType: verify.ApplicationJSON,
		Body:        []byte(`{"challengeResponse":"` + c.v.answer(c.code) + `"}`),
		Computed:    true,
	}, nil
}

// Respond returns nil: no delivery is a handshake.
func (v *Verifier) Respond(context.Context, *verify.Head, *verify.Delivery) (*verify.Response, error) {
	return nil, nil
}

func refuse(r verify.Reason, cause error) error { return &verify.Error{Reason: r, Cause: cause} }
