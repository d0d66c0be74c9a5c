package gateway_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/config"
	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/gateway"
	"github.com/hooknotary/hooknotary/providers/github/githubtest"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
)

// loadFile writes a file and loads it.
func loadFile(t *testing.T, dir, text string, now time.Time) *config.Config {
	t.Helper()
	file := filepath.Join(dir, "hooknotary.yaml")
	write(t, file, text)
	c, err := config.Load(file, config.Env{}, now)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestKeyEndOfFile: a key ends at its time although nothing is loaded anew.
func TestKeyEndOfFile(t *testing.T) {
	up, dir, now := newReceiver(t, nil), t.TempDir(), time.Now()
	write(t, filepath.Join(dir, "new"), secret)
	write(t, filepath.Join(dir, "old"), otherSecret)
	end := now.Add(time.Hour).UTC().Truncate(time.Second)
	c := loadFile(t, dir, fmt.Sprintf(`
store: { memory: {} }
routes:
  - name: billing
    path: /hooks/stripe
    provider: stripe
    secrets: [ { label: new, from: file:new }, { label: old, from: file:old, not_after: %s } ]
    upstream: { url: %s }
`, end.Format(time.RFC3339), up.URL), now)
	if !c.NextExpiry.Equal(end) {
		t.Errorf("NextExpiry is %v, want %v", c.NextExpiry, end)
	}
	var clock atomic.Pointer[time.Time]
	g, _ := newGateway(t, c, func(o *gateway.Options) { o.Now = func() time.Time { return *clock.Load() } })
	for _, s := range []struct {
		name, secret string
		at           time.Time
		want         int
	}{
		{"the old one before", otherSecret, end.Add(-time.Second), 200},
		{"the old one at its end", otherSecret, end, 401},
		{"the old one after", otherSecret, end.Add(time.Second), 401},
		{"the new one after", secret, end.Add(time.Second), 200},
	} {
		t.Run(s.name, func(t *testing.T) {
			clock.Store(&s.at)
			send(t, g, stripetest.NewRequest("http://hooks.example/hooks/stripe", s.at, event("evt_"+s.name), s.secret), s.want)
		})
	}
}

// TestUnknownTenant: what a stranger sees of a tenant that is not there, and how long it
// takes, is what he sees of one whose secret he does not know.
func TestUnknownTenant(t *testing.T) {
	up, dir := newReceiver(t, nil), t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "tenants"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "tenants", "acme"), "only "+secret+"\n")
	g, _ := newGateway(t, loadFile(t, dir, fmt.Sprintf(`
store: { memory: {} }
routes: [ { name: ci, path: "/hooks/{tenant}", provider: github, tenants: { folder: tenants }, upstream: { url: %s } } ]
`, up.URL), time.Now()), nil)

	genuine := httptest.NewRequest(http.MethodPost, "/hooks/acme", bytes.NewReader([]byte(`{"ref":"refs/heads/main"}`)))
	genuine.Header = githubtest.Header("push", []byte(`{"ref":"refs/heads/main"}`), secret)
	send(t, g, genuine, 200)

	// The body is large, so that the signature takes most of the time.
	body := append(bytes.Repeat([]byte(" "), 1<<20), `{"ref":"refs/heads/main"}`...)
	header := githubtest.Header("push", body, otherSecret)
	took := map[string][]time.Duration{}
	answers := map[string]string{}
	for i := range 60 {
		tenants := []string{"acme", "globex"}
		if i%2 == 1 { // or the same one would always come before a garbage collection
			slices.Reverse(tenants)
		}
		for _, tenant := range tenants {
			r := httptest.NewRequest(http.MethodPost, "/hooks/"+tenant, bytes.NewReader(body))
			r.Header = header.Clone()
			start := time.Now()
			res := serve(g, r)
			took[tenant] = append(took[tenant], time.Since(start))
			answers[tenant] = fmt.Sprint(res.StatusCode, res.Header, bodyOf(t, res))
		}
	}
	if answers["acme"] != answers["globex"] {
		t.Errorf("the answers differ: %s, %s", answers["acme"], answers["globex"])
	}
	quick := func(tenant string) time.Duration { // the lower quarter: what a busy machine spoils least
		slices.Sort(took[tenant])
		return took[tenant][len(took[tenant])/4]
	}
	known, unknown := quick("acme"), quick("globex")
	t.Logf("a known tenant takes %v, an unknown one %v", known, unknown)
	// Without the same work the ratio would be below a third.
	if ratio := float64(unknown) / float64(known); ratio < 0.5 || ratio > 2 {
		t.Errorf("an unknown tenant takes %.2f times as long as a known one", ratio)
	}
}

// TestHandshake: the sender's check of the endpoint is answered by the gateway, and the
// upstream sees nothing of it.
func TestHandshake(t *testing.T) {
	up, dir := newReceiver(t, nil), t.TempDir()
	write(t, filepath.Join(dir, "secret"), "app-secret-of-the-gateway-tests")
	write(t, filepath.Join(dir, "token"), "token-of-the-gateway-tests")
	g, _ := newGateway(t, loadFile(t, dir, fmt.Sprintf(`
store: { memory: {} }
routes: [ { name: meta, path: /hooks/meta, provider: meta, secret: file:secret, verify_token: file:token, upstream: { url: %s } } ]
`, up.URL), time.Now()), nil)
	get := func(token string, want int) string {
		t.Helper()
		return bodyOf(t, send(t, g, httptest.NewRequest(http.MethodGet, "/hooks/meta?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token="+token, nil), want))
	}
	if got := get("token-of-the-gateway-tests", 200); got != "1158201444" {
		t.Errorf("the response is %q", got)
	}
	if got := get("another-token-of-the-tests", 401); got == "1158201444" {
		t.Errorf("the response to a wrong token is %q", got)
	}
	if up.count() != 0 {
		t.Errorf("the upstream got %d requests", up.count())
	}
}
