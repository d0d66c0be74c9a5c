package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// at is a time of the stories below, in milliseconds.
func at(ms int) time.Time { return time.UnixMilli(1_700_000_000_000 + int64(ms)) }

// story is the history of an event, in a form to write down: marks as
// "<ms> <process> <request> <kind> [<ms asked for>] [<detail>]", requests that
// were answered as "<ms> response <request> <status>", ends of processes as
// "<ms> died <process>", faults as "<ms> fault <target> <harm> <ms of its end>", and
// when a delivery was signed as "<ms> signed <request>". "0 detached" is an event whose
// handlers go on when their senders hang up.
func story(t *testing.T, rows bool, lines ...string) verdict {
	t.Helper()
	e := &event{id: "e", provider: newStripe("whsec_of_a_story_only")}
	befell := make(faults)
	requests := make(map[string]*sent)
	of := func(id string) *sent {
		if requests[id] == nil {
			requests[id] = &sent{id: id, event: e}
			e.sent = append(e.sent, requests[id])
		}
		return requests[id]
	}
	for _, l := range lines {
		f := strings.Fields(l)
		var ms int
		if _, err := fmt.Sscan(f[0], &ms); err != nil {
			t.Fatal(err)
		}
		switch f[1] {
		case "response":
			s := of(f[2])
			fmt.Sscan(f[3], &s.status)
			s.done = at(ms)
			if s.ok() && strings.ContainsRune("pd", rune(s.origin())) && e.answered.IsZero() {
				e.answered = at(ms)
			}
			continue
		case "died":
			for _, r := range e.runs {
				if r.process == f[2] && r.closed.IsZero() {
					r.died = at(ms)
				}
			}
			continue
		case "row":
			e.rows = append(e.rows, f[2])
			continue
		case "fault":
			var end int
			fmt.Sscan(f[4], &end)
			befell.add(mark{at: at(end), process: f[2], kind: ends, from: at(ms), detail: f[3]})
			continue
		case "detached":
			e.detached = true
			continue
		case "signed":
			of(f[2]).signed = at(ms)
			continue
		case "message":
			of(f[2]).message = "the message"
			continue
		}
		m := mark{at: at(ms), process: f[1], request: f[2], kind: kind(f[3])}
		switch m.kind {
		case acquired, renewed, unrenewed, uncommitted, lost, committed, effect, refused, unreleased:
			m.from = m.at.Add(-time.Millisecond)
			if len(f) > 4 {
				var from int
				fmt.Sscan(f[4], &from)
				m.from = at(from)
			}
			if len(f) > 5 {
				m.detail = f[5]
			}
		case ran:
			m.detail = "e"
			if len(f) > 4 {
				m.detail = f[4]
			}
		case closed, crashed:
			m.detail = f[4]
		case failed:
			if len(f) > 4 {
				m.detail = f[4]
			}
		}
		s := of(m.request)
		if s.run == nil {
			s.run = &run{sent: s, process: m.process}
			e.runs = append(e.runs, s.run)
		}
		s.run.add(m)
		befell.witness(m)
	}
	return e.judge(time.Second, rows, befell)
}

// handled is a run that succeeds from start to start+20.
func handled(process, request string, start int) []string {
	return []string{
		fmt.Sprintf("%d %s %s claiming", start, process, request),
		fmt.Sprintf("%d %s %s acquired %d", start+2, process, request, start),
		fmt.Sprintf("%d %s %s ran", start+3, process, request),
		fmt.Sprintf("%d %s %s effect", start+10, process, request),
		fmt.Sprintf("%d %s %s committed", start+15, process, request),
		fmt.Sprintf("%d %s %s closed handled", start+16, process, request),
		fmt.Sprintf("%d response %s 204", start+20, request),
	}
}

// failing is a run that fails and is released.
func failing(process, request string, start int) []string {
	return []string{
		fmt.Sprintf("%d %s %s claiming", start, process, request),
		fmt.Sprintf("%d %s %s acquired %d", start+2, process, request, start),
		fmt.Sprintf("%d %s %s ran", start+3, process, request),
		fmt.Sprintf("%d %s %s failed", start+10, process, request),
		fmt.Sprintf("%d %s %s releasing", start+11, process, request),
		fmt.Sprintf("%d %s %s released", start+11, process, request),
		fmt.Sprintf("%d %s %s closed failed", start+12, process, request),
		fmt.Sprintf("%d response %s 500", start+20, request),
	}
}

