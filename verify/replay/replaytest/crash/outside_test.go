package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// outsideStory is the history of an event behind gateways: what is sent, "<ms> sent <request>
// <instance>"; what comes back, "<ms> response <request> <status> [wait]"; what the receiver
// saw and did, "<ms> <process> <request> <kind> [<detail>]"; what the gateway logged, "<ms>
// log <request> <outcome> [kept|stuck]"; ends of processes, "<ms> kill <process>"; and other faults,
// "<ms> fault <target> <harm> <ms of its end>".
func outsideStory(t *testing.T, lines ...string) verdict {
	t.Helper()
	e := &event{id: "e", provider: newShopify("a secret of a story only")}
	befell := make(faults)
	of := func(id string) *sent {
		for _, s := range e.sent {
			if s.id == id {
				return s
			}
		}
		s := &sent{id: id, event: e}
		e.sent = append(e.sent, s)
		return s
	}
	for _, l := range lines {
		f := strings.Fields(l)
		var ms, end int
		if _, err := fmt.Sscan(f[0], &ms); err != nil {
			t.Fatal(err)
		}
		switch f[1] {
		case "sent":
			s := of(f[2])
			s.at, s.instance = at(ms), f[3]
		case "response":
			s := of(f[2])
			fmt.Sscan(f[3], &s.status)
			s.done, s.wait = at(ms), len(f) > 4
			if s.ok() && strings.ContainsRune("pd", rune(s.origin())) && e.answered.IsZero() {
				e.answered = at(ms)
			}
		case "log":
			of(f[2]).run.told = report{at(ms), f[3], len(f) > 4 && f[4] == "kept", len(f) > 4 && f[4] == "stuck"}
		case "kill":
			befell.add(mark{at: at(ms), process: f[2], kind: ends, from: at(ms), detail: string(kill)})
		case "fault":
			fmt.Sscan(f[4], &end)
			befell.add(mark{at: at(end), process: f[2], kind: ends, from: at(ms), detail: f[3]})
		default:
			s := of(f[2])
			if s.run == nil {
				s.run = &run{sent: s, process: f[1]}
				e.runs = append(e.runs, s.run)
			}
			m := mark{at: at(ms), process: f[1], request: f[2], kind: kind(f[3])}
			if m.kind == ran {
				m.detail = "e"
			}
			if len(f) > 4 {
				m.detail = f[4]
			}
			s.run.add(m)
		}
	}
	return e.judgeOutside(lease, befell)
}

// through is a request that reaches the receiver at start+3, which is through at start+15.
func through(process, request string, start int, outcome string, status int) []string {
	lines := []string{fmt.Sprintf("%d sent %s %s", start, request, process[:1]), fmt.Sprintf("%d %s %s ran", start+3, process, request)}
	if outcome != declined {
		lines = append(lines, fmt.Sprintf("%d %s %s effect", start+10, process, request))
	}
	return append(lines, fmt.Sprintf("%d %s %s closed %s", start+15, process, request, outcome), fmt.Sprintf("%d response %s %d", start+20, request, status))
}

// inFlight is a request that is sent away because somebody has the claim.
func inFlight(request string, start int) []string {
	return []string{fmt.Sprintf("%d sent %s b", start, request), fmt.Sprintf("%d response %s 409 wait", start+3, request)}
}

