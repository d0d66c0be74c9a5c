package vector

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/verify"
)

// Variable names the environment variable with the folder of published vectors.
const Variable = "HOOKNOTARY_VECTORS"

// Published is a vector that was not made by this project.
type Published struct {
	Name       string
	Provider   string
	Extra      bool // from the collection's other folder
	Secrets    []string
	PublicKeys []string // for a signature with a private key
	AllowSHA1  bool
	MediaType  string // of the endpoint; "" is the provider's default
	Tolerance  time.Duration
	PayPal     PayPal
	// Certificates are those that the URL in the delivery returns.
	Certificates []*x509.Certificate
	Verdict      string // accept, reject or parse-only
	Reason       string // in the words of the collection
	Head         *verify.Head
	Body         []byte
}

// PayPal is what a delivery of PayPal is verified with. The certificates are files.
type PayPal struct {
	Sandbox              bool
	WebhookID            string
	Certificate          string // what the URL in the delivery returns
	Intermediates, Roots []string
}

// LoadPublished reads the published vectors that match the patterns, below the
// folder that the environment names. It skips the test where there is no such
// folder, and fails if it finds fewer than least.
func LoadPublished(t testing.TB, least int, patterns ...string) []Published {
	t.Helper()
	root := os.Getenv(Variable)
	if root == "" {
		t.Skipf("%s is not set: the published vectors are not tested", Variable)
	}
	var all []Published
	for _, pattern := range patterns {
		files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
		if err != nil {
			t.Fatal(err)
		}
		if len(files) == 0 {
			t.Fatalf("no file matches %s in %s", pattern, root)
		}
		for _, file := range files {
			all = append(all, readPublished(t, file))
		}
	}
	if len(all) < least {
		t.Fatalf("found %d published vectors, want at least %d", len(all), least)
	}
	return all
}

// PublishedBy reads the published vectors of one provider, but for those with public keys
// alone. The collection writes names with hyphens. It skips the test where there is no
// folder of them.
func PublishedBy(t testing.TB, provider string) []Published {
	t.Helper()
	return publishedBy(t, provider, (*published).secret)
}

// PublishedWithPublicKeys reads the published vectors of one provider that have a public
// key.
func PublishedWithPublicKeys(t testing.TB, provider string) []Published {
	t.Helper()
	return publishedBy(t, provider, (*published).public)
}

func publishedBy(t testing.TB, provider string, fits func(*published) bool) []Published {
	t.Helper()
	root := os.Getenv(Variable)
	if root == "" {
		t.Skipf("%s is not set: the published vectors are not tested", Variable)
	}
	var all []Published
	for _, pattern := range []string{"core/*/*.json", "extra/*.json"} {
		files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
		if err != nil || len(files) == 0 {
			t.Fatalf("no file matches %s in %s (%v)", pattern, root, err)
		}
		for _, file := range files {
			if filepath.Base(file) == "index.json" {
				continue // a list of other files
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var p published
			if err := json.Unmarshal(text, &p); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if strings.ReplaceAll(p.Provider, "-", "") == strings.ReplaceAll(provider, "-", "") && fits(&p) {
				all = append(all, readPublished(t, file))
			}
		}
	}
	return all
}

// published is the union of the two formats of the collection.
type published struct {
	// both
	Provider  string
	VerifyAt  json.RawMessage `json:"verify_at"` // RFC 3339, Unix seconds or null
	Tolerance *int64          `json:"tolerance_seconds"`
	Expect    struct{ Verdict, Reason string }

	// core
	Key struct {
		Secrets              []string
		AllowSHA1            bool   `json:"allow_sha1"`
		ContentType          string `json:"content_type"`
		Environment          string
		WebhookID            string `json:"webhook_id"`
		CertAtURL            string `json:"cert_at_url"`
		Intermediates, Roots []string
	}
	Method  string
	Headers [][2]string
	BodyB64 *string `json:"body_b64"`

	// extra
	Keys    []struct{ Kind, Format, Value string }
	Request *struct {
		Method, URL string
		Headers     map[string]string
		BodyBase64  string `json:"body_base64"`
	}
}

// secret reports whether a vector has a secret, or nothing that could be a key.
func (p *published) secret() bool {
	for _, k := range p.Keys {
		if k.Kind == "hmac" {
			return true
		}
	}
	return len(p.Keys) == 0
}

// public reports whether a vector has a public key.
func (p *published) public() bool {
	for _, k := range p.Keys {
		if strings.HasSuffix(k.Kind, "-public") {
			return true
		}
	}
	return false
}

func readPublished(t testing.TB, file string) Published {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var p published
	if err := json.Unmarshal(text, &p); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	v := Published{
		Name:      strings.TrimSuffix(filepath.Base(file), ".json"),
		Provider:  p.Provider,
		Secrets:   p.Key.Secrets,
		AllowSHA1: p.Key.AllowSHA1,
		MediaType: p.Key.ContentType,
		Verdict:   p.Expect.Verdict,
		Reason:    p.Expect.Reason,
		Head:      &verify.Head{Method: p.Method, Header: make(http.Header), ReceivedAt: publishedTime(t, file, p.VerifyAt)},
	}
	if p.Key.WebhookID != "" {
		v.PayPal = p.payPal(filepath.Dir(filepath.Dir(file)))
	}
	if p.Tolerance != nil {
		v.Tolerance = time.Duration(*p.Tolerance) * time.Second
	}
	for _, h := range p.Headers {
		v.Head.Header.Add(h[0], h[1])
	}
	body := p.BodyB64
	if p.Request != nil {
		body = &p.Request.BodyBase64
		v.Extra = true
		v.Head.Method = p.Request.Method
		for name, value := range p.Request.Headers {
			v.Head.Header.Add(name, value)
		}
		if v.Head.URL, err = url.Parse(p.Request.URL); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}
	for _, k := range p.Keys {
		switch k.Kind {
		case "ed25519-public", "ecdsa-p256-public", "rsa-public", "rsa-pss-public":
			v.PublicKeys = append(v.PublicKeys, k.Value)
		case "hmac", "shared-secret":
			v.Secrets = append(v.Secrets, k.Value)
		case "x509-cert":
			block, _ := pem.Decode([]byte(k.Value))
			if block == nil {
				t.Fatalf("%s: a certificate is not in PEM", file)
			}
			cert, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			v.Certificates = append(v.Certificates, cert)
		}
	}
	if body == nil || v.Verdict == "" {
		t.Fatalf("%s: there is no body or no verdict: has the format changed?", file)
	}
	if v.Body, err = base64.StdEncoding.DecodeString(*body); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return v
}

// payPal returns the key of a delivery of PayPal, whose files lie below root.
func (p *published) payPal(root string) PayPal {
	below := func(names ...string) []string {
		for i, name := range names {
			names[i] = filepath.Join(root, filepath.FromSlash(name))
		}
		return names
	}
	return PayPal{
		Sandbox:       p.Key.Environment == "sandbox",
		WebhookID:     p.Key.WebhookID,
		Certificate:   below(p.Key.CertAtURL)[0],
		Intermediates: below(p.Key.Intermediates...),
		Roots:         below(p.Key.Roots...),
	}
}

func publishedTime(t testing.TB, file string, raw json.RawMessage) time.Time {
	t.Helper()
	var seconds *float64
	if json.Unmarshal(raw, &seconds) == nil {
		if seconds == nil {
			return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) // the scheme has no time
		}
		return time.UnixMilli(int64(math.Round(*seconds * 1000)))
	}
	var fraction float64
	if json.Unmarshal(raw, &fraction) == nil {
		return time.UnixMilli(int64(fraction * 1000))
	}
	var at time.Time
	if err := json.Unmarshal(raw, &at); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return at
}

