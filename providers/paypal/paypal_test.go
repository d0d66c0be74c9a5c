package paypal_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/paypal"
	"github.com/hooknotary/hooknotary/providers/paypal/paypaltest"
	"github.com/hooknotary/hooknotary/verify"
)

// accept wants a transmission to be accepted.
func accept(t testing.TB, what string, v *paypal.Verifier, h *verify.Head, body []byte) *verify.Delivery {
	t.Helper()
	d, err := verify.Verify(context.Background(), v, h, body)
	if err != nil {
		t.Fatalf("%s: refused: %v", what, err)
	}
	if !bytes.Equal(d.Body, body) {
		t.Fatalf("%s: the body is another one", what)
	}
	return d
}

// reject wants a transmission to be refused for that reason, and a cause that
// tells the operator something.
func reject(t testing.TB, what string, v *paypal.Verifier, h *verify.Head, body []byte, want verify.Reason, tells string) {
	t.Helper()
	d, err := verify.Verify(context.Background(), v, h, body)
	if d != nil || err == nil {
		t.Fatalf("%s: accepted", what)
	}
	if _, ok := err.(*verify.Error); !ok {
		t.Errorf("%s: the error is a %T", what, err)
	}
	if got := verify.ReasonOf(err); got != want {
		t.Errorf("%s: refused as %v, want %v: %v", what, got, want, err)
	}
	if !strings.Contains(err.Error(), tells) {
		t.Errorf("%s: the error does not tell of %q: %v", what, tells, err)
	}
}

// silent wants that nothing was asked for since n requests.
func silent(t testing.TB, what string, net *memory, n int) {
	t.Helper()
	if asked := net.asked(); len(asked) != n {
		t.Errorf("%s: there were outbound requests: %q", what, asked[n:])
	}
}

func TestNew(t *testing.T) {
	t.Run("a bad webhook id is refused at the start", func(t *testing.T) {
		for _, tt := range []struct {
			name, id, twin, tells string
		}{
			{"an empty id", "", webhookID, "is its environment variable set"},
			{"a blank id", " \t", webhookID, "is its environment variable set"},
			{"an id with a space in front", " " + webhookID, webhookID, "trim"},
			{"an id with a line break behind", webhookID + "\n", webhookID, "trim"},
			{"an id with a no-break space behind", webhookID + "\u00a0", webhookID, "trim"},
			{"the id of the simulator", "WEBHOOK_ID", "WEBHOOKID", "simulator"},
			{"the id of the simulator in lower case", "webhook_id", "webhookid", "letters and digits"},
			{"an id with a hyphen", "8PT59711-0X687430L", webhookID, "letters and digits"},
			{"an id with a bar, which parts the signed message", "8PT597110X687430L|1", "8PT597110X687430L1", "letters and digits"},
			{"an id in quotes", `"8PT597110X687430L"`, webhookID, "letters and digits"},
			{"an id of 51 characters", strings.Repeat("8", 51), strings.Repeat("8", 50), "1 to 50"},
			{"a variable that was not expanded", "${PAYPAL_WEBHOOK_ID}", "PAYPALWEBHOOKID", "letters and digits"},
			{"letters of another script", "８PT597110X687430L", webhookID, "letters and digits"},
			{"a name of the console", "<YOUR-WEBHOOK-ID>", webhookID, "letters and digits"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				v, err := paypal.New(tt.id, nil)
				if v != nil || err == nil {
					t.Fatal("accepted")
				}
				if !strings.HasPrefix(err.Error(), "paypal: ") || !strings.Contains(err.Error(), tt.tells) {
					t.Errorf("the error does not tell what to do: %v", err)
				}
				if _, err := paypal.New(tt.twin, nil); err != nil {
					t.Errorf("the twin is refused: %v", err)
				}
				defer func() {
					if text := fmt.Sprint(recover()); !strings.HasPrefix(text, "paypal.Must: ") || !strings.Contains(text, tt.tells) {
						t.Errorf("Must panics with %q", text)
					}
				}()
				paypal.Must(tt.id)
				t.Error("Must does not panic")
			})
		}
	})

	t.Run("bad options are refused at the start", func(t *testing.T) {
		secret, err := verify.NewKey("app", "1", []byte("EGnHDxD_qRPdaLdZz8iCr8N7_MzF-YHPTkjs6NKYQvQSBngp4PTTVWkPZRbL"))
		must(err)
		root := newAuthority("Root", nil).cert
		for _, tt := range []struct {
			name    string
			id      string
			o, twin paypal.Options
			tells   string
		}{
			{"a negative MaxAge", webhookID, paypal.Options{MaxAge: -1}, paypal.Options{MaxAge: 1}, "MaxAge"},
			{"a MaxAge over the default", webhookID, paypal.Options{MaxAge: 78*time.Hour + 1}, paypal.Options{MaxAge: 78 * time.Hour}, "MaxAge"},
			{"no root in Roots", webhookID, paypal.Options{Roots: []*x509.Certificate{root, nil}}, paypal.Options{Roots: []*x509.Certificate{root, root}}, "Roots"},
			{"no certificate in Intermediates", webhookID, paypal.Options{Intermediates: []*x509.Certificate{nil}}, paypal.Options{Intermediates: []*x509.Certificate{root}}, "Intermediates"},
			{"the simulator without its id", webhookID, paypal.Options{InsecureAcceptSimulator: true}, paypal.Options{}, "WEBHOOK_ID"},
			{"the simulator's id without its option", "WEBHOOK_ID", paypal.Options{}, paypal.Options{InsecureAcceptSimulator: true}, "simulator"},
			{"the simulator with Confirm", "WEBHOOK_ID", paypal.Options{InsecureAcceptSimulator: true, Confirm: &paypal.Confirm{ClientID: "c", Secret: secret}}, paypal.Options{InsecureAcceptSimulator: true}, "Confirm"},
			{"Confirm without a client id", webhookID, paypal.Options{Confirm: &paypal.Confirm{Secret: secret}}, paypal.Options{Confirm: &paypal.Confirm{ClientID: "c", Secret: secret}}, "ClientID"},
			{"Confirm with a space behind the client id", webhookID, paypal.Options{Confirm: &paypal.Confirm{ClientID: "c ", Secret: secret}}, paypal.Options{Confirm: &paypal.Confirm{ClientID: "c", Secret: secret}}, "ClientID"},
			{"Confirm without a secret", webhookID, paypal.Options{Confirm: &paypal.Confirm{ClientID: "c"}}, paypal.Options{Confirm: &paypal.Confirm{ClientID: "c", Secret: secret}}, "Secret"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				v, err := paypal.New(tt.id, &tt.o)
				if v != nil || err == nil || !strings.Contains(err.Error(), tt.tells) {
					t.Errorf("New says %v, want an error that tells of %s", err, tt.tells)
				}
				if _, err := paypal.New(tt.id, &tt.twin); err != nil {
					t.Errorf("the twin is refused: %v", err)
				}
			})
		}
	})
}

