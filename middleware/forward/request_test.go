package forward_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/assertion"
	"github.com/hooknotary/hooknotary/middleware/forward"
	"github.com/hooknotary/hooknotary/providers/catalog"
	"github.com/hooknotary/hooknotary/providers/gitlab"
	"github.com/hooknotary/hooknotary/providers/meta"
	"github.com/hooknotary/hooknotary/providers/providertest/signer"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/providers/standardwebhooks"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// hostile adds what a sender could try to slip through.
func hostile(h http.Header) {
	for name, value := range map[string]string{
		"Accept": "*/*", "Accept-Encoding": "br", "Authorization": "Bearer evil", "B3": "evil", "Baggage": "evil=1", "Cookie": "session=evil",
		"Connection": "Hooknotary-Event-Id, X-Token", "Expect": "100-continue", "Forwarded": "for=evil", "From": "evil", "Host": "evil",
		"Idempotency-Key": "evil", "Keep-Alive": "evil", "Origin": "evil", "Proxy-Authorization": "evil", "Proxy-Connection": "evil",
		"Range": "evil", "Referer": "evil", "Te": "trailers", "Traceparent": "evil", "Tracestate": "evil", "Trailer": "X-Evil",
		"Transfer-Encoding": "chunked", "Upgrade": "h2c", "Http2-Settings": "evil", "User-Agent": "evil", "Via": "evil", "X-Evil": "evil",
		"X-Forwarded-For": "evil", "X-Forwarded-Host": "evil", "X-Forwarded-Proto": "evil", "X-Http-Method-Override": "DELETE",
		"X-Idempotency-Key": "evil", "X-Original-Url": "evil", "X-Real-Ip": "evil", "X-Rewrite-Url": "evil", "X_forwarded_for": "evil",
		"Hooknotary-Route": "evil", "Hooknotary-Scope": "evil", "Hooknotary-Event-Id": "evil", "Hooknotary-Assertion": "evil", "Hooknotary-Evil": "evil",
		"Hooknotary_event_id": "evil", "Hooknotary_Scope": "evil", "hooknotary-scope": "evil", "HOOKNOTARY-SCOPE": "evil", "X-Token": "evil", "X_Token": "evil",
	} {
		h[name] = append(h[name], value)
	}
}

