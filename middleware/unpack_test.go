package middleware_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

const packedLimit = 256 << 10

// packing makes it an endpoint of a provider that compresses: over which bytes it signs,
// compression says.
func packing(compression verify.Compression) func(*site) {
	return func(s *site) {
		v, err := scheme.New(scheme.Definition{
			Provider:    "packer",
			Signatures:  []scheme.Signature{{Header: "X-Signature"}},
			Message:     []scheme.Part{scheme.Body()},
			ID:          scheme.ID{Member: "id"},
			MaxBody:     packedLimit,
			Retry:       verify.RetryIdentical,
			Compression: compression,
		}, verify.Secrets(githubSecret), nil)
		if err != nil {
			s.t.Fatal(err)
		}
		s.verifier = v
		s.request = packedRequest(compression, eventBody("evt_1"), pack(eventBody("evt_1")))
	}
}

func pack(text []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	w.Write(text)
	w.Close()
	return b.Bytes()
}

// packedRequest returns a request with body, which is what event was packed into.
func packedRequest(compression verify.Compression, event, body []byte) *http.Request {
	signed := event
	if compression == verify.GzipSigned {
		signed = body
	}
	m := hmac.New(sha256.New, []byte(githubSecret))
	m.Write(signed)
	r, err := http.NewRequest(http.MethodPost, hookURL, bytes.NewReader(body))
	if err != nil {
		panic(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Content-Encoding", "gzip")
	r.Header.Set("X-Signature", hex.EncodeToString(m.Sum(nil)))
	return r
}

// nothingRepeats returns n bytes of JSON that gzip makes little smaller.
func nothingRepeats(n int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"id":"evt_1","pad":"`)
	sum := sha256.Sum256(nil)
	for b.Len() < n {
		sum = sha256.Sum256(sum[:])
		b.WriteString(hex.EncodeToString(sum[:]))
	}
	return append(b.Bytes()[:n-2], `"}`...)
}

// noise returns n bytes that gzip makes larger.
func noise(n int) []byte {
	b := make([]byte, 0, n+sha256.Size)
	for sum := sha256.Sum256(nil); len(b) < n; sum = sha256.Sum256(sum[:]) {
		b = append(b, sum[:]...)
	}
	return b[:n]
}

func TestUnpack(t *testing.T) {
	t.Run("the handler reads what was signed", func(t *testing.T) {
		for _, c := range []struct {
			name        string
			compression verify.Compression
			event       []byte
			chunked     bool
			plain       bool // it comes without compression
			encoding    string
		}{
			{"what was unpacked", verify.GzipUnpacked, eventBody("evt_1"), false, false, ""},
			{"what was unpacked of chunks", verify.GzipUnpacked, eventBody("evt_1"), true, false, ""},
			{"as much as may be", verify.GzipUnpacked, nothingRepeats(packedLimit), false, false, ""},
			{"what comes to much more", verify.GzipUnpacked, append(nothingRepeats(6<<10), bytes.Repeat([]byte(" "), packedLimit-6<<10)...), false, false, ""},
			{"what is not compressed", verify.GzipUnpacked, eventBody("evt_1"), false, true, ""},
			{"what came", verify.GzipSigned, eventBody("evt_1"), false, false, "gzip"},
			{"what came in chunks", verify.GzipSigned, eventBody("evt_1"), true, false, "gzip"},
			{"what came, and is not compressed", verify.GzipSigned, eventBody("evt_1"), false, true, ""},
		} {
			t.Run(c.name, func(t *testing.T) {
				s := newSite(t, packing(c.compression), observed)
				sent := pack(c.event)
				if c.plain {
					sent = c.event
				}
				r := packedRequest(c.compression, c.event, sent)
				if c.plain {
					r.Header.Del("Content-Encoding")
				}
				if c.chunked {
					r.ContentLength = -1
				}
				want := c.event
				if c.compression == verify.GzipSigned {
					want = sent
				}
				s.handle = func(w http.ResponseWriter, r *http.Request) {
					got, err := io.ReadAll(r.Body)
					if err != nil || !bytes.Equal(got, want) || r.ContentLength != int64(len(want)) {
						t.Errorf("the handler reads %d bytes, %v, of a length of %d, want %d", len(got), err, r.ContentLength, len(want))
					}
					if e := r.Header.Get("Content-Encoding"); e != c.encoding {
						t.Errorf("the Content-Encoding is %q, want %q", e, c.encoding)
					}
					if d, ok := verify.FromContext(r.Context()); !ok || !bytes.Equal(d.Body, want) || d.ID != "evt_1" {
						t.Errorf("delivery %v", d)
					}
				}
				if w := s.serve(r); w.Code != 200 {
					t.Errorf("status %d", w.Code)
				}
				wantRuns(t, s, 1)
				if e := s.event(); e.Outcome != middleware.Handled || e.BodyBytes != len(sent) {
					t.Errorf("report %+v, want %d bytes", e, len(sent))
				}
				if c.encoding == "" && !c.plain && r.Header.Get("Content-Encoding") != "gzip" {
					t.Error("the header outside has changed")
				}
			})
		}
	})

	event, packed := eventBody("evt_1"), pack(eventBody("evt_1"))
	var deflated bytes.Buffer
	w, _ := flate.NewWriter(&deflated, flate.BestCompression)
	w.Write(event)
	w.Close()
	rejections := []struct {
		name   string
		event  []byte
		body   []byte
		change func(*http.Request)
		reason verify.Reason
		status int
	}{
		{"a bomb by its ratio", make([]byte, packedLimit), nil, nil, verify.ErrTooLarge, 413},
		{"a bomb by its size", append(nothingRepeats(packedLimit), ' '), nil, nil, verify.ErrTooLarge, 413},
		{"a large bomb", make([]byte, 64<<20), nil, nil, verify.ErrTooLarge, 413},
		{"what is too large as it is sent", noise(packedLimit), nil, func(r *http.Request) { r.ContentLength = -1 }, verify.ErrTooLarge, 413},
		{"what is announced too large", noise(packedLimit), nil, nil, verify.ErrTooLarge, 413},
		{"two members", append(bytes.Clone(event), event...), append(bytes.Clone(packed), packed...), nil, verify.ErrBody, 400},
		{"a byte behind it", event, append(bytes.Clone(packed), 0), nil, verify.ErrBody, 400},
		{"what is cut off", event, packed[:len(packed)-1], nil, verify.ErrBody, 400},
		{"what is not all there", event, packed, func(r *http.Request) { r.ContentLength++ }, verify.ErrBody, 400},
		{"nothing", nil, []byte{}, nil, verify.ErrBody, 400},
		{"what is not compressed", event, event, nil, verify.ErrBody, 400},
		{"much that is not compressed", nil, noise(100 << 10), nil, verify.ErrBody, 400},
		{"deflate in its place", event, deflated.Bytes(), nil, verify.ErrBody, 400},
		{"deflate", event, deflated.Bytes(), func(r *http.Request) { r.Header.Set("Content-Encoding", "deflate") }, verify.ErrMediaType, 415},
		{"br", event, packed, func(r *http.Request) { r.Header.Set("Content-Encoding", "br") }, verify.ErrMediaType, 415},
		{"two encodings", event, pack(packed), func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip, gzip") }, verify.ErrMediaType, 415},
		{"two layers", event, pack(packed), nil, verify.ErrMismatch, 401},
		{"another event", []byte(`{"id":"evt_2"}`), packed, nil, verify.ErrMismatch, 401},
		{"what is signed as it was sent", packed, packed, nil, verify.ErrMismatch, 401},
	}
	t.Run("what is not one layer of gzip within the bounds is refused", func(t *testing.T) {
		for _, c := range rejections {
			t.Run(c.name, func(t *testing.T) {
				body := c.body
				if body == nil {
					body = pack(c.event)
				}
				r := packedRequest(verify.GzipUnpacked, c.event, body)
				if c.change != nil {
					c.change(r)
				}
				s := newSite(t, packing(verify.GzipUnpacked), observed)
				w := s.serve(r)
				want(t, w, c.status)
				wantRuns(t, s, 0)
				if n := s.store.calls(); n != 0 {
					t.Errorf("%d calls of the store", n)
				}
				if e := s.event(); e.Outcome != middleware.Refused || e.Reason != c.reason || e.Err == nil {
					t.Errorf("report %+v", e)
				}
			})
		}
	})

	t.Run("a guard that only reports gives everything back as it was sent", func(t *testing.T) {
		for _, c := range rejections {
			t.Run(c.name, func(t *testing.T) {
				body := c.body
				if body == nil {
					body = pack(c.event)
				}
				request := func() *http.Request {
					r := packedRequest(verify.GzipUnpacked, c.event, body)
					if c.change != nil {
						c.change(r)
					}
					return r
				}
				s := newSite(t, packing(verify.GzipUnpacked), observed, reportOnly)
				plain := read(request())
				s.handle = func(_ http.ResponseWriter, r *http.Request) {
					if got := read(r); got.body != plain.body || got.err != plain.err || r.Header.Get("Content-Encoding") == "" {
						t.Errorf("the handler got %d bytes, %v, want %d, %v", len(got.body), got.err, len(plain.body), plain.err)
					}
				}
				want(t, s.serve(request()), 200)
				wantRuns(t, s, 1)
				if e := s.event(); e.Reason != c.reason || !e.ReportOnly {
					t.Errorf("report %+v", e)
				}
			})
		}
		t.Run("a genuine one is unpacked", func(t *testing.T) {
			s := newSite(t, packing(verify.GzipUnpacked), reportOnly)
			s.handle = func(_ http.ResponseWriter, r *http.Request) {
				if got := read(r); got.body != string(event) || r.Header.Get("Content-Encoding") != "" {
					t.Errorf("the handler got %q", got.body)
				}
			}
			want(t, s.serve(s.request), 200)
			wantRuns(t, s, 1)
		})
	})

	t.Run("a body that stalls is cut off", func(t *testing.T) {
		for _, sent := range []int{0, 5, len(packed) - 1} {
			s := newSite(t, packing(verify.GzipUnpacked))
			setBody(s.request, broken{bytes.NewReader(packed[:sent]), os.ErrDeadlineExceeded})
			want(t, s.serve(s.request), 408)
		}
	})

	t.Run("nothing is unpacked before 4 KiB or all of it came", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t, packing(verify.GzipUnpacked), onRealClock)
			body := pack(nothingRepeats(packedLimit))
			var all []*io.PipeWriter
			var group sync.WaitGroup
			runtime.GC()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for range 200 {
				r := packedRequest(verify.GzipUnpacked, nothingRepeats(packedLimit), body)
				reader, writer := io.Pipe()
				setBody(r, reader)
				all = append(all, writer)
				group.Go(func() { s.serve(r) })
				writer.Write(body[:100])
			}
			synctest.Wait()
			runtime.GC()
			runtime.ReadMemStats(&after)
			if each := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) / 200; each > 24<<10 {
				t.Errorf("each request that has sent 100 bytes takes %d bytes, want at most 24 KiB: less than a decompressor", each)
			}
			for _, w := range all {
				w.Close()
			}
			group.Wait()
			wantRuns(t, s, 0)
		})
	})

	t.Run("what is unpacked is charged", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			// Two bodies fit into the half for small ones, and a third one waits in vain.
			s := newSite(t, packing(verify.GzipUnpacked), onRealClock, func(s *site) { s.opts.BodyBudget = 2 * packedLimit })
			release := make(chan struct{})
			s.handle = func(http.ResponseWriter, *http.Request) { <-release }
			event := nothingRepeats(packedLimit - 1)
			body := pack(event)
			statuses := make(chan int, 3)
			for i := range 3 {
				own := bytes.Replace(event, []byte("evt_1"), []byte{'e', 'v', 't', '_', byte('2' + i)}, 1)
				go func() {
					statuses <- s.serve(packedRequest(verify.GzipUnpacked, own, pack(own))).Code
				}()
			}
			time.Sleep(5 * time.Second)
			synctest.Wait()
			refused := len(statuses)
			close(release)
			synctest.Wait()
			counts := make(map[int]int)
			for range 3 {
				counts[<-statuses]++
			}
			if refused == 0 || counts[503] != refused || counts[200] != 3-refused || counts[200] == 0 {
				t.Errorf("%d were refused while the others ran, statuses %v (%d bytes each, %d packed)", refused, counts, len(event), len(body))
			}
			// What was charged is given back.
			if code := s.serve(packedRequest(verify.GzipUnpacked, event, body)).Code; code != 200 {
				t.Errorf("status %d afterwards", code)
			}
		})
	})
}

