package schemejson_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/catalog"
	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/providers/scheme/schemejson"
	"github.com/hooknotary/hooknotary/verify"
)

// roundTrip writes a definition and reads it again.
func roundTrip(t *testing.T, d scheme.Definition) scheme.Definition {
	t.Helper()
	text, err := schemejson.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	back, err := schemejson.Unmarshal(text)
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	// Clone makes an empty list of none in About.
	if !reflect.DeepEqual(back.Clone(), d.Clone()) {
		t.Errorf("it comes back as\n%+v, want\n%+v", back, d)
	}
	again, err := schemejson.Marshal(back)
	if err != nil || string(again) != string(text) {
		t.Errorf("written again it is %s (%v), want %s", again, err, text)
	}
	return back
}

func TestCatalogue(t *testing.T) {
	n, vectors := 0, 0
	for _, p := range catalog.All() {
		if p.Definition == nil {
			continue
		}
		n++
		t.Run(p.Name, func(t *testing.T) {
			back := roundTrip(t, *p.Definition)
			for _, tt := range vector.Load(t, filepath.Join("../..", p.Vectors())) {
				vectors++
				o := &scheme.Options{InsecureAllowShortSecret: true}
				if p.SignsURL {
					o.URL = "https://shop.example/hooks"
				}
				for _, option := range tt.Options {
					if value, ok := strings.CutPrefix(option, "url "); ok {
						o.URL = value
					}
				}
				var outcomes [2]string
				for i, d := range []scheme.Definition{*p.Definition, back} {
					v, err := scheme.New(d, verify.Secrets(tt.Secrets...), o)
					if err != nil {
						t.Fatal(err)
					}
					delivery, err := verify.Verify(t.Context(), v, tt.Head, tt.Body)
					outcomes[i] = vector.Outcome(err)
					if err == nil {
						outcomes[i] += fmt.Sprintf(" %s %x %v", delivery.ID, delivery.Fingerprint.Sum(), delivery.Unsigned)
					}
				}
				if outcomes[0] != outcomes[1] {
					t.Errorf("%s: the outcome is %s, want %s", tt.Name, outcomes[1], outcomes[0])
				}
			}
		})
	}
	if n < 10 || vectors < 10*n {
		t.Errorf("found %d definitions and %d vectors: does the test still look at anything?", n, vectors)
	}
}