func TestDelivery(t *testing.T) {
	t.Run("a delivery says what was signed", func(t *testing.T) {
		w := newWorld()
		h := sent(event)
		d := accept(t, "genuine", w.verifier(t), h, event)
		digest := sha256.Sum256(fmt.Appendf(nil, "%s|%s|%s|%d", h.Header.Get("Paypal-Transmission-Id"), "2029-11-03T17:20:41Z", webhookID, crc32.ChecksumIEEE(event)))
		want := verify.Delivery{
			Provider:    "paypal",
			Scope:       webhookID,
			KeyLabel:    "CERT-360caa42-fca2a594-1d93a270",
			ID:          "WH-2WR32451HC0233532-67976317FL4543714",
			MessageID:   h.Header.Get("Paypal-Transmission-Id"),
			Fingerprint: verify.NewFingerprint(digest),
			SignedAt:    receivedAt,
			ReceivedAt:  receivedAt,
			Binding:     verify.BindingChecksum,
			Body:        event,
		}
		if fmt.Sprintf("%+v", *d) != fmt.Sprintf("%+v", want) || !d.Fingerprint.Equal(want.Fingerprint) {
			t.Errorf("Delivery is\n%+v, want\n%+v", *d, want)
		}
	})

	t.Run("the event's id is taken only in PayPal's form", func(t *testing.T) {
		w := newWorld()
		v := w.verifier(t)
		for _, tt := range []struct{ name, body, want string }{
			{"in front", `{"id":"WH-1","event_type":"X"}`, "WH-1"},
			{"behind the resource, which has one, too", `{"resource":{"id":"WH-0"},"id":"WH-1"}`, "WH-1"},
			{"twice: the first counts", `{"id":"WH-1","id":"WH-2"}`, "WH-1"},
			{"in two parts", `{"id":"WH-2WR32451HC0233532-67976317FL4543714"}`, "WH-2WR32451HC0233532-67976317FL4543714"},
			{"of 128 bytes", `{"id":"WH-` + strings.Repeat("1", 125) + `"}`, "WH-" + strings.Repeat("1", 125)},

			{"of 129 bytes", `{"id":"WH-` + strings.Repeat("1", 126) + `"}`, ""},
			{"without an id", `{"event_type":"X"}`, ""},
			{"without WH in front", `{"id":"I-BW452GLLEP1G"}`, ""},
			{"with WH in lower case", `{"id":"wh-1"}`, ""},
			{"with nothing behind WH", `{"id":"WH-"}`, ""},
			{"with nothing but hyphens behind WH", `{"id":"WH---"}`, ""},
			{"with a slash", `{"id":"WH-1/../2"}`, ""},
			{"with a space", `{"id":"WH-1 2"}`, ""},
			{"with an escape", `{"id":"WH\u002d1"}`, ""},
			{"with its name escaped", `{"\u0069d":"WH-1"}`, ""},
			{"a number", `{"id":1}`, ""},
			{"in an array", `[{"id":"WH-1"}]`, ""},
			{"in no JSON", `WH-1`, ""},
			{"in nothing", ``, ""},
		} {
			t.Run(tt.name, func(t *testing.T) {
				d := accept(t, "signed", v, sent([]byte(tt.body)), []byte(tt.body))
				if d.ID != tt.want {
					t.Errorf("ID is %q, want %q", d.ID, tt.want)
				}
				if d.MessageID == "" || d.Fingerprint.Equal(verify.Fingerprint{}) {
					t.Error("the transmission has no id or no fingerprint")
				}
			})
		}
	})
}

