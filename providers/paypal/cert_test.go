package paypal_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hooknotary/hooknotary/providers/paypal"
	"github.com/hooknotary/hooknotary/verify"
)

const otherURL = "https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-b0d12406"

// hostile are files that PayPal's host may serve at certURL and that must not be
// trusted. Each of them differs in one thing from what is.
var hostile = []struct {
	name  string
	file  func(w *world) []byte
	tells string
}{
	{"expired by a second", leafWith(validUntil(receivedAt.Add(-time.Second))), "not valid at the receive time"},
	{"expired for years", leafWith(validFrom(receivedAt.AddDate(-4, 0, 0)), validUntil(receivedAt.AddDate(-3, 0, 0))), "not valid at the receive time"},
	{"valid from the next second on", leafWith(validFrom(receivedAt.Add(time.Second))), "not valid at the receive time"},
	{"never valid", leafWith(validFrom(receivedAt.Add(time.Hour)), validUntil(receivedAt.Add(-time.Hour))), "not valid at the receive time"},

	{"in the name of the sandbox", leafWith(name(sandboxName, sandboxName)), "not in the name"},
	{"in the name of PayPal's website", leafWith(name("www.paypal.com", "www.paypal.com")), "not in the name"},
	{"in the name of the host", leafWith(name("api.paypal.com", "api.paypal.com")), "not in the name"},
	{"in a name that ends alike", leafWith(name("x"+liveName, "x"+liveName)), "not in the name"},
	{"in a name below", leafWith(name("x."+liveName, "x."+liveName)), "not in the name"},
	{"in a name that begins alike", leafWith(name(liveName+".evil.example", liveName+".evil.example")), "not in the name"},
	{"in the name, but in upper case", leafWith(name(strings.ToUpper(liveName), strings.ToUpper(liveName))), "not in the name"},
	{"in the name of every host", leafWith(name("*.paypal.com", "*.paypal.com")), "not in the name"},
	{"in the name, but for every host", leafWith(name(liveName, "*.paypal.com")), "not in the name"},
	{"in the name by its subject alone", leafWith(name(liveName)), "not in the name"},
	{"in the name by its subject, and another one", leafWith(name(liveName, "evil.example")), "not in the name"},
	{"in the name by its alternative alone", leafWith(name("evil.example", liveName)), "not in the name"},
	{"in the name and another one", leafWith(name(liveName, liveName, "evil.example")), "not in the name"},
	{"in another name and the name", leafWith(name(liveName, "evil.example", liveName)), "not in the name"},
	{"in the name with a zero byte", leafWith(name(liveName+"\x00.evil.example", liveName)), "not in the name"},
	{"of an authority in the name", leafWith(func(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, c.KeyUsage|x509.KeyUsageCertSign }), "not in the name"},

	{"of a stranger's authority", func(*world) []byte {
		return inPEM(newAuthority("Stranger Root", nil).leaf(leafKey().Public()))
	}, `"Stranger Root" is not known`},
	{"of a stranger's authority, with its root", func(*world) []byte {
		stranger := newAuthority("Stranger Root", nil)
		return inPEM(stranger.leaf(leafKey().Public()), stranger.cert)
	}, `"Stranger Root" is not known`},
	{"of an authority of the same name", func(w *world) []byte {
		return inPEM(newAuthority("Test Issuer", nil).leaf(leafKey().Public()))
	}, `"Test Issuer" is not known`},
	{"of an authority of the same name, with its root", func(w *world) []byte {
		root := newAuthority("Test Root", nil)
		issuer := newAuthority("Test Issuer", root)
		return inPEM(issuer.leaf(leafKey().Public()), issuer.cert, root.cert)
	}, "is not known"},
	{"signed by itself", func(*world) []byte { return inPEM(selfSigned(liveName)) }, "is not known"},
	{"signed by itself in the root's name", func(*world) []byte { return inPEM(selfSigned(liveName, "Test Root")) }, "is not known"},
	{"whose signature is another one's", func(w *world) []byte {
		cert := w.issuer.leaf(leafKey().Public())
		raw := bytes.Clone(cert.Raw)
		raw[len(raw)-1] ^= 1
		return inPEM(&x509.Certificate{Raw: raw})
	}, "is not known"},
	{"whose content was changed", func(w *world) []byte {
		cert := w.issuer.leaf(leafKey().Public(), name("messageverificationcertz.paypal.com", "messageverificationcertz.paypal.com"))
		return inPEM(&x509.Certificate{Raw: bytes.ReplaceAll(cert.Raw, []byte("certz"), []byte("certs"))})
	}, "is not known"},
	{"for signing code", leafWith(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning} }), "does not verify"},
	{"with an extension that is critical and unknown", leafWith(func(c *x509.Certificate) {
		c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}}}
	}), "does not verify"},
	{"of an issuer that may not issue in this name", under(func(c *x509.Certificate) {
		c.PermittedDNSDomainsCritical, c.PermittedDNSDomains = true, []string{"example.com"}
	}), "does not verify"},
	{"of an issuer that is no authority", under(func(c *x509.Certificate) { c.IsCA = false; c.KeyUsage = 0 }), "is not known"},
	{"of an issuer that may not sign certificates", under(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign }), "is not known"},
	{"of an issuer for signing code", under(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning} }), "does not verify"},
	{"of an issuer that expired", under(validUntil(receivedAt.Add(-time.Second))), "not valid at the receive time"},
	{"of an issuer that is not valid yet", under(validFrom(receivedAt.Add(time.Second))), "not valid at the receive time"},
	{"of an issuer below one that may have none below", func(w *world) []byte {
		last := newAuthority("Last Issuer", w.root, func(c *x509.Certificate) { c.MaxPathLenZero = true })
		below := newAuthority("Issuer Below", last)
		return inPEM(below.leaf(leafKey().Public()), below.cert, last.cert)
	}, "does not verify"},

	{"with a key of 1024 bits", leafFor(func() any { return rsaKey(1024).Public() }), "key is not RSA"},
	{"with a key of 8192 bits", leafFor(func() any { return &rsa.PublicKey{N: oddNumber(8192), E: 65537} }), "key is not RSA"},
	{"with a key of 4097 bits", leafFor(func() any { return &rsa.PublicKey{N: oddNumber(4097), E: 65537} }), "key is not RSA"},
	{"with a key of 2047 bits", leafFor(func() any { return &rsa.PublicKey{N: oddNumber(2047), E: 65537} }), "key is not RSA"},
	{"with a key of a curve", leafFor(func() any {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		must(err)
		return key.Public()
	}), "key is not RSA"},
	{"with a key of Ed25519", leafFor(func() any {
		key, _, err := ed25519.GenerateKey(rand.Reader)
		must(err)
		return key
	}), "key is not RSA"},

	{"of nothing", func(*world) []byte { return nil }, "PEM"},
	{"of white space", func(*world) []byte { return []byte("\r\n\r\n") }, "PEM"},
	{"of a page", func(*world) []byte { return []byte("<!DOCTYPE html><title>Sorry</title>") }, "PEM"},
	{"of zeros", func(*world) []byte { return make([]byte, 2000) }, "PEM"},
	{"of random bytes", func(*world) []byte {
		b := make([]byte, 2000)
		rand.Read(b)
		return b
	}, "PEM"},
	{"in DER", func(w *world) []byte { return w.issuer.leaf(leafKey().Public()).Raw }, "PEM"},
	{"in a block of another kind", edited(func(file []byte) []byte {
		return bytes.ReplaceAll(file, []byte("CERTIFICATE"), []byte("TRUSTED CERTIFICATE"))
	}), "PEM"},
	{"behind a block of another kind", edited(func(file []byte) []byte {
		return append(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte{1}}), file...)
	}), "PEM"},
	{"in front of a block of another kind", edited(func(file []byte) []byte {
		return append(file, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte{1}})...)
	}), "PEM"},
	{"in front of a text", edited(func(file []byte) []byte { return append(file, "and so on"...) }), "PEM"},
	{"in front of a zero byte", edited(func(file []byte) []byte { return append(file, 0) }), "PEM"},
	{"without its last line", edited(func(file []byte) []byte { return file[:bytes.LastIndex(file, []byte("-----END"))] }), "PEM"},
	{"without its first line", edited(func(file []byte) []byte { return file[30:] }), "PEM"},
	{"cut in the middle", edited(func(file []byte) []byte { return file[:len(file)/2] }), "PEM"},
	{"with a byte of the encoding changed", edited(func(file []byte) []byte { file[100] = '!'; return file }), "PEM"},
	{"in a block that is no certificate", func(*world) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("certificate")})
	}, "PEM"},
	{"in a block that holds nothing", func(*world) []byte { return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE"}) }, "PEM"},
	{"in a block that holds two", func(w *world) []byte {
		raw := w.issuer.leaf(leafKey().Public()).Raw
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: append(bytes.Clone(raw), raw...)})
	}, "PEM"},
	{"in front of one that is broken", edited(func(file []byte) []byte {
		return append(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")})...)
	}), "PEM"},
	{"behind its issuer's", func(w *world) []byte { return inPEM(w.issuer.cert, w.issuer.leaf(leafKey().Public())) }, "key is not RSA"},
	{"six times", func(w *world) []byte { return bytes.Repeat(w.genuineFile(), 6) }, "PEM"},
	{"fifty times", func(w *world) []byte { return bytes.Repeat(w.genuineFile(), 50) }, ""},
	{"with a byte over 64 KiB", func(w *world) []byte { return filled(w, 64<<10+1) }, "too long"},
	{"with a mebibyte of line breaks", func(w *world) []byte { return filled(w, 1<<20) }, "too long"},
	{"of a mebibyte", leafWith(func(c *x509.Certificate) {
		c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Value: make([]byte, 1<<20)}}
	}), "too long"},
	{"with ten thousand names", leafWith(func(c *x509.Certificate) {
		for i := range 2000 {
			c.DNSNames = append(c.DNSNames, fmt.Sprintf("%d.example", i))
		}
	}), "not in the name"},
}

