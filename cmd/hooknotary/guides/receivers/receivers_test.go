// Package receivers tests the receivers that the guides print, in Node and in Python, with what
// a gateway sends: they take it, and refuse it with one byte changed. A receiver in Go that reads
// re-signed webhooks with the library of Standard Webhooks is tested, too.
package receivers

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/assertion"
	"github.com/hooknotary/hooknotary/middleware/forward"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify/replay"
)

const (
	issuer       = "https://hooks.example.com"
	audience     = "shop"
	stripeSecret = "whsec_9fJ2kQ7dLx0VbT4mRz8YcN3w"
	shared       = "m3Zr8TqYw5Kx1VbNc7Hd0PfLs9GjA2Ue"
	patience     = 2 * time.Minute
)

var resign = []byte("0123456789abcdefghijklmnopqrstuv")

// resignText is the secret as it is written.
func resignText() string { return "whsec_" + base64.StdEncoding.EncodeToString(resign) }

// message is a request as a receiver gets it.
type message struct {
	header http.Header
	body   []byte
}

// post sends a request to a gateway or to a receiver, and returns the status of the response.
func post(t *testing.T, url string, m message) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(m.body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = m.header.Clone()
	res, err := (&http.Client{Timeout: patience}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode
}

// event is a delivery of Stripe that was never sent before.
func event() message {
	body := []byte(fmt.Sprintf(`{"id":"evt_%s","object":"event","type":"invoice.paid","note":"Zürich → 東京"}`, rand.Text()))
	return message{stripetest.Header(time.Now(), body, stripeSecret), body}
}

// serveGateway returns the URL of a gateway in front of an upstream.
func serveGateway(t *testing.T, upstream string, o *forward.Options) string {
	t.Helper()
	guard, err := middleware.New("shop", stripe.Must(stripeSecret), replay.NewMemory(nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	h, err := forward.New(guard, upstream, o)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(h)
	t.Cleanup(func() { s.Close(); h.Close() })
	return s.URL
}

// eventKey returns the key of an event in the gateway's store.
func eventKey(id string) string {
	return replay.Event{Endpoint: "shop", Provider: "stripe", Scope: "default", ID: id}.Key().String()
}

// sent returns what a gateway sends to its receiver for an event.
func sent(t *testing.T, o *forward.Options) message {
	t.Helper()
	var got message
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got = message{r.Header, body}
	}))
	defer upstream.Close()
	if status := post(t, serveGateway(t, upstream.URL, o), event()); status != http.StatusOK || got.body == nil {
		t.Fatalf("the gateway answers with %d", status)
	}
	return got
}

// alphabet is that of base64url.
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// other returns another character, which stands for other bits wherever base64 uses them all or
// only its first two.
func other(c byte) byte {
	if i := strings.IndexByte(alphabet, c); i >= 0 {
		return alphabet[i^32]
	}
	return 'A'
}

// changed calls f with m, changed in one byte of one of the headers or of the body, for each of
// about a hundred bytes of each, the first and the last among them.
func changed(m message, headers []string, f func(what string, m message)) {
	each := func(n int, f func(i int)) {
		step := max(1, n/100)
		for i := 0; i < n; i += step {
			f(i)
		}
		if (n-1)%step != 0 {
			f(n - 1)
		}
	}
	for _, name := range headers {
		value := m.header.Get(name)
		each(len(value), func(i int) {
			header := m.header.Clone()
			header.Set(name, value[:i]+string(other(value[i]))+value[i+1:])
			f(fmt.Sprintf("byte %d of %s", i, name), message{header, m.body})
		})
	}
	each(len(m.body), func(i int) {
		body := bytes.Clone(m.body)
		body[i] ^= 1
		f(fmt.Sprintf("byte %d of the body", i), message{m.header, body})
	})
}

// program is a receiver that runs.
type program struct {
	url string

	mu      sync.Mutex
	printed strings.Builder
}

func (p *program) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.printed.String()
}

