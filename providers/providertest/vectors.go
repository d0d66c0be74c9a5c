package providertest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/providertest/signer"
	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// load returns the vectors that need none of the provider's own options.
func (s Sender) load(t testing.TB) []vector.Vector {
	t.Helper()
	return slices.DeleteFunc(vector.Load(t, s.Dir), func(v vector.Vector) bool {
		return slices.ContainsFunc(v.Options, func(o string) bool { return strings.HasPrefix(o, s.Definition.Provider+" ") })
	})
}

// optionsOf reads the options of a vector.
func (s Sender) optionsOf(v vector.Vector) (*scheme.Options, error) {
	o := s.options()
	for _, option := range v.Options {
		name, value, _ := strings.Cut(option, " ")
		switch {
		case option == "distinct by unsigned id":
			o.InsecureDistinctByUnsignedID = true
		case option == "short secret":
			o.InsecureAllowShortSecret = true
		case name == "url" && value != "":
			o.URL = value
		case name == "partition" && value != "":
			o.Partitions = append(o.Partitions, value)
		case name == "window":
			w, err := time.ParseDuration(value)
			if err != nil {
				return nil, fmt.Errorf("%s: option %q: %w", v.Name, option, err)
			}
			o.Window = verify.Window{Past: w, Future: w}
		default:
			return nil, fmt.Errorf("%s: unknown option %q", v.Name, option)
		}
	}
	return o, nil
}

// judge says of a vector what a guard says before it asks its store.
func judge(v verify.Verifier, h *verify.Head, body []byte) (*verify.Delivery, error) {
	p := v.Profile()
	if err := p.Check(h, int64(len(body))); err != nil {
		return nil, err
	}
	body, err := p.Unpack(h, body)
	if err != nil {
		return nil, err
	}
	return verify.Verify(context.Background(), v, h, body)
}

func verifyOnly(v verify.Verifier, h *verify.Head, body []byte) (*verify.Delivery, error) {
	return verify.Verify(context.Background(), v, h, body)
}

func (s Sender) testVectors(t *testing.T) {
	outcomes := make(map[string]bool)
	for _, tt := range s.load(t) {
		outcomes[tt.Expect] = true
		t.Run(tt.Name, func(t *testing.T) {
			o, err := s.optionsOf(tt)
			if err != nil {
				t.Fatal(err)
			}
			d, err := judge(s.mustNew(t, o, tt.Secrets...), tt.Head, tt.Body)
			if got := vector.Outcome(err); got != tt.Expect {
				t.Fatalf("%s: outcome is %s (%v), want %s", tt.Note, got, err, tt.Expect)
			}
			if err != nil {
				return
			}
			if string(d.Body) != string(tt.Body) {
				t.Error("the body is another one")
			}
			if d.ID != tt.ID {
				t.Errorf("the id is %q, want %q; the line \"# id: …\" names it, and is absent where there is none", d.ID, tt.ID)
			}
			if err := s.respelled(tt, o, tt.Head, tt.Body, d); err != nil {
				t.Errorf("signed again, the delivery looks otherwise: %v", err)
			}
		})
	}
	want := []string{"accept", "unsigned", "malformed", "mismatch"}
	if s.timed() {
		want = append(want, "too_old", "too_new")
	}
	for _, outcome := range want {
		if !outcomes[outcome] {
			t.Errorf("%s has no vector whose outcome is %s", s.Dir, outcome)
		}
	}
}

// respelled signs an accepted delivery again with the signer, and compares each header
// that takes part in verification. They must be the same byte for byte, but for what a
// list may hold besides: items of other kinds, signatures by other secrets, another
// order.
func (s Sender) respelled(v vector.Vector, o *scheme.Options, h *verify.Head, body []byte, d *verify.Delivery) error {
	head := &verify.Head{Method: h.Method, URL: h.URL, Header: s.firstNames(h.Header), ReceivedAt: h.ReceivedAt}
	at := slices.IndexFunc(s.Definition.Signatures, func(by scheme.Signature) bool { return len(signatures(by, head.Header)) > 0 })
	if at < 0 {
		return errors.New("there is no signature")
	}
	by := s.Definition.Signatures[at]
	got := signatures(by, head.Header)
	if len(got) > 16 || len(got) > 1 && !by.Repeated && len(by.More) == 0 {
		return fmt.Errorf("there are %d headers with a signature", len(got))
	}
	fields := make(map[string]string)
	for _, other := range s.headers(by)[1:] {
		if len(head.Header[other]) != 1 {
			return fmt.Errorf("the header %s has %d values", other, len(head.Header[other]))
		}
		fields[other] = head.Header[other][0]
	}
	for _, c := range s.Definition.Constants {
		if fields[http.CanonicalHeaderKey(c.Header)] != c.Value {
			return fmt.Errorf("the header %s does not have its constant value", c.Header)
		}
	}
	written := s.writtenTime(by, head.Header)
	definition := s.Definition
	definition.Signatures = definition.Signatures[at : at+1]
	found := false
	delivery := signer.Delivery{At: d.SignedAt, Written: written, Body: body, URL: o.URL, Fields: fields}
	texts := v.Secrets
	if s.private() { // so nobody here can sign again
		var err error
		if texts, err = s.genuine(by, delivery, got, v.Secrets); err != nil {
			return err
		}
	}
	for _, text := range texts {
		if s.private() {
			delivery.Signatures = []string{text}
		} else {
			delivery.Secrets = []string{text}
		}
		made, err := signer.Header(definition, delivery)
		if err != nil {
			return err
		}
		if t := http.CanonicalHeaderKey(definition.Timestamp.Header); t != "" && made.Get(t) != head.Header[t][0] {
			return fmt.Errorf("the time is %q, want %q", head.Header[t][0], made.Get(t))
		}
		for _, value := range got {
			if by.Separator == "" {
				found = found || made.Get(by.Header) == value
				continue
			}
			ok, err := inList(by, definition.Timestamp, value, made.Get(by.Header))
			if err != nil {
				return err
			}
			found = found || ok
		}
	}
	if !found {
		return errors.New("no secret makes the signature")
	}
	return nil
}

