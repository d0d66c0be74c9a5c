package scheme_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// listedScheme is a scheme whose header is a list of signatures.
type listedScheme struct {
	name      string
	d         scheme.Definition
	secret    string
	item      string // what stands in front of a signature
	separator string
	encode    func([]byte) string
}

func listedSchemes() []listedScheme {
	return []listedScheme{
		{"hexadecimal", listed(), plainSecrets[0], "v1=", ",", hex.EncodeToString},
		{"base64", standardWebhooks("webhook"), base64Secrets[0], "v1,", " ", base64.StdEncoding.EncodeToString},
	}
}

func TestEdges(t *testing.T) {
	// It can match nothing, and official
	// libraries skip it. Each refusal has a twin that has the genuine signature, too.
	t.Run("a signature that does not decode spoils no other", func(t *testing.T) {
		for _, s := range listedSchemes() {
			v := mustNew(t, s.d, nil, s.secret)
			const body = `{"id":"1"}`
			genuine, timestamp, h := "", "", signStandardWebhooks(received, nil, []byte(body), base64Secrets[0])
			if s.separator == "," {
				timestamp, genuine, _ = strings.Cut(signListed(body, s.secret), ",")
				timestamp += ","
			} else {
				genuine = h.Get("Webhook-Signature")
			}
			head := func(items ...string) *verify.Head {
				value := timestamp + strings.Join(items, s.separator)
				if s.separator == "," {
					return &verify.Head{Header: header("Listed-Signature", value), ReceivedAt: received}
				}
				c := h.Clone()
				c.Set("Webhook-Signature", value)
				return &verify.Head{Header: c, ReceivedAt: received}
			}
			want := accepted(t, v, head(genuine).Header, body)
			other := s.item + s.encode(make([]byte, sha256.Size))
			text := strings.TrimPrefix(genuine, s.item)
			for name, bad := range map[string]string{
				"an empty one":                        s.item,
				"one of half the length":              s.item + text[:len(text)/2],
				"one digit less":                      genuine[:len(genuine)-1],
				"one digit more":                      genuine + "0",
				"twice the length":                    s.item + text + text,
				"one of another hash's length":        s.item + s.encode(make([]byte, 20)),
				"one that is not ASCII":               s.item + text[:len(text)-2] + "\u00e9",
				"one with a digit of no encoding":     s.item + "!" + text[1:],
				"one with an assignment sign in it":   s.item + s.item + text,
				"one in the other encoding's letters": s.item + "Z" + text[1:len(text)-1] + "-",
			} {
				t.Run(s.name+": "+name, func(t *testing.T) {
					for _, items := range [][]string{{bad, genuine}, {genuine, bad}, {bad, bad, genuine, bad}, {bad, other, genuine}} {
						if d := accepted(t, v, head(items...).Header, body); !d.Fingerprint.Equal(want.Fingerprint) {
							t.Error("the message has another fingerprint with it")
						}
					}
					refusedHead(t, v, head(bad), verify.ErrMalformed)
					refusedHead(t, v, head(bad, bad), verify.ErrMalformed)
					refused(t, v, head(bad, other).Header, body, verify.ErrMismatch)
					refused(t, v, head(other, bad).Header, body, verify.ErrMismatch)
				})
			}
			t.Run(s.name+": each of them counts towards the limit", func(t *testing.T) {
				fifteen := make([]string, 15)
				for i := range fifteen {
					fifteen[i] = s.item
				}
				accepted(t, v, head(append(fifteen, genuine)...).Header, body)
				accepted(t, v, head(append([]string{genuine}, fifteen...)...).Header, body)
				refusedHead(t, v, head(append(fifteen, s.item, genuine)...), verify.ErrMalformed)
				refusedHead(t, v, head(append([]string{genuine, s.item}, fifteen...)...), verify.ErrMalformed)
			})
		}
		t.Run("a bare value stays strict", func(t *testing.T) {
			v := mustNew(t, bare(), nil, plainSecrets[0])
			genuine := hex.EncodeToString(macOf(sha256.New, plainSecrets[0], "{}"))
			accepted(t, v, header("Bare-Signature", genuine), "{}")
			for _, value := range []string{"00," + genuine, genuine + ",00", genuine + ",", strings.ToUpper(genuine)} {
				refusedHead(t, v, &verify.Head{Header: header("Bare-Signature", value), ReceivedAt: received}, verify.ErrMalformed)
			}
		})
	})

	// One that has them is a time, far ahead.
	t.Run("a time has at most 15 digits", func(t *testing.T) {
		for _, tt := range []struct {
			name string
			d    scheme.Definition
		}{{"in a header of its own", slack()}, {"in milliseconds", acme()}, {"in the list", listed()}} {
			t.Run(tt.name, func(t *testing.T) {
				v := mustNew(t, tt.d, nil, plainSecrets[0])
				head := func(timestamp string, at time.Time) *verify.Head {
					return &verify.Head{ReceivedAt: at, Header: header(
						"X-Slack-Signature", "v0="+strings.Repeat("0", 64), "X-Slack-Request-Timestamp", timestamp,
						"Listed-Signature", "t="+timestamp+",v1="+strings.Repeat("0", 64),
						"Acme-Signature", "at:"+timestamp+";sig:"+strings.Repeat("0", 128),
					)}
				}
				refusedHead(t, v, head(strings.Repeat("9", 15), received), verify.ErrTooNew)
				refusedHead(t, v, head(strings.Repeat("9", 16), received), verify.ErrMalformed)
				refusedHead(t, v, head("1"+strings.Repeat("0", 14), received), verify.ErrTooNew)
				refusedHead(t, v, head("1"+strings.Repeat("0", 15), received), verify.ErrMalformed)
				// At its own time it is as good as any.
				unit := time.Second
				if tt.d.Timestamp.Unit == scheme.Milliseconds {
					unit = time.Millisecond
				}
				at := time.Unix(999999999999999/int64(time.Second/unit), 999999999999999%int64(time.Second/unit)*int64(unit))
				if _, err := v.Begin(t.Context(), head(strings.Repeat("9", 15), at)); err != nil {
					t.Errorf("at its own time it is refused: %v", err)
				}
			})
		}
	})

	// Signed, it is accepted, and known by its fingerprint.
	t.Run("an empty body is a body", func(t *testing.T) {
		for _, tt := range []struct {
			name string
			v    *scheme.Verifier
			sign func(secret string) string // the signature's header
		}{
			{"Listed-Signature", mustNew(t, listed(), nil, plainSecrets[0]), func(secret string) string { return signListed("", secret) }},
			{"Bare-Signature", mustNew(t, bare(), nil, plainSecrets[0]), func(secret string) string {
				return hex.EncodeToString(macOf(sha256.New, secret, ""))
			}},
		} {
			t.Run(tt.name, func(t *testing.T) {
				h := header(tt.name, tt.sign(plainSecrets[0]))
				d := accepted(t, tt.v, h, "")
				if d.ID != "" || d.Fingerprint.Equal(verify.Fingerprint{}) || len(d.Body) != 0 {
					t.Errorf("Delivery is %+v", d)
				}
				if again := accepted(t, tt.v, h, ""); !again.Fingerprint.Equal(d.Fingerprint) {
					t.Error("a copy has another fingerprint")
				}
				refused(t, tt.v, h, " ", verify.ErrMismatch)
				refused(t, tt.v, header(tt.name, tt.sign(plainSecrets[1])), "", verify.ErrMismatch)
			})
		}
	})
}

