package middleware_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// refusal is one change that makes the genuine delivery of a site be refused.
type refusal struct {
	name    string
	change  func(*site)
	reason  verify.Reason
	status  int
	headers []string
	head    bool // judged before the body
	claims  int64
}

func outcome(o replay.Outcome) func(*site) {
	return func(s *site) {
		s.store.claim = func(context.Context, replay.Claim) (replay.Outcome, error) { return o, nil }
	}
}

func header(name string, values ...string) func(*site) {
	return func(s *site) { s.request.Header[name] = values }
}

func method(m string) func(*site) { return func(s *site) { s.request.Method = m } }

func keysFrom(f verify.KeyFunc) func(*site) {
	return func(s *site) {
		v, err := stripe.New(f, nil)
		if err != nil {
			s.t.Fatal(err)
		}
		s.verifier = v
	}
}

func signedAt(d time.Duration) func(*site) {
	return func(s *site) {
		s.request = stripetest.NewRequest(hookURL, start.Add(d), eventBody("evt_1"), stripeSecret)
	}
}

func finishing(f func(verify.Pending, context.Context, []byte) (*verify.Delivery, error)) func(*site) {
	return func(s *site) { s.verifier = &altered{Verifier: s.verifier, finish: f} }
}

var retryLater = []string{"Retry-After", "10"}

