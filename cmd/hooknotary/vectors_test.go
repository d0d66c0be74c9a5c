package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/catalog"
	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/verify/capture"
)

// published is a delivery that others published.
type published struct {
	Provider string
	Key      struct {
		Secrets       []string
		AllowSHA1     bool   `json:"allow_sha1"`
		ContentType   string `json:"content_type"`
		Environment   string
		WebhookID     string `json:"webhook_id"`
		CertAtURL     string `json:"cert_at_url"`
		Intermediates []string
		Roots         []string
	}
	Method    string
	Headers   [][2]string
	Body      []byte     `json:"body_b64"`
	VerifyAt  *time.Time `json:"verify_at"`
	Tolerance *int       `json:"tolerance_seconds"`
	Expect    struct{ Verdict, Reason string }
}

// labels translates the collection's reasons.
var labels = map[string]string{
	"missing_signature":        "unsigned",
	"no_supported_scheme":      "unsigned",
	"sha1_not_allowed":         "unsigned",
	"unsupported_algorithm":    "unsigned",
	"malformed_signature":      "malformed",
	"signature_mismatch":       "mismatch",
	"timestamp_too_old":        "too_old",
	"timestamp_in_future":      "too_new",
	"content_type_not_allowed": "media_type",
	"cert_url_not_allowed":     "untrusted",
	"cert_untrusted":           "untrusted",
	"cert_expired":             "untrusted",
	"no_secret_configured":     noSecret,
}

const noSecret = "no secret" // exit code 2, no verdict

// want returns what the collection asks for: accept, a reason or noSecret.
func (p *published) want(t *testing.T) string {
	switch p.Expect.Verdict {
	case accept:
		return accept
	case "parse-only": // no secret is published
		return "mismatch"
	}
	label, ok := labels[p.Expect.Reason]
	if !ok {
		t.Fatalf("the collection's reason %q is unknown", p.Expect.Reason)
	}
	return label
}

// differences returns the intended ones, which the providers document.
func differences(t *testing.T) map[string]string {
	files, err := filepath.Glob("../../providers/*/testdata/DIFFERENCES.md")
	if err != nil || len(files) < 3 {
		t.Fatalf("found %q (%v)", files, err)
	}
	ours := make(map[string]string)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
			if len(cells) == 4 {
				ours[strings.Trim(strings.TrimSpace(cells[0]), "`")] = strings.Trim(strings.TrimSpace(cells[2]), "`")
			}
		}
	}
	return ours
}

func TestPublishedDeliveries(t *testing.T) {
	// Judges deliveries that nobody of this project
	// wrote, each as a file and through the command line.
	t.Run("each gets its verdict", func(t *testing.T) {
		root := os.Getenv("HOOKNOTARY_VECTORS")
		if root == "" {
			t.Skip("HOOKNOTARY_VECTORS is not set: the published deliveries are not judged")
		}
		differ := differences(t)
		n := 0
		for _, folder := range []string{"stripe", "github", "paypal", "derived"} {
			files, err := filepath.Glob(filepath.Join(root, "core", folder, "*.json"))
			if err != nil {
				t.Fatal(err)
			}
			n += len(files)
			for _, file := range files {
				t.Run(folder+"/"+strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
					judgePublished(t, file, differ)
				})
			}
		}
		if n < 70 {
			t.Errorf("found %d deliveries, want at least 70", n)
		}
	})

	// The other folder of the collection has another format, which the vectors of package
	// providertest read. It does not say what the endpoint takes, so no delivery there says
	// what it is.
	t.Run("each of the other folder gets its verdict", func(t *testing.T) {
		differ := differences(t)
		n := 0
		for _, p := range catalog.All() {
			for _, v := range vector.PublishedBy(t, p.Name) {
				if !v.Extra || v.Verdict == "challenge" || strings.HasPrefix(v.Name, p.Name+"-platform-") { // of another product
					continue
				}
				n++
				t.Run(v.Name, func(t *testing.T) {
					want := v.Want(t)
					if ours, ok := differ[v.Name]; ok {
						want = ours
					}
					if want == vector.NoVerifier { // its secret cannot be one
						want = "no_key"
					}
					isJSON := v.Head.Header.Get("Content-Type") == "application/json"
					v.Head.Header.Del("Content-Type")
					c := &capture.Capture{Method: v.Head.Method, URL: &url.URL{Path: "/"}, Header: v.Head.Header, Body: v.Body}
					if v.Head.URL != nil {
						c.URL.RawQuery = v.Head.URL.RawQuery
					}
					if c.Method == http.MethodGet { // which no endpoint takes, and none of these signs the method
						c.Method = http.MethodPost
					}
					s := setup{env: make(map[string]string)}
					args := []string{
						"verify", "--json", "--provider", p.Name, save(t, "delivery.http", c),
						"--at", v.Head.ReceivedAt.UTC().Format(time.RFC3339),
					}
					for _, flag := range []string{"insecure-allow-short-secret", "insecure-body-not-covered"} {
						if slices.Contains(described(t, p.Name).Words, flag) {
							args = append(args, "--"+flag)
						}
					}
					if sig := v.Head.Header.Get("X-Hook0-Signature"); sig != "" && !strings.Contains(sig, "v1=") {
						args = append(args, "--body-alone")
					}
					if p.SignsURL {
						base, _, hashed := strings.Cut(v.Head.URL.String(), "&bodySHA256=")
						args = append(args, "--url", base)
						if hashed || isJSON && p.Profile.MediaType != "application/json" {
							args = append(args, "--json-body")
						}
					}
					if strings.HasSuffix(v.Name, "-form") && p.Profile.MediaType == "application/json" {
						args = append(args, "--form")
					}
					for i, secret := range v.Secrets {
						name := fmt.Sprintf("SECRET_%d", i)
						s.env[name] = secret
						args = append(args, "--secret-env", name)
					}
					wantVerdict(t, hooknotary(t, s, args...), want)
				})
			}
		}
		if n < 4 {
			t.Errorf("found %d deliveries, want at least 4", n)
		}
	})
}

