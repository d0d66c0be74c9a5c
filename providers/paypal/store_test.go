package paypal_test

import (
	"bytes"
	"context"
	"encoding/json"
	"hash/crc32"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/adapter"
	"github.com/hooknotary/hooknotary/providers/paypal"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// collide appends white space to a body of JSON until its CRC-32 is that of want.
// A CRC is linear: each space that is turned into a tab changes it in a way that
// does not depend on the others.
func collide(t testing.TB, body, want []byte) []byte {
	t.Helper()
	const n = 64
	forged := append(slices.Clone(body), bytes.Repeat([]byte{' '}, n)...)
	plain := crc32.ChecksumIEEE(forged)
	type vector struct {
		change uint32
		tabs   uint64
	}
	var basis []vector
	reduce := func(v vector) vector {
		for _, b := range basis {
			if v.change^b.change < v.change {
				v.change, v.tabs = v.change^b.change, v.tabs^b.tabs
			}
		}
		return v
	}
	for i := range n {
		forged[len(body)+i] = '\t'
		v := reduce(vector{plain ^ crc32.ChecksumIEEE(forged), 1 << i})
		forged[len(body)+i] = ' '
		if v.change != 0 {
			basis = append(basis, v)
			slices.SortFunc(basis, func(a, b vector) int { return int(int64(b.change) - int64(a.change)) })
		}
	}
	need := reduce(vector{plain ^ crc32.ChecksumIEEE(want), 0})
	if need.change != 0 {
		t.Fatal("there is no collision of that length")
	}
	for i := range n {
		if need.tabs>>i&1 == 1 {
			forged[len(body)+i] = '\t'
		}
	}
	if crc32.ChecksumIEEE(forged) != crc32.ChecksumIEEE(want) || bytes.Equal(forged, want) {
		t.Fatal("this is no collision")
	}
	return forged
}

// endpoint is a guarded endpoint behind a server with real sockets.
type endpoint struct {
	t     *testing.T
	url   string
	store *replay.Memory

	mu     sync.Mutex
	now    time.Time
	bodies [][]byte         // that reached the handler
	handle http.HandlerFunc // nil responds with 200
	posts  int
	events map[string]chan middleware.Report // by the number of the post
}

type postKey struct{}

func newEndpoint(t *testing.T, v verify.Verifier, at time.Time) *endpoint {
	t.Helper()
	e := &endpoint{t: t, now: at, events: make(map[string]chan middleware.Report)}
	clock := func() time.Time {
		e.mu.Lock()
		defer e.mu.Unlock()
		return e.now
	}
	e.store = replay.NewMemory(&replay.MemoryOptions{Now: clock})
	guard, err := middleware.New("paypal", v, e.store, &middleware.Options{
		Now: clock,
		Observe: func(ctx context.Context, event middleware.Report) {
			e.mu.Lock()
			defer e.mu.Unlock()
			if c := e.events[ctx.Value(postKey{}).(string)]; c != nil {
				c <- event
			}
		},
	})
	must(err)
	guarded := guard.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if d, ok := verify.FromContext(r.Context()); err != nil || !ok || !bytes.Equal(d.Body, body) || d.Binding != verify.BindingChecksum {
			t.Errorf("the handler's body and delivery differ: %v", err)
		}
		e.mu.Lock()
		e.bodies = append(e.bodies, body)
		handle := e.handle
		e.mu.Unlock()
		if handle != nil {
			handle(w, r)
		}
	}))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		guarded.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), postKey{}, r.Header.Get("X-Post"))))
	}))
	t.Cleanup(server.Close)
	e.url = server.URL
	return e
}

func (e *endpoint) response(handle http.HandlerFunc) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.handle = handle
}

func (e *endpoint) pass(d time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.now = e.now.Add(d)
}

// runs returns how often the handler ran.
func (e *endpoint) runs() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.bodies)
}

