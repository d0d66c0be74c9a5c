// Package signer signs webhooks as a definition describes them, for tests and tools.
//
//	header, err := signer.Header(slack.Definition(), signer.Delivery{
//		At: time.Now(), Body: body, Secrets: []string{secret},
//	})
//
// It reads the definition and shares no code with the engine that verifies by it: it
// has its own layout of the message, its own HMAC and its own encoding, so the two
// check each other. What it cannot find is a mistake in the definition itself. That
// needs a delivery that the provider signed, or somebody else.
//
// It is free of package testing.
package signer

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"net/http"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
)

// Delivery is what to sign.
type Delivery struct {
	// At is the signed time. It is ignored if the scheme signs none, or one that stands in
	// the Body. The zero time is
	// signed as any other, and no verifier accepts it.
	At time.Time

	// Written is how the sender wrote At, where its unit has several spellings, such as
	// RFC 3339. Default: the shortest one, without a fraction, in UTC.
	Written string

	// Body is the body, byte for byte.
	Body []byte

	// URL is the URL of the endpoint as the provider knows it, for a scheme that
	// signs it.
	URL string

	// Fields holds the values of headers beside the signature and the time, in any
	// spelling: those that the scheme signs, all of which are required, and any
	// others, which are sent as they are.
	Fields map[string]string

	// Secrets are what the provider signs with, as its dashboard shows them. Where
	// the scheme has room for one signature, there is one secret; where a header holds a
	// list or is repeated, or more headers hold one each, each secret makes one
	// signature, in this order. None makes a delivery without a signature. Where the
	// provider signs with a private key, they are private keys, as Public reads them.
	Secrets []string

	// Signatures are signatures that somebody else made, as they stand in the header, in
	// the place of Secrets.
	Signatures []string
}

// Header returns the header fields of a delivery, under canonical names: what the
// definition signs, its constants, the Content-Type, and the Fields. Where the definition
// has alternative signatures, all of them are there, as senders do it. Where headers have
// other names, the first ones are used.
//
// An error means that the definition and the delivery do not fit. It holds no secret.
func Header(d scheme.Definition, v Delivery) (http.Header, error) {
	h := make(http.Header)
	contentType := d.MediaType
	if contentType == "" {
		contentType = "application/json"
	}
	h.Set("Content-Type", contentType)
	for _, c := range d.Constants {
		h.Set(c.Header, c.Value)
	}
	for name, value := range v.Fields {
		h.Set(name, value)
	}
	timestamp, err := timeText(d.Timestamp, v)
	if err != nil {
		return nil, err
	}
	if d.Timestamp.Header != "" {
		h.Set(d.Timestamp.Header, timestamp)
	}
	message, err := layOut(d.Message, v, nil, timestamp, h)
	if err != nil {
		return nil, err
	}
	for _, s := range d.Signatures {
		signatures := append([]string{}, v.Signatures...)
		for i, secret := range v.Secrets {
			if s.Algorithm == scheme.InsecureSHA256 || s.Algorithm == scheme.InsecureSHA1 { // the key is a part
				key, err := keyOf(d.Secret, secret)
				if err != nil {
					return nil, fmt.Errorf("secret %d: %w", i+1, err)
				}
				if message, err = layOut(d.Message, v, key, timestamp, h); err != nil {
					return nil, err
				}
			}
			text, err := sign(d.Secret, s, secret, message)
			if err != nil {
				return nil, fmt.Errorf("secret %d: %w", i+1, err)
			}
			signatures = append(signatures, text)
		}
		if err := write(h, s, d.Timestamp, timestamp, signatures); err != nil {
			return nil, err
		}
	}
	return h, nil
}

// NewRequest returns a signed delivery, ready for http.Client.Do as well as for a
// handler's ServeHTTP: a POST to url, or to v.URL if url is empty.
func NewRequest(d scheme.Definition, url string, v Delivery) (*http.Request, error) {
	if url == "" {
		url = v.URL
	}
	h, err := Header(d, v)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(v.Body))
	if err != nil {
		return nil, err
	}
	r.Header = h
	return r, nil
}

// timeText writes the signed time, or returns nothing if there is none.
func timeText(t scheme.Timestamp, v Delivery) (string, error) {
	if t.Header == "" && t.Field == "" && !t.First {
		return "", nil
	}
	layout := ""
	switch t.Unit {
	case scheme.Seconds:
		return fmt.Sprint(v.At.Unix()), nil
	case scheme.Milliseconds:
		return fmt.Sprint(v.At.UnixMilli()), nil
	case scheme.RFC3339:
		layout = time.RFC3339
	case scheme.ISO8601:
		layout = "2006-01-02T15:04:05"
	default:
		return "", fmt.Errorf("the unit %d of the time is unknown", t.Unit)
	}
	if v.Written == "" {
		return string(v.At.UTC().AppendFormat(nil, layout)), nil
	}
	if at, err := time.Parse(layout, v.Written); err != nil || !at.Equal(v.At) {
		return "", errors.New("the time Written is not the time At")
	}
	return v.Written, nil
}

