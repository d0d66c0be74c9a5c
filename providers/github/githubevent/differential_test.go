package githubevent_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	sdk "github.com/google/go-github/v60/github"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/providers/github/githubevent"
	"github.com/hooknotary/hooknotary/providers/github/githubtest"
	"github.com/hooknotary/hooknotary/providers/internal/differ"
	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

const (
	jsonType = "application/json"
	formType = "application/x-www-form-urlencoded"

	sha1Header   = "X-Hub-Signature"
	sha256Header = "X-Hub-Signature-256"
)

// attempt is a delivery and the endpoint that it goes to: go-github's verifier reads
// whole requests, so ours stands behind a guard.
type attempt struct {
	secret    string
	form      bool // the endpoint takes forms
	allowSHA1 bool
	method    string
	header    http.Header
	body      []byte
}

// genuine returns an attempt that both accept, after a change.
func genuine(change func(a *attempt)) attempt {
	a := attempt{secret: secret, method: http.MethodPost, body: sample(samples["star"][0])}
	a.header = githubtest.Header("star", a.body, a.secret)
	change(&a)
	return a
}

// genuineForm is genuine for an endpoint that takes forms.
func genuineForm(body []byte) attempt {
	a := attempt{secret: secret, form: true, method: http.MethodPost, body: body}
	a.header = githubtest.Header("star", a.body, a.secret)
	a.header.Set("Content-Type", formType)
	return a
}

// badSecrets cannot be right for a hook of GitHub.
var badSecrets = []string{
	"", " ", "0123456789abcdef\n", `'0123456789abcdef'`, "your_webhook_secret", "ghp_0123456789abcdef", "$WEBHOOK_SECRET",
}

var (
	strong = regexp.MustCompile(`^sha256=[0-9a-f]{64}$`)
	legacy = regexp.MustCompile(`^sha1=[0-9a-f]{40}$`)
)

// first returns the first value of a header as go-github looks at it, and how many
// there are.
func (a attempt) first(name string) (string, int) {
	return a.header.Get(name), len(a.header[http.CanonicalHeaderKey(name)])
}

func (a attempt) endpoint() string {
	if a.form {
		return formType
	}
	return jsonType
}

// mediaType returns that of the Content-Type, whatever its parameters.
func (a attempt) mediaType() string {
	value, _ := a.first("Content-Type")
	name, _, _ := strings.Cut(value, ";")
	return strings.ToLower(strings.TrimSpace(name))
}

// fallsBack reports whether go-github takes the SHA-1 header.
func (a attempt) fallsBack() bool {
	value, _ := a.first(sha256Header)
	return value == ""
}

