package capture

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxElements is how many elements an array that is read may have, and members an
// object.
const maxElements = 10000

// parseJSON reads the formats that are JSON. Which one it is, the names of the outermost
// members say, and those in "request" and "requestContext".
func parseJSON(text []byte) ([]*Capture, error) {
	if err := json.Unmarshal(text, new(ignored)); err != nil {
		return nil, invalid(text, err)
	}
	has, err := namesOf(newDocument(text), "")
	if err != nil {
		return nil, err
	}
	d := newDocument(text)
	switch {
	case has["log"]:
		return parseHAR(d)
	case has["request.raw"]:
		return one(parseNgrok(d))
	case has["requests.request"]:
		return all(d, "requests", parseNgrok)
	case has["request"] && (has["delivered_at"] || has["request.headers"] || has["request.payload"]):
		return one(parseDelivery(d))
	case has["requestContext"] && (has["headers"] || has["multiValueHeaders"]):
		return one(parseLambda(d))
	case has["content"] && has["headers"] && has["method"]:
		return one(parseWebhookSite(d))
	case has["data.method"] && has["data.headers"]:
		return all(d, "data", parseWebhookSite)
	}
	return nil, d.errorf("this JSON is no capture: want a HAR, one delivery of GitHub's REST API, a request of ngrok or of webhook.site, or the event of a Lambda function; a body alone wants the head of its request before it")
}

func newDocument(text []byte) *document {
	return &document{text: text, dec: json.NewDecoder(bytes.NewReader(text))}
}

// namesOf returns which of the members are there that tell the formats apart. A member of
// the members of an object, or of the first element of an array, has both names.
func namesOf(d *document, within string) (map[string]bool, error) {
	has := make(map[string]bool)
	err := d.each(maxElements, func(name string) error {
		inner, err := d.part()
		switch {
		case err != nil:
			return err
		case within != "":
			has[within+"."+name] = true
			return nil
		}
		first := d.text[inner.at]
		switch name {
		case "requests", "data":
			if first != '[' { // an event's
				return nil
			}
			inner.dec.Token()
			if !inner.dec.More() {
				return nil
			}
			if inner, err = inner.part(); err != nil {
				return err
			}
			if d.text[inner.at] != '{' {
				return nil
			}
			more, err := namesOf(inner, name)
			maps.Copy(has, more)
			return err
		case "request":
			if has[name] = true; first != '{' {
				return nil
			}
			more, err := namesOf(inner, name)
			maps.Copy(has, more)
			return err
		case "log", "delivered_at", "requestContext", "headers", "multiValueHeaders", "content", "method":
			has[name] = true
		}
		return nil
	})
	return has, err
}

func one(c *Capture, err error) ([]*Capture, error) {
	if err != nil {
		return nil, err
	}
	return []*Capture{c}, nil
}

// all reads an array of requests, the member of that name.
func all(d *document, name string, read func(*document) (*Capture, error)) ([]*Capture, error) {
	var captures []*Capture
	err := d.object(members{{name, func() error {
		return d.array(maxElements, func() error {
			inner, err := d.part()
			if err != nil {
				return err
			}
			c, err := read(inner)
			if err != nil {
				return err
			}
			captures = append(captures, c)
			return nil
		})
	}}})
	switch {
	case err != nil:
		return nil, err
	case len(captures) == 0:
		return nil, d.errorf("want a request in %s", name)
	}
	return captures, nil
}

// fields reads an object of header fields, each with one value or, if several, with a
// list of them.
func (d *document) fields(c *Capture, several bool) func() error {
	return func() error {
		if c.Header == nil {
			c.Header = make(http.Header)
		}
		return d.each(maxFields, func(name string) error {
			one := func() error {
				var value *string
				if err := d.value(&value, "strings")(); err != nil {
					return err
				}
				if value == nil {
					return d.errorf("want strings")
				}
				return d.field(c, name, *value)
			}
			if several {
				return d.array(maxFields, one)
			}
			return one()
		})
	}
}

// invalid says where a text stops to be JSON. It quotes nothing of it.
func invalid(text []byte, err error) error {
	var line int
	if e := (*json.SyntaxError)(nil); errors.As(err, &e) {
		line = lineAt(text, max(0, e.Offset-1)) // the offset is behind the byte that is wrong
	}
	switch {
	case strings.Contains(err.Error(), "max depth"):
		return syntax(line, "the JSON is nested too deeply: want one of the formats that are JSON, such as a HAR")
	case strings.Contains(err.Error(), "unexpected end"):
		return syntax(line, "the JSON ends too early: is the file cut off?")
	}
	return syntax(line, "this is no JSON: want one of the formats that are JSON, such as a HAR, or a request line before a body")
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
	base int64    // where in the text the decoder began
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
		d.at = d.base + d.dec.InputOffset()
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

// part skips the next value and returns a document for it alone.
func (d *document) part() (*document, error) {
	start := d.base + d.dec.InputOffset()
	if err := d.skip(); err != nil {
		return nil, err
	}
	end := d.base + d.dec.InputOffset()
	for start < end && strings.IndexByte(" \t\r\n,:", d.text[start]) >= 0 {
		start++
	}
	return &document{
		text: d.text, dec: json.NewDecoder(bytes.NewReader(d.text[start:end])), base: start, path: slices.Clone(d.path), at: start,
	}, nil
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
	return d.located(c, urlName, address)
}

// moment gives c a time that is a number of milliseconds. Zero is none.
func (d *document) moment(c *Capture, name string, millis int64) error {
	if millis == 0 {
		return nil
	}
	at := time.UnixMilli(millis).UTC()
	if millis < 0 || !isYear(at) {
		return d.errorf("want milliseconds since 1970 in %s", name)
	}
	c.ReceivedAt = at
	return nil
}

// located gives c its URL, and completes it.
func (d *document) located(c *Capture, urlName, address string) (*Capture, error) {
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
