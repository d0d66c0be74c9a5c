package middleware

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/hooknotary/hooknotary/verify"
)

var (
	errLength    = errors.New("the body is not as long as the Content-Length says: was it read or changed before it reached the guard?")
	errSlow      = errors.New("the body took too long")
	errBudget    = errors.New("the body budget is used up: too many bodies are in flight; if they are genuine, raise Options.BodyBudget")
	errEvicted   = errors.New("the body budget is used up, and this body was the slowest: it was given up for another one")
	errInterrupt = errors.New("reading cannot be interrupted")
)

// readBody reads the body to its end. Whatever the error, it returns what it has
// read, and whether the rest is still to come.
func readBody(ctx context.Context, in *Inbound, o *Options, r *reservation) (body []byte, unread bool, err error) {
	if in.Body == nil {
		if in.ContentLength > 0 {
			return nil, false, &verify.Error{Reason: verify.ErrBody, Cause: errLength}
		}
		return []byte{}, false, nil
	}
	start := time.Now()
	bounded := !o.InsecureReportOnly // else the handler reads as if there were no guard
	if bounded {
		in.findReadDeadline()
	}
	if bounded && in.SetReadDeadline != nil {
		r.interrupt = in.interrupt
		r.interrupting.Add(1)
		timer := time.AfterFunc(o.BodyTimeout, r.cut)
		defer func() {
			late := !timer.Stop()
			if !late {
				r.interrupting.Done()
			}
			// What was interrupted has lost its connection, also if the end of
			// the body came at the same time.
			evicted := r.finish()
			switch {
			case err != nil && reasonOf(err) != verify.ErrBody && !errors.Is(err, errBudget):
			case evicted:
				unread, err = true, &verify.Error{Reason: verify.ErrUnavailable, Cause: errEvicted}
			case late && err == nil:
				unread, err = true, &verify.Error{Reason: verify.ErrBody, Cause: errSlow}
			}
		}()
	}
	if !r.park(ctx) {
		return nil, true, &verify.Error{Reason: verify.ErrUnavailable, Cause: errBudget}
	}
	parked := true
	first := min(firstBytes, o.MaxBody+1)
	if in.ContentLength >= 0 {
		first = min(first, in.ContentLength+1) // one more, to see the end
	}
	body = make([]byte, 0, first)
	for idle := 0; ; {
		if len(body) == cap(body) {
			size := r.grow(ctx, step(cap(body), in.ContentLength, o.MaxBody), rest(cap(body), in.ContentLength, o.MaxBody))
			if size == 0 {
				return body, true, &verify.Error{Reason: verify.ErrUnavailable, Cause: errBudget}
			}
			body = append(make([]byte, 0, size), body...)
			r.move(true)
			parked = false
		}
		n, err := in.Body.Read(body[len(body):cap(body)])
		if (n > 0 || err != nil) && len(body) == 0 {
			r.first = time.Now()
		}
		body = body[:len(body)+n]
		r.bytes.Store(int64(len(body)))
		switch {
		case int64(len(body)) > o.MaxBody:
			return body, true, &verify.Error{Reason: verify.ErrTooLarge}
		case err == io.EOF:
			if in.ContentLength >= 0 && int64(len(body)) != in.ContentLength {
				return body, false, &verify.Error{Reason: verify.ErrBody, Cause: errLength}
			}
			if parked {
				if r.grow(ctx, int64(cap(body)), int64(cap(body))) == 0 {
					return body, false, &verify.Error{Reason: verify.ErrUnavailable, Cause: errBudget}
				}
				r.move(false)
			}
			return body, false, nil
		case err != nil:
			in.readErr = err
			return body, true, bodyError(err)
		case bounded && time.Since(start) > o.BodyTimeout:
			return body, true, &verify.Error{Reason: verify.ErrBody, Cause: errSlow}
		case n > 0:
			idle = 0
		default:
			if idle++; idle > 100 {
				in.readErr = io.ErrNoProgress
				return body, true, bodyError(in.readErr)
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
	switch {
	case errors.As(err, &tooLarge):
		return &verify.Error{Reason: verify.ErrTooLarge, Cause: err}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &verify.Error{Reason: verify.ErrBody, Cause: errSlow}
	}
	return &verify.Error{Reason: verify.ErrBody, Cause: err}
}
