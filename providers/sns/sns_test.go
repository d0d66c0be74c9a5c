package sns_test

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/providertest"
	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/providers/sns"
	"github.com/hooknotary/hooknotary/verify"
)

func TestBattery(t *testing.T) {
	h := serving(aws)
	providertest.ExerciseEmbedded(t, providertest.Embedded{
		New: func(verify.KeySource) (verify.Verifier, error) {
			return newVerifier(t, h, nil), nil
		},
		Sign: func(when time.Time, event int, _ string) ([]byte, string, string) {
			m := notification(when)
			switch event {
			case 1:
				m = confirmation(when)
			case 2:
				m.without("Subject").set("MessageId", "27dea24b-55c2-540b-8362-f916557af765").set("Message", "x")
			}
			return m.signed(aws).body(), m.values["MessageId"], ""
		},
		Profile: verify.Profile{
			Provider: "sns", MediaType: "text/plain", MaxBody: 2 << 20, Window: verify.Window{Past: 2 * time.Hour, Future: 5 * time.Minute},
			Binding: verify.BindingPart, Retry: verify.RetryIdentical, Retention: 24 * time.Hour,
		},
		Events: 3,
		Unit:   time.Millisecond,
	})
}

func TestFinish(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(m *message) // before it is signed
		late func(m *message) // after that
		want string
	}{
		{"a notification", nil, nil, "accept"},
		{"a notification without a subject", func(m *message) { m.without("Subject") }, nil, "accept"},
		{"an empty subject", func(m *message) { m.set("Subject", "") }, nil, "accept"},
		{"an empty message", func(m *message) { m.set("Message", "") }, nil, "accept"},
		{"a subject that was added", func(m *message) { m.without("Subject") }, func(m *message) { m.set("Subject", "") }, "mismatch"},
		{"a subject that was taken away", nil, func(m *message) { m.without("Subject") }, "mismatch"},
		{"another message", nil, func(m *message) { m.set("Message", "other") }, "mismatch"},
		{"another message id", nil, func(m *message) { m.set("MessageId", "27dea24b-55c2-540b-8362-f916557af765") }, "mismatch"},
		{"another time", nil, func(m *message) { m.set("Timestamp", at(noon.Add(time.Millisecond))) }, "mismatch"},
		{"another topic", func(m *message) { m.set("TopicArn", arn+"2") }, nil, "no_key"},
		{"a topic that was put in the place of another", func(m *message) { m.set("TopicArn", arn+"2") }, func(m *message) { m.set("TopicArn", arn) }, "mismatch"},
		{"no signature", nil, func(m *message) { m.without("Signature") }, "unsigned"},
		{"an empty signature", nil, func(m *message) { m.set("Signature", "") }, "unsigned"},
		{"a signature without padding", nil, func(m *message) { m.set("Signature", strings.TrimRight(m.values["Signature"], "=")) }, "malformed"},
		{"a signature with a line break", nil, func(m *message) { m.set("Signature", m.values["Signature"][:8]+"\n"+m.values["Signature"][8:]) }, "malformed"},
		{"a signature of another length", nil, func(m *message) { m.set("Signature", "QUJD") }, "malformed"},
		{"a long signature", nil, func(m *message) { m.set("Signature", strings.Repeat("QUJD", 1000)) }, "malformed"},
		{"signature version 1", func(m *message) { m.set("SignatureVersion", "1") }, nil, "unsigned"},
		{"a version that was put in the place of another", nil, func(m *message) { m.set("SignatureVersion", "1") }, "unsigned"},
		{"signature version 3", nil, func(m *message) { m.set("SignatureVersion", "3") }, "malformed"},
		{"no version", nil, func(m *message) { m.without("SignatureVersion") }, "malformed"},
		{"another type", func(m *message) { m.set("Type", "Other") }, nil, "malformed"},
		{"a confirmation's type", nil, func(m *message) { m.set("Type", "SubscriptionConfirmation") }, "malformed"},
		{"a subject of two lines", func(m *message) { m.set("Subject", "a\nb") }, nil, "malformed"},
		{"a message id that is none", func(m *message) { m.set("MessageId", "1") }, nil, "malformed"},
		{"a message id in upper case", func(m *message) { m.set("MessageId", "17DEA24B-55c2-540b-8362-f916557af765") }, nil, "malformed"},
		{"a time without milliseconds", func(m *message) { m.set("Timestamp", "2026-03-14T12:00:00Z") }, nil, "malformed"},
		{"a time in another zone", func(m *message) { m.set("Timestamp", "2026-03-14T13:00:00.123+01:00") }, nil, "malformed"},
		{"a day that is none", func(m *message) { m.set("Timestamp", "2026-02-30T12:00:00.123Z") }, nil, "malformed"},
		{"attributes", nil, func(m *message) { m.set("MessageAttributes", "x") }, "malformed"},
		{"a member of another case beside the message", nil, func(m *message) { m.set("message", "other") }, "malformed"},
		{"UnsubscribeURL elsewhere", nil, func(m *message) { m.set("UnsubscribeURL", "https://evil.example/") }, "malformed"},
		{"UnsubscribeURL on a host that begins alike", nil, func(m *message) { m.set("UnsubscribeURL", "https://"+host+".evil.example/") }, "malformed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := notification(noon)
			if tt.edit != nil {
				tt.edit(m)
			}
			m.signed(aws)
			if tt.late != nil {
				tt.late(m)
			}
			h := serving(aws)
			_, err := judge(newVerifier(t, h, nil), m.body())
			if got := vector.Outcome(err); got != tt.want {
				t.Errorf("the outcome is %s (%v), want %s", got, err, tt.want)
			}
			if tt.want != "accept" && tt.want != "mismatch" && tt.name != "a signature of another length" && len(h.requests()) > 0 {
				t.Errorf("%q was fetched for it", h.requests())
			}
		})
	}
}

