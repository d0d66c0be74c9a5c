package sender

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/hooknotary/hooknotary/providers/adyen"
	"github.com/hooknotary/hooknotary/providers/apple"
	"github.com/hooknotary/hooknotary/providers/bird"
	"github.com/hooknotary/hooknotary/providers/braintree"
	"github.com/hooknotary/hooknotary/providers/contentful"
	"github.com/hooknotary/hooknotary/providers/dropboxsign"
	"github.com/hooknotary/hooknotary/providers/ebay"
	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/providers/github/githubtest"
	"github.com/hooknotary/hooknotary/providers/hook0"
	"github.com/hooknotary/hooknotary/providers/httpsig"
	"github.com/hooknotary/hooknotary/providers/inngest"
	"github.com/hooknotary/hooknotary/providers/mailgun"
	"github.com/hooknotary/hooknotary/providers/mandrill"
	"github.com/hooknotary/hooknotary/providers/paypal"
	"github.com/hooknotary/hooknotary/providers/plivo"
	"github.com/hooknotary/hooknotary/providers/sns"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/providers/twilio"
	"github.com/hooknotary/hooknotary/providers/vonagesms"
	"github.com/hooknotary/hooknotary/verify"
)

// notSigned is why no delivery can be made for a sender that takes code.
const notSigned = "its signature is not over the body as it is, and no signer of this program makes one"

