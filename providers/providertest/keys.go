package providertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/hooknotary/hooknotary/verify"
)

func (b *battery) testRotation(t *testing.T) {
	for _, e := range b.Events {
		t.Run("while both secrets of a rotation are listed, both are accepted: "+e.Name, func(t *testing.T) {
			current, previous := b.keys[1], b.keys[0]
			both := b.verifier(t, current, previous)
			after := b.verifier(t, current)
			byCurrent, byPrevious := b.genuine(e, b.Secrets[1]), b.genuine(e, b.Secrets[0])
			if d := accept(t, "current", both, byCurrent, e.Body); d.KeyLabel != current.Label() || d.Scope != b.scopeOf(scope) {
				t.Errorf("the current key is called %q of %q", d.KeyLabel, d.Scope)
			}
			if d := accept(t, "previous", both, byPrevious, e.Body); d.KeyLabel != previous.Label() || d.Scope != b.scopeOf(scope) {
				t.Errorf("the previous key is called %q of %q", d.KeyLabel, d.Scope)
			}
			accept(t, "current, after the rotation", after, byCurrent, e.Body)
			b.reject(t, "previous, after the rotation", after, byPrevious, e.Body, verify.ErrMismatch)
			b.reject(t, "a stranger's secret", both, b.genuine(e, b.Secrets[2]), e.Body, verify.ErrMismatch)
			if b.Profile.Binding == verify.BindingNone {
				return
			}
			b.reject(t, "another body", both, byPrevious, append(slices.Clone(e.Body), ' '), verify.ErrMismatch)
		})
	}
	t.Run("every one of the most keys allowed is tried", func(t *testing.T) {
		e := b.Events[0]
		v := b.verifier(t, b.keys[:verify.MaxKeys]...)
		for i := range verify.MaxKeys {
			if d := accept(t, label(i), v, b.genuine(e, b.Secrets[i]), e.Body); d.KeyLabel != label(i) {
				t.Errorf("key %d is called %q", i, d.KeyLabel)
			}
		}
		b.reject(t, "none of them", v, b.genuine(e, b.Secrets[verify.MaxKeys]), e.Body, verify.ErrMismatch)
	})
	t.Run("a secret that differs in one character is another one", func(t *testing.T) {
		if b.Held != nil {
			t.Skip("a text that differs in one character may be no key")
		}
		e := b.Events[0]
		near := []byte(b.Secrets[0])
		// Not the last character, so that base64 stays canonical.
		if i := len(near) / 2; near[i] == 'a' {
			near[i] = 'b'
		} else {
			near[i] = 'a'
		}
		b.reject(t, "near", b.verifier(t, b.key(t, scope, "near", string(near))), b.genuine(e), e.Body, verify.ErrMismatch)
	})
	t.Run("the scope is that of the key that signed", func(t *testing.T) {
		e := b.Events[0]
		north, south := b.key(t, "north", "1", b.Secrets[0]), b.key(t, "south", "1", b.Secrets[1])
		v := b.verifier(t, north, south)
		for i, want := range []string{"north", "south"} {
			if d := accept(t, want, v, b.genuine(e, b.Secrets[i]), e.Body); d.Scope != b.scopeOf(want) || d.KeyLabel != "1" {
				t.Errorf("a delivery of %s is of %q, key %q", want, d.Scope, d.KeyLabel)
			}
		}
	})
	if b.Several {
		t.Run("one of several signatures is enough, at any place", func(t *testing.T) {
			e := b.Events[0]
			v := b.verifier(t, b.keys[0])
			mine, other, third := b.Secrets[0], b.Secrets[1], b.Secrets[2]
			for _, secrets := range [][]string{{mine, other}, {other, mine}, {other, mine, third}, {third, other, mine}} {
				if d := accept(t, "one of several", v, b.genuine(e, secrets...), e.Body); d.KeyLabel != label(0) {
					t.Errorf("the key is called %q", d.KeyLabel)
				}
				b.reject(t, "another body", v, b.genuine(e, secrets...), []byte("{}"), verify.ErrMismatch)
			}
			b.reject(t, "all by others", v, b.genuine(e, other, third), e.Body, verify.ErrMismatch)
		})
	}
}

