package providertest

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/verify"
)

func (b *battery) testGenuine(t *testing.T) {
	t.Run("the profile is what the subject says and stays so", func(t *testing.T) {
		for range 2 {
			if got := b.v.Profile(); got != b.Profile {
				t.Errorf("Profile is %+v, want %+v", got, b.Profile)
			}
		}
	})
	for _, e := range b.Events {
		t.Run("a genuine delivery is accepted: "+e.Name, func(t *testing.T) {
			h := b.genuine(e)
			kept := with(h, "")
			body := slices.Clone(e.Body)
			d := accept(t, "genuine", b.v, h, body)
			if !bytes.Equal(body, e.Body) || !reflect.DeepEqual(h, kept) {
				t.Error("verification changed its input")
			}
			want := verify.Delivery{
				Provider:   b.Profile.Provider,
				ID:         e.ID,
				MessageID:  e.MessageID,
				ReceivedAt: h.ReceivedAt,
				Binding:    b.Profile.Binding,
				Body:       body,
				Unsigned:   d.Unsigned,
			}
			if len(b.Secrets) > 0 {
				want.Scope, want.KeyLabel = b.scopeOf(scope), label(0)
			} else {
				want.Scope, want.KeyLabel = d.Scope, d.KeyLabel
			}
			if b.Profile.Window != (verify.Window{}) {
				want.SignedAt = signedAt
			}
			if d.ID != want.ID || d.MessageID != want.MessageID {
				t.Fatalf("ID is %q, want %q; MessageID is %q, want %q", d.ID, want.ID, d.MessageID, want.MessageID)
			}
			if got := printless(d); !reflect.DeepEqual(got, want) {
				t.Errorf("Delivery is\n%+v, want\n%+v", got, want)
			}
			if len(body) > 0 && (&d.Body[0] != &body[0] || len(d.Body) != len(body)) {
				t.Error("Body is not the slice that was verified")
			}
			if d.Fingerprint.Equal(verify.Fingerprint{}) {
				t.Error("Fingerprint is zero")
			}
			if again := accept(t, "again", b.v, h, body); !equal(again, d) {
				t.Errorf("the second verification says\n%+v, the first\n%+v", again, d)
			}
		})
	}
	t.Run("a delivery of another year is accepted with its own receive time", func(t *testing.T) {
		for _, year := range []int{2002, 2016, 2038, 2106} {
			at := time.Date(year, 2, 3, 4, 5, 6, 0, time.UTC)
			body := b.carry(at, b.Events[0].Body)
			accept(t, at.Format(time.RFC3339), b.v, b.genuineAt(at, body), body)
		}
	})
	t.Run("the receive time's zone does not matter", func(t *testing.T) {
		e := b.Events[0]
		h := b.genuine(e)
		for _, hours := range []int{-12, 14} {
			h.ReceivedAt = h.ReceivedAt.In(time.FixedZone("", hours*3600))
			accept(t, "zone", b.v, h, e.Body)
		}
	})
}

