// Package githubtest signs webhooks as GitHub does, for tests. It shares the
// definition with the verifier, and no code, see package
// [github.com/hooknotary/hooknotary/providers/providertest/signer].
//
//	req := githubtest.NewRequest("https://ci.example/hooks/github", "push",
//		[]byte(`{"ref":"refs/heads/main"}`), "secret of the hook")
//	handler.ServeHTTP(recorder, req)
//
// GitHub signs no time, so there is none to give.
package githubtest

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"net/http"

	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/providers/providertest/signer"
	"github.com/hooknotary/hooknotary/providers/scheme"
)

// Header returns the headers of a JSON delivery of an event such as "push", with
// a new random delivery id. Like GitHub it sends the SHA-1 signature beside the
// SHA-256 one.
func Header(event string, body []byte, secret string) http.Header {
	d := github.Definition()
	d.Signatures = append(d.Signatures, scheme.Signature{Header: "X-Hub-Signature", Prefix: "sha1=", Algorithm: scheme.InsecureHMACSHA1})
	var id [16]byte
	rand.Read(id[:])
	h, err := signer.Header(d, signer.Delivery{
		Body: body, Secrets: []string{secret},
		Fields: map[string]string{
			"User-Agent":        "GitHub-Hookshot/0000000",
			"X-GitHub-Event":    event,
			"X-GitHub-Delivery": fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:]),
		},
	})
	if err != nil {
		panic("githubtest: " + err.Error()) // any text is a secret
	}
	return h
}

// NewRequest returns a signed delivery, ready for http.Client.Do as well as for a
// handler's ServeHTTP. It panics on a URL that does not parse.
func NewRequest(url, event string, body []byte, secret string) *http.Request {
	r, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		panic("githubtest: " + err.Error())
	}
	r.Header = Header(event, body, secret)
	return r
}
