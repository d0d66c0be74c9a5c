package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/sender"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/capture"
	"github.com/hooknotary/hooknotary/verify/diagnose"
	"github.com/spf13/cobra"
)

type explainFlags struct {
	endpointFlags
	at   string
	body bool
}

func (p *program) explainCommand() *cobra.Command {
	var f explainFlags
	cmd := &cobra.Command{
		Use:   "explain --provider NAME [--body] FILE…",
		Short: "Show what is signed in captures, and what is not",
		Long: `Explain shows the signed message in pieces, which headers the scheme reads and what of
each is signed, what the signature does not cover, and the signed time beside its window.
It judges nothing: that is what verify is for.

No secret is needed. PayPal signs the webhook id, which no header says: with --secret-env
it is shown, too. Signatures are cut short, and a body, or what is signed of one or of a
query, is shown as length and SHA-256 unless --body is given.`,
		Example: `  hooknotary explain --provider stripe invoice.http
  hooknotary explain --provider github --body delivery.http
  hooknotary explain --provider paypal --secret-env PAYPAL_WEBHOOK_ID sale.http`,
		DisableFlagsInUseLine: true,
		Args:                  captureFiles,
		RunE:                  func(cmd *cobra.Command, files []string) error { return p.explain(cmd, &f, files) },
	}
	f.addProvider(cmd)
	f.addSettings(cmd)
	addAt(cmd, &f.at)
	cmd.Flags().BoolVar(&f.body, "body", false, "show the body, which may hold personal data")
	return cmd
}

func (p *program) explain(cmd *cobra.Command, f *explainFlags, files []string) error {
	at, err := parseAt(cmd, f.at)
	if err != nil {
		return err
	}
	e, err := f.endpointFlags.read(p, cmd, false)
	if err != nil {
		return err
	}
	x := &explanation{endpoint: e, showBody: f.body, w: &p.out}
	secrets := e.secrets
	if len(secrets) == 0 {
		x.unknown = e.Probe(&e.Settings).Text
		secrets = []sender.Secret{{Label: "unknown", Text: x.unknown}}
	}
	v, err := e.newVerifier(secrets)
	if err != nil {
		return err
	}
	var ok bool
	if x.scheme, ok = v.(diagnose.Scheme); !ok {
		return fmt.Errorf("the verifier of %s does not show its message", e.Name)
	}
	return p.eachFile(files, func(file string, captures []*capture.Capture, wrong bool) {
		for i, c := range captures {
			if wrong {
				return
			}
			name := file
			if len(captures) > 1 {
				name = fmt.Sprintf("%s (delivery %d)", file, i+1)
			}
			c, from := p.dated(c, at)
			x.write(name, c, from)
		}
	})
}

// explanation shows captures of one endpoint.
type explanation struct {
	*endpoint
	scheme   diagnose.Scheme
	unknown  string // stands for the secret where none is given
	showBody bool
	w        io.Writer
}

func (x *explanation) write(name string, c *capture.Capture, from source) {
	fmt.Fprintf(x.w, "%s: as %s reads it\n", printable(name), x.Name)
	if c.Inexact != "" {
		fmt.Fprintf(x.w, "  The body is inexact: %s\n", printable(c.Inexact))
	}
	x.headers(c)
	x.message(c)
	x.uncovered(c)
	x.time(c, from)
	x.profile()
	if x.showBody {
		x.section("The body")
		fmt.Fprintln(x.w, indented(c.Body))
	}
	fmt.Fprintln(x.w)
}

func (x *explanation) section(title string) { fmt.Fprintf(x.w, "\n  %s\n", title) }

// headers says what the scheme reads of each header that is there, and which of its
// own are missing.
func (x *explanation) headers(c *capture.Capture) {
	x.section("Headers that the scheme reads")
	names := x.scheme.SecurityHeaders()
	for _, name := range names {
		values := c.Header[name]
		if len(values) == 0 {
			if x.spare(c, name) {
				continue
			}
			fmt.Fprintf(x.w, "    %s is missing\n", printable(name))
		}
		for _, value := range values {
			if x.Token != nil {
				value = "(a credential, which is not shown)"
			}
			fmt.Fprintf(x.w, "    %s: %s\n", printable(name), shortened(printable(value)))
		}
		if note := x.Use(name); note != "" {
			fmt.Fprintf(x.w, "      %s\n", printable(note))
		}
	}
	x.section("Headers that it does not read, and that are not covered")
	others := slices.DeleteFunc(slices.Sorted(maps.Keys(c.Header)), func(name string) bool { return slices.Contains(names, name) })
	for _, name := range others {
		fmt.Fprintf(x.w, "    %s\n", printable(name))
	}
}

// spare reports whether a header that is not there is not needed: it stands there under
// its other name, or another header holds the signature.
func (x *explanation) spare(c *capture.Capture, name string) bool {
	if x.Definition == nil {
		return false
	}
	is := func(header string) bool { return http.CanonicalHeaderKey(header) == name }
	there := func(header string) bool { return len(c.Header[http.CanonicalHeaderKey(header)]) > 0 }
	for _, a := range x.Definition.Aliases {
		if is(a.Header) && there(a.Other) || is(a.Other) && there(a.Header) {
			return true
		}
	}
	for _, s := range x.Definition.Signatures {
		if all := append([]string{s.Header}, s.More...); slices.ContainsFunc(all, is) && slices.ContainsFunc(all, there) {
			return true
		}
	}
	return false
}

