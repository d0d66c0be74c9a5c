package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/sender"
	"github.com/hooknotary/hooknotary/verify/replay/redisreplay/redistest"
	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay/sqltest/postgrestest"
)

// TestServeSecrecy searches every byte that leaves a gateway, and all that it writes, for
// everything that must stay in it.
func TestServeSecrecy(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no signals")
	}
	for name, open := range map[string]func(t *testing.T, l *leaks) string{
		"SQLite": func(*testing.T, *leaks) string { return "" },
		"Redis": func(t *testing.T, l *leaks) string {
			s := redistest.NewServer(t, "requirepass "+storePassword, "appendonly yes", "appendfsync always")
			return "redis://:" + storePassword + "@" + l.relay(t, "the store", "tcp", s.Addr())
		},
		"PostgreSQL": func(t *testing.T, l *leaks) string {
			s := postgrestest.Run(t, nil)
			host, port, _ := net.SplitHostPort(l.relay(t, "the store", "unix", s.Socket()))
			return s.Database(t) + " host=" + host + " port=" + port
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLeaks()
			l.serve(t, open(t, l))
			l.search(t)
		})
	}
	t.Run("a search finds what is there", func(t *testing.T) {
		secret := "whsec_9fJ2kQ7dLx0VbT4mRz8YcN3w+/="
		for _, leak := range []string{
			secret, "x" + secret[6:22], hex.EncodeToString([]byte(secret)), fmt.Sprintf("%X", secret), fmt.Sprintf("% x", secret), fmt.Sprint([]byte(secret)),
			fmt.Sprintf("%#v", []byte(secret)), url.QueryEscape(secret), strings.ToUpper(secret), strconv.Quote(secret),
			base64.StdEncoding.EncodeToString([]byte("a" + secret)), base64.RawURLEncoding.EncodeToString([]byte("ab" + secret + "c")),
			base64.URLEncoding.EncodeToString([]byte(secret)), base64.StdEncoding.EncodeToString([]byte(secret[6:] + "\n")), reversed(secret),
		} {
			l := newLeaks()
			l.secret("the secret", secret)
			l.out("here", []byte("in front "+leak+" behind"))
			if found := l.found(); len(found) != 1 {
				t.Errorf("%q is not found: %q", leak, found)
			}
		}
		l := newLeaks()
		l.secret("the secret", secret, "the receiver's *")
		l.out("there", []byte("whsec_9fJ2 is no secret yet"))
		l.out("the receiver's request", []byte(secret))
		if found := l.found(); len(found) != 0 {
			t.Errorf("found: %q", found)
		}
	})
}

// leaks holds what must stay in a gateway, and what has come out of it.
type leaks struct {
	mu      sync.Mutex
	secrets []hidden
	sinks   map[string]*bytes.Buffer // by the place where it came out
}

// hidden is a text that may stand in some places only.
type hidden struct {
	name, text string
	places     []string // "…*" are all that begin so
}

func newLeaks() *leaks { return &leaks{sinks: make(map[string]*bytes.Buffer)} }

// secret notes that a text may stand in these places only.
func (l *leaks) secret(name, text string, places ...string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.secrets = append(l.secrets, hidden{name, text, places})
	return text
}

// out notes what came out at a place.
func (l *leaks) out(place string, p []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.sinks[place]
	if b == nil {
		b = new(bytes.Buffer)
		l.sinks[place] = b
	}
	b.Write(p)
}

// found describes each secret that stands where it must not.
func (l *leaks) found() (all []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	lower := make(map[string][]byte)
	for place, b := range l.sinks {
		lower[place] = bytes.ToLower(b.Bytes())
	}
	for _, h := range l.secrets {
		forms := spellings(h.text)
		for place, text := range lower {
			if slices.ContainsFunc(h.places, func(p string) bool {
				prefix, many := strings.CutSuffix(p, "*")
				return p == place || many && strings.HasPrefix(place, prefix)
			}) {
				continue
			}
			for _, form := range forms {
				if at := bytes.Index(text, []byte(form)); at >= 0 {
					all = append(all, fmt.Sprintf("%s holds %s as %q: …%q…", place, h.name, form, text[max(0, at-80):min(len(text), at+len(form)+80)]))
					break
				}
			}
		}
	}
	return all
}

func (l *leaks) search(t *testing.T) {
	t.Helper()
	for _, text := range l.found() {
		t.Error(text)
	}
	bytes := make(map[string]int) // by place, without the ports
	for place, b := range l.sinks {
		place, _, _ = strings.Cut(place, " from ")
		bytes[place] += b.Len()
	}
	t.Logf("%d secrets, bytes by place: %v", len(l.secrets), bytes)
}

