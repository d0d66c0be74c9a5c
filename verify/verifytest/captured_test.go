package verifytest_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/providers/github/githubtest"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/capture"
	"github.com/hooknotary/hooknotary/verify/diagnose"
	"github.com/hooknotary/hooknotary/verify/replay"
	"github.com/hooknotary/hooknotary/verify/verifytest"
)

// arrived is when the captures of these tests arrived.
var arrived = time.Date(2026, 3, 14, 9, 26, 53, 250e6, time.UTC)

var paid = []byte(`{"id":"evt_1","type":"invoice.paid","amount":1200}`)

// stripeCapture is a genuine delivery of Stripe.
func stripeCapture(t testing.TB, change ...func(c *capture.Capture)) *capture.Capture {
	c := capture.New(stripetest.NewRequest(path, arrived, paid, stripeSecret), paid, arrived)
	for _, f := range change {
		f(c)
	}
	return c
}

// gitHubCapture is a genuine delivery of GitHub without a receive time.
func gitHubCapture(change ...func(c *capture.Capture)) *capture.Capture {
	c := capture.New(githubtest.NewRequest(path, "push", paid, githubSecret), paid, time.Time{})
	for _, f := range change {
		f(c)
	}
	return c
}

func write(t testing.TB, file string, c *capture.Capture) string {
	t.Helper()
	if err := c.WriteFile(file); err != nil {
		t.Fatal(err)
	}
	return file
}

// file writes c to a file of its own.
func file(t testing.TB, c *capture.Capture) string {
	t.Helper()
	return write(t, filepath.Join(t.TempDir(), "delivery.http"), c)
}

func header(name string, values ...string) func(c *capture.Capture) {
	return func(c *capture.Capture) { c.Header[name] = values }
}

func body(s string) func(c *capture.Capture) {
	return func(c *capture.Capture) { c.Body = []byte(s) }
}

func at(t time.Time) func(c *capture.Capture) { return func(c *capture.Capture) { c.ReceivedAt = t } }

func TestAccepts(t *testing.T) {
	t.Run("it returns what was verified", func(t *testing.T) {
		d := verifytest.Accepts(t, stripe.Must(stripeSecret), file(t, stripeCapture(t)))
		if d.ID != "evt_1" || !bytes.Equal(d.Body, paid) || !d.ReceivedAt.Equal(arrived) {
			t.Errorf("delivery is %s %s at %v", d.ID, d.Body, d.ReceivedAt)
		}
	})
}

// judged are captures with the verdict about them. Each stands behind a genuine one
// that it was made of.
func judged(t testing.TB) []struct {
	name    string
	v       verify.Verifier
	capture *capture.Capture
	reason  verify.Reason // 0: accepted
	says    []string      // what Accepts says
} {
	s, g := stripe.Must(stripeSecret), github.Must(githubSecret)
	put := func(c *capture.Capture) { c.Method = http.MethodPut }
	large := strings.Repeat(" ", 1<<20+1)
	return []struct {
		name    string
		v       verify.Verifier
		capture *capture.Capture
		reason  verify.Reason
		says    []string
	}{
		{"genuine", s, stripeCapture(t), 0, nil},
		{"another body", s, stripeCapture(t, body(`{"id":"evt_1","type":"invoice.paid","amount":1}`)), verify.ErrMismatch, []string{"signature matches no key"}},
		{"another secret", stripe.Must(otherSecret), stripeCapture(t), verify.ErrMismatch, []string{"signature matches no key"}},
		{"unsigned", s, stripeCapture(t, func(c *capture.Capture) { c.Header.Del("Stripe-Signature") }), verify.ErrUnsigned, nil},
		{"malformed", s, stripeCapture(t, header("Stripe-Signature", "t=1,v1=zz")), verify.ErrMalformed, nil},
		{"too old", s, stripeCapture(t, at(arrived.Add(6*time.Minute))), verify.ErrTooOld, nil},
		{"too new", s, stripeCapture(t, at(arrived.Add(-6*time.Minute))), verify.ErrTooNew, nil},
		{"another method", s, stripeCapture(t, put), verify.ErrMethod, nil},
		{"no method", s, stripeCapture(t, func(c *capture.Capture) { c.Method = "" }), 0, nil},
		{"another Content-Type", s, stripeCapture(t, header("Content-Type", "text/json")), verify.ErrMediaType, []string{`the Content-Type is "text/json", and the endpoint takes application/json alone`}},
		{"no Content-Type", s, stripeCapture(t, func(c *capture.Capture) { c.Header.Del("Content-Type") }), 0, nil},
		{"a Content-Type in capitals, with a parameter", s, stripeCapture(t, header("Content-Type", "APPLICATION/JSON ; charset=utf-8")), 0, nil},
		{"two Content-Types", s, stripeCapture(t, header("Content-Type", "application/json", "application/json")), verify.ErrMediaType, nil},
		{"a Content-Encoding", s, stripeCapture(t, header("Content-Encoding", "gzip")), verify.ErrMediaType, []string{`the Content-Encoding is "gzip"`}},
		{"no encoding", s, stripeCapture(t, header("Content-Encoding", "Identity")), 0, nil},
		{"two Content-Encodings", s, stripeCapture(t, header("Content-Encoding", "identity", "identity")), verify.ErrMediaType, nil},
		{"a body that is too large", s, stripeCapture(t, body(large)), verify.ErrTooLarge, []string{"the body has 1048577 bytes, and the limit is 1048576"}},
		{"a body that is as large as can be", s, stripeCapture(t, body(large[1:])), verify.ErrMismatch, nil},
		{"GitHub", g, gitHubCapture(at(arrived)), 0, nil},
		{"GitHub, and a form", g, gitHubCapture(at(arrived), header("Content-Type", "application/x-www-form-urlencoded")), verify.ErrMediaType, []string{"does the provider's setting match the verifier's?"}},
	}
}

