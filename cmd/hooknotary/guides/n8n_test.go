//go:build unix

package guides_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/hooknotary/hooknotary/providers/github/githubtest"
	"github.com/hooknotary/hooknotary/providers/paypal"
	"github.com/hooknotary/hooknotary/providers/paypal/paypaltest"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
)

const (
	paypalWebhook = "8PT597110X687430L"
	n8nSecret     = "a secret that n8n and the gateway share"
)

// TestN8N walks through the page with a real n8n, and counts what n8n ran in its own table
// of executions: deliveries of Stripe, GitHub and PayPal, genuine ones and others. It takes
// 1.8 GB and some minutes, so it runs only if HOOKNOTARY_N8N names a folder, into which it
// installs n8n where that is missing:
//
//	HOOKNOTARY_N8N=/var/tmp/n8n go test -v -timeout 60m -run TestN8N ./cmd/hooknotary/guides
func TestN8N(t *testing.T) {
	folder := os.Getenv("HOOKNOTARY_N8N")
	if folder == "" {
		t.Skip("n8n takes 1.8 GB: HOOKNOTARY_N8N names a folder for it")
	}
	need(t, "npm", "node", "openssl", "curl", "g++", "make", "python3")
	w := newWalk(t, "n8n.md", "5678", "8080")
	w.env = append(w.env, "STRIPE_WEBHOOK_SECRET="+stripeSecret)
	w.special = map[string]func(block){
		"install": func(b block) {
			if err := os.MkdirAll(folder, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(folder, filepath.Join(w.dir, "n8n-here")); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(filepath.Join(folder, "node_modules/sqlite3/build/Release/node_sqlite3.node")); err != nil {
				w.do(block{line: b.line, language: "sh", text: b.text})
			}
		},
		"environment": func(b block) {
			out, err := w.shell(w.here(b.text) + "\nenv -0").Output()
			if err != nil {
				t.Fatal(err)
			}
			w.env = append(w.env, strings.Split(strings.TrimRight(string(out), "\x00"), "\x00")...)
		},
		"import": func(b block) {
			importMore(w)
			w.do(block{line: b.line, language: "sh", text: b.text})
		},
	}
	w.run()

	ran(t, w, "hooknotaryBilling", "the page", 1, 1)
	t.Run("past the gateway", func(t *testing.T) {
		direct := w.here("http://127.0.0.1:5678/webhook/stripe")
		checkReceiver(t, direct, w.dir+"/secrets/assert.pem", "n8n", "Authorization", "Bearer ", 401, 403, 500)
		// What the webhook node refuses starts nothing. It takes the assertion for another
		// receiver and the one for another body, and the nodes behind it do not.
		ran(t, w, "hooknotaryBilling", "requests past the gateway", 1+3, 1+1)
	})

	pp := paypaltest.New(paypalWebhook)
	gateway := serveThree(t, w, pp)
	for _, c := range []struct {
		sender, path, workflow string
		body                   func(id string) string
		sign                   func(at time.Time, body, secret string) http.Header
		noTime                 bool   // the sender signs none
		eventID                string // that the sender signed
	}{
		{"Stripe", "/hooks/stripe", "hooknotaryBilling", stripeEvent, func(at time.Time, body, secret string) http.Header {
			return stripetest.Header(at, []byte(body), secret)
		}, false, "evt_genuine"},
		{"GitHub", "/hooks/github", "hooknotaryCI", func(id string) string {
			return fmt.Sprintf(`{"ref":"refs/heads/main","after":%q}`, id)
		}, func(_ time.Time, body, secret string) http.Header {
			return githubtest.Header("push", []byte(body), secret)
		}, true, ""},
		{"PayPal", "/hooks/paypal", "hooknotaryShop", func(id string) string {
			return fmt.Sprintf(`{"id":%q,"event_type":"PAYMENT.CAPTURE.COMPLETED","resource":{"amount":"10.00"}}`, id)
		}, func(at time.Time, body, secret string) http.Header {
			if secret != stripeSecret {
				h := paypaltest.New(paypalWebhook).Header(at, []byte(body)) // a stranger signs
				h.Set("Paypal-Cert-Url", pp.CertURL())
				return h
			}
			return pp.Header(at, []byte(body))
		}, false, ""},
	} {
		t.Run(c.sender, func(t *testing.T) {
			url := gateway + c.path
			started, succeeded := executions(t, w, c.workflow)
			ran := func(what string, n int) {
				t.Helper()
				ran(t, w, c.workflow, what, started+n, succeeded+n)
			}
			body := c.body("evt_genuine")
			signed := c.sign(time.Now(), body, stripeSecret)
			if got := send(t, url, signed.Clone(), body); got != 200 {
				t.Fatalf("a genuine delivery is answered with %d", got)
			}
			ran("a genuine delivery", 1)
			id, key := lastEvent(t, w, c.workflow)
			if id != c.eventID || len(key) != 64 {
				t.Errorf("$json.jwtPayload.event_id is %q, want %q; event_key is %q", id, c.eventID, key)
			}

			replay := send(t, url, signed.Clone(), body)
			ran("its replay", 1)
			bad := c.body("evt_bad")
			unsigned := send(t, url, http.Header{"Content-Type": {"application/json"}}, bad)
			forged := send(t, url, signed.Clone(), bad)
			other := send(t, url, c.sign(time.Now(), bad, otherSecret), bad)
			stale := "not signed"
			if !c.noTime {
				stale = strconv.Itoa(send(t, url, c.sign(time.Now().Add(-10*24*time.Hour), bad, stripeSecret), bad))
			}
			ran("forged and stale ones", 1)
			if replay != 409 && replay != 200 || unsigned != 401 || forged != 401 || other != 401 || stale != "401" && !c.noTime {
				t.Errorf("a replay %d, unsigned %d, forged %d, of another key %d, stale %s", replay, unsigned, forged, other, stale)
			}

			crowd := c.body("evt_crowd")
			signed = c.sign(time.Now(), crowd, stripeSecret)
			var wg sync.WaitGroup
			statuses := make([]int, 6)
			for i := range statuses {
				wg.Go(func() { statuses[i] = send(t, url, signed.Clone(), crowd) })
			}
			wg.Wait()
			ran("six equal deliveries at once", 2)
			// n8n writes in the order of the runs: once this one is there, none is missing.
			last := c.body("evt_last")
			if got := send(t, url, c.sign(time.Now(), last, stripeSecret), last); got != 200 {
				t.Errorf("the last delivery is answered with %d", got)
			}
			ran("all of it", 3)
			t.Logf("genuine 200 (1 run, event_id %q), replay %d, unsigned %d, forged %d, another key %d, stale %s (0 runs), six at once %v (1 run)",
				id, replay, unsigned, forged, other, stale, statuses)
		})
	}

	t.Run("a workflow that takes longer than the sender waits runs once", func(t *testing.T) {
		body, attempts := stripeEvent("evt_slow"), 0
		deliver := func(patience time.Duration) (status int, duplicate string) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			r, err := http.NewRequestWithContext(ctx, http.MethodPost, gateway+"/hooks/slow", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			attempts++ // each is signed anew
			r.Header = stripetest.Header(time.Now().Add(time.Duration(attempts)*time.Second), []byte(body), stripeSecret)
			res, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				return 0, ""
			}
			res.Body.Close()
			return res.StatusCode, res.Header.Get("Webhook-Duplicate")
		}
		if status, _ := deliver(2 * time.Second); status != 0 {
			t.Fatalf("the workflow of 5 seconds is answered within two, with %d", status)
		}
		if status, _ := deliver(patience); status != http.StatusConflict {
			t.Errorf("a retry that comes meanwhile is answered with %d", status)
		}
		eventually(t, "a retry is told that the event was handled", func() bool {
			time.Sleep(500 * time.Millisecond)
			status, duplicate := deliver(patience)
			return status == http.StatusOK && duplicate == "1"
		})
		ran(t, w, "hooknotarySlow", "a sender that hung up and its retries", 1, 1)
	})
}

