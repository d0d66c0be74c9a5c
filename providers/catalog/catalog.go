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
	"slices"
	"strings"
	"sync"

	"github.com/hooknotary/hooknotary/providers/paypal"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// programs lists the providers that take code.
var programs = [...]func() (Provider, error){
	code(paypal.About, func(id string) (verify.Verifier, error) { return paypal.New(id, nil) }),
}

// Provider is what is known of a provider.
type Provider struct {
	// Name is the name in lower case, as in Profile.Provider.
	Name string

	// About is complete: what follows from a Definition is filled in.
	About verify.About

	// Profile holds the facts of the scheme with default options.
	Profile verify.Profile

	// Definition says how the provider signs, or is nil where that takes code. With
	// it, scheme.New makes a verifier with options.
	Definition *scheme.Definition

	open func(secrets ...string) (verify.Verifier, error)
}

// New makes a verifier with default options from the secrets of one endpoint: one, or
// several while they are rolled. Where About.Identifier is not empty it is that one
// identifier.
func (p Provider) New(secrets ...string) (verify.Verifier, error) { return p.open(secrets...) }

// All returns the providers in the order of their names. The list is the caller's.
func All() []Provider {
	all := slices.Clone(known())
	for i := range all {
		all[i].About = all[i].About.Clone()
		if d := all[i].Definition; d != nil {
			own := d.Clone()
			all[i].Definition = &own
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
	for _, row := range slices.Concat(definitions[:], programs[:]) {
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
			Name: d.Provider, About: d.Describe(), Profile: profile, Definition: &d,
			open: func(secrets ...string) (verify.Verifier, error) {
				v, err := scheme.New(d, verify.Secrets(secrets...), nil)
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
	return func() (Provider, error) {
		v, err := open("PROBE")
		if err != nil {
			return Provider{}, err
		}
		name := v.Profile().Provider
		return Provider{
			Name: name, About: about(), Profile: v.Profile(),
			open: func(ids ...string) (verify.Verifier, error) {
				if len(ids) != 1 {
					return nil, fmt.Errorf("%s: there are %d values, want one %s", name, len(ids), about().Identifier)
				}
				v, err := open(ids[0])
				if err != nil {
					return nil, err
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
	Data             bool         `json:"data"` // a definition, no code
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
			RetentionSeconds: p.Profile.Retention.Seconds(), Data: p.Definition != nil,
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
