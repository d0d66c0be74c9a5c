package stripeevent_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	sdk "github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/webhook"

	"github.com/hooknotary/hooknotary/providers/internal/differ"
	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripeevent"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
)

// attempt is a delivery and the endpoint that it goes to.
type attempt struct {
	secret    string
	tolerance time.Duration
	at        time.Time // the clock
	values    []string  // of Stripe-Signature
	body      []byte
}

// start is the time at which a synctest bubble begins.
var start = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// genuine returns an attempt that both accept, signed at start, after changes of its
// header.
func genuine(change func(header string) []string) attempt {
	a := attempt{secret: secret, tolerance: 5 * time.Minute, at: start, body: []byte(paid)}
	a.values = change(header(start, a.body, secret))
	return a
}

func header(at time.Time, body []byte, secrets ...string) string {
	return stripetest.Header(at, body, secrets...).Get("Stripe-Signature")
}

// replaced returns the change of one part of the header.
func replaced(from, to string) func(string) []string {
	return func(header string) []string { return []string{strings.Replace(header, from, to, 1)} }
}

// upperCase returns the header with its v1 in upper-case digits.
func upperCase(header string) []string {
	timestamp, v1, _ := strings.Cut(header, ",v1=")
	return []string{timestamp + ",v1=" + strings.ToUpper(v1)}
}

// badSecrets cannot be right for an endpoint of Stripe.
var badSecrets = []string{
	"", " ", "whsec_0123456789abcdef\n", `"whsec_0123456789abcdef"`, "whsec_xxxxxxxxxxxxxxxx", "sk_live_0123456789abcdef",
	"${STRIPE_WEBHOOK_SECRET}",
}

var (
	canonicalTime      = regexp.MustCompile(`^(0|[1-9][0-9]{0,14})$`)
	canonicalSignature = regexp.MustCompile(`^[0-9a-f]{64}$`)
	visible            = regexp.MustCompile(`^[!-~]+$`)
)

// items returns the texts of the items of the header that stripe-go looks at, whose
// names fit.
func (a attempt) items(fits func(name string) bool) []string {
	var texts []string
	if len(a.values) > 0 {
		for item := range strings.SplitSeq(a.values[0], ",") {
			name, text, _ := strings.Cut(item, "=")
			if fits(name) {
				texts = append(texts, text)
			}
		}
	}
	return texts
}

func named(name string) func(string) bool { return func(n string) bool { return n == name } }
func unknown(name string) bool            { return name != "t" && name != "v1" }
func misses(r *regexp.Regexp) func(string) bool {
	return func(s string) bool { return !r.MatchString(s) }
}

