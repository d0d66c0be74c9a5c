//go:build unix

package guides_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/middleware/assertion"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

const (
	stripeSecret = "whsec_9fJ2kQ7dLx0VbT4mRz8YcN3w"
	otherSecret  = "whsec_Hq5sW1nGv6ZtB2yKe7PdX0aU"
)

// send sends a delivery and returns the status of the response.
func send(t *testing.T, url string, header http.Header, body string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode
}

// stripeEvent is an event of Stripe's with this id.
func stripeEvent(id string) string {
	return fmt.Sprintf(`{"id":%q,"object":"event","type":"invoice.paid"}`, id)
}

// attack sends Stripe deliveries to a gateway: genuine ones, whose ids it returns, and
// others, whose ids begin with "evt_bad". Only the genuine ones may reach the receiver, once.
func attack(t *testing.T, url string) (genuine []string) {
	t.Helper()
	header := func(at time.Time, body, secret string) http.Header {
		return stripetest.Header(at, []byte(body), secret)
	}
	want := func(what string, got int, wants ...int) {
		t.Helper()
		for _, w := range wants {
			if got == w {
				return
			}
		}
		t.Errorf("%s is answered with %d, want %v", what, got, wants)
	}

	now := time.Now()
	body := stripeEvent("evt_once")
	signed := header(now, body, stripeSecret)
	want("a genuine delivery", send(t, url, signed.Clone(), body), 200, 204)
	want("its replay", send(t, url, signed.Clone(), body), 409)
	want("its honest retry", send(t, url, header(now.Add(time.Second), body, stripeSecret), body), 200)

	bad := stripeEvent("evt_bad")
	unsigned := http.Header{"Content-Type": {"application/json"}, "Hooknotary-Event-Id": {"evt_bad"}, "Hooknotary_Event_Id": {"evt_bad"}}
	want("an unsigned delivery", send(t, url, unsigned, bad), 401)
	want("a forged delivery", send(t, url, signed.Clone(), bad), 401)
	want("a delivery under another secret", send(t, url, header(now, bad, otherSecret), bad), 401)
	want("a stale delivery", send(t, url, header(now.Add(-time.Hour), bad, stripeSecret), bad), 401)
	want("a delivery from the future", send(t, url, header(now.Add(time.Hour), bad, stripeSecret), bad), 401)

	// The same delivery many times at once.
	body = stripeEvent("evt_crowd")
	signed = header(time.Now(), body, stripeSecret)
	var wg sync.WaitGroup
	statuses := make([]int, 8)
	for i := range statuses {
		wg.Go(func() { statuses[i] = send(t, url, signed.Clone(), body) })
	}
	wg.Wait()
	taken := 0
	for _, status := range statuses {
		want("a delivery in a crowd", status, 200, 204, 409)
		if status/100 == 2 {
			taken++
		}
	}
	if taken != 1 {
		t.Errorf("of 8 equal deliveries at once, %d were taken", taken)
	}
	return []string{"evt_once", "evt_crowd"}
}

// once fails unless a log tells of each genuine event once, and of no other.
func once(t *testing.T, log string, genuine []string) {
	t.Helper()
	for _, id := range genuine {
		if n := strings.Count(log, id); n != 1 {
			t.Errorf("the receiver ran %d times for %s", n, id)
		}
	}
	if strings.Contains(log, "evt_bad") {
		t.Error("the receiver ran for a delivery that is not genuine")
	}
}

// eventually waits until the condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after %v it is still not so that %s", patience, what)
		}
	}
}

// A token is an assertion that a receiver may get.
type token struct {
	key, audience string // the key's file
	made          time.Time
	body          string // that it is for
}

