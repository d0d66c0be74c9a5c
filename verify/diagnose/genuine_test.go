package diagnose_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/paypal"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/capture"
	"github.com/hooknotary/hooknotary/verify/diagnose"
)

// random writes JSON of many kinds.
type random struct{ *rand.Rand }

func (r random) word() string {
	words := []string{"amount", "näme", "état", "ref", "url", "zone", "owner", "login", "beta", "id_", "x<y", "a&b", "path/to", "π", "😀", "quote\"", "tab\t", "line\n", "back\\slash", "\u2028"}
	return fmt.Sprintf("%s%d", words[r.IntN(len(words))], r.IntN(1000))
}

func (r random) number() string {
	switch r.IntN(6) {
	case 0:
		return fmt.Sprint(r.Int64())
	case 1:
		return fmt.Sprintf("%.2f", r.Float64()*1000)
	case 2:
		return fmt.Sprintf("%d.0", r.IntN(100))
	case 3:
		return fmt.Sprintf("%de%d", 1+r.IntN(9), r.IntN(20))
	case 4:
		return fmt.Sprint(-r.Float64())
	}
	return fmt.Sprint(r.IntN(100000))
}

func (r random) text(s string) string {
	b, _ := json.Marshal(s)
	if r.IntN(2) == 0 {
		b = []byte(strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(b)))
	}
	return string(b)
}

func (r random) value(depth int) string {
	switch n := r.IntN(9); {
	case n < 2 && depth > 0:
		var members []string
		for range r.IntN(8) {
			members = append(members, r.text(r.word())+":"+r.value(depth-1))
		}
		return "{" + strings.Join(members, ",") + "}"
	case n == 2 && depth > 0:
		var elements []string
		for range r.IntN(5) {
			elements = append(elements, r.value(depth-1))
		}
		return "[" + strings.Join(elements, ",") + "]"
	case n < 5:
		return r.number()
	case n == 5:
		return []string{"true", "false", "null"}[r.IntN(3)]
	}
	return r.text(r.word() + " " + r.word())
}

// body is an event of any form: the members in no order, with the white space of one
// encoder or another.
func (r random) body(t *testing.T) []byte {
	b := fmt.Appendf(nil, `{"type":%s,"id":"evt_%d","data":%s,"created":%s,"last":%s,"array":[%s]}`,
		r.text(r.word()), r.Int64(), r.value(4), r.number(), r.value(3), r.value(2))
	switch r.IntN(4) {
	case 0:
		b = indented("  ")(t, b)
	case 1:
		b = spaced(t, b)
	case 2:
		b = append(indented("\t")(t, b), "\r\n"...)
	}
	return b
}

func (r random) bodyFor(t *testing.T, s *subject) []byte {
	b := r.body(t)
	if !s.json() {
		b = []byte("payload=" + url.QueryEscape(string(b)))
	}
	return b
}

