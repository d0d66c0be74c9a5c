package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// figures is what a run of the harness counts.
type figures struct {
	rounds, events, handled        int
	deliveries, duplicates, failed int
	kills, pauses, storeKills      int
	storePauses                    int
	crashes                        map[point]int
	cuts                           int
	lost                           int
	crash, commit, stall, late     int // doubled
	elsewhere                      int
	replays, accepted, harmless    int
	forgeries, forgeriesAccepted   int
	faults                         int
	took                           time.Duration
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
	f.late += sign * v.late
	f.elsewhere += sign * v.elsewhere
	f.accepted += sign * v.replays
	f.forgeriesAccepted += sign * v.forged
	f.harmless += sign * v.harmless
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
	if s.cut != uncut {
		f.cuts++
	}
}

// kept reports whether all is zero that must be.
func (f *figures) kept() bool {
	return f.lost == 0 && f.elsewhere == 0 && f.accepted == 0 && f.forgeriesAccepted == 0 && f.faults == 0
}

// line writes one line, to be seen while the harness runs.
func (f *figures) line(out io.Writer) {
	fmt.Fprintf(out, "round %4d: %6d events, %7d deliveries, %4d kills; lost %d, doubled in the gap %d, after the lease %d, elsewhere %d, replays accepted %d, forged accepted %d\n",
		f.rounds, f.events, f.deliveries+f.duplicates, f.killed(), f.lost, f.gap(), f.late, f.elsewhere, f.accepted, f.forgeriesAccepted)
}

// gap is how many effects were doubled because something fell between them and
// their commit.
func (f *figures) gap() int { return f.crash + f.commit + f.stall }

// killed is how many processes of servers were killed.
func (f *figures) killed() int {
	n := f.kills
	for _, c := range f.crashes {
		n += c
	}
	return n
}

// table writes all figures.
func (f *figures) table(out io.Writer, o options) {
	fmt.Fprintf(out, "\nstore %s, seed %d, %v\n\n", o.store, o.seed, f.took.Round(time.Second))
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
	row("servers killed", f.killed(), fmt.Sprintf("%d anywhere, %d before an effect, %d between effect and commit, %d before an answer",
		f.kills, f.crashes[beforeEffect], f.crashes[beforeCommit], f.crashes[beforeAnswer]))
	row("servers paused beyond the lease", f.pauses, "")
	row("store killed", f.storeKills, "")
	row("store paused beyond the lease", f.storePauses, "")
	row("connections cut", f.cuts, "")
	row("replays sent", f.replays, fmt.Sprintf("%d ran an event that was not done yet", f.harmless))
	row("forgeries sent", f.forgeries, "")
	fmt.Fprintln(out)
	zero("events lost", f.lost)
	gap := row
	if _, inbox := cutInbox(o.store); inbox {
		gap = func(what string, n int, _ string) { zero(what, n) }
	}
	gap("doubled in the gap: server killed", f.crash, "")
	gap("doubled in the gap: commit failed", f.commit, "")
	gap("doubled in the gap: lease lost", f.stall, "")
	gap("doubled by an effect after the lease", f.late, "")
	zero("doubled elsewhere", f.elsewhere)
	zero("replays accepted", f.accepted)
	zero("forgeries accepted", f.forgeriesAccepted)
	zero("servers that ended by themselves", f.faults)
}