func leafWith(edits ...edit) func(*world) []byte {
	return func(w *world) []byte { return inPEM(w.issuer.leaf(leafKey().Public(), edits...)) }
}

func leafFor(key func() any) func(*world) []byte {
	return func(w *world) []byte { return inPEM(w.issuer.leaf(key())) }
}

// under serves a leaf with an issuer of its own.
func under(edits ...edit) func(*world) []byte {
	return func(w *world) []byte {
		issuer := newAuthority("Issuer", w.root, edits...)
		return inPEM(issuer.leaf(leafKey().Public()), issuer.cert)
	}
}

func edited(f func(file []byte) []byte) func(*world) []byte {
	return func(w *world) []byte { return f(w.genuineFile()) }
}

// filled serves a genuine leaf, filled up with line breaks.
func filled(w *world, size int) []byte {
	file := w.genuineFile()
	return append(file, bytes.Repeat([]byte{'\n'}, size-len(file))...)
}

// oddNumber returns a number of exactly that many bits, which is no key's.
func oddNumber(bits int) *big.Int {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), uint(bits)))
	must(err)
	return n.SetBit(n.SetBit(n, bits-1, 1), 0, 1)
}

func selfSigned(subject string, issuer ...string) *x509.Certificate {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: subject},
		DNSNames:     []string{subject},
		NotBefore:    receivedAt.AddDate(-1, 0, 0),
		NotAfter:     receivedAt.AddDate(1, 0, 0),
	}
	parent := *template
	if len(issuer) > 0 {
		parent.Subject = pkix.Name{CommonName: issuer[0]}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, &parent, leafKey().Public(), leafKey())
	must(err)
	cert, err := x509.ParseCertificate(der)
	must(err)
	return cert
}

