package scheme_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"math/big"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// pair is a key pair of one algorithm, and how its sender signs.
type pair struct {
	algorithm scheme.Algorithm
	public    crypto.PublicKey
	sign      func(message []byte) []byte
}

var pairs = sync.OnceValue(func() []pair {
	ed := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{9}, 32))
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	rs, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	signed := func(b []byte, err error) []byte {
		if err != nil {
			panic(err)
		}
		return b
	}
	return []pair{
		{scheme.Ed25519, ed.Public(), func(m []byte) []byte { return ed25519.Sign(ed, m) }},
		{scheme.ECDSAP256SHA256, ec.Public(), func(m []byte) []byte {
			sum := sha256.Sum256(m)
			return signed(ecdsa.SignASN1(rand.Reader, ec, sum[:]))
		}},
		{scheme.RSASHA256, rs.Public(), func(m []byte) []byte {
			sum := sha256.Sum256(m)
			return signed(rsa.SignPKCS1v15(nil, rs, crypto.SHA256, sum[:]))
		}},
		{scheme.RSADoubleSHA256, rs.Public(), func(m []byte) []byte {
			sum := sha256.Sum256(m)
			sum = sha256.Sum256(sum[:])
			return signed(rsa.SignPKCS1v15(nil, rs, crypto.SHA256, sum[:]))
		}},
	}
})

// signedBy returns a definition whose sender signs the time and the body.
func signedBy(a scheme.Algorithm) scheme.Definition {
	return scheme.Definition{
		Provider:   "acme",
		Signatures: []scheme.Signature{{Header: "Acme-Signature", Encoding: scheme.Base64, Algorithm: a}},
		Timestamp:  scheme.Timestamp{Header: "Acme-Time"},
		Message:    []scheme.Part{scheme.SignedTime(), scheme.Literal("."), scheme.Body()},
		MaxBody:    1 << 20,
		Retry:      verify.RetryIdentical,
	}
}

const publicBody = `{"event":"invoice.paid"}`

var publicAt = time.Unix(1773480413, 0)

// message is what is signed of the body.
func publicMessage(body string) []byte {
	return []byte(strconv.FormatInt(publicAt.Unix(), 10) + "." + body)
}

func publicHead(signatures ...[]byte) *verify.Head {
	h := &verify.Head{Method: http.MethodPost, Header: http.Header{"Acme-Time": {strconv.FormatInt(publicAt.Unix(), 10)}}, ReceivedAt: publicAt}
	for _, s := range signatures {
		h.Header.Add("Acme-Signature", base64.StdEncoding.EncodeToString(s))
	}
	return h
}

