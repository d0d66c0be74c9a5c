package diagnose_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/providers/github/githubtest"
	"github.com/hooknotary/hooknotary/providers/paypal"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/capture"
	"github.com/hooknotary/hooknotary/verify/diagnose"
)

func ids(found []diagnose.Finding) []diagnose.ID {
	var all []diagnose.ID
	for _, f := range found {
		all = append(all, f.ID)
	}
	return all
}

// want checks the ids of all findings, and that all of them are proved or none is.
func want(t *testing.T, found []diagnose.Finding, c diagnose.Confidence, all ...diagnose.ID) {
	t.Helper()
	ok := slices.Equal(ids(found), all)
	for _, f := range found {
		ok = ok && f.Confidence == c
	}
	if !ok {
		t.Errorf("the findings are %+v, want %v (%s)", found, all, c)
	}
}

// sentences checks the form of findings.
func sentences(t *testing.T, found []diagnose.Finding) {
	t.Helper()
	if len(found) > diagnose.MaxFindings {
		t.Errorf("there are %d findings", len(found))
	}
	seen := make(map[diagnose.ID]bool)
	for _, f := range found {
		if seen[f.ID] {
			t.Errorf("%s stands there twice", f.ID)
		}
		seen[f.ID] = true
		for _, text := range []string{f.Text, f.Fix} {
			if len(text) < 30 || strings.Trim(text[max(0, len(text)-1):], ".?") != "" || strings.Contains(text, "%!") || strings.Contains(text, "\n") {
				t.Errorf("%s: %q is no sentence", f.ID, text)
			}
		}
	}
}

// secrecy checks that a text holds no secret, no signature and nothing of the body.
func secrecy(t *testing.T, s *subject, d *delivery, text string) {
	t.Helper()
	secrets := []string{s.secret, s.wrong, d.secret, base64.StdEncoding.EncodeToString([]byte(s.secret))}
	for _, c := range d.o.Candidates {
		secrets = append(secrets, c.Secret)
	}
	for _, values := range d.c.Header {
		for _, value := range values {
			for _, piece := range strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(",=; ", r) }) {
				if len(piece) >= 32 {
					secrets = append(secrets, piece, piece[:16])
				}
			}
		}
	}
	for _, secret := range secrets {
		if len(secret) >= 8 && strings.Contains(text, strings.TrimSpace(secret)) {
			t.Errorf("%q holds a secret or a signature", text)
		}
	}
	for _, body := range []string{s.body, string(d.c.Body)} {
		for i := range max(0, len(text)-7) {
			if strings.Contains(body, text[i:i+8]) {
				t.Errorf("%q holds %q of the body", text, text[i:i+8])
			}
		}
	}
}

