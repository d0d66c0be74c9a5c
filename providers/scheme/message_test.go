package scheme_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

var received = time.Date(2029, 11, 3, 17, 20, 41, 0, time.UTC)

func macOf(h func() hash.Hash, secret, message string) []byte {
	mac := hmac.New(h, []byte(secret))
	mac.Write([]byte(message))
	return mac.Sum(nil)
}

// header makes an http.Header of names and values in turn.
func header(pairs ...string) http.Header {
	h := make(http.Header)
	for i := 0; i < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}

func check(v verify.Verifier, h http.Header, body string) (*verify.Delivery, error) {
	return verify.Verify(context.Background(), v, &verify.Head{Header: h, ReceivedAt: received}, []byte(body))
}

func accepted(t testing.TB, v verify.Verifier, h http.Header, body string) *verify.Delivery {
	t.Helper()
	d, err := check(v, h, body)
	if err != nil {
		t.Fatalf("refused: %v", err)
	}
	return d
}

func refused(t testing.TB, v verify.Verifier, h http.Header, body string, want verify.Reason) {
	t.Helper()
	if d, err := check(v, h, body); verify.ReasonOf(err) != want || d != nil {
		t.Fatalf("error is %v, want %q", err, want)
	}
}

// refusedHead wants Begin to refuse: no body could make the head right.
func refusedHead(t testing.TB, v verify.Verifier, h *verify.Head, want verify.Reason) {
	t.Helper()
	if p, err := v.Begin(context.Background(), h); verify.ReasonOf(err) != want || p != nil {
		t.Fatalf("error is %v, want %q", err, want)
	}
}

// signListed signs for the definition of that name, once with each secret.
func signListed(body string, secrets ...string) string {
	value := fmt.Sprintf("t=%d", received.Unix())
	for _, s := range secrets {
		value += ",v1=" + hex.EncodeToString(macOf(sha256.New, s, fmt.Sprintf("%d.%s", received.Unix(), body)))
	}
	return value
}

