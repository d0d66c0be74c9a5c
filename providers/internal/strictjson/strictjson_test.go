package strictjson_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/providers/internal/strictjson"
)

const most = 1000

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       error
	}{
		{"an object", `{"a":1,"b":[true,null,"x"]}`, nil},
		{"white space around everything", " \t\r\n{ \"a\" : 1 , \"b\" : [ ] } \n", nil},
		{"a name that stands twice", `{"a":1,"a":1}`, strictjson.ErrDuplicate},
		{"a name that stands twice further below", `{"x":[{"a":1,"b":2,"a":3}]}`, strictjson.ErrDuplicate},
		{"a name that stands twice in two spellings", `{"a":1,"\u0061":1}`, strictjson.ErrDuplicate},
		{"a name that stands twice among many", `{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"j":1,"c":2}`, strictjson.ErrDuplicate},
		{"the last name that stands twice among many", `{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"j":1,"j":2}`, strictjson.ErrDuplicate},
		{"many names", `{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"j":1,"k":2}`, nil},
		{"a name that stands in two objects", `[{"a":1},{"a":1}]`, nil},
		{"nothing", ``, strictjson.ErrSyntax},
		{"two values", `{} {}`, strictjson.ErrSyntax},
		{"a comma at the end", `{"a":1,}`, strictjson.ErrSyntax},
		{"a comma at the end of an array", `[1,]`, strictjson.ErrSyntax},
		{"no comma", `[1 2]`, strictjson.ErrSyntax},
		{"no colon", `{"a" 1}`, strictjson.ErrSyntax},
		{"an object that does not end", `{"a":1`, strictjson.ErrSyntax},
		{"a name without quotes", `{a:1}`, strictjson.ErrSyntax},
		{"a byte order mark", "\ufeff{}", strictjson.ErrSyntax},
		{"invalid UTF-8", "{\"a\":\"\xff\"}", strictjson.ErrSyntax},
		{"a line break in a string", "{\"a\":\"\n\"}", strictjson.ErrSyntax},
		{"an escape that is none", `{"a":"\x"}`, strictjson.ErrSyntax},
		{"a short escape", `{"a":"\u12"}`, strictjson.ErrSyntax},
		{"half a character", `{"a":"\ud83d"}`, strictjson.ErrSyntax},
		{"the other half of a character", `{"a":"\ude00"}`, strictjson.ErrSyntax},
		{"two first halves", `{"a":"\ud83d\ud83d"}`, strictjson.ErrSyntax},
		{"a whole character", `{"a":"\ud83d\ude00"}`, nil},
		{"a string that does not end", `{"a":"`, strictjson.ErrSyntax},
		{"a number with a zero in front", `01`, strictjson.ErrSyntax},
		{"a number with a plus", `+1`, strictjson.ErrSyntax},
		{"a number that ends in its point", `1.`, strictjson.ErrSyntax},
		{"a number without an exponent's digits", `1e`, strictjson.ErrSyntax},
		{"not a number", `NaN`, strictjson.ErrSyntax},
		{"a word that is cut", `tru`, strictjson.ErrSyntax},
		{"as deep as allowed", strings.Repeat("[", 31) + "1" + strings.Repeat("]", 31), nil},
		{"deeper than allowed", strings.Repeat("[", 32) + "1" + strings.Repeat("]", 32), strictjson.ErrBounds},
		{"very deep", strings.Repeat("[", 1<<20), strictjson.ErrBounds},
		{"as many values as allowed", "[" + strings.Repeat("1,", most-2) + "1]", nil},
		{"more values than allowed", "[" + strings.Repeat("1,", most-1) + "1]", strictjson.ErrBounds},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, err := strictjson.Parse([]byte(tt.text), most)
			if !errors.Is(err, tt.want) {
				t.Fatalf("the error is %v, want %v", err, tt.want)
			}
			if (err == nil) != (v.Kind != 0) {
				t.Errorf("the value is %+v with the error %v", v, err)
			}
		})
	}
}

func TestGet(t *testing.T) {
	for _, tt := range []struct {
		name, text, want string
		err              error
	}{
		{"a member", `{"b":"0","a":"1"}`, "1", nil},
		{"a member with escapes", `{"\u0061":"\u00e9\n\"\/"}`, "é\n\"/", nil},
		{"one that is not there", `{"b":"0"}`, "", nil},
		{"a value that has none", `"a"`, "", nil},
		{"a second one in upper case", `{"a":"1","A":"2"}`, "", strictjson.ErrDuplicate},
		{"one in upper case alone", `{"A":"2"}`, "", strictjson.ErrDuplicate},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, err := strictjson.Parse([]byte(tt.text), most)
			if err != nil {
				t.Fatal(err)
			}
			got, err := v.Get("a")
			if got.Text != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("Get is %q, %v; want %q, %v", got.Text, err, tt.want, tt.err)
			}
		})
	}
	t.Run("a name that encoding/json takes for another one", func(t *testing.T) {
		// The Kelvin sign and the long s fold to k and s.
		text := []byte("{\"keys\":\"1\",\"\u212aey\u017f\":\"2\"}")
		var into struct{ Keys string }
		if err := json.Unmarshal(text, &into); err != nil || into.Keys != "2" {
			t.Fatalf("encoding/json takes %q (%v): is this trap gone?", into.Keys, err)
		}
		v, err := strictjson.Parse(text, most)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := v.Get("keys"); !errors.Is(err, strictjson.ErrDuplicate) {
			t.Errorf("Get is %q, %v", got.Text, err)
		}
	})
}

// FuzzParse: what is accepted, encoding/json reads alike.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		`{"a":1,"b":[true,null,"x"]}`, `{"a":"\ud83d\ude00\u00e9\n"}`, ` [ -0.5e+10 , "" , {} , [] ] `, `{"a":1,"a":2}`, `"\ud83d"`, "\"\xff\"", `1e`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := strictjson.Parse(text, most)
		if err != nil {
			if v.Kind != 0 {
				t.Errorf("there is a value and the error %v", err)
			}
			return
		}
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		var want any
		if err := d.Decode(&want); err != nil {
			t.Fatalf("encoding/json: %v", err)
		}
		if !json.Valid(text) {
			t.Fatal("encoding/json finds it invalid")
		}
		if got := plain(v); !reflect.DeepEqual(got, want) {
			t.Errorf("it is %#v, encoding/json says %#v", got, want)
		}
	})
}

// plain returns a value as encoding/json would.
func plain(v strictjson.Value) any {
	switch v.Kind {
	case strictjson.Object:
		m := map[string]any{}
		for _, member := range v.Members {
			m[member.Name] = plain(member.Value)
		}
		return m
	case strictjson.Array:
		a := []any{}
		for _, e := range v.Elements {
			a = append(a, plain(e))
		}
		return a
	case strictjson.Number:
		return json.Number(v.Text)
	case strictjson.Bool:
		return v.Text == "true"
	case strictjson.String:
		return v.Text
	}
	return nil
}