func TestOutside(t *testing.T) {
	join := func(parts ...[]string) []string { return slices.Concat(parts...) }
	logged := func(ms int, request, outcome string) []string {
		return []string{fmt.Sprintf("%d log %s %s", ms, request, outcome)}
	}
	handled := through("a1", "p1", 0, acted, 204)
	for _, test := range []struct {
		name  string
		lines []string
		want  verdict
	}{
		{"handled once", handled, verdict{handled: true}},
		{"handled, and a copy is a duplicate", join(handled, []string{"50 sent c2 b", "52 response c2 200"}), verdict{handled: true}},
		{"handled after a failure", join(through("a1", "p1", 0, declined, 502), logged(17, "p1", "failed"), through("b1", "p2", 50, acted, 204)), verdict{handled: true, failures: 1}},
		{"never answered", join(through("a1", "p1", 0, declined, 502), logged(17, "p1", "failed")), verdict{lost: true, failures: 1}},
		{"answered without an effect", []string{"0 sent p1 a", "5 response p1 200"}, verdict{lost: true}},
		{"answered before the effect", join([]string{"0 sent p2 b", "5 response p2 200"}, handled), verdict{lost: true}},
		{"answered 2xx when the receiver failed", join(through("a1", "p1", 0, declined, 204), through("b1", "p2", 1050, acted, 204)), verdict{lost: true, unexplained: 2, failures: 1}},

		{"run again after it was done", join(handled, through("b1", "d2", 50, acted, 204)), verdict{handled: true, unexplained: 1}},
		{"a replay after it was done", join(handled, through("b1", "c2", 50, acted, 204)), verdict{handled: true, replays: 1}},
		{"a replay long after it was done", join(handled, through("b1", "c2", 5000, acted, 204)), verdict{handled: true, replays: 1}},
		{"run twice at the same time", join(through("a1", "p1", 0, acted, 0), through("b1", "p2", 5, acted, 204)), verdict{handled: true, unexplained: 1}},
		{"a forgery that reached the receiver", join(handled, through("b1", "f2", 50, acted, 401)), verdict{handled: true, forged: 1}},
		{"a forgery that was acknowledged", join(handled, []string{"50 sent f2 b", "52 response f2 200"}), verdict{handled: true, forged: 1}},
		{"an old delivery that reached the receiver", join(handled, through("b1", "s2", 50, acted, 204)), verdict{handled: true, replays: 1}},

		{"the gateway was killed behind the effect", join(through("a1", "p1", 0, acted, 0), []string{"18 kill a1"}, through("b1", "p2", 1000, acted, 204)), verdict{handled: true, crash: 1}},
		{"the same, but the lease was live", join(through("a1", "p1", 0, acted, 0), []string{"18 kill a1"}, through("b1", "p2", 900, acted, 204)), verdict{handled: true, unexplained: 1}},
		{"the same, but another gateway was killed", join(through("a1", "p1", 0, acted, 0), []string{"18 kill b1"}, through("b2", "p2", 1000, acted, 204)), verdict{handled: true, unexplained: 1}},
		{"the same, but it was told to end", join(through("a1", "p1", 0, acted, 0), []string{"1 fault a1 term 30"}, through("b2", "p2", 1000, acted, 204)), verdict{handled: true, unexplained: 1}},
		{"killed when it may have released", join(through("a1", "p1", 0, declined, 0), []string{"18 kill a1"}, through("b1", "p2", 60, acted, 204)), verdict{handled: true, failures: 1}},

		{"the receiver did not answer", join(through("a1", "p1", 0, silent, 502), []string{"18 log p1 failed kept"}, through("b1", "p2", 1000, acted, 204)), verdict{handled: true, broken: 1}},
		{"the same, but the claim was released", join(through("a1", "p1", 0, silent, 502), logged(18, "p1", "failed"), through("b1", "p2", 60, acted, 204)), verdict{handled: true, unexplained: 1}},
		{"the same, but the lease was live", join(through("a1", "p1", 0, silent, 502), []string{"18 log p1 failed kept"}, through("b1", "p2", 500, acted, 204)), verdict{handled: true, unexplained: 1}},
		{"the same after a long wait", join([]string{"0 sent p1 a", "3 a1 p1 ran", "10 a1 p1 effect", "2500 a1 p1 closed silence", "2501 response p1 504", "2502 log p1 failed kept"}, through("b1", "p2", 2600, acted, 204)), verdict{handled: true, unexplained: 1}},
		{"released, although the receiver succeeded", join(through("a1", "p1", 0, acted, 502), logged(18, "p1", "failed"), through("b1", "p2", 60, acted, 204)), verdict{handled: true, unexplained: 1}},
		{"kept, although the receiver failed", join(through("a1", "p1", 0, declined, 502), []string{"18 log p1 failed kept"}, through("b1", "p2", 1060, acted, 204)), verdict{handled: true, unexplained: 1, failures: 1}},

		{"the commit failed while the store stood still", join(through("a1", "p1", 0, acted, 204), []string{"12 fault store store-pause 700", "900 log p1 commit_failed"}, through("b1", "p2", 1000, acted, 204)), verdict{handled: true, commit: 1}},
		{"the commit failed for nothing", join(through("a1", "p1", 0, acted, 204), logged(900, "p1", "commit_failed"), through("b1", "p2", 1000, acted, 204)), verdict{handled: true, unexplained: 1}},
		{"the lease was lost while the gateway stood still", join(through("a1", "p1", 0, acted, 0), []string{"2 fault a1 pause 1500", "1510 log p1 lost"}, through("b1", "p2", 1100, acted, 204)), verdict{handled: true, stall: 1, outlived: 0}},
		{"the lease was lost for nothing", join(through("a1", "p1", 0, acted, 409), logged(18, "p1", "lost"), through("b1", "p2", 1100, acted, 204)), verdict{handled: true, unexplained: 1}},
		{"the store was emptied", join(handled, []string{"30 fault store flush 31"}, through("b1", "c2", 50, acted, 204)), verdict{handled: true, flush: 1, harmless: 1}},

		{"sent away while another one runs", join(handled, inFlight("d2", 8)), verdict{handled: true}},
		{"sent away for nothing", join(handled, inFlight("d2", 50)), verdict{handled: true, still: 1}},
		{"sent away within the lease of one that was killed", join(through("a1", "p1", 0, silent, 0), []string{"18 kill a1"}, inFlight("d3", 900), through("b1", "p2", 1100, acted, 204)), verdict{handled: true, crash: 1}},
		{"sent away after a release that failed", join(through("a1", "p1", 0, declined, 502), []string{"10 fault store store-kill 30", "40 log p1 failed stuck"}, inFlight("d3", 900), through("b1", "p2", 1100, acted, 204)), verdict{handled: true, failures: 1}},
		{"the same, and nothing was wrong with the store", join(through("a1", "p1", 0, declined, 502), []string{"40 log p1 failed stuck"}, through("b1", "p2", 1100, acted, 204)), verdict{handled: true, unexplained: 1, failures: 1}},
		{"sent away after a release", join(through("a1", "p1", 0, declined, 502), []string{"40 log p1 failed"}, inFlight("d3", 900), through("b1", "p2", 1100, acted, 204)), verdict{handled: true, failures: 1, still: 1}},
		{"sent away long after it", join(through("a1", "p1", 0, silent, 0), []string{"18 kill a1"}, inFlight("d3", 1900), through("b1", "p2", 2000, acted, 204)), verdict{handled: true, crash: 1, still: 1}},
		{"its sender had hung up", []string{"0 sent p1 a", "3 a1 p1 ran", "5 response p1 0", "10 a1 p1 effect", "15 a1 p1 closed success", "50 sent p2 b", "52 response p2 200"}, verdict{handled: true, outlived: 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := outsideStory(t, test.lines...)
			notes := got.notes
			got.notes = nil
			if fmt.Sprint(got) != fmt.Sprint(test.want) {
				t.Errorf("%+v, want %+v: %q", got, test.want, notes)
			}
		})
	}
}
