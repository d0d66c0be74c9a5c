package assertion_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/middleware/assertion"
	"github.com/hooknotary/hooknotary/verify"
)

// FuzzClaims: whoever holds the key and writes any header and any claims is either refused, or
// every other JSON reader reads in the token what the Verifier says.
func FuzzClaims(f *testing.F) {
	f.Add(text(header("HS256")), text(claimsAt(now)))
	f.Add(text(header("HS256")), text(with(with(claimsAt(now), "event_id", nil), "signed_at", nil)))
	f.Add(`{"alg":"HS256","kid":"a","typ":"hooknotary+jwt"}`, `{"aud":"billing","aud":"shop"}`)
	f.Add(`{"alg":"none","kid":"a","typ":"hooknotary+jwt"}`, `{"\u0061ud":"billing","iat":1e3}`)
	f.Fuzz(func(t *testing.T, h, c string) {
		v := verifier(t, "HS256")
		head := headOf(join("HS256", h, c, secret))
		d, err := verify.Verify(context.Background(), v, head, []byte(body))
		if err != nil {
			if d != nil || verify.ReasonOf(err) == verify.ErrUnavailable {
				t.Fatalf("refused with %v and %v", d, err)
			}
			return
		}
		got, ok := v.Claims(d, head.Header)
		if !ok {
			t.Fatal("the claims of an accepted token are not found")
		}
		var first, last map[string]any
		if json.Unmarshal([]byte(h), &first) != nil || json.Unmarshal([]byte(c), &last) != nil {
			t.Fatal("another reader reads no JSON")
		}
		if len(first) != 3 || first["alg"] != "HS256" || first["typ"] != "hooknotary+jwt" {
			t.Fatalf("the header is %v", first)
		}
		want := object{
			"iss": issuer, "aud": audience, "iat": float64(got.IssuedAt.Unix()), "exp": float64(got.IssuedAt.Unix() + 90), "jti": got.ID,
			"route": got.Route, "provider": got.Provider, "scope": got.Scope, "key_label": got.KeyLabel,
			"event_key": got.EventKey.String(), "received_at": float64(got.ReceivedAt.Unix()), "binding": got.Binding.String(),
			"body_sha256": hashOf(body),
		}
		for name, value := range want {
			if last[name] != value || value == "" {
				t.Fatalf("%s is %v, and another reader reads %v", name, value, last[name])
			}
		}
		if id, ok := last["event_id"]; ok && id != got.EventID || !ok && got.EventID != "" {
			t.Fatalf("event_id is %q, and another reader reads %v", got.EventID, id)
		}
		if _, ok := last["nbf"]; ok {
			t.Fatal("nbf was passed over")
		}
	})
}

// FuzzToken: of all texts, only the genuine token is accepted, and only over its body.
func FuzzToken(f *testing.F) {
	genuine := join("HS256", text(header("HS256")), text(claimsAt(now)), secret)
	f.Add(genuine, body)
	f.Add(genuine[:len(genuine)-1], body)
	f.Add(genuine, body+" ")
	f.Add(strings.Replace(genuine, ".", ".\n", 1), body)
	f.Add(base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","kid":"a","typ":"hooknotary+jwt"}`))+".e30.", body)
	f.Fuzz(func(t *testing.T, token, sent string) {
		_, err := verify.Verify(context.Background(), verifier(t, "HS256"), headOf(token), []byte(sent))
		if (err == nil) != (token == genuine && sent == body) {
			t.Fatalf("the verdict on %q is %v", token, err)
		}
	})
}

// FuzzParseKeySet: a set that is read is written and read again as the same set.
func FuzzParseKeySet(f *testing.F) {
	f.Add(string(must(json.Marshal(must(assertion.NewKeySet(algorithms["ES256"](f, "now"), algorithms["EdDSA"](f, "next")))(f)))(f)))
	f.Add(`{"keys":[{"kty":"RSA"}]}`)
	f.Fuzz(func(t *testing.T, set string) {
		s, err := assertion.ParseKeySet([]byte(set))
		if err != nil {
			return
		}
		written := must(json.Marshal(s))(t)
		again := must(assertion.ParseKeySet(written))(t)
		if string(must(json.Marshal(again))(t)) != string(written) || s.Len() == 0 {
			t.Fatalf("%s is read as another set", written)
		}
	})
}
