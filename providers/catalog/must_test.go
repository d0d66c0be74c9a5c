package catalog_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/providers/catalog"
	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/providers/shopify"
	"github.com/hooknotary/hooknotary/providers/slack"
	"github.com/hooknotary/hooknotary/providers/stripe"
)

// panics returns what f panics with, as text.
func panics(t *testing.T, f func()) (text string) {
	t.Helper()
	defer func() {
		switch p := recover().(type) {
		case nil:
			t.Error("does not panic")
		case string:
			text = p
		default:
			t.Errorf("panics with a %T: %v", p, p)
		}
	}()
	f()
	return ""
}

// TestMust: the Must of a package panics with its own name and with what to do.
func TestMust(t *testing.T) {
	type refusal struct{ name, wrong, right, tells string }
	const (
		another     = "not the webhook's signing secret"
		placeholder = "placeholder"
	)
	for _, p := range []struct {
		name     string
		must     func(secrets ...string)
		prefix   string // of its secrets
		refusals []refusal
	}{
		{"github", func(s ...string) { github.Must(s...) }, "", []refusal{
			{name: "a personal access token", wrong: "ghp_16C7e42F292c6912E7710c838347Ae178B4a", tells: another},
			{name: "an OAuth token", wrong: "gho_16C7e42F292c6912E7710c838347Ae178B4a", tells: another},
			{name: "a user-to-server token", wrong: "ghu_16C7e42F292c6912E7710c838347Ae178B4a", tells: another},
			{name: "a server-to-server token", wrong: "ghs_16C7e42F292c6912E7710c838347Ae178B4a", tells: another},
			{name: "a refresh token", wrong: "ghr_16C7e42F292c6912E7710c838347Ae178B4a", tells: another},
			{name: "a fine-grained token", wrong: "github_pat_11ABCDE0Y0abcdefGHIJKL", tells: another},
			{name: "the private key of an app", wrong: "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA\n-----END", tells: "line break"},
			{name: "the private key of an app in one line", wrong: "-----BEGIN RSA PRIVATE KEY----- MIIEowIBAAKCAQEA -----END", tells: another},
		}},
		{"shopify", func(s ...string) { shopify.Must(s...) }, "shpss_", []refusal{
			{name: "an access token", wrong: "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", tells: another},
		}},
		{"slack", func(s ...string) { slack.Must(s...) }, "", []refusal{
			{name: "a bot token", wrong: "xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOcHrzqqgy", tells: another},
		}},
		{"stripe", func(s ...string) { stripe.Must(s...) }, "whsec_", []refusal{
			{name: "15 bytes", wrong: "whsec_Hx2v9QmT4", right: "whsec_Hx2v9QmT4k", tells: "at least 16"},
			{name: "the example of the documentation", wrong: "whsec_...", tells: placeholder},
			{name: "crossed out", wrong: "whsec_xxxxxxxxxxxxxxxxxxxxxxxx", tells: placeholder},
			{name: "crossed out in upper case", wrong: "whsec_XXXXXXXXXXXXXXXXXXXXXXXX", tells: placeholder},
			{name: "starred out", wrong: "whsec_************************", tells: placeholder},
			{name: "something to be replaced", wrong: "whsec_replace_me_please_now", tells: placeholder},
			{name: "a secret key", wrong: "sk_live_51Hx2v9QmT4kLr8ZpWc3NdYb6s", tells: another},
			{name: "a restricted key", wrong: "rk_live_51Hx2v9QmT4kLr8ZpWc3NdYb6s", tells: another},
			{name: "a publishable key", wrong: "pk_live_51Hx2v9QmT4kLr8ZpWc3NdYb6s", tells: another},
			{name: "the id of the endpoint", wrong: "we_1TBQ8xLkdIwHu7ixY3mPzv4c", tells: another},
			{name: "the id of the account", wrong: "acct_1TBQ8xLkdIwHu7ixY3mPzv", tells: another},
		}},
	} {
		var secrets []string
		for i := range 5 {
			secrets = append(secrets, fmt.Sprintf("%s%d%s", p.prefix, i, secret))
		}
		check := func(name string, wrong, right []string, tells string) {
			t.Run(p.name+" "+name, func(t *testing.T) {
				text := panics(t, func() { p.must(wrong...) })
				if !strings.HasPrefix(text, p.name+".Must: ") || !strings.Contains(text, tells) {
					t.Errorf("panics with %q, want it to say %q", text, tells)
				}
				for _, s := range wrong {
					if s != "" && strings.Contains(text, s) {
						t.Errorf("the panic holds a secret: %q", text)
					}
				}
				p.must(right...)
			})
		}
		check("no secret", nil, secrets[:1], "variable")
		check("an empty secret", []string{""}, secrets[:1], "variable")
		check("five secrets", secrets, secrets[:4], "at most 4")
		for _, r := range p.refusals {
			right := secrets[:1]
			if r.right != "" {
				right = []string{r.right}
			}
			check(r.name, []string{r.wrong}, right, r.tells)
		}
		if _, ok := catalog.Lookup(p.name); !ok {
			t.Errorf("the catalogue has no %s", p.name)
		}
	}
}
