package providertest

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/verify"
)

// Embedded describes a verifier whose signature stands in the body to ExerciseEmbedded, and
// a signer that makes genuine deliveries for it.
type Embedded struct {
	// New makes the verifier, as in Subject. Required.
	New func(keys verify.KeySource) (verify.Verifier, error)

	// Sign returns a genuine delivery of one of several events, and the ids that a Delivery
	// must have. The signer shares no code with the verifier. The secret is "" if the scheme
	// has none. Times lie in the years 2002 to 2106. Required.
	Sign func(at time.Time, event int, secret string) (body []byte, id, messageID string)

	// Profile is what the verifier must say of itself.
	Profile verify.Profile

	// Events is how many different events Sign makes, at least two.
	Events int

	// Secrets are at least verify.MaxKeys+1 different secrets that New accepts, or none if
	// the scheme has none.
	Secrets []string

	// Unit is the unit of the signed time. Default: one second.
	Unit time.Duration

	// EqualBodies: the fingerprint is that of the body, because what is signed does not tell
	// two events apart. It is for a Profile with verify.BindingNone alone.
	EqualBodies bool
}

// ExerciseEmbedded runs the battery for a verifier whose signature stands in the body, as
// subtests of t. A body that differs from a genuine one must be refused, or be taken for
// the same message: where the scheme does not sign it, white space and other members may
// change.
func ExerciseEmbedded(t *testing.T, s Embedded) {
	t.Helper()
	if s.New == nil || s.Sign == nil || s.Events < 2 || len(s.Secrets) != 0 && len(s.Secrets) <= verify.MaxKeys {
		t.Fatal("Embedded needs New, Sign, two Events, and no Secrets or more than verify.MaxKeys")
	}
	if s.Unit == 0 {
		s.Unit = time.Second
	}
	e := &embedded{Embedded: s}
	var keys verify.KeySource
	if len(s.Secrets) > 0 {
		k, err := verify.NewKey(scope, label(0), []byte(s.Secrets[0]))
		if err != nil {
			t.Fatal(err)
		}
		keys = verify.KeyList{k}
	}
	var err error
	if e.v, err = s.New(keys); err != nil {
		t.Fatalf("New: %v", err)
	}
	e.testGenuine(t)
	e.testBody(t)
	e.testHead(t)
	e.testTime(t)
	e.testSteps(t)
	if len(s.Secrets) > 0 {
		e.testSecrecy(t)
		b := newBattery(t, e.carried())
		b.testRotation(t)
		b.testSources(t)
		b.testLists(t)
		b.testConcurrency(t)
	}
}

type embedded struct {
	Embedded
	v verify.Verifier
}

// sign signs an event with the first secret.
func (e *embedded) sign(at time.Time, event int) []byte {
	secret := ""
	if len(e.Secrets) > 0 {
		secret = e.Secrets[0]
	}
	body, _, _ := e.Sign(at, event, secret)
	return body
}

func (e *embedded) timed() bool { return e.Profile.Window != verify.Window{} }

func headAt(at time.Time) *verify.Head {
	return &verify.Head{Method: http.MethodPost, Header: http.Header{}, ReceivedAt: at.Add(700 * time.Millisecond)}
}

func (e *embedded) testGenuine(t *testing.T) {
	t.Run("the profile is what the subject says and stays so", func(t *testing.T) {
		for range 2 {
			if got := e.v.Profile(); got != e.Profile {
				t.Errorf("Profile is %+v, want %+v", got, e.Profile)
			}
		}
	})
	seen := make(map[[32]byte]int)
	for event := range e.Events {
		t.Run("a genuine delivery is accepted: event "+strconv.Itoa(event), func(t *testing.T) {
			secret := ""
			if len(e.Secrets) > 0 {
				secret = e.Secrets[0]
			}
			body, id, messageID := e.Sign(signedAt, event, secret)
			kept := slices.Clone(body)
			h := headAt(signedAt)
			d := accept(t, "genuine", e.v, h, body)
			if !bytes.Equal(body, kept) {
				t.Error("verification changed the body")
			}
			want := verify.Delivery{
				Provider: e.Profile.Provider, Scope: d.Scope, KeyLabel: d.KeyLabel, ID: id, MessageID: messageID,
				ReceivedAt: h.ReceivedAt, Binding: e.Profile.Binding, Body: body,
			}
			if len(e.Secrets) > 0 {
				want.Scope, want.KeyLabel = scope, label(0)
			}
			if e.timed() {
				want.SignedAt = signedAt
			}
			if got := printless(d); !reflect.DeepEqual(got, want) {
				t.Errorf("Delivery is\n%+v, want\n%+v", got, want)
			}
			if &d.Body[0] != &body[0] || len(d.Body) != len(body) {
				t.Error("Body is not the slice that was verified")
			}
			print := d.Fingerprint.Sum()
			if other, ok := seen[print]; ok || print == [32]byte{} {
				t.Errorf("the fingerprint is zero, or that of event %d", other)
			}
			seen[print] = event
			if again := accept(t, "again", e.v, h, body); !equal(again, d) {
				t.Errorf("the second verification says\n%+v, the first\n%+v", again, d)
			}
		})
	}
	t.Run("a delivery of another year is accepted with its own receive time", func(t *testing.T) {
		for _, year := range []int{2002, 2016, 2038, 2106} {
			at := time.Date(year, 2, 3, 4, 5, 6, 0, time.UTC)
			accept(t, at.Format(time.RFC3339), e.v, headAt(at), e.sign(at, 0))
		}
	})
	t.Run("the receive time's zone does not matter", func(t *testing.T) {
		h := headAt(signedAt)
		h.ReceivedAt = h.ReceivedAt.In(time.FixedZone("", 14*3600))
		accept(t, "zone", e.v, h, e.sign(signedAt, 0))
	})
}

