package paypal

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	_ "embed"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/hooknotary/hooknotary/verify"
)

// The roots of the two families under which PayPal's certificates were issued:
// until 2026 and, as PayPal announced, afterwards. Browsers and distributions
// remove the first one, and the old certificates with it.
//
//go:embed roots/digicert-high-assurance-ev-root-ca.pem
var highAssuranceRoot []byte

//go:embed roots/digicert-global-root-g2.pem
var globalRootG2 []byte

const (
	fetchTimeout  = 5 * time.Second  // for one request
	flightTimeout = 12 * time.Second // for a certificate and its issuers
	maxFile       = 64 << 10         // bytes of a certificate's file
	maxInFile     = 5                // certificates in it
	maxFlights    = 8                // apart from those of known URLs
	maxJoins      = 4                // flights that one request waits for
	maxLeaves     = 32
	maxKnown      = 32
	maxFailures   = 256
	maxIssuers    = 16
	minKey        = 2048 // bits
	maxKey        = 4096

	// How long a failure is remembered: one of the network, and one of what came.
	retryNetwork = 5 * time.Second
	retryContent = time.Minute

	// What a flood of requests can cause is one fetch in 3 seconds, after a burst
	// of 10. URLs that are known to be good have as much for themselves.
	bucketSize   = 10
	bucketRefill = 3 * time.Second
)

// issuerHosts may serve the certificates of issuers.
var issuerHosts = [...]string{"cacerts.digicert.com"}

var (
	errFlood     = errors.New("too many requests for certificates: this one was not fetched")
	errTooLong   = errors.New("the certificate's file is too long")
	errNotPEM    = errors.New("the certificate's file is not 1 to 5 certificates in PEM")
	errKey       = errors.New("the certificate's key is not RSA of 2048 to 4096 bits")
	errName      = errors.New("the certificate is not in the name of PayPal's message verification")
	errNotValid  = errors.New("the certificate is not valid at the receive time")
	errAbandoned = errors.New("the request ended before the certificate was there")
)

// certs finds the keys of PayPal's certificates. Its maps are bounded, whatever
// is asked of it.
type certs struct {
	env           *environment
	client        *http.Client
	roots         *x509.CertPool
	intermediates []*x509.Certificate

	mu       sync.Mutex
	leaves   map[string]*leaf
	known    map[string]bool // URLs that were good, or that are preloaded
	failures map[string]failure
	flights  map[string]*flight
	issuers  map[string]*x509.Certificate
	open     bucket
	reserved bucket
}

// leaf is a certificate whose form is right. It is trusted in its periods.
type leaf struct {
	cert    *x509.Certificate
	key     *rsa.PublicKey
	served  []*x509.Certificate // what came with it
	periods []period
}

type period struct{ from, to time.Time }

// trusted reports whether a chain is known that is valid at that time.
func (l *leaf) trusted(at time.Time) bool {
	for _, p := range l.periods {
		if !at.Before(p.from) && !at.After(p.to) {
			return true
		}
	}
	return false
}

type failure struct {
	err   error
	until time.Time
}

// flight is a fetch under way, on which any number of requests wait.
type flight struct {
	at   time.Time // the receive time that it checks for
	done chan struct{}
	leaf *leaf
	err  error
}

// bucket is a token bucket.
type bucket struct {
	tokens float64
	last   time.Time
}

