package apple_test

import (
	"bytes"
	"context"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/apple"
	"github.com/hooknotary/hooknotary/providers/providertest"
	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/verify"
)

// TestBattery signs each delivery once: the battery signs many times, and ECDSA makes
// another signature each time.
func TestBattery(t *testing.T) {
	made := make(map[string][]byte)
	providertest.ExerciseEmbedded(t, providertest.Embedded{
		New: func(verify.KeySource) (verify.Verifier, error) { return newVerifier(t, nil), nil },
		Sign: func(at time.Time, event int, _ string) ([]byte, string, string) {
			id := fmt.Sprintf("%08d%s", event, uuid[8:])
			name := fmt.Sprint(at.UnixMilli(), event)
			if made[name] == nil {
				n := notification(at)
				n.payload["notificationUUID"] = id
				if event == 1 {
					n.under("summary")["storefrontCountryCodes"] = []string{"DEU", "FRA"}
				}
				made[name] = n.body()
			}
			return bytes.Clone(made[name]), id, ""
		},
		Profile: verify.Profile{
			Provider: "apple", MediaType: "application/json", MaxBody: 256 << 10, Window: verify.Window{Past: 7 * 24 * time.Hour, Future: 5 * time.Minute},
			Binding: verify.BindingPart, Retry: verify.RetryIdentical, Retention: 8 * 24 * time.Hour,
		},
		Events: 2,
		Unit:   time.Millisecond,
	})
}