// every are definitions that use, together, all that a definition can say.
func every() []scheme.Definition {
	base := scheme.Definition{
		Provider: "acme", MediaType: "text/plain", MaxBody: 1 << 10, Retry: verify.RetryResigned, Retention: 36 * time.Hour,
		Signatures: []scheme.Signature{
			{Header: "A-Strong", More: []string{"A-Second"}, Repeated: true, Prefix: "v1=", Separator: ",", Blanks: true, Encoding: scheme.RawBase64URL, Algorithm: scheme.HMACSHA512},
			{Header: "A-Weak", Field: "v0", Separator: ";", Assign: "=", Encoding: scheme.UpperHex, Algorithm: scheme.InsecureHMACSHA1},
		},
		Message: []scheme.Part{
			scheme.Method(), scheme.URL(), scheme.UUIDField("A-Id"), scheme.FixedField("A-Kind", 4), scheme.SignedTime(), scheme.Body(), scheme.Literal("\n"), scheme.Field("A-Topic"),
		},
		Timestamp:  scheme.Timestamp{Header: "A-Time", Unit: scheme.RFC3339, Window: verify.Window{Past: time.Hour, Future: 90 * time.Second}},
		ID:         scheme.ID{Header: "A-Id", Prefix: "0", Repeated: []string{"00000000-0000-0000-0000-000000000000"}},
		Constants:  []scheme.Constant{{Header: "A-Version", Value: "1"}},
		Aliases:    []scheme.Alias{{Header: "A-Strong", Other: "B-Strong"}},
		Secret:     scheme.Secret{Encoding: scheme.HexSecret, Prefix: "k_", PrefixRequired: true, Refuse: []string{"pk_"}},
		UnsignedID: "A-Delivery", UnsignedType: "A-Type", BodyPrefix: "payload=", Partition: "A-Type", Partitions: []string{"paid", "<&>"},
		Handshakes: []scheme.Handshake{
			{Kind: scheme.GetHandshake, Parameter: "challenge", Token: "verify_token", Extra: ":", MaxChallenge: 64, Response: "$challenge", If: []scheme.Condition{{Name: "mode", Value: "subscribe"}}},
			{Kind: scheme.GetHandshake, Header: "X-Challenge", Response: "$challenge"},
			{Kind: scheme.HeadHandshake},
			{Kind: scheme.SignedHandshake, Member: "payload.token", Response: `{"token":"$challenge"}`, If: []scheme.Condition{{Name: "event", Value: "check"}}},
			{Kind: scheme.PostHandshake, Token: "token", Member: "challenge", Without: "A-Weak", Response: `{"challenge":"$challenge"}`},
		},
		Rejection: verify.Rejection{Status: 498, NoBody: true},
		About: verify.About{
			Title: "Acme", Signed: "all", InBody: true, Headers: []verify.HeaderUse{{Name: "A", Use: "b", Weak: "sha1=", Secret: true}}, SecretQuery: []string{"verify_token"}, NotCovered: []string{"a \"quote\""},
			Identifier: "webhook id", SecretPrefix: "k_", Credentials: []verify.Credential{{Prefix: "sk_", Length: 20, What: "an API key", Secret: true}},
			JSON: verify.JSONStyle{Space: verify.JSONIndented, First: []string{"id"}, Sorted: true}, Tell: verify.Tell{Name: "A", Headers: []string{"A-Strong"}, Value: "v1=", Before: "-"},
			OtherMedia: []verify.MediaNote{{Type: "a/b", Text: "t", Fix: "f"}}, Handshakes: []string{"a GET"}, Links: []string{"https://acme.example/"}, OutsideVector: "a test",
		},
	}
	inBody := scheme.Definition{
		Provider: "acme", MaxBody: 1, Retry: verify.RetryIdentical, Signatures: []scheme.Signature{{Header: "A", Algorithm: scheme.InsecureSHA256, Encoding: scheme.Base64URL}},
		Timestamp: scheme.Timestamp{Member: "at", Unit: scheme.Milliseconds}, ID: scheme.ID{Member: "id"},
		Message: []scheme.Part{scheme.UUIDOrHashField("A-Hash"), scheme.BodySHA256(), scheme.SecretText()}, Compression: verify.GzipUnpacked,
	}
	list := scheme.Definition{
		Provider: "acme", MaxBody: 1, Retry: verify.RetryResigned, RetriesRunAgain: true, Secret: scheme.Secret{Encoding: scheme.Base64Secret},
		Signatures: []scheme.Signature{{Header: "A", Separator: ",", Encoding: scheme.Base64}}, Timestamp: scheme.Timestamp{First: true}, Message: []scheme.Part{scheme.SignedTime(), scheme.Body()},
	}
	public := scheme.Definition{
		Provider: "acme", MaxBody: 1, Retry: verify.RetryNever, Signatures: []scheme.Signature{{Header: "A", Field: "v1a", Separator: ",", Assign: "=", Algorithm: scheme.Ed25519}},
		Timestamp: scheme.Timestamp{Field: "t", Unit: scheme.Seconds}, Message: []scheme.Part{scheme.SignedTime(), scheme.Body()},
	}
	all := []scheme.Definition{base, inBody, list, public}
	for _, a := range []scheme.Algorithm{scheme.HMACSHA256, scheme.ECDSAP256SHA256, scheme.RSASHA256, scheme.RSADoubleSHA256, scheme.InsecureSHA1} {
		d := scheme.Definition{Provider: "acme", MaxBody: 1, Retry: verify.RetryNever, Signatures: []scheme.Signature{{Header: "A", Algorithm: a}}, Message: []scheme.Part{scheme.Body()}}
		if a == scheme.InsecureSHA1 {
			d.Message = append(d.Message, scheme.SecretText())
		}
		d.Timestamp, d.Message = scheme.Timestamp{Header: "T", Unit: scheme.ISO8601}, append(d.Message, scheme.SignedTime())
		d.Compression = verify.GzipSigned
		all = append(all, d)
	}
	return all
}

func TestRoundTrip(t *testing.T) {
	set := make(map[string]bool)
	for i, d := range every() {
		t.Run(fmt.Sprint(i), func(t *testing.T) { roundTrip(t, d) })
		fields("", reflect.ValueOf(d), set)
	}
	// What no definition here sets, the round trip does not show.
	none := make(map[string]bool)
	fields("", reflect.ValueOf(scheme.Definition{
		Signatures: make([]scheme.Signature, 1), Constants: make([]scheme.Constant, 1), Aliases: make([]scheme.Alias, 1),
		Handshakes: []scheme.Handshake{{If: make([]scheme.Condition, 1)}},
		About:      verify.About{Headers: make([]verify.HeaderUse, 1), Credentials: make([]verify.Credential, 1), OtherMedia: make([]verify.MediaNote, 1)},
	}), none)
	for name := range none {
		if !set[name] && name != ".About.EqualBodies" { // which follows from the rest
			t.Errorf("no definition of this test sets %s", name)
		}
	}
	if len(none) < 60 {
		t.Errorf("a definition has %d fields: does the test still look at anything?", len(none))
	}
}