// message shows the signed message.
func (x *explanation) message(c *capture.Capture) {
	x.section("The signed message, in pieces")
	table := tabwriter.NewWriter(x.w, 0, 0, 2, ' ', 0)
	n := 0
	for what, piece := range x.scheme.Message(c.Head(), c.Body) {
		n++
		fmt.Fprintf(table, "    %d\t%s\t%s\n", n, printable(what), x.piece(what, piece))
	}
	table.Flush()
}

// piece shows a piece of the message.
func (x *explanation) piece(what string, piece []byte) string {
	switch {
	case what == "body":
		return digestOf(piece)
	case what == "secret":
		return "not shown"
	case piece == nil:
		return "missing"
	case x.unknown != "" && string(piece) == x.unknown:
		return "unknown here: hand it over with --secret-env"
	case !x.showBody && !impersonal(what):
		return digestOf(piece)
	}
	return fmt.Sprintf("%q", piece)
}

// impersonal reports whether a piece is no text of the body or of the query, which may hold
// personal data or a token. Pieces that nobody named here count as such.
func impersonal(what string) bool {
	switch what {
	case "constant", "method", "webhook id, from configuration", "SHA-256 of the body", "CRC-32 of the body":
		return true
	}
	for _, beginning := range [...]string{"time, from ", "id, from ", "transmission id, from ", "nonce, from ", "header ", "name of a header, from ", "names of headers, from ", "URL, from configuration", "method, and path from configuration"} {
		if strings.HasPrefix(what, beginning) {
			return true
		}
	}
	return false
}

func digestOf(body []byte) string {
	return fmt.Sprintf("%d bytes, SHA-256 %x", len(body), sha256.Sum256(body))
}

// uncovered says what the signature does not cover.
func (x *explanation) uncovered(c *capture.Capture) {
	x.section("What the signature does not cover")
	for _, what := range x.About.NotCovered {
		fmt.Fprintf(x.w, "    %s\n", printable(what))
	}
	fmt.Fprintf(x.w, "    the method, here %s; the URL, here %s; and every other header\n", printable(c.Head().Method), printable(target(c)))
	if len(x.About.Handshakes) == 0 {
		return
	}
	x.section("Handshakes, which the guard answers")
	for _, what := range x.About.Handshakes {
		fmt.Fprintf(x.w, "    %s\n", printable(what))
	}
}

// target returns the path of the URL. A query may hold a token.
func target(c *capture.Capture) string {
	path := c.Head().URL.EscapedPath()
	if c.Head().URL.RawQuery != "" {
		path += "?…"
	}
	return path
}

// time shows the signed time beside its window.
func (x *explanation) time(c *capture.Capture, from source) {
	x.section("Time")
	fmt.Fprintf(x.w, "    received %s (%s)\n", rfc3339(c.ReceivedAt), from.words())
	if !x.Timed() {
		fmt.Fprintln(x.w, "    no time is signed")
		return
	}
	window := x.scheme.Profile().Window
	at, err := x.SignedAt(x.scheme, c.Head(), c.Body)
	if err != nil {
		fmt.Fprintln(x.w, "    the signed time cannot be read")
	} else {
		fmt.Fprintf(x.w, "    signed   %s, %s\n", rfc3339(at), beside(at, c.ReceivedAt, window))
	}
	fmt.Fprintf(x.w, "    accepted from %s before to %s after the receive time\n", span(window.Past), span(window.Future))
}

// beside says where a signed time lies.
func beside(signed, received time.Time, w verify.Window) string {
	switch {
	case signed.Before(received.Add(-w.Past)):
		return span(received.Sub(signed)) + " before it was received: too old"
	case signed.After(received.Add(w.Future)):
		return span(signed.Sub(received)) + " after it was received: too new"
	case signed.After(received):
		return span(signed.Sub(received)) + " after it was received: inside the window"
	}
	return span(received.Sub(signed)) + " before it was received: inside the window"
}

// profile shows the facts of the scheme.
func (x *explanation) profile() {
	p := x.scheme.Profile()
	x.section("The scheme")
	fmt.Fprintf(x.w, "    signed: %s\n", printable(x.About.Signed))
	fmt.Fprintf(x.w, "    binding of the body: %s\n", p.Binding)
	fmt.Fprintf(x.w, "    media type: %s; largest body: %s\n", mediaType(p), size(p.MaxBody))
	fmt.Fprintf(x.w, "    retries: %s\n", retries(p))
}

// longRun is what signatures look like. A complete one beside its message is a
// credential.
var longRun = regexp.MustCompile(`[A-Za-z0-9+/_-]{40,}=*`)

// shortened returns a header's value with its signatures cut short.
func shortened(value string) string {
	if strings.HasPrefix(value, "https://") {
		return value
	}
	return longRun.ReplaceAllStringFunc(value, func(run string) string {
		return fmt.Sprintf("%s… (%d characters)", run[:8], len(run))
	})
}

// indented shows a body as it is if a terminal can, else quoted.
func indented(body []byte) string {
	plain := utf8.Valid(body) && !bytes.ContainsFunc(body, func(r rune) bool { return r != '\n' && r != '\t' && !unicode.IsPrint(r) })
	if !plain {
		return fmt.Sprintf("    %q", body)
	}
	return "    " + strings.ReplaceAll(string(body), "\n", "\n    ")
}
