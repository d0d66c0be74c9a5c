package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/sender"
	"github.com/hooknotary/hooknotary/providers/providertest/signer"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/diagnose"
)

// secretFor returns a secret as the provider shows it.
func secretFor(d *scheme.Definition, about verify.About) string {
	text := "Hx2v9QmT4kLr8ZpWc3NdYb6sJf7gKe1A"
	switch d.Secret.Encoding {
	case scheme.Base64Secret:
		return d.Secret.Prefix + base64.StdEncoding.EncodeToString([]byte(text))
	case scheme.HexSecret:
		return d.Secret.Prefix + hex.EncodeToString([]byte(text))
	}
	if d.Secret.Prefix != "" {
		return d.Secret.Prefix + text
	}
	return about.SecretPrefix + text
}

// keyPair returns a private key that signs as d says, and its public one.
func keyPair(t *testing.T, d *scheme.Definition) (private, public string) {
	t.Helper()
	private, err := signer.NewPrivate(d.Signatures[0].Algorithm)
	if err != nil {
		t.Fatal(err)
	}
	if public, err = signer.Public(private); err != nil {
		t.Fatal(err)
	}
	return private, public
}

// eventOf returns a body that a provider could send.
func eventOf(d *scheme.Definition) string {
	member := d.ID.Member
	if member == "" {
		member = "text"
	}
	body := fmt.Sprintf(`%s{"%s":"%s1PqX2"}`, d.BodyPrefix, member, d.ID.Prefix)
	if name := d.Timestamp.Member; name != "" {
		n := arrival.Unix()
		if d.Timestamp.Unit == scheme.Milliseconds {
			n = arrival.UnixMilli()
		}
		body = fmt.Sprintf(`%s,%q:%d}`, strings.TrimSuffix(body, "}"), name, n)
	}
	return body
}

// TestTokens: what carries a token alone is judged by those who know what that means.
func TestTokens(t *testing.T) {
	n := 0
	for _, p := range sender.All() {
		if p.Token == nil {
			continue
		}
		n++
		t.Run(p.Name, func(t *testing.T) {
			file := "../../providers/" + p.Name + "/testdata/event.http"
			text := "5d1f0c6a9b3e47d28c50f1ae6b7d9243" // that of the file
			if p.Token.Basic {
				text = "hooks:" + text
			}
			s := setup{env: map[string]string{"TOKEN": text, "OTHER": text + "x"}}
			known := "--insecure-body-not-covered"
			hooknotary(t, s, "verify", "--provider", p.Name, "--secret-env", "TOKEN", known, file).want(t, 0, "accept")
			hooknotary(t, s, "verify", "--provider", p.Name, "--secret-env", "OTHER", known, file).want(t, 1, "mismatch")
			hooknotary(t, s, "verify", "--provider", p.Name, "--secret-env", "TOKEN", file).want(t, 2, "does not cover the body", known)
			hooknotary(t, s, "explain", "--provider", p.Name, file).want(t, 0, "no time is signed", "(a credential, which is not shown)", "!"+text, "!Basic ")
			hooknotary(t, s, "sign", "--provider", p.Name, "--secret-env", "TOKEN", known, write(t, "event.json", "{}")).want(t, 2, "it signs nothing")
		})
	}
	if n < 5 {
		t.Errorf("found %d providers with a token: does the test still look at anything?", n)
	}
}

