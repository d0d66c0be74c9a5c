package scheme_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hooknotary/hooknotary/providers/internal/cost"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// asking makes a verifier that asks a function for keys.
func asking(t testing.TB, source verify.KeyFunc) *scheme.Verifier {
	t.Helper()
	v, err := scheme.New(listed(), source, nil)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func goodHead() *verify.Head {
	return &verify.Head{
		URL: &url.URL{Path: "/hooks/north"}, Header: header("Listed-Signature", signListed("{}", plainSecrets[0])), ReceivedAt: received,
	}
}

func TestKeySource(t *testing.T) {
	// Whether it looks at its context or not, the request is
	// refused after the time that a source has, and not accepted later.
	t.Run("a source that blocks is left", func(t *testing.T) {
		list := keys(t, plainSecrets[0])
		for _, tt := range []struct {
			name string
			keys func(ctx context.Context, release <-chan struct{}) ([]verify.Key, error)
		}{
			{"it honors its context", func(ctx context.Context, _ <-chan struct{}) ([]verify.Key, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			}},
			{"it ignores its context", func(_ context.Context, release <-chan struct{}) ([]verify.Key, error) {
				<-release
				return list, nil
			}},
			{"it answers a moment too late", func(context.Context, <-chan struct{}) ([]verify.Key, error) {
				time.Sleep(verify.KeyTimeout + 1)
				return list, nil
			}},
			{"it panics a moment too late", func(context.Context, <-chan struct{}) ([]verify.Key, error) {
				time.Sleep(verify.KeyTimeout + 1)
				panic("too late")
			}},
		} {
			t.Run(tt.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					release := make(chan struct{})
					v := asking(t, func(ctx context.Context, _ *verify.Head) ([]verify.Key, error) { return tt.keys(ctx, release) })
					start := time.Now()
					p, err := v.Begin(t.Context(), goodHead())
					if p != nil || verify.ReasonOf(err) != verify.ErrUnavailable {
						t.Errorf("Begin returned %v and the error %v", p, err)
					}
					if took := time.Since(start); took != verify.KeyTimeout {
						t.Errorf("it took %v, want %v", took, verify.KeyTimeout)
					}
					close(release)
					time.Sleep(2 * time.Nanosecond)
				})
			})
		}
		t.Run("it answers in time", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := asking(t, func(context.Context, *verify.Head) ([]verify.Key, error) {
					time.Sleep(verify.KeyTimeout - 1)
					return list, nil
				})
				accepted(t, v, goodHead().Header, "{}")
			})
		})
		t.Run("the request ends first", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
				defer cancel()
				release := make(chan struct{})
				defer close(release)
				v := asking(t, func(context.Context, *verify.Head) ([]verify.Key, error) { <-release; return list, nil })
				start := time.Now()
				_, err := v.Begin(ctx, goodHead())
				if verify.ReasonOf(err) != verify.ErrUnavailable || !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Millisecond {
					t.Errorf("after %v: %v", time.Since(start), err)
				}
			})
		})
	})

	// A source that never answers is called so many
	// times and not once more, nobody waits for longer than for an answer, and when it is
	// well again, so is the verifier.
	t.Run("calls that do not return are bounded", func(t *testing.T) {
		const most = 256
		synctest.Test(t, func(t *testing.T) {
			var calls atomic.Int32
			list, release := keys(t, plainSecrets[0]), make(chan struct{})
			v := asking(t, func(context.Context, *verify.Head) ([]verify.Key, error) {
				calls.Add(1)
				<-release
				return list, nil
			})
			start := time.Now()
			refusals := make(chan error)
			for range 4 * most {
				go func() {
					_, err := v.Begin(t.Context(), goodHead())
					refusals <- err
				}()
			}
			for range 4 * most {
				if err := <-refusals; verify.ReasonOf(err) != verify.ErrUnavailable {
					t.Fatal(err)
				}
			}
			if took := time.Since(start); took != verify.KeyTimeout {
				t.Errorf("it took %v, want %v", took, verify.KeyTimeout)
			}
			if n := calls.Load(); n != most {
				t.Errorf("the source was called %d times, want %d", n, most)
			}
			if _, err := v.Begin(t.Context(), goodHead()); verify.ReasonOf(err) != verify.ErrUnavailable || calls.Load() != most {
				t.Errorf("one more request: %v, %d calls", err, calls.Load())
			}
			close(release)
			synctest.Wait()
			for range 2 * most {
				accepted(t, v, goodHead().Header, "{}")
			}
		})
	})

	// As if the source ran on its goroutine.
	t.Run("a panic of the source is one of the request", func(t *testing.T) {
		failure := errors.New("broken")
		v := asking(t, func(_ context.Context, h *verify.Head) ([]verify.Key, error) {
			if h.URL.Path == "/hooks/north" {
				panic(failure)
			}
			return keys(t, plainSecrets[0]), nil
		})
		func() {
			defer func() {
				if r := recover(); r != failure {
					t.Errorf("recovered %v, want %v", r, failure)
				}
			}()
			v.Begin(t.Context(), goodHead())
		}()
		h := goodHead()
		h.URL.Path = "/hooks/south"
		if _, err := verify.Verify(t.Context(), v, h, []byte("{}")); err != nil {
			t.Errorf("the twin is refused: %v", err)
		}
	})

	// The race detector sees it if not.
	t.Run("a source that is left has the head for itself", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			seen := make(chan string, 1)
			v := asking(t, func(_ context.Context, h *verify.Head) ([]verify.Key, error) {
				time.Sleep(2 * verify.KeyTimeout)
				seen <- h.URL.Path + h.Header.Get("X-Tenant")
				return nil, nil
			})
			h := goodHead()
			h.Header.Set("X-Tenant", "1")
			if _, err := v.Begin(t.Context(), h); verify.ReasonOf(err) != verify.ErrUnavailable {
				t.Error(err)
			}
			h.URL.Path = "/elsewhere"
			h.Header.Set("X-Tenant", "2")
			if got := <-seen; got != "/hooks/north1" {
				t.Errorf("the source reads %q", got)
			}
		})
	})

	// No budget counts them, because their bodies
	// have not begun.
	t.Run("requests that wait for a source are bounded", func(t *testing.T) {
		const most, more = 256 + 4096, 100
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{})
			v := asking(t, func(context.Context, *verify.Head) ([]verify.Key, error) { <-release; return nil, nil })
			start := time.Now()
			var atOnce atomic.Int32
			for range most + more {
				go func() {
					if _, err := v.Begin(t.Context(), goodHead()); verify.ReasonOf(err) == verify.ErrUnavailable && time.Since(start) == 0 {
						atOnce.Add(1)
					}
				}()
			}
			time.Sleep(verify.KeyTimeout)
			synctest.Wait()
			if n := atOnce.Load(); n != more {
				t.Errorf("%d requests were refused at once, want %d", n, more)
			}
			close(release)
		})
	})
}

