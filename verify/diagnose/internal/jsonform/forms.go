package jsonform

import (
	"bytes"
	"cmp"
	"hash/maphash"
	"iter"
	"slices"
)

// A body that was parsed and serialised again differs from the one that was signed in
// several ways at once: white space, order of members, escapes, numbers. Each way is a
// dimension here; the product of what has any effect on the body is tried, the likeliest
// first.

// maxForms is how many combinations of one document are tried.
const maxForms = 8192

// Usual says how a provider writes its bodies; what is not usual is tried later.
type Usual struct {
	White []White  // between tokens
	Order Order    // of the members of objects, which an encoder on the way may have lost
	First []string // members that stand first in sorted objects
	Sorts bool     // it may sort all members of objects by name
}

// choice is a form with what it costs in likelihood, and which dimensions it changes.
type choice struct {
	form
	traces []Trace
	rank   int
}

// Serialiser finds the forms in which a document may have been signed.
type Serialiser struct {
	Document
	usual   Usual
	now     []byte // the document as it came
	compact bool   // it came without white space
	kept    White  // how it came, if that is known: then members can be reordered
	seed    maphash.Seed
	Wrote   int // bytes since the last variant
}

// New makes a Serialiser for a document of a provider that writes as u says.
func New(d Document, u Usual) *Serialiser {
	s := &Serialiser{Document: d, usual: u, seed: maphash.MakeSeed()}
	s.now = s.render(nil, &form{})
	var b []byte
	for w := WhiteNone; w <= WhiteRuby; w++ {
		if b = s.render(b[:0], &form{white: w}); bytes.Equal(b, s.now) {
			s.kept, s.compact = w, w == WhiteNone
			break
		}
	}
	return s
}

// render appends the document in a form, with its members in the order that they have.
func (s *Serialiser) render(dst []byte, f *form) []byte {
	dst = s.write(dst, s.tokens, f)
	s.Wrote += len(dst)
	return dst
}

// dimension is a list of changes that have an effect on the document, each another one.
type dimension []change

type change struct {
	set   func(*form)
	trace Trace // none where nothing changes
	rank  int
}

// dimension keeps those changes that have an effect of their own.
func (s *Serialiser) dimension(changes ...change) dimension {
	effects := map[uint64]bool{maphash.Bytes(s.seed, s.now): true}
	all := dimension{{set: func(*form) {}}}
	var b []byte
	for _, c := range changes {
		f := form{}
		c.set(&f)
		b = s.render(b[:0], &f)
		effect := maphash.Bytes(s.seed, b)
		if !effects[effect] {
			effects[effect] = true
			all = append(all, c)
		}
	}
	return all
}

func rank(usual bool) int {
	if usual {
		return 1
	}
	return 2
}

func (s *Serialiser) whites() dimension {
	trace := Indented
	if s.compact {
		trace = Compacted
	}
	var changes []change
	for w := WhiteNone; w <= WhiteRuby; w++ {
		changes = append(changes, change{
			set: func(f *form) { f.white = w }, trace: trace, rank: rank(slices.Contains(s.usual.White, w)),
		})
	}
	return s.dimension(changes...)
}

func (s *Serialiser) escapes(trace Trace, set func(*form, escapes), usual escapes, all ...escapes) dimension {
	var changes []change
	for _, e := range all {
		changes = append(changes, change{func(f *form) { set(f, e) }, trace, rank(e == usual)})
	}
	return s.dimension(changes...)
}

func (s *Serialiser) ends() dimension {
	return s.dimension(
		change{func(f *form) { f.end = endNone }, NewlineAdded, rank(true)},
		change{func(f *form) { f.end = endLF }, NewlineCut, rank(false)},
	)
}

func (s *Serialiser) rewritten(numbers []string) dimension {
	var changes []change
	for _, plan := range uniform(numbers) {
		changes = append(changes, change{func(f *form) { f.numbers = plan }, Numbers, 2})
	}
	return s.dimension(changes...)
}

// exchanges undoes what an encoder does that has one empty container for both kinds: PHP
// writes {} as [], and Lua [] as {}. It yields every subset of those of one kind if they
// are few, or else all of them, and each alone.
func (s *Serialiser) exchanges(bounded *bool) iter.Seq[func(*form)] {
	return func(yield func(func(*form)) bool) {
		for _, kind := range [...]byte{'[', '{'} {
			starts := s.empty(kind)
			*bounded = *bounded || len(starts) > maxSubset
			for plan := range subsetsOf(starts) {
				if !yield(func(f *form) { f.exchanged = plan }) {
					return
				}
			}
		}
	}
}

// empty returns where the empty objects, or the empty arrays, begin, up to a bound.
func (s *Serialiser) empty(kind byte) []uint32 {
	var starts []uint32
	for i, t := range s.tokens {
		if t.kind == kind && int(t.match) == i+1 && len(starts) < maxNumbers {
			starts = append(starts, t.start)
		}
	}
	return starts
}

