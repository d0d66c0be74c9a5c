package sender

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/providers/providertest/signer"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// signing makes the headers of a delivery.
type signing func(d *Draft) (http.Header, error)

// Draft is a delivery to sign. Its ids stay the same when it is signed again.
type Draft struct {
	At     time.Time
	Event  string // "" where nobody named one
	Body   []byte
	URL    string // that is signed, or ""
	Secret string

	ids map[string]string // by header
}

// id returns the id of the delivery in a header.
func (d *Draft) id(header string) string {
	if d.ids == nil {
		d.ids = make(map[string]string)
	}
	if d.ids[header] == "" {
		d.ids[header] = rand.Text()
	}
	return d.ids[header]
}

// WhyNot says why Sign makes no delivery, or is "".
func (s *Sender) WhyNot() string {
	if s.sign != nil {
		return ""
	}
	return s.whyNot
}

// Sign makes the headers of a delivery, as the sender would.
func (s *Sender) Sign(d *Draft) (http.Header, error) {
	if s.sign == nil {
		return nil, fmt.Errorf("%s cannot be signed for: %s", s.Name, s.whyNot)
	}
	return s.sign(d)
}

// fromData makes what follows from a definition.
func (s *Sender) fromData() {
	s.Words = []string{"insecure-allow-short-secret"}
	if s.Timed() {
		s.Words = append(s.Words, "tolerance")
	}
	if s.Definition.UnsignedType != "" {
		s.Words = append(s.Words, "event")
	}
	if s.SignsURL {
		s.Words = append(s.Words, "url")
	}
	if slices.ContainsFunc(s.Definition.Handshakes, func(h scheme.Handshake) bool { return h.Token != "" }) {
		s.Words = append(s.Words, "verify-token")
	}
	switch form := s.Definition.Secret; {
	case s.Private():
		s.probe = func(*Settings) string {
			text, err := signer.UnknownPublic(s.Definition.Signatures[0].Algorithm)
			if err != nil {
				panic(err) // the algorithm has keys
			}
			return text
		}
	case form.Encoding == scheme.Base64Secret:
		s.probe = func(*Settings) string { return form.Prefix + base64.StdEncoding.EncodeToString([]byte(random())) }
	case form.Encoding == scheme.HexSecret:
		s.probe = func(*Settings) string { return form.Prefix + hex.EncodeToString([]byte(random())) }
	case form.Prefix != "":
		s.probe = func(*Settings) string { return form.Prefix + random() }
	}
	s.keyed = opens(func(o *Settings, keys verify.KeySource) (*scheme.Verifier, error) {
		return scheme.New(*s.Definition, keys, &scheme.Options{
			Window: o.window(), URL: o.URL, VerifyToken: o.VerifyToken, InsecureAllowShortSecret: o.InsecureAllowShortSecret,
		})
	})
	s.sign = func(d *Draft) (http.Header, error) {
		fields := make(map[string]string)
		for _, part := range s.Definition.Message {
			if part.Kind() == scheme.FieldPart {
				fields[part.Text()] = shaped(part, d.id(part.Text()))
			}
		}
		if name := s.Definition.UnsignedID; name != "" {
			fields[name] = d.id(name)
		}
		if name := s.Definition.UnsignedType; name != "" && d.Event != "" {
			fields[name] = d.Event
		}
		return signer.Header(*s.Definition, signer.Delivery{At: d.At, Body: d.Body, URL: d.URL, Fields: fields, Secrets: []string{d.Secret}})
	}
}

// shaped returns an id in the form that a part demands.
func shaped(part scheme.Part, id string) string {
	sum := sha256.Sum256([]byte(id))
	switch {
	case part.UUID():
		return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
	case part.Size() > 0:
		return strings.Repeat(id, 1+part.Size()/len(id))[:part.Size()]
	}
	return id
}