// badHeads returns heads that differ from h in one thing, and what Begin must say
// to them. None of them may cause an outbound request.
func badHeads(h *verify.Head) []struct {
	name string
	head *verify.Head
	want verify.Reason
} {
	const (
		sig, algo, id, timestamp, cert = "Paypal-Transmission-Sig", "Paypal-Auth-Algo", "Paypal-Transmission-Id", "Paypal-Transmission-Time", "Paypal-Cert-Url"
	)
	signature := h.Header.Get(sig)
	raw, err := base64.StdEncoding.DecodeString(signature)
	must(err)
	encoded := func(n int) string { return base64.StdEncoding.EncodeToString(append(raw, raw...)[:n]) }
	type bad = struct {
		name string
		head *verify.Head
		want verify.Reason
	}
	heads := []bad{
		{"no head", nil, verify.ErrMalformed},
		{"no receive time", received(h, time.Time{}), verify.ErrMalformed},
		{"no signature", with(h, sig), verify.ErrUnsigned},
		{"an empty signature", with(h, sig, ""), verify.ErrUnsigned},
		{"two signatures", with(h, sig, signature, signature), verify.ErrMalformed},
		{"two empty signatures", with(h, sig, "", ""), verify.ErrMalformed},
		{"a signature of 255 bytes", with(h, sig, encoded(255)), verify.ErrMalformed},
		{"a signature of 257 bytes, as long in base64", with(h, sig, encoded(257)), verify.ErrMalformed},
		{"a signature of 258 bytes, as long in base64", with(h, sig, encoded(258)), verify.ErrMalformed},
		{"a signature of 128 bytes", with(h, sig, encoded(128)), verify.ErrMalformed},
		{"a signature of 510 bytes", with(h, sig, encoded(510)), verify.ErrMalformed},
		{"a signature of one byte", with(h, sig, "AA=="), verify.ErrMalformed},
		{"a signature without padding", with(h, sig, strings.TrimRight(signature, "=")), verify.ErrMalformed},
		{"a signature with more padding", with(h, sig, signature+"="), verify.ErrMalformed},
		{"a signature in URL-safe base64", with(h, sig, "_-"+signature[2:]), verify.ErrMalformed},
		{"a signature in hexadecimal and a prefix", with(h, sig, "0x"+hex.EncodeToString(raw)), verify.ErrMalformed},
		{"a signature whose last character has a bit too many", with(h, sig, signature[:341]+nextCharacter(signature[341])+"=="), verify.ErrMalformed},
		{"a signature with a space in front", with(h, sig, " "+signature), verify.ErrMalformed},
		{"a signature with a line break in it", with(h, sig, signature[:300]+"\n"+signature[300:]), verify.ErrMalformed},
		{"a signature that is line breaks to the length of another", with(h, sig, signature+strings.Repeat("\n", 512-344)), verify.ErrMalformed},
		{"a signature of 1 MiB", with(h, sig, strings.Repeat("A", 1<<20)), verify.ErrMalformed},

		{"no algorithm", with(h, algo), verify.ErrMalformed},
		{"an empty algorithm", with(h, algo, ""), verify.ErrMalformed},
		{"two algorithms", with(h, algo, "SHA256withRSA", "SHA256withRSA"), verify.ErrMalformed},

		{"no id", with(h, id), verify.ErrMalformed},
		{"an empty id", with(h, id, ""), verify.ErrMalformed},
		{"two ids", with(h, id, h.Header.Get(id), h.Header.Get(id)), verify.ErrMalformed},
		{"an id in upper case", with(h, id, "DFB3BE50-FD74-11E4-8BF3-77339302725B"), verify.ErrMalformed},
		{"an id without hyphens", with(h, id, "dfb3be50fd7411e48bf377339302725b"), verify.ErrMalformed},
		{"an id with a hyphen elsewhere", with(h, id, "dfb3be5-0fd74-11e4-8bf3-77339302725b"), verify.ErrMalformed},
		{"an id with a bar, which parts the signed message", with(h, id, "dfb3be50-fd74-11e4-8bf3-7733930272|b"), verify.ErrMalformed},
		{"an id that is longer", with(h, id, "dfb3be50-fd74-11e4-8bf3-77339302725b0"), verify.ErrMalformed},
		{"an id in braces", with(h, id, "{dfb3be50-fd74-11e4-8bf3-77339302725b}"), verify.ErrMalformed},
		{"an id of 64 KiB", with(h, id, strings.Repeat("d", 64<<10)), verify.ErrMalformed},

		{"no time", with(h, timestamp), verify.ErrMalformed},
		{"an empty time", with(h, timestamp, ""), verify.ErrMalformed},
		{"two times", with(h, timestamp, h.Header.Get(timestamp), h.Header.Get(timestamp)), verify.ErrMalformed},
		{"no certificate URL", with(h, cert), verify.ErrMalformed},
		{"an empty certificate URL", with(h, cert, ""), verify.ErrMalformed},
		{"two certificate URLs", with(h, cert, certURL, certURL), verify.ErrMalformed},
	}
	for _, other := range []string{
		"SHA1withRSA", "sha256withrsa", "SHA256WITHRSA", "SHA256withRSA ", "SHA512withRSA", "SHA256withECDSA", "SHA256withRSA/PSS",
		"SHA256withRSAandMGF1", "MD5withRSA", "NONEwithRSA", "none", "HMACSHA256", "SHA256",
	} {
		heads = append(heads, bad{"the algorithm " + other, with(h, algo, other), verify.ErrUnsigned})
	}
	for what, other := range map[string]string{
		"with a fraction":                 "2029-11-03T17:20:41.000Z",
		"with a fraction behind a comma":  "2029-11-03T17:20:41,5Z",
		"with an offset":                  "2029-11-03T17:20:41+00:00",
		"without a zone":                  "2029-11-03T17:20:41",
		"in lower case":                   "2029-11-03t17:20:41z",
		"with a space in the middle":      "2029-11-03 17:20:41Z",
		"with a space behind":             "2029-11-03T17:20:41Z ",
		"with a short hour":               "2029-11-03T7:20:41Z",
		"with a short month":              "2029-1-03T17:20:41Z",
		"with a leap second":              "2029-11-03T17:20:60Z",
		"with hour 24":                    "2029-11-03T24:00:00Z",
		"with month 19":                   "2029-19-03T17:20:41Z",
		"with day 31 of November":         "2029-11-31T17:20:41Z",
		"with a year of five digits":      "12029-11-03T17:20:41Z",
		"with a sign":                     "+2029-11-03T17:20:41Z",
		"in Unix seconds":                 "1888593641",
		"as in HTTP":                      "Sat, 03 Nov 2029 17:20:41 GMT",
		"with a bar":                      "2029-11-03T17:20:41Z|8",
		"of 64 KiB":                       strings.Repeat("2", 64<<10),
		"with digits of another script":   "2029-11-03T17:20:4１Z",
		"with a zero byte behind":         "2029-11-03T17:20:41Z\x00",
		"with the minutes left out":       "2029-11-03T17Z",
		"with an empty fraction":          "2029-11-03T17:20:41.Z",
		"with seconds of three digits":    "2029-11-03T17:20:041Z",
		"with an offset of no minutes":    "2029-11-03T17:20:41Z00:00",
		"in the basic format of ISO 8601": "20291103T172041Z",
	} {
		heads = append(heads, bad{"a time " + what, with(h, timestamp, other), verify.ErrMalformed})
	}
	for what, other := range badURLs {
		heads = append(heads, bad{"a certificate URL " + what, with(h, cert, other), verify.ErrUntrusted})
	}
	for what, at := range map[string]time.Time{
		"older than the window":    receivedAt.Add(78*time.Hour + 1),
		"ten years old":            receivedAt.AddDate(10, 0, 0),
		"newer than the window":    receivedAt.Add(-5*time.Minute - 1),
		"of the future by a year":  receivedAt.AddDate(-1, 0, 0),
		"of a thousand years ago":  receivedAt.AddDate(1000, 0, 0),
		"from far in the future":   time.Unix(1<<40, 0),
		"from before the Unix age": time.Unix(-1, 0),
	} {
		want := verify.ErrTooOld
		if at.Before(receivedAt) {
			want = verify.ErrTooNew
		}
		heads = append(heads, bad{what, received(h, at), want})
	}
	return heads
}

