package verify

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	// MaxKeys is the largest number of keys that one request is tried with.
	MaxKeys = 4

	// MaxSecret is the largest length of a secret in bytes.
	MaxSecret = 1024

	// KeyTimeout is how long a verifier waits for a KeySource. One that takes longer
	// has failed, whether it looks at its context or not: the request is refused as
	// ErrUnavailable.
	KeyTimeout = 2 * time.Second

	maxName = 128
)

// Key is a secret, or the public key of a sender, with two names: its scope and its
// label.
//
// The scope names the signing party: an account, an endpoint of the provider, a
// tenant. It stays the same when the secret is rotated, and it is part of every
// key of the store, so that two parties behind one guard cannot swallow each
// other's events. The label names the secret itself, "2026-03", and is what logs
// and Delivery.KeyLabel show.
//
// A Key prints its names and never its secret, in every verb, handler and
// encoder, also deep inside other values. The zero Key holds no secret and is
// refused by every verifier.
type Key struct {
	scope, label string
	// A closure, because neither fmt nor an encoder nor reflection can look
	// inside one, not even when a Key stands in another type's unexported field.
	secret func() []byte
	public func() crypto.PublicKey // in the place of a secret
}

// NewKey makes a Key. The secret is the text as the provider shows it, copied.
//
// It refuses a secret that cannot be right: empty, blank, longer than MaxSecret,
// with white space or quotes around it or control characters in it, a placeholder
// such as "your_webhook_secret", or the name of a variable. Verifiers check more, such as the length. Scope and
// label are 1 to 128 bytes of printable text. No error contains the secret.
//
// A text that can only be a public key makes the Key that NewPublicKey makes of it, so
// that nobody verifies an HMAC with what everybody knows: a PEM block PUBLIC KEY, its DER
// in base64, or its 32 bytes in base64 behind "whpk_". The bare 32 bytes of an Ed25519 key, in
// hexadecimal or base64, look like a secret and stay one; the verifier of a scheme that
// wants a public key reads them with ParsePublicKey.
func NewKey(scope, label string, secret []byte) (Key, error) {
	if err := checkNames(scope, label); err != nil {
		return Key{}, err
	}
	if plainlyPublic(string(secret)) {
		key, err := parsePublicKey(string(secret))
		if err != nil {
			return Key{}, fmt.Errorf("verify: key %s/%s: %w", scope, label, err)
		}
		return publicKey(scope, label, key), nil
	}
	if err := checkSecret(secret); err != nil {
		return Key{}, fmt.Errorf("verify: key %s/%s: %w", scope, label, err)
	}
	secret = bytes.Clone(secret)
	return Key{scope: scope, label: label, secret: func() []byte { return secret }}, nil
}

func checkNames(scope, label string) error {
	for _, n := range [...]struct{ what, name string }{{"scope", scope}, {"label", label}} {
		if err := checkName(n.name); err != nil {
			return fmt.Errorf("verify: %s of a key: %w", n.what, err)
		}
	}
	return nil
}

func checkName(s string) error {
	if s == "" || len(s) > maxName || !utf8.ValidString(s) {
		return fmt.Errorf("want 1 to %d bytes of UTF-8", maxName)
	}
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return errors.New("has a character that does not print")
		}
	}
	return nil
}

func checkSecret(secret []byte) error {
	if len(secret) == 0 {
		return errors.New("the secret is empty; is its environment variable set?")
	}
	if bytes.Contains(secret, []byte("PRIVATE KEY-----")) && bytes.ContainsRune(secret, '\n') {
		return fmt.Errorf("the secret has line breaks: %w", errPrivate)
	}
	if len(secret) > MaxSecret {
		return fmt.Errorf("the secret is longer than %d bytes", MaxSecret)
	}
	s := string(secret)
	around := func(r rune) bool { return unicode.IsSpace(r) || r == 0 || r == '\ufeff' || r == '\u200b' }
	trimmed := strings.TrimFunc(s, around)
	if trimmed == "" {
		return errors.New("the secret is blank; is its environment variable set?")
	}
	if trimmed != s {
		return errors.New("the secret has white space around it, often a line break at its end: trim it")
	}
	if n := len(s); n >= 2 && s[0] == s[n-1] && strings.IndexByte("\"'`", s[0]) >= 0 {
		return errors.New("the secret has quotes around it: remove them")
	}
	if strings.ContainsFunc(s, unicode.IsControl) {
		return errors.New("the secret has a line break or another control character in it: is it more than the secret?")
	}
	if placeholder(s) {
		return errors.New("the secret is a placeholder: put the provider's secret in its place")
	}
	if reference(s) {
		return errors.New("this looks like the name or path of a secret, not the secret itself")
	}
	return nil
}

// placeholder tells a text that stands for a secret from a secret.
func placeholder(s string) bool {
	for _, around := range [...][2]string{{"${", "}"}, {"$(", ")"}, {"{{", "}}"}, {"%(", ")s"}} {
		if strings.HasPrefix(s, around[0]) && strings.HasSuffix(s, around[1]) {
			return true
		}
	}
	if inner, ok := strings.CutPrefix(s, "<"); ok && strings.HasSuffix(inner, ">") && !strings.ContainsFunc(inner[:len(inner)-1], notOfWords) {
		return true
	}
	s = strings.ToLower(s)
	if i := strings.LastIndexByte(s, '_'); i >= 0 && fillers(s[i+1:]) || fillers(s) {
		return true
	}
	s = strings.NewReplacer("_", "", "-", "", " ", "", ".", "").Replace(s)
	for _, word := range [...]string{
		"changeme", "changethis", "replaceme", "replacethis", "placeholder", "yoursecret", "yourwebhook",
		"yoursigning", "yourendpoint", "yourkey", "secrethere", "secretgoeshere", "insertsecret", "mysecrethere",
	} {
		if strings.Contains(s, word) {
			return true
		}
	}
	return false
}