func TestFinish(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(n *token) // before it is signed
		want string
	}{
		{"a notification", func(*token) {}, "accept"},
		{"a header with a type", func(n *token) { n.header["typ"] = "JWT" }, "accept"},
		{"a summary", func(n *token) { n.under("summary") }, "accept"},
		{"data of the app", func(n *token) { n.under("appData") }, "accept"},
		{"a token of an external purchase", func(n *token) { n.under("externalPurchaseToken")["externalPurchaseId"] = "0f1e" }, "accept"},
		{"a token of an external purchase in the sandbox", func(n *token) { n.under("externalPurchaseToken")["externalPurchaseId"] = "SANDBOX_0f1e" }, "no_key"},
		{"a token of an external purchase that says production of itself", func(n *token) {
			m := n.under("externalPurchaseToken")
			m["environment"], m["externalPurchaseId"] = "Production", "SANDBOX_0f1e"
		}, "no_key"},
		{"a token of an external purchase without an id", func(n *token) { n.under("externalPurchaseToken") }, "malformed"},
		{"without the number of the app", func(n *token) { delete(n.about(), "appAppleId") }, "accept"},
		{"the number of the app as text", func(n *token) { n.about()["appAppleId"] = "1" }, "malformed"},
		{"another app", func(n *token) { n.about()["bundleId"] = "com.example.app2" }, "no_key"},
		{"the app in upper case", func(n *token) { n.about()["bundleId"] = "com.example.App" }, "no_key"},
		{"no app", func(n *token) { delete(n.about(), "bundleId") }, "malformed"},
		{"an app that is a number", func(n *token) { n.about()["bundleId"] = 1 }, "malformed"},
		{"two bundle ids", func(n *token) { n.about()["bundleid"] = bundleID }, "malformed"},
		{"the app outside of data", func(n *token) {
			delete(n.about(), "bundleId")
			n.payload["bundleId"] = bundleID
		}, "malformed"},
		{"the sandbox", func(n *token) { n.about()["environment"] = "Sandbox" }, "no_key"},
		{"the environment of Xcode", func(n *token) { n.about()["environment"] = "Xcode" }, "no_key"},
		{"no environment", func(n *token) { delete(n.about(), "environment") }, "malformed"},
		{"neither data nor a summary", func(n *token) { delete(n.payload, "data") }, "malformed"},
		{"data that is a list", func(n *token) { n.payload["data"] = []object{n.about()} }, "malformed"},
		{"data and a summary", func(n *token) { n.payload["summary"] = n.about() }, "malformed"},
		{"data twice but for upper case", func(n *token) { n.payload["Data"] = object{} }, "malformed"},
		{"no type", func(n *token) { delete(n.payload, "notificationType") }, "malformed"},
		{"no id", func(n *token) { delete(n.payload, "notificationUUID") }, "malformed"},
		{"an empty id", func(n *token) { n.payload["notificationUUID"] = "" }, "malformed"},
		{"an id as long as it may be", func(n *token) { n.payload["notificationUUID"] = strings.Repeat("a", 128) }, "accept"},
		{"an id that is longer", func(n *token) { n.payload["notificationUUID"] = strings.Repeat("a", 129) }, "malformed"},
		{"an id with a line feed", func(n *token) { n.payload["notificationUUID"] = uuid + "\n" }, "malformed"},
		{"no time", func(n *token) { delete(n.payload, "signedDate") }, "malformed"},
		{"a time that is text", func(n *token) { n.payload["signedDate"] = fmt.Sprint(noon.UnixMilli()) }, "malformed"},
		{"a time with an exponent", func(n *token) { n.payload["signedDate"] = json.Number("1773489600250e0") }, "malformed"},
		{"a time with a fraction", func(n *token) { n.payload["signedDate"] = json.Number("1773489600250.5") }, "malformed"},
		{"a negative time", func(n *token) { n.payload["signedDate"] = -noon.UnixMilli() }, "malformed"},
		{"a time in seconds", func(n *token) { n.payload["signedDate"] = noon.Unix() }, "too_old"},
		{"200 countries", func(n *token) { n.under("summary")["storefrontCountryCodes"] = make([]string, 200) }, "accept"},
		{"2,000 values", func(n *token) { n.about()["more"] = make([]int, 2000) }, "malformed"},

		{"the algorithm none", func(n *token) { n.header["alg"] = "none" }, "malformed"},
		{"the algorithm HS256", func(n *token) { n.header["alg"] = "HS256" }, "malformed"},
		{"the algorithm ES384", func(n *token) { n.header["alg"] = "ES384" }, "malformed"},
		{"the algorithm in lower case", func(n *token) { n.header["alg"] = "es256" }, "malformed"},
		{"no algorithm", func(n *token) { delete(n.header, "alg") }, "malformed"},
		{"a second algorithm", func(n *token) { n.header["Alg"] = "ES256" }, "malformed"},
		{"the URL of keys", func(n *token) { n.header["jku"] = "https://example.com/" }, "malformed"},
		{"the URL of certificates", func(n *token) { n.header["x5u"] = "https://example.com/" }, "malformed"},
		{"a key of its own", func(n *token) { n.header["jwk"] = object{} }, "malformed"},
		{"the id of a key", func(n *token) { n.header["kid"] = "1" }, "malformed"},
		{"members that are critical", func(n *token) { n.header["crit"] = []string{"b64"} }, "malformed"},
		{"a payload that is not encoded", func(n *token) { n.header["b64"] = false }, "malformed"},
		{"no certificates", func(n *token) { delete(n.header, "x5c") }, "malformed"},
		{"two certificates", func(n *token) { n.header["x5c"] = x5c(leaf, intermediate) }, "malformed"},
		{"four certificates", func(n *token) { n.header["x5c"] = x5c(leaf, intermediate, root, root) }, "malformed"},
		{"certificates that are numbers", func(n *token) { n.header["x5c"] = []int{1, 2, 3} }, "malformed"},
		{"certificates that are one text", func(n *token) { n.header["x5c"] = x5c(leaf)[0] }, "malformed"},
		{"an empty certificate", func(n *token) { n.header["x5c"] = []string{"", x5c(intermediate)[0], x5c(root)[0]} }, "malformed"},
		{"a certificate in two lines", func(n *token) {
			c := x5c(leaf, intermediate, root)
			c[0] = c[0][:64] + "\n" + c[0][64:]
			n.header["x5c"] = c
		}, "malformed"},
		{"a certificate that is too large", func(n *token) {
			n.header["x5c"] = append(x5c(leaf, intermediate), base64.StdEncoding.EncodeToString(make([]byte, 4097)))
		}, "malformed"},
		{"another root that is too large by nothing", func(n *token) {
			n.header["x5c"] = append(x5c(leaf, intermediate), base64.StdEncoding.EncodeToString(make([]byte, 4096)))
		}, "untrusted"},
		{"a header that is too large", func(n *token) { n.header["more"] = strings.Repeat("a", 24<<10) }, "malformed"},
		{"a key that is not the certificate's", func(n *token) { n.key = issue(intermediate, elliptic.P256(), signing).key }, "mismatch"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := notification(noon)
			tt.edit(n)
			d, err := judge(newVerifier(t, nil), n.body())
			if got := vector.Outcome(err); got != tt.want {
				t.Fatalf("the outcome is %s (%v), want %s", got, err, tt.want)
			}
			if err == nil && (d.ID != n.payload["notificationUUID"] || d.Scope != bundleID || !d.SignedAt.Equal(noon) || d.KeyLabel != "1f2e") {
				t.Errorf("the delivery is %+v", d)
			}
		})
	}
}