func TestID(t *testing.T) {
	// With its prefix, wherever it stands.
	t.Run("an id has at most 256 bytes", func(t *testing.T) {
		inHeader := bare()
		inHeader.Message = []scheme.Part{scheme.Field("X-Id"), scheme.Literal("."), scheme.Body()}
		inHeader.ID = scheme.ID{Header: "X-Id", Prefix: "m-"}
		inBody := bare()
		inBody.ID = scheme.ID{Member: "id", Prefix: "m-"}
		longest, longer := "m-"+strings.Repeat("i", 254), "m-"+strings.Repeat("i", 255)
		sign := func(id, message string) *verify.Head {
			return &verify.Head{Header: header("X-Id", id, "Bare-Signature", hex.EncodeToString(macOf(sha256.New, plainSecrets[0], message))), ReceivedAt: received}
		}
		t.Run("in a header", func(t *testing.T) {
			v := mustNew(t, inHeader, nil, plainSecrets[0])
			if d := accepted(t, v, sign(longest, longest+".{}").Header, "{}"); d.ID != longest {
				t.Errorf("ID is %q", d.ID)
			}
			refusedHead(t, v, sign(longer, longer+".{}"), verify.ErrMalformed)
		})
		t.Run("in the body", func(t *testing.T) {
			v := mustNew(t, inBody, nil, plainSecrets[0])
			for id, want := range map[string]string{longest: longest, longer: ""} {
				body := fmt.Sprintf(`{"id":%q}`, id)
				if d := accepted(t, v, sign("", body).Header, body); d.ID != want {
					t.Errorf("of %d bytes: ID is %q", len(id), d.ID)
				}
			}
		})
	})

	// Events that share one are told apart by their messages,
	// and a copy of one is still the same message.
	t.Run("an id that is repeated is none", func(t *testing.T) {
		d := listed()
		d.ID.Repeated = []string{"evt_000", "evt_test"}
		v := mustNew(t, d, nil, plainSecrets[0])
		d.ID.Repeated[0] = "evt_001" // behind the verifier's back
		deliver := func(body string) *verify.Delivery {
			return accepted(t, v, header("Listed-Signature", signListed(body, plainSecrets[0])), body)
		}
		paid, refunded := deliver(`{"id":"evt_000","type":"paid"}`), deliver(`{"id":"evt_000","type":"refunded"}`)
		if paid.ID != "" || refunded.ID != "" || paid.Fingerprint.Equal(refunded.Fingerprint) {
			t.Errorf("the ids are %q and %q, the fingerprints are the same: %v", paid.ID, refunded.ID, paid.Fingerprint.Equal(refunded.Fingerprint))
		}
		if copied := deliver(`{"id":"evt_000","type":"paid"}`); !copied.Fingerprint.Equal(paid.Fingerprint) {
			t.Error("a copy is another message")
		}
		for id, want := range map[string]string{"evt_test": "", "evt_001": "evt_001", "evt_0000": "evt_0000", "evt_00": "evt_00"} {
			if d := deliver(`{"id":"` + id + `"}`); d.ID != want {
				t.Errorf("ID of %q is %q, want %q", id, d.ID, want)
			}
		}
		d = bare()
		d.ID.Repeated = []string{"evt_000"}
		if _, err := scheme.New(d, keys(t, plainSecrets[0]), nil); err == nil {
			t.Error("a definition with repeated ids and no id is taken")
		}
	})
}
