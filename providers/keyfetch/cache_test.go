package keyfetch_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/keyfetch"
	"github.com/hooknotary/hooknotary/providers/keyring"
	"github.com/hooknotary/hooknotary/verify"
)

func newKey(t *testing.T) ed25519.PublicKey {
	t.Helper()
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return public
}

// knows responds to the ids that are listed, and with 404 to others.
func knows(ids ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for _, id := range ids {
			if r.URL.Path == "/keys/"+id {
				serves(text(ed(nil)))(w, r)
				return
			}
		}
		http.NotFound(w, r)
	}
}

// lacksAny wants an id to be refused for any reason.
func lacksAny(t *testing.T, f *keyfetch.Fetcher, id string) {
	t.Helper()
	if _, err := f.Key(t.Context(), id); err == nil {
		t.Fatalf("there is a key %q", id)
	}
}

// until waits for something, and not for ever.
func until(t *testing.T, done func() bool) {
	t.Helper()
	for end := time.Now().Add(4 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("waits in vain")
		}
	}
}

func TestFlood(t *testing.T) {
	t.Run("of unknown ids causes a burst of 10 fetches and then one a second", func(t *testing.T) {
		h := newHost(t, knows())
		f, c := newFetcher(t, h, keyfetch.Endpoint{URL: each}, keyfetch.Options{})
		unknown, refused := 0, 0
		ask := func(n int) {
			for range n {
				_, err := f.Key(t.Context(), fmt.Sprint("id", unknown+refused))
				switch {
				case errors.Is(err, verify.ErrNoKey):
					unknown++
				case errors.Is(err, verify.ErrUnavailable):
					refused++
				default:
					t.Fatal(err)
				}
			}
		}
		ask(1000)
		h.wants(t, keyfetch.BucketSize)
		if unknown != keyfetch.BucketSize {
			t.Errorf("%d ids are said to be unknown", unknown)
		}
		for range 20 {
			c.add(time.Second)
			ask(50)
		}
		h.wants(t, 20)
		if unknown != keyfetch.BucketSize+20 {
			t.Errorf("%d ids are said to be unknown", unknown)
		}
	})

	t.Run("at one moment causes 8 fetches at a time", func(t *testing.T) {
		release := make(chan struct{})
		var now, most atomic.Int64
		h := newHost(t, func(w http.ResponseWriter, r *http.Request) {
			most.Store(max(most.Load(), now.Add(1)))
			<-release
			now.Add(-1)
			http.NotFound(w, r)
		})
		f, _ := newFetcher(t, h, keyfetch.Endpoint{URL: each}, keyfetch.Options{})
		var wg sync.WaitGroup
		var refused atomic.Int64
		for i := range 200 {
			wg.Go(func() {
				if _, err := f.Key(t.Context(), fmt.Sprint("id", i)); errors.Is(err, verify.ErrUnavailable) && strings.Contains(err.Error(), "too many") {
					if refused.Add(1) == 192 {
						close(release)
					}
				}
			})
		}
		wg.Wait()
		if h.requests.Load() != 8 || refused.Load() != 192 {
			t.Errorf("there were %d fetches and %d refusals, want 8 and 192", h.requests.Load(), refused.Load())
		}
		if most.Load() > 8 {
			t.Errorf("%d fetches were under way", most.Load())
		}
	})

	t.Run("of unknown ids causes one fetch of a set a minute", func(t *testing.T) {
		h := newHost(t, serves(setOf(ed(object{"kid": "k1"}))))
		f, c := newFetcher(t, h, keyfetch.Endpoint{URL: set}, keyfetch.Options{})
		for minute := range 5 {
			for i := range 200 {
				lacks(t, f, fmt.Sprint("id", i), verify.ErrNoKey, "no key of that id")
			}
			has(t, f, "k1")
			h.wants(t, 1)
			if minute == 0 {
				c.add(59 * time.Second)
				lacks(t, f, "id", verify.ErrNoKey, "no key of that id")
				h.wants(t, 0)
			}
			c.add(time.Minute)
		}
	})

	t.Run("does not keep a key that is known from being fetched again", func(t *testing.T) {
		h := newHost(t, knows("k1"))
		f, c := newFetcher(t, h, keyfetch.Endpoint{URL: each}, keyfetch.Options{MaxAge: time.Minute, MaxStale: -1})
		has(t, f, "k1")
		for round := range 3 {
			c.add(time.Minute)
			for i := range 100 {
				lacksAny(t, f, fmt.Sprintf("id-%d-%d", round, i))
			}
			has(t, f, "k1")
		}
		h.wants(t, 4+3*keyfetch.BucketSize) // so that the flood took what it can take
	})

	t.Run("that fills the places of those who wait does not, either", func(t *testing.T) {
		release := make(chan struct{})
		var hang, over atomic.Bool
		h := newHost(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/keys/slow" && hang.Load() {
				select {
				case <-release:
				case <-r.Context().Done():
				}
			}
			knows("k1", "slow")(w, r)
		})
		f, c := newFetcher(t, h, keyfetch.Endpoint{URL: each}, keyfetch.Options{MaxAge: time.Minute, MaxStale: -1})
		has(t, f, "k1")
		has(t, f, "slow")
		hang.Store(true)
		c.add(time.Minute)
		var flood sync.WaitGroup
		for range keyfetch.MaxWaiting {
			flood.Go(func() {
				for !over.Load() {
					f.Key(t.Context(), "slow")
				}
			})
		}
		until(t, func() bool { return f.Waiting() == keyfetch.MaxWaiting })
		lacks(t, f, "k1", verify.ErrUnavailable, "too many") // nor may it wait, but it is fetched
		lacks(t, f, "k2", verify.ErrUnavailable, "too many")
		until(t, func() bool { return h.requests.Load() == 4 }) // for k1 and slow, twice each
		over.Store(true)
		close(release)
		flood.Wait()
		has(t, f, "k1")
	})

	for url, id := range map[string]string{each: "slow", set: "new"} {
		t.Run("of unknown ids while the host hangs leaves places of a verifier: "+url, func(t *testing.T) {
			release := make(chan struct{})
			var hang atomic.Bool
			h := newHost(t, func(w http.ResponseWriter, r *http.Request) {
				if hang.Load() {
					select {
					case <-release:
					case <-r.Context().Done():
					}
				}
				if url == set {
					serves(setOf(ed(object{"kid": "k1"})))(w, r)
					return
				}
				knows("k1")(w, r)
			})
			f, c := newFetcher(t, h, keyfetch.Endpoint{URL: url}, keyfetch.Options{})
			prepare := func(k verify.Key) (string, []byte, error) { return k.Label(), []byte(k.Label()), nil }
			ring, err := keyring.New(f.ByHeader("X-Key-Id"), prepare, "nobody")
			if err != nil {
				t.Fatal(err)
			}
			find := func(id string) error {
				_, noKey, err := ring.Find(t.Context(), &verify.Head{Header: http.Header{"X-Key-Id": {id}}, ReceivedAt: time.Now()})
				return errors.Join(noKey, err)
			}
			if err := find("k1"); err != nil {
				t.Fatal(err)
			}
			hang.Store(true)
			c.add(time.Minute)
			var flood sync.WaitGroup
			for range 4 * keyfetch.MaxStrangers {
				flood.Go(func() { find(id) })
			}
			until(t, func() bool { return f.Waiting() >= keyfetch.MaxStrangers })
			start := time.Now()
			if err := find("k1"); err != nil || time.Since(start) > time.Second {
				t.Errorf("a known key comes after %v, with the error %v", time.Since(start), err)
			}
			if n := f.Waiting(); n > keyfetch.MaxStrangers {
				t.Errorf("%d wait", n)
			}
			close(release)
			flood.Wait()
			until(t, func() bool { return f.Waiting() == 0 })
		})
	}

	t.Run("fills no memory", func(t *testing.T) {
		h := newHost(t, func(w http.ResponseWriter, r *http.Request) {
			switch {
			case strings.HasPrefix(r.URL.Path, "/keys/known"):
				serves(text(ed(nil)))(w, r)
			case strings.HasPrefix(r.URL.Path, "/keys/unknown"):
				http.NotFound(w, r)
			default:
				w.WriteHeader(http.StatusInternalServerError)
			}
		})
		f, c := newFetcher(t, h, keyfetch.Endpoint{URL: each}, keyfetch.Options{})
		for i := range 300 {
			for _, kind := range []string{"known", "unknown", "failed"} {
				c.add(time.Millisecond * 1000) // so that each is fetched
				f.Key(t.Context(), fmt.Sprint(kind, i))
			}
			known, unknown, failed := f.Sizes()
			if known > keyfetch.MaxKnown || unknown > keyfetch.MaxUnknown || failed > keyfetch.MaxUnknown {
				t.Fatalf("it remembers %d keys, %d ids and %d failures", known, unknown, failed)
			}
		}
		if h.requests.Load() != 900 {
			t.Errorf("there were %d fetches, want 900", h.requests.Load())
		}
		has(t, f, "known299")
		h.wants(t, 900)
	})
}

