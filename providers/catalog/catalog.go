// Package catalog lists the providers of this module, as data. It is for tools: a
// command line, a gateway, a generator of tables. A service imports the package of its
// provider and not this one, which imports them all.
//
// A provider that is data is added with a folder that exports a Definition and holds
// its vectors; go generate ./providers/catalog finds it.
package catalog

//go:generate go run github.com/hooknotary/hooknotary/providers/catalog/rows

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/hooknotary/hooknotary/providers/adyen"
	"github.com/hooknotary/hooknotary/providers/apple"
	"github.com/hooknotary/hooknotary/providers/braintree"
	"github.com/hooknotary/hooknotary/providers/dropboxsign"
	"github.com/hooknotary/hooknotary/providers/ebay"
	"github.com/hooknotary/hooknotary/providers/mailgun"
	"github.com/hooknotary/hooknotary/providers/paypal"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/providers/sns"
	"github.com/hooknotary/hooknotary/providers/standardwebhooks"
	"github.com/hooknotary/hooknotary/providers/token"
	"github.com/hooknotary/hooknotary/verify"
)

// programs lists the providers that take code.
var programs = [...]func() (Provider, error){
	code(paypal.About, func(id string) (verify.Verifier, error) { return paypal.New(id, nil) }),
	keyedAs(adyen.About, strings.Repeat("0123456789abcdef", 4), func(keys verify.KeySource, o Options) (verify.Verifier, error) {
		return adyen.New(keys, &adyen.Options{InsecureBodyNotCovered: o.InsecureBodyNotCovered})
	}),
	program(apple.About, false, "com.example.probe", func(_ Options, ids ...string) (verify.Verifier, error) {
		if len(ids) != 1 {
			return nil, fmt.Errorf("apple: there are %d values, want one bundle id", len(ids))
		}
		return apple.New(ids[0], nil)
	}),
	keyed(braintree.About, false, func(keys verify.KeySource, _ Options) (verify.Verifier, error) { return braintree.New(keys, nil) }),
	keyed(dropboxsign.About, false, func(keys verify.KeySource, o Options) (verify.Verifier, error) {
		return dropboxsign.New(keys, &dropboxsign.Options{InsecureBodyNotCovered: o.InsecureBodyNotCovered})
	}),
	// eBay has no other algorithm to choose.
	program(ebay.About, false, ebayProbe, func(_ Options, keys ...string) (verify.Verifier, error) {
		return ebay.New(ebay.PublicKeys(keys...), &ebay.Options{InsecureSHA1: true})
	}),
	keyedAs(mailgun.About, strings.Repeat("0123456789abcdef", 2), func(keys verify.KeySource, o Options) (verify.Verifier, error) {
		return mailgun.New(keys, &mailgun.Options{InsecureBodyNotCovered: o.InsecureBodyNotCovered})
	}),
	program(sns.About, false, "arn:aws:sns:us-east-1:000000000000:probe", func(_ Options, topics ...string) (verify.Verifier, error) {
		return sns.New(topics, nil)
	}),
}

// ebayProbe is a public key whose private one is 1.
const ebayProbe = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q=="

// families lists the providers that share a package, which holds a table of them.
func families() []func() (Provider, error) {
	var rows []func() (Provider, error)
	for _, s := range standardwebhooks.Senders() {
		rows = append(rows, func() (Provider, error) {
			p, err := data(s.Definition)()
			p.Package = "standardwebhooks"
			return p, err
		})
	}
	return rows
}

// Provider is what is known of a provider.
type Provider struct {
	// Name is the name in lower case, as in Profile.Provider.
	Name string

	// Package is the name of its package, and of the package's folder in providers. It
	// is another one than Name where a package holds several providers.
	Package string

	// About is complete: what follows from a Definition is filled in.
	About verify.About

	// Profile holds the facts of the scheme with default options.
	Profile verify.Profile

	// Definition says how the provider signs, or is nil where that takes code. With
	// it, scheme.New makes a verifier with options.
	Definition *scheme.Definition

	// SignsURL: the signature covers the URL of the endpoint, which only its
	// configuration knows. New needs Options.URL then.
	SignsURL bool

	// Probe is a text that New takes for a secret, and that is nobody's. Empty: a random
	// text of 32 letters and digits is one, but for what the Definition says of secrets.
	Probe string

	// Token says where the provider puts a token, if it signs nothing, or is nil.
	Token *token.Definition

	open func(o Options, secrets ...string) (verify.Verifier, error)
}

