// Package certstore fetches and keeps the certificates under which a sender signs, where a
// request names one by its URL: for senders whose certificates stand on a host of theirs.
//
// Anyone can name a certificate, so what a flood of requests can cause is bounded: one
// fetch a second after a burst, for a request that is chosen at random among those that
// wait. URLs that were good have fetches of their own.
package certstore

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hooknotary/hooknotary/verify"
)

// Config says whose certificates a Store holds.
type Config struct {
	// Provider is the name in lower case, for the file and for errors of Prefetch.
	Provider string

	// IsURL reports whether a URL is one of the sender's certificates. It decides what is
	// fetched, so it takes https, hosts of the sender and no other port.
	IsURL func(url string) bool

	// ErrURL is the cause of an error for a URL that is none.
	ErrURL error

	// InName reports whether a certificate is in the name that the sender signs in.
	InName func(cert *x509.Certificate) bool

	// ErrName is the cause where it is not, and ErrFile where CertFile holds such a one.
	ErrName, ErrFile error

	// IsIssuerHost reports whether a host may be asked for the certificates of issuers,
	// which prove nothing by themselves, and so may come over plain HTTP.
	IsIssuerHost func(host string) bool

	// UnknownRoot makes the cause of a refusal where the sender's own host serves a
	// certificate that leads to no root.
	UnknownRoot func(issuer string, why error) error

	// Client carries the requests. It follows no redirect.
	Client *http.Client

	// BuiltIn holds roots in PEM that are trusted besides those of the system.
	BuiltIn [][]byte

	// Roots, Intermediates and CertFile are the user's.
	Roots, Intermediates []*x509.Certificate
	CertFile             string
}

const (
	maxWait       = 3 * time.Second  // of a delivery, for its certificate
	fetchTimeout  = 3 * time.Second  // for one request
	flightTimeout = 12 * time.Second // for a certificate and its issuers
	maxFile       = 64 << 10         // bytes of a certificate's file
	maxInFile     = 5                // certificates in it
	maxFlights    = 8                // apart from those of known URLs
	maxQueue      = 256              // deliveries that wait for a fetch of an unknown URL
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

	// What a flood of requests can cause is one fetch a second, after a burst of
	// 10. URLs that are known to be good have as much for themselves.
	bucketSize   = 10
	bucketRefill = time.Second
)

var (
	errFlood     = errors.New("too many requests name unknown certificates: this one was not fetched; set Options.CertFile and call Prefetch at start")
	errSlow      = errors.New("the certificate was not there within 3s")
	errTooLong   = errors.New("the certificate's file is too long")
	errNotPEM    = errors.New("the certificate's file is not 1 to 5 certificates in PEM")
	errKey       = errors.New("the certificate's key is not RSA of 2048 to 4096 bits")
	errNotValid  = errors.New("the certificate is not valid at the receive time")
	errChainOver = fmt.Errorf("%w: its issuer or root is over; add the next one to Options.Intermediates or Options.Roots", errNotValid)
	errAbandoned = errors.New("the request ended before the certificate was there")
)

// Store finds the keys of certificates. Its maps are bounded, whatever is asked of it. It
// is safe for concurrent use.
type Store struct {
	config        Config
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
	queue    []*place // of deliveries that name an unknown URL, in no order
	busy     int      // flights of unknown URLs
	armed    bool     // a timer draws from the queue when there is a token

	file  string     // of certificates that were trusted, or ""
	write sync.Mutex // held while the file is written, never within mu
	dirty bool       // the file lacks something
}