// post sends a delivery and wants a response with that status, for that reason,
// and the handler to run or not.
func (e *endpoint) post(what string, h http.Header, body []byte, status int, reason verify.Reason, runs bool) middleware.Report {
	e.t.Helper()
	before := e.runs()
	r, err := http.NewRequest(http.MethodPost, e.url, bytes.NewReader(body))
	must(err)
	r.Header = h.Clone()
	observed := make(chan middleware.Report, 1)
	e.mu.Lock()
	e.posts++
	r.Header.Set("X-Post", strconv.Itoa(e.posts))
	e.events[r.Header.Get("X-Post")] = observed
	e.mu.Unlock()
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		e.t.Fatalf("%s: %v", what, err)
	}
	io.Copy(io.Discard, res.Body)
	res.Body.Close()
	if res.StatusCode != status {
		e.t.Errorf("%s: answered %d, want %d", what, res.StatusCode, status)
	}
	if duplicate := res.Header.Get("Webhook-Duplicate"); (duplicate == "1") != (reason == verify.ErrReplayed && status == 200) {
		e.t.Errorf("%s: Webhook-Duplicate is %q", what, duplicate)
	}
	if ran := e.runs() - before; (ran == 1) != runs || ran > 1 {
		e.t.Errorf("%s: the handler ran %d times, want it to run: %v", what, ran, runs)
	}
	event := <-observed
	if event.Reason != reason {
		e.t.Errorf("%s: the reason is %v, want %v: %v", what, event.Reason, reason, event.Err)
	}
	return event
}

// later returns the headers of a new transmission of body.
func later(body []byte) http.Header { return sent(body).Header }

// forgery returns an event that verifies under the signature of event: another
// amount, another id.
func forgery(t testing.TB) []byte {
	body := bytes.Replace(event, []byte(`"20.00"`), []byte(`"20000.00"`), 1)
	body = bytes.ReplaceAll(body, []byte("WH-2WR32451HC0233532-67976317FL4543714"), []byte("WH-FORGED"))
	forged := collide(t, body, event)
	if !json.Valid(forged) || bytes.Equal(forged, event) {
		t.Fatal("the forgery is no JSON")
	}
	return forged
}

