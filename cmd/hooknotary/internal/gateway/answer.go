package gateway

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// answer returns a handler with a response of the gateway itself: fixed bytes, in the form
// of the guard's. Where a body is announced, which nobody reads, it ends the connection.
func answer(status int) http.Handler {
	body := fmt.Appendf(nil, `{"type":"about:blank","title":%q,"status":%d}`, http.StatusText(status), status)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "application/problem+json")
		h.Set("Content-Length", strconv.Itoa(len(body)))
		if r.ContentLength != 0 && r.ProtoMajor == 1 {
			h.Set("Connection", "close")
		}
		w.WriteHeader(status)
		w.Write(body)
	})
}

// onlyHosts lets only requests for these hosts, in lower case, through to next. A port and
// a dot at the end do not count.
func onlyHosts(hosts []string, next http.Handler) http.Handler {
	misdirected := answer(http.StatusMisdirectedRequest)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		} else if name, ok := strings.CutPrefix(host, "["); ok { // an address of IPv6 without a port
			host = strings.TrimSuffix(name, "]")
		}
		if slices.Contains(hosts, strings.ToLower(strings.TrimSuffix(host, "."))) {
			next.ServeHTTP(w, r)
			return
		}
		misdirected.ServeHTTP(w, r)
	})
}
