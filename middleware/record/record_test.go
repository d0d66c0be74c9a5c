package record_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/observe"
	"github.com/hooknotary/hooknotary/middleware/record"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/capture"
	"github.com/hooknotary/hooknotary/verify/replay"
	"github.com/hooknotary/hooknotary/verify/verifytest"
)

// fate is a request, and what is recorded of it.
type fate struct {
	name    string
	change  func(*site)
	status  int    // 0: the client gets no response
	outcome string // in the file's name
	note    string // its first line
	expect  string
	inexact string // a part of it
}

var fates = []fate{
	{"handled", func(*site) {}, 200, "handled", "handled", "accept", ""},
	{"handled, with an empty response", answering(204), 204, "handled", "handled", "accept", ""},
	{"the handler failed", answering(500), 500, "failed", "failed", "accept", ""},
	{"the handler panicked", func(s *site) {
		s.handle = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	}, 0, "failed", "failed", "accept", ""},
	{"the commit failed", func(s *site) { s.store.commit = func() error { return io.ErrClosedPipe } },
		200, "commit_failed", "commit_failed", "accept", ""},
	{"the claim was lost", func(s *site) { s.store.commit = func() error { return replay.ErrLost } },
		409, "lost", "lost: in_flight, and the signature holds, answered 409", "accept", ""},

	{"replayed", outcome(replay.Outcome{Status: replay.Done, Same: true}, nil),
		409, "refused-replayed", "refused: replayed, and the signature holds, answered 409", "accept", ""},
	{"honestly repeated", outcome(replay.Outcome{Status: replay.Done}, nil),
		200, "acknowledged", "acknowledged: replayed, and the signature holds, answered 200", "accept", ""},
	{"in flight", outcome(replay.Outcome{Status: replay.InFlight, Lease: time.Second}, nil),
		409, "refused-in_flight", "refused: in_flight, and the signature holds, answered 409", "accept", ""},
	{"found forged by the store", outcome(replay.Outcome{Status: replay.Forged}, nil),
		401, "refused-forged", "refused: forged, and the signature holds, answered 401", "accept", ""},
	{"before the store's floor", outcome(replay.Outcome{Status: replay.BeforeFloor}, nil),
		401, "refused-too_old", "refused: too_old, and the signature holds, answered 401", "accept", ""},
	{"a failure that may have acted", func(s *site) {
		s.handle = func(w http.ResponseWriter, r *http.Request) {
			middleware.KeepClaim(r.Context())
			w.WriteHeader(504)
		}
	}, 504, "failed", "failed, and the claim was kept: its effects may have come about", "accept", ""},
	{"a panic that may have acted", func(s *site) {
		s.handle = func(_ http.ResponseWriter, r *http.Request) {
			middleware.KeepClaim(r.Context())
			panic(http.ErrAbortHandler)
		}
	}, 0, "failed", "failed, and the claim was kept: its effects may have come about", "accept", ""},
	{"the store failed", outcome(replay.Outcome{}, io.ErrClosedPipe),
		503, "refused-unavailable", "refused: unavailable, and the signature holds, answered 503", "accept", ""},

	{"unsigned", unsigned, 401, "refused-unsigned", "refused: unsigned, answered 401", "unsigned", "0 of the "},
	{"malformed", func(s *site) { s.request.Header.Set("Stripe-Signature", "t=1,v1=zz") },
		401, "refused-malformed", "refused: malformed, answered 401", "malformed", "0 of the "},
	{"too old", func(s *site) { s.request = signedAt("evt_1", start.Add(-302*time.Second), secret) },
		401, "refused-too_old", "refused: too_old, answered 401", "too_old", "0 of the "},
	{"too new", func(s *site) { s.request = signedAt("evt_1", start.Add(302*time.Second), secret) },
		401, "refused-too_new", "refused: too_new, answered 401", "too_new", "0 of the "},
	{"no key", func(s *site) {
		v, err := stripe.New(verify.KeyFunc(func(context.Context, *verify.Head) ([]verify.Key, error) { return nil, nil }), nil)
		if err != nil {
			s.t.Fatal(err)
		}
		s.verifier = v
	}, 401, "refused-no_key", "refused: no_key, answered 401", "no_key", ""},
	{"another secret", forged, 401, "refused-mismatch", "refused: mismatch, answered 401", "mismatch", ""},
	{"untrusted on the head", onHead(verify.ErrUntrusted),
		401, "refused-untrusted", "refused: untrusted, answered 401", "untrusted", "0 of the "},
	{"untrusted behind the body", onBody(verify.ErrUntrusted),
		401, "refused-untrusted", "refused: untrusted, answered 401", "untrusted", ""},
	{"a body of unknown length", func(s *site) { s.request.ContentLength = -1 },
		200, "handled", "handled", "accept", ""},
	{"a forged body of unknown length", func(s *site) { forged(s); s.request.ContentLength = -1 },
		401, "refused-mismatch", "refused: mismatch, answered 401", "mismatch", ""},
	{"an unsigned body of unknown length", func(s *site) { unsigned(s); s.request.ContentLength = -1 },
		401, "refused-unsigned", "refused: unsigned, answered 401", "unsigned", "0 bytes of the body were read, and not to its end"},

	{"another method", func(s *site) { s.request.Method = "PUT" },
		405, "refused-method", "refused: method, answered 405", "", "0 of the "},
	{"another media type", func(s *site) { s.request.Header.Set("Content-Type", "text/plain") },
		415, "refused-media_type", "refused: media_type, answered 415", "", "0 of the "},
	{"declared too large", func(s *site) { s.guard.MaxBody = 20 },
		413, "refused-too_large", "refused: too_large, answered 413", "", "0 of the "},
	{"too large, undeclared", func(s *site) { s.guard.MaxBody, s.request.ContentLength = 20, -1 },
		413, "refused-too_large", "refused: too_large, answered 413", "", "21 bytes of the body were read, and not to its end"},
	{"broken off", func(s *site) {
		setBody(s.request, broken{strings.NewReader(strings.Repeat(" ", 100_000))}) // more than a client buffers
		s.request.ContentLength = 200_000
	}, 0, "refused-body", "refused: body, answered 400", "", " of the 200000 bytes of the body were read"},
	{"the verifier cannot say", onBody(verify.ErrUnavailable),
		503, "refused-unavailable", "refused: unavailable, answered 503", "", ""},
	{"found forged by the provider", onBody(verify.ErrForged),
		401, "refused-forged", "refused: forged, answered 401", "", ""},
}

