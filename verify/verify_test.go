package verify_test

import (
	"bytes"
	"context"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/verify"
)

const goodSecret = "whsec_Zx81qPtL0mVnS7"

func TestNewKey(t *testing.T) {
	t.Run("what cannot be a secret is refused", func(t *testing.T) {
		for _, tt := range []struct{ name, secret, good string }{
			{"empty", "", "k"},
			{"blank", " \t\n", "k k"},
			{"a space in front", " " + goodSecret, goodSecret},
			{"a line break behind", goodSecret + "\n", goodSecret},
			{"a carriage return behind", goodSecret + "\r", goodSecret},
			{"a non-breaking space behind", goodSecret + "\u00a0", goodSecret + "\u00e9"},
			{"a byte order mark in front", "\ufeff" + goodSecret, goodSecret},
			{"a NUL behind", goodSecret + "\x00", goodSecret},
			{"double quotes around", `"` + goodSecret + `"`, `"` + goodSecret},
			{"single quotes around", "'" + goodSecret + "'", goodSecret + "'"},
			{"longer than 1024 bytes", strings.Repeat("ab", 512) + "c", strings.Repeat("ab", 512)},
			{"a shell variable", "${STRIPE_WEBHOOK_SECRET}", "${STRIPE_WEBHOOK_SECRET"},
			{"a template", "{{ .Values.secret }}", "{ .Values.secret }"},
			{"angle brackets", "<webhook secret>", "<webhook secret"},
			{"a prefix and fillers", "whsec_xxxxxxxxxxxxxxxx", "whsec_xxxxxxxxxxxxxxxy"},
			{"asterisks", "****************", "***************a"},
			{"dots behind a prefix", "whsec_...", "whsec_..a"},
			{"words that say so", "your_webhook_secret", "our_webhook_secret"},
			{"a line break inside", goodSecret + "\n" + goodSecret, goodSecret + goodSecret},
			{"the name of a variable", "STRIPE_WEBHOOK_SECRET", "STRIPE_WEBHOOK_SECREt"},
			{"a variable of the shell", "$STRIPE_WEBHOOK", "$tRIPE_WEBHOOK"},
			{"a variable of another shell", "%STRIPE_WEBHOOK%", "%STRIPE_wEBHOOK%"},
			{"a line of an environment file", "STRIPE_SECRET=" + goodSecret, "sTRIPE_SECRET=" + goodSecret},
			{"a URL", "op://vault/item/field", "op:/vault/item/field"},
			{"an Authorization header", "Bearer " + goodSecret, "Bearer" + goodSecret},
			{"change me", "Change-Me-Change-Me", "Charge-Me-Charge-Me"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				k, err := verify.NewKey("scope", "label", []byte(tt.secret))
				if err == nil {
					t.Errorf("NewKey(%q) gave no error", tt.secret)
				}
				if k.Secret() != nil {
					t.Error("the key holds a secret all the same")
				}
				if s := strings.TrimSpace(tt.secret); len(s) > 4 && err != nil && strings.Contains(err.Error(), s) {
					t.Errorf("the error holds the secret: %v", err)
				}
				if _, err := verify.NewKey("scope", "label", []byte(tt.good)); err != nil {
					t.Errorf("NewKey(%q): %v", tt.good, err)
				}
			})
		}
	})

	t.Run("names that do not print are refused", func(t *testing.T) {
		for _, tt := range []struct {
			name, scope, label string
			ok                 bool
		}{
			{"both are given", "acct-1", "2026-03", true},
			{"128 bytes", strings.Repeat("s", 128), "l", true},
			{"no scope", "", "l", false},
			{"no label", "s", "", false},
			{"129 bytes", strings.Repeat("s", 129), "l", false},
			{"a line break", "s\n", "l", false},
			{"no UTF-8", "s", "\xff", false},
		} {
			t.Run(tt.name, func(t *testing.T) {
				if _, err := verify.NewKey(tt.scope, tt.label, []byte(goodSecret)); (err == nil) != tt.ok {
					t.Errorf("NewKey(%q, %q): %v", tt.scope, tt.label, err)
				}
			})
		}
	})

	t.Run("the key keeps its own copy of the secret", func(t *testing.T) {
		given := []byte(goodSecret)
		k, err := verify.NewKey("s", "l", given)
		if err != nil {
			t.Fatal(err)
		}
		clear(given)
		clear(k.Secret())
		if got := string(k.Secret()); got != goodSecret {
			t.Errorf("got %q", got)
		}
		if k.Scope() != "s" || k.Label() != "l" {
			t.Errorf("got scope %q and label %q", k.Scope(), k.Label())
		}
		if (verify.Key{}).Secret() != nil {
			t.Error("the zero Key holds a secret")
		}
	})
}

