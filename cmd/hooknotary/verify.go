package main

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/hooknotary/hooknotary/verify/capture"
	"github.com/spf13/cobra"
)

const standardInput = "-" // as the name of a file

type verifyFlags struct {
	endpointFlags
	candidateFlags
	at   string
	json bool
}

func (p *program) verifyCommand() *cobra.Command {
	var f verifyFlags
	cmd := &cobra.Command{
		Use:   "verify --provider NAME --secret-env VAR [--at RFC3339] [--json] FILE…",
		Short: "Verify captures, and say why one fails",
		Long: `Verify judges each capture as middleware.Protect would judge the request: method,
media type, size, headers, time and signature. For one that is refused the diagnosis
follows: what is wrong, and what to do about it. A sender that is not known needs a file, and
no code: --definition takes one in the place of --provider, see hooknotary providers --help.

The receive time is that of --at, else that of the capture, else now. The file "-" is the
standard input.

Exit codes: 0 if every capture verifies; 1 if one does not; 2 if a file or a flag is
wrong, and then there is no verdict about any capture. A secret that the library would
refuse when a server starts (padded, quoted, an API key) makes every capture a reject with
the reason no_key.

With --json there is one line for each capture, an object that always has these members:
file, provider, verdict ("accept" or "reject"), reason ("" or a label such as "too_old"),
error, received_at, received_from ("at", "capture" or "now"), inexact, delivery (null,
or id, message_id, key, signed_at, binding and unsigned with id and type) and findings (a
list of id, confidence, text and fix). A file with several deliveries adds index, from 1.

For PayPal the "secret" is the webhook id. Its certificate is fetched from PayPal's host,
as the library does it; --cert keeps everything offline.`,
		Example: `  hooknotary verify --provider stripe --secret-env STRIPE_WEBHOOK_SECRET invoice.http
  hooknotary verify --provider github --secret-file hook.secret --json testdata/*.http
  hooknotary verify --provider stripe --secret-env STRIPE_WEBHOOK_SECRET --at 2026-03-01T09:30:12Z session.har
  hooknotary verify --provider stripe --secret-env LIVE --other-mode-secret-env TEST invoice.http
  hooknotary verify --provider paypal --secret-env PAYPAL_WEBHOOK_ID --cert leaf.pem sale.http
  hooknotary verify --definition acme.json --secret-env ACME_SECRET delivery.http
  hooknotary sign --provider github --secret-env HOOK_SECRET push.json | hooknotary verify --provider github --secret-env HOOK_SECRET -
  vault read -field=secret hooks/stripe | hooknotary verify --provider stripe --secret-stdin invoice.http`,
		DisableFlagsInUseLine: true,
		Args:                  captureFiles,
		RunE:                  func(cmd *cobra.Command, files []string) error { return p.verify(cmd, &f, files) },
	}
	f.addProvider(cmd)
	f.addSettings(cmd)
	f.addCertificates(cmd)
	f.candidateFlags.add(cmd)
	addAt(cmd, &f.at)
	cmd.Flags().BoolVar(&f.json, "json", false, "print one JSON object a line for each capture")
	return cmd
}

func addAt(cmd *cobra.Command, at *string) {
	cmd.Flags().StringVar(at, "at", "", "the receive `TIME`, RFC 3339, such as 2026-03-01T09:30:12Z")
}

var errStdin = errors.New("the standard input can be one thing only: the secret, or one file")

// captureFiles checks the arguments.
func captureFiles(cmd *cobra.Command, files []string) error {
	if len(files) == 0 {
		return errors.New("there is no file: want at least one capture (.http, HAR, or JSON of GitHub, ngrok, webhook.site or Lambda)")
	}
	readers := 0
	for _, file := range files {
		if file == standardInput {
			readers++
		}
	}
	if readers > 1 || readers == 1 && cmd.Flags().Changed("secret-stdin") {
		return errStdin
	}
	return nil
}

