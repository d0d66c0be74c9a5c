package migration

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	standardlib "github.com/standard-webhooks/standard-webhooks/libraries/go"
	svix "github.com/svix/svix-webhooks/go"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/providers/standardwebhooks"
	"github.com/hooknotary/hooknotary/verify"
)

const (
	fromStandard   = "From Svix and Standard Webhooks"
	standardSecret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
	otherSecret    = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	standardUser   = `{"type":"user.created","data":{"id":"usr_1"}}`
)

// signer is what both libraries have.
type signer interface {
	Sign(id string, at time.Time, body []byte) (string, error)
}

// delivery is signed by an old library.
type delivery struct {
	prefix string // of the headers
	signer func(secret string) (signer, error)
	id     string
}

func (d delivery) sign(secret, body string) func(time.Time) *http.Request {
	return func(at time.Time) *http.Request {
		s, err := d.signer(secret)
		if err != nil {
			panic(err)
		}
		signature, err := s.Sign(d.id, at, []byte(body))
		if err != nil {
			panic(err)
		}
		h := make(http.Header)
		h.Set("Content-Type", "application/json")
		h.Set(d.prefix+"-id", d.id)
		h.Set(d.prefix+"-timestamp", fmt.Sprint(at.Unix()))
		h.Set(d.prefix+"-signature", signature)
		return post("/hooks/users", h, []byte(body))
	}
}

func (d delivery) rows() []row {
	sign := d.sign(standardSecret, standardUser)
	large := strings.Replace(standardUser, "usr_1", strings.Repeat("1", 1<<20), 1)
	dotted := d
	dotted.id = "msg_1.2"
	return []row{
		{name: "genuine", requests: one(sign)},
		{name: "forged", requests: one(d.sign(otherSecret, standardUser))},
		{name: "forged, where the variable for the secret is not set", secret: new(""), requests: one(d.sign("", standardUser))},
		{name: "genuine, under a secret of 8 bytes", secret: new("whsec_c2VzYW1lNDI="), requests: one(d.sign("whsec_c2VzYW1lNDI=", standardUser))},
		{name: "with a second signature header", requests: one(edited(sign, func(h http.Header) { h.Add(d.prefix+"-signature", "v1,00") }))},
		{name: "with a plus before the time", requests: one(edited(sign, func(h http.Header) { h.Set(d.prefix+"-timestamp", "+"+h.Get(d.prefix+"-timestamp")) }))},
		{name: "with a zero before the time", requests: one(edited(sign, func(h http.Header) { h.Set(d.prefix+"-timestamp", "0"+h.Get(d.prefix+"-timestamp")) }))},
		{name: "with a dot in the id", requests: one(dotted.sign(standardSecret, standardUser))},
		{name: "as `text/plain`", requests: one(edited(sign, func(h http.Header) { h.Set("Content-Type", "text/plain") }))},
		{name: "replayed: the same bytes again", requests: twice(sign)},
		{name: "retried although it was handled: the same id, newly signed", requests: func(at time.Time) []*http.Request {
			return []*http.Request{sign(at), sign(at.Add(time.Minute))}
		}},
		{name: "retried because the handler failed", fails: 1, requests: twice(sign)},
		{name: "larger than 1 MiB", requests: one(d.sign(standardSecret, large))},
	}
}

var (
	svixDelivery     = delivery{"svix", func(secret string) (signer, error) { return svix.NewWebhook(secret) }, "msg_2b1QfXa0ZkC7u3Rr"}
	standardDelivery = delivery{"webhook", func(secret string) (signer, error) { return standardlib.NewWebhook(secret) }, "msg_2b1QfXa0ZkC7u3Rr"}
)

func svixLibrary() library {
	return library{
		name:     "svix",
		heading:  fromStandard,
		variable: "WEBHOOK_SECRET",
		secret:   standardSecret,
		before: func(mux *http.ServeMux, handle func() error) error {
			return svixBefore(mux, func(context.Context, []byte) error { return handle() })
		},
		after: func(mux *http.ServeMux, handle func() error) error {
			return svixAfter(mux, func(context.Context, []byte) error { return handle() })
		},
		rows: svixDelivery.rows(),
	}
}

func standardLibrary() library {
	return library{
		name:     "standard-webhooks",
		heading:  fromStandard,
		variable: "WEBHOOK_SECRET",
		secret:   standardSecret,
		before: func(mux *http.ServeMux, handle func() error) error {
			return standardBefore(mux, func(context.Context, []byte) error { return handle() })
		},
		after: func(mux *http.ServeMux, handle func() error) error {
			return standardAfter(mux, func(context.Context, []byte) error { return handle() })
		},
		rows: standardDelivery.rows(),
	}
}

func TestStandard(t *testing.T) {
	t.Run("Svix takes the headers of either name", func(t *testing.T) {
		l := svixLibrary()
		standard := row{name: "genuine, with webhook-… headers", requests: one(standardDelivery.sign(standardSecret, standardUser))}
		for when, register := range map[string]func(*http.ServeMux, func() error) error{"before": l.before, "after": l.after} {
			if got := l.judge(t, register, standard); got != "handled" {
				t.Errorf("%s: %s", when, got)
			}
		}
	})

	t.Run("one name of each kind is no set of headers", func(t *testing.T) {
		l := svixLibrary()
		mixed := row{name: "genuine, with a webhook-id", requests: one(edited(svixDelivery.sign(standardSecret, standardUser), func(h http.Header) {
			h.Set("webhook-id", h.Get("svix-id"))
			h.Del("svix-id")
		}))}
		if got := l.judge(t, l.before, mixed); got != "400" {
			t.Errorf("before: %s", got)
		}
		if got := l.judge(t, l.after, mixed); got != "401, malformed" {
			t.Errorf("after: %s", got)
		}
	})

	// What NewWebhookRaw of both libraries takes.
	t.Run("secrets may be text", func(t *testing.T) {
		quiet(t)
		raw := delivery{"svix", func(secret string) (signer, error) { return svix.NewWebhookRaw([]byte(secret)) }, "msg_1"}
		text := standardwebhooks.Svix.Definition()
		text.Secret = scheme.Secret{}
		for name, tt := range map[string]struct {
			definition scheme.Definition
			want       int
		}{
			"text":   {text, http.StatusOK},
			"base64": {standardwebhooks.Svix.Definition(), http.StatusUnauthorized},
		} {
			v, err := scheme.New(tt.definition, verify.Secrets("C2FVsBQIhrscChlQIMV+b5sSYspob7oD"), nil)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			w := httptest.NewRecorder()
			h := middleware.Protect(v)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			h.ServeHTTP(w, raw.sign("C2FVsBQIhrscChlQIMV+b5sSYspob7oD", standardUser)(time.Now()))
			if w.Code != tt.want {
				t.Errorf("%s: %d, want %d", name, w.Code, tt.want)
			}
		}
	})
}

// libraries returns all that people come from.
func libraries() []library {
	return []library{stripeLibrary(), githubLibrary(), playgroundLibrary(), svixLibrary(), standardLibrary()}
}
