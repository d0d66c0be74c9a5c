package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// gatewayFile is the file of a gateway that names every kind of secret.
const gatewayFile = `listen: { address: ":8443", tls: { cert: tls.crt, key: tls.key } }
admin: { address: "127.0.0.1:9090" }
public_url: https://hooks.example.com
store: { redis: env:REDIS_URL }
assertion: { keys: [ { id: "2026-11", file: assert.pem } ] }
telemetry: { otlp: env:OTLP }
routes:
  - name: billing
    path: /hooks/stripe
    provider: stripe
    secrets: [ { label: new, from: file:stripe }, { label: old, from: env:STRIPE_OLD, not_after: 2026-03-01T00:00:00Z } ]
    upstream: { url: "http://127.0.0.1:5678/webhook/stripe" }
    detach: true
    assert: { as: "Authorization: Bearer", algorithm: HS256, secret: file:jwt, audience: n8n }
  - name: ci
    path: /hooks/github/{tenant}
    provider: github
    tenants: { folder: tenants }
    upstream: { url: "https://127.0.0.1:8443/invoke", ca: tls.crt, headers: { token: file:token } }
    assert: { audience: jenkins }
    report_only: true
  - name: shop
    path: /hooks/meta
    provider: meta
    secret: file:meta
    verify_token: env:META_TOKEN
    upstream: { url: "unix:/run/shop.sock:/meta" }
    resign: { standard_webhooks: file:resign }
  - name: repos
    path: /hooks/gitlab
    provider: gitlab
    secret: env:GITLAB
    insecure_body_not_covered: true
    upstream: { url: "http://receiver.example.com/gitlab" }
`

// gatewaySecrets are those that gatewayFile leads to, by the name of a file or a variable.
var gatewaySecrets = map[string]string{
	"stripe": stripeSecret, "STRIPE_OLD": otherSecret, "jwt": "4f0c9a7e51b8d2634f0c9a7e51b8d263", "tenants/acme": "acme-Yk3vQ8wLr2TzB6nM",
	"token": "jenkins-11f8a0c7d2e94b56", "meta": "0b5cd7e2915f48a6b3c4d5e6f7a8b9c0", "META_TOKEN": "meta-verify-88a1c3e5f7092b4d",
	"resign": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", "GITLAB": "glsecret-5d1f0c6a9b3e47d28c50", "REDIS_URL": "k4tzenklo-9912", "OTLP": "collector-7731-pw",
}