func (b *battery) testBody(t *testing.T) {
	if b.Profile.Binding == verify.BindingNone {
		return
	}
	e := b.Events[0]
	h := b.genuine(e)
	refuse := func(t *testing.T, what string, body []byte) {
		t.Helper()
		b.reject(t, what, b.v, h, body, verify.ErrMismatch)
	}
	t.Run("a body with one bit flipped is refused", func(t *testing.T) {
		for i := range e.Body {
			for bit := range 8 {
				body := slices.Clone(e.Body)
				body[i] ^= 1 << bit
				refuse(t, "flipped", body)
			}
		}
		accept(t, "unchanged", b.v, h, e.Body)
	})
	t.Run("a body that is cut, extended or moved is refused", func(t *testing.T) {
		for i := range e.Body {
			refuse(t, "cut at its end", e.Body[:i])
			refuse(t, "cut at its front", e.Body[len(e.Body)-i:])
		}
		for _, more := range []string{"\x00", " ", "\n", "\r\n", "}", "=", "&x=1", string(e.Body)} {
			refuse(t, "extended at its end", append(slices.Clone(e.Body), more...))
			refuse(t, "extended at its front", append([]byte(more), e.Body...))
		}
		refuse(t, "nil", nil)
		refuse(t, "empty", []byte{})
		accept(t, "unchanged", b.v, h, e.Body)
	})
	t.Run("a body under the signature of another is refused", func(t *testing.T) {
		for _, other := range b.Events[1:] {
			refuse(t, other.Name, other.Body)
			b.reject(t, e.Name, b.v, b.genuine(other), e.Body, verify.ErrMismatch)
			accept(t, other.Name, b.v, b.genuine(other), other.Body)
		}
	})
	// Bodies that something on the way may rewrite: what is verified is bytes.
	rewritten := []struct{ name, sent, got string }{
		{"line ends", "{\r\n}\r\n", "{\n}\n"},
		{"a line end at the end", "{\"a\":1}\n", "{\"a\":1}"},
		{"white space", `{ "a": 1 }`, `{"a":1}`},
		{"the order of members", `{"a":1,"b":2}`, `{"b":2,"a":1}`},
		{"an escape", `{"a":"\u00e9"}`, `{"a":"é"}`},
		{"a slash", `{"a":"\/"}`, `{"a":"/"}`},
		{"a number", `{"a":1.0}`, `{"a":1}`},
		{"a combining accent", "{\"a\":\"e\u0301\"}", "{\"a\":\"\u00e9\"}"},
		{"a byte order mark", "\ufeff{}", "{}"},
		{"invalid UTF-8", "{\"a\":\"\xff\"}", "{\"a\":\"\ufffd\"}"},
		{"a zero byte at the end", "{}\x00", "{}"},
		{"a letter's case", `{"A":1}`, `{"a":1}`},
		{"form escapes", "a=%20&b=%2f", "a=+&b=%2F"},
	}
	for _, r := range rewritten {
		t.Run("a body is refused if something rewrote "+r.name, func(t *testing.T) {
			sent, got := b.carry(signedAt, b.Form([]byte(r.sent))), b.carry(signedAt, b.Form([]byte(r.got)))
			h := b.genuineAt(signedAt, sent)
			b.reject(t, "rewritten", b.v, h, got, verify.ErrMismatch)
			accept(t, "as it was sent", b.v, h, sent)
		})
	}
	t.Run("bodies of all sizes are accepted whole", func(t *testing.T) {
		rng := rand.New(rand.NewPCG(1, 2))
		for _, size := range []int{1, 31, 32, 55, 56, 63, 64, 65, 127, 128, 1000, 4096, 65537, 1 << 20} {
			body := make([]byte, size)
			for i := range body {
				body[i] = byte(rng.Uint32())
			}
			body = b.carry(signedAt, b.Form(body))
			size = len(body)
			h := b.genuineAt(signedAt, body)
			accept(t, "genuine", b.v, h, body)
			for _, i := range []int{0, size / 2, size - 1} {
				body[i] ^= 0x80
				b.reject(t, "flipped", b.v, h, body, verify.ErrMismatch)
				body[i] ^= 0x80
			}
		}
	})
}

