package record_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hooknotary/hooknotary/middleware/record"
	"github.com/hooknotary/hooknotary/verify/capture"
)

func TestRate(t *testing.T) {
	t.Run("refusals are recorded now and then", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t)
			for i := range 100 {
				s.serve(signedAt(fmt.Sprint("evt_", i), start, otherSecret))
				s.serve(signed(fmt.Sprint("evt_", i)))
				if i == 0 {
					time.Sleep(30 * time.Second)
				}
			}
			s.passed.Add(int64(time.Second))
			unsigned(s)
			s.serve(s.request) // counted apart
			time.Sleep(30 * time.Second)
			s.passed.Add(int64(time.Second))
			s.serve(signedAt("evt_1", start, otherSecret))
			s.serve(signedAt("evt_2", start, otherSecret))

			count := map[string]int{}
			var left []string
			for _, f := range s.files() {
				count[f.Expect]++
				if lines := strings.Split(f.Note, "\n"); len(lines) > 2 {
					left = append(left, lines[2:]...)
				}
			}
			if fmt.Sprint(count) != "map[accept:100 mismatch:32 unsigned:1]" {
				t.Errorf("recorded %v", count)
			}
			if len(left) != 1 || left[0] != "70 refusals for the same reason before this one were not recorded" {
				t.Errorf("the notes say %q", left)
			}
		})
	})
}

// stalled makes the disk stand still until release is closed: what is to be written
// does not get past Redact.
func stalled(release <-chan struct{}) func(*site) {
	return func(s *site) { s.record.Redact = func(*capture.Capture) { <-release } }
}

func TestDisk(t *testing.T) {
	t.Run("a request does not wait for the disk", func(t *testing.T) {
		release := make(chan struct{})
		s := newSite(t, stalled(release))
		for i := range 40 {
			if w := s.serve(large(fmt.Sprint("evt_", i), secret)); w.Code != 200 {
				t.Errorf("status %d", w.Code)
			}
		}
		s.passed.Add(int64(time.Second))
		s.serve(large("evt_x", otherSecret)) // waits in the other part
		for deadline := time.Now().Add(patience); len(s.failures()) < 10 && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond)
		}
		if errs := s.failures(); len(errs) != 10 || !strings.Contains(errs[0].Error(), "too many wait for the disk") {
			t.Errorf("errors %v, want 10", errs)
		}
		close(release)
		if all := s.wait(15 + 1); all[15].Expect != "mismatch" { // what takes 16 MiB in memory, and the forged one
			t.Errorf("the last capture is %s", all[15].name)
		}
		s.serve(large("evt_y", secret)) // there is room again
		s.wait(15 + 2)
	})

	t.Run("a disk that fails is reported and does not affect requests", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t)
			if err := os.RemoveAll(s.dir); err != nil {
				t.Fatal(err)
			}
			for i := range 100 {
				if w := s.serve(signed(fmt.Sprint("evt_", i))); w.Code != 200 {
					t.Errorf("status %d", w.Code)
				}
				if w := s.serve(signedAt("evt_1", start, otherSecret)); w.Code != 401 {
					t.Errorf("status %d", w.Code)
				}
				synctest.Wait()
			}
			if errs := s.failures(); len(errs) != 20 || !strings.Contains(errs[0].Error(), "no such file") {
				t.Fatalf("%d errors, want 20: %v", len(errs), errs)
			}
			time.Sleep(time.Minute)
			s.serve(signed("evt_100"))
			synctest.Wait()
			if errs := s.failures(); len(errs) != 21 || !strings.HasSuffix(errs[20].Error(), "(90 more were not reported)") || !strings.Contains(errs[20].Error(), "no such file") {
				t.Errorf("errors %v", errs[20:])
			}
			if err := os.Mkdir(s.dir, 0o700); err != nil {
				t.Fatal(err)
			}
			s.serve(signed("evt_101"))
			s.file()
		})
	})
}