func TestCertificate(t *testing.T) {
	t.Run("a hostile certificate is refused", func(t *testing.T) {
		for _, tt := range hostile {
			t.Run(tt.name, func(t *testing.T) {
				w := newWorld()
				w.hosts.file(otherURL, w.genuineFile())
				w.hosts.file(certURL, tt.file(w))
				v := w.verifier(t)
				h := sent(event)
				p, err := v.Begin(context.Background(), h)
				if p != nil || err == nil {
					t.Fatal("Begin accepted")
				}
				reject(t, tt.name, v, h, event, verify.ErrUntrusted, tt.tells)
				if n := len(w.net.asked()); n > 4 {
					t.Errorf("it caused %d requests: %q", n, w.net.asked())
				}
				accept(t, "the genuine one", v, with(h, "Paypal-Cert-Url", otherURL), event)
			})
		}
	})

	t.Run("a certificate is taken in every honest form", func(t *testing.T) {
		unrelated := newAuthority("Unrelated", nil).cert
		for _, tt := range []struct {
			name     string
			file     func(w *world) []byte
			edit     func(w *world, o *paypal.Options)
			requests int
		}{
			{"alone, as PayPal serves it", leafWith(), nil, 2},
			{"with LF for CRLF", edited(func(f []byte) []byte { return bytes.ReplaceAll(f, []byte("\r\n"), []byte("\n")) }), nil, 2},
			{"behind a text", edited(func(f []byte) []byte { return append([]byte("subject=CN\r\n"), f...) }), nil, 2},
			{"without a line break at its end", edited(func(f []byte) []byte { return bytes.TrimSpace(f) }), nil, 2},
			{"of 64 KiB to the byte", func(w *world) []byte { return filled(w, 64<<10) }, nil, 2},
			{"with its issuer's", func(w *world) []byte { return inPEM(w.issuer.leaf(leafKey().Public()), w.issuer.cert) }, nil, 1},
			{"with its issuer's and the root's", func(w *world) []byte {
				return inPEM(w.issuer.leaf(leafKey().Public()), w.issuer.cert, w.root.cert)
			}, nil, 1},
			{"five times", func(w *world) []byte { return bytes.Repeat(w.genuineFile(), 5) }, nil, 2},
			{"with three others and its issuer's", func(w *world) []byte {
				return inPEM(w.issuer.leaf(leafKey().Public()), unrelated, unrelated, unrelated, w.issuer.cert)
			}, nil, 1},
			{"valid from the receive time on", leafWith(validFrom(receivedAt)), nil, 2},
			{"valid until the receive time", leafWith(validUntil(receivedAt)), nil, 2},
			{"without saying where its issuer's is, if Options do", leafWith(issuedAt()), func(w *world, o *paypal.Options) {
				o.Intermediates = []*x509.Certificate{unrelated, w.issuer.cert}
			}, 1},
			{"of the root itself", func(w *world) []byte { return inPEM(w.root.leaf(leafKey().Public())) }, nil, 1},
			{"of an issuer that Options trust", func(*world) []byte { return nil }, func(w *world, o *paypal.Options) {
				other := newAuthority("Other Root", nil)
				o.Roots = []*x509.Certificate{other.cert}
				w.hosts.file(certURL, inPEM(other.leaf(leafKey().Public())))
			}, 1},
		} {
			t.Run(tt.name, func(t *testing.T) {
				w := newWorld()
				w.hosts.file(certURL, tt.file(w))
				v := w.verifier(t, func(o *paypal.Options) {
					if tt.edit != nil {
						tt.edit(w, o)
					}
				})
				accept(t, tt.name, v, sent(event), event)
				accept(t, "again", v, sent(event), event)
				silent(t, "beyond what is needed", w.net, tt.requests)
			})
		}
	})

	t.Run("a certificate is judged at the receive time", func(t *testing.T) {
		body, at := event, receivedAt
		end := time.Date(2029, 12, 31, 23, 59, 59, 0, time.UTC)
		captured := sentUnder(certURL, leafKey(), at, body)              // while the certificate was valid
		late := sentUnder(certURL, leafKey(), end.Add(-time.Hour), body) // at its end
		t.Run("one verifier, several receive times, in any order", func(t *testing.T) {
			good := func(t *testing.T, v *paypal.Verifier) {
				accept(t, "captured then", v, captured, body)
				accept(t, "in its last second", v, received(late, end), body)
			}
			bad := func(t *testing.T, v *paypal.Verifier) {
				reject(t, "a second after", v, received(late, end.Add(time.Second)), body, verify.ErrUntrusted, "not valid")
				reject(t, "the year before", v, sentUnder(certURL, leafKey(), at.AddDate(-1, 0, 0), body), body, verify.ErrUntrusted, "not valid")
				reject(t, "ten years after", v, sentUnder(certURL, leafKey(), at.AddDate(10, 0, 0), body), body, verify.ErrUntrusted, "not valid")
			}
			for i, order := range [][]func(*testing.T, *paypal.Verifier){{good, bad, good}, {bad, good, bad}} {
				w := newWorld()
				v := w.verifier(t)
				for _, f := range order {
					f(t, v)
				}
				if n := len(w.net.asked()); n > 2 {
					t.Errorf("order %d: %d requests, want 2", i, n)
				}
			}
		})
		t.Run("of a chain, every certificate is", func(t *testing.T) {
			w := newWorld()
			issuer := newAuthority("Test Issuer", w.root, validFrom(at.AddDate(0, 0, -10)), validUntil(at.AddDate(0, 0, 10)))
			w.hosts.file(certURL, inPEM(issuer.leaf(leafKey().Public())))
			w.hosts.file(issuerURL, issuer.cert.Raw)
			v := w.verifier(t)
			for range 2 {
				for _, tt := range []struct {
					days int
					good bool
				}{{-11, false}, {-10, true}, {0, true}, {10, true}, {11, false}, {9, true}} {
					h := sentUnder(certURL, leafKey(), at.AddDate(0, 0, tt.days), body)
					if tt.good {
						accept(t, fmt.Sprint("day ", tt.days), v, h, body)
					} else {
						reject(t, fmt.Sprint("day ", tt.days), v, h, body, verify.ErrUntrusted, "not valid")
					}
				}
			}
		})
		t.Run("of two chains, either will do", func(t *testing.T) {
			w := newWorld()
			key := newAuthority("x", nil).key
			cross := func(parent *authority, edits ...edit) *x509.Certificate {
				return parent.issue(&x509.Certificate{
					Subject: pkix.Name{CommonName: "Crossed"}, NotBefore: at.AddDate(-1, 0, 0), NotAfter: at.AddDate(1, 0, 0),
					IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
				}, key.Public(), edits...)
			}
			second := newAuthority("Second Root", nil)
			before, after := cross(w.root, validUntil(at)), cross(second, validFrom(at.AddDate(0, 0, 5)))
			crossed := &authority{cert: before, key: key}
			w.hosts.file(certURL, inPEM(crossed.leaf(leafKey().Public(), issuedAt()), before, after))
			v := w.verifier(t, func(o *paypal.Options) { o.Roots = append(o.Roots, second.cert) })
			for range 2 {
				accept(t, "under the old one", v, sentUnder(certURL, leafKey(), at, body), body)
				reject(t, "between the two", v, sentUnder(certURL, leafKey(), at.AddDate(0, 0, 2), body), body, verify.ErrUntrusted, "not valid")
				accept(t, "under the new one", v, sentUnder(certURL, leafKey(), at.AddDate(0, 0, 6), body), body)
			}
		})
		t.Run("also of deliveries that wait for one fetch", func(t *testing.T) {
			for range 5 {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld()
					leaf := w.genuineFile()
					w.hosts.handle(certURL, func(rw http.ResponseWriter, r *http.Request) {
						answersAfter(time.Second)(r.Context())
						rw.Write(leaf)
					})
					v := w.verifier(t)
					var all sync.WaitGroup
					for i := range 40 {
						year := 2027 + i%5
						h := sentUnder(certURL, leafKey(), at.AddDate(year-2029, 0, 0), body)
						all.Go(func() {
							_, err := verify.Verify(context.Background(), v, h, body)
							if (err == nil) != (year == 2029) || err != nil && verify.ReasonOf(err) != verify.ErrUntrusted {
								t.Errorf("year %d: %v", year, err)
							}
						})
					}
					all.Wait()
					if n := len(w.net.asked()); n != 2 {
						t.Errorf("%d requests, want 2: %q", n, w.net.asked())
					}
				})
			}
		})
	})

	t.Run("a certificate is kept by its whole URL", func(t *testing.T) {
		w := newWorld()
		newHost := strings.Replace(certURL, "//api.", "//api-m.", 1)
		w.hosts.file(otherURL, inPEM(w.issuer.leaf(otherKey().Public())))
		w.hosts.file(newHost, inPEM(w.issuer.leaf(otherKey().Public())))
		v := w.verifier(t)
		accept(t, "the first key", v, sent(event), event)
		for _, url := range []string{otherURL, newHost} {
			accept(t, "another key under another URL", v, sentUnder(url, otherKey(), receivedAt, event), event)
			reject(t, "the first key under another URL", v, sentUnder(url, leafKey(), receivedAt, event), event, verify.ErrMismatch, "")
		}
		reject(t, "another key under the first URL", v, sentUnder(certURL, otherKey(), receivedAt, event), event, verify.ErrMismatch, "")
		accept(t, "the first key, still", v, sent(event), event)
	})

	t.Run("many certificates cost bounded memory", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			w := newWorld()
			leaf := w.genuineFile()
			v := w.verifier(t)
			url := func(i int) string { return fmt.Sprintf("https://api.paypal.com/v1/notifications/certs/CERT-%d", i) }
			const n = 100
			for i := range n {
				w.hosts.file(url(i), leaf)
				time.Sleep(3 * time.Second)
				accept(t, "new", v, sentUnder(url(i), leafKey(), receivedAt, event), event)
			}
			before := len(w.net.asked())
			for i := range n {
				time.Sleep(3 * time.Second)
				accept(t, "again", v, sentUnder(url(i), leafKey(), receivedAt, event), event)
			}
			if refetched := len(w.net.asked()) - before; refetched < n-32 {
				t.Errorf("%d of %d certificates were still there, want at most 32", n-refetched, n)
			}
		})
	})
}

