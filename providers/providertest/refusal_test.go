package providertest_test

import (
	"errors"
	"fmt"
	"runtime"
	"testing"

	"github.com/hooknotary/hooknotary/providers/providertest"
	"github.com/hooknotary/hooknotary/verify"
)

// failing is a testing.TB that notes whether it failed.
type failing struct {
	testing.TB
	failed bool
}

func (f *failing) Helper() {}

func (f *failing) Fatalf(string, ...any) {
	f.failed = true
	runtime.Goexit()
}

func TestRefusals(t *testing.T) {
	// The battery takes the ten reasons of a
	// verifier, and no other.
	t.Run("they are those that Verify promises", func(t *testing.T) {
		promised := map[verify.Reason]bool{
			verify.ErrUnsigned: true, verify.ErrMalformed: true, verify.ErrTooOld: true, verify.ErrTooNew: true, verify.ErrNoKey: true,
			verify.ErrMismatch: true, verify.ErrMediaType: true, verify.ErrUntrusted: true, verify.ErrForged: true, verify.ErrUnavailable: true,
		}
		passes := func(err error) bool {
			f := &failing{TB: t}
			done := make(chan struct{})
			go func() {
				defer close(done)
				providertest.WellFormed(f, err)
			}()
			<-done
			return !f.failed
		}
		n := 0
		for r := verify.Reason(0); r <= verify.ErrUnavailable+1; r++ {
			if got := passes(&verify.Error{Reason: r, Cause: errors.New("a cause")}); got != promised[r] {
				t.Errorf("%s: the battery takes it: %v, want %v", r, got, promised[r])
			}
			if promised[r] {
				n++
				if passes(r) || passes(fmt.Errorf("wrapped: %w", &verify.Error{Reason: r})) {
					t.Errorf("%s: the battery takes it also where it is no *verify.Error", r)
				}
			}
		}
		if n != 10 {
			t.Errorf("%d reasons were tried, want 10", n)
		}
	})
}