// TestRequest reads what the upstream gets, byte for byte.
func TestRequest(t *testing.T) {
	const token = "Jk2v9QmT4kLr8ZpWc3NdYb6s"
	body := []byte(`{"id":"evt_7","object":"event"}`)
	at := time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
	now := func(s *route) {
		s.guard.Now = func() time.Time { return at.Add(1500 * time.Millisecond) }
		s.store.Store = replay.NewMemory(&replay.MemoryOptions{Now: func() time.Time { return at.Add(-time.Hour) }})
	}
	github := func(r *http.Request) {
		r.Header.Set("X-Github-Event", "push")
		r.Header.Set("X-Github-Delivery", "0ba8")
	}
	for _, tt := range []struct {
		name   string
		path   string // of the upstream
		verify verify.Verifier
		sign   scheme.Definition
		change func(*route)
		sender func(*http.Request)
		want   string
	}{
		{
			name: "Stripe", path: "/in", verify: stripe.Must(secret), sign: stripe.Definition(),
			want: `POST /in HTTP/1.1
Host: HOST
Content-Length: 31
Content-Type: application/json
Stripe-Signature: SIGNATURE
Hooknotary-Route: billing
Hooknotary-Provider: stripe
Hooknotary-Scope: default
Hooknotary-Key-Label: 1
Hooknotary-Event-Id: evt_7
Hooknotary-Event-Key: HEX64
Hooknotary-Signed-At: 2026-03-14T09:26:53.000Z
Hooknotary-Received-At: 2026-03-14T09:26:54.500Z
Hooknotary-Binding: full
Hooknotary-Delivery: HEX16
`,
		},
		{
			name: "everything that a route may choose", path: "/a%20b/", verify: stripe.Must(secret), sign: stripe.Definition(),
			change: func(s *route) {
				s.opts.Header = http.Header{"X-Token": {"own"}, "Authorization": {"Basic own"}, "User-Agent": {"acme"}}
				s.opts.SenderHeaders = []string{"x-github-event", "X-GitHub-Delivery", "Content-Type"}
				s.opts.Query = true
				s.opts.ClientAddress = func(*http.Request) string { return "192.0.2.7" }
			},
			sender: func(r *http.Request) { github(r); r.URL.RawQuery = "a=1&b=%20&c" },
			want: `POST /a%20b/?a=1&b=%20&c HTTP/1.1
Host: HOST
Content-Length: 31
Content-Type: application/json
Stripe-Signature: SIGNATURE
X-Github-Event: push
X-Github-Delivery: 0ba8
X-Forwarded-For: 192.0.2.7
Hooknotary-Route: billing
Authorization: Basic own
User-Agent: acme
X-Token: own
Hooknotary-Provider: stripe
Hooknotary-Scope: default
Hooknotary-Key-Label: 1
Hooknotary-Event-Id: evt_7
Hooknotary-Event-Key: HEX64
Hooknotary-Signed-At: 2026-03-14T09:26:53.000Z
Hooknotary-Received-At: 2026-03-14T09:26:54.500Z
Hooknotary-Binding: full
Hooknotary-Delivery: HEX16
`,
		},
		{
			name: "a sender that signs neither time nor id", path: "", verify: meta.Must(token), sign: meta.Definition(),
			change: func(s *route) { s.opts.Query = true },
			sender: func(r *http.Request) { r.URL.RawQuery = "hub.verify_token=evil&tenant=7&Hub.Verify_Token=evil" },
			want: `POST /?tenant=7 HTTP/1.1
Host: HOST
Content-Length: 31
Content-Type: application/json
X-Hub-Signature-256: SIGNATURE
Hooknotary-Route: billing
Hooknotary-Provider: meta
Hooknotary-Scope: default
Hooknotary-Key-Label: 1
Hooknotary-Event-Key: HEX64
Hooknotary-Received-At: 2026-03-14T09:26:54.500Z
Hooknotary-Binding: full
Hooknotary-Delivery: HEX16
`,
		},
		{
			name: "a sender with a token, which stays here", path: "/in", verify: gitlab.InsecureMust(token),
			change: func(s *route) { s.opts.SenderHeaders = []string{"X-Gitlab-Event"} },
			sender: func(r *http.Request) {
				r.Header.Set("X-Gitlab-Token", token)
				r.Header.Set("X-Gitlab-Event", "Push Hook")
			},
			want: `POST /in HTTP/1.1
Host: HOST
Content-Length: 31
Content-Type: application/json
X-Gitlab-Event: Push Hook
Hooknotary-Route: billing
Hooknotary-Provider: gitlab
Hooknotary-Scope: default
Hooknotary-Key-Label: 1
Hooknotary-Event-Key: HEX64
Hooknotary-Received-At: 2026-03-14T09:26:54.500Z
Hooknotary-Binding: none
Hooknotary-Delivery: HEX16
`,
		},
	} {
		for _, network := range []string{"tcp", "unix"} {
			t.Run(tt.name+" over "+network, func(t *testing.T) {
				up := newReceiver(t, network, nil)
				s := newRoute(t, up.url(tt.path), func(s *route) {
					s.verifier = tt.verify
					now(s)
					if tt.change != nil {
						tt.change(s)
					}
				})
				r := httptest.NewRequest("POST", "/hooks/billing", bytes.NewReader(body))
				signature := ""
				if tt.sign.Provider != "" {
					header, err := signer.Header(tt.sign, signer.Delivery{At: at, Body: body, Secrets: []string{map[string]string{"stripe": secret, "meta": token}[tt.sign.Provider]}})
					if err != nil {
						t.Fatal(err)
					}
					r.Header = header
					signature = header.Get(tt.sign.Signatures[0].Header)
				}
				r.Header.Set("Content-Type", "application/json")
				hostile(r.Header)
				if tt.sender != nil {
					tt.sender(r)
				}
				want(t, s.serve(r), 200)
				requests, _ := up.got()
				host := "localhost"
				if network == "tcp" {
					host = up.listener.Addr().String()
				}
				lines := strings.NewReplacer("HOST", host, "SIGNATURE", signature).Replace(tt.want)
				expected := regexp.QuoteMeta(strings.ReplaceAll(lines, "\n", "\r\n") + "\r\n" + string(body))
				expected = strings.NewReplacer("HEX64", "[0-9a-f]{64}", "HEX16", "[0-9a-f]{16}").Replace(expected)
				if len(requests) != 1 || !regexp.MustCompile("^"+expected+"$").Match(requests[0]) {
					t.Errorf("the upstream gets\n%s\nwant\n%s", requests, lines)
				}
			})
		}
	}
}

