package verifytest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/capture"
	"github.com/hooknotary/hooknotary/verify/diagnose"
)

// Accepts reads the capture in file and returns the verified delivery. It ends the
// test, with a diagnosis, if a guard with v would have refused the request when it
// arrived. Method, media type and size count as much as the signature. There is no
// store, so nothing is a replay.
//
// The time is that of the capture; a capture without one serves only schemes that
// sign no time. A file must hold one capture, whose body is exact. What the file
// expects of itself is not looked at; see [Dir] for that.
func Accepts(t testing.TB, v verify.Verifier, file string) *verify.Delivery {
	t.Helper()
	need(t, v)
	c, err := load(v.Profile(), file)
	if err != nil {
		t.Fatal(err)
	}
	d, problem := check(t.Context(), v, c, capture.Accept)
	if problem != "" {
		t.Fatalf("%s: %s", file, problem)
	}
	return d
}

// Rejects reads the capture in file and fails the test unless a guard with v would
// have refused it for this reason and no other. The rest is as for [Accepts].
func Rejects(t testing.TB, v verify.Verifier, file string, want verify.Reason) {
	t.Helper()
	need(t, v)
	c, err := load(v.Profile(), file)
	if err != nil {
		t.Fatal(err)
	}
	if _, problem := check(t.Context(), v, c, want.String()); problem != "" {
		t.Errorf("%s: %s", file, problem)
	}
}

// Dir judges each .http file in dir, but not in folders below, by the line
//
//	# expect: accept
//
// or the label of a [verify.Reason] in its place, as [Accepts] and [Rejects] do.
// Each file is a subtest. It fails if a file expects nothing, and also if there is
// no file that expects to be accepted: a verifier with a wrong secret refuses
// everything, so a folder of refusals proves nothing.
func Dir(t *testing.T, v verify.Verifier, dir string) {
	t.Helper()
	need(t, v)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files, accepts := 0, 0
	for _, entry := range entries {
		name, ok := strings.CutSuffix(entry.Name(), ".http")
		if !ok || entry.IsDir() {
			continue
		}
		file := filepath.Join(dir, entry.Name())
		c, err := load(v.Profile(), file)
		files++
		if err == nil && c.Expect == capture.Accept {
			accepts++
		}
		t.Run(name, func(t *testing.T) {
			if err != nil {
				t.Fatal(err)
			}
			if c.Expect == "" {
				t.Fatalf("%s: it does not say what to expect: add the line \"# expect: accept\", or the label of a reason such as \"# expect: mismatch\"", file)
			}
			if _, problem := check(t.Context(), v, c, c.Expect); problem != "" {
				t.Errorf("%s: %s", file, problem)
			}
		})
	}
	switch {
	case files == 0:
		t.Fatalf("%s: there is no .http file", dir)
	case accepts == 0:
		t.Errorf("%s: no readable file expects \"accept\": put a genuine delivery beside those that are refused, or nobody knows that the verifier can accept any", dir)
	}
}

// NewRequest returns the request in file as a server's handler gets it, for the
// test of a handler. The guard in front of the handler needs the time of the
// capture, see [Clock].
func NewRequest(t testing.TB, file string) *http.Request {
	t.Helper()
	c, err := read(file)
	if err != nil {
		t.Fatal(err)
	}
	return c.Request(t.Context())
}

// Clock returns a clock that stands at the receive time of the capture in file, for
// middleware.Options.Now. The store needs it, too, and a floor before the
// delivery was signed:
//
//	clock := verifytest.Clock(t, "testdata/invoice-paid.http")
//	store := replay.NewMemory(&replay.MemoryOptions{Now: clock, Since: clock().Add(-time.Hour)})
//	guard, err := middleware.New("billing", v, store, &middleware.Options{Now: clock})
func Clock(t testing.TB, file string) func() time.Time {
	t.Helper()
	c, err := read(file)
	if err != nil {
		t.Fatal(err)
	}
	if c.ReceivedAt.IsZero() {
		t.Fatal(errNoTime(file))
	}
	return func() time.Time { return c.ReceivedAt }
}

