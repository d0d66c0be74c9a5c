package scheme_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// hexMAC returns the HMAC-SHA256 of a message in lower-case hexadecimal.
func hexMAC(secret, message string) string {
	return hex.EncodeToString(macOf(sha256.New, secret, message))
}

// at is the head of a request with these headers, by names and values in turn.
func at(pairs ...string) *verify.Head {
	return &verify.Head{Method: http.MethodPost, Header: header(pairs...), ReceivedAt: received}
}

func TestEncoding(t *testing.T) {
	const body = `{"a":1}` // the last character of its base64 has unused bits, and it holds both + and /
	sum := macOf(sha256.New, plainSecrets[0], body)
	for _, tt := range []struct {
		name     string
		encoding scheme.Encoding
		encode   func([]byte) string
	}{
		{"lower-case hexadecimal", scheme.Hex, hex.EncodeToString},
		{"upper-case hexadecimal", scheme.UpperHex, func(b []byte) string { return fmt.Sprintf("%X", b) }},
		{"base64", scheme.Base64, base64.StdEncoding.EncodeToString},
		{"URL-safe base64", scheme.Base64URL, base64.URLEncoding.EncodeToString},
		{"URL-safe base64 without padding", scheme.RawBase64URL, base64.RawURLEncoding.EncodeToString},
	} {
		t.Run(tt.name+" has one spelling", func(t *testing.T) {
			d := bare()
			d.Signatures[0].Encoding, d.Signatures[0].Prefix = tt.encoding, "0x"
			v := mustNew(t, d, nil, plainSecrets[0])
			genuine := tt.encode(sum)
			accepted(t, v, at("Bare-Signature", "0x"+genuine).Header, body)
			for _, other := range []string{
				hex.EncodeToString(sum), fmt.Sprintf("%X", sum), base64.StdEncoding.EncodeToString(sum), base64.RawStdEncoding.EncodeToString(sum),
				base64.URLEncoding.EncodeToString(sum), base64.RawURLEncoding.EncodeToString(sum),
				genuine + "=", genuine + "\n", genuine[:9] + "\n" + genuine[9:], " " + genuine, genuine[:len(genuine)-1], genuine + "0", "",
				nextLetter(genuine), strings.ToLower(genuine[:20]) + genuine[20:], strings.ToUpper(genuine[:20]) + genuine[20:],
			} {
				// Some of them have the form, and encode something else.
				if d, err := check(v, at("Bare-Signature", "0x"+other).Header, body); other != genuine && (err == nil || d != nil) {
					t.Errorf("%q is accepted in place of %q", other, genuine)
				}
			}
			refusedHead(t, v, at("Bare-Signature", "0X"+genuine), verify.ErrMalformed)
			refusedHead(t, v, at("Bare-Signature", genuine), verify.ErrMalformed)
		})
	}
}

// nextLetter returns a text whose last letter of base64 is the next one of the alphabet: it
// differs in bits that do not count.
func nextLetter(text string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	trimmed := strings.TrimRight(text, "=")
	i := strings.IndexByte(alphabet, trimmed[len(trimmed)-1])
	return trimmed[:len(trimmed)-1] + alphabet[(i+1)%64:][:1] + text[len(trimmed):]
}

func TestBlanks(t *testing.T) {
	d := listed()
	d.Signatures[0].Blanks = true
	blanks, strict := mustNew(t, d, nil, plainSecrets[0]), mustNew(t, listed(), nil, plainSecrets[0])
	timestamp, signature, _ := strings.Cut(signListed("{}", plainSecrets[0]), ",")
	want := accepted(t, strict, header("Listed-Signature", timestamp+","+signature), "{}").Fingerprint
	for value, ok := range map[string]bool{
		timestamp + "," + signature:            true,
		timestamp + ", " + signature:           true,
		signature + ", " + timestamp:           true,
		timestamp + ", v0=1, " + signature:     true,
		timestamp + ",  " + signature:          false,
		timestamp + " ," + signature:           false,
		timestamp + ",\t" + signature:          false,
		" " + timestamp + "," + signature:      false,
		timestamp + "," + signature + " ":      false,
		timestamp + "," + signature + ", ":     false,
		timestamp + ", v1 =" + signature[3:]:   false,
		timestamp + ", v1= " + signature[3:]:   false,
		timestamp + ", \u00a0" + signature:     false,
		timestamp + ", " + signature + ",v0= ": false,
	} {
		got, err := check(blanks, header("Listed-Signature", value), "{}")
		if ok != (err == nil) {
			t.Errorf("%q: %v", value, err)
		}
		if err == nil && !got.Fingerprint.Equal(want) {
			t.Errorf("%q is another message", value)
		}
		if _, err := check(strict, header("Listed-Signature", value), "{}"); strings.Contains(value, " ") && err == nil {
			t.Errorf("%q: a definition without Blanks takes it", value)
		}
	}
}

