package main

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/github/githubtest"
	"github.com/hooknotary/hooknotary/providers/paypal/paypaltest"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify/capture"
)

const (
	stripeSecret = "whsec_9fJ2kQ7dLx0VbT4mRz8YcN3w"
	otherSecret  = "whsec_Hq5sW1nGv6ZtB2yKe7PdX0aU"
	githubSecret = "correct horse battery staple 4711"
	eventBody    = `{"id":"evt_1PqX2","object":"event","type":"invoice.paid"}`
)

var arrival = time.Date(2026, 3, 1, 9, 30, 12, 0, time.UTC)

// outcome is what can be seen of a command.
type outcome struct {
	code     int
	out, err string
}

// setup is what a command finds.
type setup struct {
	env   map[string]string
	stdin string
	edit  func(p *program)
}

// hooknotary runs a command line in this process.
func hooknotary(t testing.TB, s setup, args ...string) outcome {
	t.Helper()
	var out, errs bytes.Buffer
	p := &program{
		stdin: strings.NewReader(s.stdin), stdout: &out, stderr: &errs,
		lookup: func(name string) (string, bool) { v, ok := s.env[name]; return v, ok },
		now:    func() time.Time { return arrival.Add(24 * time.Hour) },
		sleep:  func(time.Duration) {},
	}
	if s.edit != nil {
		s.edit(p)
	}
	code := p.run(context.Background(), args)
	return outcome{code, out.String(), errs.String()}
}

// secrets is a setup with the secrets in variables.
func secrets() setup {
	return setup{env: map[string]string{
		"STRIPE_SECRET": stripeSecret, "OTHER_SECRET": otherSecret, "GITHUB_SECRET": githubSecret,
		"EMPTY": "", "PADDED": " " + stripeSecret, "NEWLINE": stripeSecret + "\n", "QUOTED": `"` + stripeSecret + `"`,
		"API_KEY": "sk_live_4eC39HqLyjWDarjtT1zdp7dc", "SHORT": "tooshort",
	}}
}

// write writes a file of the test and returns its name.
func write(t testing.TB, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// save writes a capture to a file of that name and returns its path.
func save(t testing.TB, name string, c *capture.Capture) string {
	t.Helper()
	text, err := c.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	return write(t, name, string(text))
}

// invoice is a genuine delivery of Stripe.
func invoice() *capture.Capture {
	return &capture.Capture{
		Method: http.MethodPost, Host: "shop.example", Header: stripetest.Header(arrival, []byte(eventBody), stripeSecret),
		Body: []byte(eventBody), ReceivedAt: arrival,
	}
}

// push is a genuine delivery of GitHub.
func push() *capture.Capture {
	body := []byte(`{"ref":"refs/heads/main","after":"0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c"}`)
	return &capture.Capture{
		Method: http.MethodPost, Host: "ci.example", Header: githubtest.Header("push", body, githubSecret),
		Body: body, ReceivedAt: arrival,
	}
}

// edited returns c after a change.
func edited(c *capture.Capture, edit func(c *capture.Capture)) *capture.Capture {
	edit(c)
	return c
}

func forge(c *capture.Capture) {
	c.Body = bytes.Replace(c.Body, []byte("i"), []byte("j"), 1)
}

// want fails unless a command ended as wanted. Each text must stand in the output; one
// that starts with "!" must not.
func (o outcome) want(t testing.TB, code int, texts ...string) {
	t.Helper()
	var wrong []string
	note := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if o.code != code {
		note("exit code %d, want %d", o.code, code)
	}
	if code == exitWrong && o.out != "" {
		note("there is output in spite of the error")
	}
	if (code == exitWrong) != (o.err != "") {
		note("with exit code %d there are errors: %v", o.code, o.err != "")
	}
	for _, text := range texts {
		text, absent := strings.CutPrefix(text, "!")
		if strings.Contains(o.out+o.err, text) == absent {
			note("%q is there: %v", text, absent)
		}
	}
	if wrong != nil {
		t.Errorf("%s\nstdout:\n%s\nstderr:\n%s", strings.Join(wrong, "\n"), o.out, o.err)
	}
}

// noNetwork fails a test's program that wants to fetch something.
type noNetwork struct{}

func (noNetwork) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("there is no network")
}

// certificate writes the certificate at a URL to a PEM file.
func certificate(t testing.TB, pp *paypaltest.PayPal, url string) string {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := pp.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("status %d, %v", res.StatusCode, err)
	}
	if block, _ := pem.Decode(text); block != nil {
		return write(t, "served.pem", string(text))
	}
	return encodePEM(t, text)
}

// encodePEM writes a certificate to a PEM file.
func encodePEM(t testing.TB, der []byte) string {
	t.Helper()
	return write(t, "certificate.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
}
