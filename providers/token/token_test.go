package token_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/token"
	"github.com/hooknotary/hooknotary/verify"
)

const secret = "Hx2v9QmT4kLr8ZpWc3NdYb6sJf7gKe1A"

func acme() token.Definition {
	return token.Definition{Provider: "acme", Header: "x-acme-token", MaxBody: 1 << 20, Retry: verify.RetryIdentical}
}

func known() *token.Options { return &token.Options{InsecureBodyNotCovered: true} }

func TestNew(t *testing.T) {
	t.Run("a definition", func(t *testing.T) {
		for _, tt := range []struct {
			name string
			edit func(d *token.Definition)
			want string
		}{
			{"without a provider", func(d *token.Definition) { d.Provider = "" }, "Provider"},
			{"with a provider in upper case", func(d *token.Definition) { d.Provider = "Acme" }, "Provider"},
			{"with a media type with parameters", func(d *token.Definition) { d.MediaType = "text/plain; charset=utf-8" }, "MediaType"},
			{"without a header", func(d *token.Definition) { d.Header = "" }, "no Header"},
			{"with the header Host", func(d *token.Definition) { d.Header = "host" }, "Host"},
			{"with a header beside Basic", func(d *token.Definition) { d.Basic = true }, "no Header and no Prefix"},
			{"that logs its token as an id", func(d *token.Definition) { d.UnsignedID = "X-Acme-Token" }, "logged"},
			{"that logs its token as a type", func(d *token.Definition) { d.UnsignedType = "x-ACME-token" }, "logged"},
			{"without MaxBody", func(d *token.Definition) { d.MaxBody = 0 }, "MaxBody"},
			{"with a negative Retention", func(d *token.Definition) { d.Retention = -time.Second }, "Retention"},
			{"without Retry", func(d *token.Definition) { d.Retry = 0 }, "Retry"},
			{"whose sender signs anew", func(d *token.Definition) { d.Retry = verify.RetryResigned }, "Retry"},
			{"with a credential without a prefix", func(d *token.Definition) { d.About.Credentials = []verify.Credential{{What: "a key"}} }, "Prefix"},
		} {
			t.Run(tt.name+" is refused", func(t *testing.T) {
				d := acme()
				if _, err := token.New(d, verify.Secrets(secret), known()); err != nil {
					t.Fatalf("without the mistake: %v", err)
				}
				tt.edit(&d)
				v, err := token.New(d, verify.Secrets(secret), known())
				if err == nil || v != nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("New makes %v and says %v, want it to say %q", v, err, tt.want)
				}
				if _, err := d.Profile(); err == nil {
					t.Error("Profile takes it")
				}
			})
		}
	})
	t.Run("without the word that the body is not covered nothing is made", func(t *testing.T) {
		for _, o := range []*token.Options{nil, {}, {InsecureAllowShortSecret: true}} {
			if v, err := token.New(acme(), verify.Secrets(secret), o); err == nil || v != nil {
				t.Errorf("New with %+v makes %v", o, v)
			}
		}
	})
	t.Run("a token that can be guessed", func(t *testing.T) {
		basic := token.Definition{Provider: "acme", Basic: true, MaxBody: 1, Retry: verify.RetryNever}
		for _, tt := range []struct {
			name         string
			d            token.Definition
			wrong, right string
		}{
			{"of 15 bytes", acme(), secret[:15], secret[:16]},
			{"with a password of 15 bytes", basic, "somebody:" + secret[:15], "somebody:" + secret[:16]},
			{"without a colon", basic, secret, "u:" + secret},
			{"without a user", basic, ":" + secret, "u:" + secret},
		} {
			t.Run(tt.name+" is refused", func(t *testing.T) {
				_, err := token.New(tt.d, verify.Secrets(tt.wrong), known())
				if err == nil || strings.Contains(err.Error(), secret[:15]) {
					t.Errorf("New says %v", err)
				}
				if _, err := token.New(tt.d, verify.Secrets(tt.right), known()); err != nil {
					t.Errorf("the twin: %v", err)
				}
			})
		}
		if _, err := token.New(acme(), verify.Secrets(secret[:15]), &token.Options{InsecureBodyNotCovered: true, InsecureAllowShortSecret: true}); err != nil {
			t.Errorf("with InsecureAllowShortSecret: %v", err)
		}
		if _, err := token.New(basic, verify.Secrets("somebody:"), &token.Options{InsecureBodyNotCovered: true, InsecureAllowShortSecret: true}); err == nil {
			t.Error("an empty password is taken")
		}
	})
}