func TestBareList(t *testing.T) {
	d := bare()
	d.Signatures[0].Prefix, d.Signatures[0].Separator = "v0=", ","
	v := mustNew(t, d, nil, plainSecrets[0])
	genuine, other := hexMAC(plainSecrets[0], "{}"), strings.Repeat("0", 64)
	h := func(items ...string) http.Header { return header("Bare-Signature", "v0="+strings.Join(items, ",")) }
	want := accepted(t, v, h(genuine), "{}").Fingerprint
	for _, items := range [][]string{{other, genuine}, {genuine, other}, {"?", genuine}, {genuine, "00"}, {genuine, genuine}, append(slices.Repeat([]string{other}, 15), genuine)} {
		if !accepted(t, v, h(items...), "{}").Fingerprint.Equal(want) {
			t.Errorf("%q is another message", items)
		}
	}
	refused(t, v, h(other), "{}", verify.ErrMismatch)
	refused(t, v, h("?", other), "{}", verify.ErrMismatch)
	for _, items := range [][]string{
		{"?"}, {"?", "00"}, {genuine, ""}, {"", genuine}, {genuine, "", other}, append(slices.Repeat([]string{other}, 16), genuine), append(slices.Repeat([]string{"?"}, 16), genuine),
	} {
		refusedHead(t, v, &verify.Head{Header: h(items...), ReceivedAt: received}, verify.ErrMalformed)
	}
	for _, value := range []string{genuine, "v0=" + genuine + ",v0=" + other + ",", "v1=" + genuine} {
		refusedHead(t, v, at("Bare-Signature", value), verify.ErrMalformed)
	}
	accepted(t, v, header("Bare-Signature", "v0="+genuine+",v0="+other), "{}") // the second one does not decode

	t.Run("its first item is the time", func(t *testing.T) {
		d := bare()
		d.Signatures[0].Separator = ","
		d.Timestamp = scheme.Timestamp{First: true, Unit: scheme.Milliseconds}
		d.Message = []scheme.Part{scheme.SignedTime(), scheme.Literal("."), scheme.Body()}
		v := mustNew(t, d, nil, plainSecrets[0])
		now := fmt.Sprint(received.UnixMilli())
		signature := hexMAC(plainSecrets[0], now+".{}")
		got := accepted(t, v, header("Bare-Signature", now+","+signature), "{}")
		if !got.SignedAt.Equal(received) {
			t.Errorf("the time is %v", got.SignedAt)
		}
		accepted(t, v, header("Bare-Signature", now+","+other+","+signature), "{}")
		for _, value := range []string{signature + "," + now, "," + signature, "0" + now + "," + signature} {
			refusedHead(t, v, at("Bare-Signature", value), verify.ErrMalformed)
		}
		refusedHead(t, v, at("Bare-Signature", now), verify.ErrUnsigned)
		refusedHead(t, v, at("Bare-Signature", signature), verify.ErrUnsigned)
		refusedHead(t, v, at("Bare-Signature", now+","), verify.ErrMalformed)
		refusedHead(t, v, at("Bare-Signature", "1"+","+signature), verify.ErrTooOld)
		for what, text := range v.Message(at("Bare-Signature", now+","+signature), []byte("{}")) {
			if strings.HasPrefix(what, "time") && string(text) != now {
				t.Errorf("the time of the message is %q", text)
			}
		}
	})
}

