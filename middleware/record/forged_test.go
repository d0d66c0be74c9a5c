package record_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/record"
	"github.com/hooknotary/hooknotary/providers/paypal"
	"github.com/hooknotary/hooknotary/providers/paypal/paypaltest"
)

const webhookID = "8PT597110X687430L"

// collide returns text with four bytes behind it that give it the CRC-32 of
// another body.
func collide(text string, other []byte) []byte {
	// Back from the sum that is wanted: which state lay four zero bytes before it?
	state := ^crc32.ChecksumIEEE(other)
	for range 32 {
		if state&0x80000000 != 0 {
			state = (state^crc32.IEEE)<<1 | 1
		} else {
			state <<= 1
		}
	}
	forged := binary.LittleEndian.AppendUint32([]byte(text), state^^crc32.ChecksumIEEE([]byte(text)))
	if crc32.ChecksumIEEE(forged) != crc32.ChecksumIEEE(other) {
		panic("this is no collision")
	}
	return forged
}

// shop is an endpoint for PayPal's deliveries that logs and records.
type shop struct {
	*site
	paypal *paypaltest.PayPal
	log    *syncBuffer
}

// certificateHost serves PayPal's own certificate, and fails for what strangers ask.
type certificateHost struct{ *paypaltest.PayPal }

func (h certificateHost) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "-stranger") {
		return nil, errors.New("connection refused")
	}
	return h.PayPal.RoundTrip(r)
}

func newShop(t *testing.T, changes ...func(*site)) *shop {
	t.Helper()
	p := &shop{paypal: paypaltest.New(webhookID), log: new(syncBuffer)}
	p.site = newSite(t, append([]func(*site){func(s *site) {
		v, err := paypal.New(webhookID, &paypal.Options{Transport: certificateHost{p.paypal}, Roots: p.paypal.Roots()})
		if err != nil {
			t.Fatal(err)
		}
		s.verifier = v
		s.record.Kinds = record.Refused
		s.guard.Observe = middleware.LogObserver(slog.New(slog.NewTextHandler(p.log, nil)))
	}}, changes...)...)
	return p
}

