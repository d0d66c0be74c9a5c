// Package cloudinary verifies notifications of Cloudinary, as it signs unless the
// product environment is set to SHA-256.
//
// Cloudinary signs the body and the time of a notification with the API secret: SHA-1
// over the body, the time and the secret, one directly behind the other, in the
// headers
//
//	X-Cld-Signature: <40 hex digits>
//	X-Cld-Timestamp: 1700000000
//
//	guard := middleware.Protect(cloudinary.Must(os.Getenv("CLOUDINARY_API_SECRET")))
//
// That is no HMAC. Two bodies with one SHA-1, which can be made, have one signature,
// so whoever has Cloudinary sign the one can send the other. Have the product
// environment set to SHA-256, where that is not so, and take its definition:
//
//	d := cloudinary.Definition()
//	d.Signatures[0].Algorithm = scheme.InsecureSHA256
//	v, err := scheme.New(d, verify.Secrets(os.Getenv("CLOUDINARY_API_SECRET")), nil)
//
// No id of the event is signed that all notifications have, so a notification is known
// by its time and body. Cloudinary repeats what failed up to three times, some minutes
// apart. Its documentation does not say whether a repeat is signed anew.
//
// # What the signature does not say
//
// The signature does not say for which URL a notification is. The API secret is the
// one that calls of the API use, too.
//
// Cloudinary's libraries allow a time two hours back, and any time ahead. Here it may
// lie two hours back and 5 minutes ahead; scheme.Options.Window narrows that.
//
// Source: https://cloudinary.com/documentation/notification_signatures and
// https://github.com/cloudinary/cloudinary_npm.
package cloudinary

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one product
// environment. A nil o is the zero Options. It returns an error for a secret that cannot
// be right, such as one that is too short.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the secrets of one product environment: one, or several
// while they are changed. It panics where [New] returns an error, most often because an
// environment variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Cloudinary signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "cloudinary",
		Signatures: []scheme.Signature{{Header: "X-Cld-Signature", Algorithm: scheme.InsecureSHA1}},
		Timestamp:  scheme.Timestamp{Header: "X-Cld-Timestamp", Window: verify.Window{Past: 2 * time.Hour, Future: 5 * time.Minute}},
		Message:    []scheme.Part{scheme.Body(), scheme.SignedTime(), scheme.SecretText()},
		MaxBody:    1 << 20, // Cloudinary states no limit; notifications are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  3 * 24 * time.Hour,
		About: verify.About{
			Title: "Cloudinary",
			NotCovered: []string{
				"which of two bodies with one SHA-1 was signed: the hash is a bare one",
				"for which URL the notification is",
			},
			Links: []string{
				"https://cloudinary.com/documentation/notification_signatures",
				"https://github.com/cloudinary/cloudinary_npm/blob/master/lib/utils/index.js",
			},
		},
	}
}