var refusals = []refusal{
	{name: "a GET is not a delivery", change: method("GET"),
		reason: verify.ErrMethod, status: 405, headers: []string{"Allow", "POST"}, head: true},
	{name: "a PUT is not a delivery", change: method("PUT"),
		reason: verify.ErrMethod, status: 405, headers: []string{"Allow", "POST"}, head: true},
	{name: "a method is compared by case", change: method("post"),
		reason: verify.ErrMethod, status: 405, headers: []string{"Allow", "POST"}, head: true},

	{name: "another media type is refused", change: header("Content-Type", "text/plain"),
		reason: verify.ErrMediaType, status: 415, head: true},
	{name: "a form is refused where JSON is expected", change: header("Content-Type", "application/x-www-form-urlencoded"),
		reason: verify.ErrMediaType, status: 415, head: true},
	{name: "a longer media type is another one", change: header("Content-Type", "application/json-patch"),
		reason: verify.ErrMediaType, status: 415, head: true},
	{name: "an empty media type is another one", change: header("Content-Type", ""),
		reason: verify.ErrMediaType, status: 415, head: true},
	{name: "two media types are refused although equal", change: header("Content-Type", "application/json", "application/json"),
		reason: verify.ErrMediaType, status: 415, head: true},
	{name: "two media types in one header are refused", change: header("Content-Type", "application/json, text/plain"),
		reason: verify.ErrMediaType, status: 415, head: true},
	{name: "a compressed body is refused", change: header("Content-Encoding", "gzip"),
		reason: verify.ErrMediaType, status: 415, head: true},
	{name: "a second encoding behind identity is refused", change: header("Content-Encoding", "identity, gzip"),
		reason: verify.ErrMediaType, status: 415, head: true},
	{name: "a repeated encoding is refused", change: header("Content-Encoding", "identity", "identity"),
		reason: verify.ErrMediaType, status: 415, head: true},

	{name: "no signature", change: func(s *site) { s.request.Header.Del("Stripe-Signature") },
		reason: verify.ErrUnsigned, status: 401, head: true},
	{name: "an empty signature", change: header("Stripe-Signature", ""),
		reason: verify.ErrUnsigned, status: 401, head: true},
	{name: "a malformed signature", change: header("Stripe-Signature", "t=1,v1=zz"),
		reason: verify.ErrMalformed, status: 401, head: true},
	{name: "a repeated signature", change: func(s *site) {
		s.request.Header.Add("Stripe-Signature", s.request.Header.Get("Stripe-Signature"))
	}, reason: verify.ErrMalformed, status: 401, head: true},
	{name: "signed a second too long ago", change: signedAt(-301 * time.Second),
		reason: verify.ErrTooOld, status: 401, head: true},
	{name: "signed a second too far in the future", change: signedAt(301 * time.Second),
		reason: verify.ErrTooNew, status: 401, head: true},
	{name: "a key source without a key", change: keysFrom(func(context.Context, *verify.Head) ([]verify.Key, error) { return nil, nil }),
		reason: verify.ErrNoKey, status: 401},
	{name: "a key source that says there is none", change: keysFrom(func(context.Context, *verify.Head) ([]verify.Key, error) { return nil, verify.ErrNoKey }),
		reason: verify.ErrNoKey, status: 401},
	{name: "key material that is not trusted", change: func(s *site) {
		s.verifier = &altered{Verifier: s.verifier, begin: func(context.Context, *verify.Head) (verify.Pending, error) {
			return nil, &verify.Error{Reason: verify.ErrUntrusted}
		}}
	}, reason: verify.ErrUntrusted, status: 401, head: true},
	{name: "one byte of the body changed", change: func(s *site) {
		setBody(s.request, bytes.NewReader(bytes.Replace(bodyOf(s.t, s.request), []byte("paid"), []byte("void"), 1)))
	}, reason: verify.ErrMismatch, status: 401},
	{name: "signed with another secret", change: func(s *site) {
		s.request = stripetest.NewRequest(hookURL, start, eventBody("evt_1"), otherSecret)
	}, reason: verify.ErrMismatch, status: 401},
	{name: "key material found untrusted behind the body", change: finishing(func(verify.Pending, context.Context, []byte) (*verify.Delivery, error) {
		return nil, &verify.Error{Reason: verify.ErrUntrusted}
	}), reason: verify.ErrUntrusted, status: 401},
	{name: "another body under a signed message", change: outcome(replay.Outcome{Status: replay.Forged}),
		reason: verify.ErrForged, status: 401, claims: 1},
	{name: "signed before the store's floor", change: outcome(replay.Outcome{Status: replay.BeforeFloor}),
		reason: verify.ErrTooOld, status: 401, claims: 1},

	{name: "declared one byte longer than the limit", change: func(s *site) { s.opts.MaxBody = int64(len(eventBody("evt_1")) - 1) },
		reason: verify.ErrTooLarge, status: 413, head: true},
	{name: "one undeclared byte longer than the limit", change: func(s *site) {
		s.opts.MaxBody = int64(len(eventBody("evt_1")) - 1)
		s.request.ContentLength = -1
	}, reason: verify.ErrTooLarge, status: 413},
	{name: "cut off by a limit further out", change: func(s *site) {
		setBody(s.request, http.MaxBytesReader(nil, s.request.Body, 10))
	}, reason: verify.ErrTooLarge, status: 413},
	{name: "a body that breaks off", change: func(s *site) {
		setBody(s.request, broken{strings.NewReader(`{"id":"evt_1"`), io.ErrUnexpectedEOF})
	}, reason: verify.ErrBody, status: 400},
	{name: "a body shorter than declared", change: func(s *site) { s.request.ContentLength++ },
		reason: verify.ErrBody, status: 400},
	{name: "a body longer than declared", change: func(s *site) { s.request.ContentLength-- },
		reason: verify.ErrBody, status: 400},
	{name: "a declared body that is not there", change: func(s *site) { s.request.Body = http.NoBody },
		reason: verify.ErrBody, status: 400},
	{name: "a body that makes no progress", change: func(s *site) { setBody(s.request, iotest0{}) },
		reason: verify.ErrBody, status: 400},
	{name: "a body too slow for its deadline", change: func(s *site) {
		setBody(s.request, broken{strings.NewReader(`{"id":`), os.ErrDeadlineExceeded})
	}, reason: verify.ErrBody, status: 408},

	{name: "done, and the same message again", change: outcome(replay.Outcome{Status: replay.Done, Same: true}),
		reason: verify.ErrReplayed, status: 409, headers: []string{"Retry-After", "", "Webhook-Duplicate", ""}, claims: 1},
	{name: "being handled, for less than a second", change: outcome(replay.Outcome{Status: replay.InFlight}),
		reason: verify.ErrInFlight, status: 409, headers: []string{"Retry-After", "1", "Webhook-Duplicate", ""}, claims: 1},
	{name: "being handled, for two and a half seconds", change: outcome(replay.Outcome{Status: replay.InFlight, Lease: 2500 * time.Millisecond}),
		reason: verify.ErrInFlight, status: 409, headers: []string{"Retry-After", "3"}, claims: 1},

	{name: "a key source that fails", change: keysFrom(func(context.Context, *verify.Head) ([]verify.Key, error) {
		return nil, errors.New("the vault is sealed")
	}), reason: verify.ErrUnavailable, status: 503, headers: retryLater, head: true},
	{name: "a verifier with neither verdict nor error", change: func(s *site) {
		s.verifier = &altered{Verifier: s.verifier, begin: func(context.Context, *verify.Head) (verify.Pending, error) { return nil, nil }}
	}, reason: verify.ErrUnavailable, status: 503, headers: retryLater, head: true},
	{name: "a verifier that returns nothing", change: finishing(func(verify.Pending, context.Context, []byte) (*verify.Delivery, error) {
		return nil, nil
	}), reason: verify.ErrUnavailable, status: 503, headers: retryLater},
	{name: "a delivery without a binding", change: finishing(func(p verify.Pending, ctx context.Context, b []byte) (*verify.Delivery, error) {
		d, err := p.Finish(ctx, b)
		d.Binding = 0
		return d, err
	}), reason: verify.ErrUnavailable, status: 503, headers: retryLater},
	{name: "a delivery with another body", change: finishing(func(p verify.Pending, ctx context.Context, b []byte) (*verify.Delivery, error) {
		d, err := p.Finish(ctx, b)
		d.Body = bytes.Clone(b) // equal, but who knows for how long
		return d, err
	}), reason: verify.ErrUnavailable, status: 503, headers: retryLater},
	{name: "a delivery with less of the body", change: finishing(func(p verify.Pending, ctx context.Context, b []byte) (*verify.Delivery, error) {
		d, err := p.Finish(ctx, b)
		d.Body = b[:len(b)-1]
		return d, err
	}), reason: verify.ErrUnavailable, status: 503, headers: retryLater},
	{name: "an error that is no reason", change: finishing(func(verify.Pending, context.Context, []byte) (*verify.Delivery, error) {
		return nil, errors.New("something else")
	}), reason: verify.ErrUnavailable, status: 503, headers: retryLater},
	{name: "a reason that nobody knows", change: finishing(func(verify.Pending, context.Context, []byte) (*verify.Delivery, error) {
		return nil, &verify.Error{Reason: 200}
	}), reason: verify.ErrUnavailable, status: 503, headers: retryLater},
	{name: "a store that is down", change: func(s *site) {
		s.store.claim = func(context.Context, replay.Claim) (replay.Outcome, error) {
			return replay.Outcome{}, errors.New("connection refused")
		}
	}, reason: verify.ErrUnavailable, status: 503, headers: retryLater, claims: 1},
	{name: "a store that says acquired and fails", change: func(s *site) {
		s.store.claim = func(context.Context, replay.Claim) (replay.Outcome, error) {
			return replay.Outcome{Status: replay.Acquired}, errors.New("connection reset")
		}
	}, reason: verify.ErrUnavailable, status: 503, headers: retryLater, claims: 1},
	{name: "a store that decides nothing", change: outcome(replay.Outcome{}),
		reason: verify.ErrUnavailable, status: 503, headers: retryLater, claims: 1},
	{name: "a store that decides something unknown", change: outcome(replay.Outcome{Status: 99}),
		reason: verify.ErrUnavailable, status: 503, headers: retryLater, claims: 1},
}

