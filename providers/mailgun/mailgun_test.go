package mailgun_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/mailgun"
	"github.com/hooknotary/hooknotary/providers/providertest"
	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/verify"
)

var known = &mailgun.Options{InsecureBodyNotCovered: true}

const (
	secret = "5d1f0c6a9b3e47d28c50f1ae6b7d9243"
	token  = "e0b5477167110d68991efc6b9f89f0a11066af27834600e123"
	other  = "5egbgr1vjgqxtrnp65xfznchgdccwh5d6i09vijqi3whgowmn6"
)

var noon = time.Unix(1773480413, 0)

func secrets() []string {
	var all []string
	for i := range verify.MaxKeys + 1 {
		all = append(all, fmt.Sprintf("%x", sha256.Sum256([]byte{byte(i)}))[:32])
	}
	return all
}

func sign(at time.Time, token, secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(strconv.FormatInt(at.Unix(), 10) + token))
	return hex.EncodeToString(mac.Sum(nil))
}

// triple is the signature of a body, with more members behind it.
func triple(timestamp, token, signature, more string) []byte {
	return []byte(`{"signature":{"token":"` + token + `","timestamp":"` + timestamp + `","signature":"` + signature + `"` + more +
		`},"event-data":{"event":"opened","id":"Ase7i2zsRYeDXztHGENqRA","timestamp":1521243339.873676}}`)
}