// TestSplit: a text that reads like lines of the signed message cannot become other values.
func TestSplit(t *testing.T) {
	v := newVerifier(t, serving(aws), nil)
	other := "27dea24b-55c2-540b-8362-f916557af765"
	m := notification(noon).without("Subject").set("Message", "hi\nMessageId\n"+other+"\nSubject\nx").signed(aws)
	if _, err := judge(v, m.body()); err != nil {
		t.Fatal(err)
	}
	forged := notification(noon).set("Message", "hi").set("MessageId", other).set("Subject", "x\nMessageId\n"+m.values["MessageId"])
	if string(forged.lines()) != string(m.lines()) {
		t.Fatal("the two do not sign the same text: does the test still show anything?")
	}
	forged.set("Signature", m.values["Signature"])
	if _, err := judge(v, forged.body()); verify.ReasonOf(err) != verify.ErrMalformed {
		t.Errorf("the same lines, split elsewhere: %v", err)
	}
}

func TestOptions(t *testing.T) {
	one := notification(noon).set("SignatureVersion", "1").signed(aws).body()
	if d, err := judge(newVerifier(t, serving(aws), func(o *sns.Options) { o.InsecureAllowSHA1 = true }), one); err != nil || d.MessageID != "" {
		t.Errorf("version 1 where it is allowed: %+v, %v", d, err)
	}
	m := notification(noon).signed(aws)
	attributes := strings.Replace(string(m.body()), "\n}", ",\n  \"MessageAttributes\" : {\"kind\":{\"Type\":\"String\",\"Value\":\"a\"}}\n}", 1)
	if _, err := judge(newVerifier(t, serving(aws), nil), []byte(attributes)); verify.ReasonOf(err) != verify.ErrMalformed {
		t.Errorf("attributes: %v", err)
	}
	v := newVerifier(t, serving(aws), func(o *sns.Options) { o.InsecureAllowUnsignedMembers = true })
	if d, err := judge(v, []byte(attributes)); err != nil || d.MessageID != d.ID || d.ID == "" {
		t.Errorf("attributes where they are allowed: %+v, %v", d, err)
	}
	if _, err := judge(v, []byte(strings.Replace(attributes, "MessageAttributes", "message", 1))); verify.ReasonOf(err) != verify.ErrMalformed {
		t.Errorf("a second message where other members are allowed: %v", err)
	}
	if v := newVerifier(t, serving(aws), func(o *sns.Options) { o.MediaType, o.MaxAge = "application/json", time.Minute }); v.Profile().MediaType != "application/json" || v.Profile().Window.Past != time.Minute {
		t.Errorf("the profile is %+v", v.Profile())
	}
	for name, edit := range map[string]func(o *sns.Options){
		"another media type": func(o *sns.Options) { o.MediaType = "text/html" },
		"a negative MaxAge":  func(o *sns.Options) { o.MaxAge = -1 },
		"a long MaxAge":      func(o *sns.Options) { o.MaxAge = 3 * time.Hour },
		"a nil root":         func(o *sns.Options) { o.Roots = []*x509.Certificate{nil} },
	} {
		o := &sns.Options{}
		edit(o)
		if v, err := sns.New([]string{arn}, o); err == nil || v != nil {
			t.Errorf("%s: %v, %v", name, v, err)
		}
	}
}

