package verify_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/verify"
)

func TestResponseCheck(t *testing.T) {
	long := make([]byte, verify.MaxResponse+1)
	for _, tt := range []struct {
		name string
		r    *verify.Response
		good bool
	}{
		{"plain text", &verify.Response{ContentType: verify.TextPlain, Body: []byte("x")}, true},
		{"JSON with a status", &verify.Response{Status: 201, ContentType: verify.ApplicationJSON, Body: []byte("{}")}, true},
		{"nothing at all", &verify.Response{}, true},
		{"as long as may be", &verify.Response{ContentType: verify.TextPlain, Body: long[1:]}, true},
		{"a byte longer", &verify.Response{ContentType: verify.TextPlain, Body: long}, false},
		{"HTML", &verify.Response{ContentType: "text/html", Body: []byte("x")}, false},
		{"plain text without a charset", &verify.Response{ContentType: "text/plain", Body: []byte("x")}, false},
		{"a body without a type", &verify.Response{Body: []byte("x")}, false},
		{"a redirect", &verify.Response{Status: 302}, false},
		{"an informational status", &verify.Response{Status: 101}, false},
		{"none", nil, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.r.Check()
			if (err == nil) != tt.good {
				t.Fatalf("Check is %v, want good: %v", err, tt.good)
			}
			if !tt.good && verify.ReasonOf(err) != verify.ErrUnavailable {
				t.Errorf("reason is %v", verify.ReasonOf(err))
			}
		})
	}
}

// greeter is a Challenger with a GET and a signed handshake.
type greeter struct {
	response *verify.Response
	err      error
}

func (greeter) Profile() verify.Profile { return verify.Profile{Provider: "greeter"} }

func (greeter) Begin(_ context.Context, h *verify.Head) (verify.Pending, error) {
	if h.Header.Get("Signature") == "" {
		return nil, &verify.Error{Reason: verify.ErrUnsigned}
	}
	return greeting{}, nil
}

func (g greeter) Challenge(_ context.Context, h *verify.Head) (verify.Challenge, error) {
	if h.Method != http.MethodGet {
		return nil, nil
	}
	return g, nil
}

func (g greeter) Finish(context.Context, []byte) (*verify.Response, error) { return g.response, g.err }

func (g greeter) Respond(_ context.Context, _ *verify.Head, d *verify.Delivery) (*verify.Response, error) {
	if string(d.Body) != "ping" {
		return nil, nil
	}
	return g.response, g.err
}

type greeting struct{}

func (greeting) Finish(_ context.Context, body []byte) (*verify.Delivery, error) {
	return &verify.Delivery{Body: body}, nil
}

func TestRespond(t *testing.T) {
	pong := &verify.Response{ContentType: verify.TextPlain, Body: []byte("pong")}
	head := func(method, signature string) *verify.Head {
		h := &verify.Head{Method: method, Header: http.Header{}, ReceivedAt: time.Unix(1, 0)}
		if signature != "" {
			h.Header.Set("Signature", signature)
		}
		return h
	}
	none := verify.Reason(0)
	for _, tt := range []struct {
		name string
		v    verify.Verifier
		head *verify.Head
		body string
		want *verify.Response
		err  verify.Reason
	}{
		{"a GET", greeter{response: pong}, head("GET", ""), "", pong, none},
		{"a delivery that is a handshake", greeter{response: pong}, head("POST", "1"), "ping", pong, none},
		{"one that is not signed", greeter{response: pong}, head("POST", ""), "ping", nil, verify.ErrUnsigned},
		{"an event", greeter{response: pong}, head("POST", "1"), "paid", nil, none},
		{"another method", greeter{response: pong}, head("PUT", "1"), "ping", nil, none},
		{"a refusal", greeter{response: pong, err: &verify.Error{Reason: verify.ErrMalformed}}, head("GET", ""), "", nil, verify.ErrMalformed},
		{"a refusal of one that is signed", greeter{response: pong, err: &verify.Error{Reason: verify.ErrMalformed}}, head("POST", "1"), "ping", nil, verify.ErrMalformed},
		{"a response that must not leave", greeter{response: &verify.Response{Status: 302}}, head("GET", ""), "", nil, verify.ErrUnavailable},
		{"a signed one whose response must not leave", greeter{response: &verify.Response{Status: 302}}, head("POST", "1"), "ping", nil, verify.ErrUnavailable},
		{"neither a response nor an error", greeter{}, head("GET", ""), "", nil, verify.ErrUnavailable},
		{"a verifier without handshakes", struct{ verify.Verifier }{greeter{response: pong}}, head("GET", ""), "", nil, none},
		{"no head", greeter{response: pong}, nil, "", nil, verify.ErrMalformed},
		{"a head without a time", greeter{response: pong}, &verify.Head{Method: "GET"}, "", nil, verify.ErrMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := verify.Respond(context.Background(), tt.v, tt.head, []byte(tt.body))
			if r != tt.want || (err == nil) != (tt.err == none) || verify.ReasonOf(err) != tt.err {
				t.Fatalf("got %v, %v", r, err)
			}
			if e := new(verify.Error); err != nil && !errors.As(err, &e) {
				t.Errorf("error is a %T", err)
			}
		})
	}
	if s := verify.GzipSigned.String() + verify.GzipUnpacked.String() + verify.Compression(9).String(); !strings.HasSuffix(s, "invalid") {
		t.Errorf("the names are %q", s)
	}
}