func TestVerify(t *testing.T) {
	prefixed := acme()
	prefixed.Header, prefixed.Prefix = "Authorization", "Bearer "
	basic := token.Definition{Provider: "acme", Basic: true, MaxBody: 1 << 20, Retry: verify.RetryIdentical}
	encode := base64.StdEncoding.EncodeToString
	for _, tt := range []struct {
		name         string
		d            token.Definition
		secret       string
		header       string
		wrong, right string
		want         error
	}{
		{"a token without its prefix", prefixed, secret, "Authorization", secret, "Bearer " + secret, verify.ErrMalformed},
		{"the prefix alone", prefixed, secret, "Authorization", "Bearer ", "Bearer " + secret, verify.ErrMalformed},
		{"the prefix in another case", prefixed, secret, "Authorization", "bearer " + secret, "Bearer " + secret, verify.ErrMalformed},
		{"a token of 4097 bytes", acme(), secret, "X-Acme-Token", strings.Repeat("x", 4097), secret, verify.ErrMalformed},
		{"a token of 4096 bytes", acme(), secret, "X-Acme-Token", strings.Repeat("x", 4096), secret, verify.ErrMismatch},
		{"base64 with a line end", basic, "u:" + secret, "Authorization", "Basic " + encode([]byte("u:" + secret))[:20] + "\n" + encode([]byte("u:" + secret))[20:], "Basic " + encode([]byte("u:"+secret)), verify.ErrMalformed},
		{"base64 with bits that nobody reads", basic, "us:" + secret, "Authorization", "Basic " + strings.Replace(encode([]byte("us:"+secret)), "E=", "F=", 1), "Basic " + encode([]byte("us:"+secret)), verify.ErrMalformed},
		{"a password of another user", basic, "u:" + secret, "Authorization", "Basic " + encode([]byte("v:"+secret)), "Basic " + encode([]byte("u:"+secret)), verify.ErrMismatch},
		{"a colon at another place", basic, "u:" + secret, "Authorization", "Basic " + encode([]byte("u"+secret[:1]+":"+secret[1:])), "Basic " + encode([]byte("u:"+secret)), verify.ErrMismatch},
	} {
		t.Run(tt.name+" is refused", func(t *testing.T) {
			v, err := token.New(tt.d, verify.Secrets(tt.secret), known())
			if err != nil {
				t.Fatal(err)
			}
			head := func(value string) *verify.Head {
				return &verify.Head{Method: http.MethodPost, Header: http.Header{tt.header: {value}}, ReceivedAt: time.Unix(1773480413, 0)}
			}
			if tt.wrong == tt.right {
				t.Fatal("the twin is the same")
			}
			if _, err := verify.Verify(context.Background(), v, head(tt.wrong), []byte("{}")); verify.ReasonOf(err) != tt.want {
				t.Errorf("Verify says %v, want %v", err, tt.want)
			}
			if d, err := verify.Verify(context.Background(), v, head(tt.right), []byte("{}")); err != nil || d.Binding != verify.BindingNone {
				t.Errorf("the twin: %v", err)
			}
		})
	}
}

// The verifier and the keys in it print no token.
func TestFormat(t *testing.T) {
	v := token.InsecureMust(acme(), secret)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if text := fmt.Sprintf(verb, v); strings.Contains(text, secret) || !strings.Contains(text, "acme") {
			t.Errorf("%s prints %s", verb, text)
		}
	}
}

func ExampleNew() {
	d := token.Definition{Provider: "acme", Header: "X-Acme-Token", MaxBody: 1 << 20, Retry: verify.RetryIdentical}
	v, err := token.New(d, verify.Secrets("Hx2v9QmT4kLr8ZpWc3NdYb6sJf7gKe1A"), &token.Options{InsecureBodyNotCovered: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(v.Profile().Binding)
	// Output: none
}
