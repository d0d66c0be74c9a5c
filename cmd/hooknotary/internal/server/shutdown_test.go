package server_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/config"
	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// admin asks the admin listener, and returns the status and the text.
func admin(t *testing.T, s *running, method, path string) (int, string) {
	t.Helper()
	r, err := http.NewRequest(method, "http://"+s.AdminAddr().String()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	wantAnonymous(t, string(b))
	for name, values := range res.Header {
		wantAnonymous(t, name+": "+strings.Join(values, ","))
	}
	return res.StatusCode, string(b)
}

// held is a handler whose requests wait: each is sent on begun, and ends when end is closed.
type held struct {
	begun chan *http.Request
	end   chan struct{}
}

func newHeld() held { return held{make(chan *http.Request, 10), make(chan struct{})} }

func (h held) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.begun <- r
	<-h.end
	io.WriteString(w, "done")
}

// refused waits until nobody listens any more.
func refused(t *testing.T, s *running) {
	t.Helper()
	wait(t, "nobody listens", func() bool {
		c, err := net.Dial("tcp", s.Addr().String())
		if err == nil {
			c.Close()
		}
		return errors.Is(err, syscall.ECONNREFUSED)
	})
}

// hour is a time that no test waits for.
const hour = time.Hour

func TestShutdown(t *testing.T) {
	const secret = "whsec_0123456789abcdef0123456789abcdef"
	t.Run("while it drains, requests are served and their connections end", func(t *testing.T) {
		g, err := middleware.New("billing", stripe.Must(secret), replay.NewMemory(nil), &middleware.Options{Observe: func(context.Context, middleware.Report) {}})
		if err != nil {
			t.Fatal(err)
		}
		o := options()
		o.Shutdown = config.Shutdown{Drain: 2 * time.Second, Grace: hour}
		o.Public = g.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(204) }))
		s := start(t, o)
		if status, text := admin(t, s, "GET", "/readyz"); status != 200 || text != "ready\n" {
			t.Errorf("before, /readyz is %d %q", status, text)
		}
		send := func(c net.Conn) (*http.Response, error) {
			r := stripetest.NewRequest("http://h/", time.Now(), []byte(`{"id":"evt_`+c.LocalAddr().String()+time.Now().String()+`","object":"event"}`), secret)
			if err := r.Write(c); err != nil {
				return nil, err
			}
			return http.ReadResponse(bufio.NewReader(c), nil)
		}
		kept := dial(t, s)
		if r, err := send(kept); err != nil || r.StatusCode != 204 || r.Close {
			t.Fatalf("before: %v, %v", r, err)
		}
		s.stop()
		wait(t, "/readyz turns", func() bool {
			status, text := admin(t, s, "GET", "/readyz")
			return status == 503 && text == "draining\n"
		})
		if status, _ := admin(t, s, "GET", "/livez"); status != 200 {
			t.Errorf("/livez is %d", status)
		}
		for name, c := range map[string]net.Conn{"a kept connection": kept, "a new one": dial(t, s)} {
			r, err := send(c)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if r.StatusCode != 204 || !r.Close {
				t.Errorf("%s: %s, close is %v", name, r.Status, r.Close)
			}
			closed(t, c)
		}
		refused(t, s)
		<-s.done
	})

	t.Run("what is under way ends within the grace", func(t *testing.T) {
		h := newHeld()
		o := options()
		o.Public, o.Shutdown.Grace = h, hour
		s := start(t, o)
		c, idle := dial(t, s), dial(t, s)
		io.WriteString(c, part+"\r\n")
		<-h.begun
		s.stop()
		refused(t, s)
		io.WriteString(idle, part+"\r\n") // it was accepted before
		r := <-h.begun
		if r.Context().Err() != nil || s.Context().Err() != nil {
			t.Error("a context has ended")
		}
		select {
		case <-s.done:
			t.Error("Run has returned")
		case <-time.After(50 * time.Millisecond):
		}
		if status, _ := admin(t, s, "GET", "/readyz"); status != 503 {
			t.Errorf("/readyz is %d", status)
		}
		close(h.end)
		for _, c := range []net.Conn{c, idle} {
			if got, err := io.ReadAll(c); err != nil || !strings.HasSuffix(string(got), "\r\n\r\ndone") {
				t.Errorf("got %q, %v", got, err)
			}
		}
		<-s.done
		if s.Context().Err() == nil {
			t.Error("the context goes on")
		}
	})

	t.Run("what is left then is cancelled, and answers", func(t *testing.T) {
		o := options()
		o.Shutdown.Grace = 50 * time.Millisecond
		begun := make(chan bool)
		var ctx context.Context // of the server
		o.Public = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			begun <- true
			<-r.Context().Done()
			<-ctx.Done()
			w.WriteHeader(503)
		})
		s := start(t, o)
		ctx = s.Context()
		c := dial(t, s)
		io.WriteString(c, part+"\r\n")
		<-begun
		s.stop()
		if got, err := io.ReadAll(c); err != nil || !strings.HasPrefix(string(got), "HTTP/1.1 503 ") {
			t.Errorf("got %q, %v", got, err)
		}
		<-s.done
		if !strings.Contains(s.log.String(), "requests are cancelled") {
			t.Errorf("the log is %s", s.log)
		}
	})

	t.Run("a guard gives back the claim of a detached handler that is cancelled", func(t *testing.T) {
		store := replay.NewMemory(nil)
		o := options()
		o.Shutdown.Grace = 50 * time.Millisecond
		var site http.Handler
		o.Public = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { site.ServeHTTP(w, r) })
		s := start(t, o)
		reports := make(chan middleware.Report, 1)
		g, err := middleware.New("billing", stripe.Must(secret), store, &middleware.Options{
			Detach: true, Shutdown: s.Context(),
			Observe: func(_ context.Context, e middleware.Report) { reports <- e },
		})
		if err != nil {
			t.Fatal(err)
		}
		begun := make(chan bool)
		site = g.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, ok := verify.FromContext(r.Context()); !ok {
				t.Error("no delivery")
			}
			begun <- true
			<-r.Context().Done()
			w.WriteHeader(500)
		}))
		c := dial(t, s)
		stripetest.NewRequest("http://h/", time.Now(), []byte(`{"id":"evt_1","object":"event"}`), secret).Write(c)
		<-begun
		c.Close()
		s.stop()
		if e := <-reports; e.Outcome != middleware.Failed || e.ClaimKept {
			t.Errorf("the report is %+v", e)
		}
		<-s.done
	})

	t.Run("what heeds nothing is left behind", func(t *testing.T) {
		t.Parallel()
		h := newHeld()
		o := options()
		o.Public, o.Shutdown.Grace = h, time.Millisecond
		s := start(t, o)
		io.WriteString(dial(t, s), part+"\r\n")
		<-h.begun
		s.stop()
		<-s.done
		if s.err != nil || !strings.Contains(s.log.String(), "requests did not end") {
			t.Errorf("Run returned %v, the log is %s", s.err, s.log)
		}
		close(h.end)
	})

	t.Run("slow heads do not outlast the grace", func(t *testing.T) {
		o := options()
		o.Limits.ReadHeaderTimeout = hour
		o.Shutdown.Grace = 50 * time.Millisecond
		s := start(t, o)
		io.WriteString(dial(t, s), part)
		say(t, dial(t, s), part+"Connection: close\r\n\r\n") // so the first one is accepted
		s.stop()
		<-s.done
	})
}

func TestPanic(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"an ordinary one is logged without its value": func(http.ResponseWriter, *http.Request) { panic("hush: 4242") },
		"one of the runtime is logged":                func(_ http.ResponseWriter, r *http.Request) { _ = r.Header["X"][len(r.URL.Path)] },
		"ErrAbortHandler is not":                      func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			o := options()
			o.Public = h
			s := start(t, o)
			c := dial(t, s)
			io.WriteString(c, part+"\r\n")
			closed(t, c)
			got := s.log.String()
			if strings.Contains(got, "hush") || strings.Contains(got, "panicked") != !strings.Contains(name, "not") {
				t.Errorf("the log is %s", got)
			}
			if strings.Contains(name, "runtime") && !strings.Contains(got, "index out of range") {
				t.Errorf("the log is %s", got)
			}
		})
	}
}