func TestSingleFlight(t *testing.T) {
	for _, url := range []string{set, each} {
		t.Run("all that ask at once wait for one fetch of "+url, func(t *testing.T) {
			body := text(ed(object{"kid": "k1"}))
			if url == set {
				body = setOf(ed(object{"kid": "k1"}))
			}
			release := make(chan struct{})
			h := newHost(t, func(w http.ResponseWriter, r *http.Request) {
				<-release
				serves(body)(w, r)
			})
			f, _ := newFetcher(t, h, keyfetch.Endpoint{URL: url}, keyfetch.Options{})
			var wg sync.WaitGroup
			for range 100 {
				wg.Go(func() {
					if _, err := f.Key(t.Context(), "k1"); err != nil {
						t.Error(err)
					}
				})
			}
			for f.Waiting() < 100 {
				time.Sleep(time.Millisecond)
			}
			close(release)
			wg.Wait()
			h.wants(t, 1)
			if n := f.Waiting(); n != 0 {
				t.Errorf("%d are said to wait still", n)
			}
		})
	}
}

func TestNegativeCache(t *testing.T) {
	h := newHost(t, knows())
	f, c := newFetcher(t, h, keyfetch.Endpoint{URL: each}, keyfetch.Options{})
	lacks(t, f, "k1", verify.ErrNoKey, "knows no key")
	h.wants(t, 1)
	h.set(knows("k1"))
	c.add(time.Minute - 1)
	lacks(t, f, "k1", verify.ErrNoKey, "knows no key")
	h.wants(t, 0)
	c.add(1)
	has(t, f, "k1")
	h.wants(t, 1)
}