// mint makes an assertion as the gateway of these pages does.
func mint(t *testing.T, o token) string {
	t.Helper()
	text, err := os.ReadFile(o.key)
	if err != nil {
		t.Fatal(err)
	}
	key, err := assertion.ParseKey("2026-11", text)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := assertion.NewSigner(key, "https://hooks.example.com", o.audience, &assertion.SignerOptions{Now: func() time.Time { return o.made }})
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(assertion.Claims{
		Route: "billing", Provider: "stripe", Scope: "default", KeyLabel: "2026-11", EventID: "evt_direct", EventKey: replay.Key{1},
		SignedAt: o.made, ReceivedAt: o.made, Binding: verify.BindingFull, BodySHA256: sha256.Sum256([]byte(o.body)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// newKey makes a private key of the kind that the pages use, and returns its file.
func newKey(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "key.pem")
	cmd := exec.Command("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", file)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("openssl: %v\n%s", err, out)
	}
	return file
}

// checkReceiver sends requests straight to a receiver, past the gateway. Only what the
// gateway's key asserts may reach it. header and prefix say where the assertion stands;
// refused are the statuses of a refusal.
func checkReceiver(t *testing.T, url, key, audience, header, prefix string, refused ...int) {
	good := token{key: key, audience: audience, made: time.Now(), body: stripeEvent("evt_direct")}
	with := func(edit func(o *token)) func(t *testing.T) string {
		return func(t *testing.T) string {
			o := good
			o.made = time.Now()
			edit(&o)
			return mint(t, o)
		}
	}
	for _, c := range []struct {
		name  string
		token func(t *testing.T) string
		taken bool
	}{
		{"an assertion of the gateway is taken", with(func(*token) {}), true},
		{"no assertion", func(*testing.T) string { return "" }, false},
		{"one that is no token", func(*testing.T) string { return "a.b.c" }, false},
		{"one of another key", with(func(o *token) { o.key = newKey(t) }), false},
		{"one of an hour ago", with(func(o *token) { o.made = o.made.Add(-time.Hour) }), false},
		{"one for another receiver", with(func(o *token) { o.audience = "another" }), false},
		{"one for another body", with(func(o *token) { o.body += " " }), false},
		{"one with another signature", func(t *testing.T) string {
			text := mint(t, good)
			i := strings.LastIndexByte(text, '.') + 10
			return text[:i] + string('A'+(text[i]-'A'+1)%2) + text[i+1:]
		}, false},
		{"one that says it is not signed", func(t *testing.T) string {
			parts := strings.Split(mint(t, good), ".")
			head := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","kid":"2026-11","typ":"hooknotary+jwt"}`))
			return head + "." + parts[1] + "."
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := http.Header{"Content-Type": {"application/json"}, "Hooknotary-Event-Id": {"evt_direct"}, "Hooknotary-Route": {"billing"}}
			if text := c.token(t); text != "" {
				h.Set(header, prefix+text)
			}
			status := send(t, url, h, good.body)
			if c.taken != (status == http.StatusOK) || !c.taken && !slices.Contains(refused, status) {
				t.Errorf("it is answered with %d", status)
			}
		})
	}
}

func TestNodeRED(t *testing.T) {
	fetches(t, "Node-RED")
	need(t, "npm", "node", "openssl", "curl")
	w := newWalk(t, "nodered.md", "1880", "8080")
	w.env = append(w.env, "STRIPE_WEBHOOK_SECRET="+stripeSecret, "PORT="+w.here("1880"))
	w.run()
	url, flow := w.here("http://127.0.0.1:8080/hooks/stripe"), w.servers[0]

	genuine := append(attack(t, url), "evt_1QnodeRED")
	eventually(t, "the flow has printed what it got", func() bool { return strings.Contains(flow.printed(), genuine[1]) })
	once(t, flow.printed(), genuine)

	t.Run("a flow that fails is no end: the sender may come back", func(t *testing.T) {
		body := `{"id":"evt_failed","object":"event"}`
		for i := range 2 {
			at := time.Now().Add(time.Duration(i) * time.Second)
			if got := send(t, url, stripetest.Header(at, []byte(body), stripeSecret), body); got != http.StatusBadGateway {
				t.Errorf("attempt %d is answered with %d", i, got)
			}
		}
	})
	t.Run("past the gateway", func(t *testing.T) {
		direct := w.here("http://127.0.0.1:1880/webhook/stripe")
		checkReceiver(t, direct, w.dir+"/secrets/assert.pem", "node-red", "Hooknotary-Assertion", "", http.StatusUnauthorized)
		t.Run("an assertion counts once", func(t *testing.T) {
			body := stripeEvent("evt_direct")
			h := http.Header{"Content-Type": {"application/json"}}
			h.Set("Hooknotary-Assertion", mint(t, token{w.dir + "/secrets/assert.pem", "node-red", time.Now(), body}))
			if first, second := send(t, direct, h.Clone(), body), send(t, direct, h, body); first != 200 || second != 401 {
				t.Errorf("it is answered with %d, then with %d", first, second)
			}
		})
	})
}

// TestPrograms walks through the pages of receivers that check everything by themselves.
func TestPrograms(t *testing.T) {
	for _, c := range []struct {
		page, event string
		programs    []string
	}{
		{"node.md", "evt_1QnodeGuide", []string{"npm", "node"}},
		{"python.md", "evt_1QpythonGuide", []string{"python3"}},
	} {
		t.Run(c.page, func(t *testing.T) {
			if c.programs[0] == "npm" {
				fetches(t, "jsonwebtoken")
			}
			need(t, append(c.programs, "openssl", "curl")...)
			w := newWalk(t, c.page, "8080", "3000")
			w.env = append(w.env, "STRIPE_WEBHOOK_SECRET="+stripeSecret)
			w.run()
			program := w.servers[0]
			genuine := append(attack(t, w.here("http://127.0.0.1:8080/hooks/stripe")), c.event)
			eventually(t, "the program has printed what it got", func() bool { return strings.Contains(program.printed(), genuine[1]) })
			once(t, program.printed(), genuine)
		})
	}
}

// TestREADME walks through the part of the project's README that stands in front of a flow.
// Its commands run in the checkout.
func TestREADME(t *testing.T) {
	fetches(t, "Node-RED")
	need(t, "npm", "node")
	w := newWalk(t, "../../../README.md", "1880", "8080")
	w.dir = checkout(t)
	w.replace = append(w.replace, "/tmp/nodered", t.TempDir(), "--upstream", "--listen 127.0.0.1:"+w.here("8080")+" --upstream")
	w.env = append(w.env, "PORT="+w.here("1880"))
	from, to := section(t, w.page, "In front of other languages")
	var secret string
	for _, b := range blocks(t, w.page) {
		if b.line < from || b.line > to {
			continue
		}
		if value, ok := strings.CutPrefix(strings.TrimSpace(b.text), "export STRIPE_WEBHOOK_SECRET="); ok {
			secret = value
			w.env = append(w.env, "STRIPE_WEBHOOK_SECRET="+secret)
			continue
		}
		w.do(b)
	}
	if len(w.servers) != 2 || secret == "" {
		t.Fatalf("the section starts %d servers, want Node-RED and the gateway", len(w.servers))
	}
	flow := w.servers[0]
	eventually(t, "the flow ran", func() bool { return strings.Contains(flow.printed(), "verified evt_1 invoice.paid") })
	if n := strings.Count(flow.printed(), "verified "); n != 1 {
		t.Errorf("the flow ran %d times, want once", n)
	}
}

// section returns the first and the last line of a section of a page.
func section(t *testing.T, page, title string) (from, to int) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		switch {
		case strings.TrimSpace(line) == "## "+title:
			from, to = n, n
		case from > 0 && strings.HasPrefix(line, "## "):
			return from, n
		}
		to = n
	}
	if from == 0 {
		t.Fatalf("%s has no section %q", page, title)
	}
	return from, to
}

func TestPagesAreTested(t *testing.T) {
	tests, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var source []byte
	for _, name := range tests {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		source = append(source, text...)
	}
	pages, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range pages {
		if name == "reference.md" {
			continue // the test of package config compares it with what the file takes
		}
		if !bytes.Contains(source, []byte(`"`+name+`"`)) {
			t.Errorf("no test walks through %s", name)
		}
	}
	if len(pages) < 9 {
		t.Errorf("there are %d pages", len(pages))
	}
}