// signatures returns the values of the headers that hold a signature.
func signatures(by scheme.Signature, h http.Header) []string {
	values := slices.Clone(h[http.CanonicalHeaderKey(by.Header)])
	for _, name := range by.More {
		values = append(values, h[http.CanonicalHeaderKey(name)]...)
	}
	return values
}

// firstNames returns a header whose fields have the first names, where the request uses
// the other ones.
func (s Sender) firstNames(h http.Header) http.Header {
	d := s.Definition
	others := false
	for _, by := range d.Signatures {
		for _, a := range d.Aliases {
			if http.CanonicalHeaderKey(a.Header) == http.CanonicalHeaderKey(by.Header) && len(h[http.CanonicalHeaderKey(a.Header)]) == 0 && len(h[http.CanonicalHeaderKey(a.Other)]) > 0 {
				others = true
			}
		}
	}
	if !others {
		return h
	}
	h = h.Clone()
	for _, a := range d.Aliases {
		delete(h, http.CanonicalHeaderKey(a.Header))
		if values, ok := h[http.CanonicalHeaderKey(a.Other)]; ok {
			h[http.CanonicalHeaderKey(a.Header)] = values
		}
	}
	return h
}

// writtenTime returns the time as it stands in the head, where its unit has several
// spellings.
func (s Sender) writtenTime(by scheme.Signature, h http.Header) string {
	t := s.Definition.Timestamp
	if t.Unit != scheme.RFC3339 && t.Unit != scheme.ISO8601 {
		return ""
	}
	if t.Header != "" {
		return h.Get(t.Header)
	}
	for i, item := range listItems(by, h.Get(by.Header)) {
		if t.First && i == 0 {
			return item
		}
		if name, value, _ := strings.Cut(item, by.Assign); t.Field != "" && name == t.Field {
			return value
		}
	}
	return ""
}

// listItems returns the items of a list.
func listItems(by scheme.Signature, value string) []string {
	items := strings.Split(strings.TrimPrefix(value, by.Prefix), by.Separator)
	for i := range items {
		if by.Blanks && i > 0 {
			items[i] = strings.TrimPrefix(items[i], " ")
		}
	}
	return items
}

// inList reports whether a list holds the signature of another one that was made of the
// same message. The time must stand in the list once, and in one spelling.
func inList(by scheme.Signature, timestamp scheme.Timestamp, got, made string) (bool, error) {
	items, want := listItems(by, got), listItems(by, made)
	signature := want[len(want)-1]
	switch {
	case timestamp.Field != "":
		times := slices.DeleteFunc(slices.Clone(items), func(item string) bool { return !strings.HasPrefix(item, timestamp.Field+by.Assign) })
		if !slices.Equal(times, want[:1]) {
			return false, fmt.Errorf("the times are %q, want %q", times, want[:1])
		}
	case timestamp.First && items[0] != want[0]:
		return false, fmt.Errorf("the time is %q, want %q", items[0], want[0])
	}
	if len(items) > 17 { // 16 signatures and a time
		return false, fmt.Errorf("the list has %d items", len(items))
	}
	for _, item := range items {
		if by.Field != "" && !strings.Contains(item, by.Assign) {
			return false, fmt.Errorf("%q is no item", item)
		}
	}
	return slices.Contains(items, signature), nil
}

