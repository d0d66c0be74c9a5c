package server_test

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/server"
)

func TestListen(t *testing.T) {
	const request = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n"
	socket := func(t *testing.T) string {
		dir, err := os.MkdirTemp("", "server") // t.TempDir may be too long for a socket
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		return filepath.Join(dir, "s")
	}
	wantError := func(t *testing.T, o server.Options, want string) {
		t.Helper()
		s, err := server.New(o)
		if err == nil {
			s.Close()
			t.Fatal("there is no error")
		}
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %q, want %q", err, want)
		}
	}
	t.Run("a unix socket is served, for the group, and gone afterwards", func(t *testing.T) {
		path := socket(t)
		o := options()
		o.Listen.Address = "unix:" + path
		s := start(t, o)
		if got := say(t, dial(t, s), request); !strings.HasSuffix(got, " 0 invalid IP") {
			t.Errorf("got %q", got) // the peer has no address, and is not trusted
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o660 {
			t.Errorf("the socket is %v, %v", info, err)
		}
		s.stop()
		<-s.done
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("the socket is left behind: %v", err)
		}
	})
	t.Run("where proxies are trusted, the peer of a unix socket is one", func(t *testing.T) {
		o := options()
		o.Listen.Address = "unix:" + socket(t)
		o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
		if got := say(t, dial(t, start(t, o)), request); !strings.HasSuffix(got, " 0 192.0.2.1") {
			t.Errorf("got %q", got)
		}
	})
	t.Run("a socket that a killed process left is replaced", func(t *testing.T) {
		o := options()
		path := socket(t)
		l, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		l.(*net.UnixListener).SetUnlinkOnClose(false)
		l.Close()
		o.Listen.Address = "unix:" + path
		say(t, dial(t, start(t, o)), request)
	})
	t.Run("a socket that is in use is not", func(t *testing.T) {
		o := options()
		path := socket(t)
		l, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		o.Listen.Address = "unix:" + path
		wantError(t, o, "listen.address: cannot listen: address already in use")
	})
	t.Run("a file that is no socket is not", func(t *testing.T) {
		o := options()
		path := socket(t)
		if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
		o.Listen.Address = "unix:" + path
		wantError(t, o, "listen.address: cannot listen: address already in use")
		if b, err := os.ReadFile(path); err != nil || string(b) != "mine" {
			t.Errorf("the file holds %q, %v", b, err)
		}
	})
	t.Run("errors say what is wrong, and not with what", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		for address, want := range map[string]string{
			l.Addr().String():   "cannot listen: address already in use",
			"sk_live_4242":      "cannot listen: missing port in address",
			"127.0.0.1:sk_live": "cannot listen: unknown port",
			"unix:":             "no path after unix:",
			"unix:/sk_live/x/y": "cannot listen: no such file or directory",
		} {
			for field, set := range map[string]func(*server.Options){
				"listen.address": func(o *server.Options) { o.Listen.Address = address },
				"admin.address":  func(o *server.Options) { o.Admin.Address = address },
			} {
				o := options()
				set(&o)
				s, err := server.New(o)
				if err == nil {
					s.Close()
					t.Errorf("%s is listened on", address)
					continue
				}
				if want := field + ": " + want; err.Error() != want {
					t.Errorf("the error is %q, want %q", err, want)
				}
			}
		}
		o := options()
		o.Public = nil
		wantError(t, o, "Options.Public is nil")
	})
	t.Run("without TLS it warns, unless nobody else or a proxy connects", func(t *testing.T) {
		for _, c := range []struct {
			address string
			proxies []netip.Prefix
			warns   bool
		}{
			{"0.0.0.0:0", nil, true},
			{"0.0.0.0:0", []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, false},
			{"127.0.0.1:0", nil, false},
			{"localhost:0", nil, false},
			{"unix:" + socket(t), nil, false},
		} {
			o := options()
			o.Listen.Address, o.TrustedProxies = c.address, c.proxies
			if got := start(t, o).log.String(); strings.Contains(got, "has no TLS") != c.warns {
				t.Errorf("%s, %v: the log is %s", c.address, c.proxies, got)
			}
		}
	})
}
