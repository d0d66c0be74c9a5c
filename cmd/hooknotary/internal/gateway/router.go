package gateway

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

// router finds the route of a path. A path is compared as it was sent, undecoded: one
// that differs by an escape, by a slash or by a dot segment is another path, and no
// route has it. It does not change once it is made.
type router struct{ root node }

// node is what the routes share up to one segment.
type node struct {
	literal map[string]*node
	any     *node // behind a {name}
	route   *route
	names   []string // of the {name} segments on the way to route
}

var (
	literalSegment = regexp.MustCompile(`^[A-Za-z0-9._~-]+$`)
	nameSegment    = regexp.MustCompile(`^\{[A-Za-z_][A-Za-z0-9_]*\}$`)
)

// add makes a route reachable under its pattern.
func (r *router) add(pattern string, to *route) error {
	rest, ok := strings.CutPrefix(pattern, "/")
	if !ok {
		return fmt.Errorf("the path must begin with a slash")
	}
	at := &r.root
	var names []string
	for segment := range strings.SplitSeq(rest, "/") {
		switch {
		case nameSegment.MatchString(segment):
			names = append(names, segment[1:len(segment)-1])
			if at.any == nil {
				at.any = new(node)
			}
			at = at.any
		case literalSegment.MatchString(segment) && segment != "." && segment != "..", rest == "":
			next := at.literal[segment]
			if next == nil {
				next = new(node)
				if at.literal == nil {
					at.literal = make(map[string]*node)
				}
				at.literal[segment] = next
			}
			at = next
		default:
			return fmt.Errorf("the path has a segment that is neither letters, digits and ._~- nor one {name}")
		}
	}
	if at.route != nil {
		return fmt.Errorf("the path is that of another route")
	}
	at.route, at.names = to, names
	return nil
}

// find returns the route of a request, or nil, and notes the values of its {name}
// segments in the request.
func (r *router) find(req *http.Request) *route {
	path, ok := strings.CutPrefix(req.URL.EscapedPath(), "/")
	if !ok || req.URL.Opaque != "" {
		return nil
	}
	var values []string
	at := r.root.find(path, &values)
	if at == nil {
		return nil
	}
	for i, name := range at.names {
		req.SetPathValue(name, values[i])
	}
	return at.route
}

// find looks for the node of a path. A literal segment wins over a {name}.
func (n *node) find(path string, values *[]string) *node {
	segment, rest, more := strings.Cut(path, "/")
	for _, next := range [...]*node{n.literal[segment], n.any} {
		if next == nil {
			continue
		}
		depth := len(*values)
		if next == n.any {
			if !isName(segment) {
				continue
			}
			*values = append(*values, segment)
		}
		if more {
			next = next.find(rest, values)
		}
		if next != nil && next.route != nil {
			return next
		}
		*values = (*values)[:depth]
	}
	return nil
}

const longestName = 64

// isName reports whether s may stand for a {name}: a letter or a digit, then up to 63
// more of them, dots, low lines and hyphens.
func isName(s string) bool {
	if len(s) == 0 || len(s) > longestName {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case i > 0 && (c == '.' || c == '_' || c == '-'):
		default:
			return false
		}
	}
	return true
}
