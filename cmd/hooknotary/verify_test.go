package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/github/githubtest"
	"github.com/hooknotary/hooknotary/verify/capture"
)

func TestVerify(t *testing.T) {
	t.Run("a capture is judged", func(t *testing.T) {
		for _, tt := range []struct {
			name    string
			capture *capture.Capture
			args    []string
			code    int
			reason  string
		}{
			{"a genuine delivery of Stripe", invoice(), []string{"--provider", "stripe", "--secret-env", "STRIPE_SECRET"}, 0, ""},
			{"one with another body", edited(invoice(), forge), []string{"--provider", "stripe", "--secret-env", "STRIPE_SECRET"}, 1, "mismatch"},
			{"one under another secret", invoice(), []string{"--provider", "stripe", "--secret-env", "OTHER_SECRET"}, 1, "mismatch"},
			{"one under the second secret", invoice(), []string{"--provider", "stripe", "--secret-env", "OTHER_SECRET", "--secret-env", "STRIPE_SECRET"}, 0, ""},
			{"one without a signature", edited(invoice(), func(c *capture.Capture) { c.Header.Del("Stripe-Signature") }), []string{"--provider", "stripe", "--secret-env", "STRIPE_SECRET"}, 1, "unsigned"},
			{"one that is a GET", edited(invoice(), func(c *capture.Capture) { c.Method = http.MethodGet }), []string{"--provider", "stripe", "--secret-env", "STRIPE_SECRET"}, 1, "method"},
			{"one that is a form", edited(invoice(), func(c *capture.Capture) { c.Header.Set("Content-Type", "text/plain") }), []string{"--provider", "stripe", "--secret-env", "STRIPE_SECRET"}, 1, "media_type"},
			{"one that is compressed", edited(invoice(), func(c *capture.Capture) { c.Header.Set("Content-Encoding", "gzip") }), []string{"--provider", "stripe", "--secret-env", "STRIPE_SECRET"}, 1, "media_type"},
			{"one that is too large", edited(invoice(), func(c *capture.Capture) { c.Body = make([]byte, 1<<20+1) }), []string{"--provider", "stripe", "--secret-env", "STRIPE_SECRET"}, 1, "too_large"},
			{"one at the end of its window", invoice(), []string{"--provider", "stripe", "--secret-env", "STRIPE_SECRET", "--at", "2026-03-01T09:35:12Z"}, 0, ""},
			{"one behind its window", invoice(), []string{"--provider", "stripe", "--secret-env", "STRIPE_SECRET", "--at", "2026-03-01T09:35:12.001Z"}, 1, "too_old"},
			{"one in front of its window", invoice(), []string{"--provider", "stripe", "--secret-env", "STRIPE_SECRET", "--at", "2026-03-01T10:20:00+01:00"}, 1, "too_new"},
			{"one behind a narrower window", invoice(), []string{"--provider", "stripe", "--secret-env", "STRIPE_SECRET", "--tolerance", "10s", "--at", "2026-03-01T09:30:23Z"}, 1, "too_old"},
			{"one inside a narrower window", invoice(), []string{"--provider", "stripe", "--secret-env", "STRIPE_SECRET", "--tolerance", "10s", "--at", "2026-03-01T09:30:22Z"}, 0, ""},
			{"one without a receive time, a day later", edited(invoice(), func(c *capture.Capture) { c.ReceivedAt = time.Time{} }), []string{"--provider", "stripe", "--secret-env", "STRIPE_SECRET"}, 1, "too_old"},
			{"a genuine delivery of GitHub", push(), []string{"--provider", "github", "--secret-env", "GITHUB_SECRET"}, 0, ""},
			{"one under another secret", push(), []string{"--provider", "github", "--secret-env", "OTHER_SECRET"}, 1, "mismatch"},
			{"one with SHA-1 alone", edited(push(), func(c *capture.Capture) { c.Header.Del("X-Hub-Signature-256") }), []string{"--provider", "github", "--secret-env", "GITHUB_SECRET"}, 1, "unsigned"},
			{"one with SHA-1 alone where that is allowed", edited(push(), func(c *capture.Capture) { c.Header.Del("X-Hub-Signature-256") }), []string{"--provider", "github", "--secret-env", "GITHUB_SECRET", "--insecure-allow-sha1"}, 0, ""},
			{"JSON where a form is due", push(), []string{"--provider", "github", "--secret-env", "GITHUB_SECRET", "--form"}, 1, "media_type"},
			{"a delivery of another provider", invoice(), []string{"--provider", "github", "--secret-env", "STRIPE_SECRET"}, 1, "unsigned"},
			{"a secret with white space", invoice(), []string{"--provider", "stripe", "--secret-env", "PADDED"}, 1, "no_key"},
			{"a secret with a line end in its variable", invoice(), []string{"--provider", "stripe", "--secret-env", "NEWLINE"}, 1, "no_key"},
			{"a secret in quotes", invoice(), []string{"--provider", "stripe", "--secret-env", "QUOTED"}, 1, "no_key"},
			{"an API key", invoice(), []string{"--provider", "stripe", "--secret-env", "API_KEY"}, 1, "no_key"},
			{"an API key beside the secret", invoice(), []string{"--provider", "stripe", "--secret-env", "STRIPE_SECRET", "--secret-env", "API_KEY"}, 1, "no_key"},
			{"a short secret", invoice(), []string{"--provider", "stripe", "--secret-env", "SHORT"}, 1, "no_key"},
			{"a short secret where that is allowed", invoice(), []string{"--provider", "stripe", "--secret-env", "SHORT", "--insecure-allow-short-secret"}, 1, "mismatch"},
			{"a simulator's id as a webhook id", invoice(), []string{"--provider", "paypal", "--secret-env", "SIMULATOR"}, 1, "no_key"},
			{"a simulator's id where that is allowed", invoice(), []string{"--provider", "paypal", "--secret-env", "SIMULATOR", "--insecure-accept-simulator"}, 1, "unsigned"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				s := secrets()
				s.env["SIMULATOR"] = "WEBHOOK_ID"
				file := save(t, "delivery.http", tt.capture)
				got := hooknotary(t, s, append(append([]string{"verify"}, tt.args...), "--json", file)...)
				got.want(t, tt.code)
				r := parseResult(t, got.out)
				verdict := map[int]string{0: accept, 1: reject}[tt.code]
				if r.Verdict != verdict || r.Reason != tt.reason || (r.Error == "") != (tt.code == 0) || (r.Delivery != nil) != (tt.code == 0) {
					t.Errorf("verdict %q, reason %q, error %q, delivery %v; want %q and %q", r.Verdict, r.Reason, r.Error, r.Delivery, verdict, tt.reason)
				}
				if tt.code == 0 && len(r.Findings) != 0 {
					t.Errorf("an accepted delivery has the findings %v", r.Findings)
				}
				text := hooknotary(t, s, append(append([]string{"verify"}, tt.args...), file)...)
				text.want(t, tt.code, verdict+"  "+file+": "+tt.reason)
			})
		}
	})

	t.Run("secrets come from files and standard input", func(t *testing.T) {
		file := save(t, "invoice.http", invoice())
		secretFile := func(text string) []string { return []string{"--secret-file", write(t, "secret", text)} }
		for _, tt := range []struct {
			name   string
			stdin  string
			args   []string
			code   int
			reason string
		}{
			{"a file without a line end", "", secretFile(stripeSecret), 0, ""},
			{"a file with a line end", "", secretFile(stripeSecret + "\n"), 0, ""},
			{"a file of Windows", "", secretFile(stripeSecret + "\r\n"), 0, ""},
			{"a file with two line ends", "", secretFile(stripeSecret + "\n\n"), 1, "no_key"},
			{"a file with white space", "", secretFile(stripeSecret + " \n"), 1, "no_key"},
			{"a second file", "", append(secretFile(otherSecret), secretFile(stripeSecret)...), 0, ""},
			{"the standard input", stripeSecret + "\n", []string{"--secret-stdin"}, 0, ""},
			{"the standard input without a line end", stripeSecret, []string{"--secret-stdin"}, 0, ""},
			{"the standard input with another one", otherSecret, []string{"--secret-stdin"}, 1, "mismatch"},
			{"all three", stripeSecret, append(secretFile(otherSecret), "--secret-stdin", "--secret-env", "GITHUB_SECRET"), 0, ""},
		} {
			t.Run(tt.name, func(t *testing.T) {
				s := secrets()
				s.stdin = tt.stdin
				got := hooknotary(t, s, append([]string{"verify", "--provider", "stripe", "--json", file}, tt.args...)...)
				got.want(t, tt.code)
				if r := parseResult(t, got.out); r.Reason != tt.reason {
					t.Errorf("reason is %q, want %q", r.Reason, tt.reason)
				}
			})
		}
	})

	t.Run("a capture comes from the standard input", func(t *testing.T) {
		text, err := invoice().Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		s := secrets()
		s.stdin = string(text)
		hooknotary(t, s, "verify", "--provider", "stripe", "--secret-env", "STRIPE_SECRET", "-").want(t, 0, "accept  -: event evt_1PqX2")
		hooknotary(t, s, "verify", "--provider", "stripe", "--secret-env", "OTHER_SECRET", "-").want(t, 1, "reject  -: mismatch")
		hooknotary(t, s, "explain", "--provider", "stripe", "-").want(t, 0, "-: as stripe reads it")
	})

	t.Run("the text says what was verified", func(t *testing.T) {
		file := save(t, "invoice.http", invoice())
		got := hooknotary(t, secrets(), "verify", "--provider", "stripe", "--secret-env", "STRIPE_SECRET", file)
		want := "accept  " + file + ": event evt_1PqX2, signed 2026-03-01T09:30:12Z, key STRIPE_SECRET\n" +
			"        received 2026-03-01T09:30:12Z (from the capture)\n"
		if got.out != want {
			t.Errorf("got\n%swant\n%s", got.out, want)
		}
	})

	t.Run("the text says where the receive time is from and what is inexact", func(t *testing.T) {
		c := invoice()
		c.ReceivedAt, c.Inexact = time.Time{}, "copied from a log"
		file := save(t, "invoice.http", c)
		got := hooknotary(t, secrets(), "verify", "--provider", "stripe", "--secret-env", "STRIPE_SECRET", file)
		got.want(t, 1, "received 2026-03-02T09:30:12Z (now, because neither --at nor the capture says", "the body is inexact: copied from a log", "too_old")
		got = hooknotary(t, secrets(), "verify", "--provider", "stripe", "--secret-env", "STRIPE_SECRET", "--at", "2026-03-01T09:30:13Z", file)
		got.want(t, 0, "received 2026-03-01T09:30:13Z (from --at)", "the body is inexact: copied from a log")
	})

	t.Run("one refusal among several files decides", func(t *testing.T) {
		good, bad := save(t, "good.http", invoice()), save(t, "bad.http", edited(invoice(), forge))
		for _, files := range [][]string{{good, bad, good}, {bad, good, good}, {good, good, bad}} {
			got := hooknotary(t, secrets(), append([]string{"verify", "--provider", "stripe", "--secret-env", "STRIPE_SECRET"}, files...)...)
			got.want(t, 1, "2 of 3 verify")
			got = hooknotary(t, secrets(), append([]string{"verify", "--provider", "stripe", "--secret-env", "STRIPE_SECRET", "--json"}, files...)...)
			got.want(t, 1)
			lines := strings.SplitAfter(strings.TrimSuffix(got.out, "\n"), "\n")
			if len(lines) != 3 {
				t.Fatalf("there are %d lines of JSON, want 3: %q", len(lines), got.out)
			}
			for i, line := range lines {
				if r := parseResult(t, strings.TrimSuffix(line, "\n")+"\n"); r.File != files[i] || (r.Verdict == accept) != (files[i] == good) || r.Index != 0 {
					t.Errorf("line %d is %s", i+1, line)
				}
			}
		}
		// The same delivery twice is not a replay here.
		hooknotary(t, secrets(), "verify", "--provider", "stripe", "--secret-env", "STRIPE_SECRET", good, good).want(t, 0, "2 of 2 verify")
	})

	t.Run("no verdict is no success", func(t *testing.T) {
		if err := (&program{}).print(nil, true); err != errReject {
			t.Errorf("without a result: %v", err)
		}
	})

	t.Run("each delivery of a file is judged", func(t *testing.T) {
		file := har(t, invoice(), edited(invoice(), forge), invoice())
		got := hooknotary(t, secrets(), "verify", "--provider", "stripe", "--secret-env", "STRIPE_SECRET", "--json", file)
		got.want(t, 1)
		var verdicts []string
		for line := range strings.Lines(got.out) {
			r := parseResult(t, line)
			verdicts = append(verdicts, r.Verdict)
			if r.Index != len(verdicts) {
				t.Errorf("index is %d, want %d", r.Index, len(verdicts))
			}
		}
		if !slices.Equal(verdicts, []string{accept, reject, accept}) {
			t.Errorf("verdicts are %q", verdicts)
		}
		got = hooknotary(t, secrets(), "verify", "--provider", "stripe", "--secret-env", "STRIPE_SECRET", file)
		got.want(t, 1, "accept  "+file+" (delivery 1)", "reject  "+file+" (delivery 2): mismatch", "2 of 3 verify")
		// A file with one delivery gives one object, without an index.
		got = hooknotary(t, secrets(), "verify", "--provider", "stripe", "--secret-env", "STRIPE_SECRET", "--json", har(t, invoice()))
		got.want(t, 0, "!index")
		parseResult(t, got.out)
	})

	t.Run("a file that is wrong makes no verdict", func(t *testing.T) {
		good := save(t, "good.http", invoice())
		bad := save(t, "bad.http", edited(invoice(), forge))
		text, err := os.ReadFile(good)
		if err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct {
			name, file, want string
		}{
			{"is not there", filepath.Join(t.TempDir(), "missing.http"), "missing.http: no such file"},
			{"is a folder", t.TempDir(), "directory"},
			{"is empty", write(t, "empty.http", ""), "empty.http"},
			{"is noise", write(t, "noise.http", "\x00\x01\xff\xfe\x1b[31m"), "noise.http"},
			{"is cut off", write(t, "cut.http", string(text[:len(text)-3])), "cut.http:10: the body"},
			{"has a comment with another time", write(t, "time.http", strings.Replace(string(text), "received: 2026", "received: the year 2026", 1)), "time.http:1: want one time"},
			{"is a HAR that is cut off", write(t, "cut.har", `{"log":{"entries":[{"request":`), "cut.har"},
			{"is a HAR with nothing in it", write(t, "empty.har", `{"log":{"version":"1.2","creator":{},"entries":[]}}`), "empty.har"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				for _, files := range [][]string{{tt.file}, {good, tt.file}, {tt.file, good}, {bad, tt.file}, {tt.file, bad}} {
					for _, more := range [][]string{nil, {"--json"}} {
						args := append(append([]string{"verify", "--provider", "stripe", "--secret-env", "STRIPE_SECRET"}, more...), files...)
						hooknotary(t, secrets(), args...).want(t, 2, tt.want, "!\x1b")
					}
				}
			})
		}
		other := write(t, "other.http", "nonsense")
		hooknotary(t, secrets(), "verify", "--provider", "stripe", "--secret-env", "STRIPE_SECRET", write(t, "one.http", ""), good, other).want(t, 2, "one.http", "other.http")
	})

	t.Run("a flag that is wrong makes no verdict", func(t *testing.T) {
		good := save(t, "good.http", invoice())
		notPEM := write(t, "not.pem", "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")
		key := write(t, "key.pem", "\n-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
		for _, tt := range []struct {
			name string
			args []string
			want string
		}{
			{"no provider", []string{"--secret-env", "STRIPE_SECRET", good}, "--provider is missing: hooknotary providers lists those that are known"},
			{"an unknown provider", []string{"--provider", "strype", "--secret-env", "STRIPE_SECRET", good}, "unknown provider: hooknotary providers lists those that are known"},
			{"a provider that signs with a JSON Web Token", []string{"--provider", "pubsub", "--secret-env", "STRIPE_SECRET", good}, "signs with a JSON Web Token"},
			{"no secret", []string{"--provider", "stripe", good}, "--secret-env"},
			{"no file", []string{"--provider", "stripe", "--secret-env", "STRIPE_SECRET"}, "there is no file"},
			{"a variable that is not set", []string{"--provider", "stripe", "--secret-env", "NO_SUCH_VARIABLE", good}, "NO_SUCH_VARIABLE is not set"},
			{"a second variable that is not set", []string{"--provider", "stripe", "--secret-env", "STRIPE_SECRET", "--secret-env", "NO_SUCH_VARIABLE", good}, "NO_SUCH_VARIABLE is not set"},
			{"a variable that is empty", []string{"--provider", "stripe", "--secret-env", "EMPTY", good}, "is empty"},
			{"another variable that is not set", []string{"--provider", "stripe", "--secret-env", "STRIPE_SECRET", "--other-secret-env", "NO_SUCH_VARIABLE", good}, "NO_SUCH_VARIABLE is not set"},
			{"a variable of the other mode that is empty", []string{"--provider", "stripe", "--secret-env", "STRIPE_SECRET", "--other-mode-secret-env", "EMPTY", good}, "is empty"},
			{"a secret's file that is not there", []string{"--provider", "stripe", "--secret-file", filepath.Join(t.TempDir(), "nothing"), good}, "nothing: no such file"},
			{"a secret's file that is empty", []string{"--provider", "stripe", "--secret-file", write(t, "empty", "\n"), good}, "empty: it is empty"},
			{"a secret's file that is too large", []string{"--provider", "stripe", "--secret-file", write(t, "large", strings.Repeat("x", 64<<10+1)), good}, "large: too large"},
			{"a standard input that is empty", []string{"--provider", "stripe", "--secret-stdin", good}, "standard input: it is empty"},
			{"too many secrets", []string{"--provider", "stripe", "--secret-env", "STRIPE_SECRET", "--secret-env", "OTHER_SECRET", "--secret-env", "GITHUB_SECRET", "--secret-env", "PADDED", "--secret-env", "QUOTED", good}, "at most 4"},
			{"two webhook ids", []string{"--provider", "paypal", "--secret-env", "STRIPE_SECRET", "--secret-env", "OTHER_SECRET", good}, "one webhook id"},
			{"a time of another form", []string{"--provider", "stripe", "--secret-env", "STRIPE_SECRET", "--at", "yesterday", good}, "--at: want a time in RFC 3339"},
			{"an empty time", []string{"--provider", "stripe", "--secret-env", "STRIPE_SECRET", "--at", "", good}, "--at: want a time in RFC 3339"},
			{"an empty certificate", []string{"--provider", "paypal", "--secret-env", "STRIPE_SECRET", "--cert", "", good}, "no such file"},
			{"an empty root", []string{"--provider", "paypal", "--secret-env", "STRIPE_SECRET", "--roots", "", good}, "no such file"},
			{"an empty issuer", []string{"--provider", "paypal", "--secret-env", "STRIPE_SECRET", "--intermediates", "", good}, "no such file"},
			{"an empty variable name", []string{"--provider", "stripe", "--secret-env", "", good}, "wants the name of an environment variable"},
			{"the zero time", []string{"--provider", "stripe", "--secret-env", "STRIPE_SECRET", "--at", "0001-01-01T00:00:00Z", good}, "--at: want a time in RFC 3339"},
			{"a window that is too wide", []string{"--provider", "stripe", "--secret-env", "STRIPE_SECRET", "--tolerance", "10m", good}, "can only narrow the window"},
			{"a window of nothing", []string{"--provider", "stripe", "--secret-env", "STRIPE_SECRET", "--tolerance", "0s", good}, "--tolerance is 0s"},
			{"a negative window", []string{"--provider", "stripe", "--secret-env", "STRIPE_SECRET", "--tolerance", "-1s", good}, "--tolerance is -1s"},
			{"a flag of another provider", []string{"--provider", "stripe", "--secret-env", "STRIPE_SECRET", "--form", good}, "--form is not for stripe"},
			{"a flag of Stripe for GitHub", []string{"--provider", "github", "--secret-env", "GITHUB_SECRET", "--tolerance", "1m", good}, "--tolerance is not for github"},
			{"a flag of PayPal for GitHub", []string{"--provider", "github", "--secret-env", "GITHUB_SECRET", "--sandbox", good}, "--sandbox is not for github"},
			{"short secrets for PayPal", []string{"--provider", "paypal", "--secret-env", "GITHUB_SECRET", "--insecure-allow-short-secret", good}, "--insecure-allow-short-secret is not for paypal"},
			{"a certificate that is not there", []string{"--provider", "paypal", "--secret-env", "STRIPE_SECRET", "--cert", "missing.pem", good}, "missing.pem"},
			{"a certificate that is none", []string{"--provider", "paypal", "--secret-env", "STRIPE_SECRET", "--cert", good, good}, "there is no certificate: want PEM"},
			{"a root that does not parse", []string{"--provider", "paypal", "--secret-env", "STRIPE_SECRET", "--roots", notPEM, good}, "not.pem"},
			{"an issuer that is a key", []string{"--provider", "paypal", "--secret-env", "STRIPE_SECRET", "--intermediates", key, good}, "key.pem: the block that ends before line 5 is no certificate"},
			{"the standard input as a file and as the secret", []string{"--provider", "stripe", "--secret-stdin", "-"}, "the standard input can be one thing only"},
			{"the standard input as two files", []string{"--provider", "stripe", "--secret-env", "STRIPE_SECRET", "-", "-"}, "the standard input can be one thing only"},
			{"a standard input that is no capture", []string{"--provider", "stripe", "--secret-env", "STRIPE_SECRET", "-"}, "-:"},
			{"an unknown flag", []string{"--provider", "stripe", "--secret-env", "STRIPE_SECRET", "--verbose", good}, "unknown flag: --verbose"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				hooknotary(t, secrets(), append([]string{"verify"}, tt.args...)...).want(t, 2, tt.want, "See hooknotary verify --help")
			})
		}
	})

	t.Run("colours are for verdicts only", func(t *testing.T) {
		good, bad := save(t, "good.http", invoice()), save(t, "bad.http", edited(invoice(), forge))
		s := secrets()
		s.edit = func(p *program) { p.colour = true }
		args := []string{"verify", "--provider", "stripe", "--secret-env", "STRIPE_SECRET", good, bad}
		hooknotary(t, s, args...).want(t, 1, "\x1b[32maccept\x1b[0m  "+good, "\x1b[31mreject\x1b[0m  "+bad)
		hooknotary(t, s, append(args, "--json")...).want(t, 1, "!\x1b")
		hooknotary(t, secrets(), args...).want(t, 1, "!\x1b")
	})

	t.Run("what a capture says of itself cannot drive a terminal", func(t *testing.T) {
		const words = "typed \u009b31m by \u202e\U000e0041 \u007f and é"
		file := save(t, "words.http", edited(invoice(), func(c *capture.Capture) { c.Inexact = words }))
		args := []string{"verify", "--provider", "stripe", "--secret-env", "STRIPE_SECRET", file}
		hooknotary(t, secrets(), args...).want(t, 0, "and é", "!\u009b", "!\u202e", "!\u007f")
		got := hooknotary(t, secrets(), append(args, "--json")...)
		got.want(t, 0, `\u009b31m`, `\u202e\udb40\udc41 \u007f and é`, "!\u009b", "!\u202e", "!\u007f", "!\U000e0041")
		var r result
		if err := json.Unmarshal([]byte(got.out), &r); err != nil || r.Inexact != words {
			t.Errorf("inexact is %q (%v), want %q", r.Inexact, err, words)
		}
	})

	t.Run("a file name cannot drive a terminal", func(t *testing.T) {
		good := save(t, "good\x1b[31m.http", invoice())
		hooknotary(t, secrets(), "verify", "--provider", "stripe", "--secret-env", "STRIPE_SECRET", good).want(t, 0, "!\x1b")
		hooknotary(t, secrets(), "explain", "--provider", "stripe", good).want(t, 0, "!\x1b")
	})

	// Or said to be none by name.
	t.Run("files of other tools are judged", func(t *testing.T) {
		var raw []byte
		raw, err := invoice().Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		_, raw, _ = bytes.Cut(raw, []byte("\n\n")) // without the comments
		ngrok := fmt.Sprintf(`{"start":%q,"request":{"method":"POST","headers":{"Host":["h"]},"uri":"/h","raw":%q}}`,
			invoice().ReceivedAt.Format(time.RFC3339Nano), base64.StdEncoding.EncodeToString(raw))
		args := []string{"verify", "--provider", "stripe", "--secret-env", "STRIPE_SECRET"}
		hooknotary(t, secrets(), append(args, write(t, "ngrok.json", ngrok))...).want(t, 0, "accept")
		for _, text := range []string{`{"id":"evt_1","object":"event","request":{"id":null}}`, `{"id":"evt_1","object":"event","request":"req_1"}`} {
			hooknotary(t, secrets(), append(args, write(t, "event.json", text))...).want(t, 2, "a body alone wants the head of its request before it", "!request.headers")
		}
		hooknotary(t, secrets(), append(args, write(t, "curl.txt", "> POST /h HTTP/1.1\n> Host: h\n> \n"))...).want(t, 2, "a log of curl")
	})
}