// gatewayOf writes gatewayFile and what it names, and returns the file and the environment.
func gatewayOf(t *testing.T, edits ...string) (string, setup) {
	t.Helper()
	dir := t.TempDir()
	save := func(name, text string) {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cert, key := selfSigned(t)
	save("hooknotary.yaml", strings.NewReplacer(edits...).Replace(gatewayFile))
	save("tls.crt", cert)
	save("tls.key", key)
	save("assert.pem", key)
	s := setup{env: map[string]string{}}
	for name, secret := range gatewaySecrets {
		switch name {
		case "REDIS_URL":
			s.env[name] = "redis://:" + secret + "@127.0.0.1:1/0"
		case "OTLP":
			s.env[name] = "http://collector:" + secret + "@127.0.0.1:4318"
		case "tenants/acme":
			save(name, "2026 "+secret+"\n")
		default:
			s.env[name] = secret
			if name == strings.ToLower(name) {
				save(name, secret+"\n")
			}
		}
	}
	return filepath.Join(dir, "hooknotary.yaml"), s
}

// selfSigned makes a certificate of 127.0.0.1, and its key.
func selfSigned(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
}

func TestCheck(t *testing.T) {
	t.Run("shows what a file means", func(t *testing.T) {
		file, s := gatewayOf(t)
		hooknotary(t, s, "check", "--config", file).want(t, 0,
			"hooknotary.yaml: 4 routes", ":8443, TLS by files", "Redis, env:REDIS_URL", "2026-11 ES256", "32 KiB in 128 fields of up to 8 KiB, within 5s", "8192, of one address 1024", "128 MiB",
			"5s drain + 20s grace = 25s",
			"route billing (line 8)", "new from file:stripe", "old from env:STRIPE_OLD, OVER since 2026-03-01T00:00:00Z", "up to 5m before and 5m after now",
			"15m; connections: kept for 1s", "HS256, key billing, for n8n, in Authorization: Bearer", "512 verified deliveries, each up to 15m; detached: true",
			"7 days; a claim lasts 30s", "route ci", "acme: 2026", "one for each request", "up to 25 MiB within 10s", "Token", "INSECURE", "REPORT ONLY",
			"in Hooknotary-Assertion\n", "re-signs", "INSECURE     insecure_body_not_covered",
			"warning: route ci: REPORT ONLY: WHAT IS FORGED, STALE OR REPLAYED REACHES THE UPSTREAM",
			"warning: route ci: GitHub never retries", "warning: route repos: GitLab signs nothing", "warning: route repos: the upstream is http",
			"!warning: listen", "!memory",
		)
	})
	t.Run("says what deserves a look, and not of its twin", func(t *testing.T) {
		for _, tt := range []struct {
			old, new, warning string
		}{
			{"listen: { address: \":8443\", tls: { cert: tls.crt, key: tls.key } }", "listen: { address: \":8443\" }", "warning: listen: there is no TLS"},
			{"admin: { address: \"127.0.0.1:9090\" }", "admin: { address: \":9090\", remote: true }", "warning: admin: other machines"},
			{"store: { redis: env:REDIS_URL }", "store: { memory: {} }", "warning: the store is in memory"},
			{"    detach: true", "    insecure_fail_open: true", "warning: route billing: insecure_fail_open"},
			{"provider: meta", "provider: slack", "warning: route shop: Slack reads the body of responses"},
			{"    upstream: { url: \"http://receiver.example.com/gitlab\" }\n", "    upstream: { url: \"http://x/\" }\n  - { name: again, path: /again, provider: gitlab, insecure_body_not_covered: true, secret: env:GITLAB, upstream: { url: \"http://x/\" } }\n", "warning: routes repos and again hold the same secret"},
		} {
			twin, s := gatewayOf(t)
			hooknotary(t, s, "check", "--config", twin).want(t, 0, "!"+tt.warning)
			edits := []string{tt.old, tt.new}
			if strings.Contains(tt.new, "slack") {
				edits = append(edits, "    verify_token: env:META_TOKEN\n", "")
			}
			file, s := gatewayOf(t, edits...)
			hooknotary(t, s, "check", "--config", file).want(t, 0, tt.warning)
		}
	})
	t.Run("prints every mistake with its line", func(t *testing.T) {
		file, s := gatewayOf(t, "provider: stripe", "provider: strpe", "unix:/run/shop.sock", "shop.sock", "secret: env:GITLAB", "secret: "+stripeSecret)
		got := hooknotary(t, s, "check", "--config", file)
		got.want(t, 2, "\n"+file+":27: routes[2].upstream.url: want ", "\n"+file+":32: routes[3].secret: want env:NAME", "!"+stripeSecret)
		if !strings.HasPrefix(got.err, file+":10: routes[0].provider: unknown provider") || strings.Count(got.err, "\n") != 3 {
			t.Errorf("got %q", got.err)
		}
		var shown struct {
			Mistakes []struct {
				File, Field, Text string
				Line              int
			}
		}
		asJSON := hooknotary(t, s, "check", "--config", file, "--json")
		if err := json.Unmarshal([]byte(asJSON.out), &shown); err != nil || asJSON.code != 2 || len(shown.Mistakes) != 3 || shown.Mistakes[1].Line != 27 || shown.Mistakes[1].Field != "routes[2].upstream.url" {
			t.Errorf("got %d, %v and %q", asJSON.code, err, asJSON.out)
		}
	})
	t.Run("ends with 2 where a tenant alone is faulty, and shows the rest", func(t *testing.T) {
		file, s := gatewayOf(t)
		if err := os.WriteFile(filepath.Join(filepath.Dir(file), "tenants", "bad"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		got := hooknotary(t, s, "check", "--config", file)
		if got.code != 2 || !strings.Contains(got.out, "TENANT OFF: ci/bad: the file is empty") || !strings.Contains(got.out, "bad: OFF") || !strings.Contains(got.out, "route shop") {
			t.Errorf("got %d and %s", got.code, got.out)
		}
		got = hooknotary(t, s, "check", "--config", file, "--json")
		if got.code != 2 || !strings.Contains(got.out, `"tenant": "ci/bad"`) {
			t.Errorf("got %d and %s", got.code, got.out)
		}
	})
	t.Run("wants a file", func(t *testing.T) {
		hooknotary(t, setup{}, "check").want(t, 2, "--config is missing")
		hooknotary(t, setup{}, "check", "--config", "nowhere.yaml").want(t, 2, "nowhere.yaml: the file cannot be read: no such file")
		hooknotary(t, setup{}, "check", "hooknotary.yaml").want(t, 2, "want no argument; --config names the file")
	})
}

func TestCheckJSON(t *testing.T) {
	file, s := gatewayOf(t)
	got := hooknotary(t, s, "check", "--config", file, "--json")
	got.want(t, 0, "!null")
	var v struct {
		Routes []struct {
			Name, Provider, Upstream string
			Keys                     []struct {
				Label, From string
				NotAfter    string `json:"not_after"`
				Over        bool
			}
			Tenants []struct{ Name string }
			Bounds  map[string]float64
		}
		Shutdown map[string]float64
		Warnings []string
	}
	if err := json.Unmarshal([]byte(got.out), &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Routes) != 4 || v.Routes[0].Keys[1].Label != "old" || !v.Routes[0].Keys[1].Over || v.Routes[1].Tenants[0].Name != "acme" || v.Shutdown["sum_seconds"] != 25 || len(v.Warnings) < 3 {
		t.Errorf("got %+v", v)
	}
	for name, want := range map[string]float64{
		"max_body_bytes": 1 << 20, "body_seconds": 10, "signed_time_past_seconds": 300, "signed_time_future_seconds": 300, "lease_seconds": 30,
		"max_run_seconds": 900, "retention_seconds": 604800, "in_flight": 512, "upstream_timeout_seconds": 900, "upstream_idle_seconds": 1, "upstream_response_bytes": 0,
	} {
		if got, ok := v.Routes[0].Bounds[name]; !ok || got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
}

// TestCheckConnect reaches receivers and stores that are there, and some that are not.
func TestCheckConnect(t *testing.T) {
	plain := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("there is a request to the upstream: %s", r.URL)
	}))
	defer plain.Close()
	secure := httptest.NewUnstartedServer(nil)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}))
	socket := filepath.Join(t.TempDir(), "receiver.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead := closed.Addr().String()
	closed.Close()

	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "ca.pem"), []byte(ca), 0o600); err != nil {
		t.Fatal(err)
	}
	check := func(t *testing.T, store, upstream string) outcome {
		t.Helper()
		file := filepath.Join(dir, "hooknotary.yaml")
		text := fmt.Sprintf("store: { %s }\nroutes: [ { name: one, path: /one, provider: stripe, secret: env:S, upstream: { %s } }, { name: two, path: /two, provider: stripe, secret: env:S2, upstream: { %[2]s } } ]\n", store, upstream)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return hooknotary(t, setup{env: map[string]string{
			"S": stripeSecret, "S2": otherSecret, "REDIS_URL": "redis://:hunter4711@" + dead, "DATABASE_URL": "postgres://shop:hunter4711@" + dead + "/shop?sslmode=disable",
		}}, "check", "--connect", "--config", file)
	}
	for _, tt := range []struct {
		name, store, upstream string
		code                  int
		says                  string
	}{
		{"a receiver that listens", "memory: {}", fmt.Sprintf("url: %q", plain.URL+"/x"), 0, "connect: route one, two: " + plain.Listener.Addr().String() + " at 127.0.0.1: answers"},
		{"a receiver that does not", "memory: {}", fmt.Sprintf("url: \"http://%s/x\"", dead), 1, "DOES NOT ANSWER: dial tcp " + dead},
		{"a receiver with a certificate that is trusted", "memory: {}", fmt.Sprintf("url: %q, ca: ca.pem", secure.URL+"/x"), 0, "at 127.0.0.1: answers"},
		{"a receiver with one that is not", "memory: {}", fmt.Sprintf("url: %q", secure.URL+"/x"), 1, "DOES NOT ANSWER: tls: failed to verify certificate"},
		{"a socket", "memory: {}", fmt.Sprintf("url: \"unix:%s:/x\"", socket), 0, "unix:" + socket + ": answers"},
		{"a socket that is not there", "memory: {}", fmt.Sprintf("url: \"unix:%s2:/x\"", socket), 1, "DOES NOT ANSWER"},
		{"a file of SQLite that serve makes", "sqlite: store.db", fmt.Sprintf("url: %q", plain.URL+"/x"), 0, "(serve makes it): answers"},
		{"a Redis that is down", "redis: env:REDIS_URL", fmt.Sprintf("url: %q", plain.URL+"/x"), 1, "connect: store: Redis, env:REDIS_URL: DOES NOT ANSWER"},
		{"a PostgreSQL that is down", "postgres: env:DATABASE_URL", fmt.Sprintf("url: %q", plain.URL+"/x"), 1, "connect: store: PostgreSQL, env:DATABASE_URL: DOES NOT ANSWER"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			check(t, tt.store, tt.upstream).want(t, tt.code, tt.says, "!hunter4711")
		})
	}
	if _, err := os.Stat(filepath.Join(dir, "store.db")); err == nil {
		t.Error("check made the file of a store")
	}
}

