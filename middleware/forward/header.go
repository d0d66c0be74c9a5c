package forward

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/netip"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/assertion"
	"github.com/hooknotary/hooknotary/verify"
)

// maxEventID is how many bytes an event's id may have, as in an assertion.
const maxEventID = 512

const timeFormat = "2006-01-02T15:04:05.000Z07:00"

// The identity headers.
const (
	routeHeader      = "Hooknotary-Route"
	providerHeader   = "Hooknotary-Provider"
	scopeHeader      = "Hooknotary-Scope"
	keyLabelHeader   = "Hooknotary-Key-Label"
	eventIDHeader    = "Hooknotary-Event-Id"
	eventKeyHeader   = "Hooknotary-Event-Key"
	signedAtHeader   = "Hooknotary-Signed-At"
	receivedAtHeader = "Hooknotary-Received-At"
	bindingHeader    = "Hooknotary-Binding"
	deliveryHeader   = "Hooknotary-Delivery"
)

// ours reports whether a name looks like one of our own headers to a receiver. Many of
// them, all that speak CGI, do not tell "_" from "-".
func ours(folded string) bool { return strings.HasPrefix(folded, "hooknotary-") }

// fold returns the form of a name in which receivers may compare it.
func fold(name string) string { return strings.ReplaceAll(strings.ToLower(name), "_", "-") }

// ownFields are set by this package alone: they frame the message, or say how it is sent.
// With an idempotency key, HTTP clients behind us may send a request again.
var ownFields = []string{
	"accept-encoding", "connection", "content-encoding", "content-length", "content-type", "expect", "host",
	"http2-settings", "idempotency-key", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
	"x-idempotency-key",
}

// trustedFields are headers that receivers believe: a sender's are never passed on. A name
// that ends in "-" or "*" stands for all that begin so.
var trustedFields = []string{
	"authorization", "b3", "baggage", "cf-connecting-ip", "cookie", "forwarded", "hooknotary-*", "proxy-auth*", "set-cookie*",
	"tracestate", "traceparent", "true-client-ip", "via", "www-authenticate", "x-amzn-trace-id", "x-b3-*", "x-client-ip",
	"x-cluster-client-ip", "x-forwarded*", "x-http-method*", "x-method-override", "x-original-*", "x-real-ip", "x-rewrite-url",
}

func among(folded string, list []string) bool {
	return slices.ContainsFunc(list, func(entry string) bool {
		if prefix, ok := strings.CutSuffix(entry, "*"); ok {
			return strings.HasPrefix(folded, prefix)
		}
		return folded == entry
	})
}

// isToken reports whether a text may be the name of a header.
func isToken(s string) bool {
	return s != "" && len(s) <= 256 && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}

