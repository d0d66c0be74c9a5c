package providertest_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/providertest"
	"github.com/hooknotary/hooknotary/verify"
)

// seal is a small verifier that is written by hand: one header, Seal, with the
// time and the hexadecimal HMAC of time, dot and body. It has a bug on demand.
type seal struct {
	source verify.KeySource
	list   verify.KeyList
	bug    string

	Debug string // what a careless author leaves behind
}

const (
	past   = 2 * time.Minute
	future = time.Minute
)

func newSeal(source verify.KeySource, bug string) (verify.Verifier, error) {
	s := &seal{source: source, bug: bug}
	if secrets, ok := source.(*verify.SecretList); ok {
		list, err := secrets.KeyList()
		if err != nil {
			return nil, err
		}
		source = list
	}
	switch source := source.(type) {
	case nil:
		return nil, errors.New("there is no source")
	case verify.KeyFunc:
		if source == nil {
			return nil, errors.New("there is no function")
		}
	case verify.KeyList:
		if bug == "accepts a bad list" {
			break
		}
		if err := s.check(source); err != nil {
			return nil, err
		}
		for i, k := range source {
			for _, other := range source[:i] {
				if k.Label() == other.Label() && k.Scope() == other.Scope() || bytes.Equal(k.Secret(), other.Secret()) {
					return nil, errors.New("two keys are the same")
				}
			}
		}
		s.list = append(s.list, source...)
		if bug == "keeps the caller's list" {
			s.list = nil
		}
	}
	if bug == "leaves a secret in a field" {
		keys, _ := source.Keys(context.Background(), &verify.Head{})
		if len(keys) > 0 {
			s.Debug = hex.EncodeToString(keys[0].Secret())
		}
	}
	return s, nil
}

func (s *seal) check(keys []verify.Key) error {
	if len(keys) == 0 || len(keys) > verify.MaxKeys {
		return errors.New("no keys, or too many")
	}
	for _, k := range keys {
		if len(k.Secret()) < 16 && s.bug != "accepts a short secret" {
			return fmt.Errorf("%v is too short", k)
		}
	}
	return nil
}

func (s *seal) Profile() verify.Profile {
	return verify.Profile{
		Provider: "seal", MediaType: "application/json", MaxBody: 1 << 20,
		Retry:  verify.RetryNever,
		Window: verify.Window{Past: past, Future: future}, Binding: verify.BindingFull,
	}
}

// sealed holds keys, and no secret outside of them: printing it is harmless.
type sealed struct {
	s         *seal
	keys      []verify.Key
	timestamp string
	mac       []byte
	d         verify.Delivery
	last      []byte // what a careless author leaves behind
}

func refuse(r verify.Reason, cause error) error { return &verify.Error{Reason: r, Cause: cause} }

