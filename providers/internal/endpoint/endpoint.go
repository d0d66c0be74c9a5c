// Package endpoint holds the URL of an endpoint as it is registered at a provider that
// signs it.
//
// The URL is configuration. What a request says of its host and path is what a proxy made
// of it, or what its sender wants it to be; its query is compared, because a handler reads
// it.
package endpoint

import (
	"errors"
	"net/url"
	"strings"

	"github.com/hooknotary/hooknotary/verify"
)

// URL is the URL of an endpoint. Make one with Parse.
type URL struct {
	Text  string // all of it
	Base  string // what stands in front of the query and its question mark
	Query string // without the question mark
}

var (
	errForm     = errors.New("the URL of the endpoint must be the one that is registered at the provider: http or https, with a host, in ASCII")
	errFragment = errors.New("the URL of the endpoint must not have a fragment (#…): it is neither sent nor signed")
	errLong     = errors.New("the URL of the endpoint is longer than 2048 bytes")
	errQuery    = errors.New("the query of the request is not that of the endpoint's URL")
)

// Parse checks the URL of an endpoint. Its errors hold nothing of it, because it may
// contain a password.
func Parse(text string) (URL, error) {
	if len(text) > 2048 {
		return URL{}, errLong
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || !strings.HasPrefix(text, u.Scheme+"://") || !visible(text) {
		return URL{}, errForm
	}
	if strings.Contains(text, "#") {
		return URL{}, errFragment
	}
	base, query, _ := strings.Cut(text, "?")
	return URL{Text: text, Base: base, Query: query}, nil
}

func visible(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// Check refuses a request with another query than u has. A head without a URL is taken.
func (u URL) Check(h *verify.Head) error {
	if h != nil && h.URL != nil && h.URL.RawQuery != u.Query {
		return &verify.Error{Reason: verify.ErrMalformed, Cause: errQuery}
	}
	return nil
}
