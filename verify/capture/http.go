package capture

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hooknotary/hooknotary/verify"
)

const (
	maxHead   = 1 << 20 // bytes of the comments and the head of a request
	maxFields = 1000    // header fields of a request, save for Host and those of the body's length
)

// Parse reads the native format. The body of the Capture is a part of text, except for
// a chunked one, and its header always has the Content-Length. The error is a
// *SyntaxError.
func Parse(text []byte) (*Capture, error) {
	p := &parser{rest: text, left: maxHead}
	switch {
	case len(text) > MaxSize:
		return nil, tooLarge()
	case len(text) == 0:
		return nil, syntax(0, "the file is empty: want a captured request")
	case bytes.HasPrefix(text, []byte(bom)):
		return nil, syntax(1, "the file begins with a byte order mark: save it without, and look whether the body is still the same")
	case text[0] == '#':
		if err := p.comments(); err != nil {
			return nil, err
		}
	}
	if err := p.request(); err != nil {
		return nil, err
	}
	return &p.capture, nil
}

// separator is what stands between requests in files of editors.
const separator = "###"

const editorsDialect = "this is an editor's dialect of .http, with variables, scripts, files or several requests in it: keep one request as it was sent, with its Content-Length and nothing to be replaced"

// dialect returns what to say to a first line that is of a format which looks like this
// one, and cannot be read exactly. It is empty for any other line.
func dialect(line string) string {
	switch {
	case strings.HasPrefix(line, "@"), strings.HasPrefix(line, "//"), strings.HasPrefix(line, "GRPC "), strings.HasPrefix(line, "< {%"):
		return editorsDialect
	case strings.HasPrefix(line, "* "), strings.HasPrefix(line, "> "), strings.HasPrefix(line, "< "), strings.HasPrefix(line, "== Info"), strings.HasPrefix(line, "=> Send"):
		return "this is a log of curl, which has marks before its lines and not the body as it was sent: record the delivery where it arrives"
	case strings.HasPrefix(line, "Request URL:"), strings.HasPrefix(line, "Request method:"), line == "Headers":
		return "this is the text of GitHub's page of recent deliveries, which shows the payload in another form than was signed: read the delivery from GitHub's REST API, or redeliver it to a recorder"
	}
	return ""
}

// parser reads the head of a file line by line, and what is left as the body.
type parser struct {
	capture Capture
	rest    []byte // what was not read yet
	line    int    // the number of the last line that was read
	left    int    // how many bytes the heads may still have
	notes   []string
	edited  bool   // it is, or may be, an editor's dialect of the format
	pushed  string // the request line, where it stands behind comments without an empty line
	hosted  bool   // whether there was a Host
	length  string // Content-Length
	chunked bool
	fields  int // that count for maxFields
}

// next reads a line of a head. The text says what the head lacks if the file ends.
func (p *parser) next(text string) (string, error) {
	p.line++
	end := bytes.IndexByte(p.rest[:min(len(p.rest), p.left)], '\n')
	switch {
	case end < 0 && len(p.rest) > p.left:
		return "", syntax(p.line, "the head does not end within %d bytes: want comments, a request line and header fields, and an empty line", maxHead)
	case end < 0:
		return "", syntax(p.line, "%s", text)
	}
	line := bytes.TrimSuffix(p.rest[:end], []byte("\r"))
	p.rest, p.left = p.rest[end+1:], p.left-end-1
	return string(line), nil
}

func (p *parser) comments() error {
	for {
		line, err := p.next("the file ends in its comments: want an empty line and a request behind them")
		switch {
		case err != nil:
			return err
		case line == "":
			p.capture.Note = strings.Join(p.notes, "\n")
			return nil
		case line[0] != '#' && p.edited && dialect(line) == "":
			p.pushed = line
			p.capture.Note = strings.Join(p.notes, "\n")
			return nil
		case line[0] != '#':
			return syntax(p.line, "%s", cmp.Or(dialect(line), "this line is no comment: want \"# key: value\", or an empty line before the request"))
		case strings.HasPrefix(line, separator):
			p.edited = true
			continue
		}
		key, value, _ := strings.Cut(line[1:], ":")
		if err := p.comment(strings.TrimSpace(key), strings.TrimSpace(value)); err != nil {
			return err
		}
	}
}

func (p *parser) comment(key, value string) error {
	c := &p.capture
	switch key {
	case "note":
		p.notes = append(p.notes, unspell(value))
	case "received":
		at, err := instant(value)
		if err != nil || !c.ReceivedAt.IsZero() {
			return syntax(p.line, "want one time such as 2026-03-01T09:30:12Z behind \"received:\"")
		}
		c.ReceivedAt = at
	case "expect":
		if c.Expect != "" || !expectation(value) {
			return syntax(p.line, "want \"accept\" or the label of a reason, such as \"mismatch\", once behind \"expect:\"")
		}
		c.Expect = value
	case "inexact":
		cause := unspell(value)
		if c.Inexact != "" || cause == "" {
			return syntax(p.line, "want a cause, once behind \"inexact:\"")
		}
		c.Inexact = cause
	}
	return nil
}

