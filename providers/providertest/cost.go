package providertest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"hash"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/providers/internal/cost"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// The sizes of bodies, and how much slower than a bare HMAC a verification should be,
// without and with a signed time.
var sizes = []struct {
	name           string
	bytes          int
	untimed, timed float64
}{
	{"256B", 256, 1.8, 2.2},
	{"4KiB", 4 << 10, 1.12, 1.2},
	{"64KiB", 64 << 10, 1.03, 1.03},
}

// BenchVerify measures a verification, for each size of a body.
func (s Sender) BenchVerify(b *testing.B) {
	for _, size := range sizes {
		b.Run(size.name, func(b *testing.B) {
			f := s.verification(b, size.bytes)
			b.SetBytes(int64(size.bytes))
			b.ReportAllocs()
			for b.Loop() {
				f()
			}
		})
	}
}

// BenchHMAC measures the part of a verification that no verifier can do without: a keyed
// HMAC that is reset, over a message of the same length.
func (s Sender) BenchHMAC(b *testing.B) {
	for _, size := range sizes {
		b.Run(size.name, func(b *testing.B) {
			f := s.bare(size.bytes)
			b.SetBytes(int64(size.bytes))
			for b.Loop() {
				f()
			}
		})
	}
}

// BenchRatio measures both in turn, in one run, and reports how many bare HMACs a
// verification costs, or bare verifications where the sender signs with a private key.
func (s Sender) BenchRatio(b *testing.B) {
	for _, size := range sizes {
		b.Run(size.name, func(b *testing.B) {
			var ratio float64
			for b.Loop() {
				ratio = cost.Ratio(s.verification(b, size.bytes), s.bare(size.bytes))
			}
			b.ReportMetric(ratio, "hmacs/op")
			target := size.untimed
			if s.timed() {
				target = size.timed
			}
			b.ReportMetric(target, "target")
		})
	}
}

// BenchRefuse measures the refusal of heads.
func (s Sender) BenchRefuse(b *testing.B) {
	refusals := s.refusals(b)
	for _, name := range slices.Sorted(maps.Keys(refusals)) {
		f := refusals[name]
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f()
			}
		})
	}
}

func (s Sender) verification(t testing.TB, size int) func() {
	t.Helper()
	secret := s.secrets()[0]
	v := s.mustNew(t, s.options(), secret)
	body := s.body(size)
	head := &verify.Head{Method: http.MethodPost, Header: s.sign(0, signedAt, body, secret), ReceivedAt: signedAt}
	ctx := context.Background()
	return func() {
		if _, err := verify.Verify(ctx, v, head, body); err != nil {
			t.Fatal(err)
		}
	}
}

func (s Sender) bare(size int) func() {
	if s.private() {
		return s.bareVerification(size)
	}
	var around []byte // as much as stands around the body
	for _, p := range s.Definition.Message {
		switch p.Kind() {
		case scheme.LiteralPart:
			around = append(around, p.Text()...)
		case scheme.TimePart:
			around = append(around, "1936776600"...) // or a little more
		case scheme.FieldPart:
			around = append(around, s.fields()[p.Text()]...)
		case scheme.URLPart:
			around = append(around, testURL...)
		case scheme.SecretPart:
			around = append(around, s.secrets()[0]...)
		case scheme.BodySHA256Part:
			return func() { sha256.Sum256(s.body(size)) } // there is no less
		case scheme.MethodPart:
			around = append(around, http.MethodPost...)
		}
	}
	body := s.body(size)
	newHash := hashes[s.Definition.Signatures[0].Algorithm]
	mac := hmac.New(newHash, []byte(s.secrets()[0]))
	if by := s.Definition.Signatures[0].Algorithm; by == scheme.InsecureSHA256 || by == scheme.InsecureSHA1 {
		mac = newHash()
	}
	sum := make([]byte, 0, sha512.Size)
	return func() {
		mac.Reset()
		if len(around) > 0 {
			mac.Write(around)
		}
		mac.Write(body)
		mac.Sum(sum)
	}
}

var hashes = map[scheme.Algorithm]func() hash.Hash{
	scheme.InsecureSHA256: sha256.New, scheme.InsecureSHA1: sha1.New, scheme.HMACSHA256: sha256.New, scheme.HMACSHA512: sha512.New, scheme.InsecureHMACSHA1: sha1.New,
}

