package scheme

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/hooknotary/hooknotary/verify"
)

// key is a verify.Key made ready: a checker for each signature of the definition.
type key struct {
	scope, label string
	checkers     []checker
}

// secret checks a key and returns the bytes that signatures are made with.
func (v *Verifier) secret(k verify.Key) ([]byte, error) {
	secret := k.Secret()
	switch {
	case k.Public() != nil:
		return nil, fmt.Errorf("%v is a public key, which is no secret: the scheme verifies with the webhook's signing secret", k)
	case len(secret) == 0:
		return nil, fmt.Errorf("%v holds no secret", k)
	}
	if err := v.checkCredential(k, string(secret)); err != nil {
		return nil, err
	}
	form := v.def.Secret
	text, prefixed := strings.CutPrefix(string(secret), form.Prefix)
	if form.PrefixRequired && !prefixed {
		return nil, fmt.Errorf("%v does not start with %q: copy the whole secret", k, form.Prefix)
	}
	var ok bool
	switch form.Encoding {
	case TextSecret:
		secret = []byte(text)
	case Base64Secret:
		if secret, ok = decodeBase64(base64.StdEncoding, nil, text); !ok {
			return nil, fmt.Errorf("%v is not base64", k)
		}
	case HexSecret:
		var err error
		if secret, err = hex.DecodeString(text); err != nil { // err quotes a character of it
			return nil, fmt.Errorf("%v is not hexadecimal", k)
		}
	}
	if len(secret) < minSecret && !v.opts.InsecureAllowShortSecret {
		return nil, fmt.Errorf("%v has %d bytes, want at least %d (InsecureAllowShortSecret allows fewer)", k, len(secret), minSecret)
	}
	if len(secret) == 0 {
		return nil, fmt.Errorf("%v decodes to nothing", k)
	}
	return secret, nil
}

// checkCredential refuses another credential in the place of a key.
func (v *Verifier) checkCredential(k verify.Key, text string) error {
	for _, c := range v.def.About.Credentials {
		if c.Matches(text) {
			return errCredential(k, c.Prefix)
		}
	}
	for _, prefix := range v.def.Secret.Refuse {
		if strings.HasPrefix(text, prefix) {
			return errCredential(k, prefix)
		}
	}
	return nil
}

func errCredential(k verify.Key, prefix string) error {
	return fmt.Errorf("%v starts with %q: that is another credential of the account, not the webhook's signing secret", k, prefix)
}

// prepare checks a key and makes its checkers. It also returns the bytes by which two
// keys are told to be the same.
func (v *Verifier) prepare(k verify.Key) (*key, []byte, error) {
	var m material
	var same []byte
	var err error
	if v.algorithms[0].public {
		m.public, same, err = v.publicKey(k)
	} else {
		m.secret, err = v.secret(k)
		same = m.secret
	}
	if err != nil {
		return nil, nil, err
	}
	prepared, err := v.keyed(k, m)
	return prepared, same, err
}

// keyed makes a checker of a key for each signature.
func (v *Verifier) keyed(k verify.Key, m material) (*key, error) {
	prepared := &key{scope: k.Scope(), label: k.Label(), checkers: make([]checker, len(v.algorithms))}
	for i, a := range v.algorithms {
		c, err := a.new(m)
		if err != nil {
			return nil, fmt.Errorf("%v: %w", k, err)
		}
		prepared.checkers[i] = c
	}
	return prepared, nil
}