func TestForgery(t *testing.T) {
	// Shows that the sender learns nothing of why
	// it was refused.
	t.Run("everything hostile gets the same response", func(t *testing.T) {
		now := receivedAt
		clock := func() time.Time { return now }
		guarded := func(v verify.Verifier) http.Handler {
			guard, err := middleware.New("paypal", v, replay.NewMemory(&replay.MemoryOptions{Now: clock}), &middleware.Options{Now: clock})
			must(err)
			return guard.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) }))
		}
		post := func(handler http.Handler, h *verify.Head) string {
			now = h.ReceivedAt
			r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(event))
			r.Header = h.Header.Clone()
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			var response strings.Builder
			w.Result().Write(&response)
			return response.String()
		}
		w := newWorld()
		handler := guarded(w.verifier(t))
		want := post(handler, with(sent(event), "Paypal-Transmission-Sig"))
		if !strings.HasPrefix(want, "HTTP/1.1 401 ") {
			t.Fatalf("answered %q", want)
		}
		h := sent(event)
		for _, tt := range badHeads(h) {
			if tt.head == nil || tt.head.ReceivedAt.IsZero() {
				continue // no server makes such a head
			}
			if got := post(handler, tt.head); got != want {
				t.Errorf("%s: answered %q, want %q", tt.name, got, want)
			}
		}
		if got := post(handler, with(h, "Paypal-Transmission-Id", newID())); got != want {
			t.Errorf("a wrong signature: answered %q, want %q", got, want)
		}
		for _, tt := range hostile {
			w.hosts.file(certURL, tt.file(w))
			if got := post(guarded(w.verifier(t)), h); got != want {
				t.Errorf("a certificate %s: answered %q, want %q", tt.name, got, want)
			}
		}
		w.hosts.file(certURL, w.genuineFile())
		if got := post(guarded(w.verifier(t)), h); !strings.HasPrefix(got, "HTTP/1.1 202 ") {
			t.Errorf("the genuine one: answered %q", got)
		}
	})

	// Whatever became of the delivery that a transmission came with first, another
	// body under it is a forgery, and a new transmission is not.
	t.Run("another body under a transmission is a forgery", func(t *testing.T) {
		forged := forgery(t)
		t.Run("after a delivery that was handled", func(t *testing.T) {
			e := newEndpoint(t, newWorld().verifier(t), receivedAt)
			h := later(event)
			e.post("genuine", h, event, 200, 0, true)
			for range 3 {
				e.post("forged", h, forged, 401, verify.ErrForged, false)
			}
			e.post("genuine, again", h, event, 200, verify.ErrReplayed, false)
			e.pass(78 * time.Hour)
			e.post("forged, at the end of the window", h, forged, 401, verify.ErrForged, false)
			e.pass(time.Second)
			e.post("forged, after the window", h, forged, 401, verify.ErrTooOld, false)
		})
		t.Run("after a delivery that failed", func(t *testing.T) {
			e := newEndpoint(t, newWorld().verifier(t), receivedAt)
			e.response(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })
			h := later(event)
			e.post("genuine, but it fails", h, event, 500, 0, true)
			e.post("forged", h, forged, 401, verify.ErrForged, false)
			e.response(nil)
			e.post("forged, when all is well", h, forged, 401, verify.ErrForged, false)
			e.post("genuine", h, event, 200, 0, true)
		})
		t.Run("after a delivery whose handler panicked", func(t *testing.T) {
			e := newEndpoint(t, newWorld().verifier(t), receivedAt)
			e.response(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
			h := later(event)
			r, err := http.NewRequest(http.MethodPost, e.url, bytes.NewReader(event))
			must(err)
			r.Header = h.Clone()
			if res, err := http.DefaultClient.Do(r); err == nil {
				res.Body.Close()
				t.Fatalf("answered %d", res.StatusCode)
			}
			e.response(nil)
			e.post("forged", h, forged, 401, verify.ErrForged, false)
			e.post("genuine", h, event, 200, 0, true)
		})
		t.Run("after a repeat that was acknowledged", func(t *testing.T) {
			e := newEndpoint(t, newWorld().verifier(t), receivedAt)
			e.post("genuine", later(event), event, 200, 0, true)
			again := later(event)
			e.post("the event again", again, event, 200, verify.ErrReplayed, false)
			e.post("forged under the second transmission", again, forged, 401, verify.ErrForged, false)
			e.post("a genuine one of its own", later(forged), forged, 200, 0, true)
		})
		t.Run("after one that came while the event was in flight", func(t *testing.T) {
			e := newEndpoint(t, newWorld().verifier(t), receivedAt)
			running, done := make(chan struct{}), make(chan struct{})
			e.response(func(http.ResponseWriter, *http.Request) { close(running); <-done })
			first, second := later(event), later(event)
			var all sync.WaitGroup
			all.Go(func() {
				r, err := http.NewRequest(http.MethodPost, e.url, bytes.NewReader(event))
				must(err)
				r.Header = first.Clone()
				res, err := http.DefaultClient.Do(r)
				must(err)
				res.Body.Close()
			})
			<-running
			e.response(nil)
			e.post("the same bytes", first, event, 409, verify.ErrInFlight, false)
			e.post("the event in another transmission", second, event, 409, verify.ErrInFlight, false)
			e.post("forged under the first", first, forged, 401, verify.ErrForged, false)
			e.post("forged under the second", second, forged, 401, verify.ErrForged, false)
			close(done)
			all.Wait()
			e.post("forged under the second, afterwards", second, forged, 401, verify.ErrForged, false)
			e.post("the genuine one", second, event, 200, verify.ErrReplayed, false)
		})
		t.Run("also one that differs in its white space", func(t *testing.T) {
			e := newEndpoint(t, newWorld().verifier(t), receivedAt)
			h := later(event)
			e.post("genuine", h, event, 200, 0, true)
			e.post("forged", h, collide(t, event, event), 401, verify.ErrForged, false)
		})
		t.Run("of many at once, one body is handled, once", func(t *testing.T) {
			e := newEndpoint(t, newWorld().verifier(t), receivedAt)
			h := later(event)
			var all sync.WaitGroup
			for i := range 40 {
				body := event
				if i%2 == 1 {
					body = forged
				}
				all.Go(func() {
					r, err := http.NewRequest(http.MethodPost, e.url, bytes.NewReader(body))
					must(err)
					r.Header = h.Clone()
					res, err := http.DefaultClient.Do(r)
					must(err)
					res.Body.Close()
				})
			}
			all.Wait()
			if n := e.runs(); n != 1 {
				t.Errorf("the handler ran %d times, want once", n)
			}
		})
	})

	// Documents what the store cannot know: which of
	// two bodies was PayPal's. The second one is refused and reported, whichever it
	// is, so an operator learns of it; Confirm.FetchEvent decides it.
	t.Run("a forgery that comes first wins", func(t *testing.T) {
		e := newEndpoint(t, newWorld().verifier(t), receivedAt)
		h := later(event)
		e.post("forged", h, forgery(t), 200, 0, true)
		e.post("genuine", h, event, 401, verify.ErrForged, false)
		e.post("genuine, transmitted anew", later(event), event, 200, 0, true)
	})

	t.Run("the published collision is refused", func(t *testing.T) {
		t.Run("behind the genuine transmission", func(t *testing.T) {
			v, h, genuine, forged, at := publishedPair(t)
			e := newEndpoint(t, v, at)
			e.post("genuine", h, genuine, 200, 0, true)
			e.post("forged", h, forged, 401, verify.ErrForged, false)
			e.post("genuine, again", h, genuine, 200, verify.ErrReplayed, false)
			e.post("forged, again", h, forged, 401, verify.ErrForged, false)
		})
		t.Run("but not in front of it, and then the genuine one is", func(t *testing.T) {
			v, h, genuine, forged, at := publishedPair(t)
			e := newEndpoint(t, v, at)
			e.post("forged", h, forged, 200, 0, true)
			e.post("genuine", h, genuine, 401, verify.ErrForged, false)
			e.post("forged, again", h, forged, 200, verify.ErrReplayed, false)
		})
	})

	// Whoever makes another body under a
	// transmission cannot choose one for which nobody hears of a forgery, not even with
	// Confirm, which judges it before the store does.
	t.Run("what PayPal denies is a forgery", func(t *testing.T) {
		for _, fetchEvent := range []bool{false, true} {
			w, a := newWorld(), newAPI()
			a.response = eventOrSuccess
			e := newEndpoint(t, w.confirming(t, a, fetchEvent), receivedAt)
			for what, body := range map[string][]byte{
				"no JSON":            collide(t, []byte("pay"), event),
				"a member twice":     collide(t, bytes.Replace(event, []byte(`"resource"`), []byte(`"resource":{},"resource"`), 1), event),
				"an id that is none": collide(t, bytes.Replace(event, []byte(`"id":"WH-`), []byte(`"id":"XX-`), 1), event),
				"an event of nobody": forgery(t),
			} {
				h := later(event)
				e.post("genuine", h, event, 200, map[bool]verify.Reason{true: verify.ErrReplayed}[e.runs() > 0], e.runs() == 0)
				a.response = func(apiCall) (int, string) {
					if fetchEvent {
						return 404, "{}"
					}
					return 200, failure
				}
				if got := e.post(what, h, body, 401, verify.ErrForged, false); !got.FirstForged {
					t.Errorf("fetchEvent %v, %s: it is not kept as a first forgery: %v", fetchEvent, what, got.Err)
				}
				a.response = eventOrSuccess
			}
		}
	})
}