// harmless wants a body to be refused, or to be taken for the message that d is of.
func (e *embedded) harmless(t testing.TB, what string, body []byte, d *verify.Delivery) {
	t.Helper()
	got, err := verdict(t, e.v, headAt(signedAt), body)
	if err != nil {
		return
	}
	if !e.EqualBodies {
		same(t, what, got, d)
	}
	if got.MessageID != d.MessageID || got.Scope != d.Scope || !got.SignedAt.Equal(d.SignedAt) {
		t.Fatalf("%s: accepted with another scope or time", what)
	}
}

func (e *embedded) testBody(t *testing.T) {
	for event := range e.Events {
		genuine := e.sign(signedAt, event)
		d := accept(t, "genuine", e.v, headAt(signedAt), genuine)
		refuse := func(t *testing.T, what string, body []byte) {
			t.Helper()
			if _, err := verdict(t, e.v, headAt(signedAt), body); err == nil {
				t.Fatalf("%s: accepted", what)
			}
		}
		t.Run("a body with one bit flipped is refused, or the same message: event "+strconv.Itoa(event), func(t *testing.T) {
			refused := 0
			for i := range genuine {
				for bit := range 8 {
					body := slices.Clone(genuine)
					body[i] ^= 1 << bit
					e.harmless(t, "flipped", body, d)
					if _, err := verdict(t, e.v, headAt(signedAt), body); err != nil {
						refused++
					}
				}
			}
			if refused < len(genuine) {
				t.Errorf("%d of %d were refused: is anything signed?", refused, 8*len(genuine))
			}
		})
		t.Run("a body that is cut is refused: event "+strconv.Itoa(event), func(t *testing.T) {
			for i := range bytes.TrimSpace(genuine) {
				if e.harmless(t, "cut at its end", genuine[:i], d); i < len(genuine)-len("%0A") {
					refuse(t, "cut at its end", genuine[:i])
				}
				e.harmless(t, "cut at its front", genuine[i+1:], d) // of a form, a field may go
			}
		})
		t.Run("a body with more in it is refused, or the same message: event "+strconv.Itoa(event), func(t *testing.T) {
			for _, more := range []string{"\x00", "}", "=", "\xff", "\ufeff", string(genuine), "{}", "[]", "&x=1"} {
				e.harmless(t, "behind", append(slices.Clone(genuine), more...), d)
				e.harmless(t, "in front", append([]byte(more), genuine...), d)
			}
			for i := range len(genuine) + 1 {
				for _, c := range []string{" ", "\n", "0", "a", "A", `"`, `\`, ",", ":", "%", "+", "&", "=", "\x00", "\r\n", "\u0301"} {
					e.harmless(t, "inside", slices.Concat(genuine[:i], []byte(c), genuine[i:]), d)
				}
			}
		})
		t.Run("garbage is refused, or the same message: event "+strconv.Itoa(event), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(5, uint64(event)))
			for range 4000 {
				e.harmless(t, "garbage", []byte(garbage(rng, string(genuine))), d)
			}
			for _, body := range []string{"", "{}", "[]", "null", "true", `"x"`, "1", "{", "a=b", "&", "=", "--b--"} {
				refuse(t, body, []byte(body))
			}
			refuse(t, "nil", nil)
		})
	}
	t.Run("values of one delivery do not fit another's signature", func(t *testing.T) {
		one, other := e.sign(signedAt, 0), e.sign(signedAt.Add(e.Unit), 1)
		d, o := accept(t, "one", e.v, headAt(signedAt), one), accept(t, "other", e.v, headAt(signedAt), other)
		for i := range one {
			for _, j := range []int{i, len(other) - (len(one) - i)} {
				if j < 0 || j > len(other) {
					continue
				}
				got, err := verdict(t, e.v, headAt(signedAt), slices.Concat(one[:i], other[j:]))
				if err == nil && !e.EqualBodies && !got.Fingerprint.Equal(d.Fingerprint) && !got.Fingerprint.Equal(o.Fingerprint) {
					t.Fatalf("spliced at %d: a third message", i)
				}
			}
		}
	})
}

func (e *embedded) testHead(t *testing.T) {
	body := e.sign(signedAt, 0)
	want := accept(t, "genuine", e.v, headAt(signedAt), body)
	t.Run("a head without a receive time is refused", func(t *testing.T) {
		for name, h := range map[string]*verify.Head{"nil": nil, "empty": {}, "zero": {Method: http.MethodPost, Header: http.Header{"A": {"b"}}}} {
			if p, err := e.v.Begin(context.Background(), h); err == nil || p != nil || verify.ReasonOf(err) != verify.ErrMalformed {
				t.Errorf("%s: Begin says %v", name, err)
			}
		}
	})
	t.Run("headers and URL decide nothing", func(t *testing.T) {
		for name, header := range map[string]http.Header{
			"none": nil,
			"some": {"Signature": {"x", "y"}, "X-Signature": {"a"}, "Authorization": {"b"}, "Content-Type": {"text/html"}, "Date": {"\xff"}},
		} {
			h := headAt(signedAt)
			h.Header = header
			h.URL = parseURL(t, "https://elsewhere.example/?signature=1")
			same(t, name, accept(t, name, e.v, h, body), want)
		}
	})
}

func (e *embedded) testTime(t *testing.T) {
	body := e.sign(signedAt, 0)
	at := func(received time.Time) *verify.Head {
		h := headAt(signedAt)
		h.ReceivedAt = received
		return h
	}
	w := e.v.Profile().Window
	if !e.timed() {
		t.Run("no time is signed, so any receive time is accepted", func(t *testing.T) {
			for _, received := range []time.Time{time.Unix(0, 0), signedAt.AddDate(-30, 0, 0), signedAt.AddDate(300, 0, 0)} {
				accept(t, received.String(), e.v, at(received), body)
			}
		})
		return
	}
	reject := func(t *testing.T, what string, received time.Time, want verify.Reason) {
		t.Helper()
		if _, err := verdict(t, e.v, at(received), body); verify.ReasonOf(err) != want {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
	}
	t.Run("both ends of the window belong to it, to the nanosecond", func(t *testing.T) {
		accept(t, "the oldest", e.v, at(signedAt.Add(w.Past)), body)
		reject(t, "older", signedAt.Add(w.Past+1), verify.ErrTooOld)
		accept(t, "the newest", e.v, at(signedAt.Add(-w.Future)), body)
		reject(t, "newer", signedAt.Add(-w.Future-1), verify.ErrTooNew)
	})
	t.Run("no distance is too far to be refused", func(t *testing.T) {
		for _, received := range []time.Time{time.Time{}.Add(1), time.Unix(0, 0), signedAt.AddDate(-300, 0, 0)} {
			reject(t, received.String(), received, verify.ErrTooNew)
		}
		for _, received := range []time.Time{signedAt.AddDate(300, 0, 0), time.Unix(1<<60, 0)} {
			reject(t, received.String(), received, verify.ErrTooOld)
		}
	})
}

func (e *embedded) testSteps(t *testing.T) {
	ctx := context.Background()
	begin := func(t *testing.T) verify.Pending {
		t.Helper()
		p, err := e.v.Begin(ctx, headAt(signedAt))
		if err != nil || p == nil {
			t.Fatalf("Begin: Pending is nil: %v, error: %v", p == nil, err)
		}
		return p
	}
	t.Run("requests that are pending at once do not mix", func(t *testing.T) {
		p, q := begin(t), begin(t)
		one, other := e.sign(signedAt, 0), e.sign(signedAt, 1)
		second, err := q.Finish(ctx, other)
		if err != nil {
			t.Fatal(err)
		}
		first, err := p.Finish(ctx, one)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "the first", first, accept(t, "alone", e.v, headAt(signedAt), one))
		same(t, "the second", second, accept(t, "alone", e.v, headAt(signedAt), other))
	})
	t.Run("genuine and forged deliveries at once do not mix", func(t *testing.T) {
		done := make(chan error, 8)
		for w := range cap(done) {
			go func() {
				for r := range 40 {
					body := e.sign(signedAt, (w+r)%e.Events)
					if r%2 == 1 {
						body = body[:len(body)-5]
					}
					d, err := verify.Verify(ctx, e.v, headAt(signedAt), body)
					if (err == nil) != (r%2 == 0) || (d == nil) != (err != nil) {
						done <- errors.New("a verdict is wrong")
						return
					}
				}
				done <- nil
			}()
		}
		for range cap(done) {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
}

// testSecrecy prints what a program holds in every way, and looks for secrets.
func (e *embedded) testSecrecy(t *testing.T) {
	ctx := context.Background()
	body := e.sign(signedAt, 0)
	foreign, _, _ := e.Sign(signedAt, 0, e.Secrets[1])
	accept(t, "genuine", e.v, headAt(signedAt), body)
	p, err := e.v.Begin(ctx, headAt(signedAt))
	if err != nil {
		t.Fatal(err)
	}
	_, mismatch := verify.Verify(ctx, e.v, headAt(signedAt), foreign)
	if verify.ReasonOf(mismatch) != verify.ErrMismatch {
		t.Fatalf("a stranger's signature: %v", mismatch)
	}
	secrets := needles(e.Secrets[:2]...)
	for name, value := range map[string]any{
		"Verifier": e.v, "Verifier, dereferenced": dereferenced(e.v), "Pending": p, "Pending, dereferenced": dereferenced(p),
		"Verifier in an unexported field": struct{ v verify.Verifier }{e.v}, "refusal": mismatch,
	} {
		t.Run("no way of printing shows a secret: "+name, func(t *testing.T) {
			for how, text := range printed(value) {
				if problem := leak(text, secrets); problem != "" {
					t.Errorf("%s shows a secret %s", how, problem)
				}
			}
			for _, text := range reachable(value) {
				if problem := leak(text, secrets); problem != "" {
					t.Errorf("reflection finds a secret %s", problem)
				}
			}
		})
	}
	t.Run("refusals hold nothing of the body", func(t *testing.T) {
		// The names of members stand in errors; values have digits in them.
		known := slices.DeleteFunc(needles(string(body)), func(n needle) bool { return n.notation != "clear" || !strings.ContainsAny(n.text, "0123456789") })
		rng := rand.New(rand.NewPCG(6, 6))
		for range 300 {
			if _, err := verify.Verify(ctx, e.v, headAt(signedAt), []byte(garbage(rng, string(body)))); err != nil {
				if problem := leak(err.Error(), known); problem != "" {
					t.Fatalf("the refusal holds a part of the body %s: %v", problem, err)
				}
			}
		}
		if problem := leak(mismatch.Error(), known); problem != "" {
			t.Errorf("the refusal holds a part of the body %s", problem)
		}
	})
}

// carrier is the header that carries a body in carried.
const carrier = "X-Carried-Body"

// carried describes the verifier as one whose signature stands in a header, to the parts of
// the battery that are about keys: the header holds the body, and the body names the event.
func (e *embedded) carried() Subject {
	var events []Event
	for i := range e.Events {
		_, id, messageID := e.Sign(signedAt, i, e.Secrets[0])
		events = append(events, Event{Name: strconv.Itoa(i), Body: []byte("event " + strconv.Itoa(i)), ID: id, MessageID: messageID})
	}
	return Subject{
		New: func(keys verify.KeySource) (verify.Verifier, error) {
			v, err := e.New(keys)
			if err != nil {
				return nil, err
			}
			return unpacking{v}, nil
		},
		Sign: func(at time.Time, _ *url.URL, body []byte, secrets ...string) http.Header {
			i, err := strconv.Atoi(strings.TrimPrefix(string(body), "event "))
			if err != nil || len(secrets) != 1 {
				panic("carried is for the events alone")
			}
			real, _, _ := e.Sign(at, i, secrets[0])
			return http.Header{carrier: {string(body) + "|" + base64.StdEncoding.EncodeToString(real)}}
		},
		Profile: e.Profile, Events: events, Secrets: e.Secrets, Headers: []string{carrier}, Unit: e.Unit,
	}
}

// unpacking is a verifier that takes the body out of the header.
type unpacking struct{ verify.Verifier }

func (u unpacking) Begin(ctx context.Context, h *verify.Head) (verify.Pending, error) {
	p, err := u.Verifier.Begin(ctx, h)
	if err != nil {
		return nil, err
	}
	return &unpacked{p, h.Header.Get(carrier)}, nil
}

type unpacked struct {
	verify.Pending
	carried string
}

func (u *unpacked) Finish(ctx context.Context, body []byte) (*verify.Delivery, error) {
	event, text, _ := strings.Cut(u.carried, "|")
	real, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, &verify.Error{Reason: verify.ErrMismatch}
	}
	d, err := u.Pending.Finish(ctx, real)
	if err != nil {
		return nil, err
	}
	if event != string(body) {
		return nil, &verify.Error{Reason: verify.ErrMismatch}
	}
	c := *d
	c.Body = body
	return &c, nil
}