func TestMoreHeaders(t *testing.T) {
	genuine, other := hexMAC(plainSecrets[0], "{}"), strings.Repeat("0", 64)
	d := bare()
	d.Signatures[0].More = []string{"Second-Signature"}
	more := mustNew(t, d, nil, plainSecrets[0])
	d = bare()
	d.Signatures[0].Repeated = true
	repeated := mustNew(t, d, nil, plainSecrets[0])
	const first, second = "Bare-Signature", "Second-Signature"
	for _, tt := range []struct {
		name string
		v    verify.Verifier
		h    http.Header
		want verify.Reason
	}{
		{"the first", more, header(first, genuine), 0},
		{"the second", more, header(second, genuine), 0},
		{"both", more, header(first, genuine, second, genuine), 0},
		{"the second, and a forged first", more, header(first, other, second, genuine), 0},
		{"the first, and a second that does not decode", more, header(first, genuine, second, "?"), 0},
		{"the second, and an empty first", more, http.Header{first: {""}, second: {genuine}}, 0},
		{"both forged", more, header(first, other, second, other), verify.ErrMismatch},
		{"one forged, the other undecodable", more, header(first, "?", second, other), verify.ErrMismatch},
		{"none decodes", more, header(first, "?", second, "?"), verify.ErrMalformed},
		{"both empty", more, http.Header{first: {""}, second: {""}}, verify.ErrUnsigned},
		{"none", more, http.Header{}, verify.ErrUnsigned},
		{"the first twice", more, header(first, genuine, first, genuine), verify.ErrMalformed},
		{"the second twice beside a good first", more, header(first, genuine, second, other, second, other), verify.ErrMalformed},

		{"once", repeated, header(first, genuine), 0},
		{"twice", repeated, header(first, other, first, genuine), 0},
		{"sixteen times", repeated, http.Header{first: append(slices.Repeat([]string{other}, 15), genuine)}, 0},
		{"seventeen times", repeated, http.Header{first: append(slices.Repeat([]string{other}, 16), genuine)}, verify.ErrMalformed},
		{"seventeen times, most of them empty", repeated, http.Header{first: append(slices.Repeat([]string{""}, 16), genuine)}, verify.ErrMalformed},
		{"twice empty", repeated, http.Header{first: {"", ""}}, verify.ErrUnsigned},
		{"4 KiB in all", repeated, http.Header{first: {genuine, strings.Repeat("x", 4<<10-64)}}, 0},
		{"more than 4 KiB in all", repeated, http.Header{first: {genuine, strings.Repeat("x", 4<<10-63)}}, verify.ErrMalformed},
		{"joined in one header", repeated, header(first, genuine+","+genuine), verify.ErrMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := check(tt.v, tt.h, "{}")
			if verify.ReasonOf(err) != tt.want {
				t.Fatalf("error is %v, want %q", err, tt.want)
			}
			if err == nil && !got.Fingerprint.Equal(accepted(t, tt.v, header(first, genuine), "{}").Fingerprint) {
				t.Error("it is another message than with one signature")
			}
		})
	}
	t.Run("lists in two headers hold 16 signatures together", func(t *testing.T) {
		d := bare()
		d.Signatures[0].Separator, d.Signatures[0].More = ",", []string{second}
		v := mustNew(t, d, nil, plainSecrets[0])
		eight := strings.Repeat(other+",", 7) + other
		accepted(t, v, header(first, eight, second, genuine+","+strings.Repeat(other+",", 6)+other), "{}")
		refusedHead(t, v, at(first, eight, second, genuine+","+strings.Repeat(other+",", 7)+other), verify.ErrMalformed)
	})
}

func TestConstants(t *testing.T) {
	d := bare()
	d.Constants = []scheme.Constant{{Header: "x-version", Value: "1"}, {Header: "X-Algorithm", Value: "HmacSHA256"}}
	v := mustNew(t, d, nil, plainSecrets[0])
	good := header("Bare-Signature", hexMAC(plainSecrets[0], "{}"), "X-Version", "1", "X-Algorithm", "HmacSHA256")
	accepted(t, v, good, "{}")
	for name, values := range map[string][]string{
		"absent": nil, "empty": {""}, "another": {"2"}, "twice": {"1", "1"}, "longer": {"1 "}, "with another": {"1", "2"}, "in full width": {"\uff11"},
	} {
		t.Run(name, func(t *testing.T) {
			h := good.Clone()
			h["X-Version"] = values
			refusedHead(t, v, &verify.Head{Header: h, ReceivedAt: received}, verify.ErrMalformed)
		})
	}
	h := good.Clone()
	h.Set("X-Algorithm", "hmacsha256")
	refusedHead(t, v, &verify.Head{Header: h, ReceivedAt: received}, verify.ErrMalformed)
	if names := v.SecurityHeaders(); !slices.Equal(names, []string{"Bare-Signature", "X-Version", "X-Algorithm"}) {
		t.Errorf("the headers are %q", names)
	}
}

// named has two names for each header, and two algorithms.
func named() scheme.Definition {
	d := listed()
	d.Signatures = []scheme.Signature{{Header: "a-strong", Algorithm: scheme.HMACSHA512}, {Header: "a-weak"}}
	d.Timestamp = scheme.Timestamp{Header: "a-time"}
	d.UnsignedType = "a-type"
	d.Aliases = []scheme.Alias{{Header: "a-strong", Other: "b-strong"}, {Header: "a-weak", Other: "b-weak"}, {Header: "A-Time", Other: "B-Time"}, {Header: "A-Type", Other: "B-Type"}}
	return d
}

