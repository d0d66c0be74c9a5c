package apple

import (
	"context"
	"errors"
	"iter"
	"strings"

	"github.com/hooknotary/hooknotary/verify"
)

// What a tool wants to know. Nothing on the serving path calls what follows.

// About returns what people and tools want to know of the scheme.
func (v *Verifier) About() verify.About { return About() }

// About returns what people and tools want to know of the scheme, without a verifier.
func About() verify.About {
	return verify.About{
		Title:   "Apple App Store",
		Signed:  "a JSON Web Signature in the body, ES256, under Apple's root",
		InBody:  true,
		Headers: []verify.HeaderUse{},
		NotCovered: []string{
			"white space around the one member of the body, which may hold nothing else",
			"whether Apple has revoked a certificate: that is not asked",
		},
		Identifier:  "bundle id",
		Credentials: []verify.Credential{},
		JSON:        verify.JSONStyle{},
		Tell:        verify.Tell{Headers: []string{}, Before: verify.NotBeforeBody},
		Links: []string{
			"https://developer.apple.com/documentation/appstoreservernotifications/jwsdecodedheader",
			"https://developer.apple.com/documentation/appstoreservernotifications/responsebodyv2",
			"https://developer.apple.com/documentation/appstoreservernotifications/responding-to-app-store-server-notifications",
		},
		OutsideVector: "a test of apple/app-store-server-library-node",
	}
}

var errNoKeys = errors.New("apple: a verifier has a bundle id and no keys: make one for another app with New")

// Keys returns none: a verifier is configured with a bundle id, which is no secret.
func (v *Verifier) Keys(context.Context, *verify.Head) ([]verify.Key, error) { return nil, nil }

// Rekey returns an error: there are no keys.
func (v *Verifier) Rekey(verify.KeySource) (verify.Verifier, error) { return nil, errNoKeys }

// SecurityHeaders returns none: everything stands in the body.
func (v *Verifier) SecurityHeaders() []string { return []string{} }

// Message yields the signed message in pieces, each with a few words on where it is from.
// It yields nothing for a body that is not of the form.
func (v *Verifier) Message(_ *verify.Head, body []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		s, err := parse(body)
		if err != nil {
			return
		}
		header, payload, _ := strings.Cut(string(s.signed), ".")
		_ = yield("header, from the body", []byte(header)) && yield("constant", []byte(".")) && yield("payload, from the body", []byte(payload))
	}
}