// TestBody: the upstream gets the bytes that were verified, whatever their framing was.
func TestBody(t *testing.T) {
	up := newReceiver(t, "tcp", nil)
	s := newRoute(t, up.url("/in"), func(s *route) { s.guard.MaxBody = 8 << 20 })
	front := httptest.NewServer(s.handler)
	defer front.Close()
	seen := 0
	for _, size := range []int{60, 1000, 16 << 10, 64<<10 + 100, 1 << 20, 4 << 20} {
		for _, chunked := range []bool{false, true} {
			r := eventOf(size)
			body, _ := io.ReadAll(r.Body)
			r, err := http.NewRequest("POST", front.URL, io.NopCloser(bytes.NewReader(body)))
			if err != nil {
				t.Fatal(err)
			}
			r.Header = again(body, time.Now()).Header
			if !chunked {
				r.ContentLength = int64(len(body))
			}
			response, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != 200 {
				t.Fatalf("%d bytes, chunked %v: %s", size, chunked, response.Status)
			}
			seen++
			requests, _ := up.got()
			if len(requests) != seen || !bytes.HasSuffix(requests[seen-1], append([]byte("\r\n\r\n"), body...)) {
				t.Errorf("%d bytes, chunked %v: the upstream gets another body", size, chunked)
			}
			if got := valuesOf(requests[seen-1], "Content-Length"); len(got) != 1 || got[0] != fmt.Sprint(len(body)) {
				t.Errorf("%d bytes, chunked %v: Content-Length is %q", size, chunked, got)
			}
		}
	}
}

// TestPackedBody: a body whose signature is over the packed bytes goes on as it is, and says
// so.
func TestPackedBody(t *testing.T) {
	for _, compression := range []verify.Compression{verify.GzipSigned, verify.GzipUnpacked} {
		t.Run(compression.String(), func(t *testing.T) {
			d := scheme.Definition{
				Provider: "acme", Signatures: []scheme.Signature{{Header: "X-Acme"}}, Message: []scheme.Part{scheme.Body()},
				MaxBody: 1 << 20, Retry: verify.RetryIdentical, Compression: compression,
			}
			plain := []byte(`{"id":1}`)
			packed := gzipped(plain)
			signed, wanted := packed, packed
			if compression == verify.GzipUnpacked {
				signed, wanted = plain, plain
			}
			up := newReceiver(t, "tcp", nil)
			s := newRoute(t, up.url("/in"), func(s *route) { s.verifier = scheme.Must(d, githubSecret) })
			header, err := signer.Header(d, signer.Delivery{Body: signed, Secrets: []string{githubSecret}})
			if err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequest("POST", "/", bytes.NewReader(packed))
			r.Header = header
			r.Header.Set("Content-Encoding", "GZIP")
			want(t, s.serve(r), 200)
			requests, _ := up.got()
			if !bytes.HasSuffix(requests[0], append([]byte("\r\n\r\n"), wanted...)) {
				t.Errorf("the upstream gets %q", requests[0])
			}
			if got := valuesOf(requests[0], "Content-Encoding"); slices.Equal(got, []string{"gzip"}) != (compression == verify.GzipSigned) {
				t.Errorf("its Content-Encoding is %q", got)
			}
		})
	}
}

