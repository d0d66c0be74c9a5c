package diagnose_test

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/providers/paypal"
	"github.com/hooknotary/hooknotary/verify/capture"
	"github.com/hooknotary/hooknotary/verify/diagnose"
)

func TestSecretEscapes(t *testing.T) {
	// Each has a twin, the same delivery with the secret as
	// the provider shows it, which verifies.
	t.Run("escapes of a secret are undone", func(t *testing.T) {
		for _, s := range subjects()[:2] {
			for _, tt := range []struct{ name, secret, escaped string }{
				{"for JSON", "QmFzZTY0LXBhZGRlZC1zZWNyZXQ=", `QmFzZTY0LXBhZGRlZC1zZWNyZXQ\u003D`},
				{"for JSON, with a slash", "p@ss/word+0123456789", `p@ss\/word+0123456789`},
				{"for HTML", "s3cret&key-0123456789", "s3cret&amp;key-0123456789"},
				{"for HTML twice", "s3cret&key-0123456789", "s3cret&amp;amp;key-0123456789"},
				{"for HTML, with a quote", "s3cret'key-0123456789", "s3cret&#39;key-0123456789"},
				{"for a URL", "p@ss/word+0123456789", "p%40ss%2Fword%2B0123456789"},
				{"for a path", "p@ss/word+0123456789", "p@ss%2Fword+0123456789"},
				{"as a form, which makes a space of a plus", "p@ss/word+0123456789", "p@ss/word 0123456789"},
				{"for a shell or Compose", "aaaa$bbbb$cccc$dddd", "aaaa$$bbbb$$cccc$$dddd"},
				{"with backslashes", `aaaa\bbbb\cccc\dddd`, `aaaa\\bbbb\\cccc\\dddd`},
				{"with backslashes of a shell", "aaaa$bbbb$cccc$dddd", `aaaa\$bbbb\$cccc\$dddd`},
				{"unescaped, which the provider did not", "aaaa&amp;bbbb&amp;cccc-0123", "aaaa&bbbb&cccc-0123"},
				{"with one of two dollar signs", "aaaa$$bbbb$$cccc$$dddd", "aaaa$bbbb$cccc$dddd"},
			} {
				t.Run(s.name+" "+tt.name, func(t *testing.T) {
					d := s.genuine(t)
					d.c.Header = s.sign(receivedAt, d.c.Body, tt.secret)
					d.v = s.verifier(t, tt.escaped)
					found := d.findings(s)
					want(t, found, diagnose.Proved, diagnose.SecretEscaped)
					for _, f := range found {
						if strings.Contains(f.Text+f.Fix, tt.secret) || strings.Contains(f.Text+f.Fix, tt.escaped) {
							t.Errorf("the finding holds the secret: %s", f.Text)
						}
					}
					d.v = s.verifier(t, tt.secret)
					want(t, d.findings(s), "")
					d.v = s.verifier(t, tt.escaped+"x")
					want(t, d.findings(s), diagnose.Likely, diagnose.SecretWrong)
				})
			}
		}
	})
}

func TestBodyFindings(t *testing.T) {
	// What is written alike was
	// not alike before.
	t.Run("a number that lost its fraction is found beside an equal integer", func(t *testing.T) {
		s := subjects()[0]
		for _, tt := range []struct{ name, signed, body string }{
			{"one behind an integer", `{"id":"evt_1","pending_webhooks":1,"percent":1.0}`, `{"id":"evt_1","pending_webhooks":1,"percent":1}`},
			{"one in front of an integer", `{"id":"evt_1","percent":1.0,"z":1}`, `{"id":"evt_1","percent":1,"z":1}`},
			{"a zero", `{"id":"evt_1","a":0.0,"b":0}`, `{"id":"evt_1","a":0,"b":0}`},
			{"two beside integers, and another", `{"a":1,"b":1.0,"c":2,"d":2.0,"e":7.0,"f":3}`, `{"a":1,"b":1,"c":2,"d":2,"e":7,"f":3}`},
			{"with two decimals", `{"a":1,"b":1.00}`, `{"a":1,"b":1}`},
			{"a negative one", `[-1,-1.0]`, `[-1,-1]`},
			{"one of many", `[` + strings.Repeat("1,", 20) + `1.0]`, `[` + strings.Repeat("1,", 20) + `1]`},
			{"one that is repeated nowhere", `{"id":"evt_1","pending_webhooks":2,"percent":1.0}`, `{"id":"evt_1","pending_webhooks":2,"percent":1}`},
		} {
			t.Run(tt.name, func(t *testing.T) {
				d := s.genuineOf(t, []byte(tt.signed))
				want(t, d.findings(s), "")
				d.c.Body = []byte(tt.body)
				want(t, d.findings(s), diagnose.Proved, diagnose.BodyNumbers)
				d.c.Body = []byte(strings.Replace(tt.body, "1", "4", 1))
				if found := d.findings(s); found[len(found)-1].ID != diagnose.SecretWrong {
					t.Errorf("with another value: %+v", found)
				}
			})
		}
	})

	// A gateway's event is mostly headers.
	t.Run("a small body is found in a large event", func(t *testing.T) {
		s := subjects()[0]
		for name, text := range map[string]string{
			"as a string": strconv.Quote(`{"id":"evt_1"}`),
			"in base64":   strconv.Quote(base64.StdEncoding.EncodeToString([]byte(`{"id":"evt_1"}`))),
		} {
			d := s.genuineOf(t, []byte(`{"id":"evt_1"}`))
			d.c.Body = []byte(`{"headers":{"a":"` + strings.Repeat("x", 400) + `","b":"` + strings.Repeat("y", 400) + `"},"body":` + text + `}`)
			if found := d.findings(s); len(found) == 0 || found[0].Confidence != diagnose.Proved {
				t.Errorf("%s: %+v", name, found)
			}
		}
	})
}

