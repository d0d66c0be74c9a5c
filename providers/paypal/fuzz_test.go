package paypal_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/paypal"
	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/verify"
)

// A second description of the head, in other words than the verifier's.
var (
	fuzzID  = regexp.MustCompile(`\A[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\z`)
	fuzzURL = regexp.MustCompile(`\Ahttps://api(-m)?(\.sandbox)?\.paypal\.com/v1/notifications/certs/[A-Za-z0-9-]{1,128}\z`)
)

// canonical reports whether the parts of a head are well-formed and stand in
// their one spelling: taken apart and written again they are the same bytes.
func canonical(id, timestamp, signature, algorithm, certURL string) bool {
	raw, err := base64.StdEncoding.DecodeString(signature)
	if err != nil || base64.StdEncoding.EncodeToString(raw) != signature || !slices.Contains([]int{256, 384, 512}, len(raw)) {
		return false
	}
	at, err := time.Parse(time.RFC3339, timestamp)
	if err != nil || at.UTC().Format("2006-01-02T15:04:05")+"Z" != timestamp {
		return false
	}
	digits, err := hex.DecodeString(strings.ReplaceAll(id, "-", ""))
	if err != nil || len(digits) != 16 || !fuzzID.MatchString(id) || hex.EncodeToString(digits) != strings.ReplaceAll(id, "-", "") {
		return false
	}
	return algorithm == "SHA256withRSA" && fuzzURL.MatchString(certURL)
}

// A head that is good has one spelling, and only for such a head something is
// fetched: from exactly the URL that it holds, on which net/url agrees.
func FuzzHead(f *testing.F) {
	vectors := vector.Load(f, "testdata")
	for i, s := range vectors {
		get := s.Head.Header.Get
		f.Add(uint8(i), get("Paypal-Transmission-Id"), get("Paypal-Transmission-Time"), get("Paypal-Transmission-Sig"), get("Paypal-Auth-Algo"), get("Paypal-Cert-Url"))
	}
	type endpoint struct {
		o     *paypal.Options
		hosts []string
	}
	endpoints := make([]endpoint, len(vectors))
	for i, s := range vectors {
		endpoints[i] = endpoint{vectorOptions(f, s), []string{"api.paypal.com", "api-m.paypal.com"}}
		if endpoints[i].o.Sandbox {
			endpoints[i].hosts = []string{"api.sandbox.paypal.com", "api-m.sandbox.paypal.com"}
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, id, timestamp, signature, algorithm, certURL string) {
		s, e := vectors[int(which)%len(vectors)], endpoints[int(which)%len(vectors)]
		o := *e.o
		var asked []string
		o.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
			asked = append(asked, r.URL.String())
			return e.o.Transport.RoundTrip(r)
		})
		v, err := paypal.New(s.Secrets[0], &o)
		if err != nil {
			t.Fatal(err)
		}
		head := &verify.Head{ReceivedAt: s.Head.ReceivedAt, Header: http.Header{
			"Paypal-Transmission-Id": {id}, "Paypal-Transmission-Time": {timestamp}, "Paypal-Transmission-Sig": {signature},
			"Paypal-Auth-Algo": {algorithm}, "Paypal-Cert-Url": {certURL},
		}}
		p, err := v.Begin(context.Background(), head)
		if (p == nil) != (err != nil) {
			t.Fatalf("Pending and error: %v, %v", p, err)
		}
		u, urlErr := url.Parse(certURL)
		good := canonical(id, timestamp, signature, algorithm, certURL) && urlErr == nil && slices.Contains(e.hosts, u.Host)
		if good {
			at, _ := time.Parse(time.RFC3339, timestamp)
			age, w := s.Head.ReceivedAt.Sub(at), v.Profile().Window
			good = age <= w.Past && age >= -w.Future
		}
		if fetched := len(asked) > 0; fetched != good {
			t.Fatalf("the head is good: %v, something was fetched: %v, error: %v", good, fetched, err)
		}
		if err == nil && !good {
			t.Fatal("a head was accepted that is not good")
		}
		if !good {
			return
		}
		if asked[0] != certURL || u.String() != certURL || u.Scheme != "https" || u.User != nil || u.Port() != "" || u.Opaque != "" ||
			u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.RawPath != "" || !strings.HasPrefix(u.Path, "/v1/notifications/certs/") ||
			strings.Count(u.Path, "/") != 4 || strings.Contains(u.Path, ".") {
			t.Errorf("%q was fetched as %q", certURL, asked[0])
		}
		d, err := verify.Verify(context.Background(), v, head, s.Body)
		if err == nil && (d.MessageID != id || d.SignedAt.Format("2006-01-02T15:04:05Z") != timestamp || d.KeyLabel != u.Path[len("/v1/notifications/certs/"):]) {
			t.Errorf("the delivery says %q, %v and %q", d.MessageID, d.SignedAt, d.KeyLabel)
		}
		if err == nil && !slices.ContainsFunc(vectors, func(other vector.Vector) bool {
			signed := other.Head.Header.Get
			return other.Expect == "accept" && other.Secrets[0] == s.Secrets[0] &&
				id == signed("Paypal-Transmission-Id") && timestamp == signed("Paypal-Transmission-Time") && signature == signed("Paypal-Transmission-Sig")
		}) {
			t.Error("something was accepted that was not signed")
		}
	})
}