func TestFetch(t *testing.T) {
	t.Run("the host's response decides", func(t *testing.T) {
		for _, tt := range []struct {
			name     string
			response http.HandlerFunc
			want     verify.Reason
		}{
			{"a redirect to a good URL", redirect(301, otherURL), verify.ErrUntrusted},
			{"a redirect that was found", redirect(302, otherURL), verify.ErrUntrusted},
			{"a redirect to see another", redirect(303, otherURL), verify.ErrUntrusted},
			{"a redirect for a while", redirect(307, otherURL), verify.ErrUntrusted},
			{"a redirect for ever", redirect(308, otherURL), verify.ErrUntrusted},
			{"a redirect to itself", redirect(302, certURL), verify.ErrUntrusted},
			{"a redirect elsewhere", redirect(302, "http://169.254.169.254/latest/meta-data/"), verify.ErrUntrusted},
			{"a redirect to nowhere", status(302), verify.ErrUntrusted},
			{"nothing new", status(304), verify.ErrUntrusted},
			{"no content", status(204), verify.ErrUntrusted},
			{"something created", status(201), verify.ErrUntrusted},
			{"not found", status(404), verify.ErrUntrusted},
			{"gone", status(410), verify.ErrUntrusted},
			{"forbidden", status(403), verify.ErrUntrusted},
			{"too many requests", status(429), verify.ErrUnavailable},
			{"an error", status(500), verify.ErrUnavailable},
			{"a bad gateway", status(502), verify.ErrUnavailable},
			{"an outage", status(503), verify.ErrUnavailable},
		} {
			t.Run(tt.name, func(t *testing.T) {
				w := newWorld()
				leaf := w.genuineFile()
				w.hosts.file(otherURL, leaf)
				w.hosts.handle(certURL, func(rw http.ResponseWriter, r *http.Request) {
					tt.response(rw, r)
					rw.Write(leaf)
				})
				v := w.verifier(t)
				reject(t, tt.name, v, sent(event), event, tt.want, "certificate host")
				silent(t, "beyond the one", w.net, 1)
				w.hosts.file(certURL, leaf)
				accept(t, "the same leaf with 200", w.verifier(t), sent(event), event)
			})
		}
	})

	t.Run("redirects are not followed, over real sockets", func(t *testing.T) {
		w := newWorld()
		net := newInternet(t, w.hosts)
		w.hosts.file(otherURL, w.genuineFile())
		w.hosts.handle(certURL, redirect(302, otherURL))
		v := w.verifier(t, func(o *paypal.Options) { o.Transport = net })
		reject(t, "redirected", v, sent(event), event, verify.ErrUntrusted, "status 302")
		if got, want := net.asked(), []string{"GET " + certURL}; !slices.Equal(got, want) {
			t.Errorf("the requests are %q, want %q", got, want)
		}
		accept(t, "the target itself", v, sentUnder(otherURL, leafKey(), receivedAt, event), event)
	})

	t.Run("a slow host costs bounded time and blocks nobody", func(t *testing.T) {
		for _, tt := range slowHosts {
			t.Run("a host that "+tt.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld()
					written := 0
					w.hosts.handle(otherURL, func(rw http.ResponseWriter, r *http.Request) {
						tt.response(&counter{rw, &written}, r)
					})
					v := w.verifier(t)
					accept(t, "from a quick host", v, sent(event), event)
					start := time.Now()
					var all sync.WaitGroup
					for range 20 {
						all.Go(func() {
							reject(t, "from the slow host", v, sentUnder(otherURL, leafKey(), receivedAt, event), event, tt.want, "")
							if took := time.Since(start); took > 3*time.Second {
								t.Errorf("a delivery waited %v", took)
							}
						})
					}
					all.Go(func() {
						ctx, cancel := context.WithTimeout(context.Background(), time.Second)
						defer cancel()
						_, err := v.Begin(ctx, sentUnder(otherURL, leafKey(), receivedAt, event))
						if took := time.Since(start); err == nil || took > time.Second {
							t.Errorf("a delivery whose client left after a second took %v: %v", took, err)
						}
					})
					synctest.Wait() // all of them wait for the slow host
					accept(t, "from the quick host, meanwhile", v, sent(event), event)
					if took := time.Since(start); took != 0 {
						t.Errorf("the slow host delayed another delivery by %v", took)
					}
					all.Wait()
					synctest.Wait()
					if written > 70<<10 {
						t.Errorf("%d bytes were read", written)
					}
					silent(t, "beyond the first of each", w.net, 3)
				})
			})
		}
	})

	t.Run("a delivery waits three seconds and the fetch goes on", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld()
			slowly := func(file []byte) http.HandlerFunc {
				return func(rw http.ResponseWriter, r *http.Request) {
					answersAfter(2900 * time.Millisecond)(r.Context())
					rw.Write(file)
				}
			}
			second := newAuthority("Second", w.root, issuedAt("http://cacerts.digicert.com/Root.crt"))
			first := newAuthority("First", second, issuedAt("http://cacerts.digicert.com/Second.crt"))
			w.hosts.handle(certURL, slowly(inPEM(first.leaf(leafKey().Public()))))
			w.hosts.handle(issuerURL, slowly(first.cert.Raw))
			w.hosts.handle("http://cacerts.digicert.com/Second.crt", slowly(second.cert.Raw))
			v := w.verifier(t)
			start := time.Now()
			reject(t, "from slow hosts", v, sent(event), event, verify.ErrUnavailable, "within 3s")
			if took := time.Since(start); took != 3*time.Second {
				t.Errorf("took %v, want 3s", took)
			}
			time.Sleep(3 * time.Second)
			accept(t, "later", v, sent(event), event)
			if took := time.Since(start); took != 8700*time.Millisecond {
				t.Errorf("the three were there after %v, want 8.7s", took)
			}
			silent(t, "beyond the three", w.net, 3)
		})
	})

	// Has hosts that a test in memory cannot have.
	t.Run("hosts of all kinds, over real sockets", func(t *testing.T) {
		t.Parallel() // some of them take 3 seconds
		for _, tt := range []struct {
			name string
			host func(c net.Conn)
		}{
			{"that hangs up", func(net.Conn) {}},
			{"that answers no TLS", func(c net.Conn) { io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") }},
			{"that answers garbage", func(c net.Conn) { c.Write(bytes.Repeat([]byte{0xff}, 1<<16)) }},
			{"that responds with nothing", func(c net.Conn) { io.Copy(io.Discard, c) }},
			{"that drips", func(c net.Conn) {
				for {
					if _, err := c.Write([]byte{22}); err != nil {
						return
					}
					time.Sleep(100 * time.Millisecond)
				}
			}},
		} {
			t.Run("a host "+tt.name, func(t *testing.T) {
				t.Parallel()
				listener, err := net.Listen("tcp", "127.0.0.1:0")
				must(err)
				defer listener.Close()
				go func() {
					for {
						c, err := listener.Accept()
						if err != nil {
							return
						}
						go func() {
							defer c.Close()
							tt.host(c)
						}()
					}
				}()
				w := newWorld()
				transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
					var d net.Dialer
					return d.DialContext(ctx, network, listener.Addr().String())
				}}
				defer transport.CloseIdleConnections()
				v := w.verifier(t, func(o *paypal.Options) { o.Transport = transport })
				start := time.Now()
				reject(t, "from it", v, sent(event), event, verify.ErrUnavailable, "certificate")
				if took := time.Since(start); took > 7*time.Second {
					t.Errorf("took %v", took)
				}
			})
		}
	})

	t.Run("the host's own certificate is checked", func(t *testing.T) {
		w := newWorld()
		net := newInternet(t, w.hosts)
		strict := net.Transport.Clone()
		strict.TLSClientConfig = &tls.Config{}
		defer strict.CloseIdleConnections()
		v := w.verifier(t, func(o *paypal.Options) { o.Transport = strict })
		reject(t, "from a host that is not PayPal", v, sent(event), event, verify.ErrUnavailable, "certificate")
		if asked := net.asked(); len(asked) != 0 {
			t.Errorf("it was asked: %q", asked)
		}
		accept(t, "from PayPal", w.verifier(t, func(o *paypal.Options) { o.Transport = net }), sent(event), event)
	})

	t.Run("a thousand first deliveries fetch once", func(t *testing.T) {
		t.Run("over real sockets", func(t *testing.T) {
			w := newWorld()
			net := newInternet(t, w.hosts)
			v := w.verifier(t, func(o *paypal.Options) { o.Transport = net })
			for i, err := range together(v, 1000, func(int) *verify.Head { return genuine() }) {
				if err != nil {
					t.Fatalf("delivery %d: %v", i, err)
				}
			}
			if got, want := net.asked(), []string{"GET " + certURL, "GET " + issuerURL}; !slices.Equal(got, want) {
				t.Errorf("the requests are %q, want %q", got, want)
			}
		})
		t.Run("each with its own receive time", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				leaf := w.genuineFile()
				w.hosts.handle(certURL, func(rw http.ResponseWriter, r *http.Request) {
					answersAfter(300 * time.Millisecond)(r.Context())
					rw.Write(leaf)
				})
				v := w.verifier(t)
				for i, err := range together(v, 1000, func(i int) *verify.Head { return received(genuine(), receivedAt.Add(time.Duration(i))) }) {
					if err != nil {
						t.Fatalf("delivery %d: %v", i, err)
					}
				}
				silent(t, "beyond leaf and issuer", w.net, 2)
			})
		})
		t.Run("and share a failure", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.hosts.handle(certURL, func(rw http.ResponseWriter, r *http.Request) {
					answersAfter(300 * time.Millisecond)(r.Context())
					rw.WriteHeader(503)
				})
				v := w.verifier(t)
				for i, err := range together(v, 1000, func(int) *verify.Head { return genuine() }) {
					if verify.ReasonOf(err) != verify.ErrUnavailable {
						t.Fatalf("delivery %d: %v", i, err)
					}
				}
				silent(t, "beyond the one", w.net, 1)
			})
		})
	})

	t.Run("a fetch outlives the request that caused it", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld()
			leaf := w.genuineFile()
			w.hosts.handle(certURL, func(rw http.ResponseWriter, r *http.Request) {
				answersAfter(2 * time.Second)(r.Context())
				rw.Write(leaf)
			})
			v := w.verifier(t)
			ctx, cancel := context.WithCancel(context.Background())
			var all sync.WaitGroup
			all.Go(func() {
				if _, err := v.Begin(ctx, sent(event)); verify.ReasonOf(err) != verify.ErrUnavailable || !strings.Contains(err.Error(), "ended") {
					t.Errorf("the request that was given up: %v", err)
				}
			})
			synctest.Wait()
			all.Go(func() { accept(t, "the other request", v, sent(event), event) })
			synctest.Wait()
			cancel()
			all.Wait()
			silent(t, "beyond leaf and issuer", w.net, 2)
		})
	})

	t.Run("a failure is remembered", func(t *testing.T) {
		for _, tt := range []struct {
			name     string
			response http.HandlerFunc
			want     verify.Reason
			wait     time.Duration
		}{
			{"for a minute, if the certificate is garbage", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "garbage") }, verify.ErrUntrusted, time.Minute},
			{"for a minute, if it is not there", status(404), verify.ErrUntrusted, time.Minute},
			{"for a minute, if it is elsewhere", redirect(302, otherURL), verify.ErrUntrusted, time.Minute},
			{"for 5 seconds, if the host fails", status(503), verify.ErrUnavailable, 5 * time.Second},
			{"for 5 seconds, if the host has enough", status(429), verify.ErrUnavailable, 5 * time.Second},
		} {
			t.Run(tt.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld()
					leaf := w.genuineFile()
					w.hosts.handle(certURL, tt.response)
					v := w.verifier(t)
					reject(t, "at first", v, sent(event), event, tt.want, "")
					for range 100 {
						reject(t, "again", v, genuine(), event, tt.want, "")
					}
					w.hosts.file(certURL, leaf)
					time.Sleep(tt.wait - 1)
					reject(t, "just before", v, sent(event), event, tt.want, "")
					silent(t, "so far, beyond the one", w.net, 1)
					time.Sleep(time.Nanosecond)
					accept(t, "just after", v, sent(event), event)
					time.Sleep(365 * 24 * time.Hour)
					accept(t, "much later", v, sent(event), event)
					silent(t, "beyond leaf and issuer", w.net, 3)
				})
			})
		}
	})

	t.Run("a cold start without PayPal is unavailable", func(t *testing.T) {
		down := errors.New("no route to host")
		w := newWorld()
		broken := true
		v := w.verifier(t, func(o *paypal.Options) {
			o.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
				if broken {
					return nil, down
				}
				return w.net.RoundTrip(r)
			})
		})
		_, err := v.Begin(context.Background(), sent(event))
		if verify.ReasonOf(err) != verify.ErrUnavailable || !errors.Is(err, down) {
			t.Errorf("refused with %v", err)
		}
		e := newEndpoint(t, v, receivedAt)
		e.post("a genuine delivery", later(event), event, 503, verify.ErrUnavailable, false)
		e.post("a forged delivery", with(sent(event), "Paypal-Transmission-Id", newID()).Header, event, 503, verify.ErrUnavailable, false)
		broken = false
		accept(t, "with PayPal", w.verifier(t), sent(event), event)
	})

	t.Run("a panic of the transport is a refusal", func(t *testing.T) {
		w := newWorld()
		v := w.verifier(t, func(o *paypal.Options) {
			o.Transport = roundTrip(func(*http.Request) (*http.Response, error) { panic("transport") })
		})
		reject(t, "panicking", v, sent(event), event, verify.ErrUntrusted, "")
	})
}