func publicKeyOf(t *testing.T, label string, key crypto.PublicKey) verify.Key {
	t.Helper()
	k, err := verify.NewPublicKey("acct", label, key)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func publicVerifier(t *testing.T, d scheme.Definition, keys ...crypto.PublicKey) *scheme.Verifier {
	t.Helper()
	var list verify.KeyList
	for i, key := range keys {
		list = append(list, publicKeyOf(t, strconv.Itoa(i+1), key))
	}
	v, err := scheme.New(d, list, nil)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestPublicKey judges signatures by a public key. Each that is refused has the genuine
// one as its twin.
func TestPublicKey(t *testing.T) {
	for i, p := range pairs() {
		t.Run(p.algorithm.String(), func(t *testing.T) {
			v := publicVerifier(t, signedBy(p.algorithm), p.public)
			genuine := p.sign(publicMessage(publicBody))
			flipped := slices.Clone(genuine)
			flipped[len(flipped)-1] ^= 1
			for _, tt := range []struct {
				name string
				head *verify.Head
				body string
				want error // nil: accepted
			}{
				{"the genuine signature", publicHead(genuine), publicBody, nil},
				{"another body", publicHead(genuine), publicBody + " ", verify.ErrMismatch},
				{"no body", publicHead(genuine), "", verify.ErrMismatch},
				{"a bit of the signature flipped", publicHead(flipped), publicBody, verify.ErrMismatch},
				{"a signature of the body alone", publicHead(p.sign([]byte(publicBody))), publicBody, verify.ErrMismatch},
				{"a signature of nothing", publicHead(p.sign(nil)), publicBody, verify.ErrMismatch},
				{"a byte less", publicHead(genuine[:len(genuine)-1]), publicBody, verify.ErrMalformed},
				{"nothing", publicHead([]byte{}), publicBody, verify.ErrUnsigned},
				{"one byte", publicHead([]byte{0}), publicBody, verify.ErrMalformed},
				{"two headers", publicHead(genuine, genuine), publicBody, verify.ErrMalformed},
				{"an HMAC with the public key", publicHead(hmacWith(t, p.public)), publicBody, verify.ErrMalformed},
			} {
				t.Run(tt.name, func(t *testing.T) {
					d, err := verify.Verify(context.Background(), v, tt.head, []byte(tt.body))
					switch {
					case tt.want == nil && err != nil:
						t.Fatal(err)
					case tt.want != nil && !errors.Is(err, tt.want):
						t.Fatalf("outcome is %v, want %v", err, tt.want)
					case err != nil:
						return
					}
					if d.Scope != "acct" || d.KeyLabel != "1" || d.Binding != verify.BindingFull {
						t.Errorf("the delivery is %+v", d)
					}
				})
			}
			t.Run("the fingerprint is the message's, and not the signature's", func(t *testing.T) {
				d, err := verify.Verify(context.Background(), v, publicHead(genuine), []byte(publicBody))
				if err != nil {
					t.Fatal(err)
				}
				if want := verify.NewFingerprint(sha256.Sum256(publicMessage(publicBody))); !d.Fingerprint.Equal(want) {
					t.Error("it is another one")
				}
			})
			t.Run("a key of another kind is refused, and one of this kind twice", func(t *testing.T) {
				other := pairs()[(i+1)%2].public
				if _, err := scheme.New(signedBy(p.algorithm), verify.KeyList{publicKeyOf(t, "1", other)}, nil); err == nil || !strings.Contains(err.Error(), "another kind") {
					t.Errorf("the error is %v", err)
				}
				twice := verify.KeyList{publicKeyOf(t, "1", p.public), publicKeyOf(t, "2", p.public)}
				if _, err := scheme.New(signedBy(p.algorithm), twice, nil); err == nil || !strings.Contains(err.Error(), "same") {
					t.Errorf("the error is %v", err)
				}
			})
			t.Run("without a key, the request is refused at its end", func(t *testing.T) {
				none := verify.KeyFunc(func(context.Context, *verify.Head) ([]verify.Key, error) { return nil, nil })
				v, err := scheme.New(signedBy(p.algorithm), none, nil)
				if err != nil {
					t.Fatal(err)
				}
				pending, err := v.Begin(context.Background(), publicHead(genuine))
				if err != nil {
					t.Fatal(err)
				}
				if _, err := pending.Finish(context.Background(), []byte(publicBody)); !errors.Is(err, verify.ErrNoKey) {
					t.Errorf("outcome is %v", err)
				}
			})
			t.Run("a key may be a text that looks like a secret's", func(t *testing.T) {
				der, err := x509.MarshalPKIXPublicKey(p.public)
				if err != nil {
					t.Fatal(err)
				}
				texts := []string{base64.StdEncoding.EncodeToString(der), string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))}
				if raw, ok := p.public.(ed25519.PublicKey); ok {
					texts = append(texts, hex.EncodeToString(raw), base64.StdEncoding.EncodeToString(raw))
				}
				for _, text := range texts {
					v, err := scheme.New(signedBy(p.algorithm), verify.Secrets(text), nil)
					if err != nil {
						t.Fatal(err)
					}
					if _, err := verify.Verify(context.Background(), v, publicHead(genuine), []byte(publicBody)); err != nil {
						t.Error(err)
					}
					scheme.Must(signedBy(p.algorithm), text)
				}
			})
		})
	}
}

// hmacWith returns what a verifier that takes a public key for a secret would accept.
func hmacWith(t *testing.T, key crypto.PublicKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(append(der, publicMessage(publicBody)...))
	return sum[:]
}

