package braintree_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/braintree"
	"github.com/hooknotary/hooknotary/providers/providertest"
	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/verify"
)

const (
	secret = "5d1f0c6a9b3e47d28c50f1ae6b7d9243"
	public = "k7wz2m4xq9v3n6bp"
)

func secrets() []string {
	var all []string
	for i := range verify.MaxKeys + 1 {
		all = append(all, fmt.Sprintf("%x", sha256.Sum256([]byte{byte(i)}))[:32])
	}
	return all
}

func mac(text, secret string) string {
	key := sha1.Sum([]byte(secret))
	m := hmac.New(sha1.New, key[:])
	m.Write([]byte(text))
	return hex.EncodeToString(m.Sum(nil))
}

func xmlOf(kind string) string {
	return "<notification><timestamp type=\"datetime\">2026-03-14T09:26:53Z</timestamp><kind>" + kind + "</kind></notification>"
}

// payload writes XML as Braintree does, in lines of 60 characters.
func payload(xml string) string {
	text := base64.StdEncoding.EncodeToString([]byte(xml))
	var b strings.Builder
	for len(text) > 60 {
		b.WriteString(text[:60] + "\n")
		text = text[60:]
	}
	return b.String() + text + "\n"
}

func body(signature, payload string) []byte {
	return []byte("bt_signature=" + url.QueryEscape(signature) + "&bt_payload=" + url.QueryEscape(payload))
}

func judge(v verify.Verifier, body []byte) (*verify.Delivery, error) {
	return verify.Verify(context.Background(), v, &verify.Head{Method: http.MethodPost, ReceivedAt: time.Unix(1773480413, 0)}, body)
}

func TestBattery(t *testing.T) {
	kinds := []string{"subscription_canceled", "dispute_opened"}
	for name, o := range map[string]*braintree.Options{"without a challenge": nil, "with a challenge": {PublicKey: public}} {
		t.Run(name, func(t *testing.T) {
			providertest.ExerciseEmbedded(t, providertest.Embedded{
				New: func(keys verify.KeySource) (verify.Verifier, error) { return braintree.New(keys, o) },
				Sign: func(_ time.Time, event int, secret string) ([]byte, string, string) {
					p := payload(xmlOf(kinds[event]))
					return body(public+"|"+mac(p, secret), p), "", ""
				},
				Profile: verify.Profile{
					Provider: "braintree", MediaType: "application/x-www-form-urlencoded", MaxBody: 2 << 20, Binding: verify.BindingPart,
					Retry: verify.RetryIdentical, Retention: 72 * time.Hour,
				},
				Events: 2, Secrets: secrets(),
			})
		})
	}
}

func TestNew(t *testing.T) {
	for _, bad := range []string{"", "short", "access_token$production$k7wz2m4xq9v3n6bp$5d1f0c6a"} {
		if v, err := braintree.New(verify.Secrets(bad), nil); err == nil || v != nil {
			t.Errorf("%q: %v, %v", bad, v, err)
		}
	}
	for _, bad := range []string{"a|b", "<b>", "a b", strings.Repeat("a", 65)} {
		if v, err := braintree.New(verify.Secrets(secret), &braintree.Options{PublicKey: bad}); err == nil || v != nil {
			t.Errorf("the public key %q: %v, %v", bad, v, err)
		}
	}
	braintree.Must(secret)
	defer func() {
		if text, ok := recover().(string); !ok || !strings.HasPrefix(text, "braintree.Must: ") {
			t.Errorf("panics with %q", text)
		}
	}()
	braintree.Must("")
}

