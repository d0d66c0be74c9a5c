package token_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/providers/token"
	"github.com/hooknotary/hooknotary/verify"
)

func TestHandshake(t *testing.T) {
	d := acme()
	d.Handshakes = []scheme.Handshake{{Kind: scheme.GetHandshake, Header: "X-Challenge", Response: `{"verification":"$challenge"}`}}
	v, err := token.New(d, verify.Secrets(secret), known())
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		method string
		header http.Header
		want   string // "" without a reason: no handshake
		err    verify.Reason
	}{
		{"with the token", "GET", http.Header{"X-Acme-Token": {secret}, "X-Challenge": {"abc"}}, `{"verification":"abc"}`, 0},
		{"with another token", "GET", http.Header{"X-Acme-Token": {secret[1:]}, "X-Challenge": {"abc"}}, "", verify.ErrMismatch},
		{"without a token", "GET", http.Header{"X-Challenge": {"abc"}}, "", verify.ErrUnsigned},
		{"with two tokens", "GET", http.Header{"X-Acme-Token": {secret, secret}, "X-Challenge": {"abc"}}, "", verify.ErrMalformed},
		{"with the token and HTML", "GET", http.Header{"X-Acme-Token": {secret}, "X-Challenge": {"<b>"}}, "", verify.ErrMalformed},
		{"with the token alone", "GET", http.Header{"X-Acme-Token": {secret}}, "", 0},
		{"by another method", "PUT", http.Header{"X-Acme-Token": {secret}, "X-Challenge": {"abc"}}, "", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := &verify.Head{Method: tt.method, Header: tt.header, ReceivedAt: time.Unix(1_700_000_000, 0)}
			r, err := verify.Respond(context.Background(), v, h, nil)
			if verify.ReasonOf(err) != tt.err || (err == nil) != (tt.err == 0) {
				t.Fatalf("error is %v, want the reason %q", err, tt.err)
			}
			if got := r; (got != nil) != (tt.want != "") || got != nil && string(got.Body) != tt.want {
				t.Errorf("response %v, want %q", got, tt.want)
			}
		})
	}
	t.Run("one that could be answered without the token is refused", func(t *testing.T) {
		for _, h := range []scheme.Handshake{
			{Kind: scheme.PostHandshake, Token: "token", Parameter: "challenge", Response: "$challenge"},
			{Kind: scheme.GetHandshake, Parameter: "crc", Response: `{"a":"$hmac_hex"}`},
			{},
		} {
			d := acme()
			d.Handshakes = []scheme.Handshake{h}
			if v, err := token.New(d, verify.Secrets(secret), known()); err == nil {
				t.Errorf("New makes %v of %+v", v, h)
			}
			if _, err := d.Profile(); err == nil {
				t.Error("Profile takes it")
			}
		}
	})
}
