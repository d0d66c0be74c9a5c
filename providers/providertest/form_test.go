package providertest_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/canonical"
	"github.com/hooknotary/hooknotary/providers/providertest"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// formSubject is a scheme that signs a configured URL and the one field of a form. It has a
// bug on demand.
func formSubject(bug string) providertest.Subject {
	const place = "https://hooks.example.com/in/7?shop=7"
	field := func(body []byte) (string, bool) {
		form, err := url.ParseQuery(string(body))
		if bug == "takes a form with more fields" {
			return form.Get("text"), err == nil
		}
		return form.Get("text"), err == nil && len(form) == 1 && len(form["text"]) == 1 && "text="+url.QueryEscape(form.Get("text")) == string(body)
	}
	s := canonical.Scheme{
		Definition: scheme.Definition{
			Provider: "form", MediaType: "application/x-www-form-urlencoded", Signatures: []scheme.Signature{{Header: "Form-Signature"}},
			Message: []scheme.Part{scheme.Body()}, MaxBody: 1 << 20, Retry: verify.RetryIdentical,
		},
		Begin: func(h *verify.Head) (canonical.Request, error) {
			text := place
			refused := &verify.Error{Reason: verify.ErrMalformed}
			switch {
			case bug == "takes host and path from the request" && h.URL != nil:
				text = h.URL.String()
			case bug == "does not look at the query":
			case bug == "unescapes the query" && h.URL != nil && strings.ToLower(h.URL.RawQuery) == "shop=7":
			case bug == "takes a part of the query" && h.URL != nil && strings.Contains(h.URL.RawQuery, "shop=7"):
			case h.URL == nil || h.URL.RawQuery != "shop=7":
				return canonical.Request{}, refused
			}
			return canonical.Request{Messages: func(body []byte) ([][]byte, error) {
				value, ok := field(body)
				if !ok {
					return nil, errors.New("no form")
				}
				return [][]byte{[]byte(text + value)}, nil
			}}, nil
		},
		Message: func(*verify.Head, []byte) iter.Seq2[string, []byte] {
			return func(func(string, []byte) bool) {}
		},
	}
	return providertest.Subject{
		New: func(keys verify.KeySource) (verify.Verifier, error) {
			v, err := canonical.New(s, keys, nil)
			if err != nil {
				return nil, err
			}
			return v, nil
		},
		Sign: func(_ time.Time, _ *url.URL, body []byte, secrets ...string) http.Header {
			form, _ := url.ParseQuery(string(body))
			mac := hmac.New(sha256.New, []byte(secrets[0]))
			mac.Write([]byte(place + form.Get("text")))
			return http.Header{"Form-Signature": {fmt.Sprintf("%x", mac.Sum(nil))}}
		},
		Profile: verify.Profile{
			Provider: "form", MediaType: "application/x-www-form-urlencoded", MaxBody: 1 << 20, Binding: verify.BindingFull, Retry: verify.RetryIdentical,
		},
		Events:  []providertest.Event{{Name: "a text", Body: []byte("text=one+%28fine%29")}, {Name: "another text", Body: []byte("text=two")}},
		Secrets: sealSubject("").Secrets,
		Headers: []string{"Form-Signature"},
		Form:    func(text []byte) []byte { return []byte("text=" + url.QueryEscape(string(text))) },
		Query:   func([]byte) string { return "shop=7" },
	}
}

func TestExercisePassesASoundForm(t *testing.T) { providertest.Exercise(t, formSubject("")) }

// TestExerciseOfAnUnsoundForm is run by the test below, and only by it.
func TestExerciseOfAnUnsoundForm(t *testing.T) {
	bug := os.Getenv(bugVariable)
	if bug == "" {
		t.Skip("run by TestExerciseFailsAnUnsoundForm")
	}
	providertest.Exercise(t, formSubject(bug))
}

func TestExerciseFailsAnUnsoundForm(t *testing.T) {
	for _, bug := range []string{
		"takes a form with more fields", "takes host and path from the request", "does not look at the query",
		"unescapes the query", "takes a part of the query",
	} {
		t.Run("that "+bug, func(t *testing.T) { wantFailure(t, "TestExerciseOfAnUnsoundForm", bugVariable+"="+bug) })
	}
}
