package providertest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/providertest/signer"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// Sender is a provider that is data.
type Sender struct {
	// Definition is how it signs.
	Definition scheme.Definition

	// Dir is the folder of its vectors.
	Dir string

	// New makes its verifier, as the provider's constructor does. Default: scheme.New
	// with the Definition.
	New func(keys verify.KeySource, o *scheme.Options) (verify.Verifier, error)
}

// Test runs everything but the benchmark and the properties to fuzz, as subtests of t.
func (s Sender) Test(t *testing.T) {
	t.Run("battery", s.testBattery)
	t.Run("vectors", s.testVectors)
	t.Run("published", s.testPublished)
	t.Run("retry", s.testRetry)
	t.Run("partitions", s.testPartitions)
	t.Run("aliases", s.testAliases)
	t.Run("secrets", s.testSecrets)
	t.Run("handshakes", s.testHandshakes)
	t.Run("allocations", s.testAllocations)
}

// testURL is the URL that a scheme signs here, where a vector does not say another.
const testURL = "https://hooks.example.com/in/7?tenant=4711"

func (s Sender) new(keys verify.KeySource, o *scheme.Options) (verify.Verifier, error) {
	if s.New != nil {
		return s.New(keys, o)
	}
	v, err := scheme.New(s.Definition, keys, o)
	if err != nil {
		return nil, err
	}
	return v, nil
}

// options returns the options of an endpoint without choices.
func (s Sender) options() *scheme.Options {
	if s.signs(scheme.URLPart) {
		return &scheme.Options{URL: testURL}
	}
	return &scheme.Options{}
}