func TestHeader(t *testing.T) {
	t.Run("a list holds at most 16 items", func(t *testing.T) {
		v := mustNew(t, listed(), nil, plainSecrets[0])
		const body = `{"id":"1"}`
		genuine := signListed(body, plainSecrets[0])
		other := ",v1=" + strings.Repeat("0", 64)
		for _, tt := range []struct {
			name   string
			filler string // fifteen of these beside the genuine one
			behind bool
		}{
			{"signatures in front", other, false},
			{"signatures behind", other, true},
			{"unknown items in front", ",v0=1", false},
			{"unknown items behind", ",v0=1", true},
			{"the same signature again", strings.TrimPrefix(genuine, fmt.Sprintf("t=%d", received.Unix())), true},
		} {
			t.Run(tt.name, func(t *testing.T) {
				join := func(n int) http.Header {
					fill := strings.Repeat(tt.filler, n)
					if tt.behind {
						return header("Listed-Signature", genuine+fill)
					}
					return header("Listed-Signature", fill[1:]+","+genuine)
				}
				want := accepted(t, v, header("Listed-Signature", genuine), body)
				if d := accepted(t, v, join(15), body); !d.Fingerprint.Equal(want.Fingerprint) {
					t.Error("sixteen items have another fingerprint than one")
				}
				refusedHead(t, v, &verify.Head{Header: join(16), ReceivedAt: received}, verify.ErrMalformed)
			})
		}
		t.Run("all of the sixteen are compared", func(t *testing.T) {
			timestamp, signature, _ := strings.Cut(genuine, ",")
			for i := range 16 {
				value := timestamp + strings.Repeat(other, i) + "," + signature + strings.Repeat(other, 15-i)
				accepted(t, v, header("Listed-Signature", value), body)
			}
			refused(t, v, header("Listed-Signature", timestamp+strings.Repeat(other, 16)), body, verify.ErrMismatch)
		})
	})

	t.Run("a header holds at most 4 KiB", func(t *testing.T) {
		v := mustNew(t, listed(), nil, plainSecrets[0])
		genuine := signListed("{}", plainSecrets[0]) + ",v9="
		fill := func(n int) *verify.Head {
			return &verify.Head{Header: header("Listed-Signature", genuine+strings.Repeat("x", n-len(genuine))), ReceivedAt: received}
		}
		if _, err := verify.Verify(context.Background(), v, fill(4<<10), []byte("{}")); err != nil {
			t.Errorf("4096 bytes are refused: %v", err)
		}
		refusedHead(t, v, fill(4<<10+1), verify.ErrMalformed)
	})

	t.Run("a list is strict", func(t *testing.T) {
		v := mustNew(t, listed(), nil, plainSecrets[0])
		timestamp, signature, _ := strings.Cut(signListed("{}", plainSecrets[0]), ",")
		for _, tt := range []struct {
			name, wrong, right string
			want               verify.Reason
		}{
			{"a list without a known signature", timestamp + ",v0=ab", timestamp + "," + signature + ",v0=ab", verify.ErrUnsigned},
			{"a list without a time", signature, timestamp + "," + signature, verify.ErrMalformed},
			{"an empty item in front", "," + timestamp + "," + signature, timestamp + "," + signature, verify.ErrMalformed},
			{"an empty item between", timestamp + ",," + signature, timestamp + "," + signature, verify.ErrMalformed},
			{"an empty item behind", timestamp + "," + signature + ",", timestamp + "," + signature, verify.ErrMalformed},
			{"an item without a value", timestamp + "," + signature + ",v0=", timestamp + "," + signature + ",v0=x", verify.ErrMalformed},
			{"an item without a name", timestamp + "," + signature + ",=x", timestamp + "," + signature + ",v0=x", verify.ErrMalformed},
			{"an item without an assign", timestamp + "," + signature + ",v0", timestamp + "," + signature + ",v0=x", verify.ErrMalformed},
			{"an unknown item with a space", timestamp + "," + signature + ", v0=x", timestamp + "," + signature + ",v0=x", verify.ErrMalformed},
			{"an unknown item that is not ASCII", timestamp + "," + signature + ",v0=\u00e9", timestamp + "," + signature + ",v0=e", verify.ErrMalformed},
			{"an empty time in front of a time", "t=," + timestamp + "," + signature, timestamp + "," + signature, verify.ErrMalformed},
			{"an empty time", "t=," + signature, timestamp + "," + signature, verify.ErrMalformed},
			{"a signature without an assign", timestamp + ",v1," + signature, timestamp + ",v1=," + signature, verify.ErrMalformed},
			{"a second time", timestamp + "," + signature + "," + timestamp, timestamp + "," + signature, verify.ErrMalformed},
			{"a time with a plus", "t=+" + timestamp[2:] + "," + signature, timestamp + "," + signature, verify.ErrMalformed},
			{"a time with a zero in front", "t=0" + timestamp[2:] + "," + signature, timestamp + "," + signature, verify.ErrMalformed},
			{"a time with a fraction", timestamp + ".0," + signature, timestamp + "," + signature, verify.ErrMalformed},
			{"a negative time", "t=-" + timestamp[2:] + "," + signature, timestamp + "," + signature, verify.ErrMalformed},
			{"a time in hexadecimal", fmt.Sprintf("t=0x%x,%s", received.Unix(), signature), timestamp + "," + signature, verify.ErrMalformed},
			{"a time in scientific notation", "t=1e9," + signature, timestamp + "," + signature, verify.ErrMalformed},
			{"a time that overflows into the window", fmt.Sprintf("t=%d", uint64(1)<<63) + "," + signature, timestamp + "," + signature, verify.ErrMalformed},
			{"a time of 16 digits", timestamp + "000000," + signature, timestamp + "," + signature, verify.ErrMalformed},
			{"upper-case hexadecimal", timestamp + ",v1=" + strings.ToUpper(signature[3:]), timestamp + "," + signature, verify.ErrMalformed},
			{"a signature of half the length", timestamp + "," + signature[:35], timestamp + "," + signature, verify.ErrMalformed},
			{"a signature of twice the length", timestamp + "," + signature + signature[3:], timestamp + "," + signature, verify.ErrMalformed},
			{"a name in upper case", timestamp + ",V1" + signature[2:], timestamp + "," + signature, verify.ErrUnsigned},
		} {
			t.Run(tt.name, func(t *testing.T) {
				refusedHead(t, v, &verify.Head{Header: header("Listed-Signature", tt.wrong), ReceivedAt: received}, tt.want)
				accepted(t, v, header("Listed-Signature", tt.right), "{}")
			})
		}
		t.Run("the order of items does not matter", func(t *testing.T) {
			accepted(t, v, header("Listed-Signature", signature+","+timestamp), "{}")
		})
	})

	t.Run("Base64 is canonical", func(t *testing.T) {
		v := mustNew(t, shopify(), nil, plainSecrets[0])
		// A body whose signature ends in a character with unused bits.
		const body = `{"id":1}`
		sum := macOf(sha256.New, plainSecrets[0], body)
		genuine := base64.StdEncoding.EncodeToString(sum)
		last := strings.IndexByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", genuine[42])
		trailing := genuine[:42] + "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[last+1:last+2] + "="
		if got, err := base64.StdEncoding.DecodeString(trailing); err != nil || string(got) != string(sum) {
			t.Fatal("the lenient decoder does not take the trailing bits; the case tests nothing")
		}
		for name, value := range map[string]string{
			"trailing bits":          trailing,
			"a line break":           genuine[:20] + "\n" + genuine[20:],
			"a line break at last":   genuine + "\n",
			"a carriage return":      genuine[:20] + "\r\n" + genuine[20:],
			"no padding":             genuine[:43],
			"a line break for it":    genuine[:43] + "\n",
			"two padding characters": genuine + "=",
			"a space":                genuine[:20] + " " + genuine[20:],
			"hexadecimal":            hex.EncodeToString(sum),
			"one byte more":          base64.StdEncoding.EncodeToString(append(sum, 0)),
			"one byte less":          base64.StdEncoding.EncodeToString(sum[:31]),
		} {
			t.Run(name, func(t *testing.T) {
				h := http.Header{"X-Shopify-Hmac-Sha256": {value}}
				refusedHead(t, v, &verify.Head{Header: h, ReceivedAt: received}, verify.ErrMalformed)
				accepted(t, v, http.Header{"X-Shopify-Hmac-Sha256": {genuine}}, body)
			})
		}
	})

	t.Run("a weaker signature never rescues a stronger one", func(t *testing.T) {
		v := mustNew(t, twoHashes(), nil, plainSecrets[0], plainSecrets[1])
		const body = `{"action":"opened"}`
		strong := "sha256=" + hex.EncodeToString(macOf(sha256.New, plainSecrets[0], body))
		weak := "sha1=" + hex.EncodeToString(macOf(sha1.New, plainSecrets[0], body))
		for _, tt := range []struct {
			name, strong, weak string
			want               verify.Reason // zero: accepted
		}{
			{"both good", strong, weak, 0},
			{"the stronger one alone", strong, "", 0},
			{"the weaker one alone", "", weak, 0},
			{"a good stronger one with a bad weaker one", strong, "sha1=00", 0},
			{"a wrong stronger one with a good weaker one", "sha256=" + strings.Repeat("0", 64), weak, verify.ErrMismatch},
			{"a malformed stronger one with a good weaker one", "sha256=0", weak, verify.ErrMalformed},
			{"the weaker one in the stronger one's header", weak, "", verify.ErrMalformed},
			{"the stronger one in the weaker one's header", "", strong, verify.ErrMalformed},
			{"a wrong weaker one alone", "", "sha1=" + strings.Repeat("0", 40), verify.ErrMismatch},
			{"none", "", "", verify.ErrUnsigned},
		} {
			t.Run(tt.name, func(t *testing.T) {
				h := make(http.Header)
				if tt.strong != "" {
					h.Set("Strong", tt.strong)
				}
				if tt.weak != "" {
					h.Set("Weak", tt.weak)
				}
				if tt.want != 0 {
					refused(t, v, h, body, tt.want)
				} else {
					accepted(t, v, h, body)
				}
			})
		}
		t.Run("an empty stronger one with a good weaker one", func(t *testing.T) {
			refused(t, v, http.Header{"Strong": {""}, "Weak": {weak}}, body, verify.ErrUnsigned)
			accepted(t, v, http.Header{"Weak": {weak}}, body)
		})
		t.Run("a repeated stronger one with a good weaker one", func(t *testing.T) {
			refused(t, v, http.Header{"Strong": {strong, strong}, "Weak": {weak}}, body, verify.ErrMalformed)
			accepted(t, v, http.Header{"Strong": {strong}, "Weak": {weak}}, body)
		})
		t.Run("one message has one fingerprint, with and without the stronger header", func(t *testing.T) {
			for _, secret := range plainSecrets[:2] {
				both := header(
					"Strong", "sha256="+hex.EncodeToString(macOf(sha256.New, secret, body)),
					"Weak", "sha1="+hex.EncodeToString(macOf(sha1.New, secret, body)),
				)
				want := accepted(t, v, both, body)
				both.Del("Strong")
				got := accepted(t, v, both, body)
				if !got.Fingerprint.Equal(want.Fingerprint) || got.KeyLabel != want.KeyLabel {
					t.Errorf("without the stronger header: key %s, same fingerprint %v", got.KeyLabel, got.Fingerprint.Equal(want.Fingerprint))
				}
			}
		})
	})

	// Puts every byte at every place of a value that is
	// longer than a machine word.
	t.Run("only visible ASCII is read", func(t *testing.T) {
		v := mustNew(t, shopify(), nil, plainSecrets[0])
		h := signShopify(received, nil, []byte("{}"), plainSecrets[0])
		for _, length := range []int{1, 7, 8, 9, 17} {
			for i := range length {
				for c := range 256 {
					value := []byte(strings.Repeat("~", i) + "!" + strings.Repeat("!", length-i-1))
					value[i] = byte(c)
					h["X-Shopify-Webhook-Id"] = []string{string(value)}
					want := ""
					if '!' <= c && c <= '~' {
						want = string(value)
					}
					if got := accepted(t, v, h, "{}").Unsigned.ID; got != want {
						t.Fatalf("Unsigned.ID is %q for %q", got, value)
					}
				}
			}
		}
	})

	t.Run("a signed header has a form", func(t *testing.T) {
		d := bare()
		d.Message = []scheme.Part{scheme.Field("X-Id"), scheme.Literal("::"), scheme.Body()}
		d.ID = scheme.ID{Header: "X-Id", Prefix: "m-"}
		v := mustNew(t, d, nil, plainSecrets[0])
		sign := func(id, body string) http.Header {
			return header("X-Id", id, "Bare-Signature", hex.EncodeToString(macOf(sha256.New, plainSecrets[0], id+"::"+body)))
		}
		for _, tt := range []struct {
			name, wrong, right string
		}{
			{"with a space", "m-1 2", "m-12"},
			{"not in ASCII", "m-\u00e9", "m-e"},
			{"of 257 bytes", "m-" + strings.Repeat("i", 255), "m-" + strings.Repeat("i", 254)},
			{"with what ends it", "m-1::2", "m-1:2"},
			{"with the start of what ends it at its end", "m-1:", "m-:1"},
			{"with nothing", "", "m-1"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				refusedHead(t, v, &verify.Head{Header: sign(tt.wrong, "{}"), ReceivedAt: received}, verify.ErrMalformed)
				if d := accepted(t, v, sign(tt.right, "{}"), "{}"); d.ID != tt.right {
					t.Errorf("ID is %q, want %q", d.ID, tt.right)
				}
			})
		}
		t.Run("bytes that move between header and body are refused", func(t *testing.T) {
			h := sign("m-1", ":{}")
			accepted(t, v, h, ":{}")
			h.Set("X-Id", "m-1:")
			refused(t, v, h, "{}", verify.ErrMalformed)
		})
		for _, id := range []string{"m-", "x-1", "m"} {
			t.Run("an id of another form is none: "+id, func(t *testing.T) {
				if d := accepted(t, v, sign(id, "{}"), "{}"); d.ID != "" {
					t.Errorf("ID is %q", d.ID)
				}
			})
		}
	})
}

