package middlewaretest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// refusals: the guard's response leaves as the guard made it, the handler does not run,
// and the body of a request with a bad head is not read.
func refusals(x *suite) {
	unauthorized := []string{"WWW-Authenticate", "Webhook-Signature"}
	for _, c := range []struct {
		name    string
		change  func(*site)
		status  int
		headers []string
		head    bool // refused before the body is read
		claims  int64
	}{
		{"another method", func(s *site) { s.request.Method = "PUT" }, 405, []string{"Allow", "POST"}, true, 0},
		{"another media type", func(s *site) { s.request.Header.Set("Content-Type", "text/plain") }, 415, nil, true, 0},
		{"no signature", unsigned, 401, unauthorized, true, 0},
		{"a malformed signature", func(s *site) { s.request.Header.Set(signature, "t") }, 401, unauthorized, true, 0},
		{"a signature that is too old", func(s *site) { s.request = s.resigned(-window - time.Second) }, 401, unauthorized, true, 0},
		{"another secret", forged, 401, unauthorized, false, 0},
		{"another body under a signed message", outcome(replay.Outcome{Status: replay.Forged}, nil), 401, unauthorized, false, 1},
		{"a body that is too large", func(s *site) { s.opts.MaxBody = 10 }, 413, nil, true, 0},
		{"a body that is too large and not declared", func(s *site) { s.opts.MaxBody, s.request.ContentLength = 10, -1 }, 413, nil, false, 0},
		{"a body that is broken off", func(s *site) { s.request.ContentLength++ }, 400, nil, false, 0},
		{"a body that is too slow", func(s *site) {
			setBody(s.request, broken{strings.NewReader("{"), os.ErrDeadlineExceeded})
		}, 408, nil, false, 0},
		{"a replay", outcome(replay.Outcome{Status: replay.Done, Same: true}, nil), 409, []string{"Webhook-Duplicate", ""}, false, 1},
		{"an honest repeat", outcome(replay.Outcome{Status: replay.Done}, nil), 200, []string{"Webhook-Duplicate", "1", "Content-Type", ""}, false, 1},
		{"an event in flight", outcome(replay.Outcome{Status: replay.InFlight, Lease: 90 * time.Second}, nil), 409, []string{"Retry-After", "90"}, false, 1},
		{"a store that is down", outcome(replay.Outcome{}, errFailed), 503, []string{"Retry-After", "10"}, false, 1},
		{"a store that decides nothing", outcome(replay.Outcome{}, nil), 503, []string{"Retry-After", "10"}, false, 1},
	} {
		x.run(c.name, func(x *suite) {
			s := newSite(x, c.change, func(s *site) {
				if c.head {
					setBody(s.request, untouchable{x})
				}
			})
			w := s.serve(s.request)
			want(x, w, c.status, c.headers...)
			body := ""
			if c.status != 200 {
				body = problem(c.status)
				want(x, w, c.status, "Content-Type", "application/problem+json")
			}
			want(x, w, c.status, "Content-Length", fmt.Sprint(len(body)))
			if w.Body.String() != body {
				x.Errorf("body %q, want %q", w.Body, body)
			}
			s.wantRuns(0)
			s.wantSettled(0, 0)
			if n := s.store.claims.Load(); n != c.claims {
				x.Errorf("%d claims, want %d", n, c.claims)
			}
			if r := s.report(); r.Status != c.status {
				x.Errorf("report %+v", r)
			}
		})
	}
	x.run("but not of a genuine delivery", func(x *suite) {
		s := newSite(x)
		want(x, s.serve(s.request), 200, "Webhook-Duplicate", "")
		s.wantRuns(1)
		s.wantSettled(1, 0)
	})
}

var date = regexp.MustCompile(`Date: [^\r]+\r\n`)