func at(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

func judge(v verify.Verifier, body []byte) (*verify.Delivery, error) {
	return verify.Verify(context.Background(), v, &verify.Head{Method: http.MethodPost, ReceivedAt: noon}, body)
}

func newVerifier(t *testing.T, o *mailgun.Options, secrets ...string) verify.Verifier {
	t.Helper()
	v, err := mailgun.New(verify.Secrets(secrets...), o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func profile() verify.Profile {
	return verify.Profile{
		Provider: "mailgun", MediaType: "application/json", MaxBody: 1 << 20, Window: verify.Window{Past: 9 * time.Hour, Future: 5 * time.Minute},
		Binding: verify.BindingNone, Retry: verify.RetryIdentical, Retention: 24 * time.Hour,
	}
}

// TestParent: whoever holds a body that two accounts signed can leave out one of the two.
func TestParent(t *testing.T) {
	account, primary := secrets()[0], secrets()[1]
	own, parent := sign(noon, token, account), sign(noon, token, primary)
	v := newVerifier(t, known, account, primary)
	both, err := judge(v, triple(at(noon), token, own, `,"parent-signature":"`+parent+`"`))
	if err != nil {
		t.Fatal(err)
	}
	for _, signature := range []string{own, parent} {
		d, err := judge(v, triple(at(noon), token, signature, ""))
		if err != nil {
			t.Fatal(err)
		}
		if !d.Fingerprint.Equal(both.Fingerprint) || d.MessageID != both.MessageID {
			t.Error("a body with one of the two signatures is another message")
		}
	}
}

func TestBattery(t *testing.T) {
	tokens := []string{token, other}
	t.Run("JSON", func(t *testing.T) {
		providertest.ExerciseEmbedded(t, providertest.Embedded{
			New: func(keys verify.KeySource) (verify.Verifier, error) { return mailgun.New(keys, known) },
			Sign: func(when time.Time, event int, secret string) ([]byte, string, string) {
				return triple(at(when), tokens[event], sign(when, tokens[event], secret), ""), "", tokens[event]
			},
			Profile: profile(), Events: 2, Secrets: secrets(),
		})
	})
	t.Run("a form", func(t *testing.T) {
		p := profile()
		p.MediaType, p.MaxBody = "application/x-www-form-urlencoded", 25<<20
		providertest.ExerciseEmbedded(t, providertest.Embedded{
			New: func(keys verify.KeySource) (verify.Verifier, error) {
				return mailgun.New(keys, &mailgun.Options{InsecureBodyNotCovered: true, Form: true})
			},
			Sign: func(when time.Time, event int, secret string) ([]byte, string, string) {
				return []byte("event=opened&timestamp=" + at(when) + "&token=" + tokens[event] + "&signature=" + sign(when, tokens[event], secret)), "", tokens[event]
			},
			Profile: p, Events: 2, Secrets: secrets(),
		})
	})
}

func TestNew(t *testing.T) {
	for name, o := range map[string]*mailgun.Options{"no options": nil, "the zero Options": {}, "a form alone": {Form: true}} {
		if v, err := mailgun.New(verify.Secrets(secret), o); err == nil || v != nil || !strings.Contains(err.Error(), "InsecureBodyNotCovered") {
			t.Errorf("%s: %v, %v", name, v, err)
		}
	}
	for _, bad := range []string{"", "short", "pubkey-3ax6xnjp29jd6fds4gc373sgvjxteol0"} {
		if v, err := mailgun.New(verify.Secrets(bad), known); err == nil || v != nil {
			t.Errorf("%q: %v, %v", bad, v, err)
		}
	}
	mailgun.InsecureMust(secret)
	defer func() {
		if text, ok := recover().(string); !ok || !strings.HasPrefix(text, "mailgun.InsecureMust: ") {
			t.Errorf("panics with %q", text)
		}
	}()
	mailgun.InsecureMust("")
}

func TestFinish(t *testing.T) {
	v := mailgun.InsecureMust(secret)
	good := sign(noon, token, secret)
	foreign := sign(noon, token, "another secret of 32 bytes, or so")
	number := strings.Replace(string(triple(at(noon), token, good, "")), `"`+at(noon)+`"`, at(noon), 1)
	for _, tt := range []struct {
		name string
		body []byte
		want string
	}{
		{"an event", triple(at(noon), token, good, ""), "accept"},
		{"a time that is a number", []byte(number), "accept"},
		{"a signature of the parent beside it", triple(at(noon), token, foreign, `,"parent-signature":"`+good+`"`), "accept"},
		{"a signature of somebody else's parent", triple(at(noon), token, good, `,"parent-signature":"`+foreign+`"`), "accept"},
		{"two signatures of somebody else", triple(at(noon), token, foreign, `,"parent-signature":"`+foreign+`"`), "mismatch"},
		{"a signature of the parent alone", triple(at(noon), token, "", `,"parent-signature":"`+good+`"`), "unsigned"},
		{"another token", triple(at(noon), other, good, ""), "mismatch"},
		{"another time", triple(at(noon.Add(time.Second)), token, good, ""), "mismatch"},
		{"no signature", triple(at(noon), token, "", ""), "unsigned"},
		{"no signature at all", []byte(`{"event-data":{}}`), "unsigned"},
		{"a signature in upper case", triple(at(noon), token, strings.ToUpper(good), ""), "malformed"},
		{"a signature that is cut", triple(at(noon), token, good[2:], ""), "malformed"},
		{"a digit that moved from the time to the token", triple(at(noon)[:9], at(noon)[9:]+token, good, ""), "malformed"},
		{"a character that moved from the token to the time", triple(at(noon)+token[:1], token[1:], good, ""), "malformed"},
		{"a time with a sign", triple("+"+at(noon)[1:], token, good, ""), "malformed"},
		{"a time with an exponent", []byte(strings.Replace(number, at(noon), "1773480.4e3", 1)), "malformed"},
		{"a token of another alphabet", triple(at(noon), token[:49]+"-", good, ""), "malformed"},
		{"a token that is a number", []byte(strings.Replace(number, `"`+token+`"`, strings.Repeat("1", 50), 1)), "malformed"},
		{"a second signature", []byte(strings.Replace(number, `"event-data"`, `"Signature":{},"event-data"`, 1)), "malformed"},
		{"a second token", triple(at(noon), token, good, `,"token":"`+token+`"`), "malformed"},
		{"a form", []byte("timestamp=" + at(noon) + "&token=" + token + "&signature=" + good), "malformed"},
		{"a form that is signed twice", []byte("signature=1&signature=2"), "malformed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := judge(v, tt.body)
			if got := vector.Outcome(err); got != tt.want {
				t.Errorf("the outcome is %s (%v), want %s", got, err, tt.want)
			}
		})
	}
	t.Run("a field that stands in a form twice", func(t *testing.T) {
		v := newVerifier(t, &mailgun.Options{InsecureBodyNotCovered: true, Form: true}, secret)
		text := "timestamp=" + at(noon) + "&token=" + token + "&signature=" + good
		if _, err := judge(v, []byte(text)); err != nil {
			t.Error(err)
		}
		for _, more := range []string{"&token=" + token, "&timestamp=1", "&signature="} {
			if _, err := judge(v, []byte(text+more)); verify.ReasonOf(err) != verify.ErrMalformed {
				t.Errorf("%s: %v", more, err)
			}
		}
	})
}

func TestVectors(t *testing.T) {
	providertest.Vectors(t, "testdata", func(t *testing.T, tt vector.Vector) (verify.Verifier, error) {
		o := *known
		for _, option := range tt.Options {
			if option != "form" {
				t.Fatalf("unknown option %q", option)
			}
			o.Form = true
		}
		return mailgun.New(verify.Secrets(tt.Secrets...), &o)
	}, nil)
}

func TestPublished(t *testing.T) {
	n := 0
	for _, p := range vector.PublishedBy(t, "mailgun") {
		n++
		t.Run(p.Name, func(t *testing.T) {
			o := *known
			o.Form = p.Head.Header.Get("Content-Type") != "application/json"
			_, err := verify.Verify(context.Background(), newVerifier(t, &o, p.Secrets...), p.Head, p.Body)
			if got := vector.Outcome(err); got != p.Want(t) {
				t.Errorf("the outcome is %s (%v), want %s", got, err, p.Want(t))
			}
		})
	}
	if n < 2 {
		t.Errorf("found %d published vectors, want 2", n)
	}
}

// FuzzFinish: nothing but the token that was signed verifies.
func FuzzFinish(f *testing.F) {
	v := mailgun.InsecureMust(secret)
	f.Add(triple(at(noon), token, sign(noon, token, secret), ""))
	f.Add(triple(at(noon), token, sign(noon, token, secret), `,"parent-signature":"`+sign(noon, token, secret)+`"`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if d, err := judge(v, body); err == nil && (d.MessageID != token || !d.SignedAt.Equal(noon)) {
			t.Errorf("another message verifies: %+v", d)
		}
	})
}