// run starts a receiver, on a port that is free, until the test ends.
func run(t *testing.T, dir string, env []string, command ...string) *program {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), "PORT=0", "PYTHONDONTWRITEBYTECODE=1"), env...)
	cmd.WaitDelay = 10 * time.Second
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = write, write
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	write.Close()
	p := &program{}
	port, ended := make(chan string, 1), make(chan struct{})
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(read); lines.Scan(); {
			p.mu.Lock()
			p.printed.WriteString(lines.Text() + "\n")
			p.mu.Unlock()
			if number, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
				port <- number
			}
		}
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait() // it was killed
		<-ended
		read.Close()
		if t.Failed() {
			t.Logf("the receiver printed:\n%s", p)
		}
	})
	select {
	case number := <-port:
		p.url = "http://127.0.0.1:" + number + "/"
	case <-ended:
		t.Fatalf("the receiver ended:\n%s", p)
	case <-time.After(patience):
		t.Fatalf("the receiver does not listen:\n%s", p)
	}
	return p
}

// need skips the test without these programs, unless they must be there.
func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, name := range programs {
		if _, err := exec.LookPath(name); err != nil {
			if os.Getenv("HOOKNOTARY_SERVERS") == "required" {
				t.Fatalf("%s is not installed, and HOOKNOTARY_SERVERS says that it must be", name)
			}
			t.Skipf("%s is not installed", name)
		}
	}
}