// leaf is a certificate whose form is right. It is trusted in its periods.
type leaf struct {
	cert     *x509.Certificate
	key      *rsa.PublicKey
	served   []*x509.Certificate // what came with it
	secure   bool                // it came over TLS whose chain was verified
	fromFile bool
	periods  []period
	chain    []*x509.Certificate // the leaf and its issuers, without the root; empty if it was never trusted
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

// flight is a fetch, on which any number of requests wait.
type flight struct {
	url    string
	at     time.Time // the receive time that it checks for
	places int       // in the queue; none when it is under way
	known  bool
	done   chan struct{}
	leaf   *leaf
	err    error
}

// place is that of one request in the queue.
type place struct {
	f    *flight
	i    int           // its index, -1 when it has left the queue
	lost chan struct{} // closed when another request took the place
}

// bucket is a token bucket.
type bucket struct {
	size   float64
	tokens float64
	last   time.Time
}

func (b *bucket) take(now time.Time) bool {
	if b.last.IsZero() {
		b.tokens = b.size
	} else {
		b.tokens = min(b.size, b.tokens+float64(now.Sub(b.last))/float64(bucketRefill))
	}
	b.last = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// wait returns how long it takes until there is a token. It is called after take
// returned false.
func (b *bucket) wait() time.Duration {
	return time.Duration((1-b.tokens)*float64(bucketRefill)) + time.Microsecond // a margin for the rounding
}

// Format prints the name of the type, whatever the verb. The default would read what
// another goroutine may be writing.
func (*Store) Format(s fmt.State, _ rune) { io.WriteString(s, "certstore.Store") }

// New makes a store, and reads its file if there is one.
func New(config Config) (*Store, error) {
	c := &Store{
		config:   config,
		client:   config.Client,
		leaves:   make(map[string]*leaf),
		known:    make(map[string]bool),
		failures: make(map[string]failure),
		flights:  make(map[string]*flight),
		issuers:  make(map[string]*x509.Certificate),
		open:     bucket{size: bucketSize},
		reserved: bucket{size: bucketSize},
		file:     config.CertFile,
	}
	var err error
	if c.roots, err = x509.SystemCertPool(); err != nil {
		c.roots = x509.NewCertPool() // a machine without roots has ours
	}
	for _, file := range config.BuiltIn {
		if !c.roots.AppendCertsFromPEM(file) {
			return nil, errors.New("a root that is built in does not parse")
		}
	}
	for _, cert := range config.Roots {
		if cert == nil {
			return nil, errors.New("a certificate in Roots is nil")
		}
		c.roots.AddCert(cert)
	}
	for _, cert := range config.Intermediates {
		if cert == nil {
			return nil, errors.New("a certificate in Intermediates is nil")
		}
		c.intermediates = append(c.intermediates, cert)
	}
	if c.file != "" {
		if err := c.load(); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Key returns the key of the certificate at url if it is trusted at that time. It
// takes maxWait at most.
func (c *Store) Key(ctx context.Context, url string, at time.Time) (*rsa.PublicKey, error) {
	var timer *time.Timer
	for range maxJoins {
		key, f, p, err := c.find(url, at)
		if f == nil {
			return key, err
		}
		if timer == nil {
			timer = time.NewTimer(maxWait)
			defer timer.Stop()
		}
		var lost chan struct{}
		if p != nil {
			lost = p.lost
		}
		select {
		case <-f.done:
		case <-lost:
			return nil, refuse(verify.ErrUnavailable, errFlood)
		case <-timer.C:
			if c.leave(p) {
				return nil, refuse(verify.ErrUnavailable, errFlood)
			}
			return nil, refuse(verify.ErrUnavailable, errSlow)
		case <-ctx.Done():
			c.leave(p)
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
// otherwise the flight to wait for, and the place in the queue if it is not under
// way.
func (c *Store) find(url string, at time.Time) (*rsa.PublicKey, *flight, *place, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if l := c.leaves[url]; l != nil {
		if l.trusted(at) {
			return l.key, nil, nil, nil
		}
		if !l.fromFile && (at.Before(l.cert.NotBefore) || at.After(l.cert.NotAfter)) {
			return nil, nil, nil, refuse(verify.ErrUntrusted, errNotValid)
		}
	}
	f, p, err := c.join(url, at)
	return nil, f, p, err
}

// Doubt has the sender's host asked for a certificate that so far only the file says, after
// a signature did not match it: that it is the one of this url, no chain proves. Anyone
// can cause that, as often as any fetch of a known URL, until the host has answered.
func (c *Store) Doubt(url string, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if l := c.leaves[url]; l == nil || !l.fromFile || c.flights[url] != nil || now.Before(c.failures[url].until) || !c.reserved.take(now) {
		return
	}
	c.start(&flight{url: url, at: at, known: true, done: make(chan struct{})})
}

// join returns the flight for url, and the caller's place in the queue if there
// are other URLs to be fetched first. It is called with the lock.
func (c *Store) join(url string, at time.Time) (*flight, *place, error) {
	now := time.Now()
	f := c.flights[url]
	if f != nil && f.places == 0 {
		return f, nil, nil
	}
	if failed, ok := c.failures[url]; ok {
		if now.Before(failed.until) {
			return nil, nil, failed.err
		}
		delete(c.failures, url)
	}
	if f == nil {
		f = &flight{url: url, at: at, done: make(chan struct{})}
		// What a file says proves no more than its chain: without one, the sender's
		// host is asked.
		if l := c.leaves[url]; l != nil && !l.fromFile {
			f.leaf = l
		}
		c.flights[url] = f
	}
	if c.known[url] && c.reserved.take(now) {
		f.known = true
		c.start(f)
		return f, nil, nil
	}
	p := c.enqueue(f)
	if p == nil {
		return nil, nil, refuse(verify.ErrUnavailable, errFlood)
	}
	c.draw(now)
	return f, p, nil
}

// enqueue gives a request a place in the queue. Where that is full, one of all of
// them, chosen at random, has to go; it returns nil if it is this one. Whoever
// floods the queue so loses places as often as anybody else. It is called with the
// lock.
func (c *Store) enqueue(f *flight) *place {
	if len(c.queue) >= maxQueue {
		i := rand.IntN(maxQueue + 1)
		if i == maxQueue {
			if f.places == 0 {
				delete(c.flights, f.url)
			}
			return nil
		}
		p := c.queue[i]
		close(p.lost)
		f.places++ // so that f stays if it is the one that loses a place
		c.dequeue(p)
		f.places--
	}
	p := &place{f, len(c.queue), make(chan struct{})}
	c.queue = append(c.queue, p)
	f.places++
	return p
}

// dequeue takes a place out of the queue, and a flight that nobody waits for any
// more out of the flights. It is called with the lock.
func (c *Store) dequeue(p *place) {
	last := len(c.queue) - 1
	c.queue[p.i] = c.queue[last]
	c.queue[p.i].i = p.i
	c.queue[last] = nil
	c.queue = c.queue[:last]
	p.i = -1
	if p.f.places--; p.f.places == 0 {
		delete(c.flights, p.f.url)
	}
}

// leave gives a place back, and reports whether it was still in the queue.
func (c *Store) leave(p *place) bool {
	if p == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if p.i < 0 {
		return false
	}
	c.dequeue(p)
	return true
}

// draw starts flights as long as there are tokens, each for one of the requests
// that wait, chosen at random: then it does not help a flood to come first, and
// there is no table of counts that it could fill. It is called with the lock.
func (c *Store) draw(now time.Time) {
	for len(c.queue) > 0 && c.busy < maxFlights {
		if !c.open.take(now) {
			if !c.armed {
				c.armed = true
				time.AfterFunc(c.open.wait(), func() {
					c.mu.Lock()
					defer c.mu.Unlock()
					c.armed = false
					c.draw(time.Now())
				})
			}
			return
		}
		c.busy++
		c.start(c.queue[rand.IntN(len(c.queue))].f)
	}
}

// start fetches and checks a certificate. It is called with the lock.
func (c *Store) start(f *flight) {
	for i := len(c.queue) - 1; i >= 0; i-- {
		if c.queue[i].f == f {
			c.dequeue(c.queue[i])
		}
	}
	c.flights[f.url] = f
	// Not under the context of the request that came first: others wait, too.
	go c.fly(f)
}

// fly ends a flight.
func (c *Store) fly(f *flight) {
	ctx, cancel := context.WithTimeout(context.Background(), flightTimeout)
	defer cancel()
	f.leaf, f.err = c.check(ctx, f.leaf, f.url, f.at)
	c.land(f)
	close(f.done)
	c.mu.Lock()
	dirty := c.dirty
	c.mu.Unlock()
	if dirty { // else whatever anyone can cause would wait for a disk that hangs
		c.save() // tried again after the next flight, and by Prefetch
	}
}

// land keeps what a flight brought.
func (c *Store) land(f *flight) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.flights, f.url)
	switch {
	case f.err == nil || errors.Is(f.err, errNotValid):
		// One that is not valid now may be for a delivery that was captured then.
		if c.leaves[f.url] == nil && !c.makeSpace(f.err == nil) {
			break
		}
		c.leaves[f.url] = f.leaf
		if f.err == nil {
			c.dirty = true
			if len(c.known) < maxKnown {
				c.known[f.url] = true
			}
		}
	case errors.Is(f.err, verify.ErrUnavailable):
		c.fail(f.url, f.err, retryNetwork)
	default:
		c.fail(f.url, f.err, retryContent)
	}
	if !f.known {
		c.busy--
		c.draw(time.Now())
	}
}

// makeSpace reports whether there is space for one more certificate, and drops one
// if need be: one that was never trusted, or else the one that expires first. One
// that was trusted never makes way for one that is not. It is called with the
// lock.
func (c *Store) makeSpace(trusted bool) bool {
	if len(c.leaves) < maxLeaves {
		return true
	}
	victim := ""
	for url, l := range c.leaves {
		if len(l.periods) == 0 {
			delete(c.leaves, url)
			return true
		}
		if victim == "" || l.cert.NotAfter.Before(c.leaves[victim].cert.NotAfter) {
			victim = url
		}
	}
	if trusted {
		delete(c.leaves, victim)
		delete(c.known, victim)
	}
	return trusted
}

// check fetches a certificate, unless it is there, and trusts it or not. What it
// parses comes from outside, and a panic here would end the program.
func (c *Store) check(ctx context.Context, l *leaf, url string, at time.Time) (_ *leaf, err error) {
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

// fail remembers a failure. It is called with the lock.
func (c *Store) fail(url string, err error, wait time.Duration) {
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
func (c *Store) fetchLeaf(ctx context.Context, url string) (*leaf, error) {
	file, secure, err := c.get(ctx, url)
	if err != nil {
		return nil, err
	}
	all, ok := parsePEM(file)
	if !ok {
		return nil, refuse(verify.ErrUntrusted, errNotPEM)
	}
	l, err := c.newLeaf(all)
	if err != nil {
		return nil, err
	}
	l.secure = secure
	return l, nil
}

// newLeaf checks form, key and name of a certificate, the first of all.
func (c *Store) newLeaf(all []*x509.Certificate) (*leaf, error) {
	cert := all[0]
	key, ok := cert.PublicKey.(*rsa.PublicKey)
	if !ok || key.N.BitLen() < minKey || key.N.BitLen() > maxKey {
		return nil, refuse(verify.ErrUntrusted, errKey)
	}
	if cert.IsCA || !c.config.InName(cert) {
		return nil, refuse(verify.ErrUntrusted, c.config.ErrName)
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

// trust looks for a chain to a root, valid at that time. A sender may serve the leaf
// alone, so issuers may have to be fetched.
func (c *Store) trust(ctx context.Context, l *leaf, at time.Time) error {
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
	untrusted := func(why error) error {
		if !l.secure {
			return refuse(verify.ErrUntrusted, why)
		}
		return refuse(verify.ErrUntrusted, c.config.UnknownRoot(top.Issuer.CommonName, why))
	}
	// Whoever answers plain HTTP can serve another certificate with the issuer's name and key,
	// which leads nowhere. So what was fetched is kept once it was part of a chain.
	fetched := make(map[string]*x509.Certificate)
	kept := false
	defer func() {
		if !kept {
			c.mu.Lock()
			defer c.mu.Unlock()
			for url := range fetched {
				delete(c.issuers, url)
			}
		}
	}()
	for range 3 {
		chains, err := l.cert.Verify(x509.VerifyOptions{Roots: c.roots, Intermediates: pool, CurrentTime: at})
		if err == nil {
			c.mu.Lock()
			defer c.mu.Unlock()
			l.trust(chains)
			c.keep(fetched)
			kept = true
			return nil
		}
		var unknown x509.UnknownAuthorityError
		if !errors.As(err, &unknown) {
			var invalid x509.CertificateInvalidError
			if errors.As(err, &invalid) && invalid.Reason == x509.Expired {
				return untrusted(errChainOver)
			}
			return refuse(verify.ErrUntrusted, fmt.Errorf("the certificate does not verify: %.200s", err.Error()))
		}
		issuer, err := c.issuer(ctx, top, fetched)
		if err != nil {
			return err
		}
		if issuer == nil {
			break
		}
		pool.AddCert(issuer)
		top = issuer
	}
	return untrusted(fmt.Errorf("the certificate's issuer %.100q is not known: add it to Options.Intermediates, or its root to Options.Roots", top.Issuer.CommonName))
}

// trust notes chains to a root. It is called with the lock, or before anybody else
// knows l.
func (l *leaf) trust(chains [][]*x509.Certificate) {
	for _, chain := range chains {
		l.periods = append(l.periods, periodOf(chain))
	}
	l.chain = chains[0][:len(chains[0])-1]
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
// only close the gap to a root. It is nil if there is none to be had, and is noted in
// fetched under its URL.
func (c *Store) issuer(ctx context.Context, cert *x509.Certificate, fetched map[string]*x509.Certificate) (*x509.Certificate, error) {
	for i, url := range cert.IssuingCertificateURL {
		if i == 3 {
			break
		}
		if !c.isIssuerURL(url) {
			continue
		}
		c.mu.Lock()
		issuer := c.issuers[url]
		c.mu.Unlock()
		if issuer != nil {
			fetched[url] = issuer
			return issuer, nil
		}
		file, _, err := c.get(ctx, url)
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
			continue // also because it came over plain HTTP
		}
		fetched[url] = issuer
		return issuer, nil
	}
	return nil, nil
}

// keep keeps issuers that were part of a chain. It is called with the lock.
func (c *Store) keep(issuers map[string]*x509.Certificate) {
	for url, cert := range issuers {
		if len(c.issuers) >= maxIssuers {
			clear(c.issuers)
		}
		c.issuers[url] = cert
	}
}

// isIssuerURL reports whether url is a file of one of the hosts that serve
// certificates of issuers.
func (c *Store) isIssuerURL(url string) bool {
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
	return c.config.IsIssuerHost(host)
}

// get fetches a small file, and reports whether it came over TLS whose chain was
// verified. Its errors are refusals: ErrUnavailable if the host failed,
// ErrUntrusted if it answered with something else than the file.
func (c *Store) get(ctx context.Context, url string) ([]byte, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, false, refuse(verify.ErrUntrusted, c.config.ErrURL)
	}
	res, err := c.client.Do(req)
	if err != nil {
		return nil, false, refuse(verify.ErrUnavailable, fmt.Errorf("certificate host: %w", err))
	}
	defer res.Body.Close()
	switch {
	case res.StatusCode == http.StatusOK:
	case res.StatusCode >= 500 || res.StatusCode == http.StatusTooManyRequests:
		return nil, false, refuse(verify.ErrUnavailable, fmt.Errorf("certificate host: status %d", res.StatusCode))
	default:
		return nil, false, refuse(verify.ErrUntrusted, fmt.Errorf("certificate host: status %d", res.StatusCode))
	}
	file, err := io.ReadAll(io.LimitReader(res.Body, maxFile+1))
	if err != nil {
		return nil, false, refuse(verify.ErrUnavailable, fmt.Errorf("certificate host: %w", err))
	}
	if len(file) > maxFile {
		return nil, false, refuse(verify.ErrUntrusted, errTooLong)
	}
	return file, res.TLS != nil && len(res.TLS.VerifiedChains) > 0, nil
}

// keepRoom makes a URL known, in place of one that is not in urls if need be.
func (c *Store) keepRoom(url string, urls []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for other := range c.known {
		if len(c.known) < maxKnown || c.known[url] {
			break
		}
		if !slices.Contains(urls, other) {
			delete(c.known, other)
		}
	}
	c.known[url] = true
}

// Prefetch fetches certificates and keeps budget for their URLs.
func (c *Store) Prefetch(ctx context.Context, urls []string) error {
	if len(urls) > bucketSize {
		return fmt.Errorf("%s: %d URLs, want at most %d", c.config.Provider, len(urls), bucketSize)
	}
	var errs []error
	for _, url := range urls {
		if !c.config.IsURL(url) {
			errs = append(errs, fmt.Errorf("%s: %.100q: %w", c.config.Provider, url, c.config.ErrURL))
			continue
		}
		c.keepRoom(url, urls)
		if _, err := c.Key(ctx, url, time.Now()); err != nil {
			errs = append(errs, fmt.Errorf("%s: %s: %w", c.config.Provider, url, err))
		}
	}
	if err := c.save(); err != nil {
		errs = append(errs, fmt.Errorf("%s: %w", c.config.Provider, err))
	}
	return errors.Join(errs...)
}

func alphanumeric(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		if (s[i] < '0' || s[i] > '9') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return s != ""
}

func refuse(r verify.Reason, cause error) error { return &verify.Error{Reason: r, Cause: cause} }

// What follows is for tests.

// Roots returns the roots that the store trusts.
func (c *Store) Roots() *x509.CertPool { return c.roots }

// Unlimited lets the store fetch as many certificates as it is asked for.
func (c *Store) Unlimited() { c.open.size = math.MaxFloat64 }

// HoldFile makes the store wait with its file, as for a disk that hangs, until release.
func (c *Store) HoldFile() (release func()) {
	c.write.Lock()
	return c.write.Unlock
}

// Flying reports whether a certificate is being fetched.
func (c *Store) Flying() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.flights) > 0
}