// socketRefusals: a refusal on the head does not wait for the body, ends the connection,
// and has the same bytes as one behind the body.
func socketRefusals(x *suite) {
	declared := fmt.Sprintf("Content-Length: %d", len(eventBody("evt_1")))
	first := ""
	for _, c := range []struct {
		name    string
		change  func(*site)
		framing string
		body    []byte
	}{
		{"on the head, with a body that never comes", unsigned, declared, nil},
		{"on the head, with chunks that never come", unsigned, "Transfer-Encoding: chunked", nil},
		{"on the head, with a body that waits for the go-ahead", unsigned, declared + "\r\nExpect: 100-continue", nil},
		{"behind the body", forged, declared, eventBody("evt_1")},
	} {
		x.run(c.name, func(x *suite) {
			s := newSite(x, c.change)
			conn := dial(x, listen(x, s))
			conn.send(s.request, c.framing, c.body)
			got, err := io.ReadAll(conn.reader) // to its end, although the client keeps it open
			if err != nil {
				x.Fatal(err)
			}
			response := date.ReplaceAllString(string(got), "")
			if first == "" {
				first = response
			}
			if !strings.HasPrefix(response, "HTTP/1.1 401 ") || response != first {
				x.Errorf("got  %q\nwant %q", response, first)
			}
			s.wantRuns(0)
		})
	}
}

// keptConnections: what ends no connection is served on one.
func keptConnections(x *suite) {
	s := newSite(x)
	conn := dial(x, listen(x, s))
	for _, status := range []int{200, 409, 409} {
		conn.sendAll(s.request)
		if response, _ := conn.response(); response.StatusCode != status || response.Close {
			x.Errorf("status %d, close %v, want %d and false", response.StatusCode, response.Close, status)
		}
	}
	s.wantRuns(1)
}

// servedAgain: a middleware around the server that tries again gets no further.
func servedAgain(x *suite) {
	for _, c := range []struct {
		name   string
		change func(*site)
		status int
		runs   int64
	}{{"forged", forged, 401, 0}, {"genuine", func(*site) {}, 200, 1}} {
		x.run(c.name, func(x *suite) {
			s := newSite(x, c.change)
			r := again(x, s.request)
			want(x, s.serve(r), c.status)
			s.serve(r)
			s.serve(r.WithContext(context.Background()))
			s.wantRuns(c.runs)
		})
	}
}

// bodyAfterRefusal: nothing that holds the request finds a body in it.
func bodyAfterRefusal(x *suite) {
	for _, c := range []struct {
		name   string
		change func(*site)
		status int
	}{
		{"on the head", unsigned, 401},
		{"of another media type", func(s *site) { s.request.Header.Set("Content-Type", "text/plain") }, 415},
		{"behind the body", forged, 401},
		{"by its size", func(s *site) { s.opts.MaxBody = 16 }, 413},
		{"of an honest repeat", outcome(replay.Outcome{Status: replay.Done}, nil), 200},
		{"by a store that is down", outcome(replay.Outcome{}, errFailed), 503},
	} {
		x.run(c.name, func(x *suite) {
			overBoth(x, func(x *suite, deliver func(http.Handler, *http.Request) delivered) {
				var left [2]string
				read := func(r *http.Request) string {
					body, err := io.ReadAll(r.Body)
					if err != nil || r.GetBody != nil {
						x.Errorf("reading says %v", err)
					}
					return string(body)
				}
				s := newSite(x, c.change, around(func(e Exchange) error {
					err := e.Next()
					left[0] = read(e.Request())
					return err
				}))
				got := deliver(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					s.ServeHTTP(w, r)
					left[1] = read(r)
				}), s.request)
				if got.status != c.status {
					x.Errorf("status %d, want %d", got.status, c.status)
				}
				if left != [2]string{} {
					x.Errorf("a middleware outside reads %q, and one around the server %q", left[0], left[1])
				}
				s.wantRuns(0)
			})
		})
	}
}

// dispatches: a forged delivery reaches the handler by no means of the framework.
func dispatches(x *suite) {
	if len(x.adapter.Redispatch) == 0 {
		x.Fatal("Adapter.Redispatch is empty: say why in Adapter.Cannot[\"another dispatch\"]")
	}
	for _, way := range x.adapter.Redispatch {
		x.run(way.Name, func(x *suite) {
			overBoth(x, func(x *suite, deliver func(http.Handler, *http.Request) delivered) {
				for _, genuine := range []bool{false, true} {
					if genuine && way.NoTwin != "" {
						continue
					}
					s := newSite(x, func(s *site) {
						if !genuine {
							forged(s)
						}
						if way.Path != "" {
							s.request.URL.Path = way.Path
						}
					})
					handler := way.Mount(s.guard, func(e Exchange) error {
						s.runs.Add(1)
						if _, ok := verify.FromContext(e.Request().Context()); !ok {
							x.Error("the handler ran for what was not verified")
						}
						respond(e, 200, "ok")
						return nil
					})
					left := ""
					got := deliver(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						handler.ServeHTTP(w, r)
						body, _ := io.ReadAll(r.Body)
						left = string(body)
					}), s.request)
					switch {
					case genuine && (s.runs.Load() != 1 || got.status != 200):
						x.Errorf("genuine: %d runs, status %d, body %q", s.runs.Load(), got.status, got.body)
					case !genuine && (s.runs.Load() != 0 || got.status != 401 || left != ""):
						x.Errorf("forged: %d runs, status %d, body %q; left is %q", s.runs.Load(), got.status, got.body, left)
					}
				}
			})
		})
	}
}