// twoHashes has a SHA-256 signature and a weaker alternative.
func twoHashes() scheme.Definition {
	d := bare()
	d.Signatures = []scheme.Signature{{Header: "Strong", Prefix: "sha256="}, {Header: "Weak", Prefix: "sha1=", Algorithm: scheme.InsecureHMACSHA1}}
	return d
}

func TestFingerprint(t *testing.T) {
	// Covers definitions in which one form
	// of a signature is a list and the other is not.
	t.Run("one message has one fingerprint in any form", func(t *testing.T) {
		list := scheme.Signature{Header: "List", Field: "v1", Separator: ",", Assign: "=", Algorithm: scheme.HMACSHA512}
		one := scheme.Signature{Header: "One"}
		const message = `{"id":"7"}`
		h := header(
			"List", "v1="+hex.EncodeToString(macOf(sha512.New, plainSecrets[0], message)),
			"One", hex.EncodeToString(macOf(sha256.New, plainSecrets[0], message)),
		)
		for _, signatures := range [][]scheme.Signature{{list, one}} {
			for _, id := range []scheme.ID{{}, {Member: "id"}} {
				t.Run(fmt.Sprintf("%s first, id %q", signatures[0].Header, id.Member), func(t *testing.T) {
					d := bare()
					d.Signatures, d.ID = signatures, id
					v := mustNew(t, d, nil, plainSecrets[0], plainSecrets[1])
					want := accepted(t, v, h, message)
					weaker := h.Clone()
					weaker.Del(signatures[0].Header)
					if got := accepted(t, v, weaker, message); !got.Fingerprint.Equal(want.Fingerprint) {
						t.Error("without the stronger header the fingerprint is another one")
					}
				})
			}
		}
	})

	// The store knows it by
	// nothing else.
	t.Run("a message without an id has one fingerprint over a rotation", func(t *testing.T) {
		const body = `no event`
		h := header("Listed-Signature", signListed(body, plainSecrets[0], plainSecrets[1]))
		before := accepted(t, mustNew(t, listed(), nil, plainSecrets[0]), h, body)
		during := accepted(t, mustNew(t, listed(), nil, plainSecrets[1], plainSecrets[0]), h, body)
		after := accepted(t, mustNew(t, listed(), nil, plainSecrets[1]), h, body)
		if before.ID != "" {
			t.Fatalf("the message has the id %q", before.ID)
		}
		if !before.Fingerprint.Equal(during.Fingerprint) || !during.Fingerprint.Equal(after.Fingerprint) {
			t.Error("the fingerprint changes when the keys do")
		}
	})
}

