package diagnose_test

import (
	"bytes"
	"compress/gzip"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/hooknotary/hooknotary/providers/paypal"
	"github.com/hooknotary/hooknotary/providers/paypal/paypaltest"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/diagnose"
)

// mistake is something that people do to a genuine delivery.
type mistake struct {
	name string
	// make changes a genuine delivery. It is false for a provider with which one
	// cannot make this mistake.
	make func(t *testing.T, s *subject, d *delivery) bool
	want diagnose.ID
	// likely: it cannot be proved. Some cannot for some providers only.
	likely func(s *subject) bool
}

func never(*subject) bool  { return false }
func always(*subject) bool { return true }

// unlessStripe is for what only the order of Stripe's members lets one prove.
func unlessStripe(s *subject) bool { return s.name != "stripe" }

// body makes a mistake of a function on bodies of JSON.
func body(change func(t *testing.T, body []byte) []byte) func(*testing.T, *subject, *delivery) bool {
	return func(t *testing.T, s *subject, d *delivery) bool {
		if !s.json() {
			return false
		}
		return anyBody(change)(t, s, d)
	}
}

// anyBody is like body for forms, too.
func anyBody(change func(t *testing.T, body []byte) []byte) func(*testing.T, *subject, *delivery) bool {
	return func(t *testing.T, _ *subject, d *delivery) bool {
		changed := change(t, bytes.Clone(d.c.Body))
		if bytes.Equal(changed, d.c.Body) {
			return false
		}
		d.c.Body = changed
		return true
	}
}

// signedBody is like body for a body that the provider wrote in its own way before it
// signed it.
func signedBody(before, after func(t *testing.T, body []byte) []byte) func(*testing.T, *subject, *delivery) bool {
	return func(t *testing.T, s *subject, d *delivery) bool {
		if !s.json() {
			return false
		}
		*d = *s.genuineOf(t, before(t, bytes.Clone(d.c.Body)))
		return body(after)(t, s, d)
	}
}

func replace(old, new string) func(*testing.T, []byte) []byte {
	return func(_ *testing.T, b []byte) []byte { return bytes.ReplaceAll(b, []byte(old), []byte(new)) }
}

func compacted(t *testing.T, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := json.Compact(&out, b); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func indented(indent string) func(*testing.T, []byte) []byte {
	return func(t *testing.T, b []byte) []byte {
		t.Helper()
		var out bytes.Buffer
		if err := json.Indent(&out, compacted(t, b), "", indent); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
}

// spaced writes as Python does.
func spaced(t *testing.T, b []byte) []byte {
	var out []byte
	inside := false
	b = compacted(t, b)
	for i, c := range b {
		if c == '"' && (i == 0 || b[i-1] != '\\') {
			inside = !inside
		}
		out = append(out, c)
		if !inside && (c == ',' || c == ':') {
			out = append(out, ' ')
		}
	}
	return out
}

// outside writes what is not ASCII as escapes, with a format for each unit.
func outside(format string) func(*testing.T, []byte) []byte {
	return func(_ *testing.T, b []byte) []byte {
		var out bytes.Buffer
		for _, r := range string(b) {
			if r < utf8.RuneSelf {
				out.WriteRune(r)
				continue
			}
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&out, format, unit)
			}
		}
		return out.Bytes()
	}
}

// htmlEscaped is what Go does to strings unless told otherwise.
func htmlEscaped(_ *testing.T, b []byte) []byte {
	return []byte(strings.NewReplacer("<", `\u003c`, ">", `\u003e`, "&", `\u0026`).Replace(string(b)))
}

// sorted sorts the members of all objects, and keeps strings and numbers as they are.
func sorted(t *testing.T, b []byte) []byte {
	t.Helper()
	b = compacted(t, b)
	var object map[string]json.RawMessage
	var array []json.RawMessage
	switch {
	case json.Unmarshal(b, &object) == nil && object != nil:
		out := []byte{'{'}
		names := make([]string, 0, len(object))
		for name := range object {
			names = append(names, name)
		}
		slices.Sort(names)
		for i, name := range names {
			if i > 0 {
				out = append(out, ',')
			}
			out = fmt.Appendf(out, "%q:%s", name, sorted(t, object[name]))
		}
		return append(out, '}')
	case json.Unmarshal(b, &array) == nil && array != nil:
		out := []byte{'['}
		for i, element := range array {
			if i > 0 {
				out = append(out, ',')
			}
			out = append(out, sorted(t, element)...)
		}
		return append(out, ']')
	}
	return b
}

// like gives b the white space of the sample.
func like(t *testing.T, b, sample []byte) []byte {
	switch {
	case bytes.HasPrefix(sample, []byte("{\n")):
		return indented("  ")(t, b)
	case bytes.Contains(sample, []byte(`": `)):
		return spaced(t, b)
	}
	return compacted(t, b)
}

// latin encodes each character as one byte.
func latin(_ *testing.T, b []byte) []byte {
	var out []byte
	for _, r := range string(b) {
		switch {
		case r == '€':
			out = append(out, 0x80) // in Windows-1252
		case r <= 0xff:
			out = append(out, byte(r))
		default:
			panic("not a character of Windows-1252")
		}
	}
	return out
}

// mojibake takes the bytes for Windows-1252 and encodes them as UTF-8.
func mojibake(_ *testing.T, b []byte) []byte {
	var out []byte
	for _, c := range b {
		r := rune(c)
		switch c { // those of the samples that Latin-1 has no character for
		case 0x82:
			r = '‚'
		case 0x9f:
			r = 'Ÿ'
		}
		out = utf8.AppendRune(out, r)
	}
	return out
}

