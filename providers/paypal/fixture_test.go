package paypal_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// internet is a transport under which every host is this process: a TLS server
// that has certificates for PayPal's hosts, and a plain one. What they answer is
// the test's. Requests go through real sockets and a real TLS handshake.
type internet struct {
	*http.Transport

	mu       sync.Mutex
	requests []string
}

// asked returns the requests so far, "GET https://host/path".
func (i *internet) asked() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.requests)
}

func newInternet(t testing.TB, h http.Handler) *internet {
	t.Helper()
	i := &internet{}
	note := func(scheme string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			i.mu.Lock()
			i.requests = append(i.requests, r.Method+" "+scheme+"://"+r.Host+r.URL.RequestURI())
			i.mu.Unlock()
			h.ServeHTTP(w, r)
		})
	}
	cert, pool := hostCertificate(t)
	secure := httptest.NewUnstartedServer(note("https"))
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	secure.StartTLS()
	plain := httptest.NewServer(note("http"))
	t.Cleanup(func() {
		secure.CloseClientConnections()
		secure.Close()
		plain.CloseClientConnections()
		plain.Close()
	})
	i.Transport = &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool},
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			to := plain.Listener.Addr().String()
			if strings.HasSuffix(addr, ":443") {
				to = secure.Listener.Addr().String()
			}
			var d net.Dialer
			return d.DialContext(ctx, network, to)
		},
	}
	t.Cleanup(i.CloseIdleConnections)
	return i
}

// hostCertificate makes a certificate for the hosts that a verifier may ask.
func hostCertificate(t testing.TB) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "hosts"},
		DNSNames: []string{
			"api.paypal.com", "api-m.paypal.com", "api.sandbox.paypal.com", "api-m.sandbox.paypal.com", "cacerts.digicert.com",
		},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// slow reports whether the race detector runs, under which the longest tests do
// less.
func slow() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// hosts is what all hosts respond with, by URL without its scheme, or by host. It
// responds with 404 for what it does not know.
type hosts struct {
	mu    sync.Mutex
	paths map[string]http.HandlerFunc
}

func newHosts() *hosts { return &hosts{paths: make(map[string]http.HandlerFunc)} }

func (h *hosts) handle(url string, f http.HandlerFunc) {
	_, path, _ := strings.Cut(url, "://")
	h.mu.Lock()
	defer h.mu.Unlock()
	h.paths[path] = f
}

func (h *hosts) file(url string, content []byte) {
	h.handle(url, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-pem-file")
		w.Write(content)
	})
}

func (h *hosts) status(url string, status int) {
	h.handle(url, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
}

func (h *hosts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	f := h.paths[r.Host+r.URL.Path]
	if f == nil {
		f = h.paths[r.Host]
	}
	h.mu.Unlock()
	if f == nil {
		f = http.NotFound
	}
	f(w, r)
}

// memory is a transport without sockets, which do not work in a bubble of
// testing/synctest. The response's head leaves with the first Write, its body as it
// is written.
type memory struct {
	handler http.Handler

	mu       sync.Mutex
	requests []string
}

// asked returns the requests so far, "GET https://host/path".
func (m *memory) asked() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.requests)
}

func (m *memory) RoundTrip(r *http.Request) (*http.Response, error) {
	m.mu.Lock()
	m.requests = append(m.requests, r.Method+" "+r.URL.String())
	m.mu.Unlock()
	server := r.Clone(r.Context())
	server.Host = r.URL.Host
	if server.Body == nil {
		server.Body = http.NoBody
	}
	reader, writer := io.Pipe()
	w := &memoryWriter{header: make(http.Header), body: writer, started: make(chan struct{})}
	stop := context.AfterFunc(r.Context(), func() { writer.CloseWithError(r.Context().Err()) })
	go func() {
		defer stop()
		m.handler.ServeHTTP(w, server)
		w.start(http.StatusOK)
		writer.CloseWithError(r.Context().Err()) // without one, this is the end
	}()
	select {
	case <-w.started:
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	return &http.Response{
		StatusCode: w.status, ProtoMajor: 1, ProtoMinor: 1, Header: w.sent, Body: reader, ContentLength: -1, Request: r,
	}, nil
}

type memoryWriter struct {
	header  http.Header // the handler's
	sent    http.Header
	status  int
	body    *io.PipeWriter
	once    sync.Once
	started chan struct{}
}

func (w *memoryWriter) start(status int) {
	w.once.Do(func() {
		w.status, w.sent = status, w.header.Clone()
		close(w.started)
	})
}

func (w *memoryWriter) Header() http.Header         { return w.header }
func (w *memoryWriter) WriteHeader(status int)      { w.start(status) }
func (w *memoryWriter) Write(b []byte) (int, error) { w.start(http.StatusOK); return w.body.Write(b) }
