package assertion_test

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/middleware/assertion"
)

// hardware is a private key that does not leave its place.
type hardware struct {
	public crypto.PublicKey
	sign   func(digest []byte) ([]byte, error)
}

func (h hardware) Public() crypto.PublicKey { return h.public }

func (h hardware) Sign(_ io.Reader, digest []byte, _ crypto.SignerOpts) ([]byte, error) {
	return h.sign(digest)
}

// constructed wants a key and no error, or the other way round.
func constructed(t *testing.T, k assertion.Key, err error, algorithm, tells string) {
	t.Helper()
	switch {
	case tells == "" && (err != nil || k.Algorithm() != algorithm || k.ID() != "2026-11"):
		t.Errorf("got %v for %q, and the error %v", k, k.Algorithm(), err)
	case tells != "" && (err == nil || !strings.HasPrefix(err.Error(), "assertion: ") || !strings.Contains(err.Error(), tells)):
		t.Errorf("the error is %v, want one that says %q", err, tells)
	case tells != "" && k.Algorithm() != "":
		t.Errorf("there is a key and an error")
	}
}

func TestNewKey(t *testing.T) {
	p256, stranger := private().p256, must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	sign := func(digest []byte) ([]byte, error) { return ecdsa.SignASN1(rand.Reader, p256, digest) }
	for _, tt := range []struct {
		name             string
		signer           crypto.Signer
		algorithm, tells string
	}{
		{"a key of P-256", p256, "ES256", ""},
		{"a key of Ed25519", private().ed25519, "EdDSA", ""},
		{"a key in hardware", hardware{&p256.PublicKey, sign}, "ES256", ""},
		{"a key in hardware that fails", hardware{&p256.PublicKey, func([]byte) ([]byte, error) { return nil, errors.New("pulled out") }}, "", "pulled out"},
		{"a key in hardware with another public key", hardware{&stranger.PublicKey, sign}, "", "does not fit"},
		{"a key in hardware that signs garbage", hardware{&p256.PublicKey, func([]byte) ([]byte, error) { return []byte("0"), nil }}, "", "no ECDSA signature"},
		{"a key in hardware that signs nothing", hardware{private().ed25519.Public(), func([]byte) ([]byte, error) { return nil, nil }}, "", "does not fit"},
		{"a key of P-384", private().p384, "", "want a private key of ECDSA over P-256, or of Ed25519"},
		{"a key of RSA", must(rsa.GenerateKey(rand.Reader, 2048))(t), "", "want a private key"},
		{"no key", nil, "", "there is no private key"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k, err := assertion.NewKey("2026-11", tt.signer)
			constructed(t, k, err, tt.algorithm, tt.tells)
		})
	}
	for _, tt := range []struct {
		id string
		ok bool
	}{
		{"2026-11", true}, {"a", true}, {"A.b_c-9", true}, {strings.Repeat("k", 64), true},
		{"", false}, {strings.Repeat("k", 65), false}, {".hidden", false}, {"-", false}, {"a b", false}, {"a/b", false},
		{`a"b`, false}, {"ä", false}, {"a\n", false},
	} {
		t.Run(fmt.Sprintf("the id %q", tt.id), func(t *testing.T) {
			_, err := assertion.NewKey(tt.id, p256)
			_, secretErr := assertion.NewSecretKey(tt.id, []byte(secret))
			if (err == nil) != tt.ok || (secretErr == nil) != tt.ok {
				t.Errorf("the errors are %v and %v", err, secretErr)
			}
		})
	}
}