// labels translates the collection's reasons to what a verifier may say instead.
var labels = map[string]string{
	"missing_signature":        "unsigned",
	"signature_missing":        "unsigned",
	"no_supported_scheme":      "unsigned",
	"sha1_not_allowed":         "unsigned",
	"unsupported_algorithm":    "unsigned",
	"malformed_signature":      "malformed",
	"signature_malformed":      "malformed",
	"algorithm_not_allowed":    "malformed",
	"timestamp_malformed":      "malformed",
	"signature_mismatch":       "mismatch",
	"body_hash_mismatch":       "mismatch",
	"timestamp_too_old":        "too_old",
	"timestamp_in_future":      "too_new",
	"timestamp_too_new":        "too_new",
	"cert_url_not_allowed":     "untrusted",
	"cert_untrusted":           "untrusted",
	"cert_expired":             "untrusted",
	"no_secret_configured":     NoVerifier,
	"content_type_not_allowed": "media_type",

	"body_not_covered_by_signature": "malformed",
	"signed_header_missing":         "malformed",
}

// NoVerifier is the outcome of a vector whose verifier cannot be made.
const NoVerifier = "no verifier"

// Want returns the outcome that the collection asks for: accept, the label of a
// reason, or NoVerifier.
func (p Published) Want(t testing.TB) string {
	t.Helper()
	switch p.Verdict {
	case "accept":
		return "accept"
	case "parse-only": // no secret is published: a well-formed head whose signature matches nothing
		return "mismatch"
	}
	label, ok := labels[p.Reason]
	if !ok {
		t.Fatalf("%s: the collection's reason %q is unknown here", p.Name, p.Reason)
	}
	return label
}

// Outcome returns accept for a nil error, else the label of its reason.
func Outcome(err error) string {
	if err == nil {
		return "accept"
	}
	return verify.ReasonOf(err).String()
}

// Differences reads a file that lists intended differences, in a Markdown table
// with the columns vector, published, ours and why.
//
// Compare each vector's outcome, then call done: a difference that is not listed
// fails, and so does one that is listed and not there.
func Differences(t testing.TB, file string) (compare func(t testing.TB, name, published, ours string), done func()) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	type outcome struct{ published, ours string }
	listed := make(map[string]outcome)
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if len(cells) != 4 || strings.TrimSpace(cells[3]) == "" {
			t.Fatalf("%s: row %q does not have four cells", file, line)
		}
		for i := range cells {
			cells[i] = strings.Trim(strings.TrimSpace(cells[i]), "`")
		}
		if _, ok := listed[cells[0]]; ok {
			t.Fatalf("%s lists %s twice", file, cells[0])
		}
		listed[cells[0]] = outcome{cells[1], cells[2]}
	}
	compare = func(t testing.TB, name, published, ours string) {
		t.Helper()
		want, ok := listed[name]
		delete(listed, name)
		switch {
		case !ok && published != ours:
			t.Errorf("published: %s, ours: %s, and %s does not list it", published, ours, file)
		case ok && published == ours:
			t.Errorf("both say %s, but %s lists a difference", ours, file)
		case ok && want != outcome{published, ours}:
			t.Errorf("published: %s, ours: %s; but %s says published: %s, ours: %s", published, ours, file, want.published, want.ours)
		}
	}
	done = func() {
		t.Helper()
		for name := range listed {
			t.Errorf("%s lists %s, which was not found", file, name)
		}
	}
	return compare, done
}
