package providertest_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/providertest"
	"github.com/hooknotary/hooknotary/providers/providertest/signer"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// form is a definition, and what its vectors need.
type form struct {
	name       string
	definition scheme.Definition
	secret     string
	options    string // lines of each vector
	fields     map[string]string
}

// forms are definitions that use the engine in every way.
var forms = []form{
	{
		name: "a signed id in a header, a list in base64, a key in base64",
		definition: scheme.Definition{
			Signatures: []scheme.Signature{{Header: "webhook-signature", Field: "v1", Separator: " ", Assign: ",", Encoding: scheme.Base64}},
			Timestamp:  scheme.Timestamp{Header: "webhook-timestamp"},
			Message: []scheme.Part{
				scheme.Field("webhook-id"), scheme.Literal("."), scheme.SignedTime(), scheme.Literal("."), scheme.Body(),
			},
			ID:     scheme.ID{Header: "webhook-id", Prefix: "msg_"},
			Secret: scheme.Secret{Encoding: scheme.Base64Secret, Prefix: "whsec_", Refuse: []string{"whpk_"}},
			Retry:  verify.RetryResigned,
		},
		secret: "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
		fields: map[string]string{"Webhook-Id": "msg_2b1QfXa0ZkC7u3Rr"},
	},
	{
		name: "the URL of the endpoint",
		definition: scheme.Definition{
			Signatures: []scheme.Signature{{Header: "X-Square-HmacSha256-Signature", Encoding: scheme.Base64}},
			Message:    []scheme.Part{scheme.URL(), scheme.Body()},
			ID:         scheme.ID{Member: "event_id"},
			Retry:      verify.RetryIdentical,
		},
		options: "# option: url " + endpointURL + "\n",
	},
	{
		name: "milliseconds in a list, SHA-512, a short window",
		definition: scheme.Definition{
			MediaType:  "text/plain",
			Signatures: []scheme.Signature{{Header: "Acme-Signature", Field: "sig", Separator: ";", Assign: ":", Algorithm: scheme.HMACSHA512}},
			Timestamp:  scheme.Timestamp{Field: "at", Unit: scheme.Milliseconds, Window: verify.Window{Past: time.Minute, Future: time.Second}},
			Message:    []scheme.Part{scheme.SignedTime(), scheme.Literal("\n"), scheme.Body()},
			ID:         scheme.ID{Member: "event_id"},
			Retry:      verify.RetryResigned,
		},
		options: "# option: window 1s\n",
	},
	{
		name: "two hashes, and a header that is signed and no id",
		definition: scheme.Definition{
			Signatures: []scheme.Signature{
				{Header: "X-Sig-256", Prefix: "sha256="}, {Header: "X-Sig", Prefix: "sha1=", Algorithm: scheme.InsecureHMACSHA1},
			},
			Message: []scheme.Part{scheme.Field("X-Kind"), scheme.Literal("|"), scheme.Body()},
			Retry:   verify.RetryNever,
		},
		fields: map[string]string{"X-Kind": "push"},
	},
	{
		name: "partitions, and the unsigned id",
		definition: scheme.Definition{
			Signatures: []scheme.Signature{{Header: "X-Sig"}},
			Message:    []scheme.Part{scheme.Body()},
			UnsignedID: "X-Delivery", UnsignedType: "X-Topic", Partition: "X-Topic", Partitions: []string{"orders/create", "orders/paid"},
			Retry: verify.RetryIdentical,
		},
		options: "# option: distinct by unsigned id\n",
		fields:  map[string]string{"X-Delivery": "1", "X-Topic": "orders/create"},
	},
	{
		name: "a form of one field",
		definition: scheme.Definition{
			MediaType: "application/x-www-form-urlencoded", BodyPrefix: "payload=",
			Signatures: []scheme.Signature{{Header: "X-Sig"}},
			Message:    []scheme.Part{scheme.Body()},
			Retry:      verify.RetryNever,
		},
	},
}

