package apple_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/apple"
	"github.com/hooknotary/hooknotary/verify"
)

const (
	bundleID = "com.example.app"
	uuid     = "8b0f2a52-7c1d-4e1b-9a54-2f6f0f6f3a11"
)

var (
	noon = time.Date(2026, 3, 14, 12, 0, 0, 250e6, time.UTC)

	signsForAppStore   = asn1.ObjectIdentifier{1, 2, 840, 113635, 100, 6, 11, 1}
	developerRelations = asn1.ObjectIdentifier{1, 2, 840, 113635, 100, 6, 2, 1}
)

// holder is a certificate with its key.
type holder struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// The authorities are on P-256, which is fast; Apple's are on P-384, as those of testdata are.
var (
	root         = issue(nil, elliptic.P256(), authority("a root"))
	stranger     = issue(nil, elliptic.P256(), authority("a root"))
	intermediate = issue(root, elliptic.P256(), relations)
	leaf         = issue(intermediate, elliptic.P256(), signing)
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func authority(name string) func(c *x509.Certificate) {
	return func(c *x509.Certificate) {
		c.Subject.CommonName, c.IsCA, c.BasicConstraintsValid, c.KeyUsage = name, true, true, x509.KeyUsageCertSign
	}
}

// mark adds an extension of Apple's: its value is a NULL.
func mark(c *x509.Certificate, id asn1.ObjectIdentifier) {
	c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: id, Value: asn1.NullBytes})
}

func relations(c *x509.Certificate) {
	authority("an intermediate")(c)
	mark(c, developerRelations)
}

func signing(c *x509.Certificate) {
	c.Subject.CommonName, c.KeyUsage = "a signer", x509.KeyUsageDigitalSignature
	mark(c, signsForAppStore)
}

// issue makes a certificate, of itself where there is no issuer. The edits come in turn.
func issue(by *holder, curve elliptic.Curve, edits ...func(c *x509.Certificate)) *holder {
	return certify(by, must(ecdsa.GenerateKey(curve, rand.Reader)), edits...)
}

func certify(by *holder, key crypto.Signer, edits ...func(c *x509.Certificate)) *holder {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(0x1f2e), NotBefore: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2110, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	for _, edit := range edits {
		edit(template)
	}
	if by == nil {
		by = &holder{template, key}
	}
	der := must(x509.CreateCertificate(rand.Reader, template, by.cert, key.Public(), by.key))
	return &holder{must(x509.ParseCertificate(der)), key}
}

func rsaKey() crypto.Signer { return must(rsa.GenerateKey(rand.Reader, 2048)) }

type object = map[string]any

// token is a signature in the making.
type token struct {
	header, payload object
	key             crypto.Signer
}

func x5c(chain ...*holder) []string {
	var all []string
	for _, h := range chain {
		all = append(all, base64.StdEncoding.EncodeToString(h.cert.Raw))
	}
	return all
}

// notification is a genuine one of production.
func notification(at time.Time) *token {
	return &token{
		header: object{"alg": "ES256", "x5c": x5c(leaf, intermediate, root)},
		payload: object{
			"notificationType": "SUBSCRIBED", "subtype": "INITIAL_BUY", "notificationUUID": uuid, "version": "2.0", "signedDate": at.UnixMilli(),
			"data": object{
				"appAppleId": 1234567890, "bundleId": bundleID, "bundleVersion": "7", "environment": "Production",
				"signedTransactionInfo": "eyJ4IjoxfQ.eyJ4IjoxfQ.AAAA", "status": 1,
			},
		},
		key: leaf.key,
	}
}

// about returns what names the app.
func (t *token) about() object { return t.payload["data"].(object) }

// under moves what names the app to another member.
func (t *token) under(name string) object {
	m := t.about()
	delete(t.payload, "data")
	t.payload[name] = m
	return m
}

func encode(v any) string { return base64.RawURLEncoding.EncodeToString(must(json.Marshal(v))) }

// signature signs a text as ES256 does.
func signature(key crypto.Signer, text string) []byte {
	digest := sha256.Sum256([]byte(text))
	k, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return make([]byte, 64)
	}
	r, s, err := ecdsa.Sign(rand.Reader, k, digest[:])
	if err != nil {
		panic(err)
	}
	size := (k.Params().BitSize + 7) / 8
	return append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...)
}

func (t *token) text() string {
	signed := encode(t.header) + "." + encode(t.payload)
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature(t.key, signed))
}

func (t *token) body() []byte { return []byte(fmt.Sprintf(`{"signedPayload":"%s"}`, t.text())) }

// newVerifier makes a verifier that trusts root.
func newVerifier(t testing.TB, edit func(o *apple.Options)) *apple.Verifier {
	t.Helper()
	o := &apple.Options{InsecureRoot: root.cert}
	if edit != nil {
		edit(o)
	}
	v, err := apple.New(bundleID, o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func head(at time.Time) *verify.Head {
	return &verify.Head{Method: http.MethodPost, Header: http.Header{"Content-Type": {"application/json"}}, ReceivedAt: at}
}

func judge(v *apple.Verifier, body []byte) (*verify.Delivery, error) {
	return verify.Verify(context.Background(), v, head(noon.Add(time.Second)), body)
}