// instant reads a time. The zero time is none, and neither is what could not be written
// in UTC.
func instant(s string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339Nano, s)
	at = at.UTC()
	if err == nil && (at.IsZero() || !isYear(at)) {
		err = errors.New("no time of a request")
	}
	return at, err
}

// isYear reports whether RFC 3339 has the year of a time.
func isYear(at time.Time) bool { return 0 <= at.Year() && at.Year() <= 9999 }

func expectation(s string) bool {
	if s == Accept {
		return true
	}
	for r := verify.ErrMethod; r.String() != "unknown"; r++ {
		if r.String() == s {
			return true
		}
	}
	return false
}

// request reads the request line, the header and the body.
func (p *parser) request() error {
	line, err := p.first()
	if err != nil {
		return err
	}
	if err := p.requestLine(line); err != nil {
		return err
	}
	p.capture.Header = make(http.Header)
	for {
		line, err := p.next("the file ends in the head of the request: want an empty line behind it")
		switch {
		case err != nil:
			return err
		case line == "":
			return p.body()
		}
		if err := p.field(line); err != nil {
			return err
		}
	}
}

// first returns the line that should be the request line.
func (p *parser) first() (string, error) {
	if p.pushed != "" {
		return p.pushed, nil
	}
	for {
		line, err := p.next("this is no capture: want a request line such as \"POST /hooks HTTP/1.1\", or comments before it")
		if err != nil || line != "" || !p.edited {
			return line, err
		}
	}
}

func (p *parser) requestLine(line string) error {
	method, rest, _ := strings.Cut(line, " ")
	target, version, versioned := strings.Cut(rest, " ")
	if isMethod(method) && !versioned && (strings.HasPrefix(target, "/") || strings.HasPrefix(target, "http://") || strings.HasPrefix(target, "https://")) {
		p.edited, version = true, "HTTP/1.1" // which editors leave out
	}
	switch {
	case !isMethod(method) || !strings.HasPrefix(version, "HTTP/"):
		return syntax(p.line, "%s", cmp.Or(dialect(line), "want a request line such as \"POST /hooks HTTP/1.1\""))
	case p.edited && strings.Contains(line, "{{"):
		return syntax(p.line, editorsDialect)
	}
	if version != "HTTP/1.1" && version != "HTTP/1.0" {
		return syntax(p.line, "want HTTP/1.1 at the end of the request line")
	}
	u, err := url.ParseRequestURI(target)
	if err == nil {
		u, _, err = canonical(u)
	}
	if err != nil {
		return syntax(p.line, "want a path, or an absolute URL with a host, in the request line")
	}
	p.capture.Method, p.capture.URL = method, u
	return nil
}

func (p *parser) field(line string) error {
	name, value, ok := strings.Cut(line, ":")
	switch {
	case p.edited && (strings.Contains(line, "{{") || strings.HasPrefix(line, "//") || strings.HasPrefix(line, "#")):
		return syntax(p.line, editorsDialect)
	case line[0] == ' ' || line[0] == '\t':
		return syntax(p.line, "this line goes on with the header field before: want each field in one line")
	case !ok || !isToken(name):
		return syntax(p.line, "want a header field, \"Name: value\", or an empty line behind the last one")
	}
	value = strings.Trim(value, " \t")
	if !isValue(value) {
		return syntax(p.line, "want no control characters in a header field")
	}
	switch name = http.CanonicalHeaderKey(name); name {
	case "Host":
		if !isHost(value) || p.hosted {
			return syntax(p.line, "want one host, without white space")
		}
		p.capture.Host, p.hosted = value, true
	case "Content-Length":
		if _, err := strconv.ParseUint(value, 10, 63); err != nil || p.length != "" || p.chunked {
			return syntax(p.line, "want one Content-Length in decimal digits, and no Transfer-Encoding beside it")
		}
		p.length = value
	case "Transfer-Encoding":
		if !strings.EqualFold(value, "chunked") || p.length != "" || p.chunked {
			return syntax(p.line, "want one Transfer-Encoding, chunked, and no Content-Length beside it")
		}
		p.chunked = true
	default:
		p.capture.Header[name] = append(p.capture.Header[name], value)
		p.fields++
	}
	if p.fields > maxFields {
		return syntax(p.line, "want at most %d header fields", maxFields)
	}
	return nil
}

