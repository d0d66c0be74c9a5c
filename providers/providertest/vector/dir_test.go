package vector_test

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/providers/github/githubtest"
	"github.com/hooknotary/hooknotary/providers/paypal"
	"github.com/hooknotary/hooknotary/providers/paypal/paypaltest"
	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/capture"
	"github.com/hooknotary/hooknotary/verify/verifytest"
)

// shipped are the providers of this module.
var shipped = []string{"stripe", "github", "paypal"}

func TestDir(t *testing.T) {
	// The published deliveries, written as captures into a folder for each endpoint, are
	// judged as they say.
	t.Run("published deliveries are folders of captures", func(t *testing.T) {
		patterns := append(extra(t), "core/stripe/*.json", "core/github/*.json", "core/paypal/*.json", "core/derived/*.json")
		vectors := vector.LoadPublished(t, 70, patterns...)
		ours := make(map[string]string)
		for _, provider := range shipped {
			readDifferences(t, filepath.Join("..", "..", provider, "testdata", "DIFFERENCES.md"), ours)
		}
		folders := make(map[string][]vector.Published)
		judged := make(map[string]int)
		for _, p := range vectors {
			key := endpointKey(p)
			folders[key] = append(folders[key], p)
			judged[p.Provider]++
		}
		for _, all := range folders {
			t.Run(fmt.Sprintf("%s and %d more", all[0].Name, len(all)-1), func(t *testing.T) { judgeFolder(t, all, ours) })
		}
		for _, provider := range shipped {
			if judged[provider] < 20 {
				t.Errorf("judged %d deliveries of %s, want at least 20", judged[provider], provider)
			}
		}
		for name := range ours {
			if !slices.ContainsFunc(vectors, func(p vector.Published) bool { return p.Name == name }) {
				t.Errorf("a DIFFERENCES.md lists %s, which was not found", name)
			}
		}
		t.Logf("judged %v in %d folders", judged, len(folders))
	})

	// The vectors of this project are captures, too: those for one endpoint with default
	// options are a folder for verifytest.Dir.
	t.Run("our vectors are folders of captures", func(t *testing.T) {
		for _, tt := range []struct {
			provider string
			least    int
			open     func(secret string) (verify.Verifier, error)
		}{
			{"stripe", 40, func(s string) (verify.Verifier, error) { return stripe.New(verify.Secrets(s), nil) }},
			{"github", 30, func(s string) (verify.Verifier, error) { return github.New(verify.Secrets(s), nil) }},
		} {
			t.Run(tt.provider, func(t *testing.T) {
				testdata := filepath.Join("..", "..", tt.provider, "testdata")
				folders := make(map[string][]vector.Vector)
				for _, v := range vector.Load(t, testdata) {
					if len(v.Secrets) == 1 && len(v.Options) == 0 {
						folders[v.Secrets[0]] = append(folders[v.Secrets[0]], v)
					}
				}
				judged := 0
				for secret, all := range folders {
					if !slices.ContainsFunc(all, func(v vector.Vector) bool { return v.Expect == capture.Accept }) {
						continue
					}
					v, err := tt.open(secret)
					if err != nil {
						t.Fatal(err)
					}
					dir := t.TempDir()
					for _, v := range all {
						copyTo(t, filepath.Join(testdata, v.Name+".http"), dir)
					}
					verifytest.Dir(t, v, dir)
					judged += len(all)
				}
				if judged < tt.least {
					t.Errorf("judged %d vectors, want at least %d", judged, tt.least)
				}
			})
		}
	})
}

// extra returns the files of shipped providers among those of other providers.
func extra(t testing.TB) (patterns []string) {
	t.Helper()
	root := os.Getenv(vector.Variable)
	files, err := filepath.Glob(filepath.Join(root, "extra", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var v struct{ Provider string }
		if err := json.Unmarshal(text, &v); err != nil || v.Provider == "" {
			t.Fatalf("%s: no provider: %v", file, err)
		}
		if slices.Contains(shipped, v.Provider) {
			patterns = append(patterns, "extra/"+filepath.Base(file))
		}
	}
	return patterns
}

// readDifferences reads our outcomes from a table with the columns vector, published,
// ours and why.
func readDifferences(t testing.TB, file string, ours map[string]string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		name := strings.Trim(cells[0], " `")
		if len(cells) == 4 && name != "vector" && strings.Trim(name, "-") != "" {
			ours[name] = strings.Trim(cells[2], " `")
		}
	}
}

// endpointKey is the same for deliveries to one endpoint.
func endpointKey(p vector.Published) string {
	return fmt.Sprintf("%s %q %v %v %v %+v", p.Provider, p.Secrets, p.Tolerance, p.AllowSHA1, takesForms(p), p.PayPal)
}