// TestBody: the body is one member, and what it holds has one spelling.
func TestBody(t *testing.T) {
	text := notification(noon).text()
	parts := strings.Split(text, ".")
	for _, tt := range []struct{ name, body, want string }{
		{"a notification", `{"signedPayload":"` + text + `"}`, "accept"},
		{"with white space", "\n{ \"signedPayload\" : \"" + text + "\" }\n", "accept"},
		{"a second member", `{"signedPayload":"` + text + `","bid":"x"}`, "malformed"},
		{"the member twice", `{"signedPayload":"` + text + `","signedPayload":"` + text + `"}`, "malformed"},
		{"the member twice but for upper case", `{"signedPayload":"` + text + `","SignedPayload":"` + text + `"}`, "malformed"},
		{"the member in upper case", `{"SIGNEDPAYLOAD":"` + text + `"}`, "malformed"},
		{"another member", `{"payload":"` + text + `"}`, "unsigned"},
		{"an escape in the name", `{"signed\u0050ayload":"` + text + `"}`, "malformed"},
		{"an escape in the text", `{"signedPayload":"\u0065` + text[1:] + `"}`, "malformed"},
		{"the text alone", text, "malformed"},
		{"the text as JSON", `"` + text + `"`, "unsigned"},
		{"a list", `[{"signedPayload":"` + text + `"}]`, "unsigned"},
		{"version 1", `{"notification_type":"DID_RENEW","bid":"com.example.app","unified_receipt":{"status":0}}`, "unsigned"},
		{"an empty text", `{"signedPayload":""}`, "unsigned"},
		{"null", `{"signedPayload":null}`, "malformed"},
		{"something behind it", `{"signedPayload":"` + text + `"}{}`, "malformed"},
		{"two parts", `{"signedPayload":"` + parts[0] + "." + parts[1] + `"}`, "malformed"},
		{"four parts", `{"signedPayload":"` + text + `.AAAA"}`, "malformed"},
		{"no signature", `{"signedPayload":"` + parts[0] + "." + parts[1] + `."}`, "malformed"},
		{"no payload", `{"signedPayload":"` + parts[0] + ".." + parts[2] + `"}`, "malformed"},
		{"no header", `{"signedPayload":".` + parts[1] + "." + parts[2] + `"}`, "malformed"},
		{"padding", `{"signedPayload":"` + text + `=="}`, "malformed"},
		{"a blank", `{"signedPayload":" ` + text + `"}`, "malformed"},
		{"a signature of zeros", `{"signedPayload":"` + parts[0] + "." + parts[1] + "." + strings.Repeat("A", 86) + `"}`, "mismatch"},
		{"a signature that is cut", `{"signedPayload":"` + text[:len(text)-2] + `"}`, "malformed"},
		{"a longer signature", `{"signedPayload":"` + text[:len(text)-2] + `AAAAAA"}`, "malformed"},
		{"a header that is a list", `{"signedPayload":"` + encode([]int{}) + "." + parts[1] + "." + parts[2] + `"}`, "malformed"},
		{"a payload that is a list", `{"signedPayload":"` + parts[0] + "." + encode([]int{}) + "." + parts[2] + `"}`, "malformed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := judge(newVerifier(t, nil), []byte(tt.body)); vector.Outcome(err) != tt.want {
				t.Errorf("the outcome is %s (%v), want %s", vector.Outcome(err), err, tt.want)
			}
		})
	}
	// The last character of a signature holds two bits, so 15 others decode to its bytes.
	t.Run("another spelling of the signature", func(t *testing.T) {
		const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
		last := strings.IndexByte(alphabet, text[len(text)-1])
		other := text[:len(text)-1] + string(alphabet[last^1])
		if _, err := judge(newVerifier(t, nil), []byte(`{"signedPayload":"`+other+`"}`)); vector.Outcome(err) != "malformed" {
			t.Errorf("the outcome is %v", err)
		}
	})
}

