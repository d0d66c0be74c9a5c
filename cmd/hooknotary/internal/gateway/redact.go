package gateway

import (
	"net/url"
	"slices"
	"strings"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/config"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/capture"
)

// learnCredentials notes which parameters of the query hold a credential, such as the verify
// token of a handshake. The recorder may still write what came before a reload, so none is
// forgotten.
func (g *Gateway) learnCredentials(c *config.Config) {
	var all []string
	if known := g.credentials.Load(); known != nil {
		all = slices.Clone(*known)
	}
	for i := range c.Routes {
		v, ok := c.Routes[i].Verifier.(interface{ About() verify.About })
		if !ok {
			continue
		}
		for _, name := range v.About().SecretQuery {
			if name = fold(name); !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	g.credentials.Store(&all)
}

// fold makes the spellings of a name one, as CGI and its like do.
func fold(name string) string { return strings.ReplaceAll(strings.ToLower(name), "_", "-") }

// Redact takes credentials out of the query of a capture, which package capture keeps as it
// was sent. It is for record.Options.Redact.
func (g *Gateway) Redact(c *capture.Capture) {
	if c.URL == nil || c.URL.RawQuery == "" {
		return
	}
	credentials := *g.credentials.Load()
	var kept []string
	for pair := range strings.SplitSeq(c.URL.RawQuery, "&") {
		text, err := url.QueryUnescape(pair)
		text = fold(text)
		// The name anywhere, because not everyone agrees on where a name begins.
		if err == nil && !slices.ContainsFunc(credentials, func(name string) bool { return strings.Contains(text, name) }) {
			kept = append(kept, pair)
		}
	}
	query := strings.Join(kept, "&")
	if query == c.URL.RawQuery {
		return
	}
	u := *c.URL
	u.RawQuery = query
	c.URL = &u
	c.Note += "\nleft out: of the query, what holds a credential"
	c.Expect = "" // the verifier may have read it
}
