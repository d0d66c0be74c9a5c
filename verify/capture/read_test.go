package capture_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/verify/capture"
)

const (
	nativeFile = "# expect: accept\n\nPOST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody"
	harFile    = `{"log":{"version":"1.2","entries":[{"startedDateTime":"2026-03-01T09:30:12.25Z","request":{"method":"POST","url":"https://h/","headers":[],"bodySize":4,"postData":{"text":"body"}}}]}}`
	githubFile = `{"delivered_at":"2026-03-01T09:30:12.25Z","url":"https://h/","request":{"headers":{"X-GitHub-Event":"ping"},"payload":{"zen": 1}}}`
)

func save(t testing.TB, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestRead(t *testing.T) {
	t.Run("the format is known by the content", func(t *testing.T) {
		for _, tt := range []struct{ name, text, body string }{
			{"native", nativeFile, "body"},
			{"HAR", harFile, "body"},
			{"HAR behind a byte order mark and white space", "\uFEFF\r\n\t " + harFile, "body"},
			{"delivery", githubFile, `{"zen":1}`},
			{"delivery behind white space", " \n" + githubFile + "\n", `{"zen":1}`},
		} {
			t.Run(tt.name, func(t *testing.T) {
				check := func(all []*capture.Capture, err error) {
					t.Helper()
					if err != nil || len(all) != 1 || string(all[0].Body) != tt.body {
						t.Errorf("got %+v, %v", all, err)
					}
				}
				check(capture.Read(strings.NewReader(tt.text)))
				check(capture.Read(io.MultiReader(strings.NewReader(tt.text[:10]), strings.NewReader(tt.text[10:]))))
				check(capture.ReadFile(save(t, "a.json", tt.text)))
				check(capture.ReadFile(save(t, "a.http", tt.text)))
			})
		}
	})

	t.Run("it stops behind MaxSize", func(t *testing.T) {
		var n endless
		_, err := capture.Read(&n)
		if e := syntaxError(t, err); !strings.Contains(e.Text, "67108864") {
			t.Errorf("error is %v", e)
		}
		if n != capture.MaxSize+1 {
			t.Errorf("%d bytes were read, want MaxSize+1", n)
		}
	})

	t.Run("MaxSize is taken", func(t *testing.T) {
		text := append([]byte("POST / HTTP/1.1\n\n"), make([]byte, capture.MaxSize)...)[:capture.MaxSize]
		all, err := capture.Read(bytes.NewReader(text))
		if err != nil || len(all[0].Body) != capture.MaxSize-len("POST / HTTP/1.1\n\n") {
			t.Errorf("error is %v", err)
		}
	})

	t.Run("the error of the reader is returned", func(t *testing.T) {
		broken := errors.New("broken")
		for name, text := range map[string]string{"native": nativeFile, "HAR": harFile} {
			if all, err := capture.Read(failing{strings.NewReader(text), broken}); all != nil || err != broken {
				t.Errorf("%s: got %v, %v: a file that is cut off must not be read", name, all, err)
			}
		}
	})
}

func TestReadFile(t *testing.T) {
	t.Run("errors name the file", func(t *testing.T) {
		for name, tt := range map[string]struct {
			text string
			line int
		}{
			"native":    {"# a\nb", 2},
			"HAR":       {"{\"log\":{\"entries\":[\n{}]}}", 2},
			"delivery":  {"{\"delivered_at\":\"\",\n\"request\":\n\n1}", 2},
			"broken":    {"{\n\n\"log\":}", 3},
			"empty":     {"", 0},
			"white":     {" \n", 1},
			"an array":  {"[1]", 1},
			"a string":  {"\"a\"", 1},
			"a body":    {"{\"id\":\"evt_1\"}", 1},
			"cut off":   {harFile[:len(harFile)-3], 1},
			"too deep":  {"\n" + strings.Repeat("[", 20000), 2},
			"too large": {strings.Repeat("x", capture.MaxSize+1), 0},
		} {
			t.Run(name, func(t *testing.T) {
				file := save(t, "a b.http", tt.text)
				all, err := capture.ReadFile(file)
				e := syntaxError(t, err)
				if all != nil || e.File != file || e.Line != tt.line {
					t.Errorf("got %v, error %v, want line %d", all, e, tt.line)
				}
				all, err = capture.Read(strings.NewReader(tt.text))
				if e := syntaxError(t, err); all != nil || e.File != "" || e.Line != tt.line {
					t.Errorf("from a reader: %v, error %v", all, e)
				}
			})
		}
	})

	t.Run("errors of the system are returned", func(t *testing.T) {
		dir := t.TempDir()
		if _, err := capture.ReadFile(filepath.Join(dir, "none.http")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a file that is not there: %v", err)
		}
		var e *fs.PathError
		if _, err := capture.ReadFile(dir); !errors.As(err, &e) || e.Path != dir {
			t.Errorf("a folder: %v", err)
		}
	})
}

// endless is a reader that never ends and counts what is read.
type endless int

func (n *endless) Read(p []byte) (int, error) {
	*n += endless(len(p))
	return copy(p, bytes.Repeat([]byte("x"), len(p))), nil
}

// failing is a reader that fails behind its text.
type failing struct {
	io.Reader
	err error
}

func (f failing) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if err == io.EOF {
		err = f.err
	}
	return n, err
}

func TestWriteFile(t *testing.T) {
	t.Run("what is written can be read", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "a.http")
		for range 2 { // the second time over the first
			c := whole(t)
			if err := c.WriteFile(file); err != nil {
				t.Fatal(err)
			}
			all, err := capture.ReadFile(file)
			if err != nil || len(all) != 1 {
				t.Fatalf("got %v, %v", all, err)
			}
			if names := differences(c, all[0]); names != nil {
				t.Errorf("these differ: %q", names)
			}
			info, err := os.Stat(file)
			if err != nil || info.Mode() != 0o600 {
				t.Errorf("the file's mode is %v, %v", info.Mode(), err)
			}
			if err := os.Chmod(file, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		only(t, filepath.Dir(file), "a.http")
	})

	t.Run("a failure leaves nothing behind", func(t *testing.T) {
		dir := t.TempDir()
		file := filepath.Join(dir, "a.http")
		if err := os.WriteFile(file, []byte("before"), 0o600); err != nil {
			t.Fatal(err)
		}
		bad := &capture.Capture{Method: "A B"}
		if err := bad.WriteFile(file); err == nil {
			t.Error("a capture that cannot be written was written")
		}
		if text, err := os.ReadFile(file); err != nil || string(text) != "before" {
			t.Errorf("the file is %q, %v", text, err)
		}
		only(t, dir, "a.http")
		good := &capture.Capture{}
		if err := good.WriteFile(filepath.Join(dir, "none", "a.http")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("in a folder that is not there: %v", err)
		}
		folder := filepath.Join(dir, "folder.http")
		if err := os.MkdirAll(filepath.Join(folder, "a"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := good.WriteFile(folder); err == nil {
			t.Error("a folder was replaced")
		}
		only(t, dir, "a.http", "folder.http")
	})
}

// only fails if there are other files in dir than these.
func only(t testing.TB, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, entry := range entries {
		got = append(got, entry.Name())
	}
	if strings.Join(got, " ") != strings.Join(names, " ") {
		t.Errorf("the folder holds %q, want %q", got, names)
	}
}
