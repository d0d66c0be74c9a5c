package assertion_test

import (
	"context"
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/middleware/assertion"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

func TestNewSigner(t *testing.T) {
	key := algorithms["ES256"](t, "2026-11")
	for _, tt := range []struct {
		name             string
		key              assertion.Key
		issuer, audience string
		tells            string
	}{
		{"a key, an issuer and an audience", key, issuer, audience, ""},
		{"a zero key", assertion.Key{}, issuer, audience, "zero Key"},
		{"no issuer", key, "", audience, "the issuer"},
		{"no audience", key, issuer, "", "the audience"},
		{"an issuer that is too long", key, strings.Repeat("i", 513), audience, "the issuer"},
		{"an issuer that is as long as can be", key, strings.Repeat("i", 512), audience, ""},
		{"an audience that is no UTF-8", key, issuer, "\xff", "the audience"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := assertion.NewSigner(tt.key, tt.issuer, tt.audience, nil)
			if tt.tells == "" && (err != nil || s == nil || s.Key().ID() != "2026-11") {
				t.Errorf("got %v and %v", s, err)
			}
			if tt.tells != "" && (err == nil || s != nil || !strings.Contains(err.Error(), tt.tells)) {
				t.Errorf("the error is %v, want one that says %q", err, tt.tells)
			}
		})
	}
}

// parts returns header and claims of a token.
func parts(t *testing.T, token string) (header, claims object) {
	t.Helper()
	p := strings.Split(token, ".")
	if len(p) != 3 {
		t.Fatalf("the token has %d parts", len(p))
	}
	for i, to := range []*object{&header, &claims} {
		d := json.NewDecoder(strings.NewReader(string(must(base64.RawURLEncoding.DecodeString(p[i]))(t))))
		d.UseNumber()
		if err := d.Decode(to); err != nil {
			t.Fatal(err)
		}
	}
	return header, claims
}

func TestSign(t *testing.T) {
	for algorithm, newKey := range algorithms {
		t.Run(algorithm+" says what it should", func(t *testing.T) {
			s := must(assertion.NewSigner(newKey(t, "2026-11"), issuer, audience, &assertion.SignerOptions{
				Now: func() time.Time { return now.Add(999 * time.Millisecond) },
			}))(t)
			c := claims()
			c.Issuer, c.Audience, c.ID, c.Expires = "mallory", "mallory", "mallory", now.Add(time.Hour) // which are not the caller's
			h, got := parts(t, must(s.Sign(c))(t))
			if want := (object{"alg": algorithm, "kid": "2026-11", "typ": "hooknotary+jwt"}); !reflect.DeepEqual(h, want) {
				t.Errorf("the header is %v, want %v", h, want)
			}
			if id, _ := got["jti"].(string); len(id) != 22 {
				t.Errorf("the jti is %q", id)
			}
			want := with(claimsAt(now), "jti", got["jti"])
			if text(got) != text(want) {
				t.Errorf("the claims are\n%s, want\n%s", text(got), text(want))
			}
		})
		t.Run(algorithm+" verifies", func(t *testing.T) {
			s := must(assertion.NewSigner(newKey(t, "2026-11"), issuer, audience, &assertion.SignerOptions{Now: clock}))(t)
			for range 300 { // r or s of every hundredth ECDSA signature begins with a zero
				token := must(s.Sign(claims()))(t)
				d, err := verify.Verify(context.Background(), verifier(t, algorithm), headOf(token), []byte(body))
				judge(t, d, err, 0)
				if t.Failed() {
					return
				}
			}
		})
	}
	t.Run("no two assertions have one jti", func(t *testing.T) {
		s := must(assertion.NewSigner(algorithms["HS256"](t, "2026-11"), issuer, audience, nil))(t)
		seen := make(map[any]bool)
		for range 1000 {
			_, c := parts(t, must(s.Sign(claims()))(t))
			if seen[c["jti"]] {
				t.Fatal("a jti stands in two of them")
			}
			seen[c["jti"]] = true
		}
	})
}

