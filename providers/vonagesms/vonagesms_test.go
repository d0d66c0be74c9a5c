package vonagesms_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"hash"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/providertest"
	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/providers/vonagesms"
	"github.com/hooknotary/hooknotary/verify"
)

const secret = "5d1f0c6a9b3e47d28c50f1ae6b7d9243"

var (
	secrets = []string{secret, "e0417c9bd2a85f36917be4c80d2f6a15", "9a3d17c5e8b2f406a1c97e5d3b80f264", "47f6e0d9c8b1a25374650f1e2d3c4b5a", "b8c7d6e5f4a39281706f5e4d3c2b1a09"}
	noon    = time.Unix(1773480413, 0)
)

// signed returns what is signed, written after the documentation and apart from the package.
func signed(form url.Values) string {
	var names []string
	for name := range form {
		if name != "sig" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	text := ""
	for _, name := range names {
		text += "&" + name + "=" + strings.Map(func(r rune) rune {
			if r == '&' || r == '=' {
				return '_'
			}
			return r
		}, form.Get(name))
	}
	return text
}

func seal(h func() hash.Hash, secret string, form url.Values) []byte {
	mac := hmac.New(h, []byte(secret))
	mac.Write([]byte(signed(form)))
	form.Set("sig", fmt.Sprintf("%X", mac.Sum(nil)))
	return []byte(form.Encode())
}

func event(at time.Time, i int) url.Values {
	form := url.Values{"msisdn": {"15550100"}, "to": {"15550199"}, "timestamp": {strconv.FormatInt(at.Unix(), 10)}}
	if i == 0 {
		form.Set("text", "Yes (fine)")
	} else {
		form.Set("status", "delivered")
	}
	return form
}

func TestBattery(t *testing.T) {
	profile := verify.Profile{
		Provider: "vonagesms", MediaType: "application/x-www-form-urlencoded", MaxBody: 256 << 10,
		Window: verify.Window{Past: 25 * time.Hour, Future: 5 * time.Minute}, Binding: verify.BindingChecksum, Retry: verify.RetryIdentical, Retention: 48 * time.Hour,
	}
	for _, tt := range []struct {
		name string
		hash func() hash.Hash
		o    *vonagesms.Options
	}{
		{"SHA-256", sha256.New, nil},
		{"SHA-512", sha512.New, &vonagesms.Options{SHA512: true}},
		{"SHA-1", sha1.New, &vonagesms.Options{InsecureSHA1: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			providertest.ExerciseEmbedded(t, providertest.Embedded{
				New: func(keys verify.KeySource) (verify.Verifier, error) { return vonagesms.New(keys, tt.o) },
				Sign: func(at time.Time, i int, secret string) ([]byte, string, string) {
					return seal(tt.hash, secret, event(at, i)), "", ""
				},
				Profile: profile, Events: 2, Secrets: secrets,
			})
		})
	}
}

func judge(v verify.Verifier, at time.Time, body []byte) (*verify.Delivery, error) {
	return verify.Verify(context.Background(), v, &verify.Head{Method: http.MethodPost, ReceivedAt: at}, body)
}

func TestVectors(t *testing.T) {
	providertest.Vectors(t, "testdata", func(t *testing.T, tt vector.Vector) (verify.Verifier, error) {
		o := &vonagesms.Options{}
		for _, option := range tt.Options {
			switch option {
			case "sha512":
				o.SHA512 = true
			case "sha1":
				o.InsecureSHA1 = true
			default:
				t.Fatalf("unknown option %q", option)
			}
		}
		return vonagesms.New(verify.Secrets(tt.Secrets...), o)
	}, func(t *testing.T, d *verify.Delivery) {
		if !d.SignedAt.Equal(noon) {
			t.Errorf("the delivery is %+v", d)
		}
	})
}

// TestPublished judges the vectors of Vonage's library. The algorithm is a setting of the
// account; their names say which.
func TestPublished(t *testing.T) {
	published := vector.PublishedBy(t, "vonage")
	if len(published) < 2 {
		t.Fatalf("found %d vectors, want at least 2", len(published))
	}
	for _, tt := range published {
		t.Run(tt.Name, func(t *testing.T) {
			v, err := vonagesms.New(verify.Secrets(tt.Secrets...), &vonagesms.Options{
				SHA512: strings.Contains(tt.Name, "sha512"), InsecureSHA1: strings.HasSuffix(tt.Name, "sha1"),
			})
			if err != nil {
				t.Fatal(err)
			}
			_, err = verify.Verify(context.Background(), v, tt.Head, tt.Body)
			if got := vector.Outcome(err); got != tt.Want(t) {
				t.Errorf("outcome is %s (%v), want %s", got, err, tt.Want(t))
			}
		})
	}
}

func TestNew(t *testing.T) {
	for _, tt := range []struct {
		name, secret string
		o            *vonagesms.Options
		tells        string // "": it makes a verifier
	}{
		{"a secret", secret, nil, ""},
		{"no secret", "", nil, "environment variable"},
		{"a short secret", "short", nil, "at least 16"},
		{"a private key", "-----BEGIN PRIVATE KEY----- MC4CAQAwBQYDK2Vw", nil, "private key"},
		{"two algorithms", secret, &vonagesms.Options{SHA512: true, InsecureSHA1: true}, "one algorithm"},
		{"a shorter window", secret, &vonagesms.Options{MaxAge: time.Hour}, ""},
		{"a longer one", secret, &vonagesms.Options{MaxAge: 26 * time.Hour}, "MaxAge"},
		{"a negative one", secret, &vonagesms.Options{MaxAge: -1}, "MaxAge"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, err := vonagesms.New(verify.Secrets(tt.secret), tt.o)
			providertest.Constructed(t, "vonagesms", v, err, tt.tells)
		})
	}
	t.Run("a shorter window refuses what is older", func(t *testing.T) {
		v, err := vonagesms.New(verify.Secrets(secret), &vonagesms.Options{MaxAge: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		body := seal(sha256.New, secret, event(noon, 0))
		if _, err := judge(v, noon.Add(time.Hour), body); err != nil {
			t.Errorf("an hour: %v", err)
		}
		if _, err := judge(v, noon.Add(time.Hour+1), body); verify.ReasonOf(err) != verify.ErrTooOld {
			t.Errorf("more: %v", err)
		}
	})
}

func TestMust(t *testing.T) {
	vonagesms.Must(secret)
	defer func() {
		if text, ok := recover().(string); !ok || !strings.HasPrefix(text, "vonagesms.Must: the secret is empty") {
			t.Errorf("panics with %q", text)
		}
	}()
	vonagesms.Must("")
}

// FuzzForm: no other form verifies under a genuine signature unless it joins to the very
// text that was signed.
func FuzzForm(f *testing.F) {
	form := event(noon, 0)
	body := seal(sha256.New, secret, form)
	text := signed(form)
	f.Add(body)
	f.Add([]byte(strings.Replace(string(body), "text=Yes", "text=Yes%26x", 1)))
	f.Add(append([]byte("a=1;b=2&"), body...))
	v := vonagesms.Must(secret)
	f.Fuzz(func(t *testing.T, sent []byte) {
		d, err := judge(v, noon, sent)
		if err != nil {
			return
		}
		got, err := url.ParseQuery(string(sent))
		if err != nil || signed(got) != text || string(d.Body) != string(sent) {
			t.Fatalf("accepted %q: %v", sent, err)
		}
		for name, values := range got {
			if len(values) != 1 {
				t.Fatalf("%s stands there %d times", name, len(values))
			}
		}
	})
}
