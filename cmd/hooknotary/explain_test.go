package main

import (
	"crypto/sha256"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/sender"
	jwtcatalog "github.com/hooknotary/hooknotary/providers/jwt/catalog"
	"github.com/hooknotary/hooknotary/providers/paypal/paypaltest"
	"github.com/hooknotary/hooknotary/verify/capture"
	"github.com/hooknotary/hooknotary/verify/diagnose"
)

const webhookID = "8PT597110X687430L"

// sale is a genuine delivery of PayPal.
func sale(pp *paypaltest.PayPal) *capture.Capture {
	body := []byte(`{"id":"WH-2WR32451HC0233532-67976317FL4543714","event_type":"PAYMENT.SALE.COMPLETED"}`)
	return &capture.Capture{Host: "shop.example", Header: pp.Header(arrival, body), Body: body, ReceivedAt: arrival}
}

// described returns a provider of the catalogue.
func described(t *testing.T, name string) *sender.Sender {
	t.Helper()
	p, err := findProvider(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestExplain(t *testing.T) {
	t.Run("shows what is signed", func(t *testing.T) {
		c := invoice()
		c.URL = &url.URL{Path: "/hooks/stripe", RawQuery: "token=4711"}
		c.Header.Set("X-Request-Id", "value of an id")
		file := save(t, "invoice.http", c)
		want := file + `: as stripe reads it

  Headers that the scheme reads
    Stripe-Signature: t=1772357412,v1=` + c.Header.Get("Stripe-Signature")[len("t=1772357412,v1="):][:8] + `… (64 characters)
      ` + described(t, "stripe").Use("Stripe-Signature") + `

  Headers that it does not read, and that are not covered
    Content-Length
    Content-Type
    User-Agent
    X-Request-Id

  The signed message, in pieces
    1  time, from Stripe-Signature  "1772357412"
    2  constant                     "."
    3  body                         ` + fmt.Sprintf("%d bytes, SHA-256 %x", len(eventBody), sha256.Sum256([]byte(eventBody))) + `

  What the signature does not cover
    ` + described(t, "stripe").About.NotCovered[0] + `
    the method, here POST; the URL, here /hooks/stripe?…; and every other header

  Time
    received 2026-03-01T09:30:12Z (from the capture)
    signed   2026-03-01T09:30:12Z, 0s before it was received: inside the window
    accepted from 5m before to 5m after the receive time

  The scheme
    signed: time and body, HMAC-SHA256
    binding of the body: full
    media type: application/json; largest body: 1 MiB
    retries: signed anew each time

`
		got := hooknotary(t, setup{}, "explain", "--provider", "stripe", file)
		if got.code != 0 || got.out != want {
			t.Errorf("got\n%s%s\nwant\n%s", got.out, got.err, want)
		}
		github := save(t, "push.http", push())
		hooknotary(t, setup{}, "explain", "--provider", "github", github).want(t, 0,
			"X-Hub-Signature-256: sha256=", "no time is signed", "X-GitHub-Event", "X-GitHub-Delivery", "whoever replays", "never by itself", "!refs/heads/main")
		hooknotary(t, setup{}, "explain", "--provider", "github", "--body", github).want(t, 0, "refs/heads/main")
	})

	t.Run("shows the handshakes, where there are some", func(t *testing.T) {
		hooknotary(t, setup{}, "explain", "--provider", "meta", save(t, "page.http", push())).want(t, 0,
			"Handshakes, which the guard answers", "a GET with hub.challenge, under a verify token")
		hooknotary(t, setup{}, "explain", "--provider", "github", save(t, "push.http", push())).want(t, 0, "!Handshakes")
	})

	t.Run("shows the webhook id only if it is given", func(t *testing.T) {
		file := save(t, "sale.http", sale(paypaltest.New(webhookID)))
		hooknotary(t, setup{}, "explain", "--provider", "paypal", file).want(t, 0,
			"unknown here: hand it over with --secret-env", "!"+webhookID, "CRC-32", "Paypal-Cert-Url: https://api.paypal.com/v1/notifications/certs/CERT-",
			"accepted from 78h before to 5m after", "binding of the body: checksum", "perhaps the same bytes")
		s := setup{env: map[string]string{"PAYPAL_WEBHOOK_ID": webhookID}}
		hooknotary(t, s, "explain", "--provider", "paypal", "--secret-env", "PAYPAL_WEBHOOK_ID", file).want(t, 0,
			fmt.Sprintf("%q", webhookID), "!unknown here")
	})

	t.Run("says where the time lies", func(t *testing.T) {
		file := save(t, "invoice.http", invoice())
		for at, want := range map[string]string{
			"2026-03-01T09:35:12Z": "5m before it was received: inside the window",
			"2026-03-01T09:35:13Z": "5m1s before it was received: too old",
			"2026-03-01T09:25:12Z": "5m after it was received: inside the window",
			"2026-03-01T09:25:11Z": "5m1s after it was received: too new",
		} {
			hooknotary(t, setup{}, "explain", "--provider", "stripe", "--at", at, file).want(t, 0, want, "(from --at)")
		}
		narrow := []string{"explain", "--provider", "stripe", "--tolerance", "1m", "--at", "2026-03-01T09:31:13Z", file}
		hooknotary(t, setup{}, narrow...).want(t, 0, "1m1s before it was received: too old", "accepted from 1m before to 1m after")
	})

	t.Run("says what it can of a time that is far away", func(t *testing.T) {
		for signed, want := range map[string]string{
			"99999999999":         "292 years or more after it was received: too new",
			"9223372036854775807": "the signed time cannot be read",
		} {
			file := save(t, "far.http", edited(invoice(), func(c *capture.Capture) {
				c.Header.Set("Stripe-Signature", "t="+signed+",v1="+strings.Repeat("0", 64))
			}))
			hooknotary(t, setup{}, "explain", "--provider", "stripe", file).want(t, 0, want)
		}
	})

	t.Run("works on what is broken", func(t *testing.T) {
		unsigned := save(t, "unsigned.http", edited(invoice(), func(c *capture.Capture) {
			c.Header.Del("Stripe-Signature")
			c.ReceivedAt, c.Inexact = time.Time{}, "copied from a log"
		}))
		hooknotary(t, setup{}, "explain", "--provider", "stripe", unsigned).want(t, 0,
			"Stripe-Signature is missing", "the signed time cannot be read", "The body is inexact: copied from a log", "now, because")
		bare := save(t, "bare.http", &capture.Capture{})
		hooknotary(t, setup{}, "explain", "--provider", "github", bare).want(t, 0, "not covered\n    Content-Length\n", "body  0 bytes, SHA-256 e3b0c442")
		binary := save(t, "binary.http", edited(invoice(), func(c *capture.Capture) { c.Body = []byte("\x1b[31m\x00\xff") }))
		hooknotary(t, setup{}, "explain", "--provider", "stripe", "--body", binary).want(t, 0, `"\x1b[31m\x00\xff"`, "!\x1b")
	})

	t.Run("what is wrong is refused", func(t *testing.T) {
		good := save(t, "good.http", invoice())
		for _, tt := range []struct {
			args []string
			want string
		}{
			{[]string{good}, "--provider is missing"},
			{[]string{"--provider", "stripe"}, "there is no file"},
			{[]string{"--provider", "stripe", good, write(t, "bad.http", "x")}, "bad.http"},
			{[]string{"--provider", "stripe", write(t, "bad.http", "x"), good}, "bad.http"},
			{[]string{"--provider", "stripe", "--at", "noon", good}, "--at: want"},
			{[]string{"--provider", "stripe", "--secret-env", "PADDED", good}, "white space"},
			{[]string{"--provider", "stripe", "--secret-env", "EMPTY", good}, "is empty"},
			{[]string{"--provider", "github", "--sandbox", good}, "--sandbox is not for github"},
		} {
			hooknotary(t, secrets(), append([]string{"explain"}, tt.args...)...).want(t, 2, tt.want)
		}
	})

	t.Run("each delivery of a file is explained", func(t *testing.T) {
		file := har(t, invoice(), invoice())
		hooknotary(t, setup{}, "explain", "--provider", "stripe", file).want(t, 0, file+" (delivery 1): as stripe reads it", file+" (delivery 2): as stripe reads it")
	})

	// Compares the texts of the command line with the
	// verifiers.
	t.Run("every header that is read is described", func(t *testing.T) {
		for _, p := range sender.All() {
			var all []string
			for _, s := range []sender.Settings{{}, {InsecureAllowSHA1: p.Name == "github"}} {
				s.InsecureBodyNotCovered, s.InsecureSHA1 = true, p.OnlySHA1
				if p.SignsURL {
					s.URL = "https://hooks.example.com/in"
				}
				v, err := p.VerifierOf(&s, p.Probe(&s))
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, v.(diagnose.Scheme).SecurityHeaders()...)
			}
			for _, name := range all {
				if p.Use(name) == "" {
					t.Errorf("%s: nothing is said about %s", p.Name, name)
				}
			}
			for _, use := range p.About.Headers {
				if !slices.Contains(all, use.Name) {
					t.Errorf("%s: %s is described and not read", p.Name, use.Name)
				}
			}
			if len(p.About.NotCovered) == 0 || p.About.Signed == "" {
				t.Errorf("%s is not described", p.Name)
			}
		}
	})
}

func TestProviders(t *testing.T) {
	t.Run("are listed", func(t *testing.T) {
		got := hooknotary(t, setup{}, "providers")
		got.want(t, 0)
		lines := strings.Split(strings.TrimSuffix(got.out, "\n"), "\n")
		if len(lines) != 1+len(sender.All())+len(jwtcatalog.All()) || !strings.HasPrefix(lines[0], "NAME") {
			t.Fatalf("the table is\n%s", got.out)
		}
		for _, want := range [][]string{
			{"github", "X-Hub-Signature-256", "none signed", "never by itself", "full"},
			{"paypal", "Paypal-Transmission-Sig", "-78h +5m", "perhaps the same bytes", "checksum"},
			{"stripe", "Stripe-Signature", "-5m +5m", "signed anew each time", "full"},
			{"qstash", "Upstash-Signature", "-6m +1m", "perhaps the same bytes", "full"},
			{"pubsub", "Authorization", "not the body", "none"},
		} {
			i := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, want[0]+" ") })
			if i < 0 {
				t.Errorf("%s is not listed", want[0])
				continue
			}
			for _, text := range want {
				if !strings.Contains(lines[i], text) {
					t.Errorf("line %q lacks %q", lines[i], text)
				}
			}
		}
	})

	t.Run("keep their shape as JSON", func(t *testing.T) {
		const want = `
  {
    "name": "github",
    "headers": [
      "X-Hub-Signature-256"
    ],
    "signed": "body, HMAC-SHA256",
    "past_seconds": 0,
    "future_seconds": 0,
    "retries": "never by itself",
    "binding": "full",
    "media_type": "application/json",
    "max_body": 26214400,
    "kind": "data",
    "title": "GitHub",
    "not_covered": [
`
		got := hooknotary(t, setup{}, "providers", "--json")
		if got.code != 0 || !strings.HasPrefix(got.out, "[\n") || !strings.Contains(got.out, want) || strings.Count(got.out, "\n    \"name\"") != len(sender.All())+len(jwtcatalog.All()) {
			t.Errorf("got\n%s\nwant it to hold\n%s", got.out, want)
		}
		if got := strings.Count(got.out, `"module": "github.com/hooknotary/hooknotary/providers/jwt"`); got != len(jwtcatalog.All()) {
			t.Errorf("%d name the module of tokens", got)
		}
		hooknotary(t, setup{}, "providers", "frobnicate").want(t, 2, "want no argument", "!frobnicate")
	})
}

