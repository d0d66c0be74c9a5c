//go:build unix

package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A pipe that nobody writes to must not hold up the start, nor a reload.
func TestPipe(t *testing.T) {
	for _, tt := range []struct{ name, file, field string }{
		{"the configuration", "hooknotary.yaml", ""},
		{"a secret", "secrets/stripe", "routes[0].secrets[0].from"},
		{"a certificate", "tls.crt", "listen.tls.cert"},
		{"a key of assertions", "assert.pem", "assertion.keys[0].file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFolder(t, files(t))
			pipe(t, filepath.Join(f.path, tt.file))
			m := f.mistakes()
			if len(m) == 0 || !strings.Contains(m.Error(), "want a regular file") || m[0].Field != tt.field && tt.file != "assert.pem" {
				t.Errorf("got %v", m)
			}
		})
	}
	t.Run("a device", func(t *testing.T) {
		f := newFolder(t, files(t))
		f.edit("file:secrets/stripe", "file:/dev/zero")
		if m := f.mistakes(); len(m) == 0 || !strings.Contains(m.Error(), "want a regular file") {
			t.Errorf("got %v", m)
		}
	})
	t.Run("the file of a tenant, which is turned off alone", func(t *testing.T) {
		f := newFolder(t, files(t))
		pipe(t, filepath.Join(f.path, "tenants/acme"))
		c := f.must()
		if err := c.Faulty["ci/acme"]; err == nil || !strings.Contains(err.Error(), "want a regular file") || len(c.Faulty) != 1 {
			t.Errorf("turned off are %v", c.Faulty)
		}
	})
	t.Run("a link to a file is one", func(t *testing.T) {
		f := newFolder(t, files(t))
		file := filepath.Join(f.path, "secrets/stripe")
		if err := os.Rename(file, file+".1"); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("stripe.1", file); err != nil {
			t.Fatal(err)
		}
		f.must()
	})
}

func pipe(t *testing.T, name string) {
	t.Helper()
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
}
