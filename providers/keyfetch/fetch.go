package keyfetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/verify"
)

// Causes of refusals. They hold nothing of a request but what checked ids are made of.
var (
	errID        = errors.New("the id of the key has characters or a length that no id has")
	errHeader    = errors.New("the header with the id of the key is missing or repeated")
	errNotInSet  = errors.New("the set of keys holds no key of that id")
	errGone      = errors.New("the key host knows no key of that id")
	errRequest   = errors.New("the key host says that the request for the key is wrong (status 400): either there is no key of that id, or the credentials are not right")
	errNoSet     = errors.New("each key has a document of its own: there is none with all keys")
	errFlood     = errors.New("too many requests name unknown keys, or wait for one: this one was not fetched")
	errSlow      = fmt.Errorf("the key was not there within %v", maxWait)
	errAbandoned = errors.New("the request ended before the key was there")
	errRedirect  = errors.New("key host: it redirects; the URL must be where the keys are")
	errTooLong   = fmt.Errorf("key host: the response is longer than %d bytes", maxBody)
	errType      = errors.New("key host: the response is not JSON")
	errPanicked  = errors.New("key host: the transport or Prepare panicked")
)

// named is a key and its id, "" if it has none.
type named struct {
	id  string
	key verify.Key
}

// document is what the host responded: one key, or all.
type document struct {
	keys    []named
	fetched time.Time
	until   time.Time // when the host is to be asked again
	stale   time.Time // how long it counts if the host fails
}

func (d *document) find(id string) (verify.Key, bool) {
	for _, k := range d.keys {
		if k.id == id {
			return k.key, true
		}
	}
	return verify.Key{}, false
}

type failure struct {
	err   error
	until time.Time
}

// flight is a fetch, on which any number of requests wait.
type flight struct {
	done  chan struct{}
	known bool
	doc   *document
	err   error
}

// bucket is a token bucket.
type bucket struct {
	tokens float64
	last   time.Time
}