// stalledBodies: the guard sets the deadline of a body through the framework's writer.
func stalledBodies(x *suite) {
	for _, wrapped := range []bool{false, true} {
		name := "directly"
		if wrapped {
			name = "behind a writer that unwraps"
		}
		x.run(name, func(x *suite) {
			s := newSite(x, func(s *site) { s.opts.BodyTimeout = 100 * time.Millisecond })
			conn := dial(x, listen(x, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if wrapped {
					w = unwrapping{w}
				}
				s.ServeHTTP(w, r)
			})))
			conn.send(s.request, "Content-Length: 400", []byte("{"))
			if response, _ := conn.response(); response.StatusCode != 408 || !response.Close {
				x.Errorf("status %d, close %v, want 408 and true", response.StatusCode, response.Close)
			}
			if r := s.report(); r.NoReadDeadline || r.Reason != verify.ErrBody {
				x.Errorf("the framework hides read deadlines: report %+v", r)
			}
			s.wantRuns(0)
		})
	}
}

// readBefore: a body that something outside has read is missed.
func readBefore(x *suite) {
	s := newSite(x, around(func(e Exchange) error {
		io.Copy(io.Discard, e.Request().Body)
		return e.Next()
	}))
	want(x, s.serve(s.request), 400)
	s.wantRuns(0)
	if n := s.store.claims.Load(); n != 0 {
		x.Errorf("%d claims", n)
	}
}

// limitedBefore: what a limit outside cuts off is too large, and what it lets through
// is not.
func limitedBefore(x *suite) {
	length := int64(len(eventBody("evt_1")))
	for _, c := range []struct {
		name   string
		limit  int64
		status int
	}{{"that cuts off", length - 1, 413}, {"that is met", length, 200}} {
		x.run(c.name, func(x *suite) {
			s := newSite(x, around(func(e Exchange) error {
				r := e.Request().Clone(e.Request().Context())
				r.Body = http.MaxBytesReader(e.Writer(), r.Body, c.limit)
				e.SetRequest(r)
				return e.Next()
			}))
			want(x, s.serve(s.request), c.status)
			s.wantRuns(count(c.status == 200))
		})
	}
}

// count returns how often something that is true once happens.
func count(once bool) int64 {
	if once {
		return 1
	}
	return 0
}

// hintsBefore: early hints of a middleware outside are not taken for the response.
func hintsBefore(x *suite) {
	for _, c := range []struct {
		name   string
		change func(*site)
		status int
	}{
		{"a refusal", unsigned, 401},
		{"a failure", handling(responding(503, "no")), 503},
		{"a success", handling(responding(204, "")), 204},
		{"a success without a status", func(*site) {}, 200},
	} {
		x.run(c.name, func(x *suite) {
			overBoth(x, func(x *suite, deliver func(http.Handler, *http.Request) delivered) {
				s := newSite(x, around(func(e Exchange) error {
					e.Writer().WriteHeader(http.StatusEarlyHints)
					return e.Next()
				}), c.change)
				s.request.Header["Expect"] = nil // early hints take the place of the go-ahead
				if got := deliver(s, s.request); got.status != c.status {
					x.Errorf("status %d, want %d", got.status, c.status)
				}
				if done := s.store.commits.Load() == 1; done != (c.status/100 == 2) {
					x.Errorf("committed: %v", done)
				}
			})
		})
	}
}