func TestCatalogue(t *testing.T) {
	// Each provider that is data is signed for, verified,
	// diagnosed and explained, and nothing here knows its name.
	t.Run("every provider of the catalogue is one of the command line", func(t *testing.T) {
		n := 0
		for _, p := range sender.All() {
			if p.Definition == nil {
				continue
			}
			n++
			t.Run(p.Name, func(t *testing.T) {
				s := setup{env: map[string]string{"SECRET": secretFor(p.Definition, p.About), "OTHER": "Zq" + secretFor(p.Definition, verify.About{})}}
				switch form := p.Definition.Secret; {
				case form.Encoding == scheme.Base64Secret:
					s.env["OTHER"] = form.Prefix + base64.StdEncoding.EncodeToString([]byte("another secret of 32 bytes, or so"))
				case form.Encoding == scheme.HexSecret:
					s.env["OTHER"] = form.Prefix + hex.EncodeToString([]byte("another secret of 32 bytes, or so"))
				case form.Prefix != "":
					s.env["OTHER"] = form.Prefix + "Zq2v9QmT4kLr8ZpWc3NdYb6sJf7gKe1A"
				}
				named := []string{"--provider", p.Name}
				if p.SignsURL {
					hooknotary(t, s, "verify", "--provider", p.Name, "--secret-env", "SECRET", "event.http").want(t, 2, "--url is missing")
					named = append(named, "--url", "https://shop.example/hooks?shop=7")
				} else {
					hooknotary(t, s, "verify", "--provider", p.Name, "--secret-env", "SECRET", "--url", "https://shop.example/", "event.http").want(t, 2, "--url is not for "+p.Name)
				}
				with := func(secret string) []string { return append(named[:len(named):len(named)], "--secret-env", secret) }
				endpoint := with("SECRET")
				signing := endpoint
				if p.Private() {
					signing = with("PRIVATE")
					s.env["PRIVATE"], s.env["SECRET"] = keyPair(t, p.Definition)
					_, s.env["OTHER"] = keyPair(t, p.Definition)
				}
				other := with("OTHER")
				body := write(t, "event.json", eventOf(p.Definition))
				signed := hooknotary(t, s, append(append([]string{"sign"}, signing...), body)...)
				signed.want(t, 0, "# expect: accept")
				file := write(t, "signed.http", signed.out)
				hooknotary(t, s, append(append([]string{"verify"}, endpoint...), file)...).want(t, 0, "accept")
				hooknotary(t, s, append(append([]string{"verify"}, other...), file)...).want(t, 1, "mismatch", "secret.wrong")
				hooknotary(t, s, append(append([]string{"verify", "--other-secret-env", "SECRET"}, other...), file)...).want(t, 1, "proved: secret.other")

				explained := hooknotary(t, s, append(append([]string{"explain"}, named...), file)...)
				explained.want(t, 0, p.About.Signed, "!missing", "!cannot be read")
				for _, what := range p.About.NotCovered {
					explained.want(t, 0, what)
				}
				if p.Timed() {
					explained.want(t, 0, "0s before it was received: inside the window")
					hooknotary(t, s, append(append([]string{"verify", "--tolerance", "1s"}, endpoint...), file)...).want(t, 0)
				} else {
					explained.want(t, 0, "no time is signed")
					hooknotary(t, s, append(append([]string{"verify", "--tolerance", "1s"}, endpoint...), file)...).want(t, 2, "--tolerance is not for "+p.Name)
				}
				hooknotary(t, s, "--help").want(t, 0)
				hooknotary(t, s, "providers").want(t, 0, p.Name)
				for _, c := range p.About.Credentials {
					if c.Secret && c.Length == 0 {
						hooknotary(t, s, "verify", c.Prefix+"4eC39HqLyjWDarjtT1zdp7dc").want(t, 2, "argument 2 looks like a secret", "!4eC39")
					}
				}
			})
		}
		if n < 2 {
			t.Fatalf("there are %d providers that are data: does the test still look at anything?", n)
		}
	})

	// What no provider of the catalogue needs yet works, too: a time in
	// milliseconds, a signed id in a header, an unsigned type.
	t.Run("a provider that is data needs nothing else", func(t *testing.T) {
		base := scheme.Definition{
			Provider:   "acme",
			Signatures: []scheme.Signature{{Header: "Acme-Signature", Encoding: scheme.Base64, Algorithm: scheme.HMACSHA512}},
			Message:    []scheme.Part{scheme.Body()},
			MaxBody:    1 << 20,
			Retry:      verify.RetryIdentical,
		}
		timed := base
		timed.Timestamp = scheme.Timestamp{Header: "Acme-Time", Unit: scheme.Milliseconds}
		timed.ID = scheme.ID{Header: "Acme-Id"}
		timed.Message = []scheme.Part{scheme.Field("Acme-Id"), scheme.Literal("."), scheme.SignedTime(), scheme.Literal("."), scheme.Body()}
		timed.Retry = verify.RetryResigned
		typed := base
		typed.UnsignedID, typed.UnsignedType = "Acme-Delivery", "Acme-Event"
		located := base
		located.Message = []scheme.Part{scheme.URL(), scheme.Body()}
		for _, c := range []struct {
			name  string
			d     scheme.Definition
			url   string
			check func(t *testing.T, p *sender.Sender, first, second http.Header, d *verify.Delivery)
		}{
			{"the URL of the endpoint, which is configuration", located, "https://shop.example/hooks?shop=7", func(t *testing.T, p *sender.Sender, _, _ http.Header, _ *verify.Delivery) {
				if !slices.Contains(p.Words, "url") {
					t.Errorf("the flags are %q", p.Words)
				}
			}},
			{"the body alone", base, "", func(t *testing.T, p *sender.Sender, _, _ http.Header, d *verify.Delivery) {
				if !p.SignsNoID() || p.Timed() || d.ID != "" {
					t.Errorf("an id (%q) or a time is signed", d.ID)
				}
			}},
			{"a time in milliseconds, and an id that stays when a retry is signed anew", timed, "", func(t *testing.T, p *sender.Sender, first, second http.Header, d *verify.Delivery) {
				if p.SignsNoID() || !p.Timed() || d.ID == "" || first.Get("Acme-Id") != second.Get("Acme-Id") || first.Get("Acme-Time") == second.Get("Acme-Time") {
					t.Errorf("the attempts are %v and %v", first, second)
				}
				v, err := p.VerifierOf(&sender.Settings{}, p.Probe(&sender.Settings{}))
				if err != nil {
					t.Fatal(err)
				}
				at, err := p.SignedAt(v.(diagnose.Scheme), &verify.Head{Header: first}, nil)
				if err != nil || !at.Equal(arrival) {
					t.Errorf("the signed time is %v (%v), want %v", at, err, arrival)
				}
				if at, err := p.SignedAt(v.(diagnose.Scheme), &verify.Head{Header: http.Header{}}, nil); err == nil {
					t.Errorf("a head without a time has %v", at)
				}
			}},
			{"an unsigned type, and an unsigned id that stays", typed, "", func(t *testing.T, _ *sender.Sender, first, second http.Header, d *verify.Delivery) {
				if d.Unsigned.Type != "order/created" || d.Unsigned.ID == "" || first.Get("Acme-Delivery") != second.Get("Acme-Delivery") {
					t.Errorf("unsigned are %+v", d.Unsigned)
				}
			}},
		} {
			t.Run(c.name, func(t *testing.T) {
				p, err := sender.FromDefinition(c.d)
				if err != nil {
					t.Fatal(err)
				}
				if p.SignsURL != (c.url != "") {
					t.Errorf("it signs the URL: %v", p.SignsURL)
				}
				d := &sender.Draft{At: arrival, Event: "order/created", Body: []byte(`{"a":1}`), URL: c.url, Secret: secretFor(&c.d, p.About)}
				first, err := p.Sign(d)
				if err != nil {
					t.Fatal(err)
				}
				d.At = arrival.Add(1e9)
				second, err := p.Sign(d)
				if err != nil {
					t.Fatal(err)
				}
				v, err := p.VerifierOf(&sender.Settings{URL: c.url}, sender.Secret{Label: "secret", Text: d.Secret})
				if err != nil {
					t.Fatal(err)
				}
				delivery, err := verify.Verify(t.Context(), v, &verify.Head{Header: first, ReceivedAt: arrival}, d.Body)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := verify.Verify(t.Context(), v, &verify.Head{Header: first, ReceivedAt: arrival}, []byte(`{"a":2}`)); err == nil {
					t.Error("another body verifies")
				}
				c.check(t, p, first, second, delivery)
			})
		}
	})
}