func TestAliases(t *testing.T) {
	v := mustNew(t, named(), nil, plainSecrets[0])
	now := fmt.Sprint(received.Unix())
	weak := hexMAC(plainSecrets[0], now+".{}")
	want := accepted(t, v, header("A-Weak", weak, "A-Time", now), "{}").Fingerprint
	for _, tt := range []struct {
		name string
		h    http.Header
		want verify.Reason
	}{
		{"the first names", header("A-Weak", weak, "A-Time", now, "A-Type", "paid"), 0},
		{"the other names", header("B-Weak", weak, "B-Time", now, "B-Type", "paid"), 0},
		{"both, alike", header("A-Weak", weak, "A-Time", now, "A-Type", "paid", "B-Weak", weak, "B-Time", now, "B-Type", "paid"), 0},
		{"the first names, and a stray other time", header("A-Weak", weak, "A-Time", now, "A-Type", "paid", "B-Time", "1"), 0},
		{"the time under the other name", header("A-Weak", weak, "B-Time", now), verify.ErrMalformed},
		{"the signature under the other name", header("B-Weak", weak, "A-Time", now), verify.ErrMalformed},
		{"both, with another signature", header("A-Weak", weak, "A-Time", now, "B-Weak", strings.Repeat("0", 64), "B-Time", now), verify.ErrMalformed},
		{"both, with a forged first signature", header("A-Weak", strings.Repeat("0", 64), "A-Time", now, "B-Weak", weak, "B-Time", now), verify.ErrMalformed},
		{"both, with another time", header("A-Weak", weak, "A-Time", now, "B-Weak", weak, "B-Time", now+"0"), verify.ErrMalformed},
		{"both, and one time", header("A-Weak", weak, "A-Time", now, "B-Weak", weak), verify.ErrMalformed},
		{"both, with another type, which is not signed", header("A-Weak", weak, "A-Time", now, "A-Type", "paid", "B-Weak", weak, "B-Time", now), verify.ErrMalformed},
		{"both, one of them twice", header("A-Weak", weak, "A-Time", now, "B-Weak", weak, "B-Weak", weak, "B-Time", now), verify.ErrMalformed},
		{"a weak one beside a strong one of the other names", header("A-Weak", weak, "A-Time", now, "B-Strong", strings.Repeat("0", 128), "B-Time", now), verify.ErrMalformed},
		{"an empty other signature", http.Header{"A-Weak": {weak}, "A-Time": {now}, "B-Weak": {""}}, verify.ErrMalformed},
		{"no signature", header("A-Time", now, "B-Time", now), verify.ErrUnsigned},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := check(v, tt.h, "{}")
			if verify.ReasonOf(err) != tt.want {
				t.Fatalf("error is %v, want %q", err, tt.want)
			}
			if err == nil && (!got.Fingerprint.Equal(want) || got.Unsigned.Type != "paid") {
				t.Errorf("it is another message, of the type %q", got.Unsigned.Type)
			}
		})
	}
	t.Run("the message is that of the names that are used", func(t *testing.T) {
		for what, text := range v.Message(at("B-Weak", weak, "B-Time", now), []byte("{}")) {
			if strings.HasPrefix(what, "time") && (what != "time, from B-Time" || string(text) != now) {
				t.Errorf("the time is %q, %q", what, text)
			}
		}
		if names := v.SecurityHeaders(); !slices.Equal(names, []string{"A-Strong", "A-Weak", "A-Time", "B-Strong", "B-Weak", "B-Time"}) {
			t.Errorf("the headers are %q", names)
		}
	})
}