func (b *battery) testLists(t *testing.T) {
	secrets := b.secretNeedles()
	for _, tt := range []struct {
		name string
		keys verify.KeySource
	}{
		{"no source", nil},
		{"no list", verify.KeyList(nil)},
		{"an empty list", verify.KeyList{}},
		{"one key too many", verify.KeyList(b.keys[:verify.MaxKeys+1])},
		{"a zero key", verify.KeyList{{}}},
		{"a zero key behind a good one", verify.KeyList{b.keys[0], {}}},
		{"one secret under two labels", verify.KeyList{b.keys[0], b.key(t, scope, "twin", b.Secrets[0])}},
		{"one name for two secrets", verify.KeyList{b.keys[0], b.key(t, scope, label(0), b.Secrets[1])}},
		{"a secret of two bytes", verify.KeyList{b.key(t, scope, "short", "k7")}},
		{"no function", verify.KeyFunc(nil)},
		{"no list of secrets", (*verify.SecretList)(nil)},
		{"an empty list of secrets", verify.Secrets()},
		{"an empty secret", verify.Secrets("")},
		{"an empty secret behind a good one", verify.Secrets(b.held(b.Secrets[0], "")...)},
		{"one secret twice", verify.Secrets(b.held(b.Secrets[0], b.Secrets[0])...)},
		{"one secret too many", verify.Secrets(b.held(b.Secrets[:verify.MaxKeys+1]...)...)},
	} {
		t.Run("a verifier is not made of "+tt.name, func(t *testing.T) {
			v, err := b.New(tt.keys)
			if err == nil {
				t.Fatalf("New made %v", v)
			}
			if problem := leak(err.Error(), secrets); problem != "" {
				t.Errorf("the error holds a secret %s", problem)
			}
		})
	}
	t.Run("a verifier is made of one key and of the most", func(t *testing.T) {
		b.verifier(t, b.keys[0])
		b.verifier(t, b.keys[:verify.MaxKeys]...)
		b.verifierFrom(t, verify.Secrets(b.held(b.Secrets[:verify.MaxKeys]...)...))
	})
	t.Run("a list that is changed later changes nothing", func(t *testing.T) {
		e := b.Events[0]
		list := verify.KeyList{b.keys[0]}
		v := b.verifierFrom(t, list)
		list[0] = b.keys[1]
		accept(t, "the key that was listed", v, b.genuine(e, b.Secrets[0]), e.Body)
		b.reject(t, "the key that replaced it", v, b.genuine(e, b.Secrets[1]), e.Body, verify.ErrMismatch)
	})
}