func notOfWords(r rune) bool { return r != ' ' && r != '_' && r != '-' && !unicode.IsLetter(r) }

// reference tells the name of a variable or the address of a secret from a
// secret: "STRIPE_WEBHOOK_SECRET", "$SECRET", "SECRET=…", "https://…".
func reference(s string) bool {
	if strings.Contains(s, "://") || strings.HasPrefix(s, "arn:aws:") || strings.HasPrefix(s, "Bearer ") {
		return true
	}
	name, _, assigned := strings.Cut(s, "=")
	name = strings.Trim(name, "$%")
	if !strings.Contains(name, "_") || strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" {
		return false
	}
	return assigned && name != "" || name != s || strings.HasSuffix(name, "SECRET") || strings.HasSuffix(name, "KEY") || strings.HasSuffix(name, "TOKEN")
}

// fillers reports whether s is three or more of one character that people fill
// templates with.
func fillers(s string) bool {
	return len(s) >= 3 && strings.IndexByte("x*.-_?#", s[0]) >= 0 && strings.Trim(s, s[:1]) == ""
}

// Scope returns the name of the signing party.
func (k Key) Scope() string { return k.scope }

// Label returns the name of the secret.
func (k Key) Label() string { return k.label }

// Secret returns a copy of the secret, for the code of a verifier and for
// nothing else. It is nil for a public key and for the zero Key.
func (k Key) Secret() []byte {
	if k.secret == nil {
		return nil
	}
	return bytes.Clone(k.secret())
}

// String returns scope and label.
func (k Key) String() string { return "verify.Key(" + k.scope + "/" + k.label + ")" }

// Format prints scope and label, whatever the verb.
func (k Key) Format(s fmt.State, _ rune) { io.WriteString(s, k.String()) }

// MarshalText returns scope and label.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// LogValue returns scope and label.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// KeySource yields the keys for a request: a fixed list, a rotation, the keys of
// the tenant that the path names.
//
// Scope and label must come from the record that holds the secret, and never from
// the head: if the path chose the scope, a captured delivery would run again under
// every spelling of the path. Two scopes must not share a secret.
type KeySource interface {
	// Keys returns the keys to try, at most MaxKeys, the likeliest first. It is
	// called once a request, on an unverified head and by many goroutines; it
	// must be quick and bounded, because anyone can cause the call.
	//
	// The context ends after KeyTimeout, or with the request. A source that ignores
	// that is left behind: the request is refused, and the call counts towards a bound
	// of the verifier until it returns. So Keys may run on a goroutine of its own, and
	// longer than the request; the head is then a copy. A panic of Keys is one of the
	// request, as long as it waits.
	//
	// No key for this head is an empty list or an error that wraps ErrNoKey. The
	// verifier then reads the body as it does for any other head, and responds with
	// 401, so that a stranger cannot find out who has a key. Any other error means
	// that the source failed and is answered with 503. The list is not changed by the
	// caller.
	Keys(ctx context.Context, h *Head) ([]Key, error)
}

// KeyList is a KeySource with the same keys for every request. Verifiers check
// and prepare its keys when they are constructed, so it is also the fastest.
type KeyList []Key

// Keys returns the list.
func (l KeyList) Keys(context.Context, *Head) ([]Key, error) { return l, nil }

// KeyFunc makes a KeySource of a function.
type KeyFunc func(ctx context.Context, h *Head) ([]Key, error)

// Keys calls f.
func (f KeyFunc) Keys(ctx context.Context, h *Head) ([]Key, error) { return f(ctx, h) }

// SecretList is a KeySource with the secrets of one endpoint: the current one
// and, during a rotation, the one before or after it. Make one with Secrets, or of public
// keys with PublicKeys. Like a KeyList it is checked and prepared when a verifier is constructed.
type SecretList struct {
	keys KeyList
	err  error
}

// Secrets makes a SecretList of texts, each as NewKey reads it. Its keys have the scope "default" and the labels
// "1", "2" and so on. What is wrong with a secret is reported by the constructor
// of the verifier:
//
//	v, err := stripe.New(verify.Secrets(os.Getenv("STRIPE_WEBHOOK_SECRET")), nil)
func Secrets(secrets ...string) *SecretList {
	return list("secret", secrets, func(label, text string) (Key, error) { return NewKey("default", label, []byte(text)) })
}

// KeyList returns the keys, or the error of the first secret that NewKey refuses.
func (l *SecretList) KeyList() (KeyList, error) {
	if l == nil {
		return nil, errors.New("the list of secrets is nil")
	}
	return l.keys, l.err
}

// Keys returns the keys, or an error where KeyList does.
func (l *SecretList) Keys(context.Context, *Head) ([]Key, error) { return l.KeyList() }
