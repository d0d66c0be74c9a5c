package middleware

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"

	"github.com/hooknotary/hooknotary/middleware/adapter"
	"github.com/hooknotary/hooknotary/verify"
)

// unpackAll reads the body of a request that is parked, and unpacks it as it comes.
// MaxBody bounds what came as well as what was unpacked of it.
func (got *received) unpackAll(ctx context.Context, in *adapter.Inbound, o *Options, r *reservation, bounded bool, start time.Time) error {
	p := &packed{got: got, in: in, o: o, r: r, bounded: bounded, start: start}
	// Nothing is unpacked of what costs no budget.
	first := make([]byte, 0, firstBytes)
	for ended := false; !ended && len(first) < firstBytes; {
		n, err := p.Read(first[len(first):cap(first)])
		first = first[:len(first)+n]
		if err != nil && err != io.EOF {
			return err
		}
		ended = err == io.EOF
	}
	size := r.grow(ctx, min(firstBytes, o.MaxBody+1), rest(0, -1, o.MaxBody))
	if size == 0 {
		return &verify.Error{Reason: verify.ErrUnavailable, Cause: errBudget}
	}
	got.bytes = make([]byte, 0, size)
	r.move(got.unread)
	unpacker := verify.NewUnpacker(io.MultiReader(bytes.NewReader(first), p))
	for {
		if len(got.bytes) == cap(got.bytes) {
			size := cap(got.bytes)
			grown := r.grow(ctx, step(size, -1, o.MaxBody), rest(size, -1, o.MaxBody))
			if grown == 0 {
				return &verify.Error{Reason: verify.ErrUnavailable, Cause: errBudget}
			}
			got.bytes = append(make([]byte, 0, grown), got.bytes...)
			r.move(got.unread)
		}
		n, err := unpacker.Read(got.bytes[len(got.bytes):cap(got.bytes)])
		got.bytes = got.bytes[:len(got.bytes)+n]
		switch {
		case int64(len(got.bytes)) > o.MaxBody:
			return &verify.Error{Reason: verify.ErrTooLarge}
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}

// packed reads what comes of a body that is unpacked. Its errors are *verify.Error.
type packed struct {
	got     *received
	in      *adapter.Inbound
	o       *Options
	r       *reservation
	bounded bool
	start   time.Time
	ended   bool
	idle    int
}

var errPackedSize = errors.New("the compressed body alone is larger than the limit")

func (p *packed) Read(b []byte) (int, error) {
	if p.ended {
		return 0, io.EOF
	}
	n, err := p.in.Body.Read(b)
	if (n > 0 || err != nil) && p.got.sent == 0 {
		p.r.first = time.Now()
	}
	p.got.sent += int64(n)
	p.r.bytes.Store(p.got.sent)
	if p.o.InsecureReportOnly {
		p.got.raw = append(p.got.raw, b[:n]...)
	}
	switch {
	case p.got.sent > p.o.MaxBody:
		return n, &verify.Error{Reason: verify.ErrTooLarge, Cause: errPackedSize}
	case err == io.EOF:
		p.ended, p.got.unread = true, false
		if p.in.ContentLength >= 0 && p.got.sent != p.in.ContentLength {
			return n, &verify.Error{Reason: verify.ErrBody, Cause: errLength}
		}
		return n, io.EOF
	case err != nil:
		p.got.err = err
		return n, bodyError(err)
	case p.bounded && time.Since(p.start) > p.o.BodyTimeout:
		return n, &verify.Error{Reason: verify.ErrBody, Cause: errSlow}
	case n > 0:
		p.idle = 0
	default:
		if p.idle++; p.idle > 100 {
			p.got.err = io.ErrNoProgress
			return n, bodyError(p.got.err)
		}
	}
	return n, nil
}
