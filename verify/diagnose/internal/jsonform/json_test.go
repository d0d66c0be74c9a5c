package jsonform_test

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"iter"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/verify/diagnose/internal/jsonform"
)

// The samples hold what encoders write differently. The tests of package diagnose sign
// them, too. They end without a line end.

//go:embed testdata/indented.json
var spacedBody string

//go:embed testdata/compact.json
var compactBody string

//go:embed testdata/links.json
var eventBody string

//go:embed testdata/python.json
var pythonBody string

var documents = []string{
	spacedBody, compactBody, eventBody, pythonBody,
	`{}`, `[]`, `null`, ` -1.5e+7 `, `"a"`, "{\"a\":[{},[],{\"b\":{}}]}\r\n", `[1,"2",true,false,null]`, "\t[ 1 , 2 ]",
	`{"":"\u00e9\ud83d\ude00\ud83d \u2028\/\"\\\b\f\u001f\u003C/<"}`, `{"b":1,"a":2,"b":3}`, `[1e3,1E+2,-0.0,1e-07,0.10,100]`,
	"{\"é\":\"\u2028\U0001F600\"}", "[\"\xff\"]", `{"object":{"z":1,"id":2,"object":3,"a":4},"id":5}`,
}

// compact is how most providers write.
var compact = jsonform.Usual{White: []jsonform.White{jsonform.WhiteNone}}

var usuals = []jsonform.Usual{
	compact,
	{White: []jsonform.White{jsonform.WhiteTwo}, Order: jsonform.OrderSorted, First: []string{"id", "object"}},
	{White: []jsonform.White{jsonform.WhiteNone, jsonform.WhiteTwo, jsonform.WhiteSpaced}, Order: jsonform.OrderSorted, Sorts: true},
}

// formsOf yields the forms of a JSON text that are tried, and their traces. It is false for
// a text that the scanner refuses. The bytes are good until the next ones.
func formsOf(text []byte, u jsonform.Usual) (forms iter.Seq2[[]byte, []jsonform.Trace], ok bool) {
	d, _, ok := jsonform.Scan(text)
	if !ok {
		return nil, false
	}
	return func(yield func([]byte, []jsonform.Trace) bool) {
		for _, part := range jsonform.New(d, u).Parts() {
			for v := range part.Variants {
				if !yield(v.Text, v.Traces) {
					return
				}
			}
		}
	}, true
}

// number makes json.Unmarshal keep numbers.
func number(t *testing.T, b []byte) any {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		t.Fatalf("%.80q does not decode: %v", b, err)
	}
	return value
}

// equal compares what two texts mean; numbers by their value. An empty object is as good
// as an empty array, because some encoders do not tell them apart.
func equal(a, b any) bool {
	if isEmpty(a) && isEmpty(b) {
		return true
	}
	switch a := a.(type) {
	case json.Number:
		b, ok := b.(json.Number)
		return ok && value(string(a)).Cmp(value(string(b))) == 0
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, equal)
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for name := range a {
			if other, ok := b[name]; !ok || !equal(a[name], other) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(a, b)
}

func isEmpty(v any) bool {
	list, isList := v.([]any)
	members, isObject := v.(map[string]any)
	return isList && len(list) == 0 || isObject && len(members) == 0
}

func value(s string) *big.Rat {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		panic(s)
	}
	return r
}

func FuzzAScannedTextIsWrittenAsItWas(f *testing.F) {
	for _, text := range documents {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, ok := jsonform.Unchanged(text)
		if !ok {
			if json.Valid(text) && depth(text) <= jsonform.MaxDepth {
				t.Fatalf("%q is refused", text)
			}
			return
		}
		if !bytes.Equal(got, text) {
			t.Fatalf("%q was written as %q", text, got)
		}
	})
}

// depth returns how deep brackets are nested, strings included, which is no less than
// how deep values are.
func depth(text []byte) int {
	depth, deepest := 0, 0
	for _, c := range text {
		switch c {
		case '{', '[':
			depth++
			deepest = max(deepest, depth)
		case '}', ']':
			depth--
		}
	}
	return deepest
}