func (b *battery) testURL(t *testing.T) {
	e := b.Events[0]
	h := b.genuine(e)
	if b.Query != nil {
		b.testQuery(t, h, e)
		return
	}
	if !b.SignsURL {
		t.Run("the URL does not matter", func(t *testing.T) {
			want := accept(t, "without a URL", b.v, h, e.Body)
			c := *h
			c.URL = parseURL(t, "https://elsewhere.example/?x=1")
			same(t, "with a URL", accept(t, "with a URL", b.v, &c, e.Body), want)
		})
		return
	}
	t.Run("another URL is refused", func(t *testing.T) {
		for _, u := range []string{
			"http://hooks.example.com/in/7?tenant=4711", "https://hooks.example.net/in/7?tenant=4711",
			"https://hooks.example.com:443/in/7?tenant=4711", "https://hooks.example.com/in/8?tenant=4711",
			"https://hooks.example.com/in/7/?tenant=4711", "https://hooks.example.com//in/7?tenant=4711",
			"https://hooks.example.com/in/7?tenant=4712", "https://hooks.example.com/in/7", "https://hooks.example.com/in/7?",
			"https://hooks.example.com/in/7?tenant=4711&", "https://hooks.example.com/in/7?tenant=4711#x",
			"https://hooks.example.com/in/%37?tenant=4711", "https://u:p@hooks.example.com/in/7?tenant=4711",
		} {
			c := *h
			c.URL = parseURL(t, u)
			b.reject(t, u, b.v, &c, e.Body)
		}
		accept(t, "the same URL", b.v, h, e.Body)
	})
	t.Run("a head without an absolute URL is refused", func(t *testing.T) {
		for _, u := range []string{"", "/in/7?tenant=4711", "//hooks.example.com/in/7?tenant=4711", "https:/in/7"} {
			c := *h
			c.URL = parseURL(t, u)
			b.refuseHead(t, u, b.v, &c, verify.ErrMalformed)
		}
		c := *h
		c.URL = nil
		b.refuseHead(t, "nil", b.v, &c, verify.ErrMalformed)
	})
	t.Run("bytes that move between URL and body are refused", func(t *testing.T) {
		for i := range e.Body {
			c := *h
			u := *b.url
			u.RawQuery += string(e.Body[:i+1])
			c.URL = &u
			b.reject(t, "moved", b.v, &c, e.Body[i+1:])
		}
	})
}

func (b *battery) testQuery(t *testing.T, h *verify.Head, e Event) {
	at := func(u url.URL) *verify.Head {
		c := *h
		c.URL = &u
		return &c
	}
	t.Run("scheme, host and path are those of the configuration, and not the request's", func(t *testing.T) {
		want := accept(t, "genuine", b.v, h, e.Body)
		for _, text := range []string{"http://hooks.example.com/in/7", "https://elsewhere.example/x", "/", "//u:p@hooks.example.com:8443/in//7/../%37"} {
			u := *parseURL(t, text)
			u.RawQuery = h.URL.RawQuery
			same(t, text, accept(t, text, b.v, at(u), e.Body), want)
		}
	})
	t.Run("another query is refused", func(t *testing.T) {
		genuine := h.URL.RawQuery
		var others []string
		for i := range len(genuine) {
			others = append(others, genuine[:i], genuine[i+1:], genuine[:i]+"x"+genuine[i:])
			if upper := strings.ToUpper(genuine[i : i+1]); upper != genuine[i:i+1] {
				others = append(others, genuine[:i]+upper+genuine[i+1:])
			}
		}
		for _, more := range []string{"&", "&x=1", "x", "%20", "+", ";x=1", "&" + genuine} {
			others = append(others, genuine+more, more+genuine)
		}
		for _, query := range others {
			u := *h.URL
			u.RawQuery = query
			b.reject(t, query, b.v, at(u), e.Body)
		}
		accept(t, "the same query", b.v, h, e.Body)
	})
	t.Run("a head without a URL is refused, or one message", func(t *testing.T) {
		c := *h
		c.URL = nil
		b.harmless(t, "nil", &c, e)
	})
	t.Run("bytes that move between query and body are refused", func(t *testing.T) {
		for i := range e.Body {
			u := *h.URL
			u.RawQuery += string(e.Body[:i+1])
			b.reject(t, "moved", b.v, at(u), e.Body[i+1:])
		}
	})
}

