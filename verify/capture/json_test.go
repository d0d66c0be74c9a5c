package capture_test

import (
	"encoding/base64"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/verify/capture"
)

// harOf returns a HAR whose only entry has these members in its request, one a line.
func harOf(request ...string) string {
	return "{\"log\": {\"version\": \"1.2\", \"entries\": [\n" +
		"{\"startedDateTime\": \"2026-03-01T10:30:12.25+01:00\",\n\"request\": {\n" + strings.Join(request, ",\n") + "\n}}\n]}}\n"
}

func readAll(t testing.TB, text string) []*capture.Capture {
	t.Helper()
	all, err := capture.Read(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v, in %.500q", err, text)
	}
	return all
}

func TestHAR(t *testing.T) {
	t.Run("its entries are read", func(t *testing.T) {
		const text = `{
  "log": {
    "version": "1.2", "creator": {"name": "x", "version": "1"}, "pages": [], "comment": "",
    "entries": [
      {"startedDateTime": "2026-03-01T09:30:12.25Z", "time": 1, "request": {
        "method": "POST", "url": "https://user:s3cret@shop.example/hooks/stripe?a=b#part", "httpVersion": "HTTP/2", "cookies": [], "queryString": [],
        "headers": [
          {"name": ":method", "value": "POST"}, {"name": ":authority", "value": "shop.example"}, {"name": ":path", "value": "/x"},
          {"name": "stripe-signature", "value": " t=1,v1=ab ", "comment": ""},
          {"name": "A", "value": "1"}, {"name": "a", "value": "2"},
          {"name": "Transfer-Encoding", "value": "chunked"},
          {"name": "content-length", "value": "10"}
        ],
        "headersSize": -1, "bodySize": 10, "comment": "",
        "postData": {"mimeType": "application/json", "params": [], "text": "{\"a\":\r\n\u00e9}", "comment": ""}
      }, "response": {"status": 200, "content": {"text": "not the body"}}, "cache": {}, "timings": {}},
      {"startedDateTime": "not looked at", "request": {"method": "GET", "url": "https://shop.example/", "headers": null, "bodySize": 0, "postData": null}},
      {"startedDateTime": "2026-03-01T09:30:13Z", "request": {"method": "PUT", "url": "http://shop.example/put", "headers": [{"name": "Host", "value": "inner.example"}], "bodySize": -1,
        "postData": {"mimeType": "", "encoding": "base64", "text": "AAH//g0K"}}},
      {"startedDateTime": "2026-03-01T09:30:14Z", "request": {"method": "POST", "url": "http://shop.example/empty", "headers": [], "bodySize": 0}}
    ]
  }
}`
		want := []*capture.Capture{
			{
				Method: "POST", URL: mustURL(t, "https://shop.example/hooks/stripe?a=b"), Host: "shop.example",
				Header: http.Header{"Stripe-Signature": {"t=1,v1=ab"}, "A": {"1", "2"}, "Content-Length": {"10"}},
				Body:   []byte("{\"a\":\r\né}"), ReceivedAt: received,
			},
			{
				Method: "PUT", URL: mustURL(t, "http://shop.example/put"), Host: "inner.example", Header: http.Header{},
				Body: []byte("\x00\x01\xff\xfe\r\n"), ReceivedAt: time.Date(2026, 3, 1, 9, 30, 13, 0, time.UTC),
			},
			{
				Method: "POST", URL: mustURL(t, "http://shop.example/empty"), Header: http.Header{},
				Body: []byte{}, ReceivedAt: time.Date(2026, 3, 1, 9, 30, 14, 0, time.UTC),
			},
		}
		all := readAll(t, text)
		if len(all) != len(want) {
			t.Fatalf("got %d captures, want %d", len(all), len(want))
		}
		for i := range all {
			if !reflect.DeepEqual(all[i], want[i]) {
				t.Errorf("capture %d is\n%+v, want\n%+v", i, all[i], want[i])
			}
			if names := differences(all[i], mustParse(t, string(mustAppend(t, all[i])))); names != nil {
				t.Errorf("capture %d, written and read again: these differ: %q", i, names)
			}
		}
	})

	t.Run("it says when its text is not the body", func(t *testing.T) {
		const (
			post    = `"method": "POST", "url": "https://h/"`
			noBody  = "does not have the body"
			unlike  = "not as long"
			form    = "fields of a form"
			unknown = "U+FFFD"
			charset = "charset"
			packed  = "Content-Encoding"
		)
		header := func(fields ...string) string {
			var list []string
			for i := 0; i < len(fields); i += 2 {
				list = append(list, `{"name": "`+fields[i]+`", "value": "`+fields[i+1]+`"}`)
			}
			return `"headers": [` + strings.Join(list, ",") + `]`
		}
		text := func(s string) string { return `"postData": {"text": "` + s + `"}` }
		encoded := func(s string) string {
			return `"postData": {"encoding": "base64", "text": "` + base64.StdEncoding.EncodeToString([]byte(s)) + `"}`
		}
		for _, tt := range []struct {
			name    string
			request []string
			body    string
			inexact string // nothing: exact
		}{
			{"the size agrees", []string{post, text("abc"), `"bodySize": 3`}, "abc", ""},
			{"the length agrees", []string{post, text("abc"), header("Content-Length", "3")}, "abc", ""},
			{"no length is known", []string{post, text("abc"), `"bodySize": -1`}, "abc", ""},
			{"the length is counted in bytes", []string{post, text("é€"), `"bodySize": 5`}, "é€", ""},
			{"the size is another", []string{post, text("abc"), `"bodySize": 4`}, "abc", unlike},
			{"the size is zero", []string{post, text("abc"), `"bodySize": 0`}, "abc", unlike},
			{"the length is another", []string{post, text("abc"), header("content-length", "4")}, "abc", unlike},
			{"the length is no number", []string{post, text("abc"), header("content-length", "x")}, "abc", unlike},
			{"one of two lengths is another", []string{post, text("abc"), `"bodySize": 3`, header("Content-Length", "4")}, "abc", unlike},
			{"the other of two lengths is another", []string{post, text("abc"), `"bodySize": 4`, header("Content-Length", "3")}, "abc", unlike},
			{"the text has U+FFFD", []string{post, text("a\ufffdc"), `"bodySize": 5`}, "a\ufffdc", unknown},
			{"the text has half of a surrogate pair", []string{post, text(`a\udc80`), `"bodySize": 4`}, "a\ufffd", unknown},
			{"the text is no UTF-8", []string{post, text("a\xff"), `"bodySize": 2`}, "a\ufffd", unknown},
			{"base64 has U+FFFD", []string{post, encoded("a\ufffd"), `"bodySize": 4`}, "a\ufffd", ""},
			{"base64 has any bytes", []string{post, encoded("\xff\x00\r\n"), `"bodySize": 4`}, "\xff\x00\r\n", ""},
			{"base64 of another size", []string{post, encoded("abc"), `"bodySize": 4`}, "abc", unlike},
			{"base64 under the name of an extension", []string{post, `"postData": {"_encoding": "base64", "text": "YWJj"}`}, "abc", ""},
			{"base64 with line ends", []string{post, `"postData": {"encoding": "base64", "text": "YW\r\nJj"}`}, "abc", ""},
			{"a form without text", []string{post, `"postData": {"params": [{"name": "a", "value": "b"}]}`, `"bodySize": 3`}, "", form},
			{"a form with text", []string{post, `"postData": {"params": [{"name": "a", "value": "b"}], "text": "a=b"}`, `"bodySize": 3`}, "a=b", ""},
			{"a form without text and POST", []string{`"method": "PUT", "url": "https://h/"`, `"postData": {"params": [{}]}`}, "", form},
			{"no body and size zero", []string{post, `"bodySize": 0`}, "", ""},
			{"no body and length zero", []string{post, header("Content-Length", "0")}, "", ""},
			{"an empty text and size zero", []string{post, text(""), `"bodySize": 0`}, "", ""},
			{"no body and no size", []string{post}, "", noBody},
			{"no body and an unknown size", []string{post, `"bodySize": -1`, `"postData": {"mimeType": "a/b", "_file": "x"}`}, "", noBody},
			{"no body and a size", []string{post, `"bodySize": 3`}, "", noBody},
			{"no body, a size, and no POST", []string{`"method": "PATCH", "url": "https://h/"`, `"bodySize": 3`}, "", noBody},
			{"another charset", []string{post, text("é"), header("Content-Type", "text/plain; charset=ISO-8859-1"), `"bodySize": 2`}, "é", charset},
			{"another charset and ASCII", []string{post, text("e"), header("Content-Type", "text/plain; charset=ISO-8859-1"), `"bodySize": 1`}, "e", ""},
			{"UTF-8", []string{post, text("é"), header("Content-Type", `application/json; charset=\"UTF-8\"`), `"bodySize": 2`}, "é", ""},
			{"no charset", []string{post, text("é"), header("Content-Type", "application/json"), `"bodySize": 2`}, "é", ""},
			{"another charset in base64", []string{post, encoded("\xe9"), header("Content-Type", "text/plain; charset=latin1"), `"bodySize": 1`}, "\xe9", ""},
			{"a Content-Encoding and no length", []string{post, text("abc"), header("Content-Encoding", "gzip")}, "abc", packed},
			{"a Content-Encoding in base64 and no length", []string{post, encoded("abc"), header("Content-Encoding", "gzip")}, "abc", packed},
			{"a Content-Encoding and the length of the text", []string{post, encoded("abc"), header("Content-Encoding", "gzip", "Content-Length", "3")}, "abc", ""},
			{"a Content-Encoding and another length", []string{post, text("abc"), header("Content-Encoding", "gzip", "Content-Length", "2")}, "abc", unlike},
			{"members that are null", []string{post, `"headers": null`, `"bodySize": null`, `"postData": {"text": "abc", "encoding": null, "params": null}`}, "abc", ""},
		} {
			t.Run(tt.name, func(t *testing.T) {
				all := readAll(t, harOf(tt.request...))
				if len(all) != 1 || string(all[0].Body) != tt.body {
					t.Fatalf("got %+v, want the body %q", all, tt.body)
				}
				if got := all[0].Inexact; (got == "") != (tt.inexact == "") || !strings.Contains(got, tt.inexact) {
					t.Errorf("inexact is %q, want %q", got, tt.inexact)
				}
			})
		}
	})

	t.Run("mistaken ones are refused", func(t *testing.T) {
		const (
			post = `"method": "POST"`
			url  = `"url": "https://h/"`
		)
		good := []string{post, url, `"headers": [{"name": "A", "value": "b"}]`, `"bodySize": 3`, `"postData": {"text": "YWJj"}`}
		change := func(i int, member string) string {
			request := append([]string(nil), good...)
			request[i] = member
			return harOf(request...)
		}
		first := harOf(good...)
		edit := func(old, new string) string {
			if strings.Count(first, old) != 1 {
				panic(old)
			}
			return strings.Replace(first, old, new, 1)
		}
		for _, tt := range []struct {
			name, text string
			line       int
			want       string
		}{
			{"no method", change(0, `"x": 0`), 2, "log.entries.0: want a request with a method"},
			{"a method that is a number", change(0, `"method": 1`), 4, "log.entries.0.request.method: want a string"},
			{"a method with a space", change(0, `"method": "A B"`), 2, "method"},
			{"no URL", change(1, `"x": 0`), 2, "a URL"},
			{"a URL that is a path", change(1, `"url": "/a"`), 2, "absolute URL in request.url"},
			{"a URL that is none", change(1, `"url": "https://h/%s3cret"`), 2, "absolute URL"},
			{"a URL without a host", change(1, `"url": "data:s3cret"`), 2, "absolute URL"},
			{"a URL twice", change(2, url), 6, "log.entries.0.request: want \"url\" once"},
			{"headers that are an object", change(2, `"headers": {"s3cret": 1}`), 6, "request.headers: want an array"},
			{"a header that is a string", change(2, "\"headers\": [\n\"s3cret\"]"), 7, "request.headers.0: want a name and a value"},
			{"a header without a value", change(2, "\"headers\": [{\"name\": \"A\", \"value\": \"b\"},\n{\"name\": \"s3cret\"}]"), 7, "request.headers.1: want a name and a value"},
			{"a header without a name", change(2, `"headers": [{"value": "s3cret"}]`), 6, "a name and a value"},
			{"a header whose value is null", change(2, `"headers": [{"name": "A", "value": null}]`), 6, "a name and a value"},
			{"a header name with a space", change(2, `"headers": [{"name": "A b", "value": "s3cret"}]`), 6, "name of a header field"},
			{"a header value with a line end", change(2, `"headers": [{"name": "A", "value": "s3cret\nB: c"}]`), 6, "control characters"},
			{"two hosts", change(2, `"headers": [{"name": "Host", "value": "s3cret"}, {"name": ":authority", "value": "i"}]`), 6, "one host"},
			{"a host with a space", change(2, `"headers": [{"name": "Host", "value": "s3cret h"}]`), 2, "host"},
			{"a size with a fraction", change(3, `"bodySize": 1.5`), 7, "request.bodySize: want a whole number"},
			{"a size that is a string", change(3, `"bodySize": "3"`), 7, "whole number"},
			{"a body that is a string", change(4, `"postData": "s3cret"`), 8, "request.postData: want an object"},
			{"a text that is an object", change(4, `"postData": {"text": {"s3cret": 1}}`), 8, "request.postData.text: want a string"},
			{"a text twice", change(4, "\"postData\": {\"text\": \"a\",\n\n\"text\": \"s3cret\"}"), 10, "want \"text\" once"},
			{"a text that is not base64", change(4, `"postData": {"text": "s3cret!", "encoding": "base64"}`), 2, "in base64"},
			{"a text whose base64 is cut off", change(4, `"postData": {"text": "YWJjZ", "encoding": "base64"}`), 2, "in base64"},
			{"an encoding that is unknown", change(4, `"postData": {"text": "s3cret", "encoding": "rot13"}`), 2, "in base64"},
			{"a form that is an object", change(4, `"postData": {"params": {"s3cret": 1}}`), 8, "request.postData.params: want an array"},
			{"no time", edit(`"startedDateTime"`, `"started"`), 2, "log.entries.0: want a time"},
			{"a time without a zone", edit("+01:00", ""), 2, "a time such as 2026-03-01T09:30:12Z in startedDateTime"},
			{"a time that is a number", edit(`"2026-03-01T10:30:12.25+01:00"`, "1"), 2, "startedDateTime: want a string"},
			{"the zero time", edit("2026-03-01T10:30:12.25+01:00", "0001-01-01T00:00:00Z"), 2, "want a time"},
			{"a request that is an array", edit("\"request\": {", "\"request\": [], \"x\": {"), 3, "log.entries.0.request: want an object"},
			{"no request", edit("\"request\"", "\"x\""), 2, "want a request"},
			{"an entry that is null, alone", `{"log": {"entries": [null]}}`, 1, "log.entries.0: want a request"},
			{"entries that are an object", edit("\"entries\": [", "\"entries\": {}, \"x\": ["), 1, "log.entries: want an array"},
			{"entries twice", edit("\"entries\": [", "\"entries\": [], \"entries\": ["), 1, "log: want \"entries\" once"},
			{"no entries", `{"log": {"version": "1.2"}}`, 1, "want a request in log.entries"},
			{"only requests without bodies", strings.NewReplacer("POST", "GET", `"bodySize": 3`, `"bodySize": 0`, "YWJj", "").Replace(first), 1, "want a request in log.entries"},
			{"a log that is an array", `{"log": [1]}`, 1, "log: want an object"},
			{"a log that is null", "\n\n{\"log\": null}", 3, "want a request in log.entries"},
			{"a log twice", "{\"log\": {},\n\"log\": {}}", 2, "want \"log\" once"},
			{"another JSON", "{\"id\": \"s3cret\"}", 1, "want a HAR"},
			{"an array", "\n[{}]", 2, "want an object"},
			{"a comma too much", strings.Replace(first, "}}\n]", "}},\n]", 1), 10, "this is no JSON"},
			{"more behind it", first + "\n\nx", 13, "this is no JSON"},
			{"a string with a line end", "{\"log\":\"s3cret\n\"}", 1, "this is no JSON"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				all, err := capture.Read(strings.NewReader(tt.text))
				e := syntaxError(t, err, "s3cret")
				if all != nil || e.Line != tt.line || !strings.Contains(e.Text, tt.want) {
					t.Errorf("got %v, %v; want line %d and %q", all, e, tt.line, tt.want)
				}
			})
		}
		if all := readAll(t, first); len(all) != 1 || string(all[0].Body) != "YWJj" {
			t.Errorf("their twin: %+v", all)
		}
	})

	// An entry that may be a delivery and is bad fails the file, wherever it stands, and so
	// does a cut at any byte. One that is nothing is none.
	t.Run("it is never read in part", func(t *testing.T) {
		const good = `{"startedDateTime":"2026-03-01T09:30:12Z","request":{"method":"POST","url":"https://h/","headers":[],"bodySize":0}}`
		for _, entries := range []string{good + "," + `{"request":1}`, `{"request":1},` + good, good + `,{"request":{"method":"POST"}},` + good} {
			all, err := capture.Read(strings.NewReader(`{"log":{"entries":[` + entries + `]}}`))
			if syntaxError(t, err); all != nil {
				t.Errorf("got %v", all)
			}
		}
		if all := readAll(t, `{"log":{"entries":[`+good+`,{},null,{"request":{"method":"GET","headers":1}},`+good+`]}}`); len(all) != 2 {
			t.Errorf("beside entries that are nothing: got %d captures, want 2", len(all))
		}
		whole := `{"log":{"entries":[` + good + "," + good + `]}}`
		if all := readAll(t, whole); len(all) != 2 {
			t.Errorf("got %d captures, want 2", len(all))
		}
		for i := range len(whole) - 1 {
			all, err := capture.Read(strings.NewReader(whole[:i+1]))
			if e := syntaxError(t, err); all != nil || !strings.Contains(e.Text, "too early") {
				t.Errorf("cut to %d bytes: %v, %v", i+1, all, err)
			}
		}
	})

	t.Run("it has at most 10000 entries", func(t *testing.T) {
		const get = `{"request":{"method":"GET","url":"/"}}`
		const post = `{"startedDateTime":"2026-03-01T09:30:12Z","request":{"method":"POST","url":"https://h/"}}`
		for n, ok := range map[int]bool{9999: true, 10000: false} {
			_, err := capture.Read(strings.NewReader(`{"log":{"entries":[` + strings.Repeat(get+",", n) + post + `]}}`))
			if (err == nil) != ok {
				t.Errorf("%d entries: %v", n+1, err)
			}
		}
	})
}