func TestUnpackCharge(t *testing.T) {
	for _, tt := range []struct {
		name   string
		packed bool
		least  int // how many of 100 requests are refused
		most   int
	}{
		{"small bodies are charged little", false, 0, 0},
		{"small bodies that are unpacked are charged for the decompressor", true, 40, 80},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, packing(verify.GzipUnpacked), onRealClock, func(s *site) { s.opts.BodyBudget = 8 << 20 })
				release := make(chan struct{})
				s.handle = func(http.ResponseWriter, *http.Request) { <-release }
				statuses := make(chan int, 100)
				for i := range 100 {
					event := fmt.Appendf(nil, `{"id":"evt_%d"}`, i)
					r := packedRequest(verify.GzipUnpacked, event, pack(event))
					if !tt.packed {
						r = packedRequest(verify.GzipUnpacked, event, event)
						r.Header.Del("Content-Encoding")
					}
					go func() { statuses <- s.serve(r).Code }()
				}
				time.Sleep(5 * time.Second)
				synctest.Wait()
				if refused := len(statuses); refused < tt.least || refused > tt.most {
					t.Errorf("%d of 100 are refused, want %d to %d", refused, tt.least, tt.most)
				}
				close(release)
				synctest.Wait()
			})
		})
	}
}

// onRealClock puts the site on the clock of a bubble.
func onRealClock(s *site) { s.opts.Now = nil }

// TestUnpackProfile looks at a profile whose compression is none.
func TestUnpackProfile(t *testing.T) {
	s := newSite(t)
	v := &altered{Verifier: s.verifier, profile: func(p *verify.Profile) { p.Compression = 3 }}
	if _, err := middleware.New("test", v, s.store, nil); err == nil || !strings.Contains(err.Error(), "Compression") {
		t.Errorf("error is %v", err)
	}
}
