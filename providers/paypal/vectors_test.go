package paypal_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/paypal"
	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/verify"
)

// readCert reads a certificate of testdata. Those were made for the vectors
// beside them; nobody has their keys any more.
func readCert(t testing.TB, name string) *x509.Certificate {
	t.Helper()
	file, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(file)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return cert
}

// vectorOptions reads the options of a vector: "sandbox", "simulator", "max-age"
// and a duration, and "serves" and the file of testdata that PayPal's host has at
// every URL, or one that does not exist.
func vectorOptions(t testing.TB, v vector.Vector) *paypal.Options {
	t.Helper()
	o := &paypal.Options{Roots: []*x509.Certificate{readCert(t, "root.pem")}}
	serves := "leaf.pem"
	for _, option := range v.Options {
		name, value, _ := strings.Cut(option, " ")
		switch name {
		case "sandbox":
			o.Sandbox, serves = true, "leaf-sandbox.pem"
		case "simulator":
			o.InsecureAcceptSimulator = true
		case "serves":
			serves = value
		case "max-age":
			var err error
			if o.MaxAge, err = time.ParseDuration(value); err != nil {
				t.Fatalf("%s: %v", v.Name, err)
			}
		default:
			t.Fatalf("%s: unknown option %q", v.Name, option)
		}
	}
	file, err := os.ReadFile(filepath.Join("testdata", serves))
	if err != nil && serves != "nothing.pem" {
		t.Fatal(err)
	}
	issuer := readCert(t, "issuer.pem")
	o.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
		content, status := file, http.StatusOK
		if r.URL.Host == "cacerts.digicert.com" {
			content = issuer.Raw
		}
		if content == nil {
			status = http.StatusNotFound
		}
		return &http.Response{StatusCode: status, Header: make(http.Header), Body: io.NopCloser(bytes.NewReader(content)), Request: r}, nil
	})
	return o
}

func TestVectors(t *testing.T) {
	vectors := vector.Load(t, "testdata")
	if len(vectors) < 85 {
		t.Fatalf("found %d vectors, want at least 85", len(vectors))
	}
	for _, tt := range vectors {
		t.Run(tt.Name, func(t *testing.T) {
			if len(tt.Secrets) != 1 {
				t.Fatalf("there are %d webhook ids, want one", len(tt.Secrets))
			}
			v, err := paypal.New(tt.Secrets[0], vectorOptions(t, tt))
			if err != nil {
				t.Fatal(err)
			}
			d, err := verify.Verify(context.Background(), v, tt.Head, tt.Body)
			if got := vector.Outcome(err); got != tt.Expect {
				t.Fatalf("%s: outcome is %s (%v), want %s", tt.Note, got, err, tt.Expect)
			}
			if err == nil && !bytes.Equal(d.Body, tt.Body) {
				t.Error("the body is another one")
			}
		})
	}
}