// TestIdentity: whatever a sender signed stands in a header as one value.
func TestIdentity(t *testing.T) {
	for _, tt := range []struct{ name, id, want string }{
		{"visible ASCII", "evt_1-A.b~!", "evt_1-A.b~!"},
		{"a line end and a header", "e\r\nX-Evil: 1", "e%0D%0AX-Evil:%201"},
		{"a percent sign", "100%25", "100%2525"},
		{"letters beyond ASCII", "é", "%C3%A9"},
		{"a blank at the end", "evt ", "evt%20"},
		{"512 bytes", strings.Repeat(" ", 512), strings.Repeat("%20", 512)},
		{"513 bytes", strings.Repeat("x", 513), ""},
		{"no UTF-8", "evt_\xff", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			up := newReceiver(t, "tcp", nil)
			s := newRoute(t, up.url("/in"), func(s *route) {
				s.verifier = &pretender{stripe.Must(secret).Profile(), verify.About{}, tt.id}
				s.opts.Assertion = newSigner(t) // which refuses what it cannot write
			})
			want(t, s.serve(event()), 200)
			requests, _ := up.got()
			got := strings.Join(valuesOf(requests[0], "Hooknotary-Event-Id"), "|")
			if got != tt.want {
				t.Errorf("the id is %q, want %q", got, tt.want)
			}
			if bytes.Contains(requests[0], []byte("\nX-Evil")) {
				t.Error("a header was made")
			}
		})
	}

	t.Run("the key is that of the store, in each attempt", func(t *testing.T) {
		n := 0
		up := newReceiver(t, "tcp", func(c net.Conn, _ []byte, i int) bool {
			n = i
			if i == 1 {
				io.WriteString(c, "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n")
			} else {
				io.WriteString(c, ok)
			}
			return true
		})
		s := newRoute(t, up.url("/in"))
		body := []byte(`{"id":"evt_key","object":"event"}`)
		want(t, s.serve(again(body, time.Now())), 502)
		want(t, s.serve(again(body, time.Now().Add(time.Second))), 200)
		requests, _ := up.got()
		key := replay.Event{Endpoint: "billing", Provider: "stripe", Scope: "default", ID: "evt_key"}.Key().String()
		for _, r := range requests {
			if got := valuesOf(r, "Hooknotary-Event-Key"); len(got) != 1 || got[0] != key {
				t.Errorf("the key is %q, want %q", got, key)
			}
		}
		if n != 2 || slices.Equal(valuesOf(requests[0], "Hooknotary-Delivery"), valuesOf(requests[1], "Hooknotary-Delivery")) {
			t.Error("two deliveries have one id")
		}
	})

	t.Run("names of keys and of the route", func(t *testing.T) {
		key, err := verify.NewKey("Ünïcorp, Inc.", "2026 %", []byte(secret))
		if err != nil {
			t.Fatal(err)
		}
		v, err := stripe.New(verify.KeyList{key}, nil)
		if err != nil {
			t.Fatal(err)
		}
		g, err := middleware.New("a route\n", v, replay.NewMemory(nil), nil)
		if err != nil {
			t.Fatal(err)
		}
		up := newReceiver(t, "tcp", nil)
		h, err := forward.New(g, up.url("/in"), nil)
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, event())
		want(t, w, 200)
		requests, _ := up.got()
		for name, value := range map[string]string{"Hooknotary-Route": "a%20route%0A", "Hooknotary-Scope": "%C3%9Cn%C3%AFcorp,%20Inc.", "Hooknotary-Key-Label": "2026%20%25"} {
			if got := valuesOf(requests[0], name); len(got) != 1 || got[0] != value {
				t.Errorf("%s is %q, want %q", name, got, value)
			}
		}
	})
}