// layOut writes what is signed.
func layOut(parts []scheme.Part, v Delivery, key []byte, timestamp string, h http.Header) ([]byte, error) {
	var message []byte
	for _, p := range parts {
		switch p.Kind() {
		case scheme.LiteralPart:
			message = append(message, p.Text()...)
		case scheme.SecretPart:
			message = append(message, key...)
		case scheme.TimePart:
			message = append(message, timestamp...)
		case scheme.FieldPart:
			value := h.Get(p.Text())
			if value == "" {
				return nil, fmt.Errorf("the scheme signs the header %s: set Delivery.Fields[%q]", p.Text(), p.Text())
			}
			message = append(message, value...)
		case scheme.URLPart:
			if v.URL == "" {
				return nil, errors.New("the scheme signs the URL of the endpoint, and there is none")
			}
			message = append(message, v.URL...)
		case scheme.BodySHA256Part:
			message = fmt.Appendf(message, "%x", sha256.Sum256(v.Body))
		case scheme.MethodPart:
			message = append(message, http.MethodPost...)
		case scheme.BodyPart:
			message = append(message, v.Body...)
		default:
			return nil, fmt.Errorf("a part of the kind %d is unknown", p.Kind())
		}
	}
	return message, nil
}

// keyOf makes a key of a secret's text.
func keyOf(s scheme.Secret, text string) ([]byte, error) {
	rest := strings.TrimPrefix(text, s.Prefix)
	if s.PrefixRequired && rest == text {
		return nil, errors.New("it lacks its prefix")
	}
	switch s.Encoding {
	case scheme.TextSecret:
		return []byte(rest), nil
	case scheme.Base64Secret:
		key, err := base64.StdEncoding.DecodeString(rest)
		if err != nil {
			return nil, errors.New("it is not base64") // err quotes a byte of it
		}
		return key, nil
	case scheme.HexSecret:
		key, err := hex.DecodeString(rest)
		if err != nil {
			return nil, errors.New("it is not hexadecimal")
		}
		return key, nil
	}
	return nil, fmt.Errorf("the encoding %d of a secret is unknown", s.Encoding)
}

// sign makes one signature, as text.
func sign(form scheme.Secret, s scheme.Signature, secret string, message []byte) (string, error) {
	if private(s.Algorithm) {
		signature, err := signPrivate(s.Algorithm, secret, message)
		if err != nil {
			return "", err
		}
		return encode(s.Encoding, signature)
	}
	key, err := keyOf(form, secret)
	if err != nil {
		return "", err
	}
	var mac hash.Hash
	switch s.Algorithm {
	case scheme.HMACSHA256:
		mac = hmac.New(sha256.New, key)
	case scheme.HMACSHA512:
		mac = hmac.New(sha512.New, key)
	case scheme.InsecureHMACSHA1:
		mac = hmac.New(sha1.New, key)
	case scheme.InsecureSHA256: // the key is in the message
		mac = sha256.New()
	case scheme.InsecureSHA1:
		mac = sha1.New()
	default:
		return "", fmt.Errorf("the algorithm %d is unknown", s.Algorithm)
	}
	mac.Write(message)
	return encode(s.Encoding, mac.Sum(nil))
}

// encode writes a signature as text.
func encode(e scheme.Encoding, signature []byte) (string, error) {
	switch e {
	case scheme.Hex:
		return fmt.Sprintf("%x", signature), nil
	case scheme.Base64:
		return base64.StdEncoding.EncodeToString(signature), nil
	case scheme.UpperHex:
		return fmt.Sprintf("%X", signature), nil
	case scheme.Base64URL:
		return base64.URLEncoding.EncodeToString(signature), nil
	case scheme.RawBase64URL:
		return base64.RawURLEncoding.EncodeToString(signature), nil
	}
	return "", fmt.Errorf("the encoding %d is unknown", e)
}

// write writes a signature's headers.
func write(h http.Header, s scheme.Signature, t scheme.Timestamp, timestamp string, signatures []string) error {
	if s.Separator == "" {
		names := append([]string{s.Header}, s.More...)
		for i, text := range signatures {
			switch {
			case s.Repeated:
				h.Add(s.Header, s.Prefix+text)
			case i < len(names):
				h.Set(names[i], s.Prefix+text)
			default:
				return fmt.Errorf("the header %s holds one signature, there are %d more headers, and %d secrets", s.Header, len(s.More), len(signatures))
			}
		}
		return nil
	}
	var items []string
	switch {
	case t.First:
		items = append(items, timestamp)
	case t.Field != "":
		items = append(items, t.Field+s.Assign+timestamp)
	}
	for _, text := range signatures {
		if s.Field != "" {
			text = s.Field + s.Assign + text
		}
		items = append(items, text)
	}
	separator := s.Separator
	if s.Blanks {
		separator += " "
	}
	if len(items) > 0 {
		h.Set(s.Header, s.Prefix+strings.Join(items, separator))
	}
	return nil
}
