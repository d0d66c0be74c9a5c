package hold_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/middleware/hold"
)

const mib = 1 << 20

// journal is a ResponseWriter that writes down what it is told.
type journal struct {
	header http.Header
	lines  []string
}

func newJournal() *journal { return &journal{header: make(http.Header)} }

func (j *journal) String() string         { return strings.Join(j.lines, ", ") }
func (j *journal) Header() http.Header    { return j.header }
func (j *journal) WriteHeader(status int) { j.lines = append(j.lines, fmt.Sprint("status ", status)) }

func (j *journal) Write(b []byte) (int, error) {
	j.lines = append(j.lines, fmt.Sprintf("body %s", b))
	return len(b), nil
}

func TestHeld(t *testing.T) {
	t.Run("a response may not be longer than declared", func(t *testing.T) {
		for _, c := range []struct {
			length string
			err    error
			sent   string
		}{
			{"4", nil, "status 200, body body"},
			{"3", http.ErrContentLength, "status 200"},
			{"", nil, "status 200, body body"},
			{"many", nil, "status 200, body body"},
		} {
			w := newJournal()
			held := hold.Hold(w)
			if c.length != "" {
				held.Header().Set("Content-Length", c.length)
			}
			if _, err := held.Write([]byte("body")); err != c.err {
				t.Errorf("length %q: error %v, want %v", c.length, err, c.err)
			}
			held.Send()
			if w.String() != c.sent {
				t.Errorf("length %q: sent %q", c.length, w)
			}
		}
	})

	t.Run("a held response is as strict as the server's", func(t *testing.T) {
		for _, c := range []struct {
			status int
			err    error
		}{{200, nil}, {404, nil}, {204, http.ErrBodyNotAllowed}, {304, http.ErrBodyNotAllowed}} {
			w := newJournal()
			held := hold.Hold(w)
			held.WriteHeader(c.status)
			if _, err := held.Write([]byte("body")); err != c.err {
				t.Errorf("status %d: error %v, want %v", c.status, err, c.err)
			}
			held.Send()
			if strings.Contains(w.String(), "body") != (c.err == nil) {
				t.Errorf("status %d: %s", c.status, w)
			}
		}
		for _, status := range []int{-1, 0, 99, 1000} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("status %d did not panic", status)
					}
				}()
				hold.Hold(newJournal()).WriteHeader(status)
			}()
		}
		for status, sent := range map[int]string{100: "", 103: "", 199: "", 200: "status 200", 999: "status 999"} {
			w := newJournal()
			held := hold.Hold(w)
			held.WriteHeader(status)
			held.Send()
			if w.String() != sent {
				t.Errorf("of status %d left %q", status, w)
			}
		}
	})

	t.Run("a held response is sent once", func(t *testing.T) {
		w := newJournal()
		held := hold.Hold(w)
		held.WriteHeader(202)
		held.Write([]byte("first"))
		held.Send()
		held.Send()
		held.WriteHeader(200)
		held.Reset()
		if _, err := held.Write([]byte("second")); err == nil {
			t.Error("a write after the response was sent succeeded")
		}
		held.Send()
		if w.String() != "status 202, body first" {
			t.Errorf("sent %q", w)
		}
		if held.Status() != 202 {
			t.Errorf("status %d", held.Status())
		}
	})

	t.Run("a reset response is as new", func(t *testing.T) {
		w := newJournal()
		w.header.Set("X-Outer", "1")
		held := hold.Hold(w)
		held.Header().Set("X-Handler", "1")
		held.Write(make([]byte, mib+1))
		if held.Status() != 200 || !held.Success() {
			t.Errorf("status %d", held.Status())
		}
		held.Reset()
		if w.header.Get("X-Handler") != "" || w.header.Get("X-Outer") != "1" {
			t.Errorf("headers %v", w.header)
		}
		held.Header().Set("X-Second", "1")
		held.WriteHeader(500)
		held.WriteString("oh")
		if held.Success() {
			t.Error("500 is no success")
		}
		held.Send()
		if w.String() != "status 500, body oh" || w.header.Get("X-Second") != "1" || w.header.Get("X-Outer") != "1" {
			t.Errorf("sent %q with %v", w, w.header)
		}
	})

	t.Run("a late failure takes nothing of the success", func(t *testing.T) {
		for _, c := range []struct {
			name   string
			status int
			sent   string
			cookie string
		}{
			{"a failure", 503, "status 503, body late", ""},
			{"another success", 202, "status 200, body donelate", "handler=1"},
		} {
			t.Run(c.name, func(t *testing.T) {
				w := newJournal()
				w.header.Set("X-Outer", "1")
				held := hold.Hold(w)
				held.Header().Set("X-Outer", "2")
				held.Header().Set("Set-Cookie", "handler=1")
				held.Header().Set("Content-Type", "text/plain")
				held.Header().Set("Content-Length", "8")
				held.WriteHeader(200)
				io.WriteString(held, "done")
				held.Header().Set("X-Late", "1")
				held.WriteHeader(c.status)
				io.WriteString(held, "late")
				held.Send()
				if w.String() != c.sent || w.header.Get("Set-Cookie") != c.cookie || w.header.Get("Content-Type") != "text/plain" {
					t.Errorf("sent %q with %v", w, w.header)
				}
				if c.status == 503 && (w.header.Get("X-Outer") != "1" || w.header.Get("X-Late") != "1" || w.header.Get("Content-Length") != "") {
					t.Errorf("the failure left with %v", w.header)
				}
			})
		}
	})

	t.Run("an upgrade is no success", func(t *testing.T) {
		w := newJournal()
		held := hold.Hold(w)
		held.Header().Set("Connection", "Upgrade")
		held.Header().Set("Upgrade", "websocket")
		held.WriteHeader(101)
		if held.Success() || held.Status() != 500 {
			t.Errorf("status %d", held.Status())
		}
		held.Send()
		if w.String() != "status 500" || len(w.header) != 0 {
			t.Errorf("sent %q with %v", w, w.header)
		}
	})
}

