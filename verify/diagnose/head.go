package diagnose

import (
	"iter"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/hooknotary/hooknotary/verify"
)

const (
	maxFields = 128     // header fields that are looked at
	maxValue  = 8 << 10 // bytes of a value that is taken apart
	maxPieces = 16      // of a header that was joined or split
)

// repair is a header as it may have been, and what must have happened to it. The text of
// the finding is to be concluded.
type repair struct {
	header  http.Header
	finding Finding
	// telling: the repair is worth going on with even if the signature does not hold
	// with it alone.
	telling bool
}

// repairs yields what the header may have been, the likeliest first.
func (q *inquiry) repairs(h http.Header, own []string) iter.Seq[repair] {
	return func(yield func(repair) bool) {
		_ = renamedLikeOthers(h, own, yield) &&
			renamed(h, own, yield) &&
			merged(h, own, yield) &&
			separated(h, own, yield) &&
			cleaned(h, own, yield)
	}
}

// canonical returns a header with canonical names, and the first of its own names that
// was none. It is nil if all of them were.
func canonical(h http.Header, own []string) (http.Header, string) {
	name := ""
	out := make(http.Header, len(h))
	for _, n := range slices.Sorted(maps.Keys(h)) {
		c := http.CanonicalHeaderKey(n)
		if c != n && (own == nil || slices.Contains(own, c)) && name == "" {
			name = n
		}
		out[c] = append(out[c], h[n]...)
	}
	if name == "" {
		return nil, ""
	}
	return out, name
}

// with returns a copy of h, which is not nil, with other values of one name.
func with(h http.Header, name string, values ...string) http.Header {
	c := maps.Clone(h)
	c[name] = values
	return c
}

// missing returns those of own that are not there.
func missing(h http.Header, own []string) []string {
	return slices.DeleteFunc(slices.Clone(own), func(name string) bool {
		return slices.ContainsFunc(h[name], func(v string) bool { return v != "" })
	})
}

// fields yields the header's names that are not own, in order, up to a bound.
func fields(h http.Header, own []string) iter.Seq[string] {
	return func(yield func(string) bool) {
		n := 0
		for _, name := range slices.Sorted(maps.Keys(h)) {
			if slices.Contains(own, name) || len(h[name]) == 0 || len(h[name][0]) > maxValue {
				continue
			}
			if n++; n > maxFields || !yield(name) {
				return
			}
		}
	}
}

// renamedLikeOthers yields headers with the names that a look-alike uses.
func renamedLikeOthers(h http.Header, own []string, yield func(repair) bool) bool {
	for _, a := range aliases {
		c := maps.Clone(h)
		n := 0
		for _, name := range missing(h, own) {
			rest, ok := strings.CutPrefix(name, a.to)
			if values := h[a.from+rest]; ok && len(values) > 0 && strings.HasPrefix(values[0], a.value) {
				c[name] = values
				n++
			}
		}
		if n > 0 && !yield(repair{c, explainf(ProviderOther, Proved,
			"The headers have the names that %s uses, which signs like the verifier's provider", a.name), true}) {
			return false
		}
	}
	return true
}

// letters returns a header's name without what proxies and frameworks change in it.
func letters(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z' || r >= '0' && r <= '9':
			return r
		}
		return -1
	}, name)
}

// renamed yields headers in which the values of others stand under the names that are
// missing: first by their names, then by nothing but their values.
func renamed(h http.Header, own []string, yield func(repair) bool) bool {
	gone := missing(h, own)
	if len(gone) == 0 {
		return true
	}
	text := func(from, to string) Finding {
		return explainf(HeaderRenamed, Proved,
			"%s holds what %s should: something renamed the header", printable(from, "another header"), to)
	}
	c := maps.Clone(h)
	if c == nil {
		return true
	}
	first := ""
	for _, name := range gone {
		want := strings.TrimPrefix(letters(name), "X")
		for n := range fields(h, own) {
			if strings.Contains(letters(n), want) {
				c[name] = h[n]
				if first == "" {
					first = n
				}
				break
			}
		}
	}
	if first != "" && !yield(repair{c, text(first, gone[0]), len(letters(gone[0])) > 12}) {
		return false
	}
	for n := range fields(h, own) {
		if !yield(repair{with(h, gone[0], h[n]...), text(n, gone[0]), false}) {
			return false
		}
	}
	return true
}

