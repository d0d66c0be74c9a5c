// Package inngest verifies the requests with which Inngest calls the functions of an app.
//
// Inngest signs the body and the time with the signing key of the environment: HMAC-SHA256
// over
//
//	<body in canonical form><time>
//
// in hexadecimal, in the header
//
//	X-Inngest-Signature: t=1700000000&s=<64 hex digits>
//
//	guard := middleware.Protect(inngest.Must(os.Getenv("INNGEST_SIGNING_KEY")))
//
// A signing key is "signkey-", the kind of environment, "-", and a text: the text is the
// key of the HMAC. During a rotation, list the current key and the fallback key.
//
// Each attempt is signed anew, and no id of a request is signed. A request is known by its
// message: a retry of what was handled runs again.
//
// # What is signed of a body
//
// The canonical form is that of RFC 8785: the JSON value of the body without white space,
// with its members in order, and each number and string in one spelling. So the value is
// signed, and its spelling is not; the Binding of a Delivery is verify.BindingPart. [Value]
// returns the canonical form, each byte of which is signed. A body that two parsers could
// read in two ways is refused:
//
//   - a name that stands twice in an object;
//   - names that differ in upper and lower case alone and do not stand in the order of the
//     canonical form, because encoding/json takes the last one of them;
//   - a number with more digits than the canonical form keeps, such as 9007199254740993, and
//     a negative zero;
//   - white space in front of the value or behind it, and half a character in an escape.
//
// # What the signature does not say
//
// The signature does not cover the URL, whose query names the function and the step: take
// them from the body, where ctx holds them. It does not cover the method, and no header.
//
// A GET or PUT with which Inngest inspects or syncs an app has no body that is signed; a
// guard refuses it.
//
// Source: https://www.inngest.com/docs/platform/signing-keys, and helpers/net.ts of
// inngest/inngest-js.
package inngest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/providers/canonical"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

const header = "X-Inngest-Signature"

// Options holds what an endpoint may choose. The zero value and nil are the defaults.
type Options struct {
	// Window narrows how far the signed time may lie from the receive time, as in
	// scheme.Options. Default: 5 minutes at each end.
	Window verify.Window

	// InsecureAllowShortSecret allows keys under 16 bytes, without what stands in front.
	InsecureAllowShortSecret bool
}

// engine is the verifier whose keys have nothing in front.
type engine = canonical.Verifier

// Verifier verifies requests of Inngest. It is immutable and safe for concurrent use. Make
// one with New or Must.
type Verifier struct {
	*engine
	o Options
}

// New makes a verifier from keys, for example [verify.Secrets] of the signing key and of the
// fallback key. A nil o is the zero Options. It returns an error for a key or options that
// cannot be right.
func New(keys verify.KeySource, o *Options) (*Verifier, error) {
	if o == nil {
		o = &Options{}
	}
	keys, err := bare(keys)
	if err != nil {
		return nil, fmt.Errorf("inngest: %w", err)
	}
	e, err := canonical.New(inngest(), keys, &scheme.Options{Window: o.Window, InsecureAllowShortSecret: o.InsecureAllowShortSecret})
	if err != nil {
		return nil, err
	}
	return &Verifier{engine: e, o: *o}, nil
}

// Must makes a verifier from the signing keys of one environment: one, or also the fallback
// key while it is changed. It panics where [New] returns an error, most often because an
// environment variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *Verifier {
	v, err := New(verify.Secrets(secrets...), nil)
	if err != nil {
		panic("inngest.Must: " + strings.TrimPrefix(err.Error(), "inngest: "))
	}
	return v
}

// Rekey returns a verifier that differs from v in its keys alone. Its errors are those that
// New has for keys.
func (v *Verifier) Rekey(keys verify.KeySource) (verify.Verifier, error) {
	other, err := New(keys, &v.o)
	if err != nil {
		return nil, err
	}
	return other, nil
}

// Value returns the body of a delivery that a verifier of this package returned, in
// canonical form: what is signed. The bytes are the caller's. It is an error if d is of
// another verifier, or nil.
func Value(d *verify.Delivery) ([]byte, error) {
	if d == nil || d.Provider != "inngest" {
		return nil, errors.New("inngest: this is no delivery of Inngest")
	}
	text, err := canonicalize(d.Body)
	if err != nil {
		return nil, errors.New("inngest: the body of the delivery is not the one that was verified")
	}
	return text, nil
}

