package jsonscan_test

import (
	"testing"

	"github.com/hooknotary/hooknotary/providers/internal/jsonscan"
)

// TestMember holds what callers lean on; the tests of package scheme go through every
// form of a body.
func TestMember(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"the first member of the name", `{"a":{"id":"x"},"id":"1","id":"2"}`, "1"},
		{"a member behind the one that is wanted is not read", `{"id":"1",`, "1"},
		{"a number is no string", `{"id":1}`, ""},
		{"a value with an escape is none", `{"id":"a\u0062"}`, ""},
		{"a name with an escape ends the search", `{"\u0069d":"0","id":"1"}`, ""},
		{"an array has no members", `["id","1"]`, ""},
		{"no text", ``, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(jsonscan.Member([]byte(tt.text), "id")); got != tt.want {
				t.Errorf("Member is %q, want %q", got, tt.want)
			}
		})
	}
}
