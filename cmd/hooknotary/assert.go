package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/config"
	"github.com/hooknotary/hooknotary/middleware/assertion"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/capture"
	"github.com/hooknotary/hooknotary/verify/diagnose"
	"github.com/spf13/cobra"
)

const assertCommands = "verify or jwks"

func (p *program) assertCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "assert verify|jwks",
		Short: "Check what a gateway asserts to a receiver, and print its public keys",
		Long: `Assert works with assertions, the tokens with which a gateway tells a receiver who verified
a delivery: it checks one in a captured request, and prints the public keys that a receiver
checks them with.`,
		Example: `  hooknotary assert jwks --config hooknotary.yaml > jwks.json
  hooknotary assert verify --jwks jwks.json --issuer https://hooks.example.com --audience billing upstream.http`,
		DisableFlagsInUseLine: true,
		Args:                  subcommand(assertCommands),

		SuggestionsMinimumDistance: 2,
		RunE:                       func(*cobra.Command, []string) error { return errors.New("want a command: " + assertCommands) },
	}
	cmd.AddCommand(p.assertVerifyCommand(), p.assertJWKSCommand())
	return cmd
}

func (p *program) assertJWKSCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "jwks --config FILE",
		Short: "Print the public keys of a gateway, as a JWK set",
		Long: `Jwks prints what the gateway serves at /.well-known/jwks.json: the public keys of
assertion.keys, those of the next ones among them, as a JWK set on one line. Secrets have no
public key and are left out.

The whole file is read as hooknotary serve reads it. Exit codes: 0; 2 if a flag or the file
is wrong.`,
		Example:               `  hooknotary assert jwks --config hooknotary.yaml > jwks.json`,
		DisableFlagsInUseLine: true,
		Args:                  noArguments(""),
		RunE:                  func(*cobra.Command, []string) error { return p.assertJWKS(file) },
	}
	cmd.Flags().StringVar(&file, "config", "", "the gateway's `FILE`")
	return cmd
}

func (p *program) assertJWKS(file string) error {
	if file == "" {
		return errors.New("--config is missing: name the gateway's file")
	}
	c, err := config.Load(file, config.Env{Lookup: p.lookup, Transport: p.transport}, p.now())
	if err != nil {
		return err
	}
	set, err := assertion.NewKeySet(c.Assertion.Keys...)
	if err != nil {
		return err
	}
	text, err := json.Marshal(set)
	if err != nil {
		return err
	}
	fmt.Fprintf(&p.out, "%s\n", text)
	return nil
}

type assertFlags struct {
	secretFlags
	jwks, issuer, audience string
	as                     string
	at                     string
	json                   bool
}

func (p *program) assertVerifyCommand() *cobra.Command {
	var f assertFlags
	cmd := &cobra.Command{
		Use:   "verify (--jwks FILE | --secret-env VAR) --issuer TEXT --audience TEXT [--as HEADER] [--at RFC3339] [--json] FILE…",
		Short: "Check the assertion of a captured request, its body included",
		Long: `Verify judges each capture of a request that a gateway sent to a receiver as package
middleware/assertion judges it: the token's form, its time, its signature, for whom it is, and
the hash of the body. Method and media type are the receiver's business. For one that is
refused, what the diagnosis proves follows, such as a line end that was added to the body.

The keys are a JWK set, as hooknotary assert jwks prints it, or the secrets that gateway and
receiver share (HS256). --as is what the gateway's file says under as: the name of the header
and, behind a colon, what stands in front of the token. A capture that hooknotary wrote itself
is without an Authorization header.

An assertion counts for 60 seconds. The receive time is that of --at, else that of the
capture, else now. The file "-" is the standard input.

Exit codes: 0 if every assertion verifies; 1 if one does not; 2 if a file or a flag is wrong,
and then there is no verdict about any of them.

With --json there is one line for each capture, as of hooknotary verify. Its provider is
"hooknotary", the id of its delivery is the key of the event, and on accept it has one member
more, assertion, with issuer, audience, id, issued_at, expires_at, route, provider, scope,
key_label, event_id, event_key, signed_at (null if no time is signed), received_at and
binding.`,
		Example: `  hooknotary assert verify --jwks jwks.json --issuer https://hooks.example.com --audience billing upstream.http
  hooknotary assert verify --secret-env N8N_JWT --as "Authorization: Bearer" --issuer https://hooks.example.com --audience n8n upstream.http`,
		DisableFlagsInUseLine: true,
		Args:                  captureFiles,
		RunE:                  func(cmd *cobra.Command, files []string) error { return p.assertVerify(cmd, &f, files) },
	}
	f.secretFlags.add(cmd)
	flags := cmd.Flags()
	flags.Lookup("secret-env").Usage = "environment `VAR` that holds the secret; repeat it during a rotation"
	flags.StringVar(&f.jwks, "jwks", "", "`FILE` with the gateway's public keys")
	flags.StringVar(&f.issuer, "issuer", "", "who asserts: assertion.issuer of the gateway")
	flags.StringVar(&f.audience, "audience", "", "for whom: audience of the gateway's route")
	flags.StringVar(&f.as, "as", assertion.Header, "the `HEADER` with the assertion, or \"Authorization: Bearer\"")
	addAt(cmd, &f.at)
	flags.BoolVar(&f.json, "json", false, "print one JSON object a line for each capture")
	return cmd
}

