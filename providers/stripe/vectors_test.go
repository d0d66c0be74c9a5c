package stripe_test

import (
	"context"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/verify"
)

// options reads the options of a vector: "tolerance" and a duration.
func options(t testing.TB, v vector.Vector) *stripe.Options {
	t.Helper()
	o := &stripe.Options{}
	for _, option := range v.Options {
		const prefix = "tolerance "
		d, err := time.ParseDuration(option[min(len(prefix), len(option)):])
		if option[:min(len(prefix), len(option))] != prefix || err != nil {
			t.Fatalf("%s: unknown option %q", v.Name, option)
		}
		o.Tolerance = d
	}
	return o
}

func TestVectors(t *testing.T) {
	vectors := vector.Load(t, "testdata")
	if len(vectors) < 66 {
		t.Fatalf("found %d vectors, want at least 66", len(vectors))
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
	vectors := vector.LoadPublished(t, 22, "core/stripe/*.json")
	compare, done := vector.Differences(t, "testdata/DIFFERENCES.md")
	for _, tt := range vectors {
		t.Run(tt.Name, func(t *testing.T) {
			secrets := tt.Secrets
			if tt.Verdict == "parse-only" {
				secrets = []string{"not the secret of the documentation"}
			}
			compare(t, tt.Name, tt.Want(t), published(t, tt, secrets))
		})
	}
	done()
}

func published(t *testing.T, tt vector.Published, secrets []string) string {
	v, err := stripe.New(verify.Secrets(secrets...), &stripe.Options{Tolerance: tt.Tolerance, InsecureAllowShortSecret: true})
	if err != nil {
		return vector.NoVerifier
	}
	_, err = verify.Verify(context.Background(), v, tt.Head, tt.Body)
	t.Log(err)
	return vector.Outcome(err)
}