func redirect(status int, url string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", url)
		w.WriteHeader(status)
	}
}

func status(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
}

// slowHosts are hosts that take their time, or their freedom.
var slowHosts = []struct {
	name     string
	response http.HandlerFunc
	want     verify.Reason
}{
	{"says nothing", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, verify.ErrUnavailable},
	{"says nothing behind its head", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(200)
		<-r.Context().Done()
	}, verify.ErrUnavailable},
	{"drips", func(w http.ResponseWriter, r *http.Request) {
		for answersAfter(time.Second)(r.Context()); r.Context().Err() == nil; answersAfter(time.Second)(r.Context()) {
			w.Write([]byte("-"))
		}
	}, verify.ErrUnavailable},
	{"never ends", func(w http.ResponseWriter, r *http.Request) {
		for {
			if _, err := w.Write(bytes.Repeat([]byte{'\n'}, 1000)); err != nil {
				return
			}
		}
	}, verify.ErrUntrusted},
}

// counter counts what is written.
type counter struct {
	http.ResponseWriter
	n *int
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.ResponseWriter.Write(b)
	*c.n += n
	return n, err
}

func TestIssuer(t *testing.T) {
	t.Run("the issuer is fetched where the certificate says", func(t *testing.T) {
		const second = "http://cacerts.digicert.com/Second.crt"
		for _, tt := range []struct {
			name  string
			make  func(w *world)
			want  verify.Reason // 0: accepted
			tells string
			asked []string // beyond the leaf
		}{
			{"in DER", func(*world) {}, 0, "", []string{issuerURL}},
			{"in PEM", func(w *world) { w.hosts.file(issuerURL, inPEM(w.issuer.cert)) }, 0, "", []string{issuerURL}},
			{"over https", func(w *world) {
				w.hosts.file(certURL, inPEM(w.issuer.leaf(leafKey().Public(), issuedAt("https://cacerts.digicert.com/Issuer.crt"))))
			}, 0, "", []string{"https://cacerts.digicert.com/Issuer.crt"}},
			{"behind places that are not asked", func(w *world) {
				w.hosts.file(certURL, inPEM(w.issuer.leaf(leafKey().Public(), issuedAt("ldap://x/", "http://evil.example/a.crt", issuerURL))))
			}, 0, "", []string{issuerURL}},
			{"behind one that is not there", func(w *world) {
				w.hosts.file(certURL, inPEM(w.issuer.leaf(leafKey().Public(), issuedAt(second, issuerURL))))
			}, 0, "", []string{second, issuerURL}},
			{"behind one that is garbage", func(w *world) {
				w.hosts.file(second, []byte("garbage"))
				w.hosts.file(certURL, inPEM(w.issuer.leaf(leafKey().Public(), issuedAt(second, issuerURL))))
			}, 0, "", []string{second, issuerURL}},
			{"behind one of the same name", func(w *world) {
				w.hosts.file(second, newAuthority("Test Issuer", w.root).cert.Raw)
				w.hosts.file(certURL, inPEM(w.issuer.leaf(leafKey().Public(), issuedAt(second, issuerURL))))
			}, 0, "", []string{second, issuerURL}},
			{"in two steps", func(w *world) {
				last := newAuthority("Last", w.root)
				first := newAuthority("First", last, issuedAt(second))
				w.hosts.file(certURL, inPEM(first.leaf(leafKey().Public())))
				w.hosts.file(issuerURL, first.cert.Raw)
				w.hosts.file(second, last.cert.Raw)
			}, 0, "", []string{issuerURL, second}},

			{"but not at the fourth place", func(w *world) {
				w.hosts.file(certURL, inPEM(w.issuer.leaf(leafKey().Public(), issuedAt("http://a/", "http://b/", "http://c/", issuerURL))))
			}, verify.ErrUntrusted, `"Test Issuer" is not known`, nil},
			{"but not if it says nothing", func(w *world) {
				w.hosts.file(certURL, inPEM(w.issuer.leaf(leafKey().Public(), issuedAt())))
			}, verify.ErrUntrusted, `"Test Issuer" is not known`, nil},
			{"but not if it is not there", func(w *world) { w.hosts.status(issuerURL, 404) }, verify.ErrUntrusted, `"Test Issuer" is not known`, []string{issuerURL}},
			{"but not if it is elsewhere", func(w *world) {
				w.hosts.handle(issuerURL, redirect(302, second))
				w.hosts.file(second, w.issuer.cert.Raw)
			}, verify.ErrUntrusted, `"Test Issuer" is not known`, []string{issuerURL}},
			{"but not if it is garbage", func(w *world) { w.hosts.file(issuerURL, []byte("garbage")) }, verify.ErrUntrusted, `"Test Issuer" is not known`, []string{issuerURL}},
			{"but not if it is too long", func(w *world) { w.hosts.file(issuerURL, append(w.issuer.cert.Raw, make([]byte, 64<<10)...)) }, verify.ErrUntrusted, `"Test Issuer" is not known`, []string{issuerURL}},
			{"but not if it is a stranger's of the same name", func(w *world) { w.hosts.file(issuerURL, newAuthority("Test Issuer", nil).cert.Raw) }, verify.ErrUntrusted, `"Test Issuer" is not known`, []string{issuerURL}},
			{"but not if it is no authority", func(w *world) {
				issuer := newAuthority("No Authority", w.root, func(c *x509.Certificate) { c.IsCA = false })
				w.hosts.file(certURL, inPEM(issuer.leaf(leafKey().Public())))
				w.hosts.file(issuerURL, issuer.cert.Raw)
			}, verify.ErrUntrusted, `"No Authority" is not known`, []string{issuerURL}},
			{"but it proves nothing, if its root is a stranger", func(w *world) {
				issuer := newAuthority("Stranger", newAuthority("Stranger Root", nil))
				w.hosts.file(certURL, inPEM(issuer.leaf(leafKey().Public())))
				w.hosts.file(issuerURL, issuer.cert.Raw)
			}, verify.ErrUntrusted, `"Stranger Root" is not known`, []string{issuerURL}},
			{"but it proves nothing, if its root comes with it", func(w *world) {
				root := newAuthority("Stranger Root", nil)
				issuer := newAuthority("Stranger", root, issuedAt(second))
				w.hosts.file(certURL, inPEM(issuer.leaf(leafKey().Public())))
				w.hosts.file(issuerURL, issuer.cert.Raw)
				w.hosts.file(second, root.cert.Raw)
			}, verify.ErrUntrusted, `"Stranger Root" is not known`, []string{issuerURL, second}},
			{"but not without end", func(w *world) {
				authority := newAuthority("Stranger 0", nil, issuedAt("http://cacerts.digicert.com/0"))
				w.hosts.file("http://cacerts.digicert.com/0", authority.cert.Raw)
				for i := range 6 {
					next := newAuthority(fmt.Sprint("Stranger ", i+1), authority, issuedAt(fmt.Sprint("http://cacerts.digicert.com/", i)))
					w.hosts.file(fmt.Sprint("http://cacerts.digicert.com/", i+1), next.cert.Raw)
					authority = next
				}
				w.hosts.file(certURL, inPEM(authority.leaf(leafKey().Public(), issuedAt("http://cacerts.digicert.com/6"))))
			}, verify.ErrUntrusted, "is not known", []string{"http://cacerts.digicert.com/6", "http://cacerts.digicert.com/5", "http://cacerts.digicert.com/4"}},
			{"and if it cannot be had, the delivery may come again", func(w *world) { w.hosts.status(issuerURL, 503) }, verify.ErrUnavailable, "status 503", []string{issuerURL}},
		} {
			t.Run(tt.name, func(t *testing.T) {
				w := newWorld()
				tt.make(w)
				v := w.verifier(t)
				if tt.want == 0 {
					accept(t, tt.name, v, sent(event), event)
				} else {
					reject(t, tt.name, v, sent(event), event, tt.want, tt.tells)
				}
				want := []string{"GET " + certURL}
				for _, url := range tt.asked {
					want = append(want, "GET "+url)
				}
				if got := w.net.asked(); !slices.Equal(got, want) {
					t.Errorf("the requests are %q, want %q", got, want)
				}
			})
		}
	})

	t.Run("an issuer is asked for at DigiCert only", func(t *testing.T) {
		for _, tt := range []struct {
			url  string
			good bool
		}{
			{"http://cacerts.digicert.com/DigiCertSHA2ExtendedValidationServerCA.crt", true},
			{"http://cacerts.digicert.com/DigiCertEVRSACAG2.crt", true},
			{"https://cacerts.digicert.com/a_b-c.1", true},
			{"http://cacerts.digicert.com/" + strings.Repeat("x", 128), true},

			{"http://cacerts.digicert.com/" + strings.Repeat("x", 129), false},
			{"http://cacerts.digicert.com/", false},
			{"http://cacerts.digicert.com", false},
			{"http://cacerts.digicert.com./x", false},
			{"http://CACERTS.digicert.com/x", false},
			{"HTTP://cacerts.digicert.com/x", false},
			{"ftp://cacerts.digicert.com/x", false},
			{"//cacerts.digicert.com/x", false},
			{"cacerts.digicert.com/x", false},
			{"http://cacerts.digicert.com:80/x", false},
			{"http://x@cacerts.digicert.com/x", false},
			{"http://cacerts.digicert.com@evil.example/x", false},
			{"http://evil.example/cacerts.digicert.com/x", false},
			{"http://xcacerts.digicert.com/x", false},
			{"http://cacerts.digicert.com.evil.example/x", false},
			{"http://cacerts.digicert.com/x/y", false},
			{"http://cacerts.digicert.com/../x", false},
			{"http://cacerts.digicert.com/..", false},
			{"http://cacerts.digicert.com/x?y", false},
			{"http://cacerts.digicert.com/x#y", false},
			{"http://cacerts.digicert.com/%78", false},
			{"http://cacerts.digicert.com/x y", false},
			{"http://cacerts.digicert.com\\x", false},
			{"http://127.0.0.1/x", false},
			{"http://169.254.169.254/latest", false},
			{"file:///etc/passwd", false},
		} {
			t.Run(tt.url, func(t *testing.T) {
				w := newWorld()
				w.hosts.file(certURL, inPEM(w.issuer.leaf(leafKey().Public(), issuedAt(tt.url))))
				w.hosts.file(tt.url, w.issuer.cert.Raw)
				v := w.verifier(t)
				if tt.good {
					accept(t, tt.url, v, sent(event), event)
					silent(t, tt.url, w.net, 2)
					return
				}
				reject(t, tt.url, v, sent(event), event, verify.ErrUntrusted, `"Test Issuer" is not known`)
				silent(t, tt.url, w.net, 1)
			})
		}
	})

	t.Run("an issuer is kept", func(t *testing.T) {
		w := newWorld()
		w.hosts.file(otherURL, inPEM(w.issuer.leaf(otherKey().Public())))
		v := w.verifier(t)
		accept(t, "one", v, sent(event), event)
		accept(t, "the other", v, sentUnder(otherURL, otherKey(), receivedAt, event), event)
		if got, want := w.net.asked(), []string{"GET " + certURL, "GET " + issuerURL, "GET " + otherURL}; !slices.Equal(got, want) {
			t.Errorf("the requests are %q, want %q", got, want)
		}
	})

	// An issuer comes over plain HTTP, so somebody on the way can put another
	// certificate in its place. That must not last.
	t.Run("an issuer of somebody else is not kept", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld()
			w.hosts.file(issuerURL, newAuthority("Test Issuer", nil).cert.Raw)
			v := w.verifier(t)
			reject(t, "with a false issuer", v, sent(event), event, verify.ErrUntrusted, "is not known")
			w.hosts.file(issuerURL, w.issuer.cert.Raw)
			time.Sleep(time.Minute)
			accept(t, "with the true one", v, sent(event), event)
		})
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// stranger returns a head that is well-formed and names a certificate that nobody
// has.
func stranger(i int) *verify.Head {
	return with(genuine(), "Paypal-Cert-Url", fmt.Sprintf("https://api.paypal.com/v1/notifications/certs/CERT-%d", i))
}