func (b *battery) testTime(t *testing.T) {
	e := b.Events[0]
	body := e.Body
	at := func(received time.Time) *verify.Head {
		h := b.genuine(e)
		h.ReceivedAt = received
		return h
	}
	t.Run("a head without a receive time is refused", func(t *testing.T) {
		b.refuseHead(t, "zero", b.v, at(time.Time{}), verify.ErrMalformed)
		b.reject(t, "zero", b.v, at(time.Time{}), body, verify.ErrMalformed)
		b.refuseHead(t, "nil", b.v, nil, verify.ErrMalformed)
		b.reject(t, "nil", b.v, nil, body, verify.ErrMalformed)
		b.refuseHead(t, "empty", b.v, &verify.Head{}, verify.ErrMalformed)
		accept(t, "with one", b.v, at(signedAt), body)
	})
	far := []time.Time{
		time.Time{}.Add(1), time.Unix(0, 0), signedAt.AddDate(-300, 0, 0), signedAt.AddDate(-30, 0, 0),
		signedAt.AddDate(30, 0, 0), signedAt.AddDate(300, 0, 0), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
		time.Unix(1<<60, 0),
	}
	w := b.v.Profile().Window
	if w == (verify.Window{}) {
		t.Run("no time is signed, so any receive time is accepted", func(t *testing.T) {
			want := accept(t, "at first", b.v, b.genuine(e), body)
			for _, received := range far {
				same(t, received.String(), accept(t, received.String(), b.v, at(received), body), want)
			}
		})
		return
	}
	t.Run("both ends of the window belong to it, to the nanosecond", func(t *testing.T) {
		if w.Past <= 0 || w.Future <= 0 {
			t.Fatalf("window is %+v, want two positive ends", w)
		}
		accept(t, "the oldest", b.v, at(signedAt.Add(w.Past)), body)
		b.refuseTime(t, "older", at(signedAt.Add(w.Past+1)), body, verify.ErrTooOld)
		accept(t, "the newest", b.v, at(signedAt.Add(-w.Future)), body)
		b.refuseTime(t, "newer", at(signedAt.Add(-w.Future-1)), body, verify.ErrTooNew)
	})
	t.Run("no distance is too far to be refused", func(t *testing.T) {
		for _, received := range far {
			want := verify.ErrTooOld
			if received.Before(signedAt) {
				want = verify.ErrTooNew
			}
			b.refuseTime(t, received.String(), at(received), body, want)
		}
	})
	t.Run("the time of one delivery does not fit another's signature", func(t *testing.T) {
		later := b.carry(signedAt.Add(b.Unit), body)
		one, other := b.genuine(e), b.genuineAt(signedAt.Add(b.Unit), later)
		if b.Carry != nil {
			b.reject(t, "the later body", b.v, one, later, verify.ErrMismatch)
			b.reject(t, "the earlier body", b.v, other, body, verify.ErrMismatch)
			accept(t, "one", b.v, one, body)
			accept(t, "the other", b.v, other, later)
			return
		}
		var differ []string
		for _, name := range b.Headers {
			if one.Header[name][0] != other.Header[name][0] {
				differ = append(differ, name)
			}
		}
		if len(differ) == 0 {
			t.Fatal("two times make the same headers: is Unit right?")
		}
		for mask := 1; mask < 1<<len(differ)-1; mask++ {
			h := one
			for i, name := range differ {
				if mask>>i&1 == 1 {
					h = with(h, name, other.Header[name][0])
				}
			}
			b.reject(t, "spliced", b.v, h, body)
		}
		accept(t, "one", b.v, one, body)
		accept(t, "the other", b.v, other, body)
	})
}

func (b *battery) testUnsigned(t *testing.T) {
	e := b.Events[0]
	h := b.genuine(e)
	want := accept(t, "genuine", b.v, h, e.Body)
	t.Run("headers outside the signature decide nothing", func(t *testing.T) {
		names := append(slices.Clone(b.Unsigned), "Content-Type", "Authorization", "X-Forwarded-For", "Date", "User-Agent")
		names = slices.DeleteFunc(names, func(name string) bool { return slices.Contains(b.Headers, name) })
		for _, name := range names {
			for what, values := range map[string][]string{
				"dropped": nil, "emptied": {""}, "changed": {"other"}, "repeated": {"other", "other"}, "long": {strings.Repeat("x", 64<<10)},
				"not ASCII": {"\xff\x00\r\n"},
			} {
				d := accept(t, name+" "+what, b.v, with(h, name, values...), e.Body)
				same(t, name+" "+what, d, want)
				if d.Unsigned.Partition != "" {
					t.Errorf("%s %s: Partition is %q, although no value is configured", name, what, d.Unsigned.Partition)
				}
			}
		}
	})
	t.Run("what is unsigned comes from headers that are", func(t *testing.T) {
		marked := h
		for _, name := range b.Unsigned {
			marked = with(marked, name, "marked-"+strings.ToLower(name))
		}
		for _, head := range []*verify.Head{h, marked} {
			d := accept(t, "genuine", b.v, head, e.Body)
			for _, value := range []string{d.Unsigned.ID, d.Unsigned.Type, d.Unsigned.Partition} {
				if value != "" && !slices.ContainsFunc(b.Unsigned, func(name string) bool { return head.Header.Get(name) == value }) {
					t.Errorf("Unsigned holds %q, which is in no header of %q", value, b.Unsigned)
				}
			}
			for _, value := range []string{d.ID, d.MessageID, d.Scope, d.KeyLabel} {
				if strings.HasPrefix(value, "marked-") {
					t.Errorf("a signed field holds %q, which is not signed", value)
				}
			}
		}
	})
}