// importMore gives n8n more workflows. Two are the page's but for their sender; one of them
// takes assertions that are signed with a common secret. The third one takes its time.
func importMore(w *walk) {
	text, err := os.ReadFile(filepath.Join(w.dir, "workflow.json"))
	if err != nil {
		w.Fatal(err)
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
			w.Fatal(err)
		}
	}
	write("ci.json", strings.NewReplacer(`"hooknotaryBilling"`, `"hooknotaryCI"`, `"stripe"`, `"github"`, `"billing"`, `"ci"`,
		`"hooknotary"`, `"common"`, `$json.body.type`, `$json.body.after`).Replace(string(text)))
	write("shop.json", strings.NewReplacer(`"hooknotaryBilling"`, `"hooknotaryShop"`, `"stripe"`, `"paypal"`, `"billing"`, `"shop"`,
		`$json.body.type`, `$json.body.event_type`).Replace(string(text)))
	write("slow.json", slowly(w, text))
	write("common.json", fmt.Sprintf(`[{"id":"common","name":"common","type":"jwtAuth","data":{"keyType":"passphrase","algorithm":"HS256","secret":%q}}]`, n8nSecret))
	write("secrets/common", n8nSecret)
	w.do(block{language: "sh", text: "n8n import:credentials --input=common.json\nn8n import:workflow --input=ci.json\nn8n import:workflow --input=shop.json\nn8n import:workflow --input=slow.json\n"})
}