// differences are all cases in which our verdict is not that of stripe-go's
// webhook.ValidatePayload and webhook.ConstructEvent. SECURITY.md lists them, too.
var differences = []differ.Difference[attempt]{
	{
		Name:  "a time ahead of the window is refused",
		Ours:  "too_new",
		Holds: attempt.ahead,
		Shown: func() attempt {
			a := genuine(func(string) []string { return nil })
			a.values = []string{header(start.Add(a.tolerance+time.Second), a.body, secret)}
			return a
		}(),
	},
	{
		Name:  "a tolerance of more than 5 minutes makes no verifier",
		Ours:  vector.NoVerifier,
		Holds: func(a attempt) bool { return a.tolerance > webhook.DefaultTolerance },
		Shown: func() attempt {
			a := genuine(func(h string) []string { return []string{h} })
			a.tolerance += time.Second
			return a
		}(),
	},
	{
		Name: "a tolerance of zero is 5 minutes, and not none",
		Ours: differ.Accept,
		Holds: func(a attempt) bool {
			return a.tolerance == 0 && time.Unix(a.signed(), 0).Before(a.at)
		},
		Shown: func() attempt {
			a := genuine(func(h string) []string { return []string{h} })
			a.tolerance, a.at = 0, start.Add(time.Second)
			return a
		}(),
	},
	{
		Name:  "a secret that cannot be right makes no verifier",
		Ours:  vector.NoVerifier,
		Holds: func(a attempt) bool { return slices.Contains(badSecrets, a.secret) },
		Shown: func() attempt {
			a := genuine(func(string) []string { return nil })
			a.secret, a.values = "", []string{header(start, a.body, "")}
			return a
		}(),
	},
	{
		Name:  "a time that is not written canonically is refused",
		Ours:  "malformed",
		Holds: func(a attempt) bool { return slices.ContainsFunc(a.items(named("t")), misses(canonicalTime)) },
		Shown: genuine(replaced("t=", "t=+0")),
	},
	{
		Name:  "a second time is refused",
		Ours:  "malformed",
		Holds: func(a attempt) bool { return len(a.items(named("t"))) > 1 },
		Shown: genuine(replaced("t=", "t=1,t=")),
	},
	{
		Name: "a v1 with upper-case digits is no signature",
		Ours: "malformed",
		Holds: func(a attempt) bool {
			return a.raised() && !slices.ContainsFunc(a.items(named("v1")), canonicalSignature.MatchString)
		},
		Shown: genuine(upperCase),
	},
	{
		Name: "a v1 with upper-case digits is skipped beside one that decodes",
		Ours: "mismatch",
		Holds: func(a attempt) bool {
			return a.raised() && slices.ContainsFunc(a.items(named("v1")), canonicalSignature.MatchString)
		},
		Shown: genuine(func(h string) []string { return []string{upperCase(h)[0] + ",v1=" + strings.Repeat("0", 64)} }),
	},
	{
		Name: "more than 16 signatures and unknown items are refused",
		Ours: "malformed",
		Holds: func(a attempt) bool {
			return len(a.items(func(name string) bool { return name != "t" })) > 16
		},
		Shown: genuine(func(h string) []string { return []string{h + strings.Repeat(",v0=a", 16)} }),
	},
	{
		Name:  "a header of more than 4 KiB is refused",
		Ours:  "malformed",
		Holds: func(a attempt) bool { return len(a.values) > 0 && len(a.values[0]) > 4<<10 },
		Shown: genuine(func(h string) []string { return []string{h + ",v0=" + strings.Repeat("a", 4<<10)} }),
	},
	{
		Name:  "a second header is refused",
		Ours:  "malformed",
		Holds: func(a attempt) bool { return len(a.values) > 1 },
		Shown: genuine(func(h string) []string { return []string{h, h} }),
	},
	{
		Name: "an unknown item without a name, without a text or with bytes that do not print is refused",
		Ours: "malformed",
		Holds: func(a attempt) bool {
			return slices.ContainsFunc(a.items(unknown), misses(visible)) ||
				len(a.items(func(name string) bool { return !visible.MatchString(name) })) > 0
		},
		Shown: genuine(func(h string) []string { return []string{h + ",v0="} }),
	},
	{
		Name: "an unknown item with a second = is ignored as any unknown item",
		Ours: differ.Accept,
		Holds: func(a attempt) bool {
			return slices.ContainsFunc(a.items(unknown), func(s string) bool { return strings.Contains(s, "=") })
		},
		Shown: genuine(func(h string) []string { return []string{h + ",v2=c2lnbmF0dXJl=="} }),
	},
}

// signed returns the time that stripe-go takes, the last, or 0.
func (a attempt) signed() int64 {
	times := a.items(named("t"))
	if len(times) == 0 {
		return 0
	}
	n, err := strconv.ParseInt(times[len(times)-1], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// raised reports whether stripe-go takes a v1 that is the signature but for the case of
// its digits, and no other.
func (a attempt) raised() bool {
	mac := hex.EncodeToString(webhook.ComputeSignature(time.Unix(a.signed(), 0), a.body, a.secret))
	v1 := a.items(named("v1"))
	return !slices.Contains(v1, mac) && slices.ContainsFunc(v1, func(s string) bool { return strings.EqualFold(s, mac) })
}

// ahead reports whether that time is after the window.
func (a attempt) ahead() bool {
	window := a.tolerance
	if window == 0 {
		window = webhook.DefaultTolerance
	}
	return a.signed() > a.at.Add(window).Unix()
}

// ours returns the outcome of our verifier.
func (a attempt) ours() string {
	v, err := stripe.New(verify.Secrets(a.secret), &stripe.Options{Tolerance: a.tolerance, InsecureAllowShortSecret: true})
	if err != nil {
		return vector.NoVerifier
	}
	_, err = verify.Verify(context.Background(), v, &verify.Head{
		Header: http.Header{"Stripe-Signature": a.values}, ReceivedAt: a.at,
	}, a.body)
	return vector.Outcome(err)
}

// theirs returns stripe-go's verdict. Its clock is the machine's, so it runs in a
// bubble whose time is a.at.
func (a attempt) theirs(t *testing.T) bool {
	if now := time.Now(); !now.Equal(a.at) {
		t.Fatalf("it is %v, want %v", now, a.at)
	}
	value := http.Header{"Stripe-Signature": a.values}.Get("Stripe-Signature")
	return webhook.ValidatePayloadWithTolerance(a.body, value, a.secret, a.tolerance) == nil
}

// try returns both verdicts.
func try(t *testing.T, a attempt) (ours string, theirs bool) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(a.at))
		ours, theirs = a.ours(), a.theirs(t)
	})
	return ours, theirs
}