// TestHeaderInjection: no value makes another header, also where no server of net/http has
// looked at it.
func TestHeaderInjection(t *testing.T) {
	up := newReceiver(t, "tcp", nil)
	s := newRoute(t, up.url("/in"), func(s *route) {
		s.opts.SenderHeaders = []string{"X-Event"}
		s.opts.ClientAddress = func(r *http.Request) string { return "192.0.2.7\r\nX-Evil: 1" }
	})
	r := event()
	r.Header["X-Event"] = []string{"a\r\nX-Evil: 1", "b\nX-Evil: 1", "c\x00", "d"}
	r.Header["Content-Type"] = []string{"application/json; a=\r\nX-Evil: 1"}
	want(t, s.serve(r), 200)
	requests, _ := up.got()
	if bytes.Contains(requests[0], []byte("Evil")) || !slices.Equal(valuesOf(requests[0], "X-Event"), []string{"d"}) || valuesOf(requests[0], "X-Forwarded-For") != nil {
		t.Errorf("the upstream gets %q", requests[0])
	}
}

func TestClientAddress(t *testing.T) {
	for _, tt := range []struct{ address, want string }{
		{"192.0.2.7", "192.0.2.7"},
		{"2001:db8::7", "2001:db8::7"},
		{"fe80::1%eth0", "fe80::1"},
		{"192.0.2.7, 10.0.0.1", ""},
		{"192.0.2.7:80", ""},
		{"unknown", ""},
		{"", ""},
	} {
		up := newReceiver(t, "tcp", nil)
		s := newRoute(t, up.url("/in"), func(s *route) { s.opts.ClientAddress = func(*http.Request) string { return tt.address } })
		want(t, s.serve(event()), 200)
		requests, _ := up.got()
		if got := strings.Join(valuesOf(requests[0], "X-Forwarded-For"), "|"); got != tt.want {
			t.Errorf("of %q X-Forwarded-For is %q, want %q", tt.address, got, tt.want)
		}
	}
}

func TestQuery(t *testing.T) {
	for _, tt := range []struct{ name, query, want string }{
		{"parameters", "a=1&b=2&b=3", "?a=1&b=2&b=3"},
		{"their spelling stays", "a=%31&%62=+", "?a=%31&%62=+"},
		{"a credential", "a=1&hub.verify_token=x", "?a=1"},
		{"a credential, escaped", "hub%2everify%5Ftoken=x&a=1", "?a=1"},
		{"a credential in capitals", "HUB.VERIFY_TOKEN=x", ""},
		{"a credential behind a semicolon", "a=1;hub.verify_token=x&b=2", "?b=2"},
		{"a credential without a value", "hub.verify_token", ""},
		{"an escape that is none", "a=1&%zz=2", "?a=1"},
		{"a fragment", "a=1&b=#x", "?a=1"},
		{"empty pairs", "&&a=1&", "?a=1"},
		{"none", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			up := newReceiver(t, "tcp", nil)
			d, body := meta.Definition(), []byte(`{"object":"page"}`)
			s := newRoute(t, up.url("/in"), func(s *route) { s.verifier, s.opts.Query = meta.Must(githubSecret), true })
			header, err := signer.Header(d, signer.Delivery{Body: body, Secrets: []string{githubSecret}})
			if err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequest("POST", "/", bytes.NewReader(body))
			r.Header, r.URL.RawQuery = header, tt.query
			want(t, s.serve(r), 200)
			requests, _ := up.got()
			if line, _, _ := strings.Cut(string(requests[0]), "\r\n"); line != "POST /in"+tt.want+" HTTP/1.1" {
				t.Errorf("the upstream is asked for %q, want %q", line, tt.want)
			}
		})
	}
}

