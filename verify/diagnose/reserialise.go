package diagnose

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

// usual says how a provider writes its bodies; what is not usual is tried later.
type usual struct {
	white  []white
	order  order
	sorts  bool // it may sort the members of objects by name
	spaced bool // its bodies are not compact
}

func usualOf(provider string) usual {
	switch provider {
	case "stripe":
		return usual{white: []white{whiteTwo}, order: orderStripe, spaced: true}
	case "github", "paypal":
		return usual{white: []white{whiteNone}}
	}
	return usual{white: []white{whiteNone, whiteTwo, whiteSpaced}, order: orderSorted, sorts: true}
}

// choice is a form with what it costs in likelihood, and which dimensions it changes.
type choice struct {
	form
	ids  []ID
	rank int
}

// serialiser finds the forms in which a document may have been signed.
type serialiser struct {
	document
	usual   usual
	now     []byte // the document as it came
	compact bool   // it came without white space
	kept    white  // how it came, if that is known: then members can be reordered
	seed    maphash.Seed
	wrote   int // bytes since the last variant
}

func newSerialiser(d document, u usual) *serialiser {
	s := &serialiser{document: d, usual: u, seed: maphash.MakeSeed()}
	s.now = s.render(nil, &form{})
	var b []byte
	for w := whiteNone; w <= whiteRuby; w++ {
		if b = s.render(b[:0], &form{white: w}); bytes.Equal(b, s.now) {
			s.kept, s.compact = w, w == whiteNone
			break
		}
	}
	return s
}

// render appends the document in a form, with its members in the order that they have.
func (s *serialiser) render(dst []byte, f *form) []byte {
	dst = s.write(dst, s.tokens, f)
	s.wrote += len(dst)
	return dst
}

// dimension is a list of changes that have an effect on the document, each another one.
type dimension []change

type change struct {
	set  func(*form)
	id   ID // none where nothing changes
	rank int
}

// dimension keeps those changes that have an effect of their own.
func (s *serialiser) dimension(changes ...change) dimension {
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

func (s *serialiser) whites() dimension {
	id := BodyIndented
	if s.compact {
		id = BodyCompacted
	}
	var changes []change
	for w := whiteNone; w <= whiteRuby; w++ {
		changes = append(changes, change{
			set: func(f *form) { f.white = w }, id: id, rank: rank(slices.Contains(s.usual.white, w)),
		})
	}
	return s.dimension(changes...)
}

func (s *serialiser) escapes(id ID, set func(*form, escapes), usual escapes, all ...escapes) dimension {
	var changes []change
	for _, e := range all {
		changes = append(changes, change{func(f *form) { set(f, e) }, id, rank(e == usual)})
	}
	return s.dimension(changes...)
}

func (s *serialiser) ends() dimension {
	return s.dimension(
		change{func(f *form) { f.end = endNone }, BodyNewlineAdded, rank(true)},
		change{func(f *form) { f.end = endLF }, BodyNewlineCut, rank(false)},
	)
}

func (s *serialiser) rewritten(numbers []string) dimension {
	var changes []change
	for _, plan := range uniform(numbers) {
		changes = append(changes, change{func(f *form) { f.numbers = plan }, BodyNumbers, 2})
	}
	return s.dimension(changes...)
}

// exchanges undoes what an encoder does that has one empty container for both kinds: PHP
// writes {} as [], and Lua [] as {}. It yields every subset of those of one kind if they
// are few, or else all of them, and each alone.
func (s *serialiser) exchanges(bounded *bool) iter.Seq[func(*form)] {
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
func (s *serialiser) empty(kind byte) []uint32 {
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
func (s *serialiser) orders() dimension {
	all := dimension{{set: func(*form) {}}}
	if s.usual.order != orderKept && !slices.Equal(s.reorder(s.usual.order), s.reorder(orderKept)) {
		all = append(all, change{func(f *form) { f.order = s.usual.order }, BodyKeyOrder, rank(!s.usual.sorts)})
	}
	return all
}

// choices returns the product of all dimensions, the likeliest first, without the
// document as it came, and whether some were left out.
func (s *serialiser) choices(numbers []string) ([]choice, bool) {
	all := []choice{{}}
	for _, d := range []dimension{
		s.whites(), s.orders(), s.ends(),
		s.escapes(BodyHTMLEscape, func(f *form, e escapes) { f.html = e }, escapeNone, escapeNone, escapeAll),
		s.escapes(BodySlashEscape, func(f *form, e escapes) { f.slash = e }, escapeNone, escapeNone, escapeAll),
		s.escapes(BodyUnicodeEscape, func(f *form, e escapes) { f.unicode = e }, escapeNone,
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
			if change.id != "" {
				n.ids = append(slices.Clone(c.ids), change.id)
			}
			next = append(next, n)
		}
	}
	return next
}

// part is a kind of forms in which the document may have been signed.
type part struct {
	what     string // that is ruled out if none of them was
	variants iter.Seq[variant]
	bounded  *bool // set once they were yielded, if some were left out
}

// parts returns the kinds of forms, the likeliest first. Each variant is in a buffer that
// the next one reuses.
func (s *serialiser) parts() []part {
	var (
		buffer  []byte
		ordered = s.tokens
		numbers = s.numbers()
		choices []choice
		bounded [3]bool
	)
	if s.usual.order != orderKept {
		ordered = s.reorder(s.usual.order)
	}
	try := func(c *choice, yield func(variant) bool) bool {
		f := c.form
		if f.order != orderKept && f.white == whiteKept {
			if f.white = s.kept; f.white == whiteKept {
				return true // nobody knows which white space goes with which member
			}
		}
		tokens := s.tokens
		if f.order != orderKept {
			tokens = ordered
		}
		buffer = s.write(buffer[:0], tokens, &f)
		s.wrote += len(buffer)
		ok := yield(variant{buffer, c.ids})
		s.wrote = 0
		return ok
	}
	whole := func(yield func(variant) bool) {
		choices, bounded[0] = s.choices(numbers)
		for i := range choices {
			if !try(&choices[i], yield) {
				return
			}
		}
	}
	// What was changed in some places only is tried with the document as it came and as
	// the provider writes it.
	some := func(id ID, plans iter.Seq[func(*form)]) iter.Seq[variant] {
		return func(yield func(variant) bool) {
			forms := append([]choice{{}}, s.origins(choices)...)
			for plan := range plans {
				for _, c := range forms {
					plan(&c.form)
					c.ids = append(slices.Clone(c.ids), id)
					if !try(&c, yield) {
						return
					}
				}
			}
		}
	}
	return []part{
		{"the white space, escapes and numbers of common JSON encoders throughout, with the values as they are", whole, &bounded[0]},
		{"one number of the JSON in another form or some integers that lost zeros, with the rest as it is or as the provider writes it", some(BodyNumbers, s.guesses(numbers, &bounded[1])), &bounded[1]},
		{"empty objects taken for arrays or the reverse, with the rest as it is or as the provider writes it", some(BodyReserialised, s.exchanges(&bounded[2])), &bounded[2]},
	}
}

// origins returns the choices that undo most, and nothing that is unusual: one for each
// white space that is usual.
func (s *serialiser) origins(choices []choice) []choice {
	var best []choice
	for _, c := range choices {
		if c.rank != len(c.ids) {
			continue
		}
		i := slices.IndexFunc(best, func(b choice) bool { return b.white == c.white })
		switch {
		case i < 0:
			best = append(best, c)
		case len(c.ids) > len(best[i].ids):
			best[i] = c
		}
	}
	return best
}
