package scheme_test

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// carried is a definition whose time stands in the body.
func carried() scheme.Definition {
	d := bare()
	d.Timestamp = scheme.Timestamp{Member: "sentAt", Unit: scheme.Milliseconds, Window: verify.Window{Past: time.Minute, Future: time.Second}}
	d.ID = scheme.ID{Member: "id"}
	return d
}

func TestTimeInBody(t *testing.T) {
	v := mustNew(t, carried(), nil, plainSecrets[0])
	sign := func(body string) *verify.Head {
		return &verify.Head{Header: header("Bare-Signature", hex.EncodeToString(macOf(sha256.New, plainSecrets[0], body))), ReceivedAt: received}
	}
	now := received.UnixMilli()
	good := fmt.Sprintf(`{"id":"7","sentAt":%d}`, now)
	t.Run("it is judged behind the signature", func(t *testing.T) {
		for _, tt := range []struct {
			name string
			at   time.Time
			want verify.Reason
		}{
			{"now", received, 0},
			{"the oldest", received.Add(-time.Minute), 0},
			{"older", received.Add(-time.Minute - time.Millisecond), verify.ErrTooOld},
			{"the newest", received.Add(time.Second), 0},
			{"newer", received.Add(time.Second + time.Millisecond), verify.ErrTooNew},
		} {
			t.Run(tt.name, func(t *testing.T) {
				body := fmt.Sprintf(`{"id":"7","sentAt":%d}`, tt.at.UnixMilli())
				p, err := v.Begin(context.Background(), sign(body))
				if err != nil {
					t.Fatalf("the head is refused: %v", err)
				}
				d, err := p.Finish(context.Background(), []byte(body))
				if verify.ReasonOf(err) != tt.want {
					t.Fatalf("error is %v, want %q", err, tt.want)
				}
				if err != nil {
					refusal, ok := err.(*verify.Error)
					if !ok || refusal.Message.Equal(verify.Fingerprint{}) {
						t.Errorf("the refusal does not name the signed message: %#v", err)
					}
					return
				}
				if !d.SignedAt.Equal(tt.at) || d.ID != "7" {
					t.Errorf("the time is %v and the id %q, want %v", d.SignedAt, d.ID, tt.at)
				}
			})
		}
		old := fmt.Sprintf(`{"id":"7","sentAt":%d}`, now-int64(time.Hour/time.Millisecond))
		refused(t, v, sign(good).Header, old, verify.ErrMismatch)
	})
	t.Run("a body in which two readers could find two times is refused", func(t *testing.T) {
		for name, body := range map[string]string{
			"twice":                          fmt.Sprintf(`{"sentAt":%d,"sentAt":%d}`, now, now),
			"in other letters, too":          fmt.Sprintf(`{"sentAt":%d,"sentat":0}`, now),
			"with an escape in a name":       fmt.Sprintf(`{"sentAt":%d,"sent\u0041t":0}`, now),
			"a string":                       fmt.Sprintf(`{"sentAt":"%d"}`, now),
			"with a fraction":                fmt.Sprintf(`{"sentAt":%d.0}`, now),
			"with an exponent":               fmt.Sprintf(`{"sentAt":%de0}`, now),
			"with a sign":                    fmt.Sprintf(`{"sentAt":+%d}`, now),
			"with a zero in front":           fmt.Sprintf(`{"sentAt":0%d}`, now),
			"of more digits than a time has": fmt.Sprintf(`{"sentAt":%d000}`, now),
			"null":                           `{"sentAt":null}`,
			"missing":                        `{"id":"7"}`,
			"in another object":              fmt.Sprintf(`{"data":{"sentAt":%d}}`, now),
			"in an array":                    fmt.Sprintf(`[{"sentAt":%d}]`, now),
			"in a body with more behind it":  fmt.Sprintf(`{"sentAt":%d}{}`, now),
			"an empty body":                  "",
		} {
			t.Run(name, func(t *testing.T) { refused(t, v, sign(body).Header, body, verify.ErrMalformed) })
		}
		accepted(t, v, sign(good).Header, good)
		spaced := fmt.Sprintf(" { \"data\" : {\"sentAt\":1,\"s\\u0061\":2} , \"sentAt\" : %d } \n", now)
		accepted(t, v, sign(spaced).Header, spaced)
	})
	t.Run("the options narrow its window", func(t *testing.T) {
		narrow := mustNew(t, carried(), &scheme.Options{Window: verify.Window{Past: time.Second}}, plainSecrets[0])
		body := fmt.Sprintf(`{"sentAt":%d}`, now-2000)
		refused(t, narrow, sign(body).Header, body, verify.ErrTooOld)
		accepted(t, v, sign(body).Header, body)
	})
	t.Run("it is found in time that grows with the body", func(t *testing.T) {
		const size = 4 << 20
		start := time.Now()
		for name, body := range map[string]string{
			"quotes": `{"a":"` + strings.Repeat(`\"`, size/2), "backslashes": `{"a":"` + strings.Repeat(`\`, size) + `"`,
			"members": `{` + strings.Repeat(`"a":1,`, size/6), "braces": `{"a":` + strings.Repeat(`{`, size),
			"names": `{"` + strings.Repeat(`a`, size) + `":1`,
		} {
			t.Run(name, func(t *testing.T) { refused(t, v, sign(body).Header, body, verify.ErrMalformed) })
		}
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestBareHash(t *testing.T) {
	hashed := func(algorithm scheme.Algorithm, parts ...scheme.Part) scheme.Definition {
		d := bare()
		d.Signatures[0].Algorithm, d.Message = algorithm, parts
		return d
	}
	t.Run("it is the hash of what is around the secret and the secret", func(t *testing.T) {
		sha := func(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(text))) }
		for _, tt := range []struct {
			name      string
			d         scheme.Definition
			signature string
		}{
			{"the secret in front", hashed(scheme.InsecureSHA256, scheme.SecretText(), scheme.Body()), sha(plainSecrets[0] + "{}")},
			{"the secret behind", hashed(scheme.InsecureSHA256, scheme.Body(), scheme.SecretText()), sha("{}" + plainSecrets[0])},
			{"SHA-1", hashed(scheme.InsecureSHA1, scheme.Body(), scheme.SecretText()), fmt.Sprintf("%x", sha1.Sum([]byte("{}"+plainSecrets[0])))},
		} {
			t.Run(tt.name, func(t *testing.T) {
				h := header("Bare-Signature", tt.signature)
				v := mustNew(t, tt.d, nil, plainSecrets[1], plainSecrets[0])
				accepted(t, v, h, "{}")
				refused(t, v, h, "{ }", verify.ErrMismatch)
				refused(t, mustNew(t, tt.d, nil, plainSecrets[1]), h, "{}", verify.ErrMismatch)
				for what, text := range v.Message(&verify.Head{Header: h}, []byte("{}")) {
					if what == "secret" && text != nil || strings.Contains(string(text), plainSecrets[0]) {
						t.Error("the pieces of the message hold the secret")
					}
				}
			})
		}
	})
	t.Run("a mistaken one is refused", func(t *testing.T) {
		for _, tt := range []struct {
			name         string
			wrong, right scheme.Definition
			text         string
		}{
			{"without the secret", hashed(scheme.InsecureSHA256, scheme.Body()), hashed(scheme.InsecureSHA256, scheme.Body(), scheme.SecretText()), "SecretText"},
			{"with the secret twice", hashed(scheme.InsecureSHA256, scheme.SecretText(), scheme.Body(), scheme.SecretText()), hashed(scheme.InsecureSHA256, scheme.SecretText(), scheme.Body()), "SecretText"},
			{"an HMAC over the secret", hashed(scheme.HMACSHA256, scheme.SecretText(), scheme.Body()), hashed(scheme.HMACSHA256, scheme.Body()), "SecretText"},
			{"the body and its hash", hashed(scheme.HMACSHA256, scheme.BodySHA256(), scheme.Body()), hashed(scheme.HMACSHA256, scheme.BodySHA256()), "BodySHA256"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				if _, err := scheme.New(tt.wrong, verify.Secrets(plainSecrets[0]), nil); err == nil || !strings.Contains(err.Error(), tt.text) {
					t.Errorf("error is %v, want it to say %q", err, tt.text)
				}
				mustNew(t, tt.right, nil, plainSecrets[0])
			})
		}
		two := hashed(scheme.InsecureSHA256, scheme.Body(), scheme.SecretText())
		two.Signatures = append(two.Signatures, scheme.Signature{Header: "Other", Algorithm: scheme.InsecureHMACSHA1})
		if _, err := scheme.New(two, verify.Secrets(plainSecrets[0]), nil); err == nil || !strings.Contains(err.Error(), "bare hash") {
			t.Errorf("a bare hash beside an HMAC: %v", err)
		}
		two.Signatures[1].Algorithm = scheme.InsecureSHA1
		mustNew(t, two, nil, plainSecrets[0])
	})
}
