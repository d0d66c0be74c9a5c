package paypal

import "crypto/x509"

// RootsOf returns the roots that a verifier trusts.
func RootsOf(v *Verifier) *x509.CertPool { return v.certs.roots }