// nextCharacter returns the character of base64 behind c.
func nextCharacter(c byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	return string(alphabet[strings.IndexByte(alphabet, c)+1])
}

// badURLs are certificate URLs that a live verifier must not fetch.
var badURLs = map[string]string{
	"over plain HTTP":                "http://api.paypal.com/v1/notifications/certs/CERT-1",
	"with its scheme in upper case":  "HTTPS://api.paypal.com/v1/notifications/certs/CERT-1",
	"without a scheme":               "//api.paypal.com/v1/notifications/certs/CERT-1",
	"of a file":                      "file:///v1/notifications/certs/CERT-1",
	"of a file with a host":          "file://api.paypal.com/v1/notifications/certs/CERT-1",
	"over FTP":                       "ftp://api.paypal.com/v1/notifications/certs/CERT-1",
	"with data":                      "data:application/x-pem-file;base64,AAAA",
	"on another host":                "https://evil.example/v1/notifications/certs/CERT-1",
	"on a host that ends alike":      "https://evilapi.paypal.com/v1/notifications/certs/CERT-1",
	"on a host below":                "https://x.api.paypal.com/v1/notifications/certs/CERT-1",
	"on a host that begins alike":    "https://api.paypal.com.evil.example/v1/notifications/certs/CERT-1",
	"on a host that looks alike":     "https://api.paypaI.com/v1/notifications/certs/CERT-1",
	"on a host with a Greek letter":  "https://api.paypαl.com/v1/notifications/certs/CERT-1",
	"on PayPal's website":            "https://www.paypal.com/v1/notifications/certs/CERT-1",
	"on PayPal's domain":             "https://paypal.com/v1/notifications/certs/CERT-1",
	"on the certificate's name":      "https://messageverificationcerts.paypal.com/v1/notifications/certs/CERT-1",
	"in the sandbox":                 "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-1",
	"in the sandbox's new host":      "https://api-m.sandbox.paypal.com/v1/notifications/certs/CERT-1",
	"on a host in upper case":        "https://API.PAYPAL.COM/v1/notifications/certs/CERT-1",
	"on a host with a dot behind":    "https://api.paypal.com./v1/notifications/certs/CERT-1",
	"on a host with a port":          "https://api.paypal.com:443/v1/notifications/certs/CERT-1",
	"on a host with another port":    "https://api.paypal.com:8443/v1/notifications/certs/CERT-1",
	"on a host with an empty port":   "https://api.paypal.com:/v1/notifications/certs/CERT-1",
	"with a user":                    "https://x@api.paypal.com/v1/notifications/certs/CERT-1",
	"with PayPal as the user":        "https://api.paypal.com@evil.example/v1/notifications/certs/CERT-1",
	"with a user and a password":     "https://api.paypal.com:x@evil.example/v1/notifications/certs/CERT-1",
	"with a backslash":               `https://evil.example\@api.paypal.com/v1/notifications/certs/CERT-1`,
	"with backslashes":               `https:\\api.paypal.com\v1\notifications\certs\CERT-1`,
	"on an address":                  "https://127.0.0.1/v1/notifications/certs/CERT-1",
	"on an address of the link":      "https://169.254.169.254/v1/notifications/certs/CERT-1",
	"on an address of version 6":     "https://[::1]/v1/notifications/certs/CERT-1",
	"with another path":              "https://api.paypal.com/v1/notifications/test",
	"with nothing behind the path":   "https://api.paypal.com/v1/notifications/certs/",
	"with a path that goes up":       "https://api.paypal.com/v1/notifications/certs/../../x",
	"with a path of two dots":        "https://api.paypal.com/v1/notifications/certs/..",
	"with a second segment":          "https://api.paypal.com/v1/notifications/certs/CERT-1/x",
	"with a slash behind":            "https://api.paypal.com/v1/notifications/certs/CERT-1/",
	"with a slash in front":          "https://api.paypal.com//v1/notifications/certs/CERT-1",
	"with an escaped slash":          "https://api.paypal.com/v1/notifications/certs/CERT%2F1",
	"with an escape":                 "https://api.paypal.com/v1/notifications/certs/%43ERT-1",
	"with a path in upper case":      "https://api.paypal.com/V1/notifications/certs/CERT-1",
	"with an escape in the path":     "https://api.paypal.com/v1/notifications/cert%73/CERT-1",
	"with a query":                   "https://api.paypal.com/v1/notifications/certs/CERT-1?x",
	"with an empty query":            "https://api.paypal.com/v1/notifications/certs/CERT-1?",
	"with a fragment":                "https://api.paypal.com/v1/notifications/certs/CERT-1#x",
	"with an empty fragment":         "https://api.paypal.com/v1/notifications/certs/CERT-1#",
	"with a parameter":               "https://api.paypal.com/v1/notifications/certs/CERT-1;x",
	"with a dot":                     "https://api.paypal.com/v1/notifications/certs/CERT-1.pem",
	"with an underscore":             "https://api.paypal.com/v1/notifications/certs/CERT_1",
	"with a space in front":          " https://api.paypal.com/v1/notifications/certs/CERT-1",
	"with a space behind":            "https://api.paypal.com/v1/notifications/certs/CERT-1 ",
	"with a line break behind":       "https://api.paypal.com/v1/notifications/certs/CERT-1\r\nHost: evil.example",
	"with a zero byte":               "https://api.paypal.com/v1/notifications/certs/CERT-1\x00",
	"with a letter of ten bits":      "https://api.paypal.com/v1/notifications/certs/CERT-é",
	"with a name of 129 characters":  "https://api.paypal.com/v1/notifications/certs/" + strings.Repeat("C", 129),
	"with a name of a mebibyte":      "https://api.paypal.com/v1/notifications/certs/" + strings.Repeat("C", 1<<20),
	"behind another one":             "https://evil.example/https://api.paypal.com/v1/notifications/certs/CERT-1",
	"and another one":                certURL + "," + certURL,
	"that is the host alone":         "https://api.paypal.com",
	"that is no URL":                 "CERT-360caa42",
	"with a proxy's scheme":          "https://api.paypal.com%2f@evil.example/v1/notifications/certs/CERT-1",
	"with a zone in its address":     "https://[::1%25api.paypal.com]/v1/notifications/certs/CERT-1",
	"with a tab in its host":         "https://api.paypal\t.com/v1/notifications/certs/CERT-1",
	"with a soft hyphen in its host": "https://api.pay\u00adpal.com/v1/notifications/certs/CERT-1",
}