func TestSecrets(t *testing.T) {
	t.Run("the error says which one is wrong", func(t *testing.T) {
		for _, tt := range []struct {
			name    string
			secrets []string
			want    string // in the error; "" for none
		}{
			{"one good", []string{goodSecret}, ""},
			{"two good", []string{goodSecret, goodSecret + "2"}, ""},
			{"one empty", []string{""}, "the secret is empty"},
			{"the second empty", []string{goodSecret, ""}, "secret 2 of 2: the secret is empty"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				list, err := verify.Secrets(tt.secrets...).KeyList()
				keys, err2 := verify.Secrets(tt.secrets...).Keys(context.Background(), nil)
				if tt.want == "" {
					if err != nil || err2 != nil || len(list) != len(tt.secrets) || len(keys) != len(list) {
						t.Errorf("got %v, %v and %v, %v", list, err, keys, err2)
					}
					return
				}
				if err == nil || !strings.HasPrefix(err.Error(), tt.want) || len(list) != 0 || err2 == nil {
					t.Errorf("got %v, %v, want the error %q", list, err, tt.want)
				}
			})
		}
		if _, err := (*verify.SecretList)(nil).KeyList(); err == nil {
			t.Error("a nil list gave no error")
		}
	})
}

// holder has keys where no method of theirs can be called.
type holder struct {
	key  verify.Key
	keys []verify.Key
}

func TestSecrecy(t *testing.T) {
	t.Run("nothing prints a secret or a fingerprint", func(t *testing.T) {
		k, err := verify.NewKey("acct-1", "2026-03", []byte(goodSecret))
		if err != nil {
			t.Fatal(err)
		}
		var sum [32]byte
		copy(sum[:], goodSecret)
		print := verify.NewFingerprint(sum)
		values := []any{
			k, &k, []verify.Key{k}, verify.KeyList{k}, map[string]verify.Key{"k": k}, struct{ K verify.Key }{k},
			verify.Secrets(goodSecret), *verify.Secrets(goodSecret), holder{key: k, keys: []verify.Key{k}}, &holder{key: k},
			print, &print, []verify.Fingerprint{print}, verify.Delivery{Fingerprint: print}, &verify.Delivery{Fingerprint: print}, verify.Error{Message: print}, &verify.Error{Message: print},
			struct{ f verify.Fingerprint }{print}, struct{ f *verify.Fingerprint }{&print}, struct{ f []verify.Fingerprint }{[]verify.Fingerprint{print}},
			struct{ d verify.Delivery }{verify.Delivery{Fingerprint: print}}, struct{ f any }{print},
		}
		secret := []string{goodSecret, fmt.Sprintf("%x", goodSecret), fmt.Sprintf("%X", goodSecret), fmt.Sprint([]byte(goodSecret)), "d2hzZWNf"}
		check := func(t *testing.T, how string, out string) {
			t.Helper()
			for _, s := range secret {
				if strings.Contains(out, strings.Trim(s, "[]")) {
					t.Errorf("%s prints the secret: %.200s", how, out)
				}
			}
		}
		for _, v := range values {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T"} {
				check(t, fmt.Sprintf("%s of %T", verb, v), fmt.Sprintf(verb, v))
			}
			if b, err := json.Marshal(v); err == nil {
				check(t, fmt.Sprintf("json of %T", v), string(b))
			}
			if b, err := xml.Marshal(v); err == nil {
				check(t, fmt.Sprintf("xml of %T", v), string(b))
			}
			var buf bytes.Buffer
			if gob.NewEncoder(&buf).Encode(v) == nil {
				check(t, fmt.Sprintf("gob of %T", v), buf.String())
			}
			for name, h := range map[string]slog.Handler{"text": slog.NewTextHandler(&buf, nil), "json": slog.NewJSONHandler(&buf, nil)} {
				buf.Reset()
				slog.New(h).Info("m", "v", v, slog.Group("g", "v", v))
				check(t, fmt.Sprintf("slog %s of %T", name, v), buf.String())
			}
		}
		if got := fmt.Sprint(k); !strings.Contains(got, "acct-1/2026-03") {
			t.Errorf("a key prints as %q, want its names", got)
		}
	})
}

