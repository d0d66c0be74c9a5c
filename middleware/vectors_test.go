package middleware_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// vector is a delivery that nobody here wrote, with the verdict about it.
type vector struct {
	Name, Provider string
	Key            struct {
		Secrets     []string
		SecretsB64  []string `json:"secrets_b64"`
		AllowSHA1   bool     `json:"allow_sha1"`
		ContentType string   `json:"content_type"`
	}
	Method    string
	Headers   [][2]string
	Body      []byte     `json:"body_b64"`
	Sum       string     `json:"body_sha256"`
	VerifyAt  *time.Time `json:"verify_at"`
	Tolerance int        `json:"tolerance_seconds"`
	Expect    struct{ Verdict, Reason string }
}

// Vectors that state no verdict about a whole delivery.
var notDeliveries = []string{"docs-header-parse-only"}

// Reasons of the vectors whose response is another one than 401.
var vectorAnswers = map[string]int{"content_type_not_allowed": 415}

func readVectors(t *testing.T) []vector {
	dir := os.Getenv("HOOKNOTARY_VECTORS")
	if dir == "" {
		t.Skip("HOOKNOTARY_VECTORS is not set")
	}
	var vectors []vector
	for _, pattern := range []string{"core/stripe/*.json", "core/github/*.json", "core/derived/github-*.json"} {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("no files %s: %v", pattern, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var v vector
			if err := json.Unmarshal(text, &v); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			vectors = append(vectors, v)
		}
	}
	return vectors
}

// endpoint makes the guard that the vector is about; an error where no guard can
// be made of its secret.
func (v *vector) endpoint(t *testing.T) (http.Handler, *verify.Delivery, error) {
	for _, s := range v.Key.SecretsB64 {
		secret, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		v.Key.Secrets = append(v.Key.Secrets, string(secret))
	}
	keys := verify.Secrets(v.Key.Secrets...)
	var verifier verify.Verifier
	var err error
	switch v.Provider {
	case "stripe":
		verifier, err = stripe.New(keys, &stripe.Options{
			Tolerance:                time.Duration(v.Tolerance) * time.Second,
			InsecureAllowShortSecret: true,
		})
	case "github":
		verifier, err = github.New(keys, &github.Options{
			Form:                     v.takesForms(),
			InsecureAllowSHA1:        v.Key.AllowSHA1,
			InsecureAllowShortSecret: true,
		})
	default:
		t.Fatalf("unknown provider %q", v.Provider)
	}
	if err != nil {
		return nil, nil, err
	}
	now := time.Now
	if v.VerifyAt != nil {
		now = func() time.Time { return *v.VerifyAt }
	}
	guard, err := middleware.New("vectors", verifier, replay.NewMemory(&replay.MemoryOptions{
		Now: now, Since: now().Add(-time.Hour), // the store was there before the delivery
	}), &middleware.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	verified := new(verify.Delivery)
	return guard.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d, ok := verify.FromContext(r.Context())
		if !ok {
			t.Error("the handler ran without a delivery")
			return
		}
		*verified = *d
	})), verified, nil
}

// takesForms reports whether the endpoint is one for forms: where the vector says
// so, or accepts one.
func (v *vector) takesForms() bool {
	const form = "application/x-www-form-urlencoded"
	if v.Key.ContentType != "" {
		return v.Key.ContentType == form
	}
	return v.Expect.Verdict == "accept" && slices.Contains(v.Headers, [2]string{"Content-Type", form})
}

func (v *vector) request() *http.Request {
	r := httptest.NewRequest(v.Method, "/hooks", bytes.NewReader(v.Body))
	for _, h := range v.Headers {
		r.Header.Add(h[0], h[1])
	}
	return r
}

func TestVectors(t *testing.T) {
	t.Run("deliveries that others published are accepted", func(t *testing.T) {
		verdicts := make(map[string]int)
		for _, v := range readVectors(t) {
			t.Run(v.Provider+"/"+v.Name, func(t *testing.T) {
				if slices.Contains(notDeliveries, v.Name) {
					if v.Expect.Verdict != "parse-only" {
						t.Errorf("the verdict is %q", v.Expect.Verdict)
					}
					t.Skip("states no verdict about a whole delivery")
				}
				if sum := sha256.Sum256(v.Body); v.Sum != "" && v.Sum != hex.EncodeToString(sum[:]) {
					t.Fatal("the file is damaged")
				}
				verdicts[v.Expect.Verdict]++
				h, verified, err := v.endpoint(t)
				if err != nil {
					if v.Expect.Verdict != "reject" || v.Expect.Reason != "no_secret_configured" {
						t.Fatal(err)
					}
					return // no guard, so nothing is accepted
				}
				w := httptest.NewRecorder()
				h.ServeHTTP(w, v.request())
				switch v.Expect.Verdict {
				case "accept":
					want(t, w, 200, "Webhook-Duplicate", "")
					if !bytes.Equal(verified.Body, v.Body) || verified.Provider != v.Provider {
						t.Error("the handler did not run, or with another body")
					}
					// And never again.
					w = httptest.NewRecorder()
					h.ServeHTTP(w, v.request())
					want(t, w, 409)
				case "reject":
					status := 401
					if s := vectorAnswers[v.Expect.Reason]; s != 0 {
						status = s
					}
					want(t, w, status)
					if verified.Provider != "" {
						t.Error("the handler ran")
					}
				default:
					t.Errorf("unknown verdict %q", v.Expect.Verdict)
				}
			})
		}
		if verdicts["accept"] == 0 || verdicts["reject"] == 0 {
			t.Errorf("verdicts %v: an acceptance and a rejection are the least", verdicts)
		}
	})

	// One byte more, or one bit of a signature, and no vector is accepted.
	t.Run("deliveries that somebody touched are refused", func(t *testing.T) {
		for _, v := range readVectors(t) {
			if v.Expect.Verdict != "accept" {
				continue
			}
			for _, touch := range []struct {
				name   string
				change func(*vector)
			}{
				{"a byte more", func(v *vector) { v.Body = append(slices.Clone(v.Body), ' ') }},
				{"a byte less", func(v *vector) { v.Body = v.Body[:len(v.Body)-1] }},
				{"a bit of the body", func(v *vector) {
					v.Body = slices.Clone(v.Body)
					v.Body[len(v.Body)/2] ^= 1
				}},
				{"a digit of every signature", func(v *vector) {
					for i, h := range v.Headers {
						if !strings.Contains(h[0], "Signature") {
							continue
						}
						parts := strings.Split(h[1], ",")
						for n, p := range parts {
							last := "0"
							if strings.HasSuffix(p, last) {
								last = "1"
							}
							if !strings.HasPrefix(p, "t=") {
								parts[n] = p[:len(p)-1] + last
							}
						}
						v.Headers[i][1] = strings.Join(parts, ",")
					}
				}},
				{"another content type", func(v *vector) {
					for i, h := range v.Headers {
						if h[0] == "Content-Type" {
							v.Headers[i][1] = "text/plain"
						}
					}
				}},
			} {
				t.Run(v.Provider+"/"+v.Name+"/"+touch.name, func(t *testing.T) {
					v := v
					v.Headers = slices.Clone(v.Headers)
					h, verified, err := v.endpoint(t)
					if err != nil {
						t.Fatal(err)
					}
					touch.change(&v)
					w := httptest.NewRecorder()
					h.ServeHTTP(w, v.request())
					if w.Code != 401 && w.Code != 415 || verified.Provider != "" {
						t.Errorf("status %d", w.Code)
					}
				})
			}
		}
	})
}
