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
	// At is the signed time. It is ignored if the scheme signs none. The zero time is
	// signed as any other, and no verifier accepts it.
	At time.Time

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
	// the header holds one signature, there is one secret; where it holds a list,
	// each secret makes one signature, in this order. None makes a delivery without
	// a signature.
	Secrets []string
}

// Header returns the header fields of a delivery, under canonical names: what the
// definition signs, the Content-Type, and the Fields. Where the definition has
// alternative signatures, all of them are there, as senders do it.
//
// An error means that the definition and the delivery do not fit. It holds no secret.
func Header(d scheme.Definition, v Delivery) (http.Header, error) {
	h := make(http.Header)
	contentType := d.MediaType
	if contentType == "" {
		contentType = "application/json"
	}
	h.Set("Content-Type", contentType)
	for name, value := range v.Fields {
		h.Set(name, value)
	}
	timestamp, err := timeText(d.Timestamp, v.At)
	if err != nil {
		return nil, err
	}
	if d.Timestamp.Header != "" {
		h.Set(d.Timestamp.Header, timestamp)
	}
	message, err := layOut(d.Message, v, timestamp, h)
	if err != nil {
		return nil, err
	}
	for _, s := range d.Signatures {
		var signatures []string
		for i, secret := range v.Secrets {
			key, err := keyOf(d.Secret, secret)
			if err != nil {
				return nil, fmt.Errorf("secret %d: %w", i+1, err)
			}
			text, err := sign(s, key, message)
			if err != nil {
				return nil, err
			}
			signatures = append(signatures, text)
		}
		value, err := write(s, d.Timestamp, timestamp, signatures)
		if err != nil {
			return nil, err
		}
		if value != "" {
			h.Set(s.Header, value)
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
func timeText(t scheme.Timestamp, at time.Time) (string, error) {
	if t.Header == "" && t.Field == "" {
		return "", nil
	}
	switch t.Unit {
	case scheme.Seconds:
		return fmt.Sprint(at.Unix()), nil
	case scheme.Milliseconds:
		return fmt.Sprint(at.UnixMilli()), nil
	}
	return "", fmt.Errorf("the unit %d of the time is unknown", t.Unit)
}

// layOut writes what is signed.
func layOut(parts []scheme.Part, v Delivery, timestamp string, h http.Header) ([]byte, error) {
	var message []byte
	for _, p := range parts {
		switch p.Kind() {
		case scheme.LiteralPart:
			message = append(message, p.Text()...)
		case scheme.TimePart:
			message = append(message, timestamp...)
		case scheme.FieldPart:
			value := h.Get(p.Text())
			if value == "" {
				return nil, fmt.Errorf("the scheme signs the header %s, and Fields has no value for it", p.Text())
			}
			message = append(message, value...)
		case scheme.URLPart:
			if v.URL == "" {
				return nil, errors.New("the scheme signs the URL of the endpoint, and there is none")
			}
			message = append(message, v.URL...)
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
	if s.Encoding != scheme.Base64Secret {
		return []byte(text), nil
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(text, s.Prefix))
	if err != nil {
		return nil, errors.New("it is not base64") // err quotes a byte of it
	}
	return key, nil
}

// sign makes one signature, as text.
func sign(s scheme.Signature, key, message []byte) (string, error) {
	var mac hash.Hash
	switch s.Algorithm {
	case scheme.HMACSHA256:
		mac = hmac.New(sha256.New, key)
	case scheme.HMACSHA512:
		mac = hmac.New(sha512.New, key)
	case scheme.InsecureHMACSHA1:
		mac = hmac.New(sha1.New, key)
	default:
		return "", fmt.Errorf("the algorithm %d is unknown", s.Algorithm)
	}
	mac.Write(message)
	switch s.Encoding {
	case scheme.Hex:
		return fmt.Sprintf("%x", mac.Sum(nil)), nil
	case scheme.Base64:
		return base64.StdEncoding.EncodeToString(mac.Sum(nil)), nil
	}
	return "", fmt.Errorf("the encoding %d is unknown", s.Encoding)
}

// write writes a signature's header, or returns nothing if there is nothing to write.
func write(s scheme.Signature, t scheme.Timestamp, timestamp string, signatures []string) (string, error) {
	if s.Field == "" {
		switch len(signatures) {
		case 0:
			return "", nil
		case 1:
			return s.Prefix + signatures[0], nil
		}
		return "", fmt.Errorf("the header %s holds one signature, and there are %d secrets", s.Header, len(signatures))
	}
	var items []string
	if t.Field != "" {
		items = append(items, t.Field+s.Assign+timestamp)
	}
	for _, text := range signatures {
		items = append(items, s.Field+s.Assign+text)
	}
	return strings.Join(items, s.Separator), nil
}
