package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/hooknotary/hooknotary/middleware/assertion"
	"github.com/hooknotary/hooknotary/verify"
)

// TestAssertJOSE compares assertions with another implementation of JOSE, both ways.
func TestAssertJOSE(t *testing.T) {
	a := newAsserting(t)
	set, err := os.ReadFile(a.jwks)
	if err != nil {
		t.Fatal(err)
	}
	var theirs jose.JSONWebKeySet
	if err := json.Unmarshal(set, &theirs); err != nil {
		t.Fatalf("jose does not read the set: %v", err)
	}
	algorithms := []jose.SignatureAlgorithm{jose.ES256, jose.EdDSA, jose.HS256}
	// read returns what jose reads in a token.
	read := func(token string) (header jose.Header, claims map[string]any, err error) {
		parsed, err := jwt.ParseSigned(token, algorithms)
		if err != nil {
			return header, nil, err
		}
		header = parsed.Headers[0]
		var key any = []byte(assertSecret)
		if header.Algorithm != "HS256" {
			keys := theirs.Key(header.KeyID)
			if len(keys) != 1 {
				return header, nil, fmt.Errorf("the set has %d keys with the id", len(keys))
			}
			key = keys[0].Key
		}
		var standard jwt.Claims
		if err := parsed.Claims(key, &standard, &claims); err != nil {
			return header, nil, err
		}
		return header, claims, standard.ValidateWithLeeway(jwt.Expected{Issuer: assertIssuer, AnyAudience: jwt.Audience{"shop"}, Time: arrival}, 0)
	}
	verifier := func(t *testing.T, algorithm string, set []byte) *assertion.Verifier {
		t.Helper()
		var keys verify.KeySource = verify.Secrets(assertSecret)
		if algorithm != "HS256" {
			var err error
			if keys, err = assertion.ParseKeySet(set); err != nil {
				t.Fatal(err)
			}
		}
		v, err := assertion.New(keys, assertIssuer, "shop", nil)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	accepts := func(v *assertion.Verifier, token string) (*assertion.Claims, error) {
		head := &verify.Head{Header: http.Header{assertion.Header: {token}}, ReceivedAt: arrival}
		d, err := verify.Verify(context.Background(), v, head, []byte(eventBody))
		if err != nil {
			return nil, err
		}
		c, ok := v.Claims(d, head.Header)
		if !ok {
			return nil, fmt.Errorf("the claims are not found")
		}
		return c, nil
	}
	for _, algorithm := range algorithms {
		name := string(algorithm)
		t.Run("jose reads what we sign with "+name, func(t *testing.T) {
			for range 50 {
				header, claims, err := read(a.request(t, name).Header.Get(assertion.Header))
				if err != nil {
					t.Fatal(err)
				}
				if header.Algorithm != name || header.KeyID != "key-"+name || header.ExtraHeaders[jose.HeaderType] != "hooknotary+jwt" {
					t.Errorf("the header is %+v", header)
				}
				if len(claims) != 15 || claims["event_id"] != "evt_1PqX2" || claims["scope"] != "acct-4711" || claims["iat"] != float64(arrival.Unix()-30) {
					t.Errorf("the claims are %v", claims)
				}
			}
		})

		t.Run("we read what jose signs with "+name, func(t *testing.T) {
			var key any = []byte(assertSecret)
			set := []byte(nil)
			if private := a.private[name]; private != nil {
				key = private
				var err error
				set, err = json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: private.Public(), KeyID: "theirs", Algorithm: name, Use: "sig"}}})
				if err != nil {
					t.Fatal(err)
				}
			}
			o := (&jose.SignerOptions{}).WithType("hooknotary+jwt").WithHeader("kid", "theirs")
			signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, o)
			if err != nil {
				t.Fatal(err)
			}
			_, claims, err := read(a.request(t, name).Header.Get(assertion.Header))
			if err != nil {
				t.Fatal(err)
			}
			v := verifier(t, name, set)
			sign := func(edit func(claims map[string]any)) string {
				t.Helper()
				c := make(map[string]any)
				for name, value := range claims {
					if number, ok := value.(float64); ok {
						value = int64(number) // as JSON without an exponent
					}
					c[name] = value
				}
				edit(c)
				token, err := jwt.Signed(signer).Claims(c).Serialize()
				if err != nil {
					t.Fatal(err)
				}
				return token
			}
			for range 50 {
				c, err := accepts(v, sign(func(map[string]any) {}))
				if err != nil {
					t.Fatal(err)
				}
				if c.EventID != "evt_1PqX2" || !c.ReceivedAt.Equal(arrival.Add(-time.Second)) {
					t.Fatalf("the claims are %+v", c)
				}
			}
			for claim, value := range map[string]any{"aud": "n8n", "iss": "https://evil.example", "exp": arrival.Unix() + 120, "binding": "strong"} {
				if _, err := accepts(v, sign(func(c map[string]any) { c[claim] = value })); err == nil {
					t.Errorf("another %s is accepted", claim)
				}
			}
		})

		t.Run("with one byte changed, neither reads what we sign with "+name, func(t *testing.T) {
			token := a.request(t, name).Header.Get(assertion.Header)
			v := verifier(t, name, set)
			last := len(token) - 1 // of whose bits jose passes some over
			for i := range token {
				c := "A"
				if token[i] == 'A' {
					c = "B"
				}
				edited := token[:i] + c + token[i+1:]
				if _, err := accepts(v, edited); err == nil {
					t.Errorf("we accept it with byte %d changed", i)
				}
				if _, _, err := read(edited); err == nil && i != last {
					t.Errorf("jose accepts it with byte %d changed", i)
				}
			}
		})
	}
}
