package middlewaretest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/verify"
)

const (
	signature = "Battery-Signature" // the header: time, id and HMAC, with dots between

	secret      = "the secret of the battery"
	otherSecret = "the secret of somebody else"

	window  = 5 * time.Minute
	largest = 1 << 20
)

// start is the time of every guard in the battery.
var start = time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)

func now() time.Time { return start }

// provider is the scheme of the battery, in one of three kinds.
type provider struct {
	profile verify.Profile
}

// resigns signs a time, and each attempt anew.
func resigns() *provider {
	return &provider{verify.Profile{
		Provider: "battery", MediaType: "application/json", MaxBody: largest,
		Window: verify.Window{Past: window, Future: window}, Binding: verify.BindingFull,
		Retry: verify.RetryResigned,
	}}
}

// neverRetries signs no time, and does not retry.
func neverRetries() *provider {
	return &provider{verify.Profile{
		Provider: "battery-once", MediaType: "application/json", MaxBody: largest,
		Binding: verify.BindingFull, Retry: verify.RetryNever,
	}}
}

// repeats retries byte for byte, and signs no more of a body than its length.
func repeats() *provider {
	return &provider{verify.Profile{
		Provider: "battery-weak", MediaType: "application/json", MaxBody: largest,
		Window: verify.Window{Past: window, Future: window}, Binding: verify.BindingChecksum,
		Retry: verify.RetryIdentical,
	}}
}

// mac returns the HMAC over what this kind signs.
func (p *provider) mac(secret, at, id string, body []byte) []byte {
	h := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(h, "%s.%s.", at, id)
	if p.profile.Binding == verify.BindingFull {
		h.Write(body)
	} else {
		fmt.Fprint(h, len(body))
	}
	return h.Sum(nil)
}

// sign returns a delivery to the server of the battery.
func (p *provider) sign(at time.Time, id string, body []byte, secret string) *http.Request {
	r, err := http.NewRequest(http.MethodPost, "http://hooks.example"+Path, bytes.NewReader(body))
	if err != nil {
		panic(err)
	}
	unix := strconv.FormatInt(at.Unix(), 10)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(signature, unix+"."+id+"."+hex.EncodeToString(p.mac(secret, unix, id, body)))
	return r
}

// eventBody returns the body of an event.
func eventBody(id string) []byte {
	return fmt.Appendf(nil, `{"id":%q,"type":"invoice.paid"}`, id)
}

// Profile implements verify.Verifier.
func (p *provider) Profile() verify.Profile { return p.profile }

// signed is a head of which the form is good.
type signed struct {
	p        *provider
	unix, id string
	at       time.Time
	received time.Time
	mac      []byte
}

// Begin implements verify.Verifier.
func (p *provider) Begin(_ context.Context, h *verify.Head) (verify.Pending, error) {
	values := h.Header[signature]
	if len(values) == 0 {
		return nil, &verify.Error{Reason: verify.ErrUnsigned}
	}
	parts := strings.Split(values[0], ".")
	if len(values) > 1 || len(parts) != 3 {
		return nil, &verify.Error{Reason: verify.ErrMalformed}
	}
	unix, err := strconv.ParseInt(parts[0], 10, 64)
	mac, err2 := hex.DecodeString(parts[2])
	if err != nil || err2 != nil {
		return nil, &verify.Error{Reason: verify.ErrMalformed}
	}
	s := &signed{p: p, unix: parts[0], id: parts[1], received: h.ReceivedAt, mac: mac}
	if w := p.profile.Window; w != (verify.Window{}) {
		s.at = time.Unix(unix, 0)
		if s.at.Before(h.ReceivedAt.Add(-w.Past)) {
			return nil, &verify.Error{Reason: verify.ErrTooOld}
		}
		if s.at.After(h.ReceivedAt.Add(w.Future)) {
			return nil, &verify.Error{Reason: verify.ErrTooNew}
		}
	}
	return s, nil
}

// Finish implements verify.Pending.
func (s *signed) Finish(_ context.Context, body []byte) (*verify.Delivery, error) {
	mac := s.p.mac(secret, s.unix, s.id, body)
	if !hmac.Equal(mac, s.mac) {
		return nil, &verify.Error{Reason: verify.ErrMismatch}
	}
	d := &verify.Delivery{
		Provider: s.p.profile.Provider, Scope: "default", KeyLabel: "1", ID: s.id,
		Fingerprint: verify.NewFingerprint([32]byte(mac)),
		SignedAt:    s.at, ReceivedAt: s.received, Binding: s.p.profile.Binding, Body: body,
	}
	if d.Binding != verify.BindingFull {
		d.MessageID = s.id
	}
	return d, nil
}