func (b *bucket) take(now time.Time) bool {
	if b.last.IsZero() {
		b.tokens = bucketSize
	} else {
		b.tokens = min(bucketSize, b.tokens+float64(now.Sub(b.last))/float64(bucketRefill))
	}
	b.last = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

func newClient(t http.RoundTripper) *http.Client {
	if t == nil {
		d, ok := http.DefaultTransport.(*http.Transport)
		if !ok {
			d = &http.Transport{Proxy: http.ProxyFromEnvironment}
		}
		d = d.Clone()
		d.MaxResponseHeaderBytes = 16 << 10
		t = d
	}
	return &http.Client{
		Transport:     t,
		Timeout:       fetchTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func newCerts(env *environment, client *http.Client, roots, intermediates []*x509.Certificate) (*certs, error) {
	c := &certs{
		env:      env,
		client:   client,
		leaves:   make(map[string]*leaf),
		known:    make(map[string]bool),
		failures: make(map[string]failure),
		flights:  make(map[string]*flight),
		issuers:  make(map[string]*x509.Certificate),
	}
	var err error
	if c.roots, err = x509.SystemCertPool(); err != nil {
		c.roots = x509.NewCertPool() // a machine without roots has ours
	}
	for _, file := range [...][]byte{highAssuranceRoot, globalRootG2} {
		if !c.roots.AppendCertsFromPEM(file) {
			return nil, errors.New("an embedded root does not parse")
		}
	}
	for _, cert := range roots {
		if cert == nil {
			return nil, errors.New("a certificate in Roots is nil")
		}
		c.roots.AddCert(cert)
	}
	for _, cert := range intermediates {
		if cert == nil {
			return nil, errors.New("a certificate in Intermediates is nil")
		}
		c.intermediates = append(c.intermediates, cert)
	}
	return c, nil
}

// key returns the key of the certificate at url if it is trusted at that time.
func (c *certs) key(ctx context.Context, url string, at time.Time) (*rsa.PublicKey, error) {
	for range maxJoins {
		key, f, err := c.find(url, at)
		if f == nil {
			return key, err
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			return nil, refuse(verify.ErrUnavailable, errAbandoned)
		}
		// What a flight finds out about the time holds for its own receive time
		// alone. Where that is another one, the certificate is there now.
		if f.err != nil && (f.at.Equal(at) || !errors.Is(f.err, errNotValid)) {
			return nil, f.err
		}
	}
	return nil, refuse(verify.ErrUnavailable, errFlood)
}

// find returns the key if the certificate is there and trusted at that time, and
// otherwise the flight to wait for.
func (c *certs) find(url string, at time.Time) (*rsa.PublicKey, *flight, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if l := c.leaves[url]; l != nil {
		if l.trusted(at) {
			return l.key, nil, nil
		}
		if at.Before(l.cert.NotBefore) || at.After(l.cert.NotAfter) {
			return nil, nil, refuse(verify.ErrUntrusted, errNotValid)
		}
	}
	f, err := c.join(url, at)
	return nil, f, err
}

// join returns the flight for url, starting one if there is none. It is called
// with the lock.
func (c *certs) join(url string, at time.Time) (*flight, error) {
	if f := c.flights[url]; f != nil {
		return f, nil
	}
	now := time.Now()
	if f, ok := c.failures[url]; ok {
		if now.Before(f.until) {
			return nil, f.err
		}
		delete(c.failures, url)
	}
	if !(c.known[url] && c.reserved.take(now)) && (len(c.flights) >= maxFlights || !c.open.take(now)) {
		return nil, refuse(verify.ErrUnavailable, errFlood)
	}
	f := &flight{at: at, done: make(chan struct{}), leaf: c.leaves[url]}
	c.flights[url] = f
	// Not under the context of the request that came first: others wait, too.
	go c.fly(f, url)
	return f, nil
}

// fly fetches and checks a certificate.
func (c *certs) fly(f *flight, url string) {
	ctx, cancel := context.WithTimeout(context.Background(), flightTimeout)
	defer cancel()
	defer close(f.done)
	l, err := c.check(ctx, f.leaf, url, f.at)
	f.leaf, f.err = l, err

	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.flights, url)
	switch {
	case err == nil || errors.Is(err, errNotValid):
		// One that is not valid now may be for a delivery that was captured then.
		if c.leaves[url] == nil && len(c.leaves) >= maxLeaves {
			c.evict()
		}
		c.leaves[url] = f.leaf
		if err == nil && len(c.known) < maxKnown {
			c.known[url] = true
		}
	case errors.Is(err, verify.ErrUnavailable):
		c.fail(url, err, retryNetwork)
	default:
		c.fail(url, err, retryContent)
	}
}

// check fetches a certificate, unless it is there, and trusts it or not. What it
// parses comes from outside, and a panic here would end the program.
func (c *certs) check(ctx context.Context, l *leaf, url string, at time.Time) (_ *leaf, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = refuse(verify.ErrUntrusted, errNotPEM)
		}
	}()
	if l == nil {
		if l, err = c.fetchLeaf(ctx, url); err != nil {
			return nil, err
		}
	}
	return l, c.trust(ctx, l, at)
}

