package diagnose

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/capture"
	"github.com/hooknotary/hooknotary/verify/diagnose/internal/jsonform"
)

const (
	maxBody       = 32 << 20 // bytes of a body of which variants are tried
	maxDocument   = 8 << 20  // bytes of a body that is serialised again
	maxWork       = 3 << 30  // bytes that are hashed, or written to be hashed, in one diagnosis
	maxTries      = 20_000   // verifications in one diagnosis
	writing       = 3        // times the work of hashing
	maxCandidates = 64       // other secrets
	maxOthers     = 16       // other verifiers
	maxFindings   = 8
)

// errEnded stands for a verdict that the budget did not allow.
var errEnded = &verify.Error{Reason: verify.ErrUnavailable, Cause: errors.New("the diagnosis was ended, or reached its bounds")}

// inquiry is one diagnosis.
type inquiry struct {
	ctx        context.Context
	introspect Scheme           // the verifier, if it tells about itself
	explainer  verify.Explainer // the verifier, if it knows the mistakes of its provider's users
	about      verify.About     // what the verifier says about itself, if it does
	base       verify.Verifier  // the verifier with the keys that it has for this capture
	keys       []verify.Key
	profile    verify.Profile
	c          *capture.Capture
	o          *Options
	head       *verify.Head

	work  int64
	tries int
	cut   bool // something was left out for its cost

	ruledOut []string // what was tried to its end, in vain
	leftOut  []string // what was tried and not to its end, or not at all

	document jsonform.Document // the body, if it is JSON
	open     []byte            // brackets that are missing at its end, if it was cut
	json     bool

	hypotheses []verify.Hypothesis // what the verifier says that a mismatch may come from

	header       []Finding // what is wrong with the head, to be concluded
	found        []Finding // what is wrong with the rest
	clockFinding *Finding  // what is wrong with the time, to be concluded
	media        bool      // the last try was signed, and not of the media type
}

func newInquiry(ctx context.Context, v verify.Verifier, c *capture.Capture, o *Options) *inquiry {
	if o == nil {
		o = &Options{}
	}
	q := &inquiry{ctx: ctx, base: v, profile: v.Profile(), c: c, o: o, head: c.Head(), work: maxWork, tries: maxTries}
	if q.head.ReceivedAt.IsZero() {
		q.head.ReceivedAt = someTime()
	}
	q.introspect, _ = v.(Scheme)
	q.explainer, _ = v.(verify.Explainer)
	q.about = aboutOf(v)
	if q.introspect == nil {
		return q
	}
	keys, err := q.introspect.Keys(ctx, q.head)
	if err != nil || len(keys) == 0 {
		return q
	}
	q.keys = slices.Clone(keys)
	if base, err := q.introspect.Rekey(verify.KeyList(q.keys)); err == nil && base != nil {
		q.base = base
	}
	return q
}

// aboutOf returns what a verifier says about itself, if it does.
func aboutOf(v verify.Verifier) verify.About {
	if a, ok := v.(interface{ About() verify.About }); ok {
		return a.About()
	}
	return verify.About{}
}

// spend reports whether the budget allows one more try over so many bytes.
func (q *inquiry) spend(n int) bool {
	if q.ctx.Err() != nil || q.tries == 0 || q.work < int64(n) {
		q.cut = true
		return false
	}
	q.tries--
	q.work -= int64(n)
	return true
}

// signed reports whether a verdict says that the signature holds. A time in the body is
// judged behind it.
func signed(err error) bool {
	var refusal *verify.Error
	r := verify.ReasonOf(err)
	late := (r == verify.ErrTooOld || r == verify.ErrTooNew) && errors.As(err, &refusal) && !refusal.Message.Equal(verify.Fingerprint{})
	return err == nil || r == verify.ErrMediaType || late
}

// holds reports whether the signature holds over a body, under some keys.
func (q *inquiry) holds(v verify.Verifier, h *verify.Head, body []byte, keys int) bool {
	if !q.spend(len(body) * max(1, keys)) {
		return false
	}
	_, err := verify.Verify(q.ctx, v, h, body)
	q.media = verify.ReasonOf(err) == verify.ErrMediaType
	return signed(err)
}

// judgement is what a verifier says to a head and the body of the capture, with the
// clock set to the signed time where that is needed.
type judgement struct {
	head   *verify.Head
	err    error
	signed time.Time // zero where the clock was not moved
}

func (j judgement) holds() bool { return signed(j.err) }

// mismatch reports whether the head is good and the signature does not hold.
func (j judgement) mismatch() bool {
	r := verify.ReasonOf(j.err)
	return r == verify.ErrMismatch || r == verify.ErrForged
}

// malformed reports whether the head is refused for its form.
func (j judgement) malformed() bool {
	r := verify.ReasonOf(j.err)
	return r == verify.ErrUnsigned || r == verify.ErrMalformed
}

func (q *inquiry) judge(header http.Header) judgement {
	return q.judgeWith(q.base, header)
}