func gzipped(t *testing.T, b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(b)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func quoted(t *testing.T, b []byte) []byte {
	out, err := json.Marshal(string(b))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// gateway is what AWS API Gateway hands to a function.
func gateway(t *testing.T, b []byte) []byte {
	out, err := json.Marshal(map[string]any{
		"version": "2.0", "routeKey": "POST /hooks", "isBase64Encoded": true,
		"headers": map[string]string{"content-type": "application/json"},
		"body":    base64.StdEncoding.EncodeToString(b),
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// lengthened changes the name of members, and with it the length of the body, which the
// header says.
func lengthened(name string) func(*testing.T, *subject, *delivery) bool {
	return func(t *testing.T, s *subject, d *delivery) bool {
		d.c.Header.Set("Content-Length", fmt.Sprint(len(d.c.Body)))
		return body(replace(`"id"`, name))(t, s, d)
	}
}

// head makes a mistake of a function on the header.
func head(change func(s *subject, h http.Header) bool) func(*testing.T, *subject, *delivery) bool {
	return func(_ *testing.T, s *subject, d *delivery) bool { return change(s, d.c.Header) }
}

// rename gives the headers that take part in verification other names.
func rename(to func(name string) string) func(*testing.T, *subject, *delivery) bool {
	return head(func(s *subject, h http.Header) bool {
		for _, name := range s.headers {
			h[to(name)] = h[name]
			delete(h, name)
		}
		return true
	})
}

// values changes the values of the headers that take part in verification.
func values(change func(value string) []string) func(*testing.T, *subject, *delivery) bool {
	return head(func(s *subject, h http.Header) bool {
		for _, name := range s.headers {
			h[name] = change(h[name][0])
		}
		return true
	})
}

// configured makes a mistake of a function on the secret.
func configured(change func(secret string) string) func(*testing.T, *subject, *delivery) bool {
	return func(_ *testing.T, s *subject, d *delivery) bool {
		d.secret = change(s.secret)
		return d.secret != s.secret
	}
}

// wrongSecret has another secret than the delivery, and the right one among others.
func wrongSecret(candidate *diagnose.Candidate) func(*testing.T, *subject, *delivery) bool {
	return func(t *testing.T, s *subject, d *delivery) bool {
		d.v = s.verifier(t, s.wrong)
		d.o.Candidates = []diagnose.Candidate{{Label: "nothing", Secret: ""}, {Label: "a third one", Secret: "5PX30125Y9364831M"}}
		if candidate != nil {
			c := *candidate
			c.Secret = s.secret
			d.o.Candidates = append(d.o.Candidates, c)
		}
		return true
	}
}

// clock judges a delivery that was signed at another time.
func clock(ago time.Duration) func(*testing.T, *subject, *delivery) bool {
	return func(_ *testing.T, s *subject, d *delivery) bool {
		if !s.timed() {
			return false
		}
		if w := d.v.Profile().Window; ago > 0 && ago <= w.Past {
			return false // PayPal's window is wide
		}
		d.c.Header = s.sign(receivedAt.Add(-ago), d.c.Body, s.secret)
		return true
	}
}

// from has the delivery of another provider under the verifier of s.
func from(name string) func(*testing.T, *subject, *delivery) bool {
	return func(t *testing.T, s *subject, d *delivery) bool {
		if strings.Split(s.name, " ")[0] == strings.Split(name, " ")[0] {
			return false
		}
		for _, other := range subjects() {
			if other.name == name {
				d.c = other.genuine(t).c
			}
		}
		return true
	}
}

func only(name string, make func(*testing.T, *subject, *delivery) bool) func(*testing.T, *subject, *delivery) bool {
	return func(t *testing.T, s *subject, d *delivery) bool { return s.name == name && make(t, s, d) }
}

func except(name string, make func(*testing.T, *subject, *delivery) bool) func(*testing.T, *subject, *delivery) bool {
	return func(t *testing.T, s *subject, d *delivery) bool { return s.name != name && make(t, s, d) }
}

// mistakes is the table: each is made with a genuine delivery of each provider with which
// it can be made, and must be the first finding.
var mistakes = []mistake{
	// The body, byte by byte.
	{"a line end added", anyBody(func(_ *testing.T, b []byte) []byte { return append(b, '\n') }), diagnose.BodyNewlineAdded, never},
	{"a line end of Windows added", anyBody(func(_ *testing.T, b []byte) []byte { return append(b, "\r\n"...) }), diagnose.BodyNewlineAdded, never},
	{"several line ends added", anyBody(func(_ *testing.T, b []byte) []byte { return append(b, "\n \n"...) }), diagnose.BodyNewlineAdded, never},
	{"a signed line end cut", signedBody(func(_ *testing.T, b []byte) []byte { return append(b, '\n') }, func(_ *testing.T, b []byte) []byte { return bytes.TrimSpace(b) }), diagnose.BodyNewlineCut, never},
	{"a signed line end of Windows cut", signedBody(func(_ *testing.T, b []byte) []byte { return append(b, "\r\n"...) }, func(_ *testing.T, b []byte) []byte { return bytes.TrimSpace(b) }), diagnose.BodyNewlineCut, never},
	{"LF became CRLF", signedBody(func(t *testing.T, b []byte) []byte { return append(indented("  ")(t, b), '\n') }, replace("\n", "\r\n")), diagnose.BodyLineEnds, never},
	{"CRLF became LF", signedBody(func(t *testing.T, b []byte) []byte {
		return replace("\n", "\r\n")(t, append(indented("  ")(t, b), '\n'))
	}, replace("\r\n", "\n")), diagnose.BodyLineEnds, never},
	{"a byte order mark added", anyBody(func(_ *testing.T, b []byte) []byte { return slices.Concat([]byte("\xef\xbb\xbf"), b) }), diagnose.BodyBOM, never},
	{"a signed byte order mark cut", signedBody(func(_ *testing.T, b []byte) []byte { return slices.Concat([]byte("\xef\xbb\xbf"), b) }, func(_ *testing.T, b []byte) []byte { return b[3:] }), diagnose.BodyBOM, never},
	{"UTF-8 written as Windows-1252", body(latin), diagnose.BodyCharset, never},
	{"UTF-8 read as Windows-1252", body(mojibake), diagnose.BodyCharset, never},
	{"UTF-8 written as UTF-16", body(func(_ *testing.T, b []byte) []byte {
		out := []byte{0xff, 0xfe}
		for _, unit := range utf16.Encode([]rune(string(b))) {
			out = append(out, byte(unit), byte(unit>>8))
		}
		return out
	}), diagnose.BodyCharset, never},
	{"characters lost", body(func(_ *testing.T, b []byte) []byte {
		return []byte(strings.ToValidUTF8(string(latin(nil, b)), "\ufffd"))
	}), diagnose.BodyCharset, always},
	{"wrapped in base64", anyBody(func(_ *testing.T, b []byte) []byte { return []byte(base64.StdEncoding.EncodeToString(b)) }), diagnose.BodyBase64, never},
	{"wrapped in base64 for URLs", anyBody(func(_ *testing.T, b []byte) []byte { return []byte(base64.RawURLEncoding.EncodeToString(b)) }), diagnose.BodyBase64, never},
	{"wrapped in lines of base64", anyBody(func(_ *testing.T, b []byte) []byte {
		text := base64.StdEncoding.EncodeToString(b)
		return []byte(text[:76] + "\r\n" + text[76:] + "\r\n")
	}), diagnose.BodyBase64, never},
	{"inside of a gateway's event", anyBody(gateway), diagnose.BodyBase64, never},
	{"wrapped in a string of JSON", anyBody(quoted), diagnose.BodyString, never},
	{"wrapped in a string of JSON with a line end", anyBody(func(t *testing.T, b []byte) []byte { return append(quoted(t, b), '\n') }), diagnose.BodyString, never},
	{"still compressed", anyBody(gzipped), diagnose.BodyGzip, never},
	{"decompressed after it was signed", func(t *testing.T, s *subject, d *delivery) bool {
		plain := d.c.Body
		*d = *s.genuineOf(t, gzipped(t, plain))
		d.c.Body = plain
		d.c.Header.Set("Content-Encoding", "gzip")
		return true
	}, diagnose.BodyGzip, always},
	{"the form's field", only("github form", anyBody(func(*testing.T, []byte) []byte { return []byte(githubBody) })), diagnose.BodyFormDecoded, never},
	{"the form unescaped", only("github form", anyBody(func(*testing.T, []byte) []byte { return []byte("payload=" + githubBody) })), diagnose.BodyFormDecoded, never},
	{"the form's field, for a verifier of JSON", only("github form", func(t *testing.T, s *subject, d *delivery) bool {
		d.c.Body = []byte(githubBody)
		v, err := newGitHub(s.secret)
		if err != nil {
			t.Fatal(err)
		}
		d.v = v
		return true
	}), diagnose.BodyFormDecoded, never},
	{"a form where JSON is sent", only("github form", func(t *testing.T, s *subject, d *delivery) bool {
		d.c.Body = []byte(githubBody)
		d.c.Header = s.sign(receivedAt, d.c.Body, s.secret)
		return true
	}), diagnose.BodyMediaType, never},
	{"empty", anyBody(func(*testing.T, []byte) []byte { return nil }), diagnose.BodyEmpty, always},
	{"cut in the middle", body(func(_ *testing.T, b []byte) []byte { return b[:len(b)/2] }), diagnose.BodyTruncated, always},
	{"the last brackets cut", body(func(_ *testing.T, b []byte) []byte { return bytes.TrimRight(b, "}] \n") }), diagnose.BodyTruncated, never},
	{"shorter than its header says", only("github form", func(_ *testing.T, s *subject, d *delivery) bool {
		d.c.Header.Set("Content-Length", fmt.Sprint(len(d.c.Body)))
		d.c.Body = d.c.Body[:len(d.c.Body)/2]
		return true
	}), diagnose.BodyTruncated, always},

	// The body, serialised again.
	{"compacted", body(compacted), diagnose.BodyCompacted, never},
	{"indented by two spaces", except("stripe", body(indented("  "))), diagnose.BodyIndented, never},
	{"indented by four spaces", except("standard webhooks", body(indented("    "))), diagnose.BodyIndented, never},
	{"indented by tabs", except("standard webhooks", body(indented("\t"))), diagnose.BodyIndented, never},
	{"spaced as in Python", except("standard webhooks", body(spaced)), diagnose.BodyIndented, never},
	{"members sorted", body(func(t *testing.T, b []byte) []byte { return like(t, sorted(t, b), b) }), diagnose.BodyKeyOrder, unlessStripe},
	{"<, > and & escaped", body(htmlEscaped), diagnose.BodyHTMLEscape, never},
	{"<, > and & not escaped any more", signedBody(htmlEscaped, replaceAll(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&")), diagnose.BodyHTMLEscape, never},
	{"what is not ASCII escaped", body(outside(`\u%04x`)), diagnose.BodyUnicodeEscape, never},
	{"what is not ASCII escaped in upper case", body(outside(`\u%04X`)), diagnose.BodyUnicodeEscape, never},
	{"what is not ASCII not escaped any more", signedBody(outside(`\u%04x`), unescaped), diagnose.BodyUnicodeEscape, never},
	{"escapes in upper case", signedBody(outside(`\u%04x`), upperEscapes), diagnose.BodyUnicodeEscape, never},
	{"escapes in lower case", signedBody(outside(`\u%04X`), lowerEscapes), diagnose.BodyUnicodeEscape, never},
	{"slashes escaped", body(replace("/", `\/`)), diagnose.BodySlashEscape, never},
	{"slashes not escaped any more", signedBody(replace("/", `\/`), replace(`\/`, "/")), diagnose.BodySlashEscape, never},
	{"1.0 became 1", body(replaceAll(": 19.0", ": 19", ":1.0", ":1", ": 1.0", ": 1")), diagnose.BodyNumbers, never},
	{"1 became 1.0", body(replaceAll(": 3\n", ": 3.0\n", ": 503", ": 503.0")), diagnose.BodyNumbers, never},
	{"1e3 became 1000", body(replaceAll("1e3", "1000")), diagnose.BodyNumbers, never},
	{"a large integer through a float64", body(replaceAll("175928847299117063", "175928847299117060")), diagnose.BodyNumbers, never},
	{"a large integer through a float64 with an exponent", body(replaceAll("175928847299117063", "1.7592884729911706e+17")), diagnose.BodyNumbers, never},
	{"several large integers through a float64", signedBody(replaceAll("1e3", "275928847299117063"), replaceAll("175928847299117063", "175928847299117060", "275928847299117063", "275928847299117060")), diagnose.BodyNumbers, always},
	{"through RawMessage and an Encoder of Go", body(func(t *testing.T, b []byte) []byte { return append(htmlEscaped(t, compacted(t, b)), '\n') }), diagnose.BodyReserialised, never},
	{"through json_encode of PHP", body(func(t *testing.T, b []byte) []byte {
		return replace("/", `\/`)(t, outside(`\u%04x`)(t, compacted(t, b)))
	}), diagnose.BodyReserialised, never},
	{"through json.dumps of Python", except("standard webhooks", body(func(t *testing.T, b []byte) []byte { return outside(`\u%04x`)(t, spaced(t, b)) })), diagnose.BodyReserialised, never},
	{"through a map of Go, with numbers kept", body(func(t *testing.T, b []byte) []byte { return htmlEscaped(t, sorted(t, b)) }), diagnose.BodyReserialised, unlessStripe},
	{"through a map of Go, without what cannot be undone", signedBody(replaceAll("1e3", "1", "175928847299117063", "17"), func(t *testing.T, b []byte) []byte { return marshal(t, b) }), diagnose.BodyReserialised, unlessStripe},
	{"through a map of Go", body(func(t *testing.T, b []byte) []byte { return marshal(t, b) }), diagnose.BodyReserialised, always},
	{"longer than its header says", lengthened(`"identifier"`), diagnose.BodyReserialised, always},
	{"whole, and shorter than its header says", lengthened(`"i"`), diagnose.BodyReserialised, always},
	{"printed by JavaScript", body(func(*testing.T, []byte) []byte { return []byte("[object Object]") }), diagnose.BodyReserialised, always},

	// The secret.
	{"a line end behind the secret", configured(func(s string) string { return s + "\n" }), diagnose.SecretWhiteSpace, never},
	{"spaces around the secret", configured(func(s string) string { return " " + s + " " }), diagnose.SecretWhiteSpace, never},
	{"an escaped line end behind the secret", configured(func(s string) string { return s + `\n` }), diagnose.SecretWhiteSpace, never},
	{"a space inside of the secret", configured(func(s string) string { return s[:12] + " " + s[12:] }), diagnose.SecretWhiteSpace, never},
	{"quotes around the secret", configured(func(s string) string { return `"` + s + `"` }), diagnose.SecretQuotes, never},
	{"a quote behind the secret", configured(func(s string) string { return s + `'` }), diagnose.SecretQuotes, never},
	{"quotes and a line end around the secret", configured(func(s string) string { return "'" + s + "'\n" }), diagnose.SecretQuotes, never},
	{"without whsec_", only("stripe", configured(func(s string) string { return strings.TrimPrefix(s, "whsec_") })), diagnose.SecretPrefix, never},
	{"with whsec_ twice", only("stripe", configured(func(s string) string { return "whsec_" + s })), diagnose.SecretPrefix, never},
	{"with whsec_ where there is none", only("github", configured(func(s string) string { return "whsec_" + s })), diagnose.SecretPrefix, never},
	{"with the name of the variable", except("paypal", configured(func(s string) string { return "WEBHOOK_SECRET=" + s })), diagnose.SecretPrefix, never},
	{"the secret in base64", except("paypal", except("standard webhooks", configured(func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }))), diagnose.SecretBase64, never},
	{"the secret in hexadecimal", except("paypal", configured(func(s string) string { return hex.EncodeToString([]byte(s)) })), diagnose.SecretHex, never},
	{"a secret of text where base64 is due", only("standard webhooks", func(t *testing.T, s *subject, d *delivery) bool {
		d.secret = "a secret of text, not base64"
		d.c.Header = s.sign(receivedAt, d.c.Body, "whsec_"+base64.StdEncoding.EncodeToString([]byte(d.secret)))
		return true
	}), diagnose.SecretBase64, never},
	{"a secret in hexadecimal where base64 is due", only("standard webhooks", func(t *testing.T, s *subject, d *delivery) bool {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(s.secret, "whsec_"))
		if err != nil {
			t.Fatal(err)
		}
		d.secret = hex.EncodeToString(key)
		return true
	}), diagnose.SecretHex, never},
	{"a definition that does not decode the secret", only("standard webhooks", func(t *testing.T, s *subject, d *delivery) bool {
		def := standard()
		def.Secret = scheme.Secret{}
		v, err := scheme.New(def, verify.Secrets(s.secret), nil)
		if err != nil {
			t.Fatal(err)
		}
		d.v = v
		return true
	}), diagnose.SecretBase64, never},
	{"the secret of another endpoint", except("paypal", wrongSecret(&diagnose.Candidate{Label: "the shop's endpoint"})), diagnose.SecretOther, never},
	{"the secret of test mode", except("paypal", wrongSecret(&diagnose.Candidate{Label: "test mode", OtherMode: true})), diagnose.SecretOtherMode, never},
	{"another verifier's secret", except("paypal", func(t *testing.T, s *subject, d *delivery) bool {
		d.o.Others = []verify.Verifier{d.v}
		d.v = s.verifier(t, s.wrong)
		return true
	}), diagnose.SecretOther, never},
	{"empty objects that became arrays", body(replace("{}", "[]")), diagnose.BodyReserialised, never},
	{"empty arrays that became objects", body(replace("[]", "{}")), diagnose.BodyReserialised, never},
	{"one empty object of two that became an array", signedBody(func(_ *testing.T, b []byte) []byte {
		return bytes.Replace(b, []byte("{"), []byte(`{"empty":{},"none":{},`), 1)
	}, replace(`"empty":{}`, `"empty":[]`)), diagnose.BodyReserialised, never},
	{"a body that PHP decoded and encoded", body(several(compacted, replace("{}", "[]"), replace("/", `\/`), outside(`\u%04x`))), diagnose.BodyReserialised, never},
	{"a body that a Buffer of Node holds", body(asBuffer), diagnose.BodyWrapped, never},
	{"a body that is a list of bytes", body(asBytes), diagnose.BodyWrapped, never},
	{"a body that is an object of bytes", body(asIndexed), diagnose.BodyWrapped, never},
	{"a body that is the name of a field of a form", body(func(_ *testing.T, b []byte) []byte { return []byte(url.QueryEscape(string(b)) + "=") }), diagnose.BodyWrapped, never},
	{"a body with an equals sign of a form", body(func(_ *testing.T, b []byte) []byte { return append(b, '=') }), diagnose.BodyWrapped, never},
	{"a body that is the value of a field of a form", body(func(_ *testing.T, b []byte) []byte { return []byte("body=" + url.QueryEscape(string(b))) }), diagnose.BodyWrapped, never},
	{"an API key", only("stripe", func(_ *testing.T, _ *subject, d *delivery) bool {
		d.secret = "sk_live_4eC39HqLyjWDarjtT1zdp7dc"
		return true
	}), diagnose.SecretAPIKey, always},
	{"an access token", only("github", func(_ *testing.T, _ *subject, d *delivery) bool {
		d.secret = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
		return true
	}), diagnose.SecretAPIKey, always},
	{"an API key of another provider", only("github", func(t *testing.T, s *subject, d *delivery) bool {
		d.v = s.verifier(t, "sk_live_4eC39HqLyjWDarjtT1zdp7dc")
		return true
	}), diagnose.SecretAPIKey, always},
	{"a client id", only("paypal", func(_ *testing.T, _ *subject, d *delivery) bool {
		d.secret = "A" + strings.Repeat("x9_Yk-3T", 10)[:79]
		return true
	}), diagnose.SecretAPIKey, always},
	{"no secret", func(_ *testing.T, s *subject, d *delivery) bool { d.secret = "${SECRET}"; return true }, diagnose.SecretUnusable, always},
	{"the simulator's webhook id", only("paypal", func(_ *testing.T, _ *subject, d *delivery) bool {
		d.secret = "WEBHOOK_ID"
		return true
	}), diagnose.SecretUnusable, always},
	{"a secret that was escaped for a URL", escapedSecret("p@ss/word+0123&56=789", "p%40ss%2Fword%2B0123%2656%3D789"), diagnose.SecretEscaped, never},
	{"a wrong secret", except("paypal", wrongSecret(nil)), diagnose.SecretWrong, always},

	// The header.
	{"no header", head(func(s *subject, h http.Header) bool {
		for _, name := range s.headers {
			delete(h, name)
		}
		delete(h, "X-Hub-Signature")
		return true
	}), diagnose.HeaderMissing, always},
	{"a header that is missing beside the signature", head(func(s *subject, h http.Header) bool {
		if len(s.headers) < 2 {
			return false
		}
		delete(h, s.headers[1])
		return true
	}), diagnose.HeaderMissing, always},
	{"a header in lower case", rename(strings.ToLower), diagnose.HeaderSpelling, never},
	{"a header as CGI has it", rename(func(name string) string { return "HTTP_" + strings.ReplaceAll(strings.ToUpper(name), "-", "_") }), diagnose.HeaderRenamed, never},
	{"a header with X- in front", rename(func(name string) string { return "X-" + name }), diagnose.HeaderRenamed, never},
	{"a header that a proxy kept", rename(func(name string) string { return "X-Original-" + name }), diagnose.HeaderRenamed, never},
	{"a header with another name", head(func(s *subject, h http.Header) bool {
		h["X-Signature"] = h[s.headers[0]]
		delete(h, s.headers[0])
		return true
	}), diagnose.HeaderRenamed, never},
	{"a header joined with itself", values(func(v string) []string { return []string{v + ", " + v} }), diagnose.HeaderJoined, never},
	{"a header joined behind another", head(func(s *subject, h http.Header) bool {
		h[s.headers[0]] = []string{"unknown, " + h[s.headers[0]][0]}
		return true
	}), diagnose.HeaderJoined, never},
	{"a list joined with a space", only("stripe", values(func(v string) []string { return []string{strings.ReplaceAll(v, ",", ", ")} })), diagnose.HeaderJoined, never},
	{"a header twice", values(func(v string) []string { return []string{v, v} }), diagnose.HeaderSplit, never},
	{"a list split", only("stripe", values(func(v string) []string { return strings.Split(v, ",") })), diagnose.HeaderSplit, never},
	{"a header in quotes", values(func(v string) []string { return []string{`"` + v + `"`} }), diagnose.HeaderMalformed, never},
	{"a header in upper case", only("stripe", values(func(v string) []string { return []string{strings.ToUpper(v)} })), diagnose.HeaderMalformed, never},
	{"a header in hexadecimal of upper case", only("github", values(func(v string) []string { return []string{"sha256=" + strings.ToUpper(v[7:])} })), diagnose.HeaderMalformed, never},
	{"a header cut off", head(func(s *subject, h http.Header) bool {
		value := h[s.headers[0]][0]
		h[s.headers[0]] = []string{value[:len(value)-9]}
		return true
	}), diagnose.HeaderMalformed, always},
	{"SHA-1 alone", head(func(s *subject, h http.Header) bool {
		delete(h, "X-Hub-Signature-256")
		return strings.HasPrefix(s.name, "github")
	}), diagnose.HeaderSHA1, never},
	{"SHA-1 alone, and the wrong secret", func(t *testing.T, s *subject, d *delivery) bool {
		delete(d.c.Header, "X-Hub-Signature-256")
		d.v = s.verifier(t, s.wrong)
		return strings.HasPrefix(s.name, "github")
	}, diagnose.HeaderSHA1, always},
	{"SHA-1 in the other header", head(func(s *subject, h http.Header) bool {
		h["X-Hub-Signature-256"] = h["X-Hub-Signature"]
		return strings.HasPrefix(s.name, "github")
	}), diagnose.HeaderSHA1, never},
	{"SHA-1 as the algorithm", only("paypal", head(func(_ *subject, h http.Header) bool {
		h.Set("Paypal-Auth-Algo", "SHA1withRSA")
		return true
	})), diagnose.HeaderSHA1, always},

	// The clock.
	{"signed an hour ago", clock(time.Hour), diagnose.ClockZone, never},
	{"signed in half past five hours", clock(-5*time.Hour - 30*time.Minute - 20*time.Second), diagnose.ClockZone, never},
	{"signed in 14 hours", clock(-14 * time.Hour), diagnose.ClockZone, never},
	{"signed 7 minutes ago", clock(7 * time.Minute), diagnose.ClockSkew, never},
	{"signed in 21 minutes", clock(-21 * time.Minute), diagnose.ClockSkew, never},
	{"signed in two days", clock(-48 * time.Hour), diagnose.ClockSkew, never},
	{"signed a year ago", clock(365 * 24 * time.Hour), diagnose.ClockOldCapture, never},
	{"without a receive time", func(_ *testing.T, _ *subject, d *delivery) bool {
		d.c.ReceivedAt = time.Time{}
		return true
	}, diagnose.ClockOldCapture, never},
	{"a receive time of milliseconds", func(_ *testing.T, s *subject, d *delivery) bool {
		d.c.ReceivedAt = time.Unix(receivedAt.UnixMilli(), 0)
		return s.timed()
	}, diagnose.ClockMilliseconds, never},
	{"a receive time of seconds", func(_ *testing.T, s *subject, d *delivery) bool {
		d.c.ReceivedAt = time.UnixMilli(receivedAt.Unix())
		return s.timed()
	}, diagnose.ClockMilliseconds, never},
	{"a signed time of milliseconds", clockUnit(scheme.Seconds), diagnose.ClockMilliseconds, never},
	{"a signed time of seconds", clockUnit(scheme.Milliseconds), diagnose.ClockMilliseconds, never},

	// The provider.
	{"Stripe's delivery", from("stripe"), diagnose.ProviderOther, always},
	{"GitHub's delivery", from("github"), diagnose.ProviderOther, always},
	{"PayPal's delivery", from("paypal"), diagnose.ProviderOther, always},
	{"a delivery of Standard Webhooks", from("standard webhooks"), diagnose.ProviderOther, always},
	{"the delivery of one of the others", func(t *testing.T, s *subject, d *delivery) bool {
		other := subjects()[0]
		if s.name == other.name {
			other = subjects()[1]
		}
		o := other.genuine(t)
		d.c, d.o.Others = o.c, []verify.Verifier{nil, o.v}
		return true
	}, diagnose.ProviderOther, never},
	{"Svix's names", only("standard webhooks", func(_ *testing.T, s *subject, d *delivery) bool {
		d.c.Header = signStandard("svix", receivedAt, d.c.Body, s.secret)
		return true
	}), diagnose.ProviderOther, never},
	{"Svix's names, and the wrong secret", only("standard webhooks", func(t *testing.T, s *subject, d *delivery) bool {
		d.c.Header = signStandard("svix", receivedAt, d.c.Body, s.wrong)
		return true
	}), diagnose.ProviderOther, always},
	{"Gitea", lookalike("X-Gitea-Signature", func(mac []byte) string { return hex.EncodeToString(mac) }), diagnose.ProviderOther, never},
	{"Forgejo", lookalike("X-Forgejo-Signature", func(mac []byte) string { return hex.EncodeToString(mac) }), diagnose.ProviderOther, never},
	{"Gogs", lookalike("X-Gogs-Signature", func(mac []byte) string { return hex.EncodeToString(mac) }), diagnose.ProviderOther, never},
	{"Bitbucket", lookalike("X-Hub-Signature", func(mac []byte) string { return "sha256=" + hex.EncodeToString(mac) }), diagnose.ProviderOther, never},
	{"Shopify", lookalike("X-Shopify-Hmac-Sha256", func(mac []byte) string { return base64.StdEncoding.EncodeToString(mac) }), diagnose.ProviderOther, never},
	{"Slack", slack(githubSecret), diagnose.ProviderOther, never},
	{"Slack with another secret", slack("another secret of Slack"), diagnose.ProviderOther, always},
	{"Paddle", paddle, diagnose.ProviderOther, never},
	{"Twilio", func(_ *testing.T, s *subject, d *delivery) bool {
		d.c.Header = http.Header{"X-Twilio-Signature": {"Np1nax6uFoY6qpfT5l9jWwJeit0="}}
		return true
	}, diagnose.ProviderOther, always},
	{"Gitea's headers beside GitHub's, and the wrong secret", only("github", func(t *testing.T, s *subject, d *delivery) bool {
		d.c.Header.Set("X-Gitea-Signature", d.c.Header.Get("X-Hub-Signature-256")[7:])
		d.v = s.verifier(t, s.wrong)
		return true
	}), diagnose.ProviderOther, always},

	// PayPal.
	{"another webhook id", only("paypal", wrongSecret(&diagnose.Candidate{Label: "the shop's webhook"})), paypal.FindingWebhookID, never},
	{"a wrong webhook id", only("paypal", wrongSecret(nil)), paypal.FindingWebhookID, always},
	{"another verifier's webhook id", only("paypal", func(t *testing.T, s *subject, d *delivery) bool {
		d.o.Others = []verify.Verifier{d.v}
		d.v = s.verifier(t, s.wrong)
		return true
	}), paypal.FindingWebhookID, never},
	{"sandbox against live", only("paypal", func(t *testing.T, s *subject, d *delivery) bool {
		d.c.Header = sandbox().Header(receivedAt, d.c.Body)
		return true
	}), paypal.FindingEnvironment, always},
	{"sandbox against live, with a verifier for it", only("paypal", func(t *testing.T, s *subject, d *delivery) bool {
		d.c.Header = sandbox().Header(receivedAt, d.c.Body)
		v, err := paypal.New(webhookID, &paypal.Options{Sandbox: true, Transport: sandbox(), Roots: sandbox().Roots()})
		if err != nil {
			t.Fatal(err)
		}
		d.o.Others = []verify.Verifier{v}
		return true
	}), paypal.FindingEnvironment, never},
	{"live against sandbox", only("paypal", func(t *testing.T, s *subject, d *delivery) bool {
		v, err := paypal.New(webhookID, &paypal.Options{Sandbox: true, Transport: sandbox(), Roots: sandbox().Roots()})
		if err != nil {
			t.Fatal(err)
		}
		d.v = v
		return true
	}), paypal.FindingEnvironment, always},
	{"the simulator", only("paypal", func(t *testing.T, s *subject, d *delivery) bool {
		pp := simulator()
		d.c.Header = pp.Header(receivedAt, d.c.Body)
		v, err := paypal.New(webhookID, &paypal.Options{Transport: pp, Roots: pp.Roots()})
		if err != nil {
			t.Fatal(err)
		}
		d.v = v
		return true
	}), paypal.FindingSimulator, never},
	{"a root that is not known", only("paypal", func(t *testing.T, s *subject, d *delivery) bool {
		v, err := paypal.New(webhookID, &paypal.Options{Transport: live()})
		if err != nil {
			t.Fatal(err)
		}
		d.v = v
		return true
	}), paypal.FindingCertificate, always},

	// The capture.
	{"an IPN", only("paypal", func(_ *testing.T, _ *subject, d *delivery) bool {
		d.c.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "User-Agent": {"PayPal IPN ( https://www.paypal.com/ipn )"}}
		d.c.Body = []byte("payment_type=instant&payment_status=Completed&mc_gross=30.00&mc_currency=EUR&txn_type=web_accept&txn_id=899327589&verify_sign=AtkOfCXbDm2hu0ZELryHFjY-Vb7PAUvS6nMXgysbElEn9v-1XcmSoGtf&ipn_track_id=ef77a6f5b1a2b")
		return true
	}), paypal.FindingIPN, always},
	{"an inexact body", func(t *testing.T, s *subject, d *delivery) bool {
		d.c.Body = append(bytes.Clone(d.c.Body), "…"...)
		d.c.Inexact = "copied from a log"
		return true
	}, diagnose.BodyInexact, always},
}

func replaceAll(pairs ...string) func(*testing.T, []byte) []byte {
	return func(_ *testing.T, b []byte) []byte { return []byte(strings.NewReplacer(pairs...).Replace(string(b))) }
}

var escape = regexp.MustCompile(`\\u[0-9a-fA-F]{4}`)

func upperEscapes(_ *testing.T, b []byte) []byte {
	return escape.ReplaceAllFunc(b, func(e []byte) []byte { return append([]byte(`\u`), bytes.ToUpper(e[2:])...) })
}

func lowerEscapes(_ *testing.T, b []byte) []byte { return escape.ReplaceAllFunc(b, bytes.ToLower) }

func unescaped(t *testing.T, b []byte) []byte {
	return escape.ReplaceAllFunc(b, func(e []byte) []byte {
		n, err := strconv.ParseUint(string(e[2:]), 16, 16)
		if err != nil {
			t.Fatal(err)
		}
		return utf8.AppendRune(nil, rune(n))
	})
}

var simulator = sync.OnceValue(func() *paypaltest.PayPal { return paypaltest.New("WEBHOOK_ID") })

// clockUnit has a scheme whose provider writes the time in the other unit.
func clockUnit(unit scheme.Unit) func(*testing.T, *subject, *delivery) bool {
	return only("stripe", func(t *testing.T, s *subject, d *delivery) bool {
		v, err := scheme.New(scheme.Definition{
			Provider:   "acme",
			Retry:      verify.RetryNever,
			Signatures: []scheme.Signature{{Header: "Acme-Signature", Field: "v1", Separator: ",", Assign: "="}},
			Timestamp:  scheme.Timestamp{Field: "t", Unit: unit},
			Message:    []scheme.Part{scheme.SignedTime(), scheme.Literal("."), scheme.Body()},
			MaxBody:    1 << 20,
		}, verify.Secrets(s.secret), nil)
		if err != nil {
			t.Fatal(err)
		}
		d.v = v
		timestamp := receivedAt.UnixMilli()
		if unit == scheme.Milliseconds {
			timestamp = receivedAt.Unix()
		}
		mac := hmac.New(sha256.New, []byte(s.secret))
		fmt.Fprintf(mac, "%d.%s", timestamp, d.c.Body)
		d.c.Header = http.Header{"Acme-Signature": {fmt.Sprintf("t=%d,v1=%x", timestamp, mac.Sum(nil))}}
		return true
	})
}

// lookalike signs the body alone, and puts the signature under another name.
func lookalike(name string, write func(mac []byte) string) func(*testing.T, *subject, *delivery) bool {
	return func(_ *testing.T, s *subject, d *delivery) bool {
		mac := hmac.New(sha256.New, []byte(s.secret))
		mac.Write(d.c.Body)
		d.c.Header = http.Header{name: {write(mac.Sum(nil))}, "X-Github-Event": {"push"}}
		return s.hmac()
	}
}

func slack(secret string) func(*testing.T, *subject, *delivery) bool {
	return only("github", func(_ *testing.T, _ *subject, d *delivery) bool {
		mac := hmac.New(sha256.New, []byte(secret))
		fmt.Fprintf(mac, "v0:%d:%s", receivedAt.Unix(), d.c.Body)
		d.c.Header = http.Header{
			"X-Slack-Request-Timestamp": {fmt.Sprint(receivedAt.Unix())},
			"X-Slack-Signature":         {fmt.Sprintf("v0=%x", mac.Sum(nil))},
		}
		return true
	})
}

func paddle(_ *testing.T, s *subject, d *delivery) bool {
	mac := hmac.New(sha256.New, []byte(s.secret))
	fmt.Fprintf(mac, "%d:%s", receivedAt.Unix(), d.c.Body)
	d.c.Header = http.Header{"Paddle-Signature": {fmt.Sprintf("ts=%d;h1=%x", receivedAt.Unix(), mac.Sum(nil))}}
	return s.hmac()
}

// escapedSecret signs with one secret, and configures another text for it.
func escapedSecret(secret, escaped string) func(*testing.T, *subject, *delivery) bool {
	return func(t *testing.T, s *subject, d *delivery) bool {
		if s.name == "paypal" || s.name == "standard webhooks" {
			return false
		}
		d.c.Header = s.sign(receivedAt, d.c.Body, secret)
		d.v = s.verifier(t, escaped)
		return true
	}
}

// asBuffer is how Node writes the bytes of a body as JSON.
func asBuffer(t *testing.T, b []byte) []byte {
	return fmt.Appendf(nil, `{"type":"Buffer","data":%s}`, asBytes(t, b))
}

func asBytes(_ *testing.T, b []byte) []byte {
	var numbers []string
	for _, c := range b {
		numbers = append(numbers, strconv.Itoa(int(c)))
	}
	return []byte("[" + strings.Join(numbers, ",") + "]")
}

// asIndexed is how JavaScript writes an array of bytes as JSON.
func asIndexed(_ *testing.T, b []byte) []byte {
	var members []string
	for i, c := range b {
		members = append(members, fmt.Sprintf(`"%d":%d`, i, c))
	}
	return []byte("{" + strings.Join(members, ",") + "}")
}

// several makes several changes to a body, one after the other.
func several(changes ...func(*testing.T, []byte) []byte) func(*testing.T, []byte) []byte {
	return func(t *testing.T, b []byte) []byte {
		for _, change := range changes {
			b = change(t, b)
		}
		return b
	}
}

// cases runs f for each mistake and each provider with which it can be made.
func cases(t *testing.T, f func(t *testing.T, m mistake, s *subject, d *delivery)) {
	for _, m := range mistakes {
		t.Run(m.name, func(t *testing.T) {
			made := 0
			for _, s := range subjects() {
				d := s.genuine(t)
				if d.refused(s) {
					t.Fatalf("%s: the genuine delivery is refused", s.name)
				}
				if !m.make(t, s, d) {
					continue
				}
				made++
				t.Run(s.name, func(t *testing.T) { f(t, m, s, d) })
			}
			if made == 0 {
				t.Error("the mistake can be made with no provider")
			}
		})
	}
}

func TestFirstFinding(t *testing.T) {
	t.Run("it is the mistake that was made", func(t *testing.T) {
		cases(t, func(t *testing.T, m mistake, s *subject, d *delivery) {
			if !d.refused(s) {
				t.Fatal("the delivery verifies in spite of the mistake")
			}
			want := diagnose.Proved
			if m.likely(s) {
				want = diagnose.Likely
			}
			var found []diagnose.Finding
			quiet(t, d, func() { found = d.findings(s) })
			if len(found) == 0 {
				t.Fatal("there is no finding")
			}
			sentences(t, found)
			for _, f := range found {
				secrecy(t, s, d, f.Text)
				secrecy(t, s, d, f.Fix)
			}
			if found[0].ID != m.want || found[0].Confidence != want {
				t.Errorf("the first finding is %s (%s), want %s (%s)", found[0].ID, found[0].Confidence, m.want, want)
				for _, f := range found {
					t.Logf("%s (%s): %s", f.ID, f.Confidence, f.Text)
				}
			}
		})
	})
}