// subsetsOf yields the subsets of some places, if they are few, or else all of them and
// each place alone.
func subsetsOf(starts []uint32) iter.Seq[map[uint32]bool] {
	return func(yield func(map[uint32]bool) bool) {
		if len(starts) > maxSubset {
			all := make(map[uint32]bool)
			for _, start := range starts {
				all[start] = true
			}
			if !yield(all) {
				return
			}
			for _, start := range starts[:min(len(starts), maxSingles)] {
				if !yield(map[uint32]bool{start: true}) {
					return
				}
			}
			return
		}
		for set := 1; set < 1<<len(starts); set++ {
			plan := make(map[uint32]bool)
			for i, start := range starts {
				if set>>i&1 == 1 {
					plan[start] = true
				}
			}
			if !yield(plan) {
				return
			}
		}
	}
}

// orders is the one dimension whose effect is not that of writing the same tokens: the
// members that have another order.
func (s *Serialiser) orders() dimension {
	all := dimension{{set: func(*form) {}}}
	if s.usual.Order != OrderKept && !slices.Equal(s.reorder(s.usual.Order, s.usual.First), s.reorder(OrderKept, nil)) {
		all = append(all, change{func(f *form) { f.order = s.usual.Order }, KeyOrder, rank(!s.usual.Sorts)})
	}
	return all
}

// choices returns the product of all dimensions, the likeliest first, without the
// document as it came, and whether some were left out.
func (s *Serialiser) choices(numbers []string) ([]choice, bool) {
	all := []choice{{}}
	for _, d := range []dimension{
		s.whites(), s.orders(), s.ends(),
		s.escapes(HTMLEscape, func(f *form, e escapes) { f.html = e }, escapeNone, escapeNone, escapeAll),
		s.escapes(SlashEscape, func(f *form, e escapes) { f.slash = e }, escapeNone, escapeNone, escapeAll),
		s.escapes(UnicodeEscape, func(f *form, e escapes) { f.unicode = e }, escapeNone,
			escapeNone, escapeAll, escapeLower, escapeUpper, escapeAllUpper, escapeLines),
		s.rewritten(numbers),
	} {
		all = product(all, d)
	}
	slices.SortStableFunc(all, func(a, b choice) int { return cmp.Compare(a.rank, b.rank) })
	return all[1:min(len(all), maxForms)], len(all) > maxForms || len(numbers) == maxNumbers
}

func product(all []choice, d dimension) []choice {
	var next []choice
	for _, c := range all {
		for _, change := range d {
			n := c
			change.set(&n.form)
			n.rank += change.rank
			if change.trace != 0 {
				n.traces = append(slices.Clone(c.traces), change.trace)
			}
			next = append(next, n)
		}
	}
	return next
}

// Part is a kind of forms in which the document may have been signed.
type Part struct {
	What     string // that is ruled out if none of them was
	Variants iter.Seq[Variant]
	Bounded  *bool // set once they were yielded, if some were left out
}

// Parts returns the kinds of forms, the likeliest first. Each variant is in a buffer that
// the next one reuses.
func (s *Serialiser) Parts() []Part {
	var (
		buffer  []byte
		ordered = s.tokens
		numbers = s.Numbers()
		choices []choice
		bounded [3]bool
	)
	if s.usual.Order != OrderKept {
		ordered = s.reorder(s.usual.Order, s.usual.First)
	}
	try := func(c *choice, yield func(Variant) bool) bool {
		f := c.form
		if f.order != OrderKept && f.white == WhiteKept {
			if f.white = s.kept; f.white == WhiteKept {
				return true // nobody knows which white space goes with which member
			}
		}
		tokens := s.tokens
		if f.order != OrderKept {
			tokens = ordered
		}
		buffer = s.write(buffer[:0], tokens, &f)
		s.Wrote += len(buffer)
		ok := yield(Variant{buffer, c.traces})
		s.Wrote = 0
		return ok
	}
	whole := func(yield func(Variant) bool) {
		choices, bounded[0] = s.choices(numbers)
		for i := range choices {
			if !try(&choices[i], yield) {
				return
			}
		}
	}
	// What was changed in some places only is tried with the document as it came and as
	// the provider writes it.
	some := func(trace Trace, plans iter.Seq[func(*form)]) iter.Seq[Variant] {
		return func(yield func(Variant) bool) {
			forms := append([]choice{{}}, s.origins(choices)...)
			for plan := range plans {
				for _, c := range forms {
					plan(&c.form)
					c.traces = append(slices.Clone(c.traces), trace)
					if !try(&c, yield) {
						return
					}
				}
			}
		}
	}
	return []Part{
		{"the white space, escapes and numbers of common JSON encoders throughout, with the values as they are", whole, &bounded[0]},
		{"one number of the JSON in another form or some integers that lost zeros, with the rest as it is or as the provider writes it", some(Numbers, s.guesses(numbers, &bounded[1])), &bounded[1]},
		{"empty objects taken for arrays or the reverse, with the rest as it is or as the provider writes it", some(Reserialised, s.exchanges(&bounded[2])), &bounded[2]},
	}
}

// origins returns the choices that undo most, and nothing that is unusual: one for each
// white space that is usual.
func (s *Serialiser) origins(choices []choice) []choice {
	var best []choice
	for _, c := range choices {
		if c.rank != len(c.traces) {
			continue
		}
		i := slices.IndexFunc(best, func(b choice) bool { return b.white == c.white })
		switch {
		case i < 0:
			best = append(best, c)
		case len(c.traces) > len(best[i].traces):
			best[i] = c
		}
	}
	return best
}