// About returns what people and tools want to know of the scheme.
func About() verify.About {
	s := inngest()
	return s.About()
}

// inngest returns how Inngest signs.
func inngest() canonical.Scheme {
	return canonical.Scheme{
		Binding: verify.BindingPart,
		Begin: func(*verify.Head) (canonical.Request, error) {
			return canonical.Request{Messages: func(body []byte) ([][]byte, error) {
				text, err := canonicalize(body)
				if err != nil {
					return nil, err
				}
				return [][]byte{text}, nil
			}}, nil
		},
		Message: message,
		Definition: scheme.Definition{
			Provider:        "inngest",
			Signatures:      []scheme.Signature{{Header: header, Field: "s", Separator: "&", Assign: "="}},
			Timestamp:       scheme.Timestamp{Field: "t"},
			Message:         []scheme.Part{scheme.Body(), scheme.SignedTime()},
			MaxBody:         4 << 20, // the server sends no more: an app fetches larger state
			Retry:           verify.RetryResigned,
			RetriesRunAgain: true,               // no id is signed
			Retention:       7 * 24 * time.Hour, // retries back off, up to hours apart
			About: verify.About{
				Title:   "Inngest",
				Signed:  "canonical form of the body (RFC 8785) and time, HMAC-SHA256",
				Headers: []verify.HeaderUse{{Name: header, Use: "t is the time and is signed; s is the signature; other items are ignored"}},
				NotCovered: []string{
					"the spelling of the JSON: white space, the order of members, escapes",
					"the URL, whose query names the function and the step",
					"the method",
				},
				Tell:          verify.Tell{Headers: []string{header}, Before: verify.NotBeforeBody},
				Links:         []string{"https://www.inngest.com/docs/platform/signing-keys"},
				OutsideVector: "a test of inngest/inngest-js",
			},
		},
	}
}

// message yields what is signed.
func message(h *verify.Head, body []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		text, err := canonicalize(body)
		if err != nil {
			text = body
		}
		var at []byte
		if values := h.Header[header]; len(values) == 1 {
			for item := range strings.SplitSeq(values[0], "&") {
				if value, ok := strings.CutPrefix(item, "t="); ok && value != "" && at == nil {
					at = []byte(value)
				}
			}
		}
		_ = yield("body, in canonical form", text) && yield("time, from "+header, at)
	}
}

// bare returns keys without what stands in front of a signing key.
func bare(keys verify.KeySource) (verify.KeySource, error) {
	switch source := keys.(type) {
	case nil:
		return nil, nil
	case *verify.SecretList:
		list, err := source.KeyList()
		if err != nil {
			return nil, err
		}
		return bareList(list)
	case verify.KeyList:
		return bareList(source)
	case verify.KeyFunc:
		if source == nil {
			return source, nil
		}
	}
	return verify.KeyFunc(func(ctx context.Context, h *verify.Head) ([]verify.Key, error) {
		list, err := keys.Keys(ctx, h)
		if err != nil {
			return nil, err
		}
		if list, err = bareList(list); err != nil {
			return nil, fmt.Errorf("%w: %w", verify.ErrNoKey, err)
		}
		return list, nil
	}), nil
}

func bareList(list []verify.Key) (verify.KeyList, error) {
	out := make(verify.KeyList, len(list))
	for i, k := range list {
		out[i] = k
		rest, ok := cutEnvironment(string(k.Secret()))
		if !ok {
			continue
		}
		if rest == "" {
			return nil, fmt.Errorf("%v ends where its key should start: copy the whole signing key", k)
		}
		var err error
		if out[i], err = verify.NewKey(k.Scope(), k.Label(), []byte(rest)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// cutEnvironment cuts "signkey-", the kind of environment and "-" off a signing key.
func cutEnvironment(text string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(text, "signkey-")
	if !ok {
		return text, false
	}
	kind, rest, ok := strings.Cut(rest, "-")
	if !ok || kind == "" {
		return text, false
	}
	for _, c := range []byte(kind) {
		if c != '_' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return text, false
		}
	}
	return rest, true
}