// merged yields headers of one value where several are.
func merged(h http.Header, own []string, yield func(repair) bool) bool {
	most, name := 1, ""
	for _, n := range own {
		if len(h[n]) > most {
			most, name = len(h[n]), n
		}
	}
	if name == "" {
		return true
	}
	finding := explainf(HeaderSplit, Proved,
		"%s stands there %d times: something split or repeated it", name, most)
	several := func(change func([]string) string) bool {
		c := maps.Clone(h)
		for _, n := range own {
			if len(h[n]) > 1 {
				c[n] = []string{change(h[n])}
			}
		}
		return yield(repair{c, finding, true})
	}
	for _, separator := range [...]string{",", " ", ";", ""} {
		if !several(func(values []string) string { return strings.Join(values, separator) }) {
			return false
		}
	}
	for i := range min(most, maxPieces) {
		if !several(func(values []string) string { return values[min(i, len(values)-1)] }) {
			return false
		}
	}
	return true
}

// separated yields headers in which what was joined with a comma is apart, or joined as
// the scheme does.
func separated(h http.Header, own []string, yield func(repair) bool) bool {
	name, most := "", 0
	for _, n := range own {
		if len(h[n]) == 1 && len(h[n][0]) <= maxValue {
			if pieces := strings.Count(h[n][0], ","); pieces > most {
				name, most = n, pieces
			}
		}
	}
	if name == "" {
		return true
	}
	finding := explainf(HeaderJoined, Proved,
		"%s is several headers that something joined with a comma", name)
	several := func(change func(string) string) bool {
		c, changed := maps.Clone(h), false
		for _, n := range own {
			if len(h[n]) != 1 || len(h[n][0]) > maxValue {
				continue
			}
			if value := change(h[n][0]); value != h[n][0] {
				c[n], changed = []string{value}, true
			}
		}
		return !changed || yield(repair{c, finding, true})
	}
	pieces := func(value, separator string) []string {
		all := strings.SplitN(value, separator, maxPieces+1)
		for i := range all {
			all[i] = strings.TrimSpace(all[i])
		}
		return all
	}
	for _, separator := range [...]string{",", " ", ";"} {
		if !several(func(value string) string { return strings.Join(pieces(value, ", "), separator) }) {
			return false
		}
	}
	for _, separator := range [...]string{", ", ","} {
		for i := range maxPieces {
			if !several(func(value string) string {
				if all := pieces(value, separator); len(all) > 1 {
					return all[min(i, len(all)-1)]
				}
				return value
			}) {
				return false
			}
		}
	}
	return true
}

// cleaned yields headers without what tools leave around and inside of values.
func cleaned(h http.Header, own []string, yield func(repair) bool) bool {
	finding := explainf(HeaderMalformed, Proved,
		"The value of a security header has quotes, white space, percent escapes or upper-case digits that the scheme does not have")
	trim := func(s string) string { return strings.Trim(s, " \t\r\n\"'`") }
	unescape := func(s string) string {
		if u, err := url.PathUnescape(s); err == nil {
			return u
		}
		return s
	}
	for _, change := range [...]func(string) string{
		trim, unescape, strings.ToLower, func(s string) string { return strings.ToLower(trim(unescape(s))) },
	} {
		c, changed := maps.Clone(h), false
		for _, n := range own {
			if len(h[n]) == 1 && len(h[n][0]) <= maxValue && change(h[n][0]) != h[n][0] {
				c[n], changed = []string{change(h[n][0])}, true
			}
		}
		if changed && !yield(repair{c, finding, true}) {
			return false
		}
	}
	return true
}

