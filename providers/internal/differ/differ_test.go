package differ

import "testing"

// The attempts are numbers. Theirs accepts even ones; so does ours, but for 4 and 8,
// and 5, as the list says.
var list = []Difference[int]{
	{Name: "four", Ours: "small", Holds: func(n int) bool { return n == 4 }, Shown: 4},
	{Name: "eight", Ours: "large", Holds: func(n int) bool { return n == 8 }, Shown: 8},
	{Name: "five", Ours: Accept, Holds: func(n int) bool { return n == 5 }, Shown: 5},
}

func theirs(n int) bool { return n%2 == 0 }

func ours(n int) string {
	switch {
	case n == 4:
		return "small"
	case n == 8:
		return "large"
	case n%2 == 0 || n == 5:
		return Accept
	}
	return "odd"
}

func TestJudge(t *testing.T) {
	for _, tt := range []struct {
		name   string
		n      int
		ours   string
		theirs bool
		good   bool
	}{
		{"both accept", 2, Accept, true, true},
		{"both refuse", 3, "odd", false, true},
		{"ours refuses, as listed", 4, "small", true, true},
		{"ours refuses for another reason", 4, "large", true, false},
		{"ours accepts what it refuses by the list", 4, Accept, true, false},
		{"ours refuses what is not listed", 2, "odd", true, false},
		{"ours accepts, as listed", 5, Accept, false, true},
		{"theirs accepts what it refuses by the list", 5, Accept, true, false},
		{"ours accepts what is not listed", 3, Accept, false, false},
		{"both refuse what is listed", 4, "small", false, true},
	} {
		if err := Judge(list, tt.n, tt.ours, tt.theirs); (err == nil) != tt.good {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestShow(t *testing.T) {
	Show(t, list, func(_ *testing.T, n int) (string, bool) { return ours(n), theirs(n) })
	three := func(n int) bool { return n == 3 }
	for _, wrong := range []Difference[int]{
		{Name: "an entry that nothing shows", Ours: "odd", Holds: three, Shown: 3},
		{Name: "an entry with another reason", Ours: "odd", Holds: func(n int) bool { return n == 4 }, Shown: 4},
		{Name: "an entry that does not concern its case", Ours: "small", Holds: three, Shown: 4},
		{Name: "an entry that is there under another name", Ours: "small", Holds: func(n int) bool { return n == 4 }, Shown: 4},
		{Name: "an entry of what both accept", Ours: "small", Holds: func(n int) bool { return n == 2 }, Shown: 2},
		{Name: "an entry of what both accept, the other way", Ours: Accept, Holds: func(n int) bool { return n == 2 }, Shown: 2},
	} {
		all := append([]Difference[int]{wrong}, list...)
		if wrong.Name != "an entry that is there under another name" {
			all = []Difference[int]{wrong}
		}
		if err := show(all, wrong, func(n int) (string, bool) { return ours(n), theirs(n) }); err == nil {
			t.Errorf("%s passes", wrong.Name)
		}
	}
}
