package record_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/middleware/record"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/capture"
)

func TestNew(t *testing.T) {
	t.Run("mistakes are refused", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			name, dir, want string
			bad, good       record.Options
		}{
			{"no folder", "", "there is no folder", record.Options{}, record.Options{}},
			{"a folder in which no file can be made", "/proc/self", "/proc/self/.record-", record.Options{}, record.Options{}},
			{"a file", file, "not a directory", record.Options{}, record.Options{}},
			{"a folder in a file", filepath.Join(file, "x"), "not a directory", record.Options{}, record.Options{}},
			{"an unknown kind", ".", "unknown value of Kinds", record.Options{Kinds: 8}, record.Options{Kinds: 7}},
			{"one file", ".", "MaxFiles is 1, want at least 2", record.Options{MaxFiles: 1}, record.Options{MaxFiles: 2}},
			{"less than no file", ".", "MaxFiles is -1, want at least 2", record.Options{MaxFiles: -1}, record.Options{}},
			{"less than no body", ".", "MaxBody is -1, want at most 33554432", record.Options{MaxBody: -1}, record.Options{}},
			{"a body too large to be read again", ".", "MaxBody is 33554433, want at most 33554432", record.Options{MaxBody: 32<<20 + 1}, record.Options{MaxBody: 32 << 20}},
			{"no room for a body", ".", "MaxBytes is 201, want more than 200: twice MaxBody", record.Options{MaxBytes: 201, MaxBody: 100}, record.Options{MaxBytes: 202, MaxBody: 100}},
			{"less than no room", ".", "MaxBytes is -1, want more than 2097152: twice MaxBody", record.Options{MaxBytes: -1}, record.Options{}},
		} {
			t.Run(c.name, func(t *testing.T) {
				dir := c.dir
				if strings.HasPrefix(dir, "/proc/") && runtime.GOOS != "linux" {
					t.Skip("there is no such folder")
				}
				if dir == "." {
					dir = t.TempDir()
				}
				r, err := record.New(dir, &c.bad)
				if r != nil || err == nil || !strings.HasPrefix(err.Error(), "record: ") || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%v, %v; want %q", r, err, c.want)
				}
				if r, err := record.New(t.TempDir(), &c.good); err != nil || r.Close() != nil {
					t.Errorf("the good twin: %v", err)
				}
			})
		}
		t.Run("no handler", func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("it did not panic")
				}
			}()
			newSite(t).recorder.Handler(nil)
		})
	})

	t.Run("the options are copied", func(t *testing.T) {
		drop := []string{"X-Private"}
		s := newSite(t, func(s *site) { s.record.Drop = drop })
		drop[0] = "X-Other"
		s.record.Kinds = record.Refused
		s.request.Header.Set("X-Private", "1")
		s.serve(s.request)
		if s.file().Header["X-Private"] != nil {
			t.Error("X-Private was recorded")
		}
	})
}