// folder copies a folder of the guides, so that nothing is installed into the checkout.
func folder(t *testing.T, name string) string {
	t.Helper()
	dir := t.TempDir()
	files, err := filepath.Glob(filepath.Join("..", name, "*.*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s has no files (%v)", name, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(file)), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// signs returns the options of a gateway that asserts with a key, and the public keys.
func signs(t *testing.T, key assertion.Key, err error) (*forward.Options, string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	signer, err := assertion.NewSigner(key, issuer, audience, nil)
	if err != nil {
		t.Fatal(err)
	}
	set, err := assertion.NewKeySet(key)
	if err != nil {
		t.Fatal(err)
	}
	jwks, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	return &forward.Options{Assertion: signer}, string(jwks)
}

func secretKey(t *testing.T) *forward.Options {
	t.Helper()
	k, err := assertion.NewSecretKey("2026-11", []byte(shared))
	o, _ := signs(t, k, err)
	return o
}

var (
	assertionHeaders = []string{assertion.Header}
	webhookHeaders   = []string{"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"}
)

// check runs a receiver behind a gateway, and then sends it what the gateway would, changed in one
// byte.
func check(t *testing.T, o *forward.Options, headers []string, receiver func(t *testing.T) *program) {
	p := receiver(t)
	t.Run("what the gateway verified is taken", func(t *testing.T) {
		gateway, m := serveGateway(t, p.url, o), event()
		if status := post(t, gateway, m); status != http.StatusNoContent {
			t.Errorf("the sender gets %d", status)
		}
		var e struct{ ID string }
		if err := json.Unmarshal(m.body, &e); err != nil {
			t.Fatal(err)
		}
		_, key, _ := strings.Cut(p.String(), "verified invoice.paid "+e.ID+" ")
		key, _, _ = strings.Cut(key, "\n")
		if strings.Count(p.String(), e.ID) != 1 || key != eventKey(e.ID) {
			t.Errorf("the receiver does not say once that it got %s with the key %s", e.ID, eventKey(e.ID))
		}
	})
	t.Run("it is refused with one byte changed", func(t *testing.T) {
		m := sent(t, o)
		n := 0
		changed(m, headers, func(what string, m message) {
			n++
			if status := post(t, p.url, m); status != http.StatusUnauthorized {
				t.Errorf("%s: the receiver answers with %d", what, status)
			}
		})
		if n < 60 {
			t.Errorf("%d bytes were changed", n)
		}
		for _, name := range headers {
			header := m.header.Clone()
			header.Del(name)
			if status := post(t, p.url, message{header, m.body}); status != http.StatusUnauthorized {
				t.Errorf("without %s, the receiver answers with %d", name, status)
			}
		}
		if status := post(t, p.url, m); status != http.StatusNoContent {
			t.Errorf("as it was, the receiver answers with %d", status)
		}
	})
	if o.Assertion == nil {
		return
	}
	t.Run("an assertion counts once", func(t *testing.T) {
		m := sent(t, o)
		if first, second := post(t, p.url, m), post(t, p.url, m); first != http.StatusNoContent || second != http.StatusUnauthorized {
			t.Errorf("the receiver answers with %d and %d", first, second)
		}
	})
	t.Run("an assertion for another receiver is refused", func(t *testing.T) {
		for name, signer := range map[string]func() (*assertion.Signer, error){
			"another audience": func() (*assertion.Signer, error) { return assertion.NewSigner(o.Assertion.Key(), issuer, "n8n", nil) },
			"another issuer": func() (*assertion.Signer, error) {
				return assertion.NewSigner(o.Assertion.Key(), issuer+"/", audience, nil)
			},
			"an hour ago": func() (*assertion.Signer, error) {
				return assertion.NewSigner(o.Assertion.Key(), issuer, audience, &assertion.SignerOptions{Now: func() time.Time { return time.Now().Add(-time.Hour) }})
			},
			"in an hour": func() (*assertion.Signer, error) {
				return assertion.NewSigner(o.Assertion.Key(), issuer, audience, &assertion.SignerOptions{Now: func() time.Time { return time.Now().Add(time.Hour) }})
			},
		} {
			s, err := signer()
			if err != nil {
				t.Fatal(err)
			}
			if status := post(t, p.url, sent(t, &forward.Options{Assertion: s})); status != http.StatusUnauthorized {
				t.Errorf("%s: the receiver answers with %d", name, status)
			}
		}
	})
}

func TestNode(t *testing.T) {
	need(t, "node", "npm")
	if os.Getenv("HOOKNOTARY_SERVERS") != "required" {
		t.Skip("jsonwebtoken and standardwebhooks come from npm, which is asked only with HOOKNOTARY_SERVERS=required")
	}
	dir := folder(t, "node")
	install := exec.CommandContext(t.Context(), "npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("npm install: %v\n%s", err, out)
	}
	node := func(env ...string) func(t *testing.T) *program {
		return func(t *testing.T) *program {
			return run(t, dir, append(env, "ISSUER="+issuer, "AUDIENCE="+audience), "node", "receiver.js")
		}
	}
	t.Run("ES256", func(t *testing.T) {
		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		key, err := assertion.NewKey("2026-11", private)
		o, jwks := signs(t, key, err)
		file := filepath.Join(dir, "jwks.json")
		if err := os.WriteFile(file, []byte(jwks), 0o600); err != nil {
			t.Fatal(err)
		}
		check(t, o, assertionHeaders, node("JWKS_FILE="+file))
	})
	t.Run("HS256", func(t *testing.T) {
		check(t, secretKey(t), assertionHeaders, node("ASSERT_SECRET="+shared))
	})
	t.Run("Standard Webhooks", func(t *testing.T) {
		check(t, &forward.Options{Resign: resign}, webhookHeaders, node("RESIGN_SECRET="+resignText()))
	})
	t.Run("a receiver without a check does not start", func(t *testing.T) {
		cmd := exec.CommandContext(t.Context(), "node", "receiver.js")
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "anyone could send events") {
			t.Errorf("it ends with %v:\n%s", err, out)
		}
	})
}

func TestPython(t *testing.T) {
	need(t, "python3")
	dir := folder(t, "python")
	python := func(env ...string) func(t *testing.T) *program {
		return func(t *testing.T) *program {
			return run(t, dir, append(env, "ISSUER="+issuer, "AUDIENCE="+audience), "python3", "receiver.py")
		}
	}
	t.Run("HS256", func(t *testing.T) {
		check(t, secretKey(t), assertionHeaders, python("ASSERT_SECRET="+shared))
	})
	t.Run("Standard Webhooks", func(t *testing.T) {
		check(t, &forward.Options{Resign: resign}, webhookHeaders, python("RESIGN_SECRET="+resignText()))
	})
	t.Run("a receiver without a check does not start", func(t *testing.T) {
		cmd := exec.CommandContext(t.Context(), "python3", "receiver.py")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "anyone could send events") {
			t.Errorf("it ends with %v:\n%s", err, out)
		}
	})
}

// TestGo: the library of Standard Webhooks takes what the gateway signs, and refuses it with one
// byte changed.
func TestGo(t *testing.T) {
	webhook, err := standardwebhooks.NewWebhook(resignText())
	if err != nil {
		t.Fatal(err)
	}
	m := sent(t, &forward.Options{Resign: resign})
	changed(m, webhookHeaders, func(what string, m message) {
		if webhook.Verify(m.body, m.header) == nil {
			t.Errorf("%s was changed, and it verifies", what)
		}
	})
	if err := webhook.Verify(m.body, m.header); err != nil {
		t.Error(err)
	}
}