func TestHead(t *testing.T) {
	t.Run("a bad head is refused without an outbound request", func(t *testing.T) {
		w := newWorld()
		h := sent(event)
		v := w.verifier(t)
		for _, tt := range badHeads(h) {
			t.Run(tt.name, func(t *testing.T) {
				p, err := v.Begin(context.Background(), tt.head)
				if p != nil || err == nil {
					t.Fatal("Begin accepted")
				}
				if got := verify.ReasonOf(err); got != tt.want {
					t.Errorf("refused as %v, want %v: %v", got, tt.want, err)
				}
				if tt.head != nil {
					for _, values := range tt.head.Header {
						if len(values) > 0 && len(values[0]) > 20 && strings.Contains(err.Error(), values[0]) {
							t.Errorf("the error holds a header: %v", err)
						}
					}
				}
				silent(t, tt.name, w.net, 0)
			})
		}
		accept(t, "the twin of all of them", v, h, event)
		if asked := w.net.asked(); len(asked) != 2 {
			t.Errorf("for the twin, the requests are %q, want the certificate's and its issuer's", asked)
		}
	})

	t.Run("a certificate URL of either host is good", func(t *testing.T) {
		for _, tt := range []struct {
			url     string
			sandbox bool
		}{
			{"https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-1d93a270", false},
			{"https://api-m.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-1d93a270", false},
			{"https://api.paypal.com/v1/notifications/certs/" + strings.Repeat("C", 128), false},
			{"https://api.paypal.com/v1/notifications/certs/0", false},
			{"https://api.sandbox.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-1d93a270", true},
			{"https://api-m.sandbox.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-1d93a270", true},
		} {
			t.Run(tt.url, func(t *testing.T) {
				w := newWorld()
				subject := liveName
				if tt.sandbox {
					subject = sandboxName
				}
				w.hosts.file(tt.url, inPEM(w.issuer.leaf(leafKey().Public(), name(subject, subject))))
				v := w.verifier(t, func(o *paypal.Options) { o.Sandbox = tt.sandbox })
				accept(t, "genuine", v, sentUnder(tt.url, leafKey(), receivedAt, event), event)
				if got, want := w.net.asked()[0], "GET "+tt.url; got != want {
					t.Errorf("the first request is %q, want %q", got, want)
				}
			})
		}
	})

	// Only the host, the name and the option may differ between the two.
	t.Run("live and sandbox never cross", func(t *testing.T) {
		for _, sandbox := range []bool{false, true} {
			for _, url := range []string{certURL, sandboxURL} {
				for _, subject := range []string{liveName, sandboxName} {
					what := fmt.Sprintf("sandbox %v, %s, a certificate for %s", sandbox, url[:30], subject)
					t.Run(what, func(t *testing.T) {
						w := newWorld()
						w.hosts.file(url, inPEM(w.issuer.leaf(leafKey().Public(), name(subject, subject))))
						v := w.verifier(t, func(o *paypal.Options) { o.Sandbox = sandbox })
						h := sentUnder(url, leafKey(), receivedAt, event)
						switch {
						case sandbox != (url == sandboxURL):
							reject(t, what, v, h, event, verify.ErrUntrusted, "live against sandbox")
							silent(t, what, w.net, 0)
						case sandbox != (subject == sandboxName):
							reject(t, what, v, h, event, verify.ErrUntrusted, "not in the name")
						default:
							accept(t, what, v, h, event)
						}
					})
				}
			}
		}
	})

	t.Run("the window has two ends", func(t *testing.T) {
		const hour = time.Hour
		for _, tt := range []struct {
			name   string
			maxAge time.Duration
			past   time.Duration
		}{
			{"is 3 days and 6 hours into the past by default", 0, 78 * hour},
			{"can be told to be that", 78 * hour, 78 * hour},
			{"can be narrowed to 5 minutes", 5 * time.Minute, 5 * time.Minute},
			{"can be narrowed to a second", time.Second, time.Second},
		} {
			t.Run(tt.name, func(t *testing.T) {
				w := newWorld()
				v := w.verifier(t, func(o *paypal.Options) { o.MaxAge = tt.maxAge })
				if got, want := v.Profile().Window, (verify.Window{Past: tt.past, Future: 5 * time.Minute}); got != want {
					t.Errorf("the profile's window is %v, want %v", got, want)
				}
				h := sent(event)
				reject(t, "too old by a nanosecond", v, received(h, receivedAt.Add(tt.past+1)), event, verify.ErrTooOld, "")
				reject(t, "too new by a nanosecond", v, received(h, receivedAt.Add(-5*time.Minute-1)), event, verify.ErrTooNew, "")
				silent(t, "outside of the window", w.net, 0)
				for _, at := range []time.Time{receivedAt.Add(tt.past), receivedAt.Add(-5 * time.Minute), receivedAt} {
					d := accept(t, at.String(), v, received(h, at), event)
					if !d.SignedAt.Equal(receivedAt) || !d.ReceivedAt.Equal(at) {
						t.Errorf("signed at %v and received at %v", d.SignedAt, d.ReceivedAt)
					}
				}
			})
		}
	})

	t.Run("the simulator is refused unless it is allowed", func(t *testing.T) {
		pp := paypaltest.New("WEBHOOK_ID")
		simulator, err := paypal.New("WEBHOOK_ID", &paypal.Options{Transport: pp, Roots: pp.Roots(), InsecureAcceptSimulator: true})
		must(err)
		ours, err := paypal.New(webhookID, &paypal.Options{Transport: pp, Roots: pp.Roots()})
		must(err)
		head := func() *verify.Head {
			return &verify.Head{Header: pp.Header(receivedAt, event), ReceivedAt: receivedAt}
		}
		t.Run("verifies under its own id only", func(t *testing.T) {
			h := head()
			reject(t, "against a real webhook", ours, h, event, verify.ErrMismatch, "")
			accept(t, "against the simulator's", simulator, h, event)
			reject(t, "ours against the simulator's", simulator, with(sent(event), "Paypal-Cert-Url", pp.CertURL()), event, verify.ErrMismatch, "")
		})
		t.Run("repeats the ids of its events, so each transmission is an event", func(t *testing.T) {
			one, two := accept(t, "one", simulator, head(), event), accept(t, "two", simulator, head(), event)
			if one.ID != one.MessageID || two.ID != two.MessageID || one.ID == two.ID {
				t.Errorf("the ids are %q and %q of transmissions %q and %q", one.ID, two.ID, one.MessageID, two.MessageID)
			}
		})
	})
}