func TestFingerprint(t *testing.T) {
	t.Run("a fingerprint is compared by what it holds", func(t *testing.T) {
		one, same, other := verify.NewFingerprint([32]byte{1}), verify.NewFingerprint([32]byte{1}), verify.NewFingerprint([32]byte{31: 1})
		for _, tt := range []struct {
			name string
			a, b verify.Fingerprint
			want bool
		}{
			{"itself", one, one, true},
			{"one of the same bytes", one, same, true},
			{"one of other bytes", one, other, false},
			{"the zero one and one of bytes", verify.Fingerprint{}, one, false},
			{"the zero one and itself", verify.Fingerprint{}, verify.Fingerprint{}, true},
			{"the zero one and one of zeros", verify.Fingerprint{}, verify.NewFingerprint([32]byte{}), true},
		} {
			t.Run(tt.name, func(t *testing.T) {
				if tt.a.Equal(tt.b) != tt.want || tt.b.Equal(tt.a) != tt.want {
					t.Errorf("Equal is not %v", tt.want)
				}
				if (tt.a.Sum() == tt.b.Sum()) != tt.want {
					t.Errorf("the sums are equal: not %v", tt.want)
				}
			})
		}
	})
}

func TestHeaderOf(t *testing.T) {
	t.Run("two spellings of a name are refused", func(t *testing.T) {
		h, err := verify.HeaderOf(map[string]string{"stripe-signature": "t=1", "content-type": "application/json"})
		if err != nil || h.Get("Stripe-Signature") != "t=1" || len(h) != 2 {
			t.Errorf("got %v, %v", h, err)
		}
		h, err = verify.HeaderOf(map[string]string{"stripe-signature": "t=1", "Stripe-Signature": "t=1"})
		if !errors.Is(err, verify.ErrMalformed) || h != nil {
			t.Errorf("got %v, %v", h, err)
		}
	})
}

func TestReason(t *testing.T) {
	t.Run("it is never empty for an error", func(t *testing.T) {
		other := errors.New("other")
		for _, tt := range []struct {
			name string
			err  error
			want verify.Reason
		}{
			{"no error", nil, 0},
			{"a bare reason", verify.ErrTooOld, verify.ErrTooOld},
			{"an Error", &verify.Error{Reason: verify.ErrMismatch}, verify.ErrMismatch},
			{"a wrapped Error", fmt.Errorf("queue: %w", &verify.Error{Reason: verify.ErrNoKey, Cause: other}), verify.ErrNoKey},
			{"an Error whose cause has another reason", &verify.Error{Reason: verify.ErrUnavailable, Cause: verify.ErrTooOld}, verify.ErrUnavailable},
			{"an Error without a reason", &verify.Error{Cause: other}, verify.ErrUnavailable},
			{"another error", other, verify.ErrUnavailable},
			{"a nil *Error", (*verify.Error)(nil), verify.ErrUnavailable},
			{"the end of a context", context.Canceled, verify.ErrUnavailable},
		} {
			t.Run(tt.name, func(t *testing.T) {
				if got := verify.ReasonOf(tt.err); got != tt.want {
					t.Errorf("got %v, want %v", got, tt.want)
				}
			})
		}
	})

	t.Run("each has a label of its own", func(t *testing.T) {
		seen := make(map[string]verify.Reason)
		for r := verify.ErrMethod; r <= verify.ErrUnavailable; r++ {
			label := r.String()
			if other, ok := seen[label]; ok || label == "unknown" || label != strings.ToLower(label) || strings.ContainsAny(label, " -") {
				t.Errorf("the label of %d is %q, that of %d, too", r, label, other)
			}
			seen[label] = r
			if r.Error() == "" || r.Error() == "unknown reason" {
				t.Errorf("%s has no text", label)
			}
		}
		for _, r := range []verify.Reason{verify.ErrUnavailable + 1, 255} {
			if r.String() != "unknown" {
				t.Errorf("the label of %d is %q", uint8(r), r.String())
			}
		}
	})
}

