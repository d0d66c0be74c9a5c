package scheme

import (
	"context"
	"crypto/hmac"
	"errors"
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

func (v *Verifier) prepareList(keys verify.KeyList) (err error) {
	if len(keys) == 0 {
		return errors.New("there is no key; is the environment variable of the secret set?")
	}
	v.keys, err = v.prepareAll(keys)
	return err
}

// prepareAll checks the keys for one request and makes them ready.
func (v *Verifier) prepareAll(list []verify.Key) ([]*key, error) {
	if len(list) > verify.MaxKeys {
		return nil, fmt.Errorf("there are %d keys, at most %d are tried", len(list), verify.MaxKeys)
	}
	keys, secrets := make([]*key, len(list)), make([][]byte, len(list))
	for i, k := range list {
		secret, err := v.secret(k)
		if err != nil {
			return nil, err
		}
		secrets[i] = secret
		for j, other := range list[:i] {
			if hmac.Equal(secret, secrets[j]) {
				return nil, fmt.Errorf("%v and %v are the same secret", other, k)
			}
			if k.Scope() == other.Scope() && k.Label() == other.Label() {
				return nil, fmt.Errorf("two keys are named %v", k)
			}
		}
		if keys[i], err = v.prepare(k, secret); err != nil {
			return nil, err
		}
	}
	return keys, nil
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

// prepare derives what verification needs of a key.
func (v *Verifier) prepare(k verify.Key, secret []byte) (*key, error) {
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

// findKeys finds the keys of the request. Where there is none, the request goes on
// with one of nobody, up to Finish: one that withholds its body, or measures what a
// large one takes, must not tell who has a key.
func (p *pending) findKeys(ctx context.Context, h *verify.Head) error {
	if p.keys = p.v.keys; p.keys != nil {
		return nil
	}
	list, err := p.v.ask(ctx, h)
	switch {
	case errors.Is(err, verify.ErrNoKey):
		p.noKey = err
	case err != nil:
		return refuse(verify.ErrUnavailable, err)
	case len(list) == 0:
		p.noKey = errNoKeys
	default:
		p.keys, p.noKey = p.v.prepareAll(list)
	}
	if p.noKey != nil {
		p.keys = p.v.nobody
	}
	return nil
}
