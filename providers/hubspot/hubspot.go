// Package hubspot verifies requests of HubSpot that are signed in its version 3:
// webhooks of an app, and other calls of an app's endpoints.
//
// HubSpot signs the method, the URL, the body and the time of a request, one directly
// behind the other, with the client secret of the app: HMAC-SHA256, in the headers
//
//	X-HubSpot-Signature-v3: <44 characters of base64>
//	X-HubSpot-Request-Timestamp: 1700000000000
//
//	guard := middleware.Protect(hubspot.Must("https://hooks.example.com/hubspot", os.Getenv("HUBSPOT_CLIENT_SECRET")))
//
// The time is in milliseconds. The URL is the one that is set in the app, with its
// query and with the characters that HubSpot decodes, such as %3A and %2F, decoded.
// The URL of the request is not looked at: a proxy may have changed it.
//
// A request carries a signature of version 1 or 2 besides, in X-HubSpot-Signature. That
// is a bare hash over the secret and what follows it, which anyone who has one can extend,
// and it covers no time. It is not looked at. An endpoint that gets no other one has a
// definition of its own:
//
//	d := hubspot.Definition()
//	d.Signatures = []scheme.Signature{{Header: "X-HubSpot-Signature", Algorithm: scheme.InsecureSHA256}}
//	d.Constants = []scheme.Constant{{Header: "X-HubSpot-Signature-Version", Value: "v1"}}
//	d.Timestamp, d.Message = scheme.Timestamp{}, []scheme.Part{scheme.SecretText(), scheme.Body()}
//	d.BodyPrefix = "["
//
// In version 2, "v2", scheme.Method() and scheme.URL() stand between the secret and the
// body. The version is not signed, and a request of version 2 is one of version 1 whose body
// starts with POST: BodyPrefix refuses that. It is "[" for webhooks, and "{" for the calls
// whose body is an object.
//
// A body is a list of events, each with its eventId, so no id of the whole is known,
// and a request is known by its time and body. HubSpot repeats what failed up to ten
// times within 24 hours. Its documentation does not say whether a repeat is signed
// anew.
//
// # What the signature does not say
//
// All accounts that install an app share its secret: portalId is in each event, so
// look at it there.
//
// HubSpot's library allows any time ahead. Here it may lie 5 minutes on either side.
//
// Source:
// https://developers.hubspot.com/docs/apps/legacy-apps/authentication/validating-requests
// and https://github.com/HubSpot/hubspot-api-nodejs.
package hubspot

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier for the endpoint with this URL, byte for byte as it is registered
// there, from keys, for example [verify.Secrets] of one app. A nil o is the zero
// Options; the URL takes the place of o.URL. It returns an error for a URL or a secret
// that cannot be right.
func New(url string, keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.NewAt(Definition(), url, keys, o)
}

// Must makes a verifier for the endpoint with this URL from the secrets of one app: one,
// or several while they are changed. It panics where [New] returns an error, most often
// because an environment variable is not set: a program that cannot verify must not
// start.
func Must(url string, secrets ...string) *scheme.Verifier {
	return scheme.MustAt(Definition(), url, secrets...)
}

// Definition returns how HubSpot signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "hubspot",
		Signatures: []scheme.Signature{{Header: "X-HubSpot-Signature-v3", Encoding: scheme.Base64}},
		Timestamp:  scheme.Timestamp{Header: "X-HubSpot-Request-Timestamp", Unit: scheme.Milliseconds},
		Message:    []scheme.Part{scheme.Method(), scheme.URL(), scheme.Body(), scheme.SignedTime()},
		MaxBody:    1 << 20, // a body has at most 100 events
		Retry:      verify.RetryIdentical,
		Retention:  3 * 24 * time.Hour, // retries go on for a day
		About: verify.About{
			Title: "HubSpot",
			NotCovered: []string{
				"the account: all accounts of an app share its secret, so look at portalId in the body",
				"the older signature in X-HubSpot-Signature, which is not looked at",
			},
			Credentials: []verify.Credential{
				{Prefix: "pat-na1-", What: "an access token", Secret: true},
				{Prefix: "pat-eu1-", What: "an access token", Secret: true},
			},
			Links: []string{
				"https://developers.hubspot.com/docs/apps/legacy-apps/authentication/validating-requests",
				"https://github.com/HubSpot/hubspot-api-nodejs/blob/master/src/utils/signature.ts",
			},
		},
	}
}