// evict drops a certificate, one that was never trusted if there is one.
func (c *certs) evict() {
	victim := ""
	for url, l := range c.leaves {
		if victim == "" || len(l.periods) == 0 {
			victim = url
		}
	}
	delete(c.leaves, victim)
}

// fail remembers a failure. It is called with the lock.
func (c *certs) fail(url string, err error, wait time.Duration) {
	now := time.Now()
	if len(c.failures) >= maxFailures {
		for u, f := range c.failures {
			if len(c.failures) < maxFailures && now.Before(f.until) {
				continue
			}
			delete(c.failures, u)
		}
	}
	c.failures[url] = failure{err, now.Add(wait)}
}

// fetchLeaf fetches a certificate and checks its form, key and name.
func (c *certs) fetchLeaf(ctx context.Context, url string) (*leaf, error) {
	file, err := c.get(ctx, url)
	if err != nil {
		return nil, err
	}
	all, ok := parsePEM(file)
	if !ok {
		return nil, refuse(verify.ErrUntrusted, errNotPEM)
	}
	cert := all[0]
	key, ok := cert.PublicKey.(*rsa.PublicKey)
	if !ok || key.N.BitLen() < minKey || key.N.BitLen() > maxKey {
		return nil, refuse(verify.ErrUntrusted, errKey)
	}
	if cert.Subject.CommonName != c.env.name || len(cert.DNSNames) != 1 || cert.DNSNames[0] != c.env.name || cert.IsCA {
		return nil, refuse(verify.ErrUntrusted, errName)
	}
	return &leaf{cert: cert, key: key, served: all[1:]}, nil
}

// parsePEM parses a file of certificates. What stands in front of a block is
// skipped, as package pem does; what stands behind the last one is not.
func parsePEM(file []byte) ([]*x509.Certificate, bool) {
	var all []*x509.Certificate
	for {
		var block *pem.Block
		block, file = pem.Decode(file)
		if block == nil {
			break
		}
		if block.Type != "CERTIFICATE" || len(all) == maxInFile {
			return nil, false
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, false
		}
		all = append(all, cert)
	}
	return all, len(all) > 0 && strings.TrimSpace(string(file)) == ""
}

// trust looks for a chain to a root, valid at that time. PayPal serves the leaf
// alone, so issuers may have to be fetched.
func (c *certs) trust(ctx context.Context, l *leaf, at time.Time) error {
	if at.Before(l.cert.NotBefore) || at.After(l.cert.NotAfter) {
		return refuse(verify.ErrUntrusted, errNotValid)
	}
	pool := x509.NewCertPool()
	for _, cert := range l.served {
		pool.AddCert(cert)
	}
	for _, cert := range c.intermediates {
		pool.AddCert(cert)
	}
	top := l.cert
	for range 3 {
		chains, err := l.cert.Verify(x509.VerifyOptions{Roots: c.roots, Intermediates: pool, CurrentTime: at})
		if err == nil {
			c.mu.Lock()
			defer c.mu.Unlock()
			for _, chain := range chains {
				l.periods = append(l.periods, periodOf(chain))
			}
			return nil
		}
		var unknown x509.UnknownAuthorityError
		if !errors.As(err, &unknown) {
			var invalid x509.CertificateInvalidError
			if errors.As(err, &invalid) && invalid.Reason == x509.Expired {
				return refuse(verify.ErrUntrusted, errNotValid)
			}
			return refuse(verify.ErrUntrusted, fmt.Errorf("the certificate does not verify: %.200s", err.Error()))
		}
		issuer, err := c.issuer(ctx, top)
		if err != nil {
			return err
		}
		if issuer == nil {
			break
		}
		pool.AddCert(issuer)
		top = issuer
	}
	return refuse(verify.ErrUntrusted, fmt.Errorf("the certificate's issuer %.100q is not known: add it to Options.Intermediates, or its root to Options.Roots", top.Issuer.CommonName))
}

