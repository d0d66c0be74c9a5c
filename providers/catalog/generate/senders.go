package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/format"
	"slices"
	"strings"

	"github.com/hooknotary/hooknotary/providers/catalog"
	"github.com/hooknotary/hooknotary/verify"
)

// lookalikes is what verify/diagnose/lookalikes.json holds: senders that this module does
// not verify.
type lookalikes struct {
	Senders     []sender `json:"senders"`
	Aliases     []alias  `json:"aliases"`
	Credentials []string `json:"credentials"`
}

type sender struct {
	Provider string   `json:"provider"` // its name in the catalogue, should it come to stand there
	Name     string   `json:"name"`     // what a finding calls it
	Headers  []string `json:"headers"`
	Value    string   `json:"value"`
	Before   string   `json:"before"`
	// First: it also sends the headers of a provider of the catalogue, so it is looked
	// for before those.
	First bool `json:"first"`
}

type alias struct {
	From  string `json:"from"`
	To    string `json:"to"`
	Value string `json:"value"`
	Name  string `json:"name"`
}

// senders returns the text of senders_gen.go.
func senders(all []catalog.Provider, text []byte) ([]byte, error) {
	var like lookalikes
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&like); err != nil {
		return nil, err
	}
	var first, last []sender
	for _, s := range like.Senders {
		switch {
		case s.Name == "" || len(s.Headers) == 0:
			return nil, fmt.Errorf("the look-alike %q has no name or no header", s.Name)
		case s.Provider != "" && slices.ContainsFunc(all, func(p catalog.Provider) bool { return p.Name == s.Provider }):
		case s.First:
			first = append(first, s)
		default:
			last = append(last, s)
		}
	}
	rows := first
	for _, p := range all {
		tell := p.About.Tell
		if len(tell.Headers) == 0 { // its header is everybody's
			continue
		}
		name := tell.Name
		if name == "" {
			name = p.About.Title
		}
		row := sender{Provider: p.Name, Name: name, Headers: tell.Headers, Value: tell.Value, Before: tell.Before}
		// Of those that share a name one tells as much as all.
		if !slices.ContainsFunc(rows, func(s sender) bool {
			return s.Name == name && slices.Equal(s.Headers, row.Headers) && s.Before == row.Before
		}) {
			rows = append(rows, row)
		}
	}
	rows = alike(append(rows, last...))

	var b bytes.Buffer
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("// Code generated from the catalogue of providers and lookalikes.json; DO NOT EDIT.")
	line("\npackage diagnose\n\nimport \"github.com/hooknotary/hooknotary/verify\"")
	line("\n// senders lists who is easily confused, and who is common. The look-alikes stand before\n// those whose names they use, too.")
	line("var senders = [...]sender{")
	for _, s := range rows {
		line("{%q, %q, %#v, %q, %q},", s.Provider, s.Name, s.Headers, s.Value, s.Before)
	}
	line("}\n\n// aliases are headers that two schemes call differently, and else write alike.")
	line("var aliases = [...]alias{")
	for _, a := range like.Aliases {
		line("{%q, %q, %q, %q},", a.From, a.To, a.Value, a.Name)
	}
	line("}\n\n// credentials are how API keys, and other things that are no signing secret, begin.")
	line("var credentials = [...]verify.Credential{")
	for _, c := range credentials(all, like.Credentials) {
		line("{Prefix: %q, Length: %d},", c.Prefix, c.Length)
	}
	line("}\n\n// styles says how the providers that are known write JSON.")
	line("var styles = map[string]verify.JSONStyle{")
	for _, p := range all {
		s := p.About.JSON
		line("%q: {Space: %q, First: %#v, Sorted: %v},", p.Name, s.Space, s.First, s.Sorted)
	}
	line("}")
	return format.Source(b.Bytes())
}

// alike joins senders that nothing tells apart, because the header of their signature and
// what it is made of are the same. The first one stands for all of them, under all their
// names, or under its own if that says "alike" already.
func alike(rows []sender) []sender {
	var list []sender
	names := make(map[string][]string) // by the first one's name
	for _, s := range rows {
		at := slices.IndexFunc(list, func(first sender) bool {
			return first.Headers[0] == s.Headers[0] && first.Value == s.Value && first.Before == s.Before
		})
		if at < 0 {
			at = len(list)
			if s.Value != "" { // which tells more than the header alone
				if loose := slices.IndexFunc(list, func(other sender) bool { return other.Headers[0] == s.Headers[0] && other.Value == "" }); loose >= 0 {
					at = loose
				}
			}
			list = slices.Insert(list, at, s)
			continue
		}
		names[list[at].Name] = append(names[list[at].Name], s.Name)
	}
	for i := range list {
		s := &list[i]
		others := names[s.Name]
		if len(others) == 0 || strings.HasSuffix(s.Name, "alike") {
			continue
		}
		s.Name = strings.Join(append([]string{s.Name}, others[:len(others)-1]...), ", ") + " or " + others[len(others)-1]
	}
	return list
}

// credentials returns each form of a credential once, in order.
func credentials(all []catalog.Provider, others []string) []verify.Credential {
	var list []verify.Credential
	for _, p := range all {
		for _, c := range p.About.Credentials {
			list = append(list, verify.Credential{Prefix: c.Prefix, Length: c.Length})
		}
	}
	for _, prefix := range others {
		list = append(list, verify.Credential{Prefix: prefix})
	}
	slices.SortFunc(list, func(a, b verify.Credential) int {
		if a.Prefix != b.Prefix {
			return bytes.Compare([]byte(a.Prefix), []byte(b.Prefix))
		}
		return a.Length - b.Length
	})
	return slices.Compact(list)
}