func TestUnit(t *testing.T) {
	received := time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
	for _, tt := range []struct {
		unit scheme.Unit
		text string
		want time.Time // zero: refused
	}{
		{scheme.RFC3339, "2026-03-14T09:26:53Z", received},
		{scheme.RFC3339, "2026-03-14T09:26:53.5Z", received.Add(500 * time.Millisecond)},
		{scheme.RFC3339, "2026-03-14T09:26:53.000000001Z", received.Add(1)},
		{scheme.RFC3339, "2026-03-14T10:26:53+01:00", received},
		{scheme.RFC3339, "2026-03-14T02:26:53.0-07:00", received},
		{scheme.RFC3339, "2026-03-14T09:26:53-00:00", received},
		{scheme.RFC3339, "2026-03-14T09:26:53", time.Time{}},
		{scheme.RFC3339, "2026-03-14 09:26:53Z", time.Time{}},
		{scheme.RFC3339, "2026-03-14t09:26:53Z", time.Time{}},
		{scheme.RFC3339, "2026-03-14T09:26:53z", time.Time{}},
		{scheme.RFC3339, "2026-03-14T9:26:53Z", time.Time{}},
		{scheme.RFC3339, "2026-03-14T09:26:53,5Z", time.Time{}},
		{scheme.RFC3339, "2026-03-14T09:26:53.Z", time.Time{}},
		{scheme.RFC3339, "2026-03-14T09:26:53.0000000001Z", time.Time{}},
		{scheme.RFC3339, "2026-03-14T09:26:53+0100", time.Time{}},
		{scheme.RFC3339, "2026-03-14T09:26:53+25:00", time.Time{}},
		{scheme.RFC3339, "2026-02-30T09:26:53Z", time.Time{}},
		{scheme.RFC3339, "2026-03-14T24:00:00Z", time.Time{}},
		{scheme.RFC3339, "2026-03-14T09:26:53Z ", time.Time{}},
		{scheme.RFC3339, "1773480413", time.Time{}},
		{scheme.RFC3339, "", time.Time{}},
		{scheme.ISO8601, "2026-03-14T09:26:53", received},
		{scheme.ISO8601, "2026-03-14T09:26:53.25", received.Add(250 * time.Millisecond)},
		{scheme.ISO8601, "2026-03-14T09:26:53Z", time.Time{}},
		{scheme.ISO8601, "2026-03-14T09:26:53+00:00", time.Time{}},
		{scheme.ISO8601, "2026-03-14T09:26", time.Time{}},
		{scheme.ISO8601, "2026-03-14T09:26:53.", time.Time{}},
		{scheme.ISO8601, "20260314T092653", time.Time{}},
	} {
		t.Run(tt.text, func(t *testing.T) {
			d := bare()
			d.Timestamp = scheme.Timestamp{Header: "X-Time", Unit: tt.unit}
			d.Message = []scheme.Part{scheme.SignedTime(), scheme.Literal("|"), scheme.Body()}
			v := mustNew(t, d, nil, plainSecrets[0])
			h := &verify.Head{Header: header("X-Time", tt.text, "Bare-Signature", hexMAC(plainSecrets[0], tt.text+"|{}")), ReceivedAt: received}
			if tt.want.IsZero() {
				refusedHead(t, v, h, verify.ErrMalformed)
				return
			}
			got, err := verify.Verify(t.Context(), v, h, []byte("{}"))
			if err != nil || !got.SignedAt.Equal(tt.want) {
				t.Errorf("the time is %v (%v), want %v", got, err, tt.want)
			}
			h.ReceivedAt = received.Add(6 * time.Minute)
			refusedHead(t, v, h, verify.ErrTooOld)
		})
	}
	t.Run("a decimal time beside no literal has a fixed length", func(t *testing.T) {
		d := bare()
		d.Timestamp = scheme.Timestamp{Header: "X-Time", Window: verify.Window{Past: 30 * day, Future: 30 * day}}
		d.Message = []scheme.Part{scheme.Body(), scheme.SignedTime()}
		fixed := mustNew(t, d, nil, plainSecrets[0])
		d.Message = []scheme.Part{scheme.Body(), scheme.Literal("."), scheme.SignedTime()}
		free := mustNew(t, d, nil, plainSecrets[0])
		early := time.Unix(999999990, 0) // one digit less
		head := func(separator, text string) *verify.Head {
			return &verify.Head{Header: header("X-Time", text, "Bare-Signature", hexMAC(plainSecrets[0], "{}"+separator+text)), ReceivedAt: early}
		}
		refusedHead(t, fixed, head("", "999999990"), verify.ErrMalformed)
		for _, tt := range []struct {
			v *scheme.Verifier
			h *verify.Head
		}{{fixed, head("", "1000000000")}, {free, head(".", "999999990")}} {
			if _, err := verify.Verify(t.Context(), tt.v, tt.h, []byte("{}")); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestFixedFields(t *testing.T) {
	d := bare()
	d.Message = []scheme.Part{scheme.UUIDField("X-Id"), scheme.FixedField("X-Kind", 3), scheme.Body(), scheme.Literal("--"), scheme.Field("X-Topic")}
	d.ID = scheme.ID{Header: "X-Id"}
	v := mustNew(t, d, nil, plainSecrets[0])
	const id = "0b79bab5-0f3c-4a0e-a2ef-1d6ff3b8e2a1"
	sign := func(id, kind, topic string) *verify.Head {
		return at("X-Id", id, "X-Kind", kind, "X-Topic", topic, "Bare-Signature", hexMAC(plainSecrets[0], id+kind+"{}--"+topic))
	}
	if got := accepted(t, v, sign(id, "abc", "a-b").Header, "{}"); got.ID != id {
		t.Errorf("ID is %q", got.ID)
	}
	for _, tt := range []struct{ name, id, kind, topic string }{
		{"an id in upper case", strings.ToUpper(id), "abc", "t"},
		{"an id without hyphens", strings.ReplaceAll(id, "-", ""), "abc", "t"},
		{"an id with a hyphen elsewhere", "-" + strings.Replace(id, "-", "", 1), "abc", "t"},
		{"an id with a letter that is no digit", "g" + id[1:], "abc", "t"},
		{"an id in braces", "{" + id + "}", "abc", "t"},
		{"a kind that is too short", id, "ab", "t"},
		{"a kind that is too long", id, "abcd", "t"},
		{"a kind with a blank", id, "a c", "t"},
		{"a topic with what stands in front of it", id, "abc", "a--b"},
		{"a topic that goes on with it", id, "abc", "-b"},
		{"no topic", id, "abc", ""},
	} {
		t.Run(tt.name, func(t *testing.T) { refusedHead(t, v, sign(tt.id, tt.kind, tt.topic), verify.ErrMalformed) })
	}
}

// TestUUIDOrHashField has the body behind the id, with nothing between them.
func TestUUIDOrHashField(t *testing.T) {
	d := bare()
	d.Message = []scheme.Part{scheme.UUIDOrHashField("X-Id"), scheme.Body()}
	d.ID = scheme.ID{Header: "X-Id"}
	v := mustNew(t, d, nil, plainSecrets[0])
	const (
		uuid = "0b79bab5-0f3c-4a0e-a2ef-1d6ff3b8e2a1"
		hash = "Zx81KqL0vN3TtY6bWc9dEfGhIjKlMnOpQrStUvWxy_0="
	)
	sign := func(id string) *verify.Head {
		return at("X-Id", id, "Bare-Signature", hexMAC(plainSecrets[0], id+"{}"))
	}
	for _, id := range []string{uuid, hash} {
		if got := accepted(t, v, sign(id).Header, "{}"); got.ID != id {
			t.Errorf("ID is %q", got.ID)
		}
	}
	for _, tt := range []struct{ name, id string }{
		{"a UUID in upper case", strings.ToUpper(uuid)},
		{"a base64 that starts as a UUID", uuid + "AAAAAAA="},
		{"a base64 without padding", hash[:43]},
		{"a base64 of another alphabet", strings.Replace(hash, "_", "/", 1)},
		{"a base64 with bits that count for nothing", hash[:42] + "1="},
		{"a base64 of fewer bytes", hash[:40]},
		{"a base64 of more bytes", hash[:43] + "AAAAA"},
		{"another id of that length", strings.Repeat(".", 44)},
		{"no id", ""},
	} {
		t.Run(tt.name, func(t *testing.T) { refusedHead(t, v, sign(tt.id), verify.ErrMalformed) })
	}
	// The body of one could be the end of the other's id.
	moved := at("X-Id", uuid+"AAAAAAA=", "Bare-Signature", hexMAC(plainSecrets[0], uuid+"AAAAAAA={}"))
	refusedHead(t, v, moved, verify.ErrMalformed)
	moved.Header["X-Id"] = []string{uuid}
	if _, err := verify.Verify(t.Context(), v, moved, []byte("AAAAAAA={}")); err != nil {
		t.Error(err)
	}
}

func TestMethod(t *testing.T) {
	d := bare()
	d.Message = []scheme.Part{scheme.Method(), scheme.Body()}
	v := mustNew(t, d, nil, plainSecrets[0])
	head := at("Bare-Signature", hexMAC(plainSecrets[0], "POST{}"))
	if _, err := verify.Verify(t.Context(), v, head, []byte("{}")); err != nil {
		t.Error(err)
	}
	for _, method := range []string{"GET", "PUT", "post", ""} {
		head.Method = method
		refusedHead(t, v, head, verify.ErrMalformed)
	}
}

func TestSecret(t *testing.T) {
	key := strings.Repeat("\x07k", 16)
	signature := hexMAC(key, "{}")
	text := hexMAC("k7k7k7k7k7k7k7k7k7", "{}")
	for _, tt := range []struct {
		name      string
		form      scheme.Secret
		secret    string
		signature string
		says      string // of the error
	}{
		{"hexadecimal", scheme.Secret{Encoding: scheme.HexSecret}, strings.Repeat("076b", 16), signature, ""},
		{"hexadecimal in upper case", scheme.Secret{Encoding: scheme.HexSecret}, strings.Repeat("076B", 16), signature, ""},
		{"hexadecimal behind a prefix", scheme.Secret{Encoding: scheme.HexSecret, Prefix: "hx_"}, "hx_" + strings.Repeat("076b", 16), signature, ""},
		{"hexadecimal that is none", scheme.Secret{Encoding: scheme.HexSecret}, strings.Repeat("076x", 16), "", "not hexadecimal"},
		{"hexadecimal of an odd length", scheme.Secret{Encoding: scheme.HexSecret}, strings.Repeat("076b", 16) + "0", "", "not hexadecimal"},
		{"hexadecimal of 15 bytes", scheme.Secret{Encoding: scheme.HexSecret}, strings.Repeat("076b", 7) + "07", "", "at least 16"},
		{"a text behind a prefix", scheme.Secret{Prefix: "key_"}, "key_k7k7k7k7k7k7k7k7k7", text, ""},
		{"a text without the prefix", scheme.Secret{Prefix: "key_"}, "k7k7k7k7k7k7k7k7k7", text, ""},
		{"a text without the prefix that is required", scheme.Secret{Prefix: "key_", PrefixRequired: true}, "k7k7k7k7k7k7k7k7k7", "", `does not start with "key_"`},
		{"a text with the prefix that is required", scheme.Secret{Prefix: "key_", PrefixRequired: true}, "key_k7k7k7k7k7k7k7k7k7", text, ""},
		{"a text that is short without its prefix", scheme.Secret{Prefix: "key_"}, "key_k7k7k7k7k7k", "", "at least 16"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := bare()
			d.Secret = tt.form
			v, err := scheme.New(d, verify.Secrets(tt.secret), nil)
			if tt.says != "" {
				if err == nil || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), tt.secret) {
					t.Errorf("error is %v, want it to say %q", err, tt.says)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			accepted(t, v, header("Bare-Signature", tt.signature), "{}")
		})
	}
}

func TestKnobMistakes(t *testing.T) {
	type edit = func(*scheme.Definition)
	none := func(*scheme.Definition) {}
	sig := func(f func(s *scheme.Signature)) edit {
		return func(d *scheme.Definition) { f(&d.Signatures[0]) }
	}
	constants := func(list ...scheme.Constant) edit { return func(d *scheme.Definition) { d.Constants = list } }
	aliases := func(list ...scheme.Alias) edit { return func(d *scheme.Definition) { d.Aliases = list } }
	for _, tt := range []struct {
		name         string
		base         func() scheme.Definition
		wrong, right edit
		text         string
	}{
		{"a further header without a name", bare, sig(func(s *scheme.Signature) { s.More = []string{""} }), sig(func(s *scheme.Signature) { s.More = []string{"X"} }), "empty name"},
		{"a further header that is the first", bare, sig(func(s *scheme.Signature) { s.More = []string{"bare-signature"} }), sig(func(s *scheme.Signature) { s.More = []string{"bare-signature-2"} }), "different headers"},
		{"seventeen further headers", bare,
			sig(func(s *scheme.Signature) { s.More = names(17) }), sig(func(s *scheme.Signature) { s.More = names(16) }), "at most 16"},
		{"blanks without a separator", bare, sig(func(s *scheme.Signature) { s.Blanks = true }), sig(func(s *scheme.Signature) { s.Blanks, s.Separator = true, "," }), "Blanks"},
		{"blanks behind blanks", bare, sig(func(s *scheme.Signature) { s.Blanks, s.Separator = true, " " }), sig(func(s *scheme.Signature) { s.Separator = " " }), "Blanks"},
		{"an assign without a field", bare, sig(func(s *scheme.Signature) { s.Separator, s.Assign = ",", "=" }), sig(func(s *scheme.Signature) { s.Separator, s.Assign, s.Field = ",", "=", "v1" }), "no Field"},
		{"a separator of bare values that is padding", bare, sig(func(s *scheme.Signature) { s.Separator = "=" }), sig(func(s *scheme.Signature) { s.Separator = ";" }), "no signature contains"},
		{"a first item that is the time, and no list", bare,
			func(d *scheme.Definition) {
				d.Timestamp.First = true
				d.Message = []scheme.Part{scheme.SignedTime(), scheme.Body()}
			},
			func(d *scheme.Definition) {
				d.Timestamp.First, d.Signatures[0].Separator = true, ","
				d.Message = []scheme.Part{scheme.SignedTime(), scheme.Body()}
			}, "Timestamp.First"},
		{"a time in one of two headers", listed, sig(func(s *scheme.Signature) { s.More = []string{"X"} }), none, "needs one header"},
		{"a time in a header that is repeated", listed, sig(func(s *scheme.Signature) { s.Repeated = true }), none, "needs one header"},
		{"a date in a list that its colons would cut", listed,
			func(d *scheme.Definition) { d.Timestamp.Unit, d.Signatures[0].Assign = scheme.RFC3339, ":" },
			func(d *scheme.Definition) { d.Timestamp.Unit = scheme.RFC3339 }, "character of the time"},
		{"a time in the body and in a header", carried, func(d *scheme.Definition) { d.Timestamp.Header = "X" }, none, "more than one of"},
		{"a date in the body", carried, func(d *scheme.Definition) { d.Timestamp.Unit = scheme.RFC3339 }, none, "Timestamp.Member"},
		{"a member with a quote", carried, func(d *scheme.Definition) { d.Timestamp.Member = `a"` }, none, "Timestamp.Member"},
		{"a time in the body that is a part, too", carried, func(d *scheme.Definition) {
			d.Message = []scheme.Part{scheme.SignedTime(), scheme.Literal("."), scheme.Body()}
		}, none, "outside of the body"},
		{"a time in compressed bytes", carried, func(d *scheme.Definition) { d.Compression = verify.GzipSigned }, func(d *scheme.Definition) { d.Compression = verify.GzipUnpacked }, "compressed"},
		{"an alias of what a handshake lacks", named,
			func(d *scheme.Definition) {
				d.Handshakes = []scheme.Handshake{{Kind: scheme.PostHandshake, Token: "token", Member: "challenge", Without: "a-weak", Response: `{"challenge":"$challenge"}`}}
			},
			func(d *scheme.Definition) {
				d.Handshakes = []scheme.Handshake{{Kind: scheme.PostHandshake, Token: "token", Member: "challenge", Without: "A-Other", Response: `{"challenge":"$challenge"}`}}
			}, "no other name"},
		{"a constant without a value", bare, constants(scheme.Constant{Header: "X"}), constants(scheme.Constant{Header: "X", Value: "1"}), "Constants"},
		{"a constant without a header", bare, constants(scheme.Constant{Value: "1"}), constants(scheme.Constant{Header: "X", Value: "1"}), "Constants"},
		{"a constant of the host", bare, constants(scheme.Constant{Header: "host", Value: "1"}), constants(scheme.Constant{Header: "X-Host", Value: "1"}), "Constants"},
		{"two constants of one header", bare, constants(scheme.Constant{Header: "X", Value: "1"}, scheme.Constant{Header: "x", Value: "2"}), constants(scheme.Constant{Header: "X", Value: "1"}, scheme.Constant{Header: "Y", Value: "2"}), "used twice"},
		{"a constant signature", bare, constants(scheme.Constant{Header: "bare-signature", Value: "1"}), constants(scheme.Constant{Header: "X", Value: "1"}), "used twice"},
		{"an alias of no header", named, aliases(scheme.Alias{Header: "A-Weak", Other: "X"}, scheme.Alias{Header: "Nobody", Other: "Y"}), aliases(scheme.Alias{Header: "A-Weak", Other: "X"}, scheme.Alias{Header: "A-Time", Other: "Y"}), "none that the definition reads"},
		{"an alias without another name", named, aliases(scheme.Alias{Header: "A-Weak"}), aliases(scheme.Alias{Header: "A-Weak", Other: "X"}), "nothing else has"},
		{"an alias that is another header", named, aliases(scheme.Alias{Header: "A-Weak", Other: "a-time"}), aliases(scheme.Alias{Header: "A-Weak", Other: "b-time"}), "nothing else has"},
		{"an alias of two headers", named, aliases(scheme.Alias{Header: "A-Weak", Other: "X"}, scheme.Alias{Header: "A-Time", Other: "x"}), aliases(scheme.Alias{Header: "A-Weak", Other: "X"}, scheme.Alias{Header: "A-Time", Other: "Y"}), "nothing else has"},
		{"two aliases of a header", named, aliases(scheme.Alias{Header: "A-Weak", Other: "X"}, scheme.Alias{Header: "A-Weak", Other: "Y"}), aliases(scheme.Alias{Header: "A-Weak", Other: "X"}, scheme.Alias{Header: "A-Strong", Other: "Y"}), "two Aliases"},
		{"aliases without that of a signature", named, aliases(scheme.Alias{Header: "A-Time", Other: "X"}), aliases(scheme.Alias{Header: "A-Time", Other: "X"}, scheme.Alias{Header: "A-Weak", Other: "Y"}), "which names a request uses"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wrong, right := tt.base(), tt.base()
			tt.wrong(&wrong)
			tt.right(&right)
			if v, err := scheme.New(wrong, verify.Secrets(plainSecrets[0]), nil); err == nil || v != nil || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("New made %v, error %v; want it to say %q", v, err, tt.text)
			}
			if _, err := scheme.New(right, verify.Secrets(plainSecrets[0]), nil); err != nil {
				t.Errorf("the twin is refused: %v", err)
			}
		})
	}
}

// names returns different names of headers.
func names(n int) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("X-%d", i))
	}
	return all
}