func TestFormFindings(t *testing.T) {
	// The signature holds, and a guard refuses.
	t.Run("a form at an endpoint of JSON is named", func(t *testing.T) {
		s := subjects()[1]
		body := []byte("payload=" + url.QueryEscape(githubBody))
		d := s.genuineOf(t, body)
		d.c.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		found := d.findings(s)
		want(t, found, diagnose.Proved, diagnose.BodyMediaType)
		if !strings.Contains(found[0].Text, "form") || !strings.Contains(found[0].Fix, "application/json") ||
			!strings.Contains(found[0].Fix, "Options.Form") || !strings.Contains(found[0].Fix, "--form") {
			t.Errorf("the finding is %+v", found[0])
		}
		sentences(t, found)
		for name, values := range map[string][]string{
			"JSON": {"application/json"}, "JSON with a parameter": {"Application/JSON; charset=utf-8"}, "none": nil,
		} {
			d.c.Header["Content-Type"] = values
			if found := d.findings(s); len(found) > 0 {
				t.Errorf("%s: %+v", name, found)
			}
		}
		d.c.Header["Content-Type"] = []string{"application/json", "application/json"}
		want(t, d.findings(s), diagnose.Proved, diagnose.BodyMediaType)

		// Another provider's endpoint is spoken of in general.
		s = subjects()[0]
		d = s.genuine(t)
		want(t, d.findings(s), "")
		d.c.Header.Set("Content-Type", "text/plain")
		found = d.findings(s)
		want(t, found, diagnose.Proved, diagnose.BodyMediaType)
		if strings.Contains(found[0].Text+found[0].Fix, "GitHub") || !strings.Contains(found[0].Text, "text/plain") {
			t.Errorf("the finding is %+v", found[0])
		}
	})

	// The twins of an IPN.
	t.Run("a form that is no IPN is none", func(t *testing.T) {
		const ipn = "txn_type=web_accept&txn_id=899327589&verify_sign=AtkOfCXbDm2hu0ZELryHFjY&ipn_track_id=ef77a6f5b1a2b"
		for _, tt := range []struct {
			name, body string
			subject    int
			want       diagnose.ID
		}{
			{"an IPN", ipn, 3, paypal.FindingIPN},
			{"a form without its check", strings.Replace(ipn, "verify_sign", "verify", 1), 3, diagnose.HeaderMissing},
			{"an event without its headers", paypalBody, 3, diagnose.HeaderMissing},
			{"an IPN at another provider's endpoint", ipn, 0, diagnose.HeaderMissing},
		} {
			t.Run(tt.name, func(t *testing.T) {
				s := subjects()[tt.subject]
				d := s.genuine(t)
				d.c = &capture.Capture{URL: d.c.URL, ReceivedAt: receivedAt, Body: []byte(tt.body)}
				d.c.Header = map[string][]string{"Content-Type": {"application/x-www-form-urlencoded"}}
				want(t, d.findings(s), diagnose.Likely, tt.want)
			})
		}
	})
}

