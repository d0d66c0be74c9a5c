package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/hooknotary/hooknotary/providers/catalog"
	"github.com/hooknotary/hooknotary/providers/contentful"
	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/providers/github/githubtest"
	"github.com/hooknotary/hooknotary/providers/hook0"
	jwtcatalog "github.com/hooknotary/hooknotary/providers/jwt/catalog"
	"github.com/hooknotary/hooknotary/providers/mailgun"
	"github.com/hooknotary/hooknotary/providers/mandrill"
	"github.com/hooknotary/hooknotary/providers/paypal"
	"github.com/hooknotary/hooknotary/providers/plivo"
	"github.com/hooknotary/hooknotary/providers/providertest/signer"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/providers/token"
	"github.com/hooknotary/hooknotary/providers/twilio"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/diagnose"
)

// provider is a provider of the catalogue, with what the command line can do for it.
type provider struct {
	catalog.Provider

	// flags are those that are for this provider, and perhaps another one, alone.
	flags []string

	// probe is a secret that the library takes for these settings.
	probe func(s *settings) string

	// verifier makes the verifier as the library does at start.
	verifier func(s *settings, secrets []secret) (verify.Verifier, error)

	// others returns verifiers that might accept a delivery that the verifier of these
	// settings refuses. Nil: there are none.
	others func(s *settings, secrets []secret) []verify.Verifier

	// sign makes the headers of a delivery, and whyNot says why it is nil.
	sign   func(d *draft) (http.Header, error)
	whyNot string
}

// oneSecret reports whether there is no rotation, and the secret is the scope.
func (p *provider) oneSecret() bool { return p.About.Identifier != "" }

// noID reports whether no id of the event is signed.
func (p *provider) noID() bool {
	return p.Definition != nil && p.Definition.ID.Header == "" && p.Definition.ID.Member == ""
}

// timed reports whether a time is signed.
func (p *provider) timed() bool { return p.Profile.Window != (verify.Window{}) }

// use says what the scheme does with a header.
func (p *provider) use(name string) string {
	for _, u := range p.About.Headers {
		if u.Name == name {
			return u.Use
		}
	}
	return ""
}

// private reports whether the provider signs with a private key, and the endpoint holds a
// public one.
func (p *provider) private() bool { return p.Definition != nil && signer.Private(*p.Definition) }

// signedAt reads the signed time without judging anything.
func (p *provider) signedAt(v diagnose.Scheme, h *verify.Head, body []byte) (time.Time, error) {
	if reads, ok := v.(interface {
		SignedAt(h *verify.Head, body []byte) (time.Time, bool)
	}); ok {
		if at, ok := reads.SignedAt(h, body); ok {
			return at, nil
		}
		return time.Time{}, errors.New("there is none")
	}
	for what, text := range v.Message(h, nil) {
		if strings.HasPrefix(what, "time, ") && text != nil {
			return time.Parse(time.RFC3339, string(text))
		}
	}
	return time.Time{}, errors.New("there is none")
}

// draft is a delivery to sign.
type draft struct {
	at     time.Time
	event  string // "" where nobody named one
	body   []byte
	url    string // that is signed, or ""
	secret string
	ids    map[string]string // by header: the same in each attempt
}

// id returns the id of the delivery in a header.
func (d *draft) id(header string) string {
	if d.ids == nil {
		d.ids = make(map[string]string)
	}
	if d.ids[header] == "" {
		d.ids[header] = rand.Text()
	}
	return d.ids[header]
}

// providers returns those of the catalogue, in the order of their names.
var providers = sync.OnceValue(func() []*provider {
	var all []*provider
	for _, entry := range catalog.All() {
		p := &provider{Provider: entry, probe: func(*settings) string { return random() }}
		if entry.Probe != "" {
			p.probe = func(*settings) string { return entry.Probe }
		}
		switch {
		case entry.Definition != nil:
			p.fromData()
		case entry.Token != nil:
			p.fromToken()
		default:
			p.fromCode()
		}
		if special := specials[p.Name]; special != nil {
			special(p)
		}
		all = append(all, p)
	}
	return all
})