func TestAcceptsAndRejects(t *testing.T) {
	for _, tt := range judged(t) {
		t.Run(tt.name, func(t *testing.T) {
			name := file(t, tt.capture)
			accepts := record(t, func(tb testing.TB) {
				if d := verifytest.Accepts(tb, tt.v, name); d == nil {
					t.Error("no delivery and no failure")
				}
			})
			if tt.reason == 0 {
				accepts.wantText(t)
				record(t, func(tb testing.TB) { verifytest.Rejects(tb, tt.v, name, verify.ErrMismatch) }).
					wantText(t, name+": accepted", `want it refused as "mismatch"`, "is it still the genuine delivery")
				return
			}
			accepts.wantText(t, append(tt.says, name+": refused as \""+tt.reason.String()+`", want it accepted`, "\n\tverify: "+tt.reason.Error())...)
			record(t, func(tb testing.TB) { verifytest.Rejects(tb, tt.v, name, tt.reason) }).wantText(t)
			other := verify.ErrMismatch
			if tt.reason == other {
				other = verify.ErrForged
			}
			wrong := record(t, func(tb testing.TB) { verifytest.Rejects(tb, tt.v, name, other) })
			wrong.wantText(t, name+": refused as \""+tt.reason.String()+`", want "`+other.String()+`"`, "\n\tverify: "+tt.reason.Error())
			for _, secret := range []string{stripeSecret, otherSecret, githubSecret, "invoice.paid", "evt_1"} {
				if strings.Contains(accepts.text()+wrong.text(), secret) {
					t.Errorf("the failure shows %q:\n%s", secret, accepts.text())
				}
			}
		})
	}
}

