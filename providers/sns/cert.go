package sns

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/hooknotary/hooknotary/providers/internal/certstore"
)

var (
	errCertURL = errors.New("SigningCertURL is not a certificate on SNS's host of the topic's region")
	errName    = errors.New("the certificate is not in a name that SNS signs in, in a region of the topics")
	errFile    = errors.New("it holds a certificate that is none of SNS in a region of the topics")
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

func (v *Verifier) newCerts(o *Options) (*certstore.Store, error) {
	hosts, names := make(map[string]bool), make(map[string]bool)
	for _, t := range v.topics {
		hosts[t.host] = true
		for _, name := range namesOf(t) {
			names[name] = true
		}
	}
	return certstore.New(certstore.Config{
		Provider: "sns",
		IsURL: func(url string) bool {
			for host := range hosts {
				if isCertURL(url, host) {
					return true
				}
			}
			return false
		},
		ErrURL: errCertURL,
		InName: func(cert *x509.Certificate) bool {
			return len(cert.DNSNames) == 1 && names[cert.DNSNames[0]]
		},
		ErrName:      errName,
		ErrFile:      errFile,
		IsIssuerHost: isIssuerHost,
		UnknownRoot: func(issuer string, why error) error {
			return &UnknownRootError{Issuer: issuer, why: why}
		},
		Client:        v.client,
		Roots:         o.Roots,
		Intermediates: o.Intermediates,
		CertFile:      o.CertFile,
	})
}

// namesOf returns the names that SNS signs in, in the region of a topic. That of the oldest
// regions is the first one.
func namesOf(t topic) []string {
	suffix := strings.TrimPrefix(t.host, "sns."+t.region)
	switch {
	case strings.HasPrefix(t.region, "us-gov-"):
		return []string{"sns-us-gov-west-1.amazonaws.com"}
	case strings.HasPrefix(t.region, "cn-"):
		return []string{"sns-" + t.region + suffix, "sns-signing." + t.region + suffix}
	}
	return []string{"sns" + suffix, "sns-signing." + t.region + suffix}
}

// isCertURL reports whether s is exactly what SNS writes. It does not parse, so there is no
// second reading of s.
func isCertURL(s, host string) bool {
	name, ok := strings.CutPrefix(s, "https://"+host+"/")
	name, pem := strings.CutSuffix(name, ".pem")
	return ok && pem && isName(name, "-", 128)
}

// isIssuerHost reports whether a host serves certificates of Amazon's issuers.
func isIssuerHost(host string) bool {
	label, ok := strings.CutSuffix(host, ".amazontrust.com")
	label, crt := strings.CutPrefix(label, "crt.")
	return ok && crt && isName(label, "", 32)
}

// UnknownRootError is the cause of a refusal as verify.ErrUntrusted that needs a person: the
// host of SNS served, over TLS that verified, a certificate in the name of SNS that is valid
// at the receive time, and no chain leads from it to a root that is trusted then. Every
// delivery under that certificate is refused until Options.Intermediates and Options.Roots
// lead to one.
//
// A request alone cannot cause it, because the certificate is AWS's.
type UnknownRootError struct {
	// Issuer is the common name of the issuer that is not known, or at which the chain ends
	// that is over. It is a public fact, and it is not verified.
	Issuer string

	why error
}

// Error says what is wrong and what to do.
func (e *UnknownRootError) Error() string {
	return fmt.Sprint("SNS's own host serves a certificate in SNS's name without a trusted root: ", e.why)
}

// Unwrap returns why no chain leads to a root.
func (e *UnknownRootError) Unwrap() error { return e.why }

// Alarm returns true: an observer must not hide this error among the refusals that anyone
// can cause.
func (e *UnknownRootError) Alarm() bool { return true }
