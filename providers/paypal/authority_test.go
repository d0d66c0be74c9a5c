package paypal_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"hash/crc32"
	"math/big"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/paypal"
	"github.com/hooknotary/hooknotary/verify"
)

const (
	webhookID   = "8PT597110X687430L"
	liveName    = "messageverificationcerts.paypal.com"
	sandboxName = "messageverificationcerts.sandbox.paypal.com"
	certURL     = "https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-1d93a270"
	sandboxURL  = "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-1d93a270"
	issuerURL   = "http://cacerts.digicert.com/Issuer.crt"
)

// receivedAt is far from the time at which tests run: no verdict may depend on a
// clock.
var (
	receivedAt = time.Date(2029, 11, 3, 17, 20, 41, 0, time.UTC)
	event      = []byte(`{"id":"WH-2WR32451HC0233532-67976317FL4543714","event_version":"1.0","create_time":"2029-11-03T17:20:38.000Z","event_type":"PAYMENT.CAPTURE.COMPLETED","resource":{"id":"42311647XV020574X","amount":{"value":"20.00","currency_code":"EUR"},"note":"1 < 2 & 3 > 2"},"links":[{"href":"https://api.paypal.com/v1/notifications/webhooks-events/WH-2WR32451HC0233532-67976317FL4543714?a=1&b=2","rel":"self","method":"GET"}]}`)
)

// Keys of RSA take long to make, so tests share them.
var (
	leafKey  = sync.OnceValue(func() *rsa.PrivateKey { return rsaKey(2048) })
	otherKey = sync.OnceValue(func() *rsa.PrivateKey { return rsaKey(2048) })
)

func rsaKey(bits int) *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	must(err)
	return key
}

// must is for what cannot go wrong because of the code that is tested.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// authority issues certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

type edit = func(*x509.Certificate)

// newAuthority makes an authority under another one, or a root if that is nil.
func newAuthority(name string, parent *authority, edits ...edit) *authority {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:              time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	a := &authority{key: key}
	if parent == nil {
		parent = &authority{cert: template, key: key}
	}
	a.cert = parent.issue(template, key.Public(), edits...)
	return a
}

// issue issues a certificate.
func (a *authority) issue(template *x509.Certificate, public any, edits ...edit) *x509.Certificate {
	for _, edit := range edits {
		edit(template)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	must(err)
	template.SerialNumber = serial
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, public, a.key)
	must(err)
	cert, err := x509.ParseCertificate(der)
	must(err)
	return cert
}

// leaf issues a certificate as PayPal has them, for the year 2029.
func (a *authority) leaf(public any, edits ...edit) *x509.Certificate {
	return a.issue(&x509.Certificate{
		Subject:               pkix.Name{CommonName: liveName, Organization: []string{"PayPal, Inc."}},
		DNSNames:              []string{liveName},
		NotBefore:             time.Date(2029, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:              time.Date(2029, 12, 31, 23, 59, 59, 0, time.UTC),
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IssuingCertificateURL: []string{issuerURL},
	}, public, edits...)
}

// name changes in whose name a certificate is.
func name(common string, alternative ...string) edit {
	return func(c *x509.Certificate) { c.Subject.CommonName, c.DNSNames = common, alternative }
}

func validFrom(at time.Time) edit  { return func(c *x509.Certificate) { c.NotBefore = at } }
func validUntil(at time.Time) edit { return func(c *x509.Certificate) { c.NotAfter = at } }

// issuedAt changes where a certificate says that its issuer's is to be had.
func issuedAt(urls ...string) edit {
	return func(c *x509.Certificate) { c.IssuingCertificateURL = urls }
}

// inPEM writes certificates as PayPal does, with CRLF.
func inPEM(certs ...*x509.Certificate) []byte {
	var file []byte
	for _, cert := range certs {
		block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
		file = append(file, bytes.ReplaceAll(block, []byte("\n"), []byte("\r\n"))...)
	}
	return file
}

// newID returns a transmission id.
func newID() string {
	b := make([]byte, 16)
	rand.Read(b)
	b[6], b[8] = b[6]&0x0f|0x10, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// sent returns the head of a genuine transmission of body at receivedAt, signed
// with leafKey.
func sent(body []byte) *verify.Head { return sentUnder(certURL, leafKey(), receivedAt, body) }

// genuine is one such transmission of event, always the same.
var genuine = sync.OnceValue(func() *verify.Head { return sent(event) })

func sentUnder(certURL string, key *rsa.PrivateKey, at time.Time, body []byte) *verify.Head {
	id, timestamp := newID(), at.UTC().Format("2006-01-02T15:04:05Z")
	message := fmt.Appendf(nil, "%s|%s|%s|%d", id, timestamp, webhookID, crc32.ChecksumIEEE(body))
	digest := sha256.Sum256(message)
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	must(err)
	return &verify.Head{
		Method: http.MethodPost,
		Header: http.Header{
			"Content-Type":             {"application/json"},
			"Paypal-Transmission-Id":   {id},
			"Paypal-Transmission-Time": {timestamp},
			"Paypal-Transmission-Sig":  {base64.StdEncoding.EncodeToString(signature)},
			"Paypal-Cert-Url":          {certURL},
			"Paypal-Auth-Algo":         {"SHA256withRSA"},
			"Paypal-Auth-Version":      {"v2"},
		},
		ReceivedAt: at,
	}
}

// with returns a copy of h whose header has these values, or no field of that
// name if there are none.
func with(h *verify.Head, name string, values ...string) *verify.Head {
	c := *h
	c.Header = h.Header.Clone()
	delete(c.Header, name)
	if len(values) > 0 {
		c.Header[name] = values
	}
	return &c
}

// received returns a copy of h that arrived at another time.
func received(h *verify.Head, at time.Time) *verify.Head {
	c := *h
	c.ReceivedAt = at
	return &c
}

// world is PayPal with its authorities, and the hosts that serve certificates.
type world struct {
	root, issuer *authority
	hosts        *hosts
	net          *memory
}

// newWorld makes a world in which certURL serves a genuine certificate for
// leafKey, and issuerURL that of its issuer.
func newWorld() *world {
	w := &world{root: newAuthority("Test Root", nil), hosts: newHosts()}
	w.issuer = newAuthority("Test Issuer", w.root)
	w.net = &memory{handler: w.hosts}
	w.hosts.file(certURL, w.genuineFile())
	w.hosts.file(issuerURL, w.issuer.cert.Raw)
	return w
}

// genuineFile returns the file of a genuine certificate for leafKey, as PayPal
// serves it.
func (w *world) genuineFile() []byte { return inPEM(w.issuer.leaf(leafKey().Public())) }

// verifier makes a verifier that lives in this world.
func (w *world) verifier(t testing.TB, edits ...func(*paypal.Options)) *paypal.Verifier {
	t.Helper()
	o := &paypal.Options{Roots: []*x509.Certificate{w.root.cert}, Transport: w.net}
	for _, edit := range edits {
		edit(o)
	}
	v, err := paypal.New(webhookID, o)
	if err != nil {
		t.Fatal(err)
	}
	if o.CertFile != "" {
		// A flight writes the file after its deliveries were told, and must not do so
		// when the test's folder is removed.
		t.Cleanup(func() { v.Prefetch(context.Background()) })
	}
	return v
}
