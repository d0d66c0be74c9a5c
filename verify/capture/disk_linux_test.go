package capture_test

import (
	"errors"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/hooknotary/hooknotary/verify/capture"
)

func TestWriteFileOnDisk(t *testing.T) {
	t.Run("a full disk leaves nothing behind", func(t *testing.T) {
		dir := t.TempDir()
		signal.Ignore(syscall.SIGXFSZ)
		defer signal.Reset(syscall.SIGXFSZ)
		var before syscall.Rlimit
		if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 1000, Max: before.Max}); err != nil {
			t.Skip(err)
		}
		err := (&capture.Capture{Body: make([]byte, 1001)}).WriteFile(filepath.Join(dir, "a.http"))
		if e := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before); e != nil {
			t.Fatal(e)
		}
		if !errors.Is(err, syscall.EFBIG) {
			t.Errorf("error is %v, want %v", err, syscall.EFBIG)
		}
		only(t, dir)
	})

	// A file cannot be renamed from one file system to another.
	t.Run("no other folder than the file's is used", func(t *testing.T) {
		f, err := os.CreateTemp("/dev/shm", "capture-*.http")
		if err != nil {
			t.Skip(err)
		}
		f.Close()
		defer os.Remove(f.Name())
		if err := (&capture.Capture{}).WriteFile(f.Name()); err != nil {
			t.Error(err)
		}
	})
}

func TestReadFileOnDisk(t *testing.T) {
	t.Run("a pipe is read up to MaxSize", func(t *testing.T) {
		pipe := filepath.Join(t.TempDir(), "pipe")
		if err := syscall.Mkfifo(pipe, 0o600); err != nil {
			t.Skip(err)
		}
		written := make(chan int64)
		go func() {
			f, err := os.OpenFile(pipe, os.O_WRONLY, 0)
			if err != nil {
				t.Error(err)
			}
			defer f.Close()
			var n int64
			for block := make([]byte, 64<<10); err == nil; {
				var m int
				m, err = f.Write(block)
				n += int64(m)
			}
			written <- n // until the reader has closed it
		}()
		_, err := capture.ReadFile(pipe)
		if e := syntaxError(t, err); e.File != pipe || e.Line != 0 {
			t.Errorf("error is %v", e)
		}
		if n := <-written; n > capture.MaxSize+1<<20 {
			t.Errorf("%d bytes went through the pipe", n)
		}
	})
}
