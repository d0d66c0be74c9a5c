package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/config"
)

const (
	acmeLook     = time.Hour        // how often a renewed certificate is looked for
	acmeRetry    = time.Minute      // after a first failure; it doubles up to acmeLook
	acmeExchange = 30 * time.Second // one request to the authority
)

// acmeCertificates holds a certificate for each host, got and renewed in the background. A
// handshake orders nothing: otherwise strangers could spend what the authority allows us.
type acmeCertificates struct {
	manager   *autocert.Manager
	hosts     map[string]*atomic.Pointer[tls.Certificate]
	challenge *tls.Config
	log       *slog.Logger
}

func newACME(o *config.ACME, log *slog.Logger) (*acmeCertificates, error) {
	switch {
	case len(o.Hosts) == 0:
		return nil, errors.New("listen.acme: hosts is empty; name the hosts that want a certificate")
	case o.Cache == "":
		return nil, errors.New("listen.acme: cache is empty; without a folder each start orders new certificates")
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if o.CA != "" {
		pem, err := os.ReadFile(o.CA)
		if err != nil {
			return nil, fileError("listen.acme: cannot read ca", err)
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(pem) {
			return nil, errors.New("listen.acme: ca holds no certificate in PEM")
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	directory := o.Directory
	if directory == "" {
		directory = autocert.DefaultACMEDirectory
	}
	a := &acmeCertificates{
		manager: &autocert.Manager{
			Prompt:     autocert.AcceptTOS,
			Cache:      autocert.DirCache(o.Cache),
			HostPolicy: autocert.HostWhitelist(o.Hosts...),
			Email:      o.Email,
			Client: &acme.Client{
				DirectoryURL: directory,
				HTTPClient:   &http.Client{Transport: transport, Timeout: acmeExchange},
			},
		},
		hosts: make(map[string]*atomic.Pointer[tls.Certificate]),
		log:   log,
	}
	for _, h := range o.Hosts {
		a.hosts[strings.ToLower(h)] = new(atomic.Pointer[tls.Certificate])
	}
	// Its handshake asks for no client certificate, and nothing is served after it.
	a.challenge = &tls.Config{
		MinVersion:             tls.VersionTLS12,
		NextProtos:             []string{acme.ALPNProto},
		GetCertificate:         a.token,
		SessionTicketsDisabled: true,
	}
	return a, nil
}

func (a *acmeCertificates) host(hello *tls.ClientHelloInfo) *atomic.Pointer[tls.Certificate] {
	return a.hosts[strings.ToLower(hello.ServerName)]
}

// token returns what proves to the authority that the host is ours.
func (a *acmeCertificates) token(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if a.host(hello) == nil {
		return nil, errors.New("acme: a host that is not configured")
	}
	return a.manager.GetCertificate(hello)
}

func (a *acmeCertificates) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	host := a.host(hello)
	if host == nil {
		return nil, errors.New("acme: a host that is not configured")
	}
	c := host.Load()
	if c == nil {
		return nil, errors.New("acme: there is no certificate yet")
	}
	return c, nil
}

// run gets the certificates until ctx ends. The listener must accept meanwhile.
func (a *acmeCertificates) run(ctx context.Context) {
	for name, current := range a.hosts {
		go a.keep(ctx, name, current)
	}
}

// keep holds the certificate of one host: it gets it, and then looks for a renewed one.
func (a *acmeCertificates) keep(ctx context.Context, name string, current *atomic.Pointer[tls.Certificate]) {
	hello := &tls.ClientHelloInfo{
		ServerName:   name,
		CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}, // so the key is an ECDSA one
	}
	retry := acmeRetry
	for ctx.Err() == nil {
		next := acmeLook
		c, err := a.manager.GetCertificate(hello)
		if err != nil {
			a.log.Error("no certificate from the authority; it is tried again", "host", name, "error", truncate(err.Error()), "in", retry)
			next, retry = retry, min(2*retry, acmeLook)
		} else {
			if old := current.Swap(c); old == nil || !old.Leaf.Equal(c.Leaf) {
				a.log.Info("certificate", "host", name, "not_after", c.Leaf.NotAfter)
			}
			retry = acmeRetry
		}
		select {
		case <-ctx.Done():
		case <-time.After(next):
		}
	}
}