func TestCapture(t *testing.T) {
	t.Run("what is recorded says what became of it and verifies again", func(t *testing.T) {
		for _, version := range []int{1, 2} {
			for _, f := range fates {
				t.Run(fmt.Sprintf("HTTP %d: %s", version, f.name), func(t *testing.T) {
					t.Parallel()
					s := newSite(t, f.change)
					sent := s.request
					server := listen(t, s, version == 2)
					if status := deliver(t, server, sent); status != f.status {
						t.Errorf("status %d, want %d", status, f.status)
					}
					s.await()
					c := s.file()

					if want := `^20260314T092653\.589793Z-stripe-` + f.outcome + `-[0-9a-f]{16}\.http$`; !regexp.MustCompile(want).MatchString(c.name) {
						t.Errorf("the name is %s, want %s", c.name, want)
					}
					lines := strings.Split(c.Note, "\n")
					if len(lines) != 2 || lines[0] != f.note || !regexp.MustCompile(`^endpoint billing, provider stripe, correlation id [0-9a-f]{16}$`).MatchString(lines[1]) {
						t.Errorf("the note is %q, want %q", lines, f.note)
					}
					if c.Expect != f.expect {
						t.Errorf("expected %q, want %q", c.Expect, f.expect)
					}
					if !strings.Contains(c.Inexact, f.inexact) || f.inexact == "" && c.Inexact != "" {
						t.Errorf("inexact: %q, want %q", c.Inexact, f.inexact)
					}
					if f.inexact == "" {
						wantBody(t, c.Capture, eventBody("evt_1"))
					}
					if !c.ReceivedAt.Equal(start) {
						t.Errorf("received %v, want %v", c.ReceivedAt, start)
					}
					if c.Method != sent.Method || c.URL.String() != "/hooks/stripe?tenant=7" || c.Host != "hooks.example" {
						t.Errorf("%s %s of %s", c.Method, c.URL, c.Host)
					}
					for _, name := range []string{"Content-Type", "Stripe-Signature"} {
						if got, want := c.Header[name], sent.Header[name]; fmt.Sprint(got) != fmt.Sprint(want) {
							t.Errorf("%s is %q, want %q", name, got, want)
						}
					}
					if got := judged(s.verifier, c.Capture); c.Expect != "" && got != c.Expect {
						t.Errorf("the verifier says %s, the capture expects %s", got, c.Expect)
					}
					if errs := s.failures(); errs != nil {
						t.Errorf("errors %v", errs)
					}
				})
			}
		}
	})

	t.Run("a real replay is expected to verify", func(t *testing.T) {
		s := newSite(t, func(s *site) { s.record.Kinds = 0 }) // the default: refusals
		server := listen(t, s, false)
		for _, want := range []int{200, 409} {
			if status := deliver(t, server, again(s.request)); status != want {
				t.Errorf("status %d, want %d", status, want)
			}
			s.await()
		}
		if c := s.file(); c.Expect != capture.Accept || judged(s.verifier, c.Capture) != capture.Accept || !strings.HasPrefix(c.Note, "refused: replayed") {
			t.Errorf("expected %q: %s", c.Expect, c.Note)
		}
	})

	t.Run("a guard that only reports is recorded with the body that the handler read", func(t *testing.T) {
		readAll := func(s *site) { s.handle = func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) } }
		for _, c := range []struct {
			name            string
			change          func(*site)
			note            string
			expect, inexact string
		}{
			{"refused on the head, and read", func(s *site) { unsigned(s); readAll(s) },
				"refused: unsigned, by a guard that only reports", "unsigned", ""},
			{"refused on the head, and not read", unsigned,
				"refused: unsigned, by a guard that only reports", "unsigned", "0 of the "},
			{"refused on the head, and read just so far as it is", func(s *site) {
				unsigned(s)
				s.handle = func(_ http.ResponseWriter, r *http.Request) {
					io.ReadFull(r.Body, make([]byte, len(eventBody("evt_1"))))
				}
			}, "refused: unsigned, by a guard that only reports", "unsigned", ""},
			{"refused on the body, and read", func(s *site) { forged(s); readAll(s) },
				"refused: mismatch, by a guard that only reports", "mismatch", ""},
			{"refused on the body, and not read again", forged,
				"refused: mismatch, by a guard that only reports", "mismatch", ""},
			{"too large, and read", func(s *site) {
				s.guard.MaxBody, s.request.ContentLength = 20, -1
				readAll(s)
			}, "refused: too_large, by a guard that only reports", "", ""},
			{"handled", func(*site) {}, "handled, by a guard that only reports", "accept", ""},
			{"failed", answering(500), "failed, by a guard that only reports", "accept", ""},
		} {
			t.Run(c.name, func(t *testing.T) {
				s := newSite(t, reportOnly, c.change)
				server := listen(t, s, false)
				deliver(t, server, s.request)
				s.await()
				f := s.file()
				if first, _, _ := strings.Cut(f.Note, "\n"); first != c.note {
					t.Errorf("the note is %q, want %q", first, c.note)
				}
				if f.Expect != c.expect || !strings.Contains(f.Inexact, c.inexact) || c.inexact == "" && f.Inexact != "" {
					t.Errorf("expected %q, inexact %q; want %q, %q", f.Expect, f.Inexact, c.expect, c.inexact)
				}
				if c.inexact == "" {
					wantBody(t, f.Capture, eventBody("evt_1"))
				}
				if got := judged(s.verifier, f.Capture); f.Expect != "" && got != f.Expect {
					t.Errorf("the verifier says %s, the capture expects %s", got, f.Expect)
				}
			})
		}
	})

	t.Run("the PublicURL is recorded", func(t *testing.T) {
		s := newSite(t, func(s *site) { s.guard.PublicURL = "https://shop.example:8443" })
		server := listen(t, s, false)
		deliver(t, server, s.request)
		s.await()
		if c := s.file(); c.URL.String() != "https://shop.example:8443/hooks/stripe?tenant=7" {
			t.Errorf("the URL is %s", c.URL)
		}
	})

	t.Run("headers are recorded as they arrived", func(t *testing.T) {
		s := newSite(t, func(s *site) {
			s.request.Header["X-Twice"] = []string{"a", "b"}
			s.request.Header.Set("Host", "hooks.example") // as a client of HTTP/2 may send it
			s.handle = func(_ http.ResponseWriter, r *http.Request) {
				r.Header.Set("X-Twice", "changed")
				r.Header.Set("X-Added", "1")
				r.Header.Del("Stripe-Signature")
				r.URL.Path = "/changed"
				r.Method = "GET"
			}
		})
		s.serve(s.request)
		c := s.file()
		if fmt.Sprint(c.Header["X-Twice"]) != "[a b]" || c.Header["X-Added"] != nil || c.URL.Path != "/hooks/stripe" || c.Method != "POST" || c.Host != "hooks.example" {
			t.Errorf("%s %s with %v", c.Method, c.URL, c.Header)
		}
		if got := judged(s.verifier, c.Capture); got != capture.Accept {
			t.Errorf("the verifier says %s", got)
		}
	})

	t.Run("credentials are left out", func(t *testing.T) {
		s := newSite(t, func(s *site) {
			s.record.Drop = []string{"x-forwarded-for", "X-REAL-IP", "X-Absent"}
			for name, value := range map[string]string{
				"X-Forwarded-For": "192.0.2.77", "X-Real-Ip": "192.0.2.77", "Authorization": "Bearer hunter2", "Cookie": "session=hunter2", "X-Kept": "kept",
			} {
				s.request.Header.Set(name, value)
			}
		})
		s.serve(s.request)
		c := s.file()
		for _, name := range []string{"X-Forwarded-For", "X-Real-Ip", "Authorization", "Cookie"} {
			if c.Header[name] != nil {
				t.Errorf("%s was recorded", name)
			}
		}
		if c.Header.Get("X-Kept") != "kept" || s.request.Header.Get("X-Forwarded-For") == "" {
			t.Errorf("recorded %v of %v", c.Header, s.request.Header)
		}
		if lines := strings.Split(c.Note, "\n"); len(lines) != 3 || lines[2] != "left out: X-Forwarded-For, X-Real-Ip" {
			t.Errorf("the note is %q", lines)
		}
		if c.Expect != capture.Accept || judged(s.verifier, c.Capture) != capture.Accept {
			t.Errorf("expected %q", c.Expect)
		}
	})

	t.Run("what Redact panics on is not written", func(t *testing.T) {
		s := newSite(t, func(s *site) {
			s.record.Redact = func(c *capture.Capture) {
				if strings.Contains(string(c.Body), "evt_1") {
					panic(string(c.Body))
				}
			}
		})
		s.serve(s.request)
		s.serve(signed("evt_2"))
		wantBody(t, s.file().Capture, eventBody("evt_2"))
		s.wantFailure("Redact panicked with a string")
		if errs := s.failures(); len(errs) > 0 && strings.Contains(errs[0].Error(), "evt_1") {
			t.Errorf("the error shows the body: %v", errs[0])
		}
	})
}