func TestUnsigned(t *testing.T) {
	t.Run("a partition is one of a closed list", func(t *testing.T) {
		v := mustNew(t, shopify(), &scheme.Options{Partitions: []string{"orders/create", "orders/paid"}}, plainSecrets[0])
		const body = `{"id":1}`
		sign := func(topics ...string) http.Header {
			h := signShopify(received, nil, []byte(body), plainSecrets[0])
			h["X-Shopify-Topic"] = topics
			return h
		}
		for _, tt := range []struct {
			name   string
			topics []string
			want   string
		}{
			{"a listed value", []string{"orders/create"}, "orders/create"},
			{"another listed value", []string{"orders/paid"}, "orders/paid"},
			{"a value that is not listed", []string{"orders/cancelled"}, ""},
			{"a listed value in upper case", []string{"ORDERS/CREATE"}, ""},
			{"a listed value and more", []string{"orders/create2"}, ""},
			{"a listed value with a space", []string{"orders/create "}, ""},
			{"a part of a listed value", []string{"orders"}, ""},
			{"an empty value", []string{""}, ""},
			{"two values", []string{"orders/create", "orders/paid"}, ""},
			{"one value twice", []string{"orders/create", "orders/create"}, ""},
			{"no value", nil, ""},
		} {
			t.Run(tt.name, func(t *testing.T) {
				d := accepted(t, v, sign(tt.topics...), body)
				if d.Unsigned.Partition != tt.want {
					t.Errorf("Partition is %q, want %q", d.Unsigned.Partition, tt.want)
				}
			})
		}
		t.Run("no value counts where none is configured", func(t *testing.T) {
			d := accepted(t, mustNew(t, shopify(), nil, plainSecrets[0]), sign("orders/create"), body)
			if d.Unsigned.Partition != "" || d.Unsigned.Type != "orders/create" {
				t.Errorf("Partition is %q, Type %q", d.Unsigned.Partition, d.Unsigned.Type)
			}
		})
		t.Run("the fingerprint is the same in all of them", func(t *testing.T) {
			if !accepted(t, v, sign("orders/create"), body).Fingerprint.Equal(accepted(t, v, sign("orders/paid"), body).Fingerprint) {
				t.Error("a header that is not signed changes the fingerprint")
			}
		})
	})

	t.Run("distinction by id needs one good id", func(t *testing.T) {
		v := mustNew(t, shopify(), &scheme.Options{InsecureDistinctByUnsignedID: true}, plainSecrets[0])
		const body = `{"id":1}`
		sign := func(ids ...string) http.Header {
			h := signShopify(received, nil, []byte(body), plainSecrets[0])
			h["X-Shopify-Webhook-Id"] = ids
			return h
		}
		one, other := accepted(t, v, sign("id-1"), body), accepted(t, v, sign("id-2"), body)
		if one.Unsigned.Partition != "id-1" || other.Unsigned.Partition != "id-2" || !one.Fingerprint.Equal(other.Fingerprint) {
			t.Errorf("partitions are %q and %q", one.Unsigned.Partition, other.Unsigned.Partition)
		}
		accepted(t, v, sign(strings.Repeat("i", 256)), body)
		for name, ids := range map[string][]string{
			"none": nil, "an empty one": {""}, "two": {"id-1", "id-2"}, "one twice": {"id-1", "id-1"}, "one with a space": {"id 1"},
			"one that is not ASCII": {"id-\u00e9"}, "one of 257 bytes": {strings.Repeat("i", 257)},
		} {
			t.Run(name, func(t *testing.T) {
				refusedHead(t, v, &verify.Head{Header: sign(ids...), ReceivedAt: received}, verify.ErrMalformed)
				accepted(t, mustNew(t, shopify(), nil, plainSecrets[0]), sign(ids...), body)
			})
		}
	})

	t.Run("headers are read only where they are single and short", func(t *testing.T) {
		v := mustNew(t, shopify(), nil, plainSecrets[0])
		for _, tt := range []struct {
			name   string
			values []string
			want   string
		}{
			{"one value", []string{"abc"}, "abc"},
			{"a value of 256 bytes", []string{strings.Repeat("a", 256)}, strings.Repeat("a", 256)},
			{"a value of 257 bytes", []string{strings.Repeat("a", 257)}, ""},
			{"two values", []string{"abc", "abc"}, ""},
			{"a value with a space", []string{"a c"}, ""},
			{"a value with a line break", []string{"a\nc"}, ""},
			{"a value with an escape sequence", []string{"\x1b[2J"}, ""},
			{"a value that is not ASCII", []string{"\u00e9"}, ""},
			{"no value", nil, ""},
		} {
			t.Run(tt.name, func(t *testing.T) {
				h := signShopify(received, nil, []byte("{}"), plainSecrets[0])
				h["X-Shopify-Topic"], h["X-Shopify-Webhook-Id"] = tt.values, tt.values
				d := accepted(t, v, h, "{}")
				if d.Unsigned.ID != tt.want || d.Unsigned.Type != tt.want {
					t.Errorf("Unsigned is %+v, want %q", d.Unsigned, tt.want)
				}
			})
		}
	})
}