func (s *seal) Begin(ctx context.Context, h *verify.Head) (verify.Pending, error) {
	if h == nil || h.ReceivedAt.IsZero() && s.bug != "accepts a zero receive time" {
		return nil, refuse(verify.ErrMalformed, nil)
	}
	early := func() ([]verify.Key, error) {
		if len(s.list) > 0 {
			return s.list, nil
		}
		return s.source.Keys(ctx, h)
	}
	if s.bug == "asks for keys first" {
		if _, err := early(); err != nil {
			return nil, refuse(verify.ErrNoKey, err)
		}
	}
	values := h.Header["Seal"]
	if s.bug == "takes any spelling" {
		for name, v := range h.Header {
			if strings.EqualFold(name, "Seal") {
				values = v
			}
		}
	}
	switch {
	case len(values) > 1 && s.bug != "takes the first of several headers":
		return nil, refuse(verify.ErrMalformed, nil)
	case len(values) == 0 || values[0] == "":
		if s.bug == "returns a bare reason" {
			return nil, verify.ErrUnsigned
		}
		return nil, refuse(verify.ErrUnsigned, nil)
	}
	value := values[0]
	switch s.bug {
	case "trims white space":
		value = strings.TrimSpace(value)
	case "lowers the case":
		value = strings.ToLower(value)
	case "takes what stands before a comma":
		value, _, _ = strings.Cut(value, ",")
	case "panics on a long header":
		_ = value[:76]
	}
	timestamp, text, ok := strings.Cut(value, ".")
	mac, err := hex.DecodeString(text)
	n, err2 := strconv.ParseInt(timestamp, 10, 64)
	canonical := ok && hex.EncodeToString(mac) == text && strconv.FormatInt(n, 10) == timestamp && n >= 0
	switch s.bug {
	case "takes any number":
		canonical = ok && hex.EncodeToString(mac) == text
	case "takes upper-case hex":
		canonical = ok && strconv.FormatInt(n, 10) == timestamp && n >= 0
	}
	if err != nil || err2 != nil || !canonical || len(mac) != sha256.Size && s.bug != "compares a prefix" {
		if s.bug == "quotes the header" {
			return nil, refuse(verify.ErrMalformed, fmt.Errorf("bad header %q", value))
		}
		return nil, refuse(verify.ErrMalformed, nil)
	}
	signedAt := time.Unix(n, 0).UTC()
	age := h.ReceivedAt.Sub(signedAt)
	switch {
	case s.bug == "is wrong by a nanosecond" && age >= past:
		return nil, refuse(verify.ErrTooOld, nil)
	case age > past && s.bug != "checks no age":
		return nil, refuse(verify.ErrTooOld, nil)
	case age < -future && s.bug != "accepts the future":
		return nil, refuse(verify.ErrTooNew, nil)
	case s.bug == "looks at the clock" && time.Since(signedAt) > past:
		return nil, refuse(verify.ErrTooOld, nil)
	}
	keys, err := early()
	switch {
	case s.bug == "takes a failed source for no key" && err != nil:
		return nil, refuse(verify.ErrNoKey, err)
	case errors.Is(err, verify.ErrNoKey):
	case err != nil && s.bug == "ignores a failed source" && len(keys) > 0:
	case err != nil:
		return nil, refuse(verify.ErrUnavailable, err)
	}
	if err == nil || s.bug == "ignores a failed source" {
		err = s.check(keys)
	}
	switch {
	case err != nil && s.bug == "tells who has no key":
		return nil, refuse(verify.ErrNoKey, err)
	case err != nil:
		return &keyless{s, err}, nil
	}
	if s.bug == "tries one key only" {
		keys = keys[:1]
	}
	p := &sealed{s: s, keys: keys, timestamp: timestamp, mac: mac}
	p.d = verify.Delivery{Provider: "seal", SignedAt: signedAt, ReceivedAt: h.ReceivedAt, Binding: verify.BindingFull}
	p.d.Unsigned.ID = h.Header.Get("Seal-Delivery")
	switch s.bug {
	case "takes an id that is not signed":
		p.d.ID = h.Header.Get("Seal-Delivery")
	case "takes the header's text for the message":
		p.d.Fingerprint = verify.NewFingerprint(sha256.Sum256([]byte(h.Header.Get("Seal-Delivery"))))
	case "changes the head":
		h.Header.Del("Seal-Delivery")
	}
	return p, nil
}

// keyless is a request for which there is no key.
type keyless struct {
	s   *seal
	err error
}

func (p *keyless) Finish(context.Context, []byte) (*verify.Delivery, error) {
	return nil, refuse(verify.ErrNoKey, p.err)
}

func (p *sealed) Finish(_ context.Context, body []byte) (*verify.Delivery, error) {
	signed := body
	switch p.s.bug {
	case "trims the body":
		signed = bytes.TrimSpace(body)
	case "cuts the body at 64 KiB":
		signed = body[:min(len(body), 64<<10)]
	case "reads text only":
		signed = []byte(strings.ToValidUTF8(string(body), "\ufffd"))
	case "does not look at the body":
		signed = nil
	}
	expected := func(secret []byte) []byte {
		mac := hmac.New(sha256.New, secret)
		fmt.Fprintf(mac, "%s.%s", p.timestamp, signed)
		return mac.Sum(nil)
	}
	for _, k := range p.keys {
		want := expected(k.Secret())
		if p.s.bug == "keeps what it expected" {
			p.last = want
		}
		equal := hmac.Equal(want, p.mac)
		if p.s.bug == "compares a prefix" {
			equal = bytes.HasPrefix(want, p.mac)
		}
		if !equal {
			continue
		}
		d := p.d
		d.KeyLabel, d.Scope = k.Label(), k.Scope()
		if d.Fingerprint.Equal(verify.Fingerprint{}) {
			d.Fingerprint = verify.NewFingerprint([32]byte(want))
		}
		d.Body = body
		switch p.s.bug {
		case "copies the body":
			d.Body = bytes.Clone(body)
		case "has no fingerprint":
			d.Fingerprint = verify.Fingerprint{}
		case "forgets the scope":
			d.Scope = ""
		case "has the fingerprint of the body alone":
			d.Fingerprint = verify.NewFingerprint(sha256.Sum256(body))
		}
		return &d, nil
	}
	switch p.s.bug {
	case "returns a delivery with an error":
		return &p.d, refuse(verify.ErrMismatch, nil)
	case "says what it expected":
		return nil, refuse(verify.ErrMismatch, fmt.Errorf("want %x", expected(p.keys[0].Secret())))
	case "quotes the body":
		return nil, refuse(verify.ErrMismatch, fmt.Errorf("body %q", body))
	case "returns another error":
		return nil, errors.New("does not match")
	case "returns an empty delivery":
		return &verify.Delivery{}, nil
	}
	return nil, refuse(verify.ErrMismatch, nil)
}

