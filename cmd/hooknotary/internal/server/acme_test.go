package server_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/config"
	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/server"
)

// pebble is the authority for tests that Let's Encrypt publishes.
const pebble = "github.com/letsencrypt/pebble/v2/cmd/pebble@v2.10.3"

// installPebble returns the program.
func installPebble(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	install := exec.Command("go", "install", pebble)
	install.Dir = dir // outside of our modules
	install.Env = append(os.Environ(), "GOBIN="+dir, "GOWORK=off", "GOFLAGS=")
	if out, err := install.CombinedOutput(); err != nil {
		if os.Getenv("HOOKNOTARY_SERVERS") != "required" {
			t.Skipf("pebble is missing: %v", err)
		}
		t.Fatalf("pebble cannot be installed: %v\n%s", err, out)
	}
	return filepath.Join(dir, "pebble")
}

// nameServer says of every name that it is this machine's. Pebble asks over TCP.
func nameServer(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	answer := func(c net.Conn) error {
		var size uint16
		if err := binary.Read(c, binary.BigEndian, &size); err != nil {
			return err
		}
		b := make([]byte, size)
		if _, err := io.ReadFull(c, b); err != nil {
			return err
		}
		var m dnsmessage.Message
		if err := m.Unpack(b); err != nil {
			return err
		}
		m.Response = true
		for _, q := range m.Questions {
			if q.Type == dnsmessage.TypeA {
				m.Answers = append(m.Answers, dnsmessage.Resource{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
					Body:   &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}},
				})
			}
		}
		b, err := m.AppendPack(make([]byte, 2, 512))
		if err != nil {
			return err
		}
		binary.BigEndian.PutUint16(b, uint16(len(b)-2))
		_, err = c.Write(b)
		return err
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for answer(c) == nil {
				}
			}()
		}
	}()
	return l.Addr().String()
}

// freeAddress returns an address that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestACME(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds an authority")
	}
	dir := t.TempDir()
	program, ours := installPebble(t), newAuthority(t)
	file := func(name string) string { return filepath.Join(dir, name) }
	cert, key := ours.pair(t)
	write(t, file("pebble.crt"), cert)
	write(t, file("pebble.key"), key)
	write(t, file("ca.pem"), ours.pem())

	directory, management := freeAddress(t), freeAddress(t)
	plain, err := net.Listen("tcp", "127.0.0.1:0") // where http-01 would ask
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	asked := make(chan bool, 1)
	go func() {
		if c, err := plain.Accept(); err == nil {
			c.Close()
			asked <- true
		}
	}()

	clients := newAuthority(t)
	write(t, file("clients.pem"), clients.pem())
	acmeOptions := func() (server.Options, *journal) {
		o, log := options(), new(journal)
		o.Log = slog.New(slog.NewTextHandler(log, nil))
		o.Listen.TLS = &config.TLS{ClientCA: file("clients.pem")}
		o.Listen.ACME = &config.ACME{
			Hosts: []string{"hooks.test"}, Email: "it@hooks.test", Cache: file("cache"),
			Directory: "https://" + directory + "/dir", CA: file("ca.pem"),
		}
		return o, log
	}
	o, log := acmeOptions()
	s, err := server.New(o)
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(s.Addr().String())
	conf, err := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress": directory, "managementListenAddress": management,
		"certificate": file("pebble.crt"), "privateKey": file("pebble.key"),
		"httpPort": plain.Addr().(*net.TCPAddr).Port, "tlsPort": json.Number(port),
		"profiles": map[string]any{"default": map[string]any{"description": "", "validityPeriod": 7776000}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	write(t, file("pebble.json"), conf)
	p := exec.Command(program, "-config", file("pebble.json"), "-dnsserver", nameServer(t))
	p.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1")
	out := new(journal)
	p.Stdout, p.Stderr = out, out
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Process.Kill()
		p.Wait()
		if t.Failed() {
			t.Logf("pebble said\n%s\nand the server\n%s", out, log)
		}
	})
	toPebble := client(&tls.Config{RootCAs: ours.pool()}, false)
	get := func(url string) ([]byte, error) {
		r, err := toPebble.Get(url)
		if err != nil {
			return nil, err
		}
		defer r.Body.Close()
		return io.ReadAll(r.Body)
	}
	wait(t, "pebble listens", func() bool { _, err := get("https://" + directory + "/dir"); return err == nil })
	root, err := get("https://" + management + "/roots/0")
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(root) {
		t.Fatalf("pebble's root is %q", root)
	}
	mine := clients.client(t)
	hello := func(name string, protos ...string) *tls.Config {
		return &tls.Config{RootCAs: roots, ServerName: name, NextProtos: protos, Certificates: []tls.Certificate{mine}}
	}
	served := func(s *running, c *tls.Config) error {
		conn := tls.Client(dial(t, s), c)
		defer conn.Close()
		_, err := over(conn)
		return err
	}

	first := run(t, s, log)
	t.Run("a certificate is got, though clients need one, too", func(t *testing.T) {
		wait(t, "there is a certificate", func() bool { return strings.Contains(log.String(), "msg=certificate host=hooks.test") })
		if err := served(first, hello("hooks.test")); err != nil {
			t.Error(err)
		}
		if err := served(first, hello("Hooks.Test", "http/1.1")); err != nil {
			t.Errorf("the same host in other letters: %v", err)
		}
		c := hello("hooks.test")
		c.Certificates = nil
		if served(first, c) == nil {
			t.Error("a client without a certificate was served")
		}
		if served(first, hello("other.test")) == nil {
			t.Error("another host was served")
		}
		select {
		case <-asked:
			t.Error("the authority asked over HTTP")
		default:
		}
	})
	t.Run("nothing is served after the handshake of a challenge", func(t *testing.T) {
		// A challenge that is under way, as another instance leaves it in the shared folder.
		c, k := ours.pair(t, "hooks.test")
		write(t, file("cache/hooks.test+token"), slices.Concat(k, c))
		conf := hello("hooks.test", "acme-tls/1")
		conf.Certificates, conf.InsecureSkipVerify = nil, true
		conn := tls.Client(dial(t, first), conf)
		if err := conn.Handshake(); err != nil {
			t.Fatalf("the challenge is not answered: %v", err)
		}
		if got, err := over(conn); err == nil {
			t.Errorf("got %q", got)
		}
		conf = hello("other.test", "acme-tls/1")
		conf.InsecureSkipVerify = true
		if tls.Client(dial(t, first), conf).Handshake() == nil {
			t.Error("the challenge of another host is answered")
		}
	})
	t.Run("the next start takes the certificate from the folder", func(t *testing.T) {
		first.stop()
		<-first.done
		p.Process.Kill()
		p.Wait()
		o, log := acmeOptions()
		s, err := server.New(o)
		if err != nil {
			t.Fatal(err)
		}
		second := run(t, s, log)
		wait(t, "there is a certificate", func() bool { return served(second, hello("hooks.test")) == nil })
	})
	t.Run("without an authority a handshake fails at once, and the failure is logged", func(t *testing.T) {
		o, log := acmeOptions()
		o.Listen.ACME.Cache = file("empty")
		s, err := server.New(o)
		if err != nil {
			t.Fatal(err)
		}
		third := run(t, s, log)
		wait(t, "the failure is logged", func() bool { return strings.Contains(log.String(), "no certificate from the authority") })
		err = served(third, hello("hooks.test"))
		if ne := net.Error(nil); err == nil || errors.As(err, &ne) && ne.Timeout() {
			t.Errorf("the handshake ends with %v", err)
		}
	})
}
