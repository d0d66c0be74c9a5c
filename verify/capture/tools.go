package capture

import (
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

// What tunnels, inspectors and clouds keep of a request.

// parseNgrok reads a request as ngrok's inspector has it, GET /api/requests/http/{id}. It
// holds the bytes of the whole request.
func parseNgrok(d *document) (*Capture, error) {
	var start, raw string
	err := d.object(members{
		{"start", d.string(&start)},
		{"request", func() error { return d.object(members{{"raw", d.string(&raw)}}) }},
	})
	if err != nil {
		return nil, err
	}
	text, err := base64.StdEncoding.Strict().DecodeString(raw)
	if err != nil || raw == "" {
		return nil, d.errorf("want request.raw, the request in base64")
	}
	at, err := instant(start)
	if err != nil {
		return nil, d.errorf("want a time such as 2026-03-01T09:30:12Z in start")
	}
	p := &parser{rest: text, left: maxHead}
	if err := p.request(); err != nil {
		var e *SyntaxError
		errors.As(err, &e)
		return nil, d.errorf("request.raw: %s", e.Text)
	}
	p.capture.ReceivedAt = at
	return &p.capture, nil
}

// parseWebhookSite reads a request as webhook.site exports it.
func parseWebhookSite(d *document) (*Capture, error) {
	var c Capture
	var content, created, address string
	err := d.object(members{
		{"method", d.string(&c.Method)},
		{"url", d.string(&address)},
		{"headers", d.fields(&c, true)},
		{"content", d.string(&content)},
		{"created_at", d.string(&created)},
	})
	switch {
	case err != nil:
		return nil, err
	case c.Method == "" || c.Header == nil:
		return nil, d.errorf("want a method and headers")
	}
	if c.ReceivedAt, err = time.Parse(time.DateTime, created); err != nil || c.ReceivedAt.IsZero() { // in UTC
		return nil, d.errorf("want a time such as 2026-03-01 09:30:12 in created_at")
	}
	c.Body = []byte(content)
	c.Inexact = inexactText(&c, content, "webhook.site")
	return d.located(&c, "url", address)
}

// parseLambda reads the event that a Lambda function gets: of an API Gateway, in both
// versions, of a function URL, or of a load balancer.
func parseLambda(d *document) (*Capture, error) {
	var (
		single, several           Capture
		method, path, query, body string
		encoded                   bool
		epoch, requestEpoch       int64
	)
	err := d.object(members{
		{"httpMethod", d.string(&method)},
		{"path", d.string(&path)},
		{"rawPath", d.string(&path)},
		{"rawQueryString", d.string(&query)},
		{"headers", d.fields(&single, false)},
		{"multiValueHeaders", d.fields(&several, true)},
		{"body", d.string(&body)},
		{"isBase64Encoded", d.value(&encoded, "true or false")},
		{"requestContext", func() error {
			return d.object(members{
				{"http", func() error { return d.object(members{{"method", d.string(&method)}}) }},
				{"timeEpoch", d.value(&epoch, "a whole number")},
				{"requestTimeEpoch", d.value(&requestEpoch, "a whole number")},
			})
		}},
	})
	if err != nil {
		return nil, err
	}
	c := several // which has all values of a name
	if len(c.Header) == 0 {
		c = single
	}
	switch {
	case method == "":
		return nil, d.errorf("want a method, in httpMethod or requestContext.http.method")
	case len(c.Header) == 0:
		return nil, d.errorf("want headers, or multiValueHeaders")
	}
	c.Method = method
	if err := d.moment(&c, "requestContext", max(epoch, requestEpoch)); err != nil {
		return nil, err
	}
	if encoded {
		if c.Body, err = base64.StdEncoding.Strict().DecodeString(body); err != nil {
			return nil, d.errorf("want the body in base64, as isBase64Encoded says")
		}
		body = ""
	} else {
		c.Body = []byte(body)
	}
	c.Inexact = inexactText(&c, body, "the event")
	if query != "" {
		path += "?" + query
	}
	if path != "" {
		u, err := url.ParseRequestURI(path)
		if err == nil {
			c.URL, _, err = canonical(u)
		}
		if err != nil {
			return nil, d.errorf("want a path")
		}
	}
	return d.located(&c, "", "")
}

// inexactText returns what shows that a text is not the body that was sent, to that
// keeper of it. A body in base64 has no text.
func inexactText(c *Capture, text, keeper string) string {
	e := entry{c: Capture{Header: c.Header, Body: c.Body}, text: text, size: -1}
	_, same := e.length()
	switch {
	case strings.Contains(text, "\uFFFD") || !utf8.ValidString(text):
		return keeper + " has U+FFFD in the body, which stands for bytes that are no UTF-8: record the delivery where it arrives"
	case e.transcoded():
		return "the body was sent in another charset than the UTF-8 that " + keeper + " has: record the delivery where it arrives"
	case !same:
		return keeper + " has another number of bytes in the body than Content-Length says: record the delivery where it arrives"
	case text != "" && c.Header.Get("Content-Encoding") != "" && !strings.EqualFold(c.Header.Get("Content-Encoding"), "identity"):
		return "the body was sent with a Content-Encoding, and " + keeper + " has it as text: record the delivery where it arrives"
	}
	return ""
}
