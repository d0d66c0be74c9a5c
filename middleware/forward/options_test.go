package forward_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/assertion"
	"github.com/hooknotary/hooknotary/middleware/forward"
	"github.com/hooknotary/hooknotary/providers/gitlab"
	"github.com/hooknotary/hooknotary/providers/standardwebhooks"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

func newGuard(t *testing.T, v verify.Verifier) *middleware.Guard {
	t.Helper()
	g, err := middleware.New("billing", v, replay.NewMemory(nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func newSigner(t testing.TB) *assertion.Signer {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := assertion.NewKey("1", private)
	if err != nil {
		t.Fatal(err)
	}
	s, err := assertion.NewSigner(key, "gateway", "receiver", nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestUpstream: what is dialled and asked for.
func TestUpstream(t *testing.T) {
	up := newReceiver(t, "tcp", nil)
	socket := newReceiver(t, "unix", nil)
	tcp, unix := up.listener.Addr().String(), socket.listener.Addr().String()
	for _, tt := range []struct{ upstream, line, host string }{
		{"http://" + tcp, "POST / HTTP/1.1", tcp},
		{"http://" + tcp + "/", "POST / HTTP/1.1", tcp},
		{"HTTP://" + tcp + "/a/b", "POST /a/b HTTP/1.1", tcp},
		{"http://" + tcp + "/a//b/", "POST /a//b/ HTTP/1.1", tcp},
		{"http://" + tcp + "//a", "POST //a HTTP/1.1", tcp},
		{"http://" + tcp + "/a%2Fb%20c", "POST /a%2Fb%20c HTTP/1.1", tcp},
		{"http://" + tcp + "/a:b@c;d", "POST /a:b@c;d HTTP/1.1", tcp},
		{"http://" + tcp + "/hooks/{tenant}/in", "POST /hooks/acme-1/in HTTP/1.1", tcp},
		{"http://" + tcp + "/{tenant}", "POST /acme-1 HTTP/1.1", tcp},
		{"unix:" + unix, "POST / HTTP/1.1", "localhost"},
		{"unix:" + unix + ":", "POST / HTTP/1.1", "localhost"},
		{"unix:" + unix + ":/webhook/path", "POST /webhook/path HTTP/1.1", "localhost"},
		{"unix:" + unix + ":/webhook/{tenant}", "POST /webhook/acme-1 HTTP/1.1", "localhost"},
	} {
		t.Run(tt.upstream, func(t *testing.T) {
			s := newRoute(t, tt.upstream)
			mux := http.NewServeMux()
			mux.Handle("/hooks/{tenant}", s.handler)
			r := event()
			r.URL.Path = "/hooks/acme-1"
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, r)
			want(t, w, 200)
			requests, _ := up.got()
			if strings.HasPrefix(tt.upstream, "unix") {
				requests, _ = socket.got()
			}
			last := requests[len(requests)-1]
			if line, _, _ := strings.Cut(string(last), "\r\n"); line != tt.line {
				t.Errorf("it is asked for %q, want %q", line, tt.line)
			}
			if got := valuesOf(last, "Host"); !slices.Equal(got, []string{tt.host}) {
				t.Errorf("Host is %q, want %q", got, tt.host)
			}
		})
	}

	for _, upstream := range []string{
		"", "/", "/path", "host", "host:80", "http:", "http://", "http:///path", "http:host/path", "://host/", "ftp://host/", "ws://host/", "tcp://host:80",
		"http://:80/", "http://host:port/", "http://host:99999999/", "http://ho st/", "http://höst/", "http://host%41/", "http://[::1/",
		"http://user@host/", "http://user:hunter2@host/", "http://host/?", "http://host/?a=hunter2", "http://host/#", "http://host/#hunter2",
		"http://host/a b", "http://host/é", "http://host/%zz", "http://host/%", "http://host/\r\nX-Evil: 1", "http://host/a\x00",
		"http://host/..", "http://host/a/../b", "http://host/./a", "http://host/%2e%2e/b", "http://host/.%2E",
		"http://host/{", "http://host/}", "http://host/{}", "http://host/{a", "http://host/a}", "http://host/{a-b}", "http://host/x{a}", "http://host/{a}x",
		"http://host/{a}{b}", "http://host/{a}/{b}", "http://host/{a...}", "http://host/{$}", "http://{a}/", "http://host:{a}/", "{a}://host/", "http://host/{1}",
		"unix:", "unix:relative.sock", "unix:relative.sock:/a", "unix://host/a", "unix:/a.sock:b", "unix:/a.sock:/b?c", "unix:/a.sock:/b:/../c", "unix:/{a}.sock:/b", "unix:/a\x00b:/",
		" http://host/", "http://host/ ", "http://host\\@evil/",
	} {
		h, err := forward.New(newGuard(t, stripe.Must(secret)), upstream, nil)
		if err == nil || h != nil {
			t.Errorf("New takes %q", upstream)
			continue
		}
		for _, piece := range []string{"hunter2", "evil", "relative", "\x00", "X-Evil"} {
			if strings.Contains(upstream, piece) && strings.Contains(err.Error(), piece) {
				t.Errorf("the error on %q holds a piece of it: %v", upstream, err)
			}
		}
	}
}

// TestWildcard: the value of a wildcard that is no plain name goes nowhere.
func TestWildcard(t *testing.T) {
	up := newReceiver(t, "tcp", nil)
	s := newRoute(t, up.url("/in/{tenant}"))
	ask := func(value string) *httptest.ResponseRecorder {
		r := event()
		r.SetPathValue("tenant", value)
		return s.serve(r)
	}
	for _, good := range []string{"a", "Z", "0", "a.b", "a-b_c.", strings.Repeat("x", 64)} {
		want(t, ask(good), 200)
	}
	asked, _ := up.got()
	for _, bad := range []string{
		"", ".", "..", ".a", "-a", "_a", "a/b", "a/../b", "a%2Fb", "a?b", "a#b", "a b", "a\r\nb", "a\\b", "é", "a:b", "a@b", "a;b", strings.Repeat("x", 65),
	} {
		w := ask(bad)
		if want(t, w, 404); w.Header().Get("Connection") != "close" {
			t.Errorf("%q: the connection goes on, with a body that nobody reads", bad)
		}
	}
	if requests, _ := up.got(); len(requests) != len(asked) {
		t.Error("the upstream was asked")
	}
	if n := s.store.claims.Load(); n != int64(len(asked)) {
		t.Errorf("the store was asked %d times, want %d", n, len(asked))
	}
	w := s.serve(event())
	want(t, w, 404) // the route has no such wildcard
}

// TestNew: each mistake, and its accepted twin.
func TestNew(t *testing.T) {
	plain := func() *forward.Options { return new(forward.Options) }
	signed := func(o *forward.Options) { o.Assertion = newSigner(t) }
	const token = "Jk2v9QmT4kLr8ZpWc3NdYb6s"
	for _, tt := range []struct {
		name     string
		upstream string          // default: http
		verifier verify.Verifier // default: Stripe's
		wrong    func(*forward.Options)
		right    func(*forward.Options)
		says     string
	}{
		{"a negative Timeout", "", nil, func(o *forward.Options) { o.Timeout = -1 }, func(o *forward.Options) { o.Timeout = 1 }, "Timeout is -1ns"},
		{"a negative IdleTimeout", "", nil, func(o *forward.Options) { o.IdleTimeout = -1 }, func(o *forward.Options) { o.IdleTimeout = 1 }, "IdleTimeout is -1ns"},
		{"a success of 2xx", "", nil, func(o *forward.Options) { o.Success = []int{200} }, func(o *forward.Options) { o.Success = []int{300, 599} }, "Success has 200"},
		{"a success of 1xx", "", nil, func(o *forward.Options) { o.Success = []int{101} }, nil, "Success has 101"},
		{"a success of 600", "", nil, func(o *forward.Options) { o.Success = []int{600} }, nil, "Success has 600"},

		{"TLS without https", "", nil, func(o *forward.Options) { o.TLS = new(tls.Config) }, nil, "not https"},
		{"no verification", "https://host/", nil, func(o *forward.Options) { o.TLS = &tls.Config{InsecureSkipVerify: true} }, func(o *forward.Options) { o.TLS = new(tls.Config) }, "InsecureSkipVerify"},
		{"TLS 1.1", "https://host/", nil, func(o *forward.Options) { o.TLS = &tls.Config{MinVersion: tls.VersionTLS11} }, func(o *forward.Options) { o.TLS = &tls.Config{MinVersion: tls.VersionTLS13} }, "below 1.2"},
		{"TLS 1.1 at most", "https://host/", nil, func(o *forward.Options) { o.TLS = &tls.Config{MaxVersion: tls.VersionTLS11} }, func(o *forward.Options) { o.TLS = &tls.Config{MaxVersion: tls.VersionTLS12} }, "below 1.2"},

		{"a header that frames", "", nil, header("Content-Length", "1"), header("X-Content-Length", "1"), "Header has Content-Length"},
		{"another spelling of it", "", nil, header("transfer_encoding", "chunked"), nil, "Header has transfer_encoding"},
		{"an idempotency key", "", nil, header("Idempotency-Key", "1"), header("X-Key", "1"), "Header has Idempotency-Key"},
		{"another one", "", nil, header("X-Idempotency-Key", "1"), nil, "Header has X-Idempotency-Key"},
		{"a host", "", nil, header("Host", "evil"), nil, "Header has Host"},
		{"an identity header", "", nil, header("Hooknotary-Scope", "x"), header("Hooknotary", "x"), "Header has Hooknotary-Scope"},
		{"another spelling of one", "", nil, header("HOOKNOTARY_Anything", "x"), nil, "Header has HOOKNOTARY_Anything"},
		{"a name that is none", "", nil, header("X Token", "x"), header("X-Token", "x"), "a name that is none"},
		{"an empty name", "", nil, header("", "x"), nil, "a name that is none"},
		{"a name with a line end", "", nil, header("X\r\nY", "x"), nil, "a name that is none"},
		{"a value with a line end", "", nil, header("X-Token", token+"\n"), header("X-Token", token), "a line end behind the token"},
		{"one header in two spellings", "", nil, func(o *forward.Options) { o.Header = http.Header{"X-Token": {"a"}, "x_token": {"b"}} }, func(o *forward.Options) { o.Header = http.Header{"X-Token": {"a", "b"}} }, "in another spelling"},
		{"the header of the signature", "", nil, header("Stripe-Signature", "x"), header("Stripe-Account", "x"), "the sender signs in Stripe-Signature"},

		{"the sender's cookies", "", nil, from("Cookie"), from("X-Cookie"), "SenderHeaders has Cookie"},
		{"the sender's Authorization", "", nil, from("authorization"), nil, "SenderHeaders has Authorization"},
		{"the sender's X-Forwarded-For", "", nil, from("X-Forwarded-For"), nil, "SenderHeaders has X-Forwarded-For"},
		{"another spelling of it", "", nil, from("X_Forwarded_Proto"), nil, "SenderHeaders has X_forwarded_proto"},
		{"X-Forwarded with anything behind", "", nil, from("X-Forwarded-Client-Cert"), nil, "SenderHeaders has X-Forwarded-Client-Cert"},
		{"the sender's trace", "", nil, from("traceparent"), nil, "SenderHeaders has Traceparent"},
		{"the sender's identity", "", nil, from("Hooknotary-Scope"), nil, "SenderHeaders has Hooknotary-Scope"},
		{"another spelling of it", "", nil, from("hooknotary_scope"), nil, "SenderHeaders has Hooknotary_scope"},
		{"the sender's method", "", nil, from("X-HTTP-Method-Override"), nil, "SenderHeaders has X-Http-Method-Override"},
		{"the sender's idempotency key", "", nil, from("Idempotency-Key"), nil, "SenderHeaders has Idempotency-Key"},
		{"the sender's framing", "", nil, from("Transfer-Encoding"), nil, "SenderHeaders has Transfer-Encoding"},
		{"a name that is none", "", nil, from("X Event"), from("X-Event"), "SenderHeaders has a name"},
		{"one name in two spellings", "", nil, from("X-Event", "X_Event"), from("X-Event", "x-event"), "in two spellings"},
		{"the sender's token", "", gitlab.InsecureMust(token), from("X-Gitlab-Token"), from("X-Gitlab-Event"), "a credential of the sender"},
		{"another spelling of it", "", gitlab.InsecureMust(token), from("X_Gitlab_Token"), nil, "a credential of the sender"},
		{"a header that Header sets", "", nil, func(o *forward.Options) { header("X-Token", "x")(o); from("X-Token")(o) }, func(o *forward.Options) { header("X-Token", "x")(o); from("X-Event")(o) }, "SenderHeaders has X-Token, which another option sets"},

		{"an assertion's header without one", "", nil, func(o *forward.Options) { o.AssertionHeader = "X-Jwt" }, func(o *forward.Options) { signed(o); o.AssertionHeader = "X-Jwt" }, "there is none"},
		{"an assertion's prefix without one", "", nil, func(o *forward.Options) { o.AssertionPrefix = "JWT " }, func(o *forward.Options) { signed(o); o.AssertionPrefix = "JWT " }, "there is none"},
		{"an assertion in a header that frames", "", nil, func(o *forward.Options) { signed(o); o.AssertionHeader = "Content-Type" }, func(o *forward.Options) { signed(o); o.AssertionHeader = "Cookie" }, "AssertionHeader"},
		{"an assertion in another identity header", "", nil, func(o *forward.Options) { signed(o); o.AssertionHeader = "Hooknotary-Scope" }, func(o *forward.Options) { signed(o); o.AssertionHeader = "hooknotary-assertion" }, "AssertionHeader"},
		{"an assertion in no header", "", nil, func(o *forward.Options) { signed(o); o.AssertionHeader = "X Y" }, nil, "AssertionHeader"},
		{"an assertion behind a line end", "", nil, func(o *forward.Options) { signed(o); o.AssertionPrefix = "a\r\nb: " }, nil, "AssertionPrefix"},
		{"an assertion where Header has the token", "", nil, func(o *forward.Options) {
			signed(o)
			o.AssertionHeader = "Authorization"
			header("Authorization", "x")(o)
		}, func(o *forward.Options) { signed(o); header("Authorization", "x")(o) }, "Header has Authorization, which another option sets"},
		{"an assertion where the sender signs", "", nil, func(o *forward.Options) { signed(o); o.AssertionHeader = "Stripe-Signature" }, nil, "the sender signs in Stripe-Signature"},
		{"an assertion where Resign signs", "", nil, func(o *forward.Options) {
			signed(o)
			o.AssertionHeader, o.Resign = "Webhook-Signature", make([]byte, 32)
		}, nil, "which Resign needs"},
		{"an assertion in X-Forwarded-For", "", nil, func(o *forward.Options) {
			signed(o)
			o.AssertionHeader, o.ClientAddress = "X-Forwarded-For", func(*http.Request) string { return "" }
		}, nil, "which ClientAddress needs"},

		{"a short secret", "", nil, func(o *forward.Options) { o.Resign = make([]byte, 23) }, func(o *forward.Options) { o.Resign = make([]byte, 24) }, "Resign has 23 bytes"},
		{"an empty secret", "", nil, func(o *forward.Options) { o.Resign = []byte{} }, nil, "Resign has 0 bytes"},
		{"a long secret", "", nil, func(o *forward.Options) { o.Resign = make([]byte, 65) }, func(o *forward.Options) { o.Resign = make([]byte, 64) }, "Resign has 65 bytes"},
		{"a header where Resign signs", "", nil, func(o *forward.Options) { o.Resign = make([]byte, 32); header("webhook-id", "x")(o) }, nil, "Header has webhook-id"},
		{"a sender's header where Resign signs", "", standardwebhooks.Must("whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 32))), func(o *forward.Options) { o.Resign = make([]byte, 32); from("webhook-id")(o) }, func(o *forward.Options) { o.Resign = make([]byte, 32) }, "SenderHeaders has Webhook-Id"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			upstream, v := tt.upstream, tt.verifier
			if upstream == "" {
				upstream = "http://host/"
			}
			if v == nil {
				v = stripe.Must(secret)
			}
			o := plain()
			tt.wrong(o)
			h, err := forward.New(newGuard(t, v), upstream, o)
			if err == nil || h != nil || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), `endpoint "billing"`) {
				t.Errorf("the error is %v, want one that says %q", err, tt.says)
			}
			if err != nil && strings.Contains(err.Error(), token) {
				t.Errorf("the error holds the token: %v", err)
			}
			o = plain()
			if tt.right != nil {
				tt.right(o)
			}
			if _, err := forward.New(newGuard(t, v), upstream, o); err != nil {
				t.Errorf("its twin is refused: %v", err)
			}
		})
	}

	t.Run("no guard", func(t *testing.T) {
		if h, err := forward.New(nil, "http://host/", nil); err == nil || h != nil {
			t.Error("New takes it")
		}
	})
	t.Run("all mistakes at once", func(t *testing.T) {
		_, err := forward.New(newGuard(t, stripe.Must(secret)), "http://host/", &forward.Options{Timeout: -1, IdleTimeout: -1, SenderHeaders: []string{"Cookie", "Via"}})
		for _, word := range []string{"Timeout is", "IdleTimeout is", "Cookie", "Via"} {
			if !strings.Contains(fmt.Sprint(err), word) {
				t.Errorf("the error does not say %q: %v", word, err)
			}
		}
	})
	t.Run("the options are copied", func(t *testing.T) {
		up := newReceiver(t, "tcp", nil)
		o := &forward.Options{Header: http.Header{"X-Token": {"own"}}, SenderHeaders: []string{"X-Event"}, Success: []int{409}, Resign: bytes.Repeat([]byte("k"), 32)}
		h, err := forward.New(newGuard(t, stripe.Must(secret)), up.url("/in"), o)
		if err != nil {
			t.Fatal(err)
		}
		o.Header["X-Token"][0], o.Header["X-Other"] = "changed", []string{"changed"}
		o.SenderHeaders[0], o.Success[0] = "Cookie", 500
		clear(o.Resign)
		r := event()
		r.Header.Set("X-Event", "genuine")
		r.Header.Set("Cookie", "changed")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		requests, _ := up.got()
		if len(requests) != 1 || bytes.Contains(requests[0], []byte("changed")) || !bytes.Contains(requests[0], []byte("X-Event: genuine")) {
			t.Errorf("the upstream gets %q", requests)
		}
		in, body := headOf(requests[0])
		if _, err := verify.Verify(t.Context(), standardwebhooks.Must("whsec_"+base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("k"), 32))), in, body); err != nil {
			t.Errorf("the secret was changed: %v", err)
		}
	})
}