func TestFinish(t *testing.T) {
	p := payload(xmlOf("subscription_canceled"))
	good := public + "|" + mac(p, secret)
	foreign := "other|" + mac(p, "another secret of 32 bytes, or so")
	short := payload("<notification/>")
	for _, tt := range []struct {
		name string
		body []byte
		want string
	}{
		{"an event", body(good, p), "accept"},
		{"the fields in the other order", []byte("bt_payload=" + url.QueryEscape(p) + "&bt_signature=" + url.QueryEscape(good)), "accept"},
		{"a pair of another key in front", body(foreign+"&"+good, p), "accept"},
		{"a pair of another key behind", body(good+"&"+foreign, p), "accept"},
		{"another name of the public key", body("other|"+mac(p, secret), p), "accept"},
		{"a payload that lost its last line feed", body(good, strings.TrimSuffix(p, "\n")), "accept"},
		{"a payload that lost its line feeds", body(good, strings.ReplaceAll(p, "\n", "")), "mismatch"},
		{"a payload with a line feed more", body(good, p+"\n"), "mismatch"},
		{"pairs of other keys alone", body(foreign+"&"+foreign, p), "mismatch"},
		{"another payload", body(good, payload(xmlOf("dispute_opened"))), "mismatch"},
		{"as many pairs as may be", body(strings.Repeat(foreign+"&", 15)+good, p), "accept"},
		{"more pairs than may be", body(strings.Repeat(foreign+"&", 16)+good, p), "malformed"},
		{"no signature", []byte("bt_payload=" + url.QueryEscape(p)), "unsigned"},
		{"an empty signature", body("", p), "unsigned"},
		{"no payload", []byte("bt_signature=" + url.QueryEscape(good)), "malformed"},
		{"two payloads", append(body(good, p), "&bt_payload=x"...), "malformed"},
		{"another field", append(body(good, p), "&x=1"...), "malformed"},
		{"a signature without a public key", body(mac(p, secret), p), "malformed"},
		{"a signature in upper case", body(public+"|"+strings.ToUpper(mac(p, secret)), p), "malformed"},
		{"a signature that is cut", body(good[:len(good)-2], p), "malformed"},
		{"a pair that is empty", body(good+"&", p), "malformed"},
		{"a short payload", body(public+"|"+mac(short, secret), short), "malformed"},
		{"a payload with blanks", body(public+"|"+mac(p+" ", secret), p+" "), "malformed"},
		{"a payload that is no base64", body(public+"|"+mac(p+"A", secret), p+"A"), "malformed"},
		{"JSON", []byte(`{"bt_signature":"x"}`), "malformed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := judge(braintree.Must(secret), tt.body)
			if got := vector.Outcome(err); got != tt.want {
				t.Errorf("the outcome is %s (%v), want %s", got, err, tt.want)
			}
		})
	}
	t.Run("a payload that lost its last line feed is the same message", func(t *testing.T) {
		one, err := judge(braintree.Must(secret), body(good, p))
		if err != nil {
			t.Fatal(err)
		}
		other, err := judge(braintree.Must(secret), body(good, strings.TrimSuffix(p, "\n")))
		if err != nil || !one.Fingerprint.Equal(other.Fingerprint) {
			t.Errorf("another fingerprint, or %v", err)
		}
	})
	t.Run("an event that two keys signed is the same message without one of the pairs", func(t *testing.T) {
		old, next := secrets()[0], secrets()[1]
		one, other := "one|"+mac(p, old), "other|"+mac(p, next)
		v := braintree.Must(old, next)
		both, err := judge(v, body(one+"&"+other, p))
		if err != nil {
			t.Fatal(err)
		}
		for _, pairs := range []string{one, other, other + "&" + one} {
			d, err := judge(v, body(pairs, p))
			if err != nil {
				t.Fatal(err)
			}
			if !d.Fingerprint.Equal(both.Fingerprint) {
				t.Errorf("%s: another fingerprint", pairs)
			}
		}
	})
}

func TestPayload(t *testing.T) {
	p := payload(xmlOf("subscription_canceled"))
	d, err := judge(braintree.Must(secret), body(public+"|"+mac(p, secret), p))
	if err != nil {
		t.Fatal(err)
	}
	if xml, err := braintree.Payload(d); err != nil || string(xml) != xmlOf("subscription_canceled") {
		t.Errorf("the payload is %s, %v", xml, err)
	}
	for name, d := range map[string]*verify.Delivery{"nil": nil, "another verifier's": {Provider: "stripe", Body: d.Body}, "none": {Provider: "braintree"}} {
		if xml, err := braintree.Payload(d); err == nil || xml != nil {
			t.Errorf("%s: %s, %v", name, xml, err)
		}
	}
}

// respond asks a verifier for the response to a request without a body.
func respond(v verify.Verifier, method, query string) (*verify.Response, error) {
	u := &url.URL{Path: "/hooks", RawQuery: query}
	return verify.Respond(context.Background(), v, &verify.Head{Method: method, URL: u, ReceivedAt: time.Unix(1773480413, 0)}, nil)
}

