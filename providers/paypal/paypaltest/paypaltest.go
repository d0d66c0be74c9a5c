// Package paypaltest stands for PayPal in tests: it has a certificate authority of
// its own, signs deliveries as PayPal does, and serves the certificates. It shares
// no code with the verifier, so the two check each other.
//
//	pp := paypaltest.New("8PT597110X687430L")
//	v, err := paypal.New("8PT597110X687430L", &paypal.Options{Transport: pp, Roots: pp.Roots()})
//	handler.ServeHTTP(recorder, pp.NewRequest("https://shop.example/hooks/paypal", time.Now(), body))
//
// Nothing leaves the process. What the verifier demands of hosts, URLs, chains and
// names stays in force: a PayPal here serves its certificate at a URL of PayPal's,
// and that of the issuer where the certificate says.
package paypaltest

import (
	"bytes"
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
	"io"
	"math/big"
	"net/http"
	"sync"
	"time"
)

const issuerURL = "http://cacerts.digicert.com/HooknotaryTestIssuer.crt"

// PayPal signs for one webhook. It is safe for concurrent use.
type PayPal struct {
	webhookID string
	certURL   string
	key       *rsa.PrivateKey
	root      *x509.Certificate
	files     map[string][]byte

	mu      sync.Mutex
	fetched []string
}

// New makes a live PayPal with new keys, which takes a moment.
func New(webhookID string) *PayPal {
	return newPayPal(webhookID, "api.paypal.com", "messageverificationcerts.paypal.com")
}

// NewSandbox makes a PayPal of the sandbox.
func NewSandbox(webhookID string) *PayPal {
	return newPayPal(webhookID, "api.sandbox.paypal.com", "messageverificationcerts.sandbox.paypal.com")
}

func newPayPal(webhookID, host, name string) *PayPal {
	root, rootKey := authority("Hooknotary Test Root", nil, nil)
	issuer, issuerKey := authority("Hooknotary Test Issuer", root, rootKey)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(err)
	leaf := template(name)
	leaf.DNSNames = []string{name}
	leaf.KeyUsage = x509.KeyUsageDigitalSignature
	leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	leaf.IssuingCertificateURL = []string{issuerURL}
	der, err := x509.CreateCertificate(rand.Reader, leaf, issuer, key.Public(), issuerKey)
	must(err)
	p := &PayPal{webhookID: webhookID, key: key, root: root}
	p.certURL = fmt.Sprintf("https://%s/v1/notifications/certs/CERT-%x-%x", host, random(4), random(4))
	p.files = map[string][]byte{
		p.certURL: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		issuerURL: issuer.Raw,
	}
	return p
}

// authority makes a certificate authority under parent, or one that signs itself.
func authority(name string, parent *x509.Certificate, parentKey *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	t := template(name)
	t.IsCA, t.BasicConstraintsValid = true, true
	t.KeyUsage = x509.KeyUsageCertSign
	if parent == nil {
		parent, parentKey = t, key
	}
	der, err := x509.CreateCertificate(rand.Reader, t, parent, key.Public(), parentKey)
	must(err)
	cert, err := x509.ParseCertificate(der)
	must(err)
	return cert, key
}

func template(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(random(12)),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:     time.Date(2120, 1, 1, 0, 0, 0, 0, time.UTC),
	}
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

func must(err error) {
	if err != nil {
		panic("paypaltest: " + err.Error())
	}
}

// Roots returns the root for paypal.Options.Roots.
func (p *PayPal) Roots() []*x509.Certificate { return []*x509.Certificate{p.root} }

// CertURL returns the URL of the certificate, for paypal.Verifier.Prefetch.
func (p *PayPal) CertURL() string { return p.certURL }

// Header returns the headers of a delivery that was transmitted at the given
// time, in whole seconds, under a new random transmission id.
func (p *PayPal) Header(at time.Time, body []byte) http.Header {
	id := random(16)
	id[6], id[8] = id[6]&0x0f|0x10, id[8]&0x3f|0x80
	uuid := fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
	timestamp := at.UTC().Format("2006-01-02T15:04:05Z")
	digest := sha256.Sum256(fmt.Appendf(nil, "%s|%s|%s|%d", uuid, timestamp, p.webhookID, crc32.ChecksumIEEE(body)))
	signature, err := rsa.SignPKCS1v15(nil, p.key, crypto.SHA256, digest[:])
	must(err)
	h := make(http.Header)
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "PayPal/AUHD-214.0-0")
	h.Set("PAYPAL-TRANSMISSION-ID", uuid)
	h.Set("PAYPAL-TRANSMISSION-TIME", timestamp)
	h.Set("PAYPAL-TRANSMISSION-SIG", base64.StdEncoding.EncodeToString(signature))
	h.Set("PAYPAL-CERT-URL", p.certURL)
	h.Set("PAYPAL-AUTH-ALGO", "SHA256withRSA")
	h.Set("PAYPAL-AUTH-VERSION", "v2")
	return h
}

// NewRequest returns a signed delivery, ready for http.Client.Do as well as for a
// handler's ServeHTTP. It panics on a URL that does not parse.
func (p *PayPal) NewRequest(url string, at time.Time, body []byte) *http.Request {
	r, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	must(err)
	r.Header = p.Header(at, body)
	return r
}

// RoundTrip serves the certificates, and 404 for anything else.
func (p *PayPal) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	p.mu.Lock()
	p.fetched = append(p.fetched, r.URL.String())
	p.mu.Unlock()
	file, ok := p.files[r.URL.String()]
	res := &http.Response{
		StatusCode:    http.StatusOK,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        http.Header{"Content-Type": {"application/x-pem-file"}},
		Body:          io.NopCloser(bytes.NewReader(file)),
		ContentLength: int64(len(file)),
		Request:       r,
	}
	if !ok {
		res.StatusCode = http.StatusNotFound
	}
	return res, nil
}

// Fetched returns the URLs that were asked for, in order.
func (p *PayPal) Fetched() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.fetched...)
}