func reversed(s string) string {
	b := []byte(s)
	slices.Reverse(b)
	return string(b)
}

// spellings returns the ways in which a secret could stand in a text, all in lower case.
func spellings(secret string) []string {
	bare := strings.TrimPrefix(secret, "whsec_")
	b := []byte(bare)
	list := []string{
		bare, reversed(bare), fmt.Sprintf("%x", b), fmt.Sprintf("% x", b),
		strings.Trim(fmt.Sprint(b), "[]"), strings.Trim(strings.TrimPrefix(fmt.Sprintf("%#v", b), "[]byte"), "{}"),
		url.QueryEscape(bare), url.PathEscape(bare), strings.Trim(strconv.Quote(bare), `"`), new(big.Int).SetBytes(b).String(),
	}
	for _, e := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		for before := range 3 { // bytes of something else in the same group of three
			text := e.EncodeToString(append(make([]byte, before), b...))
			text = text[:(before+len(b))/3*4]
			if before > 0 {
				text = text[4:]
			}
			list = append(list, text)
		}
	}
	if len(bare) >= 24 { // a piece is too much
		third := len(bare) / 3
		list = append(list, bare[:third], bare[third:2*third], bare[2*third:])
	}
	for i := range list {
		list[i] = strings.ToLower(list[i])
	}
	return slices.DeleteFunc(list, func(s string) bool { return len(s) < 8 })
}

// relay stands between the gateway and an address, and notes what the gateway writes.
func (l *leaks) relay(t *testing.T, place, network, address string) string {
	t.Helper()
	front, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { front.Close() })
	go func() {
		for {
			from, err := front.Accept()
			if err != nil {
				return
			}
			to, err := net.Dial(network, address)
			if err != nil {
				from.Close()
				continue
			}
			go func() { io.Copy(from, to); from.Close() }()
			go func() { io.Copy(to, tapped{from, l, place}); to.Close() }()
		}
	}()
	return front.Addr().String()
}

// tapped notes what is read from a connection.
type tapped struct {
	net.Conn
	l     *leaks
	place string
}

func (c tapped) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.l.out(c.place, p[:n])
	return n, err
}

// certificate of its own making, for 127.0.0.1, as PEM. Its private key is a secret.
func (l *leaks) certificate(t *testing.T, name string) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().AddDate(-2, 0, 0), NotAfter: time.Now().AddDate(2, 0, 0), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, about, about, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), l.private(t, name, private)
}

