package providertest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/verify"
)

const huge = 64 << 10

func (b *battery) testHeaders(t *testing.T) {
	e := b.Events[0]
	h := b.genuine(e)
	for _, name := range b.Headers {
		genuine := h.Header.Get(name)
		// Refusals that need no body must come without one.
		refuseHead := func(t *testing.T, what string, values ...string) {
			t.Helper()
			c := with(h, name, values...)
			b.refuseHead(t, what, b.v, c)
			b.reject(t, what, b.v, c, e.Body)
		}
		refuse := func(t *testing.T, what string, values ...string) {
			t.Helper()
			if c := with(h, name, values...); b.respaced(name, genuine, values[0]) {
				b.harmless(t, what, c, e)
			} else {
				b.reject(t, what, b.v, c, e.Body)
			}
		}
		run := func(what string, f func(t *testing.T)) {
			t.Run(name+" "+what, func(t *testing.T) {
				f(t)
				accept(t, "unchanged", b.v, h, e.Body)
			})
		}
		run("is required", func(t *testing.T) {
			missing := verify.ErrMalformed
			if name == b.Headers[0] {
				missing = verify.ErrUnsigned
			}
			for what, values := range map[string][]string{"dropped": nil, "emptied": {""}} {
				refuseHead(t, what, values...)
				b.refuseHead(t, what, b.v, with(h, name, values...), missing, verify.ErrMalformed)
			}
			b.refuseHead(t, "dropped", b.v, with(h, name), missing)
			c := with(h, name)
			c.Header[name] = []string{}
			b.refuseHead(t, "without a value", b.v, c, missing)
		})
		run("is not looked for under another spelling", func(t *testing.T) {
			c := with(h, name)
			for _, other := range []string{strings.ToLower(name), strings.ToUpper(name), strings.ReplaceAll(name, "-", "_"), name + " "} {
				if other != name {
					c.Header[other] = []string{genuine}
				}
			}
			b.refuseHead(t, "other spellings", b.v, c)
		})
		run("may not be repeated", func(t *testing.T) {
			for what, values := range map[string][]string{
				"twice":           {genuine, genuine},
				"three times":     {genuine, genuine, genuine},
				"and another":     {genuine, "other"},
				"after another":   {"other", genuine},
				"and an empty":    {genuine, ""},
				"after an empty":  {"", genuine},
				"only empty ones": {"", ""},
			} {
				c := with(h, name, values...)
				if b.Repeated && name == b.Headers[0] {
					b.harmless(t, what, c, e)
					continue
				}
				b.refuseHead(t, what, b.v, c, verify.ErrMalformed)
				b.reject(t, what, b.v, c, e.Body, verify.ErrMalformed)
			}
		})
		run("with one bit flipped is refused", func(t *testing.T) {
			for i := range len(genuine) {
				for bit := range 8 {
					value := []byte(genuine)
					value[i] ^= 1 << bit
					refuse(t, fmt.Sprintf("bit %d of byte %d", bit, i), string(value))
				}
			}
		})
		run("with one byte more, less or other is refused", func(t *testing.T) {
			for i := range len(genuine) + 1 {
				for _, c := range "\x00 \t\r\n,;=.:+-_0fFA/&%\"\x7f\u00e9" {
					refuse(t, fmt.Sprintf("%q before byte %d", c, i), genuine[:i]+string(c)+genuine[i:])
					if i < len(genuine) && rune(genuine[i]) != c {
						refuse(t, fmt.Sprintf("%q for byte %d", c, i), genuine[:i]+string(c)+genuine[i+1:])
					}
				}
				if i < len(genuine) {
					refuse(t, fmt.Sprintf("without byte %d", i), genuine[:i]+genuine[i+1:])
				}
			}
		})
		run("cut at any place is refused", func(t *testing.T) {
			for i := range len(genuine) {
				refuse(t, fmt.Sprintf("the first %d bytes", i), genuine[:i])
				refuse(t, fmt.Sprintf("without the first %d bytes", i+1), genuine[i+1:])
			}
		})
		run("in another notation is refused", func(t *testing.T) {
			for what, value := range map[string]string{
				"upper case": strings.ToUpper(genuine), "lower case": strings.ToLower(genuine),
				"quoted": `"` + genuine + `"`, "with a parameter": genuine + ";q",
				"escaped": strings.ReplaceAll(genuine, "=", "%3D"), "without padding": strings.TrimRight(genuine, "="),
				"with more padding": genuine + "=", "URL-safe": strings.NewReplacer("+", "-", "/", "_").Replace(genuine),
				"with Arabic digits": arabic(genuine), "full width": fullWidth(genuine), "reversed": reversed(genuine),
				"broken over lines": genuine[:len(genuine)/2] + "\r\n " + genuine[len(genuine)/2:],
			} {
				if value != genuine {
					refuse(t, what, value)
				}
			}
			for _, space := range []string{" ", "\t", "\n", "\r\n", "\x00", "\v", "\u00a0", "\ufeff"} {
				refuse(t, "space in front", space+genuine)
				refuse(t, "space behind", genuine+space)
			}
		})
		run("joined with a copy is refused, or one message", func(t *testing.T) {
			for _, separator := range []string{",", ", ", ";", " ", "\n", "\x00"} {
				for _, other := range []string{genuine, "other", ""} {
					for _, value := range []string{genuine + separator + other, other + separator + genuine} {
						b.harmless(t, fmt.Sprintf("joined by %q", separator), with(h, name, value), e)
					}
				}
			}
		})
		run("of 64 KiB is refused on the head", func(t *testing.T) {
			for _, filler := range []string{"\x00", " ", ",", "=", ";", ":", ".", "a", "A", "0", "9", "v1=", "v1,", ",v1=a", " v1,a", "t=1,", genuine, "," + genuine} {
				long := strings.Repeat(filler, huge/len(filler)+1)
				refuseHead(t, "filler alone", long)
				refuseHead(t, "filler behind", genuine+long)
				refuseHead(t, "filler in front", long+genuine)
			}
		})
		run("of garbage is refused", func(t *testing.T) {
			rng := rand.New(rand.NewPCG(3, uint64(len(genuine))))
			for range 4000 {
				b.harmless(t, "garbage", with(h, name, garbage(rng, genuine)), e)
			}
		})
	}
	t.Run("a head without headers is refused as unsigned", func(t *testing.T) {
		for _, header := range []http.Header{nil, {}} {
			c := *h
			c.Header = header
			b.refuseHead(t, "no header", b.v, &c, verify.ErrUnsigned)
		}
		accept(t, "with headers", b.v, h, e.Body)
	})
	t.Run("headers of garbage, all at once, are refused", func(t *testing.T) {
		rng := rand.New(rand.NewPCG(4, 4))
		for range 2000 {
			c := h
			for _, name := range b.Headers {
				genuine := h.Header.Get(name)
				values := []string{garbage(rng, genuine)}
				if rng.IntN(8) == 0 {
					values = append(values, genuine)
				}
				c = with(c, name, values...)
			}
			b.harmless(t, "garbage", c, e)
		}
	})
	t.Run("a source of keys is asked once, and only for a good head", func(t *testing.T) {
		if len(b.Secrets) == 0 {
			t.Skip("the scheme has no secrets")
		}
		calls := 0
		v := b.verifierFrom(t, verify.KeyFunc(func(_ context.Context, got *verify.Head) ([]verify.Key, error) {
			if calls++; got == nil || got.ReceivedAt.IsZero() {
				t.Error("the source is asked without the head")
			}
			return b.keys[:1], nil
		}))
		for _, name := range b.Headers {
			b.refuseHead(t, "dropped", v, with(h, name))
			b.refuseHead(t, "repeated", v, with(h, name, "a", "b")) // neither is a signature
		}
		if w := v.Profile().Window; w != (verify.Window{}) && b.Carry == nil {
			c := *h
			c.ReceivedAt = signedAt.Add(w.Past + 1)
			b.refuseHead(t, "too old", v, &c, verify.ErrTooOld)
		}
		if calls != 0 {
			t.Errorf("the source was asked %d times for heads that are refused anyway", calls)
		}
		if accept(t, "genuine", v, h, e.Body); calls != 1 {
			t.Errorf("the source was asked %d times for one request", calls)
		}
	})
}