func TestKinds(t *testing.T) {
	t.Run("the configured kinds are recorded", func(t *testing.T) {
		for _, c := range []struct {
			name  string
			kinds record.Kinds
			want  string
		}{
			{"refusals by default", 0, "acknowledged refused"},
			{"refusals", record.Refused, "acknowledged refused"},
			{"failures", record.Failed, "failed"},
			{"successes", record.Handled, "commit_failed handled lost"},
			{"what was accepted", record.Accepted, "commit_failed failed handled lost"},
			{"all", record.Refused | record.Accepted, "acknowledged commit_failed failed handled lost refused"},
		} {
			t.Run(c.name, func(t *testing.T) {
				var got []string
				for _, change := range []func(*site){
					outcome(replay.Outcome{Status: replay.Done}, nil),
					func(s *site) { s.store.commit = func() error { return io.ErrClosedPipe } },
					answering(500),
					func(*site) {},
					func(s *site) { s.store.commit = func() error { return replay.ErrLost } },
					unsigned,
				} {
					s := newSite(t, change, func(s *site) { s.record.Kinds = c.kinds })
					s.serve(s.request)
					for _, f := range s.files() {
						got = append(got, strings.Split(f.name, "-")[2])
					}
				}
				if strings.Join(got, " ") != c.want {
					t.Errorf("recorded %q, want %q", got, c.want)
				}
			})
		}
	})

	t.Run("what no guard judged is not recorded", func(t *testing.T) {
		s := newSite(t)
		h := s.recorder.Handler(http.NotFoundHandler())
		s.handler = h
		s.serve(s.request)
		if all := s.files(); len(all) != 0 {
			t.Errorf("%d captures", len(all))
		}
		if errs := s.failures(); errs != nil {
			t.Errorf("errors %v", errs)
		}
	})
}

