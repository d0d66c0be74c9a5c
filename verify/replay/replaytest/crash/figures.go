package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// figures is what a run of the harness counts.
type figures struct {
	rounds, events, handled          int
	deliveries, duplicates, failed   int
	faults                           map[harm]int
	crashes                          map[point]int
	lost                             int
	crash, commit, stall, afterLease int // doubled
	flush, unexplained, still        int
	replays, accepted, harmless      int
	forgeries, forgeriesAccepted     int
	unbound, errors, outlived        int
	endings                          int // servers that ended by themselves
	broken                           int // doubled: the receiver did not answer
	wrong                            int // requests that no gateway should have sent
	took                             time.Duration
	inbox                            bool // nothing may be doubled
}

// add adds a verdict, or takes it back with sign -1.
func (f *figures) add(v verdict, sign int) {
	if v.lost {
		f.lost += sign
	}
	if v.handled {
		f.handled += sign
	}
	f.failed += sign * v.failures
	f.crash += sign * v.crash
	f.commit += sign * v.commit
	f.stall += sign * v.stall
	f.afterLease += sign * v.afterLease
	f.flush += sign * v.flush
	f.unexplained += sign * v.unexplained
	f.still += sign * v.still
	f.accepted += sign * v.replays
	f.forgeriesAccepted += sign * v.forged
	f.harmless += sign * v.harmless
	f.unbound += sign * v.unbound
	f.errors += sign * v.errors
	f.broken += sign * v.broken
	f.outlived += sign * v.outlived
}

// sent counts a request.
func (f *figures) sent(s *sent) {
	switch s.origin() {
	case attempt:
		f.deliveries++
	case duplicate:
		f.duplicates++
	case replayed, outdated:
		f.replays++
	case forged:
		f.forgeries++
	}
}

// kept reports whether all is zero that must be.
func (f *figures) kept() bool {
	if f.inbox && f.gap()+f.afterLease+f.flush > 0 {
		return false
	}
	return f.lost == 0 && f.unexplained == 0 && f.still == 0 && f.accepted == 0 && f.forgeriesAccepted == 0 && f.endings == 0 && f.wrong == 0
}

// line writes one line, to be seen while the harness runs.
func (f *figures) line(out io.Writer) {
	fmt.Fprintf(out, "round %4d: %6d events, %7d deliveries, %4d kills; lost %d, doubled in the gap %d, after the lease %d, by a flush %d, unexplained %d, stood still %d, replays accepted %d, forged accepted %d\n",
		f.rounds, f.events, f.deliveries+f.duplicates, f.killed(), f.lost, f.gap(), f.afterLease, f.flush, f.unexplained, f.still, f.accepted, f.forgeriesAccepted)
}

// gap is how many effects were doubled because something fell between them and
// their commit.
func (f *figures) gap() int { return f.crash + f.commit + f.stall + f.broken }

// killed is how many processes of servers were killed.
func (f *figures) killed() int {
	n := f.faults[kill]
	for _, c := range f.crashes {
		n += c
	}
	return n
}

// table writes all figures.
func (f *figures) table(out io.Writer, o options) {
	what := "store " + o.store
	if o.gateway {
		what = "gateways, " + what
	}
	fmt.Fprintf(out, "\n%s, seed %d, %v\n\n", what, o.seed, f.took.Round(time.Second))
	row := func(what string, n int, note string) {
		fmt.Fprintln(out, strings.TrimRight(fmt.Sprintf("%-42s %8d   %s", what, n, note), " "))
	}
	zero := func(what string, n int) {
		note := "must be 0"
		if n != 0 {
			note = "must be 0: BROKEN"
		}
		row(what, n, note)
	}
	row("rounds", f.rounds, "")
	row("events", f.events, "")
	row("events handled", f.handled, "")
	row("deliveries sent by providers", f.deliveries+f.duplicates, fmt.Sprintf("%d of them needlessly", f.duplicates))
	row("runs of a handler that failed", f.failed, "")
	row("effects for a sender that had hung up", f.outlived, "")
	row("servers killed", f.killed(), fmt.Sprintf("%d anywhere, %d before an effect, %d between effect and commit, %d before a response",
		f.faults[kill], f.crashes[beforeEffect], f.crashes[beforeCommit], f.crashes[beforeResponse]))
	if o.gateway {
		row("servers told to end", f.faults[term], "")
	}
	row("servers paused beyond the lease", f.faults[pause], fmt.Sprintf("%d times one stood still for %v or more", f.faults[stall], notable))
	row("store killed", f.faults[storeKill], "")
	row("store paused beyond the lease", f.faults[storePause], fmt.Sprintf("%d times it was slow to answer, or did not", f.faults[slow]))
	row("store emptied", f.faults[flush], "")
	if !o.gateway { // nobody sees its claims
		row("claims that failed without such a fault", f.errors, "")
	}
	row("connections cut", f.faults[cutOff], "")
	row("replays sent", f.replays, fmt.Sprintf("%d ran an event that was not known to be done", f.harmless))
	row("forgeries sent", f.forgeries, fmt.Sprintf("%d ran because the store was emptied", f.unbound))
	fmt.Fprintln(out)
	zero("events lost", f.lost)
	gap := row
	if f.inbox {
		gap = func(what string, n int, _ string) { zero(what, n) }
	}
	gap("doubled in the gap: server killed", f.crash, "")
	if o.gateway {
		gap("doubled in the gap: receiver did not answer", f.broken, "")
	}
	gap("doubled in the gap: commit failed", f.commit, "")
	gap("doubled in the gap: lease lost", f.stall, "")
	gap("doubled by an effect after the lease", f.afterLease, "")
	gap("doubled because the store was emptied", f.flush, "")
	zero("doubled or delayed, unexplained", f.unexplained)
	zero("stood still for nothing", f.still)
	zero("replays accepted", f.accepted)
	zero("forgeries accepted", f.forgeriesAccepted)
	zero("servers that ended by themselves", f.endings)
	if o.gateway {
		zero("requests that are not the gateway's", f.wrong)
	}
}
