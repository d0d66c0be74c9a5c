package server_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/config"
	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/server"
)

// authority makes certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	life time.Duration // of what it makes
}

func newAuthority(t *testing.T) *authority {
	a := &authority{life: 30 * 24 * time.Hour}
	a.cert, a.key = a.make(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "an authority"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	})
	return a
}

func (a *authority) make(t *testing.T, c *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 100))
	if err != nil {
		t.Fatal(err)
	}
	c.SerialNumber, c.NotBefore, c.NotAfter = serial, time.Now().Add(-time.Hour), time.Now().Add(a.life)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return made, key
}

func (a *authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

// pair makes a certificate for this machine and for names.
func (a *authority) pair(t *testing.T, names ...string) (cert, key []byte) {
	t.Helper()
	c, k := a.make(t, &x509.Certificate{
		DNSNames: append(names, "localhost"), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	})
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func (a *authority) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
}

// client is a certificate of a client.
func (a *authority) client(t *testing.T) tls.Certificate {
	t.Helper()
	cert, err := tls.X509KeyPair(a.pair(t))
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func write(t *testing.T, file string, b []byte) {
	t.Helper()
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// secured are options with a certificate of a, in files.
func secured(t *testing.T, a *authority) server.Options {
	t.Helper()
	dir := t.TempDir()
	o := options()
	o.Listen.TLS = &config.TLS{Cert: filepath.Join(dir, "tls.crt"), Key: filepath.Join(dir, "tls.key")}
	cert, key := a.pair(t)
	write(t, o.Listen.TLS.Cert, cert)
	write(t, o.Listen.TLS.Key, key)
	o.Public = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s, TLS %v", r.Proto, r.TLS != nil && r.TLS.HandshakeComplete)
	})
	return o
}

// shake connects with TLS.
func shake(t *testing.T, s *running, c *tls.Config) *tls.Conn {
	t.Helper()
	conn := tls.Client(dial(t, s), c)
	if err := conn.Handshake(); err != nil {
		t.Fatal(err)
	}
	return conn
}

// over says how a request over c ends; with TLS 1.3, a server refuses a client after the
// client's handshake.
func over(c net.Conn) (string, error) {
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		return "", err
	}
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(r.Body)
	return string(b), err
}

func client(c *tls.Config, http2 bool) *http.Client {
	p := new(http.Protocols)
	p.SetHTTP1(!http2)
	p.SetHTTP2(http2)
	return &http.Client{Transport: &http.Transport{TLSClientConfig: c, Protocols: p}, Timeout: patience}
}

