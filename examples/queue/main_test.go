package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/capture"
	"github.com/hooknotary/hooknotary/verify/replay"
)

const secret = "whsec_for_the_tests_only"

func TestShow(t *testing.T) {
	t.Run("promises are kept", func(t *testing.T) {
		var out strings.Builder
		if err := show(&out, newConsumer); err != nil {
			t.Errorf("%v\n%s", err, out.String())
		}
		if n := strings.Count(out.String(), "\n"); n != 8 {
			t.Errorf("%d messages are shown:\n%s", n, out.String())
		}
	})

	t.Run("broken promises are noticed", func(t *testing.T) {
		for name, c := range map[string]struct {
			build  buildFunc
			broken []string
		}{
			"the verifier believes everything": {func(v verify.Verifier, r replay.Store, h handleFunc) *consumer {
				return newConsumer(gullible{v}, r, h)
			}, []string{"a forged one"}},
			"the store forgets": {func(v verify.Verifier, r replay.Store, h handleFunc) *consumer {
				return newConsumer(v, forgetful{r}, h)
			}, []string{"the genuine one, replayed", "the same, replayed in the queue"}},
			"the receive time is not pinned": {func(v verify.Verifier, r replay.Store, h handleFunc) *consumer {
				return newConsumer(late{v}, r, h)
			}, []string{"one that waited for an hour"}},
			"the handler hides its failure": {func(v verify.Verifier, r replay.Store, h handleFunc) *consumer {
				return newConsumer(v, r, func(ctx context.Context, d *verify.Delivery) error {
					h(ctx, d)
					return nil
				})
			}, []string{"one that the handler fails"}},
			"a failure is not released": {func(v verify.Verifier, r replay.Store, h handleFunc) *consumer {
				return newConsumer(v, greedy{r}, h)
			}, []string{"the same, come again"}},
		} {
			t.Run(name, func(t *testing.T) {
				var out strings.Builder
				if err := show(&out, c.build); err == nil {
					t.Error("no error")
				}
				for _, what := range c.broken {
					found := false
					for line := range strings.Lines(out.String()) {
						found = found || strings.HasPrefix(line, what) && strings.Contains(line, "BROKEN")
					}
					if !found {
						t.Errorf("%q is not broken:\n%s", what, out.String())
					}
				}
			})
		}
	})
}

type handleFunc = func(context.Context, *verify.Delivery) error

// gullible is a verifier that accepts whatever comes.
type gullible struct{ verify.Verifier }

func (g gullible) Begin(context.Context, *verify.Head) (verify.Pending, error) { return g, nil }

func (gullible) Finish(_ context.Context, body []byte) (*verify.Delivery, error) {
	return &verify.Delivery{Provider: "stripe", ID: string(body), Binding: verify.BindingFull, Body: body}, nil
}

// late is a verifier that looks at the clock.
type late struct{ verify.Verifier }

func (l late) Begin(ctx context.Context, h *verify.Head) (verify.Pending, error) {
	now := *h
	now.ReceivedAt = time.Now()
	return l.Verifier.Begin(ctx, &now)
}

// forgetful is a store that forgets what it commits.
type forgetful struct{ replay.Store }

func (f forgetful) Commit(ctx context.Context, h replay.Handle) error { return f.Release(ctx, h) }

// greedy is a store that keeps what it should release.
type greedy struct{ replay.Store }

func (greedy) Release(context.Context, replay.Handle) error { return nil }

func newTestConsumer(handle handleFunc) *consumer {
	return newConsumer(stripe.Must(secret), replay.NewMemory(nil), handle)
}