func TestTestdata(t *testing.T) {
	// Also finds a file that no vector uses.
	t.Run("it holds no private key", func(t *testing.T) {
		used := map[string]bool{"root.pem": true, "issuer.pem": true, "leaf.pem": true, "leaf-sandbox.pem": true}
		for _, v := range vector.Load(t, "testdata") {
			for _, option := range v.Options {
				if name, ok := strings.CutPrefix(option, "serves "); ok {
					used[name] = true
				}
			}
		}
		files, err := filepath.Glob("testdata/*.pem")
		if err != nil || len(files) < 10 {
			t.Fatalf("found %q: %v", files, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(text, []byte("PRIVATE")) {
				t.Errorf("%s holds a private key", file)
			}
			if !used[filepath.Base(file)] {
				t.Errorf("%s is used by no vector", file)
			}
		}
	})
}

func TestPublishedVectors(t *testing.T) {
	// Shows each row of the second table of
	// DIFFERENCES.md, and that there is no other one.
	t.Run("differences in reason are listed", func(t *testing.T) {
		text, err := os.ReadFile(filepath.Join("testdata", "DIFFERENCES.md"))
		must(err)
		listed := make(map[string]string)
		_, table, _ := strings.Cut(string(text), "\n## Reasons")
		for line := range strings.Lines(table) {
			cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
			if name := strings.TrimSpace(cells[0]); len(cells) == 3 && name != "delivery" && strings.Trim(name, "-") != "" {
				listed[name] = strings.TrimSpace(cells[1])
			}
		}
		w := newWorld()
		v := w.verifier(t)
		h := sent(event)
		accept(t, "the twin of all", v, h, event)
		for name, heads := range map[string][]*verify.Head{
			"no signature, or an empty one":       {with(h, "Paypal-Transmission-Sig"), with(h, "Paypal-Transmission-Sig", "")},
			"an id that is no UUID in lower case": {with(h, "Paypal-Transmission-Id", "evt_1"), with(h, "Paypal-Transmission-Id", strings.ToUpper(newID()))},
			"another algorithm":                   {with(h, "Paypal-Auth-Algo", "SHA1withRSA"), with(h, "Paypal-Auth-Algo", "sha256WithRSA")},
			"a certificate elsewhere":             {with(h, "Paypal-Cert-Url", "https://evil.example/v1/notifications/certs/CERT-1"), with(h, "Paypal-Cert-Url", sandboxURL)},
		} {
			row := listed[name]
			delete(listed, name)
			for _, h := range heads {
				_, err := verify.Verify(context.Background(), v, h, event)
				ours := vector.Outcome(err)
				_, not, ok := strings.Cut(row, "`"+ours+"`, not ")
				if !ok || not == "`"+ours+"`" {
					t.Errorf("%s: the outcome is %s, and DIFFERENCES.md says %q", name, ours, row)
				}
			}
		}
		for name := range listed {
			t.Errorf("DIFFERENCES.md lists %q, of which there is no case", name)
		}
	})

	t.Run("published transmissions get their verdict", func(t *testing.T) {
		folder := vectorFolder(t)
		files, err := filepath.Glob(filepath.Join(folder, "paypal", "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		derived, err := filepath.Glob(filepath.Join(folder, "derived", "c*.json"))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, derived...)
		if len(files) < 27 {
			t.Fatalf("found %d vectors, want at least 27", len(files))
		}
		for _, file := range files {
			v, body := loadPublished(t, file)
			t.Run(v.Name, func(t *testing.T) {
				verifier, _ := v.verifier(t, folder)
				head := v.head()
				if moved, ok := movedURL[v.Name]; ok {
					if got := head.Header.Get("Paypal-Cert-Url"); got != moved {
						t.Fatalf("the URL is %q now, want %q: DIFFERENCES.md is stale", got, moved)
					}
					if _, err := verify.Verify(context.Background(), verifier, head, body); !errors.Is(err, verify.ErrUntrusted) {
						t.Fatalf("under its own URL: got %v, want %v", err, verify.ErrUntrusted)
					}
					head.Header.Set("Paypal-Cert-Url", "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-aecacc47")
				}
				d, err := verify.Verify(context.Background(), verifier, head, body)
				switch v.Expect.Verdict {
				case "accept":
					if err != nil {
						t.Fatalf("got %v, want it accepted", err)
					}
					if d.Binding != verify.BindingChecksum || d.MessageID == "" || !bytes.Equal(d.Body, body) {
						t.Errorf("got binding %v, message id %q", d.Binding, d.MessageID)
					}
				case "reject":
					if d != nil || err == nil {
						t.Fatalf("accepted, want %s", v.Expect.Reason)
					}
					want, ok := reasons[v.Expect.Reason]
					if !ok {
						t.Fatalf("no reason of ours for %q", v.Expect.Reason)
					}
					if !errors.Is(err, want) {
						t.Errorf("got %v, want %v", err, want)
					}
				default:
					t.Fatalf("unknown verdict %q", v.Expect.Verdict)
				}
			})
		}
	})
}

// published is a transmission that was published elsewhere.
type published struct {
	Provider string
	Name     string
	Key      struct {
		Environment   string
		WebhookID     string `json:"webhook_id"`
		CertAtURL     string `json:"cert_at_url"`
		Intermediates []string
		Roots         []string
	}
	Headers  [][2]string
	Body     string    `json:"body_b64"`
	VerifyAt time.Time `json:"verify_at"`
	Expect   struct{ Verdict, Reason string }
}

// reasons maps the labels of the published set to ours.
var reasons = map[string]verify.Reason{
	"signature_mismatch":    verify.ErrMismatch,
	"unsupported_algorithm": verify.ErrUnsigned,
	"cert_url_not_allowed":  verify.ErrUntrusted,
	"cert_untrusted":        verify.ErrUntrusted,
	"cert_expired":          verify.ErrTooOld, // see DIFFERENCES.md
}

// movedURL names vectors whose certificate URL is none of PayPal's. It is not
// signed. See DIFFERENCES.md.
var movedURL = map[string]string{
	"sandbox-2017-03-30-plan": "https://api.sandbox.paypal.com/v1/notifications/test",
	"java-wrong-webhook-id":   "https://api.sandbox.paypal.com/v1/notifications/test",
}

func vectorFolder(t testing.TB) string {
	t.Helper()
	folder := os.Getenv("HOOKNOTARY_VECTORS")
	if folder == "" {
		t.Skip("HOOKNOTARY_VECTORS is not set")
	}
	return filepath.Join(folder, "core")
}

func loadPublished(t testing.TB, path string) (published, []byte) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var v published
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	body, err := base64.StdEncoding.DecodeString(v.Body)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return v, body
}

func (v published) head() *verify.Head {
	h := make(http.Header)
	for _, field := range v.Headers {
		h.Add(field[0], field[1])
	}
	return &verify.Head{Method: http.MethodPost, Header: h, ReceivedAt: v.VerifyAt}
}

// verifier makes the verifier of a vector. The certificate comes from the
// vector's file through a TLS server, and the issuers from the plain host that
// the certificate names.
func (v published) verifier(t testing.TB, folder string) (*paypal.Verifier, *internet) {
	t.Helper()
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	certificate := func(name string) *x509.Certificate {
		block, _ := pem.Decode(read(name))
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		return cert
	}
	o := &paypal.Options{
		Sandbox:                 v.Key.Environment == "sandbox",
		InsecureAcceptSimulator: v.Key.WebhookID == "WEBHOOK_ID",
	}
	for _, name := range v.Key.Roots {
		o.Roots = append(o.Roots, certificate(name))
	}
	leaf := bytes.ReplaceAll(read(v.Key.CertAtURL), []byte("\n"), []byte("\r\n")) // as PayPal serves it
	net := newInternet(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Host == "cacerts.digicert.com":
			for _, name := range v.Key.Intermediates {
				w.Write(certificate(name).Raw)
				return
			}
			http.NotFound(w, r)
		default:
			w.Header().Set("Content-Type", "application/x-pem-file")
			w.Write(leaf)
		}
	}))
	o.Transport = net
	verifier, err := paypal.New(v.Key.WebhookID, o)
	if err != nil {
		t.Fatal(err)
	}
	return verifier, net
}
