package assertion_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/middleware/assertion"
)

func TestNewKeySet(t *testing.T) {
	p256, ed, hs := algorithms["ES256"](t, "now"), algorithms["EdDSA"](t, "next"), algorithms["HS256"](t, "n8n")
	many := make([]assertion.Key, 65)
	for i := range many {
		many[i] = must(assertion.NewKey(fmt.Sprint("k", i), private().p256))(t)
	}
	for _, tt := range []struct {
		name  string
		keys  []assertion.Key
		len   int
		tells string
	}{
		{"no keys", nil, 0, ""},
		{"public keys, without the secret", []assertion.Key{p256, hs, ed}, 2, ""},
		{"64 keys", many[:64], 64, ""},
		{"65 keys", many, 0, "at most 64"},
		{"two keys of one id", []assertion.Key{p256, must(assertion.NewKey("now", private().ed25519))(t)}, 0, `"now"`},
		{"a key and a secret of one id", []assertion.Key{p256, algorithms["HS256"](t, "now")}, 0, `"now"`},
		{"a zero key", []assertion.Key{p256, {}}, 0, "zero Key"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := assertion.NewKeySet(tt.keys...)
			if tt.tells != "" {
				if err == nil || !strings.Contains(err.Error(), tt.tells) || s != nil {
					t.Errorf("the error is %v", err)
				}
				return
			}
			if err != nil || s.Len() != tt.len {
				t.Errorf("got %v and %v", s, err)
			}
		})
	}
}

func TestKeySetMarshalJSON(t *testing.T) {
	set := must(assertion.NewKeySet(algorithms["ES256"](t, "now"), algorithms["EdDSA"](t, "next"), algorithms["HS256"](t, "n8n")))(t)
	got := string(must(json.Marshal(set))(t))
	point := must(private().p256.PublicKey.Bytes())(t)
	want := fmt.Sprintf(`{"keys":[{"kty":"EC","crv":"P-256","x":"%s","y":"%s","kid":"now","use":"sig","alg":"ES256"},`+
		`{"kty":"OKP","crv":"Ed25519","x":"%s","kid":"next","use":"sig","alg":"EdDSA"}]}`,
		b64(point[1:33]), b64(point[33:]), b64(private().ed25519[32:]))
	if got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
	t.Run("the set is read again as it was", func(t *testing.T) {
		again := must(assertion.ParseKeySet([]byte(got)))(t)
		if string(must(json.Marshal(again))(t)) != got {
			t.Error("it is another one")
		}
	})
	t.Run("a set without keys has a list", func(t *testing.T) {
		if got := string(must(json.Marshal(&assertion.KeySet{}))(t)); got != `{"keys":[]}` {
			t.Errorf("got %s", got)
		}
	})
}

func TestParseKeySet(t *testing.T) {
	point := must(private().p256.PublicKey.Bytes())(t)
	ec := object{"kty": "EC", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:]), "kid": "now", "use": "sig", "alg": "ES256"}
	ed := object{"kty": "OKP", "crv": "Ed25519", "x": b64(private().ed25519[32:]), "kid": "next"}
	set := func(keys ...object) string { return text(object{"keys": keys}) }
	many := make([]object, 65)
	for i := range many {
		k := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
		p := must(k.PublicKey.Bytes())(t)
		many[i] = object{"kty": "EC", "crv": "P-256", "x": b64(p[1:33]), "y": b64(p[33:]), "kid": fmt.Sprint(i)}
	}
	small := make([]byte, 32) // a point of order 4
	for _, tt := range []struct {
		name, text string
		len        int
		tells      string
	}{
		{"one key", set(ec), 1, ""},
		{"two kinds of keys", set(ec, ed), 2, ""},
		{"a member that is not known", text(object{"keys": []object{with(ec, "x5t", "abc")}, "more": 1}), 1, ""},
		{"the operation that a receiver needs", set(with(ec, "key_ops", []string{"verify"})), 1, ""},
		{"64 keys", set(many[:64]...), 64, ""},
		{"a key of RSA beside", set(ec, object{"kty": "RSA", "n": "x", "e": "AQAB"}), 1, ""},
		{"a key of P-384 beside", set(ec, object{"kty": "EC", "crv": "P-384"}), 1, ""},
		{"a key for encryption beside", set(ec, with(ed, "use", "enc")), 1, ""},
		{"a key for another algorithm beside", set(ec, with(ed, "alg", "ES256")), 1, ""},
		{"a key for another operation beside", set(ec, with(ed, "key_ops", []string{"deriveKey"})), 1, ""},
		{"a use that is no text beside", set(ec, with(ed, "use", 1)), 1, ""},
		{"65 keys", set(many...), 0, "at most 64"},
		{"no keys", set(), 0, "no key"},
		{"no list", `{}`, 0, "keys"},
		{"a list that is null", `{"keys":null}`, 0, "no key"},
		{"only keys that serve nothing here", set(with(ec, "use", "enc")), 0, "no key"},
		{"no JSON", `{"keys":[`, 0, "want an object"},
		{"a list in the place of the set", "[" + text(ec) + "]", 0, "want an object"},
		{"a key that is no object", `{"keys":[1]}`, 0, "key 1 of 1: want an object"},
		{"something behind the set", set(ec) + set(ec), 0, "want an object"},
		{"two lists", `{"keys":[],"keys":[` + text(ec) + `]}`, 0, "want an object"},
		{"a list in capitals", `{"KEYS":[` + text(ec) + `]}`, 0, "want an object"},
		{"a name that stands twice in a key", `{"keys":[{"kid":"a",` + text(ec)[1:] + `]}`, 0, "stands twice"},
		{"two keys of one id", set(ec, with(ed, "kid", "now")), 0, "the same id"},
		{"a key without an id", set(with(ec, "kid", nil)), 0, "the id of a key"},
		{"an id that is a path", set(with(ec, "kid", "../a")), 0, "the id of a key"},
		{"a private key", set(with(ec, "d", b64(make([]byte, 32)))), 0, "private"},
		{"a private key of RSA beside", set(ec, object{"kty": "RSA", "d": "x"}), 0, "private"},
		{"a secret beside", set(ec, object{"kty": "oct", "k": "c2VjcmV0"}), 0, "private"},
		{"a coordinate that is cut", set(with(ec, "x", b64(point[2:33]))), 0, "32 bytes"},
		{"a coordinate with padding", set(with(ec, "x", b64(point[1:33])+"=")), 0, "32 bytes"},
		{"no second coordinate", set(with(ec, "y", nil)), 0, "32 bytes"},
		{"a point off the curve", set(with(ec, "y", b64(point[1:33]))), 0, "no point"},
		{"a point of Ed25519 of small order", set(with(ed, "x", b64(small))), 0, "small order"},
		{"more than 64 KiB", set(ec) + strings.Repeat(" ", 64<<10), 0, "at most 65536 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := assertion.ParseKeySet([]byte(tt.text))
			if tt.tells != "" {
				if err == nil || !strings.HasPrefix(err.Error(), "assertion: JWK set: ") || !strings.Contains(err.Error(), tt.tells) || s != nil {
					t.Errorf("the error is %v, want one that says %q", err, tt.tells)
				}
				return
			}
			if err != nil || s.Len() != tt.len {
				t.Errorf("got %v and %v", s, err)
			}
		})
	}
}
