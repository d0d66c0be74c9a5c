package capture_test

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/capture"
)

const secret = "whsec_Hx2v9QmT4kLr8ZpWc3NdYb6sJf7gKe1A"

// vectors returns the .http files of the providers.
func vectors(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("../../providers/*/testdata/*.http")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 100 {
		t.Fatalf("found %d vectors, want at least 100", len(files))
	}
	texts := make(map[string][]byte)
	for _, file := range files {
		if texts[file], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	return texts
}

func TestVectors(t *testing.T) {
	tokens := make(map[string]bool) // that some vector has
	t.Run("those of providers are captures", func(t *testing.T) {
		for file, text := range vectors(t) {
			all, err := capture.ReadFile(file)
			if err != nil || len(all) != 1 {
				t.Errorf("got %v, %v", all, err)
				continue
			}
			c := all[0]
			if c.Note == "" || c.Expect == "" || c.ReceivedAt.IsZero() || !bytes.HasSuffix(text, c.Body) {
				t.Errorf("%s: capture is %+v", file, c)
			}
			kept := c.Clone()
			for name, values := range c.Header {
				if token(name, values[0]) {
					kept.Header.Del(name)
					tokens[name] = true
				}
			}
			if names := differences(kept, mustParse(t, string(mustAppend(t, c)))); names != nil {
				t.Errorf("%s: these differ: %q", file, names)
			}
		}
	})
	for _, name := range []string{"Authorization", "Cf-Webhook-Auth", "X-Gitlab-Token", "X-Telegram-Bot-Api-Secret-Token", "X-Webhook-Secret"} {
		if !tokens[name] {
			t.Errorf("no vector has a token in %s", name)
		}
	}
}

// token reports whether a header of a vector is a token that a sender shows instead of a
// signature. It is not written; all other headers are.
func token(name, value string) bool {
	switch name {
	case "Authorization": // Microsoft Teams and Sinch put a signature here
		return !strings.HasPrefix(value, "HMAC ") && !strings.HasPrefix(value, "Application ")
	case "Cf-Webhook-Auth", "X-Gitlab-Token", "X-Telegram-Bot-Api-Secret-Token", "X-Webhook-Secret":
		return true
	}
	return false
}

// without returns c without the header fields that are named in the file as dropped.
func without(c *capture.Capture, text []byte) *capture.Capture {
	c = c.Clone()
	comments, _, _ := strings.Cut(string(text), "\n\n")
	for line := range strings.SplitSeq(comments, "\n") {
		if names, ok := strings.CutPrefix(line, "# dropped: "); ok {
			for name := range strings.SplitSeq(names, ", ") {
				c.Header.Del(name)
			}
		}
	}
	return c
}

// What is read can be written, is then the same, and stays the same; nothing panics,
// and memory is bounded.
func FuzzParse(f *testing.F) {
	for _, text := range vectors(f) {
		f.Add(text)
	}
	files, err := filepath.Glob("testdata/*.*")
	if err != nil || len(files) < 30 {
		f.Fatalf("found %d files of other tools, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for _, text := range []string{
		nativeFile, harFile, githubFile, githubOf(githubHeaders, "{}"),
		harOf(`"method": "POST"`, `"url": "https://u:p@h/a?b#c"`, `"headers": [{"name": "Cookie", "value": "a"}]`, `"postData": {"encoding": "base64", "text": "AP8="}`),
		"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1;x=y\r\n}\r\n0\r\n\r\n",
		"# note: \"a\\x00\"\n#note:\n# inexact: \" \"\n# dropped: B\n\nOPTIONS * HTTP/1.0\nCookie: a\nHost:\nX-Token: b\n\n\xff",
		"POST http://u:p@h/a#b?c HTTP/1.1\nContent-Length: 1\n\n\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		all, err := capture.Read(bytes.NewReader(text))
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > uint64(20*len(text)+1<<20) {
			t.Errorf("%d bytes were allocated for %d", n, len(text))
		}
		if err != nil {
			if e := syntaxError(t, err); all != nil || len(e.Error()) > 300 {
				t.Errorf("got %v, %v", all, e)
			}
			return
		}
		if len(all) == 0 {
			t.Error("nothing was read, and there is no error")
		}
		for _, c := range all {
			written := mustAppend(t, c)
			read := mustParse(t, string(written))
			if names := differences(without(c, written), read); names != nil {
				t.Fatalf("these differ: %q: %+v, %+v", names, c, read)
			}
			if again := mustParse(t, string(mustAppend(t, read))); !reflect.DeepEqual(again, read) {
				t.Fatalf("the second time it is %+v, before %+v", again, read)
			}
		}
		if c, err := capture.Parse(text); err == nil && !reflect.DeepEqual(c, all[0]) {
			t.Errorf("Read and Parse differ: %+v, %+v", all[0], c)
		}
	})
}

// A genuine delivery of any body verifies when it was written and read. A capture of
// any kind is read as it was written, or not written.
func FuzzRoundTrip(f *testing.F) {
	for _, text := range vectors(f) {
		c := mustParse(f, string(text))
		f.Add(c.Body, c.ReceivedAt.UnixNano(), c.Note, c.Inexact, "/a%2Fb", "x=1", "Stripe-Signature", c.Header.Get("Stripe-Signature"))
	}
	f.Add([]byte("\r\n\r\n# note: a\n\n\x00\xff\xef\xbb\xbf"), int64(1), "a\nb\r", "\"", "//", "#", "x-api-key", "\xff")
	v := stripe.Must(secret)
	file := filepath.Join(f.TempDir(), "a.http")
	f.Fuzz(func(t *testing.T, body []byte, at int64, note, inexact, path, query, name, value string) {
		receivedAt := time.Unix(0, at)
		genuine := &capture.Capture{Header: stripetest.Header(receivedAt, body, secret), Body: body, ReceivedAt: receivedAt}
		if _, err := verify.Verify(context.Background(), v, genuine.Head(), body); err == nil {
			if err := genuine.WriteFile(file); err != nil {
				t.Fatal(err)
			}
			all, err := capture.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := verify.Verify(context.Background(), v, all[0].Head(), all[0].Body); err != nil {
				t.Errorf("it does not verify any more: %v", err)
			}
		} else if at >= int64(time.Second) {
			t.Errorf("a genuine delivery does not verify: %v", err)
		}
		c := &capture.Capture{
			Method: name, Host: value, URL: &url.URL{Path: path, RawQuery: query}, Header: http.Header{name: {value}, "A": {value, ""}},
			Body: body, ReceivedAt: receivedAt, Note: note, Inexact: inexact,
		}
		for _, c := range []*capture.Capture{
			c, // and each by itself, as one that cannot be written would hide the rest
			{Note: note, Inexact: inexact, Body: body, ReceivedAt: receivedAt},
			{URL: &url.URL{Path: path, RawQuery: query}}, {Host: value}, {Method: name}, {Header: http.Header{name: {value}}},
		} {
			roundTrip(t, c)
		}
		mustAppend(t, &capture.Capture{Note: note, Inexact: inexact, Body: body, ReceivedAt: receivedAt})
	})
}

// roundTrip does nothing with what cannot be written.
func roundTrip(t testing.TB, c *capture.Capture) {
	t.Helper()
	text, err := c.Append(nil)
	if err != nil {
		return
	}
	if names := differences(without(c, text), mustParse(t, string(text))); names != nil {
		t.Errorf("these differ: %q: %+v in %q", names, c, text)
	}
}

// A request that a server reads can be captured, written and read again.
func FuzzRequest(f *testing.F) {
	for _, text := range vectors(f) {
		_, request, _ := bytes.Cut(text, []byte("\n\n"))
		f.Add(request)
	}
	f.Add([]byte("POST /\"<>?\xff#a HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\nPragma: no-cache\r\n\r\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := http.ReadRequest(bufioReader(string(text)))
		if err != nil {
			return
		}
		c := capture.New(r, text, received)
		written, err := c.Append(nil)
		if err != nil {
			if u := r.URL; r.Method[0] == '#' || u.Opaque != "" || strings.ContainsAny(r.Host, " \t") || (u.Scheme == "") != (u.Host == "") || len(r.Header) > 999 {
				return // what is no webhook
			}
			for name, values := range r.Header {
				for _, value := range values {
					if strings.Contains(name, " ") || strings.TrimRight(value, " ") != value {
						return // what a server refuses, and a value that goes on in an empty line
					}
				}
			}
			t.Fatalf("%v: %+v", err, c)
		}
		if names := differences(without(c, written), mustParse(t, string(written))); names != nil {
			t.Errorf("these differ: %q: %+v in %q", names, c, written)
		}
	})
}
