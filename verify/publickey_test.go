package verify_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/verify"
)

// equalKey is what the public keys of the standard library have.
type equalKey interface{ Equal(x crypto.PublicKey) bool }

func base64of(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

func pemOf(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func spki(t *testing.T, key crypto.PublicKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// numbers returns a modulus that nobody has the primes of: it is odd, and of the right length.
func numbers(bits int) *rsa.PublicKey {
	n := new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
	for i := range bits / 256 {
		sum := sha256.Sum256(fmt.Append(nil, bits, i))
		n.Xor(n, new(big.Int).Lsh(new(big.Int).SetBytes(sum[1:]), uint(256*i)))
	}
	return &rsa.PublicKey{N: n.SetBit(n, 0, 1), E: 65537}
}

// testKeys are pairs of each kind.
type testKeys struct {
	ed       ed25519.PrivateKey
	ec, p384 *ecdsa.PrivateKey
	rsa      *rsa.PublicKey
}

func newTestKeys(t *testing.T) testKeys {
	t.Helper()
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return testKeys{ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32)), ec, p384, numbers(2048)}
}

func TestParsePublicKey(t *testing.T) {
	k := newTestKeys(t)
	edPublic := k.ed.Public().(ed25519.PublicKey)
	edPEM := pemOf("PUBLIC KEY", spki(t, edPublic))
	for _, tt := range []struct {
		name, text string
		want       crypto.PublicKey
	}{
		{"Ed25519 in PEM", edPEM, edPublic},
		{"PEM without its last line break", strings.TrimSpace(edPEM), edPublic},
		{"PEM with the line breaks of Windows", strings.ReplaceAll(edPEM, "\n", "\r\n"), edPublic},
		{"PEM with blank lines around it", "\n\n" + edPEM + "\n", edPublic},
		{"Ed25519, DER in base64", base64of(spki(t, edPublic)), edPublic},
		{"Ed25519 in hexadecimal", hex.EncodeToString(edPublic), edPublic},
		{"Ed25519 in upper-case hexadecimal", strings.ToUpper(hex.EncodeToString(edPublic)), edPublic},
		{"Ed25519 in base64", base64of(edPublic), edPublic},
		{"Ed25519 behind whpk_", "whpk_" + base64of(edPublic), edPublic},
		{"P-256 in PEM", pemOf("PUBLIC KEY", spki(t, k.ec.Public())), k.ec.Public()},
		{"P-256, DER in base64", base64of(spki(t, k.ec.Public())), k.ec.Public()},
		{"RSA in PEM", pemOf("PUBLIC KEY", spki(t, k.rsa)), k.rsa},
		{"RSA, DER in base64", base64of(spki(t, k.rsa)), k.rsa},
		{"RSA of 8192 bits", pemOf("PUBLIC KEY", spki(t, numbers(8192))), numbers(8192)},
	} {
		t.Run("it is read: "+tt.name, func(t *testing.T) {
			got, err := verify.ParsePublicKey(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			if !tt.want.(equalKey).Equal(got) {
				t.Errorf("the key is another one: a %T", got)
			}
		})
	}

	pkcs8 := func(key any) []byte {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	sec1, err := x509.MarshalECPrivateKey(k.ec)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)},
		&x509.Certificate{SerialNumber: big.NewInt(1)}, edPublic, k.ed)
	if err != nil {
		t.Fatal(err)
	}
	edDER := spki(t, edPublic)
	for _, tt := range []struct{ name, text, tells string }{
		{"nothing", "", "variable"},
		{"blanks", " \n", "variable"},
		{"a private key in PEM", pemOf("PRIVATE KEY", pkcs8(k.ed)), "private key"},
		{"a private key of an older kind of PEM", pemOf("EC PRIVATE KEY", sec1), "private key"},
		{"a private key, DER in base64", base64of(pkcs8(k.ec)), "private key"},
		{"a private key behind whsk_", "whsk_" + base64of(k.ed.Seed()), "private key"},
		{"a private key behind the public one", edPEM + pemOf("PRIVATE KEY", pkcs8(k.ed)), "private key"},
		{"a certificate in PEM", pemOf("CERTIFICATE", certificate), "certificate"},
		{"a certificate, DER in base64", base64of(certificate), "certificate"},
		{"an RSA PUBLIC KEY", pemOf("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(k.rsa)), "openssl rsa"},
		{"another PEM block", pemOf("PARAMETERS", edDER), "no PUBLIC KEY"},
		{"two keys", edPEM + edPEM, "one key"},
		{"text in front of PEM", "key:\n" + edPEM, "in front"},
		{"PEM that is cut", edPEM[:len(edPEM)-10], "damaged"},
		{"PEM in one line", strings.ReplaceAll(edPEM, "\n", `\n`), "line breaks"},
		{"PEM with headers", strings.Replace(edPEM, "-----\n", "-----\nComment: x\n\n", 1), "headers"},
		{"DER with a byte behind it", pemOf("PUBLIC KEY", append(slices.Clone(edDER), 0)), "want a public key"},
		{"white space around base64", base64of(edPublic) + "\n", "trim"},
		{"quotes around base64", `"` + base64of(edPublic) + `"`, "quotes"},
		{"a placeholder", "<public key>", "placeholder"},
		{"the name of a variable", "DISCORD_PUBLIC_KEY", "not the key itself"},
		{"base64 without padding", strings.TrimRight(base64of(edPublic), "="), "want a public key"},
		{"base64 of the URL's alphabet", strings.NewReplacer("+", "-", "/", "_").Replace(base64of(spki(t, k.rsa))), "want a public key"},
		{"base64 with bits behind the last byte", base64of(edPublic)[:42] + "d=", "want a public key"},
		{"31 bytes", base64of(edPublic[:31]), "want a public key"},
		{"33 bytes", hex.EncodeToString(append(slices.Clone(edPublic), 0)), "want a public key"},
		{"whpk_ and 31 bytes", "whpk_" + base64of(edPublic[:31]), "32 bytes"},
		{"whpk_ and hexadecimal", "whpk_" + hex.EncodeToString(edPublic), "32 bytes"},
		{"a point of P-384", base64of(spki(t, k.p384.Public())), "P-256"},
		{"RSA of 1024 bits", pemOf("PUBLIC KEY", spki(t, numbers(1024))), "2048 to 8192 bits"},
		{"a text that is too long", strings.Repeat("A", 4097), "longer than 4096"},
	} {
		t.Run("it is refused: "+tt.name, func(t *testing.T) {
			key, err := verify.ParsePublicKey(tt.text)
			if err == nil || key != nil {
				t.Fatalf("accepted as a %T", key)
			}
			if !strings.Contains(err.Error(), tt.tells) {
				t.Errorf("the error is %q, want it to say %q", err, tt.tells)
			}
			for i := 0; i+12 <= len(tt.text); i++ {
				if piece := tt.text[i : i+12]; strings.Contains(err.Error(), piece) && !strings.Contains("openssl x509 RSA PUBLIC KEY PRIVATE KEY-----", strings.TrimSpace(piece)) {
					t.Fatalf("the error holds a piece of the text: %q", err)
				}
			}
		})
	}
}

func TestNewPublicKey(t *testing.T) {
	k := newTestKeys(t)
	even := numbers(2048)
	even.N.SetBit(even.N, 0, 0)
	exponent := func(e int) *rsa.PublicKey { return &rsa.PublicKey{N: k.rsa.N, E: e} }
	//lint:ignore SA1019 no constructor makes a key that is no point
	off := &ecdsa.PublicKey{Curve: elliptic.P256(), X: big.NewInt(1), Y: big.NewInt(1)}
	large := math.MaxInt32
	large += 2 // negative, where an int has 32 bits
	for _, tt := range []struct {
		name  string
		wrong crypto.PublicKey
		right crypto.PublicKey
		tells string
	}{
		{"nothing", nil, k.rsa, "nil"},
		{"a nil RSA key", (*rsa.PublicKey)(nil), k.rsa, "bits"},
		{"a nil ECDSA key", (*ecdsa.PublicKey)(nil), k.ec.Public(), "P-256"},
		{"an empty RSA key", &rsa.PublicKey{}, k.rsa, "bits"},
		{"an empty ECDSA key", &ecdsa.PublicKey{}, k.ec.Public(), "P-256"},
		{"RSA of 2047 bits", &rsa.PublicKey{N: new(big.Int).SetBit(new(big.Int).Rsh(k.rsa.N, 1), 0, 1), E: 65537}, k.rsa, "2048 to 8192"},
		{"RSA of more than 8192 bits", numbers(8448), numbers(8192), "2048 to 8192"},
		{"a negative modulus", &rsa.PublicKey{N: new(big.Int).Neg(k.rsa.N), E: 65537}, k.rsa, "bits"},
		{"an even modulus", even, k.rsa, "even"},
		{"the exponent 1", exponent(1), exponent(3), "exponent"},
		{"the exponent 0", exponent(0), exponent(3), "exponent"},
		{"a negative exponent", exponent(-3), exponent(3), "exponent"},
		{"an even exponent", exponent(65536), exponent(65537), "exponent"},
		{"an exponent of 32 bits", exponent(large), exponent(math.MaxInt32), "exponent"},
		{"P-384", k.p384.Public(), k.ec.Public(), "P-256"},
		{"no point of P-256", off, k.ec.Public(), "P-256"},
		{"31 bytes of Ed25519", k.ed.Public().(ed25519.PublicKey)[:31], k.ed.Public(), "32 bytes"},
		{"no key", "a text", k.rsa, "unknown kind"},
		{"an RSA key by value", *k.rsa, k.rsa, "unknown kind"},
		{"a private key of Ed25519", k.ed, k.ed.Public(), "private key"},
		{"a private key of ECDSA", k.ec, k.ec.Public(), "private key"},
	} {
		t.Run("it is refused: "+tt.name, func(t *testing.T) {
			if key, err := verify.NewPublicKey("scope", "label", tt.wrong); err == nil || key.Public() != nil {
				t.Error("accepted")
			} else if !strings.Contains(err.Error(), tt.tells) {
				t.Errorf("the error is %q, want it to say %q", err, tt.tells)
			}
			key, err := verify.NewPublicKey("scope", "label", tt.right)
			if err != nil {
				t.Fatalf("its twin: %v", err)
			}
			if !tt.right.(equalKey).Equal(key.Public()) || key.Secret() != nil || key.Scope() != "scope" || key.Label() != "label" {
				t.Errorf("its twin is another key: %v", key)
			}
		})
	}
	t.Run("a name that does not print is refused", func(t *testing.T) {
		if _, err := verify.NewPublicKey("a\nb", "label", k.rsa); err == nil {
			t.Error("accepted")
		}
	})
	t.Run("the key keeps its own copy", func(t *testing.T) {
		given, kept := slices.Clone(k.ed.Public().(ed25519.PublicKey)), numbers(2048)
		one, err := verify.NewPublicKey("s", "l", given)
		if err != nil {
			t.Fatal(err)
		}
		two, err := verify.NewPublicKey("s", "l", kept)
		if err != nil {
			t.Fatal(err)
		}
		given[0]++
		kept.N.SetInt64(1)
		one.Public().(ed25519.PublicKey)[1]++
		two.Public().(*rsa.PublicKey).N.SetInt64(1)
		if !k.ed.Public().(equalKey).Equal(one.Public()) || !k.rsa.Equal(two.Public()) {
			t.Error("the key was changed from outside")
		}
	})
	t.Run("the zero Key has no public key", func(t *testing.T) {
		if (verify.Key{}).Public() != nil {
			t.Error("it has one")
		}
	})
}

// TestEd25519Points judges encodings of points by what RFC 8032 says of them: the
// standard library takes some that are none.
func TestEd25519Points(t *testing.T) {
	le := func(text string) ed25519.PublicKey { // a number in hexadecimal
		n, _ := new(big.Int).SetString(text, 16)
		b := n.FillBytes(make([]byte, 32))
		slices.Reverse(b)
		return b
	}
	signed := func(key ed25519.PublicKey) ed25519.PublicKey {
		key = slices.Clone(key)
		key[31] |= 0x80
		return key
	}
	const p = "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed"
	eight := must(hex.DecodeString("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"))  // of order 8
	others := must(hex.DecodeString("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")) // the other two
	base := must(hex.DecodeString("5866666666666666666666666666666666666666666666666666666666666666"))
	for _, tt := range []struct {
		name  string
		key   ed25519.PublicKey
		tells string // empty: it is taken
	}{
		{"the base point", base, ""},
		{"its negative", signed(base), ""},
		{"the point of order 1", le("1"), "small order"},
		{"the point of order 1, with a sign", signed(le("1")), "canonically"},
		{"the point of order 2", le("7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffec"), "small order"},
		{"a point of order 4", le("0"), "small order"},
		{"the other point of order 4", signed(le("0")), "small order"},
		{"a point of order 8", eight, "small order"},
		{"a second point of order 8", signed(eight), "small order"},
		{"a third point of order 8", others, "small order"},
		{"the fourth point of order 8", signed(others), "small order"},
		{"p in the place of 0", le(p), "canonically"},
		{"p and 1 in the place of 1", le("7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffee"), "canonically"},
		{"the largest number", le("7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"), "canonically"},
		{"a number without a point", le("2"), "no point"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := verify.NewPublicKey("s", "l", tt.key)
			switch {
			case tt.tells == "" && err != nil:
				t.Error(err)
			case tt.tells != "" && (err == nil || !strings.Contains(err.Error(), tt.tells)):
				t.Errorf("the error is %v, want it to say %q", err, tt.tells)
			}
		})
	}
	t.Run("keys of the standard library are taken", func(t *testing.T) {
		for i := range 64 {
			seed := sha256.Sum256([]byte{byte(i)})
			if _, err := verify.NewPublicKey("s", "l", ed25519.NewKeyFromSeed(seed[:]).Public()); err != nil {
				t.Fatal(err)
			}
		}
	})
	t.Run("about half of the numbers have no point", func(t *testing.T) {
		refused := 0
		for i := range 256 {
			key := sha256.Sum256([]byte{'y', byte(i)})
			key[31] &= 0x7f
			if _, err := verify.NewPublicKey("s", "l", ed25519.PublicKey(key[:])); err != nil {
				refused++
			}
		}
		if refused < 80 || refused > 176 {
			t.Errorf("%d of 256 numbers are refused", refused)
		}
	})
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

func TestPublicKeys(t *testing.T) {
	k := newTestKeys(t)
	one, two := base64of(k.ed.Public().(ed25519.PublicKey)), pemOf("PUBLIC KEY", spki(t, k.ec.Public()))
	t.Run("they are read in their order", func(t *testing.T) {
		list, err := verify.PublicKeys(one, two).KeyList()
		if err != nil || len(list) != 2 {
			t.Fatalf("%d keys, error %v", len(list), err)
		}
		for i, want := range []crypto.PublicKey{k.ed.Public(), k.ec.Public()} {
			if !want.(equalKey).Equal(list[i].Public()) || list[i].Scope() != "default" || list[i].Label() != fmt.Sprint(i+1) {
				t.Errorf("key %d is %v", i, list[i])
			}
		}
	})
	t.Run("the error says which one is wrong", func(t *testing.T) {
		if _, err := verify.PublicKeys(one, "whsk_"+one).KeyList(); err == nil || !strings.HasPrefix(err.Error(), "public key 2 of 2: this is a private key") {
			t.Errorf("the error is %v", err)
		}
		if _, err := verify.PublicKeys("").KeyList(); err == nil || !strings.HasPrefix(err.Error(), "the public key is empty") {
			t.Errorf("the error is %v", err)
		}
	})
}

// TestPublicKeyAsSecret: what is plainly a public key never becomes the secret of an
// HMAC, which everybody could compute then.
func TestPublicKeyAsSecret(t *testing.T) {
	k := newTestKeys(t)
	raw := base64of(k.ed.Public().(ed25519.PublicKey))
	for _, tt := range []struct {
		name, text string
		public     bool
	}{
		{"PEM", pemOf("PUBLIC KEY", spki(t, k.rsa)), true},
		{"DER of RSA in base64", base64of(spki(t, k.rsa)), true},
		{"DER of ECDSA in base64", base64of(spki(t, k.ec.Public())), true},
		{"DER of Ed25519 in base64", base64of(spki(t, k.ed.Public())), true},
		{"whpk_", "whpk_" + raw, true},
		{"bare bytes, which look like a secret", raw, false},
		{"whpk_ and a byte less", "whpk_" + base64of(k.ed.Public().(ed25519.PublicKey)[:31]), false},
		{"bytes that begin as DER does", base64of(spki(t, k.ed.Public())[:32]), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			key, err := verify.NewKey("s", "l", []byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if (key.Public() != nil) != tt.public || (key.Secret() == nil) != tt.public {
				t.Errorf("it holds a public key: %v, a secret: %v", key.Public() != nil, key.Secret() != nil)
			}
			list, err := verify.Secrets(tt.text).KeyList()
			if err != nil || (list[0].Public() != nil) != tt.public {
				t.Errorf("Secrets: it holds a public key: %v, error %v", list[0].Public() != nil, err)
			}
		})
	}
	for _, tt := range []struct{ name, text, tells string }{
		{"a private key in PEM", "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----", "private key"},
		{"a long private key in PEM", pemOf("RSA PRIVATE KEY", make([]byte, 1200)), "private key"},
		{"a public key of a kind that no scheme has", base64of(spki(t, k.p384.Public())), "P-256"},
		{"whpk_ and a point of small order", "whpk_" + base64of(make([]byte, 32)), "small order"},
	} {
		t.Run("it is refused: "+tt.name, func(t *testing.T) {
			if _, err := verify.NewKey("s", "l", []byte(tt.text)); err == nil || !strings.Contains(err.Error(), tt.tells) {
				t.Errorf("the error is %v, want it to say %q", err, tt.tells)
			}
		})
	}
}

// FuzzParsePublicKey: what is accepted is a key that NewPublicKey takes, and the same one
// when it is written and read again.
func FuzzParsePublicKey(f *testing.F) {
	ed := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32)).Public().(ed25519.PublicKey)
	for _, key := range []crypto.PublicKey{ed, numbers(2048)} {
		der, err := x509.MarshalPKIXPublicKey(key)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(base64of(der))
		f.Add(pemOf("PUBLIC KEY", der))
	}
	f.Add("whpk_" + base64of(ed))
	f.Add(hex.EncodeToString(ed))
	f.Add("-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n")
	f.Fuzz(func(t *testing.T, text string) {
		key, err := verify.ParsePublicKey(text)
		if err != nil {
			return
		}
		if _, err := verify.NewPublicKey("s", "l", key); err != nil {
			t.Fatalf("NewPublicKey refuses it: %v", err)
		}
		der, err := x509.MarshalPKIXPublicKey(key)
		if err != nil {
			t.Fatal(err)
		}
		again, err := verify.ParsePublicKey(base64of(der))
		if err != nil || !key.(equalKey).Equal(again) {
			t.Fatalf("written and read again, it is another one: %v", err)
		}
	})
}