func need(t testing.TB, v verify.Verifier) {
	t.Helper()
	if r := reflect.ValueOf(v); !r.IsValid() || r.Kind() == reflect.Pointer && r.IsNil() {
		t.Fatal("verifier is nil; check the error its constructor returned")
	}
}

// read reads the one capture in file.
func read(file string) (*capture.Capture, error) {
	all, err := capture.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if len(all) != 1 {
		return nil, fmt.Errorf("%s: it holds %d captures, want one: write each that matters to an .http file of its own, with capture.Capture.WriteFile", file, len(all))
	}
	if c := all[0]; c.Inexact != "" {
		return nil, fmt.Errorf("%s: its body is not exactly what was signed (%s), so no verdict about it means anything: capture the bytes that arrive", file, c.Inexact)
	}
	return all[0], nil
}

// load reads the one capture in file and makes sure that it has a time.
func load(p verify.Profile, file string) (*capture.Capture, error) {
	c, err := read(file)
	if err != nil {
		return nil, err
	}
	if c.ReceivedAt.IsZero() {
		if p.Window != (verify.Window{}) {
			return nil, errNoTime(file)
		}
		c.ReceivedAt = time.Unix(1_700_000_000, 0) // any time will do
	}
	return c, nil
}

func errNoTime(file string) error {
	return fmt.Errorf("%s: nobody wrote down when it arrived: add the line \"# received: 2026-03-01T09:30:12Z\" with that time at its start", file)
}

// check judges c and says what is wrong if the outcome, "accept" or the label of a
// reason, is another one than want.
func check(ctx context.Context, v verify.Verifier, c *capture.Capture, want string) (d *verify.Delivery, problem string) {
	d, err := judge(ctx, v, c)
	got := capture.Accept
	if err != nil {
		got = verify.ReasonOf(err).String()
	}
	switch {
	case got == want:
		return d, ""
	case err == nil:
		when := ""
		if v.Profile().Window != (verify.Window{}) {
			when = " when it arrived, at " + c.ReceivedAt.Format(time.RFC3339Nano)
		}
		return nil, fmt.Sprintf("accepted%s, want it refused as %q: is it still the genuine delivery, is its receive time the one that is meant, and does the verifier list a secret that it should not?", when, want)
	case want == capture.Accept:
		return nil, fmt.Sprintf("refused as %q, want it accepted%s", got, explain(ctx, v, c, err))
	}
	return nil, fmt.Sprintf("refused as %q, want %q%s", got, want, explain(ctx, v, c, err))
}

// judge says what a guard with v says before it asks its store.
func judge(ctx context.Context, v verify.Verifier, c *capture.Capture) (*verify.Delivery, error) {
	p := v.Profile()
	if err := p.Check(c.Head(), int64(len(c.Body))); err != nil {
		return nil, err
	}
	body, err := p.Unpack(c.Head(), c.Body)
	if err != nil {
		return nil, err
	}
	return verify.Verify(ctx, v, c.Head(), body)
}

// explain returns the error and the diagnosis, as lines that follow the verdict.
func explain(ctx context.Context, v verify.Verifier, c *capture.Capture, err error) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n\t%v", err)
	findings := diagnose.Verifier(ctx, v, c, nil)
	for _, f := range findings {
		fmt.Fprintf(&b, "\n\t%s (%s): %s\n\t\tfix: %s", f.ID, f.Confidence, f.Text, f.Fix)
	}
	if len(findings) == 0 && !errors.Is(err, verify.ErrMethod) && !errors.Is(err, verify.ErrMediaType) && !errors.Is(err, verify.ErrTooLarge) {
		b.WriteString("\n\tdiagnosis: none of the mistakes that are known explains it")
	}
	return b.String()
}
