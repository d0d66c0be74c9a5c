package capture_test

import (
	"bufio"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/verify/capture"
)

func bufioReader(s string) *bufio.Reader { return bufio.NewReader(strings.NewReader(s)) }

func TestParse(t *testing.T) {
	t.Run("requests are read", func(t *testing.T) {
		const head = "POST / HTTP/1.1\r\nHost: h\r\n"
		crlf := func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }
		simple := &capture.Capture{Host: "h", Body: []byte("{}")}
		for _, tt := range []struct {
			name, text string
			want       *capture.Capture
		}{
			{"without comments", head + "Content-Length: 2\r\n\r\n{}", simple},
			{"without a length", head + "\r\n{}", simple},
			{"with a length that begins with zeros", head + "Content-Length: 002\r\n\r\n{}", simple},
			{"with bare line feeds", "POST / HTTP/1.1\nHost: h\nContent-Length: 2\n\n{}", simple},
			{"with mixed line ends", "# expect: accept\r\n\nPOST / HTTP/1.1\nHost: h\r\nContent-Length: 2\n\r\n{}", &capture.Capture{Host: "h", Body: []byte("{}"), Expect: "accept"}},
			{"of HTTP/1.0", "POST / HTTP/1.0\r\nHost: h\r\n\r\n{}", simple},
			{"in chunks", head + "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n01;x=y\r\n}\r\n0\r\n\r\n", simple},
			{"in chunks of another spelling", head + "transfer-encoding:\tCHUNKED\r\n\r\n2\r\n{}\r\n0\r\n\r\n", simple},
			{"in chunks that hold line ends", head + "Transfer-Encoding: chunked\r\n\r\n4\r\n\r\n\r\n\r\n0\r\n\r\n", &capture.Capture{Host: "h", Body: []byte("\r\n\r\n")}},
			{"in no chunks", head + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", &capture.Capture{Host: "h"}},
			{"with an empty host", "POST / HTTP/1.1\r\nHost:\r\n\r\n{}", &capture.Capture{Body: []byte("{}")}},
			{"with a body that begins with line ends", head + "\r\n\r\n\n", &capture.Capture{Host: "h", Body: []byte("\r\n\n")}},
			{"with a body that begins with a byte order mark", head + "\r\n\xef\xbb\xbf", &capture.Capture{Host: "h", Body: []byte("\xef\xbb\xbf")}},
			{"with an absolute URL", "POST https://public.example/a?b HTTP/1.1\r\nHost: inner\r\n\r\n", &capture.Capture{URL: mustURL(t, "https://public.example/a?b"), Host: "inner"}},
			{"with user information, which is dropped", "POST https://user:password@h/ HTTP/1.1\r\n\r\n", &capture.Capture{URL: mustURL(t, "https://h/")}},
			{"with a target that is not ASCII", "POST /ä HTTP/1.1\r\n\r\n", &capture.Capture{URL: mustURL(t, "/%C3%A4")}},
			{"with header fields that are repeated", head + "A: 1\r\nB: x\r\na: 2\r\n\r\n", &capture.Capture{Host: "h", Header: http.Header{"A": {"1", "2"}, "B": {"x"}}}},
			{"with header fields of odd spelling", head + "sTRIPE-sIGNATURE:t=1\t \r\nX:\r\n\r\n", &capture.Capture{Host: "h", Header: http.Header{"Stripe-Signature": {"t=1"}, "X": {""}}}},
			{"with header fields that are not ASCII", head + "A: \xe4\x80\r\n\r\n", &capture.Capture{Host: "h", Header: http.Header{"A": {"\xe4\x80"}}}},
			{"with header fields that a server would act on", head + "Expect: 100-continue\r\nPragma: no-cache\r\nConnection: Upgrade\r\nTrailer: A\r\n\r\n",
				&capture.Capture{Host: "h", Header: http.Header{"Expect": {"100-continue"}, "Pragma": {"no-cache"}, "Connection": {"Upgrade"}, "Trailer": {"A"}}}},
			{"with comments", "# note: a\n#note:  b: c \n# a comment\n#\n# other: x\n# inexact: why\n# received: 2026-03-01T10:30:12,25+01:00\n# expect: too_old\n\n" + head + "\r\n{}",
				&capture.Capture{Host: "h", Body: []byte("{}"), Note: "a\nb: c", Inexact: "why", Expect: "too_old", ReceivedAt: received}},
			{"with comments in CRLF", crlf("# note: a\n# received: 2026-03-01T09:30:12.25Z\n\nPOST / HTTP/1.1\nHost: h\nContent-Length: 2\n\n{}"),
				&capture.Capture{Host: "h", Body: []byte("{}"), Note: "a", ReceivedAt: received}},
			{"with quoted comments", "# note: \"a\\tb\"\n# note: \"not a Go string\n# note: \"a\" and \"b\"\n# inexact: \"\\n\"\n\n" + head + "\r\n{}",
				&capture.Capture{Host: "h", Body: []byte("{}"), Note: "a\tb\n\"not a Go string\n\"a\" and \"b\"", Inexact: "\n"}},
			{"with keys in capitals, which are comments for people", "# Note: a\n# EXPECT: b\n\n" + head + "\r\n{}", simple},
			{"with another method", "delete / HTTP/1.1\r\n\r\n", &capture.Capture{Method: "delete"}},
		} {
			t.Run(tt.name, func(t *testing.T) {
				got := mustParse(t, tt.text)
				if names := differences(tt.want, got); names != nil {
					t.Errorf("these differ: %q\ngot:  %+v\nwant: %+v", names, got, tt.want)
				}
				if h := got.Header["Content-Length"]; len(h) != 1 || h[0] != strconv.Itoa(len(got.Body)) {
					t.Errorf("Content-Length is %q", h)
				}
				if got.Header["Transfer-Encoding"] != nil || got.Header["Host"] != nil || got.ReceivedAt.Location() != time.UTC {
					t.Errorf("got %+v", got)
				}
				again := mustParse(t, string(mustAppend(t, got)))
				if !reflect.DeepEqual(got, again) {
					t.Errorf("written and read again it is %+v, want %+v", again, got)
				}
			})
		}
	})

	t.Run("the body is a part of the text and ends with it", func(t *testing.T) {
		text := append(make([]byte, 0, 100), "POST / HTTP/1.1\r\n\r\nbody"...)
		c, err := capture.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if &c.Body[0] != &text[len(text)-4] {
			t.Error("the body was copied")
		}
		_ = append(c.Body, 'x')
		if text[:len(text)+1][len(text)] == 'x' {
			t.Error("appending to the body changed what stands behind the text")
		}
	})

	t.Run("what is wrong is refused", func(t *testing.T) {
		const (
			head = "POST / HTTP/1.1\r\nHost: h\r\n"
			ok   = head + "Content-Length: 2\r\n\r\n{}"
		)
		many := strings.Repeat("A: b\r\n", 1000)
		for _, tt := range []struct {
			name, bad string
			line      int
			want      string
			good      string // differs in one thing
		}{
			{"an empty file", "", 0, "empty", ok},
			{"a byte order mark", "\xef\xbb\xbf" + ok, 1, "byte order mark", ok},
			{"comments without an end", "# note: a\n", 2, "ends in its comments", "# note: a\n\n" + ok},
			{"comments without a line end", "# note: a", 1, "ends in its comments", "# note: a\n\n" + ok},
			{"comments without an empty line", "# note: a\n" + ok, 2, "no comment", "# note: a\n\n" + ok},
			{"comments without a request", "# note: a\n\n", 3, "request line", "# note: a\n\n" + ok},
			{"two empty lines", "# note: a\n\n\n" + ok, 3, "request line", "# note: a\n\n" + ok},
			{"an empty line at the start", "\n" + ok, 1, "request line", ok},
			{"a time that is none", "# received: today\n\n" + ok, 1, "2026-03-01T09:30:12Z", "# received: 2026-03-01T09:30:12Z\n\n" + ok},
			{"a time without a zone", "# received: 2026-03-01T09:30:12\n\n" + ok, 1, "2026-03-01T09:30:12Z", "# received: 2026-03-01T09:30:12+01:00\n\n" + ok},
			{"the zero time", "# received: 0001-01-01T00:00:00Z\n\n" + ok, 1, "received", "# received: 0001-01-01T00:00:01Z\n\n" + ok},
			{"a time whose year in UTC is before the first", "# received: 0000-01-01T00:00:00+00:01\n\n" + ok, 1, "received", "# received: 0000-01-01T00:00:00Z\n\n" + ok},
			{"a time whose year in UTC has five digits", "# received: 9999-12-31T23:59:59-00:01\n\n" + ok, 1, "received", "# received: 9999-12-31T23:59:59Z\n\n" + ok},
			{"two times", "# received: 2026-03-01T09:30:12Z\n# received: 2026-03-01T09:30:12Z\n\n" + ok, 2, "one time", "# received: 2026-03-01T09:30:12Z\n\n" + ok},
			{"an expectation that is none", "#\n# expect: s3cret\n\n" + ok, 2, "\"accept\"", "#\n# expect: accept\n\n" + ok},
			{"two expectations", "# expect: accept\n# expect: accept\n\n" + ok, 2, "once", "# expect: accept\n\n" + ok},
			{"no expectation", "# expect:\n\n" + ok, 1, "\"accept\"", "# expect: replayed\n\n" + ok},
			{"no cause", "# inexact:\n\n" + ok, 1, "cause", "# inexact: a\n\n" + ok},
			{"an empty cause", "# inexact: \"\"\n\n" + ok, 1, "cause", "# inexact: \" \"\n\n" + ok},
			{"two causes", "# inexact: a\n# inexact: b\n\n" + ok, 2, "once", "# inexact: a\n\n" + ok},
			{"a file of one line", "POST / HTTP/1.1", 1, "no capture", "POST / HTTP/1.1\n\n"},
			{"a file that ends in the head", head, 3, "ends in the head", head + "\n"},
			{"noise", "\x89PNG\r\n\x1a\n", 1, "request line", ok},
			{"a response", "HTTP/1.1 200 OK\r\n\r\n", 1, "request line", ok},
			{"a body alone", "s3cret\n", 1, "request line", ok},
			{"a method that begins a comment", "#\n\n#POST / HTTP/1.1\n\n", 3, "request line", "#\n\nPOST / HTTP/1.1\n\n"},
			{"a method that is no token", "PO(ST / HTTP/1.1\n\n", 1, "request line", "PO.ST / HTTP/1.1\n\n"},
			{"a request line of two words", "POST HTTP/1.1\n\n", 1, "request line", "POST / HTTP/1.1\n\n"},
			{"a request line of four words", "POST / x HTTP/1.1\n\n", 1, "request line", "POST /%20x HTTP/1.1\n\n"},
			{"a request line with two spaces", "POST  / HTTP/1.1\n\n", 1, "request line", "POST / HTTP/1.1\n\n"},
			{"HTTP/2", "POST / HTTP/2\n\n", 1, "HTTP/1.1", "POST / HTTP/1.1\n\n"},
			{"a version that is not there", "POST / HTTP/1.11\n\n", 1, "HTTP/1.1", "POST / HTTP/1.1\n\n"},
			{"a target that is no path", "POST a HTTP/1.1\n\n", 1, "path", "POST /a HTTP/1.1\n\n"},
			{"a target that is opaque", "POST mailto:a HTTP/1.1\n\n", 1, "path", "POST mailto://a HTTP/1.1\n\n"},
			{"a target without a host", "POST http:///a HTTP/1.1\n\n", 1, "path", "POST http://h/a HTTP/1.1\n\n"},
			{"a target with a broken escape", "POST /%zz HTTP/1.1\n\n", 1, "path", "POST /%7a HTTP/1.1\n\n"},
			{"a target with a control character", "POST /s3cret\x01 HTTP/1.1\n\n", 1, "path", "POST /a HTTP/1.1\n\n"},
			{"the target of CONNECT", "CONNECT h:443 HTTP/1.1\n\n", 1, "path", "CONNECT http://h:443 HTTP/1.1\n\n"},
			{"a header field without a colon", head + "s3cret\r\n\r\n", 3, "header field", head + "A:s3cret\r\n\r\n"},
			{"a header field without a name", head + ": s3cret\r\n\r\n", 3, "header field", head + "A: s3cret\r\n\r\n"},
			{"a space before the colon", head + "A : s3cret\r\n\r\n", 3, "header field", head + "A: s3cret\r\n\r\n"},
			{"a header field that goes on", head + "A: b\r\n s3cret\r\n\r\n", 4, "one line", head + "A: b s3cret\r\n\r\n"},
			{"a header field that goes on behind a tab", head + "A: b\r\n\ts3cret\r\n\r\n", 4, "one line", head + "A: b\ts3cret\r\n\r\n"},
			{"a space before the first header field", "POST / HTTP/1.1\r\n Host: h\r\n\r\n", 2, "one line", "POST / HTTP/1.1\r\nHost: h\r\n\r\n"},
			{"a line of spaces", head + " \r\n\r\n", 3, "one line", head + "\r\n"},
			{"a zero in a header field", head + "A: s3cret\x00\r\n\r\n", 3, "control", head + "A: s3cret\r\n\r\n"},
			{"a CR in a header field", head + "A: s3cret\r\r\n\r\n", 3, "control", head + "A: s3cret\r\n\r\n"},
			{"1001 header fields", head + many + "A: b\r\n\r\n", 1003, "1000", head + many + "\r\n"},
			{"two hosts", head + "Host: h\r\n\r\n", 3, "one host", head + "Hosts: h\r\n\r\n"},
			{"two hosts of which one is empty", "POST / HTTP/1.1\r\nHost:\r\nHost: h\r\n\r\n", 3, "one host", "POST / HTTP/1.1\r\nHost: h\r\n\r\n"},
			{"a host with a space", "POST / HTTP/1.1\r\nHost: h i\r\n\r\n", 2, "one host", "POST / HTTP/1.1\r\nHost: h\r\n\r\n"},
			{"a length with a sign", head + "Content-Length: +2\r\n\r\n{}", 3, "decimal digits", ok},
			{"a negative length", head + "Content-Length: -2\r\n\r\n{}", 3, "decimal digits", ok},
			{"a length in another base", head + "Content-Length: 0x2\r\n\r\n{}", 3, "decimal digits", ok},
			{"a length with an underscore", head + "Content-Length: 0_2\r\n\r\n{}", 3, "decimal digits", ok},
			{"a length that overflows", head + "Content-Length: 18446744073709551618\r\n\r\n{}", 3, "decimal digits", ok},
			{"an empty length", head + "Content-Length:\r\n\r\n{}", 3, "decimal digits", ok},
			{"a list of lengths", head + "Content-Length: 2, 2\r\n\r\n{}", 3, "decimal digits", ok},
			{"two lengths", head + "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 4, "one Content-Length", ok},
			{"a length before chunks", head + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 4, "no Content-Length beside", head + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"},
			{"a length behind chunks", head + "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 4, "no Transfer-Encoding beside", head + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"},
			{"chunks twice", head + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 4, "one Transfer-Encoding", head + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
			{"another transfer encoding", head + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 3, "chunked", head + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
			{"chunks that are none", head + "Transfer-Encoding: chunked\r\n\r\ns3cret", 5, "not chunked", head + "Transfer-Encoding: chunked\r\n\r\n6\r\ns3cret\r\n0\r\n\r\n"},
			{"chunks without the last", head + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", 5, "last chunk", head + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"},
			{"chunks without the last line end", head + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n", 5, "last chunk", head + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"},
			{"chunks with trailers", head + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nA: b\r\n\r\n", 5, "trailers", head + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"},
			{"something behind the chunks", head + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n\n", 5, "last chunk", head + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"},
			{"a body that is too short", head + "Content-Length: 3\r\n\r\n{}", 5, "shorter than Content-Length says, 2 bytes instead of 3: is it cut off?", ok},
			{"a body where there is none", head + "Content-Length: 0\r\n\r\n{}", 5, "longer than Content-Length says, 2 bytes instead of 0", head + "Content-Length: 0\r\n\r\n"},
			{"a body that is too long", head + "Content-Length: 1\r\n\r\n{}", 5, "longer than Content-Length says, 2 bytes instead of 1: want exactly the bytes that arrived", ok},
		} {
			t.Run(tt.name, func(t *testing.T) {
				c, err := capture.Parse([]byte(tt.bad))
				e := syntaxError(t, err, "s3cret")
				if c != nil || e.Line != tt.line || !strings.Contains(e.Text, tt.want) {
					t.Errorf("got %v, %v; want line %d and %q", c, e, tt.line, tt.want)
				}
				mustParse(t, tt.good)
			})
		}
	})

	t.Run("it guesses what changed the body", func(t *testing.T) {
		body := func(sent, got string) string {
			return "POST / HTTP/1.1\r\nContent-Length: " + strconv.Itoa(len(sent)) + "\r\n\r\n" + got
		}
		for _, tt := range []struct {
			name, sent, got, want string
		}{
			{"a line feed was added", "{}", "{}\n", "added a line end"},
			{"a CRLF was added", "{}", "{}\r\n", "added a line end"},
			{"a byte that is no line end was added", "{}", "{}x", "exactly the bytes"},
			{"line feeds became CRLF", "a\nb\nc", "a\r\nb\r\nc", "from LF to CRLF"},
			{"two CRLF became line feeds", "a\r\nb\r\n", "a\nb\n", "from CRLF to LF"},
			{"it is cut", "a\nb\nc\n", "a\nb", "cut off"},
			{"it is cut and has CRLF", "a\r\nb\r\nc", "a\r\nb", "cut off"},
			{"it is longer", "a\nb", "a\nbccc", "exactly the bytes"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				mustParse(t, body(tt.sent, tt.sent))
				_, err := capture.Parse([]byte(body(tt.sent, tt.got)))
				if e := syntaxError(t, err); !strings.Contains(e.Text, tt.want) {
					t.Errorf("error is %v, want one with %q", e, tt.want)
				}
			})
		}
	})

	t.Run("heads have at most 1 MiB together", func(t *testing.T) {
		const frame = "# note: \n\nPOST / HTTP/1.1\r\nA: \r\n\r\n"
		for _, tt := range []struct {
			comment, field int
			ok             bool
		}{
			{1<<20 - len(frame), 0, true},
			{1<<20 - len(frame) + 1, 0, false},
			{0, 1<<20 - len(frame), true},
			{0, 1<<20 - len(frame) + 1, false},
			{1 << 19, 1<<19 - len(frame), true},
			{1 << 19, 1<<19 - len(frame) + 1, false},
		} {
			text := "# note: " + strings.Repeat("x", tt.comment) + "\n\nPOST / HTTP/1.1\r\nA: " + strings.Repeat("y", tt.field) + "\r\n\r\nbody"
			_, err := capture.Parse([]byte(text))
			if (err == nil) != tt.ok {
				t.Errorf("%d bytes of comments and %d of a field: error is %v", tt.comment, tt.field, err)
			}
			if !tt.ok && !strings.Contains(syntaxError(t, err).Text, "1048576") {
				t.Errorf("error is %v", err)
			}
		}
	})

	t.Run("no more than MaxSize is taken", func(t *testing.T) {
		text := append([]byte("POST / HTTP/1.1\n\n"), make([]byte, capture.MaxSize)...)
		if _, err := capture.Parse(text[:capture.MaxSize]); err != nil {
			t.Error(err)
		}
		_, err := capture.Parse(text[:capture.MaxSize+1])
		if e := syntaxError(t, err); !strings.Contains(e.Text, "67108864") {
			t.Errorf("error is %v", e)
		}
	})
}