// fields notes the fields of a value, and whether they are set in this one or another.
func fields(path string, v reflect.Value, set map[string]bool) {
	switch {
	case v.Kind() == reflect.Struct && v.Type() != reflect.TypeOf(scheme.Part{}):
		for i := range v.NumField() {
			fields(path+"."+v.Type().Field(i).Name, v.Field(i), set)
		}
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct && v.Type().Elem() != reflect.TypeOf(scheme.Part{}):
		for i := range v.Len() {
			fields(path+"[]", v.Index(i), set)
		}
	default:
		set[path] = set[path] || !v.IsZero()
	}
}

const good = `{
  "version": 1, "kind": "data", "provider": "acme",
  "signatures": [{"header": "Acme-Signature", "field": "v1", "separator": ",", "assign": "=", "encoding": "hex", "algorithm": "hmac-sha256"}],
  "message": [{"part": "signed_time"}, {"part": "literal", "text": "."}, {"part": "body"}],
  "timestamp": {"field": "t", "unit": "seconds", "past": "5m"},
  "id": {"member": "id"}, "secret": {"encoding": "text"}, "max_body": 1048576, "retry": "identical", "retention": "72h"
}`

func TestUnmarshal(t *testing.T) {
	d, err := schemejson.Unmarshal([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if d.Signatures[0].Field != "v1" || d.Timestamp.Window != (verify.Window{Past: 5 * time.Minute}) || d.Retention != 72*time.Hour {
		t.Errorf("it is %+v", d)
	}
	for _, tt := range []struct{ name, old, new, says string }{
		{"an unknown member", `"kind"`, `"colour": "red", "kind"`, `"colour"`},
		{"an unknown member inside", `"unit"`, `"zone": "UTC", "unit"`, `"timestamp.zone"`},
		{"a member in other letters", `"max_body"`, `"Max_Body"`, `"Max_Body"`},
		{"a member in other letters, too", `"max_body": 1048576`, `"max_body": 1048576, "MAX_BODY": 1`, `"MAX_BODY"`},
		{"a member twice", `"retry": "identical"`, `"retry": "identical", "retry": "identical"`, "twice"},
		{"a member twice, once with an escape", `"retry": "identical"`, `"retry": "identical", "r\u0065try": "never"`, "twice"},
		{"no version", `"version": 1, `, ``, "version is missing"},
		{"another version", `"version": 1`, `"version": 2`, "another version"},
		{"no kind", `"kind": "data", `, ``, "kind is missing"},
		{"a provider that takes code", `"data"`, `"code"`, "no definition"},
		{"a provider with a token", `"data"`, `"token"`, "no definition"},
		{"an unknown kind", `"data"`, `"date"`, "kind is none of"},
		{"no algorithm", `, "algorithm": "hmac-sha256"`, ``, "signatures[0].algorithm is missing"},
		{"an unknown algorithm", `hmac-sha256`, `hmac-md5`, "signatures[0].algorithm is none of"},
		{"an algorithm in other letters", `hmac-sha256`, `HMAC-SHA256`, "signatures[0].algorithm is none of"},
		{"an empty algorithm", `hmac-sha256`, ``, "signatures[0].algorithm is none of"},
		{"no encoding", `"encoding": "hex", `, ``, "signatures[0].encoding is missing"},
		{"no encoding of the secret", `"encoding": "text"`, ``, "secret.encoding is missing"},
		{"no secret", `"secret": {"encoding": "text"}, `, ``, "secret is missing"},
		{"a public key for an HMAC", `"encoding": "text"`, `"encoding": "public_key"`, "secret.encoding"},
		{"a secret for a public key", `hmac-sha256`, `ed25519`, "secret.encoding"},
		{"no unit", `"unit": "seconds", `, ``, "timestamp.unit is missing"},
		{"a time without a place", `"field": "t", `, ``, "none of header"},
		{"no retry", `"retry": "identical", `, ``, "retry is missing"},
		{"no largest body", `"max_body": 1048576, `, ``, "max_body is missing"},
		{"a largest body with a fraction", `1048576`, `1048576.0`, "max_body is not a whole number"},
		{"a largest body with an exponent", `1048576`, `1e6`, "max_body is not a whole number"},
		{"a largest body that is negative", `1048576`, `-1`, "max_body is not a whole number"},
		{"a largest body that is too large for a number", `1048576`, `10000000000000000000`, "max_body is not a whole number"},
		{"a largest body as a text", `1048576`, `"1048576"`, "max_body is not a whole number"},
		{"a duration as a number", `"5m"`, `300`, "timestamp.past is not a string"},
		{"a duration without a unit", `"5m"`, `"300"`, "timestamp.past is no duration"},
		{"a negative duration", `"72h"`, `"-72h"`, "retention is no duration"},
		{"null", `"id": {"member": "id"}`, `"id": null`, "id is not an object"},
		{"a null in a list", `{"part": "body"}`, `{"part": "body"}, null`, "message[3] is not an object"},
		{"an unknown part", `"signed_time"`, `"time"`, "message[0]: part is none of"},
		{"a literal without a text", `"part": "literal", "text": "."`, `"part": "literal"`, "message[1]: text"},
		{"a body with a text", `{"part": "body"}`, `{"part": "body", "text": "x"}`, "message[2]: text"},
		{"a part of a fixed size that is none", `{"part": "body"}`, `{"part": "body", "size": 3}`, "message[2]: size"},
		{"a field without a header", `{"part": "literal", "text": "."}`, `{"part": "field"}, {"part": "literal", "text": "."}`, "message[1]: header"},
		{"something behind it", `"72h"
}`, `"72h"
} {}`, "no JSON"},
		{"a comma too many", `"72h"
}`, `"72h",
}`, "no JSON"},
		{"an entry of a list of providers", good, `{"name": "acme", "definition": ` + good + `}`, "hand over what that member holds"},
		{"an array", good, `[` + good + `]`, "the document is not an object"},
		{"a text", good, `"definition"`, "the document is not an object"},
		{"nothing", good, ``, "no JSON"},
		{"bytes that are no UTF-8", `"acme"`, "\"acme\xff\"", "no JSON"},
		{"more than 64 KiB", `"kind"`, strings.Repeat(" ", schemejson.MaxSize) + `"kind"`, "65536"},
		{"deep nesting", `"acme"`, strings.Repeat(`[`, 100) + strings.Repeat(`]`, 100), "nested too deeply"},
		{"what New refuses", `"max_body": 1048576`, `"max_body": 0`, "MaxBody must be positive"},
		{"a message that splits in two ways", `{"part": "literal", "text": "."}`, `{"part": "field", "header": "X-Id"}`, "more than one way"},
		{"an option of the endpoint", `"kind"`, `"insecure_allow_short_secret": true, "kind"`, "no member"},
		{"a source of keys", `"encoding": "text"`, `"encoding": "text", "env": "ACME_SECRET"`, "no member"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !strings.Contains(good, tt.old) {
				t.Fatalf("%s is not there", tt.old)
			}
			d, err := schemejson.Unmarshal([]byte(strings.Replace(good, tt.old, tt.new, 1)))
			if err == nil {
				t.Fatalf("it is %+v", d)
			}
			if !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error is %v, want it to say %q", err, tt.says)
			}
			if !reflect.DeepEqual(d, scheme.Definition{}) {
				t.Errorf("there is a definition beside the error: %+v", d)
			}
		})
	}
	t.Run("an error repeats no value", func(t *testing.T) {
		const hidden = "whsec_C2FVsBQIhrscChlQIMV"
		for _, old := range []string{"hmac-sha256", `"hex"`, `"seconds"`, `"identical"`, `"72h"`, "1048576", `"data"`, `"signed_time"`, `"body"`} {
			_, err := schemejson.Unmarshal([]byte(strings.Replace(good, old, `"`+hidden+`"`, 1)))
			if err == nil || strings.Contains(err.Error(), hidden) {
				t.Errorf("%s: %v", old, err)
			}
		}
	})
}

