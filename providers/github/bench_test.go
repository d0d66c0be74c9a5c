package github_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"net/http"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/providers/github/githubtest"
	"github.com/hooknotary/hooknotary/providers/internal/cost"
	"github.com/hooknotary/hooknotary/verify"
)

var sizes = []struct {
	name   string
	bytes  int
	target float64 // how much slower than a bare HMAC verification may be
}{
	{"256B", 256, 1.8},
	{"4KiB", 4 << 10, 1.12},
	{"64KiB", 64 << 10, 1.03},
}

func genuine(size int) (*verify.Head, []byte) {
	body := []byte(`{"ref":"` + strings.Repeat("x", size-10) + `"}`)
	return &verify.Head{Header: githubtest.Header("push", body, secrets[0]), ReceivedAt: receivedAt}, body
}

// verification and bare return what the benchmarks compare.
func verification(b testing.TB, size int) func() {
	v := github.Must(secrets[0])
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
	var sum [sha256.Size]byte
	return func() {
		mac.Reset()
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

// refusals are heads that Begin refuses.
func refusals() map[string]http.Header {
	return map[string]http.Header{
		"no header":       {"Content-Type": {"application/json"}},
		"SHA-1 alone":     {"X-Hub-Signature": {"sha1=" + strings.Repeat("0", 40)}},
		"not hexadecimal": {"X-Hub-Signature-256": {"sha256=" + strings.Repeat("z", 64)}},
		"repeated":        {"X-Hub-Signature-256": {"sha256=" + strings.Repeat("0", 64), "sha256=" + strings.Repeat("0", 64)}},
		"64 KiB of zeros": {"X-Hub-Signature-256": {"sha256=" + strings.Repeat("0", 64<<10)}},
		"4 KiB of zeros":  {"X-Hub-Signature-256": {"sha256=" + strings.Repeat("0", 4<<10-7)}},
	}
}

func BenchmarkRefuseHead(b *testing.B) {
	v := github.Must(secrets[0])
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
	v := github.Must(secrets[0])
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
