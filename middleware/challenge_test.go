package middleware_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

const greeterToken = "the token of the greeter"

// greeter is a provider with handshakes of all kinds.
func greeter(s *site) {
	v, err := scheme.New(scheme.Definition{
		Provider:   "greeter",
		Signatures: []scheme.Signature{{Header: "X-Signature"}},
		Message:    []scheme.Part{scheme.Body()},
		BodyPrefix: "{",
		MaxBody:    1 << 10,
		Retry:      verify.RetryIdentical,
		Handshakes: []scheme.Handshake{
			{Kind: scheme.GetHandshake, Token: "token", Parameter: "challenge", Response: "$challenge"},
			{Kind: scheme.GetHandshake, Parameter: "crc", Response: `{"response":"$hmac_hex"}`},
			{Kind: scheme.HeadHandshake},
			{Kind: scheme.PostHandshake, Token: "token", Member: "challenge", Without: "X-Signature", Response: `{"challenge":"$challenge"}`},
			{Kind: scheme.SignedHandshake, If: []scheme.Condition{{Name: "type", Value: "hello"}}, Member: "challenge", Response: "$challenge"},
			{Kind: scheme.SignedHandshake, If: []scheme.Condition{{Name: "type", Value: "hush"}}},
		},
	}, verify.Secrets(githubSecret), &scheme.Options{VerifyToken: greeterToken})
	if err != nil {
		s.t.Fatal(err)
	}
	s.verifier = v
	s.request = greeted(http.MethodPost, "", `{"type":"paid"}`)
}