func TestUnknownTenant(t *testing.T) {
	// Whoever withholds
	// the body learns nothing.
	t.Run("an unknown tenant is taken for a wrong signature until the body is there", func(t *testing.T) {
		v := asking(t, func(_ context.Context, h *verify.Head) ([]verify.Key, error) {
			switch h.URL.Path {
			case "/hooks/north":
				return keys(t, plainSecrets[0]), nil
			case "/hooks/broken":
				return []verify.Key{{}}, nil
			case "/hooks/gone":
				return nil, fmt.Errorf("deleted: %w", verify.ErrNoKey)
			}
			return nil, nil
		})
		for _, tt := range []struct {
			path, secret string
			want         verify.Reason
		}{
			{"/hooks/north", plainSecrets[0], 0},
			{"/hooks/north", plainSecrets[1], verify.ErrMismatch},
			{"/hooks/east", plainSecrets[0], verify.ErrNoKey},
			{"/hooks/gone", plainSecrets[0], verify.ErrNoKey},
			{"/hooks/broken", plainSecrets[0], verify.ErrNoKey},
			{"/hooks/east", strings.Repeat("\x00", 32), verify.ErrNoKey}, // the key that nobody has
		} {
			t.Run(tt.path, func(t *testing.T) {
				h := goodHead()
				h.URL.Path = tt.path
				h.Header = header("Listed-Signature", signListed("{}", tt.secret))
				p, err := v.Begin(t.Context(), h)
				if err != nil {
					t.Fatalf("refused before the body: %v", err)
				}
				d, err := p.Finish(t.Context(), []byte("{}"))
				if verify.ReasonOf(err) != tt.want || (d == nil) != (tt.want != 0) {
					t.Errorf("Finish returned %v and the error %v, want %q", d, err, tt.want)
				}
			})
		}
	})

	// The body is hashed for both, or a
	// large one would tell them apart by the time that the answer takes.
	t.Run("an unknown tenant costs what a wrong signature costs", func(t *testing.T) {
		list := keys(t, plainSecrets[1])
		v := asking(t, func(_ context.Context, h *verify.Head) ([]verify.Key, error) {
			if h.URL.Path == "/hooks/north" {
				return list, nil
			}
			return nil, nil
		})
		body := make([]byte, 256<<10)
		refusing := func(path string, want verify.Reason) func() {
			h := goodHead()
			h.URL.Path = path
			return func() {
				if _, err := verify.Verify(t.Context(), v, h, body); verify.ReasonOf(err) != want {
					t.Fatal(err)
				}
			}
		}
		ratio := cost.Ratio(refusing("/hooks/east", verify.ErrNoKey), refusing("/hooks/north", verify.ErrMismatch))
		if ratio < 0.8 || ratio > 1.25 {
			t.Errorf("an unknown tenant costs %.2f times what a wrong signature costs", ratio)
		}
	})
}
