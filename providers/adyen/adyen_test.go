package adyen_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/adyen"
	"github.com/hooknotary/hooknotary/providers/providertest"
	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/verify"
)

var known = &adyen.Options{InsecureBodyNotCovered: true}

const secret = "5D1F0C6A9B3E47D28C50F1AE6B7D92435D1F0C6A9B3E47D28C50F1AE6B7D9243"

func secrets() []string {
	var all []string
	for i := range verify.MaxKeys + 1 {
		all = append(all, fmt.Sprintf("%x", sha256.Sum256([]byte{byte(i)})))
	}
	return all
}

// values are those of one item, in the order in which they are signed.
type values [8]string

var (
	payment = values{"T7FD4VM4D3RZNN82", "", "ShopEU", "order-4711", "1990", "EUR", "AUTHORISATION", "true"}
	refund  = values{"X3GWNS6KJ8NKGK82", "T7FD4VM4D3RZNN82", "ShopEU", "order-4711", "1990", "EUR", "REFUND", "false"}
)

func sign(v values, secret string) string {
	key, err := hex.DecodeString(secret)
	if err != nil {
		panic(err)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(strings.Join(v[:], ":")))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// item writes an item with a signature.
func item(v values, signature string) string {
	quote := func(s string) string { b, _ := json.Marshal(s); return string(b) }
	return `{"NotificationRequestItem":{"additionalData":{"hmacSignature":` + quote(signature) + `,"cardSummary":"1111"},"amount":{"currency":` + quote(v[5]) +
		`,"value":` + v[4] + `},"eventCode":` + quote(v[6]) + `,"eventDate":"2026-03-14T09:26:53+01:00","merchantAccountCode":` + quote(v[2]) +
		`,"merchantReference":` + quote(v[3]) + `,"originalReference":` + quote(v[1]) + `,"pspReference":` + quote(v[0]) + `,"success":` + quote(v[7]) + `}}`
}

func body(items ...string) []byte {
	return []byte(`{"live":"false","notificationItems":[` + strings.Join(items, ",") + `]}`)
}

func judge(t testing.TB, body []byte) (*verify.Delivery, error) {
	t.Helper()
	v := adyen.InsecureMust(secret)
	return verify.Verify(context.Background(), v, &verify.Head{Method: http.MethodPost, ReceivedAt: time.Unix(1773480413, 0)}, body)
}

func TestBattery(t *testing.T) {
	providertest.ExerciseEmbedded(t, providertest.Embedded{
		New: func(keys verify.KeySource) (verify.Verifier, error) { return adyen.New(keys, known) },
		Sign: func(_ time.Time, event int, secret string) ([]byte, string, string) {
			if event == 0 {
				return body(item(payment, sign(payment, secret))), "", ""
			}
			return body(item(refund, sign(refund, secret))), "", ""
		},
		Profile: verify.Profile{
			Provider: "adyen", MediaType: "application/json", MaxBody: 1 << 20, Binding: verify.BindingPart, Retry: verify.RetryIdentical,
			Retention: 35 * 24 * time.Hour,
		},
		Events:  2,
		Secrets: secrets(),
	})
}

func TestNew(t *testing.T) {
	for name, o := range map[string]*adyen.Options{"no options": nil, "the zero Options": {}} {
		if v, err := adyen.New(verify.Secrets(secret), o); err == nil || v != nil || !strings.Contains(err.Error(), "InsecureBodyNotCovered") {
			t.Errorf("%s: %v, %v", name, v, err)
		}
	}
	if _, err := adyen.New(verify.Secrets(secret), known); err != nil {
		t.Error(err)
	}
	if _, err := adyen.New(verify.Secrets(strings.ToLower(secret)), known); err != nil {
		t.Errorf("a key in lower case: %v", err)
	}
	for _, bad := range []string{"", secret[1:], secret + "00", "Z" + secret[1:], "AQEyhmfxK4zGbxZGw0m"} {
		if v, err := adyen.New(verify.Secrets(bad), known); err == nil || v != nil || bad != "" && strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %v, %v", bad, v, err)
		}
	}
	defer func() {
		if text, ok := recover().(string); !ok || !strings.HasPrefix(text, "adyen.InsecureMust: ") {
			t.Errorf("panics with %q", text)
		}
	}()
	adyen.InsecureMust()
}