func TestGenuine(t *testing.T) {
	t.Run("a thousand genuine captures give no finding", func(t *testing.T) {
		r := random{rand.New(rand.NewPCG(1, 2))}
		all := subjects()
		for i := range 1000 {
			s := all[i%len(all)]
			b := r.bodyFor(t, s)
			at := receivedAt.Add(time.Duration(r.Int64N(int64(100 * 24 * time.Hour))))
			c := &capture.Capture{
				URL: &url.URL{Path: "/hooks"}, Header: s.sign(at, b, s.secret), Body: b,
				ReceivedAt: at.Add(time.Duration(r.IntN(280)) * time.Second),
			}
			if i%7 == 0 {
				c.Inexact = "nobody knows"
			}
			o := &diagnose.Options{Candidates: []diagnose.Candidate{{Label: "another", Secret: s.wrong}}, Others: []verify.Verifier{s.verifier(t, s.wrong)}}
			if found := diagnose.Verifier(context.Background(), s.verifier(t, s.secret), c, o); len(found) > 0 {
				t.Errorf("%s: %q: %v", s.name, b, found)
			}
			if found := diagnose.Secret(context.Background(), s.new, s.secret, c, o); len(found) > 0 {
				t.Errorf("%s: %q: %v", s.name, b, found)
			}
		}
	})

	t.Run("a genuine capture gives no finding during a rotation", func(t *testing.T) {
		v := stripe.Must("whsec_Zq8n3VbT6mXr1LpWk5NcYd9sHf2gJe7R", stripeSecret)
		body := []byte(stripeBody)
		c := &capture.Capture{Header: stripetest.Header(receivedAt, body, stripeSecret, "whsec_the older one of two"), Body: body, ReceivedAt: receivedAt}
		if found := diagnose.Verifier(context.Background(), v, c, nil); len(found) > 0 {
			t.Errorf("findings: %v", found)
		}
		c.Body = compacted(t, body)
		found := diagnose.Verifier(context.Background(), v, c, nil)
		if len(found) != 1 || found[0].ID != diagnose.BodyCompacted || found[0].Confidence != diagnose.Proved {
			t.Errorf("findings for a body that was compacted: %v", found)
		}
	})

	// A body of no special form under a wrong secret must not be explained by its form.
	t.Run("a wrong secret is not explained by the body", func(t *testing.T) {
		r := random{rand.New(rand.NewPCG(3, 4))}
		for _, s := range subjects() {
			want := diagnose.SecretWrong
			if s.name == "paypal" {
				want = paypal.FindingWebhookID
			}
			for range 12 {
				d := s.genuineOf(t, r.bodyFor(t, s))
				d.v = s.verifier(t, s.wrong)
				found := d.findings(s)
				if len(found) == 0 || found[0].ID != want || found[0].Confidence != diagnose.Likely {
					t.Errorf("%s: %q: %v", s.name, d.c.Body, found)
				}
			}
		}
	})

	// What nobody but a forger does is never proved to be a mistake.
	t.Run("a forged body is never proved to be a mistake", func(t *testing.T) {
		forgeries := []struct{ old, new string }{
			{"104900", "1"}, {"104900", "10490000"}, {"in_1TBQ8wLkdIwHu7ixq0Vn5rUe", "in_1TBQ8wLkdIwHu7ixq0Vn5rUf"},
			{"refs/heads/main", "refs/heads/evil"}, {"refs%2Fheads%2Fmain", "refs%2Fheads%2Fevil"},
			{`"30.00"`, `"30.0"`}, {`"30.00"`, `"3000.00"`}, {"false", "true"}, {"true", "1"}, {"503", "200"}, {`"Zoë`, `"Zoe`},
			{"1e3", "1e4"}, {"invoice.paid", "invoice.Paid"},
		}
		made := 0
		for _, s := range subjects() {
			for _, forgery := range forgeries {
				d := s.genuine(t)
				forged := []byte(strings.ReplaceAll(s.body, forgery.old, forgery.new))
				if string(forged) == s.body {
					continue
				}
				made++
				d.c.Body = forged
				d.o.Candidates = candidates(s.wrong)
				found := d.findings(s)
				if len(found) == 0 {
					t.Errorf("%s: %v: accepted", s.name, forgery)
				}
				if slices.ContainsFunc(found, func(f diagnose.Finding) bool { return f.Confidence == diagnose.Proved }) {
					t.Errorf("%s: %v: %v", s.name, forgery, found)
				}
				if want := diagnose.SecretWrong; s.name != "paypal" && found[0].ID != want {
					t.Errorf("%s: %v: %s, want %s", s.name, forgery, found[0].ID, want)
				}
			}
		}
		if made < 20 {
			t.Errorf("%d forgeries were made, want more", made)
		}
	})
}

func candidates(secrets ...string) []diagnose.Candidate {
	var all []diagnose.Candidate
	for _, secret := range secrets {
		all = append(all, diagnose.Candidate{Secret: secret})
	}
	return all
}
