package diagnose

import (
	"context"
	"iter"
	"slices"

	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/capture"
)

// ID names a kind of mistake. IDs are stable.
type ID string

// The mistakes that every scheme knows. A [verify.Explainer] has further ids.
const (
	BodyInexact       ID = "body.inexact"        // the capture's bytes are not those that were signed
	BodyEmpty         ID = "body.empty"          // something read the body before
	BodyTruncated     ID = "body.truncated"      // the end is missing
	BodyNewlineAdded  ID = "body.newline-added"  // at its end
	BodyNewlineCut    ID = "body.newline-cut"    // at its end
	BodyLineEnds      ID = "body.line-ends"      // LF became CRLF, or the reverse
	BodyBOM           ID = "body.bom"            // a byte order mark was added or cut
	BodyCharset       ID = "body.charset"        // re-encoded as UTF-8, or as Latin-1
	BodyBase64        ID = "body.base64"         // wrapped, as API gateways do
	BodyGzip          ID = "body.gzip"           // still compressed
	BodyFormDecoded   ID = "body.form-decoded"   // the form's field instead of the form
	BodyString        ID = "body.string"         // the body as a JSON string
	BodyWrapped       ID = "body.wrapped"        // a list of bytes, or a field or the name of one of a form
	BodyMediaType     ID = "body.media-type"     // signed, and body or header are not of the endpoint's media type
	BodyCompacted     ID = "body.compacted"      // serialised again without white space
	BodyIndented      ID = "body.indented"       // serialised again with white space
	BodyKeyOrder      ID = "body.key-order"      // serialised again with members in another order
	BodyHTMLEscape    ID = "body.html-escape"    // <, > and & escaped, or not
	BodyUnicodeEscape ID = "body.unicode-escape" // \u escapes added, undone, or in another case
	BodySlashEscape   ID = "body.slash-escape"   // / escaped, or not
	BodyNumbers       ID = "body.numbers"        // numbers in another form
	BodyReserialised  ID = "body.reserialised"   // several of the former at once
	SecretWhiteSpace  ID = "secret.white-space"  // around or inside it
	SecretQuotes      ID = "secret.quotes"       // around it
	SecretPrefix      ID = "secret.prefix"       // cut off, or added
	SecretBase64      ID = "secret.base64"       // decoded, or not
	SecretHex         ID = "secret.hex"          // decoded from hexadecimal digits, or not
	SecretEscaped     ID = "secret.escaped"      // for JSON, HTML, a URL or a shell, or unescaped
	SecretOther       ID = "secret.other"        // of another endpoint of the account
	SecretOtherMode   ID = "secret.other-mode"   // of test mode instead of live mode, or the reverse
	SecretAPIKey      ID = "secret.api-key"      // an API key in the secret's place
	SecretUnusable    ID = "secret.unusable"     // no verifier takes it
	SecretWrong       ID = "secret.wrong"        // nothing else explains it
	HeaderMissing     ID = "header.missing"      // no header of the scheme is there
	HeaderRenamed     ID = "header.renamed"      // its value stands under another name
	HeaderSpelling    ID = "header.spelling"     // not canonical in the map
	HeaderJoined      ID = "header.joined"       // several became one
	HeaderSplit       ID = "header.split"        // one became several
	HeaderSHA1        ID = "header.sha1"         // only the weak signature is there
	HeaderMalformed   ID = "header.malformed"    // nothing else explains it
	ClockZone         ID = "clock.zone"          // off by a time zone
	ClockSkew         ID = "clock.skew"          // off by another amount
	ClockOldCapture   ID = "clock.old-capture"   // verified at another time than that of its arrival
	ClockMilliseconds ID = "clock.milliseconds"  // milliseconds for seconds, or the reverse
	ProviderOther     ID = "provider.other"      // signed by another provider, or a look-alike
	Unjudged          ID = "unjudged"            // keys or certificate could not be had, or the diagnosis was ended
)

// Confidence says how sure a finding is.
type Confidence string

const (
	// Proved: with that one change the signature verifies; where there are several
	// proved findings, with all of them.
	Proved Confidence = "proved"
	// Likely: the request looks like it, and it cannot be proved from here.
	Likely Confidence = "likely"
)

