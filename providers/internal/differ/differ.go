// Package differ compares a verifier with that of an official SDK. They agree, but
// for a list of intended differences; the list is exact: where one of them holds,
// the two must differ as it says, and elsewhere they must not.
package differ

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// Accept is the outcome of an attempt that is accepted. Any other outcome is the
// reason of a refusal.
const Accept = "accept"

// Difference is an intended difference over attempts of type A.
type Difference[A any] struct {
	Name  string         // what differs, and in favour of what
	Ours  string         // our outcome: Accept, where theirs refuses, or why we refuse what theirs accepts
	Holds func(a A) bool // reports whether the difference concerns an attempt
	Shown A              // an attempt that no other difference concerns
}

// Judge returns an error if two outcomes for a are not what the list says.
func Judge[A any](list []Difference[A], a A, ours string, theirs bool) error {
	var names, refusals []string
	lenient := false
	for _, d := range list {
		if !d.Holds(a) {
			continue
		}
		names = append(names, d.Name)
		if d.Ours == Accept {
			lenient = true
		} else {
			refusals = append(refusals, d.Ours)
		}
	}
	said := func(text string) error {
		return fmt.Errorf("%s; ours: %s, theirs accepts: %v, listed: %q", text, ours, theirs, names)
	}
	switch {
	case theirs && ours == Accept && lenient:
		return said("theirs accepts what the list says it refuses")
	case theirs && len(refusals) > 0 && !slices.Contains(refusals, ours):
		return said("ours does not refuse it as the list says")
	case theirs && len(refusals) == 0 && ours != Accept:
		return said("ours alone refuses it, and the list does not say so")
	case !theirs && ours == Accept && !lenient:
		return said("ours alone accepts it, and the list does not say so")
	}
	return nil
}

// Show tries each entry of the list with the attempt that shows it. An entry fails
// that does not concern its own attempt, that another entry explains as well, or
// that the two verifiers do not bear out.
func Show[A any](t *testing.T, list []Difference[A], try func(t *testing.T, a A) (ours string, theirs bool)) {
	t.Helper()
	for _, d := range list {
		t.Run(d.Name, func(t *testing.T) {
			if err := show(list, d, func(a A) (string, bool) { return try(t, a) }); err != nil {
				t.Error(err)
			}
		})
	}
}

// Documented fails unless each entry of the list has a row in SECURITY.md, which
// lies at a path.
func Documented[A any](t *testing.T, path string, list []Difference[A]) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range list {
		if !strings.Contains(string(text), "\n| "+d.Name+" |") {
			t.Errorf("%s has no row for %q", path, d.Name)
		}
	}
}

func show[A any](list []Difference[A], d Difference[A], try func(A) (string, bool)) error {
	for _, other := range list {
		if other.Name != d.Name && other.Holds(d.Shown) {
			return fmt.Errorf("it is also a case of %q", other.Name)
		}
	}
	if !d.Holds(d.Shown) {
		return errors.New("it does not concern its own case")
	}
	ours, theirs := try(d.Shown)
	if ours != d.Ours || theirs == (ours == Accept) {
		return fmt.Errorf("ours: %s, theirs accepts: %v; want ours: %s and the other verdict from theirs", ours, theirs, d.Ours)
	}
	return Judge(list, d.Shown, ours, theirs)
}
