package inngest_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/inngest"
	"github.com/hooknotary/hooknotary/providers/providertest"
	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/verify"
)

const secret = "5d1f0c6a9b3e47d28c50f1ae6b7d9243"

var signedAt = time.Date(2031, 5, 17, 9, 30, 0, 0, time.UTC)

// header signs a text, which is the canonical form of a body.
func header(at time.Time, key, text string) http.Header {
	h := hmac.New(sha256.New, []byte(key))
	fmt.Fprintf(h, "%s%d", text, at.Unix())
	return http.Header{"X-Inngest-Signature": {fmt.Sprintf("t=%d&s=%x", at.Unix(), h.Sum(nil))}}
}

func judge(v verify.Verifier, h http.Header, body string) (*verify.Delivery, error) {
	return verify.Verify(context.Background(), v, &verify.Head{Method: http.MethodPost, Header: h, ReceivedAt: signedAt}, []byte(body))
}

func TestBattery(t *testing.T) {
	var secrets []string
	for i := range verify.MaxKeys + 1 {
		secrets = append(secrets, fmt.Sprintf("%x", sha256.Sum256([]byte{byte(i)})))
	}
	providertest.Exercise(t, providertest.Subject{
		New: func(keys verify.KeySource) (verify.Verifier, error) {
			v, err := inngest.New(keys, nil)
			if err != nil {
				return nil, err
			}
			return v, nil
		},
		Sign: func(at time.Time, _ *url.URL, body []byte, secrets ...string) http.Header {
			return header(at, secrets[0], string(body))
		},
		Profile: verify.Profile{
			Provider: "inngest", MediaType: "application/json", MaxBody: 4 << 20, Window: verify.Window{Past: 5 * time.Minute, Future: 5 * time.Minute},
			Binding: verify.BindingPart, Retry: verify.RetryResigned, Retention: 7 * 24 * time.Hour,
		},
		Events: []providertest.Event{
			{Name: "an object", Body: []byte(`{"ctx":{"attempt":0,"fn_id":"shop-welcome"},"use_api":false}`)},
			{Name: "an array", Body: []byte(`["x"]`)},
		},
		Secrets:  secrets,
		Form:     func(text []byte) []byte { return fmt.Appendf(nil, `{"x":"%x"}`, text) },
		Headers:  []string{"X-Inngest-Signature"},
		Unsigned: []string{"X-Inngest-Req-Version"},
		Variants: []providertest.Variant{{Name: "the items in the other order", Edit: func(h http.Header) {
			at, sig, _ := strings.Cut(h.Get("X-Inngest-Signature"), "&")
			h.Set("X-Inngest-Signature", sig+"&"+at)
		}}},
	})
}

func TestVectors(t *testing.T) {
	providertest.Vectors(t, "testdata", func(_ *testing.T, tt vector.Vector) (verify.Verifier, error) {
		return inngest.New(verify.Secrets(tt.Secrets...), nil)
	}, nil)
}

func TestPublished(t *testing.T) {
	published := vector.PublishedBy(t, "inngest")
	if len(published) == 0 {
		t.Fatal("found no vector")
	}
	for _, tt := range published {
		t.Run(tt.Name, func(t *testing.T) {
			_, err := verify.Verify(context.Background(), inngest.Must(tt.Secrets...), tt.Head, tt.Body)
			if got := vector.Outcome(err); got != tt.Want(t) {
				t.Errorf("outcome is %s (%v), want %s", got, err, tt.Want(t))
			}
		})
	}
}