func TestSignClaims(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(c *assertion.Claims)
		ok   bool
	}{
		{"all", func(*assertion.Claims) {}, true},
		{"no event id", func(c *assertion.Claims) { c.EventID = "" }, true},
		{"no signed time", func(c *assertion.Claims) { c.SignedAt = time.Time{} }, true},
		{"a signed time of 1970", func(c *assertion.Claims) { c.SignedAt = time.Unix(0, 1) }, true},
		{"a scope with a quote, a line break and an angle bracket", func(c *assertion.Claims) { c.Scope = "a\"\n<é\u2028" }, true},
		{"a binding in part", func(c *assertion.Claims) { c.Binding = verify.BindingPart }, true},
		{"no route", func(c *assertion.Claims) { c.Route = "" }, false},
		{"no provider", func(c *assertion.Claims) { c.Provider = "" }, false},
		{"no scope", func(c *assertion.Claims) { c.Scope = "" }, false},
		{"no label", func(c *assertion.Claims) { c.KeyLabel = "" }, false},
		{"no event key", func(c *assertion.Claims) { c.EventKey = replay.Key{} }, false},
		{"no receive time", func(c *assertion.Claims) { c.ReceivedAt = time.Time{} }, false},
		{"no binding", func(c *assertion.Claims) { c.Binding = 0 }, false},
		{"a binding that is not known", func(c *assertion.Claims) { c.Binding = 99 }, false},
		{"no hash of the body", func(c *assertion.Claims) { c.BodySHA256 = [32]byte{} }, false},
		{"a signed time before 1970", func(c *assertion.Claims) { c.SignedAt = time.Unix(-1, 0) }, false},
		{"an event id that is no UTF-8", func(c *assertion.Claims) { c.EventID = "evt_\xff" }, false},
		{"an event id that is too long", func(c *assertion.Claims) { c.EventID = strings.Repeat("e", 513) }, false},
		{"claims that are too long together", func(c *assertion.Claims) {
			c.EventID, c.Route, c.Scope = strings.Repeat("\x01", 512), strings.Repeat("\x02", 512), strings.Repeat("\x03", 512)
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := must(assertion.NewSigner(algorithms["ES256"](t, "2026-11"), issuer, audience, &assertion.SignerOptions{Now: clock}))(t)
			c := claims()
			tt.edit(&c)
			token, err := s.Sign(c)
			if !tt.ok {
				if err == nil || token != "" {
					t.Fatalf("Sign made %q", token)
				}
				for _, needle := range []string{"evt_", "acct", "eee"} {
					if strings.Contains(err.Error(), needle) {
						t.Errorf("the error holds a claim: %v", err)
					}
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			v := verifier(t, "ES256")
			d := must(verify.Verify(context.Background(), v, headOf(token), []byte(body)))(t)
			got, ok := v.Claims(d, headOf(token).Header)
			if !ok || got.Scope != c.Scope || got.EventID != c.EventID || got.Binding != c.Binding || got.SignedAt.IsZero() != c.SignedAt.IsZero() {
				t.Errorf("got %+v", got)
			}
		})
	}
	t.Run("a key that fails", func(t *testing.T) {
		broken := false
		k := must(assertion.NewKey("hsm", hardware{&private().p256.PublicKey, func(digest []byte) ([]byte, error) {
			if broken {
				return nil, errors.New("pulled out")
			}
			return ecdsa.SignASN1(nil, private().p256, digest)
		}}))(t)
		s := must(assertion.NewSigner(k, issuer, audience, nil))(t)
		broken = true
		if token, err := s.Sign(claims()); err == nil || token != "" || !strings.Contains(err.Error(), "pulled out") {
			t.Errorf("got %q and %v", token, err)
		}
	})
}

func BenchmarkSign(b *testing.B) {
	for algorithm, newKey := range algorithms {
		b.Run(algorithm, func(b *testing.B) {
			s := must(assertion.NewSigner(newKey(b, "2026-11"), issuer, audience, nil))(b)
			c := claims()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Sign(c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkVerify(b *testing.B) {
	for algorithm := range algorithms {
		b.Run(algorithm, func(b *testing.B) {
			v := verifier(b, algorithm)
			head := headOf(join(algorithm, text(header(algorithm)), text(claimsAt(now)), keyOf(algorithm)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := verify.Verify(context.Background(), v, head, []byte(body)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