func (q *inquiry) judgeWith(v verify.Verifier, header http.Header) judgement {
	h := *q.head
	h.Header = header
	j := judgement{head: &h}
	j.err = q.verdict(v, &h)
	if r := verify.ReasonOf(j.err); r != verify.ErrTooOld && r != verify.ErrTooNew {
		return j
	}
	if at, ok := q.signedAt(v, &h); ok {
		h.ReceivedAt, j.signed = at, at
		j.err = q.verdict(v, &h)
	}
	return j
}

// verdict verifies the body of the capture, which costs something only if the head is
// good.
func (q *inquiry) verdict(v verify.Verifier, h *verify.Head) error {
	if !q.spend(0) {
		return errEnded
	}
	if _, err := v.Begin(q.ctx, h); err != nil {
		return err
	}
	if !q.spend(len(q.c.Body) * max(1, len(q.keys))) {
		return errEnded
	}
	_, err := verify.Verify(q.ctx, v, h, q.c.Body)
	return err
}

// run finds out why the verifier refused the capture with err.
func (q *inquiry) run(err error) {
	j := q.judge(q.head.Header)
	if j.malformed() {
		var ok bool
		if j, ok = q.mendHead(j); !ok {
			return
		}
	}
	if !j.signed.IsZero() || q.c.ReceivedAt.IsZero() {
		timing := q.clock(j.signed)
		q.clockFinding = &timing
	}
	switch r := verify.ReasonOf(j.err); {
	case j.err == nil:
		if len(q.header) == 0 && q.clockFinding == nil {
			q.explainRefusal(j.head, err)
		}
	case r == verify.ErrMediaType:
		q.found = append(q.found, explain(BodyMediaType, Proved))
	case j.mismatch():
		q.search(j)
	case r == verify.ErrNoKey:
		if !q.byCandidates(j) {
			q.found = append(q.found, explainf(SecretUnusable, Likely, "The verifier has no usable key for this request: %s", cause(j.err)))
		}
	case r == verify.ErrUntrusted && q.untrusted(j):
	case r == verify.ErrTooOld || r == verify.ErrTooNew:
		q.found = append(q.found, explainf(ClockSkew, Likely, "The signed time is out of the verifier's window."))
	default:
		q.found = append(q.found, explainf(Unjudged, Likely, "The delivery could not be judged: %s", cause(j.err)))
	}
}

// cause returns what an error says beyond its reason, if there is anything, as the end of
// a sentence.
func cause(err error) string {
	var e *verify.Error
	if errors.As(err, &e) && e.Cause != nil {
		return ending(e.Cause)
	}
	return ending(verify.ReasonOf(err))
}

// explainRefusal explains a delivery whose signature holds, and which the verifier refused with
// err all the same.
func (q *inquiry) explainRefusal(h *verify.Head, err error) {
	if !q.contribute(q.ask(verify.Refusal{Head: h, Err: err, Holds: true}), Proved) {
		q.found = append(q.found, explainf(Unjudged, Likely,
			"The signature holds, and the verifier refused the delivery for another reason: %s", cause(err)))
	}
}

// untrusted explains a certificate that is not trusted, if the verifier knows more.
func (q *inquiry) untrusted(j judgement) bool {
	all := q.ask(verify.Refusal{Head: j.head, Err: j.err})
	return len(all) > 0 && (q.byOthers(j) || q.contribute(all, Likely))
}

// search looks for what is wrong with body or secret, where the head is good and the
// signature does not hold.
func (q *inquiry) search(j judgement) {
	h := j.head
	q.hypotheses = q.ask(verify.Refusal{Head: h, Err: j.err})
	if len(q.c.Body) <= maxBody {
		q.document, q.open, q.json = jsonform.Scan(q.c.Body)
	}
	usable := q.usable()
	if n := len(q.o.Candidates) - usable; n > 0 {
		q.leftOut = append(q.leftOut, plural(n, "other secret")+" that cannot be one or that the budget did not allow")
	}
	if q.try(plural(usable, "other secret"), func() bool { return q.byCandidates(j) }) ||
		q.try(plural(min(len(q.o.Others), maxOthers), "other verifier"), func() bool { return q.byOthers(j) }) ||
		q.byBody(h) ||
		q.try("the usual mistakes in writing the secret (white space, quotes, prefixes, escapes, base64, hexadecimal)", func() bool { return q.introspect != nil && q.bySecret(h) }) ||
		q.byHypotheses(h) || q.byDocument(h) {
		return
	}
	q.guess(h)
}

// try looks for one kind of mistake, and keeps whether it could be ruled out. What there
// was nothing to try of, such as brackets that are missing, is not spoken of.
func (q *inquiry) try(what string, look func() bool) bool {
	before, cut := q.tries, q.cut
	q.cut = false
	found := look()
	switch {
	case found:
	case q.cut:
		q.leftOut = append(q.leftOut, what)
	case q.tries < before:
		q.ruledOut = append(q.ruledOut, what)
	}
	q.cut = q.cut || cut
	return found
}

