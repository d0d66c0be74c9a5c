package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// flood is what an attacker without the secret sends: well-formed heads with a
// signature that does not hold, and the beginnings of bodies.
type flood struct {
	address string
	path    string
	header  [2]string // the signature
	body    int       // bytes that follow each head; then nothing comes
	rate    float64   // bytes a second; over HTTP/1.1 0 means what comes of conns
	conns   int       // at once

	sent  atomic.Int64 // bytes
	heads atomic.Int64
}

// run sends until ctx ends.
func (f *flood) run(ctx context.Context, http2 bool) {
	var group sync.WaitGroup
	defer group.Wait()
	if !http2 && f.rate > 0 { // a connection after the other, at the rate
		begin := time.Now()
		for n := 1; ctx.Err() == nil; n++ {
			group.Go(func() { f.overHTTP1(ctx) })
			pause(ctx, time.Duration(float64(n*f.body)/f.rate*float64(time.Second))-time.Since(begin))
		}
		return
	}
	for range f.conns {
		group.Go(func() {
			for ctx.Err() == nil {
				if http2 {
					f.overHTTP2(ctx)
				} else {
					f.overHTTP1(ctx)
				}
			}
		})
	}
}

// dial opens a connection that ends with ctx.
func (f *flood) dial(ctx context.Context) (net.Conn, func(), error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", f.address)
	if err != nil {
		return nil, nil, err
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	return conn, func() { stop(); conn.Close() }, nil
}

// overHTTP1 sends one head and its part of a body, and keeps the connection until
// the server ends it.
func (f *flood) overHTTP1(ctx context.Context) {
	conn, end, err := f.dial(ctx)
	if err != nil {
		return
	}
	defer end()
	text := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n%s: %s\r\nContent-Length: %d\r\n\r\n", f.path, f.header[0], f.header[1], 25<<20) +
		strings.Repeat(" ", f.body)
	n, _ := io.WriteString(conn, text)
	f.sent.Add(int64(n))
	f.heads.Add(1)
	io.Copy(io.Discard, conn)
}

const (
	frameData         = 0
	frameHeaders      = 1
	frameReset        = 3
	frameSettings     = 4
	frameGoAway       = 7
	frameWindowUpdate = 8
	endHeaders        = 4
	ack               = 1
)

func frame(kind, flags byte, stream uint32, payload []byte) []byte {
	b := make([]byte, 9, 9+len(payload))
	binary.BigEndian.PutUint32(b, uint32(len(payload))<<8|uint32(kind))
	b[4] = flags
	binary.BigEndian.PutUint32(b[5:], stream)
	return append(b, payload...)
}

// overHTTP2 opens a stream after the other, as many as the server allows at once,
// and ends none. Each head after the first one takes 15 bytes. Where heads alone are
// sent, a connection that is full stays open, and another one goes on in its place.
func (f *flood) overHTTP2(ctx context.Context) {
	conn, end, err := f.dial(ctx)
	if err != nil {
		return
	}
	full := false
	defer func() {
		if !full { // else it ends with ctx
			end()
		}
	}()
	var mu sync.Mutex // of writing
	write := func(b []byte) error {
		mu.Lock()
		defer mu.Unlock()
		n, err := conn.Write(b)
		f.sent.Add(int64(n))
		return err
	}
	if write(append([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frame(frameSettings, 0, 0, nil)...)) != nil {
		return
	}
	var open, window atomic.Int64
	window.Store(65535)
	over := make(chan struct{})
	go func() {
		defer close(over)
		in := bufio.NewReader(conn)
		var head [9]byte
		for {
			if _, err := io.ReadFull(in, head[:]); err != nil {
				return
			}
			payload := make([]byte, int(head[0])<<16|int(head[1])<<8|int(head[2]))
			if _, err := io.ReadFull(in, payload); err != nil {
				return
			}
			switch stream := binary.BigEndian.Uint32(head[5:]); {
			case head[3] == frameReset:
				open.Add(-1)
			case head[3] == frameSettings && head[4]&ack == 0:
				if write(frame(frameSettings, ack, 0, nil)) != nil {
					return
				}
			case head[3] == frameWindowUpdate && stream == 0:
				window.Add(int64(binary.BigEndian.Uint32(payload)))
			case head[3] == frameGoAway:
				return
			}
		}
	}()
	literal := func(b []byte, s string) []byte { return append(append(b, byte(len(s))), s...) }
	first := literal([]byte{0x83, 0x86, 0x44}, f.path) // POST, http, path
	first = literal(append(first, 0x41), "h")          // authority
	first = literal(append(first, 0x5f), "application/json")
	first = literal(literal(append(first, 0x40), strings.ToLower(f.header[0])), f.header[1])
	next := []byte{0x83, 0x86, 0xc1, 0xc0, 0xbf, 0xbe} // the same, from the table

	// At the rate, and as far as the server lets it. What a busy machine missed is
	// made up for, for a second.
	beginning := frame(frameData, 0, 0, bytes.Repeat([]byte(" "), f.body))
	due, last, stream, block := 0.0, time.Now(), uint32(1), first
	for ctx.Err() == nil {
		now := time.Now()
		part := f.rate / float64(f.conns)
		due = min(due+now.Sub(last).Seconds()*part, part+float64(len(first)+f.body))
		last = now
		var text []byte
		for due > 0 && open.Load() < 240 && window.Load() >= int64(f.body) {
			before := len(text)
			text = append(text, frame(frameHeaders, endHeaders, stream, block)...)
			if f.body > 0 {
				text = append(text, beginning...)
				binary.BigEndian.PutUint32(text[len(text)-f.body-4:], stream)
			}
			due -= float64(len(text) - before)
			open.Add(1)
			window.Add(-int64(f.body))
			f.heads.Add(1)
			stream, block = stream+2, next
		}
		if len(text) > 0 && write(text) != nil {
			return
		}
		if full = f.body == 0 && due > 0 && open.Load() >= 240; full {
			return
		}
		select {
		case <-over:
			return
		case <-ctx.Done():
			return
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	if d < time.Millisecond {
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