func (s Sender) mustNew(t testing.TB, o *scheme.Options, secrets ...string) verify.Verifier {
	t.Helper()
	v, err := s.new(verify.Secrets(s.held(secrets...)...), o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (s Sender) signs(kind scheme.PartKind) bool {
	return slices.ContainsFunc(s.Definition.Message, func(p scheme.Part) bool { return p.Kind() == kind })
}

func (s Sender) timed() bool {
	t := s.Definition.Timestamp
	return t.Header != "" || t.Field != "" || t.First || t.Member != ""
}

// carry puts the signed time into a body, where that is its place.
func (s Sender) carry(at time.Time, body []byte) []byte {
	name := s.Definition.Timestamp.Member
	if name == "" {
		return body
	}
	n := at.Unix()
	if s.Definition.Timestamp.Unit == scheme.Milliseconds {
		n = at.UnixMilli()
	}
	if place := regexp.MustCompile(`("` + regexp.QuoteMeta(name) + `"\s*:\s*)[0-9]+`); place.Match(body) {
		return place.ReplaceAll(body, fmt.Appendf(nil, "${1}%d", n))
	}
	return fmt.Appendf([]byte(s.Definition.BodyPrefix), `{%q:%d,"data":%q}`, name, n, hex.EncodeToString(body))
}

// headers returns the names of the headers that take part in verification if the
// request is signed in the one way only: that signature's first.
func (s Sender) headers(by scheme.Signature) []string {
	names := []string{http.CanonicalHeaderKey(by.Header)}
	for _, p := range s.Definition.Message {
		if p.Kind() == scheme.FieldPart && !slices.Contains(names, p.Text()) {
			names = append(names, p.Text())
		}
	}
	if name := s.Definition.Timestamp.Header; name != "" {
		names = append(names, http.CanonicalHeaderKey(name))
	}
	for _, c := range s.Definition.Constants {
		names = append(names, http.CanonicalHeaderKey(c.Header))
	}
	return names
}

// unsigned returns the names of the headers that the definition reads and that are
// not signed.
func (s Sender) unsigned() []string {
	var names []string
	for _, name := range []string{s.Definition.UnsignedID, s.Definition.UnsignedType, s.Definition.Partition} {
		name = http.CanonicalHeaderKey(name)
		signed := slices.ContainsFunc(s.Definition.Message, func(p scheme.Part) bool { return p.Kind() == scheme.FieldPart && p.Text() == name })
		if name != "" && !signed && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// fields returns values for the headers beside the signature and the time.
func (s Sender) fields() map[string]string {
	fields := make(map[string]string)
	for i, p := range s.Definition.Message {
		if p.Kind() == scheme.FieldPart {
			fields[p.Text()] = formed(p, fmt.Sprintf("value%d", i))
		}
	}
	if name := s.Definition.ID.Header; name != "" {
		fields[http.CanonicalHeaderKey(name)] = s.id()
	}
	for i, name := range s.unsigned() {
		fields[name] = fmt.Sprintf("unsigned%d", i)
	}
	return fields
}

// id returns an id of the right form.
func (s Sender) id() string {
	id := s.Definition.ID.Prefix + "1TBQ8xLkdIwHu7ixY3mPzv4c"
	for _, p := range s.Definition.Message {
		if p.Kind() == scheme.FieldPart && p.Text() == http.CanonicalHeaderKey(s.Definition.ID.Header) {
			return formed(p, id)
		}
	}
	return id
}

// formed returns a value of the form that a signed header must have.
func formed(p scheme.Part, value string) string {
	switch {
	case p.UUID():
		return "3f0c9a5e-7d21-4b68-9c04-1e5a7b2d8f36"
	case p.Size() > 0:
		return (value + strings.Repeat("w", p.Size()))[:p.Size()]
	}
	return value
}

// secrets returns as many secrets as the battery wants.
func (s Sender) secrets() []string {
	var all []string
	for i := range verify.MaxKeys + 1 {
		if s.private() {
			all = append(all, privateKey(s.Definition.Signatures[0].Algorithm, s.Definition.Provider, i))
			continue
		}
		sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", s.Definition.Provider, i))
		text := "z" + hex.EncodeToString(sum[:14]) // hexadecimal begins no known prefix
		switch s.Definition.Secret.Encoding {
		case scheme.Base64Secret:
			text = base64.StdEncoding.EncodeToString(sum[:24])
		case scheme.HexSecret:
			text = hex.EncodeToString(sum[:24])
		}
		all = append(all, s.Definition.Secret.Prefix+text)
	}
	return all
}

// sign returns a genuine head of the delivery, signed by the signature at an index.
func (s Sender) sign(by int, at time.Time, body []byte, secrets ...string) http.Header {
	d := s.Definition
	d.Signatures = d.Signatures[by : by+1]
	h, err := signer.Header(d, signer.Delivery{At: at, Body: body, URL: testURL, Fields: s.fields(), Secrets: secrets})
	if err != nil {
		panic(err)
	}
	return h
}

// profile returns what the verifier must say of itself.
func (s Sender) profile() verify.Profile {
	d := s.Definition
	p := verify.Profile{
		Provider: d.Provider, MediaType: d.MediaType, MaxBody: d.MaxBody, Binding: verify.BindingFull,
		Retry: d.Retry, Retention: d.Retention, Compression: d.Compression, Rejection: d.Rejection,
	}
	if p.MediaType == "" {
		p.MediaType = "application/json"
	}
	if s.timed() {
		p.Window = d.Timestamp.Window
		for _, end := range []*time.Duration{&p.Window.Past, &p.Window.Future} {
			if *end == 0 {
				*end = 5 * time.Minute
			}
		}
	}
	return p
}

func (s Sender) testBattery(t *testing.T) {
	for i, by := range s.Definition.Signatures {
		f := func(t *testing.T) { Exercise(t, s.subject(t, i)) }
		if len(s.Definition.Signatures) == 1 {
			f(t)
		} else {
			t.Run("signed in "+by.Header, f)
		}
	}
}

// subject describes the sender to the battery, as it signs in one of its ways.
func (s Sender) subject(t *testing.T, by int) Subject {
	d := s.Definition
	signature := d.Signatures[by]
	subject := Subject{
		New:      func(keys verify.KeySource) (verify.Verifier, error) { return s.new(keys, s.options()) },
		Profile:  s.profile(),
		Events:   s.events(t),
		Secrets:  s.secrets(),
		Headers:  s.headers(signature),
		Unsigned: s.unsigned(),
		Several:  signature.Separator != "" || signature.Repeated,
		Repeated: signature.Repeated,
		Blanks:   signature.Blanks,
		Unit:     time.Second,

		BodyPrefix: d.BodyPrefix,
		Sign: func(at time.Time, _ *url.URL, body []byte, secrets ...string) http.Header {
			return s.sign(by, at, body, secrets...)
		},
	}
	if s.private() {
		subject.Held = func(secret string) string { return s.held(secret)[0] }
	}
	if d.Timestamp.Unit == scheme.Milliseconds {
		subject.Unit = time.Millisecond
	}
	if d.Timestamp.Member != "" {
		subject.Carry = s.carry
	}
	if by == 0 {
		for _, weaker := range d.Signatures[1:] { // which decide nothing beside the first
			subject.Unsigned = append(subject.Unsigned, http.CanonicalHeaderKey(weaker.Header))
		}
	}
	if signature.Separator != "" {
		subject.Variants = listVariants(d, signature)
	}
	subject.Variants = append(subject.Variants, headerVariants(d, signature)...)
	return subject
}

// events returns the shortest different bodies of the accepted vectors, and an empty
// one.
func (s Sender) events(t *testing.T) []Event {
	t.Helper()
	const most = 6
	var all []Event
	for _, v := range s.load(t) {
		if v.Expect != "accept" || len(v.Body) == 0 || slices.ContainsFunc(all, func(e Event) bool { return bytes.Equal(e.Body, v.Body) }) {
			continue
		}
		e := Event{Name: v.Name, Body: s.carry(signedAt, v.Body), ID: v.ID}
		if slices.ContainsFunc(all, func(o Event) bool { return bytes.Equal(e.Body, o.Body) }) {
			continue // they differed in their times
		}
		if s.Definition.ID.Header != "" {
			e.ID = s.id()
		}
		all = append(all, e)
	}
	// Those with an id and those without one, in turn.
	slices.SortStableFunc(all, func(a, b Event) int { return len(a.Body) - len(b.Body) })
	var events []Event
	for _, with := range []bool{true, false} {
		n := 0
		for _, e := range all {
			if (e.ID != "") == with && n < most/2 {
				events = append(events, e)
				n++
			}
		}
	}
	if len(events) < 2 {
		t.Fatalf("%s: the accepted vectors have %d different bodies that are not empty, want at least 2", s.Dir, len(events))
	}
	if s.Definition.BodyPrefix != "" || s.Definition.Timestamp.Member != "" {
		return events
	}
	empty := Event{Name: "an empty body"}
	if s.Definition.ID.Header != "" {
		empty.ID = s.id()
	}
	return append(events, empty)
}

// listVariants are other ways to write a list: what the scheme must ignore, and what
// does not matter.
func listVariants(d scheme.Definition, by scheme.Signature) []Variant {
	name := http.CanonicalHeaderKey(by.Header)
	edit := func(f func(items []string) []string) func(http.Header) {
		return func(h http.Header) {
			separator := by.Separator
			if by.Blanks {
				separator += " "
			}
			h.Set(name, by.Prefix+strings.Join(f(listItems(by, h.Get(name))), separator))
		}
	}
	timed := d.Timestamp.Field != "" || d.Timestamp.First
	item := func(name, value string) string { return name + by.Assign + value }
	forged := forgedBy(by)
	if by.Field != "" {
		forged = item(by.Field, forged)
	}
	front := func(l []string, text string) []string { return append([]string{text}, l...) }
	if d.Timestamp.First {
		front = func(l []string, text string) []string { return append([]string{l[0], text}, l[1:]...) }
	}
	variants := []Variant{
		{"a forged signature in front", edit(func(l []string) []string { return front(l, forged) })},
		{"the signature twice", edit(func(l []string) []string { return append(l, l[len(l)-1]) })},
	}
	if by.Field == "" {
		variants = append(variants,
			Variant{"an item that does not decode in front", edit(func(l []string) []string { return front(l, "?") })},
			Variant{"an item that does not decode behind", edit(func(l []string) []string { return append(l, "00ff") })},
		)
	} else {
		const other = "x9" // no scheme's name of a signature
		variants = append(variants,
			Variant{"an item of another kind behind", edit(func(l []string) []string { return append(l, item(other, "00ff")) })},
			Variant{"an item of another kind in front", edit(func(l []string) []string { return append([]string{item(other, "a"+by.Assign+"b")}, l...) })},
			Variant{"an item of another kind that is nothing", edit(func(l []string) []string { return append(l, item(other, "?")) })},
			Variant{"a signature that does not decode in front", edit(func(l []string) []string { return append([]string{item(by.Field, "?")}, l...) })},
		)
	}
	if d.Timestamp.Field != "" {
		variants = append(variants, Variant{"the signature in front of the time", edit(func(l []string) []string {
			slices.Reverse(l)
			return l
		})})
	}
	if by.Blanks && timed {
		variants = append(variants, Variant{"no blank behind the separator", func(h http.Header) {
			h.Set(name, strings.ReplaceAll(h.Get(name), by.Separator+" ", by.Separator))
		}})
	}
	return variants
}

// forgedBy returns the text of a signature that signs nothing.
func forgedBy(by scheme.Signature) string {
	size := 64 // of Ed25519, and too short for RSA
	if newHash := hashes[by.Algorithm]; newHash != nil {
		size = newHash().Size()
	}
	zeros := make([]byte, size)
	switch by.Encoding {
	case scheme.Base64:
		return base64.StdEncoding.EncodeToString(zeros)
	case scheme.Base64URL:
		return base64.URLEncoding.EncodeToString(zeros)
	case scheme.RawBase64URL:
		return base64.RawURLEncoding.EncodeToString(zeros)
	}
	return hex.EncodeToString(zeros)
}

// headerVariants are other headers in which the signature, and what is signed, may
// stand.
func headerVariants(d scheme.Definition, by scheme.Signature) []Variant {
	name := http.CanonicalHeaderKey(by.Header)
	forged := by.Prefix + forgedBy(by)
	if by.Field != "" {
		forged = by.Field + by.Assign + forgedBy(by)
	}
	var variants []Variant
	for _, more := range by.More {
		variants = append(variants,
			Variant{"the signature in " + more, func(h http.Header) {
				h.Set(more, h.Get(name))
				h.Del(name)
			}},
			Variant{"the signature in " + more + ", too", func(h http.Header) { h.Set(more, h.Get(name)) }},
			Variant{"the signature in " + more + ", and a forged one in its own header", func(h http.Header) {
				h.Set(more, h.Get(name))
				h.Set(name, forged)
			}},
			Variant{"a forged signature in " + more, func(h http.Header) { h.Set(more, forged) }},
			Variant{"nothing in " + more, func(h http.Header) { h[http.CanonicalHeaderKey(more)] = []string{""} }},
		)
		if by.Separator == "" {
			variants = append(variants, Variant{"what is no signature in " + more, func(h http.Header) { h.Set(more, "?") }})
		}
	}
	if by.Repeated {
		variants = append(variants,
			Variant{"the header twice", func(h http.Header) { h.Add(name, h.Get(name)) }},
			Variant{"the header twice, first with a forged signature", func(h http.Header) { h[name] = []string{forged, h.Get(name)} }},
			Variant{"the header twice, then with a forged signature", func(h http.Header) { h.Add(name, forged) }},
			Variant{"the header twice, first with nothing", func(h http.Header) { h[name] = []string{"", h.Get(name)} }},
		)
	}
	if len(d.Aliases) > 0 {
		variants = append(variants,
			Variant{"under the other names", func(h http.Header) { renamed(d, h, true) }},
			Variant{"under both names", func(h http.Header) { renamed(d, h, false) }},
		)
	}
	return variants
}

// renamed puts what stands in a header under its other name, too, or instead.
func renamed(d scheme.Definition, h http.Header, instead bool) {
	for _, a := range d.Aliases {
		name := http.CanonicalHeaderKey(a.Header)
		values, ok := h[name]
		if !ok {
			continue
		}
		h[http.CanonicalHeaderKey(a.Other)] = slices.Clone(values)
		if instead {
			delete(h, name)
		}
	}
}

// testAliases mixes the names of headers: a request uses the ones or the others.
func (s Sender) testAliases(t *testing.T) {
	d := s.Definition
	if len(d.Aliases) == 0 {
		t.Skip("each header has one name")
	}
	secret := s.secrets()[0]
	v := s.mustNew(t, s.options(), secret)
	body := s.body(256)
	outcome := func(edit func(h http.Header)) error {
		h := s.sign(0, signedAt, body, secret)
		edit(h)
		_, err := verify.Verify(context.Background(), v, &verify.Head{Method: http.MethodPost, Header: h, ReceivedAt: signedAt}, body)
		return err
	}
	for _, instead := range []bool{true, false} {
		if err := outcome(func(h http.Header) { renamed(d, h, instead) }); err != nil {
			t.Errorf("under the other names, in place of the first ones: %v: %v", instead, err)
		}
	}
	for _, a := range d.Aliases {
		err := outcome(func(h http.Header) {
			renamed(d, h, false)
			h.Set(a.Other, "x"+h.Get(a.Other))
		})
		if verify.ReasonOf(err) != verify.ErrMalformed {
			t.Errorf("%s and %s differ: %v", a.Header, a.Other, err)
		}
		required := !slices.Contains(s.unsigned(), http.CanonicalHeaderKey(a.Header))
		err = outcome(func(h http.Header) {
			renamed(d, h, true)
			h[http.CanonicalHeaderKey(a.Header)] = h[http.CanonicalHeaderKey(a.Other)]
			delete(h, http.CanonicalHeaderKey(a.Other))
		})
		if required && len(s.headers(d.Signatures[0])) > 1 && err == nil {
			t.Errorf("%s stands among other names, and the delivery is accepted", a.Header)
		}
	}
}

// testRetry looks at what a store tells repeats by: the ids and the fingerprints of two
// attempts.
func (s Sender) testRetry(t *testing.T) {
	secrets := s.secrets()
	v := s.mustNew(t, s.options(), secrets[0])
	verified := func(at time.Time) *verify.Delivery {
		t.Helper()
		body := s.carry(at, s.body(256))
		d, err := verify.Verify(context.Background(), v, &verify.Head{Method: http.MethodPost, Header: s.sign(0, at, body, secrets[0]), ReceivedAt: at}, body)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	first, retry := verified(signedAt), verified(signedAt.Add(time.Minute))
	if first.ID != retry.ID {
		t.Errorf("ids are %q and %q, want one", first.ID, retry.ID)
	}
	if (s.Definition.ID.Header != "" || s.Definition.ID.Member != "") && first.ID == "" {
		t.Error("a body with an id of the right form has none")
	}
	if equal := first.Fingerprint.Equal(retry.Fingerprint); equal == s.timed() {
		t.Errorf("a later attempt has the same fingerprint: %v; a time is signed: %v", equal, s.timed())
	}
}

// testPartitions sends one body under each value of the partition's header that the
// definition lists, and under one that it does not list.
func (s Sender) testPartitions(t *testing.T) {
	if s.Definition.Partition == "" {
		t.Skip("the sender tells events apart by what is signed alone")
	}
	secret := s.secrets()[0]
	v := s.mustNew(t, s.options(), secret)
	body := s.body(256)
	for _, value := range append(slices.Clone(s.Definition.Partitions), "not-listed") {
		h := s.sign(0, signedAt, body, secret)
		h.Set(s.Definition.Partition, value)
		d, err := verify.Verify(context.Background(), v, &verify.Head{Method: http.MethodPost, Header: h, ReceivedAt: signedAt}, body)
		if err != nil {
			t.Fatal(err)
		}
		want := value
		if value == "not-listed" {
			want = ""
		}
		if d.Unsigned.Partition != want {
			t.Errorf("under %q the partition is %q, want %q", value, d.Unsigned.Partition, want)
		}
	}
}

// body returns a body of that many bytes, with the id in front.
func (s Sender) body(size int) []byte {
	body := []byte(s.Definition.BodyPrefix + `{"data":"`)
	if name := s.Definition.Timestamp.Member; name != "" {
		open := `{"data":"`
		if id := s.Definition.ID.Member; id != "" {
			open = fmt.Sprintf(`{%q:%q,"data":"`, id, s.id())
		}
		n := signedAt.Unix()
		if s.Definition.Timestamp.Unit == scheme.Milliseconds {
			n = signedAt.UnixMilli()
		}
		end := fmt.Sprintf(`",%q:%d}`, name, n)
		return []byte(s.Definition.BodyPrefix + open + strings.Repeat("x", max(0, size-len(open)-len(end))) + end)
	}
	if name := s.Definition.ID.Member; name != "" {
		body = fmt.Appendf([]byte(s.Definition.BodyPrefix), `{%q:%q,"data":"`, name, s.id())
	}
	return append(body, strings.Repeat("x", max(0, size-len(body)-2))+`"}`...)
}