// differences are all cases in which the verdict of a guard with our verifier is not
// that of go-github's github.ValidatePayload. SECURITY.md lists them, too.
var differences = []differ.Difference[attempt]{
	{
		Name:  "a secret that cannot be right makes no verifier",
		Ours:  vector.NoVerifier,
		Holds: func(a attempt) bool { return slices.Contains(badSecrets, a.secret) },
		Shown: genuine(func(a *attempt) {
			a.secret = ""
			a.header.Del(sha1Header)
			a.header.Del(sha256Header)
		}),
	},
	{
		Name:  "a request that is not a POST is refused",
		Ours:  "method",
		Holds: func(a attempt) bool { return a.method != http.MethodPost },
		Shown: genuine(func(a *attempt) { a.method = http.MethodGet }),
	},
	{
		Name: "the Content-Type does not choose the parser: another one than the endpoint's is refused",
		Ours: "media_type",
		Holds: func(a attempt) bool {
			_, n := a.first("Content-Type")
			return n > 0 && a.mediaType() != a.endpoint()
		},
		Shown: genuine(func(a *attempt) { a.header.Set("Content-Type", formType) }),
	},
	{
		Name: "a second Content-Type is refused",
		Ours: "media_type",
		Holds: func(a attempt) bool {
			_, n := a.first("Content-Type")
			return n > 1
		},
		Shown: genuine(func(a *attempt) { a.header.Add("Content-Type", jsonType) }),
	},
	{
		Name: "a Content-Encoding is refused",
		Ours: "media_type",
		Holds: func(a attempt) bool {
			value, n := a.first("Content-Encoding")
			return n > 1 || value != "" && !strings.EqualFold(value, "identity")
		},
		Shown: genuine(func(a *attempt) { a.header.Set("Content-Encoding", "gzip") }),
	},
	{
		Name: "SHA-1 alone is refused, unless allowed; and an empty SHA-256 header in any case",
		Ours: "unsigned",
		Holds: func(a attempt) bool {
			_, n := a.first(sha256Header)
			value, _ := a.first(sha1Header)
			return a.fallsBack() && value != "" && n < 2 && (n > 0 || !a.allowSHA1)
		},
		Shown: genuine(func(a *attempt) { a.header.Del(sha256Header) }),
	},
	{
		Name: "a signature that is not of its header's hash, or not in lower-case digits, is refused",
		Ours: "malformed",
		Holds: func(a attempt) bool {
			if a.fallsBack() {
				value, _ := a.first(sha1Header)
				_, n := a.first(sha256Header)
				return a.allowSHA1 && n == 0 && !legacy.MatchString(value)
			}
			value, _ := a.first(sha256Header)
			return !strong.MatchString(value)
		},
		Shown: genuine(func(a *attempt) { a.header.Set(sha256Header, a.header.Get(sha1Header)) }),
	},
	{
		Name: "a second signature header is refused",
		Ours: "malformed",
		Holds: func(a attempt) bool {
			_, n := a.first(sha256Header)
			_, old := a.first(sha1Header)
			return n > 1 || n == 0 && a.allowSHA1 && old > 1
		},
		Shown: genuine(func(a *attempt) { a.header.Add(sha256Header, a.header.Get(sha256Header)) }),
	},
	{
		Name:  "a form that does not start with its payload is refused",
		Ours:  "media_type",
		Holds: func(a attempt) bool { return a.form && !bytes.HasPrefix(a.body, []byte("payload=")) },
		Shown: genuineForm([]byte("a=b&payload=%7B%7D")),
	},
	{
		Name:  "a body of more than 25 MiB is refused",
		Ours:  "too_large",
		Holds: func(a attempt) bool { return len(a.body) > 25<<20 },
		Shown: genuine(func(a *attempt) {
			a.body = make([]byte, 25<<20+1)
			a.header = githubtest.Header("star", a.body, a.secret)
		}),
	},
	{
		Name: "a missing Content-Type counts as the endpoint's",
		Ours: differ.Accept,
		Holds: func(a attempt) bool {
			_, n := a.first("Content-Type")
			return n == 0
		},
		Shown: genuine(func(a *attempt) { a.header.Del("Content-Type") }),
	},
	{
		Name: "parameters of the Content-Type are not looked at",
		Ours: differ.Accept,
		Holds: func(a attempt) bool {
			value, n := a.first("Content-Type")
			_, _, err := mime.ParseMediaType(value)
			return n == 1 && a.mediaType() == a.endpoint() && err != nil
		},
		Shown: genuine(func(a *attempt) { a.header.Set("Content-Type", jsonType+"; charset") }),
	},
	{
		Name: "a signed form is not parsed by the verifier: one that is broken is for githubevent to refuse",
		Ours: differ.Accept,
		Holds: func(a attempt) bool {
			_, err := url.ParseQuery(string(a.body))
			return a.form && err != nil
		},
		Shown: genuineForm([]byte("payload=%zz")),
	},
}

// request returns the attempt as a request.
func (a attempt) request() *http.Request {
	r := httptest.NewRequest(a.method, hookURL, bytes.NewReader(a.body))
	r.Header = a.header.Clone()
	return r
}

// ours returns the outcome of a guard with our verifier, and what it verified.
func (a attempt) ours() (outcome string, d *verify.Delivery) {
	v, err := github.New(verify.Secrets(a.secret), &github.Options{Form: a.form, InsecureAllowSHA1: a.allowSHA1, InsecureAllowShortSecret: true})
	if err != nil {
		return vector.NoVerifier, nil
	}
	guard, err := middleware.New("test", v, replay.NewMemory(nil), &middleware.Options{
		Observe: func(_ context.Context, e middleware.Report) { outcome = e.Reason.String() },
	})
	if err != nil {
		return err.Error(), nil
	}
	guard.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		d, _ = verify.FromContext(r.Context())
	})).ServeHTTP(httptest.NewRecorder(), a.request())
	if d != nil {
		outcome = differ.Accept
	}
	return outcome, d
}

// try returns both verdicts. What both accept they must read alike, too.
func try(t *testing.T, a attempt) (ours string, theirs bool) {
	t.Helper()
	ours, d := a.ours()
	payload, err := sdk.ValidatePayload(a.request(), []byte(a.secret))
	if d == nil || err != nil {
		return ours, err == nil
	}
	if !a.form && bytes.HasPrefix(a.body, []byte("payload=")) {
		return ours, true // a form is one to us, whatever the head says; to theirs it is no event
	}
	if event, err := githubevent.Parse(d); err == nil {
		want, err := sdk.ParseWebHook(a.header.Get("X-GitHub-Event"), payload)
		if err != nil || !reflect.DeepEqual(event, want) {
			t.Errorf("the events differ: ours is a %T, theirs a %T, %v; body %q", event, want, err, a.body)
		}
	}
	return ours, true
}