// iotest0 is a body that says neither something nor its end.
type iotest0 struct{}

func (iotest0) Read([]byte) (int, error) { return 0, nil }

// unread makes the body of a refusal on the head untouchable.
func (f refusal) unread(s *site) {
	if f.head {
		setBody(s.request, untouchable{s.t})
	}
}

func TestResponse(t *testing.T) {
	t.Run("every refusal has its response and costs nothing", func(t *testing.T) {
		for _, f := range refusals {
			for _, watch := range []struct {
				name   string
				change func(*site)
			}{{"unobserved", func(*site) {}}, {"observed", observed}} {
				t.Run(f.name+"/"+watch.name, func(t *testing.T) {
					s := newSite(t, f.change, f.unread, watch.change)
					w := s.serve(s.request)

					want(t, w, f.status, f.headers...)
					want(t, w, f.status, "Content-Type", "application/problem+json", "Content-Length", strconv.Itoa(w.Body.Len()))
					if f.status == 401 {
						want(t, w, f.status, "WWW-Authenticate", "Webhook-Signature")
					} else {
						want(t, w, f.status, "WWW-Authenticate", "")
					}
					var problem struct {
						Type, Title string
						Status      int
					}
					if err := json.Unmarshal(w.Body.Bytes(), &problem); err != nil {
						t.Error(err)
					}
					if problem.Type != "about:blank" || problem.Title != http.StatusText(f.status) || problem.Status != f.status {
						t.Errorf("body %s", w.Body)
					}
					wantRuns(t, s, 0)
					if got := s.store.claims.Load(); got != f.claims {
						t.Errorf("%d claims, want %d", got, f.claims)
					}
					if got := s.store.calls(); got != f.claims {
						t.Errorf("%d calls of the store, want %d", got, f.claims)
					}
				})
			}
		}
	})

	t.Run("the twin of every refusal is accepted", func(t *testing.T) {
		length := int64(len(eventBody("evt_1")))
		for _, twin := range []struct {
			name   string
			change func(*site)
		}{
			{"as it is", func(*site) {}},
			{"without a media type", func(s *site) { s.request.Header.Del("Content-Type") }},
			{"media type in another case, with a parameter", header("Content-Type", "Application/JSON ; charset=utf-8")},
			{"identity is no encoding", header("Content-Encoding", "identity")},
			{"an empty encoding is none", header("Content-Encoding", "")},
			{"an unknown scheme beside the signature", func(s *site) {
				s.request.Header.Set("Stripe-Signature", s.request.Header.Get("Stripe-Signature")+",v0=00")
			}},
			{"signed as long ago as may be", signedAt(-300 * time.Second)},
			{"signed as far in the future as may be", signedAt(300 * time.Second)},
			{"a key source with the key", keysFrom(func(context.Context, *verify.Head) ([]verify.Key, error) {
				return verify.Secrets(stripeSecret).KeyList()
			})},
			{"signed with the other secret of a rotation", func(s *site) {
				s.verifier = stripe.Must(otherSecret, stripeSecret)
			}},
			{"a verifier that passes its delivery on", finishing(func(p verify.Pending, ctx context.Context, b []byte) (*verify.Delivery, error) {
				return p.Finish(ctx, b)
			})},
			{"declared as long as the limit", func(s *site) { s.opts.MaxBody = length }},
			{"undeclared and as long as the limit", func(s *site) {
				s.opts.MaxBody, s.request.ContentLength = length, -1
			}},
			{"a limit further out that is met", func(s *site) {
				setBody(s.request, http.MaxBytesReader(nil, s.request.Body, length))
			}},
			{"a body that comes byte by byte", func(s *site) { setBody(s.request, byteByByte{s.request.Body}) }},
			{"a body that pauses between bytes", func(s *site) { setBody(s.request, &pausing{r: s.request.Body}) }},
			{"acquired", outcome(replay.Outcome{Status: replay.Acquired})},
		} {
			t.Run(twin.name, func(t *testing.T) {
				s := newSite(t, signedAt(0), func(s *site) {
					s.store.Store = replay.NewMemory(&replay.MemoryOptions{Now: s.clock.Now, Since: start.Add(-time.Hour)})
					s.store.commit = func(context.Context, replay.Handle) error { return nil }
				}, twin.change)
				want(t, s.serve(s.request), 200)
				wantRuns(t, s, 1)
				if s.store.commits.Load() != 1 || s.store.releases.Load() != 0 {
					t.Errorf("%d commits and %d releases, want 1 and 0", s.store.commits.Load(), s.store.releases.Load())
				}
			})
		}
	})

	t.Run("an honest repeat is acknowledged", func(t *testing.T) {
		for _, c := range []struct {
			name       string
			duplicates middleware.Duplicates
			outcome    replay.Outcome
			change     func(*site)
			status     int
		}{
			{"the same message is a replay", 0, replay.Outcome{Status: replay.Done, Same: true}, nil, 409},
			{"a newly signed one is honest", 0, replay.Outcome{Status: replay.Done}, nil, 200},
			{"a provider that repeats bytes is honest", 0, replay.Outcome{Status: replay.Done, Same: true}, repeatsBytes, 200},
			{"a provider that never retries is not", 0, replay.Outcome{Status: replay.Done, Same: true}, onGitHub, 409},
			{"all are acknowledged on request", middleware.AcknowledgeDuplicates, replay.Outcome{Status: replay.Done, Same: true}, nil, 200},
			{"all are acknowledged on request, also GitHub's", middleware.AcknowledgeDuplicates, replay.Outcome{Status: replay.Done, Same: true}, onGitHub, 200},
			{"all are refused on request, newly signed", middleware.RefuseDuplicates, replay.Outcome{Status: replay.Done}, nil, 409},
			{"all are refused on request, repeated bytes", middleware.RefuseDuplicates, replay.Outcome{Status: replay.Done, Same: true}, repeatsBytes, 409},
			{"in flight is never acknowledged", middleware.AcknowledgeDuplicates, replay.Outcome{Status: replay.InFlight, Lease: time.Second}, nil, 409},
			{"in flight is never acknowledged, repeated bytes", middleware.AcknowledgeDuplicates, replay.Outcome{Status: replay.InFlight, Lease: time.Second}, repeatsBytes, 409},
			{"forged is never acknowledged", middleware.AcknowledgeDuplicates, replay.Outcome{Status: replay.Forged}, repeatsBytes, 401},
			{"before the floor is never acknowledged", middleware.AcknowledgeDuplicates, replay.Outcome{Status: replay.BeforeFloor}, nil, 401},
		} {
			t.Run(c.name, func(t *testing.T) {
				s := newSite(t, func(s *site) {
					if c.change != nil {
						c.change(s)
					}
					s.opts.Duplicates = c.duplicates
				}, outcome(c.outcome))
				w := s.serve(s.request)
				if c.status == 200 {
					want(t, w, 200, "Webhook-Duplicate", "1", "Content-Length", "0", "Retry-After", "")
				} else {
					want(t, w, c.status, "Webhook-Duplicate", "")
				}
				wantRuns(t, s, 0)
				if s.store.calls() != 1 {
					t.Errorf("%d calls of the store, want 1", s.store.calls())
				}
			})
		}
	})
}