func TestMarshal(t *testing.T) {
	d, err := schemejson.Unmarshal([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		edit func(d *scheme.Definition)
		says string
	}{
		{"one that New refuses", func(d *scheme.Definition) { d.MaxBody = 0 }, "MaxBody"},
		{"a text that is no UTF-8", func(d *scheme.Definition) { d.Message[1] = scheme.Literal("\xff") }, "UTF-8"},
		{"one that is too large", func(d *scheme.Definition) { d.About.NotCovered = []string{strings.Repeat("x", schemejson.MaxSize)} }, "at most 65536"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := d.Clone()
			tt.edit(&c)
			if text, err := schemejson.Marshal(c); err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("it is %.100s, error %v", text, err)
			}
			if _, err := schemejson.Marshal(d); err != nil {
				t.Errorf("the twin: %v", err)
			}
		})
	}
}

// FuzzUnmarshal: what is read is a definition that comes back the same, and what is read
// is read by no other name.
func FuzzUnmarshal(f *testing.F) {
	f.Add(good)
	for _, d := range every() {
		text, err := schemejson.Marshal(d)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := schemejson.Unmarshal([]byte(text))
		if err != nil {
			return
		}
		if !json.Valid([]byte(text)) {
			t.Errorf("no JSON: %q", text)
		}
		again, err := schemejson.Marshal(d)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		back, err := schemejson.Unmarshal(again)
		if err != nil {
			t.Fatalf("%q: %v", again, err)
		}
		if third, err := schemejson.Marshal(back); err != nil || string(third) != string(again) {
			t.Errorf("%q comes back as %q (%v)", again, third, err)
		}
	})
}