// TestNoSecretLeaves: no header of a provider that holds a credential goes on, and all others
// of its signature do.
func TestNoSecretLeaves(t *testing.T) {
	marked, passed := 0, 0
	for _, p := range catalog.All() {
		up := newReceiver(t, "tcp", nil)
		s := newRoute(t, up.url("/in"), func(s *route) {
			s.verifier = &pretender{p.Profile, p.About, "evt_1"}
			s.opts.Query = true
		})
		r := httptest.NewRequest("POST", "/", strings.NewReader("{}"))
		if p.Profile.MediaType != "" {
			r.Header.Set("Content-Type", p.Profile.MediaType)
		}
		query := make(url.Values)
		for _, use := range p.About.Headers {
			r.Header.Set(use.Name, "header of "+use.Name)
		}
		for _, name := range p.About.SecretQuery {
			query.Set(name, "header of "+name)
		}
		r.URL.RawQuery = query.Encode()
		want(t, s.serve(r), 200)
		requests, _ := up.got()
		if len(requests) != 1 {
			t.Fatalf("%s: %d requests", p.Name, len(requests))
		}
		for _, use := range p.About.Headers {
			if use.Name == "Content-Type" || use.Name == "Host" {
				continue
			}
			found := bytes.Contains(requests[0], []byte(use.Name+": header of"))
			switch {
			case use.Secret:
				marked++
				if found {
					t.Errorf("%s: %s leaves", p.Name, use.Name)
				}
			case found:
				passed++
			case use.Name != "Authorization" && use.Name != "Content-Length" && use.Name != "Content-Encoding":
				t.Errorf("%s: %s does not leave", p.Name, use.Name)
			}
		}
		for _, name := range p.About.SecretQuery {
			marked++
			if bytes.Contains(requests[0], []byte(url.QueryEscape(name))) {
				t.Errorf("%s: the parameter %s leaves", p.Name, name)
			}
		}
	}
	if marked < 5 || passed < 100 {
		t.Errorf("%d are marked and %d leave: does the test still look at anything?", marked, passed)
	}
}

// pretender verifies everything, as the verifier of some provider.
type pretender struct {
	profile verify.Profile
	about   verify.About
	id      string
}

func (p *pretender) Profile() verify.Profile { return p.profile }
func (p *pretender) About() verify.About     { return p.about }
func (p *pretender) Begin(_ context.Context, h *verify.Head) (verify.Pending, error) {
	return &pretended{p, h}, nil
}

type pretended struct {
	p *pretender
	h *verify.Head
}

func (p *pretended) Finish(_ context.Context, body []byte) (*verify.Delivery, error) {
	return &verify.Delivery{
		Provider: p.p.profile.Provider, Scope: "default", KeyLabel: "1", ID: p.p.id,
		SignedAt: p.h.ReceivedAt, ReceivedAt: p.h.ReceivedAt, Binding: p.p.profile.Binding, Body: body,
	}, nil
}

// TestAssertion: a receiver can check what stands in the request.
func TestAssertion(t *testing.T) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := assertion.NewKey("2026-11", private)
	if err != nil {
		t.Fatal(err)
	}
	set, err := assertion.NewKeySet(key)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, header, prefix, wantHeader, wantPrefix string }{
		{"in its own header", "", "", "Hooknotary-Assertion", ""},
		{"as a bearer token", "authorization", "", "Authorization", "Bearer "},
		{"with another prefix", "X-Jwt", "JWT ", "X-Jwt", "JWT "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			up := newReceiver(t, "tcp", nil)
			s := newRoute(t, up.url("/in"), func(s *route) {
				if s.opts.Assertion, err = assertion.NewSigner(key, "https://hooks.example.com", "n8n", nil); err != nil {
					t.Fatal(err)
				}
				s.opts.AssertionHeader, s.opts.AssertionPrefix = tt.header, tt.prefix
			})
			r := event()
			hostile(r.Header)
			want(t, s.serve(r), 200)
			requests, _ := up.got()
			if got := valuesOf(requests[0], tt.wantHeader); len(got) != 1 || !strings.HasPrefix(got[0], tt.wantPrefix) {
				t.Fatalf("%s is %q", tt.wantHeader, got)
			}
			v, err := assertion.New(set, "https://hooks.example.com", "n8n", &assertion.Options{Header: tt.wantHeader, Prefix: tt.wantPrefix})
			if err != nil {
				t.Fatal(err)
			}
			in, body := headOf(requests[0])
			d, err := verify.Verify(t.Context(), v, in, body)
			if err != nil {
				t.Fatalf("the assertion is refused: %v", err)
			}
			if d.ID != in.Header.Get("Hooknotary-Event-Key") || d.Scope != "default" {
				t.Errorf("the delivery is %+v", d)
			}
			if _, err := verify.Verify(t.Context(), v, in, append(body, ' ')); err == nil {
				t.Error("another body is accepted under it")
			}
		})
	}

	t.Run("a key that fails sends nothing", func(t *testing.T) {
		broken := &failing{PrivateKey: private}
		key, err := assertion.NewKey("2026-11", broken)
		if err != nil {
			t.Fatal(err)
		}
		broken.fails = true
		up := newReceiver(t, "tcp", nil)
		s := newRoute(t, up.url("/in"), func(s *route) {
			if s.opts.Assertion, err = assertion.NewSigner(key, "a", "b", nil); err != nil {
				t.Fatal(err)
			}
		})
		w := s.serve(event())
		want(t, w, 503)
		if _, conns := up.got(); conns != 0 || w.Header().Get("Retry-After") == "" || s.store.settled() != "release" {
			t.Errorf("%d connections, Retry-After %q, the store sees %s", conns, w.Header().Get("Retry-After"), s.store.settled())
		}
	})
}

