package middlewaretest

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/verify"
)

// The handshakes of the battery's provider: a GET and a POST with this parameter, and a
// delivery whose body starts so.
const (
	challengeParameter = "battery-challenge"
	challengeBody      = `{"hello":`
)

// challenged is a request that is a handshake by its head.
type challenged struct{ text string }

// Challenge implements verify.Challenger.
func (p *provider) Challenge(_ context.Context, h *verify.Head) (verify.Challenge, error) {
	if h.URL == nil || h.URL.Query().Get(challengeParameter) == "" {
		return nil, nil
	}
	text := h.URL.Query().Get(challengeParameter)
	if strings.Trim(text, "abcdefghijklmnopqrstuvwxyz") != "" {
		return nil, &verify.Error{Reason: verify.ErrMalformed}
	}
	return challenged{text}, nil
}

// Finish implements verify.Challenge.
func (c challenged) Finish(_ context.Context, body []byte) (*verify.Response, error) {
	if len(body) > 0 && !bytes.HasPrefix(body, []byte(challengeBody)) {
		return nil, &verify.Error{Reason: verify.ErrMalformed}
	}
	return &verify.Response{ContentType: verify.TextPlain, Body: []byte(c.text)}, nil
}

// Respond implements verify.Challenger.
func (p *provider) Respond(_ context.Context, _ *verify.Head, d *verify.Delivery) (*verify.Response, error) {
	if !bytes.HasPrefix(d.Body, []byte(challengeBody)) {
		return nil, nil
	}
	return &verify.Response{ContentType: verify.ApplicationJSON, Body: []byte(`{"hello":"you"}`)}, nil
}

var _ verify.Challenger = (*provider)(nil)

// ask returns a request that is a handshake, or nearly one.
func ask(method, challenge, body string) func(*site) {
	return func(s *site) {
		r, err := http.NewRequest(method, "http://hooks.example"+Path+"?"+challengeParameter+"="+challenge, strings.NewReader(body))
		if err != nil {
			panic(err)
		}
		s.request = r
	}
}

// hello makes the request a delivery that is a handshake.
func hello(s *site) { s.request = s.provider.sign(start, "evt_1", []byte(`{"hello":"me"}`), secret) }

// handshakes: the guard's response to a handshake leaves as the guard made it, and neither
// the handler nor the store is asked.
func handshakes(x *suite) {
	for _, c := range []struct {
		name     string
		change   func(*site)
		status   int
		media    string
		body     string
		verified bool
	}{
		{"a GET", ask("GET", "abc", ""), 200, verify.TextPlain, "abc", false},
		{"a HEAD", ask("HEAD", "abc", ""), 200, verify.TextPlain, "abc", false}, // a server leaves the body out
		{"a POST that is not signed", ask("POST", "abc", `{"hello":"me"}`), 200, verify.TextPlain, "abc", false},
		{"a delivery", hello, 200, verify.ApplicationJSON, `{"hello":"you"}`, true},
		{"a GET that is malformed", ask("GET", "%3Cb%3E", ""), 401, "application/problem+json", problem(401), false},
		{"a POST whose body is malformed", ask("POST", "abc", "<b>"), 401, "application/problem+json", problem(401), false},
		{"a delivery with another secret", func(s *site) {
			s.request = s.provider.sign(start, "evt_1", []byte(`{"hello":"me"}`), otherSecret)
		}, 401, "application/problem+json", problem(401), false},
		{"a POST whose body is broken off", func(s *site) {
			ask("POST", "abc", `{"hello":"me"}`)(s)
			s.request.ContentLength++
		}, 400, "application/problem+json", problem(400), false},
		{"a POST whose body is too large", func(s *site) {
			ask("POST", "abc", `{"hello":"me"}`)(s)
			s.opts.MaxBody = 10
		}, 413, "application/problem+json", problem(413), false},
	} {
		x.run(c.name, func(x *suite) {
			s := newSite(x, c.change)
			w := s.serve(s.request)
			want(x, w, c.status, "Content-Type", c.media, "Content-Length", fmt.Sprint(len(c.body)))
			if w.Body.String() != c.body {
				x.Errorf("body %q, want %q", w.Body, c.body)
			}
			s.wantRuns(0)
			s.wantSettled(0, 0)
			if n := s.store.claims.Load(); n != 0 {
				x.Errorf("%d claims, want none", n)
			}
			r := s.report()
			if answered := r.Outcome == middleware.Challenged; answered != (c.status == 200) || r.Status != c.status || r.Verified != c.verified {
				x.Errorf("report %+v", r)
			}
			if c.status == 200 {
				want(x, w, 200, "X-Content-Type-Options", "nosniff", "Cache-Control", "no-store")
			}
		})
	}
	x.run("under a guard that only reports", func(x *suite) {
		for _, change := range []func(*site){ask("GET", "abc", ""), ask("POST", "abc", `{"hello":"me"}`), hello} {
			s := newSite(x, change, func(s *site) { s.opts.InsecureReportOnly = true }, handling(func(e Exchange) error {
				if _, ok := verify.FromContext(e.Request().Context()); ok {
					x.Error("there is a delivery")
				}
				return responding(202, "handled")(e)
			}))
			w := s.serve(s.request)
			want(x, w, 202, "X-Content-Type-Options", "")
			if w.Body.String() != "handled" {
				x.Errorf("body %q", w.Body)
			}
			s.wantRuns(1)
			if r := s.report(); r.Outcome != middleware.Challenged || !r.ReportOnly {
				x.Errorf("report %+v", r)
			}
		}
	})
	x.run("but not an event", func(x *suite) {
		s := newSite(x)
		want(x, s.serve(s.request), 200, "X-Content-Type-Options", "")
		s.wantRuns(1)
	})
}

// packs signs what it compresses.
func packs() *provider {
	p := resigns()
	p.profile.Compression = verify.GzipUnpacked
	return p
}

// packedBodies: a handler reads what was unpacked, and is not told to unpack it once more.
func packedBodies(x *suite) {
	event := eventBody("evt_1")
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	w.Write(event)
	w.Close()
	for _, c := range []struct {
		name   string
		body   []byte
		status int
	}{
		{"one layer", packed.Bytes(), 200},
		{"something behind it", append(bytes.Clone(packed.Bytes()), 0), 400},
		{"what is cut off", packed.Bytes()[:packed.Len()-1], 400},
	} {
		x.run(c.name, func(x *suite) {
			s := newSite(x, of(packs()), handling(func(e Exchange) error {
				r := e.Request()
				b, err := io.ReadAll(r.Body)
				if err != nil || !bytes.Equal(b, event) || r.ContentLength != int64(len(event)) {
					x.Errorf("body %q of the length %d, %v, want %q", b, r.ContentLength, err, event)
				}
				if v := r.Header.Get("Content-Encoding"); v != "" {
					x.Errorf("the Content-Encoding is %q: whoever reads it would unpack the body once more", v)
				}
				return nil
			}))
			s.request.Header.Set("Content-Encoding", "gzip")
			s.request.Body, s.request.GetBody, s.request.ContentLength = io.NopCloser(bytes.NewReader(c.body)), nil, int64(len(c.body))
			want(x, s.serve(s.request), c.status)
			runs := int64(0)
			if c.status == 200 {
				runs = 1
			}
			s.wantRuns(runs)
			if r := s.report(); r.BodyBytes != len(c.body) && c.status == 200 {
				x.Errorf("report %+v", r)
			}
		})
	}
}