// periodOf returns when all of a chain is valid.
func periodOf(chain []*x509.Certificate) period {
	p := period{chain[0].NotBefore, chain[0].NotAfter}
	for _, cert := range chain[1:] {
		if cert.NotBefore.After(p.from) {
			p.from = cert.NotBefore
		}
		if cert.NotAfter.Before(p.to) {
			p.to = cert.NotAfter
		}
	}
	return p
}

// issuer fetches the issuer that a certificate names. It proves nothing: it may
// only close the gap to a root. It is nil if there is none to be had.
func (c *certs) issuer(ctx context.Context, cert *x509.Certificate) (*x509.Certificate, error) {
	for i, url := range cert.IssuingCertificateURL {
		if i == 3 {
			break
		}
		if !isIssuerURL(url) {
			continue
		}
		c.mu.Lock()
		issuer := c.issuers[url]
		c.mu.Unlock()
		if issuer != nil {
			return issuer, nil
		}
		file, err := c.get(ctx, url)
		if errors.Is(err, verify.ErrUnavailable) {
			return nil, err
		}
		if err != nil {
			continue
		}
		if block, _ := pem.Decode(file); block != nil {
			file = block.Bytes
		}
		issuer, err = x509.ParseCertificate(file)
		if err != nil || cert.CheckSignatureFrom(issuer) != nil {
			continue // also because it came over plain HTTP, and is kept
		}
		c.mu.Lock()
		if len(c.issuers) >= maxIssuers {
			clear(c.issuers)
		}
		c.issuers[url] = issuer
		c.mu.Unlock()
		return issuer, nil
	}
	return nil, nil
}

// isIssuerURL reports whether url is a file of one of the hosts that serve
// certificates of issuers.
func isIssuerURL(url string) bool {
	rest, ok := strings.CutPrefix(url, "http://")
	if !ok {
		rest, ok = strings.CutPrefix(url, "https://")
	}
	host, name, _ := strings.Cut(rest, "/")
	if !ok || len(name) > 128 || name == "" || strings.Contains(name, "..") {
		return false
	}
	for i := range len(name) {
		if !alphanumeric(name[i:i+1]) && !strings.Contains("-_.", name[i:i+1]) {
			return false
		}
	}
	for _, h := range issuerHosts {
		if host == h {
			return true
		}
	}
	return false
}

// get fetches a small file. Its errors are refusals: ErrUnavailable if the host
// failed, ErrUntrusted if it answered with something else than the file.
func (c *certs) get(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, refuse(verify.ErrUntrusted, errCertURL)
	}
	res, err := c.client.Do(req)
	if err != nil {
		return nil, refuse(verify.ErrUnavailable, fmt.Errorf("certificate host: %w", err))
	}
	defer res.Body.Close()
	switch {
	case res.StatusCode == http.StatusOK:
	case res.StatusCode >= 500 || res.StatusCode == http.StatusTooManyRequests:
		return nil, refuse(verify.ErrUnavailable, fmt.Errorf("certificate host: status %d", res.StatusCode))
	default:
		return nil, refuse(verify.ErrUntrusted, fmt.Errorf("certificate host: status %d", res.StatusCode))
	}
	file, err := io.ReadAll(io.LimitReader(res.Body, maxFile+1))
	if err != nil {
		return nil, refuse(verify.ErrUnavailable, fmt.Errorf("certificate host: %w", err))
	}
	if len(file) > maxFile {
		return nil, refuse(verify.ErrUntrusted, errTooLong)
	}
	return file, nil
}

// prefetch fetches certificates and keeps room for their URLs.
func (c *certs) prefetch(ctx context.Context, urls []string) error {
	if len(urls) > bucketSize {
		return fmt.Errorf("paypal: %d URLs, want at most %d", len(urls), bucketSize)
	}
	var errs []error
	for _, url := range urls {
		if !c.env.isCertURL(url) {
			errs = append(errs, fmt.Errorf("paypal: %.100q: %w", url, errCertURL))
			continue
		}
		c.mu.Lock()
		if len(c.known) < maxKnown {
			c.known[url] = true
		}
		c.mu.Unlock()
		if _, err := c.key(ctx, url, time.Now()); err != nil {
			errs = append(errs, fmt.Errorf("paypal: %s: %w", url, err))
		}
	}
	return errors.Join(errs...)
}