// refusals begin with heads that the verifier refuses, among them the largest that it
// must read.
func (s Sender) refusals(t testing.TB) map[string]func() {
	t.Helper()
	secret := s.secrets()[0]
	v := s.mustNew(t, s.options(), secret)
	by := s.Definition.Signatures[0]
	name := http.CanonicalHeaderKey(by.Header)
	genuine := s.sign(0, signedAt, s.body(256), secret)
	with := func(values ...string) http.Header {
		h := genuine.Clone()
		if h[name] = values; len(values) == 0 {
			delete(h, name)
		}
		return h
	}
	value := genuine.Get(name)
	heads := map[string]http.Header{
		"no header":       with(),
		"repeated":        with(value, value),
		"not decodable":   with(value[:len(value)-1] + "\x00"),
		"64 KiB":          with(value + strings.Repeat("0", 64<<10)),
		"4 KiB":           with(value + strings.Repeat("0", 4<<10-len(value))),
		"64 KiB in front": with(strings.Repeat("0", 64<<10) + value),
	}
	if by.Repeated {
		heads["repeated"] = with(slices.Repeat([]string{value}, 17)...)
	}
	if by.Separator != "" {
		items := strings.Split(value, by.Separator)
		heads["seventeen items"] = with(value + strings.Repeat(by.Separator+items[len(items)-1], 17))
		heads["64 KiB of separators"] = with(strings.Repeat(by.Separator, 64<<10))
		other := "x9" + by.Assign
		heads["4 KiB of one item"] = with(other + strings.Repeat("x", 4<<10-len(other)))
	}
	if s.timed() && s.Definition.Timestamp.Member == "" {
		heads["too old"] = s.sign(0, signedAt.AddDate(-1, 0, 0), s.body(256), secret)
	}
	begin := make(map[string]func())
	for name, header := range heads {
		head := &verify.Head{Method: http.MethodPost, Header: header, ReceivedAt: signedAt}
		begin[name] = func() {
			if _, err := v.Begin(context.Background(), head); err == nil {
				t.Fatalf("%s: accepted", name)
			}
		}
	}
	return begin
}

func (s Sender) testAllocations(t *testing.T) {
	for _, size := range sizes {
		t.Run("a verification allocates little: "+size.name, func(t *testing.T) {
			most := 4.0
			if s.Definition.ID.Header == "" && s.signs(scheme.FieldPart) {
				most++
			}
			if s.private() {
				most += 20 // which crypto/rsa and crypto/ecdsa need
			}
			cost.MaxAllocs(t, most, s.verification(t, size.bytes))
		})
	}
	for name, f := range s.refusals(t) {
		t.Run("a refusal of the head allocates little: "+name, func(t *testing.T) {
			most := 3.0
			if s.private() {
				most++ // for signatures that are longer
			}
			cost.MaxAllocs(t, most, f)
		})
	}
}

