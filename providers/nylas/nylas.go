// Package nylas verifies webhooks of Nylas (v3).
//
// Nylas signs the body of a notification, and nothing else, with the webhook secret of the
// destination: HMAC-SHA256, in hexadecimal digits, in the header
//
//	X-Nylas-Signature: <64 hex digits>
//
//	guard := middleware.Protect(nylas.Must(os.Getenv("NYLAS_WEBHOOK_SECRET")))
//
// A notification is known by its id, which stands in the body. Nylas sends it up to three
// times, until the endpoint responds with 200 within 10 seconds.
//
// # Compressed notifications
//
// With compressed_delivery a destination gets notifications in gzip, and Nylas signs the
// gzip bytes. So these are what is verified and what the handler reads, with their
// Content-Encoding. Unpack them within bounds:
//
//	d, _ := verify.FromContext(r.Context())
//	body := io.Reader(bytes.NewReader(d.Body))
//	if bytes.HasPrefix(d.Body, []byte("\x1f\x8b")) { // what tells gzip, and is signed
//		body = io.LimitReader(verify.NewUnpacker(body), 8<<20)
//	}
//
// The id is read from the first 64 KiB of what they hold.
//
// # The handshake
//
// Nylas checks the URL of a destination with a GET whose query has a challenge. It is not
// signed. The guard writes a challenge back that is short and can be no HTML. The route
// must let a GET through to the guard: "/hooks/nylas" does, and "POST /hooks/nylas" does
// not.
//
// # What the signature does not say
//
// No time is signed: a captured notification verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// Whether a body is compressed is not signed either, but a body in gzip tells it by its
// first bytes. All grants of an application share the destination: look at grant_id in the
// body.
//
// Notifications that have an id are known by it; other bodies by their bytes.
//
// Source: https://developer.nylas.com/docs/cookbook/use-cases/build/verify-webhook-signatures/
// and https://developer.nylas.com/docs/v3/notifications/.
package nylas

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one destination. A nil o
// is the zero Options. It returns an error for a secret that cannot be right, such as one
// that is too short.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the webhook secrets of one destination: one, or several while
// they are changed. It panics where [New] returns an error, most often because an
// environment variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Nylas signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:    "nylas",
		Signatures:  []scheme.Signature{{Header: "X-Nylas-Signature"}},
		Message:     []scheme.Part{scheme.Body()},
		ID:          scheme.ID{Member: "id"},
		MaxBody:     2 << 20, // Nylas cuts what is over 1 MB
		Retry:       verify.RetryIdentical,
		Retention:   7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		Compression: verify.GzipSigned,
		Handshakes:  []scheme.Handshake{{Kind: scheme.GetHandshake, Parameter: "challenge", Response: "$challenge"}},
		About: verify.About{
			Title: "Nylas",
			NotCovered: []string{
				"the time: none is signed, so a captured notification verifies until the secret changes",
				"for which grant the notification is: all of an application share the destination, so look at grant_id in the body",
				"the Content-Encoding: the signature is over the bytes as they come, compressed or not",
			},
			Links: []string{
				"https://developer.nylas.com/docs/cookbook/use-cases/build/verify-webhook-signatures/",
				"https://developer.nylas.com/docs/v3/notifications/",
			},
		},
	}
}
