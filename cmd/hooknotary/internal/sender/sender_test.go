package sender_test

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/sender"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// TestLabels: whatever the sender, the label and scope of a key are those that were said, so
// that a log names the secret that matched.
func TestLabels(t *testing.T) {
	n := 0
	for _, s := range sender.All() {
		if !s.KeySourced() || s.WhyNot() != "" || s.Private() {
			continue
		}
		n++
		t.Run(s.Name, func(t *testing.T) {
			o := &sender.Settings{InsecureBodyNotCovered: true}
			if s.SignsURL {
				o.URL = "https://hooks.example.com/in"
			}
			secret := s.Probe(o).Text
			key, err := s.Key("acme", "2026-11", secret)
			if err != nil {
				t.Fatal(err)
			}
			v, err := s.Verifier(o, verify.KeyList{key})
			if err != nil {
				t.Fatal(err)
			}
			at := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
			body := []byte(`{"id":"evt_1PqX2"}`)
			if s.Definition != nil {
				body = bodyOf(s.Definition, at)
			}
			h, err := s.Sign(&sender.Draft{At: at, Body: body, URL: o.URL, Secret: secret})
			if err != nil {
				t.Fatal(err)
			}
			d, err := verify.Verify(t.Context(), v, &verify.Head{Method: http.MethodPost, Header: h, ReceivedAt: at}, body)
			if err != nil || d.KeyLabel != "2026-11" || d.Scope != "acme" {
				t.Errorf("got %+v, %v", d, err)
			}
			body[len(body)-2] ^= 1
			if _, err := verify.Verify(t.Context(), v, &verify.Head{Method: http.MethodPost, Header: h, ReceivedAt: at}, body); err == nil {
				t.Error("another body verifies")
			}
		})
	}
	if n < 60 {
		t.Errorf("only %d senders were seen", n)
	}
}

// bodyOf returns a body that the sender could send.
func bodyOf(d *scheme.Definition, at time.Time) []byte {
	member := d.ID.Member
	if member == "" {
		member = "text"
	}
	body := fmt.Sprintf(`%s{%q:"%s1PqX2"}`, d.BodyPrefix, member, d.ID.Prefix)
	if name := d.Timestamp.Member; name != "" {
		n := at.Unix()
		if d.Timestamp.Unit == scheme.Milliseconds {
			n = at.UnixMilli()
		}
		body = fmt.Sprintf(`%s,%q:%d}`, strings.TrimSuffix(body, "}"), name, n)
	}
	return []byte(body)
}

func TestKeySourced(t *testing.T) {
	var identified []string
	for _, s := range sender.All() {
		o := &sender.Settings{InsecureBodyNotCovered: true, InsecureSHA1: s.OnlySHA1}
		if s.SignsURL {
			o.URL = "https://hooks.example.com/in"
		}
		if _, err := s.VerifierOf(o, s.Probe(o)); err != nil {
			t.Errorf("%s: %v", s.Name, err)
		}
		if s.KeySourced() != (s.About.Identifier == "") {
			t.Errorf("%s takes keys: %v, and its identifier is %q", s.Name, s.KeySourced(), s.About.Identifier)
		}
		if s.KeySourced() {
			if _, err := s.Identified(o, "x"); err == nil {
				t.Errorf("%s takes an identifier", s.Name)
			}
			continue
		}
		identified = append(identified, s.Name)
		if _, err := s.Verifier(o, verify.Secrets("0123456789abcdef")); err == nil {
			t.Errorf("%s takes keys", s.Name)
		}
		if _, err := s.Identified(o); err == nil {
			t.Errorf("%s takes no identifier at all", s.Name)
		}
	}
	if want := []string{"apple", "paypal", "sns"}; !slices.Equal(identified, want) {
		t.Errorf("identifiers configure %q, want %q", identified, want)
	}
}