func (b *battery) testSources(t *testing.T) {
	e := b.Events[0]
	h := b.genuine(e)
	yields := func(keys []verify.Key, err error) verify.Verifier {
		t.Helper()
		return b.verifierFrom(t, verify.KeyFunc(func(context.Context, *verify.Head) ([]verify.Key, error) { return keys, err }))
	}
	sentinel := errors.New("a sentinel")
	for _, tt := range []struct {
		name  string
		keys  []verify.Key
		err   error
		want  verify.Reason
		wraps error
	}{
		{"no keys", nil, nil, verify.ErrNoKey, nil},
		{"an empty list", []verify.Key{}, nil, verify.ErrNoKey, nil},
		{"one key too many", b.keys[:verify.MaxKeys+1], nil, verify.ErrNoKey, nil},
		{"a zero key", []verify.Key{{}}, nil, verify.ErrNoKey, nil},
		{"a zero key behind a good one", []verify.Key{b.keys[0], {}}, nil, verify.ErrNoKey, nil},
		{"a secret of two bytes", []verify.Key{b.key(t, scope, "short", "k7")}, nil, verify.ErrNoKey, nil},
		{"ErrNoKey", nil, verify.ErrNoKey, verify.ErrNoKey, nil},
		{"an error that wraps ErrNoKey", nil, fmt.Errorf("%w: %w", sentinel, verify.ErrNoKey), verify.ErrNoKey, sentinel},
		{"a refusal for lack of a key", nil, &verify.Error{Reason: verify.ErrNoKey, Cause: sentinel}, verify.ErrNoKey, sentinel},
		{"ErrNoKey together with a good key", b.keys[:1], verify.ErrNoKey, verify.ErrNoKey, nil},
		{"another error", nil, sentinel, verify.ErrUnavailable, sentinel},
		{"another error together with a good key", b.keys[:1], sentinel, verify.ErrUnavailable, sentinel},
		{"another reason", nil, verify.ErrMismatch, verify.ErrUnavailable, nil},
	} {
		t.Run("a source that yields "+tt.name+" lets nothing through", func(t *testing.T) {
			v := yields(tt.keys, tt.err)
			if tt.want == verify.ErrNoKey {
				b.takesHead(t, tt.name, v, h)
			} else {
				b.refuseHead(t, tt.name, v, h, tt.want)
			}
			err := b.reject(t, tt.name, v, h, e.Body, tt.want)
			if tt.wraps != nil && !errors.Is(err, tt.wraps) {
				t.Errorf("the refusal does not wrap the source's error: %v", err)
			}
		})
	}
	t.Run("a source that yields a good key is as good as a list", func(t *testing.T) {
		d := accept(t, "source", yields(b.keys[:2], nil), h, e.Body)
		listed := accept(t, "list", b.verifier(t, b.keys[:2]...), h, e.Body)
		same(t, "source", d, listed)
		if d.KeyLabel != listed.KeyLabel || d.Scope != listed.Scope {
			t.Errorf("the source's key is called %q of %q, the list's %q of %q", d.KeyLabel, d.Scope, listed.KeyLabel, listed.Scope)
		}
		b.reject(t, "a key of nobody", yields(b.keys[1:2], nil), h, e.Body, verify.ErrMismatch)
	})
	t.Run("a source that gives up with the request is a failure and no verdict", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		v := b.verifierFrom(t, verify.KeyFunc(func(ctx context.Context, _ *verify.Head) ([]verify.Key, error) {
			return b.keys[:1], ctx.Err()
		}))
		d, err := verify.Verify(ctx, v, h, e.Body)
		if d != nil || err == nil {
			t.Fatalf("Delivery is %v and the error is %v", d, err)
		}
		wellFormed(t, err)
		if !errors.Is(err, verify.ErrUnavailable) || !errors.Is(err, context.Canceled) {
			t.Errorf("error is %v", err)
		}
		accept(t, "with a live context", v, h, e.Body)
	})
	t.Run("a tenant's delivery does not verify at another tenant's path", func(t *testing.T) {
		if b.SignsURL {
			t.Skip("the URL is signed")
		}
		tenants := map[string]verify.Key{
			"/north": b.key(t, "north", "1", b.Secrets[0]),
			"/south": b.key(t, "south", "1", b.Secrets[1]),
		}
		v := b.verifierFrom(t, verify.KeyFunc(func(_ context.Context, h *verify.Head) ([]verify.Key, error) {
			k, ok := tenants[h.URL.Path]
			if !ok {
				return nil, verify.ErrNoKey
			}
			return []verify.Key{k}, nil
		}))
		at := func(path string) *verify.Head {
			c := *h
			c.URL = parseURL(t, "https://hooks.example.com"+path)
			if h.URL != nil {
				c.URL.RawQuery = h.URL.RawQuery
			}
			return &c
		}
		if d := accept(t, "own path", v, at("/north"), e.Body); d.Scope != b.scopeOf("north") {
			t.Errorf("Scope is %q", d.Scope)
		}
		b.reject(t, "another's path", v, at("/south"), e.Body, verify.ErrMismatch)
		b.takesHead(t, "no one's path", v, at("/east"))
		b.reject(t, "no one's path", v, at("/east"), e.Body, verify.ErrNoKey)
	})
	t.Run("keys that change while requests are pending do not mix", func(t *testing.T) {
		turn := 0
		v := b.verifierFrom(t, verify.KeyFunc(func(context.Context, *verify.Head) ([]verify.Key, error) {
			turn++
			return b.keys[turn%2 : turn%2+1], nil
		}))
		var pending []verify.Pending
		for range 4 {
			p, err := v.Begin(context.Background(), b.genuine(e, b.Secrets[1]))
			if err != nil {
				t.Fatal(err)
			}
			pending = append(pending, p)
		}
		for i, p := range pending {
			d, err := p.Finish(context.Background(), e.Body)
			if odd := (i+1)%2 == 1; odd != (err == nil) || odd != (d != nil) {
				t.Errorf("request %d: Delivery %v, error %v", i, d, err)
			}
		}
	})
}