func TestDelivery(t *testing.T) {
	t.Run("members that do not matter may have any name or depth", func(t *testing.T) {
		deep := strings.Repeat("[", 9000) + strings.Repeat("]", 9000)
		for _, member := range []string{`"%s": 1`, `"": {}`, `"a": ` + deep, `"LOG": 1`, `"Request": 1`, `"log\u0000": null`} {
			if all := readAll(t, strings.Replace(harFile, `{"log"`, "{"+member+`, "log"`, 1)); len(all) != 1 {
				t.Errorf("%s: got %d captures", member, len(all))
			}
		}
	})

	t.Run("one of GitHub's API is read", func(t *testing.T) {
		all := readAll(t, githubOf(githubHeaders, "{\n  \"b\": \"<\\u00e9/ \\/\",\n  \"a\": [1.50, 1e2]\n }"))
		if len(all) != 1 || !strings.Contains(all[0].Inexact, "serialised the payload again") || !strings.Contains(all[0].Inexact, "record") {
			t.Fatalf("got %+v", all)
		}
		all[0].Inexact = ""
		want := &capture.Capture{
			Method: "POST", URL: mustURL(t, "https://www.example.com/hooks?a=b"),
			Header: http.Header{
				"X-Github-Delivery":   {"0b989ba4-242f-11e5-81e1-c7b6966d2516"},
				"X-Hub-Signature-256": {"sha256=6dcb09b5b57875f334f61aebed695e2e4193db5e"},
				"Content-Type":        {"application/json"},
			},
			Body: []byte(`{"b":"<\u00e9/ \/","a":[1.50,1e2]}`), ReceivedAt: received,
		}
		if !reflect.DeepEqual(all[0], want) {
			t.Errorf("got\n%+v, want\n%+v", all[0], want)
		}
	})

	t.Run("one without a URL has none", func(t *testing.T) {
		for _, member := range []string{`"url": null`, `"url": ""`, `"x": 1`} {
			text := strings.Replace(githubOf(githubHeaders, "{}"), `"url": "https://www.example.com/hooks?a=b"`, member, 1)
			if all := readAll(t, text); all[0].URL != nil {
				t.Errorf("%s: the URL is %v", member, all[0].URL)
			}
		}
	})

	t.Run("mistaken ones are refused", func(t *testing.T) {
		good := githubOf(githubHeaders, "{}")
		edit := func(old, new string) string {
			if strings.Count(good, old) != 1 {
				panic(old)
			}
			return strings.Replace(good, old, new, 1)
		}
		for _, tt := range []struct {
			name, text string
			line       int
			want       string
		}{
			{"no headers", githubOf("{}", "{}"), 1, "want request.headers"},
			{"headers that are null", githubOf("null", "{}"), 1, "want request.headers"},
			{"headers that are an array", githubOf("[\"s3cret\"]", "{}"), 16, "request.headers: want an object"},
			{"a header that is an array", githubOf("{\"A\": \"b\",\n\"B\": [\"s3cret\"]}", "{}"), 17, "request.headers: want strings"},
			{"a header that is null", githubOf("{\n\n\"s3cret\": null}", "{}"), 18, "request.headers: want strings"},
			{"a header name that is none", githubOf(`{"s3cret x": "a"}`, "{}"), 16, "name of a header field"},
			{"a header value with a control character", githubOf(`{"A": "s3cret\u0000"}`, "{}"), 16, "control characters"},
			{"no payload", edit(`"payload": {}`, `"x": {}`), 1, "want request.payload"},
			{"a payload that is null", githubOf(githubHeaders, "null"), 1, "want request.payload"},
			{"a payload that is an array", githubOf(githubHeaders, `["s3cret"]`), 1, "want request.payload"},
			{"a payload that is a string", githubOf(githubHeaders, `"s3cret"`), 1, "want request.payload"},
			{"a payload twice", edit(`"payload": {}`, "\"payload\": {},\n\n\"payload\": {}"), 23, "request: want \"payload\" once"},
			{"no time", edit(`"delivered_at"`, `"x"`), 1, "in delivered_at"},
			{"a time that is none", edit("2026-03-01T09:30:12.25Z", "today"), 1, "in delivered_at"},
			{"a time that is a number", edit(`"2026-03-01T09:30:12.25Z"`, "1"), 4, "delivered_at: want a string"},
			{"a URL that is a path", edit("https://www.example.com/hooks?a=b", "/s3cret"), 1, "absolute URL in url"},
			{"a URL that is none", edit("https://www.example.com/hooks?a=b", "://s3cret"), 1, "absolute URL in url"},
			{"a request that is a string", edit("\"request\": {", "\"request\": \"s3cret\", \"x\": {"), 15, "request: want an object"},
			{"an event whose request is a string", `{"request": "s3cret"}`, 1, "a body alone"},
			{"a request that is null", "{\"request\": null,\n\"delivered_at\": \"2026-03-01T09:30:12.25Z\"}", 1, "want request.headers"},
			{"a delivery of a list, which has no request", `{"id": 1, "delivered_at": "2026-03-01T09:30:12.25Z"}`, 1, "one delivery of GitHub's REST API"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				all, err := capture.Read(strings.NewReader(tt.text))
				e := syntaxError(t, err, "s3cret")
				if all != nil || e.Line != tt.line || !strings.Contains(e.Text, tt.want) {
					t.Errorf("got %v, %v; want line %d and %q", all, e, tt.line, tt.want)
				}
			})
		}
		readAll(t, good)
	})
}

// githubOf returns a delivery as GitHub's documentation shows it.
func githubOf(headers, payload string) string {
	return `{
  "id": 12345678,
  "guid": "0b989ba4-242f-11e5-81e1-c7b6966d2516",
  "delivered_at": "2026-03-01T09:30:12.25Z",
  "redelivery": false,
  "duration": 0.27,
  "status": "OK",
  "status_code": 200,
  "event": "issues",
  "action": "opened",
  "installation_id": 123,
  "repository_id": 456,
  "url": "https://www.example.com/hooks?a=b",
  "throttled_at": "2019-06-03T00:57:16Z",
  "request": {
    "headers": ` + headers + `,
    "payload": ` + payload + `
  },
  "response": {
    "headers": {
      "Content-Type": "text/html;charset=utf-8"
    },
    "payload": "ok"
  }
}
`
}

const githubHeaders = `{
      "X-GitHub-Delivery": "0b989ba4-242f-11e5-81e1-c7b6966d2516",
      "X-Hub-Signature-256": "sha256=6dcb09b5b57875f334f61aebed695e2e4193db5e",
      "content-type": "application/json"
    }`