// testPublished runs the vectors of this provider that nobody of this project wrote.
// Those that need one of the provider's own options are for its own test.
func (s Sender) testPublished(t *testing.T) {
	published := s.published(t)
	if len(published) == 0 {
		t.Skip("nobody else made a vector")
	}
	differences := filepath.Join(s.Dir, "DIFFERENCES.md")
	compare, done := func(t testing.TB, _, published, ours string) {
		t.Helper()
		if published != ours {
			t.Errorf("published: %s, ours: %s, and there is no %s to list it", published, ours, differences)
		}
	}, func() {}
	if _, err := os.Stat(differences); err == nil {
		compare, done = vector.Differences(t, differences)
	}
	for _, tt := range published {
		t.Run(tt.Name, func(t *testing.T) {
			secrets := tt.Secrets
			if s.private() {
				secrets = tt.PublicKeys
			}
			if tt.Verdict == "parse-only" {
				secrets = []string{"not the secret of the documentation"}
			}
			w := s.profile().Window // which an option can only narrow
			o := &scheme.Options{Window: verify.Window{Past: min(tt.Tolerance, w.Past), Future: min(tt.Tolerance, w.Future)}, InsecureAllowShortSecret: true}
			if !s.timed() {
				o.Window = verify.Window{}
			}
			if s.signs(scheme.URLPart) {
				o.URL = tt.Head.URL.String()
			}
			outcome := vector.NoVerifier
			if v, err := s.new(verify.Secrets(s.held(secrets...)...), o); err == nil {
				outcomeOf := judge
				if tt.MediaType == "" { // the collection does not say what the endpoint takes
					outcomeOf = verifyOnly
				}
				_, err := outcomeOf(v, tt.Head, tt.Body)
				t.Log(err)
				outcome = vector.Outcome(err)
			}
			compare(t, tt.Name, tt.Want(t), outcome)
		})
	}
	done()
}

// published returns the published vectors that s can run.
func (s Sender) published(t testing.TB) []vector.Published {
	t.Helper()
	read := vector.PublishedBy
	if s.private() {
		read = vector.PublishedWithPublicKeys
	}
	return slices.DeleteFunc(read(t, s.Definition.Provider), func(v vector.Published) bool {
		return v.AllowSHA1 || v.MediaType != "" && v.MediaType != s.profile().MediaType
	})
}

// Outside reports whether somebody else made a delivery that s was tested with: a
// published vector, or one of the vectors, copied from where its line "# source: …" says.
// It skips the test if the published vectors are not at hand and it needs them.
func (s Sender) Outside(t testing.TB) bool {
	t.Helper()
	for _, v := range s.load(t) {
		if v.Source != "" && v.Expect == "accept" {
			return true
		}
	}
	return slices.ContainsFunc(s.published(t), func(v vector.Published) bool { return v.Verdict == "accept" })
}

// FuzzBody fuzzes one property of each sender: another body than the one that was
// signed never verifies, under any head of the vectors.
func FuzzBody(f *testing.F, senders ...Sender) {
	cases := fuzzCases(f, senders)
	for i, c := range cases {
		f.Add(uint16(i), c.v.Body)
	}
	f.Fuzz(func(t *testing.T, which uint16, body []byte) {
		c := cases[int(which)%len(cases)]
		d, err := verify.Verify(context.Background(), c.verifier(t), c.v.Head, body)
		if signed := string(body) == string(c.v.Body); c.v.Expect == "accept" && signed != (err == nil) {
			t.Fatalf("%s: the signed body: %v, error: %v", c.v.Name, signed, err)
		}
		if err != nil {
			return
		}
		if err := c.sender.respelled(c.v, c.options, c.v.Head, body, d); err != nil {
			t.Fatalf("%s: accepted without a signature of this body: %v", c.v.Name, err)
		}
	})
}

// FuzzHead fuzzes another property: a head that is accepted has one spelling. Signed
// again, it is the same byte for byte, but for what the scheme ignores.
func FuzzHead(f *testing.F, senders ...Sender) {
	cases := fuzzCases(f, senders)
	for i, c := range cases {
		for j, name := range c.names {
			f.Add(uint16(i), uint8(j), c.v.Head.Header.Get(name))
		}
	}
	f.Fuzz(func(t *testing.T, which uint16, header uint8, value string) {
		c := cases[int(which)%len(cases)]
		head := *c.v.Head
		head.Header = head.Header.Clone()
		head.Header[c.names[int(header)%len(c.names)]] = []string{value}
		d, err := verify.Verify(context.Background(), c.verifier(t), &head, c.v.Body)
		if err != nil {
			return
		}
		if err := c.sender.respelled(c.v, c.options, &head, c.v.Body, d); err != nil {
			t.Errorf("%s: %s %q is accepted: %v", c.v.Name, c.names[int(header)%len(c.names)], value, err)
		}
	})
}

// fuzzCase is a vector to start from.
type fuzzCase struct {
	sender  Sender
	v       vector.Vector
	options *scheme.Options
	names   []string // of the headers that take part in verification
}

func (c fuzzCase) verifier(t testing.TB) verify.Verifier {
	t.Helper()
	return c.sender.mustNew(t, c.options, c.v.Secrets...)
}

func fuzzCases(f *testing.F, senders []Sender) []fuzzCase {
	f.Helper()
	var cases []fuzzCase
	for _, s := range senders {
		var names []string
		for _, by := range s.Definition.Signatures {
			for _, name := range append(s.headers(by), by.More...) {
				name = http.CanonicalHeaderKey(name)
				if !slices.Contains(names, name) {
					names = append(names, name)
				}
			}
		}
		for _, v := range s.load(f) {
			o, err := s.optionsOf(v)
			if err != nil {
				f.Fatal(err)
			}
			v.Name = s.Definition.Provider + " " + strconv.Quote(v.Name)
			cases = append(cases, fuzzCase{s, v, o, names})
		}
	}
	return cases
}
