package main

import (
	"encoding/base64"
	"encoding/hex"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/providers/github/githubtest"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify/capture"
)

// forms returns a secret in the forms in which it would be one still.
func forms(secret string) []string {
	trimmed := strings.TrimPrefix(secret, "whsec_")
	return []string{
		secret, trimmed, hex.EncodeToString([]byte(secret)),
		base64.StdEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte(secret)),
	}
}

func TestSecrecy(t *testing.T) {
	// Runs every command over every kind of
	// failure.
	t.Run("no output holds a secret or an expected signature", func(t *testing.T) {
		captures := []*capture.Capture{
			invoice(), edited(invoice(), forge), edited(invoice(), func(c *capture.Capture) { c.Header.Del("Stripe-Signature") }),
			edited(invoice(), func(c *capture.Capture) { c.Header.Set("Stripe-Signature", "t=1,v1=00") }),
			edited(invoice(), func(c *capture.Capture) { c.Body = append(c.Body, '\n') }),
			push(), edited(push(), forge), edited(push(), func(c *capture.Capture) { c.Header.Set("Content-Type", "text/plain") }),
		}
		var files, hidden []string
		for i, c := range captures {
			files = append(files, save(t, string(rune('a'+i))+".http", c))
			if i == 0 || i == 5 {
				continue // the expected signature is the one that was received
			}
			for _, secret := range []string{stripeSecret, otherSecret, githubSecret} {
				_, v1, _ := strings.Cut(stripetest.Header(arrival, c.Body, secret).Get("Stripe-Signature"), "v1=")
				sha256 := githubtest.Header("push", c.Body, secret).Get("X-Hub-Signature-256")
				hidden = append(hidden, v1, strings.TrimPrefix(sha256, "sha256="))
			}
		}
		s := secrets()
		s.stdin = stripeSecret + "\n"
		for _, secret := range s.env {
			if len(secret) > 8 {
				hidden = append(hidden, forms(strings.Trim(secret, " \n\""))...)
			}
		}
		for _, genuine := range []int{0, 5} { // genuine ones may be shown, but not complete
			for _, name := range []string{"Stripe-Signature", "X-Hub-Signature-256", "X-Hub-Signature"} {
				if v := captures[genuine].Header.Get(name); v != "" {
					hidden = append(hidden, v[strings.LastIndex(v, "=")+1:])
				}
			}
		}
		server := httptest.NewServer(nil)
		defer server.Close()
		secretFile := write(t, "secret", githubSecret+"\n")
		variables := []string{"STRIPE_SECRET", "OTHER_SECRET", "GITHUB_SECRET", "PADDED", "NEWLINE", "QUOTED", "API_KEY", "SHORT", "EMPTY", "NO_SUCH_VARIABLE"}
		runs := 0
		check := func(args ...string) {
			t.Helper()
			runs++
			got := hooknotary(t, s, args...)
			for _, text := range hidden {
				if strings.Contains(got.out+got.err, text) {
					t.Errorf("%q prints %q:\n%s%s", args, text, got.out, got.err)
				}
			}
		}
		for _, provider := range []string{"stripe", "github", "paypal", "nobody"} {
			var sources [][]string
			for _, variable := range variables {
				sources = append(sources, []string{"--secret-env", variable})
			}
			sources = append(sources, []string{"--secret-file", secretFile}, []string{"--secret-stdin"},
				[]string{"--secret-env", "OTHER_SECRET", "--secret-env", "STRIPE_SECRET"},
				[]string{"--secret-env", "SHORT", "--other-secret-env", "STRIPE_SECRET", "--other-mode-secret-env", "GITHUB_SECRET"})
			for _, source := range sources {
				args := append([]string{"--provider", provider}, source...)
				for _, file := range append(files, secretFile, filepath.Join(t.TempDir(), "missing")) {
					check(append(append([]string{"verify"}, args...), file)...)
					check(append(append([]string{"verify", "--json"}, args...), file)...)
					check(append(append([]string{"explain"}, args...), file)...)
					check(append(append([]string{"explain", "--body"}, args...), file)...)
				}
				check(append(append([]string{"sign", "--to", server.URL}, args...), files[0])...)
				check(append(append([]string{"sign", "--to", "http://192.0.2.1/"}, args...), files[0])...)
				check(append(append([]string{"sign", "--out", filepath.Join(t.TempDir(), "x", "y")}, args...), files[0])...)
			}
		}
		check("providers")
		check("--help")
		if runs < 1000 {
			t.Errorf("only %d command lines were tried", runs)
		}
	})

	t.Run("a secret on the command line is refused and not repeated", func(t *testing.T) {
		file := save(t, "invoice.http", invoice())
		token := "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
		for _, args := range [][]string{
			{"verify", "--provider", "stripe", "--secret-env", stripeSecret, file},
			{"verify", "--provider", "stripe", "--secret-env=" + stripeSecret, file},
			{"verify", "--provider", "stripe", "--secret", stripeSecret, file},
			{"verify", "--provider", "stripe", "--secret=" + stripeSecret, file},
			{"verify", "--provider", "stripe", "-s" + stripeSecret, file},
			{"verify", "--provider", "stripe", "--secret-file", stripeSecret, file},
			{"verify", "--provider", "stripe", "--secret-env", "sk_live_4eC39HqLyjWDarjtT1zdp7dc", file},
			{"verify", "--provider", "github", "--secret-env", token, file},
			{"verify", "--provider", "github", "--secret-env", githubSecret, file},
			{"verify", "--provider", "github", "--secret-env", "16c7e42f292c6912e7710c838347ae178b4a", file},
			{"verify", "--provider", "github", "--secret-env", "aVariableThatIsNotSetOrASecret4711", file},
			{"verify", "--provider", "github", "--other-secret-env", "aVariableThatIsNotSetOrASecret4711", "--secret-env", "GITHUB_SECRET", file},
			{"verify", "--provider", "stripe", "--secret-env", "STRIPE_SECRET", stripeSecret},
			{"explain", "--provider", "stripe", stripeSecret},
			{"sign", "--provider", "stripe", "--secret-env", stripeSecret, file},
			{"store", "stats", "--redis-env", "redis://:hunter4711@127.0.0.1:1"},
			{"store", "stats", "--postgres-file", "postgres://shop:hunter4711@127.0.0.1/shop"},
			{"store", "stats", "--postgres-file=host=127.0.0.1 password=hunter4711"},
			{"store", "stats", "--sqlite=rediss://:hunter4711@127.0.0.1:1"},
			{"store", "stats", "hunter4711"},
			{"serve", "--store", "redis://:hunter4711@127.0.0.1:1"},
			{stripeSecret},
			{"providers", stripeSecret},
		} {
			s := secrets()
			s.env[stripeSecret] = stripeSecret // a variable of that name would not help
			got := hooknotary(t, s, args...)
			got.want(t, 2, "!"+stripeSecret, "!4eC39HqLyjWDarjtT1zdp7dc", "!"+token, "!"+githubSecret, "!16c7e42f", "!4711")
		}
		// The twin of them all.
		hooknotary(t, secrets(), "verify", "--provider", "stripe", "--secret-env", "STRIPE_SECRET", file).want(t, 0)
	})

	t.Run("no flag takes a secret", func(t *testing.T) {
		flag := regexp.MustCompile(`--([a-z0-9-]+)`)
		flags := 0
		for _, c := range allCommands((&program{}).root()) {
			for line := range strings.Lines(c.Flags().FlagUsages()) {
				name := flag.FindStringSubmatch(line)[1]
				flags++
				ok := !strings.Contains(name, "secret") && !strings.Contains(name, "password") && !strings.Contains(name, "token") || strings.HasPrefix(name, "insecure-")
				for _, suffix := range []string{"-env", "-file", "-stdin"} {
					ok = ok || strings.HasSuffix(name, suffix)
				}
				if !ok {
					t.Errorf("--%s seems to take a secret", name)
				}
			}
		}
		if flags < 30 {
			t.Errorf("only %d flags were seen", flags)
		}
	})
}