// TestUnknown: what a host says of an id that it does not know, and what is no such word.
func TestUnknown(t *testing.T) {
	for code, want := range map[int]verify.Reason{
		http.StatusNotFound: verify.ErrNoKey, http.StatusGone: verify.ErrNoKey, http.StatusBadRequest: verify.ErrNoKey,
		http.StatusUnauthorized: verify.ErrUnavailable, http.StatusForbidden: verify.ErrUnavailable, http.StatusTooManyRequests: verify.ErrUnavailable,
		http.StatusMethodNotAllowed: verify.ErrUnavailable, http.StatusServiceUnavailable: verify.ErrUnavailable,
	} {
		t.Run(http.StatusText(code), func(t *testing.T) {
			f, _ := newFetcher(t, newHost(t, status(code)), keyfetch.Endpoint{URL: each}, keyfetch.Options{})
			lacks(t, f, "k1", want, "key")
		})
	}
}

func TestRotation(t *testing.T) {
	t.Run("a key that is new in a set is there with the first delivery under it", func(t *testing.T) {
		first, second := newKey(t), newKey(t)
		h := newHost(t, serves(setOf(jwkOf(first, object{"kid": "k1"}))))
		f, c := newFetcher(t, h, keyfetch.Endpoint{URL: set}, keyfetch.Options{})
		if !first.Equal(has(t, f, "k1")) {
			t.Error("k1 is another key")
		}
		h.set(serves(setOf(jwkOf(first, object{"kid": "k1"}), jwkOf(second, object{"kid": "k2"}))))
		c.add(time.Minute)
		if !second.Equal(has(t, f, "k2")) {
			t.Error("k2 is another key")
		}
		h.wants(t, 2)
	})

	t.Run("a key that is withdrawn from a set counts until the set is fetched again", func(t *testing.T) {
		h := newHost(t, serves(setOf(ed(object{"kid": "k1"}))))
		f, c := newFetcher(t, h, keyfetch.Endpoint{URL: set}, keyfetch.Options{})
		has(t, f, "k1")
		h.set(serves(setOf(ed(object{"kid": "k2"}))))
		c.add(time.Hour - 1)
		has(t, f, "k1")
		c.add(1)
		lacks(t, f, "k1", verify.ErrNoKey, "no key of that id")
	})

	t.Run("a key that the host no longer knows is gone, although keys count when the host fails", func(t *testing.T) {
		h := newHost(t, knows("k1"))
		f, c := newFetcher(t, h, keyfetch.Endpoint{URL: each}, keyfetch.Options{})
		has(t, f, "k1")
		h.set(knows())
		c.add(time.Hour)
		lacks(t, f, "k1", verify.ErrNoKey, "knows no key")
		c.add(time.Second)
		lacks(t, f, "k1", verify.ErrNoKey, "knows no key")
		h.wants(t, 2)
		h.set(status(http.StatusBadGateway))
		c.add(time.Minute)
		lacks(t, f, "k1", verify.ErrUnavailable, "status 502")
	})
}

