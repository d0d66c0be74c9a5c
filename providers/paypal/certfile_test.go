package paypal_test

import (
	"bytes"
	"context"
	"encoding/pem"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hooknotary/hooknotary/providers/paypal"
	"github.com/hooknotary/hooknotary/verify"
)

const certFileTitle = "hooknotary paypal certificates 1\n"

// inFile writes certificates as the file has them, with LF.
func inFile(url string, chain []byte) string {
	return url + "\n" + strings.ReplaceAll(string(chain), "\r\n", "\n")
}

func TestCertFile(t *testing.T) {
	t.Run("a file outlives the process", func(t *testing.T) {
		w := newWorld()
		file := filepath.Join(t.TempDir(), "paypal.certs")
		remember := func(o *paypal.Options) { o.CertFile = file }
		v := w.verifier(t, remember)
		if text, err := os.ReadFile(file); err != nil || string(text) != certFileTitle {
			t.Fatalf("New made %q, %v", text, err)
		}
		accept(t, "in the first run", v, sent(event), event)
		written(t, v)
		text, err := os.ReadFile(file)
		if err != nil || !strings.HasPrefix(string(text), certFileTitle+certURL+"\n-----BEGIN CERTIFICATE-----\n") || strings.Count(string(text), "BEGIN") != 2 {
			t.Fatalf("the file holds %q, %v; want the leaf and its issuer", text, err)
		}
		if strings.Contains(string(text), webhookID) {
			t.Error("the file holds the webhook id")
		}

		n := len(w.net.asked())
		accept(t, "in the second run", w.verifier(t, remember), sent(event), event)
		silent(t, "in the second run", w.net, n)
		if again, err := os.ReadFile(file); err != nil || !bytes.Equal(again, text) {
			t.Errorf("the second run left %q, %v", again, err)
		}
		for _, other := range []string{"another verifier", "its successor"} {
			w.hosts.file(otherURL, inPEM(w.issuer.leaf(otherKey().Public())))
			v := w.verifier(t, remember)
			accept(t, other, v, sentUnder(otherURL, otherKey(), receivedAt, event), event)
			written(t, v)
			text, err := os.ReadFile(file)
			if err != nil || !strings.Contains(string(text), "\n"+certURL+"\n") || !strings.Contains(string(text), "\n"+otherURL+"\n") {
				t.Errorf("%s left %q, %v; want both URLs", other, text, err)
			}
		}
		files, err := os.ReadDir(filepath.Dir(file))
		if err != nil || len(files) != 1 {
			t.Errorf("the folder holds %v, %v; want the file alone", files, err)
		}
	})

	// The file proves nothing: what it says is checked as what PayPal's host says.
	t.Run("a file proves nothing", func(t *testing.T) {
		stranger := newAuthority("Stranger Root", nil)
		for _, tt := range []struct {
			name string
			text func(w *world) string
			// Begin with the file's certificate fetches the genuine one.
			fetches bool
		}{
			{"the genuine chain", func(w *world) string {
				return inFile(certURL, inPEM(w.issuer.leaf(leafKey().Public()), w.issuer.cert))
			}, false},
			{"the leaf of a stranger", func(*world) string { return inFile(certURL, inPEM(stranger.leaf(otherKey().Public()))) }, true},
			{"the chain of a stranger with its root", func(*world) string {
				return inFile(certURL, inPEM(stranger.leaf(otherKey().Public()), stranger.cert))
			}, true},
			{"a leaf that signed itself", func(*world) string { return inFile(certURL, inPEM(selfSigned(liveName))) }, true},
			{"the genuine leaf without its issuer", func(w *world) string { return inFile(certURL, inPEM(w.issuer.leaf(leafKey().Public()))) }, true},
		} {
			t.Run(tt.name, func(t *testing.T) {
				w := newWorld()
				file := filepath.Join(t.TempDir(), "paypal.certs")
				must(os.WriteFile(file, []byte(certFileTitle+tt.text(w)), 0o600))
				v := w.verifier(t, func(o *paypal.Options) { o.CertFile = file })
				forged := sentUnder(certURL, otherKey(), receivedAt, event)
				reject(t, "signed by the stranger", v, forged, event, verify.ErrMismatch, "")
				accept(t, "genuine", v, sent(event), event)
				written(t, v)
				if n := len(w.net.asked()); tt.fetches && n == 0 {
					t.Error("no request")
				}
				settle(v)
			})
		}
	})

	// A URL whose chain does not verify any more still has its own budget in a flood.
	t.Run("a URL of the file has room in a flood", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld()
			file := filepath.Join(t.TempDir(), "paypal.certs")
			old := newAuthority("Old Root", nil)
			must(os.WriteFile(file, []byte(certFileTitle+inFile(certURL, inPEM(old.leaf(leafKey().Public())))), 0o600))
			v := w.verifier(t, func(o *paypal.Options) { o.CertFile = file })
			_, stop := flood(v, 500)
			defer stop()
			time.Sleep(time.Minute)
			start := time.Now()
			accept(t, "in the flood", v, sent(event), event)
			if took := time.Since(start); took != 0 {
				t.Errorf("it waited %v", took)
			}
			written(t, v) // or the folder is removed while the file is written
		})
	})

	// A certificate of the file is trusted in the time in which its chain is valid, as
	// any other.
	t.Run("a certificate of the file expires", func(t *testing.T) {
		w := newWorld()
		file := filepath.Join(t.TempDir(), "paypal.certs")
		v := w.verifier(t, func(o *paypal.Options) { o.CertFile = file })
		accept(t, "in the first run", v, sent(event), event)
		written(t, v)
		v = w.verifier(t, func(o *paypal.Options) { o.CertFile = file })
		end := time.Date(2029, 12, 31, 23, 59, 59, 0, time.UTC)
		accept(t, "in its last second", v, sentUnder(certURL, leafKey(), end, event), event)
		reject(t, "a second after", v, sentUnder(certURL, leafKey(), end.Add(time.Second), event), event, verify.ErrUntrusted, "not valid")
	})

	t.Run("a broken file is an error of New", func(t *testing.T) {
		w := newWorld()
		genuine := string(inFile(certURL, inPEM(w.issuer.leaf(leafKey().Public()), w.issuer.cert)))
		other := string(inFile(otherURL, inPEM(w.issuer.leaf(leafKey().Public()), w.issuer.cert)))
		pemHeader := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Headers: map[string]string{"a": "b"}, Bytes: w.issuer.leaf(leafKey().Public()).Raw}))
		for _, tt := range []struct {
			name  string
			text  string
			tells string // "": accepted
		}{
			{"one certificate", certFileTitle + genuine, ""},
			{"two certificates", certFileTitle + genuine + other, ""},
			{"none", certFileTitle, ""},

			{"nothing at all", "", "delete it"},
			{"no title", genuine, "delete it"},
			{"the title of another version", strings.Replace(certFileTitle, "1", "2", 1) + genuine, "delete it"},
			{"half of it", (certFileTitle + genuine)[:900], "delete it"},
			{"no line break at its end", strings.TrimSuffix(certFileTitle+genuine, "\n"), "delete it"},
			{"a byte more", certFileTitle + genuine + "x", "delete it"},
			{"a line break more", certFileTitle + genuine + "\n", "delete it"},
			{"line ends of Windows", strings.ReplaceAll(certFileTitle+genuine, "\n", "\r\n"), "delete it"},
			{"a URL without a certificate", certFileTitle + certURL + "\n", "delete it"},
			{"a certificate without a URL", certFileTitle + strings.TrimPrefix(genuine, certURL+"\n"), "delete it"},
			{"one URL twice", certFileTitle + genuine + genuine, "delete it"},
			{"a text between", certFileTitle + strings.Replace(genuine, "-----END CERTIFICATE-----\n", "-----END CERTIFICATE-----\nand\n", 1), "live against sandbox"},
			{"another kind of block", certFileTitle + strings.ReplaceAll(genuine, "CERTIFICATE", "PUBLIC KEY"), "delete it"},
			{"a block with a header", certFileTitle + certURL + "\n" + pemHeader, "delete it"},
			{"six certificates in one chain", certFileTitle + inFile(certURL, bytes.Repeat(w.genuineFile(), 6)), "delete it"},
			{"33 URLs", certFileTitle + manyURLs(w, 33), "delete it"},
			{"32 URLs", certFileTitle + manyURLs(w, 32), ""},
			{"two MiB", certFileTitle + strings.Repeat("\n", 2<<20), "delete it"},

			{"a URL of the sandbox", certFileTitle + strings.Replace(genuine, certURL, sandboxURL, 1), "live against sandbox"},
			{"a URL of another host", certFileTitle + strings.Replace(genuine, "api.paypal.com", "evil.example", 1), "live against sandbox"},
			{"a certificate in another name", certFileTitle + inFile(certURL, inPEM(w.issuer.leaf(leafKey().Public(), name("www.paypal.com", "www.paypal.com")))), "live against sandbox"},
			{"a certificate of the sandbox", certFileTitle + inFile(certURL, inPEM(w.issuer.leaf(leafKey().Public(), name(sandboxName, sandboxName)))), "live against sandbox"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				file := filepath.Join(t.TempDir(), "paypal.certs")
				must(os.WriteFile(file, []byte(tt.text), 0o600))
				v, err := paypal.New(webhookID, &paypal.Options{CertFile: file, Transport: w.net})
				if tt.tells == "" {
					if err != nil {
						t.Errorf("refused: %v", err)
					}
					return
				}
				if v != nil || err == nil || !strings.Contains(err.Error(), tt.tells) || !strings.Contains(err.Error(), file) {
					t.Errorf("New = %v, want an error that names the file and tells of %q", err, tt.tells)
				}
				if text, err := os.ReadFile(file); err != nil || string(text) != tt.text {
					t.Errorf("New changed the file: %v", err)
				}
			})
		}
		t.Run("a file that cannot be written", func(t *testing.T) {
			for _, file := range []string{filepath.Join(t.TempDir(), "missing", "paypal.certs"), t.TempDir()} {
				if v, err := paypal.New(webhookID, &paypal.Options{CertFile: file}); v != nil || err == nil || !strings.Contains(err.Error(), file) {
					t.Errorf("New with %q = %v", file, err)
				}
			}
		})
	})

	// A file that cannot be written later is tried again, and Prefetch tells.
	t.Run("a file that cannot be written is tried again", func(t *testing.T) {
		w := newWorld()
		folder := filepath.Join(t.TempDir(), "state")
		must(os.Mkdir(folder, 0o700))
		file := filepath.Join(folder, "paypal.certs")
		v := w.verifier(t, func(o *paypal.Options) { o.CertFile = file })
		must(os.RemoveAll(folder))
		accept(t, "without the folder", v, sent(event), event)
		if err := v.Prefetch(t.Context()); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("Prefetch = %v, want an error that names the file", err)
		}
		must(os.Mkdir(folder, 0o700))
		written(t, v)
		if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), certURL) {
			t.Errorf("the file holds %q, %v", text, err)
		}
	})

	// What is no file blocks nobody, and a disk that hangs holds no goroutine for what
	// anyone can cause.
	t.Run("a file that hangs holds nobody", func(t *testing.T) {
		w := newWorld()
		t.Run("a device", func(t *testing.T) {
			if _, err := os.Stat("/dev/zero"); err != nil {
				t.Skip("there is none")
			}
			if _, err := paypal.New(webhookID, &paypal.Options{CertFile: "/dev/zero"}); err == nil || !strings.Contains(err.Error(), "regular") {
				t.Errorf("New = %v", err)
			}
		})
		t.Run("a disk", func(t *testing.T) {
			v := w.verifier(t, func(o *paypal.Options) { o.CertFile = filepath.Join(t.TempDir(), "paypal.certs") })
			release := paypal.HoldFile(v)
			defer release()
			before := runtime.NumGoroutine()
			for i := range 9 {
				v.Begin(t.Context(), stranger(i))
			}
			for range 100 {
				if runtime.NumGoroutine() <= before {
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
			t.Errorf("%d goroutines wait for the file after 9 unknown URLs", runtime.NumGoroutine()-before)
		})
	})

	// Whoever wrote the file once, and any 32 certificates that nobody trusts into it, keeps
	// no genuine one out of it, and no URL of Prefetch from its budget.
	t.Run("a file full of worthless certificates fills itself again", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld()
			leaf := w.genuineFile()
			file := filepath.Join(t.TempDir(), "paypal.certs")
			fake := newAuthority("Stranger Root", nil)
			planted := inPEM(fake.leaf(otherKey().Public(), validUntil(receivedAt.AddDate(9, 0, 0))))
			var all strings.Builder
			for i := range 32 {
				all.WriteString(inFile(leafURL(i), planted))
			}
			must(os.WriteFile(file, []byte(certFileTitle+all.String()), 0o600))
			remember := func(o *paypal.Options) { o.CertFile = file }

			w.hosts.status(certURL, 503)
			v := w.verifier(t, remember)
			urls := []string{certURL}
			for i := range 9 {
				urls = append(urls, otherURL+strings.Repeat("X", i+1))
			}
			v.Prefetch(t.Context(), urls...) // fails
			w.hosts.file(certURL, leaf)
			_, stop := flood(v, 500)
			time.Sleep(time.Minute)
			start := time.Now()
			accept(t, "after Prefetch, in a flood", v, sent(event), event)
			if took := time.Since(start); took != 0 {
				t.Errorf("it waited %v", took)
			}
			stop()
			written(t, v)

			v, n := w.verifier(t, remember), len(w.net.asked())
			accept(t, "in the next run", v, sent(event), event)
			silent(t, "in the next run", w.net, n)
		})
	})

	// That a certificate is the one of its URL, only PayPal's host can say: a file that has
	// a genuine certificate under the URL of another one refuses an attempt, and not every
	// one for ever.
	t.Run("a file that mixes up certificates is corrected", func(t *testing.T) {
		for _, tt := range []struct {
			name  string
			edits []edit
		}{
			{"another one that is valid", nil},
			{"an old one", []edit{validFrom(receivedAt.AddDate(-3, 0, 0)), validUntil(receivedAt.AddDate(-2, 0, 0))}},
		} {
			t.Run(tt.name, func(t *testing.T) {
				w := newWorld()
				file := filepath.Join(t.TempDir(), "paypal.certs")
				must(os.WriteFile(file, []byte(certFileTitle+inFile(certURL, inPEM(w.issuer.leaf(otherKey().Public(), tt.edits...), w.issuer.cert))), 0o600))
				remember := func(o *paypal.Options) { o.CertFile = file }
				v := w.verifier(t, remember)
				if tt.edits == nil {
					reject(t, "the first attempt", v, sent(event), event, verify.ErrMismatch, "")
					settle(v)
				}
				accept(t, "an attempt", v, sent(event), event)
				settle(v)
				n := len(w.net.asked())
				for range 50 {
					reject(t, "a stranger", v, sentUnder(certURL, otherKey(), receivedAt, event), event, verify.ErrMismatch, "")
				}
				v = w.verifier(t, remember)
				accept(t, "in the next run", v, sent(event), event)
				silent(t, "afterwards", w.net, n)
			})
		}
	})

	// Nor do strangers have a host asked more than a known URL may be.
	t.Run("strangers have a file checked seldom", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld()
			file := filepath.Join(t.TempDir(), "paypal.certs")
			must(os.WriteFile(file, []byte(certFileTitle+inFile(certURL, inPEM(w.issuer.leaf(leafKey().Public()), w.issuer.cert))), 0o600))
			w.hosts.status(certURL, 503)
			v := w.verifier(t, func(o *paypal.Options) { o.CertFile = file })
			for range 600 {
				reject(t, "a stranger", v, sentUnder(certURL, otherKey(), receivedAt, event), event, verify.ErrMismatch, "")
				accept(t, "genuine", v, sent(event), event)
				time.Sleep(100 * time.Millisecond)
			}
			if n := len(w.net.asked()); n > 12 {
				t.Errorf("600 requests in a minute had the host asked %d times, want 12", n)
			}
		})
	})
}

func manyURLs(w *world, n int) string {
	var all strings.Builder
	leaf := inPEM(w.issuer.leaf(leafKey().Public()))
	for i := range n {
		all.WriteString(inFile(leafURL(i), leaf))
	}
	return all.String()
}

// settle lets the fetches of v end that no request waits for, with what they write.
func settle(v *paypal.Verifier) {
	for paypal.Flying(v) {
		time.Sleep(time.Millisecond)
	}
	v.Prefetch(context.Background())
}