func judge(t *testing.T, a attempt) {
	t.Helper()
	ours, theirs := try(t, a)
	if err := differ.Judge(differences, a, ours, theirs); err != nil {
		t.Errorf("%v\nattempt: secret %q, tolerance %v, at %v, header %q, body %q", err, a.secret, a.tolerance, a.at, a.values, a.body)
	}
}

func TestDifferences(t *testing.T) {
	t.Run("each intended one is one", func(t *testing.T) { differ.Show(t, differences, try) })

	t.Run("each intended one is documented", func(t *testing.T) {
		differ.Documented(t, "../../../SECURITY.md", differences)
		differ.Documented(t, "../../../SECURITY.md", eventDifferences)
	})

	t.Run("each intended one of events is one", func(t *testing.T) {
		differ.Show(t, eventDifferences, readBoth)
	})
}

func TestAlike(t *testing.T) {
	// But for the list.
	t.Run("published vectors are judged alike", func(t *testing.T) {
		for _, tt := range vector.LoadPublished(t, 22, "core/stripe/*.json") {
			for _, secret := range tt.Secrets {
				tolerance := tt.Tolerance
				if tolerance == 0 { // the SDK's own default
					tolerance = webhook.DefaultTolerance
				}
				t.Run(tt.Name, func(t *testing.T) {
					judge(t, attempt{secret, tolerance, tt.Head.ReceivedAt, tt.Head.Header["Stripe-Signature"], tt.Body})
				})
			}
		}
	})

	t.Run("our vectors are judged alike", func(t *testing.T) {
		vectors := vector.Load(t, "../testdata")
		if len(vectors) < 66 {
			t.Fatalf("found %d vectors only", len(vectors))
		}
		for _, tt := range vectors {
			for _, secret := range tt.Secrets {
				t.Run(tt.Name, func(t *testing.T) {
					judge(t, attempt{secret, webhook.DefaultTolerance, tt.Head.ReceivedAt, tt.Head.Header["Stripe-Signature"], tt.Body})
				})
			}
		}
	})

	t.Run("genuine deliveries are accepted by both", func(t *testing.T) {
		for _, secret := range []string{secret, "whsec_", strings.Repeat("s", 1024)} {
			for _, body := range []string{"", "{}", paid, meter, "\x00\xff\r\n", strings.Repeat("x", 1<<20)} {
				for _, age := range []time.Duration{0, time.Second, -time.Second, 299 * time.Second, 300 * time.Second, -300 * time.Second} {
					a := attempt{secret: secret, tolerance: 5 * time.Minute, at: start.Add(time.Hour), body: []byte(body)}
					ourSigner := header(a.at.Add(-age), a.body, secret)
					theirSigner := webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Payload: a.body, Secret: secret, Timestamp: a.at.Add(-age)}).Header
					if ourSigner != theirSigner {
						t.Errorf("our signer makes %q, theirs %q", ourSigner, theirSigner)
					}
					rolled := header(a.at.Add(-age), a.body, "whsec_the_secret_before", secret)
					for _, value := range []string{ourSigner, theirSigner, rolled, ourSigner + ",v0=abc"} {
						a.values = []string{value}
						if ours, theirs := try(t, a); ours != differ.Accept || !theirs {
							t.Errorf("age %v, body of %d bytes: ours: %s, theirs accepts: %v", age, len(body), ours, theirs)
						}
					}
				}
			}
		}
	})

	// Has what each entry of the test above is one step
	// from.
	t.Run("one step beside is refused by both", func(t *testing.T) {
		for name, a := range map[string]attempt{
			"a second too old": func() attempt {
				a := genuine(func(h string) []string { return []string{h} })
				a.at = start.Add(a.tolerance + time.Second)
				return a
			}(),
			"another secret": func() attempt {
				a := genuine(func(h string) []string { return []string{h} })
				a.secret += "x"
				return a
			}(),
			"another body": func() attempt {
				a := genuine(func(h string) []string { return []string{h} })
				a.body = append(a.body, '\n')
				return a
			}(),
			"another time": genuine(replaced("t=946684800", "t=946684799")),
			"v0 for v1":    genuine(replaced("v1=", "v0=")),
			"no time":      genuine(replaced("t=946684800,", "")),
			"no header":    genuine(func(string) []string { return nil }),
			"a comma":      genuine(func(h string) []string { return []string{h + ","} }),
		} {
			if ours, theirs := try(t, a); ours == differ.Accept || theirs {
				t.Errorf("%s: ours: %s, theirs accepts: %v", name, ours, theirs)
			}
		}
	})
}

