package stores_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/stores"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// TestSQLite: a gateway makes the file and the tables, and remembers over a restart; an
// operator's command makes nothing.
func TestSQLite(t *testing.T) {
	file := filepath.Join(t.TempDir(), "store #1?.db")
	if _, err := stores.Open(t.Context(), stores.Options{SQLite: file}); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("without Create: %v", err)
	}
	claim := func() replay.Status {
		t.Helper()
		s, err := stores.Open(t.Context(), stores.Options{SQLite: file, Create: true, Timeout: 30 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if err := errors.Join(s.Check(t.Context()), s.Ping(t.Context())); err != nil {
			t.Fatal(err)
		}
		h := replay.Handle{Key: replay.Key{1}, Token: replay.Token{2}}
		o, err := s.Claim(t.Context(), replay.Claim{Key: h.Key, Token: h.Token, Lease: time.Minute, Needed: time.Hour, Retention: time.Hour, Fingerprint: [32]byte{3}})
		if err == nil && o.Status == replay.Acquired {
			err = s.Commit(t.Context(), h)
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Purge(t.Context()); err != nil {
			t.Error(err)
		}
		return o.Status
	}
	if first, second := claim(), claim(); first != replay.Acquired || second != replay.Done {
		t.Errorf("the claims are %v and %v", first, second)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("the file is %v, %v: others can read it", info.Mode(), err)
	}
	db, err := sql.Open("sqlite", "file:"+strings.NewReplacer("#", "%23", "?", "%3f").Replace(file))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var mode string
	if err := db.QueryRow("PRAGMA journal_mode").Scan(&mode); err != nil || mode != "wal" {
		t.Errorf("the journal is %q, %v", mode, err)
	}
}

func TestMemory(t *testing.T) {
	s, err := stores.Open(t.Context(), stores.Options{Memory: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Check(t.Context()), s.Ping(t.Context()), s.Close()); err != nil {
		t.Error(err)
	}
	if n, err := s.Purge(t.Context()); n != 0 || err != nil {
		t.Errorf("purged %d, %v", n, err)
	}
}

// TestAddresses: no error holds a piece of an address.
func TestAddresses(t *testing.T) {
	const password = "hunter4711"
	for _, tt := range []struct {
		name string
		o    stores.Options
		says string
	}{
		{"no store", stores.Options{}, "there are 0 stores"},
		{"two stores", stores.Options{Memory: true, SQLite: "x"}, "there are 2 stores"},
		{"a URL of another scheme", stores.Options{Redis: "http://:" + password + "@127.0.0.1"}, "address of Redis"},
		{"no URL", stores.Options{Redis: password}, "address of Redis"},
		{"a number that is none", stores.Options{Redis: "redis://:" + password + "@127.0.0.1/x"}, "address of Redis"},
		{"a slash in a password", stores.Options{Redis: "redis://:" + password + "/@127.0.0.1"}, "escaped"},
		{"several hosts and a number", stores.Options{Redis: "redis://:" + password + "@127.0.0.1:1,127.0.0.1:2/3"}, "no numbered databases"},
		{"no connection string", stores.Options{PostgreSQL: "host=127.0.0.1 password=" + password + " port=x"}, "connection string"},
		{"a name of a table that is none", stores.Options{PostgreSQL: "postgres://shop:" + password + "@127.0.0.1/shop", Table: "x; DROP"}, "the table"},
		{"a folder", stores.Options{SQLite: os.TempDir()}, "it is no file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := stores.Open(t.Context(), tt.o)
			if s != nil || err == nil || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), password) {
				t.Errorf("got %v and %v, want %q", s, err, tt.says)
			}
			if tt.o.Redis != "" || tt.o.PostgreSQL != "" && tt.o.Table == "" {
				if aerr := stores.Address(tt.o); aerr == nil || aerr.Error() != err.Error() {
					t.Errorf("Address says %v, and Open %v", aerr, err)
				}
			}
		})
	}
	for _, o := range []stores.Options{{Redis: "redis://:" + password + "@127.0.0.1:1"}, {PostgreSQL: "postgres://shop:" + password + "@127.0.0.1:1/shop"}} {
		if err := stores.Address(o); err != nil {
			t.Errorf("an address that is one: %v", err)
		}
		s, err := stores.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		if err := s.Ping(ctx); err == nil || strings.Contains(err.Error(), password) {
			t.Errorf("a server that is down: %v", err)
		}
		cancel()
		s.Close()
	}
}