func TestRuledOut(t *testing.T) {
	// Nothing is said to be ruled out that was not tried to its
	// end, and where values of the body were changed, the text does not blame the secret.
	t.Run("what is ruled out was tried", func(t *testing.T) {
		const (
			lines, charset, wrapped = "line ends changed throughout the body, one line end or all white space at its end added, one line end cut there, a byte order mark", "Latin-1, Windows-1252 or UTF-16 for UTF-8", "compression, base64, JSON and forms around the body"
			form, secret            = "a form that the body was taken from", "the usual mistakes in writing the secret (white space, quotes, prefixes, escapes, base64, hexadecimal)"
			throughout              = "the white space, escapes and numbers of common JSON encoders throughout, with the values as they are"
			numbers                 = "one number of the JSON in another form or some integers that lost zeros, with the rest as it is or as the provider writes it"
			empties                 = "empty objects taken for arrays or the reverse, with the rest as it is or as the provider writes it"
			values, order           = "a body with other values than were signed", "another order of its members"
		)
		split := func(t *testing.T, text string) (ruledOut, leftOut []string) {
			t.Helper()
			_, rest, ok := strings.Cut(text, "; not ruled out: ")
			if !ok {
				t.Fatalf("the text does not say what is not ruled out: %s", text)
			}
			before, _, _ := strings.Cut(text, "; not ruled out: ")
			_, out, _ := strings.Cut(before, "; ruled out: ")
			return []string{out}, []string{rest}
		}
		for _, tt := range []struct {
			name, body          string
			change              func(d *delivery)
			ruledOut, notSpoken []string
			leftOut             []string
		}{
			{
				name: "a value was changed", body: `{"id":"evt_1","amount":4200,"metadata":{}}`,
				ruledOut: []string{lines, throughout, numbers, empties, secret}, notSpoken: []string{charset, form + "s"}, leftOut: []string{values, order},
			},
			{
				name: "there is nothing empty in it", body: `{"id":"evt_1","amount":4200}`,
				ruledOut: []string{lines, throughout, numbers}, notSpoken: []string{empties, charset}, leftOut: []string{values, order},
			},
			{
				name: "it has more numbers than are tried one by one", body: `[` + manyNumbers(60) + `]`,
				ruledOut: []string{lines, throughout}, notSpoken: []string{empties}, leftOut: []string{numbers, values},
			},
			{
				name: "it has more empty objects than are tried together", body: `{"a":[` + strings.Repeat("{},", 12) + `{}]}`,
				ruledOut: []string{lines, throughout}, leftOut: []string{empties, values},
			},
			{
				name: "it is no JSON", body: "a=b",
				ruledOut: []string{lines, secret}, notSpoken: []string{throughout, numbers, order}, leftOut: []string{values},
			},
			{
				name: "there are other secrets", body: `{"id":"evt_1"}`, change: func(d *delivery) { d.o.Candidates = candidates("one-other-secret-00", "two-other-secret-00") },
				ruledOut: []string{"2 other secrets", lines}, leftOut: []string{values},
			},
			{
				name: "one of the other secrets cannot be one", body: `{"id":"evt_1"}`, change: func(d *delivery) { d.o.Candidates = candidates("one-other-secret-00", "") },
				ruledOut: []string{"1 other secret,", lines}, notSpoken: []string{"2 other secrets"}, leftOut: []string{"that cannot be one", values},
			},
			{
				name: "it holds more strings that may be the body than are tried", body: `{"a":[` + strings.Repeat(`"{\"id\":1}",`, 8) + `1]}`,
				ruledOut: []string{lines, secret}, leftOut: []string{wrapped, values},
			},
			{
				name: "it is too large to be a form", body: `{"id":"evt_1","text":"` + strings.Repeat("x", 1<<20) + `"}`,
				ruledOut: []string{lines, secret}, leftOut: []string{form, values},
			},
		} {
			t.Run(tt.name, func(t *testing.T) {
				s := subjects()[0]
				d := s.genuineOf(t, []byte(strings.Replace(tt.body, "4200", "4900", 1)+"changed"))
				d.c.Body = []byte(tt.body)
				if tt.change != nil {
					tt.change(d)
				}
				found := d.findings(s)
				last := found[len(found)-1]
				if last.ID != diagnose.SecretWrong {
					t.Fatalf("the last finding is %s", last.ID)
				}
				ruledOut, leftOut := split(t, last.Text)
				for _, what := range tt.ruledOut {
					if !strings.Contains(ruledOut[0], what) || strings.Contains(leftOut[0], what) {
						t.Errorf("%q is not ruled out: %s", what, last.Text)
					}
				}
				for _, what := range tt.leftOut {
					if !strings.Contains(leftOut[0], what) || strings.Contains(ruledOut[0], what) {
						t.Errorf("%q is said to be ruled out, or not spoken of: %s", what, last.Text)
					}
				}
				for _, what := range tt.notSpoken {
					if strings.Contains(last.Text, what) {
						t.Errorf("%q is spoken of: %s", what, last.Text)
					}
				}
				if slices.Contains(tt.ruledOut, values) {
					t.Error("the case is wrong: nobody can rule that out")
				}
			})
		}
	})
}

func manyNumbers(n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strings.Repeat("7", 1+i%12))
		b.WriteString(strings.Repeat("1", 1+i/12))
	}
	return b.String()
}
