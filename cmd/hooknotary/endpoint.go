package main

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/sender"
	"github.com/hooknotary/hooknotary/providers/scheme/schemejson"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/spf13/cobra"
)

// endpoint is an endpoint as the flags describe it.
type endpoint struct {
	sender.Settings
	*sender.Sender
	secrets []sender.Secret
}

// endpointFlags describe an endpoint.
type endpointFlags struct {
	secretFlags
	sender.Settings
	provider, definition       string
	cert, intermediates, roots string
}

// addProvider adds the flags that every command about an endpoint has.
func (f *endpointFlags) addProvider(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.provider, "provider", "", "the provider's `NAME`, such as stripe; hooknotary providers lists all")
	flags.StringVar(&f.definition, "definition", "", "in place of --provider: a `FILE` that says how another sender signs; see hooknotary providers --help")
	f.secretFlags.add(cmd)
	flags.StringVar(&f.URL, "url", "", "for a provider that signs it: the `URL` of the endpoint, as it is registered there")
	flags.BoolVar(&f.InsecureAllowShortSecret, "insecure-allow-short-secret", false, titles("insecure-allow-short-secret", "providers with secrets")+": accept secrets under 16 bytes")
	flags.BoolVar(&f.InsecureBodyNotCovered, "insecure-body-not-covered", false, titles("insecure-body-not-covered", "providers that sign no body")+": accept a delivery whose body nothing covers")
	must(cmd.RegisterFlagCompletionFunc("provider", completeProvider))
}

// addSettings adds the flags for what an endpoint may choose.
func (f *endpointFlags) addSettings(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.DurationVar(&f.Tolerance, "tolerance", 0, titles("tolerance", "providers that sign a time")+": how far the signed time may lie from the receive time (default 5m)")
	flags.BoolVar(&f.Form, "form", false, "GitHub: the hook sends application/x-www-form-urlencoded")
	flags.BoolVar(&f.JSONBody, "json-body", false, titles("json-body", "providers that send forms or JSON")+": the endpoint takes JSON, and not forms")
	flags.BoolVar(&f.AnyQuery, "any-query", false, titles("any-query", "providers that sign the query")+": each request has a query of its own, and --url has none")
	flags.BoolVar(&f.BodyAlone, "body-alone", false, titles("body-alone", "providers that sign headers")+": judge the older signature, which covers no header")
	flags.BoolVar(&f.InsecureAllowSHA1, "insecure-allow-sha1", false, "GitHub: accept X-Hub-Signature where the SHA-256 header is absent")
	flags.BoolVar(&f.Sandbox, "sandbox", false, "PayPal: the sandbox in place of live")
	flags.BoolVar(&f.InsecureAcceptSimulator, "insecure-accept-simulator", false, "PayPal: accept WEBHOOK_ID, the simulator's webhook id")
}

// addCertificates adds the flags for what PayPal's hosts would serve.
func (f *endpointFlags) addCertificates(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.cert, "cert", "", "PayPal: PEM `FILE` with what the certificate URL serves, so that nothing is fetched")
	flags.StringVar(&f.intermediates, "intermediates", "", "PayPal: PEM `FILE` with further issuers")
	flags.StringVar(&f.roots, "roots", "", "PayPal: PEM `FILE` with further roots to trust")
}

func completeProvider(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return sender.Names(), cobra.ShellCompDirectiveNoFileComp
}

// must panics on a mistake of this program.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// kind returns the provider that the flags name, or that the file of a definition describes.
func (f *endpointFlags) kind() (*sender.Sender, error) {
	if f.definition == "" {
		return findProvider(f.provider)
	}
	if f.provider != "" {
		return nil, errors.New("--provider and --definition name a provider each: want one of them")
	}
	file, err := os.Open(f.definition)
	if err != nil {
		return nil, fileError(f.definition, err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, schemejson.MaxSize+1))
	if err != nil {
		return nil, fileError(f.definition, err)
	}
	d, err := schemejson.Unmarshal(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.definition, err)
	}
	return sender.FromDefinition(d)
}

