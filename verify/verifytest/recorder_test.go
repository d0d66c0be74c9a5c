package verifytest_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// recorder is a testing.TB that notes what a test says, and how it ends, in place of
// failing.
type recorder struct {
	testing.TB
	said   []string
	failed bool
	logged []string
}

func (r *recorder) Helper() {}

func (r *recorder) note(text string) {
	r.failed = true
	r.said = append(r.said, text)
}

func (r *recorder) Error(args ...any)                 { r.note(fmt.Sprint(args...)) }
func (r *recorder) Errorf(format string, args ...any) { r.note(fmt.Sprintf(format, args...)) }
func (r *recorder) Logf(format string, args ...any) {
	r.logged = append(r.logged, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatal(args ...any) {
	r.note(fmt.Sprint(args...))
	runtime.Goexit()
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.note(fmt.Sprintf(format, args...))
	runtime.Goexit()
}

func (r *recorder) text() string { return strings.Join(r.said, "\n") }

// record runs f until it ends its test.
func record(t *testing.T, f func(tb testing.TB)) *recorder {
	t.Helper()
	r := &recorder{TB: t}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f(r)
	}()
	<-ended
	return r
}

// wantText wants a test to have failed once, with all of these texts, or not at all
// if there are none.
func (r *recorder) wantText(t *testing.T, texts ...string) {
	t.Helper()
	if len(texts) == 0 {
		if r.failed {
			t.Errorf("failed, want it to pass:\n%s", r.text())
		}
		return
	}
	if len(r.said) != 1 {
		t.Fatalf("failed %d times, want once:\n%s", len(r.said), r.text())
	}
	for _, text := range texts {
		if !strings.Contains(r.text(), text) {
			t.Errorf("the failure does not say %q:\n%s", text, r.text())
		}
	}
}