func TestFolder(t *testing.T) {
	t.Run("it is its owner's alone", func(t *testing.T) {
		t.Run("if it is made", func(t *testing.T) {
			s := newSite(t, func(s *site) { s.dir = filepath.Join(s.dir, "a", "b") })
			s.serve(s.request)
			f := s.file()
			for path, want := range map[string]os.FileMode{s.dir: 0o700, filepath.Dir(s.dir): 0o700, filepath.Join(s.dir, f.name): 0o600} {
				if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
					t.Errorf("%s has %v, want %v (%v)", path, info.Mode(), want, err)
				}
			}
			if entries, _ := os.ReadDir(s.dir); len(entries) != 1 {
				t.Errorf("there are %v", entries)
			}
		})
		t.Run("and is left as it is if it is there", func(t *testing.T) {
			s := newSite(t, func(s *site) {
				if err := os.MkdirAll(s.dir, 0o750); err != nil {
					s.t.Fatal(err)
				}
			})
			if info, err := os.Stat(s.dir); err != nil || info.Mode().Perm() != 0o750 {
				t.Errorf("it has %v, %v", info.Mode(), err)
			}
		})
	})

	t.Run("nothing of a request is in a file name", func(t *testing.T) {
		for provider, want := range map[string]string{
			"stripe":                                 "stripe",
			"../../Evil -x\x00é":                     "_______vil__x__",
			strings.Repeat("long", 20):               strings.Repeat("long", 8),
			"a-20260314T092653.000000Z-b-handled-00": "a_20260314_092653_000000__b_hand",
		} {
			s := newSite(t, func(s *site) { s.verifier = &named{s.verifier, provider} })
			s.request.URL.Path = "/../../etc/passwd"
			s.request.Header.Set("X-Github-Delivery", "../../x")
			s.serve(s.request)
			if name := s.file().name; !regexp.MustCompile(`^20260314T092653\.589793Z-` + want + `-handled-[0-9a-f]{16}\.http$`).MatchString(name) {
				t.Errorf("%q makes %s", provider, name)
			}
		}
	})

	t.Run("the oldest captures give way in their half", func(t *testing.T) {
		ids := func(files []file) (accepted, refused []string) {
			for _, f := range files {
				id := regexp.MustCompile(`evt_\d+`).FindString(string(f.Body))
				if strings.Contains(f.name, "-refused-") {
					refused = append(refused, id)
				} else {
					accepted = append(accepted, id)
				}
			}
			return accepted, refused
		}
		for _, c := range []struct {
			name   string
			change func(*record.Options)
		}{
			{"by count", func(o *record.Options) { o.MaxFiles = 7 }},
			{"by bytes", func(o *record.Options) { o.MaxBytes, o.MaxBody = 4000, 1000 }},
		} {
			t.Run(c.name, func(t *testing.T) {
				s := newSite(t, func(s *site) { c.change(&s.record) })
				n := 0
				s.minutely(5, func(i int) *http.Request { n++; return signedAt(fmt.Sprint("evt_", n), s.now(), secret) })
				s.minutely(20, func(i int) *http.Request { n++; return signedAt(fmt.Sprint("evt_", n), s.now(), otherSecret) })
				all := s.files()
				accepted, refused := ids(all)
				if fmt.Sprint(accepted) != "[evt_3 evt_4 evt_5]" || fmt.Sprint(refused) != "[evt_23 evt_24 evt_25]" {
					t.Errorf("left are %q and %q", accepted, refused)
				}
				if errs := s.failures(); errs != nil {
					t.Errorf("errors %v", errs)
				}

				// A new recorder with other bounds.
				for _, f := range all[1:] {
					os.Chtimes(filepath.Join(s.dir, f.name), time.Time{}, time.Unix(int64(len(f.Body)), 0)) // their names count
				}
				r, err := record.New(s.dir, &record.Options{MaxFiles: 4})
				if err != nil || r.Close() != nil {
					t.Fatal(err)
				}
				accepted, refused = ids(filesIn(t, s.dir))
				if fmt.Sprint(accepted) != "[evt_4 evt_5]" || fmt.Sprint(refused) != "[evt_24 evt_25]" {
					t.Errorf("left are %q and %q after the restart", accepted, refused)
				}
			})
		}
	})

	t.Run("the bytes of the folder are bounded", func(t *testing.T) {
		const bytes = 3000
		var dir string
		worst := int64(0)
		look := func() {
			sum := int64(0)
			entries, _ := os.ReadDir(dir)
			for _, e := range entries {
				if info, err := e.Info(); err == nil {
					sum += info.Size()
				}
			}
			worst = max(worst, sum)
		}
		s := newSite(t, func(s *site) {
			s.record.MaxBytes, s.record.MaxBody = bytes, 1000
			dir = s.dir
			s.record.Redact = func(*capture.Capture) { look() } // between two of them
		})
		s.minutely(50, func(i int) *http.Request {
			return signedAt(strings.Repeat("x", i*7), s.now(), []string{secret, otherSecret}[i%2])
		})
		s.recorder.Close()
		look()
		if worst > bytes || worst < bytes*2/3 {
			t.Errorf("there were up to %d bytes, want at most %d", worst, bytes)
		}
	})

	t.Run("a capture that does not fit is reported and pushes nothing out", func(t *testing.T) {
		s := newSite(t, func(s *site) { s.record.MaxBytes, s.record.MaxBody = 2000, 900 })
		s.serve(s.request)
		r := signed("evt_2")
		r.Header.Set("X-Long", strings.Repeat("x", 1000))
		s.serve(r)
		s.wantFailure("larger than its part of MaxBytes")
		wantBody(t, s.file().Capture, eventBody("evt_1"))
	})

	t.Run("what no recorder made is not removed", func(t *testing.T) {
		dir := t.TempDir()
		const good = "20260314T092653.589793Z-stripe-handled-0123456789abcdef.http"
		others := []string{
			"README.md", "zz.http", "." + good, good + ".bak", "x" + good, strings.ToUpper(good),
			"20260314T092653Z-stripe-handled-0123456789abcdef.http",
			"20260314T092653.589793Z-Stripe-handled-0123456789abcdef.http",
			"20260314T092653.589793Z-stripe-unknown-0123456789abcdef.http",
			"20260314T092653.589793Z-stripe-refused-0123456789abcdef.http",
			"20260314T092653.589793Z-stripe-handled-mismatch-0123456789abcdef.http",
			"20260314T092653.589793Z-stripe-refused-mismatch-again-0123456789abcdef.http",
			"20260314T092653.589793Z-stripe-handled-0123456789abcde.http",
			"20260314T092653.589793Z-stripe-handled-0123456789abcdeg.http",
			"20260314T092653.589793Z--handled-0123456789abcdef.http",
			"20260314T092653.589793Z-" + strings.Repeat("a", 33) + "-handled-0123456789abcdef.http",
		}
		for _, name := range others {
			if err := os.WriteFile(filepath.Join(dir, name), []byte("keep"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		folder := "20000101T000000.000000Z-stripe-handled-0000000000000000.http"
		link := "20000101T000000.000000Z-stripe-handled-0000000000000001.http"
		if err := os.Mkdir(filepath.Join(dir, folder), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join(dir, "README.md"), filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
		others = append(others, folder, link)
		var made []string
		for _, outcome := range []string{
			"refused-mismatch", "refused-in_flight", "refused-too_old", "acknowledged",
			"handled", "failed", "commit_failed", "lost", "refused-forged", "refused-forged-again", "refused-forged",
		} {
			name := fmt.Sprintf("20260101T00%04d.000000Z-a_1-%s-0123456789abcdef.http", len(made), outcome)
			if err := os.WriteFile(filepath.Join(dir, name), []byte("old"), 0o600); err != nil {
				t.Fatal(err)
			}
			made = append(made, name)
		}

		r, err := record.New(dir, &record.Options{MaxFiles: 2})
		if err != nil || r.Close() != nil {
			t.Fatal(err)
		}
		for _, name := range others {
			if _, err := os.Lstat(filepath.Join(dir, name)); err != nil {
				t.Errorf("%s is gone", name)
			}
		}
		for i, name := range made {
			_, err := os.Lstat(filepath.Join(dir, name))
			if kept := i == 7 || i == 9 || i == 10; kept != (err == nil) {
				t.Errorf("%s: kept %v", name, err == nil)
			}
		}
	})

	t.Run("several recorders share one", func(t *testing.T) {
		dir := t.TempDir()
		var all sync.WaitGroup
		for i := range 3 {
			s := newSite(t, func(s *site) { s.dir, s.record.MaxFiles = dir, 10 })
			all.Go(func() {
				for n := range 40 {
					s.passed.Add(int64(time.Second))
					s.serve(signedAt(fmt.Sprint("evt_", i, "_", n), s.now(), secret))
				}
				if err := s.recorder.Close(); err != nil {
					t.Error(err)
				}
				if errs := s.failures(); errs != nil {
					t.Errorf("errors %v", errs)
				}
			})
		}
		all.Wait()
		left := filesIn(t, dir) // each of which is whole
		if n := len(left); n < 5 || n > 5+2 {
			t.Errorf("%d captures are left, want 5, and one more for each recorder beside the last", n)
		}
	})
}

// named is a verifier with another provider's name.
type named struct {
	verify.Verifier
	name string
}

func (v *named) Profile() verify.Profile {
	p := v.Verifier.Profile()
	p.Provider = v.name
	return p
}

// minutely serves n requests, a minute after the other.
func (s *site) minutely(n int, request func(i int) *http.Request) {
	for i := range n {
		s.passed.Add(int64(time.Minute))
		s.serve(request(i))
	}
}