func TestMaterial(t *testing.T) {
	for _, tt := range []struct {
		name, provider, a, b string
		same                 bool
	}{
		{"one text", "github", "0123456789abcdef", "0123456789abcdef", true},
		{"two texts that differ in case", "github", "0123456789abcdef", "0123456789abcdeF", false},
		{"base64 with its prefix, and without", "svix", "whsec_MDEyMzQ1Njc4OWFiY2RlZg==", "MDEyMzQ1Njc4OWFiY2RlZg==", true},
		{"base64 of two secrets", "svix", "whsec_MDEyMzQ1Njc4OWFiY2RlZg==", "whsec_MDEyMzQ1Njc4OWFiY2RlZw==", false},
		{"hexadecimal in two cases", "adyen", "00112233445566778899aabbccddeeff", "00112233445566778899AABBCCDDEEFF", true},
		{"hexadecimal of two secrets", "adyen", "00112233445566778899aabbccddeeff", "00112233445566778899aabbccddee00", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := sender.Find(tt.provider)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Equal(s.Material(tt.a), s.Material(tt.b)) != tt.same {
				t.Errorf("want one material: %v", tt.same)
			}
		})
	}
}

func TestFind(t *testing.T) {
	for name, says := range map[string]string{
		"stripe": "", "netlify": "", "qstash": "", "": "unknown provider", "whsec_x": "unknown provider",
		"pubsub": "fetched from its host", "plaid": "fetched from its host", "saleor": "fetched from its host",
	} {
		s, err := sender.Find(name)
		if says == "" && (err != nil || s.Name != name) || says != "" && (err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "whsec")) {
			t.Errorf("%q: %v, %v", name, s, err)
		}
	}
}

// TestWords: a word of a sender is one that its constructor reads.
func TestWords(t *testing.T) {
	known := []string{
		"tolerance", "max-age", "url", "verify-token", "claims", "event", "cert", "intermediates", "roots", "form", "json-body", "any-query", "sha256", "sha512",
		"body-alone", "query-alone", "main-account", "sandbox", "public-key", "media-type", "cert-file", "insecure-allow-sha1", "insecure-sha1",
		"insecure-allow-short-secret", "insecure-body-not-covered", "insecure-distinct-by-delivery-id", "insecure-accept-simulator",
	}
	used := make(map[string]bool)
	for _, s := range sender.All() {
		seen := make(map[string]bool)
		for _, w := range s.Words {
			if !slices.Contains(known, w) || seen[w] {
				t.Errorf("%s has the word %q, which is unknown or twice there", s.Name, w)
			}
			seen[w], used[w] = true, true
		}
	}
	used["claims"] = true // of JSON Web Tokens
	for _, w := range known {
		if !used[w] {
			t.Errorf("no sender has the word %q", w)
		}
	}
}

func TestLine(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"a text", "secret", "secret"},
		{"a line", "secret\n", "secret"},
		{"a line of Windows", "secret\r\n", "secret"},
		{"two line ends", "secret\n\n", "secret\n"},
		{"a carriage return alone", "secret\r", "secret\r"},
		{"spaces", " secret ", " secret "},
		{"nothing", "", ""},
		{"a line end", "\r\n", ""},
		{"64 KiB", strings.Repeat("a", 64<<10), strings.Repeat("a", 64<<10)},
		{"a byte more", strings.Repeat("a", 64<<10+1), ""},
	} {
		if got, err := sender.Line([]byte(tt.text)); got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%s: %q, %v", tt.name, got, err)
		}
	}
	if got := fmt.Sprintf("%v %+v %s %x", sender.Secret{Label: "name", Text: "hunter4711"}, &sender.Secret{Label: "name", Text: "hunter4711"}, sender.Secret{Label: "name", Text: "hunter4711"}, sender.Secret{Label: "name", Text: "hunter4711"}); strings.Contains(got, "hunter") {
		t.Errorf("a secret prints as %s", got)
	}
}
