package verify

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

var errRepeatedType = errors.New("the Content-Type is repeated")

// Check refuses a request that is wrong whatever its signature is, before anybody reads
// its body: another method than POST, another media type than p's, a
// Content-Encoding other than the gzip that p.Compression allows, and a body that is
// announced to be larger than p.MaxBody. A contentLength of -1 announces nothing; whoever
// reads the body counts it then.
//
// The error is a *Error whose reason is ErrMethod, ErrMediaType or ErrTooLarge, or
// ErrMalformed where there is no head.
func (p Profile) Check(h *Head, contentLength int64) error {
	if h == nil {
		return zeroHead()
	}
	if h.Method != http.MethodPost {
		return &Error{Reason: ErrMethod}
	}
	if v := h.Header["Content-Type"]; len(v) > 1 {
		return &Error{Reason: ErrMediaType, Cause: errRepeatedType}
	} else if len(v) == 1 {
		want := p.MediaType
		if want == "" {
			want = "application/json"
		}
		mediaType, _, _ := strings.Cut(v[0], ";")
		if !strings.EqualFold(strings.TrimSpace(mediaType), want) {
			return &Error{Reason: ErrMediaType, Cause: &mediaTypeError{v[0], want}}
		}
	}
	if v := h.Header["Content-Encoding"]; len(v) > 1 || len(v) == 1 && v[0] != "" && !strings.EqualFold(v[0], "identity") {
		if p.Compression == 0 {
			return &Error{Reason: ErrMediaType, Cause: encodingError(v[0])}
		}
		if len(v) > 1 || !strings.EqualFold(v[0], "gzip") {
			return &Error{Reason: ErrMediaType, Cause: gzipError(v[0])}
		}
	}
	if contentLength > p.MaxBody {
		return &Error{Reason: ErrTooLarge, Cause: &lengthError{contentLength, p.MaxBody}}
	}
	return nil
}

// Anyone can cause these errors, so they are put into words only when somebody reads
// them.

type mediaTypeError struct{ got, want string }

func (e *mediaTypeError) Error() string {
	return fmt.Sprintf("the Content-Type is %.100q, and the endpoint takes %s alone; does the provider's setting match the verifier's?", e.got, e.want)
}

type encodingError string

func (e encodingError) Error() string {
	return fmt.Sprintf("the Content-Encoding is %.100q: the signature is over the bytes before it was added", string(e))
}

type gzipError string

func (e gzipError) Error() string {
	return fmt.Sprintf("the Content-Encoding is %.100q, and the endpoint takes one gzip or none", string(e))
}

type lengthError struct{ got, most int64 }

func (e *lengthError) Error() string {
	return fmt.Sprintf("the body has %d bytes, and the limit is %d", e.got, e.most)
}