// mendHead looks for what is wrong with a head that the verifier refuses for its form.
// It returns the judgement to go on with, or false if the findings are complete.
func (q *inquiry) mendHead(j judgement) (judgement, bool) {
	var own []string
	if q.introspect != nil {
		own = q.introspect.SecurityHeaders()
	}
	h := j.head.Header
	if c, name := canonical(h, own); c != nil {
		q.header = append(q.header, explainf(HeaderSpelling, Proved,
			"The names of the headers are not in canonical form, so that they are not found: in the map there is %q", printable(name, "another spelling")))
		spelt := q.judge(c)
		if !spelt.malformed() {
			return spelt, true
		}
		h = c
	}
	var better judgement
	var guess *Finding
	for r := range q.repairs(h, own) {
		mended := q.judge(r.header)
		switch {
		case mended.holds():
			q.header = append(q.header, r.finding)
			return mended, true
		case guess == nil && r.telling && !mended.malformed():
			better, guess = mended, &r.finding
		}
	}
	if q.byMAC(h, own) || q.byOthers(j) {
		return j, false
	}
	if guess != nil {
		q.header = append(q.header, *guess)
		return better, true
	}
	if q.bySender(h, own) {
		return j, false
	}
	q.found = append(q.found, q.unreadable(h, own, j.err))
	return j, false
}

// ofMediaType returns the finding for a delivery that verifies, and that a guard refuses
// all the same because its Content-Type is not the endpoint's.
func ofMediaType(p verify.Profile, a verify.About, h http.Header) []Finding {
	want := p.MediaType
	if want == "" {
		want = "application/json"
	}
	values := h["Content-Type"]
	if len(values) == 0 {
		return nil
	}
	mediaType, _, _ := strings.Cut(values[0], ";")
	mediaType = strings.TrimSpace(mediaType)
	if len(values) == 1 && strings.EqualFold(mediaType, want) {
		return nil
	}
	f := explainf(BodyMediaType, Proved, "The signature holds, but the Content-Type of the request is %s, and the endpoint takes %s.",
		printable(mediaType, "another one"), want)
	switch {
	case len(values) > 1:
		f.Text = "The signature holds, but the request has more than one Content-Type."
		f.Fix = "Find out what adds a second Content-Type, and keep it from doing so."
	default:
		for _, note := range a.OtherMedia {
			if strings.EqualFold(mediaType, note.Type) {
				f.Text, f.Fix = note.Text, note.Fix
			}
		}
	}
	return []Finding{f}
}

// unreadable is the finding for a head that nothing mends.
func (q *inquiry) unreadable(h http.Header, own []string, err error) Finding {
	if f, ok := q.byHead(h, err); ok {
		return f
	}
	gone := missing(h, own)
	if len(own) == 0 {
		if verify.ReasonOf(err) == verify.ErrUnsigned {
			return explain(HeaderMissing, Likely)
		}
		return explain(HeaderMalformed, Likely)
	}
	if slices.Contains(gone, own[0]) {
		return explainf(HeaderMissing, Likely, "%s is not there: the request carries no signature of %s.", own[0], q.profile.Provider)
	}
	for _, name := range gone {
		if q.needs(h, name) {
			return explainf(HeaderMissing, Likely, "%s is not there, and the scheme of %s needs it beside the signature.", name, q.profile.Provider)
		}
	}
	f := explain(HeaderMalformed, Likely)
	if e, ok := err.(*verify.Error); ok && e.Cause != nil {
		f.Text = "The headers of the signature do not have the scheme's form: " + ending(e.Cause)
	}
	return f
}

// needs tells a header that the scheme wants from one that is an alternative to another.
func (q *inquiry) needs(h http.Header, name string) bool {
	for label, piece := range q.introspect.Message(&verify.Head{Header: h}, nil) {
		if piece == nil && strings.HasSuffix(label, " "+name) {
			return true
		}
	}
	return false
}