func TestError(t *testing.T) {
	t.Run("it is its reason and its cause", func(t *testing.T) {
		cause := errors.New("a cause")
		err := error(&verify.Error{Reason: verify.ErrTooOld, Cause: cause})
		if !errors.Is(err, verify.ErrTooOld) || !errors.Is(err, cause) || errors.Is(err, verify.ErrTooNew) {
			t.Errorf("errors.Is is wrong for %v", err)
		}
		if !strings.Contains(err.Error(), "too old") || !strings.Contains(err.Error(), "a cause") {
			t.Errorf("got %q", err)
		}
		if err := error(&verify.Error{Reason: verify.ErrTooOld}); !errors.Is(err, verify.ErrTooOld) || strings.Contains(err.Error(), "nil") {
			t.Errorf("without a cause: %v", err)
		}
	})
}

func TestFromContext(t *testing.T) {
	t.Run("it is false for what was not verified", func(t *testing.T) {
		d := &verify.Delivery{ID: "evt_1"}
		if got, ok := verify.FromContext(verify.NewContext(context.Background(), d)); !ok || got != d {
			t.Errorf("got %v, %v", got, ok)
		}
		if _, ok := verify.FromContext(context.Background()); ok {
			t.Error("true without a Delivery")
		}
		if _, ok := verify.FromContext(verify.NewContext(context.Background(), nil)); ok {
			t.Error("true with a nil Delivery")
		}
	})
}

// odd is a verifier that breaks the rule of the contract that it is told to.
type odd struct {
	verify.Pending
	begin, finish error
	d             *verify.Delivery
}

func (o odd) Profile() verify.Profile { return verify.Profile{} }
func (o odd) Begin(context.Context, *verify.Head) (verify.Pending, error) {
	return o, o.begin
}
func (o odd) Finish(context.Context, []byte) (*verify.Delivery, error) { return o.d, o.finish }

func TestVerify(t *testing.T) {
	t.Run("no delivery comes with an error", func(t *testing.T) {
		head := &verify.Head{ReceivedAt: time.Unix(1, 0)}
		d := &verify.Delivery{}
		for _, tt := range []struct {
			name string
			v    odd
			head *verify.Head
			want verify.Reason
		}{
			{"good", odd{d: d}, head, 0},
			{"nil head", odd{d: d}, nil, verify.ErrMalformed},
			{"head without a time", odd{d: d}, &verify.Head{}, verify.ErrMalformed},
			{"Begin fails", odd{d: d, begin: verify.ErrUnsigned}, head, verify.ErrUnsigned},
			{"Finish fails and returns a Delivery", odd{d: d, finish: verify.ErrMismatch}, head, verify.ErrMismatch},
			{"Finish returns nothing at all", odd{}, head, verify.ErrUnavailable},
		} {
			t.Run(tt.name, func(t *testing.T) {
				got, err := verify.Verify(context.Background(), tt.v, tt.head, nil)
				if verify.ReasonOf(err) != tt.want || (got == nil) != (err != nil) {
					t.Errorf("got %v, %v, want the reason %v", got, err, tt.want)
				}
			})
		}
	})
}