func TestSignature(t *testing.T) {
	t.Run("a signature of another kind is refused", func(t *testing.T) {
		w := newWorld()
		v := w.verifier(t)
		h := sent(event)
		key := leafKey()
		message := fmt.Appendf(nil, "%s|%s|%s|%d", h.Header.Get("Paypal-Transmission-Id"), h.Header.Get("Paypal-Transmission-Time"), webhookID, crc32.ChecksumIEEE(event))
		sum1, sum256, sum512 := sha1.Sum(message), sha256.Sum256(message), sha512.Sum512(message)
		sign := func(key *rsa.PrivateKey, hash crypto.Hash, digest []byte) string {
			signature, err := rsa.SignPKCS1v15(nil, key, hash, digest)
			must(err)
			return base64.StdEncoding.EncodeToString(signature)
		}
		text := func(format string, args ...any) string {
			digest := sha256.Sum256(fmt.Appendf(nil, format, args...))
			return sign(key, crypto.SHA256, digest[:])
		}
		id, timestamp, crc := h.Header.Get("Paypal-Transmission-Id"), h.Header.Get("Paypal-Transmission-Time"), crc32.ChecksumIEEE(event)
		pss, err := rsa.SignPSS(rand.Reader, key, crypto.SHA256, sum256[:], nil)
		must(err)
		for what, signature := range map[string]string{
			"SHA-1":                                   sign(key, crypto.SHA1, sum1[:]),
			"SHA-512":                                 sign(key, crypto.SHA512, sum512[:]),
			"SHA-256 without its name":                sign(key, 0, sum256[:]),
			"PSS":                                     base64.StdEncoding.EncodeToString(pss),
			"another key":                             sign(otherKey(), crypto.SHA256, sum256[:]),
			"zeros":                                   base64.StdEncoding.EncodeToString(make([]byte, 256)),
			"a number over the modulus":               base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{0xff}, 256)),
			"the modulus":                             base64.StdEncoding.EncodeToString(key.N.Bytes()),
			"the message of another webhook":          text("%s|%s|%s|%d", id, timestamp, "8PT597110X687430M", crc),
			"the message of the simulator":            text("%s|%s|%s|%d", id, timestamp, "WEBHOOK_ID", crc),
			"the message without a webhook":           text("%s|%s||%d", id, timestamp, crc),
			"the message of another transmission":     text("%s|%s|%s|%d", newID(), timestamp, webhookID, crc),
			"the message of another time":             text("%s|%s|%s|%d", id, "2029-11-03T17:20:42Z", webhookID, crc),
			"the message with CRC-32C":                text("%s|%s|%s|%d", id, timestamp, webhookID, crc32.Checksum(event, crc32.MakeTable(crc32.Castagnoli))),
			"the message with CRC-32 in hexadecimal":  text("%s|%s|%s|%08x", id, timestamp, webhookID, crc),
			"the message with CRC-32 and a zero":      text("%s|%s|%s|0%d", id, timestamp, webhookID, crc),
			"the message with CRC-32 as signed":       text("%s|%s|%s|%d", id, timestamp, webhookID, int64(crc)-1<<32),
			"the message with the body in its place":  text("%s|%s|%s|%s", id, timestamp, webhookID, event),
			"the message with a line break behind":    text("%s|%s|%s|%d\n", id, timestamp, webhookID, crc),
			"the message with its parts in disorder":  text("%s|%s|%s|%d", timestamp, id, webhookID, crc),
			"the message with the CRC-32 of no bytes": text("%s|%s|%s|%d", id, timestamp, webhookID, 0),
		} {
			t.Run(what, func(t *testing.T) {
				reject(t, what, v, with(h, "Paypal-Transmission-Sig", signature), event, verify.ErrMismatch, "")
			})
		}
		accept(t, "the twin of all of them", v, with(h, "Paypal-Transmission-Sig", text("%s|%s|%s|%d", id, timestamp, webhookID, crc)), event)
	})

	t.Run("keys of all lengths verify", func(t *testing.T) {
		t.Parallel()
		lengths := []int{2048, 3072}
		if !testing.Short() && !slow() {
			lengths = append(lengths, 4096)
		}
		for _, bits := range lengths {
			t.Run(fmt.Sprint(bits), func(t *testing.T) {
				t.Parallel()
				key := leafKey()
				if bits != 2048 {
					key = rsaKey(bits)
				}
				w := newWorld()
				w.hosts.file(certURL, inPEM(w.issuer.leaf(key.Public())))
				v := w.verifier(t)
				h := sentUnder(certURL, key, receivedAt, event)
				reject(t, "another body", v, h, event[1:], verify.ErrMismatch, "")
				if bits != 2048 {
					reject(t, "a signature of another length", v, sent(event), event, verify.ErrMalformed, "length of the key")
				}
				accept(t, "genuine", v, h, event)
			})
		}
	})
}