// Finding is one explanation. It holds no secret, no expected signature and nothing
// of the body.
type Finding struct {
	ID         ID         `json:"id"`
	Confidence Confidence `json:"confidence"`
	Text       string     `json:"text"` // what is wrong, one sentence
	Fix        string     `json:"fix"`  // what to do about it, one sentence
}

// Scheme is what a diagnosis wants to know of a verifier beyond its verdict. The
// verifiers of this module implement it; for others, only mistakes of body and clock
// are found.
type Scheme interface {
	verify.Verifier

	// Keys returns the keys that the verifier tries.
	verify.KeySource

	// Rekey returns a verifier that differs in its keys alone.
	Rekey(keys verify.KeySource) (verify.Verifier, error)

	// SecurityHeaders returns the canonical names of the headers that the scheme
	// reads to verify, the strongest signature's first.
	SecurityHeaders() []string

	// Message yields the signed message in pieces, each with a few words on where it
	// is from, for people to read. Pieces that the head lacks are nil.
	Message(h *verify.Head, body []byte) iter.Seq2[string, []byte]
}

// Candidate is a secret that might be the right one.
type Candidate struct {
	Label     string // what a finding calls it
	Secret    string // as the provider shows it, or the identifier that stands in its place
	OtherMode bool   // it is of test mode where the endpoint is live, or the reverse
}

// Options holds what more is known. The zero value and nil are nothing.
type Options struct {
	// Candidates are other secrets of the same account, at most 64.
	Candidates []Candidate

	// Others are verifiers of other providers, or of other environments of this one,
	// that might take the delivery.
	Others []verify.Verifier
}

// Verifier says why v refuses c: the likeliest finding first, none if v accepts it, and
// never more than 8. If v accepts it and a guard would not, because its Content-Type is
// not the endpoint's, that is the one finding.
//
// There is at least one finding if v refuses c, also when ctx ends the diagnosis. The
// capture and the options are not changed.
func Verifier(ctx context.Context, v verify.Verifier, c *capture.Capture, o *Options) []Finding {
	c = unpacked(v.Profile(), c)
	_, err := verify.Verify(ctx, v, c.Head(), c.Body)
	if err == nil {
		return ofMediaType(v.Profile(), aboutOf(v), c.Header)
	}
	q := newInquiry(ctx, v, c, o)
	q.run(err)
	return q.findings()
}

// unpacked returns c as it was signed, where its provider signs before it compresses. What
// cannot be unpacked stays as it is.
func unpacked(p verify.Profile, c *capture.Capture) *capture.Capture {
	body, err := p.Unpack(c.Head(), c.Body)
	if err != nil || !p.Packed(c.Head()) {
		return c
	}
	c = c.Clone()
	c.Body = body
	delete(c.Header, "Content-Encoding")
	return c
}

// Secret is like Verifier for a secret that might not even be one: it says so if new
// refuses it. The function new makes the verifier for a secret, and its error holds no
// secret.
//
// A secret with white space or quotes around it, which new refuses, is tried without
// them, so that there are findings on the rest, too.
func Secret(ctx context.Context, new func(secret string) (verify.Verifier, error), secret string, c *capture.Capture, o *Options) []Finding {
	v, err := new(secret)
	if err == nil && v != nil {
		return Verifier(ctx, v, c, o)
	}
	for m := range mends(secret) {
		v, err := new(m.secret)
		if err != nil || v == nil {
			continue
		}
		if m.ids[0] == SecretWhiteSpace || m.ids[0] == SecretQuotes {
			rest := Verifier(ctx, v, c, o)
			proved := !slices.ContainsFunc(rest, func(f Finding) bool { return f.Confidence != Proved })
			return distinct(append(explainAll(m.ids, proved), rest...))
		}
		if credential(secret) || aboutOf(v).Identifier != "" {
			break // what is an API key is no secret, and an id is written in one way
		}
		if newInquiry(ctx, v, c, o).judge(c.Header).holds() {
			return explainAll(m.ids, true)
		}
	}
	found := []Finding{unusable(secret, err)}
	if o == nil {
		return found
	}
	for _, other := range o.Candidates[:min(len(o.Candidates), maxCandidates)] {
		v, err := new(other.Secret)
		if err != nil || v == nil {
			continue
		}
		// A verifier for one of them can be rekeyed to all of them.
		q := newInquiry(ctx, v, c, o)
		if j := q.judge(c.Header); q.byCandidates(j) {
			return distinct(append(found, q.found...))
		}
		break
	}
	return found
}
