package paypal_test

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/paypal"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// alarm reports whether an observer has to show err whatever else it hides.
func alarm(err error) bool {
	var a interface{ Alarm() bool }
	return errors.As(err, &a) && a.Alarm()
}

func TestAlarm(t *testing.T) {
	// A certificate of PayPal's without a root needs a person, and nothing else does: a
	// stranger must not be able to raise the alarm.
	t.Run("a certificate of PayPal without a root is an alarm", func(t *testing.T) {
		stranger := newAuthority("New Root", nil)
		insecure := func(i *internet) http.RoundTripper {
			i.TLSClientConfig.InsecureSkipVerify = true
			return i
		}
		overTLS := func(i *internet) http.RoundTripper { return i }
		for _, tt := range []struct {
			name      string
			file      func(w *world) []byte
			transport func(*internet) http.RoundTripper
			want      verify.Reason // 0: accepted
			alarm     bool
		}{
			{"of a new authority", func(*world) []byte { return inPEM(stranger.leaf(leafKey().Public())) }, overTLS, verify.ErrUntrusted, true},
			{"of a new authority, with its root", func(*world) []byte { return inPEM(stranger.leaf(leafKey().Public()), stranger.cert) }, overTLS, verify.ErrUntrusted, true},
			{"signed by itself", func(*world) []byte { return inPEM(selfSigned(liveName)) }, overTLS, verify.ErrUntrusted, true},

			{"of the known authority", func(w *world) []byte { return w.genuineFile() }, overTLS, 0, false},
			{"of a new authority, from a host that may be anybody", func(*world) []byte { return inPEM(stranger.leaf(leafKey().Public())) }, insecure, verify.ErrUntrusted, false},
			{"of a new authority, without TLS", func(*world) []byte { return inPEM(stranger.leaf(leafKey().Public())) }, nil, verify.ErrUntrusted, false},
			{"of a new authority, in another name", func(*world) []byte {
				return inPEM(stranger.leaf(leafKey().Public(), name("www.paypal.com", "www.paypal.com")))
			}, overTLS, verify.ErrUntrusted, false},
			{"of a new authority, expired", func(*world) []byte {
				return inPEM(stranger.leaf(leafKey().Public(), validUntil(receivedAt.Add(-time.Second))))
			}, overTLS, verify.ErrUntrusted, false},
			{"of a new authority, with a key of a few bits", func(*world) []byte { return inPEM(stranger.leaf(rsaKey(1024).Public())) }, overTLS, verify.ErrUntrusted, false},
			{"that is garbage", func(*world) []byte { return []byte("garbage") }, overTLS, verify.ErrUntrusted, false},
		} {
			t.Run(tt.name, func(t *testing.T) {
				w := newWorld()
				net := newInternet(t, w.hosts)
				w.hosts.file(certURL, tt.file(w))
				v := w.verifier(t, func(o *paypal.Options) {
					if tt.transport != nil {
						o.Transport = tt.transport(net)
					}
				})
				for _, when := range []string{"at first", "remembered"} {
					_, err := verify.Verify(context.Background(), v, sent(event), event)
					if verify.ReasonOf(err) != tt.want || alarm(err) != tt.alarm {
						t.Fatalf("%s: refused with %v, alarm %v", when, err, alarm(err))
					}
					var unknown *paypal.UnknownRootError
					if errors.As(err, &unknown) != tt.alarm {
						t.Errorf("%s: the cause is a %T", when, errors.Unwrap(err))
					}
					if tt.alarm && (unknown.Issuer == "" || !strings.Contains(err.Error(), "Options.Roots")) {
						t.Errorf("%s: the error does not tell what to do: %v", when, err)
					}
				}
			})
		}
	})

	t.Run("an alarm reaches the observer", func(t *testing.T) {
		w := newWorld()
		w.hosts.file(certURL, inPEM(newAuthority("New Root", nil).leaf(leafKey().Public())))
		v := w.verifier(t, func(o *paypal.Options) { o.Transport = newInternet(t, w.hosts) })
		var seen []middleware.Report
		guard, err := middleware.New("paypal", v, replay.NewMemory(nil), &middleware.Options{
			Now:     func() time.Time { return receivedAt },
			Observe: func(_ context.Context, e middleware.Report) { seen = append(seen, e) },
		})
		must(err)
		r := httptest.NewRequest("POST", "/", strings.NewReader(string(event)))
		r.Header = sent(event).Header
		response := httptest.NewRecorder()
		guard.Handler(http.NotFoundHandler()).ServeHTTP(response, r)
		if response.Code != 401 || strings.Contains(response.Body.String(), "root") {
			t.Errorf("answered %d: %s", response.Code, response.Body)
		}
		if len(seen) != 1 || !alarm(seen[0].Err) {
			t.Errorf("the observer saw %+v", seen)
		}
	})
}