func TestSecretArgument(t *testing.T) {
	for _, c := range []struct {
		name, argument string
		secret         bool
	}{
		{"a signing secret", "whsec_x", true},
		{"a signing secret behind a flag", "--secret-file=whsec_x", true},
		{"a key of live mode, cut short", "sk_live_x", true},
		{"a key without a mode", "sk_4eC39HqLyjWDarjt", true},
		{"a token", "ghp_x", true},
		{"a fine-grained token", "github_pat_x", true},
		{"a token of a bot", "xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOcHrzqqgy", true},
		{"a token that is rotated", "xoxe.xoxp-1-Mi0yLTE3NjUzNjcyNDgx", true},
		{"a token of a bot that is rotated", "xoxe.xoxb-1-Mi0yLTE3NjUzNjcyNDgx", true},
		{"what a token is rotated with", "xoxe-1-My0xLTE3NjUzNjcyNDgx", true},
		{"a client secret with a prefix", "--secret-env=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", true},
		{"a token in parts", "access_token$production$wn3xbhk2z5t8q9$0a1b2c3d4e5f60718293a4b5c6d7e8f9", true},
		{"a private key", "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA0Z3V\n-----END RSA PRIVATE KEY-----\n", true},
		{"a private key behind a flag", "--secret-file=-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw", true},
		{"a client secret of 80 characters", "E" + strings.Repeat("a", 79), true},
		{"a word of 80 characters that begins otherwise", "F" + strings.Repeat("a", 79), false},
		{"a file whose name begins as a key does", "sk_body", false},
		{"a file with an ending", "sk_live_events.json", false},
		{"the id of an endpoint", "we_1PqX2", false},
		{"a capture", "push.http", false},
		{"the name of a variable", "STRIPE_SECRET", false},
	} {
		if got := sender.HasSecretForm(c.argument); got != c.secret {
			t.Errorf("%s: %q is a secret: %v, want %v", c.name, c.argument, got, c.secret)
		}
	}
}