func TestWatched(t *testing.T) {
	for _, tt := range []struct {
		name    string
		handle  func(http.ResponseWriter)
		success bool
		sent    string
	}{
		{"nothing written is a success", func(http.ResponseWriter) {}, true, ""},
		{"a body alone is a success", func(w http.ResponseWriter) { io.WriteString(w, "done") }, true, "body done"},
		{"a 2xx is a success", func(w http.ResponseWriter) { w.WriteHeader(202) }, true, "status 202"},
		{"a redirect is a failure", func(w http.ResponseWriter) { w.WriteHeader(303) }, false, "status 303"},
		{"an upgrade is a failure", func(w http.ResponseWriter) { w.WriteHeader(101) }, false, "status 101"},
		{"an informational status says nothing", func(w http.ResponseWriter) { w.WriteHeader(103) }, true, "status 103"},
		{"a failure after an informational status counts", func(w http.ResponseWriter) { w.WriteHeader(103); w.WriteHeader(500) }, false, "status 103, status 500"},
		{"a failure after a success counts", func(w http.ResponseWriter) { io.WriteString(w, "done"); w.WriteHeader(500) }, false, "body done, status 500"},
		{"a success after a failure does not", func(w http.ResponseWriter) { w.WriteHeader(500); w.WriteHeader(200) }, false, "status 500, status 200"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newJournal()
			watched := hold.Watch(w)
			tt.handle(watched)
			if watched.Success() != tt.success {
				t.Errorf("Success is %v", !tt.success)
			}
			if w.String() != tt.sent {
				t.Errorf("sent %q, want %q", w, tt.sent)
			}
		})
	}
	t.Run("a flush reaches the writer", func(t *testing.T) {
		w := httptest.NewRecorder()
		hold.Watch(w).Flush()
		if !w.Flushed {
			t.Error("it did not")
		}
	})
}
