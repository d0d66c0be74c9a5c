package scheme

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/providers/internal/jsonscan"
	"github.com/hooknotary/hooknotary/verify"
)

// Finish checks the signature.
func (p *pending) Finish(ctx context.Context, body []byte) (*verify.Delivery, error) {
	var (
		match *key
		found [sha256.Size]byte
	)
	for _, k := range p.keys {
		if ok, id := k.checkers[p.signature].check(p, body); ok && match == nil {
			match, found = k, id
		}
	}
	switch {
	case p.noKey != nil:
		return nil, refuse(verify.ErrNoKey, p.noKey)
	case match == nil:
		return nil, refuse(verify.ErrMismatch, nil)
	}
	if !bytes.HasPrefix(body, []byte(p.d.BodyPrefix)) {
		return nil, &verify.Error{Reason: verify.ErrMediaType, Cause: errBodyPrefix, Message: p.fingerprint(match, found, "", body)}
	}
	var signedAt time.Time
	if name := p.d.Timestamp.Member; name != "" {
		var reason verify.Reason
		var cause error
		if signedAt, reason, cause = p.bodyTime(body, name); cause != nil {
			return nil, &verify.Error{Reason: reason, Cause: cause, Message: p.fingerprint(match, found, "", body)}
		}
	}
	if !p.finished.CompareAndSwap(false, true) {
		return nil, refuse(verify.ErrUnavailable, errFinished)
	}
	d := &p.delivery
	if p.d.Timestamp.Member != "" {
		d.SignedAt = signedAt
	}
	d.Scope, d.KeyLabel = match.scope, match.label
	d.ID = p.id(body)
	d.Fingerprint = p.fingerprint(match, found, d.ID, body)
	d.Body = body
	return d, nil
}

// write feeds the signed message to a hash. It collects what stands around the
// body in b. The secret is what stands in the message for SecretText; without it, what is
// written identifies the message all the same.
func (p *pending) write(w io.Writer, b, secret, body []byte) {
	for i, part := range p.d.Message {
		switch part.kind {
		case LiteralPart:
			b = append(b, part.text...)
		case TimePart:
			b = append(b, p.timestamp...)
		case FieldPart:
			b = append(b, p.fields[i]...)
		case URLPart:
			b = append(b, p.v.opts.URL...)
		case MethodPart:
			b = append(b, http.MethodPost...)
		case SecretPart:
			b = append(b, secret...)
		case BodySHA256Part:
			sum := sha256.Sum256(body)
			b = hex.AppendEncode(b, sum[:])
		case BodyPart:
			if len(b) > 0 {
				w.Write(b)
				b = b[:0]
			}
			w.Write(body)
		}
	}
	if len(b) > 0 {
		w.Write(b)
	}
}

// fingerprint identifies the message, in most cases by f, the MAC that matched.
// Whoever holds a genuine request can make variants of it that verify, too: leave
// out one of several signatures, or the header of the stronger of two
// alternatives. The fingerprint must be the same for all of them.
func (p *pending) fingerprint(match *key, f [sha256.Size]byte, id string, body []byte) verify.Fingerprint {
	switch {
	case p.v.listed && (id == "" || len(p.keys) > 1):
		// Other signatures of this message may be under other keys, of ours or of
		// another time. That takes a second pass over the body, which only a store needs.
		return verify.NewFingerprintFunc(func() (f [sha256.Size]byte) {
			h := sha256.New()
			p.write(h, make([]byte, 0, 192), nil, body)
			h.Sum(f[:0])
			return f
		})
	case p.signature > 0:
		// The strongest signature's MAC, although the request came without it.
		f = match.checkers[0].identify(p, body)
	}
	return verify.NewFingerprint(f)
}

// bodyTime reads the time that stands in a body, and judges it. A body where another reader
// could find another time is refused.
func (p *pending) bodyTime(body []byte, name string) (time.Time, verify.Reason, error) {
	text, ok := jsonscan.Number(body, name)
	if !ok {
		return time.Time{}, verify.ErrMalformed, errBodyTime
	}
	at, ok := p.d.Timestamp.Unit.parse(string(text))
	if !ok {
		return time.Time{}, verify.ErrMalformed, errBodyTime
	}
	if reason := p.v.judge(at, p.delivery.ReceivedAt); reason != 0 {
		return time.Time{}, reason, errBodyWindow
	}
	return at, 0, nil
}

func digest(mac []byte) (f [sha256.Size]byte) {
	if len(mac) == len(f) {
		copy(f[:], mac)
		return f
	}
	return sha256.Sum256(mac)
}

// id returns the signed id, or "" where there is none of the right form.
func (p *pending) id(body []byte) string {
	d := p.d
	var id string
	switch {
	case d.ID.Header != "":
		for i, part := range d.Message {
			if part.kind == FieldPart && part.text == d.ID.Header {
				id = p.fields[i]
			}
		}
	case d.ID.Member != "":
		value := jsonscan.Member(p.v.open(body), d.ID.Member)
		if len(value) > maxValue {
			return ""
		}
		id = string(value)
	}
	if rest, ok := strings.CutPrefix(id, d.ID.Prefix); !ok || rest == "" || !visible(id) || slices.Contains(d.ID.Repeated, id) {
		return ""
	}
	return id
}