func TestCaptured(t *testing.T) {
	// What this package says of a capture is what a guard says of the request.
	t.Run("verdicts are those of a guard", func(t *testing.T) {
		for _, tt := range judged(t) {
			t.Run(tt.name, func(t *testing.T) {
				var reason verify.Reason
				now := func() time.Time { return tt.capture.ReceivedAt }
				store := replay.NewMemory(&replay.MemoryOptions{Now: now, Since: now().Add(-time.Hour)})
				guard, err := middleware.New("test", tt.v, store, &middleware.Options{
					Now:     now,
					Observe: func(_ context.Context, e middleware.Report) { reason = e.Reason },
				})
				if err != nil {
					t.Fatal(err)
				}
				h := guard.Handler(status(http.StatusOK))
				h.ServeHTTP(httptest.NewRecorder(), tt.capture.Request(context.Background()))
				if reason != tt.reason {
					t.Errorf("a guard says %v, and Accepts and Rejects say %v", reason, tt.reason)
				}
			})
		}
	})

	t.Run("failures print the diagnosis", func(t *testing.T) {
		v := stripe.Must(stripeSecret)
		c := stripeCapture(t, body(string(paid)+"\n"))
		findings := diagnose.Verifier(t.Context(), v, c, nil)
		if len(findings) == 0 {
			t.Fatal("there is nothing to print")
		}
		var texts []string
		for _, f := range findings {
			texts = append(texts, fmt.Sprintf("\n\t%s (%s): %s\n\t\tfix: %s", f.ID, f.Confidence, f.Text, f.Fix))
		}
		name := file(t, c)
		record(t, func(tb testing.TB) { verifytest.Accepts(tb, v, name) }).wantText(t, texts...)
		record(t, func(tb testing.TB) { verifytest.Rejects(tb, v, name, verify.ErrTooOld) }).wantText(t, texts...)
	})

	t.Run("files that cannot be judged fail", func(t *testing.T) {
		dir := t.TempDir()
		text := func(name, text string) string {
			name = filepath.Join(dir, name)
			if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			return name
		}
		entry := `{"startedDateTime":"2026-03-14T09:26:53Z","request":{"method":"POST","url":"https://shop.example/hooks","httpVersion":"HTTP/1.1","headers":[],"postData":{"mimeType":"application/json","text":"{}"}}}`
		s, g := stripe.Must(stripeSecret), github.Must(githubSecret)
		inexact := func(c *capture.Capture) { c.Inexact = "serialised again" }
		for _, tt := range []struct {
			name string
			v    verify.Verifier
			file string
			want []string // none: it can be judged
		}{
			{"complete", s, file(t, stripeCapture(t)), nil},
			{"without a time", s, file(t, stripeCapture(t, at(time.Time{}))), []string{"delivery.http", `add the line "# received: 2026-03-01T09:30:12Z"`}},
			{"without a time, where none is signed", g, file(t, gitHubCapture()), nil},
			{"with an inexact body", s, file(t, stripeCapture(t, inexact)), []string{"delivery.http", "not exactly what was signed (serialised again)"}},
			{"with two captures", s, text("two.har", `{"log":{"version":"1.2","entries":[`+entry+`,`+entry+`]}}`), []string{"two.har", "it holds 2 captures, want one"}},
			{"that are not there", s, filepath.Join(dir, "none.http"), []string{"none.http"}},
			{"that hold something else", s, text("noise.http", "noise"), []string{"noise.http"}},
		} {
			t.Run(tt.name, func(t *testing.T) {
				record(t, func(tb testing.TB) { verifytest.Accepts(tb, tt.v, tt.file) }).wantText(t, tt.want...)
				if tt.want != nil {
					record(t, func(tb testing.TB) { verifytest.Rejects(tb, tt.v, tt.file, verify.ErrMismatch) }).wantText(t, tt.want...)
				}
				request := record(t, func(tb testing.TB) { verifytest.NewRequest(tb, tt.file) })
				clock := record(t, func(tb testing.TB) { verifytest.Clock(tb, tt.file) })
				untimed := strings.HasPrefix(tt.name, "without a time")
				if request.failed != (tt.want != nil && !untimed) {
					t.Errorf("NewRequest says %q", request.text())
				}
				if clock.failed != (tt.want != nil || untimed) {
					t.Errorf("Clock says %q", clock.text())
				}
			})
		}
	})

	t.Run("a verifier is needed", func(t *testing.T) {
		name := file(t, stripeCapture(t))
		v, err := stripe.New(verify.Secrets(""), nil)
		if err == nil {
			t.Fatal("a verifier without a secret")
		}
		for _, v := range []verify.Verifier{nil, v} {
			record(t, func(tb testing.TB) { verifytest.Accepts(tb, v, name) }).wantText(t, "verifier is nil; check the error its constructor returned")
			record(t, func(tb testing.TB) { verifytest.Rejects(tb, v, name, verify.ErrMismatch) }).wantText(t, "verifier is nil")
		}
	})
}

func TestNewRequest(t *testing.T) {
	// A handler behind its guard takes the request of a capture, at the time of the
	// capture.
	t.Run("it serves the test of a handler, with Clock", func(t *testing.T) {
		c := stripeCapture(t, at(arrived.Add(4*time.Second)), func(c *capture.Capture) {
			c.URL = &url.URL{Path: path, RawQuery: "tenant=7"}
		})
		name := file(t, c)
		serve := func(now func() time.Time) (status int, ran bool) {
			guard, err := middleware.New("billing", stripe.Must(stripeSecret),
				replay.NewMemory(&replay.MemoryOptions{Now: now, Since: now().Add(-time.Hour)}), &middleware.Options{Now: now})
			if err != nil {
				t.Fatal(err)
			}
			h := on(hook, guard.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				d, ok := verify.FromContext(r.Context())
				ran = ok && d.ID == "evt_1" && r.URL.Query().Get("tenant") == "7"
			})))
			w := httptest.NewRecorder()
			h.ServeHTTP(w, verifytest.NewRequest(t, name))
			return w.Code, ran
		}
		if status, ran := serve(verifytest.Clock(t, name)); status != http.StatusOK || !ran {
			t.Errorf("at the time of the capture: status %d, ran %v", status, ran)
		}
		if status, ran := serve(time.Now); status != http.StatusUnauthorized || ran {
			t.Errorf("now: status %d, ran %v", status, ran)
		}
	})
}