// greeted returns a request to the greeter; a POST is signed.
func greeted(method, query, body string) *http.Request {
	r, err := http.NewRequest(method, hookURL+"?"+query, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	if method == http.MethodPost {
		m := hmac.New(sha256.New, []byte(githubSecret))
		io.WriteString(m, body)
		r.Header.Set("X-Signature", hex.EncodeToString(m.Sum(nil)))
		r.Header.Set("Content-Type", "application/json")
	}
	return r
}

func greets(method, query, body string) func(*site) {
	return func(s *site) { s.request = greeted(method, query, body) }
}

// unsignedly takes the signature away.
func unsignedly(s *site) { s.request.Header.Del("X-Signature") }

type challenge struct {
	name     string
	changes  []func(*site)
	status   int
	body     string
	headers  []string
	verified bool
}

var genuineToken = "token=" + url.QueryEscape(greeterToken)

var challenges = []challenge{
	{"a GET", []func(*site){greets("GET", genuineToken+"&challenge=abc", "")}, 200, "abc", []string{"Content-Type", "text/plain; charset=utf-8"}, false},
	{"a GET that asks for something computed", []func(*site){greets("GET", "crc=abc", "")}, 200, `{"response":"…"}`, []string{"Content-Type", "application/json"}, false},
	{"a HEAD", []func(*site){greets("HEAD", "", "")}, 200, "", []string{"Content-Type", ""}, false},
	{"a POST that is not signed", []func(*site){greets("POST", genuineToken, `{"challenge":"abc"}`), unsignedly}, 200, `{"challenge":"abc"}`, []string{"Content-Type", "application/json"}, false},
	{"a delivery", []func(*site){greets("POST", "", `{"type":"hello","challenge":"abc"}`)}, 200, "abc", []string{"Content-Type", "text/plain; charset=utf-8"}, true},
	{"a delivery that wants silence", []func(*site){greets("POST", "", `{"type":"hush"}`)}, 204, "", []string{"Content-Type", "application/json", "Content-Length", ""}, true},
}

func TestChallenge(t *testing.T) {
	t.Run("the guard answers it, and nothing runs", func(t *testing.T) {
		for _, c := range challenges {
			t.Run(c.name, func(t *testing.T) {
				s := newSite(t, append([]func(*site){greeter, observed}, c.changes...)...)
				s.opts.OnReject = func(context.Context, verify.Reason, *middleware.Response) { t.Error("it is rejected") }
				length := int(s.request.ContentLength)
				w := s.serve(s.request)
				want(t, w, c.status, append([]string{"X-Content-Type-Options", "nosniff", "Cache-Control", "no-store"}, c.headers...)...)
				if strings.Contains(c.body, "response") {
					m := hmac.New(sha256.New, []byte(githubSecret))
					io.WriteString(m, "abc")
					c.body = `{"response":"` + hex.EncodeToString(m.Sum(nil)) + `"}`
				}
				if w.Body.String() != c.body {
					t.Errorf("body %q, want %q", w.Body, c.body)
				}
				wantRuns(t, s, 0)
				if n := s.store.calls(); n != 0 {
					t.Errorf("%d calls of the store", n)
				}
				e := s.event()
				if e.Outcome != middleware.Challenged || e.Outcome.String() != "challenged" || e.Reason != 0 || e.Err != nil || e.Status != c.status || e.BodyBytes != length {
					t.Errorf("report %+v", e)
				}
				if !e.Handshake {
					t.Error("the report does not say that it is a handshake")
				}
				if e.Verified != c.verified || e.Signed() != c.verified || (e.KeyLabel != "") != c.verified {
					t.Errorf("verified %v, signed %v, by %q", e.Verified, e.Signed(), e.KeyLabel)
				}
				if s.request.Body != http.NoBody {
					t.Error("the request has a body for whatever runs behind it")
				}
			})
		}
	})

	t.Run("an event is an event", func(t *testing.T) {
		s := newSite(t, greeter, observed)
		want(t, s.serve(s.request), 200, "X-Content-Type-Options", "")
		wantRuns(t, s, 1)
		if e := s.event(); e.Outcome != middleware.Handled {
			t.Errorf("report %+v", e)
		}
	})

	t.Run("what is none is refused", func(t *testing.T) {
		long := `{"challenge":"` + strings.Repeat("a", 1<<10) + `"}`
		for _, c := range []struct {
			name    string
			changes []func(*site)
			reason  verify.Reason
			status  int
		}{
			{"a GET", []func(*site){greets("GET", "", "")}, verify.ErrMethod, 405},
			{"a PUT", []func(*site){greets("PUT", genuineToken+"&challenge=abc", "")}, verify.ErrMethod, 405},
			{"a GET with another token", []func(*site){greets("GET", "token=x&challenge=abc", "")}, verify.ErrMismatch, 401},
			{"a GET without a token", []func(*site){greets("GET", "challenge=abc", "")}, verify.ErrUnsigned, 401},
			{"a GET of HTML", []func(*site){greets("GET", genuineToken+"&challenge=%3Cb%3E", "")}, verify.ErrMalformed, 401},
			{"a GET of an event to be signed", []func(*site){greets("GET", "crc=%7B%7D", "")}, verify.ErrMalformed, 401},
			{"a GET with a body", []func(*site){greets("GET", genuineToken+"&challenge=abc", "{}")}, verify.ErrMalformed, 401},
			{"a GET with a body of another encoding", []func(*site){greets("GET", genuineToken+"&challenge=abc", ""), header("Content-Encoding", "gzip")}, verify.ErrMediaType, 415},
			{"a POST with a body that is too large", []func(*site){greets("POST", genuineToken, long), unsignedly}, verify.ErrTooLarge, 413},
			{"a POST with a body that is announced too large, of which nothing is read", []func(*site){greets("POST", genuineToken, long), unsignedly, func(s *site) { setBody(s.request, untouchable{s.t}) }}, verify.ErrTooLarge, 413},
			{"one whose length is not known", []func(*site){greets("POST", genuineToken, long), unsignedly, func(s *site) { s.request.ContentLength = -1 }}, verify.ErrTooLarge, 413},
			{"a POST whose body is broken off", []func(*site){greets("POST", genuineToken, `{"challenge":"abc"}`), unsignedly, func(s *site) { s.request.ContentLength++ }}, verify.ErrBody, 400},
			{"a POST with another token", []func(*site){greets("POST", "token=x", `{"challenge":"abc"}`), unsignedly}, verify.ErrMismatch, 401},
			{"a delivery that is not signed", []func(*site){greets("POST", "", `{"type":"hello","challenge":"abc"}`), unsignedly}, verify.ErrUnsigned, 401},
			{"a delivery with another signature", []func(*site){greets("POST", "", `{"type":"hello","challenge":"abc"}`), header("X-Signature", strings.Repeat("0", 64))}, verify.ErrMismatch, 401},
			{"a delivery whose challenge is HTML", []func(*site){greets("POST", "", `{"type":"hello","challenge":"<b>"}`)}, verify.ErrMalformed, 401},
		} {
			t.Run(c.name, func(t *testing.T) {
				s := newSite(t, append([]func(*site){greeter, observed}, c.changes...)...)
				want(t, s.serve(s.request), c.status, "Content-Type", "application/problem+json")
				wantRuns(t, s, 0)
				if n := s.store.calls(); n != 0 {
					t.Errorf("%d calls of the store", n)
				}
				if e := s.event(); e.Outcome != middleware.Refused || e.Reason != c.reason || e.Status != c.status {
					t.Errorf("report %+v", e)
				}
			})
		}
	})

	t.Run("all 401s are the same", func(t *testing.T) {
		first := ""
		for _, change := range []func(*site){
			greets("GET", "token=x&challenge=abc", ""), greets("GET", genuineToken+"&challenge=%3Cb%3E", ""),
			greets("POST", "", `{"type":"hello","challenge":"<b>"}`),
			func(s *site) { unsignedly(s) },
		} {
			s := newSite(t, greeter, change)
			var b bytes.Buffer
			s.serve(s.request).Result().Write(&b)
			if first == "" {
				first = b.String()
			}
			if b.String() != first {
				t.Errorf("got  %q\nwant %q", b.String(), first)
			}
		}
	})

	t.Run("a guard that only reports leaves it to the handler", func(t *testing.T) {
		for _, c := range challenges {
			t.Run(c.name, func(t *testing.T) {
				s := newSite(t, append([]func(*site){greeter, observed, reportOnly}, c.changes...)...)
				plain := read(again(t, s.request))
				s.handle = func(w http.ResponseWriter, r *http.Request) {
					if got := read(r); got.body != plain.body || got.method != plain.method || got.length != plain.length {
						t.Errorf("the handler got %+v, want %+v", got, plain)
					}
					if _, ok := verify.FromContext(r.Context()); ok {
						t.Error("there is a delivery")
					}
					w.WriteHeader(202)
				}
				want(t, s.serve(s.request), 202, "X-Content-Type-Options", "")
				wantRuns(t, s, 1)
				if n := s.store.calls(); n != 0 {
					t.Errorf("%d calls of the store", n)
				}
				if e := s.event(); e.Outcome != middleware.Challenged || !e.ReportOnly || e.Status != 0 || e.Verified != c.verified {
					t.Errorf("report %+v", e)
				}
			})
		}
	})

	t.Run("what is computed has a limit", func(t *testing.T) {
		s := newSite(t, greeter)
		statuses := make(map[int]int)
		for range 40 {
			statuses[s.serve(greeted("GET", "crc=abc", "")).Code]++
		}
		// In bursts of 20, and 5 a second.
		if statuses[200] < 20 || statuses[200] > 30 || statuses[503] != 40-statuses[200] {
			t.Errorf("statuses %v", statuses)
		}
		for range 40 { // what is only echoed has none
			if code := s.serve(greeted("GET", genuineToken+"&challenge=abc", "")).Code; code != 200 {
				t.Fatalf("status %d", code)
			}
		}
	})

	t.Run("a response that no handshake has does not leave", func(t *testing.T) {
		for _, r := range []*verify.Response{
			nil, {Status: 302}, {ContentType: "text/html", Body: []byte("<b>")}, {ContentType: verify.TextPlain, Body: make([]byte, verify.MaxResponse+1)},
		} {
			s := newSite(t, observed, func(s *site) { s.verifier = &presuming{s.verifier, r} }, method("GET"))
			want(t, s.serve(s.request), 503)
			if e := s.event(); e.Reason != verify.ErrUnavailable || e.Err == nil {
				t.Errorf("report %+v", e)
			}
		}
		s := newSite(t, func(s *site) {
			s.verifier = &presuming{s.verifier, &verify.Response{ContentType: verify.TextPlain, Body: []byte("x")}}
		}, method("GET"))
		s.request.Body, s.request.ContentLength = http.NoBody, 0
		want(t, s.serve(s.request), 200)
	})

	t.Run("it is logged as no refusal", func(t *testing.T) {
		var b bytes.Buffer
		s := newSite(t, greeter, greets("GET", genuineToken+"&challenge=abc", ""), func(s *site) {
			s.opts.Observe = middleware.LogObserver(slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{Level: slog.LevelDebug})))
		})
		s.serve(s.request)
		if !strings.Contains(b.String(), "level=DEBUG") || !strings.Contains(b.String(), "webhook challenged") || strings.Contains(b.String(), "abc") {
			t.Errorf("log %q", b.String())
		}
	})

	t.Run("over a socket", func(t *testing.T) {
		s := newSite(t, greeter)
		server := listen(t, s.handler)
		for _, path := range []string{"?" + genuineToken + "&challenge=abc", "?challenge=abc"} {
			response, err := http.Get(server.URL + path)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(response.Body)
			response.Body.Close()
			if good := strings.HasPrefix(path, "?token"); good != (response.StatusCode == 200 && string(body) == "abc" && response.ContentLength == 3) {
				t.Errorf("%s: status %d, body %q", path, response.StatusCode, body)
			}
		}
		response, err := http.Head(server.URL)
		if err != nil || response.StatusCode != 200 || response.ContentLength > 0 {
			t.Errorf("HEAD: %v, %v", response, err)
		}
	})
}

