package forward

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// upstream is where the receiver listens, and what it is asked for.
type upstream struct {
	tls              bool
	network, address string // to dial
	hostname         string // that its certificate must have
	host             string // of the Host header

	// The request's target is before, the value of the path's wildcard name, and after.
	// Where name is empty, it is before alone.
	before, name, after string
}

var errUpstream = errors.New(`upstream must be as in "http://host:port/path", "https://host/path" or "unix:/path/to.sock:/path"`)

// parseUpstream reads a URL. No error holds a piece of it: it may have a secret in it.
func parseUpstream(text string) (up upstream, err error) {
	if strings.ContainsAny(text, "?#") {
		return up, errors.New("upstream has a query or a fragment; leave them away")
	}
	target := ""
	if rest, ok := strings.CutPrefix(text, "unix:"); ok {
		socket, path, _ := strings.Cut(rest, ":")
		if !strings.HasPrefix(socket, "/") || strings.HasPrefix(socket, "//") || strings.ContainsFunc(socket, func(r rune) bool { return r < ' ' || r == '{' || r == '}' }) {
			return up, errUpstream
		}
		up.network, up.address, up.host, target = "unix", socket, "localhost", path
		text = "http://localhost" + path
	} else {
		_, rest, ok := strings.Cut(text, "://")
		if !ok {
			return up, errUpstream
		}
		if i := strings.IndexByte(rest, '/'); i >= 0 {
			target = rest[i:]
		}
	}
	if up.before, up.name, up.after, err = cutWildcard(target); err != nil {
		return up, err
	}
	plain := up.before + up.after // without braces, which no URL has
	if up.name != "" {
		plain = up.before + "x" + up.after
	}
	u, err := url.Parse(strings.TrimSuffix(text, target) + plain)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "" || u.Opaque != "":
		return up, errUpstream
	case u.User != nil:
		return up, errors.New("upstream has a user; put the receiver's own token into Options.Header")
	case u.EscapedPath() != plain || strings.ContainsFunc(plain, func(r rune) bool { return r <= ' ' || r > '~' }):
		return up, errors.New("upstream has a path with a character that must be written as %XX")
	}
	for segment := range strings.SplitSeq(u.Path, "/") {
		if segment == "." || segment == ".." {
			return up, errors.New("upstream has a path with a segment . or ..; write the path that is meant")
		}
	}
	if up.before == "" {
		up.before = "/"
	}
	if up.network == "unix" {
		return up, nil
	}
	port := u.Port()
	if n, err := strconv.ParseUint(port, 10, 16); port != "" && (err != nil || n == 0) {
		return up, errUpstream
	}
	switch u.Scheme {
	case "http":
		setDefault(&port, "80")
	case "https":
		setDefault(&port, "443")
		up.tls = true
	default:
		return up, errUpstream
	}
	if strings.ContainsFunc(u.Host, func(r rune) bool { return r <= ' ' || r > '~' || r == '%' }) {
		return up, errors.New("upstream has a host that is not ASCII; write it in its ASCII form, xn--…")
	}
	up.network, up.hostname, up.host = "tcp", u.Hostname(), u.Host
	up.address = net.JoinHostPort(up.hostname, port)
	return up, nil
}

// cutWildcard cuts a path around its wildcard: one whole segment, "{name}".
func cutWildcard(path string) (before, name, after string, err error) {
	before, rest, ok := strings.Cut(path, "{")
	if !ok {
		if strings.Contains(path, "}") {
			err = errWildcard
		}
		return path, "", "", err
	}
	name, after, ok = strings.Cut(rest, "}")
	switch {
	case !ok, !isIdentifier(name), strings.ContainsAny(after, "{}"),
		!strings.HasSuffix(before, "/"), after != "" && !strings.HasPrefix(after, "/"):
		return "", "", "", errWildcard
	}
	return before, name, after, nil
}

var errWildcard = errors.New(`upstream has braces; want one at most, around the name of a wildcard of the route, as a whole segment: "/hooks/{tenant}/in"`)

func isIdentifier(s string) bool {
	for i, r := range s {
		if r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != ""
}

// target returns the request's target, and reports whether the wildcard's value may stand
// in it.
func (up *upstream) target(r *http.Request) (string, bool) {
	if up.name == "" {
		return up.before, true
	}
	value := r.PathValue(up.name)
	if !fits(value) {
		return "", false
	}
	return up.before + value + up.after, true
}

// fits reports whether a value may stand in a path: it is 1 to 64 letters, digits and
// "._-", the first of them a letter or a digit. So it is never "..", and needs no escape.
func fits(value string) bool {
	for i, r := range value {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		case i > 0 && (r == '.' || r == '_' || r == '-'):
		default:
			return false
		}
	}
	return value != "" && len(value) <= 64
}