func TestFindings(t *testing.T) {
	// Keeps the table complete.
	t.Run("every id is a mistake of the table", func(t *testing.T) {
		elsewhere := []diagnose.ID{paypal.FindingUnconfirmed, diagnose.Unjudged} // have tests of their own
		contributed := []diagnose.ID{paypal.FindingWebhookID, paypal.FindingEnvironment, paypal.FindingSimulator,
			paypal.FindingCertificate, paypal.FindingIPN, paypal.FindingUnconfirmed}
		known := func(id diagnose.ID) {
			if !slices.Contains(elsewhere, id) && !slices.ContainsFunc(mistakes, func(m mistake) bool { return m.want == id }) {
				t.Errorf("no mistake of the table leads to %s", id)
			}
		}
		for _, id := range contributed {
			known(id)
		}
		file, err := parser.ParseFile(token.NewFileSet(), "diagnose.go", nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		ast.Inspect(file, func(node ast.Node) bool {
			spec, ok := node.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 {
				return true
			}
			literal, ok := spec.Values[0].(*ast.BasicLit)
			if kind, isIdent := spec.Type.(*ast.Ident); !ok || !isIdent || kind.Name != "ID" {
				return true
			}
			n++
			text, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			known(diagnose.ID(text))
			return true
		})
		if n < 40 {
			t.Errorf("there are %d ids, want more: does the test still look at anything?", n)
		}
	})

	t.Run("two mistakes are both found", func(t *testing.T) {
		s := subjects()[0]
		year := func(d *delivery) { d.c.ReceivedAt = receivedAt.AddDate(1, 0, 0) }
		for _, test := range []struct {
			name string
			make func(d *delivery)
			c    diagnose.Confidence
			want []diagnose.ID
		}{
			{"compacted, and judged too late", func(d *delivery) { year(d); d.c.Body = compacted(t, d.c.Body) }, diagnose.Proved,
				[]diagnose.ID{diagnose.BodyCompacted, diagnose.ClockOldCapture}},
			{"renamed, and a line end", func(d *delivery) {
				rename(func(name string) string { return "X-" + name })(t, s, d)
				d.c.Body = append(bytes.Clone(d.c.Body), '\n')
			}, diagnose.Proved, []diagnose.ID{diagnose.HeaderRenamed, diagnose.BodyNewlineAdded}},
			{"lower case, the secret of another endpoint, and judged too late", func(d *delivery) {
				year(d)
				rename(strings.ToLower)(t, s, d)
				d.v, d.o.Candidates = s.verifier(t, s.wrong), candidates(s.secret)
			}, diagnose.Proved, []diagnose.ID{diagnose.HeaderSpelling, diagnose.SecretOther, diagnose.ClockOldCapture}},
			{"lower case, and joined", func(d *delivery) {
				values(func(v string) []string { return []string{v + ", " + v} })(t, s, d)
				rename(strings.ToLower)(t, s, d)
			}, diagnose.Proved, []diagnose.ID{diagnose.HeaderSpelling, diagnose.HeaderJoined}},
			{"lower case, and cut off", func(d *delivery) {
				values(func(v string) []string { return []string{v[:40]} })(t, s, d)
				rename(strings.ToLower)(t, s, d)
			}, diagnose.Likely, []diagnose.ID{diagnose.HeaderSpelling, diagnose.HeaderMalformed}},
			{"a wrong secret, and judged too late", func(d *delivery) { year(d); d.v = s.verifier(t, s.wrong) }, diagnose.Likely,
				[]diagnose.ID{diagnose.SecretWrong, diagnose.ClockOldCapture}},
			{"split, and a wrong secret", func(d *delivery) {
				values(func(v string) []string { return strings.Split(v, ",") })(t, s, d)
				d.v = s.verifier(t, s.wrong)
			}, diagnose.Likely, []diagnose.ID{diagnose.HeaderSplit, diagnose.SecretWrong}},
			{"a byte order mark, other line ends and a line end more", func(d *delivery) {
				d.c.Body = slices.Concat([]byte("\xef\xbb\xbf"), bytes.ReplaceAll(d.c.Body, []byte("\n"), []byte("\r\n")), []byte("\r\n"))
			}, diagnose.Proved, []diagnose.ID{diagnose.BodyNewlineAdded, diagnose.BodyLineEnds, diagnose.BodyBOM}},
			{"compressed, then in base64", func(d *delivery) { d.c.Body = []byte(base64.StdEncoding.EncodeToString(gzipped(t, d.c.Body))) }, diagnose.Proved,
				[]diagnose.ID{diagnose.BodyGzip, diagnose.BodyBase64}},
			{"a quoted secret, and compacted", func(d *delivery) { d.secret, d.c.Body = `"`+s.secret+`"`, compacted(t, d.c.Body) }, diagnose.Proved,
				[]diagnose.ID{diagnose.SecretQuotes, diagnose.BodyCompacted}},
			{"a quoted secret that is wrong", func(d *delivery) { d.secret = "'" + s.wrong + "'\n" }, diagnose.Likely,
				[]diagnose.ID{diagnose.SecretQuotes, diagnose.SecretWhiteSpace, diagnose.SecretWrong}},
			{"inexact, and compacted", func(d *delivery) { d.c.Inexact, d.c.Body = "from a log", compacted(t, d.c.Body) }, "",
				[]diagnose.ID{diagnose.BodyCompacted, diagnose.BodyInexact}},
			{"an API key, and the secret among the others", func(d *delivery) {
				d.secret, d.o.Candidates = "sk_test_4eC39HqLyjWDarjtT1zdp7dc", candidates("pk_x", s.wrong, s.secret)
			}, "", []diagnose.ID{diagnose.SecretAPIKey, diagnose.SecretOther}},
			{"inexact, and judged too late", func(d *delivery) { year(d); d.c.Inexact = "from a log" }, diagnose.Proved, []diagnose.ID{diagnose.ClockOldCapture}},
			{"without a receive time, and a wrong secret", func(d *delivery) { d.c.ReceivedAt = time.Time{}; d.v = s.verifier(t, s.wrong) }, diagnose.Likely,
				[]diagnose.ID{diagnose.SecretWrong, diagnose.ClockOldCapture}},
		} {
			t.Run(test.name, func(t *testing.T) {
				d := s.genuine(t)
				test.make(d)
				found := d.findings(s)
				if test.c == "" && slices.Equal(ids(found), test.want) {
					return
				}
				want(t, found, test.c, test.want...)
			})
		}
	})

	t.Run("a mistake under another media type is found", func(t *testing.T) {
		s := subjects()[2]
		d := s.genuineOf(t, []byte(githubBody))
		d.c.Body = append([]byte(githubBody), '\n')
		want(t, d.findings(s), diagnose.Proved, diagnose.BodyNewlineAdded, diagnose.BodyMediaType)
		d.v = s.verifier(t, s.wrong)
		if found := d.findings(s); found[len(found)-1].ID != diagnose.SecretWrong {
			t.Errorf("under a wrong secret: %+v", found)
		}
	})

	t.Run("a certificate of another host is no other environment", func(t *testing.T) {
		s := subjects()[3]
		for _, u := range []string{"https://certs.example/v1/notifications/certs/CERT-1", "https://api.paypal.com.example/v1/notifications/certs/CERT-1", "http://api.sandbox.paypal.com/CERT-1"} {
			d := s.genuine(t)
			d.c.Header.Set("Paypal-Cert-Url", u)
			want(t, d.findings(s), diagnose.Likely, paypal.FindingCertificate)
		}
	})

	t.Run("a few sorted members say nothing", func(t *testing.T) {
		s := subjects()[1]
		d := s.genuineOf(t, []byte(`{"action":"opened","number":7,"ref":{"id":1,"sha":"0d1a"}}`))
		d.v = s.verifier(t, s.wrong)
		want(t, d.findings(s), diagnose.Likely, diagnose.SecretWrong)
	})

	t.Run("a verifier that tells nothing is diagnosed by body and clock", func(t *testing.T) {
		s := subjects()[0]
		for _, test := range []struct {
			name string
			make func(d *delivery)
			c    diagnose.Confidence
			want diagnose.ID
		}{
			{"compacted", func(d *delivery) { d.c.Body = compacted(t, d.c.Body) }, diagnose.Proved, diagnose.BodyCompacted},
			{"an hour off", func(d *delivery) { d.c.ReceivedAt = receivedAt.Add(time.Hour) }, diagnose.Proved, diagnose.ClockZone},
			{"lower case", func(d *delivery) { rename(strings.ToLower)(t, s, d) }, diagnose.Proved, diagnose.HeaderSpelling},
			{"a wrong secret", func(d *delivery) { d.v, d.o.Candidates = s.verifier(t, s.wrong), candidates(s.secret) }, diagnose.Likely, diagnose.SecretWrong},
			{"no header", func(d *delivery) { d.c.Header = nil }, diagnose.Likely, diagnose.HeaderMissing},
			{"a broken header", func(d *delivery) { d.c.Header["Stripe-Signature"] = []string{"v1"} }, diagnose.Likely, diagnose.HeaderMalformed},
			{"another verifier", func(d *delivery) { d.o.Others = []verify.Verifier{d.v}; d.v = s.verifier(t, s.wrong) }, diagnose.Proved, diagnose.SecretOther},
		} {
			d := s.genuine(t)
			test.make(d)
			d.v = opaque{d.v}
			want(t, d.findings(s), test.c, test.want)
		}
		d := s.genuine(t)
		d.v = opaque{d.v}
		want(t, d.findings(s), "")
	})

	t.Run("the keys of a tenant are those of the capture", func(t *testing.T) {
		s := subjects()[0]
		tenants := map[string]string{"/hooks/a": s.secret, "/hooks/b": s.wrong}
		v, err := stripe.New(verify.KeyFunc(func(_ context.Context, h *verify.Head) ([]verify.Key, error) {
			secret, ok := tenants[h.URL.Path]
			switch {
			case h.URL.Path == "/hooks/down":
				return nil, errors.New("the database is down")
			case !ok:
				return nil, verify.ErrNoKey
			}
			k, err := verify.NewKey(h.URL.Path, "1", []byte(secret))
			return []verify.Key{k}, err
		}), nil)
		if err != nil {
			t.Fatal(err)
		}
		d := s.genuine(t)
		d.v, d.c.URL = v, &url.URL{Path: "/hooks/a"}
		want(t, d.findings(s), "")
		d.c.Body = compacted(t, d.c.Body)
		want(t, d.findings(s), diagnose.Proved, diagnose.BodyCompacted)

		d = s.genuine(t)
		d.v, d.c.URL, d.o.Candidates = v, &url.URL{Path: "/hooks/b"}, candidates(s.secret)
		want(t, d.findings(s), diagnose.Proved, diagnose.SecretOther)
		d.c.URL = &url.URL{Path: "/hooks/c"}
		want(t, d.findings(s), diagnose.Proved, diagnose.SecretOther)
		d.o.Candidates = nil
		want(t, d.findings(s), diagnose.Likely, diagnose.SecretUnusable)
		d.c.URL = &url.URL{Path: "/hooks/down"}
		want(t, d.findings(s), diagnose.Likely, diagnose.Unjudged)
	})

	t.Run("the simulator is not proved for another delivery", func(t *testing.T) {
		s := subjects()[3]
		d := s.genuine(t)
		d.v = s.verifier(t, s.wrong)
		for _, f := range d.findings(s) {
			if f.ID == paypal.FindingSimulator {
				t.Errorf("%+v", f)
			}
		}
	})

	t.Run("the text names the header and the amount", func(t *testing.T) {
		s := subjects()[0]
		for _, test := range []struct {
			make func(*testing.T, *subject, *delivery) bool
			want string
		}{
			{rename(func(name string) string { return "X-Forwarded-" + name }), "X-Forwarded-Stripe-Signature"},
			{rename(strings.ToLower), `"stripe-signature"`},
			{values(func(v string) []string { return []string{v, v, v} }), "Stripe-Signature stands there 3 times"},
			{values(func(v string) []string { return []string{v + ", " + v} }), "Stripe-Signature is several headers"},
			{clock(-2*time.Hour - time.Minute), "2 hours after"},
			{clock(-5*time.Hour - 45*time.Minute), "5 hours and 45 minutes after"},
			{clock(8 * time.Minute), "8 minutes before"},
			{clock(100*24*time.Hour + 5*time.Hour), "100 days before"},
			{clock(-math.MaxInt64 + time.Hour), "106751 days after"},
			{func(_ *testing.T, s *subject, d *delivery) bool {
				d.c.Header = s.sign(time.Unix(99_999_999_999, 0), d.c.Body, s.secret)
				return true
			}, "292 years or more after"},
			{wrongSecret(&diagnose.Candidate{Label: "the shop's endpoint"}), `"the shop's endpoint"`},
			{wrongSecret(&diagnose.Candidate{Label: stripeSecret}), "number 3 of the other secrets"},
			{wrongSecret(&diagnose.Candidate{Label: "a\nb"}), "number 3 of the other secrets"},
			{wrongSecret(nil), "ruled out: 1 other secret, "},
			{wrongSecret(nil), "not ruled out: 1 other secret that cannot be one"},
			{head(func(_ *subject, h http.Header) bool { delete(h, "Stripe-Signature"); return true }), "Stripe-Signature is not there"},
			{from("github"), "GitHub"},
			{configured(func(string) string { return "your_webhook_secret" }), "The secret cannot be one: stripe: the secret is a placeholder"},
			{values(func(string) []string { return []string{"v1"} }), "do not have the scheme's form: the signature header does not have the scheme's form."},
			{lookalike("X-Gitea-Signature", func(mac []byte) string { return base64.StdEncoding.EncodeToString(mac) }), "Gitea"},
		} {
			d := s.genuine(t)
			test.make(t, s, d)
			if found := d.findings(s); len(found) == 0 || !strings.Contains(found[0].Text, test.want) {
				t.Errorf("%+v does not say %q", found, test.want)
			}
		}
	})

	t.Run("a secret of nothing is unusable", func(t *testing.T) {
		s := subjects()[0]
		found := diagnose.Secret(context.Background(), s.new, "", s.genuine(t).c, nil)
		want(t, found, diagnose.Likely, diagnose.SecretUnusable)
		if !strings.Contains(found[0].Text, "is its environment variable set?") || strings.HasSuffix(found[0].Text, "?.") {
			t.Errorf("the text is %q", found[0].Text)
		}
	})

	// A constructor that is not this module's may say too much.
	t.Run("an error that holds the secret is not printed", func(t *testing.T) {
		const secret = "correct horse battery staple"
		talkative := func(s string) (verify.Verifier, error) {
			return nil, errors.New("cannot use " + s + "\n" + strings.Repeat("x", 1000))
		}
		found := diagnose.Secret(context.Background(), talkative, secret, &capture.Capture{}, nil)
		want(t, found, diagnose.Likely, diagnose.SecretUnusable)
		sentences(t, found)
		if strings.Contains(found[0].Text, secret) {
			t.Errorf("the text is %q", found[0].Text)
		}
		found = diagnose.Secret(context.Background(), func(string) (verify.Verifier, error) { return talkative("it") }, secret, &capture.Capture{}, nil)
		sentences(t, found)
		if len(found[0].Text) > 400 {
			t.Errorf("the text has %d bytes", len(found[0].Text))
		}
	})

	t.Run("they are one object of JSON", func(t *testing.T) {
		b, err := json.Marshal(diagnose.Finding{ID: diagnose.BodyGzip, Confidence: diagnose.Proved, Text: "a", Fix: "b"})
		if want := `{"id":"body.gzip","confidence":"proved","text":"a","fix":"b"}`; err != nil || string(b) != want {
			t.Errorf("%s (%v), want %s", b, err, want)
		}
	})

	t.Run("a weak signature is no mistake where it is allowed", func(t *testing.T) {
		v, err := github.New(verify.Secrets(githubSecret), &github.Options{InsecureAllowSHA1: true})
		if err != nil {
			t.Fatal(err)
		}
		h := githubtest.Header("push", []byte(githubBody), githubSecret)
		delete(h, "X-Hub-Signature-256")
		c := &capture.Capture{Header: h, Body: []byte(githubBody), ReceivedAt: receivedAt}
		want(t, diagnose.Verifier(context.Background(), v, c, nil), "")
		h["X-Hub-Signature-256"] = []string{"sha256=abc"}
		delete(h, "X-Hub-Signature")
		found := diagnose.Verifier(context.Background(), v, c, nil)
		want(t, found, diagnose.Likely, diagnose.HeaderMalformed) // and not a missing X-Hub-Signature
	})
}

func TestBounds(t *testing.T) {
	t.Run("there are never too many findings", func(t *testing.T) {
		s := subjects()[0]
		d := s.genuine(t)
		d.c.Body = sorted(t, []byte("{\"g\":\"\ufffd\","+`"b":{"d":1,"c":2},"z":3,"y":4,"x":5}`))
		for name, value := range map[string]string{"Content-Encoding": "br", "Content-Type": "application/x-www-form-urlencoded", "X-Gitea-Signature": "0"} {
			d.c.Header.Set(name, value)
		}
		d.c.Header.Add("Stripe-Signature", "t=1")
		d.c.ReceivedAt = receivedAt.AddDate(1, 0, 0)
		d.v = s.verifier(t, "ghp_16C7e42F292c6912E7710c838347Ae178B4a")
		want(t, d.findings(s), diagnose.Likely, diagnose.HeaderSplit, diagnose.BodyGzip, diagnose.BodyCharset, diagnose.BodyFormDecoded,
			diagnose.BodyKeyOrder, diagnose.SecretAPIKey, diagnose.ProviderOther, diagnose.SecretWrong) // and the clock
	})

	t.Run("a diagnosis ends with its context", func(t *testing.T) {
		for _, s := range subjects() {
			d := s.genuine(t)
			d.v = s.verifier(t, s.wrong)
			d.o.Candidates = candidates(s.secret)
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			want(t, diagnose.Verifier(ctx, d.v, d.c, &d.o), diagnose.Likely, diagnose.Unjudged)
		}
	})

	t.Run("a diagnosis that is ended says so", func(t *testing.T) {
		s := subjects()[0]
		d := s.genuine(t)
		ctx, cancel := context.WithCancel(context.Background())
		c := &counter{Verifier: s.verifier(t, s.wrong), end: cancel, after: 20}
		found := diagnose.Verifier(ctx, c, d.c, nil)
		want(t, found, diagnose.Likely, diagnose.SecretWrong)
		if c.begun != 20 {
			t.Errorf("there were %d tries, want none after the end", c.begun)
		}
		if !strings.Contains(found[0].Text, "not all of it") {
			t.Errorf("the text does not say that something was left out: %s", found[0].Text)
		}
	})

	t.Run("a diagnosis is bounded", func(t *testing.T) {
		s := subjects()[1]
		for _, size := range []int{1 << 10, 64 << 10, 2 << 20, 33 << 20} {
			if testing.Short() && size > 1<<20 {
				continue
			}
			d := s.genuineOf(t, many(size))
			c := &counter{Verifier: s.verifier(t, s.wrong)}
			found := diagnose.Verifier(context.Background(), c, d.c, nil)
			want(t, found, diagnose.Likely, diagnose.SecretWrong)
			if c.begun > diagnose.MaxTries+2 || c.bytes > diagnose.MaxWork+2*int64(len(d.c.Body)) {
				t.Errorf("%d bytes: %d tries over %d bytes", size, c.begun, c.bytes)
			}
			if size >= 2<<20 && size < 32<<20 && c.bytes > diagnose.MaxWork/4 {
				t.Errorf("%d bytes of a body that is serialised again were hashed, which costs tenfold", c.bytes)
			}
			if size > 32<<20 && c.begun > 4 {
				t.Errorf("%d variants of a body of %d bytes were tried", c.begun, size)
			}
		}
	})

	t.Run("a compressed body is unwrapped within bounds", func(t *testing.T) {
		bomb := gzipped(t, make([]byte, 4<<20))
		if n := slices.Collect(diagnose.Unwrapped(bomb)); len(n) > 0 {
			t.Errorf("%d bytes were unwrapped to %d", len(bomb), len(n[0]))
		}
		if n := slices.Collect(diagnose.Unwrapped(gzipped(t, []byte(stripeBody)))); len(n) != 1 || string(n[0]) != stripeBody {
			t.Error("an honest body is not unwrapped")
		}
		nested := []byte(stripeBody)
		for range 5 {
			nested = quoted(t, nested)
		}
		if n := slices.Collect(diagnose.Unwrapped(nested)); string(n[len(n)-1]) != stripeBody {
			t.Error("a string in a string is not unwrapped")
		}
	})

	t.Run("a delivery that PayPal does not confirm is asked about once", func(t *testing.T) {
		secret, err := verify.NewKey("paypal", "app", []byte("EKt3LMwuRJ4PLaK8Dpr6hJ9wTQ2bN5"))
		if err != nil {
			t.Fatal(err)
		}
		transport := &api{RoundTripper: live()}
		v, err := paypal.New(webhookID, &paypal.Options{
			Transport: transport, Roots: live().Roots(),
			Confirm: &paypal.Confirm{ClientID: "client", Secret: secret, FetchEvent: true},
		})
		if err != nil {
			t.Fatal(err)
		}
		s := subjects()[3]
		d := s.genuine(t)
		d.v = v
		want(t, d.findings(s), diagnose.Proved, paypal.FindingUnconfirmed)
		if transport.asked != 1 {
			t.Errorf("PayPal was asked %d times, want once", transport.asked)
		}
		d.c.Body = append(d.c.Body, '\n')
		want(t, d.findings(s), diagnose.Proved, diagnose.BodyNewlineAdded)
		if transport.asked != 1 {
			t.Errorf("PayPal was asked %d times about a body whose signature does not hold", transport.asked-1)
		}
	})
}

// opaque tells nothing about itself.
type opaque struct{ v verify.Verifier }

func (o opaque) Profile() verify.Profile { return o.v.Profile() }
func (o opaque) Begin(ctx context.Context, h *verify.Head) (verify.Pending, error) {
	return o.v.Begin(ctx, h)
}

// counter counts what a diagnosis costs, and ends it.
type counter struct {
	verify.Verifier
	begun int
	bytes int64
	end   func()
	after int
}

func (c *counter) Begin(ctx context.Context, h *verify.Head) (verify.Pending, error) {
	if c.begun++; c.begun == c.after {
		c.end()
	}
	p, err := c.Verifier.Begin(ctx, h)
	if err != nil {
		return nil, err
	}
	return counted{p, c}, nil
}

type counted struct {
	verify.Pending
	c *counter
}

func (p counted) Finish(ctx context.Context, body []byte) (*verify.Delivery, error) {
	p.c.bytes += int64(len(body))
	return p.Pending.Finish(ctx, body)
}

// many is a document on which everything has an effect.
func many(size int) []byte {
	unit := `{"a":"` + strings.Repeat("<é\\u00e9&/\\/\\u003C\u2028x", 20) + `","b":[1,2.0,1e3,0.5,7],"c":{}}`
	var b bytes.Buffer
	b.WriteString(`{"zen":"x","all":[`)
	for b.Len() < size-len(unit) {
		b.WriteString(unit + ",")
	}
	b.WriteString("null]}")
	return b.Bytes()
}

func TestSecret(t *testing.T) {
	t.Run("the secret of a large body is found among many", func(t *testing.T) {
		if testing.Short() {
			t.Skip("25 MiB")
		}
		s := subjects()[1]
		d := s.genuineOf(t, many(25<<20))
		d.v = s.verifier(t, s.wrong)
		for i := range 63 {
			d.o.Candidates = append(d.o.Candidates, diagnose.Candidate{Secret: "candidate " + strconv.Itoa(1000+i) + " of many"})
		}
		d.o.Candidates = append(d.o.Candidates, candidates(s.secret, "one more than are tried")...)
		want(t, d.findings(s), diagnose.Proved, diagnose.SecretOther)
		d.o.Candidates[0], d.o.Candidates[63], d.o.Candidates[64] = d.o.Candidates[64], d.o.Candidates[0], d.o.Candidates[63]
		want(t, d.findings(s), diagnose.Likely, diagnose.SecretWrong)
	})
}

// quiet runs a diagnosis and checks that it changes nothing, and fetches nothing but the
// certificate and its issuer.
func quiet(t *testing.T, d *delivery, run func()) {
	t.Helper()
	body, fields, fetched := bytes.Clone(d.c.Body), header(t, d.c.Header), len(live().Fetched())
	run()
	if !bytes.Equal(body, d.c.Body) {
		t.Error("the body was changed")
	}
	if now := header(t, d.c.Header); now != fields {
		t.Errorf("the header was %s and is %s", fields, now)
	}
	files := live().Fetched()[fetched:]
	if len(files) > 2 {
		t.Errorf("%q were fetched, want the certificate and its issuer at most", files)
	}
	for _, u := range files {
		if u != live().CertURL() && !strings.HasPrefix(u, "http://cacerts.digicert.com/") {
			t.Errorf("%s was fetched", u)
		}
	}
}

func header(t *testing.T, h http.Header) string {
	t.Helper()
	b, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// api is PayPal's API, which knows no event.
type api struct {
	http.RoundTripper
	asked int
}

func (a *api) RoundTrip(r *http.Request) (*http.Response, error) {
	status, text := http.StatusNotFound, "{}"
	switch {
	case r.URL.Path == "/v1/oauth2/token":
		status, text = http.StatusOK, `{"access_token":"token","expires_in":3600}`
	case strings.HasPrefix(r.URL.Path, "/v1/notifications/webhooks-events/"):
		a.asked++
	default:
		return a.RoundTripper.RoundTrip(r)
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(text)), Request: r}, nil
}

func FuzzADiagnosisNeverPanics(f *testing.F) {
	for _, text := range []string{stripeBody, githubBody, paypalBody, standardBody, `{}`, `null`, "{\"a\":[{},[],{\"b\":{}}]}\r\n", "[\"\xff\"]", `[1e3,1E+2,-0.0]`} {
		f.Add("Stripe-Signature", "t=1773480413,v1="+strings.Repeat("0", 64), []byte(text), int64(1773480413))
	}
	f.Add("X-Hub-Signature-256", "sha256="+strings.Repeat("a", 64), []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0}, int64(0))
	f.Add("webhook-signature", "v1,AAAA, v1,BBBB", []byte(`"eyJhIjoxfQ=="`), int64(-1))
	f.Add("Paypal-Cert-Url", "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-1", []byte("payload=%7b%7D"), int64(1<<40))
	all := subjects()
	f.Fuzz(func(t *testing.T, name, value string, body []byte, at int64) {
		if len(body) > 1<<10 || len(value) > 1<<10 {
			return // the time of one run is not what is tested
		}
		for _, s := range all {
			h := http.Header{name: {value}, http.CanonicalHeaderKey(name): {value, value}, s.headers[0]: {value}}
			c := &capture.Capture{Header: h, Body: body, ReceivedAt: time.Unix(at, 0)}
			found := diagnose.Verifier(t.Context(), s.verifier(t, s.secret), c, &diagnose.Options{Candidates: candidates(s.wrong, value)})
			if len(found) == 0 || len(found) > diagnose.MaxFindings {
				t.Fatalf("%d findings for a forgery", len(found))
			}
			for _, f := range found {
				if f.Confidence == diagnose.Proved {
					t.Fatalf("a forgery is proved to be a mistake: %+v", f)
				}
				if f.Text == "" || f.Fix == "" || f.ID == "" {
					t.Fatalf("an empty finding: %+v", f)
				}
			}
		}
	})
}