func TestWiring(t *testing.T) {
	t.Run("a recorder within the guard is reported", func(t *testing.T) {
		s := newSite(t)
		guard, err := middleware.New("test", s.verifier, s.store, &s.guard)
		if err != nil {
			t.Fatal(err)
		}
		ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
		s.handler = guard.Handler(s.recorder.Handler(ok))
		if w := s.serve(s.request); w.Code != 200 {
			t.Errorf("status %d", w.Code)
		}
		s.wantFailure("within the guard")
		if all := s.files(); len(all) != 0 {
			t.Errorf("%d captures", len(all))
		}
	})

	t.Run("of several guards the outermost counts", func(t *testing.T) {
		s := newSite(t)
		inner, err := middleware.New("inner", stripe.Must(otherSecret), s.store, &s.guard)
		if err != nil {
			t.Fatal(err)
		}
		s.handle = inner.Handler(http.NotFoundHandler()).ServeHTTP
		if w := s.serve(s.request); w.Code != 401 {
			t.Errorf("status %d", w.Code)
		}
		if c := s.file(); c.Expect != capture.Accept || !strings.HasPrefix(c.Note, "failed\nendpoint billing,") {
			t.Errorf("expected %q: %s", c.Expect, c.Note)
		}
	})

	t.Run("an observer outside is still told", func(t *testing.T) {
		s := newSite(t)
		told := 0
		ctx := observe.With(context.Background(), func(_ context.Context, e middleware.Report) {
			if e.Outcome == middleware.Handled {
				told++
			}
		})
		s.serve(s.request.WithContext(ctx))
		if s.file(); told != 1 {
			t.Errorf("told %d times", told)
		}
	})
}