// copies: which copy of a delivery that was handled is acknowledged, and which is
// refused.
func copies(x *suite) {
	same := func(s *site) *http.Request { return again(s.x, s.request) }
	anew := func(s *site) *http.Request { return s.resigned(time.Second) }
	duplicates := func(d middleware.Duplicates) func(*site) { return func(s *site) { s.opts.Duplicates = d } }
	for _, c := range []struct {
		name    string
		changes []func(*site)
		copy    func(*site) *http.Request
		status  int
	}{
		{"byte for byte, of a provider that signs anew", nil, same, 409},
		{"signed anew", nil, anew, 200},
		{"byte for byte, of a provider that never retries", []func(*site){of(neverRetries())}, same, 409},
		{"byte for byte, of a provider that repeats bytes", []func(*site){of(repeats())}, same, 200},
		{"byte for byte, to be acknowledged", []func(*site){duplicates(middleware.AcknowledgeDuplicates)}, same, 200},
		{"signed anew, to be refused", []func(*site){duplicates(middleware.RefuseDuplicates)}, anew, 409},
	} {
		x.run(c.name, func(x *suite) {
			s := newSite(x, c.changes...)
			want(x, s.serve(again(x, s.request)), 200, "Webhook-Duplicate", "")
			duplicate := ""
			if c.status == 200 {
				duplicate = "1"
			}
			for range 2 {
				want(x, s.serve(c.copy(s)), c.status, "Webhook-Duplicate", duplicate)
			}
			s.wantRuns(1)
			want(x, s.serve(s.sign("evt_2")), 200, "Webhook-Duplicate", "")
			s.wantRuns(2)
		})
	}
}

// concurrentCopies: one of many runs, and the others are told when to come back.
func concurrentCopies(x *suite) {
	const copies = 16
	var others sync.WaitGroup
	s := newSite(x)
	s.handle = func(e Exchange) error {
		if s.runs.Load() == 1 {
			others.Wait()
		}
		respond(e, 204, "")
		return nil
	}
	var all sync.WaitGroup
	answers := make([]*httptest.ResponseRecorder, copies)
	others.Add(copies - 1)
	for i := range answers {
		r := again(x, s.request)
		all.Go(func() {
			answers[i] = s.serve(r)
			if answers[i].Code != 204 {
				others.Done()
			}
		})
	}
	over := make(chan struct{})
	go func() { all.Wait(); close(over) }()
	select {
	case <-over:
	case <-time.After(patience):
		x.Fatal("the copies wait for each other: more than one of them ran")
	}
	statuses := make(map[string]int)
	for _, w := range answers {
		statuses[fmt.Sprint(w.Code, " ", w.Header().Get("Retry-After"))]++
	}
	s.wantRuns(1)
	if statuses["204 "] != 1 || statuses["409 30"] != copies-1 {
		x.Errorf("responses %v", statuses)
	}
}

// weakBodies: where the signature does not cover the whole body, another one under the
// same message is a forgery, and the handler sees how weakly its own is bound.
func weakBodies(x *suite) {
	body, other := []byte(`{"amount":"20.00"}`), []byte(`{"amount":"99.99"}`)
	for _, c := range []struct {
		name          string
		first, second []byte
		status        int // of the second
	}{
		{"repeated", body, body, 200},
		{"and another one", body, other, 401},
		{"whichever comes first", other, body, 401},
	} {
		x.run(c.name, func(x *suite) {
			s := newSite(x, of(repeats()), handling(func(e Exchange) error {
				if d, ok := verify.FromContext(e.Request().Context()); !ok || d.Binding != verify.BindingChecksum {
					x.Errorf("the handler does not see how weakly the body is bound: %+v", d)
				}
				return nil
			}))
			send := func(b []byte) *http.Request { return s.provider.sign(start, "evt_1", b, secret) }
			want(x, s.serve(send(c.first)), 200)
			want(x, s.serve(send(c.second)), c.status)
			s.wantRuns(1)
		})
	}
}

// failingStores: what fails at the store changes no response but the one of a claim.
func failingStores(x *suite) {
	for _, c := range []struct {
		name    string
		change  func(*site)
		handle  func(Exchange) error
		status  int
		outcome middleware.Outcome
	}{
		{"to commit", func(s *site) { s.store.commit = func() error { return errFailed } }, responding(201, "ok"), 201, middleware.CommitFailed},
		{"to release", func(s *site) { s.store.release = func() error { return errFailed } }, responding(502, "no"), 502, middleware.Failed},
		{"to claim", outcome(replay.Outcome{}, errFailed), responding(201, "ok"), 503, middleware.Refused},
	} {
		x.run(c.name, func(x *suite) {
			s := newSite(x, c.change, handling(c.handle))
			want(x, s.serve(s.request), c.status)
			if r := s.report(); r.Outcome != c.outcome || !errors.Is(r.Err, errFailed) {
				x.Errorf("report %+v", r)
			}
		})
	}
}