// read returns the endpoint. It has no secrets if none are given and none are needed.
func (f *endpointFlags) read(p *program, cmd *cobra.Command, needSecret bool) (*endpoint, error) {
	kind, err := f.kind()
	if err != nil {
		return nil, err
	}
	f.provider = kind.Name
	for _, other := range sender.All() {
		for _, name := range other.Words {
			if cmd.Flags().Changed(name) && !slices.Contains(kind.Words, name) {
				return nil, fmt.Errorf("--%s is not for %s", name, kind.Name)
			}
		}
	}
	if cmd.Flags().Changed("tolerance") && f.Tolerance <= 0 {
		return nil, fmt.Errorf("--tolerance is %v: want more than 0", f.Tolerance)
	}
	if kind.SignsURL && f.URL == "" {
		return nil, fmt.Errorf("--url is missing: %s signs the URL of the endpoint, as it is registered there", kind.Name)
	}
	if kind.Profile.Binding == verify.BindingNone && needSecret && !f.InsecureBodyNotCovered {
		return nil, fmt.Errorf("what %s sends does not cover the body; if you know that, say --insecure-body-not-covered", kind.Name)
	}
	e := &endpoint{Settings: f.Settings, Sender: kind}
	e.InsecureSHA1 = kind.OnlySHA1                                     // there is nothing to choose
	e.InsecureBodyNotCovered = e.InsecureBodyNotCovered || !needSecret // nothing is accepted then
	if err := f.certificates(p, cmd, &e.Settings); err != nil {
		return nil, err
	}
	if _, err := kind.VerifierOf(&e.Settings, kind.Probe(&e.Settings)); err != nil {
		return nil, err
	}
	if needSecret || f.given() {
		if e.secrets, err = f.secretFlags.read(p); err != nil {
			return nil, err
		}
		if !kind.KeySourced() && len(e.secrets) > 1 {
			return nil, fmt.Errorf("there are %d secrets: %s has one %s", len(e.secrets), kind.Name, kind.About.Identifier)
		}
	}
	return e, nil
}

// certificates reads the files of certificates.
func (f *endpointFlags) certificates(p *program, cmd *cobra.Command, s *sender.Settings) (err error) {
	s.Transport = p.transport
	if cmd.Flags().Changed("cert") {
		if _, err := readPEM(f.cert); err != nil {
			return err
		}
		file, err := readSmall(f.cert)
		if err != nil {
			return err
		}
		s.Transport = certFile(file)
	}
	if cmd.Flags().Changed("roots") {
		if s.Roots, err = readPEM(f.roots); err != nil {
			return err
		}
	}
	if cmd.Flags().Changed("intermediates") {
		s.Intermediates, err = readPEM(f.intermediates)
	}
	return err
}

// readPEM reads a file of certificates.
func readPEM(name string) ([]*x509.Certificate, error) {
	text, err := readSmall(name)
	if err != nil {
		return nil, err
	}
	if len(text) > sender.MaxSecret {
		return nil, fmt.Errorf("%s: too large: want certificates in PEM", name)
	}
	var all []*x509.Certificate
	for rest := text; ; {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil {
			break
		}
		line := 1 + bytes.Count(text[:len(text)-len(rest)], []byte("\n"))
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("%s: the block that ends before line %d is no certificate: want BEGIN CERTIFICATE", name, line)
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: the certificate that ends before line %d does not parse: %w", name, line, err)
		}
		all = append(all, cert)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: there is no certificate: want PEM, \"-----BEGIN CERTIFICATE-----\"", name)
	}
	return all, nil
}

// certFile answers for PayPal's hosts: every certificate URL serves the one file, and
// there is nothing else, so that nothing leaves the machine.
type certFile []byte

func (f certFile) RoundTrip(r *http.Request) (*http.Response, error) {
	res := &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: make(http.Header), Body: io.NopCloser(bytes.NewReader(f)), ContentLength: int64(len(f)), Request: r,
	}
	if !strings.Contains(r.URL.Path, "/notifications/certs/") {
		res.StatusCode, res.Body, res.ContentLength = http.StatusNotFound, http.NoBody, 0
	}
	return res, nil
}

// newVerifier makes the verifier for these secrets. Its settings are good, so an error
// is about the secrets.
func (e *endpoint) newVerifier(secrets []sender.Secret) (verify.Verifier, error) {
	return e.VerifierOf(&e.Settings, secrets...)
}

// rivals returns verifiers that might accept what this endpoint refuses. A diagnosis knows
// the other providers by itself.
func (e *endpoint) rivals() []verify.Verifier { return e.Others(&e.Settings, e.secrets) }

// titles returns the titles of the providers that a flag is for: "GitHub, Stripe". Where
// those are many it says what they have in common.
func titles(flag, common string) string {
	var all []string
	for _, s := range sender.All() {
		if slices.Contains(s.Words, flag) {
			all = append(all, s.About.Title)
		}
	}
	if len(all) > 3 {
		return common
	}
	return strings.Join(all, ", ")
}

// findProvider returns the provider of that name.
func findProvider(name string) (*sender.Sender, error) {
	if name == "" {
		return nil, errors.New("--provider is missing: hooknotary providers lists those that are known")
	}
	s, err := sender.Find(name)
	if err == nil && s.JWT != nil {
		return nil, fmt.Errorf("%s signs with a JSON Web Token, which this command does not know; verify it in Go, with the module providers/jwt", name)
	}
	return s, err
}