func TestChallenge(t *testing.T) {
	v, err := braintree.New(verify.Secrets(secret), &braintree.Options{PublicKey: public})
	if err != nil {
		t.Fatal(err)
	}
	const challenge = "20f9f8ed05f77439fe955c977e4c8a53"
	r, err := respond(v, http.MethodGet, "bt_challenge="+challenge)
	if err != nil || r == nil || string(r.Body) != public+"|"+mac(challenge, secret) || r.ContentType != verify.TextPlain || !r.Computed {
		t.Fatalf("the response is %+v, %v", r, err)
	}
	for name, query := range map[string]string{
		"short": challenge[:19], "long": challenge + "0", "in upper case": strings.ToUpper(challenge), "empty": "", "with a letter": challenge[:31] + "g",
		"JSON": url.QueryEscape(`{"a":1}` + challenge[:20]), "HTML": "%3Cscript%3Ealert(1)%3C%2Fscript%3E", "a payload": url.QueryEscape(payload(xmlOf("x"))),
		"with a line feed": challenge[:31] + "%0A", "twice": challenge + "&bt_challenge=" + challenge, "with a broken query": challenge + "&%",
	} {
		if r, err := respond(v, http.MethodGet, "bt_challenge="+query); verify.ReasonOf(err) != verify.ErrMalformed {
			t.Errorf("a challenge that is %s: %+v, %v", name, r, err)
		}
	}
	for name, ask := range map[string]func() (*verify.Response, error){
		"another query": func() (*verify.Response, error) { return respond(v, http.MethodGet, "challenge="+challenge) },
		"no public key": func() (*verify.Response, error) {
			return respond(braintree.Must(secret), http.MethodGet, "bt_challenge="+challenge)
		},
		"another method": func() (*verify.Response, error) { return respond(v, http.MethodHead, "bt_challenge="+challenge) },
	} {
		if r, err := ask(); r != nil || err != nil {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	// What is answered must sign no delivery.
	for _, p := range []string{challenge, challenge + "\n", strings.TrimRight(challenge, "3")} {
		if d, err := judge(v, body(public+"|"+mac(challenge, secret), p)); err == nil {
			t.Errorf("the answer to a challenge signs %+v", d)
		}
	}
	lost, err := braintree.New(verify.KeyFunc(func(context.Context, *verify.Head) ([]verify.Key, error) { return nil, nil }), &braintree.Options{PublicKey: public})
	if err != nil {
		t.Fatal(err)
	}
	if r, err := respond(lost, http.MethodGet, "bt_challenge="+challenge); verify.ReasonOf(err) != verify.ErrNoKey {
		t.Errorf("without a key: %+v, %v", r, err)
	}
	rekeyed, err := v.(interface {
		Rekey(verify.KeySource) (verify.Verifier, error)
	}).Rekey(verify.Secrets(secret + "x"))
	if err != nil {
		t.Fatal(err)
	}
	if r, err := respond(rekeyed, http.MethodGet, "bt_challenge="+challenge); err != nil || string(r.Body) != public+"|"+mac(challenge, secret+"x") {
		t.Errorf("with another key: %+v, %v", r, err)
	}
}

func TestVectors(t *testing.T) {
	providertest.Vectors(t, "testdata", func(_ *testing.T, tt vector.Vector) (verify.Verifier, error) {
		return braintree.Must(tt.Secrets...), nil
	}, nil)
}

// TestPublished: the challenge of Braintree's own test gets its response.
func TestPublished(t *testing.T) {
	root := os.Getenv(vector.Variable)
	if root == "" {
		t.Skipf("%s is not set", vector.Variable)
	}
	text, err := os.ReadFile(filepath.Join(root, "extra", "braintree-challenge.json"))
	if err != nil {
		t.Fatal(err)
	}
	var p struct {
		Keys    []struct{ Value, ID string }
		Request struct{ URL string }
		Want    struct{ Body string } `json:"expected_response"`
	}
	if err := json.Unmarshal(text, &p); err != nil {
		t.Fatal(err)
	}
	v, err := braintree.New(verify.Secrets(p.Keys[0].Value), &braintree.Options{PublicKey: p.Keys[0].ID})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(p.Request.URL)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := respond(v, http.MethodGet, u.RawQuery); err != nil || string(r.Body) != p.Want.Body {
		t.Errorf("the response is %+v, %v; want %s", r, err, p.Want.Body)
	}
}

// FuzzFinish: nothing but the payload that was signed verifies.
func FuzzFinish(f *testing.F) {
	v := braintree.Must(secret)
	want := xmlOf("subscription_canceled")
	p := payload(want)
	f.Add(body(public+"|"+mac(p, secret), p))
	f.Add(body("a|"+mac("x", secret)+"&b|"+mac(p, secret), p))
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := judge(v, body)
		if err != nil {
			return
		}
		if xml, err := braintree.Payload(d); err != nil || string(xml) != want {
			t.Errorf("another payload verifies: %s, %v", xml, err)
		}
	})
}
