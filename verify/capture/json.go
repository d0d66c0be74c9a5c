package capture

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// maxElements is how many elements an array that is read may have, and members an
// object.
const maxElements = 10000

// parseJSON reads a HAR or a delivery of GitHub's API.
func parseJSON(text []byte) ([]*Capture, error) {
	if err := json.Unmarshal(text, new(ignored)); err != nil {
		return nil, invalid(text, err)
	}
	d := &document{text: text, dec: json.NewDecoder(bytes.NewReader(text))}
	var h har
	var g delivery
	err := d.object(members{
		{"log", func() error { return h.log(d) }},
		{"delivered_at", d.string(&g.at)},
		{"url", d.string(&g.url)},
		{"request", func() error { return g.request(d) }},
	})
	switch {
	case err != nil:
		return nil, err
	case h.found && len(h.captures) == 0:
		return nil, d.errorf("want a request in log.entries that is a POST or has a body")
	case h.found:
		return h.captures, nil
	case g.found:
		c, err := g.capture(d)
		if err != nil {
			return nil, err
		}
		return []*Capture{c}, nil
	}
	return nil, d.errorf("this JSON is no capture: want a HAR, with \"log\", or one delivery of GitHub's REST API, with \"request\"; a body alone wants the head of its request before it")
}

// invalid says where a text stops to be JSON. It quotes nothing of it.
func invalid(text []byte, err error) error {
	var line int
	if e := (*json.SyntaxError)(nil); errors.As(err, &e) {
		line = lineAt(text, max(0, e.Offset-1)) // the offset is behind the byte that is wrong
	}
	switch {
	case strings.Contains(err.Error(), "max depth"):
		return syntax(line, "the JSON is nested too deeply: want a HAR or a delivery of GitHub's REST API")
	case strings.Contains(err.Error(), "unexpected end"):
		return syntax(line, "the JSON ends too early: is the file cut off?")
	}
	return syntax(line, "this is no JSON: want a HAR or a delivery of GitHub's REST API, or a request line before a body")
}

func lineAt(text []byte, offset int64) int {
	return 1 + bytes.Count(text[:offset], []byte("\n"))
}

// ignored is a value of any type.
type ignored struct{}

// UnmarshalJSON keeps nothing.
func (*ignored) UnmarshalJSON([]byte) error { return nil }

// document reads valid JSON member by member. So it knows where it is, and what it keeps
// is bounded, whatever the file holds. Null counts as absent.
type document struct {
	text []byte
	dec  *json.Decoder
	path []string // of the value that is being read
	at   int64    // where it is, or little before
}

// members are the members of an object that matter.
type members []struct {
	name string
	read func() error
}

// object reads an object. What is not among the members does not matter.
func (d *document) object(m members) error {
	var seen uint
	return d.each(maxElements, func(name string) error {
		for i := range m {
			switch {
			case m[i].name != name:
				continue
			case seen&(1<<i) != 0:
				return d.errorf("want %q once", name)
			}
			seen |= 1 << i
			return d.within(name, m[i].read)
		}
		return d.skip()
	})
}

// each reads an object of at most max members.
func (d *document) each(max int, read func(name string) error) error {
	return d.open('{', "an object", max, func(int) error {
		name, _ := d.dec.Token()
		return read(name.(string))
	})
}

// array reads an array of at most max elements.
func (d *document) array(max int, read func() error) error {
	return d.open('[', "an array", max, func(i int) error { return d.within(strconv.Itoa(i), read) })
}

// open reads an object or an array.
func (d *document) open(delim json.Delim, want string, max int, read func(i int) error) error {
	start := d.at
	switch token, _ := d.dec.Token(); {
	case token == nil:
		return nil
	case token != delim:
		return d.errorf("want %s", want)
	}
	for i := 0; d.dec.More(); i++ {
		d.at = d.dec.InputOffset()
		if i == max {
			return d.errorf("want at most %d of them", max)
		}
		if err := read(i); err != nil {
			return err
		}
	}
	d.dec.Token()
	d.at = start
	return nil
}

// within reads a part of the value that is being read.
func (d *document) within(name string, read func() error) error {
	d.path = append(d.path, name)
	err := read()
	if err == nil {
		d.path = d.path[:len(d.path)-1]
	}
	return err
}

func (d *document) skip() error { return d.dec.Decode(new(ignored)) }

func (d *document) string(p *string) func() error { return d.value(p, "a string") }

// value decodes a value into p, which stays as it is for null.
func (d *document) value(p any, want string) func() error {
	return func() error {
		if d.dec.Decode(p) != nil {
			return d.errorf("want %s", want)
		}
		return nil
	}
}

// errorf returns an error about the value that is being read.
func (d *document) errorf(format string, args ...any) error {
	for d.at < int64(len(d.text)) && strings.IndexByte(" \t\r\n,:", d.text[d.at]) >= 0 {
		d.at++
	}
	text := fmt.Sprintf(format, args...)
	if len(d.path) > 0 {
		text = strings.Join(d.path, ".") + ": " + text
	}
	return syntax(lineAt(d.text, d.at), "%s", text)
}

// complete gives c the time and the URL that the members of those names have. An empty
// URL is none. It refuses what could not be written.
func (d *document) complete(c *Capture, timeName, at, urlName, address string) (*Capture, error) {
	var err error
	if c.ReceivedAt, err = instant(at); err != nil {
		return nil, d.errorf("want a time such as 2026-03-01T09:30:12Z in %s", timeName)
	}
	if address != "" {
		u, err := url.Parse(address)
		if err == nil {
			c.URL, _, err = canonical(u)
		}
		if err != nil || u.Scheme == "" {
			return nil, d.errorf("want an absolute URL in %s", urlName)
		}
	}
	c.Header.Del("Transfer-Encoding") // the body is none of chunks any more
	if _, err := c.appendHead(nil); err != nil {
		return nil, d.errorf("%v", err)
	}
	return c, nil
}

// field adds a header field as HAR and GitHub name it. HTTP/2 has pseudo-fields.
func (d *document) field(c *Capture, name, value string) error {
	value = strings.Trim(value, " \t")
	switch name = http.CanonicalHeaderKey(name); {
	case name == "Host", strings.EqualFold(name, ":authority"):
		if c.Host != "" && c.Host != value {
			return d.errorf("want one host")
		}
		c.Host = value
	case strings.HasPrefix(name, ":"):
	case !isToken(name):
		return d.errorf("want the name of a header field")
	case !isValue(value):
		return d.errorf("want no control characters in a header field")
	default:
		c.Header[name] = append(c.Header[name], value)
	}
	return nil
}