func TestTopics(t *testing.T) {
	for _, good := range []string{
		arn, "arn:aws-cn:sns:cn-north-1:123456789012:a", "arn:aws-us-gov:sns:us-gov-west-1:123456789012:A_b-c", "arn:aws:sns:us-east-1:000000000000:" + strings.Repeat("t", 256),
	} {
		if _, err := sns.New([]string{good}, nil); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range [][]string{
		nil, {}, {""}, {arn, arn}, {arn, ""}, {"orders"}, {arn + ":ad7d16e3-0a7c-46aa-b23e-ffaf02250cbe"}, {arn + "\n"}, {" " + arn}, {strings.ToUpper(arn)},
		{"arn:aws:sqs:eu-central-1:123456789012:orders"}, {"arn:aws:sns:eu-central-1:12345678901:orders"}, {"arn:aws:sns:eu.central:123456789012:orders"},
		{"arn:aws:sns:evil.example/x:123456789012:orders"}, {"arn:aws:sns:cn-north-1:123456789012:orders"}, {"arn:aws-cn:sns:eu-central-1:123456789012:orders"},
		{"arn:aws-iso:sns:us-iso-east-1:123456789012:orders"}, {"arn:aws:sns::123456789012:orders"}, {"arn:aws:sns:eu-central-1:123456789012:"},
		{"arn:aws:sns:eu-central-1:123456789012:" + strings.Repeat("t", 257)}, {"arn:aws:sns:eu-central-1:123456789012:*"},
		slices.Repeat([]string{arn}, 101),
	} {
		if v, err := sns.New(bad, nil); err == nil || v != nil {
			t.Errorf("%.100q: %v, %v", bad, v, err)
		}
	}
	two := arn[:len(arn)-6] + "refunds"
	v := newVerifier(t, serving(aws), nil, arn, two)
	d, err := judge(v, notification(noon).set("TopicArn", two).signed(aws).body())
	if err != nil || d.Scope != two {
		t.Errorf("the second topic: %+v, %v", d, err)
	}
}

func TestMust(t *testing.T) {
	sns.Must(arn)
	defer func() {
		if text, ok := recover().(string); !ok || !strings.HasPrefix(text, "sns.Must: ") || !strings.Contains(text, "variable") {
			t.Errorf("panics with %q", text)
		}
	}()
	sns.Must("")
}

func TestCertificateURL(t *testing.T) {
	for name, u := range map[string]string{
		"over plain HTTP":                "http://" + host + "/SimpleNotificationService-1.pem",
		"of a bucket that is called sns": "https://sns.s3-eu-central-1.amazonaws.com/SimpleNotificationService-1.pem",
		"in another region":              "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-1.pem",
		"in China":                       "https://" + host + ".cn/SimpleNotificationService-1.pem",
		"elsewhere":                      "https://evil.example/SimpleNotificationService-1.pem",
		"on a host that begins alike":    "https://" + host + ".evil.example/x.pem",
		"on a host that ends alike":      "https://evil" + host + "/x.pem",
		"with a user":                    "https://x@" + host + "/x.pem",
		"with the host as the user":      "https://" + host + "@evil.example/x.pem",
		"with a port":                    "https://" + host + ":443/x.pem",
		"with a query":                   "https://" + host + "/x.pem?a",
		"with a query before pem":        "https://" + host + "/?a=x.pem",
		"with a fragment":                "https://" + host + "/x#.pem",
		"without pem":                    "https://" + host + "/x",
		"with pem alone":                 "https://" + host + "/.pem",
		"with a path that goes up":       "https://" + host + "/../x.pem",
		"with a second segment":          "https://" + host + "/a/x.pem",
		"with an escape":                 "https://" + host + "/%78.pem",
		"with a line break":              "https://" + host + "/x\r\n.pem",
		"in upper case":                  "https://" + strings.ToUpper(host) + "/x.pem",
		"with a space in front":          " " + certURL,
		"with a long name":               "https://" + host + "/" + strings.Repeat("x", 129) + ".pem",
		"of the machine":                 "https://localhost:56789/cert.pem",
		"of nothing":                     "",
	} {
		t.Run(name, func(t *testing.T) {
			h := serving(aws)
			h.files[u] = h.files[certURL]
			m := notification(noon).signed(aws).set("SigningCertURL", u)
			if _, err := judge(newVerifier(t, h, nil), m.body()); verify.ReasonOf(err) != verify.ErrUntrusted {
				t.Errorf("the outcome is %v", err)
			}
			if len(h.requests()) > 0 {
				t.Errorf("%q was fetched", h.requests())
			}
		})
	}
}

func TestCertificate(t *testing.T) {
	named := func(name string) *signer {
		return root.issue(func(c *x509.Certificate) { c.Subject.CommonName, c.DNSNames = name, []string{name} })
	}
	for _, tt := range []struct {
		name string
		by   *signer
		want string
	}{
		{"one of SNS", aws, "accept"},
		{"one of a newer region", named("sns-signing.eu-central-1.amazonaws.com"), "accept"},
		{"one of another region", named("sns-signing.us-east-1.amazonaws.com"), "untrusted"},
		{"one of another service", named("s3.amazonaws.com"), "untrusted"},
		{"one with a wildcard", named("*.amazonaws.com"), "untrusted"},
		{"one with two names", root.issue(func(c *x509.Certificate) { c.DNSNames = append(c.DNSNames, "evil.example") }), "untrusted"},
		{"one with a common name alone", root.issue(func(c *x509.Certificate) { c.DNSNames = nil }), "untrusted"},
		{"one under another root", stranger.issue(nil), "untrusted"},
		{"one that has ended", root.issue(func(c *x509.Certificate) { c.NotAfter = noon }), "untrusted"},
		{"one that has not begun", root.issue(func(c *x509.Certificate) { c.NotBefore = noon.Add(time.Hour) }), "untrusted"},
		{"one for code", root.issue(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning} }), "untrusted"},
		{"one that is an authority", root.issue(func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = true, true }), "untrusted"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := judge(newVerifier(t, serving(tt.by), nil), notification(noon).signed(tt.by).body())
			if got := vector.Outcome(err); got != tt.want {
				t.Errorf("the outcome is %s (%v), want %s", got, err, tt.want)
			}
		})
	}
	t.Run("another key than the certificate's", func(t *testing.T) {
		_, err := judge(newVerifier(t, serving(aws), nil), notification(noon).signed(root.issue(nil)).body())
		if verify.ReasonOf(err) != verify.ErrMismatch {
			t.Errorf("the outcome is %v", err)
		}
	})
	t.Run("an issuer that has to be fetched", func(t *testing.T) {
		const at = "http://crt.r2m01.amazontrust.com/r2m01.cer"
		between := newAuthority("between")
		template := *between.cert
		der := must(x509.CreateCertificate(nil, &template, root.cert, between.key.Public(), root.key))
		issuer := must(x509.ParseCertificate(der))
		for url, want := range map[string]string{
			at: "accept", "http://crt.r2m01.amazontrust.com.evil.example/r2m01.cer": "untrusted", "http://evil.example/r2m01.cer": "untrusted",
			"http://a.b.amazontrust.com/r2m01.cer": "untrusted",
		} {
			leaf := (&authority{issuer, between.key}).issue(func(c *x509.Certificate) { c.IssuingCertificateURL = []string{url} })
			h := serving(leaf)
			h.files[url] = issuer.Raw
			_, err := judge(newVerifier(t, h, nil), notification(noon).signed(leaf).body())
			if got := vector.Outcome(err); got != want {
				t.Errorf("%s: the outcome is %s (%v), want %s", url, got, err, want)
			}
		}
	})
	t.Run("an issuer that somebody on the way made up is forgotten", func(t *testing.T) {
		const at = "http://crt.r2m01.amazontrust.com/r2m01.cer"
		between := newAuthority("between")
		template := *between.cert
		genuine := must(x509.ParseCertificate(must(x509.CreateCertificate(nil, &template, root.cert, between.key.Public(), root.key))))
		for name, edit := range map[string]func(c *x509.Certificate){
			"under an unknown root": func(*x509.Certificate) {},
			"which is over":         func(c *x509.Certificate) { c.NotAfter = noon.AddDate(-1, 0, 0) },
		} {
			t.Run(name, func(t *testing.T) {
				forged := *between.cert
				edit(&forged)
				leaf := (&authority{genuine, between.key}).issue(func(c *x509.Certificate) { c.IssuingCertificateURL = []string{at} })
				h := serving(leaf)
				other := strings.Replace(certURL, "0a1b", "ffff", 1)
				h.files[other] = h.files[certURL]
				h.files[at] = must(x509.CreateCertificate(nil, &forged, stranger.cert, between.key.Public(), stranger.key))
				v := newVerifier(t, h, nil)
				if _, err := judge(v, notification(noon).signed(leaf).body()); verify.ReasonOf(err) != verify.ErrUntrusted {
					t.Fatalf("under the issuer that was made up: %v", err)
				}
				h.mu.Lock()
				h.files[at] = genuine.Raw
				h.mu.Unlock()
				if _, err := judge(v, notification(noon).set("SigningCertURL", other).signed(leaf).body()); err != nil {
					t.Errorf("under the genuine one: %v", err)
				}
			})
		}
	})
	t.Run("a host that fails", func(t *testing.T) {
		h := &hosts{serve: func(r *http.Request) *http.Response { return response(r, http.StatusBadGateway, nil) }}
		_, err := judge(newVerifier(t, h, nil), notification(noon).signed(aws).body())
		if verify.ReasonOf(err) != verify.ErrUnavailable {
			t.Errorf("the outcome is %v", err)
		}
	})
	t.Run("a host that sends elsewhere", func(t *testing.T) {
		h := &hosts{serve: func(r *http.Request) *http.Response {
			res := response(r, http.StatusFound, nil)
			res.Header.Set("Location", "https://evil.example/x.pem")
			return res
		}}
		_, err := judge(newVerifier(t, h, nil), notification(noon).signed(aws).body())
		if verify.ReasonOf(err) != verify.ErrUntrusted || len(h.requests()) != 1 {
			t.Errorf("the outcome is %v after %q", err, h.requests())
		}
	})
	t.Run("one is fetched once, and a file keeps it", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "certs")
		h := serving(aws)
		body := notification(noon).signed(aws).body()
		for range 2 {
			v := newVerifier(t, h, func(o *sns.Options) { o.CertFile = file })
			for range 3 {
				if _, err := judge(v, body); err != nil {
					t.Fatal(err)
				}
			}
			for range 200 {
				if text, _ := os.ReadFile(file); strings.Contains(string(text), certURL) {
					break
				}
				time.Sleep(10 * time.Millisecond)
			}
		}
		if got := h.requests(); len(got) != 1 {
			t.Errorf("%q were asked for", got)
		}
	})
}