func TestLifetime(t *testing.T) {
	for _, tt := range []struct {
		name, control, age string
		maxAge, want       time.Duration
	}{
		{"of a response that does not say is an hour", "", "", 0, time.Hour},
		{"is that of Cache-Control", "public, max-age=7200", "", 0, 2 * time.Hour},
		{"is that of Cache-Control in other letters", "Max-Age=7200", "", 0, 2 * time.Hour},
		{"is less by what a cache had it", "max-age=7200", "3600", 0, time.Hour},
		{"is a day at most", "max-age=999999", "", 0, 24 * time.Hour},
		{"is MaxAge at most", "max-age=7200", "", 10 * time.Minute, 10 * time.Minute},
		{"is a minute at least", "max-age=0", "", 0, time.Minute},
		{"is a minute if it is not to be kept", "max-age=7200, no-store", "", 0, time.Minute},
		{"is a minute if it is no number", "max-age=-1", "", 0, time.Minute},
		{"is a minute if it is too large a number", "max-age=99999999999999999999", "", 0, time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHost(t, func(w http.ResponseWriter, r *http.Request) {
				if tt.control != "" {
					w.Header().Set("Cache-Control", tt.control)
				}
				if tt.age != "" {
					w.Header().Set("Age", tt.age)
				}
				serves(text(ed(nil)))(w, r)
			})
			f, c := newFetcher(t, h, keyfetch.Endpoint{URL: each}, keyfetch.Options{MaxAge: tt.maxAge})
			has(t, f, "k1")
			c.add(tt.want - 1)
			has(t, f, "k1")
			h.wants(t, 1)
			c.add(1)
			has(t, f, "k1")
			h.wants(t, 1)
		})
	}
}

func TestStale(t *testing.T) {
	for _, url := range []string{set, each} {
		body := text(ed(object{"kid": "k1"}))
		if url == set {
			body = setOf(ed(object{"kid": "k1"}))
		}
		t.Run("a key counts for an hour while the host fails "+url, func(t *testing.T) {
			h := newHost(t, serves(body))
			f, c := newFetcher(t, h, keyfetch.Endpoint{URL: url}, keyfetch.Options{})
			has(t, f, "k1")
			h.set(status(http.StatusBadGateway))
			h.wants(t, 1)
			c.add(time.Hour)
			has(t, f, "k1")
			has(t, f, "k1")
			h.wants(t, 1) // asked again after 5 seconds, and not by each delivery
			c.add(5 * time.Second)
			has(t, f, "k1")
			h.wants(t, 1)
			c.add(time.Hour - 5*time.Second - 1)
			has(t, f, "k1")
			c.add(1)
			lacks(t, f, "k1", verify.ErrUnavailable, "status 502")
			h.set(serves(body))
			c.add(5 * time.Second)
			has(t, f, "k1")
		})

		t.Run("no key counts where MaxStale is negative "+url, func(t *testing.T) {
			h := newHost(t, serves(body))
			f, c := newFetcher(t, h, keyfetch.Endpoint{URL: url}, keyfetch.Options{MaxStale: -1})
			has(t, f, "k1")
			h.set(status(http.StatusBadGateway))
			c.add(time.Hour - 1)
			has(t, f, "k1")
			c.add(1)
			lacks(t, f, "k1", verify.ErrUnavailable, "status 502")
		})
	}

	t.Run("a key counts for a verifier while the host hangs", func(t *testing.T) {
		h := newHost(t, serves(setOf(ed(object{"kid": "k1"}))))
		f, c := newFetcher(t, h, keyfetch.Endpoint{URL: set}, keyfetch.Options{})
		prepare := func(k verify.Key) (string, []byte, error) { return k.Label(), []byte(k.Label()), nil }
		ring, err := keyring.New(f.ByHeader("X-Key-Id"), prepare, "nobody")
		if err != nil {
			t.Fatal(err)
		}
		find := func() {
			t.Helper()
			head := &verify.Head{Header: http.Header{"X-Key-Id": {"k1"}}, ReceivedAt: time.Now()}
			if keys, noKey, err := ring.Find(t.Context(), head); err != nil || noKey != nil || len(keys) != 1 || keys[0] != "k1" {
				t.Errorf("the keys are %q, %v, %v", keys, noKey, err)
			}
		}
		find()
		release := make(chan struct{})
		defer close(release)
		h.set(func(_ http.ResponseWriter, r *http.Request) { <-release })
		c.add(time.Hour)
		find()
		h.wants(t, 2)
	})

	t.Run("whether a set holds a new key is not known while the host fails", func(t *testing.T) {
		h := newHost(t, serves(setOf(ed(object{"kid": "k1"}))))
		f, c := newFetcher(t, h, keyfetch.Endpoint{URL: set}, keyfetch.Options{})
		has(t, f, "k1")
		h.set(status(http.StatusBadGateway))
		c.add(time.Minute)
		lacks(t, f, "k2", verify.ErrUnavailable, "status 502")
		has(t, f, "k1")
		h.wants(t, 2)
	})
}