func (p *program) assertVerify(cmd *cobra.Command, f *assertFlags, files []string) error {
	at, err := parseAt(cmd, f.at)
	if err != nil {
		return err
	}
	v, err := f.verifier(p, cmd)
	if err != nil {
		return err
	}
	var results []*result
	err = p.eachFile(files, func(file string, captures []*capture.Capture, wrong bool) {
		if wrong {
			return
		}
		for i, c := range captures {
			c, from := p.dated(c, at)
			r := judgeAssertion(cmd.Context(), v, c, from)
			r.File = file
			if len(captures) > 1 {
				r.Index = i + 1
			}
			results = append(results, r)
		}
	})
	if err != nil {
		return err
	}
	return p.print(results, f.json)
}

// verifier makes the receiver's verifier.
func (f *assertFlags) verifier(p *program, cmd *cobra.Command) (*assertion.Verifier, error) {
	var keys verify.KeySource
	switch {
	case f.issuer == "":
		return nil, errors.New("--issuer is missing: say what the gateway has under assertion.issuer")
	case f.audience == "":
		return nil, errors.New("--audience is missing: say what the gateway's route has as its audience")
	case cmd.Flags().Changed("jwks") && f.given():
		return nil, errors.New("there are keys and a secret: want --jwks, or --secret-env and its like")
	case cmd.Flags().Changed("jwks"):
		text, err := readSmall(f.jwks)
		if err != nil {
			return nil, err
		}
		if keys, err = assertion.ParseKeySet(text); err != nil {
			return nil, fmt.Errorf("%s: %w", f.jwks, err)
		}
	case f.given():
		secrets, err := f.secretFlags.read(p)
		if err != nil {
			return nil, err
		}
		var list verify.KeyList
		for _, s := range secrets {
			k, err := verify.NewKey("gateway", s.Label, []byte(s.Text))
			if err != nil {
				return nil, err
			}
			list = append(list, k)
		}
		keys = list
	default:
		return nil, errors.New("there is no key: name the gateway's public keys with --jwks, or the secret with --secret-env")
	}
	header, prefix, ok := strings.Cut(f.as, ":")
	if prefix = strings.TrimSpace(prefix); ok && prefix != "" {
		prefix += " "
	}
	return assertion.New(keys, f.issuer, f.audience, &assertion.Options{Header: header, Prefix: prefix})
}

// judgeAssertion returns the verdict about c, which has a receive time, from that source.
func judgeAssertion(ctx context.Context, v *assertion.Verifier, c *capture.Capture, from source) *result {
	r := &result{
		Provider: v.Profile().Provider, ReceivedAt: c.ReceivedAt.UTC(), ReceivedFrom: from, Inexact: c.Inexact,
		Findings: []diagnose.Finding{},
	}
	head := c.Head()
	d, err := verify.Verify(ctx, v, head, c.Body)
	if err != nil {
		r.reject(verify.ReasonOf(err), err)
		for _, f := range diagnose.Verifier(ctx, v, c, nil) {
			if f.Confidence == diagnose.Proved { // what is only likely speaks of a provider's settings
				r.Findings = append(r.Findings, f)
			}
		}
		return r
	}
	r.accept(d)
	if claims, ok := v.Claims(d, head.Header); ok {
		r.Assertion = newAsserted(claims)
	}
	return r
}

// asserted is what an assertion says.
type asserted struct {
	Issuer     string     `json:"issuer"`
	Audience   string     `json:"audience"`
	ID         string     `json:"id"`
	IssuedAt   time.Time  `json:"issued_at"`
	ExpiresAt  time.Time  `json:"expires_at"`
	Route      string     `json:"route"`
	Provider   string     `json:"provider"`
	Scope      string     `json:"scope"`
	KeyLabel   string     `json:"key_label"`
	EventID    string     `json:"event_id"`
	EventKey   string     `json:"event_key"`
	SignedAt   *time.Time `json:"signed_at"`
	ReceivedAt time.Time  `json:"received_at"`
	Binding    string     `json:"binding"`
}

func newAsserted(c *assertion.Claims) *asserted {
	a := &asserted{
		Issuer: c.Issuer, Audience: c.Audience, ID: c.ID, IssuedAt: c.IssuedAt, ExpiresAt: c.Expires,
		Route: c.Route, Provider: c.Provider, Scope: c.Scope, KeyLabel: c.KeyLabel,
		EventID: c.EventID, EventKey: c.EventKey.String(), ReceivedAt: c.ReceivedAt, Binding: c.Binding.String(),
	}
	if !c.SignedAt.IsZero() {
		a.SignedAt = &c.SignedAt
	}
	return a
}

// lines returns a for people.
func (a *asserted) lines() []string {
	said := fmt.Sprintf("%s verified it on route %s, for scope %s by key %s; received %s", a.Provider, a.Route, a.Scope, a.KeyLabel, rfc3339(a.ReceivedAt))
	event := "event id " + a.EventID
	if a.EventID == "" {
		event = "the sender signed no event id"
	}
	signed := "the sender signed no time"
	if a.SignedAt != nil {
		signed = "signed " + rfc3339(*a.SignedAt)
	}
	return []string{said, fmt.Sprintf("%s; %s; binding of the body: %s", event, signed, a.Binding)}
}
