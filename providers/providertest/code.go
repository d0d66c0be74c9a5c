package providertest

import (
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/verify"
)

// Vectors judges the vectors of the folder dir by a verifier that is code; a Sender
// does it for a definition. open makes the verifier for a vector, of its Secrets and
// Options, and fails the test for an option that it does not know. Each verdict, which is
// that of a guard before it asks its store, must be the one that the vector expects. An
// accepted delivery must hold the vector's body and id and the profile's binding; check,
// which may be nil, looks at the rest of it. The folder must hold vectors that are accepted, unsigned, malformed and
// a mismatch, and too old and too new where a time is signed.
func Vectors(t *testing.T, dir string, open func(t *testing.T, v vector.Vector) (verify.Verifier, error), check func(t *testing.T, d *verify.Delivery)) {
	t.Helper()
	outcomes := make(map[string]bool)
	timed := false
	for _, tt := range vector.Load(t, dir) {
		outcomes[tt.Expect] = true
		t.Run(tt.Name, func(t *testing.T) {
			v, err := open(t, tt)
			if err != nil {
				t.Fatal(err)
			}
			timed = timed || v.Profile().Window != verify.Window{}
			d, err := judge(v, tt.Head, tt.Body)
			if got := vector.Outcome(err); got != tt.Expect {
				t.Fatalf("%s: outcome is %s (%v), want %s", tt.Note, got, err, tt.Expect)
			}
			if err != nil {
				return
			}
			if string(d.Body) != string(tt.Body) || d.ID != tt.ID || d.Binding != v.Profile().Binding {
				t.Errorf("the delivery is %+v, want the body of the vector, the id %q and the profile's binding", d, tt.ID)
			}
			if check != nil {
				check(t, d)
			}
		})
	}
	want := []string{"accept", "unsigned", "malformed", "mismatch"}
	if timed {
		want = append(want, "too_old", "too_new")
	}
	for _, outcome := range want {
		if !outcomes[outcome] {
			t.Errorf("%s has no vector whose outcome is %s", dir, outcome)
		}
	}
}

// Constructed fails the test unless New of the package did what it should: it returns a
// verifier and no error where tells is empty, else no verifier and an error that starts
// with the name of the package and says tells.
func Constructed[V comparable](t testing.TB, pkg string, v V, err error, tells string) {
	t.Helper()
	var none V
	if tells == "" {
		if err != nil || v == none {
			t.Errorf("New: %v, %v, want a verifier", v, err)
		}
		return
	}
	if err == nil || v != none || !strings.HasPrefix(err.Error(), pkg+": ") || !strings.Contains(err.Error(), tells) {
		t.Errorf("New: %v, %v, want an error of %s that says %q", v, err, pkg, tells)
	}
}