// Vectors returns the folder of the provider's test vectors, below providers.
func (p Provider) Vectors() string {
	if p.Package != p.Name {
		return path.Join(p.Package, "testdata", p.Name)
	}
	return path.Join(p.Name, "testdata")
}

// Options holds what an endpoint has to say beside its secrets. The zero value and nil
// are enough for a provider that does not sign the URL.
type Options struct {
	// URL is the URL of the endpoint as it is registered at the provider, byte for
	// byte. It is required where Provider.SignsURL is true, and an error elsewhere.
	URL string

	// InsecureBodyNotCovered says that you know what a delivery of this provider does
	// not prove: its body. It is required where Profile.Binding is verify.BindingNone,
	// and by some providers where it is verify.BindingPart. It has no effect elsewhere.
	InsecureBodyNotCovered bool
}

// New makes a verifier from the secrets of one endpoint: one, or several while they are
// rolled. Where About.Identifier is not empty it is that one identifier. What o does not
// say is the provider's default. A nil o is the zero Options.
func (p Provider) New(o *Options, secrets ...string) (verify.Verifier, error) {
	if o == nil {
		o = &Options{}
	}
	if !p.SignsURL && o.URL != "" {
		return nil, fmt.Errorf("%s: the scheme does not sign the URL: Options.URL must be empty", p.Name)
	}
	return p.open(*o, secrets...)
}

// All returns the providers in the order of their names. The list is the caller's.
func All() []Provider {
	all := slices.Clone(known())
	for i := range all {
		all[i].About = all[i].About.Clone()
		if d := all[i].Definition; d != nil {
			own := d.Clone()
			all[i].Definition = &own
		}
		if d := all[i].Token; d != nil {
			own := *d
			own.About = own.About.Clone()
			own.Handshakes = slices.Clone(own.Handshakes)
			for i := range own.Handshakes {
				own.Handshakes[i].If = slices.Clone(own.Handshakes[i].If)
			}
			all[i].Token = &own
		}
	}
	return all
}

// Lookup returns the provider of that name, if there is one.
func Lookup(name string) (Provider, bool) {
	for _, p := range All() {
		if p.Name == name {
			return p, true
		}
	}
	return Provider{}, false
}

// known holds the rows, made once.
var known = sync.OnceValue(func() []Provider {
	var all []Provider
	for _, row := range slices.Concat(definitions[:], families(), programs[:], messages[:]) {
		p, err := row()
		if err != nil {
			panic("catalog: " + err.Error()) // a mistake in a provider's own file; a test looks
		}
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b Provider) int { return strings.Compare(a.Name, b.Name) })
	return all
})

// data makes the row of a provider that is data.
func data(definition func() scheme.Definition) func() (Provider, error) {
	return func() (Provider, error) {
		d := definition()
		profile, err := d.Profile()
		return Provider{
			Name: d.Provider, Package: d.Provider, About: d.Describe(), Profile: profile, Definition: &d,
			SignsURL: slices.Contains(d.Message, scheme.URL()),
			open: func(o Options, secrets ...string) (verify.Verifier, error) {
				v, err := scheme.New(d, verify.Secrets(secrets...), &scheme.Options{URL: o.URL})
				if err != nil {
					return nil, err
				}
				return v, nil
			},
		}, err
	}
}

