package githubevent

import (
	"maps"
	"slices"
)

// Shapes returns the names of all shapes.
func Shapes() []string { return slices.Sorted(maps.Keys(shapes())) }

// Disjoint reports whether the shapes of two events alone rule out that a body fits
// both: each body of the one has a member that the other forbids, or their actions
// are different ones.
func Disjoint(a, b string) bool {
	x, y := shapes()[a], shapes()[b]
	return slices.ContainsFunc(x.has, y.forbids) || slices.ContainsFunc(y.has, x.forbids) || disjointActions(x, y)
}

func disjointActions(x, y shape) bool {
	if x.actions == nil || y.actions == nil {
		return false
	}
	if len(x.actions) == 0 || len(y.actions) == 0 {
		return len(x.actions) != len(y.actions)
	}
	return x.actions[0] != "*" && y.actions[0] != "*" &&
		!slices.ContainsFunc(x.actions, func(action string) bool { return slices.Contains(y.actions, action) })
}