func TestRawDelivery(t *testing.T) {
	v := newVerifier(t, serving(aws), nil)
	h := head(noon)
	h.Header.Set("X-Amz-Sns-Rawdelivery", "true")
	if _, err := v.Begin(context.Background(), h); verify.ReasonOf(err) != verify.ErrUnsigned {
		t.Errorf("Begin says %v", err)
	}
	for _, raw := range []string{`"text"`, `{"order":4711}`} {
		if _, err := judge(v, []byte(raw)); verify.ReasonOf(err) != verify.ErrUnsigned {
			t.Errorf("%s: %v", raw, err)
		}
	}
}

func TestMessageOf(t *testing.T) {
	v := newVerifier(t, serving(aws), nil)
	d, err := judge(v, notification(noon).signed(aws).body())
	if err != nil {
		t.Fatal(err)
	}
	m, err := sns.MessageOf(d)
	if err != nil {
		t.Fatal(err)
	}
	want := sns.Message{Type: sns.Notification, ID: d.ID, TopicARN: arn, Subject: "An order", Text: "{\"order\":\"4711\",\n\"total\":\"19.90 €\"}", Timestamp: noon}
	if *m != want {
		t.Errorf("the message is %+v, want %+v", *m, want)
	}
	for name, d := range map[string]*verify.Delivery{"nil": nil, "another verifier's": {Provider: "stripe", Body: d.Body}, "none": {Provider: "sns"}} {
		if m, err := sns.MessageOf(d); err == nil || m != nil {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
	}
}

func TestConfirm(t *testing.T) {
	status := http.StatusOK
	h := serving(aws)
	h.serve = func(r *http.Request) *http.Response {
		res := response(r, status, []byte("<ConfirmSubscriptionResponse/>"))
		res.Header.Set("Location", "https://evil.example/")
		return res
	}
	v := newVerifier(t, h, nil)
	ctx := context.Background()
	verified := func(m *message) *verify.Delivery {
		d, err := judge(v, m.signed(aws).body())
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	d := verified(confirmation(noon).set("SubscribeURL", "https://evil.example/"))
	if err := v.Confirm(ctx, d); err != nil {
		t.Fatal(err)
	}
	token := strings.Repeat("2336412f37", 20)
	want := "GET https://" + host + "/?" + url.Values{"Action": {"ConfirmSubscription"}, "TopicArn": {arn}, "Token": {token}}.Encode()
	if got := h.requests(); len(got) != 2 || got[1] != want {
		t.Errorf("%q were asked for, want %q", got, want)
	}
	for name, d := range map[string]*verify.Delivery{
		"nil": nil, "a notification": verified(notification(noon)), "the end of a subscription": verified(confirmation(noon).set("Type", "UnsubscribeConfirmation")),
	} {
		if err := v.Confirm(ctx, d); err == nil {
			t.Errorf("%s is confirmed", name)
		}
	}
	if err := newVerifier(t, h, nil, arn+"2").Confirm(ctx, d); err == nil {
		t.Error("a verifier of another topic confirms it")
	}
	if got := len(h.requests()); got != 2 {
		t.Errorf("%d requests were made", got)
	}
	for _, status = range []int{http.StatusFound, http.StatusForbidden, http.StatusInternalServerError} {
		if err := v.Confirm(ctx, d); err == nil || strings.Contains(err.Error(), token) {
			t.Errorf("status %d: %v", status, err)
		}
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if err := newVerifierOver(t, failing{}).Confirm(cancelled, d); err == nil || strings.Contains(err.Error(), token) {
		t.Errorf("a transport that fails: %v", err)
	}
}

type failing struct{}

func (failing) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("no route") }

func newVerifierOver(t *testing.T, transport http.RoundTripper) *sns.Verifier {
	v, err := sns.New([]string{arn}, &sns.Options{Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestScheme(t *testing.T) {
	v := newVerifier(t, serving(aws), nil)
	m := notification(noon).signed(aws)
	var text strings.Builder
	for _, piece := range v.Message(nil, m.body()) {
		text.Write(piece)
	}
	if text.String() != string(m.lines()) {
		t.Errorf("the pieces are %q, want %q", text.String(), m.lines())
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
	if text := fmt.Sprintf("%v %+v", v, *v); strings.Contains(text, arn) {
		t.Errorf("it prints as %s", text)
	}
}

// FuzzFinish: nothing but the message that was signed verifies.
func FuzzFinish(f *testing.F) {
	v := newVerifier(f, serving(aws), func(o *sns.Options) { o.InsecureAllowUnsignedMembers, o.InsecureAllowSHA1 = true, true })
	m := notification(noon).signed(aws)
	f.Add(m.body())
	f.Add(confirmation(noon).body())
	f.Add([]byte(`{"Type":"Notification","type":""}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := judge(v, body)
		if err != nil {
			return
		}
		got, err := sns.MessageOf(d)
		if err != nil {
			t.Fatal(err)
		}
		if got.Text != m.values["Message"] || got.Subject != m.values["Subject"] || got.ID != m.values["MessageId"] || d.ID != got.ID || !d.SignedAt.Equal(noon) {
			t.Errorf("another message verifies: %+v", got)
		}
	})
}

// TestPublished: messages of AWS get their verdicts. Their certificate has ended, and its
// issuer is not published: it stands in the place of a root.
func TestPublished(t *testing.T) {
	for _, p := range vector.PublishedBy(t, "aws-sns") {
		t.Run(p.Name, func(t *testing.T) {
			if len(p.Certificates) != 1 {
				t.Fatalf("there are %d certificates", len(p.Certificates))
			}
			cert := p.Certificates[0]
			h := &hosts{serve: func(r *http.Request) *http.Response { return response(r, http.StatusOK, pemOf(cert)) }}
			topic := between(string(p.Body), `"TopicArn": "`, `"`)
			_, err := verify.Verify(context.Background(), newVerifier(t, h, func(o *sns.Options) {
				o.Roots, o.InsecureAllowSHA1 = []*x509.Certificate{cert}, true
			}, topic), p.Head, p.Body)
			if got := vector.Outcome(err); got != p.Want(t) {
				t.Errorf("the outcome is %s (%v), want %s", got, err, p.Want(t))
			}
			if _, ok := cert.PublicKey.(*rsa.PublicKey); !ok || p.Want(t) == "untrusted" && len(h.requests()) > 0 {
				t.Errorf("%q were asked for", h.requests())
			}
		})
	}
}

func between(s, before, after string) string {
	_, s, _ = strings.Cut(s, before)
	s, _, _ = strings.Cut(s, after)
	return s
}