func parseResult(t testing.TB, out string) *result {
	t.Helper()
	if strings.Count(out, "\n") != 1 {
		t.Fatalf("output is not one line: %q", out)
	}
	var r result
	d := json.NewDecoder(strings.NewReader(out))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		t.Fatalf("output %q: %v", out, err)
	}
	return &r
}

func TestJSON(t *testing.T) {
	// Compares whole lines: scripts lean on them.
	t.Run("a verdict keeps its shape", func(t *testing.T) {
		stripe := save(t, "invoice.http", invoice())
		github := push()
		github.Header.Set("X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958")
		pushed := save(t, "push.http", github)
		unsigned := save(t, "unsigned.http", edited(invoice(), func(c *capture.Capture) {
			c.Method, c.ReceivedAt, c.Inexact = http.MethodGet, time.Time{}, "<copied> from a log"
		}))
		for _, tt := range []struct {
			name string
			args []string
			want string
		}{
			{"accepted, of Stripe", []string{"--provider", "stripe", "--secret-env", "STRIPE_SECRET", stripe},
				`{"file":"` + stripe + `","provider":"stripe","verdict":"accept","reason":"","error":"","received_at":"2026-03-01T09:30:12Z","received_from":"capture","inexact":"","delivery":{"id":"evt_1PqX2","message_id":"","key":"STRIPE_SECRET","signed_at":"2026-03-01T09:30:12Z","binding":"full","unsigned":{"id":"","type":""}},"findings":[]}`},
			{"accepted, of GitHub, at a given time", []string{"--provider", "github", "--secret-env", "GITHUB_SECRET", "--at", "2026-04-01T02:00:00.5+02:00", pushed},
				`{"file":"` + pushed + `","provider":"github","verdict":"accept","reason":"","error":"","received_at":"2026-04-01T00:00:00.5Z","received_from":"at","inexact":"","delivery":{"id":"","message_id":"","key":"GITHUB_SECRET","signed_at":null,"binding":"full","unsigned":{"id":"72d3162e-cc78-11e3-81ab-4c9367dc0958","type":"push"}},"findings":[]}`},
			{"refused", []string{"--provider", "stripe", "--secret-env", "STRIPE_SECRET", unsigned},
				`{"file":"` + unsigned + `","provider":"stripe","verdict":"reject","reason":"method","error":"method is not POST","received_at":"2026-03-02T09:30:12Z","received_from":"now","inexact":"<copied> from a log","delivery":null,"findings":FINDINGS}`},
		} {
			t.Run(tt.name, func(t *testing.T) {
				got := hooknotary(t, secrets(), append([]string{"verify", "--json"}, tt.args...)...).out
				want := tt.want + "\n"
				if head, _, ok := strings.Cut(want, "FINDINGS"); ok { // what they are is the diagnosis' affair
					if !strings.HasPrefix(got, head+"[") || !strings.HasSuffix(got, "]}\n") {
						t.Errorf("got\n%swant\n%s", got, want)
					}
					return
				}
				if got != want {
					t.Errorf("got\n%swant\n%s", got, want)
				}
			})
		}
	})

	t.Run("a finding has four members", func(t *testing.T) {
		file := save(t, "invoice.http", edited(invoice(), func(c *capture.Capture) { c.Body = append(c.Body, '\n') }))
		got := hooknotary(t, secrets(), "verify", "--provider", "stripe", "--secret-env", "STRIPE_SECRET", "--json", file)
		var r struct{ Findings []map[string]string }
		if err := json.Unmarshal([]byte(got.out), &r); err != nil || len(r.Findings) == 0 {
			t.Fatalf("findings are %v (%v) in %s", r.Findings, err, got.out)
		}
		f := r.Findings[0]
		if f["id"] != "body.newline-added" || f["confidence"] != "proved" || f["text"] == "" || f["fix"] == "" || len(f) != 4 {
			t.Errorf("the first finding is %q", f)
		}
		text := hooknotary(t, secrets(), "verify", "--provider", "stripe", "--secret-env", "STRIPE_SECRET", file)
		text.want(t, 1, "proved: body.newline-added", f["text"], "Fix: "+f["fix"])
	})
}