// headOf returns what the receiver verifies.
func headOf(request []byte) (*verify.Head, []byte) {
	h := &verify.Head{Method: "POST", Header: make(http.Header), ReceivedAt: time.Now()}
	for _, line := range headers(request) {
		name, value, _ := strings.Cut(line, ": ")
		h.Header.Add(name, value)
	}
	_, body, _ := bytes.Cut(request, []byte("\r\n\r\n"))
	return h, slices.Clip(body)
}

func gzipped(b []byte) []byte {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	w.Write(b)
	w.Close()
	return packed.Bytes()
}

// failing is a private key that may be away.
type failing struct {
	*ecdsa.PrivateKey
	fails bool
}

func (f *failing) Sign(random io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	if f.fails {
		return nil, io.ErrClosedPipe
	}
	return f.PrivateKey.Sign(random, digest, o)
}

// TestResign: the verifier of Standard Webhooks takes what is signed anew.
func TestResign(t *testing.T) {
	inner := bytes.Repeat([]byte("k"), 32)
	text := "whsec_" + base64.StdEncoding.EncodeToString(inner)
	outer := "whsec_" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("o"), 32))
	for name, v := range map[string]verify.Verifier{"of Stripe": stripe.Must(secret), "of Standard Webhooks, whose headers make way": standardwebhooks.Must(outer)} {
		t.Run("a delivery "+name, func(t *testing.T) {
			up := newReceiver(t, "tcp", nil)
			s := newRoute(t, up.url("/in"), func(s *route) { s.verifier, s.opts.Resign = v, inner })
			r := event()
			if v.Profile().Provider != "stripe" {
				body := []byte(`{"type":"x"}`)
				header, err := signer.Header(standardwebhooks.Definition(), signer.Delivery{At: time.Now(), Body: body, Fields: map[string]string{"webhook-id": "msg_outer"}, Secrets: []string{outer}})
				if err != nil {
					t.Fatal(err)
				}
				r = httptest.NewRequest("POST", "/", bytes.NewReader(body))
				r.Header = header
			}
			want(t, s.serve(r), 200)
			requests, _ := up.got()
			in, body := headOf(requests[0])
			d, err := verify.Verify(t.Context(), standardwebhooks.Must(text), in, body)
			if err != nil || d.ID != in.Header.Get("Hooknotary-Event-Key") {
				t.Errorf("the delivery is %+v, the error %v", d, err)
			}
			if _, err := verify.Verify(t.Context(), standardwebhooks.Must(text), in, append(body, ' ')); err == nil {
				t.Error("another body is accepted under it")
			}
			if _, err := verify.Verify(t.Context(), standardwebhooks.Must(outer), in, body); err == nil {
				t.Error("another secret is accepted")
			}
		})
	}
}