func (p *program) verify(cmd *cobra.Command, f *verifyFlags, files []string) error {
	at, err := parseAt(cmd, f.at)
	if err != nil {
		return err
	}
	e, err := f.endpointFlags.read(p, cmd, true)
	if err != nil {
		return err
	}
	candidates, err := f.candidateFlags.read(p)
	if err != nil {
		return err
	}
	results, err := p.judgeAll(cmd, newJudge(e, candidates), files, at)
	if err != nil {
		return err
	}
	return p.print(results, f.json)
}

// judgeAll judges all captures in all files. It holds one file at a time. An error is
// about files; then there is no result.
func (p *program) judgeAll(cmd *cobra.Command, j *judge, files []string, at time.Time) ([]*result, error) {
	var results []*result
	err := p.eachFile(files, func(file string, captures []*capture.Capture, wrong bool) {
		if wrong {
			return // what is left to do is to find out what else is wrong
		}
		for i, c := range captures {
			c, from := p.dated(c, at)
			r := j.judge(cmd.Context(), c, from)
			r.File = file
			if len(captures) > 1 {
				r.Index = i + 1
			}
			results = append(results, r)
		}
	})
	return results, err
}

// eachFile reads files, one at a time, and returns all that is wrong with them. The
// function learns whether something was wrong before.
func (p *program) eachFile(files []string, f func(file string, captures []*capture.Capture, wrong bool)) error {
	var errs []error
	for _, file := range files {
		captures, err := p.captures(file)
		if err != nil {
			errs = append(errs, fileError(file, err))
			continue
		}
		f(file, captures, len(errs) > 0)
	}
	return errors.Join(errs...)
}

// captures reads a file, or the standard input where it is "-".
func (p *program) captures(file string) ([]*capture.Capture, error) {
	if file == standardInput {
		return capture.Read(p.stdin)
	}
	return capture.ReadFile(file)
}

// fileError makes the text of an error begin with the file's name.
func fileError(file string, err error) error {
	var syntax *capture.SyntaxError
	if errors.As(err, &syntax) {
		if syntax.Line > 0 {
			return fmt.Errorf("%s:%d: %s", file, syntax.Line, syntax.Text)
		}
		return fmt.Errorf("%s: %s", file, syntax.Text)
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		return fmt.Errorf("%s: %w", file, path.Err)
	}
	return err
}

// dated returns c with the receive time to judge it at, and where that is from.
func (p *program) dated(c *capture.Capture, at time.Time) (*capture.Capture, source) {
	from := fromFlag
	switch {
	case at.IsZero() && !c.ReceivedAt.IsZero():
		return c, fromCapture
	case at.IsZero():
		at, from = p.now(), fromNow
	}
	c = c.Clone()
	c.ReceivedAt = at
	return c, from
}

// parseAt returns the time of --at, or the zero time without that flag. An empty text is
// no time: it may be a variable that is not set.
func parseAt(cmd *cobra.Command, s string) (time.Time, error) {
	if !cmd.Flags().Changed("at") {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, s)
	if err != nil || at.Year() < 1970 {
		return time.Time{}, errors.New("--at: want a time in RFC 3339, such as 2026-03-01T09:30:12Z")
	}
	return at, nil
}

// print prints results and ends the command. Nothing that verifies is no success.
func (p *program) print(results []*result, asJSON bool) error {
	accepted := 0
	for _, r := range results {
		if r.Verdict == accept {
			accepted++
		}
		if asJSON {
			if err := r.writeJSON(&p.out); err != nil {
				return err
			}
			continue
		}
		r.writeText(&p.out, p.colour)
	}
	if !asJSON && len(results) > 1 {
		fmt.Fprintf(&p.out, "%d of %d verify\n", accepted, len(results))
	}
	if accepted == 0 || accepted < len(results) {
		return errReject
	}
	return nil
}