func TestURL(t *testing.T) {
	t.Run("the signed URL is configured, and never the request's", func(t *testing.T) {
		for _, tt := range []struct{ name, wrong, right string }{
			{"it is missing", "", squareURL},
			{"it is no URL", "https://h.example/%zz", "https://h.example/%20"},
			{"it has no host", "https:///x", "https://h/x"},
			{"it has no scheme", "//h.example/x", "https://h.example/x"},
			{"it has a space", "https://h.example/x y", "https://h.example/x%20y"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				if _, err := scheme.New(square(), keys(t, plainSecrets[0]), &scheme.Options{URL: tt.wrong}); err == nil {
					t.Errorf("%q is accepted", tt.wrong)
				}
				if _, err := scheme.New(square(), keys(t, plainSecrets[0]), &scheme.Options{URL: tt.right}); err != nil {
					t.Errorf("the twin is refused: %v", err)
				}
			})
		}
		if _, err := scheme.New(bare(), keys(t, plainSecrets[0]), &scheme.Options{URL: squareURL}); err == nil {
			t.Error("a scheme that signs no URL takes one")
		}
		// The URL of the request does not matter, so no piece of the body can be
		// moved into it.
		v := mustNew(t, square(), &scheme.Options{URL: squareURL}, plainSecrets[0])
		const body = `[{"event_id":"1"},{"event_id":"2"}]`
		h := &verify.Head{Header: signSquare(received, nil, []byte(body), plainSecrets[0]), ReceivedAt: received}
		for _, raw := range []string{squareURL, squareURL + "[", "https://other.example/"} {
			h.URL, _ = url.Parse(raw)
			if _, err := verify.Verify(context.Background(), v, h, []byte(body)); err != nil {
				t.Errorf("at %s: %v", raw, err)
			}
			if _, err := verify.Verify(context.Background(), v, h, []byte(body[1:])); !errors.Is(err, verify.ErrMismatch) {
				t.Errorf("at %s a piece of the body is accepted: %v", raw, err)
			}
		}
		t.Run("it may stand behind the body", func(t *testing.T) {
			d := square()
			d.Message = []scheme.Part{scheme.Body(), scheme.URL()}
			v := mustNew(t, d, &scheme.Options{URL: squareURL}, plainSecrets[0])
			h := header("X-Square-HmacSha256-Signature", base64.StdEncoding.EncodeToString(macOf(sha256.New, plainSecrets[0], "{}"+squareURL)))
			accepted(t, v, h, "{}")
		})
	})
}

