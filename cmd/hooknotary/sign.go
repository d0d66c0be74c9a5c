package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"time"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/sender"
	"github.com/hooknotary/hooknotary/providers/providertest/signer"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/capture"
	"github.com/hooknotary/hooknotary/verify/diagnose"
	"github.com/spf13/cobra"
)

type signFlags struct {
	endpointFlags
	event, at, out string
	send           sendFlags
}

func (p *program) signCommand() *cobra.Command {
	var f signFlags
	cmd := &cobra.Command{
		Use:   "sign --provider NAME --secret-env VAR [--out FILE | --to URL] [BODY]",
		Short: "Sign a body, and write it as a capture or send it",
		Long: `Sign makes a delivery of a body as the provider would: a capture on the standard output
or in the file that --out names, or a request to the URL that --to names. The body is a
file, or the standard input where there is none or "-".

Where the provider signs with a private key, the secret is a private key of your own: PEM
with PRIVATE KEY, or its DER in base64. An endpoint that takes the delivery holds the
public key of it.

--to sends to loopback addresses only, unless --allow-remote is given. What counts is the
address that is dialled, not the name. Redirects are not followed, and proxies are only
used with --allow-remote. --repeat sends the very same bytes again, as a replay would.
--after-failure tries again until a response is 2xx, as the provider's retries would: newly
signed where the provider does so. On Linux, the variable SSL_CERT_FILE names a certificate
of your own to trust.

Exit codes: 0; 1 if the delivery was not answered with 2xx (repeats do not count); 2 if a
file or a flag is wrong.`,
		Example: `  hooknotary sign --provider stripe --secret-env STRIPE_WEBHOOK_SECRET event.json > event.http
  hooknotary sign --provider github --event push --secret-env HOOK_SECRET --out push.http push.json
  hooknotary sign --provider stripe --secret-env STRIPE_WEBHOOK_SECRET --to http://localhost:8080/hooks --repeat 1 event.json
  hooknotary sign --provider stripe --secret-env STRIPE_WEBHOOK_SECRET --to http://localhost:8080/hooks --after-failure event.json`,
		DisableFlagsInUseLine: true,
		Args:                  oneBody,
		RunE:                  func(cmd *cobra.Command, args []string) error { return p.sign(cmd, &f, args) },
	}
	f.addProvider(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.event, "event", "", titles("event", "providers that name the event in a header")+": the event's `NAME`, which is not signed (default none; GitHub: push)")
	flags.StringVar(&f.at, "at", "", "the `TIME` that is signed, RFC 3339 (default now)")
	flags.StringVar(&f.out, "out", "", "write the capture to `FILE`")
	f.send.add(cmd)
	return cmd
}

func oneBody(_ *cobra.Command, args []string) error {
	if len(args) > 1 {
		return errors.New("there are several bodies: want one file")
	}
	return nil
}

var eventName = regexp.MustCompile(`^[A-Za-z0-9_./-]{1,100}$`)

func (p *program) sign(cmd *cobra.Command, f *signFlags, args []string) error {
	d := &sender.Draft{}
	if cmd.Flags().Changed("event") {
		d.Event = f.event
	}
	var err error
	if d.At, err = parseAt(cmd, f.at); err != nil {
		return err
	}
	if d.At.IsZero() {
		d.At = p.now()
	}
	kind, err := f.kind()
	if err != nil {
		return err
	}
	if why := kind.WhyNot(); why != "" {
		return fmt.Errorf("%s cannot be signed for: %s", kind.Name, why)
	}
	if cmd.Flags().Changed("event") && !eventName.MatchString(f.event) {
		return errors.New("--event: want the name of an event, such as push or pull_request")
	}
	to, err := f.send.check(cmd)
	if err != nil {
		return err
	}
	if cmd.Flags().Changed("out") && (f.out == "" || to != nil) {
		return errors.New("--out: want the name of a file, and no --to beside it")
	}
	fromStdin := len(args) == 0 || args[0] == standardInput
	if fromStdin && f.stdin {
		return errStdin
	}
	e, err := f.endpointFlags.read(p, cmd, true)
	if err != nil {
		return err
	}
	if len(e.secrets) != 1 {
		return fmt.Errorf("there are %d secrets: want one to sign with", len(e.secrets))
	}
	d.Secret, d.URL = e.secrets[0].Text, f.URL
	held := e.secrets
	if kind.Private() {
		public, err := signer.Public(d.Secret)
		if err != nil {
			return fmt.Errorf("%s signs with a private key: %w", kind.Name, err)
		}
		held = []sender.Secret{{Label: e.secrets[0].Label, Text: public}}
	}
	v, err := e.newVerifier(held)
	if err != nil {
		return fmt.Errorf("no server would start with this secret: %w", err)
	}
	if d.Body, err = p.readBody(fromStdin, args); err != nil {
		return err
	}
	if kind.Definition != nil && kind.Definition.Timestamp.Member != "" {
		at, err := kind.SignedAt(v.(diagnose.Scheme), &verify.Head{}, d.Body)
		if err != nil {
			return fmt.Errorf("the body has no time: %s writes it into the member %q of the body, as a number", kind.Name, kind.Definition.Timestamp.Member)
		}
		if !cmd.Flags().Changed("at") {
			d.At = at
		}
	}
	if to != nil {
		s := &sending{program: p, sendFlags: &f.send, to: to, kind: kind, draft: d, resigned: v.Profile().Retry == verify.RetryResigned}
		return s.run(cmd.Context())
	}
	return p.writeCapture(kind, d, f.out)
}

// readBody reads the body to sign.
func (p *program) readBody(fromStdin bool, args []string) ([]byte, error) {
	name, r := "standard input", p.stdin
	if !fromStdin {
		name = args[0]
		f, err := os.Open(name)
		if err != nil {
			return nil, fileError(name, err)
		}
		defer f.Close()
		r = f
	}
	body, err := io.ReadAll(io.LimitReader(r, capture.MaxSize+1))
	if err != nil {
		return nil, fileError(name, err)
	}
	if len(body) > capture.MaxSize {
		return nil, fmt.Errorf("%s: larger than %s", name, size(capture.MaxSize))
	}
	return body, nil
}

// writeCapture writes the signed delivery in the native format.
func (p *program) writeCapture(kind *sender.Sender, d *sender.Draft, out string) error {
	header, err := kind.Sign(d)
	if err != nil {
		return fmt.Errorf("%s: the delivery cannot be signed: %w", kind.Name, err)
	}
	c := &capture.Capture{
		Method: http.MethodPost, URL: &url.URL{Path: "/"}, Host: "localhost", Header: header, Body: d.Body,
		ReceivedAt: d.At.Truncate(time.Second), Expect: capture.Accept, Note: "made by hooknotary sign",
	}
	if out != "" {
		if err := c.WriteFile(out); err != nil {
			return fileError(out, err)
		}
		return nil
	}
	text, err := c.Append(nil)
	if err != nil {
		return err
	}
	p.out.Write(text)
	return nil
}