// respaced reports whether a value of the signature's header differs from the genuine one
// in its blanks alone, where one may stand behind a separator, or is neutral.
func (b *battery) respaced(name, genuine, value string) bool {
	if b.Neutral != nil && name == b.Headers[0] && b.Neutral(genuine, value) {
		return true
	}
	return b.Blanks && name == b.Headers[0] && strings.ReplaceAll(value, " ", "") == strings.ReplaceAll(genuine, " ", "")
}

// harmless wants a request to be refused, or to be taken for the message that e
// and the genuine header make.
func (b *battery) harmless(t *testing.T, what string, h *verify.Head, e Event) {
	t.Helper()
	d, err := verdict(t, b.v, h, e.Body)
	if err != nil {
		b.reason(t, what, err, nil)
		return
	}
	same(t, what, d, accept(t, "genuine", b.v, b.genuine(e), e.Body))
}

// garbage makes a value that looks a little like the genuine one.
func garbage(rng *rand.Rand, genuine string) string {
	const alphabet = "\x00 \t\r\n,;=.:+-_/%\"{}0123456789abcdefABCDEFvtsz\x7f\x80\xff"
	value := []byte(genuine)
	switch rng.IntN(6) {
	case 0:
		value = nil
		for range rng.IntN(2 * len(genuine)) {
			value = append(value, alphabet[rng.IntN(len(alphabet))])
		}
	case 1:
		i, j := rng.IntN(len(value)+1), rng.IntN(len(value)+1)
		i, j = min(i, j), max(i, j)
		value = slices.Delete(value, i, j)
	case 2:
		i, j := rng.IntN(len(value)+1), rng.IntN(len(value)+1)
		value = slices.Insert(value, i, value[min(i, j):max(i, j)]...)
	case 3:
		for range 1 + rng.IntN(4) {
			value[rng.IntN(len(value))] = alphabet[rng.IntN(len(alphabet))]
		}
	case 4:
		i, j := rng.IntN(len(value)), rng.IntN(len(value))
		value[i], value[j] = value[j], value[i]
	default:
		for range 1 + rng.IntN(20) {
			value = slices.Insert(value, rng.IntN(len(value)+1), alphabet[rng.IntN(len(alphabet))])
		}
	}
	return string(value)
}

// arabic writes the digits of s in another script; strconv and unicode.IsDigit
// disagree about them.
func arabic(s string) string {
	return strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' {
			return r - '0' + '\u0660'
		}
		return r
	}, s)
}

// fullWidth writes ASCII in its wide forms, which compatibility normalisation
// turns back.
func fullWidth(s string) string {
	return strings.Map(func(r rune) rune {
		if '!' <= r && r <= '~' {
			return r - '!' + '\uff01'
		}
		return r
	}, s)
}

func reversed(s string) string {
	b := []byte(s)
	slices.Reverse(b)
	return string(b)
}
