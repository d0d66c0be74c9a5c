package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/sender"
	jwtcatalog "github.com/hooknotary/hooknotary/providers/jwt/catalog"
	"github.com/hooknotary/hooknotary/providers/scheme/schemejson"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/spf13/cobra"
)

// summary is a line of the table of providers.
type summary struct {
	Name      string   `json:"name"`
	Headers   []string `json:"headers"` // the signature's first
	Signed    string   `json:"signed"`
	Past      float64  `json:"past_seconds"` // 0 and 0: no time is signed
	Future    float64  `json:"future_seconds"`
	Retries   string   `json:"retries"`
	Binding   string   `json:"binding"`
	MediaType string   `json:"media_type"`
	MaxBody   int64    `json:"max_body"`
	Module    string   `json:"module,omitempty"` // of the library, where it is one of its own
	window    verify.Window

	Kind       string          `json:"kind"` // data, code or token
	Title      string          `json:"title"`
	NotCovered []string        `json:"not_covered"`
	Sources    []string        `json:"sources"`        // the page on signatures first
	Outside    string          `json:"outside_vector"` // whose delivery it was tested with; "": nobody else's
	Definition json.RawMessage `json:"definition"`
}

func (p *program) providersCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "providers [--json]",
		Short: "List the providers that are known",
		Long: `Providers lists the providers that are known: the header of the signature, what is
signed, how far the signed time may lie before and after the receive time, how the
provider retries, and how strongly the signature binds the body.

With --json there is more of each: what the signature does not cover, the pages of the
provider's documentation, and the definition, which says how the provider signs. The kind is
"data" where that is all it takes, "code" where it takes more, and "token" where the
provider signs nothing; a definition of those two has no other members than version,
kind and provider.

A sender that is not listed needs no code: write a definition of it, and hand it to verify,
explain or sign with --definition FILE. Start from one that is printed here. Its members are those
of scheme.Definition in github.com/hooknotary/hooknotary/providers; the package
scheme/schemejson beside it documents the form and has a JSON Schema of it. A
definition that leaves something to guess is refused.

Those that sign with a JSON Web Token are in the module providers/jwt. The other commands
do not know them.`,
		Example: `  hooknotary providers
  hooknotary providers --json
  hooknotary providers --json | jq '.[] | select(.name == "stripe").definition' > acme.json`,
		DisableFlagsInUseLine: true,
		Args:                  noArguments(""),
		RunE:                  func(*cobra.Command, []string) error { return p.listProviders(asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON array, with all headers and the definition of each scheme")
	return cmd
}

// noArguments refuses arguments, and gives that advice.
func noArguments(advice string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) > 0 {
			return errors.New("want no argument" + advice)
		}
		return nil
	}
}

func (p *program) listProviders(asJSON bool) error {
	var all []summary
	for _, kind := range sender.All() {
		s := summarize(kind.Name, kind.About, kind.Profile)
		switch {
		case kind.Definition != nil:
			s.Kind = schemejson.Data
		case kind.Token != nil:
			s.Kind = schemejson.Token
		}
		all = append(all, s)
	}
	for _, d := range jwtcatalog.All() {
		profile, err := d.Profile()
		if err != nil {
			return err
		}
		s := summarize(d.Provider, d.Describe(), profile)
		s.Module = "github.com/hooknotary/hooknotary/providers/jwt"
		all = append(all, s)
	}
	slices.SortStableFunc(all, func(a, b summary) int { return strings.Compare(a.Name, b.Name) })
	if asJSON {
		for i := range all {
			if err := all[i].define(); err != nil {
				return err
			}
		}
		e := json.NewEncoder(&p.out)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(all)
	}
	return writeTable(&p.out, all)
}

func writeTable(w io.Writer, all []summary) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tHEADER\tSIGNED\tTIME\tRETRIES\tBODY")
	for _, f := range all {
		header := "(in the body)"
		if len(f.Headers) > 0 {
			header = f.Headers[0]
		}
		fmt.Fprintln(table, strings.Join([]string{f.Name, header, f.Signed, windowWords(f.window), f.Retries, f.Binding}, "\t"))
	}
	return table.Flush()
}

// summarize says of a provider what the table shows.
func summarize(name string, about verify.About, p verify.Profile) summary {
	var headers []string
	for _, use := range about.Headers {
		if use.Weak == "" { // read only where an option says so
			headers = append(headers, use.Name)
		}
	}
	return summary{
		Name: name, Headers: headers, Signed: about.Signed,
		Past: p.Window.Past.Seconds(), Future: p.Window.Future.Seconds(), window: p.Window,
		Retries: retries(p), Binding: p.Binding.String(), MediaType: mediaType(p), MaxBody: p.MaxBody,
		Kind: schemejson.Code, Title: about.Title, NotCovered: about.NotCovered, Sources: about.Links, Outside: about.OutsideVector,
	}
}

// define fills in the definition, or what stands for it where there is none.
func (s *summary) define() (err error) {
	if s.Kind == schemejson.Data {
		kind, err := findProvider(s.Name)
		if err == nil {
			s.Definition, err = schemejson.Marshal(*kind.Definition)
		}
		return err
	}
	s.Definition, err = json.Marshal(struct {
		Version  int    `json:"version"`
		Kind     string `json:"kind"`
		Provider string `json:"provider"`
	}{schemejson.Version, s.Kind, s.Name})
	return err
}

func retries(p verify.Profile) string {
	switch p.Retry {
	case verify.RetryResigned:
		return "signed anew each time"
	case verify.RetryIdentical:
		return "perhaps the same bytes"
	}
	return "never by itself"
}

func mediaType(p verify.Profile) string {
	if p.MediaType == "" {
		return "application/json"
	}
	return p.MediaType
}

func windowWords(w verify.Window) string {
	if w == (verify.Window{}) {
		return "none signed"
	}
	return "-" + span(w.Past) + " +" + span(w.Future)
}

// span writes a duration without zeros that say nothing: 5m, 78h.
func span(d time.Duration) string {
	if d == math.MaxInt64 { // time.Time.Sub knows no longer one
		return "292 years or more"
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func size(n int64) string {
	if n%(1<<20) == 0 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d bytes", n)
}
