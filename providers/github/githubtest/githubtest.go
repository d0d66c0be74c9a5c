// Package githubtest signs webhooks as GitHub does, for tests. It shares no code
// with the verifier, so the two check each other.
//
//	req := githubtest.NewRequest("https://ci.example/hooks/github", "push",
//		[]byte(`{"ref":"refs/heads/main"}`), "secret of the hook")
//	handler.ServeHTTP(recorder, req)
//
// GitHub signs no time, so there is none to give.
package githubtest

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"fmt"
	"net/http"
)

// Header returns the headers of a JSON delivery of an event such as "push", with
// a new random delivery id. Like GitHub it sends the SHA-1 signature beside the
// SHA-256 one.
func Header(event string, body []byte, secret string) http.Header {
	strong := hmac.New(sha256.New, []byte(secret))
	strong.Write(body)
	weak := hmac.New(sha1.New, []byte(secret))
	weak.Write(body)
	var id [16]byte
	rand.Read(id[:])
	h := make(http.Header)
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "GitHub-Hookshot/0000000")
	h.Set("X-GitHub-Event", event)
	h.Set("X-GitHub-Delivery", fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:]))
	h.Set("X-Hub-Signature", fmt.Sprintf("sha1=%x", weak.Sum(nil)))
	h.Set("X-Hub-Signature-256", fmt.Sprintf("sha256=%x", strong.Sum(nil)))
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
