package form_test

import (
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/providers/internal/form"
)

func TestParse(t *testing.T) {
	type fields = []form.Field
	for _, tt := range []struct {
		name, body string
		want       fields // nil: refused
	}{
		{"one field", "a=b", fields{{"a", "b"}}},
		{"an empty value", "a=", fields{{"a", ""}}},
		{"fields keep their order", "b=2&a=1", fields{{"b", "2"}, {"a", "1"}}},
		{"a name twice", "a=1&a=1", fields{{"a", "1"}, {"a", "1"}}},
		{"a blank", "a=x+y", fields{{"a", "x y"}}},
		{"a blank that is escaped", "a=x%20y", fields{{"a", "x y"}}},
		{"a plus that is escaped", "a=%2B1", fields{{"a", "+1"}}},
		{"digits in lower case", "a=%2b1", fields{{"a", "+1"}}},
		{"separators that are escaped", "a=%26%3D%3B%25", fields{{"a", "&=;%"}}},
		{"an escaped name", "%61=1", fields{{"a", "1"}}},
		{"any bytes", "a=%00%ff", fields{{"a", "\x00\xff"}}},
		{"an escape that escapes nothing again", "a=%2525", fields{{"a", "%25"}}},
		{"as many fields as may be", "a=1&b=2&c=3&d=4", fields{{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}}},

		{"one field too many", "a=1&b=2&c=3&d=4&e=5", nil},
		{"no value", "a", nil},
		{"no name", "=b", nil},
		{"an empty field", "a=1&&b=2", nil},
		{"an end that is open", "a=1&", nil},
		{"a second sign", "a=b=c", nil},
		{"a semicolon", "a=1;b=2", nil},
		{"a blank as it is", "a=x y", nil},
		{"a line break", "a=1\n", nil},
		{"a zero byte", "a=\x00", nil},
		{"a letter outside of ASCII", "a=é", nil},
		{"an escape of one digit", "a=%2", nil},
		{"an escape without digits", "a=%", nil},
		{"an escape of other letters", "a=%2g", nil},
		{"an escape in a name that is cut", "%2=1", nil},
		{"JSON", `{"a":1}`, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := form.Parse([]byte(tt.body), 4)
			if ok != (tt.want != nil) || !slices.Equal(got, tt.want) {
				t.Errorf("Parse(%q) is %q, %v, want %q", tt.body, got, ok, tt.want)
			}
		})
	}
	t.Run("an empty body", func(t *testing.T) {
		if got, ok := form.Parse(nil, 4); !ok || len(got) > 0 {
			t.Errorf("Parse is %q, %v", got, ok)
		}
	})
}

func TestSort(t *testing.T) {
	fields := []form.Field{{"b", "1"}, {"a", "2"}, {"B", "3"}, {"a", "10"}, {"é", "0"}}
	form.Sort(fields)
	if want := []form.Field{{"B", "3"}, {"a", "10"}, {"a", "2"}, {"b", "1"}, {"é", "0"}}; !slices.Equal(fields, want) {
		t.Errorf("fields are %q, want %q", fields, want)
	}
}

// TestParseMemory: whoever sends a body has it copied once and no more.
func TestParseMemory(t *testing.T) {
	for name, unit := range map[string]string{"letters": "abc", "spaces": "a+b", "escapes": "%41"} {
		body := []byte("a=" + strings.Repeat(unit, 1<<20))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		fields, ok := form.Parse(body, 1)
		runtime.ReadMemStats(&after)
		if want := 3 << 20; !ok || name != "escapes" && len(fields[0].Value) != want {
			t.Fatalf("%s: %v", name, ok)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > uint64(len(body))*5/4 {
			t.Errorf("%s: Parse allocates %d bytes for a body of %d", name, n, len(body))
		}
	}
}

func TestStartsWithLetter(t *testing.T) {
	for name, want := range map[string]bool{"A": true, "z1": true, "Z/": true, "1": false, "/": false, "?": false, "_": false, "@": false, "[": false, "`": false, "{": false, "é": false} {
		if got := form.StartsWithLetter([]form.Field{{Name: name}}); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
	if !form.StartsWithLetter(nil) {
		t.Error("no fields have no name that starts with something else")
	}
}

// FuzzParse: the parser of net/http finds the same fields in what Parse takes, and writing
// them anew is one more form with these fields.
func FuzzParse(f *testing.F) {
	for _, body := range []string{"a=b&a=c", "a=%2B+%20", "x=1&%61=&y=%ff", "a;b=1", "a=1&&b", ""} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		fields, ok := form.Parse(body, 64)
		if !ok {
			return
		}
		theirs, err := url.ParseQuery(string(body))
		if err != nil {
			t.Fatalf("net/url refuses what Parse takes: %v", err)
		}
		ours := url.Values{}
		for _, field := range fields {
			ours.Add(field.Name, field.Value)
		}
		if len(ours) != len(theirs) {
			t.Fatalf("net/url finds %q, Parse %q", theirs, fields)
		}
		for name, values := range theirs {
			if !slices.Equal(values, ours[name]) {
				t.Fatalf("net/url finds %q, Parse %q", theirs, fields)
			}
		}
		form.Sort(fields)
		again, ok := form.Parse([]byte(ours.Encode()), 64)
		form.Sort(again)
		if !ok || !slices.Equal(fields, again) {
			t.Fatalf("written anew, %q is %q", fields, again)
		}
	})
}