// takesForms reports whether the endpoint of p takes forms: as p says, or as the
// sender does.
func takesForms(p vector.Published) bool {
	mediaType := p.MediaType
	if mediaType == "" {
		mediaType = p.Head.Header.Get("Content-Type")
	}
	return mediaType == "application/x-www-form-urlencoded"
}

// judgeFolder judges the deliveries to one endpoint.
func judgeFolder(t *testing.T, all []vector.Published, ours map[string]string) {
	v, control, err := newEndpoint(t, all[0])
	if err != nil {
		for _, p := range all {
			if p.Want(t) != vector.NoVerifier {
				t.Errorf("%s: %v", p.Name, err)
			}
		}
		return
	}
	dir := t.TempDir()
	// What is signed for this endpoint is accepted, so it can be only the delivery
	// that is not.
	control.Expect = capture.Accept
	write(t, filepath.Join(dir, "control.http"), control)
	for _, p := range all {
		c := &capture.Capture{
			Method: p.Head.Method, URL: p.Head.URL, Header: p.Head.Header, Body: p.Body,
			ReceivedAt: p.Head.ReceivedAt, Expect: p.Want(t),
		}
		if v.Profile().Window == (verify.Window{}) {
			c.ReceivedAt = time.Time{} // no time is signed, and none is needed
		}
		if differs, ok := ours[p.Name]; ok {
			if differs == c.Expect {
				t.Errorf("%s: both say %s, but a DIFFERENCES.md lists a difference", p.Name, differs)
			}
			c.Expect = differs
		}
		write(t, filepath.Join(dir, p.Name+".http"), c)
	}
	verifytest.Dir(t, v, dir)
}

func write(t testing.TB, file string, c *capture.Capture) {
	t.Helper()
	if err := c.WriteFile(file); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

const hookURL = "https://hooks.example.com/hooks"

// newEndpoint returns the verifier for p, and a delivery that was signed for it here.
func newEndpoint(t testing.TB, p vector.Published) (v verify.Verifier, control *capture.Capture, err error) {
	t.Helper()
	body, at := []byte(`{"id":"evt_1"}`), time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
	secrets := p.Secrets
	if p.Verdict == "parse-only" { // the secret is not published
		secrets = []string{"not the secret of the documentation"}
	}
	var r *http.Request
	switch p.Provider {
	case "stripe":
		v, err = stripe.New(verify.Secrets(secrets...), &stripe.Options{Tolerance: p.Tolerance, InsecureAllowShortSecret: true})
		r = stripetest.NewRequest(hookURL, at, body, secrets...)
	case "github":
		v, err = github.New(verify.Secrets(secrets...), &github.Options{
			Form: takesForms(p), InsecureAllowSHA1: p.AllowSHA1, InsecureAllowShortSecret: true,
		})
		if takesForms(p) {
			body = []byte("payload=%7B%7D")
		}
		r = githubtest.NewRequest(hookURL, "push", body, secrets[0])
		if takesForms(p) {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
	case "paypal":
		pp := paypaltest.New(p.PayPal.WebhookID)
		if p.PayPal.Sandbox {
			pp = paypaltest.NewSandbox(p.PayPal.WebhookID)
		}
		v, err = newPayPal(t, p.PayPal, pp)
		r = pp.NewRequest(hookURL, at, body)
	default:
		return nil, nil, fmt.Errorf("unknown provider %q", p.Provider)
	}
	return v, capture.New(r, body, at), err
}

// newPayPal returns a verifier that gets its certificates from the files of k, and
// that of the control from its signer.
func newPayPal(t testing.TB, k vector.PayPal, control *paypaltest.PayPal) (*paypal.Verifier, error) {
	t.Helper()
	o := &paypal.Options{
		Sandbox:                 k.Sandbox,
		InsecureAcceptSimulator: k.WebhookID == "WEBHOOK_ID",
		Roots:                   control.Roots(),
	}
	for _, name := range k.Roots {
		o.Roots = append(o.Roots, readCert(t, name))
	}
	leaf, err := os.ReadFile(k.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	o.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
		res, err := control.RoundTrip(r)
		if err != nil || res.StatusCode == http.StatusOK {
			return res, err
		}
		content := leaf
		if r.URL.Host == "cacerts.digicert.com" {
			if len(k.Intermediates) != 1 {
				return nil, errors.New("no issuer")
			}
			content = readCert(t, k.Intermediates[0]).Raw
		}
		return &http.Response{StatusCode: http.StatusOK, Header: make(http.Header), Body: io.NopCloser(bytes.NewReader(content)), Request: r}, nil
	})
	return paypal.New(k.WebhookID, o)
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func readCert(t testing.TB, file string) *x509.Certificate {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		t.Fatalf("%s: no certificate", file)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return cert
}

// copyTo puts a copy of a file into a folder.
func copyTo(t testing.TB, file, dir string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, filepath.Base(file)), text, 0o600); err != nil {
		t.Fatal(err)
	}
}
