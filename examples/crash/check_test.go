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
// were answered as "<ms> answer <request> <status>" and ends of processes as
// "<ms> died <process>".
func story(t *testing.T, rows bool, lines ...string) verdict {
	t.Helper()
	e := &event{id: "e", provider: newStripe("whsec_of_a_story_only")}
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
		case "answer":
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
		}
		m := mark{at: at(ms), process: f[1], request: f[2], kind: kind(f[3])}
		switch m.kind {
		case acquired, renewed:
			var from int
			fmt.Sscan(f[4], &from)
			m.from = at(from)
		case ran:
			m.detail = "e"
			if len(f) > 4 {
				m.detail = f[4]
			}
		case closed, crashed:
			m.detail = f[4]
		}
		s := of(m.request)
		if s.run == nil {
			s.run = &run{sent: s, process: m.process}
			e.runs = append(e.runs, s.run)
		}
		s.run.add(m)
	}
	return e.judge(time.Second, rows)
}

// handled is a run that succeeds from start to start+20.
func handled(process, request string, start int) []string {
	return []string{
		fmt.Sprintf("%d %s %s acquired %d", start+2, process, request, start),
		fmt.Sprintf("%d %s %s ran", start+3, process, request),
		fmt.Sprintf("%d %s %s effect", start+10, process, request),
		fmt.Sprintf("%d %s %s committed", start+15, process, request),
		fmt.Sprintf("%d %s %s closed handled", start+16, process, request),
		fmt.Sprintf("%d answer %s 204", start+20, request),
	}
}

// failing is a run that fails and is released.
func failing(process, request string, start int) []string {
	return []string{
		fmt.Sprintf("%d %s %s acquired %d", start+2, process, request, start),
		fmt.Sprintf("%d %s %s ran", start+3, process, request),
		fmt.Sprintf("%d %s %s failed", start+10, process, request),
		fmt.Sprintf("%d %s %s releasing", start+11, process, request),
		fmt.Sprintf("%d %s %s closed failed", start+12, process, request),
		fmt.Sprintf("%d answer %s 500", start+20, request),
	}
}