func TestRepeat(t *testing.T) {
	t.Run("a repeat is acknowledged and not handled", func(t *testing.T) {
		e := newEndpoint(t, newWorld().verifier(t), receivedAt)
		h := later(event)
		e.post("first", h, event, 200, 0, true)
		e.post("the same bytes", h, event, 200, verify.ErrReplayed, false)
		e.post("the same event in a new transmission", later(event), event, 200, verify.ErrReplayed, false)
		e.pass(78 * time.Hour)
		e.post("the same bytes at the end of the window", h, event, 200, verify.ErrReplayed, false)
		e.pass(time.Second)
		e.post("the same bytes after the window", h, event, 401, verify.ErrTooOld, false)
		other := bytes.Replace(event, []byte("WH-2WR"), []byte("WH-3WR"), 1)
		e.post("too new an event", later(other), other, 401, verify.ErrTooOld, false)
	})

	// PayPal does not say whether a retry has the body of the first attempt, so another
	// one is acknowledged; but the operator is told.
	t.Run("a finished event with another body is reported", func(t *testing.T) {
		e := newEndpoint(t, newWorld().verifier(t), receivedAt)
		other := bytes.Replace(event, []byte(`"20.00"`), []byte(`"20000.00"`), 1)
		first := later(event)
		e.post("first", first, event, 200, 0, true)
		for _, tt := range []struct {
			name  string
			head  http.Header
			body  []byte
			tells bool
		}{
			{"the same bytes", first, event, false},
			{"the same body in a new transmission", later(event), event, false},
			{"another body in a new transmission", later(other), other, true},
			{"the same body, afterwards", later(event), event, false},
		} {
			got := e.post(tt.name, tt.head, tt.body, 200, verify.ErrReplayed, false)
			if got.Outcome != middleware.Acknowledged || strings.Contains(got.Err.Error(), "another body") != tt.tells {
				t.Errorf("%s: %v with %v, want it to tell of another body: %v", tt.name, got.Outcome, got.Err, tt.tells)
			}
			if strings.Contains(got.Err.Error(), "20000") || strings.Contains(got.Err.Error(), "WH-") {
				t.Errorf("%s: the error holds something of the body: %v", tt.name, got.Err)
			}
		}
	})

	// The same holder of a delivery can
	// send copies of it at will.
	t.Run("copies do not hide a finished event with another body", func(t *testing.T) {
		e := newEndpoint(t, newWorld().verifier(t), receivedAt)
		var text bytes.Buffer
		observe := middleware.LogObserver(slog.New(slog.NewTextHandler(&text, nil)))
		other := bytes.Replace(event, []byte(`"20.00"`), []byte(`"20000.00"`), 1)
		first := later(event)
		e.post("first", first, event, 200, 0, true)
		for range 30 {
			observe(t.Context(), e.post("a copy", first, event, 200, verify.ErrReplayed, false))
		}
		observe(t.Context(), e.post("another body", later(other), other, 200, verify.ErrReplayed, false))
		if !strings.Contains(text.String(), "another body") {
			t.Errorf("of another body the log says nothing, but %d lines of copies", strings.Count(text.String(), "\n"))
		}
	})
}

