package diagnose_test

import (
	"bytes"
	"encoding/json"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/verify/diagnose"
)

var documents = []string{
	stripeBody, githubBody, paypalBody, standardBody,
	`{}`, `[]`, `null`, ` -1.5e+7 `, `"a"`, "{\"a\":[{},[],{\"b\":{}}]}\r\n", `[1,"2",true,false,null]`, "\t[ 1 , 2 ]",
	`{"":"\u00e9\ud83d\ude00\ud83d \u2028\/\"\\\b\f\u001f\u003C/<"}`, `{"b":1,"a":2,"b":3}`, `[1e3,1E+2,-0.0,1e-07,0.10,100]`,
	"{\"é\":\"\u2028\U0001F600\"}", "[\"\xff\"]", `{"object":{"z":1,"id":2,"object":3,"a":4},"id":5}`,
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
		got, ok := diagnose.Unchanged(text)
		if !ok {
			if json.Valid(text) && depth(text) <= diagnose.MaxDepth {
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

func TestTheScannerRefusesWhatIsNoJSON(t *testing.T) {
	for _, text := range []string{
		"", " ", "{", "}", "[1", `{"a"}`, `{"a":}`, `{"a":1,}`, `[1,]`, `[,1]`, `{,}`, `{1:2}`, `[1 2]`, `[}`, `{]`, `{}{}`, `[] x`, `tru`, `truer`, `"a`, `{"a":1]`,
		`nul`, `a`, `:`, `,`, strings.Repeat("[", 201) + strings.Repeat("]", 201),
	} {
		if _, ok := diagnose.Unchanged([]byte(text)); ok {
			t.Errorf("%q is taken for JSON", text)
		}
	}
	deep := strings.Repeat("[", 200) + strings.Repeat("]", 200)
	if _, ok := diagnose.Unchanged([]byte(deep)); !ok {
		t.Error("a document of 200 levels is refused")
	}
}

func TestEveryFormOfADocumentMeansTheSame(t *testing.T) {
	for _, text := range documents {
		if !json.Valid([]byte(text)) || strings.Contains(text, "\xff") || strings.Contains(text, "17592884729911706") {
			// Guesses at a rounded integer change it, and are tested below.
			text = strings.NewReplacer("\xff", "", "175928847299117063", "1759288").Replace(text)
		}
		want := number(t, []byte(text))
		for _, provider := range []string{"stripe", "paypal", "another"} {
			forms, ok := diagnose.Forms([]byte(text), provider)
			if !ok {
				t.Fatalf("%.80q is refused", text)
			}
			n := 0
			for b, ids := range forms {
				if n++; n > 600 {
					break
				}
				if len(ids) == 0 {
					t.Errorf("a form of %.80q has no id", text)
				}
				if !equal(number(t, b), want) {
					t.Fatalf("%.80q became %q (%v)", text, b, ids)
				}
			}
		}
	}
}

func TestTheFormsOfADocumentAreThoseThatDifferFromIt(t *testing.T) {
	forms, _ := diagnose.Forms([]byte(`{"a":["b"]}`), "paypal")
	for b, ids := range forms {
		if string(b) == `{"a":["b"]}` {
			t.Errorf("the form for %v is the document itself", ids)
		}
		if slices.Contains(ids, diagnose.BodyNumbers) || slices.Contains(ids, diagnose.BodySlashEscape) || slices.Contains(ids, diagnose.BodyKeyOrder) {
			t.Errorf("%v is tried, which cannot have an effect", ids)
		}
	}
}

func TestOtherSpellingsOfANumberHaveItsValue(t *testing.T) {
	for _, s := range []string{"0", "-0", "1", "-1", "10", "1000", "1500", "-20300", "0.1", "1.0", "1.50", "-0.000001", "19.00", "123.456", "1e3", "1E3", "1e+21", "1.5e-7", "-2.50E+03", "1e-07", "1e400", "175928847299117063"} {
		all := diagnose.Spellings(s)
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
			if !slices.Contains(diagnose.Spellings(s), w) {
				t.Errorf("%s is not spelled %s", s, w)
			}
		}
	}
}

func TestIntegersAreFoundThatAFloat64Rounded(t *testing.T) {
	for _, n := range []int64{1<<53 + 1, 175928847299117063, 1<<60 - 77, -175928847299117063} {
		for _, format := range []byte{'f', 'e'} {
			s := strconv.FormatFloat(float64(n), format, -1, 64)
			from, to, ok := diagnose.Rounded(s)
			if !ok || n < from || n > to {
				t.Errorf("%d is not among %d to %d (%v), which %s may have been", n, from, to, ok, s)
			}
			if to-from > 4096 {
				t.Errorf("%d integers are tried for %s", to-from, s)
			}
		}
	}
	for _, s := range []string{"1", "1.5", "9007199254740990", "175928847299117063", "1e30", "9223372036854775807"} {
		if _, _, ok := diagnose.Rounded(s); ok {
			t.Errorf("%s is taken for rounded", s)
		}
	}
}