func TestTLS(t *testing.T) {
	ca := newAuthority(t)
	roots := func() *tls.Config { return &tls.Config{RootCAs: ca.pool(), ServerName: "localhost"} }

	t.Run("HTTP/1.1 and HTTP/2 are served", func(t *testing.T) {
		s := start(t, secured(t, ca))
		for http2, want := range map[bool]string{false: "HTTP/1.1, TLS true", true: "HTTP/2.0, TLS true"} {
			c := client(roots(), http2)
			r, err := c.Get("https://" + s.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			b, _ := io.ReadAll(r.Body)
			if r.Body.Close(); string(b) != want {
				t.Errorf("got %q, want %q", b, want)
			}
			c.CloseIdleConnections()
		}
		if got, err := over(shake(t, s, roots())); err != nil || got != "HTTP/1.1, TLS true" { // without ALPN
			t.Errorf("got %q, %v", got, err)
		}
	})
	t.Run("version 1.2 is taken, an older one is not", func(t *testing.T) {
		t.Setenv("GODEBUG", "tls10server=1") // what anybody may set
		s := start(t, secured(t, ca))
		for version, ok := range map[uint16]bool{tls.VersionTLS12: true, tls.VersionTLS11: false} {
			c := roots()
			c.MinVersion, c.MaxVersion = tls.VersionTLS10, version
			if err := tls.Client(dial(t, s), c).Handshake(); (err == nil) != ok {
				t.Errorf("%s: %v", tls.VersionName(version), err)
			}
		}
	})
	t.Run("a certificate that ends soon is warned of", func(t *testing.T) {
		soon := *ca
		soon.life = 24 * time.Hour
		for _, a := range []*authority{ca, &soon} {
			if got := start(t, secured(t, a)).log.String(); strings.Contains(got, "ends soon") != (a == &soon) {
				t.Errorf("the log is %s", got)
			}
		}
	})
	t.Run("HTTP without TLS is told so", func(t *testing.T) {
		s := start(t, secured(t, ca))
		got := say(t, dial(t, s), "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		if !strings.HasPrefix(got, "HTTP/1.1 400 Bad Request\r\n") {
			t.Errorf("got %q", got)
		}
		wantAnonymous(t, got)
	})
	t.Run("heads have the same bounds", func(t *testing.T) {
		s := start(t, secured(t, ca))
		for n, want := range map[int]string{126: "200 OK", 127: "431 Request Header Fields Too Large"} {
			got := say(t, shake(t, s, roots()), "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"+strings.Repeat("X: y\r\n", n)+"\r\n")
			if !strings.HasPrefix(got, "HTTP/1.1 "+want+"\r\n") {
				t.Errorf("%d fields: got %.100q", n+2, got)
			}
		}
		c := client(roots(), true)
		defer c.CloseIdleConnections()
		for n, want := range map[int]int{120: 200, 129: 431} {
			r, _ := http.NewRequest("GET", "https://"+s.Addr().String(), nil)
			for range n {
				r.Header.Add("X", "y")
			}
			if res, err := c.Do(r); err != nil || res.StatusCode != want {
				t.Errorf("HTTP/2, %d fields: %v, %v", n, res, err)
			} else {
				res.Body.Close()
			}
		}
	})
	t.Run("a handshake waits like a head", func(t *testing.T) {
		o := secured(t, ca)
		o.Limits.Connections = 2
		o.TrustedProxies = loopback
		s := start(t, o)
		cs := []net.Conn{dial(t, s), dial(t, s), dial(t, s)}
		closed(t, cs[0])
		o = secured(t, ca)
		o.Limits.ReadHeaderTimeout = 50 * time.Millisecond
		closed(t, dial(t, start(t, o)))
	})
	t.Run("requests of HTTP/2 count as connections", func(t *testing.T) {
		for _, c := range []struct {
			name    string
			trusted []netip.Prefix
			status  int
		}{
			{"a stranger has an eighth", nil, 503},
			{"a trusted proxy is exempt", loopback, 200},
		} {
			t.Run(c.name, func(t *testing.T) {
				h := newHeld()
				o := secured(t, ca)
				o.Limits.Connections = 16 // two of one address
				o.TrustedProxies = c.trusted
				o.Public = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == "/long" {
						h.ServeHTTP(w, r)
					}
				})
				s := start(t, o)
				cl := client(roots(), true)
				defer cl.CloseIdleConnections()
				long := make(chan error)
				go func() {
					r, err := cl.Get("https://" + s.Addr().String() + "/long")
					if err == nil {
						r.Body.Close()
					}
					long <- err
				}()
				<-h.begun
				r, err := cl.Get("https://" + s.Addr().String() + "/")
				if err != nil {
					t.Fatal(err)
				}
				if r.Body.Close(); r.StatusCode != c.status {
					t.Errorf("got %s, want %d", r.Status, c.status)
				}
				close(h.end)
				if err := <-long; err != nil {
					t.Error(err)
				}
				wait(t, "there is room again", func() bool {
					r, err := cl.Get("https://" + s.Addr().String() + "/")
					if err != nil {
						return false
					}
					r.Body.Close()
					return r.StatusCode == 200
				})
			})
		}
	})
	t.Run("a shutdown waits for a handler of HTTP/2 whose sender has gone", func(t *testing.T) {
		h := newHeld()
		o := secured(t, ca)
		o.Public, o.Shutdown.Grace = h, hour
		s := start(t, o)
		conn := make(chan net.Conn, 1)
		p := new(http.Protocols)
		p.SetHTTP2(true)
		tr := &http.Transport{Protocols: p, DialTLSContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conf := roots()
			conf.NextProtos = []string{"h2"}
			c, err := (&tls.Dialer{Config: conf}).DialContext(ctx, network, address)
			conn <- c
			return c, err
		}}
		go tr.RoundTrip(httptest.NewRequest("GET", "https://"+s.Addr().String(), nil))
		r := <-h.begun
		(<-conn).(*tls.Conn).NetConn().Close()
		<-r.Context().Done()
		s.stop()
		refused(t, s)
		select {
		case <-s.done:
			t.Error("Run has returned")
		case <-time.After(100 * time.Millisecond):
		}
		close(h.end)
		<-s.done
	})
	t.Run("while it drains, a connection of HTTP/2 ends, too", func(t *testing.T) {
		o := secured(t, ca)
		o.Shutdown.Drain = 2 * time.Second
		s := start(t, o)
		cl := client(roots(), true)
		get := func() {
			r, err := cl.Get("https://" + s.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			io.Copy(io.Discard, r.Body)
			r.Body.Close()
		}
		get()
		s.stop()
		get()
		<-s.done
	})

	t.Run("a certificate is replaced while connections stand", func(t *testing.T) {
		o := secured(t, ca)
		s := start(t, o)
		serial := func(c *tls.Conn) string { return c.ConnectionState().PeerCertificates[0].SerialNumber.String() }
		before := shake(t, s, roots())
		cert, key := ca.pair(t)
		write(t, o.Listen.TLS.Cert, cert)
		if err := s.ReloadCertificates(); err == nil {
			t.Error("a certificate was taken with another one's key")
		}
		if got := serial(shake(t, s, roots())); got != serial(before) {
			t.Errorf("after an error the certificate is %s", got)
		}
		write(t, o.Listen.TLS.Key, key)
		if err := s.ReloadCertificates(); err != nil {
			t.Fatal(err)
		}
		if got := serial(shake(t, s, roots())); got == serial(before) {
			t.Error("the certificate is still the old one")
		}
		if _, err := over(before); err != nil {
			t.Errorf("the connection from before: %v", err)
		}
	})
	t.Run("swaps under load lose no request", func(t *testing.T) {
		o := secured(t, ca)
		s := start(t, o)
		stop, done := make(chan bool), make(chan int)
		for range 4 {
			go func() {
				n := 0
				for {
					select {
					case <-stop:
						done <- n
						return
					default:
					}
					c := tls.Client(dial(t, s), roots())
					if _, err := over(c); err != nil {
						t.Error(err)
					}
					c.Close()
					n++
				}
			}()
		}
		for range 20 {
			cert, key := ca.pair(t)
			write(t, o.Listen.TLS.Cert, cert)
			write(t, o.Listen.TLS.Key, key)
			if err := s.ReloadCertificates(); err != nil {
				t.Error(err)
			}
			time.Sleep(5 * time.Millisecond)
		}
		close(stop)
		n := 0
		for range 4 {
			n += <-done
		}
		if n == 0 {
			t.Error("there was no request")
		}
	})

	t.Run("client_ca", func(t *testing.T) {
		ours, others := newAuthority(t), newAuthority(t)
		o := secured(t, ca)
		o.Listen.TLS.ClientCA = filepath.Join(t.TempDir(), "ca.pem")
		write(t, o.Listen.TLS.ClientCA, ours.pem())
		s := start(t, o)
		ask := func(c *tls.Config) error {
			conn := tls.Client(dial(t, s), c)
			defer conn.Close()
			_, err := over(conn)
			return err
		}
		with := func(c tls.Certificate) *tls.Config {
			conf := roots()
			// Whatever the server asks for.
			conf.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &c, nil }
			conf.ClientSessionCache = tls.NewLRUClientSessionCache(1)
			return conf
		}
		mine := with(ours.client(t))
		if err := ask(mine); err != nil {
			t.Errorf("a client of the authority: %v", err)
		}
		if ask(roots()) == nil {
			t.Error("a client without a certificate was served")
		}
		if ask(with(others.client(t))) == nil {
			t.Error("a client of another authority was served")
		}
		write(t, o.Listen.TLS.ClientCA, others.pem())
		if err := s.ReloadCertificates(); err != nil {
			t.Fatal(err)
		}
		if ask(mine) == nil {
			t.Error("a client of an authority that is gone was served")
		}
		if err := ask(with(others.client(t))); err != nil {
			t.Errorf("a client of the new authority: %v", err)
		}
		for name, b := range map[string]string{"an empty file": "", "no PEM": "sk_live_4242"} {
			write(t, o.Listen.TLS.ClientCA, []byte(b))
			if err := s.ReloadCertificates(); err == nil || strings.Contains(err.Error(), "4242") {
				t.Errorf("%s: %v", name, err)
			}
			if err := ask(with(others.client(t))); err != nil || ask(roots()) == nil {
				t.Errorf("after %s, a client of the authority: %v", name, err)
			}
		}
	})

	t.Run("mistakes fail the start, without what they are about", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "sk_live")
		for want, l := range map[string]config.Listen{
			"cannot load the certificate and its key": {TLS: &config.TLS{Cert: dir, Key: dir}},
			"belong together":                         {TLS: &config.TLS{Cert: dir}},
			"cannot read client_ca":                   {TLS: &config.TLS{ClientCA: dir}, ACME: &config.ACME{Hosts: []string{"h.example"}, Cache: dir}},
			"not both":                                {TLS: &config.TLS{Cert: dir, Key: dir}, ACME: &config.ACME{Hosts: []string{"h.example"}, Cache: dir}},
			"hosts is empty":                          {ACME: &config.ACME{Cache: dir}},
			"cache is empty":                          {ACME: &config.ACME{Hosts: []string{"h.example"}}},
			"cannot read ca":                          {ACME: &config.ACME{Hosts: []string{"h.example"}, Cache: dir, CA: dir}},
			"set tls.cert and tls.key, or acme":       {TLS: &config.TLS{ClientCA: dir}},
		} {
			o := options()
			l.Address = o.Listen.Address
			o.Listen = l
			s, err := server.New(o)
			if err == nil {
				s.Close()
				t.Errorf("%+v is taken", l)
				continue
			}
			if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "sk_live") {
				t.Errorf("the error is %q, want %q", err, want)
			}
		}
	})
}
