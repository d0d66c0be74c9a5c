package diagnose

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

const maxCause = 300 // bytes of an error in a text

const readParsed = "Verify the bytes that arrived and not a parsed body that was serialised again: put the verification before body parsers, and switch off what rewrites JSON on the way."

// texts say what is wrong, for the findings that have no more to say about this capture.
var texts = map[ID]string{
	BodyInexact:       "The capture says of itself that its body may not be the bytes that were signed, so nothing about the secret can be told from it.",
	BodyEmpty:         "The body is empty, and the signature is over another one: something read the body before.",
	BodyTruncated:     "The signature verifies after brackets are added at the end of the body: its end is missing.",
	BodyNewlineAdded:  "The signature verifies after the white space at the end of the body is cut: something added it.",
	BodyNewlineCut:    "The signature verifies after a line end is added at the end of the body: something trimmed it.",
	BodyLineEnds:      "The signature verifies after the line ends of the body are changed back: LF became CRLF, or the reverse.",
	BodyBOM:           "The signature verifies after a byte order mark at the start of the body is cut, or put back.",
	BodyCharset:       "The signature verifies after the body is put back into the encoding that it was signed in: something read it in one character set and wrote it in another.",
	BodyBase64:        "The signature verifies after the body is decoded from base64, in which something wrapped it.",
	BodyGzip:          "The signature verifies after the body is decompressed: it is still as something on the way compressed it.",
	BodyFormDecoded:   "The signature verifies over the form that the body was taken from: the form was decoded before it was verified.",
	BodyString:        "The signature verifies over a JSON string that is in the body: something wrapped the body in JSON.",
	BodyWrapped:       "The signature verifies over what the body lists as numbers, or holds as a field or the name of a field of a form: something wrote the body as a Buffer or a form.",
	BodyMediaType:     "The signature holds, but the body is not of the media type that this endpoint is configured for, such as JSON where a form is due.",
	BodyCompacted:     "The signature verifies after the white space between the parts of the JSON is put back: the body was parsed and serialised again without it.",
	BodyIndented:      "The signature verifies after the white space between the parts of the JSON is changed back: the body was parsed and serialised again with other white space, such as an indentation.",
	BodyKeyOrder:      "The signature verifies after the members of the JSON objects are put back into the provider's order: the body was parsed and serialised again with its members sorted, or in another order.",
	BodyHTMLEscape:    "The signature verifies after <, > and & are written as the provider writes them: the body was serialised again, with them escaped or not.",
	BodyUnicodeEscape: "The signature verifies after the \\u escapes of the JSON are changed back: the body was serialised again with escapes added, undone or in another case.",
	BodySlashEscape:   "The signature verifies after the slashes of the JSON are written as the provider writes them: the body was serialised again, with \\/ for / or the reverse.",
	BodyNumbers:       "The signature verifies after numbers of the JSON are written in another form: the body was parsed and serialised again, which changes fractions, exponents and large integers.",
	BodyReserialised:  "The signature verifies after traces of a JSON encoder are undone, such as several at once, or {} that became []: the body was parsed and serialised again.",
	SecretWhiteSpace:  "The signature verifies after white space is removed from the secret.",
	SecretQuotes:      "The signature verifies after the quotes around the secret are removed.",
	SecretPrefix:      "The signature verifies with another beginning of the secret: a prefix such as whsec_ is missing, or stands there too much.",
	SecretBase64:      "The signature verifies after base64 is decoded from the secret, or encoded again: secret and verifier disagree on it.",
	SecretHex:         "The signature verifies after hexadecimal digits are decoded from the secret, or encoded again: secret and verifier disagree on them.",
	SecretEscaped:     "The signature verifies after escapes of JSON, HTML, URLs or shells in the secret are undone, or written: something escaped it on its way, or took a part of it for an escape.",
	SecretAPIKey:      "What is configured looks like an API key or another credential of the account, not like the signing secret of a webhook.",
	SecretUnusable:    "There is no usable secret to verify this request with.",
	SecretWrong:       "The signature is well-formed, and no key of the verifier made it over this body.",
	HeaderMissing:     "The headers of the signature are not there.",
	HeaderMalformed:   "The headers of the signature do not have the scheme's form.",
}

// likely are the texts of findings that cannot be proved, where they differ.
var likely = map[ID]string{
	BodyTruncated:    "The body ends before its JSON does, or before Content-Length says: its end is missing.",
	BodyCharset:      "The body holds the replacement character U+FFFD, which is what is left of text that was read in the wrong character set.",
	BodyGzip:         "The headers speak of a compressed body and this one is not, or not in a form that can be undone here: something decompressed or recompressed it.",
	BodyFormDecoded:  "The request says that it is a form, and the body is JSON: something took the field out of the form, which is what was signed.",
	BodyKeyOrder:     "The members of all JSON objects are sorted, which few providers do: the body was parsed and serialised again, and the order that was signed is lost.",
	BodyReserialised: "The body looks like the output of a JSON encoder of yours and not like the provider's: it was parsed and serialised again, and what was signed is lost.",
	SecretWhiteSpace: "The secret has white space around it, and no verifier takes it so.",
	SecretQuotes:     "The secret has quotes around it, and no verifier takes it so.",
	BodyNumbers:      "The body holds integers that look as if they went through a floating-point number, which changes their last digits: it was parsed and serialised again.",
}

