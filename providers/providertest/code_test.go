package providertest_test

import (
	"errors"
	"os"
	"slices"
	"testing"

	"github.com/hooknotary/hooknotary/providers/providertest"
	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// judgeVectors judges the vectors of the first form as those of a verifier that is code.
func judgeVectors(t *testing.T, spoil func(dir string) error) {
	tt := forms[0]
	s := newSender(t, tt.definition, tt.secret, tt.options, tt.fields)
	if err := spoil(s.Dir); err != nil {
		t.Skip(err) // which TestVectors takes for a flaw that was not found
	}
	providertest.Vectors(t, s.Dir, func(_ *testing.T, v vector.Vector) (verify.Verifier, error) {
		return scheme.New(s.Definition, verify.Secrets(v.Secrets...), nil)
	}, func(t *testing.T, d *verify.Delivery) {
		if d.SignedAt.IsZero() {
			t.Errorf("the delivery is %+v", d)
		}
	})
}

// TestVectorsWithAFlaw is run by the test below, and only by it.
func TestVectorsWithAFlaw(t *testing.T) {
	flaw, ok := flaws[os.Getenv(flawVariable)]
	if !ok {
		t.Skip("run by TestVectors")
	}
	judgeVectors(t, flaw)
}

func TestVectors(t *testing.T) {
	t.Run("of a sound folder pass", func(t *testing.T) {
		judgeVectors(t, func(string) error { return nil })
	})
	for name := range flaws {
		if !slices.Contains([]string{"an unknown option", "one body only"}, name) { // the caller's, and a Sender's
			t.Run("with "+name+" fail", func(t *testing.T) { wantFailure(t, "TestVectorsWithAFlaw", flawVariable+"="+name) })
		}
	}
}

// reports counts what a test reports.
type reports struct {
	testing.TB
	n int
}

func (r *reports) Helper() {}

func (r *reports) Errorf(string, ...any) { r.n++ }

func TestConstructed(t *testing.T) {
	made := new(int)
	for _, tt := range []struct {
		name  string
		v     *int
		err   error
		tells string
		fails bool
	}{
		{"a verifier that is wanted", made, nil, "", false},
		{"no verifier where one is wanted", nil, nil, "", true},
		{"an error where a verifier is wanted", nil, errors.New("acme: the key is short"), "", true},
		{"an error that is wanted", nil, errors.New("acme: the key is short"), "short", false},
		{"another error than is wanted", nil, errors.New("acme: the key is short"), "URL", true},
		{"an error of another package", nil, errors.New("scheme: the key is short"), "short", true},
		{"an error and a verifier", made, errors.New("acme: the key is short"), "short", true},
		{"a verifier where an error is wanted", made, nil, "short", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := &reports{TB: t}
			providertest.Constructed(r, "acme", tt.v, tt.err, tt.tells)
			if (r.n > 0) != tt.fails {
				t.Errorf("reports %d failures", r.n)
			}
		})
	}
}