// knobs are definitions that use what fewer senders need.
var knobs = []form{
	{
		name: "a list with blanks, milliseconds",
		definition: scheme.Definition{
			Signatures: []scheme.Signature{{Header: "X-Sig", Field: "v1", Separator: ",", Assign: "=", Blanks: true}},
			Timestamp:  scheme.Timestamp{Field: "t", Unit: scheme.Milliseconds},
			Message:    []scheme.Part{scheme.SignedTime(), scheme.Literal("."), scheme.Body()},
			ID:         scheme.ID{Member: "event_id"},
			Retry:      verify.RetryResigned,
		},
	},
	{
		name: "a list of bare values, the time first",
		definition: scheme.Definition{
			Signatures: []scheme.Signature{{Header: "X-Sig", Separator: ","}},
			Timestamp:  scheme.Timestamp{First: true, Unit: scheme.Milliseconds},
			Message:    []scheme.Part{scheme.SignedTime(), scheme.Literal("."), scheme.Body()},
			Retry:      verify.RetryNever,
		},
	},
	{
		name: "a list of bare values behind one prefix",
		definition: scheme.Definition{
			Signatures: []scheme.Signature{{Header: "X-Sig", Prefix: "v0=", Separator: ","}},
			Timestamp:  scheme.Timestamp{Header: "X-Time"},
			Message:    []scheme.Part{scheme.SignedTime(), scheme.Literal("."), scheme.Body()},
			Retry:      verify.RetryNever,
		},
	},
	{
		name: "two headers, a constant, a date",
		definition: scheme.Definition{
			Signatures: []scheme.Signature{{Header: "X-Sig-Primary", More: []string{"x-sig-secondary"}, Encoding: scheme.Base64}},
			Timestamp:  scheme.Timestamp{Header: "X-Time", Unit: scheme.RFC3339},
			Message:    []scheme.Part{scheme.Body(), scheme.SignedTime()},
			Constants:  []scheme.Constant{{Header: "x-sig-version", Value: "1"}, {Header: "X-Sig-Algorithm", Value: "HmacSHA256"}},
			Retry:      verify.RetryNever,
		},
	},
	{
		name: "a header that is repeated",
		definition: scheme.Definition{
			Signatures: []scheme.Signature{{Header: "X-Sig", Prefix: "sha256=", Repeated: true}},
			Message:    []scheme.Part{scheme.Body()},
			Retry:      verify.RetryNever,
		},
	},
	{
		name: "two names of each header",
		definition: scheme.Definition{
			Signatures: []scheme.Signature{{Header: "webhook-signature", Field: "v1", Separator: " ", Assign: ",", Encoding: scheme.Base64}},
			Timestamp:  scheme.Timestamp{Header: "webhook-timestamp"},
			Message: []scheme.Part{
				scheme.Field("webhook-id"), scheme.Literal("."), scheme.SignedTime(), scheme.Literal("."), scheme.Body(),
			},
			ID: scheme.ID{Header: "webhook-id"},
			Aliases: []scheme.Alias{
				{Header: "webhook-signature", Other: "svix-signature"}, {Header: "webhook-timestamp", Other: "svix-timestamp"}, {Header: "webhook-id", Other: "svix-id"},
			},
			Secret: scheme.Secret{Encoding: scheme.Base64Secret, Prefix: "whsec_", PrefixRequired: true},
			Retry:  verify.RetryResigned,
		},
		secret: "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
		fields: map[string]string{"Webhook-Id": "msg_2b1QfXa0ZkC7u3Rr"},
	},
	{
		name: "upper-case hexadecimal, a key in hexadecimal",
		definition: scheme.Definition{
			Signatures: []scheme.Signature{{Header: "X-Sig", Prefix: "sha512=", Algorithm: scheme.HMACSHA512, Encoding: scheme.UpperHex}},
			Message:    []scheme.Part{scheme.Body()},
			Secret:     scheme.Secret{Encoding: scheme.HexSecret},
			Retry:      verify.RetryIdentical,
		},
		secret: "8F742231B10E8888ABCD99C1D2E385A5",
	},
	{
		name: "URL-safe base64, a text behind a prefix, a date without a zone",
		definition: scheme.Definition{
			Signatures: []scheme.Signature{{Header: "X-Sig", Encoding: scheme.Base64URL}},
			Timestamp:  scheme.Timestamp{Header: "X-Time", Unit: scheme.ISO8601},
			Message:    []scheme.Part{scheme.Literal("v1:"), scheme.SignedTime(), scheme.Literal(":"), scheme.Body()},
			Secret:     scheme.Secret{Prefix: "key_"},
			Retry:      verify.RetryNever,
		},
		secret: "key_8f742231b10e8888abcd99c1d2e385a5",
	},
	{
		name: "URL-safe base64 without padding, in a list, the method and the URL",
		definition: scheme.Definition{
			Signatures: []scheme.Signature{{Header: "X-Sig", Field: "v1", Separator: ",", Assign: "=", Encoding: scheme.RawBase64URL}},
			Timestamp:  scheme.Timestamp{Field: "t"},
			Message:    []scheme.Part{scheme.Method(), scheme.URL(), scheme.Body(), scheme.SignedTime()},
			Retry:      verify.RetryNever,
		},
		options: "# option: url " + endpointURL + "\n",
	},
	{
		name: "a UUID, a date and the body, with nothing between them, and a header behind the body",
		definition: scheme.Definition{
			Signatures: []scheme.Signature{{Header: "X-Sig", Prefix: "sha256="}},
			Timestamp:  scheme.Timestamp{Header: "X-Time", Unit: scheme.RFC3339},
			Message: []scheme.Part{
				scheme.UUIDField("X-Id"), scheme.SignedTime(), scheme.FixedField("X-Kind", 4), scheme.Body(), scheme.Literal("."), scheme.Field("X-Topic"),
			},
			ID:    scheme.ID{Header: "X-Id"},
			Retry: verify.RetryResigned,
		},
		fields: map[string]string{"X-Id": "0b79bab5-0f3c-4a0e-a2ef-1d6ff3b8e2a1", "X-Kind": "push", "X-Topic": "orders/paid"},
	},
}