// No file from PayPal's host is trusted but one that begins with a certificate
// that a second, slower way of judging trusts, too. No file causes requests to
// other hosts, or many.
func FuzzCertificateFile(f *testing.F) {
	files, err := filepath.Glob("testdata/*.pem")
	if err != nil || len(files) < 10 {
		f.Fatalf("found %q: %v", files, err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	genuine, err := os.ReadFile("testdata/leaf.pem")
	if err != nil {
		f.Fatal(err)
	}
	for _, edit := range []func(string) string{
		func(s string) string { return s + s + s + s + s },
		func(s string) string { return "text\n" + s },
		func(s string) string { return s + "text" },
		func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") },
		func(s string) string { return strings.Replace(s, "\n", "\nName: value\n\n", 1) },
		func(s string) string { return s[:len(s)-3] },
	} {
		f.Add([]byte(edit(string(genuine))))
	}
	var event vector.Vector
	for _, s := range vector.Load(f, "testdata") {
		if s.Name == "event" {
			event = s
		}
	}
	o := vectorOptions(f, event)
	served := o.Transport
	roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(readCert(f, "root.pem"))
	intermediates.AddCert(readCert(f, "issuer.pem"))
	f.Fuzz(func(t *testing.T, file []byte) {
		o := *o
		requests := 0
		o.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
			requests++
			switch r.URL.Host {
			case "api.paypal.com":
				return &http.Response{StatusCode: 200, Header: make(http.Header), Body: io.NopCloser(bytes.NewReader(file)), Request: r}, nil
			case "cacerts.digicert.com":
				return served.RoundTrip(r)
			}
			t.Errorf("%s was asked", r.URL)
			return nil, io.EOF
		})
		v, err := paypal.New(event.Secrets[0], &o)
		if err != nil {
			t.Fatal(err)
		}
		_, err = verify.Verify(context.Background(), v, event.Head, event.Body)
		if requests < 1 || requests > 4 {
			t.Errorf("%d requests", requests)
		}
		if err != nil {
			if got := verify.ReasonOf(err); got != verify.ErrUntrusted && got != verify.ErrMismatch && got != verify.ErrMalformed {
				t.Errorf("refused as %v: %v", got, err)
			}
			return
		}
		block, _ := pem.Decode(file)
		if block == nil {
			t.Fatal("accepted without PEM")
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		blocks := 0
		for rest := file; ; blocks++ {
			if block, rest = pem.Decode(rest); block == nil {
				break
			}
		}
		if cert.Subject.CommonName != liveName || len(file) > 64<<10 || blocks > 5 {
			t.Errorf("accepted: %d bytes of %s", len(file), cert.Subject)
		}
		if _, err := cert.Verify(x509.VerifyOptions{
			DNSName: liveName, Roots: roots, Intermediates: intermediates, CurrentTime: event.Head.ReceivedAt,
		}); err != nil {
			t.Errorf("accepted, although: %v", err)
		}
	})
}