func judge(t *testing.T, a attempt) {
	t.Helper()
	ours, theirs := try(t, a)
	if err := differ.Judge(differences, a, ours, theirs); err != nil {
		t.Errorf("%v\nattempt: %+v\nbody: %q", err, a, a.body)
	}
}

func TestDifferences(t *testing.T) {
	t.Run("each intended one is one", func(t *testing.T) { differ.Show(t, differences, try) })

	t.Run("each intended one is documented", func(t *testing.T) {
		differ.Documented(t, "../../../SECURITY.md", differences)
	})
}

func TestAlike(t *testing.T) {
	// But for the list.
	t.Run("published vectors are judged alike", func(t *testing.T) {
		for _, tt := range vector.LoadPublished(t, 20, "core/github/*.json", "core/derived/github-*.json") {
			for _, secret := range append(tt.Secrets, "") {
				for i := range 4 {
					t.Run(fmt.Sprintf("%s, endpoint %d", tt.Name, i), func(t *testing.T) {
						judge(t, attempt{secret, i&1 == 1, i&2 == 2, http.MethodPost, tt.Head.Header, tt.Body})
					})
				}
			}
		}
	})

	t.Run("our vectors are judged alike", func(t *testing.T) {
		vectors := vector.Load(t, "../testdata")
		if len(vectors) < 56 {
			t.Fatalf("found %d vectors only", len(vectors))
		}
		for _, tt := range vectors {
			for _, secret := range tt.Secrets {
				for i := range 4 {
					t.Run(fmt.Sprintf("%s, endpoint %d", tt.Name, i), func(t *testing.T) {
						judge(t, attempt{secret, i&1 == 1, i&2 == 2, http.MethodPost, tt.Head.Header, tt.Body})
					})
				}
			}
		}
	})

	t.Run("genuine deliveries are accepted by both", func(t *testing.T) {
		for _, secret := range []string{secret, "s", strings.Repeat("s", 1024)} {
			for name, texts := range samples {
				for _, text := range texts {
					for _, isForm := range []bool{false, true} {
						a := attempt{secret: secret, form: isForm, method: http.MethodPost, body: sample(text)}
						if isForm {
							a.body = form(a.body)
						}
						a.header = githubtest.Header(name, a.body, secret)
						a.header.Set("Content-Type", a.endpoint())
						for _, header := range []string{sha1Header, sha256Header} {
							if err := sdk.ValidateSignature(a.header.Get(header), a.body, []byte(secret)); err != nil {
								t.Errorf("%s, form %v: go-github does not accept our signer's %s: %v", name, isForm, header, err)
							}
						}
						if ours, theirs := try(t, a); ours != differ.Accept || !theirs {
							t.Errorf("%s, form %v: ours: %s, theirs accepts: %v", name, isForm, ours, theirs)
						}
					}
				}
			}
		}
	})

	// Has what each delivery of the test above is one
	// step from.
	t.Run("one step beside is refused by both", func(t *testing.T) {
		for name, change := range map[string]func(a *attempt){
			"another secret":         func(a *attempt) { a.secret += "x" },
			"another body":           func(a *attempt) { a.body = append(a.body, '\n') },
			"another media type":     func(a *attempt) { a.header.Set("Content-Type", "text/plain") },
			"no signature":           func(a *attempt) { a.header.Del(sha1Header); a.header.Del(sha256Header) },
			"a signature of SHA-1":   func(a *attempt) { a.header.Set(sha256Header, a.header.Get(sha256Header)[:12]) },
			"a space":                func(a *attempt) { a.header.Set(sha256Header, a.header.Get(sha256Header)+" ") },
			"an unknown hash":        func(a *attempt) { a.header.Set(sha256Header, "md5=00") },
			"a wrong one, SHA-1 not": func(a *attempt) { a.header.Set(sha256Header, "sha256="+strings.Repeat("0", 64)) },
		} {
			if ours, theirs := try(t, genuine(change)); ours == differ.Accept || theirs {
				t.Errorf("%s: ours: %s, theirs accepts: %v", name, ours, theirs)
			}
		}
	})
}

// raise returns a text in upper case, or with one letter of it in upper case.
func raise(text string, n int) string {
	if i := n / 2; n%2 == 1 && i < len(text) {
		return text[:i] + strings.ToUpper(text[i:i+1]) + text[i+1:]
	}
	return strings.ToUpper(text)
}