// private returns a private key as PEM, which is a secret.
func (l *leaks) private(t *testing.T, name string, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	switch key := key.(type) {
	case *ecdsa.PrivateKey:
		scalar, err := key.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		l.secret("the private key of "+name, string(scalar))
	case ed25519.PrivateKey:
		l.secret("the private key of "+name, string(key.Seed()))
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	l.secret("the file of the private key of "+name, strings.Split(text, "\n")[1])
	return text
}

// receiver is an upstream. Each request to it is a place of its own.
type receiver struct {
	*leaks
	net.Listener
	hold    chan struct{}
	holding chan struct{}
}

func (l *leaks) receiver(t *testing.T, conf *tls.Config) *receiver {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if conf != nil {
		listener = tls.NewListener(listener, conf)
	}
	r := &receiver{l, listener, make(chan struct{}), make(chan struct{}, 1)}
	s := &http.Server{Handler: r}
	s.SetKeepAlivesEnabled(false) // a connection for each request
	go s.Serve(r)
	t.Cleanup(func() { s.Close() })
	t.Cleanup(func() { close(r.hold) })
	return r
}

func (r *receiver) Accept() (net.Conn, error) {
	c, err := r.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &request{tapped{c, r.leaks, ""}}, nil
}

// request is a connection with one request, whose place its path names.
type request struct{ tapped }

func (r *request) Read(p []byte) (int, error) {
	n, err := r.Conn.Read(p)
	if r.place == "" && n > 0 {
		target, _, _ := strings.Cut(strings.TrimPrefix(string(p[:n]), "POST "), " ")
		path, _, _ := strings.Cut(target, "?")
		r.place = placeOf(path, r.RemoteAddr().String())
	}
	if n > 0 {
		r.l.out(r.place, p[:n])
	}
	return n, err
}

func placeOf(path, from string) string { return fmt.Sprintf("a request to %s from %s", path, from) }

// ServeHTTP says all that it was sent, wherever a response has room for it.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	io.Copy(io.Discard, req.Body)
	for name, credential := range map[string]string{
		"an assertion":  strings.TrimPrefix(req.Header.Get("Authorization")+req.Header.Get("Hooknotary-Assertion"), "Bearer "),
		"its signature": strings.TrimPrefix(req.Header.Get("Webhook-Signature"), "v1,"),
	} {
		if credential != "" {
			r.secret(name, credential[strings.LastIndexByte(credential, '.')+1:], placeOf(req.URL.Path, req.RemoteAddr))
		}
	}
	var all bytes.Buffer
	req.Header.Write(&all)
	echo := strings.NewReplacer("\r", "", "\n", " ").Replace(all.String())
	w.Header().Set("X-Echo", echo)
	w.Header().Set("Server", "upstream-detail-that-is-nobody-s-business")
	switch kind := strings.TrimPrefix(req.URL.Path, "/"); kind {
	case "fail":
		http.Error(w, echo, http.StatusInternalServerError)
	case "unauthorized":
		w.Header().Set("WWW-Authenticate", echo)
		http.Error(w, echo, http.StatusUnauthorized)
	case "busy":
		w.Header().Set("Retry-After", echo)
		http.Error(w, echo, http.StatusServiceUnavailable)
	case "redirect":
		w.Header().Set("Location", "/"+url.QueryEscape(echo))
		w.WriteHeader(http.StatusFound)
	case "slow":
		time.Sleep(time.Second)
	case "hold":
		r.holding <- struct{}{}
		<-r.hold
	case "line", "header", "length", "encoding", "cut":
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer c.Close()
		io.WriteString(c, map[string]string{
			"line":     "HTTP/1.1 " + echo + "\r\n\r\n",
			"header":   "HTTP/1.1 200 OK\r\n" + echo + "\r\n: " + echo + "\r\n\r\n",
			"length":   "HTTP/1.1 200 OK\r\nContent-Length: " + echo + "\r\n\r\n",
			"encoding": "HTTP/1.1 200 OK\r\nTransfer-Encoding: " + echo + "\r\n\r\n",
			"cut":      "HTTP/1.1 200 " + echo,
		}[kind])
	default:
		w.Header().Set("Content-Type", "text/plain; "+echo)
		io.WriteString(w, echo)
	}
}

// exchange sends a request to the public listener, notes every byte that comes back, and
// returns the status.
func (l *leaks) exchange(t *testing.T, address, place string, secure bool, r *http.Request) int {
	t.Helper()
	var c net.Conn
	var err error
	if secure {
		c, err = tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true})
	} else {
		c, err = net.Dial("tcp", address)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	r.Close = true
	go r.Write(c)
	res, err := http.ReadResponse(bufio.NewReader(tapped{c, l, place}), r)
	if err != nil {
		t.Fatalf("%s %s: %v", r.Method, r.URL.Path, err)
	}
	io.Copy(io.Discard, res.Body)
	return res.StatusCode
}