// fromData makes what follows from a definition.
func (p *provider) fromData() {
	p.flags = []string{"insecure-allow-short-secret"}
	if p.timed() {
		p.flags = append(p.flags, "tolerance")
	}
	if p.Definition.UnsignedType != "" {
		p.flags = append(p.flags, "event")
	}
	if p.SignsURL {
		p.flags = append(p.flags, "url")
	}
	switch form := p.Definition.Secret; {
	case p.private():
		p.probe = func(*settings) string {
			text, err := signer.UnknownPublic(p.Definition.Signatures[0].Algorithm)
			if err != nil {
				panic(err) // the algorithm has keys
			}
			return text
		}
	case form.Encoding == scheme.Base64Secret:
		p.probe = func(*settings) string { return form.Prefix + base64.StdEncoding.EncodeToString([]byte(random())) }
	case form.Encoding == scheme.HexSecret:
		p.probe = func(*settings) string { return form.Prefix + hex.EncodeToString([]byte(random())) }
	case form.Prefix != "":
		p.probe = func(*settings) string { return form.Prefix + random() }
	}
	p.verifier = func(s *settings, secrets []secret) (verify.Verifier, error) {
		keys, err := keyList(secrets)
		if err != nil {
			return nil, err
		}
		v, err := scheme.New(*p.Definition, keys, &scheme.Options{
			Window:                   verify.Window{Past: s.tolerance, Future: s.tolerance},
			URL:                      s.url,
			InsecureAllowShortSecret: s.allowShort,
		})
		if err != nil {
			return nil, err
		}
		return v, nil
	}
	p.sign = func(d *draft) (http.Header, error) {
		fields := make(map[string]string)
		for _, part := range p.Definition.Message {
			if part.Kind() == scheme.FieldPart {
				fields[part.Text()] = shaped(part, d.id(part.Text()))
			}
		}
		if name := p.Definition.UnsignedID; name != "" {
			fields[name] = d.id(name)
		}
		if name := p.Definition.UnsignedType; name != "" && d.event != "" {
			fields[name] = d.event
		}
		return signer.Header(*p.Definition, signer.Delivery{At: d.at, Body: d.body, URL: d.url, Fields: fields, Secrets: []string{d.secret}})
	}
}

// shaped returns an id in the form that a part demands.
func shaped(part scheme.Part, id string) string {
	sum := sha256.Sum256([]byte(id))
	switch {
	case part.UUID():
		return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
	case part.Size() > 0:
		return strings.Repeat(id, 1+part.Size()/len(id))[:part.Size()]
	}
	return id
}

// fromToken makes what is known of a provider that signs nothing.
func (p *provider) fromToken() {
	p.flags = []string{"insecure-allow-short-secret", "insecure-body-not-covered"}
	d := *p.Token
	if d.Basic {
		p.probe = func(*settings) string { return "user:" + random() }
	}
	p.verifier = func(s *settings, secrets []secret) (verify.Verifier, error) {
		keys, err := keyList(secrets)
		if err != nil {
			return nil, err
		}
		v, err := token.New(d, keys, &token.Options{InsecureBodyNotCovered: s.bodyNotCovered, InsecureAllowShortSecret: s.allowShort})
		if err != nil {
			return nil, err
		}
		return v, nil
	}
	p.whyNot = "it signs nothing, and a capture drops the token, which is a credential; to try an endpoint, send a request with the token by hand"
}

// fromCode makes what is known of a provider that takes code.
func (p *provider) fromCode() {
	if p.SignsURL {
		p.flags = append(p.flags, "url")
	}
	p.verifier = func(s *settings, secrets []secret) (verify.Verifier, error) {
		var texts []string
		for _, s := range secrets {
			texts = append(texts, s.text)
		}
		return p.New(&catalog.Options{URL: s.url, InsecureBodyNotCovered: s.bodyNotCovered}, texts...)
	}
	if b := p.Profile.Binding; b == verify.BindingNone || b == verify.BindingPart {
		p.flags = append(p.flags, "insecure-body-not-covered")
	}
	p.whyNot = "nobody but the provider has the key"
}

