package paypal

import (
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/verify"
)

// environment is live or sandbox: who may serve certificates, in whose name they
// are, and who is asked.
type environment struct {
	certHosts [2]string
	name      string // of the certificate's subject
	api       string
}

var (
	live = &environment{
		certHosts: [2]string{"api.paypal.com", "api-m.paypal.com"},
		name:      "messageverificationcerts.paypal.com",
		api:       "https://api-m.paypal.com",
	}
	sandbox = &environment{
		certHosts: [2]string{"api.sandbox.paypal.com", "api-m.sandbox.paypal.com"},
		name:      "messageverificationcerts.sandbox.paypal.com",
		api:       "https://api-m.sandbox.paypal.com",
	}
)

const (
	certPath    = "/v1/notifications/certs/"
	certSegment = 128 // the longest name of a certificate
	algorithm   = "SHA256withRSA"
	timeLayout  = "2006-01-02T15:04:05Z"
)

// securityHeaders are the headers that take part in verification.
var securityHeaders = [...]string{
	"Paypal-Transmission-Sig", "Paypal-Auth-Algo", "Paypal-Transmission-Id", "Paypal-Transmission-Time", "Paypal-Cert-Url",
}

// Causes of refusals. They hold nothing of the request.
var (
	errNoHead    = errors.New("no head, or a head without a receive time")
	errHeader    = errors.New("a header of the transmission is missing, empty or repeated")
	errAlgorithm = errors.New("PAYPAL-AUTH-ALGO is not SHA256withRSA")
	errID        = errors.New("PAYPAL-TRANSMISSION-ID is not a UUID in lower case")
	errTime      = errors.New("PAYPAL-TRANSMISSION-TIME is not an RFC 3339 time in whole seconds and UTC")
	errSignature = errors.New("PAYPAL-TRANSMISSION-SIG is not base64 of the length of the key")
	errCertURL   = errors.New("PAYPAL-CERT-URL is not the URL of a certificate on this environment's API host: is this live against sandbox?")
)

// transmission is what PayPal's headers say.
type transmission struct {
	id, time, certURL string
	at                time.Time
	signature         []byte
	signatureText     string
}

// parse reads the headers. Each has one spelling.
func parse(h *verify.Head, env *environment) (*transmission, error) {
	signature := h.Header["Paypal-Transmission-Sig"]
	if len(signature) == 0 || len(signature) == 1 && signature[0] == "" {
		return nil, refuse(verify.ErrUnsigned, nil)
	}
	var values [5]string
	for i, name := range securityHeaders {
		v := h.Header[name]
		if len(v) != 1 || v[0] == "" {
			return nil, refuse(verify.ErrMalformed, errHeader)
		}
		values[i] = v[0]
	}
	t := &transmission{signatureText: values[0], id: values[2], time: values[3], certURL: values[4]}
	if values[1] != algorithm {
		return nil, refuse(verify.ErrUnsigned, errAlgorithm)
	}
	if !isUUID(t.id) {
		return nil, refuse(verify.ErrMalformed, errID)
	}
	var err error
	if len(t.time) != len(timeLayout) {
		return nil, refuse(verify.ErrMalformed, errTime)
	}
	if t.at, err = time.Parse(timeLayout, t.time); err != nil || t.at.Format(timeLayout) != t.time {
		return nil, refuse(verify.ErrMalformed, errTime)
	}
	// Keys of 2048, 3072 and 4096 bits.
	if n := len(t.signatureText); n != 344 && n != 512 && n != 684 {
		return nil, refuse(verify.ErrMalformed, errSignature)
	}
	t.signature, err = base64.StdEncoding.Strict().DecodeString(t.signatureText)
	// Base64 skips line breaks, and one length of text stands for three of bytes.
	if n := len(t.signature); err != nil || n != 256 && n != 384 && n != 512 || base64.StdEncoding.EncodedLen(n) != len(t.signatureText) {
		return nil, refuse(verify.ErrMalformed, errSignature)
	}
	if !env.isCertURL(t.certURL) {
		return nil, refuse(verify.ErrUntrusted, errCertURL)
	}
	return t, nil
}

// isUUID reports whether s is a UUID in lower case.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case (c < '0' || c > '9') && (c < 'a' || c > 'f'):
			return false
		}
	}
	return true
}

// isCertURL reports whether s is exactly what PayPal writes: scheme, one of two
// hosts, the path and one segment of letters, digits and hyphens. It does not
// parse, so there is no second reading of s.
func (e *environment) isCertURL(s string) bool {
	for _, host := range e.certHosts {
		if name, ok := strings.CutPrefix(s, "https://"+host+certPath); ok {
			return len(name) <= certSegment && name != "" && alphanumeric(strings.ReplaceAll(name, "-", "0"))
		}
	}
	return false
}