type byteByByte struct{ r io.Reader }

func (b byteByByte) Read(p []byte) (int, error) { return b.r.Read(p[:min(1, len(p))]) }

// pausing returns nothing in half of its reads, as a reader may.
type pausing struct {
	r     io.Reader
	pause bool
}

func (p *pausing) Read(b []byte) (int, error) {
	if p.pause = !p.pause; p.pause {
		return 0, nil
	}
	return p.r.Read(b[:min(1, len(b))])
}

var date = regexp.MustCompile(`Date: [^\r]+\r\n`)

func TestUnauthorized(t *testing.T) {
	t.Run("all are the same bytes", func(t *testing.T) {
		var first string
		compare := func(t *testing.T, got string) {
			got = date.ReplaceAllString(got, "")
			if !strings.HasPrefix(got, "HTTP/1.1 401 Unauthorized\r\n") {
				t.Fatalf("got %q", got)
			}
			if first == "" {
				first = got
			}
			if got != first {
				t.Errorf("got  %q\nwant %q", got, first)
			}
		}
		reasons := make(map[verify.Reason]bool)
		for _, f := range refusals {
			if f.status != 401 {
				continue
			}
			reasons[f.reason] = true
			t.Run(f.name, func(t *testing.T) {
				s := newSite(t, f.change)
				server := listen(t, s)
				body, err := io.ReadAll(s.request.Body)
				if err != nil {
					t.Fatal(err)
				}
				conn := dial(t, server)
				send(t, conn, headOf(s.request, "Content-Length: "+strconv.Itoa(len(body)))+string(body))
				got, err := io.ReadAll(conn)
				if err != nil {
					t.Fatal(err)
				}
				compare(t, string(got))

				if f.head { // the same without a body to read
					conn = dial(t, server)
					send(t, conn, headOf(s.request, "Content-Length: 0"))
					if got, err = io.ReadAll(conn); err != nil {
						t.Fatal(err)
					}
					compare(t, string(got))
				}
			})
		}
		for reason := verify.ErrMethod; reason <= verify.ErrUnavailable; reason++ {
			switch reason {
			case verify.ErrUnsigned, verify.ErrMalformed, verify.ErrTooOld, verify.ErrTooNew, verify.ErrNoKey,
				verify.ErrMismatch, verify.ErrUntrusted, verify.ErrForged:
				if !reasons[reason] {
					t.Errorf("nothing was tried for %v", reason)
				}
			default:
				if reasons[reason] {
					t.Errorf("%v is answered with 401", reason)
				}
			}
		}
	})
}

