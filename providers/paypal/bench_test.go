package paypal_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/providers/internal/cost"
	"github.com/hooknotary/hooknotary/verify"
)

// target is how much slower than its bare parts a verification may be, once the
// certificate is there.
const target = 1.15

var sizes = []struct {
	name  string
	bytes int
}{{"1KiB", 1 << 10}, {"4KiB", 4 << 10}, {"64KiB", 64 << 10}}

// transmissionOf returns a genuine transmission of that many bytes, with the id
// in front as PayPal writes it.
func transmissionOf(size int) (*verify.Head, []byte) {
	body := []byte(`{"id":"WH-2WR32451HC0233532-67976317FL4543714","event_type":"PAYMENT.CAPTURE.COMPLETED","resource":"`)
	body = append(body, strings.Repeat("x", size-len(body)-2)+`"}`...)
	return sent(body), body
}

// verification and bare return what the benchmarks compare.
func verification(b testing.TB, size int) func() {
	v := newWorld().verifier(b)
	head, body := transmissionOf(size)
	ctx := context.Background()
	return func() {
		if _, err := verify.Verify(ctx, v, head, body); err != nil {
			b.Fatal(err)
		}
	}
}

func bare(b testing.TB, size int) func() {
	head, body := transmissionOf(size)
	message := fmt.Appendf(nil, "%s|%s|%s|", head.Header.Get("Paypal-Transmission-Id"), head.Header.Get("Paypal-Transmission-Time"), webhookID)
	signature, err := base64.StdEncoding.DecodeString(head.Header.Get("Paypal-Transmission-Sig"))
	must(err)
	key := &leafKey().PublicKey
	return func() {
		digest := sha256.Sum256(strconv.AppendUint(message, uint64(crc32.ChecksumIEEE(body)), 10))
		if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature); err != nil {
			b.Fatal(err)
		}
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

// BenchmarkBare is the part of BenchmarkVerify that no verifier can do without.
func BenchmarkBare(b *testing.B) {
	for _, size := range sizes {
		b.Run(size.name, func(b *testing.B) {
			f := bare(b, size.bytes)
			b.SetBytes(int64(size.bytes))
			b.ReportAllocs()
			for b.Loop() {
				f()
			}
		})
	}
}

// BenchmarkRatio measures both in turn, in one run.
func BenchmarkRatio(b *testing.B) {
	for _, size := range sizes {
		b.Run(size.name, func(b *testing.B) {
			var ratio float64
			for b.Loop() {
				ratio = cost.Ratio(verification(b, size.bytes), bare(b, size.bytes))
			}
			b.ReportMetric(ratio, "bare/op")
			b.ReportMetric(target, "target")
		})
	}
}

func TestCost(t *testing.T) {
	t.Run("verification costs hardly more than its parts", func(t *testing.T) {
		if testing.Short() || slow() {
			t.Skip("measures time")
		}
		for _, size := range sizes {
			t.Run(size.name, func(t *testing.T) {
				f, g := verification(t, size.bytes), bare(t, size.bytes)
				ratio := cost.Ratio(f, g)
				// Something else may have had the machine.
				for range 4 {
					if ratio > target {
						ratio = min(ratio, cost.Ratio(f, g))
					}
				}
				t.Logf("%.3f times", ratio)
				if ratio > target {
					t.Errorf("costs %.3f times its parts, want at most %.2f", ratio, target)
				}
			})
		}
	})

	t.Run("verification allocates little", func(t *testing.T) {
		for _, size := range sizes {
			t.Run(size.name, func(t *testing.T) { cost.MaxAllocs(t, 18, verification(t, size.bytes)) })
		}
	})

	t.Run("a refusal of the head allocates little", func(t *testing.T) {
		v := newWorld().verifier(t)
		for _, tt := range badHeads(genuine()) {
			t.Run(tt.name, func(t *testing.T) {
				cost.MaxAllocs(t, 8, func() {
					if _, err := v.Begin(context.Background(), tt.head); err == nil {
						t.Fatal("accepted")
					}
				})
			})
		}
	})
}

func BenchmarkRefuseHead(b *testing.B) {
	v := newWorld().verifier(b)
	ctx := context.Background()
	for _, tt := range badHeads(genuine()) {
		b.Run(tt.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Begin(ctx, tt.head); err == nil {
					b.Fatal("accepted")
				}
			}
		})
	}
}