func TestRedact(t *testing.T) {
	for _, c := range []struct {
		name            string
		change          func(*site)
		redact          func(*capture.Capture)
		expect, inexact string
	}{
		{"of nothing", func(*site) {}, func(*capture.Capture) {}, "accept", ""},
		{"of the URL", func(*site) {}, func(c *capture.Capture) { c.URL.RawQuery = "" }, "accept", ""},
		{"of a body in place", func(*site) {}, func(c *capture.Capture) { c.Body[4] = 'x' }, "", "the body was redacted"},
		{"of a whole body", func(*site) {}, func(c *capture.Capture) { c.Body = nil }, "", "the body was redacted"},
		{"of a body, with a cause", func(*site) {}, func(c *capture.Capture) { c.Body, c.Inexact = nil, "private" }, "", "private"},
		{"of a body, with an expectation", func(*site) {}, func(c *capture.Capture) { c.Body, c.Expect = nil, "mismatch" }, "mismatch", "the body was redacted"},
		{"of a forged body", forged, func(c *capture.Capture) { c.Body = nil }, "mismatch", "the body was redacted"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, c.change, func(s *site) { s.record.Redact = c.redact })
			var handled []byte
			s.handle = func(_ http.ResponseWriter, r *http.Request) { handled, _ = io.ReadAll(r.Body) }
			w := s.serve(s.request)
			f := s.file()
			if f.Expect != c.expect || f.Inexact != c.inexact {
				t.Errorf("expected %q, inexact %q; want %q, %q", f.Expect, f.Inexact, c.expect, c.inexact)
			}
			if got := judged(s.verifier, f.Capture); f.Expect != "" && got != f.Expect {
				t.Errorf("the verifier says %s, the capture expects %s", got, f.Expect)
			}
			if w.Code == 200 && !bytes.Equal(handled, eventBody("evt_1")) {
				t.Errorf("the handler read %q", handled)
			}
		})
	}
}