// dying is a run whose process ends after its effect.
func dying(process, request string, start int) []string {
	return append(ending(process, request, start), fmt.Sprintf("%d fault %s kill %[1]d", start+19, process))
}

// holding is a run that has its effect, and renews its lease until its process is killed.
func holding(until int) []string {
	lines := ending("a1", "p1", 0)[:4]
	for ms := 330; ms < until; ms += 330 {
		lines = append(lines, fmt.Sprintf("%d a1 p1 renewed %d", ms+2, ms))
	}
	return append(lines, fmt.Sprintf("%d fault a1 kill %[1]d", until), fmt.Sprintf("%d died a1", until+1))
}

// ending is the same as dying, and nobody killed the process.
func ending(process, request string, start int) []string {
	return []string{
		fmt.Sprintf("%d %s %s claiming", start, process, request),
		fmt.Sprintf("%d %s %s acquired %d", start+2, process, request, start),
		fmt.Sprintf("%d %s %s ran", start+3, process, request),
		fmt.Sprintf("%d %s %s effect", start+10, process, request),
		fmt.Sprintf("%d died %s", start+20, process),
	}
}

// failedCommit is a run whose commit fails so many times.
func failedCommit(tries int) []string {
	lines := []string{"0 a1 p1 claiming", "2 a1 p1 acquired 0", "3 a1 p1 ran", "10 a1 p1 effect"}
	for n := range tries {
		lines = append(lines, fmt.Sprintf("%d a1 p1 uncommitted %d", 60*n+450, 60*n+430))
	}
	return append(lines, "590 a1 p1 closed commit_failed", "591 response p1 204")
}

// renewing is a run of 1.5 s whose lease is renewed at these times.
func renewing(times ...int) []string {
	lines := []string{"0 a1 p1 claiming", "2 a1 p1 acquired 0", "3 a1 p1 ran"}
	for _, ms := range times {
		lines = append(lines, fmt.Sprintf("%d a1 p1 renewed %d", ms+2, ms))
	}
	return append(lines, "10 a1 p1 effect", "1500 a1 p1 committed", "1501 a1 p1 closed handled", "1502 response p1 204")
}

// hungUp is a run whose context ends at this time.
func hungUp(ms int) []string {
	return []string{
		"0 a1 p1 claiming", "2 a1 p1 acquired 0", "3 a1 p1 ran", "342 a1 p1 renewed 340",
		fmt.Sprintf("%d a1 p1 failed context-ended", ms),
		fmt.Sprintf("%d a1 p1 releasing", ms+1), fmt.Sprintf("%d a1 p1 released", ms+2), fmt.Sprintf("%d a1 p1 closed failed", ms+3),
	}
}

// sentAway is a request that is refused because somebody else has the claim.
func sentAway(process, request string, start int) []string {
	return []string{
		fmt.Sprintf("%d %s %s claiming", start, process, request),
		fmt.Sprintf("%d %s %s refused %d in-flight", start+2, process, request, start),
		fmt.Sprintf("%d response %s 409", start+3, request),
	}
}

