package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/acme"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/config"
)

// endsSoon is when a certificate of files is worth a warning.
const endsSoon = 7 * 24 * time.Hour

// certificates chooses what a handshake is done with.
type certificates struct {
	files   config.TLS
	acme    *acmeCertificates          // nil: the certificate is a pair of files
	current atomic.Pointer[tls.Config] // of an ordinary handshake
	log     *slog.Logger
}

func newCertificates(l config.Listen, log *slog.Logger) (*certificates, error) {
	c := &certificates{log: log}
	if l.TLS != nil {
		c.files = *l.TLS
	}
	if l.ACME != nil {
		var err error
		if c.acme, err = newACME(l.ACME, log); err != nil {
			return nil, err
		}
	}
	if (c.files.Cert == "") != (c.files.Key == "") {
		return nil, errors.New("listen.tls: a certificate and its key belong together; set cert and key, or none")
	}
	if (c.files.Cert == "") == (c.acme == nil) {
		return nil, errors.New("listen: set tls.cert and tls.key, or acme, not both")
	}
	return c, c.load()
}

// load reads the files. After an error, what was loaded before stays.
func (c *certificates) load() error {
	conf := &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2", "http/1.1"},
	}
	if c.acme != nil {
		conf.GetCertificate = c.acme.certificate
	} else {
		pair, err := tls.LoadX509KeyPair(c.files.Cert, c.files.Key)
		if err != nil {
			return fileError("listen.tls: cannot load the certificate and its key", err)
		}
		conf.Certificates = []tls.Certificate{pair}
		if end := pair.Leaf.NotAfter; time.Until(end) < endsSoon {
			c.log.Warn("the certificate of the public listener ends soon", "not_after", end)
		}
	}
	if c.files.ClientCA != "" {
		pem, err := os.ReadFile(c.files.ClientCA)
		if err != nil {
			return fileError("listen.tls: cannot read client_ca", err)
		}
		conf.ClientCAs = x509.NewCertPool()
		if !conf.ClientCAs.AppendCertsFromPEM(pem) {
			return errors.New("listen.tls: client_ca holds no certificate in PEM")
		}
		conf.ClientAuth = tls.RequireAndVerifyClientCert
		// A session that is resumed was checked against the authorities of its day.
		conf.SessionTicketsDisabled = true
	}
	c.current.Store(conf)
	return nil
}

// fileError leaves the file's name out: it stands in the configuration, and it may be a secret
// in the wrong place.
func fileError(what string, err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return errors.New(what + ": " + err.Error())
}

// config is the GetConfigForClient of the listener.
func (c *certificates) config(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	if c.acme != nil && slices.Equal(hello.SupportedProtos, []string{acme.ALPNProto}) {
		return c.acme.challenge, nil
	}
	return c.current.Load(), nil
}

// tlsListener does the handshakes before it returns connections, so that the heads of HTTP/1
// over TLS are read within their bounds, too. A handshake counts as waiting for a head.
type tlsListener struct {
	*listener
	config  *tls.Config
	timeout time.Duration
	log     *slog.Logger
	limiter *limiter
	shaken  chan accepted
}

type accepted struct {
	conn net.Conn
	err  error
}

func newTLSListener(l *listener, c *certificates, timeout time.Duration, log *slog.Logger) *tlsListener {
	t := &tlsListener{
		listener: l,
		config:   &tls.Config{MinVersion: tls.VersionTLS12, GetConfigForClient: c.config},
		timeout:  timeout,
		log:      log,
		limiter:  new(limiter),
		shaken:   make(chan accepted),
	}
	go t.acceptAll()
	return t
}

func (t *tlsListener) acceptAll() {
	for {
		c, err := t.accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			t.hand(accepted{err: err})
		default:
			go t.handshake(c)
		}
	}
}

// hand gives a to Accept, and reports whether somebody took it.
func (t *tlsListener) hand(a accepted) bool {
	select {
	case t.shaken <- a:
		return true
	case <-t.done:
		return false
	}
}

const notTLS = "HTTP/1.1 400 Bad Request\r\n" +
	"Content-Type: text/plain; charset=utf-8\r\n" +
	"Connection: close\r\n" +
	"\r\n" +
	"400 Bad Request: this port speaks TLS"

// maxHandshake bounds what a client sends in a handshake, with its certificates. crypto/tls would
// hold 64 KiB of a first message, and more of certificates.
const maxHandshake = 32 << 10

var errHandshake = errors.New("the handshake is too large")

func (t *tlsListener) handshake(c *conn) {
	c.left = maxHandshake
	s := tls.Server(c, t.config)
	ctx, cancel := context.WithTimeout(context.Background(), t.timeout)
	defer cancel()
	if err := s.HandshakeContext(ctx); err != nil {
		if re, ok := errors.AsType[tls.RecordHeaderError](err); ok && re.Conn != nil && isHTTP(re.RecordHeader) {
			c.Write([]byte(notTLS))
		}
		c.Close()
		if left, ok := t.limiter.allow(time.Now()); ok && ctx.Err() == nil {
			t.log.Warn("TLS handshake failed", "address", c.addr, "error", truncate(err.Error()), "not_logged", left)
		}
		return
	}
	c.left = 0
	state := s.ConnectionState()
	var shaken net.Conn
	switch state.NegotiatedProtocol {
	case "h2":
		shaken = s
	case "http/1.1", "":
		shaken = &tlsConn{headConn: newHeadConn(s, c), state: state}
	default: // a challenge of ACME, for which no client certificate was asked: it ends here
		s.Close()
		return
	}
	if !t.hand(accepted{conn: shaken}) {
		c.Close()
	}
}

func isHTTP(b [5]byte) bool {
	switch string(b[:]) {
	case "GET /", "HEAD ", "POST ", "PUT /", "OPTIO":
		return true
	}
	return false
}

// Accept returns the next connection whose handshake is done.
func (t *tlsListener) Accept() (net.Conn, error) {
	select {
	case a := <-t.shaken:
		return a.conn, a.err
	case <-t.done:
		return nil, net.ErrClosed
	}
}