func (b *bucket) take(now time.Time) bool {
	if !b.last.IsZero() {
		b.tokens = min(bucketSize, b.tokens+float64(max(now.Sub(b.last), 0))/float64(bucketRefill))
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
		t = &http.Transport{
			TLSHandshakeTimeout:    fetchTimeout,
			IdleConnTimeout:        30 * time.Second,
			MaxIdleConnsPerHost:    1,
			MaxConnsPerHost:        maxFlights + 1,
			MaxResponseHeaderBytes: 16 << 10,
			ForceAttemptHTTP2:      true,
		}
	}
	return &http.Client{
		Transport:     t,
		Timeout:       fetchTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// document returns the document of that name. With newer it asks the host for one that is
// newer than what is known, unless the host was asked within refreshEvery.
func (f *Fetcher) document(ctx context.Context, name string, newer bool) (*document, error) {
	d, fl, err := f.find(name, newer)
	if fl == nil {
		return d, err
	}
	defer f.leave(fl, newer)
	timer := time.NewTimer(maxWait)
	defer timer.Stop()
	select {
	case <-fl.done:
		if fl.err == nil {
			return fl.doc, nil
		}
		return f.without(name, newer, fl.err)
	case <-timer.C:
		err = refuse(verify.ErrUnavailable, errSlow)
	case <-ctx.Done():
		err = refuse(verify.ErrUnavailable, errAbandoned)
	}
	return f.without(name, newer, err)
}

// find returns the document, or the flight to wait for.
func (f *Fetcher) find(name string, newer bool) (*document, *flight, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	d := f.known[name]
	if d != nil && now.Before(d.until) && (!newer || now.Before(d.fetched.Add(refreshEvery))) {
		return d, nil, nil
	}
	if until, ok := f.unknown[name]; ok {
		if now.Before(until) {
			return nil, nil, refuse(verify.ErrNoKey, errGone)
		}
		delete(f.unknown, name)
	}
	if failed, ok := f.failed[name]; ok {
		if now.Before(failed.until) {
			d, err := f.stale(name, newer, failed.err)
			return d, nil, err
		}
		delete(f.failed, name)
	}
	full := f.waiting >= maxWaiting || (newer || d == nil && f.byID) && f.strange >= maxStrangers
	fl := f.flights[name]
	// What is known is fetched also if nobody can wait for it.
	if known := d != nil || !f.byID; fl == nil && (known || !full) {
		fl = &flight{done: make(chan struct{}), known: known}
		if !fl.known {
			if f.busy >= maxFlights || !f.open.take(now) {
				return nil, nil, refuse(verify.ErrUnavailable, errFlood)
			}
			f.busy++
		}
		f.flights[name] = fl
		// Not under the context of the request that came first: others wait, too.
		go f.fly(name, fl)
	}
	if full {
		d, err := f.stale(name, newer, refuse(verify.ErrUnavailable, errFlood))
		return d, nil, err
	}
	f.waiting++
	if newer || !fl.known {
		f.strange++
	}
	return nil, fl, nil
}

// leave ends the wait for a flight.
func (f *Fetcher) leave(fl *flight, newer bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting--
	if newer || !fl.known {
		f.strange--
	}
}

// without returns what counts although the host failed, or err.
func (f *Fetcher) without(name string, newer bool, err error) (*document, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.stale(name, newer, err)
}

// stale is without, and called with the lock. A document that lacks the key is no help,
// however new it is.
func (f *Fetcher) stale(name string, newer bool, err error) (*document, error) {
	if d := f.known[name]; d != nil && !newer && verify.ReasonOf(err) == verify.ErrUnavailable && f.now().Before(d.stale) {
		return d, nil
	}
	return nil, err
}

// fly ends a flight.
func (f *Fetcher) fly(name string, fl *flight) {
	fl.doc, fl.err = f.fetch(name)
	f.land(name, fl)
	close(fl.done)
}

// land keeps what a flight brought.
func (f *Fetcher) land(name string, fl *flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	delete(f.flights, name)
	if !fl.known {
		f.busy--
	}
	switch {
	case fl.err == nil:
		if f.known[name] == nil && len(f.known) >= maxKnown {
			f.evict()
		}
		f.known[name] = fl.doc
	case verify.ReasonOf(fl.err) == verify.ErrNoKey:
		delete(f.known, name)
		makeSpace(f.unknown, maxUnknown, func(until time.Time) bool { return !now.Before(until) })
		f.unknown[name] = now.Add(retryUnknown)
	default:
		makeSpace(f.failed, maxFailures, func(old failure) bool { return !now.Before(old.until) })
		f.failed[name] = failure{fl.err, now.Add(retryFailed)}
	}
}

// evict drops the document that is to be fetched again first. It is called with the lock.
func (f *Fetcher) evict() {
	victim := ""
	for name, d := range f.known {
		if victim == "" || d.until.Before(f.known[victim].until) {
			victim = name
		}
	}
	delete(f.known, victim)
}

// makeSpace drops what is over from a map that is full, or else any one of it.
func makeSpace[T any](m map[string]T, most int, over func(T) bool) {
	if len(m) < most {
		return
	}
	maps.DeleteFunc(m, func(_ string, v T) bool { return over(v) })
	for name := range m {
		if len(m) < most {
			return
		}
		delete(m, name)
	}
}

// fetch asks the host. What it runs and parses is not ours, and a panic here would end the
// program.
func (f *Fetcher) fetch(id string) (_ *document, err error) {
	defer func() {
		if recover() != nil {
			err = refuse(verify.ErrUnavailable, errPanicked)
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
	defer cancel()
	body, header, err := f.get(ctx, id)
	if err != nil {
		return nil, err
	}
	keys, err := f.parse(body, id)
	if err != nil {
		return nil, err
	}
	d := &document{keys: keys, fetched: f.now()}
	d.until = d.fetched.Add(min(lifetimeOf(header), f.options.MaxAge))
	d.stale = d.until.Add(f.options.MaxStale)
	return d, nil
}

// get returns the body of the response. Its errors are refusals: ErrNoKey if the host says
// that it knows no such key, and otherwise ErrUnavailable.
func (f *Fetcher) get(ctx context.Context, id string) ([]byte, http.Header, error) {
	fail := func(err error) ([]byte, http.Header, error) { return nil, nil, refuse(verify.ErrUnavailable, err) }
	to, err := url.Parse(strings.Replace(f.endpoint.URL, idSegment, url.PathEscape(id), 1))
	if err != nil {
		return fail(errors.New("key host: the URL does not parse"))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, to.String(), nil)
	if err != nil {
		return fail(errors.New("key host: the URL does not parse"))
	}
	if f.endpoint.Form == JWK || f.endpoint.Member != "" {
		req.Header.Set("Accept", "application/json")
	}
	if f.endpoint.Prepare != nil {
		if err := f.endpoint.Prepare(req, id); err != nil {
			return fail(fmt.Errorf("key host: Prepare: %w", err))
		}
		req.URL, req.Host = to, ""
	}
	res, err := f.client.Do(req)
	if err != nil {
		var e *url.Error
		if errors.As(err, &e) { // it repeats the URL, in which the operator may have put a token
			err = e.Err
		}
		return fail(fmt.Errorf("key host: %w", err))
	}
	defer res.Body.Close()
	switch {
	case res.StatusCode == http.StatusOK:
	case f.byID && (res.StatusCode == http.StatusNotFound || res.StatusCode == http.StatusGone):
		return nil, nil, refuse(verify.ErrNoKey, errGone)
	case f.byID && res.StatusCode == http.StatusBadRequest:
		return nil, nil, refuse(verify.ErrNoKey, errRequest)
	case res.StatusCode/100 == 3:
		return fail(errRedirect)
	default:
		return fail(fmt.Errorf("key host: status %d", res.StatusCode))
	}
	if f.endpoint.Form == JWK || f.endpoint.Member != "" {
		media, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
		if err != nil || media != "application/json" && !strings.HasSuffix(media, "+json") {
			return fail(errType)
		}
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBody+1))
	if err != nil {
		return fail(fmt.Errorf("key host: %w", err))
	}
	if len(body) > maxBody {
		return fail(errTooLong)
	}
	return body, res.Header, nil
}

// lifetimeOf returns how long a response is fresh, by its Cache-Control.
func lifetimeOf(h http.Header) time.Duration {
	d := lifetime
	for _, directive := range strings.Split(strings.Join(h.Values("Cache-Control"), ","), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		switch strings.ToLower(name) {
		case "no-store", "no-cache":
			return minLifetime
		case "max-age":
			n, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 31)
			if err != nil {
				return minLifetime
			}
			d = time.Duration(n) * time.Second
			if age, err := strconv.ParseUint(h.Get("Age"), 10, 31); err == nil {
				d -= time.Duration(age) * time.Second
			}
		}
	}
	return max(d, minLifetime)
}