// dying is a run whose process ends after its effect.
func dying(process, request string, start int) []string {
	return []string{
		fmt.Sprintf("%d %s %s acquired %d", start+2, process, request, start),
		fmt.Sprintf("%d %s %s ran", start+3, process, request),
		fmt.Sprintf("%d %s %s effect", start+10, process, request),
		fmt.Sprintf("%d died %s", start+20, process),
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
		{"answered without an effect", []string{"5 answer p1 200"}, verdict{lost: true}},
		{"answered before the effect", join([]string{"5 answer p2 200"}, handled("a1", "p1", 0)), verdict{lost: true}},
		{"answered before the commit", append(slices.Delete(handled("a1", "p1", 0), 3, 4), "25 a1 p1 committed"), verdict{lost: true}},
		{"answered without a commit", slices.Delete(handled("a1", "p1", 0), 3, 4), verdict{lost: true}},
		{"answered after a commit that failed", append(slices.Delete(handled("a1", "p1", 0), 3, 4), "15 a1 p1 uncommitted"), verdict{handled: true}},
		{"an attacker's answer does not count", join(failing("a1", "p1", 0), []string{"30 answer c2 200"}), verdict{lost: true, failures: 1}},

		{"doubled, the process died in between", join(dying("a1", "p1", 0), handled("b1", "p2", 1000)), verdict{handled: true, crash: 1}},
		{"the same, but the lease was live", join(dying("a1", "p1", 0), handled("b1", "p2", 900)), verdict{handled: true, elsewhere: 1}},
		{"the same, but the lease was renewed", join(dying("a1", "p1", 0)[:3], []string{"310 a1 p1 renewed 300", "400 died a1"}, handled("b1", "p2", 1000)), verdict{handled: true, elsewhere: 1}},
		{"the renewed lease is over, too", join(dying("a1", "p1", 0)[:3], []string{"310 a1 p1 renewed 300", "400 died a1"}, handled("b1", "p2", 1300)), verdict{handled: true, crash: 1}},
		{"the process died before its effect", join(slices.Delete(dying("a1", "p1", 0), 2, 3), handled("b1", "p2", 1000)), verdict{handled: true}},
		{"doubled twice by two crashes", join(dying("a1", "p1", 0), dying("b1", "p2", 1000), handled("a2", "p3", 2000)), verdict{handled: true, crash: 2}},

		{"doubled, the commit failed", join(
			[]string{"2 a1 p1 acquired 0", "3 a1 p1 ran", "10 a1 p1 effect", "490 a1 p1 uncommitted", "500 a1 p1 closed commit_failed", "501 answer p1 204"},
			handled("b1", "c2", 1000)), verdict{handled: true, commit: 1, harmless: 1}},
		{"doubled, the lease was lost after the effect", join(
			[]string{"2 a1 p1 acquired 0", "3 a1 p1 ran", "10 a1 p1 effect"},
			handled("b1", "p2", 1100), []string{"1500 a1 p1 closed lost", "1501 answer p1 409"}), verdict{handled: true, stall: 1}},
		{"doubled, the effect came after the lease", join(
			[]string{"2 a1 p1 acquired 0", "3 a1 p1 ran"},
			handled("b1", "p2", 1100), []string{"1500 a1 p1 effect", "1501 a1 p1 closed lost", "1502 answer p1 409"}), verdict{handled: true, late: 1}},
		{"the same, and then it died", join(
			[]string{"2 a1 p1 acquired 0", "3 a1 p1 ran"},
			handled("b1", "p2", 1100), []string{"1500 a1 p1 effect", "1501 died a1"}), verdict{handled: true, late: 1}},
		{"stood still with the claim at hand, and was taken over", join(
			handled("b1", "p2", 1100),
			[]string{"1500 a1 p1 acquired 0", "1500 a1 p1 ran", "1501 a1 p1 effect", "1502 a1 p1 closed lost"}), verdict{handled: true, late: 1}},

		{"let in when it was done", join(handled("a1", "p1", 0), handled("b1", "p2", 2000)), verdict{handled: true, elsewhere: 1}},
		{"let in when it was done, by a copy", join(handled("a1", "p1", 0), handled("b1", "c2", 2000)), verdict{handled: true, replays: 1}},
		{"let in when it was done, and failed", join(handled("a1", "p1", 0), failing("b1", "c2", 2000)), verdict{handled: true, replays: 1, failures: 1}},
		{"two at once", join(handled("a1", "p1", 0), handled("b1", "p2", 1)), verdict{handled: true, elsewhere: 1}},
		{"two at once, and the first fails later", join(handled("a1", "p1", 1), failing("b1", "p2", 3)), verdict{handled: true, elsewhere: 1, failures: 1}},
		{"two at once, the one that fails comes first", join(failing("b1", "p2", 0), handled("a1", "p1", 3)), verdict{handled: true, elsewhere: 1, failures: 1}},
		{"two at once, and a copy later", join(handled("a1", "p1", 0), handled("b1", "p2", 1), handled("b1", "c3", 2000)), verdict{handled: true, elsewhere: 1, replays: 1}},
		{"an effect after the lease, and then a failure", join(
			[]string{"2 a1 p1 acquired 0", "3 a1 p1 ran"},
			handled("b1", "p2", 1100), []string{"1500 a1 p1 effect", "1501 a1 p1 releasing", "1502 a1 p1 closed failed"}), verdict{handled: true, elsewhere: 1}},
		{"run by a copy before it was done", join(failing("a1", "p1", 0), handled("b1", "c2", 50), []string{"100 answer p3 200"}), verdict{handled: true, failures: 1, harmless: 1}},
		{"an effect, and then a failure", join(
			[]string{"2 a1 p1 acquired 0", "3 a1 p1 ran", "10 a1 p1 effect", "11 a1 p1 releasing", "12 a1 p1 closed failed"},
			handled("b1", "p2", 50)), verdict{handled: true, elsewhere: 1}},
		{"run without a claim", join(handled("a1", "p1", 0), []string{"50 a1 p2 ran"}), verdict{handled: true, elsewhere: 1}},

		{"a forgery that ran", join(handled("a1", "p1", 0), failing("b1", "f2", 50)), verdict{handled: true, forged: 1, failures: 1}},
		{"a forgery that was acknowledged", join(handled("a1", "p1", 0), []string{"50 answer f2 200"}), verdict{handled: true, forged: 1}},
		{"a forgery that was refused", join(handled("a1", "p1", 0), []string{"50 answer f2 401"}), verdict{handled: true}},
		{"run with another event's body", append([]string{"3 a1 p1 ran other"}, slices.Delete(handled("a1", "p1", 0), 1, 2)...), verdict{handled: true, forged: 1}},
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
	once := slices.Delete(handled("a1", "p1", 0), 2, 3)
	for _, test := range []struct {
		name  string
		lines []string
		want  verdict
	}{
		{"one row", append(once, "10 row p1"), verdict{handled: true}},
		{"no row", once, verdict{lost: true}},
		{"two rows", append(slices.Concat(slices.Delete(dying("b1", "p0", -1100), 2, 3), once), "10 row p0", "10 row p1"), verdict{handled: true, elsewhere: 1}},
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
