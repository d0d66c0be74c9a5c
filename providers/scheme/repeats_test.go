package scheme_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// sending is a delivery of shopify's, with a topic outside the signature.
type sending struct{ body, topic string }

// statuses hands deliveries to a guard, one behind the other, and returns what it
// answers and how often the handler ran.
func statuses(t *testing.T, d scheme.Definition, o *scheme.Options, all ...sending) (codes []int, runs int) {
	t.Helper()
	d.Retention = 7 * day
	guard, err := middleware.New("hooks", mustNew(t, d, o, plainSecrets[0]), replay.NewMemory(nil),
		&middleware.Options{Observe: func(context.Context, middleware.Report) {}})
	if err != nil {
		t.Fatal(err)
	}
	h := guard.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { runs++ }))
	for _, s := range all {
		r := httptest.NewRequest(http.MethodPost, "/hooks", bytes.NewReader([]byte(s.body)))
		for name, values := range signShopify(received, nil, []byte(s.body), plainSecrets[0]) {
			r.Header[name] = values
		}
		r.Header.Set("X-Shopify-Topic", s.topic)
		w := httptest.NewRecorder()
		before := runs
		h.ServeHTTP(w, r)
		if marked := w.Header().Get("Webhook-Duplicate") == "1"; marked != (w.Code == http.StatusOK && runs == before) {
			t.Errorf("after %d runs the answer is %d, marked as a duplicate: %v", runs, w.Code, marked)
		}
		codes = append(codes, w.Code)
	}
	return codes, runs
}

// TestRepeats: what a guard answers to a repeat follows from the definition.
func TestRepeats(t *testing.T) {
	with := func(change func(*scheme.Definition)) scheme.Definition {
		d := shopify()
		change(&d)
		return d
	}
	identical := shopify()
	never := with(func(d *scheme.Definition) { d.Retry = verify.RetryNever })
	topics := with(func(d *scheme.Definition) { d.Partitions = []string{"orders/create", "orders/paid"} })
	create, paid, cancelled := sending{`{"id":1}`, "orders/create"}, sending{`{"id":1}`, "orders/paid"}, sending{`{"id":1}`, "orders/cancelled"}
	for _, tt := range []struct {
		name  string
		d     scheme.Definition
		o     *scheme.Options
		all   []sending
		codes []int
		runs  int
	}{
		{"a sender that repeats its bytes gets 200 for the repeat", identical, nil, []sending{create, create}, []int{200, 200}, 1},
		{"a sender that never retries gets 409 for the repeat", never, nil, []sending{create, create}, []int{200, 409}, 1},
		{"another body is another event", identical, nil, []sending{create, {`{"id":2}`, "orders/create"}}, []int{200, 200}, 2},
		{"an equal body under another topic is one event without a list", identical, nil, []sending{create, paid}, []int{200, 200}, 1},
		{"an equal body under another topic is another event with the definition's list", topics, nil, []sending{create, paid, create, paid}, []int{200, 200, 200, 200}, 2},
		{"a topic outside the list counts as none, and runs once", topics, nil, []sending{create, cancelled, {`{"id":1}`, "made/up"}}, []int{200, 200, 200}, 2},
		{"the endpoint's list stands in place of the definition's", topics, &scheme.Options{Partitions: []string{"orders/cancelled"}}, []sending{create, paid, cancelled}, []int{200, 200, 200}, 2},
		{"an empty list of the endpoint is no list", topics, &scheme.Options{Partitions: []string{}}, []sending{create, paid}, []int{200, 200}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			codes, runs := statuses(t, tt.d, tt.o, tt.all...)
			if fmt.Sprint(codes) != fmt.Sprint(tt.codes) || runs != tt.runs {
				t.Errorf("answers are %v in %d runs, want %v in %d", codes, runs, tt.codes, tt.runs)
			}
		})
	}
}

func TestDescribe(t *testing.T) {
	for _, tt := range []struct {
		name, signed, before string
		d                    scheme.Definition
		tell                 []string
		equal                bool
	}{
		{"a body alone", "body, HMAC-SHA256", "", shopify(), []string{"X-Shopify-Hmac-Sha256"}, true},
		{"a time in a header", "time and body, HMAC-SHA256", "v0:{X-Slack-Request-Timestamp}:", slack(), []string{"X-Slack-Signature", "X-Slack-Request-Timestamp"}, false},
		{"a time in the signature's header", "time and body, HMAC-SHA256", "{=t}.", listed(), []string{"Listed-Signature"}, false},
		{"an id in a header", "id, time and body, HMAC-SHA256", "{Webhook-Id}.{Webhook-Timestamp}.", standardWebhooks("webhook"), []string{"Webhook-Signature", "Webhook-Timestamp", "Webhook-Id"}, false},
		{"a URL", "URL and body, HMAC-SHA256", verify.NotBeforeBody, square(), []string{"X-Square-Hmacsha256-Signature"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := tt.d.Describe()
			if a.Signed != tt.signed || a.Tell.Before != tt.before || fmt.Sprint(a.Tell.Headers) != fmt.Sprint(tt.tell) || a.EqualBodies != tt.equal {
				t.Errorf("it says %+v", a)
			}
			v, err := scheme.New(tt.d, keys(t, base64Secrets[0]), optionsOf(tt.d))
			if err != nil {
				t.Fatal(err)
			}
			for i, name := range v.SecurityHeaders() {
				if len(a.Headers) <= i || a.Headers[i].Name != name || a.Headers[i].Use == "" {
					t.Errorf("headers are %+v, want %s at %d", a.Headers, name, i)
				}
			}
		})
	}
	t.Run("what the definition says itself stays", func(t *testing.T) {
		d := shopify()
		d.About = verify.About{Title: "Shop", Signed: "all", Headers: []verify.HeaderUse{{Name: "A", Use: "b"}}, Tell: verify.Tell{Headers: []string{"C"}, Before: "d"}}
		if a := d.Describe(); a.Title != "Shop" || a.Signed != "all" || a.Headers[0].Name != "A" || a.Tell.Headers[0] != "C" || a.Tell.Before != "d" {
			t.Errorf("it says %+v", a)
		}
	})
}

// optionsOf returns the options without which a definition makes no verifier.
func optionsOf(d scheme.Definition) *scheme.Options {
	if d.Provider == "square" {
		return &scheme.Options{URL: squareURL}
	}
	return nil
}