func TestScanner(t *testing.T) {
	t.Run("what is no JSON is refused", func(t *testing.T) {
		for _, text := range []string{
			"", " ", "{", "}", "[1", `{"a"}`, `{"a":}`, `{"a":1,}`, `[1,]`, `[,1]`, `{,}`, `{1:2}`, `[1 2]`, `[}`, `{]`, `{}{}`, `[] x`, `tru`, `truer`, `"a`, `{"a":1]`,
			`nul`, `a`, `:`, `,`, strings.Repeat("[", 201) + strings.Repeat("]", 201),
		} {
			if _, ok := jsonform.Unchanged([]byte(text)); ok {
				t.Errorf("%q is taken for JSON", text)
			}
		}
		deep := strings.Repeat("[", 200) + strings.Repeat("]", 200)
		if _, ok := jsonform.Unchanged([]byte(deep)); !ok {
			t.Error("a document of 200 levels is refused")
		}
	})
}

func TestForms(t *testing.T) {
	t.Run("every form means the same", func(t *testing.T) {
		for _, text := range documents {
			if !json.Valid([]byte(text)) || strings.Contains(text, "\xff") || strings.Contains(text, "17592884729911706") {
				// Guesses at a rounded integer change it, and are tested below.
				text = strings.NewReplacer("\xff", "", "175928847299117063", "1759288").Replace(text)
			}
			want := number(t, []byte(text))
			for _, usual := range usuals {
				forms, ok := formsOf([]byte(text), usual)
				if !ok {
					t.Fatalf("%.80q is refused", text)
				}
				n := 0
				for b, traces := range forms {
					if n++; n > 600 {
						break
					}
					if len(traces) == 0 {
						t.Errorf("a form of %.80q has no trace", text)
					}
					if !equal(number(t, b), want) {
						t.Fatalf("%.80q became %q (%v)", text, b, traces)
					}
				}
			}
		}
	})

	t.Run("they are those that differ from the document", func(t *testing.T) {
		forms, _ := formsOf([]byte(`{"a":["b"]}`), compact)
		for b, traces := range forms {
			if string(b) == `{"a":["b"]}` {
				t.Errorf("the form for %v is the document itself", traces)
			}
			if slices.Contains(traces, jsonform.Numbers) || slices.Contains(traces, jsonform.SlashEscape) || slices.Contains(traces, jsonform.KeyOrder) {
				t.Errorf("%v is tried, which cannot have an effect", traces)
			}
		}
	})
}

func TestNumbers(t *testing.T) {
	t.Run("other spellings of a number have its value", func(t *testing.T) {
		for _, s := range []string{"0", "-0", "1", "-1", "10", "1000", "1500", "-20300", "0.1", "1.0", "1.50", "-0.000001", "19.00", "123.456", "1e3", "1E3", "1e+21", "1.5e-7", "-2.50E+03", "1e-07", "1e400", "175928847299117063"} {
			all := jsonform.Spellings(s)
			for _, other := range all {
				if value(other).Cmp(value(s)) != 0 {
					t.Errorf("%s became %s", s, other)
				}
				if !json.Valid([]byte(other)) {
					t.Errorf("%s became %s, which is no number of JSON", s, other)
				}
			}
		}
		for s, want := range map[string][]string{
			"1000": {"1e3", "1E3", "1e+3", "1.0e3", "1000.0", "1000.00", "1.0E3", "1e+03"},
			"1500": {"1.5e3", "15e2", "1.5E+03"},
			"1.5":  {"1.50", "1.500"},
			"1.50": {"1.5"},
			"1.00": {"1", "1.000"},
			"1e21": {"1000000000000000000000", "1E21", "1e+21"},
			"1e-7": {"0.0000001", "1e-07", "1E-7"},
		} {
			for _, w := range want {
				if !slices.Contains(jsonform.Spellings(s), w) {
					t.Errorf("%s is not spelled %s", s, w)
				}
			}
		}
	})

	t.Run("integers are found that a float64 rounded", func(t *testing.T) {
		for _, n := range []int64{1<<53 + 1, 175928847299117063, 1<<60 - 77, -175928847299117063} {
			for _, format := range []byte{'f', 'e'} {
				s := strconv.FormatFloat(float64(n), format, -1, 64)
				from, to, ok := jsonform.Rounded(s)
				if !ok || n < from || n > to {
					t.Errorf("%d is not among %d to %d (%v), which %s may have been", n, from, to, ok, s)
				}
				if to-from > 4096 {
					t.Errorf("%d integers are tried for %s", to-from, s)
				}
			}
		}
		for _, s := range []string{"1", "1.5", "9007199254740990", "175928847299117063", "1e30", "9223372036854775807"} {
			if _, _, ok := jsonform.Rounded(s); ok {
				t.Errorf("%s is taken for rounded", s)
			}
		}
	})
}
