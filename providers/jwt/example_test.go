package jwt_test

import (
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/jwt"
	"github.com/hooknotary/hooknotary/providers/jwt/plaid"
	"github.com/hooknotary/hooknotary/providers/jwt/pubsub"
	"github.com/hooknotary/hooknotary/providers/keyfetch"
	"github.com/hooknotary/hooknotary/verify"
)

// A sender of one's own: it signs with RSA, publishes its keys, and its token covers the
// body.
func Example() {
	acme := jwt.Definition{
		Provider:   "acme",
		Header:     "Acme-Signature",
		Algorithms: []jwt.Algorithm{jwt.RS256},
		Claims:     []jwt.Claim{jwt.Equal("iss", "https://acme.example"), jwt.Given("aud")},
		Body:       jwt.BodyHash{Claim: "body_sha256", Encoding: jwt.Base64URL},
		Time:       jwt.Time{Claim: "iat", Window: verify.Window{Past: 5 * time.Minute, Future: time.Minute}},
		ID:         "jti",
		MaxBody:    1 << 20,
		Retry:      verify.RetryIdentical,
	}
	keys, err := keyfetch.New(keyfetch.Endpoint{URL: "https://acme.example/.well-known/jwks.json", Kind: keyfetch.RSA}, nil)
	if err != nil {
		log.Fatal(err)
	}
	v, err := jwt.New(acme, acme.ByKeyID(keys), &jwt.Options{Claims: map[string]string{"aud": "shop-4711"}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(v.About().Signed)
	fmt.Println(v.Profile().Binding)
	// Output:
	// time, id, hash of the body, JWT RS256
	// full
}

// A sender whose keys are fetched, behind a guard.
func Example_guard() {
	v := plaid.Must(plaid.Sandbox, "5f3a1c0b9d7e4a6f8c2b", "7c1d9f3e5a2b80641e4d6c8a9b0f2e3d")
	guard := middleware.Protect(v)
	http.Handle("POST /hooks/plaid", guard(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d, _ := verify.FromContext(r.Context())
		log.Printf("signed at %v by key %s", d.SignedAt, d.KeyLabel)
	})))
}

// A sender whose token does not cover the body has to be taken as that.
func Example_bodyNotCovered() {
	keys, err := pubsub.Keys(nil)
	if err != nil {
		log.Fatal(err)
	}
	o := &jwt.Options{Claims: map[string]string{
		"aud":   "https://shop.example/hooks/pubsub",
		"email": "push@shop-4711.iam.gserviceaccount.com",
	}}
	_, err = pubsub.New(keys, o)
	fmt.Println(err)

	o.InsecureBodyNotCovered = true
	v, err := pubsub.New(keys, o)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(v.Profile().Binding)
	// Output:
	// pubsub: the token does not cover the body: whoever sees one request can send another body under it. If you know that, set Options.InsecureBodyNotCovered
	// none
}
