// Package kick verifies webhooks of Kick.
//
// Kick signs the id, the time and the body of a delivery with its private key: RSA (PKCS
// #1 v1.5) with SHA-256 over "<id>.<time>.<body>", in base64, in the headers
//
//	Kick-Event-Signature: <344 characters>
//	Kick-Event-Message-Id: <ULID>
//	Kick-Event-Message-Timestamp: 2026-03-14T09:26:53Z
//
// The public key stands in Kick's documentation, and all who receive webhooks have the
// same. [PublicKey] is that key:
//
//	guard := middleware.Protect(kick.Must(kick.PublicKey))
//
// An event is known by its signed id. Kick tries three times to deliver it, and does not
// say whether a repeat is signed anew. Its documentation names no window for the time; five
// minutes are a choice of this package.
//
// # What the signature does not say
//
// Kick signs for all apps with one key. So a signature does not say that a delivery is for
// this app: check the broadcaster in the body. The kind of the event (Kick-Event-Type) and
// its version are not signed: have a route for each kind, or tell it by what the body holds.
//
// Source: https://docs.kick.com/events/webhook-security, and
// https://github.com/KickEngineering/KickDevDocs (events/webhook-security.md).
package kick

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// PublicKey is Kick's public key as its documentation showed it in 2026, the DER in
// base64. Compare it before you rely on it.
const PublicKey = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAq/+l1WnlRrGSolDMA+A8" +
	"6rAhMbQGmQ2SapVcGM3zq8ANXjnhDWocMqfWcTd95btDydITa10kDvHzw9WQOqp2" +
	"MZI7ZyrfzJuz5nhTPCiJwTwnEtWft7nV14BYRDHvlfqPUaZ+1KR4OCaO/wWIk/rQ" +
	"L/TjY0M70gse8rlBkbo2a8rKhu69RQTRsoaf4DVhDPEeSeI5jVrRDGAMGL3cGuyY" +
	"6CLKGdjVEM78g3JfYOvDU/RvfqD7L89TZ3iN94jrmWdGz34JNlEI5hqK8dd7C5EF" +
	"BEbZ5jgB8s8ReQV8H+MkuffjdAj3ajDDX3DOJMIut1lBrUVD1AaSrGCKHooWoL2e" +
	"twIDAQAB"

// New makes a verifier from keys, for example [verify.PublicKeys] with [PublicKey]. A nil o
// is the zero Options. It returns an error for a key that cannot be right.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from Kick's public key, such as [PublicKey]: one, or several while
// Kick changes it. It panics where [New] returns an error: a program that cannot verify must
// not start.
func Must(keys ...string) *scheme.Verifier { return scheme.Must(Definition(), keys...) }

// Definition returns how Kick signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "kick",
		Signatures: []scheme.Signature{{Header: "Kick-Event-Signature", Encoding: scheme.Base64, Algorithm: scheme.RSASHA256}},
		Timestamp:  scheme.Timestamp{Header: "Kick-Event-Message-Timestamp", Unit: scheme.RFC3339},
		Message: []scheme.Part{
			scheme.Field("Kick-Event-Message-Id"), scheme.Literal("."), scheme.SignedTime(), scheme.Literal("."), scheme.Body(),
		},
		ID:           scheme.ID{Header: "Kick-Event-Message-Id"},
		UnsignedType: "Kick-Event-Type",
		MaxBody:      1 << 20, // Kick states no limit; events are far smaller
		Retry:        verify.RetryIdentical,
		Retention:    7 * 24 * time.Hour, // Kick does not say over which time it tries three times
		About: verify.About{
			Title: "Kick",
			NotCovered: []string{
				"the kind of the event and its version (Kick-Event-Type, Kick-Event-Version)",
				"for which app the delivery is: all apps have one key, so check the broadcaster in the body",
			},
			Links: []string{
				"https://docs.kick.com/events/webhook-security",
				"https://github.com/KickEngineering/KickDevDocs/blob/main/events/webhook-security.md",
			},
		},
	}
}
