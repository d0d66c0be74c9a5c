package scheme

import (
	"fmt"
	"strings"
	"sync"

	"github.com/hooknotary/hooknotary/verify"
)

// key is a verify.Key made ready: a pool of keyed MACs for each signature of the
// definition.
type key struct {
	scope, label string
	macs         []sync.Pool // of *mac
}

func (k *key) mac(i int) *mac { return k.macs[i].Get().(*mac) }

// done puts a MAC back, reset, which restores the keyed state without hashing
// the key again.
func (k *key) done(i int, m *mac) {
	m.Hash.Reset()
	k.macs[i].Put(m)
}

// secret checks a key and returns the bytes that its MACs are made with.
func (v *Verifier) secret(k verify.Key) ([]byte, error) {
	secret := k.Secret()
	if len(secret) == 0 {
		return nil, fmt.Errorf("%v holds no secret", k)
	}
	for _, c := range v.def.About.Credentials {
		if c.Matches(string(secret)) {
			return nil, errCredential(k, c.Prefix)
		}
	}
	for _, prefix := range v.def.Secret.Refuse {
		if strings.HasPrefix(string(secret), prefix) {
			return nil, errCredential(k, prefix)
		}
	}
	if v.def.Secret.Encoding == Base64Secret {
		text := strings.TrimPrefix(string(secret), v.def.Secret.Prefix)
		decoded, ok := decodeBase64(nil, text)
		if !ok {
			return nil, fmt.Errorf("%v is not base64", k)
		}
		secret = decoded
	}
	if len(secret) < minSecret && !v.opts.InsecureAllowShortSecret {
		return nil, fmt.Errorf("%v has %d bytes, want at least %d (InsecureAllowShortSecret allows fewer)", k, len(secret), minSecret)
	}
	if len(secret) == 0 {
		return nil, fmt.Errorf("%v decodes to nothing", k)
	}
	return secret, nil
}

func errCredential(k verify.Key, prefix string) error {
	return fmt.Errorf("%v starts with %q: that is another credential of the account, not the webhook's signing secret", k, prefix)
}

// prepare checks a key and derives what verification needs of it. It also returns its
// secret.
func (v *Verifier) prepare(k verify.Key) (*key, []byte, error) {
	secret, err := v.secret(k)
	if err != nil {
		return nil, nil, err
	}
	prepared, err := v.keyed(k, secret)
	return prepared, secret, err
}

// keyed makes the MACs of a key ready.
func (v *Verifier) keyed(k verify.Key, secret []byte) (*key, error) {
	prepared := &key{scope: k.Scope(), label: k.Label()}
	prepared.macs = make([]sync.Pool, len(v.def.Signatures))
	for i, s := range v.def.Signatures {
		first, err := newMAC(s.Algorithm, secret)
		if err != nil {
			return nil, fmt.Errorf("%v: %w", k, err)
		}
		prepared.macs[i].New = func() any { return s.Algorithm.keyed(secret) }
		prepared.done(i, first)
	}
	return prepared, nil
}
