package paypal

import "github.com/hooknotary/hooknotary/verify"

// About returns what people and tools want to know of the scheme.
func (v *Verifier) About() verify.About { return About() }

// About returns what people and tools want to know of the scheme, without a verifier.
func About() verify.About {
	return verify.About{
		Title:  "PayPal",
		Signed: "transmission id, time, webhook id and CRC-32 of the body, RSA-SHA256",
		Headers: []verify.HeaderUse{
			{Name: "Paypal-Transmission-Sig", Use: "the signature, RSA with SHA-256"},
			{Name: "Paypal-Transmission-Id", Use: "all of it is signed"},
			{Name: "Paypal-Transmission-Time", Use: "all of it is signed"},
			{Name: "Paypal-Cert-Url", Use: "not signed: it says where the certificate is, and must be on PayPal's own host"},
			{Name: "Paypal-Auth-Algo", Use: "not signed: it must be SHA256withRSA"},
		},
		NotCovered: []string{"the body beyond its CRC-32: whoever holds a genuine transmission can put another body under it, so do not act on amounts"},
		Identifier: "webhook id",
		Credentials: []verify.Credential{
			{Prefix: "A", Length: 80, What: "a client id of the REST API"},
			{Prefix: "E", Length: 80, What: "a client secret of the REST API", Secret: true},
			{Prefix: "access_token$", What: "an access token of the classic API", Secret: true},
		},
		JSON: verify.JSONStyle{Space: verify.JSONCompact},
		Tell: verify.Tell{
			Headers: []string{"Paypal-Transmission-Sig", "Paypal-Cert-Url"},
			Before:  verify.NotBeforeBody,
		},
		Links: []string{
			"https://developer.paypal.com/api/rest/webhooks/rest/",
			"https://developer.paypal.com/docs/api/webhooks/v1/",
		},
		OutsideVector: "captured deliveries, of live and of the simulator",
	}
}
