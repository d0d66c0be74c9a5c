package gateway_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/providers/meta"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/capture"
)

func TestRedact(t *testing.T) {
	const token = "verify-token-of-the-tests"
	v, err := meta.New(verify.Secrets(secret), &scheme.Options{VerifyToken: token})
	if err != nil {
		t.Fatal(err)
	}
	social := newRoute(t, "social", "/hooks/social", "http://127.0.0.1:1")
	social.Verifier = v
	other := newRoute(t, "billing", "/hooks/stripe", "http://127.0.0.1:1")
	g, _ := newGateway(t, newConfig(social, other), nil)
	check := func(t *testing.T) {
		t.Helper()
		for _, tt := range []struct{ name, query, want string }{
			{"no query", "", ""},
			{"what is no credential", "a=b&hub.mode=subscribe&a=%2B", "a=b&hub.mode=subscribe&a=%2B"},
			{"the token", "hub.mode=subscribe&hub.verify_token=" + token + "&a=b", "hub.mode=subscribe&a=b"},
			{"the token alone", "hub.verify_token=" + token, ""},
			{"the token twice", "hub.verify_token=" + token + "&hub.verify_token=" + token, ""},
			{"another spelling", "HUB.Verify-Token=" + token, ""},
			{"an escaped name", "hub.verify%5Ftoken=" + token, ""},
			{"an escape that is none", "hub.verify%5Ftoken=" + token + "%zz&a=b", "a=b"},
			{"the other separator", "a=b;hub.verify_token=" + token, ""},
		} {
			t.Run(tt.name, func(t *testing.T) {
				sent := &url.URL{Path: "/hooks/social", RawQuery: tt.query}
				c := &capture.Capture{URL: sent, Expect: capture.Accept}
				g.Redact(c)
				if c.URL.RawQuery != tt.want || sent.RawQuery != tt.query {
					t.Errorf("the query is %q, want %q; that of the request is %q", c.URL.RawQuery, tt.want, sent.RawQuery)
				}
				changed := tt.query != tt.want
				if strings.Contains(c.Note, "left out") != changed || (c.Expect == "") != changed {
					t.Errorf("the note is %q, the expectation %q", c.Note, c.Expect)
				}
			})
		}
	}
	check(t)
	t.Run("after a reload without the route", func(t *testing.T) {
		if _, err := g.Reload(newConfig(other)); err != nil {
			t.Fatal(err)
		}
		check(t)
	})
}