// presuming is a verifier that takes each GET for a handshake.
type presuming struct {
	verify.Verifier
	response *verify.Response
}

func (a *presuming) Challenge(_ context.Context, h *verify.Head) (verify.Challenge, error) {
	if h.Method != http.MethodGet {
		return nil, nil
	}
	return a, nil
}

func (a *presuming) Finish(context.Context, []byte) (*verify.Response, error) { return a.response, nil }

func (a *presuming) Respond(context.Context, *verify.Head, *verify.Delivery) (*verify.Response, error) {
	return nil, nil
}

// TestRejection looks at what providers want that send bad signatures to see whether
// somebody looks.
func TestRejection(t *testing.T) {
	for _, tt := range []struct {
		name   string
		wants  verify.Rejection
		status int
		body   string
		header string // WWW-Authenticate
		good   bool
	}{
		{"nothing", verify.Rejection{}, 401, `{"type":"about:blank","title":"Unauthorized","status":401}`, "Webhook-Signature", true},
		{"401 without a body", verify.Rejection{NoBody: true}, 401, "", "Webhook-Signature", true},
		{"403", verify.Rejection{Status: 403}, 403, `{"type":"about:blank","title":"Forbidden","status":403}`, "", true},
		{"a status that is made up", verify.Rejection{Status: 498}, 498, `{"type":"about:blank","title":"Refused","status":498}`, "", true},
		{"a success", verify.Rejection{Status: 200}, 0, "", "", false},
		{"an error of ours", verify.Rejection{Status: 500}, 0, "", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wants := func(s *site) {
				s.verifier = &altered{Verifier: s.verifier, profile: func(p *verify.Profile) { p.Rejection = tt.wants }}
			}
			if !tt.good {
				s := newSite(t)
				wants(s)
				if _, err := middleware.New("test", s.verifier, replay.NewMemory(nil), nil); err == nil || !strings.Contains(err.Error(), "Rejection.Status") {
					t.Errorf("error is %v", err)
				}
				return
			}
			for _, change := range []func(*site){
				header("Stripe-Signature", ""), header("Stripe-Signature", "t=1,v1=zz"), signedAt(-time.Hour),
				func(s *site) { setBody(s.request, bytes.NewReader(make([]byte, s.request.ContentLength))) },
			} {
				s := newSite(t, wants, change)
				w := s.serve(s.request)
				want(t, w, tt.status, "WWW-Authenticate", tt.header)
				if w.Body.String() != tt.body {
					t.Errorf("body %q, want %q", w.Body, tt.body)
				}
			}
			// Whatever else is refused is not about the signature.
			s := newSite(t, wants, method("PUT"))
			want(t, s.serve(s.request), 405, "Content-Type", "application/problem+json")
		})
	}
}

// TestNoHandshakes looks at a route that lets no GET through to the guard.
func TestNoHandshakes(t *testing.T) {
	for _, tt := range []struct {
		name, pattern string
		change        func(*site)
		says          bool
	}{
		{"a pattern with the method", "POST /hooks/stripe", greeter, true},
		{"a pattern without one", "/hooks/stripe", greeter, false},
		{"a pattern with the method, and a provider without handshakes", "POST /hooks/stripe", func(*site) {}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, tt.change, observed)
			mux := http.NewServeMux()
			mux.Handle(tt.pattern, s.handler)
			for i := range 2 {
				w := httptest.NewRecorder()
				mux.ServeHTTP(w, again(t, s.request))
				if e := s.events[i]; e.NoHandshakes != (tt.says && i == 0) || e.Handshake {
					t.Errorf("report %d: %+v", i, e)
				}
			}
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, httptest.NewRequest("HEAD", "/hooks/stripe", nil))
			if hidden := len(s.events) == 2; hidden != strings.HasPrefix(tt.pattern, "POST") {
				t.Errorf("the guard has seen %d requests", len(s.events))
			}
		})
	}
}
