package paypal

import "crypto/x509"

// RootsOf returns the roots that a verifier trusts.
func RootsOf(v *Verifier) *x509.CertPool { return v.certs.Roots() }

// Unlimited lets a verifier fetch as many certificates as it is asked for, for tests
// that name many and are about something else.
func Unlimited(v *Verifier) *Verifier {
	v.certs.Unlimited()
	return v
}

// HoldFile makes v wait with its file, as for a disk that hangs, until release.
func HoldFile(v *Verifier) (release func()) { return v.certs.HoldFile() }

// Flying reports whether v fetches a certificate.
func Flying(v *Verifier) bool { return v.certs.Flying() }
