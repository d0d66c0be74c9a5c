package main

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"time"
)

// cut is where the connection of a request breaks.
type cut int

const (
	uncut       cut = iota
	cutRequest      // when half of the request was sent
	cutAtOnce       // soon after all of it was sent
	cutResponse     // when the response comes
)

func (c cut) String() string {
	return [...]string{"", "cut in the request", "cut after the request", "cut before the response"}[c]
}

// withCut says where the connection of a request breaks.
func withCut(ctx context.Context, at cut) context.Context {
	return context.WithValue(ctx, cutKey{}, at)
}

var errCut = errors.New("the connection was cut")

type cutKey struct{}

// dialer opens connections to instances by their name, and breaks them where the
// context says so.
func dialer(addr func(instance string) string) func(context.Context, string, string) (net.Conn, error) {
	var d net.Dialer
	return func(ctx context.Context, network, host string) (net.Conn, error) {
		name, _, _ := net.SplitHostPort(host)
		c, err := d.DialContext(ctx, network, addr(name))
		if err != nil {
			return nil, err
		}
		if at, _ := ctx.Value(cutKey{}).(cut); at != uncut {
			return &brittle{Conn: c, at: at}, nil
		}
		return c, nil
	}
}

// brittle is a connection that breaks. A request is small enough to be sent with
// one Write.
type brittle struct {
	net.Conn
	at   cut
	sent atomic.Bool
}

func (b *brittle) Write(p []byte) (int, error) {
	switch {
	case b.sent.Swap(true):
	case b.at == cutRequest:
		b.Conn.Write(p[:len(p)/2])
		b.Conn.Close()
		return 0, errCut
	case b.at == cutAtOnce:
		time.AfterFunc(5*time.Millisecond, func() { b.Conn.Close() })
	}
	return b.Conn.Write(p)
}

func (b *brittle) Read(p []byte) (int, error) {
	n, err := b.Conn.Read(p)
	if b.at == cutResponse && n > 0 {
		b.Conn.Close()
		return 0, errCut
	}
	return n, err
}