// mutate makes an attempt of a genuine delivery. Each pair of bytes in edits is a
// change: what, and where or how much.
func mutate(key, body []byte, event string, endpoint uint8, edits []byte) attempt {
	a := attempt{
		secret:    "s" + hex.EncodeToString(key[:min(len(key), 500)]),
		form:      endpoint&1 == 1,
		allowSHA1: endpoint&2 == 2,
		method:    http.MethodPost,
		body:      bytes.Clone(body),
	}
	if endpoint&4 == 4 {
		a.body = form(body)
	}
	sign := func() {
		a.header = githubtest.Header("", a.body, a.secret)
		a.header.Set("X-GitHub-Event", event)
		a.header.Set("Content-Type", a.endpoint())
	}
	sign()
	for edits = edits[:min(len(edits), 24)]; len(edits) >= 2; edits = edits[2:] {
		n := int(edits[1])
		name := []string{sha256Header, sha1Header}[n%2]
		switch edits[0] % 21 {
		case 0:
			prefix, digits, _ := strings.Cut(a.header.Get(name), "=")
			a.header.Set(name, prefix+"="+raise(digits, n/2))
		case 1:
			a.header.Del(name)
		case 2:
			a.header.Add(name, a.header.Get(name))
		case 3:
			a.header[name] = append([]string{""}, a.header[name]...)
		case 4: // the other header's
			a.header.Set(name, a.header.Get([]string{sha1Header, sha256Header}[n%2]))
		case 5:
			mac := hmac.New(sha512.New, []byte(a.secret))
			mac.Write(a.body)
			a.header.Set(name, fmt.Sprintf("sha512=%x", mac.Sum(nil)))
		case 6:
			a.method = []string{http.MethodGet, http.MethodPut, http.MethodPost, "post"}[n%4]
		case 7:
			types := []string{jsonType, formType, "text/json", "APPLICATION/JSON ; charset=utf-8", formType + ";a=b", jsonType + "; charset", jsonType + ";;", "", " " + jsonType, jsonType + ",text/html"}
			a.header.Set("Content-Type", types[n%len(types)])
		case 8:
			a.header.Del("Content-Type")
		case 9:
			a.header.Add("Content-Type", []string{jsonType, formType}[n%2])
		case 10:
			a.header.Add("Content-Encoding", []string{"", "identity", "Identity", "gzip"}[n%4])
		case 11:
			if len(a.body) > 0 {
				a.body[n%len(a.body)] ^= 1 << (n % 8)
			}
		case 12:
			a.secret = secret // of another hook
		case 13:
			a.secret = badSecrets[n%len(badSecrets)]
			sign()
		case 14: // another body, honestly signed
			a.body = append([]byte("a="), a.body...)
			sign()
		case 15:
			a.body = append(a.body, "&payload=%7B%7D"...)
			sign()
		case 16:
			a.body = append(a.body, "%zz;"[n%4:]...)
			sign()
		case 17: // without a key
			a.secret = ""
			a.header.Del(sha1Header)
			a.header.Del(sha256Header)
		case 18:
			a.form = !a.form
		case 19: // any byte of the body, honestly signed
			if len(a.body) > 0 {
				a.body[n%len(a.body)] ^= 1 << (n % 5)
				sign()
			}
		case 20: // any byte of a signature
			value := []byte(a.header.Get(name))
			if len(edits) >= 4 && len(value) > 0 {
				at := int(edits[2]) % len(value)
				switch edits[3] % 4 {
				case 0:
					value = slices.Delete(value, at, at+1)
				case 1:
					value = slices.Insert(value, at, edits[3])
				default:
					value[at] = edits[3]
				}
				a.header.Set(name, string(value))
				edits = edits[2:]
			}
		}
	}
	return a
}

// FuzzValidatePayload: the verdict on what becomes of a genuine delivery is go-github's
// github.ValidatePayload's, but for the list; and what both accept they read alike.
func FuzzValidatePayload(f *testing.F) {
	body := sample(samples["star"][0])
	for what := range byte(21) {
		for endpoint := range uint8(8) {
			f.Add([]byte("key"), body, "star", endpoint, []byte{what, 1, what, 6})
		}
	}
	f.Fuzz(func(t *testing.T, key, body []byte, event string, endpoint uint8, edits []byte) {
		judge(t, mutate(key, body, event, endpoint, edits))
	})
}

// FuzzParse: whatever a body holds, it is parsed under one name at most, and then as
// go-github parses it.
func FuzzParse(f *testing.F) {
	for _, texts := range samples {
		for _, text := range texts {
			f.Add(sample(text))
		}
	}
	for _, text := range strangers {
		f.Add(sample(text))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) > 8<<10 {
			return // nothing but slow
		}
		var under []string
		for _, name := range sdk.MessageTypes() {
			event, err := githubevent.Parse(delivery(name, body))
			if err != nil {
				continue
			}
			under = append(under, name)
			if bytes.HasPrefix(body, []byte("payload=")) {
				continue
			}
			if want, err := sdk.ParseWebHook(name, body); err != nil || !reflect.DeepEqual(event, want) {
				t.Errorf("as %s: the event is not go-github's (%v)", name, err)
			}
		}
		if len(under) > 1 {
			t.Errorf("%q is parsed as %q", body, under)
		}
	})
}