// body takes what is left.
func (p *parser) body() error {
	body := slices.Clip(p.rest)
	if p.length == "" && !p.chunked && (isEditors(body) || p.hasVariable()) {
		return syntax(p.line+1, editorsDialect)
	}
	if p.edited && p.length == "" && !p.chunked {
		p.capture.Inexact = cmp.Or(p.capture.Inexact, "an editor's file without a Content-Length does not say where the body ends, and editors add and cut line ends there: add the Content-Length that was sent")
	}
	if p.chunked {
		var err error
		if body, err = dechunk(p.rest); err != nil {
			return syntax(p.line+1, "the body is not chunked, as Transfer-Encoding says, or it has trailers, or does not end with the last chunk")
		}
	}
	if n, _ := strconv.ParseInt(p.length, 10, 64); p.length != "" && n != int64(len(body)) {
		than := "shorter"
		if int64(len(body)) > n {
			than = "longer"
		}
		return syntax(p.line+1, "the body is %s than Content-Length says, %d bytes instead of %d: %s", than, len(body), n, guess(body, n))
	}
	p.capture.Body = body
	p.capture.Header.Set("Content-Length", strconv.Itoa(len(body)))
	return nil
}

// isEditors reports whether what stands behind a head, and has no length, is more than a
// body: a file's name, another request, a script.
func isEditors(text []byte) bool {
	for _, start := range [...]string{"< ", separator, "> {%", ">> "} {
		if bytes.HasPrefix(text, []byte(start)) || start != "< " && bytes.Contains(text, []byte("\n"+start)) {
			return true
		}
	}
	return false
}

// hasVariable reports whether a header field has what an editor replaces.
func (p *parser) hasVariable() bool {
	for _, values := range p.capture.Header {
		if slices.ContainsFunc(values, func(v string) bool { return strings.Contains(v, "{{") }) {
			return true
		}
	}
	return false
}

// dechunk joins the chunks of a body, which must be all of text.
func dechunk(text []byte) ([]byte, error) {
	r := bytes.NewReader(text)
	var b bytes.Buffer
	b.Grow(len(text) + bytes.MinRead)
	buffered := bufio.NewReader(r)
	if _, err := b.ReadFrom(httputil.NewChunkedReader(buffered)); err != nil {
		return nil, err
	}
	if rest := len(text) - r.Len() - buffered.Buffered(); string(text[rest:]) != "\r\n" {
		return nil, errors.New("there is more behind the last chunk")
	}
	return b.Bytes(), nil
}

// guess says what people's tools do to bodies.
func guess(body []byte, want int64) string {
	n := int64(len(body))
	switch crlf, lf := int64(bytes.Count(body, []byte("\r\n"))), int64(bytes.Count(body, []byte("\n"))); {
	case n == want+1 && bytes.HasSuffix(body, []byte("\n")), n == want+2 && bytes.HasSuffix(body, []byte("\r\n")):
		return "has an editor added a line end?"
	case crlf > 0 && n-crlf == want:
		return "have line ends been changed from LF to CRLF? In .gitattributes, \"*.http -text\" keeps them"
	case crlf == 0 && lf > 0 && n+lf == want:
		return "have line ends been changed from CRLF to LF? In .gitattributes, \"*.http -text\" keeps them"
	case n < want:
		return "is it cut off?"
	}
	return "want exactly the bytes that arrived"
}

// Append appends c in the native format to b. It returns an error, and no bytes, for a
// Capture that could not be read back: a method, URL, host, header or expectation that
// the format cannot hold, such as a header that is not under its canonical name or has a
// value with white space at its ends; a time outside of the years 0 to 9999; or more than
// the limits allow.
//
// Otherwise [Parse] reads the same again, save for this: zero values become what they
// stand for, and the time UTC; credentials, the user information and the fragment of the
// URL, and header names without a value are left out; Content-Length and
// Transfer-Encoding are replaced by the Content-Length of the body.
func (c *Capture) Append(b []byte) ([]byte, error) {
	start := len(b)
	b, err := c.appendHead(b)
	if err != nil {
		return nil, fmt.Errorf("capture: %w", err)
	}
	if len(b)-start+len(c.Body) > MaxSize {
		return nil, fmt.Errorf("capture: the capture would have more than %d bytes", MaxSize)
	}
	return append(b, c.Body...), nil
}

// appendHead appends all but the body. Its errors do not say that they are of this
// package.
func (c *Capture) appendHead(b []byte) ([]byte, error) {
	start := len(b)
	b, err := c.appendComments(b)
	if err == nil {
		b, err = c.appendRequest(b)
	}
	if err == nil && len(b)-start > maxHead {
		err = fmt.Errorf("the head would have more than %d bytes", maxHead)
	}
	return b, err
}