// TestReportOnly: a guard that only reports hands on what nobody verified, and nothing says
// that anybody did.
func TestReportOnly(t *testing.T) {
	forged := func(body string) *http.Request {
		r := httptest.NewRequest("POST", "/", strings.NewReader(body))
		r.Header.Set("Stripe-Signature", "t=1,v1=00")
		hostile(r.Header)
		return r
	}
	newReportOnly := func(t *testing.T, up *receiver) *route {
		private, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		key, err := assertion.NewKey("1", private)
		if err != nil {
			t.Fatal(err)
		}
		return newRoute(t, up.url("/in"), func(s *route) {
			s.guard.InsecureReportOnly = true
			s.opts.Resign = bytes.Repeat([]byte("k"), 32)
			s.opts.Assertion, err = assertion.NewSigner(key, "a", "b", nil)
			if err != nil {
				t.Fatal(err)
			}
		})
	}
	t.Run("what would have been refused", func(t *testing.T) {
		up := newReceiver(t, "tcp", nil)
		s := newReportOnly(t, up)
		want(t, s.serve(forged(`{"id":"forged"}`)), 200)
		requests, _ := up.got()
		expected := "POST /in HTTP/1.1\r\nHost: " + up.listener.Addr().String() + "\r\nContent-Length: 15\r\nStripe-Signature: t=1,v1=00\r\nHooknotary-Route: billing\r\n\r\n" + `{"id":"forged"}`
		if len(requests) != 1 || string(requests[0]) != expected {
			t.Errorf("the upstream gets %q, want %q", requests, expected)
		}
	})
	t.Run("what is verified has its identity", func(t *testing.T) {
		up := newReceiver(t, "tcp", nil)
		s := newReportOnly(t, up)
		want(t, s.serve(event()), 200)
		requests, _ := up.got()
		for _, name := range []string{"Hooknotary-Event-Key", "Hooknotary-Assertion", "Webhook-Signature"} {
			if len(valuesOf(requests[0], name)) != 1 {
				t.Errorf("there is no %s", name)
			}
		}
	})
	t.Run("a body has a bound", func(t *testing.T) {
		up := newReceiver(t, "tcp", nil)
		s := newReportOnly(t, up)
		most := int(stripe.Definition().MaxBody)
		want(t, s.serve(forged(strings.Repeat("x", most))), 200)
		want(t, s.serve(forged(strings.Repeat("x", most+1))), 413)
		if requests, _ := up.got(); len(requests) != 1 {
			t.Errorf("the upstream gets %d requests", len(requests))
		}
	})
	t.Run("a body that breaks off goes nowhere", func(t *testing.T) {
		up := newReceiver(t, "tcp", nil)
		s := newReportOnly(t, up)
		r := forged("")
		r.Body = io.NopCloser(io.MultiReader(strings.NewReader("half"), brokenReader{}))
		want(t, s.serve(r), 400)
		if _, conns := up.got(); conns != 0 {
			t.Error("the upstream was asked")
		}
	})
	t.Run("only a POST goes on", func(t *testing.T) {
		up := newReceiver(t, "tcp", nil)
		s := newReportOnly(t, up)
		for _, method := range []string{"GET", "HEAD", "PUT", "DELETE"} {
			w := s.serve(httptest.NewRequest(method, "/", nil))
			if want(t, w, 405); w.Header().Get("Allow") != "POST" {
				t.Errorf("%s: Allow is %q", method, w.Header().Get("Allow"))
			}
		}
		if _, conns := up.got(); conns != 0 {
			t.Error("the upstream was asked")
		}
	})
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// TestRefused: the upstream is not asked for what is not verified.
func TestRefused(t *testing.T) {
	up := newReceiver(t, "tcp", nil)
	s := newRoute(t, up.url("/in"))
	for _, tt := range []struct {
		name   string
		change func(*http.Request)
		status int
	}{
		{"unsigned", func(r *http.Request) { r.Header.Del("Stripe-Signature") }, 401},
		{"forged", func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("{}")); r.ContentLength = 2 }, 401},
		{"a GET", func(r *http.Request) { r.Method = "GET" }, 405},
		{"another media type", func(r *http.Request) { r.Header.Set("Content-Type", "text/html") }, 415},
		{"too large", func(r *http.Request) { r.ContentLength = 1 << 40 }, 413},
	} {
		r := event()
		tt.change(r)
		if w := s.serve(r); w.Code != tt.status {
			t.Errorf("%s: %d, want %d", tt.name, w.Code, tt.status)
		}
	}
	if _, conns := up.got(); conns != 0 {
		t.Error("the upstream was asked")
	}
	want(t, s.serve(event()), 200)
}