func TestParseKey(t *testing.T) {
	pkcs8 := func(key any) string {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		return pemOf("PRIVATE KEY", der, err)
	}
	der, err := x509.MarshalECPrivateKey(private().p256)
	sec1 := pemOf("EC PRIVATE KEY", der, err)
	der384, err := x509.MarshalECPrivateKey(private().p384)
	public, publicErr := x509.MarshalPKIXPublicKey(&private().p256.PublicKey)
	parameters := "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
	encrypted := string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Headers: map[string]string{"DEK-Info": "AES-256-CBC,00"}, Bytes: der}))
	for _, tt := range []struct {
		name, text       string
		algorithm, tells string
	}{
		{"PKCS #8 of P-256", pkcs8(private().p256), "ES256", ""},
		{"PKCS #8 of Ed25519", pkcs8(private().ed25519), "EdDSA", ""},
		{"SEC 1", sec1, "ES256", ""},
		{"SEC 1 behind its parameters", parameters + sec1, "ES256", ""},
		{"white space around it", "\n" + sec1 + "\n \n", "ES256", ""},
		{"carriage returns", strings.ReplaceAll(sec1, "\n", "\r\n"), "ES256", ""},
		{"nothing", "", "", "want a private key in PEM"},
		{"the parameters alone", parameters, "", "want a private key in PEM"},
		{"SEC 1 of P-384", pemOf("EC PRIVATE KEY", der384, err), "", "P-256"},
		{"PKCS #8 of P-384", pkcs8(private().p384), "", "P-256"},
		{"PKCS #8 of RSA", pkcs8(must(rsa.GenerateKey(rand.Reader, 2048))(t)), "", "P-256"},
		{"PKCS #8 of X25519", pkcs8(must(ecdh.X25519().GenerateKey(rand.Reader))(t)), "", "P-256"},
		{"two keys", sec1 + sec1, "", "one key"},
		{"text behind the key", sec1 + "# comment", "", "one key"},
		{"a public key", pemOf("PUBLIC KEY", public, publicErr), "", "no private key"},
		{"a certificate", strings.ReplaceAll(sec1, "EC PRIVATE KEY", "CERTIFICATE"), "", "no private key"},
		{"SEC 1 that is called PKCS #8", strings.ReplaceAll(sec1, "EC PRIVATE KEY", "PRIVATE KEY"), "", "cannot be read"},
		{"an encrypted key", encrypted, "", "encrypted"},
		{"an encrypted key of PKCS #8", strings.ReplaceAll(sec1, "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY"), "", "encrypted"},
		{"a key that is cut", sec1[:100], "", "want a private key in PEM"},
		{"a file that is too long", sec1 + strings.Repeat(" ", 8<<10), "", "at most"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k, err := assertion.ParseKey("2026-11", []byte(tt.text))
			constructed(t, k, err, tt.algorithm, tt.tells)
			if err != nil && strings.Contains(err.Error(), strings.Split(sec1, "\n")[1][:20]) {
				t.Error("the error holds a piece of the key")
			}
		})
	}
}

func TestNewSecretKey(t *testing.T) {
	for _, tt := range []struct {
		name, secret     string
		algorithm, tells string
	}{
		{"32 bytes", secret, "HS256", ""},
		{"31 bytes", secret[1:], "", "at least 32"},
		{"nothing", "", "", "empty"},
		{"a line break at its end", secret + "\n", "", "white space"},
		{"the name of a variable", "N8N_WEBHOOK_ASSERTION_JWT_SECRET", "", "name or path"},
		{"a public key as PEM", pemOf("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(&private().p256.PublicKey))(t), nil), "", "public key"},
		{"a public key of Ed25519 as PEM", pemOf("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(private().ed25519.Public()))(t), nil), "", "public key"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k, err := assertion.NewSecretKey("2026-11", []byte(tt.secret))
			constructed(t, k, err, tt.algorithm, tt.tells)
			if err != nil && len(tt.secret) > 8 && strings.Contains(err.Error(), strings.TrimSpace(tt.secret)) {
				t.Error("the error holds the secret")
			}
		})
	}
	t.Run("a secret that is changed later changes nothing", func(t *testing.T) {
		mine := []byte(secret)
		k := must(assertion.NewSecretKey("2026-11", mine))(t)
		clear(mine)
		token := must(must(assertion.NewSigner(k, issuer, audience, &assertion.SignerOptions{Now: clock}))(t).Sign(claims()))(t)
		signed := token[:strings.LastIndexByte(token, '.')]
		if want := signed + "." + b64(signature("HS256", signed, secret)); token != want {
			t.Error("it is signed with another secret")
		}
	})
}

func TestKeyPrints(t *testing.T) {
	for algorithm, newKey := range algorithms {
		t.Run("an "+algorithm+" key prints as its id", func(t *testing.T) {
			k := newKey(t, "2026-11")
			signer := must(assertion.NewSigner(k, issuer, audience, nil))(t)
			deep := struct{ inner struct{ k assertion.Key } }{struct{ k assertion.Key }{k}}
			var logged strings.Builder
			slog.New(slog.NewJSONHandler(&logged, nil)).Info("key", "key", k)
			printed := fmt.Sprintf("%v %+v %#v %s %x %d %v %#v %+v %#v", k, k, k, k, k, k, deep, deep, signer, signer) +
				string(must(json.Marshal(k))(t)) + logged.String()
			scalar := private().ed25519.Seed()
			if algorithm == "ES256" {
				scalar = must(private().p256.Bytes())(t)
			}
			if algorithm == "HS256" {
				scalar = []byte(secret)
			}
			for _, needle := range []string{string(scalar), hex.EncodeToString(scalar), b64(scalar), strings.Trim(fmt.Sprint(scalar), "[]")} {
				if strings.Contains(printed, needle) {
					t.Errorf("a private key is printed: %s", printed)
				}
			}
			if !strings.HasPrefix(printed, "assertion.Key(2026-11)") || !strings.Contains(logged.String(), "assertion.Key(2026-11)") {
				t.Errorf("the id is not printed: %s", printed)
			}
		})
	}
}
