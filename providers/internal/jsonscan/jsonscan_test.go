package jsonscan_test

import (
	"encoding/json"
	"errors"
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

func TestNumber(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"the member", `{"a":1,"at":17,"b":[{"at":3}]}`, "17"},
		{"the member alone, with white space", " {\n\"at\" :\t17 \r\n} ", "17"},
		{"behind a string with an escaped quote", `{"a":"\"at\":1,\\","at":17}`, "17"},
		{"in front of what this does not read", `{"at":17,"a":{"AT":1,"\u0061t":2}}`, "17"},
		{"it does not judge the form", `{"at":-1.5e3}`, "-1.5e3"},

		{"the member twice", `{"at":17,"at":17}`, ""},
		{"the member in other letters, too", `{"at":17,"At":18}`, ""},
		{"the member in other letters first", `{"AT":18,"at":17}`, ""},
		{"a name with an escape behind it", `{"at":17,"\u0061t":18}`, ""},
		{"a name with an escape before it", `{"\u0062":1,"at":17}`, ""},
		{"a string", `{"at":"17"}`, ""},
		{"nothing", `{"at":}`, ""},
		{"only inside another member", `{"a":{"at":17}}`, ""},
		{"only in other letters", `{"At":17}`, ""},
		{"more behind the object", `{"at":17}{"at":18}`, ""},
		{"an object that does not end", `{"at":17`, ""},
		{"a string that does not end", `{"at":17,"a":"}`, ""},
		{"an array", `[{"at":17}]`, ""},
		{"no text", ``, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := jsonscan.Number([]byte(tt.text), "at")
			if string(got) != tt.want && ok || ok != (tt.want != "") {
				t.Errorf("Number is %q, %v, want %q", got, ok, tt.want)
			}
		})
	}
	t.Run("a letter that folds to one of the name is that name in other letters", func(t *testing.T) {
		for text, want := range map[string]bool{"{\"ask\":1}": true, "{\"ask\":1,\"as\u212a\":2}": false, "{\"ask\":1,\"a\u017fk\":2}": false} {
			if _, ok := jsonscan.Number([]byte(text), "ask"); ok != want {
				t.Errorf("of %s: %v", text, ok)
			}
		}
	})
}

// FuzzNumber: of a text that is JSON, what Number finds is what encoding/json finds, in a map
// and in a struct.
func FuzzNumber(f *testing.F) {
	for _, text := range []string{
		`{"at":17}`, `{"at":17,"at":18}`, `{"At":17,"at":18}`, `{"\u0061t":1,"at":2}`, `{"a":"\\\"","at":1}`, "{\"a\":\"\xff\",\"at\":1}", `{"at":1,"a":[{},"]"]}`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := jsonscan.Number([]byte(text), "at")
		if !ok || !json.Valid([]byte(text)) {
			return
		}
		var all map[string]json.RawMessage
		var one struct {
			At json.RawMessage `json:"at"`
		}
		if err := errors.Join(json.Unmarshal([]byte(text), &all), json.Unmarshal([]byte(text), &one)); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if string(all["at"]) != string(got) || string(one.At) != string(got) {
			t.Errorf("%q: Number is %q, encoding/json finds %q and %q", text, got, all["at"], one.At)
		}
	})
}
