package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/providers/github/githubtest"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

const (
	stripeSecret = "whsec_of_a_program_that_only_shows"
	githubSecret = "secret_of_a_program_that_only_shows"
)

// site is a server with two endpoints, on a port of 127.0.0.1, and the senders that
// know its secrets.
type site struct {
	server  http.Server
	address string
	clients [2]*http.Client // HTTP/1.1 and HTTP/2
	next    atomic.Int64
}

func newSite(budget int64) (*site, error) {
	s := new(site)
	mux := http.NewServeMux()
	for path, v := range map[string]verify.Verifier{"/stripe": stripe.Must(stripeSecret), "/github": github.Must(githubSecret)} {
		o := &middleware.Options{BodyBudget: budget}
		if budget > 0 {
			o.MaxBody = min(v.Profile().MaxBody, budget/2)
		}
		guard, err := middleware.New(path, v, replay.NewMemory(nil), o)
		if err != nil {
			return nil, err
		}
		mux.Handle("POST "+path, guard.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
		})))
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.address = listener.Addr().String()
	s.server = http.Server{Handler: mux, Protocols: new(http.Protocols), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute}
	s.server.Protocols.SetHTTP1(true)
	s.server.Protocols.SetUnencryptedHTTP2(true)
	go s.server.Serve(listener)
	s.clients = newClients()
	return s, nil
}

func newClients() (clients [2]*http.Client) {
	for i := range clients {
		p := new(http.Protocols)
		p.SetHTTP1(i == 0)
		p.SetUnencryptedHTTP2(i == 1)
		clients[i] = &http.Client{Transport: &http.Transport{Protocols: p}, Timeout: time.Minute}
	}
	return clients
}

func (s *site) close() {
	s.server.Close()
	for _, c := range s.clients {
		c.CloseIdleConnections()
	}
}

// genuine returns a delivery of n bytes.
func (s *site) genuine(path string, n int) *http.Request {
	body := fmt.Appendf(nil, `{"id":"evt_%d","pad":"`, s.next.Add(1))
	body = append(append(body, bytes.Repeat([]byte("x"), max(0, n-len(body)-2))...), `"}`...)
	if path == "/stripe" {
		return stripetest.NewRequest("http://"+s.address+path, time.Now(), body, stripeSecret)
	}
	return githubtest.NewRequest("http://"+s.address+path, "push", body, githubSecret)
}

// count is how many genuine deliveries were accepted of how many that were sent.
type count struct {
	accepted, sent atomic.Int64
	status         sync.Map // of those that were lost
}

func (c *count) String() string {
	s := fmt.Sprintf("%d of %d", c.accepted.Load(), c.sent.Load())
	c.status.Range(func(status, n any) bool {
		s += fmt.Sprintf(", %v: %d", status, n.(*atomic.Int64).Load())
		return true
	})
	return s
}

func (c *count) lost() bool { return c.accepted.Load() < c.sent.Load() }

// send sends a delivery, at a rate in bytes a second if it is not 0.
func (s *site) send(client int, r *http.Request, rate float64, c *count) {
	c.sent.Add(1)
	if rate > 0 {
		r.Body = io.NopCloser(&slow{r: r.Body, rate: rate, begin: time.Now()})
		r.GetBody = nil
	}
	status := "no response"
	response, err := s.clients[client].Do(r)
	if err == nil {
		io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if response.StatusCode == http.StatusOK {
			c.accepted.Add(1)
			return
		}
		status = response.Status
	}
	n, _ := c.status.LoadOrStore(status, new(atomic.Int64))
	n.(*atomic.Int64).Add(1)
}

// slow is a body that comes at a rate.
type slow struct {
	r     io.Reader
	rate  float64
	begin time.Time
	sent  int
}

func (s *slow) Read(b []byte) (int, error) {
	n, err := s.r.Read(b[:min(len(b), max(1, int(s.rate/50)))])
	s.sent += n
	time.Sleep(time.Duration(float64(s.sent)/s.rate*float64(time.Second)) - time.Since(s.begin))
	return n, err
}

// deliver sends a delivery every so often over either protocol, until ctx ends, and
// waits for the last responses. If every is 0, each is sent when the one before was
// answered.
func (s *site) deliver(ctx context.Context, path string, sizes []int, every time.Duration, rate float64) *[2]count {
	var counts [2]count
	var group sync.WaitGroup
	for client := range s.clients {
		group.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				one := func() { s.send(client, s.genuine(path, sizes[i%len(sizes)]), rate, &counts[client]) }
				if every == 0 {
					one()
					continue
				}
				group.Go(one)
				pause(ctx, every)
			}
		})
	}
	group.Wait()
	return &counts
}