// testSecrets makes verifiers of secrets that cannot be right. Each has a twin that
// differs in one thing, and a word of the error tells what to do.
func (s Sender) testSecrets(t *testing.T) {
	secrets := s.secrets()
	secrets = s.held(secrets...)
	good := secrets[0]
	const around = " \t\r\n\"'`\x00\u00a0\u200b\ufeff" // what may stand around a secret by mistake
	cases := []struct{ name, secret, twin, tells string }{
		{"an empty secret", "", good, "variable"},
		{"a blank secret", " \t\n", good, "variable"},
		{"a space in front", " " + good, good, "trim"},
		{"a space behind", good + " ", good, "trim"},
		{"a line break behind", good + "\n", good, "trim"},
		{"a line break of Windows behind", good + "\r\n", good, "trim"},
		{"a byte order mark", "\ufeff" + good, good, "trim"},
		{"a no-break space behind", good + "\u00a0", good, "trim"},
		{"a zero-width space behind", good + "\u200b", good, "trim"},
		{"a zero byte behind", good + "\x00", good, "trim"},
		{"double quotes", `"` + good + `"`, good, "quotes"},
		{"single quotes", `'` + good + `'`, good, "quotes"},
		{"backquotes", "`" + good + "`", good, "quotes"},
		{"crossed out", "xxxxxxxxxxxxxxxxxxxxxxxx", good, "placeholder"},
		{"starred out", "************************", good, "placeholder"},
		{"dotted out", "........................", good, "placeholder"},
		{"something to be replaced", "replace_this_with_a_secret", good, "placeholder"},
		{"something to be changed", "ChangeMeChangeMeChangeMe", good, "placeholder"},
		{"something to be changed, with hyphens", "change-me-change-me-change-me", good, "placeholder"},
		{"something that is yours", "your-webhook-secret-here", good, "placeholder"},
		{"a name in angle brackets", "<ACME_WEBHOOK_SECRET>", good, "placeholder"},
		{"a variable that was not expanded", "${ACME_WEBHOOK_SECRET}", good, "placeholder"},
		{"the name of a variable", "ACME_WEBHOOK_SECRET", good, "not the secret itself"},
		{"a line of a settings file", "ACME_WEBHOOK_SECRET=" + good, good, "not the secret itself"},
		{"two secrets in two lines", good + "\n" + secrets[1], good, "line break"},
		{"a command that was not run", "$(cat /run/secrets/acme)", good, "placeholder"},
		{"a template that was not filled in", "{{ .Values.acme.secret }}", good, "placeholder"},
	}
	for _, c := range s.Definition.Describe().Credentials {
		credential := c.Prefix + strings.Repeat("16C7e42F292c6912E7710c838347Ae178B4a", 4)
		if credential = credential[:len(c.Prefix)+36]; c.Length > 0 {
			credential = credential[:c.Length]
		}
		cases = append(cases, struct{ name, secret, twin, tells string }{
			c.What + " that starts with " + c.Prefix, credential, good, "not the webhook's signing secret",
		})
	}
	if s.private() {
		cases = append(cases, []struct{ name, secret, twin, tells string }{
			{"a secret in the place of a public key", "5d1f0c6a9b3e47d28c50f1ae6b7d9243", good, "no public key"},
			{"a private key in the place of a public key", privateKey(scheme.Ed25519, "another", 0), good, "private key"},
			{"a public key of another kind", s.otherKind(), good, "another kind"},
		}...)
	} else {
		cases = append(cases, struct{ name, secret, twin, tells string }{
			"a public key in the place of a secret", s.otherKind(), good, "public key",
		})
	}
	if s.Definition.Secret.Encoding == scheme.TextSecret && s.Definition.Secret.Prefix == "" && !s.private() {
		long := strings.Repeat("k7", 512)
		cases = append(cases, []struct{ name, secret, twin, tells string }{
			{"15 bytes", good[:15], good[:16], "at least 16"},
			{"1025 bytes", long + "k", long, "longer than 1024"},
		}...)
	}
	if form := s.Definition.Secret; form.Prefix != "" {
		short := good[:len(form.Prefix)+8]
		cases = append(cases, struct{ name, secret, twin, tells string }{"the first bytes", short, good, "at least 16"})
		if form.PrefixRequired {
			cases = append(cases, struct{ name, secret, twin, tells string }{"without its prefix", strings.TrimPrefix(good, form.Prefix), good, "does not start with"})
		}
	}
	for _, tt := range cases {
		t.Run("a secret is refused at the start: "+tt.name, func(t *testing.T) {
			for _, list := range [][]string{{tt.secret}, {secrets[4], tt.secret}} {
				_, err := s.new(verify.Secrets(list...), s.options())
				if err == nil {
					t.Fatal("accepted")
				}
				if !strings.Contains(err.Error(), tt.tells) {
					t.Errorf("the error does not tell what to do: %v", err)
				}
				if hidden := strings.Trim(tt.secret, around); hidden != "" && strings.Contains(err.Error(), hidden) {
					t.Errorf("the error holds the secret: %v", err)
				}
			}
			s.mustNew(t, s.options(), tt.twin)
			s.mustNew(t, s.options(), secrets[4], tt.twin)
		})
	}
	for _, tt := range []struct {
		name         string
		wrong, right []string
		tells        string
	}{
		{"none", nil, secrets[:1], "variable"},
		{"one too many", secrets, secrets[:verify.MaxKeys], fmt.Sprintf("at most %d", verify.MaxKeys)},
		{"one of them twice", []string{good, good}, secrets[:2], "same secret"},
		{"one of them twice, around another", []string{good, secrets[1], good}, secrets[:3], "same secret"},
	} {
		t.Run("a list of secrets is refused at the start: "+tt.name, func(t *testing.T) {
			_, err := s.new(verify.Secrets(tt.wrong...), s.options())
			if err == nil || !strings.Contains(err.Error(), tt.tells) {
				t.Fatalf("error is %v, want it to say %q", err, tt.tells)
			}
			if slices.ContainsFunc(tt.wrong, func(secret string) bool { return bytes.Contains([]byte(err.Error()), []byte(secret)) }) {
				t.Errorf("the error holds a secret: %v", err)
			}
			s.mustNew(t, s.options(), tt.right...)
		})
	}
	t.Run("a short secret is allowed only by name", func(t *testing.T) {
		if s.private() {
			t.Skip("the scheme has no secret")
		}
		short := good[:len(s.Definition.Secret.Prefix)+8] // of 6 or 8 bytes
		o := s.options()
		if _, err := s.new(verify.Secrets(short), o); err == nil {
			t.Error("accepted without the option")
		}
		o.InsecureAllowShortSecret = true
		v := s.mustNew(t, o, short)
		body := s.body(256)
		head := &verify.Head{Method: http.MethodPost, Header: s.sign(0, signedAt, body, short), ReceivedAt: signedAt}
		if _, err := verify.Verify(context.Background(), v, head, body); err != nil {
			t.Error(err)
		}
	})
}
