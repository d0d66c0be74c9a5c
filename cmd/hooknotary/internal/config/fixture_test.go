package config_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"maps"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/config"
	"github.com/hooknotary/hooknotary/providers/github/githubtest"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
)

const (
	stripeNew = "whsec_9fJ2kQ7dLx0VbT4mRz8YcN3w"
	stripeOld = "whsec_Hq5sW1nGv6ZtB2yKe7PdX0aU"
	acmeKey   = "acme-Yk3vQ8wLr2TzB6nM"
	otherKey  = "other-Pz7hF4jXc9DsW1gK"
	jwtSecret = "4f0c9a7e51b8d2634f0c9a7e51b8d263"
	jenkins   = "jenkins-11f8a0c7d2e94b56"
	resign    = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
	webhookID = "8PT597110X687430L"
	redisURL  = "redis://:k4tzenklo-9912@127.0.0.1:1/0"
)

var now = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// files are those that the example names, and variables its environment.
func files(t testing.TB) map[string]string {
	t.Helper()
	text, err := os.ReadFile("testdata/hooknotary.yaml")
	if err != nil {
		t.Fatal(err)
	}
	cert, key := certificate(t)
	return map[string]string{
		"hooknotary.yaml": string(text), "tls.crt": cert, "tls.key": key, "ca.pem": cert, "assert.pem": key,
		"secrets/stripe": stripeNew + "\n", "secrets/n8n-jwt": jwtSecret, "secrets/jenkins": jenkins + "\r\n",
		"tenants/acme": "2026 " + acmeKey + "\n", "tenants/other": "a " + otherKey, "tenants/.hidden": "junk",
		"credentials/shop": resign,
	}
}

func variables() map[string]string {
	return map[string]string{
		"REDIS_URL": redisURL, "STRIPE_OLD": stripeOld, "PAYPAL_WEBHOOK_ID": webhookID, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318",
	}
}

// certificate makes a certificate for "receiver.example" that signs itself, and its key.
func certificate(t testing.TB) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour), DNSNames: []string{"receiver.example"},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	encode := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return encode("CERTIFICATE", der), encode("PRIVATE KEY", pkcs8)
}

// folder is a configuration on disk.
type folder struct {
	t    testing.TB
	path string
	env  map[string]string
}

func newFolder(t testing.TB, files map[string]string) *folder {
	t.Helper()
	f := &folder{t, t.TempDir(), variables()}
	f.env["CREDENTIALS_DIRECTORY"] = filepath.Join(f.path, "credentials")
	for name, text := range files {
		f.write(name, text)
	}
	return f
}

func (f *folder) write(name, text string) {
	f.t.Helper()
	file := filepath.Join(f.path, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// edit replaces a text of the file, which must be there.
func (f *folder) edit(old, new string) {
	f.t.Helper()
	file := filepath.Join(f.path, "hooknotary.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		f.t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		f.t.Fatalf("the file has no %q", old)
	}
	f.write("hooknotary.yaml", strings.Replace(string(text), old, new, 1))
}

func lookup(env map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := env[name]; return v, ok }
}

func (f *folder) load() (*config.Config, error) {
	f.t.Helper()
	return config.Load(filepath.Join(f.path, "hooknotary.yaml"), config.Env{Lookup: lookup(f.env)}, now)
}

func (f *folder) must() *config.Config {
	f.t.Helper()
	c, err := f.load()
	if err != nil {
		f.t.Fatal(err)
	}
	return c
}

// mistakes returns what is wrong with the file.
func (f *folder) mistakes() config.Mistakes {
	f.t.Helper()
	c, err := f.load()
	if err == nil {
		return nil
	}
	m, ok := err.(config.Mistakes)
	if !ok || c != nil || len(m) == 0 {
		f.t.Fatalf("got %v and %T, want no configuration and mistakes", c, err)
	}
	return m
}

// minimal is a file with one route, and what stands behind the route's own.
func minimal(route string) map[string]string {
	return map[string]string{
		"hooknotary.yaml": "routes:\n  - name: one\n    path: /one\n    upstream: { url: \"http://127.0.0.1:1/in\" }\n" + route,
		"secret":          stripeNew,
	}
}

// with returns files with more files.
func with(files map[string]string, more ...string) map[string]string {
	files = maps.Clone(files)
	for i := 0; i < len(more); i += 2 {
		files[more[i]] = more[i+1]
	}
	return files
}

var body = []byte(`{"id":"evt_1PqX2","ref":"main"}`)

// verdict returns what a verifier says of a delivery that was signed with a secret.
func verdict(t testing.TB, r *config.Route, tenant, secret string) (*verify.Delivery, error) {
	t.Helper()
	h := &verify.Head{Method: http.MethodPost, ReceivedAt: now, Header: stripetest.Header(now, body, secret)}
	if r.Provider == "github" {
		h.Header = githubtest.Header("push", body, secret)
	}
	return verify.Verify(config.WithTenant(t.Context(), tenant), r.Verifier, h, body)
}
