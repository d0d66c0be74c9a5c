package capture_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/capture"
)

var received = time.Date(2026, 3, 1, 9, 30, 12, 250000000, time.UTC)

func mustURL(t testing.TB, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func mustParse(t testing.TB, text string) *capture.Capture {
	t.Helper()
	c, err := capture.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%v, in %.300q", err, text)
	}
	return c
}

func mustAppend(t testing.TB, c *capture.Capture) []byte {
	t.Helper()
	text, err := c.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// differences names the fields that differ, save for what Append documents.
func differences(a, b *capture.Capture) []string {
	var names []string
	note := func(name string, same bool) {
		if !same {
			names = append(names, name)
		}
	}
	note("Method", method(a) == method(b))
	note("URL", address(a) == address(b))
	note("Host", a.Host == b.Host)
	note("Header", reflect.DeepEqual(fields(a), fields(b)))
	note("Body", bytes.Equal(a.Body, b.Body))
	note("ReceivedAt", a.ReceivedAt.Equal(b.ReceivedAt))
	note("Note", a.Note == b.Note)
	note("Expect", a.Expect == b.Expect)
	note("Inexact", a.Inexact == b.Inexact)
	return names
}

func method(c *capture.Capture) string {
	if c.Method == "" {
		return "POST"
	}
	return c.Method
}

func address(c *capture.Capture) string {
	if c.URL == nil {
		return "/"
	}
	u := *c.URL
	u.User, u.Fragment, u.RawFragment = nil, "", ""
	if u.Path == "" && u.Scheme == "" {
		u.Path = "/"
	}
	return u.String()
}

// fields returns the header without what has no value, frames the body, or is a
// credential that these tests use.
func fields(c *capture.Capture) map[string][]string {
	h := make(map[string][]string)
	for name, values := range c.Header {
		switch name {
		case "Content-Length", "Transfer-Encoding", "Cookie", "X-Api-Key":
		default:
			if len(values) > 0 {
				h[name] = values
			}
		}
	}
	return h
}

func TestCapture(t *testing.T) {
	t.Run("New keeps the request and the body as they are", func(t *testing.T) {
		r := httptest.NewRequest("PUT", "https://shop.example/hooks/stripe?a=b", nil)
		r.Header.Set("Stripe-Signature", "t=1")
		body := []byte("{}")
		c := capture.New(r, body, received)
		if c.Method != "PUT" || c.URL.String() != "https://shop.example/hooks/stripe?a=b" || c.Host != "shop.example" || !c.ReceivedAt.Equal(received) {
			t.Errorf("capture is %+v", c)
		}
		if &c.Body[0] != &body[0] {
			t.Error("the body was copied")
		}
		r.Header.Set("Stripe-Signature", "t=2")
		r.Header.Add("X-New", "1")
		r.URL.Path = "/other"
		if !reflect.DeepEqual(c.Header, http.Header{"Stripe-Signature": {"t=1"}}) || c.URL.Path != "/hooks/stripe" {
			t.Errorf("a change of the request changed the capture: %v %v", c.Header, c.URL)
		}
		r.Header = nil
		if c := capture.New(r, nil, received); c.Header == nil {
			t.Error("a request without a header makes a capture without one: nobody can add to it")
		}
	})

	t.Run("the zero Capture is an empty POST", func(t *testing.T) {
		c := &capture.Capture{}
		if h := c.Head(); h.Method != "POST" || h.URL.String() != "/" || !h.ReceivedAt.IsZero() {
			t.Errorf("head is %+v", h)
		}
		r := c.Request(t.Context())
		if r.Method != "POST" || r.RequestURI != "/" || r.Header == nil || r.Body != http.NoBody || r.ContentLength != 0 {
			t.Errorf("request is %+v", r)
		}
		if text := mustAppend(t, c); string(text) != "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n" {
			t.Errorf("the file is %q", text)
		}
	})

	t.Run("Head shares the header, and nothing is lost", func(t *testing.T) {
		c := &capture.Capture{Method: "PUT", URL: mustURL(t, "/a?b"), Header: http.Header{"A": {"b"}}, ReceivedAt: received}
		h := c.Head()
		c.Header.Set("A", "c")
		if h.Method != "PUT" || h.URL != c.URL || h.Header.Get("A") != "c" || h.ReceivedAt != received {
			t.Errorf("head is %+v", h)
		}
	})

	t.Run("Request is what a server's handler gets", func(t *testing.T) {
		type key struct{}
		c := mustParse(t, "POST /hooks?a=%20b HTTP/1.1\r\nHost: shop.example\r\nA: b\r\nContent-Length: 3\r\n\r\nxyz")
		r := c.Request(context.WithValue(t.Context(), key{}, "value"))
		var got, want *http.Request
		var body []byte
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			body, _ = io.ReadAll(r.Body)
			want = r
		}))
		defer server.Close()
		sent, err := http.NewRequest("POST", server.URL+"/hooks?a=%20b", strings.NewReader("xyz"))
		if err != nil {
			t.Fatal(err)
		}
		sent.Host = "shop.example"
		sent.Header = http.Header{"A": {"b"}, "User-Agent": nil, "Accept-Encoding": {"identity"}}
		response, err := http.DefaultClient.Do(sent)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		want.Header.Del("Accept-Encoding")
		got = r
		type facts struct {
			Method, RequestURI, Proto, Host, URL string
			Major, Minor                         int
			Header                               http.Header
			Length                               int64
			Body                                 string
		}
		read, err := io.ReadAll(got.Body)
		if err != nil {
			t.Fatal(err)
		}
		g := facts{got.Method, got.RequestURI, got.Proto, got.Host, got.URL.String(), got.ProtoMajor, got.ProtoMinor, got.Header, got.ContentLength, string(read)}
		w := facts{want.Method, want.RequestURI, want.Proto, want.Host, want.URL.String(), want.ProtoMajor, want.ProtoMinor, want.Header, want.ContentLength, string(body)}
		if !reflect.DeepEqual(g, w) {
			t.Errorf("request is\n%+v, a server's is\n%+v", g, w)
		}
		if r.Context().Value(key{}) != "value" || r.RemoteAddr == "" {
			t.Errorf("the context or the address is lost: %q", r.RemoteAddr)
		}
		r.Header.Set("A", "c")
		r.URL.Path = "/other"
		if c.Header.Get("A") != "b" || c.URL.Path != "/hooks" {
			t.Error("a change of the request changed the capture")
		}
	})

	t.Run("Request has the host of its URL if it has no other", func(t *testing.T) {
		for host, want := range map[string]string{"": "public.example", "inner.example": "inner.example"} {
			c := &capture.Capture{URL: mustURL(t, "https://public.example/x"), Host: host}
			if r := c.Request(t.Context()); r.Host != want {
				t.Errorf("host is %q, want %q", r.Host, want)
			}
		}
	})

	t.Run("Clone shares nothing but the body", func(t *testing.T) {
		c := &capture.Capture{URL: mustURL(t, "/a"), Header: http.Header{"A": {"b"}}, Body: []byte("x"), Note: "n"}
		clone := c.Clone()
		if !reflect.DeepEqual(c, clone) {
			t.Errorf("the clone is %+v, want %+v", clone, c)
		}
		clone.Header.Set("A", "c")
		clone.URL.Path = "/b"
		clone.Note = "m"
		if c.Header.Get("A") != "b" || c.URL.Path != "/a" || c.Note != "n" {
			t.Error("a change of the clone changed the capture")
		}
		if &clone.Body[0] != &c.Body[0] {
			t.Error("the body was copied")
		}
		if clone := (&capture.Capture{}).Clone(); clone.URL != nil || clone.Header != nil {
			t.Errorf("the clone of the zero capture is %+v", clone)
		}
	})
}