// slowly returns the workflow with a wait in the place of its last node.
func slowly(w *walk, workflow []byte) string {
	w.Helper()
	var all []map[string]any
	if err := json.Unmarshal(workflow, &all); err != nil {
		w.Fatal(err)
	}
	for _, node := range all[0]["nodes"].([]any) {
		if node := node.(map[string]any); node["name"] == "Event" {
			node["type"], node["typeVersion"], node["webhookId"] = "n8n-nodes-base.wait", 1.1, "slow-wait"
			node["parameters"] = map[string]any{"resume": "timeInterval", "amount": 5, "unit": "seconds"}
		}
	}
	text, err := json.Marshal(all)
	if err != nil {
		w.Fatal(err)
	}
	return strings.NewReplacer(`"hooknotaryBilling"`, `"hooknotarySlow"`, `"stripe"`, `"slow"`, `"billing"`, `"slow"`).Replace(string(text))
}

// serveThree starts a gateway with a route for each of three senders and one for a slow
// workflow, and returns its URL.
func serveThree(t *testing.T, w *walk, pp *paypaltest.PayPal) string {
	t.Helper()
	// A PayPal of our own: its certificate is remembered, and its root is the machine's.
	certs, roots := filepath.Join(w.dir, "paypal.certs"), filepath.Join(w.dir, "roots.pem")
	v, err := paypal.New(paypalWebhook, &paypal.Options{CertFile: certs, Transport: pp, Roots: pp.Roots()})
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Prefetch(t.Context(), pp.CertURL()); err != nil {
		t.Fatal(err)
	}
	var text []byte
	for _, root := range pp.Roots() {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Raw})...)
	}
	if err := os.WriteFile(roots, text, 0o600); err != nil {
		t.Fatal(err)
	}
	w.env = append(w.env, "SSL_CERT_FILE="+roots, "GITHUB_WEBHOOK_SECRET="+stripeSecret, "PAYPAL_WEBHOOK_ID="+paypalWebhook)
	port := freePort(t)
	w.do(block{language: "yaml", rest: "three.yaml", text: strings.ReplaceAll(`
listen: { address: "127.0.0.1:PORT" }
store: { memory: {} }
assertion:
  issuer: https://hooks.example.com
  keys: [ { id: n8n-2026-11, file: secrets/assert.pem } ]
routes:
  - name: billing
    path: /hooks/stripe
    provider: stripe
    secret: file:secrets/stripe
    upstream: { url: "http://127.0.0.1:5678/webhook/stripe" }
    assert: { as: "Authorization: Bearer", audience: n8n }
  - name: ci
    path: /hooks/github
    provider: github
    secret: env:GITHUB_WEBHOOK_SECRET
    upstream: { url: "http://127.0.0.1:5678/webhook/github" }
    assert: { as: "Authorization: Bearer", audience: n8n, algorithm: HS256, secret: "file:secrets/common" }
  - name: shop
    path: /hooks/paypal
    provider: paypal
    webhook_id: env:PAYPAL_WEBHOOK_ID
    cert_file: paypal.certs
    upstream: { url: "http://127.0.0.1:5678/webhook/paypal" }
    assert: { as: "Authorization: Bearer", audience: n8n }
  - name: slow
    path: /hooks/slow
    provider: stripe
    secret: file:secrets/stripe
    upstream: { url: "http://127.0.0.1:5678/webhook/slow" }
    detach: true
    assert: { as: "Authorization: Bearer", audience: n8n }
`, "PORT", port)})
	w.servers = append(w.servers, w.start(block{language: "sh", text: "hooknotary serve --config three.yaml"}, "serving"))
	return "http://127.0.0.1:" + port
}

