package diagnose

import "iter"

// For tests: what lies behind the findings on JSON.

const (
	MaxDepth    = maxDepth
	MaxWork     = int64(maxWork)
	MaxTries    = maxTries
	MaxFindings = maxFindings
)

// Forms yields the forms of a JSON text that are tried for a provider, and their ids. It
// is false for a text that the scanner refuses. The bytes are good until the next ones.
func Forms(text []byte, provider string) (forms iter.Seq2[[]byte, []ID], ok bool) {
	d, _, ok := scan(text)
	if !ok {
		return nil, false
	}
	return func(yield func([]byte, []ID) bool) {
		for _, part := range newSerialiser(d, usualOf(provider)).parts() {
			for v := range part.variants {
				if !yield(v.body, v.ids) {
					return
				}
			}
		}
	}, true
}

// Unchanged writes a JSON text from its tokens.
func Unchanged(text []byte) ([]byte, bool) {
	d, _, ok := scan(text)
	if !ok {
		return nil, false
	}
	return d.write(nil, d.tokens, &form{}), true
}

// Spellings returns other ways to write a number that mean the same.
func Spellings(s string) []string {
	all := spellings(s)
	for _, rewrite := range rewrites {
		all = append(all, rewrite(s))
	}
	return all
}

// Rounded returns the integers that become s when they go through a float64.
func Rounded(s string) (from, to int64, ok bool) { return rounded(s) }

// Unwrapped yields what is found inside of a body.
func Unwrapped(body []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		d, _, ok := scan(body)
		for v := range unwrapped(&d, ok, new(bool)) {
			if !yield(v.body) {
				return
			}
		}
	}
}