// raise returns a text in upper case, or with one letter of it in upper case.
func raise(text string, n int) string {
	if i := n / 2; n%2 == 1 && i < len(text) {
		return text[:i] + strings.ToUpper(text[i:i+1]) + text[i+1:]
	}
	return strings.ToUpper(text)
}

// mutate makes an attempt of a genuine delivery. Each pair of bytes in edits is a
// change: what, and where or how much.
func mutate(key, body []byte, age int16, tolerance uint16, edits []byte) attempt {
	a := attempt{
		secret:    "whsec_" + hex.EncodeToString(key[:min(len(key), 500)]),
		tolerance: time.Duration(tolerance%310) * time.Second,
		at:        start.Add(10*time.Hour + time.Duration(tolerance/310)*4*time.Millisecond),
		body:      bytes.Clone(body),
	}
	signed := a.at.Add(-time.Duration(age) * time.Second)
	const junk = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
	list := strings.Split(header(signed, body, a.secret), ",")
	var more []string
	for edits = edits[:min(len(edits), 24)]; len(edits) >= 2; edits = edits[2:] {
		what, n := edits[0]%21, int(edits[1])
		i := n % max(1, len(list))
		if len(list) == 0 {
			what = 4 + what%6
		}
		switch what {
		case 0:
			name, text, _ := strings.Cut(list[i], "=")
			list[i] = name + "=" + raise(text, n)
		case 1:
			list[i] = strings.Replace(list[i], "t=", "t=+", 1)
		case 2:
			list[i] = strings.Replace(list[i], "t=", "t=0", 1)
		case 3:
			list = append(list, list[i])
		case 4:
			list = append(list, "v1="+junk[:n%65])
		case 5:
			list = append(list, "v0="+junk[:1+n%64])
		case 6:
			list = append(list, "v2="+junk[:1+n%64]+"=")
		case 7:
			list = append(list, "="+junk[:n%64])
		case 8:
			list = append(list, strings.Repeat("v", n%4)+"=")
		case 9:
			list = append(list, slices.Repeat([]string{"v0=a"}, n%20)...)
		case 10:
			list = slices.Delete(list, i, i+1)
		case 11:
			if len(a.body) > 0 {
				a.body[n%len(a.body)] ^= 1 << (n % 8)
			}
		case 12:
			more = append(more, strings.Join(list, ","))
		case 13:
			list[0], list[i] = list[i], list[0]
		case 14:
			a.secret = secret // of another endpoint
		case 15: // stripe-go takes the last time
			list = append([]string{"t=" + strconv.Itoa(n)}, list...)
		case 16: // the old secret's signature beside the new one's
			list = append(list, strings.Split(header(signed, body, "whsec_old"), ",")[1])
		case 17: // another time, honestly signed
			signed = signed.Add(time.Duration(n-128) * time.Minute)
			list = strings.Split(header(signed, body, a.secret), ",")
		case 18:
			a.secret = badSecrets[n%len(badSecrets)]
			list = strings.Split(header(signed, body, a.secret), ",")
		case 19: // about as much as there may be
			room := 4<<10 - len(strings.Join(list, ",")) - len(",v0=")
			list = append(list, "v0="+strings.Repeat("a", max(1, room+8*(n-128))))
		case 20: // any byte anywhere
			raw := []byte(strings.Join(list, ","))
			if len(edits) >= 4 && len(raw) > 0 {
				at := (n | int(edits[2])<<8) % len(raw)
				switch edits[3] % 4 {
				case 0:
					raw = slices.Delete(raw, at, at+1)
				case 1:
					raw = slices.Insert(raw, at, edits[3])
				default:
					raw[at] = edits[3]
				}
				edits = edits[2:]
			}
			list = strings.Split(string(raw), ",")
		}
	}
	a.values = append([]string{strings.Join(list, ",")}, more...)
	return a
}