func (p *shop) send(header http.Header, body []byte) int {
	r, err := http.NewRequest(http.MethodPost, hookURL, bytes.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header = header.Clone()
	return p.serve(r).Code
}

// handled delivers an event for the first time.
func (p *shop) handled(id string) (header http.Header, body []byte) {
	p.t.Helper()
	body = fmt.Appendf(nil, `{"id":"WH-%s","resource":{"amount":"20.00"}}`, id)
	header = p.paypal.Header(start, body)
	if status := p.send(header, body); status != 200 {
		p.t.Fatalf("the genuine delivery got %d", status)
	}
	return header, body
}

// forge sends the n-th other body under a delivery, and returns it.
func (p *shop) forge(header http.Header, body []byte, n int) []byte {
	p.t.Helper()
	forged := collide(fmt.Sprintf(`{"id":"WH-F%d","resource":{"amount":"20000.00"}}`, n), body)
	if status := p.send(header, forged); status != 401 {
		p.t.Fatalf("the forgery got %d", status)
	}
	return forged
}

// copies sends a delivery again n times.
func (p *shop) copies(header http.Header, body []byte, n int) {
	for range n {
		p.send(header, body)
	}
}

// strangers sends n requests of people who hold nothing of PayPal's. Each names a
// certificate that cannot be fetched, so that the guard is unavailable to them.
func (p *shop) strangers(header http.Header, body []byte, n int) {
	var all sync.WaitGroup
	for i := range n {
		h := header.Clone()
		h.Set("PAYPAL-CERT-URL", fmt.Sprintf("https://api.paypal.com/v1/notifications/certs/CERT-%08d-stranger", i))
		all.Go(func() { p.send(h, body) })
	}
	all.Wait()
}

func (p *shop) logged(text string) (lines []string) {
	p.log.mu.Lock()
	defer p.log.mu.Unlock()
	for line := range strings.Lines(p.log.b.String()) {
		if strings.Contains(line, text) {
			lines = append(lines, line)
		}
	}
	return lines
}

func forgeries(files []file) (all []file) {
	return slices.DeleteFunc(files, func(f file) bool { return !strings.HasPrefix(f.Note, "refused: forged") })
}

func TestForgery(t *testing.T) {
	t.Run("a forgery is seen behind a flood", func(t *testing.T) {
		p := newShop(t)
		header, body := p.handled("1")
		p.copies(header, body, 30)
		p.strangers(header, body, 60)
		forged := p.forge(header, body, 1)

		if n := len(p.logged("reason=unavailable")); n < 15 {
			t.Errorf("%d lines about the strangers: were they no flood?", n)
		}
		if n := len(p.logged("reason=replayed")); n < 20 {
			t.Errorf("%d lines about the copies: were they no flood?", n)
		}
		if lines := p.logged("reason=forged"); len(lines) != 1 || strings.Contains(lines[0], "not_logged") {
			t.Errorf("logged %q, want one line", lines)
		}
		captures := forgeries(p.files())
		if len(captures) != 1 || !strings.Contains(captures[0].name, "-refused-forged-") {
			t.Fatalf("%d captures, want one", len(captures))
		}
		wantBody(t, captures[0].Capture, forged)
	})

	// Neither strangers nor copies nor what the
	// forger sends besides.
	t.Run("nothing pushes the first forgery out", func(t *testing.T) {
		p := newShop(t, func(s *site) { s.record.MaxFiles = 8 })
		header, body := p.handled("1")
		forged := p.forge(header, body, 1)
		stranger := header.Clone()
		stranger.Set("PAYPAL-TRANSMISSION-SIG", p.paypal.Header(start, body).Get("PAYPAL-TRANSMISSION-SIG"))
		for n := range 100 {
			p.passed.Add(1e6)
			p.forge(header, body, n+2)
			p.copies(header, body, 1)
			if status := p.send(stranger, body); status != 401 {
				t.Errorf("a stranger got %d", status)
			}
		}
		// A second delivery is forged when the first one has used up its allowance.
		p.passed.Add(1e6)
		header, body = p.handled("2")
		second := p.forge(header, body, 1000)
		p.strangers(header, body, 30)

		files := p.files()
		if len(files) > 8+4 {
			t.Errorf("%d captures, want 8 and 4 of forgeries at most", len(files))
		}
		for _, want := range [][]byte{forged, second} {
			i := slices.IndexFunc(files, func(f file) bool { return bytes.Equal(f.Body, want) })
			if i < 0 || files[i].Inexact != "" {
				t.Errorf("there is no exact capture of %q", want)
			}
		}
		// Each of them is logged or counted, as the last one is a first one.
		lines, left := p.logged("reason=forged"), 0
		for _, line := range lines {
			if _, count, ok := strings.Cut(line, "refusals_not_logged="); ok {
				n := 0
				fmt.Sscan(count, &n)
				left += n
			}
		}
		if len(lines) < 22 || len(lines)+left != 102 {
			t.Errorf("%d lines say forged, and that %d were left out, want 102 together, and at least two firsts and a burst of 20", len(lines), left)
		}
	})

	// What is kept of bodies under
	// way is bounded, and anyone can use it up.
	t.Run("the first forgery is whole while strangers hold the memory", func(t *testing.T) {
		p := newShop(t)
		header, body := p.handled("1")
		release := make(chan struct{})
		var all, stalled sync.WaitGroup
		for range 40 {
			r, err := http.NewRequest(http.MethodPost, hookURL, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header, r.ContentLength = header.Clone(), 1<<20
			stalled.Add(1)
			stall := sync.OnceFunc(stalled.Done)
			rest := bytes.NewReader(make([]byte, 1<<20-1))
			setBody(r, readerFunc(func(b []byte) (int, error) {
				if rest.Len() > 0 {
					return rest.Read(b)
				}
				stall()
				<-release
				return 0, io.ErrUnexpectedEOF
			}))
			all.Go(func() { p.serve(r) })
		}
		stalled.Wait()
		forged := p.forge(header, body, 1)
		close(release)
		all.Wait()
		captures := forgeries(p.files())
		if len(captures) != 1 || captures[0].Inexact != "" {
			t.Fatalf("captures %+v, want one that is exact", captures)
		}
		wantBody(t, captures[0].Capture, forged)
	})

	t.Run("the first forgery of a former run stays", func(t *testing.T) {
		p := newShop(t, func(s *site) { s.record.MaxFiles = 2 })
		header, body := p.handled("1")
		forged := p.forge(header, body, 1)
		if err := p.recorder.Close(); err != nil {
			t.Fatal(err)
		}
		for n := range 3 { // each with a guard and a recorder that know nothing
			again := newShop(t, func(s *site) {
				s.dir, s.record.MaxFiles = p.dir, 2
				s.verifier, s.store = p.verifier, p.store
				s.passed.Store(int64(n+1) * 1e9)
			})
			again.forge(header, body, n+2)
			files := again.files()
			if len(forgeries(files)) != 2 || !bytes.Equal(files[0].Body, forged) {
				t.Errorf("there are %d captures, want the first one and the last one", len(files))
			}
		}
	})

	// Is the bound.
	t.Run("only forgeries of other messages push a forgery out", func(t *testing.T) {
		p := newShop(t, func(s *site) { s.record.MaxFiles = 6 })
		var want [][]byte
		for n := range 5 {
			p.passed.Add(1e9)
			header, body := p.handled(fmt.Sprint(n))
			want = append(want, p.forge(header, body, n))
		}
		var got [][]byte
		for _, f := range p.files() {
			got = append(got, f.Body)
		}
		if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want[2:]) {
			t.Errorf("left are %q, want the last three", got)
		}
		entries, err := os.ReadDir(p.dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if ok, _ := filepath.Match("????????T??????.??????Z-paypal-refused-forged-????????????????.http", e.Name()); !ok {
				t.Errorf("a first forgery is called %s", e.Name())
			}
		}
	})
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }
