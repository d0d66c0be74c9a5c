package capture_test

import (
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/verify/capture"
)

func TestEditorFile(t *testing.T) {
	// Editors' files mostly have a version in the request line, and need no ### before the
	// first request. Without a length, what stands behind the body is no part of it.
	t.Run("those with a version are refused by name", func(t *testing.T) {
		const head = "POST https://h/a HTTP/1.1\nContent-Type: application/json\n"
		for name, text := range map[string]string{
			"several requests": head + "\n{}\n\n###\nGET https://h/b HTTP/1.1\n\n",
			"a file":           head + "\n< ./body.json\n",
			"a script":         head + "\n{}\n\n> {% client.test() %}\n",
			"a redirect":       head + "\n{}\n\n>> out.json\n",
			"a variable":       head + "Stripe-Signature: {{signature}}\n\n{}\n",
		} {
			all, err := capture.Read(strings.NewReader(text))
			if err == nil {
				t.Errorf("%s: was read, with the body %q", name, all[0].Body)
			} else if !strings.Contains(err.Error(), "editor's dialect") {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := capture.Read(strings.NewReader(head + "\n{}")); err != nil {
			t.Errorf("a plain request: %v", err)
		}
		if _, err := capture.Read(strings.NewReader(head + "Content-Length: 7\n\n{}\n### ")); err != nil {
			t.Errorf("a body with a length: %v", err)
		}
	})
}