// FuzzValidatePayload: the verdict on what becomes of a genuine delivery is stripe-go's
// webhook.ValidatePayload's, but for the list.
func FuzzValidatePayload(f *testing.F) {
	for what := range byte(21) {
		f.Add([]byte("key"), []byte(paid), int16(0), uint16(300), []byte{what, 1, what, 7})
	}
	for _, age := range []int16{-301, -300, -1, 299, 300, 301} {
		f.Add([]byte("key"), []byte("{}"), age, uint16(300), []byte{})
		f.Add([]byte("key"), []byte("{}"), age, uint16(0), []byte{})
	}
	f.Fuzz(func(t *testing.T, key, body []byte, age int16, tolerance uint16, edits []byte) {
		judge(t, mutate(key, body, age, tolerance, edits))
	})
}

// eventDifferences are all cases in which Parse does not read the event that
// webhook.ConstructEvent reads from a body. SECURITY.md lists them, too.
var eventDifferences = []differ.Difference[reading]{
	{
		Name:  "a thin event is not read as an event without data",
		Ours:  "thin",
		Holds: func(r reading) bool { return r.object == "v2.core.event" },
		Shown: read(`{"id":"evt_1","object":"v2.core.event","created":1}`),
	},
	{
		Name: "an object that is not an event is not read as one",
		Ours: "payload",
		Holds: func(r reading) bool {
			return r.object != "event" && r.object != "v2.core.event" || r.object == "event" && r.theirs.Object != r.object
		},
		Shown: read(`{"id":"evt_1","object":"charge"}`),
	},
	{
		Name: "an event whose id is not the one that the store knows is not read",
		Ours: "payload",
		Holds: func(r reading) bool {
			return !strings.HasPrefix(r.id, "evt_") || len(r.id) > 256 || !visible.MatchString(r.id[len("evt_"):]) || r.theirs.ID != r.id
		},
		Shown: read(`{"id":"evt_1","object":"event","ID":"evt_2"}`),
	},
}

// reading is a body, what stripe-go reads, and the plain texts that stand in it first
// as id and object.
type reading struct {
	body       []byte
	theirs     sdk.Event
	accepted   bool // by stripe-go
	id, object string
}

func read(body string) reading {
	r := reading{body: []byte(body), id: first(body, "id"), object: first(body, "object")}
	value := header(time.Now(), r.body, secret)
	var err error
	r.theirs, err = webhook.ConstructEventWithOptions(r.body, value, secret, webhook.ConstructEventOptions{IgnoreAPIVersionMismatch: true})
	r.accepted = err == nil
	return r
}

// first returns the text of the first member of that name, if neither it nor a name
// up to it has an escape.
func first(body, name string) string {
	decoder := json.NewDecoder(strings.NewReader(body))
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return ""
	}
	for decoder.More() {
		from := decoder.InputOffset()
		key, err := decoder.Token()
		var value json.RawMessage
		if err != nil || strings.Contains(body[from:decoder.InputOffset()], `\`) || decoder.Decode(&value) != nil {
			return ""
		}
		if key == name {
			text, ok := strings.CutPrefix(string(value), `"`)
			if !ok || strings.Contains(text, `\`) {
				return ""
			}
			return strings.TrimSuffix(text, `"`)
		}
	}
	return ""
}

func readBoth(t *testing.T, r reading) (ours string, theirs bool) {
	t.Helper()
	e, err := stripeevent.Parse(verified(t, string(r.body)))
	switch {
	case err == nil:
		if r.accepted && !reflect.DeepEqual(e, r.theirs) {
			t.Errorf("event is %+v, stripe-go's is %+v", e, r.theirs)
		}
		return differ.Accept, r.accepted
	case errors.Is(err, stripeevent.ErrThin):
		return "thin", r.accepted
	case errors.Is(err, stripeevent.ErrPayload):
		return "payload", r.accepted
	}
	return fmt.Sprint(err), r.accepted
}

// FuzzConstructEvent: a body that is signed is read as webhook.ConstructEvent reads it,
// but for the list.
func FuzzConstructEvent(f *testing.F) {
	for _, body := range []string{
		paid, meter, `{"id":"evt_1","object":"event"}`, `{"object":"event","id":"evt_1","type":7}`,
		`{"id":"evt_1","object":"event","Object":"v2.core.event"}`, `{"id":"evt_1","object":"event","id":null}`,
		`{"i\u0064":"evt_1","object":"event"}`, `{"id":"evt_1","object":"event","data":{"object":[]}}`, `null`, `[]`, ``,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		r := read(body)
		ours, theirs := readBoth(t, r)
		if err := differ.Judge(eventDifferences, r, ours, theirs); err != nil {
			t.Errorf("%v\nbody: %q", err, body)
		}
	})
}