func header(name, value string) func(*forward.Options) {
	return func(o *forward.Options) { o.Header = http.Header{name: {value}} }
}

func from(names ...string) func(*forward.Options) {
	return func(o *forward.Options) { o.SenderHeaders = names }
}

// TestSecrecy: a handler and its reports show no secret, in no verb.
func TestSecrecy(t *testing.T) {
	token, inner := "own-token-hunter2", bytes.Repeat([]byte("hunter2!"), 4)
	up := newReceiver(t, "tcp", saysAndCloses("HTTP/1.1 200 personal-data\r\nno header personal-data\r\n\r\n"))
	s := newRoute(t, up.url("/in"), func(s *route) {
		s.opts.Header, s.opts.Resign, s.opts.Assertion = http.Header{"X-Token": {token}}, inner, newSigner(t)
	})
	w := s.serve(event())
	shown := fmt.Sprint(w.Header(), w.Body, s.report(), s.report().Err)
	type holder struct{ h *forward.Handler }
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x"} {
		shown += fmt.Sprintf(verb, s.handler) + fmt.Sprintf(verb, holder{s.handler}) + fmt.Sprintf(verb, s.report())
	}
	for _, secret := range []string{token, string(inner), hex.EncodeToString(inner), base64.StdEncoding.EncodeToString(inner), "hunter2", hex.EncodeToString([]byte("hunter2")), "personal-data", "eyJ"} {
		if strings.Contains(shown, secret) {
			t.Errorf("%q shows in %s", secret, shown)
		}
	}
	if got := fmt.Sprint(s.handler); got != `forward.Handler("billing")` {
		t.Errorf("it prints as %s", got)
	}
	var none *forward.Handler
	if got := fmt.Sprint(none, new(forward.Handler)); strings.Count(got, "none") != 2 {
		t.Errorf("without a guard it prints as %s", got)
	}
}

// TestIdleDefault: a connection is idle for a second.
func TestIdleDefault(t *testing.T) {
	up := newReceiver(t, "tcp", nil)
	h, err := forward.New(newGuard(t, stripe.Must(secret)), up.url("/in"), nil)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, event())
	want(t, w, 200)
	time.Sleep(1200 * time.Millisecond) // longer than a connection is idle
	w = httptest.NewRecorder()
	h.ServeHTTP(w, event())
	want(t, w, 200)
	if _, conns := up.got(); conns != 2 {
		t.Errorf("%d connections, want 2", conns)
	}
}
