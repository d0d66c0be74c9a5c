package scheme_test

import (
	"strings"
	"testing"
	"time"
)

// signedID returns the id that a verifier finds in a body that is genuine.
func signedID(t testing.TB, body string) string {
	t.Helper()
	v := mustNew(t, listed(), nil, plainSecrets[0])
	return accepted(t, v, header("Listed-Signature", signListed(body, plainSecrets[0])), body).ID
}

func TestSignedID(t *testing.T) {
	t.Run("it is the first top-level member", func(t *testing.T) {
		deep := strings.Repeat(`{"id":[`, 10_000) + strings.Repeat(`]}`, 10_000)
		for _, tt := range []struct {
			name, body, want string
		}{
			{"first", `{"id":"evt_1","object":"event"}`, "evt_1"},
			{"late", `{"object":"event","livemode":false,"created":1,"x":null,"y":-1.5e3,"id":"evt_1"}`, "evt_1"},
			{"with white space around", " \t\r\n{ \n \"id\"\t:\r\n \"evt_1\" , \"a\" : 1 } \n", "evt_1"},
			{"behind an object with the same name in it", `{"data":{"id":"evt_0","x":{"id":"evt_00"}},"id":"evt_1"}`, "evt_1"},
			{"behind an array of such objects", `{"data":[{"id":"evt_0"},["id",{"id":"evt_00"}]],"id":"evt_1"}`, "evt_1"},
			{"behind a string that looks like it", `{"note":"\"id\":\"evt_0\",","id":"evt_1"}`, "evt_1"},
			{"behind a string with brackets", `{"note":"}]{[,","id":"evt_1"}`, "evt_1"},
			{"behind a string that ends in a backslash", `{"note":"a\\","id":"evt_1"}`, "evt_1"},
			{"behind a string that ends in an escaped quote", `{"note":"a\\\"","id":"evt_1"}`, "evt_1"},
			{"behind the name as a value", `{"a":"id","id":"evt_1"}`, "evt_1"},
			{"behind a longer name", `{"idx":"evt_0","xid":"evt_00","i":"evt_000","id":"evt_1"}`, "evt_1"},
			{"behind a name in upper case", `{"ID":"evt_0","id":"evt_1"}`, "evt_1"},
			{"behind empty containers", `{"a":{},"b":[],"c":"","id":"evt_1"}`, "evt_1"},
			{"behind an empty name", `{"":"evt_0","id":"evt_1"}`, "evt_1"},
			{"behind deep nesting", `{"a":` + deep + `,"id":"evt_1"}`, "evt_1"},
			{"twice: the first counts", `{"id":"evt_1","id":"evt_2"}`, "evt_1"},
			{"before something broken", `{"id":"evt_1",,,`, "evt_1"},
			{"of 256 bytes", `{"id":"` + strings.Repeat("e", 256) + `"}`, strings.Repeat("e", 256)},

			{"of 257 bytes", `{"id":"` + strings.Repeat("e", 257) + `"}`, ""},
			{"empty", `{"id":""}`, ""},
			{"a number", `{"id":1}`, ""},
			{"null", `{"id":null}`, ""},
			{"an object", `{"id":{"id":"evt_1"}}`, ""},
			{"an array", `{"id":["evt_1"]}`, ""},
			{"a number first, a string second", `{"id":1,"id":"evt_1"}`, ""},
			{"with an escape", `{"id":"evt\u005f1"}`, ""},
			{"with a space", `{"id":"evt 1"}`, ""},
			{"with a control character", "{\"id\":\"evt\n1\"}", ""},
			{"not ASCII", `{"id":"évt_1"}`, ""},
			{"behind a name with an escape, which could be the same", `{"\u0069d":"evt_0","id":"evt_1"}`, ""},
			{"only in a nested object", `{"data":{"id":"evt_1"}}`, ""},
			{"only in an array", `[{"id":"evt_1"}]`, ""},
			{"only behind the object", `{"a":1}{"id":"evt_1"}`, ""},
			{"only in a form", `id=evt_1`, ""},
			{"behind a byte order mark", "\ufeff" + `{"id":"evt_1"}`, ""},
			{"behind another text", `x{"id":"evt_1"}`, ""},
			{"cut before its value ends", `{"id":"evt_1`, ""},
			{"cut before its value", `{"id":`, ""},
			{"cut before the colon", `{"id"`, ""},
			{"cut in its name", `{"i`, ""},
			{"cut in a value before it", `{"a":{"b":[`, ""},
			{"cut in a string before it", `{"a":"`, ""},
			{"cut behind a backslash", `{"a":"\`, ""},
			{"without a colon", `{"id" "evt_1"}`, ""},
			{"with a name in no quotes", `{id:"evt_1"}`, ""},
			{"with a name in other quotes", `{'id':'evt_1'}`, ""},
			{"behind two commas", `{"a":1,,"id":"evt_1"}`, ""},
			{"an object with nothing in it", `{}`, ""},
			{"a brace", `{`, ""},
			{"nothing", ``, ""},
			{"white space", " \n", ""},
			{"null alone", `null`, ""},
			{"a string alone", `"id"`, ""},
		} {
			t.Run(tt.name, func(t *testing.T) {
				if got := signedID(t, tt.body); got != tt.want {
					t.Errorf("ID is %.40q, want %.40q", got, tt.want)
				}
			})
		}
	})

	// Reads bodies that a recursive,
	// or a quadratic, scanner could not.
	t.Run("it is found in time that grows with the body", func(t *testing.T) {
		const size = 4 << 20
		start := time.Now()
		for name, body := range map[string]string{
			"open braces":    `{"a":` + strings.Repeat("{", size),
			"open brackets":  `{"a":` + strings.Repeat("[", size),
			"quotes":         `{"a":` + strings.Repeat(`"`, size),
			"escaped quotes": `{"a":"` + strings.Repeat(`\"`, size/2),
			"backslashes":    `{"a":"` + strings.Repeat(`\`, size),
			"commas":         `{"a":` + strings.Repeat(",", size),
			"members":        `{` + strings.Repeat(`"a":1,`, size/6),
			"white space":    `{"a":` + strings.Repeat(" ", size),
			"one long name":  `{"` + strings.Repeat("a", size),
			"one long id":    `{"id":"` + strings.Repeat("a", size) + `"}`,
		} {
			if got := signedID(t, body); got != "" {
				t.Errorf("%s: ID is %.40q", name, got)
			}
		}
		if took := time.Since(start); took > 30*time.Second {
			t.Errorf("took %v", took)
		}
	})
}
