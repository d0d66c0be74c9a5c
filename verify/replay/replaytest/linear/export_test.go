package linear

import (
	"fmt"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/hooknotary/hooknotary/verify/replay"
)

// Linearizable judges a history of which each line is a call: when it was made and
// answered, in milliseconds, who asked for what, and the answer.
//
//	0-1 a claims 100 = acquired
//	2-3 b claims 100 = in flight 97
//	4-  a commits
//
// A letter is a token, and claims have the fingerprint of the token unless another
// letter follows the lease.
func Linearizable(lines ...string) bool {
	var history []porcupine.Operation
	end := int64(time.Hour)
	for _, line := range lines {
		c, a := parse(line)
		history = append(history, porcupine.Operation{Input: c, Call: int64(c.at), Output: a, Return: min(int64(a.at), end)})
	}
	v := judge(history)
	if v != nil && v.result != porcupine.Illegal {
		panic(v.result)
	}
	return v == nil
}

func parse(line string) (c call, a answer) {
	asked, told, known := strings.Cut(line, " = ")
	var when, who, what string
	var n int
	print := ""
	fmt.Sscan(asked, &when, &who, &what, &n, &print)
	from, to, _ := strings.Cut(when, "-")
	c.at, a.at, a.known = millis(from), forever, known
	if known {
		a.at = millis(to)
	}
	c.token = int(who[0] - 'a')
	c.print = c.token
	if print != "" {
		c.print = int(print[0] - 'a')
	}
	switch what {
	case "claims", "claims-old":
		c.kind, c.old = claim, what == "claims-old"
	case "renews":
		c.kind = renew
	case "commits":
		c.kind = commit
	case "releases":
		c.kind = release
	case "forgets":
		c.kind = forget
	case "binds":
		c.kind, c.body = bind, n
	default:
		panic(line)
	}
	c.lease = time.Duration(n) * time.Millisecond
	left, inFlight := strings.CutPrefix(told, "in flight ")
	switch {
	case !known, told == "ok":
	case inFlight:
		a.outcome = replay.Outcome{Status: replay.InFlight, Lease: millis(left)}
	case told == "done":
		a.outcome.Status = replay.Done
	case told == "same":
		a.outcome = replay.Outcome{Status: replay.Done, Same: true}
	case told == "acquired":
		a.outcome.Status = replay.Acquired
	case told == "before floor":
		a.outcome.Status = replay.BeforeFloor
	case told == "forged":
		a.outcome.Status = replay.Forged
	case told == "lost":
		a.err = replay.ErrLost
	case told == "held":
		a.err = replay.ErrHeld
	default:
		panic(line)
	}
	return c, a
}

func millis(s string) time.Duration {
	var n int
	if _, err := fmt.Sscan(s, &n); err != nil {
		panic(err)
	}
	return time.Duration(n) * time.Millisecond
}