// TestSignatureTwin: the twin that ECDSA gives each signature makes no other event.
func TestSignatureTwin(t *testing.T) {
	text := notification(noon).text()
	cut := strings.LastIndexByte(text, '.') + 1
	sig := must(base64.RawURLEncoding.DecodeString(text[cut:]))
	s := new(big.Int).SetBytes(sig[32:])
	s.Sub(elliptic.P256().Params().N, s).FillBytes(sig[32:])
	twin := text[:cut] + base64.RawURLEncoding.EncodeToString(sig)
	v := newVerifier(t, nil)
	one, err := judge(v, []byte(`{"signedPayload":"`+text+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	other, err := judge(v, []byte(`{"signedPayload":"`+twin+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	if twin == text || !one.Fingerprint.Equal(other.Fingerprint) || one.ID != other.ID {
		t.Error("the twin of a signature is another event")
	}
}

func TestCertificates(t *testing.T) {
	expired := func(c *x509.Certificate) { c.NotAfter = noon.Add(-time.Hour) }
	early := func(c *x509.Certificate) { c.NotBefore = noon.Add(time.Hour) }
	unmarked := func(c *x509.Certificate) { c.ExtraExtensions = nil }
	for _, tt := range []struct {
		name  string
		chain func() []*holder
		want  string
	}{
		{"Apple's chain", func() []*holder { return []*holder{leaf, intermediate, root} }, "accept"},
		{"another chain under the root", func() []*holder {
			i := issue(root, elliptic.P384(), relations)
			return []*holder{issue(i, elliptic.P256(), signing), i, root}
		}, "accept"},
		{"another root of that name", func() []*holder {
			i := issue(stranger, elliptic.P384(), relations)
			return []*holder{issue(i, elliptic.P256(), signing), i, stranger}
		}, "untrusted"},
		{"another root, with the trusted one in its place", func() []*holder {
			i := issue(stranger, elliptic.P384(), relations)
			return []*holder{issue(i, elliptic.P256(), signing), i, root}
		}, "untrusted"},
		{"another root behind the chain", func() []*holder { return []*holder{leaf, intermediate, stranger} }, "untrusted"},
		{"another order", func() []*holder { return []*holder{intermediate, leaf, root} }, "untrusted"},
		{"the root in the place of the intermediate", func() []*holder { return []*holder{leaf, root, root} }, "untrusted"},
		{"a certificate of the root itself, past the intermediate", func() []*holder {
			return []*holder{issue(root, elliptic.P256(), signing), intermediate, root}
		}, "untrusted"},
		{"a certificate of another intermediate of that name", func() []*holder {
			i := issue(stranger, elliptic.P384(), relations)
			return []*holder{issue(i, elliptic.P256(), signing), intermediate, root}
		}, "untrusted"},
		{"a certificate without Apple's extension", func() []*holder {
			return []*holder{issue(intermediate, elliptic.P256(), signing, unmarked), intermediate, root}
		}, "untrusted"},
		{"a certificate with the extension of the intermediate", func() []*holder {
			return []*holder{issue(intermediate, elliptic.P256(), signing, unmarked, func(c *x509.Certificate) { mark(c, developerRelations) }), intermediate, root}
		}, "untrusted"},
		{"an intermediate without Apple's extension", func() []*holder {
			i := issue(root, elliptic.P384(), relations, unmarked)
			return []*holder{issue(i, elliptic.P256(), signing), i, root}
		}, "untrusted"},
		{"an intermediate that is no authority", func() []*holder {
			i := issue(root, elliptic.P384(), relations, func(c *x509.Certificate) { c.IsCA, c.KeyUsage = false, x509.KeyUsageDigitalSignature })
			return []*holder{issue(i, elliptic.P256(), signing), i, root}
		}, "untrusted"},
		{"a signer that is an authority", func() []*holder {
			return []*holder{issue(intermediate, elliptic.P256(), signing, authority("a signer")), intermediate, root}
		}, "untrusted"},
		{"a certificate without a key usage", func() []*holder {
			return []*holder{issue(intermediate, elliptic.P256(), signing, func(c *x509.Certificate) { c.KeyUsage = 0 }), intermediate, root}
		}, "accept"},
		{"a certificate for the agreement on keys", func() []*holder {
			return []*holder{issue(intermediate, elliptic.P256(), signing, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyAgreement }), intermediate, root}
		}, "untrusted"},
		{"a certificate that has ended", func() []*holder {
			return []*holder{issue(intermediate, elliptic.P256(), signing, expired), intermediate, root}
		}, "untrusted"},
		{"a certificate that has not begun", func() []*holder {
			return []*holder{issue(intermediate, elliptic.P256(), signing, early), intermediate, root}
		}, "untrusted"},
		{"an intermediate that has ended", func() []*holder {
			i := issue(root, elliptic.P384(), relations, expired)
			return []*holder{issue(i, elliptic.P256(), signing), i, root}
		}, "untrusted"},
		{"a key on P-384", func() []*holder { return []*holder{issue(intermediate, elliptic.P384(), signing), intermediate, root} }, "malformed"},
		{"a key of RSA", func() []*holder { return []*holder{certify(intermediate, rsaKey(), signing), intermediate, root} }, "untrusted"},
		{"an intermediate with a key of RSA", func() []*holder {
			i := certify(root, rsaKey(), relations)
			return []*holder{issue(i, elliptic.P256(), signing), i, root}
		}, "untrusted"},
		{"an intermediate on P-521", func() []*holder {
			i := issue(root, elliptic.P521(), relations)
			return []*holder{issue(i, elliptic.P256(), signing), i, root}
		}, "untrusted"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			chain := tt.chain()
			n := notification(noon)
			n.header["x5c"], n.key = x5c(chain...), chain[0].key
			if _, err := judge(newVerifier(t, nil), n.body()); vector.Outcome(err) != tt.want {
				t.Errorf("the outcome is %s (%v), want %s", vector.Outcome(err), err, tt.want)
			}
		})
	}
	t.Run("certificates are judged at the receive time", func(t *testing.T) {
		short := issue(intermediate, elliptic.P256(), signing, func(c *x509.Certificate) { c.NotAfter = noon.Add(time.Hour) })
		n := notification(noon)
		n.header["x5c"], n.key = x5c(short, intermediate, root), short.key
		body, v := n.body(), newVerifier(t, nil)
		for at, want := range map[time.Duration]string{59 * time.Minute: "accept", 61 * time.Minute: "untrusted"} {
			if _, err := verify.Verify(context.Background(), v, head(noon.Add(at)), body); vector.Outcome(err) != want {
				t.Errorf("after %v the outcome is %s (%v), want %s", at, vector.Outcome(err), err, want)
			}
		}
	})
	t.Run("a root of one's own is not Apple's", func(t *testing.T) {
		v := must(apple.New(bundleID, nil))
		if _, err := judge(v, notification(noon).body()); vector.Outcome(err) != "untrusted" {
			t.Errorf("the outcome is %v", err)
		}
	})
}

func TestNew(t *testing.T) {
	long := strings.Repeat("a", 155)
	for _, tt := range []struct {
		name, bundleID string
		o              *apple.Options
		ok             bool
	}{
		{"a bundle id", bundleID, nil, true},
		{"the zero options", bundleID, &apple.Options{}, true},
		{"the sandbox", bundleID, &apple.Options{Sandbox: true}, true},
		{"a number of the app", bundleID, &apple.Options{AppAppleID: 1}, true},
		{"a negative number of the app", bundleID, &apple.Options{AppAppleID: -1}, false},
		{"a number of the app in the sandbox", bundleID, &apple.Options{AppAppleID: 1, Sandbox: true}, false},
		{"no bundle id", "", nil, false},
		{"a blank in the bundle id", "com.example app", nil, false},
		{"a wildcard", "com.example.*", nil, false},
		{"a letter that is not ASCII", "com.exämple", nil, false},
		{"as long as it may be", long, nil, true},
		{"longer", long + "a", nil, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, err := apple.New(tt.bundleID, tt.o)
			if (err == nil) != tt.ok || (v != nil) != tt.ok {
				t.Fatalf("New says %v", err)
			}
			if err != nil && !strings.HasPrefix(err.Error(), "apple: ") {
				t.Errorf("the error is %v", err)
			}
		})
	}
	t.Run("Must panics where New returns an error", func(t *testing.T) {
		defer func() {
			if text := fmt.Sprint(recover()); !strings.HasPrefix(text, "apple.Must: there is no bundle id") {
				t.Errorf("it panics with %q", text)
			}
		}()
		if apple.Must(bundleID) == nil {
			t.Error("no verifier for a bundle id")
		}
		apple.Must("")
	})
}

func TestOptions(t *testing.T) {
	inSandbox := func(n *token) { n.about()["environment"] = "Sandbox" }
	for _, tt := range []struct {
		name string
		o    func(o *apple.Options)
		edit func(n *token)
		want string
	}{
		{"the sandbox takes its own", func(o *apple.Options) { o.Sandbox = true }, inSandbox, "accept"},
		{"the sandbox refuses production", func(o *apple.Options) { o.Sandbox = true }, nil, "no_key"},
		{"the sandbox takes its tokens", func(o *apple.Options) { o.Sandbox = true }, func(n *token) {
			n.under("externalPurchaseToken")["externalPurchaseId"] = "SANDBOX_1"
		}, "accept"},
		{"the number of the app", func(o *apple.Options) { o.AppAppleID = 1234567890 }, nil, "accept"},
		{"another number of the app", func(o *apple.Options) { o.AppAppleID = 1234567891 }, nil, "no_key"},
		{"no number of the app where one is demanded", func(o *apple.Options) { o.AppAppleID = 1234567890 }, func(n *token) { delete(n.about(), "appAppleId") }, "no_key"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := notification(noon)
			if tt.edit != nil {
				tt.edit(n)
			}
			if _, err := judge(newVerifier(t, tt.o), n.body()); vector.Outcome(err) != tt.want {
				t.Errorf("the outcome is %s (%v), want %s", vector.Outcome(err), err, tt.want)
			}
		})
	}
}