// TestCheckIsDiscreet looks for every secret of the file in all that check prints.
func TestCheckIsDiscreet(t *testing.T) {
	outputs, size := 0, 0
	look := func(t *testing.T, got outcome) {
		t.Helper()
		outputs++
		size += len(got.out) + len(got.err)
		for name, secret := range gatewaySecrets {
			for _, form := range append(forms(secret), base64.StdEncoding.EncodeToString([]byte(secret)), strings.ToUpper(hex.EncodeToString([]byte(secret)))) {
				if strings.Contains(got.out+got.err, form) {
					t.Errorf("the output holds the secret of %s as %q:\n%s%s", name, form, got.out, got.err)
				}
			}
		}
	}
	for _, edits := range [][]string{
		nil,
		{"env:REDIS_URL", "env:META_TOKEN"},
		{"env:OTLP", "env:META_TOKEN"},
		{"file: assert.pem", "file: stripe"},
		{"cert: tls.crt", "cert: stripe"},
		{"ca: tls.crt", "ca: token"},
		{"from: file:stripe", "from: file:token"},
		{"from: file:stripe", "from: file:resign"},
		{"file:resign", "file:stripe"},
		{"file:jwt", "file:token"},
		{"provider: stripe", "definition: stripe"},
		{"folder: tenants", "folder: ."},
		{"name: shop", "name: " + stripeSecret},
		{"label: old", "label: " + stripeSecret},
		{"env:GITLAB", gatewaySecrets["GITLAB"]},
		{"env:GITLAB", "env:" + gatewaySecrets["GITLAB"]},
		{"file:token", gatewaySecrets["token"]},
		{"token: file:token", gatewaySecrets["token"] + ": file:nowhere"},
		{"http://127.0.0.1:5678", "http://" + gatewaySecrets["token"] + ":x@127.0.0.1:5678"},
		{"detach: true", gatewaySecrets["token"] + ": true"},
		{"detach: true", "detach: " + gatewaySecrets["token"]},
	} {
		file, s := gatewayOf(t, edits...)
		for _, args := range [][]string{{}, {"--json"}, {"--connect"}, {"--connect", "--json"}} {
			look(t, hooknotary(t, s, append([]string{"check", "--config", file}, args...)...))
		}
	}
	if outputs < 80 || size < 50_000 {
		t.Errorf("%d outputs of %d bytes were looked at", outputs, size)
	}
}