func (c *Capture) appendComments(b []byte) ([]byte, error) {
	start := len(b)
	if c.Note != "" {
		for line := range strings.SplitSeq(c.Note, "\n") {
			b = appendComment(b, "note", spell(line))
		}
	}
	if !c.ReceivedAt.IsZero() {
		at := c.ReceivedAt.UTC()
		if !isYear(at) {
			return nil, errors.New("the receive time is outside of the years 0 to 9999")
		}
		b = appendComment(b, "received", at.Format(time.RFC3339Nano))
	}
	if c.Expect != "" {
		if !expectation(c.Expect) {
			return nil, errors.New("the expectation is neither \"accept\" nor the label of a reason")
		}
		b = appendComment(b, "expect", c.Expect)
	}
	if c.Inexact != "" {
		b = appendComment(b, "inexact", spell(c.Inexact))
	}
	if dropped := c.dropped(); len(dropped) > 0 {
		b = appendComment(b, "dropped", strings.Join(dropped, ", "))
	}
	if len(b) > start {
		b = append(b, '\n')
	}
	return b, nil
}

// dropped returns the names of the headers that are not written.
func (c *Capture) dropped() []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(c.Header)) {
		if credential(name, c.Header[name]) {
			names = append(names, name)
		}
	}
	return names
}

func appendComment(b []byte, key, value string) []byte {
	b = append(b, "# "+key+":"...)
	if value != "" { // an editor would cut the space
		b = append(b, ' ')
	}
	return append(append(b, value...), '\n')
}

// spell returns a line that unspell turns into s again: s itself where it can stand in
// a comment.
func spell(s string) string {
	plain := strings.TrimSpace(s) == s && unspell(s) == s
	for _, r := range s {
		plain = plain && strconv.IsPrint(r)
	}
	if plain && utf8.ValidString(s) {
		return s
	}
	return strconv.Quote(s)
}

func unspell(s string) string {
	if strings.HasPrefix(s, `"`) {
		if text, err := strconv.Unquote(s); err == nil {
			return text
		}
	}
	return s
}

func (c *Capture) appendRequest(b []byte) ([]byte, error) {
	_, target, err := canonical(c.url())
	switch {
	case err != nil:
		return nil, err
	case !isMethod(c.method()):
		return nil, errors.New("the method is none of HTTP's")
	case !isHost(c.Host):
		return nil, errors.New("the host has white space or control characters")
	}
	b = fmt.Appendf(b, "%s %s HTTP/1.1\r\n", c.method(), target)
	if c.Host != "" {
		b = fmt.Appendf(b, "Host: %s\r\n", c.Host)
	}
	fields := 0
	for _, name := range slices.Sorted(maps.Keys(c.Header)) {
		values := c.Header[name]
		switch {
		case !isToken(name) || name != http.CanonicalHeaderKey(name):
			return nil, errors.New("a header's name is not canonical")
		case name == "Host":
			return nil, errors.New("the header Host stands in the field Header, want it in Host")
		case name == "Content-Length", name == "Transfer-Encoding", credential(name, values):
			continue
		}
		for _, value := range values {
			if strings.Trim(value, " \t") != value || !isValue(value) {
				return nil, fmt.Errorf("header %s has control characters, or white space at its ends", name)
			}
			b = fmt.Appendf(b, "%s: %s\r\n", name, value)
			fields++
		}
	}
	if fields > maxFields {
		return nil, fmt.Errorf("the request has more than %d header fields", maxFields)
	}
	return fmt.Appendf(b, "Content-Length: %d\r\n\r\n", len(c.Body)), nil
}

// canonical returns the URL and the request target that are left of u in a file. Read
// again, the target is that URL.
func canonical(u *url.URL) (*url.URL, string, error) {
	bare := *u
	bare.User, bare.Fragment, bare.RawFragment = nil, "", ""
	if bare.Scheme == "" && bare.Path == "" {
		bare.Path = "/"
	}
	target := bare.RequestURI()
	if bare.Scheme != "" {
		target = bare.String()
	}
	again, err := url.ParseRequestURI(target) // which refuses control characters
	if err != nil || strings.Contains(target, " ") || again.Scheme != "" && again.Host == "" {
		return nil, "", errors.New("the URL is neither a path nor absolute with a host")
	}
	read := *again
	read.RawPath, bare.RawPath = "", "" // a hint that url.URL may ignore
	if read != bare {
		return nil, "", errors.New("the URL is not the same when it is read again")
	}
	return again, target, nil
}

// isMethod reports whether s can begin a request line. What begins with # would be a
// comment.
func isMethod(s string) bool { return isToken(s) && s[0] != '#' }

func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}

// isHost reports whether s can be a host. Servers hand over what is not ASCII, too, if
// it is from an absolute URL.
func isHost(s string) bool { return isValue(s) && !strings.ContainsAny(s, " \t") }

// isValue reports whether a header's value has only bytes that HTTP/1.1 allows.
func isValue(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' && s[i] != '\t' || s[i] == 0x7f {
			return false
		}
	}
	return true
}
