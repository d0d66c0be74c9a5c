package capture_test

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/verify/capture"
)

// filled returns a file of at most the given size: a head, a tail, and between them a
// pattern again and again.
func filled(size int, head, pattern, tail string) []byte {
	b := make([]byte, 0, size)
	b = append(b, head...)
	for len(b)+len(pattern)+len(tail) <= size {
		b = append(b, pattern...)
	}
	return append(b, tail...)
}

const (
	native = "POST / HTTP/1.1\r\n"
	entry  = `{"startedDateTime":"2026-03-01T09:30:12Z","request":{"method":"POST","url":"https://h/"`
	log    = `{"log":{"entries":[`
	github = `{"delivered_at":"2026-03-01T09:30:12Z","request":{"headers":{"A":"b"},"payload":{`
)

// distinct returns n header fields with names that differ.
func distinct(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"name":"%x","value":""},`, i)
	}
	return strings.TrimSuffix(b.String(), ",")
}

func TestLimits(t *testing.T) {
	// A file costs a bounded multiple of its size in memory, and time that grows with its
	// size and no faster, whatever is in it.
	t.Run("reading the worst files is bounded", func(t *testing.T) {
		if testing.Short() {
			t.Skip("reads large files")
		}
		if race {
			t.Skip("the race detector allocates, too")
		}
		for _, tt := range []struct {
			name                string
			head, pattern, tail string
			error               string // nothing: it is read
		}{
			{"a native body", native + "\r\n", "x", "", ""},
			{"a native body of line ends with another length", native + "Content-Length: 1\r\n\r\n", "\r\n", "", "longer"},
			{"a body of small chunks", native + "Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n", "0\r\n\r\n", ""},
			{"a chunked body without its end", native + "Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n", "", "chunked"},
			{"a chunked body of extensions", native + "Transfer-Encoding: chunked\r\n\r\n", "1;x=" + strings.Repeat("y", 99) + "\r\nx\r\n", "", "chunked"},
			{"a line of noise", "", "\x00", "", "does not end within"},
			{"lines of noise", "", "\x00\n", "", "request line"},
			{"a request line", "POST /", "x", "", "does not end within"},
			{"a request line of spaces", "POST /", " ", "\n\n", "does not end within"},
			{"a header line", native + "A: ", "x", "", "does not end within"},
			{"header lines", native, "A: b\n", "", "at most 1000"},
			{"a comment", "# ", "x", "", "does not end within"},
			{"comments", "", "#\n", "", "does not end within"},
			{"notes", "", "#note:\n", "", "does not end within"},
			{"empty lines", "", "\n", "", "request line"},
			{"empty lines and JSON", "", "\n", "{}", "no capture"},
			{"open brackets", "", "[", "", "nested too deeply"},
			{"open objects", "", `{"":`, "", "nested too deeply"},
			{"a string without an end", `{"log":"`, "x", "", "too early"},
			{"numbers", "[0", ",0", "]", "an object"},
			{"members that do not matter", "{", `"":0,`, `"":0}`, "at most 10000"},
			{"a long name", `{"`, "x", `":0}`, "no capture"},
			{"a long time", `{"request":{"headers":{"A":"b"},"payload":{}},"delivered_at":"`, "x", `"}`, "delivered_at"},
			{"a long URL", `{"request":{"headers":{"A":"b"},"payload":{}},"delivered_at":"2026-03-01T09:30:12Z","url":"https://h/`, "x", `"}`, "more than 1048576 bytes"},
			{"a HAR without entries that matter", log, `{"request":{"method":"GET","url":"/"}},`, "{}]}}", "at most 10000"},
			{"a HAR with many entries", log, entry + "}},", entry + "}}]}}", "at most 10000"},
			{"a HAR with a large response", log + entry + `},"response":{"content":{"text":"`, "x", `"}}}]}}`, ""},
			{"a HAR with a large body", log + entry + `,"postData":{"text":"`, "x", `"}}}]}}`, ""},
			{"a HAR with a large body of escapes", log + entry + `,"postData":{"text":"`, `\u0000`, `"}}}]}}`, ""},
			{"a HAR with a large body in base64", log + entry + `,"postData":{"encoding":"base64","text":"`, `AAAA`, `"}}}]}}`, ""},
			{"a HAR with a form", log + entry + `,"postData":{"params":[`, "{},", "{}]}}}]}}", "at most 10000"},
			{"a HAR with header fields", log + entry + `,"headers":[`, `{"name":"a","value":""},`, `{}]}}]}}`, "at most 1000 "},
			{"a HAR with many equal header fields", log, entry + `,"headers":[` + strings.Repeat(`{"name":"a","value":""},`, 999) + `{"name":"b","value":""}]}},`, entry + "}}]}}", ""},
			{"a HAR with many distinct header fields", log, entry + `,"headers":[` + distinct(1000) + "]}},", entry + "}}]}}", ""},
			{"a delivery with a large payload", github + `"x":"`, "x", `"}}}`, ""},
			{"a delivery with many members", github, `"":0,`, `"":0}}}`, ""},
			{"a request of ngrok with a large body", `{"start":"2026-03-01T09:30:12Z","request":{"raw":"UE9TVCAvIEhUVFAvMS4xDQoN`, "CgoK", `"}}`, ""},
			{"a list of ngrok", `{"requests":[`, `{"request":{"raw":"UE9TVCAvIEhUVFAvMS4xDQoNCgoK"},"start":"2026-03-01T09:30:12Z"},`, `{}]}`, "at most 10000"},
			{"a request of webhook.site with a large body", `{"method":"POST","headers":{"a":["b"]},"created_at":"2026-03-01 09:30:12","content":"`, `\u0000`, `"}`, ""},
			{"a request of webhook.site with many values", `{"method":"POST","content":"","created_at":"2026-03-01 09:30:12","headers":{"a":[""`, `,""`, `]}}`, "at most 1000 "},
			{"an event of Lambda with a large body", `{"requestContext":{},"httpMethod":"POST","headers":{"a":"b"},"isBase64Encoded":true,"body":"`, "AAAA", `"}`, ""},
			{"an event of Lambda with many members", `{"requestContext":{`, `"":0,`, `"":0}}`, "no capture"},
			{"an event of Lambda with large arrays that do not matter", `{"requestContext":{},"httpMethod":"POST","headers":{"a":"b"},"x":[0`, ",0", `]}`, ""},
			{"a delivery with header fields", `{"delivered_at":"2026-03-01T09:30:12Z","request":{"headers":{`, `"a":"",`, `"a":""}}}`, "at most 1000 "},
		} {
			sizes := []int{4 << 20}
			if strings.HasSuffix(tt.name, "body") || tt.name == "a line of noise" {
				sizes = append(sizes, capture.MaxSize)
			}
			for _, size := range sizes {
				t.Run(fmt.Sprintf("%s/%d MiB", tt.name, size>>20), func(t *testing.T) {
					text := filled(size, tt.head, tt.pattern, tt.tail)
					var before, after runtime.MemStats
					runtime.ReadMemStats(&before)
					start := time.Now()
					all, err := capture.Read(bytes.NewReader(text))
					took := time.Since(start)
					runtime.ReadMemStats(&after)
					allocated := after.TotalAlloc - before.TotalAlloc
					t.Logf("%d MiB allocated in %v: %d captures, %v", allocated>>20, took, len(all), err)
					if allocated > uint64(20*size+1<<20) {
						t.Errorf("%d bytes were allocated, want at most twenty times the size", allocated)
					}
					if took > time.Minute {
						t.Errorf("it took %v", took)
					}
					if tt.error == "" && (err != nil || len(all) == 0) {
						t.Errorf("error is %v", err)
					}
					var e *capture.SyntaxError
					if tt.error != "" && (!errors.As(err, &e) || !strings.Contains(e.Text, tt.error) || all != nil) {
						t.Errorf("error is %v, want one with %q", err, tt.error)
					}
					if err != nil && len(err.Error()) > 300 {
						t.Errorf("the error has %d bytes", len(err.Error()))
					}
				})
			}
		}
	})

	// What is read of small elements costs more than their size, and there are 10,000 at most.
	t.Run("reading many small elements is bounded", func(t *testing.T) {
		if race {
			t.Skip("the race detector allocates, too")
		}
		const hook = `{"method":"GET","headers":{},"created_at":"2026-03-01 09:30:12"}`
		for name, text := range map[string]string{
			"members":                  `{` + strings.Repeat(`"":0,`, 9999) + `"":0}`,
			"members of a request":     `{"request":{` + strings.Repeat(`"":0,`, 9999) + `"":0}}`,
			"entries of a HAR":         log + strings.Repeat(`{},`, 9999) + `{}]}}`,
			"requests of webhook.site": `{"data":[` + strings.Repeat(hook+",", 9999) + hook + `]}`,
		} {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			capture.Read(strings.NewReader(text))
			runtime.ReadMemStats(&after)
			if got, most := after.TotalAlloc-before.TotalAlloc, uint64(20*len(text)+32<<20); got > most {
				t.Errorf("%s: %d bytes allocated %d, want at most %d", name, len(text), got, most)
			}
		}
	})
}