// fixes say what to do about it.
var fixes = map[ID]string{
	BodyInexact:       "Capture the delivery where it arrives, byte for byte, and verify that.",
	BodyEmpty:         "Verify before anything else reads the body, or put back what was read: a request's body can be read once.",
	BodyTruncated:     "Look for a body limit, a buffer or a log that cuts, and verify the whole body.",
	BodyNewlineAdded:  "Hand over the body byte for byte; editors, shells and print functions add a line end (save the capture without it).",
	BodyNewlineCut:    "Hand over the body byte for byte, and trim nothing.",
	BodyLineEnds:      "Keep Git, editors and text-mode file functions from converting line ends (in .gitattributes: *.http -text).",
	BodyBOM:           "Read and write the body as bytes, not as text of some encoding.",
	BodyCharset:       "Read and write the body as bytes, not as text: no decoding as Latin-1 or Windows-1252, and no encoding as UTF-8, on the way.",
	BodyBase64:        "Decode the body before it is verified: API gateways encode it, and say so in a field beside it.",
	BodyGzip:          "Decompress what your own proxy compressed before verifying, or switch the compression of requests off there.",
	BodyFormDecoded:   "Verify the whole form as it arrived, before ParseForm or anything like it, and read the field afterwards.",
	BodyString:        "Take the body out of the wrapping, and verify the decoded string.",
	BodyWrapped:       "Hand over the body as the bytes that arrived: no JSON of a Buffer, and no parser or writer of forms in front of the verification.",
	BodyMediaType:     "Choose the same content type in the settings of the webhook and in the options of the verifier.",
	BodyCompacted:     readParsed,
	BodyIndented:      readParsed,
	BodyKeyOrder:      readParsed,
	BodyHTMLEscape:    readParsed,
	BodyUnicodeEscape: readParsed,
	BodySlashEscape:   readParsed,
	BodyNumbers:       readParsed,
	BodyReserialised:  readParsed,
	SecretWhiteSpace:  "Store the secret without the line break or space that came with it when it was copied.",
	SecretQuotes:      "Store the secret without quotes: not everything that reads environment files removes them.",
	SecretPrefix:      "Use the secret exactly as the provider shows it.",
	SecretBase64:      "Use the secret exactly as the provider shows it, and let the verifier decode it if the provider's scheme says so.",
	SecretHex:         "Use the secret exactly as the provider shows it, and let the verifier decode it if the provider's scheme says so.",
	SecretEscaped:     "Use the secret exactly as the provider shows it, and quote it where it is stored so that nothing is escaped or unescaped.",
	SecretOther:       "Configure the secret of the very endpoint that this URL is registered under: each endpoint has its own.",
	SecretOtherMode:   "Give test and live mode an endpoint of their own, each with its own secret.",
	SecretAPIKey:      "Take the signing secret from the settings of this webhook endpoint, and replace the exposed key if it was stored where it does not belong.",
	SecretUnusable:    "Set the signing secret of this webhook endpoint.",
	SecretWrong:       "Compare the secret with the one in the settings of this very endpoint and mode (test or live); if it is right, the body is not what the provider sent.",
	HeaderMissing:     "Let the proxy in front pass the headers of the signature on, and check that a secret is set for the webhook: many providers sign only then.",
	HeaderRenamed:     "Let the proxy or framework pass the header under its own name, or put it back before verifying.",
	HeaderSpelling:    "Build the header with http.Header.Set or verify.HeaderOf, which make names canonical.",
	HeaderJoined:      "Keep the proxy from adding the header a second time, or from joining it.",
	HeaderSplit:       "Keep the proxy from splitting or repeating the header.",
	HeaderSHA1:        "Update the sender, so that it signs with SHA-256, or find out what drops the header of the stronger signature.",
	HeaderMalformed:   "Compare the header with what the provider's documentation shows, and find out what changed it.",
	ClockZone:         "Compare both times in UTC: one clock runs in local time but says UTC, or a time was parsed without its zone.",
	ClockSkew:         "Set the clock of the receiver by NTP, and look for a queue in front of it that holds deliveries back.",
	ClockOldCapture:   "Judge a capture at the time at which it arrived: write that into it (received), or pass it.",
	ClockMilliseconds: "Use the unit of the scheme on both sides: Unix and UnixMilli are easy to confuse.",
	ProviderOther:     "Use the verifier of the provider that sends to this endpoint, or correct the URL in that provider's settings.",
	Unjudged:          "Repeat the diagnosis when the source of the keys and the hosts of the certificates can be reached.",
}

// explain makes a finding with the texts for its id.
func explain(id ID, c Confidence) Finding {
	f := Finding{ID: id, Confidence: c, Text: texts[id], Fix: fixes[id]}
	if text, ok := likely[id]; ok && c == Likely {
		f.Text = text
	}
	return f
}

// explainf makes a finding with a text of its own.
func explainf(id ID, c Confidence, format string, args ...any) Finding {
	return Finding{ID: id, Confidence: c, Text: fmt.Sprintf(format, args...), Fix: fixes[id]}
}

// conclude ends the text of a finding that is a mistake in any case, and says whether the
// signature verifies without it.
func conclude(f Finding, c Confidence, proof string) Finding {
	f.Confidence = c
	if c == Proved {
		f.Text += proof
	}
	f.Text += "."
	return f
}

// ending makes the end of a sentence of an error.
func ending(err error) string {
	text := strings.Join(strings.Fields(err.Error()), " ")
	if len(text) > maxCause {
		text = strings.ToValidUTF8(text[:maxCause], "") + "…"
	}
	if strings.HasSuffix(text, "?") {
		return text
	}
	return text + "."
}

// printable returns a name for a text that comes from outside, such as a header's, if it
// is fit to print.
func printable(name, instead string) string {
	if name == "" || len(name) > 64 || !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return instead
	}
	return name
}
