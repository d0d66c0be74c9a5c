package echomw_test

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/hooknotary/hooknotary/middleware/record"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/capture"
)

func TestRecorder(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*site)
		status int
		note   string
		expect string
	}{
		{"handled", func(*site) {}, 200, "handled", capture.Accept},
		{"the handler returned an error", handling(func(echo.Context) error { return errors.New("boom") }), 500, "failed", capture.Accept},
		{"the handler panicked", func(s *site) {
			s.handle = func(echo.Context) error { panic("boom") }
			s.outer = append(s.outer, recoverer())
		}, 500, "failed", capture.Accept},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			recorder, err := record.New(dir, &record.Options{Kinds: record.Refused | record.Accepted})
			if err != nil {
				t.Fatal(err)
			}
			s := newSite(t, c.change, func(s *site) { s.outer = append(s.outer, echo.WrapMiddleware(recorder.Handler)) })
			want(t, s.serve(s.request), c.status)
			if err := recorder.Close(); err != nil {
				t.Error(err)
			}
			got := captureIn(t, dir)
			if first, _, _ := strings.Cut(got.Note, "\n"); first != c.note || got.Expect != c.expect || !got.ReceivedAt.Equal(start) {
				t.Errorf("expected %q at %v: %s", got.Expect, got.ReceivedAt, got.Note)
			}
			if got.Inexact == "" != bytes.Equal(got.Body, eventBody("evt_1")) {
				t.Errorf("the body is %q, inexact %q", got.Body, got.Inexact)
			}
			says := capture.Accept
			if _, err := verify.Verify(context.Background(), s.verifier, got.Head(), got.Body); err != nil {
				says = verify.ReasonOf(err).String()
			}
			if says != c.expect {
				t.Errorf("the verifier says %s, want %s", says, c.expect)
			}
		})
	}
}

// captureIn returns the only capture in a folder.
func captureIn(t *testing.T, dir string) *capture.Capture {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.http"))
	if err != nil || len(names) != 1 {
		t.Fatalf("%d captures, want 1 (%v)", len(names), err)
	}
	all, err := capture.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	return all[0]
}
