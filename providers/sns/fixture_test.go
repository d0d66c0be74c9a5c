package sns_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/sns"
	"github.com/hooknotary/hooknotary/verify"
)

const (
	arn      = "arn:aws:sns:eu-central-1:123456789012:orders"
	host     = "sns.eu-central-1.amazonaws.com"
	certURL  = "https://" + host + "/SimpleNotificationService-0a1b2c3d4e5f60718293a4b5c6d7e8f9.pem"
	signName = "sns.amazonaws.com"
)

var noon = time.Date(2026, 3, 14, 12, 0, 0, 123e6, time.UTC)

// authority is a root that signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *rsa.PrivateKey
}

// signer is a key with its certificate.
type signer struct {
	cert *x509.Certificate
	key  *rsa.PrivateKey
}

var (
	root     = newAuthority("a root")
	stranger = newAuthority("another root")
	aws      = root.issue(nil)
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func newAuthority(name string) *authority {
	key := must(rsa.GenerateKey(rand.Reader, 2048))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2110, 1, 1, 0, 0, 0, 0, time.UTC),
		KeyUsage: x509.KeyUsageCertSign,
	}
	der := must(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))
	return &authority{must(x509.ParseCertificate(der)), key}
}

// issue makes a certificate as SNS's are, but for what edit changes.
func (a *authority) issue(edit func(c *x509.Certificate)) *signer {
	key := must(rsa.GenerateKey(rand.Reader, 2048))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: signName}, DNSNames: []string{signName},
		NotBefore: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2110, 1, 1, 0, 0, 0, 0, time.UTC),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if edit != nil {
		edit(template)
	}
	der := must(x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key))
	return &signer{must(x509.ParseCertificate(der)), key}
}

// hosts is a transport under which each URL is a file.
type hosts struct {
	mu    sync.Mutex
	files map[string][]byte
	asked []string
	serve func(r *http.Request) *http.Response // for a URL that is no file
}

func (h *hosts) RoundTrip(r *http.Request) (*http.Response, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked = append(h.asked, r.Method+" "+r.URL.String())
	file, ok := h.files[r.URL.String()]
	switch {
	case ok:
		return response(r, http.StatusOK, file), nil
	case h.serve != nil:
		return h.serve(r), nil
	}
	return response(r, http.StatusNotFound, nil), nil
}

func (h *hosts) requests() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string(nil), h.asked...)
}

func response(r *http.Request, status int, body []byte) *http.Response {
	return &http.Response{
		StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)),
		ContentLength: int64(len(body)), Request: r,
	}
}

func pemOf(certs ...*x509.Certificate) []byte {
	var b []byte
	for _, c := range certs {
		b = append(b, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return b
}

// serving returns hosts that serve a certificate at certURL.
func serving(s *signer) *hosts { return &hosts{files: map[string][]byte{certURL: pemOf(s.cert)}} }

// newVerifier makes a verifier that trusts root.
func newVerifier(t testing.TB, h *hosts, edit func(o *sns.Options), topics ...string) *sns.Verifier {
	t.Helper()
	if len(topics) == 0 {
		topics = []string{arn}
	}
	o := &sns.Options{Roots: []*x509.Certificate{root.cert}, Transport: h}
	if edit != nil {
		edit(o)
	}
	v, err := sns.New(topics, o)
	if err != nil {
		t.Fatal(err)
	}
	return sns.Unlimited(v)
}

// message is a body in the making. The order of members is that of AWS.
type message struct {
	names  []string
	values map[string]string
}

func (m *message) set(name, value string) *message {
	if _, ok := m.values[name]; !ok {
		m.names = append(m.names, name)
	}
	m.values[name] = value
	return m
}

func (m *message) without(name string) *message {
	delete(m.values, name)
	for i, n := range m.names {
		if n == name {
			m.names = append(append([]string(nil), m.names[:i]...), m.names[i+1:]...)
		}
	}
	return m
}

func of(pairs ...string) *message {
	m := &message{values: make(map[string]string)}
	for i := 0; i < len(pairs); i += 2 {
		m.set(pairs[i], pairs[i+1])
	}
	return m
}

func at(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func notification(when time.Time) *message {
	return of("Type", "Notification", "MessageId", "17dea24b-55c2-540b-8362-f916557af765", "TopicArn", arn,
		"Subject", "An order", "Message", "{\"order\":\"4711\",\n\"total\":\"19.90 €\"}", "Timestamp", at(when), "SignatureVersion", "2",
		"Signature", "", "SigningCertURL", certURL,
		"UnsubscribeURL", "https://"+host+"/?Action=Unsubscribe&SubscriptionArn="+arn+":ad7d16e3-0a7c-46aa-b23e-ffaf02250cbe")
}

func confirmation(when time.Time) *message {
	return of("Type", "SubscriptionConfirmation", "MessageId", "165545c9-2a5c-472c-8df2-7ff2be2b3b1b", "Token", strings.Repeat("2336412f37", 20),
		"TopicArn", arn, "Message", "You have chosen to subscribe to the topic.\nTo confirm, visit the SubscribeURL.",
		"SubscribeURL", "https://"+host+"/?Action=ConfirmSubscription&TopicArn="+arn+"&Token="+strings.Repeat("2336412f37", 20),
		"Timestamp", at(when), "SignatureVersion", "2", "Signature", "", "SigningCertURL", certURL)
}

// lines returns what AWS signs.
func (m *message) lines() []byte {
	order := []string{"Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"}
	if m.values["Type"] != "Notification" {
		order = []string{"Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"}
	}
	var b strings.Builder
	for _, name := range order {
		if value, ok := m.values[name]; ok {
			b.WriteString(name + "\n" + value + "\n")
		}
	}
	return []byte(b.String())
}

// signed signs with the version that the message names.
func (m *message) signed(s *signer) *message {
	hash, digest := crypto.SHA256, sha256.Sum256(m.lines())
	sum := digest[:]
	if m.values["SignatureVersion"] == "1" {
		weak := sha1.Sum(m.lines())
		hash, sum = crypto.SHA1, weak[:]
	}
	return m.set("Signature", base64.StdEncoding.EncodeToString(must(rsa.SignPKCS1v15(nil, s.key, hash, sum))))
}

func (m *message) body() []byte {
	var b strings.Builder
	b.WriteString("{\n")
	for i, name := range m.names {
		if i > 0 {
			b.WriteString(",\n")
		}
		var value bytes.Buffer
		e := json.NewEncoder(&value)
		e.SetEscapeHTML(false)
		if err := e.Encode(m.values[name]); err != nil {
			panic(err)
		}
		b.WriteString("  \"" + name + "\" : " + strings.TrimSpace(value.String()))
	}
	b.WriteString("\n}")
	return []byte(b.String())
}

func head(at time.Time) *verify.Head {
	return &verify.Head{Method: http.MethodPost, Header: http.Header{"Content-Type": {"text/plain; charset=UTF-8"}}, ReceivedAt: at}
}

func judge(v *sns.Verifier, body []byte) (*verify.Delivery, error) {
	return verify.Verify(context.Background(), v, head(noon.Add(time.Second)), body)
}
