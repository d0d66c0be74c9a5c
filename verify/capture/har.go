package capture

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"
)

// parseHAR reads the entries. One that cannot be read fails the file if it may be a
// delivery; what is odd and cannot be one, such as a request without a method in the
// record of a whole session, is left out, unless there is nothing else.
func parseHAR(d *document) ([]*Capture, error) {
	var captures []*Capture
	var odd error
	entry := func() error {
		inner, err := d.part()
		if err != nil {
			return err
		}
		text := d.text[inner.base : d.base+d.dec.InputOffset()]
		c, err := readEntry(inner)
		switch {
		case err == nil && c != nil:
			captures = append(captures, c)
		case err != nil && mayBeDelivery(text):
			return err
		case odd == nil:
			odd = err
		}
		return nil
	}
	err := d.object(members{{"log", func() error {
		return d.object(members{{"entries", func() error { return d.array(maxElements, entry) }}})
	}}})
	switch {
	case err != nil:
		return nil, err
	case len(captures) > 0:
		return captures, nil
	case odd != nil:
		return nil, odd
	}
	return nil, d.errorf("want a request in log.entries that is a POST or has a body")
}

// mayBeDelivery reports whether an entry that cannot be read is a POST, or has a body, or
// is not even enough of an entry to say.
func mayBeDelivery(text []byte) bool {
	var e struct {
		Request struct {
			Method   string   `json:"method"`
			BodySize int64    `json:"bodySize"`
			PostData *ignored `json:"postData"`
		} `json:"request"`
	}
	if json.Unmarshal(text, &e) != nil {
		return true
	}
	return e.Request.Method == http.MethodPost || e.Request.BodySize > 0 || e.Request.PostData != nil
}

// entry is what matters of an entry, one request.
type entry struct {
	c            Capture
	started, url string
	size         int64 // of the body; negative where it is not known
	text         string
	encoding     string
	form         bool // whether there are fields of a form
}

// readEntry returns nil for a request that is no POST and has no body.
func readEntry(d *document) (*Capture, error) {
	e := &entry{c: Capture{Header: make(http.Header)}, size: -1}
	err := d.object(members{
		{"startedDateTime", d.string(&e.started)},
		{"request", func() error { return e.request(d) }},
	})
	switch {
	case err != nil:
		return nil, err
	case e.c.Method == "" || e.url == "":
		return nil, d.errorf("want a request with a method and a URL")
	case e.c.Method != http.MethodPost && e.text == "" && !e.form && e.size <= 0:
		return nil, nil
	}
	if e.c.Body, err = e.body(); err != nil {
		return nil, d.errorf("want request.postData.text in base64, as its encoding says, or no encoding")
	}
	e.c.Inexact = e.inexact()
	return d.complete(&e.c, "startedDateTime", e.started, "request.url", e.url)
}

func (e *entry) request(d *document) error {
	postData := members{
		{"text", d.string(&e.text)},
		{"encoding", d.string(&e.encoding)},
		{"_encoding", d.string(&e.encoding)}, // where HAR 1.2, which has none, is taken at its word
		{"params", func() error {
			return d.array(maxElements, func() error { e.form = true; return d.skip() })
		}},
	}
	return d.object(members{
		{"method", d.string(&e.c.Method)},
		{"url", d.string(&e.url)},
		{"bodySize", d.value(&e.size, "a whole number")},
		{"headers", func() error {
			return d.array(maxFields, func() error {
				var h struct{ Name, Value *string } // in one step: there can be many
				if d.dec.Decode(&h) != nil || h.Name == nil || h.Value == nil {
					return d.errorf("want a name and a value, both strings")
				}
				return d.field(&e.c, *h.Name, *h.Value)
			})
		}},
		{"postData", func() error { return d.object(postData) }},
	})
}

func (e *entry) body() ([]byte, error) {
	switch e.encoding {
	case "":
		return []byte(e.text), nil
	case "base64":
		return base64.StdEncoding.DecodeString(e.text)
	}
	return nil, errors.New("unknown encoding")
}

// inexact returns what shows that the body is not what was sent.
func (e *entry) inexact() string {
	known, same := e.length()
	switch {
	case e.text == "" && e.form:
		return "the HAR has the fields of a form and not the bytes: export it with the text of the bodies"
	case e.text == "" && !(known && same):
		return "the HAR does not have the body: export it with the content of the requests"
	case strings.Contains(e.text, "\uFFFD"):
		return "the HAR's text has U+FFFD, which stands for bytes that are no UTF-8: export the body in base64"
	case e.transcoded():
		return "the body was sent in another charset than the HAR's UTF-8: export it in base64"
	case !same:
		return "the HAR's text is not as long as the body that was sent: export the body in base64, before anything decodes it"
	case !known && e.c.Header.Get("Content-Encoding") != "":
		return "the body was sent with a Content-Encoding, and nothing says whether the HAR's text still has it: export the body in base64, before anything decodes it"
	}
	return ""
}

// length reports whether the length of the body that was sent is known, and whether
// the body has it.
func (e *entry) length() (known, same bool) {
	n := strconv.Itoa(len(e.c.Body))
	lengths := e.c.Header["Content-Length"]
	if e.size >= 0 {
		lengths = append([]string{strconv.FormatInt(e.size, 10)}, lengths...)
	}
	same = true
	for _, length := range lengths {
		same = same && length == n
	}
	return len(lengths) > 0, same
}

// transcoded reports whether the text had to be turned into UTF-8. Base64 is ASCII.
func (e *entry) transcoded() bool {
	_, params, _ := mime.ParseMediaType(e.c.Header.Get("Content-Type"))
	switch strings.ToLower(params["charset"]) {
	case "", "utf-8", "utf8", "us-ascii":
		return false
	}
	return strings.IndexFunc(e.text, func(r rune) bool { return r >= utf8.RuneSelf }) >= 0
}