func TestEmbeddedRoots(t *testing.T) {
	t.Run("they are DigiCert's", func(t *testing.T) {
		for file, tt := range map[string]struct{ sum, system string }{
			"digicert-high-assurance-ev-root-ca.pem": {"7431e5f4c3c1ce4690774f0b61e05440883ba9a01ed00ba6abd7806ed3b118cf", "DigiCert_High_Assurance_EV_Root_CA.crt"},
			"digicert-global-root-g2.pem":            {"cb3ccbb76031e5e0138f8dd39a23f9de47ffc35e43c1144cea27d46a5ab1cb5f", "DigiCert_Global_Root_G2.crt"},
		} {
			t.Run(file, func(t *testing.T) {
				read := func(path string) *x509.Certificate {
					text, err := os.ReadFile(path)
					if errors.Is(err, os.ErrNotExist) {
						return nil
					}
					must(err)
					block, rest := pem.Decode(text)
					if block == nil || len(bytes.TrimSpace(rest)) != 0 {
						t.Fatalf("%s is not one block of PEM", path)
					}
					cert, err := x509.ParseCertificate(block.Bytes)
					must(err)
					return cert
				}
				cert := read(filepath.Join("roots", file))
				if got := fmt.Sprintf("%x", sha256.Sum256(cert.Raw)); got != tt.sum {
					t.Errorf("its SHA-256 is %s, want %s", got, tt.sum)
				}
				if !bytes.Equal(cert.RawIssuer, cert.RawSubject) || !cert.IsCA {
					t.Error("it is no root")
				}
				if system := read(filepath.Join("/usr/share/ca-certificates/mozilla", tt.system)); system != nil && !system.Equal(cert) {
					t.Error("the system has another certificate of this name")
				}
			})
		}
		if files, err := filepath.Glob("roots/*"); err != nil || len(files) != 2 {
			t.Errorf("roots holds %q, want the two that are checked here", files)
		}
	})

	// Runs itself in a process that finds
	// none of the system.
	t.Run("a machine without roots has them", func(t *testing.T) {
		if os.Getenv("SSL_CERT_FILE") != os.DevNull {
			program, err := os.Executable()
			must(err)
			cmd := exec.Command(program, "-test.run=^"+t.Name()+"$", "-test.v")
			cmd.Env = append(os.Environ(), "SSL_CERT_FILE="+os.DevNull, "SSL_CERT_DIR="+t.TempDir())
			if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("--- PASS: "+t.Name())) {
				t.Errorf("%v: %s", err, out)
			}
			return
		}
		own := newAuthority("Own Root", nil).cert
		v, err := paypal.New(webhookID, &paypal.Options{Roots: []*x509.Certificate{own}})
		must(err)
		want := x509.NewCertPool()
		want.AddCert(own)
		for _, file := range []string{"digicert-high-assurance-ev-root-ca.pem", "digicert-global-root-g2.pem"} {
			text, err := os.ReadFile(filepath.Join("roots", file))
			must(err)
			want.AppendCertsFromPEM(text)
		}
		if !paypal.RootsOf(v).Equal(want) {
			t.Error("the roots are not the embedded ones and the one of Options")
		}
	})
}