func TestWindow(t *testing.T) {
	t.Run("a window is narrowed on each side alone", func(t *testing.T) {
		for _, tt := range []struct {
			name string
			o    verify.Window
			want verify.Window
		}{
			{"not at all", verify.Window{}, verify.Window{Past: 5 * time.Minute, Future: 5 * time.Minute}},
			{"past", verify.Window{Past: time.Minute}, verify.Window{Past: time.Minute, Future: 5 * time.Minute}},
			{"future", verify.Window{Future: time.Second}, verify.Window{Past: 5 * time.Minute, Future: time.Second}},
			{"to a nanosecond", verify.Window{Past: 1, Future: 1}, verify.Window{Past: 1, Future: 1}},
		} {
			t.Run(tt.name, func(t *testing.T) {
				v := mustNew(t, listed(), &scheme.Options{Window: tt.o}, plainSecrets[0])
				if got := v.Profile().Window; got != tt.want {
					t.Errorf("window is %+v, want %+v", got, tt.want)
				}
				h := &verify.Head{Header: header("Listed-Signature", signListed("{}", plainSecrets[0]))}
				for _, edge := range []struct {
					at   time.Time
					want verify.Reason
				}{
					{received.Add(tt.want.Past), 0}, {received.Add(tt.want.Past + 1), verify.ErrTooOld},
					{received.Add(-tt.want.Future), 0}, {received.Add(-tt.want.Future - 1), verify.ErrTooNew},
				} {
					h.ReceivedAt = edge.at
					if _, err := v.Begin(context.Background(), h); verify.ReasonOf(err) != edge.want {
						t.Errorf("received %v after the signed time: %v, want %v", edge.at.Sub(received), err, edge.want)
					}
				}
			})
		}
	})
}