func TestVerdicts(t *testing.T) {
	join := func(parts ...[]string) []string { return slices.Concat(parts...) }
	for _, test := range []struct {
		name  string
		lines []string
		want  verdict
	}{
		{"handled once", handled("a1", "p1", 0), verdict{handled: true}},
		{"handled after a failure", join(failing("a1", "p1", 0), handled("b1", "p2", 50)), verdict{handled: true, failures: 1}},
		{"never answered", failing("a1", "p1", 0), verdict{lost: true, failures: 1}},
		{"answered without an effect", []string{"5 response p1 200"}, verdict{lost: true}},
		{"answered before the effect", join([]string{"5 response p2 200"}, handled("a1", "p1", 0)), verdict{lost: true}},
		{"answered before the commit", append(slices.Delete(handled("a1", "p1", 0), 4, 5), "25 a1 p1 committed"), verdict{lost: true}},
		{"answered without a commit", slices.Delete(handled("a1", "p1", 0), 4, 5), verdict{lost: true}},
		{"answered after a commit that failed", append(slices.Delete(handled("a1", "p1", 0), 4, 5), "11 a1 p1 uncommitted", "13 a1 p1 uncommitted", "15 a1 p1 uncommitted", "9 fault store store-kill 15"), verdict{handled: true}},
		{"an attacker's response does not count", join(failing("a1", "p1", 0), []string{"30 response c2 200"}), verdict{lost: true, failures: 1}},

		{"doubled, the process died in between", join(dying("a1", "p1", 0), handled("b1", "p2", 1000)), verdict{handled: true, crash: 1}},
		{"the same, but the lease was live", join(dying("a1", "p1", 0), handled("b1", "p2", 900)), verdict{handled: true, unexplained: 1}},
		{"the same, but the lease was renewed", join(dying("a1", "p1", 0)[:4], []string{"310 a1 p1 renewed 300", "399 fault a1 kill 399", "400 died a1"}, handled("b1", "p2", 1000)), verdict{handled: true, unexplained: 1}},
		{"the renewed lease is over, too", join(dying("a1", "p1", 0)[:4], []string{"310 a1 p1 renewed 300", "399 fault a1 kill 399", "400 died a1"}, handled("b1", "p2", 1300)), verdict{handled: true, crash: 1}},
		{"the process died before its effect", join(slices.Delete(dying("a1", "p1", 0), 3, 4), handled("b1", "p2", 1000)), verdict{handled: true}},
		{"doubled twice by two crashes", join(dying("a1", "p1", 0), dying("b1", "p2", 1000), handled("a2", "p3", 2000)), verdict{handled: true, crash: 2}},

		{"the process was killed long after its commit was due", join(holding(3_600), handled("b1", "p2", 4700)), verdict{handled: true, unexplained: 1}},
		{"the process was killed while its handler may have worked", join(holding(1_800), handled("b1", "p2", 2900)), verdict{handled: true, crash: 1}},
		{"the process died, and nobody killed it", join(ending("a1", "p1", 0), handled("b1", "p2", 1000)), verdict{handled: true, unexplained: 1}},
		{"another process was killed", join(ending("a1", "p1", 0), []string{"19 fault b1 kill 19"}, handled("b2", "p2", 1000)), verdict{handled: true, unexplained: 1}},

		{"doubled, the commit failed", join(
			failedCommit(3), []string{"5 fault store store-kill 480"}, handled("b1", "c2", 1000)), verdict{handled: true, commit: 1, harmless: 1}},
		{"the commit failed without a fault", join(
			failedCommit(3), handled("b1", "c2", 1000)), verdict{handled: true, unexplained: 1, harmless: 1}},
		{"the commit failed while others found the store slow, too", join(
			failedCommit(3), []string{"200 b1 p5 claiming", "590 b1 p5 refused 200 in-flight"}, handled("b1", "c2", 1000)), verdict{handled: true, commit: 1, harmless: 1}},
		{"the commit failed slowly, and others found the store quick", join(
			[]string{"0 a1 p1 claiming", "2 a1 p1 acquired 0", "3 a1 p1 ran", "10 a1 p1 effect", "120 a1 p1 uncommitted 15", "230 a1 p1 uncommitted 125", "340 a1 p1 uncommitted 235", "341 a1 p1 closed commit_failed", "342 response p1 204"},
			[]string{"200 b1 p5 claiming", "205 b1 p5 refused 200 in-flight"}, handled("b1", "c2", 1000)), verdict{handled: true, unexplained: 1, harmless: 1}},
		{"the fault was over at the last try", join(
			failedCommit(3), []string{"-900 fault store store-kill -700"}, handled("b1", "c2", 1000)), verdict{handled: true, unexplained: 1, harmless: 1}},
		{"the commit was tried once", join(
			failedCommit(1), []string{"5 fault store store-kill 480"}, handled("b1", "c2", 1000)), verdict{handled: true, unexplained: 1, harmless: 1}},
		{"the commit was tried once, and nobody came after it", join(
			failedCommit(1), []string{"5 fault store store-kill 480"}), verdict{handled: true, unexplained: 1}},

		{"doubled, the lease was lost after the effect", join(
			[]string{"2 a1 p1 acquired 0", "3 a1 p1 ran", "10 a1 p1 effect", "20 fault a1 pause 1499"},
			handled("b1", "p2", 1100), []string{"1500 a1 p1 lost 1499 commit", "1500 a1 p1 closed lost", "1501 response p1 409"}), verdict{handled: true, stall: 1}},
		{"the same without a fault", join(
			[]string{"2 a1 p1 acquired 0", "3 a1 p1 ran", "10 a1 p1 effect"},
			handled("b1", "p2", 1100), []string{"1500 a1 p1 lost 1499 commit", "1500 a1 p1 closed lost", "1501 response p1 409"}), verdict{handled: true, unexplained: 1}},
		{"the same, but the fault was of the other server", join(
			[]string{"2 a1 p1 acquired 0", "3 a1 p1 ran", "10 a1 p1 effect", "20 fault b1 pause 1099"},
			handled("b1", "p2", 1100), []string{"1500 a1 p1 lost 1499 commit", "1500 a1 p1 closed lost", "1501 response p1 409"}), verdict{handled: true, unexplained: 1}},
		{"the claim was lost while the lease was live", join(
			[]string{"2 a1 p1 acquired 0", "3 a1 p1 ran", "10 a1 p1 effect", "20 fault a1 pause 900", "910 a1 p1 lost 905 commit", "911 a1 p1 closed lost", "912 response p1 409"},
			handled("b1", "p2", 1100)), verdict{handled: true, unexplained: 1}},
		{"doubled, the effect came after the lease", join(
			[]string{"2 a1 p1 acquired 0", "3 a1 p1 ran", "5 fault a1 pause 1499"},
			handled("b1", "p2", 1100), []string{"1500 a1 p1 effect 4", "1501 a1 p1 closed lost", "1502 response p1 409"}), verdict{handled: true, afterLease: 1}},
		{"the same, but the handler looked after the lease and was not told", join(
			[]string{"2 a1 p1 acquired 0", "3 a1 p1 ran", "5 fault a1 pause 1490"},
			handled("b1", "p2", 1100), []string{"1500 a1 p1 effect 1495", "1501 a1 p1 closed lost", "1502 response p1 409"}), verdict{handled: true, unexplained: 1}},
		{"the same, and nobody took over", []string{
			"2 a1 p1 acquired 0", "3 a1 p1 ran", "5 fault a1 pause 1490", "1500 a1 p1 effect 1495", "1501 a1 p1 committed", "1501 a1 p1 closed handled", "1502 response p1 204"}, verdict{handled: true, unexplained: 1}},
		{"the same, but it looked in time", []string{
			"2 a1 p1 acquired 0", "3 a1 p1 ran", "5 fault a1 pause 1490", "1500 a1 p1 effect 4", "1501 a1 p1 committed", "1501 a1 p1 closed handled", "1502 response p1 204"}, verdict{handled: true}},
		{"it died after an effect that came after the lease", join(
			[]string{"2 a1 p1 acquired 0", "3 a1 p1 ran", "5 fault a1 pause 1499"},
			handled("b1", "p2", 1100), []string{"1500 a1 p1 effect 4", "1501 fault a1 kill 1501", "1501 died a1"}), verdict{handled: true, afterLease: 1}},
		{"stood still with the claim at hand, and was taken over", join(
			handled("b1", "p2", 1100),
			[]string{"5 fault a1 pause 1499", "1500 a1 p1 acquired 0", "1500 a1 p1 ran", "1501 a1 p1 effect 900", "1502 a1 p1 closed lost"}), verdict{handled: true, afterLease: 1}},

		{"ended when its sender hung up", join(hungUp(400), handled("b1", "p2", 600)), verdict{handled: true, failures: 1}},
		{"the same, but it was detached", join([]string{"0 detached"}, hungUp(400), handled("b1", "p2", 600)), verdict{handled: true, unexplained: 1, failures: 1}},
		{"detached, and ended with its lease", join([]string{"0 detached"}, slices.Delete(hungUp(1010), 3, 4), []string{"450 a1 p1 unrenewed 340", "600 a1 p1 unrenewed 500", "800 a1 p1 unrenewed 650", "1000 a1 p1 unrenewed 900", "340 fault store store-pause 1005"}, handled("b1", "p2", 1100)), verdict{handled: true, failures: 1}},
		{"had its effect when its sender had hung up", []string{"0 detached", "0 a1 p1 claiming", "2 a1 p1 acquired 0", "3 a1 p1 ran", "5 response p1 0", "10 a1 p1 effect", "15 a1 p1 committed", "16 a1 p1 closed handled", "30 response p2 200"}, verdict{handled: true, outlived: 1}},
		{"a lease that was renewed while the handler ran", renewing(340, 680, 1010, 1340), verdict{handled: true}},
		{"a lease that the store would not renew, though it was asked", append(renewing(340, 1300), "790 a1 p1 unrenewed 680", "1010 a1 p1 unrenewed 900"), verdict{handled: true}},
		{"a lease that was renewed once", renewing(340), verdict{handled: true, unexplained: 1}},
		{"a lease that was never renewed", renewing(), verdict{handled: true, unexplained: 1}},
		{"a lease that could not be renewed while the store stood still", append(renewing(340, 1300), "400 fault store store-pause 1290"), verdict{handled: true}},
		{"a lease that was not renewed when the store stood still much later", append(renewing(340), "1010 fault store store-pause 1290"), verdict{handled: true, unexplained: 1}},

		{"refused while the lease of a dead owner was live", join(dying("a1", "p1", 0), sentAway("b1", "p2", 900), handled("b1", "p3", 1100)), verdict{handled: true, crash: 1}},
		{"refused long after it", join(dying("a1", "p1", 0), sentAway("b1", "p2", 1700), handled("b1", "p3", 2000)), verdict{handled: true, crash: 1, still: 1}},
		{"refused long after it, as the store had stood still", join(dying("a1", "p1", 0), []string{"100 fault store store-pause 1500"}, sentAway("b1", "p2", 1700), handled("b1", "p3", 2900)), verdict{handled: true, crash: 1, still: 0}},
		{"refused while another one ran", join(sentAway("b1", "p2", 5), handled("a1", "p1", 0)), verdict{handled: true}},
		{"refused when nobody had it", join(sentAway("b1", "p2", 5), handled("a1", "p1", 100)), verdict{handled: true, still: 1}},
		{"refused after a release", join(failing("a1", "p1", 0), sentAway("b1", "p2", 500), handled("b1", "p3", 1100)), verdict{handled: true, failures: 1, still: 1}},
		{"refused after a release that the store did not acknowledge", join(
			slices.DeleteFunc(failing("a1", "p1", 0), func(l string) bool { return strings.Contains(l, "released") }),
			sentAway("b1", "p2", 500), handled("b1", "p3", 1100)), verdict{handled: true, failures: 1}},
		{"a release that failed as the store stood still", join(
			slices.DeleteFunc(failing("a1", "p1", 0), func(l string) bool { return strings.Contains(l, "released") }),
			[]string{"5 fault store store-pause 60", "40 a1 p1 unreleased 11"}, handled("b1", "p3", 1100)), verdict{handled: true, failures: 1}},
		{"a release that failed without a fault", join(
			slices.DeleteFunc(failing("a1", "p1", 0), func(l string) bool { return strings.Contains(l, "released") }),
			[]string{"12 a1 p1 unreleased 11"}, handled("b1", "p3", 1100)), verdict{handled: true, failures: 1, unexplained: 1}},
		{"refused by a claim whose response was lost", join([]string{"3 a1 p1 claiming", "30 a1 p1 refused 3 error"}, sentAway("b1", "p2", 500), handled("b1", "p3", 1100)), verdict{handled: true, errors: 1}},
		{"refused by a claim whose response was lost as the store stood still", join([]string{"3 a1 p1 claiming", "4 fault store store-pause 29", "30 a1 p1 refused 3 error"}, sentAway("b1", "p2", 500), handled("b1", "p3", 1100)), verdict{handled: true}},
		{"refused by a floor that nobody set", join([]string{"3 a1 p1 claiming", "5 a1 p1 refused 4 before-floor"}, handled("b1", "p3", 1100)), verdict{handled: true, still: 1}},
		{"refused by a floor after a flush", join([]string{"500 fault store flush 510", "0 signed p1", "1300 a1 p1 claiming", "1305 a1 p1 refused 1301 before-floor"}, handled("b1", "p3", 1400)), verdict{handled: true}},
		{"refused by a floor after a flush, though it was signed later", join([]string{"500 fault store flush 510", "1300 signed p1", "1300 a1 p1 claiming", "1305 a1 p1 refused 1301 before-floor"}, handled("b1", "p3", 1400)), verdict{handled: true, still: 1}},

		{"ran again after a flush, newly signed", join(handled("a1", "p1", 0), []string{"500 fault store flush 510", "2000 signed p2"}, handled("b1", "p2", 2000)), verdict{handled: true, flush: 1}},
		{"ran again, and the flush was before the commit", join(handled("a1", "p1", 0), []string{"1 fault store flush 2", "2000 signed p2"}, handled("b1", "p2", 2000)), verdict{handled: true, unexplained: 1}},
		{"the same without a flush", join(handled("a1", "p1", 0), []string{"2000 signed p2"}, handled("b1", "p2", 2000)), verdict{handled: true, unexplained: 1}},
		{"the same, but the flush came before both", join([]string{"-510 fault store flush -500"}, handled("a1", "p1", 0), []string{"2000 signed p2"}, handled("b1", "p2", 2000)), verdict{handled: true, unexplained: 1}},
		{"the same, but the flush came after both", join(handled("a1", "p1", 0), []string{"2500 fault store flush 2510", "2000 signed p2"}, handled("b1", "p2", 2000)), verdict{handled: true, unexplained: 1}},
		{"a copy ran after a flush, signed in the second of it", join(handled("a1", "p1", 0), []string{"500 fault store flush 510", "0 signed c2"}, handled("b1", "c2", 2000)), verdict{handled: true, flush: 1, harmless: 1}},
		{"a copy ran after a flush, signed before", join(handled("a1", "p1", 0), []string{"1500 fault store flush 1510", "0 signed c2"}, handled("b1", "c2", 2000)), verdict{handled: true, replays: 1}},
		{"a copy ran after a flush, signed before, but the event was known again", join(
			handled("a1", "p1", 0), []string{"1500 fault store flush 1510", "2000 signed p2", "0 signed c3"}, failing("b1", "p2", 2000)[:4], []string{"2010 fault b1 kill 2010", "2011 died b1"},
			handled("b2", "c3", 3100)), verdict{handled: true, flush: 1, harmless: 1, failures: 1}},
		{"in flight at a flush, and the claim was lost", join(
			[]string{"2 a1 p1 acquired 0", "3 a1 p1 ran", "10 a1 p1 effect", "20 fault store flush 25", "30 a1 p1 lost 29 commit", "31 a1 p1 closed lost", "32 response p1 409", "0 signed p2"},
			handled("b1", "p2", 40)), verdict{handled: true, flush: 1}},
		{"in flight at a flush, and committed all the same", []string{
			"2 a1 p1 acquired 0", "3 a1 p1 ran", "10 a1 p1 effect", "11 fault store flush 12", "15 a1 p1 committed 14", "16 a1 p1 closed handled", "20 response p1 204"}, verdict{handled: true, unexplained: 1}},
		{"committed by a former owner", join(
			[]string{"2 a1 p1 acquired 0", "3 a1 p1 ran", "10 a1 p1 effect", "20 fault a1 pause 1499"},
			handled("b1", "p2", 1100), []string{"1500 a1 p1 committed 1499", "1500 a1 p1 closed handled", "1501 response p1 204"}), verdict{handled: true, unexplained: 1}},

		{"let in when it was done", join(handled("a1", "p1", 0), handled("b1", "p2", 2000)), verdict{handled: true, unexplained: 1}},
		{"let in when it was done, by a copy", join(handled("a1", "p1", 0), handled("b1", "c2", 2000)), verdict{handled: true, replays: 1}},
		{"let in when it was done, and failed", join(handled("a1", "p1", 0), failing("b1", "c2", 2000)), verdict{handled: true, replays: 1, failures: 1}},
		{"two at once", join(handled("a1", "p1", 0), handled("b1", "p2", 1)), verdict{handled: true, unexplained: 1}},
		{"two at once, and the first fails later", join(handled("a1", "p1", 1), failing("b1", "p2", 3)), verdict{handled: true, unexplained: 1, failures: 1}},
		{"two at once, the one that fails comes first", join(failing("b1", "p2", 0), handled("a1", "p1", 3)), verdict{handled: true, unexplained: 1, failures: 1}},
		{"two at once, and a copy later", join(handled("a1", "p1", 0), handled("b1", "p2", 1), handled("b1", "c3", 2000)), verdict{handled: true, unexplained: 1, replays: 1}},
		{"an effect after the lease, and then a failure", join(
			[]string{"2 a1 p1 acquired 0", "3 a1 p1 ran", "5 fault a1 pause 1499"},
			handled("b1", "p2", 1100), []string{"1500 a1 p1 effect 4", "1501 a1 p1 releasing", "1502 a1 p1 closed failed"}), verdict{handled: true, unexplained: 1}},
		{"run by a copy before it was done", join(failing("a1", "p1", 0), handled("b1", "c2", 50), []string{"100 response p3 200"}), verdict{handled: true, failures: 1, harmless: 1}},
		{"an effect, and then a failure", join(
			[]string{"2 a1 p1 acquired 0", "3 a1 p1 ran", "10 a1 p1 effect", "11 a1 p1 releasing", "12 a1 p1 closed failed"},
			handled("b1", "p2", 50)), verdict{handled: true, unexplained: 1}},
		{"run without a claim", join(handled("a1", "p1", 0), []string{"50 a1 p2 ran"}), verdict{handled: true, unexplained: 1}},

		{"a forgery that ran because a flush came first", join(handled("a1", "p1", 0), []string{"5 message p1", "5 message f2", "30 fault store flush 31"}, failing("b1", "f2", 50)), verdict{handled: true, unbound: 1, failures: 1}},
		{"a forgery that ran because a flush came first, and its copy", join(handled("a1", "p1", 0), []string{"5 message p1", "5 message f2", "30 fault store flush 31"}, failing("b1", "f2", 50), []string{"90 response f3 200"}), verdict{handled: true, unbound: 1, failures: 1}},
		{"a forgery that ran though the genuine delivery came after the flush", join(
			handled("a1", "p1", 0), []string{"5 message p1", "5 message p3", "5 message f2", "30 fault store flush 31", "35 b1 p3 claiming", "37 b1 p3 refused 36 done"}, failing("b1", "f2", 50)), verdict{handled: true, forged: 1, failures: 1}},
		{"a forgery under no genuine signature that ran after a flush", join(handled("a1", "p1", 0), []string{"30 fault store flush 31"}, failing("b1", "f2", 50)), verdict{handled: true, forged: 1, failures: 1}},
		{"a forgery that ran", join(handled("a1", "p1", 0), failing("b1", "f2", 50)), verdict{handled: true, forged: 1, failures: 1}},
		{"a forgery that was acknowledged", join(handled("a1", "p1", 0), []string{"50 response f2 200"}), verdict{handled: true, forged: 1}},
		{"a forgery that was refused", join(handled("a1", "p1", 0), []string{"50 response f2 401"}), verdict{handled: true}},
		{"run with another event's body", append([]string{"3 a1 p1 ran other"}, slices.Delete(handled("a1", "p1", 0), 2, 3)...), verdict{handled: true, forged: 1}},
		{"what is outdated ran", join(handled("a1", "p1", 0), failing("b1", "s2", 50)), verdict{handled: true, replays: 1, failures: 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := story(t, false, test.lines...)
			notes := got.notes
			got.notes = nil
			if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", test.want) {
				t.Errorf("got  %+v\nwant %+v\n%q", got, test.want, notes)
			}
			if got.bad() != (len(notes) > 0) {
				t.Errorf("bad is %v, with the notes %q", got.bad(), notes)
			}
		})
	}
}

func TestVerdictsWithAnInbox(t *testing.T) {
	once := slices.Delete(handled("a1", "p1", 0), 3, 4)
	for _, test := range []struct {
		name  string
		lines []string
		want  verdict
	}{
		{"one row", append(once, "10 row p1"), verdict{handled: true}},
		{"no row", once, verdict{lost: true}},
		{"two rows", append(slices.Concat(slices.Delete(dying("b1", "p0", -1100), 3, 4), once), "10 row p0", "10 row p1"), verdict{handled: true, unexplained: 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := story(t, true, test.lines...)
			got.notes = nil
			if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", test.want) {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
		})
	}
}
