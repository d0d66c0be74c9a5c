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
	"time"

	"github.com/hooknotary/hooknotary/providers/catalog"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/providers/scheme/schemejson"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/spf13/cobra"
)

// settings is what an endpoint may choose, of all providers.
type settings struct {
	tolerance            time.Duration
	url                  string // of the endpoint, where it is signed
	form                 bool
	jsonBody, anyQuery   bool // Twilio
	bodyAlone            bool // Hook0
	allowSHA1            bool
	allowShort           bool
	bodyNotCovered       bool
	distinct             bool // GitHub: by delivery id
	sandbox, simulator   bool
	roots, intermediates []*x509.Certificate
	transport            http.RoundTripper
}

// endpoint is an endpoint as the flags describe it.
type endpoint struct {
	settings
	*provider
	secrets []secret
}

// endpointFlags describe an endpoint.
type endpointFlags struct {
	secretFlags
	settings
	provider, definition       string
	cert, intermediates, roots string
}

// addProvider adds the flags that every command about an endpoint has.
func (f *endpointFlags) addProvider(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.provider, "provider", "", "the provider's `NAME`, such as stripe; hooknotary providers lists all")
	flags.StringVar(&f.definition, "definition", "", "in place of --provider: a `FILE` that says how another sender signs; see hooknotary providers --help")
	f.secretFlags.add(cmd)
	flags.StringVar(&f.url, "url", "", "for a provider that signs it: the `URL` of the endpoint, as it is registered there")
	flags.BoolVar(&f.allowShort, "insecure-allow-short-secret", false, titles("insecure-allow-short-secret", "providers with secrets")+": accept secrets under 16 bytes")
	flags.BoolVar(&f.bodyNotCovered, "insecure-body-not-covered", false, titles("insecure-body-not-covered", "providers that sign no body")+": accept a delivery whose body nothing covers")
	must(cmd.RegisterFlagCompletionFunc("provider", completeProvider))
}

// addSettings adds the flags for what an endpoint may choose.
func (f *endpointFlags) addSettings(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.DurationVar(&f.tolerance, "tolerance", 0, titles("tolerance", "providers that sign a time")+": how far the signed time may lie from the receive time (default 5m)")
	flags.BoolVar(&f.form, "form", false, "GitHub: the hook sends application/x-www-form-urlencoded")
	flags.BoolVar(&f.jsonBody, "json-body", false, titles("json-body", "providers that send forms or JSON")+": the endpoint takes JSON, and not forms")
	flags.BoolVar(&f.anyQuery, "any-query", false, titles("any-query", "providers that sign the query")+": each request has a query of its own, and --url has none")
	flags.BoolVar(&f.bodyAlone, "body-alone", false, titles("body-alone", "providers that sign headers")+": judge the older signature, which covers no header")
	flags.BoolVar(&f.allowSHA1, "insecure-allow-sha1", false, "GitHub: accept X-Hub-Signature where the SHA-256 header is absent")
	flags.BoolVar(&f.sandbox, "sandbox", false, "PayPal: the sandbox in place of live")
	flags.BoolVar(&f.simulator, "insecure-accept-simulator", false, "PayPal: accept WEBHOOK_ID, the simulator's webhook id")
}

// addCertificates adds the flags for what PayPal's hosts would serve.
func (f *endpointFlags) addCertificates(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.cert, "cert", "", "PayPal: PEM `FILE` with what the certificate URL serves, so that nothing is fetched")
	flags.StringVar(&f.intermediates, "intermediates", "", "PayPal: PEM `FILE` with further issuers")
	flags.StringVar(&f.roots, "roots", "", "PayPal: PEM `FILE` with further roots to trust")
}

func completeProvider(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return names(), cobra.ShellCompDirectiveNoFileComp
}

// must panics on a mistake of this program.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// kind returns the provider that the flags name, or that the file of a definition describes.
func (f *endpointFlags) kind() (*provider, error) {
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
	return defined(d)
}

// defined returns the provider of a definition.
func defined(d scheme.Definition) (*provider, error) {
	profile, err := d.Profile()
	if err != nil {
		return nil, err
	}
	p := &provider{
		Provider: catalog.Provider{
			Name: d.Provider, About: d.Describe(), Profile: profile, Definition: &d,
			SignsURL: slices.ContainsFunc(d.Message, func(p scheme.Part) bool { return p.Kind() == scheme.URLPart }),
		},
		probe: func(*settings) string { return random() },
	}
	p.fromData()
	return p, nil
}

// read returns the endpoint. It has no secrets if none are given and none are needed.
func (f *endpointFlags) read(p *program, cmd *cobra.Command, needSecret bool) (*endpoint, error) {
	kind, err := f.kind()
	if err != nil {
		return nil, err
	}
	f.provider = kind.Name
	for _, other := range providers() {
		for _, name := range other.flags {
			if cmd.Flags().Changed(name) && !slices.Contains(kind.flags, name) {
				return nil, fmt.Errorf("--%s is not for %s", name, kind.Name)
			}
		}
	}
	if cmd.Flags().Changed("tolerance") && f.tolerance <= 0 {
		return nil, fmt.Errorf("--tolerance is %v: want more than 0", f.tolerance)
	}
	if kind.SignsURL && f.url == "" {
		return nil, fmt.Errorf("--url is missing: %s signs the URL of the endpoint, as it is registered there", kind.Name)
	}
	if kind.Profile.Binding == verify.BindingNone && needSecret && !f.bodyNotCovered {
		return nil, fmt.Errorf("what %s sends does not cover the body; if you know that, say --insecure-body-not-covered", kind.Name)
	}
	e := &endpoint{settings: f.settings, provider: kind}
	e.bodyNotCovered = e.bodyNotCovered || !needSecret // nothing is accepted then
	if err := f.certificates(p, cmd, &e.settings); err != nil {
		return nil, err
	}
	if _, err := kind.verifier(&e.settings, []secret{{"probe", kind.probe(&e.settings)}}); err != nil {
		return nil, err
	}
	if needSecret || f.given() {
		if e.secrets, err = f.secretFlags.read(p); err != nil {
			return nil, err
		}
		if kind.oneSecret() && len(e.secrets) > 1 {
			return nil, fmt.Errorf("there are %d secrets: %s has one %s", len(e.secrets), kind.Name, kind.About.Identifier)
		}
	}
	return e, nil
}

// certificates reads the files of certificates.
func (f *endpointFlags) certificates(p *program, cmd *cobra.Command, s *settings) (err error) {
	s.transport = p.transport
	if cmd.Flags().Changed("cert") {
		if _, err := readPEM(f.cert); err != nil {
			return err
		}
		file, err := readSmall(f.cert)
		if err != nil {
			return err
		}
		s.transport = certFile(file)
	}
	if cmd.Flags().Changed("roots") {
		if s.roots, err = readPEM(f.roots); err != nil {
			return err
		}
	}
	if cmd.Flags().Changed("intermediates") {
		s.intermediates, err = readPEM(f.intermediates)
	}
	return err
}

// readPEM reads a file of certificates.
func readPEM(name string) ([]*x509.Certificate, error) {
	text, err := readSmall(name)
	if err != nil {
		return nil, err
	}
	if len(text) > maxSecretFile {
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
func (e *endpoint) newVerifier(secrets []secret) (verify.Verifier, error) {
	return e.provider.verifier(&e.settings, secrets)
}

// rivals returns verifiers that might accept what this endpoint refuses. A diagnosis knows
// the other providers by itself.
func (e *endpoint) rivals() []verify.Verifier {
	if e.others == nil {
		return nil
	}
	return e.others(&e.settings, e.secrets)
}