func sealSubject(bug string) providertest.Subject {
	return providertest.Subject{
		New: func(keys verify.KeySource) (verify.Verifier, error) { return newSeal(keys, bug) },
		Sign: func(at time.Time, _ *url.URL, body []byte, secrets ...string) http.Header {
			mac := hmac.New(sha256.New, []byte(secrets[0]))
			fmt.Fprintf(mac, "%d.%s", at.Unix(), body)
			return http.Header{
				"Seal":          {fmt.Sprintf("%d.%x", at.Unix(), mac.Sum(nil))},
				"Seal-Delivery": {"7"},
			}
		},
		Profile: (&seal{}).Profile(),
		Events: []providertest.Event{
			{Name: "an object", Body: []byte(`{"id":"7f3a","total":1200}`)},
			{Name: "another object", Body: []byte(`{"id":"7f3b","total":1}`)},
			{Name: "an empty body", Body: []byte{}},
		},
		Secrets: []string{
			"Fqk2mR8xTz5LwB1c", "p9VdYh3NsJ6uGe0W", "aX4tKb7QnC2iZr8M", "oE1yUf5SvL9jHg3D", "w6DzPm0TqI8kRx4V",
		},
		Headers:  []string{"Seal"},
		Unsigned: []string{"Seal-Delivery"},
	}
}

func TestExercisePassesASoundVerifier(t *testing.T) {
	providertest.Exercise(t, sealSubject(""))
}

const bugVariable = "HOOKNOTARY_PROVIDERTEST_BUG"

// TestExerciseOfAnUnsoundVerifier is run by the test below, and only by it.
func TestExerciseOfAnUnsoundVerifier(t *testing.T) {
	bug := os.Getenv(bugVariable)
	if bug == "" {
		t.Skip("run by TestExerciseFailsAnUnsoundVerifier")
	}
	providertest.Exercise(t, sealSubject(bug))
}

func TestExerciseFailsAnUnsoundVerifier(t *testing.T) {
	for _, bug := range []string{
		"accepts a bad list", "keeps the caller's list", "leaves a secret in a field", "accepts a short secret",
		"accepts a zero receive time", "asks for keys first", "takes any spelling", "takes the first of several headers",
		"returns a bare reason", "trims white space", "lowers the case", "takes what stands before a comma",
		"panics on a long header", "takes any number", "takes upper-case hex", "compares a prefix", "quotes the header",
		"is wrong by a nanosecond", "checks no age", "accepts the future", "looks at the clock",
		"takes a failed source for no key", "tells who has no key", "ignores a failed source", "tries one key only",
		"takes an id that is not signed", "takes the header's text for the message", "changes the head",
		"keeps what it expected", "trims the body", "cuts the body at 64 KiB", "reads text only",
		"does not look at the body", "copies the body", "has no fingerprint", "forgets the scope",
		"has the fingerprint of the body alone", "returns a delivery with an error", "says what it expected",
		"quotes the body", "returns another error", "returns an empty delivery",
	} {
		t.Run("that "+bug, func(t *testing.T) {
			wantFailure(t, "TestExerciseOfAnUnsoundVerifier", bugVariable+"="+bug)
		})
	}
}

// wantFailure runs one test of this package in a process of its own, and wants it to
// fail.
func wantFailure(t *testing.T, test, variable string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^"+test+"$", "-test.failfast")
	cmd.Env = append(os.Environ(), variable)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err == nil {
		t.Fatal("it passes")
	} else if !errors.As(err, &exit) || !bytes.Contains(out, []byte("--- FAIL: "+test)) {
		t.Fatalf("%v:\n%s", err, out)
	}
}
