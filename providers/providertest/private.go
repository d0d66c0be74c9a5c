package providertest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/hooknotary/hooknotary/providers/providertest/signer"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// private reports whether the sender signs with a private key.
func (s Sender) private() bool {
	return signer.Private(s.Definition)
}

// held returns what an endpoint holds of the secrets that a sender signs with: public
// keys of private ones, and any other text as it is.
func (s Sender) held(secrets ...string) []string {
	var all []string
	for _, text := range secrets {
		if s.private() {
			if public, err := signer.Public(text); err == nil {
				text = public
			}
		}
		all = append(all, text)
	}
	return all
}

// otherKind returns a public key of another kind than the sender's.
func (s Sender) otherKind() string {
	a := scheme.Ed25519
	if s.Definition.Signatures[0].Algorithm == a {
		a = scheme.ECDSAP256SHA256
	}
	text, err := signer.Public(privateKey(a, "another", 0))
	if err != nil {
		panic(err)
	}
	return text
}

// genuine returns the texts of those signatures in headers that one of the keys made of
// the delivery, each in its one spelling.
func (s Sender) genuine(by scheme.Signature, delivery signer.Delivery, headers, keys []string) ([]string, error) {
	message, err := signer.Message(s.Definition, delivery)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, value := range headers {
		items := []string{value}
		if by.Separator != "" {
			items = listItems(by, value)
		}
		for _, text := range items {
			text, ok := strings.CutPrefix(text, by.Field+by.Assign)
			if by.Separator == "" {
				text, ok = strings.CutPrefix(text, by.Prefix)
			}
			if ok && slices.ContainsFunc(keys, func(key string) bool { return signs(by, key, message, text) }) {
				all = append(all, text)
			}
		}
	}
	return all, nil
}

// signs reports whether a text is a signature of the message by a public key, in its one
// spelling.
func signs(by scheme.Signature, public string, message []byte, text string) bool {
	key, err := verify.ParsePublicKey(public)
	if err != nil {
		return false
	}
	var signature []byte
	written := ""
	switch by.Encoding {
	case scheme.Hex:
		signature, err = hex.DecodeString(text)
		written = hex.EncodeToString(signature)
	case scheme.Base64:
		signature, err = base64.StdEncoding.DecodeString(text)
		written = base64.StdEncoding.EncodeToString(signature)
	case scheme.RawBase64URL:
		signature, err = base64.RawURLEncoding.DecodeString(text)
		written = base64.RawURLEncoding.EncodeToString(signature)
	}
	if err != nil || written != text {
		return false
	}
	sum := sha256.Sum256(message)
	switch key := key.(type) {
	case ed25519.PublicKey:
		return by.Algorithm == scheme.Ed25519 && ed25519.Verify(key, message, signature)
	case *ecdsa.PublicKey:
		var numbers struct{ R, S *big.Int }
		if rest, err := asn1.Unmarshal(signature, &numbers); err != nil || len(rest) > 0 {
			return false
		}
		der, err := asn1.Marshal(numbers)
		return by.Algorithm == scheme.ECDSAP256SHA256 && err == nil && bytes.Equal(der, signature) && ecdsa.VerifyASN1(key, sum[:], signature)
	case *rsa.PublicKey:
		if by.Algorithm == scheme.RSADoubleSHA256 {
			sum = sha256.Sum256(sum[:])
		} else if by.Algorithm != scheme.RSASHA256 {
			return false
		}
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature) == nil
	}
	return false
}