// greeting answers each GET, and refuses one with a token.
type greeting struct{ verify.Verifier }

func (g greeting) Challenge(_ context.Context, h *verify.Head) (verify.Challenge, error) {
	switch {
	case h.Method != http.MethodGet:
		return nil, nil
	case h.URL.RawQuery != "":
		return nil, &verify.Error{Reason: verify.ErrMismatch}
	}
	return g, nil
}

func (greeting) Finish(context.Context, []byte) (*verify.Response, error) {
	return &verify.Response{}, nil
}

func (greeting) Respond(context.Context, *verify.Head, *verify.Delivery) (*verify.Response, error) {
	return nil, nil
}

func TestHandshake(t *testing.T) {
	for _, tt := range []struct {
		name, method, query string
		status, files       int
	}{
		{"one that is answered leaves nothing", "GET", "", 200, 0},
		{"one that is refused leaves nothing", "GET", "token=secret", 401, 0},
		{"another method leaves a refusal", "PUT", "token=other", 405, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			recorder, err := record.New(dir, &record.Options{Kinds: record.Refused | record.Accepted})
			if err != nil {
				t.Fatal(err)
			}
			guard, err := middleware.New("test", greeting{stripe.Must(secret)}, replay.NewMemory(nil), nil)
			if err != nil {
				t.Fatal(err)
			}
			w := httptest.NewRecorder()
			recorder.Handler(guard.Handler(http.NotFoundHandler())).ServeHTTP(w, httptest.NewRequest(tt.method, "/hooks?"+tt.query, nil))
			if err := recorder.Close(); err != nil {
				t.Fatal(err)
			}
			entries, err := os.ReadDir(dir)
			if err != nil || w.Code != tt.status || len(entries) != tt.files {
				t.Errorf("status %d and %d files, %v, want %d and %d", w.Code, len(entries), err, tt.status, tt.files)
			}
		})
	}
}

// TestCompressed looks at whether what is recorded of a compressed body verifies again.
func TestCompressed(t *testing.T) {
	event := []byte(`{"id":"evt_1","amount":17}`)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write(event)
	z.Close()
	for _, compression := range []verify.Compression{verify.GzipSigned, verify.GzipUnpacked} {
		t.Run(compression.String(), func(t *testing.T) {
			definition := scheme.Definition{
				Provider: "packer", Signatures: []scheme.Signature{{Header: "X-Signature"}}, Message: []scheme.Part{scheme.Body()},
				MaxBody: 1 << 20, Retry: verify.RetryIdentical, Compression: compression,
			}
			signed := event
			if compression == verify.GzipSigned {
				signed = packed.Bytes()
			}
			m := hmac.New(sha256.New, []byte(secret))
			m.Write(signed)
			r := httptest.NewRequest("POST", "/hooks", bytes.NewReader(packed.Bytes()))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Content-Encoding", "gzip")
			r.Header.Set("X-Signature", hex.EncodeToString(m.Sum(nil)))

			dir := t.TempDir()
			recorder, err := record.New(dir, &record.Options{Kinds: record.Accepted})
			if err != nil {
				t.Fatal(err)
			}
			v := scheme.Must(definition, secret)
			guard, err := middleware.New("test", v, replay.NewMemory(nil), nil)
			if err != nil {
				t.Fatal(err)
			}
			w := httptest.NewRecorder()
			recorder.Handler(guard.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))).ServeHTTP(w, r)
			if err := recorder.Close(); err != nil || w.Code != 200 {
				t.Fatalf("status %d, %v", w.Code, err)
			}
			files, err := filepath.Glob(filepath.Join(dir, "*.http"))
			if err != nil || len(files) != 1 {
				t.Fatalf("%d files, %v", len(files), err)
			}
			if all, err := capture.ReadFile(files[0]); err != nil || !bytes.Equal(all[0].Body, packed.Bytes()) || all[0].Header.Get("Content-Encoding") != "gzip" {
				t.Errorf("the capture is not what came: %v", err)
			}
			if d := verifytest.Accepts(t, v, files[0]); !bytes.Equal(d.Body, signed) {
				t.Errorf("the delivery has the body %q", d.Body)
			}
		})
	}
}