// TestKeyKinds: no secret in the place of a public key, and the other way round.
func TestKeyKinds(t *testing.T) {
	ed := pairs()[0].public.(ed25519.PublicKey)
	der := func(key crypto.PublicKey) string {
		der, err := x509.MarshalPKIXPublicKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return base64.StdEncoding.EncodeToString(der)
	}
	private := "whsk_" + base64.StdEncoding.EncodeToString(make([]byte, 32))
	credential := signedBy(scheme.Ed25519)
	credential.Secret.Refuse = []string{"key_"}
	for _, tt := range []struct {
		name  string
		d     scheme.Definition
		wrong string
		right string
		tells string
	}{
		{"DER in the place of a secret", signedBy(scheme.HMACSHA256), der(ed), "5d1f0c6a9b3e47d28c50f1ae6b7d9243", "public key"},
		{"DER of RSA in the place of a secret", signedBy(scheme.HMACSHA256), der(pairs()[2].public), "5d1f0c6a9b3e47d28c50f1ae6b7d9243", "public key"},
		{"whpk_ in the place of a secret", signedBy(scheme.HMACSHA256), "whpk_" + base64.StdEncoding.EncodeToString(ed), "5d1f0c6a9b3e47d28c50f1ae6b7d9243", "public key"},
		{"a secret in the place of a public key", signedBy(scheme.Ed25519), "5d1f0c6a9b3e47d28c50f1ae6b7d9243", hex.EncodeToString(ed), "no public key"},
		{"a private key in the place of a public key", signedBy(scheme.Ed25519), private, hex.EncodeToString(ed), "private key"},
		{"another credential in the place of a public key", credential, "key_1f0c6a9b3e47d28c50f1ae6b7d9243", hex.EncodeToString(ed), "another credential"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := scheme.New(tt.d, verify.Secrets(tt.wrong), nil)
			if err == nil || !strings.Contains(err.Error(), tt.tells) {
				t.Errorf("the error is %v, want it to say %q", err, tt.tells)
			}
			if err != nil && strings.Contains(err.Error(), tt.wrong) {
				t.Errorf("the error holds the text: %v", err)
			}
			if _, err := scheme.New(tt.d, verify.Secrets(tt.right), nil); err != nil {
				t.Errorf("its twin: %v", err)
			}
		})
	}
	t.Run("a Key of a public key in the place of a secret", func(t *testing.T) {
		if _, err := scheme.New(signedBy(scheme.HMACSHA256), verify.KeyList{publicKeyOf(t, "1", ed)}, nil); err == nil || !strings.Contains(err.Error(), "public key") {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("the zero Key", func(t *testing.T) {
		if _, err := scheme.New(signedBy(scheme.Ed25519), verify.KeyList{{}}, nil); err == nil || !strings.Contains(err.Error(), "no key") {
			t.Errorf("the error is %v", err)
		}
	})
}

func TestPublicKeyDefinition(t *testing.T) {
	other := scheme.Signature{Header: "Acme-Other", Algorithm: scheme.InsecureHMACSHA1}
	for _, tt := range []struct {
		name  string
		edit  func(d *scheme.Definition)
		tells string
	}{
		{"an HMAC behind a public key", func(d *scheme.Definition) { d.Signatures = append(d.Signatures, other) }, "only one"},
		{"a public key behind an HMAC", func(d *scheme.Definition) { d.Signatures = append([]scheme.Signature{other}, d.Signatures...) }, "only one"},
		{"a secret's encoding", func(d *scheme.Definition) { d.Secret.Encoding = scheme.Base64Secret }, "form of its own"},
		{"a handshake that computes with a key", func(d *scheme.Definition) {
			d.Handshakes = []scheme.Handshake{{Kind: scheme.GetHandshake, Parameter: "challenge", Response: `{"a":"$hmac_hex"}`}}
		}, "no secret"},
		{"a secret's prefix", func(d *scheme.Definition) { d.Secret.Prefix = "whpk_" }, "form of its own"},
	} {
		t.Run("it is refused: "+tt.name, func(t *testing.T) {
			d := signedBy(scheme.Ed25519)
			if _, err := d.Profile(); err != nil {
				t.Fatalf("its twin: %v", err)
			}
			tt.edit(&d)
			if _, err := d.Profile(); err == nil || !strings.Contains(err.Error(), tt.tells) {
				t.Errorf("the error is %v, want it to say %q", err, tt.tells)
			}
		})
	}
	t.Run("others do not tell it by an HMAC", func(t *testing.T) {
		d := signedBy(scheme.Ed25519)
		if a := d.Describe(); a.Tell.Before != verify.NotBeforeBody || !strings.Contains(a.Signed, "Ed25519") {
			t.Errorf("it is described as %+v", a)
		}
	})
}

// TestPublicCandidates: each signature costs a verification under each key, so a list
// may hold a few.
func TestPublicCandidates(t *testing.T) {
	p := pairs()[0]
	d := signedBy(p.algorithm)
	d.Signatures[0].Field, d.Signatures[0].Separator, d.Signatures[0].Assign = "v1a", " ", ","
	v := publicVerifier(t, d, p.public)
	genuine := "v1a," + base64.StdEncoding.EncodeToString(p.sign(publicMessage(publicBody)))
	forged := "v1a," + base64.StdEncoding.EncodeToString(p.sign(nil))
	for _, tt := range []struct {
		name  string
		items []string
		want  error
	}{
		{"one", []string{genuine}, nil},
		{"four, the last one genuine", []string{forged, forged, forged, genuine}, nil},
		{"five, the last one genuine", []string{forged, forged, forged, forged, genuine}, verify.ErrMalformed},
		{"five, the first one genuine", []string{genuine, forged, forged, forged, forged}, verify.ErrMalformed},
		{"one among others of another kind", []string{"v1,a", "v1,b", "v1,c", "v1,d", "v1,e", genuine}, nil},
		{"one beside some that do not decode", []string{"v1a,a", "v1a,b", "v1a,c", "v1a,d", "v1a,e", genuine}, nil},
		{"four forged ones", []string{forged, forged, forged, forged}, verify.ErrMismatch},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := publicHead()
			h.Header.Set("Acme-Signature", strings.Join(tt.items, " "))
			if _, err := verify.Verify(context.Background(), v, h, []byte(publicBody)); !errors.Is(err, tt.want) {
				t.Errorf("outcome is %v, want %v", err, tt.want)
			}
		})
	}
}

