package capture_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/capture"
)

// fileCase is what becomes of a file of testdata.
type fileCase struct {
	file     string
	captures int    // that are read, and verify
	inexact  string // what they say
	untimed  bool   // the format has no time
	error    string
}

func TestFormats(t *testing.T) {
	// Has one file of testdata for each format, and
	// beside each that is read one that differs in one thing, which is refused or inexact.
	t.Run("files of other tools are read or named", func(t *testing.T) {
		v := stripe.Must(secret)
		tests := []fileCase{
			{file: "ngrok.json", captures: 1},
			{file: "ngrok-chunked.json", captures: 1},
			{file: "ngrok-list.json", captures: 2},
			{file: "ngrok-cut-off.json", error: "request.raw: the body is shorter than Content-Length says"},
			{file: "webhook-site.json", captures: 1},
			{file: "webhook-site-list.json", captures: 2},
			{file: "webhook-site-replaced.json", inexact: "webhook.site has U+FFFD"},
			{file: "lambda-v1.json", captures: 1},
			{file: "lambda-v2.json", captures: 1},
			{file: "lambda-url.json", captures: 1},
			{file: "lambda-alb.json", captures: 1, untimed: true},
			{file: "lambda-alb-multi.json", captures: 1, untimed: true},
			{file: "lambda-not-base64.json", error: "want the body in base64, as isBase64Encoded says"},
			{file: "lambda-other-length.json", inexact: "another number of bytes"},
			{file: "har-odd.json", captures: 1},
			{file: "har-odd-post.json", error: "log.entries.1.request.headers.0: want no control characters"},
			{file: "har-odd-alone.json", error: "log.entries.0: want a request with a method"},
			{file: "event.json", error: "a body alone wants the head of its request before it"},
			{file: "event-old.json", error: "a body alone wants the head of its request before it"},
			{file: "editor.http", captures: 1},
			{file: "editor-version.http", captures: 1, untimed: true},
			{file: "editor-without-length.http", inexact: "editor"},
			{file: "editor-variables.http", error: "an editor's dialect of .http"},
			{file: "editor-variable-in-line.http", error: "an editor's dialect of .http"},
			{file: "editor-variable-in-header.http", error: "an editor's dialect of .http"},
			{file: "editor-file.http", error: "an editor's dialect of .http"},
			{file: "editor-several.http", error: "an editor's dialect of .http"},
			{file: "curl-verbose.txt", error: "a log of curl"},
			{file: "curl-request.txt", error: "a log of curl"},
			{file: "recent-deliveries.txt", error: "GitHub's page of recent deliveries"},
			{file: "recent-deliveries-headings.txt", error: "GitHub's page of recent deliveries"},
		}
		entries, err := os.ReadDir("testdata")
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			if !entry.IsDir() && entry.Name() != "lambda-header-twice.json" && !slices.ContainsFunc(tests, func(tt fileCase) bool { return tt.file == entry.Name() }) {
				t.Errorf("no test reads %s", entry.Name())
			}
		}
		for _, tt := range tests {
			t.Run(tt.file, func(t *testing.T) {
				all, err := capture.ReadFile(filepath.Join("testdata", tt.file))
				if tt.error != "" {
					e := syntaxError(t, err, "evt_1", "Zoë", "v1=")
					if all != nil || !strings.Contains(e.Text, tt.error) {
						t.Errorf("got %v, %v; want %q", all, e, tt.error)
					}
					return
				}
				if err != nil || len(all) != max(1, tt.captures) {
					t.Fatalf("got %d captures, %v", len(all), err)
				}
				for _, c := range all {
					if (c.Inexact == "") != (tt.inexact == "") || !strings.Contains(c.Inexact, tt.inexact) {
						t.Errorf("Inexact is %q, want %q", c.Inexact, tt.inexact)
					}
					if c.Method != "POST" || c.URL == nil || !strings.Contains("/hooks/stripe /a0e1", c.URL.Path) {
						t.Errorf("the request is %s %v", c.Method, c.URL)
					}
					if tt.captures == 0 {
						continue
					}
					if tt.untimed != c.ReceivedAt.IsZero() || !tt.untimed && c.ReceivedAt.Unix() != received.Unix() {
						t.Errorf("ReceivedAt is %v", c.ReceivedAt)
					}
					head := *c.Head()
					head.ReceivedAt = received
					if _, err := verify.Verify(t.Context(), v, &head, c.Body); err != nil {
						t.Errorf("it does not verify: %v", err)
					}
					roundTrip(t, c)
				}
			})
		}
	})

	// So that a verifier can refuse it.
	t.Run("a repeated header of a Lambda event stays repeated", func(t *testing.T) {
		all, err := capture.ReadFile("testdata/lambda-header-twice.json")
		if err != nil || len(all) != 1 {
			t.Fatalf("got %v, %v", all, err)
		}
		head := *all[0].Head()
		head.ReceivedAt = received
		if _, err := verify.Verify(t.Context(), stripe.Must(secret), &head, all[0].Body); verify.ReasonOf(err) != verify.ErrMalformed {
			t.Errorf("error is %v", err)
		}
	})
}
