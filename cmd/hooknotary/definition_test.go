package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/providers/scheme/schemejson"
)

// listing is what providers --json prints of each provider.
type listing struct {
	Name       string          `json:"name"`
	Kind       string          `json:"kind"`
	NotCovered []string        `json:"not_covered"`
	Sources    []string        `json:"sources"`
	Definition json.RawMessage `json:"definition"`
}

// TestDefinition hands each definition that the command line prints back to it.
func TestDefinition(t *testing.T) {
	var all []listing
	if err := json.Unmarshal([]byte(hooknotary(t, setup{}, "providers", "--json").out), &all); err != nil {
		t.Fatal(err)
	}
	kinds := make(map[string]int)
	for _, l := range all {
		kinds[l.Kind]++
		t.Run(l.Name, func(t *testing.T) {
			if len(l.NotCovered) == 0 || len(l.Sources) == 0 {
				t.Error("it does not say what is not covered, or where that is documented")
			}
			file := write(t, "definition.json", string(l.Definition))
			if l.Kind != schemejson.Data {
				hooknotary(t, setup{env: map[string]string{"SECRET": "Hx2v9QmT4kLr8ZpWc3NdYb6sJf7gKe1A"}}, "verify", "--definition", file, "--secret-env", "SECRET", file).
					want(t, 2, "no definition", "--provider")
				return
			}
			p, err := findProvider(l.Name)
			if err != nil {
				t.Fatal(err)
			}
			s := setup{env: map[string]string{"SECRET": secretFor(p.Definition, p.About)}}
			named, defined := []string{"--provider", l.Name, "--secret-env", "SECRET"}, []string{"--definition", file, "--secret-env", "SECRET"}
			if p.SignsURL {
				const url = "https://shop.example/hooks"
				named, defined = append(named, "--url", url), append(defined, "--url", url)
			}
			signing := defined
			if p.Private() {
				s.env["PRIVATE"], s.env["SECRET"] = keyPair(t, p.Definition)
				signing = slices.Clone(defined)
				signing[slices.Index(signing, "SECRET")] = "PRIVATE"
			}
			run := func(command string, endpoint []string, file string) outcome {
				return hooknotary(t, s, append(append([]string{command}, endpoint...), file)...)
			}
			body := write(t, "event.json", eventOf(p.Definition))
			signed := run("sign", signing, body)
			signed.want(t, 0, "# expect: accept")
			capture := write(t, "signed.http", signed.out)
			forged := write(t, "forged.http", strings.Replace(signed.out, "1PqX2", "1PqX3", 1))
			for _, file := range []string{capture, forged} {
				want := run("verify", named, file)
				if got := run("verify", defined, file); got.code != want.code || got.out != want.out {
					t.Errorf("with its definition: %d\n%s\nwith its name: %d\n%s", got.code, got.out, want.code, want.out)
				}
			}
			run("verify", named, capture).want(t, 0, "accept")
			run("verify", defined, forged).want(t, 1, "mismatch")
			if got, want := run("explain", defined, capture).out, run("explain", named, capture).out; got != want && l.Name != "stripe" && l.Name != "github" {
				t.Errorf("it is explained as\n%s\nwant\n%s", got, want)
			}
		})
	}
	for _, kind := range []string{schemejson.Data, schemejson.Code, schemejson.Token} {
		if kinds[kind] == 0 {
			t.Errorf("no provider is of the kind %s: does the test still look at anything?", kind)
		}
	}
}

