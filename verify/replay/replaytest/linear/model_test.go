package linear_test

import (
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/verify/replay/replaytest/linear"
)

func TestModel(t *testing.T) {
	// Each history that is linearizable has twins that differ in one call, and are not.
	t.Run("it tells what is linearizable", func(t *testing.T) {
		for _, test := range []struct {
			name    string
			history string // of calls, divided by semicolons
			last    string // call, that fits
			not     []string
		}{
			{"a free event", "",
				"0-1 a claims 100 = acquired",
				[]string{"0-1 a claims 100 = in flight 50", "0-1 a claims 100 = done", "0-1 a claims 100 = same", "0-1 a claims 100 = before floor",
					"0-1 a renews 100 = ok", "0-1 a commits = ok", "0-1 a forgets = held"}},
			{"a free event that was signed before the floor", "",
				"0-1 a claims-old 100 = before floor",
				[]string{"0-1 a claims-old 100 = done", "0-1 a claims-old 100 = in flight 50"}},
			{"a store without a floor", "",
				"0-1 a claims-old 100 = acquired",
				[]string{"0-1 a claims-old 100 = forged"}},
			{"what nobody holds", "",
				"0-1 a commits = lost",
				[]string{"0-1 a commits = ok"}},
			{"an event in flight", "0-1 a claims 100 = acquired",
				"2-3 b claims 100 = in flight 98",
				[]string{"2-3 b claims 100 = acquired", "2-3 b claims 100 = done", "2-3 b claims-old 100 = before floor",
					"2-3 b commits = ok", "2-3 b renews 100 = ok", "2-3 a forgets = ok"}},
			{"the owner", "0-1 a claims 100 = acquired",
				"2-3 a claims 100 = acquired",
				[]string{"2-3 a claims 100 = in flight 98", "2-3 a renews 100 = lost", "2-3 a commits = lost", "2-3 a forgets = ok"}},
			{"a release", "0-1 a claims 100 = acquired; 2-3 a releases = ok",
				"4-5 b claims 100 = acquired",
				[]string{"4-5 b claims 100 = in flight 95", "4-5 a commits = lost; 6-7 b claims 100 = in flight 95", "4-5 a commits = ok"}},
			{"a release by another", "0-1 a claims 100 = acquired; 2-3 b releases = ok",
				"4-5 c claims 100 = in flight 96",
				[]string{"4-5 c claims 100 = acquired", "4-5 a commits = lost"}},
			{"a commit", "0-1 a claims 100 = acquired; 2-3 a commits = ok",
				"4-5 a commits = ok",
				[]string{"4-5 a commits = lost", "4-5 b commits = ok", "4-5 a renews 100 = ok", "4-5 a forgets = held",
					"4-5 b claims 100 = acquired", "4-5 a claims 100 = acquired", "4-5 b claims-old 100 = before floor", "4-5 b claims 100 = in flight 96"}},
			{"a release after the commit", "0-1 a claims 100 = acquired; 2-3 a commits = ok; 4-5 a releases = ok",
				"6-7 b claims 100 = done",
				[]string{"6-7 b claims 100 = acquired"}},
			{"the fingerprint", "0-1 a claims 100 = acquired; 2-3 a commits = ok",
				"4-5 b claims 100 a = same",
				[]string{"4-5 b claims 100 a = done", "4-5 b claims 100 b = same"}},
			{"the fingerprint of the owner's last claim", "0-1 a claims 100 = acquired; 2-3 a claims 100 b = acquired; 4-5 a commits = ok",
				"6-7 c claims 100 b = same",
				[]string{"6-7 c claims 100 a = same"}},
			{"a finished event that is forgotten", "0-1 a claims 100 = acquired; 2-3 a commits = ok; 4-5 a forgets = ok",
				"6-7 b claims 100 = acquired",
				[]string{"6-7 b claims 100 = done", "6-7 a commits = ok"}},
			{"a forget before or after a commit", "0-1 a claims 100 = acquired; 2-9 a commits = ok; 3-8 a forgets = held",
				"10-11 b claims 100 = done",
				[]string{"10-11 b claims 100 = acquired"}},
			{"a forget after a commit", "0-1 a claims 100 = acquired; 2-9 a commits = ok; 3-8 a forgets = ok",
				"10-11 b claims 100 = acquired",
				[]string{"10-11 b claims 100 = done"}},

			{"two claims at once", "0-9 a claims 100 = acquired",
				"1-8 b claims 100 = in flight 95",
				[]string{"1-8 b claims 100 = acquired", "1-8 b claims 100 = done"}},
			{"a claim and a commit at once", "0-1 a claims 100 = acquired; 2-9 a commits = ok; 3-4 b claims 100 = done",
				"5-6 c claims 100 = done",
				[]string{"5-6 c claims 100 = in flight 95"}},

			{"a lease until its end", "0-10 a claims 100 = acquired",
				"114-120 b claims 100 = in flight 1",
				[]string{"116-120 b claims 100 = in flight 1"}},
			{"an event that is held until the end of its lease", "0-10 a claims 100 = acquired",
				"114-120 a forgets = held",
				[]string{"116-120 a forgets = held"}},
			{"a takeover", "0-10 a claims 100 = acquired",
				"90-95 b claims 100 = acquired",
				[]string{"90-94 b claims 100 = acquired", "90-94 a forgets = ok"}},
			{"a forget after the lease", "0-10 a claims 100 = acquired",
				"90-95 a forgets = ok",
				[]string{"90-94 a forgets = ok"}},
			{"the owner after the lease", "0-10 a claims 100 = acquired; 200-201 a renews 100 = ok",
				"290-291 b claims 100 = in flight 9",
				[]string{"290-291 b claims 100 = acquired", "290-291 a commits = lost"}},
			{"the former owner", "0-10 a claims 100 = acquired; 200-201 b claims 100 = acquired",
				"202-203 a commits = lost",
				[]string{"202-203 a commits = ok", "202-203 a renews 100 = ok", "202-203 a releases = ok; 204-205 c claims 100 = acquired"}},
			{"a renewal", "0-1 a claims 100 = acquired; 50-51 a renews 100 = ok",
				"140-141 b claims 100 = in flight 10",
				[]string{"140-141 b claims 100 = acquired"}},
			{"a renewal that shortens the lease", "0-1 a claims 100 = acquired; 10-11 a renews 10 = ok",
				"30-31 b claims 100 = acquired",
				[]string{"30-31 b claims 100 = in flight 70"}},
			{"a fresh lease for the owner", "0-1 a claims 100 = acquired; 50-51 a claims 100 = acquired",
				"140-141 b claims 100 = in flight 10",
				[]string{"140-141 b claims 100 = acquired"}},
			{"the time left", "0-40 a claims 100 = acquired",
				"50-51 b claims 100 = in flight 80",
				[]string{"50-51 b claims 100 = in flight 101", "50-51 b claims 100 = in flight 35"}},
			{"the time left tells when the lease ends", "0-40 a claims 100 = acquired; 50-51 b claims 100 = in flight 80",
				"130-131 b claims 100 = acquired",
				[]string{"123-124 b claims 100 = acquired", "137-138 b claims 100 = in flight 1"}},
			{"two times left agree", "0-40 a claims 100 = acquired; 50-51 b claims 100 = in flight 80",
				"60-61 c claims 100 = in flight 70",
				[]string{"60-61 c claims 100 = in flight 50", "60-61 c claims 100 = in flight 90"}},

			{"a claim without an answer that took effect", "0- a claims 100",
				"2-3 b claims 100 = in flight 98",
				[]string{"2-3 b claims 100 = done"}},
			{"a claim without an answer that took no effect", "0- a claims 100",
				"2-3 b claims 100 = acquired",
				[]string{"2-3 b claims 100 = acquired; 4-5 c claims 100 = acquired"}},
			{"a claim without an answer that took effect late", "0- a claims 100; 2-3 b claims 100 = acquired; 4-5 b releases = ok",
				"6-7 a commits = ok",
				[]string{"6-7 c commits = ok", "6-7 b commits = ok"}},
			{"a lease that began late", "0- a claims 100",
				"300-301 b claims 100 = in flight 50",
				[]string{"300-301 b claims 100 = in flight 50; 302-303 c claims 100 = acquired"}},
			{"a claim without an answer that took over", "0-1 a claims 100 = acquired; 2- b claims 100",
				"102-103 b commits = ok",
				[]string{"80-81 b commits = ok"}},
			{"a claim without an answer under the owner's token", "0-1 a claims 100 = acquired; 2- a claims 100",
				"150-151 b claims 100 = in flight 50",
				[]string{"150-151 b claims 100 = done"}},
			{"a claim without an answer and a finished event", "0-1 a claims 100 = acquired; 2- b claims 100; 3-4 a commits = ok",
				"5-6 b commits = lost",
				[]string{"5-6 b commits = ok"}},
			{"a commit without an answer that took effect", "0-1 a claims 100 = acquired; 2- a commits",
				"4-5 b claims 100 = done",
				[]string{"4-5 b claims 100 = acquired"}},
			{"a commit without an answer that took effect late", "0-1 a claims 100 = acquired; 2- a commits; 4-5 b claims 100 = in flight 96",
				"6-7 b claims 100 = done",
				[]string{"6-7 b claims 100 = done; 8-9 b claims 100 = in flight 90"}},
			{"a commit without an answer by another", "0-1 a claims 100 = acquired; 2- b commits",
				"4-5 b claims 100 = in flight 96",
				[]string{"4-5 b claims 100 = done"}},
			{"a release without an answer", "0-1 a claims 100 = acquired; 2- a releases",
				"4-5 b claims 100 = acquired",
				[]string{"4-5 b claims 100 = done"}},
			{"a release without an answer by another", "0-1 a claims 100 = acquired; 2- b releases",
				"4-5 b claims 100 = in flight 96",
				[]string{"4-5 b claims 100 = acquired"}},
			{"a renewal without an answer", "0-1 a claims 100 = acquired; 2- a renews 300",
				"150-151 b claims 100 = in flight 152",
				[]string{"150-151 b claims 100 = in flight 100"}},
			{"a renewal without an answer that took no effect", "0-1 a claims 100 = acquired; 2- a renews 300",
				"150-151 b claims 100 = acquired",
				[]string{"80-81 b claims 100 = acquired"}},
			{"a forget without an answer", "0-1 a claims 100 = acquired; 2-3 a commits = ok; 4- a forgets",
				"5-6 b claims 100 = acquired",
				[]string{"5-6 b claims 100 = acquired; 7-8 a commits = ok"}},
			{"a forget without an answer during a lease", "0-1 a claims 100 = acquired; 2- a forgets",
				"102-103 a commits = lost",
				[]string{"50-51 a commits = lost"}},

			{"a message", "",
				"0-1 a binds 1 = ok",
				[]string{"0-1 a binds 1 = forged"}},
			{"a message that is bound", "0-1 a binds 1 = ok",
				"2-3 a binds 1 = ok",
				[]string{"2-3 a binds 2 = ok", "2-3 a binds 1 = forged"}},
			{"another body", "0-1 a binds 1 = ok",
				"2-3 a binds 2 = forged",
				[]string{"2-3 a binds 2 = ok"}},
			{"another body at once", "0-9 a binds 1 = ok; 1-8 a binds 2 = forged",
				"10-11 a binds 2 = forged",
				[]string{"10-11 a binds 1 = forged"}},
			{"a binding without an answer that took effect", "0- a binds 1",
				"2-3 a binds 2 = forged",
				[]string{"2-3 a binds 1 = forged"}},
			{"a binding without an answer that took no effect", "0- a binds 1; 2-3 a binds 2 = ok",
				"4-5 a binds 1 = forged",
				[]string{"4-5 a binds 1 = ok"}},
		} {
			t.Run(test.name, func(t *testing.T) {
				if !linearizable(test.history, test.last) {
					t.Errorf("%s; %s: not linearizable", test.history, test.last)
				}
				for _, last := range test.not {
					if linearizable(test.history, last) {
						t.Errorf("%s; %s: linearizable", test.history, last)
					}
				}
			})
		}
	})
}

func linearizable(history, last string) bool {
	var lines []string
	for line := range strings.SplitSeq(history+";"+last, ";") {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return linear.Linearizable(lines...)
}
