package paypal

import (
	"crypto/x509"
	"math"
)

// RootsOf returns the roots that a verifier trusts.
func RootsOf(v *Verifier) *x509.CertPool { return v.certs.roots }

// Unlimited lets a verifier fetch as many certificates as it is asked for, for tests
// that name many and are about something else.
func Unlimited(v *Verifier) *Verifier {
	v.certs.open.size = math.MaxFloat64
	return v
}
