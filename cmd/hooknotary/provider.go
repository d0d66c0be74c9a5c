package main

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/providers/github/githubtest"
	"github.com/hooknotary/hooknotary/providers/paypal"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
)

// provider is what the command line knows of a provider beyond its verifier.
type provider struct {
	name string

	// flags are those that are for this provider, and perhaps another one, alone.
	flags []string

	// oneSecret: there is no rotation, and the secret is the scope.
	oneSecret bool

	// noID: no id of the event is signed.
	noID bool

	// probe is a secret that the library takes for these settings.
	probe func(s *settings) string

	// verifier makes the verifier as the library does at start.
	verifier func(s *settings, secrets []secret) (verify.Verifier, error)

	// signed says in a few words what is signed.
	signed string

	// read says of each header that the scheme reads what it is for, and what of it
	// is signed. Names are canonical.
	read map[string]string

	// open says what the signature does not cover, though one might think so.
	open []string

	// signedAt reads the signed time without judging anything. Nil: there is none.
	signedAt func(h http.Header) (time.Time, error)

	// sign makes the headers of a delivery, and whyNot says why it is nil.
	sign   func(d *draft) http.Header
	whyNot string
}

// draft is a delivery to sign.
type draft struct {
	at     time.Time
	event  string
	body   []byte
	secret string
}

var providers = [...]*provider{&githubProvider, &paypalProvider, &stripeProvider}

var stripeProvider = provider{
	name:  "stripe",
	flags: []string{"tolerance", "insecure-allow-short-secret"},
	probe: func(*settings) string { return random() },
	verifier: func(s *settings, secrets []secret) (verify.Verifier, error) {
		keys, err := keyList(secrets)
		if err != nil {
			return nil, err
		}
		return stripe.New(keys, &stripe.Options{Tolerance: s.tolerance, InsecureAllowShortSecret: s.allowShort})
	},
	signed: "time and body, HMAC-SHA256",
	read: map[string]string{
		"Stripe-Signature": "t is signed, as the first piece of the message; v1 is the signature, one for each active secret; v0 and other items are ignored",
	},
	open: []string{"to which account of a platform the event belongs: that is in the body, so check it there"},
	signedAt: func(h http.Header) (time.Time, error) {
		for item := range strings.SplitSeq(h.Get("Stripe-Signature"), ",") {
			if t, ok := strings.CutPrefix(item, "t="); ok {
				n, err := strconv.ParseInt(t, 10, 64)
				return time.Unix(n, 0), err
			}
		}
		return time.Time{}, errors.New("there is none")
	},
	sign: func(d *draft) http.Header { return stripetest.Header(d.at, d.body, d.secret) },
}

var githubProvider = provider{
	name:  "github",
	flags: []string{"form", "insecure-allow-sha1", "insecure-allow-short-secret", "insecure-distinct-by-delivery-id", "event"},
	noID:  true,
	probe: func(*settings) string { return random() },
	verifier: func(s *settings, secrets []secret) (verify.Verifier, error) {
		keys, err := keyList(secrets)
		if err != nil {
			return nil, err
		}
		return github.New(keys, &github.Options{
			Form: s.form, InsecureAllowSHA1: s.allowSHA1, InsecureAllowShortSecret: s.allowShort,
			InsecureDistinctByDeliveryID: s.distinct,
		})
	},
	signed: "body, HMAC-SHA256",
	read: map[string]string{
		"X-Hub-Signature-256": "the signature, an HMAC-SHA256 over the body alone",
		"X-Hub-Signature":     "the weak signature, an HMAC-SHA1 over the body alone; it counts only where the strong one is absent",
	},
	open: []string{
		"the time: there is none, so a captured delivery verifies until the secret changes",
		"the delivery id (X-GitHub-Delivery) and the event's name (X-GitHub-Event): whoever replays a body can change them",
		"the Content-Type: whether a body is JSON or a form is a setting of the endpoint",
	},
	sign: func(d *draft) http.Header { return githubtest.Header(d.event, d.body, d.secret) },
}

var paypalProvider = provider{
	name:      "paypal",
	flags:     []string{"sandbox", "insecure-accept-simulator", "cert", "intermediates", "roots"},
	oneSecret: true,
	probe: func(s *settings) string {
		if s.simulator {
			return "WEBHOOK_ID"
		}
		return random()
	},
	verifier: func(s *settings, secrets []secret) (verify.Verifier, error) {
		return paypal.New(secrets[0].text, &paypal.Options{
			Sandbox:                 s.sandbox,
			Roots:                   s.roots,
			Intermediates:           s.intermediates,
			Transport:               s.transport,
			InsecureAcceptSimulator: s.simulator,
		})
	},
	signed: "transmission id, time, webhook id and CRC-32 of the body, RSA-SHA256",
	read: map[string]string{
		"Paypal-Transmission-Sig":  "the signature, RSA with SHA-256",
		"Paypal-Transmission-Id":   "all of it is signed",
		"Paypal-Transmission-Time": "all of it is signed",
		"Paypal-Cert-Url":          "not signed: it says where the certificate is, and must be on PayPal's own host",
		"Paypal-Auth-Algo":         "not signed: it must be SHA256withRSA",
	},
	open: []string{"the body beyond its CRC-32: whoever holds a genuine transmission can put another body under it, so do not act on amounts"},
	signedAt: func(h http.Header) (time.Time, error) {
		return time.Parse(time.RFC3339, h.Get("Paypal-Transmission-Time"))
	},
	whyNot: "PayPal signs with the private key of its certificate, which nobody else has. " +
		"To try an endpoint, send an event with PayPal's simulator; in tests, package paypaltest stands for PayPal, certificate and all",
}

// findProvider returns the provider of that name.
func findProvider(name string) (*provider, error) {
	var known []string
	for _, p := range providers {
		if p.name == name {
			return p, nil
		}
		known = append(known, p.name)
	}
	what := "unknown provider"
	if name == "" {
		what = "--provider is missing"
	}
	return nil, fmt.Errorf("%s: want one of %s", what, strings.Join(known, ", "))
}