// printless returns a copy without the fingerprint, which only Equal compares.
func printless(d *verify.Delivery) verify.Delivery {
	c := *d
	c.Fingerprint = verify.Fingerprint{}
	return c
}

func equal(a, b *verify.Delivery) bool {
	return a.Fingerprint.Equal(b.Fingerprint) && reflect.DeepEqual(printless(a), printless(b))
}

func (b *battery) testFingerprint(t *testing.T) {
	fingerprint := func(t *testing.T, at time.Time, body []byte) [32]byte {
		t.Helper()
		return accept(t, "genuine", b.v, b.genuineAt(at, body), body).Fingerprint.Sum()
	}
	t.Run("another message has another fingerprint", func(t *testing.T) {
		seen := make(map[[32]byte]string)
		for _, e := range b.Events {
			f := fingerprint(t, signedAt, e.Body)
			if other, ok := seen[f]; ok {
				t.Errorf("%s has the fingerprint of %s", e.Name, other)
			}
			seen[f] = e.Name
			if f != fingerprint(t, signedAt, e.Body) {
				t.Errorf("%s, signed again, has another fingerprint", e.Name)
			}
			at := signedAt.Add(b.Unit)
			if later := fingerprint(t, at, b.carry(at, e.Body)); (later == f) != (b.Profile.Window == verify.Window{}) {
				t.Errorf("%s, signed at another time, has the same fingerprint: %v", e.Name, later == f)
			}
		}
	})
	for _, variant := range b.Variants {
		t.Run("one message has one fingerprint: "+variant.Name, func(t *testing.T) {
			for _, e := range b.Events {
				h := b.genuine(e)
				want := accept(t, "genuine", b.v, h, e.Body)
				c := with(h, "")
				variant.Edit(c.Header)
				if reflect.DeepEqual(c.Header, h.Header) {
					t.Fatal("the variant changes nothing")
				}
				same(t, variant.Name, accept(t, variant.Name, b.v, c, e.Body), want)
				if len(e.Body) > 0 {
					b.reject(t, variant.Name+", body cut", b.v, c, e.Body[1:], verify.ErrMismatch)
				}
			}
		})
	}
	if !b.Several {
		return
	}
	t.Run("one message has one fingerprint, whichever of its signatures are there", func(t *testing.T) {
		one, two, stranger := b.Secrets[0], b.Secrets[1], b.Secrets[2]
		for _, e := range b.Events {
			for name, v := range map[string]verify.Verifier{
				"one key":  b.verifier(t, b.keys[0]),
				"two keys": b.verifier(t, b.keys[0], b.keys[1]),
				"turned":   b.verifier(t, b.keys[1], b.keys[0]),
			} {
				want := accept(t, name, v, b.genuine(e, one), e.Body)
				for _, secrets := range [][]string{{one, two}, {two, one}, {one, one}, {stranger, one}, {one, stranger}, {two}} {
					if name == "one key" && len(secrets) == 1 {
						continue
					}
					same(t, name, accept(t, name, v, b.genuine(e, secrets...), e.Body), want)
				}
			}
		}
	})
}