func TestPayload(t *testing.T) {
	n := notification(noon)
	d, err := judge(newVerifier(t, nil), n.body())
	if err != nil {
		t.Fatal(err)
	}
	payload, err := apple.Payload(d)
	if want := must(json.Marshal(n.payload)); err != nil || !bytes.Equal(payload, want) {
		t.Errorf("the payload is %s, %v, want %s", payload, err, want)
	}
	for name, d := range map[string]*verify.Delivery{
		"none": nil, "of another sender": {Provider: "other", Body: d.Body}, "without a body": {Provider: "apple"},
	} {
		if p, err := apple.Payload(d); err == nil || p != nil {
			t.Errorf("%s: %s, %v", name, p, err)
		}
	}
}

// TestTools: what the tools ask a verifier.
func TestTools(t *testing.T) {
	v := newVerifier(t, nil)
	n := notification(noon)
	var text strings.Builder
	for _, piece := range v.Message(nil, n.body()) {
		text.Write(piece)
	}
	if want := encode(n.header) + "." + encode(n.payload); text.String() != want {
		t.Errorf("the pieces are %q, want %q", text.String(), want)
	}
	if keys, err := v.Keys(context.Background(), nil); err != nil || len(keys) != 0 {
		t.Errorf("the keys are %v, %v", keys, err)
	}
	if v, err := v.Rekey(verify.KeyList{}); err == nil || v != nil {
		t.Errorf("Rekey makes %v, %v", v, err)
	}
	for range v.Message(nil, []byte("{}")) {
		t.Error("a body that is none has pieces")
	}
	if text := fmt.Sprintf("%v %+v", v, *v); strings.Contains(text, bundleID) {
		t.Errorf("it prints as %s", text)
	}
}

