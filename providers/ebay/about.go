package ebay

import (
	"context"
	"iter"

	"github.com/hooknotary/hooknotary/verify"
)

// What a tool wants to know. Nothing on the serving path calls what follows.

// About returns what people and tools want to know of the scheme.
func (v *Verifier) About() verify.About { return About() }

// About returns what people and tools want to know of the scheme, without a verifier.
func About() verify.About {
	return verify.About{
		Title:  "eBay",
		Signed: "body, ECDSA-SHA1",
		Headers: []verify.HeaderUse{
			{Name: header, Use: "JSON in base64: the signature, ECDSA on P-256 with SHA-1 over the body, and the id of the key, which is not signed"},
		},
		NotCovered: []string{
			"a time: a copy verifies as long as its key is in use",
			"for which application the notification is: eBay's keys sign for all",
			"a second body of the same SHA-1, which whoever chooses enough of both can make",
		},
		Credentials: []verify.Credential{},
		JSON:        verify.JSONStyle{Space: verify.JSONCompact},
		Tell:        verify.Tell{Headers: []string{header}, Before: verify.NotBeforeBody},
		Handshakes:  []string{"a GET with challenge_code"},
		Links: []string{
			"https://developer.ebay.com/api-docs/commerce/notification/overview.html",
			"https://developer.ebay.com/marketplace-account-deletion",
			"https://github.com/eBay/event-notification-nodejs-sdk",
		},
		OutsideVector: "a test of eBay/event-notification-nodejs-sdk",
	}
}

// SecurityHeaders returns the names of the headers that are verified.
func (v *Verifier) SecurityHeaders() []string { return []string{header} }

// Keys returns the keys that the verifier tries.
func (v *Verifier) Keys(ctx context.Context, h *verify.Head) ([]verify.Key, error) {
	return v.ring.Keys(ctx, h)
}

// Rekey returns a verifier that differs from v in its keys alone. Its errors are those that
// New has for keys.
func (v *Verifier) Rekey(keys verify.KeySource) (verify.Verifier, error) {
	other, err := New(keys, &Options{InsecureSHA1: true})
	if err != nil {
		return nil, err
	}
	other.o, other.answer = v.o, v.answer
	return other, nil
}

// Message yields the signed message, which is the body.
func (v *Verifier) Message(_ *verify.Head, body []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) { yield("the body", body) }
}