// privateKeys returns definitions whose sender signs with a private key.
func privateKeys() []form {
	return []form{
		{
			name: "Ed25519 in a list",
			definition: scheme.Definition{
				Signatures: []scheme.Signature{{Header: "webhook-signature", Field: "v1a", Separator: " ", Assign: ",", Encoding: scheme.Base64, Algorithm: scheme.Ed25519}},
				Timestamp:  scheme.Timestamp{Header: "webhook-timestamp"},
				Message: []scheme.Part{
					scheme.Field("webhook-id"), scheme.Literal("."), scheme.SignedTime(), scheme.Literal("."), scheme.Body(),
				},
				ID:    scheme.ID{Header: "webhook-id"},
				Retry: verify.RetryResigned,
			},
			secret: "whsk_C2FVsBQIhrscChlQIMV+b5sSYspob7oDC2FVsBQIhrs=",
			fields: map[string]string{"Webhook-Id": "msg_2b1QfXa0ZkC7u3Rr"},
		},
		{
			name: "Ed25519 over the body alone, in hexadecimal",
			definition: scheme.Definition{
				Signatures: []scheme.Signature{{Header: "X-Sig", Algorithm: scheme.Ed25519}},
				Message:    []scheme.Part{scheme.Body()},
				Retry:      verify.RetryIdentical,
			},
			secret: "whsk_C2FVsBQIhrscChlQIMV+b5sSYspob7oDC2FVsBQIhrs=",
		},
		{
			name: "ECDSA",
			definition: scheme.Definition{
				Signatures: []scheme.Signature{{Header: "X-Sig", Prefix: "v1=", Encoding: scheme.Base64, Algorithm: scheme.ECDSAP256SHA256}},
				Timestamp:  scheme.Timestamp{Header: "X-Time"},
				Message:    []scheme.Part{scheme.SignedTime(), scheme.Literal("."), scheme.Body()},
				Retry:      verify.RetryIdentical,
			},
			secret: pkcs8(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)),
		},
		{
			name: "RSA",
			definition: scheme.Definition{
				Signatures: []scheme.Signature{{Header: "X-Sig", Encoding: scheme.Base64, Algorithm: scheme.RSASHA256}},
				Message:    []scheme.Part{scheme.Body()},
				ID:         scheme.ID{Member: "event_id"},
				Retry:      verify.RetryNever,
			},
			secret: pkcs8(rsa.GenerateKey(rand.Reader, 3072)),
		},
	}
}

