package github_test

import (
	"context"
	"fmt"
	"time"

	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/providers/github/githubtest"
	"github.com/hooknotary/hooknotary/verify"
)

// GitHub signs the body alone. The event's name is a hint that anyone can change;
// what the body says is verified.
func ExampleMust() {
	const secret = "4vN8tQz1Lw6Xr3Ky9Pb2Jc5H"
	v := github.Must(secret)

	body := []byte(`{"ref":"refs/heads/main"}`)
	d, err := verify.Verify(context.Background(), v, &verify.Head{
		Header: githubtest.Header("push", body, secret), ReceivedAt: time.Now(),
	}, body)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("verified: %s\nsaid: %s\n", d.Body, d.Unsigned.Type)
	// Output:
	// verified: {"ref":"refs/heads/main"}
	// said: push
}

// A hook that is configured for forms. The request cannot choose: a guard refuses
// any other Content-Type.
func ExampleNew() {
	v, err := github.New(verify.Secrets("4vN8tQz1Lw6Xr3Ky9Pb2Jc5H"), &github.Options{Form: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(v.Profile().MediaType)
	// Output: application/x-www-form-urlencoded
}

// An environment variable that is not set must not make a verifier that anyone
// can sign for.
func ExampleMust_incorrect() {
	defer func() { fmt.Println(recover()) }()
	github.Must("")
	// Output: github.Must: the secret is empty; is its environment variable set?
}