// specials are what only these providers have: options of their own, and signers that
// write more headers than the scheme reads.
var specials = map[string]func(p *provider){
	"mailgun": func(p *provider) {
		p.flags = append(p.flags, "form")
		p.verifier = func(s *settings, secrets []secret) (verify.Verifier, error) {
			keys, err := keyList(secrets)
			if err != nil {
				return nil, err
			}
			return mailgun.New(keys, &mailgun.Options{InsecureBodyNotCovered: s.bodyNotCovered, Form: s.form})
		}
	},
	"stripe": func(p *provider) {
		p.sign = func(d *draft) (http.Header, error) { return stripetest.Header(d.at, d.body, d.secret), nil }
	},
	"github": func(p *provider) {
		p.flags = append(p.flags, "form", "insecure-allow-sha1", "insecure-distinct-by-delivery-id")
		p.verifier = func(s *settings, secrets []secret) (verify.Verifier, error) {
			keys, err := keyList(secrets)
			if err != nil {
				return nil, err
			}
			return github.New(keys, &github.Options{
				Form: s.form, InsecureAllowSHA1: s.allowSHA1, InsecureAllowShortSecret: s.allowShort,
				InsecureDistinctByDeliveryID: s.distinct,
			})
		}
		p.sign = func(d *draft) (http.Header, error) {
			event := d.event
			if event == "" {
				event = "push"
			}
			return githubtest.Header(event, d.body, d.secret), nil
		}
	},
	"contentful": func(p *provider) {
		p.flags = append(p.flags, "tolerance", "insecure-allow-short-secret")
		p.verifier = keyed(func(s *settings, keys verify.KeySource) (verify.Verifier, error) {
			return contentful.New(s.url, keys, &contentful.Options{
				Window: verify.Window{Past: s.tolerance, Future: s.tolerance}, InsecureAllowShortSecret: s.allowShort,
			})
		})
		p.whyNot = notSigned
	},
	"hook0":       func(p *provider) { hook0Settings(p, hook0.New) },
	"coinbasecdp": func(p *provider) { hook0Settings(p, hook0.NewCoinbaseCDP) },
	"mandrill": func(p *provider) {
		p.flags = append(p.flags, "insecure-allow-short-secret")
		p.verifier = keyed(func(s *settings, keys verify.KeySource) (verify.Verifier, error) {
			return mandrill.New(s.url, keys, &mandrill.Options{InsecureAllowShortSecret: s.allowShort})
		})
		p.whyNot = notSigned
	},
	"plivo": func(p *provider) {
		p.flags = append(p.flags, "insecure-allow-short-secret")
		p.verifier = keyed(func(s *settings, keys verify.KeySource) (verify.Verifier, error) {
			return plivo.New(s.url, keys, &plivo.Options{InsecureAllowShortSecret: s.allowShort})
		})
		p.whyNot = notSigned
	},
	"twilio": func(p *provider) {
		p.flags = append(p.flags, "json-body", "any-query", "insecure-allow-short-secret")
		p.verifier = keyed(func(s *settings, keys verify.KeySource) (verify.Verifier, error) {
			return twilio.New(s.url, keys, &twilio.Options{JSON: s.jsonBody, AnyQuery: s.anyQuery, InsecureAllowShortSecret: s.allowShort})
		})
		p.whyNot = notSigned
	},
	"paypal": func(p *provider) {
		p.flags = []string{"sandbox", "insecure-accept-simulator", "cert", "intermediates", "roots"}
		p.probe = func(s *settings) string {
			if s.simulator {
				return "WEBHOOK_ID"
			}
			return random()
		}
		p.verifier = func(s *settings, secrets []secret) (verify.Verifier, error) {
			return paypal.New(secrets[0].text, &paypal.Options{
				Sandbox:                 s.sandbox,
				Roots:                   s.roots,
				Intermediates:           s.intermediates,
				Transport:               s.transport,
				InsecureAcceptSimulator: s.simulator,
			})
		}
		p.others = func(s *settings, secrets []secret) []verify.Verifier {
			other := *s
			other.sandbox = !s.sandbox
			v, err := p.verifier(&other, secrets)
			if err != nil {
				return nil // for the same reason as this endpoint's own
			}
			return []verify.Verifier{v}
		}
		p.whyNot = "PayPal signs with the private key of its certificate, which nobody else has. " +
			"To try an endpoint, send an event with PayPal's simulator; in tests, package paypaltest stands for PayPal, certificate and all"
	},
}

// notSigned is why a delivery cannot be made for a provider that takes code.
const notSigned = "its signature is not over the body as it is, and no signer of this program makes one"

// hook0Settings says what an endpoint of a sender that signs as Hook0 does may choose.
func hook0Settings(p *provider, open func(verify.KeySource, *hook0.Options) (*hook0.Verifier, error)) {
	p.flags = append(p.flags, "tolerance", "body-alone", "insecure-allow-short-secret")
	p.verifier = keyed(func(s *settings, keys verify.KeySource) (verify.Verifier, error) {
		return open(keys, &hook0.Options{
			BodyAlone: s.bodyAlone, Window: verify.Window{Past: s.tolerance, Future: s.tolerance}, InsecureAllowShortSecret: s.allowShort,
		})
	})
	p.whyNot = notSigned
}

// keyed makes the verifiers of a provider that takes code, and secrets.
func keyed(open func(s *settings, keys verify.KeySource) (verify.Verifier, error)) func(*settings, []secret) (verify.Verifier, error) {
	return func(s *settings, secrets []secret) (verify.Verifier, error) {
		keys, err := keyList(secrets)
		if err != nil {
			return nil, err
		}
		v, err := open(s, keys)
		if err != nil {
			return nil, err // and no verifier, which might be a nil pointer of its type
		}
		return v, nil
	}
}

// names returns the names of the providers.
func names() []string {
	var all []string
	for _, p := range providers() {
		all = append(all, p.Name)
	}
	return all
}

// titles returns the titles of the providers that a flag is for: "GitHub, Stripe". Where
// those are many it says what they have in common.
func titles(flag, common string) string {
	var all []string
	for _, p := range providers() {
		for _, name := range p.flags {
			if name == flag {
				all = append(all, p.About.Title)
			}
		}
	}
	if len(all) > 3 {
		return common
	}
	return strings.Join(all, ", ")
}

// findProvider returns the provider of that name.
func findProvider(name string) (*provider, error) {
	for _, p := range providers() {
		if p.Name == name {
			return p, nil
		}
	}
	for _, d := range jwtcatalog.All() {
		if d.Provider == name {
			return nil, fmt.Errorf("%s signs with a JSON Web Token, which this command does not know; verify it in Go, with the module providers/jwt", name)
		}
	}
	what := "unknown provider"
	if name == "" {
		what = "--provider is missing"
	}
	return nil, errors.New(what + ": hooknotary providers lists those that are known")
}
