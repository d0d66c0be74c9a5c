package github_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/providers/github/githubtest"
	"github.com/hooknotary/hooknotary/providers/providertest"
	"github.com/hooknotary/hooknotary/verify"
)

var (
	secrets = []string{
		"4vN8tQz1Lw6Xr3Ky9Pb2Jc5H", "7mJ5sFe0Ud8Ch4Ta6Wg1Zx3Q", "2xR9oBi3Vn7Zk5Ml8Qd4Ys6E", "9kT1pGy6Wb2Nj0Xv5Hu8Ri4A", "5cD3wMa7Qf1Lz9Se4Kt6Bo2U",
	}
	receivedAt = time.Date(2029, 11, 3, 17, 20, 41, 0, time.UTC)
	push       = []byte(`{"ref":"refs/heads/main","after":"59b20b8d5c6ff8d09518216e87bd3d2ce2ea6ba2","repository":{"id":186853002}}`)
	profile    = verify.Profile{
		Provider: "github", MediaType: "application/json", MaxBody: 25 << 20,
		Retry:   verify.RetryNever,
		Binding: verify.BindingFull, Retention: 30 * 24 * time.Hour,
	}
)

func newVerifier(t testing.TB, o *github.Options, secrets ...string) *github.Verifier {
	t.Helper()
	v, err := github.New(verify.Secrets(secrets...), o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func check(v verify.Verifier, header http.Header, body []byte) (*verify.Delivery, error) {
	return verify.Verify(context.Background(), v, &verify.Head{Header: header, ReceivedAt: receivedAt}, body)
}

func events() []providertest.Event {
	return []providertest.Event{
		{Name: "a push", Body: push},
		{Name: "a ping", Body: []byte(`{"zen":"Keep it logically awesome.","hook_id":412345678,"hook":{"id":412345678}}`)},
		{Name: "a form", Body: []byte("payload=%7B%22zen%22%3A%22Responsive+is+better+than+fast.%22%7D")},
		{Name: "an id that is nobody's", Body: []byte(`{"id":"evt_1"}`)},
		{Name: "an empty body", Body: nil},
	}
}

func sign(_ time.Time, _ *url.URL, body []byte, secrets ...string) http.Header {
	return githubtest.Header("push", body, secrets[0])
}

// TestProfile: the facts by which a guard configures itself. Everything that holds for
// every sender is tested by package providertest.
func TestProfile(t *testing.T) {
	for name, v := range map[string]*github.Verifier{"New": newVerifier(t, nil, secrets[0]), "Must": github.Must(secrets[0])} {
		if got := v.Profile(); got != profile {
			t.Errorf("%s: profile is %+v, want %+v", name, got, profile)
		}
	}
}

func TestForm(t *testing.T) {
	t.Run("a verifier of forms takes forms only", func(t *testing.T) {
		form := []byte(`payload=%7B%22zen%22%3A%22Speak+like+a+human.%22%7D`)
		// A text in it makes the same bytes a form, too, for whoever asks for one.
		jsonBody := []byte(`{"title":"&payload=%7B%22action%22%3A%22forged%22%7D&"}`)
		v := newVerifier(t, &github.Options{Form: true}, secrets[0])
		if _, err := check(v, githubtest.Header("ping", form, secrets[0]), form); err != nil {
			t.Error(err)
		}
		if _, err := check(v, githubtest.Header("issues", jsonBody, secrets[0]), jsonBody); !errors.Is(err, verify.ErrMediaType) {
			t.Errorf("a JSON body under the same secret: got %v, want %v", err, verify.ErrMediaType)
		}
		if _, err := check(newVerifier(t, nil, secrets[0]), githubtest.Header("issues", jsonBody, secrets[0]), jsonBody); err != nil {
			t.Errorf("the same where JSON is due: %v", err)
		}
		other := []byte(string(form) + "x")
		if _, err := check(v, githubtest.Header("ping", form, secrets[0]), other); !errors.Is(err, verify.ErrMismatch) {
			t.Errorf("another form: got %v, want %v", err, verify.ErrMismatch)
		}
	})
}

func TestVerifierOfFormsPassesTheBattery(t *testing.T) {
	forms := profile
	forms.MediaType = "application/x-www-form-urlencoded"
	providertest.Exercise(t, providertest.Subject{
		New: func(keys verify.KeySource) (verify.Verifier, error) {
			return github.New(keys, &github.Options{Form: true})
		},
		Sign:    sign,
		Profile: forms, BodyPrefix: "payload=", Secrets: secrets,
		Events: []providertest.Event{
			{Name: "a ping", Body: []byte("payload=%7B%22zen%22%3A%22Responsive+is+better+than+fast.%22%7D")},
			{Name: "a push", Body: []byte("payload=%7B%22ref%22%3A%22refs%2Fheads%2Fmain%22%7D")},
		},
		Headers:  []string{"X-Hub-Signature-256"},
		Unsigned: []string{"X-Github-Delivery", "X-Github-Event", "X-Hub-Signature"},
	})
}

// signSHA1 signs as an old Enterprise Server does.
func signSHA1(_ time.Time, _ *url.URL, body []byte, secrets ...string) http.Header {
	mac := hmac.New(sha1.New, []byte(secrets[0]))
	mac.Write(body)
	return http.Header{"X-Hub-Signature": {fmt.Sprintf("sha1=%x", mac.Sum(nil))}, "X-Github-Event": {"push"}}
}

func TestSHA1(t *testing.T) {
	t.Run("a verifier that allows it passes the battery", func(t *testing.T) {
		allow := func(keys verify.KeySource) (verify.Verifier, error) {
			return github.New(keys, &github.Options{InsecureAllowSHA1: true})
		}
		t.Run("with a sender of SHA-1", func(t *testing.T) {
			providertest.Exercise(t, providertest.Subject{
				New: allow, Sign: signSHA1, Profile: profile, Events: events(), Secrets: secrets,
				Headers: []string{"X-Hub-Signature"}, Unsigned: []string{"X-Github-Delivery", "X-Github-Event"},
			})
		})
		t.Run("with a sender of SHA-256", func(t *testing.T) {
			providertest.Exercise(t, providertest.Subject{
				New: allow,
				Sign: func(at time.Time, u *url.URL, body []byte, secrets ...string) http.Header {
					h := sign(at, u, body, secrets...)
					h.Del("X-Hub-Signature")
					return h
				},
				Profile: profile, Events: events(), Secrets: secrets,
				Headers: []string{"X-Hub-Signature-256"}, Unsigned: []string{"X-Github-Delivery", "X-Github-Event"},
			})
		})
	})

	t.Run("it counts only where it is allowed and alone", func(t *testing.T) {
		both := githubtest.Header("push", push, secrets[0])
		strict := github.Must(secrets[0])
		lenient := newVerifier(t, &github.Options{InsecureAllowSHA1: true}, secrets[0])
		for _, tt := range []struct {
			name            string
			sha256, sha1    string // "": as it is; "-": dropped
			strict, lenient verify.Reason
		}{
			{"both good", "", "", 0, 0},
			{"SHA-256 alone", "", "-", 0, 0},
			{"SHA-1 alone", "-", "", verify.ErrUnsigned, 0},
			{"none", "-", "-", verify.ErrUnsigned, verify.ErrUnsigned},
			{"a wrong SHA-256 beside a good SHA-1", "sha256=" + strings.Repeat("0", 64), "", verify.ErrMismatch, verify.ErrMismatch},
			{"a malformed SHA-256 beside a good SHA-1", "sha256=yo", "", verify.ErrMalformed, verify.ErrMalformed},
			{"a good SHA-256 beside a wrong SHA-1", "", "sha1=" + strings.Repeat("0", 40), 0, 0},
			{"a good SHA-256 beside a malformed SHA-1", "", "yo", 0, 0},
			{"a wrong SHA-1 alone", "-", "sha1=" + strings.Repeat("0", 40), verify.ErrUnsigned, verify.ErrMismatch},
			{"SHA-1 in the header of SHA-256", both.Get("X-Hub-Signature"), "-", verify.ErrMalformed, verify.ErrMalformed},
			{"SHA-256 in the header of SHA-1", "-", both.Get("X-Hub-Signature-256"), verify.ErrUnsigned, verify.ErrMalformed},
		} {
			t.Run(tt.name, func(t *testing.T) {
				h := both.Clone()
				for name, value := range map[string]string{"X-Hub-Signature-256": tt.sha256, "X-Hub-Signature": tt.sha1} {
					if value == "-" {
						h.Del(name)
					} else if value != "" {
						h.Set(name, value)
					}
				}
				if _, err := check(strict, h, push); verify.ReasonOf(err) != tt.strict {
					t.Errorf("SHA-1 not allowed: %v, want %v", err, tt.strict)
				}
				if _, err := check(lenient, h, push); verify.ReasonOf(err) != tt.lenient {
					t.Errorf("SHA-1 allowed: %v, want %v", err, tt.lenient)
				}
			})
		}
		t.Run("one body has one fingerprint under both", func(t *testing.T) {
			strong, err := check(lenient, both, push)
			if err != nil {
				t.Fatal(err)
			}
			weak, err := check(lenient, signSHA1(receivedAt, nil, push, secrets[0]), push)
			if err != nil {
				t.Fatal(err)
			}
			plain, err := check(strict, both, push)
			if err != nil {
				t.Fatal(err)
			}
			if !strong.Fingerprint.Equal(weak.Fingerprint) || !strong.Fingerprint.Equal(plain.Fingerprint) {
				t.Error("whoever holds a delivery can make it a new one by dropping a header")
			}
		})
	})
}

func TestShortSecretIsAllowedOnlyByName(t *testing.T) {
	v := newVerifier(t, &github.Options{InsecureAllowShortSecret: true}, "short")
	if _, err := check(v, githubtest.Header("push", push, "short"), push); err != nil {
		t.Error(err)
	}
}

func TestMediaTypeIsAnOptionAndNotTheRequests(t *testing.T) {
	for want, o := range map[string]*github.Options{
		"application/json": nil, "application/x-www-form-urlencoded": {Form: true},
	} {
		v := newVerifier(t, o, secrets[0])
		if got := v.Profile().MediaType; got != want {
			t.Errorf("media type is %q, want %q", got, want)
		}
		// The verifier does not look at the header; the guard does.
		body := []byte("payload=%7B%7D")
		for _, mediaType := range []string{"application/json", "application/x-www-form-urlencoded"} {
			h := githubtest.Header("push", body, secrets[0])
			h.Set("Content-Type", mediaType)
			if _, err := check(v, h, body); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestDeliveryIDAndEventNameAreHintsOnly(t *testing.T) {
	v := github.Must(secrets[0])
	h := githubtest.Header("push", push, secrets[0])
	d, err := check(v, h, push)
	if err != nil {
		t.Fatal(err)
	}
	if d.Unsigned.ID != h.Get("X-GitHub-Delivery") || d.Unsigned.Type != "push" || d.Unsigned.Partition != "" {
		t.Errorf("Unsigned is %+v", d.Unsigned)
	}
	if d.ID != "" || d.MessageID != "" || !d.SignedAt.IsZero() {
		t.Errorf("a fact is taken from what is not signed: %+v", d)
	}
	h.Set("X-GitHub-Delivery", "00000000-0000-4000-8000-000000000001")
	h.Set("X-GitHub-Event", "workflow_dispatch")
	replay, err := check(v, h, push)
	if err != nil {
		t.Fatal(err)
	}
	if !replay.Fingerprint.Equal(d.Fingerprint) {
		t.Error("a replay under another delivery id is another message")
	}
	if replay.Unsigned.Type != "workflow_dispatch" {
		t.Errorf("Unsigned is %+v", replay.Unsigned)
	}
}

func TestUnsigned(t *testing.T) {
	t.Run("distinction by delivery id partitions by it", func(t *testing.T) {
		v := newVerifier(t, &github.Options{InsecureDistinctByDeliveryID: true}, secrets[0])
		h := githubtest.Header("workflow_dispatch", push, secrets[0])
		d, err := check(v, h, push)
		if err != nil {
			t.Fatal(err)
		}
		if d.Unsigned.Partition != h.Get("X-GitHub-Delivery") {
			t.Errorf("Partition is %q", d.Unsigned.Partition)
		}
		h.Del("X-GitHub-Delivery")
		if _, err := check(v, h, push); !errors.Is(err, verify.ErrMalformed) {
			t.Errorf("without the id: %v", err)
		}
	})
}

func TestSignerMakesARequest(t *testing.T) {
	r := githubtest.NewRequest("https://ci.example/hooks/github", "push", push, secrets[0])
	if r.Method != http.MethodPost || r.ContentLength != int64(len(push)) || r.URL.Path != "/hooks/github" {
		t.Errorf("request is %s %s of %d bytes", r.Method, r.URL, r.ContentLength)
	}
	if _, err := check(github.Must(secrets[0]), r.Header, push); err != nil {
		t.Error(err)
	}
	other := githubtest.NewRequest("https://ci.example/hooks/github", "push", push, secrets[0])
	if id := r.Header.Get("X-GitHub-Delivery"); len(id) != 36 || id == other.Header.Get("X-GitHub-Delivery") {
		t.Errorf("delivery id is %q", id)
	}
}
