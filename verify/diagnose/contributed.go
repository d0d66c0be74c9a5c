package diagnose

import (
	"errors"
	"net/http"

	"github.com/hooknotary/hooknotary/verify"
)

// A verifier may know mistakes that only the users of its provider make. The diagnosis
// tries and words its hypotheses as it does its own.

// ask returns what the verifier knows about a refusal of the capture's body.
func (q *inquiry) ask(r verify.Refusal) []verify.Hypothesis {
	if q.explainer == nil {
		return nil
	}
	r.Body = q.c.Body
	return q.explainer.Explain(&r)
}

// contribute adds the first of the hypotheses, if there is any.
func (q *inquiry) contribute(all []verify.Hypothesis, c Confidence) bool {
	if len(all) == 0 {
		return false
	}
	q.found = append(q.found, contributed(all[0], c))
	return true
}

// contributed makes a finding of a hypothesis.
func contributed(h verify.Hypothesis, c Confidence) Finding {
	f := Finding{ID: ID(h.ID), Confidence: c, Text: h.Text, Fix: h.Fix}
	if h.Cause != nil {
		f.Text += ending(h.Cause)
	}
	if f.Fix == "" {
		f.Fix = fixes[f.ID]
	}
	return f
}

// byHypotheses tries what the verifier says that a mismatch may come from.
func (q *inquiry) byHypotheses(h *verify.Head) bool {
	for _, may := range q.hypotheses {
		if may.Verifier != nil && q.holds(may.Verifier, h, q.c.Body, 1) {
			q.found = append(q.found, contributed(may, Proved))
			return true
		}
	}
	return false
}

// lastResort returns the finding where nothing explains a mismatch.
func (q *inquiry) lastResort() Finding {
	for _, may := range q.hypotheses {
		if may.Verifier == nil {
			return contributed(may, Likely)
		}
	}
	return explain(SecretWrong, Likely)
}

// byHead asks the verifier about a head that it refuses with err and that nothing mends.
func (q *inquiry) byHead(h http.Header, err error) (Finding, bool) {
	head := *q.head
	head.Header = h
	all := q.ask(verify.Refusal{Head: &head, Err: err})
	if len(all) == 0 {
		return Finding{}, false
	}
	return contributed(all[0], Likely), true
}

// explained returns what the error of a constructor says of itself.
func explained(err error) (Finding, bool) {
	var e interface{ Hypothesis() verify.Hypothesis }
	if !errors.As(err, &e) {
		return Finding{}, false
	}
	return contributed(e.Hypothesis(), Likely), true
}
