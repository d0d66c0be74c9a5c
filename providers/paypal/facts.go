package paypal

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"iter"
	"slices"
	"strconv"

	"github.com/hooknotary/hooknotary/verify"
)

// What a tool wants to know that explains a verdict. Nothing on the serving path
// calls these methods.

var errOneID = errors.New("paypal: want one key, which holds the id of a webhook")

// Keys returns one key, whose scope and secret are the webhook id.
func (v *Verifier) Keys(context.Context, *verify.Head) ([]verify.Key, error) {
	key, err := verify.NewKey(v.webhookID, "webhook id", []byte(v.webhookID))
	if err != nil {
		return nil, fmt.Errorf("paypal: %w", err)
	}
	return []verify.Key{key}, nil
}

// Rekey returns a verifier for another webhook of the same environment. The source is
// asked once, and must have one key, which holds the webhook id as its secret. The
// verifier shares the certificates of v and fetches them as v does, and it does not
// confirm deliveries.
//
// It takes the simulator's id only from a key that Keys of a simulator's verifier could
// have returned, with the id as its scope, so that a secret from configuration never
// opens an endpoint to the simulator.
func (v *Verifier) Rekey(keys verify.KeySource) (verify.Verifier, error) {
	if keys == nil {
		return nil, errOneID
	}
	list, err := keys.Keys(context.Background(), &verify.Head{})
	if err != nil {
		return nil, fmt.Errorf("paypal: %w", err)
	}
	if len(list) != 1 {
		return nil, errOneID
	}
	id := string(list[0].Secret())
	other := &Verifier{webhookID: id, simulator: id == simulatorID, certs: v.certs, env: v.env, profile: v.profile}
	if err := checkID(id, list[0].Scope() == simulatorID); err != nil {
		return nil, fmt.Errorf("paypal: %w", err)
	}
	return other, nil
}

// SecurityHeaders returns the canonical names of the headers that take part in
// verification, that of the signature first. The list is the caller's.
func (v *Verifier) SecurityHeaders() []string {
	return slices.Clone(securityHeaders[:])
}

// Message yields the signed message in pieces, each with a few words on where it is
// from. One behind the other, they are what is signed. A piece that the head lacks, or
// holds more than once, is nil. It checks nothing: the head may be one that Begin
// refuses. Of the body, nothing but its CRC-32 is in the message.
func (v *Verifier) Message(h *verify.Head, body []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		separator := []byte("|")
		for _, piece := range [...]struct {
			label string
			text  []byte
		}{
			{"transmission id, from Paypal-Transmission-Id", single(h, "Paypal-Transmission-Id")},
			{"constant", separator},
			{"time, from Paypal-Transmission-Time", single(h, "Paypal-Transmission-Time")},
			{"constant", separator},
			{"webhook id, from configuration", []byte(v.webhookID)},
			{"constant", separator},
			{"CRC-32 of the body", strconv.AppendUint(nil, uint64(crc32.ChecksumIEEE(body)), 10)},
		} {
			if !yield(piece.label, piece.text) {
				return
			}
		}
	}
}

// single returns the value of a header that is there once, and not empty.
func single(h *verify.Head, name string) []byte {
	if h == nil || len(h.Header[name]) != 1 || h.Header[name][0] == "" {
		return nil
	}
	return []byte(h.Header[name][0])
}