// unsigned makes the row of a provider that signs nothing and sends a token.
func unsigned(definition func() token.Definition) func() (Provider, error) {
	return func() (Provider, error) {
		d := definition()
		profile, err := d.Profile()
		return Provider{
			Name: d.Provider, Package: d.Provider, About: d.Describe(), Profile: profile, Token: &d,
			open: func(o Options, secrets ...string) (verify.Verifier, error) {
				v, err := token.New(d, verify.Secrets(secrets...), &token.Options{InsecureBodyNotCovered: o.InsecureBodyNotCovered})
				if err != nil {
					return nil, err
				}
				return v, nil
			},
		}, err
	}
}

// code makes the row of a provider that takes code, and that an identifier configures.
func code(about func() verify.About, open func(id string) (verify.Verifier, error)) func() (Provider, error) {
	return program(about, false, "PROBE", func(_ Options, ids ...string) (verify.Verifier, error) {
		if len(ids) != 1 {
			return nil, fmt.Errorf("there are %d values, want one %s", len(ids), about().Identifier)
		}
		return open(ids[0])
	})
}

// keyed makes the row of a provider that takes code, and that secrets configure. It signs
// the URL of the endpoint, or does not.
func keyed(about func() verify.About, signsURL bool, open func(keys verify.KeySource, o Options) (verify.Verifier, error)) func() (Provider, error) {
	return program(about, signsURL, "the secret of no endpoint, 32 bytes", func(o Options, secrets ...string) (verify.Verifier, error) {
		return open(verify.Secrets(secrets...), o)
	})
}

// keyedAs is keyed for secrets of another form, of which probe is one, and without a URL.
func keyedAs(about func() verify.About, probe string, open func(keys verify.KeySource, o Options) (verify.Verifier, error)) func() (Provider, error) {
	return program(about, false, probe, func(o Options, secrets ...string) (verify.Verifier, error) {
		return open(verify.Secrets(secrets...), o)
	})
}

// program makes the row of a provider that takes code. The probe is what it takes for a
// secret.
func program(about func() verify.About, signsURL bool, probe string, open func(o Options, secrets ...string) (verify.Verifier, error)) func() (Provider, error) {
	return func() (Provider, error) {
		o := Options{InsecureBodyNotCovered: true}
		if signsURL {
			o.URL = "https://hooks.example.com/"
		}
		v, err := open(o, probe)
		if err != nil {
			return Provider{}, err
		}
		return Provider{
			Name: v.Profile().Provider, Package: v.Profile().Provider, About: about(), Profile: v.Profile(), SignsURL: signsURL, Probe: probe,
			open: func(o Options, secrets ...string) (verify.Verifier, error) {
				v, err := open(o, secrets...)
				if err != nil {
					return nil, err // and no verifier, which might be a nil pointer of its type
				}
				return v, nil
			},
		}, nil
	}
}

// entry is a provider in JSON.
type entry struct {
	Name             string       `json:"name"`
	About            verify.About `json:"about"`
	MediaType        string       `json:"media_type"`
	MaxBody          int64        `json:"max_body"`
	PastSeconds      float64      `json:"past_seconds"` // 0 and 0: no time is signed
	FutureSeconds    float64      `json:"future_seconds"`
	Binding          string       `json:"binding"`
	Retry            string       `json:"retry"`
	RetentionSeconds float64      `json:"retention_seconds"`
	SignsURL         bool         `json:"signs_url"` // an endpoint has to say its URL
	Data             bool         `json:"data"`      // a definition, no code
}

// JSON returns the catalogue as a JSON array, in the order of the names. It is the same
// text each time.
func JSON() []byte {
	entries := []entry{}
	for _, p := range known() {
		entries = append(entries, entry{
			Name: p.Name, About: p.About, MediaType: p.Profile.MediaType, MaxBody: p.Profile.MaxBody,
			PastSeconds: p.Profile.Window.Past.Seconds(), FutureSeconds: p.Profile.Window.Future.Seconds(),
			Binding: p.Profile.Binding.String(), Retry: p.Profile.Retry.String(),
			RetentionSeconds: p.Profile.Retention.Seconds(), SignsURL: p.SignsURL, Data: p.Definition != nil,
		})
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(entries); err != nil {
		panic(err) // strings and numbers
	}
	return b.Bytes()
}
