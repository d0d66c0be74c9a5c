package middleware

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/textproto"
	"os"
	"time"

	"github.com/hooknotary/hooknotary/middleware/adapter"
	"github.com/hooknotary/hooknotary/verify"
)

var (
	errLength    = errors.New("the body is not as long as the Content-Length says: was it read or changed before it reached the guard?")
	errSlow      = errors.New("the body took too long")
	errBudget    = errors.New("the body budget is used up: too many bodies are in flight; if they are genuine, raise Options.BodyBudget")
	errEvicted   = errors.New("the body budget is used up, and this body was the slowest: it was given up for another one")
	errTrailer   = errors.New("what stands behind the last chunk is malformed")
	errInterrupt = errors.New("reading cannot be interrupted")
)

// received is what is known of a body.
type received struct {
	bytes  []byte
	begun  bool  // reading began
	unread bool  // the rest is still to come
	err    error // with which reading ended, if not with the body's end
	hidden bool  // something hides read deadlines

	packed bool   // bytes is what was unpacked
	sent   int64  // then: how many bytes came
	raw    []byte // then, under a guard that only reports: these
}

// size returns how many bytes of the body came.
func (got *received) size() int {
	if got.packed {
		return int(got.sent)
	}
	return len(got.bytes)
}

// readBody reads the body to its end, within the bounds of o, and charges it to r. A
// packed one is unpacked. Whatever the error, it returns what it has read.
func readBody(ctx context.Context, in *adapter.Inbound, o *Options, r *reservation, packed bool) (got received, err error) {
	got.begun, got.packed = true, packed
	if in.Body == nil {
		if in.ContentLength > 0 || packed {
			return got, &verify.Error{Reason: verify.ErrBody, Cause: errLength}
		}
		got.bytes = []byte{}
		return got, nil
	}
	start := time.Now()
	bounded := !o.InsecureReportOnly // else the handler reads as if there were no guard
	var interrupt func() error
	if bounded {
		interrupt, got.hidden = in.Interrupter()
	}
	if interrupt != nil {
		r.interrupt = interrupt
		r.interrupting.Add(1)
		timer := time.AfterFunc(o.BodyTimeout, r.cut)
		defer func() {
			expired := !timer.Stop()
			if !expired {
				r.interrupting.Done()
			}
			// What was interrupted has lost its connection, also if the end of
			// the body came at the same time.
			evicted := r.finish()
			switch {
			case err != nil && reasonOf(err) != verify.ErrBody && !errors.Is(err, errBudget):
			case evicted:
				got.unread, err = true, &verify.Error{Reason: verify.ErrUnavailable, Cause: errEvicted}
			case expired && err == nil:
				got.unread, err = true, &verify.Error{Reason: verify.ErrBody, Cause: errSlow}
			}
		}()
	}
	got.unread = true
	if !r.park(ctx) {
		return got, &verify.Error{Reason: verify.ErrUnavailable, Cause: errBudget}
	}
	if packed {
		err = got.unpackAll(ctx, in, o, r, bounded, start)
	} else {
		err = got.readAll(ctx, in, o, r, bounded, start)
	}
	return got, err
}

// readAll reads the body of a request that is parked.
func (got *received) readAll(ctx context.Context, in *adapter.Inbound, o *Options, r *reservation, bounded bool, start time.Time) error {
	parked := true
	first := min(firstBytes, o.MaxBody+1)
	if in.ContentLength >= 0 {
		first = min(first, in.ContentLength+1) // one more, to see the end
	}
	got.bytes = make([]byte, 0, first)
	for idle := 0; ; {
		if len(got.bytes) == cap(got.bytes) {
			size := cap(got.bytes)
			grown := r.grow(ctx, step(size, in.ContentLength, o.MaxBody), rest(size, in.ContentLength, o.MaxBody))
			if grown == 0 {
				return &verify.Error{Reason: verify.ErrUnavailable, Cause: errBudget}
			}
			got.bytes = append(make([]byte, 0, grown), got.bytes...)
			r.move(true)
			parked = false
		}
		n, err := in.Body.Read(got.bytes[len(got.bytes):cap(got.bytes)])
		if (n > 0 || err != nil) && len(got.bytes) == 0 {
			r.first = time.Now()
		}
		got.bytes = got.bytes[:len(got.bytes)+n]
		size := int64(len(got.bytes))
		r.bytes.Store(size)
		switch {
		case size > o.MaxBody:
			return &verify.Error{Reason: verify.ErrTooLarge}
		case err == io.EOF:
			got.unread = false
			if in.ContentLength >= 0 && size != in.ContentLength {
				return &verify.Error{Reason: verify.ErrBody, Cause: errLength}
			}
			if parked {
				buffer := int64(cap(got.bytes))
				if r.grow(ctx, buffer, buffer) == 0 {
					return &verify.Error{Reason: verify.ErrUnavailable, Cause: errBudget}
				}
				r.move(false)
			}
			return nil
		case err != nil:
			got.err = err
			return bodyError(err)
		case bounded && time.Since(start) > o.BodyTimeout:
			return &verify.Error{Reason: verify.ErrBody, Cause: errSlow}
		case n > 0:
			idle = 0
		default:
			if idle++; idle > 100 {
				got.err = io.ErrNoProgress
				return bodyError(got.err)
			}
		}
	}
}

// rest returns the size of a buffer that holds all that may follow size bytes, and
// the byte in which the end is seen, as long as the body stays small.
func rest(size int, declared, most int64) int64 {
	n := most + 1
	if declared >= int64(size) {
		n = min(n, declared+1)
	}
	if size < smallBody {
		n = min(n, smallBody)
	}
	return n
}

// step returns the size to which a buffer of size bytes grows: twice its size, since
// a length that is declared costs the sender nothing. A large body of which a quarter
// came gets all, so that it is not charged for a copy of a half.
func step(size int, declared, most int64) int64 {
	all := rest(size, declared, most)
	n := min(2*int64(size), all)
	if n == smallBody-1 || size >= smallBody && 4*int64(size) >= all {
		return all // in the first case not another step for the last byte
	}
	return n
}

func bodyError(err error) error {
	var tooLarge *http.MaxBytesError
	var quoting textproto.ProtocolError
	switch {
	case errors.As(err, &tooLarge):
		return &verify.Error{Reason: verify.ErrTooLarge, Cause: err}
	case errors.As(err, &quoting):
		return &verify.Error{Reason: verify.ErrBody, Cause: errTrailer} // err quotes the sender
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &verify.Error{Reason: verify.ErrBody, Cause: errSlow}
	}
	return &verify.Error{Reason: verify.ErrBody, Cause: err}
}