// whole is a capture with everything in it.
func whole(t testing.TB) *capture.Capture {
	return &capture.Capture{
		Method:     "PUT",
		URL:        mustURL(t, "https://shop.example:8443/hooks/a%2Fb?x=1&y=%20#part"),
		Host:       "shop.example",
		Header:     http.Header{"A": {"1", "2", ""}, "Stripe-Signature": {"t=1,v1=ab"}, "X-Empty": {}, "Expect": {"100-continue"}, "Connection": {"close"}, "Pragma": {"no-cache"}, "Trailer": {"A"}},
		Body:       []byte("a\r\n\r\nb\n\n\x00\xff\xef\xbb\xbf# note: no\n\n"),
		ReceivedAt: received.Add(7),
		Note:       "two\nlines",
		Expect:     verify.ErrTooOld.String(),
		Inexact:    "someone has typed it",
	}
}

func TestAppend(t *testing.T) {
	t.Run("Parse reads what Append writes", func(t *testing.T) {
		for _, tt := range []struct {
			name   string
			change func(c *capture.Capture)
		}{
			{"everything", func(*capture.Capture) {}},
			{"no body", func(c *capture.Capture) { c.Body = nil }},
			{"a body that looks like a capture", func(c *capture.Capture) { c.Body = []byte("# note: x\n\nPOST / HTTP/1.1\r\n\r\n") }},
			{"a body of empty lines", func(c *capture.Capture) { c.Body = []byte("\r\n\r\n\n\n") }},
			{"every byte", func(c *capture.Capture) {
				c.Body = nil
				for i := range 256 {
					c.Body = append(c.Body, byte(i))
				}
			}},
			{"a path", func(c *capture.Capture) { c.URL = mustURL(t, "/a%2Fb//c?x=/") }},
			{"a path with two slashes at its start", func(c *capture.Capture) { c.URL = &url.URL{Path: "//a"} }},
			{"a path that needs escapes", func(c *capture.Capture) { c.URL = &url.URL{Path: "/ä b#c?d\n"} }},
			{"a path whose escapes are its own", func(c *capture.Capture) { c.URL = &url.URL{Path: "/ab", RawPath: "/%61b"} }},
			{"a path whose escapes do not fit", func(c *capture.Capture) { c.URL = &url.URL{Path: "/ab", RawPath: "/c"} }},
			{"a query that is empty", func(c *capture.Capture) { c.URL = mustURL(t, "/a?") }},
			{"a query with odd bytes", func(c *capture.Capture) { c.URL = &url.URL{Path: "/", RawQuery: "ä=#%zz\""} }},
			{"an absolute URL without a path", func(c *capture.Capture) { c.URL = mustURL(t, "https://shop.example?x") }},
			{"an address of IPv6 with a zone", func(c *capture.Capture) { c.URL = mustURL(t, "http://[fe80::1%25en0]:80/") }},
			{"an asterisk", func(c *capture.Capture) { c.Method, c.URL = "OPTIONS", &url.URL{Path: "*"} }},
			{"an empty URL", func(c *capture.Capture) { c.URL = &url.URL{} }},
			{"no URL, no method, no host", func(c *capture.Capture) { c.URL, c.Method, c.Host = nil, "", "" }},
			{"a method of one's own", func(c *capture.Capture) { c.Method = "x-#!" }},
			{"no comments", func(c *capture.Capture) {
				c.Note, c.Expect, c.Inexact, c.ReceivedAt = "", "", "", time.Time{}
			}},
			{"no header", func(c *capture.Capture) { c.Header = nil }},
			{"a header value of bytes that are not ASCII", func(c *capture.Capture) { c.Header["A"] = []string{"\xff\x80ä", "a\tb"} }},
			{"a length that is not that of the body", func(c *capture.Capture) { c.Header["Content-Length"] = []string{"1", "x"} }},
			{"chunks that are none any more", func(c *capture.Capture) { c.Header["Transfer-Encoding"] = []string{"chunked"} }},
			{"a nanosecond and another zone", func(c *capture.Capture) {
				c.ReceivedAt = time.Date(2026, 3, 1, 9, 30, 12, 1, time.FixedZone("", -5*3600))
			}},
			{"the first second that can be written", func(c *capture.Capture) { c.ReceivedAt = time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC) }},
			{"the last nanosecond that can be written", func(c *capture.Capture) {
				c.ReceivedAt = time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC)
			}},
			{"a clock with a monotonic reading", func(c *capture.Capture) { c.ReceivedAt = time.Now() }},
			{"accept", func(c *capture.Capture) { c.Expect = capture.Accept }},
			{"a note of white space", func(c *capture.Capture) { c.Note = "\n a\t\n\n\u00a0\n" }},
			{"a note of one line end", func(c *capture.Capture) { c.Note = "\n" }},
			{"a note that would be a comment", func(c *capture.Capture) { c.Note = "a\r\n# expect: accept\n\nPOST / HTTP/1.1" }},
			{"a note that goes to a terminal", func(c *capture.Capture) { c.Note = "\x1b[2J\u202e" }},
			{"a note that is no UTF-8", func(c *capture.Capture) { c.Note = "a\xffb" }},
			{"a note in quotation marks", func(c *capture.Capture) {
				c.Note = `"a"` + "\n" + `"a` + "\n" + `"a" b` + "\n" + `"\"a\""` + "\n`a`\n'a'"
			}},
			{"a note in another language", func(c *capture.Capture) { c.Note = "Größe: 3 € 🎉" }},
			{"a cause with line ends and marks", func(c *capture.Capture) { c.Inexact = "a\r\nb\n\"" }},
			{"a cause of white space", func(c *capture.Capture) { c.Inexact = " " }},
		} {
			t.Run(tt.name, func(t *testing.T) {
				c := whole(t)
				tt.change(c)
				before := c.Clone()
				text := mustAppend(t, c)
				if !reflect.DeepEqual(c, before) {
					t.Error("Append changed the capture")
				}
				got := mustParse(t, string(text))
				if names := differences(c, got); names != nil {
					t.Errorf("these differ: %q\nfile: %q\ngot:  %+v\nwant: %+v", names, text, got, c)
				}
				if again := mustAppend(t, got); !bytes.Equal(again, text) {
					t.Errorf("written again it is %q, want %q", again, text)
				}
			})
		}
	})

	t.Run("the format is the documented one", func(t *testing.T) {
		c := whole(t)
		c.URL.User = url.UserPassword("user", "password")
		c.Header["Cookie"], c.Header["X-Api-Key"] = []string{"s3cret"}, []string{"s3cret"}
		c.Note += "\n\n \x00\n\x9b"
		c.Body = []byte("{}")
		const want = "# note: two\n# note: lines\n# note:\n# note: \" \\x00\"\n# note: \"\\x9b\"\n# received: 2026-03-01T09:30:12.250000007Z\n" +
			"# expect: too_old\n# inexact: someone has typed it\n# dropped: Cookie, X-Api-Key\n\n" +
			"PUT https://shop.example:8443/hooks/a%2Fb?x=1&y=%20 HTTP/1.1\r\nHost: shop.example\r\n" +
			"A: 1\r\nA: 2\r\nA: \r\nConnection: close\r\nExpect: 100-continue\r\nPragma: no-cache\r\nStripe-Signature: t=1,v1=ab\r\nTrailer: A\r\n" +
			"Content-Length: 2\r\n\r\n{}"
		if got := string(mustAppend(t, c)); got != want {
			t.Errorf("the file is\n%s\nwant\n%s", got, want)
		}
		got, err := c.Append([]byte("before"))
		if err != nil || string(got) != "before"+want {
			t.Errorf("behind other bytes it is %q, %v", got, err)
		}
	})

	t.Run("what could not be read back is refused", func(t *testing.T) {
		many := func(n int) http.Header {
			h := make(http.Header)
			for range n {
				h.Add("A", "b")
			}
			return h
		}
		long := func(n int) http.Header { return http.Header{"A": {strings.Repeat("x", n)}} }
		for _, tt := range []struct {
			name         string
			bad, good    func(c *capture.Capture)
			want, secret string
		}{
			{"a method that would be a comment",
				func(c *capture.Capture) { c.Method = "#X" }, func(c *capture.Capture) { c.Method = "X#" }, "method", ""},
			{"a method with a space",
				func(c *capture.Capture) { c.Method = "A B" }, func(c *capture.Capture) { c.Method = "A-B" }, "method", ""},
			{"a URL with a space",
				func(c *capture.Capture) { c.URL = &url.URL{Path: "/", RawQuery: "a b"} }, func(c *capture.Capture) { c.URL = &url.URL{Path: "/", RawQuery: "a+b"} }, "URL", ""},
			{"a URL with a line end",
				func(c *capture.Capture) { c.URL = &url.URL{Path: "/", RawQuery: "a\r\nb"} }, func(c *capture.Capture) { c.URL = &url.URL{Path: "/", RawQuery: "a"} }, "URL", ""},
			{"a URL with a host and no scheme",
				func(c *capture.Capture) { c.URL = &url.URL{Host: "h", Path: "/"} }, func(c *capture.Capture) { c.URL = &url.URL{Scheme: "http", Host: "h", Path: "/"} }, "URL", ""},
			{"a URL with a scheme and no host",
				func(c *capture.Capture) { c.URL = &url.URL{Scheme: "http", Path: "/"} }, func(c *capture.Capture) { c.URL = &url.URL{Path: "/"} }, "URL", ""},
			{"a URL that is opaque",
				func(c *capture.Capture) { c.URL = &url.URL{Scheme: "mailto", Opaque: "a"} }, func(c *capture.Capture) { c.URL = &url.URL{Scheme: "mailto", Host: "a"} }, "URL", ""},
			{"a URL that is opaque and looks like another",
				func(c *capture.Capture) { c.URL = &url.URL{Scheme: "http", Opaque: "//h/p"} }, func(c *capture.Capture) { c.URL = &url.URL{Scheme: "http", Host: "h", Path: "/p"} }, "URL", ""},
			{"a path that does not begin with a slash",
				func(c *capture.Capture) { c.URL = &url.URL{Path: "a"} }, func(c *capture.Capture) { c.URL = &url.URL{Path: "/a"} }, "URL", ""},
			{"a path of an absolute URL that does not begin with a slash",
				func(c *capture.Capture) { c.URL = &url.URL{Scheme: "http", Host: "h", Path: "a"} }, func(c *capture.Capture) { c.URL = &url.URL{Scheme: "http", Host: "h", Path: "/a"} }, "URL", ""},
			{"a host with a line end",
				func(c *capture.Capture) { c.Host = "h\r\nCookie: a" }, func(c *capture.Capture) { c.Host = "h" }, "host", "Cookie"},
			{"a host with a space",
				func(c *capture.Capture) { c.Host = "h " }, func(c *capture.Capture) { c.Host = "h" }, "host", ""},
			{"a host with a tab",
				func(c *capture.Capture) { c.Host = "h\ti" }, func(c *capture.Capture) { c.Host = "hä" }, "host", ""},
			{"a header name that is not canonical",
				func(c *capture.Capture) { c.Header = http.Header{"stripe-signature": {"a"}} }, func(c *capture.Capture) { c.Header = http.Header{"Stripe-Signature": {"a"}} }, "canonical", ""},
			{"a credential under a name that is not canonical",
				func(c *capture.Capture) { c.Header = http.Header{"cookie": {"s3cret"}} }, func(c *capture.Capture) { c.Header = http.Header{"Cookie": {"s3cret"}} }, "canonical", "s3cret"},
			{"a header name with a colon",
				func(c *capture.Capture) { c.Header = http.Header{"A:b": {"a"}} }, func(c *capture.Capture) { c.Header = http.Header{"A-B": {"a"}} }, "canonical", ""},
			{"an empty header name",
				func(c *capture.Capture) { c.Header = http.Header{"": {"a"}} }, func(c *capture.Capture) { c.Header = http.Header{"A": {"a"}} }, "canonical", ""},
			{"a host in the header",
				func(c *capture.Capture) { c.Header = http.Header{"Host": {"h"}} }, func(c *capture.Capture) { c.Host = "h" }, "Host", ""},
			{"a header value with a line end",
				func(c *capture.Capture) { c.Header = http.Header{"A": {"s3cret\r\nB: c"}} }, func(c *capture.Capture) { c.Header = http.Header{"A": {"b"}} }, "header A", "s3cret"},
			{"a header value with a zero",
				func(c *capture.Capture) { c.Header = http.Header{"A": {"b\x00"}} }, func(c *capture.Capture) { c.Header = http.Header{"A": {"b"}} }, "header A", ""},
			{"a header value with DEL",
				func(c *capture.Capture) { c.Header = http.Header{"A": {"b\x7f"}} }, func(c *capture.Capture) { c.Header = http.Header{"A": {"b~"}} }, "header A", ""},
			{"a header value with a space at its end",
				func(c *capture.Capture) { c.Header = http.Header{"A": {"b "}} }, func(c *capture.Capture) { c.Header = http.Header{"A": {"b b"}} }, "header A", ""},
			{"a header value with a tab at its start",
				func(c *capture.Capture) { c.Header = http.Header{"A": {"\tb"}} }, func(c *capture.Capture) { c.Header = http.Header{"A": {"b"}} }, "header A", ""},
			{"1001 header fields",
				func(c *capture.Capture) { c.Header = many(1001) }, func(c *capture.Capture) { c.Header = many(1000) }, "1000 header fields", ""},
			{"an expectation that is none",
				func(c *capture.Capture) { c.Expect = "accepted" }, func(c *capture.Capture) { c.Expect = "accept" }, "expectation", ""},
			{"the expectation of no reason",
				func(c *capture.Capture) { c.Expect = "none" }, func(c *capture.Capture) { c.Expect = "unavailable" }, "expectation", ""},
			{"a year of five digits",
				func(c *capture.Capture) { c.ReceivedAt = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }, func(c *capture.Capture) { c.ReceivedAt = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC) }, "years", ""},
			{"a year before the first",
				func(c *capture.Capture) { c.ReceivedAt = time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC) }, func(c *capture.Capture) { c.ReceivedAt = time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC) }, "years", ""},
			{"a year of five digits in UTC",
				func(c *capture.Capture) {
					c.ReceivedAt = time.Date(9999, 12, 31, 23, 59, 59, 0, time.FixedZone("", -60))
				}, func(c *capture.Capture) {
					c.ReceivedAt = time.Date(10000, 1, 1, 0, 0, 0, 0, time.FixedZone("", 60))
				}, "years", ""},
			{"a head of more than 1 MiB",
				func(c *capture.Capture) { c.Header = long(1<<20 - 42) }, func(c *capture.Capture) { c.Header = long(1<<20 - 43) }, "1048576", ""},
			{"comments of more than 1 MiB",
				func(c *capture.Capture) { c.Note = strings.Repeat("x", 1<<20-47) }, func(c *capture.Capture) { c.Note = strings.Repeat("x", 1<<20-48) }, "1048576", ""},
			{"a body that makes the file too large",
				func(c *capture.Capture) { c.Body = make([]byte, capture.MaxSize-44) }, func(c *capture.Capture) { c.Body = make([]byte, capture.MaxSize-45) }, "67108864", ""},
		} {
			t.Run(tt.name, func(t *testing.T) {
				c := &capture.Capture{}
				tt.bad(c)
				text, err := c.Append([]byte("before"))
				if err == nil || text != nil {
					t.Fatalf("written as %.300q, %v", text, err)
				}
				if !strings.HasPrefix(err.Error(), "capture: ") || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "capture: capture:") {
					t.Errorf("error is %v, want one with %q", err, tt.want)
				}
				if tt.secret != "" && strings.Contains(err.Error(), tt.secret) {
					t.Errorf("error %v holds what it should not", err)
				}
				c = &capture.Capture{}
				tt.good(c)
				got := mustParse(t, string(mustAppend(t, c)))
				if names := differences(c, got); names != nil {
					t.Errorf("its twin: these differ: %q", names)
				}
			})
		}
	})

	t.Run("a request that a server read can be written", func(t *testing.T) {
		for name, text := range map[string]string{
			"a path":                      "POST /a HTTP/1.1\r\nHost: h\r\n\r\n",
			"a fragment in the path":      "POST /a#b HTTP/1.1\r\nHost: h\r\n\r\n",
			"a fragment in the query":     "POST /a?b#c HTTP/1.1\r\nHost: h\r\n\r\n",
			"a target that is not ASCII":  "POST /ä?ö HTTP/1.1\r\nHost: h\r\n\r\n",
			"odd characters in the path":  "POST /\"<>\\^`{|} HTTP/1.1\r\nHost: h\r\n\r\n",
			"an absolute target":          "POST http://u:p@h:80/a HTTP/1.1\r\nHost: i\r\n\r\n",
			"a host that is not ASCII":    "POST http://%C3%A4/a HTTP/1.1\r\nHost: i\r\n\r\n",
			"a header that goes on":       "POST / HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\n\r\n",
			"a header that goes on twice": "POST / HTTP/1.1\r\nHost: h\r\nA: b\r\n \tc\r\n d\r\n\r\n",
			"a header with tabs":          "POST / HTTP/1.1\r\nHost: h\r\nA:\t b \t\r\n\r\n",
			"pragma":                      "POST / HTTP/1.1\r\nHost: h\r\nPragma: no-cache\r\n\r\n",
			"HTTP/1.0 without a host":     "POST / HTTP/1.0\r\n\r\n",
			"a repeated length":           "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
			"chunks":                      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTrailer: A\r\n\r\n0\r\n\r\n",
			"a header value of odd bytes": "POST / HTTP/1.1\r\nHost: h\r\nA: \xff\r\n\r\n",
		} {
			t.Run(name, func(t *testing.T) {
				c := capture.New(requestOf(t, text), []byte("body"), received)
				got := mustParse(t, string(mustAppend(t, c)))
				if names := differences(c, got); names != nil {
					t.Errorf("these differ: %q: got %+v, want %+v", names, got, c)
				}
			})
		}
	})
}