func TestFinish(t *testing.T) {
	good := sign(payment, secret)
	with := func(i int, value string) values { v := payment; v[i] = value; return v }
	plain := item(payment, good)
	edited := func(old, new string) []byte {
		if !strings.Contains(plain, old) {
			panic(old)
		}
		return body(strings.Replace(plain, old, new, 1))
	}
	for _, tt := range []struct {
		name string
		body []byte
		want string
	}{
		{"an item", body(plain), "accept"},
		{"an item that was handled, twice", body(plain, plain), "malformed"},
		{"two items of two deliveries", body(plain, item(refund, sign(refund, secret))), "malformed"},
		{"two items of which the second is not signed right", body(plain, item(refund, good)), "malformed"},
		{"no item", body(), "unsigned"},
		{"another pspReference", body(item(with(0, "X3GWNS6KJ8NKGK82"), good)), "mismatch"},
		{"another originalReference", body(item(with(1, "X3GWNS6KJ8NKGK82"), good)), "mismatch"},
		{"another account", body(item(with(2, "ShopUS"), good)), "mismatch"},
		{"another merchantReference", body(item(with(3, "order-4712"), good)), "mismatch"},
		{"another amount", body(item(with(4, "1"), good)), "mismatch"},
		{"another currency", body(item(with(5, "JPY"), good)), "mismatch"},
		{"another event", body(item(with(6, "REFUND"), good)), "mismatch"},
		{"another success", body(item(with(7, "false"), good)), "mismatch"},
		{"a merchantReference with colons", body(item(with(3, `\\:/\\/a:b`), sign(with(3, `\\:/\\/a:b`), secret))), "accept"},
		{"a merchantReference with a euro sign", body(item(with(3, "€ 19"), sign(with(3, "€ 19"), secret))), "accept"},
		{"values that moved over a colon", body(item(values{payment[0], "", "ShopEU:order-4711", "1990", "1990", "EUR", "AUTHORISATION", "true"}, sign(values{payment[0], "", "ShopEU", "order-4711:1990", "1990", "EUR", "AUTHORISATION", "true"}, secret))), "malformed"},
		{"another reason, which is not signed", edited(`"cardSummary":"1111"`, `"cardSummary":"2222"`), "accept"},
		{"a success that is no text", edited(`"success":"true"`, `"success":true`), "malformed"},
		{"a success in upper case", body(item(with(7, "TRUE"), sign(with(7, "TRUE"), secret))), "malformed"},
		{"an amount with a fraction", body(item(with(4, "19.90"), sign(with(4, "19.90"), secret))), "malformed"},
		{"an amount with an exponent", body(item(with(4, "1e3"), sign(with(4, "1e3"), secret))), "malformed"},
		{"an amount of minus zero", body(item(with(4, "-0"), sign(with(4, "-0"), secret))), "malformed"},
		{"an amount that is a text", edited(`"value":1990`, `"value":"1990"`), "malformed"},
		{"no amount", body(strings.Replace(item(with(4, "0"), sign(values{payment[0], "", "ShopEU", "order-4711", "", "", "AUTHORISATION", "true"}, secret)), `"amount":{"currency":"EUR","value":0},`, "", 1)), "accept"},
		{"a second amount", edited(`"amount":`, `"amount":{"currency":"EUR","value":1},"amount":`), "malformed"},
		{"a second amount in upper case", edited(`"amount":`, `"Amount":{"currency":"EUR","value":1},"amount":`), "malformed"},
		{"a second list of items", []byte(strings.Replace(string(body(plain)), `"live"`, `"NotificationItems":[],"live"`, 1)), "malformed"},
		{"no pspReference", body(item(with(0, ""), sign(with(0, ""), secret))), "malformed"},
		{"a signature in hexadecimal", body(item(payment, strings.Repeat("ab", 32))), "malformed"},
		{"a signature without padding", body(item(payment, strings.TrimRight(good, "="))), "malformed"},
		{"a signature of zeros", body(item(payment, base64.StdEncoding.EncodeToString(make([]byte, 32)))), "mismatch"},
		{"no JSON", []byte("live=false"), "malformed"},
		{"JSON of another kind", []byte(`{"data":{}}`), "unsigned"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := judge(t, tt.body)
			if got := vector.Outcome(err); got != tt.want {
				t.Errorf("the outcome is %s (%v), want %s", got, err, tt.want)
			}
		})
	}
}

func TestItems(t *testing.T) {
	d, err := judge(t, body(item(refund, sign(refund, secret))))
	if err != nil {
		t.Fatal(err)
	}
	items, err := adyen.Items(d)
	want := adyen.Item{"X3GWNS6KJ8NKGK82", "T7FD4VM4D3RZNN82", "ShopEU", "order-4711", 1990, "EUR", "REFUND", false}
	if err != nil || len(items) != 1 || items[0] != want {
		t.Errorf("the items are %+v, %v", items, err)
	}
	for name, d := range map[string]*verify.Delivery{"nil": nil, "another verifier's": {Provider: "stripe", Body: d.Body}, "none": {Provider: "adyen"}} {
		if items, err := adyen.Items(d); err == nil || items != nil {
			t.Errorf("%s: %+v, %v", name, items, err)
		}
	}
}

func TestVectors(t *testing.T) {
	providertest.Vectors(t, "testdata", func(_ *testing.T, tt vector.Vector) (verify.Verifier, error) {
		return adyen.InsecureMust(tt.Secrets...), nil
	}, nil)
}

func TestPublished(t *testing.T) {
	compare, done := vector.Differences(t, filepath.Join("testdata", "DIFFERENCES.md"))
	n := 0
	for _, p := range vector.PublishedBy(t, "adyen") {
		if !strings.HasPrefix(p.Name, "adyen-payments-") {
			continue // of the platforms, which are another scheme
		}
		n++
		t.Run(p.Name, func(t *testing.T) {
			_, err := verify.Verify(context.Background(), adyen.InsecureMust(p.Secrets...), p.Head, p.Body)
			compare(t, p.Name, p.Want(t), vector.Outcome(err))
		})
	}
	if done(); n < 4 {
		t.Errorf("found %d published vectors, want 4", n)
	}
}

// FuzzFinish: nothing but the values that were signed verifies.
func FuzzFinish(f *testing.F) {
	f.Add(body(item(payment, sign(payment, secret))))
	f.Add(body(item(refund, sign(refund, secret))))
	for _, name := range []string{"event.http"} {
		if text, err := os.ReadFile(filepath.Join("testdata", name)); err == nil {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := judge(t, body)
		if err != nil {
			return
		}
		items, err := adyen.Items(d)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range items {
			if i.PSPReference != payment[0] && i.PSPReference != refund[0] || i.Value != 1990 || i.MerchantReference != "order-4711" {
				t.Errorf("another item verifies: %+v", i)
			}
		}
	})
}