func genuine(t *testing.T, event string) []byte {
	t.Helper()
	m, err := message(event, time.Now(), secret)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestConsumer(t *testing.T) {
	t.Run("what is no message is refused", func(t *testing.T) {
		c := newTestConsumer(func(context.Context, *verify.Delivery) error { return nil })
		for name, m := range map[string][]byte{"empty": nil, "noise": []byte("\x00\x01"), "without a time": []byte("POST / HTTP/1.1\n\n")} {
			var r *refused
			if err := c.consume(t.Context(), m); !errors.As(err, &r) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := c.consume(t.Context(), genuine(t, "evt_1")); err != nil {
			t.Error(err)
		}
	})

	t.Run("a message is handled by one consumer at a time", func(t *testing.T) {
		m := genuine(t, "evt_1")
		var c *consumer
		calls := 0
		c = newTestConsumer(func(ctx context.Context, _ *verify.Delivery) error {
			calls++
			if err := c.consume(ctx, m); !errors.Is(err, verify.ErrInFlight) || verdict(err) != "comes again" {
				t.Errorf("meanwhile: %v", err)
			}
			return nil
		})
		if err := c.consume(t.Context(), m); err != nil || calls != 1 {
			t.Errorf("%v, %d calls", err, calls)
		}
	})

	t.Run("a panic releases the event", func(t *testing.T) {
		calls := 0
		c := newTestConsumer(func(context.Context, *verify.Delivery) error {
			if calls++; calls == 1 {
				panic("boom")
			}
			return nil
		})
		m := genuine(t, "evt_1")
		func() {
			defer func() { recover() }()
			c.consume(t.Context(), m)
		}()
		if err := c.consume(t.Context(), m); err != nil || calls != 2 {
			t.Errorf("%v, %d calls", err, calls)
		}
	})

	t.Run("a message from before the start of the store is handled", func(t *testing.T) {
		m, err := message("evt_1", time.Now().Add(-time.Hour), secret)
		if err != nil {
			t.Fatal(err)
		}
		c := newTestConsumer(func(context.Context, *verify.Delivery) error { return nil })
		if err := c.consume(t.Context(), m); err != nil {
			t.Error(err)
		}
	})

	t.Run("a message may not wait for longer than the store remembers", func(t *testing.T) {
		calls := 0
		c := newTestConsumer(func(context.Context, *verify.Delivery) error { calls++; return nil })
		for i, age := range []time.Duration{maxWait + time.Minute, maxWait - time.Minute} {
			m, err := message("evt_1", time.Now().Add(-age), secret)
			if err != nil {
				t.Fatal(err)
			}
			var r *refused
			if err := c.consume(t.Context(), m); errors.As(err, &r) != (i == 0) || calls != i {
				t.Errorf("after %v: %v, %d calls", age, err, calls)
			}
		}
	})

	t.Run("a message may not be received ahead of time", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { // on a clock that stands still
			for _, c := range []struct {
				name  string
				ahead time.Duration
				runs  int
			}{
				{"by two minutes", maxAhead, 1},
				{"by a little more", maxAhead + time.Second, 0},
				{"by a year", 365 * 24 * time.Hour, 0},
			} {
				runs := 0
				consumer := newTestConsumer(func(context.Context, *verify.Delivery) error { runs++; return nil })
				m, err := message("evt_1", time.Now().Add(c.ahead), secret)
				if err != nil {
					t.Fatal(err)
				}
				var r *refused
				if err := consumer.consume(t.Context(), m); errors.As(err, &r) != (c.runs == 0) || runs != c.runs {
					t.Errorf("%s: %v, %d runs", c.name, err, runs)
				}
			}
		})
	})

	t.Run("what the verifier says decides", func(t *testing.T) {
		for name, c := range map[string]struct {
			says saying
			want string
			runs int
		}{
			"verified":               {saying{d: &verify.Delivery{ID: "evt_1", Binding: verify.BindingFull}}, "handled", 1},
			"verified by a checksum": {saying{d: &verify.Delivery{ID: "evt_1", Binding: verify.BindingChecksum}}, "refused: unavailable", 0},
			"its keys are not here":  {saying{err: &verify.Error{Reason: verify.ErrUnavailable}}, "comes again", 0},
			"not verified":           {saying{err: &verify.Error{Reason: verify.ErrMismatch}}, "refused: mismatch", 0},
		} {
			runs := 0
			c.says.Verifier = stripe.Must(secret)
			consumer := newConsumer(c.says, replay.NewMemory(nil), func(context.Context, *verify.Delivery) error { runs++; return nil })
			if got := verdict(consumer.consume(t.Context(), genuine(t, "evt_1"))); got != c.want || runs != c.runs {
				t.Errorf("%s: %s, want %s; %d runs", name, got, c.want, runs)
			}
		}
	})

	t.Run("the claim covers the wait", func(t *testing.T) {
		store := &noting{Store: replay.NewMemory(nil)}
		c := newConsumer(stripe.Must(secret), store, func(ctx context.Context, d *verify.Delivery) error {
			h, ok := replay.FromContext(ctx)
			if !ok || h.Token != store.claim.Token || h.Key != store.claim.Key {
				t.Error("the handler does not have the handle of the claim")
			}
			deadline, ok := ctx.Deadline()
			if !ok || time.Until(deadline) >= store.claim.Lease {
				t.Error("the handler may run for longer than the lease")
			}
			return nil
		})
		if err := c.consume(t.Context(), genuine(t, "evt_1")); err != nil {
			t.Fatal(err)
		}
		if n := store.claim; n.Needed < maxWait || n.Retention < n.Needed || n.Resigned {
			t.Errorf("claimed %+v", n)
		}
	})
}

// saying is a verifier whose second step says what a test wants.
type saying struct {
	verify.Verifier
	d   *verify.Delivery
	err error
}

func (s saying) Begin(context.Context, *verify.Head) (verify.Pending, error) { return s, nil }

func (s saying) Finish(context.Context, []byte) (*verify.Delivery, error) { return s.d, s.err }

// noting is a store that keeps the last claim.
type noting struct {
	replay.Store
	claim replay.Claim
}

func (n *noting) Claim(ctx context.Context, c replay.Claim) (replay.Outcome, error) {
	n.claim = c
	return n.Store.Claim(ctx, c)
}

func TestEndpoint(t *testing.T) {
	t.Run("the endpoint stores what arrives", func(t *testing.T) {
		var stored []byte
		h := endpoint(func(_ context.Context, m []byte) error { stored = m; return nil })
		r := request("http://shop.example", "evt_1", time.Now(), secret)
		w := httptest.NewRecorder()
		h(w, r)
		m, err := capture.Parse(stored)
		if w.Code != http.StatusAccepted || err != nil || m.Header.Get("Stripe-Signature") != r.Header.Get("Stripe-Signature") || time.Since(m.ReceivedAt).Abs() > time.Minute {
			t.Errorf("%d, %v: %+v", w.Code, err, m)
		}
	})

	t.Run("the endpoint says what it does not store", func(t *testing.T) {
		full := func(context.Context, []byte) error { return errors.New("the queue is full") }
		for name, c := range map[string]struct {
			body   string
			header string
			status int
		}{
			"the queue is full":         {"{}", "", http.StatusServiceUnavailable},
			"the body is too large":     {strings.Repeat("x", maxBody+1), "", http.StatusBadRequest},
			"a header cannot be stored": {"{}", " padded ", http.StatusBadRequest},
		} {
			w := httptest.NewRecorder()
			r := httptest.NewRequest(http.MethodPost, "/hooks/stripe", strings.NewReader(c.body))
			if c.header != "" {
				r.Header.Set("X-Note", c.header)
			}
			if endpoint(full)(w, r); w.Code != c.status {
				t.Errorf("%s: %d, want %d", name, w.Code, c.status)
			}
		}
	})
}