func TestExplainShowsNoBody(t *testing.T) {
	// Where values of the body are signed, each piece of the message is personal data.
	for _, tt := range []struct{ provider, delivery, url, personal string }{
		{"adyen", "a-year-later", "", "order-"},
		{"braintree", "a-year-later", "", "PG5vdGlmaWNhdGlvbj48"},
		{"mailgun", "another-event", "", "1773480413"},
		{"mandrill", "a-year-later", "https://hooks.example.com/mandrill", "a@example.com"},
		{"plivo", "a-year-later", "https://hooks.example.com/plivo", "15550100"},
		{"sns", "another-topic", "", "An order"},
		{"twilio", "a-year-later", "https://hooks.example.com/twilio", "15550100"},
	} {
		t.Run(tt.provider, func(t *testing.T) {
			args := []string{"explain", "--provider", tt.provider, "../../providers/" + tt.provider + "/testdata/" + tt.delivery + ".http"}
			if tt.url != "" {
				args = append(args, "--url", tt.url)
			}
			_, message, ok := strings.Cut(hooknotary(t, setup{}, args...).out, "The signed message")
			message, _, _ = strings.Cut(message, "What the signature does not cover")
			if !ok || strings.Contains(message, tt.personal) || !strings.Contains(message, "SHA-256") {
				t.Errorf("the message is shown as%s", message)
			}
			_, message, _ = strings.Cut(hooknotary(t, setup{}, append(args, "--body")...).out, "The signed message")
			message, _, _ = strings.Cut(message, "What the signature does not cover")
			if !strings.Contains(message, tt.personal) {
				t.Errorf("with --body the message is shown as%s", message)
			}
		})
	}
}
