package migration

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/observe"
	"github.com/hooknotary/hooknotary/verify"
)

// A library is one that people come from.
type library struct {
	name          string
	heading       string // in README.md
	variable      string // of the environment, for the secret
	secret        string
	before, after func(*http.ServeMux, func() error) error
	rows          []row
}

// A row is one of the library's table.
type row struct {
	name   string
	secret *string // that is configured; nil: the library's
	fails  int     // how often the handler fails before it succeeds

	// requests come to a new endpoint at the given time. The row tells what became
	// of the last one; whatever comes before it must be handled, or fail.
	requests func(at time.Time) []*http.Request
}

var errBroken = errors.New("the database is down")

// judge says what becomes of a row's last request.
func (l *library) judge(t *testing.T, register func(*http.ServeMux, func() error) error, r row) string {
	t.Helper()
	quiet(t)
	secret := l.secret
	if r.secret != nil {
		secret = *r.secret
	}
	t.Setenv(l.variable, secret)
	mux := http.NewServeMux()
	runs, fails := 0, r.fails
	handle := func() error {
		runs++
		if fails--; fails >= 0 {
			return errBroken
		}
		return nil
	}
	if !starts(func() error { return register(mux, handle) }) {
		return "does not start"
	}
	verdict := ""
	for _, request := range r.requests(time.Now()) {
		if verdict != "" && verdict != "handled" && verdict != "failed" {
			t.Errorf("%s: %s, before its last request", r.name, verdict)
		}
		runs = 0
		var reason verify.Reason
		ctx := observe.With(request.Context(), func(_ context.Context, e middleware.Report) { reason = e.Reason })
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, request.WithContext(ctx))
		switch {
		case runs > 0 && w.Code < 300:
			verdict = "handled"
		case reason != 0:
			verdict = fmt.Sprintf("%d, %s", w.Code, reason.String())
		case runs > 0 && w.Code == http.StatusInternalServerError:
			verdict = "failed"
		default:
			verdict = fmt.Sprint(w.Code)
		}
		if ran := verdict == "handled" || verdict == "failed"; ran != (runs == 1) {
			t.Errorf("%s: %s, and the handler ran %d times", r.name, verdict, runs)
		}
	}
	return verdict
}

// quiet discards the log.
func quiet(t *testing.T) {
	logger := slog.Default()
	slog.SetDefault(slog.New(slog.DiscardHandler))
	t.Cleanup(func() { slog.SetDefault(logger) })
}

// starts is false if the program would end at once.
func starts(program func() error) (ok bool) {
	defer func() {
		if p := recover(); p != nil {
			ok = false
		}
	}()
	return program() == nil
}

func TestMigration(t *testing.T) {
	// Sends the requests of each table to the endpoint
	// with the old library and to the one behind a guard. A table lists all of them, in
	// the same order.
	t.Run("requests fare as the README says", func(t *testing.T) {
		readme := sections(t)
		for _, l := range libraries() {
			t.Run(l.name, func(t *testing.T) {
				var told []string
				for line := range strings.Lines(readme[l.heading]) {
					if line = strings.TrimSpace(line); strings.HasPrefix(line, "|") {
						told = append(told, line)
					}
				}
				seen := []string{"| request | before | after |", "|---|---|---|"}
				for _, r := range l.rows {
					seen = append(seen, fmt.Sprintf("| %s | %s | %s |", r.name, l.judge(t, l.before, r), l.judge(t, l.after, r)))
				}
				if !slices.Equal(seen, told) {
					t.Errorf("the endpoints do\n%s\nand README.md says\n%s", strings.Join(seen, "\n"), strings.Join(told, "\n"))
				}
				// Without these a table would say nothing.
				if len(seen) < 8 || seen[2] != "| genuine | handled | handled |" {
					t.Errorf("the first row must be a genuine request, which both handle: %q", seen)
				}
			})
		}
	})
}

// post returns a delivery with the given headers.
func post(path string, h http.Header, body []byte) *http.Request {
	r := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body))
	r.Header = h
	return r
}

// one is a row's only request.
func one(sign func(at time.Time) *http.Request) func(time.Time) []*http.Request {
	return func(at time.Time) []*http.Request { return []*http.Request{sign(at)} }
}

// twice sends the same bytes again.
func twice(sign func(at time.Time) *http.Request) func(time.Time) []*http.Request {
	return func(at time.Time) []*http.Request { return []*http.Request{sign(at), sign(at)} }
}

// edited changes the headers of a request.
func edited(sign func(at time.Time) *http.Request, edit func(http.Header)) func(time.Time) *http.Request {
	return func(at time.Time) *http.Request {
		r := sign(at)
		edit(r.Header)
		return r
	}
}

// replaced replaces a part of a header.
func replaced(sign func(at time.Time) *http.Request, name, old, new string) func(time.Time) *http.Request {
	return edited(sign, func(h http.Header) {
		before := h.Get(name)
		after := strings.Replace(before, old, new, 1)
		if after == before {
			panic(fmt.Sprintf("%s has no %q: %q", name, old, before))
		}
		h.Set(name, after)
	})
}