// TestPrivateKeyArgument: a private key that is pasted onto the command line is not repeated,
// and a public one is no secret.
func TestPrivateKeyArgument(t *testing.T) {
	private := make(map[string]crypto.Signer)
	var errs [4]error
	_, private["Ed25519"], errs[0] = ed25519.GenerateKey(rand.Reader)
	private["ECDSA"], errs[1] = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	private["RSA, 2048 bits"], errs[2] = rsa.GenerateKey(rand.Reader, 2048)
	private["RSA, 3072 bits"], errs[3] = rsa.GenerateKey(rand.Reader, 3072)
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	for name, key := range private {
		t.Run(name, func(t *testing.T) {
			secret, err := x509.MarshalPKCS8PrivateKey(key)
			if err != nil {
				t.Fatal(err)
			}
			public, err := x509.MarshalPKIXPublicKey(key.Public())
			if err != nil {
				t.Fatal(err)
			}
			text := base64.StdEncoding.EncodeToString(secret)
			for _, argument := range []string{text, "--secret-file=" + text} {
				hooknotary(t, setup{}, "explain", "--provider", "discord", argument).want(t, 2, "argument 4 looks like a secret", "!"+text[20:])
			}
			if text := base64.StdEncoding.EncodeToString(public); sender.HasSecretForm(text) {
				t.Errorf("the public key %s counts as a secret", text)
			}
		})
	}
}

// TestImports: the signers that the command shares with tests bring no package testing,
// whose flags would stand in every process.
func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	deps := strings.Fields(string(out))
	if !slices.Contains(deps, "github.com/hooknotary/hooknotary/providers/providertest/signer") {
		t.Fatalf("the signer is not among %d packages: does the test still look at anything?", len(deps))
	}
	if slices.Contains(deps, "testing") {
		t.Error("the command imports testing")
	}
}