func TestKeySource(t *testing.T) {
	head := func(values ...string) *verify.Head {
		return &verify.Head{Header: http.Header{"X-Key-Id": values}, ReceivedAt: time.Now()}
	}
	h := newHost(t, serves(setOf(ed(object{"kid": "k1"}), jwkOf(newKey(t), object{"kid": "k2"}))))
	f, c := newFetcher(t, h, keyfetch.Endpoint{URL: set}, keyfetch.Options{Scope: "acme"})
	t.Run("ByHeader yields the key that the header names", func(t *testing.T) {
		list, err := f.ByHeader("x-key-id").Keys(t.Context(), head("k2"))
		if err != nil || len(list) != 1 || list[0].Scope() != "acme" || list[0].Label() != "k2" || list[0].Public() == nil {
			t.Errorf("the keys are %v, error: %v", list, err)
		}
	})
	for name, values := range map[string][]string{
		"no header":     nil,
		"two headers":   {"k1", "k1"},
		"an empty id":   {""},
		"another id":    {"k3"},
		"two ids":       {"k1,k2"},
		"an odd header": {"k1\n"},
	} {
		t.Run("ByHeader yields no key for "+name, func(t *testing.T) {
			list, err := f.ByHeader("X-Key-Id").Keys(t.Context(), head(values...))
			if len(list) != 0 || !errors.Is(err, verify.ErrNoKey) {
				t.Errorf("the keys are %v, error: %v", list, err)
			}
		})
	}
	t.Run("All yields each key of the set", func(t *testing.T) {
		list, err := f.All().Keys(t.Context(), head())
		if err != nil || len(list) != 2 || list[0].Label() != "k1" || list[1].Label() != "k2" {
			t.Errorf("the keys are %v, error: %v", list, err)
		}
	})
	t.Run("All yields no key of a set with more than are tried", func(t *testing.T) {
		h.set(serves(setOf(ed(object{"kid": "1"}), ed(object{"kid": "2"}), ed(object{"kid": "3"}), ed(object{"kid": "4"}), ed(object{"kid": "5"}))))
		c.add(time.Hour)
		if list, err := f.All().Keys(t.Context(), head()); len(list) != 0 || !errors.Is(err, verify.ErrUnavailable) {
			t.Errorf("the keys are %v, error: %v", list, err)
		}
	})
	t.Run("All yields the one key of a document as PEM", func(t *testing.T) {
		h := newHost(t, serves(text(object{"data": object{"public_key": pemOf(keys().ed25519.Public())}})))
		f, _ := newFetcher(t, h, keyfetch.Endpoint{URL: "/public-key", Form: keyfetch.PEM, Member: "data.public_key"}, keyfetch.Options{})
		list, err := f.All().Keys(t.Context(), head())
		if err != nil || len(list) != 1 || list[0].Label() != "key" {
			t.Errorf("the keys are %v, error: %v", list, err)
		}
	})
	t.Run("All fails where each key has a document of its own", func(t *testing.T) {
		f, _ := newFetcher(t, h, keyfetch.Endpoint{URL: each}, keyfetch.Options{})
		if list, err := f.All().Keys(t.Context(), head()); len(list) != 0 || !errors.Is(err, verify.ErrUnavailable) {
			t.Errorf("the keys are %v, error: %v", list, err)
		}
	})
}
