package keyfetch

import (
	"net/http"
	"time"
)

// SetNow gives a fetcher another clock. Call it before the fetcher is used.
func (f *Fetcher) SetNow(now func() time.Time) { f.now = now }

// Sizes returns how much a fetcher remembers: keys, unknown ids and failures.
func (f *Fetcher) Sizes() (known, unknown, failed int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.known), len(f.unknown), len(f.failed)
}

// What the bounds are.
const (
	MaxKnown     = maxKnown
	MaxUnknown   = maxUnknown
	MaxBody      = maxBody
	BucketSize   = bucketSize
	MaxWaiting   = maxWaiting
	MaxStrangers = maxStrangers
)

// Transport returns what carries the requests.
func (f *Fetcher) Transport() http.RoundTripper { return f.client.Transport }

// Waiting returns how many requests wait for a fetch.
func (f *Fetcher) Waiting() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.waiting
}