// TestValue: a body is judged by its canonical form, which Value returns.
func TestValue(t *testing.T) {
	deep := strings.Repeat("[", 33) + strings.Repeat("]", 33)
	for _, tt := range []struct {
		name, body string
		want       string // "": no form of the body is accepted
	}{
		{"an empty object", `{}`, `{}`},
		{"an empty array", `[ ]`, `[]`},
		{"words", `[true, false, null]`, `[true,false,null]`},
		{"members below members", `{"b":{"d":1,"c":2},"a":[{"f":1,"e":2}]}`, `{"a":[{"e":2,"f":1}],"b":{"c":2,"d":1}}`},
		{"a name that begins another one", `{"ab":1,"a":2,"":3}`, `{"":3,"a":2,"ab":1}`},
		{"characters of two units before those of the private use area", `{"\ue000":1,"\ud83d\ude00":2,"\ud7ff":3}`, "{\"\ud7ff\":3,\"\U0001f600\":2,\"\ue000\":1}"},
		{"short escapes", `["\b\t\n\f\r\"\\"]`, `["\b\t\n\f\r\"\\"]`},
		{"other escapes", `["\u0000\u001F\u007f\/"]`, "[\"\\u0000\\u001f\u007f/\"]"},
		{"a line separator", `["\u2028"]`, "[\"\u2028\"]"},
		{"zero", `[0,0.0,0e5]`, `[0,0,0]`},
		{"a negative zero", `[-0]`, ""},
		{"a negative number", `[-1.50]`, `[-1.5]`},
		{"the largest number without an exponent", `[1e20,123456789012345680000]`, `[100000000000000000000,123456789012345680000]`},
		{"the smallest number with an exponent", `[1e21,0.1e22]`, `[1e+21,1e+21]`},
		{"small numbers", `[0.000001,0.0000001,1.5e-7]`, `[0.000001,1e-7,1.5e-7]`},
		{"digits on both sides of the point", `[123.4560]`, `[123.456]`},
		{"the largest of all", `[1.7976931348623157e308]`, `[1.7976931348623157e+308]`},
		{"a number that is larger", `[1e309]`, ""},
		{"the smallest of all", `[5e-324]`, `[5e-324]`},
		{"a number that is smaller", `[1e-400]`, ""},
		{"an exponent of many digits", `[1e99999999999999999999]`, ""},
		{"an exponent of many digits on zero", `[0e99999999999999999999]`, `[0]`},
		{"as many digits as a float64 keeps", `[0.1234567890123456]`, `[0.1234567890123456]`},
		{"more digits than a float64 keeps", `[0.12345678901234567890]`, ""},
		{"the largest exact integer", `[9007199254740992]`, `[9007199254740992]`},
		{"the integer behind it", `[9007199254740993]`, ""},
		{"names in two cases in order", `{"ID":1,"Id":2,"id":3}`, `{"ID":1,"Id":2,"id":3}`},
		{"names in two cases in another order", `{"ID":1,"id":3,"Id":2}`, ""},
		{"a Kelvin sign and its letter in order", `{"k":1,"\u212a":2}`, "{\"k\":1,\"\u212a\":2}"},
		{"a Kelvin sign and its letter in another order", `{"\u212a":2,"k":1}`, ""},
		{"a name that stands twice", `{"a":1,"a":1}`, ""},
		{"a number alone", `12`, ""},
		{"a text alone", `"a"`, ""},
		{"white space in front", ` {}`, ""},
		{"white space behind", "{}\n", ""},
		{"nesting without end", deep, ""},
		{"more values than allowed", "[" + strings.Repeat("1,", 100_000) + "1]", ""},
		{"half a character", `["\ud83d"]`, ""},
		{"no JSON", `{a}`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := tt.want
			if want == "" {
				want = tt.body
			}
			d, err := judge(inngest.Must(secret), header(signedAt, secret, want), tt.body)
			if tt.want == "" {
				if !errors.Is(err, verify.ErrMismatch) {
					t.Fatalf("the error is %v, want a mismatch", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got, err := inngest.Value(d); err != nil || string(got) != tt.want {
				t.Errorf("the value is %q, %v, want %q", got, err, tt.want)
			}
		})
	}
	// What a laxer reader would make of a body is signed, and the body is refused all the same.
	for body, lax := range map[string]string{
		`[-0]`: `[0]`, `[1e-400]`: `[0]`, `[9007199254740993]`: `[9007199254740992]`, `[0.12345678901234567890]`: `[0.12345678901234568]`,
		`{"id":1,"ID":2}`: `{"ID":2,"id":1}`, "{\"\u212a\":2,\"k\":1}": "{\"k\":1,\"\u212a\":2}", `{"a":1,"a":2}`: `{"a":2}`,
		` {}`: `{}`, "{}\n": `{}`, `["\ud83d"]`: "[\"\ufffd\"]",
	} {
		if _, err := judge(inngest.Must(secret), header(signedAt, secret, lax), lax); err != nil {
			t.Errorf("%s: %v", lax, err)
		}
		if _, err := judge(inngest.Must(secret), header(signedAt, secret, lax), body); !errors.Is(err, verify.ErrMismatch) {
			t.Errorf("%q under the signature of %q: the error is %v, want a mismatch", body, lax, err)
		}
	}
	for name, d := range map[string]*verify.Delivery{
		"nil": nil, "another sender's": {Provider: "stripe", Body: []byte(`{}`)}, "another body": {Provider: "inngest", Body: []byte(`{`)},
	} {
		if got, err := inngest.Value(d); err == nil || got != nil {
			t.Errorf("%s: the value is %q, %v", name, got, err)
		}
	}
}

// TestKeys: what stands in front of a signing key is no part of it, wherever the key is from.
func TestKeys(t *testing.T) {
	const body = `{"a":1}`
	h := header(signedAt, secret, body)
	key := func(text string) verify.Key {
		k, err := verify.NewKey("shop", "2031", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	for _, tt := range []struct {
		name, text, outcome string
	}{
		{"a key alone", secret, "accept"},
		{"of production", "signkey-prod-" + secret, "accept"},
		{"of a branch", "signkey-branch_2-" + secret, "accept"},
		{"without a kind", "signkey--" + secret, "mismatch"},
		{"a kind that is none", "signkey-a.b-" + secret, "mismatch"},
		{"in upper case", "SIGNKEY-prod-" + secret, "mismatch"},
		{"twice", "signkey-prod-signkey-prod-" + secret, "mismatch"},
	} {
		for source, keys := range map[string]verify.KeySource{
			"texts": verify.Secrets(tt.text), "a list": verify.KeyList{key(tt.text)},
			"a function": verify.KeyFunc(func(context.Context, *verify.Head) ([]verify.Key, error) {
				return []verify.Key{key(tt.text)}, nil
			}),
		} {
			t.Run(tt.name+", from "+source, func(t *testing.T) {
				v, err := inngest.New(keys, nil)
				if err != nil {
					t.Fatal(err)
				}
				rekeyed, err := inngest.Must("another key of 32 bytes, or of so").Rekey(keys)
				if err != nil {
					t.Fatal(err)
				}
				for _, v := range []verify.Verifier{v, rekeyed} {
					d, err := judge(v, h, body)
					if got := vector.Outcome(err); got != tt.outcome {
						t.Errorf("outcome is %s (%v), want %s", got, err, tt.outcome)
					}
					if err == nil && source != "texts" && (d.Scope != "shop" || d.KeyLabel != "2031") {
						t.Errorf("the key is %s/%s", d.Scope, d.KeyLabel)
					}
				}
			})
		}
	}
	t.Run("a function that has a key which cannot be right", func(t *testing.T) {
		v, err := inngest.New(verify.KeyFunc(func(context.Context, *verify.Head) ([]verify.Key, error) {
			return []verify.Key{key("signkey-prod-")}, nil
		}), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := judge(v, h, body); !errors.Is(err, verify.ErrNoKey) {
			t.Errorf("the error is %v, want no key", err)
		}
	})
}

func TestNew(t *testing.T) {
	var none verify.KeyFunc
	for _, tt := range []struct {
		name  string
		keys  verify.KeySource
		o     *inngest.Options
		tells string // "": it makes a verifier
	}{
		{"a key", verify.Secrets(secret), nil, ""},
		{"no key", verify.Secrets(""), nil, "environment variable"},
		{"no source", nil, nil, "key source"},
		{"a function that is nil", none, nil, "nil function"},
		{"an empty list", verify.KeyList{}, nil, "no key"},
		{"a key that is cut", verify.Secrets("signkey-prod-"), nil, "copy the whole"},
		{"a short key", verify.Secrets("signkey-prod-5d1f0c6a"), nil, "at least 16"},
		{"a short key where that is allowed", verify.Secrets("signkey-prod-5d1f0c6a"), &inngest.Options{InsecureAllowShortSecret: true}, ""},
		{"one key in two spellings", verify.Secrets(secret, "signkey-prod-"+secret), nil, "same secret"},
		{"a window that is too long", verify.Secrets(secret), &inngest.Options{Window: verify.Window{Past: time.Hour}}, "Window"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, err := inngest.New(tt.keys, tt.o)
			providertest.Constructed(t, "inngest", v, err, tt.tells)
		})
	}
}

func TestMust(t *testing.T) {
	inngest.Must(secret)
	defer func() {
		if text, ok := recover().(string); !ok || !strings.HasPrefix(text, "inngest.Must: ") || strings.Contains(text, "inngest: ") {
			t.Errorf("panics with %q", text)
		}
	}()
	inngest.Must("")
}

// TestMessage: the pieces are what is signed, one behind the other.
func TestMessage(t *testing.T) {
	var got []byte
	for _, piece := range inngest.Must(secret).Message(&verify.Head{Header: header(signedAt, secret, "")}, []byte(`{"b":1, "a":2}`)) {
		got = append(got, piece...)
	}
	if want := fmt.Sprintf(`{"a":2,"b":1}%d`, signedAt.Unix()); string(got) != want {
		t.Errorf("the message is %q, want %q", got, want)
	}
}

// FuzzValue: what is signed reads as the body does, and is its own canonical form.
func FuzzValue(f *testing.F) {
	for _, body := range []string{`{"b":1,"a":[1.0,1e2,0.1,-5e-7]}`, `["\ud83d\ude00\u2028<"]`, `{"ID":1,"id":2}`, `[123456789012345680000]`} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		text, err := inngest.Value(&verify.Delivery{Provider: "inngest", Body: body})
		if err != nil {
			return
		}
		again, err := inngest.Value(&verify.Delivery{Provider: "inngest", Body: text})
		if err != nil || !slices.Equal(text, again) {
			t.Fatalf("the canonical form of %q is %q, %v", text, again, err)
		}
		var before, after any
		if json.Unmarshal(body, &before) != nil || json.Unmarshal(text, &after) != nil || !reflect.DeepEqual(before, after) {
			t.Fatalf("%q and %q are two values", body, text)
		}
	})
}

// FuzzNumber: a float64 is written as encoding/json writes it, which follows ECMAScript but
// for the form of large exponents.
func FuzzNumber(f *testing.F) {
	for _, n := range []float64{1, -1.5, 1e21, 1e20, 1e-6, 1e-7, math.MaxFloat64, math.SmallestNonzeroFloat64, 1 << 53} {
		f.Add(n)
	}
	f.Fuzz(func(t *testing.T, n float64) {
		if n == 0 {
			return
		}
		want, err := json.Marshal([]float64{n})
		if err != nil {
			return
		}
		got, err := inngest.Value(&verify.Delivery{Provider: "inngest", Body: want})
		if err != nil || string(got) != string(want) {
			t.Errorf("%s is written as %s, %v", want, got, err)
		}
	})
}