func TestRoots(t *testing.T) {
	// What happens at the end of a root: in its last second all is well, and a second
	// later each delivery is refused with an alarm, although PayPal's certificate is
	// still valid. A root that is added in time bridges it.
	t.Run("the end of a root is an alarm", func(t *testing.T) {
		end := time.Date(2029, 6, 1, 0, 0, 0, 0, time.UTC)
		for _, remembered := range []bool{false, true} {
			old := newAuthority("Old Root", nil, validUntil(end))
			issuer := newAuthority("Test Issuer", old)
			w := newWorld()
			w.hosts.file(certURL, inPEM(issuer.leaf(leafKey().Public())))
			w.hosts.file(issuerURL, issuer.cert.Raw)
			net := newInternet(t, w.hosts)
			file := ""
			if remembered {
				file = filepath.Join(t.TempDir(), "paypal.certs")
			}
			v := w.verifier(t, func(o *paypal.Options) {
				o.Transport, o.CertFile, o.Roots = net, file, []*x509.Certificate{old.cert}
			})
			if remembered {
				accept(t, "in the earlier run", v, sentUnder(certURL, leafKey(), end.Add(-time.Hour), event), event)
				written(t, v)
				v = w.verifier(t, func(o *paypal.Options) {
					o.Transport, o.CertFile, o.Roots = net, file, []*x509.Certificate{old.cert}
				})
			}
			accept(t, "in its last second", v, sentUnder(certURL, leafKey(), end, event), event)
			_, err := v.Begin(context.Background(), sentUnder(certURL, leafKey(), end.Add(time.Second), event))
			if verify.ReasonOf(err) != verify.ErrUntrusted || !alarm(err) {
				t.Errorf("remembered %v: a second after its end: %v, alarm %v", remembered, err, alarm(err))
			}
			accept(t, "one that was captured before", v, sentUnder(certURL, leafKey(), end.Add(-time.Hour), event), event)

			// The issuer's key under a root that lasts, as authorities cross-sign it.
			next := newAuthority("Next Root", nil)
			crossed := next.issue(&x509.Certificate{
				Subject: issuer.cert.Subject, NotBefore: end.AddDate(-1, 0, 0), NotAfter: end.AddDate(5, 0, 0),
				IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
			}, issuer.cert.PublicKey)
			v = w.verifier(t, func(o *paypal.Options) {
				o.Transport, o.CertFile, o.Roots = net, file, []*x509.Certificate{old.cert, next.cert}
				o.Intermediates = []*x509.Certificate{crossed}
			})
			accept(t, "a second after its end, with the next root", v, sentUnder(certURL, leafKey(), end.Add(time.Second), event), event)
		}
	})

	// The roots that this package brings, and when they end. Whoever changes one of the
	// dates has read SECURITY.md, which says them, too.
	t.Run("the embedded roots end when the documentation says", func(t *testing.T) {
		text, err := os.ReadFile("../../SECURITY.md")
		must(err)
		for file, end := range map[string]string{
			"digicert-high-assurance-ev-root-ca.pem": "2031-11-10",
			"digicert-global-root-g2.pem":            "2038-01-15",
		} {
			content, err := os.ReadFile(filepath.Join("roots", file))
			must(err)
			block, _ := pem.Decode(content)
			root, err := x509.ParseCertificate(block.Bytes)
			must(err)
			if got := root.NotAfter.UTC().Format("2006-01-02"); got != end {
				t.Errorf("%s ends on %s, want %s", file, got, end)
			}
			if !strings.Contains(string(text), end) {
				t.Errorf("SECURITY.md does not say that a root ends on %s", end)
			}
		}
	})
}
