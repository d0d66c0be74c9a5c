package apple

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/providers/internal/strictjson"
	"github.com/hooknotary/hooknotary/verify"
)

const (
	production = "Production"
	sandbox    = "Sandbox"

	maxHeader = 24 << 10 // three certificates of up to 4 KiB, in base64 twice
	maxCert   = 4 << 10
	maxValues = 1024 // of a payload: a summary lists up to 200 countries
	maxID     = 128
	certs     = 3
	p256Size  = 64 // bytes of a signature: two numbers
)

// Causes of refusals. They hold nothing of the request.
var (
	errMembers   = errors.New("the body holds more than signedPayload")
	errEscape    = errors.New("the body has an escape in it, which signedPayload does not need")
	errForm      = errors.New("signedPayload is not a header, a payload and a signature in base64url")
	errHeader    = errors.New("the header of signedPayload is no JSON object, or is too large")
	errAlgorithm = errors.New("the header of signedPayload has another alg than ES256")
	errOtherKey  = errors.New("the header of signedPayload points at another key, or asks to be read in another way")
	errX5C       = errors.New("x5c is not three certificates in base64")
	errPayload   = errors.New("the payload of signedPayload is no JSON object, or has too many values")
	errMember    = errors.New("notificationType, notificationUUID or signedDate is missing, or is not of its form")
	errSubject   = errors.New("the payload has not exactly one of data, appData, summary and externalPurchaseToken, with an app in it")

	errBundleID    = errors.New("the bundle id is not that of this endpoint")
	errEnvironment = errors.New("the notification is of the other environment, sandbox or production")
	errAppAppleID  = errors.New("appAppleId is not that of this endpoint")

	errCertificate  = errors.New("a certificate cannot be read")
	errRoot         = errors.New("the third certificate is not Apple Root CA - G3")
	errKind         = errors.New("a certificate has another kind of key than Apple's")
	errLeaf         = errors.New("the first certificate is not one that signs for the App Store: it lacks Apple's extension, or is an authority")
	errIntermediate = errors.New("the second certificate is not that of Apple Worldwide Developer Relations: it lacks Apple's extension")
	errChain        = errors.New("the certificates do not chain up to the root at the receive time")
)

// signedPayload is a body that has the right form.
type signedPayload struct {
	signed       []byte // header and payload, with the point between them
	payload      []byte
	signature    []byte
	certs        [certs][]byte
	notification notification
}

// notification is what a verifier looks at.
type notification struct {
	id, bundleID, environment string
	appAppleID                int64 // 0: none
	signedAt                  time.Time
}

// parse reads a body. Its errors are refusals.
func parse(body []byte) (*signedPayload, error) {
	v, err := strictjson.Parse(body, maxValues)
	if err != nil {
		return nil, refuse(verify.ErrMalformed, err)
	}
	if v.Kind != strictjson.Object {
		return nil, refuse(verify.ErrUnsigned, nil)
	}
	m, err := v.Get("signedPayload")
	switch {
	case err != nil:
		return nil, refuse(verify.ErrMalformed, err)
	case m.Kind == 0, m.Kind == strictjson.String && m.Text == "":
		return nil, refuse(verify.ErrUnsigned, nil)
	case m.Kind != strictjson.String:
		return nil, refuse(verify.ErrMalformed, errForm)
	case len(v.Members) != 1:
		return nil, refuse(verify.ErrMalformed, errMembers)
	case bytes.IndexByte(body, '\\') >= 0:
		return nil, refuse(verify.ErrMalformed, errEscape)
	}
	s, err := parseJWS(m.Text)
	if err != nil {
		return nil, refuse(verify.ErrMalformed, err)
	}
	return s, nil
}

// parseJWS reads a signature in the compact form. Each part has one spelling.
func parseJWS(text string) (*signedPayload, error) {
	parts := strings.SplitN(text, ".", 4)
	if len(parts) != 3 {
		return nil, errForm
	}
	if len(parts[0]) > maxHeader {
		return nil, errHeader
	}
	header, ok := decode(base64.RawURLEncoding, parts[0])
	if !ok {
		return nil, errForm
	}
	s := &signedPayload{signed: []byte(text[:len(parts[0])+1+len(parts[1])])}
	if s.payload, ok = decode(base64.RawURLEncoding, parts[1]); !ok {
		return nil, errForm
	}
	if s.signature, ok = decode(base64.RawURLEncoding, parts[2]); !ok || len(s.signature) != p256Size {
		return nil, errForm
	}
	var err error
	if s.certs, err = parseHeader(header); err != nil {
		return nil, err
	}
	if s.notification, err = parsePayload(s.payload); err != nil {
		return nil, err
	}
	return s, nil
}

// decode decodes base64 that has its one spelling.
func decode(e *base64.Encoding, text string) ([]byte, bool) {
	b, err := e.Strict().DecodeString(text)
	return b, err == nil && e.EncodeToString(b) == text
}

