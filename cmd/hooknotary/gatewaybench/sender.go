//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
)

const (
	secret = "whsec_gatewaybench0123456789abcdef"
	path   = "/hooks/stripe"
)

// delivery is what makes one delivery another one than the next.
type delivery struct {
	id        string
	signature string
}

const (
	bodyStart = `{"id":"`
	bodyRest  = `","object":"event","note":"`
	bodyEnd   = `"}`
)

// payload is the body of all deliveries of a size, without their ids.
type payload struct {
	size int
	rest []byte // after the id
}

func payloadOf(size int) payload {
	id := len(eventID(0))
	rest := append([]byte(bodyRest), bytes.Repeat([]byte("x"), max(0, size-len(bodyStart)-id-len(bodyRest)-len(bodyEnd)))...)
	rest = append(rest, bodyEnd...)
	return payload{len(bodyStart) + id + len(rest), rest}
}

func (p payload) body(id string) []byte {
	b := make([]byte, 0, p.size)
	b = append(b, bodyStart...)
	b = append(b, id...)
	return append(b, p.rest...)
}

var events atomic.Int64

// eventID has the same length for all numbers, and each run has its own.
func eventID(n int64) string { return fmt.Sprintf("evt_%08x%010d", runID, n) }

var runID = rand.Uint32()

// sign makes n deliveries, signed at the given time.
func sign(p payload, n int, at time.Time) []delivery {
	ds := make([]delivery, n)
	var wg sync.WaitGroup
	for part := range slices.Chunk(ds, max(1, n/2+1)) {
		wg.Go(func() {
			for i := range part {
				id := eventID(events.Add(1))
				part[i] = delivery{id, stripetest.Header(at, p.body(id), secret).Get("Stripe-Signature")}
			}
		})
	}
	wg.Wait()
	return ds
}

// sender sends deliveries over one connection that it keeps, and reads the responses with
// as little work as it can.
type sender struct {
	address, path string
	from          net.Addr // nil: any
	c             net.Conn
	head, in      []byte
	in0           int // bytes of in that are read
}

const sendTimeout = 60 * time.Second

// send returns the status of the response. The connection is made anew where the last
// response has ended it.
func (s *sender) send(p payload, d delivery) (int, error) {
	if s.c == nil {
		c, err := (&net.Dialer{LocalAddr: s.from}).Dial("tcp", s.address)
		if err != nil {
			return 0, err
		}
		s.c, s.in0 = c, 0
		if s.in == nil {
			s.in = make([]byte, 16<<10)
		}
	}
	s.c.SetDeadline(time.Now().Add(sendTimeout))
	s.write(p, d)
	if err := s.flush(p, d); err != nil {
		s.close()
		return 0, err
	}
	status, last, err := s.read()
	if err != nil || last {
		s.close()
	}
	return status, err
}

// write makes the head, with a small body behind it.
func (s *sender) write(p payload, d delivery) {
	b := append(s.head[:0], "POST "...)
	b = append(b, s.path...)
	b = append(b, " HTTP/1.1\r\nHost: hooks.example.com\r\nUser-Agent: Stripe/1.0 (+https://stripe.com/docs/webhooks)\r\n"+
		"Accept: */*; q=0.5, application/xml\r\nCache-Control: no-cache\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: "...)
	b = strconv.AppendInt(b, int64(p.size), 10)
	b = append(b, "\r\nStripe-Signature: "...)
	b = append(b, d.signature...)
	b = append(b, "\r\n\r\n"+bodyStart...)
	b = append(b, d.id...)
	if len(p.rest) <= smallRest {
		b = append(b, p.rest...)
	}
	s.head = b
}

const smallRest = 64 << 10

func (s *sender) flush(p payload, d delivery) error {
	if len(p.rest) <= smallRest {
		_, err := s.c.Write(s.head)
		return err
	}
	buffers := net.Buffers{s.head, p.rest}
	_, err := buffers.WriteTo(s.c)
	return err
}

var errResponse = errors.New("the response does not end")