// pkcs8 returns a new private key as text that the signer reads.
func pkcs8(key any, err error) string {
	if err != nil {
		panic(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(der)
}

// inBody are definitions whose time stands in the body, and bare hashes.
var inBody = []form{
	{
		name: "a time in the body",
		definition: scheme.Definition{
			Signatures: []scheme.Signature{{Header: "X-Sig"}},
			Timestamp:  scheme.Timestamp{Member: "sent_at", Unit: scheme.Milliseconds, Window: verify.Window{Past: time.Minute, Future: time.Minute}},
			Message:    []scheme.Part{scheme.Body()},
			ID:         scheme.ID{Member: "event_id"},
			Retry:      verify.RetryIdentical,
		},
	},
	{
		name: "a time in the body, several signatures",
		definition: scheme.Definition{
			Signatures: []scheme.Signature{{Header: "X-Sig", Separator: ",", Algorithm: scheme.HMACSHA512}},
			Timestamp:  scheme.Timestamp{Member: "sent_at", Unit: scheme.Milliseconds},
			Message:    []scheme.Part{scheme.Literal("v1."), scheme.BodySHA256()},
			Retry:      verify.RetryIdentical,
		},
	},
	{
		name: "the hash of the body",
		definition: scheme.Definition{
			Signatures: []scheme.Signature{{Header: "X-Sig", Encoding: scheme.Base64}},
			Timestamp:  scheme.Timestamp{Header: "X-Time"},
			Message:    []scheme.Part{scheme.Method(), scheme.Literal("\n"), scheme.BodySHA256(), scheme.Literal("\n"), scheme.SignedTime(), scheme.Field("X-Kind")},
			Retry:      verify.RetryNever,
		},
		fields: map[string]string{"X-Kind": "push"},
	},
	{
		name: "a bare hash, the secret in front",
		definition: scheme.Definition{
			Signatures: []scheme.Signature{{Header: "X-Sig", Algorithm: scheme.InsecureSHA256}},
			Message:    []scheme.Part{scheme.SecretText(), scheme.Method(), scheme.URL(), scheme.Body()},
			Retry:      verify.RetryNever,
		},
		options: "# option: url " + endpointURL + "\n",
	},
	{
		name: "a bare SHA-1 in a list, the time and the secret behind the body",
		definition: scheme.Definition{
			Signatures: []scheme.Signature{{Header: "X-Sig", Separator: ",", Algorithm: scheme.InsecureSHA1}},
			Timestamp:  scheme.Timestamp{Header: "X-Time"},
			Message:    []scheme.Part{scheme.Body(), scheme.SignedTime(), scheme.SecretText()},
			Retry:      verify.RetryNever,
		},
	},
}

const endpointURL = "https://shop.example/hooks?shop=7"

// vectors writes the vectors of a definition to a folder. They are signed by the signer,
// so they say nothing about any provider.
func vectors(t testing.TB, d scheme.Definition, secret, options string, fields map[string]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	at := time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
	timed := d.Timestamp != (scheme.Timestamp{})
	write := func(name, expect, twin string, received time.Time, signed, body string, edit func(h http.Header)) {
		t.Helper()
		signed, body = d.BodyPrefix+signed, d.BodyPrefix+body
		h, err := signer.Header(d, signer.Delivery{At: at, Body: []byte(signed), URL: endpointURL, Fields: fields, Secrets: []string{secret}})
		if err != nil {
			t.Fatal(err)
		}
		edit(h)
		var b strings.Builder
		held := secret
		if public, err := signer.Public(secret); err == nil {
			held = public
		}
		fmt.Fprintf(&b, "# note: %s\n# received: %s\n# secret: %s\n%s# expect: %s\n", name, received.Format(time.RFC3339), held, options, expect)
		if id := fields[http.CanonicalHeaderKey(d.ID.Header)]; id != "" && twin == "" {
			fmt.Fprintf(&b, "# id: %s\n", id)
		} else if d.ID.Member != "" && twin == "" {
			fmt.Fprintf(&b, "# id: %s\n", strings.Split(body, `"`)[3])
		}
		if twin != "" {
			fmt.Fprintf(&b, "# twin: %s.http\n", twin)
		}
		b.WriteString("\nPOST /hooks HTTP/1.1\r\nHost: shop.example\r\n")
		if err := h.Write(&b); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(body), body)
		if err := os.WriteFile(filepath.Join(dir, name+".http"), []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	asIs := func(http.Header) {}
	one := fmt.Sprintf(`{"event_id":"e1","total":1200,"sent_at":%d}`, at.UnixMilli())
	other := fmt.Sprintf(`{"event_id":"e2","total":1,"sent_at":%d}`, at.UnixMilli())
	signature := http.CanonicalHeaderKey(d.Signatures[0].Header)
	write("one", "accept", "", at, one, one, asIs)
	write("other", "accept", "", at, other, other, asIs)
	write("mismatch", "mismatch", "one", at, one, other, asIs)
	write("malformed", "malformed", "one", at, one, one, func(h http.Header) {
		if h.Add(signature, h.Get(signature)); d.Signatures[0].Repeated {
			h.Set(signature, "?")
		}
	})
	write("unsigned", "unsigned", "one", at, one, one, func(h http.Header) { h[signature] = []string{""} })
	if timed {
		write("old", "too_old", "one", at.Add(time.Hour), one, one, asIs)
		write("new", "too_new", "one", at.Add(-time.Hour), one, one, asIs)
	}
	return dir
}

// TestSenderTakesEveryForm: whatever a definition uses of the engine, the table tests it.
func TestSenderTakesEveryForm(t *testing.T) {
	for _, tt := range slices.Concat(forms, knobs, inBody, privateKeys()) {
		t.Run(tt.name, func(t *testing.T) { newSender(t, tt.definition, tt.secret, tt.options, tt.fields).Test(t) })
	}
}

func newSender(t testing.TB, d scheme.Definition, secret, options string, fields map[string]string) providertest.Sender {
	t.Helper()
	d.Provider, d.MaxBody = "acme", 1<<20
	if secret == "" {
		secret = "8f742231b10e8888abcd99c1d2e385a5"
	}
	return providertest.Sender{Definition: d, Dir: vectors(t, d, secret, options, fields)}
}

const flawVariable = "HOOKNOTARY_SENDER_FLAW"

// flaws spoil the vectors of the first form: each is a mistake that the table must find.
var flaws = map[string]func(dir string) error{
	"another id":                 replace("one", "# id: msg_2b1QfXa0ZkC7u3Rr", "# id: msg_3"),
	"an id that is not said":     replace("one", "# id: msg_2b1QfXa0ZkC7u3Rr\n", ""),
	"another verdict":            replace("mismatch", "expect: mismatch", "expect: malformed"),
	"an unknown option":          replace("one", "# expect", "# option: windou 1s\n# expect"),
	"another body":               replace("one", "1200", "1201"),
	"no vector that is old":      remove("old"),
	"no vector that is new":      remove("new"),
	"no vector of a mismatch":    remove("mismatch"),
	"no vector that is unsigned": remove("unsigned"),
	"one body only":              remove("other"),
}

func replace(name, old, with string) func(dir string) error {
	return func(dir string) error {
		file := filepath.Join(dir, name+".http")
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if !strings.Contains(string(text), old) {
			return fmt.Errorf("%s does not hold %q", file, old)
		}
		return os.WriteFile(file, []byte(strings.Replace(string(text), old, with, 1)), 0o644)
	}
}

func remove(name string) func(dir string) error {
	return func(dir string) error { return os.Remove(filepath.Join(dir, name+".http")) }
}

// TestSenderWithAFlaw is run by the test below, and only by it.
func TestSenderWithAFlaw(t *testing.T) {
	flaw, ok := flaws[os.Getenv(flawVariable)]
	if !ok {
		t.Skip("run by TestSenderFindsFlaws")
	}
	tt := forms[0]
	s := newSender(t, tt.definition, tt.secret, tt.options, tt.fields)
	if err := flaw(s.Dir); err != nil {
		t.Skip(err) // which the test below takes for a flaw that was not found
	}
	s.Test(t)
}

func TestSenderFindsFlaws(t *testing.T) {
	var names []string
	for name := range flaws {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		t.Run(name, func(t *testing.T) { wantFailure(t, "TestSenderWithAFlaw", flawVariable+"="+name) })
	}
}