// requestOf reads a request as a server does.
func requestOf(t testing.TB, text string) *http.Request {
	t.Helper()
	r, err := http.ReadRequest(bufioReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestErrors(t *testing.T) {
	t.Run("they name the file and the line", func(t *testing.T) {
		for _, tt := range []struct {
			err  capture.SyntaxError
			want string
		}{
			{capture.SyntaxError{File: "a.http", Line: 3, Text: "want b"}, "capture: a.http:3: want b"},
			{capture.SyntaxError{File: "a.http", Text: "want b"}, "capture: a.http: want b"},
			{capture.SyntaxError{Line: 3, Text: "want b"}, "capture: 3: want b"},
			{capture.SyntaxError{Text: "want b"}, "capture: want b"},
		} {
			if got := tt.err.Error(); got != tt.want {
				t.Errorf("%+v prints as %q, want %q", tt.err, got, tt.want)
			}
		}
	})
}

// syntaxError returns err if it is a *SyntaxError and holds none of the given words.
func syntaxError(t testing.TB, err error, secrets ...string) *capture.SyntaxError {
	t.Helper()
	var e *capture.SyntaxError
	if !errors.As(err, &e) {
		t.Fatalf("error is %v (%T), want a *SyntaxError", err, err)
	}
	for _, secret := range secrets {
		if strings.Contains(e.Error(), secret) {
			t.Errorf("error %v holds %q", e, secret)
		}
	}
	return e
}