// n8nDatabase opens n8n's own database.
func n8nDatabase(t *testing.T, w *walk) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(w.dir, "n8n-data/.n8n/database.sqlite")+"?mode=ro&_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// executions counts in n8n's own table how often a workflow started, and how often it came
// to a good end.
func executions(t *testing.T, w *walk, workflow string) (started, succeeded int) {
	t.Helper()
	db := n8nDatabase(t, w)
	defer db.Close()
	err := db.QueryRow("SELECT count(*), count(*) FILTER (WHERE status = 'success') FROM execution_entity WHERE workflowId = ?", workflow).Scan(&started, &succeeded)
	if err != nil {
		t.Fatal(err)
	}
	return started, succeeded
}

// ran fails unless n8n started a workflow so often, and came to a good end so often. It
// waits for n8n to write down what has ended.
func ran(t *testing.T, w *walk, workflow, when string, started, succeeded int) {
	t.Helper()
	var s, g int
	eventually(t, fmt.Sprintf("n8n has run %d times, %d of them to a good end, after %s", started, succeeded, when), func() bool {
		s, g = executions(t, w, workflow)
		return s > started || s == started && g == succeeded
	})
	if s != started || g != succeeded {
		t.Errorf("after %s n8n has run %d times, %d of them to a good end, want %d and %d", when, s, g, started, succeeded)
	}
}

// lastEvent returns what the last execution of a workflow found in $json.jwtPayload.
func lastEvent(t *testing.T, w *walk, workflow string) (eventID, eventKey string) {
	t.Helper()
	db := n8nDatabase(t, w)
	defer db.Close()
	var text string
	err := db.QueryRow("SELECT d.data FROM execution_entity e JOIN execution_data d ON d.executionId = e.id WHERE e.workflowId = ? ORDER BY e.id DESC LIMIT 1", workflow).Scan(&text)
	if err != nil {
		t.Fatal(err)
	}
	// The data is an array, in which a string that is a number stands for the element there.
	var flat []json.RawMessage
	if err := json.Unmarshal([]byte(text), &flat); err != nil {
		t.Fatal(err)
	}
	follow := func(ref string, into any) {
		i, err := strconv.Atoi(ref)
		if err != nil || i < 0 || i >= len(flat) {
			t.Fatalf("the data of the execution refers to %q", ref)
		}
		if err := json.Unmarshal(flat[i], into); err != nil {
			t.Fatal(err)
		}
	}
	for _, element := range flat {
		var item struct {
			Payload string `json:"jwtPayload"`
		}
		if json.Unmarshal(element, &item) != nil || item.Payload == "" {
			continue
		}
		var claims struct {
			EventID  string `json:"event_id"`
			EventKey string `json:"event_key"`
		}
		follow(item.Payload, &claims)
		if claims.EventID != "" {
			follow(claims.EventID, &eventID)
		}
		follow(claims.EventKey, &eventKey)
		return eventID, eventKey
	}
	t.Fatal("the execution has no claims")
	return "", ""
}