// specials are what only these senders have: constructors and settings of their own, and
// signers that write more headers than the scheme reads.
var specials = map[string]func(s *Sender){
	"adyen": func(s *Sender) {
		s.keyed = opens(func(o *Settings, keys verify.KeySource) (verify.Verifier, error) {
			return adyen.New(keys, &adyen.Options{InsecureBodyNotCovered: o.InsecureBodyNotCovered})
		})
	},
	"apple": func(s *Sender) {
		s.Words = append(s.Words, "sandbox")
		s.named = func(o *Settings, ids []string) (verify.Verifier, error) {
			id, err := s.one(ids)
			if err != nil {
				return nil, err
			}
			v, err := apple.New(id, &apple.Options{Sandbox: o.Sandbox})
			if err != nil {
				return nil, err
			}
			return v, nil
		}
	},
	"bird": func(s *Sender) {
		s.Words = append(s.Words, "tolerance", "query-alone", "insecure-allow-short-secret")
		s.keyed = opens(func(o *Settings, keys verify.KeySource) (*bird.Verifier, error) {
			return bird.New(o.URL, keys, &bird.Options{QueryAlone: o.QueryAlone, Window: o.window(), InsecureAllowShortSecret: o.InsecureAllowShortSecret})
		})
	},
	"braintree": func(s *Sender) {
		s.Words = append(s.Words, "public-key")
		s.keyed = opens(func(o *Settings, keys verify.KeySource) (verify.Verifier, error) {
			return braintree.New(keys, &braintree.Options{PublicKey: o.PublicKey})
		})
	},
	"coinbasecdp": func(s *Sender) { s.asHook0(hook0.NewCoinbaseCDP) },
	"contentful": func(s *Sender) {
		s.Words = append(s.Words, "tolerance", "insecure-allow-short-secret")
		s.keyed = opens(func(o *Settings, keys verify.KeySource) (*contentful.Verifier, error) {
			return contentful.New(o.URL, keys, &contentful.Options{Window: o.window(), InsecureAllowShortSecret: o.InsecureAllowShortSecret})
		})
		s.whyNot = notSigned
	},
	"dropboxsign": func(s *Sender) {
		s.keyed = opens(func(o *Settings, keys verify.KeySource) (verify.Verifier, error) {
			return dropboxsign.New(keys, &dropboxsign.Options{InsecureBodyNotCovered: o.InsecureBodyNotCovered})
		})
	},
	"ebay": func(s *Sender) {
		s.OnlySHA1 = true
		s.Words = append(s.Words, "insecure-sha1", "verify-token", "url")
		s.key = func(scope, label, text string) (verify.Key, error) {
			// eBay shows PEM without line breaks.
			if der, ok := strings.CutPrefix(text, "-----BEGIN PUBLIC KEY-----"); ok && !strings.Contains(text, "\n") {
				text = strings.TrimSuffix(der, "-----END PUBLIC KEY-----")
			}
			return publicKey(scope, label, text)
		}
		s.keyed = opens(func(o *Settings, keys verify.KeySource) (*ebay.Verifier, error) {
			options := &ebay.Options{InsecureSHA1: o.InsecureSHA1}
			if o.VerifyToken != "" {
				options.Endpoint, options.VerificationToken = o.URL, o.VerifyToken
			}
			return ebay.New(keys, options)
		})
	},
	"github": func(s *Sender) {
		s.Words = append(s.Words, "form", "insecure-allow-sha1", "insecure-distinct-by-delivery-id")
		s.keyed = opens(func(o *Settings, keys verify.KeySource) (verify.Verifier, error) {
			return github.New(keys, &github.Options{
				Form: o.Form, InsecureAllowSHA1: o.InsecureAllowSHA1, InsecureAllowShortSecret: o.InsecureAllowShortSecret,
				InsecureDistinctByDeliveryID: o.InsecureDistinctByDeliveryID,
			})
		})
		s.sign = func(d *Draft) (http.Header, error) {
			event := d.Event
			if event == "" {
				event = "push"
			}
			return githubtest.Header(event, d.Body, d.Secret), nil
		}
	},
	"hook0": func(s *Sender) { s.asHook0(hook0.New) },
	"httpsig": func(s *Sender) {
		s.Words = append(s.Words, "tolerance", "insecure-body-not-covered")
		s.key = publicKey
		// Of the algorithms, that which senders of webhooks use most.
		s.keyed = opens(func(o *Settings, keys verify.KeySource) (*httpsig.Verifier, error) {
			return httpsig.New(o.URL, httpsig.Ed25519, keys, &httpsig.Options{Window: o.window(), InsecureBodyNotCovered: o.InsecureBodyNotCovered})
		})
	},
	"inngest": func(s *Sender) {
		s.Words = append(s.Words, "tolerance", "insecure-allow-short-secret")
		s.keyed = opens(func(o *Settings, keys verify.KeySource) (*inngest.Verifier, error) {
			return inngest.New(keys, &inngest.Options{Window: o.window(), InsecureAllowShortSecret: o.InsecureAllowShortSecret})
		})
	},
	"mailgun": func(s *Sender) {
		s.Words = append(s.Words, "form")
		s.keyed = opens(func(o *Settings, keys verify.KeySource) (verify.Verifier, error) {
			return mailgun.New(keys, &mailgun.Options{InsecureBodyNotCovered: o.InsecureBodyNotCovered, Form: o.Form})
		})
	},
	"mandrill": func(s *Sender) {
		s.Words = append(s.Words, "insecure-allow-short-secret")
		s.keyed = opens(func(o *Settings, keys verify.KeySource) (*mandrill.Verifier, error) {
			return mandrill.New(o.URL, keys, &mandrill.Options{InsecureAllowShortSecret: o.InsecureAllowShortSecret})
		})
		s.whyNot = notSigned
	},
	"paypal": func(s *Sender) {
		s.Words = []string{"sandbox", "max-age", "cert-file", "insecure-accept-simulator", "cert", "intermediates", "roots"}
		s.probe = func(o *Settings) string {
			if o.InsecureAcceptSimulator {
				return "WEBHOOK_ID"
			}
			return random()
		}
		s.named = func(o *Settings, ids []string) (verify.Verifier, error) {
			id, err := s.one(ids)
			if err != nil {
				return nil, err
			}
			v, err := paypal.New(id, &paypal.Options{
				Sandbox: o.Sandbox, MaxAge: o.MaxAge, CertFile: o.CertFile,
				Roots: o.Roots, Intermediates: o.Intermediates, Transport: o.Transport,
				InsecureAcceptSimulator: o.InsecureAcceptSimulator,
			})
			if err != nil {
				return nil, err
			}
			return v, nil
		}
		s.others = func(o *Settings, secrets []Secret) []verify.Verifier {
			other := *o
			other.Sandbox = !o.Sandbox
			v, err := s.VerifierOf(&other, secrets...)
			if err != nil {
				return nil // for the same reason as this endpoint's own
			}
			return []verify.Verifier{v}
		}
		s.whyNot = "PayPal signs with the private key of its certificate, which nobody else has. " +
			"To try an endpoint, send an event with PayPal's simulator; in tests, package paypaltest stands for PayPal, certificate and all"
	},
	"plivo": func(s *Sender) {
		s.Words = append(s.Words, "main-account", "insecure-allow-short-secret")
		s.keyed = opens(func(o *Settings, keys verify.KeySource) (*plivo.Verifier, error) {
			return plivo.New(o.URL, keys, &plivo.Options{MainAccount: o.MainAccount, InsecureAllowShortSecret: o.InsecureAllowShortSecret})
		})
		s.whyNot = notSigned
	},
	"sns": func(s *Sender) {
		s.Words = append(s.Words, "max-age", "media-type", "cert-file", "insecure-allow-sha1")
		s.named = func(o *Settings, topics []string) (verify.Verifier, error) {
			v, err := sns.New(topics, &sns.Options{
				MediaType: o.MediaType, MaxAge: o.MaxAge, CertFile: o.CertFile, Transport: o.Transport, InsecureAllowSHA1: o.InsecureAllowSHA1,
			})
			if err != nil {
				return nil, err
			}
			return v, nil
		}
	},
	"stripe": func(s *Sender) {
		s.sign = func(d *Draft) (http.Header, error) { return stripetest.Header(d.At, d.Body, d.Secret), nil }
	},
	"twilio": func(s *Sender) {
		s.Words = append(s.Words, "json-body", "any-query", "sha256", "insecure-allow-short-secret")
		s.keyed = opens(func(o *Settings, keys verify.KeySource) (*twilio.Verifier, error) {
			return twilio.New(o.URL, keys, &twilio.Options{
				JSON: o.JSONBody, AnyQuery: o.AnyQuery, SHA256: o.SHA256, InsecureAllowShortSecret: o.InsecureAllowShortSecret,
			})
		})
		s.whyNot = notSigned
	},
	"vonagesms": func(s *Sender) {
		s.Words = append(s.Words, "max-age", "sha512", "insecure-sha1")
		s.keyed = opens(func(o *Settings, keys verify.KeySource) (verify.Verifier, error) {
			return vonagesms.New(keys, &vonagesms.Options{SHA512: o.SHA512, InsecureSHA1: o.InsecureSHA1, MaxAge: o.MaxAge})
		})
	},
}

// asHook0 makes what is known of a sender that signs as Hook0 does.
func (s *Sender) asHook0(open func(verify.KeySource, *hook0.Options) (*hook0.Verifier, error)) {
	s.Words = append(s.Words, "tolerance", "body-alone", "insecure-allow-short-secret")
	s.keyed = opens(func(o *Settings, keys verify.KeySource) (*hook0.Verifier, error) {
		return open(keys, &hook0.Options{BodyAlone: o.BodyAlone, Window: o.window(), InsecureAllowShortSecret: o.InsecureAllowShortSecret})
	})
	s.whyNot = notSigned
}

// one returns the one identifier of an endpoint.
func (s *Sender) one(ids []string) (string, error) {
	if len(ids) != 1 {
		return "", fmt.Errorf("there are %d: want one %s", len(ids), s.About.Identifier)
	}
	return ids[0], nil
}

// publicKey makes the key of a sender that signs with a private one.
func publicKey(scope, label, text string) (verify.Key, error) {
	public, err := verify.ParsePublicKey(text)
	if err != nil {
		return verify.Key{}, err
	}
	return verify.NewPublicKey(scope, label, public)
}