func TestDefinitionFlag(t *testing.T) {
	const definition = `{
  "version": 1, "kind": "data", "provider": "acme",
  "signatures": [{"header": "Acme-Signature", "prefix": "v1=", "encoding": "base64url", "algorithm": "hmac-sha512"}],
  "message": [{"part": "body"}, {"part": "signed_time"}],
  "timestamp": {"header": "Acme-Time", "unit": "rfc3339", "past": "10m", "future": "1m"},
  "secret": {"encoding": "text", "prefix": "acme_", "prefix_required": true}, "max_body": 65536, "retry": "never",
  "about": {"title": "Acme", "not_covered": ["the topic"]}
}`
	s := setup{env: map[string]string{"SECRET": "acme_Hx2v9QmT4kLr8ZpWc3NdYb6sJf7gKe1A", "SHORT": "acme_k7"}}
	file, body := write(t, "acme.json", definition), write(t, "event.json", `{"a":1}`)
	signed := hooknotary(t, s, "sign", "--definition", file, "--secret-env", "SECRET", "--at", "2026-03-01T09:30:12Z", body)
	signed.want(t, 0, "Acme-Time: 2026-03-01T09:30:12Z", "Acme-Signature: v1=")
	capture := write(t, "signed.http", signed.out)
	hooknotary(t, s, "verify", "--definition", file, "--secret-env", "SECRET", capture).want(t, 0, "accept")
	hooknotary(t, s, "verify", "--definition", file, "--secret-env", "SECRET", "--at", "2026-03-01T09:40:13Z", capture).want(t, 1, "too_old")
	hooknotary(t, s, "verify", "--definition", file, "--secret-env", "SECRET", "--at", "2026-03-01T09:40:12Z", capture).want(t, 0)
	hooknotary(t, s, "explain", "--definition", file, capture).want(t, 0, "the topic", "0s before it was received", "10m before to 1m after")
	for _, tt := range []struct {
		name string
		args []string
		says string
	}{
		{"a provider, too", []string{"--definition", file, "--provider", "stripe", "--secret-env", "SECRET"}, "want one of them"},
		{"no such file", []string{"--definition", "nowhere.json", "--secret-env", "SECRET"}, "nowhere.json"},
		{"a file that is none", []string{"--definition", body, "--secret-env", "SECRET"}, `no member "a"`},
		{"a file that is too large", []string{"--definition", write(t, "large.json", strings.Repeat(" ", schemejson.MaxSize)+definition), "--secret-env", "SECRET"}, "65536"},
		{"a definition with a default that there is not", []string{"--definition", write(t, "d.json", strings.Replace(definition, `"encoding": "base64url", `, "", 1)), "--secret-env", "SECRET"}, "encoding is missing"},
		{"a definition that splits in two ways", []string{"--definition", write(t, "d.json", strings.Replace(definition, `{"part": "body"}, `, `{"part": "field", "header": "X"}, {"part": "body"}, `, 1)), "--secret-env", "SECRET"}, "more than one way"},
		{"a weakness that is no member", []string{"--definition", write(t, "d.json", strings.Replace(definition, `"version"`, `"insecure_allow_short_secret": true, "version"`, 1)), "--secret-env", "SHORT"}, "no member"},
		{"a flag of another provider", []string{"--definition", file, "--secret-env", "SECRET", "--sandbox"}, "--sandbox is not for acme"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			hooknotary(t, s, append(append([]string{"verify"}, tt.args...), capture)...).want(t, 2, tt.says)
		})
	}
	// What weakens a check is a flag.
	hooknotary(t, s, "verify", "--definition", file, "--secret-env", "SHORT", capture).want(t, 1, "no_key")
	hooknotary(t, s, "verify", "--definition", file, "--secret-env", "SHORT", "--insecure-allow-short-secret", capture).want(t, 1, "mismatch")
}

// TestDefinitionFromStrangers looks for what a terminal might act on.
func TestDefinitionFromStrangers(t *testing.T) {
	const definition = `{
  "version": 1, "kind": "data", "provider": "acme",
  "signatures": [{"header": "Acme-Signature", "encoding": "hex", "algorithm": "hmac-sha256"}],
  "message": [{"part": "literal", "text": "\u001b[2J"}, {"part": "body"}],
  "secret": {"encoding": "text"}, "max_body": 65536, "retry": "never",
  "about": {
    "title": "\u001b[2J", "signed": "\u001b[2J", "not_covered": ["\u001b[2J"], "handshakes": ["\u001b[2J"],
    "headers": [{"name": "Acme-Signature", "use": "\u001b[2J"}]
  }
}`
	s := setup{env: map[string]string{"SECRET": "Hx2v9QmT4kLr8ZpWc3NdYb6sJf7gKe1A"}}
	file, body := write(t, "acme.json", definition), write(t, "event.json", `{"a":1}`)
	signed := hooknotary(t, s, "sign", "--definition", file, "--secret-env", "SECRET", body)
	signed.want(t, 0, "!\x1b")
	capture := write(t, "signed.http", signed.out)
	hooknotary(t, s, "explain", "--definition", file, capture).want(t, 0, "Handshakes", "!\x1b")
	forged := write(t, "forged.http", strings.Replace(signed.out, `{"a":1}`, `{"a":2}`, 1))
	hooknotary(t, s, "verify", "--definition", file, "--secret-env", "SECRET", forged).want(t, 1, "mismatch", "!\x1b")
}
