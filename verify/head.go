package verify

import (
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// Head is what a verifier sees of a request before its body.
//
// Only ReceivedAt and Header are needed by every scheme. A verifier reads a
// Head during Begin and Finish and does not keep or change it.
type Head struct {
	// URL is the request's URL. Where a scheme signs the URL it must be the
	// public one, as the provider knows it; behind a proxy that is a matter of
	// configuration and never of a forwarded header. A KeySource may choose a
	// tenant by its path. Nil for schemes and key sources that need none.
	URL *url.URL

	// Method is the request's method, for schemes that sign it.
	Method string

	// Header holds the request's header fields under their canonical names, as
	// net/http makes them. A field under another spelling is not found. HeaderOf
	// makes one from a plain map.
	Header http.Header

	// ReceivedAt is when the request arrived: the only clock that a verifier
	// sees. The zero time is refused.
	ReceivedAt time.Time
}

// HeaderOf makes an http.Header from a map with one value a name, in any
// spelling, as API gateways and queues hand it over. It refuses a map that
// holds one name in two spellings, because nobody can tell which of them the
// signature was made for; the error is ErrMalformed.
func HeaderOf(fields map[string]string) (http.Header, error) {
	h := make(http.Header, len(fields))
	for name, value := range fields {
		name = http.CanonicalHeaderKey(name)
		if _, ok := h[name]; ok {
			return nil, &Error{Reason: ErrMalformed, Cause: fmt.Errorf("header %q stands in two spellings", name)}
		}
		h[name] = []string{value}
	}
	return h, nil
}
