package paypal_test

import (
	"bytes"
	"context"
	"hash/crc32"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/paypal"
	"github.com/hooknotary/hooknotary/providers/paypal/paypaltest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// signedHeaders are those that take part in verification.
var signedHeaders = []string{"Paypal-Transmission-Id", "Paypal-Transmission-Time", "Paypal-Transmission-Sig", "Paypal-Cert-Url", "Paypal-Auth-Algo"}

// mutate changes bytes in one of a few ways.
func mutate(rng *rand.Rand, b []byte) []byte {
	const alphabet = "\x00 \t\r\n,;=.:+-_/%|\"{}[]0123456789abcdefABCDEFzZ\x7f\x80\xff"
	b = slices.Clone(b)
	n := len(b)
	if n == 0 {
		return []byte{alphabet[rng.IntN(len(alphabet))]}
	}
	i, j := rng.IntN(n), rng.IntN(n)
	switch rng.IntN(8) {
	case 0:
		b[i] ^= 1 << rng.IntN(8)
	case 1:
		b[i] = alphabet[rng.IntN(len(alphabet))]
	case 2:
		b = slices.Insert(b, i, alphabet[rng.IntN(len(alphabet))])
	case 3:
		b = slices.Delete(b, i, i+1)
	case 4:
		b[i], b[j] = b[j], b[i]
	case 5:
		b = slices.Delete(b, min(i, j), max(i, j))
	case 6:
		b = slices.Insert(b, i, b[min(i, j):max(i, j)]...)
	default:
		b = b[:i]
	}
	return b
}

// patch overwrites four bytes of body so that its CRC-32 is want. A random
// mutation would need four thousand million tries.
func patch(body []byte, at int, want uint32) []byte {
	body = slices.Clone(body)
	crc := func() uint32 { return crc32.ChecksumIEEE(body) }
	copy(body[at:at+4], "\x00\x00\x00\x00")
	plain := crc()
	var changes, bits [32]uint32 // changes[k] has k as its highest bit
	reduce := func(change, bit uint32) (uint32, uint32) {
		for k := 31; k >= 0; k-- {
			if change>>k&1 == 1 && changes[k] != 0 {
				change, bit = change^changes[k], bit^bits[k]
			}
		}
		return change, bit
	}
	for i := range 32 {
		body[at+i/8] = 1 << (i % 8)
		change, bit := reduce(plain^crc(), 1<<i)
		body[at+i/8] = 0
		for k := 31; k >= 0; k-- {
			if change>>k&1 == 1 {
				changes[k], bits[k] = change, bit
				break
			}
		}
	}
	_, bit := reduce(plain^want, 0)
	for i := range 4 {
		body[at+i] = byte(bit >> (8 * i))
	}
	return body
}

func TestMutations(t *testing.T) {
	t.Parallel()
	t.Run("only collisions are accepted, and they are forged", func(t *testing.T) {
		t.Parallel()
		rounds := 100_000
		if testing.Short() || slow() {
			rounds = 10_000
		}
		pp := paypaltest.New(webhookID)
		v, err := paypal.New(webhookID, &paypal.Options{Transport: pp, Roots: pp.Roots()})
		must(err)
		paypal.Unlimited(v)
		original := &verify.Head{Header: pp.Header(receivedAt, event), ReceivedAt: receivedAt}
		another := pp.Header(receivedAt.Add(time.Second), event[1:])
		crc := crc32.ChecksumIEEE(event)

		runs := 0
		clock := func() time.Time { return receivedAt }
		guard, err := middleware.New("paypal", v, replay.NewMemory(&replay.MemoryOptions{Now: clock}), &middleware.Options{Now: clock})
		must(err)
		guarded := guard.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { runs++ }))
		post := func(h http.Header, body []byte) int {
			r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
			r.Header = h
			w := httptest.NewRecorder()
			guarded.ServeHTTP(w, r)
			return w.Code
		}
		if status := post(original.Header.Clone(), event); status != 200 || runs != 1 {
			t.Fatalf("the genuine transmission is answered %d", status)
		}

		rng := rand.New(rand.NewPCG(20150518, 154513))
		collisions := 0
		verdicts := make(map[verify.Reason]int)
		for range rounds {
			h, body := original, event
			for changed := false; !changed; {
				h, body = original, event
				for range 1 + rng.IntN(3) {
					name := signedHeaders[rng.IntN(len(signedHeaders))]
					switch values := h.Header[name]; rng.IntN(12) {
					case 0, 1, 2, 3:
						if len(values) > 0 {
							h = with(h, name, append([]string{string(mutate(rng, []byte(values[0])))}, values[1:]...)...)
						}
					case 4:
						h = with(h, name, another.Get(name))
					case 5:
						h = with(h, name)
					case 6:
						h = with(h, name, append(slices.Clone(values), another.Get(name))...)
					case 7:
						body = append(mutate(rng, event), "    "...)
						body = patch(body, rng.IntN(len(body)-3), crc)
					default:
						body = mutate(rng, body)
					}
				}
				changed = !bytes.Equal(body, event)
				for _, name := range signedHeaders {
					changed = changed || !slices.Equal(h.Header[name], original.Header[name])
				}
			}
			_, err := verify.Verify(context.Background(), v, h, body)
			verdicts[verify.ReasonOf(err)]++
			if err != nil {
				if _, ok := err.(*verify.Error); !ok {
					t.Fatalf("the error is a %T: %v", err, err)
				}
				continue
			}
			for _, name := range signedHeaders {
				if !slices.Equal(h.Header[name], original.Header[name]) {
					t.Fatalf("accepted with %s: %q", name, h.Header[name])
				}
			}
			if crc32.ChecksumIEEE(body) != crc {
				t.Fatalf("accepted with another CRC-32: %q", body)
			}
			collisions++
			if status := post(h.Header.Clone(), body); status != http.StatusUnauthorized {
				t.Fatalf("a body with the same CRC-32 is answered %d: %q", status, body)
			}
		}
		if runs != 1 {
			t.Errorf("the handler ran %d times, want once", runs)
		}
		if collisions < rounds/200 {
			t.Errorf("only %d of %d mutations had the same CRC-32: does the patch work?", collisions, rounds)
		}
		for _, reason := range []verify.Reason{verify.ErrUnsigned, verify.ErrMalformed, verify.ErrMismatch, verify.ErrUntrusted} {
			if verdicts[reason] == 0 {
				t.Errorf("no mutation was refused as %v", reason)
			}
		}
		t.Logf("%d mutations: %d with the same CRC-32, all of them refused by the store; verdicts %v", rounds, collisions, verdicts)
	})
}