// read reads one response, and says whether its connection ends with it.
func (s *sender) read() (status int, last bool, err error) {
	for {
		if head, _, ok := bytes.Cut(s.in[:s.in0], []byte("\r\n\r\n")); ok {
			rest := s.in0 - len(head) - 4
			if len(head) < len("HTTP/1.1 200") {
				return 0, false, errResponse
			}
			if status, err = strconv.Atoi(string(head[9:12])); err != nil {
				return 0, false, err
			}
			length := 0
			for line := range bytes.SplitSeq(head, []byte("\r\n")) {
				name, value, _ := bytes.Cut(line, []byte(":"))
				value = bytes.TrimSpace(value)
				switch {
				case bytes.EqualFold(name, []byte("Content-Length")):
					if length, err = strconv.Atoi(string(value)); err != nil {
						return 0, false, err
					}
				case bytes.EqualFold(name, []byte("Connection")):
					last = last || bytes.EqualFold(value, []byte("close"))
				case bytes.EqualFold(name, []byte("Transfer-Encoding")):
					return 0, false, errors.New("the response is in chunks")
				}
			}
			for rest < length {
				n, err := s.c.Read(s.in[:min(len(s.in), length-rest)])
				if err != nil {
					return 0, false, err
				}
				rest += n
			}
			s.in0 = 0
			return status, last, nil
		}
		if s.in0 == len(s.in) {
			return 0, false, errResponse
		}
		n, err := s.c.Read(s.in[s.in0:])
		if err != nil {
			return 0, false, err
		}
		s.in0 += n
	}
}

func (s *sender) close() {
	if s.c != nil {
		s.c.Close()
		s.c = nil
	}
}

// want fails a delivery with another status.
func want(status, got int, err error) error {
	if err == nil && got != status {
		err = fmt.Errorf("status %d, want %d", got, status)
	}
	return err
}

// sendAll sends deliveries one after another, over one connection or each over its own.
func sendAll(address string, p payload, ds []delivery, status int, alone bool) error {
	s := &sender{address: address, path: path}
	defer s.close()
	for _, d := range ds {
		got, err := s.send(p, d)
		if err := want(status, got, err); err != nil {
			return err
		}
		if alone {
			s.close()
		}
	}
	return nil
}

// flood sends deliveries over so many connections, each as fast as it is answered, until all
// are sent or the time is over.
func flood(address string, p payload, ds []delivery, conns int, most time.Duration) (sent int, took time.Duration, err error) {
	var next, done atomic.Int64
	errs := make([]error, conns)
	var wg sync.WaitGroup
	start := time.Now()
	for i := range conns {
		wg.Go(func() {
			s := &sender{address: address, path: path}
			defer s.close()
			for time.Since(start) < most {
				n := next.Add(1) - 1
				if n >= int64(len(ds)) {
					return
				}
				got, err := s.send(p, ds[n])
				if errs[i] = want(200, got, err); errs[i] != nil {
					return
				}
				done.Add(1)
			}
		})
	}
	wg.Wait()
	return int(done.Load()), time.Since(start), errors.Join(errs...)
}

// timing is when a delivery was sent and how long it took.
type timing struct {
	at   time.Time
	took time.Duration
}

// pace sends deliveries at a rate, over so many connections that take turns. Where a
// connection still waits when its turn comes, the delivery counts from its turn.
func pace(address string, p payload, ds []delivery, conns int, rate float64) ([]timing, error) {
	timings := make([]timing, len(ds))
	errs := make([]error, conns)
	var wg sync.WaitGroup
	start := time.Now().Add(20 * time.Millisecond)
	for i := range conns {
		wg.Go(func() {
			s := &sender{address: address, path: path}
			defer s.close()
			for n := i; n < len(ds); n += conns {
				turn := start.Add(time.Duration(float64(n) / rate * float64(time.Second)))
				at := turn
				if wait := time.Until(turn); wait > 0 {
					// time.Sleep may be a millisecond late.
					t := syscall.NsecToTimespec(int64(wait))
					syscall.Nanosleep(&t, nil)
					at = time.Now() // the timer is not the proxy's
				}
				got, err := s.send(p, ds[n])
				if errs[i] = want(200, got, err); errs[i] != nil {
					return
				}
				timings[n] = timing{at, time.Since(at)}
			}
		})
	}
	wg.Wait()
	return timings[min(conns, len(timings)):], errors.Join(errs...) // the first ones also dial
}

func durations(ts []timing) []time.Duration {
	ds := make([]time.Duration, len(ts))
	for i, t := range ts {
		ds[i] = t.took
	}
	return ds
}

// quantile returns the value below which a part q of the values are.
func quantile[T ~int64 | ~float64](values []T, q float64) T {
	if len(values) == 0 {
		return 0
	}
	values = slices.Sorted(slices.Values(values))
	return values[min(len(values)-1, int(q*float64(len(values))))]
}
