package linear

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/anishathalye/porcupine"
)

// violation is what is wrong with the history of one object.
type violation struct {
	history []porcupine.Operation
	result  porcupine.CheckResult
	info    porcupine.LinearizationInfo
}

// shown is how many calls are printed of those that fit.
const shown = 12

func byCall(a, b porcupine.Operation) int { return cmp.Compare(a.Call, b.Call) }

// String tells where the longest order that was found ends.
func (v *violation) String() string {
	var b strings.Builder
	what := "event"
	first := v.history[0].Input.(call)
	if first.kind == bind {
		what = "message"
	}
	if v.result == porcupine.Unknown {
		fmt.Fprintf(&b, "it was not found out within %v whether the %d calls on %s %d are linearizable\n", thinking, len(v.history), what, first.object)
	} else {
		fmt.Fprintf(&b, "the %d calls on %s %d are not linearizable\n", len(v.history), what, first.object)
	}
	order, rest := v.longest()
	fmt.Fprintf(&b, "the longest order that was found has %d of them, and ends with:\n", len(order))
	var s state
	for i, op := range order {
		s, _ = s.next(op.Input.(call), op.Output.(answer))
		if i >= len(order)-shown {
			fmt.Fprintf(&b, "%s\n%40s%v\n", line(op), "→ ", s)
		}
	}
	fmt.Fprintf(&b, "none of these can be next:\n")
	for _, op := range candidates(rest) {
		fmt.Fprintln(&b, line(op))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// line shows a call: when it was made and answered, by whom, and what it was about.
func line(op porcupine.Operation) string {
	until := "…"
	a := op.Output.(answer)
	if a.known {
		until = clock(a.at)
	}
	return fmt.Sprintf("%12s to %12s  client %d  %v = %v", clock(op.Input.(call).at), until, op.ClientId, op.Input, a)
}

// longest returns the longest order that was found, and the other calls.
func (v *violation) longest() (order, rest []porcupine.Operation) {
	for _, partition := range v.info.PartialLinearizationsOperations() {
		for _, o := range partition {
			if len(o) > len(order) {
				order = o
			}
		}
	}
	in := make(map[porcupine.Operation]bool)
	for _, op := range order {
		in[op] = true
	}
	for _, op := range v.history {
		if !in[op] {
			rest = append(rest, op)
		}
	}
	return order, rest
}

// candidates returns the calls that were made before any of them was answered: one
// of them would have to be next.
func candidates(rest []porcupine.Operation) []porcupine.Operation {
	slices.SortFunc(rest, byCall)
	for i := 1; i < len(rest); i++ {
		for _, before := range rest[:i] {
			if before.Return < rest[i].Call {
				return rest[:i]
			}
		}
	}
	return rest
}

// summary counts calls and answers.
type summary map[string]int

const met = "calls that met another on their object"

func (s summary) add(history []porcupine.Operation) {
	for _, part := range partition(history) {
		slices.SortFunc(part, byCall)
		var busy int64
		for i, op := range part {
			if op.Call < busy || i+1 < len(part) && part[i+1].Call < op.Return {
				s[met]++
			}
			busy = max(busy, op.Return)
			a := op.Output.(answer)
			a.outcome.Lease = 0
			s[fmt.Sprintf("%v: %v", op.Input.(call).kind, a)]++
		}
	}
}

func (s summary) String() string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(s)) {
		all = append(all, fmt.Sprintf("%d %s", s[name], name))
	}
	return strings.Join(all, ", ")
}