// TestPublicRotation: the label says which key signed.
func TestPublicRotation(t *testing.T) {
	p := pairs()[0]
	other := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{10}, 32))
	v := publicVerifier(t, signedBy(p.algorithm), other.Public(), p.public)
	for label, signature := range map[string][]byte{"2": p.sign(publicMessage(publicBody)), "1": ed25519.Sign(other, publicMessage(publicBody))} {
		d, err := verify.Verify(context.Background(), v, publicHead(signature), []byte(publicBody))
		if err != nil || d.KeyLabel != label {
			t.Errorf("key %s: %+v, %v", label, d, err)
		}
	}
}

// TestEd25519Signature: a signature has one spelling.
func TestEd25519Signature(t *testing.T) {
	p := pairs()[0]
	v := publicVerifier(t, signedBy(p.algorithm), p.public)
	genuine := p.sign(publicMessage(publicBody))
	// S and the order of the group: the same number to a verifier that does not look.
	order, _ := new(big.Int).SetString("1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed", 16)
	scalar := slices.Clone(genuine[32:])
	slices.Reverse(scalar)
	above := new(big.Int).Add(new(big.Int).SetBytes(scalar), order).FillBytes(make([]byte, 32))
	slices.Reverse(above)
	for name, signature := range map[string][]byte{"S and the order": append(slices.Clone(genuine[:32]), above...), "zeros": make([]byte, 64)} {
		if _, err := verify.Verify(context.Background(), v, publicHead(signature), []byte(publicBody)); !errors.Is(err, verify.ErrMismatch) {
			t.Errorf("%s: outcome is %v", name, err)
		}
	}
	for name, signature := range map[string][]byte{"a byte more": append(slices.Clone(genuine), 0)} {
		if _, err := verify.Verify(context.Background(), v, publicHead(signature), []byte(publicBody)); !errors.Is(err, verify.ErrMalformed) {
			t.Errorf("%s: outcome is %v", name, err)
		}
	}
	t.Run("a message without anything around the body", func(t *testing.T) {
		d := signedBy(p.algorithm)
		d.Timestamp, d.Message = scheme.Timestamp{}, []scheme.Part{scheme.Body()}
		v := publicVerifier(t, d, p.public)
		if _, err := verify.Verify(context.Background(), v, publicHead(p.sign([]byte(publicBody))), []byte(publicBody)); err != nil {
			t.Error(err)
		}
		if _, err := verify.Verify(context.Background(), v, publicHead(genuine), []byte(publicBody)); !errors.Is(err, verify.ErrMismatch) {
			t.Errorf("outcome is %v", err)
		}
	})
}