// parseHeader returns the certificates of a header. The algorithm is fixed, and nothing
// else that could choose a key may be there. Other members are signed, and say nothing.
func parseHeader(header []byte) (found [certs][]byte, err error) {
	v, err := strictjson.Parse(header, maxValues)
	if err != nil || v.Kind != strictjson.Object {
		return found, errHeader
	}
	for _, m := range v.Members {
		switch strings.ToLower(m.Name) {
		case "jku", "jwk", "x5u", "x5t", "x5t#s256", "kid", "crit", "b64", "zip", "enc":
			return found, errOtherKey
		}
	}
	alg, err := v.Get("alg")
	if err != nil || alg.Kind != strictjson.String || alg.Text != "ES256" {
		return found, errAlgorithm
	}
	x5c, err := v.Get("x5c")
	if err != nil || x5c.Kind != strictjson.Array || len(x5c.Elements) != certs {
		return found, errX5C
	}
	for i, e := range x5c.Elements {
		var ok bool
		if found[i], ok = decode(base64.StdEncoding, e.Text); e.Kind != strictjson.String || !ok || len(found[i]) == 0 || len(found[i]) > maxCert {
			return found, errX5C
		}
	}
	return found, nil
}

// parsePayload reads what a verifier looks at.
func parsePayload(payload []byte) (n notification, err error) {
	v, err := strictjson.Parse(payload, maxValues)
	if err != nil || v.Kind != strictjson.Object {
		return n, errPayload
	}
	kind, err1 := v.Get("notificationType")
	id, err2 := v.Get("notificationUUID")
	at, err3 := v.Get("signedDate")
	millis, ok := integer(at)
	if err1 != nil || err2 != nil || err3 != nil || kind.Kind != strictjson.String || kind.Text == "" || !ok ||
		id.Kind != strictjson.String || !isText(id.Text, maxID, func(c byte) bool { return '!' <= c && c <= '~' }) {
		return n, errMember
	}
	n.id, n.signedAt = id.Text, time.UnixMilli(millis).UTC()

	var about strictjson.Value
	where := ""
	for _, name := range [...]string{"data", "appData", "summary", "externalPurchaseToken"} {
		m, err := v.Get(name)
		if err != nil || m.Kind != 0 && (m.Kind != strictjson.Object || where != "") {
			return n, errSubject
		}
		if m.Kind != 0 {
			about, where = m, name
		}
	}
	bundleID, err1 := about.Get("bundleId")
	environment, err2 := about.Get("environment")
	number, err3 := about.Get("appAppleId")
	if where == "" || err1 != nil || err2 != nil || err3 != nil || bundleID.Kind != strictjson.String {
		return n, errSubject
	}
	n.bundleID = bundleID.Text
	if number.Kind != 0 {
		if n.appAppleID, ok = integer(number); !ok {
			return n, errSubject
		}
	}
	switch {
	case where != "externalPurchaseToken":
		if environment.Kind != strictjson.String {
			return n, errSubject
		}
		n.environment = environment.Text
	default:
		// A token does not name its environment. Its id begins so in the sandbox.
		token, err := about.Get("externalPurchaseId")
		if err != nil || token.Kind != strictjson.String || token.Text == "" {
			return n, errSubject
		}
		n.environment = production
		if strings.HasPrefix(token.Text, "SANDBOX") {
			n.environment = sandbox
		}
	}
	return n, nil
}

// integer reads a number of up to 15 decimal digits, and nothing else.
func integer(v strictjson.Value) (int64, bool) {
	if v.Kind != strictjson.Number || len(v.Text) > 15 {
		return 0, false
	}
	n, err := strconv.ParseInt(v.Text, 10, 64)
	return n, err == nil && n >= 0 && strconv.FormatInt(n, 10) == v.Text
}

// The extensions that Apple marks its certificates with.
var (
	signsForAppStore   = asn1.ObjectIdentifier{1, 2, 840, 113635, 100, 6, 11, 1}
	developerRelations = asn1.ObjectIdentifier{1, 2, 840, 113635, 100, 6, 2, 1}
)

// chain returns the first certificate and its key if the three are Apple's at that time,
// under the root with that SHA-256.
func chain(raw [certs][]byte, root [32]byte, at time.Time) (*x509.Certificate, *ecdsa.PublicKey, error) {
	// The root comes first: all that follows is parsed of a sender that anybody may be.
	if sha256.Sum256(raw[2]) != root {
		return nil, nil, errRoot
	}
	var parsed [certs]*x509.Certificate
	for i := range raw {
		var err error
		if parsed[i], err = x509.ParseCertificate(raw[i]); err != nil {
			return nil, nil, errCertificate // its text might hold something of the body
		}
	}
	leaf, intermediate := parsed[0], parsed[1]
	key, ok := leaf.PublicKey.(*ecdsa.PublicKey)
	issuer, issuerOK := intermediate.PublicKey.(*ecdsa.PublicKey)
	switch {
	case !ok || !issuerOK || key.Curve != elliptic.P256() || issuer.Curve != elliptic.P256() && issuer.Curve != elliptic.P384():
		return nil, nil, errKind
	case !marked(leaf, signsForAppStore) || leaf.IsCA || leaf.KeyUsage != 0 && leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0:
		return nil, nil, errLeaf
	case !marked(intermediate, developerRelations):
		return nil, nil, errIntermediate
	}
	roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(parsed[2])
	intermediates.AddCert(intermediate)
	found, err := leaf.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: intermediates, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if err != nil {
		return nil, nil, errChain
	}
	for _, c := range found {
		// Not a shorter one, past the certificate whose extension was looked at.
		if len(c) == certs && c[1].Equal(intermediate) && c[2].Equal(parsed[2]) {
			return leaf, key, nil
		}
	}
	return nil, nil, errChain
}

// marked reports whether a certificate holds an extension of Apple's.
func marked(c *x509.Certificate, id asn1.ObjectIdentifier) bool {
	for _, e := range c.Extensions {
		if e.Id.Equal(id) {
			return true
		}
	}
	return false
}