// failOpen: a guard that was told to lets a request pass where the store fails, without
// a claim.
func failOpen(x *suite) {
	for _, c := range []struct {
		name   string
		change func(*site)
		status int
	}{
		{"for what is genuine", outcome(replay.Outcome{}, errFailed), 201},
		{"and not for what is forged", func(s *site) { outcome(replay.Outcome{}, errFailed)(s); forged(s) }, 401},
	} {
		x.run(c.name, func(x *suite) {
			s := newSite(x, c.change, func(s *site) { s.opts.InsecureFailOpen = true }, handling(func(e Exchange) error {
				if _, ok := verify.FromContext(e.Request().Context()); !ok {
					x.Error("there is no delivery")
				}
				if _, ok := replay.FromContext(e.Request().Context()); ok {
					x.Error("there is a handle of a claim that nobody made")
				}
				respond(e, 201, "ok")
				return nil
			}))
			want(x, s.serve(s.request), c.status)
			s.wantRuns(count(c.status == 201))
			s.wantSettled(0, 0)
		})
	}
}

// sameGuardTwice: it counts once.
func sameGuardTwice(x *suite) {
	for _, c := range []struct {
		name    string
		handle  func(Exchange) error
		status  int
		commits int64
	}{
		{"around a success", responding(201, "ok"), 201, 1},
		{"around a failure", responding(502, "no"), 502, 0},
	} {
		x.run(c.name, func(x *suite) {
			s := newSite(x, func(s *site) { s.twice = true }, handling(c.handle))
			want(x, s.serve(s.request), c.status)
			s.wantRuns(1)
			s.wantSettled(c.commits, 1-c.commits)
			if n := s.store.claims.Load(); n != 1 {
				x.Errorf("%d claims, want 1: the adapter asks Guard.Admitted first", n)
			}
			s.report()
		})
	}
	x.run("around a refusal", func(x *suite) {
		s := newSite(x, func(s *site) { s.twice = true }, forged)
		want(x, s.serve(s.request), 401)
		s.wantRuns(0)
		s.report()
	})
}

// twoGuards: both count, and what the inner one refuses the outer one forgets.
func twoGuards(x *suite) {
	for _, c := range []struct {
		name     string
		handle   func(Exchange) error
		between  []func(Exchange) error
		response string
		commits  int64
	}{
		{"around a success", responding(201, "ok"), nil, "status 201, body ok", 1},
		{"around a failure", responding(502, "no"), nil, "status 502, body no", 0},
		{"around a panic that is recovered in between", func(Exchange) error { panic("boom") }, []func(Exchange) error{recovering(503)}, "status 503, body sorry", 0},
	} {
		x.run(c.name, func(x *suite) {
			outer := newSite(x)
			inner := newSite(x, func(s *site) {
				s.outside = append([]Link{{Guard: outer.guard}}, linked(c.between)...)
			}, handling(c.handle))
			w := newJournal()
			inner.ServeHTTP(w, again(x, inner.request))
			if w.String() != c.response {
				x.Errorf("answered %q, want %q", w, c.response)
			}
			inner.wantRuns(1)
			inner.wantSettled(c.commits, 1-c.commits)
			outer.wantSettled(c.commits, 1-c.commits)
		})
	}
	x.run("of which the inner one refuses", func(x *suite) {
		outer := newSite(x)
		inner := newSite(x, outcome(replay.Outcome{Status: replay.Forged}, nil), func(s *site) {
			s.outside = []Link{{Guard: outer.guard}}
		})
		want(x, inner.serve(inner.request), 401)
		inner.wantRuns(0)
		outer.wantSettled(0, 1)
	})
	x.run("of which the outer one refuses", func(x *suite) {
		outer := newSite(x, outcome(replay.Outcome{Status: replay.Forged}, nil))
		inner := newSite(x, func(s *site) { s.outside = []Link{{Guard: outer.guard}} })
		want(x, inner.serve(inner.request), 401)
		inner.wantRuns(0)
		if n := inner.store.claims.Load(); n != 0 {
			x.Errorf("%d claims of the inner one", n)
		}
	})
}
