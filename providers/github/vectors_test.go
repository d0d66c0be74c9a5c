package github_test

import (
	"context"
	"mime"
	"testing"

	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/verify"
)

// options reads the options of a vector.
func options(t testing.TB, v vector.Vector) *github.Options {
	t.Helper()
	o := &github.Options{}
	for _, option := range v.Options {
		switch option {
		case "form":
			o.Form = true
		case "allow sha1":
			o.InsecureAllowSHA1 = true
		case "distinct by delivery id":
			o.InsecureDistinctByDeliveryID = true
		default:
			t.Fatalf("%s: unknown option %q", v.Name, option)
		}
	}
	return o
}

func TestVectors(t *testing.T) {
	vectors := vector.Load(t, "testdata")
	if len(vectors) < 56 {
		t.Fatalf("found %d vectors, want at least 56", len(vectors))
	}
	for _, tt := range vectors {
		t.Run(tt.Name, func(t *testing.T) {
			v := newVerifier(t, options(t, tt), tt.Secrets...)
			d, err := verify.Verify(context.Background(), v, tt.Head, tt.Body)
			if got := vector.Outcome(err); got != tt.Expect {
				t.Fatalf("%s: outcome is %s (%v), want %s", tt.Note, got, err, tt.Expect)
			}
			if err == nil && string(d.Body) != string(tt.Body) {
				t.Error("the body is another one")
			}
		})
	}
}

// TestPublishedVectors runs vectors that nobody of this project wrote.
func TestPublishedVectors(t *testing.T) {
	vectors := vector.LoadPublished(t, 20, "core/github/*.json", "core/derived/github-*.json")
	compare, done := vector.Differences(t, "testdata/DIFFERENCES.md")
	for _, tt := range vectors {
		t.Run(tt.Name, func(t *testing.T) {
			compare(t, tt.Name, tt.Want(t), published(t, tt))
		})
	}
	done()
}

func published(t *testing.T, tt vector.Published) string {
	mediaType, _, err := mime.ParseMediaType(tt.Head.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	endpoint := tt.MediaType
	if endpoint == "" {
		endpoint = mediaType
	}
	v, err := github.New(verify.Secrets(tt.Secrets...), &github.Options{
		Form:                     endpoint == "application/x-www-form-urlencoded",
		InsecureAllowSHA1:        tt.AllowSHA1,
		InsecureAllowShortSecret: true,
	})
	if err != nil {
		return vector.NoVerifier
	}
	_, err = verify.Verify(context.Background(), v, tt.Head, tt.Body)
	t.Log(err)
	if v.Profile().MediaType != mediaType {
		// The guard refuses it before it asks the verifier, which accepts: the
		// signature is genuine.
		if err != nil {
			t.Errorf("the signature does not verify: %v", err)
		}
		return verify.ErrMediaType.String()
	}
	return vector.Outcome(err)
}