// isValue reports whether a text may be the value of a header.
func isValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// escape returns s if it is visible ASCII without "%", and else writes each other byte as
// %XX, so that what a sender signed can be anything, and two texts stay two.
func escape(s string) string {
	plain := func(c byte) bool { return c > ' ' && c <= '~' && c != '%' }
	n := 0
	for i := range len(s) {
		if !plain(s[i]) {
			n++
		}
	}
	if n == 0 {
		return s
	}
	const hex = "0123456789ABCDEF"
	b := make([]byte, 0, len(s)+2*n)
	for i := range len(s) {
		if c := s[i]; plain(c) {
			b = append(b, c)
		} else {
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	return string(b)
}

// eventID returns the signed id, or "" if there is none that can stand in an assertion: a
// sender can sign any bytes, and its event goes on all the same.
func eventID(d *verify.Delivery) string {
	if len(d.ID) > maxEventID || !utf8.ValidString(d.ID) {
		return ""
	}
	return d.ID
}

// message is a request in the making.
type message struct{ b []byte }

// field adds a header. It leaves out a value that would break the message, which no
// server of net/http lets through.
func (m *message) field(name, value string) {
	if !isValue(value) {
		return
	}
	m.b = append(m.b, name...)
	m.b = append(m.b, ": "...)
	m.b = append(m.b, value...)
	m.b = append(m.b, "\r\n"...)
}

// start makes a message with what each one has.
func (h *Handler) start(r *http.Request, target string, length int) *message {
	m := &message{make([]byte, 0, 2<<10)}
	m.b = append(m.b, "POST "...)
	m.b = append(m.b, target...)
	if h.opts.Query {
		m.b = append(m.b, h.query(r.URL.RawQuery)...)
	}
	m.b = append(m.b, " HTTP/1.1\r\n"...)
	m.field("Host", h.up.host)
	m.field("Content-Length", strconv.Itoa(length))
	for _, name := range h.fromSender {
		for _, value := range r.Header[name] {
			m.field(name, value)
		}
	}
	if v := r.Header["Content-Encoding"]; len(v) == 1 && strings.EqualFold(v[0], "gzip") {
		m.field("Content-Encoding", "gzip") // the signature is over the packed body
	}
	if h.opts.ClientAddress != nil {
		if a, err := netip.ParseAddr(h.opts.ClientAddress(r)); err == nil {
			m.field("X-Forwarded-For", a.WithZone("").String())
		}
	}
	m.field(routeHeader, h.route)
	m.b = append(m.b, h.own()...)
	return m
}

// query returns the sender's query with its question mark, without what is a credential.
// It also leaves out what two parsers may read in two ways.
func (h *Handler) query(raw string) string {
	var kept []string
	for pair := range strings.SplitSeq(raw, "&") {
		name, _, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		if pair == "" || err != nil || strings.ContainsFunc(pair, func(r rune) bool { return r <= ' ' || r > '~' || r == ';' || r == '#' }) {
			continue
		}
		if slices.ContainsFunc(h.secretQuery, func(secret string) bool { return fold(secret) == fold(name) }) {
			continue
		}
		kept = append(kept, pair)
	}
	if kept == nil {
		return ""
	}
	return "?" + strings.Join(kept, "&")
}

// identify adds who sent what when.
func (h *Handler) identify(ctx context.Context, m *message, d *verify.Delivery) error {
	key := h.guard.Key(d)
	m.field(providerHeader, escape(d.Provider))
	m.field(scopeHeader, escape(d.Scope))
	m.field(keyLabelHeader, escape(d.KeyLabel))
	if id := eventID(d); id != "" {
		m.field(eventIDHeader, escape(id))
	}
	m.field(eventKeyHeader, key.String())
	if !d.SignedAt.IsZero() {
		m.field(signedAtHeader, d.SignedAt.UTC().Format(timeFormat))
	}
	m.field(receivedAtHeader, d.ReceivedAt.UTC().Format(timeFormat))
	m.field(bindingHeader, d.Binding.String())
	m.field(deliveryHeader, middleware.CorrelationID(ctx))
	if h.resign != nil {
		id, at := key.String(), strconv.FormatInt(time.Now().Unix(), 10)
		m.field("Webhook-Id", id)
		m.field("Webhook-Timestamp", at)
		m.field("Webhook-Signature", h.resign(id, at, d.Body))
	}
	if s := h.opts.Assertion; s != nil {
		token, err := s.Sign(assertion.Claims{
			Route: h.guard.Endpoint(), Provider: d.Provider, Scope: d.Scope, KeyLabel: d.KeyLabel,
			EventID: eventID(d), EventKey: key, SignedAt: d.SignedAt, ReceivedAt: d.ReceivedAt,
			Binding: d.Binding, BodySHA256: sha256.Sum256(d.Body),
		})
		if err != nil {
			return fmt.Errorf("the assertion could not be signed: %w", err)
		}
		m.field(h.opts.AssertionHeader, h.opts.AssertionPrefix+token)
	}
	return nil
}

// add adds what an observer wants to say to the receiver: nothing that stands there
// already, and nothing that frames the message.
func (h *Handler) add(m *message, extra http.Header) {
	for name, values := range extra {
		folded := fold(name)
		if !isToken(name) || h.taken[folded] || ours(folded) || among(folded, ownFields) {
			continue
		}
		for _, value := range values {
			m.field(textproto.CanonicalMIMEHeaderKey(name), value)
		}
	}
}

// signer returns the function that signs as Standard Webhooks say.
func signer(secret []byte) func(id, at string, body []byte) string {
	secret = slices.Clone(secret)
	return func(id, at string, body []byte) string {
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(id + "." + at + "."))
		mac.Write(body)
		return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
}