func judgePublished(t *testing.T, file string, differ map[string]string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var p published
	if err := json.Unmarshal(text, &p); err != nil {
		t.Fatal(err)
	}
	want := p.want(t)
	if ours, ok := differ[strings.TrimSuffix(filepath.Base(file), ".json")]; ok {
		want = ours
	}
	c := &capture.Capture{Method: p.Method, Header: make(http.Header), Body: p.Body}
	for _, h := range p.Headers {
		c.Header.Add(h[0], h[1])
	}
	s := setup{env: make(map[string]string)}
	args := append([]string{"verify", "--json", "--provider", p.Provider, save(t, "delivery.http", c)}, p.flags(file, s.env)...)
	got := hooknotary(t, s, args...)
	if want == noSecret {
		got.want(t, 2, "is empty")
		return
	}
	wantVerdict(t, got, want)
}

// wantVerdict wants a verdict and the exit code that goes with it.
func wantVerdict(t *testing.T, got outcome, want string) {
	t.Helper()
	r := parseResult(t, got.out)
	t.Logf("%s %+v", r.Error, r.Findings)
	outcome := r.Reason
	if r.Verdict == accept {
		outcome = accept
	}
	code := map[bool]int{true: 0, false: 1}[want == accept]
	if outcome != want || got.code != code {
		t.Errorf("outcome %s (%s), exit code %d; want %s and %d", outcome, r.Error, got.code, want, code)
	}
	if want == accept && len(r.Findings) > 0 {
		t.Errorf("it is accepted and has the findings %+v", r.Findings)
	}
}

// flags returns the flags that describe the endpoint, and sets its variables.
func (p *published) flags(file string, env map[string]string) []string {
	var args []string
	secrets := p.Key.Secrets
	if p.Key.WebhookID != "" {
		secrets = []string{p.Key.WebhookID}
	}
	if p.Expect.Verdict == "parse-only" {
		secrets = []string{"not the secret of the documentation"}
	}
	if p.Expect.Reason == "no_secret_configured" && len(secrets) == 0 {
		secrets = []string{""}
	}
	for i, s := range secrets {
		name := fmt.Sprintf("SECRET_%d", i)
		env[name] = s
		args = append(args, "--secret-env", name)
	}
	if p.VerifyAt != nil {
		args = append(args, "--at", p.VerifyAt.Format(time.RFC3339))
	}
	if p.Tolerance != nil {
		args = append(args, "--tolerance", fmt.Sprintf("%ds", *p.Tolerance))
	}
	if p.Provider != "paypal" {
		return append(args, p.hmacFlags()...)
	}
	core := filepath.Dir(filepath.Dir(file))
	args = append(args, "--cert", filepath.Join(core, p.Key.CertAtURL))
	for _, name := range p.Key.Intermediates {
		args = append(args, "--intermediates", filepath.Join(core, name))
	}
	for _, name := range p.Key.Roots {
		args = append(args, "--roots", filepath.Join(core, name))
	}
	if p.Key.Environment == "sandbox" {
		args = append(args, "--sandbox")
	}
	if p.Key.WebhookID == "WEBHOOK_ID" {
		args = append(args, "--insecure-accept-simulator")
	}
	return args
}

func (p *published) hmacFlags() []string {
	args := []string{"--insecure-allow-short-secret"}
	if p.Key.AllowSHA1 {
		args = append(args, "--insecure-allow-sha1")
	}
	mediaType := p.Key.ContentType
	for _, h := range p.Headers {
		if mediaType == "" && strings.EqualFold(h[0], "Content-Type") {
			mediaType = h[1]
		}
	}
	if p.Provider == "github" && strings.HasPrefix(mediaType, "application/x-www-form-urlencoded") {
		args = append(args, "--form")
	}
	return args
}