// FuzzFinish: nothing but the payload that was signed verifies.
func FuzzFinish(f *testing.F) {
	v := newVerifier(f, nil)
	n := notification(noon)
	want := must(json.Marshal(n.payload))
	text := n.text()
	f.Add([]byte(`{"signedPayload":"` + text + `"}`))
	f.Add([]byte(` {"signedPayload" : "` + text + `"} `))
	f.Add([]byte(`{"signedPayload":"a.b.c","x":1}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := judge(v, body)
		if err != nil {
			return
		}
		if got, err := apple.Payload(d); err != nil || !bytes.Equal(got, want) || d.ID != uuid || !d.SignedAt.Equal(noon) {
			t.Errorf("another payload verifies: %s, %v", got, err)
		}
	})
}

// FuzzParts: whatever the three parts hold, nothing verifies but what was signed.
func FuzzParts(f *testing.F) {
	v := newVerifier(f, nil)
	n := notification(noon)
	header, payload := must(json.Marshal(n.header)), must(json.Marshal(n.payload))
	sig := signature(n.key, encode(n.header)+"."+encode(n.payload))
	f.Add(header, payload, sig)
	f.Add([]byte(`{"alg":"none","x5c":["","",""]}`), payload, []byte{})
	f.Add(header, []byte(`{"data":{}}`), sig)
	f.Fuzz(func(t *testing.T, h, p, s []byte) {
		e := base64.RawURLEncoding
		body := `{"signedPayload":"` + e.EncodeToString(h) + "." + e.EncodeToString(p) + "." + e.EncodeToString(s) + `"}`
		if _, err := judge(v, []byte(body)); err == nil && (!bytes.Equal(h, header) || !bytes.Equal(p, payload)) {
			t.Errorf("another payload verifies: %s", p)
		}
	})
}

// TestPublished: deliveries of Apple's own tests get their verdicts. The third certificate
// of one is the root of those tests.
func TestPublished(t *testing.T) {
	for _, p := range vector.LoadPublished(t, 2, "extra/apple-*.json") {
		t.Run(p.Name, func(t *testing.T) {
			o := &apple.Options{Sandbox: true}
			var body struct{ SignedPayload string }
			var header struct{ X5C [][]byte }
			if err := json.Unmarshal(p.Body, &body); err != nil {
				t.Fatal(err)
			}
			first, _, _ := strings.Cut(body.SignedPayload, ".")
			if err := json.Unmarshal(must(base64.RawURLEncoding.DecodeString(first)), &header); err != nil {
				t.Fatal(err)
			}
			if len(header.X5C) == 3 {
				o.InsecureRoot = must(x509.ParseCertificate(header.X5C[2]))
			}
			judge := func(bundleID string, o *apple.Options) error {
				_, err := verify.Verify(context.Background(), must(apple.New(bundleID, o)), p.Head, p.Body)
				return err
			}
			err := judge("com.example", o)
			if (err == nil) != (p.Verdict == "accept") {
				t.Fatalf("the outcome is %s (%v), want %s", vector.Outcome(err), err, p.Verdict)
			}
			if err != nil {
				return
			}
			if err := judge("com.example.x", o); vector.Outcome(err) != "no_key" {
				t.Errorf("of another app: %v", err)
			}
			if err := judge("com.example", &apple.Options{Sandbox: true}); vector.Outcome(err) != "untrusted" {
				t.Errorf("under Apple's root: %v", err)
			}
		})
	}
}