func TestClose(t *testing.T) {
	t.Run("waits for the disk but not for ever", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{})
			s := newSite(t, stalled(release))
			s.serve(s.request)
			begin := time.Now()
			if err := s.recorder.Close(); err == nil || time.Since(begin) != 5*time.Second {
				t.Errorf("closed with %v after %v", err, time.Since(begin))
			}
			time.AfterFunc(time.Second, func() { close(release) })
			if err := s.recorder.Close(); err != nil || time.Since(begin) != 6*time.Second {
				t.Errorf("closed with %v after %v", err, time.Since(begin))
			}
			s.file()
		})
	})

	t.Run("a closed recorder records nothing", func(t *testing.T) {
		s := newSite(t)
		s.serve(s.request)
		for range 2 {
			if err := s.recorder.Close(); err != nil {
				t.Error(err)
			}
		}
		if w := s.serve(signed("evt_2")); w.Code != 200 {
			t.Errorf("status %d", w.Code)
		}
		wantBody(t, s.file().Capture, eventBody("evt_1"))
	})

	t.Run("no goroutine is left", func(t *testing.T) {
		before := runtime.NumGoroutine()
		s := newSite(t)
		s.serve(s.request)
		s.wait(1)
		for deadline := time.Now().Add(patience); runtime.NumGoroutine() > before && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond)
		}
		if n := runtime.NumGoroutine(); n > before {
			t.Errorf("%d goroutines, %d before", n, before)
		}
		s.serve(signed("evt_2")) // and it begins anew
		s.wait(2)
	})
}

func TestErrors(t *testing.T) {
	t.Run("a request that no file can hold is reported", func(t *testing.T) {
		s := newSite(t)
		s.request.Method = "NO METHOD"
		if w := s.serve(s.request); w.Code != 405 {
			t.Errorf("status %d", w.Code)
		}
		s.wantFailure("the method")
		s.serve(signed("evt_2"))
		s.file()
	})

	t.Run("what the user's hooks do does not stop the recorder", func(t *testing.T) {
		for _, c := range []struct {
			name   string
			change func(*record.Options)
		}{
			{"OnError panics", func(o *record.Options) { o.OnError = func(error) { panic("boom") } }},
			{"OnError ends its goroutine", func(o *record.Options) { o.OnError = func(error) { runtime.Goexit() } }},
			{"Redact ends its goroutine", func(o *record.Options) {
				o.Redact = func(c *capture.Capture) {
					if c.Method != http.MethodPost {
						runtime.Goexit()
					}
				}
			}},
		} {
			t.Run(c.name, func(t *testing.T) {
				s := newSite(t, func(s *site) { c.change(&s.record) })
				s.request.Method = "NO METHOD"
				s.serve(s.request)
				s.serve(signed("evt_2"))
				wantBody(t, s.file().Capture, eventBody("evt_2"))
			})
		}
	})

	t.Run("they are logged by default", func(t *testing.T) {
		var log syncBuffer
		defer slog.SetDefault(slog.Default())
		slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
		s := newSite(t, func(s *site) { s.record.OnError = nil })
		s.request.Method = "NO METHOD"
		s.serve(s.request)
		s.files()
		if got := log.b.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "level=ERROR") || !strings.Contains(got, "record: ") {
			t.Errorf("logged %q", got)
		}
	})
}

// syncBuffer is a buffer for several goroutines.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func TestCrowd(t *testing.T) {
	t.Run("many requests come at once", func(t *testing.T) {
		s := newSite(t)
		server := listen(t, s, false)
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				for n := range 20 {
					id, key := fmt.Sprint("evt_", i, "_", n), secret
					if n%2 == 1 {
						key = otherSecret
					}
					deliver(t, server, signedAt(id, start, key))
				}
			})
		}
		all.Wait()
		server.Close()
		accepted, refused := 0, 0
		for _, f := range s.files() {
			if got := judged(s.verifier, f.Capture); got != f.Expect || f.Inexact != "" {
				t.Errorf("the verifier says %s, the capture expects %s, inexact %q", got, f.Expect, f.Inexact)
			}
			if f.Expect == capture.Accept {
				accepted++
			} else {
				refused++
			}
		}
		if accepted != 80 || refused != 30 {
			t.Errorf("%d and %d were recorded, want 80 and 30", accepted, refused)
		}
	})
}
