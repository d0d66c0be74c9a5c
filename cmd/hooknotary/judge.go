package main

import (
	"context"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/sender"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/capture"
	"github.com/hooknotary/hooknotary/verify/diagnose"
)

// judge judges captures for one endpoint.
type judge struct {
	*endpoint
	verifier verify.Verifier // nil if the library refuses a secret
	refusal  error           // why
	bad      string          // that secret
	options  diagnose.Options
}

func newJudge(e *endpoint, candidates []diagnose.Candidate) *judge {
	j := &judge{endpoint: e, options: diagnose.Options{Candidates: candidates, Others: e.rivals()}}
	if j.verifier, j.refusal = e.newVerifier(e.secrets); j.refusal == nil {
		return j
	}
	j.verifier = nil
	for _, s := range e.secrets {
		if _, err := e.newVerifier([]sender.Secret{s}); err != nil {
			j.bad = s.Text
			break
		}
	}
	return j
}

// judge returns the verdict about c, which has a receive time, from that source.
func (j *judge) judge(ctx context.Context, c *capture.Capture, from source) *result {
	r := &result{
		Provider: j.Name, ReceivedAt: c.ReceivedAt.UTC(), ReceivedFrom: from, Inexact: c.Inexact,
		Findings: []diagnose.Finding{},
	}
	if j.verifier == nil {
		r.reject(verify.ErrNoKey, j.refusal)
		if j.bad != "" {
			r.add(diagnose.Secret(ctx, j.newVerifierOf, j.bad, c, &j.options))
		}
		return r
	}
	d, err := admit(ctx, j.verifier, c)
	if err != nil {
		reason := verify.ReasonOf(err)
		r.reject(reason, err)
		if from == fromNow && (reason == verify.ErrTooOld || reason == verify.ErrTooNew) {
			c = c.Clone()
			c.ReceivedAt = time.Time{} // now says nothing about when it arrived
		}
		r.add(diagnose.Verifier(ctx, j.verifier, c, &j.options))
		return r
	}
	r.accept(d)
	return r
}

func (j *judge) newVerifierOf(text string) (verify.Verifier, error) {
	return j.newVerifier([]sender.Secret{{Label: "secret", Text: text}})
}

// admit says what a guard says before it asks its store: method, media type and size
// count as much as the signature. Nothing is remembered, so nothing is a replay.
func admit(ctx context.Context, v verify.Verifier, c *capture.Capture) (*verify.Delivery, error) {
	head := c.Head()
	p := v.Profile()
	if err := p.Check(head, int64(len(c.Body))); err != nil {
		return nil, err
	}
	body, err := p.Unpack(head, c.Body)
	if err != nil {
		return nil, err
	}
	return verify.Verify(ctx, v, head, body)
}

// cause returns the text of an error without the name of the package that says it.
func cause(err error) string { return strings.TrimPrefix(err.Error(), "verify: ") }