// prove adds findings for changes with which the signature holds. Several changes to the
// JSON of a body are one: it was serialised again.
func (q *inquiry) prove(ids ...ID) {
	if len(ids) > 1 && !slices.ContainsFunc(ids, func(id ID) bool { return !ofDocument(id) }) {
		ids = []ID{BodyReserialised}
	}
	q.found = append(q.found, explainAll(ids, true)...)
}

// ofDocument reports whether an id is one that serialising a document again has.
func ofDocument(id ID) bool {
	switch id {
	case BodyCompacted, BodyIndented, BodyKeyOrder, BodyHTMLEscape, BodyUnicodeEscape, BodySlashEscape, BodyNumbers,
		BodyNewlineAdded, BodyNewlineCut, BodyReserialised:
		return true
	}
	return false
}

func explainAll(ids []ID, proved bool) []Finding {
	c := Likely
	if proved {
		c = Proved
	}
	var all []Finding
	for _, id := range ids {
		all = append(all, explain(id, c))
	}
	return distinct(all)
}

// byBody looks for a change of the body's bytes.
func (q *inquiry) byBody(h *verify.Head) bool {
	body := q.c.Body
	if len(body) == 0 {
		return false
	}
	if len(body) > maxBody {
		q.cut = true
		q.leftOut = append(q.leftOut, "changes of the body, which is too large")
		return false
	}
	try := func(v variant) bool {
		if q.holds(q.base, h, v.body, len(q.keys)) {
			q.prove(v.ids...)
			return true
		}
		return false
	}
	return q.try("line ends changed throughout the body, one line end or all white space at its end added, one line end cut there, a byte order mark", func() bool { return anyOf(edited(body), try) }) ||
		q.try("Latin-1, Windows-1252 or UTF-16 for UTF-8", func() bool { return anyOf(recoded(body), try) }) ||
		q.try("compression, base64, JSON and forms around the body", func() bool { return q.byWrapping(h, try) }) ||
		q.try("a form that the body was taken from", func() bool {
			q.cut = q.cut || len(body) > maxForm
			return anyOf(formed(body), try)
		}) ||
		q.try("brackets that are missing at the end", func() bool { return anyOf(completed(body, q.open), try) })
}

func anyOf(variants iter.Seq[variant], try func(variant) bool) bool {
	for v := range variants {
		if try(v) {
			return true
		}
	}
	return false
}

// byWrapping looks for a body inside of the body.
func (q *inquiry) byWrapping(h *verify.Head, try func(variant) bool) bool {
	seen := 0
	for v := range unwrapped(&q.document, q.json, &q.cut) {
		if seen++; seen == maxUnwrapped {
			q.cut = true
		}
		if try(v) {
			return true
		}
		for inner := range edited(v.body) { // a wrapping often adds a line end, too
			if len(inner.ids) > 1 {
				break
			}
			if q.holds(q.base, h, inner.body, len(q.keys)) {
				q.prove(append(v.ids, inner.ids...)...)
				return true
			}
		}
	}
	return false
}

// byDocument looks for a change that serialising the body's JSON again makes.
func (q *inquiry) byDocument(h *verify.Head) bool {
	if !q.json {
		return false
	}
	if len(q.c.Body) > maxDocument {
		q.cut = true
		q.leftOut = append(q.leftOut, "other ways to write the JSON, which is too large")
		return false
	}
	s := jsonform.New(q.document, q.usual())
	for _, part := range s.Parts() {
		if q.try(part.What, func() bool {
			for v := range part.Variants {
				q.work -= int64(writing * s.Wrote)
				if q.holds(q.base, h, v.Text, len(q.keys)) {
					q.prove(traced(v.Traces)...)
					return true
				}
				if q.cut {
					return false
				}
			}
			q.cut = q.cut || *part.Bounded
			return false
		}) {
			return true
		}
	}
	return false
}

// findings returns everything that was found, in order.
func (q *inquiry) findings() []Finding {
	c := Proved
	if slices.ContainsFunc(q.found, func(f Finding) bool { return f.Confidence != Proved }) {
		c = Likely
	}
	var all []Finding
	for _, f := range q.header {
		all = append(all, conclude(f, c, "; with that undone, the signature verifies"))
	}
	all = append(all, q.found...)
	if q.media {
		all = append(all, explain(BodyMediaType, Proved))
	}
	if q.clockFinding != nil {
		all = append(all, conclude(*q.clockFinding, c, "; the signature holds"))
	}
	if q.c.Inexact != "" && slices.ContainsFunc(q.found, ofBody) {
		all = append(all, explain(BodyInexact, Likely))
	}
	return distinct(all)
}

// distinct keeps the first finding of each id, up to a bound.
func distinct(all []Finding) []Finding {
	var kept []Finding
	for _, f := range all {
		if len(kept) < maxFindings && !slices.ContainsFunc(kept, func(k Finding) bool { return k.ID == f.ID }) {
			kept = append(kept, f)
		}
	}
	return kept
}

func ofBody(f Finding) bool { return strings.HasPrefix(string(f.ID), "body.") }