func TestSecrecy(t *testing.T) {
	t.Run("a verifier in use prints its name alone", func(t *testing.T) {
		v, err := paypal.New(webhookID, nil)
		must(err)
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%c"} {
			for _, value := range []any{v, *v} {
				want := "paypal.Verifier"
				if text := fmt.Sprintf(verb, value); text != want {
					t.Errorf("%s of %T is %q, want %q", verb, value, text, want)
				}
			}
		}
	})
	t.Run("secrets print nowhere", func(t *testing.T) {
		const secret = "EGnHDxD_qRPdaLdZz8iCr8N7_MzF-YHPTkjs6NKYQvQSBngp4PTTVWkPZRbL"
		w := newWorld()
		api := newAPI()
		w.hosts.handle(liveAPI, api.ServeHTTP)
		key, err := verify.NewKey("app", "2026", []byte(secret))
		must(err)
		o := paypal.Options{Roots: []*x509.Certificate{w.root.cert}, Transport: w.net, Confirm: &paypal.Confirm{ClientID: clientID, Secret: key}}
		v, err := paypal.New(webhookID, &o)
		must(err)
		h := sent(event)
		p, err := v.Begin(context.Background(), h)
		must(err)
		d, err := p.Finish(context.Background(), event)
		must(err)
		if n := len(api.tokens()); n != 1 {
			t.Fatalf("%d tokens were fetched, want one to look for", n)
		}
		api.response = func(apiCall) (int, string) { return 500, secret }
		_, failed := verify.Verify(context.Background(), v, h, event)
		api.response = func(apiCall) (int, string) { return 200, `{"verification_status":"FAILURE"}` }
		_, mismatch := verify.Verify(context.Background(), v, h, event)
		if failed == nil || mismatch == nil {
			t.Fatal("accepted")
		}
		type holder struct{ value any }
		for what, value := range map[string]any{
			"Options": o, "*Options": &o, "Confirm": *o.Confirm, "*Confirm": o.Confirm, "*Verifier": v, "Verifier": *v,
			"Pending": p, "*Delivery": d, "a failure": failed, "a refusal": mismatch, "in a field": holder{v}, "Options in a field": holder{o},
		} {
			t.Run(what, func(t *testing.T) {
				var texts []string
				for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%c", "%U"} {
					texts = append(texts, fmt.Sprintf(verb, value))
				}
				if text, err := json.Marshal(value); err == nil {
					texts = append(texts, string(text))
				}
				var log strings.Builder
				slog.New(slog.NewTextHandler(&log, nil)).Info("m", "value", value)
				slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "value", value)
				texts = append(texts, log.String())
				for _, needle := range []string{secret, api.token(1), base64.StdEncoding.EncodeToString([]byte(clientID + ":" + secret))} {
					for _, form := range []string{needle, hex.EncodeToString([]byte(needle)), strings.ToUpper(hex.EncodeToString([]byte(needle))), strings.Trim(fmt.Sprint([]byte(needle)), "[]")} {
						for _, text := range texts {
							if strings.Contains(text, form) {
								t.Fatalf("a secret prints: %.300s", text)
							}
						}
					}
				}
			})
		}
	})
}