// serve runs a gateway with every kind of secret through all that it can meet. The store is
// that of a URL, or SQLite.
func (l *leaks) serve(t *testing.T, storeURL string) {
	dir := t.TempDir()
	file := func(name, text string) string {
		put(t, dir, name, text+"\n")
		return text
	}
	fresh := func(name string, places ...string) string { return l.secret(name, rand.Text()+"+/a", places...) }
	signing := func(name, place string) string { return file(place, "whsec_"+fresh(name)) }
	newer, older, over := signing("the new secret", "stripe-new"), signing("the old secret", "stripe-old"), signing("the secret that is over", "stripe-over")
	common := "whsec_" + fresh("the secret from the environment")
	acme, globex, twin := fresh("a tenant's secret"), fresh("another tenant's secret"), fresh("the secret of two tenants")
	file("tenants/acme", "new "+acme)
	file("tenants/globex", "only "+globex)
	file("tenants/twin-a", "only "+twin)
	file("tenants/twin-b", "only "+twin)
	faulty := file("tenants/faulty", fresh("the secret of a faulty tenant"))
	webhookID := l.secret("the webhook id", "8PT597110X687430LKGECATA")
	metaSecret, verifyToken := fresh("the app's secret"), fresh("the verify token")
	static := l.secret("the static token", rand.Text())
	basic := "postmark:" + fresh("the password of Basic")
	failing := []string{"fail", "unauthorized", "busy", "redirect", "slow", "line", "header", "length", "encoding", "cut", "hold"}
	theirs := []string{"a request to /billing *", "a request to /lenient *"} // their own token
	for _, kind := range failing {
		theirs = append(theirs, "a request to /"+kind+" *")
	}
	token := fresh("the receiver's token", theirs...)
	hs256 := fresh("the secret of HS256") + "of at least 32 bytes"
	resign := fresh("the secret of Standard Webhooks")
	resignText := l.secret("the same in base64", base64.StdEncoding.EncodeToString([]byte(resign)))
	otlpPassword := l.secret("the collector's password", rand.Text())
	otlpKey := l.secret("the collector's key", rand.Text())
	l.secret("what the upstream says", "upstream-detail-that-is-nobody-s-business")
	if storeURL != "" {
		password := storePassword
		if m := regexp.MustCompile(`password=(\S+)`).FindStringSubmatch(storeURL); m != nil {
			password = m[1]
		}
		l.secret("the store's password", password, "the store") // Redis is told it
	}
	mark := l.secret("what a sender wrote", "sender-mark-4711", "a request to *", "a file in recorded")
	for name, text := range map[string]string{"meta": metaSecret, "token": token, "hs256": hs256, "resign": "whsec_" + resignText, "static": static, "verify": verifyToken, "basic": basic} {
		file(name, text)
	}
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	file("assert.pem", l.private(t, "the assertions", p256))
	file("next.pem", l.private(t, "the next assertions", edwards))
	clientCert, clientKey := l.certificate(t, "the client")
	ownCert, ownKey := l.certificate(t, "the gateway")
	theirCert, theirKey := l.certificate(t, "the receiver")
	for name, text := range map[string]string{"client.crt": clientCert, "client.key": clientKey, "own.crt": ownCert, "own.key": ownKey, "ca.pem": theirCert} {
		file(name, text)
	}

	pair, err := tls.X509KeyPair([]byte(theirCert), []byte(theirKey))
	if err != nil {
		t.Fatal(err)
	}
	clients := x509.NewCertPool()
	clients.AppendCertsFromPEM([]byte(clientCert))
	plain := l.receiver(t, nil)
	secure := l.receiver(t, &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients})
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body io.Reader = r.Body
		if r.Header.Get("Content-Encoding") == "gzip" {
			if body, err = gzip.NewReader(r.Body); err != nil {
				t.Error(err)
				return
			}
		}
		text, _ := io.ReadAll(body)
		l.out("the collector", text)
		var echo bytes.Buffer
		r.Header.Write(&echo)
		http.Error(w, echo.String(), http.StatusBadRequest)
	}))
	t.Cleanup(collector.Close)

	store := "{ sqlite: store.db }"
	switch {
	case strings.HasPrefix(storeURL, "redis:"):
		store = "{ redis: env:STORE_URL }"
	case storeURL != "":
		store = "{ postgres: env:STORE_URL }"
	}
	var text strings.Builder
	at := "http://" + plain.Addr().String()
	fmt.Fprintf(&text, `
listen: { address: "127.0.0.1:0", tls: { cert: own.crt, key: own.key } }
admin: { address: "127.0.0.1:0" }
telemetry: { metrics: true, otlp: env:OTLP_URL }
shutdown: { drain: 0s, grace: 5s }
store: %s
public_url: https://hooks.example.com
assertion: { publish: true, keys: [ { id: "2026-11", file: assert.pem }, { id: "2026-12", file: next.pem } ] }
recorder: { folder: recorded, kinds: [refused, failed, handled] }
routes:
  - name: billing
    path: /hooks/billing
    provider: stripe
    secrets: [ { label: new, from: file:stripe-new }, { label: old, from: file:stripe-old }, { label: over, from: file:stripe-over, not_after: 2026-01-01T00:00:00Z } ]
    upstream: { url: "%s/billing", headers: { X-Token: file:token } }
    forward: { query: true, client_address: true }
    assert: { as: "Authorization: Bearer", algorithm: HS256, secret: file:hs256, audience: n8n }
  - name: secure
    path: /hooks/secure
    provider: stripe
    secret: env:COMMON_SECRET
    upstream: { url: "https://%s/secure", ca: ca.pem, cert: client.crt, key: client.key }
    assert: { key: "2026-12", audience: n8n }
    resign: { standard_webhooks: file:resign }
  - name: untrusted
    path: /hooks/untrusted
    provider: stripe
    secret: env:COMMON_SECRET
    upstream: { url: "https://%s/secure", cert: client.crt, key: client.key }
  - { name: ci, path: "/hooks/ci/{tenant}", provider: github, tenants: { folder: tenants }, upstream: { url: "%s/ci" }, assert: { audience: ci } }
  - { name: shop, path: /hooks/shop, provider: paypal, webhook_id: env:PAYPAL_WEBHOOK_ID, upstream: { url: "%s/shop" } }
  - { name: social, path: /hooks/social, provider: meta, secret: file:meta, verify_token: file:verify, upstream: { url: "%s/social" }, forward: { query: true } }
  - { name: bot, path: /hooks/bot, provider: telegram, secret: file:static, insecure_body_not_covered: true, upstream: { url: "%s/bot" }, forward: { query: true } }
  - { name: mail, path: /hooks/mail, provider: postmark, secret: file:basic, insecure_body_not_covered: true, upstream: { url: "%s/mail" } }
  - { name: lenient, path: /hooks/lenient, provider: stripe, secret: env:COMMON_SECRET, report_only: true, upstream: { url: "%s/lenient", headers: { X-Token: file:token } } }
`, store, at, secure.Addr(), secure.Addr(), at, at, at, at, at, at)
	for _, kind := range failing {
		timeout := "300ms"
		if kind == "hold" {
			timeout = "30s"
		}
		fmt.Fprintf(&text, `  - { name: %s, path: /hooks/%s, provider: stripe, secret: env:COMMON_SECRET, upstream: { url: "%s/%s", timeout: %s, headers: { X-Token: file:token } }, assert: { audience: n8n }, resign: { standard_webhooks: file:resign } }
`, kind, kind, at, kind, timeout)
	}
	fmt.Fprintf(&text, `  - { name: nowhere, path: /hooks/nowhere, provider: stripe, secret: env:COMMON_SECRET, upstream: { url: "http://127.0.0.1:1/", headers: { X-Token: file:token } } }
`)
	good := text.String()
	config := put(t, dir, "hooknotary.yaml", good)
	if err := os.Mkdir(filepath.Join(dir, "recorded"), 0o700); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{
		"COMMON_SECRET": common, "PAYPAL_WEBHOOK_ID": webhookID, "STORE_URL": storeURL,
		"OTLP_URL": "http://user:" + otlpPassword + "@" + collector.Listener.Addr().String(), "OTEL_EXPORTER_OTLP_HEADERS": "x-collector-key=" + otlpKey,
	}
	s := start(t, env, "--config", config, "--watch")
	public, admin := strings.TrimPrefix(s.url, "http://"), strings.TrimPrefix(s.admin, "http://")

	// Each of these requests has a mark wherever a sender may write.
	n := 0
	compose := func(method, path string, h http.Header, body []byte) *http.Request {
		r, err := http.NewRequest(method, "https://hooks.example.com"+path, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if h != nil {
			r.Header = h.Clone()
		}
		r.Header.Set("User-Agent", mark)
		r.Header.Set("Cookie", mark)
		r.Header.Set("X-Forwarded-For", mark)
		r.Header.Set("Tracestate", "x="+mark)
		r.Header.Set("Baggage", "x="+mark)
		r.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
		return r
	}
	ask := func(method, path string, h http.Header, body []byte, want ...int) {
		t.Helper()
		if got := l.exchange(t, public, "the public listener", true, compose(method, path, h, body)); !slices.Contains(want, got) {
			t.Errorf("%s %s: status %d, want %v", method, path, got, want)
		}
	}
	signed := func(provider, secret string) (http.Header, []byte) {
		from, err := sender.Find(provider)
		if err != nil {
			t.Fatal(err)
		}
		n++
		body := fmt.Appendf(nil, `{"id":"evt_%s_%d_%d","ref":"main"}`, mark, n, time.Now().UnixNano())
		if provider == "telegram" {
			return http.Header{"Content-Type": {"application/json"}, "X-Telegram-Bot-Api-Secret-Token": {secret}}, fmt.Appendf(nil, `{"update_id":%d}`, n)
		}
		if provider == "postmark" {
			return http.Header{"Content-Type": {"application/json"}, "Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(secret))}}, body
		}
		h, err := from.Sign(&sender.Draft{At: time.Now(), Event: "push", Body: body, Secret: secret})
		if err != nil {
			t.Fatal(err)
		}
		return h, body
	}
	// attack sends a genuine delivery, and what looks like one.
	attack := func(provider, path, secret string, want ...int) {
		t.Helper()
		h, body := signed(provider, secret)
		ask("POST", path, h, body, want...)
		if provider != "telegram" && provider != "postmark" {
			ask("POST", path, h, body, 200, 401, 409, 502, 503, 504)         // again
			ask("POST", path, h, append(body, ' '), 401, 502, 503, 504, 200) // another body
		}
		for name, values := range h {
			if name == "Content-Type" || name == "User-Agent" {
				continue
			}
			for _, value := range []string{"", mark, values[0] + mark, values[0][:len(values[0])-1], values[0] + "," + values[0]} {
				h, body := h.Clone(), []byte(`{"id":"evt_`+mark+`"}`)
				h.Set(name, value)
				ask("POST", path, h, body, 200, 401, 502, 503, 504)
			}
		}
		plain := h.Clone()
		plain.Set("Content-Type", "text/"+mark)
		ask("POST", path, plain, body, 415, 401, 200, 502, 503, 504, 409)
		ask("GET", path+"?"+mark, nil, nil, 405, 401, 403, 404, 400, 200, 502)
		ask(mark, path, h, body, 405, 200, 502)
		// What is not sent must not be said: the signature of a body that came with another one.
		for _, from := range []string{newer, older, common, acme, globex, metaSecret} {
			other := []byte(fmt.Sprintf(`{"id":"evt_%s_%d"}`, mark, n))
			signer, _ := sender.Find(provider)
			if expected, err := signer.Sign(&sender.Draft{At: time.Now(), Event: "push", Body: other, Secret: from}); err == nil {
				for name, values := range expected {
					if i := strings.LastIndexByte(values[0], '='); i >= 0 && strings.Contains(name, "Signature") {
						l.secret("an expected signature", values[0][i+1:])
					}
				}
				ask("POST", path, h, other, 401, 502, 503, 504, 200)
			}
		}
		forged, body := signed(provider, "whsec_forged-secret-of-the-tests-x")
		ask("POST", path+"?"+mark+"="+mark, forged, body, 401, 200, 502)
	}
	attack("stripe", "/hooks/billing", newer, 200)
	attack("stripe", "/hooks/billing", older, 200)
	attack("stripe", "/hooks/billing", over, 401)
	attack("stripe", "/hooks/secure", common, 200)
	attack("stripe", "/hooks/untrusted", common, 502)
	attack("stripe", "/hooks/lenient", common, 200)
	attack("stripe", "/hooks/nowhere", common, 502)
	for _, kind := range failing[:len(failing)-1] {
		h, body := signed("stripe", common)
		ask("POST", "/hooks/"+kind, h, body, 502, 503, 504, 200)
	}
	attack("github", "/hooks/ci/acme", acme, 200)
	attack("github", "/hooks/ci/globex", globex, 200)
	attack("github", "/hooks/ci/twin-a", twin, 401)
	attack("github", "/hooks/ci/faulty", faulty, 401)
	attack("github", "/hooks/ci/nobody", acme, 401)
	attack("telegram", "/hooks/bot", static, 200)
	attack("postmark", "/hooks/mail", basic, 200)
	attack("meta", "/hooks/social", metaSecret, 200)
	shake := "/hooks/social?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token="
	ask("GET", shake+url.QueryEscape(verifyToken), nil, nil, 200)
	ask("GET", shake+url.QueryEscape(verifyToken)+mark, nil, nil, 401, 403)
	ask("GET", shake+mark, nil, nil, 401, 403)
	h, body := signed("meta", metaSecret)
	ask("POST", shake+url.QueryEscape(verifyToken), h, body, 200)
	h.Set("X-Hub-Signature-256", "sha256="+strings.Repeat("0", 64))
	ask("POST", shake+url.QueryEscape(verifyToken), h, body, 401)
	for _, h := range []http.Header{nil, {
		"Paypal-Transmission-Id": {mark}, "Paypal-Transmission-Time": {time.Now().UTC().Format(time.RFC3339)}, "Paypal-Transmission-Sig": {"AAAA"},
		"Paypal-Cert-Url": {"https://" + mark + ".example/cert.pem"}, "Paypal-Auth-Algo": {"SHA256withRSA"}, "Content-Type": {"application/json"},
	}} {
		ask("POST", "/hooks/shop", h, []byte(`{"id":"WH-1"}`), 401)
	}
	for _, path := range []string{"/", "/" + mark, "/hooks/ci/" + mark, "/hooks/ci/" + acme, "/metrics", "/hooks/billing/", "/hooks/%62illing", "/.well-known/jwks.json", "/debug/pprof/heap"} {
		ask("GET", path, nil, nil, 200, 404, 405)
		ask("POST", path, nil, []byte(mark), 404, 401, 405, 415)
	}
	raw := func(text string) {
		c, err := tls.Dial("tcp", public, &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(patience))
		io.WriteString(c, text)
		io.Copy(io.Discard, tapped{c, l, "the public listener"})
	}
	for _, head := range []string{mark + "\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "POST /hooks/billing HTTP/1.1\r\nHost: a\r\nContent-Length: " + mark + "\r\n\r\n", "GET / HTTP/1.1\r\nHost: " + mark + "\r\n" + mark + ": " + strings.Repeat(mark, 8000) + "\r\n\r\n"} {
		raw(head)
	}
	scrape := func() {
		for _, path := range []string{"/livez", "/readyz", "/metrics", "/.well-known/jwks.json", "/debug/pprof/", "/debug/pprof/heap", "/debug/vars", "/" + mark} {
			l.exchange(t, admin, "the admin listener", false, compose("GET", path, nil, nil))
			l.exchange(t, admin, "the admin listener", false, compose("POST", path, nil, []byte(mark)))
		}
	}
	scrape()

	// Secrets in the wrong places.
	check := func(args ...string) int {
		o := hooknotary(t, setup{env: env, edit: func(p *program) { p.now = time.Now }}, args...)
		l.out("what "+args[0]+" prints", []byte(o.out+o.err))
		return o.code
	}
	check("check", "--config", config)
	check("check", "--config", config, "--json")
	check("check", "--config", config, "--connect")
	check("assert", "jwks", "--config", config)
	bad := []string{
		strings.Replace(good, "from: file:stripe-new", `from: "`+newer+`"`, 1),
		strings.Replace(good, "label: new", "label: "+newer, 1),
		strings.Replace(good, "name: billing", "name: \""+newer+"\"", 1),
		strings.Replace(good, "path: /hooks/billing", "path: \"/"+newer+"\"", 1),
		strings.Replace(good, "provider: github", "provider: "+acme, 1),
		strings.Replace(good, "secret: file:meta", "secret: env:"+metaSecret, 1),
		strings.Replace(good, "secret: file:meta", "secret: file:"+metaSecret, 1),
		strings.Replace(good, "secret: file:meta", "secret: credential:"+metaSecret, 1),
		strings.Replace(good, "secret: file:meta", metaSecret+": file:meta", 1),
		strings.Replace(good, "secret: file:meta", "secret: &"+metaSecret+" file:meta, secret: *"+metaSecret, 1),
		strings.Replace(good, "secret: file:meta", "secret: !"+metaSecret+" file:meta", 1),
		strings.Replace(good, "secret: file:meta", "secret: *"+metaSecret, 1),
		strings.Replace(good, "secret: file:meta", "secret: {"+metaSecret, 1),
		strings.Replace(good, "secret: file:meta", "secret: \""+metaSecret, 1),
		strings.Replace(good, "verify_token: file:verify", "verify_token: "+verifyToken, 1),
		strings.Replace(good, "verify_token: file:verify", "verify_token: file:meta", 1),
		strings.Replace(good, at+"/billing", "http://user:"+token+"@127.0.0.1/billing", 1),
		strings.Replace(good, at+"/billing", at+"/billing?token="+token, 1),
		strings.Replace(good, at+"/billing", at+"/billing/%zz"+token, 1),
		strings.Replace(good, at+"/billing", at+"\\x7f/"+token, 1),
		strings.Replace(good, "X-Token: file:token", "X-Token: "+token, 1),
		strings.Replace(good, "X-Token: file:token", "\""+token+"\": file:token", 1),
		strings.Replace(good, "algorithm: HS256", "algorithm: "+hs256, 1),
		strings.Replace(good, "secret: file:hs256", "secret: "+hs256, 1),
		strings.Replace(good, "secret: file:hs256", "secret: file:static", 1),
		strings.Replace(good, "audience: n8n", "audience: [ "+hs256+" ]", 1),
		strings.Replace(good, "standard_webhooks: file:resign", "standard_webhooks: whsec_"+resignText, 1),
		strings.Replace(good, "standard_webhooks: file:resign", "standard_webhooks: file:static", 1),
		strings.Replace(good, "file: assert.pem", "file: token", 1),
		strings.Replace(good, "key: client.key", "key: token", 1),
		strings.Replace(good, "key: client.key", "key: own.key", 1),
		strings.Replace(good, "ca: ca.pem", "ca: own.key", 1),
		strings.Replace(good, "timeout: 300ms", "timeout: "+token, 1),
		strings.Replace(good, "kinds: [refused", "kinds: ["+token, 1),
		strings.Replace(good, "store: "+store, "store: { redis: \"redis://:"+token+"@127.0.0.1\" }", 1),
		strings.Replace(good, "store: "+store, "store: { sqlite: a, "+token+": b }", 1),
		strings.Replace(good, "otlp: env:OTLP_URL", "otlp: \"http://user:"+otlpPassword+"@127.0.0.1\"", 1),
		strings.Replace(good, "otlp: env:OTLP_URL", "otlp: env:COMMON_SECRET", 1),
		strings.Replace(good, "public_url: https://hooks.example.com", "public_url: https://user:"+token+"@hooks.example.com", 1),
		good + "trusted_proxies: [ \"" + token + "\" ]\n",
		good + token + ": 1\n", token, "- " + token + "\n", "routes: " + token + "\n", good + "\t" + token, good[:200] + token,
	}
	for i, broken := range bad {
		if broken == good {
			t.Errorf("case %d changes nothing", i)
		}
		name := put(t, dir, "broken.yaml", broken)
		if code := check("check", "--config", name); code != exitWrong {
			t.Errorf("case %d is no mistake: exit code %d", i, code)
			continue // it would be served
		}
		check("check", "--config", name, "--json")
		check("serve", "--config", name)
		check("assert", "jwks", "--config", name)
	}
	route := []string{"serve", "--provider", "stripe", "--path", "/hooks/stripe"}
	for _, more := range [][]string{
		{"--secret-env", newer, "--upstream", at}, {"--secret-env", "COMMON_SECRET", "--upstream", "http://user:" + token + "@127.0.0.1:1/"},
		{"--secret-env", "COMMON_SECRET", "--upstream", at, "--store", "redis://:" + token + "@127.0.0.1"},
		{"--secret-env", "COMMON_SECRET", "--upstream", at, "--store-env", "redis://:" + token + "@127.0.0.1"},
		{"--secret-env", "COMMON_SECRET", "--upstream", at, "--store-env", "OTLP_URL"},
	} {
		check(append(slices.Clone(route), more...)...)
	}
	for i, broken := range bad[:8] {
		before := strings.Count(s.Log(), "configuration not loaded")
		put(t, dir, "hooknotary.yaml", broken)
		until(t, fmt.Sprintf("the mistake %d is found", i), func() bool { return strings.Count(s.Log(), "configuration not loaded") > before })
	}
	rotated := "whsec_" + fresh("the secret of a rotation")
	put(t, dir, "stripe-new", rotated)
	before := strings.Count(s.Log(), `"configuration loaded"`)
	put(t, dir, "hooknotary.yaml", good)
	until(t, "it is loaded", func() bool { return strings.Count(s.Log(), `"configuration loaded"`) > before })
	attack("stripe", "/hooks/billing", rotated, 200)
	scrape()

	s.Process.Signal(syscall.SIGTERM)
	if got := s.end(t); got != 0 {
		t.Errorf("exit code %d: %s", got, s.Log())
	}
	l.out("the log", []byte(s.Log()))
	l.out("the standard output", s.out.Bytes())

	// With a request under way, it dumps its goroutines. Then it cannot reach its store.
	s = start(t, env, "--config", config)
	public = strings.TrimPrefix(s.url, "http://")
	h, body = signed("stripe", common)
	r := compose("POST", "/hooks/hold", h, body)
	c, err := tls.Dial("tcp", public, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	go r.Write(c)
	<-plain.holding
	s.Process.Signal(syscall.SIGQUIT)
	if got := s.end(t); got == 0 || !strings.Contains(s.Log(), "goroutine ") {
		t.Errorf("exit code %d, and no dump: %s", got, s.Log())
	}
	l.out("the dump", []byte(s.Log()))
	if storeURL != "" {
		wrong := l.secret("a wrong password", rand.Text(), "the store")
		password := regexp.MustCompile(`(password=)[^ ]+|(redis://:)[^@]+`)
		env["STORE_URL"] = password.ReplaceAllString(storeURL, "${1}${2}"+wrong)
		check("serve", "--config", config)
		check("check", "--config", config, "--connect")
		env["STORE_URL"] = strings.Replace(env["STORE_URL"], "127.0.0.1", "127.0.0.1:x", 1)
		check("serve", "--config", config)
		check("check", "--config", config, "--connect")
	}
	recorded := 0
	filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			t.Fatal(err)
		}
		place := "a file in " + filepath.Base(filepath.Dir(name))
		switch {
		case d.IsDir():
			return nil
		case strings.HasPrefix(d.Name(), "store.db"):
			place = "the store"
		case filepath.Base(filepath.Dir(name)) != "recorded":
			return nil // of the operator
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		recorded++
		l.out(place, text)
		l.out(place, []byte(d.Name()))
		return nil
	})
	for _, place := range []string{"the public listener", "the admin listener", "what assert prints"} {
		for _, id := range []string{"2026-11", "2026-12"} {
			if !bytes.Contains(l.sinks[place].Bytes(), []byte(`"kid":"`+id+`"`)) {
				t.Errorf("the public key %s is not published: %s", id, place)
			}
		}
	}
	if recorded < 10 {
		t.Errorf("%d files were recorded", recorded)
	}
}
