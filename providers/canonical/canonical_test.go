package canonical_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"iter"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/canonical"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

const secret = "5d1f0c6a9b3e47d28c50f1ae6b7d9243"

var errDigits = errors.New("the body has a digit")

// lower is a scheme that signs the body in lower case, with or without a mark in front.
func lower() canonical.Scheme {
	return canonical.Scheme{
		Definition: scheme.Definition{
			Provider: "lower", Signatures: []scheme.Signature{{Header: "Lower-Signature"}}, Message: []scheme.Part{scheme.Body()},
			MaxBody: 1 << 10, Retry: verify.RetryIdentical,
		},
		Binding: verify.BindingChecksum,
		Begin: func(h *verify.Head) (canonical.Request, error) {
			if h.Header.Get("Lower-Id") == "" {
				return canonical.Request{}, &verify.Error{Reason: verify.ErrMalformed}
			}
			return canonical.Request{MessageID: h.Header.Get("Lower-Id"), Messages: func(body []byte) ([][]byte, error) {
				if bytes.ContainsAny(body, "0123456789") {
					return nil, errDigits
				}
				return [][]byte{bytes.ToLower(body), append([]byte("!"), bytes.ToLower(body)...)}, nil
			}}, nil
		},
		Message: func(_ *verify.Head, body []byte) iter.Seq2[string, []byte] {
			return func(yield func(string, []byte) bool) { yield("body in lower case", bytes.ToLower(body)) }
		},
	}
}

func head(signed string) *verify.Head {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(signed))
	return &verify.Head{ReceivedAt: time.Unix(1773480413, 0), Header: http.Header{
		"Lower-Signature": {hex.EncodeToString(mac.Sum(nil))}, "Lower-Id": {"a"},
	}}
}

func TestVerifier(t *testing.T) {
	v, err := canonical.New(lower(), verify.Secrets(secret), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, signed, body string
		want               error
	}{
		{"the message is signed", "event", "EVENT", nil},
		{"another message is signed", "!event", "Event", nil},
		{"the body is signed, and is not the message", "EVENT", "EVENT", verify.ErrMismatch},
		{"something else is signed", "other", "EVENT", verify.ErrMismatch},
		{"a body without a message", "event1", "event1", errDigits},
		{"a body without a message, under another signature", "other", "event1", errDigits},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := verify.Verify(context.Background(), v, head(tt.signed), []byte(tt.body))
			if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) || err != nil && !errors.Is(err, verify.ErrMismatch) {
				t.Fatalf("error is %v, want %v", err, tt.want)
			}
			if err == nil && (string(d.Body) != tt.body || d.MessageID != "a" || d.ID != "" || d.Binding != verify.BindingChecksum) {
				t.Errorf("the delivery is %+v", d)
			}
		})
	}
	t.Run("a head that Begin refuses is refused without a body", func(t *testing.T) {
		h := head("event")
		h.Header.Del("Lower-Id")
		if _, err := v.Begin(context.Background(), h); !errors.Is(err, verify.ErrMalformed) {
			t.Errorf("error is %v", err)
		}
	})
	t.Run("a request without a key is refused as such, whatever its body is", func(t *testing.T) {
		v, err := canonical.New(lower(), verify.KeyFunc(func(context.Context, *verify.Head) ([]verify.Key, error) { return nil, nil }), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, body := range []string{"event", "event1"} {
			if _, err := verify.Verify(context.Background(), v, head("event"), []byte(body)); !errors.Is(err, verify.ErrNoKey) {
				t.Errorf("%s: error is %v", body, err)
			}
		}
	})
}

func TestNew(t *testing.T) {
	for _, tt := range []struct {
		name  string
		edit  func(s *canonical.Scheme)
		tells string // "": it makes a verifier
	}{
		{"a scheme", func(*canonical.Scheme) {}, ""},
		{"no Begin", func(s *canonical.Scheme) { s.Begin = nil }, "needs Begin"},
		{"no Message", func(s *canonical.Scheme) { s.Message = nil }, "needs Begin and Message"},
		{"an id in the body", func(s *canonical.Scheme) { s.Definition.ID.Member = "id" }, "has an ID"},
		{"a window without a future", func(s *canonical.Scheme) { s.Window.Past = time.Minute }, "two positive ends"},
		{"a window beside a time of the definition", func(s *canonical.Scheme) {
			s.Window = verify.Window{Past: time.Minute, Future: time.Minute}
			s.Definition.Timestamp.Header = "Lower-Time"
		}, "no Timestamp"},
		{"a definition that cannot be right", func(s *canonical.Scheme) { s.Definition.MaxBody = 0 }, "MaxBody"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := lower()
			tt.edit(&s)
			v, err := canonical.New(s, verify.Secrets(secret), nil)
			if tt.tells == "" {
				if err != nil || v.Profile().Binding != verify.BindingChecksum || !v.About().EqualBodies {
					t.Errorf("New: %v, %v", v, err)
				}
				return
			}
			if err == nil || v != nil || !strings.Contains(err.Error(), tt.tells) {
				t.Errorf("New: %v, %v, want an error that says %q", v, err, tt.tells)
			}
		})
	}
	t.Run("the body is covered whole unless the scheme says otherwise", func(t *testing.T) {
		s := lower()
		s.Binding = 0
		v, err := canonical.New(s, verify.Secrets(secret), nil)
		if err != nil || v.Profile().Binding != verify.BindingFull {
			t.Errorf("New: %v, %v", v, err)
		}
	})
}