func TestFindings(t *testing.T) {
	t.Run("they use the other secrets", func(t *testing.T) {
		file := save(t, "invoice.http", invoice())
		for _, tt := range []struct {
			flag, want string
		}{{"--other-secret-env", "secret.other"}, {"--other-mode-secret-env", "secret.other-mode"}} {
			got := hooknotary(t, secrets(), "verify", "--provider", "stripe", "--secret-env", "OTHER_SECRET", tt.flag, "STRIPE_SECRET", "--json", file)
			r := parseResult(t, got.out)
			if len(r.Findings) == 0 || string(r.Findings[0].ID) != tt.want || !strings.Contains(r.Findings[0].Text+r.Findings[0].Fix, "STRIPE_SECRET") {
				t.Errorf("%s: findings are %+v, want %s first, with the variable's name", tt.flag, r.Findings, tt.want)
			}
		}
	})

	t.Run("a secret with which no server starts has a finding", func(t *testing.T) {
		file := save(t, "invoice.http", invoice())
		for variable, want := range map[string]string{"PADDED": "secret.white-space", "NEWLINE": "secret.white-space", "QUOTED": "secret.quotes", "API_KEY": "secret.api-key"} {
			for _, more := range [][]string{nil, {"--secret-env", "OTHER_SECRET"}} {
				args := append([]string{"verify", "--provider", "stripe", "--json", file, "--secret-env", variable}, more...)
				got := hooknotary(t, secrets(), args...)
				got.want(t, 1)
				if r := parseResult(t, got.out); r.Reason != "no_key" || len(r.Findings) == 0 || string(r.Findings[0].ID) != want {
					t.Errorf("%s: reason %q, findings %+v, want no_key and %s first", variable, r.Reason, r.Findings, want)
				}
			}
		}
	})

	t.Run("those of the time depend on where it is from", func(t *testing.T) {
		undated := func() *capture.Capture {
			return edited(invoice(), func(c *capture.Capture) { c.ReceivedAt = time.Time{} })
		}
		for _, tt := range []struct {
			name    string
			capture *capture.Capture
			args    []string
			want    string
		}{
			{"now, where no receive time is known", undated(), nil, "clock.old-capture"},
			{"now, and another body", edited(undated(), forge), nil, "secret.wrong"},
			{"an hour late by the flag", undated(), []string{"--at", "2026-03-01T10:30:12Z"}, "clock.zone"},
			{"seven minutes late by the capture", edited(invoice(), func(c *capture.Capture) { c.ReceivedAt = arrival.Add(7 * time.Minute) }), nil, "clock.skew"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				file := save(t, "invoice.http", tt.capture)
				s := secrets()
				s.edit = func(p *program) { p.now = func() time.Time { return arrival.Add(7 * time.Minute) } }
				got := hooknotary(t, s, append([]string{"verify", "--provider", "stripe", "--secret-env", "STRIPE_SECRET", "--json", file}, tt.args...)...)
				got.want(t, 1)
				if r := parseResult(t, got.out); len(r.Findings) == 0 || string(r.Findings[0].ID) != tt.want {
					t.Errorf("reason %s, findings %+v, want %s first", r.Reason, r.Findings, tt.want)
				}
			})
		}
	})

	t.Run("they name the other provider", func(t *testing.T) {
		file := save(t, "push.http", push())
		got := hooknotary(t, secrets(), "verify", "--provider", "stripe", "--secret-env", "GITHUB_SECRET", "--json", file)
		if r := parseResult(t, got.out); len(r.Findings) == 0 || string(r.Findings[0].ID) != "provider.other" || !strings.Contains(r.Findings[0].Text, "GitHub") {
			t.Errorf("findings are %+v, want provider.other first", r.Findings)
		}
	})

	// Its twin is the same delivery with --form.
	t.Run("a form at an endpoint of JSON is explained", func(t *testing.T) {
		body := []byte("payload=%7B%22zen%22%3A%22Design+for+failure.%22%7D")
		c := &capture.Capture{URL: push().URL, Header: githubtest.Header("ping", body, githubSecret), Body: body, ReceivedAt: arrival}
		c.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		file := save(t, "form.http", c)
		hooknotary(t, secrets(), "verify", "--provider", "github", "--secret-env", "GITHUB_SECRET", file).
			want(t, 1, "media_type", "body.media-type", "the hook sends forms", "--form")
		hooknotary(t, secrets(), "verify", "--provider", "github", "--secret-env", "GITHUB_SECRET", "--form", file).
			want(t, 0, "!body.media-type")
	})
}

// har returns a HAR file with these captures.
func har(t testing.TB, captures ...*capture.Capture) string {
	t.Helper()
	type field map[string]any
	var entries []field
	for _, c := range captures {
		var headers []field
		for name, values := range c.Header {
			headers = append(headers, field{"name": name, "value": values[0]})
		}
		entries = append(entries, field{
			"startedDateTime": c.ReceivedAt.Format(time.RFC3339Nano),
			"request": field{
				"method": c.Method, "url": "https://shop.example/hooks", "httpVersion": "HTTP/1.1", "headers": headers,
				"postData": field{"mimeType": "application/json", "text": string(c.Body)}, "bodySize": len(c.Body),
			},
			"response": field{"status": 200},
		})
	}
	text, err := json.Marshal(field{"log": field{"version": "1.2", "creator": field{"name": "test", "version": "1"}, "entries": entries}})
	if err != nil {
		t.Fatal(err)
	}
	return write(t, "session.har", string(text))
}