// privateKey returns a private key for tests, the same one for the same arguments, as
// text that the signer reads.
func privateKey(a scheme.Algorithm, provider string, i int) string {
	seed := sha256.Sum256(fmt.Appendf(nil, "%s %d", provider, i))
	var key any
	var err error
	switch a {
	case scheme.Ed25519:
		key = ed25519.NewKeyFromSeed(seed[:])
	case scheme.ECDSAP256SHA256:
		key, err = ecdsa.ParseRawPrivateKey(elliptic.P256(), seed[:])
	case scheme.RSASHA256, scheme.RSADoubleSHA256:
		key = rsaKey(i)
	}
	if err != nil {
		panic(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(der)
}

// rsaKey returns one of a few keys: it takes long to make one.
func rsaKey(i int) *rsa.PrivateKey {
	var primes []*big.Int
	for _, text := range rsaPrimes[i] {
		p, _ := new(big.Int).SetString(text, 16)
		primes = append(primes, p)
	}
	one := big.NewInt(1)
	phi := new(big.Int).Mul(new(big.Int).Sub(primes[0], one), new(big.Int).Sub(primes[1], one))
	key := &rsa.PrivateKey{
		PublicKey: rsa.PublicKey{N: new(big.Int).Mul(primes[0], primes[1]), E: 65537},
		D:         new(big.Int).ModInverse(big.NewInt(65537), phi),
		Primes:    primes,
	}
	key.Precompute()
	return key
}

// rsaPrimes holds the primes of keys that were made for these tests, and that nobody may
// use for anything else.
var rsaPrimes = [...][2]string{
	{
		"f4f0ce2820a8a1d111448cd836404bf6c1312efa5d122d7de820ca94fc5aa4bf8bd16fd6334a1c63d9788e93e75a509990bf9614f91258ca2ef5fd992fb14e602446cda2e1ac542bd8cc4aad1675cd3df557331327184429d7cc212d838694e22659781ddc1648c270799483cecef04c0096b74ebb9ad21f0b28e7c8f9dede2d",
		"ecb311366bb2ceb393ba2e759ef73a9d7f0e05408d9e8586903f1d7669a12f916b8d939dbbf668fb3588ea9fb7b81a6431d59e99c7333c5c6a6854dc86a2109fdffe550a560d92f77173ea422173efe6f9de3bb76f79a60f3ef5535295fc0a0cdc35d5320937f227cfea2cbccd8e4f565c5ba8f9dcdc68014b74e2e0bae025f7",
	},
	{
		"e9120a92e54cf23d4b17d0abf232fe1ce674c824b3cc7dd8d459012d96d2741de877bfd9dad201f0720df2a88ce62cb0e8d2b48927d405dadca45bbd5bade100bbec7dc37b6e7f4dc4c2ee70d10ae7740ded654d731f02b0d49f1aa4e7837104e1278b97d85b44077001f4d14c93ba682b882314d1a1f600141cea8b8383b76b",
		"dc0e5185d9088c3614503ca75a2aa42de436a684872a3c039423bc2bc000bba5aff0a9c82b99a3adbeee5d60ac47cc0fef30b3c09d0ed46f9e2048ecc5f3c3d46f7d2dbe2b0942ed817b3d2acb7cfc2199621f5d36c000a92c764c57abb433ae6f92a284563cbe79575654fa95bdb9b9714043de18cbbc52bd7e41121a1e67d9",
	},
	{
		"dd62b40eb8c303be641c909041f56d4e68d83f4e6b4e27e2553481296c4429e30f6bf3d350b9a8da675ad32d56b4f516c0d8ff78ce65a1173ebcfb22478a52b9117d8abb428a84d60da6faec3c58e13f8497bf4485a400788a0e6d0d31894b9c8b0567d43f3c264a1d48e5930fffc83a014a32df979cbdc063cf7a87883dcd55",
		"cfca8abe6db81d4bf48ded84821d8fea5f032d40534bca01d30a3b0d69cb76e0364d7aac87eb2b74f75053db85ebd99c9363d9d7dc3f340de7f2728818e17142741fcea4db8dca7670e36d7d3a9934fb802cbb4e711de90ed4aad3c109b818c902a92dd65350424ffc1f6e2e653e6fb871fef3fb523de4ee625ac6b1496d71ef",
	},
	{
		"f3101998b502d7964a0cb70ed3dbfda3a0297f2b4707b12fac09a5e37dcd973767948a76f2295da9820770f190d509b03f55376133664c449551d258cfc81253834ab42024abf5ae2323821933bf041944d2c256ee50bf3a69025fd0945a06d3306d8edc6df22daa71227b6a060f7bef4e936183c7b9dc61cac2594862937e09",
		"e6ca99262cf82c9239c90f8dce464b590ff316a593231ad208949f53769f769c3b983bf07ae919d08aabc2bae6e9af4357e4248116fc87235dfc8269ddce6dadf994683c119fc02e0d394a411593f7b16ae3b14e61bab50bcee45e1455b36822ff1bc348ccd0351bc23f277b28db37310d66f20d6d3b52e3bb5a8933cda6bcc3",
	},
	{
		"ca7a73f547f514df29c4c7479d323c4c700872836cfb4c85ddc768648758fbe3bbe4c19a156f7f76c7c5f2114a607e00e470ad7ff60bc2273a52f14e67b792f62b0a9ba2b6427fea23e79f3689afbd0edbfd11a13ed199b3493f6af1669565a2f139d0eb61b1e0693bd1ea565f470bdba3fd1f06d5930d4fe0dae8eb61238947",
		"c175f3dc016a3288bcaf41a1f2b0a839bb4a506cac404d8362d37205e0f4ac2ab115fb99e2d41a500c4229a28f0b97f42b91a556e1c513dcdf0eca6dc0ca5e1397f374d0f0bb54fbeabbf944c19bcf93c739a5c1b72e6a3570cf851fa325d53438a17f4920f6cb700ae991169c98f1c01c7e847afb41b60988acb991b6d45425",
	},
}

// bareVerification verifies a signature over a message of about that size, with the standard
// library alone.
func (s Sender) bareVerification(size int) func() {
	text, err := signer.Public(s.secrets()[0])
	if err != nil {
		panic(err)
	}
	public, err := verify.ParsePublicKey(text)
	if err != nil {
		panic(err)
	}
	message := s.body(size)
	signature := make([]byte, 64) // a wrong one takes as long
	switch public := public.(type) {
	case ed25519.PublicKey:
		return func() { ed25519.Verify(public, message, signature) }
	case *ecdsa.PublicKey:
		signature, err = asn1.Marshal([]*big.Int{big.NewInt(7), new(big.Int).Lsh(big.NewInt(1), 250)})
		if err != nil {
			panic(err)
		}
		return func() {
			sum := sha256.Sum256(message)
			ecdsa.VerifyASN1(public, sum[:], signature)
		}
	case *rsa.PublicKey:
		signature = make([]byte, public.Size())
		signature[public.Size()-1] = 2
		return func() {
			sum := sha256.Sum256(message)
			_ = rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], signature)
		}
	}
	panic("the kind of the key is unknown")
}