func TestPrefetch(t *testing.T) {
	// Prefetch has no receive time: it asks for what is valid now.
	now := time.Now()
	fresh := []edit{validFrom(now.Add(-time.Hour)), validUntil(now.Add(time.Hour))}
	t.Run("fetches what the first delivery needs", func(t *testing.T) {
		w := newWorld()
		w.hosts.file(certURL, inPEM(w.issuer.leaf(leafKey().Public(), fresh...)))
		w.hosts.file(otherURL, inPEM(w.issuer.leaf(otherKey().Public(), fresh...)))
		v := w.verifier(t)
		if err := v.Prefetch(context.Background(), certURL, otherURL); err != nil {
			t.Fatal(err)
		}
		n := len(w.net.asked())
		accept(t, "one", v, sentUnder(certURL, leafKey(), now, event), event)
		accept(t, "the other", v, sentUnder(otherURL, otherKey(), now, event), event)
		silent(t, "beyond those of Prefetch", w.net, n)
	})
	t.Run("returns the errors of all that failed, and fetches the others", func(t *testing.T) {
		w := newWorld()
		w.hosts.file(certURL, inPEM(w.issuer.leaf(leafKey().Public(), fresh...)))
		v := w.verifier(t)
		missing := otherURL + "0"
		err := v.Prefetch(context.Background(), sandboxURL, missing, certURL, "https://evil.example/"+strings.Repeat("x", 1000))
		if err == nil {
			t.Fatal("there is no error")
		}
		for _, part := range []string{"live against sandbox", missing, "status 404", "https://evil.example/"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("the error does not tell of %q: %v", part, err)
			}
		}
		if len(err.Error()) > 2000 {
			t.Errorf("the error has %d bytes", len(err.Error()))
		}
		n := len(w.net.asked())
		accept(t, "the good one", v, sentUnder(certURL, leafKey(), now, event), event)
		silent(t, "beyond those of Prefetch", w.net, n)
		for _, request := range w.net.asked() {
			if strings.Contains(request, "evil.example") || strings.Contains(request, "sandbox") {
				t.Errorf("Prefetch asked for %q", request)
			}
		}
	})
	t.Run("takes as many URLs as may be fetched at once", func(t *testing.T) {
		w := newWorld()
		var urls []string
		for i := range 11 {
			url := fmt.Sprintf("https://api.paypal.com/v1/notifications/certs/CERT-%d", i)
			w.hosts.file(url, inPEM(w.issuer.leaf(leafKey().Public(), fresh...)))
			urls = append(urls, url)
		}
		if err := w.verifier(t).Prefetch(context.Background(), urls...); err == nil {
			t.Error("11 URLs are accepted")
		}
		silent(t, "after too many URLs", w.net, 0)
		if err := w.verifier(t).Prefetch(context.Background(), urls[:10]...); err != nil {
			t.Error(err)
		}
	})
	t.Run("says that a certificate is not valid now", func(t *testing.T) {
		w := newWorld()
		v := w.verifier(t)
		if err := v.Prefetch(context.Background(), certURL); !errors.Is(err, verify.ErrUntrusted) {
			t.Errorf("a certificate of another year: %v", err)
		}
		accept(t, "in its year", v, sent(event), event)
	})
	t.Run("ends with its context", func(t *testing.T) {
		w := newWorld()
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		w.hosts.handle(certURL, slowHosts[0].response)
		v := w.verifier(t, func(o *paypal.Options) {
			o.Transport = roundTrip(func(r *http.Request) (*http.Response, error) { <-time.After(50 * time.Millisecond); return nil, io.EOF })
		})
		if err := v.Prefetch(ctx, certURL); verify.ReasonOf(err) != verify.ErrUnavailable {
			t.Errorf("Prefetch under a context that ended: %v", err)
		}
	})
}
