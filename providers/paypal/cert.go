package paypal

import (
	"crypto/x509"
	_ "embed"
	"errors"
	"fmt"
	"net/http"

	"github.com/hooknotary/hooknotary/providers/internal/certstore"
)

// The roots of the two families under which PayPal's certificates were issued:
// until 2026 and, as PayPal announced, afterwards. Browsers and distributions
// remove the first one, and the old certificates with it.
//
//go:embed roots/digicert-high-assurance-ev-root-ca.pem
var highAssuranceRoot []byte

//go:embed roots/digicert-global-root-g2.pem
var globalRootG2 []byte

var (
	errName = errors.New("the certificate is not in the name of PayPal's message verification")
	errFile = errors.New("it holds a certificate of something else than this environment's message verification: is it of live against sandbox?")
)

func newClient(t http.RoundTripper) *http.Client {
	if t == nil {
		d, ok := http.DefaultTransport.(*http.Transport)
		if !ok {
			d = &http.Transport{Proxy: http.ProxyFromEnvironment}
		}
		d = d.Clone()
		d.MaxResponseHeaderBytes = 16 << 10
		t = d
	}
	return &http.Client{
		Transport:     t,
		Timeout:       confirmTimeout, // those for certificates have a shorter one of their own
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func newCerts(env *environment, client *http.Client, o *Options) (*certstore.Store, error) {
	return certstore.New(certstore.Config{
		Provider: "paypal",
		IsURL:    env.isCertURL,
		ErrURL:   errCertURL,
		InName: func(cert *x509.Certificate) bool {
			return cert.Subject.CommonName == env.name && len(cert.DNSNames) == 1 && cert.DNSNames[0] == env.name
		},
		ErrName:      errName,
		ErrFile:      errFile,
		IsIssuerHost: func(host string) bool { return host == "cacerts.digicert.com" },
		UnknownRoot: func(issuer string, why error) error {
			return &UnknownRootError{Issuer: issuer, why: why}
		},
		Client:        client,
		BuiltIn:       [][]byte{highAssuranceRoot, globalRootG2},
		Roots:         o.Roots,
		Intermediates: o.Intermediates,
		CertFile:      o.CertFile,
	})
}

// UnknownRootError is the cause of a refusal as verify.ErrUntrusted that needs a
// person: PayPal's own host served, over TLS that verified, a certificate in the
// name of PayPal's message verification that is valid at the receive time, and no
// chain leads from it to a root that is trusted then. PayPal has changed its
// certificate authority, or a root that it needs has ended. Every delivery under
// that certificate is refused, and lost after 3 days of retries, until the root
// stands in Options.Roots.
//
// A request alone cannot cause it, because the certificate is PayPal's.
type UnknownRootError struct {
	// Issuer is the common name of the issuer that is not known, or at which the
	// chain ends that is over. It is a public fact, and it is not verified.
	Issuer string

	why error
}

// Error says what is wrong and what to do.
func (e *UnknownRootError) Error() string {
	return fmt.Sprint("PayPal's own host serves a certificate in PayPal's name without a trusted root: ", e.why)
}

// Unwrap returns why no chain leads to a root.
func (e *UnknownRootError) Unwrap() error { return e.why }

// Alarm returns true: an observer must not hide this error among the refusals that
// anyone can cause.
func (e *UnknownRootError) Alarm() bool { return true }