func (b *battery) testTwoSteps(t *testing.T) {
	ctx := context.Background()
	begin := func(t *testing.T, h *verify.Head) verify.Pending {
		t.Helper()
		p, err := b.v.Begin(ctx, h)
		if err != nil || p == nil {
			t.Fatalf("Begin: Pending is nil: %v, error: %v", p == nil, err)
		}
		return p
	}
	one, other := b.Events[0], b.Events[1]
	t.Run("requests that are pending at once do not mix", func(t *testing.T) {
		p, q := begin(t, b.genuine(one)), begin(t, b.genuine(other))
		e, err := q.Finish(ctx, other.Body)
		if err != nil {
			t.Fatal(err)
		}
		d, err := p.Finish(ctx, one.Body)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "the first", d, accept(t, "alone", b.v, b.genuine(one), one.Body))
		same(t, "the second", e, accept(t, "alone", b.v, b.genuine(other), other.Body))
	})
	if b.Profile.Binding == verify.BindingNone {
		return
	}
	t.Run("a request that is finished with another body is refused", func(t *testing.T) {
		for range 2 {
			p := begin(t, b.genuine(one))
			d, err := p.Finish(ctx, other.Body)
			if d != nil || err == nil {
				t.Fatalf("Delivery is %v and the error is %v", d, err)
			}
			wellFormed(t, err)
			b.reason(t, "other body", err, []verify.Reason{verify.ErrMismatch})
		}
	})
	t.Run("a request that is finished again changes no delivery", func(t *testing.T) {
		p := begin(t, b.genuine(one))
		d, err := p.Finish(ctx, one.Body)
		if err != nil {
			t.Fatal(err)
		}
		kept := *d
		p.Finish(ctx, slices.Clone(one.Body))
		if e, err := p.Finish(ctx, other.Body); e != nil || err == nil {
			t.Fatalf("another body: Delivery is %v and the error is %v", e, err)
		}
		if !equal(&kept, d) || &kept.Body[0] != &d.Body[0] {
			t.Error("the delivery changed")
		}
	})
	t.Run("a delivery is not changed by what its head becomes", func(t *testing.T) {
		h := b.genuine(one)
		p := begin(t, h)
		d, err := p.Finish(ctx, one.Body)
		if err != nil {
			t.Fatal(err)
		}
		kept := *d
		for name := range h.Header {
			h.Header[name][0] = "gone"
		}
		b.reject(t, "other", b.v, b.genuine(one), other.Body)
		if !equal(&kept, d) {
			t.Error("the delivery changed")
		}
	})
}

func (b *battery) testConcurrency(t *testing.T) {
	t.Run("genuine and forged deliveries at once do not mix", func(t *testing.T) {
		type item struct {
			h      *verify.Head
			body   []byte
			id     string
			forged bool
		}
		var items []item
		for i, e := range b.Events {
			h := b.genuine(e)
			items = append(items, item{h, e.Body, e.ID, false})
			sig := h.Header.Get(b.Headers[0])
			items = append(items, item{with(h, b.Headers[0], sig[:len(sig)-1]), e.Body, "", true})
			if b.Profile.Binding != verify.BindingNone {
				items = append(items, item{h, b.Events[(i+1)%len(b.Events)].Body, "", true})
			}
			if len(b.Secrets) > 0 {
				items = append(items, item{b.genuine(e, b.Secrets[1]), e.Body, "", true})
			}
		}
		want := make([]*verify.Delivery, len(items))
		for i, it := range items {
			if !it.forged {
				want[i] = accept(t, "alone", b.v, it.h, it.body)
			}
		}
		const workers, rounds = 8, 60
		done := make(chan string, workers)
		for w := range workers {
			go func() {
				for r := range rounds {
					i := (w + r) % len(items)
					d, err := verify.Verify(context.Background(), b.v, items[i].h, items[i].body)
					switch {
					case items[i].forged != (err != nil), (d == nil) != (err != nil):
						done <- "a verdict is wrong"
						return
					case d != nil && !equal(d, want[i]):
						done <- "a delivery is wrong"
						return
					}
				}
				done <- ""
			}()
		}
		for range workers {
			if problem := <-done; problem != "" {
				t.Error(problem)
			}
		}
	})
}