// TestECDSASignature: the numbers of a signature are written in one way.
func TestECDSASignature(t *testing.T) {
	p := pairs()[1]
	v := publicVerifier(t, signedBy(p.algorithm), p.public)
	n := elliptic.P256().Params().N
	der := func(numbers ...[]byte) []byte {
		var inner []byte
		for _, b := range numbers {
			inner = append(inner, append([]byte{2, byte(len(b))}, b...)...)
		}
		return append([]byte{0x30, byte(len(inner))}, inner...)
	}
	written := func(x *big.Int) []byte {
		b := x.Bytes()
		if len(b) == 0 || b[0] >= 0x80 {
			b = append([]byte{0}, b...)
		}
		return b
	}
	var r, s *big.Int
	var genuine []byte
	for { // one whose numbers have 31 bytes at least, and whose r has its high bit
		genuine = p.sign(publicMessage(publicBody))
		rest := genuine[2:]
		r = new(big.Int).SetBytes(rest[2 : 2+rest[1]])
		rest = rest[2+rest[1]:]
		s = new(big.Int).SetBytes(rest[2:])
		if r.BitLen() == 256 && s.BitLen() > 200 && s.BitLen() < 256 {
			break
		}
	}
	if !bytes.Equal(der(written(r), written(s)), genuine) {
		t.Fatal("the test does not write DER")
	}
	mirrored := der(written(r), written(new(big.Int).Sub(n, s)))
	sequence := slices.Clone(genuine)
	sequence[0] = 0x31
	octets := slices.Clone(genuine)
	octets[2] = 4
	for _, tt := range []struct {
		name      string
		signature []byte
		want      error
	}{
		{"as DER writes it", genuine, nil},
		{"n-s in the place of s", mirrored, nil},
		{"n and s in the place of s", der(written(r), written(new(big.Int).Add(n, s))), verify.ErrMalformed},
		{"n in the place of s", der(written(r), written(n)), verify.ErrMalformed},
		{"n-1 in the place of s", der(written(r), written(new(big.Int).Sub(n, big.NewInt(1)))), verify.ErrMismatch},
		{"n in the place of r", der(written(n), written(s)), verify.ErrMalformed},
		{"r is 0", der([]byte{0}, written(s)), verify.ErrMalformed},
		{"s is 0", der(written(r), []byte{0}), verify.ErrMalformed},
		{"both are 0", der([]byte{0}, []byte{0}), verify.ErrMalformed},
		{"both are 1", der([]byte{1}, []byte{1}), verify.ErrMismatch},
		{"r has no sign byte", der(r.Bytes(), written(s)), verify.ErrMalformed},
		{"s has a sign byte too much", der(written(r), append([]byte{0}, written(s)...)), verify.ErrMalformed},
		{"s is empty", der(written(r), nil), verify.ErrMalformed},
		{"r alone", der(written(r)), verify.ErrMalformed},
		{"a third number", der(written(r), written(s), []byte{1}), verify.ErrMalformed},
		{"s and r", der(written(s), written(r)), verify.ErrMismatch},
		{"the numbers without DER", append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...), verify.ErrMalformed},
		{"a byte behind it", append(slices.Clone(genuine), 0), verify.ErrMalformed},
		{"a length in two bytes", append([]byte{0x30, 0x81}, genuine[1:]...), verify.ErrMalformed},
		{"a length without an end", append(append([]byte{0x30, 0x80}, genuine[2:]...), 0, 0), verify.ErrMalformed},
		{"a set", sequence, verify.ErrMalformed},
		{"an octet string", octets, verify.ErrMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := verify.Verify(context.Background(), v, publicHead(tt.signature), []byte(publicBody))
			if !errors.Is(err, tt.want) {
				t.Errorf("outcome is %v, want %v", err, tt.want)
			}
		})
	}
	t.Run("both signatures of a pair are one message", func(t *testing.T) {
		one, err := verify.Verify(context.Background(), v, publicHead(genuine), []byte(publicBody))
		if err != nil {
			t.Fatal(err)
		}
		two, err := verify.Verify(context.Background(), v, publicHead(mirrored), []byte(publicBody))
		if err != nil {
			t.Fatal(err)
		}
		if !one.Fingerprint.Equal(two.Fingerprint) {
			t.Error("they have two fingerprints")
		}
	})
}