func TestOnReject(t *testing.T) {
	t.Run("it may change the status within the errors", func(t *testing.T) {
		for _, c := range []struct {
			name      string
			set, want int
		}{
			{"the first error", 400, 400},
			{"the last error", 599, 599},
			{"another error", 403, 403},
			{"no success", 200, 401},
			{"no other success", 299, 401},
			{"no redirect", 399, 401},
			{"no redirect either", 302, 401},
			{"nothing informational", 103, 401},
			{"nothing beyond the errors", 600, 401},
			{"not zero", 0, 401},
			{"nothing negative", -1, 401},
		} {
			t.Run(c.name, func(t *testing.T) {
				var calls int
				s := newSite(t, func(s *site) {
					s.request.Header.Del("Stripe-Signature")
					s.opts.OnReject = func(_ context.Context, reason verify.Reason, a *middleware.Response) {
						calls++
						if reason != verify.ErrUnsigned || a.Reason != verify.ErrUnsigned || a.Status != 401 {
							t.Errorf("called with %v and %+v", reason, a)
						}
						a.Status = c.set
					}
				})
				w := s.serve(s.request)
				want(t, w, c.want, "Content-Type", "application/problem+json")
				if !strings.HasSuffix(w.Body.String(), `"status":`+strconv.Itoa(c.want)+`}`) {
					t.Errorf("the body says something else than %d: %s", c.want, w.Body)
				}
				wantRuns(t, s, 0)
				if calls != 1 {
					t.Errorf("%d calls, want 1", calls)
				}
			})
		}
	})

	t.Run("it is asked once for every refusal", func(t *testing.T) {
		for _, f := range refusals {
			t.Run(f.name, func(t *testing.T) {
				var reasons []verify.Reason
				s := newSite(t, f.change, f.unread, func(s *site) {
					s.opts.OnReject = func(_ context.Context, r verify.Reason, a *middleware.Response) {
						reasons = append(reasons, r)
						a.Status = 418
					}
				})
				want(t, s.serve(s.request), 418)
				if len(reasons) != 1 || reasons[0] != f.reason {
					t.Errorf("asked for %v, want %v", reasons, f.reason)
				}
				wantRuns(t, s, 0)
			})
		}
		t.Run("and not for an acknowledgement", func(t *testing.T) {
			s := newSite(t, outcome(replay.Outcome{Status: replay.Done}), func(s *site) {
				s.opts.OnReject = func(context.Context, verify.Reason, *middleware.Response) { t.Error("asked") }
			})
			want(t, s.serve(s.request), 200, "Webhook-Duplicate", "1")
		})
		t.Run("and not for what is accepted", func(t *testing.T) {
			s := newSite(t, func(s *site) {
				s.opts.OnReject = func(context.Context, verify.Reason, *middleware.Response) { t.Error("asked") }
			})
			want(t, s.serve(s.request), 200)
		})
	})

	t.Run("what it does leaves later responses alone", func(t *testing.T) {
		var vandal bool
		s := newSite(t, func(s *site) {
			s.request.Header.Del("Stripe-Signature")
			s.opts.OnReject = func(_ context.Context, _ verify.Reason, a *middleware.Response) {
				if !vandal {
					return
				}
				a.Status = 500
				for name := range a.Header {
					a.Header[name][0] = "scribble"
				}
				a.Header.Set("X-Scribble", "1")
				for i := range a.Body {
					a.Body[i] = '#'
				}
			}
		})
		before := s.serve(again(t, s.request))
		vandal = true
		scribbled := s.serve(again(t, s.request))
		want(t, scribbled, 500, "X-Scribble", "1")
		vandal = false
		after := s.serve(again(t, s.request))
		want(t, after, 401, "X-Scribble", "", "WWW-Authenticate", "Webhook-Signature")
		if before.Body.String() != after.Body.String() {
			t.Errorf("the body was %s and is %s", before.Body, after.Body)
		}
	})

	t.Run("it may throw the headers away", func(t *testing.T) {
		s := newSite(t, func(s *site) {
			s.request.Header.Del("Stripe-Signature")
			s.opts.OnReject = func(_ context.Context, _ verify.Reason, a *middleware.Response) {
				a.Status, a.Header, a.Body = 403, nil, nil
			}
		})
		w := s.serve(s.request)
		want(t, w, 403, "Content-Length", "0", "WWW-Authenticate", "")
		if w.Body.Len() != 0 {
			t.Errorf("body %q", w.Body)
		}
	})

	// A status of one's own must not bring back the difference that byte-identical
	// 401s hide: whether the body was read before the refusal.
	t.Run("one status for all refusals is still no oracle", func(t *testing.T) {
		var answers []string
		for _, change := range []func(*site){
			func(s *site) { s.request.Header.Del("Stripe-Signature") },
			func(s *site) {
				s.request = stripetest.NewRequest(hookURL, start, eventBody("evt_1"), otherSecret)
			},
		} {
			s := newSite(t, change, func(s *site) {
				s.opts.OnReject = func(_ context.Context, _ verify.Reason, a *middleware.Response) { a.Status = 404 }
			})
			conn := dial(t, listen(t, s))
			body := bodyOf(t, s.request)
			send(t, conn, headOf(s.request, "Content-Length: "+strconv.Itoa(len(body)))+string(body))
			r, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			answers = append(answers, r.Status+" close="+strconv.FormatBool(r.Close))
		}
		if answers[0] != answers[1] {
			t.Errorf("a refusal on the head is %q, one behind the body %q", answers[0], answers[1])
		}
	})
}
