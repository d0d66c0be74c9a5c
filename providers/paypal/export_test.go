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

// HoldFile makes v wait with its file, as for a disk that hangs, until release.
func HoldFile(v *Verifier) (release func()) {
	v.certs.write.Lock()
	return v.certs.write.Unlock
}

// Flying reports whether v fetches a certificate.
func Flying(v *Verifier) bool {
	v.certs.mu.Lock()
	defer v.certs.mu.Unlock()
	return len(v.certs.flights) > 0
}
