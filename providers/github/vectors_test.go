package github_test

import (
	"context"
	"slices"
	"strings"
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
		case "github form":
			o.Form = true
		case "github allow sha1":
			o.InsecureAllowSHA1 = true
		case "distinct by unsigned id":
			o.InsecureDistinctByDeliveryID = true
		default:
			t.Fatalf("%s: unknown option %q", v.Name, option)
		}
	}
	return o
}

// TestVectorsWithOptions runs the vectors with an option that is GitHub's own; package
// providertest runs the others.
func TestVectorsWithOptions(t *testing.T) {
	own := 0
	for _, tt := range vector.Load(t, "testdata") {
		if !slices.ContainsFunc(tt.Options, func(o string) bool { return strings.HasPrefix(o, "github ") }) {
			continue
		}
		own++
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
	if own < 9 {
		t.Errorf("found %d vectors, want at least 9", own)
	}
}

// TestPublishedVectorsWithOptions runs vectors that nobody of this project wrote, and
// that need an option of GitHub's own.
func TestPublishedVectorsWithOptions(t *testing.T) {
	own := 0
	for _, tt := range vector.PublishedBy(t, "github") {
		// Where the collection does not say what the endpoint takes, it is what is sent.
		isForm := tt.MediaType == "" && tt.Head.Header.Get("Content-Type") == form || tt.MediaType == form
		if !isForm && !tt.AllowSHA1 {
			continue
		}
		own++
		t.Run(tt.Name, func(t *testing.T) {
			v := newVerifier(t, &github.Options{Form: isForm, InsecureAllowSHA1: tt.AllowSHA1, InsecureAllowShortSecret: true}, tt.Secrets...)
			err := v.Profile().Check(tt.Head, int64(len(tt.Body)))
			if err == nil {
				_, err = verify.Verify(context.Background(), v, tt.Head, tt.Body)
			}
			if got := vector.Outcome(err); got != tt.Want(t) {
				t.Errorf("outcome is %s (%v), want %s", got, err, tt.Want(t))
			}
		})
	}
	if own < 1 {
		t.Error("found none")
	}
}

const form = "application/x-www-form-urlencoded"