func TestMemory(t *testing.T) {
	t.Parallel()
	// A store in memory takes what PayPal may send for a month: a body stays bound to
	// its message as long as that verifies, and finished events make way. The memory and
	// the deliveries are a tenth of what the names say, which changes no ratio.
	t.Run("a month of deliveries fits into memory", func(t *testing.T) {
		t.Parallel()
		const scale = 10
		profile := newWorld().verifier(t).Profile()
		for _, tt := range []struct {
			name    string
			perDay  int
			percent int
		}{
			{"12,600 a day, in 64 MiB", 12_600 / scale, 0},
			{"60,000 a day, in 64 MiB of which one endpoint may take all", 60_000 / scale, 100},
		} {
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					store := replay.NewMemory(&replay.MemoryOptions{MaxBytes: 64 << 20 / scale, MaxScopePercent: tt.percent})
					var cause error
					guard, err := middleware.New("paypal", &numbered{profile: profile}, store, &middleware.Options{
						Observe: func(_ context.Context, e middleware.Report) { cause = e.Err },
					})
					must(err)
					most := 0
					for i := range 30 * tt.perDay {
						time.Sleep(24 * time.Hour / time.Duration(tt.perDay))
						admission, response := guard.Admit(t.Context(), &adapter.Inbound{
							Head: verify.Head{Method: "POST", Header: http.Header{}},
							Body: io.NopCloser(strings.NewReader(strconv.Itoa(i))), ContentLength: -1,
						})
						if response != nil {
							t.Fatalf("on day %d delivery %d is answered %d: %v", i/tt.perDay, i, response.Status, cause)
						}
						admission.Settle(true)
						admission.Close()
						most = max(most, int(store.Usage().Records))
					}
					t.Logf("%d deliveries; at most %d records of %d", 30*tt.perDay, most, store.Usage().MaxBytes/160)
				})
			})
		}
	})
}

// numbered takes each body for a delivery of its own, with the profile of PayPal.
type numbered struct{ profile verify.Profile }

func (n *numbered) Profile() verify.Profile { return n.profile }

func (n *numbered) Begin(_ context.Context, h *verify.Head) (verify.Pending, error) {
	return numberedAt(h.ReceivedAt), nil
}

type numberedAt time.Time

func (at numberedAt) Finish(_ context.Context, body []byte) (*verify.Delivery, error) {
	return &verify.Delivery{
		Provider: "paypal", Scope: webhookID, KeyLabel: "1", ID: "WH-" + string(body), MessageID: string(body),
		SignedAt: time.Time(at), ReceivedAt: time.Time(at), Binding: verify.BindingChecksum, Body: body,
	}, nil
}

// publishedPair returns the published collision with the genuine transmission
// that it was made from.
func publishedPair(t *testing.T) (v *paypal.Verifier, h http.Header, genuine, forged []byte, at time.Time) {
	folder := vectorFolder(t)
	forgery, forged := loadPublished(t, filepath.Join(folder, "derived", "crc32-collision-forged-amount.json"))
	// This one is refused for its URL alone, and has the genuine body.
	twin, genuine := loadPublished(t, filepath.Join(folder, "derived", "cert-url-http.json"))
	h = forgery.head().Header
	for _, name := range []string{"Paypal-Transmission-Id", "Paypal-Transmission-Time", "Paypal-Transmission-Sig"} {
		if h.Get(name) != twin.head().Header.Get(name) {
			t.Fatalf("the two vectors differ in %s", name)
		}
	}
	if bytes.Equal(genuine, forged) || crc32.ChecksumIEEE(genuine) != crc32.ChecksumIEEE(forged) {
		t.Fatal("the two bodies do not collide")
	}
	v, _ = forgery.verifier(t, folder)
	return v, h, genuine, forged, forgery.VerifyAt
}