// TestDoubleHash: a hash of the message is not the message.
func TestDoubleHash(t *testing.T) {
	once, twice := pairs()[2], pairs()[3]
	for _, tt := range []struct{ verifies, signs pair }{{once, twice}, {twice, once}} {
		v := publicVerifier(t, signedBy(tt.verifies.algorithm), tt.verifies.public)
		if _, err := verify.Verify(context.Background(), v, publicHead(tt.signs.sign(publicMessage(publicBody))), []byte(publicBody)); !errors.Is(err, verify.ErrMismatch) {
			t.Errorf("%v takes a signature of %v: %v", tt.verifies.algorithm, tt.signs.algorithm, err)
		}
		if _, err := verify.Verify(context.Background(), v, publicHead(tt.verifies.sign(publicMessage(publicBody))), []byte(publicBody)); err != nil {
			t.Error(err)
		}
	}
}

// TestRSASignature: the padding and the hash are the scheme's, and the length is the key's.
func TestRSASignature(t *testing.T) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	v := publicVerifier(t, signedBy(scheme.RSASHA256), private.Public())
	sum, long := sha256.Sum256(publicMessage(publicBody)), sha512.Sum512(publicMessage(publicBody))
	signed := func(b []byte, err error) []byte {
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	genuine := signed(rsa.SignPKCS1v15(nil, private, crypto.SHA256, sum[:]))
	above := new(big.Int).Add(new(big.Int).SetBytes(genuine), private.N).Bytes()
	for _, tt := range []struct {
		name      string
		signature []byte
		want      error
	}{
		{"as PKCS #1 v1.5 writes it", genuine, nil},
		{"PSS", signed(rsa.SignPSS(rand.Reader, private, crypto.SHA256, sum[:], nil)), verify.ErrMismatch},
		{"SHA-512", signed(rsa.SignPKCS1v15(nil, private, crypto.SHA512, long[:])), verify.ErrMismatch},
		{"a hash without its name", signed(rsa.SignPKCS1v15(nil, private, 0, sum[:])), verify.ErrMismatch},
		{"a zero in front", append([]byte{0}, genuine...), verify.ErrMismatch},
		{"a byte behind it", append(slices.Clone(genuine), 0), verify.ErrMismatch},
		{"a byte less", genuine[:255], verify.ErrMalformed},
		{"more bytes than any key has", make([]byte, 1025), verify.ErrMalformed},
		{"the modulus and the signature", above, verify.ErrMismatch},
		{"zeros", make([]byte, 256), verify.ErrMismatch},
		{"the modulus", private.N.Bytes(), verify.ErrMismatch},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := verify.Verify(context.Background(), v, publicHead(tt.signature), []byte(publicBody))
			if !errors.Is(err, tt.want) {
				t.Errorf("outcome is %v, want %v", err, tt.want)
			}
		})
	}
}