func TestDirOfThisPackage(t *testing.T) {
	verifytest.Dir(t, stripe.Must(exampleSecret), "testdata/stripe")
}

const dirVariable = "HOOKNOTARY_VERIFYTEST_DIR"

// TestDirOfTheEnvironment is run by the test below, and only by it.
func TestDirOfTheEnvironment(t *testing.T) {
	dir := os.Getenv(dirVariable)
	if dir == "" {
		t.Skip("run by TestDirFails")
	}
	verifytest.Dir(t, stripe.Must(stripeSecret), dir)
}

func TestDirFails(t *testing.T) {
	expect := func(s string) func(c *capture.Capture) { return func(c *capture.Capture) { c.Expect = s } }
	genuine := stripeCapture(t, expect("accept"))
	forged := stripeCapture(t, expect("mismatch"), body("{}"))
	for _, tt := range []struct {
		name  string
		files map[string]*capture.Capture
		args  string
		want  []string // none: it passes
	}{
		{"a folder of expectations that are met", map[string]*capture.Capture{"good.http": genuine, "bad.http": forged}, "", nil},
		{"one of its subtests alone", map[string]*capture.Capture{"good.http": genuine, "bad.http": forged}, "/bad", nil},
		{"an empty folder", nil, "", []string{"there is no .http file"}},
		{"a folder of other files", map[string]*capture.Capture{"good.txt": genuine}, "", []string{"there is no .http file"}},
		{"a file without an expectation", map[string]*capture.Capture{"good.http": genuine, "none.http": stripeCapture(t)}, "",
			[]string{"TestDirOfTheEnvironment/none", "none.http: it does not say what to expect", `add the line "# expect: accept"`}},
		{"refusals alone", map[string]*capture.Capture{"bad.http": forged}, "", []string{`no readable file expects "accept"`}},
		{"a genuine delivery that should be refused", map[string]*capture.Capture{"good.http": genuine, "bad.http": stripeCapture(t, expect("mismatch"))}, "",
			[]string{"TestDirOfTheEnvironment/bad", "bad.http: accepted when it arrived, at 2026-03-14T09:26:53.25Z", `want it refused as "mismatch"`}},
		{"a forged delivery that should be accepted", map[string]*capture.Capture{"good.http": genuine, "bad.http": stripeCapture(t, expect("accept"), body("{}"))}, "",
			[]string{"TestDirOfTheEnvironment/bad", `bad.http: refused as "mismatch", want it accepted`, "signature matches no key"}},
		{"another reason", map[string]*capture.Capture{"good.http": genuine, "bad.http": stripeCapture(t, expect("malformed"), body("{}"))}, "",
			[]string{"TestDirOfTheEnvironment/bad", `bad.http: refused as "mismatch", want "malformed"`}},
		{"a file without a time", map[string]*capture.Capture{"good.http": genuine, "bad.http": stripeCapture(t, expect("accept"), at(time.Time{}))}, "",
			[]string{"TestDirOfTheEnvironment/bad", `add the line "# received:`}},
		{"a genuine file that cannot be read", map[string]*capture.Capture{"good.http": nil, "bad.http": forged}, "",
			[]string{"TestDirOfTheEnvironment/good", "good.http", `no readable file expects "accept"`}},
		{"no folder", nil, "none", []string{"no such file or directory"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, c := range tt.files {
				name = filepath.Join(dir, name)
				if c != nil {
					write(t, name, c)
				} else if err := os.WriteFile(name, []byte("noise"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			subtest := ""
			if tt.args == "none" {
				dir = filepath.Join(dir, "none")
			} else {
				subtest = tt.args
			}
			cmd := exec.Command(os.Args[0], "-test.run=^TestDirOfTheEnvironment$"+subtest)
			cmd.Env = append(os.Environ(), dirVariable+"="+dir)
			out, err := cmd.CombinedOutput()
			if (err != nil) != (tt.want != nil) {
				t.Fatalf("%v:\n%s", err, out)
			}
			for _, text := range tt.want {
				if !bytes.Contains(out, []byte(text)) {
					t.Errorf("the failure does not say %q:\n%s", text, out)
				}
			}
		})
	}
}
