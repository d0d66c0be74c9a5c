package verify

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
)

// maxRatio is how many bytes one compressed byte may become. JSON comes to 5 or 20; gzip
// itself can reach 1032.
const maxRatio = 100

var (
	errNoGzip   = errors.New("the body is not what its Content-Encoding says: it does not start as gzip does, or has an extra field")
	errCut      = errors.New("the compressed body is cut off")
	errTrailing = errors.New("something follows the compressed body")
	errRatio    = errors.New("the compressed body unpacks to more than 100 times its size")
	errUnpacked = errors.New("the compressed body unpacks to more than the limit")
)

// Packed reports whether a body with this head comes in gzip, and is to be unpacked before
// it is verified.
func (p Profile) Packed(h *Head) bool {
	if p.Compression != GzipUnpacked || h == nil {
		return false
	}
	v := h.Header["Content-Encoding"]
	return len(v) == 1 && strings.EqualFold(v[0], "gzip")
}

// Unpack returns the bytes of a body that are signed: body itself, or what it holds where
// Packed says so, up to p.MaxBody bytes. A guard does this while it reads; call it in front
// of Verify where a body is at hand as it was sent: in a queue, a Lambda function, a
// capture. Check comes first.
//
// The error is a *Error whose reason is ErrBody or ErrTooLarge.
func (p Profile) Unpack(h *Head, body []byte) ([]byte, error) {
	if !p.Packed(h) {
		return body, nil
	}
	unpacked, err := io.ReadAll(io.LimitReader(NewUnpacker(bytes.NewReader(body)), p.MaxBody+1))
	switch {
	case int64(len(unpacked)) > p.MaxBody:
		return nil, &Error{Reason: ErrTooLarge, Cause: errUnpacked}
	case err != nil:
		return nil, err
	}
	return unpacked, nil
}

// NewUnpacker returns a reader of what one layer of gzip holds. It is strict where
// package gzip is lenient: there is one member, nothing follows it, it has no extra field,
// and it unpacks to at most 100 times the bytes that were read for it, at any moment. It
// bounds no size: whoever reads from it counts.
//
// An error is a *Error whose reason is ErrBody or ErrTooLarge, or that of r. A reader that
// was begun takes about 45 KiB.
func NewUnpacker(r io.Reader) io.Reader {
	u := &unpacker{}
	u.from.r = r
	return u
}

type unpacker struct {
	from     source
	buffered *bufio.Reader
	gzip     *gzip.Reader
	out      int64
	err      error
}

// source counts, and keeps the error of a reader apart from those of package gzip.
type source struct {
	r   io.Reader
	n   int64
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.n += int64(n)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

func (u *unpacker) Read(p []byte) (int, error) {
	if u.err != nil || len(p) == 0 {
		return 0, u.err
	}
	n, err := u.read(p)
	u.err = err
	return n, err
}

func (u *unpacker) read(p []byte) (int, error) {
	if u.gzip == nil {
		if err := u.begin(); err != nil {
			return 0, u.problem(err)
		}
	}
	n, err := u.gzip.Read(p)
	u.out += int64(n)
	if u.out > maxRatio*(u.from.n-int64(u.buffered.Buffered())) {
		return 0, &Error{Reason: ErrTooLarge, Cause: errRatio}
	}
	if err == io.EOF {
		switch _, err := u.buffered.ReadByte(); {
		case err == nil:
			return n, &Error{Reason: ErrBody, Cause: errTrailing}
		case err != io.EOF:
			return n, u.problem(err)
		}
		return n, io.EOF
	}
	if err != nil {
		err = u.problem(err)
	}
	return n, err
}

func (u *unpacker) begin() error {
	const extra = 1 << 2 // the flag of a field for which package gzip makes up to 64 KiB
	u.buffered = bufio.NewReaderSize(&u.from, 1<<10)
	head, err := u.buffered.Peek(4)
	switch {
	case u.from.err != nil:
		return err
	case err == nil && head[3]&extra != 0:
		return gzip.ErrHeader
	}
	if u.gzip, err = gzip.NewReader(u.buffered); err != nil {
		return err
	}
	u.gzip.Multistream(false)
	return nil
}

// problem says what an error of package gzip means.
func (u *unpacker) problem(err error) error {
	switch {
	case u.from.err != nil:
		return u.from.err
	case errors.Is(err, gzip.ErrHeader):
		err = errNoGzip
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		err = errCut
	}
	return &Error{Reason: ErrBody, Cause: err}
}
