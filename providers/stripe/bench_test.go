package stripe_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/providers/internal/cost"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
)

var sizes = []struct {
	name   string
	bytes  int
	target float64 // how much slower than a bare HMAC verification may be
}{
	{"256B", 256, 2.2},
	{"4KiB", 4 << 10, 1.2},
	{"64KiB", 64 << 10, 1.03},
}

// genuine returns a delivery of that many bytes, with the id in front as Stripe
// writes it.
func genuine(size int) (*verify.Head, []byte) {
	body := []byte(`{"id":"evt_1TBQ8xLkdIwHu7ixY3mPzv4c","object":"event","data":"`)
	body = append(body, strings.Repeat("x", size-len(body)-2)+`"}`...)
	return &verify.Head{Header: stripetest.Header(receivedAt, body, secrets[0]), ReceivedAt: receivedAt}, body
}

// verification and bare return what the benchmarks compare.
func verification(b testing.TB, size int) func() {
	v := stripe.Must(secrets[0])
	head, body := genuine(size)
	ctx := context.Background()
	return func() {
		if _, err := verify.Verify(ctx, v, head, body); err != nil {
			b.Fatal(err)
		}
	}
}

func bare(size int) func() {
	_, body := genuine(size)
	mac := hmac.New(sha256.New, []byte(secrets[0]))
	timestamp := fmt.Appendf(nil, "%d.", receivedAt.Unix())
	var sum [sha256.Size]byte
	return func() {
		mac.Reset()
		mac.Write(timestamp)
		mac.Write(body)
		mac.Sum(sum[:0])
	}
}

func BenchmarkVerify(b *testing.B) {
	for _, size := range sizes {
		b.Run(size.name, func(b *testing.B) {
			f := verification(b, size.bytes)
			b.SetBytes(int64(size.bytes))
			b.ReportAllocs()
			for b.Loop() {
				f()
			}
		})
	}
}

// BenchmarkHMAC is the part of BenchmarkVerify that no verifier can do without: a
// keyed HMAC that is reset, over the same message.
func BenchmarkHMAC(b *testing.B) {
	for _, size := range sizes {
		b.Run(size.name, func(b *testing.B) {
			f := bare(size.bytes)
			b.SetBytes(int64(size.bytes))
			for b.Loop() {
				f()
			}
		})
	}
}

// BenchmarkRatio measures both in turn, in one run, and reports how many bare
// HMACs a verification costs.
func BenchmarkRatio(b *testing.B) {
	for _, size := range sizes {
		b.Run(size.name, func(b *testing.B) {
			var ratio float64
			for b.Loop() {
				ratio = cost.Ratio(verification(b, size.bytes), bare(size.bytes))
			}
			b.ReportMetric(ratio, "hmacs/op")
			b.ReportMetric(size.target, "target")
		})
	}
}

// refusals are heads that Begin refuses, among them the largest that it must
// read.
func refusals() map[string]http.Header {
	return map[string]http.Header{
		"no header":         {"Content-Type": {"application/json"}},
		"too old":           stripetest.Header(receivedAt.AddDate(0, 0, -1), nil, secrets[0]),
		"not hexadecimal":   {"Stripe-Signature": {"t=1,v1=" + strings.Repeat("z", 64)}},
		"seventeen items":   {"Stripe-Signature": {"t=1" + strings.Repeat(",v1="+strings.Repeat("0", 64), 17)}},
		"64 KiB of commas":  {"Stripe-Signature": {strings.Repeat(",", 64<<10)}},
		"4 KiB of one item": {"Stripe-Signature": {"v0=" + strings.Repeat("x", 4<<10-3)}},
	}
}

func BenchmarkRefuseHead(b *testing.B) {
	v := stripe.Must(secrets[0])
	ctx := context.Background()
	for name, header := range refusals() {
		b.Run(name, func(b *testing.B) {
			head := &verify.Head{Header: header, ReceivedAt: receivedAt}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Begin(ctx, head); err == nil {
					b.Fatal("accepted")
				}
			}
		})
	}
}

func TestVerificationAllocatesLittle(t *testing.T) {
	for _, size := range sizes {
		t.Run(size.name, func(t *testing.T) {
			cost.MaxAllocs(t, 4, verification(t, size.bytes))
		})
	}
}

func TestARefusalOfTheHeadAllocatesLittle(t *testing.T) {
	v := stripe.Must(secrets[0])
	for name, header := range refusals() {
		t.Run(name, func(t *testing.T) {
			head := &verify.Head{Header: header, ReceivedAt: receivedAt}
			cost.MaxAllocs(t, 3, func() {
				if _, err := v.Begin(context.Background(), head); err == nil {
					t.Fatal("accepted")
				}
			})
		})
	}
}
